#include "record/held.h"

#include <stdlib.h>
#include <string.h>

#include "model/site_record.h"

struct head {
    struct moment at;
    int64_t turn;
    uint32_t device, count;
    bool heard, unsynced;
};

_Static_assert(sizeof(struct head) <= SITE_RECORD_FRAME_BYTES, "what check says a frame takes");
_Static_assert(sizeof(struct sample) <= SITE_RECORD_SAMPLE_BYTES, "what check says a sample takes");

static size_t size_of(size_t count)
{
    return SITE_RECORD_FRAME_BYTES + count * sizeof(struct sample);
}

static struct head *head_at(const struct held *h, size_t offset)
{
    return (struct head *)(void *)(h->memory + offset);
}

static struct sample *samples_at(const struct held *h, size_t offset)
{
    return (struct sample *)(void *)(h->memory + offset + SITE_RECORD_FRAME_BYTES);
}

enum rg_err held_create(struct held *h, uint64_t bytes, size_t points)
{
    *h = (struct held){.memory = NULL};
    if (bytes == 0)
        return RG_OK;
    /* What does not fit behind the last one begins anew at the front: at most one frame's room is left unused there. */
    h->capacity = (size_t)bytes + size_of(points);
    h->memory = malloc(h->capacity);
    return h->memory ? RG_OK : RG_ENOMEM;
}

void held_destroy(struct held *h)
{
    free(h->memory);
    *h = (struct held){.memory = NULL};
}

bool held_first(const struct held *h, struct frame *frame, int64_t *turn)
{
    const struct head *head;

    if (h->count == 0)
        return false;
    head = head_at(h, h->first);
    *frame = (struct frame){.device = head->device,
                            .at = head->at,
                            .clock_unsynced = head->unsynced,
                            .heard = head->heard,
                            .count = head->count,
                            .samples = samples_at(h, h->first)};
    *turn = head->turn;
    return true;
}

static size_t step(const struct held *h, size_t offset)
{
    size_t next = offset + size_of(head_at(h, offset)->count);

    return h->next <= h->first && next == h->wrap ? 0 : next;
}

void held_drop(struct held *h)
{
    if (h->count == 0)
        return;
    h->first = step(h, h->first);
    h->count--;
    h->due -= h->due > 0;
    if (h->count == 0)
        h->first = h->next = 0;
}

/* Where the next one of this size can go without any other having to: false: nowhere. */
static bool find_room(const struct held *h, size_t size, size_t *offset)
{
    if (h->count == 0 || h->next > h->first) {
        *offset = h->capacity - h->next >= size ? h->next : 0;
        return *offset == h->next || (h->count > 0 && h->first >= size);
    }
    *offset = h->next;
    return h->first - h->next >= size;
}

uint64_t held_put(struct held *h, const struct frame *frame, int64_t turn)
{
    size_t size = size_of(frame->count), offset = 0;
    uint64_t gone = 0;

    if (size > h->capacity)
        return 1;
    while (!find_room(h, size, &offset)) {
        held_drop(h);
        gone++;
    }
    if (offset == 0 && h->count > 0)
        h->wrap = h->next;
    *head_at(h, offset) = (struct head){.at = frame->at,
                                        .turn = turn,
                                        .device = frame->device,
                                        .count = (uint32_t)frame->count,
                                        .heard = frame->heard,
                                        .unsynced = frame->clock_unsynced};
    if (frame->count > 0)
        memcpy(samples_at(h, offset), frame->samples, frame->count * sizeof *frame->samples);
    h->next = offset + size;
    h->count++;
    return gone;
}

uint64_t held_expire(struct held *h, int64_t before_ms)
{
    uint64_t gone = 0;

    while (h->count > 0 && h->due == 0 && head_at(h, h->first)->at.mono_ms < before_ms) {
        held_drop(h);
        gone++;
    }
    return gone;
}

void held_all_due(struct held *h)
{
    h->due = h->count;
}

void held_renumber(struct held *h, uint32_t first_point, uint32_t now_first, uint32_t device)
{
    size_t offset = h->first;

    for (size_t i = 0; i < h->count; i++, offset = step(h, offset)) {
        struct head *head = head_at(h, offset);
        struct sample *samples = samples_at(h, offset);

        head->device = device;
        for (uint32_t k = 0; k < head->count; k++)
            samples[k].point = samples[k].point - first_point + now_first;
    }
}
