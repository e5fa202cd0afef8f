#include "model/site_same.h"

#include <string.h>

#include "base/hash_index.h"
#include "model/site_order.h"

bool site_same_device(const struct site *a, uint32_t of_a, const struct site *b, uint32_t of_b)
{
    const struct site_device *x = &a->devices[of_a], *y = &b->devices[of_b];

    if (x->derived || y->derived)
        return x->derived && y->derived;
    return x->unit == y->unit && strcmp(a->buses[x->bus].name, b->buses[y->bus].name) == 0;
}

static bool same_register(const struct site_register *a, const struct site_register *b)
{
    return a->space == b->space && a->address == b->address && a->mask == b->mask;
}

static bool same_reading(const struct site_point *a, const struct site_point *b)
{
    return a->space == b->space && a->address == b->address && a->type == b->type && a->order == b->order &&
           a->bit == b->bit && a->mask == b->mask && a->scaling.num == b->scaling.num &&
           a->scaling.add == b->scaling.add && a->scaling.den == b->scaling.den &&
           a->has_decimals == b->has_decimals &&
           (!a->has_decimals || same_register(&a->decimals, &b->decimals));
}

static bool same_entries(const struct site_convert *a, const struct site_convert *b)
{
    if (a->entry_count != b->entry_count)
        return false;
    for (size_t i = 0; i < a->entry_count; i++) {
        if (a->entries[i].from != b->entries[i].from || a->entries[i].to != b->entries[i].to)
            return false;
    }
    return true;
}

/* Their operands are looked at with those of all others. */
static bool same_wire(const struct site_convert *a, const struct site_convert *b)
{
    return a->input == b->input && a->polynomial == b->polynomial && a->c_from_zero == b->c_from_zero &&
           a->sign == b->sign && a->zero == b->zero && a->factor == b->factor &&
           a->has_temperature == b->has_temperature && a->temperature_zero == b->temperature_zero &&
           a->temperature_factor == b->temperature_factor && a->has_barometer == b->has_barometer &&
           a->barometer_zero == b->barometer_zero;
}

static bool same_convert(const struct site_convert *a, const struct site_convert *b)
{
    if (!a || !b)
        return a == b;
    return a->kind == b->kind && same_entries(a, b) && a->a == b->a && a->b == b->b && a->c == b->c &&
           a->d == b->d && same_wire(a, b) && a->to_ppm == b->to_ppm && a->molar_mass == b->molar_mass &&
           a->temperature_c == b->temperature_c && a->from == b->from && a->to == b->to;
}

static bool same_derived(const struct site_derived *a, const struct site_derived *b)
{
    if (!a || !b)
        return a == b;
    return a->kind == b->kind && a->operand_count == b->operand_count && a->wrap == b->wrap &&
           a->most == b->most;
}

/* The points behind the operands are the same so far. */
static bool same_operands(const struct site_point *x, const struct site_point *y, const uint32_t *in_b)
{
    size_t count = site_operand_count(x);

    if (count != site_operand_count(y))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct site_operand *p = site_operand(x, i), *q = site_operand(y, i);

        if (p->times != q->times || p->plus != q->plus ||
            (p->point == SITE_NONE ? SITE_NONE : in_b[p->point]) != q->point)
            return false;
    }
    return true;
}

static enum rg_err match_names(const struct site *a, const struct site *b, uint32_t *in_b)
{
    struct hash_index *names;
    enum rg_err err = hash_index_create(b->point_count, &names);

    if (err != RG_OK)
        return err;
    for (uint32_t i = 0; err == RG_OK && i < b->point_count; i++)
        err = hash_index_add(names, b->points[i].full_name, i, NULL);
    for (uint32_t i = 0; err == RG_OK && i < a->point_count; i++) {
        if (hash_index_find(names, a->points[i].full_name, &in_b[i]) != RG_OK)
            in_b[i] = SITE_NONE;
    }
    hash_index_destroy(names);
    return err;
}

enum rg_err site_same_points(const struct site *a, const struct site *b, uint32_t *in_b)
{
    enum rg_err err = match_names(a, b, in_b);
    bool changed = true;

    if (err != RG_OK)
        return err;
    for (uint32_t i = 0; i < a->point_count; i++) {
        const struct site_point *x = &a->points[i], *y;

        if (in_b[i] == SITE_NONE)
            continue;
        y = &b->points[in_b[i]];
        if (!same_reading(x, y) || !same_convert(x->convert, y->convert) ||
            !same_derived(x->derived, y->derived) || !site_same_device(a, x->device, b, y->device))
            in_b[i] = SITE_NONE;
    }
    /* One that is not the same takes with it what is worked out from it: once for each step of the order at most. */
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < a->point_count; i++) {
            if (in_b[i] == SITE_NONE || same_operands(&a->points[i], &b->points[in_b[i]], in_b))
                continue;
            in_b[i] = SITE_NONE;
            changed = true;
        }
    }
    return RG_OK;
}
