#include "drivers/modbus/link_parts.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "drivers/modbus/line.h"
#include "drivers/modbus/link_judge.h"
#include "drivers/modbus/link_open.h"
#include "drivers/modbus/rtu.h"

/* Bytes that a transceiver may add in front of an answer when it changes direction: too few to be an echo. */
#define STRAY_BYTES 2u

/* What has come since the request went out. */
struct hearing {
    const struct ask *ask;
    uint8_t request[RTU_REQUEST_MAX];
    size_t request_length;
    uint8_t bytes[2 * RTU_FRAME_MAX];
    size_t length;
    bool first;          /* bytes[0] is the first that came, but for a declared echo */
    bool echo_due;       /* declared, and not here yet */
    const char *foreign; /* what came that was no answer; or NULL */
    bool near; /* a damaged frame came that can only have been the answer, so that none is owed now */
};

static void drop(struct hearing *h, size_t count)
{
    memmove(h->bytes, h->bytes + count, h->length - count);
    h->length -= count;
}

/* As many bytes as there are of both are the same. */
static bool is_as_sent(const struct hearing *h, const uint8_t *bytes, size_t length)
{
    return memcmp(bytes, h->request, length < h->request_length ? length : h->request_length) == 0;
}

/* A declared echo. True: the exchange has ended. */
static bool hear_echo(struct hearing *h, struct link_answer *answer)
{
    if (!is_as_sent(h, h->bytes, h->length)) {
        link_end(
            answer, DRIVER_MALFORMED,
            "what came back is not what was sent: a collision, or a line that does not echo (echo: true)");
        return true;
    }
    if (h->length < h->request_length)
        return false;
    drop(h, h->request_length);
    h->echo_due = false;
    return false;
}

/* An echo that was not declared, of a read: the reads tell, since their answers are not as what was sent. But for some:
 * a read of 17 to 24 bits from an address from 768 to 1023 is byte for byte a valid answer to itself. */
static bool hear_own_read(struct driver_link *l, const struct hearing *h, enum rtu_sight sight, size_t at,
                          struct link_answer *answer)
{
    const bool valid = sight == RTU_WHOLE && at == 0;

    if (l->bus->echo || ask_is_write(h->ask) || !h->first || h->length < h->request_length ||
        !is_as_sent(h, h->bytes, h->length) || (valid && l->echo == ECHO_ABSENT))
        return false;
    l->echo = ECHO_UNKNOWN;
    link_end(answer, DRIVER_MALFORMED, "what was sent came back first: the line echoes (set echo: true)");
    return true;
}

/* A whole answer: unless it may be the echo of its own request, as that of one coil or register always may. */
static bool hear_answer(struct driver_link *l, struct hearing *h, size_t at, size_t length, bool quiet,
                        struct link_answer *answer)
{
    const bool first = h->first && at <= STRAY_BYTES;

    if (l->bus->echo || !is_as_sent(h, h->bytes + at, length)) {
        if (first && !l->bus->echo)
            l->echo = ECHO_ABSENT;
    } else if (l->echo != ECHO_ABSENT && !(l->echo == ECHO_NOT_SEEN && first)) {
        if (length < h->request_length && !quiet)
            return false; /* the rest of the echo would say so */
        link_end(answer, DRIVER_MALFORMED, "answer that cannot be told from an echo of what was sent");
        return true;
    }
    if (at + length < h->length)
        l->unsettled = true;
    return judge_rtu(h->ask, l->debts, h->bytes + at, length, answer);
}

/* Bytes in which no answer begins, and nothing has followed: somebody else's, or noise, or late. The line is silent, so
 * what follows begins anew. */
static bool hear_other(const struct driver_link *l, struct hearing *h, struct link_answer *answer)
{
    const bool whole = rtu_is_whole(h->bytes, h->length);

    if (whole && h->bytes[0] == h->ask->unit) {
        if (judge_rtu(h->ask, l->debts, h->bytes, h->length, answer))
            return true;
    } else {
        h->foreign = whole ? answer_kind_text(ANSWER_WRONG_UNIT) : "bytes that are no answer";
    }
    h->length = 0;
    h->first = false;
    return false;
}

/* Nobody on the line owes an answer but to this read, and it does not echo: what begins like its answer was it. */
static bool is_only_answer(const struct driver_link *l, const struct ask *ask)
{
    if (ask_is_write(ask) || (!l->bus->echo && l->echo != ECHO_ABSENT))
        return false;
    for (size_t i = 0; i < LINK_UNITS; i++) {
        if (debt_owes_any(&l->debts[i]))
            return false;
    }
    return true;
}

/* What the bytes so far mean. True: the exchange has ended, with *answer. */
static bool hear(struct driver_link *l, struct hearing *h, bool quiet, struct link_answer *answer)
{
    size_t at = 0, length = 0;
    enum rtu_sight sight;

    if (h->echo_due && hear_echo(h, answer))
        return true;
    if (h->echo_due)
        return false;
    if (link_is_broadcast(l, h->ask)) {
        answer->result = DRIVER_OK;
        return true;
    }
    sight = rtu_look(h->ask, h->bytes, h->length, quiet, &at, &length);
    if (hear_own_read(l, h, sight, at, answer))
        return true;
    switch (sight) {
    case RTU_WHOLE:
        return hear_answer(l, h, at, length, quiet, answer);
    case RTU_PART:
        return false;
    case RTU_DAMAGED:
        if (!quiet)
            return false;
        h->near = h->first && at == 0 && is_only_answer(l, h->ask);
        link_end(answer, DRIVER_MALFORMED, "answer with a wrong CRC");
        return true;
    case RTU_NOTHING:
        break;
    }
    return quiet && h->length > 0 && hear_other(l, h, answer);
}

/* The time has run out. */
static void hear_end(struct driver_link *l, struct hearing *h, int64_t timeout_us, struct link_answer *answer)
{
    const long long timeout_ms = (long long)(timeout_us / 1000);
    size_t at = 0, length = 0;

    if (h->length > 0 && hear(l, h, true, answer))
        return;
    if (h->echo_due && h->length > 0) {
        link_end(answer, DRIVER_MALFORMED, "the echo of what was sent is cut short");
    } else if (h->echo_due) {
        link_end(answer, DRIVER_SILENT, "neither an answer nor the echo (echo: true) within %lld ms",
                 timeout_ms);
    } else if (rtu_look(h->ask, h->bytes, h->length, true, &at, &length) == RTU_PART) {
        link_end(answer, DRIVER_MALFORMED, "answer cut short");
    } else if (h->foreign) {
        link_end(answer, DRIVER_MALFORMED, "%s", h->foreign);
    } else {
        if (h->first && l->echo == ECHO_UNKNOWN)
            l->echo = ECHO_NOT_SEEN;
        link_end(answer, DRIVER_SILENT, "no answer within %lld ms", timeout_ms);
    }
}

/* Adds what has come. False: *answer says why the line is no more. */
static bool take(struct driver_link *l, struct hearing *h, struct link_answer *answer)
{
    char reason[64];
    size_t bytes = 0;
    int err;

    if (h->length == sizeof h->bytes) { /* as long as two frames, and no answer among them */
        drop(h, RTU_FRAME_MAX);
        h->first = false;
        h->foreign = "bytes that are no answer";
    }
    err = line_take(l->fd, h->bytes + h->length, sizeof h->bytes - h->length, &bytes);
    h->length += bytes;
    if (bytes > 0)
        l->last_byte_us = clock_mono_us();
    if (err != 0)
        link_end(answer, DRIVER_BROKEN, "%s", link_errno_text(err, reason, sizeof reason));
    return err == 0;
}

bool link_hear(struct driver_link *l, const struct ask *ask, int64_t timeout_us, struct link_answer *answer)
{
    const int64_t until_us = clock_mono_us() + timeout_us;
    struct hearing h = {.ask = ask, .first = true, .echo_due = l->bus->echo};
    const int64_t rest_us = link_rest_us(l);
    int64_t wire_us;
    bool quiet = true; /* of what is here, all has been heard */

    h.request_length = rtu_request(ask, h.request);
    wire_us = link_wire_us(l->bus, ask_answer_bytes(ask) + RTU_CRC_BYTES);
    for (;;) {
        const int64_t now_us = clock_mono_us();
        const int64_t end_us = h.length > 0 ? until_us + wire_us : until_us;
        const int64_t rest_at_us = l->last_byte_us + rest_us;

        switch (line_wait(l->fd, l->cancel_fd, !quiet && rest_at_us < end_us ? rest_at_us : end_us)) {
        case LINE_CANCELLED:
            link_end(answer, DRIVER_BROKEN, "cancelled");
            return false;
        case LINE_READY:
            if (now_us >= end_us) { /* it does not stop: what is here must do */
                hear_end(l, &h, timeout_us, answer);
                return h.near;
            }
            if (!take(l, &h, answer) || hear(l, &h, false, answer))
                return h.near;
            quiet = false;
            break;
        case LINE_TIMEOUT:
            if (quiet || clock_mono_us() >= end_us) {
                hear_end(l, &h, timeout_us, answer);
                return h.near;
            }
            quiet = true;
            if (hear(l, &h, true, answer))
                return h.near;
            break;
        }
    }
}
