#include "uplink/unstored.h"

#include <stdlib.h>
#include <string.h>

static void remove_at(struct unstored *q, size_t index)
{
    free(q->records[index].text);
    memmove(&q->records[index], &q->records[index + 1], (q->count - index - 1) * sizeof(q->records[0]));
    q->count--;
}

enum rg_err unstored_push(struct unstored *q, const char *body, size_t length, bool unsynced, bool late)
{
    char *text = NULL;

    if (length > UNSTORED_BYTES_MAX) {
        q->dropped++;
        return RG_ERANGE;
    }
    text = malloc(length + 3);
    if (!text) {
        q->dropped++;
        return RG_ENOMEM;
    }
    text[0] = '{';
    memcpy(text + 1, body, length);
    text[length + 1] = '}';
    text[length + 2] = '\0';
    if (q->count == UNSTORED_MAX) {
        /* The newest tell how things stand now; all of them come again as proper records if the store
         * recovers. */
        remove_at(q, 0);
        q->dropped++;
    }
    q->records[q->count++] =
        (struct unstored_record){.text = text, .length = length + 2, .unsynced = unsynced, .late = late};
    return RG_OK;
}

struct unstored_record *unstored_next(struct unstored *q)
{
    for (size_t i = 0; i < q->count; i++)
        if (q->records[i].token == 0)
            return &q->records[i];
    return NULL;
}

void unstored_ack(struct unstored *q, uint64_t token)
{
    for (size_t i = 0; token != 0 && i < q->count; i++) {
        if (q->records[i].token == token) {
            remove_at(q, i);
            return;
        }
    }
}

void unstored_retry(struct unstored *q, uint64_t token)
{
    for (size_t i = 0; token != 0 && i < q->count; i++)
        if (q->records[i].token == token)
            q->records[i].token = 0;
}

void unstored_retry_all(struct unstored *q)
{
    for (size_t i = 0; i < q->count; i++) {
        q->records[i].token = 0;
        q->records[i].late = true;
    }
}

void unstored_clear(struct unstored *q)
{
    while (q->count > 0)
        remove_at(q, q->count - 1);
}
