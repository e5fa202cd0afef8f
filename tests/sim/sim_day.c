/* LINK rg_sim rg_daemon rg_loop_virtual */
/* A day of a plant where everything goes wrong now and then: devices and buses fail in every way, values rise and fall, the links to
 * the platforms are cut or hang, the gateway is restarted, loses its power, gets other configurations. */
#include <stdio.h>

#include "base/text.h"
#include "world.h"

#define DEVICES 6
#define GROWTH (2 << 20) /* bytes: messages in flight, held back by a platform */
#define QUIET_MS                                                                                             \
    (20 * WORLD_MINUTE) /* at the end: all is well, so that every alarm but the planned ones ends */

static const struct world_plan plan = {
    .devices = DEVICES,
    .points = 4,
    .buses = 2,
    .uplinks = 2,
    .poll_ms = 30 * WORLD_SECOND,
    .commit_ms = 20 * WORLD_SECOND,
    .offline_ms = 100 * WORLD_SECOND,
    .backfill_rate = 200,
    .red = 40,
    .duration_ms = WORLD_DAY + WORLD_HOUR,
};

static void plan_windows(struct world *w, struct world_windows *list, int64_t gap_ms, int64_t length_ms,
                         struct world_window (*make)(struct world *w))
{
    int64_t end = VIRTUAL_MONO_MS + WORLD_DAY - QUIET_MS, at = VIRTUAL_MONO_MS;

    for (;;) {
        struct world_window window = make(w);

        window.from_ms = at + world_between(w, gap_ms / 4, 2 * gap_ms);
        window.to_ms = window.from_ms + world_between(w, 1, length_ms);
        if (window.to_ms > end)
            return;
        world_window_add(w, list, window);
        at = window.to_ms;
    }
}

static struct world_window device_fault(struct world *w)
{
    static const enum world_fault faults[] = {WORLD_SENSOR, WORLD_EXCEPTION, WORLD_MALFORMED, WORLD_SILENT,
                                              WORLD_BROKEN};

    return (struct world_window){.fault = faults[random_below(&w->random, RG_COUNT(faults))]};
}

static struct world_window bus_fault(struct world *w)
{
    return (struct world_window){.fault = random_below(&w->random, 2) ? WORLD_BROKEN : WORLD_UNREACHABLE};
}

static struct world_window excursion_high(struct world *w)
{
    static const double values[] = {9.5, 10, 15, 19.5, 22, 29, 31, 37, 45, 60};

    return (struct world_window){.value = values[random_below(&w->random, RG_COUNT(values))]};
}

static struct world_window excursion_now(struct world *w)
{
    static const double values[] = {49, 50, 70};

    return (struct world_window){.value = values[random_below(&w->random, RG_COUNT(values))]};
}

static struct world_window excursion_low(struct world *w)
{
    static const double values[] = {5, 5.3, 2, 6};

    return (struct world_window){.value = values[random_below(&w->random, RG_COUNT(values))]};
}

/* At the end d1 is high and d2 too low, for good. */
static void plan_day(struct world *w)
{
    int64_t from = VIRTUAL_MONO_MS + WORLD_DAY - QUIET_MS, to = from + WORLD_DAY;

    for (unsigned i = 0; i < DEVICES; i++) {
        plan_windows(w, &w->devices[i].faults, WORLD_HOUR, 10 * WORLD_MINUTE, device_fault);
        plan_windows(w, &w->devices[i].excursions[0], 20 * WORLD_MINUTE, 5 * WORLD_MINUTE, excursion_high);
        plan_windows(w, &w->devices[i].excursions[1], 40 * WORLD_MINUTE, 6 * WORLD_MINUTE, excursion_now);
        plan_windows(w, &w->devices[i].excursions[2], 30 * WORLD_MINUTE, 5 * WORLD_MINUTE, excursion_low);
    }
    for (unsigned i = 0; i < plan.buses; i++)
        plan_windows(w, &w->bus_faults[i], 4 * WORLD_HOUR, 10 * WORLD_MINUTE, bus_fault);
    world_window_add(w, &w->devices[1].excursions[0],
                     (struct world_window){.from_ms = from, .to_ms = to, .value = 33});
    world_window_add(w, &w->devices[2].excursions[2],
                     (struct world_window){.from_ms = from, .to_ms = to, .value = 1});
}

struct day {
    struct world w;
    int64_t memory; /* in use after the second hour */
    int64_t measure_ms, act_ms;
    int64_t link_ms[WORLD_UPLINKS]; /* when the next change of a link is due */
    char pick[ALARM_ID_MAX];        /* an alarm to acknowledge or to shelve */
    unsigned acks, shelved, crashes, stops, reloads, cuts;
};

/* Another configuration: other limits, the second platform gone or back, the last device gone or back. */
static void reload(struct day *d)
{
    d->w.plan.red = 39 + (double)random_below(&d->w.random, 4);
    d->w.plan.devices = DEVICES - (unsigned)random_below(&d->w.random, 2);
    d->w.plan.uplinks = 1 + (unsigned)random_below(&d->w.random, 2);
    world_reload(&d->w);
    d->reloads++;
    if (random_below(&d->w.random, 3) == 0)
        world_reload(&d->w); /* while one is under way */
    /* Now and then something else follows in the middle of it. */
    world_run_for(&d->w, world_between(&d->w, 0, random_below(&d->w.random, 2) ? 100 : 10000));
}

static void pick_cb(void *arg, const struct alarm *alarm)
{
    struct day *d = arg;

    if (!alarm->acked && !alarm->shelved && (!d->pick[0] || random_below(&d->w.random, 2) == 0))
        (void)text_copy(d->pick, sizeof d->pick, alarm->id);
}

static void acknowledge(struct day *d)
{
    struct pipeline *p = app_pipeline(d->w.app);

    d->pick[0] = '\0';
    rules_each(p->rules, pick_cb, d);
    if (!d->pick[0])
        return;
    /* It may have ended in this instant. */
    if (random_below(&d->w.random, 2) == 0) {
        if (pipeline_shelve(p, d->pick, world_between(&d->w, 1, 4 * WORLD_HOUR), "the operator", NULL) ==
            RG_OK)
            d->shelved++;
    } else if (pipeline_ack(p, d->pick, "the operator", "seen") == RG_OK) {
        d->acks++;
    }
}

static void act(struct day *d)
{
    uint64_t what = random_below(&d->w.random, 4);

    acknowledge(d);
    d->act_ms = world_now(&d->w) + world_between(&d->w, 10 * WORLD_MINUTE, 2 * WORLD_HOUR);
    if (what < 2)
        reload(d);
    if (what == 1 || what == 2) {
        world_stop(&d->w);
        d->stops++;
    } else if (what == 3) {
        world_crash(&d->w);
        d->crashes++;
    }
    if (!d->w.app) {
        world_run_for(&d->w, random_below(&d->w.random, 2) ? 0 : world_between(&d->w, 0, 5 * WORLD_MINUTE));
        world_start(&d->w);
    }
}

static void change_link(struct day *d, unsigned i)
{
    struct support_broker *b = d->w.platforms[i].broker;
    bool well = b->connect == SUPPORT_ACCEPT && !b->hold_acks;

    d->link_ms[i] =
        world_now(&d->w) + world_between(&d->w, WORLD_SECOND, well ? 40 * WORLD_MINUTE : 90 * WORLD_MINUTE);
    b->connect = SUPPORT_ACCEPT;
    b->delay_ms = world_between(&d->w, 2, 500);
    if (b->hold_acks)
        support_broker_release(b);
    if (!well)
        return;
    d->cuts++;
    if (random_below(&d->w.random, 4) == 0) {
        b->hold_acks = true;
        return;
    }
    b->connect = (enum support_connect)random_below(&d->w.random, 3); /* SUPPORT_ACCEPT: only cut */
    support_broker_cut(b);
}

static void measure(struct day *d)
{
    d->measure_ms += WORLD_HOUR;
    if (d->measure_ms <= VIRTUAL_MONO_MS + 3 * WORLD_HOUR)
        d->memory = world_memory(&d->w);
    world_check_memory(&d->w, d->memory, GROWTH);
}

static void day_pass(struct day *d)
{
    int64_t end = VIRTUAL_MONO_MS + WORLD_DAY - QUIET_MS;

    while (world_now(&d->w) < end) {
        int64_t next = d->act_ms < d->measure_ms ? d->act_ms : d->measure_ms;

        for (unsigned i = 0; i < WORLD_UPLINKS; i++)
            next = d->link_ms[i] < next ? d->link_ms[i] : next;
        if (next > world_now(&d->w))
            world_run_for(&d->w, next - world_now(&d->w));
        for (unsigned i = 0; i < WORLD_UPLINKS; i++) {
            if (world_now(&d->w) >= d->link_ms[i])
                change_link(d, i);
        }
        if (world_now(&d->w) >= d->measure_ms)
            measure(d);
        if (world_now(&d->w) >= d->act_ms)
            act(d);
    }
}

/* All is well again: what must be active is what the values say, and nothing else. */
static void day_end(struct day *d)
{
    struct rules_counts counts;

    d->w.plan = plan;
    world_reload(&d->w);
    for (unsigned i = 0; i < WORLD_UPLINKS; i++) {
        d->w.platforms[i].broker->connect = SUPPORT_ACCEPT;
        support_broker_release(d->w.platforms[i].broker);
    }
    world_run_for(&d->w, QUIET_MS - WORLD_MINUTE);
    world_settle(&d->w, QUIET_MS);
    world_check_active(&d->w);
    rules_counts(app_pipeline(d->w.app)->rules, &counts);
    WORLD_CHECK(&d->w,
                counts.active[LEVEL_ORANGE] == 1 && counts.active[LEVEL_YELLOW] == 1 &&
                    counts.active[LEVEL_RED] == 0 && counts.active[LEVEL_BLUE] == 0,
                "other alarms are active than d1.p0 orange and d2.p2 yellow");
    world_check_platforms(&d->w);
    world_check_alarms(&d->w);
    WORLD_CHECK(&d->w, d->w.overlaps == 0, "transactions overlapped on a bus");
}

static void run(uint64_t seed)
{
    static struct day d;
    const struct ledger *l;

    d = (struct day){.measure_ms = VIRTUAL_MONO_MS + WORLD_HOUR};
    world_create(&d.w, seed, &plan);
    plan_day(&d.w);
    d.act_ms = world_now(&d.w) + world_between(&d.w, WORLD_MINUTE, WORLD_HOUR);
    for (unsigned i = 0; i < WORLD_UPLINKS; i++)
        d.link_ms[i] = world_now(&d.w) + world_between(&d.w, WORLD_MINUTE, WORLD_HOUR);
    world_start(&d.w);
    day_pass(&d);
    day_end(&d);
    l = d.w.platforms[0].gateway->ledgers;
    (void)printf("  %u acknowledgements, %u shelvings, %u crashes, %u stops, %u reloads, %u troubles of "
                 "links; alarm %lld, "
                 "telemetry %lld, event %lld records, "
                 "%llu came again\n",
                 d.acks, d.shelved, d.crashes, d.stops, d.reloads, d.cuts, (long long)l[KIND_ALARM].top,
                 (long long)l[KIND_TELEMETRY].top, (long long)l[KIND_EVENT].top,
                 (unsigned long long)l[KIND_TELEMETRY].resent);
    world_stop(&d.w);
    world_destroy(&d.w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
