/* LINK rg_uplink rg_test_support rg_loop_virtual rg_base */
/* Eight uplinks on one store: one that is dead, one mute, one that refuses everything, one that throws out, one that never
 * acknowledges, one that refuses subscriptions; the two sound ones notice nothing, and nobody's memory grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "support_site.h"
#include "support_transport.h"
#include "uplink/uplink.h"
#include "virtual_loop.h"

#define UPLINKS 8
#define PLACES 64 /* of the store, for fetches that wait (STORE_FETCH_MAX) */
#define FETCH_MS 3

enum { SOUND, DEAD, MUTE, REFUSING, THROWING_OUT, HOLDING, UNSUBSCRIBABLE, SLOW };

struct many;

struct one {
    struct many *many;
    struct site_uplink conf;
    struct support_broker *broker;
    struct uplink *uplink;
    int64_t last[STREAM_COUNT]; /* the newest record that it got, and when */
    int64_t worst_ms;           /* a live alarm's way */
    unsigned asked;
};

struct fetch {
    enum stream stream;
    int64_t from, upto;
    size_t max_count;
    uplink_chunk_cb cb;
    void *cb_arg;
};

struct many {
    struct loop *loop;
    struct support_site site;
    struct loop_timer *timer;
    struct one ones[UPLINKS];
    int64_t head[STREAM_COUNT];
    int64_t alarm_ms[100000]; /* when committed */
    struct fetch
        fetches[PLACES]; /* a queue, as the store's: one at a time, in the order asked, alarms first */
    size_t waiting, most_waiting;
};

static struct many many;

/* ---- the store ---- */

static void serve_cb(void *arg)
{
    struct many *m = arg;
    static char bodies[UPLINK_MESSAGE_RECORDS * 32];
    struct chunk chunk = {0};
    struct fetch f;
    size_t best = PLACES;

    for (size_t i = 0; i < m->waiting; i++)
        if (best == PLACES ||
            (m->fetches[i].stream == STREAM_ALARM && m->fetches[best].stream != STREAM_ALARM))
            best = i;
    if (best == PLACES)
        return;
    f = m->fetches[best];
    m->waiting--;
    memmove(&m->fetches[best], &m->fetches[best + 1], (m->waiting - best) * sizeof(f));
    chunk.first = f.from;
    chunk.prev = f.from - 1;
    for (int64_t seq = f.from; seq <= f.upto && chunk.count < f.max_count; seq++) {
        chunk.length +=
            (size_t)sprintf(bodies + chunk.length, "%s{\"seq\":%" PRId64 "}", chunk.count ? "," : "", seq);
        chunk.count++;
        chunk.last = chunk.scanned_to = seq;
    }
    chunk.bodies = bodies;
    if (m->waiting > 0)
        loop_timer_at(m->timer, loop_mono_ms(m->loop) + FETCH_MS);
    f.cb(f.cb_arg, &chunk);
}

static enum rg_err fetch(void *arg, enum stream stream, int64_t from, int64_t upto, size_t max_count,
                         size_t max_bytes, const struct stream_filter *filter, uplink_chunk_cb cb,
                         void *cb_arg)
{
    struct one *o = arg;
    struct many *m = o->many;

    (void)max_bytes;
    (void)filter;
    o->asked++;
    if (m->waiting == PLACES)
        return RG_EAGAIN;
    m->fetches[m->waiting++] = (struct fetch){
        .stream = stream, .from = from, .upto = upto, .max_count = max_count, .cb = cb, .cb_arg = cb_arg};
    if (m->waiting > m->most_waiting)
        m->most_waiting = m->waiting;
    if (m->waiting == 1)
        loop_timer_at(m->timer, loop_mono_ms(m->loop) + FETCH_MS);
    return RG_OK;
}

static void fetch_cancel(void *arg, void *cb_arg)
{
    struct many *m = ((struct one *)arg)->many;
    size_t kept = 0;

    for (size_t i = 0; i < m->waiting; i++)
        if (m->fetches[i].cb_arg != cb_arg)
            m->fetches[kept++] = m->fetches[i];
    m->waiting = kept;
}

static enum rg_err cursor_put(void *arg, const char *uplink, enum stream stream, const struct cursor *cursor)
{
    (void)arg;
    (void)uplink;
    (void)stream;
    (void)cursor;
    return RG_OK;
}

/* ---- the platforms ---- */

static bool refuse_all(void *arg, const struct support_message *m)
{
    (void)arg;
    (void)m;
    return true;
}

static void arrived(void *arg, const struct support_message *m)
{
    struct one *o = arg;
    struct json *root = NULL;
    int64_t last;

    if (m->retained)
        return;
    assert_int_equal(json_parse(m->payload, m->length, 1 << 20, &root), RG_OK);
    last = json_int(json_get(root, "last"), 0);
    for (int s = 0; s < STREAM_COUNT; s++)
        if (strcmp(json_string(json_get(root, "stream")), stream_name((enum stream)s)) == 0 &&
            last > o->last[s]) {
            o->last[s] = last;
            if (s == STREAM_ALARM && m->at_ms - o->many->alarm_ms[last] > o->worst_ms)
                o->worst_ms = m->at_ms - o->many->alarm_ms[last];
        }
    json_free(root);
}

static void make_sick(struct one *o, int what)
{
    switch (what) {
    case DEAD:
        o->broker->connect = SUPPORT_REFUSE;
        break;
    case MUTE:
        o->broker->connect = SUPPORT_MUTE; /* takes the connection and never answers */
        break;
    case REFUSING:
        o->broker->refuse = refuse_all;
        break;
    case THROWING_OUT:
        o->broker->kick_ms = 5;
        break;
    case HOLDING:
        o->broker->hold_acks = true;
        break;
    case UNSUBSCRIBABLE:
        o->broker->refuse_subscriptions = true;
        break;
    case SLOW:
        o->broker->delay_ms = 8000;
        break;
    default:
        break;
    }
}

static void open_one(struct many *m, size_t i)
{
    static const char names[UPLINKS][4] = {"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7"};
    const struct cursor none[STREAM_COUNT] = {0};
    struct one *o = &m->ones[i];
    const struct uplink_port port = {
        .arg = o, .fetch = fetch, .fetch_cancel = fetch_cancel, .cursor_put = cursor_put};

    o->many = m;
    o->conf = (struct site_uplink){.name = names[i],
                                   .host = "127.0.0.1",
                                   .port = (uint16_t)(2000 + i),
                                   .client_id = names[i],
                                   .topic_root = "r",
                                   .keepalive_ms = 30000,
                                   .telemetry_send = true,
                                   .backfill_rate = 200,
                                   .receipts = i == UNSUBSCRIBABLE,
                                   .may = i % 2 ? SITE_MAY_ACK : 0};
    o->broker = support_broker_create(m->loop, o->conf.port);
    o->broker->forget = true;
    o->broker->arrived = arrived;
    o->broker->arg = o;
    make_sick(o, (int)i);
    assert_int_equal(uplink_create(m->loop, &m->site.site, &o->conf, &support_transport, &port, none, m->head,
                                   i, &o->uplink),
                     RG_OK);
    assert_int_equal(uplink_start(o->uplink, "{}", 2), RG_OK);
}

/* One commit a second for a while. */
static void live(struct many *m, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        m->head[STREAM_TELEMETRY] += 20;
        m->head[STREAM_EVENT] += i % 30 == 0;
        if (i % 5 == 0)
            m->alarm_ms[++m->head[STREAM_ALARM]] = loop_mono_ms(m->loop);
        for (size_t k = 0; k < UPLINKS; k++)
            uplink_head(m->ones[k].uplink, m->head);
        (void)virtual_loop_run_for(m->loop, 1000);
    }
}

static void one_sick_uplink_costs_the_others_nothing(void **state)
{
    struct many *m = &many;
    struct uplink_stats stats;
    int64_t alone_ms;

    (void)state;
    assert_int_equal(loop_create(&m->loop), RG_OK);
    assert_int_equal(loop_timer_create(m->loop, serve_cb, m, &m->timer), RG_OK);
    support_site_build(&m->site, "device d0\npoint p\n");
    m->head[STREAM_ALARM] = m->head[STREAM_EVENT] = 3000;
    m->head[STREAM_TELEMETRY] = 20000;
    for (size_t i = 0; i < UPLINKS; i++)
        open_one(m, i);
    (void)virtual_loop_run_for(m->loop, 30000);
    for (size_t i = 0; i < UPLINKS; i++)
        m->ones[i].worst_ms = 0;
    live(m, 900);

    alone_ms =
        m->ones[SOUND].broker->delay_ms + 1 + 8 * FETCH_MS; /* its fetch behind those of everybody else */
    assert_in_range(m->ones[SOUND].worst_ms, 1, alone_ms);
    assert_int_equal(m->ones[SOUND].last[STREAM_ALARM], m->head[STREAM_ALARM]);
    assert_int_equal(m->ones[SOUND].last[STREAM_TELEMETRY], m->head[STREAM_TELEMETRY]);
    assert_in_range(m->ones[UNSUBSCRIBABLE].worst_ms, 1,
                    alone_ms); /* it is told all, though it cannot say so */
    uplink_stats(m->ones[SOUND].uplink, &stats);
    assert_true(stats.connected);
    for (int s = 0; s < STREAM_COUNT; s++)
        assert_true(stats.pending[s] <= 20);
    /* A slow line has its own delay and no more. */
    assert_in_range(m->ones[SLOW].worst_ms, 1, m->ones[SLOW].broker->delay_ms + 1000);
    /* The sick ones do not ask the store for what they cannot send. */
    assert_true(m->most_waiting <= 5 * UPLINKS);
    assert_int_equal(m->ones[DEAD].asked, 0);
    assert_int_equal(m->ones[MUTE].asked, 0);
    assert_true(m->ones[HOLDING].asked < 200);
    assert_true(m->ones[REFUSING].asked < 900);
    /* Nor do they hammer their brokers. */
    assert_true(m->ones[DEAD].broker->tries < 900 / 20);
    assert_true(m->ones[THROWING_OUT].broker->tries < 900 / 20);
    assert_true(m->ones[UNSUBSCRIBABLE].broker->subscriptions < 900 / 10);
    uplink_stats(m->ones[UNSUBSCRIBABLE].uplink, &stats);
    assert_non_null(strstr(stats.detail, "subscribe"));
    uplink_stats(m->ones[REFUSING].uplink, &stats);
    assert_non_null(strstr(stats.detail, "refused"));

    for (size_t i = 0; i < UPLINKS; i++) {
        uplink_destroy(m->ones[i].uplink);
        support_broker_destroy(m->ones[i].broker);
    }
    loop_timer_destroy(m->timer);
    assert_int_equal(loop_destroy(m->loop), RG_OK);
    support_site_free(&m->site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_sick_uplink_costs_the_others_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
