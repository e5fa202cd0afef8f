/* What keeps the roll-ups small: old ones go in slices; they have a share of the store, beyond which the oldest go whatever their age; within
 * it they give way to a bound of size or disk only when no telemetry is left. */
#ifndef RG_STORE_KEEP_ROLLUPS_H
#define RG_STORE_KEEP_ROLLUPS_H

#include <stdbool.h>

#include "store/db.h"

struct keep_rollups {
    sqlite3_stmt **stmts;
};

/* Bytes of max_size that they may take. */
int64_t keep_rollups_share(int64_t max_size);

RG_NODISCARD int keep_rollups_open(struct keep_rollups *k, sqlite3 *db);
void keep_rollups_close(struct keep_rollups *k); /* takes a zeroed one */
/* Removes a slice of those of minutes before oldest_ms (wall), and of those beyond their share; a minute that cannot be (before 2020) goes with
 * the next one that can. *more: there is work for another call. One transaction at most, begun and ended by itself. */
RG_NODISCARD int keep_rollups_age(struct keep_rollups *k, int64_t now_ms, int64_t oldest_ms, bool *more);
RG_NODISCARD int keep_rollups_size(struct keep_rollups *k, int64_t now_ms, int64_t max_size, bool *more);
/* A slice of the oldest, whatever their age. *more: something was removed. */
RG_NODISCARD int keep_rollups_yield(struct keep_rollups *k, bool *more);

#endif
