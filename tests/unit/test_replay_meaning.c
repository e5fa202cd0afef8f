/* LINK rg_config rg_replay */
/* Which changes of a configuration make what was recorded before mean something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/diff.h"
#include "replay/meaning.h"

#define HEAD                                                                                                 \
    "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: 示例}}\n"                              \
    "store: {path: x.db}\n"
static struct config *load(const char *text)
{
    struct config *config = NULL;

    assert_int_equal(config_load_text("diff.yaml", text, strlen(text), &config), RG_OK);
    if (!config->site)
        config_print(config, stderr);
    assert_non_null(config->site);
    return config;
}

/* What replay/meaning.h knows by the names of keys, in the names of today. */
static void what_gives_readings_another_meaning(void **state)
{
    static const struct {
        const char *before,
            *after; /* what stands in the device after its bus, and the name and place of its point */
        bool another;
    } rows[] = {
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 2, points: [{name: p, holding: 0, type: u16", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, points: [{name: p, input: 0, type: u16", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, points: [{name: p, holding: 1, type: u16", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, points: [{name: p, holding: 0, type: i16", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, points: [{name: p, holding: 0, bit: 3", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, points: [{name: p, holding: 0, type: u16, scale: 0.1", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, points: [{name: p, holding: 0, type: u16, offset: 1", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, points: [{name: p, holding: 0, type: u16, unit: ppm", false}, /* a text for people */
        {"unit: 1, points: [{name: p, holding: 0, type: u32, order: ABCD",
         "unit: 1, points: [{name: p, holding: 0, type: u32, order: CDAB", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, points: [{name: p, holding: 0, type: u16, convert: {table: [[0, 0], [10, 100]]}", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16, convert: {table: [[0, 0], [10, 90]]}",
         "unit: 1, points: [{name: p, holding: 0, type: u16, convert: {table: [[0, 0], [10, 100]]}", true},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, poll: 9s, points: [{name: p, holding: 0, type: u16", false},
        {"unit: 1, points: [{name: p, holding: 0, type: u16",
         "unit: 1, label: convert.x, points: [{name: p, holding: 0, type: u16, label: unit, "
         "values: {1: bits}, "
         "doubt: {level: red}",
         false},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        const char *plants[] = {rows[i].before, rows[i].after};
        struct config *configs[2];
        struct config_diff diff;
        bool another = false;

        for (size_t k = 0; k < 2; k++) {
            char text[1024];

            (void)snprintf(text, sizeof text,
                           HEAD
                           "buses: [{name: b, tcp: '127.0.0.1:1502'}]\ndevices: [{name: d, bus: b, %s}]}]\n",
                           plants[k]);
            configs[k] = load(text);
        }
        assert_int_equal(config_diff(configs[0]->site, configs[1]->site, &diff), RG_OK);
        assert_true(diff.count > 0);
        for (size_t k = 0; k < diff.count; k++)
            another = another || meaning_key(diff.changes[k].what);
        if (another != rows[i].another)
            fail_msg("%s -> %s", plants[0], plants[1]);
        config_diff_free(&diff);
        config_free(configs[0]);
        config_free(configs[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_gives_readings_another_meaning)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
