/* Small pure functions on text. */
#ifndef RG_BASE_TEXT_H
#define RG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TEXT_ID_MAX 64

/* An identifier of the contract: 1 to 64 of [A-Za-z0-9._-]. */
bool text_is_id(const char *text);
bool text_is_utf8(const char *text, size_t length);
/* Bytes (1 to 4) of the well-formed UTF-8 character at the start of text; 0 when there is none (Unicode, table 3-7). */
size_t text_utf8_length(const char *text, size_t length);
/* Glob with '*' (any run, dots included) and '?' (one UTF-8 character); anything else is literal. No backtracking blow-up:
 * O(pattern * text). */
bool text_glob(const char *pattern, const char *text);
bool text_has_glob(const char *pattern); /* contains '*' or '?' */
/* Edit distance (Levenshtein), computed on bytes; both cut at 64 bytes. */
unsigned text_distance(const char *a, const char *b);
/* The name nearest to text, or NULL when none is near enough to be what was meant (distance over max(2, length / 3)). */
const char *text_nearest(const char *text, const char *const *names, size_t count);

/* "250ms" "3s" "15m" "8h" "30d" "3y" (of 365 days) -> milliseconds. An integer and a unit, no space, no sign. RG_EINVAL or RG_ERANGE (over 100 years). */
RG_NODISCARD enum rg_err text_duration(const char *text, int64_t *ms);
/* "0" "512" "64KiB" "8MiB" "4GiB" -> bytes. RG_EINVAL, RG_ERANGE. */
RG_NODISCARD enum rg_err text_size(const char *text, int64_t *bytes);
/* The shortest exact form of a duration: 1500 -> "1500ms", 60000 -> "1m". out needs 32 bytes. Returns out. */
const char *text_format_duration(int64_t ms, char *out);

/* snprintf into a fixed array that always ends in a NUL; true when it fitted. */
bool text_format(char *out, size_t size, const char *format, ...) RG_PRINTF(3, 4);
/* Copies at most size - 1 bytes, never cutting a UTF-8 character, always ends in a NUL; true when it fitted. */
bool text_copy(char *out, size_t size, const char *text);

#endif
