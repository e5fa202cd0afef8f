/* An instant on both clocks. Intervals, delays and grids use mono_ms only; wall_ms is a stamp and nothing else. */
#ifndef RG_MODEL_MOMENT_H
#define RG_MODEL_MOMENT_H

#include <stdint.h>

struct moment {
    int64_t mono_ms; /* monotonic clock */
    int64_t wall_ms; /* milliseconds since 1970-01-01 UTC */
};

#endif
