/* LINK rg_modbus rg_modbus_model */
/* Gates and decimals: what the planner reads beside the points and when, and what it makes of their readings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "modbus_image.h"

#define FIRST 40

static struct image image;
static struct sample samples[256]; /* by point */

static struct site_point point_at(uint16_t address, enum point_type type)
{
    return (struct site_point){.name = "p",
                               .space = SPACE_HOLDING,
                               .address = address,
                               .type = type,
                               .order = ORDER_ABCD,
                               .bit = -1,
                               .scaling = {1, 0, 1}};
}

static struct site_register holding(uint16_t address)
{
    return (struct site_register){.space = SPACE_HOLDING, .address = address};
}

static struct site_point decimal_point(uint16_t address, uint16_t decimals)
{
    struct site_point p = point_at(address, TYPE_U16);

    p.has_decimals = true;
    p.decimals = holding(decimals);
    return p;
}

/* Honeywell XNX and XCD: 1 normal, 2 warm-up, 3 inhibit, 12 calibration. */
static const struct gate_case states[] = {
    {1, QUALITY_GOOD}, {2, QUALITY_INHIBITED}, {3, QUALITY_INHIBITED}, {12, QUALITY_INHIBITED}};

static struct site_gate state_at(enum point_space space, uint16_t address)
{
    return (struct site_gate){.kind = GATE_VALUES,
                              .at = {.space = space, .address = address},
                              .cases = states,
                              .case_count = RG_COUNT(states),
                              .otherwise = QUALITY_SENSOR};
}

static struct site_device device_with(uint16_t max_registers, uint16_t max_gap, const struct site_gate *gates,
                                      size_t gate_count)
{
    return (struct site_device){.unit = 9,
                                .poll_ms = 1000,
                                .max_registers = max_registers,
                                .max_gap = max_gap,
                                .gates = gates,
                                .gate_count = gate_count};
}

static struct driver_plan *make(const struct site_device *device, const struct site_point *points,
                                size_t count)
{
    struct driver_plan *plan = NULL;

    assert_int_equal(modbus_driver.plan(device, points, count, FIRST, &plan), RG_OK);
    return plan;
}

static void poll_at(const struct driver_plan *plan, struct driver_memory *memory, int64_t begun_us)
{
    image_ask_all(&(struct image_poll){&image, plan, memory, begun_us, FIRST}, samples);
}

static void ask_at(const struct driver_plan *plan, struct driver_memory *memory, size_t request,
                   int64_t begun_us, int64_t asked_us, enum quality fail)
{
    image_ask(&(struct image_poll){&image, plan, memory, begun_us, FIRST}, request, asked_us, fail, samples);
}

static struct driver_memory *remember(const struct site_device *device, const struct driver_plan *plan)
{
    struct driver_memory *memory = NULL;

    assert_int_equal(modbus_driver.memory_create(device, plan, &memory), RG_OK);
    return memory;
}

static void expect_request(const struct driver_plan *plan, size_t i, uint8_t function, uint16_t address,
                           uint16_t count, size_t points, size_t extras)
{
    assert_true(i < plan->request_count);
    assert_int_equal(plan->requests[i].ask.function, function);
    assert_int_equal(plan->requests[i].ask.address, address);
    assert_int_equal(plan->requests[i].ask.count, count);
    assert_int_equal(modbus_driver.plan_points(plan, i), points);
    assert_int_equal(plan->requests[i].extra_count, extras);
}

static void expect_sample(size_t point, enum quality quality, double value)
{
    assert_int_equal(samples[point].point, FIRST + point);
    if (samples[point].quality != quality)
        fail_msg("point %zu is %s instead of %s", point, quality_name(samples[point].quality),
                 quality_name(quality));
    if (samples[point].value != (quality == QUALITY_GOOD ? value : 0))
        fail_msg("point %zu is %.17g instead of %.17g", point, samples[point].value, value);
}

/* ---- where gates are read ---- */

static void state_is_read_with_the_value(void **state)
{
    struct site_point points[] = {point_at(2, TYPE_F32), point_at(40, TYPE_F64)};
    struct site_gate gates[] = {state_at(SPACE_HOLDING, 6), state_at(SPACE_HOLDING, 20)};
    struct site_device device = device_with(125, 0, gates, 2);
    struct driver_plan *plan = make(&device, points, 1);

    (void)state;
    assert_int_equal(plan->request_count, 1);
    expect_request(plan, 0, 3, 2, 19, 1, 2); /* though nothing is to be read through */
    plan_destroy(plan);
    /* The second point's request takes the gates in as well, and then they are one. */
    plan = make(&device, points, 2);
    assert_int_equal(plan->request_count, 1);
    expect_request(plan, 0, 3, 2, 42, 2, 2);
    plan_destroy(plan);
    /* Too long for one, and each has room for the gates: they are read twice, each time with the values. */
    device.max_registers = 38;
    plan = make(&device, points, 2);
    assert_int_equal(plan->request_count, 2);
    expect_request(plan, 0, 3, 2, 19, 1, 2);
    expect_request(plan, 1, 3, 6, 38, 1, 2);
    plan_destroy(plan);
    device.max_registers = 37;
    plan = make(&device, points, 2);
    assert_int_equal(plan->request_count, 2);
    expect_request(plan, 0, 3, 2, 19, 1, 2);
    expect_request(plan, 1, 3, 20, 24, 1, 1); /* the gate at 6 is too far; the first request has read it */
    plan_destroy(plan);
    /* Exactly the limit, and one less: 32- and 64-bit values stay whole. */
    device.max_registers = 19;
    plan = make(&device, points, 1);
    expect_request(plan, 0, 3, 2, 19, 1, 2);
    plan_destroy(plan);
    device.max_registers = 18;
    plan = make(&device, points, 1);
    assert_int_equal(plan->request_count, 2);
    expect_request(plan, 0, 3, 20, 1, 0, 1);
    expect_request(plan, 1, 3, 2, 5, 1, 1);
    plan_destroy(plan);
    device.max_registers = 4;
    plan = make(&device, &points[1], 1);
    assert_int_equal(plan->request_count, 3);
    expect_request(plan, 2, 3, 40, 4, 1, 0);
    plan_destroy(plan);
}

static void gates_elsewhere_come_first(void **state)
{
    /* Bacharach: FC02 3000 and 3002, 3005, 3006 decide on a holding register. */
    struct site_point points[] = {point_at(10, TYPE_U16), point_at(1000, TYPE_U16)};
    struct site_gate gates[] = {state_at(SPACE_DISCRETE, 3006), state_at(SPACE_DISCRETE, 3002),
                                state_at(SPACE_INPUT, 0), state_at(SPACE_DISCRETE, 3002)};
    struct site_device device = device_with(125, 8, gates, 4);
    struct driver_plan *plan = make(&device, points, 2);
    char text[40];

    (void)state;
    assert_int_equal(plan->request_count, 4);
    expect_request(plan, 0, 2, 3002, 5, 0, 3);
    expect_request(plan, 1, 4, 0, 1, 0, 1);
    expect_request(plan, 2, 3, 10, 1, 1, 0);
    expect_request(plan, 3, 3, 1000, 1, 1, 0);
    plan_describe(plan, 0, text, sizeof text);
    assert_string_equal(text, "discrete 3002 to 3006");
    plan_destroy(plan);
    /* A request that has all gates by itself comes before one that has none, whatever their addresses. */
    gates[0] = state_at(SPACE_HOLDING, 1001);
    device.gate_count = 1;
    plan = make(&device, points, 2);
    assert_int_equal(plan->request_count, 2);
    expect_request(plan, 0, 3, 1000, 2, 1, 1);
    expect_request(plan, 1, 3, 10, 1, 1, 0);
    plan_destroy(plan);
    /* Nothing to gate: nothing is read. */
    plan = make(&device, points, 0);
    assert_int_equal(plan->request_count, 0);
    plan_destroy(plan);
    gates[0].at.space = SPACE_DERIVED;
    plan = NULL;
    assert_int_equal(modbus_driver.plan(&device, points, 2, 0, &plan), RG_EINVAL);
    assert_null(plan);
}

static void singles_read_their_gates_first(void **state)
{
    const struct site_point points[] = {point_at(0, TYPE_U16), point_at(2, TYPE_F32), point_at(5, TYPE_U16),
                                        decimal_point(7, 8)};
    const struct site_gate gates[] = {state_at(SPACE_HOLDING, 5), state_at(SPACE_HOLDING, 6)};
    const struct site_device device = device_with(1, 8, gates, 2);
    struct driver_plan *plan = make(&device, points, RG_COUNT(points));

    (void)state;
    /* Both gates; then each value, its own decimals right before it. The point on a gate's register reads it again. */
    assert_int_equal(plan->request_count, 7);
    expect_request(plan, 0, 3, 5, 1, 0, 1);
    expect_request(plan, 1, 3, 6, 1, 0, 1);
    expect_request(plan, 2, 3, 0, 1, 1, 0);
    expect_request(plan, 3, 3, 2, 2, 1, 0);
    expect_request(plan, 4, 3, 5, 1, 1, 1);
    expect_request(plan, 5, 3, 8, 1, 0, 1);
    expect_request(plan, 6, 3, 7, 1, 1, 0);
    plan_destroy(plan);
}

static void each_waits_for_the_other(void **state)
{
    /* Each of two requests holds what the other one needs. */
    const struct site_point points[] = {decimal_point(0, 500), decimal_point(501, 1)};
    const struct site_device device = device_with(125, 8, NULL, 0);
    struct driver_plan *plan = make(&device, points, 2);
    struct driver_memory *memory = remember(&device, plan);

    (void)state;
    assert_int_equal(plan->request_count, 4);
    expect_request(plan, 0, 3, 500, 1, 0, 1);
    expect_request(plan, 1, 3, 0, 1, 1, 0);
    expect_request(plan, 2, 3, 1, 1, 0, 1);
    expect_request(plan, 3, 3, 501, 1, 1, 0);
    memset(&image, 0, sizeof image);
    image.words[SPACE_HOLDING][0] = 123;
    image.words[SPACE_HOLDING][500] = 1;
    image.words[SPACE_HOLDING][501] = 123;
    image.words[SPACE_HOLDING][1] = 2;
    poll_at(plan, memory, 0);
    expect_sample(0, QUALITY_GOOD, 12.3);
    expect_sample(1, QUALITY_GOOD, 1.23);
    memory_destroy(memory);
    plan_destroy(plan);
}

/* ---- division ---- */

static struct driver_plan *divide(struct driver_plan *plan, size_t request)
{
    struct driver_plan *divided = NULL;

    assert_int_equal(modbus_driver.plan_divide(plan, request, 2, &divided), RG_OK);
    plan_destroy(plan);
    return divided;
}

static void divided_parts_keep_their_gates(void **state)
{
    struct site_point points[] = {point_at(0, TYPE_U16), point_at(30, TYPE_U16), point_at(60, TYPE_F32)};
    struct site_gate gates[] = {state_at(SPACE_HOLDING, 31), state_at(SPACE_HOLDING, 50)};
    struct site_device device = device_with(125, 8, gates, 2);
    struct driver_plan *plan = make(&device, points, 3);
    struct driver_plan *none = NULL;
    struct driver_memory *memory = remember(&device, plan);

    (void)state;
    assert_int_equal(plan->request_count, 1);
    expect_request(plan, 0, 3, 0, 62, 3, 2);
    plan = divide(plan, 0);
    /* The gate that is by itself first, then the part that holds the other one, then the rest. */
    assert_int_equal(plan->request_count, 5);
    expect_request(plan, 0, 3, 31, 1, 0, 1);
    expect_request(plan, 1, 3, 50, 1, 0, 1);
    expect_request(plan, 2, 3, 0, 1, 1, 0);
    expect_request(plan, 3, 3, 30, 2, 2 - 1, 1);
    expect_request(plan, 4, 3, 60, 2, 1, 0);
    assert_int_equal(modbus_driver.plan_divide(plan, 3, 2, &none), RG_ENOTFOUND);
    /* The memory made for the whole plan fits the divided one. */
    memset(&image, 0, sizeof image);
    image.words[SPACE_HOLDING][31] = 1;
    image.words[SPACE_HOLDING][50] = 12;
    poll_at(plan, memory, 5);
    for (size_t i = 0; i < 3; i++)
        expect_sample(i, QUALITY_INHIBITED, 0);
    image.words[SPACE_HOLDING][50] = 1;
    poll_at(plan, memory, 10);
    for (size_t i = 0; i < 3; i++)
        expect_sample(i, QUALITY_GOOD, 0);
    memory_destroy(memory);
    plan_destroy(plan);
}

static void what_was_read_before_falls_away(void **state)
{
    /* Two requests, each with the gate between them and a stretch of nothing around it. */
    const struct site_point points[] = {point_at(0, TYPE_U16), point_at(70, TYPE_U16)};
    const struct site_gate gates[] = {state_at(SPACE_HOLDING, 35)};
    const struct site_device device = device_with(40, 8, gates, 1);
    struct driver_plan *plan = make(&device, points, 2);

    (void)state;
    assert_int_equal(plan->request_count, 2);
    expect_request(plan, 0, 3, 0, 36, 1, 1);
    expect_request(plan, 1, 3, 35, 36, 1, 1);
    plan = divide(plan, 1);
    assert_int_equal(plan->request_count, 2); /* no more than before, but no gap */
    expect_request(plan, 0, 3, 0, 36, 1, 1);
    expect_request(plan, 1, 3, 70, 1, 1, 0);
    plan = divide(plan, 0); /* the second request counts on the first one's gate */
    assert_int_equal(plan->request_count, 3);
    expect_request(plan, 0, 3, 35, 1, 0, 1);
    expect_request(plan, 1, 3, 0, 1, 1, 0);
    expect_request(plan, 2, 3, 70, 1, 1, 0);
    plan_destroy(plan);
}

static void gates_of_their_own_are_divided_too(void **state)
{
    const struct site_point points[] = {point_at(0, TYPE_U16)};
    const struct site_gate gates[] = {state_at(SPACE_INPUT, 4), state_at(SPACE_INPUT, 9)};
    const struct site_device device = device_with(125, 8, gates, 2);
    struct driver_plan *plan = make(&device, points, 1);

    (void)state;
    assert_int_equal(plan->request_count, 2);
    expect_request(plan, 0, 4, 4, 6, 0, 2);
    plan = divide(plan, 0);
    assert_int_equal(plan->request_count, 3);
    expect_request(plan, 0, 4, 4, 1, 0, 1);
    expect_request(plan, 1, 4, 9, 1, 0, 1);
    expect_request(plan, 2, 3, 0, 1, 1, 0);
    plan_destroy(plan);
}

/* ---- what they decide ---- */

/* One point at 0 (f32), state at 10, fault bits at 11 of another request. */
struct rig {
    struct site_point points[3];
    struct site_gate gates[2];
    struct site_device device;
    struct driver_plan *plan;
    struct driver_memory *memory;
};

static const struct gate_case faults[] = {
    {6, QUALITY_SENSOR}, {2, QUALITY_INHIBITED}, {3, QUALITY_SENSOR}, {0, QUALITY_GOOD}, {1, QUALITY_STALE}};
static const double sentinels[] = {32768};

static void rig_make(struct rig *rig, enum point_space space)
{
    memset(&image, 0, sizeof image);
    rig->points[0] = point_at(0, TYPE_F32);
    rig->points[1] = point_at(2, TYPE_U16);
    rig->points[1].has_range = true;
    rig->points[1].range_max = 100;
    rig->points[2] = point_at(3, TYPE_I16);
    rig->points[2].invalid_count = RG_COUNT(sentinels);
    rig->points[2].invalid = sentinels;
    rig->gates[0] = state_at(space, 10);
    rig->gates[1] = (struct site_gate){.kind = GATE_BITS,
                                       .at = {.space = space, .address = 11},
                                       .cases = faults,
                                       .case_count = RG_COUNT(faults)};
    rig->device = device_with(125, 8, rig->gates, 2);
    rig->plan = make(&rig->device, rig->points, 3);
    rig->memory = remember(&rig->device, rig->plan);
    image.words[space][10] = 1;
    image.words[SPACE_HOLDING][0] = 0x4148; /* 12.5 */
    image.words[SPACE_HOLDING][2] = 100;
    image.words[SPACE_HOLDING][3] = 7;
}

static void rig_end(struct rig *rig)
{
    modbus_driver.memory_destroy(rig->memory);
    plan_destroy(rig->plan);
}

static void expect_all(enum quality quality)
{
    for (size_t i = 0; i < 3; i++)
        expect_sample(i, quality, 0);
}

static void expect_values(void)
{
    expect_sample(0, QUALITY_GOOD, 12.5);
    expect_sample(1, QUALITY_GOOD, 100);
    expect_sample(2, QUALITY_GOOD, 7);
}

static void forced_zero_is_inhibited(void **state)
{
    struct rig rig;

    (void)state;
    rig_make(&rig, SPACE_HOLDING);
    assert_int_equal(rig.plan->request_count, 1);
    poll_at(rig.plan, rig.memory, 0);
    expect_values();
    image.words[SPACE_HOLDING][0] = 0;
    for (size_t i = 0; i < RG_COUNT(states); i++) {
        image.words[SPACE_HOLDING][10] = (uint16_t)states[i].value;
        poll_at(rig.plan, rig.memory, 1000);
        if (states[i].quality == QUALITY_GOOD)
            expect_sample(0, QUALITY_GOOD, 0);
        else
            expect_all(QUALITY_INHIBITED);
    }
    image.words[SPACE_HOLDING][10] = 13; /* not named: otherwise */
    poll_at(rig.plan, rig.memory, 1000);
    expect_all(QUALITY_SENSOR);
    rig_end(&rig);
}

static void first_bad_gate_and_first_set_bit(void **state)
{
    struct rig rig;

    (void)state;
    rig_make(&rig, SPACE_HOLDING);
    image.words[SPACE_HOLDING][11] = 1u << 2 | 1u << 3;
    poll_at(rig.plan, rig.memory, 0);
    expect_all(QUALITY_INHIBITED);
    image.words[SPACE_HOLDING][11] |= 1u << 6;
    poll_at(rig.plan, rig.memory, 0);
    expect_all(QUALITY_SENSOR);
    image.words[SPACE_HOLDING][10] = 3; /* the first gate goes before the second */
    poll_at(rig.plan, rig.memory, 0);
    expect_all(QUALITY_INHIBITED);
    image.words[SPACE_HOLDING][10] = 1;
    image.words[SPACE_HOLDING][11] =
        1u << 0 | 1u << 1; /* a bit that means all is well, before one that does not */
    poll_at(rig.plan, rig.memory, 0);
    expect_values();
    image.words[SPACE_HOLDING][11] = 0xFFB0; /* bits that mean nothing */
    poll_at(rig.plan, rig.memory, 0);
    expect_values();
    rig_end(&rig);
}

static void a_gate_explains_and_an_unread_one_does_not(void **state)
{
    struct rig rig;

    (void)state;
    rig_make(&rig, SPACE_INPUT);
    assert_int_equal(rig.plan->request_count, 2);
    image.words[SPACE_HOLDING][0] = 0x7FC0; /* NaN */
    image.words[SPACE_HOLDING][2] = 101;    /* out of range */
    image.words[SPACE_INPUT][10] = 2;
    poll_at(rig.plan, rig.memory, 0);
    expect_all(QUALITY_INHIBITED);
    image.words[SPACE_INPUT][10] = 1;
    ask_at(rig.plan, rig.memory, 0, 5000, 5000, QUALITY_DEVICE);
    ask_at(rig.plan, rig.memory, 1, 5000, 6000, QUALITY_GOOD);
    expect_sample(0, QUALITY_SENSOR, 0);
    expect_sample(1, QUALITY_RANGE, 0);
    expect_sample(2, QUALITY_DEVICE, 0);
    rig_end(&rig);
}

static void only_this_poll_counts(void **state)
{
    struct rig rig;

    (void)state;
    rig_make(&rig, SPACE_INPUT);
    /* A probe asks one request only. */
    ask_at(rig.plan, rig.memory, 1, 1000, 1000, QUALITY_GOOD);
    expect_all(QUALITY_COMM);
    poll_at(rig.plan, rig.memory, 2000);
    expect_values();
    /* Read by an earlier poll, however shortly before. */
    ask_at(rig.plan, rig.memory, 1, 2001, 3000, QUALITY_GOOD);
    expect_all(QUALITY_COMM);
    ask_at(rig.plan, rig.memory, 0, 3000, 3000, QUALITY_COMM);
    ask_at(rig.plan, rig.memory, 1, 3000, 4000, QUALITY_GOOD);
    expect_all(QUALITY_COMM);
    ask_at(rig.plan, rig.memory, 0, 5000, 5000, QUALITY_DEVICE);
    ask_at(rig.plan, rig.memory, 1, 5000, 6000, QUALITY_GOOD);
    expect_all(QUALITY_DEVICE);
    /* Refused before is not refused now. */
    ask_at(rig.plan, rig.memory, 1, 7000, 7000, QUALITY_GOOD);
    expect_all(QUALITY_COMM);
    /* A retry that succeeds. */
    ask_at(rig.plan, rig.memory, 0, 8000, 8000, QUALITY_COMM);
    ask_at(rig.plan, rig.memory, 0, 8000, 8500, QUALITY_GOOD);
    ask_at(rig.plan, rig.memory, 1, 8000, 9000, QUALITY_GOOD);
    expect_values();
    /* The values' own request fails. */
    ask_at(rig.plan, rig.memory, 1, 8000, 9000, QUALITY_DEVICE);
    expect_all(QUALITY_DEVICE);
    /* Without a memory nothing can be known of a state. */
    poll_at(rig.plan, NULL, 9000);
    expect_all(QUALITY_COMM);
    rig_end(&rig);
}

static void an_answer_too_short_for_the_state(void **state)
{
    struct rig rig;
    const uint8_t data[20] = {0x41, 0x48, 0, 0, 0, 100, 0, 7};

    (void)state;
    rig_make(&rig, SPACE_HOLDING);
    const struct reading reading = {.plan = rig.plan, .memory = rig.memory};
    struct sample got[3];

    reading_decode(&reading, data, sizeof data, got);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(got[i].quality, QUALITY_COMM);
        assert_true(got[i].value == 0);
    }
    rig_end(&rig);
}

static void masked_parts_of_one_register(void **state)
{
    /* Honeywell Midas 40001: state in bits 0 to 3, fault in 4 and 5, heartbeat in 11. */
    static const struct gate_case monitor[] = {
        {1, QUALITY_GOOD}, {0, QUALITY_INHIBITED}, {4, QUALITY_INHIBITED}, {7, QUALITY_INHIBITED}};
    static const struct gate_case fault[] = {{2, QUALITY_SENSOR}};
    const struct site_point point = point_at(2, TYPE_F32);
    const struct site_gate gates[] = {
        {.kind = GATE_VALUES,
         .at = {.space = SPACE_HOLDING, .mask = 0x000F},
         .cases = monitor,
         .case_count = 4,
         .otherwise = QUALITY_INHIBITED},
        {.kind = GATE_VALUES,
         .at = {.space = SPACE_HOLDING, .mask = 0x0030},
         .cases = fault,
         .case_count = 1},
        {.kind = GATE_HEARTBEAT, .at = {.space = SPACE_HOLDING, .mask = 0x0800}, .within_ms = 6000},
    };
    const struct site_device device = device_with(125, 8, gates, 3);
    struct driver_plan *plan = make(&device, &point, 1);
    struct driver_memory *memory = remember(&device, plan);
    int64_t now_us = 0;

    (void)state;
    memset(&image, 0, sizeof image);
    image.words[SPACE_HOLDING][2] = 0x4148;
    for (uint16_t bits = 0; bits < 64; bits++) {
        const bool good = (bits & 0xF) == 1, broken = bits >> 4 == 2;

        image.words[SPACE_HOLDING][0] = (uint16_t)(bits | (bits & 1 ? 0x0800 : 0) | 0xF000);
        now_us += 1000000;
        poll_at(plan, memory, now_us);
        expect_sample(0, !good ? QUALITY_INHIBITED : broken ? QUALITY_SENSOR : QUALITY_GOOD, 12.5);
    }
    image.words[SPACE_HOLDING][0] = 0xF801; /* all else may change, the bit does not */
    for (int i = 0; i < 12; i++) {
        image.words[SPACE_HOLDING][0] ^= 0x0100;
        now_us += 1000000;
        poll_at(plan, memory, now_us);
        expect_sample(0, i < 6 ? QUALITY_GOOD : QUALITY_STALE, 12.5);
    }
    image.words[SPACE_HOLDING][0] ^= 0x0800;
    poll_at(plan, memory, now_us);
    expect_sample(0, QUALITY_GOOD, 12.5);
    memory_destroy(memory);
    plan_destroy(plan);
}

/* ---- decimals ---- */

static void decimals_are_exact(void **state)
{
    const struct site_point point = decimal_point(0x16, 4);
    const struct site_device device = device_with(125, 8, NULL, 0);
    struct driver_plan *plan = make(&device, &point, 1);
    struct driver_memory *memory = remember(&device, plan);

    (void)state;
    memset(&image, 0, sizeof image);
    expect_request(plan, 0, 3, 4, 19, 1, 1); /* 17 registers between them */
    for (uint16_t decimals = 0; decimals <= 12; decimals++) {
        image.words[SPACE_HOLDING][4] = decimals;
        for (unsigned raw = 0; raw <= 65535; raw += decimals < 3 ? 1 : 97) {
            char text[32];

            image.words[SPACE_HOLDING][0x16] = (uint16_t)raw;
            poll_at(plan, memory, raw);
            /* The double nearest to the decimal that people read. */
            (void)snprintf(text, sizeof text, "%ue-%u", raw, (unsigned)decimals);
            expect_sample(0, decimals <= 9 ? QUALITY_GOOD : QUALITY_SENSOR, strtod(text, NULL));
        }
    }
    memory_destroy(memory);
    plan_destroy(plan);
}

static void decimals_with_all_else(void **state)
{
    struct site_point points[] = {decimal_point(0, 4), decimal_point(1, 4), decimal_point(2, 4),
                                  point_at(3, TYPE_U16)};
    const struct site_device device = device_with(125, 8, NULL, 0);
    struct driver_plan *plan;
    struct driver_memory *memory;

    (void)state;
    memset(&image, 0, sizeof image);
    /* Oldham iTrans 2: 0x0107 is gas type 7 with 1 decimal: the high byte. Both bytes may be asked for. */
    points[0].decimals.mask = 0xFF00;
    points[1].decimals.mask = 0x00FF;
    points[1].type = TYPE_I16;
    points[1].scaling = (struct scaling){1, -50, 10}; /* scaled after that, together exact */
    points[2].decimals.mask = 0xFF00;                 /* the same register once more */
    points[2].type = TYPE_BYTES8_8;
    points[2].invalid_count = 1;
    points[2].invalid = (const double[]){65535};
    plan = make(&device, points, 4);
    memory = remember(&device, plan);
    assert_int_equal(plan->register_count, 2);
    image.words[SPACE_HOLDING][4] = 0x0107;
    image.words[SPACE_HOLDING][0] = 123;
    image.words[SPACE_HOLDING][1] = (uint16_t)-12345;
    image.words[SPACE_HOLDING][2] = 0x1409; /* 20.9 */
    image.words[SPACE_HOLDING][3] = 123;
    poll_at(plan, memory, 0);
    expect_sample(0, QUALITY_GOOD, 12.3);
    expect_sample(1, QUALITY_GOOD, -5.00012345);
    expect_sample(2, QUALITY_GOOD, 2.09);
    expect_sample(3, QUALITY_GOOD, 123);
    /* The decimals change between two polls. */
    image.words[SPACE_HOLDING][4] = 0x0203;
    poll_at(plan, memory, 10);
    expect_sample(0, QUALITY_GOOD, 1.23);
    expect_sample(1, QUALITY_GOOD, -6.2345);
    expect_sample(2, QUALITY_GOOD, 0.209);
    /* Not a number of decimals: the point is bad, a sentinel keeps its reason, the one without any is good. */
    image.words[SPACE_HOLDING][4] = 0x0A0A;
    image.words[SPACE_HOLDING][2] = 0xFFFF;
    poll_at(plan, memory, 20);
    expect_sample(0, QUALITY_SENSOR, 0);
    expect_sample(1, QUALITY_SENSOR, 0);
    expect_sample(2, QUALITY_SENSOR, 0);
    expect_sample(3, QUALITY_GOOD, 123);
    memory_destroy(memory);
    plan_destroy(plan);
}

static void decimals_not_read(void **state)
{
    struct site_point points[] = {decimal_point(0, 4), decimal_point(1, 4), point_at(2, TYPE_U16)};
    struct site_device device = device_with(125, 8, NULL, 0);
    struct driver_plan *plan;
    struct driver_memory *memory;

    (void)state;
    memset(&image, 0, sizeof image);
    for (int i = 0; i < 2; i++)
        points[i].decimals.space = SPACE_INPUT;
    points[1].invalid_count = 1;
    points[1].invalid = (const double[]){0};
    plan = make(&device, points, 3);
    memory = remember(&device, plan);
    assert_int_equal(plan->request_count, 2);
    expect_request(plan, 0, 4, 4, 1, 0, 1);
    image.words[SPACE_HOLDING][0] = 123;
    image.words[SPACE_INPUT][4] = 2;
    poll_at(plan, memory, 0);
    expect_sample(0, QUALITY_GOOD, 1.23);
    ask_at(plan, memory, 0, 100, 100, QUALITY_DEVICE);
    ask_at(plan, memory, 1, 100, 200, QUALITY_GOOD);
    expect_sample(0, QUALITY_DEVICE, 0);
    expect_sample(1, QUALITY_SENSOR, 0);
    expect_sample(2, QUALITY_GOOD, 0);
    ask_at(plan, memory, 1, 300, 400, QUALITY_GOOD);
    expect_sample(0, QUALITY_COMM, 0);
    poll_at(plan, NULL, 500);
    expect_sample(0, QUALITY_COMM, 0);
    expect_sample(2, QUALITY_GOOD, 0);
    memory_destroy(memory);
    plan_destroy(plan);
}

static void no_decimals_where_none_are_read(void **state)
{
    /* A point that is worked out is none of the driver's, and neither is its register. */
    struct site_point points[] = {decimal_point(0, 4), point_at(7, TYPE_U16)};
    struct site_device device = device_with(125, 8, NULL, 0);
    struct driver_plan *plan;

    (void)state;
    points[0].space = SPACE_DERIVED;
    plan = make(&device, points, 2);
    assert_int_equal(plan->request_count, 1);
    assert_int_equal(plan->item_count, 1);
    expect_request(plan, 0, 3, 7, 1, 1, 0);
    assert_int_equal(plan->items[0].point, FIRST + 1);
    plan_destroy(plan);
    points[0] = decimal_point(0, 4);
    points[0].decimals.space = SPACE_DERIVED;
    plan = NULL;
    assert_int_equal(modbus_driver.plan(&device, points, 2, 0, &plan), RG_EINVAL);
    assert_null(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_read_with_the_value),
        cmocka_unit_test(gates_elsewhere_come_first),
        cmocka_unit_test(singles_read_their_gates_first),
        cmocka_unit_test(each_waits_for_the_other),
        cmocka_unit_test(divided_parts_keep_their_gates),
        cmocka_unit_test(what_was_read_before_falls_away),
        cmocka_unit_test(gates_of_their_own_are_divided_too),
        cmocka_unit_test(forced_zero_is_inhibited),
        cmocka_unit_test(first_bad_gate_and_first_set_bit),
        cmocka_unit_test(a_gate_explains_and_an_unread_one_does_not),
        cmocka_unit_test(only_this_poll_counts),
        cmocka_unit_test(an_answer_too_short_for_the_state),
        cmocka_unit_test(masked_parts_of_one_register),
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(decimals_with_all_else),
        cmocka_unit_test(decimals_not_read),
        cmocka_unit_test(no_decimals_where_none_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
