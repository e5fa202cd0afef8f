/* LINK rg_rules rg_test_support */
/* Shelving, first-out and the figures, through the engine. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

#define WALL 7000000
#define HOUR (3600 * INT64_C(1000))

static const char plant[] = "area plant\n"
                            "area hall parent=plant\n"
                            "area yard parent=plant\n"
                            "device gas area=hall offline=60s:yellow\n"
                            "point a\n"
                            "point b\n"
                            "device tank area=yard\n"
                            "point a\n"
                            "device loose\n"
                            "point a\n"
                            "device relay\n"
                            "rule high points=*.* above=blue:10,yellow:20,orange:25,red:50 off=2s\n"
                            "output siren device=relay coil=0 area=hall from=yellow fault=yellow\n"
                            "output beacon device=relay coil=1 area=plant from=orange fault=yellow\n";

struct bed {
    struct support_site s;
    struct rules *r;
    int64_t t;         /* monotonic now */
    int64_t wall;      /* added for the wall clock */
    char told[1024];   /* "5 raise yellow gw-01-1 first" of each, t in ms; "(by: comment)" */
    struct alarm last; /* as last told */
};

static struct moment now(const struct bed *b)
{
    return (struct moment){b->t, b->t + b->wall};
}

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct bed *b = arg;
    size_t length = strlen(b->told);

    b->last = *c->alarm;
    (void)snprintf(b->told + length, sizeof b->told - length, "%s%lld %s %s>%s %s%s%s", length ? "; " : "",
                   (long long)c->at.mono_ms, alarm_event_name(c->event), level_name(c->was),
                   level_name(c->alarm->level), strrchr(c->alarm->id, '-') + 1,
                   c->event == ALARM_RAISE && c->alarm->first_out ? " first" : "",
                   c->alarm->shelved ? " shelved" : "");
    length = strlen(b->told);
    if (c->by || c->comment)
        (void)snprintf(b->told + length, sizeof b->told - length, " (%s: %s)", c->by ? c->by : "-",
                       c->comment ? c->comment : "-");
}

static void told(struct bed *b, const char *wanted)
{
    assert_string_equal(b->told, wanted);
    b->told[0] = '\0';
}

static void begin(struct bed *b)
{
    *b = (struct bed){.wall = WALL};
    support_site_build(&b->s, plant);
    assert_int_equal(rules_create(&b->s.site, 1, change_cb, b, &b->r), RG_OK);
    rules_start(b->r, now(b));
}

static void end(struct bed *b)
{
    rules_destroy(b->r);
    support_site_free(&b->s);
}

static void until(struct bed *b, int64_t t)
{
    b->t = t;
    rules_tick(b->r, now(b));
}

static void give(struct bed *b, const char *point, double value)
{
    uint32_t index = support_site_point(&b->s.site, point);
    struct sample sample = {.point = index, .value = value};
    struct frame frame = {.device = b->s.site.points[index].device,
                          .at = now(b),
                          .heard = true,
                          .samples = &sample,
                          .count = 1};

    rules_frame(b->r, &frame);
}

static enum rg_err shelve(struct bed *b, int64_t for_ms)
{
    return rules_shelve(b->r, "gw-01-1", for_ms, "Li", "repair", now(b));
}

static enum level siren(const struct bed *b, uint64_t *announced)
{
    return rules_output_level(b->r, support_site_output(&b->s.site, "siren"), announced);
}

/* Levels and risk of the hall, and what the siren follows. */
static void stands(const struct bed *b, enum level level, enum level followed, uint64_t announced)
{
    uint64_t found;
    size_t alarms;

    assert_int_equal(rules_area_level(b->r, support_site_area(&b->s.site, "hall"), &alarms), level);
    assert_int_equal(alarms, level == LEVEL_NONE ? 0 : 1);
    assert_int_equal(siren(b, &found), followed);
    assert_int_equal(found, announced);
}

static struct rules_counts counts(const struct bed *b)
{
    struct rules_counts counts;

    rules_counts(b->r, &counts);
    return counts;
}

static void silences_outputs_and_nothing_else(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    b.t = 100;
    give(&b, "gas.a", 26);
    stands(&b, LEVEL_ORANGE, LEVEL_ORANGE, 1);
    b.t = 200;
    assert_int_equal(shelve(&b, 1000), RG_OK);
    told(&b, "100 raise none>orange 1 first; 200 shelve orange>orange 1 shelved (Li: repair)");
    assert_true(b.last.shelved);
    assert_int_equal(b.last.shelved_until_ms, WALL + 1200);
    stands(&b, LEVEL_ORANGE, LEVEL_NONE, 1);
    assert_int_equal(counts(&b).shelved, 1);
    assert_int_equal(counts(&b).active[LEVEL_ORANGE], 1);
    assert_int_equal(counts(&b).unacked, 1);
    assert_int_equal(rules_next_ms(b.r), 1200);
    until(&b, 1199);
    told(&b, "");
    until(&b, 5000); /* at its instant though time came late */
    told(&b, "1200 unshelve orange>orange 1");
    assert_int_equal(b.last.shelved_until_ms, 0);
    stands(&b, LEVEL_ORANGE, LEVEL_ORANGE, 2);   /* it sounds again */
    assert_int_equal(rules_next_ms(b.r), 60100); /* nothing but the silence of gas is left */
    end(&b);
}

static void ends_by_a_person(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "gas.a", 21);
    assert_int_equal(shelve(&b, HOUR), RG_OK);
    b.t = 10;
    assert_int_equal(rules_unshelve(b.r, "gw-01-1", "Wang", NULL, now(&b)), RG_OK);
    told(&b, "0 raise none>yellow 1 first; 0 shelve yellow>yellow 1 shelved (Li: repair); "
             "10 unshelve yellow>yellow 1 (Wang: -)");
    stands(&b, LEVEL_YELLOW, LEVEL_YELLOW, 2);
    assert_int_equal(rules_unshelve(b.r, "gw-01-1", "Wang", NULL, now(&b)), RG_EEXIST);
    assert_int_equal(rules_next_ms(b.r), 60000);
    end(&b);
}

static void an_escalation_ends_it_first(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "gas.a", 26);
    assert_int_equal(shelve(&b, HOUR), RG_OK);
    b.t = 10;
    give(&b, "gas.a", 21); /* its steps down do not */
    until(&b, 3000);
    stands(&b, LEVEL_YELLOW, LEVEL_NONE, 1);
    give(&b, "gas.a", 60);
    told(&b, "0 raise none>orange 1 first; 0 shelve orange>orange 1 shelved (Li: repair); "
             "2010 deescalate orange>yellow 1 shelved; 3000 unshelve yellow>yellow 1 (-: escalated); "
             "3000 escalate yellow>red 1");
    stands(&b, LEVEL_RED, LEVEL_RED, 3);
    assert_int_equal(rules_next_ms(b.r), 63000);
    end(&b);
}

static void ends_with_its_alarm(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "gas.a", 26);
    assert_int_equal(shelve(&b, 5000), RG_OK);
    give(&b, "gas.a", 0);
    until(&b, 3000);
    told(&b, "0 raise none>orange 1 first; 0 shelve orange>orange 1 shelved (Li: repair); "
             "2000 clear orange>none 1 shelved");
    stands(&b, LEVEL_NONE, LEVEL_NONE, 1);
    assert_int_equal(rules_next_ms(b.r), 60000);
    give(&b, "gas.a", 26); /* another occurrence */
    stands(&b, LEVEL_ORANGE, LEVEL_ORANGE, 2);
    assert_int_equal(counts(&b).shelved, 0);
    until(&b, 10000);
    told(&b, "3000 raise none>orange 2 first");
    end(&b);
}

static const char guarded[] = "area hall\n"
                              "device gas area=hall\n"
                              "point a\n"
                              "point fan\n"
                              "point b\n"
                              "device relay\n"
                              "rule high points=gas.a above=yellow:20,red:50 when=.fan:1\n"
                              "rule other points=gas.b above=blue:20\n"
                              "output siren device=relay coil=0 area=hall from=yellow fault=yellow\n";

/* Suppressed and shelved: neither brings the sound back while the other lasts; and who is suppressed is not in the way of a
 * first-out. */
static void shelved_and_suppressed(void **state)
{
    struct bed b = {.wall = WALL};

    (void)state;
    support_site_build(&b.s, guarded);
    assert_int_equal(rules_create(&b.s.site, 1, change_cb, &b, &b.r), RG_OK);
    rules_start(b.r, now(&b));
    give(&b, "gas.fan", 1);
    give(&b, "gas.a", 21);
    assert_int_equal(shelve(&b, 1000), RG_OK);
    b.t = 100;
    give(&b, "gas.fan", 0);
    assert_true(b.last.suppressed && b.last.shelved);
    stands(&b, LEVEL_NONE, LEVEL_NONE, 1);
    until(&b, 1000); /* off the shelf */
    assert_true(b.last.suppressed && !b.last.shelved);
    stands(&b, LEVEL_NONE, LEVEL_NONE, 1);
    give(&b, "gas.b", 21);
    assert_true(b.last.first_out);
    give(&b, "gas.b", 0);
    assert_int_equal(shelve(&b, 1000), RG_OK);
    give(&b, "gas.fan", 1);
    assert_true(!b.last.suppressed && b.last.shelved);
    stands(&b, LEVEL_YELLOW, LEVEL_NONE, 1);
    until(&b, 2000);
    stands(&b, LEVEL_YELLOW, LEVEL_YELLOW, 2);
    assert_int_equal(counts(&b).suppressed, 0);
    end(&b);
}

static void ends_in_order(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "gas.a", 11);
    give(&b, "gas.b", 11);
    give(&b, "tank.a", 11);
    assert_int_equal(rules_shelve(b.r, "gw-01-3", 5000, "Li", NULL, now(&b)), RG_OK);
    assert_int_equal(rules_shelve(b.r, "gw-01-2", 2000, "Li", NULL, now(&b)), RG_OK);
    assert_int_equal(rules_shelve(b.r, "gw-01-1", 5000, "Li", NULL, now(&b)), RG_OK);
    b.told[0] = '\0';
    b.t = 0;
    give(&b, "gas.b", 0); /* its off-delay ends with its shelving: the alarm's end comes first */
    assert_int_equal(rules_next_ms(b.r), 2000);
    until(&b, 9000);
    told(&b, "2000 clear blue>none 2 shelved; 5000 unshelve blue>blue 1; 5000 unshelve blue>blue 3");
    end(&b);
}

static void refused(void **state)
{
    struct bed b;
    char name[ALARM_WHO_MAX + 1], comment[ALARM_COMMENT_MAX + 1];

    (void)state;
    *(&b) = (struct bed){.wall = WALL};
    memset(name, 'x', sizeof name);
    name[ALARM_WHO_MAX] = '\0';
    memset(comment, 'x', sizeof comment);
    comment[ALARM_COMMENT_MAX] = '\0';
    support_site_build(&b.s, plant);
    b.s.site.shelve_max_ms = 0; /* not given: a shift */
    assert_int_equal(rules_create(&b.s.site, 1, change_cb, &b, &b.r), RG_OK);
    assert_int_equal(shelve(&b, 1000), RG_ESTATE);
    assert_int_equal(rules_unshelve(b.r, "gw-01-1", "Li", NULL, now(&b)), RG_ESTATE);
    rules_start(b.r, now(&b));
    assert_int_equal(shelve(&b, 1000), RG_ENOTFOUND);
    give(&b, "gas.a", 26);
    assert_int_equal(rules_unshelve(b.r, "gw-01-2", "Li", NULL, now(&b)), RG_ENOTFOUND);
    assert_int_equal(rules_unshelve(b.r, "gw-01-1", "Li", NULL, now(&b)), RG_EEXIST);
    assert_int_equal(shelve(&b, 0), RG_ERANGE);
    assert_int_equal(shelve(&b, -5), RG_ERANGE);
    assert_int_equal(shelve(&b, INT64_MIN), RG_ERANGE);
    assert_int_equal(shelve(&b, INT64_MAX), RG_ERANGE);
    assert_int_equal(shelve(&b, 8 * HOUR + 1), RG_ERANGE);
    assert_int_equal(rules_shelve(b.r, "gw-01-1", 1000, "", NULL, now(&b)), RG_EINVAL);
    assert_int_equal(rules_shelve(b.r, "gw-01-1", 1000, NULL, NULL, now(&b)), RG_EINVAL);
    assert_int_equal(rules_shelve(b.r, "gw-01-1", 1000, name, NULL, now(&b)), RG_EINVAL);
    assert_int_equal(rules_shelve(b.r, "gw-01-1", 1000, "Li", comment, now(&b)), RG_EINVAL);
    assert_int_equal(shelve(&b, 8 * HOUR), RG_OK);
    assert_int_equal(shelve(&b, 1000), RG_EEXIST); /* neither longer nor shorter: off the shelf first */
    assert_int_equal(rules_unshelve(b.r, "gw-01-1", "Li", comment, now(&b)), RG_EINVAL);
    assert_int_equal(b.last.shelved_until_ms, WALL + 8 * HOUR);
    until(&b, 8 * HOUR); /* its end is a deadline up to now like any other */
    assert_int_equal(rules_unshelve(b.r, "gw-01-1", "Li", NULL, now(&b)), RG_EEXIST);
    end(&b);

    support_site_build(&b.s, plant);
    b.s.site.shelve_max_ms = 1000;
    assert_int_equal(rules_create(&b.s.site, 1, change_cb, &b, &b.r), RG_OK);
    rules_start(b.r, now(&b));
    give(&b, "gas.a", 26);
    assert_int_equal(shelve(&b, 1001), RG_ERANGE);
    assert_int_equal(shelve(&b, 1000), RG_OK);
    end(&b);
}

/* A step of the clock does not shift its end, and its end's time is that of its beginning plus its length. */
static void the_clock_may_step(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "gas.a", 26);
    assert_int_equal(shelve(&b, 10000), RG_OK);
    b.told[0] = '\0';
    b.wall += HOUR;
    until(&b, 9999);
    told(&b, "");
    until(&b, 10000);
    told(&b, "10000 unshelve orange>orange 1");
    end(&b);
}

static void restored(void **state)
{
    static const struct {
        int64_t until; /* from the start, wall */
        int64_t next;  /* monotonic */
        const char *told;
    } rows[] = {
        {5000, 106000, ""},
        {1, 101001, ""},
        {0, INT64_MAX, "101000 unshelve orange>orange 9"},
        {-HOUR, INT64_MAX, "101000 unshelve orange>orange 9"},
        {8 * HOUR, 101000 + 8 * HOUR, ""},
        {50 * HOUR, 101000 + 8 * HOUR, ""}, /* the clock went back, or the longest is shorter now */
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct alarm alarm = {.id = "gw-01-9",
                              .rule = "high",
                              .point = "tank.a",
                              .level = LEVEL_ORANGE,
                              .shelved = true,
                              .first_out = true,
                              .raised_ms = 1};
        struct bed b = {.wall = WALL, .t = 101000};

        support_site_build(&b.s, plant);
        b.s.site.devices[0].offline_level = LEVEL_NONE;
        assert_int_equal(rules_create(&b.s.site, 1, change_cb, &b, &b.r), RG_OK);
        alarm.shelved_until_ms = now(&b).wall_ms + rows[i].until;
        assert_int_equal(rules_restore(b.r, &alarm), RG_OK);
        rules_start(b.r, now(&b));
        told(&b, rows[i].told);
        assert_int_equal(rules_next_ms(b.r), rows[i].next);
        assert_int_equal(counts(&b).shelved, rows[i].next == INT64_MAX ? 0 : 1);
        assert_int_equal(rules_level(b.r), LEVEL_ORANGE);
        if (rows[i].next != INT64_MAX) {
            until(&b, rows[i].next);
            assert_true(strstr(b.told, " unshelve orange>orange 9") != NULL);
            assert_true(b.last.first_out);
        }
        end(&b);
    }
}

/* Several, of which one is not configured any more and one ended meanwhile. */
static void restored_together(void **state)
{
    static const char *const points[] = {"tank.a", "gone.a", "gas.a", "gas.b"};
    struct bed b = {.wall = WALL, .t = 1000};

    (void)state;
    support_site_build(&b.s, plant);
    assert_int_equal(rules_create(&b.s.site, 1, change_cb, &b, &b.r), RG_OK);
    for (int i = 0; i < 4; i++) {
        struct alarm alarm = {.rule = "high", .level = LEVEL_ORANGE, .shelved = true, .raised_ms = i + 1};

        (void)text_format(alarm.id, sizeof alarm.id, "gw-01-%d", i + 1);
        (void)text_copy(alarm.point, sizeof alarm.point, points[i]);
        alarm.shelved_until_ms = now(&b).wall_ms + (i == 2 ? -5 : 2000 - i);
        assert_int_equal(rules_restore(b.r, &alarm), RG_OK);
    }
    rules_start(b.r, now(&b));
    told(&b, "1000 clear orange>none 2 shelved (-: no longer configured); 1000 unshelve orange>orange 3");
    until(&b, 4000);
    told(&b, "2997 unshelve orange>orange 4; 3000 unshelve orange>orange 1");
    end(&b);
}

static void restore_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

static struct rules *reload(struct bed *b)
{
    struct rules *old = b->r;

    assert_int_equal(rules_create(&b->s.site, rules_next_alarm(old), change_cb, b, &b->r), RG_OK);
    rules_each(old, restore_cb, b->r);
    rules_start(b->r, now(b));
    rules_inherit(b->r, old);
    return old;
}

static void goes_on_over_a_reload(void **state)
{
    struct figures_report figures;
    const char *rule, *point;
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "gas.a", 26);
    assert_int_equal(shelve(&b, HOUR), RG_OK);
    b.told[0] = '\0';
    b.t = 1000;
    b.wall -= HOUR / 2; /* somebody set the clock: by the time of day it would end too late */
    rules_destroy(reload(&b));
    assert_int_equal(rules_next_ms(b.r), 60000);
    stands(&b, LEVEL_ORANGE, LEVEL_NONE, 0);
    rules_figures(b.r, now(&b), &figures);
    assert_int_equal(figures.since_ms, WALL);
    assert_int_equal(figures.raises, 1);
    assert_int_equal(figures.top_count, 1);
    rules_owner_name(b.r, figures.top[0].owner, &rule, &point);
    assert_string_equal(rule, "high");
    assert_string_equal(point, "gas.a");
    until(&b, HOUR);
    told(&b, "60000 raise none>yellow 2; 3600000 unshelve orange>orange 1");
    end(&b);
}

static void a_shorter_longest_after_a_reload(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "tank.a", 26);
    assert_int_equal(shelve(&b, 8 * HOUR), RG_OK);
    b.told[0] = '\0';
    b.t = 1000;
    b.s.site.shelve_max_ms = 5000;
    rules_destroy(reload(&b));
    until(&b, 7000);
    told(&b, "6000 unshelve orange>orange 1");
    end(&b);
}

static void first_out(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "gas.a", 11);
    give(&b, "gas.b", 11);   /* the second of the hall */
    give(&b, "tank.a", 11);  /* the first of the yard */
    give(&b, "loose.a", 11); /* of no area */
    told(&b,
         "0 raise none>blue 1 first; 0 raise none>blue 2; 0 raise none>blue 3 first; 0 raise none>blue 4");
    give(&b, "gas.a", 26);
    assert_true(b.last.first_out); /* it stays so */
    give(&b, "gas.a", 0);
    until(&b, 3000);
    give(&b, "gas.a", 11);
    b.told[0] = '\0';
    give(&b, "gas.a", 0);
    give(&b, "gas.b", 0);
    until(&b, 6000);
    b.told[0] = '\0';
    assert_int_equal(rules_area_level(b.r, support_site_area(&b.s.site, "hall"), NULL), LEVEL_NONE);
    give(&b, "gas.b", 11); /* the yard's still stands, but not in the hall */
    told(&b, "6000 raise none>blue 6 first");
    end(&b);
}

/* An area's alarms below it count: it was not the first there. */
static void first_out_of_the_whole(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    rules_output(b.r, support_site_output(&b.s.site, "beacon"), true, now(&b)); /* of the plant */
    give(&b, "gas.a", 11);
    told(&b, "0 raise none>yellow 1 first; 0 raise none>blue 2 first");
    end(&b);
    begin(&b);
    give(&b, "gas.a", 11);
    rules_output(b.r, support_site_output(&b.s.site, "beacon"), true, now(&b));
    told(&b, "0 raise none>blue 1 first; 0 raise none>yellow 2");
    end(&b);
}

static void figures_of_the_engine(void **state)
{
    struct figures_report f;
    const char *rule, *point;
    struct bed b;

    (void)state;
    begin(&b);
    for (int i = 0; i < 4; i++) {
        until(&b, b.t + 3000);
        give(&b, "tank.a", 11);
        give(&b, "tank.a", 12); /* one occurrence */
        give(&b, "tank.a", 22); /* its escalation is no raise */
        until(&b, b.t + 3000);
        give(&b, "tank.a", 0);
    }
    until(&b, 60000); /* gas falls silent */
    rules_figures(b.r, now(&b), &f);
    assert_int_equal(f.raises, 5);
    assert_int_equal(f.per_10min, 5);
    assert_int_equal(f.chattering, 1);
    assert_int_equal(f.top_count, 2);
    assert_int_equal(f.top[0].raises, 4);
    rules_owner_name(b.r, f.top[0].owner, &rule, &point);
    assert_string_equal(rule, "high");
    assert_string_equal(point, "tank.a");
    rules_owner_name(b.r, f.top[1].owner, &rule, &point);
    assert_string_equal(rule, "offline");
    assert_string_equal(point, "gas");
    rules_owner_name(b.r, UINT32_MAX, &rule, &point);
    assert_string_equal(rule, "");
    end(&b);
}

static void standing(void **state)
{
    struct alarm alarm = {.level = LEVEL_BLUE, .raised_ms = 5, .raised_mono_ms = 1000};

    (void)state;
    assert_false(rules_stands(&alarm, (struct moment){24 * HOUR + 999, 48 * HOUR}));
    assert_true(rules_stands(&alarm, (struct moment){24 * HOUR + 1000, 5}));
    alarm.level = LEVEL_NONE;
    assert_false(rules_stands(&alarm, (struct moment){48 * HOUR, 48 * HOUR}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silences_outputs_and_nothing_else),
        cmocka_unit_test(ends_by_a_person),
        cmocka_unit_test(an_escalation_ends_it_first),
        cmocka_unit_test(ends_with_its_alarm),
        cmocka_unit_test(shelved_and_suppressed),
        cmocka_unit_test(ends_in_order),
        cmocka_unit_test(refused),
        cmocka_unit_test(the_clock_may_step),
        cmocka_unit_test(restored),
        cmocka_unit_test(restored_together),
        cmocka_unit_test(goes_on_over_a_reload),
        cmocka_unit_test(a_shorter_longest_after_a_reload),
        cmocka_unit_test(first_out),
        cmocka_unit_test(first_out_of_the_whole),
        cmocka_unit_test(figures_of_the_engine),
        cmocka_unit_test(standing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
