#include "drivers/modbus/link_parts.h"

#include <errno.h>

#include "base/clock.h"
#include "drivers/modbus/line.h"
#include "drivers/modbus/link_judge.h"
#include "drivers/modbus/link_open.h"

/* How long a line must be quiet before it counts as at rest after noise, a foreign or a damaged frame.
 * Longer than 3.5 characters because the bytes of one frame come in lumps: USB adapters hold them back for
 * up to 16 ms (FTDI's default latency timer), networks for longer. */
#define RESYNC_SERIAL_US 20000
#define RESYNC_SOCKET_US 50000

int64_t link_rest_us(const struct driver_link *l)
{
    return link_is_socket(l) ? RESYNC_SOCKET_US : RESYNC_SERIAL_US;
}

void link_close(struct driver_link *l)
{
    const int fd = l->fd;

    if (fd < 0)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->fd = -1;
    l->echo = ECHO_UNKNOWN;
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
    l->echo = ECHO_UNKNOWN;
    /* A line just opened may be in the middle of anything. */
    l->last_byte_us = l->bus->kind == BUS_RTU ? clock_mono_us() : 0;
    return true;
}

/* Silence before this request. */
static int64_t silence_for(const struct driver_link *l, const struct ask *ask)
{
    return l->frame_us + (ask->gap_us > l->gap_us ? ask->gap_us : l->gap_us);
}

/* Modbus TCP: keeps the gap. What has come meanwhile stays: a late answer is passed over as a whole frame, and
 * half of one thrown away here would leave its other half to be taken for the beginning of a frame. */
static int connection_settle(struct driver_link *l, int64_t silence_us)
{
    const int64_t ready = l->last_byte_us == 0 ? 0 : l->last_byte_us + silence_us;

    if (clock_mono_us() < ready && line_wait(-1, l->cancel_fd, ready) == LINE_CANCELLED)
        return ECANCELED;
    return line_hung_up(l->fd);
}

/* RTU kinds: waits until the line has been silent long enough, and at least until listen_us, throwing away what
 * comes. Returns 0, an errno for a line that broke, ECANCELED, or ETIME when the line would not fall silent
 * within bound_us of when it might have. */
static int line_settle(struct driver_link *l, int64_t silence_us, int64_t listen_us, int64_t bound_us)
{
    const int64_t rest = link_rest_us(l);
    const int64_t begun_us = clock_mono_us();
    const int64_t give_up_us = (listen_us > begun_us ? listen_us : begun_us) + silence_us + bound_us;

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
            if (l->echo == ECHO_NOT_SEEN)
                l->echo = ECHO_UNKNOWN; /* it may have been that, and late */
        }
        ready = l->last_byte_us + (l->unsettled && rest > silence_us ? rest : silence_us);
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

bool link_ready(struct driver_link *l, const struct ask *ask, int64_t listen_us, int64_t timeout_us,
                struct link_answer *answer)
{
    const int64_t silence_us = silence_for(l, ask);
    char reason[64];

    if (listen_us < l->not_before_us)
        listen_us = l->not_before_us;

    for (int attempt = 0;; attempt++) {
        int err;

        if (l->fd < 0 && !link_open(l, timeout_us, answer))
            return false;
        err = link_is_rtu(l) ? line_settle(l, silence_us, listen_us, timeout_us)
                             : connection_settle(l, silence_us);
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
