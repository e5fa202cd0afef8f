#include "metrics/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/text.h"
#include "metrics/rows.h"

#define TEXT_MAX ((size_t)64 << 20)
#define PATH_MAX_BYTES 64
#define NUMBER_BYTES 40
#define LABELS_MAX 4

struct label {
    const char *name, *value;
};

struct writer {
    enum metrics_form form;
    struct metrics_text *out;
    bool failed;
};

/* ---- text ---- */

static void put_bytes(struct writer *w, const char *bytes, size_t length)
{
    struct metrics_text *t = w->out;

    if (w->failed)
        return;
    if (length >= t->capacity - t->length) {
        size_t wanted = t->capacity ? t->capacity : 4096;
        char *grown;

        while (wanted <= t->length + length)
            wanted *= 2;
        grown = wanted <= TEXT_MAX ? realloc(t->text, wanted) : NULL;
        if (!grown) {
            w->failed = true;
            return;
        }
        t->text = grown;
        t->capacity = wanted;
    }
    memcpy(t->text + t->length, bytes, length);
    t->length += length;
    t->text[t->length] = '\0';
}

static void put(struct writer *w, const char *text)
{
    put_bytes(w, text, strlen(text));
}

/* A label's value: backslash, quote and the end of a line are told apart (the same in both forms). */
static void put_escaped(struct writer *w, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            put(w, "\\\\");
        else if (*p == '"')
            put(w, "\\\"");
        else if (*p == '\n')
            put(w, "\\n");
        else
            put_bytes(w, p, 1);
    }
}

static void put_number(struct writer *w, double value)
{
    char memory[NUMBER_BYTES];
    struct jsonw number;

    jsonw_init_fixed(&number, memory, sizeof memory);
    jsonw_double(&number, value);
    if (jsonw_error(&number) == RG_OK)
        put_bytes(w, number.text, number.length);
    else
        w->failed = true;
}

/* ---- families ---- */

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* What the name of a sample has more than that of its OpenMetrics family. */
static const char *suffix(const struct metrics_row *row)
{
    if (row->kind == METRIC_COUNTER)
        return "_total";
    return row->kind == METRIC_INFO ? "_info" : "";
}

static const char *type(enum metrics_form form, const struct metrics_row *row)
{
    if (row->kind == METRIC_COUNTER)
        return "counter";
    return row->kind == METRIC_INFO && form == METRICS_OPENMETRICS ? "info" : "gauge";
}

static void put_line(struct writer *w, const char *what, const struct metrics_row *row, const char *text)
{
    put(w, what);
    put(w, row->name);
    if (w->form == METRICS_PROMETHEUS)
        put(w, suffix(row));
    put(w, " ");
    put(w, text);
    put(w, "\n");
}

/* With the members of the status that it comes from. */
static void put_help(struct writer *w, const struct metrics_row *rows, size_t count)
{
    const char *list = metrics_lists[rows->place].member;

    put(w, "# HELP ");
    put(w, rows->name);
    put(w, w->form == METRICS_PROMETHEUS ? suffix(rows) : "");
    put(w, " ");
    put(w, rows->help);
    for (size_t i = 0; i < count; i++) {
        put(w, i == 0 ? " (status: " : ", ");
        put(w, list ? list : "");
        put(w, list ? "." : "");
        put(w, rows[i].path);
    }
    put(w, ")\n");
}

static void put_family(struct writer *w, const struct metrics_row *row, size_t count)
{
    static const char *const units[] = {"seconds", "bytes", "ratio"};

    put_help(w, row, count);
    put_line(w, "# TYPE ", row, type(w->form, row));
    for (size_t i = 0; w->form == METRICS_OPENMETRICS && i < RG_COUNT(units); i++) {
        if (ends_in(row->name, units[i]))
            put_line(w, "# UNIT ", row, units[i]);
    }
}

static void put_sample(struct writer *w, const struct metrics_row *row, const struct label *labels,
                       size_t count, double value)
{
    put(w, row->name);
    put(w, suffix(row));
    for (size_t i = 0; i < count; i++) {
        put(w, i == 0 ? "{" : ",");
        put(w, labels[i].name);
        put(w, "=\"");
        put_escaped(w, labels[i].value);
        put(w, "\"");
    }
    put(w, count > 0 ? "} " : " ");
    put_number(w, value);
    put(w, "\n");
}

/* ---- figures ---- */

static const struct json *at_path(const struct json *from, const char *path)
{
    char part[PATH_MAX_BYTES];

    while (from) {
        const char *dot = strchr(path, '.');
        size_t length = dot ? (size_t)(dot - path) : strlen(path);

        if (length >= sizeof part)
            return NULL;
        memcpy(part, path, length);
        part[length] = '\0';
        from = json_get(from, part);
        if (!dot)
            return from;
        path = dot + 1;
    }
    return NULL;
}

static bool of_word(const char *word, const char *const *words, size_t count, double *value)
{
    for (size_t i = 0; word && i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            *value = (double)i;
            return true;
        }
    }
    return false;
}

/* False: there is no such figure now. */
static bool figure(const struct metrics_row *row, const struct json *json, double *value)
{
    static const char *const levels[] = {"none", "blue", "yellow", "orange", "red"};
    static const char *const switched[] = {"off", "on"};
    const char *word = json_string(json);

    switch (row->kind) {
    case METRIC_FLAG:
        *value = json_bool(json, false) ? 1 : 0;
        return json_is_bool(json);
    case METRIC_SECONDS:
    case METRIC_TIME:
        *value = json_double(json, 0) / 1000.0;
        return json_is_number(json);
    case METRIC_LEVEL:
        return of_word(word, levels, RG_COUNT(levels), value);
    case METRIC_ON_OFF:
        return of_word(word, switched, RG_COUNT(switched), value);
    case METRIC_IS:
        *value = word && strcmp(word, row->value) == 0 ? 1 : 0;
        return word != NULL;
    case METRIC_STATE:
    case METRIC_INFO:
        *value = 1;
        return word != NULL;
    case METRIC_COUNTER:
    case METRIC_GAUGE:
    case METRIC_OF_EACH:
        break;
    }
    *value = json_double(json, 0);
    return json_is_number(json);
}

/* The figures of one row in one entry. labels has room for one more behind the first `count`. */
static void put_entry(struct writer *w, const struct metrics_row *row, const struct json *entry,
                      struct label *labels, size_t count)
{
    const struct json *json = at_path(entry, row->path);
    double value;

    if (row->kind == METRIC_OF_EACH) {
        for (const struct json *one = json_first(json); one; one = json_next(one)) {
            labels[count] = (struct label){"stream", json_key(one)};
            if (labels[count].value && figure(row, one, &value))
                put_sample(w, row, labels, count + 1, value);
        }
        return;
    }
    if (!figure(row, json, &value))
        return;
    if (row->kind == METRIC_STATE)
        labels[count++] = (struct label){"state", json_string(json)};
    else if (row->label)
        labels[count++] = (struct label){row->label, row->value};
    put_sample(w, row, labels, count, value);
}

static void put_list(struct writer *w, const struct metrics_row *row, const struct json *status)
{
    const struct metrics_list *list = &metrics_lists[row->place];
    const struct json *entries = list->member ? json_get(status, list->member) : NULL;
    struct label labels[LABELS_MAX];

    if (!list->member) {
        put_entry(w, row, status, labels, 0);
        return;
    }
    for (const struct json *entry = json_first(entries); entry; entry = json_next(entry)) {
        size_t count = 0;

        for (size_t i = 0; i < RG_COUNT(list->from) && list->from[i]; i++) {
            const char *name = json_string(json_get(entry, list->from[i]));

            if (name)
                labels[count++] = (struct label){list->to[i], name};
        }
        put_entry(w, row, entry, labels, count);
    }
}

/* All texts of an info are labels of one sample. */
static void put_info(struct writer *w, const struct metrics_row *rows, size_t count,
                     const struct json *status)
{
    struct label labels[LABELS_MAX];
    size_t used = 0;

    for (size_t i = 0; i < count && used < LABELS_MAX; i++) {
        const char *dot = strrchr(rows[i].path, '.');
        const char *text = json_string(at_path(status, rows[i].path));

        if (text)
            labels[used++] = (struct label){dot ? dot + 1 : rows[i].path, text};
    }
    if (used > 0)
        put_sample(w, &rows[0], labels, used, 1);
}

enum rg_err metrics_write(enum metrics_form form, const struct json *status, struct metrics_text *out)
{
    struct writer w = {.form = form, .out = out};

    out->length = 0;
    for (size_t first = 0, next; first < metrics_row_count; first = next) {
        const struct metrics_row *rows = metrics_rows + first;
        size_t before = out->length, after;

        for (next = first + 1; next < metrics_row_count && strcmp(metrics_rows[next].name, rows->name) == 0;)
            next++;
        put_family(&w, rows, next - first);
        after = out->length;
        if (rows->kind == METRIC_INFO)
            put_info(&w, rows, next - first, status);
        for (size_t i = 0; rows->kind != METRIC_INFO && i < next - first; i++)
            put_list(&w, &rows[i], status);
        if (!w.failed && out->length == after) /* nothing of it here: not even its name */
            out->length = before;
    }
    put(&w, form == METRICS_OPENMETRICS ? "# EOF\n" : "");
    if (!w.failed && out->text)
        out->text[out->length] = '\0';
    return w.failed ? RG_ENOMEM : RG_OK;
}

void metrics_text_free(struct metrics_text *t)
{
    free(t->text);
    *t = (struct metrics_text){.text = NULL};
}
