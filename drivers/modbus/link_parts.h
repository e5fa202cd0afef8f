/* Parts of link: what one of link.c, link_rest.c and link_exchange.c needs of another. Private to them. */
#ifndef RG_DRIVERS_MODBUS_LINK_PARTS_H
#define RG_DRIVERS_MODBUS_LINK_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include <modbus.h>

#include "drivers/modbus/debt.h"
#include "drivers/modbus/link.h"
#include "drivers/modbus/lookup.h"

/* Whether what is sent comes back first, on an RTU kind of which that was not said. */
enum link_echo {
    ECHO_UNKNOWN,
    ECHO_NOT_SEEN, /* nothing came back of the last request, not even that */
    ECHO_ABSENT, /* the first that came back of a request was its answer, and that is not as what was sent */
};

#define LINK_UNITS 256

struct driver_link {
    const struct site_bus *bus; /* &own */
    struct site_bus own; /* a copy, host and path too: the site may be exchanged while the link is in use */
    char *host, *path;
    modbus_t *ctx;
    int cancel_fd; /* eventfd: readable once cancelled */
    atomic_bool cancelled;
    pthread_mutex_t lock;  /* around fd's opening and closing, against link_cancel */
    int fd;                /* -1: closed */
    struct lookup *lookup; /* of the bus's host, when it has not ended yet */
    int64_t last_byte_us;  /* when the last byte was on the line, either way; 0: not known */
    int64_t frame_us;      /* silence between frames: 3.5 characters; 0 over Modbus TCP */
    int64_t gap_us;        /* the bus's own, beside it */
    int64_t not_before_us; /* the next request, after a broadcast */
    bool unsettled;        /* the line carried what it should not: wait until it is at rest */
    enum link_echo echo;   /* since it was opened */
    uint16_t transaction;  /* of the last request over TCP */
    unsigned issued;       /* requests on this connection, counted up to JUDGE_LATE_WINDOW */
    unsigned silences;     /* in a row */
    struct debt *debts;    /* [LINK_UNITS]; NULL for Modbus TCP, which has transaction ids */
};

static inline bool link_is_rtu(const struct driver_link *l)
{
    return l->bus->kind != BUS_TCP;
}

static inline bool link_is_socket(const struct driver_link *l)
{
    return l->bus->kind != BUS_RTU;
}

/* To all units of a line: nobody answers, and nobody owes an answer. Over Modbus TCP unit 0 is one like others. */
static inline bool link_is_broadcast(const struct driver_link *l, const struct ask *ask)
{
    return link_is_rtu(l) && ask->unit == 0;
}

/* Nothing when it is closed already. */
void link_close(struct driver_link *l);

/* Opens the link if need be and brings it to rest: silent for as long as this request wants, and not before
 * listen_us. False: *answer says why not. */
bool link_ready(struct driver_link *l, const struct ask *ask, int64_t listen_us, int64_t timeout_us,
                struct link_answer *answer);

/* Longest pause of the bytes of one frame. */
int64_t link_rest_us(const struct driver_link *l);

/* RTU kinds: the answer to a request that has just gone out; of a broadcast its echo. True: a damaged frame came that can
 * only have been the answer, so that none is owed. */
bool link_hear(struct driver_link *l, const struct ask *ask, int64_t timeout_us, struct link_answer *answer);

/* Puts one request on a link that is ready and collects its answer; notes what the unit owes then. */
void link_exchange(struct driver_link *l, const struct ask *ask, int64_t timeout_us,
                   struct link_answer *answer);

#endif
