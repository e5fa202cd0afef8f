/* What goes on in new rules where nothing was changed: clocks of delays, dead-bands reached, the wait for silent devices. */
#include "rules/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/site_same.h"

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

static bool same_limits(const struct condition_rule *a, const struct condition_rule *b)
{
    return a->single == b->single && same_levels(a->above, b->above) && same_levels(a->below, b->below) &&
           same_levels(a->above_hold, b->above_hold) && same_levels(a->below_hold, b->below_hold) &&
           same_is(a->conf, b->conf);
}

static bool same_delays(const struct slot_rule *a, const struct slot_rule *b)
{
    return a->on_delay_ms == b->on_delay_ms && a->off_delay_ms == b->off_delay_ms &&
           a->latch_from == b->latch_from;
}

static const struct watched *find_watched(const struct rules *r, uint32_t point, const char *rule)
{
    for (uint32_t i = r->first[point]; i < r->first[point + 1]; i++) {
        if (strcmp(r->site->rules[r->watched[i].rule].name, rule) == 0)
            return &r->watched[i];
    }
    return NULL;
}

/* point: the one of the old site that means the same. */
static void inherit_watched(struct rules *r, uint32_t owner, const struct rules *from, uint32_t point)
{
    struct watched *w = &r->watched[owner];
    const struct watched *old;

    if (point == SITE_NONE)
        return;
    old = find_watched(from, point, r->site->rules[w->rule].name);
    /* Another level: its alarm was not restored, or this one was fed already. */
    if (!old || old->slot.level != w->slot.level || !same_limits(&w->conf->limits, &old->conf->limits) ||
        !same_delays(&w->conf->delays, &old->conf->delays))
        return;
    w->condition = old->condition;
    w->slot = old->slot;
    engine_schedule(r, owner);
}

static void inherit_silence(struct rules *r, uint32_t device, const struct rules *from)
{
    uint32_t index;

    if (hash_index_find(from->devices_by_name, r->site->devices[device].name, &index) != RG_OK ||
        from->offline[index].level != r->offline[device].level ||
        !site_same_device(r->site, device, from->site, index))
        return;
    r->offline[device].heard = from->offline[index].heard;
    r->offline[device].moved = from->offline[index].moved;
    engine_schedule(r, engine_owner(r, OWNER_DEVICE, device));
}

/* The owner of the old engine that means the same, or ALARMS_NONE. points: for each point the one of the old site. */
static uint32_t find_old(const struct rules *r, uint32_t owner, const struct rules *from,
                         const uint32_t *points)
{
    const struct site *site = r->site;
    const struct watched *old;
    uint32_t index, found = SITE_NONE;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        if (points[r->watched[index].point] == SITE_NONE)
            return ALARMS_NONE;
        old = find_watched(from, points[r->watched[index].point], site->rules[r->watched[index].rule].name);
        return old ? (uint32_t)(old - from->watched) : ALARMS_NONE;
    case OWNER_DEVICE:
        if (hash_index_find(from->devices_by_name, site->devices[index].name, &found) != RG_OK)
            return ALARMS_NONE;
        return engine_owner(from, OWNER_DEVICE, found);
    case OWNER_OUTPUT:
        if (hash_index_find(from->outputs_by_name, site->outputs[index].name, &found) != RG_OK)
            return ALARMS_NONE;
        return engine_owner(from, OWNER_OUTPUT, found);
    }
    return ALARMS_NONE;
}

/* What has been counted so far, and the ends of what is shelved. */
static void inherit_life(struct rules *r, const struct rules *from, const uint32_t *points)
{
    for (uint32_t owner = 0; owner < r->owner_count; owner++) {
        uint32_t old = find_old(r, owner, from, points);

        if (old == ALARMS_NONE)
            continue;
        figures_inherit_owner(&r->figures, owner, &from->figures, old);
        if (r->open[owner] != ALARMS_NONE && from->open[old] != ALARMS_NONE)
            shelves_inherit(r, &r->alarms.pool[r->open[owner]], &from->alarms.pool[from->open[old]]);
    }
}

void rules_inherit(struct rules *r, const struct rules *from)
{
    uint32_t *before;

    if (!r->started || !from->started)
        return;
    before = calloc(r->site->point_count + 1, sizeof *before);
    /* Without the memory for that no delay is taken over: each begins anew with what was restored. */
    if (before && site_same_points(r->site, from->site, before) == RG_OK) {
        for (uint32_t i = 0; i < r->watched_count; i++)
            inherit_watched(r, i, from, before[r->watched[i].point]);
        inherit_life(r, from, before);
    }
    free(before);
    figures_inherit(&r->figures, &from->figures);
    for (uint32_t i = 0; i < r->site->device_count; i++)
        inherit_silence(r, i, from);
}
