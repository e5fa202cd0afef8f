/* What the platform says itself: receipts, acknowledgements, questions for what is missing, for a point. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "json.h"

#define FILL_PATIENCE_MS                                                                                     \
    30000 /* for a hole to move that the gateway said it would fill; then it is asked again */

bool speak_publish(const struct client *c, const struct gateway *g, const char *below, const char *text)
{
    char topic[512];

    return (size_t)snprintf(topic, sizeof topic, "%s/%s/%s/%s", c->options->root, g->ent, g->id, below) <
               sizeof topic &&
           session_publish(c->session, topic, text, NULL, NULL);
}

/* ---- receipts ---- */

static void receipt_send(struct client *c, const struct gateway *g, enum stream_kind kind)
{
    struct peer *peer = g->user;
    struct stream_state *s = &peer->streams[kind];
    int64_t upto = ledger_upto(&g->ledgers[kind]);
    char text[96];

    if (upto < 1 || (upto == s->receipt && !s->receipt_due))
        return;
    (void)snprintf(text, sizeof text, "{\"stream\":\"%s\",\"upto\":%lld}", stream_kinds[kind],
                   (long long)upto);
    if (!speak_publish(c, g, "receipt", text))
        return;
    s->receipt = upto;
    s->receipt_due = false;
    s->dirty = true;
    peer->receipts++;
}

void speak_receipts(struct client *c)
{
    for (const struct gateway *g = c->gateways; g; g = g->next) {
        for (int kind = 0; kind < KIND_COUNT; kind++)
            receipt_send(c, g, (enum stream_kind)kind);
    }
}

/* ---- questions ---- */

static struct ask *ask_free(struct client *c)
{
    for (size_t i = 0; i < CLIENT_ASKS; i++) {
        if (!c->asks[i].g)
            return &c->asks[i];
    }
    return NULL;
}

/* Takes command: it gets its id here and is freed. NULL: not sent. */
static struct ask *ask_send(struct client *c, struct gateway *g, enum ask_kind kind, cJSON *command)
{
    struct ask *ask = ask_free(c);
    struct peer *peer = g->user;
    char *text = NULL;

    if (ask && command) {
        (void)snprintf(ask->id, sizeof ask->id, "%.30s-%lu", session_id(c->session), ++c->serial);
        if (cJSON_AddStringToObject(command, "id", ask->id))
            text = cJSON_PrintUnformatted(command);
    }
    cJSON_Delete(command);
    if (!text || !speak_publish(c, g, "command", text)) {
        cJSON_free(text);
        return NULL;
    }
    cJSON_free(text);
    ask->g = g;
    ask->kind = kind;
    ask->sent_ms = c->mono_ms;
    peer->asked++;
    return ask;
}

static cJSON *command_create(const char *name)
{
    cJSON *command = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(command, "command", name);
    return command;
}

static void acknowledge(struct client *c, struct gateway *g)
{
    struct peer *peer = g->user;

    for (struct alarm_view *a = alarm_next(&g->alarms, NULL); a; a = alarm_next(&g->alarms, a)) {
        cJSON *command;

        if (a->asked_ms == 0)
            a->asked_ms = c->mono_ms + c->options->ack_after_ms;
        if (!a->active || a->acked || a->test || a->seq == 0 || c->mono_ms < a->asked_ms ||
            fnmatch(c->options->ack, a->rule, 0) != 0)
            continue;
        command = command_create("ack");
        (void)cJSON_AddStringToObject(command, "alarm", a->id);
        (void)cJSON_AddStringToObject(command, "by", c->options->by);
        if (!ask_send(c, g, ASK_ACK, command))
            return;
        a->asked_ms = c->mono_ms + c->options->timeout_ms; /* again when nothing came of it */
        peer->acks++;
    }
}

/* Asks for the first hole of a stream once it has not moved for a while: the gateway may be at it by itself. */
static void fill(struct client *c, struct gateway *g, enum stream_kind kind)
{
    struct peer *peer = g->user;
    struct stream_state *s = &peer->streams[kind];
    int64_t patience = s->promised   ? FILL_PATIENCE_MS
                       : s->asked_ms ? c->options->timeout_ms
                                     : c->options->backfill_after_ms;
    struct ledger_span hole;
    struct ask *ask;
    cJSON *command;

    if (!ledger_hole(&g->ledgers[kind], 0, &hole)) {
        peer->filled += s->promised;
        s->promised = false;
        s->hole = (struct ledger_span){0, 0};
        s->asked_ms = 0;
        return;
    }
    if (hole.first != s->hole.first || hole.last != s->hole.last) {
        peer->filled += s->promised && hole.first > s->hole.last;
        s->promised = s->promised && hole.first <= s->hole.last;
        s->asked_ms = s->promised ? s->asked_ms : 0;
        s->hole = hole;
        s->moved_ms = c->mono_ms;
    }
    if (c->mono_ms - s->moved_ms < patience || (s->asked_ms && c->mono_ms - s->asked_ms < patience))
        return;
    command = command_create("backfill");
    (void)cJSON_AddStringToObject(command, "stream", stream_kinds[kind]);
    (void)cJSON_AddNumberToObject(command, "from", (double)hole.first);
    (void)cJSON_AddNumberToObject(command, "to", (double)hole.last);
    ask = ask_send(c, g, ASK_BACKFILL, command);
    if (!ask)
        return;
    ask->stream = kind;
    s->asked_ms = c->mono_ms;
    s->promised = false;
    peer->fills++;
}

static void read_point(struct client *c, struct gateway *g)
{
    struct peer *peer = g->user;
    cJSON *command;

    if (peer->read_asked)
        return;
    command = command_create("read");
    (void)cJSON_AddStringToObject(command, "point", c->options->read);
    peer->read_asked = ask_send(c, g, ASK_READ, command) != NULL;
}

static void give_up(struct client *c)
{
    for (size_t i = 0; i < CLIENT_ASKS; i++) {
        struct ask *ask = &c->asks[i];

        if (!ask->g || c->mono_ms - ask->sent_ms < c->options->timeout_ms)
            continue;
        ask->g = NULL;
        c->unanswered++;
    }
}

void speak_turn(struct client *c)
{
    give_up(c);
    for (struct gateway *g = c->gateways; g; g = g->next) {
        if (!g->online)
            continue;
        if (c->options->ack)
            acknowledge(c, g);
        for (int kind = 0; c->options->backfill && kind < KIND_COUNT; kind++)
            fill(c, g, (enum stream_kind)kind);
        if (c->options->read)
            read_point(c, g);
    }
}

/* ---- answers ---- */

/* What the gateway has no more of a hole will never come. */
static void filled(struct gateway *g, enum stream_kind kind, const cJSON *reply, bool ok)
{
    struct peer *peer = g->user;
    struct stream_state *s = &peer->streams[kind];
    int64_t from = 0, to = 0;

    s->promised = ok;
    if (!ok || !whole_at(reply, "from", &from) || !whole_at(reply, "to", &to))
        return;
    if (from > s->hole.first && from <= s->hole.last)
        (void)ledger_account(&g->ledgers[kind], s->hole.first, from - 1);
}

void speak_reply(struct client *c, struct gateway *g, const cJSON *reply)
{
    const char *id = text_at(reply, "id");
    struct peer *peer = g->user;
    bool ok = true_at(reply, "ok");

    for (size_t i = 0; id && i < CLIENT_ASKS; i++) {
        struct ask *ask = &c->asks[i];
        char *text;

        if (ask->g != g || strcmp(ask->id, id) != 0)
            continue;
        ask->g = NULL;
        peer->answered++;
        peer->refused += !ok;
        if (ask->kind == ASK_BACKFILL)
            filled(g, ask->stream, reply, ok);
        text = ask->kind == ASK_READ || (!ok && !c->options->view) ? cJSON_PrintUnformatted(reply) : NULL;
        if (text)
            (void)fprintf(ask->kind == ASK_READ ? stdout : stderr, "%s: %s\n", g->id, text);
        if (text && ask->kind == ASK_READ)
            (void)fflush(stdout);
        cJSON_free(text);
        return;
    }
}
