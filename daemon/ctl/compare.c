#include "ctl/compare.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/table.h"
#include "ctl/words.h"

#define ROWS_SHOWN 200 /* for people; the rest: --json */

static enum exit_status tell(const char *problem, enum exit_status status)
{
    (void)fprintf(stderr, "riskgatectl: %s\n", problem);
    return status;
}

enum exit_status compare_ask(const char *socket, struct compare *c)
{
    const struct json *result;
    struct jsonw request;

    memset(c, 0, sizeof *c);
    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "config");
    jsonw_object_end(&request);
    if (jsonw_error(&request) == RG_OK)
        client_ask(socket, &request, CLIENT_TIMEOUT_S, &c->answer);
    else
        (void)text_copy(c->answer.problem, sizeof c->answer.problem, "out of memory");
    jsonw_free(&request);
    if (c->answer.problem[0])
        return tell(c->answer.problem, c->answer.reached ? EXIT_FAILED : EXIT_NOT_REACHABLE);
    result = json_get(c->answer.answer, "result");
    c->file = json_string(json_get(result, "file"));
    c->sha256 = json_string(json_get(result, "sha256"));
    c->loaded_ts = json_int(json_get(result, "loaded_ts"), 0);
    if (!c->file || !c->sha256)
        return tell("the daemon's answer is not understood; are both of one version?", EXIT_FAILED);
    return EXIT_DONE;
}

/* The daemon's keys as the text that config_describe wrote. */
static enum rg_err keys_text(const struct compare *c, struct jsonw *w)
{
    const struct json *keys = json_get(json_get(c->answer.answer, "result"), "keys");

    jsonw_array_begin(w);
    for (const struct json *key = json_first(keys); key; key = json_next(key))
        jsonw_string(w, json_string(key));
    jsonw_array_end(w);
    return jsonw_error(w);
}

enum exit_status compare_with(struct compare *c, const char *file)
{
    struct jsonw keys;
    enum rg_err err;

    if (config_load(file, &c->config) != RG_OK)
        return tell("out of memory", EXIT_FAILED);
    if (!c->config->site)
        return EXIT_DONE;
    jsonw_init(&keys, 0);
    err = keys_text(c, &keys);
    if (err == RG_OK)
        err = config_diff_text(keys.text, keys.length, c->config->site, &c->diff);
    jsonw_free(&keys);
    if (err == RG_EINVAL)
        return tell("the daemon's answer is not understood; are both of one version?", EXIT_FAILED);
    return err == RG_OK ? EXIT_DONE : tell(rg_err_text(err), EXIT_FAILED);
}

void compare_free(struct compare *c)
{
    config_diff_free(&c->diff);
    config_free(c->config);
    client_answer_free(&c->answer);
    c->config = NULL;
}

/* ---- as JSON ---- */

static void write_errors(const struct config *config, struct jsonw *w)
{
    jsonw_array_begin(w);
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];

        if (issue->severity != CONFIG_ERROR)
            continue;
        jsonw_object_begin(w);
        jsonw_key_string(w, "file", issue->file);
        jsonw_key_int(w, "line", issue->line);
        jsonw_key_int(w, "column", issue->column);
        jsonw_key_string(w, "text", issue->text);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

void compare_write(const struct compare *c, struct jsonw *w)
{
    jsonw_key_string(w, "file", c->config->file);
    jsonw_key_bool(w, "valid", c->config->site != NULL);
    jsonw_key_string(w, "sha256", c->config->sha256);
    jsonw_key(w, "running");
    jsonw_object_begin(w);
    jsonw_key_string(w, "file", c->file);
    jsonw_key_string(w, "sha256", c->sha256);
    jsonw_key_positive(w, "loaded_ts", c->loaded_ts);
    jsonw_object_end(w);
    jsonw_key(w, "changes");
    jsonw_array_begin(w);
    for (size_t i = 0; i < c->diff.count; i++) {
        jsonw_object_begin(w);
        jsonw_key_string(w, "what", c->diff.changes[i].what);
        jsonw_key_string(w, "before", c->diff.changes[i].before);
        jsonw_key_string(w, "after", c->diff.changes[i].after);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_key(w, "errors");
    write_errors(c->config, w);
}

/* ---- for people ---- */

/* A key that every object of a kind has: where it comes or goes, so does the whole object. */
static const struct {
    const char *kind, *key;
} anchors[] = {
    {"area.", ".inherent"}, {"bus.", ".gap"},    {"device.", ".retries"}, {"point.", ".bits"},
    {"rule.", ".deadband"}, {"uplink.", ".url"}, {"output.", ".on_stop"},
};

struct object {
    const char *what; /* of its anchor's change */
    size_t length;    /* of "device.gas-1." */
    size_t keys;      /* that come or go with it */
    bool gone;
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* Whether this change makes a whole object new, or takes it away. */
static bool is_whole(const struct config_change *c, struct object *o)
{
    if (c->before && c->after)
        return false;
    for (size_t i = 0; i < RG_COUNT(anchors); i++) {
        if (strncmp(c->what, anchors[i].kind, strlen(anchors[i].kind)) != 0 ||
            !ends_with(c->what, anchors[i].key))
            continue;
        *o = (struct object){
            .what = c->what, .length = strlen(c->what) - strlen(anchors[i].key) + 1, .gone = !c->after};
        return true;
    }
    return false;
}

/* Whether a key behind `before` speaks of that name; end: what may stand behind the name. */
static bool speaks_of(const char *what, const char *before, const char *name, size_t length, const char *end)
{
    const char *found = strstr(what, before);

    found = found ? found + strlen(before) : NULL;
    return found && strncmp(found, name, length) == 0 && (end ? found[length] == end[0] : !found[length]);
}

static bool covers(const struct object *o, const struct config_change *c)
{
    static const char device[] = "device.";
    const char *name = o->what + sizeof device - 1;
    const size_t length = o->length - sizeof device; /* without the dot behind it */

    if ((o->gone && c->after) || (!o->gone && c->before))
        return false;
    if (strncmp(c->what, o->what, o->length) == 0)
        return true;
    if (strncmp(o->what, device, sizeof device - 1) != 0)
        return false;
    /* The points of a device come and go with it, and so does what else names it. */
    if (strncmp(c->what, "point.", 6) == 0)
        return speaks_of(c->what, "point.", name, length, ".");
    return (strncmp(c->what, "rule.", 5) == 0 && speaks_of(c->what, ".points.", name, length, ".")) ||
           (strncmp(c->what, "uplink.", 7) == 0 &&
            speaks_of(c->what, ".telemetry.devices.", name, length, NULL));
}

struct listing {
    struct table table;
    struct object *objects;
    size_t object_count;
    size_t rows, left_out;
};

static struct object *object_of(const struct listing *l, const struct config_change *c)
{
    for (size_t i = 0; i < l->object_count; i++) {
        if (covers(&l->objects[i], c))
            return &l->objects[i];
    }
    return NULL;
}

static enum table_colour colour_of(const struct config_change *c)
{
    return strncmp(c->what, "rule.", 5) == 0 || strncmp(c->what, "output.", 7) == 0 ? TABLE_YELLOW
                                                                                    : TABLE_PLAIN;
}

static bool begin_row(struct listing *l, const struct config_change *c)
{
    if (l->rows == ROWS_SHOWN) {
        l->left_out++;
        return false;
    }
    l->rows++;
    table_row(&l->table, colour_of(c));
    return true;
}

static void list_object(struct listing *l, const struct object *o, const struct config_change *c)
{
    if (!begin_row(l, c))
        return;
    table_cell(&l->table, "%.*s", (int)o->length - 1, o->what);
    table_cell(&l->table, "%s", o->gone ? "there" : "-");
    table_cell(&l->table, "%s (%zu keys)", o->gone ? "gone" : "new", o->keys);
}

static void list_change(struct listing *l, const struct config_change *c)
{
    if (!begin_row(l, c))
        return;
    table_cell(&l->table, "%s", c->what);
    table_cell(&l->table, "%s", c->before ? c->before : "-");
    table_cell(&l->table, "%s", c->after ? c->after : "-");
}

/* Devices come before points in the order of the keys, so that a point's object is its device where that is new or gone, too. */
static void find_objects(struct listing *l, const struct config_diff *diff)
{
    for (size_t i = 0; i < diff->count; i++) {
        struct object o;

        if (is_whole(&diff->changes[i], &o) && !object_of(l, &diff->changes[i]))
            l->objects[l->object_count++] = o;
    }
    for (size_t i = 0; i < diff->count; i++) {
        struct object *o = object_of(l, &diff->changes[i]);

        if (o)
            o->keys++;
    }
}

static void list(struct listing *l, const struct config_diff *diff)
{
    find_objects(l, diff);
    for (size_t i = 0; i < diff->count; i++) {
        const struct config_change *c = &diff->changes[i];
        const struct object *o = object_of(l, c);

        if (!o)
            list_change(l, c);
        else if (o->what == c->what)
            list_object(l, o, c);
    }
}

static void show_since(const struct compare *c, FILE *to)
{
    char since[WORDS_MAX];

    (void)fprintf(to, "%s beside what runs (%s, since %s):\n", c->config->file, c->file,
                  words_time(c->loaded_ts, clock_wall_ms(), since));
}

void compare_show(const struct compare *c, FILE *to)
{
    static const char *const titles[] = {"what", "runs now", "then"};
    struct listing l = {0};
    struct arena arena;

    show_since(c, to);
    if (c->diff.count == 0) {
        (void)fputs(strcmp(c->config->sha256, c->sha256) == 0
                        ? "no difference: the very same files\n"
                        : "no difference in what is configured (the files themselves differ)\n",
                    to);
        return;
    }
    table_init(&l.table, RG_COUNT(titles), titles);
    arena_init(&arena, 0);
    l.objects = arena_alloc(&arena, c->diff.count, sizeof *l.objects);
    if (l.objects) {
        list(&l, &c->diff);
        table_print(&l.table, to);
        if (l.left_out > 0)
            (void)fprintf(to, "(%zu more: --json)\n", l.left_out);
        (void)fprintf(to, "%zu changes\n", c->diff.count);
    } else {
        (void)fputs("riskgatectl: out of memory\n", stderr);
    }
    table_free(&l.table);
    arena_destroy(&arena);
}
