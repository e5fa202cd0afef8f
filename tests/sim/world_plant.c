/* The plant as a driver: every device does as planned, and what it was asked is written down. */
#include <stdio.h>
#include <stdlib.h>

#include "drivers/driver.h"
#include "world.h"

struct driver_plan {
    uint32_t device;
    uint32_t first_point;
    size_t count;
    unsigned points[WORLD_POINTS];
};

struct driver_link {
    uint32_t bus;
    uint32_t run;
    bool cancelled;
};

/* The driver's table has no room for a context. */
static struct world *current;

void world_plant_begin(struct world *w)
{
    current = w;
}

static const struct world_window *window_at(const struct world_windows *list, int64_t mono_ms)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (list->windows[middle].to_ms <= mono_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->windows[low].from_ms <= mono_ms ? &list->windows[low] : NULL;
}

double world_value(const struct world *w, unsigned device, unsigned point, int64_t mono_ms)
{
    static const double quiet[WORLD_RULED] = {5, 0, 10};
    const struct world_window *e = NULL;

    if (point >= WORLD_RULED)
        return (double)(mono_ms / WORLD_MINUTE % 100) / 2 + point;
    e = window_at(&w->devices[device].excursions[point], mono_ms);
    return e ? e->value : quiet[point];
}

static unsigned number_after(const char *name, char letter)
{
    unsigned n = 0;

    if (name[0] != letter || sscanf(name + 1, "%u", &n) != 1)
        abort();
    return n;
}

static enum rg_err plan(const struct site_device *device, const struct site_point *points, size_t count,
                        uint32_t first_point, struct driver_plan **out)
{
    struct driver_plan *p = calloc(1, sizeof *p);

    *out = p;
    if (!p)
        return RG_ENOMEM;
    p->device = number_after(device->name, 'd');
    p->first_point = first_point;
    p->count = count;
    for (size_t i = 0; i < count; i++)
        p->points[i] = number_after(points[i].name, 'p');
    return RG_OK;
}

static void plan_destroy(struct driver_plan *p)
{
    free(p);
}

static size_t plan_requests(const struct driver_plan *p)
{
    (void)p;
    return 1;
}

static size_t plan_points(const struct driver_plan *p, size_t request)
{
    (void)request;
    return p->count;
}

static void plan_bytes(const struct driver_plan *p, size_t request, enum bus_kind kind, size_t *sent,
                       size_t *received)
{
    (void)request;
    (void)kind;
    *sent = 12;
    *received = 9 + 2 * p->count;
}

static enum rg_err link_create(const struct site_bus *bus, struct driver_link **out)
{
    struct driver_link *link = calloc(1, sizeof *link);

    *out = link;
    if (!link)
        return RG_ENOMEM;
    link->bus = number_after(bus->name, 'b');
    link->run = ++current->runs;
    return RG_OK;
}

static void link_cancel(struct driver_link *link)
{
    link->cancelled = true;
}

static void link_destroy(struct driver_link *link)
{
    free(link);
}

static enum world_fault fault_of(const struct world *w, const struct driver_link *link, uint32_t device,
                                 int64_t now_ms)
{
    const struct world_window *bus = window_at(&w->bus_faults[link->bus], now_ms);
    const struct world_window *own = window_at(&w->devices[device].faults, now_ms);

    if (link->cancelled)
        return WORLD_BROKEN;
    if (bus)
        return bus->fault;
    return own ? own->fault : WORLD_FINE;
}

static enum driver_result result_of(enum world_fault fault)
{
    switch (fault) {
    case WORLD_EXCEPTION:
        return DRIVER_EXCEPTION;
    case WORLD_MALFORMED:
        return DRIVER_MALFORMED;
    case WORLD_SILENT:
        return DRIVER_SILENT;
    case WORLD_BROKEN:
        return DRIVER_BROKEN;
    case WORLD_UNREACHABLE:
        return DRIVER_UNREACHABLE;
    case WORLD_FINE:
    case WORLD_SENSOR:
        break;
    }
    return DRIVER_OK;
}

static enum quality quality_of(enum world_fault fault)
{
    if (fault == WORLD_FINE)
        return QUALITY_GOOD;
    if (fault == WORLD_SENSOR)
        return QUALITY_SENSOR;
    return fault == WORLD_EXCEPTION ? QUALITY_DEVICE : QUALITY_COMM;
}

static void write_down(struct world *w, uint32_t device, struct world_poll poll)
{
    struct world_device *d = &w->devices[device];

    WORLD_CHECK(w, d->poll_count < d->poll_capacity, "d%u was asked more often than there is room for",
                (unsigned)device);
    d->polls[d->poll_count++] = poll;
}

/* Its time passes on the bus; returns when it has ended. */
static int64_t occupy(struct world *w, const struct driver_link *link, enum world_fault fault,
                      int64_t timeout_ms)
{
    if (loop_mono_ms(w->loop) < w->bus_ended_ms[link->bus])
        w->overlaps++;
    virtual_loop_spend(w->loop, fault == WORLD_SILENT ? timeout_ms : w->takes_ms);
    w->bus_ended_ms[link->bus] = loop_mono_ms(w->loop);
    return w->bus_ended_ms[link->bus];
}

static void transact(struct driver_link *link, const struct driver_ask *ask, struct driver_answer *answer)
{
    const struct driver_plan *p = ask->plan;
    const size_t request = ask->request;
    struct world *w = current;
    struct world_poll poll = {.begun_ms = loop_mono_ms(w->loop), .run = link->run, .life = w->lives};
    enum world_fault fault = fault_of(w, link, p->device, poll.begun_ms);

    (void)request;
    poll.ended_ms = occupy(w, link, fault, ask->timeout_ms);
    answer->result = result_of(fault);
    answer->exception = fault == WORLD_EXCEPTION ? 2 : 0;
    (void)snprintf(answer->detail, sizeof answer->detail, "%s",
                   answer->result == DRIVER_OK ? "" : "as planned");
    answer->count = p->count;
    for (size_t i = 0; i < p->count; i++) {
        struct sample *s = &answer->samples[i];

        *s = (struct sample){.point = p->first_point + (uint32_t)i, .quality = quality_of(fault)};
        if (s->quality == QUALITY_GOOD)
            s->value = world_value(w, p->device, p->points[i], poll.ended_ms);
    }
    poll.heard = answer->result == DRIVER_OK;
    poll.good = fault == WORLD_FINE;
    poll.sensor = fault == WORLD_SENSOR;
    poll.broken = fault == WORLD_BROKEN || fault == WORLD_UNREACHABLE;
    write_down(w, p->device, poll);
}

/* Unit u is device d(u-1); its coils keep what is written. Beside them there is nothing to read or write. */
static void raw(struct driver_link *link, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    struct world *w = current;
    const unsigned device = ask->unit - 1u;
    const bool there = device < w->plan.devices && device % w->plan.buses == link->bus;
    const enum world_fault fault = there ? fault_of(w, link, device, loop_mono_ms(w->loop)) : WORLD_SILENT;

    (void)occupy(w, link, fault, ask->timeout_ms);
    *answer = (struct driver_raw_answer){.result = result_of(fault)};
    if (answer->result == DRIVER_OK && (ask->space != SPACE_COIL || ask->address + ask->count > WORLD_COILS))
        answer->result = DRIVER_EXCEPTION;
    if (answer->result == DRIVER_EXCEPTION)
        answer->exception = 2;
    (void)snprintf(answer->detail, sizeof answer->detail, "%s",
                   answer->result == DRIVER_OK ? "" : "as planned");
    if (answer->result != DRIVER_OK)
        return;
    answer->count = ask->write ? 0 : ask->count;
    for (unsigned i = 0; i < ask->count; i++) {
        bool *coil = &w->devices[device].coils[ask->address + i];

        if (ask->write)
            *coil = ask->values[i] != 0;
        else
            answer->values[i] = *coil;
    }
}

const struct driver world_driver = {
    .name = "world",
    .plan = plan,
    .plan_destroy = plan_destroy,
    .plan_requests = plan_requests,
    .plan_points = plan_points,
    .plan_bytes = plan_bytes,
    .link_create = link_create,
    .transact = transact,
    .raw = raw,
    .link_cancel = link_cancel,
    .link_destroy = link_destroy,
};
