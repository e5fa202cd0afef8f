#include "uplink/about.h"
#include "uplink/core.h"
#include "uplink/cursor.h"
#include "uplink/payload.h"

/* ---- documents and unstored alarms ---- */

static uint64_t send_text(struct uplink *u, enum uplink_doc doc, const struct jsonw *text)
{
    const struct outgoing o = {.topic = u->topics.doc[doc], .retained = true};

    return uplink_send(u, OWNER_DOC + (unsigned)doc, false, &o, text, 0, 0);
}

static uint64_t send_made(struct uplink *u, enum uplink_doc doc)
{
    struct jsonw text;
    uint64_t token = 0;

    jsonw_init(&text, 0);
    about_write(u->site, &text);
    if (jsonw_error(&text) == RG_OK)
        token = send_text(u, doc, &text);
    else
        uplink_detail(u, "the document `about` cannot be made", rg_err_text(jsonw_error(&text)));
    if (token != 0)
        u->docs[doc].stamp = about_stamp(&text);
    jsonw_free(&text);
    return token;
}

/* One of a kind at a time in flight: the newest follows when that is acknowledged. */
static bool send_doc(struct uplink *u, enum uplink_doc doc, int64_t now_ms)
{
    struct document *d = &u->docs[doc];
    const struct jsonw view = {.text = d->text, .length = d->length, .fixed = true};

    if (!(d->text || d->made) || !d->due || window_count(&u->window, OWNER_DOC + (unsigned)doc) > 0)
        return true;
    if (now_ms < d->retry.until_ms) {
        uplink_wake_by(u, d->retry.until_ms);
        return true;
    }
    if (!window_has_room(&u->window, false, d->length))
        return false;
    if ((d->made ? send_made(u, doc) : send_text(u, doc, &view)) == 0)
        retry_failed(u, &d->retry);
    else
        d->due = false;
    return true;
}

static enum rg_err compose_unstored(struct uplink *u, const struct unstored_record *r)
{
    const struct payload_head head = {
        .ent = u->site->gateway.ent_code,
        .gw = u->site->gateway.id,
        .stream = STREAM_ALARM,
        .backfill = r->late,
        .unsynced = r->unsynced,
    };

    return payload_unstored(&u->scratch, &head, r->text, r->length);
}

static bool send_unstored(struct uplink *u, int64_t now_ms)
{
    const struct outgoing o = {.topic = u->topics.stream[STREAM_ALARM], .alias = 1 + STREAM_ALARM};
    struct unstored_record *r = unstored_next(&u->unstored);

    if (r && now_ms < u->unstored_retry.until_ms) {
        uplink_wake_by(u, u->unstored_retry.until_ms);
        return true;
    }
    for (; r; r = unstored_next(&u->unstored)) {
        if (!window_has_room(&u->window, false, r->length))
            return false;
        if (compose_unstored(u, r) == RG_OK)
            r->token = uplink_send(u, OWNER_UNSTORED, false, &o, &u->scratch, 0, 0);
        if (r->token == 0) {
            retry_failed(u, &u->unstored_retry);
            return true;
        }
    }
    return true;
}

/* Few at a time: whoever asks much gets his answers late, and nobody's alarm waits for them. */
static bool send_replies(struct uplink *u, int64_t now_ms)
{
    struct reply *r = replies_next(&u->replies);

    if (r && now_ms < u->replies_retry.until_ms) {
        uplink_wake_by(u, u->replies_retry.until_ms);
        return true;
    }
    for (; r && window_count(&u->window, OWNER_REPLY) < REPLIES_IN_FLIGHT; r = replies_next(&u->replies)) {
        const struct transport_answer answer = {.correlation = r->correlation,
                                                .length = r->correlation_length};
        const struct outgoing o = {.topic = r->topic ? r->topic : u->topics.reply, .answer = &answer};
        struct jsonw view = {.text = r->text, .length = r->length, .fixed = true};

        if (!window_has_room(&u->window, false, r->length))
            return false;
        r->token = uplink_send(u, OWNER_REPLY, false, &o, &view, 0, 0);
        if (r->token == 0) {
            retry_failed(u, &u->replies_retry);
            return true;
        }
    }
    return true;
}

/* ---- what goes when ---- */

/* A lane fetches one chunk at a time, so it comes round here again for the next one; what was sent left room
 * to fetch. */
static bool serve_lanes(struct uplink *u, int64_t now_ms, enum lane_id first, enum lane_id last, bool open)
{
    for (enum lane_id id = first; id <= last; id++)
        if (!lane_serve(&u->lanes[id], now_ms, open))
            open = false;
    return open;
}

void pump_run(struct uplink *u, int64_t now_ms)
{
    bool open = true, alarms_told;

    if (u->session.state == SESSION_PARTING)
        return;
    open = send_unstored(u, now_ms);
    if (u->session.state == SESSION_FLUSHING) {
        open = serve_lanes(u, now_ms, LANE_ALARM, LANE_EVENT, open);
        (void)(open && send_replies(u, now_ms));
        return;
    }
    /* Two small documents that say whether the gateway is alive and how things stand: never behind a slow
     * disk. */
    open = open && send_doc(u, UPLINK_DOC_STATE, now_ms) && send_doc(u, UPLINK_DOC_RISK, now_ms);
    open = serve_lanes(u, now_ms, LANE_ALARM, LANE_ALARM, open);
    open = open && send_replies(u, now_ms);
    open = serve_lanes(u, now_ms, LANE_EVENT, LANE_REPORT, open);
    open = open && send_doc(u, UPLINK_DOC_ABOUT, now_ms);
    /* Missed alarms before what is new of anything else, but without standing in its way; what else was missed comes after
     * the last of them. */
    alarms_told = lane_serve(&u->lanes[LANE_FILL_ALARM], now_ms, open);
    open = serve_lanes(u, now_ms, LANE_TELEMETRY, LANE_TELEMETRY, open);
    (void)serve_lanes(u, now_ms, LANE_FILL_EVENT, LANE_FILL_TELEMETRY, open && alarms_told);
}

bool pump_flushed(const struct uplink *u)
{
    return u->unstored.count == 0 && u->replies.count == 0 && lane_is_empty(&u->lanes[LANE_ALARM]) &&
           lane_is_empty(&u->lanes[LANE_EVENT]);
}

/* ---- answers ---- */

void pump_acked(struct uplink *u, uint64_t token)
{
    struct window_entry *e = window_find(&u->window, token);

    if (!e)
        return;
    u->stats.acked_messages++;
    u->stats.last_ack_wall_ms = loop_wall_ms(u->loop);
    if (e->owner < LANE_COUNT) {
        lane_acked(&u->lanes[e->owner], e);
        return;
    }
    if (e->owner == OWNER_UNSTORED) {
        unstored_ack(&u->unstored, token);
        retry_worked(u, &u->unstored_retry);
    } else if (e->owner == OWNER_REPLY) {
        replies_ack(&u->replies, token);
        retry_worked(u, &u->replies_retry);
    } else if (e->owner < OWNER_UNSTORED) {
        retry_worked(u, &u->docs[e->owner - OWNER_DOC].retry);
    }
    window_remove(&u->window, e);
}

void pump_refused(struct uplink *u, uint64_t token, const char *reason)
{
    struct window_entry *e = window_find(&u->window, token);

    if (!e)
        return;
    u->stats.refused++;
    uplink_detail(u, "publish refused", reason);
    if (e->owner < LANE_COUNT) {
        lane_refused(&u->lanes[e->owner], e);
        return;
    }
    if (e->owner == OWNER_UNSTORED) {
        unstored_retry(&u->unstored, token);
        retry_failed(u, &u->unstored_retry);
    } else if (e->owner == OWNER_REPLY) {
        replies_refused(&u->replies, token);
        retry_failed(u, &u->replies_retry);
    } else if (e->owner < OWNER_UNSTORED) {
        u->docs[e->owner - OWNER_DOC].due = true;
        retry_failed(u, &u->docs[e->owner - OWNER_DOC].retry);
    }
    window_remove(&u->window, e);
}

/* ---- up and down ---- */

/* What was missed comes beside what is new, not before it, when it is much. */
static void defer_missed(struct uplink *u, enum stream stream)
{
    const int64_t most = stream == STREAM_TELEMETRY ? UPLINK_LIVE_LAG : UPLINK_RECORD_LAG;
    struct cursor *c = &u->cursors[stream];

    if (u->conf->receipts)
        *c = u->receipts[stream].held;
    if (!uplink_gets(u, stream) || u->head[stream] - c->acked <= most)
        return;
    cursor_defer(c, u->head[stream]);
    u->keeps[stream].dirty = u->keeps[stream].dirty || !u->conf->receipts;
}

void pump_up(struct uplink *u, size_t receive_max)
{
    window_reset(&u->window, receive_max);
    for (size_t i = 0; i < STREAM_COUNT; i++) {
        defer_missed(u, (enum stream)i);
        u->up_head[i] = u->head[i];
    }
    for (size_t i = 0; i < LANE_COUNT; i++) {
        lane_reset(&u->lanes[i]);
        u->lanes[i].retry.until_ms = 0;
    }
    for (size_t i = 0; i < UPLINK_DOC_COUNT; i++) {
        u->docs[i].due = true;
        u->docs[i].retry.until_ms = 0;
    }
    u->unstored_retry.until_ms = 0;
    u->replies_retry.until_ms = 0;
}

void pump_down(struct uplink *u)
{
    u->stats.resent += u->window.in_flight;
    window_reset(&u->window, UPLINK_WINDOW);
    for (size_t i = 0; i < LANE_COUNT; i++)
        lane_reset(&u->lanes[i]);
    unstored_retry_all(&u->unstored);
    replies_retry_all(&u->replies);
}

/* ---- keeping the cursors ---- */

void pump_keep_cursors(struct uplink *u, int64_t now_ms, bool at_once)
{
    for (size_t i = 0; i < STREAM_COUNT; i++) {
        struct keep *k = &u->keeps[i];
        const struct cursor *c = uplink_kept(u, (enum stream)i);

        if (!k->dirty)
            continue;
        if (!at_once && c->range_count == k->put_ranges && now_ms < k->put_ms + CURSOR_PUT_MS) {
            uplink_wake_by(u, k->put_ms + CURSOR_PUT_MS);
            continue;
        }
        k->put_ms = now_ms;
        k->put_ranges = c->range_count;
        if (u->port.cursor_put(u->port.arg, u->conf->name, (enum stream)i, c) == RG_OK)
            k->dirty = false;
        else
            uplink_wake_by(u, now_ms + CURSOR_PUT_MS);
    }
}
