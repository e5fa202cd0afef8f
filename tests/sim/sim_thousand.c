/* LINK rg_sim rg_daemon rg_loop_virtual; SEEDS 1 */
/* A thousand points and no platform for a day: what the program has allocated at the end of the day is what it had at its beginning. Then all of
 * it is delivered, by which each buffer of a message gets its full size, once: the next outage leaves the memory where it was, but for one. */
#include <stdio.h>

#include "world.h"

#define DEVICES 84
#define POINTS 12 /* of each: 1,008 */
#define OUTAGE_MS WORLD_DAY
#define WARM_MS (2 * WORLD_HOUR)
#define NOISE (4 << 10)            /* bytes: a few numbers' texts, in libraries */
#define MESSAGES (8 * (128 << 10)) /* of an uplink: each lane's message, at its largest */

static void check(const struct world *w, const char *when, int64_t before, int64_t most)
{
    int64_t now = world_memory(w);

    (void)printf("  %s: %lld bytes more than %lld\n", when, (long long)(now - before), (long long)before);
    world_check_memory(w, before, most);
}

static void part(struct world *w)
{
    for (unsigned i = 0; i < w->plan.uplinks; i++) {
        w->platforms[i].broker->connect = (w->seed + i) % 2 ? SUPPORT_REFUSE : SUPPORT_MUTE;
        support_broker_cut(w->platforms[i].broker);
    }
}

static void meet(struct world *w)
{
    for (unsigned i = 0; i < w->plan.uplinks; i++)
        w->platforms[i].broker->connect = SUPPORT_ACCEPT;
    world_run_for(w, 2 * WORLD_MINUTE);
    world_settle(w, WORLD_HOUR);
}

static void run(uint64_t seed)
{
    const struct world_plan plan = {
        .devices = DEVICES,
        .points = POINTS,
        .buses = 4,
        .uplinks = 2,
        .poll_ms = WORLD_MINUTE,
        .commit_ms = 10 * WORLD_SECOND,
        .offline_ms = 5 * WORLD_MINUTE,
        .backfill_rate = 2000,
        .red = 40,
        .duration_ms = OUTAGE_MS + 9 * WORLD_HOUR,
    };
    static struct world w;
    struct uplink_stats stats;
    int64_t before, met;

    world_create(&w, seed, &plan);
    for (int64_t at = 0; at < plan.duration_ms - 2 * WORLD_HOUR;
         at += world_between(&w, WORLD_MINUTE, 10 * WORLD_MINUTE))
        world_window_add(&w, &w.devices[(uint64_t)at / WORLD_MINUTE % DEVICES].excursions[1],
                         (struct world_window){.from_ms = VIRTUAL_MONO_MS + at + WORLD_HOUR,
                                               .to_ms = VIRTUAL_MONO_MS + at + WORLD_HOUR + WORLD_MINUTE,
                                               .value = 60});
    world_start(&w);
    world_run_for(&w, 10 * WORLD_MINUTE);
    part(&w);
    world_run_for(&w, WARM_MS);
    meet(&w);
    met = world_memory(&w);
    part(&w);
    world_run_for(&w, WORLD_HOUR);
    before = world_memory(&w);
    world_run_for(&w, OUTAGE_MS / 2);
    check(&w, "after half a day", before, NOISE);
    world_run_for(&w, OUTAGE_MS / 2);
    check(&w, "after a day", before, NOISE);
    uplink_stats(app_pipeline(w.app)->uplinks[0], &stats);
    WORLD_CHECK(&w, stats.pending[STREAM_TELEMETRY] > DEVICES * 1400 && stats.pending[STREAM_ALARM] > 200,
                "%lld readings and %lld alarms missed", (long long)stats.pending[STREAM_TELEMETRY],
                (long long)stats.pending[STREAM_ALARM]);
    meet(&w);
    check(&w, "after the back-fill", met, MESSAGES * plan.uplinks);
    met = world_memory(&w);
    part(&w);
    world_run_for(&w, WARM_MS);
    meet(&w);
    check(&w, "after another outage", met, MESSAGES / 8);
    (void)printf("  %lld readings and %lld alarms delivered\n", (long long)stats.pending[STREAM_TELEMETRY],
                 (long long)stats.pending[STREAM_ALARM]);
    world_check_active(&w);
    world_check_platforms(&w);
    world_stop(&w);
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
