#include "model/site_order.h"

#include <string.h>

size_t site_operand_count(const struct site_point *point)
{
    if (point->derived)
        return point->derived->operand_count;
    if (!point->convert)
        return 0;
    return (point->convert->has_temperature ? 1u : 0u) + (point->convert->has_barometer ? 1u : 0u);
}

const struct site_operand *site_operand(const struct site_point *point, size_t index)
{
    if (point->derived)
        return &point->derived->operands[index];
    return index == 0 && point->convert->has_temperature ? &point->convert->temperature
                                                         : &point->convert->barometer;
}

/* One more than the highest below it. */
static uint32_t level_of(const struct site_point *point, const uint32_t *level)
{
    size_t count = site_operand_count(point);
    uint32_t highest = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t below = site_operand(point, i)->point;

        if (below != SITE_NONE && level[below] + 1 > highest)
            highest = level[below] + 1;
    }
    return highest;
}

enum rg_err site_order(const struct site *site, uint32_t *level)
{
    bool changed = true;

    memset(level, 0, site->point_count * sizeof *level);
    for (unsigned pass = 0; changed && pass < SITE_DEPTH_MAX + 2; pass++) {
        changed = false;
        for (size_t i = 0; i < site->point_count; i++) {
            uint32_t now = level_of(&site->points[i], level);

            changed = changed || now != level[i];
            level[i] = now;
        }
    }
    for (size_t i = 0; i < site->point_count; i++) {
        if (level[i] > SITE_DEPTH_MAX)
            return RG_EINVAL;
    }
    return RG_OK;
}

static int64_t slowest(const struct site_derived *derived, const int64_t *poll)
{
    int64_t longest = 0;

    for (size_t i = 0; i < derived->operand_count; i++) {
        uint32_t point = derived->operands[i].point;

        if (point != SITE_NONE && poll[point] > longest)
            longest = poll[point];
    }
    return longest;
}

void site_polls(const struct site *site, int64_t *poll)
{
    bool changed = true;

    for (size_t i = 0; i < site->point_count; i++)
        poll[i] = site->points[i].derived ? 0 : site->devices[site->points[i].device].poll_ms;
    for (unsigned pass = 0; changed && pass <= SITE_DEPTH_MAX; pass++) {
        changed = false;
        for (size_t i = 0; i < site->point_count; i++) {
            int64_t now = site->points[i].derived ? slowest(site->points[i].derived, poll) : poll[i];

            changed = changed || now != poll[i];
            poll[i] = now;
        }
    }
}
