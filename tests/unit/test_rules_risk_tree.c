/* LINK rg_rules */
/* The risk tree by itself: the steps of aggregation, and the tree against counting anew. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/random.h"
#include "rules/risk.h"

#define AREAS 12
#define ALARMS 60
#define RULES 5

/* ---- counting as a person does: exchange while there is enough to exchange ---- */

static enum level exchange(const uint32_t active[LEVEL_COUNT])
{
    static const struct {
        enum level level;
        uint32_t need;
    } steps[] = {{LEVEL_BLUE, 4}, {LEVEL_YELLOW, 3}, {LEVEL_ORANGE, 2}};
    uint32_t purse[LEVEL_COUNT];
    enum level best = LEVEL_NONE;

    memcpy(purse, active, sizeof purse);
    for (size_t i = 0; i < RG_COUNT(steps); i++) {
        while (purse[steps[i].level] >= steps[i].need) {
            purse[steps[i].level] -= steps[i].need;
            purse[steps[i].level + 1]++;
        }
    }
    for (enum level level = LEVEL_BLUE; level <= LEVEL_RED; level++) {
        if (purse[level] > 0)
            best = level;
    }
    return best;
}

/* GB 39496-2020 5.5.4: domain vector 27, and the ends of each step. */
static void one_kind(void **state)
{
    static const struct {
        uint32_t blue, yellow, orange, red;
        enum level want;
    } rows[] = {
        {0, 0, 0, 0, LEVEL_NONE},    {1, 0, 0, 0, LEVEL_BLUE},
        {3, 0, 0, 0, LEVEL_BLUE},    {4, 0, 0, 0, LEVEL_YELLOW},
        {7, 0, 0, 0, LEVEL_YELLOW},  {11, 0, 0, 0, LEVEL_YELLOW},
        {12, 0, 0, 0, LEVEL_ORANGE}, {23, 0, 0, 0, LEVEL_ORANGE},
        {24, 0, 0, 0, LEVEL_RED},    {0, 1, 0, 0, LEVEL_YELLOW},
        {0, 2, 0, 0, LEVEL_YELLOW},  {0, 3, 0, 0, LEVEL_ORANGE},
        {0, 5, 0, 0, LEVEL_ORANGE},  {0, 6, 0, 0, LEVEL_RED},
        {0, 0, 1, 0, LEVEL_ORANGE},  {0, 0, 2, 0, LEVEL_RED},
        {0, 0, 0, 1, LEVEL_RED},     {4, 3, 0, 0, LEVEL_ORANGE}, /* open: our reading */
        {3, 2, 0, 0, LEVEL_YELLOW},  {4, 2, 0, 0, LEVEL_ORANGE},
        {4, 2, 1, 0, LEVEL_RED},     {3, 2, 1, 0, LEVEL_ORANGE},
        {9, 9, 9, 9, LEVEL_RED},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        uint32_t active[LEVEL_COUNT] = {99, rows[i].blue, rows[i].yellow, rows[i].orange, rows[i].red};

        assert_int_equal(risk_carry(active), rows[i].want);
    }
}

static void every_small_combination(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 26 * 9 * 5 * 3; n++) {
        uint32_t active[LEVEL_COUNT] = {0, n % 26, n / 26 % 9, n / 26 / 9 % 5, n / 26 / 9 / 5};
        enum level level = risk_carry(active);

        active[LEVEL_NONE] = 0;
        assert_int_equal(level, exchange(active));
        /* One more, or one that gets worse, never makes it lower. */
        for (enum level from = LEVEL_NONE; from < LEVEL_RED; from++) {
            for (enum level to = from + 1; to <= LEVEL_RED; to++) {
                uint32_t worse[LEVEL_COUNT];

                if (from != LEVEL_NONE && active[from] == 0)
                    continue;
                memcpy(worse, active, sizeof worse);
                worse[from] -= from != LEVEL_NONE;
                worse[to]++;
                assert_true(risk_carry(worse) >= level);
            }
        }
    }
}

/* ---- a random tree, against counting anew ---- */

struct random_tree {
    struct site site;
    struct site_area areas[AREAS];
    struct site_device devices[AREAS + 1]; /* one in each area, one in none */
    struct site_point points[AREAS + 1];
    struct site_rule rules[RULES];
    uint32_t watched[AREAS + 1];
    struct {
        uint32_t area, rule;
        enum level level;
    } alarms[ALARMS];
};

static void random_tree(struct random_tree *t, struct rg_random *random)
{
    memset(t, 0, sizeof *t);
    t->site = (struct site){.areas = t->areas,
                            .area_count = AREAS,
                            .devices = t->devices,
                            .device_count = AREAS + 1,
                            .points = t->points,
                            .point_count = AREAS + 1,
                            .rules = t->rules,
                            .rule_count = RULES};
    for (uint32_t i = 0; i < AREAS; i++) {
        uint32_t parent = (uint32_t)random_below(random, i + 1);

        t->areas[i].parent = parent == i ? SITE_NONE : parent;
        t->areas[i].aggregate = random_below(random, 2) ? AGGREGATE_GB39496 : AGGREGATE_HIGHEST;
    }
    for (uint32_t i = 0; i <= AREAS; i++) {
        t->devices[i].area = i < AREAS ? i : SITE_NONE;
        t->points[i].device = i;
        t->watched[i] = i;
    }
    for (uint32_t i = 0; i < RULES; i++) {
        t->rules[i].points = t->watched;
        t->rules[i].point_count = AREAS + 1;
    }
    for (uint32_t i = 0; i < ALARMS; i++) {
        uint32_t area = (uint32_t)random_below(random, AREAS + 1);
        uint32_t rule = (uint32_t)random_below(random, RULES + 1);

        t->alarms[i].area = area == AREAS ? SITE_NONE : area;
        t->alarms[i].rule = rule == RULES ? SITE_NONE : rule;
    }
}

static bool lies_in(const struct random_tree *t, uint32_t area, uint32_t in)
{
    while (area != SITE_NONE && area != in)
        area = t->areas[area].parent;
    return area == in;
}

static enum level naive_aggregate(const struct random_tree *t, uint32_t area)
{
    uint32_t items[LEVEL_COUNT] = {0};
    enum level best = LEVEL_NONE;

    for (uint32_t rule = 0; rule < RULES; rule++) {
        uint32_t active[LEVEL_COUNT] = {0};
        enum level item;

        for (size_t k = 0; k < ALARMS; k++) {
            if (t->alarms[k].rule == rule && lies_in(t, t->alarms[k].area, area))
                active[t->alarms[k].level]++;
        }
        item = exchange(active);
        items[item]++;
        best = item > best ? item : best;
    }
    items[LEVEL_NONE] = 0;
    return exchange(items) > best ? exchange(items) : best;
}

static enum level naive_level(const struct random_tree *t, uint32_t area, size_t *count)
{
    enum level best = LEVEL_NONE;

    *count = 0;
    for (size_t k = 0; k < ALARMS; k++) {
        if (t->alarms[k].level == LEVEL_NONE || (area != SITE_NONE && !lies_in(t, t->alarms[k].area, area)))
            continue;
        ++*count;
        best = t->alarms[k].level > best ? t->alarms[k].level : best;
    }
    /* An area's own reckoning counts for all above it. */
    for (uint32_t i = 0; i < AREAS; i++) {
        if (t->areas[i].aggregate == AGGREGATE_GB39496 && (area == SITE_NONE || lies_in(t, i, area)) &&
            naive_aggregate(t, i) > best)
            best = naive_aggregate(t, i);
    }
    return best;
}

struct heard {
    enum level level[AREAS + 1]; /* [AREAS]: the whole */
    uint32_t last;
    int count;
};

static void heard_cb(void *arg, uint32_t area, enum level level, enum level was)
{
    struct heard *heard = arg;
    uint32_t i = area == SITE_NONE ? AREAS : area;

    assert_int_equal(heard->level[i], was);
    assert_int_not_equal(level, was);
    heard->level[i] = level;
    heard->last = area;
    heard->count++;
}

static void tree_is_counting_anew(void **state)
{
    struct rg_random random;
    int changes = 0;

    (void)state;
    random_seed(&random, 7);
    for (int tree = 0; tree < 40; tree++) {
        struct random_tree t;
        struct heard heard = {0};
        struct risk risk;

        random_tree(&t, &random);
        assert_int_equal(risk_create(&risk, &t.site), RG_OK);
        for (int step = 0; step < 100; step++) {
            size_t which = random_below(&random, ALARMS);
            enum level now = (enum level)random_below(&random, LEVEL_COUNT);

            /* Mostly low ones, else all is red at once. */
            now = now > LEVEL_YELLOW && random_below(&random, 4) ? LEVEL_NONE : now;
            risk_move(&risk, t.alarms[which].area, t.alarms[which].rule, t.alarms[which].level, now);
            t.alarms[which].level = now;
            risk_tell(&risk, t.alarms[which].area, heard_cb, &heard);
            for (uint32_t i = 0; i <= AREAS; i++) {
                uint32_t area = i == AREAS ? SITE_NONE : i;
                size_t count, alarms = 99;

                assert_int_equal(risk_level(&risk, area, &alarms), naive_level(&t, area, &count));
                assert_int_equal(alarms, count);
                assert_int_equal(heard.level[i], risk_level(&risk, area, NULL));
            }
        }
        changes += heard.count;
        risk_destroy(&risk);
    }
    assert_true(changes > 500);
}

static void told_once(void **state)
{
    struct site_area areas[2] = {{.parent = SITE_NONE}, {.parent = 0}};
    struct site site = {.areas = areas, .area_count = 2};
    struct heard heard = {0};
    struct risk risk;

    (void)state;
    assert_int_equal(risk_create(&risk, &site), RG_OK);
    assert_true(risk_memory(&site) > 0);
    risk_move(&risk, 1, 3, LEVEL_NONE, LEVEL_BLUE); /* a rule that watches nothing here */
    risk_tell(&risk, 1, heard_cb, &heard);
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.last, SITE_NONE);
    risk_tell(&risk, 1, heard_cb, &heard);
    risk_tell_all(&risk, heard_cb, &heard);
    assert_int_equal(heard.count, 3);
    risk_told(&risk, 0, LEVEL_RED);
    risk_told(&risk, 77, LEVEL_RED);
    heard.level[0] = LEVEL_RED;
    risk_tell_all(&risk, heard_cb, &heard);
    assert_int_equal(heard.count, 4);
    assert_int_equal(heard.level[0], LEVEL_BLUE);
    risk_move(&risk, 1, 3, LEVEL_BLUE, LEVEL_NONE);
    risk_tell(&risk, 1, NULL, NULL);
    risk_tell_all(&risk, heard_cb, &heard);
    assert_int_equal(heard.count, 4);
    risk_destroy(&risk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_kind),
        cmocka_unit_test(every_small_combination),
        cmocka_unit_test(tree_is_counting_anew),
        cmocka_unit_test(told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
