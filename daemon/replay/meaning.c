#include "replay/meaning.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/text.h"
#include "model/site_order.h"

struct meaning {
    const struct site *site;
    struct hash_index *points; /* by full name */
    bool *lost;                /* [point_count] */
};

static bool is_one_of(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(key, keys[i]) == 0)
            return true;
    }
    return false;
}

static bool of_point(const char *key)
{
    static const char *const keys[] = {"read", "bits", "decimals_from", "scaling"};
    static const char *const parts[] = {"convert", "derived"};

    for (size_t i = 0; i < RG_COUNT(parts); i++) {
        size_t length = strlen(parts[i]);

        if (strncmp(key, parts[i], length) == 0 && (key[length] == '\0' || key[length] == '.'))
            return true;
    }
    return is_one_of(key, keys, RG_COUNT(keys));
}

static bool of_device(const char *key)
{
    static const char *const keys[] = {"bus", "unit"};

    return is_one_of(key, keys, RG_COUNT(keys));
}

static const char *after(const char *what, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(what, prefix, length) == 0 ? what + length : NULL;
}

/* Behind a name; a device's and a point's own have no dots. */
static const char *dot_behind(const char *rest, unsigned dots)
{
    const char *dot = strchr(rest, '.');

    while (dot && --dots > 0)
        dot = strchr(dot + 1, '.');
    return dot;
}

bool meaning_key(const char *what)
{
    const char *rest, *dot;

    if ((rest = after(what, "point.")) != NULL)
        return (dot = dot_behind(rest, 2)) != NULL && of_point(dot + 1);
    if ((rest = after(what, "device.")) != NULL)
        return (dot = dot_behind(rest, 1)) != NULL && of_device(dot + 1);
    return false;
}

enum rg_err meaning_create(const struct site *site, struct meaning **out)
{
    struct meaning *m = calloc(1, sizeof *m);
    enum rg_err err = RG_ENOMEM;

    *out = NULL;
    if (!m)
        return err;
    m->site = site;
    m->lost = calloc(site->point_count + 1, sizeof *m->lost);
    if (m->lost)
        err = hash_index_create(site->point_count, &m->points);
    for (uint32_t i = 0; err == RG_OK && i < site->point_count; i++)
        err = hash_index_add(m->points, site->points[i].full_name, i, NULL);
    if (err != RG_OK) {
        meaning_destroy(m);
        return err;
    }
    *out = m;
    return RG_OK;
}

void meaning_destroy(struct meaning *m)
{
    if (!m)
        return;
    hash_index_destroy(m->points);
    free(m->lost);
    free(m);
}

static void note_point(struct meaning *m, const char *rest)
{
    const char *dot = dot_behind(rest, 2);
    char name[POINT_NAME_MAX];
    uint32_t index;

    if (!dot || !of_point(dot + 1) || (size_t)(dot - rest) >= sizeof name)
        return;
    memcpy(name, rest, (size_t)(dot - rest));
    name[dot - rest] = '\0';
    if (hash_index_find(m->points, name, &index) == RG_OK)
        m->lost[index] = true;
}

static void note_device(struct meaning *m, const char *rest)
{
    const char *dot = dot_behind(rest, 1);

    if (!dot || !of_device(dot + 1))
        return;
    for (size_t i = 0; i < m->site->device_count; i++) {
        const struct site_device *d = &m->site->devices[i];

        if (strlen(d->name) != (size_t)(dot - rest) || strncmp(d->name, rest, (size_t)(dot - rest)) != 0)
            continue;
        for (uint32_t k = 0; k < d->point_count; k++)
            m->lost[d->first_point + k] = true;
    }
}

void meaning_note(struct meaning *m, const char *what)
{
    const char *rest;

    if ((rest = after(what, "point.")) != NULL)
        note_point(m, rest);
    else if ((rest = after(what, "device.")) != NULL)
        note_device(m, rest);
}

bool meaning_note_event(struct meaning *m, const struct json *event)
{
    bool noted = false;

    if (!json_bool(json_get(event, "applied"), false))
        return false;
    for (const struct json *c = json_first(json_get(event, "changes")); c; c = json_next(c)) {
        const char *what = json_string(json_get(c, "what"));

        if (!what || !meaning_key(what))
            continue;
        meaning_note(m, what);
        noted = true;
    }
    return noted;
}

void meaning_note_all(struct meaning *m)
{
    for (size_t i = 0; i < m->site->point_count; i++)
        m->lost[i] = true;
}

static bool rests_on_lost(const struct meaning *m, const struct site_point *p)
{
    for (size_t i = 0; i < site_operand_count(p); i++) {
        uint32_t point = site_operand(p, i)->point;

        if (point != SITE_NONE && m->lost[point])
            return true;
    }
    return false;
}

/* Once for each step of the order at most. */
static void spread(struct meaning *m)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < m->site->point_count; i++) {
            if (m->lost[i] || !rests_on_lost(m, &m->site->points[i]))
                continue;
            m->lost[i] = changed = true;
        }
    }
}

size_t meaning_forget(struct meaning *m, struct rules *r,
                      void (*told)(void *arg, const struct site_point *point), void *arg)
{
    size_t count = 0;

    spread(m);
    for (uint32_t i = 0; i < m->site->point_count; i++) {
        if (!m->lost[i])
            continue;
        m->lost[i] = false;
        if (!rules_forget(r, i))
            continue;
        count++;
        if (told)
            told(arg, &m->site->points[i]);
    }
    return count;
}
