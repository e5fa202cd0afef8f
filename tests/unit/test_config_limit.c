/* LINK rg_config */
/* Limits that follow points or values of the site, optional rules: every message, with its place. */
#include "config_rows.h"

#define CO "name: r, points: g1.co, above: "

static const struct row rows[] = {
    {FRAME_RULES, CO "{red: {of: base}}", ""},
    {FRAME_RULES, CO "{red: {of: g1.base, times: 1.1, plus: -2}}", ""},
    {FRAME_RULES, CO "{blue: {of: base, times: 1.1}, red: {of: base, times: 1.3}}, below: {red: {of: g2.co}}",
     ""},
    {FRAME_RULES, CO "{red: {of: bse}}",
     "9:48: error: there is no point `g1.bse`; did you mean `g1.base`?\n"},
    {FRAME_RULES, CO "{red: {of: g3.base}}",
     "9:48: error: there is no point `g3.base`; did you mean `g1.base`?\n"},
    {FRAME_RULES, CO "{red: {of: co}}", "9:48: error: `g1.co` is a point that the rule watches itself\n"},
    {FRAME_RULES, "name: r, points: '*.co', above: {red: {of: g2.co}}",
     "9:49: error: `g2.co` is a point that the rule watches itself\n"},
    /* Only one of the two detectors has it: told once. */
    {FRAME_RULES, "name: r, points: '*.co', above: {blue: {of: base}, red: {of: base, times: 2}}",
     "9:50: error: there is no point `g2.base`; did you mean `g1.base`?\n"
     "9:67: error: there is no point `g2.base`; did you mean `g1.base`?\n"},
    {FRAME_RULES, CO "{red: {}}", "9:43: error: a limit needs exactly one of `of`, `value`\n"},
    {FRAME_RULES, CO "{red: {times: 2}}", "9:43: error: a limit needs exactly one of `of`, `value`\n"},
    {FRAME_RULES, CO "{red: {of: base, value: x}}",
     "9:54: error: `of` and `value` are both given; a limit has exactly one of `of`, `value`\n"},
    {FRAME_RULES, CO "{red: {off: base}}", "9:44: error: unknown key `off` in a limit; did you mean `of`?\n"},
    {FRAME_RULES, CO "{red: {of: [base]}}", "9:44: error: `of` must be a point, device.point, not a list\n"},
    {FRAME_RULES, CO "{red: {of: base, times: 0}}",
     "9:61: error: `times` must not be 0: what the limit names would have no effect\n"},
    {FRAME_RULES, CO "{red: {of: base, times: x}}", "9:61: error: `times` must be a number, not `x`\n"},
    {FRAME_RULES, CO "{red: {of: base, plus: 1m}}", "9:60: error: `plus` must be a number, not `1m`\n"},
    {FRAME_RULES, CO "{red: }",
     "9:38: error: `red` must be a number, or a mapping such as {of: device.point, times: 1.1} or {value: "
     "name}, not nothing\n"},
    /* What follows a point cannot be put in order here; the numbers beside it can. */
    {FRAME_RULES, CO "{blue: 30, yellow: {of: base}, red: 20}",
     "9:73: error: limits of `above` must grow with severity: red 20 is not above blue 30\n"},
    {FRAME_RULES, CO "{red: {of: base}}, deadband: 1", ""},
    {FRAME_RULES, CO "{red: 50}, deadband: {value: top, times: 0.05}}\nvalues: {top: 85", ""},
    {FRAME_RULES, CO "{red: 50}, deadband: {value: top, times: -1}}\nvalues: {top: 85",
     "9:48: error: `deadband` must be at least 0, not -85\n"},
    {FRAME_RULES, CO "{red: 50}, deadband: {value: top}",
     "9:66: error: the rule `r` needs the value `top`, which `values` does not give\n"},
    {FRAME_RULES, CO "{red: 50}, deadband: {of: base}",
     "9:58: error: `value` is missing in a number of the site\n"
     "9:59: error: unknown key `of` in a number of the site\n"},
    {FRAME_RULES, CO "{red: 50}, deadband: x", "9:58: error: `deadband` must be a number, not `x`\n"},
    {FRAME_RULES, CO "{red: 50}, deadband: [1]",
     "9:48: error: `deadband` must be a number, or a mapping such as {value: name}, not a list\n"},
    /* Values of the site. */
    {FRAME_RULES, CO "{red: {value: top}}}\nvalues: {top: 85", ""},
    {FRAME_RULES, CO "{blue: {value: top, times: 0.5, plus: 3}, red: {value: top}}}\nvalues: {top: 85", ""},
    {FRAME_RULES, CO "{red: {value: top}}",
     "9:51: error: the rule `r` needs the value `top`, which `values` does not give\n"},
    {FRAME_RULES, CO "{red: {value: top}}}\nvalues: {tip: 85",
     "9:51: error: the rule `r` needs the value `top`, which `values` does not give; did you mean `tip`?\n"
     "10:10: warning: no limit names the value `tip`\n"},
    {FRAME_RULES, CO "{red: {value: top}}}\nvalues: {top: ",
     "9:51: error: the rule `r` needs the value `top`, which is left open at c.yaml:10\n"},
    /* Once for a rule. */
    {FRAME_RULES,
     CO "{blue: {value: top}, red: {value: top}}, deadband: {value: low}}\n"
        "  - {name: s, points: g1.co, above: {blue: {value: top}, red: {value: top}}",
     "9:52: error: the rule `r` needs the value `top`, which `values` does not give\n"
     "9:96: error: the rule `r` needs the value `low`, which `values` does not give\n"
     "10:52: error: the rule `s` needs the value `top`, which `values` does not give\n"},
    {FRAME_RULES, CO "{blue: {value: top}, red: {value: top}}}\nvalues: {top: ",
     "9:52: error: the rule `r` needs the value `top`, which is left open at c.yaml:10\n"},
    {FRAME_RULES, CO "{red: {value: top}}}\nvalues: {top: high",
     "10:15: error: `top` must be a number, not `high`\n"},
    {FRAME_RULES, CO "{red: {value: top}}}\nvalues: {top: \"85\"",
     "10:15: error: `top` must be a number, not the text \"85\"\n"},
    {FRAME_RULES, CO "{red: {value: top}}}\nvalues: {top: [85]",
     "10:15: error: `top` must be a number, not a list\n"},
    {FRAME_RULES, CO "{red: {value: top}}}\nvalues: {top: 85, top: 86",
     "10:19: error: the value `top` is defined already, first at c.yaml:10\n"},
    {FRAME_RULES, CO "{red: {value: top}}}\nvalues: {top: 85, \"a b\": 86",
     "10:19: error: a name in `values` must be 1 to 64 of A-Z a-z 0-9 . _ -, not `a b`\n"},
    {FRAME_RULES, CO "{red: {value: \"a b\"}}",
     "9:51: error: `value` must be 1 to 64 of A-Z a-z 0-9 . _ -, not `a b`\n"},
    {FRAME_RULES, CO "{blue: {value: top}, red: {value: top}}}\nvalues: {top: 85",
     "9:63: error: limits of `above` must grow with severity: red 85 is not above blue 85\n"},
    {FRAME_RULES, CO "{red: {value: top, times: 10}}}\nvalues: {top: 85",
     "9:43: warning: red 850 can never be reached: the range of `g1.co` is 0 to 500; a reading above that is "
     "bad and only its `doubt` (yellow)\n"},
    {FRAME_RULES, CO "{red: {value: top, times: 1e200}}}\nvalues: {top: 1e200",
     "9:38: error: the limit that comes of it is too large a number\n"},
    {FRAME_TOP, "values: [1]\n", "2:1: error: `values` must be a mapping such as {name: 85}, not a list\n"},
    {FRAME_TOP, "values: 5\n", "2:9: error: `values` must be a mapping such as {name: 85}, not `5`\n"},
    {FRAME_TOP, "values:\n", ""},
    {FRAME_TOP, "values: {a: 1}\n", "2:10: warning: no limit names the value `a`\n"},
    /* Optional rules: nothing here, no error, and no value is asked for. */
    {FRAME_RULES,
     "name: r, optional: true, points: '*.nh3', above: {red: {value: top}}, permit: p, when: {point: x, is: "
     "1}",
     ""},
    {FRAME_RULES, "name: r, optional: true, points: [g9.co, '*.nh3'], above: {red: 5}", ""},
    {FRAME_RULES, "name: r, optional: true, vote: {need: 2, points: '*.nh3'}, above: {red: 5}", ""},
    {FRAME_RULES, "name: r, optional: true, points: '*.nh3', above: {red: {value: top}}}\nvalues: {top: 1",
     ""},
    {FRAME_RULES,
     "name: r, optional: true, points: '*.nh3', above: {red: 5}, deadband: {value: a}, when: {point: x, "
     "above: {value: b}, below: {value: c}}}\nvalues: {a: 1, b: 2, d: 3",
     "10:22: warning: no limit names the value `d`\n"},
    /* What is written is looked at all the same. */
    {FRAME_RULES, "name: r, optional: true, points: '*.nh3', above: {red: high}, latch: blu",
     "9:61: error: `red` must be a number, not `high`\n"
     "9:75: error: `latch` must be true, false or one of red, orange, yellow, blue, not `blu`; did you mean "
     "`blue`?\n"},
    {FRAME_RULES, "name: r, optional: yes, points: g1.co, above: {red: 5}",
     "9:25: error: `optional` must be true or false, not `yes`\n"},
    {FRAME_RULES, "name: r, optional: true, points: [], above: {red: 5}",
     "9:39: error: `points` is empty: the rule watches nothing\n"},
    {FRAME_RULES, "name: r, optional: true, points: '*.co', above: {red: {value: top}}",
     "9:68: error: the rule `r` needs the value `top`, which `values` does not give\n"},
    /* One of two lacks what the rule needs beside it. */
    {FRAME_RULES, "name: r, optional: true, points: '*.co', above: {red: {of: base}}",
     "9:65: warning: `g2.co` is left out of this optional rule: its device has no point `base`\n"},
    {FRAME_RULES, "name: r, optional: true, points: g2.co, above: {red: {of: base}}",
     "9:64: warning: `g2.co` is left out of this optional rule: its device has no point `base`\n"},
    {FRAME_RULES, "name: r, optional: true, points: '*.co', above: {red: 5}, when: {point: base, above: 1}",
     "9:78: warning: `g2.co` is left out of this optional rule: its device has no point `base`\n"},
    {FRAME_RULES,
     "name: r, optional: true, points: '*.nh3', above: {red: 5}}\n"
     "  - {name: r, points: g1.co, above: {red: 5}",
     "10:12: error: the rule `r` is defined already, first at c.yaml:9\n"},
    {FRAME_RULES,
     "name: r, optional: true, points: '*.nh3', above: {red: 5}}\n"
     "outputs:\n  - {name: o, device: g1, coil: 5, when: {rule: r, from: red}",
     "11:49: error: the rule `r` is `optional` and matches no point: the output would never be on\n"},
};

static void test_limit(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_limit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
