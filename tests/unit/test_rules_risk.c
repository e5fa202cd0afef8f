/* LINK rg_rules rg_test_support */
/* The risk tree through the engine: levels, and that they are told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rules/rules.h"
#include "support_site.h"

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

/* ---- the levels that are told ---- */

struct log {
    const struct site *site;
    char text[1024];
};

__attribute__((format(printf, 2, 3))) static void note(struct log *log, const char *format, ...)
{
    size_t used = strlen(log->text);
    va_list args;

    va_start(args, format);
    assert_true(vsnprintf(log->text + used, sizeof log->text - used, format, args) <
                (int)(sizeof log->text - used));
    va_end(args);
}

static void log_change(void *arg, const struct alarm_change *change)
{
    note(arg, "%s %s %s @%lld\n", change->alarm->point, alarm_event_name(change->event),
         level_name(change->alarm->level), (long long)change->at.mono_ms);
}

static void log_area(void *arg, uint32_t area, enum level level, enum level was, struct moment at)
{
    struct log *log = arg;

    note(log, "  %s: %s -> %s @%lld\n", area == SITE_NONE ? "*" : log->site->areas[area].name,
         level_name(was), level_name(level), (long long)at.mono_ms);
}

static void expect_log(struct log *log, const char *want)
{
    assert_string_equal(log->text, want);
    log->text[0] = '\0';
}

static const char pond[] =
    "area mine\narea dam parent=mine aggregate=gb39496\narea crest parent=dam\n"
    "device a area=crest offline=60s:yellow\npoint p\npoint q\npoint s\npoint t\n"
    "device b area=dam offline=60s:yellow\npoint p\npoint q\n"
    "rule shift points=*.p,*.q above=blue:10,yellow:20,red:50\nrule rain points=a.s above=yellow:20 on=3s\n"
    "rule seep points=a.t above=yellow:20";

static void feed(struct rules *rules, const struct site *site, const char *point, double value, int64_t at)
{
    uint32_t index = support_site_point(site, point);
    struct sample sample = {.point = index, .value = value};
    struct frame frame = {
        .device = site->points[index].device, .at = {at, at}, .heard = true, .count = 1, .samples = &sample};

    rules_frame(rules, &frame);
}

static void levels_are_told(void **state)
{
    struct support_site s;
    struct log log = {.site = &s.site};
    struct rules *r;

    (void)state;
    support_site_build(&s, pond);
    assert_int_equal(rules_create(&s.site, 1, log_change, &log, &r), RG_OK);
    rules_on_area(r, log_area, &log);
    rules_start(r, (struct moment){0, 0});
    feed(r, &s.site, "a.p", 10, 100);
    expect_log(&log, "a.p raise blue @100\n  crest: none -> blue @100\n  dam: none -> blue @100\n"
                     "  mine: none -> blue @100\n  *: none -> blue @100\n");
    feed(r, &s.site, "a.q", 10, 200);
    feed(r, &s.site, "b.p", 10, 300);
    expect_log(&log, "a.q raise blue @200\nb.p raise blue @300\n");
    feed(r, &s.site, "b.q", 10, 400); /* the fourth: yellow, in the dam and above it, not on the crest */
    expect_log(&log, "b.q raise blue @400\n  dam: blue -> yellow @400\n  mine: blue -> yellow @400\n"
                     "  *: blue -> yellow @400\n");
    assert_int_equal(rules_area_level(r, support_site_area(&s.site, "crest"), NULL), LEVEL_BLUE);
    feed(r, &s.site, "a.s", 20, 500); /* a second yellow item */
    rules_tick(r, (struct moment){9000, 9000});
    expect_log(&log, "a.s raise yellow @3500\n  crest: blue -> yellow @3500\n");
    feed(r, &s.site, "a.t", 20, 9000); /* a third: orange */
    expect_log(&log, "a.t raise yellow @9000\n  dam: yellow -> orange @9000\n  mine: yellow -> orange @9000\n"
                     "  *: yellow -> orange @9000\n");
    rules_tick(r, (struct moment){60400, 60400}); /* b is silent: no item */
    expect_log(&log, "b raise yellow @60400\n");
    feed(r, &s.site, "a.p", 0, 61000); /* three blue again: two yellow items are left */
    expect_log(&log,
               "a.p clear none @61000\n  dam: orange -> yellow @61000\n  mine: orange -> yellow @61000\n"
               "  *: orange -> yellow @61000\n");
    rules_destroy(r);
    support_site_free(&s);
}

/* A restart is no change; what it clears is one. */
static void levels_over_a_restart(void **state)
{
    struct support_site s;
    struct log log = {.site = &s.site};
    struct rules *r;
    struct alarm stands = {
        .id = "gw-01-1", .rule = "shift", .point = "a.p", .area = "crest", .level = LEVEL_RED};
    struct alarm gone = {
        .id = "gw-01-2", .rule = "gone", .point = "b.p", .area = "dam", .level = LEVEL_YELLOW};
    struct alarm mad = {
        .id = "gw-01-3", .rule = "gone", .point = "b.p", .area = "dam", .level = (enum level)77};

    (void)state;
    support_site_build(&s, pond);
    assert_int_equal(rules_create(&s.site, 9, log_change, &log, &r), RG_OK);
    rules_on_area(r, log_area, &log);
    assert_int_equal(rules_restore(r, &gone), RG_OK);
    assert_int_equal(rules_restore(r, &mad), RG_OK);
    stands.level = LEVEL_BLUE;
    assert_int_equal(rules_restore(r, &stands), RG_OK);
    rules_start(r, (struct moment){50, 50});
    expect_log(&log, "b.p clear none @50\n  dam: yellow -> blue @50\n  mine: yellow -> blue @50\n"
                     "  *: yellow -> blue @50\nb.p clear none @50\n");
    rules_destroy(r);
    support_site_free(&s);
}

/* A new configuration: levels go on from those of the old one; a new aggregation is a change of its own. */
static void levels_over_a_reload(void **state)
{
    struct support_site before, after;
    struct log log = {.site = &before.site};
    struct rules *old, *r;

    (void)state;
    support_site_build(&before, pond);
    support_site_build(&after, pond);
    before.site.areas[support_site_area(&before.site, "dam")].aggregate = AGGREGATE_HIGHEST;
    assert_int_equal(rules_create(&before.site, 1, log_change, &log, &old), RG_OK);
    rules_on_area(old, log_area, &log);
    rules_start(old, (struct moment){0, 0});
    assert_int_equal(rules_create(&after.site, 1, log_change, &log, &r), RG_OK);
    rules_on_area(r, log_area, &log);
    for (int i = 0; i < 4; i++) {
        static const char *const points[] = {"a.p", "a.q", "b.p", "b.q"};
        struct alarm alarm = {.rule = "shift", .level = LEVEL_BLUE};

        feed(old, &before.site, points[i], 10, 100);
        (void)snprintf(alarm.id, sizeof alarm.id, "gw-01-%d", i + 1);
        (void)snprintf(alarm.point, sizeof alarm.point, "%s", points[i]);
        assert_int_equal(rules_restore(r, &alarm), RG_OK);
    }
    log.text[0] = '\0';
    rules_levels_from(r, old);
    rules_start(r, (struct moment){200, 200});
    rules_inherit(r, old);
    expect_log(&log, "  mine: blue -> yellow @200\n  dam: blue -> yellow @200\n  *: blue -> yellow @200\n");
    rules_levels_from(r, old); /* too late: nothing */
    feed(r, &after.site, "a.p", 0, 300);
    expect_log(&log, "a.p clear none @300\n  dam: yellow -> blue @300\n  mine: yellow -> blue @300\n"
                     "  *: yellow -> blue @300\n");
    rules_destroy(r);
    rules_destroy(old);
    support_site_free(&after);
    support_site_free(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_keeps_the_tree), cmocka_unit_test(restored_alarms_count),
        cmocka_unit_test(levels_are_told),       cmocka_unit_test(levels_over_a_restart),
        cmocka_unit_test(levels_over_a_reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
