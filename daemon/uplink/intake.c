#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "uplink/core.h"

void intake_init(struct uplink *u)
{
    for (size_t i = 0; i < TRANSPORT_SUBSCRIPTIONS; i++)
        retry_init(&u->intake.subscriptions[i].retry);
    u->intake.subscriptions[TRANSPORT_COMMAND].wanted = u->conf->may != 0;
    u->intake.subscriptions[TRANSPORT_RECEIPT].wanted = u->conf->receipts;
}

void intake_reset(struct uplink *u)
{
    for (size_t i = 0; i < TRANSPORT_SUBSCRIPTIONS; i++) {
        u->intake.subscriptions[i].held = false;
        u->intake.subscriptions[i].until_ms = 0;
        u->intake.subscriptions[i].retry.until_ms = 0;
        u->intake.detail[i][0] = '\0';
    }
}

static void note(struct uplink *u, enum note note, const char *text)
{
    struct intake *in = &u->intake;
    const int64_t now_ms = loop_mono_ms(u->loop);

    if (in->noted[note] && now_ms < in->noted_ms[note] + NOTE_EVERY_MS)
        return;
    in->noted[note] = true;
    in->noted_ms[note] = now_ms;
    if (u->port.note)
        u->port.note(u->port.arg, u->conf->name, text);
}

/* ---- subscriptions ---- */

static void subscription_failed(struct uplink *u, enum transport_subscription id, const char *reason)
{
    struct subscription *s = &u->intake.subscriptions[id];
    char *detail = u->intake.detail[id];

    s->until_ms = 0;
    retry_failed(u, &s->retry);
    (void)text_format(detail, sizeof(u->intake.detail[id]), "cannot subscribe to %s: %s",
                      id == TRANSPORT_COMMAND ? "command" : "receipt", reason);
    note(u, id == TRANSPORT_COMMAND ? NOTE_COMMANDS : NOTE_RECEIPTS, detail);
}

static void subscribe(struct uplink *u, enum transport_subscription id, int64_t now_ms)
{
    struct subscription *s = &u->intake.subscriptions[id];
    enum rg_err err;

    if (!s->wanted || s->held)
        return;
    if (s->until_ms != 0 && now_ms >= s->until_ms)
        subscription_failed(u, id, "no answer");
    if (s->until_ms != 0) {
        uplink_wake_by(u, s->until_ms);
        return;
    }
    if (now_ms < s->retry.until_ms) {
        uplink_wake_by(u, s->retry.until_ms);
        return;
    }
    err = u->ops->subscribe(u->transport, u->topics.in[id], id);
    if (err != RG_OK) {
        subscription_failed(u, id, rg_err_text(err));
        return;
    }
    s->until_ms = now_ms + SUBACK_MS;
    uplink_wake_by(u, s->until_ms);
}

void intake_subscribed(struct uplink *u, enum transport_subscription id, const char *refused)
{
    struct subscription *s = &u->intake.subscriptions[id];

    if (!s->wanted || !session_is_up(&u->session))
        return;
    if (refused) {
        if (s->until_ms != 0)
            subscription_failed(u, id, refused);
        return;
    }
    s->held = true;
    s->until_ms = 0;
    u->intake.detail[id][0] = '\0';
    backoff_reset(&s->retry.backoff);
}

/* ---- receipts ---- */

static void receipt_refused(struct uplink *u, const char *why)
{
    char text[160];

    u->stats.receipts_refused++;
    (void)text_format(text, sizeof(text), "a receipt that makes no sense is ignored: %s", why);
    note(u, NOTE_BAD_RECEIPT, text);
}

static void take_receipt(struct uplink *u, const struct transport_message *m)
{
    const int64_t now_ms = loop_mono_ms(u->loop);
    enum stream stream = STREAM_COUNT;
    int64_t upto = 0;
    char why[96];

    if (m->retained || !receipt_parse(m->payload, m->length, &stream, &upto)) {
        receipt_refused(u, m->retained ? "it was kept by the broker" : "it is not {stream, upto}");
        return;
    }
    switch (receipt_take(&u->receipts[stream], &u->cursors[stream], upto, now_ms)) {
    case RECEIPT_REFUSED:
        (void)text_format(why, sizeof(why), "%s up to %" PRId64, stream_name(stream), upto);
        receipt_refused(u, why);
        return;
    case RECEIPT_OLD:
        u->stats.receipts_refused++; /* natural enough where messages may come twice, so nobody is told */
        return;
    case RECEIPT_KNOWN:
        return;
    case RECEIPT_MOVED:
        break;
    }
    u->stats.receipts++;
    u->stats.last_ack_wall_ms = loop_wall_ms(u->loop);
    u->keeps[stream].dirty = true;
    u->intake.silence[0] = '\0';
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (u->lanes[i].stream == stream)
            lane_catch_up(&u->lanes[i]);
}

static bool is_being_sent(struct uplink *u, enum stream stream)
{
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (u->lanes[i].stream == stream && u->lanes[i].fill && !lane_is_empty(&u->lanes[i]))
            return true;
    return false;
}

/* What the broker has taken and the platform does not speak of: it may be lost on the way. */
static void look_for_receipts(struct uplink *u, enum stream stream, int64_t now_ms)
{
    struct receipt *r = &u->receipts[stream];
    const bool busy = !u->intake.subscriptions[TRANSPORT_RECEIPT].held || is_being_sent(u, stream);
    const int64_t until_ms = receipt_look(r, &u->cursors[stream], busy, now_ms);

    if (until_ms > now_ms) {
        if (until_ms < NEVER)
            uplink_wake_by(u, until_ms);
        return;
    }
    (void)text_format(u->intake.silence, sizeof(u->intake.silence),
                      "no receipt for %s after %" PRId64 ", waited %" PRId64 " s: sent again",
                      stream_name(stream), r->held.acked, r->patience_ms / 1000);
    note(u, NOTE_NO_RECEIPT, u->intake.silence);
    receipt_again(r, &u->cursors[stream], now_ms);
    u->paced_upto[stream] = u->cursors[stream].acked;
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (u->lanes[i].stream == stream && u->lanes[i].fill)
            lane_go_back(&u->lanes[i], 1);
}

/* ---- what comes in ---- */

static void take_request(struct uplink *u, const struct transport_message *m)
{
    struct uplink_request request = {.text = m->length <= UPLINK_COMMAND_BYTES ? m->payload : NULL,
                                     .length = m->length,
                                     .retained = m->retained,
                                     .response_topic = m->response_topic,
                                     .correlation = m->correlation,
                                     .correlation_length = m->correlation_length};

    if (request.response_topic && !reply_topic_good(request.response_topic, u->conf->topic_root))
        request.response_topic = NULL;
    u->stats.requests++;
    if (u->port.request)
        u->port.request(u->port.arg, u->conf->name, &request);
}

void intake_take(struct uplink *u, const struct transport_message *m, size_t dropped)
{
    if (dropped > 0) {
        u->stats.requests_dropped += dropped;
        note(u, NOTE_FLOOD, "more commands came at once than are taken in; some were dropped");
    }
    if (!m || session_is_ending(&u->session))
        return;
    if (m->id == TRANSPORT_COMMAND && u->conf->may != 0)
        take_request(u, m);
    else if (m->id == TRANSPORT_RECEIPT && u->conf->receipts)
        take_receipt(u, m);
}

void intake_run(struct uplink *u, int64_t now_ms)
{
    if (session_is_ending(&u->session))
        return;
    for (int i = 0; i < TRANSPORT_SUBSCRIPTIONS; i++)
        subscribe(u, (enum transport_subscription)i, now_ms);
    for (int i = 0; u->conf->receipts && i < STREAM_COUNT; i++)
        look_for_receipts(u, (enum stream)i, now_ms);
}
