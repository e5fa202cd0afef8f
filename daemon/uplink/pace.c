#include "uplink/pace.h"

#include <math.h>

static double tokens_at(const struct pace *p, int64_t now_ms)
{
    const int64_t passed = now_ms > p->at_ms ? now_ms - p->at_ms : 0;
    const double tokens = p->tokens + p->rate * (double)passed / 1000.0;

    return tokens < p->burst ? tokens : p->burst;
}

void pace_init(struct pace *p, double rate, size_t most, int64_t now_ms)
{
    const double limit = (double)(most > 0 ? most : 1);

    p->rate = isfinite(rate) && rate > 0 ? rate : 0;
    p->burst = p->rate > 0 ? fmin(fmax(ceil(p->rate), 1), limit) : limit;
    p->tokens = p->burst;
    p->at_ms = now_ms;
}

size_t pace_batch(const struct pace *p)
{
    return (size_t)p->burst;
}

int64_t pace_wait(const struct pace *p, size_t records, int64_t now_ms)
{
    if (p->rate <= 0)
        return 0;

    const double wanted = fmin((double)records, p->burst);
    const double missing = wanted - tokens_at(p, now_ms);

    /* A hair of a token is rounding, not a reason to wait. */
    return missing <= 1e-9 ? 0 : (int64_t)ceil(missing * 1000.0 / p->rate);
}

void pace_take(struct pace *p, size_t records, int64_t now_ms)
{
    if (p->rate <= 0)
        return;
    p->tokens = tokens_at(p, now_ms) - (double)records;
    if (now_ms > p->at_ms)
        p->at_ms = now_ms;
}
