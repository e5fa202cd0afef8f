#include "base/hash_index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct hash_entry {
    const char *name;
    uint32_t hash; /* spares most string comparisons, and all hashing when growing */
    uint32_t index;
};

/* The names lie one behind the other; only the numbers of their places are spread, for half of those are free. */
struct hash_index {
    uint32_t *slots; /* [mask + 1]: place in entries plus one, or 0: free */
    size_t mask;     /* a power of two less one */
    struct hash_entry *entries;
    size_t count, capacity;
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

/* The slot that holds the name, or the free one where it belongs. There is always a free one. */
static uint32_t *hash_slot_of(const struct hash_index *h, const char *name, uint32_t hash)
{
    size_t at = hash & h->mask;

    for (; h->slots[at] != 0; at = (at + 1) & h->mask) {
        const struct hash_entry *e = &h->entries[h->slots[at] - 1];

        if (e->hash == hash && strcmp(e->name, name) == 0)
            break;
    }
    return &h->slots[at];
}

static size_t capacity_for(size_t expected)
{
    return expected > 8 ? expected : 8;
}

/* At most four fifths full. */
static size_t slots_for(size_t capacity)
{
    size_t size = 16;

    while (size - size / 5 < capacity)
        size *= 2;
    return size;
}

size_t hash_index_bytes(size_t expected)
{
    size_t capacity = capacity_for(expected);

    return sizeof(struct hash_index) + capacity * sizeof(struct hash_entry) +
           slots_for(capacity) * sizeof(uint32_t);
}

enum rg_err hash_index_create(size_t expected, struct hash_index **out)
{
    struct hash_index *h;

    *out = NULL;
    if (expected > SIZE_MAX / 32 || expected > UINT32_MAX / 2)
        return RG_ENOMEM;
    h = calloc(1, sizeof *h);
    if (!h)
        return RG_ENOMEM;
    h->capacity = capacity_for(expected);
    h->mask = slots_for(h->capacity) - 1;
    h->entries = malloc(h->capacity * sizeof *h->entries);
    h->slots = calloc(h->mask + 1, sizeof *h->slots);
    if (!h->entries || !h->slots) {
        hash_index_destroy(h);
        return RG_ENOMEM;
    }
    *out = h;
    return RG_OK;
}

void hash_index_destroy(struct hash_index *h)
{
    if (!h)
        return;
    free(h->slots);
    free(h->entries);
    free(h);
}

static enum rg_err hash_grow(struct hash_index *h)
{
    const size_t capacity = h->capacity * 2, size = slots_for(capacity);
    struct hash_entry *entries;
    uint32_t *slots;

    if (capacity > SIZE_MAX / 32 || capacity > UINT32_MAX / 2)
        return RG_ENOMEM;
    slots = calloc(size, sizeof *slots);
    if (!slots)
        return RG_ENOMEM;
    entries = realloc(h->entries, capacity * sizeof *entries);
    if (!entries) {
        free(slots);
        return RG_ENOMEM;
    }
    free(h->slots);
    h->slots = slots;
    h->mask = size - 1;
    h->entries = entries;
    h->capacity = capacity;
    for (size_t i = 0; i < h->count; i++)
        *hash_slot_of(h, entries[i].name, entries[i].hash) = (uint32_t)i + 1;
    return RG_OK;
}

enum rg_err hash_index_add(struct hash_index *h, const char *name, uint32_t index, uint32_t *index_there)
{
    uint32_t hash = hash_name(name);
    uint32_t *slot = hash_slot_of(h, name, hash);

    if (*slot != 0) {
        if (index_there)
            *index_there = h->entries[*slot - 1].index;
        return RG_EEXIST;
    }
    if (h->count == h->capacity) {
        if (hash_grow(h) != RG_OK)
            return RG_ENOMEM;
        slot = hash_slot_of(h, name, hash);
    }
    h->entries[h->count] = (struct hash_entry){.name = name, .hash = hash, .index = index};
    *slot = (uint32_t)++h->count;
    return RG_OK;
}

enum rg_err hash_index_find(const struct hash_index *h, const char *name, uint32_t *index)
{
    const uint32_t *slot = hash_slot_of(h, name, hash_name(name));

    if (*slot == 0)
        return RG_ENOTFOUND;
    *index = h->entries[*slot - 1].index;
    return RG_OK;
}
