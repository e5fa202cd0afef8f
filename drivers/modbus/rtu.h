/* Frames of an RTU line among the bytes that it carries. Pure.
 *
 * A frame is what lies between two silences (MODBUS over Serial Line V1.02 §2.5.1.1), but receivers do not see the
 * silences as they were: adapters and networks hand bytes over in lumps, and transceivers that change direction add a
 * byte in front of an answer. So the answer is looked for by all that is known of it: unit, function, byte count (a
 * write: address and value or count) and CRC, wherever it begins. What is not the answer is left lying: other masters'
 * and units' frames, broadcasts, noise, late answers. What is within a whole frame of others is not looked at. That a
 * stretch of anything else passes for the answer takes 40 bits that happen to fit (an exception: 32). */
#ifndef RG_DRIVERS_MODBUS_RTU_H
#define RG_DRIVERS_MODBUS_RTU_H

#include "drivers/modbus/ask.h"

#define RTU_CRC_BYTES 2u
#define RTU_FRAME_MAX 256u
#define RTU_REQUEST_MAX (ASK_RTU_MAX + RTU_CRC_BYTES)

/* V1.02 §2.5.1.2 and Appendix B: polynomial 0xA001, begun with 0xFFFF; sent low byte first. */
uint16_t rtu_crc(const uint8_t *bytes, size_t length);

/* The request as it goes over the line, with its CRC. Returns its length. */
size_t rtu_request(const struct ask *ask, uint8_t out[RTU_REQUEST_MAX]);

/* length >= 4 and the last two bytes are the CRC of the others. */
bool rtu_is_whole(const uint8_t *bytes, size_t length);

enum rtu_sight {
    RTU_NOTHING, /* no answer begins here that could still become whole */
    RTU_DAMAGED, /* as many bytes as the data asked for take, begun as they would, with a wrong CRC */
    RTU_PART,    /* the beginning of an answer; more may follow */
    RTU_WHOLE,   /* data or an exception for this request, its CRC right */
};

/* What of the answer can be seen in the bytes; *at and *frame_length: where (not for RTU_NOTHING). quiet: nothing has
 * followed for a while. Until then the beginning of an answer hides what seems to be a whole one within it. */
enum rtu_sight rtu_look(const struct ask *ask, const uint8_t *bytes, size_t length, bool quiet, size_t *at,
                        size_t *frame_length);

#endif
