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

uint32_t engine_device(const struct rules *r, uint32_t owner)
{
    uint32_t index;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        return r->site->points[r->watched[index].point].device;
    case OWNER_OUTPUT:
        return r->site->outputs[index].device;
    case OWNER_DEVICE:
        break;
    }
    return index;
}

uint32_t engine_area(const struct rules *r, uint32_t owner)
{
    uint32_t index;

    if (engine_kind(r, owner, &index) == OWNER_OUTPUT && r->site->outputs[index].area != SITE_NONE)
        return r->site->outputs[index].area;
    return r->site->devices[engine_device(r, owner)].area;
}
