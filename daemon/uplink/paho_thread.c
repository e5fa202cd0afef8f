#include "uplink/paho_thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/slice.h"
#include "base/text.h"
#include "uplink/paho_socket.h"
#include "uplink/paho_tls.h"

#define END_WAIT_S 2 /* for Paho to end by itself a connection that it called lost */

/* ---- from Paho's threads to the loop ---- */

void paho_post(void *arg, const struct paho_event *event)
{
    struct transport *t = arg;

    (void)pthread_mutex_lock(&t->mutex);
    if (t->open && mailbox_post(t->mailbox, event) != RG_OK) {
        const struct paho_event wake = {.kind = PAHO_WAKE, .generation = event->generation};
        enum rg_err err;

        t->overflow = true;
        err = mailbox_post(t->mailbox, &wake);
        (void)err; /* if this does not fit either, what is in there is still to be taken out, now that the
                      flag is set */
    }
    (void)pthread_mutex_unlock(&t->mutex);
}

/* What Paho cannot explain is looked into on our own thread, and told then. */
static void hear(void *arg, const struct paho_event *event)
{
    struct transport *t = arg;

    if (event->kind == PAHO_CONNECTED)
        (void)paho_socket_no_delay(t->target.port); /* before the first message */
    if (!event->doubtful) {
        paho_post(t, event);
        return;
    }
    (void)pthread_mutex_lock(&t->mutex);
    t->doubt = *event;
    t->doubted = true;
    (void)pthread_cond_broadcast(&t->changed);
    (void)pthread_mutex_unlock(&t->mutex);
}

static void arrived(void *arg, const char *topic, const struct transport_message *message)
{
    const struct paho_event incoming = {.kind = PAHO_INCOMING};
    struct transport *t = arg;
    struct transport_message m = *message;
    bool known = false;

    (void)pthread_mutex_lock(&t->mutex);
    for (int i = 0; i < TRANSPORT_SUBSCRIPTIONS && !known; i++) {
        known = t->topics[i] && strcmp(t->topics[i], topic) == 0;
        m.id = (enum transport_subscription)i;
    }
    (void)pthread_mutex_unlock(&t->mutex);
    if (known && inbox_put(t->inbox, &m))
        paho_post(t, &incoming);
}

/* ---- the transport's thread ---- */

static void wake_thread(void *arg)
{
    struct transport *t = arg;

    (void)pthread_mutex_lock(&t->mutex);
    (void)pthread_cond_broadcast(&t->changed);
    (void)pthread_mutex_unlock(&t->mutex);
}

static struct command *queue_pop(struct transport *t)
{
    struct command *command = t->first;

    if (!command)
        return NULL;
    t->first = command->next;
    if (!t->first)
        t->last = NULL;
    if (command->kind == COMMAND_PUBLISH)
        t->publishes--;
    return command;
}

/* ---- clients put aside ---- */

/* Takes the i-th out. */
static struct paho_client *unkeep(struct transport *t, size_t i)
{
    struct paho_client *client = t->kept[i];

    memmove(&t->kept[i], &t->kept[i + 1], (PAHO_KEPT - 1 - i) * sizeof(t->kept[0]));
    t->kept[PAHO_KEPT - 1] = NULL;
    return client;
}

/* The client is not to be used now. What waits in Paho's queue would be lost memory if it were destroyed: then
 * it is put aside, until Paho is through with its connection (the broker ends it when the next one comes, or Paho's
 * keep-alive does). Should there be too many, the oldest goes, and leaves that memory behind. */
static void put_aside(struct transport *t, struct paho_client *client)
{
    size_t n = 0;

    /* Such a message can go out on no other connection: once in a process's life a client stays aside for good. */
    if (paho_client_alias_left(client))
        t->no_alias = true;
    while (n < PAHO_KEPT && t->kept[n]) {
        if (paho_client_holds(t->kept[n]))
            n++;
        else
            paho_client_destroy(unkeep(t, n));
    }
    if (!paho_client_holds(client)) {
        paho_client_destroy(client);
        return;
    }
    if (n == PAHO_KEPT) {
        paho_client_destroy(unkeep(t, 0));
        n--;
    }
    t->kept[n] = client;
}

static bool usable(struct paho_client *client)
{
    return paho_client_idle(client) && !paho_client_alias_left(client);
}

/* For the next connection: one that was put aside, so that it gets rid of what it holds; else the one there is. NULL: none. */
static struct paho_client *client_to_use(struct transport *t, struct paho_client *client)
{
    struct paho_client *kept = NULL;

    for (size_t i = 0; i < PAHO_KEPT && t->kept[i] && !kept; i++) {
        if (usable(t->kept[i]))
            kept = unkeep(t, i);
    }
    if (client && (kept || !usable(client))) {
        put_aside(t, client);
        client = NULL;
    }
    return kept ? kept : client;
}

static struct paho_client *run_connect(struct transport *t, struct paho_client *client,
                                       const struct command *command)
{
    static const struct paho_cbs cbs = {.arrived = arrived, .event = hear, .ready = wake_thread};
    const struct paho_will will = {
        .topic = command->topic, .payload = command->payload, .length = command->length};
    struct paho_event event = {.kind = PAHO_FAILED, .generation = command->generation};
    enum rg_err err = RG_OK;

    client = client_to_use(t, client);
    if (!client) {
        err = paho_client_create(&t->target, &cbs, t, &client);
        (void)text_copy(event.reason, sizeof(event.reason), rg_err_text(err));
    }
    if (err == RG_OK && t->no_alias)
        paho_client_forgo_alias(client);
    if (err == RG_OK)
        err = paho_client_connect(client, &t->target, command->password, &will, command->generation,
                                  event.reason);
    if (err != RG_OK)
        paho_post(t, &event);
    return client;
}

static void run_publish(struct transport *t, struct paho_client *client, const struct command *command)
{
    const struct transport_publish publish = {.topic = command->topic,
                                              .alias = command->alias,
                                              .payload = command->payload,
                                              .length = command->length,
                                              .retained = command->retained,
                                              .answer = &command->answer,
                                              .token = command->token};
    struct paho_event event = {.kind = PAHO_LOST, .generation = command->generation, .token = command->token};

    if (!client || paho_client_generation(client) != command->generation)
        return; /* its connection is gone, and the uplink knows or is about to */
    if (paho_client_publish(client, &publish) == RG_OK)
        return;
    (void)text_copy(event.reason, sizeof(event.reason), "the client does not take a message");
    paho_post(t, &event);
}

static void run_subscribe(struct transport *t, struct paho_client *client, const struct command *command)
{
    struct paho_event event = {
        .kind = PAHO_UNSUBSCRIBED, .generation = command->generation, .token = command->token};

    if (!client || paho_client_generation(client) != command->generation)
        return;
    if (paho_client_subscribe(client, command->topic, (unsigned)command->token) == RG_OK)
        return;
    (void)text_copy(event.reason, sizeof(event.reason), "the client does not take a subscription");
    paho_post(t, &event);
}

static struct paho_client *run_command(struct transport *t, struct paho_client *client,
                                       const struct command *command)
{
    const struct paho_event gone = {.kind = PAHO_DISCONNECTED, .generation = command->generation};

    switch (command->kind) {
    case COMMAND_CONNECT:
        return run_connect(t, client, command);
    case COMMAND_PUBLISH:
        run_publish(t, client, command);
        return client;
    case COMMAND_SUBSCRIBE:
        run_subscribe(t, client, command);
        return client;
    case COMMAND_DISCONNECT:
        paho_client_destroy(client);
        paho_post(t, &gone);
        return NULL;
    }
    return client;
}

void paho_transport_free(struct transport *t)
{
    struct command *command = NULL;

    while ((command = queue_pop(t)) != NULL)
        command_free(command);
    (void)pthread_cond_destroy(&t->changed);
    (void)pthread_mutex_destroy(&t->mutex);
    for (size_t i = 0; i < TRANSPORT_SUBSCRIPTIONS; i++)
        free(t->topics[i]);
    inbox_destroy(t->inbox);
    free(t->target.uri);
    free(t->target.host);
    free(t->target.client_id);
    free(t->target.username);
    free(t->target.ca);
    free(t->target.cert);
    free(t->target.key);
    free(t);
}

/* A message waits while Paho has some of an earlier connection to send; one whose own connection is gone need
 * not. */
static bool may_run(const struct transport *t, struct paho_client *client)
{
    return t->first && ((t->first->kind != COMMAND_PUBLISH && t->first->kind != COMMAND_SUBSCRIBE) ||
                        t->first->generation != t->wanted || !client || paho_client_ready(client));
}

/* With the mutex held. The client's connection is not wanted any more: Paho mostly ends it by itself, and
 * then the client stays. */
static struct paho_client *end_connection(struct transport *t, struct paho_client *client)
{
    struct timespec until = {0};
    int rc = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += END_WAIT_S;
    while (!t->quit && !paho_client_idle(client) && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&t->changed, &t->mutex, &until);
    if (paho_client_idle(client))
        return client;
    (void)pthread_mutex_unlock(&t->mutex);
    put_aside(t, client);
    (void)pthread_mutex_lock(&t->mutex);
    return NULL;
}

/* With the mutex held, which is let go meanwhile. */
static void look_into_doubt(struct transport *t)
{
    struct paho_event event = t->doubt;

    t->doubted = false;
    if (event.generation != t->wanted)
        return; /* nobody waits for it any more */
    (void)pthread_mutex_unlock(&t->mutex);
    paho_tls_explain(&t->target, &event);
    paho_post(t, &event);
    (void)pthread_mutex_lock(&t->mutex);
}

static void *thread_main(void *arg)
{
    struct transport *t = arg;
    struct paho_client *client = NULL;
    bool orphan;

    slice_short(); /* Paho's threads, which it makes, have it from here */
    (void)pthread_mutex_lock(&t->mutex);
    while (!t->quit) {
        struct command *command = NULL;

        if (t->doubted) {
            look_into_doubt(t);
            continue;
        }
        if (client && !paho_client_idle(client) && paho_client_generation(client) != t->wanted) {
            client = end_connection(t, client);
            continue;
        }
        if (!may_run(t, client)) {
            (void)pthread_cond_wait(&t->changed, &t->mutex);
            continue;
        }
        command = queue_pop(t);
        (void)pthread_mutex_unlock(&t->mutex);
        client = run_command(t, client, command);
        command_free(command);
        (void)pthread_mutex_lock(&t->mutex);
    }
    (void)pthread_mutex_unlock(&t->mutex);
    paho_client_destroy(client);
    while (t->kept[0])
        paho_client_destroy(unkeep(t, 0));
    (void)pthread_mutex_lock(&t->mutex);
    t->ended = true;
    orphan = t->orphan;
    (void)pthread_cond_broadcast(&t->changed);
    (void)pthread_mutex_unlock(&t->mutex);
    if (orphan)
        paho_transport_free(t);
    return NULL;
}

/* No signal is to be delivered on this thread, nor on Paho's, which inherit its mask. */
int paho_thread_start(struct transport *t)
{
    sigset_t all, before;
    int rc;

    (void)sigfillset(&all);
    rc = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (rc != 0)
        return rc;
    rc = pthread_create(&t->thread, NULL, thread_main, t);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        (void)pthread_setname_np(t->thread, "uplink");
    return rc;
}
