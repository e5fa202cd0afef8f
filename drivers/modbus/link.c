#include "drivers/modbus/link.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "drivers/modbus/link_judge.h"
#include "drivers/modbus/link_open.h"
#include "drivers/modbus/link_parts.h"

static void begin(struct link_answer *answer)
{
    memset(answer, 0, offsetof(struct link_answer, data));
}

static void exchange(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                     struct link_answer *answer)
{
    begin(answer);
    if (link_ready(l, ask, 0, timeout_us, answer))
        link_exchange(l, ask, timeout_us, answer);
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
            if (!link_ready(l, ask, until_us, timeout_us, answer))
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
        answer->sent = false; /* not the request itself */
        /* An exception is believed only where it can belong to nothing older (judge_rtu): proof as good as data. */
        if (answer->result == DRIVER_OK || answer->result == DRIVER_EXCEPTION)
            return true;
        if (answer->result != DRIVER_MALFORMED || !exception_is_refusal(answer->exception))
            return false;
        /* Not a failed try: a unit that comes back would wait for its next one. Ends, because each kind of
         * probe is refused once. */
        debt_refuse(debt, ask, &probe);
        answer->exception = 0;
    }
}

/* The confirmation of one coil or register is byte for byte what was sent, so on a line that echoes without that having
 * been said, a write would confirm itself. */
static bool may_be_echo(const struct driver_link *l, const struct ask *ask)
{
    return link_is_rtu(l) && !l->bus->echo && !link_is_broadcast(l, ask) && l->echo == ECHO_UNKNOWN &&
           (ask->function == 5 || ask->function == 6);
}

/* Where need be, a read first: its answer, or silence, shows that the line does not echo. */
static void exchange_beyond_doubt(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                                  struct link_answer *answer)
{
    /* Twice: bytes that come between the two may be an echo that is late. */
    for (int attempt = 0; attempt < 2; attempt++) {
        if (may_be_echo(l, ask)) {
            struct ask read;

            ask_beside(ask, &read);
            /* It may be owed itself. */
            if (!settle_debt(l, &read, timeout_us, answer))
                return;
            exchange(l, &read, timeout_us, answer);
            answer->sent = false;
            if (may_be_echo(l, ask) && answer->result != DRIVER_OK && answer->result != DRIVER_EXCEPTION)
                return;
        }
        begin(answer);
        if (!link_ready(l, ask, 0, timeout_us, answer))
            return;
        if (!may_be_echo(l, ask)) {
            link_exchange(l, ask, timeout_us, answer);
            return;
        }
    }
    link_end(answer, DRIVER_MALFORMED,
             "not sent: it cannot be told whether the line echoes (set echo: true if so)");
}

void link_ask(struct driver_link *l, const struct ask *ask, int64_t timeout_ms, struct link_answer *answer)
{
    const int64_t timeout_us = (timeout_ms > 0 ? timeout_ms : 1) * 1000;

    begin(answer);
    if (atomic_load(&l->cancelled)) {
        link_end(answer, DRIVER_BROKEN, "cancelled");
        return;
    }
    if (link_is_broadcast(l, ask) && !ask_is_write(ask)) {
        link_end(answer, DRIVER_MALFORMED, "not sent: nobody on a serial line answers as unit 0");
        return;
    }
    if (l->debts && !link_is_broadcast(l, ask) && !settle_debt(l, ask, timeout_us, answer))
        return;
    exchange_beyond_doubt(l, ask, timeout_us, answer);
}

void link_cancel(struct driver_link *l)
{
    const uint64_t one = 1;

    atomic_store(&l->cancelled, true);
    /* Cannot fail but for a counter at its end, which is readable too. */
    if (write(l->cancel_fd, &one, sizeof one) < 0)
        return;
    (void)pthread_mutex_lock(&l->lock);
    if (l->fd >= 0 && link_is_socket(l))
        (void)shutdown(l->fd,
                       SHUT_RDWR); /* ends a read in the middle of a frame; closing would not be safe */
    (void)pthread_mutex_unlock(&l->lock);
}

static char *copy_text(const char *text)
{
    const size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? malloc(size) : NULL;

    return copy ? memcpy(copy, text, size) : NULL;
}

static enum rg_err copy_bus(struct driver_link *l, const struct site_bus *bus)
{
    l->own = *bus;
    l->own.name = l->own.where = NULL;
    l->own.host = l->host = copy_text(bus->host);
    l->own.path = l->path = copy_text(bus->path);
    l->bus = &l->own;
    return (bus->host && !l->host) || (bus->path && !l->path) ? RG_ENOMEM : RG_OK;
}

enum rg_err link_create(const struct site_bus *bus, struct driver_link **out)
{
    struct driver_link *l = calloc(1, sizeof *l);
    enum rg_err err = RG_ENOMEM;

    if (!l)
        return RG_ENOMEM;
    l->fd = -1;
    l->cancel_fd = -1;
    atomic_init(&l->cancelled, false);
    l->frame_us = site_bus_silence_us(bus);
    l->gap_us = bus->gap_ms * 1000;
    if (pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        return RG_ENOMEM;
    }
    err = copy_bus(l, bus);
    if (err == RG_OK)
        err = link_open_prepare(&l->own, &l->ctx);
    if (err)
        goto fail;
    err = RG_ENOMEM;
    if (bus->kind != BUS_TCP) {
        l->debts = calloc(LINK_UNITS, sizeof *l->debts);
        if (!l->debts)
            goto fail;
    }
    l->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
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
    free(l->host);
    free(l->path);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}
