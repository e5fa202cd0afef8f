#include "uplink/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Control characters and what Unicode calls no character: a broker may end the connection for them (MQTT 5, 1.5.4). */
static bool character_good(const unsigned char *at, size_t bytes)
{
    if (bytes == 1)
        return at[0] >= 0x20 && at[0] != 0x7f && at[0] != '+' && at[0] != '#';
    if (bytes == 2)
        return at[0] != 0xc2 || at[1] >= 0xa0; /* U+0080 to U+009F */
    if (bytes == 3 && at[0] == 0xef && at[1] == 0xb7)
        return at[2] < 0x90 || at[2] > 0xaf; /* U+FDD0 to U+FDEF */
    /* U+FFFE and U+FFFF of each plane */
    return !((at[bytes - 1] & 0xfe) == 0xbe && at[bytes - 2] == 0xbf &&
             (bytes == 3 ? at[0] == 0xef : (at[1] & 0x0f) == 0x0f));
}

bool reply_topic_good(const char *topic, const char *root)
{
    static const char reply[] = "/reply";
    const size_t length = strlen(topic);
    const size_t root_length = strlen(root);

    if (length == 0 || length > UPLINK_TOPIC_BYTES || topic[0] == '$')
        return false;
    for (size_t i = 0, bytes; i < length; i += bytes) {
        bytes = text_utf8_length(topic + i, length - i);
        if (bytes == 0 || !character_good((const unsigned char *)topic + i, bytes))
            return false;
    }
    if (strncmp(topic, root, root_length) != 0 || (topic[root_length] != '/' && topic[root_length] != '\0'))
        return true;
    topic += root_length;
    return strncmp(topic, reply, sizeof(reply) - 1) == 0 &&
           (topic[sizeof(reply) - 1] == '/' || topic[sizeof(reply) - 1] == '\0');
}

enum rg_err replies_push(struct replies *q, const char *topic, const void *correlation,
                         size_t correlation_length, const char *text, size_t length)
{
    const size_t topic_size = topic ? strlen(topic) + 1 : 0;
    enum rg_err err = RG_OK;
    char *memory = NULL;

    if (length > UPLINK_REPLY_BYTES || correlation_length > UPLINK_CORRELATION_BYTES)
        err = RG_ERANGE;
    else if (q->count == UPLINK_REPLIES)
        err = RG_EFULL;
    else if (!(memory = malloc(topic_size + correlation_length + length + 1)))
        err = RG_ENOMEM;
    if (err != RG_OK) {
        q->dropped++;
        return err;
    }
    q->at[q->count] =
        (struct reply){.memory = memory, .length = length, .text = memory + topic_size + correlation_length};
    if (topic)
        q->at[q->count].topic = memcpy(memory, topic, topic_size);
    if (correlation && correlation_length > 0) {
        q->at[q->count].correlation = memcpy(memory + topic_size, correlation, correlation_length);
        q->at[q->count].correlation_length = correlation_length;
    }
    if (length > 0)
        memcpy(q->at[q->count].text, text, length);
    q->count++;
    return RG_OK;
}

struct reply *replies_next(struct replies *q)
{
    for (size_t i = 0; i < q->count; i++)
        if (q->at[i].token == 0)
            return &q->at[i];
    return NULL;
}

static struct reply *find(struct replies *q, uint64_t token)
{
    for (size_t i = 0; token != 0 && i < q->count; i++)
        if (q->at[i].token == token)
            return &q->at[i];
    return NULL;
}

void replies_ack(struct replies *q, uint64_t token)
{
    struct reply *r = find(q, token);

    if (!r)
        return;
    free(r->memory);
    q->count--;
    memmove(r, r + 1, (size_t)(&q->at[q->count] - r) * sizeof(*r));
}

void replies_refused(struct replies *q, uint64_t token)
{
    struct reply *r = find(q, token);

    if (!r)
        return;
    r->token = 0;
    r->topic = NULL;
}

void replies_retry_all(struct replies *q)
{
    for (size_t i = 0; i < q->count; i++)
        q->at[i].token = 0;
}

void replies_clear(struct replies *q)
{
    for (size_t i = 0; i < q->count; i++)
        free(q->at[i].memory);
    q->count = 0;
}
