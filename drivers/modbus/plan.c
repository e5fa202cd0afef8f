#include "drivers/modbus/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define POINTS_MAX (1u << 20)

/* A point while planning. */
struct place {
    enum point_space space;
    uint32_t first, end; /* addresses: its first, one past its last */
    struct codec_point item;
};

/* By space, address, and the wider first, so that what lies on the same registers falls within it. Then by
 * index: the order, and so the plan, is the same on every machine. */
static int place_compare(const void *va, const void *vb)
{
    const struct place *a = va, *b = vb;

    if (a->space != b->space)
        return a->space < b->space ? -1 : 1;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return a->item.point < b->item.point ? -1 : a->item.point > b->item.point;
}

static uint8_t function_of(enum point_space space)
{
    static const uint8_t functions[] = {
        [SPACE_COIL] = 1, [SPACE_DISCRETE] = 2, [SPACE_INPUT] = 4, [SPACE_HOLDING] = 3};

    return functions[space];
}

/* Addresses that one request of this device may span. */
static uint32_t span_limit(const struct site_device *device, enum point_space space)
{
    uint32_t registers = device->max_registers;

    if (registers == 0)
        registers = 1;
    if (registers > ASK_MAX_REGISTERS)
        registers = ASK_MAX_REGISTERS;
    if (space == SPACE_INPUT || space == SPACE_HOLDING || registers == 1)
        return registers;
    return 16 * registers; /* 125 registers are as long as 2000 bits */
}

/* Whether a request over [first, end) may grow to hold p too. */
static bool may_join(const struct site_device *device, enum point_space space, uint32_t first, uint32_t end,
                     const struct place *p)
{
    if (p->space != space)
        return false;
    if (p->end <= end)
        return true; /* read already */
    if (p->end - first > span_limit(device, space))
        return false;
    return p->first <= end + device->max_gap;
}

static void plan_join(struct driver_plan *plan, const struct site_device *device, const struct place *places)
{
    size_t i = 0;

    while (i < plan->item_count) {
        struct plan_request *r = &plan->requests[plan->request_count++];
        const uint32_t first = places[i].first;
        uint32_t end = places[i].end;

        r->first = i;
        for (; i < plan->item_count; i++) {
            if (i > r->first && !may_join(device, places[r->first].space, first, end, &places[i]))
                break;
            if (places[i].end > end)
                end = places[i].end;
            plan->items[i] = places[i].item;
            plan->items[i].offset = (uint16_t)(places[i].first - first);
        }
        r->count = i - r->first;
        r->ask = (struct ask){.unit = device->unit,
                              .function = function_of(places[r->first].space),
                              .address = (uint16_t)first,
                              .count = (uint16_t)(end - first),
                              .limit = (uint16_t)span_limit(device, SPACE_HOLDING),
                              .gap_us = device->gap_ms * 1000};
    }
}

enum rg_err plan_create(const struct site_device *device, const struct site_point *points, size_t count,
                        uint32_t first_point, struct driver_plan **out)
{
    struct driver_plan *plan = NULL;
    struct place *places = NULL;
    enum rg_err err = RG_ENOMEM;

    if (count > POINTS_MAX)
        return RG_EINVAL;
    plan = calloc(1, sizeof *plan);
    places = calloc(count ? count : 1, sizeof *places);
    if (!plan || !places)
        goto fail;
    /* At most one request a point. */
    plan->requests = calloc(count ? count : 1, sizeof *plan->requests);
    plan->items = calloc(count ? count : 1, sizeof *plan->items);
    if (!plan->requests || !plan->items)
        goto fail;
    plan->item_count = count;
    for (size_t i = 0; i < count; i++) {
        struct place *p = &places[i];

        err = RG_EINVAL;
        if ((unsigned)points[i].space > SPACE_HOLDING)
            goto fail;
        err = codec_prepare(&points[i], first_point + (uint32_t)i, &p->item);
        if (err)
            goto fail;
        p->space = points[i].space;
        p->first = points[i].address;
        p->end = p->first + p->item.words;
    }
    qsort(places, count, sizeof *places, place_compare);
    plan_join(plan, device, places);
    free(places);
    *out = plan;
    return RG_OK;
fail:
    free(places);
    plan_destroy(plan);
    return err;
}

void plan_destroy(struct driver_plan *plan)
{
    if (!plan)
        return;
    free(plan->requests);
    free(plan->items);
    free(plan);
}

/* ---- division ---- */

/* One past the last address, from the request's first, that the item or one before it in the request uses. */
static uint32_t item_end(const struct codec_point *item, uint32_t end)
{
    const uint32_t own = (uint32_t)item->offset + item->words;

    return own > end ? own : end;
}

/* Whether items[i] lies behind addresses that no point uses. end: what item_end gave for the items before. */
static bool begins_part(const struct codec_point *item, uint32_t end)
{
    return item->offset > end;
}

static size_t count_parts(const struct driver_plan *plan, const struct plan_request *r)
{
    uint32_t end = plan->items[r->first].words;
    size_t parts = 1;

    for (size_t i = r->first + 1; i < r->first + r->count; i++) {
        parts += begins_part(&plan->items[i], end) ? 1 : 0;
        end = item_end(&plan->items[i], end);
    }
    return parts;
}

/* Writes r's parts to `parts` and sets the offsets of its items in `items`, the copy. */
static void write_parts(const struct plan_request *r, struct plan_request *parts, struct codec_point *items)
{
    struct plan_request *part = parts;
    uint32_t begin = 0; /* of the part, from r's first address */
    uint32_t end = items[r->first].words;

    *part = *r;
    part->count = 0;
    for (size_t i = r->first; i < r->first + r->count; i++) {
        if (i > r->first && begins_part(&items[i], end)) {
            begin = items[i].offset;
            *++part = *r;
            part->first = i;
            part->count = 0;
            part->ask.address = (uint16_t)(r->ask.address + begin);
        }
        end = item_end(&items[i], end);
        items[i].offset = (uint16_t)(items[i].offset - begin);
        part->ask.count = (uint16_t)(end - begin);
        part->count++;
    }
}

enum rg_err plan_divide(const struct driver_plan *plan, size_t request, struct driver_plan **out)
{
    const struct plan_request *r = &plan->requests[request];
    const size_t parts = count_parts(plan, r);
    struct driver_plan *copy;

    *out = NULL;
    if (parts < 2)
        return RG_ENOTFOUND;
    copy = calloc(1, sizeof *copy);
    if (!copy)
        return RG_ENOMEM;
    copy->request_count = plan->request_count + parts - 1;
    copy->item_count = plan->item_count;
    copy->requests = calloc(copy->request_count, sizeof *copy->requests);
    copy->items = calloc(copy->item_count, sizeof *copy->items);
    if (!copy->requests || !copy->items) {
        plan_destroy(copy);
        return RG_ENOMEM;
    }
    memcpy(copy->items, plan->items, plan->item_count * sizeof *copy->items);
    memcpy(copy->requests, plan->requests, request * sizeof *copy->requests);
    write_parts(r, copy->requests + request, copy->items);
    memcpy(copy->requests + request + parts, r + 1,
           (plan->request_count - request - 1) * sizeof *copy->requests);
    *out = copy;
    return RG_OK;
}

void plan_describe(const struct driver_plan *plan, size_t request, char *out, size_t size)
{
    static const char *const spaces[] = {"?", "coil", "discrete", "holding", "input"}; /* by function code */
    const struct ask *ask = &plan->requests[request].ask;

    if (ask->count == 1)
        (void)text_format(out, size, "%s %u", spaces[ask->function], (unsigned)ask->address);
    else
        (void)text_format(out, size, "%s %u to %u", spaces[ask->function], (unsigned)ask->address,
                          ask->address + ask->count - 1u);
}

void plan_bytes(const struct driver_plan *plan, size_t request, enum bus_kind kind, size_t *sent,
                size_t *received)
{
    const struct ask *ask = &plan->requests[request].ask;

    if (kind == BUS_TCP) {
        *sent = ASK_TCP_BYTES;
        *received = MBAP_BYTES + 2 + ask_data_bytes(ask);
    } else {
        *sent = ASK_RTU_BYTES + 2;
        *received = 5 + ask_data_bytes(ask);
    }
}
