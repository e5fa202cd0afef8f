/* Aligned columns for people; any language (a Chinese character takes two cells). */
#ifndef RG_CTL_TABLE_H
#define RG_CTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

#define TABLE_COLUMNS 16
#define TABLE_CELL 160

enum table_colour { TABLE_PLAIN, TABLE_BOLD, TABLE_RED, TABLE_ORANGE, TABLE_YELLOW, TABLE_BLUE, TABLE_GREEN };

struct table {
    size_t columns;
    size_t rows, capacity;
    struct table_row *first; /* grown block */
    bool failed;             /* out of memory */
};

void table_init(struct table *t, size_t columns, const char *const *titles);
void table_free(struct table *t);
/* Begins a row, then one call a cell, left to right. The last cell of a row that ends early runs on over the columns it
 * leaves empty: a remark. */
void table_row(struct table *t, enum table_colour colour);
void table_cell(struct table *t, const char *format, ...) RG_PRINTF(2, 3);
/* Control characters in cells are shown as '?'. Says so when memory ran out and rows are missing. */
void table_print(const struct table *t, FILE *to);
/* Terminal cells a text takes; bytes that are no character count one each. */
size_t table_width(const char *text);
/* A text outside of a table, its control characters as in one. */
void table_write(const char *text, FILE *to);
/* The colour of a level by its name. */
enum table_colour table_level_colour(const char *level);
/* How many cells a line has on the terminal behind to, or by COLUMNS; 0: as many as it takes, so that what is piped stays in one
 * line. */
unsigned table_line(FILE *to);
/* Begins or ends a colour, where there are any: on a terminal that knows them (TERM is set, and not dumb), and everywhere
 * with CLICOLOR_FORCE=1; nowhere with NO_COLOR. */
void table_colour_begin(FILE *to, enum table_colour colour);
void table_colour_end(FILE *to, enum table_colour colour);

#endif
