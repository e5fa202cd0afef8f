/* LINK rg_poll rg_loop_virtual */
/* How busy a bus was. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "poll/meter.h"

#define SECOND INT64_C(1000000)

static void expect(struct meter *m, int64_t now_us, double share)
{
    const double got = meter_share(m, now_us, NULL);

    if (fabs(got - share) > 1e-9)
        fail_msg("at %lld us: %g instead of %g", (long long)now_us, got, share);
}

static void since_the_start_then_the_last_minute(void **state)
{
    struct meter m;
    int64_t window = -1;

    (void)state;
    meter_start(&m, 1003 * SECOND);
    assert_true(meter_share(&m, 1003 * SECOND, &window) == 0);
    assert_int_equal(window, 0);
    meter_add(&m, 1004 * SECOND, 1006 * SECOND); /* over the edge of two slots */
    expect(&m, 1007 * SECOND, 0.5);
    assert_true(meter_share(&m, 1013 * SECOND, &window) == 0.2);
    assert_int_equal(window, 10 * SECOND);
    expect(&m, 1059 * SECOND, 2.0 / 56);
    /* The slot of 1000 to 1005 has left; the window begins where the next one does. */
    expect(&m, 1060 * SECOND, 1.0 / 55);
    expect(&m, 1065 * SECOND, 0);
    meter_add(&m, 9000 * SECOND, 9001 * SECOND); /* after a long rest */
    expect(&m, 9004 * SECOND, 1.0 / 59);
    /* Longer than all there is room for. */
    meter_add(&m, 9001 * SECOND, 9200 * SECOND);
    expect(&m, 9200 * SECOND, 1);
}

static void what_overlaps_counts_once_and_what_lies_ahead_not_yet(void **state)
{
    struct meter m;

    (void)state;
    meter_start(&m, 0);
    meter_add(&m, 0, 1 * SECOND + 500000); /* half a second of silence to be kept */
    expect(&m, 1 * SECOND, 1);
    expect(&m, 2 * SECOND, 0.75);
    meter_add(&m, 2 * SECOND, 3 * SECOND + 500000);
    meter_add(&m, 3 * SECOND, 4 * SECOND); /* waited for it */
    expect(&m, 4 * SECOND, 3.5 / 4);
    meter_add(&m, 2 * SECOND, 3 * SECOND); /* nothing new */
    expect(&m, 5 * SECOND, 3.5 / 5);
}

/* Against a plain count of every millisecond. */
static void against_a_plain_count(void **state)
{
    static uint8_t busy[400 * 1000];

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rg_random r;
        struct meter m;
        int64_t now = 0, done = 0;

        random_seed(&r, seed);
        for (size_t i = 0; i < sizeof(busy); i++)
            busy[i] = 0;
        meter_start(&m, 0);
        while (now < 390 * 1000) {
            const int64_t end = now + (int64_t)random_below(&r, 3000);
            const int64_t silent = end + (int64_t)random_below(&r, 500);

            meter_add(&m, now * 1000, silent * 1000);
            for (int64_t i = now; i < silent && i < 400 * 1000; i++)
                busy[i] = 1;
            now = end + (random_below(&r, 2) == 0 ? 0 : (int64_t)random_below(&r, 4000));
            if (now >= 400 * 1000)
                break;
            int64_t window;
            const double share = meter_share(&m, now * 1000, &window);
            int64_t count = 0;
            for (int64_t i = now - window / 1000; i < now; i++)
                count += busy[i];
            const double plain = now == 0 ? 0 : (double)count / (double)(window / 1000);
            if (fabs(share - plain) > 1e-6)
                fail_msg("seed %llu at %lld ms: %g instead of %g", (unsigned long long)seed, (long long)now,
                         share, plain);
            done++;
        }
        assert_true(done > 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(since_the_start_then_the_last_minute),
        cmocka_unit_test(what_overlaps_counts_once_and_what_lies_ahead_not_yet),
        cmocka_unit_test(against_a_plain_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
