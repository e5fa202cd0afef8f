/* LINK rg_uplink rg_test_support rg_loop_virtual rg_base */
/* Whatever the network, the broker, the store, the platform and a crash do: every record meant for the platform reaches it at
 * least once, with the right prev; what counts as done is with the platform, and where receipts are waited for the platform has
 * said so; what it asks for comes again; alarms come in order. A failed seed is printed; it is taken as an argument, or a number
 * of seeds as a second one. */
#include "uplink_world.h"

#define ASKS_MAX 40

/* What the platform asked for and was promised. */
struct promise {
    enum stream stream;
    struct seq_range range;
    int64_t at_ms;
    int64_t
        upto; /* above it records were on their way as it was, or the platform may yet say that it has them */
};

struct run {
    struct world w;
    struct rg_random random;
    bool refusals;
    bool order_free;            /* so many alarms were missed that new ones overtake them */
    int64_t said[STREAM_COUNT]; /* the highest receipt that was sent */
    struct promise promises[ASKS_MAX];
    size_t promise_count;
    unsigned replies, replies_from; /* numbers given out; those from here on were not lost in a crash */
};

static uint64_t only_seed, seed_count = 10;

static bool refuse_some(void *arg, const struct support_message *m)
{
    struct world *w = arg;

    return (m->token * 2654435761u + w->seed) % 61 == 0;
}

/* What counts as done must be with the platform; and it must have said so where that is waited for. */
static void check_cursors(const struct run *r, const struct cursor *cursors)
{
    const struct world *w = &r->w;

    for (int s = 0; s < STREAM_COUNT; s++) {
        size_t range = 0;

        for (int64_t seq = w->gone[s] + 1; seq <= cursors[s].acked; seq++) {
            while (range < cursors[s].range_count && cursors[s].ranges[range].last < seq)
                range++;
            if (range < cursors[s].range_count && seq >= cursors[s].ranges[range].first)
                continue;
            if (!world_meant(w, (enum stream)s, seq))
                continue;
            if (w->seen[s][seq].times == 0)
                fail_msg("seed %" PRIu64 ": %s %" PRId64 " counts as done and never arrived", w->seed,
                         stream_name((enum stream)s), seq);
            if (w->conf.receipts && seq > r->said[s])
                fail_msg("seed %" PRIu64 ": %s %" PRId64 " counts as done without a receipt", w->seed,
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
        if (s == STREAM_ALARM && random_below(random, 60) == 0)
            count = 300;
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

static void disturb_broker(struct world *w, struct rg_random *random)
{
    switch (random_below(random, 12)) {
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
        w->broker->publish_errors = random_below(random, 4);
        break;
    case 8:
        w->broker->receive_max = random_below(random, 2) ? SIZE_MAX : 1 + random_below(random, 40);
        break;
    case 9:
        w->broker->refuse_subscriptions = random_below(random, 2) != 0;
        break;
    case 10:
        w->broker->mute_subscriptions = random_below(random, 4) == 0;
        break;
    default:
        break;
    }
}

/* What was not yet kept of the cursors is lost, and answers that wait are. */
static void crash(struct run *r)
{
    world_kill(&r->w);
    check_cursors(r, r->w.saved);
    r->replies_from = r->replies;
    world_start(&r->w);
}

static void forget_some(struct run *r)
{
    struct world *w = &r->w;
    const enum stream s = (enum stream)random_below(&r->random, STREAM_COUNT);
    const int64_t upto = (int64_t)random_below(&r->random, (uint64_t)w->head[s] / 2 + 1);

    if (upto <= w->gone[s])
        return;
    w->gone[s] = upto;
    uplink_gone(w->uplink, s, upto);
}

static void disturb(struct run *r)
{
    struct world *w = &r->w;

    switch (random_below(&r->random, 8)) {
    case 0:
        w->again = (unsigned)random_below(&r->random, 10);
        break;
    case 1:
        w->broken = (unsigned)random_below(&r->random, 3);
        break;
    case 2:
        w->fetch_ms = 1 + (int64_t)random_below(&r->random, 200);
        break;
    case 3:
        if (random_below(&r->random, 3) == 0)
            crash(r);
        break;
    case 4:
        if (random_below(&r->random, 10) == 0)
            forget_some(r);
        break;
    default:
        disturb_broker(w, &r->random);
        break;
    }
}

/* A platform that tells the truth, but late, twice, out of order or not at all; and nonsense beside it. */
static void send_receipts(struct run *r, bool healed)
{
    struct world *w = &r->w;

    for (int s = 0; s < STREAM_COUNT && w->conf.receipts; s++) {
        int64_t upto = world_has_upto(w, (enum stream)s);

        if (!healed && random_below(&r->random, 3) == 0)
            continue;
        if (!healed && random_below(&r->random, 4) == 0)
            upto = upto > 0 ? 1 + (int64_t)random_below(&r->random, (uint64_t)upto) : 0;
        if (upto > w->gone[s] && upto > 0 && world_receipt(w, (enum stream)s, upto) && upto > r->said[s])
            r->said[s] = upto;
        if (!healed && random_below(&r->random, 20) == 0)
            (void)world_receipt(w, (enum stream)s, WORLD_RECORDS + 1 + (int64_t)random_below(&r->random, 50));
        if (!healed && random_below(&r->random, 20) == 0)
            (void)world_send(w, TRANSPORT_RECEIPT, "{\"stream\":\"alarm\"}");
    }
}

/* Asked for within what was asked for before: it may be on its way since then. */
static int64_t since(const struct run *r, const struct promise *p)
{
    for (size_t i = r->promise_count; i > 0; i--) {
        const struct promise *q = &r->promises[i - 1];

        if (q->stream == p->stream && q->range.first <= p->range.first && q->upto >= p->upto)
            return q->at_ms;
    }
    return p->at_ms;
}

static void ask(struct run *r)
{
    struct promise p = {.stream = (enum stream)random_below(&r->random, STREAM_COUNT)};
    struct world *w = &r->w;
    int64_t first = 1 + (int64_t)random_below(&r->random, (uint64_t)w->head[p.stream] + 1);
    int64_t last = first + (int64_t)random_below(&r->random, 300);
    enum rg_err err;

    if (random_below(&r->random, 6) == 0 && r->promise_count < ASKS_MAX) {
        p.at_ms = loop_mono_ms(w->loop);
        err = uplink_backfill(w->uplink, p.stream, first, last, &p.range);
        assert_true(err == RG_OK || err == RG_ENOTFOUND);
        p.upto = w->saved[p.stream].acked < p.range.last ? w->saved[p.stream].acked : p.range.last;
        p.at_ms = since(r, &p);
        if (err == RG_OK)
            r->promises[r->promise_count++] = p;
    }
    if (random_below(&r->random, 4) == 0 && r->replies < WORLD_REPLIES) {
        char text[16];
        const int length = snprintf(text, sizeof(text), "%u", r->replies);

        if (uplink_reply(w->uplink, random_below(&r->random, 2) ? "answers/1" : NULL, "c", 1, text,
                         (size_t)length) == RG_OK)
            r->replies++;
    }
}

static void check_promises(const struct run *r)
{
    const struct world *w = &r->w;

    for (size_t i = 0; i < r->promise_count; i++) {
        const struct promise *p = &r->promises[i];

        for (int64_t seq = p->range.first; seq <= p->upto; seq++)
            if (seq > w->gone[p->stream] && world_meant(w, p->stream, seq) &&
                w->seen[p->stream][seq].last_ms < p->at_ms)
                fail_msg("seed %" PRIu64 ": %s %" PRId64 " was asked for and did not come", w->seed,
                         stream_name(p->stream), seq);
    }
    for (unsigned i = r->replies_from; i < r->replies; i++)
        if (!w->reply_seen[i])
            fail_msg("seed %" PRIu64 ": the answer %u never came", w->seed, i);
}

static void heal(struct world *w)
{
    w->broker->connect = SUPPORT_ACCEPT;
    w->broker->delay_ms = 10;
    w->broker->kick_ms = -1;
    w->broker->publish_errors = 0;
    w->broker->receive_max = SIZE_MAX;
    w->broker->refuse = NULL;
    w->broker->refuse_subscriptions = w->broker->mute_subscriptions = false;
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
    return stats.in_flight == 0 && stats.replies_waiting == 0;
}

static void open_run(struct run *r, uint64_t seed)
{
    struct world *w = &r->w;

    *r = (struct run){.refusals = seed % 4 == 3};
    world_open(w);
    random_seed(&r->random, seed);
    w->seed = seed;
    w->broker->forget = true;
    w->conf.backfill_rate = seed % 3 == 0 ? 0 : 2000;
    w->conf.alarms_from = (enum level)random_below(&r->random, LEVEL_COUNT);
    w->conf.receipts = seed % 2 == 0;
    w->conf.may = SITE_MAY_BACKFILL;
    for (size_t i = 0; i < 4; i++)
        w->devices[i] = random_below(&r->random, 2) != 0;
    w->conf.telemetry_devices = seed % 3 ? w->devices : NULL;
    w->scan_max = seed % 5 == 0 ? 1 + (int64_t)random_below(&r->random, 100) : 0;
    w->record_bytes = random_below(&r->random, 400);
    w->broker->refuse = r->refusals ? refuse_some : NULL;
    world_start(w);
}

static void run_seed(uint64_t seed)
{
    static struct run r;
    struct world *w = &r.w;

    open_run(&r, seed);
    for (int i = 0; i < 250; i++) {
        commit_some(w, &r.random);
        disturb(&r);
        send_receipts(&r, false);
        ask(&r);
        r.order_free = r.order_free || world_stats(w).pending[STREAM_ALARM] > UPLINK_RECORD_LAG;
        world_run(w, (int64_t)random_below(&r.random, 3000));
        check_cursors(&r, w->saved);
        if (w->broker->most_unacked > UPLINK_WINDOW)
            fail_msg("seed %" PRIu64 ": %zu in flight", seed, w->broker->most_unacked);
    }
    heal(w);
    world_run(w, 200000); /* one more reconnect and its longest wait, and the back-fill */
    for (int i = 0; i < 100 && !all_acked(w); i++) {
        send_receipts(&r, true);
        world_run(w, 10000);
    }
    if (!all_acked(w))
        fail_msg("seed %" PRIu64 ": it does not come to an end", seed);
    if (!world_complete(w))
        fail_msg("seed %" PRIu64 ": a hole", seed);
    check_cursors(&r, w->saved);
    check_promises(&r);
    if (w->alarm_out_of_order && !r.refusals && !r.order_free)
        fail_msg("seed %" PRIu64 ": alarms out of order", seed);
    world_close(w);
}

static void nothing_is_lost_whatever_happens(void **state)
{
    (void)state;
    if (only_seed) {
        run_seed(only_seed);
        return;
    }
    for (uint64_t seed = 1; seed <= seed_count; seed++)
        run_seed(seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_whatever_happens)};

    if (argc > 1)
        only_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seed_count = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
