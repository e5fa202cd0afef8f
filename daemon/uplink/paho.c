#include "uplink/paho.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "loop/loop.h"
#include "uplink/paho_client.h"
#include "uplink/paho_command.h"

#define MAILBOX_SLOTS 256 /* far more than there can be answers to a full window */
#define DESTROY_WAIT_S 3  /* Paho's threads end within 1.1 s, unless a name is being resolved */
#define END_WAIT_S 2      /* for Paho to end by itself a connection that it called lost */

struct transport {
    const struct transport_cbs *cbs;
    void *arg;
    struct paho_target target;
    struct mailbox *mailbox;
    pthread_t thread;

    /* The loop's: */
    bool connected;  /* of this generation */
    bool connecting; /* a connect was asked for, no answer yet */
    uint32_t generation;

    /* Shared, under the mutex: */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct command *first, *last;
    size_t publishes; /* in the queue */
    uint32_t wanted;  /* the generation that may live; a client of another one is to go */
    bool open;        /* the mailbox is there */
    bool overflow;    /* an event did not fit into it */
    bool quit, ended;
    bool orphan; /* nobody waits for the thread: it frees everything */
};

/* ---- from Paho's threads to the loop ---- */

static void post_event(void *arg, const struct paho_event *event)
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

static struct paho_client *run_connect(struct transport *t, struct paho_client *client,
                                       const struct command *command)
{
    static const struct paho_cbs cbs = {.event = post_event, .ready = wake_thread};
    const struct paho_will will = {
        .topic = command->topic, .payload = command->payload, .length = command->length};
    struct paho_event event = {.kind = PAHO_FAILED, .generation = command->generation};
    enum rg_err err = RG_OK;

    if (client && !paho_client_idle(client)) {
        paho_client_destroy(client);
        client = NULL;
    }
    if (!client) {
        err = paho_client_create(&t->target, &cbs, t, &client);
        (void)text_copy(event.reason, sizeof(event.reason), rg_err_text(err));
    }
    if (err == RG_OK)
        err = paho_client_connect(client, &t->target, command->password, &will, command->generation,
                                  event.reason);
    if (err != RG_OK)
        post_event(t, &event);
    return client;
}

static void run_publish(struct transport *t, struct paho_client *client, const struct command *command)
{
    struct paho_event event = {.kind = PAHO_LOST, .generation = command->generation, .token = command->token};

    if (!client || paho_client_generation(client) != command->generation)
        return; /* its connection is gone, and the uplink knows or is about to */
    if (paho_client_publish(client, command->topic, command->payload, command->length, command->retained,
                            command->token) == RG_OK)
        return;
    (void)text_copy(event.reason, sizeof(event.reason), "the client does not take a message");
    post_event(t, &event);
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
    case COMMAND_DISCONNECT:
        paho_client_destroy(client);
        post_event(t, &gone);
        return NULL;
    }
    return client;
}

static void transport_free(struct transport *t)
{
    struct command *command = NULL;

    while ((command = queue_pop(t)) != NULL)
        command_free(command);
    (void)pthread_cond_destroy(&t->changed);
    (void)pthread_mutex_destroy(&t->mutex);
    free(t->target.uri);
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
    return t->first && (t->first->kind != COMMAND_PUBLISH || t->first->generation != t->wanted || !client ||
                        paho_client_ready(client));
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
    paho_client_destroy(client);
    (void)pthread_mutex_lock(&t->mutex);
    return NULL;
}

static void *thread_main(void *arg)
{
    struct transport *t = arg;
    struct paho_client *client = NULL;
    bool orphan;

    (void)pthread_mutex_lock(&t->mutex);
    while (!t->quit) {
        struct command *command = NULL;

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
    (void)pthread_mutex_lock(&t->mutex);
    t->ended = true;
    orphan = t->orphan;
    (void)pthread_cond_broadcast(&t->changed);
    (void)pthread_mutex_unlock(&t->mutex);
    if (orphan)
        transport_free(t);
    return NULL;
}

/* ---- the loop's side ---- */

static void queue_push(struct transport *t, struct command *command)
{
    (void)pthread_mutex_lock(&t->mutex);
    if (t->last)
        t->last->next = command;
    else
        t->first = command;
    t->last = command;
    if (command->kind == COMMAND_PUBLISH)
        t->publishes++;
    (void)pthread_cond_broadcast(&t->changed);
    (void)pthread_mutex_unlock(&t->mutex);
}

/* Whatever lives is to go, and whatever it still says is not heard. */
static void next_generation(struct transport *t)
{
    t->generation++;
    t->connected = false;
    t->connecting = false;
    (void)pthread_mutex_lock(&t->mutex);
    t->wanted = t->generation;
    (void)pthread_cond_broadcast(&t->changed);
    (void)pthread_mutex_unlock(&t->mutex);
}

static void lose(struct transport *t, const char *reason)
{
    const bool was_connected = t->connected;
    const bool was_connecting = t->connecting;

    next_generation(t);
    if (was_connected)
        t->cbs->lost(t->arg, reason);
    else if (was_connecting)
        t->cbs->failed(t->arg, reason);
}

static bool take_overflow(struct transport *t)
{
    bool overflow;

    (void)pthread_mutex_lock(&t->mutex);
    overflow = t->overflow;
    t->overflow = false;
    (void)pthread_mutex_unlock(&t->mutex);
    return overflow;
}

static void event_cb(void *arg, void *message)
{
    struct transport *t = arg;
    const struct paho_event *event = message;

    if (take_overflow(t)) {
        lose(t, "more answers than the mailbox holds");
        return;
    }
    if (event->generation != t->generation)
        return;
    switch (event->kind) {
    case PAHO_CONNECTED:
        t->connected = true;
        t->connecting = false;
        t->cbs->connected(t->arg, event->receive_max);
        break;
    case PAHO_FAILED:
    case PAHO_LOST:
        lose(t, event->reason);
        break;
    case PAHO_ACKED:
        t->cbs->acked(t->arg, event->token);
        break;
    case PAHO_REFUSED:
        t->cbs->refused(t->arg, event->token, event->reason);
        break;
    case PAHO_DISCONNECTED:
        t->connected = false;
        t->cbs->disconnected(t->arg);
        break;
    case PAHO_WAKE:
        break;
    }
}

static enum rg_err paho_connect(struct transport *t, const char *password, const char *will_topic,
                                const char *will, size_t will_length)
{
    struct command *command = NULL;

    next_generation(t);
    command = command_new(COMMAND_CONNECT, t->generation, will_topic, will, will_length, password);
    if (!command)
        return RG_ENOMEM;
    t->connecting = true;
    queue_push(t, command);
    return RG_OK;
}

static enum rg_err paho_publish(struct transport *t, const char *topic, const char *payload, size_t length,
                                bool retained, uint64_t token)
{
    struct command *command = NULL;
    size_t waiting;

    if (!t->connected)
        return RG_ESTATE;
    (void)pthread_mutex_lock(&t->mutex);
    waiting = t->publishes;
    (void)pthread_mutex_unlock(&t->mutex);
    if (waiting >= PAHO_SLOTS)
        return RG_EFULL;
    command = command_new(COMMAND_PUBLISH, t->generation, topic, payload, length, NULL);
    if (!command)
        return RG_ENOMEM;
    command->retained = retained;
    command->token = token;
    queue_push(t, command);
    return RG_OK;
}

static void paho_disconnect(struct transport *t)
{
    struct command *command = command_new(COMMAND_DISCONNECT, t->generation, NULL, NULL, 0, NULL);

    if (command)
        queue_push(t, command); /* without memory the uplink's patience ends by itself */
}

/* ---- life ---- */

static char *copy_or_null(const char *text, bool *failed)
{
    char *copy = text ? strdup(text) : NULL;

    *failed = *failed || (text && !copy);
    return copy;
}

/* Copied: the thread may outlive the configuration by the time it takes to resolve a name. */
static enum rg_err copy_target(struct paho_target *target, const struct site_uplink *conf)
{
    const bool ipv6 = strchr(conf->host, ':') != NULL;
    bool failed = false;

    if (asprintf(&target->uri, "%s://%s%s%s:%u", conf->tls ? "ssl" : "tcp", ipv6 ? "[" : "", conf->host,
                 ipv6 ? "]" : "", (unsigned)conf->port) < 0) {
        target->uri = NULL;
        return RG_ENOMEM;
    }
    target->client_id = copy_or_null(conf->client_id, &failed);
    target->username = copy_or_null(conf->username, &failed);
    target->ca = copy_or_null(conf->ca, &failed);
    target->cert = copy_or_null(conf->cert, &failed);
    target->key = copy_or_null(conf->key, &failed);
    target->keepalive_s = (int)((conf->keepalive_ms + 999) / 1000);
    target->tls = conf->tls;
    target->v311 = conf->v311;
    return failed ? RG_ENOMEM : RG_OK;
}

/* No signal is to be delivered on this thread, nor on Paho's, which inherit its mask. */
static int start_thread(struct transport *t)
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

static enum rg_err init_locks(struct transport *t)
{
    pthread_condattr_t attr;
    bool failed;

    if (pthread_condattr_init(&attr) != 0)
        return RG_ENOMEM;
    failed =
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 || pthread_cond_init(&t->changed, &attr) != 0;
    (void)pthread_condattr_destroy(&attr);
    if (failed)
        return RG_ENOMEM;
    if (pthread_mutex_init(&t->mutex, NULL) != 0) {
        (void)pthread_cond_destroy(&t->changed);
        return RG_ENOMEM;
    }
    return RG_OK;
}

static enum rg_err paho_create(struct loop *loop, const struct site_uplink *conf,
                               const struct transport_cbs *cbs, void *arg, struct transport **out)
{
    struct transport *t = calloc(1, sizeof(*t));
    enum rg_err err;

    if (!t)
        return RG_ENOMEM;
    err = init_locks(t);
    if (err != RG_OK) {
        free(t);
        return err;
    }
    t->cbs = cbs;
    t->arg = arg;
    t->open = true;
    err = copy_target(&t->target, conf);
    if (err == RG_OK)
        err = mailbox_create(loop, sizeof(struct paho_event), MAILBOX_SLOTS, event_cb, t, &t->mailbox);
    if (err == RG_OK && start_thread(t) != 0)
        err = RG_ENOMEM;
    if (err != RG_OK) {
        mailbox_destroy(t->mailbox);
        transport_free(t);
        return err;
    }
    *out = t;
    return RG_OK;
}

static void paho_destroy(struct transport *t)
{
    struct timespec until = {0};
    struct mailbox *mailbox = NULL;
    pthread_t thread;
    bool ended;
    int rc = 0;

    if (!t)
        return;
    mailbox = t->mailbox;
    thread = t->thread;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DESTROY_WAIT_S;
    (void)pthread_mutex_lock(&t->mutex);
    t->open = false;
    t->quit = true;
    (void)pthread_cond_broadcast(&t->changed);
    while (!t->ended && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&t->changed, &t->mutex, &until);
    ended = t->ended;
    t->orphan = !ended; /* from here on t may be gone */
    (void)pthread_mutex_unlock(&t->mutex);
    mailbox_destroy(mailbox);
    if (ended) {
        (void)pthread_join(thread, NULL);
        transport_free(t);
    } else {
        (void)pthread_detach(thread);
    }
}

const struct transport_ops paho_transport = {
    .name = "paho",
    .create = paho_create,
    .connect = paho_connect,
    .publish = paho_publish,
    .disconnect = paho_disconnect,
    .destroy = paho_destroy,
};
