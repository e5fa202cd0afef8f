/* LINK rg_rules rg_test_support */
/* The engine as its callers see it: identity, acknowledgement, lists, and restoring. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

/* ---- a bed ---- */

static const char plant[] =
    "area shop\ndevice d area=shop label=Probe offline=10s:yellow\npoint a unit=%LEL\npoint b\n"
    "device e offline=20s:red\npoint a\n"
    "rule r points=* above=blue:10,yellow:20,orange:25,red:50 message=high\n"
    "rule q points=d.* below=red:-5";

struct told {
    int count;
    enum alarm_event event;
    enum level was;
    struct moment at;
    struct alarm alarm;
    char text[256]; /* unit, label, message, by, comment; "-" for NULL */
    bool has_value, has_limit;
    struct rules *rules;
    uint64_t next; /* rules_next_alarm, asked from inside */
    struct rules_counts counts;
};

struct bed {
    struct support_site s;
    struct rules *r;
    struct told told;
};

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct told *told = arg;

    told->count++;
    told->event = c->event;
    told->was = c->was;
    told->at = c->at;
    told->alarm = *c->alarm;
    told->has_value = c->has_value;
    told->has_limit = c->has_limit;
    (void)text_format(told->text, sizeof told->text, "%s %s %s %s %s", or_dash(c->unit), or_dash(c->label),
                      or_dash(c->message), or_dash(c->by), or_dash(c->comment));
    if (told->rules) {
        told->next = rules_next_alarm(told->rules);
        rules_counts(told->rules, &told->counts);
    }
}

static void bed_make(struct bed *bed, uint64_t next)
{
    memset(bed, 0, sizeof *bed);
    support_site_build(&bed->s, plant);
    assert_int_equal(rules_create(&bed->s.site, next, change_cb, &bed->told, &bed->r), RG_OK);
    bed->told.rules = bed->r;
}

static void bed_free(struct bed *bed)
{
    rules_destroy(bed->r);
    support_site_free(&bed->s);
}

static struct moment at(int64_t t)
{
    return (struct moment){t, t + 1000000};
}

static void give(struct bed *bed, const char *point, double value, int64_t t)
{
    struct sample sample = {.point = support_site_point(&bed->s.site, point), .value = value};
    struct frame frame = {.device = bed->s.site.points[sample.point].device,
                          .at = at(t),
                          .heard = true,
                          .count = 1,
                          .samples = &sample};

    rules_frame(bed->r, &frame);
}

struct list {
    char text[1024];
};

static void list_cb(void *arg, const struct alarm *alarm)
{
    struct list *list = arg;
    size_t length = strlen(list->text);

    (void)text_format(list->text + length, sizeof list->text - length, "%s%s:%s", length ? " " : "",
                      strrchr(alarm->id, '-') + 1, level_name(alarm->level));
}

static void assert_list(const struct bed *bed, const char *want)
{
    struct list list = {""};

    rules_each(bed->r, list_cb, &list);
    assert_string_equal(list.text, want);
}

/* ---- tests ---- */

static void a_life(void **state)
{
    struct bed bed;
    const struct alarm *a = &bed.told.alarm;

    (void)state;
    bed_make(&bed, 42);
    rules_start(bed.r, at(0));
    give(&bed, "d.a", 22, 100);
    assert_int_equal(bed.told.event, ALARM_RAISE);
    assert_string_equal(a->id, "gw-01-42");
    assert_string_equal(a->rule, "r");
    assert_string_equal(a->point, "d.a");
    assert_string_equal(a->area, "shop");
    assert_int_equal(a->level, LEVEL_YELLOW);
    assert_int_equal(a->raised_ms, 1000100);
    assert_int_equal(a->cleared_ms, 0);
    assert_false(a->acked || a->shelved);
    assert_string_equal(bed.told.text, "%LEL Probe high - -");
    assert_int_equal(bed.told.next, 43);
    assert_int_equal(bed.told.counts.active[LEVEL_YELLOW], 1);
    assert_int_equal(bed.told.counts.unacked, 1);

    assert_int_equal(rules_ack(bed.r, "gw-01-42", "Li", "on my way", at(200)), RG_OK);
    assert_int_equal(bed.told.event, ALARM_ACK);
    assert_int_equal(bed.told.was, LEVEL_YELLOW);
    assert_int_equal(a->level, LEVEL_YELLOW);
    assert_int_equal(bed.told.at.wall_ms, 1000200);
    assert_true(a->acked);
    assert_int_equal(a->acked_ms, 1000200);
    assert_string_equal(a->acked_by, "Li");
    assert_string_equal(bed.told.text, "%LEL Probe high Li on my way");
    assert_false(bed.told.has_value || bed.told.has_limit);
    assert_int_equal(bed.told.counts.unacked, 0);

    give(&bed, "d.a", 60, 300);
    assert_false(a->acked);
    assert_int_equal(a->acked_ms, 0);
    assert_string_equal(a->acked_by, "");
    give(&bed, "d.a", 0, 400);
    assert_int_equal(bed.told.event, ALARM_CLEAR);
    assert_string_equal(a->id, "gw-01-42");
    assert_int_equal(a->cleared_ms, 1000400);
    assert_int_equal(a->raised_ms, 1000100);
    assert_int_equal(bed.told.counts.active[LEVEL_RED], 0); /* gone when its end is told */
    assert_list(&bed, "");
    give(&bed, "d.a", 10, 500);
    assert_string_equal(a->id, "gw-01-43");
    assert_int_equal(a->cleared_ms, 0);
    bed_free(&bed);
}

static void silence_is_an_alarm(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, 1);
    rules_start(bed.r, at(0));
    assert_int_equal(rules_next_ms(bed.r), 10000);
    rules_tick(bed.r, at(10000));
    assert_string_equal(bed.told.alarm.rule, "offline");
    assert_string_equal(bed.told.alarm.point, "d");
    assert_string_equal(bed.told.alarm.area, "shop");
    assert_string_equal(bed.told.text, "- Probe device does not answer - -");
    rules_tick(bed.r, at(20000));
    assert_string_equal(bed.told.alarm.point, "e");
    assert_string_equal(bed.told.alarm.area, "");
    assert_int_equal(bed.told.alarm.level, LEVEL_RED);
    assert_int_equal(rules_level(bed.r), LEVEL_RED);
    assert_int_equal(rules_ack(bed.r, "gw-01-2", "Li", NULL, at(20001)), RG_OK);
    assert_string_equal(bed.told.text, "- - device does not answer Li -");
    assert_int_equal(rules_next_ms(bed.r), INT64_MAX);
    rules_tick(bed.r, (struct moment){INT64_MAX, 0}); /* ends */
    bed_free(&bed);
}

static void acks_refused(void **state)
{
    char name[ALARM_WHO_MAX + 1], comment[ALARM_COMMENT_MAX + 1];
    struct bed bed;

    (void)state;
    memset(name, 'n', sizeof name);
    memset(comment, 'c', sizeof comment);
    name[ALARM_WHO_MAX] = comment[ALARM_COMMENT_MAX] = '\0';
    bed_make(&bed, 1);
    assert_int_equal(rules_ack(bed.r, "gw-01-1", "Li", NULL, at(0)), RG_ESTATE);
    rules_start(bed.r, at(0));
    give(&bed, "d.a", 10, 100);
    assert_int_equal(rules_ack(bed.r, "gw-01-2", "Li", NULL, at(200)), RG_ENOTFOUND);
    assert_int_equal(rules_ack(bed.r, "", "Li", NULL, at(200)), RG_ENOTFOUND);
    assert_int_equal(rules_ack(bed.r, "gw-01-1", "", NULL, at(200)), RG_EINVAL);
    assert_int_equal(rules_ack(bed.r, "gw-01-1", NULL, NULL, at(200)), RG_EINVAL);
    assert_int_equal(rules_ack(bed.r, "gw-01-1", name, NULL, at(200)), RG_EINVAL);
    assert_int_equal(rules_ack(bed.r, "gw-01-1", "Li", comment, at(200)), RG_EINVAL);
    assert_int_equal(bed.told.count, 1);
    name[ALARM_WHO_MAX - 1] = comment[ALARM_COMMENT_MAX - 1] = '\0';
    assert_int_equal(rules_ack(bed.r, "gw-01-1", name, comment, at(200)), RG_OK);
    assert_string_equal(bed.told.alarm.acked_by, name);
    assert_int_equal(rules_ack(bed.r, "gw-01-1", "Wang", NULL, at(300)), RG_EEXIST);
    assert_int_equal(bed.told.count, 2);
    give(&bed, "d.a", 0, 400);
    assert_int_equal(rules_ack(bed.r, "gw-01-1", "Li", NULL, at(500)), RG_ENOTFOUND);
    bed_free(&bed);
}

/* What is due before the acknowledgement comes before it. */
static void ack_after_deadlines(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, 1);
    bed.s.site.rules[0].off_delay_ms = 1000;
    rules_start(bed.r, at(0));
    give(&bed, "d.a", 10, 100);
    give(&bed, "d.a", 0, 200);
    assert_int_equal(rules_ack(bed.r, "gw-01-1", "Li", NULL, at(1200)), RG_ENOTFOUND);
    assert_int_equal(bed.told.event, ALARM_CLEAR);
    bed_free(&bed);
}

/* The loop sleeps until rules_next_ms: it must be neither late nor of a delay that is over. */
static void next_deadline(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, 1);
    rules_destroy(bed.r);
    bed.s.site.rules[0].on_delay_ms = 1000;
    bed.s.site.rules[0].off_delay_ms = 2000;
    assert_int_equal(rules_create(&bed.s.site, 1, change_cb, &bed.told, &bed.r), RG_OK);
    bed.told.rules = bed.r;
    rules_start(bed.r, at(0));
    assert_int_equal(rules_next_ms(bed.r), 10000); /* d's silence */
    give(&bed, "d.a", 10, 100);
    give(&bed, "d.b", 10, 300);
    assert_int_equal(rules_next_ms(bed.r), 1100);
    give(&bed, "d.a", 0, 400); /* broken */
    assert_int_equal(rules_next_ms(bed.r), 1300);
    rules_tick(bed.r, at(1299));
    assert_int_equal(bed.told.count, 0);
    rules_tick(bed.r, at(1300));
    assert_int_equal(bed.told.count, 1);
    assert_int_equal(rules_next_ms(bed.r), 10400);
    give(&bed, "d.b", 0, 1500);
    assert_int_equal(rules_next_ms(bed.r), 3500);
    give(&bed, "d.b", 10, 1600); /* back */
    assert_int_equal(rules_next_ms(bed.r), 11600);
    bed_free(&bed);
}

static void lists_and_counts(void **state)
{
    struct rules_counts counts;
    struct bed bed;

    (void)state;
    bed_make(&bed, 1);
    rules_start(bed.r, at(0));
    give(&bed, "d.a", 10, 100); /* 1 blue */
    give(&bed, "d.b", 50, 200); /* 2 red */
    give(&bed, "e.a", 12, 300); /* 3 blue */
    assert_list(&bed, "2:red 1:blue 3:blue");
    give(&bed, "d.a", 51, 400);
    assert_list(&bed, "1:red 2:red 3:blue");
    assert_int_equal(rules_ack(bed.r, "gw-01-2", "Li", NULL, at(500)), RG_OK);
    rules_counts(bed.r, &counts);
    assert_int_equal(counts.active[LEVEL_RED], 2);
    assert_int_equal(counts.active[LEVEL_BLUE], 1);
    assert_int_equal(counts.active[LEVEL_NONE], 0);
    assert_int_equal(counts.unacked, 2);
    give(&bed, "d.b", 0, 600); /* 2 gone: first, middle and last places of the list */
    assert_list(&bed, "1:red 3:blue");
    give(&bed, "e.a", 0, 700);
    give(&bed, "d.b", -5, 800); /* 4, rule q */
    assert_list(&bed, "1:red 4:red");
    give(&bed, "d.a", 0, 900);
    give(&bed, "d.b", 0, 1000);
    assert_list(&bed, "");
    assert_int_equal(rules_level(bed.r), LEVEL_NONE);
    assert_int_equal(rules_next_alarm(bed.r), 5);
    bed_free(&bed);
}

static struct alarm stored(const char *id, const char *rule, const char *point, enum level level,
                           int64_t raised)
{
    struct alarm alarm = {.level = level, .raised_ms = raised};

    (void)text_copy(alarm.id, sizeof alarm.id, id);
    (void)text_copy(alarm.rule, sizeof alarm.rule, rule);
    (void)text_copy(alarm.point, sizeof alarm.point, point);
    (void)text_copy(alarm.area, sizeof alarm.area, "old");
    return alarm;
}

static void restored(void **state)
{
    struct alarm alarms[] = {
        stored("gw-01-9", "r", "d.b", LEVEL_BLUE, 900),   stored("gw-01-5", "r", "d.a", LEVEL_BLUE, 500),
        stored("gw-01-7", "r", "e.a", LEVEL_BLUE, 700),   stored("gw-01-6", "q", "d.a", LEVEL_RED, 600),
        stored("gw-01-8", "r", "d.a", LEVEL_BLUE, 800),   stored("old-3", "offline", "d", LEVEL_YELLOW, 300),
        stored("gw-01-x", "gone", "d.a", LEVEL_RED, 100),
    };
    struct rules_counts counts;
    struct bed bed;

    (void)state;
    alarms[1].shelved = true;
    alarms[1].shelved_until_ms = at(1000).wall_ms;
    alarms[1].acked = true;
    alarms[1].acked_ms = 555;
    (void)text_copy(alarms[1].acked_by, sizeof alarms[1].acked_by, "Li");
    bed_make(&bed, 2);
    for (size_t i = 0; i < RG_COUNT(alarms); i++)
        assert_int_equal(rules_restore(bed.r, &alarms[i]), RG_OK);
    assert_int_equal(bed.told.count, 0);
    rules_counts(bed.r, &counts);
    assert_int_equal(counts.active[LEVEL_BLUE], 4); /* the orphans among them until the start */
    rules_start(bed.r, at(0));
    rules_start(bed.r, at(50)); /* once is enough */
    assert_int_equal(bed.told.count, 2);
    assert_string_equal(bed.told.text, "- - - - no longer configured");
    assert_string_equal(bed.told.alarm.area, "old");
    assert_list(&bed, "6:red 3:yellow 5:blue 7:blue 9:blue");
    assert_int_equal(rules_restore(bed.r, &alarms[0]), RG_ESTATE);
    rules_counts(bed.r, &counts);
    assert_int_equal(counts.shelved, 1);
    assert_int_equal(counts.unacked, 4);
    assert_int_equal(rules_ack(bed.r, "gw-01-5", "Wang", NULL, at(1)), RG_EEXIST);
    give(&bed, "d.a", 3, 100); /* ends 5 and 6, and d's silence */
    assert_list(&bed, "7:blue 9:blue");
    assert_string_equal(bed.told.alarm.id, "gw-01-6");
    assert_string_equal(bed.told.alarm.area, "shop");
    assert_int_equal(bed.told.alarm.raised_ms, 600);
    give(&bed, "d.a", 10, 200);
    assert_string_equal(bed.told.alarm.id, "gw-01-10"); /* above every number restored */
    bed_free(&bed);
}

static void restored_nonsense(void **state)
{
    struct alarm none = stored("gw-01-1", "r", "d.a", LEVEL_NONE, 1),
                 wild = stored("", "", "", (enum level)77, 1),
                 huge = stored("gw-01-99999999999999999999999", "r", "d.a", LEVEL_BLUE, 1);
    struct bed bed;

    (void)state;
    bed_make(&bed, 3);
    assert_int_equal(rules_restore(bed.r, &none), RG_OK);
    assert_int_equal(rules_restore(bed.r, &wild), RG_OK);
    assert_int_equal(rules_restore(bed.r, &huge), RG_OK);
    rules_start(bed.r, at(0));
    assert_int_equal(bed.told.count, 2);
    assert_int_equal(rules_next_alarm(bed.r), 3);
    assert_int_equal(rules_level(bed.r), LEVEL_BLUE);
    bed_free(&bed);
}

static void too_many_orphans(void **state)
{
    struct alarm alarm = stored("gw-01-1", "gone", "d.a", LEVEL_BLUE, 1);
    enum rg_err err = RG_OK;
    struct bed bed;
    int taken = 0;

    (void)state;
    bed_make(&bed, 1);
    while (err == RG_OK && taken < 100000) {
        alarm.raised_ms = (taken * 7919) % 1000;
        err = rules_restore(bed.r, &alarm);
        taken += err == RG_OK;
    }
    assert_int_equal(err, RG_EFULL);
    assert_true(taken >= 1024);
    rules_start(bed.r, at(0));
    assert_int_equal(bed.told.count, taken);
    give(&bed, "d.a", 10, 100); /* their room is free again */
    assert_int_equal(bed.told.event, ALARM_RAISE);
    bed_free(&bed);
}

static void before_the_start(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, 1);
    give(&bed, "d.a", 50, 100);
    rules_tick(bed.r, at(90000));
    assert_int_equal(bed.told.count, 0);
    assert_int_equal(rules_next_ms(bed.r), INT64_MAX);
    bed_free(&bed);
}

static void foreign_indices(void **state)
{
    struct sample samples[] = {{.point = 3, .value = 99}, {.point = UINT32_MAX, .value = 99}};
    struct frame frame = {.device = 2, .at = at(1), .heard = true, .count = 2, .samples = samples};
    struct bed bed;

    (void)state;
    bed_make(&bed, 1);
    rules_start(bed.r, at(0));
    rules_frame(bed.r, &frame);
    frame.device = UINT32_MAX;
    rules_frame(bed.r, &frame);
    assert_int_equal(bed.told.count, 0);
    bed_free(&bed);
}

static void nothing_configured(void **state)
{
    struct support_site s;
    struct rules *r = NULL;

    (void)state;
    support_site_build(&s, "");
    assert_int_equal(rules_create(&s.site, 1, change_cb, &(struct told){0}, &r), RG_OK);
    rules_start(r, at(0));
    rules_tick(r, at(1000));
    assert_int_equal(rules_next_ms(r), INT64_MAX);
    rules_destroy(r);
    rules_destroy(NULL);
    support_site_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life),           cmocka_unit_test(silence_is_an_alarm),
        cmocka_unit_test(acks_refused),     cmocka_unit_test(ack_after_deadlines),
        cmocka_unit_test(next_deadline),    cmocka_unit_test(lists_and_counts),
        cmocka_unit_test(restored),         cmocka_unit_test(restored_nonsense),
        cmocka_unit_test(too_many_orphans), cmocka_unit_test(before_the_start),
        cmocka_unit_test(foreign_indices),  cmocka_unit_test(nothing_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
