#include "store/devices.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "store/writer.h"

struct device {
    char *name; /* NULL: an id not in use */
    bool stored;
};

struct devices {
    struct device *by_id;
    size_t count, capacity; /* ids up to count - 1 */
    struct hash_index *ids; /* by name */
    uint32_t *by_index;     /* of the site; DEVICES_NONE: not known */
    size_t index_count;
};

enum rg_err devices_create(struct devices **out)
{
    *out = NULL;
    struct devices *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return RG_ENOMEM;
    enum rg_err err = hash_index_create(64, &d->ids);
    if (err != RG_OK) {
        devices_destroy(d);
        return err;
    }
    *out = d;
    return RG_OK;
}

void devices_destroy(struct devices *d)
{
    if (d == NULL)
        return;
    hash_index_destroy(d->ids);
    for (size_t i = 0; i < d->count; i++)
        free(d->by_id[i].name);
    free(d->by_id);
    free(d->by_index);
    free(d);
}

/* Room for an id, in doubling steps. */
static enum rg_err reserve(struct devices *d, uint32_t id)
{
    if (id >= WRITER_DEVICES)
        return RG_ERANGE;
    if (id < d->capacity)
        return RG_OK;
    size_t capacity = d->capacity == 0 ? 64 : d->capacity;
    while (capacity <= id)
        capacity *= 2;
    struct device *grown = realloc(d->by_id, capacity * sizeof(*grown));
    if (grown == NULL)
        return RG_ENOMEM;
    memset(grown + d->capacity, 0, (capacity - d->capacity) * sizeof(*grown));
    d->by_id = grown;
    d->capacity = capacity;
    return RG_OK;
}

static enum rg_err add(struct devices *d, uint32_t id, const char *name, bool stored)
{
    enum rg_err err = reserve(d, id);
    if (err != RG_OK)
        return err;
    if (d->by_id[id].name != NULL)
        return RG_EEXIST;
    char *copy = strdup(name);
    if (copy == NULL)
        return RG_ENOMEM;
    err = hash_index_add(d->ids, copy, id, NULL);
    if (err != RG_OK) {
        free(copy);
        return err;
    }
    d->by_id[id] = (struct device){.name = copy, .stored = stored};
    if (d->count <= id)
        d->count = (size_t)id + 1;
    return RG_OK;
}

enum rg_err devices_load(struct devices *d, uint32_t id, const char *name)
{
    return add(d, id, name, true);
}

static enum rg_err remember(struct devices *d, uint32_t index, uint32_t id)
{
    if (index >= WRITER_DEVICES)
        return RG_OK; /* looked up by name each time */
    if (index >= d->index_count) {
        size_t count = d->index_count == 0 ? 64 : d->index_count;
        while (count <= index)
            count *= 2;
        uint32_t *grown = realloc(d->by_index, count * sizeof(*grown));
        if (grown == NULL)
            return RG_ENOMEM;
        for (size_t i = d->index_count; i < count; i++)
            grown[i] = DEVICES_NONE;
        d->by_index = grown;
        d->index_count = count;
    }
    d->by_index[index] = id;
    return RG_OK;
}

enum rg_err devices_enter(struct devices *d, uint32_t index, const char *name, uint32_t *id, bool *stored)
{
    uint32_t known = devices_at(d, index);
    if (known == DEVICES_NONE || strcmp(d->by_id[known].name, name) != 0) {
        enum rg_err err = hash_index_find(d->ids, name, &known);
        if (err == RG_ENOTFOUND) {
            known = (uint32_t)d->count;
            if (known >= WRITER_DEVICES)
                return RG_EFULL;
            err = add(d, known, name, false);
        }
        if (err == RG_OK)
            err = remember(d, index, known);
        if (err != RG_OK)
            return err;
    }
    *id = known;
    *stored = d->by_id[known].stored;
    return RG_OK;
}

void devices_stored(struct devices *d, uint32_t id)
{
    if (id < d->count)
        d->by_id[id].stored = true;
}

const char *devices_next(const struct devices *d, uint32_t *id)
{
    while (*id < d->count && d->by_id[*id].name == NULL)
        ++*id;
    return *id < d->count ? d->by_id[*id].name : NULL;
}

uint32_t devices_at(const struct devices *d, size_t index)
{
    return index < d->index_count ? d->by_index[index] : DEVICES_NONE;
}

void devices_forget(struct devices *d)
{
    for (size_t i = 0; i < d->index_count; i++)
        d->by_index[i] = DEVICES_NONE;
}
