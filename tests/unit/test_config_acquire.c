/* LINK rg_config */
/* How devices are asked, and what beside their points decides on a reading: every message, with its place. */
#include "config_rows.h"

#include <stdlib.h>

/* A device on a serial line, or on TCP, with one point; a row adds to it. */
#define SERIAL "name: d, bus: r, unit: 1, poll: 5s, points: [{name: p, coil: 0}], "
#define NETWORK "name: d, bus: b, unit: 1, poll: 5s, points: [{name: p, coil: 0}], "
#define REGISTER "name: p, holding: 0, type: u16, "

static const struct row buses[] = {
    {FRAME_BUS, "name: b, rtu: /dev/x, baud: 9600, retry: 1s, echo: true, rs485: {}", ""},
    {FRAME_BUS, "name: b, rtu: /dev/x, baud: 9600, rs485: {send: low, before: 1ms, after: 100ms}", ""},
    {FRAME_BUS, "name: b, rtu_over_tcp: 'h:1', echo: true, retry: 1h", ""},
    {FRAME_BUS, "name: b, tcp: 'h:1', retry: 999ms", "3:34: error: `retry` must be 1s to 1h, not `999ms`\n"},
    {FRAME_BUS, "name: b, tcp: 'h:1', retry: 61m", "3:34: error: `retry` must be 1s to 1h, not `61m`\n"},
    {FRAME_BUS, "name: b, tcp: 'h:1', echo: false",
     "3:27: error: `echo` means nothing on `tcp`: it belongs to `rtu` or `rtu_over_tcp`\n"},
    {FRAME_BUS, "name: b, rtu: /dev/x, baud: 9600, echo: yes",
     "3:46: error: `echo` must be true or false, not `yes`\n"},
    {FRAME_BUS, "name: b, tcp: 'h:1', rs485: {}",
     "3:27: error: `rs485` belongs to `rtu`: the direction is switched at a serial port of this machine\n"},
    {FRAME_BUS, "name: b, rtu_over_tcp: 'h:1', rs485: {send: up}",
     "3:36: error: `rs485` belongs to `rtu`: the direction is switched at a serial port of this machine\n"
     "3:50: error: `send` must be one of high, low, not `up`\n"},
    {FRAME_BUS, "name: b, rtu: /dev/x, baud: 9600, rs485: true",
     "3:47: error: `rs485` must be a mapping, not `true`\n"},
    {FRAME_BUS, "name: b, rtu: /dev/x, baud: 9600, rs485: {before: 101ms, sned: high}",
     "3:56: error: `before` must be 0s to 100ms, not `101ms`\n"
     "3:63: error: unknown key `sned` in `rs485`; did you mean `send`?\n"},
};

static const struct row habits[] = {
    {FRAME_DEVICE, SERIAL "gap: 1s, start_up: 1h, misses: 1000, probe: 1d", ""},
    {FRAME_DEVICE, SERIAL "gap: 61s", "5:77: error: `gap` must be 0s to 1m, not `61s`\n"},
    {FRAME_DEVICE, SERIAL "start_up: 10",
     "5:82: error: `start_up` must be a duration such as 250ms, 3s, 15m, 8h or 30d; did you mean `10s`?\n"},
    {FRAME_DEVICE, SERIAL "start_up: 2h", "5:82: error: `start_up` must be 0s to 1h, not `2h`\n"},
    {FRAME_DEVICE, SERIAL "misses: 0", "5:80: error: `misses` must be 1 to 1000, not `0`\n"},
    {FRAME_DEVICE, SERIAL "probe: 500ms", "5:79: error: `probe` must be 1s to 1d, not `500ms`\n"},
    {FRAME_DEVICE, SERIAL "order: ABDC",
     "5:79: error: `order` must be one of ABCD, CDAB, BADC, DCBA, not `ABDC`; did you mean `ABCD`?\n"},
    {FRAME_DEVICE, SERIAL "mises: 3",
     "5:72: error: unknown key `mises` in a device; did you mean `misses`?\n"},
    /* A point's own order is for one that needs it; the device's is not. */
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, order: CDAB, points: [{name: p, holding: 0, type: u16}]", ""},
};

static const struct row lines[] = {
    {FRAME_DEVICE, SERIAL "line: {baud: 9600, parity: none, stop_bits: 1}", ""},
    {FRAME_DEVICE, SERIAL "line: {parity: even}",
     "5:87: error: mixed parity on one line: this device is set to `even`, its bus `r` (c.yaml:2) to "
     "`none`\n"},
    {FRAME_DEVICE, SERIAL "line: {baud: 19200, stop_bits: 2}",
     "5:85: error: mixed speeds on one line: this device is set to `19200`, its bus `r` (c.yaml:2) to "
     "`9600`\n"
     "5:103: error: mixed stop bits on one line: this device is set to `2`, its bus `r` (c.yaml:2) to `1`\n"},
    {FRAME_DEVICE, SERIAL "line: {baud: 4800}",
     "5:85: error: mixed speeds on one line: this device is set to `4800`, its bus `r` (c.yaml:2) to "
     "`9600`\n"},
    {FRAME_DEVICE, SERIAL "line: {}",
     "5:78: error: `line` needs at least one of `baud`, `parity`, `stop_bits`\n"},
    {FRAME_DEVICE, SERIAL "line: {parity: evne}",
     "5:87: error: `parity` must be one of none, even, odd, not `evne`; did you mean `none`?\n"},
    {FRAME_DEVICE, SERIAL "line: 9600", "5:78: error: `line` must be a mapping, not `9600`\n"},
    {FRAME_DEVICE, NETWORK "line: {baud: 9600}",
     "5:72: error: `line` means nothing on `tcp`: it belongs to devices on `rtu` or `rtu_over_tcp`\n"},
    /* Behind a serial server only what is said is known: by the bus, or by the first device. */
    {FRAME_RAW,
     GATEWAY
     "buses: [{name: far, rtu_over_tcp: 'h:1', parity: even}]\n"
     "devices:\n"
     "  - {name: a, bus: far, unit: 1, line: {baud: 9600, parity: even}, points: [{name: p, coil: 0}]}\n"
     "  - {name: b, bus: far, unit: 2, line: {baud: 19200, parity: odd}, points: [{name: p, coil: 0}]}\n"
     "  - {name: c, bus: far, unit: 3, line: {baud: 9600, stop_bits: 2}, points: [{name: p, coil: 0}]}\n",
     "5:47: error: mixed speeds on one line: this device is set to `19200`, the device `a` (c.yaml:4) to "
     "`9600`\n"
     "5:62: error: mixed parity on one line: this device is set to `odd`, its bus `far` (c.yaml:2) to "
     "`even`\n"},
};

static const struct row states[] = {
    {FRAME_DEVICE, NETWORK "status: {holding: 5, bits: {0: sensor, 15: inhibited, 3: good}}", ""},
    {FRAME_DEVICE,
     NETWORK "status: {register: 30007, mask: 0x0F00, is: {1: good, 0xf: stale}, otherwise: device}", ""},
    {FRAME_DEVICE, NETWORK "status: [{coil: 1, is: {true: range}}, {discrete: 65535, is: {0: sensor}}]", ""},
    {FRAME_DEVICE, NETWORK "status: {holding: 5}",
     "5:80: error: a `status` needs exactly one of `is`, `bits`\n"},
    {FRAME_DEVICE, NETWORK "status: {is: {1: sensor}}",
     "5:80: error: a `status` needs exactly one of `coil`, `discrete`, `input`, `holding`, `register`\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, input: 2, is: {1: sensor}, bits: {1: sensor}}",
     "5:81: error: `input` and `holding` are both given; a `status` has exactly one of `coil`, `discrete`, "
     "`input`, `holding`, `register`\n"
     "5:120: error: `is` and `bits` are both given; a `status` has exactly one of them\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, si: {1: sensor}}",
     "5:93: error: unknown key `si` in a `status`\n"},
    {FRAME_DEVICE, NETWORK "status: {register: 50001, is: {1: sensor}}",
     "5:91: error: `register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not "
     "`50001`\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, is: {}}", "5:93: error: `is` must give 1 to 256 values\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, is: [1]}",
     "5:93: error: `is` must be a mapping such as {1: good, 2: inhibited}, not a list\n"},
    {FRAME_DEVICE,
     NETWORK "status: {holding: 1, is: {65536: sensor, -1: sensor, x: sensor, true: sensor, 01: sensor}}",
     "5:98: error: a value in `is` must be a whole number from 0 to 65535, not `65536`\n"
     "5:113: error: a value in `is` must be a whole number from 0 to 65535, not `-1`\n"
     "5:125: error: a value in `is` must be a whole number from 0 to 65535, not `x`\n"
     "5:136: error: a value in `is` must be a whole number from 0 to 65535, not `true`\n"
     "5:150: error: a value in `is` must be a whole number from 0 to 65535, not `01`\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, is: {1: sensor, 0x1: good}}",
     "5:109: error: the value `0x1` is given twice in `is`\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, is: {1: inhibit, 2: comm, 3: [sensor], 4: }}",
     "5:101: error: `1` must be one of good, sensor, inhibited, device, range, stale, not `inhibit`; did you "
     "mean `inhibited`?\n"
     "5:113: error: `2` must be one of good, sensor, inhibited, device, range, stale, not `comm`\n"
     "5:122: error: `3` must be one of good, sensor, inhibited, device, range, stale, not a list\n"
     "5:132: error: `4` must be one of good, sensor, inhibited, device, range, stale, not nothing\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, mask: 0xf0, is: {15: good, 16: sensor}}",
     "5:120: error: a value in `is` must be a whole number from 0 to 15, not `16`\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, mask: 0, is: {1: sensor}}",
     "5:99: error: `mask` must be 1 to 65535, not `0`\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, is: {1: good}}",
     "5:93: error: `is` names no bad quality: the register would be read for nothing\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, is: {1: good}, otherwise: good}",
     "5:93: error: `is` names no bad quality: the register would be read for nothing\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, bits: {16: sensor}}",
     "5:100: error: a bit in `bits` must be a whole number from 0 to 15, not `16`\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, bits: {1: sensor, 1: sensor, 0x1: sensor}}",
     "5:111: error: the bit `1` is given twice in `bits`\n"
     "5:122: error: the bit `0x1` is given twice in `bits`\n"},
    {FRAME_DEVICE, NETWORK "status: {holding: 1, bits: {1: good}, otherwise: sensor, mask: 1}",
     "5:93: error: `bits` names no bad quality: the register would be read for nothing\n"
     "5:110: error: `otherwise` belongs to `is`: where no bit is set all is good\n"
     "5:129: error: `mask` belongs to `is`: `bits` are those of the whole register\n"},
    {FRAME_DEVICE, NETWORK "status: {coil: 1, bits: {0: sensor}, mask: 1}",
     "5:90: error: `bits` means nothing for a coil or discrete input: say what it `is`\n"
     "5:109: error: `mask` means nothing for a coil or discrete input: it is one bit\n"},
    {FRAME_DEVICE, NETWORK "status: {coil: 1, is: {2: sensor}}",
     "5:95: error: a value in `is` must be a whole number from 0 to 1, not `2`\n"},
    {FRAME_DEVICE, NETWORK "status: []", "5:72: error: `status` must be 1 to 16 mappings\n"},
    {FRAME_DEVICE, NETWORK "status: [5, {holding: 5, bits: {1: sensor}}]",
     "5:81: error: an entry of `status` must be a mapping, not a text\n"},
    {FRAME_DEVICE, NETWORK "status: 5",
     "5:80: error: `status` must be a mapping or a list of mappings, not `5`\n"},
    {FRAME_DEVICE, NETWORK "status: ~",
     "5:72: error: `status` must be a mapping or a list of mappings, not nothing\n"},
};

static const struct row beats[] = {
    {FRAME_DEVICE, NETWORK "heartbeat: {holding: 7, within: 5001ms, mask: 0xff}", ""},
    {FRAME_DEVICE, NETWORK "heartbeat: {discrete: 7, within: 1m}", ""},
    {FRAME_DEVICE, NETWORK "heartbeat: {holding: 7, within: 5s}",
     "5:104: error: `within` must be longer than the poll period, 5s: between two polls nothing can be seen "
     "to change\n"},
    {FRAME_DEVICE, NETWORK "heartbeat: {holding: 7}", "5:83: error: `within` is missing in `heartbeat`\n"},
    {FRAME_DEVICE, NETWORK "heartbeat: {within: 20s}",
     "5:83: error: `heartbeat` needs exactly one of `coil`, `discrete`, `input`, `holding`, `register`\n"},
    {FRAME_DEVICE, NETWORK "heartbeat: {coil: 7, within: 20s, mask: 1}",
     "5:106: error: `mask` means nothing for a coil or discrete input: it is one bit\n"},
    {FRAME_DEVICE, NETWORK "heartbeat: {register: 1, within: 366d}",
     "5:94: error: `register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not `1`\n"
     "5:105: error: `within` must be 100ms to 1y, not `366d`\n"},
    {FRAME_DEVICE, NETWORK "heartbeat: [{holding: 7, within: 20s}]",
     "5:72: error: `heartbeat` must be a mapping, not a list\n"},
};

static const struct row triggers[] = {
    {FRAME_DEVICE, SERIAL "trigger: {holding: 0x118, value: 1, wait: 3s, broadcast: true}", ""},
    {FRAME_DEVICE, NETWORK "trigger: {coil: 1, wait: 0ms}", ""},
    {FRAME_DEVICE, NETWORK "trigger: {register: 40001, value: 65535, wait: 4999ms}", ""},
    {FRAME_DEVICE, NETWORK "trigger: {coil: 1, wait: 5s}",
     "5:97: error: `wait` must be shorter than the poll period, 5s\n"},
    {FRAME_DEVICE, NETWORK "trigger: {coil: 1}", "5:81: error: `wait` is missing in `trigger`\n"},
    {FRAME_DEVICE, NETWORK "trigger: {coil: 1, holding: 1, value: 1, wait: 1s}",
     "5:91: error: `coil` and `holding` are both given; `trigger` has exactly one of `coil`, `holding`, "
     "`register`\n"},
    {FRAME_DEVICE, NETWORK "trigger: {input: 1, value: 1, wait: 1s}",
     "5:82: error: unknown key `input` in `trigger`\n"},
    {FRAME_DEVICE, NETWORK "trigger: {register: 30001, value: 1, wait: 1s}",
     "5:92: error: `register`: the input register `30001` cannot be written\n"},
    {FRAME_DEVICE, NETWORK "trigger: {register: 10001, value: 1, wait: 1s}",
     "5:92: error: `register`: the discrete input `10001` cannot be written\n"},
    {FRAME_DEVICE, NETWORK "trigger: {holding: 1, wait: 1s}",
     "5:81: error: `value` is missing in `trigger`: what is written to a register is never guessed\n"},
    {FRAME_DEVICE, NETWORK "trigger: {coil: 1, value: 2, wait: 1s}",
     "5:98: error: `value` of a coil must be 0 or 1, not `2`\n"},
    {FRAME_DEVICE, NETWORK "trigger: {holding: 1, value: 65536, wait: 1s}",
     "5:101: error: `value` must be 0 to 65535, not `65536`\n"},
    {FRAME_DEVICE, NETWORK "trigger: {holding: 1, value: -1, wait: 1s}",
     "5:101: error: `value` must be 0 to 65535, not `-1`\n"},
    {FRAME_DEVICE, NETWORK "trigger: {coil: 1, wait: 1s, broadcast: true}",
     "5:101: error: `broadcast` is possible on `rtu` and `rtu_over_tcp` only: on `tcp` there is no unit 0\n"},
    {FRAME_DEVICE, NETWORK "trigger: {coil: 1, wait: 1s, broadcast: false}", ""},
};

static const struct row points[] = {
    {FRAME_POINT, REGISTER "decimals_from: {holding: 4, mask: 0xff00}, scale: 0.5, range: [0, 1]", ""},
    {FRAME_POINT, "name: p, input: 0, type: bcd16, decimals_from: {register: 30009}", ""},
    {FRAME_POINT, REGISTER "decimals_from: {}",
     "8:57: error: `decimals_from` needs exactly one of `input`, `holding`, `register`\n"},
    {FRAME_POINT, REGISTER "decimals_from: {coil: 1}",
     "8:58: error: unknown key `coil` in `decimals_from`\n"},
    {FRAME_POINT, REGISTER "decimals_from: {register: 10001}",
     "8:68: error: `register`: `10001` is one bit; decimals are held by an input or holding register\n"},
    {FRAME_POINT, REGISTER "decimals_from: {holding: 1, input: 2}",
     "8:58: error: `input` and `holding` are both given; `decimals_from` has exactly one of `input`, "
     "`holding`, `register`\n"},
    {FRAME_POINT, REGISTER "decimals_from: {holding: 70000, mask: 65536}",
     "8:67: error: `holding` must be 0 to 65535, not `70000`\n"
     "8:80: error: `mask` must be 1 to 65535, not `65536`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: f32, order: ABCD, decimals_from: {holding: 4}",
     "8:55: error: `decimals_from` means nothing for type f32, which has its own\n"},
    {FRAME_POINT, "name: p, holding: 0, type: bytes8.8, decimals_from: {holding: 4}",
     "8:47: error: `decimals_from` means nothing for type bytes8.8, which has its own\n"},
    {FRAME_POINT, "name: p, coil: 0, decimals_from: {holding: 4}",
     "8:28: error: `decimals_from` means nothing for a single bit\n"},
    {FRAME_POINT, "name: p, holding: 0, bit: 1, decimals_from: {holding: 4}",
     "8:39: error: `decimals_from` means nothing for a single bit\n"},
    {FRAME_POINT, REGISTER "values: {1: normal, 2: warm-up, 0x10: off}, invalid: [3]", ""},
    {FRAME_POINT, "name: p, coil: 0, values: {false: open, true: closed}", ""},
    {FRAME_POINT, "name: p, holding: 0, bit: 3, values: {0: open, 1: closed}", ""},
    {FRAME_POINT, "name: p, holding: 0, type: i16, values: {-1: a, 0xfffe: b}", ""},
    {FRAME_POINT, REGISTER "values: {}", "8:42: error: `values` must name 1 to 256 values\n"},
    {FRAME_POINT, REGISTER "values: [a]",
     "8:42: error: `values` must be a mapping such as {1: closed, 2: open}, not a list\n"},
    {FRAME_POINT, REGISTER "values: {65536: a, 1.5: b, c: d, 01: e}",
     "8:51: error: a value in `values` must be a whole number from -32768 to 65535, not `65536`\n"
     "8:61: error: a value in `values` must be a whole number from -32768 to 65535, not `1.5`\n"
     "8:69: error: a value in `values` must be a whole number from -32768 to 65535, not `c`\n"
     "8:75: error: a value in `values` must be a whole number from -32768 to 65535, not `01`\n"},
    {FRAME_POINT, REGISTER "values: {1: a, 0x1: b}",
     "8:57: error: the value `0x1` is given twice in `values`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: i16, values: {-1: a, 0xffff: b}",
     "8:58: error: the value `0xffff` is given twice in `values`\n"},
    {FRAME_POINT, REGISTER "values: {1: , 2: [a], 3: \"\"}",
     "8:51: error: `1` in `values` must be a text, not nothing\n"
     "8:59: error: `2` in `values` must be a text, not a list\n"
     "8:67: error: `3` in `values` must not be empty\n"},
    {FRAME_POINT, REGISTER "values: {1: 01234567890123456789012345678901234567890123456789012345678901234}",
     "8:54: error: `1` in `values` is longer than 64 bytes\n"},
    {FRAME_POINT, REGISTER "mask: 0x30, values: {3: a, 4: b}",
     "8:69: error: a value in `values` must be a whole number from 0 to 3, not `4`\n"},
    {FRAME_POINT, "name: p, coil: 0, values: {2: a}",
     "8:37: error: a value in `values` must be a whole number from 0 to 1, not `2`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: f64, order: ABCD, values: {1: a}",
     "8:55: error: `values` needs whole numbers, not type f64\n"},
    {FRAME_POINT,
     REGISTER "values: {1: a}, scale: 0.1, offset: 1, range: [0, 1], decimals_from: {holding: 1}",
     "8:58: error: `scale` means nothing beside `values`: they are names, not quantities\n"
     "8:70: error: `offset` means nothing beside `values`: they are names, not quantities\n"
     "8:81: error: `range` means nothing beside `values`: they are names, not quantities\n"
     "8:96: error: `decimals_from` means nothing beside `values`: they are names, not quantities\n"},
};

static const char whole[] =
    GATEWAY "buses:\n"
            "  - {name: line, rtu: /dev/ttyS1, baud: 9600, parity: even, retry: 5m, echo: true,\n"
            "     rs485: {send: low, before: 1ms, after: 2ms}}\n"
            "  - {name: bare, rtu: /dev/ttyS2, baud: 9600, rs485: {}}\n"
            "  - {name: net, tcp: 'h:502'}\n"
            "devices:\n"
            "  - name: d\n"
            "    bus: line\n"
            "    unit: 7\n"
            "    poll: 10s\n"
            "    gap: 300ms\n"
            "    start_up: 10s\n"
            "    misses: 5\n"
            "    probe: 2m\n"
            "    line: {baud: 9600, parity: even}\n"
            "    order: CDAB\n"
            "    status:\n"
            "      - {holding: 5, bits: {6: sensor, 0x3: inhibited}}\n"
            "      - {register: 30007, mask: 0x00ff, otherwise: device, is: {1: good, 0x0c: stale}}\n"
            "      - {coil: 1, is: {false: range}}\n"
            "    heartbeat: {input: 7, within: 20s, mask: 0xff}\n"
            "    trigger: {register: 40281, value: 258, wait: 3s, broadcast: true}\n"
            "    points:\n"
            "      - {name: a, holding: 2, type: f32}\n"
            "      - {name: b, holding: 2, type: u32, order: DCBA}\n"
            "      - {name: c, input: 10, type: i16, decimals_from: {holding: 4, mask: 0xff00}, scale: 0.5}\n"
            "      - {name: e, holding: 6, type: i16, values: {1: normal, 0xffff: broken}}\n"
            "      - {name: f, coil: 6, values: {true: open, false: 关}}\n"
            "      - {name: g, holding: 6, type: i16, mask: 0xffff, values: {65535: all}}\n"
            "  - name: plain\n"
            "    bus: net\n"
            "    unit: 1\n"
            "    heartbeat: {discrete: 0, within: 1001ms}\n"
            "    trigger: {coil: 9, wait: 0s}\n"
            "    points: [{name: a, coil: 0}]\n"
            "  - {name: bare, bus: net, unit: 2, points: [{name: a, coil: 0}]}\n";

static void check_lines(const struct site *site)
{
    const struct site_bus *line = &site->buses[0];
    const struct site_bus *bare = &site->buses[1];
    const struct site_bus *net = &site->buses[2];

    assert_int_equal(line->retry_ms, 300000);
    assert_true(line->echo && line->rs485.enabled && line->rs485.send_low);
    assert_int_equal(line->rs485.before_ms, 1);
    assert_int_equal(line->rs485.after_ms, 2);
    assert_true(bare->rs485.enabled && !bare->rs485.send_low && !bare->echo);
    assert_int_equal(bare->rs485.before_ms + bare->rs485.after_ms, 0);
    assert_int_equal(net->retry_ms, 30000);
    assert_false(net->rs485.enabled || net->echo);
}

static void check_gates(const struct site_device *d)
{
    const struct site_gate *bits = &d->gates[0];
    const struct site_gate *is = &d->gates[1];
    const struct site_gate *coil = &d->gates[2];
    const struct site_gate *beat = &d->gates[3];

    assert_int_equal(d->gate_count, 4);
    assert_int_equal(bits->kind, GATE_BITS);
    assert_int_equal(bits->at.space, SPACE_HOLDING);
    assert_int_equal(bits->at.address, 5);
    assert_int_equal(bits->at.mask, 0);
    assert_int_equal(bits->otherwise, QUALITY_GOOD);
    assert_int_equal(bits->case_count, 2);
    assert_true(bits->cases[0].value == 6 && bits->cases[0].quality == QUALITY_SENSOR);
    assert_true(bits->cases[1].value == 3 && bits->cases[1].quality == QUALITY_INHIBITED);
    assert_int_equal(is->kind, GATE_VALUES);
    assert_int_equal(is->at.space, SPACE_INPUT);
    assert_int_equal(is->at.address, 6);
    assert_int_equal(is->at.mask, 0xff);
    assert_int_equal(is->otherwise, QUALITY_DEVICE);
    assert_int_equal(is->case_count, 2);
    assert_true(is->cases[0].value == 1 && is->cases[0].quality == QUALITY_GOOD);
    assert_true(is->cases[1].value == 12 && is->cases[1].quality == QUALITY_STALE);
    assert_int_equal(coil->kind, GATE_VALUES);
    assert_int_equal(coil->at.space, SPACE_COIL);
    assert_int_equal(coil->otherwise, QUALITY_GOOD);
    assert_true(coil->case_count == 1 && coil->cases[0].value == 0 &&
                coil->cases[0].quality == QUALITY_RANGE);
    assert_int_equal(beat->kind, GATE_HEARTBEAT);
    assert_int_equal(beat->at.space, SPACE_INPUT);
    assert_int_equal(beat->at.address, 7);
    assert_int_equal(beat->at.mask, 0xff);
    assert_int_equal(beat->within_ms, 20000);
}

static void check_habits(const struct site *site)
{
    const struct site_device *d = &site->devices[0];
    const struct site_device *plain = &site->devices[1];
    const struct site_device *bare = &site->devices[2];

    assert_int_equal(d->gap_ms, 300);
    assert_int_equal(d->start_up_ms, 10000);
    assert_int_equal(d->misses, 5);
    assert_int_equal(d->probe_ms, 120000);
    assert_true(d->trigger.enabled && d->trigger.broadcast);
    assert_int_equal(d->trigger.space, SPACE_HOLDING);
    assert_int_equal(d->trigger.address, 280);
    assert_int_equal(d->trigger.value, 258);
    assert_int_equal(d->trigger.wait_ms, 3000);
    assert_true(plain->trigger.enabled && !plain->trigger.broadcast);
    assert_int_equal(plain->trigger.space, SPACE_COIL);
    assert_int_equal(plain->trigger.value, 1);
    assert_int_equal(plain->gate_count, 1);
    assert_int_equal(plain->gates[0].at.space, SPACE_DISCRETE);
    assert_false(bare->trigger.enabled || bare->gates || bare->gate_count);
    assert_int_equal(bare->gap_ms + bare->start_up_ms, 0);
    assert_int_equal(bare->misses, DEVICE_MISSES_STANDARD);
    assert_int_equal(bare->probe_ms, DEVICE_PROBE_STANDARD_MS);
}

static void check_meanings(const struct site *site)
{
    const struct site_point *p = site->points;

    assert_int_equal(p[0].order, ORDER_CDAB);
    assert_int_equal(p[1].order, ORDER_DCBA);
    assert_int_equal(p[2].order, ORDER_NONE);
    assert_false(p[0].has_decimals || p[0].word_count > 0);
    assert_true(p[2].has_decimals && p[2].scaling.num == 5 && p[2].scaling.den == 10);
    assert_int_equal(p[2].decimals.space, SPACE_HOLDING);
    assert_int_equal(p[2].decimals.address, 4);
    assert_int_equal(p[2].decimals.mask, 0xff00);
    assert_int_equal(p[3].word_count, 2);
    assert_true(p[3].words[0].value == 1 && p[3].words[1].value == -1); /* 0xffff in an i16 */
    assert_string_equal(p[3].words[0].text, "normal");
    assert_string_equal(p[3].words[1].text, "broken");
    assert_int_equal(p[4].word_count, 2);
    assert_true(p[4].words[0].value == 1 && p[4].words[1].value == 0);
    assert_string_equal(p[4].words[1].text, "关");
    assert_true(p[5].words[0].value == 65535); /* what a mask leaves has no sign */
}

static void test_fields(void **state)
{
    struct config *config = load_good(whole);

    (void)state;
    check_lines(config->site);
    check_gates(&config->site->devices[0]);
    check_habits(config->site);
    check_meanings(config->site);
    config_free(config);
}

/* One more than there may be, of everything that is counted. */
static void test_bounds(void **state)
{
    static const struct {
        const char *before, *entry, *end, *after, *wanted;
        unsigned most;
    } lists[] = {
        {"status: [", "{coil: ", ", is: {1: sensor}}, ", "]", "`status` must be 1 to 16 mappings", 16},
        {"status: {holding: 1, is: {", "", ": sensor, ", "}}", "`is` must give 1 to 256 values", 256},
        {"points: [{name: p, holding: 1, type: u16, values: {", "", ": x, ", "}}]",
         "`values` must name 1 to 256 values", 256},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(lists); i++) {
        for (unsigned more = 0; more < 2; more++) {
            char *text = NULL;
            size_t length = 0;
            FILE *f = open_memstream(&text, &length);
            struct config *config;

            assert_non_null(f);
            (void)fprintf(f, "%s%s%s", GATEWAY BUS "devices: [{name: d, bus: b, unit: 1, ",
                          i < 2 ? "points: [{name: p, coil: 0}], " : "", lists[i].before);
            for (unsigned n = 0; n < lists[i].most + more; n++)
                (void)fprintf(f, "%s%u%s", lists[i].entry, n, lists[i].end);
            (void)fprintf(f, "%s}]\n", lists[i].after);
            assert_int_equal(fclose(f), 0);
            assert_int_equal(config_load_text("c.yaml", text, length, &config), RG_OK);
            assert_int_equal(config->error_count, more);
            assert_true(!more || strcmp(config->issues[0].text, lists[i].wanted) == 0);
            config_free(config);
            free(text);
        }
    }
}

static void test_buses(void **state)
{
    (void)state;
    check_rows(buses, RG_COUNT(buses));
}

static void test_habits(void **state)
{
    (void)state;
    check_rows(habits, RG_COUNT(habits));
}

static void test_lines(void **state)
{
    (void)state;
    check_rows(lines, RG_COUNT(lines));
}

static void test_states(void **state)
{
    (void)state;
    check_rows(states, RG_COUNT(states));
}

static void test_heartbeats(void **state)
{
    (void)state;
    check_rows(beats, RG_COUNT(beats));
}

static void test_triggers(void **state)
{
    (void)state;
    check_rows(triggers, RG_COUNT(triggers));
}

static void test_points(void **state)
{
    (void)state;
    check_rows(points, RG_COUNT(points));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buses),  cmocka_unit_test(test_habits),     cmocka_unit_test(test_lines),
        cmocka_unit_test(test_states), cmocka_unit_test(test_heartbeats), cmocka_unit_test(test_triggers),
        cmocka_unit_test(test_points), cmocka_unit_test(test_fields),     cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
