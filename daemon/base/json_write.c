#include "base/json_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define JSONW_LIMIT ((size_t)64 << 20)
#define JSONW_FIRST ((size_t)256)

_Static_assert(JSONW_DEPTH <= 32, "struct jsonw.kinds has one bit for each level");

void jsonw_init(struct jsonw *w, size_t limit)
{
    *w = (struct jsonw){.limit = limit ? limit : JSONW_LIMIT};
}

void jsonw_init_fixed(struct jsonw *w, char *memory, size_t capacity)
{
    *w = (struct jsonw){.text = memory, .capacity = capacity, .limit = capacity, .fixed = true};
    if (capacity)
        memory[0] = '\0';
}

void jsonw_free(struct jsonw *w)
{
    if (!w->fixed)
        free(w->text);
    *w = (struct jsonw){.limit = w->limit};
}

char *jsonw_take(struct jsonw *w)
{
    char *text = w->text;

    *w = (struct jsonw){.limit = w->limit};
    return text;
}

void jsonw_reset(struct jsonw *w)
{
    w->length = 0;
    w->comma = false;
    w->keyed = false;
    w->depth = 0;
    w->kinds = 0;
    w->error = RG_OK;
    if (w->capacity)
        w->text[0] = '\0';
}

enum rg_err jsonw_error(const struct jsonw *w)
{
    return w->error;
}

static void jsonw_fail(struct jsonw *w, enum rg_err error)
{
    if (w->error == RG_OK)
        w->error = error;
}

/* Room for `more` bytes and the NUL. */
static bool jsonw_reserve(struct jsonw *w, size_t more)
{
    size_t capacity = w->capacity ? w->capacity : JSONW_FIRST;
    char *text;

    if (w->error != RG_OK)
        return false;
    if (more < w->capacity - w->length)
        return true;
    if (w->fixed || more >= w->limit || w->length >= w->limit - more) {
        jsonw_fail(w, RG_EFULL);
        return false;
    }
    while (capacity <= w->length + more)
        capacity *= 2;
    if (capacity > w->limit)
        capacity = w->limit;
    text = realloc(w->text, capacity);
    if (!text) {
        jsonw_fail(w, RG_ENOMEM);
        return false;
    }
    w->text = text;
    w->capacity = capacity;
    return true;
}

static void jsonw_append(struct jsonw *w, const char *bytes, size_t length)
{
    if (!jsonw_reserve(w, length))
        return;
    if (length)
        memcpy(w->text + w->length, bytes, length);
    w->length += length;
    w->text[w->length] = '\0';
}

/* ASCII that needs no escape: all there is in most names. */
static size_t jsonw_plain(const char *value)
{
    size_t at = 0;

    while (value[at] >= 0x20 && value[at] < 0x7f && value[at] != '"' && value[at] != '\\')
        at++;
    return at;
}

static bool jsonw_in_object(const struct jsonw *w)
{
    return w->depth > 0 && (w->kinds >> (w->depth - 1) & 1u);
}

static bool jsonw_value(struct jsonw *w)
{
    if (w->keyed) { /* the key has seen to the rest */
        w->comma = true;
        w->keyed = false;
        return w->error == RG_OK;
    }
    if (jsonw_in_object(w))
        jsonw_fail(w, RG_ESTATE);
    if (w->comma)
        jsonw_append(w, ",", 1);
    w->comma = true;
    return w->error == RG_OK;
}

static void jsonw_begin(struct jsonw *w, bool object)
{
    if (!jsonw_value(w))
        return;
    if (w->depth == JSONW_DEPTH) {
        jsonw_fail(w, RG_ESTATE);
        return;
    }
    jsonw_append(w, object ? "{" : "[", 1);
    if (object)
        w->kinds |= 1u << w->depth;
    else
        w->kinds &= ~(1u << w->depth);
    w->depth++;
    w->comma = false;
}

static void jsonw_end(struct jsonw *w, bool object)
{
    if (w->depth == 0 || jsonw_in_object(w) != object || w->keyed) {
        jsonw_fail(w, RG_ESTATE);
        return;
    }
    jsonw_append(w, object ? "}" : "]", 1);
    w->depth--;
    w->comma = true;
}

void jsonw_object_begin(struct jsonw *w)
{
    jsonw_begin(w, true);
}

void jsonw_object_end(struct jsonw *w)
{
    jsonw_end(w, true);
}

void jsonw_array_begin(struct jsonw *w)
{
    jsonw_begin(w, false);
}

void jsonw_array_end(struct jsonw *w)
{
    jsonw_end(w, false);
}

/* What stands behind the backslash for a byte that must be escaped; 'u': in hexadecimal; 0: the byte as it is. */
static char jsonw_escape(unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return byte < 0x20 || byte == 0x7f ? 'u' : 0;
    }
}

static void jsonw_append_escaped(struct jsonw *w, unsigned char byte, char escape)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', escape, '0', '0', hex[byte >> 4], hex[byte & 15]};

    jsonw_append(w, text, escape == 'u' ? 6 : 2);
}

static void jsonw_quote(struct jsonw *w, const char *value, size_t length)
{
    size_t from = 0; /* of the run that needs no change and is not written yet */
    size_t at = 0;

    jsonw_append(w, "\"", 1);
    while (at < length) {
        unsigned char byte = (unsigned char)value[at];
        char escape = jsonw_escape(byte);
        size_t step = byte < 0x80 ? 1 : text_utf8_length(value + at, length - at);

        if (escape == 0 && step > 0) {
            at += step;
            continue;
        }
        jsonw_append(w, value + from, at - from);
        if (step == 0)
            jsonw_append(w, "\xef\xbf\xbd", 3);
        else
            jsonw_append_escaped(w, byte, escape);
        at++;
        from = at;
    }
    jsonw_append(w, value + from, at - from);
    jsonw_append(w, "\"", 1);
}

static void jsonw_plain_key(struct jsonw *w, const char *key, size_t length)
{
    char *to;

    if (!jsonw_reserve(w, length + 3 + w->comma))
        return;
    to = w->text + w->length;
    if (w->comma)
        *to++ = ',';
    *to++ = '"';
    for (size_t i = 0; i < length; i++)
        *to++ = key[i];
    memcpy(to, "\":", 3);
    w->length = (size_t)(to + 2 - w->text);
}

void jsonw_key(struct jsonw *w, const char *key)
{
    size_t plain;

    if (w->keyed || (w->depth > 0 && !jsonw_in_object(w))) {
        jsonw_fail(w, RG_ESTATE);
        return;
    }
    w->keyed = true;
    plain = jsonw_plain(key);
    if (key[plain] == '\0') { /* in one go: records have a key for each point */
        jsonw_plain_key(w, key, plain);
        return;
    }
    if (w->comma)
        jsonw_append(w, ",", 1);
    jsonw_quote(w, key, strlen(key));
    jsonw_append(w, ":", 1);
}

void jsonw_null(struct jsonw *w)
{
    jsonw_raw(w, "null", 4);
}

void jsonw_bool(struct jsonw *w, bool value)
{
    if (value)
        jsonw_raw(w, "true", 4);
    else
        jsonw_raw(w, "false", 5);
}

void jsonw_string(struct jsonw *w, const char *value)
{
    if (value)
        jsonw_string_n(w, value, strlen(value));
    else
        jsonw_null(w);
}

void jsonw_string_n(struct jsonw *w, const char *value, size_t length)
{
    if (jsonw_value(w))
        jsonw_quote(w, value, length);
}

void jsonw_raw(struct jsonw *w, const char *text, size_t length)
{
    if (jsonw_value(w))
        jsonw_append(w, text, length);
}

void jsonw_key_bool(struct jsonw *w, const char *key, bool value)
{
    jsonw_key(w, key);
    jsonw_bool(w, value);
}

void jsonw_key_int(struct jsonw *w, const char *key, int64_t value)
{
    jsonw_key(w, key);
    jsonw_int(w, value);
}

void jsonw_key_double(struct jsonw *w, const char *key, double value)
{
    jsonw_key(w, key);
    jsonw_double(w, value);
}

void jsonw_key_string(struct jsonw *w, const char *key, const char *value)
{
    jsonw_key(w, key);
    jsonw_string(w, value);
}

void jsonw_key_positive(struct jsonw *w, const char *key, int64_t value)
{
    jsonw_key(w, key);
    if (value > 0)
        jsonw_int(w, value);
    else
        jsonw_null(w);
}

void jsonw_key_null(struct jsonw *w, const char *key)
{
    jsonw_key(w, key);
    jsonw_null(w);
}
