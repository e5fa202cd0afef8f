/* LINK rg_sim rg_daemon rg_loop_virtual PkgConfig::SQLITE */
/* A day of rules of every kind (a window, a latch, a guard, a vote, a limit that follows another point) while devices and buses fail,
 * people acknowledge, the gateway is restarted, loses its power and gets other configurations. Then the store is read from
 * its beginning, in the order in which everything was taken in: each transition of an alarm is held against the readings
 * before it, and after each frame the alarms against what the readings demand. Written from the contract, sharing nothing with the
 * rule engine. */
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "world.h"

#define DEVICES 4
#define POINTS 4
#define POLL (30 * WORLD_SECOND)
#define QUIET (20 * WORLD_MINUTE)
#define WINDOW (5 * WORLD_MINUTE)
#define COVERAGE 0.75
#define SAMPLES 8192 /* of a point */

static const struct world_plan plan = {
    .devices = DEVICES,
    .points = POINTS,
    .buses = 2,
    .uplinks = 1,
    .poll_ms = POLL,
    .commit_ms = 20 * WORLD_SECOND,
    .offline_ms = 100 * WORLD_SECOND,
    .backfill_rate = 200,
    .red = 40,
    .features = true,
    .duration_ms = WORLD_DAY + WORLD_HOUR,
};

enum kind { AVERAGE, LATCHED, GUARDED, VOTED, FOLLOWS };
#define KINDS 5
static const char *const kind_names[KINDS] = {"average", "latched", "guarded", "voted", "follows"};

struct seen {
    int64_t ts;
    double value;
    bool good;
};

struct told {
    enum level level;
    bool acked, suppressed;
};

struct judge {
    const struct world *w;
    struct seen *samples[DEVICES]; /* of p0; the whole day */
    size_t counts[DEVICES];
    struct seen last[DEVICES][POINTS];
    bool heard[DEVICES]; /* in this life */
    struct told told[KINDS][DEVICES];
    int64_t now;   /* of the record in hand */
    int64_t began; /* this life */
    size_t lives, frames, events[KINDS], suppressions, escalations;
};

/* ---- by the definitions ---- */

/* The time-weighted mean of the window that ends now, of what was read since an instant; false: too little of it is covered. *slack: how far a window may be off that
 * gathers samples which come faster than they are polled. */
static bool mean_of(const struct judge *j, unsigned device, int64_t since, double *mean, double *slack)
{
    double integral = 0, covered = 0;
    int64_t until = j->now, from = j->now - WINDOW;

    *slack = 1e-6;
    for (size_t i = j->counts[device]; i-- > 0;) {
        const struct seen *s = &j->samples[device][i];
        int64_t end = s->ts + 3 * POLL < until ? s->ts + 3 * POLL : until,
                begin = s->ts > from ? s->ts : from;

        if (s->ts < since)
            break;
        if (s->good && end > begin) {
            integral += s->value * (double)(end - begin);
            covered += (double)(end - begin);
        }
        if (i + 1 < j->counts[device] && until - s->ts < POLL * 3 / 4)
            *slack = 3;
        until = s->ts;
        if (s->ts < from - 3 * POLL)
            break;
    }
    *mean = covered > 0 ? integral / covered : 0;
    return covered >= COVERAGE * (double)WINDOW;
}

static bool armed(const struct judge *j, unsigned device)
{
    return !j->last[device][3].good || j->last[device][3].value >= 20;
}

/* Of the vote: members at its limit; those of them that are good; bad ones below it. */
static void votes(const struct judge *j, int *high, int *good_high, int *bad_low, int *good)
{
    *high = *good_high = *bad_low = *good = 0;
    for (unsigned d = 0; d < 3; d++) {
        const struct seen *s = &j->last[d][0];
        bool is_high = s->value >= 20; /* of a bad one: its last good value */

        *high += is_high;
        *good += s->good;
        *good_high += is_high && s->good;
        *bad_low += !is_high && !s->good;
    }
}

/* ---- each transition had its readings ---- */

static void reject(const struct judge *j, enum kind kind, unsigned device, const char *event, const char *why)
{
    world_fail(j->w, "%s of %s on d%u at %lld: %s", event, kind_names[kind], device, (long long)j->now, why);
}

static const char *check_average(const struct judge *j, unsigned device, int64_t since, enum level was,
                                 enum level level)
{
    double mean, slack, limit = (level > was ? level : was) == LEVEL_RED ? 30 : 15;

    if (!j->last[device][0].good || j->last[device][0].ts != j->now)
        return "no good reading led to it";
    if (!mean_of(j, device, since, &mean, &slack))
        return "too little of the window was seen";
    if (level > was)
        return mean >= limit - slack ? NULL : "the mean is lower";
    return mean < limit - 1 + slack ? NULL : "the mean is not that low";
}

static const char *check_plain(const struct judge *j, enum kind kind, unsigned device, bool up)
{
    const struct seen *s = &j->last[device][kind == LATCHED ? 1 : 2];
    bool there = kind == LATCHED ? s->value >= 50 : s->value <= 5;

    if (!s->good)
        return "a bad reading led to it";
    if (there != up)
        return "the reading says otherwise";
    if (kind == LATCHED && !up && !j->told[kind][device].acked)
        return "it was not acknowledged";
    if (kind == GUARDED && !armed(j, device))
        return "the rule was not armed";
    return NULL;
}

static const char *check_vote(const struct judge *j, bool up)
{
    int high, good_high, bad_low, good;

    votes(j, &high, &good_high, &bad_low, &good);
    if (up)
        return good_high > 0 && high >= (bad_low < 2 ? 2 - bad_low : 1) ? NULL : "there are not votes enough";
    return good > 0 && good_high < 2 ? NULL : "the votes still hold it";
}

static const char *check_follows(const struct judge *j, bool up)
{
    const struct seen *own = &j->last[3][0], *of = &j->last[2][0];

    if (!own->good || !of->good)
        return "a bad reading led to it";
    return (own->value >= of->value + 10) == up ? NULL : "the readings say otherwise";
}

static const char *check(const struct judge *j, enum kind kind, unsigned device, enum level was,
                         enum level level)
{
    const char *why;

    switch (kind) {
    case AVERAGE:
        /* How much of the past a start finds in the store is not known here. */
        why = check_average(j, device, INT64_MIN, was, level);
        return why ? check_average(j, device, j->began, was, level) : NULL;
    case LATCHED:
    case GUARDED:
        return check_plain(j, kind, device, level > was);
    case VOTED:
        return check_vote(j, level > was);
    case FOLLOWS:
        return check_follows(j, level > was);
    }
    return "what is it?";
}

static void move(struct judge *j, enum kind kind, unsigned device, const struct json *record)
{
    const char *event = json_string(json_get(record, "event"));
    struct told *told = &j->told[kind][device];
    enum level level = LEVEL_NONE, was = LEVEL_NONE;
    const char *why;

    WORLD_CHECK(j->w,
                level_parse(json_string(json_get(record, "level")), &level) == RG_OK &&
                    level_parse(json_string(json_get(record, "was")), &was) == RG_OK,
                "levels that are none");
    if (was != told->level)
        reject(j, kind, device, event, "it was at another level before");
    if (strcmp(event, "suppress") == 0 || strcmp(event, "unsuppress") == 0) {
        told->suppressed = event[0] == 's';
        j->suppressions++;
        if (kind != GUARDED || armed(j, device) == told->suppressed)
            reject(j, kind, device, event, "the guard says otherwise");
    } else if (strcmp(event, "ack") != 0) {
        if (told->suppressed)
            reject(j, kind, device, event, "it was suppressed");
        why = check(j, kind, device, was, level);
        if (why)
            reject(j, kind, device, event, why);
        j->events[kind]++;
        j->escalations += strcmp(event, "escalate") == 0;
    }
    told->level = level;
    told->acked = level != LEVEL_NONE && json_bool(json_get(record, "acked"), false);
}

static void take_alarm(struct judge *j, const struct json *record)
{
    const char *rule = json_string(json_get(record, "rule")), *point = json_string(json_get(record, "point"));
    unsigned device = 0;

    for (int kind = 0; kind < KINDS; kind++) {
        if (strcmp(rule, kind_names[kind]) != 0)
            continue;
        WORLD_CHECK(j->w, (kind == VOTED) == !point && (kind == VOTED || sscanf(point, "d%u.", &device) == 1),
                    "an alarm of %s on %s", rule, point ? point : "nothing");
        move(j, (enum kind)kind, device, record);
    }
}

/* ---- nothing that the readings demand is missing ---- */

static void demand(const struct judge *j, enum kind kind, unsigned device, bool there)
{
    if (there != (j->told[kind][device].level != LEVEL_NONE))
        reject(j, kind, device, there ? "no alarm" : "an alarm", "the readings demand otherwise");
}

static void demand_average(const struct judge *j, unsigned device)
{
    double mean, slack;

    /* After other devices' frames its window has moved on, and nothing was judged. */
    if (j->last[device][0].ts != j->now || !j->last[device][0].good ||
        j->now < j->began + WINDOW + 3 * POLL || !mean_of(j, device, INT64_MIN, &mean, &slack))
        return;
    if (mean >= 15 + slack || mean < 14 - slack)
        demand(j, AVERAGE, device, mean >= 15);
    if (mean >= 30 + slack)
        WORLD_CHECK(j->w, j->told[AVERAGE][device].level == LEVEL_RED, "d%u: a mean of %g at %lld is red",
                    device, mean, (long long)j->now);
}

static void demand_device(const struct judge *j, unsigned device)
{
    const struct told *latched = &j->told[LATCHED][device], *guarded = &j->told[GUARDED][device];
    const struct seen *one = &j->last[device][1], *two = &j->last[device][2];

    demand_average(j, device);
    if (one->good && (one->value >= 50 || latched->acked || latched->level == LEVEL_NONE))
        demand(j, LATCHED, device, one->value >= 50);
    if (armed(j, device) && two->good)
        demand(j, GUARDED, device, two->value <= 5);
    WORLD_CHECK(j->w, guarded->level == LEVEL_NONE || guarded->suppressed != armed(j, device),
                "d%u: suppressed is %d at %lld", device, guarded->suppressed, (long long)j->now);
}

static void demand_all(const struct judge *j)
{
    int high, good_high, bad_low, good;

    for (unsigned d = 0; d < DEVICES; d++) {
        if (j->heard[d])
            demand_device(j, d);
    }
    votes(j, &high, &good_high, &bad_low, &good);
    if (j->heard[0] && j->heard[1] && j->heard[2] && good == 3)
        demand(j, VOTED, 0, high >= 2);
    if (j->heard[2] && j->heard[3] && j->last[2][0].good && j->last[3][0].good)
        demand(j, FOLLOWS, 0 + 3, j->last[3][0].value >= j->last[2][0].value + 10);
}

/* ---- the store ---- */

static void take_frame(struct judge *j, const struct json *record)
{
    const char *name = json_string(json_get(record, "device"));
    unsigned device = 0;

    WORLD_CHECK(j->w, sscanf(name, "d%u", &device) == 1 && device < DEVICES, "a record of %s", name);
    for (unsigned p = 0; p < POINTS; p++) {
        struct seen *s = &j->last[device][p];
        const struct json *value;
        char point[8];

        (void)text_format(point, sizeof point, "p%u", p);
        value = json_get(json_get(record, "values"), point);
        s->good = json_is_number(value);
        s->ts = json_int(json_get(record, "ts"), 0);
        s->value = json_double(value, s->value); /* a bad one stays at the last good */
    }
    WORLD_CHECK(j->w, j->counts[device] < SAMPLES, "too many records");
    j->samples[device][j->counts[device]++] = j->last[device][0];
    j->heard[device] = true;
    j->frames++;
}

static void take_row(struct judge *j, char stream, const char *body, size_t length)
{
    struct json *record = NULL;
    char text[4096];

    WORLD_CHECK(j->w, length + 3 < sizeof text, "a record of %zu bytes", length);
    (void)snprintf(text, sizeof text, body[0] == '{' ? "%.*s" : "{%.*s}", (int)length, body);
    WORLD_CHECK(j->w, json_parse(text, strlen(text), sizeof text, &record) == RG_OK, "no JSON: %s", text);
    if (stream == 'T') {
        demand_all(j); /* of the frame before, whose transitions have all been read */
        j->now = json_int(json_get(record, "ts"), 0);
        take_frame(j, record);
    } else if (stream == 'A') {
        j->now = json_int(json_get(record, "ts"), 0);
        take_alarm(j, record);
    } else if (strcmp(json_string(json_get(record, "kind")), "start") == 0) {
        memset(j->heard, 0, sizeof j->heard);
        j->began = json_int(json_get(record, "ts"), 0);
        j->lives++;
    }
    json_free(record);
}

static void judge_store(struct judge *j)
{
    sqlite3_stmt *rows = NULL;
    sqlite3 *db = NULL;

    for (unsigned d = 0; d < DEVICES; d++) {
        j->samples[d] = calloc(SAMPLES, sizeof *j->samples[d]);
        WORLD_CHECK(j->w, j->samples[d], "out of memory");
    }
    WORLD_CHECK(j->w,
                sqlite3_open_v2(j->w->store_file, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                    sqlite3_prepare_v2(db,
                                       "SELECT turn, 'T', body FROM telemetry UNION ALL"
                                       " SELECT turn, 'A', body FROM alarm UNION ALL"
                                       " SELECT turn, 'E', body FROM event ORDER BY turn",
                                       -1, &rows, NULL) == SQLITE_OK,
                "cannot read the store: %s", sqlite3_errmsg(db));
    while (sqlite3_step(rows) == SQLITE_ROW)
        take_row(j, *(const char *)sqlite3_column_text(rows, 1), (const char *)sqlite3_column_text(rows, 2),
                 (size_t)sqlite3_column_bytes(rows, 2));
    demand_all(j);
    (void)sqlite3_finalize(rows);
    (void)sqlite3_close(db);
    for (unsigned d = 0; d < DEVICES; d++)
        free(j->samples[d]);
}

/* ---- the day ---- */

static void plan_windows(struct world *w, struct world_windows *list, int64_t gap_ms, int64_t length_ms,
                         const double *values, size_t count)
{
    static const enum world_fault faults[] = {WORLD_SENSOR, WORLD_EXCEPTION, WORLD_MALFORMED, WORLD_SILENT,
                                              WORLD_BROKEN};

    for (int64_t at = VIRTUAL_MONO_MS;;) {
        struct world_window window = {.from_ms = at + world_between(w, gap_ms / 4, 2 * gap_ms)};

        window.to_ms = at = window.from_ms + world_between(w, WORLD_SECOND, length_ms);
        if (window.to_ms > VIRTUAL_MONO_MS + WORLD_DAY - QUIET)
            return;
        if (values)
            window.value = values[random_below(&w->random, count)];
        else
            window.fault = faults[random_below(&w->random, RG_COUNT(faults))];
        world_window_add(w, list, window);
    }
}

static void plan_day(struct world *w)
{
    static const double high[] = {9, 15, 16, 20, 22, 31, 37, 45, 60}, now[] = {49, 50, 70},
                        low[] = {5, 5.1, 2, 6};

    for (unsigned d = 0; d < DEVICES; d++) {
        plan_windows(w, &w->devices[d].faults, 40 * WORLD_MINUTE, 6 * WORLD_MINUTE, NULL, 0);
        plan_windows(w, &w->devices[d].excursions[0], 9 * WORLD_MINUTE, 14 * WORLD_MINUTE, high,
                     RG_COUNT(high));
        plan_windows(w, &w->devices[d].excursions[1], 30 * WORLD_MINUTE, 6 * WORLD_MINUTE, now,
                     RG_COUNT(now));
        plan_windows(w, &w->devices[d].excursions[2], 15 * WORLD_MINUTE, 40 * WORLD_MINUTE, low,
                     RG_COUNT(low));
    }
    plan_windows(w, &w->bus_faults[0], 5 * WORLD_HOUR, 8 * WORLD_MINUTE, NULL, 0);
}

struct pick {
    struct world *w;
    char alarm[ALARM_ID_MAX];
};

static void pick_cb(void *arg, const struct alarm *alarm)
{
    struct pick *p = arg;

    if (!alarm->acked && (!p->alarm[0] || random_below(&p->w->random, 2) == 0))
        (void)text_copy(p->alarm, sizeof p->alarm, alarm->id);
}

static void act(struct world *w)
{
    struct pick pick = {.w = w};

    rules_each(app_pipeline(w->app)->rules, pick_cb, &pick);
    /* It may have ended in this instant. */
    if (pick.alarm[0])
        (void)!pipeline_ack(app_pipeline(w->app), pick.alarm, "the operator", NULL);
    switch (random_below(&w->random, 24)) {
    case 0:
        world_stop(w);
        break;
    case 1:
        world_crash(w);
        break;
    case 2:
        w->plan.red = 39 + (double)random_below(&w->random, 4);
        world_reload(w);
        break;
    default:
        break;
    }
    if (w->app)
        return;
    world_run_for(w, random_below(&w->random, 2) ? 0 : world_between(w, 0, 5 * WORLD_MINUTE));
    world_start(w);
}

static void run(uint64_t seed)
{
    static struct world w;
    struct judge j = {.w = &w};

    world_create(&w, seed, &plan);
    plan_day(&w);
    world_start(&w);
    while (world_now(&w) < VIRTUAL_MONO_MS + WORLD_DAY - QUIET) {
        world_run_for(&w, world_between(&w, WORLD_SECOND, 20 * WORLD_MINUTE));
        act(&w);
    }
    world_run_for(&w, QUIET / 2);
    world_settle(&w, QUIET / 2);
    world_check_active(&w);
    world_check_platforms(&w);
    world_stop(&w);
    judge_store(&j);
    (void)printf("  %zu lives, %zu frames; transitions: average %zu, latched %zu, guarded %zu, voted %zu, "
                 "follows %zu; "
                 "%zu escalated, %zu suppressed or no longer\n",
                 j.lives, j.frames, j.events[AVERAGE], j.events[LATCHED], j.events[GUARDED], j.events[VOTED],
                 j.events[FOLLOWS], j.escalations, j.suppressions);
    for (int kind = 0; kind < KINDS; kind++)
        WORLD_CHECK(&w, j.events[kind] >= 6, "too little happened to %s", kind_names[kind]);
    WORLD_CHECK(&w, j.lives > 2 && j.frames > 8000 && j.escalations > 5 && j.suppressions > 5,
                "too little happened to show anything");
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
