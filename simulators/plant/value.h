/* Engineering values to the register words of a type and word order. Pure. */
#ifndef RG_PLANT_VALUE_H
#define RG_PLANT_VALUE_H

#include <stdint.h>

#define VALUE_WORDS_MAX 4u

enum value_type {
    VALUE_BOOL,
    VALUE_U16,
    VALUE_I16,
    VALUE_U32,
    VALUE_I32,
    VALUE_U64,
    VALUE_I64,
    VALUE_F32,
    VALUE_F64,
    VALUE_BCD16,
    VALUE_BCD32,
    VALUE_BYTES8_8, /* whole part in the high byte, decimal digits as they are written in the low one */
    VALUE_TYPE_COUNT,
};

/* Where the bytes of the big-endian value A B C D lie, as the wire carries them. Eight bytes alike: the words reversed
 * (CDAB, DCBA), the bytes of each word swapped (BADC, DCBA). A single word knows only the second. */
enum value_order { VALUE_ABCD, VALUE_CDAB, VALUE_BADC, VALUE_DCBA, VALUE_ORDER_COUNT };

extern const char *const value_type_names[VALUE_TYPE_COUNT];
extern const char *const value_order_names[VALUE_ORDER_COUNT];

/* Registers (for bool: bits) that the type takes: 1, 2 or 4. */
unsigned value_words(enum value_type type);

/* A raw number to the bits of the type. Integers are rounded to the nearest and held at the ends of their range; a NaN is
 * an integer's 0, and a float's quiet NaN. bytes8.8 knows 0 to 255.99: tenths as 1 to 9, hundredths as 10 to 99, so a
 * value with a part below 0.1 becomes the nearest tenth (20.9 is 0x1409, 20.25 0x1419, 20.05 cannot be said). */
uint64_t value_bits(enum value_type type, double raw);
/* Those bits to words[value_words(type)]. */
void value_encode(enum value_type type, enum value_order order, uint64_t bits, uint16_t *words);

#endif
