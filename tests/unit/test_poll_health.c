/* LINK rg_poll rg_loop_virtual */
/* Health of units and buses: states, crossings, back-off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/random.h"
#include "poll/health.h"

static void init(struct unit_health *h, int64_t period_ms)
{
    const struct site_device device = {.poll_ms = period_ms, .timeout_ms = 500};
    const struct health_limits limits = health_limits_of(&device);

    unit_health_init(h, &limits);
}

static void names_every_state(void **state)
{
    (void)state;
    assert_string_equal(unit_state_name(UNIT_UNKNOWN), "unknown");
    assert_string_equal(unit_state_name(UNIT_SUSPENDED), "suspended");
    assert_string_equal(unit_state_name((enum unit_state)99), "?");
    assert_string_equal(bus_state_name(BUS_IDLE), "idle");
    assert_string_equal(bus_state_name(BUS_DOWN), "down");
    assert_string_equal(bus_state_name((enum bus_state)99), "?");
}

static void unit_goes_its_way(void **state)
{
    struct unit_health h;
    struct rg_random r;

    (void)state;
    random_seed(&r, 1);
    init(&h, 1000);
    assert_int_equal(h.state, UNIT_UNKNOWN);
    assert_int_equal(h.silent, 0);
    assert_int_equal(unit_health_step(&h, true, 0, &r), HEALTH_SAME);
    assert_int_equal(h.state, UNIT_ONLINE);
    for (unsigned i = 1; i < POLL_SUSPEND_AFTER; i++) {
        assert_int_equal(unit_health_step(&h, false, 1000, &r), HEALTH_SAME);
        assert_int_equal(h.state, UNIT_DOUBTFUL);
        assert_int_equal(h.silent, i);
    }
    assert_int_equal(unit_health_step(&h, false, 5000, &r), HEALTH_LOST);
    assert_int_equal(h.state, UNIT_SUSPENDED);
    assert_in_range(h.probe_at_ms, 5000 + POLL_PROBE_FIRST_MS / 2, 5000 + POLL_PROBE_FIRST_MS);
    assert_int_equal(unit_health_step(&h, false, 9000, &r), HEALTH_SAME);
    assert_int_equal(unit_health_step(&h, true, 20000, &r), HEALTH_BACK);
    assert_int_equal(h.state, UNIT_ONLINE);
    /* One miss does not suspend it again, for all its past. */
    assert_int_equal(unit_health_step(&h, false, 21000, &r), HEALTH_SAME);
    assert_int_equal(h.state, UNIT_DOUBTFUL);
}

static void doubt_without_a_past_is_suspended_too(void **state)
{
    struct unit_health h;
    struct rg_random r;

    (void)state;
    random_seed(&r, 1);
    init(&h, 1000);
    for (int i = 1; i < POLL_SUSPEND_AFTER; i++)
        assert_int_equal(unit_health_step(&h, false, 0, &r), HEALTH_SAME);
    assert_int_equal(unit_health_step(&h, false, 0, &r), HEALTH_LOST);
}

static void now_and_then_a_miss_suspends_nobody(void **state)
{
    struct unit_health h;
    struct rg_random r;

    (void)state;
    random_seed(&r, 1);
    init(&h, 1000);
    for (int i = 0; i < 100; i++)
        assert_int_equal(unit_health_step(&h, i % POLL_SUSPEND_AFTER == 0, i, &r), HEALTH_SAME);
}

static void probe_gaps_grow_up_to_the_cap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct unit_health h;
        struct rg_random r;
        int64_t bound = POLL_PROBE_FIRST_MS;

        random_seed(&r, seed);
        init(&h, 1000);
        for (int i = 1; i < POLL_SUSPEND_AFTER; i++)
            (void)unit_health_step(&h, false, 0, &r);
        for (int i = 0; i < 40; i++) {
            (void)unit_health_step(&h, false, 0, &r);
            if (h.probe_at_ms < bound / 2 || h.probe_at_ms > bound)
                fail_msg("seed %llu: gap %d is %lld", (unsigned long long)seed, i, (long long)h.probe_at_ms);
            bound = bound * 2 < POLL_PROBE_CAP_MS ? bound * 2 : POLL_PROBE_CAP_MS;
        }
        (void)unit_health_step(&h, true, 0, &r);
        for (int i = 0; i < POLL_SUSPEND_AFTER; i++)
            (void)unit_health_step(&h, false, 0, &r);
        assert_in_range(h.probe_at_ms, POLL_PROBE_FIRST_MS / 2, POLL_PROBE_FIRST_MS);
    }
}

static void probes_of_slow_devices_begin_slowly(void **state)
{
    struct unit_health h;
    struct rg_random r;

    (void)state;
    random_seed(&r, 3);
    init(&h, 20000);
    for (int i = 0; i < POLL_SUSPEND_AFTER; i++)
        (void)unit_health_step(&h, false, 0, &r);
    assert_in_range(h.probe_at_ms, 10000, 20000);
    init(&h, 3600000);
    for (int i = 0; i < POLL_SUSPEND_AFTER; i++)
        (void)unit_health_step(&h, false, 0, &r);
    assert_in_range(h.probe_at_ms, POLL_PROBE_CAP_MS / 2, POLL_PROBE_CAP_MS);
}

static void limits_are_the_devices(void **state)
{
    struct site_device d = {.poll_ms = 1000, .timeout_ms = 500};
    struct health_limits l = health_limits_of(&d);

    (void)state;
    assert_int_equal(l.misses, 3);
    assert_int_equal(l.probe_first_ms, POLL_PROBE_FIRST_MS);
    assert_int_equal(l.probe_cap_ms, 60000);
    d.timeout_ms = 3000; /* and not probed while its answer may still come */
    assert_int_equal(health_limits_of(&d).probe_first_ms, 6000);
    d.poll_ms = 10000;
    assert_int_equal(health_limits_of(&d).probe_first_ms, 10000);
    d.probe_ms = 5000;
    d.misses = 7;
    l = health_limits_of(&d);
    assert_int_equal(l.misses, 7);
    assert_int_equal(l.probe_first_ms, 5000);
    assert_int_equal(l.probe_cap_ms, 5000);
}

static void soft_errors_are_counted_apart(void **state)
{
    const struct site_device device = {.poll_ms = 1000, .misses = 40, .probe_ms = 4000};
    const struct health_limits limits = health_limits_of(&device);
    struct unit_health h;
    struct rg_random r;

    (void)state;
    random_seed(&r, 1);
    unit_health_init(&h, &limits);
    for (int i = 0; i < 39; i++)
        assert_int_equal(unit_health_step(&h, false, 0, &r), HEALTH_SAME);
    assert_int_equal(h.soft, 0); /* not known yet what comes of them */
    assert_int_equal(h.silent, 39);
    assert_int_equal(unit_health_answered(&h), 0);
    assert_int_equal(unit_health_step(&h, true, 0, &r), HEALTH_SAME);
    assert_int_equal(h.soft, 39);
    assert_int_equal(unit_health_answered(&h), 1);
    for (int i = 0; i < 39; i++)
        assert_int_equal(unit_health_step(&h, false, 0, &r), HEALTH_SAME);
    assert_int_equal(unit_health_step(&h, false, 0, &r), HEALTH_LOST);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(unit_health_step(&h, false, 0, &r), HEALTH_SAME);
        assert_in_range(h.probe_at_ms, 1000, 4000);
    }
    assert_int_equal(unit_health_step(&h, true, 0, &r), HEALTH_BACK);
    assert_int_equal(h.soft, 39); /* what suspended it was no soft error */
    assert_int_equal(h.silent, 0);
    assert_int_equal(h.known, UNIT_HISTORY_POLLS);
    assert_int_equal(unit_health_answered(&h), 1);
}

static void a_bus_is_retried_within_its_own_time(void **state)
{
    struct bus_health h;
    struct rg_random r;

    (void)state;
    random_seed(&r, 1);
    bus_health_init(&h, 2000);
    for (int i = 0; i < 20; i++) {
        (void)bus_health_step(&h, DRIVER_UNREACHABLE, 0, &r);
        assert_in_range(h.retry_at_ms, i < 3 ? 1 : 1000, 2000);
    }
    bus_health_init(&h, 100);
    (void)bus_health_step(&h, DRIVER_UNREACHABLE, 0, &r);
    assert_in_range(h.retry_at_ms, 50, 100);
}

static void bus_crossings(void **state)
{
    struct bus_health h;
    struct rg_random r;

    (void)state;
    random_seed(&r, 1);
    bus_health_init(&h, 0);
    assert_int_equal(h.state, BUS_IDLE);
    assert_int_equal(bus_health_step(&h, DRIVER_OK, 0, &r), HEALTH_SAME);
    assert_int_equal(h.state, BUS_UP);
    assert_int_equal(bus_health_step(&h, DRIVER_BROKEN, 0, &r), HEALTH_LOST);
    assert_int_equal(h.state, BUS_DOWN);
    assert_int_equal(bus_health_step(&h, DRIVER_UNREACHABLE, 0, &r), HEALTH_SAME);
    assert_int_equal(bus_health_step(&h, DRIVER_EXCEPTION, 0, &r), HEALTH_BACK);
    assert_int_equal(h.state, BUS_UP);
    bus_health_init(&h, 0);
    assert_int_equal(bus_health_step(&h, DRIVER_UNREACHABLE, 0, &r), HEALTH_LOST);
}

static void bus_backs_off_within_bounds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct bus_health h;
        struct rg_random r;
        int64_t bound = POLL_BUS_FIRST_MS;
        int64_t shortest = INT64_MAX;
        int64_t longest = 0;

        random_seed(&r, seed);
        bus_health_init(&h, 0);
        for (int i = 0; i < 60; i++) {
            (void)bus_health_step(&h, i % 2 == 0 ? DRIVER_UNREACHABLE : DRIVER_BROKEN, 1000, &r);
            int64_t gap = h.retry_at_ms - 1000;
            if (gap < bound / 2 || gap > bound)
                fail_msg("seed %llu: gap %d is %lld", (unsigned long long)seed, i, (long long)gap);
            if (bound == POLL_BUS_CAP_MS) {
                shortest = gap < shortest ? gap : shortest;
                longest = gap > longest ? gap : longest;
            }
            bound = bound * 2 < POLL_BUS_CAP_MS ? bound * 2 : POLL_BUS_CAP_MS;
        }
        /* The jitter does spread. */
        assert_true(longest - shortest > POLL_BUS_CAP_MS / 8);
    }
}

static void only_an_answer_resets_the_back_off(void **state)
{
    static const enum driver_result answers[] = {DRIVER_OK, DRIVER_EXCEPTION, DRIVER_MALFORMED};
    struct bus_health h;
    struct rg_random r;

    (void)state;
    random_seed(&r, 1);
    bus_health_init(&h, 0);
    /* Opens, stays silent, breaks: the gaps grow all the same. */
    for (int i = 0; i < 10; i++) {
        (void)bus_health_step(&h, DRIVER_SILENT, 0, &r);
        assert_int_equal(h.state, BUS_UP);
        (void)bus_health_step(&h, DRIVER_BROKEN, 0, &r);
    }
    assert_in_range(h.retry_at_ms, POLL_BUS_CAP_MS / 2, POLL_BUS_CAP_MS);
    for (size_t i = 0; i < RG_COUNT(answers); i++) {
        for (int n = 0; n < 10; n++)
            (void)bus_health_step(&h, DRIVER_UNREACHABLE, 0, &r);
        (void)bus_health_step(&h, answers[i], 0, &r);
        (void)bus_health_step(&h, DRIVER_BROKEN, 0, &r);
        assert_in_range(h.retry_at_ms, POLL_BUS_FIRST_MS / 2, POLL_BUS_FIRST_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_state),
        cmocka_unit_test(unit_goes_its_way),
        cmocka_unit_test(doubt_without_a_past_is_suspended_too),
        cmocka_unit_test(now_and_then_a_miss_suspends_nobody),
        cmocka_unit_test(probe_gaps_grow_up_to_the_cap),
        cmocka_unit_test(probes_of_slow_devices_begin_slowly),
        cmocka_unit_test(limits_are_the_devices),
        cmocka_unit_test(soft_errors_are_counted_apart),
        cmocka_unit_test(a_bus_is_retried_within_its_own_time),
        cmocka_unit_test(bus_crossings),
        cmocka_unit_test(bus_backs_off_within_bounds),
        cmocka_unit_test(only_an_answer_resets_the_back_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
