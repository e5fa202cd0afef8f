/* LINK rg_test_support rg_poll rg_loop_virtual */
/* Random sites under random faults: whatever happens, these hold.
 *
 * - Never two transactions at once on a bus. - A device that is not suspended is polled at most once for
 * each instant of its grid, and after a skip not again before   half a period has passed. - A device is
 * never long without a frame: silence is seen. - Crossings alternate: lost, back, lost, ... - When the
 * faults are over, all come back, and then no instant is skipped any more. */
#include "base/random.h"
#include "poll_bench.h"

#define FAULTS_MS (600 * 1000)
/* The longest probe gap, its patience and the wait for its bus; then some. */
#define QUIET_MS (POLL_PROBE_CAP_MS + SCHEDULE_PROBE_PATIENCE_MS + POLL_BUS_CAP_MS + 30000)
#define SEEDS 15

struct watch {
    bool begun; /* it has been polled before */
    int64_t begun_ms;
    uint64_t skipped; /* before that poll */
    bool skipping;    /* that poll came after a skip */
    bool regular;     /* that poll was neither a probe nor the try of a bus that was down */
    int64_t told_ms;
};

struct chaos {
    struct bench *bench;
    uint64_t seed;
    int64_t quiet_ms; /* from then on all are well */
    struct watch watches[BENCH_DEVICES];
    struct fake_call last[BENCH_DEVICES]; /* by bus */
    bool asked[BENCH_DEVICES];            /* the bus was asked before */
};

/* A number that depends on nothing but its arguments. */
static uint64_t draw(uint64_t seed, uint64_t what, int64_t when, uint64_t below)
{
    struct rg_random r;

    random_seed(&r, seed * 1000003 + what * 7919 + (uint64_t)when);
    (void)random_next(&r);
    return random_below(&r, below);
}

static enum fake_behaviour decide_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    static const enum fake_behaviour device_faults[] = {FAKE_SILENT,    FAKE_SILENT, FAKE_EXCEPTION,
                                                        FAKE_MALFORMED, FAKE_LATE,   FAKE_BROKEN};
    struct chaos *c = arg;
    uint32_t bus = c->bench->site->devices[device].bus;

    if (now_ms >= c->quiet_ms)
        return FAKE_OK;
    if (draw(c->seed, 1000 + bus, now_ms / 30000, 10) == 0)
        return draw(c->seed, 2000 + bus, now_ms / 30000, 2) == 0 ? FAKE_UNREACHABLE : FAKE_BROKEN;
    if (draw(c->seed, device, now_ms / 20000, 3) != 0)
        return FAKE_OK;
    if (draw(c->seed, device + request, now_ms, 3) == 0)
        return FAKE_OK;
    return device_faults[draw(c->seed, 3000 + device, now_ms / 20000, RG_COUNT(device_faults))];
}

static void fail_at(const struct chaos *c, const char *what, uint32_t device, int64_t at_ms)
{
    fail_msg("seed %llu: %s, device %u at %lld", (unsigned long long)c->seed, what, device, (long long)at_ms);
}

/* A retry or the next request of a poll, rather than the beginning of one. */
static bool continues(const struct chaos *c, const struct fake_call *call)
{
    const struct fake_call *last = &c->last[call->bus];

    if (!c->asked[call->bus] || last->device != call->device || last->ended_ms != call->begun_ms)
        return false;
    /* Beyond the next one: what is left out is passed over. */
    return call->request > last->request || (call->request == last->request && last->behaviour != FAKE_OK);
}

static void called_cb(void *arg, const struct fake_call *call)
{
    struct chaos *c = arg;
    struct watch *w = &c->watches[call->device];
    struct poll_device_stats stats = bench_device(c->bench, call->device);
    int64_t period = c->bench->site->devices[call->device].poll_ms;
    int64_t offset = c->bench->site->devices[call->device].poll_offset_ms;

    bench_called_cb(c->bench, call);
    /* What looks like a retry may be a new poll that was already due; when it skipped, it shows. */
    bool poll = !continues(c, call) || stats.skipped > w->skipped;
    c->last[call->bus] = *call;
    c->asked[call->bus] = true;
    if (!poll)
        return;
    if (call->request != 0 && stats.state != UNIT_SUSPENDED && stats.left_out == 0)
        fail_at(c, "a poll begins in its middle", call->device, call->begun_ms);
    bool regular = stats.state != UNIT_SUSPENDED && bench_bus(c->bench, call->bus).state != BUS_DOWN;
    if (regular && w->begun && w->regular) {
        if ((call->begun_ms - offset) / period == (w->begun_ms - offset) / period)
            fail_at(c, "polled twice for one instant", call->device, call->begun_ms);
        if (w->skipping && call->begun_ms - w->begun_ms < period / 2)
            fail_at(c, "polls follow closely after a skip", call->device, call->begun_ms);
    }
    w->skipping = stats.skipped > w->skipped;
    w->skipped = stats.skipped;
    w->begun_ms = call->begun_ms;
    w->begun = true;
    w->regular = regular;
}

static void chaos_frame_cb(void *arg, const struct frame *frame)
{
    struct chaos *c = arg;
    struct watch *w = &c->watches[frame->device];
    int64_t bound = POLL_PROBE_CAP_MS + SCHEDULE_PROBE_PATIENCE_MS + BUS_TELL_GAP_MS;

    bound += 2 * c->bench->site->devices[frame->device].poll_ms;
    if (frame->at.mono_ms - w->told_ms > bound)
        fail_at(c, "no word for too long", frame->device, frame->at.mono_ms);
    w->told_ms = frame->at.mono_ms;
    bench_frame_cb(c->bench, frame);
}

static void chaos_device_cb(void *arg, uint32_t device, enum unit_state state, const char *detail)
{
    bench_device_cb(((struct chaos *)arg)->bench, device, state, detail);
}

static void chaos_bus_cb(void *arg, uint32_t bus, enum bus_state state, const char *detail)
{
    bench_bus_cb(((struct chaos *)arg)->bench, bus, state, detail);
}

static int64_t chaos_now_cb(void *arg)
{
    return bench_now_cb(((struct chaos *)arg)->bench);
}

static void chaos_spend_cb(void *arg, int64_t ms)
{
    bench_spend_cb(((struct chaos *)arg)->bench, ms);
}

static struct bench *chaos_bench(struct chaos *c)
{
    static const int64_t periods[] = {1000, 1000, 1000, 1500, 2000, 5000, 30000, 90000};
    struct rg_random r;

    random_seed(&r, c->seed);
    struct bench *b = bench_create(1 + random_below(&r, 4), 1 + random_below(&r, 8),
                                   1 + (uint32_t)random_below(&r, 6), 1000);
    fake_destroy(b->fake);
    b->hooks.decide = decide_cb;
    b->hooks.called = called_cb;
    b->hooks.now_ms = chaos_now_cb;
    b->hooks.spend = chaos_spend_cb;
    b->hooks.arg = c;
    for (size_t i = 0; i < b->site->device_count; i++) {
        struct site_device *d = &b->site->devices[i];

        d->poll_ms = periods[random_below(&r, RG_COUNT(periods))];
        d->timeout_ms = 50 + (int64_t)random_below(&r, 2000);
        d->retries = (uint32_t)random_below(&r, 3);
        if (random_below(&r, 3) == 0)
            d->poll_offset_ms = (int64_t)random_below(&r, (uint64_t)d->poll_ms);
    }
    b->fake = fake_create(b->site, &b->hooks);
    assert_non_null(b->fake);
    for (uint32_t i = 0; i < b->site->device_count; i++) {
        fake_device(b->fake, i)->takes_ms = (int64_t)random_below(&r, 20);
        fake_device(b->fake, i)->per_request = random_below(&r, 4);
    }
    return b;
}

static void check_crossings(const struct chaos *c)
{
    const struct bench *b = c->bench;

    for (size_t i = 0; i < b->crossing_count; i++) {
        const struct bench_crossing *crossing = &b->crossings[i];
        bool lost = crossing->state == (crossing->bus ? (int)BUS_DOWN : (int)UNIT_SUSPENDED);
        bool was_lost = false;

        for (size_t j = 0; j < i; j++)
            if (b->crossings[j].bus == crossing->bus && b->crossings[j].index == crossing->index)
                was_lost = !was_lost;
        if (lost == was_lost)
            fail_at(c, crossing->bus ? "no crossing of a bus" : "no crossing", crossing->index,
                    crossing->at_ms);
    }
}

static void check_all_well(const struct chaos *c)
{
    const struct bench *b = c->bench;

    for (uint32_t i = 0; i < b->site->device_count; i++) {
        if (bench_device(b, i).state != UNIT_ONLINE)
            fail_at(c, "did not come back", i, loop_mono_ms(b->loop));
        if (bench_device(b, i).left_out != 0)
            fail_at(c, "a request did not come back", i, loop_mono_ms(b->loop));
        if (loop_mono_ms(b->loop) - c->watches[i].begun_ms > b->site->devices[i].poll_ms + 1000)
            fail_at(c, "is not polled", i, loop_mono_ms(b->loop));
    }
    for (uint32_t i = 0; i < b->site->bus_count; i++)
        if (bench_bus(b, i).state != BUS_UP)
            fail_at(c, "bus is not up", i, loop_mono_ms(b->loop));
}

static void one_seed(uint64_t seed)
{
    static const struct poll_cbs cbs = {
        .frame = chaos_frame_cb, .device = chaos_device_cb, .bus = chaos_bus_cb};
    struct chaos *c = calloc(1, sizeof(*c));
    uint64_t skipped[BENCH_DEVICES];

    assert_non_null(c);
    c->seed = seed;
    c->quiet_ms = VIRTUAL_MONO_MS + FAULTS_MS;
    c->bench = chaos_bench(c);
    struct bench *b = c->bench;
    for (uint32_t i = 0; i < b->site->device_count; i++)
        c->watches[i].told_ms = VIRTUAL_MONO_MS;
    assert_int_equal(poll_create(b->loop, b->site, fake_driver(), &cbs, c, seed, &b->poll), RG_OK);
    poll_start(b->poll);
    bench_run(b, FAULTS_MS + QUIET_MS);
    check_all_well(c);
    check_crossings(c);
    for (uint32_t i = 0; i < b->site->device_count; i++)
        skipped[i] = bench_device(b, i).skipped;
    bench_run(b, 120 * 1000);
    for (uint32_t i = 0; i < b->site->device_count; i++)
        if (bench_device(b, i).skipped != skipped[i])
            fail_at(c, "skips without need", i, loop_mono_ms(b->loop));
    bench_destroy(b);
    free(c);
}

static void random_faults(void **state)
{
    const char *only = getenv("POLL_SEED"); /* to look at one that failed */

    (void)state;
    if (only != NULL) {
        one_seed(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one_seed(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
