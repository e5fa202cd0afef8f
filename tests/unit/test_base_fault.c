/* LINK rg_base */
/* What is told of a fault that goes on, of one that comes and goes, and of both by chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fault.h"
#include "base/random.h"

#define SECOND 1000
#define HOUR (3600 * SECOND)

static void once_and_over(void **state)
{
    struct fault f = {.known = false};
    uint32_t times = 9;

    (void)state;
    assert_int_equal(fault_end(&f, 5), FAULT_NOTHING);
    assert_int_equal(fault_look(&f, 5, &times), FAULT_NOTHING);
    assert_int_equal(fault_begin(&f, 10, &times), FAULT_NEW);
    assert_int_equal(times, 0);
    assert_int_equal(f.since_ms, 10);
    assert_int_equal(fault_look(&f, 11, &times), FAULT_NOTHING);
    assert_int_equal(fault_end(&f, 500), FAULT_END);
    assert_int_equal(fault_end(&f, 501), FAULT_NOTHING);
    assert_true(f.known);
    assert_int_equal(fault_look(&f, 200 * SECOND, &times), FAULT_NOTHING);
    assert_false(f.known);
    assert_int_equal(fault_begin(&f, 201 * SECOND, &times), FAULT_NEW);
}

/* Looked at every second for a day. */
static void one_that_goes_on(void **state)
{
    static const int64_t minutes[] = {1, 3, 7, 15, 31, 63, 123, 183};
    struct fault f = {.known = false};
    uint32_t times;
    size_t lines = 0;

    (void)state;
    assert_int_equal(fault_begin(&f, 0, &times), FAULT_NEW);
    for (int64_t now = SECOND; now <= 24 * HOUR; now += SECOND) {
        enum fault_line line = fault_look(&f, now, &times);

        if (line == FAULT_NOTHING)
            continue;
        assert_int_equal(line, FAULT_STILL);
        assert_int_equal(times, 0);
        if (lines < RG_COUNT(minutes))
            assert_int_equal(now, minutes[lines] * 60 * SECOND);
        lines++;
    }
    assert_int_equal(lines, 6 + 22); /* at last every hour */
    assert_int_equal(fault_end(&f, 24 * HOUR + 1), FAULT_END);
}

/* Every 5 s for 2 s: each told beginning has its end told, and nothing else has. */
static void one_that_comes_and_goes(void **state)
{
    struct fault f = {.known = false};
    uint32_t times, sum = 0, told = 0, ended = 0, began = 0;

    (void)state;
    for (int64_t now = 0; now < HOUR; now += SECOND) {
        if (now % (5 * SECOND) == 0) {
            enum fault_line line = fault_begin(&f, now, &times);

            began++;
            sum += times;
            if (line != FAULT_NOTHING) {
                assert_int_equal(line, told == 0 ? FAULT_NEW : FAULT_AGAIN);
                told++;
            }
        } else if (now % (5 * SECOND) == 2 * SECOND) {
            ended += fault_end(&f, now) == FAULT_END;
        }
        if (fault_look(&f, now, &times) == FAULT_STILL) {
            told++;
            sum += times - 1; /* that which goes on began as well */
        }
    }
    assert_int_equal(told, ended);
    assert_in_range(told, 6, 7);
    for (int64_t now = HOUR; now < 3 * HOUR; now += SECOND) {
        if (fault_look(&f, now, &times) != FAULT_OVER)
            continue;
        sum += times;
        assert_false(f.known);
    }
    assert_int_equal(sum + told, began); /* none is forgotten */
}

/* What merely happens: once a second for six hours, each over at once. */
static void one_that_happens(void **state)
{
    struct fault f = {.known = false};
    uint64_t lines = 0, told = 0;

    (void)state;
    for (int64_t s = 0; s < 6 * 3600; s++) {
        uint32_t times = 0;

        if (fault_begin(&f, 5 + s * SECOND, &times) != FAULT_NOTHING) {
            lines++;
            told += times + 1;
        }
        assert_true(fault_end(&f, 5 + s * SECOND) == FAULT_END || f.swallowed > 0);
    }
    /* After 0, 1, 3, 7, 15, 31, 63 minutes, then once an hour. */
    assert_int_equal(lines, 7 + 4);
    assert_int_equal(told + f.swallowed, 6 * 3600);

    /* Much later, looked at first, it is a new one, and none of before is forgotten. */
    uint32_t before = 0, times = 0;

    assert_int_equal(fault_look(&f, 9 * (int64_t)HOUR, &before), FAULT_OVER);
    assert_int_equal(fault_begin(&f, 9 * (int64_t)HOUR, &times), FAULT_NEW);
    assert_int_equal(told + before + times, 6 * 3600);
}

/* However it goes: who reads the log knows whether it is there once a gap has passed, and every time it began is in some line. */
static void by_chance(void **state)
{
    const uint64_t seed = getenv("RG_SEED") ? strtoull(getenv("RG_SEED"), NULL, 10) : (uint64_t)time(NULL);
    struct rg_random random;

    (void)state;
    print_message("RG_SEED=%llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    for (int round = 0; round < 200; round++) {
        struct fault f = {.known = false};
        bool reader = false; /* takes it for being there */
        uint64_t began = 0, accounted = 0;
        int64_t now = 1 + (int64_t)random_below(&random, 1000000);
        uint32_t times;

        for (int step = 0; step < 400; step++) {
            now += 1 + (int64_t)random_below(&random, round % 2 ? 30 * SECOND : 900 * SECOND);
            if (random_below(&random, 3) == 0 && !f.bad) {
                enum fault_line line = fault_begin(&f, now, &times);

                began++;
                accounted += line == FAULT_NOTHING ? 0 : times + 1;
                reader = reader || line != FAULT_NOTHING;
            } else if (random_below(&random, 3) == 0) {
                bool end = fault_end(&f, now) == FAULT_END;

                assert_true(end == reader);
                reader = false;
            } else {
                enum fault_line line = fault_look(&f, now, &times);

                accounted += line == FAULT_NOTHING ? 0 : times;
                if (line == FAULT_STILL)
                    reader = true;
                if (line == FAULT_OVER)
                    assert_false(reader);
            }
            assert_true(f.told == reader);
            assert_true(f.gap_ms <= FAULT_LAST_GAP_MS);
            assert_int_equal(accounted + f.swallowed, began);
        }
        (void)fault_end(&f, now);
        (void)fault_look(&f, now + 2 * HOUR, &times);
        assert_false(f.known);
        assert_int_equal(accounted + times, began);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_and_over),
        cmocka_unit_test(one_that_goes_on),
        cmocka_unit_test(one_that_comes_and_goes),
        cmocka_unit_test(one_that_happens),
        cmocka_unit_test(by_chance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
