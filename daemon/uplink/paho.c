#include "uplink/paho.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "uplink/paho_thread.h"

#define MAILBOX_SLOTS 256 /* far more than there can be answers to a full window */
#define DESTROY_WAIT_S 3  /* Paho's threads end within 1.1 s, unless a name is being resolved */

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

/* No more at once than it holds: what comes meanwhile waits for the loop's next round, and its timers do not. */
static void take_incoming(struct transport *t)
{
    const struct paho_event again = {.kind = PAHO_INCOMING};
    struct transport_message m;
    size_t dropped = 0;

    inbox_open(t->inbox);
    for (size_t i = 0; i < INBOX_BATCH; i++) {
        const bool taken = inbox_take(t->inbox, &m, &dropped);

        if (taken || dropped > 0)
            t->cbs->message(t->arg, taken ? &m : NULL, dropped);
        if (!taken)
            return;
    }
    paho_post(t, &again);
}

static void event_cb(void *arg, void *message)
{
    struct transport *t = arg;
    const struct paho_event *event = message;

    if (take_overflow(t)) {
        lose(t, "more answers than the mailbox holds");
        return;
    }
    if (event->kind ==
        PAHO_INCOMING) { /* the platform has it acknowledged, whatever became of the connection */
        take_incoming(t);
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
    case PAHO_SUBSCRIBED:
    case PAHO_UNSUBSCRIBED:
        t->cbs->subscribed(t->arg, (enum transport_subscription)event->token,
                           event->kind == PAHO_SUBSCRIBED ? NULL : event->reason);
        break;
    case PAHO_INCOMING:
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

static enum rg_err paho_publish(struct transport *t, const struct transport_publish *publish)
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
    command =
        command_new(COMMAND_PUBLISH, t->generation, publish->topic, publish->payload, publish->length, NULL);
    if (!command || !command_answer(command, publish->answer)) {
        command_free(command);
        return RG_ENOMEM;
    }
    command->retained = publish->retained;
    command->alias = publish->alias;
    command->token = publish->token;
    queue_push(t, command);
    return RG_OK;
}

static enum rg_err paho_subscribe(struct transport *t, const char *topic, enum transport_subscription id)
{
    struct command *command = NULL;
    bool kept;

    if (!t->connected)
        return RG_ESTATE;
    (void)pthread_mutex_lock(&t->mutex);
    if (!t->topics[id])
        t->topics[id] = strdup(topic);
    kept = t->topics[id] != NULL;
    (void)pthread_mutex_unlock(&t->mutex);
    command = kept ? command_new(COMMAND_SUBSCRIBE, t->generation, topic, NULL, 0, NULL) : NULL;
    if (!command)
        return RG_ENOMEM;
    command->token = (uint64_t)id;
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
    /* Paho finds the port behind the last colon, and verifies a certificate for the address as it stands here: with brackets it
     * would be none (1.3.12). */
    bool failed = false;

    if (asprintf(&target->uri, "%s://%s:%u", conf->tls ? "ssl" : "tcp", conf->host, (unsigned)conf->port) <
        0) {
        target->uri = NULL;
        return RG_ENOMEM;
    }
    target->host = copy_or_null(conf->host, &failed);
    target->port = conf->port;
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
    t->inbox = inbox_create(conf->may != 0);
    err = t->inbox ? copy_target(&t->target, conf) : RG_ENOMEM;
    if (err == RG_OK)
        err = mailbox_create(loop, sizeof(struct paho_event), MAILBOX_SLOTS, event_cb, t, &t->mailbox);
    if (err == RG_OK && paho_thread_start(t) != 0)
        err = RG_ENOMEM;
    if (err != RG_OK) {
        mailbox_destroy(t->mailbox);
        paho_transport_free(t);
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
        paho_transport_free(t);
    } else {
        (void)pthread_detach(thread);
    }
}

const struct transport_ops paho_transport = {
    .name = "paho",
    .create = paho_create,
    .connect = paho_connect,
    .publish = paho_publish,
    .subscribe = paho_subscribe,
    .disconnect = paho_disconnect,
    .destroy = paho_destroy,
};
