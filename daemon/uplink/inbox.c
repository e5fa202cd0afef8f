#include "uplink/inbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "uplink/receipt.h"
#include "uplink/uplink.h"

#define RECEIPT_SLOTS (STREAM_COUNT + 1) /* the last one: for what is no receipt */

struct letter {
    size_t length;
    bool retained;
    bool topic, text;
    size_t correlation_length;
    char response_topic[UPLINK_TOPIC_BYTES + 1];
    unsigned char correlation[UPLINK_CORRELATION_BYTES];
    char payload[UPLINK_COMMAND_BYTES];
};

struct note {
    bool used;
    bool retained, text;
    size_t length;
    char payload[RECEIPT_BYTES];
};

struct inbox {
    pthread_mutex_t mutex; /* for all but the letter and the note that are lent out */
    bool awake;            /* a wake is on its way */
    size_t first, count;   /* of letters */
    bool lent;             /* the first letter */
    size_t dropped;
    struct note notes[RECEIPT_SLOTS];
    struct note out;
    struct letter *letters; /* [INBOX_COMMANDS], or NULL */
};

struct inbox *inbox_create(bool commands)
{
    struct inbox *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    if (commands)
        b->letters = calloc(INBOX_COMMANDS, sizeof(*b->letters));
    if ((commands && !b->letters) || pthread_mutex_init(&b->mutex, NULL) != 0) {
        free(b->letters);
        free(b);
        return NULL;
    }
    return b;
}

void inbox_destroy(struct inbox *b)
{
    if (!b)
        return;
    (void)pthread_mutex_destroy(&b->mutex);
    free(b->letters);
    free(b);
}

static void put_command(struct inbox *b, const struct transport_message *m)
{
    struct letter *l = NULL;

    if (!b->letters || b->count == INBOX_COMMANDS) {
        b->dropped++;
        return;
    }
    l = &b->letters[(b->first + b->count++) % INBOX_COMMANDS];
    l->length = m->length;
    l->retained = m->retained;
    l->text = m->payload && m->length <= sizeof(l->payload);
    if (l->text && m->length > 0)
        memcpy(l->payload, m->payload, m->length);
    l->topic = m->response_topic && strlen(m->response_topic) < sizeof(l->response_topic);
    if (l->topic)
        memcpy(l->response_topic, m->response_topic, strlen(m->response_topic) + 1);
    l->correlation_length = 0;
    if (m->correlation && m->correlation_length <= sizeof(l->correlation)) {
        l->correlation_length = m->correlation_length;
        memcpy(l->correlation, m->correlation, m->correlation_length);
    }
}

static void put_receipt(struct inbox *b, const struct transport_message *m)
{
    const bool text = m->payload && m->length <= RECEIPT_BYTES;
    enum stream stream = STREAM_COUNT;
    int64_t upto = 0;
    struct note *n = NULL;

    if (!text || !receipt_parse(m->payload, m->length, &stream, &upto))
        stream = STREAM_COUNT;
    n = &b->notes[stream];
    n->used = true;
    n->retained = m->retained;
    n->text = text;
    n->length = m->length;
    if (text && m->length > 0)
        memcpy(n->payload, m->payload, m->length);
}

bool inbox_put(struct inbox *b, const struct transport_message *m)
{
    bool wake;

    (void)pthread_mutex_lock(&b->mutex);
    if (m->id == TRANSPORT_COMMAND)
        put_command(b, m);
    else
        put_receipt(b, m);
    wake = !b->awake;
    b->awake = true;
    (void)pthread_mutex_unlock(&b->mutex);
    return wake;
}

void inbox_open(struct inbox *b)
{
    (void)pthread_mutex_lock(&b->mutex);
    b->awake = false;
    (void)pthread_mutex_unlock(&b->mutex);
}

static bool take_note(struct inbox *b, struct transport_message *out)
{
    for (size_t i = 0; i < RECEIPT_SLOTS; i++) {
        if (!b->notes[i].used)
            continue;
        b->out = b->notes[i];
        b->notes[i].used = false;
        *out = (struct transport_message){.id = TRANSPORT_RECEIPT,
                                          .payload = b->out.text ? b->out.payload : NULL,
                                          .length = b->out.length,
                                          .retained = b->out.retained};
        return true;
    }
    return false;
}

static bool take_letter(struct inbox *b, struct transport_message *out)
{
    const struct letter *l = NULL;

    if (b->count == 0)
        return false;
    b->lent = true;
    l = &b->letters[b->first];
    *out = (struct transport_message){.id = TRANSPORT_COMMAND,
                                      .payload = l->text ? l->payload : NULL,
                                      .length = l->length,
                                      .retained = l->retained,
                                      .response_topic = l->topic ? l->response_topic : NULL,
                                      .correlation = l->correlation_length > 0 ? l->correlation : NULL,
                                      .correlation_length = l->correlation_length};
    return true;
}

bool inbox_take(struct inbox *b, struct transport_message *out, size_t *dropped)
{
    bool taken;

    (void)pthread_mutex_lock(&b->mutex);
    if (b->lent) {
        b->lent = false;
        b->first = (b->first + 1) % INBOX_COMMANDS;
        b->count--;
    }
    taken = take_note(b, out) || take_letter(b, out);
    *dropped = b->dropped;
    b->dropped = 0;
    (void)pthread_mutex_unlock(&b->mutex);
    return taken;
}
