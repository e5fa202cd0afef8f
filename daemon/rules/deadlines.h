/* A binary heap of deadlines, one at most for each id: earliest first, of equal ones the lower id, so that
 * the order of events does not depend on how time was split. Nothing is allocated after creation. */
#ifndef RG_RULES_DEADLINES_H
#define RG_RULES_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct deadlines {
    int64_t *due;       /* by id; INT64_MAX: none */
    uint32_t *position; /* by id: its place in heap, when it has a deadline */
    uint32_t *heap;     /* ids */
    size_t count;       /* of heap */
};

/* ids are 0 .. capacity - 1. RG_ENOMEM. */
RG_NODISCARD enum rg_err deadlines_create(struct deadlines *d, size_t capacity);
void deadlines_destroy(struct deadlines *d); /* takes a zeroed or half-built one */
/* Sets, moves or (INT64_MAX) removes the deadline of id. O(log n); nothing when it is the same as before. */
void deadlines_set(struct deadlines *d, uint32_t id, int64_t due_ms);
/* The earliest deadline, or INT64_MAX; *id (may be NULL) is whose. */
int64_t deadlines_first(const struct deadlines *d, uint32_t *id);

#endif
