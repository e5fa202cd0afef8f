#include "config/manual_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/value.h"
#include "model/site.h"

#define LINE_WIDTH 66 /* of an example: 80 columns less the page's indentation */
#define NO_BOUND 1e15

/* roff takes some characters for its own, and turns others into what looks like them (a dash, a typographic quote). */
static void put_char(FILE *to, char c, bool literal)
{
    switch (c) {
    case '\\':
        (void)fputs("\\e", to);
        break;
    case '~':
        (void)fputs("\\(ti", to);
        break;
    case '^':
        (void)fputs("\\(ha", to);
        break;
    case '\'':
        (void)fputs("\\(aq", to);
        break;
    case '"':
        (void)fputs("\\(dq", to);
        break;
    case '-':
        (void)fputs(literal ? "\\-" : "-", to);
        break;
    default:
        (void)fputc(c, to);
    }
}

void manual_put_literal(FILE *to, const char *text)
{
    for (; *text; text++)
        put_char(to, *text, true);
}

void manual_put_words(FILE *to, const char *text)
{
    bool bold = false;

    if (*text == '.')
        (void)fputs("\\&", to);
    for (; *text; text++) {
        if (*text == '`') {
            bold = !bold;
            (void)fputs(bold ? "\\fB" : "\\fR", to);
        } else {
            put_char(to, *text, bold);
        }
    }
}

/* What each kind is called where it has no bounds of its own to tell. */
static const char *const words[] = {
    [KIND_BOOL] = "true or false",
    [KIND_ID] = "identifier",
    [KIND_NAME] = "identifier without a dot",
    [KIND_PATH] = "path",
    [KIND_SECRET] = "path, or `credential:NAME`",
    [KIND_TIME] = "time of day, or `none`",
    [KIND_MAP] = "mapping",
    [KIND_PART] = "mapping",
    [KIND_PARTS] = "mapping, or list of mappings",
    [KIND_STATES] = "mapping of numbers to qualities",
    [KIND_WORDS] = "mapping of numbers to texts",
    [KIND_ITEMS] = "list of mappings",
    [KIND_PATHS] = "path, or list of paths",
    [KIND_PATTERNS] = "name or glob, or list of them",
    [KIND_ENDPOINT] = "host:port, port 1 to 65535",
    [KIND_REGISTER] = "register number of five or six digits",
    [KIND_DECIMAL] = "number",
    [KIND_RANGE] = "list of two numbers, the first below the second",
    [KIND_LIMIT] = "number, or mapping",
    [KIND_LEVELS] = "mapping of values to levels (`blue`, `yellow`, `orange`, `red`)",
    [KIND_PAIR] = "list of two numbers",
    [KIND_PAIRS] = "list of at least two pairs of numbers",
    [KIND_POINT] = "name of a point",
    [KIND_OPERAND] = "number, name of a point, or mapping",
    [KIND_OPERANDS] = "list of numbers, names of points, or mappings",
    [KIND_NOTHING] = "empty list",
    [KIND_LIKE] = "as the key of a device",
    [KIND_TEXTS] = "mapping to texts",
    [KIND_VALUES] = "mapping",
    [KIND_OPEN] = "number, or mapping",
    [KIND_NUMBERS] = "mapping of identifiers to numbers",
    [KIND_SIGNAL] = "`value`, or mapping",
    [KIND_LATCH] = "`true`, `false`, or a level (`blue`, `yellow`, `orange`, `red`)",
    [KIND_BASIS] = "text of at most 256 bytes, or mapping of levels to such texts",
};

static void put_choices(FILE *to, const struct choice *choices)
{
    for (const struct choice *c = choices; c->name; c++) {
        (void)fprintf(to, "%s\\fB", c == choices ? "" : ", ");
        manual_put_literal(to, c->name);
        (void)fputs("\\fR", to);
    }
}

static void put_numbers(FILE *to, const struct key_row *row)
{
    if (row->min <= -NO_BOUND && row->max >= NO_BOUND)
        return;
    if (row->max >= NO_BOUND && row->kind == KIND_NUMBER)
        (void)fprintf(to, ", at least %.10g", row->min);
    else
        (void)fprintf(to, ", %.16g to %.16g", row->min, row->max);
}

static void put_bounds(FILE *to, const struct key_row *row)
{
    char least[32];
    char most[32];

    switch (row->kind) {
    case KIND_DURATION:
        (void)fprintf(to, ", %s to %s", text_format_duration((int64_t)row->min, least),
                      text_format_duration((int64_t)row->max, most));
        break;
    case KIND_SIZE:
        (void)fprintf(to, ", %.0fMiB to %.0fGiB", row->min / 1048576, row->max / 1073741824);
        break;
    case KIND_RATE:
        (void)fprintf(to, ", %.10g/s to %.10g/s, or \\fBunlimited\\fR", row->min, row->max);
        break;
    default:
        put_numbers(to, row);
    }
}

void manual_put_type(FILE *to, const struct key_row *row)
{
    switch (row->kind) {
    case KIND_INT:
        (void)fputs("whole number", to);
        break;
    case KIND_NUMBER:
        (void)fputs("number", to);
        break;
    case KIND_DURATION:
        (void)fputs("duration", to);
        break;
    case KIND_SIZE:
        (void)fputs("size", to);
        break;
    case KIND_RATE:
        (void)fputs("rate", to);
        break;
    case KIND_TEXT:
    case KIND_DIGITS:
        (void)fprintf(to, "text of at most %.0f bytes", row->max);
        return;
    case KIND_CHOICE:
        (void)fputs("one of ", to);
        put_choices(to, row->choices);
        return;
    case KIND_CHOICES:
        (void)fputs("list of ", to);
        put_choices(to, row->choices);
        return;
    case KIND_RAWS:
        (void)fprintf(to, "list of at most %d raw values", POINT_INVALID_MAX);
        return;
    case KIND_IS:
        (void)fprintf(to, "number, \\fBtrue\\fR or \\fBfalse\\fR, or list of at most %d of them",
                      RULE_VALUES_MAX);
        return;
    default:
        manual_put_words(to, words[row->kind]);
        return;
    }
    put_bounds(to, row);
}

/* ---- examples ---- */

/* Whether a text would be read as something else without quotes. */
static bool wants_quotes(const struct node *node)
{
    return node->quoted || node->text[0] == '\0' || strpbrk(node->text, ",[]{}#&*!|>'\"%@`") ||
           strstr(node->text, ": ");
}

static void put_scalar(FILE *to, const struct node *node)
{
    if (!wants_quotes(node)) {
        (void)fputs(node->text, to);
        return;
    }
    (void)fputc('"', to);
    for (const char *at = node->text; *at; at++)
        (void)fprintf(to, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    (void)fputc('"', to);
}

static void put_flow(FILE *to, const struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        put_scalar(to, node);
        return;
    }
    (void)fputc(node->kind == NODE_LIST ? '[' : '{', to);
    for (const struct node *child = node->first; child; child = child->next) {
        if (child != node->first)
            (void)fputs(", ", to);
        if (node->kind == NODE_MAP)
            (void)fprintf(to, "%s: ", child->key);
        put_flow(to, child);
    }
    (void)fputc(node->kind == NODE_LIST ? ']' : '}', to);
}

static char *flow_of(const struct node *node, const char *before, const char *behind)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    if (!to)
        return NULL;
    (void)fputs(before, to);
    put_flow(to, node);
    (void)fputs(behind, to);
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}

char *manual_flow(const struct key_row *row, const struct node *node)
{
    char *shortest = NULL;

    if (node->kind != NODE_LIST || (row->kind != KIND_ITEMS && row->kind != KIND_LIKE) || !node->first)
        return flow_of(node, "", "");
    for (const struct node *item = node->first; item; item = item->next) {
        char *text = flow_of(item, "[", "]");

        if (text && (!shortest || strlen(text) < strlen(shortest))) {
            free(shortest);
            shortest = text;
        } else {
            free(text);
        }
    }
    return shortest;
}

/* Bytes up to where the line is broken: behind the last comma that fits, or all of it. */
static size_t line_end(const char *text, size_t width)
{
    size_t end = 0;
    size_t columns = 0;
    bool quoted = false;

    for (size_t i = 0; text[i]; i++) {
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
        quoted = quoted != (text[i] == '"');
        if (columns > width && end > 0)
            return end;
        if (!quoted && text[i] == ',' && text[i + 1] == ' ')
            end = i + 1;
    }
    return columns > width && end > 0 ? end : strlen(text);
}

void manual_put_example(FILE *to, const struct key_row *row, const char *flow)
{
    size_t indent = strlen(row->name) + 2;

    (void)fputs(".EX\n\\&", to);
    manual_put_literal(to, row->name);
    (void)fputs(": ", to);
    while (*flow) {
        size_t end = line_end(flow, LINE_WIDTH - indent);

        for (size_t i = 0; i < end; i++)
            put_char(to, flow[i], true);
        (void)fputc('\n', to);
        flow += end;
        flow += *flow == ' ';
        indent = 4;
        if (*flow)
            (void)fputs("\\&    ", to);
    }
    (void)fputs(".EE\n", to);
}
