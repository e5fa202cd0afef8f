#include "support_transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By path: the test support library is below the layers and links none of them. */
#include "../../daemon/loop/loop.h"
#include "../../daemon/uplink/transport.h"

#define BROKERS_MAX 8

enum event_kind {
    EVENT_CONNACK,
    EVENT_KICK,
    EVENT_ARRIVE,
    EVENT_ANSWER,
    EVENT_SUBACK,
    EVENT_INCOMING,
    EVENT_LOST,
    EVENT_GONE,
};

struct event {
    struct event *next;
    int64_t at_ms;
    enum event_kind kind;
    struct support_message message; /* arrive: owned; answer: token and refused; incoming: owned */
    struct support_incoming incoming;
};

struct transport {
    struct loop *loop;
    struct support_broker *broker;
    const struct transport_cbs *cbs;
    void *arg;
    struct loop_timer *timer;
    struct event *events;         /* by time; those of one instant in the order they were made */
    struct event *held;           /* answers that hold_acks keeps, newest first */
    int64_t arrive_ms, answer_ms; /* when the last one planned is there: nothing overtakes on a connection */
    bool connected;
    char *will_topic, *will;
    size_t will_length;
};

/* The transport's table has no room for a context, so brokers are found by their port. */
static struct support_broker *brokers[BROKERS_MAX];

static void *must(void *memory)
{
    if (!memory) {
        (void)fprintf(stderr, "support_transport: out of memory\n");
        abort();
    }
    return memory;
}

static char *copy(const char *bytes, size_t length)
{
    char *text = must(malloc(length + 1));

    if (length > 0)
        memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

/* ---- the broker ---- */

struct support_broker *support_broker_create(struct loop *loop, uint16_t port)
{
    struct support_broker *b = must(calloc(1, sizeof(*b)));
    size_t slot = BROKERS_MAX;

    for (size_t i = 0; i < BROKERS_MAX; i++) {
        if (!brokers[i] && slot == BROKERS_MAX)
            slot = i;
        if (brokers[i] && brokers[i]->port == port)
            slot = BROKERS_MAX + 1;
    }
    if (slot >= BROKERS_MAX) {
        (void)fprintf(stderr, "support_transport: no broker can be made at port %u\n", (unsigned)port);
        abort();
    }
    brokers[slot] = b;
    b->loop = loop;
    b->port = port;
    b->connect_ms = 20;
    b->delay_ms = 10;
    b->kick_ms = -1;
    b->receive_max = SIZE_MAX;
    return b;
}

static void message_free(struct support_message *m)
{
    free(m->topic);
    free(m->payload);
    free(m->correlation);
}

void support_broker_clear(struct support_broker *b)
{
    for (size_t i = 0; i < b->count; i++)
        message_free(&b->messages[i]);
    b->count = 0;
}

void support_broker_destroy(struct support_broker *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < BROKERS_MAX; i++)
        if (brokers[i] == b)
            brokers[i] = NULL;
    if (b->client)
        b->client->broker = NULL;
    support_broker_clear(b);
    free(b->messages);
    free(b);
}

/* Takes the message over. */
static void record(struct support_broker *b, struct support_message *m)
{
    m->at_ms = loop_mono_ms(b->loop);
    if (b->arrived)
        b->arrived(b->arg, m);
    if (b->forget) {
        message_free(m);
        return;
    }
    if (b->count == b->capacity) {
        b->capacity = b->capacity ? b->capacity * 2 : 64;
        b->messages = must(realloc(b->messages, b->capacity * sizeof(b->messages[0])));
    }
    b->messages[b->count++] = *m;
}

const struct support_message *support_broker_retained(const struct support_broker *b, const char *topic_end)
{
    const size_t end = strlen(topic_end);

    for (size_t i = b->count; i > 0; i--) {
        const struct support_message *m = &b->messages[i - 1];
        const size_t length = strlen(m->topic);

        if (m->retained && !m->refused && length >= end && strcmp(m->topic + length - end, topic_end) == 0)
            return m;
    }
    return NULL;
}

/* ---- events of a client ---- */

static void arm(struct transport *t)
{
    if (t->events)
        loop_timer_at(t->timer, t->events->at_ms);
    else
        loop_timer_stop(t->timer);
}

static int64_t not_before(int64_t at_ms, int64_t *last_ms)
{
    if (at_ms > *last_ms)
        *last_ms = at_ms;
    return *last_ms;
}

static struct event *plan(struct transport *t, enum event_kind kind, int64_t after_ms)
{
    struct event *e = must(calloc(1, sizeof(*e)));
    struct event **at = &t->events;

    e->kind = kind;
    e->at_ms = loop_mono_ms(t->loop) + after_ms;
    if (kind == EVENT_ARRIVE)
        e->at_ms = not_before(e->at_ms, &t->arrive_ms);
    if (kind == EVENT_ANSWER)
        e->at_ms = not_before(e->at_ms, &t->answer_ms);
    while (*at && (*at)->at_ms <= e->at_ms)
        at = &(*at)->next;
    e->next = *at;
    *at = e;
    arm(t);
    return e;
}

static void drop_list(struct event **list)
{
    while (*list) {
        struct event *e = *list;

        *list = e->next;
        message_free(&e->message);
        free(e);
    }
}

static void forget_connection(struct transport *t)
{
    drop_list(&t->events);
    drop_list(&t->held);
    arm(t);
    t->connected = false;
    t->arrive_ms = t->answer_ms = 0;
    if (t->broker) {
        t->broker->up = false;
        memset(t->broker->subscribed, 0, sizeof(t->broker->subscribed));
        t->broker->unacked = 0;
    }
}

static void publish_will(struct transport *t)
{
    struct support_message m = {.retained = true, .will = true, .connection = t->broker->connections};

    if (!t->will_topic)
        return;
    m.topic = copy(t->will_topic, strlen(t->will_topic));
    m.payload = copy(t->will, t->will_length);
    m.length = t->will_length;
    m.sent_ms = loop_mono_ms(t->loop);
    record(t->broker, &m);
}

void support_broker_cut(struct support_broker *b)
{
    struct transport *t = b->client;

    if (!t || !t->connected)
        return;
    forget_connection(t);
    publish_will(t);
    (void)plan(t, EVENT_LOST, 1);
}

void support_broker_release(struct support_broker *b)
{
    struct event *in_order = NULL;

    b->hold_acks = false;
    while (b->client && b->client->held) {
        struct event *e = b->client->held;

        b->client->held = e->next;
        e->next = in_order;
        in_order = e;
    }
    while (in_order) {
        struct event *e = in_order;

        in_order = e->next;
        plan(b->client, EVENT_ANSWER, b->delay_ms / 2)->message = e->message;
        free(e);
    }
}

static void fire_connack(struct transport *t)
{
    struct support_broker *b = t->broker;

    if (b->connect == SUPPORT_REFUSE) {
        t->cbs->failed(t->arg, "refused by the test");
        return;
    }
    t->connected = true;
    b->connections++;
    b->up = true;
    b->client = t;
    if (b->kick_ms >= 0)
        (void)plan(t, EVENT_KICK, b->kick_ms);
    t->cbs->connected(t->arg, b->receive_max);
}

static void fire_arrive(struct transport *t, struct event *e)
{
    struct support_broker *b = t->broker;
    struct event *answer = NULL;

    e->message.refused = b->refuse && b->refuse(b->arg, &e->message);
    answer = plan(t, EVENT_ANSWER, b->delay_ms - b->delay_ms / 2);
    answer->message.token = e->message.token;
    answer->message.refused = e->message.refused;
    record(b, &e->message);
    e->message = (struct support_message){0};
}

static void fire_answer(struct transport *t, struct event *e)
{
    struct support_broker *b = t->broker;

    if (b->hold_acks) {
        struct event *held = must(calloc(1, sizeof(*held)));

        held->message = e->message;
        held->next = t->held;
        t->held = held;
        return;
    }
    b->unacked--;
    if (e->message.refused)
        t->cbs->refused(t->arg, e->message.token, "quota exceeded, says the test");
    else
        t->cbs->acked(t->arg, e->message.token);
}

bool support_broker_send(struct support_broker *b, const struct support_incoming *message)
{
    struct event *e = NULL;

    if (!b->client || !b->client->connected || !b->subscribed[message->id])
        return false;
    e = plan(b->client, EVENT_INCOMING, b->delay_ms / 2);
    e->incoming = *message;
    if (message->payload)
        e->incoming.payload = e->message.payload = copy(message->payload, message->length);
    if (message->response_topic)
        e->incoming.response_topic = e->message.topic =
            copy(message->response_topic, strlen(message->response_topic));
    if (message->correlation)
        e->incoming.correlation = e->message.correlation =
            copy(message->correlation, message->correlation_length);
    return true;
}

static void fire_suback(struct transport *t, const struct event *e)
{
    const unsigned id = (unsigned)e->message.token;
    const bool refused = t->broker->refuse_subscriptions;

    t->broker->subscribed[id] = !refused;
    t->cbs->subscribed(t->arg, (enum transport_subscription)id,
                       refused ? "not authorized, says the test" : NULL);
}

static void fire_incoming(struct transport *t, const struct event *e)
{
    const struct transport_message m = {.id = (enum transport_subscription)e->incoming.id,
                                        .payload = e->incoming.payload,
                                        .length = e->incoming.length,
                                        .retained = e->incoming.retained,
                                        .response_topic = e->incoming.response_topic,
                                        .correlation = e->incoming.correlation,
                                        .correlation_length = e->incoming.correlation_length};

    t->cbs->message(t->arg, &m, e->incoming.dropped);
}

static void fire(struct transport *t, struct event *e)
{
    switch (e->kind) {
    case EVENT_CONNACK:
        fire_connack(t);
        break;
    case EVENT_KICK:
        support_broker_cut(t->broker);
        break;
    case EVENT_ARRIVE:
        fire_arrive(t, e);
        break;
    case EVENT_ANSWER:
        fire_answer(t, e);
        break;
    case EVENT_SUBACK:
        fire_suback(t, e);
        break;
    case EVENT_INCOMING:
        fire_incoming(t, e);
        break;
    case EVENT_LOST:
        t->cbs->lost(t->arg, "cut by the test");
        break;
    case EVENT_GONE:
        t->broker->disconnects++;
        t->cbs->disconnected(t->arg);
        break;
    }
}

static void timer_cb(void *arg)
{
    struct transport *t = arg;
    struct event *e = t->events;

    if (!e)
        return;
    t->events = e->next;
    arm(t); /* before the callback, which may destroy t */
    if (t->broker)
        fire(t, e);
    message_free(&e->message);
    free(e);
}

/* ---- the transport ---- */

static enum rg_err fake_create(struct loop *loop, const struct site_uplink *conf,
                               const struct transport_cbs *cbs, void *arg, struct transport **out)
{
    struct transport *t = must(calloc(1, sizeof(*t)));
    enum rg_err err;

    for (size_t i = 0; i < BROKERS_MAX; i++)
        if (brokers[i] && brokers[i]->port == conf->port)
            t->broker = brokers[i];
    if (!t->broker) {
        free(t);
        return RG_ENOTFOUND;
    }
    t->loop = loop;
    t->cbs = cbs;
    t->arg = arg;
    err = loop_timer_create(loop, timer_cb, t, &t->timer);
    if (err != RG_OK) {
        free(t);
        return err;
    }
    t->broker->client = t;
    *out = t;
    return RG_OK;
}

static enum rg_err fake_connect(struct transport *t, const char *password, const char *will_topic,
                                const char *will, size_t will_length)
{
    if (t->connected && t->broker)
        publish_will(t);
    forget_connection(t);
    free(t->will_topic);
    free(t->will);
    t->will_topic = copy(will_topic, strlen(will_topic));
    t->will = copy(will, will_length);
    t->will_length = will_length;
    if (!t->broker)
        return RG_ESTATE;
    t->broker->tries++;
    (void)snprintf(t->broker->password, sizeof(t->broker->password), "%s", password ? password : "");
    if (t->broker->connect != SUPPORT_MUTE)
        (void)plan(t, EVENT_CONNACK, t->broker->connect_ms);
    return RG_OK;
}

static enum rg_err fake_publish(struct transport *t, const struct transport_publish *publish)
{
    struct support_broker *b = t->broker;
    struct event *e = NULL;

    if (!t->connected || !b)
        return RG_ESTATE;
    if (b->publish_errors > 0) {
        b->publish_errors--;
        return RG_ENOMEM;
    }
    e = plan(t, EVENT_ARRIVE, b->delay_ms / 2);
    e->message = (struct support_message){.topic = copy(publish->topic, strlen(publish->topic)),
                                          .payload = copy(publish->payload, publish->length),
                                          .length = publish->length,
                                          .retained = publish->retained,
                                          .alias = publish->alias,
                                          .sent_ms = loop_mono_ms(t->loop),
                                          .connection = b->connections,
                                          .token = publish->token};
    if (publish->answer && publish->answer->correlation) {
        e->message.correlation = copy(publish->answer->correlation, publish->answer->length);
        e->message.correlation_length = publish->answer->length;
    }
    b->unacked++;
    if (b->unacked > b->most_unacked)
        b->most_unacked = b->unacked;
    return RG_OK;
}

static enum rg_err fake_subscribe(struct transport *t, const char *topic, enum transport_subscription id)
{
    struct support_broker *b = t->broker;

    if (!t->connected || !b)
        return RG_ESTATE;
    b->subscriptions++;
    (void)snprintf(b->topics[id], sizeof(b->topics[id]), "%s", topic);
    if (!b->mute_subscriptions)
        plan(t, EVENT_SUBACK, b->delay_ms)->message.token = (uint64_t)id;
    return RG_OK;
}

static void fake_disconnect(struct transport *t)
{
    forget_connection(t);
    (void)plan(t, EVENT_GONE, 1);
}

static void fake_destroy(struct transport *t)
{
    if (!t)
        return;
    if (t->connected && t->broker)
        publish_will(t);
    forget_connection(t);
    if (t->broker && t->broker->client == t)
        t->broker->client = NULL;
    loop_timer_destroy(t->timer);
    free(t->will_topic);
    free(t->will);
    free(t);
}

const struct transport_ops support_transport = {
    .name = "test",
    .create = fake_create,
    .connect = fake_connect,
    .publish = fake_publish,
    .subscribe = fake_subscribe,
    .disconnect = fake_disconnect,
    .destroy = fake_destroy,
};
