/* LINK rg_modbus */
/* Points by the fuzzer: every point in exactly one request, whole, and no request over its limit. */
#include <stdint.h>
#include <stdlib.h>

#include "drivers/modbus/modbus_driver.h"
#include "drivers/modbus/plan.h"

#define POINTS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_plan(const struct driver_plan *plan, const struct site_device *device,
                       const struct site_point *points, size_t count)
{
    unsigned seen[POINTS] = {0};

    for (size_t q = 0; q < modbus_driver.plan_requests(plan); q++) {
        const struct plan_request *r = &plan->requests[q];
        const bool bits = r->ask.function <= 2;
        const unsigned limit =
            bits ? (device->max_registers > 1 ? 16u * device->max_registers : 1) : device->max_registers;
        size_t sent, received;

        check(r->count > 0 && r->ask.count > 0 && (uint32_t)r->ask.address + r->ask.count <= 65536);
        check(r->ask.count <= (bits ? ASK_MAX_BITS : ASK_MAX_REGISTERS));
        check(r->ask.count <= limit || r->ask.count == plan->items[r->first].words);
        for (size_t k = r->first; k < r->first + r->count; k++) {
            const struct codec_point *item = &plan->items[k];

            check(item->point < count);
            seen[item->point]++;
            check(r->ask.address + item->offset == points[item->point].address);
            check(item->offset + item->words <= r->ask.count);
        }
        for (enum bus_kind kind = BUS_TCP; kind <= BUS_RTU_OVER_TCP; kind++) {
            modbus_driver.plan_bytes(plan, q, kind, &sent, &received);
            check(sent <= 12 && received > 5 && received <= 260);
        }
    }
    for (size_t i = 0; i < count; i++)
        check(seen[i] == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct site_point points[POINTS] = {0};
    struct site_device device = {.unit = 1};
    struct driver_plan *plan = NULL;
    size_t count = 0;

    if (size < 2)
        return 0;
    device.max_registers = (uint16_t)(1 + data[0] % 125);
    device.max_gap = data[1];
    for (size_t at = 2; at + 4 <= size && count < POINTS; at += 4, count++) {
        struct site_point *p = &points[count];

        p->space = (enum point_space)(data[at] % 4);
        p->type =
            p->space <= SPACE_DISCRETE ? TYPE_BOOL : (enum point_type)(data[at + 1] % (TYPE_BYTES8_8 + 1));
        p->order = (enum word_order)(data[at] >> 2 & 7) == ORDER_NONE ? ORDER_NONE : ORDER_CDAB;
        p->address = (uint16_t)(data[at + 2] << 8 | data[at + 3]);
        p->bit = -1;
        p->scaling = (struct scaling){1, 0, 1};
    }
    if (modbus_driver.plan(&device, points, count, 0, &plan) == RG_OK) {
        check_plan(plan, &device, points, count);
        for (size_t q = 0; q < modbus_driver.plan_requests(plan); q++) {
            struct driver_plan *divided = NULL;

            if (modbus_driver.plan_divide(plan, q, 2, &divided) != RG_OK)
                continue;
            modbus_driver.plan_destroy(plan);
            plan = divided;
            check_plan(plan, &device, points, count);
        }
    }
    modbus_driver.plan_destroy(plan);
    return 0;
}
