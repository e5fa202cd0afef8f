/* How long the last transactions took: a window and its percentiles. Pure. */
#ifndef RG_POLL_DURATIONS_H
#define RG_POLL_DURATIONS_H

#include <stddef.h>
#include <stdint.h>

#define DURATIONS_WINDOW 512

struct durations {
    uint32_t us[DURATIONS_WINDOW];
    size_t count; /* filled */
    size_t next;  /* where the next one goes */
};

/* Negative counts as 0, more than UINT32_MAX us (71 minutes) as that. */
void durations_add(struct durations *d, int64_t us);
/* The nearest-rank percentiles: the smallest duration that at least 50 (99) of 100 do not exceed. 0 when
 * there is none. */
void durations_percentiles(const struct durations *d, int64_t *p50_us, int64_t *p99_us);

#endif
