/* How much of its time a bus was busy: the share of the last minute that its transactions took, with the silence that has
 * to follow each. Pure: times are monotonic microseconds. */
#ifndef RG_POLL_METER_H
#define RG_POLL_METER_H

#include <stdint.h>

#define METER_SLOTS 12
#define METER_SLOT_US 5000000

struct meter {
    int64_t since_us;          /* measured from here on */
    int64_t slot;              /* number of the newest slot, from the clock's beginning */
    int64_t from_us, until_us; /* busy, and not counted yet: the end may lie ahead */
    int64_t busy[METER_SLOTS]; /* microseconds, by number modulo METER_SLOTS */
};

void meter_start(struct meter *m, int64_t now_us);
/* Busy from begin_us, which has passed, to end_us, which may lie ahead; begins are in order. What overlaps (the silence that
 * the next transaction waited for) counts once. */
void meter_add(struct meter *m, int64_t begin_us, int64_t end_us);
/* 0 to 1, over the last 55 to 60 seconds, or since the start when that is shorter; *window_us (may be NULL) says which. */
double meter_share(struct meter *m, int64_t now_us, int64_t *window_us);

#endif
