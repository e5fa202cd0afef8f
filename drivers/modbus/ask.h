/* One request, a read or a write, and its answer as bytes, without a link: what is sent, and whether what came
 * back answers it. Pure.
 *
 * Source of every layout: MODBUS Application Protocol Specification V1.1b3 (reads: function codes 1 to 4, §6.1
 * to §6.4; writes: 5, 6, 15 and 16, §6.5, §6.6, §6.11, §6.12; exceptions, §7), MODBUS Messaging on TCP/IP
 * Implementation Guide V1.0b §3.1.3 (MBAP header). */
#ifndef RG_DRIVERS_MODBUS_ASK_H
#define RG_DRIVERS_MODBUS_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASK_MAX_REGISTERS 125u /* of one request, §6.3 */
#define ASK_MAX_BITS 2000u     /* of one request, §6.1 */
#define ASK_MAX_WRITTEN 123u   /* registers of one write, §6.12; bits are kept to as many */
#define ASK_DATA_MAX 250u      /* bytes of data in one answer: 125 registers or 2000 bits */

/* Of a read: MBAP header 7, function 1, address 2, count 2; RTU without its CRC (2). */
#define ASK_TCP_BYTES 12u
#define ASK_RTU_BYTES 6u
/* Of any request: a write of 123 registers is longest. */
#define ASK_RTU_MAX 253u
#define ASK_TCP_MAX 259u
#define MBAP_BYTES 7u /* transaction 2, protocol 2, length 2, unit 1 */

struct ask {
    uint8_t unit;
    uint8_t
        function; /* reads: 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers; writes: 5 one
                         coil, 6 one holding register, 15 coils, 16 holding registers */
    uint16_t address; /* zero-based */
    uint16_t count;   /* registers or bits; 5 and 6: 1 */
    uint16_t
        limit; /* the most registers this device may be asked for at once (bounds the probes of debt.h) */
    int64_t gap_us;         /* silence before it, when longer than the bus's */
    const uint16_t *values; /* writes: [count], coils 0 or 1; else NULL */
};

bool ask_is_bits(const struct ask *ask);
bool ask_is_write(const struct ask *ask);
/* What a write writes, as a read. */
void ask_beside(const struct ask *write, struct ask *read);
/* Bytes of data that the answer to it carries: two a register, one for each eight bits begun, so 1 to 250; 0 for a
 * write. */
unsigned ask_data_bytes(const struct ask *ask);
/* Bytes of the whole answer without MBAP header and CRC: unit, function, byte count and data; a write's: unit,
 * function, address, value or count. */
unsigned ask_answer_bytes(const struct ask *ask);

/* All that an answer on a line without transaction ids says about its request, beside unit and function. A read:
 * its byte count. 5 and 6: address and value; 15 and 16: address and count, and nothing of the values. */
uint32_t ask_shape(const struct ask *ask);
/* The same of a frame that has come (unit, function, ...; at least 6 bytes to read). */
uint32_t answer_shape(const uint8_t *body);

/* Both return the length. */
size_t ask_encode_tcp(const struct ask *ask, uint16_t transaction, uint8_t out[ASK_TCP_MAX]);
size_t ask_encode_rtu(const struct ask *ask, uint8_t out[ASK_RTU_MAX]);

enum answer_kind {
    ANSWER_DATA,           /* the answer asked for: unit, function, byte count and length all fit; a write's:
                              address and value or count, too */
    ANSWER_EXCEPTION,      /* this unit refuses this function's request; body[2] is the code */
    ANSWER_WRONG_UNIT,     /* somebody else's frame */
    ANSWER_WRONG_FUNCTION, /* an answer to another kind of request */
    ANSWER_WRONG_COUNT,    /* the right kind, but as many bytes as another request would get */
    ANSWER_WRONG_LENGTH,   /* the byte count does not fit the frame */
    ANSWER_OTHER_WRITE,    /* it confirms a write of another address, value or count */
};
const char *answer_kind_text(enum answer_kind kind); /* for people: "answer from another unit" ... */

/* body: unit, function, and what follows: an RTU frame without its CRC, a TCP frame without the first
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
