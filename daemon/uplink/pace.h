/* A token bucket: how fast back-fill may go. Pure: time is an argument, monotonic ms. */
#ifndef RG_UPLINK_PACE_H
#define RG_UPLINK_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
    double rate;  /* records a second; 0: no limit */
    double burst; /* the bucket's size, records: one message */
    double tokens;
    int64_t at_ms; /* when tokens was right */
};

/* rate: records a second; 0 (or less): no limit. most: records that one message may hold at most. The bucket
 * begins full. */
void pace_init(struct pace *p, double rate, size_t most, int64_t now_ms);
/* How many records one paced message should hold: a second's worth, within 1 and `most`, so that a low rate
 * gives small messages often, not a large one now and then. */
size_t pace_batch(const struct pace *p);
/* ms until `records` may go: 0 means now. More than the bucket holds may go as soon as it is full. */
int64_t pace_wait(const struct pace *p, size_t records, int64_t now_ms);
/* They went (the bucket may fall below zero, which later ones wait for). */
void pace_take(struct pace *p, size_t records, int64_t now_ms);

#endif
