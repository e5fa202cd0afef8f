/* LINK rg_sim rg_daemon rg_loop_virtual */
/* The risk document says at once what the alarms say, and comes at least every minute. It does not come for nothing either. */
#include <stdio.h>
#include <string.h>

#include "world.h"

#define DEVICES 5
#define HOURS 4
#define SOON_MS 300 /* after an alarm's record: a commit, a message, its way */

static int64_t last_alarm_ms;
static unsigned alarm_messages;

static void look_cb(struct world_platform *p, const char *topic, const struct support_message *m)
{
    if (strcmp(topic, "alarm") != 0 || p != &p->world->platforms[0])
        return;
    last_alarm_ms = m->at_ms;
    alarm_messages++;
}

static void plan_excursions(struct world *w)
{
    static const double values[WORLD_RULED][4] = {{12, 25, 33, 45}, {60, 60, 10, 80}, {2, 4, 6, 5}};

    for (unsigned i = 0; i < DEVICES; i++) {
        for (unsigned p = 0; p < WORLD_RULED; p++) {
            int64_t at = VIRTUAL_MONO_MS;

            while (at < VIRTUAL_MONO_MS + HOURS * WORLD_HOUR) {
                struct world_window e = {.value = values[p][random_below(&w->random, 4)]};

                e.from_ms = at + world_between(w, WORLD_SECOND, 12 * WORLD_MINUTE);
                e.to_ms = at = e.from_ms + world_between(w, WORLD_SECOND, 6 * WORLD_MINUTE);
                world_window_add(w, &w->devices[i].excursions[p], e);
            }
        }
    }
}

/* Every second that nothing is on its way: rules, alarm stream and risk document agree. */
static void watch(struct world *w, int64_t ms)
{
    for (int64_t end = world_now(w) + ms; world_now(w) < end;) {
        world_run_for(w, WORLD_SECOND);
        if (world_now(w) - last_alarm_ms >= SOON_MS && w->platforms[0].broker->up)
            world_check_active(w);
    }
}

static void run(uint64_t seed)
{
    const struct world_plan plan = {
        .devices = DEVICES,
        .points = 3,
        .buses = 2,
        .uplinks = 2,
        .poll_ms = 5 * WORLD_SECOND,
        .commit_ms = 20 * WORLD_SECOND,
        .offline_ms = 30 * WORLD_SECOND,
        .backfill_rate = 200,
        .red = 40,
        .duration_ms = HOURS * WORLD_HOUR,
    };
    struct world w;
    struct world_platform *p = &w.platforms[0];

    last_alarm_ms = 0;
    alarm_messages = 0;
    world_create(&w, seed, &plan);
    plan_excursions(&w);
    p->look = look_cb;
    world_start(&w);
    world_run_for(&w, WORLD_SECOND);
    for (int hour = 0; hour < HOURS; hour++) {
        watch(&w, WORLD_HOUR - 10 * WORLD_MINUTE);
        support_broker_cut(p->broker);
        watch(&w, 10 * WORLD_MINUTE);
    }
    world_settle(&w, WORLD_MINUTE);
    WORLD_CHECK(&w, p->risk_gap_ms <= PIPELINE_RISK_EVERY_MS + SOON_MS, "%lld ms between two risk documents",
                (long long)p->risk_gap_ms);
    /* Changes that come while one is on its way share the next; the rest is the minutes and the connections. */
    WORLD_CHECK(&w, p->risks <= alarm_messages + HOURS * 62 + 2 * p->broker->connections,
                "%u risk documents for %u messages of alarms", p->risks, alarm_messages);
    WORLD_CHECK(&w, alarm_messages > 100, "only %u messages of alarms", alarm_messages);
    world_check_active(&w);
    world_check_platforms(&w);
    world_check_alarms(&w);
    (void)printf("  %u risk documents for %u messages of alarms in %d hours; at most %lld ms between two\n",
                 p->risks, alarm_messages, HOURS, (long long)p->risk_gap_ms);
    world_stop(&w);
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
