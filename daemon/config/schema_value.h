/* The part of the JSON Schema that says what a value may be. Internal to config/. */
#ifndef RG_CONFIG_SCHEMA_VALUE_H
#define RG_CONFIG_SCHEMA_VALUE_H

#include "base/json_write.h"
#include "config/table.h"

/* The name of a section's definition. */
const char *schema_definition(enum section section);
/* The members that say what the value of a key may be, into an object that is open. */
void schema_put_value(struct jsonw *w, const struct key_row *row);

#endif
