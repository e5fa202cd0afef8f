/* The log: one line an event on standard error, from any thread.
 *
 * At first a line is written by the caller, with one write(2). From log_start on that is done by a thread of the log's own, so that nobody waits
 * for a journal that stands still or a pipe that is not read (log_queue.h).
 *
 * Under systemd (JOURNAL_STREAM names the device and inode of standard error, systemd.exec(5)) each line goes to the sink, if there
 * is one, which gives it to the journal with what it is about as fields of its own; without one it begins with the journal's
 * "<N>" priority; otherwise with a local timestamp and the level's name. What looks like a password in it is written as '*' (secret.h). Control characters (below 0x20, and
 * 0x7f) in a message are written as '?', so that one event stays one line. A line over LOG_LINE_MAX bytes is cut, and ends
 * in "...".
 * The level, the sink and the queue beside it are the only mutable globals of the project (but for base/clock.c's, which is set once); set at start, the level also at reload (atomic). */
#ifndef RG_BASE_LOG_H
#define RG_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define LOG_LINE_MAX 2048
#define LOG_STOP_MS 2000 /* so long a log that is not taken may hold up the end of the process */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "error" "warning" "info" "debug" -> level; RG_ENOTFOUND otherwise. */
RG_NODISCARD enum rg_err log_level_parse(const char *name, enum log_level *out);
const char *log_level_name(enum log_level level);

/* What a line is about; NULL: not about that. The line names it as well: fields are for those who search. */
struct log_about {
    const char *bus, *device, *point, *rule, *area, *alarm, *output, *uplink;
    const char *message_id; /* 32 hex digits of its kind, the same for ever; see sd-id128(3) */
};

/* The journal: takes a line (without prefix or end) of syslog's priority. about is never NULL. False: it could not. */
typedef bool (*log_sink_cb)(int priority, const struct log_about *about, const char *text);
void log_set_sink(log_sink_cb sink); /* NULL: none */
/* Whether standard error is the journal, now. */
bool log_is_journal(void);

/* From here on no line is waited for. RG_ENOMEM: no thread can be had, all stays as it was; RG_ESTATE: it was called before. */
RG_NODISCARD enum rg_err log_start(void);
/* The last call: what was logged is taken, unless that takes longer than LOG_STOP_MS. */
void log_stop(void);
/* Lines that were lost because what came before them was not taken; each gap is told in its place in the log. */
uint64_t log_lost(void);

void log_write(enum log_level level, const char *format, ...) RG_PRINTF(2, 3);
void log_tell(enum log_level level, const struct log_about *about, const char *format, ...) RG_PRINTF(3, 4);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                                       \
    do {                                                                                                     \
        if (log_get_level() >= LOG_LEVEL_DEBUG)                                                              \
            log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                                         \
    } while (0)

#endif
