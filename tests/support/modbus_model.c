#include "modbus_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void model_init(struct model *m, const struct site_device *device, const struct site_point *points,
                size_t count, const struct image *image)
{
    memset(m, 0, sizeof *m);
    m->device = device;
    m->points = points;
    m->count = count;
    m->image = image;
}

static uint32_t register_value(const struct image *image, const struct site_register *at)
{
    uint32_t value = image->words[at->space][at->address];
    uint32_t mask = at->mask;

    if (at->space == SPACE_COIL || at->space == SPACE_DISCRETE)
        value &= 1;
    if (mask == 0)
        return value;
    value &= mask;
    for (; (mask & 1) == 0; mask >>= 1)
        value >>= 1;
    return value;
}

static bool covers(const struct ask *ask, const struct site_register *at)
{
    return at->space == image_space(ask) && at->address >= ask->address &&
           at->address < (uint32_t)ask->address + ask->count;
}

void model_asked(struct model *m, const struct ask *ask, int64_t asked_us, enum quality fail)
{
    for (size_t g = 0; g < m->device->gate_count; g++) {
        const struct site_register *at = &m->device->gates[g].at;

        if (!covers(ask, at))
            continue;
        m->gates[g] = (struct model_seen){true, asked_us, fail, register_value(m->image, at)};
        if (fail == QUALITY_GOOD && m->history[g].count < MODEL_BEATS) {
            const size_t n = m->history[g].count++;

            m->history[g].beats[n].at_us = asked_us;
            m->history[g].beats[n].value = m->gates[g].value;
        }
    }
    for (size_t i = 0; i < m->count; i++) {
        const struct site_register *at = &m->points[i].decimals;

        if (m->points[i].has_decimals && covers(ask, at))
            m->decimals[i] = (struct model_seen){true, asked_us, fail, register_value(m->image, at)};
    }
}

/* ---- gates ---- */

/* Over all readings from the first, by the words of memory.h. */
static bool stands_still(const struct model *m, size_t g)
{
    const int64_t period_us = m->device->poll_ms * 1000;
    int64_t unchanged_us = 0;

    for (size_t n = 1; n < m->history[g].count; n++) {
        const int64_t passed_us = m->history[g].beats[n].at_us - m->history[g].beats[n - 1].at_us;

        if (m->history[g].beats[n].value != m->history[g].beats[n - 1].value)
            unchanged_us = 0;
        else
            unchanged_us += passed_us > period_us ? period_us : passed_us;
    }
    return unchanged_us > m->device->gates[g].within_ms * 1000;
}

static enum quality gate_quality(const struct model *m, size_t g)
{
    const struct site_gate *gate = &m->device->gates[g];
    const uint32_t value = m->gates[g].value;

    if (gate->kind == GATE_HEARTBEAT)
        return stands_still(m, g) ? QUALITY_STALE : QUALITY_GOOD;
    for (size_t i = 0; i < gate->case_count; i++) {
        const uint32_t wanted = gate->cases[i].value;

        if (gate->kind == GATE_VALUES ? value == wanted : ((value >> wanted) & 1) != 0)
            return gate->cases[i].quality;
    }
    return gate->kind == GATE_VALUES ? gate->otherwise : QUALITY_GOOD;
}

static enum quality unread(const struct model_seen *seen, int64_t begun_us)
{
    if (!seen->tried || seen->at_us < begun_us)
        return QUALITY_COMM;
    return seen->fail;
}

/* ---- values ---- */

/* The value's bytes, its highest first. */
static unsigned bytes_of(const struct model *m, const struct site_point *p, uint8_t out[8])
{
    static const char *const layouts[][3] = {{"AB", "ABCD", "ABCDEFGH"},
                                             {"AB", "ABCD", "ABCDEFGH"},
                                             {"AB", "CDAB", "GHEFCDAB"},
                                             {"AB", "BADC", "BADCFEHG"},
                                             {"AB", "DCBA", "HGFEDCBA"}};
    const bool bit = p->space == SPACE_COIL || p->space == SPACE_DISCRETE;
    const unsigned count = bit ? 2 : 2 * point_type_words(p->type);
    const char *layout = layouts[p->order][count == 2 ? 0 : count == 4 ? 1 : 2];
    const uint16_t *words = &m->image->words[p->space][p->address];

    for (unsigned k = 0; k < count; k++) {
        const uint16_t word = bit ? words[0] & 1 : words[k / 2];

        out[layout[k] - 'A'] = (uint8_t)(k % 2 ? word & 0xff : word >> 8);
    }
    return count;
}

static uint64_t number_of(const uint8_t *bytes, unsigned count)
{
    uint64_t number = 0;

    for (unsigned k = 0; k < count; k++)
        number = number * 256 + bytes[k];
    return number;
}

static int64_t signed_of(uint64_t number, unsigned count)
{
    const uint64_t half = (uint64_t)1 << (8 * count - 1);

    if (number < half)
        return (int64_t)number;
    if (count == 8)
        return -(int64_t)(~number) - 1;
    return (int64_t)number - 2 * (int64_t)half;
}

/* A raw value as digits / 10^places, or (floats) as a double. */
struct raw_value {
    enum quality quality;
    bool is_real;
    int64_t digits;
    unsigned places;
    double real;
};

static struct raw_value whole(int64_t digits)
{
    if (digits > (int64_t)1 << 53 || digits < -((int64_t)1 << 53))
        return (struct raw_value){.quality = QUALITY_RANGE};
    return (struct raw_value){.digits = digits};
}

static struct raw_value bcd_value(const uint8_t *bytes, unsigned count)
{
    char text[20];
    char *end;

    for (unsigned k = 0; k < count; k++)
        (void)snprintf(text + 2 * k, sizeof text - 2 * k, "%02x", bytes[k]);
    const int64_t value = strtoll(text, &end, 10);

    return *end ? (struct raw_value){.quality = QUALITY_SENSOR} : whole(value);
}

static struct raw_value real_value(uint64_t number, unsigned count)
{
    struct raw_value raw = {.is_real = true};

    if (count == 4) {
        float f;
        const uint32_t bits = (uint32_t)number;

        memcpy(&f, &bits, 4);
        raw.real = (double)f;
    } else {
        memcpy(&raw.real, &number, 8);
    }
    if (isnan(raw.real) || isinf(raw.real))
        raw.quality = QUALITY_SENSOR;
    return raw;
}

static struct raw_value field_value(const struct site_point *p, uint64_t number)
{
    uint64_t mask = p->mask;

    if (p->bit >= 0)
        return whole((int64_t)(number >> p->bit & 1));
    number &= mask;
    for (; (mask & 1) == 0; mask >>= 1)
        number >>= 1;
    return p->type == TYPE_BOOL && number > 1 ? (struct raw_value){.quality = QUALITY_SENSOR}
                                              : whole((int64_t)number);
}

static struct raw_value raw_of(const struct site_point *p, const uint8_t *bytes, unsigned count)
{
    const uint64_t number = number_of(bytes, count);

    if (p->bit >= 0 || p->mask)
        return field_value(p, number);
    switch (p->type) {
    case TYPE_BOOL:
        return number > 1 ? (struct raw_value){.quality = QUALITY_SENSOR} : whole((int64_t)number);
    case TYPE_I16:
    case TYPE_I32:
    case TYPE_I64:
        return whole(signed_of(number, count));
    case TYPE_F32:
    case TYPE_F64:
        return real_value(number, count);
    case TYPE_BCD16:
    case TYPE_BCD32:
        return bcd_value(bytes, count);
    case TYPE_BYTES8_8:
        if (bytes[1] > 99)
            return (struct raw_value){.quality = QUALITY_SENSOR};
        if (bytes[1] > 9)
            return (struct raw_value){.digits = bytes[0] * 100 + bytes[1], .places = 2};
        return (struct raw_value){.digits = bytes[0] * 10 + bytes[1], .places = 1};
    case TYPE_U16:
    case TYPE_U32:
    case TYPE_U64:
        break;
    }
    return number >> 62 ? (struct raw_value){.quality = QUALITY_RANGE} : whole((int64_t)number);
}

static bool is_sentinel(const struct site_point *p, const uint8_t *bytes, unsigned count)
{
    const uint64_t number = number_of(bytes, count);

    for (size_t i = 0; i < p->invalid_count; i++) {
        const double s = p->invalid[i];

        if (p->type == TYPE_F32 || p->type == TYPE_F64) {
            const struct raw_value raw = real_value(number, count);

            if (raw.real == (p->type == TYPE_F32 ? (double)(float)s : s))
                return true;
            continue;
        }
        if (s == (double)number || s == (double)signed_of(number, count))
            return true;
        if (p->type == TYPE_BCD16 || p->type == TYPE_BCD32) {
            const struct raw_value raw = bcd_value(bytes, count);

            if (raw.quality == QUALITY_GOOD && s == (double)raw.digits)
                return true;
        }
    }
    return false;
}

/* (raw * num + add) / den, with whole num and add, and den a power of ten. */
static void scale(const struct site_point *p, const struct raw_value *raw, unsigned decimals,
                  struct model_sample *out)
{
    const unsigned places = raw->places + decimals + (unsigned)lround(log10(p->scaling.den));

    if (raw->is_real) {
        const long double shifted = (long double)raw->real / powl(10, (long double)decimals);

        out->doubtful = fabsl((long double)raw->real * (long double)p->scaling.num) > 1e307L;
        out->value = (double)((shifted * (long double)p->scaling.num + (long double)p->scaling.add) /
                              (long double)p->scaling.den);
        out->tolerance = 1e-12;
        return;
    }
#ifdef __SIZEOF_INT128__
    const __int128 digits = (__int128)raw->digits * (int64_t)p->scaling.num +
                            (__int128)(int64_t)p->scaling.add * llround(pow(10, raw->places + decimals));
#else /* 32-bit machines: what is beyond a double's digits is compared with a tolerance anyway */
    const double digits = (double)raw->digits * (double)(int64_t)p->scaling.num +
                          (double)(int64_t)p->scaling.add * pow(10, raw->places + decimals);
#endif
    char text[64];

    if (digits > (int64_t)1 << 53 || digits < -((int64_t)1 << 53)) {
        out->value = (double)((long double)digits / powl(10, (long double)places));
        out->tolerance = 1e-12;
        return;
    }
    /* The double nearest to the decimal that people would read. */
    (void)snprintf(text, sizeof text, "%llde-%u", (long long)digits, places);
    out->value = strtod(text, NULL);
}

static bool is_near(const struct model_sample *sample, double x)
{
    return sample->tolerance > 0 && fabs(sample->value - x) <= 2 * sample->tolerance * fabs(x);
}

/* Range and words. */
static void judge_value(const struct site_point *p, struct model_sample *out)
{
    bool named = p->word_count == 0;

    for (size_t w = 0; w < p->word_count; w++) {
        named |= p->words[w].value == out->value;
        out->doubtful |= is_near(out, p->words[w].value);
    }
    if (!named)
        out->quality = QUALITY_SENSOR;
    if (!p->convert && p->has_range) {
        out->doubtful |= is_near(out, p->range_min) || is_near(out, p->range_max);
        if (!(out->value >= p->range_min && out->value <= p->range_max))
            out->quality = QUALITY_RANGE;
    }
    if (isinf(out->value))
        out->quality = QUALITY_RANGE;
}

static struct model_sample value_of(const struct model *m, size_t i, int64_t begun_us)
{
    const struct site_point *p = &m->points[i];
    struct model_sample out = {.quality = QUALITY_GOOD};
    uint8_t bytes[8];
    const unsigned count = bytes_of(m, p, bytes);
    unsigned decimals = 0;

    if (is_sentinel(p, bytes, count)) {
        out.quality = QUALITY_SENSOR;
        return out;
    }
    const struct raw_value raw = raw_of(p, bytes, count);

    out.quality = raw.quality;
    if (out.quality == QUALITY_GOOD && p->has_decimals) {
        out.quality = unread(&m->decimals[i], begun_us);
        decimals = m->decimals[i].value;
        if (out.quality == QUALITY_GOOD && decimals > 9)
            out.quality = QUALITY_SENSOR;
    }
    if (out.quality != QUALITY_GOOD)
        return out;
    scale(p, &raw, decimals, &out);
    judge_value(p, &out);
    return out;
}

struct model_sample model_expect(const struct model *m, size_t i, int64_t begun_us)
{
    struct model_sample own = value_of(m, i, begun_us);

    for (size_t g = 0; g < m->device->gate_count; g++) {
        const enum quality why = unread(&m->gates[g], begun_us);
        const enum quality gate = why == QUALITY_GOOD ? gate_quality(m, g) : why;

        if (gate == QUALITY_GOOD)
            continue;
        /* Behind a gate that was not read a doubtful value's own reason is doubtful as well. */
        if (why == QUALITY_GOOD)
            own.doubtful = false;
        if (why == QUALITY_GOOD || own.quality == QUALITY_GOOD)
            own.quality = gate;
        break;
    }
    if (own.quality != QUALITY_GOOD)
        own.value = own.tolerance = 0;
    return own;
}

bool model_agrees(const struct model_sample *expected, const struct sample *got)
{
    if (got->quality != QUALITY_GOOD && got->value != 0)
        return false;
    if (expected->quality != got->quality)
        return expected->doubtful;
    return fabs(expected->value - got->value) <= expected->tolerance * fabs(expected->value);
}
