/* LINK rg_uplink rg_base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "uplink/pace.h"

static void no_rate_is_no_limit(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 0, 500, 1000);
    assert_int_equal(pace_batch(&p), 500);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pace_wait(&p, 500, 1000), 0);
        pace_take(&p, 500, 1000);
    }
    pace_init(&p, -3, 500, 0);
    assert_int_equal(pace_wait(&p, 500, 0), 0);
}

static void a_message_is_a_seconds_worth(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 200, 500, 0);
    assert_int_equal(pace_batch(&p), 200);
    pace_init(&p, 5000, 500, 0);
    assert_int_equal(pace_batch(&p), 500);
    pace_init(&p, 0.2, 500, 0);
    assert_int_equal(pace_batch(&p), 1);
    pace_init(&p, 2.5, 500, 0);
    assert_int_equal(pace_batch(&p), 3);
}

static void the_wait_is_what_is_missing(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 200, 500, 0);
    assert_int_equal(pace_wait(&p, 200, 0), 0);
    pace_take(&p, 200, 0);
    assert_int_equal(pace_wait(&p, 200, 0), 1000);
    assert_int_equal(pace_wait(&p, 1, 0), 5);
    assert_int_equal(pace_wait(&p, 200, 999), 1);
    assert_int_equal(pace_wait(&p, 200, 1000), 0);
    assert_int_equal(pace_wait(&p, 200, 0), 1000); /* asking takes nothing */
}

static void a_pause_saves_up_one_message_only(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 100, 500, 0);
    pace_take(&p, 100, 0);
    assert_int_equal(pace_wait(&p, 100, 86400000), 0);
    pace_take(&p, 100, 86400000);
    assert_int_equal(pace_wait(&p, 100, 86400000), 1000);
}

static void a_larger_message_goes_and_is_paid_for(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 10, 500, 0);
    assert_int_equal(pace_wait(&p, 35, 0), 0);
    pace_take(&p, 35, 0);
    assert_int_equal(pace_wait(&p, 1, 0), 2600);
}

static void a_clock_that_stands_or_goes_back_gives_nothing(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 10, 500, 5000);
    pace_take(&p, 10, 5000);
    assert_int_equal(pace_wait(&p, 10, 4000), 1000);
    pace_take(&p, 0, 1000);
    assert_int_equal(pace_wait(&p, 10, 5500), 500);
}

/* Over any stretch no more than rate * time + one message goes, and a greedy sender gets nearly the rate. */
static void the_rate_holds_over_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rg_random random;
        struct pace p;
        double sent = 0;
        int64_t now = 0;
        double rate;

        random_seed(&random, seed);
        rate = 0.5 + 1000 * random_unit(&random);
        pace_init(&p, rate, 500, 0);
        while (now < 600000) {
            const size_t n = 1 + (size_t)random_below(&random, pace_batch(&p));

            now += pace_wait(&p, n, now);
            pace_take(&p, n, now);
            sent += (double)n;
            if (sent > rate * (double)now / 1000 + (double)pace_batch(&p) + 1e-6)
                fail_msg("seed %llu: too fast", (unsigned long long)seed);
        }
        if (sent < 0.9 * rate * (double)now / 1000)
            fail_msg("seed %llu: too slow, %.0f of %.0f", (unsigned long long)seed, sent,
                     rate * (double)now / 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(a_message_is_a_seconds_worth),
        cmocka_unit_test(the_wait_is_what_is_missing),
        cmocka_unit_test(a_pause_saves_up_one_message_only),
        cmocka_unit_test(a_larger_message_goes_and_is_paid_for),
        cmocka_unit_test(a_clock_that_stands_or_goes_back_gives_nothing),
        cmocka_unit_test(the_rate_holds_over_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
