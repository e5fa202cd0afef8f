/* Tells when the system clock was stepped, and when it became synchronised or ceased to be. Pure. */
#ifndef RG_APP_CLOCK_WATCH_H
#define RG_APP_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "model/moment.h"

#define CLOCK_WATCH_STEP_MS MOMENT_STEP_MS

struct clock_watch {
    int64_t offset_ms; /* wall - monotonic at the last look */
    bool synced;
    int64_t since_ms; /* wall: since then it is, or is not; as the clock went then */
};

void clock_watch_start(struct clock_watch *c, struct moment now, bool synced);
/* The step since the last look, ms (positive: forward), or 0 when there was none. *sync_changed: c->synced is new. */
int64_t clock_watch_look(struct clock_watch *c, struct moment now, bool synced, bool *sync_changed);

#endif
