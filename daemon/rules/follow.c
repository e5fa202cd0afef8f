#include "rules/follow.h"

#include <stdlib.h>

enum rg_err follow_create(struct follow *f, const struct site *site)
{
    f->site = site;
    f->outputs = calloc(site->output_count ? site->output_count : 1, sizeof *f->outputs);
    return f->outputs ? RG_OK : RG_ENOMEM;
}

void follow_destroy(struct follow *f)
{
    free(f->outputs);
    *f = (struct follow){0};
}

static bool follows(const struct site *site, const struct site_output *output,
                    const struct follow_origin *origin)
{
    if (origin->module == output->device)
        return false;
    if (output->rule != SITE_NONE)
        return output->rule == origin->rule;
    for (uint32_t area = origin->area; area < site->area_count; area = site->areas[area].parent) {
        if (area == output->area)
            return true;
    }
    return false;
}

void follow_move(struct follow *f, const struct follow_origin *origin, enum level was, enum level now,
                 bool told)
{
    for (size_t i = 0; i < f->site->output_count; i++) {
        const struct site_output *output = &f->site->outputs[i];
        struct follow_output *o = &f->outputs[i];

        if (!follows(f->site, output, origin))
            continue;
        if (was != LEVEL_NONE)
            o->active[was]--;
        if (now != LEVEL_NONE)
            o->active[now]++;
        if (told && now > was && now >= output->from)
            o->announced++;
    }
}

enum level follow_level(const struct follow *f, uint32_t output, uint64_t *announced)
{
    const struct follow_output *o;

    if (announced)
        *announced = 0;
    if (output >= f->site->output_count)
        return LEVEL_NONE;
    o = &f->outputs[output];
    if (announced)
        *announced = o->announced;
    for (enum level level = LEVEL_RED; level > LEVEL_NONE; level--) {
        if (o->active[level] > 0)
            return level;
    }
    return LEVEL_NONE;
}
