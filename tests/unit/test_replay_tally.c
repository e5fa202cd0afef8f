/* LINK rg_replay */
/* Alarms counted rule by rule: levels, minutes, chatter, and what is in one stream and not in the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "replay/tally.h"

#define T INT64_C(1763780000000)

struct row {
    int64_t at_s;
    const char *rule, *point;
    enum alarm_event event;
    enum level was, level;
    bool suppressed;
};

static void feed(struct tally *t, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct alarm alarm = {.level = rows[i].level, .suppressed = rows[i].suppressed, .raised_ms = T};
        const struct alarm_change change = {
            .event = rows[i].event, .at = {0, T + rows[i].at_s * 1000}, .was = rows[i].was, .alarm = &alarm};

        (void)text_copy(alarm.rule, sizeof alarm.rule, rows[i].rule);
        (void)text_copy(alarm.point, sizeof alarm.point, rows[i].point);
        (void)tally_change(t, &change);
    }
}

static const struct tally_rule *rule_of(const struct tally *t, const char *rule)
{
    uint32_t number = tally_find(t, rule);

    assert_int_not_equal(number, TALLY_NONE);
    return &t->rules[number];
}

static const struct row day[] = {
    {10, "high", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
    {40, "high", "d.a", ALARM_ESCALATE, LEVEL_BLUE, LEVEL_RED, false},
    {45, "high", "d.a", ALARM_ACK, LEVEL_RED, LEVEL_RED, false},
    {100, "high", "d.a", ALARM_DEESCALATE, LEVEL_RED, LEVEL_YELLOW, false},
    {120, "high", "d.b", ALARM_RAISE, LEVEL_NONE, LEVEL_YELLOW, false},
    {130, "high", "d.a", ALARM_CLEAR, LEVEL_YELLOW, LEVEL_NONE, false},
    {200, "two", "", ALARM_RAISE, LEVEL_NONE, LEVEL_ORANGE, false},
    {210, "two", "", ALARM_SUPPRESS, LEVEL_ORANGE, LEVEL_ORANGE, true},
    {250, "two", "", ALARM_UNSUPPRESS, LEVEL_ORANGE, LEVEL_ORANGE, false},
    {260, "two", "", ALARM_CLEAR, LEVEL_ORANGE, LEVEL_NONE, false},
};

static void levels_and_their_time(void **state)
{
    struct tally t;

    (void)state;
    tally_init(&t, 0, 0);
    feed(&t, day, RG_COUNT(day));
    tally_end(&t, T + 300000);
    assert_int_equal(t.error, RG_OK);
    assert_int_equal(t.changes, RG_COUNT(day));
    assert_int_equal(rule_of(&t, "high")->alarms, 2);
    assert_int_equal(rule_of(&t, "high")->raises, 2);
    assert_int_equal(rule_of(&t, "high")->by[LEVEL_RED], 1);
    assert_int_equal(rule_of(&t, "high")->by[LEVEL_YELLOW], 1);
    assert_int_equal(rule_of(&t, "high")->by[LEVEL_BLUE], 0);
    assert_int_equal(rule_of(&t, "high")->ms[LEVEL_BLUE], 30000);
    assert_int_equal(rule_of(&t, "high")->ms[LEVEL_RED], 60000);
    assert_int_equal(rule_of(&t, "high")->ms[LEVEL_YELLOW], 30000 + 180000); /* d.b stands to the end */
    assert_int_equal(rule_of(&t, "two")->ms[LEVEL_ORANGE], 20000);           /* not while suppressed */
    assert_int_equal(tally_find(&t, "none"), TALLY_NONE);
    tally_free(&t);
}

/* Only what lies within is counted; what stood before stands at the beginning. */
static void a_part_of_it(void **state)
{
    struct tally t;

    (void)state;
    tally_init(&t, T + 50000, T + 205000);
    feed(&t, day, RG_COUNT(day));
    tally_end(&t, T + 300000);
    assert_int_equal(t.changes, 4);
    assert_int_equal(rule_of(&t, "high")->alarms, 2);
    assert_int_equal(rule_of(&t, "high")->raises, 1);
    assert_int_equal(rule_of(&t, "high")->ms[LEVEL_BLUE], 0);
    assert_int_equal(rule_of(&t, "high")->ms[LEVEL_RED], 50000);
    assert_int_equal(rule_of(&t, "high")->ms[LEVEL_YELLOW], 30000 + 85000);
    assert_int_equal(rule_of(&t, "two")->ms[LEVEL_ORANGE], 5000);
    assert_false(t.alarms[0].began);
    assert_true(t.alarms[0].ended);
    assert_true(t.alarms[2].began);
    assert_false(t.alarms[2].ended);
    tally_free(&t);

    tally_init(&t, T + 150000, 0); /* d.a was over by then */
    feed(&t, day, RG_COUNT(day));
    tally_end(&t, T + 300000);
    assert_int_equal(rule_of(&t, "high")->alarms, 1);
    assert_int_equal(rule_of(&t, "high")->by[LEVEL_RED], 0);
    tally_free(&t);
}

/* Three raises of one alarm within a minute; a fourth is still the same chatter. */
static void chatter(void **state)
{
    static const int raises[] = {0, 30, 60, 70, 200, 259, 261, 262};
    struct tally t;

    (void)state;
    tally_init(&t, 0, 0);
    for (size_t i = 0; i < RG_COUNT(raises); i++) {
        const struct row rows[] = {
            {raises[i], "r", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
            {raises[i], "r", "d.a", ALARM_CLEAR, LEVEL_BLUE, LEVEL_NONE, false},
            {raises[i], "r", i % 2 ? "d.b" : "d.c", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
            {raises[i], "r", i % 2 ? "d.b" : "d.c", ALARM_CLEAR, LEVEL_BLUE, LEVEL_NONE, false}};

        feed(&t, rows, RG_COUNT(rows));
    }
    tally_end(&t, T + 300000);
    /* d.a: at 60 and, anew, at 262 (261 - 200 is over a minute); d.b (30, 70, 259, 262) and d.c (0, 60, 200, 261) never */
    assert_int_equal(rule_of(&t, "r")->chatter, 2);
    tally_free(&t);
}

struct pairs {
    const struct tally *a, *b;
    char text[512];
};

static void pair_cb(void *arg, const struct tally_alarm *a, const struct tally_alarm *b)
{
    struct pairs *p = arg;
    size_t length = strlen(p->text);

    (void)snprintf(p->text + length, sizeof p->text - length, "%s %s %lld %s, ",
                   a ? tally_rule_name(p->a, a->rule) : tally_rule_name(p->b, b->rule),
                   a ? tally_point_name(p->a, a->owner) : tally_point_name(p->b, b->owner),
                   (long long)((a ? a->from_ms : b->from_ms) - T) / 1000,
                   !a                        ? "appears"
                   : !b                      ? "disappears"
                   : b->highest > a->highest ? "higher"
                   : b->highest < a->highest ? "lower"
                                             : "same");
}

static void what_one_has_and_the_other_has_not(void **state)
{
    static const struct row before[] = {
        {0, "r", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
        {10, "r", "d.a", ALARM_CLEAR, LEVEL_BLUE, LEVEL_NONE, false},
        {20, "r", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
        {30, "r", "d.a", ALARM_CLEAR, LEVEL_BLUE, LEVEL_NONE, false},
        {40, "r", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_RED, false},
        {50, "r", "d.a", ALARM_CLEAR, LEVEL_RED, LEVEL_NONE, false},
        {40, "old", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_RED, false},
        {50, "old", "d.a", ALARM_CLEAR, LEVEL_RED, LEVEL_NONE, false},
    };
    static const struct row after[] = {
        {5, "r", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_YELLOW, false},
        {25, "r", "d.a", ALARM_CLEAR, LEVEL_YELLOW, LEVEL_NONE, false},
        {32, "r", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
        {38, "r", "d.a", ALARM_CLEAR, LEVEL_BLUE, LEVEL_NONE, false},
        {45, "r", "d.a", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
        {60, "r", "d.b", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
        {70, "new", "", ALARM_RAISE, LEVEL_NONE, LEVEL_BLUE, false},
    };
    struct tally a, b;
    struct pairs pairs = {&a, &b, ""};
    const struct tally_versus versus = {&pairs, pair_cb};

    (void)state;
    tally_init(&a, 0, 0);
    tally_init(&b, 0, 0);
    feed(&a, before, RG_COUNT(before));
    feed(&b, after, RG_COUNT(after));
    tally_end(&a, T + 100000);
    tally_end(&b, T + 100000);
    tally_compare(&a, &b, &versus);
    assert_string_equal(
        pairs.text,
        "r d.a 0 higher, r d.a 20 higher, r d.a 32 appears, r d.a 40 lower, old d.a 40 disappears, "
        "r d.b 60 appears, new  70 appears, ");
    tally_free(&a);
    tally_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_and_their_time),
        cmocka_unit_test(a_part_of_it),
        cmocka_unit_test(chatter),
        cmocka_unit_test(what_one_has_and_the_other_has_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
