/* Who was out, and for how long: the events, played once in their order. */
#include <stdlib.h>
#include <string.h>

#include "store/summary.h"

#define NOT_OPEN INT64_MIN
#define NOBODY UINT32_MAX

struct subject {
    enum summary_outage_kind kind;
    char name[TEXT_ID_MAX + 1];
    int64_t since; /* NOT_OPEN: it is there */
    bool first;    /* an uplink that was not connected since the start */
    uint32_t next; /* with the same hash, or NOBODY */
};

struct outages {
    sqlite3 *db;
    struct summary *s;
    struct subject *subjects;
    uint32_t count, room;
    uint32_t *heads; /* [room] */
    bool running;
    bool seen; /* anything: before that nobody knows whether it ran */
    int64_t off_since;
};

/* ---- the list ---- */

static void keep_longest(struct summary *s, const struct summary_outage *o)
{
    size_t at = s->outage_count;

    if (at == SUMMARY_OUTAGES) {
        if (o->within_ms <= s->outages[at - 1].within_ms)
            return;
        at--;
    } else {
        s->outage_count++;
    }
    for (; at > 0 && o->within_ms > s->outages[at - 1].within_ms; at--)
        s->outages[at] = s->outages[at - 1];
    s->outages[at] = *o;
}

/* to: 0: it goes on. */
static void add(struct summary *s, enum summary_outage_kind kind, const char *name, int64_t from, int64_t to)
{
    int64_t end = to == 0 || to > s->to ? s->to : to, begin = from > s->from ? from : s->from;
    struct summary_outage o = {.kind = kind, .from = from, .to = to, .within_ms = end - begin};
    struct summary_uplink *u = kind == OUTAGE_UPLINK ? summary_uplink(s, name) : NULL;

    if (o.within_ms <= 0)
        return;
    (void)text_copy(o.name, sizeof o.name, name);
    s->outages_of[kind]++;
    if (kind == OUTAGE_GATEWAY)
        s->off_ms += o.within_ms;
    if (u) {
        u->outages++;
        u->down_ms += o.within_ms;
    }
    keep_longest(s, &o);
}

/* ---- who ---- */

static uint32_t hash(enum summary_outage_kind kind, const char *name)
{
    uint32_t h = 2166136261u ^ (uint32_t)kind; /* FNV-1a */

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

static bool grow(struct outages *x)
{
    uint32_t room = x->room ? 2 * x->room : 64;
    struct subject *subjects = realloc(x->subjects, room * sizeof *subjects);
    uint32_t *heads;

    if (!subjects)
        return false;
    x->subjects = subjects;
    heads = realloc(x->heads, room * sizeof *heads);
    if (!heads)
        return false;
    x->heads = heads;
    for (uint32_t i = 0; i < room; i++)
        heads[i] = NOBODY;
    memset(subjects + x->room, 0, (room - x->room) * sizeof *subjects);
    x->room = room;
    for (uint32_t i = 0; i < x->count; i++) {
        uint32_t *head = &heads[hash(subjects[i].kind, subjects[i].name) & (room - 1)];

        subjects[i].next = *head;
        *head = i;
    }
    return true;
}

static struct subject *find(struct outages *x, enum summary_outage_kind kind, const char *name)
{
    uint32_t *head;

    if (x->count == x->room && !grow(x))
        return NULL;
    head = &x->heads[hash(kind, name) & (x->room - 1)];
    for (uint32_t i = *head; i != NOBODY; i = x->subjects[i].next) {
        if (x->subjects[i].kind == kind && strcmp(x->subjects[i].name, name) == 0)
            return &x->subjects[i];
    }
    x->subjects[x->count] = (struct subject){.kind = kind, .since = NOT_OPEN, .next = *head};
    (void)text_copy(x->subjects[x->count].name, sizeof x->subjects[0].name, name);
    *head = x->count;
    return &x->subjects[x->count++];
}

/* ---- what happened ---- */

static void back(struct outages *x, struct subject *one, int64_t ts)
{
    if (one->since != NOT_OPEN && !(one->first && ts != 0 && ts - one->since < SUMMARY_FIRST_MS))
        add(x->s, one->kind, one->name, one->since, ts);
    one->since = NOT_OPEN;
}

static void out(struct subject *one, int64_t ts, bool first)
{
    if (one->since != NOT_OPEN)
        return;
    one->since = ts;
    one->first = first;
}

static void run_end(struct outages *x, int64_t ts)
{
    for (uint32_t i = 0; i < x->count; i++)
        back(x, &x->subjects[i], ts);
    x->running = false;
    x->off_since = ts;
}

/* The last sign of life before a start: of records and roll-ups. The minute in which it started is its own. */
static int last_sign(sqlite3 *db, int64_t seq, int64_t ts, int64_t *sign)
{
    static const char sql[] =
        "SELECT max(coalesce((SELECT ts FROM event WHERE seq < ?1 ORDER BY seq DESC LIMIT 1), 0),"
        " coalesce((SELECT max(ts) FROM telemetry WHERE ts < ?2), 0),"
        " coalesce((SELECT max(ts) FROM alarm WHERE ts < ?2), 0),"
        " coalesce((SELECT max(minute) FROM rollup WHERE minute <= ?2 - 60000), 0))";
    struct summary of = {.from = seq, .to = ts};
    sqlite3_stmt *stmt = NULL;
    int rc = summary_prepare(db, sql, &of, &stmt);

    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        *sign = sqlite3_column_int64(stmt, 0);
        if (*sign > ts)
            *sign = ts; /* the clock was put back between the runs */
        rc = SQLITE_DONE;
    }
    return summary_end(stmt, rc);
}

static int run_begin(struct outages *x, const struct store_inquiry *ask, int64_t seq, int64_t ts)
{
    int rc = SQLITE_OK;

    if (x->running) { /* and did not stop */
        int64_t sign = ts;

        rc = last_sign(x->db, seq, ts, &sign);
        run_end(x, sign);
    }
    if (x->seen)
        add(x->s, OUTAGE_GATEWAY, "", x->off_since, ts);
    x->running = true;
    for (size_t i = 0; rc == SQLITE_OK && i < ask->uplink_count; i++) {
        struct subject *one = find(x, OUTAGE_UPLINK, ask->uplinks[i]);

        if (!one)
            return SQLITE_NOMEM;
        out(one, ts, true);
    }
    return rc;
}

static int state_changed(struct outages *x, enum summary_outage_kind kind, const char *name,
                         const char *state, int64_t ts)
{
    struct subject *one;

    if (!name || !state)
        return SQLITE_OK;
    one = find(x, kind, name);
    if (!one)
        return SQLITE_NOMEM;
    if (strcmp(state, "online") == 0 || strcmp(state, "up") == 0 || strcmp(state, "back") == 0)
        back(x, one, ts);
    else if (strcmp(state, "offline") == 0 || strcmp(state, "down") == 0 || strcmp(state, "lost") == 0)
        out(one, ts, false);
    return SQLITE_OK;
}

/* seq, ts, kind, state, device, bus, uplink */
static int take(struct outages *x, const struct store_inquiry *ask, sqlite3_stmt *row)
{
    int64_t seq = sqlite3_column_int64(row, 0), ts = sqlite3_column_int64(row, 1);
    const char *kind = (const char *)sqlite3_column_text(row, 2);
    const char *state = (const char *)sqlite3_column_text(row, 3);
    const char *device = (const char *)sqlite3_column_text(row, 4);
    const char *bus = (const char *)sqlite3_column_text(row, 5);
    const char *uplink = (const char *)sqlite3_column_text(row, 6);
    int rc = SQLITE_OK;

    if (!kind)
        return SQLITE_OK;
    if (strcmp(kind, "start") == 0) {
        rc = run_begin(x, ask, seq, ts);
    } else {
        x->running = x->running || !x->seen;
        if (strcmp(kind, "stop") == 0)
            run_end(x, ts);
        else if (strcmp(kind, "uplink") == 0)
            rc = state_changed(x, OUTAGE_UPLINK, uplink, state, ts);
        else if (device)
            rc = state_changed(x, OUTAGE_DEVICE, device, state, ts);
        else
            rc = state_changed(x, OUTAGE_BUS, bus, state, ts);
    }
    x->seen = true;
    return rc;
}

/* The run that was under way at the end may have ended before it, without a word. */
static int finish(struct outages *x)
{
    static const char sql[] = "SELECT seq, ts FROM event WHERE kind = 'start' AND ?1 < ?2 AND ts >= ?2"
                              " ORDER BY ts LIMIT 1";
    sqlite3_stmt *stmt = NULL;
    int64_t next = 0, seq = 0, sign = 0;
    int rc = summary_prepare(x->db, sql, x->s, &stmt);

    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        seq = sqlite3_column_int64(stmt, 0);
        next = sqlite3_column_int64(stmt, 1);
        rc = SQLITE_DONE;
    }
    rc = summary_end(stmt, rc);
    if (rc == SQLITE_OK && next != 0 && x->running) {
        rc = last_sign(x->db, seq, next, &sign);
        if (rc == SQLITE_OK && sign < x->s->to)
            run_end(x, sign);
    }
    for (uint32_t i = 0; i < x->count; i++)
        back(x, &x->subjects[i], 0);
    if (x->seen && !x->running)
        add(x->s, OUTAGE_GATEWAY, "", x->off_since, next);
    return rc;
}

int summary_outages(sqlite3 *db, const struct store_inquiry *ask, struct summary *s)
{
    static const char begin[] =
        "SELECT seq FROM event WHERE kind = 'start' AND ts < ?1 ORDER BY ts DESC LIMIT 1";
    static const char sql[] =
        "SELECT seq, ts, kind, body ->> '$.state', body ->> '$.device', body ->> '$.bus', body ->> '$.uplink'"
        " FROM (SELECT seq, ts, kind, CASE WHEN json_valid(body) THEN body END AS body FROM event"
        " WHERE seq >= ?1 AND ts < ?2 AND kind IN ('start', 'stop', 'device', 'uplink')) ORDER BY seq";
    struct outages x = {.db = db, .s = s};
    struct summary of = {.from = s->from, .to = s->to};
    sqlite3_stmt *stmt = NULL;
    int rc = summary_prepare(db, begin, s, &stmt);

    of.from = 0;
    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        of.from = sqlite3_column_int64(stmt, 0);
        rc = SQLITE_DONE;
    }
    rc = summary_end(stmt, rc);
    if (rc == SQLITE_OK)
        rc = summary_prepare(db, sql, &of, &stmt);
    if (rc == SQLITE_OK) {
        while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
            rc = take(&x, ask, stmt);
        rc = summary_end(stmt, rc);
    }
    if (rc == SQLITE_OK)
        rc = finish(&x);
    free(x.heads);
    free(x.subjects);
    return rc;
}
