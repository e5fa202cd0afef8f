/* What the rest of the program asks of an uplink for somebody else: answers, back-fill, word of a record's arrival. */
#include "uplink/core.h"
#include "uplink/cursor.h"

enum rg_err uplink_reply(struct uplink *u, const char *response_topic, const void *correlation,
                         size_t correlation_length, const char *text, size_t length)
{
    enum rg_err err;

    if (u->session.state > SESSION_FLUSHING)
        return RG_ESTATE; /* nothing is sent any more */
    if (u->conf->v311 || (response_topic && !reply_topic_good(response_topic, u->conf->topic_root)))
        response_topic = NULL;
    err = replies_push(&u->replies, response_topic, correlation, correlation_length, text, length);
    if (err == RG_OK)
        uplink_serve(u);
    return err;
}

/* ---- back-fill ---- */

static bool is_within(const struct seq_range *outer, const struct seq_range *inner)
{
    return outer->last > 0 && outer->first <= inner->first && inner->last <= outer->last;
}

/* Asked for before, and not yet through. */
static bool is_asked(const struct uplink *u, enum stream stream, const struct seq_range *wanted)
{
    struct seq_range owed;

    if (!cursor_owed(&u->cursors[stream], wanted->first, &owed) || owed.first > wanted->last)
        return false;
    for (size_t i = 0; i < ASKS; i++)
        if (is_within(&u->asked[stream].ranges[i], wanted))
            return true;
    return false;
}

static void remember(struct asked *a, const struct seq_range *wanted)
{
    for (size_t i = 0; i < ASKS; i++) {
        if (a->ranges[i].last == 0 || is_within(wanted, &a->ranges[i])) {
            a->ranges[i] = *wanted;
            return;
        }
    }
    a->ranges[a->next] = *wanted;
    a->next = (a->next + 1) % ASKS;
}

static void owe(struct uplink *u, enum stream stream, const struct seq_range *wanted)
{
    cursor_owe(&u->cursors[stream], wanted->first, wanted->last);
    if (u->conf->receipts)
        receipt_owe(&u->receipts[stream], wanted->first, wanted->last);
    u->keeps[stream].dirty = true;
    for (size_t i = 0; i < LANE_COUNT; i++) {
        if (u->lanes[i].stream != stream)
            continue;
        window_again(&u->window, (unsigned)i, wanted->first, wanted->last);
        if (u->lanes[i].fill)
            lane_go_back(&u->lanes[i], wanted->first);
    }
    if (wanted->last > u->paced_upto[stream])
        u->paced_upto[stream] = wanted->last;
    pump_keep_cursors(u, loop_mono_ms(u->loop),
                      true); /* whoever asked is told yes: no crash is to forget it */
}

enum rg_err uplink_backfill(struct uplink *u, enum stream stream, int64_t first, int64_t last,
                            struct seq_range *out)
{
    struct seq_range wanted = {.first = first, .last = last};
    int64_t sent = 0, gone = 0;

    if ((unsigned)stream >= STREAM_COUNT || first < 1 || last < first)
        return RG_EINVAL;
    gone = u->port.gone ? u->port.gone(u->port.arg, stream) : 0;
    if (gone < u->gone[stream])
        gone = u->gone[stream];
    if (wanted.first <= gone)
        wanted.first = gone + 1;
    if (wanted.last > u->head[stream])
        wanted.last = u->head[stream];
    if (!uplink_gets(u, stream) || wanted.last < wanted.first)
        return RG_ENOTFOUND;
    *out = wanted;
    sent = u->cursors[stream].acked; /* what is above is on its way as it is */
    if (wanted.last > sent)
        wanted.last = sent;
    if (wanted.last < wanted.first || is_asked(u, stream, &wanted))
        return RG_OK;
    remember(&u->asked[stream], &wanted);
    owe(u, stream, &wanted);
    uplink_serve(u);
    return RG_OK;
}

/* ---- watches ---- */

static bool is_true(const struct uplink *u, const struct watch *w)
{
    return w->cb && !cursor_owes(uplink_kept(u, w->stream), w->seq);
}

bool ask_watch_waits(const struct uplink *u)
{
    for (size_t i = 0; i < UPLINK_WATCHES; i++)
        if (is_true(u, &u->watches[i]))
            return true;
    return false;
}

bool ask_watch_due(struct uplink *u, struct watch *out)
{
    for (size_t i = 0; i < UPLINK_WATCHES; i++) {
        if (is_true(u, &u->watches[i])) {
            *out = u->watches[i];
            u->watches[i] = (struct watch){0};
            return true;
        }
    }
    return false;
}

enum rg_err uplink_watch(struct uplink *u, enum stream stream, int64_t seq, void (*cb)(void *arg), void *arg)
{
    for (size_t i = 0; i < UPLINK_WATCHES; i++) {
        if (u->watches[i].cb)
            continue;
        u->watches[i] = (struct watch){.cb = cb, .arg = arg, .stream = stream, .seq = seq};
        uplink_serve(u);
        return RG_OK;
    }
    return RG_EFULL;
}

void uplink_unwatch(struct uplink *u, void *arg)
{
    for (size_t i = 0; i < UPLINK_WATCHES; i++)
        if (u->watches[i].arg == arg)
            u->watches[i] = (struct watch){0};
}
