/* What must not have changed for a bus or a device to go on over a reload as if there had been none. Pure.
 *
 * All that polling, planning and decoding depend on, to the last sentinel: an answer to a request of before is told by
 * what is configured now only where both mean the same. What others make of a reading (labels, areas, conversions, rules,
 * what is recorded) does not matter here, nor does `poll_offset`: a device that is read at other instants is the same. */
#ifndef RG_POLL_SAME_H
#define RG_POLL_SAME_H

#include <stdbool.h>

#include "model/site.h"

/* Everything but where it is written. */
bool same_bus(const struct site_bus *a, const struct site_bus *b);
/* Of one name, and read in the same way, whatever bus they are on; never a derived one. */
bool same_device(const struct site *a, const struct site_device *x, const struct site *b,
                 const struct site_device *y);

#endif
