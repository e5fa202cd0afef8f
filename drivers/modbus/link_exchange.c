#include "drivers/modbus/link_parts.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "drivers/modbus/line.h"
#include "drivers/modbus/link_judge.h"
#include "drivers/modbus/link_open.h"
#include "drivers/modbus/rtu.h"

/* Both give 0, or the errno. */
static int send_tcp(struct driver_link *l, const struct ask *ask)
{
    uint8_t request[ASK_TCP_MAX];
    size_t length;
    ssize_t sent;

    l->transaction++;
    if (l->issued < JUDGE_LATE_WINDOW)
        l->issued++;
    length = ask_encode_tcp(ask, l->transaction, request);
    sent = send(l->fd, request, length, MSG_NOSIGNAL);
    if (sent < 0)
        return errno;
    /* So few bytes that do not fit into the socket's buffer: the peer has taken nothing for a long time. */
    return sent == (ssize_t)length ? 0 : EPIPE;
}

/* libmodbus writes with write(2), which raises SIGPIPE on a socket whose peer is gone: held back, and taken
 * if it came. */
static int send_rtu(struct driver_link *l, const struct ask *ask)
{
    static const struct timespec now = {0, 0};
    uint8_t request[ASK_RTU_MAX];
    const size_t length = ask_encode_rtu(ask, request);
    sigset_t pipe_only, before;
    int err;

    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    if (link_is_socket(l))
        (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    err = modbus_send_raw_request(l->ctx, request, (int)length) < 0 ? errno : 0;
    if (link_is_socket(l)) {
        if (err == EPIPE && !sigismember(&before, SIGPIPE))
            (void)sigtimedwait(&pipe_only, NULL, &now);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return err;
}

/* Puts the request on the line. */
static bool put_request(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                        struct link_answer *answer)
{
    char reason[64];
    int err = link_is_rtu(l) ? send_rtu(l, ask) : send_tcp(l, ask);

    if (err == 0 && !link_is_socket(l))
        err = line_flush(l->fd, l->cancel_fd, clock_mono_us() + timeout_us);
    if (err == ETIME)
        link_end(answer, DRIVER_BROKEN, "the line does not take what is sent");
    else if (err != 0)
        link_end(answer, DRIVER_BROKEN, "%s",
                 err == ECANCELED ? "cancelled" : link_errno_text(err, reason, sizeof reason));
    return err == 0;
}

/* A frame's bytes up to the length in its header. */
#define MBAP_LENGTH_END 6u
#define TCP_FRAME_MAX                                                                                        \
    260u /* MODBUS Messaging on TCP/IP Implementation Guide V1.0b §3.1.3: 253 bytes behind a header of 7 */

/* As long as a header says that its frame is. */
static size_t frame_length(const uint8_t header[MBAP_LENGTH_END])
{
    return MBAP_LENGTH_END + ((size_t)header[4] << 8 | header[5]);
}

static bool length_can_be(size_t length)
{
    return length > MBAP_LENGTH_END && length <= TCP_FRAME_MAX;
}

/* Modbus TCP: one frame, as long as its header says, however it comes. Returns its length, or 0 with *answer set. */
static size_t receive_parts(struct driver_link *l, int64_t until_us, uint8_t frame[TCP_FRAME_MAX],
                            struct link_answer *answer)
{
    size_t length = 0, whole = MBAP_LENGTH_END;
    char reason[64];

    for (;;) {
        size_t bytes;
        const int err = line_receive(l->fd, frame + length, whole - length, 0, &bytes);

        l->last_byte_us = clock_mono_us();
        if (err != 0) {
            link_end(answer, DRIVER_BROKEN, "%s",
                     atomic_load(&l->cancelled) ? "cancelled" : link_errno_text(err, reason, sizeof reason));
            return 0;
        }
        length += bytes;
        if (length == whole && whole > MBAP_LENGTH_END)
            return length;
        if (length == whole) {
            whole = frame_length(frame);
            if (!length_can_be(whole)) {
                link_end(answer, DRIVER_MALFORMED,
                         whole > TCP_FRAME_MAX ? "answer longer than any frame" : "answer without content");
                return 0;
            }
            continue;
        }
        switch (bytes > 0 ? LINE_READY : line_wait(l->fd, l->cancel_fd, until_us)) {
        case LINE_READY:
            break;
        case LINE_TIMEOUT:
            link_end(answer, DRIVER_MALFORMED, "answer cut short");
            return 0;
        case LINE_CANCELLED:
            link_end(answer, DRIVER_BROKEN, "cancelled");
            return 0;
        }
    }
}

/* What waits behind an answer begins a frame, or is too little to say. Otherwise the answer was cut short, and what its header
 * promised was made up by the beginning of a late one. */
#define BEHIND MBAP_LENGTH_END /* transaction, protocol, length */

/* The length is looked at, too: a header without its first byte has 0 where the protocol should be, but never a length that can be. */
static bool begins_frame(const uint8_t *next, size_t bytes)
{
    if (bytes >= 4 && (next[2] != 0 || next[3] != 0))
        return false;
    return bytes < BEHIND || length_can_be(frame_length(next));
}

static bool is_followed_well(int fd)
{
    uint8_t next[BEHIND];
    size_t bytes;

    return line_receive(fd, next, sizeof next, MSG_PEEK, &bytes) != 0 || begins_frame(next, bytes);
}

/* Modbus TCP: a frame that is there as a whole, as nearly all are: one look tells how long it is and what follows it. 0: it is not, or there
 * is something wrong with it, which receive_parts tells. */
static size_t receive_whole(const struct driver_link *l, uint8_t frame[TCP_FRAME_MAX], bool *followed_well)
{
    uint8_t seen[TCP_FRAME_MAX + BEHIND];
    size_t bytes, length;

    if (line_receive(l->fd, seen, sizeof seen, MSG_PEEK, &bytes) != 0 || bytes <= MBAP_LENGTH_END)
        return 0;
    length = frame_length(seen);
    if (!length_can_be(length) || length > bytes)
        return 0;
    *followed_well = begins_frame(seen + length, bytes - length);
    return line_receive(l->fd, frame, length, 0, &bytes) == 0 && bytes == length ? length : 0;
}

static size_t receive(struct driver_link *l, int64_t until_us, uint8_t frame[TCP_FRAME_MAX],
                      bool *followed_well, struct link_answer *answer)
{
    size_t length = receive_whole(l, frame, followed_well);

    if (length > 0) {
        l->last_byte_us = clock_mono_us();
        return length;
    }
    length = receive_parts(l, until_us, frame, answer);
    *followed_well = length == 0 || is_followed_well(l->fd);
    return length;
}

/* Modbus TCP: collects the answer. */
static void collect(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                    struct link_answer *answer)
{
    const int64_t until_us = clock_mono_us() + timeout_us;

    for (;;) {
        uint8_t frame[TCP_FRAME_MAX];
        bool followed_well = true;
        size_t length;

        switch (line_wait(l->fd, l->cancel_fd, until_us)) {
        case LINE_READY:
            break;
        case LINE_TIMEOUT:
            link_end(answer, DRIVER_SILENT, "no answer within %lld ms", (long long)(timeout_us / 1000));
            return;
        case LINE_CANCELLED:
            link_end(answer, DRIVER_BROKEN, "cancelled");
            return;
        }
        length = receive(l, until_us, frame, &followed_well, answer);
        if (length == 0)
            return;
        if (judge_tcp(ask, l->transaction, l->issued, frame, length, answer)) {
            if (!followed_well)
                link_end(answer, DRIVER_MALFORMED, "bytes behind the answer that begin no frame");
            return;
        }
    }
}

/* What the result means for the link and for what the unit owes. */
static void conclude(struct driver_link *l, const struct ask *ask, int64_t sent_us, bool near,
                     const struct link_answer *answer)
{
    struct debt *debt = l->debts && !link_is_broadcast(l, ask) ? &l->debts[ask->unit] : NULL;
    const bool answered = answer->result == DRIVER_OK || answer->result == DRIVER_EXCEPTION ||
                          (answer->result == DRIVER_SILENT && answer->exception != 0);

    if (answered) {
        l->silences = 0;
        if (debt)
            debt_clear(debt);
        return;
    }
    if (debt && !near)
        debt_note(debt, ask, sent_us);
    if (answer->result == DRIVER_BROKEN) {
        link_close(l);
    } else if (answer->result == DRIVER_MALFORMED) {
        /* A serial line comes to rest; a TCP stream that lost its frame boundaries never does. */
        l->unsettled = true;
        if (!link_is_rtu(l))
            link_close(l);
    } else if (++l->silences >= LINK_SILENCES && !link_is_rtu(l)) {
        link_close(l);
    }
}

/* Collects what there is to come. True: a damaged frame came that can only have been the answer. */
static bool await(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                  struct link_answer *answer)
{
    if (link_is_broadcast(l, ask) && !l->bus->echo)
        answer->result = DRIVER_OK;
    else if (link_is_rtu(l))
        return link_hear(l, ask, timeout_us, answer);
    else
        collect(l, ask, timeout_us, answer);
    return false;
}

void link_exchange(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                   struct link_answer *answer)
{
    const bool to_all = link_is_broadcast(l, ask);
    int64_t sent_us;
    bool near = false;
    bool sent;

    if (link_is_rtu(l) && modbus_set_slave(l->ctx, ask->unit) < 0) {
        link_end(answer, DRIVER_MALFORMED, "not sent: a serial line has no unit %u", (unsigned)ask->unit);
        return;
    }
    answer->sent = true; /* even if only half of it */
    sent = put_request(l, ask, timeout_us, answer);
    sent_us = clock_mono_us();
    l->last_byte_us = sent_us;
    /* Over a socket the line's end of the request is not seen, only worked out. */
    if (to_all)
        l->not_before_us =
            sent_us + LINK_TURNAROUND_US + (link_is_socket(l) ? link_wire_us(l->bus, RTU_REQUEST_MAX) : 0);
    if (sent)
        near = await(l, ask, timeout_us, answer);
    if (!to_all || answer->result != DRIVER_OK)
        conclude(l, ask, sent_us, near, answer);
}
