#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"

static const struct {
    const char *name;
    int priority; /* of syslog(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

static _Atomic int log_level_now = LOG_LEVEL_INFO;
static _Atomic(log_sink_cb) log_sink_now; /* none */

void log_set_sink(log_sink_cb sink)
{
    atomic_store_explicit(&log_sink_now, sink, memory_order_release);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level_now, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

enum rg_err log_level_parse(const char *name, enum log_level *out)
{
    for (size_t i = 0; i < RG_COUNT(levels); i++) {
        if (strcmp(name, levels[i].name) == 0) {
            *out = (enum log_level)i;
            return RG_OK;
        }
    }
    return RG_ENOTFOUND;
}

const char *log_level_name(enum log_level level)
{
    return (size_t)level < RG_COUNT(levels) ? levels[level].name : "?";
}

/* Asked at each line: standard error may have been redirected since. */
bool log_is_journal(void)
{
    const char *named = getenv("JOURNAL_STREAM");
    char actual[64];
    struct stat st;

    if (!named || fstat(STDERR_FILENO, &st) != 0)
        return false;
    return text_format(actual, sizeof actual, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino) &&
           strcmp(named, actual) == 0;
}

static size_t log_prefix(enum log_level level, char *line, size_t size)
{
    int64_t now = clock_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm tm;
    char stamp[32];

    if (log_is_journal()) {
        (void)text_format(line, size, "<%d>", levels[level].priority);
    } else {
        if (!localtime_r(&seconds, &tm) || strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm) == 0)
            (void)text_copy(stamp, sizeof stamp, "?");
        (void)text_format(line, size, "%s.%03d %s ", stamp, (int)(now % 1000), levels[level].name);
    }
    return strlen(line);
}

/* Cuts the text so that "..." fits behind it, not inside a UTF-8 character. */
static size_t log_cut(char *text, size_t size)
{
    static const char dots[] = "...";
    size_t length = size - sizeof dots;

    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    memcpy(text + length, dots, sizeof dots);
    return length + sizeof dots - 1;
}

/* False: there is no journal, or it does not take it. */
static bool log_sunk(enum log_level level, const struct log_about *about, const char *text)
{
    log_sink_cb sink = atomic_load_explicit(&log_sink_now, memory_order_acquire);

    return sink && log_is_journal() && sink(levels[level].priority, about, text);
}

RG_PRINTF(3, 0)
static void log_line(enum log_level level, const struct log_about *about, const char *format, va_list args)
{
    char line[LOG_LINE_MAX];
    size_t start;
    size_t length;
    int saved = errno; /* the format's %m, and the caller's */
    int wanted;

    start = log_prefix(level, line, sizeof line);
    errno = saved;
    wanted = vsnprintf(line + start, sizeof line - start, format, args);
    if (wanted < 0)
        length = start;
    else if ((size_t)wanted < sizeof line - start)
        length = start + (size_t)wanted;
    else
        length = start + log_cut(line + start, sizeof line - start);
    for (size_t i = start; i < length; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    }
    line[length] = '\0';
    secret_hide(line + start);
    if (!log_sunk(level, about, line + start)) {
        line[length++] = '\n'; /* in the place of the NUL */
        while (write(STDERR_FILENO, line, length) < 0 && errno == EINTR)
            continue;
    }
    errno = saved;
}

static bool log_wants(enum log_level level)
{
    return level <= log_get_level() && (size_t)level < RG_COUNT(levels);
}

void log_write(enum log_level level, const char *format, ...)
{
    static const struct log_about nothing = {.device = NULL};
    va_list args;

    if (!log_wants(level))
        return;
    va_start(args, format);
    log_line(level, &nothing, format, args);
    va_end(args);
}

void log_tell(enum log_level level, const struct log_about *about, const char *format, ...)
{
    va_list args;

    if (!log_wants(level))
        return;
    va_start(args, format);
    log_line(level, about, format, args);
    va_end(args);
}
