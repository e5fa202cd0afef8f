/* The JSON Schema (draft 2020-12) of a configuration, for editors: the rows of the table once more. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/text.h"
#include "config/config.h"
#include "config/table.h"
#include "config/value.h"

#define SCHEMA_BYTES ((size_t)1 << 20)

/* Names of the definitions, one for each section that is a mapping of its own. */
static const char *const definitions[SECTION_COUNT] = {
    [SECTION_ROOT] = "root",
    [SECTION_GATEWAY] = "gateway",
    [SECTION_ENTERPRISE] = "enterprise",
    [SECTION_CONTACT] = "contact",
    [SECTION_STORE] = "store",
    [SECTION_RETENTION] = "retention",
    [SECTION_UPLINK] = "uplink",
    [SECTION_TLS] = "tls",
    [SECTION_TELEMETRY] = "telemetry",
    [SECTION_ALARMS] = "alarms",
    [SECTION_BACKFILL] = "backfill",
    [SECTION_BUS] = "bus",
    [SECTION_DEVICE] = "device",
    [SECTION_OFFLINE] = "offline",
    [SECTION_POINT] = "point",
    [SECTION_AREA] = "area",
    [SECTION_RESPONSIBLE] = "responsible",
    [SECTION_RULE] = "rule",
    [SECTION_LIMITS] = "limits",
    [SECTION_CONTROL] = "control",
    [SECTION_LOG] = "log",
    [SECTION_RS485] = "rs485",
    [SECTION_LINE] = "line",
    [SECTION_STATUS] = "status",
    [SECTION_HEARTBEAT] = "heartbeat",
    [SECTION_TRIGGER] = "trigger",
    [SECTION_DECIMALS] = "decimals",
};

static void put_ref(struct jsonw *w, enum section section)
{
    char ref[64];

    (void)text_format(ref, sizeof ref, "#/$defs/%s", definitions[section]);
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
    case KIND_ENDPOINT:
        put_pattern(w, "^(\\[[^]]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$");
        break;
    case KIND_REGISTER:
        put_types(w, "integer", "string");
        jsonw_key_string(w, "pattern", "^[0134][0-9]{4,5}$");
        break;
    case KIND_DECIMAL:
    case KIND_LIMIT:
        jsonw_key_string(w, "type", "number");
        break;
    default:
        put_text(w, row);
    }
}

static void put_value(struct jsonw *w, const struct key_row *row)
{
    switch (row->kind) {
    case KIND_CHOICE:
        put_choices(w, row->choices);
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
        put_array(w, "number", 2, 2);
        break;
    case KIND_RAWS:
        put_array(w, "number", 0, POINT_INVALID_MAX);
        break;
    case KIND_LEVELS:
        put_pairs(w, "^([-+]?[0-9.]+([eE][-+]?[0-9]+)?|0[xX][0-9a-fA-F]+|true|false)$", table_levels);
        break;
    case KIND_NOTHING:
        put_array(w, "string", 0, 0);
        break;
    default:
        put_scalar(w, row);
    }
}

static void put_standard(struct jsonw *w, const struct key_row *row)
{
    double number;

    if (!row->standard)
        return;
    jsonw_key(w, "default");
    if (row->kind == KIND_BOOL)
        jsonw_bool(w, row->standard[0] == 't');
    else if (value_number(row->standard, &number) == VALUE_GOOD)
        jsonw_double(w, number);
    else
        jsonw_string(w, row->standard);
}

static void put_row(struct jsonw *w, const struct key_row *row)
{
    char doc[256];

    jsonw_key(w, row->name);
    jsonw_object_begin(w);
    if (row->flags & KEY_LATER) {
        (void)text_format(doc, sizeof doc, "%s Not carried out by this version of riskgate: refused.",
                          row->doc);
        jsonw_key_string(w, "description", doc);
        jsonw_key(w, "not");
        jsonw_object_begin(w);
        jsonw_object_end(w);
    } else {
        jsonw_key_string(w, "description", row->doc);
        put_value(w, row);
        put_standard(w, row);
    }
    jsonw_object_end(w);
}

static void put_required(struct jsonw *w, const struct key_row *rows, size_t count)
{
    jsonw_key(w, "required");
    jsonw_array_begin(w);
    for (size_t i = 0; i < count; i++)
        if (rows[i].flags & KEY_REQUIRED)
            jsonw_string(w, rows[i].name);
    jsonw_array_end(w);
}

/* "exactly one of" and "at least one of". */
static void put_group(struct jsonw *w, const struct key_row *rows, size_t count, unsigned flag,
                      const char *word)
{
    bool begun = false;

    for (size_t i = 0; i < count; i++) {
        if (!(rows[i].flags & flag))
            continue;
        if (!begun) {
            jsonw_key(w, word);
            jsonw_array_begin(w);
        }
        begun = true;
        jsonw_object_begin(w);
        jsonw_key(w, "required");
        jsonw_array_begin(w);
        jsonw_string(w, rows[i].name);
        jsonw_array_end(w);
        jsonw_object_end(w);
    }
    if (begun)
        jsonw_array_end(w);
}

/* The body of one section's mapping. */
static void put_section(struct jsonw *w, enum section section)
{
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    jsonw_key_string(w, "type", "object");
    jsonw_key_bool(w, "additionalProperties", false);
    put_required(w, rows, count);
    put_group(w, rows, count, KEY_ONE_OF, "oneOf");
    put_group(w, rows, count, KEY_ANY_OF, "anyOf");
    jsonw_key(w, "properties");
    jsonw_object_begin(w);
    for (size_t i = 0; i < count; i++)
        put_row(w, &rows[i]);
    jsonw_object_end(w);
}

static void put_document(struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    jsonw_key_string(w, "title", "A configuration file of riskgate");
    jsonw_key_string(w, "description",
                     "Any file of a configuration: the one given to riskgated, or one that it includes.");
    put_section(w, SECTION_ROOT);
    jsonw_key(w, "$defs");
    jsonw_object_begin(w);
    for (unsigned s = SECTION_ROOT + 1; s < SECTION_COUNT; s++) {
        jsonw_key(w, definitions[s]);
        jsonw_object_begin(w);
        put_section(w, (enum section)s);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void new_line(FILE *to, unsigned depth)
{
    (void)fprintf(to, "\n%*s", (int)(2 * depth), "");
}

/* Compact JSON, one member a line: so that a change of the table is a readable change of the file. */
static void print_indented(const char *text, FILE *to)
{
    unsigned depth = 0;
    bool quoted = false;

    for (const char *at = text; *at; at++) {
        char c = *at;

        if (quoted) {
            (void)fputc(c, to);
            if (c == '\\' && at[1])
                (void)fputc(*++at, to);
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        if ((c == '}' || c == ']') && at[-1] != '{' && at[-1] != '[')
            new_line(to, depth - 1);
        depth -= c == '}' || c == ']';
        (void)fputc(c, to);
        depth += c == '{' || c == '[';
        if (c == ',' || ((c == '{' || c == '[') && at[1] != '}' && at[1] != ']'))
            new_line(to, depth);
        else if (c == ':')
            (void)fputc(' ', to);
    }
    (void)fputc('\n', to);
}

void config_write_schema(FILE *to)
{
    struct jsonw w;

    jsonw_init(&w, SCHEMA_BYTES);
    put_document(&w);
    if (jsonw_error(&w) == RG_OK)
        print_indented(w.text, to);
    jsonw_free(&w);
}
