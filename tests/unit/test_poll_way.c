/* LINK rg_test_support rg_poll rg_loop_virtual */
/* poll_give_way: for a moment nobody is asked, and nothing else of a poll changes. */
#include "poll_bench.h"

static void for_a_moment_nobody_is_asked(void **state)
{
    struct bench *b = bench_create(3, 1, 1, 1000);
    const int64_t instant_ms = VIRTUAL_MONO_MS + 3000;

    (void)state;
    bench_start(b, 1);
    bench_run(b, 2999);
    assert_int_equal(b->call_count, 3 * 3);
    poll_give_way(b->poll); /* from 1 ms before their instant to 1 ms after it */
    bench_run(b, POLL_WAY_MS - 1);
    assert_int_equal(loop_mono_ms(b->loop), instant_ms);
    assert_int_equal(b->call_count, 3 * 3);
    bench_run(b, 1);
    assert_int_equal(b->call_count, 3 * 4);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(b->calls[9 + i].begun_ms, instant_ms - 1 + POLL_WAY_MS);
        assert_int_equal(bench_device(b, i).late_ms, POLL_WAY_MS - 1);
        assert_int_equal(bench_device(b, i).skipped, 0);
    }
    bench_run(b, 1000); /* and their grid is where it was */
    assert_int_equal(b->call_count, 3 * 5);
    for (size_t i = 12; i < 15; i++)
        assert_int_equal(b->calls[i].begun_ms, instant_ms + 1000);
    bench_destroy(b);
}

/* Whoever gives way all the time. */
static void polls_lose_a_twentieth_at_most(void **state)
{
    struct bench *b = bench_create(10, 1, 1, 20);
    size_t late = 0;

    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        fake_device(b->fake, i)->takes_ms = 1;
        b->site->devices[i].poll_offset_ms = 2 * i + 1;
    }
    bench_start(b, 1);
    for (int ms = 0; ms < 10000; ms++) {
        poll_give_way(b->poll);
        bench_run(b, 1);
    }
    for (size_t i = 0; i < b->call_count; i++)
        late += (b->calls[i].begun_ms - 2 * b->calls[i].device - 1) % 20 != 0;
    assert_true(b->call_count >= 10 * 498); /* those of the first and the last moment apart */
    assert_true(late > 0);
    assert_true(late <= b->call_count * POLL_WAY_MS / POLL_WAY_AGAIN_MS + 1);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(bench_device(b, i).skipped, 0);
    bench_destroy(b);
}

static void module_cb(void *arg, uint32_t bus, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    (void)arg, (void)bus, (void)ask, (void)answer;
}

static void answered_cb(void *arg, const struct driver_raw_answer *answer)
{
    assert_int_equal(answer->result, DRIVER_OK);
    ++*(int *)arg;
}

/* Outputs are switched, and what was asked is heard. */
static void errands_and_what_is_under_way_go_on(void **state)
{
    struct bench *b = bench_create(1, 1, 1, 1000);
    int answered = 0;
    const struct poll_errand errand = {
        .ask = {.unit = 9, .space = SPACE_HOLDING, .count = 1}, .done = answered_cb, .arg = &answered};

    (void)state;
    fake_destroy(b->fake);
    b->hooks.raw = module_cb;
    b->fake = fake_create(b->site, &b->hooks);
    assert_non_null(b->fake);
    fake_device(b->fake, 0)->takes_ms = 1;
    bench_start(b, 1);
    bench_run(b, 2000);
    assert_int_equal(b->call_count, 3);
    const size_t heard = b->told[0].good_frames;
    poll_give_way(b->poll);
    bench_run(b, 1);
    assert_int_equal(b->told[0].good_frames, heard + 1);
    bench_run(b, POLL_WAY_AGAIN_MS);
    const int64_t given_ms = loop_mono_ms(b->loop);
    poll_give_way(b->poll);
    assert_int_equal(poll_errand(b->poll, &errand), RG_OK);
    bench_run(b, 100);
    assert_int_equal(answered, 1);
    assert_true(b->calls[3].raw);
    assert_in_range(b->calls[3].begun_ms, given_ms, given_ms + 1); /* by the bus's timer */
    bench_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(for_a_moment_nobody_is_asked),
        cmocka_unit_test(polls_lose_a_twentieth_at_most),
        cmocka_unit_test(errands_and_what_is_under_way_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
