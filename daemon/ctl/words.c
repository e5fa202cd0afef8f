#include "ctl/words.h"

#include <inttypes.h>
#include <string.h>
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

/* In the two largest units that say enough. */
static void rough_duration(int64_t ms, char out[WORDS_MAX])
{
    const int64_t s = ms / 1000;

    if (s >= 86400)
        (void)text_format(out, WORDS_MAX, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        (void)text_format(out, WORDS_MAX, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        (void)text_format(out, WORDS_MAX, "%" PRId64 " min", s / 60);
    else
        (void)text_format(out, WORDS_MAX, "%" PRId64 " s", s);
}

const char *words_since(int64_t ms, int64_t now_ms, char out[WORDS_MAX])
{
    char at[WORDS_MAX], ago[WORDS_MAX];
    const char *text = words_time(ms, now_ms, at);
    const char *dot = strrchr(text, '.');
    const int length = dot ? (int)(dot - text) : (int)strlen(text);

    if (now_ms < ms) {
        (void)text_format(out, WORDS_MAX, "%.*s", length, text);
        return out;
    }
    rough_duration(now_ms - ms, ago);
    (void)text_format(out, WORDS_MAX, "%.*s (%.40s)", length, text, ago);
    return out;
}
