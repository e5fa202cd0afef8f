/* Minute roll-ups: how many good and bad readings each point had in each minute of the wall clock, their least, greatest and sum (of states too:
 * the mean of a bool is how long it was on). Of all frames, whatever is recorded of them. A good reading that is not finite counts as
 * bad. Pure; all memory is taken at creation.
 *
 * What was gathered is closed once a minute: when the first frame of a later minute comes, or some seconds after the minute's end when none
 * does. Then it is given out, a piece now and then: that frame may be an alarm's, and is not to wait for thousands of rows. What comes late for a
 * minute that was closed makes another row of it: rows of one minute and point are to be added up (min and max: the lesser, the greater). So
 * does a clock that is put back. */
#ifndef RG_RECORD_ROLLUP_H
#define RG_RECORD_ROLLUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/moment.h"
#include "model/rollup.h"
#include "model/sample.h"
#include "model/site.h"

#define ROLLUP_GRACE_MS 5000 /* after a minute's end, for frames that are late */
#define ROLLUP_PIECE 500     /* rows, at least */

struct rollup;

/* Called with rows that are borrowed for the length of the call. */
typedef void (*rollup_piece_cb)(void *arg, const struct rollup_piece *piece);

/* site must outlive it. RG_ENOMEM. */
RG_NODISCARD enum rg_err rollup_create(const struct site *site, struct rollup **out);
void rollup_destroy(struct rollup *r); /* takes NULL */
/* What was gathered is to be closed before the frame is taken: its minute asks for it. */
bool rollup_is_over(struct rollup *r, const struct frame *frame);
/* What was gathered is to be closed: it has been over for long. */
bool rollup_is_due(const struct rollup *r, struct moment now);
/* Takes the frame. */
void rollup_frame(struct rollup *r, const struct frame *frame);
/* What was gathered so far is to be given out, what was closed before must have been. turn: how far the records are. */
void rollup_close(struct rollup *r, int64_t turn);
/* Calls cb with the next piece of what was closed, if there is one. True: there is more. */
bool rollup_give(struct rollup *r, rollup_piece_cb cb, void *arg);

#endif
