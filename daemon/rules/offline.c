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
    if (o->level == LEVEL_NONE)
        return false;
    if (at.mono_ms > o->moved.mono_ms)
        o->moved = at;
    *move = (struct level_move){.was = o->level, .now = LEVEL_NONE, .at = o->moved};
    o->level = LEVEL_NONE;
    return true;
}

int64_t offline_deadline(const struct offline *o)
{
    if (o->level != LEVEL_NONE || o->raises == LEVEL_NONE)
        return INT64_MAX;
    return o->heard.mono_ms + o->after_ms;
}

bool offline_expire(struct offline *o, struct level_move *move)
{
    if (offline_deadline(o) == INT64_MAX)
        return false;
    o->moved = (struct moment){o->heard.mono_ms + o->after_ms, o->heard.wall_ms + o->after_ms};
    *move = (struct level_move){.was = LEVEL_NONE, .now = o->raises, .at = o->moved};
    o->level = o->raises;
    return true;
}
