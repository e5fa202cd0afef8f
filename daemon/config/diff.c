#include "config/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "config/flat.h"

static enum rg_err diff_merge(const struct flat *a, const struct flat *b, struct config_diff *out)
{
    size_t i = 0, k = 0;

    out->changes = arena_alloc(&out->arena, a->count + b->count + 1, sizeof *out->changes);
    if (!out->changes)
        return RG_ENOMEM;
    while (i < a->count || k < b->count) {
        int order = i == a->count ? 1 : k == b->count ? -1 : strcmp(a->entries[i].what, b->entries[k].what);
        struct config_change c = {0};

        if (order <= 0) {
            c.what = a->entries[i].what;
            c.before = a->entries[i++].text;
        }
        if (order >= 0) {
            c.what = b->entries[k].what;
            c.after = b->entries[k++].text;
        }
        if (order != 0 || strcmp(c.before, c.after) != 0)
            out->changes[out->count++] = c;
    }
    return RG_OK;
}

/* Both are used up. */
static enum rg_err diff_finish(struct flat *a, struct flat *b, struct config_diff *out)
{
    enum rg_err err = a->error != RG_OK ? a->error : b->error;

    if (err == RG_OK)
        err = diff_merge(a, b, out);
    free(a->entries);
    free(b->entries);
    return err;
}

enum rg_err config_diff(const struct site *before, const struct site *after, struct config_diff *out)
{
    struct flat a = {.arena = &out->arena}, b = {.arena = &out->arena};

    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 0);
    flat_site(&a, before);
    flat_site(&b, after);
    return diff_finish(&a, &b, out);
}

enum rg_err config_describe(const struct site *site, struct jsonw *out)
{
    struct arena arena;
    struct flat f = {.arena = &arena};

    arena_init(&arena, 0);
    flat_site(&f, site);
    jsonw_reset(out);
    jsonw_array_begin(out);
    for (size_t i = 0; i < f.count; i++) {
        jsonw_string(out, f.entries[i].what);
        jsonw_string(out, f.entries[i].text);
    }
    jsonw_array_end(out);
    free(f.entries);
    arena_destroy(&arena);
    return f.error != RG_OK ? f.error : jsonw_error(out);
}

/* Keys and texts in turn; sorted anew, for another version may have ordered them otherwise. */
static void flat_parse(struct flat *f, const char *text, size_t length)
{
    struct json *root = NULL;

    f->error = json_parse(text, length, length, &root);
    if (f->error == RG_OK && (!json_is_array(root) || json_size(root) % 2 != 0))
        f->error = RG_EINVAL;
    for (const struct json *key = json_first(root); key && f->error == RG_OK;) {
        const struct json *value = json_next(key);

        if (json_string(key) && json_string(value))
            flat_add(f, json_string(key), json_string(value));
        else
            f->error = RG_EINVAL;
        key = json_next(value);
    }
    json_free(root);
    flat_sort(f);
}

enum rg_err config_diff_text(const char *before, size_t length, const struct site *after,
                             struct config_diff *out)
{
    struct flat a = {.arena = &out->arena}, b = {.arena = &out->arena};

    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 0);
    flat_parse(&a, before, length);
    flat_site(&b, after);
    return diff_finish(&a, &b, out);
}

static int change_compare(const void *key, const void *change)
{
    return strcmp(key, ((const struct config_change *)change)->what);
}

const struct config_change *config_diff_find(const struct config_diff *diff, const char *what)
{
    return diff->count == 0
               ? NULL
               : bsearch(what, diff->changes, diff->count, sizeof *diff->changes, change_compare);
}

void config_diff_free(struct config_diff *diff)
{
    arena_destroy(&diff->arena);
    diff->changes = NULL;
    diff->count = 0;
}
