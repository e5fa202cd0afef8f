#include "plant/codec.h"

#include <string.h>

#define MBAP_BYTES 7u
#define COIL_ON 0xFF00u

static uint16_t get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

uint16_t codec_crc(const uint8_t *bytes, size_t length)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    }
    return crc;
}

enum codec_scan codec_scan_tcp(const uint8_t *bytes, size_t length, struct codec_frame *frame)
{
    if (length < MBAP_BYTES)
        return CODEC_MORE;
    size_t rest = get16(bytes + 4); /* the unit and the PDU */
    if (get16(bytes + 2) != 0 || rest < 2 || rest > CODEC_PDU_MAX + 1)
        return CODEC_BAD;
    if (length < 6 + rest)
        return CODEC_MORE;
    *frame = (struct codec_frame){.transaction = get16(bytes),
                                  .unit = bytes[6],
                                  .pdu = bytes + MBAP_BYTES,
                                  .pdu_length = rest - 1,
                                  .length = 6 + rest};
    return CODEC_FRAME;
}

/* Bytes of the request that begins here; 0: not known yet; SIZE_MAX: only silence tells. */
static size_t rtu_expected(const uint8_t *bytes, size_t length)
{
    if (length < 2)
        return 0;
    switch (bytes[1]) {
    case CODEC_READ_COILS:
    case CODEC_READ_DISCRETE:
    case CODEC_READ_HOLDING:
    case CODEC_READ_INPUT:
    case CODEC_WRITE_COIL:
    case CODEC_WRITE_REGISTER:
        return 8;
    case CODEC_WRITE_COILS:
    case CODEC_WRITE_REGISTERS:
        return length < 7 ? 0 : 9u + bytes[6];
    default:
        return SIZE_MAX;
    }
}

enum codec_scan codec_scan_rtu(const uint8_t *bytes, size_t length, bool idle, struct codec_frame *frame)
{
    size_t expected = rtu_expected(bytes, length);
    if (expected == SIZE_MAX && idle && length >= 4)
        expected = length;
    if (expected == 0 || expected == SIZE_MAX || (expected > length && expected <= CODEC_RTU_MAX))
        return idle || length > CODEC_RTU_MAX ? CODEC_BAD : CODEC_MORE;
    if (expected > CODEC_RTU_MAX)
        return CODEC_BAD;
    uint16_t crc = codec_crc(bytes, expected - 2);
    if (bytes[expected - 2] != (uint8_t)crc || bytes[expected - 1] != (uint8_t)(crc >> 8))
        return CODEC_BAD;
    *frame = (struct codec_frame){
        .unit = bytes[0], .pdu = bytes + 1, .pdu_length = expected - 3, .length = expected};
    return CODEC_FRAME;
}

static bool quantity_fits(uint16_t quantity, unsigned most)
{
    return quantity >= 1 && quantity <= most;
}

static uint8_t parse_read(const uint8_t *pdu, size_t length, unsigned most, struct codec_request *request)
{
    if (length != 5)
        return CODEC_ILLEGAL_VALUE;
    request->quantity = get16(pdu + 3);
    return quantity_fits(request->quantity, most) ? 0 : CODEC_ILLEGAL_VALUE;
}

static uint8_t parse_single(const uint8_t *pdu, size_t length, struct codec_request *request)
{
    if (length != 5)
        return CODEC_ILLEGAL_VALUE;
    request->quantity = 1;
    request->data = pdu + 3;
    uint16_t value = get16(pdu + 3);
    if (request->function == CODEC_WRITE_COIL && value != 0 && value != COIL_ON)
        return CODEC_ILLEGAL_VALUE;
    return 0;
}

static uint8_t parse_multiple(const uint8_t *pdu, size_t length, struct codec_request *request)
{
    if (length < 6 || length != 6u + pdu[5])
        return CODEC_ILLEGAL_VALUE;
    bool bits = request->function == CODEC_WRITE_COILS;
    request->quantity = get16(pdu + 3);
    request->data = pdu + 6;
    size_t bytes = bits ? (request->quantity + 7u) / 8u : request->quantity * 2u;
    if (!quantity_fits(request->quantity, bits ? CODEC_WRITE_BITS : CODEC_WRITE_WORDS) || pdu[5] != bytes)
        return CODEC_ILLEGAL_VALUE;
    return 0;
}

uint8_t codec_parse(const uint8_t *pdu, size_t length, struct codec_request *request)
{
    *request = (struct codec_request){.function = length > 0 ? pdu[0] : 0,
                                      .address = length >= 3 ? get16(pdu + 1) : 0};
    switch (request->function) {
    case CODEC_READ_COILS:
    case CODEC_READ_DISCRETE:
        return parse_read(pdu, length, CODEC_READ_BITS, request);
    case CODEC_READ_HOLDING:
    case CODEC_READ_INPUT:
        return parse_read(pdu, length, CODEC_READ_WORDS, request);
    case CODEC_WRITE_COIL:
    case CODEC_WRITE_REGISTER:
        return parse_single(pdu, length, request);
    case CODEC_WRITE_COILS:
    case CODEC_WRITE_REGISTERS:
        return parse_multiple(pdu, length, request);
    default:
        return CODEC_ILLEGAL_FUNCTION;
    }
}

size_t codec_answer_read(uint8_t function, const uint16_t *words, uint16_t quantity, uint8_t *out)
{
    out[0] = function;
    if (function == CODEC_READ_HOLDING || function == CODEC_READ_INPUT) {
        out[1] = (uint8_t)(quantity * 2u);
        for (size_t i = 0; i < quantity; i++)
            put16(out + 2 + 2 * i, words[i]);
        return 2u + out[1];
    }
    out[1] = (uint8_t)((quantity + 7u) / 8u);
    memset(out + 2, 0, out[1]);
    for (size_t i = 0; i < quantity; i++)
        out[2 + i / 8] = (uint8_t)(out[2 + i / 8] | (words[i] & 1u) << i % 8);
    return 2u + out[1];
}

size_t codec_answer_write(const struct codec_request *request, uint8_t *out)
{
    out[0] = request->function;
    put16(out + 1, request->address);
    if (request->function == CODEC_WRITE_COIL || request->function == CODEC_WRITE_REGISTER)
        memcpy(out + 3, request->data, 2);
    else
        put16(out + 3, request->quantity);
    return 5;
}

size_t codec_answer_exception(uint8_t function, uint8_t code, uint8_t *out)
{
    out[0] = function | 0x80u;
    out[1] = code;
    return 2;
}

void codec_written(const struct codec_request *request, uint16_t *words)
{
    if (request->function == CODEC_WRITE_COIL) {
        words[0] = request->data[0] != 0;
    } else if (request->function == CODEC_WRITE_COILS) {
        for (size_t i = 0; i < request->quantity; i++)
            words[i] = (uint16_t)((unsigned)request->data[i / 8] >> i % 8 & 1u);
    } else {
        for (size_t i = 0; i < request->quantity; i++)
            words[i] = get16(request->data + 2 * i);
    }
}

size_t codec_wrap(enum codec_framing framing, uint16_t transaction, uint8_t unit, const uint8_t *pdu,
                  size_t length, uint8_t *out)
{
    if (framing == CODEC_TCP) {
        put16(out, transaction);
        put16(out + 2, 0);
        put16(out + 4, (uint16_t)(length + 1));
        out[6] = unit;
        memcpy(out + MBAP_BYTES, pdu, length);
        return MBAP_BYTES + length;
    }
    out[0] = unit;
    memcpy(out + 1, pdu, length);
    uint16_t crc = codec_crc(out, length + 1);
    out[length + 1] = (uint8_t)crc;
    out[length + 2] = (uint8_t)(crc >> 8);
    return length + 3;
}
