#include "drivers/modbus/link.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <modbus.h>

#include "base/clock.h"
#include "drivers/modbus/debt.h"
#include "drivers/modbus/line.h"
#include "drivers/modbus/link_judge.h"
#include "drivers/modbus/link_open.h"

/* How long a line must be quiet before it counts as at rest after noise, a foreign or a damaged frame.
 * Longer than 3.5 characters because the bytes of one frame come in lumps: USB adapters hold them back for
 * up to 16 ms (FTDI's default latency timer), networks for longer. */
#define RESYNC_SERIAL_US 20000
#define RESYNC_SOCKET_US 50000

struct driver_link {
    const struct site_bus *bus;
    modbus_t *ctx;
    int cancel_fd; /* eventfd: readable once cancelled */
    atomic_bool cancelled;
    pthread_mutex_t lock;  /* around fd's opening and closing, against link_cancel */
    int fd;                /* -1: closed */
    struct lookup *lookup; /* of the bus's host, when it has not ended yet */
    int64_t last_byte_us;  /* when the last byte was on the line, either way; 0: not known */
    int64_t silence_us;    /* to keep after it */
    bool unsettled;        /* the line carried what it should not: wait until it is at rest */
    uint16_t transaction;  /* of the last request over TCP */
    unsigned issued;       /* requests on this connection, counted up to JUDGE_LATE_WINDOW */
    unsigned silences;     /* in a row */
    struct debt *debts;    /* [256], by unit; NULL for Modbus TCP, which has transaction ids */
};

static bool is_rtu(const struct driver_link *l)
{
    return l->bus->kind != BUS_TCP;
}

static bool is_socket(const struct driver_link *l)
{
    return l->bus->kind != BUS_RTU;
}

static void link_close(struct driver_link *l)
{
    const int fd = l->fd;

    if (fd < 0)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->fd = -1;
    link_open_undo(l->bus, l->ctx, fd);
    (void)pthread_mutex_unlock(&l->lock);
}

static bool link_open(struct driver_link *l, int64_t timeout_us, struct link_answer *answer)
{
    int fd = -1;
    const int err = link_open_bus(l->bus, l->ctx, l->cancel_fd, timeout_us, &l->lookup, &fd, answer->detail);

    if (err == ECANCELED) {
        link_end(answer, DRIVER_BROKEN, "cancelled");
        return false;
    }
    if (err != 0) {
        answer->result = DRIVER_UNREACHABLE; /* the detail is there already */
        return false;
    }
    (void)pthread_mutex_lock(&l->lock);
    l->fd = fd;
    (void)pthread_mutex_unlock(&l->lock);
    l->issued = 0;
    l->silences = 0;
    l->unsettled = false;
    /* A line just opened may be in the middle of anything. */
    l->last_byte_us = l->bus->kind == BUS_RTU ? clock_mono_us() : 0;
    return true;
}

/* Modbus TCP: keeps the gap. What has come meanwhile stays: a late answer is passed over as a whole frame, and
 * half of one thrown away here would leave its other half to be taken for the beginning of a frame. */
static int connection_settle(struct driver_link *l)
{
    const int64_t ready = l->last_byte_us == 0 ? 0 : l->last_byte_us + l->silence_us;

    if (clock_mono_us() < ready && line_wait(-1, l->cancel_fd, ready) == LINE_CANCELLED)
        return ECANCELED;
    return line_hung_up(l->fd);
}

/* RTU kinds: waits until the line has been silent long enough, and at least until listen_us, throwing away what
 * comes. Returns 0, an errno for a line that broke, ECANCELED, or ETIME when the line would not fall silent
 * within bound_us of when it might have. */
static int line_settle(struct driver_link *l, int64_t listen_us, int64_t bound_us)
{
    const int64_t rest = is_socket(l) ? RESYNC_SOCKET_US : RESYNC_SERIAL_US;
    const int64_t begun_us = clock_mono_us();
    const int64_t give_up_us = (listen_us > begun_us ? listen_us : begun_us) + l->silence_us + bound_us;

    for (;;) {
        size_t bytes = 0;
        const int err = line_drain(l->fd, &bytes);
        const int64_t now = clock_mono_us();
        int64_t ready;

        if (err != 0)
            return err;
        if (bytes > 0) {
            l->last_byte_us = now;
            l->unsettled = true;
        }
        ready = l->last_byte_us + (l->unsettled && rest > l->silence_us ? rest : l->silence_us);
        if (l->last_byte_us == 0)
            ready = now;
        if (ready < listen_us)
            ready = listen_us;
        if (now >= ready) {
            l->unsettled = false;
            return 0;
        }
        if (now >= give_up_us)
            return ETIME;
        if (line_wait(l->fd, l->cancel_fd, ready < give_up_us ? ready : give_up_us) == LINE_CANCELLED)
            return ECANCELED;
    }
}

/* Opens the link if need be and brings it to rest. */
static bool link_ready(struct driver_link *l, int64_t listen_us, int64_t timeout_us,
                       struct link_answer *answer)
{
    char reason[64];

    for (int attempt = 0;; attempt++) {
        int err;

        if (l->fd < 0 && !link_open(l, timeout_us, answer))
            return false;
        err = is_rtu(l) ? line_settle(l, listen_us, timeout_us) : connection_settle(l);
        if (err == 0)
            return true;
        if (err == ETIME) {
            link_end(answer, DRIVER_MALFORMED, "the line does not fall silent");
            return false;
        }
        link_close(l);
        if (err == ECANCELED) {
            link_end(answer, DRIVER_BROKEN, "cancelled");
            return false;
        }
        /* The other side hung up while nothing was asked, as many devices do when idle: worth one new
         * connection, and no failure if that succeeds. */
        if (attempt > 0) {
            link_end(answer, DRIVER_BROKEN, "%s", link_errno_text(err, reason, sizeof reason));
            return false;
        }
    }
}

/* Both give 0, or the errno. */
static int send_tcp(struct driver_link *l, const struct ask *ask)
{
    uint8_t request[ASK_TCP_BYTES];
    ssize_t sent;

    l->transaction++;
    if (l->issued < JUDGE_LATE_WINDOW)
        l->issued++;
    ask_encode_tcp(ask, l->transaction, request);
    sent = send(l->fd, request, sizeof request, MSG_NOSIGNAL);
    if (sent < 0)
        return errno;
    /* 12 bytes that do not fit into the socket's buffer: the peer has taken nothing for a long time. */
    return sent == (ssize_t)sizeof request ? 0 : EPIPE;
}

/* libmodbus writes with write(2), which raises SIGPIPE on a socket whose peer is gone: held back, and taken
 * if it came. */
static int send_rtu(struct driver_link *l, const struct ask *ask)
{
    static const struct timespec now = {0, 0};
    uint8_t request[ASK_RTU_BYTES];
    sigset_t pipe_only, before;
    int err;

    ask_encode_rtu(ask, request);
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    if (is_socket(l))
        (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    err = modbus_send_raw_request(l->ctx, request, sizeof request) < 0 ? errno : 0;
    if (is_socket(l)) {
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
    int err = is_rtu(l) ? send_rtu(l, ask) : send_tcp(l, ask);

    if (err == 0 && !is_socket(l))
        err = line_flush(l->fd, l->cancel_fd, clock_mono_us() + timeout_us);
    if (err == ETIME)
        link_end(answer, DRIVER_BROKEN, "the line does not take what is sent");
    else if (err != 0)
        link_end(answer, DRIVER_BROKEN, "%s",
                 err == ECANCELED ? "cancelled" : link_errno_text(err, reason, sizeof reason));
    return err == 0;
}

/* One frame into frame[MODBUS_TCP_MAX_ADU_LENGTH]. Returns its length (0: of another unit on RTU), or -1
 * with *answer set; what had come of it by then is in frame. */
static int receive(struct driver_link *l, int64_t until_us, uint8_t *frame, struct link_answer *answer)
{
    int64_t left = until_us - clock_mono_us();
    char reason[64];
    int rc;

    if (left < 1000)
        left = 1000; /* libmodbus takes no time-out of 0, and a byte is there already */
    (void)modbus_set_response_timeout(l->ctx, (uint32_t)(left / 1000000), (uint32_t)(left % 1000000));
    errno = 0;
    rc = modbus_receive_confirmation(l->ctx, frame);
    l->last_byte_us = clock_mono_us();
    if (rc >= 0)
        return rc;
    if (atomic_load(&l->cancelled)) {
        link_end(answer, DRIVER_BROKEN, "cancelled");
    } else if (errno == ETIMEDOUT) {
        link_end(answer, DRIVER_MALFORMED, "answer cut short");
    } else if (errno == EMBBADCRC) {
        link_end(answer, DRIVER_MALFORMED, "answer with a wrong CRC");
    } else if (errno == EMBBADDATA) {
        link_end(answer, DRIVER_MALFORMED, "answer longer than any frame");
    } else {
        link_end(answer, DRIVER_BROKEN, "%s", link_errno_text(errno, reason, sizeof reason));
    }
    return -1;
}

/* Collects the answer. *near: a damaged frame came that can only have been it, so that none is owed. */
static void collect(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                    struct link_answer *answer, bool *near)
{
    const int64_t until_us = clock_mono_us() + timeout_us;
    const int64_t wire_us = link_wire_us(l->bus, ask_data_bytes(ask) + 5);

    for (;;) {
        uint8_t frame[MODBUS_TCP_MAX_ADU_LENGTH];
        int length;

        memset(frame, 0, sizeof frame);
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
        length = receive(l, until_us + wire_us, frame, answer);
        if (length < 0) {
            *near = is_rtu(l) && frame[0] == ask->unit && frame[1] == ask->function &&
                    frame[2] == ask_data_bytes(ask);
            return;
        }
        if (is_rtu(l) ? judge_rtu(ask, l->debts, frame, (size_t)length, answer)
                      : judge_tcp(ask, l->transaction, l->issued, frame, (size_t)length, answer))
            return;
    }
}

/* What the result means for the link and for what the unit owes. */
static void conclude(struct driver_link *l, const struct ask *ask, int64_t sent_us, bool near,
                     const struct link_answer *answer)
{
    struct debt *debt = l->debts ? &l->debts[ask->unit] : NULL;
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
        if (!is_rtu(l))
            link_close(l);
    } else if (++l->silences >= LINK_SILENCES && !is_rtu(l)) {
        link_close(l);
    }
}

/* One request and its answer. */
static void exchange(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                     struct link_answer *answer)
{
    int64_t sent_us;
    bool near = false;
    bool sent;

    if (!link_ready(l, 0, timeout_us, answer))
        return;
    if (is_rtu(l) && modbus_set_slave(l->ctx, ask->unit) < 0) {
        link_end(answer, DRIVER_UNREACHABLE, "a serial line has no unit %u", (unsigned)ask->unit);
        return;
    }
    sent = put_request(l, ask, timeout_us, answer);
    sent_us = clock_mono_us();
    l->last_byte_us = sent_us;
    if (sent)
        collect(l, ask, timeout_us, answer, &near);
    conclude(l, ask, sent_us, near, answer);
}

/* Sees to it that no late answer can be taken for the answer to this request (debt.h). False: *answer says
 * why not yet. */
static bool settle_debt(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                        struct link_answer *answer)
{
    struct debt *debt = &l->debts[ask->unit];
    struct ask probe;
    int64_t until_us = 0;

    for (;;) {
        switch (debt_advise(debt, ask, clock_mono_us(), timeout_us, &probe, &until_us)) {
        case DEBT_ASK:
            return true;
        case DEBT_LISTEN:
            if (!link_ready(l, until_us, timeout_us, answer))
                return false;
            debt_clear(debt);
            return true;
        case DEBT_REST:
            link_end(answer, DRIVER_SILENT, "not asked: it still owes the answers to many requests");
            return false;
        case DEBT_PROBE:
            break;
        }
        exchange(l, &probe, timeout_us, answer);
        if (answer->result != DRIVER_MALFORMED || !exception_is_refusal(answer->exception))
            return answer->result == DRIVER_OK;
        /* Not a failed try: a unit that comes back would wait for its next one. Ends, because each kind of
         * probe is refused once. */
        debt_refuse(debt, ask, &probe);
        answer->exception = 0;
    }
}

void link_ask(struct driver_link *l, const struct ask *ask, int64_t timeout_ms, struct link_answer *answer)
{
    const int64_t timeout_us = (timeout_ms > 0 ? timeout_ms : 1) * 1000;

    memset(answer, 0, offsetof(struct link_answer, data));
    if (atomic_load(&l->cancelled)) {
        link_end(answer, DRIVER_BROKEN, "cancelled");
        return;
    }
    if (l->debts && !settle_debt(l, ask, timeout_us, answer))
        return;
    answer->length = 0;
    exchange(l, ask, timeout_us, answer);
}

void link_cancel(struct driver_link *l)
{
    const uint64_t one = 1;

    atomic_store(&l->cancelled, true);
    /* Cannot fail but for a counter at its end, which is readable too. */
    if (write(l->cancel_fd, &one, sizeof one) < 0)
        return;
    (void)pthread_mutex_lock(&l->lock);
    if (l->fd >= 0 && is_socket(l))
        (void)shutdown(l->fd,
                       SHUT_RDWR); /* ends a read in the middle of a frame; closing would not be safe */
    (void)pthread_mutex_unlock(&l->lock);
}

/* Out of the way of select, whose descriptors are for connections: a site may have hundreds of links. */
static int cancel_open(void)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_SETSIZE);

    if (high < 0)
        return fd;
    (void)close(fd);
    return high;
}

enum rg_err link_create(const struct site_bus *bus, struct driver_link **out)
{
    struct driver_link *l = calloc(1, sizeof *l);
    enum rg_err err = RG_ENOMEM;

    if (!l)
        return RG_ENOMEM;
    l->bus = bus;
    l->fd = -1;
    l->cancel_fd = -1;
    atomic_init(&l->cancelled, false);
    l->silence_us = (bus->kind == BUS_TCP ? 0 : link_frame_silence_us(bus->baud)) + bus->gap_ms * 1000;
    if (pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        return RG_ENOMEM;
    }
    err = link_open_prepare(bus, &l->ctx);
    if (err)
        goto fail;
    err = RG_ENOMEM;
    if (bus->kind != BUS_TCP) {
        l->debts = calloc(256, sizeof *l->debts);
        if (!l->debts)
            goto fail;
    }
    l->cancel_fd = cancel_open();
    if (l->cancel_fd < 0)
        goto fail;
    *out = l;
    return RG_OK;
fail:
    link_destroy(l);
    return err;
}

void link_destroy(struct driver_link *l)
{
    if (!l)
        return;
    link_close(l);
    lookup_abandon(l->lookup);
    if (l->cancel_fd >= 0)
        (void)close(l->cancel_fd);
    free(l->debts);
    if (l->ctx)
        modbus_free(l->ctx);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}
