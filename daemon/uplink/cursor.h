/* The arithmetic of a cursor (struct cursor, model/stream.h): what of a stream is done and what is still
 * owed. Pure.
 *
 * A record is `owed` when it lies above `acked` or inside a range. Every function keeps the ranges ascending,
 * disjoint, not adjacent, above 0 and not above `acked`. The list is bounded by CURSOR_RANGES: where one more
 * would be needed, the two neighbours with the smallest gap are merged. That owes a few records a second
 * time; no function ever takes a record for done that was not told to be. */
#ifndef RG_UPLINK_CURSOR_H
#define RG_UPLINK_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "model/stream.h"

/* Makes a cursor from outside (the store) sound: sorts, clips and joins its ranges, and takes it back to head
 * when it is beyond (the store is older than the cursor: otherwise new records would be taken for done). */
void cursor_repair(struct cursor *c, int64_t head);
/* Records first..last are done, in any order and any number of times. What lies between `acked` and first
 * stays owed. Nothing happens when last < first. */
void cursor_done(struct cursor *c, int64_t first, int64_t last);
/* Everything from `acked` + 1 to upto becomes a back-fill range, and `acked` becomes upto. */
void cursor_defer(struct cursor *c, int64_t upto);
/* first..last are owed (again), as far as they are not above `acked`. */
void cursor_owe(struct cursor *c, int64_t first, int64_t last);
/* The first owed piece of back-fill at or above from. False: there is none. */
bool cursor_owed(const struct cursor *c, int64_t from, struct seq_range *out);
/* Whether this record is owed. */
bool cursor_owes(const struct cursor *c, int64_t seq);
/* How many records up to head are owed. */
int64_t cursor_pending(const struct cursor *c, int64_t head);

#endif
