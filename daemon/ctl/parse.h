/* What is written on the command line. All are pure: each gives true, or false for what is none. */
#ifndef RG_CTL_PARSE_H
#define RG_CTL_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/command.h"
#include "ctl/probe_read.h"

/* ---- what options and operands are made of ---- */

/* "17", "0x11": least to most. */
bool parse_number(const char *text, long least, long most, long *out);
/* "5", "0-20", "0x10-0x1f": from the first to the last, the last included; both within least to most. */
bool parse_span(const char *text, long least, long most, long *first, long *last);
/* Zero-based addresses; at most PROBE_COUNT_MAX of them. */
bool parse_range(const char *text, enum point_space space, struct probe_range *out);
/* The manuals' one-based notation, of one space: "40001", "40001-40021", "300001-300010". */
bool parse_register_range(const char *text, struct probe_range *out);
/* What a register takes: 0 to 65535, 0x0 to 0xffff, -32768 to -1 for signed ones; what a coil takes: on, off, 1, 0. */
bool parse_word(enum point_space space, const char *text, uint16_t *out);
/* Seconds, "2", "0.5", "2s", 0.1 to 3600, into ms. */
bool parse_seconds(const char *text, int64_t *out_ms);
/* "none" "even" "odd" */
bool parse_parity(const char *text, enum parity *out);
/* An instant, in ms since 1970: "1763780000000", "2025-11-22", "2025-11-22 10:00", "2025-11-22T10:00:30", each of the last two also with
 * "Z" or "+08:00" behind it; without, it is local time. A day alone is its beginning. */
bool parse_time(const char *text, int64_t *out);
/* The same; what is no time is told on standard error. */
bool parse_time_or_tell(const char *text, int64_t *out_ms);

#endif
