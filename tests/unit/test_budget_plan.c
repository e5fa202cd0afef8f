/* LINK rg_config rg_modbus */
/* The estimate of the time budget against the plans that are really carried out: as many requests with as many bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "config/budget.h"
#include "drivers/modbus/modbus_driver.h"

#define POINTS 60
#define GATES 3
#define DEVICES 20000

static struct site_register random_register(struct rg_random *r)
{
    return (struct site_register){.space = random_below(r, 2) == 0 ? SPACE_HOLDING : SPACE_INPUT,
                                  .address = (uint16_t)random_below(r, 200)};
}

/* A point of a device that has its registers in a few clusters. */
static struct site_point random_point(struct rg_random *r, bool decided)
{
    static const enum point_type types[] = {TYPE_U16, TYPE_I16, TYPE_U32, TYPE_F32, TYPE_U64, TYPE_F64};
    static const uint16_t clusters[] = {0, 100, 30000, 60000};
    struct site_point p = {.bit = -1, .scaling = {1, 0, 1}};

    p.space = (enum point_space)random_below(r, 4);
    p.address =
        (uint16_t)(clusters[random_below(r, 4)] + random_below(r, random_below(r, 4) == 0 ? 2500 : 60));
    p.type = TYPE_BOOL;
    if (p.space == SPACE_INPUT || p.space == SPACE_HOLDING)
        p.type = types[random_below(r, RG_COUNT(types))];
    if (point_type_words(p.type) > 1)
        p.order = ORDER_ABCD;
    p.has_decimals = decided && p.type == TYPE_U16 && random_below(r, 4) == 0;
    p.decimals = random_register(r);
    return p;
}

/* Requests and bytes of data of one poll. */
struct cost {
    double requests, bytes;
};

static struct cost planned(const struct site *site)
{
    const struct site_device *d = &site->devices[0];
    struct driver_plan *plan = NULL;
    struct cost cost = {.bytes = 0};

    assert_int_equal(modbus_driver.plan(d, site->points, d->point_count, 0, &plan), RG_OK);
    const size_t requests = modbus_driver.plan_requests(plan);
    cost.requests = (double)requests;
    for (size_t i = 0; i < requests; i++) {
        size_t sent, received;

        modbus_driver.plan_bytes(plan, i, BUS_RTU, &sent, &received);
        cost.bytes += (double)received - 5; /* unit, function, length, CRC */
    }
    modbus_driver.plan_destroy(plan);
    return cost;
}

static struct cost estimated(const struct site *site)
{
    struct budget_device b;

    assert_int_equal(budget_device(site, 0, &b), RG_OK);
    return (struct cost){.requests = b.requests, .bytes = (double)b.data_bytes};
}

struct bed {
    struct site_bus bus;
    struct site_device device;
    struct site_point points[POINTS];
    struct site_gate gates[GATES];
    struct site site;
};

static void bed_fill(struct bed *b, struct rg_random *r, bool decided)
{
    static const struct gate_case fault = {.value = 3, .quality = QUALITY_SENSOR};

    *b = (struct bed){
        .bus = {.name = "b", .kind = BUS_RTU, .baud = 9600, .stop_bits = 1},
        .device = {.name = "d", .poll_ms = 1000, .unit = 1, .gates = b->gates},
        .site = {
            .buses = &b->bus, .bus_count = 1, .devices = &b->device, .device_count = 1, .points = b->points}};
    b->device.point_count = (uint32_t)random_below(r, POINTS + 1);
    b->device.max_registers = (uint16_t)(random_below(r, 4) == 0 ? 1 : 1 + random_below(r, 125));
    b->device.max_gap = (uint16_t)random_below(r, 20);
    for (uint32_t i = 0; i < b->device.point_count; i++)
        b->points[i] = random_point(r, decided);
    b->device.gate_count = decided ? random_below(r, GATES + 1) : 0;
    for (size_t i = 0; i < b->device.gate_count; i++)
        b->gates[i] =
            (struct site_gate){.kind = GATE_BITS, .at = random_register(r), .cases = &fault, .case_count = 1};
}

static void points_exactly(void **state)
{
    static struct bed b;

    (void)state;
    for (uint64_t seed = 1; seed <= DEVICES; seed++) {
        struct rg_random r;

        random_seed(&r, seed);
        bed_fill(&b, &r, false);
        const struct cost p = planned(&b.site);
        const struct cost e = estimated(&b.site);
        if (p.requests != e.requests || p.bytes != e.bytes)
            fail_msg("seed %llu: estimated %g requests with %g bytes, planned %g with %g",
                     (unsigned long long)seed, e.requests, e.bytes, p.requests, p.bytes);
    }
}

static void what_decides_on_points_very_nearly(void **state)
{
    static struct bed b;
    unsigned exact = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= DEVICES; seed++) {
        struct rg_random r;

        random_seed(&r, seed);
        bed_fill(&b, &r, true);
        const struct cost p = planned(&b.site);
        const struct cost e = estimated(&b.site);
        exact += p.requests == e.requests && p.bytes == e.bytes;
        if (fabs(e.requests - p.requests) > 3 + 0.1 * p.requests ||
            fabs(e.bytes - p.bytes) > 16 + 0.25 * p.bytes)
            fail_msg("seed %llu: estimated %g requests with %g bytes, planned %g with %g",
                     (unsigned long long)seed, e.requests, e.bytes, p.requests, p.bytes);
    }
    print_message("%u of %u exactly\n", exact, DEVICES);
    assert_true(exact > DEVICES * 7 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_exactly),
        cmocka_unit_test(what_decides_on_points_very_nearly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
