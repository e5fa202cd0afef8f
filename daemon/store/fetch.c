#include "store/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "store/schema.h"

enum {
    BEGIN,
    COMMIT,
    HEAD,
    ROWS_OF, /* one for each stream */
    PREV_LEVEL = ROWS_OF + STREAM_COUNT,
    PREV_ROWS,
    BLOCK_FROM,
    BLOCK_DOWN,
    STMT_COUNT,
};
_Static_assert(STMT_COUNT <= FETCH_STMT_COUNT, "room for every statement");

/* The rows of a stream: number, what filters look at, taken with an unset clock, text. */
static const char *const statements[STMT_COUNT] = {
    [BEGIN] = "BEGIN",
    [COMMIT] = "COMMIT",
    [HEAD] = "SELECT seq FROM stream WHERE id = ?1",
    [ROWS_OF + STREAM_ALARM] =
        "SELECT seq, peak, unsynced, body FROM alarm WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
    [ROWS_OF + STREAM_TELEMETRY] =
        "SELECT seq, device, unsynced, body FROM telemetry WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
    [ROWS_OF + STREAM_EVENT] =
        "SELECT seq, 0, unsynced, body FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
    [ROWS_OF + STREAM_REPORT] =
        "SELECT seq, 0, unsynced, body FROM report WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
    [PREV_LEVEL] = "SELECT max(seq) FROM alarm WHERE peak = ?1 AND seq < ?2",
    [PREV_ROWS] = "SELECT seq, device FROM telemetry WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq DESC",
    [BLOCK_FROM] = "SELECT block, devices FROM telemetry_block WHERE block >= ?1 ORDER BY block",
    [BLOCK_DOWN] = "SELECT block, devices FROM telemetry_block WHERE block <= ?1 ORDER BY block DESC",
};

/* The last pruned record of each key, for the records below those that are still there; -1: whatever passes. */
static const char pruned_sql[] = "SELECT key, seq FROM pruned WHERE stream = ?1 AND seq < ?2";

struct scan {
    struct fetcher *f;
    const struct fetch_request *request;
    struct chunk *chunk;
    size_t looked; /* at so many records */
    bool full;     /* the chunk holds what was asked for, or enough was looked at */
};

int fetch_open(struct fetcher *f, sqlite3 *db)
{
    *f = (struct fetcher){.db = db};
    return db_prepare_all(db, statements, STMT_COUNT, f->stmts);
}

void fetch_close(struct fetcher *f)
{
    db_finalize_all(f->stmts, STMT_COUNT);
    free(f->bodies);
    f->bodies = NULL;
}

static bool key_passes(const struct fetch_request *request, int64_t key)
{
    if (request->stream == STREAM_ALARM)
        return key >= (int64_t)request->alarm_from;
    if (!request->by_device)
        return true;
    return key >= 0 && (uint64_t)key / 8 < request->allowed_size &&
           (request->allowed[key / 8] & (1u << (key % 8))) != 0;
}

static bool filtered(const struct fetch_request *request)
{
    return request->by_device || (request->stream == STREAM_ALARM && request->alarm_from > LEVEL_NONE);
}

static bool map_passes(const struct fetch_request *request, const uint8_t *map, size_t size)
{
    for (size_t i = 0; i < size && i < request->allowed_size; i++) {
        if ((map[i] & request->allowed[i]) != 0)
            return true;
    }
    return false;
}

static sqlite3_stmt *bound(struct fetcher *f, int stmt, int64_t a, int64_t b)
{
    (void)sqlite3_bind_int64(f->stmts[stmt], 1, a);
    if (sqlite3_bind_parameter_count(f->stmts[stmt]) > 1)
        (void)sqlite3_bind_int64(f->stmts[stmt], 2, b);
    return f->stmts[stmt];
}

/* The nearest block, from `block` on upwards or downwards, that has a record of an allowed device; -1: none. */
static int find_block(struct fetcher *f, int stmt, const struct fetch_request *request, int64_t block,
                      int64_t *out)
{
    sqlite3_stmt *blocks = bound(f, stmt, block, 0);
    *out = -1;
    int rc = SQLITE_DONE;
    while (*out < 0 && (rc = sqlite3_step(blocks)) == SQLITE_ROW) {
        const uint8_t *map = sqlite3_column_blob(blocks, 1);
        if (map != NULL && map_passes(request, map, (size_t)sqlite3_column_bytes(blocks, 1)))
            *out = sqlite3_column_int64(blocks, 0);
    }
    (void)sqlite3_reset(blocks);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Appends a text, after a comma when it is not the first. False, with chunk->error, when there is no memory. */
static bool append(struct scan *s, const char *text, size_t length)
{
    struct chunk *chunk = s->chunk;
    size_t needed = chunk->length + length + 1;
    if (needed > s->f->capacity) {
        size_t capacity = needed < 32768 ? 65536 : needed * 2;
        char *grown = realloc(s->f->bodies, capacity);
        if (grown == NULL) {
            chunk->error = RG_ENOMEM;
            return false;
        }
        s->f->bodies = grown;
        s->f->capacity = capacity;
    }
    if (chunk->count > 0)
        s->f->bodies[chunk->length++] = ',';
    memcpy(s->f->bodies + chunk->length, text, length);
    chunk->length += length;
    return true;
}

/* Takes the row into the chunk. False: it does not fit any more (or there is no memory). */
static bool take_row(struct scan *s, sqlite3_stmt *rows, int64_t seq)
{
    struct chunk *chunk = s->chunk;
    const char *text = (const char *)sqlite3_column_text(rows, 3);
    size_t length = (size_t)sqlite3_column_bytes(rows, 3);
    if (text == NULL) {
        chunk->error = RG_ENOMEM; /* the column is NOT NULL: SQLite had no memory for it */
        return false;
    }
    /* One record is always taken, or a long one could never be. */
    if (chunk->count > 0 && chunk->length + 1 + length > s->request->max_bytes)
        return false;
    if (!append(s, text, length))
        return false;
    if (chunk->count++ == 0)
        chunk->first = seq;
    chunk->last = seq;
    chunk->unsynced = chunk->unsynced || sqlite3_column_int(rows, 2) != 0;
    return true;
}

static int scan_rows(struct scan *s, int64_t from, int64_t upto)
{
    struct chunk *chunk = s->chunk;
    sqlite3_stmt *rows = bound(s->f, ROWS_OF + (int)s->request->stream, from, upto);
    int rc = SQLITE_DONE;
    while (!s->full && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t seq = sqlite3_column_int64(rows, 0);
        if (key_passes(s->request, sqlite3_column_int64(rows, 1)) && !take_row(s, rows, seq)) {
            s->full = true;
            break;
        }
        chunk->scanned_to = seq;
        s->looked++;
        s->full = chunk->count >= s->request->max_count || s->looked >= FETCH_SCAN_ROWS;
    }
    (void)sqlite3_reset(rows);
    if (!s->full && rc == SQLITE_DONE)
        chunk->scanned_to = upto; /* what lies between has been pruned */
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int scan_all(struct scan *s, int64_t upto)
{
    const struct fetch_request *request = s->request;
    if (!request->by_device)
        return scan_rows(s, request->from, upto);

    int64_t from = request->from;
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK && !s->full && from <= upto) {
        int64_t block = 0;
        rc = find_block(s->f, BLOCK_FROM, request, from >> SCHEMA_BLOCK_SHIFT, &block);
        if (rc != SQLITE_OK)
            break;
        if (block < 0 || block << SCHEMA_BLOCK_SHIFT > upto) {
            s->chunk->scanned_to = upto;
            break;
        }
        int64_t first = block << SCHEMA_BLOCK_SHIFT, last = ((block + 1) << SCHEMA_BLOCK_SHIFT) - 1;
        rc = scan_rows(s, first > from ? first : from, last < upto ? last : upto);
        from = last + 1;
    }
    return rc;
}

static int prev_alarm(struct scan *s, int64_t first, int64_t *prev)
{
    int rc = SQLITE_OK;
    for (int level = (int)s->request->alarm_from; level < LEVEL_COUNT && rc == SQLITE_OK; level++) {
        int64_t seq = 0;
        rc = db_take(bound(s->f, PREV_LEVEL, level, first), 0, &seq);
        if (seq > *prev)
            *prev = seq;
    }
    return rc;
}

static int prev_telemetry(struct scan *s, int64_t first, int64_t *prev)
{
    int64_t upto = first - 1;
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK && upto > 0 && *prev == 0) {
        int64_t block = 0;
        rc = find_block(s->f, BLOCK_DOWN, s->request, upto >> SCHEMA_BLOCK_SHIFT, &block);
        if (rc != SQLITE_OK || block < 0)
            break;
        int64_t last = ((block + 1) << SCHEMA_BLOCK_SHIFT) - 1;
        sqlite3_stmt *rows = bound(s->f, PREV_ROWS, block << SCHEMA_BLOCK_SHIFT, last < upto ? last : upto);
        while (*prev == 0 && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
            if (key_passes(s->request, sqlite3_column_int64(rows, 1)))
                *prev = sqlite3_column_int64(rows, 0);
        }
        (void)sqlite3_reset(rows);
        rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
        upto = (block << SCHEMA_BLOCK_SHIFT) - 1;
    }
    return rc;
}

/* When the record before has been pruned, its number is still known. */
static int prev_pruned(struct scan *s, int64_t first, int64_t *prev)
{
    sqlite3_stmt *rows = NULL;
    int rc = db_prepare(s->f->db, pruned_sql, &rows);
    if (rc != SQLITE_OK)
        return rc;
    (void)sqlite3_bind_int64(rows, 1, (int)s->request->stream);
    (void)sqlite3_bind_int64(rows, 2, first);
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t seq = sqlite3_column_int64(rows, 1);
        int64_t key = sqlite3_column_int64(rows, 0);
        if ((key < 0 || key_passes(s->request, key)) && seq > *prev)
            *prev = seq;
    }
    (void)sqlite3_finalize(rows);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int find_prev(struct scan *s)
{
    struct chunk *chunk = s->chunk;
    if (chunk->count == 0)
        return SQLITE_OK;
    if (!filtered(s->request)) {
        chunk->prev = chunk->first - 1; /* a stream has no holes */
        return SQLITE_OK;
    }
    int64_t prev = 0;
    int rc = s->request->stream == STREAM_ALARM ? prev_alarm(s, chunk->first, &prev)
                                                : prev_telemetry(s, chunk->first, &prev);
    if (rc == SQLITE_OK && prev == 0)
        rc = prev_pruned(s, chunk->first, &prev);
    chunk->prev = prev;
    return rc;
}

void fetch_run(struct fetcher *f, const struct fetch_request *request, struct chunk *chunk)
{
    *chunk = (struct chunk){0};
    struct scan s = {.f = f, .request = request, .chunk = chunk};

    /* One snapshot for all: the retention works at the same time. */
    int rc = db_run(f->stmts[BEGIN]);
    int64_t upto = 0;
    if (rc == SQLITE_OK)
        rc = db_take(bound(f, HEAD, (int)request->stream, 0), 0, &upto);
    if (rc == SQLITE_OK) {
        if (request->upto > 0 && request->upto < upto)
            upto = request->upto;
        chunk->scanned_to = request->from - 1;
        if (request->from <= upto)
            rc = scan_all(&s, upto);
    }
    if (rc == SQLITE_OK && chunk->error == RG_OK)
        rc = find_prev(&s);
    if (!sqlite3_get_autocommit(f->db)) {
        int ended = db_run(f->stmts[COMMIT]);
        rc = rc == SQLITE_OK ? ended : rc;
    }
    if (rc != SQLITE_OK)
        chunk->error = db_error(rc);
    if (chunk->error != RG_OK)
        *chunk = (struct chunk){.error = chunk->error};
    chunk->bodies = f->bodies;
}
