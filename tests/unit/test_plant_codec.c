/* LINK rg_plant_codec */
/* The plant's codec and registers against vectors that others computed: the Modbus specifications' examples, libmodbus' unit
 * tests, Geokon's and Vaisala's manuals, the catalogue of CRCs. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plant/bank.h"
#include "plant/codec.h"
#include "plant/fault.h"
#include "plant/value.h"
#include "plant/wave.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_crc(void **state)
{
    (void)state;
    assert_int_equal(codec_crc((const uint8_t *)"123456789", 9), 0x4B37); /* the catalogue's check value */
    assert_int_equal(codec_crc((const uint8_t *)"\x02\x07", 2), 0x1241);  /* serial line specification */
    assert_int_equal(codec_crc((const uint8_t *)"", 0), 0xFFFF);
}

/* Whole requests as the manuals print them. */
static void test_rtu_requests(void **state)
{
    static const uint8_t geokon[] = {0x02, 0x03, 0x01, 0x02, 0x00, 0x02, 0x64, 0x04};
    static const uint8_t coil_on[] = {0x01, 0x05, 0x00, 0x00, 0xFF, 0x00, 0x8C, 0x3A};
    struct codec_frame frame;
    struct codec_request request;
    (void)state;
    for (size_t length = 0; length < sizeof(geokon); length++) {
        assert_int_equal(codec_scan_rtu(geokon, length, false, &frame), CODEC_MORE);
        assert_int_equal(codec_scan_rtu(geokon, length, true, &frame), CODEC_BAD);
    }
    assert_int_equal(codec_scan_rtu(geokon, sizeof(geokon), false, &frame), CODEC_FRAME);
    assert_int_equal(frame.unit, 2);
    assert_int_equal(frame.length, 8);
    assert_int_equal(codec_parse(frame.pdu, frame.pdu_length, &request), 0);
    assert_int_equal(request.function, CODEC_READ_HOLDING);
    assert_int_equal(request.address, 0x0102);
    assert_int_equal(request.quantity, 2);
    assert_int_equal(codec_scan_rtu(coil_on, sizeof(coil_on), false, &frame), CODEC_FRAME);
    assert_int_equal(codec_parse(frame.pdu, frame.pdu_length, &request), 0);
    uint16_t word = 7;
    codec_written(&request, &word);
    assert_int_equal(word, 1);
    for (size_t bit = 0; bit < sizeof(geokon) * 8; bit++) {
        uint8_t broken[sizeof(geokon)];
        memcpy(broken, geokon, sizeof(broken));
        broken[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(codec_scan_rtu(broken, sizeof(broken), true, &frame), CODEC_FRAME);
    }
}

/* A function that is not known ends with silence; a byte count that can't fit is broken at once. */
static void test_rtu_framing(void **state)
{
    static const uint8_t too_long[] = {1, 16, 0, 0, 0, 123, 248, 0};
    uint8_t unknown[16];
    struct codec_frame frame;
    (void)state;
    size_t length = codec_wrap(CODEC_RTU, 0, 9, (const uint8_t *)"\x2B\x0E\x01", 3, unknown);
    assert_int_equal(codec_scan_rtu(unknown, length, false, &frame), CODEC_MORE);
    assert_int_equal(codec_scan_rtu(unknown, length, true, &frame), CODEC_FRAME);
    assert_int_equal(frame.pdu_length, 3);
    assert_int_equal(codec_scan_rtu(too_long, sizeof(too_long), false, &frame), CODEC_BAD);
}

static void test_answers(void **state)
{
    static const uint16_t geokon[] = {0xC87C, 0x4628};
    static const uint8_t geokon_wire[] = {0x02, 0x03, 0x04, 0xC8, 0x7C, 0x46, 0x28, 0x04, 0xF5};
    static const uint8_t exception_wire[] = {0x12, 0x34, 0, 0, 0, 3, 0x11, 0x83, 0x02};
    uint8_t pdu[CODEC_PDU_MAX];
    uint8_t wire[CODEC_TCP_MAX];
    (void)state;
    size_t length = codec_answer_read(CODEC_READ_HOLDING, geokon, 2, pdu);
    assert_int_equal(codec_wrap(CODEC_RTU, 0, 2, pdu, length, wire), sizeof(geokon_wire));
    assert_memory_equal(wire, geokon_wire, sizeof(geokon_wire));
    length = codec_answer_exception(CODEC_READ_HOLDING, CODEC_ILLEGAL_ADDRESS, pdu);
    assert_int_equal(codec_wrap(CODEC_TCP, 0x1234, 0x11, pdu, length, wire), sizeof(exception_wire));
    assert_memory_equal(wire, exception_wire, sizeof(exception_wire));
    /* V1.1b3 section 6.1: coils 20 to 38 answer CD 6B 05 */
    uint16_t coils[19];
    for (size_t i = 0; i < COUNT(coils); i++)
        coils[i] = 0x056BCDu >> i & 1u;
    assert_int_equal(codec_answer_read(CODEC_READ_COILS, coils, 19, pdu), 5);
    assert_memory_equal(pdu, "\x01\x03\xCD\x6B\x05", 5);
}

static void test_tcp_framing(void **state)
{
    static const uint8_t good[] = {0, 7, 0, 0, 0, 6, 5, 3, 0, 1, 0, 2};
    static const uint8_t bad[][7] = {{0, 7, 0, 1, 0, 6, 5},
                                     {0, 7, 0, 0, 0, 1, 5},
                                     {0, 7, 0, 0, 0, 0, 5},
                                     {0, 7, 0, 0, 0, 255, 5},
                                     {0, 7, 0, 0, 1, 6, 5}};
    struct codec_frame frame;
    (void)state;
    for (size_t length = 0; length < sizeof(good); length++)
        assert_int_equal(codec_scan_tcp(good, length, &frame), CODEC_MORE);
    assert_int_equal(codec_scan_tcp(good, sizeof(good), &frame), CODEC_FRAME);
    assert_int_equal(frame.transaction, 7);
    assert_int_equal(frame.unit, 5);
    assert_int_equal(frame.pdu_length, 5);
    assert_int_equal(frame.length, 12);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(codec_scan_tcp(bad[i], sizeof(bad[i]), &frame), CODEC_BAD);
}

/* Random bytes never run out of their buffers (the sanitizers watch) and never become a request with a wrong quantity. */
static void test_hostile_bytes(void **state)
{
    uint64_t seed = 20251122;
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t round = 0; round < 50000; round++) {
        size_t length = wave_hash(seed, round) % 300;
        uint8_t *bytes = malloc(length + 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)wave_hash(seed ^ round << 20, i);
        if (length > 1)
            bytes[1] = bytes[1] % 20;
        struct codec_frame frame;
        struct codec_request request;
        if (codec_scan_rtu(bytes, length, round % 2 == 0, &frame) == CODEC_FRAME)
            assert_true(frame.length <= length);
        if (codec_scan_tcp(bytes, length, &frame) == CODEC_FRAME)
            assert_true(frame.length <= length);
        if (length > 1 && codec_parse(bytes + 1, length - 1, &request) == 0) {
            uint16_t words[CODEC_READ_BITS];
            assert_in_range(request.quantity, 1, CODEC_READ_BITS);
            if (request.data != NULL)
                codec_written(&request, words);
        }
        free(bytes);
    }
}

static void check_words(enum value_type type, enum value_order order, double raw, size_t count,
                        const uint16_t *expected)
{
    uint16_t words[VALUE_WORDS_MAX] = {0};
    assert_int_equal(value_words(type), count);
    value_encode(type, order, value_bits(type, raw), words);
    assert_memory_equal(words, expected, count * sizeof(words[0]));
}

static void test_types_and_orders(void **state)
{
    (void)state;
    /* libmodbus' unit tests: 123456.0 */
    check_words(VALUE_F32, VALUE_ABCD, 123456.0, 2, (const uint16_t[]){0x47F1, 0x2000});
    check_words(VALUE_F32, VALUE_CDAB, 123456.0, 2, (const uint16_t[]){0x2000, 0x47F1});
    check_words(VALUE_F32, VALUE_BADC, 123456.0, 2, (const uint16_t[]){0xF147, 0x0020});
    check_words(VALUE_F32, VALUE_DCBA, 123456.0, 2, (const uint16_t[]){0x0020, 0xF147});
    /* Vaisala's test registers */
    check_words(VALUE_I16, VALUE_ABCD, -12345, 1, (const uint16_t[]){0xCFC7});
    check_words(VALUE_F32, VALUE_ABCD, -123.45, 2, (const uint16_t[]){0xC2F6, 0xE666});
    /* Geokon 3810A: 10802.12 ohm, low word first */
    check_words(VALUE_F32, VALUE_CDAB, 10802.1210937500, 2, (const uint16_t[]){0xC87C, 0x4628});
    check_words(VALUE_U16, VALUE_BADC, 0x1234, 1, (const uint16_t[]){0x3412});
    check_words(VALUE_U64, VALUE_CDAB, 0x0001000200030004, 4, (const uint16_t[]){4, 3, 2, 1});
    check_words(VALUE_F64, VALUE_ABCD, 1.0, 4, (const uint16_t[]){0x3FF0, 0, 0, 0});
    check_words(VALUE_F64, VALUE_DCBA, 1.0, 4, (const uint16_t[]){0, 0, 0, 0xF03F});
    check_words(VALUE_BCD16, VALUE_ABCD, 2095, 1, (const uint16_t[]){0x2095});
    check_words(VALUE_BCD32, VALUE_CDAB, 12345678, 2, (const uint16_t[]){0x5678, 0x1234});
    check_words(VALUE_BOOL, VALUE_DCBA, 1, 1, (const uint16_t[]){1});
    /* O2 detectors: 0x1409 is 20.9 %VOL */
    check_words(VALUE_BYTES8_8, VALUE_ABCD, 20.9, 1, (const uint16_t[]){0x1409});
    check_words(VALUE_BYTES8_8, VALUE_ABCD, 20.25, 1, (const uint16_t[]){0x1419});
    check_words(VALUE_BYTES8_8, VALUE_ABCD, 20, 1, (const uint16_t[]){0x1400});
    check_words(VALUE_BYTES8_8, VALUE_ABCD, 0.1, 1, (const uint16_t[]){0x0001});
}

static void test_ends_of_types(void **state)
{
    (void)state;
    assert_true(value_bits(VALUE_U16, 65535.6) == 65535 && value_bits(VALUE_U16, -1) == 0);
    assert_true(value_bits(VALUE_U16, 122.99999999999999) == 123);
    assert_true(value_bits(VALUE_I16, 40000) == 32767 && (int64_t)value_bits(VALUE_I16, -40000) == -32768);
    assert_true(value_bits(VALUE_U64, 1e30) == UINT64_MAX && value_bits(VALUE_I64, 1e30) == INT64_MAX);
    assert_true((int64_t)value_bits(VALUE_I64, -1e30) == INT64_MIN &&
                value_bits(VALUE_U32, INFINITY) == UINT32_MAX);
    assert_true(value_bits(VALUE_U32, NAN) == 0 && value_bits(VALUE_I32, NAN) == 0);
    assert_true(value_bits(VALUE_BCD16, 12000) == 0x9999 && value_bits(VALUE_BOOL, 0.49) == 0);
    assert_true(value_bits(VALUE_BYTES8_8, 300) == 0xFF63 && value_bits(VALUE_BYTES8_8, -1) == 0);
    assert_true(value_bits(VALUE_BYTES8_8, NAN) == 0 && value_bits(VALUE_BYTES8_8, 20.999) == 0x1500);
    assert_true(value_bits(VALUE_BYTES8_8, 20.05) == 0x1401 && value_bits(VALUE_BYTES8_8, 20.04) == 0x1400);
}

static void test_waves(void **state)
{
    static const struct wave_segment segments[] = {{.at_us = 1000, .from = 2, .to = 2},
                                                   {.at_us = 5000, .over_us = 10000, .from = 10, .to = 60}};
    static const struct wave_stuck stuck = {.from_us = 6000, .to_us = 8000};
    struct wave wave = {.kind = WAVE_TIMELINE, .segments = segments, .segment_count = 2, .loop_us = 20000};
    struct wave_state memory = {.seed = 1};
    (void)state;
    assert_true(wave_value(&wave, &memory, 0) == 2 && wave_value(&wave, &memory, 4999) == 2);
    assert_true(wave_value(&wave, &memory, 5000) == 10 && wave_value(&wave, &memory, 10000) == 35);
    assert_true(wave_value(&wave, &memory, 15000) == 60 && wave_value(&wave, &memory, 19999) == 60);
    assert_true(wave_value(&wave, &memory, 20000) == 2 && wave_value(&wave, &memory, 30000) == 35);
    wave.stuck = &stuck;
    wave.stuck_count = 1;
    assert_true(wave_value(&wave, &memory, 7999) == 15 && wave_value(&wave, &memory, 27999) == 15);
    assert_true(wave_value(&wave, &memory, 8000) == 25);
    struct wave counter = {.kind = WAVE_COUNTER, .start = 65534, .step = 1, .every_us = 10, .wrap = 65536};
    assert_true(wave_value(&counter, &memory, 19) == 65535 && wave_value(&counter, &memory, 20) == 0);
    struct wave sine = {.kind = WAVE_SINE, .start = 10, .step = 4, .every_us = 1000, .phase = 0.25};
    assert_true(fabs(wave_value(&sine, &memory, 0) - 14) < 1e-9);
    assert_true(fabs(wave_value(&sine, &memory, 500) - 6) < 1e-9);
}

/* The same seed gives the same walk, however often it is looked at; it stays within its bounds. */
static void test_walk(void **state)
{
    struct wave wave = {.kind = WAVE_WALK, .start = 5, .step = 3, .least = 0, .most = 10, .every_us = 1000};
    struct wave_state often = {.seed = 7};
    struct wave_state once = {.seed = 7};
    double last = 0;
    (void)state;
    for (int64_t t = 0; t <= 1000000; t += 100) {
        last = wave_value(&wave, &often, t);
        assert_true(last >= 0 && last <= 10);
    }
    assert_true(last == wave_value(&wave, &once, 1000000));
    double late = wave_value(&wave, &once, INT64_MAX / 2);
    assert_true(late >= 0 && late <= 10);
}

static const struct wave constant = {.kind = WAVE_CONSTANT, .start = 12.3};
static const struct wave pattern = {.kind = WAVE_RAW, .raw = 0x11112222};

static size_t ask(struct bank *bank, const char *pdu, size_t length, uint8_t *out)
{
    struct codec_request request;
    uint8_t exception = codec_parse((const uint8_t *)pdu, length, &request);
    if (exception != 0)
        return codec_answer_exception(request.function, exception, out);
    return bank_answer(bank, 0, &request, out);
}

static void test_bank(void **state)
{
    struct bank_register holding[] = {
        {.address = 20, .type = VALUE_U32, .order = VALUE_ABCD, .wave = &pattern, .writable = true},
        {.address = 10, .type = VALUE_U16, .scale = 0.1, .wave = &constant},
        {.address = 65535, .type = VALUE_U16, .scale = 0.1, .wave = &constant},
    };
    struct bank bank = {.spaces[BANK_HOLDING] = {holding, COUNT(holding)}};
    uint8_t out[CODEC_PDU_MAX];
    (void)state;
    assert_null(bank_sort(&bank.spaces[BANK_HOLDING]));
    assert_int_equal(ask(&bank, "\x03\x00\x0A\x00\x01", 5, out), 4);
    assert_memory_equal(out, "\x03\x02\x00\x7B", 4);
    assert_int_equal(ask(&bank, "\x03\x00\x15\x00\x01", 5, out), 4); /* the second half of a longer value */
    assert_memory_equal(out, "\x03\x02\x22\x22", 4);
    assert_int_equal(ask(&bank, "\x03\x00\x0A\x00\x02", 5, out), 2); /* a hole */
    assert_memory_equal(out, "\x83\x02", 2);
    assert_int_equal(ask(&bank, "\x03\xFF\xFF\x00\x02", 5, out), 2); /* beyond the end */
    assert_int_equal(ask(&bank, "\x01\x00\x00\x00\x01", 5, out), 2); /* no such space */
    assert_int_equal(ask(&bank, "\x06\x00\x0A\x00\x01", 5, out), 2); /* not writable */
    assert_int_equal(ask(&bank, "\x06\x00\x15\xBE\xEF", 5, out), 5);
    assert_int_equal(ask(&bank, "\x03\x00\x14\x00\x02", 5, out), 6);
    assert_memory_equal(out, "\x03\x04\x11\x11\xBE\xEF", 6);
    bank.fill = true;
    assert_int_equal(ask(&bank, "\x03\x00\x0A\x00\x0C", 5, out), 26);
    assert_memory_equal(out + 2, "\x00\x7B\x00\x00", 4);
    assert_int_equal(ask(&bank, "\x03\x00\x09\x00\x02", 5, out), 2); /* before the first */
    assert_true(bank_hold(&bank, BANK_HOLDING, 10, 99.9) && !bank_hold(&bank, BANK_HOLDING, 11, 1));
    assert_int_equal(ask(&bank, "\x03\x00\x0A\x00\x01", 5, out), 4);
    assert_memory_equal(out, "\x03\x02\x03\xE7", 4);
    struct bank_register twice[] = {{.address = 5, .type = VALUE_F64}, {.address = 8, .type = VALUE_U16}};
    struct bank_span span = {twice, COUNT(twice)};
    assert_ptr_equal(bank_sort(&span), &twice[1]);
}

static void test_faults(void **state)
{
    struct fault fault = {
        .kind = FAULT_EXCEPTION, .from_us = 10, .to_us = 20, .loop_us = 100, .every = 2, .times = 2};
    struct fault_set set = {.timed = &fault, .timed_count = 1};
    struct fault mute = {.kind = FAULT_MUTE, .to_us = INT64_MAX, .every = 1, .times = 1};
    (void)state;
    assert_null(fault_set_pick(&set, 9));
    assert_null(fault_set_pick(&set, 20));
    assert_null(fault_set_pick(&set, 10));
    assert_ptr_equal(fault_set_pick(&set, 110), &fault);
    assert_true(fault_set_add(&set, &mute));
    assert_int_equal(fault_set_pick(&set, 115)->kind, FAULT_MUTE);
    assert_null(fault_set_pick(&set, 115));
    assert_ptr_equal(fault_set_pick(&set, 219), &fault);
    assert_null(fault_set_pick(&set, 219)); /* twice is enough */
    assert_null(fault_set_pick(&set, 219));
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        mute.kind = (enum fault_kind)kind;
        assert_int_equal(fault_set_add(&set, &mute), kind < (int)FAULT_MANUAL_MAX);
    }
    assert_false(fault_set_refuses(&set, 0));
}

/* Each fault of the longest and the shortest answer stays in its buffer and says what it is to say. */
static void test_fault_frames(void **state)
{
    uint16_t words[CODEC_READ_WORDS] = {0};
    uint8_t pdu[CODEC_PDU_MAX];
    uint8_t out[FAULT_BYTES_MAX];
    (void)state;
    for (unsigned framing = CODEC_TCP; framing <= CODEC_RTU; framing++) {
        struct fault_context context = {
            .framing = (enum codec_framing)framing, .transaction = 0, .unit = 255, .random = 3};
        for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
            struct fault fault = {.kind = (enum fault_kind)kind};
            size_t longest = codec_answer_read(CODEC_READ_HOLDING, words, CODEC_READ_WORDS, pdu);
            assert_in_range(fault_frame(&fault, &context, pdu, longest, out), 1, sizeof(out));
            size_t shortest = codec_answer_exception(CODEC_READ_HOLDING, 2, pdu);
            assert_in_range(fault_frame(&fault, &context, pdu, shortest, out), 1, sizeof(out));
        }
    }
    struct fault_context context = {.framing = CODEC_TCP, .transaction = 0, .unit = 1};
    struct fault fault = {.kind = FAULT_WRONG_LENGTH};
    size_t length = codec_answer_read(CODEC_READ_HOLDING, words, CODEC_READ_WORDS, pdu);
    assert_int_equal(fault_frame(&fault, &context, pdu, length, out),
                     7 + 2 + 248); /* 126 would not fit 253 bytes */
    fault.kind = FAULT_WRONG_TID;
    (void)fault_frame(&fault, &context, pdu, length, out);
    assert_memory_equal(out, "\xFF\xFF", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_rtu_requests),
        cmocka_unit_test(test_rtu_framing),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_tcp_framing),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_types_and_orders),
        cmocka_unit_test(test_ends_of_types),
        cmocka_unit_test(test_waves),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_bank),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_fault_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
