/* Frames: what one answer, or the want of one, says about a device's points. */
#include <string.h>

#include "poll/bus.h"

static void tell(struct bus *b, const struct unit *u, const struct moment *at, bool heard, size_t count)
{
    const struct bus_context *context = b->context;
    struct frame frame = {
        .device = u->index,
        .at = *at,
        .clock_unsynced = b->unsynced,
        .heard = heard,
        .count = count,
        .samples = b->answer.samples,
    };

    if (count > 0 && context->cbs.frame != NULL)
        context->cbs.frame(context->arg, &frame);
}

void tell_answer(struct bus *b, const struct moment *at, enum quality quality)
{
    const struct unit *u = b->units[b->turn.unit];
    struct sample *samples = b->answer.samples;
    /* Never more than what there is room for, whatever the driver says. */
    size_t room = u->plan == NULL ? 0 : b->context->driver->plan_points(u->plan, b->turn.request);
    size_t count = b->answer.count < room ? b->answer.count : room;

    for (size_t i = 0; i < count; i++) {
        uint32_t local = samples[i].point - u->plan_first;

        if (local < u->device->point_count)
            b->read[local] = true;
        samples[i].point = u->device->first_point + local; /* a reload may have moved it */
        if (quality != QUALITY_GOOD)
            samples[i].quality = quality;
        if (samples[i].quality != QUALITY_GOOD)
            samples[i].value = 0;
    }
    tell(b, u, at, quality == QUALITY_GOOD, count);
}

void tell_rest(struct bus *b, const struct moment *at)
{
    const struct unit *u = b->units[b->turn.unit];
    size_t count = 0;

    for (uint32_t i = 0; i < u->device->point_count; i++) {
        if (b->read[i])
            continue;
        b->answer.samples[count++] =
            (struct sample){.point = u->device->first_point + i, .quality = QUALITY_COMM, .value = 0};
    }
    tell(b, u, at, false, count);
}

void tell_all(struct bus *b, size_t unit, const struct moment *at)
{
    memset(b->read, 0, b->units[unit]->device->point_count * sizeof(b->read[0]));
    b->turn.unit = unit;
    tell_rest(b, at);
}

bool tell_was_told(const struct unit *u, int64_t now_ms, int64_t gap_ms)
{
    return u->told_ms != BUS_TOLD_NEVER && now_ms - u->told_ms < gap_ms;
}
