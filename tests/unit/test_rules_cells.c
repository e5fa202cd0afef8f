/* LINK rg_rules */
/* The queue of cells: what it says against a walk over all that is in it, whatever came and went before. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "rules/cells.h"

#define CELLS 17
#define STEPS 20000

struct model {
    struct cell cells[STEPS];
    size_t first, count;
};

static void model_fold(const struct model *m, enum cells_sort sort, size_t skip, double *a, double *b)
{
    *a = sort == CELLS_SUM ? 0 : -INFINITY;
    *b = sort == CELLS_SUM ? 0 : INFINITY;
    for (size_t i = m->first + skip; i < m->count; i++) {
        *a = sort == CELLS_SUM ? *a + m->cells[i].a : fmax(*a, m->cells[i].a);
        *b = sort == CELLS_SUM ? 0 : fmin(*b, m->cells[i].b);
    }
}

static void compare(struct cells *w, const struct model *m, enum cells_sort sort)
{
    size_t count = m->count - m->first;
    int64_t covered = 0;
    double a, b, model_a, model_b;

    assert_int_equal(w->count, count);
    for (size_t i = m->first; i < m->count; i++)
        covered += m->cells[i].covered_ms;
    assert_int_equal(w->covered_ms, covered);
    for (size_t skip = 0; skip <= (count > 0 ? 1 : 0); skip++) {
        cells_fold(w, skip, &a, &b);
        model_fold(m, sort, skip, &model_a, &model_b);
        assert_true(a == model_a); /* whole numbers: no rounding */
        assert_true(sort == CELLS_SUM || b == model_b);
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(cells_at(w, i)->begin_ms, m->cells[m->first + i].begin_ms);
        assert_true(sort != CELLS_SUM || cells_at(w, i)->a == m->cells[m->first + i].a);
    }
    assert_null(cells_at(w, (uint32_t)count));
}

static void play(enum cells_sort sort, uint64_t seed)
{
    static struct model m;
    struct cell cells[CELLS];
    struct rg_random random;
    struct cells w;
    int64_t now = -1000;

    random_seed(&random, seed);
    m.first = m.count = 0;
    cells_init(&w, sort, cells, CELLS);
    compare(&w, &m, sort);
    for (int i = 0; i < STEPS / 4; i++) {
        if (random_below(&random, 3) > 0) {
            struct cell cell = {.begin_ms = now, .length_ms = (uint32_t)random_below(&random, 4)};

            cell.covered_ms = cell.length_ms / 2 & INT32_MAX;
            cell.a = (double)random_below(&random, 1000) - 500;
            cell.b = cell.a - (double)random_below(&random, 5);
            now += cell.length_ms + (int64_t)random_below(&random, 3);
            cells_push(&w, &cell);
            m.cells[m.count++] = cell;
            if (m.count - m.first > CELLS)
                m.first++;
        } else {
            int64_t edge = now - (int64_t)random_below(&random, random_below(&random, 9) ? 40 : 3);

            cells_expire(&w, edge);
            while (m.first < m.count && m.cells[m.first].begin_ms + m.cells[m.first].length_ms <= edge)
                m.first++;
        }
        compare(&w, &m, sort);
    }
}

static void against_a_walk(void **state)
{
    const char *given = getenv("RG_SEED");

    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        uint64_t taken = given ? strtoull(given, NULL, 10) : seed;

        print_message("seed %llu\n", (unsigned long long)taken);
        play(CELLS_SUM, taken);
        play(CELLS_EXTREMES, taken);
    }
}

/* 1e16 + 1 - 1e16 is 0 in doubles: what has left must not have taken anything with it. */
static void large_values_leave_nothing_behind(void **state)
{
    struct cell cells[8];
    struct cells w;
    double a, b;

    (void)state;
    cells_init(&w, CELLS_SUM, cells, 8);
    for (int i = 0; i < 1000; i++) {
        cells_push(&w, &(struct cell){.begin_ms = i,
                                      .length_ms = 1,
                                      .a = i % 100 == 0   ? 1e16
                                           : i % 100 == 1 ? INFINITY
                                                          : 1});
        cells_expire(&w, i - 4);
        if (i % 100 > 10) {
            cells_fold(&w, false, &a, &b);
            assert_true(a == 5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_walk),
        cmocka_unit_test(large_values_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
