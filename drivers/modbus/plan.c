#include "drivers/modbus/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "drivers/modbus/draft.h"

#define POINTS_MAX (1u << 20)

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

/* ---- gates and decimals ---- */

static int register_compare(const void *va, const void *vb)
{
    const struct site_register *a = va, *b = vb;

    if (a->space != b->space)
        return a->space < b->space ? -1 : 1;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return a->mask < b->mask ? -1 : a->mask > b->mask;
}

/* A register with its index, to sort by address. */
struct numbered {
    struct site_register at;
    uint32_t reg;
};

static int numbered_compare(const void *va, const void *vb)
{
    const struct numbered *a = va, *b = vb;
    const int order = register_compare(&a->at, &b->at);

    return order ? order : a->reg < b->reg ? -1 : a->reg > b->reg;
}

static enum rg_err sort_registers(struct driver_plan *plan)
{
    struct numbered *all = calloc(plan->register_count + 1, sizeof *all);

    if (!all)
        return RG_ENOMEM;
    for (uint32_t i = 0; i < plan->register_count; i++)
        all[i] = (struct numbered){.at = plan->registers[i], .reg = i};
    qsort(all, plan->register_count, sizeof *all, numbered_compare);
    for (size_t i = 0; i < plan->register_count; i++)
        plan->by_address[i] = all[i].reg;
    free(all);
    return RG_OK;
}

static bool is_readable(enum point_space space)
{
    return (unsigned)space <= SPACE_HOLDING;
}

/* Gates as they are, decimals each once. */
static enum rg_err collect_registers(struct driver_plan *plan, const struct site_device *device,
                                     const struct site_point *points, size_t count)
{
    struct site_register *decimals;
    size_t n = 0;

    plan->registers = calloc(device->gate_count + count + 1, sizeof *plan->registers);
    plan->by_address = calloc(device->gate_count + count + 1, sizeof *plan->by_address);
    if (!plan->registers || !plan->by_address)
        return RG_ENOMEM;
    for (size_t i = 0; i < device->gate_count; i++) {
        if (!is_readable(device->gates[i].at.space))
            return RG_EINVAL;
        plan->registers[i] = device->gates[i].at;
    }
    plan->gate_count = device->gate_count;
    decimals = plan->registers + plan->gate_count;
    for (size_t i = 0; i < count; i++) {
        if (points[i].space == SPACE_DERIVED || !points[i].has_decimals)
            continue;
        if (!is_readable(points[i].decimals.space))
            return RG_EINVAL;
        decimals[n++] = points[i].decimals;
    }
    qsort(decimals, n, sizeof *decimals, register_compare);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && register_compare(&decimals[i], &decimals[i - 1]) == 0)
            continue;
        plan->registers[plan->gate_count + plan->register_count++] = decimals[i];
    }
    plan->register_count += plan->gate_count;
    return sort_registers(plan);
}

static uint32_t find_decimals(const struct driver_plan *plan, const struct site_register *at)
{
    const struct site_register *decimals = plan->registers + plan->gate_count;
    const struct site_register *found =
        bsearch(at, decimals, plan->register_count - plan->gate_count, sizeof *decimals, register_compare);

    return found ? (uint32_t)(found - plan->registers) : CODEC_NO_DECIMALS;
}

/* ---- points to drafts ---- */

static enum rg_err make_places(struct driver_plan *plan, const struct site_point *points, size_t count,
                               uint32_t first_point, struct place *places, size_t *place_count)
{
    for (size_t i = 0; i < count; i++) {
        struct place *p = &places[*place_count];
        enum rg_err err;

        if (points[i].space == SPACE_DERIVED)
            continue;
        if (!is_readable(points[i].space))
            return RG_EINVAL;
        err = codec_prepare(&points[i], first_point + (uint32_t)i, &p->item);
        if (err)
            return err;
        if (points[i].has_decimals)
            p->item.decimals = find_decimals(plan, &points[i].decimals);
        p->space = points[i].space;
        p->first = points[i].address;
        p->end = p->first + p->item.words;
        ++*place_count;
    }
    qsort(places, *place_count, sizeof *places, place_compare);
    return RG_OK;
}

/* Whether the draft may grow to hold p too. */
static bool may_join(const struct driver_plan *plan, const struct draft *d, const struct place *p)
{
    if (p->space != d->space)
        return false;
    if (p->end <= d->end)
        return true; /* read already */
    if (p->end - d->first > draft_limit(plan, d->space))
        return false;
    return p->first <= d->end + plan->gap;
}

static size_t join_places(const struct driver_plan *plan, const struct place *places, size_t count,
                          struct draft *drafts)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct place *p = &places[i];

        if (n == 0 || !may_join(plan, &drafts[n - 1], p))
            drafts[n++] = (struct draft){.space = p->space, .first = p->first, .end = p->end, .place = i};
        else if (p->end > drafts[n - 1].end)
            drafts[n - 1].end = p->end;
        drafts[n - 1].count++;
    }
    return n;
}

/* Grows the draft to [first, end) and what it is, if it fits. */
static bool grow_draft(const struct driver_plan *plan, struct draft *d, uint32_t first, uint32_t end)
{
    first = first < d->first ? first : d->first;
    end = end > d->end ? end : d->end;
    if (end - first > draft_limit(plan, d->space) && (first != d->first || end != d->end))
        return false;
    d->first = first;
    d->end = end;
    return true;
}

/* Takes what decides on its points into each draft, as far as it fits: gates in their order, then decimals. */
static void take_registers(const struct driver_plan *plan, const struct place *places, struct draft *d)
{
    for (size_t i = 0; i < plan->gate_count + d->count; i++) {
        uint32_t reg = (uint32_t)i;
        const struct site_register *at;

        if (i >= plan->gate_count)
            reg = places[d->place + (i - plan->gate_count)].item.decimals;
        if (reg == CODEC_NO_DECIMALS)
            continue;
        at = &plan->registers[reg];
        if (at->space == d->space)
            (void)grow_draft(plan, d, at->address, at->address + 1u);
    }
}

/* Drafts that have grown into each other become one where that fits. */
static size_t merge_drafts(const struct driver_plan *plan, struct draft *drafts, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        struct draft *last = n > 0 ? &drafts[n - 1] : NULL;

        if (last && last->space == drafts[i].space && drafts[i].first <= last->end + plan->gap &&
            last->first <= drafts[i].end + plan->gap &&
            grow_draft(plan, last, drafts[i].first, drafts[i].end))
            last->count += drafts[i].count;
        else
            drafts[n++] = drafts[i];
    }
    return n;
}

static enum rg_err plan_fill(struct driver_plan *plan, const struct site_device *device,
                             const struct place *places, size_t count, struct draft *drafts)
{
    const struct ask pattern = {
        .unit = device->unit, .limit = (uint16_t)plan->room, .gap_us = device->gap_ms * 1000};
    size_t n = join_places(plan, places, count, drafts);
    struct builder b;
    enum rg_err err;

    if (plan->register_count > 0) {
        for (size_t i = 0; i < n; i++)
            take_registers(plan, places, &drafts[i]);
        n = merge_drafts(plan, drafts, n);
    }
    err = builder_begin(&b, plan, places, &pattern, plan->gap);
    if (err == RG_OK)
        err = builder_arrange(&b, drafts, n);
    builder_end(&b);
    return err;
}

/* The words of enumerations as the plan's own: a site may be exchanged while a bus thread decodes by it. */
static enum rg_err own_words(struct driver_plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->way_count; i++)
        count += plan->ways[i].name_count;
    if (count == 0)
        return RG_OK;
    plan->words = calloc(count, sizeof *plan->words);
    if (!plan->words)
        return RG_ENOMEM;
    count = 0;
    for (size_t i = 0; i < plan->way_count; i++) {
        struct codec_point *way = &plan->ways[i];

        for (size_t k = 0; k < way->name_count; k++)
            plan->words[count + k].value = way->names[k].value;
        way->names = plan->words + count;
        count += way->name_count;
    }
    return RG_OK;
}

enum rg_err plan_create(const struct site_device *device, const struct site_point *points, size_t count,
                        uint32_t first_point, struct driver_plan **out)
{
    struct driver_plan *plan = NULL;
    struct place *places = NULL;
    struct draft *drafts = NULL;
    size_t place_count = 0;
    enum rg_err err = RG_ENOMEM;

    if (count > POINTS_MAX || device->gate_count > POINTS_MAX)
        return RG_EINVAL;
    plan = calloc(1, sizeof *plan);
    places = calloc(count + 1, sizeof *places);
    drafts = calloc(count + 1, sizeof *drafts);
    if (!plan || !places || !drafts)
        goto end;
    plan->room = device->max_registers < 1                   ? 1
                 : device->max_registers > ASK_MAX_REGISTERS ? ASK_MAX_REGISTERS
                                                             : device->max_registers;
    plan->gap = device->max_gap;
    plan->items = calloc(count + 1, sizeof *plan->items);
    if (!plan->items)
        goto end;
    err = collect_registers(plan, device, points, count);
    if (err == RG_OK)
        err = make_places(plan, points, count, first_point, places, &place_count);
    if (err == RG_OK)
        err = plan_fill(plan, device, places, place_count, drafts);
    if (err == RG_OK)
        err = own_words(plan);
end:
    free(drafts);
    free(places);
    if (err == RG_OK)
        *out = plan;
    else
        plan_destroy(plan);
    return err;
}

void plan_destroy(struct driver_plan *plan)
{
    if (!plan)
        return;
    free(plan->requests);
    free(plan->items);
    free(plan->ways);
    free(plan->words);
    free(plan->extras);
    free(plan->registers);
    free(plan->by_address);
    free(plan);
}

/* ---- division ---- */

static enum point_space space_of(uint8_t function)
{
    static const enum point_space spaces[] = {SPACE_COIL, SPACE_COIL, SPACE_DISCRETE, SPACE_HOLDING,
                                              SPACE_INPUT}; /* by function code */

    return spaces[function];
}

/* The stretches of a request without an unused address, in `drafts`, with their points; those without any
 * too. places: filled with the request's points. Returns how many. */
static size_t find_stretches(const struct driver_plan *plan, const struct plan_request *r,
                             struct place *places, struct draft *drafts)
{
    const enum point_space space = space_of(r->ask.function);
    const struct plan_item *items = plan->items + r->first;
    const struct plan_extra *extras = r->extra_count ? plan->extras + r->first_extra : NULL;
    size_t i = 0, e = 0, n = 0;

    while (i < r->count || e < r->extra_count) {
        const bool point = e == r->extra_count || (i < r->count && items[i].offset <= extras[e].offset);
        const uint32_t first = r->ask.address + (uint32_t)(point ? items[i].offset : extras[e].offset);
        const uint32_t end = first + (point ? plan->ways[items[i].way].words : 1u);

        if (n == 0 || first > drafts[n - 1].end)
            drafts[n++] = (struct draft){.space = space, .first = first, .end = end, .place = i};
        else if (end > drafts[n - 1].end)
            drafts[n - 1].end = end;
        if (point) {
            places[i] =
                (struct place){.space = space, .first = first, .end = end, .item = plan->ways[items[i].way]};
            places[i].item.point = items[i].point;
            drafts[n - 1].count++;
            i++;
        } else {
            e++;
        }
    }
    return n;
}

/* A plan of the same device, with room for the same items, and no requests. */
static struct driver_plan *plan_shell(const struct driver_plan *plan)
{
    struct driver_plan *shell = calloc(1, sizeof *shell);

    if (!shell)
        return NULL;
    shell->room = plan->room;
    shell->gap = plan->gap;
    shell->register_count = plan->register_count;
    shell->gate_count = plan->gate_count;
    shell->items = calloc(plan->item_count + 1, sizeof *shell->items);
    shell->ways = calloc(plan->way_count + 1, sizeof *shell->ways);
    shell->registers = calloc(plan->register_count + 1, sizeof *shell->registers);
    shell->by_address = calloc(plan->register_count + 1, sizeof *shell->by_address);
    if (!shell->items || !shell->ways || !shell->registers || !shell->by_address) {
        plan_destroy(shell);
        return NULL;
    }
    memcpy(shell->ways, plan->ways,
           plan->way_count * sizeof *shell->ways); /* their words are its own later */
    shell->way_count = plan->way_count;
    memcpy(shell->registers, plan->registers, plan->register_count * sizeof *shell->registers);
    memcpy(shell->by_address, plan->by_address, plan->register_count * sizeof *shell->by_address);
    return shell;
}

/* The requests of plan into b's, the one divided into the drafts that hold points, and what it read beside
 * them where nothing before reads it: later requests may count on it. */
static enum rg_err fill_divided(struct builder *b, const struct driver_plan *plan, size_t request,
                                struct draft *drafts, size_t count)
{
    const struct plan_request *r = &plan->requests[request];
    enum rg_err err = RG_OK;
    size_t n = 0;

    for (size_t i = 0; err == RG_OK && i < request; i++)
        err = builder_copy(b, plan, i);
    for (size_t i = 0; i < count; i++) {
        if (drafts[i].count > 0)
            drafts[n++] = drafts[i];
    }
    if (err == RG_OK)
        err = builder_arrange(b, drafts, n);
    if (err == RG_OK && r->extra_count > 0)
        err = builder_add_registers(b, plan->extras + r->first_extra, r->extra_count);
    for (size_t i = request + 1; err == RG_OK && i < plan->request_count; i++)
        err = builder_copy(b, plan, i);
    return err;
}

enum rg_err plan_divide(const struct driver_plan *plan, size_t request, struct driver_plan **out)
{
    const struct plan_request *r = &plan->requests[request];
    struct place *places = calloc(r->count + 1, sizeof *places);
    struct draft *drafts = calloc(r->count + r->extra_count + 1, sizeof *drafts);
    struct driver_plan *copy = plan_shell(plan);
    enum rg_err err = places && drafts && copy ? RG_OK : RG_ENOMEM;
    size_t count = 0;
    struct builder b = {.plan = copy};

    *out = NULL;
    if (err == RG_OK)
        count = find_stretches(plan, r, places, drafts);
    if (err == RG_OK && count < 2)
        err = RG_ENOTFOUND;
    if (err == RG_OK)
        err = builder_begin(&b, copy, places, &r->ask, 0);
    if (err == RG_OK)
        err = fill_divided(&b, plan, request, drafts, count);
    builder_end(&b);
    if (err == RG_OK)
        err = own_words(copy);
    free(places);
    free(drafts);
    if (err == RG_OK)
        *out = copy;
    else
        plan_destroy(copy);
    return err;
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
