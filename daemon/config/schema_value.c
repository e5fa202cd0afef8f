/* What a value may be, by the kind of its key. */
#include "config/schema_value.h"

#include <math.h>

#include "base/text.h"
#include "config/value.h"
#include "model/site.h"

#define POINT_PATTERN "^[A-Za-z0-9_-]{1,64}(\\.[A-Za-z0-9_-]{1,64})?$"

static void put_ref(struct jsonw *w, enum section section)
{
    char ref[64];

    (void)text_format(ref, sizeof ref, "#/$defs/%s", schema_definition(section));
    jsonw_key_string(w, "$ref", ref);
}

static void put_number(struct jsonw *w, const char *key, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        jsonw_key_int(w, key, (int64_t)value);
    else
        jsonw_key_double(w, key, value);
}

static void put_types(struct jsonw *w, const char *one, const char *two)
{
    jsonw_key(w, "type");
    jsonw_array_begin(w);
    jsonw_string(w, one);
    jsonw_string(w, two);
    jsonw_array_end(w);
}

static void put_pattern(struct jsonw *w, const char *pattern)
{
    jsonw_key_string(w, "type", "string");
    jsonw_key_string(w, "pattern", pattern);
}

/* The words; those that YAML reads as numbers as such too. */
static void put_choices(struct jsonw *w, const struct choice *choices)
{
    jsonw_key(w, "enum");
    jsonw_array_begin(w);
    for (; choices->name; choices++) {
        int64_t number;

        if (value_int(choices->name, &number) == VALUE_GOOD)
            jsonw_int(w, number);
        else
            jsonw_string(w, choices->name);
    }
    jsonw_array_end(w);
}

/* A string, or a list of strings. */
static void put_one_or_list(struct jsonw *w)
{
    put_types(w, "string", "array");
    jsonw_key(w, "items");
    jsonw_object_begin(w);
    jsonw_key_string(w, "type", "string");
    jsonw_object_end(w);
}

static void put_array(struct jsonw *w, const char *type, int64_t least, int64_t most)
{
    jsonw_key_string(w, "type", "array");
    jsonw_key(w, "items");
    jsonw_object_begin(w);
    jsonw_key_string(w, "type", type);
    jsonw_object_end(w);
    jsonw_key_int(w, "minItems", least);
    jsonw_key_int(w, "maxItems", most);
}

static void put_items(struct jsonw *w, const struct key_row *row)
{
    /* A section whose entries are all commented out is null; the points of a device never are. */
    if (row->section == SECTION_ROOT)
        put_types(w, "array", "null");
    else
        jsonw_key_string(w, "type", "array");
    jsonw_key(w, "items");
    jsonw_object_begin(w);
    put_ref(w, row->of);
    jsonw_object_end(w);
    if (row->section != SECTION_ROOT)
        jsonw_key_int(w, "minItems", 1);
}

/* One mapping, or a list of them. */
static void put_parts(struct jsonw *w, const struct key_row *row)
{
    jsonw_key(w, "oneOf");
    jsonw_array_begin(w);
    jsonw_object_begin(w);
    put_ref(w, row->of);
    jsonw_object_end(w);
    jsonw_object_begin(w);
    put_items(w, row);
    jsonw_object_end(w);
    jsonw_array_end(w);
}

/* {key: word}: the words are those of choices, or, without, any text. */
static void put_pairs(struct jsonw *w, const char *keys, const struct choice *choices)
{
    jsonw_key_string(w, "type", "object");
    jsonw_key_int(w, "minProperties", 1);
    jsonw_key(w, "patternProperties");
    jsonw_object_begin(w);
    jsonw_key(w, keys);
    jsonw_object_begin(w);
    if (choices) {
        put_choices(w, choices);
    } else {
        jsonw_key_string(w, "type", "string");
        jsonw_key_int(w, "minLength", 1);
    }
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_key_bool(w, "additionalProperties", false);
}

static void put_map(struct jsonw *w, const struct key_row *row)
{
    if (row->section != SECTION_ROOT) {
        put_ref(w, row->of);
        return;
    }
    jsonw_key(w, "anyOf");
    jsonw_array_begin(w);
    jsonw_object_begin(w);
    put_ref(w, row->of);
    jsonw_object_end(w);
    jsonw_object_begin(w);
    jsonw_key_string(w, "type", "null");
    jsonw_object_end(w);
    jsonw_array_end(w);
}

/* The schema of the key of the same name in another section. */
static void put_like(struct jsonw *w, const struct key_row *row)
{
    char ref[96];

    (void)text_format(ref, sizeof ref, "#/$defs/%s/properties/%s", schema_definition(row->of), row->name);
    jsonw_key_string(w, "$ref", ref);
}

static void put_any_keys(struct jsonw *w, const struct key_row *row)
{
    jsonw_key_string(w, "type", "object");
    if (row->kind != KIND_TEXTS)
        return;
    jsonw_key(w, "additionalProperties");
    jsonw_object_begin(w);
    jsonw_key_string(w, "type", "string");
    jsonw_object_end(w);
}

static void put_text(struct jsonw *w, const struct key_row *row)
{
    if (row->kind == KIND_DIGITS)
        put_types(w, "string", "integer");
    else
        jsonw_key_string(w, "type", "string");
    jsonw_key_int(w, "minLength", 1);
    put_number(w, "maxLength", row->max);
}

/* What a scalar may be. */
static void put_scalar(struct jsonw *w, const struct key_row *row)
{
    switch (row->kind) {
    case KIND_BOOL:
        jsonw_key_string(w, "type", "boolean");
        break;
    case KIND_INT:
    case KIND_NUMBER:
        jsonw_key_string(w, "type", row->kind == KIND_INT ? "integer" : "number");
        if (row->min > -1e15)
            put_number(w, "minimum", row->min);
        if (row->max < 1e15)
            put_number(w, "maximum", row->max);
        break;
    case KIND_ID:
        put_pattern(w, "^[A-Za-z0-9._-]{1,64}$");
        break;
    case KIND_NAME:
        put_pattern(w, "^[A-Za-z0-9_-]{1,64}$");
        break;
    case KIND_DURATION:
        put_pattern(w, "^[0-9]+(ms|s|m|h|d|y)$");
        break;
    case KIND_SIZE:
        put_types(w, "string", "integer");
        jsonw_key_string(w, "pattern", "^[0-9]+(KiB|MiB|GiB)?$");
        break;
    case KIND_RATE:
        put_pattern(w, "^([0-9]+(\\.[0-9]+)?/s|unlimited)$");
        break;
    case KIND_TIME:
        put_pattern(w, "^(([01][0-9]|2[0-3]):[0-5][0-9]|none)$");
        break;
    case KIND_ENDPOINT:
        put_pattern(w, "^(\\[[^]]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$");
        break;
    case KIND_POINT:
        put_pattern(w, POINT_PATTERN);
        break;
    case KIND_REGISTER:
        put_types(w, "integer", "string");
        jsonw_key_string(w, "pattern", "^[0134][0-9]{4,5}$");
        break;
    case KIND_DECIMAL:
        jsonw_key_string(w, "type", "number");
        break;
    default:
        put_text(w, row);
    }
}

static void put_pair(struct jsonw *w, const struct key_row *row)
{
    (void)row;
    put_array(w, "number", 2, 2);
}

static void put_one_ref(struct jsonw *w, enum section section)
{
    jsonw_object_begin(w);
    put_ref(w, section);
    jsonw_object_end(w);
}

static void put_operand(struct jsonw *w, const struct key_row *row)
{
    jsonw_key(w, "anyOf");
    jsonw_array_begin(w);
    jsonw_object_begin(w);
    jsonw_key_string(w, "type", "number");
    jsonw_object_end(w);
    jsonw_object_begin(w);
    put_pattern(w, POINT_PATTERN);
    jsonw_object_end(w);
    put_one_ref(w, SECTION_OPERAND);
    if (row->of == SECTION_GAUGES)
        put_one_ref(w, row->of);
    jsonw_array_end(w);
}

/* A limit or a signal: a plain word or number, or the mapping. */
static void put_plain_or_ref(struct jsonw *w, const struct key_row *row)
{
    jsonw_key(w, "anyOf");
    jsonw_array_begin(w);
    jsonw_object_begin(w);
    if (row->kind != KIND_SIGNAL)
        jsonw_key_string(w, "type", "number");
    else
        jsonw_key_string(w, "const", "value");
    jsonw_object_end(w);
    put_one_ref(w, row->of);
    jsonw_array_end(w);
}

static void put_numbers(struct jsonw *w)
{
    jsonw_key_string(w, "type", "object");
    jsonw_key(w, "propertyNames");
    jsonw_object_begin(w);
    put_pattern(w, "^[A-Za-z0-9._-]{1,64}$");
    jsonw_object_end(w);
    jsonw_key(w, "additionalProperties");
    jsonw_object_begin(w);
    put_types(w, "number", "null"); /* null: still open */
    jsonw_object_end(w);
}

/* One value of a discrete signal, or a list. */
static void put_is(struct jsonw *w)
{
    jsonw_key(w, "type");
    jsonw_array_begin(w);
    jsonw_string(w, "number");
    jsonw_string(w, "boolean");
    jsonw_string(w, "array");
    jsonw_array_end(w);
    jsonw_key(w, "items");
    jsonw_object_begin(w);
    put_types(w, "number", "boolean");
    jsonw_object_end(w);
    jsonw_key_int(w, "minItems", 1);
    jsonw_key_int(w, "maxItems", RULE_VALUES_MAX);
}

static void put_latch(struct jsonw *w)
{
    jsonw_key(w, "enum");
    jsonw_array_begin(w);
    jsonw_bool(w, true);
    jsonw_bool(w, false);
    for (const struct choice *level = table_levels; level->name; level++)
        jsonw_string(w, level->name);
    jsonw_array_end(w);
}

static void put_basis(struct jsonw *w, const struct key_row *row)
{
    put_types(w, "string", "object");
    jsonw_key_int(w, "minLength", 1);
    put_number(w, "maxLength", row->max);
    jsonw_key(w, "propertyNames");
    jsonw_object_begin(w);
    put_choices(w, table_levels);
    jsonw_object_end(w);
    jsonw_key(w, "additionalProperties");
    jsonw_object_begin(w);
    put_text(w, row);
    jsonw_object_end(w);
}

static void put_list_of(struct jsonw *w, void (*put)(struct jsonw *w, const struct key_row *row),
                        const struct key_row *row, int64_t least)
{
    jsonw_key_string(w, "type", "array");
    jsonw_key(w, "items");
    jsonw_object_begin(w);
    put(w, row);
    jsonw_object_end(w);
    jsonw_key_int(w, "minItems", least);
}

static void put_choice(struct jsonw *w, const struct key_row *row)
{
    put_choices(w, row->choices);
}

/* The kinds that only rules have. */
static void put_rule_value(struct jsonw *w, const struct key_row *row)
{
    switch (row->kind) {
    case KIND_LIMIT:
    case KIND_OPEN:
    case KIND_SIGNAL:
        put_plain_or_ref(w, row);
        break;
    case KIND_NUMBERS:
        put_numbers(w);
        break;
    case KIND_IS:
        put_is(w);
        break;
    case KIND_LATCH:
        put_latch(w);
        break;
    case KIND_BASIS:
        put_basis(w, row);
        break;
    default:
        put_scalar(w, row);
    }
}

void schema_put_value(struct jsonw *w, const struct key_row *row)
{
    switch (row->kind) {
    case KIND_CHOICE:
        put_choice(w, row);
        break;
    case KIND_MAP:
        put_map(w, row);
        break;
    case KIND_ITEMS:
        put_items(w, row);
        break;
    case KIND_PART:
        put_ref(w, row->of);
        break;
    case KIND_PARTS:
        put_parts(w, row);
        break;
    case KIND_STATES:
        put_pairs(w, "^([0-9]+|0[xX][0-9a-fA-F]+|true|false)$", table_qualities);
        break;
    case KIND_WORDS:
        put_pairs(w, "^([-+]?[0-9]+|0[xX][0-9a-fA-F]+|true|false)$", NULL);
        break;
    case KIND_PATHS:
    case KIND_PATTERNS:
        put_one_or_list(w);
        break;
    case KIND_RANGE:
    case KIND_PAIR:
        put_array(w, "number", 2, 2);
        break;
    case KIND_RAWS:
        put_array(w, "number", 0, POINT_INVALID_MAX);
        break;
    case KIND_LEVELS:
        put_pairs(w, "^([-+]?[0-9.]+([eE][-+]?[0-9]+)?|0[xX][0-9a-fA-F]+|true|false)$", table_levels);
        break;
    case KIND_PAIRS:
        put_list_of(w, put_pair, NULL, 2);
        break;
    case KIND_OPERAND:
        put_operand(w, row);
        break;
    case KIND_OPERANDS:
        put_list_of(w, put_operand, row, 1);
        break;
    case KIND_NOTHING:
        put_array(w, "string", 0, 0);
        break;
    case KIND_LIKE:
        put_like(w, row);
        break;
    case KIND_TEXTS:
    case KIND_VALUES:
        put_any_keys(w, row);
        break;
    case KIND_CHOICES:
        put_list_of(w, put_choice, row, 0);
        jsonw_key_bool(w, "uniqueItems", true);
        break;
    default:
        put_rule_value(w, row);
    }
}
