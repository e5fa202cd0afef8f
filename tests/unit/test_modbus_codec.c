/* LINK rg_modbus */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/modbus/ask.h"
#include "drivers/modbus/codec.h"

static struct site_point point_of(enum point_type type, enum word_order order)
{
    return (struct site_point){
        .name = "p", .space = SPACE_HOLDING, .type = type, .order = order, .bit = -1, .scaling = {1, 0, 1}};
}

static struct sample decode(const struct site_point *point, const uint8_t *data, size_t length)
{
    struct codec_point p;
    struct sample s = {.point = 99, .quality = QUALITY_STALE, .value = -1};

    assert_int_equal(codec_prepare(point, 7, &p), RG_OK);
    codec_decode(&p, data, length, &s);
    assert_int_equal(s.point, 7);
    if (s.quality != QUALITY_GOOD)
        assert_true(s.value == 0);
    return s;
}

static void check_value(const struct site_point *point, const uint8_t *data, size_t length, double value)
{
    const struct sample s = decode(point, data, length);

    assert_int_equal(s.quality, QUALITY_GOOD);
    if (s.value != value)
        fail_msg("%.17g instead of %.17g", s.value, value);
}

static void check_bad(const struct site_point *point, const uint8_t *data, size_t length,
                      enum quality quality)
{
    assert_int_equal(decode(point, data, length).quality, quality);
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void golden_vectors(void **state)
{
    struct site_point p;

    (void)state;
    /* 5: Geokon, low word first. The data sheet's 10802.12 is the float's value to two places. */
    p = point_of(TYPE_F32, ORDER_CDAB);
    assert_true(fabs(decode(&p, BYTES(0xC8, 0x7C, 0x46, 0x28)).value - 10802.12) < 0.005);
    /* 8: 18.9 ppm CO */
    p = point_of(TYPE_U16, ORDER_NONE);
    p.scaling.den = 10;
    check_value(&p, BYTES(0x00, 0xBD), 18.9);
    /* 10: libmodbus's word orders of 123456.0 */
    p = point_of(TYPE_F32, ORDER_ABCD);
    check_value(&p, BYTES(0x47, 0xF1, 0x20, 0x00), 123456.0);
    p.order = ORDER_CDAB;
    check_value(&p, BYTES(0x20, 0x00, 0x47, 0xF1), 123456.0);
    p.order = ORDER_BADC;
    check_value(&p, BYTES(0xF1, 0x47, 0x00, 0x20), 123456.0);
    p.order = ORDER_DCBA;
    check_value(&p, BYTES(0x00, 0x20, 0xF1, 0x47), 123456.0);
    /* 11: Vaisala's self-test registers */
    p = point_of(TYPE_I16, ORDER_NONE);
    check_value(&p, BYTES(0xCF, 0xC7), -12345);
    p = point_of(TYPE_F32, ORDER_ABCD);
    check_value(&p, BYTES(0xC2, 0xF6, 0xE6, 0x66), (double)-123.45f);
    /* Two vendors' 20.9 %VOL, and a temperature sent as value * 10 + 500 */
    p = point_of(TYPE_BYTES8_8, ORDER_NONE);
    check_value(&p, BYTES(0x14, 0x09), 20.9);
    p = point_of(TYPE_U16, ORDER_NONE);
    p.scaling.den = 10;
    check_value(&p, BYTES(0x00, 0xD1), 20.9);
    p.scaling.add = -500;
    check_value(&p, BYTES(0x02, 0xF9), 26.1);
}

/* The frames of vectors 5, 7 and 8: what is asked, and what is judged to be its answer. */
static void golden_frames(void **state)
{
    const struct ask geokon = {.unit = 2, .function = 3, .address = 0x102, .count = 2, .limit = 125};
    const struct ask coil = {.unit = 1, .function = 1, .address = 0x510, .count = 1, .limit = 125};
    const struct ask co = {.unit = 1, .function = 3, .address = 6, .count = 1, .limit = 125};
    uint8_t out[ASK_TCP_MAX];

    (void)state;
    ask_encode_rtu(&geokon, out);
    assert_memory_equal(out, ((uint8_t[]){2, 3, 1, 2, 0, 2}), 6);
    assert_int_equal(answer_judge(&geokon, BYTES(2, 3, 4, 0xC8, 0x7C, 0x46, 0x28)), ANSWER_DATA);
    ask_encode_rtu(&coil, out);
    assert_memory_equal(out, ((uint8_t[]){1, 1, 5, 0x10, 0, 1}), 6);
    assert_int_equal(answer_judge(&coil, BYTES(1, 1, 1, 0x48)), ANSWER_DATA);
    ask_encode_tcp(&co, 0x1234, out);
    assert_memory_equal(out, ((uint8_t[]){0x12, 0x34, 0, 0, 0, 6, 1, 3, 0, 6, 0, 1}), 12);
    assert_int_equal(answer_judge(&co, BYTES(1, 3, 2, 0, 0xBD)), ANSWER_DATA);
    assert_int_equal(answer_judge(&co, BYTES(2, 3, 2, 0, 0xBD)), ANSWER_WRONG_UNIT);
    assert_int_equal(answer_judge(&co, BYTES(1, 4, 2, 0, 0xBD)), ANSWER_WRONG_FUNCTION);
    assert_int_equal(answer_judge(&co, BYTES(1, 3, 4, 0, 0xBD, 0, 0)), ANSWER_WRONG_COUNT);
    assert_int_equal(answer_judge(&co, BYTES(1, 3, 2, 0, 0xBD, 0)), ANSWER_WRONG_LENGTH);
    assert_int_equal(answer_judge(&co, BYTES(1, 3, 2, 0)), ANSWER_WRONG_LENGTH);
    assert_int_equal(answer_judge(&co, BYTES(1, 0x83, 2)), ANSWER_EXCEPTION);
    assert_int_equal(answer_judge(&co, BYTES(1, 0x83, 0)), ANSWER_WRONG_LENGTH);
    assert_int_equal(answer_judge(&co, BYTES(1, 0x84, 2)), ANSWER_WRONG_FUNCTION);
    assert_int_equal(answer_judge(&co, BYTES(1, 3)), ANSWER_WRONG_LENGTH);
    assert_string_equal(exception_text(2), "illegal data address");
    assert_string_equal(exception_text(9), "unknown exception");
    assert_string_equal(exception_text(255), "unknown exception");
}

/* A value's bytes from its highest, laid out in each order: all decode to the same. */
static void every_type_and_order(void **state)
{
    static const struct {
        enum point_type type;
        unsigned bytes;
        uint8_t high_first[8];
        double value;
    } rows[] = {
        {TYPE_U32, 4, {0x01, 0x02, 0x03, 0x04}, 16909060},
        {TYPE_I32, 4, {0xFF, 0xFE, 0xFD, 0xFC}, -66052},
        {TYPE_U32, 4, {0xFF, 0xFF, 0xFF, 0xFF}, 4294967295.0},
        {TYPE_I32, 4, {0x80, 0x00, 0x00, 0x00}, -2147483648.0},
        {TYPE_F32, 4, {0x41, 0x48, 0x00, 0x00}, 12.5},
        {TYPE_BCD32, 4, {0x12, 0x34, 0x56, 0x78}, 12345678},
        {TYPE_U64, 8, {0x00, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08}, 566265752454920.0},
        {TYPE_I64, 8, {0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0xFA, 0xF9, 0xF8}, -283686952306184.0},
        {TYPE_F64, 8, {0x40, 0x28, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A}, 12.3},
    };
    static const char *const layouts[][2] = {[ORDER_ABCD] = {"ABCD", "ABCDEFGH"},
                                             [ORDER_CDAB] = {"CDAB", "GHEFCDAB"},
                                             [ORDER_BADC] = {"BADC", "BADCFEHG"},
                                             [ORDER_DCBA] = {"DCBA", "HGFEDCBA"}};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        for (enum word_order order = ORDER_ABCD; order <= ORDER_DCBA; order++) {
            const char *layout = layouts[order][rows[i].bytes == 8];
            const struct site_point p = point_of(rows[i].type, order);
            uint8_t wire[8];

            for (unsigned k = 0; k < rows[i].bytes; k++)
                wire[k] = rows[i].high_first[layout[k] - 'A'];
            check_value(&p, wire, rows[i].bytes, rows[i].value);
        }
    }
}

static void single_registers(void **state)
{
    struct site_point p = point_of(TYPE_U16, ORDER_DCBA);

    (void)state;
    check_value(&p, BYTES(0x12, 0x34), 0x1234); /* an order is about several registers */
    p = point_of(TYPE_I16, ORDER_NONE);
    check_value(&p, BYTES(0x80, 0x00), -32768);
    check_value(&p, BYTES(0x7F, 0xFF), 32767);
    p = point_of(TYPE_BCD16, ORDER_NONE);
    check_value(&p, BYTES(0x98, 0x76), 9876);
    check_bad(&p, BYTES(0x98, 0x7A), QUALITY_SENSOR);
    check_bad(&p, BYTES(0xFF, 0xFF), QUALITY_SENSOR);
    p = point_of(TYPE_BCD32, ORDER_ABCD);
    check_bad(&p, BYTES(0xA0, 0, 0, 0), QUALITY_SENSOR);
    p = point_of(TYPE_BYTES8_8, ORDER_NONE);
    check_value(&p, BYTES(0x14, 0x19), 20.25);
    check_value(&p, BYTES(0xFF, 0x63), 255.99);
    check_value(&p, BYTES(0x14, 0x00), 20.0);
    check_bad(&p, BYTES(0x14, 0x64), QUALITY_SENSOR);
    p.scaling = (struct scaling){1, 5, 10}; /* 0.1 and an offset of 0.5 on top of the packed decimals */
    check_value(&p, BYTES(0x14, 0x09), 2.59);
    p = point_of(TYPE_BOOL, ORDER_NONE);
    check_value(&p, BYTES(0, 0), 0);
    check_value(&p, BYTES(0, 1), 1);
    check_bad(&p, BYTES(0, 2), QUALITY_SENSOR);
    check_bad(&p, BYTES(1, 0), QUALITY_SENSOR);
    p.bit = 8;
    check_value(&p, BYTES(1, 0), 1);
    check_value(&p, BYTES(0xFE, 0xFF), 0);
}

static void bits_and_masks(void **state)
{
    struct site_point p = point_of(TYPE_U16, ORDER_NONE);

    (void)state;
    for (int8_t bit = 0; bit < 16; bit++) {
        const uint16_t v = (uint16_t)(1u << bit);

        p.bit = bit;
        check_value(&p, BYTES((uint8_t)(v >> 8), (uint8_t)v), 1);
        check_value(&p, BYTES((uint8_t)(~v >> 8), (uint8_t)~v), 0);
    }
    p.bit = -1;
    p.mask = 0x0FF0;
    check_value(&p, BYTES(0xA1, 0x2B), 0x12);
    p = point_of(TYPE_I16, ORDER_NONE);
    p.mask = 0xF000; /* no sign is left in a field */
    check_value(&p, BYTES(0xC0, 0x00), 0xC);
    p = point_of(TYPE_U32, ORDER_CDAB);
    p.mask = 0xFFFF0000;
    check_value(&p, BYTES(0x12, 0x34, 0x56, 0x78), 0x5678);
    p = point_of(TYPE_BOOL, ORDER_NONE);
    p.mask = 0x0003;
    check_value(&p, BYTES(0xFF, 0xFD), 1);
    check_bad(&p, BYTES(0xFF, 0xFF), QUALITY_SENSOR);
}

static void coils(void **state)
{
    struct site_point point = point_of(TYPE_BOOL, ORDER_NONE);
    struct codec_point p;
    struct sample s;
    const uint8_t data[] = {0x48, 0x01};

    (void)state;
    point.space = SPACE_DISCRETE;
    assert_int_equal(codec_prepare(&point, 0, &p), RG_OK);
    for (uint16_t i = 0; i < 16; i++) {
        p.offset = i;
        codec_decode(&p, data, sizeof data, &s);
        assert_int_equal(s.quality, QUALITY_GOOD);
        assert_true(s.value == (i == 3 || i == 6 || i == 8 ? 1.0 : 0.0));
    }
    p.offset = 16;
    codec_decode(&p, data, sizeof data, &s);
    assert_int_equal(s.quality, QUALITY_COMM);
    assert_true(s.value == 0);
}

static void sentinels(void **state)
{
    struct site_point p = point_of(TYPE_I16, ORDER_NONE);

    (void)state;
    p.invalid_count = 2;
    /* As the manual writes it: 0x8000, though an i16 cannot hold it. */
    p.invalid = (const double[]){32768, -32767};
    check_bad(&p, BYTES(0x80, 0x00), QUALITY_SENSOR);
    check_bad(&p, BYTES(0x80, 0x01), QUALITY_SENSOR);
    check_value(&p, BYTES(0x80, 0x02), -32766);
    p.type = TYPE_U16;
    check_bad(&p, BYTES(0x80, 0x00), QUALITY_SENSOR);
    check_bad(&p, BYTES(0x80, 0x01), QUALITY_SENSOR);
    check_value(&p, BYTES(0x7F, 0xFF), 32767);
    /* before scale, bit and mask */
    p = point_of(TYPE_U16, ORDER_NONE);
    p.scaling.den = 10;
    p.invalid_count = 1;
    p.invalid = (const double[]){65535};
    check_bad(&p, BYTES(0xFF, 0xFF), QUALITY_SENSOR);
    p.bit = 0;
    check_bad(&p, BYTES(0xFF, 0xFF), QUALITY_SENSOR);
    p.bit = -1;
    p.mask = 1;
    check_bad(&p, BYTES(0xFF, 0xFF), QUALITY_SENSOR);
    check_value(&p, BYTES(0x00, 0x01), 0.1);
    /* a float's sentinel is not exact in f32 */
    p = point_of(TYPE_F32, ORDER_ABCD);
    p.invalid_count = 1;
    p.invalid = (const double[]){-9999.9};
    check_bad(&p, BYTES(0xC6, 0x1C, 0x3F, 0x9A), QUALITY_SENSOR);
    p = point_of(TYPE_BCD16, ORDER_NONE);
    p.invalid_count = 1;
    p.invalid = (const double[]){9999};
    check_bad(&p, BYTES(0x99, 0x99), QUALITY_SENSOR);
    p = point_of(TYPE_I32, ORDER_ABCD);
    p.invalid_count = 1;
    p.invalid = (const double[]){2147483648.0};
    check_bad(&p, BYTES(0x80, 0, 0, 0), QUALITY_SENSOR);
}

static void no_invented_value(void **state)
{
    struct site_point p = point_of(TYPE_F32, ORDER_ABCD);

    (void)state;
    check_bad(&p, BYTES(0x7F, 0xC0, 0, 0), QUALITY_SENSOR);
    check_bad(&p, BYTES(0x7F, 0x80, 0, 0), QUALITY_SENSOR);
    check_bad(&p, BYTES(0xFF, 0x80, 0, 0), QUALITY_SENSOR);
    check_value(&p, BYTES(0x80, 0, 0, 0), 0);
    assert_false(signbit(decode(&p, BYTES(0x80, 0, 0, 0)).value));
    p = point_of(TYPE_F64, ORDER_ABCD);
    check_bad(&p, BYTES(0x7F, 0xF8, 0, 0, 0, 0, 0, 0), QUALITY_SENSOR);
    p.scaling.num = 10; /* finite before scaling, infinite after */
    check_bad(&p, BYTES(0x7F, 0xEF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), QUALITY_RANGE);
    p = point_of(TYPE_U64, ORDER_ABCD);
    check_value(&p, BYTES(0, 0x20, 0, 0, 0, 0, 0, 0), 9007199254740992.0);
    check_bad(&p, BYTES(0, 0x20, 0, 0, 0, 0, 0, 1), QUALITY_RANGE);
    check_bad(&p, BYTES(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), QUALITY_RANGE);
    p.type = TYPE_I64;
    check_value(&p, BYTES(0xFF, 0xE0, 0, 0, 0, 0, 0, 0), -9007199254740992.0);
    check_bad(&p, BYTES(0xFF, 0xDF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), QUALITY_RANGE);
    check_bad(&p, BYTES(0x80, 0, 0, 0, 0, 0, 0, 0), QUALITY_RANGE);
    /* an answer too short for the point */
    check_bad(&p, BYTES(0, 0, 0, 0, 0, 0), QUALITY_COMM);
    check_bad(&p, NULL, 0, QUALITY_COMM);
}

static void scale_and_range(void **state)
{
    struct site_point p = point_of(TYPE_U16, ORDER_NONE);

    (void)state;
    p.scaling.den = 10;
    for (unsigned raw = 0; raw <= 65535; raw++) {
        char text[32];
        const uint8_t data[2] = {(uint8_t)(raw >> 8), (uint8_t)raw};

        /* The double nearest to the decimal that people read: 123 * 0.1 is 12.3. */
        (void)snprintf(text, sizeof text, "%u.%u", raw / 10, raw % 10);
        check_value(&p, data, 2, strtod(text, NULL));
    }
    p.has_range = true;
    p.range_min = 0.1;
    p.range_max = 100;
    check_value(&p, BYTES(0x03, 0xE8), 100);
    check_bad(&p, BYTES(0x03, 0xE9), QUALITY_RANGE);
    check_value(&p, BYTES(0x00, 0x01), 0.1);
    check_bad(&p, BYTES(0x00, 0x00), QUALITY_RANGE);
    /* Then the range is that of what comes out of it. */
    p.convert = &(const struct site_convert){.kind = CONVERT_TABLE};
    check_value(&p, BYTES(0x03, 0xE9), 100.1);
}

/* What goes the short way is what the long one gives, bit by bit, for every register. */
static void the_short_way_and_the_long_one(void **state)
{
    static const struct scaling scalings[] = {
        {1, 0, 1}, {1, 0, 10}, {-0.1, 5, 3}, {0, 0, 1}, {1e305, 0, 1e-3}};

    (void)state;
    for (unsigned i = 0; i < 4 * sizeof scalings / sizeof scalings[0]; i++) {
        struct site_point p = point_of(i % 2 ? TYPE_U16 : TYPE_I16, ORDER_ABCD);
        struct codec_point quick, slow;

        p.scaling = scalings[i / 4];
        p.has_range = i % 4 > 1;
        p.range_min = -100.5;
        p.range_max = 30000;
        assert_int_equal(codec_prepare(&p, 7, &quick), RG_OK);
        assert_true(quick.plain);
        quick.offset = 1;
        slow = quick;
        slow.plain = false;
        for (unsigned bits = 0; bits <= UINT16_MAX; bits++) {
            const uint8_t data[] = {0xff, 0xff, (uint8_t)(bits >> 8), (uint8_t)bits};
            struct sample one = {.point = 1}, two = {.point = 2};

            codec_decode(&quick, data, sizeof data, &one);
            codec_decode(&slow, data, sizeof data, &two);
            if (one.point != 7 || two.point != 7 || one.quality != two.quality ||
                memcmp(&one.value, &two.value, sizeof one.value) != 0)
                fail_msg("%u of scaling %u: %.17g, %.17g", bits, i, one.value, two.value);
            if (bits % 256 == 0) {
                codec_decode(&quick, data, 3, &one);
                assert_int_equal(one.quality, QUALITY_COMM);
            }
        }
    }
}

static void refused_points(void **state)
{
    struct codec_point out;
    struct site_point p;

    (void)state;
    for (enum point_type type = TYPE_BOOL; type <= TYPE_BYTES8_8; type++) {
        p = point_of(type, ORDER_NONE);
        assert_int_equal(codec_prepare(&p, 0, &out), point_type_words(type) > 1 ? RG_EINVAL : RG_OK);
    }
    p = point_of(TYPE_U16, ORDER_NONE);
    p.space = SPACE_COIL;
    assert_int_equal(codec_prepare(&p, 0, &out), RG_EINVAL);
    p = point_of(TYPE_F32, ORDER_ABCD);
    p.bit = 3;
    assert_int_equal(codec_prepare(&p, 0, &out), RG_EINVAL);
    p.bit = -1;
    p.mask = 1;
    assert_int_equal(codec_prepare(&p, 0, &out), RG_EINVAL);
    p.mask = 0;
    p.address = 65535;
    assert_int_equal(codec_prepare(&p, 0, &out), RG_EINVAL);
    p.address = 65534;
    assert_int_equal(codec_prepare(&p, 0, &out), RG_OK);
    p.scaling.den = 0;
    assert_int_equal(codec_prepare(&p, 0, &out), RG_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_vectors),
        cmocka_unit_test(golden_frames),
        cmocka_unit_test(every_type_and_order),
        cmocka_unit_test(single_registers),
        cmocka_unit_test(bits_and_masks),
        cmocka_unit_test(coils),
        cmocka_unit_test(sentinels),
        cmocka_unit_test(no_invented_value),
        cmocka_unit_test(scale_and_range),
        cmocka_unit_test(the_short_way_and_the_long_one),
        cmocka_unit_test(refused_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
