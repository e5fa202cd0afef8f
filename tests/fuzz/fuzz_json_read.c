/* LINK rg_base */
/* Any text: refused, or read; and what was read, written again and read again, is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"

#define MAX_BYTES ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void write_node(struct jsonw *w, const struct json *node)
{
    if (json_is_object(node) || json_is_array(node)) {
        size_t count = 0;

        if (json_is_object(node))
            jsonw_object_begin(w);
        else
            jsonw_array_begin(w);
        for (const struct json *child = json_first(node); child; child = json_next(child)) {
            if (json_is_object(node)) {
                jsonw_key(w, json_key(child));
                /* A key stands there once: it is found, and found as this child. */
                must(json_get(node, json_key(child)) == child);
            }
            write_node(w, child);
            count++;
        }
        must(count == json_size(node));
        if (json_is_object(node))
            jsonw_object_end(w);
        else
            jsonw_array_end(w);
    } else if (json_string(node)) {
        jsonw_string(w, json_string(node));
    } else if (json_is_number(node)) {
        int64_t whole = json_int(node, INT64_MIN);

        must(whole == INT64_MIN || (double)whole == json_double(node, 0.5));
        jsonw_double(w, json_double(node, 0));
    } else if (json_is_bool(node)) {
        jsonw_bool(w, json_bool(node, false));
    } else {
        jsonw_null(w); /* or an infinite number, which is written as null too */
    }
}

static bool same(const struct json *a, const struct json *b)
{
    const struct json *x = json_first(a);
    const struct json *y = json_first(b);

    if (json_size(a) != json_size(b) || json_is_object(a) != json_is_object(b) ||
        json_is_number(a) != json_is_number(b) || json_double(a, 0) != json_double(b, 0) ||
        json_bool(a, false) != json_bool(b, false))
        return false;
    if (!json_string(a) != !json_string(b) || (json_string(a) && strcmp(json_string(a), json_string(b)) != 0))
        return false;
    for (; x && y; x = json_next(x), y = json_next(y)) {
        if (!same(x, y))
            return false;
    }
    return !x && !y;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *first = NULL;
    struct json *second = NULL;
    struct jsonw w;

    if (json_parse((const char *)data, size, MAX_BYTES, &first) != RG_OK) {
        must(first == NULL);
        return 0;
    }
    jsonw_init(&w, 0);
    write_node(&w, first);
    /* Deeper than the writer goes is the one thing that can be read and not written. */
    if (jsonw_error(&w) == RG_OK) {
        must(json_parse(w.text, w.length, w.length, &second) == RG_OK);
        must(same(first, second));
    } else {
        must(jsonw_error(&w) == RG_ESTATE);
    }
    json_free(second);
    json_free(first);
    jsonw_free(&w);
    return 0;
}
