#include "store/wear.h"

#include <string.h>

#define HOUR_MS 3600000
#define DAY_MS ((double)WEAR_HOURS * HOUR_MS)

void wear_begin(struct wear *w, int64_t now_ms)
{
    *w = (struct wear){.begun_ms = now_ms};
}

void wear_note(struct wear *w, int64_t now_ms, struct count_written total)
{
    int64_t hour = (now_ms - w->begun_ms) / HOUR_MS;
    for (int n = 0; w->hour < hour; n++) {
        w->hour = n < WEAR_HOURS ? w->hour + 1 : hour; /* all of them are empty then */
        w->of[w->hour % WEAR_HOURS] = (struct count_written){0};
    }
    struct count_written *now = &w->of[w->hour % WEAR_HOURS];
    now->bytes += total.bytes - w->total.bytes;
    now->syncs += total.syncs - w->total.syncs;
    w->total = total;
}

void wear_day(const struct wear *w, int64_t now_ms, int64_t *bytes, int64_t *syncs)
{
    int64_t passed = now_ms - w->begun_ms, hour = passed / HOUR_MS;
    *bytes = *syncs = -1;
    if (passed < WEAR_LEAST_MS)
        return;
    double b = 0, s = 0;
    for (int64_t h = hour - WEAR_HOURS + 1; h <= w->hour; h++) {
        if (h < 0)
            continue;
        b += (double)w->of[h % WEAR_HOURS].bytes;
        s += (double)w->of[h % WEAR_HOURS].syncs;
    }
    int64_t most = (int64_t)(WEAR_HOURS - 1) * HOUR_MS + passed % HOUR_MS;
    double covered = (double)(passed < most ? passed : most);
    *bytes = (int64_t)(b * DAY_MS / covered);
    *syncs = (int64_t)(s * DAY_MS / covered);
}
