#include "app/clock_watch.h"

void clock_watch_start(struct clock_watch *c, struct moment now, bool synced)
{
    c->offset_ms = now.wall_ms - now.mono_ms;
    c->synced = synced;
    c->since_ms = now.wall_ms;
}

int64_t clock_watch_look(struct clock_watch *c, struct moment now, bool synced, bool *sync_changed)
{
    int64_t offset = now.wall_ms - now.mono_ms;
    int64_t step = offset - c->offset_ms;

    *sync_changed = synced != c->synced;
    if (*sync_changed)
        c->since_ms = now.wall_ms;
    c->synced = synced;
    c->offset_ms = offset;
    return step >= CLOCK_WATCH_STEP_MS || step <= -CLOCK_WATCH_STEP_MS ? step : 0;
}
