/* Who keeps an alarm: its kind, its device, its area. */
#include "rules/engine.h"

enum engine_kind engine_kind(const struct rules *r, uint32_t owner, uint32_t *index)
{
    int kind = OWNER_WATCHED;

    while (kind + 1 < OWNER_KINDS && owner >= r->base[kind + 1])
        kind++;
    *index = owner - r->base[kind];
    return (enum engine_kind)kind;
}

uint32_t engine_owner(const struct rules *r, enum engine_kind kind, uint32_t index)
{
    return r->base[kind] + index;
}

uint32_t engine_slot_owner(const struct rules *r, uint32_t watched)
{
    uint32_t vote = watched_vote(r, watched);

    return vote != SITE_NONE ? engine_owner(r, OWNER_VOTE, vote) : watched;
}

struct slot *engine_slot(struct rules *r, uint32_t owner, const struct slot_rule **rule)
{
    struct watched *w;
    uint32_t index;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        w = watched_state(r, index);
        if (!w)
            break;
        *rule = &w->conf->delays;
        return &w->slot;
    case OWNER_VOTE:
        *rule = &r->votes[index].conf->delays;
        return &r->votes[index].slot;
    case OWNER_DEVICE:
    case OWNER_OUTPUT:
    case OWNER_UPLINK:
    case OWNER_DOUBT:
        break;
    }
    return NULL;
}

uint32_t engine_device(const struct rules *r, uint32_t owner)
{
    uint32_t index;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        return r->site->points[watched_point(r, index)].device;
    case OWNER_OUTPUT:
        return r->site->outputs[index].device;
    case OWNER_VOTE:
        return r->site->points[r->site->rules[r->votes[index].rule].points[0]].device;
    case OWNER_DOUBT:
        return r->site->points[doubts_point(&r->doubts, index)].device;
    case OWNER_UPLINK:
        return SITE_NONE;
    case OWNER_DEVICE:
        break;
    }
    return index;
}

uint32_t engine_area(const struct rules *r, uint32_t owner)
{
    uint32_t index, device;
    enum engine_kind kind = engine_kind(r, owner, &index);

    if (kind == OWNER_VOTE)
        return r->votes[index].area;
    if (kind == OWNER_OUTPUT && r->site->outputs[index].area != SITE_NONE)
        return r->site->outputs[index].area;
    device = engine_device(r, owner);
    return device == SITE_NONE ? SITE_NONE : r->site->devices[device].area;
}

void rules_owner_name(const struct rules *r, uint32_t owner, const char **rule, const char **point)
{
    const struct site *site = r->site;
    uint32_t index;

    *rule = *point = "";
    if (owner >= r->owner_count)
        return;
    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        *rule = site->rules[watched_rule(r, index)].name;
        *point = site->points[watched_point(r, index)].full_name;
        break;
    case OWNER_DEVICE:
        *rule = RULE_OFFLINE;
        *point = site->devices[index].name;
        break;
    case OWNER_OUTPUT:
        *rule = RULE_OUTPUT;
        *point = site->outputs[index].name;
        break;
    case OWNER_VOTE:
        *rule = site->rules[r->votes[index].rule].name;
        break;
    case OWNER_UPLINK:
        *rule = RULE_SELF_TEST;
        *point = site->uplinks[index].name;
        break;
    case OWNER_DOUBT:
        *rule = RULE_DOUBT;
        *point = site->points[doubts_point(&r->doubts, index)].full_name;
        break;
    }
}
