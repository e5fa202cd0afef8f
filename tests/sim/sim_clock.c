/* LINK rg_sim rg_daemon rg_loop_virtual */
/* The system clock starts unset, becomes synchronised, jumps by hours, passes midnight and the year's end; and once more, with settings drawn
 * by lot: by seconds, hours and years, to the eve of a leap day and the end of 32-bit time, synchronised or not. The same plant is
 * run with a clock that does nothing of the kind: polls, alarms, deliveries and documents must come at the same monotonic instants. Each
 * reading has the time that the clock showed when it was taken, and says so when that cannot be trusted; each step is told. */
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "world.h"

#define DEVICES 4
#define HOURS 9
#define COMMIT_MS (5 * WORLD_SECOND)
#define TRACE 4096
#define STEPS 40 /* at most */
#define RECORDS 40000
#define AT_ONCE_MS 200

/* From this instant on the wall clock shows this. */
struct clock_state {
    int64_t from_ms; /* monotonic, from the start */
    int64_t wall_ms; /* set to, when not 0 */
    int64_t step_ms; /* or moved by */
    bool synced;
};

static const struct clock_state usual[] = {
    {0, INT64_C(86400000), 0, false},                            /* a board without a battery: 1970-01-02 */
    {20 * WORLD_MINUTE + 5003, INT64_C(1767193200000), 0, true}, /* 2025-12-31 15:00 UTC, 23:00 in Beijing */
    {3 * WORLD_HOUR + 7001, 0, 2 * WORLD_HOUR, true},
    {4 * WORLD_HOUR + 3009, 0, -5 * WORLD_HOUR, true},
    {5 * WORLD_HOUR + 1507, 0, 400, true}, /* too small to be a step */
    {6 * WORLD_HOUR + 4001, 0, 0, false},
    {7 * WORLD_HOUR + 2501, 0, -1500, false},
    {8 * WORLD_HOUR + 8807, 0, 8 * WORLD_HOUR, true},
};

struct trace {
    struct {
        int64_t at_ms;
        char what[96];
    } items[TRACE];
    size_t count;
};

enum settings { STEADY, USUAL, BY_LOT, RUNS };

struct clock_run {
    struct world w;
    enum settings settings;
    struct clock_state steps[STEPS];
    size_t step_count;
    bool told[STEPS];                               /* as an event */
    int64_t taken_ms[RECORDS], arrived_ms[RECORDS]; /* telemetry, by its number */
    struct trace alarms;
    int64_t from_ms[STEPS], offset_ms[STEPS]; /* what the clock showed, less monotonic */
    bool synced[STEPS];
    size_t states;
    size_t records[DEVICES]; /* telemetry seen */
    size_t clock_events;
};
static struct clock_run runs[RUNS];
static struct clock_run *now_running;

static size_t state_at(const struct clock_run *r, int64_t mono_ms)
{
    size_t i = r->states;

    while (i > 1 && r->from_ms[i - 1] > mono_ms)
        i--;
    return i - 1;
}

static void see_reading(struct clock_run *r, const struct json *record, int64_t at_ms)
{
    int64_t seq = json_int(json_get(record, "seq"), 0);

    const char *device = json_string(json_get(record, "device")),
               *clock = json_string(json_get(record, "clock"));
    unsigned n = 0;
    const struct world_poll *poll;
    size_t state;

    WORLD_CHECK(&r->w, seq > 0 && seq < RECORDS, "telemetry %lld", (long long)seq);
    r->arrived_ms[seq] = at_ms;
    WORLD_CHECK(&r->w, device && sscanf(device, "d%u", &n) == 1 && n < DEVICES, "a record without device");
    WORLD_CHECK(&r->w, r->records[n] < r->w.devices[n].poll_count, "d%u: more records than answers", n);
    poll = &r->w.devices[n].polls[r->records[n]++];
    r->taken_ms[seq] = poll->ended_ms;
    state = state_at(r, poll->ended_ms);
    WORLD_CHECK(&r->w, json_int(json_get(record, "ts"), 0) == poll->ended_ms + r->offset_ms[state],
                "d%u: the reading of %lld has the time %lld", n, (long long)poll->ended_ms,
                (long long)json_int(json_get(record, "ts"), 0));
    WORLD_CHECK(&r->w, (clock != NULL) == !r->synced[state], "d%u: the reading of %lld is marked %s", n,
                (long long)poll->ended_ms, clock ? clock : "synchronised");
}

/* A setting of less than a second is none: the end of a delay stays where the reading that began it put it. */
static bool at_once(int64_t late)
{
    return late > -1000 && late < AT_ONCE_MS + 1000;
}

static void see_alarm(struct clock_run *r, const struct json *record, int64_t at_ms)
{
    /* Alarms are committed and sent at once: the time told is that of the clock as it is now, or was a moment ago. */
    size_t now = state_at(r, at_ms), before = state_at(r, at_ms - AT_ONCE_MS);
    int64_t ts = json_int(json_get(record, "ts"), 0), late = at_ms + r->offset_ms[now] - ts;
    bool unsynced = json_get(record, "clock") != NULL;

    if (!at_once(late))
        late = at_ms + r->offset_ms[before] - ts;
    WORLD_CHECK(&r->w, at_once(late), "an alarm that came at %lld has the time %lld, %lld ms off",
                (long long)at_ms, (long long)ts, (long long)late);
    WORLD_CHECK(&r->w, unsynced == !r->synced[now] || unsynced == !r->synced[before],
                "the alarm of %lld is marked %s", (long long)ts, unsynced ? "unsynced" : "synchronised");
    WORLD_CHECK(&r->w, r->alarms.count < TRACE, "too many alarms");
    r->alarms.items[r->alarms.count].at_ms = at_ms;
    (void)snprintf(r->alarms.items[r->alarms.count++].what, sizeof r->alarms.items[0].what, "%s %s %s %s",
                   json_string(json_get(record, "event")), json_string(json_get(record, "level")),
                   json_string(json_get(record, "rule")), json_string(json_get(record, "point")));
}

static void see_event(struct clock_run *r, const struct json *record)
{
    const char *kind = json_string(json_get(record, "kind"));
    size_t k = 0, want = ++r->clock_events;
    int64_t step = 0;

    if (!kind || strcmp(kind, "clock") != 0) {
        r->clock_events--;
        return;
    }
    for (size_t i = 0; i < r->states; i++) {
        if (!r->told[i] || --want > 0)
            continue;
        k = i;
        break;
    }
    WORLD_CHECK(&r->w, k > 0, "an event tells of a step that was none");
    step = r->offset_ms[k] - r->offset_ms[k - 1];
    if (step > -1000 && step < 1000)
        step = 0; /* only the synchronisation is told */
    WORLD_CHECK(&r->w,
                json_int(json_get(record, "step_ms"), -1) == step &&
                    json_bool(json_get(record, "synced"), false) == r->synced[k],
                "step %zu of %lld ms is told as one of %lld ms", k, (long long)step,
                (long long)json_int(json_get(record, "step_ms"), -1));
}

static void look_cb(struct world_platform *p, const char *topic, const struct support_message *m)
{
    struct clock_run *r = now_running;
    struct json *json = NULL;

    WORLD_CHECK(p->world, json_parse(m->payload, m->length, 1 << 20, &json) == RG_OK, "a message is no JSON");
    for (const struct json *record = json_first(json_get(json, "records")); record;
         record = json_next(record)) {
        if (strcmp(topic, "telemetry") == 0)
            see_reading(r, record, m->at_ms);
        else if (strcmp(topic, "alarm") == 0)
            see_alarm(r, record, m->at_ms);
        else if (strcmp(topic, "event") == 0)
            see_event(r, record);
    }
    json_free(json);
}

static void set_clock(struct clock_run *r, size_t i)
{
    const struct clock_state *to = &r->steps[i];
    struct loop *loop = r->w.loop;
    int64_t step;

    if (r->settings != STEADY) {
        if (to->wall_ms != 0)
            virtual_loop_set_wall(loop, to->wall_ms);
        virtual_loop_set_wall(loop, loop_wall_ms(loop) + to->step_ms);
        virtual_loop_set_synced(loop, to->synced);
    }
    r->from_ms[i] = world_now(&r->w);
    r->offset_ms[i] = loop_wall_ms(loop) - loop_mono_ms(loop);
    r->synced[i] = loop_clock_synced(loop);
    step = i > 0 ? r->offset_ms[i] - r->offset_ms[i - 1] : 0;
    r->told[i] = i > 0 && (step >= 1000 || step <= -1000 || r->synced[i] != r->synced[i - 1]);
    r->states = i + 1;
}

/* From its own dice: what the plant does must not depend on the clock's settings. A clock that says it is synchronised is at most days off,
 * for the retention believes it; one that does not may show anything. */
static void draw_settings(struct clock_run *r, uint64_t seed)
{
    static const int64_t eves[] = {
        INT64_C(1835481594000), /* 2028-02-29 23:59:54, a leap day */
        INT64_C(1835395191000), /* 2028-02-28 23:59:51 */
        INT64_C(1803859196000), /* 2027-02-28 23:59:56 */
        INT64_C(1798761597000), /* 2026-12-31 23:59:57 */
        INT64_C(1785542398000), /* 2026-07-31 23:59:58 */
        INT64_C(2147483640000), /* the end of 32-bit time */
        INT64_C(4107542395000), /* 2100-02-28 23:59:55, no leap year */
    };
    static const int64_t steps[] = {400, 1200, 7000, 90 * WORLD_SECOND, WORLD_HOUR, 26 * WORLD_HOUR};
    struct rg_random dice;
    int64_t at = 0, eve, synced = 0;

    random_seed(&dice, seed);
    eve = eves[seed % RG_COUNT(eves)];
    r->steps[0] =
        (struct clock_state){.wall_ms = random_below(&dice, 2) ? WORLD_DAY : eve + 20000 * WORLD_DAY};
    for (r->step_count = 1; r->step_count < STEPS; r->step_count++) {
        struct clock_state *to = &r->steps[r->step_count];

        at += 3011 + (int64_t)random_below(&dice, 2 * (uint64_t)HOURS * WORLD_HOUR / STEPS);
        if (at > HOURS * WORLD_HOUR - WORLD_MINUTE)
            break;
        at -= at % 10 - 7; /* not the instant of an answer */
        *to = (struct clock_state){.from_ms = at, .synced = random_below(&dice, 3) > 0};
        to->step_ms = steps[random_below(&dice, RG_COUNT(steps))];
        if (random_below(&dice, 2))
            to->step_ms = -to->step_ms;
        if (!to->synced)
            to->wall_ms = (to->step_ms < 0 ? 400 * WORLD_DAY : eve + 20000 * WORLD_DAY) + at;
        if (to->synced && synced == 0)
            synced = at;
        if (to->synced)
            to->wall_ms = eve + at - synced;
    }
}

static void plan_settings(struct clock_run *r, uint64_t seed)
{
    if (r->settings == BY_LOT) {
        draw_settings(r, seed);
        return;
    }
    memcpy(r->steps, usual, sizeof usual);
    r->step_count = RG_COUNT(usual);
}

static void plan_excursions(struct world *w)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        for (unsigned p = 0; p < WORLD_RULED; p++) {
            int64_t at = VIRTUAL_MONO_MS;

            for (;;) {
                static const double values[WORLD_RULED][2] = {{25, 45}, {60, 80}, {2, 4}};
                struct world_window e = {.value = values[p][random_below(&w->random, 2)]};

                e.from_ms = at + world_between(w, WORLD_MINUTE, 20 * WORLD_MINUTE);
                e.to_ms = at = e.from_ms + world_between(w, WORLD_SECOND, 5 * WORLD_MINUTE);
                if (e.to_ms > VIRTUAL_MONO_MS + HOURS * WORLD_HOUR)
                    break;
                world_window_add(w, &w->devices[i].excursions[p], e);
            }
        }
    }
}

static void run_once(struct clock_run *r, uint64_t seed, enum settings settings)
{
    const struct world_plan plan = {
        .devices = DEVICES,
        .points = 4,
        .buses = 2,
        .uplinks = 1,
        .poll_ms = 10 * WORLD_SECOND,
        .commit_ms = COMMIT_MS,
        .offline_ms = 40 * WORLD_SECOND,
        .backfill_rate = 200,
        .red = 40,
        .duration_ms = HOURS * WORLD_HOUR,
    };

    memset(r, 0, sizeof *r);
    r->settings = settings;
    plan_settings(r, seed);
    now_running = r;
    world_create(&r->w, seed, &plan);
    plan_excursions(&r->w);
    /* Two silences, so that offline alarms are among them. */
    for (int64_t hour = 3; hour <= 8; hour += 5)
        world_window_add(&r->w, &r->w.devices[hour % DEVICES].faults,
                         (struct world_window){.from_ms = VIRTUAL_MONO_MS + hour * WORLD_HOUR - WORLD_MINUTE,
                                               .to_ms = VIRTUAL_MONO_MS + hour * WORLD_HOUR + WORLD_MINUTE,
                                               .fault = WORLD_EXCEPTION});
    set_clock(r, 0);
    r->w.platforms[0].look = look_cb;
    world_start(&r->w);
    for (size_t i = 1; i < r->step_count; i++) {
        world_run_for(&r->w, VIRTUAL_MONO_MS + r->steps[i].from_ms - world_now(&r->w));
        set_clock(r, i);
    }
    world_run_for(&r->w, VIRTUAL_MONO_MS + HOURS * WORLD_HOUR - world_now(&r->w));
    world_settle(&r->w, WORLD_MINUTE);
    world_check_active(&r->w);
    world_check_platforms(&r->w);
    WORLD_CHECK(&r->w, r->w.platforms[0].risk_gap_ms <= PIPELINE_RISK_EVERY_MS + 1000,
                "%lld ms between two risk documents", (long long)r->w.platforms[0].risk_gap_ms);
}

static void compare(const struct clock_run *a, const struct clock_run *b)
{
    WORLD_CHECK(&b->w, a->alarms.count == b->alarms.count && a->alarms.count > 100,
                "%zu alarm records instead of %zu", b->alarms.count, a->alarms.count);
    for (size_t i = 0; i < a->alarms.count; i++) {
        int64_t late = b->alarms.items[i].at_ms - a->alarms.items[i].at_ms;

        WORLD_CHECK(
            &b->w, strcmp(a->alarms.items[i].what, b->alarms.items[i].what) == 0 && late >= -50 && late <= 50,
            "alarm record %zu: %s at %lld instead of %s at %lld", i, b->alarms.items[i].what,
            (long long)b->alarms.items[i].at_ms, a->alarms.items[i].what,
            (long long)a->alarms.items[i].at_ms);
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct world_device *x = &a->w.devices[i], *y = &b->w.devices[i];

        WORLD_CHECK(&b->w, x->poll_count == y->poll_count, "d%u was asked %zu times instead of %zu", i,
                    y->poll_count, x->poll_count);
        for (size_t k = 0; k < x->poll_count; k++)
            WORLD_CHECK(&b->w, x->polls[k].begun_ms == y->polls[k].begun_ms,
                        "d%u was asked at %lld instead of %lld", i, (long long)y->polls[k].begun_ms,
                        (long long)x->polls[k].begun_ms);
    }
}

/* A step is told at once, and telemetry goes along: so the commits are others, but no record waits for longer than one. */
static void compare_deliveries(const struct clock_run *a, const struct clock_run *b)
{
    size_t count = 0;

    for (size_t i = 1; i < RECORDS; i++) {
        int64_t taken_ms = a->arrived_ms[i] != 0 ? a->taken_ms[i] : b->taken_ms[i];

        /* How far a run goes on until nothing waits is its own affair. */
        if (taken_ms >= VIRTUAL_MONO_MS + HOURS * WORLD_HOUR)
            break;
        WORLD_CHECK(&b->w, (a->arrived_ms[i] != 0) == (b->arrived_ms[i] != 0), "telemetry %zu came once only",
                    i);
        WORLD_CHECK(&b->w, b->arrived_ms[i] <= b->taken_ms[i] + COMMIT_MS + 100,
                    "telemetry %zu came at %lld, taken at %lld", i, (long long)b->arrived_ms[i],
                    (long long)b->taken_ms[i]);
        count += a->arrived_ms[i] != 0;
    }
    WORLD_CHECK(&b->w, count > 10000, "%zu records of telemetry", count);
}

static void run(uint64_t seed)
{
    for (int i = 0; i < RUNS; i++) {
        size_t told = 0;

        run_once(&runs[i], seed, (enum settings)i);
        world_stop(&runs[i].w);
        if (i == STEADY)
            world_check_alarms(&runs[i].w);
        for (unsigned k = 0; k < runs[i].w.plan.uplinks; k++)
            world_platform_destroy(&runs[i].w.platforms[k]); /* one world at a time has the brokers' ports */
        runs[i].w.plan.uplinks = 0;
        for (size_t k = 0; k < runs[i].states; k++)
            told += runs[i].told[k];
        WORLD_CHECK(&runs[i].w, runs[i].clock_events == told, "%zu steps are told instead of %zu",
                    runs[i].clock_events, told);
        WORLD_CHECK(&runs[i].w, (told == 0) == (i == STEADY), "%zu steps are told", told);
        compare(&runs[STEADY], &runs[i]);
        compare_deliveries(&runs[STEADY], &runs[i]);
        (void)printf("  %zu alarm records, %zu steps told\n", runs[i].alarms.count, told);
    }
    for (int i = 0; i < RUNS; i++)
        world_destroy(&runs[i].w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
