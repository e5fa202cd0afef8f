#include "store/salvage.h"

#include <string.h>

#include "base/error.h"

sqlite3 *salvage_open(const char *old_path)
{
    sqlite3 *old = NULL;
    int rc = old_path == NULL ? SQLITE_CANTOPEN : db_connect(old_path, DB_READER, NULL, &old);
    if (rc == SQLITE_OK) {
        db_leave_log(old);
        return old;
    }
    db_close(old);
    return NULL;
}

struct copy {
    const char *from, *into;
};

/* Columns in the order in which they are copied; the first six are those that the chain is followed by. */
static const struct copy streams[STREAM_COUNT] = {
    [STREAM_ALARM] = {"SELECT a.seq, a.body, a.hash, b.hash, a.ts, a.peak, a.unsynced, a.turn, a.mono"
                      " FROM alarm a LEFT JOIN alarm b ON b.seq = a.seq - 1 ORDER BY a.seq DESC",
                      "INSERT INTO alarm(seq, body, hash, ts, peak, unsynced, turn, mono)"
                      " VALUES (?1, ?2, ?3, ?5, ?6, ?7, ?8, ?9)"},
    [STREAM_EVENT] = {"SELECT a.seq, a.body, a.hash, b.hash, a.ts, a.kind, a.unsynced, a.turn, a.mono"
                      " FROM event a LEFT JOIN event b ON b.seq = a.seq - 1 ORDER BY a.seq DESC",
                      "INSERT INTO event(seq, body, hash, ts, kind, unsynced, turn, mono)"
                      " VALUES (?1, ?2, ?3, ?5, ?6, ?7, ?8, ?9)"},
    [STREAM_REPORT] = {"SELECT a.seq, a.body, a.hash, b.hash, a.ts, a.unsynced"
                       " FROM report a LEFT JOIN report b ON b.seq = a.seq - 1 ORDER BY a.seq DESC",
                       "INSERT INTO report(seq, body, hash, ts, unsynced) VALUES (?1, ?2, ?3, ?5, ?6)"},
};

static const struct copy tables[] = {
    {"SELECT alarm, rule, point, area, level, acked, shelved, raised_ts, cleared_ts, acked_ts, acked_by, "
     "suppressed,"
     " first_out, shelved_until, highest FROM occurrence",
     "INSERT OR IGNORE INTO occurrence(alarm, rule, point, area, level, acked, shelved, raised_ts, "
     "cleared_ts, acked_ts,"
     " acked_by, suppressed, first_out, shelved_until, highest)"
     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"},
    /* Of an older version. */
    {"SELECT alarm, rule, point, area, level, acked, shelved, raised_ts, cleared_ts, acked_ts, acked_by, "
     "suppressed,"
     " first_out, shelved_until FROM occurrence",
     "INSERT OR IGNORE INTO occurrence(alarm, rule, point, area, level, acked, shelved, raised_ts, "
     "cleared_ts, acked_ts,"
     " acked_by, suppressed, first_out, shelved_until)"
     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"},
    {"SELECT uplink, stream, acked, ranges FROM cursor",
     "INSERT OR IGNORE INTO cursor(uplink, stream, acked, ranges) VALUES (?1, ?2, ?3, ?4)"},
    {"SELECT id, name FROM device", "INSERT OR IGNORE INTO device(id, name) VALUES (?1, ?2)"},
    {"SELECT device, since, until, points, poll_ms, mark FROM duty",
     "INSERT OR IGNORE INTO duty(device, since, until, points, poll_ms, mark)"
     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    {"SELECT id, config FROM applied", "INSERT OR IGNORE INTO applied(id, config) VALUES (?1, ?2)"},
    {"SELECT stream, key, seq FROM pruned",
     "INSERT OR IGNORE INTO pruned(stream, key, seq) VALUES (?1, ?2, ?3)"},
    {"SELECT stream, cause, first, last, count FROM loss",
     "INSERT OR IGNORE INTO loss(stream, cause, first, last, count) VALUES (?1, ?2, ?3, ?4, ?5)"},
    {"SELECT ts, file, why FROM set_aside ORDER BY ts",
     "INSERT INTO set_aside(ts, file, why) VALUES (?1, ?2, ?3)"},
    {"SELECT name, opened_by, opened_ts, until_ts FROM permit",
     "INSERT OR REPLACE INTO permit(name, opened_by, opened_ts, until_ts) VALUES (?1, ?2, ?3, ?4)"},
    {"SELECT body ->> '$.permit', body ->> '$.by', ts, coalesce(body ->> '$.until', 0) FROM event"
     " WHERE kind = 'command' AND CASE WHEN json_valid(body) THEN body ->> '$.command' END = 'permit'"
     " AND body ->> '$.permit' IS NOT NULL AND body ->> '$.by' IS NOT NULL ORDER BY seq",
     "INSERT OR REPLACE INTO permit(name, opened_by, opened_ts, until_ts) VALUES (?1, ?2, ?3, ?4)"},
};

/* One row from the one into the other. Values are copied, so the row may go. */
static int put_row(sqlite3_stmt *row, sqlite3_stmt *into)
{
    int rc = SQLITE_OK;
    for (int i = 0; i < sqlite3_column_count(row) && rc == SQLITE_OK; i++) {
        if (i < sqlite3_bind_parameter_count(into))
            rc = sqlite3_bind_value(into, i + 1, sqlite3_column_value(row, i));
    }
    return rc == SQLITE_OK ? db_run(into) : rc;
}

/* Whether the row's text leads to its hash from the one before. */
static bool follows(struct chain *chain, sqlite3_stmt *row, const char *previous)
{
    static const char mark[] = ",\"hash\":\"";
    const char *text = (const char *)sqlite3_column_text(row, 1);
    const char *hash = (const char *)sqlite3_column_text(row, 2);
    size_t length = (size_t)sqlite3_column_bytes(row, 1), end = sizeof(mark) - 1 + CHAIN_HEX + 2;
    char expected[CHAIN_HEX + 1];
    if (text == NULL || hash == NULL || length <= end ||
        memcmp(text + length - end, mark, sizeof(mark) - 1) != 0)
        return false;
    return chain_next(chain, previous, text, length - end, expected) == RG_OK &&
           strcmp(expected, hash) == 0 && memcmp(text + length - 2 - CHAIN_HEX, hash, CHAIN_HEX) == 0;
}

/* The hash before the row's: that of the record before it, nothing for the first, or what the chain was said to begin
 * after. False: not known. */
static bool hash_before(sqlite3 *old, enum stream stream, sqlite3_stmt *row, char out[CHAIN_HEX + 1])
{
    int64_t seq = sqlite3_column_int64(row, 0);
    const char *text = (const char *)sqlite3_column_text(row, 3);
    memset(out, 0, CHAIN_HEX + 1);
    if (text != NULL && strlen(text) == CHAIN_HEX) {
        memcpy(out, text, CHAIN_HEX);
        return true;
    }
    if (seq == 1)
        return true;
    sqlite3_stmt *stmt = NULL;
    bool known = false;
    if (db_prepare(old, "SELECT hash FROM chain_start WHERE stream = ?1 AND seq = ?2", &stmt) == SQLITE_OK &&
        sqlite3_bind_int64(stmt, 1, (int)stream) == SQLITE_OK &&
        sqlite3_bind_int64(stmt, 2, seq - 1) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *start = (const char *)sqlite3_column_text(stmt, 0);
        known = start != NULL && (strlen(start) == CHAIN_HEX || start[0] == '\0');
        if (known)
            memcpy(out, start, strlen(start));
    }
    (void)sqlite3_finalize(stmt);
    return known;
}

int salvage_stream(sqlite3 *old, sqlite3 *db, enum stream stream, const struct renew_stream *known,
                   int64_t *first, char before[CHAIN_HEX + 1])
{
    sqlite3_stmt *row = NULL, *into = NULL;
    struct chain *chain = NULL;
    *first = known->head + 1;
    memcpy(before, known->hash, CHAIN_HEX + 1);
    if (!known->exact || known->head == 0)
        return SQLITE_OK;
    int rc = chain_create(&chain) == RG_OK ? db_prepare(db, streams[stream].into, &into) : SQLITE_NOMEM;
    bool going = rc == SQLITE_OK && db_prepare(old, streams[stream].from, &row) == SQLITE_OK;
    while (going && rc == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) {
        char previous[CHAIN_HEX + 1];
        const char *hash = (const char *)sqlite3_column_text(row, 2);
        going = sqlite3_column_int64(row, 0) == *first - 1 && hash != NULL && strcmp(hash, before) == 0 &&
                hash_before(old, stream, row, previous) && follows(chain, row, previous);
        if (!going)
            break;
        rc = put_row(row, into);
        if (rc == SQLITE_OK) {
            --*first;
            memcpy(before, previous, sizeof(previous));
        }
    }
    (void)sqlite3_finalize(row);
    (void)sqlite3_finalize(into);
    chain_destroy(chain);
    return rc;
}

static int salvage_table(sqlite3 *old, sqlite3 *db, const struct copy *table)
{
    sqlite3_stmt *row = NULL, *into = NULL;
    int rc = db_prepare(db, table->into, &into);
    bool readable = rc == SQLITE_OK && db_prepare(old, table->from, &row) == SQLITE_OK;
    while (readable && rc == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) {
        rc = put_row(row, into);
        if ((rc & 0xff) == SQLITE_CONSTRAINT)
            rc = SQLITE_OK; /* a row that makes no sense */
    }
    (void)sqlite3_finalize(row);
    (void)sqlite3_finalize(into);
    return rc;
}

int salvage_state(sqlite3 *old, sqlite3 *db)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < RG_COUNT(tables) && rc == SQLITE_OK; i++)
        rc = salvage_table(old, db, &tables[i]);
    return rc;
}
