#include "base/hash_index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct hash_slot {
    const char *name; /* NULL: free */
    uint32_t hash;    /* spares most string comparisons, and all hashing when growing */
    uint32_t index;
};

struct hash_index {
    struct hash_slot *slots;
    size_t mask; /* slots - 1, a power of two less one */
    size_t count;
};

/* FNV-1a, 64 bits folded to 32 (Fowler, Noll, Vo). Names come from the operator's own
 * configuration, so a keyed hash is not called for. */
static uint32_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (const char *at = name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    return (uint32_t)(hash ^ (hash >> 32));
}

/* The slot that holds the name, or the free one where it belongs. One is always free: the table is at most half full. */
static struct hash_slot *hash_slot_of(const struct hash_index *h, const char *name, uint32_t hash)
{
    size_t at = hash & h->mask;

    while (h->slots[at].name && (h->slots[at].hash != hash || strcmp(h->slots[at].name, name) != 0))
        at = (at + 1) & h->mask;
    return &h->slots[at];
}

static size_t slots_for(size_t expected)
{
    size_t size = 16;

    while (size / 2 < expected)
        size *= 2;
    return size;
}

size_t hash_index_bytes(size_t expected)
{
    return sizeof(struct hash_index) + slots_for(expected) * sizeof(struct hash_slot);
}

enum rg_err hash_index_create(size_t expected, struct hash_index **out)
{
    struct hash_index *h;
    size_t size;

    *out = NULL;
    if (expected > SIZE_MAX / 8)
        return RG_ENOMEM;
    size = slots_for(expected);
    h = calloc(1, sizeof *h);
    if (!h)
        return RG_ENOMEM;
    h->slots = calloc(size, sizeof *h->slots);
    if (!h->slots) {
        free(h);
        return RG_ENOMEM;
    }
    h->mask = size - 1;
    *out = h;
    return RG_OK;
}

void hash_index_destroy(struct hash_index *h)
{
    if (!h)
        return;
    free(h->slots);
    free(h);
}

static enum rg_err hash_grow(struct hash_index *h)
{
    struct hash_index bigger = {.mask = h->mask * 2 + 1, .count = h->count};

    bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
    if (!bigger.slots)
        return RG_ENOMEM;
    for (size_t i = 0; i <= h->mask; i++) {
        if (h->slots[i].name)
            *hash_slot_of(&bigger, h->slots[i].name, h->slots[i].hash) = h->slots[i];
    }
    free(h->slots);
    *h = bigger;
    return RG_OK;
}

enum rg_err hash_index_add(struct hash_index *h, const char *name, uint32_t index, uint32_t *index_there)
{
    uint32_t hash = hash_name(name);
    struct hash_slot *slot = hash_slot_of(h, name, hash);

    if (slot->name) {
        if (index_there)
            *index_there = slot->index;
        return RG_EEXIST;
    }
    if (h->count >= (h->mask + 1) / 2) {
        if (hash_grow(h) != RG_OK)
            return RG_ENOMEM;
        slot = hash_slot_of(h, name, hash);
    }
    *slot = (struct hash_slot){.name = name, .hash = hash, .index = index};
    h->count++;
    return RG_OK;
}

enum rg_err hash_index_find(const struct hash_index *h, const char *name, uint32_t *index)
{
    const struct hash_slot *slot = hash_slot_of(h, name, hash_name(name));

    if (!slot->name)
        return RG_ENOTFOUND;
    *index = slot->index;
    return RG_OK;
}
