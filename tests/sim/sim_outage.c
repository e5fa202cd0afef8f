/* LINK rg_sim rg_daemon rg_loop_virtual */
/* A platform that is away for a day and then back: memory that does not grow meanwhile, live telemetry first, the missed stretch
 * beside it in order and at its rate, alarms before all else, and nothing missing in the end. The other platform notices nothing. */
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "world.h"

#define DEVICES 6
#define RATE 20 /* records a second of back-fill */
#define OUTAGE_MS WORLD_DAY
#define LIVE_WITHIN_MS (30 * WORLD_SECOND) /* a commit, and the messages before it */
#define GROWTH (256 << 10)                 /* bytes */

/* What the platform that was away sees once it is back. */
struct back {
    int64_t since_ms;    /* 0: not yet */
    int64_t live_ms;     /* first live telemetry */
    int64_t missed_ms;   /* last alarm of the outage */
    int64_t missed_upto; /* its number */
    int64_t fill_first_ms, fill_last_ms, fill_seq;
    int64_t fill_records;
    int64_t live_seq;
};
static struct back back;

static void see_telemetry(struct world_platform *p, const struct json *json, const struct support_message *m)
{
    int64_t first = json_int(json_get(json, "first"), 0), last = json_int(json_get(json, "last"), 0);
    int64_t count = (int64_t)json_size(json_get(json, "records"));

    if (!json_bool(json_get(json, "backfill"), false)) {
        WORLD_CHECK(p->world, first > back.live_seq, "live telemetry %lld after %lld", (long long)first,
                    (long long)back.live_seq);
        back.live_seq = last;
        if (back.live_ms == 0)
            back.live_ms = m->at_ms;
        return;
    }
    WORLD_CHECK(p->world, first > back.fill_seq, "back-fill %lld after %lld: not in order", (long long)first,
                (long long)back.fill_seq);
    back.fill_seq = last;
    if (back.fill_first_ms == 0)
        back.fill_first_ms = m->sent_ms;
    /* The rate holds over any stretch, but for the burst that a message is. */
    WORLD_CHECK(p->world, back.fill_records <= (m->sent_ms - back.fill_first_ms) * RATE / 1000 + 1000,
                "%lld records of back-fill within %lld ms", (long long)back.fill_records,
                (long long)(m->sent_ms - back.fill_first_ms));
    back.fill_records += count;
    back.fill_last_ms = m->at_ms;
}

static void look_cb(struct world_platform *p, const char *topic, const struct support_message *m)
{
    struct json *json = NULL;

    if (back.since_ms == 0 || m->will)
        return;
    WORLD_CHECK(p->world, json_parse(m->payload, m->length, 1 << 20, &json) == RG_OK, "a message is no JSON");
    if (strcmp(topic, "telemetry") == 0)
        see_telemetry(p, json, m);
    else if (strcmp(topic, "alarm") == 0 && json_int(json_get(json, "last"), 0) <= back.missed_upto)
        back.missed_ms = m->at_ms;
    json_free(json);
}

static void outage(struct world *w)
{
    struct support_broker *b = w->platforms[0].broker;
    int64_t memory = 0, most = 0;

    b->connect = w->seed % 2 ? SUPPORT_REFUSE : SUPPORT_MUTE;
    support_broker_cut(b);
    for (int hour = 1; hour <= OUTAGE_MS / WORLD_HOUR; hour++) {
        world_run_for(w, WORLD_HOUR);
        if (hour <= 2)
            memory = world_memory(w);
        most = world_memory(w) > most ? world_memory(w) : most;
        world_check_memory(w, memory, GROWTH);
    }
    (void)printf("  memory in use %lld KiB after 2 hours of outage, at most %lld KiB\n",
                 (long long)memory >> 10, (long long)most >> 10);
}

static void check_back(struct world *w, const struct uplink_stats *at_return)
{
    int64_t missed = at_return->pending[STREAM_TELEMETRY];
    int64_t took = back.fill_last_ms - back.fill_first_ms, fair = missed * 1000 / RATE;

    WORLD_CHECK(w, back.live_ms > 0 && back.live_ms <= back.since_ms + LIVE_WITHIN_MS,
                "live telemetry came after %lld ms", (long long)(back.live_ms - back.since_ms));
    WORLD_CHECK(w, back.missed_ms > 0 && back.missed_ms <= back.since_ms + LIVE_WITHIN_MS,
                "the last missed alarm came after %lld ms", (long long)(back.missed_ms - back.since_ms));
    /* A commit may have come between the connection and the count. */
    WORLD_CHECK(w, back.fill_records >= missed - 2 * DEVICES && back.fill_records <= missed + 500,
                "%lld records of back-fill for %lld missed", (long long)back.fill_records, (long long)missed);
    WORLD_CHECK(w, took >= fair * 9 / 10 - 30000 && took <= fair * 11 / 10 + 30000,
                "back-fill of %lld records took %lld s", (long long)missed, (long long)took / 1000);
    (void)printf("  %lld records missed, sent within %lld s; live after %lld ms\n", (long long)missed,
                 (long long)took / 1000, (long long)(back.live_ms - back.since_ms));
}

static void run(uint64_t seed)
{
    const struct world_plan plan = {
        .devices = DEVICES,
        .points = 6,
        .buses = 2,
        .uplinks = 2,
        .poll_ms = 20 * WORLD_SECOND,
        .commit_ms = 10 * WORLD_SECOND,
        .offline_ms = 100 * WORLD_SECOND,
        .backfill_rate = RATE,
        .red = 40,
        .duration_ms = OUTAGE_MS + 4 * WORLD_HOUR,
    };
    struct world w;
    struct uplink_stats stats;

    back = (struct back){0};
    world_create(&w, seed, &plan);
    for (int64_t at = WORLD_HOUR; at < OUTAGE_MS; at += world_between(&w, WORLD_HOUR / 2, WORLD_HOUR))
        world_window_add(&w, &w.devices[at / WORLD_HOUR % DEVICES].excursions[1],
                         (struct world_window){.from_ms = VIRTUAL_MONO_MS + at,
                                               .to_ms = VIRTUAL_MONO_MS + at + 5 * WORLD_MINUTE,
                                               .value = 60});
    world_start(&w);
    world_run_for(&w, 10 * WORLD_MINUTE);
    outage(&w);
    back.missed_upto = w.platforms[1].gateway->ledgers[KIND_ALARM].top;
    w.platforms[0].look = look_cb;
    w.platforms[0].broker->connect = SUPPORT_ACCEPT;
    while (!w.platforms[0].broker->up)
        world_run_for(&w, 1);
    back.since_ms = world_now(&w);
    uplink_stats(app_pipeline(w.app)->uplinks[0], &stats);
    world_settle(&w, 4 * WORLD_HOUR);
    check_back(&w, &stats);
    world_check_active(&w);
    world_check_platforms(&w);
    world_check_alarms(&w);
    world_stop(&w);
    world_destroy(&w);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
