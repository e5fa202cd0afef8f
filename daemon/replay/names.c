#include "replay/names.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64u

void names_init(struct names *n, names_single_cb single, void *arg)
{
    *n = (struct names){.single = single, .arg = arg};
    arena_init(&n->texts, 0);
}

void names_destroy(struct names *n)
{
    free(n->devices);
    free(n->points);
    free(n->device_slots);
    free(n->point_slots);
    arena_destroy(&n->texts);
    *n = (struct names){0};
}

/* FNV-1a, begun anew for each device. */
static uint32_t hash(uint32_t device, const char *name, size_t length)
{
    uint32_t h = 2166136261u ^ (device * 2654435761u);

    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)name[i]) * 16777619u;
    return h ^ h >> 15;
}

static bool same(const char *text, uint32_t text_length, const char *name, size_t length)
{
    return text_length == length && memcmp(text, name, length) == 0;
}

/* Where the name is, or the empty slot where it would be. */
static uint32_t *device_slot(const struct names *n, const char *name, size_t length)
{
    uint32_t at = hash(NAMES_NONE, name, length) & (n->device_slot_count - 1);

    for (;; at = (at + 1) & (n->device_slot_count - 1)) {
        uint32_t *slot = &n->device_slots[at];

        if (*slot == 0 || same(n->devices[*slot - 1].name, n->devices[*slot - 1].length, name, length))
            return slot;
    }
}

static uint32_t *point_slot(const struct names *n, uint32_t device, const char *name, size_t length)
{
    uint32_t at = hash(device, name, length) & (n->point_slot_count - 1);

    for (;; at = (at + 1) & (n->point_slot_count - 1)) {
        uint32_t *slot = &n->point_slots[at];

        if (*slot == 0)
            return slot;
        if (n->points[*slot - 1].device == device &&
            same(n->points[*slot - 1].name, n->points[*slot - 1].length, name, length))
            return slot;
    }
}

/* Makes room for one more of `size` bytes. */
static bool grow(void **block, uint32_t count, uint32_t *room, size_t size)
{
    uint32_t more = *room ? 2 * *room : SLOTS_FIRST / 2;
    void *grown;

    if (count < *room)
        return true;
    grown = realloc(*block, more * size);
    if (!grown)
        return false;
    *block = grown;
    *room = more;
    return true;
}

/* Twice as many slots once half of them are taken by `count` names. *grown: they are empty, for the caller to fill again. */
static bool grow_slots(uint32_t **slots, uint32_t *slot_count, uint32_t count, bool *grown)
{
    uint32_t more = *slot_count ? 2 * *slot_count : SLOTS_FIRST;
    uint32_t *empty;

    *grown = false;
    if (2 * count < *slot_count)
        return true;
    empty = calloc(more, sizeof *empty);
    if (!empty)
        return false;
    free(*slots);
    *slots = empty;
    *slot_count = more;
    *grown = true;
    return true;
}

static bool grow_device_slots(struct names *n)
{
    bool grown;

    if (!grow_slots(&n->device_slots, &n->device_slot_count, n->device_count, &grown))
        return false;
    for (uint32_t i = 0; grown && i < n->device_count; i++)
        *device_slot(n, n->devices[i].name, n->devices[i].length) = i + 1;
    return true;
}

static bool grow_point_slots(struct names *n)
{
    bool grown;

    if (!grow_slots(&n->point_slots, &n->point_slot_count, n->point_count, &grown))
        return false;
    for (uint32_t i = 0; grown && i < n->point_count; i++)
        *point_slot(n, n->points[i].device, n->points[i].name, n->points[i].length) = i + 1;
    return true;
}

enum rg_err names_device(struct names *n, const char *name, size_t length, uint32_t *out)
{
    uint32_t *slot = n->device_slot_count ? device_slot(n, name, length) : NULL;
    char *text;

    if (slot && *slot) {
        *out = *slot - 1;
        return RG_OK;
    }
    if (n->device_count == NAMES_DEVICES_MAX)
        return RG_EFULL;
    text = arena_strndup(&n->texts, name, length);
    if (!text || !grow((void **)&n->devices, n->device_count, &n->device_room, sizeof *n->devices) ||
        !grow_device_slots(n))
        return RG_ENOMEM;
    n->devices[n->device_count] = (struct names_device){
        .name = text, .length = (uint32_t)length, .next = NAMES_NONE, .first = NAMES_NONE};
    *out = n->device_count++;
    *device_slot(n, text, length) = *out + 1;
    return RG_OK;
}

enum rg_err names_point(struct names *n, uint32_t device, const char *name, size_t length, uint32_t *out)
{
    uint32_t *slot = n->point_slot_count ? point_slot(n, device, name, length) : NULL;
    struct names_point *p;
    char *text;

    if (slot && *slot) {
        *out = *slot - 1;
        return RG_OK;
    }
    if (n->point_count == NAMES_POINTS_MAX)
        return RG_EFULL;
    text = arena_strndup(&n->texts, name, length);
    if (!text || !grow((void **)&n->points, n->point_count, &n->point_room, sizeof *n->points) ||
        !grow_point_slots(n))
        return RG_ENOMEM;
    p = &n->points[n->point_count];
    *p = (struct names_point){.name = text, .length = (uint32_t)length, .device = device, .next = NAMES_NONE};
    p->single = n->single && n->single(n->arg, n->devices[device].name, text);
    *out = n->point_count++;
    *point_slot(n, device, text, length) = *out + 1;
    return RG_OK;
}

/* 0 - 1 is NAMES_NONE. */
uint32_t names_find_device(const struct names *n, const char *name, size_t length)
{
    return n->device_slot_count ? *device_slot(n, name, length) - 1 : NAMES_NONE;
}

uint32_t names_find_point(const struct names *n, uint32_t device, const char *name, size_t length)
{
    return n->point_slot_count ? *point_slot(n, device, name, length) - 1 : NAMES_NONE;
}
