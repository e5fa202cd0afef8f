#include "ctl/words.h"

#include <inttypes.h>
#include <time.h>

#include "base/text.h"

const char *words_time(int64_t ms, int64_t now_ms, char out[WORDS_MAX])
{
    time_t seconds = (time_t)(ms / 1000), today = (time_t)(now_ms / 1000);
    struct tm local, now;
    char text[32];

    if (ms <= 0 || !localtime_r(&seconds, &local) || !localtime_r(&today, &now))
        return "never";
    if (strftime(text, sizeof text,
                 local.tm_year == now.tm_year && local.tm_yday == now.tm_yday ? "%H:%M:%S"
                                                                              : "%Y-%m-%d %H:%M:%S",
                 &local) == 0)
        return "never";
    (void)text_format(out, WORDS_MAX, "%s.%03d", text, (int)(ms % 1000));
    return out;
}

const char *words_duration(int64_t ms, char out[WORDS_MAX])
{
    if (ms >= 86400000 && ms % 86400000 == 0)
        (void)text_format(out, WORDS_MAX, "%" PRId64 " d", ms / 86400000);
    else if (ms >= 3600000 && ms % 3600000 == 0)
        (void)text_format(out, WORDS_MAX, "%" PRId64 " h", ms / 3600000);
    else if (ms >= 60000 && ms % 60000 == 0)
        (void)text_format(out, WORDS_MAX, "%" PRId64 " min", ms / 60000);
    else if (ms >= 1000)
        (void)text_format(out, WORDS_MAX, "%.10g s", (double)ms / 1000);
    else
        (void)text_format(out, WORDS_MAX, "%" PRId64 " ms", ms);
    return out;
}

const char *words_until(int64_t ms, int64_t now_ms, char out[WORDS_MAX])
{
    char text[WORDS_MAX];

    if (ms <= now_ms)
        return "now";
    (void)text_format(out, WORDS_MAX, "in %s",
                      words_duration(ms - now_ms < 10000 ? ms - now_ms : (ms - now_ms) / 1000 * 1000, text));
    return out;
}
