#include "uplink/uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "uplink/core.h"
#include "uplink/cursor.h"
#include "uplink/password.h"

#define RETRY_FIRST_MS 1000
#define RETRY_CAP_MS 30000

/* ---- small things ---- */

void uplink_wake_by(struct uplink *u, int64_t at_ms)
{
    if (at_ms < u->wake_ms)
        u->wake_ms = at_ms;
}

void uplink_detail(struct uplink *u, const char *what, const char *reason)
{
    (void)text_format(u->stats.detail, sizeof(u->stats.detail), "%s: %s", what, reason);
}

void retry_init(struct retry *r)
{
    backoff_init(&r->backoff, RETRY_FIRST_MS, RETRY_CAP_MS);
    r->until_ms = 0;
}

void retry_failed(struct uplink *u, struct retry *r)
{
    r->until_ms = loop_mono_ms(u->loop) + backoff_fail(&r->backoff, &u->random);
    uplink_wake_by(u, r->until_ms);
}

void retry_worked(struct uplink *u, struct retry *r)
{
    if (r->backoff.failures > 0)
        u->stats.detail[0] = '\0';
    backoff_reset(&r->backoff);
    r->until_ms = 0;
}

static char *copy_text(const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

uint64_t uplink_send(struct uplink *u, unsigned owner, bool bulk, const struct outgoing *o,
                     const struct jsonw *message, int64_t from, int64_t to)
{
    struct window_entry *e = window_add(&u->window, owner, bulk, message->length, from, to);
    struct transport_publish publish = {.topic = o->topic,
                                        .alias = o->alias,
                                        .payload = message->text,
                                        .length = message->length,
                                        .retained = o->retained,
                                        .answer = o->answer};
    enum rg_err err;

    if (!e)
        return 0;
    publish.token = e->token;
    err = u->ops->publish(u->transport, &publish);
    if (err != RG_OK) {
        uplink_detail(u, "publish", rg_err_text(err));
        window_remove(&u->window, e);
        return 0;
    }
    u->stats.messages++;
    return e->token;
}

/* ---- the session's actions ---- */

/* The password is read anew for each try, so that a changed one needs no restart. */
static enum rg_err do_connect(struct uplink *u)
{
    char password[PASSWORD_MAX] = "";
    const char *what = "";
    enum rg_err err = RG_OK;

    if (u->conf->password_file) {
        err = password_read(u->conf->password_file, password, &what);
        if (err != RG_OK) {
            explicit_bzero(password, sizeof(password));
            (void)text_format(u->stats.detail, sizeof(u->stats.detail), "password file `%s`: %s",
                              u->conf->password_file, what);
            return err;
        }
    }
    err = u->ops->connect(u->transport, u->conf->password_file ? password : NULL,
                          u->topics.doc[UPLINK_DOC_STATE], u->will, u->will_length);
    explicit_bzero(password, sizeof(password));
    if (err != RG_OK)
        uplink_detail(u, "cannot begin to connect", rg_err_text(err));
    return err;
}

static enum rg_err do_final(struct uplink *u)
{
    struct jsonw view = {.text = u->final, .length = u->final_length, .fixed = true};
    const struct outgoing o = {.topic = u->topics.doc[UPLINK_DOC_STATE], .retained = true};

    if (!u->final)
        return RG_ENOTFOUND;
    return uplink_send(u, OWNER_FINAL, false, &o, &view, 0, 0) != 0 ? RG_OK : RG_EIO;
}

static void do_down(struct uplink *u)
{
    if (u->stats.connected)
        u->stats.since_wall_ms = loop_wall_ms(u->loop);
    u->stats.connected = false;
    pump_down(u);
    intake_reset(u);
    pump_keep_cursors(u, loop_mono_ms(u->loop), true);
    if (!session_is_ending(&u->session) && u->port.link)
        u->port.link(u->port.arg, u->conf->name, false, u->stats.detail);
}

static void do_up(struct uplink *u, size_t receive_max)
{
    u->stats.connected = true;
    u->stats.since_wall_ms = loop_wall_ms(u->loop);
    u->stats.connects++;
    u->stats.detail[0] = '\0';
    pump_up(u, receive_max);
    intake_reset(u);
    if (u->port.link)
        u->port.link(u->port.arg, u->conf->name, true, "");
}

static void do_done(struct uplink *u)
{
    for (size_t i = 0; i < LANE_COUNT; i++)
        lane_reset(&u->lanes[i]);
    pump_keep_cursors(u, loop_mono_ms(u->loop), true);
    u->done_due = u->done != NULL;
}

static void step(struct uplink *u, enum session_input input, size_t receive_max)
{
    const int64_t now_ms = loop_mono_ms(u->loop);
    const enum session_state before = u->session.state;
    const unsigned actions = session_step(&u->session, input, now_ms);

    if (before == SESSION_CONNECTING && input == SESSION_TICK && u->session.state == SESSION_WAITING)
        uplink_detail(u, "cannot connect", "no answer");
    if ((actions & SESSION_DO_CONNECT) && do_connect(u) != RG_OK)
        (void)session_step(&u->session, SESSION_FAILED, now_ms); /* only waits */
    if (actions & SESSION_DO_UP)
        do_up(u, receive_max);
    if (actions & SESSION_DO_DOWN)
        do_down(u);
    if ((actions & SESSION_DO_FINAL) && do_final(u) != RG_OK)
        step(u, SESSION_PARTED, 0);
    if (actions & SESSION_DO_DISCONNECT)
        u->ops->disconnect(u->transport);
    if (actions & SESSION_DO_DONE)
        do_done(u);
}

/* ---- the heart ---- */

static void serve_once(struct uplink *u)
{
    const int64_t now_ms = loop_mono_ms(u->loop);

    u->wake_ms = NEVER;
    step(u, SESSION_TICK, 0);
    if (session_is_up(&u->session)) {
        intake_run(u, now_ms);
        pump_run(u, now_ms);
    }
    if (u->session.state == SESSION_FLUSHING && pump_flushed(u))
        step(u, SESSION_FLUSHED, 0);
    if (u->session.state != SESSION_CLOSED)
        pump_keep_cursors(u, now_ms, false);
    uplink_wake_by(u, u->session.deadline_ms);
    if (u->done_due || ask_watch_waits(u))
        uplink_wake_by(u, now_ms);
}

void uplink_serve(struct uplink *u)
{
    u->again = true;
    if (u->serving)
        return;
    u->serving = true;
    while (u->again) {
        u->again = false;
        serve_once(u);
    }
    u->serving = false;
    if (u->wake_ms == NEVER)
        loop_timer_stop(u->timer);
    else
        loop_timer_at(u->timer, u->wake_ms);
}

void uplink_timer_cb(void *arg)
{
    struct uplink *u = arg;
    struct watch watch;

    uplink_serve(u);
    /* One, and last: it may destroy the uplink. The timer runs for the next. */
    if (ask_watch_due(u, &watch)) {
        watch.cb(watch.arg);
    } else if (u->done_due) {
        u->done_due = false;
        u->done(u->done_arg);
    }
}

/* ---- what the transport says ---- */

static void connected_cb(void *arg, size_t receive_max)
{
    step(arg, SESSION_CONNECTED, receive_max);
    uplink_serve(arg);
}

static void failed_cb(void *arg, const char *reason)
{
    struct uplink *u = arg;

    if (u->session.state == SESSION_CONNECTING)
        uplink_detail(u, "cannot connect", reason);
    step(u, SESSION_FAILED, 0);
    uplink_serve(u);
}

static void lost_cb(void *arg, const char *reason)
{
    struct uplink *u = arg;

    if (u->stats.connected)
        uplink_detail(u, "connection lost", reason);
    step(u, SESSION_LOST, 0);
    uplink_serve(u);
}

static void acked_cb(void *arg, uint64_t token)
{
    struct uplink *u = arg;
    const struct window_entry *e = window_find(&u->window, token);
    const bool final = e && e->owner == OWNER_FINAL;

    pump_acked(u, token);
    if (final)
        step(u, SESSION_PARTED, 0);
    uplink_serve(u);
}

static void refused_cb(void *arg, uint64_t token, const char *reason)
{
    struct uplink *u = arg;
    const struct window_entry *e = window_find(&u->window, token);
    const bool final = e && e->owner == OWNER_FINAL;

    pump_refused(u, token, reason);
    if (final)
        step(u, SESSION_PARTED, 0);
    uplink_serve(u);
}

static void disconnected_cb(void *arg)
{
    step(arg, SESSION_DISCONNECTED, 0);
    uplink_serve(arg);
}

static void subscribed_cb(void *arg, enum transport_subscription id, const char *refused)
{
    intake_subscribed(arg, id, refused);
    uplink_serve(arg);
}

static void message_cb(void *arg, const struct transport_message *message, size_t dropped)
{
    intake_take(arg, message, dropped);
    uplink_serve(arg);
}

const struct transport_cbs uplink_transport_cbs = {
    .connected = connected_cb,
    .failed = failed_cb,
    .lost = lost_cb,
    .acked = acked_cb,
    .refused = refused_cb,
    .disconnected = disconnected_cb,
    .subscribed = subscribed_cb,
    .message = message_cb,
};

/* ---- what the program says ---- */

const struct cursor *uplink_kept(const struct uplink *u, enum stream stream)
{
    return u->conf->receipts ? &u->receipts[stream].held : &u->cursors[stream];
}

bool uplink_gets(const struct uplink *u, enum stream stream)
{
    return stream != STREAM_TELEMETRY || u->conf->telemetry_send;
}

void uplink_forgo(struct uplink *u, enum stream stream, int64_t upto)
{
    cursor_done(&u->cursors[stream], 1, upto);
    receipt_forgo(&u->receipts[stream], upto);
    u->keeps[stream].dirty = true;
}

/* An uplink that is sent no telemetry owes none. */
void uplink_forgo_unsent(struct uplink *u)
{
    for (int i = 0; i < STREAM_COUNT; i++) {
        const struct cursor *c = uplink_kept(u, (enum stream)i);

        if (!uplink_gets(u, (enum stream)i) && (c->acked < u->head[i] || c->range_count > 0))
            uplink_forgo(u, (enum stream)i, u->head[i]);
    }
}

void uplink_follow(struct uplink *u, const struct site *site, const struct site_uplink *conf)
{
    u->site = site;
    u->conf = conf;
    u->filter.devices = conf->telemetry_devices;
    u->filter.device_count = site->device_count;
}

const struct site_uplink *uplink_conf(const struct uplink *u)
{
    return u->conf;
}

void uplink_give_will(struct uplink *u, char *text, size_t length)
{
    free(u->will);
    u->will = text;
    u->will_length = length;
}

enum rg_err uplink_start(struct uplink *u, const char *will, size_t will_length)
{
    char *copy = NULL;

    if (u->session.state != SESSION_IDLE || (!will && !u->will))
        return RG_ESTATE;
    if (will) {
        copy = copy_text(will, will_length);
        if (!copy)
            return RG_ENOMEM;
        uplink_give_will(u, copy, will_length);
    }
    step(u, SESSION_START, 0);
    uplink_serve(u);
    return RG_OK;
}

static void take_doc(struct uplink *u, enum uplink_doc doc, char *text, size_t length)
{
    struct document *d = &u->docs[doc];

    free(d->text);
    d->text = text;
    d->length = length;
    d->due = true;
    uplink_serve(u);
}

enum rg_err uplink_doc(struct uplink *u, enum uplink_doc doc, const char *text, size_t length)
{
    char *copy = copy_text(text, length);

    if (!copy)
        return RG_ENOMEM;
    take_doc(u, doc, copy, length);
    return RG_OK;
}

void uplink_give_doc(struct uplink *u, enum uplink_doc doc, char *text, size_t length)
{
    const struct document *d = &u->docs[doc];

    if (d->text && d->length == length && memcmp(d->text, text, length) == 0)
        free(text);
    else
        take_doc(u, doc, text, length);
}

void uplink_about(struct uplink *u, uint64_t stamp)
{
    struct document *d = &u->docs[UPLINK_DOC_ABOUT];

    d->due = d->due || !d->made || stamp == 0 || stamp != d->stamp;
    d->made = true;
    free(d->text);
    d->text = NULL;
    uplink_serve(u);
}

void uplink_head(struct uplink *u, const int64_t head[STREAM_COUNT])
{
    for (size_t i = 0; i < STREAM_COUNT; i++)
        if (head[i] > u->head[i])
            u->head[i] = head[i];
    uplink_forgo_unsent(u);
    uplink_serve(u);
}

void uplink_unstored_alarm(struct uplink *u, const char *body, size_t length, enum level level,
                           enum level was, bool unsynced)
{
    enum rg_err err;

    if (level < u->conf->alarms_from && was < u->conf->alarms_from)
        return;
    err = unstored_push(&u->unstored, body, length, unsynced, !u->stats.connected);
    if (err != RG_OK) /* and it is counted */
        uplink_detail(u, "an alarm that is not stored cannot be kept", rg_err_text(err));
    uplink_serve(u);
}

void uplink_gone(struct uplink *u, enum stream stream, int64_t upto)
{
    if (upto > u->head[stream])
        upto = u->head[stream];
    uplink_forgo(u, stream, upto);
    if (upto > u->gone[stream])
        u->gone[stream] = upto;
    for (size_t i = 0; i < LANE_COUNT; i++)
        if (u->lanes[i].stream == stream && u->lanes[i].next <= upto)
            u->lanes[i].next = upto + 1;
    uplink_serve(u);
}

void uplink_stop(struct uplink *u, const char *final_state, size_t length, int64_t timeout_ms,
                 void (*done)(void *arg), void *arg)
{
    if (u->done)
        return; /* asked before */
    u->done = done;
    u->done_arg = arg;
    u->final = final_state ? copy_text(final_state, length) : NULL;
    u->final_length = length;
    u->session.stop_ms = timeout_ms > 0 ? timeout_ms : 0;
    step(u, SESSION_STOP, 0);
    uplink_serve(u);
}

void uplink_stats(const struct uplink *u, struct uplink_stats *out)
{
    *out = u->stats;
    out->in_flight = u->window.in_flight;
    out->unstored_dropped = u->unstored.dropped;
    out->replies_dropped = u->replies.dropped;
    out->replies_waiting = u->replies.count;
    for (int i = 0; i < STREAM_COUNT; i++)
        out->pending[i] = cursor_pending(uplink_kept(u, (enum stream)i), u->head[i]);
    for (size_t i = 0; i < TRANSPORT_SUBSCRIPTIONS && !out->detail[0]; i++)
        (void)text_copy(out->detail, sizeof(out->detail), u->intake.detail[i]);
    if (!out->detail[0])
        (void)text_copy(out->detail, sizeof(out->detail), u->intake.silence);
}
