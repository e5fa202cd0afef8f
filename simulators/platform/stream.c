/* A message of a stream: its header, and each record against it. */
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "json.h"
#include "raw.h"

#define RECORDS_MAX 4096

struct header {
    bool backfill, stored;
    int64_t prev, first, last; /* 0: null */
};

/* What one message is judged with. */
struct take {
    struct gateway *g;
    enum stream_kind kind;
    struct ledger *l;
    struct violations *v;
    const struct gateway_sink *sink;
};

static bool number_or_null(const cJSON *json, const char *key, int64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    *out = 0;
    if (cJSON_IsNull(item))
        return true;
    return whole_at(json, key, out) && *out >= 1;
}

static bool numbers_fit(const struct take *t, const struct header *h)
{
    if (h->stored && (h->first == 0 || h->last < h->first || h->prev >= h->first)) {
        violation(t->v, t->g, "%s: prev %lld, first %lld, last %lld do not fit", stream_kinds[t->kind],
                  (long long)h->prev, (long long)h->first, (long long)h->last);
        return false;
    }
    if (!h->stored && (h->first || h->last || h->prev))
        violation(t->v, t->g, "%s: a message that is not stored has numbers", stream_kinds[t->kind]);
    return true;
}

static bool check_header(const struct take *t, const cJSON *json, struct header *h)
{
    const char *stream = text_at(json, "stream"), *topic = stream_kinds[t->kind];
    const cJSON *backfill = cJSON_GetObjectItemCaseSensitive(json, "backfill");
    const cJSON *stored = cJSON_GetObjectItemCaseSensitive(json, "stored");

    if (!stream || strcmp(stream, topic) != 0)
        violation(t->v, t->g, "%s: stream is not that of the topic", topic);
    if (!cJSON_IsBool(backfill))
        violation(t->v, t->g, "%s: no backfill", topic);
    h->backfill = cJSON_IsTrue(backfill);
    h->stored = !cJSON_IsFalse(stored);
    if (stored && (h->stored || t->kind != KIND_ALARM))
        violation(t->v, t->g, "%s: stored may only be false, and only for alarms", topic);
    if (!cJSON_HasObjectItem(json, "prev") || !number_or_null(json, "prev", &h->prev) ||
        !number_or_null(json, "first", &h->first) || !number_or_null(json, "last", &h->last)) {
        violation(t->v, t->g, "%s: prev, first or last is neither a number nor null", topic);
        return false;
    }
    if (!cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(json, "records"))) {
        violation(t->v, t->g, "%s: no records", topic);
        return false;
    }
    return numbers_fit(t, h);
}

static void check_hash_shape(const struct take *t, int64_t seq, const struct raw_record *raw, size_t covered)
{
    const char *hex = raw->text + raw->length - 2 - LEDGER_HASH;

    if (covered == raw->length) {
        violation(t->v, t->g, "%s %lld: does not end with a hash", stream_kinds[t->kind], (long long)seq);
        return;
    }
    for (int i = 0; i < LEDGER_HASH; i++) {
        if (!strchr("0123456789abcdef", hex[i])) {
            violation(t->v, t->g, "%s %lld: its hash is not lower-case hex", stream_kinds[t->kind],
                      (long long)seq);
            return;
        }
    }
}

/* What a record says, whether it is new or not. */
static void check_record(const struct take *t, const cJSON *record, int64_t seq, bool fresh)
{
    int64_t ts = 0;

    if (!whole_at(record, "ts", &ts) || ts <= 0)
        violation(t->v, t->g, "%s %lld: no ts", stream_kinds[t->kind], (long long)seq);
    if (cJSON_HasObjectItem(record, "clock") &&
        (!text_at(record, "clock") || strcmp(text_at(record, "clock"), "unsynced") != 0))
        violation(t->v, t->g, "%s %lld: clock is not \"unsynced\"", stream_kinds[t->kind], (long long)seq);
    if (ts > t->g->last_ts)
        t->g->last_ts = ts;
    if (t->kind == KIND_ALARM)
        check_alarm_record(t->g, record, fresh ? seq : -1, t->v);
    else if (t->kind == KIND_TELEMETRY)
        check_telemetry_record(t->g, record, fresh, t->v);
    else if (t->kind == KIND_EVENT)
        check_event_record(t->g, record, fresh, t->v);
    else
        check_report_record(t->g, record, fresh, t->v);
}

/* Whether it came before, asking those who remember longer where the ledger does not know. */
static enum ledger_result enter(const struct take *t, int64_t seq, const struct raw_record *raw,
                                const char *hash)
{
    enum ledger_result result = ledger_add(t->l, seq, raw->text, raw->length, hash, LEDGER_UNSURE);
    size_t length = 0;
    char *known;

    if (result != LEDGER_OLD)
        return result;
    known = t->sink->recall ? t->sink->recall(t->sink->arg, t->g, t->kind, seq, &length) : NULL;
    if (t->sink->recall && !known)
        return ledger_add(t->l, seq, raw->text, raw->length, hash, LEDGER_SURE_NEW);
    t->l->records++;
    t->l->resent++;
    result = !known || (length == raw->length && memcmp(known, raw->text, length) == 0) ? LEDGER_RESENT
                                                                                        : LEDGER_DIFFERS;
    free(known);
    return result;
}

/* What the record says between its number and its hash. */
static uint64_t body_print(const struct raw_record *raw, size_t covered)
{
    const char *comma = memchr(raw->text, ',', covered);
    size_t before = comma ? (size_t)(comma - raw->text) + 1 : covered;

    return ledger_fingerprint(raw->text + before, covered - before);
}

/* before: the record before it in the message, or prev. */
static void take_numbered(const struct take *t, const cJSON *record, const struct raw_record *raw,
                          int64_t seq, int64_t before)
{
    size_t covered = raw_before_hash(raw->text, raw->length);
    bool hashed = t->kind != KIND_TELEMETRY;
    const char *hash = hashed && covered < raw->length ? raw->text + raw->length - 2 - LEDGER_HASH : NULL;
    int64_t reached = ledger_before(t->l, seq);
    enum ledger_result result = enter(t, seq, raw, hash);

    if (result == LEDGER_DIFFERS)
        violation(t->v, t->g, "%s %lld: came again with another text", stream_kinds[t->kind], (long long)seq);
    else if (result == LEDGER_NO_MEMORY)
        violation(t->v, t->g, "%s %lld: a number that cannot be kept", stream_kinds[t->kind], (long long)seq);
    /* Nothing lies between it and the one before. A null prev says so of the very beginning only. */
    if (result != LEDGER_NO_MEMORY &&
        !ledger_account(t->l, before == 0 && reached > 0 ? seq : before + 1, seq))
        violation(t->v, t->g, "%s %lld: no memory", stream_kinds[t->kind], (long long)seq);
    if (result == LEDGER_NEW && (reached != seq - 1 || before != seq - 1) && seq - 1 > t->l->skip_top)
        t->l->skip_top = seq - 1;
    if (hashed)
        check_hash_shape(t, seq, raw, covered);
    if (result == LEDGER_RESENT && t->sink->again)
        t->sink->again(t->sink->arg, t->g, t->kind);
    check_record(t, record, seq, result == LEDGER_NEW);
    if (result != LEDGER_NEW)
        return;
    if (hashed)
        chain_take(t->g, t->kind, seq, raw->text, raw->length, t->v, t->sink);
    if (t->kind == KIND_ALARM)
        unstored_proper(&t->g->unstored_alarms, body_print(raw, covered));
    if (t->sink->record)
        t->sink->record(t->sink->arg, t->g, t->kind, seq, raw->text, raw->length);
}

static void take_unstored(const struct take *t, const cJSON *record, const struct raw_record *raw)
{
    size_t inner = raw->length >= 2 ? raw->length - 2 : 0; /* without the braces */

    t->g->unstored++;
    if (cJSON_HasObjectItem(record, "hash"))
        violation(t->v, t->g, "%s: a record not stored has a hash", stream_kinds[t->kind]);
    unstored_told(&t->g->unstored_alarms, ledger_fingerprint(raw->text + 1, inner));
    check_record(t, record, 0, true);
    if (t->sink->unstored)
        t->sink->unstored(t->sink->arg, t->g, raw->text, raw->length);
}

/* Each record against the header: in order, the first and last as announced. */
static void take_records(const struct take *t, const cJSON *array, const struct raw_record *raw, int count,
                         const struct header *h)
{
    const cJSON *record;
    int64_t seq = 0, before = h->prev;
    int i = 0;

    cJSON_ArrayForEach(record, array)
    {
        bool numbered = whole_at(record, "seq", &seq);

        if (numbered != h->stored)
            violation(t->v, t->g, "%s: a record %s number", stream_kinds[t->kind],
                      numbered ? "not stored has a" : "has no");
        else if (numbered &&
                 (seq <= before || (i == 0 && seq != h->first) || (i == count - 1 && seq != h->last)))
            violation(t->v, t->g, "%s %lld: out of order, or not as first and last say",
                      stream_kinds[t->kind], (long long)seq);
        else if (numbered)
            take_numbered(t, record, &raw[i], seq, before);
        else
            take_unstored(t, record, &raw[i]);
        before = numbered ? seq : before;
        i++;
    }
}

/* The message says "unsynced" when one of its records does. */
static void check_clock(const struct take *t, const cJSON *json, const cJSON *array)
{
    const cJSON *record;
    bool unsynced = false;

    cJSON_ArrayForEach(record, array) unsynced = unsynced || cJSON_HasObjectItem(record, "clock");
    if (unsynced != (cJSON_HasObjectItem(json, "clock") != 0))
        violation(t->v, t->g, "%s: the message and its records do not say the same of the clock",
                  stream_kinds[t->kind]);
}

void stream_take(struct gateway *g, const struct platform_message *m, enum stream_kind kind,
                 const cJSON *json, struct violations *v, const struct gateway_sink *sink)
{
    const struct take t = {g, kind, &g->ledgers[kind], v, sink};
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, "records");
    struct raw_record *raw;
    struct header h = {0};
    int count = cJSON_GetArraySize(array);

    if (!check_header(&t, json, &h))
        return;
    if (count < 1 || count > RECORDS_MAX) {
        violation(v, g, "%s: %d records", m->topic, count);
        return;
    }
    raw = calloc((size_t)count, sizeof *raw);
    if (!raw || raw_records(m->payload, m->length, raw, count) != count) {
        violation(v, g, "%s: records that cannot be told apart", m->topic);
        free(raw);
        return;
    }
    t.l->messages++;
    t.l->backfill_messages += h.backfill;
    check_clock(&t, json, array);
    take_records(&t, array, raw, count, &h);
    free(raw);
}
