/* LINK rg_modbus */
/* A point, its decimals and an answer's bytes, all by the fuzzer: a value is finite, within its range, one of its
 * enumeration's, and never beside a bad quality; a register by itself is what its bytes say; and a frame is judged to be
 * an answer only if its header says so. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/modbus/ask.h"
#include "drivers/modbus/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void judge(const uint8_t *data, size_t size)
{
    const struct ask ask = {.unit = data[0],
                            .function = (uint8_t)(1 + data[1] % 4),
                            .count = (uint16_t)(1 + data[2] % 125),
                            .limit = 125};
    const enum answer_kind kind = answer_judge(&ask, data + 3, size - 3);
    uint16_t transaction;

    if (kind == ANSWER_DATA)
        check(size - 3 == 3 + ask_data_bytes(&ask) && data[3] == ask.unit && data[4] == ask.function);
    if (kind == ANSWER_EXCEPTION)
        check(size - 3 == 3 && data[3] == ask.unit && data[4] == (ask.function | 0x80));
    if (answer_transaction(data + 3, size - 3, &transaction))
        check(data[5] == 0 && data[6] == 0 && size - 3 == (size_t)(data[7] << 8 | data[8]) + 6);
    (void)exception_text(data[0]);
    (void)answer_kind_text(kind);
}

/* A register of the same answer, with a mask. */
static void read_register(const struct codec_point *p, uint16_t mask, const uint8_t *data, size_t size)
{
    const bool there = p->bits ? p->offset < size * 8 : p->offset * 2u + 2 <= size;
    uint32_t value = 0;

    check(codec_register(p->bits, p->offset, mask, data, size, &value) == there);
    if (!there)
        check(value == 0);
    else if (p->bits)
        check(value <= 1);
    else if (mask == 0)
        check(value == (uint32_t)(data[2 * p->offset] << 8 | data[2 * p->offset + 1]));
    else
        check(value <= 0xffff && (value << __builtin_ctz(mask) & ~(uint32_t)mask) == 0);
}

static void check_sample(const struct site_point *point, const struct sample *s)
{
    bool named = point->word_count == 0;

    check(s->point == 5 && s->quality <= QUALITY_RANGE && isfinite(s->value));
    if (s->quality != QUALITY_GOOD) {
        check(s->value == 0);
        return;
    }
    check(!signbit(s->value) || s->value != 0);
    if (point->has_range && !point->convert)
        check(s->value >= -1000 && s->value <= 1000);
    for (size_t i = 0; i < point->word_count; i++)
        named |= point->words[i].value == s->value;
    check(named);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct point_word words[] = {{0, "none"}, {1, "one"}, {2, "two"}};
    struct codec_decimals decimals;
    static const struct site_convert table = {.kind = CONVERT_TABLE};
    double invalid[POINT_INVALID_MAX];
    struct site_point point = {.bit = -1, .scaling = {1, 0, 1}};
    struct codec_point p;
    struct sample s, without;

    if (size < 18)
        return 0;
    judge(data, size);
    point.type = (enum point_type)(data[0] % (TYPE_BYTES8_8 + 1));
    point.order = (enum word_order)(data[1] % (ORDER_DCBA + 1));
    point.space = (enum point_space)(data[2] % (SPACE_HOLDING + 1));
    point.bit = (int8_t)(data[3] % 18 - 1);
    memcpy(&point.mask, data + 4, data[3] & 0x40 ? 4 : 0);
    point.scaling.num = data[8];
    point.scaling.den = data[9];
    point.scaling.add = data[10] - 128.0;
    point.has_range = data[11] & 1;
    point.range_min = -1000;
    point.range_max = 1000;
    point.invalid_count = data[12] % (POINT_INVALID_MAX + 1);
    point.invalid = invalid;
    for (size_t i = 0; i < point.invalid_count; i++)
        invalid[i] = data[13] * 256.0 - 32768 + (double)i;
    point.words = words;
    point.word_count = data[15] % (RG_COUNT(words) + 1);
    point.convert = data[15] & 0x80 ? &table : NULL;
    decimals.count = data[16];
    decimals.quality = data[15] & 0x40 ? (enum quality)(data[16] % (QUALITY_RANGE + 1)) : QUALITY_GOOD;
    if (codec_prepare(&point, 5, &p) != RG_OK)
        return 0;
    p.offset = data[14];
    codec_decode(&p, data + 17, size - 17, &s);
    check_sample(&point, &s);
    /* None is as good as 0 of them. */
    codec_decode_decimals(&p, (struct codec_decimals){QUALITY_GOOD, 0}, data + 17, size - 17, &without);
    check(without.quality == s.quality && without.value == s.value);
    codec_decode_decimals(&p, decimals, data + 17, size - 17, &s);
    check_sample(&point, &s);
    if (decimals.quality != QUALITY_GOOD || decimals.count > CODEC_DECIMALS_MAX)
        check(s.quality != QUALITY_GOOD);
    read_register(&p, (uint16_t)(data[4] << 8 | data[5]), data + 17, size - 17);
    return 0;
}
