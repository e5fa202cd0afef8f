/* A binary heap of deadlines, one at most for each id: earliest first, of equal ones the lower id, so that
 * the order of events does not depend on how time was split. Nothing is allocated after creation, and what is allocated is
 * only touched as far as deadlines run: nearly all ids have none. */
#ifndef RG_RULES_DEADLINES_H
#define RG_RULES_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct deadline {
    int64_t due_ms;
    uint32_t id;
};

struct deadlines {
    uint32_t *position;    /* by id: 1 + its place in heap; 0: it has no deadline */
    struct deadline *heap; /* [count] */
    size_t count;
};

/* ids are 0 .. capacity - 1. RG_ENOMEM. */
RG_NODISCARD enum rg_err deadlines_create(struct deadlines *d, size_t capacity);
void deadlines_destroy(struct deadlines *d); /* takes a zeroed or half-built one */
/* Bytes that deadlines_create takes for so many. */
uint64_t deadlines_memory(uint64_t capacity);
/* Sets, moves or (INT64_MAX) removes the deadline of id. O(log n); nothing when it is the same as before. */
void deadlines_set(struct deadlines *d, uint32_t id, int64_t due_ms);
/* The deadline of id, or INT64_MAX. */
int64_t deadlines_of(const struct deadlines *d, uint32_t id);
/* The earliest deadline, or INT64_MAX; *id (may be NULL) is whose. */
int64_t deadlines_first(const struct deadlines *d, uint32_t *id);

#endif
