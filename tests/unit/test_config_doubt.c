/* LINK rg_config rg_test_support */
/* Readings that are not to be believed: every message, with its place, and what holds for which point. */
#include "config_rows.h"
#include "support_site.h"

#define P "name: p, holding: 0, type: u16, "
static const struct row rows[] = {
    {FRAME_POINT,
     P "doubt: {level: orange, after: 5s, flat: 30m, flat_band: 0.1, rate: {change: 10, per: 1s}}", ""},
    {FRAME_POINT, P "doubt: {}", ""},
    {FRAME_POINT, P "doubt: yellow", "8:49: error: `doubt` must be a mapping, not `yellow`\n"},
    {FRAME_POINT, P "doubt: {level: purple}",
     "8:57: error: `level` must be one of none, blue, yellow, orange, red, not `purple`\n"},
    {FRAME_POINT, P "doubt: {aftre: 5s}",
     "8:50: error: unknown key `aftre` in `doubt`; did you mean `after`?\n"},
    {FRAME_POINT, P "doubt: {after: 2d}", "8:57: error: `after` must be 0s to 1d, not `2d`\n"},
    {FRAME_POINT, P "doubt: {flat: 5}",
     "8:56: error: `flat` must be a duration such as 250ms, 3s, 15m, 8h or 30d; did you mean `5s`?\n"},
    {FRAME_POINT, P "doubt: {flat: 100ms}", "8:56: error: `flat` must be 1s to 366d, not `100ms`\n"},
    {FRAME_POINT, P "doubt: {flat_band: 1}", "8:50: error: `flat_band` means nothing without `flat`\n"},
    {FRAME_POINT, P "doubt: {flat: 1m, flat_band: -1}",
     "8:71: error: `flat_band` must be at least 0, not `-1`\n"},
    {FRAME_POINT, P "doubt: {rate: 5}", "8:56: error: `rate` must be a mapping, not `5`\n"},
    {FRAME_POINT, P "doubt: {rate: {change: 5}}", "8:56: error: `per` is missing in the `rate` of `doubt`\n"},
    {FRAME_POINT, P "doubt: {rate: {per: 5s}}",
     "8:56: error: `change` is missing in the `rate` of `doubt`\n"},
    {FRAME_POINT, P "doubt: {rate: {change: -1, per: 5s}}",
     "8:65: error: `change` must be at least 0, not `-1`\n"},
    {FRAME_POINT, P "doubt: {rate: {change: 1, per: 0s}}",
     "8:73: error: `per` must be 1ms to 1d, not `0s`\n"},
    {FRAME_POINT, P "doubt: {rate: {change: 0, per: 1s}}",
     "8:65: error: `change` must be above 0: any change at all would be a doubt\n"},
    {FRAME_POINT, P "doubt: {twin: {point: p, within: 5}}",
     "8:64: error: a point cannot be its own `twin`: `p`\n"},
    {FRAME_POINT, P "doubt: {twin: {point: d.p, within: 5}}",
     "8:64: error: a point cannot be its own `twin`: `d.p`\n"},
    {FRAME_POINT, P "doubt: {twin: {point: q, within: 5}}",
     "8:64: error: there is no point `d.q`; did you mean `d.p`?\n"},
    {FRAME_POINT, P "doubt: {twin: {within: 5}}", "8:56: error: `point` is missing in `twin`\n"},
    {FRAME_POINT, P "doubt: {twin: {point: q}}",
     "8:56: error: `within` is missing in `twin`\n"
     "8:64: error: there is no point `d.q`; did you mean `d.p`?\n"},
    {FRAME_POINT, P "doubt: {level: none, flat: 5m}",
     "8:63: error: `flat` has no effect: the `level` of `doubt` is none, here or at the device\n"},
    {FRAME_DEVICE,
     "name: d, bus: b, unit: 1, doubt: {level: none}, points: [{name: p, coil: 0, doubt: {rate: {change: 1, "
     "per: 1s}}}]",
     "5:90: error: `rate` has no effect: the `level` of `doubt` is none, here or at the device\n"},
    {FRAME_DEVICE,
     "name: d, bus: b, unit: 1, doubt: {level: none}, points: [{name: p, coil: 0, doubt: {level: red, flat: "
     "30d}}]",
     ""},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, doubt: {flat: 5m}, points: [{name: p, coil: 0}]",
     "5:40: error: unknown key `flat` in `doubt`\n"},
    {FRAME_DERIVED, "name: y, sum: [d.b], doubt: {flat: 5m, twin: {point: x, within: 1}}", ""},
};

static void test_doubt(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

/* NULL: its readings are never doubted. */
static const struct site_doubt *find(const struct site *site, const char *name)
{
    return site->points[support_site_point(site, name)].doubt;
}

/* Standard, device, point, group: the nearest word counts. */
static void test_levels(void **state)
{
    static const char text[] = GATEWAY BUS
        "devices:\n"
        "  - {name: a, bus: b, unit: 1, points: [{name: p, coil: 0}, {name: q, coil: 1, doubt: {after: "
        "1m}}]}\n"
        "  - name: c\n"
        "    bus: b\n"
        "    unit: 2\n"
        "    doubt: {level: blue, after: 30s}\n"
        "    points:\n"
        "      - {name: p, holding: 0, type: u16}\n"
        "      - name: q\n"
        "        holding: 1\n"
        "        type: u16\n"
        "        doubt: {level: red, flat: 30m, flat_band: 0.5, rate: {change: 10, per: 2s}, twin: {point: "
        "p, within: 5}}\n"
        "      - {name: r, holding: 2, type: u16, doubt: {level: none}}\n"
        "      - {name: s, holding: 3, type: u16, doubt: {twin: {point: a.p, within: 0}}}\n"
        "derived:\n"
        "  - {name: g, points: [{name: p, sum: [c.p]}, {name: q, sum: [c.p], doubt: {after: 0s}}]}\n"
        "  - {name: h, doubt: {level: orange}, points: [{name: p, sum: [c.p]}]}\n";
    struct config *config = load_good(text);
    const struct site *site = config->site;
    const struct site_doubt *q;

    (void)state;
    assert_int_equal(find(site, "a.p")->level, LEVEL_YELLOW);
    assert_int_equal(find(site, "a.p")->after_ms, 10000);
    assert_false(find(site, "a.p")->has_twin || find(site, "a.p")->has_rate);
    assert_int_equal(find(site, "a.p")->flat_ms, 0);
    assert_int_equal(find(site, "a.q")->level, LEVEL_YELLOW);
    assert_int_equal(find(site, "a.q")->after_ms, 60000);
    assert_int_equal(find(site, "c.p")->level, LEVEL_BLUE);
    assert_int_equal(find(site, "c.p")->after_ms, 30000);
    q = find(site, "c.q");
    assert_int_equal(q->level, LEVEL_RED);
    assert_int_equal(q->after_ms, 30000);
    assert_int_equal(q->flat_ms, 30 * 60000);
    assert_float_equal(q->flat_band, 0.5, 0);
    assert_true(q->has_rate && q->has_twin);
    assert_float_equal(q->rate_per_s, 5, 0);
    assert_string_equal(site->points[q->twin].full_name, "c.p");
    assert_float_equal(q->twin_within, 5, 0);
    assert_null(find(site, "c.r"));
    assert_string_equal(site->points[find(site, "c.s")->twin].full_name, "a.p");
    assert_null(find(site, "g.p"));
    assert_int_equal(find(site, "g.q")->level, LEVEL_YELLOW);
    assert_int_equal(find(site, "g.q")->after_ms, 0);
    assert_int_equal(find(site, "h.p")->level, LEVEL_ORANGE);
    config_free(config);
}

/* One bad reading of a device that is asked seldom must not be an alarm: without a word it takes three. What is worked out
 * goes by the slowest of what it is worked out from. */
static void test_after_goes_by_the_polls(void **state)
{
    static const char text[] = GATEWAY BUS
        "devices:\n"
        "  - {name: a, bus: b, unit: 1, poll: 3333ms, points: [{name: p, coil: 0}]}\n"
        "  - {name: c, bus: b, unit: 2, poll: 3334ms, points: [{name: p, coil: 0}, {name: q, coil: 1, doubt: "
        "{level: red}}]}\n"
        "  - {name: e, bus: b, unit: 3, poll: 1h, doubt: {level: orange}, points: [{name: p, coil: 0}]}\n"
        "  - {name: f, bus: b, unit: 4, poll: 1h, doubt: {after: 0s}, points: [{name: p, coil: 0}, {name: q, "
        "coil: 1, doubt: "
        "{after: 10s}}]}\n"
        "derived:\n"
        "  - {name: g, points: [{name: p, sum: [a.p, e.p]}, {name: q, sum: [a.p], doubt: {level: blue}}, "
        "{name: r, sum: [p, "
        "a.p], doubt: {level: blue}}]}\n"
        "  - {name: h, doubt: {level: orange}, points: [{name: p, sum: [c.p, a.p]}, {name: q, sum: [e.p], "
        "doubt: {after: "
        "1s}}]}\n";
    static const struct {
        const char *point;
        int64_t after_ms;
    } want[] = {{"a.p", 10000}, {"c.p", 10002}, {"c.q", 10002},    {"e.p", 10800000}, {"f.p", 0},
                {"f.q", 10000}, {"g.q", 10000}, {"g.r", 10800000}, {"h.p", 10002},    {"h.q", 1000}};
    struct config *config;

    (void)state;
    assert_int_equal(config_load_text("c.yaml", text, strlen(text), &config), RG_OK);
    config_print(config, stderr);
    assert_non_null(config->site);
    for (size_t i = 0; i < RG_COUNT(want); i++)
        if (find(config->site, want[i].point)->after_ms != want[i].after_ms)
            fail_msg("%s: %lld, not %lld", want[i].point,
                     (long long)find(config->site, want[i].point)->after_ms, (long long)want[i].after_ms);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_doubt), cmocka_unit_test(test_levels),
                                       cmocka_unit_test(test_after_goes_by_the_polls)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
