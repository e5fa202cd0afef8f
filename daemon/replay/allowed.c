#include "replay/allowed.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void allowed_free(struct allowed *a)
{
    free(a->permits);
    *a = (struct allowed){0};
}

static uint32_t find(const struct site *site, const char *name)
{
    for (uint32_t i = 0; i < site->permit_count; i++) {
        if (strcmp(site->permits[i].name, name) == 0)
            return i;
    }
    return SITE_NONE;
}

static bool keep(struct allowed *a, const char *name, int64_t until_ms)
{
    struct allowed_permit *grown;

    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->permits[i].name, name) == 0) {
            a->permits[i].until_ms = until_ms;
            return true;
        }
    }
    grown = realloc(a->permits, (a->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    a->permits = grown;
    grown[a->count].until_ms = until_ms;
    (void)text_copy(grown[a->count++].name, sizeof grown->name, name);
    return true;
}

bool allowed_note(struct allowed *a, const struct json *note, struct moment at, const struct site *site,
                  struct rules *r)
{
    const char *command = json_string(json_get(note, "command"));
    const char *name = json_string(json_get(note, "permit"));
    int64_t for_ms = json_int(json_get(note, "for_ms"), 0);

    if (!command || strcmp(command, "permit") != 0 || !name || strlen(name) > TEXT_ID_MAX)
        return true;
    if (r)
        rules_permit(r, find(site, name), for_ms > 0 ? at.mono_ms + for_ms : INT64_MIN, at);
    return keep(a, name, json_int(json_get(note, "until"), 0));
}

void allowed_restore(const struct allowed *a, const struct site *site, struct rules *r, struct moment now)
{
    for (size_t i = 0; i < a->count; i++) {
        uint32_t permit = find(site, a->permits[i].name);
        int64_t left = a->permits[i].until_ms - now.wall_ms;

        if (permit == SITE_NONE || left <= 0)
            continue;
        if (left > site->permits[permit].max_ms)
            left = site->permits[permit].max_ms; /* as the daemon does, whose clock may have been set back */
        rules_permit(r, permit, now.mono_ms + left, now);
    }
}
