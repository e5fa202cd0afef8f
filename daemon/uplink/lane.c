#include "uplink/core.h"
#include "uplink/cursor.h"
#include "uplink/payload.h"

static const enum stream lane_streams[LANE_COUNT] = {
    [LANE_ALARM] = STREAM_ALARM,        [LANE_EVENT] = STREAM_EVENT,
    [LANE_REPORT] = STREAM_REPORT,      [LANE_TELEMETRY] = STREAM_TELEMETRY,
    [LANE_FILL_ALARM] = STREAM_ALARM,   [LANE_FILL_EVENT] = STREAM_EVENT,
    [LANE_FILL_REPORT] = STREAM_REPORT, [LANE_FILL_TELEMETRY] = STREAM_TELEMETRY,
};

void lane_init(struct lane *l, struct uplink *u, enum lane_id id)
{
    *l = (struct lane){
        .u = u, .id = id, .stream = lane_streams[id], .fill = id >= LANE_FILL_ALARM, .hole = NO_HOLE};
    l->bulk = l->fill || l->stream == STREAM_TELEMETRY;
    jsonw_init(&l->message, 0);
    retry_init(&l->retry);
}

void lane_free(struct lane *l)
{
    if (l->state == LANE_FETCHING)
        l->u->port.fetch_cancel(l->u->port.arg, l);
    jsonw_free(&l->message);
}

static struct cursor *lane_cursor(const struct lane *l)
{
    return &l->u->cursors[l->stream];
}

static struct receipt *lane_receipt(const struct lane *l)
{
    return &l->u->receipts[l->stream];
}

static void lane_settle(struct lane *l, int64_t from, int64_t to)
{
    cursor_done(lane_cursor(l), from, to);
    if (!l->u->conf->receipts)
        l->u->keeps[l->stream].dirty = true;
}

static void lane_settle_entry(struct lane *l, const struct window_entry *e)
{
    lane_settle(l, e->again < e->from ? e->from : e->again + 1, e->to);
}

void lane_reset(struct lane *l)
{
    if (l->state == LANE_FETCHING)
        l->u->port.fetch_cancel(l->u->port.arg, l);
    l->state = LANE_IDLE;
    l->hole = NO_HOLE;
    l->next = l->fill ? 1 : lane_cursor(l)->acked + 1;
}

void lane_catch_up(struct lane *l)
{
    if (!l->fill && l->next <= lane_cursor(l)->acked)
        l->next = lane_cursor(l)->acked + 1;
}

void lane_go_back(struct lane *l, int64_t seq)
{
    if (seq >= l->next || l->hole != NO_HOLE)
        return;
    if (l->state == LANE_FETCHING) {
        l->u->port.fetch_cancel(l->u->port.arg, l);
        l->state = LANE_IDLE;
    }
    l->next = seq;
}

/* Back-fill of telemetry, and whatever was asked for, keeps to the pace; missed alarms, events and reports do not. */
static bool lane_is_paced(const struct lane *l, int64_t seq)
{
    return l->fill && (l->stream == STREAM_TELEMETRY || seq <= l->u->paced_upto[l->stream]);
}

bool lane_wants(const struct lane *l, struct seq_range *out)
{
    const int64_t head = l->u->head[l->stream];
    const int64_t missed = l->u->up_head[l->stream];

    if (!uplink_gets(l->u, l->stream))
        return false;
    if (l->fill)
        return cursor_owed(lane_cursor(l), l->next, out);
    /* A message is either of what was missed or of what is new: its mark must be true for all of it. */
    *out = (struct seq_range){.first = l->next, .last = l->next <= missed && missed < head ? missed : head};
    return out->first <= out->last;
}

bool lane_is_empty(const struct lane *l)
{
    struct seq_range range;

    return l->state == LANE_IDLE && !lane_wants(l, &range) && window_count(&l->u->window, l->id) == 0;
}

/* Records that a filter left out are done as soon as everything before them is: with the message before them,
 * or now. */
static void lane_skip(struct lane *l, int64_t from, int64_t to)
{
    struct window_entry *before = l->fill ? NULL : window_highest(&l->u->window, l->id);

    if (l->u->conf->receipts && receipt_skipped(lane_receipt(l), from, to))
        l->u->keeps[l->stream].dirty = true;
    if (before)
        before->to = to;
    else
        lane_settle(l, from, to);
}

static enum rg_err lane_compose(struct lane *l, const struct chunk *chunk)
{
    const struct payload_head head = {
        .ent = l->u->site->gateway.ent_code,
        .gw = l->u->site->gateway.id,
        .stream = l->stream,
        .backfill = l->fill || chunk->last <= l->u->up_head[l->stream],
        .prev = chunk->prev,
        .first = chunk->first,
        .last = chunk->last,
        .unsynced = chunk->unsynced,
    };

    return payload_stored(&l->message, &head, chunk->bodies, chunk->length);
}

static enum rg_err lane_take(struct lane *l, const struct chunk *chunk)
{
    int64_t to = chunk->scanned_to > chunk->last ? chunk->scanned_to : chunk->last;
    enum rg_err err = chunk->error;

    if (err != RG_OK)
        return err;
    if (to > l->upto && chunk->last <= l->upto)
        to = l->upto;
    if (to < l->from)
        return RG_ESTATE; /* the store does not see yet what it said is committed */
    if (chunk->count > 0) {
        err = lane_compose(l, chunk);
        if (err != RG_OK)
            return err;
        l->state = LANE_READY;
        l->records = chunk->count;
        l->last = chunk->last;
        l->upto = to;
    } else {
        lane_skip(l, l->from, to);
    }
    if (l->next <= to)
        l->next = to + 1;
    return RG_OK;
}

static void lane_chunk_cb(void *arg, const struct chunk *chunk)
{
    struct lane *l = arg;
    enum rg_err err;

    l->state = LANE_IDLE;
    err = lane_take(l, chunk);
    if (err != RG_OK) {
        uplink_detail(l->u, "reading the store", rg_err_text(err));
        retry_failed(l->u, &l->retry);
    }
    uplink_serve(l->u);
}

static void lane_fetch(struct lane *l, int64_t now_ms)
{
    struct uplink *u = l->u;
    size_t most = UPLINK_MESSAGE_RECORDS;
    struct seq_range range;
    enum rg_err err;

    if (l->fill && l->next > 1 && window_count(&u->window, l->id) == 0 &&
        !cursor_owed(lane_cursor(l), l->next, &range))
        l->next = 1; /* what a merge of ranges owes once more lies below */
    if (!lane_wants(l, &range))
        return;
    if (lane_is_paced(l, range.first) && pace_batch(&u->pace) < most)
        most = pace_batch(&u->pace);
    l->from = range.first;
    l->upto = range.last;
    err = u->port.fetch(u->port.arg, l->stream, range.first, range.last, most, UPLINK_MESSAGE_BYTES,
                        &u->filter, lane_chunk_cb, l);
    if (err == RG_OK) {
        l->state = LANE_FETCHING;
    } else if (err == RG_EAGAIN) {
        l->retry.until_ms = now_ms + FETCH_AGAIN_MS;
        uplink_wake_by(u, l->retry.until_ms);
    } else {
        uplink_detail(u, "asking the store", rg_err_text(err));
        retry_failed(u, &l->retry);
    }
}

/* True when the message went or was to wait for nothing but its pace. */
static bool lane_send(struct lane *l, int64_t now_ms)
{
    struct uplink *u = l->u;
    const struct outgoing o = {.topic = u->topics.stream[l->stream], .alias = 1 + (unsigned)l->stream};
    const bool paced = lane_is_paced(l, l->from);

    if (paced) {
        const int64_t wait = pace_wait(&u->pace, l->records, now_ms);

        if (wait > 0) {
            uplink_wake_by(u, now_ms + wait);
            return true;
        }
    }
    if (!window_has_room(&u->window, l->bulk, l->message.length))
        return false;
    if (uplink_send(u, l->id, l->bulk, &o, &l->message, l->from, l->upto) == 0) {
        retry_failed(u, &l->retry);
        return true;
    }
    if (u->conf->receipts)
        receipt_sent(lane_receipt(l), l->from, l->upto, l->last);
    if (paced)
        pace_take(&u->pace, l->records, now_ms);
    l->state = LANE_IDLE;
    return true;
}

bool lane_serve(struct lane *l, int64_t now_ms, bool may_send)
{
    bool clear = true;

    if (l->hole != NO_HOLE)
        return true; /* refused: waits for its answers, stands in nobody's way */
    if (now_ms < l->retry.until_ms) {
        uplink_wake_by(l->u, l->retry.until_ms);
        return true;
    }
    if (l->fill && l->stream != STREAM_TELEMETRY && window_count(&l->u->window, l->id) >= FILL_IN_FLIGHT)
        may_send = false;
    if (l->state == LANE_READY)
        clear = may_send && lane_send(l, now_ms);
    if (l->state == LANE_IDLE && now_ms >= l->retry.until_ms)
        lane_fetch(l, now_ms);
    return clear && l->state != LANE_FETCHING;
}

/* Live records are settled in their order: the cursor stays one number and no range is made of what is merely
 * in flight. */
static void lane_settle_in_order(struct lane *l)
{
    struct window_entry *e = window_lowest(&l->u->window, l->id);

    for (; e && e->acked && e->to < l->hole; e = window_lowest(&l->u->window, l->id)) {
        lane_settle_entry(l, e);
        window_remove(&l->u->window, e);
    }
}

/* Once the last answer is there, a lane with a refused message goes back to its cursor and tries again later.
 */
static void lane_rewind_when_drained(struct lane *l)
{
    struct window_entry *e = NULL;

    if (l->hole == NO_HOLE || window_count(&l->u->window, l->id) > 0)
        return;
    while ((e = window_lowest(&l->u->window, l->id)) != NULL)
        window_remove(&l->u->window, e);
    lane_reset(l);
    retry_failed(l->u, &l->retry);
}

void lane_acked(struct lane *l, struct window_entry *e)
{
    if (l->hole == NO_HOLE)
        retry_worked(l->u, &l->retry);
    if (l->fill) {
        lane_settle_entry(l, e);
        window_remove(&l->u->window, e);
    } else {
        window_ack(&l->u->window, e);
        lane_settle_in_order(l);
    }
    lane_rewind_when_drained(l);
}

void lane_refused(struct lane *l, struct window_entry *e)
{
    if (e->from < l->hole)
        l->hole = e->from;
    if (l->state == LANE_FETCHING)
        l->u->port.fetch_cancel(l->u->port.arg, l);
    l->state = LANE_IDLE;
    window_remove(&l->u->window, e);
    lane_rewind_when_drained(l);
}
