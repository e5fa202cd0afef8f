/* LINK rg_app rg_store rg_loop_virtual rg_test_support */
/* Which changes of a configuration mean more for an uplink, and what the next start compares with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/widen.h"
#include "config/config.h"

#define HEAD                                                                                                 \
    "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: 示例}}\n"                              \
    "store: {path: x.db}\nbuses: [{name: b, tcp: '127.0.0.1:1502'}]\n"
#define DEVICE(name, unit)                                                                                   \
    "  - {name: " name ", bus: b, unit: " #unit ", poll: 1s, points: [{name: p, holding: 0, type: u16}]}\n"
#define TWO HEAD "devices:\n" DEVICE("d1", 1) DEVICE("d2", 2)
#define UPLINK(options) "uplinks: [{name: up, url: 'mqtt://127.0.0.1:1883'" options "}]\n"

static struct config *load(const char *text)
{
    struct config *config = NULL;

    assert_int_equal(config_load_text("widen.yaml", text, strlen(text), &config), RG_OK);
    if (!config->site)
        config_print(config, stderr);
    assert_non_null(config->site);
    return config;
}

/* expected: "alarm", "telemetry", "alarm telemetry" or "" for the only uplink of after; by the sites, and by the text of a run before. */
static void check(const char *before, const char *after, const char *expected)
{
    struct config *a = load(before), *b = load(after);
    struct jsonw text;

    jsonw_init(&text, 0);
    assert_int_equal(config_describe(a->site, &text), RG_OK);
    for (int way = 0; way < 2; way++) {
        struct config_diff diff;
        bool grown[STREAM_COUNT];
        char found[64] = "";

        if (way == 0)
            assert_int_equal(config_diff(a->site, b->site, &diff), RG_OK);
        else
            assert_int_equal(config_diff_text(text.text, text.length, b->site, &diff), RG_OK);
        widen_streams(b->site, &b->site->uplinks[0], &diff, grown);
        for (int s = 0; s < STREAM_COUNT; s++) {
            if (grown[s])
                (void)snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s",
                               found[0] ? " " : "", stream_name((enum stream)s));
        }
        assert_string_equal(found, expected);
        config_diff_free(&diff);
    }
    jsonw_free(&text);
    config_free(a);
    config_free(b);
}

static void the_same_is_no_more(void **state)
{
    (void)state;
    check(TWO UPLINK(", alarms: {from: orange}"), TWO UPLINK(", alarms: {from: orange}"), "");
    check(TWO UPLINK(""), TWO UPLINK(", keepalive: 60s"), "");
}

static void alarms_of_a_lower_level(void **state)
{
    (void)state;
    check(TWO UPLINK(", alarms: {from: orange}"), TWO UPLINK(", alarms: {from: yellow}"), "alarm");
    check(TWO UPLINK(", alarms: {from: yellow}"), TWO UPLINK(", alarms: {from: orange}"), "");
}

static void telemetry_again_or_of_more_devices(void **state)
{
    (void)state;
    check(TWO UPLINK(", telemetry: {send: false}"), TWO UPLINK(""), "telemetry");
    check(TWO UPLINK(""), TWO UPLINK(", telemetry: {send: false}"), "");
    check(TWO UPLINK(", telemetry: {devices: [d1]}"), TWO UPLINK(", telemetry: {devices: [d1, d2]}"),
          "telemetry");
    check(TWO UPLINK(", telemetry: {devices: [d1]}"), TWO UPLINK(", telemetry: {devices: [d2]}"),
          "telemetry");
    check(TWO UPLINK(", telemetry: {devices: [d1, d2]}"), TWO UPLINK(", telemetry: {devices: [d1]}"), "");
    check(TWO UPLINK(", telemetry: {devices: [d1]}"),
          TWO UPLINK(", telemetry: {send: false, devices: [d1, d2]}"), "");
    check(TWO UPLINK(", telemetry: {devices: [d1]}, alarms: {from: red}"), TWO UPLINK(""), "alarm telemetry");
}

static void a_new_device_has_no_past(void **state)
{
    (void)state;
    check(TWO UPLINK(""), TWO DEVICE("d3", 3) UPLINK(""), "");
    check(TWO UPLINK(", telemetry: {devices: ['d*']}"),
          TWO DEVICE("d3", 3) UPLINK(", telemetry: {devices: ['d*']}"), "");
}

/* The device that was left out is gone, and with it the filter. */
static void a_filter_that_leaves_nobody_out(void **state)
{
    (void)state;
    check(TWO DEVICE("d3", 3) UPLINK(", telemetry: {devices: [d1, d2]}"),
          TWO UPLINK(", telemetry: {devices: [d1, d2]}"), "telemetry");
    check(TWO DEVICE("d3", 3) UPLINK(", telemetry: {devices: [d1]}"),
          TWO UPLINK(", telemetry: {devices: [d1]}"), "");
    check(TWO DEVICE("d3", 3) UPLINK(""), TWO UPLINK(""), "");
}

static void a_new_uplink_has_new_cursors_already(void **state)
{
    (void)state;
    check(TWO, TWO UPLINK(""), "");
}

static void a_text_that_is_none(void **state)
{
    static const char *const texts[] = {
        "", "{}", "[1]", "[\"a\"]", "[\"a\",1]", "[\"a\",\"b\",\"c\"]", "[\"a\",null]"};
    struct config *c = load(TWO);

    (void)state;
    for (size_t i = 0; i < RG_COUNT(texts); i++) {
        struct config_diff diff;

        assert_int_equal(config_diff_text(texts[i], strlen(texts[i]), c->site, &diff), RG_EINVAL);
        config_diff_free(&diff);
    }
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_no_more),
        cmocka_unit_test(alarms_of_a_lower_level),
        cmocka_unit_test(telemetry_again_or_of_more_devices),
        cmocka_unit_test(a_new_device_has_no_past),
        cmocka_unit_test(a_filter_that_leaves_nobody_out),
        cmocka_unit_test(a_new_uplink_has_new_cursors_already),
        cmocka_unit_test(a_text_that_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
