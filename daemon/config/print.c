/* The issues as people read them. */
#include <string.h>

#include "base/secret.h"
#include "config/config.h"
#include "config/utf8.h"

#define PRINT_CELLS 160 /* a longer line is shown in part, around the caret */
#define PRINT_BEFORE 80

/* Writes the part of a line from byte `from` on, as wide as fits, bytes that could move the cursor as '?', secrets as '*'. */
static void print_part(FILE *to, const char *line, size_t length, size_t from)
{
    const struct secret_span hidden = secret_of_key(line, length);
    struct secret_span word = {0, 0}, secret = {0, 0};
    unsigned cells = 0;
    uint32_t code;

    for (size_t i = from; i < length && cells < PRINT_CELLS;) {
        size_t step = utf8_decode(line + i, length - i, &code);

        /* Once a word, however long: a line may have megabytes. */
        if (i >= word.upto) {
            word = secret_word(line, length, i);
            secret = secret_of_url(line, word);
        }
        if (step == 0 || (!utf8_is_allowed(code) && code != '\t')) {
            (void)fputc('?', to);
            step = step ? step : 1;
            cells++;
        } else if ((i >= secret.from && i < secret.upto) || (i >= hidden.from && i < hidden.upto)) {
            (void)fputs(utf8_width(code) == 2 ? "**" : "*", to);
            cells += utf8_width(code);
        } else {
            (void)fwrite(line + i, 1, step, to);
            cells += utf8_width(code);
        }
        i += step;
    }
    (void)fputc('\n', to);
}

/* Spaces under everything from byte `from` up to byte `upto`, tabs kept, two under a wide character. */
static void print_caret(FILE *to, const char *line, size_t length, size_t from, size_t upto)
{
    uint32_t code;

    for (size_t i = from; i < upto;) {
        size_t step = utf8_decode(line + i, length - i, &code);
        unsigned width = step ? utf8_width(code) : 1;

        if (step && code == '\t')
            (void)fputc('\t', to);
        else
            (void)fprintf(to, "%*s", (int)width, "");
        i += step ? step : 1;
    }
    (void)fputs("^\n", to);
}

static size_t step_at(const char *line, size_t length, size_t at)
{
    uint32_t code;
    size_t step = utf8_decode(line + at, length - at, &code);

    return step ? step : 1;
}

static void print_source(FILE *to, const char *line, unsigned column)
{
    size_t length = strlen(line);
    size_t caret = 0;
    size_t from = 0;

    for (unsigned i = 1; i < column && caret < length; i++)
        caret += step_at(line, length, caret);
    while (caret - from > PRINT_BEFORE)
        from += step_at(line, length, from);
    if (length <= PRINT_CELLS)
        from = 0;
    (void)fputs("    ", to);
    print_part(to, line, length, from);
    (void)fputs("    ", to);
    print_caret(to, line, length, from, caret);
}

void config_print(const struct config *config, FILE *to)
{
    size_t errors = 0;
    size_t warnings = 0;

    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];

        if (issue->line)
            (void)fprintf(to, "%s:%u:%u: ", issue->file, issue->line, issue->column);
        else
            (void)fprintf(to, "%s: ", issue->file);
        (void)fprintf(to, "%s: %s\n", issue->severity == CONFIG_ERROR ? "error" : "warning", issue->text);
        if (issue->source)
            print_source(to, issue->source, issue->column);
        if (issue->severity == CONFIG_ERROR)
            errors++;
        else
            warnings++;
    }
    if (config->error_count > errors)
        (void)fprintf(to, "%zu further errors are not shown\n", config->error_count - errors);
    if (config->warning_count > warnings)
        (void)fprintf(to, "%zu further warnings are not shown\n", config->warning_count - warnings);
}
