/* Times and durations for people. Each writes out and returns it, or a literal. Pure but for the time zone. */
#ifndef RG_CTL_WORDS_H
#define RG_CTL_WORDS_H

#include <stdint.h>

#define WORDS_MAX 96

/* Local wall time with its milliseconds; with its day when that is not today's. 0 and less: "never". */
const char *words_time(int64_t wall_ms, int64_t now_ms, char out[WORDS_MAX]);
/* "250 ms", "3 s", "1.5 s", "15 min", "8 h", "30 d": in the largest unit that says it exactly. */
const char *words_duration(int64_t ms, char out[WORDS_MAX]);
/* "in 88 s" (to the second, from ten seconds on), "now". */
const char *words_until(int64_t wall_ms, int64_t now_ms, char out[WORDS_MAX]);

/* "18:03:11 (31 min)", with its day when that is not today's: an instant, and how long ago it is. */
const char *words_since(int64_t wall_ms, int64_t now_ms, char out[WORDS_MAX]);

#endif
