/* Numbers as JSON: the shortest text that reads back as the same value, whatever the locale. */
#include "base/json_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NUMBER_MAX 40  /* bytes of the longest number, and more */
#define EXACT 0x1p53   /* doubles below are exact as integers */
#define DECIMALS_MAX 6 /* what the fast way tries: sensors give no more */
/* Among the decimals of fewer than 16 digits no two read as one double. */
#define DIGITS_SURE 1e15

static const char number_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

/* Digits of value, at least `least` of them, written so that they end before `end`. Returns their start. */
static char *number_digits(uint64_t value, unsigned least, char *end)
{
    for (; value >= 100; value /= 100, least -= least < 2 ? least : 2) {
        end -= 2;
        memcpy(end, &number_pairs[2 * (value % 100)], 2);
    }
    for (; value != 0 || least > 0; value /= 10) {
        *--end = (char)('0' + value % 10);
        if (least > 0)
            least--;
    }
    return end;
}

/* scaled / 10^decimals as text, ending before `end`. Returns its start. */
static char *number_decimal(uint64_t scaled, unsigned decimals, bool negative, char *end)
{
    char *start = end;

    if (decimals > 0) {
        uint64_t power = 1;

        for (unsigned i = 0; i < decimals; i++)
            power *= 10;
        start = number_digits(scaled % power, decimals, end);
        *--start = '.';
        scaled /= power;
    }
    start = number_digits(scaled, 1, start);
    if (negative)
        *--start = '-';
    return start;
}

void jsonw_uint(struct jsonw *w, uint64_t value)
{
    char text[NUMBER_MAX];
    char *start = number_decimal(value, 0, false, text + sizeof text);

    jsonw_raw(w, start, (size_t)(text + sizeof text - start));
}

void jsonw_int(struct jsonw *w, int64_t value)
{
    char text[NUMBER_MAX];
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char *start = number_decimal(magnitude, 0, value < 0, text + sizeof text);

    jsonw_raw(w, start, (size_t)(text + sizeof text - start));
}

/* Brings what printf wrote into JSON's form: '.' whatever the locale's decimal sign, "1e-7" instead of "1e-07". */
static size_t number_tidy(char *text)
{
    const char *from = text;
    char *to = text;
    bool pointed = false;

    for (; *from && *from != 'e'; from++) {
        if ((*from >= '0' && *from <= '9') || *from == '-') {
            *to++ = *from;
        } else if (!pointed) {
            /* The sign may be of several bytes. */
            *to++ = '.';
            pointed = true;
        }
    }
    if (*from == 'e') {
        *to++ = *from++;
        if (*from == '-')
            *to++ = '-';
        from += strspn(from, "+-0");
        while (*from)
            *to++ = *from++;
    }
    *to = '\0';
    return (size_t)(to - text);
}

static bool number_same(const char *text, double value, bool single)
{
    return single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

/* The way for every number: more digits until it reads back. 17 (for a float 9) always suffice: IEEE 754, 5.12.2. Up to 15
 * (6) are always told apart, so no fewer need be tried; but subnormal numbers have less to tell. */
static void number_slow(struct jsonw *w, double value, bool single)
{
    bool normal = single ? isnormal((float)value) : isnormal(value);
    int last = single ? 9 : 17;
    char text[NUMBER_MAX];

    for (int digits = !normal ? 1 : single ? 6 : 15; digits <= last; digits++) {
        if (!text_format(text, sizeof text, "%.*g", digits, value))
            return;
        if (digits == last || number_same(text, value, single))
            break;
    }
    jsonw_raw(w, text, number_tidy(text));
}

/* Whole numbers, and those with few decimals: nearly all of what sensors give, without printf and strtod.
 * A quotient of two exact doubles is the double nearest to the decimal, which is what a reader makes of the text. */
static bool number_fast(struct jsonw *w, double value, bool single)
{
    double magnitude = fabs(value);
    double power = 10;

    if (magnitude >= EXACT)
        return false;
    if ((double)(uint64_t)magnitude == magnitude) {
        char text[NUMBER_MAX];
        char *start = number_decimal((uint64_t)magnitude, 0, value < 0, text + sizeof text);

        jsonw_raw(w, start, (size_t)(text + sizeof text - start));
        return true;
    }
    for (unsigned decimals = 1; decimals <= DECIMALS_MAX; decimals++, power *= 10) {
        double scaled = rint(magnitude * power);
        char text[NUMBER_MAX];
        char *start;

        if (scaled >= DIGITS_SURE)
            return false;
        if (single ? (float)(scaled / power) != (float)magnitude : scaled / power != magnitude)
            continue;
        start = number_decimal((uint64_t)scaled, decimals, value < 0, text + sizeof text);
        jsonw_raw(w, start, (size_t)(text + sizeof text - start));
        return true;
    }
    return false;
}

void jsonw_double(struct jsonw *w, double value)
{
    if (!isfinite(value))
        jsonw_null(w);
    else if (!number_fast(w, value, false))
        number_slow(w, value, false);
}

void jsonw_float(struct jsonw *w, float value)
{
    if (!isfinite(value))
        jsonw_null(w);
    else if (!number_fast(w, (double)value, true))
        number_slow(w, (double)value, true);
}
