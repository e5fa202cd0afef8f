/* An instant on both clocks. Intervals, delays and grids use mono_ms only; wall_ms is a stamp and nothing else. */
#ifndef RG_MODEL_MOMENT_H
#define RG_MODEL_MOMENT_H

#include <stdint.h>

/* The clocks run apart by this much and more only when the wall clock was set; slewing stays far below it for hours. */
#define MOMENT_STEP_MS 1000

struct moment {
    int64_t mono_ms; /* monotonic clock */
    int64_t wall_ms; /* milliseconds since 1970-01-01 UTC */
};

/* An instant on the wall clock as `now` shows it: what was worked out from an earlier reading has another wall time when the clock was
 * set meanwhile. */
static inline struct moment moment_told(struct moment at, struct moment now)
{
    int64_t shown = now.wall_ms - now.mono_ms, step = shown - (at.wall_ms - at.mono_ms);

    if (step >= MOMENT_STEP_MS || step <= -MOMENT_STEP_MS)
        at.wall_ms = at.mono_ms + shown;
    return at;
}

#endif
