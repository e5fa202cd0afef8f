/* A poll in the place of another: what did not change goes over as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "poll/poll_inside.h"
#include "poll/same.h"

/* ---- before: everything that can fail ---- */

static const char *name_of_bus(const struct site *site, size_t i)
{
    return site->buses[i].name;
}

static const char *name_of_device(const struct site *site, size_t i)
{
    return site->devices[i].name;
}

/* For each of count in `now`, which one of before_count in `before` has its name, or SITE_NONE. */
static enum rg_err match(const struct site *before, size_t before_count, const struct site *now, size_t count,
                         const char *(*name)(const struct site *site, size_t i), uint32_t *was)
{
    struct hash_index *names;
    enum rg_err err = hash_index_create(before_count, &names);

    if (err != RG_OK)
        return err;
    for (size_t i = 0; err == RG_OK && i < before_count; i++) {
        err = hash_index_add(names, name(before, i), (uint32_t)i, NULL);
        if (err == RG_EEXIST)
            err = RG_OK; /* cannot be; if it is, the first one counts */
    }
    for (size_t i = 0; err == RG_OK && i < count; i++)
        if (hash_index_find(names, name(now, i), &was[i]) != RG_OK)
            was[i] = SITE_NONE;
    hash_index_destroy(names);
    return err;
}

/* None of before goes on as two. */
static void once(uint32_t *was, size_t count, uint32_t *now)
{
    for (size_t i = 0; i < count; i++) {
        if (was[i] == SITE_NONE)
            continue;
        if (now[was[i]] == SITE_NONE)
            now[was[i]] = (uint32_t)i;
        else
            was[i] = SITE_NONE;
    }
}

static enum rg_err match_buses(struct poll *p)
{
    const struct site *before = p->from->context.site, *now = p->context.site;
    uint32_t *bus_now = calloc(before->bus_count + 1, sizeof(*bus_now));
    enum rg_err err = RG_ENOMEM;

    if (bus_now != NULL)
        err = match(before, before->bus_count, now, now->bus_count, name_of_bus, p->bus_was);
    if (err == RG_OK) {
        for (size_t i = 0; i < before->bus_count; i++)
            bus_now[i] = SITE_NONE;
        for (size_t i = 0; i < now->bus_count; i++)
            if (p->bus_was[i] != SITE_NONE && !same_bus(&before->buses[p->bus_was[i]], &now->buses[i]))
                p->bus_was[i] = SITE_NONE;
        once(p->bus_was, now->bus_count, bus_now);
    }
    free(bus_now);
    return err;
}

/* On a bus that goes on. */
static bool goes_on(const struct poll *p, uint32_t was, uint32_t is)
{
    const struct site *before = p->from->context.site, *now = p->context.site;
    const struct site_device *x = &before->devices[was], *y = &now->devices[is];

    return same_device(before, x, now, y) && y->bus < now->bus_count && p->bus_was[y->bus] == x->bus;
}

static enum rg_err match_devices(struct poll *p)
{
    const struct site *before = p->from->context.site, *now = p->context.site;
    enum rg_err err =
        match(before, before->device_count, now, now->device_count, name_of_device, p->device_was);

    if (err != RG_OK)
        return err;
    for (size_t i = 0; i < before->device_count; i++)
        p->device_now[i] = SITE_NONE;
    for (uint32_t i = 0; i < now->device_count; i++)
        if (p->device_was[i] != SITE_NONE && !goes_on(p, p->device_was[i], i))
            p->device_was[i] = SITE_NONE;
    once(p->device_was, now->device_count, p->device_now);
    return RG_OK;
}

enum rg_err poll_match(struct poll *p, struct poll *from)
{
    const struct site *site = p->context.site;

    p->from = from;
    p->before_count = from->context.site->device_count;
    p->next_bus_id = from->next_bus_id;
    p->bus_was = calloc(site->bus_count + 1, sizeof(*p->bus_was));
    p->device_was = calloc(site->device_count + 1, sizeof(*p->device_was));
    p->device_now = calloc(p->before_count + 1, sizeof(*p->device_now));
    p->rooms = calloc(site->bus_count + 1, sizeof(*p->rooms));
    if (p->bus_was == NULL || p->device_was == NULL || p->device_now == NULL || p->rooms == NULL)
        return RG_ENOMEM;
    enum rg_err err = match_buses(p);
    if (err == RG_OK)
        err = match_devices(p);
    return err;
}

void poll_follow_free(struct poll *p)
{
    for (size_t i = 0; p->rooms != NULL && i < p->context.site->bus_count; i++)
        bus_room_destroy(&p->rooms[i]);
    free(p->rooms);
    free(p->bus_was);
    free(p->device_was);
    free(p->device_now);
    p->rooms = NULL;
    p->bus_was = p->device_was = p->device_now = NULL;
}

/* ---- the take-over, which cannot fail ---- */

/* The thread may still work by its plan: it is its bus's now. */
static void disown(struct poll *old, const struct unit *u)
{
    if (u != NULL)
        old->units[u->index] = NULL;
}

static void take_buses(struct poll *p, struct poll *old)
{
    for (size_t i = 0; i < p->context.site->bus_count; i++) {
        const uint32_t was = p->bus_was[i];

        if (was == SITE_NONE)
            continue;
        disown(old, bus_follow(p->buses[i], &p->context, (uint32_t)i, &p->rooms[i]));
        old->buses[was] = NULL;
    }
    p->leaving = old->leaving;
    old->leaving = NULL;
    for (struct bus *b = p->leaving; b != NULL; b = b->next)
        b->context = &p->context;
    for (size_t i = 0; i < old->context.site->bus_count; i++) {
        struct bus *b = old->buses[i];

        if (b == NULL)
            continue;
        old->buses[i] = NULL;
        disown(old, bus_leave(b, &p->context));
        b->next = p->leaving;
        p->leaving = b;
    }
}

static void take_units(struct poll *p, struct poll *old)
{
    const struct site *site = p->context.site;

    for (size_t i = 0; i < site->device_count; i++) {
        const uint32_t was = p->device_was[i];

        if (was == SITE_NONE)
            continue;
        old->units[was] = NULL;
        p->units[i]->device = &site->devices[i];
        p->units[i]->index = (uint32_t)i;
    }
}

/* A line, or a device that takes one connection, is let go of before it is asked for again. */
static bool is_awaited(const struct poll *p, const struct bus *b)
{
    for (const struct bus *l = p->leaving; l != NULL; l = l->next)
        if (l->end == b->end)
            return true;
    return false;
}

void poll_take(struct poll *p)
{
    struct poll *old = p->from;

    p->from = NULL;
    p->context.booted_ms = old->context.booted_ms;
    take_buses(p, old);
    take_units(p, old);
    for (size_t i = 0; i < p->context.site->bus_count; i++)
        if (p->bus_was[i] == SITE_NONE) /* one that goes on may be held from before */
            p->buses[i]->held = is_awaited(p, p->buses[i]);
    poll_destroy(old);
    free(p->rooms); /* all are empty now */
    free(p->bus_was);
    free(p->device_was);
    p->rooms = NULL;
    p->bus_was = p->device_was = NULL;
}

void poll_bus_left(struct poll *p, struct bus *b)
{
    struct bus **at = &p->leaving;

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    bus_destroy(b);
    for (size_t i = 0; i < p->context.site->bus_count; i++)
        if (p->buses[i]->held && !is_awaited(p, p->buses[i]))
            bus_let_go(p->buses[i]);
}

uint32_t poll_device_now(const struct poll *p, uint32_t before)
{
    return p->device_now != NULL && before < p->before_count ? p->device_now[before] : SITE_NONE;
}
