#include "gateway.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

const char *const stream_kinds[KIND_COUNT] = {"alarm", "telemetry", "event", "report"};
const struct gateway_sink gateway_no_sink;

enum stream_kind stream_kind_of(const char *name)
{
    int kind = 0;

    while (kind < KIND_COUNT && (!name || strcmp(stream_kinds[kind], name) != 0))
        kind++;
    return (enum stream_kind)kind;
}

void violation(struct violations *v, const struct gateway *g, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    v->count++;
    if (v->kept < GATEWAY_VIOLATIONS)
        (void)snprintf(v->text[v->kept++], sizeof v->text[0], "%.40s: %s", g ? g->id : "-", text);
    if (v->tell)
        (void)fprintf(v->tell, "BREACH %s: %s\n", g ? g->id : "-", text);
}

struct gateway *gateway_create(const char *ent, const char *id, size_t remember)
{
    struct gateway *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        ledger_create(&g->ledgers[kind], kind != KIND_TELEMETRY, remember);
    name_copy(g->ent, sizeof g->ent, ent);
    name_copy(g->id, sizeof g->id, id);
    return g;
}

void gateway_free(struct gateway *g)
{
    if (!g)
        return;
    for (int i = 0; i < KIND_COUNT; i++)
        ledger_free(&g->ledgers[i]);
    for (int i = 0; i < g->area_count; i++) {
        free(g->areas[i].name);
        free(g->areas[i].label);
    }
    free(g->areas);
    alarm_book_free(&g->alarms);
    free(g);
}

static void check_envelope(struct gateway *g, const struct platform_message *m, const cJSON *json,
                           struct violations *v)
{
    const char *ent = text_at(json, "ent"), *gw = text_at(json, "gw"), *clock = text_at(json, "clock");
    int64_t version = 0;

    if (!whole_at(json, "v", &version) || version != 1)
        violation(v, g, "%s: v is not 1", m->topic);
    if (!ent || strcmp(ent, g->ent) != 0)
        violation(v, g, "%s: ent is not that of the topic", m->topic);
    if (!gw || strcmp(gw, g->id) != 0)
        violation(v, g, "%s: gw is not that of the topic", m->topic);
    if (m->qos != 1)
        violation(v, g, "%s: QoS %d instead of 1", m->topic, m->qos);
    if (m->expires)
        violation(v, g, "%s: a message that expires can be lost in silence", m->topic);
    if (cJSON_HasObjectItem(json, "clock") && (!clock || strcmp(clock, "unsynced") != 0))
        violation(v, g, "%s: clock is not \"unsynced\"", m->topic);
    g->unsynced += clock != NULL;
}

static void take_document(struct gateway *g, const struct platform_message *m, const cJSON *json,
                          struct violations *v, const struct gateway_sink *sink)
{
    if (strcmp(m->topic, "state") == 0)
        check_state(g, json, v);
    else if (strcmp(m->topic, "about") == 0)
        check_about(g, json, v);
    else
        check_risk(g, json, v);
    if (sink->document)
        sink->document(sink->arg, g, m->topic, m->payload, m->length);
}

static bool is_document(const char *topic)
{
    return strcmp(topic, "state") == 0 || strcmp(topic, "about") == 0 || strcmp(topic, "risk") == 0;
}

/* `reply`, or below it where a platform wants its own to come. */
static bool is_reply(const char *topic)
{
    return strncmp(topic, "reply", 5) == 0 && (topic[5] == '\0' || topic[5] == '/');
}

static void take_parsed(struct gateway *g, const struct platform_message *m, const cJSON *json,
                        struct violations *v, const struct gateway_sink *sink)
{
    enum stream_kind kind = stream_kind_of(m->topic);

    check_envelope(g, m, json, v);
    if (m->retained && !is_document(m->topic))
        violation(v, g, "%s: is retained", m->topic);
    if (is_document(m->topic)) {
        take_document(g, m, json, v, sink);
    } else if (is_reply(m->topic)) {
        check_reply(g, json, v);
        if (sink->reply)
            sink->reply(sink->arg, g, json);
    } else if (kind < KIND_COUNT) {
        stream_take(g, m, kind, json, v, sink);
    } else {
        violation(v, g, "%s: a topic the contract does not know", m->topic);
    }
}

void gateway_take(struct gateway *g, const struct platform_message *m, struct violations *v,
                  const struct gateway_sink *sink)
{
    const char *end = NULL;
    cJSON *json;
    bool good;

    if (m->length > GATEWAY_MESSAGE_MAX) {
        violation(v, g, "%s: a message of %zu bytes", m->topic, m->length);
        return;
    }
    json = cJSON_ParseWithLengthOpts(m->payload, m->length, &end, 0);
    good = cJSON_IsObject(json) && end == m->payload + m->length;
    if (strcmp(m->topic, "receipt") == 0 || strcmp(m->topic, "command") == 0)
        check_heard(g, m->topic, good ? json : NULL);
    else if (!good)
        violation(v, g, "%s: no JSON object", m->topic);
    else
        take_parsed(g, m, json, v, sink);
    cJSON_Delete(json);
}

/* A loss explains a chain that began anew, and holes are no breach where nothing is demanded. */
static void finish_stream(struct gateway *g, enum stream_kind kind, bool require_complete,
                          struct violations *v)
{
    const struct ledger *l = &g->ledgers[kind];
    struct ledger_span hole;

    if (l->forgotten_holes)
        violation(v, g, "%s: %llu holes too many to keep", stream_kinds[kind],
                  (unsigned long long)l->forgotten_holes);
    for (size_t i = 0; require_complete && i < 5 && ledger_hole(l, i, &hole); i++)
        violation(v, g, "%s %lld to %lld: named as prev and never received (%zu such)", stream_kinds[kind],
                  (long long)hole.first, (long long)hole.last, ledger_hole_count(l));
    chain_finish(g, kind, v);
}

void gateway_finish(struct gateway *g, bool require_complete, struct violations *v)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        finish_stream(g, (enum stream_kind)kind, require_complete, v);
    if (require_complete && g->unstored_alarms.open_count > 0)
        violation(v, g, "alarm: %zu came unstored and their records never did",
                  g->unstored_alarms.open_count);
    if (require_complete && !(g->state_seen && g->about_seen && g->risk_seen))
        violation(v, g, "state, about or risk never came");
}
