#include "crypto/expiry_stage.h"

#define DAY_MS INT64_C(86400000)

enum expiry_stage expiry_stage(int64_t ends_ms, int64_t now_ms)
{
    if (now_ms > ends_ms)
        return EXPIRY_ENDED;
    if (ends_ms - now_ms <= DAY_MS)
        return EXPIRY_DAY;
    if (ends_ms - now_ms <= 7 * DAY_MS)
        return EXPIRY_WEEK;
    return ends_ms - now_ms <= 30 * DAY_MS ? EXPIRY_MONTH : EXPIRY_FAR;
}

int64_t expiry_days(int64_t ends_ms, int64_t now_ms)
{
    int64_t left = ends_ms - now_ms;

    return left >= 0 ? left / DAY_MS : -((-left + DAY_MS - 1) / DAY_MS);
}

bool expiry_told_step(struct expiry_told *told, int64_t ends_ms, int64_t now_ms, bool synced)
{
    enum expiry_stage stage = expiry_stage(ends_ms, now_ms);
    bool nearer;

    if (told->ends_ms != ends_ms)
        *told = (struct expiry_told){.ends_ms = ends_ms};
    nearer = stage > told->stage;
    if (stage == EXPIRY_FAR || !(nearer || (told->doubtful && synced && stage == told->stage))) {
        /* A clock that was set back, or set right, takes back what was only told in doubt. */
        if (told->doubtful && synced && stage < told->stage)
            *told = (struct expiry_told){.ends_ms = ends_ms, .stage = stage};
        return false;
    }
    told->stage = stage;
    told->doubtful = !synced;
    return true;
}
