#include <stdio.h>
#include <stdlib.h>

#include "uplink/core.h"
#include "uplink/cursor.h"

static char *topic_below(const struct site_uplink *conf, const char *name)
{
    char *topic = NULL;

    return asprintf(&topic, "%s/%s", conf->topic_root, name) < 0 ? NULL : topic;
}

static enum rg_err make_topics(struct uplink *u)
{
    static const char *const docs[UPLINK_DOC_COUNT] = {
        [UPLINK_DOC_STATE] = "state", [UPLINK_DOC_ABOUT] = "about", [UPLINK_DOC_RISK] = "risk"};

    for (size_t i = 0; i < STREAM_COUNT; i++) {
        u->topics.stream[i] = topic_below(u->conf, stream_name((enum stream)i));
        if (!u->topics.stream[i])
            return RG_ENOMEM;
    }
    for (size_t i = 0; i < UPLINK_DOC_COUNT; i++) {
        u->topics.doc[i] = topic_below(u->conf, docs[i]);
        if (!u->topics.doc[i])
            return RG_ENOMEM;
    }
    u->topics.in[TRANSPORT_COMMAND] = topic_below(u->conf, "command");
    u->topics.in[TRANSPORT_RECEIPT] = topic_below(u->conf, "receipt");
    u->topics.reply = topic_below(u->conf, "reply");
    return u->topics.in[TRANSPORT_COMMAND] && u->topics.in[TRANSPORT_RECEIPT] && u->topics.reply ? RG_OK
                                                                                                 : RG_ENOMEM;
}

static void init_cursors(struct uplink *u, const struct cursor cursors[STREAM_COUNT],
                         const int64_t head[STREAM_COUNT])
{
    for (size_t i = 0; i < STREAM_COUNT; i++) {
        u->head[i] = head[i] > 0 ? head[i] : 0;
        u->cursors[i] = cursors[i];
        cursor_repair(&u->cursors[i], u->head[i]);
        receipt_init(&u->receipts[i], &u->cursors[i], u->head[i], loop_mono_ms(u->loop));
        u->keeps[i].put_ranges = u->cursors[i].range_count;
        u->keeps[i].put_ms = loop_mono_ms(u->loop) - CURSOR_PUT_MS;
    }
    uplink_forgo_unsent(u);
}

void uplink_resume(struct uplink *u, const struct cursor cursors[STREAM_COUNT],
                   const int64_t head[STREAM_COUNT])
{
    init_cursors(u, cursors, head);
}

enum rg_err uplink_create(struct loop *loop, const struct site *site, const struct site_uplink *conf,
                          const struct transport_ops *transport, const struct uplink_port *port,
                          const struct cursor cursors[STREAM_COUNT], const int64_t head[STREAM_COUNT],
                          uint64_t seed, struct uplink **out)
{
    struct uplink *u = calloc(1, sizeof(*u));
    enum rg_err err;

    if (!u)
        return RG_ENOMEM;
    u->loop = loop;
    u->stats.since_wall_ms = loop_wall_ms(loop);
    u->site = site;
    u->conf = conf;
    u->ops = transport;
    u->port = *port;
    u->filter = (struct stream_filter){.alarm_from = conf->alarms_from,
                                       .devices = conf->telemetry_devices,
                                       .device_count = site->device_count};
    session_init(&u->session, UPLINK_BACKOFF_FIRST_MS, UPLINK_BACKOFF_CAP_MS, UPLINK_STABLE_MS, seed);
    random_seed(&u->random, ~seed);
    window_init(&u->window);
    pace_init(&u->pace, conf->backfill_rate, UPLINK_MESSAGE_RECORDS, loop_mono_ms(loop));
    jsonw_init(&u->scratch, 0);
    retry_init(&u->unstored_retry);
    retry_init(&u->replies_retry);
    intake_init(u);
    for (size_t i = 0; i < UPLINK_DOC_COUNT; i++)
        retry_init(&u->docs[i].retry);
    for (size_t i = 0; i < LANE_COUNT; i++)
        lane_init(&u->lanes[i], u, (enum lane_id)i);
    init_cursors(u, cursors, head);
    err = make_topics(u);
    if (err == RG_OK)
        err = loop_timer_create(loop, uplink_timer_cb, u, &u->timer);
    if (err == RG_OK)
        err = u->ops->create(loop, conf, &uplink_transport_cbs, u, &u->transport);
    if (err != RG_OK) {
        uplink_destroy(u);
        return err;
    }
    *out = u;
    return RG_OK;
}

void uplink_destroy(struct uplink *u)
{
    if (!u)
        return;
    if (u->transport)
        u->ops->destroy(u->transport);
    loop_timer_destroy(u->timer);
    for (size_t i = 0; i < LANE_COUNT; i++)
        lane_free(&u->lanes[i]);
    for (size_t i = 0; i < STREAM_COUNT; i++)
        free(u->topics.stream[i]);
    for (size_t i = 0; i < UPLINK_DOC_COUNT; i++) {
        free(u->topics.doc[i]);
        free(u->docs[i].text);
    }
    for (size_t i = 0; i < TRANSPORT_SUBSCRIPTIONS; i++)
        free(u->topics.in[i]);
    free(u->topics.reply);
    unstored_clear(&u->unstored);
    replies_clear(&u->replies);
    jsonw_free(&u->scratch);
    free(u->will);
    free(u->final);
    free(u);
}
