/* One read request and its answer as bytes, without a link: what is sent, and whether what came back
 * answers it. Pure.
 *
 * Source of every layout: MODBUS Application Protocol Specification V1.1b3 (function codes 1 to 4, §6.1 to
 * §6.4; exceptions, §7), MODBUS Messaging on TCP/IP Implementation Guide V1.0b §3.1.3 (MBAP header). */
#ifndef RG_DRIVERS_MODBUS_ASK_H
#define RG_DRIVERS_MODBUS_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASK_MAX_REGISTERS 125u /* of one request, §6.3 */
#define ASK_MAX_BITS 2000u     /* of one request, §6.1 */
#define ASK_DATA_MAX 250u      /* bytes of data in one answer: 125 registers or 2000 bits */

#define ASK_TCP_BYTES 12u /* request: MBAP header 7, function 1, address 2, count 2 */
#define ASK_RTU_BYTES 6u  /* request without its CRC (2) */
#define MBAP_BYTES 7u     /* transaction 2, protocol 2, length 2, unit 1 */

struct ask {
    uint8_t unit;
    uint8_t function; /* 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers */
    uint16_t address; /* zero-based */
    uint16_t count;   /* registers or bits */
    uint16_t
        limit; /* the most registers this device may be asked for at once (bounds the probes of debt.h) */
    int64_t gap_us; /* silence before it that this device needs; 0: what its line needs anyway */
};

bool ask_is_bits(const struct ask *ask);
/* Bytes of data that the answer to it carries, 1 to 250: two a register, one for each eight bits begun. */
unsigned ask_data_bytes(const struct ask *ask);

void ask_encode_tcp(const struct ask *ask, uint16_t transaction, uint8_t out[ASK_TCP_BYTES]);
void ask_encode_rtu(const struct ask *ask, uint8_t out[ASK_RTU_BYTES]);

enum answer_kind {
    ANSWER_DATA,           /* the answer asked for: unit, function, byte count and length all fit */
    ANSWER_EXCEPTION,      /* this unit refuses this function's request; body[2] is the code */
    ANSWER_WRONG_UNIT,     /* somebody else's frame */
    ANSWER_WRONG_FUNCTION, /* an answer to another kind of request */
    ANSWER_WRONG_COUNT,    /* the right kind, but as many bytes as another request would get */
    ANSWER_WRONG_LENGTH,   /* the byte count does not fit the frame */
};
const char *answer_kind_text(enum answer_kind kind); /* for people: "answer from another unit" ... */

/* body: unit, function, byte count, data: an RTU frame without its CRC, a TCP frame without the first
 * six bytes. */
enum answer_kind answer_judge(const struct ask *ask, const uint8_t *body, size_t length);

/* The transaction id of a whole TCP frame; false when its header contradicts itself (protocol not 0,
 * length field not the frame's). */
bool answer_transaction(const uint8_t *frame, size_t length, uint16_t *transaction);

/* Exceptions of a gateway that speak of its target: no path to it; it did not answer. */
#define EXCEPTION_GATEWAY_PATH 0x0A
#define EXCEPTION_GATEWAY_TARGET 0x0B

/* The request itself is not for this device: illegal function, data address or data value, which no repetition
 * changes. All others speak of the device's state: busy, failed. */
bool exception_is_refusal(uint8_t code);

/* Illegal data address or illegal data value: what the request reads is not all there (§7: address and length
 * together are invalid), but a part of it may be. */
bool exception_is_of_range(uint8_t code);

/* The specification's name of an exception code, in lower case: "illegal data address". Never NULL. */
const char *exception_text(uint8_t code);

#endif
