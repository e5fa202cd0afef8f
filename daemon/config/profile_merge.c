/* A device and its profile made one: a mapping of nodes that the builders take as if it had been written so.
 * Every node keeps its place, so that what is wrong is told where it stands. */
#include <string.h>

#include "base/text.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/profile_parts.h"

struct node *node_make(struct load *ld, enum node_kind kind, const char *key, const struct node *place)
{
    struct node *node = load_scratch(ld, 1, sizeof *node);

    if (!node)
        return NULL;
    node->kind = (uint8_t)kind;
    node->key = key;
    node->file = place->file;
    node->line = node->key_line = place->line;
    node->offset = node->key_offset = place->offset;
    return node;
}

struct node *node_make_text(struct load *ld, const char *key, const char *text, const struct node *place)
{
    struct node *node = node_make(ld, NODE_SCALAR, key, place);

    if (node)
        node->text = text;
    return node;
}

struct node *node_append(struct load *ld, struct node *parent, const struct node *child)
{
    struct node *copy = load_scratch(ld, 1, sizeof *copy);
    struct node **last = &parent->first;

    if (!copy)
        return NULL;
    *copy = *child;
    copy->next = NULL;
    while (*last)
        last = &(*last)->next;
    *last = copy;
    parent->count++;
    return copy;
}

/* Whether a mapping gives one of the keys of which its section has exactly one. */
static bool gives_one_of(const struct load *ld, enum section section, const struct node *map)
{
    for (const struct node *child = map->first; child; child = child->next) {
        const struct key_row *row = table_key_of(&ld->rows[section], child->key);

        if (row && (row->flags & KEY_ONE_OF))
            return true;
    }
    return false;
}

/* Everything of `over`, and of `base` what `over` does not give. Mappings of a section are merged likewise. */
static struct node *merge(struct load *ld, enum section section, const struct node *over,
                          const struct node *base)
{
    struct node *merged = node_make(ld, NODE_MAP, over->key, over);
    bool one_of = gives_one_of(ld, section, over);

    if (!merged)
        return NULL;
    for (const struct node *child = over->first; child; child = child->next) {
        const struct key_row *row = table_key_of(&ld->rows[section], child->key);
        const struct node *below = node_get(base, child->key);
        const struct node *taken = child;

        if (row && (row->kind == KIND_MAP || row->kind == KIND_PART) && below && below->kind == NODE_MAP &&
            child->kind == NODE_MAP)
            taken = merge(ld, row->of, child, below);
        if (!taken || !node_append(ld, merged, taken))
            return NULL;
    }
    for (const struct node *child = base->first; child; child = child->next) {
        const struct key_row *row = table_key_of(&ld->rows[section], child->key);

        if (node_get(over, child->key) || (one_of && row && (row->flags & KEY_ONE_OF)))
            continue;
        if (!node_append(ld, merged, child))
            return NULL;
    }
    return merged;
}

static const char *point_name(const struct node *point)
{
    const struct node *name = node_get(point, "name");

    return name && name->kind == NODE_SCALAR ? name->text : "";
}

/* The first entry of a list of points with that name. */
static const struct node *find_point(const struct node *points, const char *name)
{
    for (const struct node *point = points ? points->first : NULL; point; point = point->next)
        if (name[0] && strcmp(point_name(point), name) == 0)
            return point;
    return NULL;
}

/* The profile's points in its order, each under what the device says of it; then the device's own. */
static struct node *merge_points(struct load *ld, const struct node *over, const struct node *base)
{
    struct node *merged = node_make(ld, NODE_LIST, "points", over);

    if (!merged)
        return NULL;
    for (const struct node *point = base->first; point; point = point->next) {
        const struct node *own = find_point(over, point_name(point));
        const struct node *taken = own ? merge(ld, SECTION_POINT, own, point) : point;

        if (!taken || !node_append(ld, merged, taken))
            return NULL;
    }
    for (const struct node *point = over->first; point; point = point->next) {
        const char *name = point_name(point);

        /* A second entry of one name is left in the list, to be told. */
        if (find_point(base, name) && find_point(over, name) == point)
            continue;
        if (!node_append(ld, merged, point))
            return NULL;
    }
    return merged;
}

/* What the profile says as a device would: the keys that it has in common with one. */
static struct node *device_part(struct load *ld, const struct known_profile *profile)
{
    struct node *part = node_make(ld, NODE_MAP, NULL, profile->root);

    for (const struct node *child = profile->root->first; part && child; child = child->next) {
        const struct key_row *row = table_key(SECTION_PROFILE, child->key);

        if (row && row->kind == KIND_LIKE && !node_append(ld, part, child))
            return NULL;
    }
    return part;
}

/* Whether the device gives a key, "order" or "point.unit". */
static bool gives(const struct node *device, const char *key)
{
    const struct node *points = node_get(device, "points");
    const char *dot = strchr(key, '.');

    if (!dot)
        return node_get(device, key) != NULL;
    if (!points || points->kind != NODE_LIST)
        return false;
    for (const struct node *point = points->first; point; point = point->next) {
        const char *name = point_name(point);

        if (strncmp(name, key, (size_t)(dot - key)) == 0 && name[dot - key] == '\0')
            return node_get(point, dot + 1) != NULL;
    }
    return false;
}

static bool answers_asks(struct load *ld, const struct known_profile *profile, const struct node *device,
                         struct place at)
{
    bool all = true;

    for (const struct node *ask = profile->item.asks ? profile->item.asks->first : NULL; ask;
         ask = ask->next) {
        if (gives(device, ask->key))
            continue;
        issue_error(ld, at, "the profile `%s` leaves `%s` to the site, give it here: %s", profile->name,
                    ask->key, ask->kind == NODE_SCALAR ? ask->text : "");
        all = false;
    }
    return all;
}

/* The device alone, without its points, which may be nothing without those of a profile that is of no use. What
 * refers to them is no further error. */
static const struct node *without_points(struct load *ld, const struct node *device)
{
    struct node *rest = node_make(ld, NODE_MAP, device->key, device);

    ld->incomplete = true;
    for (const struct node *child = device->first; rest && child; child = child->next)
        if (strcmp(child->key, "points") != 0 && !node_append(ld, rest, child))
            return NULL;
    return rest;
}

static const struct known_profile *find_profile(struct load *ld, const struct node *device,
                                                const struct node *name)
{
    const struct known_profile *profile;

    /* A name of the wrong form is told where the device is filled. */
    if (name->kind != NODE_SCALAR || node_is_null(name) || !text_is_id(name->text))
        return NULL;
    if (ld->text_only) {
        issue_error(ld, node_place(name), "`profile` is not possible here");
        return NULL;
    }
    profile = profile_take(ld, name->text, node_place(name));
    return profile && answers_asks(ld, profile, device, node_place(name)) ? profile : NULL;
}

const struct node *profile_expand(struct load *ld, const struct node *device)
{
    const struct node *name = node_get(device, "profile");
    const struct node *own = node_get(device, "points");
    const struct known_profile *profile = name ? find_profile(ld, device, name) : NULL;
    const struct node *part;
    struct node *merged;

    if (!name)
        return device;
    if (!profile)
        return without_points(ld, device);
    part = device_part(ld, profile);
    merged = part ? merge(ld, SECTION_DEVICE, device, part) : NULL;
    if (!merged)
        return NULL;
    merged->key = device->key;
    if (own && own->kind == NODE_LIST) {
        struct node *points = merge_points(ld, own, node_get(part, "points"));

        for (struct node *child = merged->first; points && child; child = child->next)
            if (strcmp(child->key, "points") == 0) {
                child->first = points->first;
                child->count = points->count;
            }
    }
    profile_check_units(ld, profile, merged);
    return merged;
}
