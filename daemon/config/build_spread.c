/* buses with `spread`: their devices of one period take turns over it, in the order in which they are written. */
#include <stdlib.h>

#include "config/build.h"

/* One device that is to be spread. */
struct turn {
    uint32_t bus, device;
    int64_t poll_ms;
    int64_t part; /* which of the parts of the period is its own */
};

static bool is_together(const struct turn *a, const struct turn *b)
{
    return a->bus == b->bus && a->poll_ms == b->poll_ms;
}

static int by_bus_and_period(const void *one, const void *other)
{
    const struct turn *a = one, *b = other;

    if (a->bus != b->bus)
        return a->bus < b->bus ? -1 : 1;
    if (a->poll_ms != b->poll_ms)
        return a->poll_ms < b->poll_ms ? -1 : 1;
    return a->device < b->device ? -1 : 1;
}

static void spread(struct site *site, struct turn *turns, uint32_t count)
{
    int64_t parts = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct site_trigger *own = &site->devices[turns[i].device].trigger;
        uint32_t with = own->broadcast ? 0 : i; /* most have none, and need no look at the others */

        /* A write to all units serves those that are due together. */
        while (with < i && !site_trigger_shared(own, &site->devices[turns[with].device].trigger))
            with++;
        turns[i].part = with < i ? turns[with].part : parts++;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct site_device *d = &site->devices[turns[i].device];

        d->spread = true;
        d->poll_offset_ms = turns[i].poll_ms * turns[i].part / parts;
    }
}

void build_spread(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_DEVICE];
    struct site *site = b->site;
    struct turn *turns = load_scratch(b->ld, site->device_count + 1, sizeof *turns);
    uint32_t count = 0;

    if (!turns)
        return;
    for (uint32_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];

        if (d->bus != SITE_NONE && site->buses[d->bus].spread && !node_get(entries->nodes[i], "poll_offset"))
            turns[count++] = (struct turn){.bus = d->bus, .device = i, .poll_ms = d->poll_ms};
    }
    qsort(turns, count, sizeof *turns, by_bus_and_period);
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && is_together(&turns[i], &turns[end]);)
            end++;
        spread(site, &turns[i], end - i);
    }
}
