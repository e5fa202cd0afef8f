/* The inside of a Paho client, for paho_client.c (its life) and paho_message.c (what goes and comes). */
#ifndef RG_UPLINK_PAHO_INSIDE_H
#define RG_UPLINK_PAHO_INSIDE_H

#include <pthread.h>

#include <MQTTAsync.h>

#include "uplink/paho_client.h"

/* What a publish or a subscription hands to Paho as its context. */
struct slot {
    struct paho_client *client;
    uint32_t generation;
    uint64_t token;
    bool used;
    bool subscription; /* then token is its number */
    unsigned alias;    /* it tells the broker this one; 0: none */
    bool bare;         /* it goes by its alias alone */
};

struct paho_client {
    MQTTAsync handle;
    bool v311, tls;
    struct paho_cbs cbs;
    void *arg;
    pthread_mutex_t mutex; /* for what follows: the transport's thread and Paho's share it. Never held during
                              a call of Paho */
    uint32_t generation;
    bool idle;
    bool up;            /* connected, and Paho has not said that it ended */
    bool no_alias;      /* none is to be used, whatever the broker allows */
    unsigned alias_max; /* of this connection (MQTT 5 Topic Alias Maximum) */
    bool alias_known[TRANSPORT_ALIASES +
                     1]; /* the broker has acknowledged the message that told it, on this connection */
    struct slot slots[PAHO_SLOTS];
    char tls_error[PAHO_REASON_MAX];
};

/* ---- paho_client.c ---- */
const char *paho_name_or(const char *name, const char *otherwise);
void paho_tell(struct paho_client *c, uint32_t generation, enum paho_event_kind kind, uint64_t token,
               const char *reason);

/* ---- paho_message.c ---- */
int paho_arrived_cb(void *context, char *topic, int topic_length, MQTTAsync_message *message);

#endif
