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
