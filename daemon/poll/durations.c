#include "poll/durations.h"

#include <stdlib.h>
#include <string.h>

void durations_add(struct durations *d, int64_t us)
{
    if (us < 0)
        us = 0;
    d->us[d->next] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    d->next = (d->next + 1) % DURATIONS_WINDOW;
    if (d->count < DURATIONS_WINDOW)
        d->count++;
}

static int compare_cb(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

void durations_percentiles(const struct durations *d, int64_t *p50_us, int64_t *p99_us)
{
    uint32_t sorted[DURATIONS_WINDOW];

    *p50_us = 0;
    *p99_us = 0;
    if (d->count == 0)
        return;
    memcpy(sorted, d->us, d->count * sizeof(sorted[0]));
    qsort(sorted, d->count, sizeof(sorted[0]), compare_cb);
    *p50_us = sorted[(d->count * 50 + 99) / 100 - 1];
    *p99_us = sorted[(d->count * 99 + 99) / 100 - 1];
}
