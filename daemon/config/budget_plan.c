#include "config/budget_plan.h"

#include <stdlib.h>

#define SPACE_SHIFT 17
#define REGISTERS_MAX 125u /* of one request; 16 bits are as long as one of them */
#define NOWHERE UINT32_MAX

/* What one point takes of an address space. */
struct stretch {
    uint32_t begin, end;
    uint32_t decimals; /* the register that holds them, or NOWHERE */
};

/* What there is of one device. */
struct parts {
    const struct site_device *device;
    struct stretch *points;
    size_t point_count;
    uint32_t *gates; /* [device->gate_count] */
    uint32_t *rest;  /* room for all gates and decimals */
    struct budget_request *requests;
    size_t count;
};

static uint32_t place(enum point_space space, uint16_t address)
{
    return (uint32_t)space << SPACE_SHIFT | address;
}

static bool is_bits(uint32_t begin)
{
    return begin >> SPACE_SHIFT <= SPACE_DISCRETE;
}

bool budget_request_is_bits(const struct budget_request *r)
{
    return is_bits(r->begin);
}

/* Of those that begin together the longest first, as drivers sort them. */
static int by_begin(const void *left, const void *right)
{
    const struct stretch *a = left;
    const struct stretch *b = right;

    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return a->end > b->end ? -1 : a->end < b->end;
}

static int by_place(const void *left, const void *right)
{
    const uint32_t *a = left;
    const uint32_t *b = right;

    return *a < *b ? -1 : *a > *b;
}

/* Addresses that one request may span. */
static uint32_t longest_of(const struct site_device *d, uint32_t begin)
{
    const uint32_t registers = d->max_registers < REGISTERS_MAX ? d->max_registers : REGISTERS_MAX;

    if (registers <= 1)
        return 1;
    return is_bits(begin) ? 16 * registers : registers;
}

static void list_parts(const struct site *site, struct parts *p)
{
    const struct site_device *d = p->device;

    for (uint32_t i = 0; i < d->point_count; i++) {
        const struct site_point *point = &site->points[d->first_point + i];
        const uint32_t begin = place(point->space, point->address);

        if (point->space == SPACE_DERIVED)
            continue;
        p->points[p->point_count++] = (struct stretch){
            .begin = begin,
            .end = begin + point_type_words(point->type),
            .decimals = point->has_decimals ? place(point->decimals.space, point->decimals.address) : NOWHERE,
        };
    }
    for (size_t i = 0; i < d->gate_count; i++)
        p->gates[i] = place(d->gates[i].at.space, d->gates[i].at.address);
    qsort(p->points, p->point_count, sizeof *p->points, by_begin);
}

static bool joins(const struct site_device *d, const struct budget_request *r, const struct stretch *s)
{
    if (s->end <= r->end)
        return true; /* read already */
    return s->begin <= r->end + d->max_gap && s->end - r->begin <= longest_of(d, r->begin);
}

/* Neighbours are read together. */
static void join_points(struct parts *p)
{
    for (size_t i = 0; i < p->point_count; i++) {
        const struct stretch *s = &p->points[i];

        if (p->count == 0 || !joins(p->device, &p->requests[p->count - 1], s))
            p->requests[p->count++] = (struct budget_request){.begin = s->begin, .end = s->end, .first = i};

        struct budget_request *r = &p->requests[p->count - 1];
        r->count++;
        r->end = s->end > r->end ? s->end : r->end;
    }
}

static bool grow(const struct site_device *d, struct budget_request *r, uint32_t begin, uint32_t end)
{
    begin = begin < r->begin ? begin : r->begin;
    end = end > r->end ? end : r->end;
    if (begin == r->begin && end == r->end)
        return true;
    if (begin >> SPACE_SHIFT != (end - 1) >> SPACE_SHIFT || end - begin > longest_of(d, begin))
        return false;
    r->begin = begin;
    r->end = end;
    return true;
}

/* A request takes in the registers that decide on its points, where they fit; those that have grown into each other
 * become one. */
static void take_registers(struct parts *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++) {
        struct budget_request *r = &p->requests[i];

        for (size_t g = 0; g < p->device->gate_count; g++)
            (void)grow(p->device, r, p->gates[g], p->gates[g] + 1);
        for (size_t k = r->first; k < r->first + r->count; k++)
            if (p->points[k].decimals != NOWHERE)
                (void)grow(p->device, r, p->points[k].decimals, p->points[k].decimals + 1);
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct budget_request r = p->requests[i];
        struct budget_request *last = n > 0 ? &p->requests[n - 1] : NULL;

        if (last && r.begin <= last->end + p->device->max_gap && last->begin <= r.end + p->device->max_gap &&
            grow(p->device, last, r.begin, r.end))
            last->count += r.count;
        else
            p->requests[n++] = r;
    }
    p->count = n;
}

static bool is_read(const struct parts *p, size_t requests, uint32_t at)
{
    for (size_t i = 0; i < requests; i++)
        if (at >= p->requests[i].begin && at < p->requests[i].end)
            return true;
    return false;
}

/* What no request took in is read by itself. */
static void read_rest(struct parts *p)
{
    const size_t taken = p->count;
    size_t n = 0;

    for (size_t g = 0; taken > 0 && g < p->device->gate_count; g++)
        if (!is_read(p, taken, p->gates[g]))
            p->rest[n++] = p->gates[g];
    for (size_t i = 0; i < p->point_count; i++)
        if (p->points[i].decimals != NOWHERE && !is_read(p, taken, p->points[i].decimals))
            p->rest[n++] = p->points[i].decimals;
    qsort(p->rest, n, sizeof *p->rest, by_place);
    for (size_t i = 0; i < n; i++) {
        struct budget_request *r = p->count > taken ? &p->requests[p->count - 1] : NULL;

        if (!r || p->rest[i] > r->end + p->device->max_gap || !grow(p->device, r, p->rest[i], p->rest[i] + 1))
            p->requests[p->count++] = (struct budget_request){.begin = p->rest[i], .end = p->rest[i] + 1};
    }
}

enum rg_err budget_plan(const struct site *site, const struct site_device *d, struct budget_request **out,
                        size_t *count)
{
    const size_t points = (size_t)d->point_count + 1;
    const size_t registers = d->gate_count + points;
    struct parts p = {
        .device = d,
        .points = calloc(points, sizeof *p.points),
        .gates = calloc(registers, sizeof *p.gates),
        .rest = calloc(registers, sizeof *p.rest),
        .requests = calloc(points + registers, sizeof *p.requests),
    };
    enum rg_err err = RG_ENOMEM;

    *out = NULL;
    *count = 0;
    if (p.points && p.gates && p.rest && p.requests) {
        list_parts(site, &p);
        join_points(&p);
        take_registers(&p);
        read_rest(&p);
        *out = p.requests;
        *count = p.count;
        err = RG_OK;
    } else {
        free(p.requests);
    }
    free(p.points);
    free(p.gates);
    free(p.rest);
    return err;
}
