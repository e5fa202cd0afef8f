/* From what was read to what it means: the stage between poll and rules.
 *
 * A device's frame comes in. Out come that frame with the readings of its points converted, and then a frame for each
 * derived device (site_device.derived) that has a point worked out from one of its points, directly or through others:
 * all its points whose operands came with this frame, at the same moment. Each point is worked out once a frame, after
 * all that it is worked out from; so a gauge that is corrected by its own thermistor takes the temperature of the very
 * same frame. A converted point is read, so it comes with its device's frames only: those of its barometer do not renew
 * it. Values stay in memory until the next, however old: that is right because poll/ tells every point of a unit that
 * does not answer, or of a bus that is down, with a bad frame at each poll it misses. So an operand that is over age is
 * bad by itself, and what is worked out from it becomes bad at that moment.
 *
 * Quality. What is worked out is bad when anything it is worked out from is, with the reason of the first that is bad
 * (of a converted point: its own reading, then temperature, then barometer; of a derived one: its operands in their order).
 * An operand that was never read is QUALITY_STALE. What has no value (formula.h), is not finite or lies outside the
 * point's range is QUALITY_RANGE.
 *
 * An increase (DERIVE_INCREASE) is that since the last good reading of the counter, so bad readings between lose
 * nothing. The first good reading after a start is QUALITY_STALE: what was counted while the daemon was not there is not known to
 * belong to any time. A reading that is no counter's (below 0, or wrap and more) is QUALITY_RANGE and not remembered.
 *
 * Pure: no clock, and no memory is taken after convert_create. A sample costs its own conversion and the operands of what
 * is worked out from it. */
#ifndef RG_CONVERT_CONVERT_H
#define RG_CONVERT_CONVERT_H

#include "base/error.h"
#include "model/sample.h"
#include "model/site.h"

struct convert;

/* frame and its samples are borrowed for the length of the call, which must not feed the stage. */
typedef void (*convert_frame_cb)(void *arg, const struct frame *frame);

/* site must outlive it. RG_ENOMEM; RG_EINVAL: points are worked out in a circle or more than SITE_DEPTH_MAX deep, or one has not
 * the operands its kind needs. */
RG_NODISCARD enum rg_err convert_create(const struct site *site, struct convert **out);
void convert_destroy(struct convert *c); /* takes NULL */

/* Before the first frame, from the stage that was at work until then (another site, which must still be there): the last readings and
 * counters of points that mean the same as before go on, so that a reload neither loses nor doubles an increase and no
 * derived point is without a value until its slowest operand is read again. RG_ENOMEM: nothing was taken over. */
RG_NODISCARD enum rg_err convert_inherit(struct convert *c, const struct convert *from);

/* cb: the frame itself first, then those of derived devices, which are always heard. Samples of points that are not the device's
 * are left out; of two of one point the later counts. */
void convert_frame(struct convert *c, const struct frame *frame, convert_frame_cb cb, void *arg);

#endif
