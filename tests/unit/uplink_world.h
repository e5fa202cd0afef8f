/* An uplink with everything around it in memory and virtual time: a store of numbered records, a broker, a
 * platform that checks what it gets. For test_uplink_uplink.c and test_uplink_property.c. */
#ifndef RG_TESTS_UPLINK_WORLD_H
#define RG_TESTS_UPLINK_WORLD_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/random.h"
#include "support_site.h"
#include "support_transport.h"
#include "uplink/uplink.h"
#include "virtual_loop.h"

#define WORLD_RECORDS 40000
#define WORLD_FETCHES 16
#define WORLD_PORT 1883
#define WORLD_REPLIES 1024

struct world_record {
    enum level level, was;
    uint32_t device;
    bool unsynced;
};

struct world_fetch {
    bool used;
    enum stream stream;
    int64_t from, upto;
    size_t max_count, max_bytes;
    const struct stream_filter *filter;
    uplink_chunk_cb cb;
    void *cb_arg;
    int64_t at_ms;
};

struct world_seen {
    unsigned times;
    int64_t first_ms, last_ms;
    bool backfill; /* of the first time */
};

struct world {
    struct loop *loop;
    struct support_site site;
    struct site_uplink conf;
    bool devices[4];
    struct support_broker *broker;
    struct uplink *uplink;
    uint64_t seed;

    /* the store */
    int64_t head[STREAM_COUNT];
    int64_t gone[STREAM_COUNT];
    struct world_record *records[STREAM_COUNT];
    size_t record_bytes; /* padding of telemetry records */
    struct world_fetch fetches[WORLD_FETCHES];
    struct loop_timer *fetch_timer;
    int64_t fetch_ms;
    int64_t scan_max; /* records that one fetch looks at, at most; 0: no limit */
    unsigned again;   /* so many further fetches are answered with RG_EAGAIN */
    unsigned broken;  /* so many further chunks carry an error */
    unsigned asked;
    struct cursor saved[STREAM_COUNT];
    unsigned puts[STREAM_COUNT];

    /* the platform */
    struct world_seen *seen[STREAM_COUNT];
    int64_t highest_alarm;
    unsigned unstored;
    bool alarm_out_of_order;

    unsigned ups, downs;
    bool done;

    /* what it asked for, what it was told */
    unsigned requests, notes;
    struct uplink_request request; /* the last; its text is `asked_text` */
    char asked_text[256], note[256];
    unsigned replies;
    bool reply_seen[WORLD_REPLIES];                           /* by the number that is its text */
    char reply_topic[512], reply[256], reply_correlation[64]; /* the last */
};

/* ---- the store ---- */

static bool world_meant(const struct world *w, enum stream stream, int64_t seq)
{
    const struct world_record *r = &w->records[stream][seq];

    if (stream == STREAM_ALARM)
        return r->level >= w->conf.alarms_from || r->was >= w->conf.alarms_from;
    if (stream == STREAM_TELEMETRY)
        return w->conf.telemetry_send && (!w->conf.telemetry_devices || w->conf.telemetry_devices[r->device]);
    return true;
}

static int64_t world_prev(const struct world *w, enum stream stream, int64_t seq)
{
    for (seq--; seq > 0; seq--)
        if (world_meant(w, stream, seq))
            return seq;
    return 0;
}

static void world_answer(struct world *w, struct world_fetch *f)
{
    const struct world_fetch asked = *f;
    struct chunk chunk = {.scanned_to = asked.from - 1};
    char *bodies = malloc(asked.max_bytes + w->record_bytes + 1024);
    const int64_t low = asked.from > w->gone[asked.stream] ? asked.from : w->gone[asked.stream] + 1;

    assert_non_null(bodies);
    f->used = false;
    if (w->broken > 0) {
        w->broken--;
        chunk.error = RG_EIO;
    }
    if (low > asked.from)
        chunk.scanned_to = low - 1;
    for (int64_t seq = low; chunk.error == RG_OK && seq <= asked.upto; seq++) {
        if (w->scan_max > 0 && seq >= asked.from + w->scan_max)
            break;
        if (world_meant(w, asked.stream, seq)) {
            if (chunk.count == asked.max_count || chunk.length >= asked.max_bytes)
                break;
            chunk.length += (size_t)sprintf(bodies + chunk.length, "%s{\"seq\":%" PRId64 ",\"pad\":\"%*s\"}",
                                            chunk.count ? "," : "", seq,
                                            asked.stream == STREAM_TELEMETRY ? (int)w->record_bytes : 0, "");
            if (chunk.count == 0) {
                chunk.first = seq;
                chunk.prev = world_prev(w, asked.stream, seq);
            }
            chunk.count++;
            chunk.last = seq;
            chunk.unsynced = chunk.unsynced || w->records[asked.stream][seq].unsynced;
        }
        chunk.scanned_to = seq;
    }
    /* Nothing behind the bytes: whoever reads on is caught. */
    chunk.bodies = bodies = realloc(bodies, chunk.length ? chunk.length : 1);
    asked.cb(asked.cb_arg, &chunk);
    free(bodies);
}

static void world_arm(struct world *w)
{
    int64_t at_ms = INT64_MAX;

    for (size_t i = 0; i < WORLD_FETCHES; i++)
        if (w->fetches[i].used && w->fetches[i].at_ms < at_ms)
            at_ms = w->fetches[i].at_ms;
    if (at_ms < INT64_MAX)
        loop_timer_at(w->fetch_timer, at_ms);
}

static void world_fetch_cb(void *arg)
{
    struct world *w = arg;

    for (size_t i = 0; i < WORLD_FETCHES; i++)
        if (w->fetches[i].used && w->fetches[i].at_ms <= loop_mono_ms(w->loop))
            world_answer(w, &w->fetches[i]);
    world_arm(w);
}

static enum rg_err world_fetch(void *arg, enum stream stream, int64_t from, int64_t upto, size_t max_count,
                               size_t max_bytes, const struct stream_filter *filter, uplink_chunk_cb cb,
                               void *cb_arg)
{
    struct world *w = arg;

    assert_true(from >= 1 && upto >= from && upto <= w->head[stream]);
    assert_true(max_count >= 1 && max_count <= UPLINK_MESSAGE_RECORDS && max_bytes <= UPLINK_MESSAGE_BYTES);
    assert_int_equal(filter->alarm_from, w->conf.alarms_from);
    assert_ptr_equal(filter->devices, w->conf.telemetry_devices);
    w->asked++;
    if (w->again > 0) {
        w->again--;
        return RG_EAGAIN;
    }
    for (size_t i = 0; i < WORLD_FETCHES; i++)
        assert_false(w->fetches[i].used && w->fetches[i].cb_arg == cb_arg); /* one at a time for each lane */
    for (size_t i = 0; i < WORLD_FETCHES; i++) {
        if (w->fetches[i].used)
            continue;
        w->fetches[i] = (struct world_fetch){.used = true,
                                             .stream = stream,
                                             .from = from,
                                             .upto = upto,
                                             .max_count = max_count,
                                             .max_bytes = max_bytes,
                                             .filter = filter,
                                             .cb = cb,
                                             .cb_arg = cb_arg,
                                             .at_ms = loop_mono_ms(w->loop) + w->fetch_ms};
        world_arm(w);
        return RG_OK;
    }
    fail_msg("more fetches than lanes");
    return RG_EAGAIN;
}

static void world_fetch_cancel(void *arg, void *cb_arg)
{
    struct world *w = arg;

    for (size_t i = 0; i < WORLD_FETCHES; i++)
        if (w->fetches[i].cb_arg == cb_arg)
            w->fetches[i].used = false;
}

static enum rg_err world_cursor_put(void *arg, const char *uplink, enum stream stream,
                                    const struct cursor *cursor)
{
    struct world *w = arg;

    assert_string_equal(uplink, "county");
    assert_true(cursor->acked <= w->head[stream] && cursor->range_count <= CURSOR_RANGES);
    w->saved[stream] = *cursor;
    w->puts[stream]++;
    return RG_OK;
}

static int64_t world_gone(void *arg, enum stream stream)
{
    const struct world *w = arg;

    return w->gone[stream];
}

static void world_link(void *arg, const char *uplink, bool up, const char *detail)
{
    struct world *w = arg;

    assert_string_equal(uplink, "county");
    assert_non_null(detail);
    if (up)
        w->ups++;
    else
        w->downs++;
    assert_true(w->ups == w->downs || w->ups == w->downs + 1);
}

static void world_request(void *arg, const char *uplink, const struct uplink_request *request)
{
    struct world *w = arg;

    assert_string_equal(uplink, "county");
    w->requests++;
    w->request = *request;
    (void)snprintf(w->asked_text, sizeof(w->asked_text), "%.*s", request->text ? (int)request->length : 0,
                   request->text ? request->text : "");
}

static void world_note(void *arg, const char *uplink, const char *text)
{
    struct world *w = arg;

    assert_string_equal(uplink, "county");
    w->notes++;
    (void)snprintf(w->note, sizeof(w->note), "%s", text);
}

static const struct uplink_port world_port = {
    .fetch = world_fetch,
    .fetch_cancel = world_fetch_cancel,
    .cursor_put = world_cursor_put,
    .gone = world_gone,
    .link = world_link,
    .request = world_request,
    .note = world_note,
};

/* ---- the platform ---- */

static enum stream world_stream_of(const char *topic)
{
    for (int i = 0; i < STREAM_COUNT; i++)
        if (strcmp(strrchr(topic, '/') + 1, stream_name((enum stream)i)) == 0)
            return (enum stream)i;
    return STREAM_COUNT;
}

static void world_take(struct world *w, enum stream stream, const struct json *message)
{
    const bool backfill = json_bool(json_get(message, "backfill"), false);
    const int64_t prev = json_int(json_get(message, "prev"), 0);
    int64_t expected = json_int(json_get(message, "first"), -1);
    int64_t last = 0;

    if (prev != world_prev(w, stream, expected))
        fail_msg("seed %" PRIu64 ": prev of %" PRId64 " is %" PRId64, w->seed, expected, prev);
    for (const struct json *r = json_first(json_get(message, "records")); r; r = json_next(r)) {
        const int64_t seq = json_int(json_get(r, "seq"), -1);
        struct world_seen *seen = NULL;

        if (seq < 1 || seq > w->head[stream] || !world_meant(w, stream, seq) ||
            (last && world_prev(w, stream, seq) != last) || (!last && seq != expected))
            fail_msg("seed %" PRIu64 ": %s %" PRId64 " does not belong there", w->seed, stream_name(stream),
                     seq);
        seen = &w->seen[stream][seq];
        seen->last_ms = loop_mono_ms(w->loop);
        if (seen->times++ == 0) {
            seen->first_ms = loop_mono_ms(w->loop);
            seen->backfill = backfill;
            if (stream == STREAM_ALARM) {
                w->alarm_out_of_order = w->alarm_out_of_order || seq < w->highest_alarm;
                w->highest_alarm = seq > w->highest_alarm ? seq : w->highest_alarm;
            }
        }
        last = seq;
    }
    if (last != json_int(json_get(message, "last"), -1))
        fail_msg("seed %" PRIu64 ": last is not the last", w->seed);
}

/* A test's response topics begin with "answers" or are the topic `reply`. */
static bool world_is_reply(const struct support_message *m)
{
    return strncmp(m->topic, "answers", 7) == 0 || strcmp(strrchr(m->topic, '/') + 1, "reply") == 0;
}

static void world_reply(struct world *w, const struct support_message *m)
{
    if (m->refused)
        return;
    w->replies++;
    w->reply_seen[strtoul(m->payload, NULL, 10) % WORLD_REPLIES] = true;
    assert_false(m->retained);
    (void)snprintf(w->reply_topic, sizeof(w->reply_topic), "%s", m->topic);
    (void)snprintf(w->reply, sizeof(w->reply), "%s", m->payload);
    (void)snprintf(w->reply_correlation, sizeof(w->reply_correlation), "%.*s", (int)m->correlation_length,
                   m->correlation ? m->correlation : "");
}

static void world_arrived(void *arg, const struct support_message *m)
{
    struct world *w = arg;
    const enum stream stream = world_stream_of(m->topic);
    struct json *root = NULL;

    if (world_is_reply(m)) {
        world_reply(w, m);
        return;
    }
    assert_int_equal(strncmp(m->topic, w->conf.topic_root, strlen(w->conf.topic_root)), 0);
    assert_int_equal(m->retained, stream == STREAM_COUNT);
    assert_int_equal(json_parse(m->payload, m->length, 16 << 20, &root), RG_OK);
    if (stream < STREAM_COUNT && !m->refused) {
        assert_int_equal(json_int(json_get(root, "v"), 0), 1);
        assert_string_equal(json_string(json_get(root, "ent")), w->site.site.gateway.ent_code);
        assert_string_equal(json_string(json_get(root, "gw")), w->site.site.gateway.id);
        assert_string_equal(json_string(json_get(root, "stream")), stream_name(stream));
        if (!json_bool(json_get(root, "stored"), true))
            w->unstored++;
        else
            world_take(w, stream, root);
    }
    json_free(root);
}

/* Everything meant for the uplink is there; false and a word about what is not. */
static inline bool world_complete(const struct world *w)
{
    for (int s = 0; s < STREAM_COUNT; s++) {
        for (int64_t seq = w->gone[s] + 1; seq <= w->head[s]; seq++) {
            if (world_meant(w, (enum stream)s, seq) && w->seen[s][seq].times == 0) {
                print_message("seed %" PRIu64 ": %s %" PRId64 " of %" PRId64 " is missing\n", w->seed,
                              stream_name((enum stream)s), seq, w->head[s]);
                return false;
            }
        }
    }
    return true;
}

/* ---- life ---- */

static void world_open(struct world *w)
{
    memset(w, 0, sizeof(*w));
    assert_int_equal(loop_create(&w->loop), RG_OK);
    support_site_build(&w->site,
                       "device d0\npoint p\ndevice d1\npoint p\ndevice d2\npoint p\ndevice d3\npoint p\n");
    w->conf = (struct site_uplink){.name = "county",
                                   .host = "127.0.0.1",
                                   .port = WORLD_PORT,
                                   .client_id = "riskgate-gw-01-county",
                                   .topic_root = "riskgate/v1/E/gw-01",
                                   .keepalive_ms = 30000,
                                   .telemetry_send = true,
                                   .alarms_from = LEVEL_BLUE,
                                   .backfill_rate = 200};
    w->broker = support_broker_create(w->loop, WORLD_PORT);
    w->broker->arrived = world_arrived;
    w->broker->arg = w;
    w->fetch_ms = 2;
    w->seed = 1;
    for (int s = 0; s < STREAM_COUNT; s++) {
        w->records[s] = calloc(WORLD_RECORDS + 1, sizeof(struct world_record));
        w->seen[s] = calloc(WORLD_RECORDS + 1, sizeof(struct world_seen));
        assert_true(w->records[s] && w->seen[s]);
    }
    assert_int_equal(loop_timer_create(w->loop, world_fetch_cb, w, &w->fetch_timer), RG_OK);
}

/* Makes the uplink from what was saved, and starts it. */
static void world_start(struct world *w)
{
    static const char will[] = "{\"v\":1,\"online\":false}";
    static const char online[] = "{\"v\":1,\"online\":true}";
    struct uplink_port port = world_port;

    port.arg = w;
    w->done = false;
    assert_int_equal(uplink_create(w->loop, &w->site.site, &w->conf, &support_transport, &port, w->saved,
                                   w->head, w->seed, &w->uplink),
                     RG_OK);
    assert_int_equal(uplink_doc(w->uplink, UPLINK_DOC_STATE, online, sizeof(online) - 1), RG_OK);
    assert_int_equal(uplink_start(w->uplink, will, sizeof(will) - 1), RG_OK);
}

static void world_kill(struct world *w)
{
    uplink_destroy(w->uplink);
    w->uplink = NULL;
    w->ups = w->downs = 0;
}

static void world_close(struct world *w)
{
    world_kill(w);
    for (size_t i = 0; i < WORLD_FETCHES; i++)
        assert_false(w->fetches[i].used);
    support_broker_destroy(w->broker);
    loop_timer_destroy(w->fetch_timer);
    assert_int_equal(loop_destroy(w->loop), RG_OK);
    for (int s = 0; s < STREAM_COUNT; s++) {
        free(w->records[s]);
        free(w->seen[s]);
    }
    support_site_free(&w->site);
}

static void world_run(struct world *w, int64_t ms)
{
    (void)virtual_loop_run_for(w->loop, ms);
}

/* Commits records without telling the uplink. */
static void world_commit(struct world *w, enum stream stream, int count)
{
    assert_true(w->head[stream] + count <= WORLD_RECORDS);
    for (int i = 0; i < count; i++)
        w->records[stream][++w->head[stream]] =
            (struct world_record){.level = LEVEL_RED, .device = (uint32_t)(w->head[stream] % 4)};
}

static inline void world_add(struct world *w, enum stream stream, int count)
{
    world_commit(w, stream, count);
    uplink_head(w->uplink, w->head);
}

/* What the platform sends. False: nobody listens. */
static inline bool world_send(struct world *w, enum transport_subscription id, const char *text)
{
    const struct support_incoming message = {.id = (unsigned)id, .payload = text, .length = strlen(text)};

    return support_broker_send(w->broker, &message);
}

static inline bool world_receipt(struct world *w, enum stream stream, int64_t upto)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "{\"stream\":\"%s\",\"upto\":%" PRId64 "}", stream_name(stream), upto);
    return world_send(w, TRANSPORT_RECEIPT, text);
}

/* Up to where the platform has everything that is meant for it. */
static inline int64_t world_has_upto(const struct world *w, enum stream stream)
{
    int64_t upto = w->gone[stream];

    for (int64_t seq = upto + 1; seq <= w->head[stream]; seq++) {
        if (!world_meant(w, stream, seq))
            continue;
        if (w->seen[stream][seq].times == 0)
            break;
        upto = seq;
    }
    return upto;
}

static struct uplink_stats world_stats(const struct world *w)
{
    struct uplink_stats stats;

    uplink_stats(w->uplink, &stats);
    return stats;
}

static void world_done_cb(void *arg)
{
    ((struct world *)arg)->done = true;
}

static inline void world_stop(struct world *w, int64_t timeout_ms)
{
    static const char final[] = "{\"v\":1,\"online\":false,\"final\":true}";

    uplink_stop(w->uplink, final, sizeof(final) - 1, timeout_ms, world_done_cb, w);
}

#endif
