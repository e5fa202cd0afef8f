/* LINK rg_rules rg_test_support */
/* Outputs: their faults as alarms, and what they follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/rules.h"
#include "support_site.h"

#define AREAS                                                                                                \
    "area plant\n"                                                                                           \
    "area hall parent=plant\n"                                                                               \
    "area yard parent=plant\n"
#define DEVICES                                                                                              \
    "device gas area=hall offline=10s:yellow\n"                                                              \
    "point lel\n"                                                                                            \
    "device tank area=yard\n"                                                                                \
    "point level\n"                                                                                          \
    "device relay area=yard label=Relays offline=10s:red\n" /* without points: never silent */               \
    "device second\n"
#define RULES                                                                                                \
    "rule high points=*.* above=blue:10,yellow:20,orange:25,red:50\n"                                        \
    "rule low points=tank.level below=red:2\n"
#define SIREN "output siren device=relay coil=0 area=hall from=orange fault=yellow label=Siren\n"
#define PUMP "output pump device=relay coil=1 rule=low from=red fault=red\n"
#define BEACON "output beacon device=second coil=0 area=plant from=blue fault=blue\n"
#define ALL AREAS DEVICES RULES SIREN PUMP BEACON

struct bed {
    struct support_site s;
    struct rules *r;
    struct moment now;
    char told[512]; /* "raise yellow output siren hall Siren" of each change, of outputs with label */
};

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct bed *b = arg;
    size_t length = strlen(b->told);

    (void)snprintf(b->told + length, sizeof b->told - length, "%s%s %s %s %s %s %s %s", length ? "; " : "",
                   alarm_event_name(c->event), level_name(c->alarm->level), c->alarm->rule, c->alarm->point,
                   c->alarm->area[0] ? c->alarm->area : "-", c->label ? c->label : "-",
                   c->message   ? c->message
                   : c->comment ? c->comment
                                : "-");
    assert_false(strcmp(c->alarm->rule, RULE_OUTPUT) == 0 && (c->has_value || c->has_limit));
}

static void make(struct bed *b, const char *text)
{
    *b = (struct bed){.now = {1000, 7001000}};
    support_site_build(&b->s, text);
    assert_int_equal(rules_create(&b->s.site, 1, change_cb, b, &b->r), RG_OK);
}

static void begin(struct bed *b, const char *text)
{
    make(b, text);
    rules_start(b->r, b->now);
}

static void end(struct bed *b)
{
    rules_destroy(b->r);
    support_site_free(&b->s);
}

static void pass(struct bed *b, int64_t ms)
{
    b->now.mono_ms += ms;
    b->now.wall_ms += ms;
    rules_tick(b->r, b->now);
}

static void read_point(struct bed *b, const char *point, double value)
{
    uint32_t index = support_site_point(&b->s.site, point);
    struct sample sample = {.point = index, .quality = QUALITY_GOOD, .value = value};
    struct frame frame = {.device = b->s.site.points[index].device,
                          .at = b->now,
                          .heard = true,
                          .samples = &sample,
                          .count = 1};

    rules_frame(b->r, &frame);
}

static void fault(struct bed *b, const char *output, bool faulty)
{
    rules_output(b->r, support_site_output(&b->s.site, output), faulty, b->now);
}

static void told(struct bed *b, const char *wanted)
{
    assert_string_equal(b->told, wanted);
    b->told[0] = '\0';
}

static void follows(const struct bed *b, const char *output, enum level level, uint64_t announced)
{
    uint64_t found;

    assert_int_equal(rules_output_level(b->r, support_site_output(&b->s.site, output), &found), level);
    assert_int_equal(found, announced);
}

static enum level area_level(const struct bed *b, const char *area)
{
    return rules_area_level(b->r, support_site_area(&b->s.site, area), NULL);
}

static void a_fault_is_an_alarm(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    fault(&b, "siren", false);
    told(&b, "");
    fault(&b, "siren", true);
    fault(&b, "siren", true);
    told(&b, "raise yellow output siren hall Siren output cannot be brought to its state");
    assert_int_equal(area_level(&b, "hall"), LEVEL_YELLOW);
    assert_int_equal(area_level(&b, "yard"), LEVEL_NONE);
    assert_int_equal(rules_next_alarm(b.r), 2);
    assert_int_equal(rules_ack(b.r, "gw-01-1", "wang", NULL, b.now), RG_OK);
    told(&b, "ack yellow output siren hall Siren output cannot be brought to its state");
    fault(&b, "siren", false);
    fault(&b, "siren", false);
    told(&b, "clear none output siren hall Siren output cannot be brought to its state");
    assert_int_equal(area_level(&b, "plant"), LEVEL_NONE);
    end(&b);
}

static void area_and_label_of_one_that_follows_a_rule_are_its_modules(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    fault(&b, "pump", true);
    told(&b, "raise red output pump yard Relays output cannot be brought to its state");
    fault(&b, "beacon", true);
    told(&b, "raise blue output beacon plant - output cannot be brought to its state");
    end(&b);
}

static void before_the_start_and_beyond_the_outputs_nothing_happens(void **state)
{
    struct bed b;

    (void)state;
    make(&b, ALL);
    fault(&b, "siren", true);
    told(&b, "");
    rules_start(b.r, b.now);
    rules_output(b.r, 99, true, b.now);
    told(&b, "");
    assert_int_equal(rules_output_level(b.r, 99, NULL), LEVEL_NONE);
    end(&b);
}

static void deadlines_up_to_it_come_first(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    b.now.mono_ms += 10000;
    b.now.wall_ms += 10000;
    fault(&b, "siren", true);
    told(&b, "raise yellow offline gas hall - device does not answer; "
             "raise yellow output siren hall Siren output cannot be brought to its state");
    end(&b);
}

static void a_device_without_points_is_never_silent(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, "area hall\ndevice relay offline=10s:red\n" SIREN);
    pass(&b, 1000000);
    told(&b, "");
    assert_true(rules_next_ms(b.r) == INT64_MAX);
    end(&b);
}

/* ---- what they follow ---- */

static void an_area_and_what_lies_below(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    read_point(&b, "gas.lel", 12);
    follows(&b, "siren", LEVEL_BLUE, 0); /* below its `from`: not announced to it */
    follows(&b, "beacon", LEVEL_BLUE, 1);
    follows(&b, "pump", LEVEL_NONE, 0);
    read_point(&b, "gas.lel", 30);
    follows(&b, "siren", LEVEL_ORANGE, 1);
    follows(&b, "beacon", LEVEL_ORANGE, 2);
    read_point(&b, "gas.lel", 60);
    read_point(&b, "gas.lel", 30); /* steps down: nothing new */
    follows(&b, "siren", LEVEL_ORANGE, 2);
    read_point(&b, "tank.level", 60);
    follows(&b, "siren", LEVEL_ORANGE, 2);
    follows(&b, "beacon", LEVEL_RED, 4);
    read_point(&b, "gas.lel", 0);
    follows(&b, "siren", LEVEL_NONE, 2);
    follows(&b, "beacon", LEVEL_RED, 4);
    end(&b);
}

static void a_rule_and_nothing_else(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL);
    read_point(&b, "tank.level", 60); /* another rule, same point */
    follows(&b, "pump", LEVEL_NONE, 0);
    read_point(&b, "tank.level", 1);
    follows(&b, "pump", LEVEL_RED, 1);
    read_point(&b, "tank.level", 5);
    follows(&b, "pump", LEVEL_NONE, 1);
    end(&b);
}

/* The fault of a module's output must not switch the module's outputs when it answers again, for the moment in which not
 * all of them have been confirmed yet. */
static void faults_on_its_own_module_are_left_out(void **state)
{
    struct bed b;

    (void)state;
    begin(&b, ALL "output lamp device=relay coil=2 area=plant from=blue\n");
    fault(&b, "siren", true);
    follows(&b, "siren", LEVEL_NONE, 0);
    follows(&b, "lamp", LEVEL_NONE, 0);
    follows(&b, "beacon", LEVEL_YELLOW, 1); /* on another one: it tells */
    assert_int_equal(area_level(&b, "hall"), LEVEL_YELLOW);
    fault(&b, "siren", false);
    follows(&b, "beacon", LEVEL_NONE, 1);
    end(&b);
}

/* ---- restart and reload ---- */

static const struct alarm fault_alarm = {.id = "gw-01-5",
                                         .rule = RULE_OUTPUT,
                                         .point = "siren",
                                         .area = "old",
                                         .level = LEVEL_YELLOW,
                                         .raised_ms = 1};

static void a_restored_fault_stands_until_the_output_is_confirmed(void **state)
{
    struct bed b;

    (void)state;
    make(&b, ALL);
    assert_int_equal(rules_restore(b.r, &fault_alarm), RG_OK);
    rules_start(b.r, b.now);
    told(&b, "");
    assert_int_equal(area_level(&b, "hall"), LEVEL_YELLOW);
    follows(&b, "beacon", LEVEL_YELLOW, 0);
    pass(&b, 9000);
    told(&b, "");
    fault(&b, "siren", true); /* no new occurrence */
    told(&b, "");
    fault(&b, "siren", false);
    told(&b, "clear none output siren hall Siren output cannot be brought to its state");
    follows(&b, "beacon", LEVEL_NONE, 0);
    end(&b);
}

static void a_restored_fault_of_another_level_or_no_output_is_cleared(void **state)
{
    struct alarm orphan = fault_alarm;
    struct bed b;

    (void)state;
    make(&b, ALL);
    orphan.level = LEVEL_RED;
    assert_int_equal(rules_restore(b.r, &orphan), RG_OK);
    (void)strcpy(orphan.point, "gone");
    assert_int_equal(rules_restore(b.r, &orphan), RG_OK);
    rules_start(b.r, b.now);
    told(&b, "clear none output siren old - no longer configured; "
             "clear none output gone old - no longer configured");
    end(&b);
}

static void a_restored_alarm_counts_and_is_not_announced(void **state)
{
    struct alarm alarm = {
        .id = "gw-01-9", .rule = "high", .point = "gas.lel", .level = LEVEL_RED, .raised_ms = 1};
    struct bed b;

    (void)state;
    make(&b, ALL);
    assert_int_equal(rules_restore(b.r, &alarm), RG_OK);
    follows(&b, "siren", LEVEL_RED, 0); /* before the first answer: the siren sounds at once */
    rules_start(b.r, b.now);
    follows(&b, "siren", LEVEL_RED, 0);
    read_point(&b, "gas.lel", 0);
    follows(&b, "siren", LEVEL_NONE, 0);
    end(&b);
}

static void a_shelved_alarm_switches_nothing(void **state)
{
    struct alarm alarm = {.id = "gw-01-9",
                          .rule = "high",
                          .point = "gas.lel",
                          .level = LEVEL_ORANGE,
                          .shelved = true,
                          .shelved_until_ms = 7001000 + 60000,
                          .raised_ms = 1};
    struct bed b;

    (void)state;
    make(&b, ALL);
    assert_int_equal(rules_restore(b.r, &alarm), RG_OK);
    rules_start(b.r, b.now);
    assert_int_equal(area_level(&b, "hall"), LEVEL_ORANGE); /* it lowers no level */
    follows(&b, "siren", LEVEL_NONE, 0);
    read_point(&b, "gas.lel", 20);
    read_point(&b, "gas.lel", 0);
    follows(&b, "siren", LEVEL_NONE, 0);
    read_point(&b, "gas.lel", 60); /* another occurrence */
    follows(&b, "siren", LEVEL_RED, 1);
    end(&b);
}

static void names_of_outputs_are_unique(void **state)
{
    struct support_site s;
    struct rules *r;

    (void)state;
    support_site_build(&s, ALL SIREN);
    assert_int_equal(rules_create(&s.site, 1, change_cb, NULL, &r), RG_EEXIST);
    support_site_free(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_an_alarm),
        cmocka_unit_test(area_and_label_of_one_that_follows_a_rule_are_its_modules),
        cmocka_unit_test(before_the_start_and_beyond_the_outputs_nothing_happens),
        cmocka_unit_test(deadlines_up_to_it_come_first),
        cmocka_unit_test(a_device_without_points_is_never_silent),
        cmocka_unit_test(an_area_and_what_lies_below),
        cmocka_unit_test(a_rule_and_nothing_else),
        cmocka_unit_test(faults_on_its_own_module_are_left_out),
        cmocka_unit_test(a_restored_fault_stands_until_the_output_is_confirmed),
        cmocka_unit_test(a_restored_fault_of_another_level_or_no_output_is_cleared),
        cmocka_unit_test(a_restored_alarm_counts_and_is_not_announced),
        cmocka_unit_test(a_shelved_alarm_switches_nothing),
        cmocka_unit_test(names_of_outputs_are_unique),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
