/* LINK rg_modbus */
/* A point and an answer's bytes, both by the fuzzer: a value is finite, within its range, and never beside
 * a bad quality; and a frame is judged to be an answer only if its header says so. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct site_point point = {.bit = -1, .scaling = {1, 0, 1}};
    struct codec_point p;
    struct sample s;

    if (size < 16)
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
    for (size_t i = 0; i < point.invalid_count; i++)
        point.invalid[i] = data[13] * 256.0 - 32768 + (double)i;
    if (codec_prepare(&point, 5, &p) != RG_OK)
        return 0;
    p.offset = data[14];
    codec_decode(&p, data + 15, size - 15, &s);
    check(s.point == 5 && s.quality <= QUALITY_RANGE && isfinite(s.value));
    if (s.quality != QUALITY_GOOD)
        check(s.value == 0);
    else if (point.has_range)
        check(s.value >= -1000 && s.value <= 1000);
    return 0;
}
