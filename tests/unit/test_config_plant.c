/* LINK rg_config */
/* buses, devices, areas: every message, with its place. */
#include "config_rows.h"

static const struct row rows[] = {
    {FRAME_BUS, "name: b", "3:5: error: a bus needs exactly one of `tcp`, `rtu`, `rtu_over_tcp`\n"},
    {FRAME_BUS, "name: b, tcp: \"h:1\", rtu: /dev/x",
     "3:27: error: `tcp` and `rtu` are both given; a bus has exactly one of `tcp`, `rtu`, `rtu_over_tcp`\n"},
    {FRAME_BUS, "name: b, tcp: h", "3:20: error: `tcp` must be host:port; did you mean `h:502`?\n"},
    {FRAME_BUS, "name: b, tcp: \"h:0\"", "3:20: error: `tcp`: the port of `h:0` must be 1 to 65535\n"},
    {FRAME_BUS, "name: b, tcp: \"h:70000\"",
     "3:20: error: `tcp`: the port of `h:70000` must be 1 to 65535\n"},
    {FRAME_BUS, "name: b, tcp: \"::1:502\"",
     "3:20: error: `tcp`: an IPv6 address stands in brackets, [address]:port, not `::1:502`\n"},
    {FRAME_BUS, "name: b, tcp: \"[::1:502\"",
     "3:20: error: `tcp` must be host:port, and `[::1:502` does not begin with a host\n"},
    {FRAME_BUS, "name: b, tcp: \"[zz]:502\"",
     "3:20: error: `tcp` must be host:port, and `[zz]:502` does not begin with a host\n"},
    {FRAME_BUS, "name: b, tcp: \"a b:502\"",
     "3:20: error: `tcp` must be host:port, and `a b:502` does not begin with a host\n"},
    {FRAME_BUS, "name: b, tcp: \"1.2.3:502\"",
     "3:20: error: `tcp` must be host:port, and `1.2.3:502` does not begin with a host\n"},
    {FRAME_BUS, "name: b, tcp: \"h:502x\"", "3:20: error: `tcp`: the port of `h:502x` must be 1 to 65535\n"},
    {FRAME_BUS, "name: b, tcp: 502",
     "3:20: error: `tcp` must be host:port, and `502` does not begin with a host\n"},
    {FRAME_BUS, "name: b, tcp: \"h:1\", baud: 9600, parity: none, stop_bits: 1",
     "3:27: error: `baud` means nothing on `tcp`: it belongs to `rtu` or `rtu_over_tcp`\n"
     "3:39: error: `parity` means nothing on `tcp`: it belongs to `rtu` or `rtu_over_tcp`\n"
     "3:53: error: `stop_bits` means nothing on `tcp`: it belongs to `rtu` or `rtu_over_tcp`\n"},
    {FRAME_BUS, "name: b, rtu: /dev/x", "3:5: error: `baud` is missing in a bus with `rtu`\n"},
    {FRAME_BUS, "name: b, rtu: /dev/x, baud: 9601",
     "3:34: error: `baud` must be one of 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, "
     "460800, 921600, not `9601`; did you mean `9600`?\n"},
    {FRAME_BUS, "name: b, rtu: /dev/x, baud: 9600, parity: evn",
     "3:48: error: `parity` must be one of none, even, odd, not `evn`; did you mean `even`?\n"},
    {FRAME_BUS, "name: b, rtu: /dev/x, baud: 9600, stop_bits: 3",
     "3:51: error: `stop_bits` must be 1 to 2, not `3`\n"},
    {FRAME_BUS,
     "name: b, rtu: /dev/x, baud: 9600}\n"
     "  - {name: c, rtu: /dev/x, baud: 9600",
     "4:5: error: the line `/dev/x` is the bus `b` already (c.yaml:3): two buses would talk over each "
     "other\n"},
    {FRAME_BUS,
     "name: b, tcp: \"h:1\"}\n"
     "  - {name: b, tcp: \"h:2\"",
     "4:12: error: the bus `b` is defined already, first at c.yaml:3\n"},
    {FRAME_BUS,
     "name: b, tcp: \"h:1\"}\n"
     "  - {name: c, tcp: \"h:1\"",
     "4:5: warning: the bus `b` (c.yaml:3) connects to h port 1 too: many devices serve one connection "
     "only\n"},
    {FRAME_BUS, "name: b, tcp: \"h:1\", timeout: 1",
     "3:36: error: `timeout` must be a duration such as 250ms, 3s, 15m, 8h or 30d; did you mean `1s`?\n"},
    {FRAME_BUS, "name: b, tcp: \"h:1\", timout: 1s",
     "3:27: error: unknown key `timout` in a bus; did you mean `timeout`?\n"},
    {FRAME_BUS, "name: b/c, tcp: \"h:1\"",
     "3:12: error: `name` must be 1 to 64 of A-Z a-z 0-9 . _ -, not `b/c`\n"},
    {FRAME_DEVICE, "name: d",
     "5:5: error: `bus` is missing in a device\n"
     "5:5: error: `unit` is missing in a device\n"
     "5:5: error: `points` is missing in a device, and no output is on it\n"},
    {FRAME_DEVICE, "name: d.e, bus: b, unit: 1, points: [{name: p, coil: 0}]",
     "5:12: error: `name` must not hold a dot, for a point is called device.point: `d.e`\n"},
    {FRAME_DEVICE, "name: d, bus: c, unit: 1, points: [{name: p, coil: 0}]",
     "5:20: error: there is no bus `c`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 0, points: [{name: p, coil: 0}]",
     "5:29: error: `unit` must be 1 to 255, not `0`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 250, points: [{name: p, coil: 0}]",
     "5:29: error: unit 250 is reserved: a unit is 1 to 247\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 256, points: [{name: p, coil: 0}]",
     "5:29: error: `unit` must be 1 to 255, not `256`\n"},
    {FRAME_DEVICE, "name: d, bus: r, unit: 255, points: [{name: p, coil: 0}]",
     "5:29: error: unit 255 is possible on `tcp` only\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: \"1\", points: [{name: p, coil: 0}]",
     "5:29: error: `unit` must be a whole number, not the text \"1\"\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 01, points: [{name: p, coil: 0}]",
     "5:29: error: `unit`: `01` begins with 0, which some readers take for octal: write it without\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1.5, points: [{name: p, coil: 0}]",
     "5:29: error: `unit` must be a whole number, not `1.5`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 99999999999999999999, points: [{name: p, coil: 0}]",
     "5:29: error: `unit` must be 1 to 255, not `99999999999999999999`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], poll: 5ms",
     "5:68: error: `poll` must be 10ms to 7d, not `5ms`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], poll: 1",
     "5:68: error: `poll` must be a duration such as 250ms, 3s, 15m, 8h or 30d; did you mean `1s`?\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], poll: fast",
     "5:68: error: `poll` must be a duration such as 250ms, 3s, 15m, 8h or 30d, not `fast`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], area: hal",
     "5:68: error: there is no area `hal`; did you mean `hall`?\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], offline: {after: 1s}",
     "5:79: error: `after` must be longer than the poll period: an alarm would rise between two polls\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], offline: {level: none}",
     "5:79: error: `level` must be one of blue, yellow, orange, red, not `none`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], offline: {level: purple}",
     "5:79: error: `level` must be one of blue, yellow, orange, red, not `purple`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], retries: 11",
     "5:71: error: `retries` must be 0 to 10, not `11`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], max_registers: 126",
     "5:77: error: `max_registers` must be 1 to 125, not `126`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], max_gap: -1",
     "5:71: error: `max_gap` must be 0 to 124, not `-1`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], status: {holding: 1}",
     "5:70: error: a `status` needs exactly one of `is`, `bits`\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], record: {every: 20s}", ""},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: []",
     "5:40: error: `points` is empty: nothing would be read of the device\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [x]",
     "5:41: error: an entry of `points` must be a mapping, not a text\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1",
     "5:5: error: `points` is missing in a device, and no output is on it\n"},
    {FRAME_DEVICE,
     "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}]}\n"
     "  - {name: d, bus: b, unit: 1, points: [{name: p, coil: 0}]",
     "6:12: error: the device `d` is defined already, first at c.yaml:5\n"
     "6:48: error: the point `d.p` is defined already, first at c.yaml:5\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}, {name: p, coil: 1}]",
     "5:68: error: the point `d.p` is defined already, first at c.yaml:5\n"},
    {FRAME_DEVICE, "name: d, bus: b, unit: 1, points: [{name: p, coil: 0}], unti: 2",
     "5:62: error: unknown key `unti` in a device; did you mean `unit`?\n"},
    {FRAME_AREA, "name: a, parent: b", "3:23: error: there is no area `b`\n"},
    {FRAME_AREA, "name: a, parent: a",
     "3:23: error: the area `a` is its own parent, directly or through others\n"},
    {FRAME_AREA,
     "name: a, parent: b}\n"
     "  - {name: b, parent: c}\n"
     "  - {name: c, parent: a",
     "3:23: error: the area `a` is its own parent, directly or through others\n"},
    {FRAME_AREA,
     "name: a}\n"
     "  - {name: a",
     "4:12: error: the area `a` is defined already, first at c.yaml:3\n"},
    {FRAME_AREA, "name: a, inherent: rde",
     "3:25: error: `inherent` must be one of none, blue, yellow, orange, red, not `rde`; did you mean "
     "`red`?\n"},
    {FRAME_AREA, "name: a, tier: floor",
     "3:21: error: `tier` must be one of company, workshop, team, post, not `floor`\n"},
    {FRAME_AREA, "name: a, inherent: red",
     "3:5: error: the area `a` is assessed red but has no `responsible.unit`, no `responsible.person`, no "
     "`responsible.phone`, no `measure`\n"},
    {FRAME_AREA, "name: a, inherent: orange, measure: x",
     "3:5: error: the area `a` is assessed orange but has no `responsible.unit`, no `responsible.person`, no "
     "`responsible.phone`\n"},
    {FRAME_AREA, "name: a, inherent: orange, measure: x, responsible: {unit: u, person: x, phone: ''}",
     "3:86: error: `phone` must not be empty\n"},
    {FRAME_AREA, "name: a, inherent: red, responsible: {unit: u, person: x, phone: 1}",
     "3:5: error: the area `a` is assessed red but has no `measure`\n"},
    {FRAME_AREA, "name: a, inherent: red, measure: [x], responsible: {unit: u, person: x, phone: 1}",
     "3:30: error: `measure` must be a text, not a list\n"},
    {FRAME_AREA, "name: a, inherent: red, measure: m, responsible: {unit: u, person: x, phone: 1}", ""},
    {FRAME_AREA, "name: a, inherent: yellow", ""},
    {FRAME_AREA, "name: a, aggregate: gb39496", ""},
    {FRAME_AREA, "name: a, aggregate: gb39469",
     "3:26: error: `aggregate` must be one of highest, gb39496, not `gb39469`; did you mean `gb39496`?\n"},
    {FRAME_AREA, "name: a, responsible: x", "3:28: error: `responsible` must be a mapping, not `x`\n"},
    {FRAME_AREA, "name: a, responsible: {who: x}", "3:29: error: unknown key `who` in `responsible`\n"},
};

static void test_plant(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plant)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
