/* Minute roll-ups: how many good and bad readings each point had in each minute of the wall clock, their least, greatest and sum (of states too:
 * the mean of a bool is how long it was on). Of all frames, whatever is recorded of them. A good reading that is not finite counts as
 * bad. Pure; all memory is taken at creation.
 *
 * Rows are given out in batches, one a minute: when the first frame of a later minute comes, or some seconds after the minute's
 * end when none does. What comes late for a minute that was given out makes another row of it: rows of one minute and point are
 * to be added up (min and max: the lesser, the greater). So does a clock that is put back. */
#ifndef RG_RECORD_ROLLUP_H
#define RG_RECORD_ROLLUP_H

#include <stddef.h>

#include "base/error.h"
#include "model/moment.h"
#include "model/rollup.h"
#include "model/sample.h"
#include "model/site.h"

#define ROLLUP_GRACE_MS 5000 /* after a minute's end, for frames that are late */

struct rollup;

/* All that was gathered, in order of minute and point; borrowed for the length of the call. What the frame in hand says is not in it yet. */
typedef void (*rollup_batch_cb)(void *arg, const struct rollup_row *rows, size_t count);

/* site must outlive it. RG_ENOMEM. */
RG_NODISCARD enum rg_err rollup_create(const struct site *site, struct rollup **out);
void rollup_destroy(struct rollup *r); /* takes NULL */
/* Takes the frame; calls cb first when its minute asks for it. */
void rollup_frame(struct rollup *r, const struct frame *frame, rollup_batch_cb cb, void *arg);
/* Now and then: calls cb when what was gathered is over. */
void rollup_tick(struct rollup *r, struct moment now, rollup_batch_cb cb, void *arg);
/* Calls cb when anything was gathered. */
void rollup_flush(struct rollup *r, rollup_batch_cb cb, void *arg);

#endif
