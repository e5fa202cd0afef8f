#include "raw.h"

#include <string.h>

/* Past the JSON string that begins at `at`. */
static size_t skip_string(const char *s, size_t length, size_t at)
{
    for (at++; at < length && s[at] != '"'; at++) {
        if (s[at] == '\\')
            at++;
    }
    return at + 1;
}

/* Past the JSON value that begins at `at`, up to a comma or closing bracket of its own level. */
static size_t skip_value(const char *s, size_t length, size_t at)
{
    int depth = 0;

    while (at < length) {
        char c = s[at];

        if (c == '"') {
            at = skip_string(s, length, at);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            return at;
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        at++;
    }
    return length;
}

static size_t skip_space(const char *s, size_t length, size_t at)
{
    while (at < length && (s[at] == ' ' || s[at] == '\t' || s[at] == '\n' || s[at] == '\r'))
        at++;
    return at;
}

static size_t find_records(const char *s, size_t length)
{
    static const char key[] = "\"records\"";
    size_t at = skip_space(s, length, 0) + 1; /* past the { */

    while (at < length && s[at] != '}') {
        size_t name, value;

        at = skip_space(s, length, at);
        name = at;
        at = skip_space(s, length, skip_string(s, length, at));
        value = skip_space(s, length, at + 1); /* past the : */
        if (value < length && s[value] == '[' && length - name > sizeof key &&
            memcmp(s + name, key, sizeof key - 1) == 0)
            return value;
        at = skip_space(s, length, skip_value(s, length, value));
        if (at < length && s[at] == ',')
            at++;
    }
    return length;
}

int raw_records(const char *message, size_t length, struct raw_record *out, int max)
{
    size_t at = find_records(message, length);
    int count = 0;

    if (at >= length)
        return -1;
    at = skip_space(message, length, at + 1);
    while (at < length && message[at] != ']') {
        size_t end = skip_value(message, length, at);
        size_t last = end;

        while (last > at && (message[last - 1] == ' ' || message[last - 1] == '\n'))
            last--;
        if (count < max)
            out[count] = (struct raw_record){message + at, last - at};
        count++;
        at = end;
        if (at < length && message[at] == ',')
            at = skip_space(message, length, at + 1);
    }
    return count;
}

size_t raw_before_hash(const char *text, size_t length)
{
    static const char mark[] = ",\"hash\":\"";
    const size_t tail = sizeof mark - 1 + 64 + 2; /* 64 hex digits, the quote, the brace */

    if (length <= tail || memcmp(text + length - tail, mark, sizeof mark - 1) != 0)
        return length;
    return length - tail;
}
