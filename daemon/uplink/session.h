/* The life of one connection to a broker, from start to stop, as a pure state machine: session_step(state,
 * input, now) -> actions.
 *
 * Reconnects wait for a capped, jittered back-off that grows with every failure and is forgotten only when a
 * connection has held SESSION_STABLE_MS: a broker that accepts and then throws out is a failure like any
 * other. */
#ifndef RG_UPLINK_SESSION_H
#define RG_UPLINK_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/random.h"

enum session_state {
    SESSION_IDLE,       /* not started */
    SESSION_CONNECTING, /* the transport was asked to connect; given up at the deadline */
    SESSION_FRESH,      /* connected, not yet for long enough to be trusted */
    SESSION_STABLE,     /* connected and held */
    SESSION_WAITING,    /* not connected; the next try is at the deadline */
    SESSION_FLUSHING,   /* to be stopped: alarms and events that wait go out, until the deadline */
    SESSION_PARTING,    /* the last state document is out, its acknowledgement awaited until the deadline */
    SESSION_CLOSING,    /* the transport was asked to disconnect; given up at the deadline */
    SESSION_CLOSED,     /* the end */
};
const char *session_state_name(enum session_state state);

enum session_input {
    SESSION_START,
    SESSION_CONNECTED,
    SESSION_FAILED,       /* the try came to nothing */
    SESSION_LOST,         /* the connection ended */
    SESSION_TICK,         /* time has passed; before the deadline nothing happens */
    SESSION_STOP,         /* stop; stop_ms is how long flushing may take */
    SESSION_FLUSHED,      /* nothing is left of what is flushed */
    SESSION_PARTED,       /* the last state document was acknowledged, or could not be sent */
    SESSION_DISCONNECTED, /* the polite disconnect is done */
};

/* Actions: bits, done in this order. */
#define SESSION_DO_CONNECT 0x01u /* ask the transport to connect, dropping whatever it had */
#define SESSION_DO_UP 0x02u      /* the connection came up */
#define SESSION_DO_DOWN 0x04u  /* a connection that was up is gone: what was in flight is to be sent again */
#define SESSION_DO_FINAL 0x08u /* send the last state document */
#define SESSION_DO_DISCONNECT 0x10u /* ask the transport to disconnect politely */
#define SESSION_DO_DONE 0x20u       /* stopped: tell whoever asked */

#define SESSION_CONNECT_MS                                                                                   \
    60000 /* longer than Paho's own limit (30 s) plus name resolution: a try that never answers */
#define SESSION_PART_MS 2000
#define SESSION_CLOSE_MS 3000

struct session {
    enum session_state state;
    int64_t deadline_ms; /* monotonic; INT64_MAX: none */
    int64_t stable_ms;   /* how long a connection must hold */
    int64_t stop_ms;     /* how long flushing may take, ms: set before SESSION_STOP */
    struct backoff backoff;
    struct rg_random random;
};

void session_init(struct session *s, int64_t first_ms, int64_t cap_ms, int64_t stable_ms, uint64_t seed);
/* Inputs that mean nothing in a state (a late answer) change nothing and give no action. */
unsigned session_step(struct session *s, enum session_input input, int64_t now_ms);
/* Connected, and messages may be sent. */
bool session_is_up(const struct session *s);
/* Being stopped, or stopped. */
bool session_is_ending(const struct session *s);

#endif
