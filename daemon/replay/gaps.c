#include "replay/gaps.h"

#include <stdlib.h>

enum rg_err gaps_create(const struct site *site, gap_cb cb, void *arg, struct gaps *out)
{
    *out = (struct gaps){.site = site, .cb = cb, .arg = arg};
    out->last = calloc(site->point_count + 1, sizeof *out->last);
    out->devices = calloc(site->device_count + 1, sizeof *out->devices);
    return out->last && out->devices ? RG_OK : RG_ENOMEM;
}

void gaps_destroy(struct gaps *g)
{
    free(g->last);
    free(g->devices);
    *g = (struct gaps){0};
}

void gaps_begin(struct gaps *g, struct moment at)
{
    for (size_t i = 0; i < g->site->point_count; i++) {
        int64_t wait = g->site->devices[g->site->points[i].device].start_up_ms;

        g->last[i] = (struct moment){at.mono_ms + wait, at.wall_ms + wait};
    }
    for (size_t i = 0; i < g->site->device_count; i++)
        g->devices[i] = (struct gap_device){.from.mono_ms = -1};
}

/* Points that are worked out come with the frames of what they are worked out from. */
static int64_t allowed(const struct site_device *device, int64_t every_ms)
{
    return device->derived ? INT64_MAX : every_ms + device->poll_ms + device->poll_ms / 2;
}

static int64_t polls_between(const struct site_device *device, struct moment from, struct moment to)
{
    return device->poll_ms > 0 ? (to.mono_ms - from.mono_ms) / device->poll_ms : 0;
}

/* How the device is recorded has changed, or the run is at its end. */
static void tell_thinned(struct gaps *g, uint32_t index)
{
    struct gap_device *d = &g->devices[index];
    struct gap gap = {.device = index,
                      .from_ms = d->thin_from.wall_ms,
                      .to_ms = d->thin_to.wall_ms,
                      .polls = polls_between(&g->site->devices[index], d->thin_from, d->thin_to),
                      .frames = d->thin_frames,
                      .every_ms = d->every_ms};

    if (d->every_ms > 0 && g->cb)
        g->cb(g->arg, &gap);
    d->every_ms = 0;
}

static void note_thinned(struct gaps *g, const struct frame *frame, int64_t every_ms)
{
    struct gap_device *d = &g->devices[frame->device];

    if (every_ms != d->every_ms) {
        tell_thinned(g, frame->device);
        d->every_ms = every_ms;
        d->thin_from = frame->at;
        d->thin_frames = 0;
    }
    d->thin_to = frame->at;
    d->thin_frames++;
}

static void tell(struct gaps *g, uint32_t index)
{
    struct gap_device *d = &g->devices[index];
    struct gap gap = {.device = index,
                      .from_ms = d->from.wall_ms,
                      .to_ms = d->to.wall_ms,
                      .polls = polls_between(&g->site->devices[index], d->from, d->to),
                      .frames = d->frames,
                      .silent = d->silent};

    if (d->from.mono_ms < 0)
        return;
    if (g->cb)
        g->cb(g->arg, &gap);
    d->from.mono_ms = -1;
}

/* What lies between the two instants is thin. */
static void extend(struct gaps *g, uint32_t index, struct moment from, struct moment to)
{
    struct gap_device *d = &g->devices[index];

    if (d->from.mono_ms >= 0 && from.mono_ms > d->to.mono_ms)
        tell(g, index);
    if (d->from.mono_ms < 0) {
        d->from = from;
        d->frames = 0;
        d->silent = d->unheard;
    }
    if (to.mono_ms > d->to.mono_ms || d->frames == 0)
        d->to = to;
}

void gaps_frame(struct gaps *g, const struct frame *frame, int64_t every_ms)
{
    struct gap_device *d = &g->devices[frame->device];
    int64_t most = allowed(&g->site->devices[frame->device], every_ms);
    struct moment oldest = frame->at;

    note_thinned(g, frame, every_ms);

    for (size_t i = 0; i < frame->count; i++) {
        struct moment *last = &g->last[frame->samples[i].point];

        if (last->mono_ms < oldest.mono_ms)
            oldest = *last;
        *last = frame->at;
    }
    if (frame->at.mono_ms - oldest.mono_ms > most) {
        extend(g, frame->device, oldest, frame->at);
        d->silent = d->silent || !frame->heard;
    } else if (d->from.mono_ms >= 0 && frame->at.mono_ms > d->to.mono_ms) {
        tell(g, frame->device);
    }
    if (d->from.mono_ms >= 0)
        d->frames++;
    d->unheard = !frame->heard;
}

void gaps_end(struct gaps *g, struct moment at)
{
    for (uint32_t i = 0; i < g->site->device_count; i++) {
        const struct site_device *device = &g->site->devices[i];
        struct moment oldest = at;

        for (uint32_t p = device->first_point; p < device->first_point + device->point_count; p++) {
            if (g->last[p].mono_ms < oldest.mono_ms)
                oldest = g->last[p];
        }
        if (!device->derived && at.mono_ms - oldest.mono_ms > allowed(device, g->devices[i].every_ms))
            extend(g, i, oldest, at);
        tell(g, i);
        tell_thinned(g, i);
    }
}
