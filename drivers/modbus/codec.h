/* Registers and bits to samples. Pure: bytes in, a value with its quality out.
 *
 * In this order: assemble the raw value by type and word order; compare it with the sentinels; bit or
 * mask; decimals and scale, in one division; range; enumeration.
 *
 * Word orders, by the bytes of the value from its highest (A) as they lie on the wire, first register
 * first:
 *            32 bits   64 bits
 *     ABCD   ABCD      ABCDEFGH    big-endian
 *     CDAB   CDAB      GHEFCDAB    low register first
 *     BADC   BADC      BADCFEHG    bytes swapped in each register
 *     DCBA   DCBA      HGFEDCBA    little-endian
 * A 16-bit type is high byte first, whatever order its point or profile names: a register is so by the
 * specification (V1.1b3 §4.2), and `order` is about values of several registers.
 *
 * Types beyond the obvious:
 * - bool on a register without a bit: 0 and 1 are values, anything else is QUALITY_SENSOR (with `bit` it
 *   is that bit).
 * - bcd16, bcd32: four decimal digits a register; a nibble above 9 is QUALITY_SENSOR.
 * - bytes8.8: the high byte is the whole part, the low byte the decimal digits as they are written, one up
 *   to 9, two up to 99: 0x1409 is 20.9, 0x1419 is 20.25; above 99 QUALITY_SENSOR (O2 detectors, domain.md
 *   §2.1).
 * - u64, i64 beyond 2^53 either way: QUALITY_RANGE, because a double would round them to another number.
 * - NaN and the infinities: QUALITY_SENSOR.
 * Sentinels match the raw value read as unsigned or as signed, so that 32768 and -32768 both mean 0x8000,
 * whichever way the manual writes it; for f32 the sentinel is rounded to f32 first; for BCD the undecoded
 * bits match too. bit and mask work on the unsigned raw value. bit of a type of several registers counts
 * from its lowest bit.
 *
 * Decimals (a register beside the value says where its point stands): the raw value is divided by ten to their
 * power before it is scaled, in the same division, so that 123 with 1 decimal is 12.3. 0 to 9, more is
 * QUALITY_SENSOR. When they are not known, a value that is none anyway (sentinel, NaN) keeps its own reason.
 *
 * Enumeration: the scaled value must be one of the point's words, any other is QUALITY_SENSOR: a state that the
 * manual does not name is none to rely on.
 *
 * A point with a conversion is decoded without its range, which is that of the conversion's outcome; all else as
 * usual. */
#ifndef RG_DRIVERS_MODBUS_CODEC_H
#define RG_DRIVERS_MODBUS_CODEC_H

#include "base/error.h"
#include "model/sample.h"
#include "model/site.h"

#define CODEC_NO_DECIMALS UINT32_MAX
#define CODEC_DECIMALS_MAX 9u

/* What decoding needs of a point. names: the words of its enumeration; codec_prepare gives
 * the point's own, a plan its copies. */
struct codec_point {
    uint32_t point;  /* index into site.points */
    uint16_t offset; /* of its first register or bit, from the request's first */
    uint8_t words;   /* registers or bits it takes */
    bool bits;       /* its space is coils or discrete inputs */
    enum point_type type;
    uint8_t order; /* enum word_order */
    int8_t bit;
    uint8_t mask_shift;
    uint8_t invalid_count;
    bool has_range;
    bool
        plain; /* a number of one register, and nothing but scale and range beside it: what most points are */
    uint32_t mask;
    uint32_t decimals; /* whose register it is: into the plan's registers; CODEC_NO_DECIMALS */
    uint32_t name_count;
    struct scaling scaling;
    double range_min, range_max;
    const struct point_word *names;
    double invalid[POINT_INVALID_MAX]; /* last: most points have none, and never touch its memory */
};

/* How many decimals a raw value has, or why that is not known. */
struct codec_decimals {
    enum quality quality;
    uint8_t count; /* QUALITY_GOOD: 0 to 9 */
};

/* RG_EINVAL for what cannot be decoded: a type of several registers without an order, a type other than
 * bool on bits, bit or mask on a type without bits, a divisor of 0, an address past 65535, a point that is not
 * read. offset stays 0 and decimals CODEC_NO_DECIMALS: the planner's. */
RG_NODISCARD enum rg_err codec_prepare(const struct site_point *point, uint32_t index,
                                       struct codec_point *out);

/* data: of an answer (registers high byte first; bits from the lowest bit of the first byte), length
 * bytes. A point that does not lie within it is QUALITY_COMM. */
void codec_decode(const struct codec_point *p, const uint8_t *data, size_t length, struct sample *out);
/* The same for a point with a decimals register. */
void codec_decode_decimals(const struct codec_point *p, struct codec_decimals decimals, const uint8_t *data,
                           size_t length, struct sample *out);
/* The same for a point that is like p but for its number and offset. decimals: or NULL. */
void codec_decode_like(const struct codec_point *p, uint32_t point, uint16_t offset,
                       const struct codec_decimals *decimals, const uint8_t *data, size_t length,
                       struct sample *out);

/* A register (bits: a bit) by itself as an unsigned number, and-ed with the mask (0: all) and shifted right to
 * its lowest bit; offset as in codec_point. False: it does not lie within the answer. */
RG_NODISCARD bool codec_register(bool bits, uint16_t offset, uint16_t mask, const uint8_t *data,
                                 size_t length, uint32_t *out);

#endif
