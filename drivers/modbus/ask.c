#include "drivers/modbus/ask.h"

#include "base/error.h"

#define EXCEPTION_FLAG 0x80u

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
    return ask->function <= 2;
}

unsigned ask_data_bytes(const struct ask *ask)
{
    return ask_is_bits(ask) ? (ask->count + 7u) / 8u : 2u * ask->count;
}

void ask_encode_rtu(const struct ask *ask, uint8_t out[ASK_RTU_BYTES])
{
    out[0] = ask->unit;
    out[1] = ask->function;
    put16(out + 2, ask->address);
    put16(out + 4, ask->count);
}

void ask_encode_tcp(const struct ask *ask, uint16_t transaction, uint8_t out[ASK_TCP_BYTES])
{
    put16(out, transaction);
    put16(out + 2, 0);
    put16(out + 4, ASK_RTU_BYTES);
    ask_encode_rtu(ask, out + 6);
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
