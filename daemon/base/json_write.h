/* A JSON writer on the hot path: appends to a growing or fixed buffer, no tree.
 *
 * Commas are placed by the writer. After an error every further call does nothing and jsonw_error tells: check once, at the
 * end. RG_ENOMEM: out of memory; RG_EFULL: the fixed buffer or the limit is reached; RG_ESTATE: bad nesting (a value
 * without a key in an object, a key elsewhere, an end that does not match, deeper than JSONW_DEPTH).
 * Outside of any object or array, keys and several values are allowed: a fragment, such as the members of an object without
 * its braces. Strings must be UTF-8; invalid bytes are written as U+FFFD, one for each. */
#ifndef RG_BASE_JSON_WRITE_H
#define RG_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define JSONW_DEPTH 16 /* at most 32: struct jsonw.kinds */

struct jsonw {
    char *text;    /* the JSON so far, always terminated by a NUL once something was written */
    size_t length; /* without the NUL */
    size_t capacity;
    size_t limit;   /* the buffer never grows past this many bytes */
    bool fixed;     /* text belongs to the caller and does not grow */
    bool comma;     /* a comma is due before the next value */
    bool keyed;     /* a key was written and its value is due */
    uint8_t depth;  /* objects and arrays that are open */
    uint32_t kinds; /* bit d: what is open at depth d + 1 is an object */
    enum rg_err error;
};

/* A buffer of its own, grown by doubling up to limit bytes (0: 64 MiB). Free with jsonw_free. */
void jsonw_init(struct jsonw *w, size_t limit);
/* Writes into the caller's memory. */
void jsonw_init_fixed(struct jsonw *w, char *memory, size_t capacity);
void jsonw_free(struct jsonw *w);
/* Its text, NUL-terminated, which is the caller's from now on (free); the writer is empty. Not of the caller's memory. NULL: nothing was
 * written. */
char *jsonw_take(struct jsonw *w);
/* Empties it, keeping the memory and forgetting an error. */
void jsonw_reset(struct jsonw *w);
enum rg_err jsonw_error(const struct jsonw *w);

void jsonw_object_begin(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array_begin(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);

void jsonw_null(struct jsonw *w);
void jsonw_bool(struct jsonw *w, bool value);
void jsonw_int(struct jsonw *w, int64_t value);
void jsonw_uint(struct jsonw *w, uint64_t value);
/* The shortest decimal that reads back as the same double ("12.3", "31.5", "1e-7", "-0" is "0"); null for NaN and infinities. */
void jsonw_double(struct jsonw *w, double value);
/* The shortest decimal that reads back as the same float: 10802.12, not 10802.1201171875. */
void jsonw_float(struct jsonw *w, float value);
void jsonw_string(struct jsonw *w, const char *value); /* null when value is NULL */
void jsonw_string_n(struct jsonw *w, const char *value, size_t length);
/* text is one complete JSON value already. */
void jsonw_raw(struct jsonw *w, const char *text, size_t length);

/* Key and value in one call. */
void jsonw_key_bool(struct jsonw *w, const char *key, bool value);
void jsonw_key_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_key_double(struct jsonw *w, const char *key, double value);
void jsonw_key_string(struct jsonw *w, const char *key, const char *value);
/* For the points of a record, in one go. id: letters, digits, "._-" (text_is_id); single: as jsonw_float. */
void jsonw_id_number(struct jsonw *w, const char *id, double value, bool single);
/* null unless it is above 0: for times and sequence numbers, of which 0 means none. */
void jsonw_key_positive(struct jsonw *w, const char *key, int64_t value);
void jsonw_key_null(struct jsonw *w, const char *key);

#endif
