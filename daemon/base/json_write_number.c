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

/* Digits of the value, at least one. */
static unsigned number_width(uint64_t value)
{
    unsigned width = 1;

    for (; value >= 100000; value /= 100000)
        width += 5;
    return width + (value >= 10) + (value >= 100) + (value >= 1000) + (value >= 10000);
}

/* The last `width` digits of value, zeroes before them. Returns their end. */
static char *number_put(char *to, uint64_t value, unsigned width)
{
    char *end = to + width;

    for (; width >= 2; width -= 2, value /= 100)
        memcpy(to + width - 2, &number_pairs[2 * (value % 100)], 2);
    if (width > 0)
        *to = (char)('0' + value % 10);
    return end;
}

/* Returns its end. */
static char *number_whole(char *to, uint64_t magnitude, bool negative)
{
    if (negative)
        *to++ = '-';
    return number_put(to, magnitude, number_width(magnitude));
}

void jsonw_uint(struct jsonw *w, uint64_t value)
{
    char text[NUMBER_MAX];

    jsonw_raw(w, text, (size_t)(number_whole(text, value, false) - text));
}

void jsonw_int(struct jsonw *w, int64_t value)
{
    char text[NUMBER_MAX];
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    jsonw_raw(w, text, (size_t)(number_whole(text, magnitude, value < 0) - text));
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

/* Whole numbers, and those with few decimals: nearly all of what sensors give, without printf and strtod. Bytes
 * written, at most NUMBER_MAX; 0: it is another one.
 * A quotient of two exact doubles is the double nearest to the decimal, which is what a reader makes of the text. */
static size_t number_fast(char *text, double value, bool single)
{
    double magnitude = fabs(value);
    uint64_t power = 10;

    if (!(magnitude < EXACT))
        return 0;
    if ((double)(int64_t)magnitude == magnitude)
        return (size_t)(number_whole(text, (uint64_t)(int64_t)magnitude, value < 0) - text);
    for (unsigned decimals = 1; decimals <= DECIMALS_MAX; decimals++, power *= 10) {
        double scaled = rint(magnitude * (double)power);
        uint64_t digits;
        char *to;

        if (scaled >= DIGITS_SURE)
            return 0;
        if (single ? (float)(scaled / (double)power) != (float)magnitude
                   : scaled / (double)power != magnitude)
            continue;
        digits = (uint64_t)(int64_t)scaled;
        to = number_whole(text, digits / power, value < 0);
        *to++ = '.';
        return (size_t)(number_put(to, digits % power, decimals) - text);
    }
    return 0;
}

static void number_write(struct jsonw *w, double value, bool single)
{
    char text[NUMBER_MAX];
    size_t length;

    if (!isfinite(value)) {
        jsonw_null(w);
        return;
    }
    length = number_fast(text, value, single);
    if (length > 0)
        jsonw_raw(w, text, length);
    else
        number_slow(w, value, single);
}

void jsonw_double(struct jsonw *w, double value)
{
    number_write(w, value, false);
}

void jsonw_float(struct jsonw *w, float value)
{
    number_write(w, (double)value, true);
}

/* In place, when there is room in any case, a key may stand here, and the number is one of the fast ones. */
static bool number_member(struct jsonw *w, const char *id, double value, bool single)
{
    const size_t length = strlen(id);
    const bool misplaced = w->keyed || (w->depth > 0 && !(w->kinds >> (w->depth - 1) & 1u));
    size_t digits;
    char *to;

    if (w->error != RG_OK || misplaced || w->capacity - w->length < length + 4 + NUMBER_MAX + 1)
        return false;
    to = w->text + w->length;
    if (w->comma)
        *to++ = ',';
    *to++ = '"';
    memcpy(to, id, length);
    to += length;
    *to++ = '"';
    *to++ = ':';
    digits = number_fast(to, value, single);
    to[digits] = '\0';
    if (digits == 0)
        return false;
    w->length = (size_t)(to - w->text) + digits;
    w->comma = true;
    return true;
}

void jsonw_id_number(struct jsonw *w, const char *id, double value, bool single)
{
    if (single)
        value = (double)(float)value;
    if (number_member(w, id, value, single))
        return;
    jsonw_key(w, id);
    number_write(w, value, single);
}
