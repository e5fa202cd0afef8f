/* LINK rg_modbus rg_modbus_model */
/* Every coding of the register maps of real devices, one row after the other, as a device with such a map would be
 * configured: what its registers hold, and what is read from them. Addresses are as the manuals write them: 4xxxx and
 * 3xxxx one-based, 0x.... as they are. Sources: the makers' manuals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "modbus_image.h"

#define POINTS 8

static struct image image;
static struct sample samples[POINTS];
static struct site_point points[POINTS];
static struct site_gate gates[4];
static struct site_device device;
static struct driver_plan *plan;
static struct driver_memory *memory;
static int64_t now_us;

static int begin(void **state)
{
    (void)state;
    memset(&image, 0, sizeof image);
    memset(points, 0, sizeof points);
    memset(gates, 0, sizeof gates);
    device =
        (struct site_device){.unit = 1, .poll_ms = 1000, .max_registers = 125, .max_gap = 8, .gates = gates};
    plan = NULL;
    memory = NULL;
    now_us = 1000000;
    return 0;
}

static int end(void **state)
{
    (void)state;
    modbus_driver.memory_destroy(memory);
    modbus_driver.plan_destroy(plan);
    return 0;
}

static struct site_point *add(enum point_space space, uint16_t address, enum point_type type,
                              enum word_order order)
{
    struct site_point *p = &points[device.point_count++];

    *p = (struct site_point){.name = "p",
                             .space = space,
                             .address = address,
                             .type = type,
                             .order = order,
                             .bit = -1,
                             .scaling = {1, 0, 1}};
    return p;
}

static struct site_point *add_scaled(enum point_space space, uint16_t address, enum point_type type,
                                     double den)
{
    struct site_point *p = add(space, address, type, ORDER_CDAB);

    p->scaling.den = den;
    return p;
}

static void add_gate(enum gate_kind kind, enum point_space space, uint16_t address, uint16_t mask,
                     const struct gate_case *cases, size_t count)
{
    gates[device.gate_count++] = (struct site_gate){
        .kind = kind, .at = {space, address, mask}, .cases = cases, .case_count = count, .within_ms = 20000};
}
#define CASES(...)                                                                                           \
    (const struct gate_case[]){__VA_ARGS__}, RG_COUNT(((const struct gate_case[]){__VA_ARGS__}))

static void set(enum point_space space, uint16_t address, uint16_t word)
{
    image.words[space][address] = word;
}

/* high: the register at the address holds the high half. */
static void set_f32(enum point_space space, uint16_t address, bool high_first, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    set(space, address, (uint16_t)(high_first ? bits >> 16 : bits));
    set(space, (uint16_t)(address + 1), (uint16_t)(high_first ? bits : bits >> 16));
}

static void poll_once(void)
{
    if (!plan) {
        assert_int_equal(modbus_driver.plan(&device, points, device.point_count, 0, &plan), RG_OK);
        assert_int_equal(modbus_driver.memory_create(&device, plan, &memory), RG_OK);
    }
    now_us += 1000000;
    image_ask_all(&(struct image_poll){&image, plan, memory, now_us, 0}, samples);
}

/* point: in the order added. */
static void expect(size_t point, double value)
{
    if (samples[point].quality != QUALITY_GOOD || samples[point].value != value)
        fail_msg("point %zu: %s %.17g instead of %.17g", point, quality_name(samples[point].quality),
                 samples[point].value, value);
}

static void expect_bad(size_t point, enum quality quality)
{
    if (samples[point].quality != quality || samples[point].value != 0)
        fail_msg("point %zu: %s %.17g instead of %s", point, quality_name(samples[point].quality),
                 samples[point].value, quality_name(quality));
}

static void honeywell_xcd_and_xnx(void **state)
{
    static const struct point_word units[] = {{1, "mg/m3"}, {3, "%Vol"}, {4, "ppm"}, {5, "%LEL"}};
    const uint16_t fault_bits[] = {5, 6}; /* XCD, XNX: one family, two bits */

    for (int k = 0; k < 2; k++) {
        (void)begin(state);
        add(SPACE_HOLDING, 2, TYPE_F32, ORDER_ABCD);
        add(SPACE_HOLDING, 4, TYPE_U16, ORDER_NONE); /* fault code: 1100 + n, warnings n */
        add(SPACE_HOLDING, 16, TYPE_I16, ORDER_NONE);
        add(SPACE_HOLDING, 10, TYPE_U16, ORDER_NONE);
        points[3].words = units;
        points[3].word_count = RG_COUNT(units);
        add_gate(GATE_VALUES, SPACE_HOLDING, 6, 0x00ff,
                 CASES({1, QUALITY_GOOD}, {2, QUALITY_INHIBITED}, {3, QUALITY_INHIBITED},
                       {12, QUALITY_INHIBITED}));
        gates[0].otherwise = QUALITY_SENSOR;
        add_gate(GATE_BITS, SPACE_HOLDING, 5, 0, CASES({fault_bits[k], QUALITY_SENSOR}));
        set_f32(SPACE_HOLDING, 2, true, 0.0f); /* forced to zero */
        set(SPACE_HOLDING, 6, 0x5503);
        set(SPACE_HOLDING, 10, 5);
        set(SPACE_HOLDING, 16, 0xFFF6);
        poll_once();
        assert_int_equal(plan->request_count, 1);
        for (size_t i = 0; i < 4; i++)
            expect_bad(i, QUALITY_INHIBITED);
        set(SPACE_HOLDING, 6, 0x5501);
        set(SPACE_HOLDING, 5, 0x0013); /* alarms and a warning do not gate */
        set_f32(SPACE_HOLDING, 2, true, 22.5f);
        poll_once();
        expect(0, 22.5);
        expect(2, -10);
        expect(3, 5);
        set(SPACE_HOLDING, 5, (uint16_t)(1u << (11 - fault_bits[k]))); /* the other family's bit */
        set(SPACE_HOLDING, 10, 2);                                     /* no unit of its table */
        poll_once();
        expect(0, 22.5);
        expect_bad(3, QUALITY_SENSOR);
        set(SPACE_HOLDING, 5, (uint16_t)(1u << fault_bits[k]));
        poll_once();
        expect_bad(0, QUALITY_SENSOR);
        if (k == 0)
            (void)end(state);
    }
}

static void honeywell_xrl(void **state)
{
    (void)state;
    add(SPACE_HOLDING, 102, TYPE_F32, ORDER_ABCD); /* in inhibit it holds the last reading */
    add_gate(GATE_VALUES, SPACE_HOLDING, 106, 0, CASES({1, QUALITY_GOOD}, {3, QUALITY_INHIBITED}));
    add_gate(GATE_HEARTBEAT, SPACE_HOLDING, 107, 0, NULL, 0); /* + 1 every 5 s or so */
    set_f32(SPACE_HOLDING, 102, true, 18.75f);
    set(SPACE_HOLDING, 106, 1);
    poll_once();
    expect(0, 18.75);
    set(SPACE_HOLDING, 106, 3);
    poll_once();
    expect_bad(0, QUALITY_INHIBITED);
    set(SPACE_HOLDING, 106, 1);
    for (int i = 0; i < 60; i++) {
        set(SPACE_HOLDING, 107, (uint16_t)(i / 5));
        poll_once();
        expect(0, 18.75);
    }
    for (int i = 0; i < 30; i++)
        poll_once();
    expect_bad(0, QUALITY_STALE);
}

static void honeywell_midas(void **state)
{
    (void)state;
    add(SPACE_HOLDING, 2, TYPE_F32, ORDER_ABCD);
    points[0].order = ORDER_CDAB; /* word 1 of the float first */
    add(SPACE_HOLDING, 0, TYPE_U16, ORDER_NONE);
    points[1].bit = 6; /* alarm 1 */
    add(SPACE_HOLDING, 0, TYPE_U16, ORDER_NONE);
    points[2].mask = 0x000f; /* the state as a point of its own */
    add_gate(GATE_VALUES, SPACE_HOLDING, 0, 0x000f,
             CASES({0, QUALITY_INHIBITED}, {2, QUALITY_INHIBITED}, {4, QUALITY_INHIBITED},
                   {7, QUALITY_INHIBITED}));
    add_gate(GATE_VALUES, SPACE_HOLDING, 0, 0x0030, CASES({2, QUALITY_SENSOR}));
    add_gate(GATE_HEARTBEAT, SPACE_HOLDING, 0, 0x0800, NULL, 0);
    set_f32(SPACE_HOLDING, 2, false, 3.5f);
    set(SPACE_HOLDING, 0, 0x0041);
    poll_once();
    assert_int_equal(plan->request_count, 1);
    expect(0, 3.5);
    expect(1, 1);
    expect(2, 1);
    set(SPACE_HOLDING, 0, 0x0021);
    poll_once();
    expect_bad(0, QUALITY_SENSOR);
    set(SPACE_HOLDING, 0, 0x0024);
    poll_once();
    expect_bad(0, QUALITY_INHIBITED);
}

static void msa_ultima(void **state)
{
    const uint16_t base = 1000;

    (void)state;
    for (uint16_t i = 0; i < 3; i++) {
        add(SPACE_HOLDING, (uint16_t)(base + 207 + 2 * i), TYPE_F32, ORDER_ABCD);
        set_f32(SPACE_HOLDING, (uint16_t)(base + 207 + 2 * i), true, 1.5f * (float)i);
    }
    add_gate(GATE_VALUES, SPACE_HOLDING, base + 216, 0, CASES({0, QUALITY_GOOD})); /* calibration step */
    gates[0].otherwise = QUALITY_INHIBITED;
    add_gate(GATE_BITS, SPACE_HOLDING, base + 202, 0, CASES({0, QUALITY_SENSOR}, {15, QUALITY_SENSOR}));
    poll_once();
    assert_int_equal(plan->request_count, 1);
    for (size_t i = 0; i < 3; i++)
        expect(i, 1.5 * (double)i);
    set(SPACE_HOLDING, base + 216, 2);
    poll_once();
    expect_bad(0, QUALITY_INHIBITED);
    set(SPACE_HOLDING, base + 216, 0);
    set(SPACE_HOLDING, base + 202, 0x8000);
    poll_once();
    expect_bad(2, QUALITY_SENSOR);
}

static void oldham_itrans(void **state)
{
    (void)state;
    add(SPACE_HOLDING, 101, TYPE_I16, ORDER_NONE);
    points[0].has_decimals = true; /* 0x0107: HCN, 1 decimal */
    points[0].decimals = (struct site_register){SPACE_HOLDING, 100, 0xff00};
    add(SPACE_HOLDING, 100, TYPE_U16, ORDER_NONE);
    points[1].mask = 0x00ff;
    add_gate(GATE_VALUES, SPACE_HOLDING, 102, 0,
             CASES({1, QUALITY_GOOD}, {2, QUALITY_INHIBITED}, {3, QUALITY_INHIBITED}, {6, QUALITY_INHIBITED},
                   {8, QUALITY_SENSOR}));
    add_gate(GATE_BITS, SPACE_HOLDING, 103, 0,
             CASES({2, QUALITY_SENSOR}, {3, QUALITY_RANGE}, {4, QUALITY_SENSOR}, {11, QUALITY_SENSOR},
                   {14, QUALITY_SENSOR}, {15, QUALITY_SENSOR}));
    set(SPACE_HOLDING, 100, 0x0107);
    set(SPACE_HOLDING, 101, 189);
    set(SPACE_HOLDING, 102, 1);
    set(SPACE_HOLDING, 103, 0x0003); /* its own alarms */
    poll_once();
    expect(0, 18.9);
    expect(1, 7);
    set(SPACE_HOLDING, 103, 0x000b);
    poll_once();
    expect_bad(0, QUALITY_RANGE);
    set(SPACE_HOLDING, 102, 8);
    poll_once();
    expect_bad(0, QUALITY_SENSOR);
}

static void bacharach_and_carel(void **state)
{
    (void)state;
    add(SPACE_DISCRETE, 3000, TYPE_BOOL, ORDER_NONE); /* alarm */
    add_scaled(SPACE_HOLDING, 2005, TYPE_U16, 1);
    add_gate(GATE_VALUES, SPACE_DISCRETE, 3006, 0, CASES({1, QUALITY_INHIBITED})); /* start-up */
    add_gate(GATE_VALUES, SPACE_DISCRETE, 3002, 0, CASES({1, QUALITY_SENSOR}));
    add_gate(GATE_VALUES, SPACE_DISCRETE, 3005, 0, CASES({1, QUALITY_RANGE}));
    add_gate(GATE_VALUES, SPACE_HOLDING, 2800, 0,
             CASES({1, QUALITY_INHIBITED})); /* offline: no alarms meanwhile */
    set(SPACE_DISCRETE, 3000, 1);
    set(SPACE_HOLDING, 2005, 150);
    poll_once();
    assert_int_equal(plan->request_count, 3); /* the offline mode, the bits, the limit */
    expect(0, 1);
    expect(1, 150);
    set(SPACE_HOLDING, 2800, 1);
    poll_once();
    expect_bad(0, QUALITY_INHIBITED);
    set(SPACE_DISCRETE, 3005, 1);
    set(SPACE_HOLDING, 2800, 0);
    poll_once();
    expect_bad(1, QUALITY_RANGE);
    set(SPACE_DISCRETE, 3002, 1);
    poll_once();
    expect_bad(1, QUALITY_SENSOR);
}

static void co_and_sf6_detectors(void **state)
{
    (void)state;
    add_scaled(SPACE_HOLDING, 6, TYPE_U16, 10); /* JXBS-3001-CO */
    set(SPACE_HOLDING, 6, 0x00BD);
    add(SPACE_HOLDING, 1, TYPE_BYTES8_8, ORDER_NONE); /* O2, whole and decimal part in a byte each */
    set(SPACE_HOLDING, 1, 0x1409);
    add_scaled(SPACE_HOLDING, 2, TYPE_U16, 10); /* O2, the other maker */
    set(SPACE_HOLDING, 2, 0x00D1);
    add_scaled(SPACE_HOLDING, 0x1001, TYPE_U16, 10); /* temperature: value * 10 + 500 */
    points[3].scaling.add = -500;
    set(SPACE_HOLDING, 0x1001, 499);
    poll_once();
    expect(0, 18.9);
    expect(1, 20.9);
    expect(2, 20.9);
    expect(3, -0.1);
    for (unsigned tenths = 0; tenths < 2000; tenths++) {
        set(SPACE_HOLDING, 0x1001, (uint16_t)tenths);
        poll_once();
        expect(3, ((double)tenths - 500) / 10);
    }
}

static void dust_and_pressure(void **state)
{
    (void)state;
    add(SPACE_INPUT, 0, TYPE_U16, ORDER_NONE);
    add_scaled(SPACE_INPUT, 3, TYPE_U16, 10); /* Delta Ohm: ug/m3 * 10 */
    set(SPACE_INPUT, 0, 65535);
    set(SPACE_INPUT, 3, 355);
    add(SPACE_HOLDING, 0x16, TYPE_I16, ORDER_NONE); /* RS485 pressure transmitter: decimals 0 to 4 at 4 */
    points[2].has_decimals = true;
    points[2].decimals = (struct site_register){SPACE_HOLDING, 4, 0};
    set(SPACE_HOLDING, 4, 3);
    set(SPACE_HOLDING, 0x16, (uint16_t)-1234);
    add(SPACE_HOLDING, 0x30, TYPE_F32, ORDER_ABCD); /* its other firmware */
    set_f32(SPACE_HOLDING, 0x30, true, -1.25f);
    poll_once();
    expect(0, 65535);
    expect(1, 35.5);
    expect(2, -1.234);
    expect(3, -1.25);
    set(SPACE_HOLDING, 4, 0);
    poll_once();
    expect(2, -1234);
}

static void temperatures(void **state)
{
    static const struct point_word states[] = {{0, "normal"}, {1, "low"}, {2, "high"}};

    (void)state;
    add_scaled(SPACE_HOLDING, 0, TYPE_I16, 10); /* PM6RTD, Exemys */
    points[0].invalid_count = 2;
    points[0].invalid = (const double[]){32768, -32767}; /* burn-out */
    add(SPACE_HOLDING, 8, TYPE_U16, ORDER_NONE);         /* Exemys 40009: low, high */
    points[1].words = states;
    points[1].word_count = RG_COUNT(states);
    add_scaled(SPACE_INPUT, 0, TYPE_I16, 100); /* DAMpt100, and the same as a float */
    add(SPACE_INPUT, 50, TYPE_F32, ORDER_ABCD);
    add_gate(GATE_VALUES, SPACE_DISCRETE, 128, 0,
             CASES({1, QUALITY_RANGE})); /* tM-TH8: 10129, over or under range */
    set(SPACE_HOLDING, 0, 3451);
    set(SPACE_HOLDING, 8, 2);
    set(SPACE_INPUT, 0, (uint16_t)-1234);
    set_f32(SPACE_INPUT, 50, true, -12.34f);
    poll_once();
    expect(0, 345.1);
    expect(1, 2);
    expect(2, -12.34);
    expect(3, (double)-12.34f);
    set(SPACE_HOLDING, 0, 0x8000);
    poll_once();
    expect_bad(0, QUALITY_SENSOR);
    set(SPACE_HOLDING, 0, 0x8001);
    set(SPACE_HOLDING, 8, 3);
    poll_once();
    expect_bad(0, QUALITY_SENSOR);
    expect_bad(1, QUALITY_SENSOR);
    set(SPACE_HOLDING, 0, 0x8002);
    set(SPACE_DISCRETE, 128, 1);
    poll_once();
    expect_bad(0, QUALITY_RANGE);
}

static void flow_and_rain(void **state)
{
    (void)state;
    add(SPACE_HOLDING, 0x1010, TYPE_F32, ORDER_CDAB); /* MFE600H: "Float Inverse" */
    set_f32(SPACE_HOLDING, 0x1010, false, 123.5f);
    add(SPACE_HOLDING, 0x1018, TYPE_U32, ORDER_CDAB); /* total, whole part; 0x101A its decimals as a float */
    set(SPACE_HOLDING, 0x1018, 0x0001);
    set(SPACE_HOLDING, 0x1019, 0x0002);
    add(SPACE_HOLDING, 0x101A, TYPE_F32, ORDER_CDAB);
    set_f32(SPACE_HOLDING, 0x101A, false, 0.5f);
    add_gate(GATE_VALUES, SPACE_HOLDING, 0x1024, 0, CASES({1, QUALITY_SENSOR})); /* empty pipe */
    add_gate(GATE_VALUES, SPACE_HOLDING, 0x1025, 0, CASES({0, QUALITY_GOOD}));
    gates[1].otherwise = QUALITY_SENSOR;
    add(SPACE_INPUT, 8, TYPE_U32, ORDER_CDAB); /* SEN0575: mm * 10000, low word first */
    points[3].scaling.den = 10000;
    set(SPACE_INPUT, 8, 0x86A1);
    set(SPACE_INPUT, 9, 0x0001);
    poll_once();
    assert_int_equal(plan->request_count, 2);
    expect(0, 123.5);
    expect(1, 131073);
    expect(2, 0.5);
    expect(3, 10.0001);
    set(SPACE_HOLDING, 0x1024, 1);
    poll_once();
    expect_bad(0, QUALITY_SENSOR);
    expect_bad(3, QUALITY_SENSOR);
}

static void geokon(void **state)
{
    static const struct gate_case anomaly[] = {{0, QUALITY_GOOD}};

    (void)state;
    add(SPACE_HOLDING, 0x100, TYPE_U16, ORDER_NONE); /* 3810A: ADC */
    add(SPACE_HOLDING, 0x102, TYPE_F32, ORDER_CDAB); /* ohms */
    points[1].convert = &(const struct site_convert){.kind = CONVERT_THERMISTOR};
    points[1].has_range = true; /* of the temperature that comes of it */
    points[1].range_min = -40;
    points[1].range_max = 80;
    add_gate(GATE_VALUES, SPACE_HOLDING, 0x104, 0, anomaly, 1); /* 6150F: error code, codes add up */
    gates[0].otherwise = QUALITY_SENSOR;
    set(SPACE_HOLDING, 0x100, 4711);
    set(SPACE_HOLDING, 0x102, 0xC87C);
    set(SPACE_HOLDING, 0x103, 0x4628);
    poll_once();
    expect(0, 4711);
    assert_int_equal(samples[1].quality, QUALITY_GOOD);
    assert_true(fabs(samples[1].value - 10802.12) < 0.005);
    set(SPACE_HOLDING, 0x104, 2 + 8);
    poll_once();
    expect_bad(1, QUALITY_SENSOR);
}

static void level_gauges(void **state)
{
    (void)state;
    device.max_registers = 1;                     /* Hycontrol: registers one at a time */
    add(SPACE_INPUT, 2002, TYPE_F32, ORDER_ABCD); /* VEGAPULS: both orders of one value */
    add(SPACE_INPUT, 2102, TYPE_F32, ORDER_DCBA);
    add_scaled(SPACE_INPUT, 299, TYPE_U16, 1000); /* APG: mm */
    add(SPACE_INPUT, 302, TYPE_I32, ORDER_ABCD);  /* APG 30303-4, without its decimal point */
    points[3].scaling.den = 1000;
    add_gate(GATE_VALUES, SPACE_INPUT, 100, 0,
             CASES({0, QUALITY_GOOD})); /* VEGAPULS: status; USH-9: error code */
    gates[0].otherwise = QUALITY_SENSOR;
    set_f32(SPACE_INPUT, 2002, true, 4.25f);
    set(SPACE_INPUT, 2102, 0x0000); /* 0x40880000, its bytes the other way round */
    set(SPACE_INPUT, 2103, 0x8840);
    set(SPACE_INPUT, 299, 12345);
    set(SPACE_INPUT, 302, 0xFFFF);
    set(SPACE_INPUT, 303, 0xFFFE);
    poll_once();
    assert_int_equal(plan->request_count, 5);
    expect(0, 4.25);
    expect(1, 4.25);
    expect(2, 12.345);
    expect(3, -0.002);
    set(SPACE_INPUT, 100, 44);
    poll_once();
    for (size_t i = 0; i < 4; i++)
        expect_bad(i, QUALITY_SENSOR);
}

static void relays_and_counters(void **state)
{
    (void)state;
    add(SPACE_COIL, 7, TYPE_BOOL, ORDER_NONE);
    set(SPACE_COIL, 7, 1);
    add_scaled(SPACE_HOLDING, 0x8000, TYPE_U16, 100); /* Waveshare: version */
    set(SPACE_HOLDING, 0x8000, 0x00C8);
    add(SPACE_HOLDING, 10, TYPE_I32, ORDER_ABCD); /* GNSS logger: mm * 10 */
    points[2].scaling.den = 10;
    set(SPACE_HOLDING, 10, 0xFFFF);
    set(SPACE_HOLDING, 11, 0xFF85);
    add(SPACE_HOLDING, 20, TYPE_U64, ORDER_ABCD); /* totals: exact or not at all */
    add(SPACE_HOLDING, 24, TYPE_BCD32, ORDER_ABCD);
    set(SPACE_HOLDING, 24, 0x0123);
    set(SPACE_HOLDING, 25, 0x4567);
    set(SPACE_HOLDING, 21, 0x0020);
    poll_once();
    expect(0, 1);
    expect(1, 2);
    expect(2, -12.3);
    expect(3, 137438953472.0);
    expect(4, 1234567);
    set(SPACE_HOLDING, 20, 0x0021);
    set(SPACE_HOLDING, 25, 0x456A);
    poll_once();
    expect_bad(3, QUALITY_RANGE);
    expect_bad(4, QUALITY_SENSOR);
}

static void vaisala(void **state)
{
    (void)state;
    add(SPACE_HOLDING, 0x1F00, TYPE_I16, ORDER_NONE);
    add(SPACE_HOLDING, 0x1F01, TYPE_F32, ORDER_ABCD);
    set(SPACE_HOLDING, 0x1F00, 0xCFC7);
    set(SPACE_HOLDING, 0x1F01, 0xC2F6);
    set(SPACE_HOLDING, 0x1F02, 0xE666);
    poll_once();
    expect(0, -12345);
    expect(1, (double)-123.45f);
    set(SPACE_HOLDING, 0x1F01, 0x7FC0); /* not available: a quiet NaN */
    set(SPACE_HOLDING, 0x1F02, 0);
    poll_once();
    expect_bad(1, QUALITY_SENSOR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(honeywell_xcd_and_xnx, begin, end),
        cmocka_unit_test_setup_teardown(honeywell_xrl, begin, end),
        cmocka_unit_test_setup_teardown(honeywell_midas, begin, end),
        cmocka_unit_test_setup_teardown(msa_ultima, begin, end),
        cmocka_unit_test_setup_teardown(oldham_itrans, begin, end),
        cmocka_unit_test_setup_teardown(bacharach_and_carel, begin, end),
        cmocka_unit_test_setup_teardown(co_and_sf6_detectors, begin, end),
        cmocka_unit_test_setup_teardown(dust_and_pressure, begin, end),
        cmocka_unit_test_setup_teardown(temperatures, begin, end),
        cmocka_unit_test_setup_teardown(flow_and_rain, begin, end),
        cmocka_unit_test_setup_teardown(geokon, begin, end),
        cmocka_unit_test_setup_teardown(level_gauges, begin, end),
        cmocka_unit_test_setup_teardown(relays_and_counters, begin, end),
        cmocka_unit_test_setup_teardown(vaisala, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
