/* LINK rg_sim rg_daemon rg_loop_virtual */
/* The system clock starts unset, becomes synchronised, jumps by hours, passes midnight and the year's end. The same plant is run with
 * a clock that does nothing of the kind: polls, alarms and documents must come at the same monotonic instants. Each reading has the
 * time that the clock showed when it was taken, and says so when that cannot be trusted; each step is told. */
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "world.h"

#define DEVICES 4
#define HOURS 9
#define TRACE 4096
#define STEPS 8

/* From this instant on the wall clock shows this. */
struct clock_state {
    int64_t from_ms; /* monotonic, from the start */
    int64_t wall_ms; /* set to, when not 0 */
    int64_t step_ms; /* or moved by */
    bool synced;
    bool told; /* as an event */
};

static const struct clock_state steps[STEPS] = {
    {0, INT64_C(86400000), 0, false, false}, /* a board without a battery: 1970-01-02 */
    {20 * WORLD_MINUTE + 5003, INT64_C(1767193200000), 0, true,
     true}, /* 2025-12-31 15:00 UTC, 23:00 in Beijing */
    {3 * WORLD_HOUR + 7001, 0, 2 * WORLD_HOUR, true, true},
    {4 * WORLD_HOUR + 3009, 0, -5 * WORLD_HOUR, true, true},
    {5 * WORLD_HOUR + 1507, 0, 400, true, false}, /* too small to be a step */
    {6 * WORLD_HOUR + 4001, 0, 0, false, true},
    {7 * WORLD_HOUR + 2501, 0, -1500, false, true},
    {8 * WORLD_HOUR + 8807, 0, 8 * WORLD_HOUR, true, true},
};

struct trace {
    struct {
        int64_t at_ms;
        char what[96];
    } items[TRACE];
    size_t count;
};

struct clock_run {
    struct world w;
    bool steady; /* the clock does nothing */
    struct trace alarms;
    int64_t from_ms[STEPS], offset_ms[STEPS]; /* what the clock showed, less monotonic */
    bool synced[STEPS];
    size_t states;
    size_t records[DEVICES]; /* telemetry seen */
    size_t clock_events;
};
static struct clock_run runs[2];
static struct clock_run *now_running;

static size_t state_at(const struct clock_run *r, int64_t mono_ms)
{
    size_t i = r->states;

    while (i > 1 && r->from_ms[i - 1] > mono_ms)
        i--;
    return i - 1;
}

static void see_reading(struct clock_run *r, const struct json *record)
{
    const char *device = json_string(json_get(record, "device")),
               *clock = json_string(json_get(record, "clock"));
    unsigned n = 0;
    const struct world_poll *poll;
    size_t state;

    WORLD_CHECK(&r->w, device && sscanf(device, "d%u", &n) == 1 && n < DEVICES, "a record without device");
    WORLD_CHECK(&r->w, r->records[n] < r->w.devices[n].poll_count, "d%u: more records than answers", n);
    poll = &r->w.devices[n].polls[r->records[n]++];
    state = state_at(r, poll->ended_ms);
    WORLD_CHECK(&r->w, json_int(json_get(record, "ts"), 0) == poll->ended_ms + r->offset_ms[state],
                "d%u: the reading of %lld has the time %lld", n, (long long)poll->ended_ms,
                (long long)json_int(json_get(record, "ts"), 0));
    WORLD_CHECK(&r->w, (clock != NULL) == !r->synced[state], "d%u: the reading of %lld is marked %s", n,
                (long long)poll->ended_ms, clock ? clock : "synchronised");
}

static void see_alarm(struct clock_run *r, const struct json *record, int64_t at_ms)
{
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
        if (!steps[i].told || --want > 0)
            continue;
        k = i;
        break;
    }
    WORLD_CHECK(&r->w, k > 0, "an event tells of a step that was none");
    step = r->offset_ms[k] - r->offset_ms[k - 1];
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
            see_reading(r, record);
        else if (strcmp(topic, "alarm") == 0)
            see_alarm(r, record, m->at_ms);
        else if (strcmp(topic, "event") == 0)
            see_event(r, record);
    }
    json_free(json);
}

static void set_clock(struct clock_run *r, size_t i)
{
    struct loop *loop = r->w.loop;

    if (!r->steady) {
        if (steps[i].wall_ms != 0)
            virtual_loop_set_wall(loop, steps[i].wall_ms);
        virtual_loop_set_wall(loop, loop_wall_ms(loop) + steps[i].step_ms);
        virtual_loop_set_synced(loop, steps[i].synced);
    }
    r->from_ms[i] = world_now(&r->w);
    r->offset_ms[i] = loop_wall_ms(loop) - loop_mono_ms(loop);
    r->synced[i] = loop_clock_synced(loop);
    r->states = i + 1;
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

static void run_once(struct clock_run *r, uint64_t seed, bool steady)
{
    const struct world_plan plan = {
        .devices = DEVICES,
        .points = 4,
        .buses = 2,
        .uplinks = 1,
        .poll_ms = 10 * WORLD_SECOND,
        .commit_ms = 5 * WORLD_SECOND,
        .offline_ms = 40 * WORLD_SECOND,
        .backfill_rate = 200,
        .red = 40,
        .duration_ms = HOURS * WORLD_HOUR,
    };

    *r = (struct clock_run){.steady = steady};
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
    for (size_t i = 1; i < STEPS; i++) {
        world_run_for(&r->w, VIRTUAL_MONO_MS + steps[i].from_ms - world_now(&r->w));
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

static void run(uint64_t seed)
{
    size_t told = 0;

    for (int i = 0; i < 2; i++) {
        run_once(&runs[i], seed, i == 0);
        world_stop(&runs[i].w);
        if (i == 0)
            world_check_alarms(&runs[i].w);
        for (unsigned k = 0; k < runs[i].w.plan.uplinks; k++)
            world_platform_destroy(&runs[i].w.platforms[k]); /* one world at a time has the brokers' ports */
        runs[i].w.plan.uplinks = 0;
    }
    for (size_t i = 0; i < STEPS; i++)
        told += steps[i].told;
    WORLD_CHECK(&runs[0].w, runs[0].clock_events == 0, "%zu steps are told of a steady clock",
                runs[0].clock_events);
    WORLD_CHECK(&runs[1].w, runs[1].clock_events == told, "%zu steps are told instead of %zu",
                runs[1].clock_events, told);
    compare(&runs[0], &runs[1]);
    (void)printf("  %zu alarm records, %zu steps told\n", runs[1].alarms.count, told);
    world_destroy(&runs[0].w);
    world_destroy(&runs[1].w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
