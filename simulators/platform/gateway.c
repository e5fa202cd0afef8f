#include "gateway.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"

#define RECORDS_MAX 4096
#define MESSAGE_MAX (1u << 20)

const char *const stream_kinds[KIND_COUNT] = {"alarm", "telemetry", "event", "report"};
static const char *const level_names[] = {"none", "blue", "yellow", "orange", "red"};

enum platform_level platform_level(const char *name)
{
    for (int i = PL_NONE; name && i <= PL_RED; i++) {
        if (strcmp(level_names[i], name) == 0)
            return (enum platform_level)i;
    }
    return PL_BAD;
}

const char *platform_level_name(enum platform_level level)
{
    return level == PL_BAD ? "?" : level_names[level];
}

const char *text_at(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool whole_at(const cJSON *json, const char *key, int64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) ||
        fabs(item->valuedouble) > 9e15)
        return false;
    *out = (int64_t)item->valuedouble;
    return true;
}

void name_copy(char *out, size_t size, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    if (n > 0)
        memcpy(out, text, n);
    out[n] = '\0';
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

struct gateway *gateway_create(const char *ent, const char *id)
{
    struct gateway *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->alarms = calloc(GATEWAY_ALARMS, sizeof *g->alarms);
    if (!g->alarms) {
        free(g);
        return NULL;
    }
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
    free(g->alarms);
    free(g);
}

static void check_envelope(const struct gateway *g, const struct platform_message *m, const cJSON *json,
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
    if (cJSON_HasObjectItem(json, "clock") && (!clock || strcmp(clock, "unsynced") != 0))
        violation(v, g, "%s: clock is not \"unsynced\"", m->topic);
}

static void check_hash_shape(const struct gateway *g, enum stream_kind kind, int64_t seq,
                             const struct raw_record *raw, struct violations *v)
{
    size_t covered = raw_before_hash(raw->text, raw->length);
    const char *hex = raw->text + raw->length - 66;

    if (kind == KIND_TELEMETRY)
        return;
    if (covered == raw->length) {
        violation(v, g, "%s %lld: does not end with a hash", stream_kinds[kind], (long long)seq);
        return;
    }
    for (int i = 0; i < 64; i++) {
        if (!strchr("0123456789abcdef", hex[i])) {
            violation(v, g, "%s %lld: its hash is not lower-case hex", stream_kinds[kind], (long long)seq);
            return;
        }
    }
}

static void take_record(struct gateway *g, enum stream_kind kind, const cJSON *record, int64_t seq,
                        bool fresh, struct violations *v)
{
    int64_t ts = 0;

    if (!whole_at(record, "ts", &ts) || ts <= 0)
        violation(v, g, "%s %lld: no ts", stream_kinds[kind], (long long)seq);
    if (ts > g->last_ts)
        g->last_ts = ts;
    if (kind == KIND_ALARM)
        check_alarm_record(g, record, seq, fresh, v);
    else if (kind == KIND_TELEMETRY)
        check_telemetry_record(g, record, fresh, v);
    else if (kind == KIND_EVENT)
        check_event_record(g, record, fresh, v);
}

static void take_numbered(struct gateway *g, enum stream_kind kind, const cJSON *record,
                          const struct raw_record *raw, int64_t seq, struct violations *v, FILE *records)
{
    enum ledger_result result =
        ledger_add(&g->ledgers[kind], seq, raw->text, raw->length, kind != KIND_TELEMETRY);

    if (result == LEDGER_DIFFERS)
        violation(v, g, "%s %lld: came again with another text", stream_kinds[kind], (long long)seq);
    else if (result == LEDGER_NO_MEMORY)
        violation(v, g, "%s %lld: a number that cannot be kept", stream_kinds[kind], (long long)seq);
    check_hash_shape(g, kind, seq, raw, v);
    take_record(g, kind, record, seq, result == LEDGER_NEW, v);
    if (records && result == LEDGER_NEW)
        (void)fprintf(records, "%s %lld %.*s\n", stream_kinds[kind], (long long)seq, (int)raw->length,
                      raw->text);
}

struct header {
    bool backfill, stored;
    int64_t prev, first, last; /* 0: null */
};

static bool number_or_null(const cJSON *json, const char *key, int64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    *out = 0;
    if (cJSON_IsNull(item))
        return true;
    return whole_at(json, key, out) && *out >= 1;
}

static bool check_header(const struct gateway *g, const struct platform_message *m, const cJSON *json,
                         struct header *h, struct violations *v)
{
    const char *stream = text_at(json, "stream");
    const cJSON *backfill = cJSON_GetObjectItemCaseSensitive(json, "backfill");
    const cJSON *stored = cJSON_GetObjectItemCaseSensitive(json, "stored");

    if (m->retained)
        violation(v, g, "%s: a stream message is retained", m->topic);
    if (!stream || strcmp(stream, m->topic) != 0)
        violation(v, g, "%s: stream is not that of the topic", m->topic);
    if (!cJSON_IsBool(backfill))
        violation(v, g, "%s: no backfill", m->topic);
    h->backfill = cJSON_IsTrue(backfill);
    h->stored = !cJSON_IsFalse(stored);
    if (stored && (h->stored || strcmp(m->topic, "alarm") != 0))
        violation(v, g, "%s: stored may only be false, and only for alarms", m->topic);
    if (!cJSON_HasObjectItem(json, "prev") || !number_or_null(json, "prev", &h->prev) ||
        !number_or_null(json, "first", &h->first) || !number_or_null(json, "last", &h->last)) {
        violation(v, g, "%s: prev, first or last is neither a number nor null", m->topic);
        return false;
    }
    if (h->stored && (h->first == 0 || h->last < h->first || h->prev >= h->first)) {
        violation(v, g, "%s: prev %lld, first %lld, last %lld do not fit", m->topic, (long long)h->prev,
                  (long long)h->first, (long long)h->last);
        return false;
    }
    if (!h->stored && (h->first || h->last))
        violation(v, g, "%s: a message that is not stored has numbers", m->topic);
    return true;
}

/* Each record against the header: in order, the first and last as announced. */
static void take_records(struct gateway *g, const struct platform_message *m, enum stream_kind kind,
                         const cJSON *array, const struct header *h, struct violations *v, FILE *records)
{
    static struct raw_record raw[RECORDS_MAX];
    int count = raw_records(m->payload, m->length, raw, RECORDS_MAX), i = 0;
    const cJSON *record;
    int64_t seq = 0, before = h->prev;

    if (count != cJSON_GetArraySize(array) || count < 1 || count > RECORDS_MAX) {
        violation(v, g, "%s: %d records", m->topic, count);
        return;
    }
    cJSON_ArrayForEach(record, array)
    {
        bool numbered = whole_at(record, "seq", &seq);

        if (numbered != h->stored)
            violation(v, g, "%s: a record %s number", m->topic, numbered ? "not stored has a" : "has no");
        else if (numbered &&
                 (seq <= before || (i == 0 && seq != h->first) || (i == count - 1 && seq != h->last)))
            violation(v, g, "%s %lld: out of order, or not as first and last say", m->topic, (long long)seq);
        if (numbered && h->stored) {
            take_numbered(g, kind, record, &raw[i], seq, v, records);
            before = seq;
        } else {
            g->unstored++;
            take_record(g, kind, record, 0, true, v);
        }
        i++;
    }
}

static void take_stream(struct gateway *g, const struct platform_message *m, enum stream_kind kind,
                        const cJSON *json, struct violations *v, FILE *records)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, "records");
    struct header h = {0};

    if (!check_header(g, m, json, &h, v))
        return;
    if (!cJSON_IsArray(array)) {
        violation(v, g, "%s: no records", m->topic);
        return;
    }
    g->ledgers[kind].messages++;
    g->ledgers[kind].backfill_messages += h.backfill;
    if (h.stored)
        ledger_prev(&g->ledgers[kind], h.first, h.prev);
    take_records(g, m, kind, array, &h, v, records);
}

void gateway_take(struct gateway *g, const struct platform_message *m, struct violations *v, FILE *records)
{
    cJSON *json;

    if (m->length > MESSAGE_MAX)
        violation(v, g, "%s: a message of %zu bytes", m->topic, m->length);
    json = cJSON_ParseWithLength(m->payload, m->length);
    if (!cJSON_IsObject(json)) {
        violation(v, g, "%s: no JSON object", m->topic);
        cJSON_Delete(json);
        return;
    }
    check_envelope(g, m, json, v);
    if (strcmp(m->topic, "state") == 0) {
        check_state(g, json, v);
    } else if (strcmp(m->topic, "about") == 0) {
        check_about(g, json, v);
    } else if (strcmp(m->topic, "risk") == 0) {
        check_risk(g, json, v);
    } else if (strcmp(m->topic, "reply") != 0) {
        int kind = 0;

        while (kind < KIND_COUNT && strcmp(stream_kinds[kind], m->topic) != 0)
            kind++;
        if (kind < KIND_COUNT)
            take_stream(g, m, (enum stream_kind)kind, json, v, records);
        else
            violation(v, g, "%s: a topic the contract does not know", m->topic);
    }
    cJSON_Delete(json);
}

void gateway_finish(struct gateway *g, bool require_complete, struct violations *v)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct ledger *l = &g->ledgers[kind];
        int64_t some[5];
        uint64_t checked;
        size_t n;
        uint64_t missing = ledger_missing(l, some, 5, &n);
        int64_t broken = kind == KIND_TELEMETRY ? 0 : ledger_chain(l, &checked);

        if (broken)
            violation(v, g, "%s %lld: its hash does not follow from the record before", stream_kinds[kind],
                      (long long)broken);
        for (size_t i = 0; require_complete && i < n; i++)
            violation(v, g, "%s %lld: named as prev and never received (%llu such)", stream_kinds[kind],
                      (long long)some[i], (unsigned long long)missing);
    }
    if (require_complete && !(g->state_seen && g->about_seen && g->risk_seen))
        violation(v, g, "state, about or risk never came");
}
