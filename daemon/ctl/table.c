#include "ctl/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/text.h"

struct table_row {
    enum table_colour colour;
    size_t cells;
    char cell[TABLE_COLUMNS][TABLE_CELL];
};

void table_init(struct table *t, size_t columns, const char *const *titles)
{
    memset(t, 0, sizeof *t);
    t->columns = columns < TABLE_COLUMNS ? columns : TABLE_COLUMNS;
    table_row(t, TABLE_BOLD);
    for (size_t i = 0; i < t->columns; i++)
        table_cell(t, "%s", titles[i]);
}

void table_free(struct table *t)
{
    free(t->first);
    memset(t, 0, sizeof *t);
}

void table_row(struct table *t, enum table_colour colour)
{
    if (t->rows == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 16;
        struct table_row *grown = realloc(t->first, capacity * sizeof *grown);

        if (!grown) {
            t->failed = true;
            return;
        }
        t->first = grown;
        t->capacity = capacity;
    }
    memset(&t->first[t->rows], 0, sizeof t->first[0]);
    t->first[t->rows++].colour = colour;
}

/* C0, DEL, and C1 (U+0080 to U+009F, in UTF-8 0xc2 and one byte), among which are the beginnings of terminal commands. */
static void hide_controls(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
        else if (*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
}

void table_write(const char *text, FILE *to)
{
    char whole[4 * TABLE_CELL];

    (void)snprintf(whole, sizeof whole, "%s", text);
    hide_controls(whole);
    (void)fputs(whole, to);
}

void table_cell(struct table *t, const char *format, ...)
{
    struct table_row *row = t->rows ? &t->first[t->rows - 1] : NULL;
    char whole[2 * TABLE_CELL];
    va_list args;

    if (t->failed || !row || row->cells >= t->columns)
        return;
    va_start(args, format);
    (void)vsnprintf(whole, sizeof whole, format, args);
    va_end(args);
    (void)text_copy(row->cell[row->cells], TABLE_CELL, whole);
    hide_controls(row->cell[row->cells]);
    row->cells++;
}

size_t table_width(const char *text)
{
    mbstate_t state;
    size_t width = 0;

    memset(&state, 0, sizeof state);
    while (*text) {
        wchar_t c;
        size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);
        int w;

        if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
            memset(&state, 0, sizeof state);
            text++;
            width++;
            continue;
        }
        w = wcwidth(c);
        width += w > 0 ? (size_t)w : 0;
        text += n;
    }
    return width;
}

unsigned table_line(FILE *to)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size = {0};

    if (columns && columns[0] >= '1' && columns[0] <= '9')
        return (unsigned)strtoul(columns, NULL, 10);
    return isatty(fileno(to)) && ioctl(fileno(to), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* As no-color.org and bixense.com/clicolors have it. */
static bool has_colours(FILE *to)
{
    const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");

    if (no && no[0])
        return false;
    if (force && force[0] && strcmp(force, "0") != 0)
        return true;
    return isatty(fileno(to)) && term && term[0] && strcmp(term, "dumb") != 0;
}

void table_colour_begin(FILE *to, enum table_colour colour)
{
    static const char *const codes[] = {"",         "\033[1m",  "\033[1;31m", "\033[38;5;208m",
                                        "\033[33m", "\033[34m", "\033[32m"};

    if (colour != TABLE_PLAIN && has_colours(to))
        (void)fputs(codes[colour], to);
}

void table_colour_end(FILE *to, enum table_colour colour)
{
    if (colour != TABLE_PLAIN && has_colours(to))
        (void)fputs("\033[0m", to);
}

void table_print(const struct table *t, FILE *to)
{
    size_t width[TABLE_COLUMNS] = {0};

    for (size_t r = 0; r < t->rows; r++) {
        for (size_t c = 0; c < t->first[r].cells; c++) {
            size_t w = table_width(t->first[r].cell[c]);

            if (c > 0 && c + 1 == t->first[r].cells && c + 1 < t->columns)
                continue;
            width[c] = w > width[c] ? w : width[c];
        }
    }
    for (size_t r = 0; r < t->rows; r++) {
        const struct table_row *row = &t->first[r];

        table_colour_begin(to, row->colour);
        for (size_t c = 0; c < row->cells; c++) {
            bool last = c + 1 == row->cells;

            (void)fputs(row->cell[c], to);
            for (size_t pad = last ? 0 : width[c] + 2 - table_width(row->cell[c]); pad > 0; pad--)
                (void)fputc(' ', to);
        }
        table_colour_end(to, row->colour);
        (void)fputc('\n', to);
    }
    if (t->failed)
        (void)fputs("(out of memory: rows are missing)\n", to);
}

enum table_colour table_level_colour(const char *level)
{
    static const struct {
        const char *level;
        enum table_colour colour;
    } colours[] = {
        {"red", TABLE_RED}, {"orange", TABLE_ORANGE}, {"yellow", TABLE_YELLOW}, {"blue", TABLE_BLUE}};

    for (size_t i = 0; level && i < RG_COUNT(colours); i++) {
        if (strcmp(level, colours[i].level) == 0)
            return colours[i].colour;
    }
    return TABLE_PLAIN;
}
