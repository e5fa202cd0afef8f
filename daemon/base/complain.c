#include "base/complain.h"

bool complain_raise(struct complaint *c, int64_t now_ms, uint32_t *swallowed)
{
    if (!c->active) {
        *c = (struct complaint){
            .active = true,
            .next_ms = now_ms + COMPLAIN_FIRST_GAP_MS,
            .gap_ms = (int64_t)COMPLAIN_FIRST_GAP_MS * 2,
            .since_ms = now_ms,
        };
        if (swallowed)
            *swallowed = 0;
        return true;
    }
    if (now_ms < c->next_ms) {
        if (c->swallowed < UINT32_MAX)
            c->swallowed++;
        return false;
    }
    if (swallowed)
        *swallowed = c->swallowed;
    c->swallowed = 0;
    c->next_ms = now_ms + c->gap_ms;
    c->gap_ms = c->gap_ms * 2 < COMPLAIN_LAST_GAP_MS ? c->gap_ms * 2 : COMPLAIN_LAST_GAP_MS;
    return true;
}

bool complain_release(struct complaint *c)
{
    bool was = c->active;

    *c = (struct complaint){.active = false};
    return was;
}
