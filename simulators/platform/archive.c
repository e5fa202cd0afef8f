#include "archive.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA user_version=1;"
    "CREATE TABLE IF NOT EXISTS gateway(id INTEGER PRIMARY KEY, ent TEXT NOT NULL, gw TEXT NOT NULL,"
    " state TEXT, about TEXT, risk TEXT, heard_ms INTEGER, UNIQUE(ent, gw));"
    "CREATE TABLE IF NOT EXISTS record(gateway INTEGER NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,"
    " received_ms INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(gateway, stream, seq)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS unstored(gateway INTEGER NOT NULL, received_ms INTEGER NOT NULL, text TEXT "
    "NOT "
    "NULL);"
    "CREATE TABLE IF NOT EXISTS stream(gateway INTEGER NOT NULL, stream TEXT NOT NULL, top INTEGER NOT NULL,"
    " skip_top INTEGER NOT NULL, receipt INTEGER NOT NULL, PRIMARY KEY(gateway, stream)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS span(gateway INTEGER NOT NULL, stream TEXT NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY(gateway, stream, first)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS breach(at_ms INTEGER NOT NULL, text TEXT NOT NULL);"
    "CREATE VIEW IF NOT EXISTS v_alarm_event AS SELECT g.gw, seq, text->>'ts' AS ts, text->>'alarm' AS alarm,"
    " text->>'event' AS event, text->>'level' AS level, text->>'was' AS was, text->>'rule' AS rule,"
    " text->>'point' AS point, text->>'area' AS area, text->>'value' AS value, text->>'limit' AS limit_value,"
    " text->>'by' AS by, text->>'comment' AS comment, text->>'test' AS test"
    " FROM record r JOIN gateway g ON g.id = r.gateway WHERE stream = 'alarm';"
    "CREATE VIEW IF NOT EXISTS v_alarm AS SELECT gw, alarm, rule, point, area, level, max(seq) AS seq, event,"
    " test FROM v_alarm_event GROUP BY gw, alarm;"
    "CREATE VIEW IF NOT EXISTS v_event AS SELECT g.gw, seq, text->>'ts' AS ts, text->>'kind' AS kind, text"
    " FROM record r JOIN gateway g ON g.id = r.gateway WHERE stream = 'event';"
    "CREATE VIEW IF NOT EXISTS v_reading AS SELECT g.gw, r.seq, r.text->>'ts' AS ts,"
    " r.text->>'device' || '.' || v.key AS point, v.value AS value, 'good' AS quality"
    " FROM record r JOIN gateway g ON g.id = r.gateway, json_each(r.text, '$.values') v"
    " WHERE stream = 'telemetry' UNION ALL SELECT g.gw, r.seq, r.text->>'ts',"
    " r.text->>'device' || '.' || v.key, NULL, v.value"
    " FROM record r JOIN gateway g ON g.id = r.gateway, json_each(r.text, '$.bad') v"
    " WHERE stream = 'telemetry';"
    "CREATE VIEW IF NOT EXISTS v_hole AS SELECT gw, stream, first, last FROM (SELECT g.gw, s.stream,"
    " coalesce(lag(s.last) OVER (PARTITION BY s.gateway, s.stream ORDER BY s.first), 0) + 1 AS first,"
    " s.first - 1 AS last FROM span s JOIN gateway g ON g.id = s.gateway) WHERE last >= first;";

enum {
    PUT_GATEWAY,
    GET_GATEWAY,
    PUT_RECORD,
    GET_RECORD,
    PUT_UNSTORED,
    PUT_DOCUMENT,
    PUT_STREAM,
    GET_RECEIPT,
    WIPE_SPANS,
    PUT_SPAN,
    PUT_BREACH,
    BEGIN,
    COMMIT,
    ALL_GATEWAYS,
    ALL_STREAMS,
    ALL_SPANS,
    ALL_RECORDS,
    STATEMENTS
};
static const char *const sql[STATEMENTS] = {
    [PUT_GATEWAY] = "INSERT OR IGNORE INTO gateway(ent, gw) VALUES(?1, ?2)",
    [GET_GATEWAY] = "SELECT id FROM gateway WHERE ent = ?1 AND gw = ?2",
    [PUT_RECORD] = "INSERT OR IGNORE INTO record VALUES(?1, ?2, ?3, ?4, ?5)",
    [GET_RECORD] = "SELECT text FROM record WHERE gateway = ?1 AND stream = ?2 AND seq = ?3",
    [PUT_UNSTORED] = "INSERT INTO unstored VALUES(?1, ?2, ?3)",
    [PUT_DOCUMENT] =
        "UPDATE gateway SET state = iif(?2 = 'state', ?3, state), about = iif(?2 = 'about', ?3, about),"
        " risk = iif(?2 = 'risk', ?3, risk), heard_ms = ?4 WHERE id = ?1",
    [PUT_STREAM] = "INSERT OR REPLACE INTO stream VALUES(?1, ?2, ?3, ?4, ?5)",
    [GET_RECEIPT] = "SELECT receipt FROM stream WHERE gateway = ?1 AND stream = ?2",
    [WIPE_SPANS] = "DELETE FROM span WHERE gateway = ?1 AND stream = ?2",
    [PUT_SPAN] = "INSERT OR REPLACE INTO span VALUES(?1, ?2, ?3, ?4)",
    [PUT_BREACH] = "INSERT INTO breach VALUES(?1, ?2)",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ALL_GATEWAYS] = "SELECT ent, gw FROM gateway ORDER BY id",
    [ALL_STREAMS] = "SELECT stream, top, skip_top FROM stream WHERE gateway = ?1",
    [ALL_SPANS] = "SELECT stream, first, last FROM span WHERE gateway = ?1 ORDER BY stream, first",
    [ALL_RECORDS] = "SELECT seq, text FROM record WHERE gateway = ?1 AND stream = ?2 AND (?3 IS NULL OR"
                    " text->>'kind' = ?3) ORDER BY seq",
};

struct archive {
    sqlite3 *db;
    sqlite3_stmt *s[STATEMENTS];
    bool open; /* a transaction */
    /* The gateway asked for last. */
    const struct gateway *known;
    int64_t row;
};

static bool complain(const struct archive *a, const char *what)
{
    (void)fprintf(stderr, "riskgate-platform: the store: %s: %s\n", what,
                  a->db ? sqlite3_errmsg(a->db) : "no memory");
    return false;
}

void archive_close(struct archive *a)
{
    if (!a)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(a->s[i]);
    (void)sqlite3_close(a->db);
    free(a);
}

struct archive *archive_open(const char *path)
{
    struct archive *a = calloc(1, sizeof *a);
    bool ok = a && sqlite3_open(path, &a->db) == SQLITE_OK;

    if (ok) {
        (void)sqlite3_busy_timeout(a->db, 10000);
        ok = sqlite3_exec(a->db, schema, NULL, NULL, NULL) == SQLITE_OK;
    }
    for (int i = 0; ok && i < STATEMENTS; i++)
        ok = sqlite3_prepare_v3(a->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &a->s[i], NULL) == SQLITE_OK;
    if (ok)
        return a;
    if (a)
        (void)complain(a, path);
    archive_close(a);
    return NULL;
}

/* Runs a statement that gives no rows. */
static bool run(struct archive *a, int statement)
{
    int rc = sqlite3_step(a->s[statement]);

    (void)sqlite3_reset(a->s[statement]);
    return rc == SQLITE_DONE || complain(a, sql[statement]);
}

static bool begin(struct archive *a)
{
    if (!a->open)
        a->open = run(a, BEGIN);
    return a->open;
}

bool archive_commit(struct archive *a)
{
    if (!a->open)
        return true;
    if (!run(a, COMMIT))
        return false;
    a->open = false;
    return true;
}

static void bind_text(struct archive *a, int statement, int at, const char *text, size_t length)
{
    (void)sqlite3_bind_text(a->s[statement], at, text, (int)length, SQLITE_STATIC);
}

static void bind_place(struct archive *a, int statement, int64_t row, enum stream_kind kind)
{
    (void)sqlite3_bind_int64(a->s[statement], 1, row);
    bind_text(a, statement, 2, stream_kinds[kind], strlen(stream_kinds[kind]));
}

static int64_t one_number(struct archive *a, int statement)
{
    int64_t number =
        sqlite3_step(a->s[statement]) == SQLITE_ROW ? sqlite3_column_int64(a->s[statement], 0) : 0;

    (void)sqlite3_reset(a->s[statement]);
    return number;
}

/* 0: it is not there. */
static int64_t row_of(struct archive *a, const struct gateway *g)
{
    if (a->known == g)
        return a->row;
    bind_text(a, GET_GATEWAY, 1, g->ent, strlen(g->ent));
    bind_text(a, GET_GATEWAY, 2, g->id, strlen(g->id));
    a->row = one_number(a, GET_GATEWAY);
    a->known = a->row ? g : NULL;
    return a->row;
}

static int64_t row_made(struct archive *a, const struct gateway *g)
{
    int64_t row = begin(a) ? row_of(a, g) : 0;

    if (row || !a->open)
        return row;
    bind_text(a, PUT_GATEWAY, 1, g->ent, strlen(g->ent));
    bind_text(a, PUT_GATEWAY, 2, g->id, strlen(g->id));
    return run(a, PUT_GATEWAY) ? row_of(a, g) : 0;
}

bool archive_record(struct archive *a, const struct gateway *g, enum stream_kind kind, int64_t seq,
                    const char *text, size_t length, int64_t now_ms)
{
    int64_t row = row_made(a, g);

    bind_place(a, PUT_RECORD, row, kind);
    (void)sqlite3_bind_int64(a->s[PUT_RECORD], 3, seq);
    (void)sqlite3_bind_int64(a->s[PUT_RECORD], 4, now_ms);
    bind_text(a, PUT_RECORD, 5, text, length);
    return row && run(a, PUT_RECORD);
}

bool archive_unstored(struct archive *a, const struct gateway *g, const char *text, size_t length,
                      int64_t now_ms)
{
    int64_t row = row_made(a, g);

    (void)sqlite3_bind_int64(a->s[PUT_UNSTORED], 1, row);
    (void)sqlite3_bind_int64(a->s[PUT_UNSTORED], 2, now_ms);
    bind_text(a, PUT_UNSTORED, 3, text, length);
    return row && run(a, PUT_UNSTORED);
}

bool archive_document(struct archive *a, const struct gateway *g, const char *topic, const char *text,
                      size_t length, int64_t now_ms)
{
    int64_t row = row_made(a, g);

    (void)sqlite3_bind_int64(a->s[PUT_DOCUMENT], 1, row);
    bind_text(a, PUT_DOCUMENT, 2, topic, strlen(topic));
    bind_text(a, PUT_DOCUMENT, 3, text, length);
    (void)sqlite3_bind_int64(a->s[PUT_DOCUMENT], 4, now_ms);
    return row && run(a, PUT_DOCUMENT);
}

bool archive_stream(struct archive *a, const struct gateway *g, enum stream_kind kind, int64_t receipt)
{
    const struct ledger *l = &g->ledgers[kind];
    int64_t row = row_made(a, g);

    if (!row)
        return false;
    bind_place(a, PUT_STREAM, row, kind);
    (void)sqlite3_bind_int64(a->s[PUT_STREAM], 3, l->top);
    (void)sqlite3_bind_int64(a->s[PUT_STREAM], 4, l->skip_top);
    (void)sqlite3_bind_int64(a->s[PUT_STREAM], 5, receipt);
    bind_place(a, WIPE_SPANS, row, kind);
    if (!run(a, PUT_STREAM) || !run(a, WIPE_SPANS))
        return false;
    for (size_t i = 0; i < l->span_count; i++) {
        bind_place(a, PUT_SPAN, row, kind);
        (void)sqlite3_bind_int64(a->s[PUT_SPAN], 3, l->spans[i].first);
        (void)sqlite3_bind_int64(a->s[PUT_SPAN], 4, l->spans[i].last);
        if (!run(a, PUT_SPAN))
            return false;
    }
    return true;
}

bool archive_breach(struct archive *a, const char *text, int64_t now_ms)
{
    (void)sqlite3_bind_int64(a->s[PUT_BREACH], 1, now_ms);
    bind_text(a, PUT_BREACH, 2, text, strlen(text));
    return begin(a) && run(a, PUT_BREACH);
}

char *archive_recall(struct archive *a, const struct gateway *g, enum stream_kind kind, int64_t seq,
                     size_t *length)
{
    int64_t row = row_of(a, g);
    char *text = NULL;

    bind_place(a, GET_RECORD, row, kind);
    (void)sqlite3_bind_int64(a->s[GET_RECORD], 3, seq);
    if (sqlite3_step(a->s[GET_RECORD]) == SQLITE_ROW) {
        *length = (size_t)sqlite3_column_bytes(a->s[GET_RECORD], 0);
        text = strndup((const char *)sqlite3_column_text(a->s[GET_RECORD], 0), *length);
    }
    (void)sqlite3_reset(a->s[GET_RECORD]);
    return text;
}

int64_t archive_receipt(struct archive *a, const struct gateway *g, enum stream_kind kind)
{
    bind_place(a, GET_RECEIPT, row_of(a, g), kind);
    return one_number(a, GET_RECEIPT);
}

/* ---- going on where it was left ---- */

static bool load_ledgers(struct archive *a, struct gateway *g, int64_t row)
{
    sqlite3_stmt *streams = a->s[ALL_STREAMS], *spans = a->s[ALL_SPANS];
    bool ok = true;

    (void)sqlite3_bind_int64(streams, 1, row);
    (void)sqlite3_bind_int64(spans, 1, row);
    while (sqlite3_step(streams) == SQLITE_ROW) {
        enum stream_kind kind = stream_kind_of((const char *)sqlite3_column_text(streams, 0));

        if (kind == KIND_COUNT)
            continue;
        g->ledgers[kind].top = g->ledgers[kind].forgotten = sqlite3_column_int64(streams, 1);
        g->ledgers[kind].skip_top = sqlite3_column_int64(streams, 2);
    }
    while (sqlite3_step(spans) == SQLITE_ROW) {
        enum stream_kind kind = stream_kind_of((const char *)sqlite3_column_text(spans, 0));

        ok =
            ok && kind < KIND_COUNT &&
            ledger_account(&g->ledgers[kind], sqlite3_column_int64(spans, 1), sqlite3_column_int64(spans, 2));
    }
    (void)sqlite3_reset(streams);
    (void)sqlite3_reset(spans);
    return ok;
}

/* The lives of the alarms, and what was told as lost, from the records; they were judged when they came. */
static void load_lives(struct archive *a, struct gateway *g, int64_t row, enum stream_kind kind)
{
    static struct violations judged;
    sqlite3_stmt *records = a->s[ALL_RECORDS];

    bind_place(a, ALL_RECORDS, row, kind);
    if (kind == KIND_EVENT)
        bind_text(a, ALL_RECORDS, 3, "lost", 4);
    else
        (void)sqlite3_bind_null(records, 3);
    while (sqlite3_step(records) == SQLITE_ROW) {
        cJSON *json = cJSON_Parse((const char *)sqlite3_column_text(records, 1));

        if (kind == KIND_ALARM)
            check_alarm_record(g, json, sqlite3_column_int64(records, 0), &judged);
        else
            check_event_record(g, json, true, &judged);
        cJSON_Delete(json);
    }
    (void)sqlite3_reset(records);
}

bool archive_load(struct archive *a, struct gateway *(*make)(void *arg, const char *ent, const char *id),
                  void *arg)
{
    sqlite3_stmt *all = a->s[ALL_GATEWAYS];
    bool ok = true;
    int rc = SQLITE_DONE;

    while (ok && (rc = sqlite3_step(all)) == SQLITE_ROW) {
        struct gateway *g =
            make(arg, (const char *)sqlite3_column_text(all, 0), (const char *)sqlite3_column_text(all, 1));
        int64_t row = g ? row_of(a, g) : 0;

        ok = row && load_ledgers(a, g, row);
        if (ok) {
            load_lives(a, g, row, KIND_ALARM);
            load_lives(a, g, row, KIND_EVENT);
        }
    }
    (void)sqlite3_reset(all);
    return (ok && rc == SQLITE_DONE) || complain(a, "cannot be read");
}
