#include "app/permits.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum rg_err permits_create(struct permits *p, const struct site *site)
{
    p->notes = calloc(site->permit_count + 1, sizeof *p->notes);
    return p->notes ? RG_OK : RG_ENOMEM;
}

void permits_destroy(struct permits *p)
{
    free(p->notes);
    *p = (struct permits){0};
}

uint32_t permits_find(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->permit_count; i++) {
        if (strcmp(site->permits[i].name, name) == 0)
            return i;
    }
    return SITE_NONE;
}

void permits_inherit(struct permits *p, const struct site *site, struct rules *rules,
                     const struct permits *from, const struct site *before, const struct rules *old,
                     struct moment now)
{
    for (uint32_t i = 0; i < before->permit_count; i++) {
        uint32_t permit = permits_find(site, before->permits[i].name);

        if (permit == SITE_NONE || rules_permit_until(old, i) == INT64_MIN)
            continue;
        p->notes[permit] = from->notes[i];
        rules_permit(rules, permit, rules_permit_until(old, i), now);
    }
}

void permits_restore(struct permits *p, const struct site *site, struct rules *rules,
                     const struct store_start *start, struct moment now)
{
    for (size_t i = 0; i < start->permit_count; i++) {
        const struct store_permit *was = &start->permits[i];
        uint32_t permit = permits_find(site, was->name);
        int64_t left = was->until_ms - now.wall_ms;

        if (permit == SITE_NONE || left <= 0)
            continue;
        if (left > site->permits[permit].max_ms)
            left = site->permits[permit].max_ms;
        (void)text_copy(p->notes[permit].by, sizeof p->notes[permit].by, was->by);
        p->notes[permit].opened_ms = was->opened_ms;
        rules_permit(rules, permit, now.mono_ms + left, now);
    }
}

void permits_note(struct permits *p, uint32_t permit, const char *by, struct moment now)
{
    /* Its length was looked at when the command came. */
    (void)text_copy(p->notes[permit].by, sizeof p->notes[permit].by, by);
    p->notes[permit].opened_ms = now.wall_ms;
}
