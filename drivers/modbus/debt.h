/* Which answers a unit still owes, on a line whose frames carry no transaction id (RTU, and RTU over TCP).
 * Pure.
 *
 * The danger: a unit stays silent, is asked again, and its late answer to the first request is taken for
 * the answer to the second. Unit, function and the answer's *shape* (ask_shape) are all that such an answer
 * says about its request, so a late answer of another shape is recognised, and one of the same shape is not.
 * A read's shape is its byte count. A write's is what its answer repeats: address and value of one coil or
 * register, address and count of several. So a late answer never passes from a read to a write or back, nor from a
 * write of one value to that of another; but it does to the same write again (on, off, on: the first's answer
 * would report the third as done while the second still stands), and to any write of as many registers from
 * the same address, whatever their values.
 *
 * The cure rests on one property of such lines: a unit answers its requests in the order in which it got
 * them, each at most once (a serial unit handles one request at a time; a serial device server forwards
 * bytes in order). So an answer of a shape that the unit does not owe can only belong to the newest
 * request, and once it is here nothing older can follow.
 * - A request whose shape is not owed is put as usual; its answer settles everything older. Late answers
 *   are passed over.
 * - A request whose shape is owed waits behind a probe: the same function and address with another count,
 *   so of a shape that is not owed. Its values are thrown away; its arrival is the proof. However late an
 *   answer is, it does no harm.
 * - A write is never probed by a write, which would be an act: its probe reads what it writes (function 1 or 3). Any
 *   answer to that is proof, an exception, too, while none of that function is owed.
 * - Where no probe can be had (singles only, or the unit refuses it as illegal), the line is listened to until
 *   the grace has passed since the unit was last asked.
 * - A unit that owes so much that no other shape is left is not asked at all, which costs the line nothing,
 *   until DEBT_REST_MIN_US have passed since it was asked last.
 * An exception has no shape, so while an answer with its function is owed it proves nothing and
 * is not believed.
 *
 * What remains assumed: where a probe cannot be had, no answer is later than the grace; where one can,
 * none comes longer after the newest request than it is remembered, or than the rest of a unit that owes
 * everything. And the order above is kept. */
#ifndef RG_DRIVERS_MODBUS_DEBT_H
#define RG_DRIVERS_MODBUS_DEBT_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/modbus/ask.h"

#define DEBT_SHAPES 16
/* Registers (bits: bytes of them) by which a probe may be longer than what it stands for. */
#define DEBT_LONGER 8
/* Grace: twice the time-out, at least this. */
#define DEBT_GRACE_MIN_US 1000000
/* Forgotten after ten times the time-out, at least this: over any buffering of a radio modem. */
#define DEBT_FORGET_MIN_US 60000000
/* Rest: ten times the time-out, at least this: a serial device server or a radio modem may hold a request back for as long. */
#define DEBT_REST_MIN_US 10000000

struct debt {
    int64_t since_us; /* monotonic: when the newest unanswered request had gone out */
    uint8_t count;    /* shapes owed */
    bool many;        /* more than there is room for: any shape may be owed */
    /* Refused such a probe as illegal (exceptions 1 to 3): no use asking this unit another of that kind. */
    bool refuses_shorter, refuses_longer;
    bool refuses_beside; /* the read that stands for a write */
    struct {
        uint8_t function;
        uint32_t shape;
    } shapes[DEBT_SHAPES];
};

enum debt_advice {
    DEBT_ASK,    /* the answer cannot be mistaken */
    DEBT_PROBE,  /* put *probe, a read, first; ask when it has been answered beyond doubt */
    DEBT_LISTEN, /* listen and discard until *until_us, then debt_clear and ask */
    DEBT_REST,   /* do not ask before *until_us */
};

/* A request went out and nothing came that could be its answer. now_us: when it had gone out. */
void debt_note(struct debt *d, const struct ask *ask, int64_t now_us);
/* All that was owed is settled. */
void debt_clear(struct debt *d);
/* The unit refused this probe for that request as illegal. Remembered for good: it is about its map, not its state. */
void debt_refuse(struct debt *d, const struct ask *ask, const struct ask *probe);
bool debt_owes_any(const struct debt *d);
bool debt_owes(const struct debt *d, uint8_t function, uint32_t shape);
bool debt_owes_function(const struct debt *d, uint8_t function);
/* What to do before this request. Clears a debt that has grown old. */
enum debt_advice debt_advise(struct debt *d, const struct ask *ask, int64_t now_us, int64_t timeout_us,
                             struct ask *probe, int64_t *until_us);

#endif
