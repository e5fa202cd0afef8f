#include "support_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

_Noreturn void line_refuse(const struct line *line, const char *what)
{
    fprintf(stderr, "support_site: %s: \"%.*s\"\n", what, (int)line->length, line->text);
    abort();
}

bool line_word(struct line *line, char *word)
{
    const char *end = line->text + line->length;
    size_t n = 0;

    while (line->at < end && *line->at == ' ')
        line->at++;
    for (; line->at < end && *line->at != ' '; line->at++) {
        if (n + 1 >= WORD_MAX)
            line_refuse(line, "word too long");
        word[n++] = *line->at;
    }
    word[n] = '\0';
    return n > 0;
}

bool line_pair(struct line *line, char *word, char **value)
{
    if (!line_word(line, word))
        return false;
    *value = strchr(word, '=');
    if (!*value)
        line_refuse(line, "key=value expected");
    *(*value)++ = '\0';
    return true;
}

const char *line_keep(struct support_site *s, const char *text)
{
    const char *copy = arena_strdup(&s->arena, text);

    if (!copy)
        abort();
    return copy;
}

void *line_room(struct support_site *s, size_t count, size_t size)
{
    void *memory = arena_alloc(&s->arena, count ? count : 1, size);

    if (!memory)
        abort();
    return memory;
}

double line_number(const struct line *line, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end)
        line_refuse(line, "bad number");
    return value;
}

int64_t line_duration(const struct line *line, const char *text)
{
    int64_t ms = 0;

    if (strcmp(text, "0") != 0 && text_duration(text, &ms) != RG_OK)
        line_refuse(line, "bad duration");
    return ms;
}

enum level line_level(const struct line *line, const char *text)
{
    enum level found = LEVEL_NONE;

    if (level_parse(text, &found) != RG_OK)
        line_refuse(line, "bad level");
    return found;
}
