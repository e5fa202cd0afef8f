#include "store/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "model/alarm.h"
#include "store/audit_impl.h"
#include "store/cursors.h"

#define TEXT_MAX (1u << 20) /* of one record; the store takes shorter ones only */

enum {
    RECORDS, /* with the columns of audit_record_take first */
    COMMANDS,
    BEFORE,
    CONFIG,
    DEVICE,
    FRAMES_BEFORE,
    FRAMES_AFTER,
    CURSORS,
    STMT_COUNT,
};

/* Of a whole device (?4 NULL) every frame counts, of a point those that tell of it. */
#define FRAMES(range, order)                                                                                 \
    "SELECT seq, ts, value, bad FROM (SELECT seq, ts, body -> ('$.values.\"' || ?4 || '\"') AS value,"       \
    " body ->> ('$.bad.\"' || ?4 || '\"') AS bad FROM telemetry WHERE device = ?1 AND " range                \
    " AND json_valid(body) AND (?4 IS NULL OR value IS NOT NULL OR bad IS NOT NULL) ORDER BY ts " order      \
    ", seq " order " LIMIT ?5) ORDER BY ts, seq"

static const char *const statements[STMT_COUNT] = {
    [RECORDS] = "SELECT seq, ts, body, hash, unsynced, turn FROM alarm WHERE instr(body, ?1) ORDER BY seq",
    [COMMANDS] = "SELECT body FROM event WHERE kind = 'command' AND instr(body, ?1) ORDER BY seq",
    [BEFORE] =
        "SELECT hash FROM alarm WHERE seq = ?1 UNION ALL SELECT hash FROM chain_start WHERE stream = 0 AND"
        " seq = ?1 LIMIT 1",
    [CONFIG] = "SELECT ts, coalesce(body ->> '$.sha256', body ->> '$.config') FROM event"
               " WHERE kind IN ('start', 'config') AND json_valid(body)"
               " AND (kind = 'start' OR body ->> '$.applied' = 1)"
               " AND CASE WHEN ?1 > 0 THEN turn <= ?1 ELSE ts <= ?2 END ORDER BY seq DESC LIMIT 1",
    [DEVICE] = "SELECT id FROM device WHERE name = ?1",
    [FRAMES_BEFORE] = FRAMES("ts <= ?2 AND ts >= ?3", "DESC"),
    [FRAMES_AFTER] = FRAMES("ts > ?2 AND ts <= ?3", "ASC"),
    [CURSORS] = "SELECT uplink, acked, ranges FROM cursor WHERE stream = 0 AND acked >= ?1 ORDER BY uplink",
};

struct trace {
    struct audit *audit;
    sqlite3_stmt *stmts[STMT_COUNT];
    struct jsonw *w;
    char member[160]; /* "alarm":"<its name>", as it stands in the texts */
    struct audit_stream chain;
    uint64_t records;
};

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    (void)sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT);
}

static void write_column(struct jsonw *w, const char *key, sqlite3_stmt *stmt, int column)
{
    jsonw_key_string(w, key, (const char *)sqlite3_column_text(stmt, column));
}

/* ---- readings around a record ---- */

static int write_frames(struct trace *t, int which, const char *name, const char *point, int64_t device,
                        int64_t ts)
{
    sqlite3_stmt *stmt = t->stmts[which];
    int rc;

    (void)sqlite3_bind_int64(stmt, 1, device);
    (void)sqlite3_bind_int64(stmt, 2, ts);
    (void)sqlite3_bind_int64(stmt, 3, which == FRAMES_BEFORE ? ts - TRACE_AROUND_MS : ts + TRACE_AROUND_MS);
    if (point)
        bind_text(stmt, 4, point);
    else
        (void)sqlite3_bind_null(stmt, 4);
    (void)sqlite3_bind_int64(stmt, 5, TRACE_READINGS);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *value = (const char *)sqlite3_column_text(stmt, 2);
        const char *bad = (const char *)sqlite3_column_text(stmt, 3);

        jsonw_object_begin(t->w);
        jsonw_key_string(t->w, "point", name);
        jsonw_key_int(t->w, "seq", sqlite3_column_int64(stmt, 0));
        jsonw_key_int(t->w, "ts", sqlite3_column_int64(stmt, 1));
        if (point) {
            jsonw_key(t->w, "value");
            if (value)
                jsonw_raw(t->w, value, strlen(value));
            else
                jsonw_null(t->w);
            jsonw_key_string(t->w, "quality", bad ? bad : "good");
        }
        jsonw_object_end(t->w);
    }
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The device that a name "device.point", or "device", begins with: names may have dots in them. *length: of the device's. */
static int find_device(struct trace *t, const char *name, int64_t *device, size_t *length)
{
    int rc = SQLITE_OK;

    *device = -1;
    for (size_t end = strlen(name); end > 0 && *device < 0 && rc == SQLITE_OK; end--) {
        if (name[end] != '\0' && name[end] != '.')
            continue;
        (void)sqlite3_bind_text(t->stmts[DEVICE], 1, name, (int)end, SQLITE_TRANSIENT);
        rc = db_take(t->stmts[DEVICE], -1, device);
        *length = end;
    }
    return rc;
}

static int write_point(struct trace *t, const char *name, int64_t ts)
{
    int64_t device = -1;
    size_t length = 0;
    const char *point;
    int rc;

    if (!name || strchr(name, '"'))
        return SQLITE_OK;
    rc = find_device(t, name, &device, &length);
    if (rc != SQLITE_OK || device < 0)
        return rc;
    point = name[length] == '.' ? name + length + 1 : NULL;
    rc = write_frames(t, FRAMES_BEFORE, name, point, device, ts);
    return rc == SQLITE_OK ? write_frames(t, FRAMES_AFTER, name, point, device, ts) : rc;
}

static bool moves_level(const char *event)
{
    static const char *const events[] = {"raise", "escalate", "deescalate", "clear"};

    for (size_t i = 0; event && i < RG_COUNT(events); i++) {
        if (strcmp(event, events[i]) == 0)
            return true;
    }
    return false;
}

static int write_readings(struct trace *t, const struct json *record, int64_t ts)
{
    int rc = SQLITE_OK;

    jsonw_key(t->w, "readings");
    jsonw_array_begin(t->w);
    if (moves_level(json_string(json_get(record, "event")))) {
        rc = write_point(t, json_string(json_get(record, "point")), ts);
        for (const struct json *p = json_first(json_get(record, "points")); p && rc == SQLITE_OK;
             p = json_next(p))
            rc = write_point(t, json_string(p), ts);
    }
    jsonw_array_end(t->w);
    return rc;
}

/* ---- what belongs to a record ---- */

static int write_config(struct trace *t, int64_t turn, int64_t ts)
{
    sqlite3_stmt *stmt = t->stmts[CONFIG];
    int rc;

    (void)sqlite3_bind_int64(stmt, 1, turn);
    (void)sqlite3_bind_int64(stmt, 2, ts);
    rc = sqlite3_step(stmt);
    jsonw_key(t->w, "config");
    if (rc == SQLITE_ROW) {
        jsonw_object_begin(t->w);
        write_column(t->w, "sha256", stmt, 1);
        jsonw_key_int(t->w, "since", sqlite3_column_int64(stmt, 0));
        jsonw_object_end(t->w);
    } else {
        jsonw_null(t->w);
    }
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static bool still_owed(const char *ranges, int64_t acked, int64_t seq)
{
    struct cursor cursor = {.acked = acked};

    if (!ranges || cursor_parse(ranges, strlen(ranges), &cursor) != RG_OK)
        return true;
    for (size_t i = 0; i < cursor.range_count; i++) {
        if (seq >= cursor.ranges[i].first && seq <= cursor.ranges[i].last)
            return true;
    }
    return false;
}

static int write_uplinks(struct trace *t, int64_t seq)
{
    sqlite3_stmt *stmt = t->stmts[CURSORS];
    int rc;

    jsonw_key(t->w, "uplinks");
    jsonw_array_begin(t->w);
    (void)sqlite3_bind_int64(stmt, 1, seq);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (!still_owed((const char *)sqlite3_column_text(stmt, 2), sqlite3_column_int64(stmt, 1), seq))
            jsonw_string(t->w, (const char *)sqlite3_column_text(stmt, 0));
    }
    (void)sqlite3_reset(stmt);
    jsonw_array_end(t->w);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Of this link alone: the record before it, and all that the chain holds up to here. */
static int judge_hash(struct trace *t, const struct audit_record *r, const char **verdict)
{
    sqlite3_stmt *stmt = t->stmts[BEFORE];
    const char *before = r->seq == 1 ? "" : NULL;
    bool follows = false;
    int rc;

    (void)sqlite3_bind_int64(stmt, 1, r->seq - 1);
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        before = (const char *)sqlite3_column_text(stmt, 0);
    *verdict = "broken";
    if (before && strcmp(before, "?") == 0)
        *verdict = "unknown";
    else if (before && r->well_formed && r->text_seq == r->seq && audit_hash_same(r->column, r->hashed) &&
             audit_record_follows(t->audit->chain, before, r, &follows) == RG_OK && follows &&
             (t->chain.fault == AUDIT_NONE || r->seq < t->chain.bad_first))
        *verdict = "holds";
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int write_record(struct trace *t, sqlite3_stmt *row)
{
    struct audit_record r;
    struct json *record = NULL;
    const char *verdict = NULL;
    int64_t turn = sqlite3_column_int64(row, 5);
    int rc;

    audit_record_take(&r, row, true);
    jsonw_object_begin(t->w);
    if (r.text && json_parse(r.text, r.length, TEXT_MAX, &record) == RG_OK) {
        jsonw_key(t->w, "record");
        jsonw_raw(t->w, r.text, r.length);
    } else {
        jsonw_key(t->w, "text");
        jsonw_string_n(t->w, r.text ? r.text : "", r.length);
    }
    rc = judge_hash(t, &r, &verdict);
    jsonw_key_string(t->w, "hash", verdict);
    jsonw_key_string(t->w, "clock", sqlite3_column_int(row, 4) ? "unsynced" : "synced");
    if (rc == SQLITE_OK)
        rc = write_config(t, turn, r.ts);
    if (rc == SQLITE_OK)
        rc = write_readings(t, record, r.ts);
    if (rc == SQLITE_OK)
        rc = write_uplinks(t, r.seq);
    jsonw_object_end(t->w);
    json_free(record);
    t->records++;
    return rc;
}

static int write_commands(struct trace *t)
{
    sqlite3_stmt *stmt = t->stmts[COMMANDS];
    int rc;

    jsonw_key(t->w, "commands");
    jsonw_array_begin(t->w);
    bind_text(stmt, 1, t->member);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        size_t length = (size_t)sqlite3_column_bytes(stmt, 0);
        struct json *whole = NULL;

        if (text && json_parse(text, length, TEXT_MAX, &whole) == RG_OK)
            jsonw_raw(t->w, text, length);
        json_free(whole);
    }
    (void)sqlite3_reset(stmt);
    jsonw_array_end(t->w);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void write_chain(struct trace *t)
{
    jsonw_key(t->w, "chain");
    jsonw_object_begin(t->w);
    jsonw_key_bool(t->w, "ok", t->chain.fault == AUDIT_NONE);
    if (t->chain.fault != AUDIT_NONE) {
        jsonw_key_int(t->w, "bad", t->chain.bad_first);
        jsonw_key_string(t->w, "what", t->chain.words);
    }
    jsonw_object_end(t->w);
}

static int write_all(struct trace *t, const char *alarm)
{
    sqlite3_stmt *stmt = t->stmts[RECORDS];
    int rc = SQLITE_ROW;

    jsonw_object_begin(t->w);
    jsonw_key_string(t->w, "alarm", alarm);
    write_chain(t);
    jsonw_key(t->w, "records");
    jsonw_array_begin(t->w);
    bind_text(stmt, 1, t->member);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        rc = write_record(t, stmt);
        if (rc != SQLITE_OK)
            break;
    }
    (void)sqlite3_reset(stmt);
    jsonw_array_end(t->w);
    rc = rc == SQLITE_DONE ? write_commands(t) : rc;
    jsonw_object_end(t->w);
    return rc;
}

static enum rg_err run(struct trace *t, const char *alarm)
{
    struct audit *a = t->audit;
    enum rg_err err;
    int rc;

    if (a->version < 5) {
        (void)text_format(a->why, sizeof(a->why),
                          "%s: its schema is %" PRId64
                          ", too old for this; the daemon brings it up to date when it starts",
                          a->path, a->version);
        return RG_EUNSUPPORTED;
    }
    err = audit_check(a, STREAM_ALARM, &t->chain);
    if (err != RG_OK)
        return err;
    rc = db_prepare_all(a->db, statements, STMT_COUNT, t->stmts);
    if (rc == SQLITE_OK)
        rc = write_all(t, alarm);
    if (rc != SQLITE_OK)
        return audit_failed(a, rc);
    if (t->records == 0) {
        (void)text_format(a->why, sizeof(a->why), "%s: no record of alarm %s", a->path, alarm);
        return RG_ENOTFOUND;
    }
    (void)text_format(a->why, sizeof(a->why), "%s: %s", a->path, rg_err_text(jsonw_error(t->w)));
    return jsonw_error(t->w);
}

/* Of the characters of an identifier; longer than one by its number. */
static bool is_alarm(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        const char one[] = {text[i], '\0'};

        if (!text_is_id(one))
            return false;
    }
    return length > 0 && length < ALARM_ID_MAX;
}

enum rg_err trace_alarm(const char *path, const char *alarm, struct jsonw *w, char *why, size_t why_size)
{
    struct trace t = {.w = w};
    enum rg_err err;

    if (!is_alarm(alarm)) {
        (void)text_format(why, why_size, "%s is not the name of an alarm", alarm);
        return RG_EINVAL;
    }
    (void)text_format(t.member, sizeof(t.member), "\"alarm\":\"%s\"", alarm);
    err = audit_open(path, &t.audit, why, why_size);
    if (err != RG_OK)
        return err;
    err = run(&t, alarm);
    (void)text_copy(why, why_size, audit_why(t.audit));
    db_finalize_all(t.stmts, STMT_COUNT);
    audit_close(t.audit);
    return err;
}
