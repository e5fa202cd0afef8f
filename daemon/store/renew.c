#include "store/renew.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/salvage.h"

#define UNKNOWN_BASE_MS 1577836800000 /* 2020-01-01: no gateway ran this program before */
#define UNKNOWN_LEAST INT64_C(1000000000000)

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What the old file says of a stream. True: its last number and hash; ends: and that record is there. */
static bool read_stream(sqlite3 *old, int s, struct renew_stream *out, bool *ends)
{
    char sql[256];
    int64_t last = 0, first = 0;
    sqlite3_stmt *stmt = NULL;
    bool read = false;
    if (old == NULL)
        return false;
    if (db_prepare(old, "SELECT seq, hash FROM stream WHERE id = ?1", &stmt) == SQLITE_OK &&
        sqlite3_bind_int64(stmt, 1, s) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *hash = (const char *)sqlite3_column_text(stmt, 1);
        out->head = sqlite3_column_int64(stmt, 0);
        read = out->head >= 0 && hash != NULL && text_copy(out->hash, sizeof(out->hash), hash);
    }
    (void)sqlite3_finalize(stmt);
    (void)text_format(sql, sizeof(sql), "SELECT max(seq) FROM %s", stream_name((enum stream)s));
    *ends = db_number(old, sql, out->head, &last) == SQLITE_OK && last == out->head;
    out->head = most(out->head, last);
    (void)text_format(sql, sizeof(sql), "SELECT min(seq) FROM %s", stream_name((enum stream)s));
    if (db_number(old, sql, out->head + 1, &first) == SQLITE_OK && first > 0)
        out->gone = first - 1;
    return read;
}

/* Nobody knows: more than a gateway can have recorded since there are any, a thousand a second. */
static int64_t beyond_all(int64_t wall_ms)
{
    return most(wall_ms - UNKNOWN_BASE_MS, UNKNOWN_LEAST);
}

void renew_learn(const char *old_path, const struct marks_state *marks, struct renew *r)
{
    sqlite3 *old = salvage_open(old_path);
    int64_t boot = 0, next = 0;
    bool known = marks->found;
    for (int s = 0; s < STREAM_COUNT; s++) {
        struct renew_stream *t = &r->streams[s];
        bool ends = true, whole = read_stream(old, s, t, &ends);
        bool seen = marks->found && marks->exact;
        t->exact = whole && seen && (t->head == marks->seen[s] || (ends && t->head > marks->seen[s]));
        known = known || whole;
        if (!t->exact) {
            t->hash[0] = '\0';
            t->head = most(most(t->head, marks->seen[s]), marks->reserved[s]);
        }
    }
    if (old != NULL) {
        (void)db_number(old, "SELECT boot FROM run", 0, &boot); /* 0 where it cannot be read */
        (void)db_number(old, "SELECT next_alarm FROM run", 0, &next);
    }
    for (int s = 0; s < STREAM_COUNT && !marks->found; s++)
        r->streams[s].head = known ? r->streams[s].head + MARKS_AHEAD_TELEMETRY : beyond_all(r->wall_ms);
    r->boot = most(most(boot, marks->boot), 1);
    r->next_alarm = marks->next_alarm > (uint64_t)next ? marks->next_alarm : (uint64_t)next;
    if (!known && r->next_alarm == 0)
        r->next_alarm = (uint64_t)beyond_all(r->wall_ms);
    if (r->next_alarm == 0)
        r->next_alarm = 1;
    db_close(old);
}

static int write_numbers(sqlite3 *db, const char *sql, const int64_t *numbers, int count, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, sql, &stmt);
    for (int i = 0; i < count && rc == SQLITE_OK; i++)
        rc = sqlite3_bind_int64(stmt, i + 1, numbers[i]);
    if (rc == SQLITE_OK && text != NULL)
        rc = sqlite3_bind_text(stmt, count + 1, text, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = db_run(stmt);
    (void)sqlite3_finalize(stmt);
    return rc;
}

static int write_loss(sqlite3 *db, int s, struct renew *r, int64_t first, int64_t last)
{
    r->lost[s] = (struct loss){.first = first, .last = last, .count = (uint64_t)(last - first) + 1};
    int rc = write_numbers(db,
                           "INSERT INTO loss(stream, cause, first, last, count) VALUES (?1, ?2, ?3, ?4, ?5)"
                           " ON CONFLICT (stream, cause) DO UPDATE SET first = min(first, excluded.first),"
                           " last = max(last, excluded.last), count = count + excluded.count",
                           (int64_t[]){s, r->cause, first, last, last - first + 1}, 5, NULL);
    /* What a filtered `prev` leads to: a number that is told as lost, whatever passes the filter. */
    if (rc == SQLITE_OK)
        rc = write_numbers(db, "INSERT OR REPLACE INTO pruned(stream, key, seq) VALUES (?1, -1, ?2)",
                           (int64_t[]){s, last}, 2, NULL);
    return rc;
}

static int write_stream(sqlite3 *old, sqlite3 *db, int s, struct renew *r)
{
    const struct renew_stream *t = &r->streams[s];
    bool chained = s != STREAM_TELEMETRY;
    int64_t first = t->head + 1;
    char before[CHAIN_HEX + 1] = "";
    int rc = SQLITE_OK;
    if (chained && t->exact)
        memcpy(before, t->hash, sizeof(before));
    if (chained && old != NULL)
        rc = salvage_stream(old, db, (enum stream)s, t, &first, before);
    if (rc == SQLITE_OK)
        rc = write_numbers(db, "UPDATE stream SET seq = ?2, hash = ?3 WHERE id = ?1", (int64_t[]){s, t->head},
                           2, chained && t->exact ? t->hash : "");
    if (rc == SQLITE_OK && first > 1)
        rc = write_numbers(db, "INSERT OR REPLACE INTO chain_start(stream, seq, hash) VALUES (?1, ?2, ?3)",
                           (int64_t[]){s, first - 1}, 2, before);
    if (rc == SQLITE_OK && first - 1 > t->gone)
        rc = write_loss(db, s, r, t->gone + 1, first - 1);
    return rc;
}

static int write_devices(sqlite3 *db, const struct renew *r)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < r->device_count && rc == SQLITE_OK; i++)
        rc = write_numbers(db, "INSERT OR IGNORE INTO device(id, name) VALUES (?1, ?2)",
                           (int64_t[]){r->devices[i].id}, 1, r->devices[i].name);
    return rc;
}

static int write_aside(sqlite3 *db, const struct renew *r)
{
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, "INSERT INTO set_aside(ts, file, why) VALUES (?1, ?2, ?3)", &stmt);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 1, r->wall_ms);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 2, r->file, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 3, r->why, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = db_run(stmt);
    (void)sqlite3_finalize(stmt);
    return rc;
}

static int write_all(sqlite3 *old, sqlite3 *db, struct renew *r)
{
    /* Those in memory first: records that wait have these numbers. */
    int rc = write_devices(db, r);
    if (rc == SQLITE_OK && old != NULL)
        rc = salvage_state(old, db);
    for (int s = 0; s < STREAM_COUNT && rc == SQLITE_OK; s++)
        rc = write_stream(old, db, s, r);
    if (rc == SQLITE_OK)
        rc = write_numbers(db, "UPDATE run SET boot = ?1, next_alarm = ?2, clean = 0",
                           (int64_t[]){r->boot, (int64_t)r->next_alarm}, 2, NULL);
    return rc == SQLITE_OK ? write_aside(db, r) : rc;
}

int renew_write(sqlite3 *db, const char *old_path, struct renew *r)
{
    int64_t boot = 0;
    sqlite3 *old = salvage_open(old_path);
    int rc = db_exec(db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = db_number(db, "SELECT boot FROM run", 0, &boot);
    if (rc == SQLITE_OK && boot == 0)
        rc = write_all(old, db, r);
    if (rc == SQLITE_OK)
        rc = db_exec(db, "COMMIT");
    db_close(old);
    /* The caller closes it after an error, which undoes what is open. */
    return rc;
}

void renew_free(struct renew *r)
{
    free(r->devices);
    r->devices = NULL;
    r->device_count = 0;
}
