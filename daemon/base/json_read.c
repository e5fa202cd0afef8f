#include "base/json_read.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define EXACT 0x1p53 /* integers of less magnitude are exact as doubles */

/* ---- what cJSON lets pass and RFC 8259 does not, and what would cost too much: seen to before cJSON meets the text ---- */

struct scan {
    const char *at;
    const char *end;
};

static bool scan_digits(struct scan *s)
{
    const char *from = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > from;
}

static bool scan_skip(struct scan *s, const char *any_of)
{
    if (s->at == s->end || !strchr(any_of, *s->at))
        return false;
    s->at++;
    return true;
}

/* RFC 8259, 6. cJSON takes 01, 1. and -.5 too. */
static bool scan_number(struct scan *s)
{
    (void)scan_skip(s, "-");
    if (!scan_skip(s, "0") && !scan_digits(s))
        return false;
    if (scan_skip(s, ".") && !scan_digits(s))
        return false;
    if (scan_skip(s, "eE")) {
        (void)scan_skip(s, "+-");
        if (!scan_digits(s))
            return false;
    }
    /* 012 and 1x: the next byte must not go on with a number or a word. */
    return s->at == s->end || strchr(" \t\r\n,]}", *s->at);
}

/* Behind a backslash. cJSON takes a \u without four hexadecimal digits for \u0000, and that for the end of the string; the
 * rest, surrogates included, is its to judge. */
static bool scan_escape(struct scan *s)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    const char *at = s->at;

    if (at == s->end)
        return false;
    s->at++;
    if (*at != 'u')
        return true;
    if (s->end - s->at < 4 || memcmp(s->at, "0000", 4) == 0)
        return false;
    for (int i = 0; i < 4; i++) {
        if (!scan_skip(s, hex))
            return false;
    }
    return true;
}

/* RFC 8259, 7: no control characters. */
static bool scan_string(struct scan *s)
{
    s->at++;
    while (s->at < s->end && *s->at != '"') {
        if ((unsigned char)*s->at < 0x20)
            return false;
        if (*s->at++ == '\\' && !scan_escape(s))
            return false;
    }
    return scan_skip(s, "\"");
}

static enum rg_err scan_text(const char *text, size_t length)
{
    struct scan s = {text, text + length};
    unsigned depth = 0;

    if (memchr(text, '\0', length) || !text_is_utf8(text, length))
        return RG_EINVAL;
    while (s.at < s.end) {
        char c = *s.at;

        if (c == '"') {
            if (!scan_string(&s))
                return RG_EINVAL;
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            if (!scan_number(&s))
                return RG_EINVAL;
        } else if (!strchr(" \t\r\n,:[]{}aeflnrstu", c)) {
            /* Left are the letters of true, false and null. */
            return RG_EINVAL;
        } else {
            if ((c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX)
                return RG_ERANGE;
            if ((c == ']' || c == '}') && depth-- == 0)
                return RG_EINVAL;
            s.at++;
        }
    }
    return RG_OK;
}

/* ---- keys that stand twice in one object ---- */

static int key_compare(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* Sorted rather than hashed: no text can be made to be slow. */
static enum rg_err keys_unique_here(const cJSON *object)
{
    size_t count = (size_t)cJSON_GetArraySize(object);
    enum rg_err err = RG_OK;
    const char **keys;
    size_t at = 0;

    if (count < 2)
        return RG_OK;
    keys = calloc(count, sizeof *keys);
    if (!keys)
        return RG_ENOMEM;
    for (const cJSON *child = object->child; child; child = child->next)
        keys[at++] = child->string;
    qsort(keys, count, sizeof *keys, key_compare);
    for (size_t i = 1; i < count && err == RG_OK; i++) {
        if (strcmp(keys[i - 1], keys[i]) == 0)
            err = RG_EINVAL;
    }
    free(keys);
    return err;
}

/* Recursion is as deep as the text, which is at most JSON_DEPTH_MAX. */
static enum rg_err keys_unique(const cJSON *node)
{
    enum rg_err err = cJSON_IsObject(node) ? keys_unique_here(node) : RG_OK;

    for (const cJSON *child = node->child; child && err == RG_OK; child = child->next)
        err = keys_unique(child);
    return err;
}

enum rg_err json_parse(const char *text, size_t length, size_t max_bytes, struct json **out)
{
    const char *end = NULL;
    enum rg_err err;
    cJSON *root;

    *out = NULL;
    if (length > max_bytes)
        return RG_ERANGE;
    if (length == 0)
        return RG_EINVAL;
    err = scan_text(text, length);
    if (err != RG_OK)
        return err;
    root = cJSON_ParseWithLengthOpts(text, length, &end, false);
    if (!root)
        return RG_EINVAL;
    while (end < text + length && strchr(" \t\r\n", *end))
        end++;
    err = end == text + length ? keys_unique(root) : RG_EINVAL;
    if (err != RG_OK) {
        cJSON_Delete(root);
        return err;
    }
    *out = (struct json *)root;
    return RG_OK;
}

void json_free(struct json *root)
{
    cJSON_Delete((cJSON *)root);
}

/* ---- reading the tree; struct json is a cJSON by another name ---- */

static const cJSON *node_of(const struct json *json)
{
    return (const cJSON *)json;
}

static const struct json *json_of(const cJSON *node)
{
    return (const struct json *)node;
}

const struct json *json_get(const struct json *json, const char *key)
{
    return json_is_object(json) ? json_of(cJSON_GetObjectItemCaseSensitive(node_of(json), key)) : NULL;
}

const struct json *json_first(const struct json *json)
{
    return json_is_object(json) || json_is_array(json) ? json_of(node_of(json)->child) : NULL;
}

const struct json *json_next(const struct json *json)
{
    return json ? json_of(node_of(json)->next) : NULL;
}

const char *json_key(const struct json *json)
{
    return json ? node_of(json)->string : NULL;
}

size_t json_size(const struct json *json)
{
    return json_is_object(json) || json_is_array(json) ? (size_t)cJSON_GetArraySize(node_of(json)) : 0;
}

bool json_is_null(const struct json *json)
{
    return cJSON_IsNull(node_of(json));
}

bool json_is_object(const struct json *json)
{
    return cJSON_IsObject(node_of(json));
}

bool json_is_array(const struct json *json)
{
    return cJSON_IsArray(node_of(json));
}

bool json_is_bool(const struct json *json)
{
    return cJSON_IsBool(node_of(json));
}

bool json_is_number(const struct json *json)
{
    return cJSON_IsNumber(node_of(json)) && isfinite(node_of(json)->valuedouble);
}

const char *json_string(const struct json *json)
{
    return cJSON_IsString(node_of(json)) ? node_of(json)->valuestring : NULL;
}

bool json_bool(const struct json *json, bool otherwise)
{
    return json_is_bool(json) ? cJSON_IsTrue(node_of(json)) : otherwise;
}

double json_double(const struct json *json, double otherwise)
{
    return json_is_number(json) ? node_of(json)->valuedouble : otherwise;
}

int64_t json_int(const struct json *json, int64_t otherwise)
{
    double value = json_double(json, NAN);

    if (!(fabs(value) < EXACT) || value != trunc(value))
        return otherwise;
    return (int64_t)value;
}
