/* How the words of riskgate.yaml(5) are written. Internal to the manual*.c. */
#ifndef RG_CONFIG_MANUAL_TEXT_H
#define RG_CONFIG_MANUAL_TEXT_H

#include <stdio.h>

#include "config/node.h"
#include "config/table.h"

/* A text, what stands between backquotes in bold; and one as it is, for examples and names. */
void manual_put_words(FILE *to, const char *text);
void manual_put_literal(FILE *to, const char *text);

/* "duration, 10ms to 1m"; what a mapping or list is made of is the caller's to say. */
void manual_put_type(FILE *to, const struct key_row *row);

/* A value in YAML's flow style. Heap text of the caller, NULL without memory. Of a list of mappings only the shortest one. */
char *manual_flow(const struct key_row *row, const struct node *node);
/* The same as an example: `key: value`, broken into lines at commas where it is long. */
void manual_put_example(FILE *to, const struct key_row *row, const char *flow);

#endif
