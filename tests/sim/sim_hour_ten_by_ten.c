/* LINK rg_sim rg_daemon rg_loop_virtual */
/* Ten devices with ten points each, once a second, for an hour: every poll at its instant, every reading at the platform, and
 * nothing that grows. */
#include <stdio.h>

#include "world.h"

#define DEVICES 10
#define POLL_MS 1000
#define SECONDS 3600
#define TAKES_MS 10
#define GROWTH (64 << 10) /* bytes */

static void check_grid(const struct world *w, int64_t from_ms)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct world_device *d = &w->devices[i];
        int64_t instant = (from_ms + POLL_MS - 1) / POLL_MS * POLL_MS;

        WORLD_CHECK(w, d->poll_count == SECONDS, "d%u was asked %zu times", i, d->poll_count);
        for (size_t k = 0; k < d->poll_count; k++, instant += POLL_MS) {
            int64_t late = d->polls[k].begun_ms - instant;

            /* At worst all others of its bus go first. */
            WORLD_CHECK(w, late >= 0 && late <= (DEVICES - 1) * TAKES_MS,
                        "d%u, poll %zu: %lld ms after its instant", i, k, (long long)late);
        }
    }
}

static void run(uint64_t seed)
{
    const struct world_plan plan = {
        .devices = DEVICES,
        .points = 10,
        .buses = 1 + (unsigned)(seed % 3),
        .uplinks = 1,
        .poll_ms = POLL_MS,
        .commit_ms = 1000,
        .offline_ms = 10 * WORLD_SECOND,
        .backfill_rate = 200,
        .red = 40,
        .duration_ms = WORLD_HOUR,
    };
    struct world w;
    struct store_stats stats;
    int64_t memory = 0, from;
    unsigned descriptors = 0;

    world_create(&w, seed, &plan);
    w.takes_ms = TAKES_MS;
    /* Anywhere on the grid, but so that the end does not fall into the polls of one instant. */
    world_run_for(&w, POLL_MS * world_between(&w, 0, 5) + world_between(&w, DEVICES * TAKES_MS, POLL_MS - 1));
    from = world_now(&w);
    world_start(&w);
    for (int minute = 1; minute <= 60; minute++) {
        world_run_for(&w, WORLD_MINUTE);
        if (minute == 5) {
            memory = world_memory(&w);
            descriptors = world_descriptors();
        }
        if (minute < 5)
            continue;
        world_check_memory(&w, memory, GROWTH);
        WORLD_CHECK(&w, world_descriptors() == descriptors, "%u descriptors instead of %u",
                    world_descriptors(), descriptors);
    }
    check_grid(&w, from);
    pipeline_halt(app_pipeline(w.app)); /* no further poll, so that what there is can be counted */
    world_settle(&w, WORLD_MINUTE);
    store_stats(app_pipeline(w.app)->store, &stats);
    WORLD_CHECK(&w,
                stats.head[STREAM_TELEMETRY] == DEVICES * SECONDS && stats.head[STREAM_ALARM] == 0 &&
                    stats.lost == 0,
                "%lld telemetry and %lld alarm records are stored, %llu lost",
                (long long)stats.head[STREAM_TELEMETRY], (long long)stats.head[STREAM_ALARM],
                (unsigned long long)stats.lost);
    WORLD_CHECK(&w, w.platforms[0].gateway->readings == (uint64_t)DEVICES * 10 * SECONDS,
                "%llu readings at the platform", (unsigned long long)w.platforms[0].gateway->readings);
    WORLD_CHECK(&w, w.overlaps == 0, "transactions overlapped on a bus");
    world_check_platforms(&w);
    (void)printf("  memory in use %lld KiB after 5 minutes, %lld KiB after an hour; %u descriptors\n",
                 (long long)memory >> 10, (long long)world_memory(&w) >> 10, descriptors);
    world_stop(&w);
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
