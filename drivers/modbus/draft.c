#include "drivers/modbus/draft.h"

#include <stdlib.h>
#include <string.h>

#define PASSES 8     /* over requests that wait for another one's registers */
#define WAYS_BACK 16 /* ways of decoding that a point's is compared with */

static uint8_t function_of(enum point_space space)
{
    static const uint8_t functions[] = {
        [SPACE_COIL] = 1, [SPACE_DISCRETE] = 2, [SPACE_INPUT] = 4, [SPACE_HOLDING] = 3};

    return functions[space];
}

uint32_t draft_limit(const struct driver_plan *plan, enum point_space space)
{
    if (space == SPACE_INPUT || space == SPACE_HOLDING || plan->room == 1)
        return plan->room;
    return 16 * plan->room; /* 125 registers are as long as 2000 bits */
}

bool draft_holds(const struct draft *d, const struct site_register *at)
{
    return at->space == d->space && at->address >= d->first && at->address < d->end;
}

enum rg_err builder_begin(struct builder *b, struct driver_plan *plan, const struct place *places,
                          const struct ask *pattern, uint32_t gap)
{
    *b = (struct builder){
        .plan = plan, .places = places, .pattern = *pattern, .gap = gap, .way_room = plan->way_count};
    b->read = calloc(plan->register_count + 1, sizeof *b->read);
    return b->read ? RG_OK : RG_ENOMEM;
}

void builder_end(struct builder *b)
{
    free(b->read);
    b->read = NULL;
}

/* ---- one request ---- */

/* One more element after count. */
static void *grown(void *array, size_t count, size_t *room, size_t size)
{
    const size_t more = *room ? 2 * *room : 8;
    void *larger;

    if (count < *room)
        return array;
    larger = realloc(array, more * size);
    if (larger)
        *room = more;
    return larger;
}

static struct plan_request *add_request(struct builder *b)
{
    struct driver_plan *plan = b->plan;
    struct plan_request *r = grown(plan->requests, plan->request_count, &b->request_room, sizeof *r);

    if (!r)
        return NULL;
    plan->requests = r;
    r += plan->request_count++;
    *r =
        (struct plan_request){.ask = b->pattern, .first = plan->item_count, .first_extra = plan->extra_count};
    return r;
}

static enum rg_err add_extra(struct builder *b, struct plan_request *r, uint32_t reg, uint16_t offset)
{
    struct driver_plan *plan = b->plan;
    struct plan_extra *extras = grown(plan->extras, plan->extra_count, &b->extra_room, sizeof *extras);

    if (!extras)
        return RG_ENOMEM;
    plan->extras = extras;
    extras[plan->extra_count++] = (struct plan_extra){.reg = reg, .offset = offset};
    r->extra_count++;
    b->read[reg] = true;
    return RG_OK;
}

/* The first place in by_address at or behind the draft's first address. */
static size_t lower_bound(const struct driver_plan *plan, const struct draft *d)
{
    size_t low = 0, high = plan->register_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct site_register *at = &plan->registers[plan->by_address[middle]];

        if (at->space < d->space || (at->space == d->space && at->address < d->first))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same way as that of one of the last points, for points of one kind lie together; or another one. */
static bool find_way(struct builder *b, const struct codec_point *item, uint32_t *index)
{
    struct driver_plan *plan = b->plan;
    struct codec_point way;

    memcpy(&way, item, sizeof way); /* with what lies between its members, which codec_prepare zeroed */
    way.point = 0;
    way.offset = 0;
    for (size_t i = plan->way_count; i > 0 && i + WAYS_BACK > plan->way_count; i--) {
        const struct codec_point *known = &plan->ways[i - 1];

        /* Whole, so that no member is forgotten: what lies between them may only make two of one. */
        if (memcmp(known, &way, sizeof way) == 0) { /* NOLINT(bugprone-suspicious-memory-comparison) */
            *index = (uint32_t)i - 1;
            return true;
        }
    }
    if (plan->way_count >= b->way_room) {
        const size_t room = plan->way_count + plan->way_count / 2 + 1;
        struct codec_point *grown = realloc(plan->ways, room * sizeof *grown);

        if (!grown)
            return false;
        plan->ways = grown;
        b->way_room = room;
    }
    *index = (uint32_t)plan->way_count;
    memcpy(&plan->ways[plan->way_count++], &way, sizeof way);
    return true;
}

/* The draft as a request. It reads every register that lies within it, whoever needs it. */
static enum rg_err add_draft(struct builder *b, const struct draft *d)
{
    struct driver_plan *plan = b->plan;
    struct plan_request *r = add_request(b);

    if (!r)
        return RG_ENOMEM;
    r->ask.function = function_of(d->space);
    r->ask.address = (uint16_t)d->first;
    r->ask.count = (uint16_t)(d->end - d->first);
    for (size_t i = d->place; i < d->place + d->count; i++) {
        struct plan_item *item = &plan->items[plan->item_count];

        if (!find_way(b, &b->places[i].item, &item->way))
            return RG_ENOMEM;
        item->point = b->places[i].item.point;
        item->offset = (uint16_t)(b->places[i].first - d->first);
        plan->item_count++;
        r->count++;
    }
    for (size_t i = lower_bound(plan, d); i < plan->register_count; i++) {
        const uint32_t reg = plan->by_address[i];
        enum rg_err err;

        if (!draft_holds(d, &plan->registers[reg]))
            break;
        err = add_extra(b, r, reg, (uint16_t)(plan->registers[reg].address - d->first));
        if (err)
            return err;
    }
    return RG_OK;
}

enum rg_err builder_copy(struct builder *b, const struct driver_plan *from, size_t request)
{
    const struct plan_request *old = &from->requests[request];
    struct plan_request *r = add_request(b);

    if (!r)
        return RG_ENOMEM;
    r->ask = old->ask;
    r->count = old->count;
    memcpy(b->plan->items + b->plan->item_count, from->items + old->first, old->count * sizeof *from->items);
    b->plan->item_count += old->count;
    for (size_t i = old->first_extra; i < old->first_extra + old->extra_count; i++) {
        const enum rg_err err = add_extra(b, r, from->extras[i].reg, from->extras[i].offset);

        if (err)
            return err;
    }
    return RG_OK;
}

/* ---- what is needed ---- */

/* What an unread register is to a request of registers only. */
enum want {
    WANT_NOT,
    WANT_IF_NEAR, /* somebody needs it later: read now when it lies near */
    WANT_NOW,
};

/* Raises `want` of all registers that decide on the draft's points, are not in it and not read yet; with want
 * NULL only says whether there are any. */
static bool lacks(const struct builder *b, const struct draft *d, enum want *want, enum want level)
{
    const struct driver_plan *plan = b->plan;
    bool some = false;

    /* First the gates, which decide on all points, then the decimals of each. */
    for (size_t i = 0; i < plan->gate_count + d->count; i++) {
        uint32_t reg = (uint32_t)i;

        if (i >= plan->gate_count)
            reg = b->places[d->place + (i - plan->gate_count)].item.decimals;
        if (reg == CODEC_NO_DECIMALS || b->read[reg] || draft_holds(d, &plan->registers[reg]))
            continue;
        some = true;
        if (!want)
            break;
        if (want[reg] < level)
            want[reg] = level;
    }
    return some;
}

/* Requests for the registers wanted now, with those near them that are wanted later. */
static enum rg_err add_wanted(struct builder *b, const enum want *want)
{
    const struct driver_plan *plan = b->plan;
    size_t i = 0;

    while (i < plan->register_count) {
        const struct site_register *at = &plan->registers[plan->by_address[i]];
        struct draft d = {.space = at->space, .first = at->address, .end = at->address + 1u};
        enum want most = want[plan->by_address[i++]];

        if (most == WANT_NOT)
            continue;
        for (; i < plan->register_count; i++) {
            const enum want next = want[plan->by_address[i]];

            at = &plan->registers[plan->by_address[i]];
            if (at->space != d.space)
                break;
            if (next == WANT_NOT)
                continue;
            if (at->address > d.end + b->gap || at->address + 1u - d.first > draft_limit(plan, d.space))
                break;
            d.end = at->address + 1u;
            most = next > most ? next : most;
        }
        if (most == WANT_NOW) {
            const enum rg_err err = add_draft(b, &d);

            if (err)
                return err;
        }
    }
    return RG_OK;
}

enum rg_err builder_add_registers(struct builder *b, const struct plan_extra *registers, size_t count)
{
    enum want *want = calloc(b->plan->register_count + 1, sizeof *want);
    enum rg_err err;

    if (!want)
        return RG_ENOMEM;
    for (size_t i = 0; i < count; i++)
        want[registers[i].reg] = b->read[registers[i].reg] ? WANT_NOT : WANT_NOW;
    err = add_wanted(b, want);
    free(want);
    return err;
}

/* What draft i lacks, and near it what those behind it lack. */
static enum rg_err add_lacking(struct builder *b, const struct draft *drafts, size_t count, size_t i)
{
    enum want *want = calloc(b->plan->register_count + 1, sizeof *want);
    enum rg_err err;

    if (!want)
        return RG_ENOMEM;
    (void)lacks(b, &drafts[i], want, WANT_NOW);
    /* Singles have nothing near them: looking would cost the square of their number. */
    for (size_t k = i + 1; b->plan->room > 1 && k < count; k++) {
        if (!drafts[k].done)
            (void)lacks(b, &drafts[k], want, WANT_IF_NEAR);
    }
    err = add_wanted(b, want);
    free(want);
    return err;
}

/* ---- the order ---- */

/* Those that lack nothing any more. */
static enum rg_err add_ready(struct builder *b, struct draft *drafts, size_t count, bool *progress)
{
    *progress = false;
    for (size_t i = 0; i < count; i++) {
        enum rg_err err;

        if (drafts[i].done || lacks(b, &drafts[i], NULL, WANT_NOT))
            continue;
        err = add_draft(b, &drafts[i]);
        if (err)
            return err;
        drafts[i].done = true;
        *progress = true;
    }
    return RG_OK;
}

enum rg_err builder_arrange(struct builder *b, struct draft *drafts, size_t count)
{
    bool progress = true;

    for (int pass = 0; progress && pass < PASSES; pass++) {
        const enum rg_err err = add_ready(b, drafts, count, &progress);

        if (err)
            return err;
    }
    /* The rest wait for each other, or for what lies in no request over values. */
    for (size_t i = 0; i < count; i++) {
        enum rg_err err = RG_OK;

        if (drafts[i].done)
            continue;
        if (lacks(b, &drafts[i], NULL, WANT_NOT))
            err = add_lacking(b, drafts, count, i);
        if (!err)
            err = add_draft(b, &drafts[i]);
        if (err)
            return err;
        drafts[i].done = true;
    }
    return RG_OK;
}
