/* What the store has written in the last 24 hours, by the hour: flash memory lives for so many bytes. Pure. */
#ifndef RG_STORE_WEAR_H
#define RG_STORE_WEAR_H

#include <stdint.h>

#include "store/count_vfs.h"

#define WEAR_HOURS 24
#define WEAR_LEAST_MS 60000 /* sooner nothing is said of a day */

struct wear {
    int64_t begun_ms;                    /* monotonic, as all instants here */
    int64_t hour;                        /* since begun_ms, whose share is being gathered */
    struct count_written total;          /* noted so far */
    struct count_written of[WEAR_HOURS]; /* by hour, modulo */
};

void wear_begin(struct wear *w, int64_t now_ms);
/* total: since the beginning; never less than the last time. */
void wear_note(struct wear *w, int64_t now_ms, struct count_written total);
/* A day's worth, by the last 24 hours; while fewer have passed, by what has. -1 each in the first minute. */
void wear_day(const struct wear *w, int64_t now_ms, int64_t *bytes, int64_t *syncs);

#endif
