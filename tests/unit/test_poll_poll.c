/* LINK rg_test_support rg_poll rg_loop_virtual */
/* The grid, retries, exceptions, units that come and go, statistics, lifetimes: poll/ on a virtual clock. */
#include "poll_bench.h"

static void an_hour_exactly_on_the_grid(void **state)
{
    struct bench *b = bench_create(10, 1, 3, 1000);

    (void)state;
    bench_run(b, 137); /* so that the start is on no instant */
    bench_start(b, 1);
    bench_run(b, 3600 * 1000);
    assert_int_equal(b->call_count, 10 * 3600);
    for (size_t i = 0; i < b->call_count; i++)
        assert_int_equal(b->calls[i].begun_ms, VIRTUAL_MONO_MS + 1000 * (int64_t)(1 + i / 10));
    for (uint32_t i = 0; i < 10; i++) {
        struct poll_device_stats stats = bench_device(b, i);

        assert_int_equal(stats.state, UNIT_ONLINE);
        assert_int_equal(stats.ok, 3600);
        assert_int_equal(stats.errors + stats.skipped + stats.retries + stats.exceptions, 0);
        assert_int_equal(stats.late_ms, 0);
        assert_string_equal(stats.detail, "");
        assert_int_equal(b->told[i].good_frames, 3600);
        assert_int_equal(b->told[i].samples[QUALITY_GOOD], 3 * 3600);
        /* The stamp is the end of the transaction, on both clocks. */
        assert_int_equal(b->told[i].last_at.mono_ms, VIRTUAL_MONO_MS + 3600 * 1000 + 10);
        assert_int_equal(b->told[i].last_at.wall_ms - VIRTUAL_WALL_MS, 3600 * 1000 + 10);
        assert_int_equal(stats.last_ok_wall_ms, b->told[i].last_at.wall_ms);
    }
    assert_int_equal(b->crossing_count, 0);
    bench_destroy(b);
}

static void ten_on_one_line_in_stable_order(void **state)
{
    struct bench *b = bench_create(1, 10, 1, 1000);

    (void)state;
    bench_start(b, 1);
    bench_run(b, 3600 * 1000 - 1);
    assert_int_equal(b->call_count, 10 * 3600);
    for (size_t i = 0; i < b->call_count; i++) {
        assert_int_equal(b->calls[i].device, i % 10);
        assert_int_equal(b->calls[i].begun_ms,
                         VIRTUAL_MONO_MS + 1000 * (int64_t)(i / 10) + 10 * (int64_t)(i % 10));
    }
    assert_int_equal(bench_device(b, 9).late_ms, 90);
    assert_int_equal(bench_device(b, 9).skipped, 0);
    bench_destroy(b);
}

static void a_slow_device_is_read_at_the_start(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 3600 * 1000);

    (void)state;
    bench_start(b, 1);
    bench_run(b, 3600 * 1000);
    assert_int_equal(b->call_count, 2);
    assert_int_equal(b->calls[0].begun_ms, VIRTUAL_MONO_MS);
    assert_int_equal(b->calls[1].begun_ms, 3600 * 1000);
    bench_destroy(b);
}

static void a_long_transaction_skips_and_never_bunches(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 1000);

    (void)state;
    fake_device(b->fake, 0)->takes_ms = 2950;
    bench_start(b, 1);
    bench_run(b, 100);
    fake_device(b->fake, 0)->takes_ms = 10;
    bench_run(b, 9900);
    /* Device 1 was due at 0; it begins at 2950 and serves 2000; 3000 would follow too closely. */
    size_t i = bench_next_call(b, 1, 0);
    assert_int_equal(b->calls[i].begun_ms, VIRTUAL_MONO_MS + 2950);
    i = bench_next_call(b, 1, i + 1);
    assert_int_equal(b->calls[i].begun_ms, VIRTUAL_MONO_MS + 4000);
    assert_int_equal(bench_device(b, 1).skipped, 3);
    /* Device 0 itself was due since 1000. */
    i = bench_next_call(b, 0, 1);
    assert_int_equal(b->calls[i].begun_ms, VIRTUAL_MONO_MS + 2960);
    assert_int_equal(bench_device(b, 0).skipped, 2);
    assert_int_equal(bench_device(b, 0).late_ms, 10);
    bench_destroy(b);
}

static enum fake_behaviour every_second_silent_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    struct bench *b = arg;

    (void)request, (void)now_ms;
    return fake_device(b->fake, device)->asked % 2 == 0 ? FAKE_SILENT : FAKE_OK;
}

static void retries_count_and_help(void **state)
{
    struct bench *b = bench_create(1, 1, 2, 2000);

    (void)state;
    fake_destroy(b->fake);
    b->hooks.decide = every_second_silent_cb;
    b->fake = fake_create(b->site, &b->hooks);
    b->site->devices[0].retries = 1;
    bench_start(b, 1);
    bench_run(b, 10 * 2000 - 1);
    assert_int_equal(b->call_count, 20);
    struct poll_device_stats stats = bench_device(b, 0);
    assert_int_equal(stats.ok, 10);
    assert_int_equal(stats.errors, 0);
    assert_int_equal(stats.retries, 10);
    assert_int_equal(stats.state, UNIT_ONLINE);
    assert_int_equal(b->told[0].bad_frames, 0);
    struct poll_bus_stats bus = bench_bus(b, 0);
    assert_int_equal(bus.ok, 10);
    assert_int_equal(bus.errors, 10);
    assert_int_equal(bus.timeouts, 10);
    bench_destroy(b);
}

static void retries_end(void **state)
{
    struct bench *b = bench_create(1, 1, 4, 10000);

    (void)state;
    b->site->devices[0].retries = 2;
    fake_device(b->fake, 0)->per_request = 2;
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    bench_start(b, 1);
    bench_run(b, 9000);
    /* Three tries of the first request; the second is not asked, but its points are told. */
    assert_int_equal(b->call_count, 3);
    assert_int_equal(b->calls[2].request, 0);
    assert_int_equal(b->told[0].bad_frames, 1);
    assert_int_equal(b->told[0].samples[QUALITY_COMM], 4);
    struct poll_device_stats stats = bench_device(b, 0);
    assert_int_equal(stats.errors, 1);
    assert_int_equal(stats.retries, 2);
    assert_int_equal(stats.state, UNIT_DOUBTFUL);
    assert_string_equal(stats.detail, "no answer");
    bench_destroy(b);
}

static enum fake_behaviour second_request_silent_cb(void *arg, uint32_t device, size_t request,
                                                    int64_t now_ms)
{
    (void)arg, (void)device, (void)now_ms;
    return request == 1 ? FAKE_SILENT : FAKE_OK;
}

static void silence_in_the_middle_of_a_poll(void **state)
{
    struct bench *b = bench_create(1, 1, 6, 1000);

    (void)state;
    fake_destroy(b->fake);
    b->hooks.decide = second_request_silent_cb;
    b->fake = fake_create(b->site, &b->hooks);
    fake_device(b->fake, 0)->per_request = 2;
    bench_start(b, 1);
    bench_run(b, POLL_SUSPEND_AFTER * 1000 - 1);
    assert_int_equal(b->call_count, 2 * POLL_SUSPEND_AFTER);
    assert_int_equal(b->told[0].good_frames, POLL_SUSPEND_AFTER);
    assert_int_equal(b->told[0].bad_frames, POLL_SUSPEND_AFTER);
    assert_int_equal(b->told[0].samples[QUALITY_GOOD], 2 * POLL_SUSPEND_AFTER);
    assert_int_equal(b->told[0].samples[QUALITY_COMM], 4 * POLL_SUSPEND_AFTER);
    /* It answers: it is not suspended, but its last error stays to be seen. */
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    assert_string_equal(bench_device(b, 0).detail, "no answer");
    bench_destroy(b);
}

static void exceptions_are_answers_but_not_heard(void **state)
{
    struct bench *b = bench_create(1, 1, 4, 1000);

    (void)state;
    b->site->devices[0].retries = 3;
    fake_device(b->fake, 0)->per_request = 2;
    fake_device(b->fake, 0)->behaviour = FAKE_EXCEPTION;
    bench_start(b, 1);
    bench_run(b, 10 * 1000 - 1);
    assert_int_equal(b->call_count, 20); /* both requests, no retry */
    assert_int_equal(b->told[0].good_frames, 0);
    assert_int_equal(b->told[0].bad_frames, 20);
    assert_int_equal(b->told[0].samples[QUALITY_DEVICE], 40);
    struct poll_device_stats stats = bench_device(b, 0);
    assert_int_equal(stats.state, UNIT_ONLINE);
    assert_int_equal(stats.exceptions, 20);
    assert_int_equal(stats.errors, 20);
    assert_int_equal(stats.last_ok_wall_ms, 0);
    assert_string_equal(stats.detail, "exception");
    assert_int_equal(b->crossing_count, 0);
    fake_device(b->fake, 0)->behaviour = FAKE_OK;
    bench_run(b, 1000);
    assert_string_equal(bench_device(b, 0).detail, "");
    bench_destroy(b);
}

static void a_unit_goes_and_comes_back(void **state)
{
    struct bench *b = bench_create(1, 1, 4, 1000);

    (void)state;
    b->site->devices[0].retries = 1;
    fake_device(b->fake, 0)->per_request = 2;
    bench_start(b, 5);
    bench_run(b, 5500);
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    size_t before = b->call_count;
    bench_run(b, 600 * 1000);
    assert_int_equal(b->crossing_count, 1);
    bench_expect(b, 0, false, 0, UNIT_SUSPENDED);
    assert_int_equal(b->crossings[0].at_ms, VIRTUAL_MONO_MS + 9000);
    assert_int_equal(bench_device(b, 0).state, UNIT_SUSPENDED);
    /* Every probe is one request, and tells all four points bad. */
    size_t silent = b->call_count - before - POLL_SUSPEND_AFTER; /* without the retries of the polls */
    assert_int_equal(bench_device(b, 0).retries, POLL_SUSPEND_AFTER);
    assert_in_range(silent, 14, 30);
    assert_int_equal(b->told[0].samples[QUALITY_COMM], 4 * silent);
    for (size_t i = before + 2 * POLL_SUSPEND_AFTER; i + 1 < b->call_count; i++) {
        int64_t gap = b->calls[i + 1].begun_ms - b->calls[i].ended_ms;

        /* Another one each time. */
        assert_int_equal(b->calls[i].request + b->calls[i + 1].request, 1);
        assert_in_range(gap, POLL_PROBE_FIRST_MS / 2, POLL_PROBE_CAP_MS);
    }
    fake_device(b->fake, 0)->behaviour = FAKE_OK;
    before = b->call_count;
    bench_run(b, POLL_PROBE_CAP_MS + 5000);
    assert_int_equal(b->crossing_count, 2);
    bench_expect(b, 1, false, 0, UNIT_ONLINE);
    /* One request of the probe, then full polls on the grid, from the next instant on. */
    int64_t probed = b->calls[before].ended_ms;
    assert_int_equal(b->calls[before + 1].request, 0);
    assert_int_equal(b->calls[before + 2].request, 1);
    assert_int_equal(b->calls[before + 1].begun_ms, (probed / 1000 + 1) * 1000);
    assert_int_equal(b->calls[before + 3].begun_ms, (probed / 1000 + 2) * 1000);
    assert_int_equal(bench_device(b, 0).skipped, 0);
    bench_destroy(b);
}

static void a_unit_that_never_answered_is_told_once(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);

    (void)state;
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    bench_start(b, 5);
    bench_run(b, 3600 * 1000);
    assert_int_equal(b->crossing_count, 1);
    bench_expect(b, 0, false, 0, UNIT_SUSPENDED);
    /* An exception is a sign of life too. */
    fake_device(b->fake, 0)->behaviour = FAKE_EXCEPTION;
    bench_run(b, POLL_PROBE_CAP_MS);
    assert_int_equal(b->crossing_count, 2);
    bench_expect(b, 1, false, 0, UNIT_ONLINE);
    bench_destroy(b);
}

static void statistics_are_of_answered_transactions(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 1000);

    (void)state;
    fake_device(b->fake, 0)->takes_ms = 20;
    fake_device(b->fake, 1)->behaviour = FAKE_SILENT;
    bench_start(b, 1);
    bench_run(b, 60 * 1000);
    struct poll_bus_stats stats = bench_bus(b, 0);
    assert_int_equal(stats.state, BUS_UP);
    assert_int_equal(stats.p50_us, 20000);
    assert_int_equal(stats.p99_us, 20000);
    assert_true(stats.ok >= 59);
    assert_true(stats.timeouts > 3 && stats.timeouts == stats.errors);
    /* Out of range: zeroes. */
    assert_int_equal(bench_device(b, 99).state, UNIT_UNKNOWN);
    assert_int_equal(bench_bus(b, 99).state, BUS_IDLE);
    bench_destroy(b);
}

static void doubt_cb(void *arg, const struct frame *frame)
{
    *(int *)arg = frame->clock_unsynced ? 2 : 1;
}

static void frames_tell_the_doubt_of_the_clock(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    const struct poll_cbs cbs = {.frame = doubt_cb};
    int seen = 0;

    (void)state;
    assert_int_equal(poll_create(b->loop, b->site, fake_driver(), &cbs, &seen, 1, &b->poll), RG_OK);
    poll_start(b->poll);
    bench_run(b, 2000);
    assert_int_equal(seen, 1);
    virtual_loop_set_synced(b->loop, false);
    bench_run(b, 2000);
    assert_int_equal(seen, 2);
    bench_destroy(b);
}

static void creation_fails_whole(void **state)
{
    struct bench *b = bench_create(3, 2, 2, 1000);
    const struct poll_cbs cbs = {.frame = bench_frame_cb};
    size_t failed = 0;

    (void)state;
    for (size_t n = 1;; n++) {
        struct poll *p = NULL;

        fake_fail_after(b->fake, n);
        enum rg_err err = poll_create(b->loop, b->site, fake_driver(), &cbs, b, 1, &p);
        fake_fail_after(b->fake, 0);
        poll_destroy(p);
        assert_int_equal(fake_alive(b->fake), 0);
        assert_int_equal(virtual_loop_alive(b->loop), 0);
        if (err == RG_OK)
            break;
        assert_int_equal(err, RG_ENOMEM);
        assert_null(p);
        failed++;
    }
    assert_int_equal(failed, 6 + 3); /* plans and links */
    b->site->devices[4].poll_ms = 0;
    assert_int_equal(poll_create(b->loop, b->site, fake_driver(), &cbs, b, 1, &b->poll), RG_EINVAL);
    b->site->devices[4].poll_ms = 1000;
    b->site->devices[4].bus = 3;
    assert_int_equal(poll_create(b->loop, b->site, fake_driver(), &cbs, b, 1, &b->poll), RG_EINVAL);
    assert_null(b->poll);
    bench_destroy(b);
}

static void empty_parts_are_left_alone(void **state)
{
    struct bench *b = bench_create(2, 2, 2, 1000);

    (void)state;
    /* Bus 1 has no device (it has a link: an errand may ask it), device 1 no point, and no callback is set. */
    const struct poll_cbs cbs = {.frame = NULL};
    for (size_t i = 0; i < 4; i++)
        b->site->devices[i].bus = 0;
    b->site->devices[1].point_count = 0;
    fake_device(b->fake, 3)->behaviour = FAKE_SILENT;
    assert_int_equal(poll_create(b->loop, b->site, fake_driver(), &cbs, b, 1, &b->poll), RG_OK);
    assert_int_equal(fake_alive(b->fake), 3 + 2);
    poll_start(b->poll);
    poll_start(b->poll);
    bench_run(b, 100 * 1000 + 999);
    assert_int_equal(bench_device(b, 0).ok, 101);
    assert_int_equal(bench_device(b, 1).state, UNIT_UNKNOWN);
    assert_int_equal(fake_device(b->fake, 1)->asked, 0);
    fake_bus(b->fake, 0)->behaviour = FAKE_UNREACHABLE;
    bench_run(b, 100 * 1000);
    assert_int_equal(bench_bus(b, 0).state, BUS_DOWN);
    bench_destroy(b);
}

static void destroyed_while_a_transaction_is_under_way(void **state)
{
    struct bench *b = bench_create(2, 1, 1, 1000);

    (void)state;
    poll_destroy(NULL);
    bench_start(b, 1);
    bench_run(b, 1005);
    size_t frames = b->told[0].good_frames;
    poll_destroy(b->poll);
    b->poll = NULL;
    assert_int_equal(fake_bus(b->fake, 0)->cancelled, 1);
    assert_int_equal(fake_bus(b->fake, 1)->cancelled, 1);
    bench_run(b, 5000);
    assert_int_equal(b->told[0].good_frames, frames);
    bench_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_exactly_on_the_grid),
        cmocka_unit_test(ten_on_one_line_in_stable_order),
        cmocka_unit_test(a_slow_device_is_read_at_the_start),
        cmocka_unit_test(a_long_transaction_skips_and_never_bunches),
        cmocka_unit_test(retries_count_and_help),
        cmocka_unit_test(retries_end),
        cmocka_unit_test(silence_in_the_middle_of_a_poll),
        cmocka_unit_test(exceptions_are_answers_but_not_heard),
        cmocka_unit_test(a_unit_goes_and_comes_back),
        cmocka_unit_test(a_unit_that_never_answered_is_told_once),
        cmocka_unit_test(statistics_are_of_answered_transactions),
        cmocka_unit_test(frames_tell_the_doubt_of_the_clock),
        cmocka_unit_test(creation_fails_whole),
        cmocka_unit_test(empty_parts_are_left_alone),
        cmocka_unit_test(destroyed_while_a_transaction_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
