/* LINK rg_config */
/* outputs: what they become, every message with its place, and what of a change is told. */
#include "config_rows.h"

#include "config/diff.h"

#define HEAD                                                                                                 \
    GATEWAY BUS                                                                                              \
        "areas: [{name: hall}]\n"                                                                            \
        "devices:\n"                                                                                         \
        "  - {name: d, bus: b, unit: 1, points: [{name: a, holding: 0, type: u16}]}\n"                       \
        "  - {name: m, bus: b, unit: 9, trigger: {coil: 5, wait: 9ms}, points: [{name: a, coil: 0}]}\n"      \
        "rules: [{name: r, points: d.a, above: {yellow: 5}}, {name: q, points: d.a, is: {1: red}}]\n"
/* The output of a row stands in line 9. */
#define OUT(text) HEAD "outputs:\n  - {" text "}\n"
#define WHEN "when: {area: hall, from: red}"

static const struct row rows[] = {
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, " WHEN), ""},
    {FRAME_RAW, OUT("device: m, coil: 0, " WHEN), "9:5: error: `name` is missing in an output\n"},
    {FRAME_RAW, OUT("name: o, coil: 0, " WHEN), "9:5: error: `device` is missing in an output\n"},
    {FRAME_RAW, OUT("name: o, device: n, coil: 0, " WHEN), "9:23: error: there is no device `n`\n"},
    {FRAME_RAW, OUT("name: o, device: m, " WHEN),
     "9:5: error: an output needs exactly one of `coil`, `holding`, `register`\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, holding: 1, " WHEN),
     "9:35: error: `coil` and `holding` are both given; an output has exactly one of `coil`, `holding`, "
     "`register`\n"},
    {FRAME_RAW, OUT("name: o, device: m, discrete: 0, " WHEN),
     "9:26: error: unknown key `discrete` in an output\n"},
    {FRAME_RAW, OUT("name: o, device: m, register: 00001, " WHEN), ""},
    {FRAME_RAW, OUT("name: o, device: m, register: 30001, " WHEN),
     "9:36: error: `register`: the input register `30001` cannot be written\n"},
    {FRAME_RAW, OUT("name: o, device: m, register: 10001, " WHEN),
     "9:36: error: `register`: the discrete input `10001` cannot be written\n"},
    {FRAME_RAW, OUT("name: o, device: m, register: 40001, on: 1, off: 0, " WHEN), ""},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, on: 1, off: 0, " WHEN),
     "9:35: error: `on` means nothing for a coil: it is 1 when on, or 0 with `invert`\n"
     "9:42: error: `off` means nothing for a coil: it is 0 when off, or 1 with `invert`\n"},
    {FRAME_RAW, OUT("name: o, device: m, holding: 0, " WHEN),
     "9:5: error: `on` is missing in an output: what is written to a register is never guessed\n"},
    {FRAME_RAW, OUT("name: o, device: m, holding: 0, on: 1, " WHEN),
     "9:5: error: `off` is missing in an output: what is written to a register is never guessed\n"},
    {FRAME_RAW, OUT("name: o, device: m, holding: 0, on: 1, off: 1, " WHEN),
     "9:50: error: `on` and `off` write the same value\n"},
    {FRAME_RAW, OUT("name: o, device: m, holding: 0, on: 70000, off: 0, " WHEN),
     "9:42: error: `on` must be 0 to 65535, not `70000`\n"},
    {FRAME_RAW, OUT("name: o, device: m, holding: 0, on: 1, off: 0, invert: true, " WHEN),
     "9:53: error: `invert` belongs to a coil: say what `on` and `off` write\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0"), "9:5: error: `when` is missing in an output\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, when: {from: red}"),
     "9:41: error: the `when` of an output needs exactly one of `area`, `rule`\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, when: {area: hall}"),
     "9:41: error: `from` is missing in the `when` of an output\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, when: {area: hall, from: none}"),
     "9:60: error: `from` must be one of blue, yellow, orange, red, not `none`\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, when: {area: hal, from: red}"),
     "9:48: error: there is no area `hal`; did you mean `hall`?\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, when: {rule: x, from: red}"),
     "9:48: error: there is no rule `x`\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, when: {rule: r, from: orange}"),
     "9:57: error: the rule `r` never gives orange: the output would never be on\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, when: {rule: q, from: red}"), ""},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, assert: 100ms, " WHEN),
     "9:43: error: `assert` must be 1s to 1h, not `100ms`\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, on_stop: hold, " WHEN),
     "9:44: error: `on_stop` must be one of off, on, keep, not `hold`\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, fault: none, " WHEN),
     "9:42: error: `fault` must be one of blue, yellow, orange, red, not `none`\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 5, " WHEN),
     "9:5: error: the `trigger` of `m` writes to the coil 5 too\n"},
    {FRAME_RAW, OUT("name: o, device: m, coil: 0, " WHEN "}\n  - {name: o, device: m, coil: 1, " WHEN),
     "10:12: error: the output `o` is defined already, first at c.yaml:9\n"},
    {FRAME_RAW,
     OUT("name: o, device: m, coil: 0, " WHEN "}\n  - {name: p, device: m, register: 00001, " WHEN),
     "10:5: error: the coil 0 of `m` is switched by the output `o` already (c.yaml:9): they would switch "
     "each other\n"},
    /* The same module under another name of its bus and of itself. */
    {FRAME_RAW,
     GATEWAY "buses: [{name: b, tcp: \"h:502\"}, {name: c, tcp: \"h:502\"}]\n"
             "areas: [{name: hall}]\n"
             "devices: [{name: m, bus: b, unit: 9}, {name: n, bus: c, unit: 9}]\n"
             "outputs:\n"
             "  - {name: o, device: m, holding: 7, on: 1, off: 0, " WHEN "}\n"
             "  - {name: p, device: n, holding: 7, on: 2, off: 0, " WHEN "}\n",
     "2:34: warning: the bus `b` (c.yaml:2) connects to h port 502 too: many devices serve one connection "
     "only\n"
     "7:5: error: the register 7 of `n` is switched by the output `o` already (c.yaml:6): they would switch "
     "each other\n"},
    /* The same number elsewhere is another relay. */
    {FRAME_RAW,
     OUT("name: o, device: m, coil: 0, " WHEN "}\n"
         "  - {name: p, device: d, coil: 0, " WHEN "}\n"
         "  - {name: q, device: m, holding: 0, on: 1, off: 0, " WHEN),
     ""},
    /* A device without points is there for its outputs. */
    {FRAME_RAW,
     GATEWAY BUS "areas: [{name: hall}]\n"
                 "devices: [{name: m, bus: b, unit: 9}, {name: n, bus: b, unit: 8}]\n"
                 "outputs: [{name: o, device: m, coil: 0, " WHEN "}]\n",
     "4:39: error: `points` is missing in a device, and no output is on it\n"},
    {FRAME_RULE, "name: output, points: d.a, above: {red: 50}",
     "11:12: error: the name `output` is reserved for the faults of outputs\n"},
};

static void every_message(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

static void given_and_by_default(void **state)
{
    struct config *config = load_good(
        OUT("name: o, device: m, coil: 3, when: {area: hall, from: orange}}\n"
            "  - {name: p, label: 排风机, device: d, register: 40008, on: 0xaa, off: 85, silenceable: true,\n"
            "     on_stop: off, assert: 1m, fault: red, when: {rule: q, from: red}}\n"
            "  - {name: q, device: m, coil: 4, invert: true, on_stop: on, when: {area: hall, from: blue}"));
    const struct site_output *o = config->site->outputs;

    (void)state;
    assert_int_equal(config->site->output_count, 3);
    assert_string_equal(o->name, "o");
    assert_null(o->label);
    assert_int_equal(o->device, 1);
    assert_int_equal(o->space, SPACE_COIL);
    assert_int_equal(o->address, 3);
    assert_true(o->on == 1 && o->off == 0);
    assert_int_equal(o->area, 0);
    assert_int_equal(o->rule, SITE_NONE);
    assert_int_equal(o->from, LEVEL_ORANGE);
    assert_false(o->silenceable);
    assert_int_equal(o->on_stop, OUTPUT_STOP_KEEP);
    assert_int_equal(o->assert_ms, 10000);
    assert_int_equal(o->fault_level, LEVEL_YELLOW);
    assert_string_equal(o->where, "c.yaml:9");
    o++;
    assert_string_equal(o->label, "排风机");
    assert_int_equal(o->device, 0);
    assert_int_equal(o->space, SPACE_HOLDING);
    assert_int_equal(o->address, 7);
    assert_true(o->on == 0xaa && o->off == 85);
    assert_int_equal(o->area, SITE_NONE);
    assert_int_equal(o->rule, 1);
    assert_true(o->silenceable);
    assert_int_equal(o->on_stop, OUTPUT_STOP_OFF);
    assert_int_equal(o->assert_ms, 60000);
    assert_int_equal(o->fault_level, LEVEL_RED);
    o++;
    assert_true(o->on == 0 && o->off == 1);
    assert_int_equal(o->on_stop, OUTPUT_STOP_ON);
    config_free(config);
}

static void every_change_is_told(void **state)
{
    static const char *const wanted[] = {
        "output.o.assert: 10s -> 5s",
        "output.o.fault: yellow -> red",
        "output.o.label: - -> Siren",
        "output.o.on_stop: keep -> off",
        "output.o.place: m coil 0 -> d holding 3",
        "output.o.silenceable: false -> true",
        "output.o.values: on 1 off 0 -> on 7 off 8",
        "output.o.when: area hall from red -> rule r from yellow",
    };
    struct config *a = load_good(OUT("name: o, device: m, coil: 0, " WHEN));
    struct config *b =
        load_good(OUT("name: o, device: d, holding: 3, on: 7, off: 8, label: Siren, on_stop: off, "
                      "silenceable: true, assert: 5s, fault: red, when: {rule: r, from: yellow}"));
    struct config_diff diff;

    (void)state;
    assert_int_equal(config_diff(a->site, b->site, &diff), RG_OK);
    assert_int_equal(diff.count, RG_COUNT(wanted));
    for (size_t i = 0; i < diff.count; i++) {
        char text[200];

        (void)snprintf(text, sizeof text, "%s: %s -> %s", diff.changes[i].what,
                       diff.changes[i].before ? diff.changes[i].before : "-", diff.changes[i].after);
        assert_string_equal(text, wanted[i]);
    }
    config_diff_free(&diff);
    config_free(a);
    config_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message),
        cmocka_unit_test(given_and_by_default),
        cmocka_unit_test(every_change_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
