#include "config/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "config/flat.h"

/* The next key of the two in their order; false at the end. */
static bool diff_next(const struct flat *a, const struct flat *b, size_t *i, size_t *k,
                      struct config_change *out)
{
    int order;

    *out = (struct config_change){0};
    if (*i == a->count && *k == b->count)
        return false;
    order = *i == a->count ? 1 : *k == b->count ? -1 : strcmp(a->entries[*i].what, b->entries[*k].what);
    if (order <= 0) {
        out->what = a->entries[*i].what;
        out->before = a->entries[(*i)++].text;
    }
    if (order >= 0) {
        out->what = b->entries[*k].what;
        out->after = b->entries[(*k)++].text;
    }
    return true;
}

static bool differs(const struct config_change *c)
{
    return !c->before || !c->after || strcmp(c->before, c->after) != 0;
}

static bool diff_keep(struct config_diff *out, const struct config_change *c)
{
    struct config_change *kept = &out->changes[out->count];

    kept->what = arena_strdup(&out->arena, c->what);
    kept->before = arena_strdup(&out->arena, c->before);
    kept->after = arena_strdup(&out->arena, c->after);
    if (!kept->what || !kept->before != !c->before || !kept->after != !c->after)
        return false;
    out->count++;
    return true;
}

static enum rg_err diff_merge(const struct flat *a, const struct flat *b, struct config_diff *out)
{
    struct config_change c;
    size_t count = 0;

    for (size_t i = 0, k = 0; diff_next(a, b, &i, &k, &c);)
        count += differs(&c);
    out->changes = arena_alloc(&out->arena, count + 1, sizeof *out->changes);
    if (!out->changes)
        return RG_ENOMEM;
    for (size_t i = 0, k = 0; diff_next(a, b, &i, &k, &c);)
        if (differs(&c) && !diff_keep(out, &c))
            return RG_ENOMEM;
    return RG_OK;
}

/* The two lists are as large as the sites; what is kept of them is not. */
struct lists {
    struct arena arena;
    struct flat a, b;
};

static void lists_begin(struct lists *l, struct config_diff *out)
{
    arena_init(&l->arena, 0);
    l->a = (struct flat){.arena = &l->arena};
    l->b = (struct flat){.arena = &l->arena};
    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 0);
}

static enum rg_err lists_end(struct lists *l, struct config_diff *out)
{
    enum rg_err err = l->a.error != RG_OK ? l->a.error : l->b.error;

    if (err == RG_OK)
        err = diff_merge(&l->a, &l->b, out);
    free(l->a.entries);
    free(l->b.entries);
    arena_destroy(&l->arena);
    return err;
}

enum rg_err config_diff(const struct site *before, const struct site *after, struct config_diff *out)
{
    struct lists l;

    lists_begin(&l, out);
    flat_site(&l.a, before);
    flat_site(&l.b, after);
    return lists_end(&l, out);
}

static bool describe_cb(void *arg, const char *what, const char *text)
{
    struct jsonw *out = arg;

    jsonw_string(out, what);
    jsonw_string(out, text);
    return jsonw_error(out) == RG_OK;
}

enum rg_err config_describe(const struct site *site, struct jsonw *out)
{
    struct flat f = {.take = describe_cb, .arg = out};

    jsonw_reset(out);
    jsonw_array_begin(out);
    flat_site(&f, site);
    jsonw_array_end(out);
    return f.error != RG_OK ? f.error : jsonw_error(out);
}

/* A text that config_describe wrote, held against a site. */
struct match {
    const char *at, *end;
    bool first;
    struct jsonw quoted; /* of what has to be written otherwise in JSON */
};

static bool match_bytes(struct match *m, const char *bytes, size_t length)
{
    if ((size_t)(m->end - m->at) < length || memcmp(m->at, bytes, length) != 0)
        return false;
    m->at += length;
    return true;
}

static bool match_string(struct match *m, const char *text)
{
    size_t length = 0;
    bool separated = match_bytes(m, m->first ? "[" : ",", 1);

    m->first = false;
    while (text[length] >= ' ' && text[length] <= '~' && text[length] != '"' && text[length] != '\\')
        length++;
    if (text[length] == '\0')
        return separated && match_bytes(m, "\"", 1) && match_bytes(m, text, length) &&
               match_bytes(m, "\"", 1);
    jsonw_reset(&m->quoted);
    jsonw_string(&m->quoted, text);
    return separated && jsonw_error(&m->quoted) == RG_OK && match_bytes(m, m->quoted.text, m->quoted.length);
}

static bool match_cb(void *arg, const char *what, const char *text)
{
    return match_string(arg, what) && match_string(arg, text);
}

/* Whether a text describes exactly that site; false may also be: in another order. Nothing is listed for it, and most starts find the
 * configuration that the last run had. */
static bool describes(const char *text, size_t length, const struct site *site)
{
    struct match m = {.at = text, .end = text + length, .first = true};
    struct flat f = {.take = match_cb, .arg = &m};
    bool same;

    jsonw_init(&m.quoted, 0);
    flat_site(&f, site);
    same = !f.enough && f.error == RG_OK && match_bytes(&m, "]", 1) && m.at == m.end;
    jsonw_free(&m.quoted);
    return same;
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
    struct lists l;

    lists_begin(&l, out);
    if (describes(before, length, after))
        return lists_end(&l, out);
    flat_parse(&l.a, before, length);
    flat_site(&l.b, after);
    return lists_end(&l, out);
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
