/* LINK rg_test_support rg_poll rg_loop_virtual */
/* Devices that take their readings when told to: write, wait, read; start-up. */
#include "poll_bench.h"

static void set_trigger(struct bench *b, uint32_t device, bool broadcast, int64_t wait_ms)
{
    b->site->devices[device].trigger = (struct site_trigger){.enabled = true,
                                                             .space = SPACE_HOLDING,
                                                             .address = 0x118,
                                                             .value = 1,
                                                             .broadcast = broadcast,
                                                             .wait_ms = wait_ms};
}

static void phases(void **state)
{
    const struct site_trigger what = {
        .enabled = true, .space = SPACE_COIL, .address = 3, .value = 1, .broadcast = true, .wait_ms = 300};
    struct site_trigger other = what;
    struct trigger t = {.phase = TRIGGER_OPEN};

    (void)state;
    assert_true(trigger_first(&t, &what, 0));
    trigger_written(&t, &what, 1000);
    assert_true(trigger_first(&t, &what, 1299)); /* the readings are not there yet: all over again */
    assert_false(trigger_first(&t, &what, 1300));
    trigger_end(&t);
    assert_true(trigger_first(&t, &what, 2000));
    other.wait_ms = 5000;
    assert_true(site_trigger_shared(&what, &other));
    other.value = 0;
    assert_false(site_trigger_shared(&what, &other));
    other = what;
    other.address = 4;
    assert_false(site_trigger_shared(&what, &other));
    other = what;
    other.space = SPACE_HOLDING;
    assert_false(site_trigger_shared(&what, &other));
    other = what;
    other.broadcast = false;
    assert_false(site_trigger_shared(&what, &other));
    other = (struct site_trigger){.enabled = false};
    assert_false(trigger_first(&t, &other, 0));
}

static void written_then_read_and_the_bus_is_free_in_between(void **state)
{
    struct bench *b = bench_create(1, 2, 2, 1000);

    (void)state;
    b->site->devices[0].poll_ms = 10000;
    b->site->devices[0].gap_ms = 20;
    set_trigger(b, 0, false, 3000);
    bench_start(b, 1);
    bench_run(b, 60 * 1000 - 1);
    int64_t written = -1;
    size_t reads = 0;
    for (size_t i = 0; i < b->call_count; i++) {
        const struct fake_call *c = &b->calls[i];

        if (c->raw) {
            assert_int_equal(c->unit, 1);
            assert_int_equal(c->address, 0x118);
            assert_int_equal(c->value, 1);
            assert_true(c->write);
            assert_int_equal((c->begun_ms - VIRTUAL_MONO_MS) % 10000, 0);
            assert_int_equal(written, -1);
            written = c->ended_ms;
        } else if (c->device == 0) {
            assert_in_range(c->begun_ms, written + 3000, written + 3010);
            written = -1;
            reads++;
        }
    }
    assert_int_equal(reads, 6);
    assert_int_equal(b->told[0].good_frames, 6);
    assert_int_equal(b->told[0].bad_frames, 0);
    assert_int_equal(bench_device(b, 0).ok, 6);
    assert_int_equal(bench_device(b, 0).late_ms, 0); /* against the write */
    /* The neighbour keeps its grid. */
    assert_int_equal(bench_device(b, 1).ok, 60);
    assert_int_equal(bench_device(b, 1).skipped, 0);
    bench_destroy(b);
}

static void a_failed_trigger_is_a_failed_poll(void **state)
{
    struct bench *b = bench_create(1, 1, 3, 1000);

    (void)state;
    b->site->devices[0].retries = 1;
    b->site->devices[0].poll_ms = 5000;
    set_trigger(b, 0, false, 100);
    bench_start(b, 1);
    bench_run(b, 1000);
    assert_int_equal(b->told[0].good_frames, 1);
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    bench_run(b, 5000);
    /* Written twice, never read; all its points are told. */
    assert_int_equal(b->call_count, 4);
    assert_true(b->calls[2].raw && b->calls[3].raw);
    assert_int_equal(b->told[0].samples[QUALITY_COMM], 3);
    assert_int_equal(bench_device(b, 0).state, UNIT_DOUBTFUL);
    assert_int_equal(bench_device(b, 0).errors, 1);
    assert_int_equal(bench_device(b, 0).retries, 1);
    assert_string_equal(bench_device(b, 0).detail, "trigger (holding 280): no answer");
    /* An exception is a sign of life, but the readings are as old as before. */
    fake_device(b->fake, 0)->behaviour = FAKE_EXCEPTION;
    bench_run(b, 5000);
    assert_int_equal(b->call_count, 5);
    assert_int_equal(b->told[0].samples[QUALITY_COMM], 6);
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    assert_int_equal(bench_device(b, 0).soft, 1);
    assert_string_equal(bench_device(b, 0).detail, "trigger (holding 280): exception");
    fake_device(b->fake, 0)->behaviour = FAKE_OK;
    bench_run(b, 5000);
    assert_int_equal(b->told[0].good_frames, 2);
    assert_string_equal(bench_device(b, 0).detail, "");
    bench_destroy(b);
}

static enum fake_behaviour no_reads_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    (void)arg, (void)device, (void)request, (void)now_ms;
    return FAKE_SILENT;
}

static void a_silent_unit_is_probed_with_its_trigger(void **state)
{
    struct bench *b = bench_create(1, 1, 2, 1000);
    int64_t bound = POLL_PROBE_CAP_MS;

    (void)state;
    set_trigger(b, 0, false, 300);
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    bench_start(b, 1);
    bench_run(b, 300 * 1000);
    assert_int_equal(bench_device(b, 0).state, UNIT_SUSPENDED);
    assert_in_range(bench_device(b, 0).next_probe_ms, 1, bound);
    /* One write each, one time-out each. */
    for (size_t i = 0; i < b->call_count; i++)
        assert_true(b->calls[i].raw);
    assert_in_range(b->call_count, 10, 25);
    /* It answers again: never read without a write before. */
    fake_device(b->fake, 0)->behaviour = FAKE_OK;
    size_t before = b->call_count;
    bench_run(b, bound + 5000);
    for (size_t i = before; i + 1 < b->call_count; i += 2) {
        assert_true(b->calls[i].raw && !b->calls[i + 1].raw);
        assert_int_equal(b->calls[i + 1].begun_ms, b->calls[i].ended_ms + 300);
    }
    bench_expect(b, 1, false, 0, UNIT_ONLINE);
    bench_destroy(b);
    /* One that confirms the write and is mute on everything else is a mute unit. */
    b = bench_create(1, 1, 2, 1000);
    fake_destroy(b->fake);
    b->hooks.decide = no_reads_cb;
    b->fake = fake_create(b->site, &b->hooks);
    set_trigger(b, 0, false, 100);
    bench_start(b, 1);
    bench_run(b, 20000);
    bench_expect(b, 0, false, 0, UNIT_SUSPENDED);
    assert_int_equal(b->crossing_count, 1);
    bench_destroy(b);
}

static void one_broadcast_for_all_that_are_due(void **state)
{
    struct bench *b = bench_create(1, 5, 1, 5000);

    (void)state;
    b->site->buses[0].kind = BUS_RTU;
    for (uint32_t i = 0; i < 5; i++)
        set_trigger(b, i, true, 1000 + 100 * i);
    b->site->devices[3].trigger.value = 2; /* another trigger */
    b->site->devices[4].poll_ms = 15000;   /* another period */
    bench_start(b, 1);
    bench_run(b, 30 * 1000 - 1);
    size_t writes[3] = {0};
    int64_t written[3] = {0};
    for (size_t i = 0; i < b->call_count; i++) {
        const struct fake_call *c = &b->calls[i];

        if (c->raw) {
            assert_int_equal(c->unit, 0);
            assert_in_range(c->value, 1, 2);
            writes[c->value]++;
            written[c->value] = c->ended_ms;
            continue;
        }
        /* Each after a wait of its own. */
        int64_t ready = written[c->device == 3 ? 2 : 1] + 1000 + 100 * c->device;
        assert_in_range(c->begun_ms, ready, ready + 20);
    }
    /* One write each 5 s, though three or four devices are due; their instants are all used up by it. */
    assert_int_equal(writes[1], 6);
    assert_int_equal(writes[2], 6);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(b->told[i].good_frames, i == 4 ? 2 : 6);
        assert_int_equal(bench_device(b, i).skipped, 0);
    }
    assert_int_equal(bench_bus(b, 0).p99_us, 10000);
    bench_destroy(b);
}

static void broken_off_when_the_bus_goes_down(void **state)
{
    struct bench *b = bench_create(1, 2, 2, 2000);

    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        set_trigger(b, i, false, 1000);
    bench_start(b, 1);
    bench_run(b, 100); /* written */
    assert_int_equal(b->call_count, 2);
    fake_bus(b->fake, 0)->behaviour = FAKE_BROKEN;
    bench_run(b, 20 * 1000);
    assert_int_equal(bench_bus(b, 0).state, BUS_DOWN);
    bench_expect(b, 0, true, 0, BUS_DOWN);
    assert_true(b->told[0].samples[QUALITY_COMM] >= 2);
    assert_true(b->told[1].samples[QUALITY_COMM] >= 2);
    size_t before = b->call_count;
    fake_bus(b->fake, 0)->behaviour = FAKE_OK;
    bench_run(b, POLL_BUS_CAP_MS + 5000);
    /* What was written before the break is not read after it. */
    assert_true(b->calls[before].raw);
    for (size_t i = before, last[2] = {0}; i < b->call_count; i++) {
        const struct fake_call *c = &b->calls[i];

        if (c->raw)
            last[c->device] = i + 1;
        else
            assert_in_range(c->begun_ms, b->calls[last[c->device] - 1].ended_ms + 1000,
                            b->calls[last[c->device] - 1].ended_ms + 1020);
    }
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    bench_destroy(b);
}

static void a_wait_longer_than_the_period_skips_instants(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);

    (void)state;
    set_trigger(b, 0, false, 2500);
    bench_start(b, 1);
    bench_run(b, 60 * 1000);
    assert_in_range(b->told[0].good_frames, 22, 24);
    assert_in_range(bench_device(b, 0).skipped, 60 - 24 - 2, 60 - 22);
    for (size_t i = 0; i + 1 < b->call_count; i++)
        assert_true(b->calls[i].raw != b->calls[i + 1].raw);
    bench_destroy(b);
}

static void a_trigger_needs_a_driver_that_writes(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    struct driver driver = *fake_driver();
    const struct poll_cbs cbs = {.frame = NULL};

    (void)state;
    driver.raw = NULL;
    set_trigger(b, 0, false, 100);
    assert_int_equal(poll_create(b->loop, b->site, &driver, &cbs, b, 1, &b->poll), RG_EUNSUPPORTED);
    assert_null(b->poll);
    bench_destroy(b);
}

/* ---- start-up ---- */

static void left_alone_while_it_starts(void **state)
{
    struct bench *b = bench_create(1, 3, 1, 1000);

    (void)state;
    b->site->devices[1].start_up_ms = 30000;
    b->site->devices[2].start_up_ms = 7500;
    b->site->devices[2].poll_ms = 3600 * 1000;
    fake_device(b->fake, 1)->behaviour = FAKE_SILENT;
    bench_start(b, 1);
    bench_run(b, 29999);
    assert_int_equal(fake_device(b->fake, 1)->asked, 0);
    assert_int_equal(b->told[1].bad_frames, 0);
    assert_int_equal(bench_device(b, 1).state, UNIT_UNKNOWN);
    assert_int_equal(bench_device(b, 1).skipped, 0);
    assert_int_equal(bench_device(b, 0).ok, 30);
    /* A slow one is read when its start-up is over, not an hour later. */
    assert_int_equal(b->calls[bench_next_call(b, 2, 0)].begun_ms, VIRTUAL_MONO_MS + 7500);
    bench_run(b, 5000);
    assert_int_equal(b->calls[bench_next_call(b, 1, 0)].begun_ms, VIRTUAL_MONO_MS + 30000);
    bench_expect(b, 0, false, 1, UNIT_SUSPENDED);
    bench_destroy(b);
}

/* A bus that is down is not tried with one that is starting up, whose points are told bad only afterwards. */
static void left_alone_on_a_bus_that_is_down(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 1000);

    (void)state;
    b->site->devices[1].start_up_ms = 60000;
    fake_bus(b->fake, 0)->behaviour = FAKE_UNREACHABLE;
    bench_start(b, 1);
    bench_run(b, 59999);
    assert_int_equal(fake_device(b->fake, 1)->asked, 0);
    assert_int_equal(b->told[1].bad_frames, 0);
    assert_true(b->told[0].bad_frames >= 5);
    bench_run(b, 60000);
    assert_true(b->told[1].bad_frames >= 5);
    bench_destroy(b);
}

static void a_reload_does_not_start_devices_again(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    const struct poll_cbs cbs = {.frame = bench_frame_cb};

    (void)state;
    b->site->devices[0].start_up_ms = 10000;
    bench_run(b, 9500);
    assert_int_equal(poll_create(b->loop, b->site, fake_driver(), &cbs, b, 1, &b->poll), RG_OK);
    poll_booted(b->poll, VIRTUAL_MONO_MS);
    poll_start(b->poll);
    bench_run(b, 600);
    assert_int_equal(fake_device(b->fake, 0)->asked, 1);
    assert_int_equal(b->calls[0].begun_ms, VIRTUAL_MONO_MS + 10000);
    bench_destroy(b);
}

/* ---- the breaker, as configured ---- */

static void soft_errors_before_it_is_silent(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 1000);

    (void)state;
    b->site->devices[0].misses = 6;
    b->site->devices[0].probe_ms = 4000;
    bench_start(b, 1);
    bench_run(b, 1500);
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    int64_t from = loop_wall_ms(b->loop);
    bench_run(b, 5200); /* five polls, each with its time-out */
    struct poll_device_stats s = bench_device(b, 0);
    assert_int_equal(s.state, UNIT_DOUBTFUL);
    assert_int_equal(s.misses, 5);
    assert_int_equal(s.soft, 0);
    assert_in_range(s.silent_wall_ms, from, from + 1100);
    assert_int_equal(b->crossing_count, 0);
    fake_device(b->fake, 0)->behaviour = FAKE_OK;
    bench_run(b, 800);
    s = bench_device(b, 0);
    assert_int_equal(s.soft, 5);
    assert_int_equal(s.misses, 0);
    assert_int_equal(s.silent_wall_ms, 0);
    assert_int_equal(s.recent - s.recent_answered, 5);
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    bench_run(b, 120 * 1000);
    s = bench_device(b, 0);
    bench_expect(b, 0, false, 0, UNIT_SUSPENDED);
    assert_int_equal(b->crossing_count, 1);
    assert_int_equal(s.soft, 5);
    assert_in_range(s.next_probe_ms, 0, 4000);
    assert_in_range(s.misses, 6 + 114 / 4, 6 + 114 / 2);
    /* Its neighbour's counters are its own. */
    s = bench_device(b, 1);
    assert_int_equal(s.errors + s.soft + s.misses, 0);
    bench_destroy(b);
}

static void a_bus_is_tried_as_often_as_configured(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);

    (void)state;
    b->site->buses[0].retry_ms = 2000;
    fake_bus(b->fake, 0)->behaviour = FAKE_UNREACHABLE;
    bench_start(b, 1);
    bench_run(b, 100 * 1000);
    assert_in_range(b->call_count, 50, 105);
    bench_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases),
        cmocka_unit_test(written_then_read_and_the_bus_is_free_in_between),
        cmocka_unit_test(a_failed_trigger_is_a_failed_poll),
        cmocka_unit_test(a_silent_unit_is_probed_with_its_trigger),
        cmocka_unit_test(one_broadcast_for_all_that_are_due),
        cmocka_unit_test(broken_off_when_the_bus_goes_down),
        cmocka_unit_test(a_wait_longer_than_the_period_skips_instants),
        cmocka_unit_test(a_trigger_needs_a_driver_that_writes),
        cmocka_unit_test(left_alone_while_it_starts),
        cmocka_unit_test(left_alone_on_a_bus_that_is_down),
        cmocka_unit_test(a_reload_does_not_start_devices_again),
        cmocka_unit_test(soft_errors_before_it_is_silent),
        cmocka_unit_test(a_bus_is_tried_as_often_as_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
