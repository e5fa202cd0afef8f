/* LINK rg_rules rg_test_support */
/* A reload: what goes on in the new rules, and what begins anew. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

#define DEVICE "device d unit=1 offline=10s:yellow\npoint a holding=0\n"
#define PATIENT "device d unit=1\npoint a holding=0\n" /* whose silence raises nothing */
#define RULE "rule r points=d.a above=yellow:20,red:50 deadband=5 on=10s off=30s\n"

struct bed {
    struct support_site before, after;
    struct rules *old, *now; /* the engine at work is now, or old until the reload */
    char told[512];          /* "raise yellow@t ..." of the engine at work */
};

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct bed *bed = arg;
    size_t length = strlen(bed->told);

    (void)text_format(bed->told + length, sizeof bed->told - length, "%s%s %s@%d", length ? ", " : "",
                      alarm_event_name(c->event), level_name(c->alarm->level), (int)(c->at.mono_ms / 1000));
    assert_int_equal(c->at.wall_ms - c->at.mono_ms, 7000000);
}

static struct moment at(int64_t seconds)
{
    return (struct moment){seconds * 1000, seconds * 1000 + 7000000};
}

static void begin(struct bed *bed, const char *before, const char *after)
{
    *bed = (struct bed){.told = ""};
    support_site_build(&bed->before, before);
    support_site_build(&bed->after, after);
    assert_int_equal(rules_create(&bed->before.site, 1, change_cb, bed, &bed->old), RG_OK);
    rules_start(bed->old, at(0));
}

static void restore_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

static void reload(struct bed *bed, int64_t t)
{
    rules_tick(bed->old, at(t));
    assert_int_equal(rules_create(&bed->after.site, rules_next_alarm(bed->old), change_cb, bed, &bed->now),
                     RG_OK);
    rules_each(bed->old, restore_cb, bed->now);
    rules_start(bed->now, at(t));
    rules_inherit(bed->now, bed->old);
    rules_destroy(bed->old);
    bed->old = NULL;
}

static void give(struct bed *bed, double value, int64_t t)
{
    const struct site *site = bed->now ? &bed->after.site : &bed->before.site;
    struct sample sample = {.point = support_site_point(site, "d.a"), .value = value};
    struct frame frame = {.device = site->points[sample.point].device,
                          .at = at(t),
                          .heard = true,
                          .count = 1,
                          .samples = &sample};

    rules_frame(bed->now ? bed->now : bed->old, &frame);
}

static void end(struct bed *bed, int64_t t, const char *expected)
{
    rules_tick(bed->now, at(t));
    assert_string_equal(bed->told, expected);
    rules_destroy(bed->now);
    support_site_free(&bed->before);
    support_site_free(&bed->after);
}

/* Filling windows took longer than a device may be silent: nobody asked it meanwhile. */
static void what_was_not_asked_is_not_silent(void **state)
{
    struct bed bed;

    (void)state;
    for (int unasked = 0; unasked <= 1; unasked++) {
        begin(&bed, "device d offline=10s:yellow\npoint a\n", "device d offline=10s:yellow\npoint a\n");
        give(&bed, 1, 1);
        rules_tick(bed.old, at(5));
        assert_int_equal(rules_create(&bed.after.site, rules_next_alarm(bed.old), change_cb, &bed, &bed.now),
                         RG_OK);
        rules_start(bed.now, at(25));
        rules_unasked(bed.now, unasked ? 20000 : 0);
        rules_inherit(bed.now, bed.old);
        rules_destroy(bed.old);
        bed.old = NULL;
        rules_tick(bed.now, at(26));
        assert_string_equal(bed.told, unasked ? "" : "raise yellow@11");
        end(&bed, 31, unasked ? "raise yellow@31" : "raise yellow@11");
    }
}

static void delays_run_on(void **state)
{
    struct bed bed;

    (void)state;
    begin(&bed, PATIENT RULE, PATIENT RULE);
    give(&bed, 25, 1);
    reload(&bed, 5);
    end(&bed, 12, "raise yellow@11");

    begin(&bed, PATIENT RULE, PATIENT RULE);
    give(&bed, 60, 1);
    give(&bed, 60, 12);
    give(&bed, 0, 20);
    reload(&bed, 25);
    give(&bed, 0, 26);
    give(&bed, 0, 45);
    give(&bed, 0, 50);
    end(&bed, 51, "raise red@11, clear none@50");
}

/* Another engine with other indices: the names count. */
static void whatever_else_was_changed(void **state)
{
    struct bed bed;

    (void)state;
    begin(&bed, "device x unit=9\npoint a\nrule q points=x.a above=red:1\n" PATIENT RULE,
          PATIENT "device y unit=8\npoint a\npoint b\nrule z points=* above=red:9999\n" RULE);
    give(&bed, 25, 1);
    reload(&bed, 5);
    end(&bed, 12, "raise yellow@11");
}

/* Short of the limit, but within the dead-band of a level that was reached. */
static void dead_bands_stay_reached(void **state)
{
    struct bed bed;

    (void)state;
    begin(&bed, PATIENT RULE, PATIENT RULE);
    give(&bed, 25, 1);
    give(&bed, 16, 12);
    reload(&bed, 13);
    give(&bed, 16, 14);
    give(&bed, 16, 20);
    give(&bed, 16, 29);
    give(&bed, 16, 38);
    give(&bed, 16, 47);
    end(&bed, 50, "raise yellow@11");
}

static void what_was_changed_begins_anew(void **state)
{
    static const char *const afters[] = {
        PATIENT "rule r points=d.a above=yellow:20,red:51 deadband=5 on=10s off=30s\n",
        PATIENT "rule r points=d.a above=yellow:20,red:50 deadband=4 on=10s off=30s\n",
        PATIENT "rule r points=d.a above=yellow:20,red:50 deadband=5 on=10s off=31s\n",
        PATIENT "rule r points=d.a above=yellow:20,red:50 deadband=5 on=10s off=30s is=3:red\n",
        PATIENT "rule s points=d.a above=yellow:20,red:50 deadband=5 on=10s off=30s\n",
        "device d unit=2\npoint a holding=0\n" RULE,
        "device d unit=1\npoint a holding=1\n" RULE,
        "device d unit=1\npoint a holding=0 type=i16\n" RULE,
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(afters); i++) {
        struct bed bed;

        begin(&bed, PATIENT RULE, afters[i]);
        give(&bed, 25, 1);
        reload(&bed, 5);
        give(&bed, 25, 6);
        give(&bed, 25, 14);
        end(&bed, 17, "raise yellow@16");
    }
}

static void silence_goes_on(void **state)
{
    struct bed bed;

    (void)state;
    begin(&bed, DEVICE RULE, DEVICE RULE);
    give(&bed, 0, 1);
    reload(&bed, 9);
    end(&bed, 12, "raise yellow@11");

    begin(&bed, DEVICE, "device d unit=1 offline=15s:orange\npoint a holding=0\n");
    give(&bed, 0, 1);
    reload(&bed, 9);
    end(&bed, 17, "raise orange@16");

    begin(&bed, DEVICE, "device d unit=2 offline=10s:yellow\npoint a holding=0\n");
    give(&bed, 0, 1);
    reload(&bed, 9);
    end(&bed, 20, "raise yellow@19");
}

static void a_silence_that_was_told_is_not_told_again(void **state)
{
    struct bed bed;

    (void)state;
    begin(&bed, DEVICE, DEVICE);
    reload(&bed, 11);
    rules_tick(bed.now, at(100));
    give(&bed, 0, 101);
    end(&bed, 105, "raise yellow@10, clear none@101");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_asked_is_not_silent),
        cmocka_unit_test(delays_run_on),
        cmocka_unit_test(whatever_else_was_changed),
        cmocka_unit_test(dead_bands_stay_reached),
        cmocka_unit_test(what_was_changed_begins_anew),
        cmocka_unit_test(silence_goes_on),
        cmocka_unit_test(a_silence_that_was_told_is_not_told_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
