#include "app/live.h"

#include <stdlib.h>

enum rg_err live_create(struct live *live, const struct site *site)
{
    live->count = site->point_count;
    live->points = calloc(site->point_count ? site->point_count : 1, sizeof *live->points);
    if (!live->points)
        return RG_ENOMEM;
    for (size_t i = 0; i < live->count; i++)
        live->points[i].quality = QUALITY_STALE;
    return RG_OK;
}

void live_destroy(struct live *live)
{
    free(live->points);
    live->points = NULL;
    live->count = 0;
}

void live_inherit(struct live *live, const struct live *from, const uint32_t *was)
{
    for (size_t i = 0; i < live->count; i++) {
        if (was[i] != SITE_NONE)
            live->points[i] = from->points[was[i]];
    }
}

void live_note(struct live *live, const struct frame *frame)
{
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *s = &frame->samples[i];

        live->points[s->point] =
            (struct live_point){.quality = s->quality, .value = s->value, .wall_ms = frame->at.wall_ms};
    }
}
