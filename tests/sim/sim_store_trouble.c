/* LINK rg_sim rg_daemon rg_loop_virtual */
/* The disk takes nothing for a while: polling goes on, alarms go out at once without a number and come again as proper records, the
 * telemetry that memory holds is kept, and what it does not hold is told as lost, to the last record. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/json_read.h"
#include "world.h"

#define DEVICES 10
#define POINTS 12
#define AT_ONCE_MS 1000

struct trouble {
    struct world w;
    int64_t lost, lost_events; /* records told as lost */
    unsigned unstored_raises;  /* of d3.p1 */
    int64_t unstored_ms;       /* the first one */
    unsigned raises_in_trouble;
    bool on;
};
static struct trouble t;

static void see_alarm(const struct json *json, const struct support_message *m)
{
    bool unstored = !json_bool(json_get(json, "stored"), true);

    WORLD_CHECK(&t.w, unstored == t.on, "an alarm that is %s while the disk %s",
                unstored ? "not stored" : "stored", t.on ? "takes nothing" : "works");
    for (const struct json *r = json_first(json_get(json, "records")); unstored && r; r = json_next(r)) {
        t.raises_in_trouble += strcmp(json_string(json_get(r, "event")), "raise") == 0;
        if (strcmp(json_string(json_get(r, "point")), "d3.p1") != 0 ||
            strcmp(json_string(json_get(r, "event")), "raise") != 0)
            continue;
        t.unstored_raises++;
        t.unstored_ms = t.unstored_ms ? t.unstored_ms : m->at_ms;
    }
}

static void look_cb(struct world_platform *p, const char *topic, const struct support_message *m)
{
    struct json *json = NULL;

    (void)p;
    WORLD_CHECK(&t.w, json_parse(m->payload, m->length, 1 << 20, &json) == RG_OK, "a message is no JSON");
    if (strcmp(topic, "alarm") == 0)
        see_alarm(json, m);
    for (const struct json *r = json_first(json_get(json, "records")); strcmp(topic, "event") == 0 && r;
         r = json_next(r)) {
        if (strcmp(json_string(json_get(r, "kind")), "lost") != 0)
            continue;
        WORLD_CHECK(&t.w,
                    strcmp(json_string(json_get(r, "cause")), "memory") == 0 &&
                        json_is_null(json_get(r, "first")) && json_is_null(json_get(r, "last")) &&
                        strcmp(json_string(json_get(r, "stream")), "telemetry") == 0,
                    "something else is lost than telemetry for want of memory");
        t.lost += json_int(json_get(r, "count"), 0);
        t.lost_events++;
    }
    json_free(json);
}

/* No file may be written any more: each write fails with EFBIG. */
static void disk_refuses(bool refuses)
{
    struct rlimit limit;

    WORLD_CHECK(&t.w, getrlimit(RLIMIT_FSIZE, &limit) == 0, "no limits here");
    limit.rlim_cur = refuses ? 0 : limit.rlim_max;
    WORLD_CHECK(&t.w, setrlimit(RLIMIT_FSIZE, &limit) == 0, "the limit cannot be set");
    t.on = refuses;
}

static int64_t polls(void)
{
    int64_t count = 0;

    for (unsigned i = 0; i < DEVICES; i++)
        count += (int64_t)t.w.devices[i].poll_count;
    return count;
}

static void trouble(int64_t ms)
{
    int64_t before = polls(), from = world_now(&t.w), raise_ms = from + 2 * WORLD_MINUTE, memory;

    world_window_add(
        &t.w, &t.w.devices[3].excursions[1],
        (struct world_window){.from_ms = raise_ms, .to_ms = raise_ms + ms - WORLD_MINUTE, .value = 70});
    world_window_add(
        &t.w, &t.w.devices[4].excursions[1],
        (struct world_window){.from_ms = raise_ms, .to_ms = raise_ms + WORLD_MINUTE, .value = 70});
    disk_refuses(true);
    world_run_for(&t.w, ms);
    memory = world_memory(&t.w);
    disk_refuses(false);
    WORLD_CHECK(&t.w, polls() - before == DEVICES * ms / 1000, "%lld polls in %lld s",
                (long long)(polls() - before), (long long)ms / 1000);
    WORLD_CHECK(&t.w, t.unstored_raises == 1 && t.unstored_ms < raise_ms + WORLD_SECOND + AT_ONCE_MS,
                "the alarm of d3 went out %u times, %lld ms after its reason", t.unstored_raises,
                (long long)(t.unstored_ms - raise_ms));
    /* Twice the share of the telemetry, which is the one that gathers and the one that flies, and the usual. */
    WORLD_CHECK(&t.w, memory < 64 << 20, "%lld KiB in use", (long long)memory >> 10);
}

static void run(uint64_t seed)
{
    const struct world_plan plan = {
        .devices = DEVICES,
        .points = POINTS,
        .buses = 2,
        .uplinks = 1,
        .poll_ms = WORLD_SECOND,
        .commit_ms = WORLD_SECOND,
        .offline_ms = 10 * WORLD_SECOND,
        .backfill_rate = 100000,
        .red = 40,
        .duration_ms = 3 * WORLD_HOUR,
    };
    struct store_stats stats;

    t = (struct trouble){0};
    world_create(&t.w, seed, &plan);
    t.w.platforms[0].look = look_cb;
    /* Not in the middle of the polls of one instant. */
    world_run_for(&t.w, world_between(&t.w, 200, 900));
    world_start(&t.w);
    world_run_for(&t.w, world_between(&t.w, 1, 300) * WORLD_SECOND);
    trouble((int64_t)(seed % 2 ? 100 : 20) * WORLD_MINUTE); /* longer than memory lasts, or not */
    world_run_for(&t.w, 10 * WORLD_SECOND);
    store_stats(app_pipeline(t.w.app)->store, &stats);
    WORLD_CHECK(&t.w, stats.ok, "the store has not healed");
    pipeline_halt(app_pipeline(t.w.app)); /* no further poll, so that what there is can be counted */
    world_settle(&t.w, 10 * WORLD_MINUTE);
    store_stats(app_pipeline(t.w.app)->store, &stats);
    WORLD_CHECK(&t.w, (t.lost > 0) == (seed % 2 != 0), "%lld records are told as lost", (long long)t.lost);
    WORLD_CHECK(&t.w, stats.head[STREAM_TELEMETRY] + t.lost == polls(),
                "%lld answers, %lld stored, %lld told as lost", (long long)polls(),
                (long long)stats.head[STREAM_TELEMETRY], (long long)t.lost);
    world_check_active(&t.w);
    world_check_platforms(&t.w);
    world_check_alarms(&t.w);
    (void)printf("  %u raises without the disk; %lld records told as lost by %lld events of %lld answers\n",
                 t.raises_in_trouble, (long long)t.lost, (long long)t.lost_events, (long long)polls());
    world_stop(&t.w);
    world_destroy(&t.w);
}

int main(int argc, char **argv)
{
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return 1;
    return world_main(argc, argv, run);
}
