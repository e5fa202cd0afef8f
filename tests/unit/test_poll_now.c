/* LINK rg_test_support rg_poll rg_loop_virtual */
/* Polls out of turn: when they come, what they leave alone, and what is said of units that do not answer. */
#include "poll_bench.h"

#define NOW(b) (loop_mono_ms((b)->loop))

static void at_once_and_the_grid_stays(void **state)
{
    struct bench *b = bench_create(1, 2, 3, 10000);

    (void)state;
    bench_start(b, 1);
    bench_run(b, 12345);
    size_t before = b->call_count;
    size_t samples = b->told[0].samples[QUALITY_GOOD];
    int64_t asked = NOW(b);

    assert_int_equal(poll_now(b->poll, 0), RG_OK);
    assert_int_equal(b->call_count, before); /* never inside the call */
    bench_run(b, 50);
    assert_int_equal(b->call_count, before + 1);
    assert_int_equal(b->calls[before].device, 0);
    assert_in_range(b->calls[before].begun_ms, asked, asked + 1);
    assert_int_equal(b->told[0].samples[QUALITY_GOOD], samples + 3);
    assert_int_equal(b->polled[0], 1);
    assert_int_equal(b->polled_answered[0], 1);
    assert_int_equal(b->polled_ms, b->calls[before].ended_ms);
    bench_run(b, 60000);
    /* The instants of the grid, all of them and no others. */
    for (size_t i = before + 1; i < b->call_count; i++) {
        if (b->calls[i].device == 0)
            assert_in_range((b->calls[i].begun_ms - VIRTUAL_MONO_MS) % 10000, 0, 10); /* behind the other */
    }
    assert_int_equal(bench_device(b, 0).ok, bench_device(b, 1).ok + 1);
    assert_int_equal(bench_device(b, 0).skipped, 0);
    assert_int_equal(b->polled[0], 1);
    assert_int_equal(b->polled[1], 0);
    bench_destroy(b);
}

static void asked_often_it_is_one_poll(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 60000);

    (void)state;
    fake_device(b->fake, 0)->takes_ms = 100;
    bench_start(b, 1);
    bench_run(b, 1000);
    size_t before = b->call_count;

    for (int i = 0; i < 5; i++)
        assert_int_equal(poll_now(b->poll, 0), RG_OK);
    bench_run(b, 1);
    /* The one that is under way may have read already: another one follows it, however often it is asked for. */
    for (int i = 0; i < 5; i++)
        assert_int_equal(poll_now(b->poll, 0), RG_OK);
    bench_run(b, 1000);
    assert_int_equal(b->call_count, before + 2);
    assert_int_equal(b->polled[0], 2);
    bench_destroy(b);
}

static void one_transaction_at_a_time(void **state)
{
    struct bench *b = bench_create(1, 8, 1, 1000);

    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        fake_device(b->fake, i)->takes_ms = 100;
    bench_start(b, 1);
    bench_run(b, 5050);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(poll_now(b->poll, i), RG_OK);
    bench_run(b, 10000);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(b->polled[i], 1);
        assert_int_equal(b->polled_answered[i], 1);
        /* 8 x 100 ms of extra polls in a second with 200 ms to spare: some instant is passed over, no more. */
        assert_in_range(bench_device(b, i).skipped, 0, 1);
    }
    assert_int_equal(fake_bus(b->fake, 0)->overlaps, 0);
    bench_destroy(b);
}

static void what_cannot_be_asked(void **state)
{
    struct bench *b = bench_create(2, 1, 1, 1000);

    (void)state;
    b->site->devices[1].start_up_ms = 30000;
    assert_int_equal(
        poll_create(b->loop, b->site, fake_driver(), &(struct poll_cbs){.note = NULL}, b, 1, &b->poll),
        RG_OK);
    assert_int_equal(poll_now(b->poll, 0), RG_ESTATE);
    poll_destroy(b->poll);
    bench_start(b, 1);
    assert_int_equal(poll_now(b->poll, 2), RG_ENOTFOUND);
    assert_int_equal(poll_now(b->poll, UINT32_MAX), RG_ENOTFOUND);
    assert_int_equal(poll_now(b->poll, 1), RG_EAGAIN); /* starting up */
    bench_run(b, 29000);
    assert_int_equal(poll_now(b->poll, 1), RG_EAGAIN);
    bench_run(b, 1000);
    assert_int_equal(poll_now(b->poll, 1), RG_OK);
    bench_run(b, 100);
    assert_int_equal(b->polled[1], 1);
    bench_destroy(b);

    b = bench_create(1, 2, 1, 1000);
    b->site->devices[0].derived = true;
    b->site->devices[0].bus = SITE_NONE;
    b->site->devices[1].point_count = 0;
    bench_start(b, 1);
    assert_int_equal(poll_now(b->poll, 0), RG_EUNSUPPORTED);
    assert_int_equal(poll_now(b->poll, 1), RG_EUNSUPPORTED);
    bench_destroy(b);
}

static void a_mute_unit_is_probed_now_and_then_at_most(void **state)
{
    struct bench *b = bench_create(1, 1, 2, 1000);

    (void)state;
    fake_device(b->fake, 0)->per_request = 1; /* two requests: a probe reads one of them */
    fake_destroy(b->fake);
    b->fake = fake_create(b->site, &b->hooks);
    fake_device(b->fake, 0)->per_request = 1;
    bench_start(b, 1);
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    bench_run(b, 4000);
    assert_int_equal(bench_device(b, 0).state, UNIT_SUSPENDED);
    /* However often it is asked for, within POLL_NOW_PROBE_MS nothing goes out for it but its own probes. */
    bench_run(b, 200000); /* until these are rare */
    size_t probes = 0;
    size_t before = b->call_count;
    for (int i = 0; i < 600; i++) {
        if (poll_now(b->poll, 0) == RG_OK)
            probes++;
        bench_run(b, 100);
    }
    assert_in_range(probes, 3, 6);
    assert_in_range(b->call_count - before, probes, probes + 4);
    assert_int_equal(b->polled[0], probes);
    assert_int_equal(b->polled_answered[0], 0);
    /* It is back: what was asked for is the whole poll behind the probe. */
    bench_run(b, POLL_NOW_PROBE_MS);
    while (poll_now(b->poll, 0) != RG_OK)
        bench_run(b, 500);
    fake_device(b->fake, 0)->behaviour = FAKE_OK;
    before = b->call_count;
    size_t polled = b->polled[0];
    bench_run(b, 500);
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    assert_int_equal(b->polled[0], polled + 1);
    assert_int_equal(b->polled_answered[0], 1);
    assert_true(b->call_count >= before + 3); /* the probe and both requests */
    bench_destroy(b);
}

static void a_bus_that_is_down(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 60000);

    (void)state;
    bench_start(b, 1);
    bench_run(b, 1000);
    fake_bus(b->fake, 0)->behaviour = FAKE_BROKEN;
    assert_int_equal(poll_now(b->poll, 0), RG_OK);
    assert_int_equal(poll_now(b->poll, 1), RG_OK);
    bench_run(b, 1000);
    /* The one under which it broke, and the one that waited. */
    assert_int_equal(b->polled[0], 1);
    assert_int_equal(b->polled[1], 1);
    assert_int_equal(b->polled_answered[0] + b->polled_answered[1], 0);
    assert_int_equal(b->told[0].samples[QUALITY_COMM], 1);
    assert_int_equal(b->told[1].samples[QUALITY_COMM], 1);
    assert_int_equal(poll_now(b->poll, 0), RG_ESTATE);
    fake_bus(b->fake, 0)->behaviour = FAKE_OK;
    bench_run(b, 60000);
    assert_int_equal(bench_bus(b, 0).state, BUS_UP);
    assert_int_equal(poll_now(b->poll, 0), RG_OK);
    bench_run(b, 100);
    assert_int_equal(b->polled_answered[0], 1);
    bench_destroy(b);
}

static void a_unit_that_is_triggered(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 60000);

    (void)state;
    b->site->devices[0].trigger = (struct site_trigger){
        .enabled = true, .space = SPACE_HOLDING, .address = 7, .value = 1, .wait_ms = 3000};
    bench_start(b, 1);
    bench_run(b, 10000);
    size_t before = b->call_count;
    assert_int_equal(poll_now(b->poll, 0), RG_OK);
    bench_run(b, 2900);
    assert_int_equal(b->call_count, before + 1);
    assert_true(b->calls[before].raw);
    assert_int_equal(b->polled[0], 0);
    assert_int_equal(poll_now(b->poll, 0), RG_OK); /* still the same one */
    bench_run(b, 1000);
    assert_int_equal(b->call_count, before + 2);
    assert_int_equal(b->polled[0], 1);
    assert_int_equal(b->polled_answered[0], 1);
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    assert_int_equal(poll_now(b->poll, 0), RG_OK);
    bench_run(b, 5000);
    assert_int_equal(b->polled[0], 2);
    assert_int_equal(b->polled_answered[0], 1);
    bench_destroy(b);
}

static void in_the_middle_of_the_end(void **state)
{
    struct bench *b = bench_create(1, 2, 1, 1000);

    (void)state;
    fake_device(b->fake, 0)->takes_ms = 200;
    bench_start(b, 1);
    bench_run(b, 5100);
    assert_int_equal(poll_now(b->poll, 0), RG_OK);
    assert_int_equal(poll_now(b->poll, 1), RG_OK);
    bench_destroy(b); /* nothing is told any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once_and_the_grid_stays),
        cmocka_unit_test(asked_often_it_is_one_poll),
        cmocka_unit_test(one_transaction_at_a_time),
        cmocka_unit_test(what_cannot_be_asked),
        cmocka_unit_test(a_mute_unit_is_probed_now_and_then_at_most),
        cmocka_unit_test(a_bus_that_is_down),
        cmocka_unit_test(a_unit_that_is_triggered),
        cmocka_unit_test(in_the_middle_of_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
