#include "config/fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/issue.h"
#include "config/value.h"

#define NO_BOUND 1e15 /* a row's max from here on means none */

/* What a value should have been. */
static const char *const wanted[] = {
    [KIND_BOOL] = "true or false",
    [KIND_INT] = "a whole number",
    [KIND_NUMBER] = "a number",
    [KIND_TEXT] = "a text",
    [KIND_DIGITS] = "a text",
    [KIND_ID] = "a name",
    [KIND_NAME] = "a name",
    [KIND_PATH] = "a path",
    [KIND_SECRET] = "a path, or credential:NAME",
    [KIND_DURATION] = "a duration such as 250ms, 3s, 15m, 8h or 30d",
    [KIND_SIZE] = "a size such as 64KiB, 8MiB or 4GiB",
    [KIND_RATE] = "a rate such as 200/s, or unlimited",
    [KIND_TIME] = "a time of day such as \"00:05\", or none",
    [KIND_CHOICE] = "a name",
    [KIND_MAP] = "a mapping",
    [KIND_ITEMS] = "a list of mappings",
    [KIND_PART] = "a mapping",
    [KIND_PARTS] = "a mapping or a list of mappings",
    [KIND_STATES] = "a mapping such as {1: good, 2: inhibited}",
    [KIND_WORDS] = "a mapping such as {1: closed, 2: open}",
    [KIND_PATHS] = "a path or a list of paths",
    [KIND_PATTERNS] = "a name, a glob, or a list of them",
    [KIND_ENDPOINT] = "host:port",
    [KIND_REGISTER] = "a number of five or six digits such as 40001",
    [KIND_DECIMAL] = "a number",
    [KIND_RANGE] = "a list of two numbers, [least, most]",
    [KIND_RAWS] = "a list of raw values",
    [KIND_LIMIT] = "a number, or a mapping such as {of: device.point, times: 1.1} or {value: name}",
    [KIND_LEVELS] = "a mapping such as {1: red}",
    [KIND_PAIR] = "a list of two numbers",
    [KIND_PAIRS] = "a list of pairs such as [[0, 0], [1.5, 12]]",
    [KIND_POINT] = "a point, device.point",
    [KIND_OPERAND] = "a number, a point, or a mapping such as {of: device.point, times: 0.5}",
    [KIND_OPERANDS] = "a list of points and numbers",
    [KIND_NOTHING] = "an empty list",
    [KIND_CHOICES] = "a list of names such as [ack, read]",
    [KIND_LIKE] = "as in a device",
    [KIND_TEXTS] = "a mapping to texts",
    [KIND_VALUES] = "a mapping",
    [KIND_OPEN] = "a number, or a mapping such as {value: name}",
    [KIND_NUMBERS] = "a mapping such as {name: 85}",
    [KIND_SIGNAL] = "`value`, or a window such as {mean: 15m}",
    [KIND_IS] = "a value or a list of values",
    [KIND_LATCH] = "true, false or a level",
    [KIND_BASIS] = "a text, or a mapping such as {red: text}",
};

static void refuse(struct load *ld, const struct key_row *row, const struct node *node)
{
    if (node->kind != NODE_SCALAR || node_is_null(node))
        issue_error(ld, node_key_place(node), "`%s` must be %s, not %s", row->name, wanted[row->kind],
                    node_kind_words(node));
    else if (node->quoted && row->kind != KIND_CHOICE)
        issue_error(ld, node_place(node), "`%s` must be %s, not the text \"%s\"", row->name,
                    wanted[row->kind], shown(node->text).text);
    else
        issue_error(ld, node_place(node), "`%s` must be %s, not `%s`", row->name, wanted[row->kind],
                    shown(node->text).text);
}

/* Stores an integer in a field of any width. */
static void put_int(void *field, size_t size, int64_t value)
{
    if (size == 1)
        *(int8_t *)field = (int8_t)value;
    else if (size == 2)
        *(int16_t *)field = (int16_t)value;
    else if (size == 4)
        *(int32_t *)field = (int32_t)value;
    else
        *(int64_t *)field = value;
}

static void out_of_range(struct load *ld, const struct key_row *row, const struct node *node)
{
    char min[32];
    char max[32];

    if (row->kind == KIND_DURATION) {
        (void)text_format_duration((int64_t)row->min, min);
        (void)text_format_duration((int64_t)row->max, max);
    } else if (row->kind == KIND_SIZE) {
        (void)snprintf(min, sizeof min, "%.0fMiB", row->min / 1048576);
        (void)snprintf(max, sizeof max, "%.0fGiB", row->max / 1073741824);
    } else if (row->max >= NO_BOUND) {
        issue_error(ld, node_place(node), "`%s` must be at least %.10g, not `%s`", row->name, row->min,
                    shown(node->text).text);
        return;
    } else {
        (void)snprintf(min, sizeof min, "%.10g", row->min);
        (void)snprintf(max, sizeof max, "%.10g", row->max);
    }
    issue_error(ld, node_place(node), "`%s` must be %s to %s, not `%s`", row->name, min, max,
                shown(node->text).text);
}

static void fill_int(struct load *ld, const struct key_row *row, const struct node *node, void *field)
{
    int64_t value = 0;
    enum value_verdict verdict = node->quoted ? VALUE_NOT : value_int(node->text, &value);

    if (verdict == VALUE_LEADING_ZERO)
        issue_error(ld, node_place(node),
                    "`%s`: `%s` begins with 0, which some readers take for octal: write it without",
                    row->name, shown(node->text).text);
    else if (verdict == VALUE_NOT)
        refuse(ld, row, node);
    else if (verdict == VALUE_TOO_LARGE || (double)value < row->min || (double)value > row->max)
        out_of_range(ld, row, node);
    else
        put_int(field, row->size, value);
}

static void fill_duration(struct load *ld, const struct key_row *row, const struct node *node, int64_t *field)
{
    int64_t value = 0;
    enum rg_err err = text_duration(node->text, &value);

    if (err == RG_EINVAL && node->text[0] != '\0' && node->text[strspn(node->text, "0123456789")] == '\0')
        issue_error(ld, node_place(node), "`%s` must be %s; did you mean `%ss`?", row->name,
                    wanted[row->kind], shown(node->text).text);
    else if (err == RG_EINVAL)
        refuse(ld, row, node);
    else if (err || (double)value < row->min || (double)value > row->max)
        out_of_range(ld, row, node);
    else
        *field = value;
}

static void fill_size(struct load *ld, const struct key_row *row, const struct node *node, int64_t *field)
{
    int64_t value = 0;
    enum rg_err err = text_size(node->text, &value);

    if (err == RG_EINVAL)
        refuse(ld, row, node);
    else if (err || (double)value < row->min || (double)value > row->max)
        out_of_range(ld, row, node);
    else
        *field = value;
}

static void fill_real(struct load *ld, const struct key_row *row, const struct node *node, double *field)
{
    double value = 0;
    enum value_verdict verdict = row->kind == KIND_RATE ? value_rate(node->text, &value)
                                 : node->quoted         ? VALUE_NOT
                                                        : value_number(node->text, &value);
    bool unlimited = row->kind == KIND_RATE && strcmp(node->text, "unlimited") == 0;

    if (verdict == VALUE_NOT || verdict == VALUE_LEADING_ZERO)
        refuse(ld, row, node);
    else if (verdict == VALUE_TOO_LARGE || (!unlimited && (value < row->min || value > row->max)))
        out_of_range(ld, row, node);
    else
        *field = value;
}

bool fill_named(struct load *ld, const char *key, const struct node *node, const struct choice *choices,
                int64_t *out)
{
    const char *text = node->kind == NODE_SCALAR ? node->text : "";
    const struct choice *choice = table_choice(choices, text);
    const char *names[16];
    char list[160] = "";
    size_t count = 0;

    if (choice) {
        *out = choice->value;
        return true;
    }
    for (const struct choice *c = choices; c->name && count < RG_COUNT(names); c++) {
        size_t used = strlen(list);

        (void)snprintf(list + used, sizeof list - used, "%s%s", count ? ", " : "", c->name);
        names[count++] = c->name;
    }
    if (node->kind != NODE_SCALAR || node_is_null(node))
        issue_error(ld, node_place(node), "`%s` must be one of %s, not %s", key, list, node_kind_words(node));
    else
        issue_error(ld, node_place(node), "`%s` must be one of %s, not `%s`%s", key, list, shown(text).text,
                    issue_nearest(ld, text, names, count).text);
    return false;
}

static void fill_choice(struct load *ld, const struct key_row *row, const struct node *node, void *field)
{
    int64_t value;

    if (fill_named(ld, row->name, node, row->choices, &value))
        put_int(field, row->size, value);
}

static void fill_credential(struct load *ld, const struct key_row *row, const struct node *node,
                            const char **field)
{
    const char *name = node->text + strlen(LOAD_CREDENTIAL);

    if (text_is_id(name))
        *field = load_credential(ld, name);
    else
        issue_error(ld, node_place(node),
                    "`%s`: the name of a credential is 1 to 64 of A-Z a-z 0-9 . _ -, not `%s`", row->name,
                    shown(name).text);
}

static void fill_word(struct load *ld, const struct key_row *row, const struct node *node, const char **field)
{
    bool id = row->kind == KIND_ID || row->kind == KIND_NAME;

    if (node->text[0] == '\0')
        issue_error(ld, node_place(node), "`%s` must not be empty", row->name);
    else if (id && !text_is_id(node->text))
        issue_error(ld, node_place(node), "`%s` must be 1 to 64 of A-Z a-z 0-9 . _ -, not `%s`", row->name,
                    shown(node->text).text);
    else if (row->kind == KIND_NAME && strchr(node->text, '.'))
        issue_error(ld, node_place(node),
                    "`%s` must not hold a dot, for a point is called device.point: `%s`", row->name,
                    shown(node->text).text);
    else if (!id && strlen(node->text) > (size_t)row->max)
        issue_error(ld, node_place(node), "`%s` is longer than %.0f bytes", row->name, row->max);
    else if (row->kind == KIND_SECRET && load_is_credential(node->text))
        fill_credential(ld, row, node, field);
    else if (row->kind == KIND_PATH || row->kind == KIND_SECRET)
        *field = load_path(ld, node->file, node->text);
    else
        *field = load_keep_text(ld, node->text);
}

static void fill_bool(struct load *ld, const struct key_row *row, const struct node *node, bool *field)
{
    if (node->quoted || (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0))
        refuse(ld, row, node);
    else
        *field = node->text[0] == 't';
}

static void fill_time(struct load *ld, const struct key_row *row, const struct node *node, int16_t *field)
{
    if (value_time(node->text, field) != VALUE_GOOD)
        issue_error(ld, node_place(node), "`%s` must be %s, not `%s`", row->name, wanted[row->kind],
                    shown(node->text).text);
}

static void fill_scalar(struct load *ld, const struct key_row *row, const struct node *node, void *field)
{
    switch (row->kind) {
    case KIND_BOOL:
        fill_bool(ld, row, node, field);
        break;
    case KIND_INT:
        fill_int(ld, row, node, field);
        break;
    case KIND_DURATION:
        fill_duration(ld, row, node, field);
        break;
    case KIND_SIZE:
        fill_size(ld, row, node, field);
        break;
    case KIND_NUMBER:
    case KIND_RATE:
        fill_real(ld, row, node, field);
        break;
    case KIND_TIME:
        fill_time(ld, row, node, field);
        break;
    case KIND_CHOICE:
        fill_choice(ld, row, node, field);
        break;
    default:
        fill_word(ld, row, node, field);
    }
}

/* The shape a kind has in YAML; the two that may be either are looked at by their builders. */
static bool shape_fits(enum key_kind kind, const struct node *node)
{
    switch (kind) {
    case KIND_MAP:
    case KIND_PART:
    case KIND_LEVELS:
    case KIND_STATES:
    case KIND_WORDS:
    case KIND_TEXTS:
    case KIND_VALUES:
    case KIND_NUMBERS:
        return node->kind == NODE_MAP;
    case KIND_PARTS:
        return node->kind != NODE_SCALAR;
    case KIND_ITEMS:
    case KIND_RANGE:
    case KIND_RAWS:
    case KIND_NOTHING:
    case KIND_CHOICES:
    case KIND_PAIR:
    case KIND_PAIRS:
    case KIND_OPERANDS:
        return node->kind == NODE_LIST;
    case KIND_OPERAND:
    case KIND_LIMIT:
    case KIND_OPEN:
    case KIND_SIGNAL:
    case KIND_BASIS:
        return node->kind == NODE_MAP || (node->kind == NODE_SCALAR && !node_is_null(node));
    case KIND_PATHS:
    case KIND_PATTERNS:
    case KIND_IS:
        return node->kind == NODE_LIST || (node->kind == NODE_SCALAR && !node_is_null(node));
    default:
        return node->kind == NODE_SCALAR && !node_is_null(node);
    }
}

bool fill_shape(struct load *ld, const struct key_row *row, const struct node *node)
{
    if (shape_fits(row->kind, node))
        return true;
    refuse(ld, row, node);
    return false;
}

void fill_value(struct load *ld, const struct key_row *row, const struct node *node, void *base)
{
    char *field = (char *)base + row->offset;

    if (row->kind == KIND_LIKE || !fill_shape(ld, row, node))
        return;
    if (row->kind == KIND_MAP) {
        fill_given(ld, row->of, node, field);
    } else if (row->kind > KIND_MAP)
        *(const struct node **)(void *)field = node;
    else
        fill_scalar(ld, row, node, field);
}

void fill_standard(struct load *ld, const struct key_row *row, void *base)
{
    const struct node standard = {.kind = NODE_SCALAR, .text = row->standard};

    fill_scalar(ld, row, &standard, (char *)base + row->offset);
}

bool fill_number(struct load *ld, const char *key, const struct node *node, double *out)
{
    enum value_verdict verdict = VALUE_NOT;

    if (node->kind == NODE_SCALAR && !node->quoted && !node_is_null(node))
        verdict = value_number(node->text, out);
    if (verdict == VALUE_GOOD)
        return true;
    if (verdict == VALUE_TOO_LARGE)
        issue_error(ld, node_place(node), "`%s`: `%s` is too large a number", key, shown(node->text).text);
    else if (node->kind != NODE_SCALAR || node_is_null(node))
        issue_error(ld, node_place(node), "`%s` must be a number, not %s", key, node_kind_words(node));
    else if (node->quoted)
        issue_error(ld, node_place(node), "`%s` must be a number, not the text \"%s\"", key,
                    shown(node->text).text);
    else
        issue_error(ld, node_place(node), "`%s` must be a number, not `%s`", key, shown(node->text).text);
    return false;
}

const char *fill_text(struct load *ld, const char *key, const struct node *node)
{
    if (node->kind == NODE_SCALAR && !node_is_null(node) && node->text[0] != '\0')
        return node->text;
    issue_error(ld, node_place(node), "`%s` must hold names, not %s", key, node_kind_words(node));
    return NULL;
}

static bool fill_level_text(struct load *ld, struct place at, const char *key, const char *wants,
                            const char *text, enum level *out)
{
    static const char *const names[] = {"red", "orange", "yellow", "blue"};

    if (level_parse(text, out) == RG_OK && *out != LEVEL_NONE)
        return true;
    *out = LEVEL_NONE;
    issue_error(ld, at, "`%s` must %s red, orange, yellow, blue, not `%s`%s", key, wants, shown(text).text,
                issue_nearest(ld, text, names, RG_COUNT(names)).text);
    return false;
}

bool fill_level(struct load *ld, const char *key, const struct node *node, enum level *out)
{
    return fill_level_text(ld, node_place(node), key, "give one of",
                           node->kind == NODE_SCALAR ? node->text : "", out);
}

bool fill_level_key(struct load *ld, const char *key, const struct node *node, enum level *out)
{
    return fill_level_text(ld, node_key_place(node), key, "name one of", node->key, out);
}

bool fill_latch(struct load *ld, const struct node *node, enum level *out)
{
    return fill_level_text(ld, node_place(node), "latch", "be true, false or one of", node->text, out);
}
