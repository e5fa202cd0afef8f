/* Members of the daemon's answers, as text for people. */
#ifndef RG_CTL_FIELD_H
#define RG_CTL_FIELD_H

#include <stdint.h>

#include "base/json_read.h"

#define FIELD_TIME 40

const char *field_text(const struct json *json, const char *key); /* "-" when there is none */
int64_t field_int(const struct json *json, const char *key);      /* 0 when there is none */
/* Local time, since it is for the person in front of the cabinet; "never" when there is none. Returns out (FIELD_TIME bytes)
 * or a constant. */
const char *field_time(const struct json *json, const char *key, char *out);

#endif
