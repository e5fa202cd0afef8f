/* Reading JSON, over cJSON (whose only home this is). Bounded: text over max_bytes or deeper than JSON_DEPTH_MAX levels is
 * refused, and so is what two readers might understand differently: a key twice in one object, a NUL (\u0000 too), and
 * whatever cJSON lets pass that RFC 8259 does not. */
#ifndef RG_BASE_JSON_READ_H
#define RG_BASE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define JSON_DEPTH_MAX 32 /* arrays and objects inside each other */

struct json; /* a node; the root is freed with json_free, other nodes belong to their root */

/* RG_EINVAL: not one JSON value, trailing bytes, invalid UTF-8, a NUL inside or a key twice (and memory that ran out inside
 * cJSON, which does not tell); RG_ERANGE: too long or too deep; RG_ENOMEM. *out is NULL then. text needs no NUL. */
RG_NODISCARD enum rg_err json_parse(const char *text, size_t length, size_t max_bytes, struct json **out);
void json_free(struct json *root); /* takes NULL */

/* Members of an object; NULL when json is NULL, not an object or without that member. */
const struct json *json_get(const struct json *json, const char *key);
/* Elements of an array or object, in order: first child, next sibling. */
const struct json *json_first(const struct json *json);
const struct json *json_next(const struct json *json);
const char *json_key(const struct json *json); /* its name inside its object, or NULL */
size_t json_size(const struct json *json);     /* elements of an array or object, else 0 */

bool json_is_null(const struct json *json);
bool json_is_object(const struct json *json);
bool json_is_array(const struct json *json);
bool json_is_bool(const struct json *json);
bool json_is_number(const struct json *json); /* a finite one: 1e999 is none */
/* All take NULL. */
const char *json_string(const struct json *json); /* NULL when it is no string */
bool json_bool(const struct json *json, bool otherwise);
double json_double(const struct json *json, double otherwise);
/* Integers are exact below 2^53; a number with a fraction or beyond gives otherwise (2^53 could be 2^53 + 1, rounded). */
int64_t json_int(const struct json *json, int64_t otherwise);

#endif
