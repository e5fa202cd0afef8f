/* LINK rg_config */
/* What a rule watches of its points, and when: signals, votes, guards, permits, latches, bases; every message, with its
 * place. */
#include "config_rows.h"

#define CO "name: r, points: g1.co, above: {blue: 10, red: 50}, "
#define VOTE "name: r, above: {red: 50}, vote: "

static const struct row rows[] = {
    /* Signals. */
    {FRAME_RULES, CO "mean: 15m", ""},
    {FRAME_RULES, CO "signal: value", ""},
    {FRAME_RULES, CO "signal: {twa: 8h}, coverage: 50", ""},
    {FRAME_RULES, CO "delta: 24h, wrap: 65536", ""},
    {FRAME_RULES, "name: r, points: g1.co, is: {1: yellow}, flat: 30m, band: 0.5", ""},
    {FRAME_RULES, CO "mean: 15",
     "9:64: error: `mean` must be a duration such as 250ms, 3s, 15m, 8h or 30d; did you mean `15s`?\n"},
    {FRAME_RULES, CO "mean: 500ms", "9:64: error: `mean` must be 1s to 366d, not `500ms`\n"},
    {FRAME_RULES, CO "sum: 367d", "9:63: error: `sum` must be 1s to 366d, not `367d`\n"},
    {FRAME_RULES, CO "mean: 15m, max: 1h",
     "9:69: error: `mean` and `max` are both given; a rule watches one signal\n"},
    {FRAME_RULES, CO "mean: 15m, signal: value",
     "9:69: error: `mean` and `signal` are both given; a rule watches one signal\n"},
    {FRAME_RULES, CO "signal: {mean: 15m, max: 1h}",
     "9:78: error: `mean` and `max` are both given; `signal` has exactly one of `rate`, `mean`, `sum`, "
     "`max`, `min`, `delta`, `twa`, `flat`\n"},
    {FRAME_RULES, CO "signal: {}",
     "9:66: error: `signal` needs exactly one of `rate`, `mean`, `sum`, `max`, `min`, `delta`, `twa`, "
     "`flat`\n"},
    {FRAME_RULES, CO "signal: {men: 15m}",
     "9:67: error: unknown key `men` in `signal`; did you mean `mean`?\n"},
    {FRAME_RULES, CO "signal: mean",
     "9:66: error: `signal` must be `value`, or a window such as {mean: 15m}, not `mean`\n"},
    {FRAME_RULES, CO "signal: [mean]",
     "9:58: error: `signal` must be `value`, or a window such as {mean: 15m}, not a list\n"},
    {FRAME_RULES, CO "coverage: 80", "9:58: error: `coverage` means nothing without a window\n"},
    {FRAME_RULES, CO "mean: 15m, coverage: 0.5", "9:79: error: `coverage` must be 1 to 100, not `0.5`\n"},
    {FRAME_RULES, CO "mean: 15m, coverage: 101", "9:79: error: `coverage` must be 1 to 100, not `101`\n"},
    {FRAME_RULES, CO "mean: 15m, coverage: 75%", "9:79: error: `coverage` must be a number, not `75%`\n"},
    {FRAME_RULES, CO "mean: 15m, band: 1", "9:69: error: `band` belongs to `flat`\n"},
    {FRAME_RULES, CO "sum: 15m, wrap: 100", "9:68: error: `wrap` belongs to `delta`\n"},
    {FRAME_RULES, "name: r, points: g1.co, is: {1: red}, flat: 15m, band: -1",
     "9:61: error: `band` must be at least 0, not `-1`\n"},
    /* Ranges are those of the signal. */
    {FRAME_RULES, "name: r, points: g1.co, above: {red: 501}, mean: 15m",
     "9:43: warning: red 501 can never be reached: the range of `g1.co` is 0 to 500; a reading above that is "
     "bad and only its `doubt` (yellow)\n"},
    {FRAME_RULES, "name: r, points: g1.co, above: {red: 501}, sum: 15m", ""},
    {FRAME_RULES, "name: r, points: g1.co, is: {2: red}, flat: 15m",
     "9:30: warning: `is`: `g1.co` never has the value 2\n"},
    {FRAME_RULES, "name: r, points: g1.co, above: {red: 2}, flat: 15m",
     "9:43: warning: red 2 can never be reached: the range of `g1.co` is 0 to 1\n"},
    /* Votes. */
    {FRAME_RULES, VOTE "{need: 2, points: [g1.co, g2.co]}", ""},
    {FRAME_RULES, VOTE "{need: 1, points: '*.co', bad: holds}, latch: true", ""},
    {FRAME_RULES, VOTE "{need: 3, points: '*.co'}", "9:46: error: `need` is 3, but the vote has 2 points\n"},
    {FRAME_RULES, VOTE "{need: 0, points: '*.co'}", "9:46: error: `need` must be 1 to 64, not `0`\n"},
    {FRAME_RULES, VOTE "{need: 1, points: g1.co}", "9:49: error: a vote needs two points or more, not 1\n"},
    {FRAME_RULES, VOTE "{points: '*.co'}", "9:39: error: `need` is missing in a vote\n"},
    {FRAME_RULES, VOTE "{need: 2}", "9:39: error: `points` is missing in a vote\n"},
    {FRAME_RULES, VOTE "{need: 2, points: [g1.co, g3.co]}",
     "9:65: error: there is no point `g3.co`; did you mean `g1.co`?\n"},
    {FRAME_RULES, VOTE "{need: 2, points: '*.co', bad: count}",
     "9:70: error: `bad` must be one of counts, holds, not `count`; did you mean `counts`?\n"},
    {FRAME_RULES, VOTE "{need: 2, points: '*.co', ned: 2}",
     "9:65: error: unknown key `ned` in a vote; did you mean `need`?\n"},
    {FRAME_RULES, VOTE "2", "9:39: error: `vote` must be a mapping, not `2`\n"},
    {FRAME_RULES, CO "vote: {need: 2, points: '*.co'}",
     "9:58: error: `points` and `vote` are both given; a rule has exactly one of `points`, `vote`\n"},
    {FRAME_RULES, VOTE "{need: 2, points: '*.co'}, when: {point: fan, is: 1}",
     "9:80: error: the `when` of a vote needs a full name, device.point, not `fan`\n"},
    {FRAME_RULES, VOTE "{need: 2, points: '*.co'}, when: {point: g1.fan, is: 1}", ""},
    /* Guards. */
    {FRAME_RULES, CO "when: {point: fan, is: 1}", ""},
    {FRAME_RULES, "name: r, points: '*.co', above: {red: 5}, when: {point: fan, is: [true, 1]}", ""},
    {FRAME_RULES, CO "when: {point: g2.fan, is: true}", ""},
    {FRAME_RULES, CO "when: {point: base, above: 5, below: 10, is: [1, 7]}", ""},
    {FRAME_RULES, CO "when: {point: fann, is: 1}",
     "9:72: error: there is no point `g1.fann`; did you mean `g1.fan`?\n"},
    {FRAME_RULES, CO "when: {point: co, above: 1}",
     "9:72: error: `g1.co` is a point that the rule watches itself\n"},
    {FRAME_RULES, CO "when: {point: fan}",
     "9:64: error: the `when` of a rule needs at least one of `is`, `above`, `below`\n"},
    {FRAME_RULES, CO "when: {is: 1}", "9:64: error: `point` is missing in the `when` of a rule\n"},
    {FRAME_RULES, CO "when: {point: fan, is: x}",
     "9:81: error: a value in `is` must be a number, true or false, not `x`\n"},
    {FRAME_RULES, CO "when: {point: fan, is: []}", "9:77: error: `is` must give 1 to 64 values\n"},
    {FRAME_RULES, CO "when: {point: fan, is: [1, [2]]}",
     "9:85: error: a value in `is` must be a number, true or false, not a list\n"},
    {FRAME_RULES, CO "when: {point: fan, is: {1: 2}}",
     "9:77: error: `is` must be a value or a list of values, not a mapping\n"},
    {FRAME_RULES, CO "when: {point: fan, is: 2}", "9:77: warning: `is`: `g1.fan` never has the value 2\n"},
    {FRAME_RULES, CO "when: {point: base, above: 10, below: 5}",
     "9:96: error: no value is both 10 or more and 5 or less\n"},
    {FRAME_RULES, CO "when: {point: base, above: 10, is: [1, 2]}",
     "9:89: error: no value in `is` lies within `above` and `below`\n"},
    {FRAME_RULES, CO "when: {point: base, above: {of: fan}}",
     "9:85: error: `value` is missing in a number of the site\n"
     "9:86: error: unknown key `of` in a number of the site\n"},
    {FRAME_RULES, CO "when: {point: base, abov: 1}",
     "9:78: error: unknown key `abov` in the `when` of a rule; did you mean `above`?\n"},
    {FRAME_RULES, CO "when: {point: base, above: {value: top, times: 0.5}}}\nvalues: {top: 85", ""},
    {FRAME_RULES, CO "when: {point: base, above: {value: top}}",
     "9:93: error: the rule `r` needs the value `top`, which `values` does not give\n"},
    {FRAME_RULES, CO "when: {point: base, above: {times: 2}}",
     "9:85: error: `value` is missing in a number of the site\n"},
    {FRAME_RULES, CO "when: {point: base, above: [1]}",
     "9:78: error: `above` must be a number, or a mapping such as {value: name}, not a list\n"},
    {FRAME_RULES, CO "when: {point: base, above: {value: top, times: 0}}}\nvalues: {top: 85",
     "9:105: error: `times` must not be 0: what the limit names would have no effect\n"},
    {FRAME_RULES, CO "when: {point: base, above: {value: top}, below: 5}}\nvalues: {top: 85",
     "9:106: error: no value is both 85 or more and 5 or less\n"},
    /* An optional vote with too few points is left out. */
    {FRAME_RULES, "name: r, optional: true, above: {red: 50}, vote: {need: 3, points: '*.co'}", ""},
    {FRAME_RULES, "name: r, optional: true, above: {red: 50}, vote: {need: 1, points: g1.co}", ""},
    {FRAME_RULES, "name: r, optional: true, above: {red: 50}, vote: {need: 0, points: '*.co'}",
     "9:62: error: `need` must be 1 to 64, not `0`\n"},
    /* Permits. */
    {FRAME_RULES, CO "permit: tank}\npermits: [{name: tank, label: 罐, max: 8h}]\nlog: {level: info", ""},
    {FRAME_RULES, CO "permit: tnk}\npermits: [{name: tank, max: 8h}]\nlog: {level: info",
     "9:66: error: there is no permit `tnk`; did you mean `tank`?\n"},
    {FRAME_RULES, CO "permit: tank", "9:66: error: there is no permit `tank`\n"},
    {FRAME_TOP,
     "permits:\n  - {name: a, max: 8h}\n  - {name: a, max: 1h}\n  - {max: 1h}\n  - {name: b}\n  - {name: c, "
     "max: 31d}\n  - {name: d, max: 1h, lable: x}\n",
     "4:12: error: the permit `a` is defined already, first at c.yaml:3\n"
     "5:5: error: `name` is missing in a permit\n"
     "6:5: error: `max` is missing in a permit\n"
     "7:20: error: `max` must be 1m to 30d, not `31d`\n"
     "8:24: error: unknown key `lable` in a permit; did you mean `label`?\n"},
    /* Latches. */
    {FRAME_RULES, CO "latch: true", ""},
    {FRAME_RULES, CO "latch: false", ""},
    {FRAME_RULES, CO "latch: red", ""},
    {FRAME_RULES, CO "latch: orange", ""},
    {FRAME_RULES, "name: r, points: g1.co, above: {blue: 10}, latch: orange",
     "9:56: error: `latch` begins at orange, which the rule never gives\n"},
    {FRAME_RULES, CO "latch: rd",
     "9:65: error: `latch` must be true, false or one of red, orange, yellow, blue, not `rd`; did you mean "
     "`red`?\n"},
    {FRAME_RULES, CO "latch: none",
     "9:65: error: `latch` must be true, false or one of red, orange, yellow, blue, not `none`\n"},
    {FRAME_RULES, CO "latch: [red]", "9:58: error: `latch` must be true, false or a level, not a list\n"},
    /* Bases. */
    {FRAME_RULES, CO "basis: GB/T 50493-2019 5.5.2", ""},
    {FRAME_RULES, CO "basis: {blue: PROPOSAL, red: GB/T 50493-2019 5.5.2}", ""},
    {FRAME_RULES, "name: r, points: g1.fan, is: {0: orange}, basis: {orange: PROPOSAL}", ""},
    {FRAME_RULES, CO "basis: {yellow: x}", "9:66: error: `basis` names yellow, which the rule never gives\n"},
    {FRAME_RULES, CO "basis: {rde: x}",
     "9:66: error: `basis` must name one of red, orange, yellow, blue, not `rde`; did you mean `red`?\n"},
    {FRAME_RULES, CO "basis: {red: x, red: y}", "9:74: error: `red` is given twice in `basis`\n"},
    {FRAME_RULES, CO "basis: {red: [x]}", "9:71: error: `basis` must be a text, not a list\n"},
    {FRAME_RULES, CO "basis: [x]",
     "9:58: error: `basis` must be a text, or a mapping such as {red: text}, not a list\n"},
    {FRAME_RULES, CO "basis: ''", "9:65: error: `basis` must not be empty\n"},
    /* Shelving. */
    {FRAME_TOP, "alarms: {shelve_max: 30m}\n", ""},
    {FRAME_TOP, "alarms: {shelve_max: 8d}\n", "2:22: error: `shelve_max` must be 1m to 7d, not `8d`\n"},
    {FRAME_TOP, "alarms: {shelf_max: 8h}\n",
     "2:10: error: unknown key `shelf_max` in `alarms`; did you mean `shelve_max`?\n"},
    {FRAME_TOP, "alarms: {shelve_max: 8h}\nalarms: {}\n",
     "3:1: error: `alarms` is given twice, first in line 2\n"},
};

static void test_arming(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

/* A vote of so many points, all those of one device. */
static void check_members(int count, const char *want)
{
    static char text[16384];
    size_t length = (size_t)snprintf(
        text, sizeof text, "%s", GATEWAY BUS "devices:\n  - name: g\n    bus: b\n    unit: 1\n    points:\n");
    const struct row row = {FRAME_RAW, text, want};

    for (int i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "      - {name: p%d, holding: %d, type: u16}\n", i, i);
    length += (size_t)snprintf(text + length, sizeof text - length,
                               "rules:\n  - {name: r, above: {red: 5}, vote: {need: 2, points: 'g.*'}}\n");
    assert_true(length < sizeof text);
    check_rows(&row, 1);
}

static void test_members(void **state)
{
    (void)state;
    check_members(64, "");
    check_members(65, "74:48: error: a vote has at most 64 points, not 65\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arming), cmocka_unit_test(test_members)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
