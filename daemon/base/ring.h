/* A FIFO of fixed-size elements in one block of memory, bound fixed at creation; counts what it refuses.
 * Not thread-safe. */
#ifndef RG_BASE_RING_H
#define RG_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ring {
    unsigned char *slots;
    size_t element;  /* bytes of one element */
    size_t capacity; /* elements */
    size_t head;     /* index of the oldest */
    size_t count;
    uint64_t refused; /* pushes refused because it was full */
};

RG_NODISCARD enum rg_err ring_create(struct ring *r, size_t element, size_t capacity);
void ring_destroy(struct ring *r); /* takes a zeroed or destroyed ring too */
/* Copies *element in; false, and counted, when full. */
bool ring_push(struct ring *r, const void *element);
/* Copies the oldest out and removes it; false when empty. */
bool ring_pop(struct ring *r, void *element);
/* The index-th oldest, or NULL. Valid until the next push or pop. */
void *ring_at(const struct ring *r, size_t index);

#endif
