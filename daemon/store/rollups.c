#include "store/rollups.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A row, followed by its point's name and NUL, the whole a multiple of 8. */
struct packed {
    struct rollup_row row; /* but its point */
    uint32_t size;
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

/* Only a batch of a configuration with very many points takes more memory, once. */
static enum rg_err make_room(struct rollups_batch *b, size_t bytes)
{
    size_t wanted = 2 * bytes > ROLLUPS_BYTES ? 2 * bytes : ROLLUPS_BYTES;
    char *grown;

    if (bytes <= b->capacity - b->used)
        return RG_OK;
    if (wanted <= b->capacity)
        return RG_EFULL;
    grown = realloc(b->memory, wanted);
    if (grown == NULL)
        return RG_ENOMEM;
    b->memory = grown;
    b->capacity = wanted;
    return bytes <= b->capacity - b->used ? RG_OK : RG_EFULL;
}

enum rg_err rollups_add(struct rollups *r, const struct rollup_row *rows, size_t count, int64_t turn)
{
    struct rollups_batch *b = &r->gathering;
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += packed_size(&rows[i]);
    enum rg_err err = make_room(b, bytes);
    if (err != RG_OK) {
        r->lost += count;
        return err;
    }
    for (size_t i = 0; i < count; i++) {
        struct packed *p = (struct packed *)(void *)(b->memory + b->used);
        *p = (struct packed){.row = rows[i], .size = (uint32_t)packed_size(&rows[i])};
        memcpy(p + 1, rows[i].point, strlen(rows[i].point) + 1);
        b->used += p->size;
    }
    b->count += count;
    b->turn = turn;
    return RG_OK;
}

const struct rollups_batch *rollups_fly(struct rollups *r)
{
    if (r->flying.count == 0 && r->gathering.count > 0) {
        struct rollups_batch empty = r->flying;
        r->flying = r->gathering;
        r->gathering = empty;
    }
    return r->flying.count > 0 ? &r->flying : NULL;
}

void rollups_done(struct rollups *r)
{
    struct rollups_batch done = r->flying;

    memory_release(done.memory, done.used); /* until the next minute */
    done.used = done.count = 0;
    r->flying = done;
}

size_t rollups_count(const struct rollups *r)
{
    return r->flying.count + r->gathering.count;
}

bool rollups_next(const struct rollups_batch *b, size_t *at, struct rollup_row *row)
{
    if (*at >= b->used)
        return false;
    const struct packed *p = (const struct packed *)(const void *)(b->memory + *at);
    *row = p->row;
    row->point = (const char *)(p + 1);
    *at += p->size;
    return true;
}

/* ---- SQL ---- */

int rollups_prepare(sqlite3 *db, sqlite3_stmt *stmts[ROLLUPS_STMT_COUNT])
{
    return db_prepare_all(db, statements, ROLLUPS_STMT_COUNT, stmts);
}

static int put_row(sqlite3_stmt *stmt, const struct rollup_row *row)
{
    (void)sqlite3_bind_text(stmt, 1, row->point, -1, SQLITE_STATIC);
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

int rollups_put(sqlite3_stmt *stmts[ROLLUPS_STMT_COUNT], const struct rollups_batch *b,
                const _Atomic bool *give_way)
{
    struct rollup_row row;
    size_t at = 0;
    int rc = SQLITE_OK;

    while (b != NULL && rc == SQLITE_OK && rollups_next(b, &at, &row)) {
        if (give_way != NULL && atomic_load_explicit(give_way, memory_order_relaxed))
            return SQLITE_INTERRUPT;
        rc = put_row(stmts[ROLLUPS_PUT], &row);
        if (rc != SQLITE_CONSTRAINT_NOTNULL)
            continue;
        /* The first row of a new point. */
        (void)sqlite3_bind_text(stmts[ROLLUPS_POINT], 1, row.point, -1, SQLITE_STATIC);
        rc = db_run(stmts[ROLLUPS_POINT]);
        if (rc == SQLITE_OK)
            rc = put_row(stmts[ROLLUPS_PUT], &row);
    }
    if (b == NULL || rc != SQLITE_OK)
        return rc;
    (void)sqlite3_bind_int64(stmts[ROLLUPS_ROLLED], 1, b->turn);
    return db_run(stmts[ROLLUPS_ROLLED]);
}

/* Numbers and turns grow together but where a frame was held back, which is recorded later than its turn: so all that is
 * missing stands behind the last number of those that are in. */
#define MISSING                                                                                              \
    " t.turn > (SELECT rolled FROM run) AND t.seq > coalesce((SELECT seq FROM telemetry"                     \
    " WHERE turn <= (SELECT rolled FROM run) AND held = 0 ORDER BY seq DESC LIMIT 1), 0)"
#define READINGS                                                                                             \
    " FROM (SELECT t.ts, d.name || '.' || j.key AS name, j.value AS value, 0 AS comm"                        \
    " FROM telemetry t JOIN device d ON d.id = t.device, json_each(t.body, '$.values') j WHERE" MISSING      \
    " UNION ALL SELECT t.ts, d.name || '.' || j.key, NULL, j.value = 'comm'"                                 \
    " FROM telemetry t JOIN device d ON d.id = t.device, json_each(t.body, '$.bad') j WHERE" MISSING ")"

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
        "UPDATE run SET rolled = max(rolled, coalesce((SELECT max(t.turn) FROM telemetry t WHERE" MISSING
        "), 0));"
        "COMMIT");

    if (rc != SQLITE_OK && !sqlite3_get_autocommit(db))
        (void)db_exec(db, "ROLLBACK"); /* the first error is the one to tell */
    return rc;
}
