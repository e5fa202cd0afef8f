/* The plant's own Modbus codec: bytes to requests and answers to bytes, for TCP and RTU. Pure: no I/O, no clock.
 *
 * Written from the "MODBUS Application Protocol Specification V1.1b3", "MODBUS Messaging on TCP/IP V1.0b" and
 * "MODBUS over Serial Line V1.02", sharing nothing with the daemon, so that an error in one cannot hide in the other. */
#ifndef RG_PLANT_CODEC_H
#define RG_PLANT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_PDU_MAX 253u     /* V1.1b3 section 4.1 */
#define CODEC_TCP_MAX 260u     /* 7 bytes of MBAP header and the PDU */
#define CODEC_RTU_MAX 256u     /* unit, PDU, two bytes of CRC */
#define CODEC_READ_WORDS 125u  /* functions 3 and 4 */
#define CODEC_READ_BITS 2000u  /* functions 1 and 2 */
#define CODEC_WRITE_WORDS 123u /* function 16 */
#define CODEC_WRITE_BITS 1968u /* function 15 */

enum codec_function {
    CODEC_READ_COILS = 1,
    CODEC_READ_DISCRETE = 2,
    CODEC_READ_HOLDING = 3,
    CODEC_READ_INPUT = 4,
    CODEC_WRITE_COIL = 5,
    CODEC_WRITE_REGISTER = 6,
    CODEC_WRITE_COILS = 15,
    CODEC_WRITE_REGISTERS = 16,
};

enum codec_exception {
    CODEC_ILLEGAL_FUNCTION = 1,
    CODEC_ILLEGAL_ADDRESS = 2,
    CODEC_ILLEGAL_VALUE = 3,
};

enum codec_framing { CODEC_TCP, CODEC_RTU };

/* One request as it lay on the wire; pdu points into the scanned bytes. */
struct codec_frame {
    uint16_t transaction; /* TCP only */
    uint8_t unit;
    const uint8_t *pdu;
    size_t pdu_length;
    size_t length; /* bytes of the whole frame, to be taken off the buffer */
};

enum codec_scan {
    CODEC_MORE,  /* not whole yet */
    CODEC_FRAME, /* *frame is filled */
    CODEC_BAD,   /* no frame can be found here: TCP must close, RTU must wait for silence */
};

struct codec_request {
    uint8_t function;
    uint16_t address, quantity; /* quantity 1 for functions 5 and 6 */
    const uint8_t *data;        /* what is to be written, into the PDU; NULL for reads */
};

/* CRC-16/MODBUS; on the wire its low byte comes first. */
uint16_t codec_crc(const uint8_t *bytes, size_t length);

enum codec_scan codec_scan_tcp(const uint8_t *bytes, size_t length, struct codec_frame *frame);
/* idle: the line has been silent since the last of the bytes, so nothing more belongs to them. A frame of a known function
 * is found by its length, of an unknown one by the silence after it. */
enum codec_scan codec_scan_rtu(const uint8_t *bytes, size_t length, bool idle, struct codec_frame *frame);

/* 0, or the exception the standard asks for: 1 for an unknown function, 3 for a wrong length, quantity or coil value. The
 * address is the caller's to judge, after this. */
uint8_t codec_parse(const uint8_t *pdu, size_t length, struct codec_request *request);

/* The answer PDUs; out holds CODEC_PDU_MAX bytes; each returns the length. Words are register values or, for the functions
 * 1 and 2, bits of 0 and 1; quantity is within the limit of the function. */
size_t codec_answer_read(uint8_t function, const uint16_t *words, uint16_t quantity, uint8_t *out);
size_t codec_answer_write(const struct codec_request *request, uint8_t *out);
size_t codec_answer_exception(uint8_t function, uint8_t code, uint8_t *out);
/* What a writing request wants written, one word for each register or bit; words holds request->quantity. */
void codec_written(const struct codec_request *request, uint16_t *words);

/* PDU to frame; out holds CODEC_TCP_MAX bytes. Returns the length. */
size_t codec_wrap(enum codec_framing framing, uint16_t transaction, uint8_t unit, const uint8_t *pdu,
                  size_t length, uint8_t *out);

#endif
