/* LINK rg_config */
/* What the keys of rules become in the site, given and by default. */
#include "config_rows.h"

static const char plant[] =
    GATEWAY BUS "alarms: {shelve_max: 90m}\n"
                "values: {top: %.17g}\n"
                "permits: [{name: tank, label: 罐, max: 8h}, {name: pit, max: 90m}]\n"
                "areas: [{name: dam, aggregate: gb39496}, {name: hall}]\n"
                "devices:\n"
                "  - {name: g1, bus: b, unit: 1, points: [{name: co, holding: 0, type: u16}, {name: base, "
                "holding: 1, type: "
                "u16}, {name: fan, coil: 0}]}\n"
                "  - {name: g2, bus: b, unit: 2, points: [{name: co, holding: 0, type: u16}, {name: base, "
                "holding: 1, type: "
                "u16}, {name: fan, coil: 0}]}\n"
                "  - {name: g3, bus: b, unit: 3, points: [{name: co, holding: 0, type: u16}]}\n"
                "rules:\n";

/* With the site value `top`. */
static struct config *load_with(double top, const char *rules)
{
    char text[4096];
    int head = snprintf(text, sizeof text, plant, top);

    assert_true((size_t)snprintf(text + head, sizeof text - (size_t)head, "%s", rules) <
                sizeof text - (size_t)head);
    return load_good(text);
}

static struct config *load(const char *rules)
{
    return load_with(80, rules);
}

static const char *name_of(const struct site *site, uint32_t point)
{
    return site->points[point].full_name;
}

static void test_top(void **state)
{
    struct config *config = load("  - {name: r, points: g1.co, above: {red: {value: top}}, permit: pit}\n");
    const struct site *site = config->site;

    (void)state;
    assert_int_equal(site->shelve_max_ms, 90 * 60000);
    assert_int_equal(site->permit_count, 2);
    assert_string_equal(site->permits[0].name, "tank");
    assert_string_equal(site->permits[0].label, "罐");
    assert_int_equal(site->permits[0].max_ms, 8 * 3600000);
    assert_null(site->permits[1].label);
    assert_string_equal(site->permits[1].where, "c.yaml:5");
    assert_int_equal(site->areas[0].aggregate, AGGREGATE_GB39496);
    assert_int_equal(site->areas[1].aggregate, AGGREGATE_HIGHEST);
    assert_true(site->rules[0].has_permit);
    assert_int_equal(site->rules[0].permit, 1);
    config_free(config);
}

static void test_plain(void **state)
{
    struct config *config =
        load("  - {name: r, points: g1.co, above: {red: {value: top, times: 0.5, plus: 1}}}\n");
    const struct site_rule *r = &config->site->rules[0];

    (void)state;
    assert_int_equal(config->site->rule_count, 1);
    assert_int_equal(r->signal.kind, SIGNAL_VALUE);
    assert_int_equal(r->signal.window_ms, 0);
    assert_float_equal(r->signal.coverage, SIGNAL_COVERAGE_STANDARD, 0);
    assert_true(r->has_above[LEVEL_RED]);
    assert_float_equal(r->above[LEVEL_RED], 41, 0);
    assert_null(r->above_of[LEVEL_RED]);
    assert_int_equal(r->latch_from, LEVEL_NONE);
    assert_int_equal(r->vote_need, 0);
    assert_null(r->guard.points);
    assert_false(r->has_permit);
    for (unsigned level = 0; level < LEVEL_COUNT; level++)
        assert_null(r->basis[level]);
    assert_string_equal(r->where, "c.yaml:12");
    config_free(config);
}

/* As people work it out, to the last digit. */
static void test_decimal(void **state)
{
    static const struct {
        double value, times, plus, limit;
    } rows[] = {{800, 1.1, 0, 880},     {148, 1, -0.3, 147.7},  {4, 1.1, 0, 4.4},      {50, 0.8, 0, 40},
                {0.1, 3, -0.3, 0},      {0.7, 1.3, 0, 0.91},    {-2.5, 1.2, 0, -3},    {0, 5, 0, 0},
                {1e-6, 1.1, 0, 1.1e-6}, {1e14, 1.1, 0, 1.1e14}, {1e18, 1.5, 1, 1.5e18}};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char text[512];
        struct config *config;

        (void)snprintf(
            text, sizeof text,
            "  - {name: r, points: g1.co, above: {red: {value: top, times: %.15g, plus: %.15g}}}\n",
            rows[i].times, rows[i].plus);
        config = load_with(rows[i].value, text);
        if (config->site->rules[0].above[LEVEL_RED] != rows[i].limit)
            fail_msg("row %zu: %.17g", i, config->site->rules[0].above[LEVEL_RED]);
        config_free(config);
    }
}

static void test_signals(void **state)
{
    static const struct {
        const char *text;
        enum signal_kind kind;
        int64_t window_ms;
        double coverage, band, wrap;
    } rows[] = {
        {"signal: value", SIGNAL_VALUE, 0, 0.75, 0, 0},
        {"rate: 1h", SIGNAL_RATE, 3600000, 0.75, 0, 0},
        {"mean: 15m", SIGNAL_MEAN, 900000, 0.75, 0, 0},
        {"sum: 24h, coverage: 90", SIGNAL_SUM, 86400000, 0.9, 0, 0},
        {"max: 10m", SIGNAL_MAX, 600000, 0.75, 0, 0},
        {"min: 10m", SIGNAL_MIN, 600000, 0.75, 0, 0},
        {"delta: 24h, wrap: 65536", SIGNAL_DELTA, 86400000, 0.75, 0, 65536},
        {"twa: 8h", SIGNAL_TWA, 28800000, 0.75, 0, 0},
        {"flat: 30m, band: 0.2, coverage: 1", SIGNAL_FLAT, 1800000, 0.01, 0.2, 0},
        {"signal: {twa: 8h}, coverage: 100", SIGNAL_TWA, 28800000, 1, 0, 0},
        {"signal: {flat: 1s}, band: 3", SIGNAL_FLAT, 1000, 0.75, 3, 0},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        char text[256];
        struct config *config;
        const struct site_signal *s;

        (void)snprintf(text, sizeof text, "  - {name: r, points: g1.co, is: {1: red}, %s}\n", rows[i].text);
        config = load(text);
        s = &config->site->rules[0].signal;
        if (s->kind != rows[i].kind || s->window_ms != rows[i].window_ms || s->coverage != rows[i].coverage ||
            s->band != rows[i].band || s->wrap != rows[i].wrap)
            fail_msg("row %zu: %s", i, rows[i].text);
        config_free(config);
    }
}

static void test_references(void **state)
{
    struct config *config =
        load("  - {name: r, points: [g2.co, g1.co], above: {blue: {of: base, times: 1.1, plus: -2}, red: "
             "{of: base}},\n"
             "     below: {red: {of: g3.co}}, when: {point: fan, is: [true, 0], above: 0, below: 1}}\n");
    const struct site *site = config->site;
    const struct site_rule *r = &site->rules[0];

    (void)state;
    assert_int_equal(r->point_count, 2);
    assert_string_equal(name_of(site, r->points[0]), "g1.co");
    assert_true(r->has_above[LEVEL_BLUE] && r->has_above[LEVEL_RED] && r->has_below[LEVEL_RED]);
    assert_false(r->has_above[LEVEL_YELLOW]);
    assert_string_equal(name_of(site, r->above_of[LEVEL_BLUE]->points[0]), "g1.base");
    assert_string_equal(name_of(site, r->above_of[LEVEL_BLUE]->points[1]), "g2.base");
    assert_ptr_equal(r->above_of[LEVEL_BLUE]->points, r->above_of[LEVEL_RED]->points);
    assert_float_equal(r->above_of[LEVEL_BLUE]->times, 1.1, 0);
    assert_float_equal(r->above_of[LEVEL_BLUE]->plus, -2, 0);
    assert_float_equal(r->above_of[LEVEL_RED]->times, 1, 0);
    assert_float_equal(r->above_of[LEVEL_RED]->plus, 0, 0);
    assert_string_equal(name_of(site, r->below_of[LEVEL_RED]->points[0]), "g3.co");
    assert_string_equal(name_of(site, r->below_of[LEVEL_RED]->points[1]), "g3.co");
    assert_string_equal(name_of(site, r->guard.points[0]), "g1.fan");
    assert_string_equal(name_of(site, r->guard.points[1]), "g2.fan");
    assert_int_equal(r->guard.is_count, 2);
    assert_float_equal(r->guard.is[0], 1, 0);
    assert_float_equal(r->guard.is[1], 0, 0);
    assert_true(r->guard.has_above && r->guard.has_below);
    assert_float_equal(r->guard.below, 1, 0);
    config_free(config);
}

static void test_vote(void **state)
{
    struct config *config = load("  - {name: r, vote: {need: 2, points: '*.co', bad: holds}, above: {red: "
                                 "{of: g1.base}}, latch: orange,\n"
                                 "     when: {point: g2.fan, is: 1}, basis: {red: GB/T 1}}\n"
                                 "  - {name: s, vote: {need: 1, points: [g1.co, g2.co]}, above: {red: 5}, "
                                 "latch: true, basis: PROPOSAL}\n");
    const struct site *site = config->site;
    const struct site_rule *r = &site->rules[0];

    (void)state;
    assert_int_equal(r->vote_need, 2);
    assert_int_equal(r->vote_bad, VOTE_BAD_HOLDS);
    assert_int_equal(r->point_count, 3);
    assert_int_equal(r->latch_from, LEVEL_ORANGE);
    assert_string_equal(r->basis[LEVEL_RED], "GB/T 1");
    assert_null(r->basis[LEVEL_NONE]);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(name_of(site, r->above_of[LEVEL_RED]->points[i]), "g1.base");
        assert_string_equal(name_of(site, r->guard.points[i]), "g2.fan");
    }
    assert_int_equal(site->rules[1].vote_bad, VOTE_BAD_COUNTS);
    assert_int_equal(site->rules[1].latch_from, LEVEL_BLUE);
    assert_string_equal(site->rules[1].basis[LEVEL_NONE], "PROPOSAL");
    config_free(config);
}

/* Rules that are left out leave no hole: what refers to those behind them finds them. */
static void test_optional(void **state)
{
    struct config *config =
        load("  - {name: gone, optional: true, points: '*.nh3', above: {red: {value: none-such}}}\n"
             "  - {name: here, optional: true, points: ['*.nh3', '*.co'], above: {red: {of: base}}}\n"
             "  - {name: last, points: g1.co, above: {red: 5}}\n"
             "outputs:\n"
             "  - {name: o, device: g1, coil: 7, when: {rule: last, from: red}}\n"
             "  - {name: p, device: g1, coil: 8, when: {rule: here, from: red}}\n");
    const struct site *site = config->site;

    (void)state;
    assert_int_equal(config->left_out_count, 1);
    assert_string_equal(config->left_out[0], "gone");
    assert_int_equal(site->rule_count, 2);
    assert_string_equal(site->rules[0].name, "here");
    assert_int_equal(site->rules[0].point_count, 2);
    assert_string_equal(name_of(site, site->rules[0].points[1]), "g2.co");
    assert_string_equal(site->rules[site->outputs[0].rule].name, "last");
    assert_string_equal(site->rules[site->outputs[1].rule].name, "here");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_top),        cmocka_unit_test(test_plain),
                                       cmocka_unit_test(test_decimal),    cmocka_unit_test(test_signals),
                                       cmocka_unit_test(test_references), cmocka_unit_test(test_vote),
                                       cmocka_unit_test(test_optional)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
