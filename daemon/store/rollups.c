#include "store/rollups.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A row, followed by its point's name and NUL, the whole a multiple of 8. */
struct packed {
    struct rollup_row row; /* but its point */
    int64_t turn;
    uint32_t size;
    bool last; /* of its part */
};

static const char *const statements[ROLLUPS_STMT_COUNT] = {
    /* Of one row, so that SQLite need not be able to undo it by itself; of a point that is new it is refused. */
    [ROLLUPS_PUT] = "INSERT INTO rollup(minute, point, n, min, max, sum, bad, comm)"
                    " VALUES (?2, (SELECT id FROM rollup_point WHERE name = ?1), ?3, ?4, ?5, ?6, ?7, ?8)"
                    " ON CONFLICT (minute, point) DO UPDATE SET n = n + excluded.n, bad = bad + "
                    "excluded.bad, comm = comm + excluded.comm,"
                    " sum = sum + excluded.sum,"
                    " min = min(coalesce(min, excluded.min), coalesce(excluded.min, min)),"
                    " max = max(coalesce(max, excluded.max), coalesce(excluded.max, max))",
    [ROLLUPS_POINT] = "INSERT OR IGNORE INTO rollup_point(name) VALUES (?1)",
    [ROLLUPS_ROLLED] = "UPDATE run SET rolled = max(rolled, ?1)",
    /* A part that was begun in another run, and that could not be rebuilt, is given up: its mark would not tell any more what is in. */
    [ROLLUPS_ROLLING] = ("UPDATE run SET rolled = iif(rolling = ?1, rolled, max(rolled, rolling)),"
                         " rolling = ?1, rolling_minute = ?2, rolling_point = ?3"),
};

enum rg_err rollups_create(struct rollups *r)
{
    *r = (struct rollups){.lost = 0};
    r->gathering.capacity = r->flying.capacity = ROLLUPS_BYTES;
    r->gathering.memory = malloc(ROLLUPS_BYTES); /* untouched pages cost nothing until a disk is stuck */
    r->flying.memory = malloc(ROLLUPS_BYTES);
    return r->gathering.memory != NULL && r->flying.memory != NULL ? RG_OK : RG_ENOMEM;
}

void rollups_destroy(struct rollups *r)
{
    free(r->gathering.memory);
    free(r->flying.memory);
    *r = (struct rollups){.lost = 0};
}

static size_t packed_size(const struct rollup_row *row)
{
    return (sizeof(struct packed) + strlen(row->point) + 1 + 7) & ~(size_t)7;
}

/* Only a configuration with very many points takes more memory, once. */
static enum rg_err make_room(struct rollups *r, size_t bytes)
{
    struct rollups_region *b = &r->gathering;
    char *grown;

    r->largest = bytes > r->largest ? bytes : r->largest;
    if (bytes <= b->capacity - b->used)
        return RG_OK;
    if (r->largest * ROLLUPS_MOST <= b->capacity)
        return RG_EFULL;
    grown = realloc(b->memory, r->largest * ROLLUPS_MOST);
    if (grown == NULL)
        return RG_ENOMEM;
    b->memory = grown;
    b->capacity = r->largest * ROLLUPS_MOST;
    return bytes <= b->capacity - b->used ? RG_OK : RG_EFULL;
}

enum rg_err rollups_add(struct rollups *r, const struct rollup_piece *piece)
{
    struct rollups_region *b = &r->gathering;
    size_t bytes = 0;

    for (size_t i = 0; i < piece->count; i++)
        bytes += packed_size(&piece->rows[i]);
    enum rg_err err = make_room(r, bytes);
    if (err != RG_OK) {
        r->lost += piece->count;
        return err;
    }
    for (size_t i = 0; i < piece->count; i++) {
        const struct rollup_row *row = &piece->rows[i];
        struct packed *p = (struct packed *)(void *)(b->memory + b->used);
        *p = (struct packed){.row = *row, .turn = piece->turn, .size = (uint32_t)packed_size(row)};
        p->last = piece->last && i == piece->count - 1;
        memcpy(p + 1, row->point, strlen(row->point) + 1);
        b->used += p->size;
    }
    r->added += piece->count;
    return RG_OK;
}

static const struct packed *packed_at(const struct rollups_region *region, size_t at)
{
    return (const struct packed *)(const void *)(region->memory + at);
}

static const char *name_of(const struct packed *p)
{
    return (const char *)(p + 1);
}

struct rollups_slice rollups_fly(struct rollups *r)
{
    struct rollups_region *b = &r->flying;
    struct rollups_slice slice = {.region = b, .hurry = &r->hurry};

    atomic_store_explicit(&r->hurry, false, memory_order_relaxed);
    if (b->used == 0) {
        const struct rollups_region empty = *b;
        *b = r->gathering;
        r->gathering = empty;
    }
    const size_t share = (size_t)(r->added - r->stored) / ROLLUPS_SHARE;
    const size_t most = share > ROLLUPS_SLICE ? share : ROLLUPS_SLICE;

    slice.from = slice.to = b->done;
    for (; slice.count < most && slice.to < b->used; slice.count++)
        slice.to += packed_at(b, slice.to)->size;
    return slice;
}

void rollups_hurry(struct rollups *r)
{
    atomic_store_explicit(&r->hurry, true, memory_order_relaxed);
}

void rollups_done(struct rollups *r, const struct rollups_slice *slice)
{
    struct rollups_region *b = &r->flying;

    r->stored += slice->count;
    b->done = slice->to;
    if (b->done < b->used)
        return;
    memory_release(b->memory, b->used); /* there may have been very many */
    b->done = b->used = 0;
}

bool rollups_waiting(const struct rollups *r)
{
    return r->flying.used > 0 || r->gathering.used > 0;
}

/* ---- SQL ---- */

int rollups_prepare(sqlite3 *db, sqlite3_stmt *stmts[ROLLUPS_STMT_COUNT])
{
    return db_prepare_all(db, statements, ROLLUPS_STMT_COUNT, stmts);
}

static int put_row(sqlite3_stmt *stmt, const struct packed *p)
{
    const struct rollup_row *row = &p->row;

    (void)sqlite3_bind_text(stmt, 1, name_of(p), -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, row->minute);
    (void)sqlite3_bind_int64(stmt, 3, row->n);
    if (row->n > 0) {
        (void)sqlite3_bind_double(stmt, 4, row->min);
        (void)sqlite3_bind_double(stmt, 5, row->max);
    } else {
        (void)sqlite3_bind_null(stmt, 4);
        (void)sqlite3_bind_null(stmt, 5);
    }
    (void)sqlite3_bind_double(stmt, 6, row->n > 0 ? row->sum : 0);
    (void)sqlite3_bind_int64(stmt, 7, row->bad);
    (void)sqlite3_bind_int64(stmt, 8, row->comm);
    return db_run(stmt);
}

static int put_whole(sqlite3_stmt *stmt, int64_t turn)
{
    (void)sqlite3_bind_int64(stmt, 1, turn);
    return db_run(stmt);
}

/* Of its part all rows up to this one are in. */
static int put_mark(sqlite3_stmt *stmt, const struct packed *p)
{
    (void)sqlite3_bind_int64(stmt, 1, p->turn);
    (void)sqlite3_bind_int64(stmt, 2, p->row.minute);
    (void)sqlite3_bind_text(stmt, 3, name_of(p), -1, SQLITE_STATIC);
    return db_run(stmt);
}

/* It is long enough, and an alarm waits. */
static bool cut_short(const struct rollups_slice *slice, size_t rows)
{
    return rows >= ROLLUPS_SLICE && atomic_load_explicit(slice->hurry, memory_order_relaxed);
}

int rollups_put(sqlite3_stmt *stmts[ROLLUPS_STMT_COUNT], struct rollups_slice *slice)
{
    const struct packed *p = NULL;
    size_t at = slice->from, rows = 0;
    int64_t whole = 0;
    int rc = SQLITE_OK;

    for (; at < slice->to && rc == SQLITE_OK && !cut_short(slice, rows); at += p->size, rows++) {
        p = packed_at(slice->region, at);
        rc = put_row(stmts[ROLLUPS_PUT], p);
        whole = p->last ? p->turn : whole;
        if (rc != SQLITE_CONSTRAINT_NOTNULL)
            continue;
        /* The first row of a new point. */
        (void)sqlite3_bind_text(stmts[ROLLUPS_POINT], 1, name_of(p), -1, SQLITE_STATIC);
        rc = db_run(stmts[ROLLUPS_POINT]);
        if (rc == SQLITE_OK)
            rc = put_row(stmts[ROLLUPS_PUT], p);
    }
    if (rc == SQLITE_OK && whole > 0)
        rc = put_whole(stmts[ROLLUPS_ROLLED], whole);
    if (rc == SQLITE_OK && p != NULL && !p->last)
        rc = put_mark(stmts[ROLLUPS_ROLLING], p);
    slice->to = at;
    slice->count = rows;
    return rc;
}

/* Numbers and turns grow together but where a frame was held back, which is recorded later than its turn: so all that is
 * missing stands behind the last number of those that are in. */
#define MISSING                                                                                              \
    " t.turn > (SELECT rolled FROM run) AND t.seq > coalesce((SELECT seq FROM telemetry"                     \
    " WHERE turn <= (SELECT rolled FROM run) AND held = 0 ORDER BY seq DESC LIMIT 1), 0)"
/* Of a part that is on its way, what lies up to the mark is in: in the order in which the rows of a part are. */
#define READINGS                                                                                             \
    " FROM (SELECT t.turn, t.ts, d.name || '.' || j.key AS name, j.value AS value, 0 AS comm"                \
    " FROM telemetry t JOIN device d ON d.id = t.device, json_each(t.body, '$.values') j WHERE" MISSING      \
    " UNION ALL SELECT t.turn, t.ts, d.name || '.' || j.key, NULL, j.value = 'comm'"                         \
    " FROM telemetry t JOIN device d ON d.id = t.device, json_each(t.body, '$.bad') j WHERE" MISSING         \
    ") WHERE turn > (SELECT rolling FROM run)"                                                               \
    " OR (ts - ts % 60000, name) > (SELECT rolling_minute, rolling_point FROM run)"

int rollups_rebuild(sqlite3 *db)
{
    int rc = db_exec(
        db,
        "BEGIN IMMEDIATE;"
        "INSERT OR IGNORE INTO rollup_point(name) SELECT DISTINCT name" READINGS ";"
        "INSERT INTO rollup(minute, point, n, min, max, sum, bad, comm)"
        " SELECT r.ts - r.ts % 60000, p.id, count(r.value), min(r.value), max(r.value),"
        " coalesce(sum(r.value), 0.0), count(*) - count(r.value), sum(r.comm) FROM (SELECT *" READINGS ") r"
        " JOIN rollup_point p ON p.name = r.name WHERE true GROUP BY 1, 2"
        " ON CONFLICT (minute, point) DO UPDATE SET n = n + excluded.n, bad = bad + excluded.bad, comm = "
        "comm + excluded.comm,"
        " sum = sum + excluded.sum,"
        " min = min(coalesce(min, excluded.min), coalesce(excluded.min, min)),"
        " max = max(coalesce(max, excluded.max), coalesce(excluded.max, max));"
        "UPDATE run SET rolled = max(rolled, rolling, coalesce((SELECT max(t.turn) FROM telemetry t "
        "WHERE" MISSING "), 0));"
        "COMMIT");

    if (rc != SQLITE_OK && !sqlite3_get_autocommit(db))
        (void)db_exec(db, "ROLLBACK"); /* the first error is the one to tell */
    return rc;
}
