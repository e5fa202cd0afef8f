#include "rules/offline.h"

void offline_init(struct offline *o, const struct site_device *device)
{
    *o = (struct offline){.after_ms = device->offline_after_ms,
                          .start_up_ms = device->start_up_ms,
                          .raises = device->offline_level};
    if (device->point_count == 0)
        o->raises = LEVEL_NONE; /* nothing is read of it */
}

void offline_restore(struct offline *o)
{
    o->level = o->raises;
}

void offline_start(struct offline *o, struct moment now)
{
    o->heard = (struct moment){now.mono_ms + o->start_up_ms, now.wall_ms + o->start_up_ms};
    o->moved = now;
}

bool offline_heard(struct offline *o, struct moment at, struct level_move *move)
{
    if (at.mono_ms > o->heard.mono_ms)
        o->heard = at;
    o->found_silent = false;
    if (o->level == LEVEL_NONE)
        return false;
    if (at.mono_ms > o->moved.mono_ms)
        o->moved = at;
    *move = (struct level_move){.was = o->level, .now = LEVEL_NONE, .at = o->moved};
    o->level = LEVEL_NONE;
    return true;
}

bool offline_unheard(struct offline *o, struct moment at, int64_t poll_ms)
{
    /* A device may answer one request of a poll and not another. */
    if (o->thinned_ms == 0 || o->found_silent || at.mono_ms - o->heard.mono_ms < poll_ms / 2)
        return false;
    o->found_silent = true;
    if (at.mono_ms - poll_ms > o->heard.mono_ms)
        o->heard = (struct moment){at.mono_ms - poll_ms, at.wall_ms - poll_ms};
    return true;
}

static int64_t wait_ms(const struct offline *o)
{
    return o->after_ms + (o->found_silent ? 0 : o->thinned_ms);
}

int64_t offline_deadline(const struct offline *o)
{
    if (o->level != LEVEL_NONE || o->raises == LEVEL_NONE)
        return INT64_MAX;
    return o->heard.mono_ms + wait_ms(o);
}

bool offline_expire(struct offline *o, struct level_move *move)
{
    if (offline_deadline(o) == INT64_MAX)
        return false;
    o->moved = (struct moment){o->heard.mono_ms + wait_ms(o), o->heard.wall_ms + wait_ms(o)};
    *move = (struct level_move){.was = LEVEL_NONE, .now = o->raises, .at = o->moved};
    o->level = o->raises;
    return true;
}
