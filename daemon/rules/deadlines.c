#include "rules/deadlines.h"

#include <stdbool.h>
#include <stdlib.h>

enum rg_err deadlines_create(struct deadlines *d, size_t capacity)
{
    size_t room = capacity ? capacity : 1;

    d->count = 0;
    d->due = calloc(room, sizeof *d->due);
    d->position = calloc(room, sizeof *d->position);
    d->heap = calloc(room, sizeof *d->heap);
    if (!d->due || !d->position || !d->heap) {
        deadlines_destroy(d);
        return RG_ENOMEM;
    }
    for (size_t i = 0; i < capacity; i++)
        d->due[i] = INT64_MAX;
    return RG_OK;
}

void deadlines_destroy(struct deadlines *d)
{
    free(d->heap);
    free(d->position);
    free(d->due);
    *d = (struct deadlines){0};
}

static bool before(const struct deadlines *d, uint32_t a, uint32_t b)
{
    return d->due[a] < d->due[b] || (a < b && d->due[a] == d->due[b]);
}

static void place(struct deadlines *d, size_t at, uint32_t id)
{
    d->heap[at] = id;
    d->position[id] = (uint32_t)at;
}

static size_t sift_up(struct deadlines *d, size_t at, uint32_t id)
{
    while (at > 0 && before(d, id, d->heap[(at - 1) / 2])) {
        place(d, at, d->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(d, at, id);
    return at;
}

static void sift_down(struct deadlines *d, size_t at, uint32_t id)
{
    for (size_t child = 2 * at + 1; child < d->count; child = 2 * at + 1) {
        if (child + 1 < d->count && before(d, d->heap[child + 1], d->heap[child]))
            child++;
        if (!before(d, d->heap[child], id))
            break;
        place(d, at, d->heap[child]);
        at = child;
    }
    place(d, at, id);
}

void deadlines_set(struct deadlines *d, uint32_t id, int64_t due_ms)
{
    int64_t was = d->due[id];

    if (was == due_ms)
        return;
    d->due[id] = due_ms;
    if (was == INT64_MAX) {
        d->count++;
        (void)sift_up(d, d->count - 1, id);
    } else if (due_ms == INT64_MAX) {
        size_t at = d->position[id];
        uint32_t last = d->heap[--d->count];

        if (last != id)
            sift_down(d, sift_up(d, at, last), last);
    } else {
        sift_down(d, sift_up(d, d->position[id], id), id);
    }
}

int64_t deadlines_first(const struct deadlines *d, uint32_t *id)
{
    if (d->count == 0)
        return INT64_MAX;
    if (id)
        *id = d->heap[0];
    return d->due[d->heap[0]];
}
