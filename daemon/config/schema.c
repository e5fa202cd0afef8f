/* The JSON Schema (draft 2020-12) of a configuration, for editors: the rows of the table once more. */
#include <stdio.h>

#include "base/json_write.h"
#include "base/text.h"
#include "config/config.h"
#include "config/schema_value.h"
#include "config/value.h"

#define SCHEMA_BYTES ((size_t)1 << 20)

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
        schema_put_value(w, row);
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

/* Whether a mapping of this section may stand over one of a profile, and give as little as it likes: what is
 * missing in both is the loader's to find. */
static bool may_stand_over(enum section section)
{
    return section == SECTION_POINT || section == SECTION_LINE || section == SECTION_HEARTBEAT ||
           section == SECTION_TRIGGER || section == SECTION_DECIMALS;
}

/* The body of one section's mapping. */
static void put_section(struct jsonw *w, enum section section)
{
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    jsonw_key_string(w, "type", "object");
    jsonw_key_bool(w, "additionalProperties", false);
    if (section == SECTION_POINT || !may_stand_over(section))
        put_required(w, rows, count);
    if (!may_stand_over(section)) {
        put_group(w, rows, count, KEY_ONE_OF, "oneOf");
        put_group(w, rows, count, KEY_ANY_OF, "anyOf");
    }
    jsonw_key(w, "properties");
    jsonw_object_begin(w);
    for (size_t i = 0; i < count; i++)
        put_row(w, &rows[i]);
    jsonw_object_end(w);
}

/* Marks a section that is referred to; true when it was not marked yet. */
static bool mark(enum section section, bool marked[SECTION_COUNT])
{
    /* The top level is nowhere referred to: 0 is a row without a section. */
    bool news = section != SECTION_ROOT && !marked[section];

    marked[section] = marked[section] || news;
    return news;
}

/* Marks the sections that a document beginning with root refers to, root aside. */
static void mark_sections(enum section root, bool marked[SECTION_COUNT])
{
    bool more = true;

    marked[root] = true;
    while (more) {
        more = false;
        for (unsigned s = 0; s < SECTION_COUNT; s++) {
            size_t count;
            const struct key_row *rows = table_rows((enum section)s, &count);

            for (size_t i = 0; marked[s] && i < count; i++) {
                more = mark(rows[i].of, marked) || more;
                if (rows[i].kind == KIND_OPERAND || rows[i].kind == KIND_OPERANDS)
                    more = mark(SECTION_OPERAND, marked) || more;
            }
        }
    }
    marked[root] = false;
}

static void put_document(struct jsonw *w, enum section root, const char *title, const char *description)
{
    bool marked[SECTION_COUNT] = {false};

    mark_sections(root, marked);
    jsonw_object_begin(w);
    jsonw_key_string(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    jsonw_key_string(w, "title", title);
    jsonw_key_string(w, "description", description);
    put_section(w, root);
    jsonw_key(w, "$defs");
    jsonw_object_begin(w);
    for (unsigned s = 0; s < SECTION_COUNT; s++) {
        if (!marked[s])
            continue;
        jsonw_key(w, schema_definition((enum section)s));
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

static void write_schema(FILE *to, enum section root, const char *title, const char *description)
{
    struct jsonw w;

    jsonw_init(&w, SCHEMA_BYTES);
    put_document(&w, root, title, description);
    if (jsonw_error(&w) == RG_OK)
        print_indented(w.text, to);
    jsonw_free(&w);
}

void config_write_schema(FILE *to)
{
    write_schema(to, SECTION_ROOT, "A configuration file of riskgate",
                 "Any file of a configuration: the one given to riskgated, or one that it includes.");
}

void config_write_profile_schema(FILE *to)
{
    write_schema(to, SECTION_PROFILE, "A profile of riskgate",
                 "The register map of one kind of device: profiles/NAME.yaml.");
}
