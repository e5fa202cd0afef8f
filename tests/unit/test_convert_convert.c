/* LINK rg_convert rg_config rg_test_support */
/* The stage: what comes out for what goes in, in order, with which quality; and what goes on over a reload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "convert/convert.h"
#include "support_site.h"

#define GATEWAY "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x}}\n"
#define BUS "buses: [{name: b, tcp: \"127.0.0.1:502\"}]\n"
/* Two devices with two plain points each, and whatever is worked out from them. */
#define PLANT(points)                                                                                        \
    GATEWAY BUS "devices:\n"                                                                                 \
                "  - {name: d, bus: b, unit: 1, points: [{name: a, holding: 0, type: i16},\n"                \
                "     {name: b, holding: 1, type: i16}]}\n"                                                  \
                "  - {name: e, bus: b, unit: 2, points: [{name: a, holding: 0, type: i16},\n"                \
                "     {name: b, holding: 1, type: i16}]}\n"                                                  \
                "derived:\n  - name: g\n    points:\n" points

struct rig {
    struct config *config;
    const struct site *site;
    struct convert *convert;
    char told[1024]; /* of the last feed: "d a=1 b!comm; g x=3" */
    int64_t now_ms;
};

static void load(struct rig *r, const char *text)
{
    assert_int_equal(config_load_text("c.yaml", text, strlen(text), &r->config), RG_OK);
    if (!r->config->site)
        config_print(r->config, stderr);
    assert_non_null(r->config->site);
    r->site = r->config->site;
    assert_int_equal(convert_create(r->site, &r->convert), RG_OK);
}

static void begin(struct rig *r, const char *text)
{
    *r = (struct rig){.now_ms = 1000};
    load(r, text);
}

static void end(struct rig *r)
{
    convert_destroy(r->convert);
    config_free(r->config);
}

static void note_cb(void *arg, const struct frame *frame)
{
    struct rig *r = arg;
    size_t used = strlen(r->told);

    used += (size_t)snprintf(r->told + used, sizeof r->told - used, "%s%s", used ? "; " : "",
                             r->site->devices[frame->device].name);
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *s = &frame->samples[i];
        const char *name = r->site->points[s->point].name;

        if (s->quality == QUALITY_GOOD)
            used += (size_t)snprintf(r->told + used, sizeof r->told - used, " %s=%.10g", name, s->value);
        else
            used += (size_t)snprintf(r->told + used, sizeof r->told - used, " %s!%s", name,
                                     quality_name(s->quality));
        assert_true(s->quality == QUALITY_GOOD || s->value == 0);
        assert_int_equal(r->site->points[s->point].device, frame->device);
    }
    assert_int_equal(frame->at.mono_ms, r->now_ms);
    assert_int_equal(frame->at.wall_ms, r->now_ms + 5);
    assert_true(frame->clock_unsynced);
    assert_int_equal(frame->heard, true);
}

static struct sample good(const struct rig *r, const char *name, double value)
{
    return (struct sample){.point = support_site_point(r->site, name), .value = value};
}

static struct sample bad(const struct rig *r, const char *name, enum quality quality)
{
    return (struct sample){.point = support_site_point(r->site, name), .quality = quality};
}

static void feed_all(struct rig *r, const struct sample *samples, size_t count)
{
    const struct frame frame = {.device = r->site->points[samples[0].point].device,
                                .at = {++r->now_ms, r->now_ms + 5},
                                .clock_unsynced = true,
                                .heard = true,
                                .count = count,
                                .samples = samples};

    r->told[0] = '\0';
    convert_frame(r->convert, &frame, note_cb, r);
}

#define FEED(rig, ...)                                                                                       \
    do {                                                                                                     \
        const struct sample samples_[] = {__VA_ARGS__};                                                      \
        feed_all(rig, samples_, RG_COUNT(samples_));                                                         \
    } while (0)
#define TELLS(rig, text, ...)                                                                                \
    do {                                                                                                     \
        FEED(rig, __VA_ARGS__);                                                                              \
        assert_string_equal((rig)->told, text);                                                              \
    } while (0)

/* ---- frames ---- */

static void same_frame_cb(void *arg, const struct frame *frame)
{
    assert_ptr_equal(frame, arg);
}

static void a_site_with_nothing_to_do(void **state)
{
    const struct sample s = {.point = 0, .value = 1};
    struct frame frame = {.device = 0, .count = 1, .samples = &s};
    struct rig r;

    (void)state;
    begin(&r, GATEWAY BUS "devices: [{name: d, bus: b, unit: 1, points: [{name: a, coil: 0}]}]\n");
    convert_frame(r.convert, &frame, same_frame_cb, &frame);
    assert_int_equal(convert_inherit(r.convert, r.convert), RG_OK);
    end(&r);
}

static void only_what_depends_on_the_frame_is_told(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT("      - {name: loss, difference: [d.a, e.a]}\n"
                    "      - {name: twice, sum: [d.b, d.b]}\n"
                    "  - {name: h, points: [{name: most, max: [e.a, e.b, 7]}]}\n"));
    TELLS(&r, "d a=5 b=6; g loss!stale twice=12", good(&r, "d.a", 5), good(&r, "d.b", 6));
    TELLS(&r, "e a=3; g loss=2; h most!stale", good(&r, "e.a", 3));
    TELLS(&r, "e b=9; h most=9", good(&r, "e.b", 9));
    TELLS(&r, "e a=1 b=2; g loss=4; h most=7", good(&r, "e.a", 1), good(&r, "e.b", 2));
    TELLS(&r, "d b=7; g twice=14", good(&r, "d.b", 7));
    end(&r);
}

/* The order in the file does not matter; each is worked out once, after all that it needs. */
static void derived_of_derived(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT("      - {name: top, sum: [left, right, h.far]}\n"
                    "      - {name: left, sum: [bottom, 1]}\n"
                    "      - {name: right, sum: [{of: bottom, times: 10}]}\n"
                    "      - {name: bottom, mean: [d.a, d.b]}\n"
                    "  - {name: h, points: [{name: far, sum: [g.left, d.b]}]}\n"));
    TELLS(&r, "d a=2 b=4; g bottom=3 left=4 right=30 top=42; h far=8", good(&r, "d.a", 2),
          good(&r, "d.b", 4));
    TELLS(&r, "d b=6; g bottom=4 left=5 right=40 top=56; h far=11", good(&r, "d.b", 6));
    TELLS(&r, "d a!comm; g bottom!comm left!comm right!comm top!comm; h far!comm",
          bad(&r, "d.a", QUALITY_COMM));
    end(&r);
}

/* What a driver never does does no harm. */
static void samples_that_do_not_belong(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT("      - {name: x, sum: [d.a, e.a]}\n"));
    TELLS(&r, "e a=1; g x!stale", good(&r, "e.a", 1));
    TELLS(&r, "d a=5 b=6; g x=6", good(&r, "d.a", 4), good(&r, "d.b", 6), good(&r, "e.a", 9),
          good(&r, "d.a", 5), (struct sample){.point = UINT32_MAX}, good(&r, "g.x", 3));
    TELLS(&r, "g x=77", good(&r, "g.x", 77)); /* a frame of a derived device is told as it is */
    TELLS(&r, "d a=7; g x=8", good(&r, "d.a", 7));
    end(&r);
}

/* ---- what they are ---- */

static void ways_to_work_out(void **state)
{
    struct rig r;

    (void)state;
    begin(&r,
          PLANT("      - {name: difference, difference: [d.a, d.b, 0.5]}\n"
                "      - {name: sum, sum: [d.a, {of: d.b, times: 2, plus: 3}], scale: 0.1, offset: 1}\n"
                "      - {name: mean, mean: [d.a, d.b, 1]}\n"
                "      - {name: min, min: [d.a, d.b, -5]}\n"
                "      - {name: max, max: [d.a, d.b]}\n"
                "      - {name: freeboard, freeboard: {crest: {of: d.a, times: 0.1}, flood_level: 148.9}}\n"
                "      - {name: slope, beach_slope: {h1: d.a, d1: 6, h2: d.b, d2: 6, x1: 10, x2: 60}}\n"
                "      - {name: beach, beach: {crest: d.a, level: d.b, slope: slope}}\n"
                "      - {name: beach2, beach: {crest: d.a, level: d.b,\n"
                "         slope: {h1: d.a, d1: 6, h2: d.b, d2: 6, x1: 10, x2: 60}}}\n"
                "      - {name: tight, sum: [d.a], range: [0, 10]}\n"));
    TELLS(&r,
          "d a=4 b=2; g difference=1.5 sum=2.1 mean=2.333333333 min=-5 max=4 freeboard=-148.5 slope=0.04 "
          "beach2=50 "
          "tight=4 beach=50",
          good(&r, "d.a", 4), good(&r, "d.b", 2));
    TELLS(&r,
          "d a=11 b=11; g difference=-0.5 sum=4.6 mean=7.666666667 min=-5 max=11 freeboard=-147.8 slope=0 "
          "beach2!range "
          "tight!range beach!range",
          good(&r, "d.a", 11), good(&r, "d.b", 11));
    end(&r);
}

static void an_outcome_that_is_no_number(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT("      - {name: x, sum: [{of: d.a, times: 1.0e+300}]}\n"
                    "      - {name: y, sum: [x, x], scale: 1.0e+200}\n"));
    TELLS(&r, "d a=1; g x=1e+300 y!range", good(&r, "d.a", 1));
    TELLS(&r, "d a=1e+10; g x!range y!range", good(&r, "d.a", 1e10));
    end(&r);
}

static void the_first_bad_operand_gives_the_reason(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT("      - {name: x, mean: [d.a, e.a, d.b]}\n"
                    "      - {name: y, min: [e.a, d.a]}\n"));
    TELLS(&r, "d a!inhibited b=5; g x!inhibited y!stale", bad(&r, "d.a", QUALITY_INHIBITED),
          good(&r, "d.b", 5));
    TELLS(&r, "e a!device; g x!inhibited y!device", bad(&r, "e.a", QUALITY_DEVICE));
    TELLS(&r, "d a=1; g x!device y!device", good(&r, "d.a", 1));
    TELLS(&r, "e a=3; g x=3 y=1", good(&r, "e.a", 3));
    TELLS(&r, "d b!sensor; g x!sensor", bad(&r, "d.b", QUALITY_SENSOR));
    end(&r);
}

/* ---- conversions ---- */

#define GAUGE                                                                                                \
    GATEWAY BUS                                                                                              \
        "devices:\n"                                                                                         \
        "  - name: vw\n    bus: b\n    unit: 1\n    points:\n"                                               \
        "      - {name: p, holding: 0, type: f32, order: CDAB, range: [-500, 500], convert:\n"               \
        "         {vibrating_wire: {input: digits, zero: 9000, factor: -0.1, sign: \"reading - zero\",\n"    \
        "          temperature: {of: t, zero: 20, factor: 2},\n"                                             \
        "          barometer: {of: baro.hpa, times: 0.1, zero: 100}}}}\n"                                    \
        "      - {name: t, holding: 2, type: f32, order: CDAB, convert: {table: [[100, 30], [200, 20]]}}\n"  \
        "  - {name: baro, bus: b, unit: 2, points: [{name: hpa, holding: 0, type: u16}]}\n"

static void a_gauge_with_its_thermistor_and_a_barometer(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, GAUGE);
    TELLS(&r, "vw p!stale t=20", good(&r, "vw.p", 8000), good(&r, "vw.t", 200));
    TELLS(&r, "baro hpa=1010", good(&r, "baro.hpa", 1010)); /* read, but the gauge is not read anew by it */
    TELLS(&r, "vw p=99 t=20", good(&r, "vw.p", 8000), good(&r, "vw.t", 200));
    TELLS(&r, "vw p=119 t=30", good(&r, "vw.p", 8000), good(&r, "vw.t", 100)); /* of this very frame */
    TELLS(&r, "vw p=219", good(&r, "vw.p", 7000));
    TELLS(&r, "vw p!range t!range", good(&r, "vw.p", 7000), good(&r, "vw.t", 99));
    TELLS(&r, "vw p!comm t=20", bad(&r, "vw.p", QUALITY_COMM), good(&r, "vw.t", 200));
    TELLS(&r, "baro hpa!sensor", bad(&r, "baro.hpa", QUALITY_SENSOR));
    TELLS(&r, "vw p!sensor t=20", good(&r, "vw.p", 8000), good(&r, "vw.t", 200));
    TELLS(&r, "vw p!inhibited t!inhibited", good(&r, "vw.p", 8000), bad(&r, "vw.t", QUALITY_INHIBITED));
    TELLS(&r, "vw p!range t!inhibited", good(&r, "vw.p", 0), bad(&r, "vw.t", QUALITY_INHIBITED));
    TELLS(&r, "baro hpa=1000", good(&r, "baro.hpa", 1000));
    TELLS(&r, "vw p=500 t=20", good(&r, "vw.p", 4000), good(&r, "vw.t", 200));
    TELLS(&r, "vw p!range t=20", good(&r, "vw.p", 3999),
          good(&r, "vw.t", 200)); /* the range is the outcome's */
    end(&r);
}

/* Corrected by a mean in which its own thermistor has a part: the mean of this frame, not of the one before. */
static void a_correction_that_is_derived(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, GATEWAY BUS
          "devices:\n"
          "  - name: vw\n    bus: b\n    unit: 1\n    points:\n"
          "      - {name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, zero: 0,\n"
          "         factor: 1, sign: reading - zero, temperature: {of: g.mean, zero: 0, factor: 1}}}}\n"
          "      - {name: t, holding: 1, type: i16}\n"
          "  - {name: air, bus: b, unit: 2, points: [{name: t, holding: 0, type: i16}]}\n"
          "derived: [{name: g, points: [{name: mean, mean: [vw.t, air.t]}]}]\n");
    TELLS(&r, "air t=10; g mean!stale", good(&r, "air.t", 10));
    TELLS(&r, "vw p=1015 t=20; g mean=15", good(&r, "vw.p", 1000), good(&r, "vw.t", 20));
    TELLS(&r, "vw p=1020 t=30; g mean=20", good(&r, "vw.p", 1000), good(&r, "vw.t", 30));
    TELLS(&r, "vw p!comm t!comm; g mean!comm", bad(&r, "vw.p", QUALITY_COMM), bad(&r, "vw.t", QUALITY_COMM));
    end(&r);
}

static void other_conversions(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, GATEWAY BUS
          "devices:\n"
          "  - name: d\n    bus: b\n    unit: 1\n    points:\n"
          "      - {name: line, holding: 0, type: u16, range: [0, 100], convert:\n"
          "         {two_point: {from: [4, 20], to: [0, 100]}}}\n"
          "      - {name: ohm, holding: 1, type: u16, convert: {thermistor: {a: 1.4051e-3, b: 2.369e-4, c: "
          "1.019e-7}}}\n"
          "      - {name: ppm, holding: 2, type: u16, convert:\n"
          "         {concentration: {to: ppm, molar_mass: 28.01, temperature: 0}}}\n"
          "      - {name: mg, holding: 3, type: u16, convert:\n"
          "         {concentration: {to: mg/m3, molar_mass: 28.01, temperature: 0}}}\n"
          "      - {name: kpa, holding: 4, type: u16, convert: {pressure: {from: mH2O, to: kPa}}}\n"
          "      - {name: poly, holding: 5, type: u16, convert: {vibrating_wire: {input: hertz,\n"
          "         polynomial: {a: 0.001, b: 1, c: 5}}}}\n"
          "      - {name: zero, holding: 6, type: u16, convert: {vibrating_wire: {input: period_us,\n"
          "         polynomial: {a: 0.001, b: 1}, zero: 1000}}}\n");
    TELLS(&r, "d line=50 ohm=24.99204234 ppm=24.00642628 mg=29.9919693 kpa=98.0665 poly=2005 zero=0",
          good(&r, "d.line", 12), good(&r, "d.ohm", 3000), good(&r, "d.ppm", 30), good(&r, "d.mg", 24),
          good(&r, "d.kpa", 10), good(&r, "d.poly", 1000), good(&r, "d.zero", 1000));
    TELLS(&r, "d line!range ohm!range poly!range zero!range", good(&r, "d.line", 3.9), good(&r, "d.ohm", 0),
          good(&r, "d.poly", 0), good(&r, "d.zero", 0));
    end(&r);
}

/* ---- counters ---- */

#define COUNTER(more)                                                                                        \
    GATEWAY BUS "devices: [{name: d, bus: b, unit: 1, points: [{name: n, holding: 0, type: u16}]}]\n"        \
                "derived: [{name: g, points: [{name: rain, increase: {of: d.n" more "}]}]\n"

static void an_increase(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, COUNTER(", wrap: 65536}, scale: 0.2"));
    TELLS(&r, "d n!comm; g rain!comm", bad(&r, "d.n", QUALITY_COMM));
    TELLS(&r, "d n=100; g rain!stale", good(&r, "d.n", 100)); /* nobody saw it before */
    TELLS(&r, "d n=105; g rain=1", good(&r, "d.n", 105));
    TELLS(&r, "d n=105; g rain=0", good(&r, "d.n", 105));
    TELLS(&r, "d n!comm; g rain!comm", bad(&r, "d.n", QUALITY_COMM));
    TELLS(&r, "d n!sensor; g rain!sensor", bad(&r, "d.n", QUALITY_SENSOR));
    TELLS(&r, "d n=115; g rain=2", good(&r, "d.n", 115)); /* since the last good one: nothing is lost */
    TELLS(&r, "d n=65530; g rain=13083", good(&r, "d.n", 65530));
    TELLS(&r, "d n=4; g rain=2", good(&r, "d.n", 4));             /* over the end: 10 */
    TELLS(&r, "d n=70000; g rain!range", good(&r, "d.n", 70000)); /* no such counter, and not remembered */
    TELLS(&r, "d n=14; g rain=2", good(&r, "d.n", 14));
    TELLS(&r, "d n=5; g rain=1", good(&r, "d.n", 5)); /* it began anew, and has counted 5 since */
    end(&r);
}

static void an_increase_beyond_the_range_is_counted_once(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, COUNTER("}, range: [0, 10]"));
    FEED(&r, good(&r, "d.n", 100));
    TELLS(&r, "d n=150; g rain!range", good(&r, "d.n", 150));
    TELLS(&r, "d n=155; g rain=5", good(&r, "d.n", 155));
    TELLS(&r, "d n=3; g rain=3", good(&r, "d.n", 3)); /* without wrap it can only have begun anew */
    end(&r);
}

/* ---- over a reload, and over a restart ---- */

/* The next site takes over from the last, as the pipeline does it. */
static void reload(struct rig *r, const char *text)
{
    struct config *old = r->config;
    struct convert *from = r->convert;

    load(r, text);
    assert_int_equal(convert_inherit(r->convert, from), RG_OK);
    convert_destroy(from);
    config_free(old);
}

static void a_reload_neither_loses_nor_doubles(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, COUNTER("}"));
    FEED(&r, good(&r, "d.n", 100));
    FEED(&r, good(&r, "d.n", 110));
    reload(&r, COUNTER("}"));
    TELLS(&r, "d n=117; g rain=7", good(&r, "d.n", 117));
    reload(&r, COUNTER("}, label: Rain, unit: mm, range: [0, 100]")); /* means the same */
    TELLS(&r, "d n=118; g rain=1", good(&r, "d.n", 118));
    reload(&r, COUNTER(", wrap: 65536}")); /* does not */
    TELLS(&r, "d n=120; g rain!stale", good(&r, "d.n", 120));
    end(&r);
    begin(&r, COUNTER(", wrap: 65536}")); /* a restart */
    TELLS(&r, "d n=130; g rain!stale", good(&r, "d.n", 130));
    end(&r);
}

static void a_counter_that_became_another(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, COUNTER("}"));
    FEED(&r, good(&r, "d.n", 100));
    reload(&r,
           GATEWAY BUS "devices: [{name: d, bus: b, unit: 1, points: [{name: n, holding: 9, type: u16}]}]\n"
                       "derived: [{name: g, points: [{name: rain, increase: {of: d.n}}]}]\n");
    TELLS(&r, "d n=7; g rain!stale", good(&r, "d.n", 7));
    reload(&r,
           GATEWAY BUS "devices: [{name: d, bus: b, unit: 2, points: [{name: n, holding: 9, type: u16}]}]\n"
                       "derived: [{name: g, points: [{name: rain, increase: {of: d.n}}]}]\n");
    TELLS(&r, "d n=9; g rain!stale", good(&r, "d.n", 9));
    end(&r);
}

/* A derived point needs not wait for its slowest operand to be read again; one whose operand means something else does. */
static void readings_go_on(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT("      - {name: x, sum: [d.a, e.a]}\n      - {name: y, sum: [x, d.b]}\n"));
    FEED(&r, good(&r, "e.a", 3), good(&r, "e.b", 8));
    FEED(&r, good(&r, "d.a", 4));
    reload(&r, PLANT("      - {name: new, sum: [e.a, d.b]}\n      - {name: x, sum: [d.a, e.a]}\n"
                     "      - {name: y, sum: [x, d.b]}\n"));
    TELLS(&r, "d b=1; g new=4 y=8", good(&r, "d.b", 1));
    TELLS(&r, "d a=5; g x=8 y=9", good(&r, "d.a", 5));
    /* e.a is scaled now: what was read of it, and what was worked out from it, is not what it would be. */
    reload(&r, GATEWAY BUS
           "devices:\n"
           "  - {name: e, bus: b, unit: 2, points: [{name: a, holding: 0, type: i16, scale: 2}]}\n"
           "  - {name: d, bus: b, unit: 1, points: [{name: a, holding: 0, type: i16},\n"
           "     {name: b, holding: 1, type: i16}]}\n"
           "derived:\n  - name: g\n    points:\n      - {name: x, sum: [d.a, e.a]}\n"
           "      - {name: y, sum: [x, d.b]}\n      - {name: z, sum: [d.a, d.b]}\n");
    TELLS(&r, "d b=2; g z=7 y!stale", good(&r, "d.b", 2));
    TELLS(&r, "e a=6; g x=11 y=13", good(&r, "e.a", 6));
    end(&r);
}

/* ---- what is refused ---- */

static void sites_that_cannot_be(void **state)
{
    struct convert *c = NULL;
    struct site_derived d;
    struct site_operand operands[DERIVED_OPERANDS_MAX + 1];
    struct site_point *x;
    struct rig r;

    (void)state;
    begin(&r, PLANT("      - {name: x, sum: [d.a]}\n"));
    x = &r.config->site->points[support_site_point(r.site, "g.x")];
    d = *x->derived;
    x->derived = &d;
    for (size_t i = 0; i < RG_COUNT(operands); i++)
        operands[i] = d.operands[0];
    d.operands = operands;
    for (unsigned kind = 0; kind <= DERIVE_INCREASE; kind++) {
        static const size_t counts[][2] = {{1, 64}, {1, 64}, {1, 64}, {1, 64}, {1, 64},
                                           {3, 8},  {6, 6},  {2, 2},  {1, 1}};

        d.kind = (enum derive_kind)kind;
        for (d.operand_count = 0; d.operand_count <= DERIVED_OPERANDS_MAX + 1; d.operand_count++) {
            bool list = kind <= DERIVE_MAX;
            bool fits = list ? d.operand_count >= counts[kind][0] && d.operand_count <= counts[kind][1]
                             : d.operand_count == counts[kind][0] || d.operand_count == counts[kind][1];

            assert_int_equal(convert_create(r.site, &c), fits ? RG_OK : RG_EINVAL);
            convert_destroy(c);
        }
    }
    d.kind = DERIVE_SUM;
    d.operand_count = 2;
    operands[1].point = support_site_point(r.site, "g.x"); /* a circle */
    assert_int_equal(convert_create(r.site, &c), RG_EINVAL);
    operands[1].point = (uint32_t)r.site->point_count;
    assert_int_equal(convert_create(r.site, &c), RG_EINVAL);
    assert_null(c);
    convert_destroy(NULL);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_with_nothing_to_do),
        cmocka_unit_test(only_what_depends_on_the_frame_is_told),
        cmocka_unit_test(derived_of_derived),
        cmocka_unit_test(samples_that_do_not_belong),
        cmocka_unit_test(ways_to_work_out),
        cmocka_unit_test(an_outcome_that_is_no_number),
        cmocka_unit_test(the_first_bad_operand_gives_the_reason),
        cmocka_unit_test(a_gauge_with_its_thermistor_and_a_barometer),
        cmocka_unit_test(a_correction_that_is_derived),
        cmocka_unit_test(other_conversions),
        cmocka_unit_test(an_increase),
        cmocka_unit_test(an_increase_beyond_the_range_is_counted_once),
        cmocka_unit_test(a_reload_neither_loses_nor_doubles),
        cmocka_unit_test(a_counter_that_became_another),
        cmocka_unit_test(readings_go_on),
        cmocka_unit_test(sites_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
