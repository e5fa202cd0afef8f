#include "base/ring.h"

#include <stdlib.h>
#include <string.h>

enum rg_err ring_create(struct ring *r, size_t element, size_t capacity)
{
    *r = (struct ring){.element = element, .capacity = capacity};
    if (element == 0 || capacity == 0)
        return RG_EINVAL;
    if (capacity > PTRDIFF_MAX / element)
        return RG_ENOMEM;
    r->slots = calloc(capacity, element);
    return r->slots ? RG_OK : RG_ENOMEM;
}

void ring_destroy(struct ring *r)
{
    free(r->slots);
    *r = (struct ring){.slots = NULL};
}

static unsigned char *ring_slot(const struct ring *r, size_t index)
{
    size_t from_start = r->capacity - r->head; /* slots before the end of the block */

    return r->slots + (index < from_start ? r->head + index : index - from_start) * r->element;
}

bool ring_push(struct ring *r, const void *element)
{
    if (r->count == r->capacity) {
        r->refused++;
        return false;
    }
    memcpy(ring_slot(r, r->count), element, r->element);
    r->count++;
    return true;
}

bool ring_pop(struct ring *r, void *element)
{
    if (r->count == 0)
        return false;
    memcpy(element, ring_slot(r, 0), r->element);
    r->head = r->head + 1 == r->capacity ? 0 : r->head + 1;
    r->count--;
    return true;
}

void *ring_at(const struct ring *r, size_t index)
{
    return index < r->count ? ring_slot(r, index) : NULL;
}
