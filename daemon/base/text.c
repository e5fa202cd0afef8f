#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool text_is_id(const char *text)
{
    size_t length = 0;

    if (!text)
        return false;
    for (; text[length]; length++) {
        char c = text[length];
        bool allowed = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';

        if (!allowed || length == TEXT_ID_MAX)
            return false;
    }
    return length > 0;
}

size_t text_utf8_length(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */
    size_t need;

    if (length == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        need = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        need = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        need = 4;
    else
        return 0;
    /* The second byte rules out overlong forms, surrogates and what lies beyond U+10FFFF: Unicode, table 3-7. */
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (length < need || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return need;
}

bool text_is_utf8(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length) {
        size_t step = text_utf8_length(text + at, length - at);

        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

/* Behind the character at text, which is not the end. In broken UTF-8 a run of continuation bytes is one character. */
static const char *text_next(const char *text)
{
    text++;
    while (((unsigned char)*text & 0xc0) == 0x80)
        text++;
    return text;
}

bool text_glob(const char *pattern, const char *text)
{
    const char *star = NULL;   /* behind the last '*' met */
    const char *resume = NULL; /* where the text goes on when that '*' takes one character more */

    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == '?') {
            pattern++;
            text = text_next(text);
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            /* Only the last '*' is ever widened: what an earlier one could win, the last one can as well. */
            pattern = star;
            resume = text_next(resume);
            text = resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool text_has_glob(const char *pattern)
{
    return strpbrk(pattern, "*?") != NULL;
}

#define TEXT_DISTANCE_MAX 64

unsigned text_distance(const char *a, const char *b)
{
    unsigned row[TEXT_DISTANCE_MAX + 1];
    size_t a_length = strnlen(a, TEXT_DISTANCE_MAX);
    size_t b_length = strnlen(b, TEXT_DISTANCE_MAX);

    for (size_t j = 0; j <= b_length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0]; /* the row above, one to the left */

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_length];
}

const char *text_nearest(const char *text, const char *const *names, size_t count)
{
    size_t length = strnlen(text, TEXT_DISTANCE_MAX);
    unsigned best = length / 3 > 2 ? (unsigned)(length / 3) : 2;
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        unsigned distance = text_distance(text, names[i]);

        if (distance < best || (distance == best && !nearest)) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

bool text_format(char *out, size_t size, const char *format, ...)
{
    va_list args;
    int length;

    if (size == 0)
        return false;
    va_start(args, format);
    length = vsnprintf(out, size, format, args);
    va_end(args);
    if (length < 0)
        out[0] = '\0';
    return length >= 0 && (size_t)length < size;
}

bool text_copy(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    bool fits = length < size;

    if (size == 0)
        return false;
    if (!fits) {
        length = size - 1;
        /* Not in the middle of a character: back to its first byte. More than three continuation bytes are none. */
        for (int i = 0; i < 3 && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80; i++)
            length--;
    }
    memcpy(out, text, length);
    out[length] = '\0';
    return fits;
}
