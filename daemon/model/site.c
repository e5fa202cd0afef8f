#include "model/site.h"

#include <string.h>

#include "base/text.h"

static const struct {
    const char *name;
    unsigned words;
} types[] = {
    [TYPE_BOOL] = {"bool", 1},   [TYPE_U16] = {"u16", 1},     [TYPE_I16] = {"i16", 1},
    [TYPE_U32] = {"u32", 2},     [TYPE_I32] = {"i32", 2},     [TYPE_U64] = {"u64", 4},
    [TYPE_I64] = {"i64", 4},     [TYPE_F32] = {"f32", 2},     [TYPE_F64] = {"f64", 4},
    [TYPE_BCD16] = {"bcd16", 1}, [TYPE_BCD32] = {"bcd32", 2}, [TYPE_BYTES8_8] = {"bytes8.8", 1},
};

unsigned point_type_words(enum point_type type)
{
    return (size_t)type < RG_COUNT(types) ? types[type].words : 1;
}

const char *point_type_name(enum point_type type)
{
    return (size_t)type < RG_COUNT(types) ? types[type].name : "?";
}

const char *point_space_name(enum point_space space)
{
    static const char *const names[] = {
        [SPACE_COIL] = "coil",       [SPACE_DISCRETE] = "discrete", [SPACE_INPUT] = "input",
        [SPACE_HOLDING] = "holding", [SPACE_DERIVED] = "derived",
    };

    return (size_t)space < RG_COUNT(names) ? names[space] : "?";
}

const char *word_order_name(enum word_order order)
{
    static const char *const names[] = {
        [ORDER_NONE] = "none", [ORDER_ABCD] = "ABCD", [ORDER_CDAB] = "CDAB",
        [ORDER_BADC] = "BADC", [ORDER_DCBA] = "DCBA",
    };

    return (size_t)order < RG_COUNT(names) ? names[order] : "?";
}

bool point_is_single(const struct site_point *point)
{
    return point->type == TYPE_F32 && point->scaling.num == 1 && point->scaling.add == 0 &&
           point->scaling.den == 1 && !point->has_decimals && !point->convert;
}

const char *point_word(const struct site_point *point, double value)
{
    for (size_t i = 0; i < point->word_count; i++)
        if (point->words[i].value == value)
            return point->words[i].text;
    return NULL;
}

const char *area_tier_name(enum area_tier tier)
{
    static const char *const names[] = {
        [TIER_NONE] = NULL,   [TIER_COMPANY] = "company", [TIER_WORKSHOP] = "workshop",
        [TIER_TEAM] = "team", [TIER_POST] = "post",
    };

    return (size_t)tier < RG_COUNT(names) ? names[tier] : NULL;
}

const char *site_bus_name(const struct site *site, const struct site_device *device)
{
    return device->bus < site->bus_count ? site->buses[device->bus].name : NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool site_output_same_place(const struct site *a, const struct site_output *x, const struct site *b,
                            const struct site_output *y)
{
    const struct site_device *d = &a->devices[x->device], *e = &b->devices[y->device];
    const struct site_bus *p, *q;

    if (x->space != y->space || x->address != y->address || d->unit != e->unit)
        return false;
    p = &a->buses[d->bus];
    q = &b->buses[e->bus];
    return p->kind == q->kind && p->port == q->port && same_text(p->host, q->host) &&
           same_text(p->path, q->path);
}

const char *bus_kind_name(enum bus_kind kind)
{
    static const char *const names[] = {
        [BUS_TCP] = "tcp", [BUS_RTU] = "rtu", [BUS_RTU_OVER_TCP] = "rtu_over_tcp"};

    return (size_t)kind < RG_COUNT(names) ? names[kind] : "?";
}

const char *parity_name(enum parity parity)
{
    static const char *const names[] = {[PARITY_NONE] = "none", [PARITY_EVEN] = "even", [PARITY_ODD] = "odd"};

    return (size_t)parity < RG_COUNT(names) ? names[parity] : "?";
}

const char *site_bus_place(const struct site_bus *bus, char out[SITE_BUS_PLACE_MAX])
{
    if (bus->kind == BUS_RTU)
        (void)text_format(out, SITE_BUS_PLACE_MAX, "%s %s %u %s", bus_kind_name(bus->kind), bus->path,
                          bus->baud, parity_name(bus->parity));
    else
        (void)text_format(out, SITE_BUS_PLACE_MAX, "%s %s:%u", bus_kind_name(bus->kind), bus->host,
                          bus->port);
    return out;
}

bool site_trigger_shared(const struct site_trigger *a, const struct site_trigger *b)
{
    return a->enabled && b->enabled && a->broadcast && b->broadcast && a->space == b->space &&
           a->address == b->address && a->value == b->value;
}

#define BITS_OF_CHARACTER 11 /* start, 8 of data, parity, stop */

int64_t site_bus_silence_us(const struct site_bus *bus)
{
    if (bus->kind == BUS_TCP || bus->baud == 0)
        return 0;
    if (bus->baud > 19200)
        return 1750; /* fixed, so that fast lines do not drown in timer interrupts */
    return (int64_t)(35 * BITS_OF_CHARACTER * 100000 + bus->baud - 1) / bus->baud;
}
