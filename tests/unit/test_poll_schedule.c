/* LINK rg_poll rg_loop_virtual */
/* The grid and whose turn it is, and the percentiles of durations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/random.h"
#include "poll/durations.h"
#include "poll/schedule.h"

static void starts_on_the_grid(void **state)
{
    struct grid g;

    (void)state;
    grid_start(&g, 1000, 0, 5000);
    assert_int_equal(g.due_ms, 5000);
    grid_start(&g, 1000, 0, 5001);
    assert_int_equal(g.due_ms, 6000);
    grid_start(&g, 1000, 0, 5999);
    assert_int_equal(g.due_ms, 6000);
    grid_start(&g, 7, 0, 0);
    assert_int_equal(g.due_ms, 0);
}

static void reads_slow_devices_at_the_start(void **state)
{
    struct grid g;
    int64_t late = -1;

    (void)state;
    grid_start(&g, 3600000, 0, 3600000 - SCHEDULE_FIRST_WITHIN_MS);
    assert_int_equal(g.due_ms, 3600000);
    grid_start(&g, 3600000, 0, 5400123);
    assert_int_equal(g.due_ms, 5400123);
    assert_int_equal(grid_take(&g, 5400130, &late), 0);
    assert_int_equal(late, 7);
    assert_int_equal(g.due_ms, 7200000);
}

static void lateness_does_not_shift_the_grid(void **state)
{
    struct grid g;
    int64_t late = -1;

    (void)state;
    grid_start(&g, 1000, 0, 5000);
    assert_int_equal(grid_take(&g, 5000, &late), 0);
    assert_int_equal(late, 0);
    assert_int_equal(g.due_ms, 6000);
    assert_int_equal(grid_take(&g, 6999, &late), 0);
    assert_int_equal(late, 999);
    assert_int_equal(g.due_ms, 7000);
}

static void skips_instead_of_catching_up(void **state)
{
    struct grid g;
    int64_t late = -1;

    (void)state;
    grid_start(&g, 1000, 0, 5000);
    /* 5000 and 6000 are gone, 7000 is served; 8000 is far enough away. */
    assert_int_equal(grid_take(&g, 7300, &late), 2);
    assert_int_equal(late, 300);
    assert_int_equal(g.due_ms, 8000);
    /* 8000 is gone, 9000 is served, 10000 would follow too closely. */
    assert_int_equal(grid_take(&g, 9950, &late), 2);
    assert_int_equal(late, 950);
    assert_int_equal(g.due_ms, 11000);
    /* Exactly on an instant, one period late. */
    assert_int_equal(grid_take(&g, 12000, &late), 1);
    assert_int_equal(late, 0);
    assert_int_equal(g.due_ms, 13000);
}

static void resumes_after_now(void **state)
{
    struct grid g;

    (void)state;
    grid_start(&g, 1000, 0, 5000);
    grid_resume(&g, 8999);
    assert_int_equal(g.due_ms, 9000);
    grid_resume(&g, 9000);
    assert_int_equal(g.due_ms, 10000);
}

static void an_offset_moves_the_instants(void **state)
{
    struct grid g;
    int64_t late = -1;

    (void)state;
    grid_start(&g, 1000, 250, 100); /* the first one there is, before which the clock began */
    assert_int_equal(g.due_ms, 250);
    grid_start(&g, 1000, 250, 5000);
    assert_int_equal(g.due_ms, 5250);
    grid_start(&g, 1000, 250, 5250);
    assert_int_equal(g.due_ms, 5250);
    grid_start(&g, 1000, 250, 5251);
    assert_int_equal(g.due_ms, 6250);
    assert_int_equal(grid_take(&g, 6300, &late), 0);
    assert_int_equal(late, 50);
    assert_int_equal(g.due_ms, 7250);
    /* 7250 is gone, 8250 is served, 9250 would follow too closely. */
    assert_int_equal(grid_take(&g, 9100, &late), 2);
    assert_int_equal(late, 850);
    grid_resume(&g, 9250);
    assert_int_equal(g.due_ms, 10250);
    grid_start(&g, 3600000, 1800000, 5400123); /* within the hour, but not soon */
    assert_int_equal(g.due_ms, 5400123);
}

/* Devices of one period share all instants when their offsets are the same, and none when they are not, whenever each of them
 * began. */
static void property_who_shares_instants(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rg_random r;
        struct grid a, b;
        int64_t late;

        random_seed(&r, seed);
        const int64_t period = 2 + (int64_t)random_below(&r, 5000);
        const int64_t offset = (int64_t)random_below(&r, (uint64_t)period);
        const bool same = random_below(&r, 2) == 0;
        const int64_t apart = same ? 0 : 1 + (int64_t)random_below(&r, (uint64_t)period - 1);
        const int64_t other = (offset + apart) % period;

        grid_start(&a, period, offset, (int64_t)random_below(&r, 100000));
        grid_start(&b, period, other, (int64_t)random_below(&r, 100000));
        while (a.due_ms < b.due_ms)
            (void)grid_take(&a, a.due_ms, &late);
        for (int i = 0; i < 50; i++) {
            while (b.due_ms < a.due_ms)
                (void)grid_take(&b, b.due_ms, &late);
            if ((a.due_ms == b.due_ms) != same || b.due_ms - a.due_ms >= period)
                fail_msg("seed %llu: period %lld, offsets %lld and %lld", (unsigned long long)seed,
                         (long long)period, (long long)offset, (long long)other);
            (void)grid_take(&a, a.due_ms, &late);
        }
    }
}

/* However an offset changes, and whenever: from then on polls are at the new instants, never closer than half a period,
 * never as far apart as two, and none is counted as skipped. */
static void property_a_shift_keeps_the_distance(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rg_random r;
        struct grid g;
        int64_t late;

        random_seed(&r, seed);
        const int64_t period = 2 + (int64_t)random_below(&r, 5000);
        int64_t offset = (int64_t)random_below(&r, (uint64_t)period);
        grid_start(&g, period, offset, (int64_t)random_below(&r, 100000));
        int64_t begun = g.due_ms;
        (void)grid_take(&g, begun, &late);
        for (int i = 0; i < 50; i++) {
            int64_t now = begun;

            if (random_below(&r, 3) == 0) {
                offset = (int64_t)random_below(&r, (uint64_t)period);
                now = begun + (int64_t)random_below(&r, (uint64_t)(g.due_ms - begun) + 1);
                grid_shift(&g, offset, begun, now);
            }
            const int64_t gap = g.due_ms - begun, next = g.due_ms > now ? g.due_ms : now;
            if ((g.due_ms - offset) % period != 0 || gap < period / 2 || gap >= period * 2 ||
                g.due_ms + period - next < period / 2)
                fail_msg("seed %llu, poll %d: %lld after the last", (unsigned long long)seed, i,
                         (long long)gap);
            begun = next + (next > g.due_ms ? 0 : (int64_t)random_below(&r, (uint64_t)period / 2 + 1));
            if (grid_take(&g, begun, &late) != 0)
                fail_msg("seed %llu, poll %d: skipped", (unsigned long long)seed, i);
        }
    }
}

/* While it was down its instants passed: it is not a long row of skipped ones that a shift finds. */
static void a_shift_does_not_look_back(void **state)
{
    struct grid g;
    int64_t late;

    (void)state;
    grid_start(&g, 1000, 0, 5000);
    (void)grid_take(&g, 5000, &late);
    grid_resume(&g, 60400);
    grid_shift(&g, 300, 5000, 60400);
    assert_int_equal(g.due_ms, 60300);
    assert_int_equal(grid_take(&g, 60400, &late), 0);
    assert_int_equal(late, 100);
    assert_int_equal(g.due_ms, 61300);
}

/* Whatever the delays: every instant is served or skipped exactly once, and polls after a skip keep their
 * distance. */
static void property_every_instant_is_accounted_for(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rg_random r;
        struct grid g;

        random_seed(&r, seed);
        int64_t period = 1 + (int64_t)random_below(&r, 5000);
        int64_t offset = (int64_t)random_below(&r, (uint64_t)period);
        int64_t now = (int64_t)random_below(&r, 100000);
        grid_start(&g, period, offset, now);
        int64_t first = g.due_ms;
        uint64_t accounted = 0;
        for (int i = 0; i < 200; i++) {
            int64_t begin = g.due_ms + (int64_t)random_below(&r, (uint64_t)period * (i % 7 == 0 ? 5 : 1));
            int64_t late = -1;
            uint64_t skipped = grid_take(&g, begin, &late);

            accounted += skipped + 1;
            if (g.due_ms <= begin || (g.due_ms - offset) % period != 0 || late < 0 || late >= period ||
                (skipped > 0 && g.due_ms - begin < period / 2) || g.due_ms - begin > period * 3 / 2 + 1 ||
                (uint64_t)((g.due_ms - first) / period) != accounted)
                fail_msg("seed %llu, poll %d", (unsigned long long)seed, i);
        }
    }
}

#define CHOOSE(now, last, ...)                                                                               \
    schedule_choose((const struct due[]){__VA_ARGS__},                                                       \
                    sizeof((const struct due[]){__VA_ARGS__}) / sizeof(struct due), now, last)

static void chooses_the_one_due_longest(void **state)
{
    struct choice c = CHOOSE(100, SCHEDULE_IDLE, {90, 0, 0, 0}, {80, 0, 0, 0}, {100, 0, 0, 0}, {80, 0, 0, 0});

    (void)state;
    assert_true(c.found);
    assert_int_equal(c.index, 1);
    c = CHOOSE(100, SCHEDULE_IDLE, {90, 1, 0, 0}, {80, 7, 0, 0}, {100, 0, 0, 0}, {80, 6, 0, 0});
    assert_int_equal(c.index, 3);
    c = CHOOSE(79, SCHEDULE_IDLE, {90, 0, 0, 0}, {80, 0, 0, 0}, {SCHEDULE_NEVER, 0, 0, 0});
    assert_false(c.found);
    assert_int_equal(c.wake_ms, 80);
    c = schedule_choose(NULL, 0, 5, SCHEDULE_IDLE);
    assert_false(c.found);
    assert_true(c.wake_ms == SCHEDULE_NEVER);
}

static void doubtful_ones_wait_but_not_for_ever(void **state)
{
    struct choice c = CHOOSE(100, SCHEDULE_IDLE, {10, 0, 5000, 0}, {100, 0, 0, 0});

    (void)state;
    assert_int_equal(c.index, 1);
    c = CHOOSE(99, SCHEDULE_IDLE, {10, 0, 5000, 0}, {9, 0, 60000, 0}, {100, 0, 0, 0});
    assert_true(c.found);
    assert_int_equal(c.index, 1);
    /* Out of patience: first, but not after a time-out, and of several the one due longest. */
    c = CHOOSE(5010, SCHEDULE_IDLE, {10, 0, 5000, 0}, {100, 0, 0, 0});
    assert_int_equal(c.index, 1);
    c = CHOOSE(5011, SCHEDULE_IDLE, {10, 0, 5000, 0}, {100, 0, 0, 0});
    assert_int_equal(c.index, 0);
    c = CHOOSE(5011, SCHEDULE_UNANSWERED, {10, 0, 5000, 0}, {100, 0, 0, 0});
    assert_int_equal(c.index, 1);
    c = CHOOSE(9000, SCHEDULE_IDLE, {10, 0, 5000, 0}, {5, 0, 60000, 0}, {9, 0, 5000, 0}, {100, 0, 0, 0});
    assert_int_equal(c.index, 2);
    /* With nobody else due, a time-out may follow a time-out. */
    c = CHOOSE(100, SCHEDULE_UNANSWERED, {10, 0, 5000, 0}, {200, 0, 0, 0});
    assert_int_equal(c.index, 0);
}

/* One that may cost a time-out of 50 begins it where that hurts least. */
static void a_time_out_begins_behind_a_poll(void **state)
{
    struct choice c = CHOOSE(100, SCHEDULE_IDLE, {10, 0, 5000, 50}, {140, 0, 0, 50});

    (void)state;
    assert_false(c.found);
    assert_int_equal(c.wake_ms, 140);
    c = CHOOSE(100, SCHEDULE_UNANSWERED, {10, 0, 5000, 50}, {140, 0, 0, 50});
    assert_false(c.found);
    c = CHOOSE(100, SCHEDULE_ANSWERED, {10, 0, 5000, 50}, {140, 0, 0, 50});
    assert_int_equal(c.index, 0);
    /* It is over by then; nobody else is expected to answer; or it has waited for too long. */
    c = CHOOSE(100, SCHEDULE_IDLE, {10, 0, 5000, 50}, {150, 0, 0, 50});
    assert_int_equal(c.index, 0);
    c = CHOOSE(100, SCHEDULE_IDLE, {10, 0, 5000, 50}, {140, 0, 5000, 50});
    assert_int_equal(c.index, 0);
    c = CHOOSE(5011, SCHEDULE_IDLE, {10, 0, 5000, 50}, {5040, 0, 0, 50});
    assert_int_equal(c.index, 0);
    /* Who is due goes first, as ever. */
    c = CHOOSE(100, SCHEDULE_ANSWERED, {10, 0, 5000, 50}, {100, 0, 0, 50});
    assert_int_equal(c.index, 1);
}

static void after_a_time_out_the_liveliest_goes(void **state)
{
    struct choice c =
        CHOOSE(100, SCHEDULE_UNANSWERED, {10, 5, 0, 0}, {90, 80, 0, 0}, {20, 50, 0, 0}, {5, 90, 5000, 0});

    (void)state;
    assert_int_equal(c.index, 1);
    c = CHOOSE(100, SCHEDULE_IDLE, {10, 5, 0, 0}, {90, 80, 0, 0}, {20, 50, 0, 0}, {5, 90, 5000, 0});
    assert_int_equal(c.index, 0);
    c = CHOOSE(100, SCHEDULE_UNANSWERED, {10, 0, 0, 0}, {9, 0, 0, 0});
    assert_int_equal(c.index, 0);
}

static void percentiles_by_nearest_rank(void **state)
{
    struct durations d = {.count = 0};
    int64_t p50 = -1;
    int64_t p99 = -1;

    (void)state;
    durations_percentiles(&d, &p50, &p99);
    assert_int_equal(p50, 0);
    assert_int_equal(p99, 0);
    durations_add(&d, 7);
    durations_percentiles(&d, &p50, &p99);
    assert_int_equal(p50, 7);
    assert_int_equal(p99, 7);
    d = (struct durations){.count = 0};
    for (int64_t i = 100; i > 0; i--)
        durations_add(&d, i);
    durations_percentiles(&d, &p50, &p99);
    assert_int_equal(p50, 50);
    assert_int_equal(p99, 99);
    /* The window forgets. */
    for (int64_t i = 0; i < DURATIONS_WINDOW; i++)
        durations_add(&d, 1000 + i);
    assert_int_equal(d.count, DURATIONS_WINDOW);
    durations_percentiles(&d, &p50, &p99);
    assert_int_equal(p50, 1255);
    assert_int_equal(p99, 1506);
    for (int i = 0; i < DURATIONS_WINDOW; i++)
        durations_add(&d, i % 2 == 0 ? -5 : INT64_MAX);
    durations_percentiles(&d, &p50, &p99);
    assert_int_equal(p50, 0);
    assert_int_equal(p99, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_on_the_grid),
        cmocka_unit_test(reads_slow_devices_at_the_start),
        cmocka_unit_test(lateness_does_not_shift_the_grid),
        cmocka_unit_test(skips_instead_of_catching_up),
        cmocka_unit_test(resumes_after_now),
        cmocka_unit_test(an_offset_moves_the_instants),
        cmocka_unit_test(property_who_shares_instants),
        cmocka_unit_test(property_a_shift_keeps_the_distance),
        cmocka_unit_test(a_shift_does_not_look_back),
        cmocka_unit_test(property_every_instant_is_accounted_for),
        cmocka_unit_test(chooses_the_one_due_longest),
        cmocka_unit_test(doubtful_ones_wait_but_not_for_ever),
        cmocka_unit_test(a_time_out_begins_behind_a_poll),
        cmocka_unit_test(after_a_time_out_the_liveliest_goes),
        cmocka_unit_test(percentiles_by_nearest_rank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
