#include "store/readings.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/db.h"
#include "store/schema.h"

struct readings {
    sqlite3 *db;
    sqlite3_stmt *stmt;
    char *path;
    bool minutes;
    char why[512];
};

/* A frame that does not have the point has neither key. The path of a name that has a quote in it cannot be: names are
 * identifiers. */
static const char readings_sql[] =
    "SELECT ts, unsynced, value, bad FROM (SELECT t.ts, t.unsynced, t.turn, t.body -> ?4 AS value, t.body "
    "->> ?5 AS bad"
    " FROM telemetry t WHERE t.device = (SELECT id FROM device WHERE name = ?1) AND t.ts BETWEEN ?2 AND ?3)"
    " WHERE value IS NOT NULL OR bad IS NOT NULL ORDER BY ts, turn";
static const char minutes_sql[] =
    "SELECT r.minute, r.n, r.bad, r.min, r.max, r.sum FROM rollup r JOIN rollup_point p ON p.id = r.point"
    " WHERE p.name = ?1 AND r.minute BETWEEN ?2 AND ?3 ORDER BY r.minute";

static enum rg_err failed(struct readings *r, int rc)
{
    db_words(r->db, rc, r->path, r->why, sizeof r->why);
    return db_error(rc);
}

static enum rg_err check_version(struct readings *r)
{
    int64_t id = 0, version = 0;
    int rc = db_number(r->db, "PRAGMA application_id", 0, &id);

    if (rc == SQLITE_OK)
        rc = db_number(r->db, "PRAGMA user_version", 0, &version);
    if (rc != SQLITE_OK)
        return failed(r, rc);
    if (id != SCHEMA_APPLICATION_ID) {
        (void)text_format(r->why, sizeof r->why, "%s: not a store of riskgate", r->path);
        return RG_EINVAL;
    }
    if (version != SCHEMA_VERSION) {
        (void)text_format(r->why, sizeof r->why, "%s: its schema is %lld, this version reads %d", r->path,
                          (long long)version, SCHEMA_VERSION);
        return RG_EUNSUPPORTED;
    }
    return RG_OK;
}

/* Whether anything was ever recorded under that name. device: what stands before the dot. */
static enum rg_err check_name(struct readings *r, const char *point, const char *device)
{
    const char *sql =
        r->minutes ? "SELECT id FROM rollup_point WHERE name = ?1" : "SELECT id FROM device WHERE name = ?1";
    sqlite3_stmt *stmt = NULL;
    int64_t id = -1;
    int rc = db_prepare(r->db, sql, &stmt);

    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_text(stmt, 1, r->minutes ? point : device, -1, SQLITE_STATIC);
        rc = db_take(stmt, -1, &id);
    }
    (void)sqlite3_finalize(stmt);
    if (rc != SQLITE_OK)
        return failed(r, rc);
    if (id >= 0)
        return RG_OK;
    (void)text_format(r->why, sizeof r->why, "%s: nothing was recorded of %s", r->path, point);
    return RG_ENOTFOUND;
}

static enum rg_err ask(struct readings *r, const struct readings_wish *wish)
{
    const char *dot = strchr(wish->point, '.');
    char device[TEXT_ID_MAX + 1] = "", value[TEXT_ID_MAX + 32], bad[TEXT_ID_MAX + 32];
    enum rg_err err;
    int rc;

    if (!dot || (size_t)(dot - wish->point) >= sizeof device || !text_is_id(dot + 1)) {
        (void)text_format(r->why, sizeof r->why, "%s is no point: device.point", wish->point);
        return RG_ENOTFOUND;
    }
    memcpy(device, wish->point, (size_t)(dot - wish->point));
    (void)text_format(value, sizeof value, "$.values.\"%s\"", dot + 1);
    (void)text_format(bad, sizeof bad, "$.bad.\"%s\"", dot + 1);
    err = check_name(r, wish->point, device);
    if (err != RG_OK)
        return err;
    rc = db_prepare(r->db, wish->minutes ? minutes_sql : readings_sql, &r->stmt);
    if (rc != SQLITE_OK)
        return failed(r, rc);
    (void)sqlite3_bind_text(r->stmt, 1, wish->minutes ? wish->point : device, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int64(r->stmt, 2, wish->from_ms);
    (void)sqlite3_bind_int64(r->stmt, 3, wish->to_ms > 0 ? wish->to_ms : INT64_MAX);
    if (!wish->minutes) {
        (void)sqlite3_bind_text(r->stmt, 4, value, -1, SQLITE_TRANSIENT);
        (void)sqlite3_bind_text(r->stmt, 5, bad, -1, SQLITE_TRANSIENT);
    }
    return RG_OK;
}

enum rg_err readings_open(const char *path, const struct readings_wish *wish, struct readings **out,
                          char *why, size_t why_size)
{
    struct readings *r = calloc(1, sizeof *r);
    enum rg_err err;
    int rc;

    *out = NULL;
    if (!r || !(r->path = strdup(path))) {
        free(r);
        (void)text_copy(why, why_size, "out of memory");
        return RG_ENOMEM;
    }
    r->minutes = wish->minutes;
    rc = db_connect(path, DB_READER, NULL, &r->db);
    err = rc == SQLITE_OK ? check_version(r) : failed(r, rc);
    if (err == RG_OK)
        err = ask(r, wish);
    if (err != RG_OK) {
        (void)text_copy(why, why_size, r->why);
        readings_close(r);
        return err;
    }
    *out = r;
    return RG_OK;
}

void readings_close(struct readings *r)
{
    if (!r)
        return;
    (void)sqlite3_finalize(r->stmt);
    db_close(r->db);
    free(r->path);
    free(r);
}

static void give_minute(sqlite3_stmt *stmt, struct readings_row *row)
{
    row->n = sqlite3_column_int64(stmt, 1);
    row->bad = sqlite3_column_int64(stmt, 2);
    row->has_value = row->n > 0;
    if (!row->has_value)
        return;
    row->min = sqlite3_column_double(stmt, 3);
    row->max = sqlite3_column_double(stmt, 4);
    row->mean = sqlite3_column_double(stmt, 5) / (double)row->n;
}

static void give_reading(sqlite3_stmt *stmt, struct readings_row *row)
{
    row->unsynced = sqlite3_column_int(stmt, 1) != 0;
    row->value = (const char *)sqlite3_column_text(stmt, 2);
    row->quality = (const char *)sqlite3_column_text(stmt, 3);
    row->has_value = row->value != NULL;
    if (!row->quality)
        row->quality = "good";
}

enum rg_err readings_next(struct readings *r, struct readings_row *row)
{
    int rc = sqlite3_step(r->stmt);

    *row = (struct readings_row){.ts = 0};
    if (rc == SQLITE_DONE)
        return RG_ENOTFOUND;
    if (rc != SQLITE_ROW)
        return failed(r, rc);
    row->ts = sqlite3_column_int64(r->stmt, 0);
    (r->minutes ? give_minute : give_reading)(r->stmt, row);
    return RG_OK;
}

const char *readings_why(const struct readings *r)
{
    return r->why;
}
