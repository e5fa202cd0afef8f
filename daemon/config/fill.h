/* One mapping into one struct, by the rows of its section: unknown, repeated, missing and refused keys,
 * types, ranges, defaults. */
#ifndef RG_CONFIG_FILL_H
#define RG_CONFIG_FILL_H

#include "config/load.h"
#include "config/table.h"

/* map: NULL when the whole mapping was not given: then only defaults are filled in. base: the section's
 * struct; fields that are not given and have no default stay as they are. */
void fill_map(struct load *ld, enum section section, const struct node *map, void *base);

/* The same without the defaults, for a mapping within one whose defaults are filled in already. */
void fill_given(struct load *ld, enum section section, const struct node *map, void *base);

/* Sorts the children of a mapping under the rows of its section: found has TABLE_KEYS_MAX places, NULL
 * before. What belongs nowhere, comes twice or is for a later version is an error. false: a key belongs nowhere. */
bool fill_find(struct load *ld, enum section section, const struct node *map, const struct node **found);
/* false, with an error, when the value has not the shape (scalar, list, mapping) of its kind. */
bool fill_shape(struct load *ld, const struct key_row *row, const struct node *node);

/* One value into its row's field of base; and the row's default, which goes the same way as what is written. */
void fill_value(struct load *ld, const struct key_row *row, const struct node *node, void *base);
void fill_standard(struct load *ld, const struct key_row *row, void *base);

/* Values that builders take apart themselves; each reports what is wrong with them. `key` names the value in
 * messages. */
bool fill_number(struct load *ld, const char *key, const struct node *node, double *out);
/* A plain text of a list or of a value; NULL, with an issue, when it is none. */
const char *fill_text(struct load *ld, const char *key, const struct node *node);
bool fill_level(struct load *ld, const char *key, const struct node *node, enum level *out);
/* The same for the key of a value, and for a level that may also be true or false, which are not looked at here. */
bool fill_level_key(struct load *ld, const char *key, const struct node *node, enum level *out);
bool fill_latch(struct load *ld, const struct node *node, enum level *out);
/* One of the names of choices, which are listed when it is none. */
bool fill_named(struct load *ld, const char *key, const struct node *node, const struct choice *choices,
                int64_t *out);

#endif
