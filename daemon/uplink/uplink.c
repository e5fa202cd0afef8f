#include "uplink/uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "uplink/core.h"
#include "uplink/cursor.h"

#define PASSWORD_MAX 1024
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

uint64_t uplink_send(struct uplink *u, unsigned owner, bool bulk, const char *topic,
                     const struct jsonw *message, bool retained, int64_t from, int64_t to)
{
    struct window_entry *e = window_add(&u->window, owner, bulk, message->length, from, to);
    enum rg_err err;

    if (!e)
        return 0;
    err = u->ops->publish(u->transport, topic, message->text, message->length, retained, e->token);
    if (err != RG_OK) {
        uplink_detail(u, "publish", rg_err_text(err));
        window_remove(&u->window, e);
        return 0;
    }
    u->stats.messages++;
    return e->token;
}

/* ---- the session's actions ---- */

/* Read anew for each try, so that a changed password needs no restart. */
static enum rg_err read_password(const char *path, char out[PASSWORD_MAX])
{
    FILE *file = fopen(path, "re");
    size_t length;
    bool whole;

    if (!file)
        return RG_EIO;
    length = fread(out, 1, PASSWORD_MAX - 1, file);
    whole = !ferror(file) && (feof(file) || fgetc(file) == EOF);
    (void)fclose(file);
    if (!whole)
        return RG_EIO;
    while (length > 0 && (out[length - 1] == '\n' || out[length - 1] == '\r'))
        length--;
    out[length] = '\0';
    return RG_OK;
}

static enum rg_err do_connect(struct uplink *u)
{
    char password[PASSWORD_MAX] = "";
    enum rg_err err = RG_OK;

    if (u->conf->password_file) {
        err = read_password(u->conf->password_file, password);
        if (err != RG_OK) {
            uplink_detail(u, "cannot read the password file", u->conf->password_file);
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

    if (!u->final)
        return RG_ENOTFOUND;
    return uplink_send(u, OWNER_FINAL, false, u->topics.doc[UPLINK_DOC_STATE], &view, true, 0, 0) != 0
               ? RG_OK
               : RG_EIO;
}

static void do_down(struct uplink *u)
{
    u->stats.connected = false;
    pump_down(u);
    pump_keep_cursors(u, loop_mono_ms(u->loop), true);
    if (!session_is_ending(&u->session) && u->port.link)
        u->port.link(u->port.arg, u->conf->name, false, u->stats.detail);
}

static void do_up(struct uplink *u, size_t receive_max)
{
    u->stats.connected = true;
    u->stats.connects++;
    u->stats.detail[0] = '\0';
    pump_up(u, receive_max);
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
    if (session_is_up(&u->session))
        pump_run(u, now_ms);
    if (u->session.state == SESSION_FLUSHING && pump_flushed(u))
        step(u, SESSION_FLUSHED, 0);
    if (u->session.state != SESSION_CLOSED)
        pump_keep_cursors(u, now_ms, false);
    uplink_wake_by(u, u->session.deadline_ms);
    if (u->done_due)
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

static void timer_cb(void *arg)
{
    struct uplink *u = arg;

    uplink_serve(u);
    if (u->done_due) {
        u->done_due = false;
        u->done(u->done_arg); /* last: it may destroy the uplink */
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

static const struct transport_cbs transport_cbs = {
    .connected = connected_cb,
    .failed = failed_cb,
    .lost = lost_cb,
    .acked = acked_cb,
    .refused = refused_cb,
    .disconnected = disconnected_cb,
};

/* ---- life ---- */

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
    return RG_OK;
}

/* An uplink that is sent no telemetry owes none. */
static void forgo_telemetry(struct uplink *u)
{
    struct cursor *c = &u->cursors[STREAM_TELEMETRY];

    if (u->conf->telemetry_send || (c->acked >= u->head[STREAM_TELEMETRY] && c->range_count == 0))
        return;
    cursor_done(c, 1, u->head[STREAM_TELEMETRY]);
    u->keeps[STREAM_TELEMETRY].dirty = true;
}

static void init_cursors(struct uplink *u, const struct cursor cursors[STREAM_COUNT],
                         const int64_t head[STREAM_COUNT])
{
    for (size_t i = 0; i < STREAM_COUNT; i++) {
        u->head[i] = head[i] > 0 ? head[i] : 0;
        u->cursors[i] = cursors[i];
        cursor_repair(&u->cursors[i], u->head[i]);
        u->keeps[i].put_ranges = u->cursors[i].range_count;
        u->keeps[i].put_ms = loop_mono_ms(u->loop) - CURSOR_PUT_MS;
    }
    forgo_telemetry(u);
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
    for (size_t i = 0; i < UPLINK_DOC_COUNT; i++)
        retry_init(&u->docs[i].retry);
    for (size_t i = 0; i < LANE_COUNT; i++)
        lane_init(&u->lanes[i], u, (enum lane_id)i);
    init_cursors(u, cursors, head);
    err = make_topics(u);
    if (err == RG_OK)
        err = loop_timer_create(loop, timer_cb, u, &u->timer);
    if (err == RG_OK)
        err = u->ops->create(loop, conf, &transport_cbs, u, &u->transport);
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
    unstored_clear(&u->unstored);
    jsonw_free(&u->scratch);
    free(u->will);
    free(u->final);
    free(u);
}

enum rg_err uplink_start(struct uplink *u, const char *will, size_t will_length)
{
    char *copy = NULL;

    if (u->session.state != SESSION_IDLE)
        return RG_ESTATE;
    copy = copy_text(will, will_length);
    if (!copy)
        return RG_ENOMEM;
    free(u->will);
    u->will = copy;
    u->will_length = will_length;
    step(u, SESSION_START, 0);
    uplink_serve(u);
    return RG_OK;
}

/* ---- what the program says ---- */

enum rg_err uplink_doc(struct uplink *u, enum uplink_doc doc, const char *text, size_t length)
{
    struct document *d = &u->docs[doc];
    char *copy = copy_text(text, length);

    if (!copy)
        return RG_ENOMEM;
    free(d->text);
    d->text = copy;
    d->length = length;
    d->due = true;
    uplink_serve(u);
    return RG_OK;
}

void uplink_head(struct uplink *u, const int64_t head[STREAM_COUNT])
{
    for (size_t i = 0; i < STREAM_COUNT; i++)
        if (head[i] > u->head[i])
            u->head[i] = head[i];
    forgo_telemetry(u);
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
    cursor_done(&u->cursors[stream], 1, upto);
    u->keeps[stream].dirty = true;
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
    for (size_t i = 0; i < STREAM_COUNT; i++)
        out->pending[i] = cursor_pending(&u->cursors[i], u->head[i]);
}
