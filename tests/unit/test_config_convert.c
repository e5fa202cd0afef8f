/* LINK rg_config rg_test_support */
/* convert and derived: every message, with its place; and what they become. */
#include "config_rows.h"
#include "support_site.h"

static const struct row rows[] = {
    {FRAME_POINT, "name: p, coil: 0, convert: {table: [[0, 0], [1, 2]]}",
     "8:28: error: `convert` means nothing for a single bit\n"},
    {FRAME_POINT, "name: p, holding: 0, bit: 1, convert: {table: [[0, 0], [1, 2]]}",
     "8:39: error: `convert` means nothing for a single bit\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, values: {1: on}, convert: {table: [[0, 0], [1, 2]]}",
     "8:59: error: `convert` means nothing beside `values`: they are names, not quantities\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: 5",
     "8:51: error: `convert` must be a mapping, not `5`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {}",
     "8:51: error: `convert` needs exactly one of `two_point`, `table`, `thermistor`, `vibrating_wire`, "
     "`concentration`, `pressure`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {tables: [[0, 0], [1, 2]]}",
     "8:52: error: unknown key `tables` in `convert`; did you mean `table`?\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {table: [[0, 0], [1, 2]], two_point: {from: [4, 20], to: [0, "
     "100]}}",
     "8:52: error: `two_point` and `table` are both given; `convert` has exactly one of `two_point`, "
     "`table`, `thermistor`, `vibrating_wire`, `concentration`, `pressure`\n"
     "8:77: warning: without a `range` what a broken or shorted loop reads is taken for a good value\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: 5}",
     "8:59: error: `table` must be a list of pairs such as [[0, 0], [1.5, 12]], not `5`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: []}",
     "8:59: error: `table` must hold 2 to 1000 pairs, not 0\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: [[0, 0]]}",
     "8:59: error: `table` must hold 2 to 1000 pairs, not 1\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: [[0, 0], [1]]}",
     "8:68: error: `table` must be a list of two numbers\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: [[0, 0], 1]}",
     "8:68: error: `table` must be a list of two numbers\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: [[0, 0], [1, x]]}",
     "8:72: error: `table` must be a number, not `x`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: [[0, 0], [2, 1], [2, 3]]}",
     "8:76: error: `table` must ascend: 2 does not follow 2\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: [[0, 0], [-1, 1]]}",
     "8:68: error: `table` must ascend: -1 does not follow 0\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {table: [[0, 0], [1.5, 12]]}", ""},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, range: [0, 100], convert: {two_point: {from: [4, 20], to: [0, 100]}}",
     ""},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {two_point: {from: [4, 20], to: [0, 100]}}",
     "8:52: warning: without a `range` what a broken or shorted loop reads is taken for a good value\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, range: [0, 1], convert: {two_point: {from: [4, 4], to: [1, 1]}}",
     "8:85: error: `from` must be two different raw values\n"
     "8:97: error: `to` must be two different values: every value would be the same\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, range: [0, 1], convert: {two_point: {from: [4, 20, 30], to: 5}}",
     "8:85: error: `from` must be a list of two numbers\n"
     "8:102: error: `to` must be a list of two numbers, not `5`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, range: [0, 1], convert: {two_point: {from: [4, a]}}",
     "8:78: error: `to` is missing in `two_point`\n"
     "8:89: error: `from` must be a number, not `a`\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {thermistor: {a: 1.4051e-3, b: 2.369e-4, c: 1.019e-7}}", ""},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {thermistor: {a: 1.4051e-3, b: x, e: 1.019e-7}}",
     "8:64: error: `c` is missing in `thermistor`\n"
     "8:82: error: `b` must be a number, not `x`\n"
     "8:85: error: unknown key `e` in `thermistor`\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {concentration: {to: ppm, molar_mass: 28.01, temperature: "
     "20}}",
     ""},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {concentration: {to: ppb, molar_mass: 0}}",
     "8:67: error: `temperature` is missing in `concentration`\n"
     "8:72: error: `to` must be one of ppm, mg/m3, not `ppb`; did you mean `ppm`?\n"
     "8:89: error: `molar_mass` must be 1 to 1000, not `0`\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {concentration: {to: mg/m3, molar_mass: 28.01, temperature: "
     "293.15}}",
     "8:111: error: `temperature` must be -100 to 100, not `293.15`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {pressure: {from: kPa, to: mH2O}}", ""},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {pressure: {from: kPa, to: kPa}}",
     "8:62: error: `from` and `to` of `pressure` are the same unit\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {pressure: {from: psi}}",
     "8:62: error: `to` is missing in `pressure`\n"
     "8:69: error: `from` must be one of Pa, hPa, kPa, MPa, bar, mH2O, mmHg, atm, not `psi`\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: hertz, zero: 8981, factor: -0.0012, "
     "sign: \"reading - zero\"}}",
     ""},
    {FRAME_POINT, "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: khz}}",
     "8:68: error: `zero` is missing in `vibrating_wire`, which has no `polynomial`\n"
     "8:68: error: `factor` is missing in `vibrating_wire`, which has no `polynomial`\n"
     "8:68: error: `sign` is missing in `vibrating_wire`, which has no `polynomial`\n"
     "8:76: error: `input` must be one of hertz, period_us, digits, not `khz`\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, zero: 8981, factor: 0, sign: "
     "reading}}",
     "8:104: error: `factor` must not be 0: it would have no effect\n"
     "8:113: error: `sign` must be one of reading - zero, zero - reading, not `reading`\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, polynomial: {a: 1, b: 2, c: "
     "3}}}",
     ""},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, polynomial: {a: 1, b: 2}, "
     "zero: 8981}}",
     ""},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, polynomial: {a: 1, b: 2}}}",
     "8:96: error: `c` is missing in `polynomial`; or give `zero`, from which it follows\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, polynomial: {a: 1, b: 2, c: "
     "3}, zero: 8981, factor: 2, sign: \"zero - reading\"}}",
     "8:116: error: `zero` and the `c` of the polynomial are both given: c follows from zero\n"
     "8:128: error: `factor` means nothing beside `polynomial`\n"
     "8:139: error: `sign` means nothing beside `polynomial`\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, polynomial: {a: 1, b: 2, c: "
     "3}, temperature: {of: d.q, zero: 20, factor: 0.01}, barometer: {of: e.p, zero: 101.3}}}",
     "8:134: error: there is no point `d.q`; did you mean `d.p`?\n"
     "8:180: error: there is no point `e.p`; did you mean `d.p`?\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, polynomial: {a: 1, b: 2, c: "
     "3}, temperature: {of: q, zero: 20, factor: 0, times: 0}, barometer: {zero: 101.3}}}",
     "8:155: error: `factor` must not be 0: it would have no effect\n"
     "8:165: error: `times` must not be 0: the point would have no effect\n"
     "8:180: error: `of` is missing in `barometer`\n"},
    {FRAME_POINT,
     "name: p, holding: 0, type: u16, convert: {vibrating_wire: {input: digits, polynomial: {a: 1, b: 2, c: "
     "3}, temperature: {of: p, zero: 20, factor: 1}}}",
     "8:16: error: the point `d.p` is worked out from itself, directly or through others\n"},
    {FRAME_POINT,
     "name: q, holding: 0, type: i16}\n      - {name: p, holding: 1, type: u16, convert: {vibrating_wire: "
     "{input: digits, polynomial: {a: 1, b: 2, c: 3}, temperature: {of: q, zero: 20, factor: 1}}}",
     ""},
    {FRAME_DERIVED, "name: y, difference: [d.a, d.b]", ""},
    {FRAME_DERIVED, "name: y, difference: [d.a, {of: d.b, times: 0.5, plus: 3}, 4, x]", ""},
    {FRAME_DERIVED, "name: y",
     "8:9: error: a derived point needs exactly one of `difference`, `sum`, `mean`, `min`, `max`, `beach`, "
     "`beach_slope`, `freeboard`, `increase`\n"},
    {FRAME_DERIVED, "name: y, sum: [d.a], mean: [d.a, d.b]",
     "8:31: error: `sum` and `mean` are both given; a derived point has exactly one of `difference`, `sum`, "
     "`mean`, `min`, `max`, `beach`, `beach_slope`, `freeboard`, `increase`\n"},
    {FRAME_DERIVED, "name: y, difference: [d.a]",
     "8:31: error: `difference` takes 2 to 64 operands, not 1\n"},
    {FRAME_DERIVED, "name: y, mean: []", "8:25: error: `mean` takes 2 to 64 operands, not 0\n"},
    {FRAME_DERIVED, "name: y, min: d.a",
     "8:24: error: `min` must be a list of points and numbers, not `d.a`\n"},
    {FRAME_DERIVED, "name: y, max: [d.a, [d.b]]",
     "8:30: error: an operand of `max` must be a number, a point or a mapping, not a list\n"},
    {FRAME_DERIVED, "name: y, max: [d.a, null]",
     "8:30: error: an operand of `max` must be a number, a point or a mapping, not nothing\n"},
    {FRAME_DERIVED, "name: y, sum: [1, 2]",
     "8:19: error: `sum` names no point: its value would never change\n"},
    {FRAME_DERIVED, "name: y, sum: [d.aa]", "8:25: error: there is no point `d.aa`; did you mean `d.a`?\n"},
    {FRAME_DERIVED, "name: y, sum: [z]", "8:25: error: there is no point `g.z`; did you mean `g.x`?\n"},
    {FRAME_DERIVED, "name: y, sum: [a.b.c]", "8:25: error: there is no point `a.b.c`\n"},
    {FRAME_DERIVED, "name: y, sum: [\"5\"]", "8:25: error: there is no point `g.5`; did you mean `g.x`?\n"},
    {FRAME_DERIVED, "name: y, sum: [{times: 2}]", "8:25: error: `of` is missing in an operand\n"},
    {FRAME_DERIVED, "name: y, sum: [{of: d.a, times: 0}]",
     "8:42: error: `times` must not be 0: the point would have no effect\n"},
    {FRAME_DERIVED, "name: y, sum: [{of: d.a, time: 2}]",
     "8:35: error: unknown key `time` in an operand; did you mean `times`?\n"},
    {FRAME_DERIVED, "name: y, sum: [{of: 5}]", "8:30: error: there is no point `g.5`; did you mean `g.x`?\n"},
    {FRAME_DERIVED, "name: y, sum: [1e999]", "8:25: error: `sum`: `1e999` is too large a number\n"},
    {FRAME_DERIVED, "name: y, sum: [y]",
     "8:16: error: the point `g.y` is worked out from itself, directly or through others\n"},
    {FRAME_DERIVED, "name: y, sum: [z, d.a]}\n      - {name: z, sum: [g.y]",
     "8:16: error: the point `g.y` is worked out from itself, directly or through others\n"},
    {FRAME_DERIVED,
     "name: y, sum: [z, d.a]}\n      - {name: z, sum: [g.y]}\n      - {name: w, sum: [y]}\n      - {name: v, "
     "sum: [v]",
     "8:16: error: the point `g.y` is worked out from itself, directly or through others\n"
     "11:16: error: the point `g.v` is worked out from itself, directly or through others\n"},
    {FRAME_DERIVED, "name: x, sum: [d.a]",
     "8:16: error: the point `g.x` is defined already, first at c.yaml:7\n"},
    {FRAME_DERIVED, "name: y, sum: [d.a], scale: 0",
     "8:38: error: `scale` must not be 0: every value would be the same\n"},
    {FRAME_DERIVED, "name: y, sum: [d.a], range: [1, 0]",
     "8:38: error: `range` is [least, most]: 1 is not less than 0\n"},
    {FRAME_DERIVED, "name: y, sum: [d.a], holding: 5",
     "8:31: error: unknown key `holding` in a derived point\n"},
    {FRAME_DERIVED, "name: y, beach: {crest: 150.0, level: d.a, slope: 0.012}", ""},
    {FRAME_DERIVED, "name: y, beach: {crest: 150.0, level: d.a, slope: 0}",
     "8:60: error: `slope` must be above 0, not `0`\n"},
    {FRAME_DERIVED, "name: y, beach: {crest: 150.0, level: 148, slope: 0.012}",
     "8:19: error: `beach` names no point: its value would never change\n"},
    {FRAME_DERIVED, "name: y, beach: {crest: 150.0, level: d.a, slope: {of: d.b, times: 0.001}}", ""},
    {FRAME_DERIVED,
     "name: y, beach: {crest: 150.0, level: d.a, slope: {h1: 155, d1: d.b, h2: 155, d2: d.a, x1: 10, x2: "
     "60}}",
     ""},
    {FRAME_DERIVED,
     "name: y, beach: {crest: 150.0, level: d.a, slope: {h1: 155, d1: d.b, h2: 155, d2: d.a, x1: 10, x2: "
     "10}}",
     "8:109: error: `x1` and `x2` are one place: there is no slope between\n"},
    {FRAME_DERIVED, "name: y, beach: {crest: 150.0, level: d.a, slope: {h1: 155, d1: d.b, h2: 155}}",
     "8:60: error: `d2` is missing in a slope between two gauges\n"
     "8:60: error: `x1` is missing in a slope between two gauges\n"
     "8:60: error: `x2` is missing in a slope between two gauges\n"},
    {FRAME_DERIVED, "name: y, beach: {crest: 150.0}",
     "8:26: error: `level` is missing in `beach`\n"
     "8:26: error: `slope` is missing in `beach`\n"},
    {FRAME_DERIVED, "name: y, beach: [150, d.a, 0.012]",
     "8:19: error: `beach` must be a mapping, not a list\n"},
    {FRAME_DERIVED, "name: y, beach_slope: {h1: 155, d1: d.b, h2: 155, d2: d.a, x1: 10, x2: 60}", ""},
    {FRAME_DERIVED, "name: y, beach_slope: {h1: 155, d1: 1, h2: 155, d2: 2, x1: 10, x2: 60}",
     "8:19: error: `beach_slope` names no point: its value would never change\n"},
    {FRAME_DERIVED, "name: y, freeboard: {crest: d.a, flood_level: 148.9}", ""},
    {FRAME_DERIVED, "name: y, freeboard: {crest: 150, flood_level: 148.9}",
     "8:19: error: `freeboard` names no point: its value would never change\n"},
    {FRAME_DERIVED, "name: y, freeboard: {crest: 150, level: d.a}",
     "8:30: error: `flood_level` is missing in `freeboard`\n"
     "8:43: error: unknown key `level` in `freeboard`\n"},
    {FRAME_DERIVED, "name: y, increase: {of: d.a, wrap: 65536}, scale: 0.2, unit: mm", ""},
    {FRAME_DERIVED, "name: y, increase: {of: d.a, wrap: 65536, most: 65536}",
     "8:58: error: `most` must be less than `wrap`\n"},
    {FRAME_DERIVED, "name: y, increase: {of: d.a, most: 10}",
     "8:39: error: `most` means nothing without `wrap`\n"},
    {FRAME_DERIVED, "name: y, increase: {of: d.a, wrap: 1}",
     "8:45: error: `wrap` must be at least 2, not `1`\n"},
    {FRAME_DERIVED, "name: y, increase: {of: d.a, wrap: 1.5}",
     "8:45: error: `wrap` must be a whole number, not `1.5`\n"},
    {FRAME_DERIVED, "name: y, increase: {wrap: 65536}", "8:29: error: `of` is missing in `increase`\n"},
    {FRAME_DERIVED, "name: y, increase: d.a", "8:29: error: `increase` must be a mapping, not `d.a`\n"},
    {FRAME_TOP, "derived: 5\n", "2:10: error: `derived` must be a list of mappings, not `5`\n"},
    {FRAME_TOP, "derived: [{name: g}]\n", "2:11: error: `points` is missing in a group of `derived`\n"},
    {FRAME_TOP, "derived: [{name: g, points: []}]\n",
     "2:29: error: `points` is empty: nothing would be worked out\n"},
    {FRAME_TOP, "derived: [{name: g, points: [5]}]\n",
     "2:30: error: an entry of `points` must be a mapping, not a text\n"},
    {FRAME_TOP, "derived: [{name: g.h, points: [{name: x, sum: [x]}]}]\n",
     "2:18: error: `name` must not hold a dot, for a point is called device.point: `g.h`\n"},
    {FRAME_TOP, "derived: [{name: g, poll: 1s, area: hall, points: [{name: x, sum: [1, q.x]}]}]\n",
     "2:21: error: unknown key `poll` in a group of `derived`\n"
     "2:37: error: there is no area `hall`\n"
     "2:71: error: there is no point `q.x`; did you mean `g.x`?\n"},
    {FRAME_TOP,
     "buses: [{name: b, tcp: \"127.0.0.1:502\"}]\ndevices: [{name: g, bus: b, unit: 1, points: [{name: x, "
     "coil: 0}]}]\nderived: [{name: g, points: [{name: y, sum: [g.x]}]}]\n",
     "4:18: error: the device `g` is defined already, first at c.yaml:3\n"},
};

static void test_messages(void **state)
{
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

/* ---- what they become ---- */

static const char plant[] = GATEWAY BUS
    "areas: [{name: dam}]\n"
    "devices:\n"
    "  - name: vw\n"
    "    bus: b\n"
    "    unit: 1\n"
    "    points:\n"
    "      - {name: p, holding: 0, type: f32, order: CDAB, unit: kPa, convert: {vibrating_wire: {input: "
    "hertz,\n"
    "         zero: 8981, factor: -0.12, sign: \"zero - reading\", temperature: {of: t, zero: 20, factor: "
    "0.01},\n"
    "         barometer: {of: baro.hpa, times: 0.1, plus: 0.5, zero: 101.3}}}}\n"
    "      - {name: t, holding: 2, type: f32, order: CDAB,\n"
    "         convert: {thermistor: {a: 1.4051e-3, b: 2.369e-4, c: 1.019e-7}}}\n"
    "      - {name: q, holding: 4, type: u16, convert: {vibrating_wire: {input: period_us,\n"
    "         polynomial: {a: 1, b: 2}, zero: 9000}}}\n"
    "  - {name: baro, bus: b, unit: 2, points: [{name: hpa, holding: 0, type: u16, scale: 0.1, range: [80, "
    "110],\n"
    "     convert: {two_point: {from: [20, 4], to: [80, 110]}}}]}\n"
    "  - {name: \"1\", bus: b, unit: 3, points: [{name: \"5\", holding: 0, type: u32, order: ABCD}]}\n"
    "derived:\n"
    "  - name: pond\n"
    "    label: Pond\n"
    "    area: dam\n"
    "    points:\n"
    "      - {name: net, difference: [vw.p, 1.5, {of: \"1.5\", times: -2, plus: 1}], scale: 0.1, offset: 3, "
    "unit: m}\n"
    "      - {name: beach, range: [0, 500], beach: {crest: 150, level: net, slope: {h1: 1, d1: vw.p, h2: 2, "
    "d2: vw.q,\n"
    "         x1: 3, x2: 4}}}\n"
    "      - {name: rain, increase: {of: \"1.5\", wrap: 4294967296, most: 1000}, scale: 0.2}\n"
    "rules: [{name: r, points: \"pond.*\", below: {red: 1}}]\n"
    "uplinks: [{name: u, url: \"mqtt://127.0.0.1\", telemetry: {devices: [pond]}}]\n";

static const struct site_point *point(const struct site *site, const char *name)
{
    return &site->points[support_site_point(site, name)];
}

static void check_operand(const struct site *site, const struct site_operand *o, const char *name,
                          double times, double plus)
{
    if (name)
        assert_string_equal(site->points[o->point].full_name, name);
    else
        assert_int_equal(o->point, SITE_NONE);
    assert_true(!name || o->times == times);
    assert_true(o->plus == plus);
}

static void check_wire(const struct site *site)
{
    const struct site_convert *c = point(site, "vw.p")->convert;

    assert_int_equal(c->kind, CONVERT_VIBRATING_WIRE);
    assert_int_equal(c->input, WIRE_HERTZ);
    assert_int_equal(c->sign, WIRE_ZERO_MINUS_READING);
    assert_true(!c->polynomial && c->zero == 8981 && c->factor == -0.12);
    assert_true(c->has_temperature && c->temperature_zero == 20 && c->temperature_factor == 0.01);
    check_operand(site, &c->temperature, "vw.t", 1, 0);
    assert_true(c->has_barometer && c->barometer_zero == 101.3);
    check_operand(site, &c->barometer, "baro.hpa", 0.1, 0.5);
    c = point(site, "vw.q")->convert;
    assert_true(c->polynomial && c->c_from_zero && c->a == 1 && c->b == 2 && c->zero == 9000);
    assert_int_equal(c->input, WIRE_PERIOD_US);
}

static void check_others(const struct site *site)
{
    const struct site_convert *c = point(site, "vw.t")->convert;

    assert_int_equal(c->kind, CONVERT_THERMISTOR);
    assert_true(c->a == 1.4051e-3 && c->b == 2.369e-4 && c->c == 1.019e-7 && c->d == 0);
    c = point(site, "baro.hpa")->convert;
    assert_int_equal(c->kind, CONVERT_TWO_POINT);
    assert_int_equal(c->entry_count, 2);
    assert_true(c->entries[0].from == 20 && c->entries[0].to == 80);
    assert_true(c->entries[1].from == 4 && c->entries[1].to == 110);
}

static void check_derived(const struct site *site)
{
    const struct site_point *p = point(site, "pond.net");
    const struct site_derived *d = p->derived;

    assert_int_equal(p->space, SPACE_DERIVED);
    assert_int_equal(d->kind, DERIVE_DIFFERENCE);
    assert_int_equal(d->operand_count, 3);
    check_operand(site, &d->operands[0], "vw.p", 1, 0);
    check_operand(site, &d->operands[1], NULL, 0, 1.5);
    check_operand(site, &d->operands[2], "1.5", -2, 1);
    assert_true(p->scaling.num / p->scaling.den == 0.1 && p->scaling.add / p->scaling.den == 3);
    assert_string_equal(p->unit, "m");
    d = point(site, "pond.beach")->derived;
    assert_int_equal(d->kind, DERIVE_BEACH);
    assert_int_equal(d->operand_count, 8);
    check_operand(site, &d->operands[1], "pond.net", 1, 0);
    check_operand(site, &d->operands[5], "vw.q", 1, 0);
    check_operand(site, &d->operands[7], NULL, 0, 4);
    d = point(site, "pond.rain")->derived;
    assert_int_equal(d->kind, DERIVE_INCREASE);
    assert_true(d->wrap == 4294967296.0 && d->most == 1000);
}

static void test_what_they_become(void **state)
{
    const struct site_device *pond;
    struct config *config = load_good(plant);

    (void)state;
    assert_int_equal(config->warning_count, 0);
    check_wire(config->site);
    check_others(config->site);
    check_derived(config->site);
    assert_int_equal(config->site->device_count, 4);
    pond = &config->site->devices[3];
    assert_true(pond->derived);
    assert_string_equal(pond->label, "Pond");
    assert_int_equal(pond->bus, SITE_NONE);
    assert_int_equal(pond->offline_level, LEVEL_NONE);
    assert_string_equal(config->site->areas[pond->area].name, "dam");
    assert_int_equal(pond->point_count, 3);
    assert_int_equal(config->site->rules[0].point_count, 3);
    assert_true(config->site->uplinks[0].telemetry_devices[3]);
    assert_false(config->site->uplinks[0].telemetry_devices[0]);
    config_free(config);
}

/* ---- bounds ---- */

/* x0 of d.a, and each further one of the one before it; written last first, for order does not matter. */
static void chain(unsigned length, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%sname: last, sum: [d.a]}\n", frames[FRAME_DERIVED].before);

    for (unsigned i = length - 1; i > 0; i--)
        used += (size_t)snprintf(text + used, size - used, "      - {name: x%u, sum: [x%u]}\n", i, i - 1);
    (void)snprintf(text + used, size - used, "      - {name: x0, sum: [d.a]}\n");
}

static void test_depth(void **state)
{
    static const char too_deep[] = "9:16: error: more than 16 points are worked out one from another\n";
    char text[8192], found[1024];

    (void)state;
    chain(SITE_DEPTH_MAX, text, sizeof text);
    issues_of(text, found, sizeof found);
    assert_string_equal(found, "");
    chain(SITE_DEPTH_MAX + 1, text, sizeof text);
    issues_of(text, found, sizeof found);
    assert_string_equal(found, too_deep);
    chain(4 * SITE_DEPTH_MAX, text, sizeof text);
    issues_of(text, found, sizeof found);
    assert_string_equal(found, too_deep);
}

static void operands(unsigned count, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%sname: y, mean: [d.a", frames[FRAME_DERIVED].before);

    for (unsigned i = 1; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, ", d.b");
    (void)snprintf(text + used, size - used, "]}\n");
}

static void test_operand_count(void **state)
{
    char text[4096], found[1024];

    (void)state;
    operands(DERIVED_OPERANDS_MAX, text, sizeof text);
    issues_of(text, found, sizeof found);
    assert_string_equal(found, "");
    operands(DERIVED_OPERANDS_MAX + 1, text, sizeof text);
    issues_of(text, found, sizeof found);
    assert_string_equal(found, "8:25: error: `mean` takes 2 to 64 operands, not 65\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_messages),
                                       cmocka_unit_test(test_what_they_become), cmocka_unit_test(test_depth),
                                       cmocka_unit_test(test_operand_count)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
