/* LINK rg_test_support rg_poll rg_loop_virtual */
/* Units that answer some requests and not others: what is left out, what is divided, and what that costs. */
#include "poll_bench.h"

/* Which requests of device 0 are passed over in silence: bit by request. */
static uint64_t mute_mask;
static uint64_t broken_mask;    /* ... break the link */
static uint64_t malformed_mask; /* ... get a wrong answer */

static enum fake_behaviour masked_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    (void)arg, (void)now_ms;
    if (device != 0)
        return FAKE_OK;
    if (malformed_mask >> request & 1)
        return FAKE_MALFORMED;
    return mute_mask >> request & 1 ? FAKE_SILENT : broken_mask >> request & 1 ? FAKE_BROKEN : FAKE_OK;
}

/* Device 0 has `requests` requests of one point; its neighbours one each. */
static struct bench *masked_bench(size_t devices, uint32_t requests, uint64_t mask)
{
    struct bench *b = bench_create(1, devices, requests, 1000);

    mute_mask = mask;
    broken_mask = 0;
    malformed_mask = 0;
    fake_destroy(b->fake);
    b->hooks.decide = masked_cb;
    b->fake = fake_create(b->site, &b->hooks);
    assert_non_null(b->fake);
    fake_device(b->fake, 0)->per_request = 1;
    return b;
}

/* Calls to this request of device 0 from `from` on, and how many were silent. */
static size_t count_calls(const struct bench *b, size_t request, size_t from, size_t *silent)
{
    size_t calls = 0;

    *silent = 0;
    for (size_t i = from; i < b->call_count; i++) {
        if (b->calls[i].device != 0 || b->calls[i].request != request)
            continue;
        calls++;
        *silent += b->calls[i].behaviour == FAKE_SILENT ? 1 : 0;
    }
    return calls;
}

/* The time outs spent on device 0 from `from` on. */
static size_t count_silent(const struct bench *b, size_t from)
{
    size_t silent = 0;

    for (size_t i = from; i < b->call_count; i++)
        silent += b->calls[i].device == 0 && b->calls[i].behaviour == FAKE_SILENT ? 1 : 0;
    return silent;
}

static void what_comes_after_a_mute_request_is_read(void **state)
{
    struct bench *b = masked_bench(2, 4, 1u << 1);
    size_t silent;

    (void)state;
    b->site->devices[0].retries = 1;
    b->site->devices[0].timeout_ms = 200;
    bench_start(b, 3);
    bench_run(b, POLL_SUSPEND_AFTER * 1000);
    assert_int_equal(bench_device(b, 0).left_out, 1);
    assert_int_equal(b->notes, 1);
    assert_non_null(strstr(b->note, "not to request 2 (no answer)"));
    size_t from = b->call_count;
    bench_run(b, 3600 * 1000);
    /* In an hour: a time-out now and then, without retries, and everything else at every poll. */
    assert_in_range(count_calls(b, 1, from, &silent), 3600 / 60, 3600 / 30 + 12);
    assert_int_equal(count_calls(b, 0, from, &silent), 3600);
    assert_int_equal(count_calls(b, 2, from, &silent), 3600);
    assert_int_equal(count_calls(b, 3, from, &silent), 3600);
    /* The point that is left out is told bad in every poll. */
    assert_int_equal(b->told[0].bad_frames, 3603);
    assert_int_equal(b->told[0].samples[QUALITY_COMM], 3600 + 3 * POLL_SUSPEND_AFTER);
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    assert_string_equal(bench_device(b, 0).detail, "no answer");
    assert_int_equal(b->notes, 1);
    assert_int_equal(b->crossing_count, 0);
    assert_int_equal(bench_device(b, 1).skipped, 0);
    mute_mask = 0;
    bench_run(b, POLL_PROBE_CAP_MS + 1000);
    assert_int_equal(bench_device(b, 0).left_out, 0);
    assert_int_equal(b->notes, 2);
    assert_string_equal(b->note, "answers to request 2 again");
    assert_string_equal(bench_device(b, 0).detail, "");
    size_t bad = b->told[0].bad_frames;
    bench_run(b, 10 * 1000);
    assert_int_equal(b->told[0].bad_frames, bad);
    bench_destroy(b);
}

static void a_mute_first_request_does_not_blind_the_unit(void **state)
{
    struct bench *b = masked_bench(1, 3, 1u << 0);
    size_t silent;

    (void)state;
    bench_start(b, 3);
    /* Three polls end with it; then a probe asks another one. */
    bench_run(b, (POLL_SUSPEND_AFTER + 4) * 1000);
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    assert_int_equal(b->crossing_count, 2);
    assert_int_equal(b->notes, 1);
    size_t from = b->call_count;
    bench_run(b, 600 * 1000);
    assert_int_equal(count_calls(b, 1, from, &silent), 600);
    assert_int_equal(count_calls(b, 2, from, &silent), 600);
    assert_int_equal(b->crossing_count, 2);
    bench_destroy(b);
}

static void many_mute_requests_take_turns(void **state)
{
    struct bench *b = masked_bench(2, 40, 0xfffffffff0);
    size_t silent;

    (void)state;
    bench_start(b, 3);
    bench_run(b, 40 * (POLL_SUSPEND_AFTER + 1) * 1000);
    assert_int_equal(bench_device(b, 0).left_out, 36);
    size_t from = b->call_count;
    uint64_t skipped = bench_device(b, 1).skipped;
    bench_run(b, 3600 * 1000);
    assert_in_range(count_silent(b, from), 3600 / 60, 3600 / 30 + 12);
    for (size_t r = 4; r < 40; r++)
        assert_true(count_calls(b, r, from, &silent) > 0);
    assert_int_equal(bench_device(b, 1).skipped, skipped);
    /* All are back with the first trial. */
    mute_mask = 0;
    bench_run(b, POLL_PROBE_CAP_MS + 3000);
    assert_int_equal(bench_device(b, 0).left_out, 0);
    bench_destroy(b);
}

static void a_unit_that_was_dead_is_read_whole_at_once(void **state)
{
    struct bench *b = masked_bench(1, 5, 0);

    (void)state;
    bench_start(b, 3);
    bench_run(b, 5500);
    mute_mask = ~(uint64_t)0;
    bench_run(b, 3600 * 1000);
    assert_int_equal(bench_device(b, 0).state, UNIT_SUSPENDED);
    assert_in_range(bench_device(b, 0).left_out, 0, 1); /* probes say nothing about requests */
    mute_mask = 0;
    while (bench_device(b, 0).state != UNIT_ONLINE)
        bench_run(b, 100);
    bench_run(b, 1100);
    size_t good = b->told[0].samples[QUALITY_GOOD];
    bench_run(b, 1000);
    assert_int_equal(b->told[0].samples[QUALITY_GOOD] - good, 5);
    assert_int_equal(bench_device(b, 0).left_out, 0);
    assert_int_equal(b->notes, 0); /* it was the unit, not its requests */
    bench_destroy(b);
}

static void a_request_that_misses_now_and_then_stays(void **state)
{
    struct bench *b = masked_bench(1, 3, 0);

    (void)state;
    bench_start(b, 3);
    for (int i = 0; i < 100; i++) {
        mute_mask = i % 3 == 2 ? 0 : 1u << 1;
        bench_run(b, 1000);
    }
    assert_int_equal(bench_device(b, 0).left_out, 0);
    assert_int_equal(b->notes, 0);
    bench_destroy(b);
}

/* It costs no time-out, and what is wrong with it may change at any time. */
static void a_request_answered_wrongly_stays(void **state)
{
    struct bench *b = masked_bench(1, 3, 0);

    (void)state;
    malformed_mask = 1u << 1;
    bench_start(b, 3);
    bench_run(b, 100 * 1000 - 1);
    assert_int_equal(bench_device(b, 0).left_out, 0);
    assert_int_equal(b->call_count, 300);
    assert_int_equal(b->notes, 0);
    bench_destroy(b);
}

/* ---- divided ---- */

static void a_hole_between_points_is_read_around(void **state)
{
    struct bench *b = bench_create(1, 2, 6, 1000);

    (void)state;
    fake_device(b->fake, 0)->hole = 4;
    bench_start(b, 3);
    bench_run(b, 10 * 1000 - 1);
    struct poll_device_stats stats = bench_device(b, 0);
    /* Once whole, then in its parts; no reading was lost for it. */
    assert_int_equal(fake_device(b->fake, 0)->asked, 1 + 10 * 6);
    assert_int_equal(b->told[0].samples[QUALITY_GOOD], 60);
    assert_int_equal(b->told[0].bad_frames, 0);
    assert_int_equal(stats.divided, 1);
    assert_int_equal(stats.errors + stats.exceptions, 0);
    assert_int_equal(stats.retries, 1);
    assert_string_equal(stats.detail, "");
    assert_int_equal(b->notes, 1);
    assert_non_null(strstr(b->note, "refuses request 1"));
    assert_non_null(strstr(b->note, "in 6 requests"));
    bench_destroy(b);
}

static void only_the_refused_request_is_divided(void **state)
{
    struct bench *b = bench_create(1, 1, 9, 1000);

    (void)state;
    fake_device(b->fake, 0)->per_request = 3;
    fake_device(b->fake, 0)->hole = 5; /* in the second of three */
    bench_start(b, 3);
    bench_run(b, 10 * 1000 - 1);
    assert_int_equal(fake_device(b->fake, 0)->asked, 1 + 10 * 5);
    assert_int_equal(b->told[0].samples[QUALITY_GOOD], 90);
    assert_int_equal(b->told[0].bad_frames, 0);
    bench_destroy(b);
}

static void a_unit_that_refuses_everything_is_not_asked_in_pieces(void **state)
{
    struct bench *b = bench_create(1, 2, 30, 1000);

    (void)state;
    fake_device(b->fake, 0)->per_request = 10;
    fake_device(b->fake, 0)->hole = 1; /* so that its plan can be divided */
    fake_device(b->fake, 0)->behaviour = FAKE_EXCEPTION;
    bench_start(b, 3);
    bench_run(b, 1000 - 1);
    assert_int_equal(fake_device(b->fake, 0)->asked, 3 + 10);
    bench_run(b, 599 * 1000);
    /* One request a poll is tried in its parts, each once in a while: 3 times 10. */
    assert_int_equal(fake_device(b->fake, 0)->asked, 600 * 3 + 3 * 10);
    assert_int_equal(bench_device(b, 0).divided, 0);
    assert_int_equal(b->notes, 0);
    assert_int_equal(b->told[0].good_frames, 0);
    assert_int_equal(b->told[0].samples[QUALITY_DEVICE], 600 * 30);
    assert_int_equal(bench_device(b, 1).skipped, 0);
    /* It has started up: read whole, but for what needs dividing. */
    fake_device(b->fake, 0)->behaviour = FAKE_OK;
    bench_run(b, POLL_DIVIDE_AGAIN_MS);
    uint64_t asked = fake_device(b->fake, 0)->asked;
    bench_run(b, 10 * 1000);
    assert_int_equal(fake_device(b->fake, 0)->asked - asked, 10 * (10 + 2));
    assert_int_equal(bench_device(b, 0).divided, 1);
    bench_destroy(b);
}

static enum fake_behaviour refuses_then_mute_cb(void *arg, uint32_t device, size_t request, int64_t now_ms)
{
    struct bench *b = arg;

    (void)request, (void)now_ms;
    return fake_device(b->fake, device)->asked % 2 == 0 ? FAKE_EXCEPTION : FAKE_SILENT;
}

static void a_division_that_ends_in_silence_is_undone(void **state)
{
    struct bench *b = bench_create(1, 1, 4, 1000);

    (void)state;
    fake_destroy(b->fake);
    b->hooks.decide = refuses_then_mute_cb;
    b->fake = fake_create(b->site, &b->hooks);
    fake_device(b->fake, 0)->hole = 2;
    bench_start(b, 3);
    bench_run(b, 100 * 1000);
    assert_int_equal(b->told[0].good_frames, 0);
    assert_int_equal(bench_device(b, 0).divided, 0);
    bench_destroy(b); /* while one may be on trial */
    b = bench_create(1, 1, 4, 1000);
    fake_device(b->fake, 0)->hole = 2;
    bench_start(b, 3);
    bench_run(b, 15);
    bench_destroy(b);
}

static void a_probe_is_one_request(void **state)
{
    struct bench *b = bench_create(1, 1, 4, 1000);

    (void)state;
    fake_device(b->fake, 0)->hole = 2;
    fake_device(b->fake, 0)->behaviour = FAKE_SILENT;
    bench_start(b, 3);
    bench_run(b, 60 * 1000);
    fake_device(b->fake, 0)->behaviour = FAKE_EXCEPTION;
    uint64_t asked = fake_device(b->fake, 0)->asked;
    while (bench_device(b, 0).state != UNIT_ONLINE)
        bench_run(b, 1);
    assert_int_equal(fake_device(b->fake, 0)->asked - asked, 1);
    bench_destroy(b);
}

static void without_memory_it_stays_whole(void **state)
{
    struct bench *b = bench_create(1, 1, 4, 1000);

    (void)state;
    fake_device(b->fake, 0)->hole = 2;
    bench_start(b, 3);
    fake_fail_after(b->fake, 1);
    bench_run(b, 900);
    assert_int_equal(b->told[0].samples[QUALITY_DEVICE], 4);
    assert_int_equal(bench_device(b, 0).divided, 0);
    bench_run(b, 1000);
    assert_int_equal(b->told[0].samples[QUALITY_GOOD], 4);
    bench_destroy(b);
}

/* ---- a unit under which the link breaks ---- */

static void a_unit_that_breaks_the_link_is_suspended(void **state)
{
    struct bench *b = masked_bench(4, 1, 0);

    (void)state;
    broken_mask = ~(uint64_t)0; /* device 0: as a gateway that hangs up when it has no answer */
    bench_start(b, 3);
    bench_run(b, 20 * 1000);
    assert_int_equal(bench_device(b, 0).state, UNIT_SUSPENDED);
    size_t crossings = b->crossing_count;
    uint64_t ok = bench_device(b, 1).ok;
    bench_run(b, 3600 * 1000);
    /* A probe a minute, not a broken link a second. */
    assert_in_range(b->crossing_count - crossings, 2, 2 * (3600 / 30 + 12));
    /* At its instants, and where it is the one that tries the link again, also beside them. */
    assert_in_range(bench_device(b, 1).ok - ok, 3600 - 3600 / 30 - 12, 3600 + 3600 / 30 + 12);
    broken_mask = 0;
    bench_run(b, POLL_PROBE_CAP_MS + 1000);
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    /* Once is the bus's own affair. */
    broken_mask = ~(uint64_t)0;
    while (bench_bus(b, 0).state == BUS_UP)
        bench_run(b, 1);
    broken_mask = 0;
    assert_int_equal(bench_device(b, 0).state, UNIT_ONLINE);
    bench_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_after_a_mute_request_is_read),
        cmocka_unit_test(a_mute_first_request_does_not_blind_the_unit),
        cmocka_unit_test(many_mute_requests_take_turns),
        cmocka_unit_test(a_unit_that_was_dead_is_read_whole_at_once),
        cmocka_unit_test(a_request_that_misses_now_and_then_stays),
        cmocka_unit_test(a_request_answered_wrongly_stays),
        cmocka_unit_test(a_hole_between_points_is_read_around),
        cmocka_unit_test(only_the_refused_request_is_divided),
        cmocka_unit_test(a_unit_that_refuses_everything_is_not_asked_in_pieces),
        cmocka_unit_test(a_division_that_ends_in_silence_is_undone),
        cmocka_unit_test(a_probe_is_one_request),
        cmocka_unit_test(without_memory_it_stays_whole),
        cmocka_unit_test(a_unit_that_breaks_the_link_is_suspended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
