#include "config/issue.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/utf8.h"

struct found {
    struct place at;
    enum config_severity severity;
    size_t order; /* of being found, so that the sort is stable */
    const char *text;
};

#define ISSUE_KEPT (2u * CONFIG_ERRORS) /* errors and warnings never push each other out */

struct shown shown(const char *text)
{
    struct shown out = {0};

    if (!text_copy(out.text, sizeof out.text - 4, text))
        memcpy(out.text + strlen(out.text), "...", 4);
    return out;
}

struct place issue_file(uint32_t file)
{
    return (struct place){.file = file};
}

/* What is wrong in a profile is found again with every device of it. */
static bool is_known(const struct load *ld, struct place at, const char *text)
{
    for (size_t i = 0; i < ld->found_count && ld->sources[at.file].profile; i++) {
        const struct found *f = &ld->found[i];

        if (f->at.file == at.file && f->at.offset == at.offset && strcmp(f->text, text) == 0)
            return true;
    }
    return false;
}

static void RG_PRINTF(4, 0)
    add(struct load *ld, enum config_severity severity, struct place at, const char *format, va_list args)
{
    size_t *kept = severity == CONFIG_ERROR ? &ld->found_errors : &ld->found_warnings;
    char text[768];
    struct found *f;

    (void)vsnprintf(text, sizeof text, format, args);
    /* One issue is one line, whatever line ends a quoted text brings along. */
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' ';
    if (is_known(ld, at, text))
        return;
    if (severity == CONFIG_ERROR)
        ld->config->error_count++;
    else
        ld->config->warning_count++;
    if (*kept >= CONFIG_ERRORS)
        return;
    if (!ld->found)
        ld->found = load_scratch(ld, ISSUE_KEPT, sizeof *ld->found);
    if (!ld->found)
        return;
    f = &ld->found[ld->found_count];
    *f = (struct found){
        .at = at, .severity = severity, .order = ld->found_count, .text = load_keep_text(ld, text)};
    if (!f->text)
        return;
    ld->found_count++;
    (*kept)++;
}

void issue_error(struct load *ld, struct place at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(ld, CONFIG_ERROR, at, format, args);
    va_end(args);
}

void issue_warning(struct load *ld, struct place at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(ld, CONFIG_WARNING, at, format, args);
    va_end(args);
}

struct shown issue_nearest(struct load *ld, const char *text, const char *const *names, size_t count)
{
    struct shown out = {""};
    const char *nearest;

    if (count > ld->nearest_left || ld->found_errors >= CONFIG_ERRORS)
        return out;
    ld->nearest_left -= count;
    nearest = text_nearest(text, names, count);
    /* As far away as a wholly different word: no help. */
    if (nearest && text_distance(text, nearest) < strlen(text))
        (void)snprintf(out.text, sizeof out.text, "; did you mean `%.60s`?", nearest);
    return out;
}

static int by_place(const void *left, const void *right)
{
    const struct found *a = left;
    const struct found *b = right;

    if (a->at.file != b->at.file)
        return a->at.file < b->at.file ? -1 : 1;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    if (a->at.offset != b->at.offset)
        return a->at.offset < b->at.offset ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Column (characters, from 1) of an offset, and the start and length of its line. */
static unsigned measure(const struct source *source, size_t offset, size_t *start, size_t *length)
{
    size_t at = offset < source->length ? offset : source->length;
    size_t begin = at;
    const char *end;
    unsigned column = 1;
    uint32_t code;

    while (begin > 0 && source->text[begin - 1] != '\n')
        begin--;
    end = memchr(source->text + begin, '\n', source->length - begin);
    *start = begin;
    *length = end ? (size_t)(end - source->text) - begin : source->length - begin;
    if (*length > 0 && source->text[begin + *length - 1] == '\r')
        (*length)--;
    for (size_t i = begin; i < at; column++) {
        size_t step = utf8_decode(source->text + i, source->length - i, &code);

        i += step ? step : 1; /* a line that is no UTF-8 counts in bytes */
    }
    return column;
}

void issue_finish(struct load *ld)
{
    struct config *config = ld->config;
    const struct found *before = NULL;

    if (ld->found_count == 0)
        return;
    qsort(ld->found, ld->found_count, sizeof *ld->found, by_place);
    config->issues = load_keep(ld, ld->found_count, sizeof *config->issues);
    if (!config->issues)
        return;
    for (size_t i = 0; i < ld->found_count; i++) {
        const struct found *f = &ld->found[i];
        const struct source *source = &ld->sources[f->at.file];
        struct config_issue *issue = &config->issues[i];
        size_t start = 0;
        size_t length = 0;

        *issue = (struct config_issue){.severity = f->severity, .file = source->name, .text = f->text};
        if (f->at.line == 0 || !source->text)
            continue;
        issue->line = f->at.line;
        issue->column = measure(source, f->at.offset, &start, &length);
        /* One copy for all issues of a line: lines may be as long as files. */
        if (before && before->at.file == f->at.file && before->at.line == f->at.line)
            issue->source = config->issues[i - 1].source;
        else
            issue->source = arena_strndup(ld->arena, source->text + start, length);
        if (!issue->source)
            ld->oom = true;
        before = f;
    }
    config->issue_count = ld->found_count;
}
