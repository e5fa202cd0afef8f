/* Single values out of their text. Pure: no issue is reported here. */
#ifndef RG_CONFIG_VALUE_H
#define RG_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/site.h"

enum value_verdict {
    VALUE_GOOD,
    VALUE_NOT,          /* nothing of the kind */
    VALUE_TOO_LARGE,    /* does not fit the C type */
    VALUE_LEADING_ZERO, /* octal to some readers, decimal to others */
};

/* [-+]digits without leading zeros, or 0x and hex digits. */
enum value_verdict value_int(const char *text, int64_t *out);
/* A JSON-like number, finite; "+1", ".5" and "5." too. */
enum value_verdict value_number(const char *text, double *out);
/* "200/s" -> 200; "unlimited" -> 0. */
enum value_verdict value_rate(const char *text, double *out);

/* "00:05" -> 5, the minute of the day; "none" -> -1. *out is only set on VALUE_GOOD. */
enum value_verdict value_time(const char *text, int16_t *out);

/* The line's address parts: "host:port", "[IPv6]:port". `port` is left as it is when the text has none. */
enum endpoint_verdict {
    ENDPOINT_GOOD,
    ENDPOINT_NO_PORT, /* only a host */
    ENDPOINT_BAD_PORT,
    ENDPOINT_BAD_HOST,
    ENDPOINT_BARE_IPV6, /* several colons, no brackets */
};
#define ENDPOINT_HOST_MAX 256
enum endpoint_verdict value_endpoint(const char *text, char host[ENDPOINT_HOST_MAX], uint16_t *port);
bool value_is_loopback(const char *host);

/* "40001" -> holding register 0. Five or six digits, the first 0, 1, 3 or 4. */
bool value_register(const char *text, enum point_space *space, uint16_t *address);

/* scale and offset as they are written (NULL: 1 and 0) -> integers over a power of ten, exact in doubles;
 * where 15 digits or the exponents do not allow that, the nearest doubles over 1. Both texts passed
 * value_number. */
struct scaling value_scaling(const char *scale, const char *offset);

#endif
