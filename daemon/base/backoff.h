/* Capped doubling with jitter, for reconnects and probes. Pure: time and randomness come from outside.
 *
 * The n-th delay is drawn uniformly from [d/2, d] with d = min(cap, first * 2^n): half fixed, half jitter, so that
 * many gateways that lost the same broker do not come back on the same instant, and none comes back at once.
 * ("Equal jitter": M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.) */
#ifndef RG_BASE_BACKOFF_H
#define RG_BASE_BACKOFF_H

#include <stdint.h>

#include "base/random.h"

struct backoff {
    int64_t first_ms;
    int64_t cap_ms;
    uint32_t failures; /* since the last reset */
};

void backoff_init(struct backoff *b, int64_t first_ms, int64_t cap_ms);
/* Counts one failure and returns the delay before the next try, ms, always >= 1. */
int64_t backoff_fail(struct backoff *b, struct rg_random *random);
void backoff_reset(struct backoff *b);

#endif
