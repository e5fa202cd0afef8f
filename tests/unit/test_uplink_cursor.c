/* LINK rg_uplink rg_base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/random.h"
#include "uplink/cursor.h"

static struct cursor cursor_of(int64_t acked, size_t count, const struct seq_range *ranges)
{
    struct cursor c = {.acked = acked, .range_count = count};

    memcpy(c.ranges, ranges, count * sizeof(ranges[0]));
    return c;
}

static void expect(const struct cursor *c, int64_t acked, size_t count, const struct seq_range *ranges)
{
    assert_int_equal(c->acked, acked);
    assert_int_equal(c->range_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(c->ranges[i].first, ranges[i].first);
        assert_int_equal(c->ranges[i].last, ranges[i].last);
    }
}

#define R(...) ((const struct seq_range[]){__VA_ARGS__})

static void acks_in_order_move_one_number(void **state)
{
    struct cursor c = {0};

    (void)state;
    cursor_done(&c, 1, 10);
    cursor_done(&c, 11, 11);
    cursor_done(&c, 12, 30);
    cursor_done(&c, 5, 20); /* again */
    cursor_done(&c, 31, 30);
    expect(&c, 30, 0, NULL);
}

static void acks_out_of_order_leave_a_range(void **state)
{
    struct cursor c = {0};

    (void)state;
    cursor_done(&c, 11, 20);
    expect(&c, 20, 1, R({1, 10}));
    cursor_done(&c, 4, 6);
    expect(&c, 20, 2, R({1, 3}, {7, 10}));
    cursor_done(&c, 1, 1);
    cursor_done(&c, 10, 10);
    expect(&c, 20, 2, R({2, 3}, {7, 9}));
    cursor_done(&c, 3, 8);
    expect(&c, 20, 2, R({2, 2}, {9, 9}));
    cursor_done(&c, 1, 20);
    expect(&c, 20, 0, NULL);
}

static void deferred_stretches_join(void **state)
{
    struct cursor c = cursor_of(10, 1, R({3, 10}));

    (void)state;
    cursor_defer(&c, 50);
    expect(&c, 50, 1, R({3, 50}));
    cursor_done(&c, 51, 60);
    cursor_defer(&c, 70);
    expect(&c, 70, 2, R({3, 50}, {61, 70}));
    cursor_defer(&c, 40);
    expect(&c, 70, 2, R({3, 50}, {61, 70}));
    assert_int_equal(cursor_pending(&c, 75), 48 + 10 + 5);
    assert_int_equal(cursor_pending(&c, 7), 58);
}

static void owed_is_found_from_anywhere(void **state)
{
    const struct cursor c = cursor_of(100, 2, R({10, 20}, {50, 60}));
    struct seq_range r;

    (void)state;
    assert_true(cursor_owed(&c, 0, &r) && r.first == 10 && r.last == 20);
    assert_true(cursor_owed(&c, 20, &r) && r.first == 20 && r.last == 20);
    assert_true(cursor_owed(&c, 21, &r) && r.first == 50 && r.last == 60);
    assert_true(cursor_owed(&c, 55, &r) && r.first == 55 && r.last == 60);
    assert_false(cursor_owed(&c, 61, &r));
}

/* The list is full: the two nearest are merged, and what lies between is owed once more. */
static void a_full_list_owes_more_not_less(void **state)
{
    struct cursor c = {0};

    (void)state;
    cursor_defer(&c, 20000);
    for (int64_t i = 0; i < CURSOR_RANGES - 1; i++)
        cursor_done(&c, 200 * (i + 1), 200 * (i + 1) + 50 + i);
    assert_int_equal(c.range_count, CURSOR_RANGES);
    assert_int_equal(c.ranges[0].last, 199);
    cursor_done(&c, 19000, 19049); /* 50 long: the smallest gap of all, so it stays owed */
    assert_int_equal(c.range_count, CURSOR_RANGES);
    assert_int_equal(c.ranges[CURSOR_RANGES - 1].last, 20000);
    cursor_done(&c, 19000, 19099); /* longer than the first gap (51), which is given up for it */
    assert_int_equal(c.range_count, CURSOR_RANGES);
    assert_int_equal(c.ranges[0].first, 1);
    assert_int_equal(c.ranges[0].last, 399);
    assert_int_equal(c.ranges[CURSOR_RANGES - 1].first, 19100);
}

static void repair_makes_sense_of_anything(void **state)
{
    struct cursor c = cursor_of(100, 4, R({60, 90}, {-5, 3}, {80, 200}, {50, 40}));

    (void)state;
    cursor_repair(&c, 1000);
    expect(&c, 100, 2, R({1, 3}, {60, 100}));
    cursor_repair(&c, 70); /* the store is older than the cursor: nothing new may count as done */
    expect(&c, 70, 2, R({1, 3}, {60, 70}));
    c.range_count = 100000;
    c.acked = -1;
    cursor_repair(&c, -1);
    expect(&c, 0, 0, NULL);
}

static void extremes_do_not_overflow(void **state)
{
    struct cursor c = cursor_of(10, 1, R({3, 10}));

    (void)state;
    cursor_done(&c, INT64_MIN, 4);
    expect(&c, 10, 1, R({5, 10}));
    cursor_done(&c, 7, INT64_MAX);
    assert_int_equal(c.range_count, 1);
    assert_int_equal(c.ranges[0].last, 6);
}

static void what_is_asked_for_is_owed_again(void **state)
{
    struct cursor c = cursor_of(100, 1, R({40, 50}));

    (void)state;
    cursor_owe(&c, 10, 20);
    cursor_owe(&c, 60, 60);
    expect(&c, 100, 3, R({10, 20}, {40, 50}, {60, 60}));
    cursor_owe(&c, 15, 45);
    expect(&c, 100, 2, R({10, 50}, {60, 60}));
    cursor_owe(&c, 51, 59); /* touches both */
    expect(&c, 100, 1, R({10, 60}));
    cursor_owe(&c, 20, 30);
    cursor_owe(&c, 5, 4);
    cursor_owe(&c, 101, 200); /* owed as it is */
    expect(&c, 100, 1, R({10, 60}));
    cursor_owe(&c, -5, INT64_MAX);
    expect(&c, 100, 1, R({1, 100}));
    assert_true(cursor_owes(&c, 1) && cursor_owes(&c, 100) && cursor_owes(&c, 101));
    cursor_done(&c, 3, 3);
    assert_true(cursor_owes(&c, 2) && !cursor_owes(&c, 3) && cursor_owes(&c, 4));
}

/* ---- against a bitmap ---- */

#define WORLD 3000

struct model {
    bool done[WORLD + 2];
};

static void check_form(const struct cursor *c, uint64_t seed)
{
    for (size_t i = 0; i < c->range_count; i++) {
        const struct seq_range r = c->ranges[i];

        if (r.first < 1 || r.last < r.first || r.last > c->acked ||
            (i > 0 && r.first <= c->ranges[i - 1].last + 1))
            fail_msg("seed %llu: range %zu is malformed", (unsigned long long)seed, i);
    }
    if (c->range_count > CURSOR_RANGES)
        fail_msg("seed %llu: too many ranges", (unsigned long long)seed);
}

static bool owes(const struct cursor *c, int64_t seq)
{
    if (seq > c->acked)
        return true;
    for (size_t i = 0; i < c->range_count; i++)
        if (seq >= c->ranges[i].first && seq <= c->ranges[i].last)
            return true;
    return false;
}

/* Never done when the model says it is not; exactly the model as long as the list was never full. */
static void check_model(const struct cursor *c, const struct model *m, bool exact, uint64_t seed)
{
    int64_t pending = 0;

    for (int64_t seq = 1; seq <= WORLD; seq++) {
        const bool owed = owes(c, seq);

        pending += owed;
        if (!m->done[seq] && !owed)
            fail_msg("seed %llu: %lld was skipped", (unsigned long long)seed, (long long)seq);
        if (exact && m->done[seq] && owed)
            fail_msg("seed %llu: %lld is owed again for no reason", (unsigned long long)seed, (long long)seq);
    }
    if (pending != cursor_pending(c, WORLD))
        fail_msg("seed %llu: pending is wrong", (unsigned long long)seed);
}

static void run_seed(uint64_t seed, int64_t longest, unsigned steps)
{
    static struct model m;
    struct cursor c = {0};
    struct rg_random random;
    bool exact = true;

    memset(&m, 0, sizeof(m));
    random_seed(&random, seed);
    for (unsigned i = 0; i < steps; i++) {
        const int64_t first = 1 + (int64_t)random_below(&random, WORLD);
        int64_t last = first + (int64_t)random_below(&random, (uint64_t)longest);

        if (last > WORLD)
            last = WORLD;
        if (random_below(&random, 20) == 0) {
            cursor_defer(&c, first);
        } else if (random_below(&random, 10) == 0) {
            cursor_owe(&c, first, last);
            for (int64_t seq = first; seq <= last; seq++)
                m.done[seq] = false;
        } else {
            cursor_done(&c, first, last);
            for (int64_t seq = first; seq <= last; seq++)
                m.done[seq] = true;
        }
        exact = exact && c.range_count < CURSOR_RANGES;
        check_form(&c, seed);
    }
    check_model(&c, &m, exact, seed);
    if (longest < 10 && exact)
        fail_msg("seed %llu: the bound was never met", (unsigned long long)seed);
    cursor_done(&c, 1, WORLD);
    assert_int_equal(cursor_pending(&c, WORLD), 0);
}

static void any_order_against_a_bitmap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        run_seed(seed, 300, 60); /* long ones: few ranges, exact */
        run_seed(seed, 5, 600);  /* many short ones: the list overflows all the time */
        run_seed(seed, 40, 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acks_in_order_move_one_number),   cmocka_unit_test(acks_out_of_order_leave_a_range),
        cmocka_unit_test(deferred_stretches_join),         cmocka_unit_test(owed_is_found_from_anywhere),
        cmocka_unit_test(a_full_list_owes_more_not_less),  cmocka_unit_test(repair_makes_sense_of_anything),
        cmocka_unit_test(what_is_asked_for_is_owed_again), cmocka_unit_test(extremes_do_not_overflow),
        cmocka_unit_test(any_order_against_a_bitmap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
