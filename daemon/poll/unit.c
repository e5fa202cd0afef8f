/* The life of a unit. */
#include <stdlib.h>

#include "poll/bus.h"

/* However its requests are divided: one a point, one a gate, one a register of decimals. */
static size_t most_requests(const struct site *site, const struct site_device *device)
{
    size_t most = device->point_count + device->gate_count;

    for (uint32_t i = 0; i < device->point_count; i++)
        most += site->points[device->first_point + i].has_decimals ? 1 : 0;
    return most;
}

static enum rg_err unit_plan(struct unit *u, const struct bus_context *context,
                             const struct health_limits *limits)
{
    const struct site *site = context->site;
    const struct site_device *d = u->device;

    u->plan_first = d->first_point;
    enum rg_err err =
        context->driver->plan(d, &site->points[d->first_point], d->point_count, u->plan_first, &u->plan);
    if (err == RG_OK && context->driver->memory_create)
        err = context->driver->memory_create(d, u->plan, &u->memory);
    if (err == RG_OK)
        err = requests_init(&u->requests, context->driver->plan_requests(u->plan), most_requests(site, d),
                            limits);
    return err;
}

enum rg_err unit_create(const struct bus_context *context, uint32_t index, struct unit **out)
{
    const struct site *site = context->site;
    struct unit *u = calloc(1, sizeof(*u));

    *out = u;
    if (u == NULL)
        return RG_ENOMEM;
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
    return unit_plan(u, context, &limits);
}

void unit_destroy(struct unit *u, const struct driver *driver)
{
    if (u == NULL)
        return;
    requests_destroy(&u->requests);
    if (u->memory != NULL)
        driver->memory_destroy(u->memory);
    if (u->whole != NULL)
        driver->plan_destroy(u->whole);
    if (u->plan != NULL)
        driver->plan_destroy(u->plan);
    free(u);
}
