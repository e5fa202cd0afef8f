/* What goes on in new rules where nothing was changed: clocks of delays, dead-bands reached, the wait for silent devices. */
#include "rules/engine.h"

#include <string.h>

static bool same_levels(const double a[LEVEL_COUNT], const double b[LEVEL_COUNT])
{
    for (int i = 0; i < LEVEL_COUNT; i++) {
        if (!(a[i] == b[i])) /* infinite where there is none */
            return false;
    }
    return true;
}

static bool same_is(const struct site_rule *a, const struct site_rule *b)
{
    if (a->is_count != b->is_count)
        return false;
    for (size_t i = 0; i < a->is_count; i++) {
        if (a->is[i].value != b->is[i].value || a->is[i].level != b->is[i].level)
            return false;
    }
    return true;
}

static bool same_rule(const struct slot_rule *a, const struct slot_rule *b)
{
    return a->single == b->single && same_levels(a->above, b->above) && same_levels(a->below, b->below) &&
           same_levels(a->above_hold, b->above_hold) && same_levels(a->below_hold, b->below_hold) &&
           same_is(a->conf, b->conf) && a->conf->on_delay_ms == b->conf->on_delay_ms &&
           a->conf->off_delay_ms == b->conf->off_delay_ms;
}

/* The same unit at the end of the same line. */
static bool same_device(const struct site *a, uint32_t of_a, const struct site *b, uint32_t of_b)
{
    const struct site_device *x = &a->devices[of_a], *y = &b->devices[of_b];

    return x->unit == y->unit && strcmp(a->buses[x->bus].name, b->buses[y->bus].name) == 0;
}

/* A value means the same as before. */
static bool same_point(const struct site_point *a, const struct site_point *b)
{
    return a->space == b->space && a->address == b->address && a->type == b->type && a->order == b->order &&
           a->bit == b->bit && a->mask == b->mask && a->scaling.num == b->scaling.num &&
           a->scaling.add == b->scaling.add && a->scaling.den == b->scaling.den;
}

static const struct watched *find_watched(const struct rules *r, uint32_t point, const char *rule)
{
    for (uint32_t i = r->first[point]; i < r->first[point + 1]; i++) {
        if (strcmp(r->site->rules[r->watched[i].rule].name, rule) == 0)
            return &r->watched[i];
    }
    return NULL;
}

static void inherit_watched(struct rules *r, uint32_t owner, const struct rules *from)
{
    struct watched *w = &r->watched[owner];
    const struct site_point *point = &r->site->points[w->point];
    const struct watched *old;
    uint32_t index;

    if (hash_index_find(from->points_by_name, point->full_name, &index) != RG_OK)
        return;
    old = find_watched(from, index, r->site->rules[w->rule].name);
    /* Another level: its alarm was not restored, or this one was fed already. */
    if (!old || old->slot.level != w->slot.level || !same_rule(w->conf, old->conf) ||
        !same_point(point, &from->site->points[index]) ||
        !same_device(r->site, point->device, from->site, from->site->points[index].device))
        return;
    w->slot = old->slot;
    engine_schedule(r, owner);
}

static void inherit_silence(struct rules *r, uint32_t device, const struct rules *from)
{
    uint32_t index;

    if (hash_index_find(from->devices_by_name, r->site->devices[device].name, &index) != RG_OK ||
        from->offline[index].level != r->offline[device].level ||
        !same_device(r->site, device, from->site, index))
        return;
    r->offline[device].heard = from->offline[index].heard;
    r->offline[device].moved = from->offline[index].moved;
    engine_schedule(r, r->watched_count + device);
}

void rules_inherit(struct rules *r, const struct rules *from)
{
    if (!r->started || !from->started)
        return;
    for (uint32_t i = 0; i < r->watched_count; i++)
        inherit_watched(r, i, from);
    for (uint32_t i = 0; i < r->site->device_count; i++)
        inherit_silence(r, i, from);
}
