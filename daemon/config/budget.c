#include "config/budget.h"

#include <stdlib.h>

#include "config/budget_plan.h"

#define TURNAROUND_MS 20.0
#define TCP_MS 5.0
#define REQUEST_CHARS 8u /* unit, function, address, count, CRC */
#define ANSWER_CHARS 5u  /* unit, function, length, CRC */
#define WRITE_CHARS 8u   /* of one coil or register, and of its answer: unit, function, address, value, CRC */
#define SILENCE_CHARS 3.5
#define SILENCE_FAST_MS 1.75
#define SILENCE_FAST_BAUD 19200u
/* After a broadcast the units carry it out, and nobody is asked (Modbus over serial line V1.02, 2.4.1: 100 to 200 ms). */
#define BROADCAST_MS 200.0

/* One request and its answer, in characters of a serial line. */
static double request_ms(const struct site_bus *bus, const struct site_device *d, unsigned chars)
{
    double ms = (double)(d->gap_ms > bus->gap_ms ? d->gap_ms : bus->gap_ms);
    double character;

    if (bus->kind != BUS_RTU)
        ms += TCP_MS;
    if (bus->kind == BUS_TCP)
        return ms;
    ms += TURNAROUND_MS;
    if (bus->baud == 0)
        return ms;
    character = (9.0 + (bus->parity != PARITY_NONE) + bus->stop_bits) * 1000 / bus->baud;
    ms += chars * character;
    return ms + 2 * (bus->baud > SILENCE_FAST_BAUD ? SILENCE_FAST_MS : SILENCE_CHARS * character);
}

static double trigger_ms(const struct site_bus *bus, const struct site_device *d)
{
    if (!d->trigger.enabled)
        return 0;
    if (d->trigger.broadcast && bus->kind != BUS_TCP)
        return request_ms(bus, d, WRITE_CHARS) - TURNAROUND_MS + BROADCAST_MS;
    return request_ms(bus, d, 2 * WRITE_CHARS);
}

enum rg_err budget_device(const struct site *site, uint32_t device, struct budget_device *out)
{
    const struct site_device *d = &site->devices[device];
    struct budget_request *requests;
    size_t count;
    enum rg_err err;

    *out = (struct budget_device){.requests = 0};
    if (d->bus == SITE_NONE)
        return RG_OK; /* worked out on the gateway: it costs no bus anything */
    err = budget_plan(site, d, &requests, &count);
    if (err != RG_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        const unsigned length = requests[i].end - requests[i].begin;
        const unsigned data = budget_request_is_bits(&requests[i]) ? (length + 7) / 8 : 2 * length;

        out->requests++;
        out->data_bytes += data;
        out->requests_ms += request_ms(&site->buses[d->bus], d, REQUEST_CHARS + ANSWER_CHARS + data);
    }
    if (count > 0)
        out->trigger_ms = trigger_ms(&site->buses[d->bus], d);
    free(requests);
    return RG_OK;
}

/* Another device before this one, of the same instants, whose broadcast serves it too. */
static bool is_served(const struct site *site, uint32_t device)
{
    const struct site_device *d = &site->devices[device];

    for (uint32_t i = 0; d->trigger.enabled && d->trigger.broadcast && i < device; i++) {
        const struct site_device *o = &site->devices[i];

        if (o->bus == d->bus && o->poll_ms == d->poll_ms && o->poll_offset_ms == d->poll_offset_ms &&
            site_trigger_shared(&o->trigger, &d->trigger))
            return true;
    }
    return false;
}

double budget_share(const struct site *site, uint32_t device, const struct budget_device *of)
{
    const double trigger = is_served(site, device) ? 0 : of->trigger_ms;

    return (of->requests_ms + trigger) / (double)site->devices[device].poll_ms;
}

static int by_instants(const void *one, const void *other)
{
    const struct budget_instants *a = one, *b = other;

    if (a->poll_ms != b->poll_ms)
        return a->poll_ms < b->poll_ms ? -1 : 1;
    return a->poll_offset_ms < b->poll_offset_ms ? -1 : a->poll_offset_ms > b->poll_offset_ms;
}

enum rg_err budget_instants(const struct site *site, struct budget_instants *out)
{
    struct budget_instants *each = calloc(site->device_count + 1, sizeof *each);
    size_t count = 0;

    *out = (struct budget_instants){.devices = 0};
    if (!each)
        return RG_ENOMEM;
    for (size_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];

        if (d->bus != SITE_NONE && d->point_count > 0)
            each[count++] = (struct budget_instants){1, d->poll_ms, d->poll_offset_ms};
    }
    qsort(each, count, sizeof *each, by_instants);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_instants(&each[i - 1], &each[i]) == 0)
            each[i].devices += each[i - 1].devices;
        if (each[i].devices > out->devices)
            *out = each[i];
    }
    free(each);
    return RG_OK;
}
