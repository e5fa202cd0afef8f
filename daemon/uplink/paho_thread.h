/* The inside of the Paho transport: paho.c is the loop's side of it, paho_thread.c its own thread and what Paho's threads say. */
#ifndef RG_UPLINK_PAHO_THREAD_H
#define RG_UPLINK_PAHO_THREAD_H

#include <pthread.h>

#include "loop/loop.h"
#include "uplink/inbox.h"
#include "uplink/paho_client.h"
#include "uplink/paho_command.h"

#define PAHO_KEPT 4 /* clients put aside; each holds a window of messages at most */

struct transport {
    const struct transport_cbs *cbs;
    void *arg;
    struct paho_target target;
    struct mailbox *mailbox;
    struct inbox *inbox;
    pthread_t thread;

    /* The thread's: */
    bool no_alias;                       /* topic aliases are not used any more */
    struct paho_client *kept[PAHO_KEPT]; /* put aside, from the oldest on; then NULL */

    /* The loop's: */
    bool connected;  /* of this generation */
    bool connecting; /* a connect was asked for, no answer yet */
    uint32_t generation;

    /* Shared, under the mutex: */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct command *first, *last;
    char *topics[TRANSPORT_SUBSCRIPTIONS]; /* subscribed to; or NULL */
    size_t publishes;                      /* in the queue */
    uint32_t wanted; /* the generation that may live; a client of another one is to go */
    bool open;       /* the mailbox is there */
    bool overflow;   /* an event did not fit into it */
    bool doubted;    /* doubt waits for its reason to be looked into */
    struct paho_event doubt;
    bool quit, ended;
    bool orphan; /* nobody waits for the thread: it frees everything */
};

/* Makes the thread. 0, or what pthread_create says. */
int paho_thread_start(struct transport *t);
/* Any thread. When it does not fit into the mailbox, the loop will take the connection for lost. */
void paho_post(void *arg, const struct paho_event *event);
/* Once the thread has ended, or never began. */
void paho_transport_free(struct transport *t);

#endif
