/* LINK rg_config */
/* The file as such, and gateway, store, log, control: every message, with its place. */
#include "config_rows.h"

static const struct row rows[] = {
    {FRAME_RAW, "", "0:0: error: `gateway` is missing: who this gateway is\n"},
    {FRAME_RAW,
     "- a\n"
     "- b\n",
     "0:0: error: `gateway` is missing: who this gateway is\n"
     "1:1: error: a configuration is a mapping of sections, not a list\n"},
    {FRAME_RAW, "text\n",
     "0:0: error: `gateway` is missing: who this gateway is\n"
     "1:1: error: a configuration is a mapping of sections, not a text\n"},
    {FRAME_RAW, "gateway: {}\n",
     "1:10: error: `id` is missing in `gateway`\n"
     "1:10: error: `enterprise` is missing in `gateway`\n"},
    {FRAME_RAW, "gateway: {id: \"\", enterprise: {code: \"\", name: \"\"}}\n",
     "1:15: error: `id` must not be empty\n"
     "1:38: error: `code` must not be empty\n"
     "1:48: error: `name` must not be empty\n"},
    {FRAME_RAW, "gateway: 5\n", "1:10: error: `gateway` must be a mapping, not `5`\n"},
    {FRAME_RAW, "gateway: {id: gw 1, enterprise: []}\n",
     "1:15: error: `id` must be 1 to 64 of A-Z a-z 0-9 . _ -, not `gw 1`\n"
     "1:21: error: `enterprise` must be a mapping, not a list\n"},
    {FRAME_RAW, "gateway: {id: gw, enterprise: {code: 91350100M000100Y4Z, name: x}}\n",
     "1:38: error: `code` holds a character that no social credit code has (0-9 and A-Z without I O S V Z): "
     "`91350100M000100Y4Z`\n"},
    {FRAME_RAW, "gateway: {id: gw, enterprise: {code: 91350100M000100Y42, name: x}}\n",
     "1:38: error: `code`: the check character of `91350100M000100Y42` does not fit; for the first 17 it is "
     "`3` (GB 32100-2015)\n"},
    {FRAME_RAW, "gateway: {id: gw, enterprise: {code: 91310115MA1G4L1WXK, name: x}}\n",
     "1:38: error: `code`: the check character of `91310115MA1G4L1WXK` does not fit; for the first 17 it is "
     "`7` (GB 32100-2015)\n"},
    {FRAME_RAW, "gateway: {id: gw, enterprise: {code: 91350100M000100, name: x}}\n",
     "1:38: error: `code` must have 18 characters, `91350100M000100` has 15\n"},
    {FRAME_RAW, "gateway: {id: gw, enterprise: {code: 91350100M000100Yo3, name: x}}\n",
     "1:38: error: `code` holds a character that no social credit code has (0-9 and A-Z without I O S V Z): "
     "`91350100M000100Yo3`\n"},
    {FRAME_RAW,
     "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x, region: 3501, workers: -1}}\n",
     "1:75: error: `region` must have 6 digits, not `3501`\n"
     "1:90: error: `workers` must be 0 to 10000000, not `-1`\n"},
    {FRAME_RAW,
     "gateway: {id: gw, enterprise: {code: 91350100M000100Y43, name: x, contact: {name: y, fon: 1}, region: "
     "35010a}}\n",
     "1:86: error: unknown key `fon` in `contact`\n"
     "1:103: error: `region` must have 6 digits, not `35010a`\n"},
    {FRAME_TOP, "gatewy: 1\n",
     "2:1: error: unknown key `gatewy` in the top level; did you mean `gateway`?\n"},
    {FRAME_TOP, "outputs: []\n", ""},
    {FRAME_TOP, "self_test: {every: 24h}\n", "2:1: error: `self_test` needs an uplink: there is none\n"},
    {FRAME_TOP, "store: {path: a, path: b}\n", "2:18: error: `path` is given twice, first in line 2\n"},
    {FRAME_TOP,
     "store: {}\n"
     "log: {}\n"
     "store: {}\n",
     "4:1: error: `store` is given twice, first in line 2\n"},
    {FRAME_TOP, "<<: {a: 1}\n", "2:1: error: merge keys (<<) are not taken: write the values out\n"},
    {FRAME_TOP, "include: x.yaml\n", "2:1: error: `include` is not possible here\n"},
    {FRAME_TOP, "store: [1]\n", "2:1: error: `store` must be a mapping, not a list\n"},
    {FRAME_TOP, "devices: {a: 1}\n", "2:1: error: `devices` must be a list of mappings, not a mapping\n"},
    {FRAME_TOP, "devices: [1, {name: x}]\n",
     "2:11: error: an entry of `devices` must be a mapping, not a text\n"
     "2:14: error: `bus` is missing in a device\n"
     "2:14: error: `unit` is missing in a device\n"
     "2:14: error: `points` is missing in a device, and no output is on it\n"},
    {FRAME_TOP, "include: {a: b}\n",
     "2:1: error: `include` is not possible here\n"
     "2:1: error: `include` must be a path or a list of paths, not a mapping\n"},
    {FRAME_TOP, "store: {path: }\n", "2:9: error: `path` must be a path, not nothing\n"},
    {FRAME_TOP, "store: {commit: 5}\n",
     "2:17: error: `commit` must be a duration such as 250ms, 3s, 15m, 8h or 30d; did you mean `5s`?\n"},
    {FRAME_TOP, "store: {commit: 1 s}\n",
     "2:17: error: `commit` must be a duration such as 250ms, 3s, 15m, 8h or 30d, not `1 s`\n"},
    {FRAME_TOP, "store: {commit: 1ms}\n", "2:17: error: `commit` must be 10ms to 1m, not `1ms`\n"},
    {FRAME_TOP, "store: {commit: 2m}\n", "2:17: error: `commit` must be 10ms to 1m, not `2m`\n"},
    {FRAME_TOP, "store: {commit: [1s]}\n",
     "2:9: error: `commit` must be a duration such as 250ms, 3s, 15m, 8h or 30d, not a list\n"},
    {FRAME_TOP, "store: {retention: {telemetry: 5m}}\n",
     "2:32: error: `telemetry` must be 1h to 100y, not `5m`\n"},
    {FRAME_TOP, "store: {retention: {alarms: 200y}}\n",
     "2:29: error: `alarms` must be 1h to 100y, not `200y`\n"},
    {FRAME_TOP, "store: {retention: {max_size: 4GB}}\n",
     "2:31: error: `max_size` must be a size such as 64KiB, 8MiB or 4GiB, not `4GB`\n"},
    {FRAME_TOP, "store: {retention: {max_size: 1KiB}}\n",
     "2:31: error: `max_size` must be 1MiB to 65536GiB, not `1KiB`\n"},
    {FRAME_TOP, "store: {retention: {telemetri: 3d}}\n",
     "2:21: error: unknown key `telemetri` in `retention`; did you mean `telemetry`?\n"},
    {FRAME_TOP, "log: {level: verbose}\n",
     "2:14: error: `level` must be one of error, warning, info, debug, not `verbose`\n"},
    {FRAME_TOP, "log: {level: inf}\n",
     "2:14: error: `level` must be one of error, warning, info, debug, not `inf`; did you mean `info`?\n"},
    {FRAME_TOP, "control: {socket: x, group: riskgate, act_group: 1004}\n", ""},
    {FRAME_TOP, "control: {group: riskgate}\n",
     "2:1: error: `control` names a group, but no `socket` for it\n"},
    {FRAME_TOP, "control: {socket: x, act_group: [a]}\n",
     "2:22: error: `act_group` must be a text, not a list\n"},
    {FRAME_TOP, "control: {sock: x}\n",
     "2:11: error: unknown key `sock` in `control`; did you mean `socket`?\n"},
    {FRAME_TOP, "metrics: {file: m.prom}\n", ""},
    {FRAME_TOP, "store: {path: a.prom}\nmetrics: {file: a.prom}\n",
     "3:17: error: `file` would be written in the place of the database, `a.prom`\n"},
    {FRAME_TOP, "control: {socket: x.prom}\nmetrics: {file: x.prom}\n",
     "3:17: error: `file` would be written in the place of the control socket, `x.prom`\n"},
    {FRAME_RAW, "a: &x 1\n",
     "1:4: error: a value that begins with & must be in quotes (anchors are not taken)\n"},
    {FRAME_RAW, "a: *x\n",
     "1:4: error: a value that begins with * must be in quotes (aliases are not taken)\n"},
    {FRAME_RAW, "a: !!str 1\n",
     "1:4: error: a value that begins with ! must be in quotes (tags are not taken)\n"},
    {FRAME_RAW,
     "a: 1\n"
     "---\n"
     "b: 2\n",
     "2:1: error: a second YAML document begins here; a configuration file holds one\n"},
    {FRAME_RAW, "a: \"x\n", "1:5: error: not valid YAML: double-quoted scalar without closing quote\n"},
    {FRAME_RAW,
     "a:\n"
     "\tb: 1\n",
     "2:1: error: a tab in the indentation: YAML wants spaces\n"},
    {FRAME_RAW,
     "a: 1\n"
     "  b: 2\n",
     "1:4: error: not valid YAML: invalid multiline plain key\n"},
    {FRAME_RAW,
     "? [a]\n"
     ": 1\n",
     "1:3: error: a key must be a plain word, not a list or a mapping\n"},
    {FRAME_RAW, "a: \"\\u0000\"\n",
     "1:4: error: an escape makes a control character or no character at all\n"},
    {FRAME_RAW, "a: \"\\e[31m\"\n",
     "1:4: error: an escape makes a control character or no character at all\n"},
    {FRAME_RAW, "a: [1,\n", "1:7: error: not valid YAML: did not find expected node content\n"},
    {FRAME_RAW, "a: \001\n", "1:4: error: the control character U+0001 is not allowed in a configuration\n"},
    {FRAME_RAW, "a: \r b\n", "1:4: error: a carriage return that does not end a line\n"},
    {FRAME_RAW, "a: \357\273\277x\n",
     "1:4: error: the control character U+FEFF is not allowed in a configuration\n"},
    {FRAME_RAW, "a: \342\200\256x\n",
     "1:4: error: the control character U+202E is not allowed in a configuration\n"},
    /* Single quotes, many of them doubled. */
    {FRAME_TOP, "log: {level: 'a''b''''c''''''''''''''''''''''''d'}\n",
     "2:14: error: `level` must be one of error, warning, info, debug, not `a'b''c''''''''''''d`\n"},
    {FRAME_TOP, "log:\n  level: 'a\n\n   b\n   c'\n",
     "3:10: error: `level` must be one of error, warning, info, debug, not `a b c`\n"},
};

static void test_top(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_top)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
