/* What the uplink needs of an MQTT client. Paho is one (paho.h); the tests have another. All callbacks run on
 * the loop, never from inside a call of these functions. */
#ifndef RG_UPLINK_TRANSPORT_H
#define RG_UPLINK_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/site.h"

struct loop;
struct transport;

/* Topics that may be subscribed to. What comes on one never takes room from the others. */
enum transport_subscription { TRANSPORT_COMMAND, TRANSPORT_RECEIPT };
#define TRANSPORT_SUBSCRIPTIONS 2

/* A message that came. All is borrowed. */
struct transport_message {
    enum transport_subscription id; /* whose topic it came on */
    const char *payload; /* NULL when it was longer than the transport takes in; length tells how long */
    size_t length;
    bool retained;
    const char *response_topic; /* MQTT 5, or NULL */
    const void *correlation;
    size_t correlation_length;
};

/* What goes with a message that is an answer (MQTT 5; of no effect before). */
struct transport_answer {
    const void *correlation;
    size_t length;
};

/* A message to be published, QoS 1. All is borrowed. */
struct transport_publish {
    const char *topic;
    unsigned
        alias; /* 1 to TRANSPORT_ALIASES: the number of a topic that comes again and again, always the same one; 0: none */
    const char *payload;
    size_t length;
    bool retained;
    const struct transport_answer *answer; /* or NULL */
    uint64_t token;                        /* the caller's, given back by acked or refused */
};
#define TRANSPORT_ALIASES 4

struct transport_cbs {
    /* receive_max: messages that the broker takes unacknowledged (MQTT 5 Receive Maximum; SIZE_MAX: it did
     * not say). */
    void (*connected)(void *arg, size_t receive_max);
    void (*failed)(void *arg, const char *reason); /* the connection asked for did not come about */
    void (*lost)(
        void *arg,
        const char *reason); /* an established connection ended; what was in flight is not acknowledged */
    void (*acked)(void *arg, uint64_t token); /* PUBACK */
    void (*refused)(void *arg, uint64_t token,
                    const char *reason); /* a PUBACK that says no; when the client gives one up: lost */
    void (*disconnected)(void *arg);     /* the disconnect asked for is done */
    /* The answer to subscribe; refused: why not, NULL: granted. None comes when the connection ends before. */
    void (*subscribed)(void *arg, enum transport_subscription id, const char *refused);
    /* One that came on a topic subscribed to; after the connection's end too. dropped: so many before it (or, when message
     * is NULL, so many and no more) were not taken in for want of room. */
    void (*message)(void *arg, const struct transport_message *message, size_t dropped);
};

struct transport_ops {
    const char *name;
    enum rg_err (*create)(struct loop *loop, const struct site_uplink *conf, const struct transport_cbs *cbs,
                          void *arg, struct transport **out);
    /* Begins to connect, dropping whatever connection or attempt there was, of which no callback follows;
     * connected or failed follows, unless it is overtaken by the next connect. will_topic and will: the last
     * will, QoS 1, retained. password: or NULL. */
    enum rg_err (*connect)(struct transport *t, const char *password, const char *will_topic,
                           const char *will, size_t will_length);
    /* The payload is copied or sent before it returns. RG_ESTATE: not connected; RG_EFULL: more unacknowledged than it
     * keeps; RG_ENOMEM. */
    enum rg_err (*publish)(struct transport *t, const struct transport_publish *publish);
    /* QoS 1, without retained messages nor one's own where the protocol has that (MQTT 5). Of TRANSPORT_COMMAND messages of
     * UPLINK_COMMAND_BYTES are taken in and a few wait; of TRANSPORT_RECEIPT the newest small ones. RG_ESTATE: not connected;
     * RG_ENOMEM. */
    enum rg_err (*subscribe)(struct transport *t, const char *topic, enum transport_subscription id);
    void (*disconnect)(struct transport *t); /* politely: DISCONNECT, so no last will; disconnected follows */
    /* At once; no callback follows; takes NULL. A connection that is up may end without its last will:
     * disconnect before. */
    void (*destroy)(struct transport *t);
};

#endif
