#include "drivers/modbus/ask.h"

#include <string.h>

#include "base/error.h"

#define EXCEPTION_FLAG 0x80u
#define COIL_ON 0xFF00u /* §6.5: 0x0000 is off, anything else is not allowed */

static void put16(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)(value & 0xff);
}

static uint16_t get16(const uint8_t *in)
{
    return (uint16_t)((in[0] << 8) | in[1]);
}

bool ask_is_bits(const struct ask *ask)
{
    return ask->function <= 2 || ask->function == 5 || ask->function == 15;
}

static bool function_is_write(uint8_t function)
{
    return function == 5 || function == 6 || function == 15 || function == 16;
}

bool ask_is_write(const struct ask *ask)
{
    return function_is_write(ask->function);
}

void ask_beside(const struct ask *write, struct ask *read)
{
    *read = *write;
    read->function = ask_is_bits(write) ? 1 : 3;
    read->values = NULL;
}

static unsigned data_bytes(const struct ask *ask)
{
    return ask_is_bits(ask) ? (ask->count + 7u) / 8u : 2u * ask->count;
}

unsigned ask_data_bytes(const struct ask *ask)
{
    return ask_is_write(ask) ? 0 : data_bytes(ask);
}

unsigned ask_answer_bytes(const struct ask *ask)
{
    return ask_is_write(ask) ? 6 : 3 + data_bytes(ask);
}

/* What follows the address: the value to be written, or how many. */
static uint16_t second_word(const struct ask *ask)
{
    if (ask->function == 5)
        return ask->values[0] ? COIL_ON : 0;
    return ask->function == 6 ? ask->values[0] : ask->count;
}

uint32_t ask_shape(const struct ask *ask)
{
    return ask_is_write(ask) ? (uint32_t)ask->address << 16 | second_word(ask) : ask_data_bytes(ask);
}

uint32_t answer_shape(const uint8_t *body)
{
    return function_is_write(body[1]) ? (uint32_t)get16(body + 2) << 16 | get16(body + 4) : body[2];
}

static void put_bits(uint8_t *out, const uint16_t *values, unsigned count)
{
    memset(out, 0, (count + 7u) / 8u);
    for (unsigned i = 0; i < count; i++) {
        if (values[i])
            out[i / 8] = (uint8_t)(out[i / 8] | 1u << i % 8);
    }
}

size_t ask_encode_rtu(const struct ask *ask, uint8_t out[ASK_RTU_MAX])
{
    out[0] = ask->unit;
    out[1] = ask->function;
    put16(out + 2, ask->address);
    put16(out + 4, second_word(ask));
    if (ask->function != 15 && ask->function != 16)
        return ASK_RTU_BYTES;
    out[6] = (uint8_t)data_bytes(ask);
    if (ask->function == 15) {
        put_bits(out + 7, ask->values, ask->count);
    } else {
        for (unsigned i = 0; i < ask->count; i++)
            put16(out + 7 + 2 * (size_t)i, ask->values[i]);
    }
    return 7u + out[6];
}

size_t ask_encode_tcp(const struct ask *ask, uint16_t transaction, uint8_t out[ASK_TCP_MAX])
{
    const size_t length = ask_encode_rtu(ask, out + 6);

    put16(out, transaction);
    put16(out + 2, 0);
    put16(out + 4, (uint16_t)length);
    return 6 + length;
}

static enum answer_kind judge_write(const struct ask *ask, const uint8_t *body, size_t length)
{
    if (length != 6)
        return ANSWER_WRONG_LENGTH;
    return answer_shape(body) == ask_shape(ask) ? ANSWER_DATA : ANSWER_OTHER_WRITE;
}

enum answer_kind answer_judge(const struct ask *ask, const uint8_t *body, size_t length)
{
    if (length < 3)
        return ANSWER_WRONG_LENGTH;
    if (body[0] != ask->unit)
        return ANSWER_WRONG_UNIT;
    if (body[1] == (ask->function | EXCEPTION_FLAG))
        return length == 3 && body[2] != 0 ? ANSWER_EXCEPTION : ANSWER_WRONG_LENGTH;
    if (body[1] != ask->function)
        return ANSWER_WRONG_FUNCTION;
    if (ask_is_write(ask))
        return judge_write(ask, body, length);
    if (body[2] != ask_data_bytes(ask))
        return ANSWER_WRONG_COUNT;
    return length == 3u + body[2] ? ANSWER_DATA : ANSWER_WRONG_LENGTH;
}

bool answer_transaction(const uint8_t *frame, size_t length, uint16_t *transaction)
{
    if (length < MBAP_BYTES || get16(frame + 2) != 0 || get16(frame + 4) + 6u != length)
        return false;
    *transaction = get16(frame);
    return true;
}

const char *answer_kind_text(enum answer_kind kind)
{
    static const char *const texts[] = {
        [ANSWER_DATA] = "answer",
        [ANSWER_EXCEPTION] = "exception",
        [ANSWER_WRONG_UNIT] = "answer from another unit",
        [ANSWER_WRONG_FUNCTION] = "answer with another function code",
        [ANSWER_WRONG_COUNT] = "answer with another number of values",
        [ANSWER_WRONG_LENGTH] = "answer whose length contradicts its byte count",
        [ANSWER_OTHER_WRITE] = "answer that confirms another write",
    };

    return (size_t)kind < RG_COUNT(texts) ? texts[kind] : "?";
}

bool exception_is_refusal(uint8_t code)
{
    return code >= 0x01 && code <= 0x03;
}

bool exception_is_of_range(uint8_t code)
{
    return code == 0x02 || code == 0x03;
}

const char *exception_text(uint8_t code)
{
    static const char *const texts[] = {
        [0x01] = "illegal function",
        [0x02] = "illegal data address",
        [0x03] = "illegal data value",
        [0x04] = "server device failure",
        [0x05] = "acknowledge",
        [0x06] = "server device busy",
        [0x07] = "negative acknowledge",
        [0x08] = "memory parity error",
        [0x0A] = "gateway path unavailable",
        [0x0B] = "gateway target device failed to respond",
    };

    return code < RG_COUNT(texts) && texts[code] ? texts[code] : "unknown exception";
}
