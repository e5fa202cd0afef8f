/* LINK rg_test_support rg_poll */
/* What has to be the same for a bus or a device to go on: everything that it is read by, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "poll/same.h"

struct pair {
    struct site site;
    struct site_bus bus;
    struct site_device device;
    struct site_point points[2];
    struct site_gate gate;
    struct gate_case cases[2];
    struct point_word words[2];
    double invalid[2];
};

static void fill(struct pair *p)
{
    *p = (struct pair){
        .bus = {.name = "b", .kind = BUS_RTU, .path = "/dev/ttyS1", .baud = 9600, .timeout_ms = 1000},
        .device = {.name = "d",
                   .unit = 3,
                   .poll_ms = 1000,
                   .timeout_ms = 500,
                   .max_registers = 125,
                   .max_gap = 8,
                   .gate_count = 1,
                   .point_count = 2},
        .gate = {.kind = GATE_VALUES, .case_count = 2},
        .cases = {{1, QUALITY_SENSOR}, {2, QUALITY_STALE}},
        .words = {{1, "on"}, {2, "off"}},
    };
    for (size_t i = 0; i < 2; i++)
        p->points[i] = (struct site_point){
            .name = i == 0 ? "a" : "b", .type = TYPE_U16, .scaling = {1, 0, 1}, .invalid_count = 1};
    p->points[0].invalid = p->points[1].invalid = p->invalid;
    p->points[1].word_count = 2;
    p->points[1].words = p->words;
    p->gate.cases = p->cases;
    p->device.gates = &p->gate;
    p->site.points = p->points;
}

static bool same(const struct pair *a, const struct pair *b)
{
    return same_device(&a->site, &a->device, &b->site, &b->device);
}

/* After the change it is another one; both ways. */
#define OTHER(what, change)                                                                                  \
    do {                                                                                                     \
        fill(&b);                                                                                            \
        b.change;                                                                                            \
        if (what(&a, &b) || what(&b, &a))                                                                    \
            fail_msg("%s", #change);                                                                         \
    } while (0)
#define SAME(what, change)                                                                                   \
    do {                                                                                                     \
        fill(&b);                                                                                            \
        b.change;                                                                                            \
        if (!what(&a, &b) || !what(&b, &a))                                                                  \
            fail_msg("%s", #change);                                                                         \
    } while (0)

static bool bus(const struct pair *a, const struct pair *b)
{
    return same_bus(&a->bus, &b->bus);
}

static void buses(void **state)
{
    struct pair a, b;

    (void)state;
    fill(&a);
    SAME(bus, bus.where = "x:1");
    SAME(bus, bus.path = (char[]){"/dev/ttyS1"});
    OTHER(bus, bus.name = "c");
    OTHER(bus, bus.kind = BUS_RTU_OVER_TCP);
    OTHER(bus, bus.host = "h");
    OTHER(bus, bus.port = 1);
    OTHER(bus, bus.path = "/dev/ttyS2");
    OTHER(bus, bus.path = NULL);
    OTHER(bus, bus.baud = 19200);
    OTHER(bus, bus.parity = PARITY_ODD);
    OTHER(bus, bus.stop_bits = 2);
    OTHER(bus, bus.timeout_ms = 900);
    OTHER(bus, bus.gap_ms = 1);
    OTHER(bus, bus.retry_ms = 1);
    OTHER(bus, bus.echo = true);
    OTHER(bus, bus.rs485.enabled = true);
    OTHER(bus, bus.rs485.send_low = true);
    OTHER(bus, bus.rs485.before_ms = 1);
    OTHER(bus, bus.rs485.after_ms = 1);
}

static void devices(void **state)
{
    struct pair a, b;

    (void)state;
    fill(&a);
    SAME(same, device.label = "x");
    SAME(same, device.profile = "x");
    SAME(same, device.area = 7);
    SAME(same, device.bus = 9); /* whether that one goes on, somebody else asks */
    SAME(same, device.offline_after_ms = 1);
    SAME(same, device.record.every_ms = 1);
    SAME(same, device.where = "x:1");
    OTHER(same, device.name = "e");
    OTHER(same, device.derived = true);
    OTHER(same, device.unit = 4);
    OTHER(same, device.poll_ms = 2000);
    OTHER(same, device.timeout_ms = 1);
    OTHER(same, device.retries = 1);
    OTHER(same, device.max_registers = 1);
    OTHER(same, device.max_gap = 0);
    OTHER(same, device.gap_ms = 1);
    OTHER(same, device.start_up_ms = 1);
    OTHER(same, device.misses = 1);
    OTHER(same, device.probe_ms = 1);
    OTHER(same, device.point_count = 1);
    OTHER(same, device.trigger.enabled = true);
    OTHER(same, device.trigger.space = SPACE_HOLDING);
    OTHER(same, device.trigger.address = 1);
    OTHER(same, device.trigger.value = 1);
    OTHER(same, device.trigger.broadcast = true);
    OTHER(same, device.trigger.wait_ms = 1);
    OTHER(same, device.gate_count = 0);
    OTHER(same, gate.kind = GATE_HEARTBEAT);
    OTHER(same, gate.at.space = SPACE_HOLDING);
    OTHER(same, gate.at.address = 1);
    OTHER(same, gate.at.mask = 1);
    OTHER(same, gate.case_count = 1);
    OTHER(same, gate.otherwise = QUALITY_SENSOR);
    OTHER(same, gate.within_ms = 1);
    OTHER(same, cases[1].value = 3);
    OTHER(same, cases[1].quality = QUALITY_COMM);
    fill(&a);
    a.device.derived = true;
    fill(&b);
    b.device.derived = true;
    assert_false(same(&a, &b)); /* nobody is asked */
}

static void points(void **state)
{
    static const struct site_convert thermistor = {.kind = CONVERT_THERMISTOR},
                                     table = {.kind = CONVERT_TABLE};
    struct pair a, b;

    (void)state;
    fill(&a);
    SAME(same, points[1].label = "x");
    SAME(same, points[1].unit = "x");
    SAME(same, points[1].full_name = "x");
    SAME(same, points[1].change = 1);
    SAME(same, words[1].text = "x");
    OTHER(same, points[1].name = "c");
    OTHER(same, points[1].space = SPACE_HOLDING);
    OTHER(same, points[1].address = 1);
    OTHER(same, points[1].type = TYPE_I16);
    OTHER(same, points[1].order = ORDER_CDAB);
    OTHER(same, points[1].bit = 1);
    OTHER(same, points[1].mask = 1);
    OTHER(same, points[1].scaling.num = 2);
    OTHER(same, points[1].scaling.add = 2);
    OTHER(same, points[1].scaling.den = 2);
    OTHER(same, points[1].has_range = true);
    OTHER(same, points[1].range_min = -1);
    OTHER(same, points[1].range_max = 1);
    OTHER(same, points[1].invalid_count = 2);
    OTHER(same, invalid[0] = 1);
    OTHER(same, points[1].has_decimals = true);
    OTHER(same, points[1].decimals.space = SPACE_HOLDING);
    OTHER(same, points[1].decimals.address = 1);
    OTHER(same, points[1].decimals.mask = 1);
    OTHER(same, points[1].word_count = 1);
    OTHER(same, words[1].value = 3);
    OTHER(same, points[1].convert = &thermistor);
    /* One conversion or another: the raw value is the same. */
    a.points[1].convert = &thermistor;
    SAME(same, points[1].convert = &table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buses),
        cmocka_unit_test(devices),
        cmocka_unit_test(points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
