/* LINK rg_rules rg_test_support */
/* The risk tree: by itself against counting anew, and through the engine. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/random.h"
#include "rules/risk.h"
#include "rules/rules.h"
#include "support_site.h"

#define AREAS 12
#define ALARMS 60

static bool lies_in(const struct site_area *areas, uint32_t area, uint32_t in)
{
    while (area != SITE_NONE && area != in)
        area = areas[area].parent;
    return area == in;
}

static void tree_is_counting_anew(void **state)
{
    struct site_area areas[AREAS];
    struct site site = {.areas = areas, .area_count = AREAS};
    uint32_t area_of[ALARMS];
    enum level level_of[ALARMS] = {LEVEL_NONE};
    struct rg_random random;
    struct risk risk;

    (void)state;
    memset(areas, 0, sizeof areas);
    random_seed(&random, 7);
    for (uint32_t i = 0; i < AREAS; i++) {
        uint32_t parent = (uint32_t)random_below(&random, i + 1);

        areas[i].parent = parent == i ? SITE_NONE : parent;
    }
    for (uint32_t i = 0; i < ALARMS; i++) {
        uint32_t area = (uint32_t)random_below(&random, AREAS + 1);

        area_of[i] = area == AREAS ? SITE_NONE : area;
    }
    assert_int_equal(risk_create(&risk, &site), RG_OK);
    for (int step = 0; step < 5000; step++) {
        size_t which = random_below(&random, ALARMS);
        enum level now = (enum level)random_below(&random, LEVEL_COUNT);

        risk_move(&risk, area_of[which], level_of[which], now);
        level_of[which] = now;
        for (uint32_t i = 0; i <= AREAS; i++) {
            uint32_t area = i == AREAS ? SITE_NONE : i;
            enum level want = LEVEL_NONE;
            size_t count = 0, alarms = 99;

            for (size_t k = 0; k < ALARMS; k++) {
                if (level_of[k] == LEVEL_NONE || (area != SITE_NONE && !lies_in(areas, area_of[k], area)))
                    continue;
                count++;
                want = level_of[k] > want ? level_of[k] : want;
            }
            assert_int_equal(risk_level(&risk, area, &alarms), want);
            assert_int_equal(alarms, count);
        }
    }
    risk_destroy(&risk);
}

static const char plant[] =
    "area plant\narea shop parent=plant\narea booth parent=shop\narea yard parent=plant\n"
    "device d area=booth\npoint a\ndevice e area=yard offline=5s:orange\npoint a\ndevice f\npoint a\n"
    "rule r points=*.a above=blue:10,yellow:20,red:50";

struct seen {
    struct rules *rules;
    const struct site *site;
    int changes;
};

/* Who is told of a change finds the risk that goes with it. */
static void change_cb(void *arg, const struct alarm_change *change)
{
    struct seen *seen = arg;

    seen->changes++;
    if (seen->rules && change->alarm->area[0]) {
        uint32_t area = support_site_area(seen->site, change->alarm->area);

        assert_int_equal(rules_area_level(seen->rules, area, NULL), change->alarm->level);
    }
}

static void read_point(struct rules *rules, uint32_t device, double value, int64_t at)
{
    struct sample sample = {.point = device, .value = value};
    struct frame frame = {.device = device, .at = {at, at}, .heard = true, .count = 1, .samples = &sample};

    rules_frame(rules, &frame);
}

static void expect(const struct seen *seen, const char *area, enum level level, size_t alarms)
{
    size_t count = 99;

    assert_int_equal(rules_area_level(seen->rules, support_site_area(seen->site, area), &count), level);
    assert_int_equal(count, alarms);
}

static void engine_keeps_the_tree(void **state)
{
    struct support_site s;
    struct seen seen = {.site = &s.site};
    size_t count = 99;

    (void)state;
    support_site_build(&s, plant);
    assert_int_equal(rules_create(&s.site, 1, change_cb, &seen, &seen.rules), RG_OK);
    rules_start(seen.rules, (struct moment){0, 0});
    expect(&seen, "plant", LEVEL_NONE, 0);
    read_point(seen.rules, 0, 20, 100); /* booth yellow */
    expect(&seen, "booth", LEVEL_YELLOW, 1);
    expect(&seen, "shop", LEVEL_YELLOW, 1);
    expect(&seen, "plant", LEVEL_YELLOW, 1);
    expect(&seen, "yard", LEVEL_NONE, 0);
    rules_tick(seen.rules, (struct moment){5000, 5000}); /* yard orange */
    expect(&seen, "yard", LEVEL_ORANGE, 1);
    expect(&seen, "plant", LEVEL_ORANGE, 2);
    read_point(seen.rules, 2, 50, 5100); /* red, in no area */
    expect(&seen, "plant", LEVEL_ORANGE, 2);
    assert_int_equal(rules_level(seen.rules), LEVEL_RED);
    read_point(seen.rules, 2, 0, 5200);
    assert_int_equal(rules_level(seen.rules), LEVEL_ORANGE);
    read_point(seen.rules, 1, 0, 5300); /* heard: the yard is quiet */
    expect(&seen, "plant", LEVEL_YELLOW, 1);
    read_point(seen.rules, 0, 10, 5400);
    expect(&seen, "shop", LEVEL_BLUE, 1);
    read_point(seen.rules, 0, 0, 5500);
    expect(&seen, "plant", LEVEL_NONE, 0);
    assert_int_equal(rules_level(seen.rules), LEVEL_NONE);
    assert_int_equal(seen.changes, 7);
    assert_int_equal(rules_area_level(seen.rules, 77, &count), LEVEL_NONE);
    assert_int_equal(count, 0);
    count = 99;
    assert_int_equal(rules_area_level(seen.rules, SITE_NONE, &count), LEVEL_NONE);
    assert_int_equal(count, 0);
    rules_destroy(seen.rules);
    support_site_free(&s);
}

static void restored_alarms_count(void **state)
{
    struct support_site s;
    struct seen seen = {.site = &s.site};
    struct alarm alarm = {
        .id = "gw-01-1", .rule = "r", .point = "d.a", .area = "elsewhere", .level = LEVEL_RED};
    struct alarm orphan = {
        .id = "gw-01-2", .rule = "gone", .point = "e.a", .area = "yard", .level = LEVEL_RED};

    (void)state;
    support_site_build(&s, plant);
    assert_int_equal(rules_create(&s.site, 3, change_cb, &seen, &seen.rules), RG_OK);
    assert_int_equal(rules_restore(seen.rules, &alarm), RG_OK);
    assert_int_equal(rules_restore(seen.rules, &orphan), RG_OK);
    rules_start(seen.rules, (struct moment){0, 0});
    expect(&seen, "plant", LEVEL_RED, 1); /* the configured area counts, not the one it had */
    expect(&seen, "booth", LEVEL_RED, 1);
    expect(&seen, "yard", LEVEL_NONE, 0);
    assert_int_equal(seen.changes, 1);
    rules_destroy(seen.rules);
    support_site_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_is_counting_anew),
        cmocka_unit_test(engine_keeps_the_tree),
        cmocka_unit_test(restored_alarms_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
