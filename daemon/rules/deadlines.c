#include "rules/deadlines.h"

#include <stdbool.h>
#include <stdlib.h>

enum rg_err deadlines_create(struct deadlines *d, size_t capacity)
{
    size_t room = capacity ? capacity : 1;

    d->count = 0;
    d->position = calloc(room, sizeof *d->position);
    d->heap = calloc(room, sizeof *d->heap);
    if (!d->position || !d->heap) {
        deadlines_destroy(d);
        return RG_ENOMEM;
    }
    return RG_OK;
}

void deadlines_destroy(struct deadlines *d)
{
    free(d->heap);
    free(d->position);
    *d = (struct deadlines){0};
}

uint64_t deadlines_memory(uint64_t capacity)
{
    return capacity * (sizeof(uint32_t) + sizeof(struct deadline));
}

static bool before(struct deadline a, struct deadline b)
{
    return a.due_ms < b.due_ms || (a.id < b.id && a.due_ms == b.due_ms);
}

static void place(struct deadlines *d, size_t at, struct deadline one)
{
    d->heap[at] = one;
    d->position[one.id] = (uint32_t)at + 1;
}

static size_t sift_up(struct deadlines *d, size_t at, struct deadline one)
{
    while (at > 0 && before(one, d->heap[(at - 1) / 2])) {
        place(d, at, d->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(d, at, one);
    return at;
}

static void sift_down(struct deadlines *d, size_t at, struct deadline one)
{
    for (size_t child = 2 * at + 1; child < d->count; child = 2 * at + 1) {
        if (child + 1 < d->count && before(d->heap[child + 1], d->heap[child]))
            child++;
        if (!before(d->heap[child], one))
            break;
        place(d, at, d->heap[child]);
        at = child;
    }
    place(d, at, one);
}

static void take_out(struct deadlines *d, size_t at)
{
    struct deadline last = d->heap[--d->count];

    d->position[d->heap[at].id] = 0;
    if (at < d->count)
        sift_down(d, sift_up(d, at, last), last);
}

void deadlines_set(struct deadlines *d, uint32_t id, int64_t due_ms)
{
    const struct deadline one = {.due_ms = due_ms, .id = id};
    size_t at = d->position[id];

    if (at == 0) {
        if (due_ms != INT64_MAX) {
            d->count++;
            (void)sift_up(d, d->count - 1, one);
        }
    } else if (due_ms == INT64_MAX) {
        take_out(d, at - 1);
    } else if (d->heap[at - 1].due_ms != due_ms) {
        sift_down(d, sift_up(d, at - 1, one), one);
    }
}

int64_t deadlines_of(const struct deadlines *d, uint32_t id)
{
    return d->position[id] > 0 ? d->heap[d->position[id] - 1].due_ms : INT64_MAX;
}

int64_t deadlines_first(const struct deadlines *d, uint32_t *id)
{
    if (d->count == 0)
        return INT64_MAX;
    if (id)
        *id = d->heap[0].id;
    return d->heap[0].due_ms;
}
