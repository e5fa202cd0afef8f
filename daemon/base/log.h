/* The log: one line an event on standard error, written with one write(2), from any thread.
 *
 * Under systemd (JOURNAL_STREAM names the device and inode of standard error, systemd.exec(5)) each line begins with the
 * journal's "<N>" priority; otherwise with a local timestamp and the level's name. Control characters (below 0x20, and
 * 0x7f) in a message are written as '?', so that one event stays one line. A line over LOG_LINE_MAX bytes is cut, and ends
 * in "...".
 * The level is the only mutable global of the project and is set once at start and at reload (atomic). */
#ifndef RG_BASE_LOG_H
#define RG_BASE_LOG_H

#include "base/error.h"

#define LOG_LINE_MAX 2048

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "error" "warning" "info" "debug" -> level; RG_ENOTFOUND otherwise. */
RG_NODISCARD enum rg_err log_level_parse(const char *name, enum log_level *out);
const char *log_level_name(enum log_level level);

void log_write(enum log_level level, const char *format, ...) RG_PRINTF(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                                       \
    do {                                                                                                     \
        if (log_get_level() >= LOG_LEVEL_DEBUG)                                                              \
            log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                                         \
    } while (0)

#endif
