/* LINK rg_model */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "model/alarm.h"
#include "model/level.h"
#include "model/sample.h"
#include "model/site.h"
#include "model/stream.h"

/* The contract's words in the order of each enum: a reordered enum or table shows here. */

static void levels(void **state)
{
    static const char *const names[] = {"none", "blue", "yellow", "orange", "red"};
    enum level level = LEVEL_NONE;

    (void)state;
    for (int i = 0; i < LEVEL_COUNT; i++) {
        assert_string_equal(level_name((enum level)i), names[i]);
        assert_int_equal(level_parse(names[i], &level), RG_OK);
        assert_int_equal(level, i);
    }
    assert_int_equal(RG_COUNT(names), LEVEL_COUNT);
    assert_true(LEVEL_NONE < LEVEL_BLUE && LEVEL_BLUE < LEVEL_YELLOW && LEVEL_YELLOW < LEVEL_ORANGE &&
                LEVEL_ORANGE < LEVEL_RED);
    assert_int_equal(level_parse("Red", &level), RG_ENOTFOUND);
    assert_int_equal(level_parse("", &level), RG_ENOTFOUND);
    assert_int_equal(level, LEVEL_RED);
    assert_string_equal(level_name((enum level)5), "?");
    assert_string_equal(level_name((enum level)(-1)), "?");
}

static void qualities(void **state)
{
    static const char *const names[] = {"good", "comm", "device", "sensor", "inhibited", "range", "stale"};

    (void)state;
    assert_int_equal(RG_COUNT(names), QUALITY_COUNT);
    for (int i = 0; i < QUALITY_COUNT; i++)
        assert_string_equal(quality_name((enum quality)i), names[i]);
    assert_string_equal(quality_name((enum quality)QUALITY_COUNT), "?");
}

static void words_of_an_enumeration(void **state)
{
    static const struct point_word words[] = {{1, "normal"}, {-1, "broken"}};
    const struct site_point mode = {.words = words, .word_count = RG_COUNT(words)};
    const struct site_point plain = {.word_count = 0};

    (void)state;
    assert_string_equal(point_word(&mode, 1), "normal");
    assert_string_equal(point_word(&mode, -1), "broken");
    assert_null(point_word(&mode, 0));
    assert_null(point_word(&mode, (double)NAN));
    assert_null(point_word(&plain, 1));
}

/* A device that is worked out is on no bus. */
static void buses_of_devices(void **state)
{
    struct site_bus bus = {.name = "line"};
    const struct site site = {.buses = &bus, .bus_count = 1};
    const struct site_device on = {.bus = 0}, derived = {.derived = true, .bus = SITE_NONE};

    (void)state;
    assert_string_equal(site_bus_name(&site, &on), "line");
    assert_null(site_bus_name(&site, &derived));
}

static void alarm_events(void **state)
{
    static const char *const names[] = {"raise",  "escalate", "deescalate", "clear",     "ack",
                                        "shelve", "unshelve", "suppress",   "unsuppress"};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(names); i++)
        assert_string_equal(alarm_event_name((enum alarm_event)i), names[i]);
    assert_int_equal(ALARM_UNSUPPRESS + 1, RG_COUNT(names));
    assert_string_equal(alarm_event_name((enum alarm_event)RG_COUNT(names)), "?");
}

static void streams(void **state)
{
    static const char *const names[] = {"alarm", "telemetry", "event", "report"};

    (void)state;
    assert_int_equal(RG_COUNT(names), STREAM_COUNT);
    for (int i = 0; i < STREAM_COUNT; i++)
        assert_string_equal(stream_name((enum stream)i), names[i]);
    assert_string_equal(stream_name((enum stream)STREAM_COUNT), "?");
}

static void points(void **state)
{
    static const struct {
        const char *name;
        unsigned words;
    } types[] = {
        {"bool", 1}, {"u16", 1}, {"i16", 1}, {"u32", 2},   {"i32", 2},   {"u64", 4},
        {"i64", 4},  {"f32", 2}, {"f64", 4}, {"bcd16", 1}, {"bcd32", 2}, {"bytes8.8", 1},
    };
    static const char *const spaces[] = {"coil", "discrete", "input", "holding", "derived"};
    static const char *const orders[] = {"none", "ABCD", "CDAB", "BADC", "DCBA"};
    static const char *const tiers[] = {"company", "workshop", "team", "post"};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(types); i++) {
        assert_string_equal(point_type_name((enum point_type)i), types[i].name);
        assert_int_equal(point_type_words((enum point_type)i), types[i].words);
    }
    assert_int_equal(TYPE_BYTES8_8 + 1, RG_COUNT(types));
    assert_string_equal(point_type_name((enum point_type)RG_COUNT(types)), "?");
    for (size_t i = 0; i < RG_COUNT(spaces); i++)
        assert_string_equal(point_space_name((enum point_space)i), spaces[i]);
    assert_string_equal(point_space_name((enum point_space)RG_COUNT(spaces)), "?");
    for (size_t i = 0; i < RG_COUNT(orders); i++)
        assert_string_equal(word_order_name((enum word_order)i), orders[i]);
    assert_string_equal(word_order_name((enum word_order)RG_COUNT(orders)), "?");
    assert_null(area_tier_name(TIER_NONE));
    for (size_t i = 0; i < RG_COUNT(tiers); i++)
        assert_string_equal(area_tier_name((enum area_tier)(TIER_NONE + 1 + i)), tiers[i]);
}

static void conversions(void **state)
{
    static const char *const kinds[] = {"none",           "two_point",     "table",   "thermistor",
                                        "vibrating_wire", "concentration", "pressure"};
    static const char *const ways[] = {"difference", "sum",         "mean",      "min",     "max",
                                       "beach",      "beach_slope", "freeboard", "increase"};
    static const char *const inputs[] = {"hertz", "period_us", "digits"};
    static const char *const signs[] = {"reading - zero", "zero - reading"};
    static const char *const units[] = {"Pa", "hPa", "kPa", "MPa", "bar", "mH2O", "mmHg", "atm"};

    (void)state;
    for (size_t i = 0; i <= RG_COUNT(kinds); i++)
        assert_string_equal(convert_kind_name((enum convert_kind)i), i < RG_COUNT(kinds) ? kinds[i] : "?");
    for (size_t i = 0; i <= RG_COUNT(ways); i++)
        assert_string_equal(derive_kind_name((enum derive_kind)i), i < RG_COUNT(ways) ? ways[i] : "?");
    for (size_t i = 0; i <= RG_COUNT(inputs); i++)
        assert_string_equal(wire_input_name((enum wire_input)i), i < RG_COUNT(inputs) ? inputs[i] : "?");
    for (size_t i = 0; i <= RG_COUNT(signs); i++)
        assert_string_equal(wire_sign_name((enum wire_sign)i), i < RG_COUNT(signs) ? signs[i] : "?");
    for (size_t i = 0; i <= RG_COUNT(units); i++)
        assert_string_equal(pressure_unit_name((enum pressure_unit)i), i < RG_COUNT(units) ? units[i] : "?");
}

/* What has been through anything is a double, and told as one. */
static void singles(void **state)
{
    struct site_point p = {.type = TYPE_F32, .scaling = {1, 0, 1}};

    (void)state;
    assert_true(point_is_single(&p));
    p.type = TYPE_F64;
    assert_false(point_is_single(&p));
    p.type = TYPE_F32;
    p.scaling.den = 10;
    assert_false(point_is_single(&p));
    p.scaling = (struct scaling){1, 1, 1};
    assert_false(point_is_single(&p));
    p.scaling = (struct scaling){1, 0, 1};
    p.convert = &(const struct site_convert){.kind = CONVERT_TABLE};
    assert_false(point_is_single(&p));
    p.convert = NULL;
    p.has_decimals = true;
    assert_false(point_is_single(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(qualities),
        cmocka_unit_test(words_of_an_enumeration),
        cmocka_unit_test(buses_of_devices),
        cmocka_unit_test(alarm_events),
        cmocka_unit_test(streams),
        cmocka_unit_test(points),
        cmocka_unit_test(conversions),
        cmocka_unit_test(singles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
