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
    int64_t shown, before, step, told;

    /* An instant of nobody's clock (the ends of the type mean "never") is left as it is. */
    if (__builtin_sub_overflow(now.wall_ms, now.mono_ms, &shown) ||
        __builtin_sub_overflow(at.wall_ms, at.mono_ms, &before) ||
        __builtin_sub_overflow(shown, before, &step) || __builtin_add_overflow(at.mono_ms, shown, &told))
        return at;
    if (step >= MOMENT_STEP_MS || step <= -MOMENT_STEP_MS)
        at.wall_ms = told;
    return at;
}

#endif
