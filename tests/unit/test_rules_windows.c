/* LINK rg_rules rg_test_support */
/* Rules that look back over a window: what they tell and when, with what value; before a start and over a reload. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

#define WALL 1763780000000
#define DEVICE "device d\npoint a\npoint f type=f32\nrule r points=d.a "

struct bed {
    struct support_site support;
    struct rules *rules;
    char told[1024]; /* "<s> <event> <level> <value>/<limit>", joined by "; " */
};

static struct moment at(int64_t ms)
{
    return (struct moment){ms, ms + WALL};
}

static void change_cb(void *arg, const struct alarm_change *change)
{
    struct bed *bed = arg;
    size_t length = strlen(bed->told);
    char limit[32] = "-";

    assert_int_equal(change->at.wall_ms, change->at.mono_ms + WALL);
    assert_true(change->has_value);
    if (change->has_limit)
        (void)text_format(limit, sizeof limit, "%g", change->limit);
    assert_true(text_format(bed->told + length, sizeof bed->told - length, "%s%g %s %s %.15g/%s",
                            length ? "; " : "", (double)change->at.mono_ms / 1000,
                            alarm_event_name(change->event), level_name(change->alarm->level), change->value,
                            limit));
}

static void create(struct bed *bed, const char *text)
{
    *bed = (struct bed){.told = ""};
    support_site_build(&bed->support, text);
    assert_int_equal(rules_create(&bed->support.site, 1, change_cb, bed, &bed->rules), RG_OK);
}

static void destroy(struct bed *bed)
{
    rules_destroy(bed->rules);
    support_site_free(&bed->support);
}

typedef void (*frame_fn)(struct rules *r, const struct frame *frame);

/* "<from>-<to>:<value or !>" joined by blanks: a sample of d.a each second from `from` on, before `to`; "!" is a bad one. */
static void play(struct bed *bed, const char *script, int64_t shift_s, frame_fn give)
{
    uint32_t point = support_site_point(&bed->support.site, "d.a");
    int from, to, used;
    char value[32];

    for (; sscanf(script, " %d-%d:%31s%n", &from, &to, value, &used) == 3; script += used) {
        for (int s = from; s < to; s++) {
            struct sample sample = {.point = point};
            struct frame frame = {
                .at = at((s + shift_s) * 1000), .heard = true, .count = 1, .samples = &sample};

            sample.quality = value[0] == '!' ? QUALITY_SENSOR : QUALITY_GOOD;
            sample.value = value[0] == '!' ? 0 : strtod(value, NULL);
            give(bed->rules, &frame);
        }
    }
    assert_int_equal(strspn(script, " "), strlen(script));
}

static void expect(const struct bed *bed, const char *what, const char *told)
{
    if (strcmp(bed->told, told) != 0)
        fail_msg("%s\n  told:     %s\n  expected: %s", what, bed->told, told);
}

static void tables(void **state)
{
    static const struct {
        const char *rule, *script, *told;
    } rows[] = {
        /* domain.md, vector 25: at the limit is over it. */
        {"twa=15m above=yellow:30", "0-300:60 300-1000:15",
         "900 raise yellow 30/30; 901 clear none 29.95/30"},
        {"mean=15m above=yellow:30", "0-300:60 300-900:15 900-902:14.9",
         "675 raise yellow 35/30; "
         "901 clear none 29.9498888889/30"},
        {"twa=15m above=yellow:20,red:30", "0-180:100 180-902:0",
         "180 raise yellow 20/20; 901 clear none 19.8888888889/20"},
        {"mean=10s above=blue:5 on=3s off=2s", "0-20:4 20-60:6", "28 raise blue 5.4/5"}, /* reached at 25 s */
        {"mean=10s above=blue:5 deadband=1", "0-20:6 20-60:4", "8 raise blue 6/5"},
        /* Bounds raise, at once. */
        {"sum=60s above=blue:10,red:20", "0-5:5", "1 raise blue 10/10; 3 escalate red 20/20"},
        {"max=1h below=blue:1 above=red:9", "0-3:0 3-4:9", "3 raise red 9/9"},
        {"min=1h below=blue:1 above=red:9", "0-3:10 3-4:1", "3 raise blue 1/1"},
        {"delta=1h above=blue:10 wrap=100", "0-1:90 1-2:95 2-3:5", "2 raise blue 15/10"},
        /* What is not covered is not known: it clears nothing. */
        {"max=20s above=red:9", "0-20:1 20-21:9 21-30:1 30-31:! 60-70:1 70-76:1",
         "20 raise red 9/9; 75 clear none 1/9"},
        {"mean=20s above=red:9", "0-20:9 20-30:! 30-40:0", "15 raise red 9/9"},
        {"mean=20s above=red:9", "0-20:9 20-30:! 30-46:0", "15 raise red 9/9; 45 clear none 0/9"},
        {"sum=20s above=red:9", "0-2:5 2-60:! 60-75:0", "1 raise red 10/9"},
        /* At a bad sample nothing falls, though the high ones leave the window. */
        {"mean=20s coverage=10 above=red:9", "0-20:9 20-36:!", "2 raise red 9/9"},
        {"flat=10s is=1:yellow", "0-20:7 20-21:8 21-40:7",
         "8 raise yellow 1/-; 20 clear none 0/-; 31 raise yellow 1/-"},
        {"flat=10s above=yellow:1 band=0.1", "0-20:7 20-21:7.1 21-22:7 22-23:7.2",
         "8 raise yellow 1/1; 22 clear none 0/1"},
        {"rate=60s above=orange:6 below=blue:-6", "0-100:5 100-101:8 101-102:11 102-110:11",
         "101 raise orange 6/6"},
        {"rate=60s above=orange:6 below=blue:-6", "0-100:50 100-101:44 101-240:44",
         "100 raise blue -6/-6; 160 clear none 0/-6"},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char text[512];
        struct bed bed;

        (void)text_format(text, sizeof text, DEVICE "%s", rows[i].rule);
        create(&bed, text);
        rules_start(bed.rules, at(0));
        play(&bed, rows[i].script, 0, rules_frame);
        expect(&bed, rows[i].rule, rows[i].told);
        destroy(&bed);
    }
}

/* A float's 19.9 is not the double's. */
static void floats(void **state)
{
    struct bed bed;

    (void)state;
    create(&bed, "device d\npoint a type=f32\nrule r points=d.a mean=10s above=blue:19.9");
    rules_start(bed.rules, at(0));
    for (int s = 0; s < 20; s++) {
        struct sample sample = {.value = (double)19.9f};
        struct frame frame = {.at = at(s * 1000), .heard = true, .count = 1, .samples = &sample};

        rules_frame(bed.rules, &frame);
    }
    expect(&bed, "floats", "8 raise blue 19.9/19.9");
    destroy(&bed);
}

/* With the history before it, a new run says what the old one would have said. */
static void primed(void **state)
{
    static const char rule[] = DEVICE "twa=15m above=yellow:30";
    struct bed bed;

    (void)state;
    create(&bed, rule);
    play(&bed, "0-300:60 300-600:15", -700, rules_prime);
    rules_start(bed.rules, at(0));
    expect(&bed, "history tells nothing", "");
    play(&bed, "600-720:15", -600, rules_prime); /* too late */
    play(&bed, "700-720:!", -700, rules_frame);
    play(&bed, "720-1000:15", -700, rules_frame);
    /* Up to 700 the last of the history held three seconds, then 20 were bad: 120 s less of 15 are 28 at 900. */
    expect(&bed, "not covered from 603 to 720", "");
    destroy(&bed);

    create(&bed, rule);
    play(&bed, "0-300:60 300-600:15", -600, rules_prime);
    rules_start(bed.rules, at(0));
    play(&bed, "600-1000:15", -600, rules_frame);
    expect(&bed, "no gap", "300 raise yellow 30/30; 301 clear none 29.95/30");
    destroy(&bed);

    /* What is told of the future would stop the time of the window. */
    create(&bed, rule);
    play(&bed, "0-100:1000", 500, rules_prime);
    rules_start(bed.rules, at(0));
    play(&bed, "0-900:15", 0, rules_frame);
    expect(&bed, "from after the start", "");
    destroy(&bed);
}

static void restore_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

static void reload(struct bed *bed, struct bed *next, const char *text, int64_t s)
{
    rules_tick(bed->rules, at(s * 1000));
    create(next, text);
    rules_each(bed->rules, restore_cb, next->rules);
    rules_start(next->rules, at(s * 1000));
    rules_inherit(next->rules, bed->rules);
    destroy(bed);
}

static void reloaded(void **state)
{
    static const struct {
        const char *after, *told;
    } rows[] = {
        {DEVICE "twa=15m above=yellow:30", "900 raise yellow 30/30; 901 clear none 29.95/30"},
        /* The limit is another one, the window the same. */
        {DEVICE "twa=15m above=yellow:29.95 deadband=0.01",
         "897 raise yellow 29.95/29.95; 902 clear none 29.9/29.95"},
        /* Another coverage, another poll period, a place elsewhere in the site. */
        {"device e\npoint x\ndevice d unit=1 poll=2s\npoint b\npoint a holding=0\nrule q points=*.* max=1s "
         "above=red:1e9\n"
         "rule r points=d.* twa=15m coverage=100 above=yellow:30",
         "900 raise yellow 30/30; 901 clear none 29.95/30"},
        {DEVICE "twa=16m above=yellow:30", ""},
        {DEVICE "mean=15m above=yellow:30", ""},
        {"device d unit=9\npoint a holding=0\nrule r points=d.a twa=15m above=yellow:30", ""},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct bed bed, next;

        create(&bed, "device d unit=1\npoint a holding=0\nrule r points=d.a twa=15m above=yellow:30");
        rules_start(bed.rules, at(0));
        play(&bed, "0-300:60 300-600:15", 0, rules_frame);
        reload(&bed, &next, rows[i].after, 600);
        play(&next, "600-1000:15", 0, rules_frame);
        expect(&next, rows[i].after, rows[i].told);
        destroy(&next);
    }
}

static void history_needed(void **state)
{
    struct support_site s;
    int64_t ms[4] = {77, 77, 77, 77};

    (void)state;
    support_site_build(&s,
                       "device d poll=1s\npoint a\ndevice e poll=10s\npoint a\npoint b\ndevice f\npoint a\n"
                       "device g poll=2s\npoint x\n"
                       "rule v points=*.* above=red:1\nrule m points=*.a mean=15m above=red:1\n"
                       "rule n points=e.b max=30d above=red:1");
    rules_history_ms(&s.site, ms);
    assert_int_equal(ms[0], 903000);
    assert_int_equal(ms[1], 30 * INT64_C(86400000) + 30000);
    assert_int_equal(ms[2], 903000);
    assert_int_equal(ms[3], 0);
    s.site.rule_count = 1;
    s.site.points[4].doubt = &(const struct site_doubt){.level = LEVEL_BLUE, .flat_ms = 60000};
    rules_history_ms(&s.site, ms);
    assert_true(ms[0] == 0 && ms[1] == 0 && ms[2] == 0);
    assert_int_equal(ms[3], 66000);
    support_site_free(&s);
}

/* Derived points are as slow as the slowest that they are worked out from; towers of them are no work. */
static void derived_points(void **state)
{
    enum { HIGH = 8, WIDE = 64 };
    static struct site_operand operands[HIGH][WIDE];
    static struct site_derived derived[HIGH];
    char text[1024] = "device d poll=1s\npoint a\ndevice e poll=30s\npoint a\ndevice f poll=7s\n";
    struct support_site s;
    int64_t ms[3];

    (void)state;
    for (int i = 0; i < HIGH; i++)
        (void)text_format(text + strlen(text), sizeof text - strlen(text), "point p%d\n", i);
    (void)text_format(text + strlen(text), sizeof text - strlen(text),
                      "rule r points=f.* max=10m above=red:1");
    support_site_build(&s, text);
    s.site.devices[2].derived = true;
    for (uint32_t i = 0; i < HIGH; i++) {
        for (uint32_t k = 0; k < WIDE; k++)
            operands[i][k] = (struct site_operand){.point = i > 0 ? i + 1 : k % 2, .times = 1};
        derived[i] =
            (struct site_derived){.kind = DERIVE_SUM, .operands = operands[i], .operand_count = WIDE};
        s.site.points[i + 2].derived = &derived[i];
        s.site.points[i + 2].space = SPACE_DERIVED;
    }
    rules_history_ms(&s.site, ms);
    assert_int_equal(ms[2], 600000 + 90000);
    /* Ten minutes of half-minutes: 26 cells of three quarters of one, and three to spare. */
    assert_in_range(rules_memory(&s.site), HIGH * 29 * 32, 900000);
    support_site_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),   cmocka_unit_test(floats),         cmocka_unit_test(primed),
        cmocka_unit_test(reloaded), cmocka_unit_test(history_needed), cmocka_unit_test(derived_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
