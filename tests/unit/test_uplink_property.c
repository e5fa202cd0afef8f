/* LINK rg_uplink rg_test_support rg_loop_virtual rg_base */
/* Whatever the network, the broker, the store and a crash do: every record meant for the platform reaches it
 * at least once, with the right prev; the cursor never passes what the platform does not have; alarms come in
 * order. A failed seed is printed; it is taken as an argument. */
#include "uplink_world.h"

static uint64_t only_seed;

static bool refuse_some(void *arg, const struct support_message *m)
{
    struct world *w = arg;

    return (m->token * 2654435761u + w->seed) % 61 == 0;
}

/* What counts as done must be with the platform. */
static void check_cursors(const struct world *w, const struct cursor *cursors)
{
    for (int s = 0; s < STREAM_COUNT; s++) {
        size_t range = 0;

        for (int64_t seq = w->gone[s] + 1; seq <= cursors[s].acked; seq++) {
            while (range < cursors[s].range_count && cursors[s].ranges[range].last < seq)
                range++;
            if (range < cursors[s].range_count && seq >= cursors[s].ranges[range].first)
                continue;
            if (world_meant(w, (enum stream)s, seq) && w->seen[s][seq].times == 0)
                fail_msg("seed %" PRIu64 ": %s %" PRId64 " counts as done and never arrived", w->seed,
                         stream_name((enum stream)s), seq);
        }
    }
}

static void commit_some(struct world *w, struct rg_random *random)
{
    static const int most[STREAM_COUNT] = {
        [STREAM_ALARM] = 3, [STREAM_TELEMETRY] = 60, [STREAM_EVENT] = 2, [STREAM_REPORT] = 1};

    for (int s = 0; s < STREAM_COUNT; s++) {
        const int64_t before = w->head[s];
        int count = (int)random_below(random, (uint64_t)most[s] + 1);

        if (s == STREAM_TELEMETRY && random_below(random, 40) == 0)
            count = 1500;
        if (before + count > WORLD_RECORDS)
            continue;
        world_commit(w, (enum stream)s, count);
        for (int64_t seq = before + 1; seq <= w->head[s]; seq++) {
            w->records[s][seq].level = (enum level)random_below(random, LEVEL_COUNT);
            w->records[s][seq].was = (enum level)random_below(random, LEVEL_COUNT);
            w->records[s][seq].device = (uint32_t)random_below(random, 4);
        }
    }
    uplink_head(w->uplink, w->head);
}

static void disturb(struct world *w, struct rg_random *random)
{
    switch (random_below(random, 14)) {
    case 0:
    case 1:
        support_broker_cut(w->broker);
        break;
    case 2:
        w->broker->connect = (enum support_connect)random_below(random, 3);
        break;
    case 3:
        w->broker->delay_ms = (int64_t)random_below(random, 3000);
        break;
    case 4:
        w->broker->hold_acks = true;
        break;
    case 5:
        support_broker_release(w->broker);
        break;
    case 6:
        w->broker->kick_ms = random_below(random, 2) ? -1 : (int64_t)random_below(random, 5000);
        break;
    case 7:
        w->again = (unsigned)random_below(random, 10);
        break;
    case 8:
        w->broken = (unsigned)random_below(random, 3);
        break;
    case 9:
        w->broker->publish_errors = random_below(random, 4);
        break;
    case 10:
        w->broker->receive_max = random_below(random, 2) ? SIZE_MAX : 1 + random_below(random, 40);
        break;
    case 11: /* a crash: what was not yet kept of the cursors is lost */
        world_kill(w);
        check_cursors(w, w->saved);
        world_start(w);
        break;
    case 12:
        w->fetch_ms = 1 + (int64_t)random_below(random, 200);
        break;
    default:
        break;
    }
}

static void heal(struct world *w)
{
    w->broker->connect = SUPPORT_ACCEPT;
    w->broker->delay_ms = 10;
    w->broker->kick_ms = -1;
    w->broker->publish_errors = 0;
    w->broker->receive_max = SIZE_MAX;
    w->broker->refuse = NULL;
    w->again = w->broken = 0;
    w->fetch_ms = 2;
    support_broker_release(w->broker);
}

static bool all_acked(const struct world *w)
{
    const struct uplink_stats stats = world_stats(w);

    for (int s = 0; s < STREAM_COUNT; s++)
        if (stats.pending[s] > 0)
            return false;
    return stats.in_flight == 0;
}

static void run_seed(uint64_t seed)
{
    static struct world w;
    struct rg_random random;
    const bool refusals = seed % 4 == 3;

    world_open(&w);
    random_seed(&random, seed);
    w.seed = seed;
    w.broker->forget = true;
    w.conf.backfill_rate = seed % 3 == 0 ? 0 : 2000;
    w.conf.alarms_from = (enum level)random_below(&random, LEVEL_COUNT);
    for (size_t i = 0; i < 4; i++)
        w.devices[i] = random_below(&random, 2) != 0;
    w.conf.telemetry_devices = seed % 2 ? w.devices : NULL;
    w.scan_max = seed % 5 == 0 ? 1 + (int64_t)random_below(&random, 100) : 0;
    w.record_bytes = random_below(&random, 400);
    w.broker->refuse = refusals ? refuse_some : NULL;
    world_start(&w);
    for (int i = 0; i < 250; i++) {
        commit_some(&w, &random);
        disturb(&w, &random);
        world_run(&w, (int64_t)random_below(&random, 3000));
        check_cursors(&w, w.saved);
        if (w.broker->most_unacked > UPLINK_WINDOW)
            fail_msg("seed %" PRIu64 ": %zu in flight", seed, w.broker->most_unacked);
    }
    heal(&w);
    world_run(&w, 200000); /* one more reconnect and its longest wait, and the back-fill */
    for (int i = 0; i < 100 && !all_acked(&w); i++)
        world_run(&w, 10000);
    if (!all_acked(&w))
        fail_msg("seed %" PRIu64 ": it does not come to an end", seed);
    if (!world_complete(&w))
        fail_msg("seed %" PRIu64 ": a hole", seed);
    if (w.alarm_out_of_order && !refusals)
        fail_msg("seed %" PRIu64 ": alarms out of order", seed);
    world_close(&w);
}

static void nothing_is_lost_whatever_happens(void **state)
{
    (void)state;
    if (only_seed) {
        run_seed(only_seed);
        return;
    }
    for (uint64_t seed = 1; seed <= 16; seed++)
        run_seed(seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_whatever_happens)};

    if (argc > 1)
        only_seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
