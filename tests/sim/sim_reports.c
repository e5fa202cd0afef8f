/* LINK rg_sim rg_daemon rg_loop_virtual; LABEL slow; SEEDS 1 */
/* Forty-two days over two changes of the clocks, with quiet and busy days, outages, stops, power cuts, days without power, self
 * tests, and a platform that acknowledges nothing for a while: every day and month has its report, once, end to end, and each
 * figure in it is what is counted here from what the platform got, what the plant was asked, and when the power was on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json_read.h"
#include "world.h"

#define DEVICES 2
#define POINTS 3
#define POLL_MS (2 * WORLD_MINUTE)
#define DAYS 42
#define ALARMS_MAX 4096
#define RUNS_MAX 256
#define REPORTS_MAX 128
/* Clocks are put forward on the 7th of December 2025 at two, and back on the 21st. */
#define ZONE "AAA8BBB,M12.1.0,M12.3.0"

struct occurrence {
    char id[80];
    int64_t raised, cleared; /* wall; cleared 0: it is active */
    struct change {
        int64_t ts;
        int level; /* from then on */
        bool acked;
    } changes[16];
    size_t change_count;
    size_t acks;
    int64_t acked[8];
};

struct run {
    int64_t from, to; /* wall; to 0: it goes on */
    bool cut;         /* ended by a power cut */
};

static struct oracle {
    struct world *w;
    struct occurrence alarms[ALARMS_MAX];
    size_t alarm_count;
    struct run runs[RUNS_MAX];
    size_t run_count;
    struct json *records[REPORTS_MAX];
    size_t report_count;
    uint64_t tests, tests_failed;
} o;

static int64_t wall(const struct world *w)
{
    return loop_wall_ms(w->loop);
}

/* ---- the world ---- */

static void power_on(struct world *w)
{
    WORLD_CHECK(w, o.run_count < RUNS_MAX, "more runs than there is room for");
    o.runs[o.run_count++] = (struct run){.from = wall(w)};
    world_start(w);
}

static void power_off(struct world *w, bool cut)
{
    struct run *run = &o.runs[o.run_count - 1];

    if (cut)
        world_crash(w);
    else
        world_stop(w);
    run->to = wall(w);
    run->cut = cut;
}

struct pick {
    char id[ALARM_ID_MAX];
};

static void pick_cb(void *arg, const struct alarm *alarm)
{
    struct pick *pick = arg;

    if (!alarm->acked)
        (void)snprintf(pick->id, sizeof pick->id, "%s", alarm->id);
}

static void acknowledge(struct world *w)
{
    struct pick pick = {""};

    rules_each(app_pipeline(w->app)->rules, pick_cb, &pick);
    if (pick.id[0])
        WORLD_CHECK(w, pipeline_ack(app_pipeline(w->app), pick.id, "张三", NULL) == RG_OK, "%s is not taken",
                    pick.id);
}

static void plan_day(struct world *w, int day)
{
    int64_t begins = VIRTUAL_MONO_MS + day * WORLD_DAY;

    if (day % 3 == 1)
        return; /* nothing happens */
    for (int64_t at = begins + WORLD_HOUR; at < begins + WORLD_DAY - 3 * WORLD_HOUR;
         at += world_between(w, WORLD_HOUR, 6 * WORLD_HOUR)) {
        static const double values[WORLD_RULED][2] = {{12, 45}, {60, 60}, {3, 3}};
        unsigned point = (unsigned)world_between(w, 0, WORLD_RULED - 1);
        int64_t length = world_between(w, 10, 110) * WORLD_MINUTE;

        world_window_add(w, &w->devices[world_between(w, 0, DEVICES - 1)].excursions[point],
                         (struct world_window){.from_ms = at,
                                               .to_ms = at + length,
                                               .value = values[point][world_between(w, 0, 1)]});
        if (world_between(w, 0, 3) == 0)
            world_window_add(
                w, &w->devices[1].faults,
                (struct world_window){.from_ms = at,
                                      .to_ms = at + world_between(w, 5, 55) * WORLD_MINUTE,
                                      .fault = world_between(w, 0, 1) ? WORLD_SILENT : WORLD_SENSOR});
        at += length;
    }
}

static void live_day(struct world *w, int day)
{
    struct support_broker *county = w->platforms[0].broker;
    int64_t ends = VIRTUAL_MONO_MS + (day + 1) * WORLD_DAY;

    if (day == 20)
        county->hold_acks = true;
    if (day == 21)
        support_broker_release(county);
    while (world_now(w) < ends) {
        int64_t chance = day % 3 == 1 && day != 22 ? 0 : world_between(w, 0, 99);

        world_run_for(w, world_between(w, 10, 90) * WORLD_MINUTE);
        if (chance >= 80) {
            acknowledge(w);
        } else if (chance >= 74) {
            world_reload(w);
        } else if (chance >= 66) {
            power_off(w, chance % 2 == 0);
            world_run_for(w, world_between(w, 1, 400) * WORLD_MINUTE);
            power_on(w);
        }
    }
    if (day == 26) { /* three days without power */
        power_off(w, true);
        world_run_for(w, 3 * WORLD_DAY);
        power_on(w);
    }
}

/* ---- what the platform got ---- */

static int level_of(const char *name)
{
    static const char *const names[] = {"none", "blue", "yellow", "orange", "red"};

    for (int i = 0; i < 5; i++) {
        if (name && strcmp(name, names[i]) == 0)
            return i;
    }
    return -1;
}

static void take_alarm(const struct json *r)
{
    const char *id = json_string(json_get(r, "alarm")), *event = json_string(json_get(r, "event"));
    int64_t ts = json_int(json_get(r, "ts"), 0);
    struct occurrence *a = NULL;

    if (json_bool(json_get(r, "test"), false))
        return;
    for (size_t i = o.alarm_count; i > 0 && !a; i--) {
        if (strcmp(o.alarms[i - 1].id, id) == 0)
            a = &o.alarms[i - 1];
    }
    if (!a) {
        WORLD_CHECK(o.w, o.alarm_count < ALARMS_MAX && strcmp(event, "raise") == 0, "alarm %s begins with %s",
                    id, event);
        a = &o.alarms[o.alarm_count++];
        *a = (struct occurrence){.raised = ts};
        (void)snprintf(a->id, sizeof a->id, "%s", id);
    }
    if (strcmp(event, "clear") == 0)
        a->cleared = ts;
    if (strcmp(event, "ack") == 0) {
        WORLD_CHECK(o.w, a->acks < 8, "%zu acknowledgements", a->acks);
        a->acked[a->acks++] = ts;
    }
    WORLD_CHECK(o.w, a->change_count < 16, "alarm %s has too many changes", id);
    a->changes[a->change_count++] = (struct change){ts, level_of(json_string(json_get(r, "level"))),
                                                    json_bool(json_get(r, "acked"), false)};
}

static struct json *parsed(const struct world_text *t)
{
    struct json *json = NULL;

    WORLD_CHECK(o.w, t && json_parse(t->text, t->length, 1 << 20, &json) == RG_OK, "a record is no JSON");
    return json;
}

static void take_all(struct world *w)
{
    const struct world_platform *p = &w->platforms[0];

    for (int64_t seq = 1; seq <= p->gateway->ledgers[KIND_ALARM].top; seq++) {
        struct json *json = parsed(world_platform_text(p, KIND_ALARM, seq));

        take_alarm(json);
        json_free(json);
    }
    for (int64_t seq = 1; seq <= p->gateway->ledgers[KIND_EVENT].top; seq++) {
        struct json *json = parsed(world_platform_text(p, KIND_EVENT, seq));

        if (strcmp(json_string(json_get(json, "kind")), "self_test") == 0) {
            o.tests++;
            o.tests_failed += !json_bool(json_get(json, "ok"), true);
        }
        json_free(json);
    }
    for (int64_t seq = 1; seq <= p->gateway->ledgers[KIND_REPORT].top; seq++) {
        const struct world_text *t = world_platform_text(p, KIND_REPORT, seq);

        WORLD_CHECK(w, o.report_count < REPORTS_MAX && t->length < 16384, "report %lld: %zu bytes",
                    (long long)seq, t->length);
        o.records[o.report_count++] = parsed(t);
    }
}

/* ---- what has to be in a report ---- */

static int64_t figure(const struct json *report, const char *key, const char *sub)
{
    const struct json *at = json_get(report, key);

    return json_int(sub ? json_get(at, sub) : at, -1);
}

static void same(const struct json *report, const char *what, int64_t found, int64_t wanted)
{
    WORLD_CHECK(o.w, found == wanted, "%s report from %lld: %s is %lld, not %lld",
                json_string(json_get(report, "kind")), (long long)figure(report, "from", NULL), what,
                (long long)found, (long long)wanted);
}

static bool active_at(const struct occurrence *a, int64_t at)
{
    return a->raised < at && (a->cleared == 0 || a->cleared >= at);
}

static const struct change *state_at(const struct occurrence *a, int64_t at)
{
    const struct change *last = NULL;

    for (size_t i = 0; i < a->change_count && a->changes[i].ts < at; i++)
        last = &a->changes[i];
    return last;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void check_times(const struct json *report, const char *key, int64_t *times, size_t count)
{
    const struct json *t = json_get(report, key);

    qsort(times, count, sizeof *times, compare_times);
    same(report, key, json_int(json_get(t, "n"), -1), (int64_t)count);
    if (count == 0)
        return;
    same(report, key, llround(json_double(json_get(t, "p50"), -1) * 1000), times[(count - 1) / 2]);
    same(report, key, llround(json_double(json_get(t, "max"), -1) * 1000), times[count - 1]);
}

static void check_alarms(const struct json *report, int64_t from, int64_t to)
{
    static const char *const names[] = {"none", "blue", "yellow", "orange", "red"};
    static int64_t acks[ALARMS_MAX], clears[ALARMS_MAX];
    int64_t raised[5] = {0}, open[5] = {0}, before = 0, acked = 0, unacked = 0;
    size_t ack_count = 0, clear_count = 0;

    for (size_t i = 0; i < o.alarm_count; i++) {
        const struct occurrence *a = &o.alarms[i];
        int highest = 0;

        for (size_t k = 0; k < a->change_count; k++) {
            if (a->changes[k].ts >= from && a->changes[k].ts < to && a->changes[k].level > highest)
                highest = a->changes[k].level;
        }
        if (a->raised >= from && a->raised < to)
            raised[highest]++;
        if (active_at(a, to))
            open[state_at(a, to)->level]++;
        before += active_at(a, from);
        if (a->raised < to && (a->cleared == 0 || a->cleared >= from)) {
            bool is = a->acks > 0 && a->acked[a->acks - 1] < to && state_at(a, INT64_MAX)->acked;

            acked += is;
            unacked += !is;
        }
        for (size_t k = 0; k < a->acks; k++) {
            if (a->acked[k] >= from && a->acked[k] < to)
                acks[ack_count++] = a->acked[k] - a->raised;
        }
        if (a->cleared >= from && a->cleared < to)
            clears[clear_count++] = a->cleared - a->raised;
    }
    for (int level = 1; level < 5; level++) {
        same(report, names[level], figure(report, "raised", names[level]), raised[level]);
        same(report, names[level], figure(report, "open", names[level]), open[level]);
    }
    same(report, "open_before", figure(report, "open_before", NULL), before);
    same(report, "acked", figure(report, "acked", NULL), acked);
    same(report, "unacked", figure(report, "unacked", NULL), unacked);
    check_times(report, "time_to_ack_s", acks, ack_count);
    check_times(report, "time_to_clear_s", clears, clear_count);
    same(report, "zero", json_bool(json_get(report, "zero"), false),
         before + raised[1] + raised[2] + raised[3] + raised[4] + open[1] + open[2] + open[3] + open[4] == 0);
}

static void check_samples(const struct json *report, int64_t from, int64_t to)
{
    int64_t shift = VIRTUAL_WALL_MS - VIRTUAL_MONO_MS, received = 0, cuts = 0, found, missing;
    int64_t expected = DEVICES * (POINTS * (to - from) / POLL_MS);

    for (unsigned d = 0; d < DEVICES; d++) {
        const struct world_device *device = &o.w->devices[d];

        for (size_t i = 0; i < device->poll_count; i++) {
            int64_t at = device->polls[i].ended_ms + shift;

            received += device->polls[i].heard && at >= from && at < to ? POINTS : 0;
        }
    }
    for (size_t i = 0; i < o.run_count; i++)
        cuts += o.runs[i].cut && o.runs[i].to >= from && o.runs[i].to < to + 2 * WORLD_MINUTE;
    if (received > expected)
        received = expected;
    found = figure(report, "samples", "received");
    missing = received - found;
    same(report, "expected", figure(report, "samples", "expected"), expected);
    /* A power cut takes what was not committed; a reload asks once more than the grid, which is no surplus of each device. */
    WORLD_CHECK(o.w, missing >= -DEVICES * POINTS && missing <= (cuts + 3) * DEVICES * POINTS,
                "report from %lld: %lld samples received, not %lld", (long long)from, (long long)found,
                (long long)received);
}

static void check_power(const struct json *report, int64_t from, int64_t to)
{
    int64_t up = 0, found = figure(report, "uptime_s", NULL), doubt = 0;

    for (size_t i = 0; i < o.run_count; i++) {
        const struct run *run = &o.runs[i];
        int64_t begin = run->from > from ? run->from : from;
        int64_t end = run->to == 0 || run->to > to ? to : run->to;

        up += end > begin ? end - begin : 0;
        /* After a power cut the last sign of life is the last poll. */
        doubt += run->cut && run->to > from && run->to < to + 2 * POLL_MS ? 2 * POLL_MS : 1000;
    }
    WORLD_CHECK(o.w, llabs(up / 1000 - found) <= doubt / 1000 + 1,
                "report from %lld: up for %lld s, not %lld", (long long)from, (long long)found,
                (long long)up / 1000);
}

static int64_t midnight(int64_t wall_ms, int days, bool month)
{
    time_t at = (time_t)(wall_ms / 1000);
    struct tm tm;

    (void)localtime_r(&at, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    tm.tm_mday = month ? 1 : tm.tm_mday + days;
    tm.tm_mon += month ? days : 0;
    return (int64_t)mktime(&tm) * 1000;
}

/* Each period once, end to end. */
static void check_kind(struct world *w, const char *kind, bool month, size_t wanted, size_t zeros)
{
    int64_t end = 0, tests = 0, failed = 0;
    size_t count = 0, zero = 0, late = 0;

    for (size_t i = 0; i < o.report_count; i++) {
        const struct json *r = o.records[i];
        int64_t from = figure(r, "from", NULL), to = figure(r, "to", NULL), ts = figure(r, "ts", NULL);

        if (strcmp(json_string(json_get(r, "kind")), kind) != 0)
            continue;
        if (count == 0)
            WORLD_CHECK(w, from == o.runs[0].from, "the first begins at %lld", (long long)from);
        else
            same(r, "from", from, end);
        same(r, "to", to, midnight(from, 1, month));
        WORLD_CHECK(w, ts >= to + (month ? 10 : 5) * WORLD_MINUTE, "report made at %lld", (long long)ts);
        late += json_bool(json_get(r, "late"), false);
        zero += json_bool(json_get(r, "zero"), false);
        end = to;
        count++;
        check_alarms(r, from, to);
        check_samples(r, from, to);
        check_power(r, from, to);
        tests += figure(json_first(json_get(r, "uplinks")), "tests", NULL);
        failed += figure(json_first(json_get(r, "uplinks")), "failed", NULL);
    }
    WORLD_CHECK(w, count == wanted, "%zu %s reports, not %zu", count, kind, wanted);
    WORLD_CHECK(w, zero >= zeros, "only %zu zero reports", zero);
    WORLD_CHECK(w, month || late >= 2, "only %zu late reports", late);
    WORLD_CHECK(w, tests <= (int64_t)o.tests && (month || tests >= (int64_t)o.tests - 8),
                "%lld self tests of %llu", (long long)tests, (unsigned long long)o.tests);
    WORLD_CHECK(w, month || failed == (int64_t)o.tests_failed, "%lld failed self tests of %llu",
                (long long)failed, (unsigned long long)o.tests_failed);
    (void)printf("  %zu %s reports, %zu of them zero, %zu late; %lld self tests, %lld failed\n", count, kind,
                 zero, late, (long long)tests, (long long)failed);
}

static void run(uint64_t seed)
{
    const struct world_plan plan = {
        .devices = DEVICES,
        .points = POINTS,
        .buses = 1,
        .uplinks = 2,
        .poll_ms = POLL_MS,
        .commit_ms = WORLD_SECOND,
        .offline_ms = 10 * WORLD_MINUTE,
        .backfill_rate = 1000,
        .red = 40,
        .more = "self_test: {every: 6h, limit: 30s, uplinks: county}\n",
        .duration_ms = (DAYS + 2) * WORLD_DAY,
    };
    static struct world w;

    memset(&o, 0, sizeof o);
    o.w = &w;
    (void)setenv("TZ", ZONE, 1);
    tzset();
    world_create(&w, seed, &plan);
    for (int day = 0; day < DAYS; day++)
        plan_day(&w, day);
    power_on(&w);
    for (int day = 0; day < DAYS; day++)
        live_day(&w, day);
    world_settle(&w, 4 * WORLD_HOUR);
    world_check_active(&w);
    world_check_platforms(&w);
    take_all(&w);
    WORLD_CHECK(&w, o.tests_failed > 0 && o.tests_failed < 8, "%llu failed self tests",
                (unsigned long long)o.tests_failed);
    check_kind(&w, "daily", false, DAYS, 1);
    check_kind(&w, "monthly", true, 2, 0);
    for (size_t i = 0; i < o.report_count; i++)
        json_free(o.records[i]);
    world_stop(&w);
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
