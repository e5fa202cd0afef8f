/* points: which registers, what they mean. Nothing about a register is ever guessed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"
#include "config/value.h"

#define ADDRESSES 65536u
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

/* Where it is read. false: nowhere, reported. */
static bool take_address(struct build *b, struct point_item *item)
{
    struct site_point *p = &item->point;

    for (unsigned space = 0; space < RG_COUNT(item->at); space++)
        if (item->at[space] >= 0) {
            p->space = (enum point_space)space;
            p->address = (uint16_t)item->at[space];
            return true;
        }
    if (!item->reg)
        return false;
    if (value_register(item->reg->text, &p->space, &p->address))
        return true;
    issue_error(b->ld, node_place(item->reg),
                "`register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not `%s`",
                shown(item->reg->text).text);
    return false;
}

static bool is_bits(const struct site_point *p)
{
    return p->space == SPACE_COIL || p->space == SPACE_DISCRETE;
}

/* Gives the type its default, or says why there is none. */
static bool check_type(struct build *b, struct site_point *p, const struct node *node)
{
    const struct node *type = node_get(node, "type");

    if (is_bits(p)) {
        if (p->type != TYPE_ABSENT && p->type != TYPE_BOOL)
            issue_error(b->ld, node_place(type), "a %s is a bool, not `%s`",
                        p->space == SPACE_COIL ? "coil" : "discrete input", point_type_name(p->type));
        p->type = TYPE_BOOL;
        return true;
    }
    if (p->type == TYPE_ABSENT && p->bit < 0) {
        /* One that is given but wrong was reported already. */
        if (!type && !node_get(node, "bit"))
            issue_error(b->ld, node_place(node), "`type` is missing in a point that is a register");
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

static void check_order(struct build *b, const struct site_point *p, const struct node *node)
{
    const struct node *order = node_get(node, "order");

    if (point_type_words(p->type) > 1 && !order)
        issue_error(b->ld, node_place(node),
                    "`order` is missing: the order of the bytes of a point of type %s is never guessed",
                    point_type_name(p->type));
    else if (point_type_words(p->type) == 1 && order)
        issue_error(b->ld, node_key_place(order),
                    "`order` means nothing for type %s, which is one register or bit",
                    point_type_name(p->type));
}

static void refuse_key(struct build *b, const struct node *node, const char *key, const char *why)
{
    const struct node *given = node_get(node, key);

    if (given)
        issue_error(b->ld, node_key_place(given), "`%s` %s", key, why);
}

static void check_bits(struct build *b, struct point_item *item, const struct node *node)
{
    static const char *const numeric[] = {"scale", "offset", "range", "invalid"};
    struct site_point *p = &item->point;
    const struct node *mask = node_get(node, "mask");

    if (is_bits(p)) {
        refuse_key(b, node, "bit", "means nothing for a coil or discrete input: it is one bit");
        refuse_key(b, node, "mask", "means nothing for a coil or discrete input: it is one bit");
    } else if (p->bit >= 0 && item->mask) {
        issue_error(b->ld, node_key_place(mask), "`bit` and `mask` are both given; a point has one of them");
    } else if (p->bit >= 0 && p->type != TYPE_U16 && p->type != TYPE_I16) {
        refuse_key(b, node, "bit",
                   "is one of the 16 of a register: it needs `type: u16`, `type: bool` or none");
    } else if (item->mask && !is_integer(p->type)) {
        refuse_key(b, node, "mask", "needs one of the types u16, i16, u32, i32");
    } else if (item->mask > UINT16_MAX && point_type_words(p->type) == 1) {
        refuse_key(b, node, "mask", "is wider than the 16 bits of its type");
    }
    for (size_t i = 0; i < RG_COUNT(numeric) && (is_bits(p) || p->bit >= 0); i++)
        refuse_key(b, node, numeric[i], "means nothing for a single bit");
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

/* One sentinel, brought to the value the type's reading would have. */
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
    if (raw->span > 0 && is_signed(p->type) && *out >= raw->span / 2)
        *out -= raw->span;
    else if (raw->span > 0 && !is_signed(p->type) && *out < 0)
        *out += raw->span;
    if (p->type == TYPE_F32)
        *out = (double)(float)*out;
    return true;
}

static void take_invalid(struct build *b, struct point_item *item)
{
    struct site_point *p = &item->point;

    if (!item->invalid)
        return;
    if (item->invalid->count > POINT_INVALID_MAX) {
        issue_error(b->ld, node_place(item->invalid), "`invalid` holds at most %d values", POINT_INVALID_MAX);
        return;
    }
    for (const struct node *node = item->invalid->first; node; node = node->next)
        if (take_raw(b, p, node, &p->invalid[p->invalid_count]))
            p->invalid_count++;
}

static void name_point(struct build *b, struct site_point *p, const struct node *node, uint32_t index)
{
    const char *device = b->site->devices[p->device].name;
    size_t room = (device ? strlen(device) : 0) + (p->name ? strlen(p->name) : 0) + 2;
    char *full;

    if (!device || !p->name)
        return;
    full = load_keep(b->ld, room, 1);
    if (!full)
        return;
    (void)snprintf(full, room, "%s.%s", device, p->name);
    p->full_name = full;
    names_add(b->ld, &b->points, index, full, node_place(node_get(node, "name")));
}

void build_point(struct build *b, uint32_t device, const struct node *node, uint32_t index)
{
    struct point_item item = {.point = {.device = device, .bit = -1, .type = TYPE_ABSENT},
                              .at = {-1, -1, -1, -1}};
    struct site_point *p = &item.point;

    fill_map(b->ld, SECTION_POINT, node, &item);
    p->where = load_where(b->ld, node_place(node));
    name_point(b, p, node, index);
    take_scaling(b, &item);
    take_range(b, &item);
    if (!take_address(b, &item) || !check_type(b, p, node)) {
        b->site->points[index] = *p;
        return;
    }
    check_order(b, p, node);
    check_bits(b, &item, node);
    take_invalid(b, &item);
    if (p->address + point_type_words(p->type) > ADDRESSES)
        issue_error(b->ld, node_place(node), "type %s at address %u ends beyond the last address, 65535",
                    point_type_name(p->type), p->address);
    b->site->points[index] = *p;
}
