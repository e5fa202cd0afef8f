/* What is written on the command line. All but parse_options are pure: each gives true, or false for what is none. */
#ifndef RG_CTL_PARSE_H
#define RG_CTL_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/command.h"
#include "ctl/probe_read.h"

/* ---- options of the commands that ask the daemon ---- */

/* What a command takes besides --socket and --json, which all take. */
enum parse_option {
    PARSE_BY = 1 << 0,
    PARSE_COMMENT = 1 << 1,
    PARSE_FOR = 1 << 2,  /* --for: a duration above 0 */
    PARSE_HELP = 1 << 3, /* --help, --version */
};

enum parse_order {
    PARSE_OPTIONS_ANYWHERE, /* among the operands too */
    PARSE_OPTIONS_FIRST,    /* the first operand ends them */
};

struct parse_wanted {
    unsigned options; /* enum parse_option, or-ed */
    enum parse_order order;
    const char *for_example; /* with PARSE_FOR: "30m", for complaints */
};

enum parsed {
    PARSED_GO_ON,
    PARSED_HELP,    /* asked for; what follows was not looked at */
    PARSED_VERSION, /* likewise */
    PARSED_WRONG,   /* which was told on stderr */
};

/* argv[0] is a name. What was given goes into *a, which keeps the rest; operands are what is left over. Uses getopt's globals,
 * and argv's order: no operand stands before an option afterwards, unless order says so. */
enum parsed parse_options(const struct parse_wanted *wanted, int argc, char **argv, struct arguments *a);

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
/* "none" "even" "odd" */
bool parse_parity(const char *text, enum parity *out);
/* An instant, in ms since 1970: "1763780000000", "2025-11-22", "2025-11-22 10:00", "2025-11-22T10:00:30", each of the last two also with
 * "Z" or "+08:00" behind it; without, it is local time. A day alone is its beginning. */
bool parse_time(const char *text, int64_t *out);
/* The same; what is no time is told on standard error. */
bool parse_time_or_tell(const char *text, int64_t *out_ms);

#endif
