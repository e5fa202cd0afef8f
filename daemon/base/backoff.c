#include "base/backoff.h"

void backoff_init(struct backoff *b, int64_t first_ms, int64_t cap_ms)
{
    b->first_ms = first_ms > 1 ? first_ms : 1;
    b->cap_ms = cap_ms > b->first_ms ? cap_ms : b->first_ms;
    b->failures = 0;
}

int64_t backoff_fail(struct backoff *b, struct rg_random *random)
{
    int64_t full = b->first_ms;
    int64_t half;

    for (uint32_t i = 0; i < b->failures && full < b->cap_ms; i++)
        full = full > b->cap_ms / 2 ? b->cap_ms : full * 2;
    if (b->failures < UINT32_MAX)
        b->failures++;
    half = full / 2 + full % 2;
    return half + (int64_t)random_below(random, (uint64_t)(full - half) + 1);
}

void backoff_reset(struct backoff *b)
{
    b->failures = 0;
}
