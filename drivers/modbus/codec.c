#include "drivers/modbus/codec.h"

#include <math.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53: every integer up to here is a double */

/* The raw value before scaling, or why there is none. */
struct raw {
    enum quality quality;
    double value;
    double
        divisor; /* value is to be divided by it, after scaling's numerator: keeps 20.9 exact as 209 / 10 */
};

static unsigned width_of(enum point_type type)
{
    return 16u * point_type_words(type);
}

static bool has_bits(enum point_type type)
{
    switch (type) {
    case TYPE_BOOL:
    case TYPE_U16:
    case TYPE_I16:
    case TYPE_U32:
    case TYPE_I32:
    case TYPE_U64:
    case TYPE_I64:
        return true;
    case TYPE_F32:
    case TYPE_F64:
    case TYPE_BCD16:
    case TYPE_BCD32:
    case TYPE_BYTES8_8:
        break;
    }
    return false;
}

enum rg_err codec_prepare(const struct site_point *point, uint32_t index, struct codec_point *out)
{
    const bool bits = point->space == SPACE_COIL || point->space == SPACE_DISCRETE;
    const unsigned words = bits ? 1 : point_type_words(point->type);

    if ((unsigned)point->space > SPACE_HOLDING)
        return RG_EINVAL;
    if (bits && (point->type != TYPE_BOOL || point->bit >= 0 || point->mask != 0))
        return RG_EINVAL;
    if (words > 1 && point->order == ORDER_NONE)
        return RG_EINVAL;
    if ((point->bit >= 0 || point->mask != 0) && !has_bits(point->type))
        return RG_EINVAL;
    if (point->bit > 15 || point->scaling.den == 0 || point->address + words > 65536 ||
        point->invalid_count > POINT_INVALID_MAX)
        return RG_EINVAL;

    memset(out, 0, sizeof *out);
    out->point = index;
    out->words = (uint8_t)words;
    out->bits = bits;
    out->type = point->type;
    out->order = (uint8_t)point->order;
    out->bit = point->bit;
    out->mask = point->mask;
    out->mask_shift = point->mask != 0 ? (uint8_t)__builtin_ctz(point->mask) : 0;
    out->scaling = point->scaling;
    out->has_range = point->has_range && !point->convert; /* else it is the outcome's */
    out->range_min = point->range_min;
    out->range_max = point->range_max;
    out->invalid_count = point->invalid_count;
    for (size_t i = 0; i < point->invalid_count; i++)
        out->invalid[i] = point->invalid[i];
    out->decimals = CODEC_NO_DECIMALS;
    out->names = point->words;
    out->name_count = point->word_count;
    out->plain = !bits && (point->type == TYPE_U16 || point->type == TYPE_I16) && point->bit < 0 &&
                 point->mask == 0 && point->invalid_count == 0 && point->word_count == 0;
    return RG_OK;
}

/* The bits of the value, its highest byte first. */
static uint64_t assemble(const struct codec_point *p, const uint8_t *data)
{
    const unsigned bytes = 2u * p->words;
    const bool words_swapped = p->words > 1 && (p->order == ORDER_CDAB || p->order == ORDER_DCBA);
    const bool bytes_swapped = p->words > 1 && (p->order == ORDER_BADC || p->order == ORDER_DCBA);
    uint64_t bits = 0;

    for (unsigned i = 0; i < bytes; i++) {
        unsigned at = words_swapped ? bytes - 2 - (i & ~1u) + (i & 1u) : i;

        if (bytes_swapped)
            at ^= 1u;
        bits = bits << 8 | data[at];
    }
    return bits;
}

static int64_t as_signed(uint64_t bits, unsigned width)
{
    const uint64_t sign = (uint64_t)1 << (width - 1);
    int64_t value;

    bits = width < 64 && (bits & sign) ? bits | ~(sign | (sign - 1)) : bits;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double as_f32(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float value;

    memcpy(&value, &low, sizeof value);
    return (double)value;
}

static double as_f64(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool is_invalid(const struct codec_point *p, uint64_t bits)
{
    const unsigned width = p->bits ? 16 : width_of(p->type);

    for (unsigned i = 0; i < p->invalid_count; i++) {
        const double sentinel = p->invalid[i];

        if (p->type == TYPE_F32 || p->type == TYPE_F64) {
            if (p->type == TYPE_F32 ? as_f32(bits) == (double)(float)sentinel : as_f64(bits) == sentinel)
                return true;
        } else if ((double)bits == sentinel || (double)as_signed(bits, width) == sentinel) {
            return true;
        }
    }
    return false;
}

static struct raw bad(enum quality quality)
{
    return (struct raw){.quality = quality, .value = 0, .divisor = 1};
}

static struct raw good(double value)
{
    return (struct raw){.quality = QUALITY_GOOD, .value = value, .divisor = 1};
}

static struct raw from_float(double value)
{
    return isfinite(value) ? good(value) : bad(QUALITY_SENSOR);
}

static struct raw from_u64(uint64_t value)
{
    return value > (uint64_t)EXACT_MAX ? bad(QUALITY_RANGE) : good((double)value);
}

static struct raw from_i64(int64_t value)
{
    return value > (int64_t)EXACT_MAX || value < -(int64_t)EXACT_MAX ? bad(QUALITY_RANGE)
                                                                     : good((double)value);
}

static struct raw from_bcd(const struct codec_point *p, uint64_t bits)
{
    uint64_t value = 0;

    for (unsigned shift = 16u * p->words; shift > 0; shift -= 4) {
        const unsigned digit = (unsigned)(bits >> (shift - 4)) & 0xf;

        if (digit > 9)
            return bad(QUALITY_SENSOR);
        value = value * 10 + digit;
    }
    /* A sentinel may also be written as the number that the display shows. */
    for (unsigned i = 0; i < p->invalid_count; i++) {
        if ((double)value == p->invalid[i])
            return bad(QUALITY_SENSOR);
    }
    return good((double)value);
}

static struct raw from_bytes8_8(uint64_t bits)
{
    const unsigned whole = (unsigned)(bits >> 8) & 0xff, digits = (unsigned)bits & 0xff;
    const unsigned divisor = digits < 10 ? 10 : 100;
    struct raw raw = good(whole * divisor + digits);

    if (digits > 99)
        return bad(QUALITY_SENSOR);
    raw.divisor = divisor;
    return raw;
}

static struct raw interpret(const struct codec_point *p, uint64_t bits)
{
    if (p->bit >= 0)
        return good((double)(bits >> p->bit & 1));
    if (p->mask != 0) {
        const uint64_t field = (bits & p->mask) >> p->mask_shift;

        return p->type == TYPE_BOOL && field > 1 ? bad(QUALITY_SENSOR) : from_u64(field);
    }
    switch (p->type) {
    case TYPE_BOOL:
        return bits <= 1 ? good((double)bits) : bad(QUALITY_SENSOR);
    case TYPE_U16:
    case TYPE_U32:
    case TYPE_U64:
        return from_u64(bits);
    case TYPE_I16:
    case TYPE_I32:
    case TYPE_I64:
        return from_i64(as_signed(bits, 16u * p->words));
    case TYPE_F32:
        return from_float(as_f32(bits));
    case TYPE_F64:
        return from_float(as_f64(bits));
    case TYPE_BCD16:
    case TYPE_BCD32:
        return from_bcd(p, bits);
    case TYPE_BYTES8_8:
        return from_bytes8_8(bits);
    }
    return bad(QUALITY_SENSOR);
}

static bool is_named(const struct codec_point *p, double value)
{
    for (size_t i = 0; i < p->name_count; i++) {
        if (p->names[i].value == value)
            return true;
    }
    return false;
}

static void finish(const struct codec_point *p, struct raw raw, struct sample *out)
{
    double value = 0;

    if (raw.quality == QUALITY_GOOD) {
        /* The addend is divided too, so it grows with the divisor. +0.0 makes a negative zero a plain one. */
        value = (raw.value * p->scaling.num + p->scaling.add * raw.divisor) / (p->scaling.den * raw.divisor) +
                0.0;
        if (!isfinite(value) || (p->has_range && (value < p->range_min || value > p->range_max)))
            raw.quality = QUALITY_RANGE;
        else if (p->name_count > 0 && !is_named(p, value))
            raw.quality = QUALITY_SENSOR;
    }
    out->quality = raw.quality;
    out->value = raw.quality == QUALITY_GOOD ? value : 0;
}

static struct raw with_decimals(struct raw raw, const struct codec_decimals *decimals)
{
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

    if (raw.quality != QUALITY_GOOD)
        return raw;
    if (decimals->quality != QUALITY_GOOD)
        return bad(decimals->quality);
    if (decimals->count > CODEC_DECIMALS_MAX)
        return bad(QUALITY_SENSOR);
    raw.divisor *= tens[decimals->count];
    return raw;
}

/* decimals: or NULL. One body for both, so that the compiler makes it one piece: this is the hot path. */
static void decode(const struct codec_point *p, uint16_t offset, const struct codec_decimals *decimals,
                   const uint8_t *data, size_t length, struct sample *out)
{
    const size_t last = (size_t)offset + p->words; /* one past */
    struct raw raw;
    uint64_t bits;

    out->value = 0;
    if (p->bits ? last > length * 8 : last * 2 > length) {
        out->quality = QUALITY_COMM;
        return;
    }
    if (p->bits)
        bits = ((uint32_t)data[offset / 8] >> (offset % 8)) & 1u;
    else
        bits = assemble(p, data + 2u * offset);
    raw = p->invalid_count > 0 && is_invalid(p, bits) ? bad(QUALITY_SENSOR) : interpret(p, bits);
    if (decimals)
        raw = with_decimals(raw, decimals);
    finish(p, raw, out);
}

/* What decode makes of a plain point, without the questions that are answered for it already. */
static void decode_plain(const struct codec_point *p, const uint8_t *at, struct sample *out)
{
    const int bits = at[0] << 8 | at[1];
    const double raw = p->type == TYPE_I16 && bits > INT16_MAX ? bits - 65536 : bits;
    const double value = (raw * p->scaling.num + p->scaling.add) / p->scaling.den + 0.0;
    const bool bad = !isfinite(value) || (p->has_range && (value < p->range_min || value > p->range_max));

    out->quality = bad ? QUALITY_RANGE : QUALITY_GOOD;
    out->value = bad ? 0 : value;
}

void codec_decode_like(const struct codec_point *p, uint32_t point, uint16_t offset,
                       const struct codec_decimals *decimals, const uint8_t *data, size_t length,
                       struct sample *out)
{
    out->point = point;
    if (p->plain && !decimals && 2u * offset + 2u <= length)
        decode_plain(p, data + 2u * offset, out);
    else
        decode(p, offset, decimals, data, length, out);
}

void codec_decode(const struct codec_point *p, const uint8_t *data, size_t length, struct sample *out)
{
    codec_decode_like(p, p->point, p->offset, NULL, data, length, out);
}

void codec_decode_decimals(const struct codec_point *p, struct codec_decimals decimals, const uint8_t *data,
                           size_t length, struct sample *out)
{
    codec_decode_like(p, p->point, p->offset, &decimals, data, length, out);
}

bool codec_register(bool bits, uint16_t offset, uint16_t mask, const uint8_t *data, size_t length,
                    uint32_t *out)
{
    const size_t last = (size_t)offset + 1; /* one past */
    uint32_t value;

    if (bits ? last > length * 8 : last * 2 > length)
        return false;
    if (bits)
        value = ((uint32_t)data[offset / 8] >> (offset % 8)) & 1u;
    else
        value = (uint32_t)data[2u * offset] << 8 | data[2u * offset + 1];
    *out = mask ? (value & mask) >> __builtin_ctz(mask) : value;
    return true;
}
