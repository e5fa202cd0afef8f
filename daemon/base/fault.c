#include "base/fault.h"

static void take_swallowed(struct fault *f, uint32_t *times)
{
    *times = f->swallowed;
    f->swallowed = 0;
}

static void tell(struct fault *f, int64_t now_ms, uint32_t *times)
{
    take_swallowed(f, times);
    f->told = true;
    f->next_ms = now_ms + f->gap_ms;
    f->gap_ms = f->gap_ms * 2 < FAULT_LAST_GAP_MS ? f->gap_ms * 2 : FAULT_LAST_GAP_MS;
}

enum fault_line fault_begin(struct fault *f, int64_t now_ms, uint32_t *times)
{
    bool before = f->known;

    *times = 0;
    if (!before)
        *f = (struct fault){.known = true, .next_ms = now_ms, .gap_ms = FAULT_FIRST_GAP_MS};
    if (!f->bad)
        f->since_ms = now_ms;
    if (f->bad || now_ms < f->next_ms) {
        f->bad = true;
        f->swallowed += f->swallowed < UINT32_MAX;
        return FAULT_NOTHING;
    }
    f->bad = true;
    tell(f, now_ms, times);
    return before ? FAULT_AGAIN : FAULT_NEW;
}

enum fault_line fault_end(struct fault *f, int64_t now_ms)
{
    bool told = f->told;

    if (!f->bad)
        return FAULT_NOTHING;
    f->bad = f->told = false;
    f->ended_ms = now_ms;
    return told ? FAULT_END : FAULT_NOTHING;
}

enum fault_line fault_look(struct fault *f, int64_t now_ms, uint32_t *times)
{
    *times = 0;
    if (!f->known || now_ms < f->next_ms)
        return FAULT_NOTHING;
    if (f->bad) {
        tell(f, now_ms, times);
        return FAULT_STILL;
    }
    if (now_ms - f->ended_ms < FAULT_QUIET_MS)
        return FAULT_NOTHING;
    take_swallowed(f, times);
    *f = (struct fault){.known = false};
    return *times > 0 ? FAULT_OVER : FAULT_NOTHING;
}
