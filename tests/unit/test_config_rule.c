/* LINK rg_config */
/* rules: every message, with its place. */
#include "config_rows.h"

static const struct row rows[] = {
    {FRAME_RULE, "name: r, points: d.a",
     "11:5: error: a rule needs at least one of `above`, `below`, `is`\n"},
    {FRAME_RULE, "points: d.a, above: {red: 50}", "11:5: error: `name` is missing in a rule\n"},
    {FRAME_RULE, "name: offline, points: d.a, above: {red: 50}",
     "11:12: error: the name `offline` is reserved for the silence of devices\n"},
    {FRAME_RULE, "name: output, points: d.a, above: {red: 50}",
     "11:12: error: the name `output` is reserved for the faults of outputs\n"},
    {FRAME_RULE, "name: doubt, points: d.a, above: {red: 50}",
     "11:12: error: the name `doubt` is reserved for readings that are not to be believed\n"},
    {FRAME_RULE, "name: r, above: {red: 50}", "11:5: error: a rule needs exactly one of `points`, `vote`\n"},
    {FRAME_RULE, "name: r",
     "11:5: error: a rule needs exactly one of `points`, `vote`\n"
     "11:5: error: a rule needs at least one of `above`, `below`, `is`\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: 50}, deadbnad: 1",
     "11:46: error: unknown key `deadbnad` in a rule; did you mean `deadband`?\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {blue: 20, yellow: 20}",
     "11:54: error: limits of `above` must grow with severity: yellow 20 is not above blue 20\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {yellow: 30, orange: 20, red: 25}",
     "11:56: error: limits of `above` must grow with severity: orange 20 is not above yellow 30\n"},
    {FRAME_RULE, "name: r, points: d.a, below: {blue: 10, red: 20}",
     "11:51: error: limits of `below` must fall with severity: red 20 is not below blue 10\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {}",
     "11:35: error: a set of limits needs at least one of `blue`, `yellow`, `orange`, `red`\n"},
    {FRAME_RULE, "name: r, points: d.a, above: 5", "11:35: error: `above` must be a mapping, not `5`\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {purple: 5}",
     "11:36: error: unknown key `purple` in a set of limits\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {none: 5}",
     "11:36: error: unknown key `none` in a set of limits\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: high}",
     "11:41: error: `red` must be a number, not `high`\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: .inf}",
     "11:41: error: `red` must be a number, not `.inf`\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: {of: d.a, times: 1.1}}",
     "11:46: error: `d.a` is a point that the rule watches itself\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: [1]}",
     "11:36: error: `red` must be a number, or a mapping such as {of: device.point, times: 1.1} or {value: "
     "name}, "
     "not a list\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: \"5\"}",
     "11:41: error: `red` must be a number, not the text \"5\"\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {blue: 10}, below: {blue: 10}",
     "11:42: error: `above` begins at 10 but `below` reaches up to 10: every value would be an alarm\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: 50}, deadband: -1",
     "11:56: error: `deadband` must be at least 0, not `-1`\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {blue: 10, red: 20}, deadband: 11",
     "11:42: warning: blue 10 once reached could never be left, the dead-band considered: the range of `d.a` "
     "is 0 to 100\n"
     "11:66: warning: the dead-band 11 is wider than the distance between blue 10 and red 20\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: 101}",
     "11:41: warning: red 101 can never be reached: the range of `d.a` is 0 to 100; a reading above that is "
     "bad and only its `doubt` (yellow)\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {blue: 101}",
     "11:42: warning: blue 101 can never be reached: the range of `d.a` is 0 to 100\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {yellow: 90, red: 100}",
     "11:53: warning: red 100 is the very top of what can be read: the range of `d.a` is 0 to 100; a reading "
     "above that is bad and only its `doubt` (yellow)\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {yellow: 100}", ""},
    {FRAME_RULE, "name: r, points: d.a, above: {orange: 99.9}", ""},
    {FRAME_RULE, "name: r, points: d.a, below: {red: -1}",
     "11:41: warning: red -1 can never be reached: the range of `d.a` is 0 to 100\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: 0}",
     "11:41: warning: red 0 is reached by every good value: the range of `d.a` is 0 to 100\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {blue: 1}, deadband: 2",
     "11:42: warning: blue 1 once reached could never be left, the dead-band considered: the range of `d.a` "
     "is 0 to 100\n"},
    {FRAME_RULE, "name: r, points: d.a, is: {true: red}, deadband: 1",
     "11:45: warning: `deadband` has no effect on `is`\n"},
    {FRAME_RULE, "name: r, points: d.a, is: {}", "11:28: error: `is` must give 1 to 64 values\n"},
    {FRAME_RULE, "name: r, points: d.a, is: {x: red}",
     "11:33: error: a value in `is` must be a number, true or false, not `x`\n"},
    {FRAME_RULE, "name: r, points: d.a, is: {1: none}",
     "11:36: error: `is` must give one of red, orange, yellow, blue, not `none`\n"},
    {FRAME_RULE, "name: r, points: d.a, is: {1: rde}",
     "11:36: error: `is` must give one of red, orange, yellow, blue, not `rde`; did you mean `red`?\n"},
    {FRAME_RULE, "name: r, points: d.a, is: {1: red, 1.0: blue}",
     "11:41: error: the value `1.0` is given twice in `is`\n"},
    {FRAME_RULE, "name: r, points: d.a, is: {true: red, 1: blue}",
     "11:44: error: the value `1` is given twice in `is`\n"},
    {FRAME_RULE, "name: r, points: d.a, is: {200: red}",
     "11:28: warning: `is`: `d.a` never has the value 200\n"},
    {FRAME_RULE, "name: r, points: d.on, is: {2: red}",
     "11:29: warning: `is`: `d.on` never has the value 2\n"},
    {FRAME_RULE, "name: r, points: d.a, is: [1]",
     "11:28: error: `is` must be a mapping such as {1: red}, not a list\n"},
    {FRAME_RULE, "name: r, points: d.b, above: {red: 50}",
     "11:23: error: there is no point `d.b`; did you mean `d.a`?\n"},
    {FRAME_RULE, "name: r, points: \"*.x\", above: {red: 50}",
     "11:23: error: `*.x` matches no point; points are called device.point\n"},
    {FRAME_RULE, "name: r, points: [], above: {red: 50}",
     "11:23: error: `points` is empty: the rule watches nothing\n"},
    {FRAME_RULE, "name: r, points: [d.a, 5, [x]], above: {red: 50}",
     "11:29: error: there is no point `5`\n"
     "11:32: error: `points` must hold names, not a list\n"},
    {FRAME_RULE, "name: r, points: , above: {red: 50}",
     "11:15: error: `points` must be a name, a glob, or a list of them, not nothing\n"},
    {FRAME_RULE, "name: r, points: {a: b}, above: {red: 50}",
     "11:15: error: `points` must be a name, a glob, or a list of them, not a mapping\n"},
    {FRAME_RULE,
     "name: r, points: d.a, above: {red: 50}}\n"
     "  - {name: r, points: d.a, above: {red: 50}",
     "12:12: error: the rule `r` is defined already, first at c.yaml:11\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: 50}, on_delay: 3",
     "11:56: error: `on_delay` must be a duration such as 250ms, 3s, 15m, 8h or 30d; did you mean `3s`?\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: 50}, on_delay: 25h",
     "11:56: error: `on_delay` must be 0s to 1d, not `25h`\n"},
    {FRAME_RULE, "name: r, points: d.a, above: {red: 50}, message: ~",
     "11:46: error: `message` must be a text, not nothing\n"},
    /* Just apart enough; just reachable. */
    {FRAME_RULE, "name: r, points: d.a, above: {blue: 30, red: 40}, deadband: 10", ""},
    {FRAME_RULE, "name: r, points: d.a, above: {red: 100}, below: {red: 0}",
     "11:41: warning: red 100 is the very top of what can be read: the range of `d.a` is 0 to 100; a reading "
     "above that is bad and only its `doubt` (yellow)\n"},
};

static void test_rule(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rule)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
