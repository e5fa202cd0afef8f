#include "base/clock.h"

#include <sys/timex.h>
#include <time.h>

#include "base/clock_told.h"
#include "base/text.h"

static int64_t clock_read_us(clockid_t id)
{
    struct timespec now = {0, 0};

    /* Cannot fail for these two clocks on Linux. */
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t clock_wall_ms(void)
{
    return clock_read_us(CLOCK_REALTIME) / 1000;
}

/* Set once, before any thread begins: what a process may ask the kernel does not change while it runs. */
static const clock_told *followed;

bool clock_synced(void)
{
    struct timex state = {.modes = 0};

    if (followed)
        return clock_told_synced(followed, clock_mono_ms());
    return adjtimex(&state) >= 0 && !(state.status & STA_UNSYNC);
}

enum rg_err clock_follow(const char *path)
{
    struct timex state = {.modes = 0};

    if (adjtimex(&state) >= 0)
        return RG_OK;
    return path ? clock_told_open(path, &followed) : RG_EPERM;
}

const char *clock_format_utc(int64_t wall_ms, char *out)
{
    int64_t ms = wall_ms % 1000;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    if (!gmtime_r(&seconds, &tm) ||
        !text_format(out, 32, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms))
        (void)text_copy(out, 32, "?");
    return out;
}
