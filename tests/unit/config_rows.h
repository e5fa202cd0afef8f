/* A table of configurations and what is wrong with each. The frame is a configuration that is right but for
 * what the row puts into it, so that a row shows what it is about. */
#ifndef RG_TEST_CONFIG_ROWS_H
#define RG_TEST_CONFIG_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

#define GATEWAY "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x}}\n"
#define BUS "buses: [{name: b, tcp: \"127.0.0.1:502\"}]\n"

enum frame {
    FRAME_RAW,
    FRAME_TOP,
    FRAME_BUS,
    FRAME_DEVICE,
    FRAME_POINT,
    FRAME_RULE,
    FRAME_UPLINK,
    FRAME_AREA,
    FRAME_DERIVED,
    FRAME_RULES
};

static const struct {
    const char *before, *after;
} frames[] = {
    [FRAME_RAW] = {"", ""},
    [FRAME_TOP] = {GATEWAY, ""},
    [FRAME_BUS] = {GATEWAY "buses:\n  - {", "}\n"},
    [FRAME_DEVICE] = {GATEWAY
                      "buses: [{name: b, tcp: \"127.0.0.1:502\"}, {name: r, rtu: /dev/x, baud: 9600}]\n"
                      "areas: [{name: hall}]\n"
                      "devices:\n  - {",
                      "}\n"},
    [FRAME_POINT] = {GATEWAY BUS "devices:\n  - name: d\n    bus: b\n    unit: 1\n    points:\n      - {",
                     "}\n"},
    [FRAME_RULE] = {GATEWAY BUS "devices:\n  - name: d\n    bus: b\n    unit: 1\n    points:\n"
                                "      - {name: a, holding: 0, type: u16, range: [0, 100]}\n"
                                "      - {name: on, coil: 0}\n"
                                "rules:\n  - {",
                    "}\n"},
    [FRAME_UPLINK] = {GATEWAY BUS "devices: [{name: gas-1, bus: b, unit: 1, points: [{name: p, coil: 0}]}]\n"
                                  "uplinks:\n  - {",
                      "}\n"},
    [FRAME_AREA] = {GATEWAY "areas:\n  - {", "}\n"},
    [FRAME_DERIVED] = {GATEWAY BUS
                       "devices: [{name: d, bus: b, unit: 1, points: [{name: a, holding: 0, type: u16},"
                       " {name: b, holding: 1, type: u16}]}]\n"
                       "derived:\n  - name: g\n    points:\n      - {name: x, sum: [d.a]}\n      - {",
                       "}\n"},
    /* Two detectors, of which only one has a `base`. */
    [FRAME_RULES] =
        {GATEWAY BUS
         "devices:\n"
         "  - {name: g1, bus: b, unit: 1, points: [{name: co, holding: 0, type: u16, range: [0, 500]},\n"
         "     {name: base, holding: 1, type: u16}, {name: fan, coil: 0}]}\n"
         "  - {name: g2, bus: b, unit: 2, points: [{name: co, holding: 0, type: u16, range: [0, 500]},\n"
         "     {name: fan, coil: 0}]}\n"
         "rules:\n  - {",
         "}\n"},
};

struct row {
    enum frame frame;
    const char *text;
    const char *wanted; /* "line:column: error: text\n" for each issue, in order; hints about the whole file
                           left out */
};

/* The issues of a text, one a line. */
static inline void issues_of(const char *text, char *out, size_t size)
{
    struct config *config;
    size_t used = 0;

    out[0] = '\0';
    assert_int_equal(config_load_text("c.yaml", text, strlen(text), &config), RG_OK);
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];

        if (issue->severity == CONFIG_WARNING && issue->line == 0)
            continue;
        used += (size_t)snprintf(out + used, size - used, "%u:%u: %s: %s\n", issue->line, issue->column,
                                 issue->severity == CONFIG_ERROR ? "error" : "warning", issue->text);
        assert_true(used < size);
    }
    /* Taken whole or not at all. */
    assert_int_equal(config->site == NULL, config->error_count > 0);
    config_free(config);
}

/* A text that must be right. The caller frees. */
static inline struct config *load_good(const char *text)
{
    struct config *config;

    assert_int_equal(config_load_text("c.yaml", text, strlen(text), &config), RG_OK);
    if (!config->site)
        config_print(config, stderr);
    assert_non_null(config->site);
    return config;
}

static inline void check_rows(const struct row *rows, size_t count)
{
    unsigned failed = 0;

    for (size_t i = 0; i < count; i++) {
        char text[4096];
        char found[4096];

        assert_true((size_t)snprintf(text, sizeof text, "%s%s%s", frames[rows[i].frame].before, rows[i].text,
                                     frames[rows[i].frame].after) < sizeof text);
        issues_of(text, found, sizeof found);
        if (strcmp(found, rows[i].wanted) == 0)
            continue;
        print_error("row %zu: %s\n  wanted: %s\n  found:  %s\n", i, rows[i].text, rows[i].wanted, found);
        failed++;
    }
    assert_int_equal(failed, 0);
}

#endif
