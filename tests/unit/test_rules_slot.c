/* LINK rg_rules rg_test_support m */
/* The state machines by themselves, the condition and the slot joined as the engine joins them: phases, deadlines, wall times, limits told, numbers at the edge of what
 * a double holds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/text.h"
#include "rules/condition.h"
#include "rules/offline.h"
#include "rules/slot.h"
#include "support_site.h"

struct bed {
    struct support_site s;
    struct condition_rule limits;
    struct slot_rule rule;
    struct condition condition;
    struct slot slot;
    struct level_move move;
};

static void bed_make(struct bed *bed, const char *rule, bool single)
{
    char text[512];

    (void)text_format(text, sizeof text, "device d\npoint a\nrule r points=d.a %s", rule);
    support_site_build(&bed->s, text);
    condition_rule_init(&bed->limits, &bed->s.site.rules[0], single);
    slot_rule_init(&bed->rule, &bed->s.site.rules[0]);
    condition_init(&bed->condition);
    slot_init(&bed->slot);
}

static bool take(struct bed *bed, int64_t mono, int64_t wall, struct reading reading)
{
    struct verdict verdict =
        condition_judge(&bed->condition, &bed->limits, (enum level)bed->slot.level, &reading);

    return slot_take(&bed->slot, &bed->rule, verdict, (struct moment){mono, wall}, &bed->move);
}

static bool good(struct bed *bed, int64_t mono, int64_t wall, double value)
{
    return take(bed, mono, wall, (struct reading){value, READING_GOOD});
}

static bool bad(struct bed *bed, int64_t mono, int64_t wall)
{
    return take(bed, mono, wall, (struct reading){0, READING_BAD});
}

static void assert_move(const struct bed *bed, enum level was, enum level now, int64_t mono, int64_t wall)
{
    assert_int_equal(bed->move.was, was);
    assert_int_equal(bed->move.now, now);
    assert_int_equal(bed->move.at.mono_ms, mono);
    assert_int_equal(bed->move.at.wall_ms, wall);
    assert_int_equal(bed->slot.level, now);
}

static void phases_and_deadlines(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, "above=blue:10,red:50 on=3s off=2s", false);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), INT64_MAX);
    assert_false(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_false(good(&bed, 100, 0, 5));
    assert_int_equal(bed.slot.phase, SLOT_STEADY);
    assert_false(good(&bed, 200, 0, 10));
    assert_int_equal(bed.slot.phase, SLOT_RISING);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 3200);
    assert_false(good(&bed, 1200, 0, 50)); /* red's clock: the earlier deadline stays first */
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 3200);
    assert_false(bad(&bed, 1300, 0));
    assert_int_equal(bed.slot.phase, SLOT_FROZEN);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), INT64_MAX);
    assert_false(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_false(good(&bed, 1400, 0, 60));
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 3200);
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_int_equal(bed.slot.level, LEVEL_BLUE);
    assert_int_equal(bed.slot.phase, SLOT_RISING); /* red's goes on */
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 4200);
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_int_equal(bed.slot.phase, SLOT_STEADY);
    assert_false(good(&bed, 5000, 0, 20));
    assert_int_equal(bed.slot.phase, SLOT_FALLING);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 7000);
    assert_false(bad(&bed, 5500, 0));
    assert_int_equal(bed.slot.phase, SLOT_STEADY);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), INT64_MAX);
    assert_false(good(&bed, 6000, 0, 0));
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 8000);
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_move(&bed, LEVEL_RED, LEVEL_NONE, 8000, 2000);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), INT64_MAX);
    support_site_free(&bed.s);
}

/* The clock steps an hour back while delays run: their ends stay where the delays began. */
static void wall_time_of_a_deadline(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, "above=blue:10,red:50 on=3s off=2s", false);
    assert_false(good(&bed, 1000, 5001000, 10));
    assert_false(good(&bed, 2000, 1402000, 50));
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_move(&bed, LEVEL_NONE, LEVEL_BLUE, 4000, 5004000);
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_move(&bed, LEVEL_BLUE, LEVEL_RED, 5000, 1405000);
    assert_false(good(&bed, 6000, 1406000, 0));
    assert_false(good(&bed, 7000, 9007000, 0));
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_move(&bed, LEVEL_RED, LEVEL_NONE, 8000, 1408000);
    support_site_free(&bed.s);
}

static void confirmed_after_its_end(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, "above=blue:10 on=3s", false);
    assert_false(good(&bed, 1000, 51000, 10));
    assert_false(bad(&bed, 2000, 52000));
    assert_true(good(&bed, 9000, 99000, 10));
    assert_move(&bed, LEVEL_NONE, LEVEL_BLUE, 9000, 99000);
    support_site_free(&bed.s);
}

static void time_never_goes_back(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, "above=blue:10 on=1s", false);
    assert_false(good(&bed, 1000, 7000, 5));
    assert_false(good(&bed, 400, 6400, 10)); /* taken at 1000 */
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 2000);
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_move(&bed, LEVEL_NONE, LEVEL_BLUE, 2000, 8000);
    assert_true(good(&bed, 1500, 7500, 0)); /* taken at the raise */
    assert_move(&bed, LEVEL_BLUE, LEVEL_NONE, 2000, 8000);
    support_site_free(&bed.s);
}

static void limits_told(void **state)
{
    struct bed bed;
    double limit = 0;

    (void)state;
    bed_make(&bed, "above=yellow:20,red:50 below=blue:5,orange:2 is=30:red", false);
    assert_true(good(&bed, 1, 1, 60));
    assert_true(condition_limit(&bed.condition, &bed.limits, LEVEL_RED, &limit));
    assert_true(limit == 50);
    assert_true(condition_limit(&bed.condition, &bed.limits, LEVEL_ORANGE,
                                &limit)); /* no orange above: red's was passed */
    assert_true(limit == 50);
    assert_true(condition_limit(&bed.condition, &bed.limits, LEVEL_BLUE, &limit));
    assert_true(limit == 20);
    assert_true(good(&bed, 2, 2, 1));
    assert_int_equal(bed.move.now, LEVEL_ORANGE);
    assert_true(
        condition_limit(&bed.condition, &bed.limits, LEVEL_RED, &limit)); /* red was left from above */
    assert_true(limit == 50);
    assert_true(condition_limit(&bed.condition, &bed.limits, LEVEL_ORANGE, &limit));
    assert_true(limit == 2);
    assert_true(good(&bed, 3, 3, 30));
    assert_false(condition_limit(&bed.condition, &bed.limits, LEVEL_RED, &limit));
    assert_true(condition_limit(&bed.condition, &bed.limits, LEVEL_YELLOW, &limit));
    assert_true(limit == 20);
    support_site_free(&bed.s);
}

static void restored_limits(void **state)
{
    struct bed bed;
    double limit = 0;

    (void)state;
    bed_make(&bed, "above=yellow:20 below=blue:5,orange:2 is=30:red", false);
    condition_restore(&bed.condition, &bed.limits, LEVEL_RED);
    slot_restore(&bed.slot, LEVEL_RED, false);
    assert_int_equal(bed.slot.level, LEVEL_RED);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), INT64_MAX);
    assert_false(condition_limit(&bed.condition, &bed.limits, LEVEL_RED, &limit));
    assert_true(condition_limit(&bed.condition, &bed.limits, LEVEL_ORANGE, &limit));
    assert_true(limit == 2);
    assert_true(condition_limit(&bed.condition, &bed.limits, LEVEL_YELLOW, &limit));
    assert_true(limit == 20);
    support_site_free(&bed.s);
}

static void floats_and_doubles(void **state)
{
    struct bed bed;
    double value = (double)19.9f; /* 19.8999996 */

    (void)state;
    bed_make(&bed, "above=blue:19.9 deadband=0.1", false);
    assert_false(good(&bed, 1, 1, value));
    support_site_free(&bed.s);
    bed_make(&bed, "above=blue:19.9 deadband=0.1", true);
    assert_true(good(&bed, 1, 1, value));
    assert_false(good(&bed, 2, 2, (double)19.8f)); /* the very edge of the band */
    assert_true(good(&bed, 3, 3, (double)19.79f));
    assert_true(good(&bed, 4, 4, 19.9)); /* read back from its text, as a back-test does */
    support_site_free(&bed.s);
    bed_make(&bed, "below=blue:1.1 is=7.7:red", true);
    assert_true(good(&bed, 1, 1, (double)1.1f));
    assert_true(good(&bed, 2, 2, (double)7.7f));
    support_site_free(&bed.s);
    bed_make(&bed, "above=blue:1e300", true); /* beyond any float: stays what it is */
    assert_false(good(&bed, 1, 1, 3e38));
    support_site_free(&bed.s);
}

static void bands_are_decimal(void **state)
{
    struct bed bed;

    (void)state;
    for (int tenths = 1; tenths < 2000; tenths++) {
        for (int band = 0; band < 12; band++) {
            char text[64];
            double limit = tenths / 10.0, edge = (tenths - band) / 10.0;

            (void)text_format(text, sizeof text, "above=blue:%d.%d deadband=%d.%d", tenths / 10, tenths % 10,
                              band / 10, band % 10);
            bed_make(&bed, text, false);
            assert_true(good(&bed, 1, 1, limit));
            assert_false(good(&bed, 2, 2, edge));
            assert_true(good(&bed, 3, 3, nextafter(edge, -INFINITY)));
            support_site_free(&bed.s);
        }
    }
}

/* More digits than a decimal of 15 keeps: the level must hold at its own limit all the same. */
static void long_limits(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, "above=blue:0.12345678901234567", false);
    assert_true(good(&bed, 1, 1, 0.12345678901234567));
    assert_false(good(&bed, 2, 2, 0.12345678901234567));
    support_site_free(&bed.s);
    bed_make(&bed, "below=blue:0.12345678901234547", false);
    assert_true(good(&bed, 1, 1, 0.12345678901234547));
    assert_false(good(&bed, 2, 2, 0.12345678901234547));
    support_site_free(&bed.s);
}

static void extreme_values(void **state)
{
    static const double values[] = {INFINITY, -INFINITY, NAN};
    struct bed bed;

    (void)state;
    bed_make(&bed, "above=red:1e308 below=red:-1e308 deadband=1e308", false);
    for (size_t i = 0; i < RG_COUNT(values); i++) {
        assert_false(good(&bed, (int64_t)i, 0, values[i]));
        assert_false(bed.condition.has_value);
    }
    assert_true(good(&bed, 10, 0, 1.7e308));
    for (size_t i = 0; i < RG_COUNT(values); i++)
        assert_false(good(&bed, 11, 0, values[i]));
    assert_int_equal(bed.slot.level, LEVEL_RED);
    assert_true(bed.condition.value == 1.7e308);
    support_site_free(&bed.s);
}

static void has_level(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, "above=yellow:20 below=blue:5 is=30:red", false);
    assert_false(condition_rule_has_level(bed.limits.conf, LEVEL_NONE));
    assert_true(condition_rule_has_level(bed.limits.conf, LEVEL_BLUE));
    assert_true(condition_rule_has_level(bed.limits.conf, LEVEL_YELLOW));
    assert_false(condition_rule_has_level(bed.limits.conf, LEVEL_ORANGE));
    assert_true(condition_rule_has_level(bed.limits.conf, LEVEL_RED));
    support_site_free(&bed.s);
}

/* A bound raises by what it proves, and never lowers. */
static void bounds(void **state)
{
    struct bed bed;

    (void)state;
    bed_make(&bed, "above=blue:10,yellow:20,red:50 below=blue:5,red:2 deadband=1 on=3s off=2s", false);
    assert_false(take(&bed, 1000, 0, (struct reading){25, READING_AT_LEAST}));
    assert_int_equal(bed.slot.phase, SLOT_RISING);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 4000);
    assert_false(take(&bed, 2000, 0, (struct reading){12, READING_AT_LEAST})); /* yellow is no longer sure */
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 4000);
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_move(&bed, LEVEL_NONE, LEVEL_BLUE, 4000, 3000);
    assert_int_equal(bed.slot.phase, SLOT_FROZEN);
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), INT64_MAX);
    assert_true(take(&bed, 5000, 0, (struct reading){21, READING_AT_LEAST})); /* since 1000: over by now */
    assert_move(&bed, LEVEL_BLUE, LEVEL_YELLOW, 5000, 0);
    assert_false(take(&bed, 6000, 0, (struct reading){3, READING_AT_LEAST}));
    assert_int_equal(bed.slot.phase, SLOT_STEADY); /* says nothing about `below`, lowers nothing */
    assert_false(good(&bed, 7000, 0, 7));
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), 9000);
    assert_false(take(&bed, 8000, 0, (struct reading){7, READING_AT_LEAST})); /* the off-delay stops */
    assert_int_equal(slot_deadline(&bed.slot, &bed.rule), INT64_MAX);
    assert_false(good(&bed, 10000, 0, 7));
    assert_true(slot_expire(&bed.slot, &bed.rule, &bed.move));
    assert_move(&bed, LEVEL_YELLOW, LEVEL_NONE, 12000, 2000);
    assert_false(take(&bed, 13000, 0, (struct reading){60, READING_AT_MOST})); /* nothing about `above` */
    assert_int_equal(bed.slot.phase, SLOT_STEADY);
    assert_false(take(&bed, 14000, 0, (struct reading){2, READING_AT_MOST}));
    assert_false(take(&bed, 15000, 0, (struct reading){INFINITY, READING_AT_LEAST})); /* as bad */
    assert_int_equal(bed.slot.phase, SLOT_FROZEN);
    assert_true(good(&bed, 17000, 0, 2));
    assert_move(&bed, LEVEL_NONE, LEVEL_RED, 17000, 0);
    support_site_free(&bed.s);
}

static void silence(void **state)
{
    struct site_device device = {.point_count = 1, .offline_after_ms = 10000, .offline_level = LEVEL_ORANGE};
    struct offline o;
    struct level_move move;

    (void)state;
    offline_init(&o, &device);
    offline_start(&o, (struct moment){500, 70500});
    assert_int_equal(offline_deadline(&o), 10500);
    assert_false(offline_heard(&o, (struct moment){1000, 1000}, &move)); /* the clock stepped */
    assert_false(offline_heard(&o, (struct moment){900, 70900}, &move)); /* late: changes nothing */
    assert_int_equal(offline_deadline(&o), 11000);
    assert_true(offline_expire(&o, &move));
    assert_int_equal(move.now, LEVEL_ORANGE);
    assert_int_equal(move.at.mono_ms, 11000);
    assert_int_equal(move.at.wall_ms, 11000);
    assert_int_equal(offline_deadline(&o), INT64_MAX);
    assert_false(offline_expire(&o, &move));
    assert_true(offline_heard(&o, (struct moment){12000, 99000}, &move));
    assert_int_equal(move.was, LEVEL_ORANGE);
    assert_int_equal(move.now, LEVEL_NONE);
    assert_int_equal(move.at.wall_ms, 99000);
    assert_int_equal(offline_deadline(&o), 22000);
    device.start_up_ms = 4000; /* on both clocks; what is heard counts from when it was */
    offline_init(&o, &device);
    offline_start(&o, (struct moment){500, 70500});
    assert_int_equal(offline_deadline(&o), 14500);
    assert_false(offline_heard(&o, (struct moment){5000, 75000}, &move));
    assert_int_equal(offline_deadline(&o), 15000);
    offline_start(&o, (struct moment){500, 70500});
    assert_true(offline_expire(&o, &move));
    assert_int_equal(move.at.mono_ms, 14500);
    assert_int_equal(move.at.wall_ms, 84500);
    device.offline_level = LEVEL_NONE;
    offline_init(&o, &device);
    offline_start(&o, (struct moment){0, 0});
    assert_int_equal(offline_deadline(&o), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_and_deadlines),
        cmocka_unit_test(wall_time_of_a_deadline),
        cmocka_unit_test(confirmed_after_its_end),
        cmocka_unit_test(time_never_goes_back),
        cmocka_unit_test(limits_told),
        cmocka_unit_test(restored_limits),
        cmocka_unit_test(floats_and_doubles),
        cmocka_unit_test(bands_are_decimal),
        cmocka_unit_test(long_limits),
        cmocka_unit_test(extreme_values),
        cmocka_unit_test(has_level),
        cmocka_unit_test(bounds),
        cmocka_unit_test(silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
