#include "config/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum value_verdict value_int(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    const char *valid = hex ? "0123456789abcdefABCDEF" : "0123456789";
    char *end;
    long long value;

    if (hex)
        digits += 2;
    if (*digits == '\0' || digits[strspn(digits, valid)] != '\0')
        return VALUE_NOT;
    if (!hex && digits[0] == '0' && digits[1] != '\0')
        return VALUE_LEADING_ZERO;
    errno = 0;
    value = strtoll(text, &end, hex ? 16 : 10);
    if (errno == ERANGE)
        return VALUE_TOO_LARGE;
    *out = value;
    return *end == '\0' ? VALUE_GOOD : VALUE_NOT;
}

/* The decimal number at text: its digits, without point; false when it is none. */
static bool split_number(const char *text, const char **point, const char **exponent)
{
    const char *at = text + (*text == '-' || *text == '+');
    size_t digits = strspn(at, "0123456789");

    *point = NULL;
    *exponent = NULL;
    at += digits;
    if (*at == '.') {
        size_t fraction = strspn(at + 1, "0123456789");

        *point = at;
        digits += fraction;
        at += 1 + fraction;
    }
    if (digits == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        *exponent = at + 1;
        at += 1 + (at[1] == '-' || at[1] == '+');
        if (!is_digit(*at))
            return false;
        at += strspn(at, "0123456789");
    }
    return *at == '\0';
}

enum value_verdict value_number(const char *text, double *out)
{
    const char *point;
    const char *exponent;
    int64_t integer;
    double value;

    if (!split_number(text, &point, &exponent)) {
        enum value_verdict verdict = value_int(text, &integer); /* 0x... */

        if (verdict == VALUE_GOOD)
            *out = (double)integer;
        return verdict;
    }
    value = strtod(text, NULL);
    if (!isfinite(value))
        return VALUE_TOO_LARGE;
    *out = value;
    return VALUE_GOOD;
}

enum value_verdict value_rate(const char *text, double *out)
{
    char number[32];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : 0;

    if (strcmp(text, "unlimited") == 0) {
        *out = 0;
        return VALUE_GOOD;
    }
    if (!slash || strcmp(slash, "/s") != 0 || length >= sizeof number || !is_digit(text[0]))
        return VALUE_NOT;
    memcpy(number, text, length);
    number[length] = '\0';
    return value_number(number, out);
}

static bool is_host(const char *host, bool bracketed)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    unsigned char address[16];

    if (bracketed) {
        char bare[ENDPOINT_HOST_MAX];
        size_t length = strcspn(host, "%"); /* a zone may follow: fe80::1%eth0 */

        memcpy(bare, host, length);
        bare[length] = '\0';
        return inet_pton(AF_INET6, bare, address) == 1 && (host[length] == '\0' || host[length + 1] != '\0');
    }
    if (host[0] == '\0' || host[strspn(host, letters)] != '\0')
        return false;
    /* All digits and dots: then it must be an address, not a name that no server knows. */
    return host[strspn(host, "0123456789.")] != '\0' || inet_pton(AF_INET, host, address) == 1;
}

enum endpoint_verdict value_endpoint(const char *text, char host[ENDPOINT_HOST_MAX], uint16_t *port)
{
    bool bracketed = text[0] == '[';
    const char *begin = text + bracketed;
    size_t length = strcspn(begin, bracketed ? "]" : ":");
    const char *after = begin + length + (bracketed && begin[length] == ']');
    int64_t number;

    if (length >= ENDPOINT_HOST_MAX || (bracketed && begin[length] != ']'))
        return ENDPOINT_BAD_HOST;
    memcpy(host, begin, length);
    host[length] = '\0';
    if (!bracketed && *after == ':' && strchr(after + 1, ':'))
        return ENDPOINT_BARE_IPV6;
    if (!is_host(host, bracketed))
        return ENDPOINT_BAD_HOST;
    if (*after == '\0')
        return ENDPOINT_NO_PORT;
    if (*after != ':' || !is_digit(after[1]) || strlen(after + 1) > 5 ||
        value_int(after + 1, &number) != VALUE_GOOD || number < 1 || number > 65535)
        return ENDPOINT_BAD_PORT;
    *port = (uint16_t)number;
    return ENDPOINT_GOOD;
}

bool value_is_loopback(const char *host)
{
    struct in_addr address;

    /* Only what is an address indeed: a name such as 127.0.0.1.5 may lead anywhere. */
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

bool value_register(const char *text, enum point_space *space, uint16_t *address)
{
    static const enum point_space spaces[] = {SPACE_COIL, SPACE_DISCRETE, SPACE_COIL, SPACE_INPUT,
                                              SPACE_HOLDING};
    size_t length = strlen(text);
    unsigned long number;

    if ((length != 5 && length != 6) || text[strspn(text, "0123456789")] != '\0' || text[0] > '4' ||
        text[0] == '2')
        return false;
    number = strtoul(text + 1, NULL, 10);
    if (number < 1 || number > 65536)
        return false;
    *space = spaces[text[0] - '0'];
    *address = (uint16_t)(number - 1);
    return true;
}

/* mantissa * 10^power, mantissa an integer of at most 15 digits. */
struct decimal {
    double mantissa;
    int power;
};

#define DECIMAL_DIGITS 15                /* every integer of so many digits is a double */
#define DECIMAL_POWER 22                 /* 10^22 is the largest power of ten that is a double */
#define DECIMAL_EXACT 9007199254740992.0 /* 2^53 */

static bool decimal_parse(const char *text, struct decimal *out)
{
    const char *point;
    const char *exponent;
    const char *end;
    int digits = 0;
    int zeros = 0; /* trailing ones so far, not yet in the mantissa */
    long power;
    double mantissa = 0;

    if (!split_number(text, &point, &exponent))
        return false;
    power = exponent ? strtol(exponent, NULL, 10) : 0;
    end = exponent ? exponent - 1 : text + strlen(text);
    if (power > 1000 || power < -1000)
        return false;
    for (const char *at = text; at < end; at++) {
        if (!is_digit(*at))
            continue;
        if (point && at > point)
            power--;
        if (*at == '0') {
            zeros += digits > 0; /* leading ones are nothing */
            continue;
        }
        for (; zeros > 0 && digits <= DECIMAL_DIGITS; zeros--, digits++)
            mantissa *= 10;
        mantissa = mantissa * 10 + (*at - '0');
        if (++digits > DECIMAL_DIGITS)
            return false;
    }
    *out = (struct decimal){.mantissa = *text == '-' ? -mantissa : mantissa, .power = (int)power + zeros};
    return true;
}

/* 10^power as a double; exact up to DECIMAL_POWER. */
static double power_of_ten(int power)
{
    double value = 1;

    for (; power > 0; power--)
        value *= 10;
    return value;
}

struct scaling value_scaling(const char *scale, const char *offset)
{
    struct decimal num = {1, 0};
    struct decimal add = {0, 0};
    struct scaling out = {
        .num = scale ? strtod(scale, NULL) : 1, .add = offset ? strtod(offset, NULL) : 0, .den = 1};
    double n;
    double a;
    int down;

    if ((scale && !decimal_parse(scale, &num)) || (offset && !decimal_parse(offset, &add)))
        return out;
    if (add.mantissa == 0)
        add.power = 0;
    down = num.power < add.power ? num.power : add.power;
    down = down < 0 ? -down : 0;
    if (down > DECIMAL_POWER || num.power + down > DECIMAL_POWER || add.power + down > DECIMAL_POWER)
        return out;
    n = num.mantissa * power_of_ten(num.power + down);
    a = add.mantissa * power_of_ten(add.power + down);
    if (fabs(n) > DECIMAL_EXACT || fabs(a) > DECIMAL_EXACT)
        return out;
    return (struct scaling){.num = n, .add = a, .den = power_of_ten(down)};
}

enum value_verdict value_time(const char *text, int16_t *out)
{
    static const char digits[] = "0123456789";
    int hour, minute;

    if (strcmp(text, "none") == 0) {
        *out = -1;
        return VALUE_GOOD;
    }
    if (strspn(text, digits) != 2 || text[2] != ':' || strspn(text + 3, digits) != 2 || text[5] != '\0')
        return VALUE_NOT;
    hour = (text[0] - '0') * 10 + text[1] - '0';
    minute = (text[3] - '0') * 10 + text[4] - '0';
    if (hour > 23 || minute > 59)
        return VALUE_NOT;
    *out = (int16_t)(hour * 60 + minute);
    return VALUE_GOOD;
}
