/* One bus's connection or line: the only user of libmodbus (3.1.6). TCP, RTU, and RTU over TCP.
 *
 * What is libmodbus's: the serial port and its settings, sending an RTU frame with its CRC. What is not, because it would
 * break a promise:
 * - Reconnecting and recovering: libmodbus's own can hang and sleep for seconds. A failure closes, the
 *   next request opens.
 * - Connecting a socket: it must end within the time-out and be cancellable.
 * - modbus_read_*: it tells neither "nothing came" from "half an answer came", nor whose unit answered
 *   over TCP, and it ends a request at the first late answer. modbus_send_raw_request fixes the TCP
 *   transaction id to 0. So the request over TCP is written here, and every answer is judged here (ask.h).
 * - Receiving: libmodbus waits with select(2), whose descriptors end at FD_SETSIZE: a thousand connections would be
 *   all. Over TCP it goes by the function code and not by the length in the header. And of RTU it takes the first byte
 *   that comes for the beginning of the answer and does as it says, so that one stray byte, or another master's
 *   request, swallows the answer behind it: see rtu.h.
 * - RTU over TCP, which libmodbus does not have: its RTU side works on a socket but for opening, flushing
 *   and closing.
 * - The silence of 3.5 characters between frames, counted from the last byte that was on the line
 *   (drained, not written).
 *
 * Late answers. TCP: by transaction id; they are passed over. RTU kinds: see debt.h.
 *
 * Writes. DRIVER_OK is the unit's own word, in the answer to this very request, or for a broadcast that it is on the
 * line. Each goes out once at most: whether it is tried again, the caller decides, who alone knows whether it may be
 * done twice. After DRIVER_SILENT, DRIVER_MALFORMED and DRIVER_BROKEN, when it was sent, it may have been done all
 * the same. On an RTU kind a write that could be confirmed by an older one's late answer waits behind a read
 * (debt.h); when that fails, the write is not sent and the result is the read's.
 *
 * Echo. Many two-wire adapters give back what is sent. Declared (site_bus.echo), it must come first and be what was
 * sent, byte for byte; another one is a collision, DRIVER_MALFORMED, and none at all never confirms anything, for what
 * the unit says is then taken for the echo. Not declared but there, it must not pass for an answer. A read's seldom
 * could (of 17 to 24 bits at 768 to 1023, always): what comes first and is what was sent ends it, DRIVER_MALFORMED,
 * and the detail says what to set. The confirmation of one coil or register always is what was sent: so such a write
 * goes out only once a request on this open line was followed by an answer that was not, or by nothing at all; when no
 * poll has shown that yet, a read of what is to be written does.
 *
 * What remains assumed, beside debt.h: no other master asks the same unit for as much by the same function while an
 * answer is awaited; a line does not begin to echo between a read and the write after it; a gateway gives a request
 * over Modbus TCP only the answer to it. */
#ifndef RG_DRIVERS_MODBUS_LINK_H
#define RG_DRIVERS_MODBUS_LINK_H

#include "drivers/driver.h"
#include "drivers/modbus/ask.h"

/* Silent requests in a row, with no answer from any unit in between, after which a Modbus TCP connection
 * is made anew. Never on RTU or RTU over TCP, where one silent unit says nothing about the link. */
#define LINK_SILENCES 3

/* After a broadcast the line is left alone for so long, in which every unit carries it out (the turnaround delay:
 * MODBUS over Serial Line V1.02 §2.4.1, typically 100 to 200 ms; the longer, for the slowest unit decides). */
#define LINK_TURNAROUND_US 200000

struct link_answer {
    enum driver_result result;
    uint8_t exception; /* its code, when a unit or a gateway answered with one; else 0 */
    bool sent;         /* the request went out, or a part of it */
    char detail[DRIVER_DETAIL_MAX];
    size_t length;              /* DRIVER_OK: bytes of data, ask_data_bytes(); else 0. A write has none */
    uint8_t data[ASK_DATA_MAX]; /* registers high byte first; bits from the lowest bit of the first byte */
};

/* Opens nothing yet. RG_ENOMEM (no descriptor left is one, too); RG_EINVAL for a definition that cannot be (no host, no path, baud 0). */
RG_NODISCARD enum rg_err link_create(const struct site_bus *bus, struct driver_link **out);
/* Takes NULL. No link_ask may be under way. */
void link_destroy(struct driver_link *l);
/* A read, or a write; unit 0 on an RTU kind: a broadcast, writes only. What cannot be asked (a unit above 247 on an
 * RTU kind, a read of unit 0) is DRIVER_MALFORMED and not sent.
 * Blocks: opening at most timeout_ms; the silence of the line and of this request that long and at most timeout_ms
 * more; sending at most timeout_ms; then timeout_ms for the answer, and the time its bytes take at the line's speed.
 * After a silence on an RTU kind once more for the proof of debt.h (at most twice the time-out, at least a second),
 * and for the first write of one coil or register once more for the read that shows that the line does not echo,
 * twice when the line is not quiet after it. */
void link_ask(struct driver_link *l, const struct ask *ask, int64_t timeout_ms, struct link_answer *answer);
/* Any thread. A link_ask under way ends with DRIVER_BROKEN at once. */
void link_cancel(struct driver_link *l);

#endif
