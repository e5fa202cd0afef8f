/* points: which registers, what they mean. Nothing about a register is ever guessed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"
#include "config/value.h"
#include "model/alarm.h"

#define ADDRESSES 65536u
#define WORDS_MAX 256 /* of one enumeration */
#define WORD_BYTES 64
#define EXACT 9007199254740992.0 /* 2^53: every integer up to it is a double */
#define TYPE_ABSENT ((enum point_type)UINT8_MAX)

/* The raw values that a sentinel of each type may have. One of a 16- or 32-bit integer may be written as
 * manuals do, with or without sign: 32768 and -32768 are the same register. */
static const struct raw_type {
    double min, max;
    double span; /* 2^bits where it may be written either way; otherwise 0 */
} raws[] = {
    [TYPE_BOOL] = {0, 1, 0},
    [TYPE_U16] = {-32768, 65535, 65536},
    [TYPE_I16] = {-32768, 65535, 65536},
    [TYPE_U32] = {-2147483648.0, 4294967295.0, 4294967296.0},
    [TYPE_I32] = {-2147483648.0, 4294967295.0, 4294967296.0},
    [TYPE_U64] = {0, 18446744073709551615.0, 0},
    [TYPE_I64] = {-9223372036854775808.0, 9223372036854775807.0, 0},
    [TYPE_F32] = {-3.4028234663852886e38, 3.4028234663852886e38, 0},
    [TYPE_F64] = {-HUGE_VAL, HUGE_VAL, 0},
    [TYPE_BCD16] = {0, 9999, 0},
    [TYPE_BCD32] = {0, 99999999, 0},
    [TYPE_BYTES8_8] = {0, 65535, 0},
};

static bool is_integer(enum point_type type)
{
    return type == TYPE_U16 || type == TYPE_I16 || type == TYPE_U32 || type == TYPE_I32;
}

static bool is_signed(enum point_type type)
{
    return type == TYPE_I16 || type == TYPE_I32;
}

static const struct node *said(const struct point_item *item, const char *key)
{
    return node_get(item->own, key);
}

static bool is_bits(const struct site_point *p)
{
    return p->space == SPACE_COIL || p->space == SPACE_DISCRETE;
}

/* Gives the type its default, or says why there is none. */
static bool check_type(struct build *b, struct point_item *item)
{
    struct site_point *p = &item->point;
    const struct node *type = said(item, "type");

    if (is_bits(p)) {
        if (p->type != TYPE_ABSENT && p->type != TYPE_BOOL)
            issue_error(b->ld, node_place(type), "a %s is a bool, not `%s`",
                        p->space == SPACE_COIL ? "coil" : "discrete input", point_type_name(p->type));
        p->type = TYPE_BOOL;
        return true;
    }
    if (p->type == TYPE_ABSENT && p->bit < 0) {
        /* One that is given but wrong was reported already. */
        if (!type && !said(item, "bit"))
            issue_error(b->ld, node_place(item->own), "`type` is missing in a point that is a register");
        return false;
    }
    if (p->type == TYPE_BOOL && p->bit < 0) {
        issue_error(b->ld, node_place(type), "a bool in a register needs `bit`: which of its 16 bits it is");
        return false;
    }
    /* A bit of a register is cut from its raw 16 bits. */
    if (p->type == TYPE_ABSENT || p->type == TYPE_BOOL)
        p->type = TYPE_U16;
    return true;
}

/* standard: of the device, for points that need one and do not name theirs. */
static void check_order(struct build *b, struct point_item *item, enum word_order standard)
{
    struct site_point *p = &item->point;
    const struct node *order = said(item, "order");
    const bool needed = point_type_words(p->type) > 1;

    if (needed && !order && standard == ORDER_NONE)
        issue_error(b->ld, node_place(item->own),
                    "`order` is missing: the order of the bytes of a point of type %s is never guessed",
                    point_type_name(p->type));
    else if (needed && !order)
        p->order = standard;
    else if (!needed && order)
        issue_error(b->ld, node_key_place(order),
                    "`order` means nothing for type %s, which is one register or bit",
                    point_type_name(p->type));
}

static void refuse_key(struct build *b, const struct point_item *item, const char *key, const char *why)
{
    const struct node *given = said(item, key);

    if (given)
        issue_error(b->ld, node_key_place(given), "`%s` %s", key, why);
}

static void check_bits(struct build *b, struct point_item *item)
{
    static const char *const numeric[] = {"scale", "offset", "range", "invalid", "decimals_from", "convert"};
    struct site_point *p = &item->point;
    const struct node *mask = said(item, "mask");

    if (is_bits(p)) {
        refuse_key(b, item, "bit", "means nothing for a coil or discrete input: it is one bit");
        refuse_key(b, item, "mask", "means nothing for a coil or discrete input: it is one bit");
    } else if (p->bit >= 0 && item->mask) {
        issue_error(b->ld, node_key_place(mask), "`bit` and `mask` are both given; a point has one of them");
    } else if (p->bit >= 0 && p->type != TYPE_U16 && p->type != TYPE_I16) {
        refuse_key(b, item, "bit",
                   "is one of the 16 of a register: it needs `type: u16`, `type: bool` or none");
    } else if (item->mask && !is_integer(p->type)) {
        refuse_key(b, item, "mask", "needs one of the types u16, i16, u32, i32");
    } else if (item->mask > UINT16_MAX && point_type_words(p->type) == 1) {
        refuse_key(b, item, "mask", "is wider than the 16 bits of its type");
    }
    for (size_t i = 0; i < RG_COUNT(numeric) && (is_bits(p) || p->bit >= 0); i++)
        refuse_key(b, item, numeric[i], "means nothing for a single bit");
    p->mask = (uint32_t)item->mask;
}

static void take_scaling(struct build *b, struct point_item *item)
{
    double scale = 1;
    double offset = 0;
    bool good = !item->scale || fill_number(b->ld, "scale", item->scale, &scale);

    item->point.scaling = (struct scaling){1, 0, 1};
    if (item->offset && !fill_number(b->ld, "offset", item->offset, &offset))
        good = false;
    if (!good)
        return;
    if (scale == 0)
        issue_error(b->ld, node_place(item->scale), "`scale` must not be 0: every value would be the same");
    else
        item->point.scaling =
            value_scaling(item->scale ? item->scale->text : NULL, item->offset ? item->offset->text : NULL);
}

static void take_range(struct build *b, struct point_item *item)
{
    struct site_point *p = &item->point;
    const struct node *range = item->range;
    bool good;

    if (!range)
        return;
    if (range->count != 2) {
        issue_error(b->ld, node_place(range), "`range` must be a list of two numbers, [least, most]");
        return;
    }
    good = fill_number(b->ld, "range", range->first, &p->range_min);
    good = fill_number(b->ld, "range", range->first->next, &p->range_max) && good;
    if (!good)
        return;
    if (p->range_min >= p->range_max)
        issue_error(b->ld, node_place(range), "`range` is [least, most]: %.10g is not less than %.10g",
                    p->range_min, p->range_max);
    else
        p->has_range = true;
}

/* What the reading of a raw value would be, however its sign was written. */
static double as_read(const struct site_point *p, double value)
{
    const struct raw_type *raw = &raws[p->type];

    if (raw->span > 0 && is_signed(p->type) && value >= raw->span / 2)
        return value - raw->span;
    if (raw->span > 0 && !is_signed(p->type) && value < 0)
        return value + raw->span;
    return p->type == TYPE_F32 ? (double)(float)value : value;
}

/* One sentinel. */
static bool take_raw(struct build *b, const struct site_point *p, const struct node *node, double *out)
{
    const struct raw_type *raw = &raws[p->type];
    bool real = p->type == TYPE_F32 || p->type == TYPE_F64;

    if (!fill_number(b->ld, "invalid", node, out))
        return false;
    if (*out < raw->min || *out > raw->max) {
        issue_error(b->ld, node_place(node), "`invalid`: `%s` is no raw value of type %s",
                    shown(node->text).text, point_type_name(p->type));
        return false;
    }
    if (!real && *out != floor(*out)) {
        issue_error(b->ld, node_place(node), "`invalid`: `%s` is not a whole number", shown(node->text).text);
        return false;
    }
    *out = as_read(p, *out);
    return true;
}

static void take_invalid(struct build *b, struct point_item *item)
{
    struct site_point *p = &item->point;
    double *invalid;

    if (!item->invalid)
        return;
    if (item->invalid->count > POINT_INVALID_MAX) {
        issue_error(b->ld, node_place(item->invalid), "`invalid` holds at most %d values", POINT_INVALID_MAX);
        return;
    }
    invalid = load_keep(b->ld, item->invalid->count, sizeof *invalid);
    if (!invalid)
        return;
    p->invalid = invalid;
    for (const struct node *node = item->invalid->first; node; node = node->next)
        if (take_raw(b, p, node, &invalid[p->invalid_count]))
            p->invalid_count++;
}

/* The largest number that a mask leaves; 0: no mask. */
static double mask_most(uint32_t mask)
{
    while (mask != 0 && !(mask & 1))
        mask >>= 1;
    return mask;
}

static void take_decimals(struct build *b, struct point_item *item)
{
    struct decimals_item decimals = {.at = ADDRESS_ABSENT};
    struct site_register *at = &item->point.decimals;
    enum point_type type = item->point.type;

    if (!item->decimals_from)
        return;
    fill_map(b->ld, SECTION_DECIMALS, item->decimals_from, &decimals);
    if (type == TYPE_F32 || type == TYPE_F64 || type == TYPE_BYTES8_8) {
        issue_error(b->ld, node_key_place(item->decimals_from),
                    "`decimals_from` means nothing for type %s, which has its own", point_type_name(type));
        return;
    }
    if (!address_take(b, &decimals.at, &at->space, &at->address))
        return;
    if (at->space != SPACE_INPUT && at->space != SPACE_HOLDING)
        issue_error(b->ld, node_place(decimals.at.reg),
                    "`register`: `%s` is one bit; decimals are held by an input or holding register",
                    shown(decimals.at.reg->text).text);
    at->mask = decimals.mask;
    item->point.has_decimals = true;
}

/* The number of one word: of a bit 0 or 1, false or true; under a mask what it leaves; otherwise as the device's
 * manual writes it. */
static bool take_word_value(struct build *b, const struct site_point *p, const struct node *child,
                            double *out)
{
    const double most = p->bit >= 0 || p->type == TYPE_BOOL ? 1 : mask_most(p->mask);
    const struct raw_type *raw = &raws[p->type];
    int64_t from = most > 0 ? 0 : (int64_t)fmax(raw->min, -EXACT);
    int64_t to = most > 0 ? (int64_t)most : (int64_t)fmin(raw->max, EXACT);
    int64_t number;

    if (!key_number(b, "a value in `values`", child, from, to, &number))
        return false;
    *out = most > 0 ? (double)number : as_read(p, (double)number);
    return true;
}

static const char *take_word(struct build *b, const struct node *node)
{
    if (node->kind != NODE_SCALAR || node_is_null(node))
        issue_error(b->ld, node_place(node), "`%s` in `values` must be a text, not %s", shown(node->key).text,
                    node_kind_words(node));
    else if (node->text[0] == '\0')
        issue_error(b->ld, node_place(node), "`%s` in `values` must not be empty", shown(node->key).text);
    else if (strlen(node->text) > WORD_BYTES)
        issue_error(b->ld, node_place(node), "`%s` in `values` is longer than %d bytes",
                    shown(node->key).text, WORD_BYTES);
    else
        return load_keep_text(b->ld, node->text);
    return NULL;
}

static void take_words(struct build *b, struct site_point *p, const struct node *map)
{
    struct point_word *words;

    if (map->count == 0 || map->count > WORDS_MAX) {
        issue_error(b->ld, node_key_place(map), "`values` must name 1 to %d values", WORDS_MAX);
        return;
    }
    words = load_keep(b->ld, map->count, sizeof *words);
    if (!words)
        return;
    p->words = words;
    for (const struct node *node = map->first; node; node = node->next) {
        const char *text = take_word(b, node);
        double value = 0;
        size_t i = 0;

        if (!take_word_value(b, p, node, &value) || !text)
            continue;
        while (i < p->word_count && words[i].value != value)
            i++;
        if (i < p->word_count)
            issue_error(b->ld, node_key_place(node), "the value `%s` is given twice in `values`",
                        shown(node->key).text);
        else if (strlen(text) > WORD_BYTES)
            issue_error(b->ld, node_place(node), "a text in `values` is longer than %d bytes", WORD_BYTES);
        else
            words[p->word_count++] = (struct point_word){.value = value, .text = text};
    }
}

/* An enumeration: its values are names, not quantities. */
static void take_values(struct build *b, struct point_item *item)
{
    static const char *const quantities[] = {"scale", "offset", "range", "decimals_from", "convert"};
    struct site_point *p = &item->point;

    if (!item->values)
        return;
    if (p->type == TYPE_F32 || p->type == TYPE_F64 || p->type == TYPE_BYTES8_8) {
        issue_error(b->ld, node_key_place(item->values), "`values` needs whole numbers, not type %s",
                    point_type_name(p->type));
        return;
    }
    for (size_t i = 0; i < RG_COUNT(quantities) && !is_bits(p) && p->bit < 0; i++)
        refuse_key(b, item, quantities[i], "means nothing beside `values`: they are names, not quantities");
    take_words(b, p, item->values);
}

static void name_point(struct build *b, struct site_point *p, const struct node *name, uint32_t index)
{
    const char *device = b->site->devices[p->device].name;
    char full[POINT_NAME_MAX];

    if (!device || !p->name)
        return;
    (void)snprintf(full, sizeof full, "%s.%s", device, p->name);
    p->full_name = arena_strdup(b->ld->arena, full); /* no other is the same */
    if (!p->full_name) {
        b->ld->oom = true;
        return;
    }
    p->name = p->full_name + strlen(device) + 1;
    names_add(b->ld, &b->points, index, p->full_name, node_place(name));
}

static void take_meaning(struct build *b, struct point_item *item)
{
    take_invalid(b, item);
    take_decimals(b, item);
    take_values(b, item);
}

void point_place(struct build *b, struct site_point *point, const struct node *own)
{
    const struct place at = node_place(own);

    point->file = b->ld->sources[at.file].name;
    point->line = at.line;
}

void build_point_common(struct build *b, struct point_item *item, const struct node *name, uint32_t index)
{
    name_point(b, &item->point, name, index);
    take_scaling(b, item);
    take_range(b, item);
}

static bool take_address(struct build *b, struct point_item *item)
{
    enum point_space space = item->point.space;
    bool good = address_take(b, &item->at, &space, &item->point.address);

    item->point.space = space;
    return good;
}

void build_point(struct build *b, const struct device_item *device, uint32_t device_index,
                 const struct node *own, uint32_t index)
{
    struct point_item item = {
        .point = {.device = device_index, .bit = -1}, .own = own, .at = ADDRESS_ABSENT, .type = TYPE_ABSENT};
    struct site_point *p = &item.point;

    fill_map(b->ld, SECTION_POINT, own, &item);
    p->type = item.type;
    p->order = item.order;
    point_place(b, p, own);
    build_point_common(b, &item, said(&item, "name"), index);
    build_doubt(b, device->standard, false, item.doubt, p, index);
    build_change(b, own);
    if (!take_address(b, &item) || !check_type(b, &item)) {
        b->site->points[index] = *p;
        return;
    }
    check_order(b, &item, device->order);
    check_bits(b, &item);
    take_meaning(b, &item);
    build_convert(b, &item);
    if (p->address + point_type_words(p->type) > ADDRESSES)
        issue_error(b->ld, node_place(own), "type %s at address %u ends beyond the last address, 65535",
                    point_type_name(p->type), p->address);
    b->site->points[index] = *p;
}
