#include "plant/value.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

const char *const value_type_names[VALUE_TYPE_COUNT] = {"bool", "u16", "i16", "u32",   "i32",   "u64",
                                                        "i64",  "f32", "f64", "bcd16", "bcd32", "bytes8.8"};
const char *const value_order_names[VALUE_ORDER_COUNT] = {"ABCD", "CDAB", "BADC", "DCBA"};

unsigned value_words(enum value_type type)
{
    switch (type) {
    case VALUE_U32:
    case VALUE_I32:
    case VALUE_F32:
    case VALUE_BCD32:
        return 2;
    case VALUE_U64:
    case VALUE_I64:
    case VALUE_F64:
        return 4;
    default:
        return 1;
    }
}

static uint64_t unsigned_bits(double raw, uint64_t most)
{
    if (!(raw > 0)) /* a NaN too */
        return 0;
    raw = nearbyint(raw);
    return raw >= (double)most ? most : (uint64_t)raw;
}

static uint64_t signed_bits(double raw, int64_t least, int64_t most)
{
    if (isnan(raw))
        return 0;
    raw = nearbyint(raw);
    if (raw <= (double)least)
        return (uint64_t)least;
    return (uint64_t)(raw >= (double)most ? most : (int64_t)raw);
}

static uint64_t bcd_bits(double raw, uint64_t most)
{
    uint64_t rest = unsigned_bits(raw, most);
    uint64_t bits = 0;
    for (unsigned shift = 0; rest > 0; shift += 4, rest /= 10)
        bits |= rest % 10 << shift;
    return bits;
}

static uint64_t bytes_bits(double raw)
{
    const uint64_t hundredths = unsigned_bits(raw * 100, 25599);
    uint64_t whole = hundredths / 100, part = hundredths % 100;
    if (part < 10) /* 0.05 would read as 0.5: such a device knows tenths only */
        part = (part + 5) / 10;
    else if (part % 10 == 0)
        part /= 10;
    return whole << 8 | part;
}

uint64_t value_bits(enum value_type type, double raw)
{
    switch (type) {
    case VALUE_BOOL:
        return raw >= 0.5;
    case VALUE_U16:
        return unsigned_bits(raw, UINT16_MAX);
    case VALUE_I16:
        return signed_bits(raw, INT16_MIN, INT16_MAX);
    case VALUE_U32:
        return unsigned_bits(raw, UINT32_MAX);
    case VALUE_I32:
        return signed_bits(raw, INT32_MIN, INT32_MAX);
    case VALUE_U64:
        return unsigned_bits(raw, UINT64_MAX);
    case VALUE_I64:
        return signed_bits(raw, INT64_MIN, INT64_MAX);
    case VALUE_F32: {
        float number = (float)raw;
        uint32_t bits = 0;
        memcpy(&bits, &number, sizeof(bits));
        return bits;
    }
    case VALUE_F64: {
        uint64_t bits = 0;
        memcpy(&bits, &raw, sizeof(bits));
        return bits;
    }
    case VALUE_BCD16:
        return bcd_bits(raw, 9999);
    case VALUE_BCD32:
        return bcd_bits(raw, 99999999);
    case VALUE_BYTES8_8:
        return bytes_bits(raw);
    default:
        return 0;
    }
}

void value_encode(enum value_type type, enum value_order order, uint64_t bits, uint16_t *words)
{
    unsigned count = value_words(type);
    bool reversed = order == VALUE_CDAB || order == VALUE_DCBA;
    bool swapped = (order == VALUE_BADC || order == VALUE_DCBA) && type != VALUE_BOOL;
    for (unsigned i = 0; i < count; i++) {
        unsigned place = reversed ? i : count - 1 - i; /* how many words below it */
        uint16_t word = (uint16_t)(bits >> 16 * place);
        words[i] = swapped ? (uint16_t)((unsigned)word << 8 | (unsigned)word >> 8) : word;
    }
}
