#include "drivers/modbus/rtu.h"

#include "base/error.h"

#define EXCEPTION_FLAG 0x80u
#define EXCEPTION_BYTES 5u /* with its CRC */

uint16_t rtu_crc(const uint8_t *bytes, size_t length)
{
    uint16_t crc = 0xFFFF;

    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    }
    return crc;
}

size_t rtu_request(const struct ask *ask, uint8_t out[RTU_REQUEST_MAX])
{
    const size_t length = ask_encode_rtu(ask, out);
    const uint16_t crc = rtu_crc(out, length);

    out[length] = (uint8_t)(crc & 0xff);
    out[length + 1] = (uint8_t)(crc >> 8);
    return length + RTU_CRC_BYTES;
}

bool rtu_is_whole(const uint8_t *bytes, size_t length)
{
    return length >= 4 && length <= RTU_FRAME_MAX &&
           rtu_crc(bytes, length - RTU_CRC_BYTES) == (uint16_t)(bytes[length - 2] | bytes[length - 1] << 8);
}

/* Whether the bytes, as far as they go, begin as the data asked for does. */
static bool begins_as_data(const struct ask *ask, const uint8_t *bytes, size_t length)
{
    const uint32_t shape = ask_shape(ask);

    if (length < 2 || bytes[1] != ask->function)
        return false;
    if (!ask_is_write(ask))
        return length < 3 || bytes[2] == shape;
    for (unsigned i = 0; i < 4 && i + 2 < length; i++) {
        if (bytes[i + 2] != (uint8_t)(shape >> (24 - 8 * i)))
            return false;
    }
    return true;
}

static enum rtu_sight look_at(const struct ask *ask, const uint8_t *bytes, size_t length,
                              size_t *frame_length)
{
    const size_t whole = ask_answer_bytes(ask) + RTU_CRC_BYTES;

    if (bytes[0] != ask->unit)
        return RTU_NOTHING;
    *frame_length = length;
    if (length == 1)
        return RTU_PART;
    if (bytes[1] == (ask->function | EXCEPTION_FLAG)) {
        if (length < EXCEPTION_BYTES)
            return RTU_PART;
        *frame_length = EXCEPTION_BYTES;
        return rtu_is_whole(bytes, EXCEPTION_BYTES) && bytes[2] != 0 ? RTU_WHOLE : RTU_NOTHING;
    }
    if (!begins_as_data(ask, bytes, length))
        return RTU_NOTHING;
    if (length < whole)
        return RTU_PART;
    *frame_length = whole;
    return rtu_is_whole(bytes, whole) ? RTU_WHOLE : RTU_DAMAGED;
}

/* Bytes of the whole frame that begins here, whoever's: an answer or a request, to read or to write; 0: none. */
static size_t frame_here(const uint8_t *bytes, size_t length)
{
    const size_t lengths[] = {EXCEPTION_BYTES, ASK_RTU_BYTES + RTU_CRC_BYTES,
                              length > 2 ? 3u + bytes[2] + RTU_CRC_BYTES : 0,
                              length > 6 ? 7u + bytes[6] + RTU_CRC_BYTES : 0};

    for (size_t i = 0; i < RG_COUNT(lengths); i++) {
        if (lengths[i] <= length && rtu_is_whole(bytes, lengths[i]))
            return lengths[i];
    }
    return 0;
}

/* Where others' frames end that stand in a row from the beginning: what is within them is not looked at. */
static size_t after_others(const struct ask *ask, const uint8_t *bytes, size_t length)
{
    size_t from = 0, found = 0;

    while (from < length && look_at(ask, bytes + from, length - from, &found) != RTU_WHOLE) {
        const size_t other = frame_here(bytes + from, length - from);

        if (other == 0)
            break;
        from += other;
    }
    return from;
}

enum rtu_sight rtu_look(const struct ask *ask, const uint8_t *bytes, size_t length, bool quiet, size_t *at,
                        size_t *frame_length)
{
    enum rtu_sight best = RTU_NOTHING;

    for (size_t i = after_others(ask, bytes, length); i < length; i++) {
        size_t found = 0;
        const enum rtu_sight sight = look_at(ask, bytes + i, length - i, &found);

        if (sight > best) {
            best = sight;
            *at = i;
            *frame_length = found;
        }
        if (best == RTU_WHOLE || (best == RTU_PART && !quiet))
            break;
    }
    return best;
}
