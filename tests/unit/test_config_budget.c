/* LINK rg_config */
/* The time budget. Expected times are worked out by hand in the comments. */
#include "config_rows.h"

#define HEAD GATEWAY "uplinks: [{name: u, url: mqtt://localhost}]\n"

static const struct row rows[] = {
    /* 9600 8N1: 10 bits, 1.0417 ms a character. One register: 8 + 7 = 15 characters 15.6 ms, 7 of silence 7.3
     * ms, turnaround 20 ms: 42.9 ms. In 50 ms it fits. */
    {FRAME_RAW,
     HEAD "buses: [{name: l, rtu: /dev/x, baud: 9600}]\n"
          "devices: [{name: d, bus: l, unit: 1, poll: 50ms, points: [{name: p, holding: 0, type: u16}]}]\n",
     ""},
    /* In 40 ms not: 2.9 ms too long, 107 % of the line. */
    {FRAME_RAW,
     HEAD "buses: [{name: l, rtu: /dev/x, baud: 9600}]\n"
          "devices: [{name: d, bus: l, unit: 1, poll: 40ms, points: [{name: p, holding: 0, type: u16}]}]\n",
     "3:9: warning: the polls asked of the bus `l` need about 107 % of its time, 7 % too much: make their "
     "periods "
     "1.07 times as long\n"
     "4:11: warning: one poll of `d` takes about 43 ms: 3 ms longer than its period of 40ms\n"},
    /* Parity makes 11 bits: 15 characters 17.2 ms, silence 8.0 ms, 45.2 ms; with stop_bits 2 and no parity
       the same. */
    {FRAME_RAW,
     HEAD "buses: [{name: l, rtu: /dev/x, baud: 9600, parity: even}]\n"
          "devices: [{name: d, bus: l, unit: 1, poll: 45ms, timeout: 10ms, points: [{name: p, holding: 0, "
          "type: u16}]}]\n",
     "3:9: warning: the polls asked of the bus `l` need about 100 % of its time, 0 % too much: make their "
     "periods "
     "1.00 times as long\n"
     "4:11: warning: one poll of `d` takes about 45 ms: 0 ms longer than its period of 45ms\n"},
    /* Three devices of 42.9 ms each 100 ms: 129 %, none by itself too long. */
    {FRAME_RAW,
     HEAD "buses: [{name: l, rtu: /dev/x, baud: 9600, timeout: 100ms}]\n"
          "devices:\n"
          "  - {name: d, bus: l, unit: 1, poll: 100ms, points: [{name: p, holding: 0, type: u16}]}\n"
          "  - {name: e, bus: l, unit: 2, poll: 100ms, points: [{name: p, holding: 0, type: u16}]}\n"
          "  - {name: f, bus: l, unit: 3, poll: 100ms, points: [{name: p, holding: 0, type: u16}]}\n",
     "3:9: warning: the polls asked of the bus `l` need about 129 % of its time, 29 % too much: make their "
     "periods "
     "1.29 times as long\n"},
    /* Far registers are two requests of 5 ms on TCP, near ones one: 10 ms fits two, max_gap 0 makes three: 15
       ms. */
    {FRAME_RAW,
     HEAD BUS "devices:\n"
              "  - {name: d, bus: b, unit: 1, poll: 10ms, points: [{name: p, holding: 0, type: u16}, {name: "
              "q, holding: "
              "9, type: u16}, {name: r, holding: 99, type: u16}]}\n",
     ""},
    {FRAME_RAW,
     HEAD BUS "devices:\n"
              "  - {name: d, bus: b, unit: 1, poll: 14ms, max_gap: 7, points: [{name: p, holding: 0, type: "
              "u16}, {name: "
              "q, holding: 9, type: u16}, {name: r, holding: 99, type: u16}]}\n",
     "3:9: warning: the polls asked of the bus `b` need about 107 % of its time, 7 % too much: make their "
     "periods "
     "1.07 times as long\n"
     "5:5: warning: one poll of `d` takes about 15 ms: 1 ms longer than its period of 14ms\n"},
    /* Spaces are never joined; singles with max_registers 1. */
    {FRAME_RAW,
     HEAD BUS "devices:\n"
              "  - {name: d, bus: b, unit: 1, poll: 14ms, max_registers: 1, points: [{name: p, input: 0, "
              "type: u16}, {name: "
              "q, holding: 0, type: u16}, {name: r, holding: 1, type: u16}]}\n",
     "3:9: warning: the polls asked of the bus `b` need about 107 % of its time, 7 % too much: make their "
     "periods "
     "1.07 times as long\n"
     "5:5: warning: one poll of `d` takes about 15 ms: 1 ms longer than its period of 14ms\n"},
    /* A status and the decimals of a point are read too: in another space, or too far for one request, they are two
     * more; a near heartbeat is none. */
    {FRAME_RAW,
     HEAD BUS "devices:\n"
              "  - {name: d, bus: b, unit: 1, poll: 14ms, heartbeat: {holding: 1, within: 1s}, status: "
              "{coil: 0, is: {0: sensor}},\n"
              "     points: [{name: p, holding: 0, type: u16, decimals_from: {holding: 199}}]}\n",
     "3:9: warning: the polls asked of the bus `b` need about 107 % of its time, 7 % too much: make their "
     "periods 1.07 times as long\n"
     "5:5: warning: one poll of `d` takes about 15 ms: 1 ms longer than its period of 14ms\n"},
    /* A device's gap, when longer than the bus's: 5 + 20 ms for each of two requests. */
    {FRAME_RAW,
     HEAD "buses: [{name: b, tcp: 'h:502', gap: 10ms}]\n"
          "devices:\n"
          "  - {name: d, bus: b, unit: 1, poll: 49ms, gap: 20ms, points: [{name: p, coil: 0}, {name: q, "
          "discrete: 0}]}\n",
     "3:9: warning: the polls asked of the bus `b` need about 102 % of its time, 2 % too much: make their "
     "periods 1.02 times as long\n"
     "5:5: warning: one poll of `d` takes about 50 ms: 1 ms longer than its period of 49ms\n"},
    /* A trigger is a write of 8 characters and 8 of answer, 44.0 ms, before a read of 42.9 ms; its wait costs nothing. */
    {FRAME_RAW,
     HEAD "buses: [{name: l, rtu: /dev/x, baud: 9600}]\n"
          "devices:\n"
          "  - {name: d, bus: l, unit: 1, poll: 86ms, trigger: {coil: 0, wait: 80ms}, points: [{name: p, "
          "holding: 0, type: u16}]}\n",
     "3:9: warning: the polls asked of the bus `l` need about 101 % of its time, 1 % too much: make their "
     "periods 1.01 times as long\n"
     "5:5: warning: one poll of `d` takes about 87 ms: 1 ms longer than its period of 86ms\n"},
    /* A broadcast is one write for all devices of one period: 8 characters, 7 of silence, 200 ms of turnaround, 215.6
     * ms, and three reads of 42.9 ms: 344.4 ms. */
    {FRAME_RAW,
     HEAD
     "buses: [{name: l, rtu: /dev/x, baud: 9600, timeout: 100ms}]\n"
     "devices:\n"
     "  - {name: d, bus: l, unit: 1, poll: 340ms, trigger: {coil: 0, wait: 9ms, broadcast: true}, points: "
     "[{name: p, holding: 0, type: u16}]}\n"
     "  - {name: e, bus: l, unit: 2, poll: 340ms, trigger: {coil: 0, wait: 8ms, broadcast: true}, points: "
     "[{name: p, holding: 0, type: u16}]}\n"
     "  - {name: f, bus: l, unit: 3, poll: 340ms, trigger: {coil: 0, wait: 9ms, broadcast: true}, points: "
     "[{name: p, holding: 0, type: u16}]}\n",
     "3:9: warning: the polls asked of the bus `l` need about 101 % of its time, 1 % too much: make their "
     "periods 1.01 times as long\n"},
    /* Another value is another write: 560 ms. */
    {FRAME_RAW,
     HEAD
     "buses: [{name: l, rtu: /dev/x, baud: 9600, timeout: 100ms}]\n"
     "devices:\n"
     "  - {name: d, bus: l, unit: 1, poll: 500ms, trigger: {coil: 0, wait: 9ms, broadcast: true}, points: "
     "[{name: p, holding: 0, type: u16}]}\n"
     "  - {name: e, bus: l, unit: 2, poll: 500ms, trigger: {coil: 0, value: 0, wait: 8ms, broadcast: true}, "
     "points: [{name: p, holding: 0, type: u16}]}\n",
     "3:9: warning: the polls asked of the bus `l` need about 103 % of its time, 3 % too much: make their "
     "periods 1.03 times as long\n"},
    /* A mute unit: 1 s against a period of 500 ms. Told once a bus. By itself a device harms nobody. */
    {FRAME_RAW,
     HEAD BUS "devices:\n"
              "  - {name: d, bus: b, unit: 1, poll: 500ms, points: [{name: p, coil: 0}]}\n"
              "  - {name: e, bus: b, unit: 2, poll: 10s, points: [{name: p, coil: 0}]}\n"
              "  - {name: f, bus: b, unit: 3, poll: 10s, points: [{name: p, coil: 0}]}\n",
     "6:5: warning: when `e` is mute it holds its bus for 1s, longer than the period of `d`, 500ms\n"},
    {FRAME_RAW,
     HEAD BUS "devices:\n"
              "  - {name: d, bus: b, unit: 1, poll: 1s, points: [{name: p, coil: 0}]}\n"
              "  - {name: e, bus: b, unit: 2, poll: 1s, retries: 1, points: [{name: p, coil: 0}]}\n",
     "6:5: warning: when `e` is mute it holds its bus for 2s, longer than the period of `d`, 1s\n"},
    {FRAME_RAW, HEAD BUS "devices: [{name: d, bus: b, unit: 1, poll: 500ms, points: [{name: p, coil: 0}]}]\n",
     ""},
};

static void test_budget(void **state)
{
    (void)state;
    check_rows(rows, RG_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_budget)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
