#include "store/keep_rollups.h"

#include <stdlib.h>

#include "store/rollups.h"

#define BELIEVABLE_MS INT64_C(1577836800000) /* 2020: minutes before it are of a clock that was not set */
#define DAY_MS INT64_C(86400000)

enum { OLDEST, NEWEST, POINTS, LAST_OF, REMOVE, STMT_COUNT };

static const char *const statements[STMT_COUNT] = {
    [OLDEST] = "SELECT min(minute) FROM rollup WHERE minute >= ?1",
    [NEWEST] = "SELECT max(minute) FROM rollup WHERE minute <= ?1",
    [POINTS] = "SELECT max(id) FROM rollup_point",
    [LAST_OF] = ("SELECT max(minute) FROM (SELECT minute FROM rollup WHERE minute < ?1 AND minute >= ?2"
                 " ORDER BY minute LIMIT ?3)"),
    [REMOVE] = "DELETE FROM rollup WHERE minute <= ?1",
};

int64_t keep_rollups_share(int64_t max_size)
{
    return max_size / 4;
}

int keep_rollups_open(struct keep_rollups *k, sqlite3 *db)
{
    k->stmts = calloc(STMT_COUNT, sizeof(sqlite3_stmt *));
    return k->stmts == NULL ? SQLITE_NOMEM : db_prepare_all(db, statements, STMT_COUNT, k->stmts);
}

void keep_rollups_close(struct keep_rollups *k)
{
    if (k->stmts != NULL)
        db_finalize_all(k->stmts, STMT_COUNT);
    free(k->stmts);
    k->stmts = NULL;
}

static int remove_upto(struct keep_rollups *k, int64_t minute)
{
    (void)sqlite3_bind_int64(k->stmts[REMOVE], 1, minute);
    return db_run(k->stmts[REMOVE]);
}

/* The end of a slice of those from `least` on and before `most`; 0: there is none. */
static int slice_end(struct keep_rollups *k, int64_t least, int64_t most, int64_t *minute)
{
    sqlite3_stmt *stmt = k->stmts[LAST_OF];

    (void)sqlite3_bind_int64(stmt, 1, most);
    (void)sqlite3_bind_int64(stmt, 2, least);
    (void)sqlite3_bind_int64(stmt, 3, ROLLUPS_REMOVED);
    return db_take(stmt, 0, minute);
}

int keep_rollups_age(struct keep_rollups *k, int64_t now_ms, int64_t oldest_ms, bool *more)
{
    int64_t minute = 0;
    int rc = oldest_ms > now_ms ? SQLITE_OK : slice_end(k, BELIEVABLE_MS, oldest_ms, &minute);

    if (rc != SQLITE_OK || minute == 0)
        return rc;
    *more = true;
    return remove_upto(k, minute);
}

/* No row is counted: so many minutes of so many points are at most so many rows. */
static int estimate(struct keep_rollups *k, int64_t now_ms, int64_t *first, int64_t *bytes)
{
    int64_t last = 0, points = 0;
    int rc;

    *bytes = 0;
    (void)sqlite3_bind_int64(k->stmts[OLDEST], 1, BELIEVABLE_MS);
    rc = db_take(k->stmts[OLDEST], 0, first);
    (void)sqlite3_bind_int64(k->stmts[NEWEST], 1, now_ms + DAY_MS);
    if (rc == SQLITE_OK)
        rc = db_take(k->stmts[NEWEST], 0, &last);
    if (rc == SQLITE_OK)
        rc = db_take(k->stmts[POINTS], 0, &points);
    if (rc == SQLITE_OK && *first > 0 && last >= *first)
        *bytes = ((last - *first) / ROLLUP_MINUTE_MS + 1) * points * ROLLUPS_ROW_BYTES;
    return rc;
}

int keep_rollups_size(struct keep_rollups *k, int64_t now_ms, int64_t max_size, bool *more)
{
    int64_t first = 0, bytes = 0, minute = 0;
    int rc = estimate(k, now_ms, &first, &bytes);

    if (rc != SQLITE_OK || bytes <= keep_rollups_share(max_size))
        return rc;
    rc = slice_end(k, BELIEVABLE_MS, INT64_MAX, &minute);
    if (rc != SQLITE_OK || minute == 0)
        return rc;
    *more = true;
    return remove_upto(k, minute);
}

int keep_rollups_yield(struct keep_rollups *k, bool *more)
{
    int64_t minute = 0;
    int rc = slice_end(k, INT64_MIN, INT64_MAX, &minute);

    *more = minute != 0;
    return rc == SQLITE_OK && minute != 0 ? remove_upto(k, minute) : rc;
}
