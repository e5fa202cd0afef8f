/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* Chunks: their limits, their filters, and the record before the first. */
#include "test_store_help.h"

#include "base/random.h"

static void put_frames(struct rig *r, unsigned count, unsigned devices)
{
    for (unsigned i = 0; i < count; i++)
        rig_frame(r, i % devices);
    rig_run(r, 1000);
}

static void expect(const struct rig_chunk *c, int64_t first, int64_t last, size_t count, int64_t prev,
                   int64_t scanned_to)
{
    assert_int_equal(c->chunk.error, RG_OK);
    assert_int_equal(c->chunk.first, first);
    assert_int_equal(c->chunk.last, last);
    assert_int_equal(c->chunk.count, count);
    assert_int_equal(c->chunk.prev, prev);
    assert_int_equal(c->chunk.scanned_to, scanned_to);
}

static void test_limits(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, 1000, NULL), 0, 0, 0, 0, 0);
    put_frames(&r, 20, 2);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 100, 100000, NULL), 1, 20, 20, 0, 20);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 5, 9, 100, 100000, NULL), 5, 9, 5, 4, 9);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 5, 90, 3, 100000, NULL), 5, 7, 3, 4, 7);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 21, 0, 3, 100000, NULL), 0, 0, 0, 0, 20);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 7, 0, 9, 1, NULL), 7, 7, 1, 6, 7); /* one always */

    const struct rig_chunk *c = rig_fetch(&r, STREAM_TELEMETRY, 1, 2, 10, 100000, NULL);
    static char joined[sizeof(c->bodies)];
    memcpy(joined, c->bodies, sizeof(joined));
    assert_string_equal(joined,
                        rig_query(&r, "SELECT group_concat(body, ',') FROM telemetry WHERE seq <= 2"));
    size_t two = strlen(joined);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, two, NULL), 1, 2, 2, 0, 2);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, two - 1, NULL), 1, 1, 1, 0, 1);

    struct rig_chunk unused;
    assert_int_equal(store_fetch(r.store, STREAM_TELEMETRY, 1, 0, 0, 1, NULL, rig_took, &unused), RG_EINVAL);
    assert_int_equal(store_fetch(r.store, (enum stream)9, 1, 0, 1, 1, NULL, rig_took, &unused), RG_EINVAL);
    assert_int_equal(store_fetch(r.store, STREAM_TELEMETRY, -1, 0, 1, 1, NULL, rig_took, &unused), RG_EINVAL);
    rig_end(&r);
}

static void test_alarm_filter(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    static const enum level path[][2] = {
        {LEVEL_BLUE, LEVEL_NONE},   {LEVEL_RED, LEVEL_BLUE},    {LEVEL_YELLOW, LEVEL_RED},
        {LEVEL_NONE, LEVEL_YELLOW}, {LEVEL_BLUE, LEVEL_NONE},   {LEVEL_NONE, LEVEL_BLUE},
        {LEVEL_ORANGE, LEVEL_NONE}, {LEVEL_NONE, LEVEL_ORANGE},
    };
    for (unsigned i = 0; i < RG_COUNT(path); i++)
        assert_int_equal(rig_alarm_record(&r, 1, "x", path[i][0], path[i][1]), RG_OK);
    rig_run(&r, 0);
    struct stream_filter red = {.alarm_from = LEVEL_RED}, orange = {.alarm_from = LEVEL_ORANGE};
    struct stream_filter yellow = {.alarm_from = LEVEL_YELLOW}, all = {0};
    expect(rig_fetch(&r, STREAM_ALARM, 1, 0, 100, 100000, &red), 2, 3, 2, 0, 8);
    expect(rig_fetch(&r, STREAM_ALARM, 4, 0, 100, 100000, &orange), 7, 8, 2, 3, 8);
    expect(rig_fetch(&r, STREAM_ALARM, 4, 0, 100, 100000, &yellow), 4, 8, 3, 3, 8);
    expect(rig_fetch(&r, STREAM_ALARM, 5, 6, 100, 100000, &yellow), 0, 0, 0, 0, 6);
    expect(rig_fetch(&r, STREAM_ALARM, 4, 0, 2, 100000, &all), 4, 5, 2, 3, 5);
    rig_end(&r);
}

static void test_device_filter(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    put_frames(&r, 30, 3); /* gas-0 at 1, 4, 7 ...; gas-1 at 2, 5 ...; gas-2 at 3, 6 ... */
    const bool middle[] = {false, true, false}, all[] = {true, true, true}, none[] = {false, false, false};
    struct stream_filter filter = {.devices = middle, .device_count = 3};
    expect(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 3, 100000, &filter), 2, 8, 3, 0, 8);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 9, 0, 100, 100000, &filter), 11, 29, 7, 8, 30);
    expect(rig_fetch(&r, STREAM_TELEMETRY, 30, 0, 100, 100000, &filter), 0, 0, 0, 0, 30);
    filter.devices = all;
    expect(rig_fetch(&r, STREAM_TELEMETRY, 9, 0, 100, 100000, &filter), 9, 30, 22, 8, 30);
    filter.devices = none;
    expect(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 100, 100000, &filter), 0, 0, 0, 0, 30);
    rig_close(&r);

    /* After a start with devices in another order: by name, from the first fetch on. */
    rig_open(&r);
    const char *const names[] = {"gas-2", "new", "gas-1"};
    assert_int_equal(store_devices(r.store, names, 3), RG_OK);
    const bool last[] = {false, true, true};
    filter = (struct stream_filter){.devices = last, .device_count = 3};
    expect(rig_fetch(&r, STREAM_TELEMETRY, 9, 0, 2, 100000, &filter), 11, 14, 2, 8, 14);
    rig_end(&r);
}

/* Against a plain search, on random filters and places, with blocks in between in which nothing passes. */
static void test_prev_at_random(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    uint64_t seed = random_system_seed();
    struct rg_random random;
    random_seed(&random, seed);
    enum { FRAMES = 20000, DEVICES = 12 };
    static uint8_t device_of[FRAMES + 1];
    for (unsigned i = 1; i <= FRAMES; i++) {
        /* Devices 8 to 11 speak only once in a while, 11 only at the beginning. */
        uint64_t d = random_below(&random, 8);
        if (random_below(&random, 3000) == 0)
            d = 8 + random_below(&random, 3);
        device_of[i] = (uint8_t)(i == 3 ? 11 : d);
        rig_frame(&r, device_of[i]);
        if (i % 5000 == 0)
            rig_run(&r, 1000);
    }
    const char *names[DEVICES];
    char name[DEVICES][16];
    for (unsigned i = 0; i < DEVICES; i++) {
        (void)snprintf(name[i], sizeof(name[i]), "gas-%u", i);
        names[i] = name[i];
    }
    assert_int_equal(store_devices(r.store, names, DEVICES), RG_OK);
    for (int round = 0; round < 300; round++) {
        bool wanted[DEVICES] = {false};
        wanted[random_below(&random, DEVICES)] = true;
        wanted[8 + random_below(&random, 4)] = true;
        int64_t from = 1 + (int64_t)random_below(&random, FRAMES);
        struct stream_filter filter = {.devices = wanted, .device_count = DEVICES};
        const struct rig_chunk *c = rig_fetch(&r, STREAM_TELEMETRY, from, 0, 3, 100000, &filter);
        int64_t first = from, prev = 0, looked = c->chunk.scanned_to;
        while (first <= FRAMES && !wanted[device_of[first]])
            first++;
        bool right = first <= FRAMES ? c->chunk.first == first || (c->chunk.count == 0 && looked < first)
                                     : c->chunk.count == 0;
        if (c->chunk.count > 0) {
            for (prev = first - 1; prev > 0 && !wanted[device_of[prev]];)
                prev--;
            right = right && c->chunk.prev == prev;
        }
        if (!right || looked < from - 1)
            fail_msg("seed %" PRIu64 " round %d from %" PRId64 ": first %" PRId64 " for %" PRId64
                     ", prev %" PRId64 " for %" PRId64,
                     seed, round, from, c->chunk.first, first, c->chunk.prev, prev);
    }
    rig_end(&r);
}

static void test_bounded_scan(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    for (unsigned i = 0; i < 5; i++)
        put_frames(&r, 4000, 1);
    struct stream_filter red = {.alarm_from = LEVEL_RED};
    for (unsigned i = 0; i < 10000; i++) {
        rig_alarm(&r, i + 1);
        if (i % 1000 == 999)
            rig_run(&r, 0);
    }
    const struct rig_chunk *c = rig_fetch(&r, STREAM_ALARM, 1, 0, 10, 1000, &red);
    assert_int_equal(c->chunk.count, 0);
    assert_true(c->chunk.scanned_to >= 1000 && c->chunk.scanned_to < 10000);
    /* Blocks without an allowed device are skipped as a whole. */
    rig_frame(&r, 1);
    rig_run(&r, 1000);
    const bool second[] = {false, true};
    struct stream_filter filter = {.devices = second, .device_count = 2};
    expect(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, 1000, &filter), 20001, 20001, 1, 0, 20001);
    rig_end(&r);
}

struct order {
    char seen[STORE_FETCH_MAX + 1];
    size_t count;
};

struct asked {
    struct order *order;
    char name;
};

static void note(void *arg, const struct chunk *chunk)
{
    struct asked *a = arg;
    (void)chunk;
    a->order->seen[a->order->count++] = a->name;
}

static void test_queue(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    put_frames(&r, 5, 1);
    struct order order = {.count = 0};
    struct asked t = {&order, 't'}, a = {&order, 'a'}, x = {&order, 'x'}, e = {&order, 'e'};
    assert_int_equal(store_fetch(r.store, STREAM_TELEMETRY, 1, 0, 1, 1, NULL, note, &t), RG_OK);
    assert_int_equal(store_fetch(r.store, STREAM_TELEMETRY, 1, 0, 1, 1, NULL, note, &x), RG_OK);
    assert_int_equal(store_fetch(r.store, STREAM_TELEMETRY, 1, 0, 1, 1, NULL, note, &t), RG_OK);
    assert_int_equal(store_fetch(r.store, STREAM_EVENT, 1, 0, 1, 1, NULL, note, &e), RG_OK);
    assert_int_equal(store_fetch(r.store, STREAM_ALARM, 1, 0, 1, 1, NULL, note, &a), RG_OK);
    store_fetch_cancel(r.store, &x);
    rig_run(&r, 0);
    order.seen[order.count] = '\0';
    assert_string_equal(order.seen, "tate"); /* the first was on its way already */

    order.count = 0;
    for (int i = 0; i < STORE_FETCH_MAX; i++)
        assert_int_equal(store_fetch(r.store, STREAM_EVENT, 1, 0, 1, 1, NULL, note, &e), RG_OK);
    assert_int_equal(store_fetch(r.store, STREAM_ALARM, 1, 0, 1, 1, NULL, note, &a), RG_EAGAIN);
    store_fetch_cancel(r.store, &e);
    rig_run(&r, 0);
    assert_int_equal(order.count, 0); /* one that ran is not heard either */
    assert_int_equal(store_fetch(r.store, STREAM_ALARM, 1, 0, 1, 1, NULL, note, &a), RG_OK);
    rig_end(&r); /* with a fetch that waits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_alarm_filter),
        cmocka_unit_test(test_device_filter), cmocka_unit_test(test_prev_at_random),
        cmocka_unit_test(test_bounded_scan),  cmocka_unit_test(test_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
