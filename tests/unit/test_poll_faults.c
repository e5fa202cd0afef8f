/* LINK rg_test_support rg_poll rg_loop_virtual */
/* One sick part slows no other: mute and lying units, dead and breaking buses, on a virtual clock. */
#include "poll_bench.h"

/* How late the n-th device of a line begins when all before it answer: 10 ms each. */
static int64_t lateness(const struct fake_call *call, int64_t period_ms)
{
    return call->begun_ms % period_ms;
}

static void a_mute_unit_costs_one_time_out_a_probe(void **state)
{
    struct bench *b = bench_create(1, 9, 1, 1000);
    size_t polls = 0;
    size_t late = 0;
    size_t probes = 0;

    (void)state;
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT; /* the first of the line */
    bench_start(b, 7);
    bench_run(b, 3600 * 1000 - 1);
    for (size_t i = 0; i < b->call_count; i++) {
        const struct fake_call *call = &b->calls[i];

        if (call->device == 0) {
            probes++;
            continue;
        }
        polls++;
        assert_in_range(lateness(call, 1000), 0, 500 + 10 * 8);
        late += lateness(call, 1000) > 10 * 8 ? 1 : 0;
    }
    assert_int_equal(polls, 8 * 3600); /* none missed */
    assert_in_range(probes, 60, 100);
    assert_in_range(late, 1, 8 * probes);
    assert_true(late < polls / 50);
    for (uint32_t i = 1; i < 9; i++) {
        assert_int_equal(bench_device(b, i).skipped, 0);
        assert_int_equal(bench_device(b, i).ok, 3600);
    }
    bench_destroy(b);
}

static void many_mute_units_cost_no_more_at_a_time(void **state)
{
    struct bench *b = bench_create(1, 32, 1, 1000);

    (void)state;
    bench_start(b, 7);
    bench_run(b, 5500);
    /* A stretch of the line is cut off. */
    for (uint32_t i = 1; i < 31; i++)
        fake_device(b->fake, i)->behaviour = FAKE_SILENT;
    /* Until all are found out (30 units, 3 polls, half a second) two time-outs may come between, at worst. */
    bench_run(b, 60 * 1000);
    uint64_t skipped = bench_device(b, 0).skipped + bench_device(b, 31).skipped;
    assert_in_range(skipped, 0, 8);
    size_t from = b->call_count;
    bench_run(b, 3600 * 1000);
    for (size_t i = from + 1; i < b->call_count; i++) {
        const struct fake_call *call = &b->calls[i];

        if (call->device == 0 || call->device == 31)
            assert_in_range(lateness(call, 1000), 0, 500 + 10);
    }
    assert_int_equal(bench_device(b, 0).skipped + bench_device(b, 31).skipped, skipped);
    for (uint32_t i = 1; i < 31; i++) {
        assert_int_equal(bench_device(b, i).state, UNIT_SUSPENDED);
        fake_device(b->fake, i)->behaviour = FAKE_OK;
    }
    bench_run(b, POLL_PROBE_CAP_MS + 1000);
    for (uint32_t i = 1; i < 31; i++)
        assert_int_equal(bench_device(b, i).state, UNIT_ONLINE);
    assert_int_equal(b->crossing_count, 60);
    bench_destroy(b);
}

static void a_bus_that_is_always_behind_still_probes(void **state)
{
    struct bench *b = bench_create(1, 4, 1, 1000);

    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        fake_device(b->fake, i)->takes_ms = 450;
    fake_device(b->fake, 3)->behaviour = FAKE_SILENT;
    bench_start(b, 7);
    bench_run(b, 600 * 1000);
    assert_int_equal(bench_device(b, 3).state, UNIT_SUSPENDED);
    fake_device(b->fake, 3)->behaviour = FAKE_OK;
    bench_run(b, POLL_PROBE_CAP_MS + SCHEDULE_PROBE_PATIENCE_MS + 2000);
    assert_int_equal(bench_device(b, 3).state, UNIT_ONLINE);
    /* What there is of the line is shared out evenly. */
    uint64_t ok[3] = {bench_device(b, 0).ok, bench_device(b, 1).ok, bench_device(b, 2).ok};
    for (size_t i = 0; i < 3; i++)
        assert_in_range(ok[i], ok[0] * 9 / 10, ok[0] * 11 / 10);
    assert_true(bench_device(b, 0).skipped > 100);
    bench_destroy(b);
}

static void a_liar_delays_nobody_for_long(void **state)
{
    struct bench *b = bench_create(1, 3, 2, 1000);

    (void)state;
    fake_device(b->fake, 0)->behaviour = FAKE_MALFORMED;
    fake_device(b->fake, 0)->takes_ms = 400;
    fake_device(b->fake, 0)->per_request = 1;
    bench_start(b, 7);
    bench_run(b, 600 * 1000);
    bench_expect(b, 0, false, 0, UNIT_SUSPENDED);
    assert_int_equal(b->crossing_count, 1);
    assert_string_equal(bench_device(b, 0).detail, "wrong length");
    assert_int_equal(b->told[0].good_frames, 0);
    assert_int_equal(b->told[0].samples[QUALITY_GOOD], 0);
    /* Two requests in each of the three polls, then probes of one; all of it told. */
    assert_int_equal(b->told[0].samples[QUALITY_COMM], 2 * (fake_device(b->fake, 0)->asked - 3));
    assert_int_equal(bench_bus(b, 0).timeouts, 0);
    for (uint32_t i = 1; i < 3; i++) {
        assert_int_equal(bench_device(b, i).skipped, 0);
        assert_true(bench_device(b, i).ok >= 600);
    }
    bench_destroy(b);
}

static void a_late_answer_belongs_to_nobody(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 1000);

    (void)state;
    b->site->devices[1].retries = 1;
    fake_device(b->fake, 0)->behaviour = FAKE_LATE;
    bench_start(b, 7);
    bench_run(b, 600 * 1000);
    /* It hits the neighbour, whose one retry makes up for it. */
    assert_int_equal(b->told[1].bad_frames, 0);
    assert_true(bench_device(b, 1).retries > 0);
    assert_int_equal(bench_device(b, 1).errors, 0);
    assert_int_equal(b->told[0].good_frames, 0);
    bench_destroy(b);
}

static void a_dead_bus_leaves_the_others_on_their_grid(void **state)
{
    struct bench *b = bench_create(10, 1, 1, 1000);

    (void)state;
    fake_bus(b->fake, 4)->behaviour = FAKE_UNREACHABLE;
    fake_bus(b->fake, 4)->refused_ms = 500; /* a host that is not there: the connection times out */
    bench_start(b, 3);
    bench_run(b, 3600 * 1000 - 1);
    size_t polls = 0;
    for (size_t i = 0; i < b->call_count; i++) {
        if (b->calls[i].bus == 4)
            continue;
        polls++;
        assert_int_equal(b->calls[i].begun_ms % 1000, 0);
    }
    assert_int_equal(polls, 9 * 3600);
    assert_int_equal(b->crossing_count, 1);
    bench_expect(b, 0, true, 4, BUS_DOWN);
    assert_string_equal(bench_bus(b, 4).detail, "connection refused");
    /* The unit is not to blame, but its silence is told: at once, and then at most once in 10 s. */
    assert_int_equal(bench_device(b, 4).state, UNIT_UNKNOWN);
    assert_int_equal(bench_device(b, 4).skipped, 0);
    assert_in_range(b->told[4].bad_frames, 3600 / 12, 3600 / 10 + 1);
    bench_destroy(b);
}

static void a_bus_backs_off_and_comes_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct bench *b = bench_create(1, 3, 2, 1000);
        int64_t bound = POLL_BUS_FIRST_MS;

        bench_start(b, seed);
        bench_run(b, 10500);
        fake_bus(b->fake, 0)->behaviour = FAKE_BROKEN;
        size_t from = b->call_count;
        bench_run(b, 600 * 1000);
        for (size_t i = from; i + 1 < b->call_count; i++) {
            int64_t gap = b->calls[i + 1].begun_ms - b->calls[i].ended_ms;

            if (gap < bound / 2 || gap > bound)
                fail_msg("seed %llu: gap %zu is %lld", (unsigned long long)seed, i - from, (long long)gap);
            bound = bound * 2 < POLL_BUS_CAP_MS ? bound * 2 : POLL_BUS_CAP_MS;
            /* Another one tries each time. */
            assert_int_not_equal(b->calls[i + 1].device, b->calls[i].device);
        }
        assert_int_equal(bound, POLL_BUS_CAP_MS);
        assert_int_equal(b->told[0].samples[QUALITY_COMM], 2 * b->told[0].bad_frames);
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(bench_device(b, i).state, UNIT_ONLINE);
            assert_in_range(b->told[i].bad_frames, 40, 62);
        }
        fake_bus(b->fake, 0)->behaviour = FAKE_OK;
        from = b->call_count;
        bench_run(b, POLL_BUS_CAP_MS + 5000);
        assert_int_equal(b->crossing_count, 2);
        bench_expect(b, 0, true, 0, BUS_DOWN);
        bench_expect(b, 1, true, 0, BUS_UP);
        assert_string_equal(bench_bus(b, 0).detail, "");
        /* After the one that tried, all are on their grid at once, and the back-off begins anew. */
        for (size_t i = from + 1; i < b->call_count; i++)
            assert_in_range(b->calls[i].begun_ms % 1000, 0, 20);
        fake_bus(b->fake, 0)->behaviour = FAKE_BROKEN;
        from = b->call_count;
        bench_run(b, 3000);
        assert_in_range(b->calls[from + 1].begun_ms - b->calls[from].ended_ms, POLL_BUS_FIRST_MS / 2,
                        POLL_BUS_FIRST_MS);
        bench_destroy(b);
    }
}

static enum fake_behaviour opens_and_breaks_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    struct bench *b = arg;

    (void)request, (void)now_ms;
    return fake_device(b->fake, device)->asked % 2 == 0 ? FAKE_SILENT : FAKE_BROKEN;
}

static void a_link_that_opens_and_breaks_does_not_spin(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 100);

    (void)state;
    fake_destroy(b->fake);
    b->hooks.decide = opens_and_breaks_cb;
    b->fake = fake_create(b->site, &b->hooks);
    bench_start(b, 3);
    bench_run(b, 1000 * 1000);
    /* At the cap a try every 15 to 30 s, each of two transactions (or one probe); before it there are some
     * more. */
    assert_in_range(b->call_count, 20, 2 * (1000 / 15 + 12));
    bench_destroy(b);
}

static void slow_devices_on_a_blinking_bus_are_read_again_soon(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 300 * 1000);

    (void)state;
    bench_start(b, 3);
    bench_run(b, 300 * 1000 - VIRTUAL_MONO_MS % (300 * 1000) - 5);
    assert_true(b->told[0].last_heard && b->told[1].last_heard);
    fake_bus(b->fake, 0)->behaviour = FAKE_BROKEN;
    bench_run(b, 100);
    /* Device 0 was being asked. Device 1 was due in the meantime. Both are told at once. */
    assert_false(b->told[0].last_heard);
    assert_false(b->told[1].last_heard);
    fake_bus(b->fake, 0)->behaviour = FAKE_OK;
    bench_run(b, 1000);
    assert_true(b->told[0].last_heard || b->told[1].last_heard);
    bench_destroy(b);
}

static void a_suspended_unit_on_a_dead_bus(void **state)
{
    struct bench *b = bench_create(1, 1, 2, 1000);

    (void)state;
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    bench_start(b, 3);
    bench_run(b, 100 * 1000);
    fake_bus(b->fake, 0)->behaviour = FAKE_UNREACHABLE;
    bench_run(b, 1000 * 1000);
    size_t told = b->told[0].bad_frames;
    uint64_t fired = virtual_loop_fired(b->loop);
    bench_run(b, 1000 * 1000);
    assert_in_range(virtual_loop_fired(b->loop) - fired, 1, 1000); /* no spinning while nothing can be done */
    assert_in_range(b->told[0].bad_frames - told, 30, 100);
    assert_int_equal(bench_device(b, 0).state, UNIT_SUSPENDED);
    fake_bus(b->fake, 0)->behaviour = FAKE_OK;
    fake_device(b->fake, 0)->behaviour = FAKE_OK;
    bench_run(b, POLL_BUS_CAP_MS);
    assert_int_equal(b->crossing_count, 4);
    bench_expect(b, 0, false, 0, UNIT_SUSPENDED);
    bench_expect(b, 1, true, 0, BUS_DOWN);
    bench_expect(b, 2, true, 0, BUS_UP);
    bench_expect(b, 3, false, 0, UNIT_ONLINE);
    bench_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mute_unit_costs_one_time_out_a_probe),
        cmocka_unit_test(many_mute_units_cost_no_more_at_a_time),
        cmocka_unit_test(a_bus_that_is_always_behind_still_probes),
        cmocka_unit_test(a_liar_delays_nobody_for_long),
        cmocka_unit_test(a_late_answer_belongs_to_nobody),
        cmocka_unit_test(a_dead_bus_leaves_the_others_on_their_grid),
        cmocka_unit_test(a_bus_backs_off_and_comes_back),
        cmocka_unit_test(a_link_that_opens_and_breaks_does_not_spin),
        cmocka_unit_test(slow_devices_on_a_blinking_bus_are_read_again_soon),
        cmocka_unit_test(a_suspended_unit_on_a_dead_bus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
