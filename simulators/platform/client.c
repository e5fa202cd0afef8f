#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define TABLE_FIRST 64

static size_t place_of(const char *ent, const char *id, size_t size)
{
    uint64_t a = ledger_fingerprint(ent, strlen(ent)), b = ledger_fingerprint(id, strlen(id));

    return (size_t)(a * 31 + b) & (size - 1);
}

static bool table_grow(struct client *c)
{
    size_t size = c->table_size ? 2 * c->table_size : TABLE_FIRST;
    struct gateway **table = calloc(size, sizeof(struct gateway *));

    if (!table)
        return false;
    for (struct gateway *g = c->gateways; g; g = g->next) {
        size_t at = place_of(g->ent, g->id, size);

        while (table[at])
            at = (at + 1) & (size - 1);
        table[at] = g;
    }
    free(c->table);
    c->table = table;
    c->table_size = size;
    return true;
}

struct gateway *client_gateway(struct client *c, const char *ent, const char *id)
{
    struct gateway *g, **end = &c->gateways;
    size_t at;

    if (2 * c->gateway_count >= c->table_size && !table_grow(c))
        return NULL;
    at = place_of(ent, id, c->table_size);
    while (c->table[at] && (strcmp(c->table[at]->ent, ent) != 0 || strcmp(c->table[at]->id, id) != 0))
        at = (at + 1) & (c->table_size - 1);
    if (c->table[at])
        return c->table[at];
    g = gateway_create(ent, id, c->options->remember);
    if (!g)
        return NULL;
    g->user = calloc(1, sizeof(struct peer));
    if (!g->user) {
        gateway_free(g);
        return NULL;
    }
    for (int kind = 0; kind < KIND_COUNT; kind++)
        ((struct peer *)g->user)->streams[kind].base = -1;
    c->table[at] = g;
    c->gateway_count++;
    while (*end)
        end = &(*end)->next;
    *end = g;
    return g;
}

/* ---- what was found ---- */

static void keep(struct client *c, bool ok)
{
    if (c->archive && !ok)
        c->failed = true;
}

static void record_cb(void *arg, struct gateway *g, enum stream_kind kind, int64_t seq, const char *text,
                      size_t length)
{
    struct client *c = arg;
    struct peer *peer = g->user;

    peer->streams[kind].dirty = true;
    for (int other = 0; kind == KIND_EVENT && other < KIND_COUNT; other++)
        peer->streams[other].dirty = true; /* it may tell of a loss there */
    if (c->archive)
        keep(c, archive_record(c->archive, g, kind, seq, text, length, c->wall_ms));
    if (c->records)
        (void)fprintf(c->records, "%s %lld %.*s\n", stream_kinds[kind], (long long)seq, (int)length, text);
}

static void again_cb(void *arg, struct gateway *g, enum stream_kind kind)
{
    struct peer *peer = g->user;

    (void)arg;
    peer->streams[kind].dirty = peer->streams[kind].receipt_due = true;
}

static void unstored_cb(void *arg, struct gateway *g, const char *text, size_t length)
{
    struct client *c = arg;

    if (c->archive)
        keep(c, archive_unstored(c->archive, g, text, length, c->wall_ms));
}

static void document_cb(void *arg, struct gateway *g, const char *topic, const char *text, size_t length)
{
    struct client *c = arg;
    struct peer *peer = g->user;

    if (c->archive)
        keep(c, archive_document(c->archive, g, topic, text, length, c->wall_ms));
    /* It may have missed what was said before: it was not there. */
    for (int kind = 0; strcmp(topic, "state") == 0 && g->online && kind < KIND_COUNT; kind++)
        peer->streams[kind].receipt_due = true;
}

static void reply_cb(void *arg, struct gateway *g, const cJSON *reply)
{
    speak_reply(arg, g, reply);
}

static char *recall_cb(void *arg, const struct gateway *g, enum stream_kind kind, int64_t seq, size_t *length)
{
    const struct client *c = arg;

    return archive_recall(c->archive, g, kind, seq, length);
}

/* ---- what comes ---- */

/* root/ent/gateway/kind */
static bool split_topic(const struct client *c, const char *topic, char *ent, char *id, const char **kind)
{
    size_t root = strlen(c->options->root);
    const char *a, *b;

    if (strncmp(topic, c->options->root, root) != 0 || topic[root] != '/')
        return false;
    topic += root + 1;
    a = strchr(topic, '/');
    b = a ? strchr(a + 1, '/') : NULL;
    if (!b || a - topic >= GATEWAY_NAME || b - a - 1 >= GATEWAY_NAME)
        return false;
    memcpy(ent, topic, (size_t)(a - topic));
    ent[a - topic] = '\0';
    memcpy(id, a + 1, (size_t)(b - a - 1));
    id[b - a - 1] = '\0';
    *kind = b + 1;
    return true;
}

/* With --accept-start what was before the very first message of a stream is taken as had. */
static void accept_start(const struct client *c, struct gateway *g)
{
    struct peer *peer = g->user;

    for (int kind = 0; c->options->accept_start && kind < KIND_COUNT; kind++) {
        struct ledger *l = &g->ledgers[kind];
        struct ledger_span hole;

        if (peer->streams[kind].base >= 0 || l->span_count == 0)
            continue;
        peer->streams[kind].base = 0;
        if (ledger_hole(l, 0, &hole) && hole.first == 1) {
            (void)ledger_account(l, 1, hole.last);
            peer->streams[kind].base = hole.last;
        }
    }
}

void client_take(struct client *c, const struct session_message *m)
{
    const struct gateway_sink sink = {.arg = c,
                                      .record = record_cb,
                                      .again = again_cb,
                                      .unstored = unstored_cb,
                                      .document = document_cb,
                                      .reply = reply_cb,
                                      .recall = c->archive ? recall_cb : NULL};
    struct platform_message message = {.payload = m->payload,
                                       .length = m->length,
                                       .qos = m->qos,
                                       .retained = m->retained,
                                       .expires = m->expires};
    char ent[GATEWAY_NAME], id[GATEWAY_NAME];
    struct gateway *g;

    if (m->length == 0)
        return; /* a retained message being removed */
    if (!split_topic(c, m->topic, ent, id, &message.topic)) {
        violation(&c->violations, NULL, "topic %.100s does not fit", m->topic);
        return;
    }
    g = client_gateway(c, ent, id);
    if (!g) {
        violation(&c->violations, NULL, "out of memory");
        return;
    }
    gateway_take(g, &message, &c->violations, &sink);
    accept_start(c, g);
}

static void keep_streams(struct client *c)
{
    for (const struct gateway *g = c->gateways; g; g = g->next) {
        struct peer *peer = g->user;

        for (int kind = 0; kind < KIND_COUNT; kind++) {
            if (!peer->streams[kind].dirty)
                continue;
            peer->streams[kind].dirty = false;
            keep(c, archive_stream(c->archive, g, (enum stream_kind)kind, peer->streams[kind].receipt));
        }
    }
}

void client_settle(struct client *c)
{
    if (c->records)
        (void)fflush(c->records);
    if (c->archive) {
        keep_streams(c);
        for (; c->breaches_kept < c->violations.kept; c->breaches_kept++)
            keep(c, archive_breach(c->archive, c->violations.text[c->breaches_kept], c->wall_ms));
        keep(c, archive_commit(c->archive));
    }
    if (c->options->receipts && !c->failed)
        speak_receipts(c);
}

/* ---- begin and end ---- */

static struct gateway *make_cb(void *arg, const char *ent, const char *id)
{
    return client_gateway(arg, ent, id);
}

bool client_open(struct client *c, const struct options *options)
{
    memset(c, 0, sizeof *c);
    c->options = options;
    if (options->store) {
        c->archive = archive_open(options->store);
        if (!c->archive || !archive_load(c->archive, make_cb, c))
            return false;
    }
    for (const struct gateway *g = c->gateways; g; g = g->next) {
        struct peer *peer = g->user;

        for (int kind = 0; kind < KIND_COUNT; kind++) {
            peer->streams[kind].receipt = archive_receipt(c->archive, g, (enum stream_kind)kind);
            peer->streams[kind].base = g->ledgers[kind].span_count > 0 ? 0 : -1;
        }
    }
    c->session = session_create(&options->session);
    if (!c->session)
        (void)fprintf(stderr, "riskgate-platform: %s is no broker's address\n", options->session.broker);
    return c->session != NULL;
}

void client_close(struct client *c)
{
    session_destroy(c->session);
    archive_close(c->archive);
    if (c->records && fclose(c->records) != 0)
        (void)fprintf(stderr, "riskgate-platform: cannot write %s: %s\n", c->options->records,
                      strerror(errno));
    while (c->gateways) {
        struct gateway *next = c->gateways->next;

        free(c->gateways->user);
        gateway_free(c->gateways);
        c->gateways = next;
    }
    free(c->table);
}
