/* A Paho client, for paho.c only. Functions block (Paho's global lock, name resolution, the end of Paho's
 * threads: up to 1.1 s) and are called on the transport's thread.
 *
 * A message that still waits in Paho's own queue when a connection ends (a slow line) can be neither taken
 * back nor freed: MQTTAsync_destroy leaks its topic and its text (1.3.12: MQTTAsync_NULLPublishCommands). So one
 * client is used for one connection after the other; such a message goes out a second time on the next one,
 * where nothing new is handed over before it, and its answer is that of an old generation. And a client that
 * cannot be used but still holds one is put aside until it can (paho_thread.c). */
#ifndef RG_UPLINK_PAHO_CLIENT_H
#define RG_UPLINK_PAHO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "uplink/transport.h"
#include "uplink/uplink.h"

#define PAHO_SLOTS                                                                                           \
    (UPLINK_WINDOW + 8) /* messages not acknowledged; the uplink keeps at most UPLINK_WINDOW + 1 */
#define PAHO_REASON_MAX 256
#define PAHO_CONNECT_S 30
/* MQTT 5: what the broker may have on the way to us at once, and the largest packet; it drops what is larger. */
#define PAHO_RECEIVE_MAX 8
#define PAHO_PACKET_MAX (1u << 20)

/* Where to; plain strings, borrowed while paho_client_open runs. */
struct paho_target {
    char *uri; /* tcp://host:port or ssl://host:port */
    char *host;
    uint16_t port;
    char *client_id;
    char *username, *ca, *cert, *key; /* or NULL */
    int keepalive_s;
    bool tls, v311;
};

enum paho_event_kind {
    PAHO_CONNECTED,
    PAHO_FAILED,
    PAHO_LOST, /* or a message was given up by Paho: it must be sent again, on a new connection */
    PAHO_ACKED,
    PAHO_REFUSED,
    PAHO_DISCONNECTED,
    PAHO_SUBSCRIBED,   /* token: what to */
    PAHO_UNSUBSCRIBED, /* the broker said no, or nothing */
    PAHO_INCOMING,     /* something came */
    PAHO_WAKE,
};

struct paho_event {
    enum paho_event_kind kind;
    uint32_t generation;
    uint64_t token;
    size_t receive_max;
    bool doubtful; /* PAHO_FAILED, and the reason does not tell people what to do */
    char reason[PAHO_REASON_MAX];
};

/* All are called on Paho's threads, with Paho's lock held: to pass the event on, and for nothing that waits or calls Paho. */
struct paho_cbs {
    void (*arrived)(void *arg, const char *topic,
                    const struct transport_message *message); /* id is not set */
    void (*event)(void *arg, const struct paho_event *event);
    void (*ready)(void *arg); /* paho_client_ready or paho_client_idle may have become true */
};

struct paho_will {
    const char *topic;
    const char *payload;
    size_t length;
};

struct paho_client;

RG_NODISCARD enum rg_err paho_client_create(const struct paho_target *target, const struct paho_cbs *cbs,
                                            void *arg, struct paho_client **out);
/* A connection that is up is ended with DISCONNECT. No event follows. Takes NULL. */
void paho_client_destroy(struct paho_client *c);
/* Begins to connect, only when idle; PAHO_CONNECTED or PAHO_FAILED follows, with this generation. On an error
 * *why (PAHO_REASON_MAX bytes) says what. */
RG_NODISCARD enum rg_err paho_client_connect(struct paho_client *c, const struct paho_target *target,
                                             const char *password, const struct paho_will *will,
                                             uint32_t generation, char *why);
/* QoS 1. RG_EFULL: no slot; RG_EIO: Paho does not take it (not connected).
 *
 * Where the broker allows topic aliases, a message goes by its alias alone when the broker has acknowledged the one that told
 * it the alias, on this connection, and nothing else waits for an answer: then it is written at once and does not stay in
 * Paho's queue, which outlives the connection while the alias does not. Under load every message has its topic. */
RG_NODISCARD enum rg_err paho_client_publish(struct paho_client *c, const struct transport_publish *publish);
/* QoS 1. Errors as above; id comes back as the event's token. */
RG_NODISCARD enum rg_err paho_client_subscribe(struct paho_client *c, const char *topic, unsigned id);
/* Nothing of an earlier connection is left: messages may be handed over. */
bool paho_client_ready(struct paho_client *c);
/* Neither connected nor connecting, and Paho is through with it: it may connect again. */
bool paho_client_idle(struct paho_client *c);
uint32_t paho_client_generation(struct paho_client *c);
/* It has messages of a connection, and may be kept for them: it will not connect by itself. */
bool paho_client_holds(struct paho_client *c);
/* A message that went by its alias alone is still in Paho's queue, though its connection is gone: the client is not to be
 * used again. */
bool paho_client_alias_left(struct paho_client *c);
/* From here on every message has its topic. */
void paho_client_forgo_alias(struct paho_client *c);

#endif
