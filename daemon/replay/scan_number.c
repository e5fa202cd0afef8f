#include "replay/scan.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 64
#define EXACT (UINT64_C(1) << 53) /* integers up to here are doubles */
#define POWERS 22                 /* so are powers of ten up to this one */
#define EXPONENT_MAX 9999         /* and more cannot matter */
#define HALF_BITS UINT64_C(0x10000000)
#define LOW_BITS UINT64_C(0x1fffffff) /* of a double, beyond the precision of a float */

struct decimal {
    uint64_t digits;
    int scale;  /* times ten to the power of this */
    bool exact; /* all digits are in it */
};

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static const char *take_digits(const char *p, const char *end, struct decimal *d, int scale_each)
{
    for (; is_digit(p, end); p++) {
        if (d->digits > (UINT64_MAX - 9) / 10)
            d->exact = false;
        else
            d->digits = d->digits * 10 + (uint64_t)(*p - '0');
        d->scale += scale_each;
    }
    return p;
}

static const char *take_exponent(const char *p, const char *end, struct decimal *d)
{
    bool negative = p < end && *p == '-';
    int exponent = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (!is_digit(p, end))
        return NULL;
    for (; is_digit(p, end); p++) {
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*p - '0');
    }
    d->scale += negative ? -exponent : exponent;
    return p;
}

/* RFC 8259, 6, without the sign. */
static const char *take_decimal(const char *p, const char *end, struct decimal *d)
{
    const char *begin = p;

    p = take_digits(p, end, d, 0);
    if (p == begin || (*begin == '0' && p != begin + 1))
        return NULL;
    if (p < end && *p == '.') {
        begin = ++p;
        p = take_digits(p, end, d, -1);
        if (p == begin)
            return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E'))
        return take_exponent(p + 1, end, d);
    return p;
}

/* The programs leave LC_NUMERIC at "C". */
static bool slow(const char *begin, const char *end, bool single, double *out)
{
    char text[NUMBER_BYTES + 1];
    size_t length = (size_t)(end - begin);

    if (length > NUMBER_BYTES)
        return false;
    memcpy(text, begin, length);
    text[length] = '\0';
    *out = single ? (double)strtof(text, NULL) : strtod(text, NULL);
    return isfinite(*out);
}

/* A double that was rounded to the middle between two floats no longer tells which of them the text is nearer to. */
static bool rounds_to_float(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return (bits & LOW_BITS) != HALF_BITS && fabs(value) <= (double)FLT_MAX &&
           (value == 0 || fabs(value) >= (double)FLT_MIN);
}

const char *scan_number(const char *text, const char *end, bool single, double *out)
{
    static const double powers[POWERS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal d = {.exact = true};
    bool negative = text < end && *text == '-';
    const char *p = text;
    double value;

    if (end - p >= 4 && memcmp(p, "null", 4) == 0) {
        *out = (double)NAN;
        return p + 4;
    }
    p = take_decimal(p + (negative ? 1 : 0), end, &d);
    if (!p)
        return NULL;
    if (!d.exact || d.digits > EXACT || d.scale < -POWERS || d.scale > POWERS)
        return slow(text, p, single, out) ? p : NULL;
    /* Both are exact, so this rounds once: D. Gay, "Correctly Rounded Binary-Decimal and Decimal-Binary Conversions", 1990. */
    value = d.scale < 0 ? (double)d.digits / powers[-d.scale] : (double)d.digits * powers[d.scale];
    if (negative)
        value = -value;
    if (single) {
        if (!rounds_to_float(value))
            return slow(text, p, single, out) ? p : NULL;
        value = (double)(float)value;
    }
    *out = value;
    return p;
}
