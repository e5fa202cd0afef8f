#include "poll/poll.h"

#include <stdlib.h>

#include "poll/bus.h"

struct poll {
    struct bus_context context;
    struct unit *units; /* by device index */
    struct bus *buses;  /* by bus index */
};

/* However its requests are divided: one a point, one a gate, one a register of decimals. */
static size_t most_requests(const struct site *site, const struct site_device *device)
{
    size_t most = device->point_count + device->gate_count;

    for (uint32_t i = 0; i < device->point_count; i++)
        most += site->points[device->first_point + i].has_decimals ? 1 : 0;
    return most;
}

static enum rg_err unit_init(struct unit *u, const struct bus_context *context, uint32_t index)
{
    const struct site *site = context->site;

    *u = (struct unit){
        .device = &site->devices[index],
        .index = index,
        .begun_ms = -1,
        .told_ms = BUS_TOLD_NEVER,
        .broke_at = BUS_NEVER_BROKE,
        .asked_ms = SCHEDULE_NEVER,
    };
    if (u->device->derived)
        return RG_OK; /* never asked */
    if (u->device->poll_ms <= 0 || u->device->bus >= site->bus_count)
        return RG_EINVAL;
    const struct health_limits limits = health_limits_of(u->device);

    unit_health_init(&u->health, &limits);
    if (u->device->trigger.enabled && context->driver->raw == NULL)
        return RG_EUNSUPPORTED;
    if (u->device->point_count == 0)
        return RG_OK; /* nothing to ask of it */
    enum rg_err err = context->driver->plan(u->device, &site->points[u->device->first_point],
                                            u->device->point_count, u->device->first_point, &u->plan);
    if (err == RG_OK && context->driver->memory_create)
        err = context->driver->memory_create(u->device, u->plan, &u->memory);
    if (err == RG_OK)
        err = requests_init(&u->requests, context->driver->plan_requests(u->plan),
                            most_requests(site, u->device), &limits);
    return err;
}

static void unit_destroy(struct unit *u, const struct driver *driver)
{
    requests_destroy(&u->requests);
    if (u->memory != NULL)
        driver->memory_destroy(u->memory);
    if (u->whole != NULL)
        driver->plan_destroy(u->whole);
    if (u->plan != NULL)
        driver->plan_destroy(u->plan);
}

static enum rg_err poll_build(struct poll *p, uint64_t seed)
{
    const struct site *site = p->context.site;
    struct rg_random seeds;
    enum rg_err err = RG_OK;

    p->units = calloc(site->device_count + 1, sizeof(struct unit));
    p->buses = calloc(site->bus_count + 1, sizeof(struct bus));
    if (p->units == NULL || p->buses == NULL)
        return RG_ENOMEM;
    for (uint32_t i = 0; err == RG_OK && i < site->device_count; i++)
        err = unit_init(&p->units[i], &p->context, i);
    random_seed(&seeds, seed);
    for (uint32_t i = 0; err == RG_OK && i < site->bus_count; i++)
        err = bus_init(&p->buses[i], &p->context, i, p->units, random_next(&seeds));
    return err;
}

enum rg_err poll_create(struct loop *loop, const struct site *site, const struct driver *driver,
                        const struct poll_cbs *cbs, void *arg, uint64_t seed, struct poll **out)
{
    struct poll *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (p == NULL)
        return RG_ENOMEM;
    p->context = (struct bus_context){
        .loop = loop, .site = site, .driver = driver, .cbs = *cbs, .arg = arg, .booted_ms = BUS_BOOTED_NOW};
    enum rg_err err = poll_build(p, seed);
    if (err != RG_OK) {
        poll_destroy(p);
        return err;
    }
    *out = p;
    return RG_OK;
}

void poll_booted(struct poll *p, int64_t mono_ms)
{
    p->context.booted_ms = mono_ms;
}

void poll_start(struct poll *p)
{
    if (p->context.booted_ms == BUS_BOOTED_NOW)
        p->context.booted_ms = loop_mono_ms(p->context.loop);
    for (size_t i = 0; i < p->context.site->bus_count; i++)
        bus_start(&p->buses[i]);
}

void poll_destroy(struct poll *p)
{
    if (p == NULL)
        return;
    const struct site *site = p->context.site;
    /* All are told to stop before any is waited for: the end takes as long as the slowest, not as long as
     * all. */
    for (size_t i = 0; p->buses != NULL && i < site->bus_count; i++)
        bus_cancel(&p->buses[i]);
    for (size_t i = 0; p->buses != NULL && i < site->bus_count; i++)
        bus_destroy(&p->buses[i]);
    for (size_t i = 0; p->units != NULL && i < site->device_count; i++)
        unit_destroy(&p->units[i], p->context.driver);
    free(p->buses);
    free(p->units);
    free(p);
}

static bool errand_fits(const struct site_bus *bus, const struct driver_raw *ask)
{
    const bool bits = ask->space == SPACE_COIL || ask->space == SPACE_DISCRETE;
    const unsigned most = ask->write ? DRIVER_RAW_WRITE_MAX : DRIVER_RAW_READ_MAX;

    if (ask->count == 0 || ask->count > most || ask->address + ask->count > 65536)
        return false;
    if (ask->write)
        return ask->space == SPACE_COIL || ask->space == SPACE_HOLDING;
    return (bits || ask->space == SPACE_INPUT || ask->space == SPACE_HOLDING) &&
           (ask->unit != 0 || bus->kind == BUS_TCP);
}

enum rg_err poll_errand(struct poll *p, const struct poll_errand *errand)
{
    const struct site *site = p->context.site;
    struct poll_errand e = *errand;

    if (p->context.driver->raw == NULL)
        return RG_EUNSUPPORTED;
    if (e.bus >= site->bus_count)
        return RG_ENOTFOUND;
    if (!errand_fits(&site->buses[e.bus], &e.ask))
        return RG_EINVAL;
    if (e.ask.timeout_ms <= 0)
        e.ask.timeout_ms = site->buses[e.bus].timeout_ms;
    for (size_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];

        if (!d->derived && d->bus == e.bus && d->unit == e.ask.unit && d->gap_ms > e.ask.gap_ms)
            e.ask.gap_ms = d->gap_ms;
    }
    return bus_errand(&p->buses[e.bus], &e);
}

enum rg_err poll_now(struct poll *p, uint32_t device)
{
    if (device >= p->context.site->device_count)
        return RG_ENOTFOUND;
    const struct unit *u = &p->units[device];
    if (u->requests.count == 0)
        return RG_EUNSUPPORTED;
    return bus_now(&p->buses[u->device->bus], device);
}

void poll_device_stats(const struct poll *p, uint32_t device, struct poll_device_stats *out)
{
    *out = (struct poll_device_stats){.state = UNIT_UNKNOWN};
    if (device >= p->context.site->device_count)
        return;
    const struct unit *u = &p->units[device];
    *out = u->stats;
    out->state = u->health.state;
    out->left_out = (uint32_t)u->requests.left_out;
    out->soft = u->health.soft;
    out->misses = u->health.silent;
    out->recent = u->health.known;
    out->recent_answered = unit_health_answered(&u->health);
    out->silent_wall_ms = u->health.silent > 0 ? u->silent_wall_ms : 0;
    if (u->health.state == UNIT_SUSPENDED && u->health.probe_at_ms > loop_mono_ms(p->context.loop))
        out->next_probe_ms = u->health.probe_at_ms - loop_mono_ms(p->context.loop);
}

double poll_bus_load(struct poll *p, uint32_t bus, int64_t *window_us)
{
    *window_us = 0;
    if (bus >= p->context.site->bus_count || !p->buses[bus].started)
        return 0;
    return meter_share(&p->buses[bus].meter, loop_mono_us(p->context.loop), window_us);
}

int64_t poll_standing_ms(const struct poll *p, uint32_t *bus)
{
    const int64_t now_ms = loop_mono_ms(p->context.loop);
    int64_t longest_ms = 0;

    *bus = SITE_NONE;
    for (uint32_t i = 0; i < p->context.site->bus_count; i++) {
        const int64_t ms = bus_standing_ms(&p->buses[i], now_ms);

        if (ms > longest_ms) {
            longest_ms = ms;
            *bus = i;
        }
    }
    return longest_ms;
}

void poll_bus_stats(struct poll *p, uint32_t bus, struct poll_bus_stats *out)
{
    *out = (struct poll_bus_stats){.state = BUS_IDLE};
    if (bus >= p->context.site->bus_count)
        return;
    struct bus *b = &p->buses[bus];
    *out = b->stats;
    out->state = b->health.state;
    durations_percentiles(&b->durations, &out->p50_us, &out->p99_us);
    out->load = poll_bus_load(p, bus, &out->load_window_us);
}
