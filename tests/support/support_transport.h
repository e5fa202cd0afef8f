/* A broker in virtual time, and the transport that reaches it: for tests of the uplink and simulations of the
 * whole pipeline.
 *
 * The transport finds its broker by conf->port. A message takes half of `delay_ms` to arrive and its
 * acknowledgement the other half; what is under way when the connection is cut does not arrive: so a cut
 * loses messages, or only their acknowledgements. Everything that arrived is recorded, last wills too.
 * Single-threaded. */
#ifndef RG_TESTS_SUPPORT_TRANSPORT_H
#define RG_TESTS_SUPPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct transport_ops;

struct support_message {
    char *topic;
    char *payload; /* with a NUL behind it */
    size_t length;
    bool retained;
    bool will;           /* published by the broker for a connection that was cut */
    bool refused;        /* answered with a no */
    int64_t sent_ms;     /* monotonic: handed to the transport */
    int64_t at_ms;       /* monotonic: arrived */
    unsigned connection; /* number of the connection, 1, 2, ... */
    uint64_t token;
    unsigned alias;    /* as the transport was told */
    char *correlation; /* of an answer; or NULL */
    size_t correlation_length;
};

/* One for the client; all is copied. */
struct support_incoming {
    unsigned id;         /* enum transport_subscription */
    const char *payload; /* NULL: as one that was too long */
    size_t length;
    bool retained;
    const char *response_topic;
    const void *correlation;
    size_t correlation_length;
    size_t dropped; /* so many before it were not taken in */
};

enum support_connect {
    SUPPORT_ACCEPT,
    SUPPORT_REFUSE,
    SUPPORT_MUTE, /* no answer to a connect, ever */
};

struct support_broker {
    /* To be set by the test, at any time. */
    enum support_connect connect;
    int64_t connect_ms;        /* until a connect is answered; default 20 */
    int64_t delay_ms;          /* from publish to acknowledgement; default 10 */
    int64_t kick_ms;           /* >= 0: every connection is cut so long after it was accepted; default -1 */
    bool hold_acks;            /* no acknowledgement leaves; those held leave on support_broker_release */
    size_t receive_max;        /* told with the connection; default SIZE_MAX */
    size_t publish_errors;     /* so many further calls of publish are answered with RG_ENOMEM */
    bool refuse_subscriptions; /* SUBACK says no */
    bool mute_subscriptions;   /* no SUBACK comes */
    bool forget;               /* records nothing; `arrived` is still called */
    bool (*refuse)(void *arg,
                   const struct support_message *message); /* true: a PUBACK that says no; or NULL */
    void (*arrived)(void *arg, const struct support_message *message); /* or NULL */
    void *arg;

    /* To be read. */
    unsigned tries, connections, disconnects;
    bool up;                /* a client is connected */
    bool subscribed[2];     /* by enum transport_subscription, on this connection */
    unsigned subscriptions; /* SUBSCRIBE packets so far */
    char topics[2][128];    /* what was subscribed to last */
    size_t unacked, most_unacked;
    char password[64]; /* given with the last connect; empty: none */
    size_t count;
    struct support_message *messages;

    struct loop *loop;
    uint16_t port;
    struct transport *client;
    size_t capacity;
};

extern const struct transport_ops support_transport;

/* Registers the broker at this port (up to 8 at a time); ends the test program when there is no memory or the
 * port is taken. */
struct support_broker *support_broker_create(struct loop *loop, uint16_t port);
/* After its clients. Takes NULL. */
void support_broker_destroy(struct support_broker *b);
/* Cuts the connection, if there is one: the last will is published. */
void support_broker_cut(struct support_broker *b);
/* Lets the acknowledgements go that hold_acks kept, and clears it. */
void support_broker_release(struct support_broker *b);
/* Sends the client a message, which arrives after half of delay_ms, unless the connection is cut before. False: it is not
 * connected or has not subscribed. */
bool support_broker_send(struct support_broker *b, const struct support_incoming *message);
/* Forgets what was recorded. */
void support_broker_clear(struct support_broker *b);
/* The last retained message of a topic that ends in this (kept with the record; not with `forget`), or NULL.
 */
const struct support_message *support_broker_retained(const struct support_broker *b, const char *topic_end);

#endif
