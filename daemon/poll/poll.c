#include "poll/poll.h"

#include <stdlib.h>

#include "poll/poll_inside.h"

/* What goes on is borrowed; everything else is made. */
static enum rg_err build_units(struct poll *p)
{
    enum rg_err err = RG_OK;

    for (uint32_t i = 0; err == RG_OK && i < p->context.site->device_count; i++) {
        if (p->from != NULL && p->device_was[i] != SITE_NONE)
            p->units[i] = p->from->units[p->device_was[i]];
        else
            err = unit_create(&p->context, i, &p->units[i]);
    }
    return err;
}

static enum rg_err build_buses(struct poll *p, uint64_t seed)
{
    struct rg_random seeds;
    enum rg_err err = RG_OK;

    random_seed(&seeds, seed);
    for (uint32_t i = 0; err == RG_OK && i < p->context.site->bus_count; i++) {
        const uint64_t own = random_next(&seeds);

        if (p->from == NULL || p->bus_was[i] == SITE_NONE) {
            err = bus_create(&p->context, i, ++p->next_bus_id, p->units, own, &p->buses[i]);
        } else {
            p->buses[i] = p->from->buses[p->bus_was[i]];
            err = bus_room_create(&p->rooms[i], &p->context, i, p->units);
        }
    }
    return err;
}

static enum rg_err build(struct poll *p, struct poll *from, uint64_t seed)
{
    const struct site *site = p->context.site;
    enum rg_err err = RG_OK;

    p->units = calloc(site->device_count + 1, sizeof(struct unit *));
    p->buses = calloc(site->bus_count + 1, sizeof(struct bus *));
    if (p->units == NULL || p->buses == NULL)
        return RG_ENOMEM;
    if (from != NULL)
        err = poll_match(p, from);
    if (err == RG_OK)
        err = build_units(p);
    if (err == RG_OK)
        err = build_buses(p, seed);
    return err;
}

static enum rg_err create(const struct bus_context *context, struct poll *from, uint64_t seed,
                          struct poll **out)
{
    struct poll *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (p == NULL)
        return RG_ENOMEM;
    p->context = *context;
    p->context.owner = p;
    enum rg_err err = build(p, from, seed);
    if (err != RG_OK) {
        poll_destroy(p);
        return err;
    }
    *out = p;
    return RG_OK;
}

enum rg_err poll_create(struct loop *loop, const struct site *site, const struct driver *driver,
                        const struct poll_cbs *cbs, void *arg, uint64_t seed, struct poll **out)
{
    const struct bus_context context = {
        .loop = loop, .site = site, .driver = driver, .cbs = *cbs, .arg = arg, .booted_ms = BUS_BOOTED_NOW};

    return create(&context, NULL, seed, out);
}

enum rg_err poll_create_from(struct poll *old, const struct site *site, uint64_t seed, struct poll **out)
{
    struct bus_context context = old->context;

    context.site = site;
    return create(&context, old, seed, out);
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
        bus_start(p->buses[i]);
}

static void give_back(struct poll *p)
{
    const struct site *site = p->context.site;

    for (size_t i = 0; p->buses != NULL && p->bus_was != NULL && i < site->bus_count; i++)
        if (p->buses[i] != NULL && p->bus_was[i] != SITE_NONE)
            p->buses[i] = NULL;
    for (size_t i = 0; p->units != NULL && p->device_was != NULL && i < site->device_count; i++)
        if (p->units[i] != NULL && p->device_was[i] != SITE_NONE)
            p->units[i] = NULL;
}

void poll_destroy(struct poll *p)
{
    if (p == NULL)
        return;
    const struct site *site = p->context.site;

    if (p->from != NULL)
        give_back(p);
    /* All are told to stop before any is waited for: the end takes as long as the slowest, not as long as
     * all. */
    for (size_t i = 0; p->buses != NULL && i < site->bus_count; i++)
        if (p->buses[i] != NULL)
            bus_cancel(p->buses[i]);
    while (p->leaving != NULL) { /* were told long ago */
        struct bus *b = p->leaving;

        p->leaving = b->next;
        bus_destroy(b);
    }
    for (size_t i = 0; p->buses != NULL && i < site->bus_count; i++)
        bus_destroy(p->buses[i]);
    for (size_t i = 0; p->units != NULL && i < site->device_count; i++)
        unit_destroy(p->units[i], p->context.driver);
    poll_follow_free(p);
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
    return bus_errand(p->buses[e.bus], &e);
}

uint64_t poll_bus_id(const struct poll *p, uint32_t bus)
{
    return bus < p->context.site->bus_count ? p->buses[bus]->id : 0;
}

bool poll_errand_pass(struct poll *p, uint32_t bus, poll_done_cb done, const void *from, void *to)
{
    return bus < p->context.site->bus_count && carry_pass(p->buses[bus], done, from, to);
}

void poll_errand_drop(struct poll *p, poll_done_cb done, const void *arg)
{
    for (size_t i = 0; i < p->context.site->bus_count; i++)
        if (carry_drop(p->buses[i], done, arg))
            return;
    for (struct bus *b = p->leaving; b != NULL; b = b->next)
        if (carry_drop(b, done, arg))
            return;
}

enum rg_err poll_now(struct poll *p, uint32_t device)
{
    if (device >= p->context.site->device_count)
        return RG_ENOTFOUND;
    const struct unit *u = p->units[device];
    if (u->requests.count == 0)
        return RG_EUNSUPPORTED;
    return bus_now(p->buses[u->device->bus], device);
}

void poll_give_way(struct poll *p)
{
    const int64_t now_ms = loop_mono_ms(p->context.loop);

    if (now_ms - p->context.way_until_ms >= POLL_WAY_AGAIN_MS - POLL_WAY_MS)
        p->context.way_until_ms = now_ms + POLL_WAY_MS;
}

void poll_device_stats(const struct poll *p, uint32_t device, struct poll_device_stats *out)
{
    *out = (struct poll_device_stats){.state = UNIT_UNKNOWN};
    if (device >= p->context.site->device_count)
        return;
    const struct unit *u = p->units[device];
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
    if (bus >= p->context.site->bus_count || !p->buses[bus]->started)
        return 0;
    return meter_share(&p->buses[bus]->meter, loop_mono_us(p->context.loop), window_us);
}

int64_t poll_standing_ms(const struct poll *p, uint32_t *bus)
{
    const int64_t now_ms = loop_mono_ms(p->context.loop);
    int64_t longest_ms = 0;

    *bus = SITE_NONE;
    for (uint32_t i = 0; i < p->context.site->bus_count; i++) {
        const int64_t ms = bus_standing_ms(p->buses[i], now_ms);

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
    struct bus *b = p->buses[bus];
    *out = b->stats;
    out->state = b->health.state;
    durations_percentiles(&b->durations, &out->p50_us, &out->p99_us);
    out->load = poll_bus_load(p, bus, &out->load_window_us);
}
