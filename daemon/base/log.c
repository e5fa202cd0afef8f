#include "base/log.h"

#include <errno.h>
#include <poll.h>
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
#include "base/log_queue.h"
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

/* ---- where a line goes ---- */

/* False: there is no journal, or it does not take it. */
static bool log_sunk(const struct log_line *line)
{
    log_sink_cb sink = atomic_load_explicit(&log_sink_now, memory_order_acquire);
    char text[LOG_LINE_MAX];
    const size_t length = line->length - (size_t)(line->text - line->line) - 1;

    if (!sink || !log_is_journal())
        return false;
    memcpy(text, line->text, length);
    text[length] = '\0'; /* in the place of the line's end */
    return sink(levels[line->level].priority, line->about, text);
}

/* Standard error may be somebody's terminal or pipe that was told not to block: then it is waited for. */
static void log_write_out(const char *line, size_t length)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

    while (length > 0) {
        const ssize_t done = write(STDERR_FILENO, line, length);

        if (done > 0) {
            line += done;
            length -= (size_t)done;
        } else if (done < 0 && errno == EAGAIN) {
            (void)poll(&room, 1, -1);
        } else if (done == 0 || errno != EINTR) {
            return;
        }
    }
}

static void log_take(const struct log_line *line)
{
    if (!log_sunk(line))
        log_write_out(line->line, line->length);
}

/* ---- a line ---- */

/* line: LOG_LINE_MAX bytes. */
RG_PRINTF(4, 0)
static void log_form(char *line, enum log_level level, struct log_line *out, const char *format, va_list args)
{
    const int saved = errno; /* the format's %m */
    const size_t start = log_prefix(level, line, LOG_LINE_MAX);
    size_t length;
    int wanted;

    errno = saved;
    wanted = vsnprintf(line + start, LOG_LINE_MAX - start, format, args);
    if (wanted < 0)
        length = start;
    else if ((size_t)wanted < LOG_LINE_MAX - start)
        length = start + (size_t)wanted;
    else
        length = start + log_cut(line + start, LOG_LINE_MAX - start);
    for (size_t i = start; i < length; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    }
    line[length] = '\0';
    secret_hide(line + start);
    line[length++] = '\n'; /* in the place of the NUL */
    out->level = level;
    out->line = line;
    out->text = line + start;
    out->length = length;
}

RG_PRINTF(3, 0)
static void log_line(enum log_level level, const struct log_about *about, const char *format, va_list args)
{
    struct log_line line = {.about = about};
    const int saved = errno; /* the caller's */
    char text[LOG_LINE_MAX];

    log_form(text, level, &line, format, args);
    if (!log_queue_put(&line))
        log_take(&line);
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

/* ---- through the queue ---- */

/* On the queue's thread, and in its place in the log: around the queue. */
RG_PRINTF(1, 2)
static void log_past_queue(const char *format, ...)
{
    static const struct log_about nothing = {.device = NULL};
    struct log_line line = {.about = &nothing};
    char text[LOG_LINE_MAX];
    va_list args;

    va_start(args, format);
    log_form(text, LOG_LEVEL_WARNING, &line, format, args);
    va_end(args);
    log_take(&line);
}

static void log_told_lost(uint64_t lines)
{
    log_past_queue("%ju line%s of the log %s missing here: what came before was not taken fast enough",
                   (uintmax_t)lines, lines == 1 ? "" : "s", lines == 1 ? "is" : "are");
}

enum rg_err log_start(void)
{
    const struct log_taker taker = {.take = log_take, .lost = log_told_lost};

    return log_queue_start(&taker);
}

void log_stop(void)
{
    (void)log_queue_stop(LOG_STOP_MS); /* whom should it be told to that the log stands still? */
}

uint64_t log_lost(void)
{
    return log_queue_lost();
}
