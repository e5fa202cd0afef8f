#include "store/summary.h"

#include <string.h>

#define LEVEL_NUMBER(text)                                                                                   \
    "CASE " text " WHEN 'red' THEN 4 WHEN 'orange' THEN 3 WHEN 'yellow' THEN 2 WHEN 'blue' THEN 1"           \
    " WHEN 'none' THEN 0 END"
/* The records of a stretch: of one that is damaged only what its columns say counts. */
#define SOUND "CASE WHEN json_valid(body) THEN body END AS body"
#define ALARMS "(SELECT seq, ts, peak, " SOUND " FROM alarm WHERE ts >= ?1 AND ts < ?2)"
#define EVENTS(kind) "(SELECT seq, ts, " SOUND " FROM event WHERE kind = '" kind "' AND ts >= ?1 AND ts < ?2)"
#define REPORTS_LOOKED_AT 500
#define TESTS_LOOKED_AT 1000

int summary_prepare(sqlite3 *db, const char *sql, const struct summary *s, sqlite3_stmt **out)
{
    int rc = db_prepare(db, sql, out);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(*out, 1, s->from);
    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(*out) > 1)
        rc = sqlite3_bind_int64(*out, 2, s->to);
    return rc;
}

int summary_end(sqlite3_stmt *stmt, int rc)
{
    (void)sqlite3_finalize(stmt); /* its result is the last step's */
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static uint64_t column_count(sqlite3_stmt *stmt, int column)
{
    int64_t value = sqlite3_column_int64(stmt, column);

    return value > 0 ? (uint64_t)value : 0;
}

static void copy_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    (void)text_copy(out, size, text ? text : "");
}

/* Rows of level and number, added up. */
static int count_levels(sqlite3 *db, const char *sql, const struct summary *s, uint64_t counts[LEVEL_COUNT])
{
    sqlite3_stmt *stmt = NULL;
    int rc = summary_prepare(db, sql, s, &stmt);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        int64_t level = sqlite3_column_int64(stmt, 0);
        if (level > LEVEL_NONE && level < LEVEL_COUNT)
            counts[level] += column_count(stmt, 1);
    }
    return summary_end(stmt, rc);
}

/* One row of two numbers. */
static int take_two(sqlite3 *db, const char *sql, const struct summary *s, uint64_t *a, uint64_t *b)
{
    sqlite3_stmt *stmt = NULL;
    int rc = summary_prepare(db, sql, s, &stmt);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        *a = column_count(stmt, 0);
        if (b != NULL)
            *b = column_count(stmt, 1);
        rc = SQLITE_DONE;
    }
    return summary_end(stmt, rc);
}

static int count_alarms(sqlite3 *db, struct summary *s)
{
    /* Of one that was raised in the stretch no record in it shows a level that it had before. */
    static const char raised[] = "SELECT peak, count(*) FROM (SELECT max(peak) AS peak FROM " ALARMS
                                 " WHERE body ->> '$.test' IS NULL GROUP BY body ->> '$.alarm'"
                                 " HAVING max(body ->> '$.event' = 'raise')) GROUP BY peak";
    /* The level at the end is that before the first change after it. */
    static const char open[] = "WITH later AS (SELECT body ->> '$.alarm' AS id, " LEVEL_NUMBER(
        "body ->> '$.was'") " AS was, min(seq)"
                            " FROM (SELECT seq, " SOUND " FROM alarm WHERE ts >= ?2) GROUP BY 1)"
                            " SELECT coalesce(later.was, o.level) AS at, count(*) FROM occurrence o"
                            " LEFT JOIN later ON later.id = o.alarm WHERE ?1 < ?2 AND o.raised_ts < ?2"
                            " AND (o.cleared_ts = 0 OR o.cleared_ts >= ?2) GROUP BY at";
    static const char before[] = "SELECT count(*) FROM occurrence WHERE raised_ts < ?1"
                                 " AND (cleared_ts = 0 OR cleared_ts >= ?1)";
    static const char acked[] =
        "SELECT sum(acked_ts > 0 AND acked_ts < ?2), sum(acked_ts <= 0 OR acked_ts >= ?2) FROM occurrence"
        " WHERE raised_ts < ?2 AND (cleared_ts = 0 OR cleared_ts >= ?1)";
    int rc = count_levels(db, raised, s, s->raised);

    if (rc == SQLITE_OK)
        rc = count_levels(db, open, s, s->open);
    if (rc == SQLITE_OK)
        rc = take_two(db, before, s, &s->open_before, NULL);
    if (rc == SQLITE_OK)
        rc = take_two(db, acked, s, &s->acked, &s->unacked);
    return rc;
}

/* From the raise to the acknowledgements, or clears, that are recorded in the stretch. */
static int take_times(sqlite3 *db, const char *event, const struct summary *s, struct summary_times *t)
{
    static const char count[] =
        "SELECT count(*), max(max(a.ts - o.raised_ts, 0)) FROM " ALARMS " a JOIN occurrence o"
        " ON o.alarm = a.body ->> '$.alarm' WHERE a.body ->> '$.event' = ?3";
    static const char middle[] =
        "SELECT max(a.ts - o.raised_ts, 0) AS took FROM " ALARMS " a JOIN occurrence o"
        " ON o.alarm = a.body ->> '$.alarm' WHERE a.body ->> '$.event' = ?3"
        " ORDER BY took LIMIT 1 OFFSET ?4";
    sqlite3_stmt *stmt = NULL;
    int rc = summary_prepare(db, count, s, &stmt);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 3, event, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        t->count = column_count(stmt, 0);
        t->max_ms = sqlite3_column_int64(stmt, 1);
        rc = SQLITE_DONE;
    }
    rc = summary_end(stmt, rc);
    if (rc != SQLITE_OK || t->count == 0)
        return rc;
    rc = summary_prepare(db, middle, s, &stmt);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 3, event, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 4, (int64_t)(t->count - 1) / 2);
    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        t->p50_ms = sqlite3_column_int64(stmt, 0);
        rc = SQLITE_DONE;
    }
    return summary_end(stmt, rc);
}

/* One configuration that has many changes is told in several events. */
static int take_configs(sqlite3 *db, struct summary *s)
{
    static const char sql[] =
        "SELECT ts, body ->> '$.sha256', json_array_length(body, '$.changes') + coalesce(body ->> '$.more', "
        "0)"
        " FROM " EVENTS("config") " WHERE body ->> '$.applied' ORDER BY seq";
    struct summary_config last = {.ts = INT64_MIN};
    sqlite3_stmt *stmt = NULL;
    int rc = summary_prepare(db, sql, s, &stmt);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        struct summary_config c = {.ts = 0};

        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        c.ts = sqlite3_column_int64(stmt, 0);
        c.changes = column_count(stmt, 2);
        copy_text(stmt, 1, c.sha256, sizeof c.sha256);
        if (c.ts == last.ts && strcmp(c.sha256, last.sha256) == 0) {
            if (s->config_changes <= SUMMARY_CONFIGS)
                s->configs[s->config_count - 1].changes += c.changes;
            continue;
        }
        last = c;
        s->config_changes++;
        if (s->config_count < SUMMARY_CONFIGS)
            s->configs[s->config_count++] = c;
    }
    return summary_end(stmt, rc);
}

struct summary_uplink *summary_uplink(struct summary *s, const char *name)
{
    for (size_t i = 0; i < s->uplink_count; i++) {
        if (strcmp(s->uplinks[i].name, name) == 0)
            return &s->uplinks[i];
    }
    return NULL;
}

static void name_uplinks(const struct store_inquiry *ask, struct summary *s)
{
    for (size_t i = 0; i < ask->uplink_count; i++) {
        struct summary_uplink *u = &s->uplinks[s->uplink_count];

        if (s->uplink_count == SUMMARY_UPLINKS) {
            s->uplinks_more = ask->uplink_count - i;
            return;
        }
        *u = (struct summary_uplink){.round_trip_ms = -1};
        (void)text_copy(u->name, sizeof u->name, ask->uplinks[i]);
        s->uplink_count++;
    }
}

static int take_tests(sqlite3 *db, struct summary *s)
{
    static const char sql[] =
        "SELECT body ->> '$.uplink', count(*), sum(NOT body ->> '$.ok'), max(body ->> '$.round_trip_ms')"
        " FROM " EVENTS("self_test") " GROUP BY 1";
    sqlite3_stmt *stmt = NULL;
    int rc = summary_prepare(db, sql, s, &stmt);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        char name[TEXT_ID_MAX + 1];
        struct summary_uplink *u;

        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        copy_text(stmt, 0, name, sizeof name);
        u = summary_uplink(s, name);
        if (u == NULL)
            continue;
        u->tests = column_count(stmt, 1);
        u->failed = column_count(stmt, 2);
        if (sqlite3_column_type(stmt, 3) != SQLITE_NULL)
            u->round_trip_ms = sqlite3_column_int64(stmt, 3);
    }
    return summary_end(stmt, rc);
}

int summary_make(sqlite3 *db, const struct store_inquiry *ask, struct summary *out)
{
    static const char lost[] = "SELECT sum(body ->> '$.count') FROM " EVENTS("lost");
    int rc;

    *out = (struct summary){.from = ask->from, .to = ask->to};
    name_uplinks(ask, out);
    rc = count_alarms(db, out);
    if (rc == SQLITE_OK)
        rc = take_times(db, "ack", out, &out->to_ack);
    if (rc == SQLITE_OK)
        rc = take_times(db, "clear", out, &out->to_clear);
    if (rc == SQLITE_OK)
        rc = take_configs(db, out);
    if (rc == SQLITE_OK)
        rc = take_two(db, lost, out, &out->lost, NULL);
    if (rc == SQLITE_OK)
        rc = take_tests(db, out);
    if (rc == SQLITE_OK)
        rc = summary_samples(db, out);
    if (rc == SQLITE_OK)
        rc = summary_outages(db, ask, out);
    return rc;
}

/* ---- the past ---- */

static void put_report(struct past *past, const char *kind, struct past_report report)
{
    for (int i = 0; i < REPORT_KINDS; i++) {
        struct past_reports *of = &past->reports[i];

        if (strcmp(kind, report_kind_name((enum report_kind)i)) == 0 && of->count < PAST_REPORTS)
            of->told[of->count++] = report;
    }
}

static void turn_round(struct past_reports *of)
{
    for (size_t i = 0; i < of->count / 2; i++) {
        struct past_report report = of->told[i];

        of->told[i] = of->told[of->count - 1 - i];
        of->told[of->count - 1 - i] = report;
    }
}

static int take_reports(sqlite3 *db, struct past *past)
{
    static const char sql[] =
        "SELECT body ->> '$.kind', body ->> '$.from', body ->> '$.to', unsynced"
        " FROM (SELECT seq, unsynced, " SOUND " FROM report ORDER BY seq DESC LIMIT ?1) ORDER BY seq DESC";
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, sql, &stmt);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 1, REPORTS_LOOKED_AT);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        char kind[16];

        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        copy_text(stmt, 0, kind, sizeof kind);
        put_report(past, kind,
                   (struct past_report){.from = sqlite3_column_int64(stmt, 1),
                                        .to = sqlite3_column_int64(stmt, 2),
                                        .unsynced = sqlite3_column_int(stmt, 3) != 0});
    }
    for (int i = 0; i < REPORT_KINDS; i++)
        turn_round(&past->reports[i]);
    return summary_end(stmt, rc);
}

static int take_began(sqlite3 *db, int64_t now_ms, struct past_reports *of)
{
    static const char began[] = "SELECT coalesce("
                                "(SELECT min(ts) FROM event WHERE kind = 'start' AND ts > ?1 AND ts <= ?2),"
                                " (SELECT min(ts) FROM event WHERE ts > ?1 AND ts <= ?2))";
    static const char synced[] = "SELECT min(ts) FROM event WHERE kind IN ('start', 'clock')"
                                 " AND ts > ?1 AND ts <= ?2 AND unsynced = 0";
    struct summary all = {.to = now_ms}, later = {.to = now_ms};
    uint64_t ts = 0;
    int rc = take_two(db, began, &all, &ts, NULL);

    of->began_ms = (int64_t)ts;
    for (size_t i = 0; i < of->count; i++) {
        if (of->told[i].unsynced && of->told[i].to > later.from && of->told[i].to <= now_ms)
            later.from = of->told[i].to;
    }
    ts = 0;
    if (rc == SQLITE_OK)
        rc = take_two(db, synced, &later, &ts, NULL);
    of->synced_ms = (int64_t)ts;
    return rc;
}

static int take_last_tests(sqlite3 *db, struct past *past)
{
    static const char sql[] =
        "SELECT body ->> '$.uplink', ts, body ->> '$.ok', coalesce(body ->> '$.round_trip_ms', -1), max(seq)"
        " FROM (SELECT seq, ts, " SOUND " FROM event WHERE kind = 'self_test' ORDER BY ts DESC LIMIT ?1)"
        " GROUP BY 1";
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, sql, &stmt);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 1, TESTS_LOOKED_AT);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        struct past_test *t = &past->tests[past->test_count];

        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW || past->test_count == PAST_TESTS)
            break;
        copy_text(stmt, 0, t->uplink, sizeof t->uplink);
        t->ts = sqlite3_column_int64(stmt, 1);
        t->ok = sqlite3_column_int(stmt, 2) != 0;
        t->round_trip_ms = sqlite3_column_int64(stmt, 3);
        past->test_count++;
    }
    return summary_end(stmt, rc == SQLITE_ROW ? SQLITE_DONE : rc);
}

int summary_past(sqlite3 *db, int64_t now_ms, struct past *out)
{
    int rc;

    memset(out, 0, sizeof *out);
    rc = take_reports(db, out);
    for (int i = 0; i < REPORT_KINDS && rc == SQLITE_OK; i++)
        rc = take_began(db, now_ms, &out->reports[i]);
    if (rc == SQLITE_OK)
        rc = take_last_tests(db, out);
    return rc;
}
