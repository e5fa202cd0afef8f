#include "app/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "app/document.h"
#include "app/event.h"
#include "app/record.h"
#include "base/log.h"
#include "uplink/about.h"

#define SECOND_MS 1000

struct moment pipeline_now(const struct pipeline *p)
{
    return (struct moment){.mono_ms = loop_mono_ms(p->loop), .wall_ms = loop_wall_ms(p->loop)};
}

/* ---- 1. poll -> rules and store: a device answered (or did not) ---- */

static void schedule_deadline(struct pipeline *p)
{
    int64_t next = rules_next_ms(p->rules);

    if (next == INT64_MAX)
        loop_timer_stop(p->deadline);
    else
        loop_timer_at(p->deadline, next + PIPELINE_TICK_LAG_MS);
}

static void append_telemetry(struct pipeline *p, const struct frame *frame)
{
    struct store_record r = {
        .stream = STREAM_TELEMETRY,
        .ts = frame->at.wall_ms,
        .device = frame->device,
        .device_name = p->site->devices[frame->device].name,
        .unsynced = frame->clock_unsynced,
    };

    /* RG_EFULL is counted by the store and told as an event; it must not stop the evaluation that follows. */
    if (record_frame(&p->record, p->site, frame, &r.body, &r.length) != RG_OK || store_append(p->store, &r) != RG_OK)
        p->unrecorded++;
}

static void frame_cb(void *arg, const struct frame *frame)
{
    struct pipeline *p = arg;

    live_note(&p->live, frame);
    append_telemetry(p, frame);
    rules_frame(p->rules, frame);
    schedule_deadline(p);
}

/* ---- 2. the clock takes the same way as a value ---- */

static void deadline_cb(void *arg)
{
    struct pipeline *p = arg;
    struct moment now = pipeline_now(p);

    now.mono_ms -= PIPELINE_TICK_LAG_MS;
    now.wall_ms -= PIPELINE_TICK_LAG_MS;
    rules_tick(p->rules, now);
    schedule_deadline(p);
}

/* ---- 3. rules -> store: an alarm changed ---- */

/* No commit will follow that shows the risk: the next second does, once for all that change meanwhile. */
static void alarm_unrecorded(struct pipeline *p)
{
    p->unrecorded++;
    p->risk_due_ms = 0;
}

static void change_cb(void *arg, const struct alarm_change *change)
{
    struct pipeline *p = arg;
    bool unsynced = !loop_clock_synced(p->loop);
    struct store_record r = {
        .stream = STREAM_ALARM,
        .ts = change->at.wall_ms,
        .device = SITE_NONE,
        .unsynced = unsynced,
        .level = change->alarm->level,
        .was = change->was,
        .alarm = change->alarm,
    };

    p->next_alarm = rules_next_alarm(p->rules);
    r.next_alarm = p->next_alarm;
    p->risk_changed = true;
    event_log_alarm(change);
    if (record_alarm(&p->record, change, unsynced, &r.body, &r.length) != RG_OK) {
        alarm_unrecorded(p);
        return;
    }
    if (store_append(p->store, &r) == RG_OK)
        return;
    /* Not even memory takes it: the one exception to "durable before told". */
    alarm_unrecorded(p);
    for (size_t i = 0; p->uplinks && i < p->uplink_count; i++)
        uplink_unstored_alarm(p->uplinks[i], r.body, r.length, r.level, r.was, unsynced);
}

/* ---- 4. store -> uplink: records are durable ---- */

static void committed_cb(void *arg, const int64_t head[STREAM_COUNT], const bool changed[STREAM_COUNT])
{
    struct pipeline *p = arg;

    for (size_t i = 0; p->uplinks && i < p->uplink_count; i++)
        uplink_head(p->uplinks[i], head);
    if (changed[STREAM_ALARM] && p->risk_changed)
        pipeline_publish_risk(p);
}

static void alarm_not_stored_cb(void *arg, const struct store_failed_record *r)
{
    struct pipeline *p = arg;

    for (size_t i = 0; p->uplinks && i < p->uplink_count; i++)
        uplink_unstored_alarm(p->uplinks[i], r->body, r->length, r->level, r->was, r->unsynced);
    if (p->risk_changed)
        pipeline_publish_risk(p);
}

static void lost_cb(void *arg, enum stream stream, int64_t first, int64_t last, uint64_t count, const char *cause)
{
    struct pipeline *p = arg;

    event_lost(p, stream, first, last, count, cause);
    for (size_t i = 0; last > 0 && p->uplinks && i < p->uplink_count; i++)
        uplink_gone(p->uplinks[i], stream, last);
}

static void store_health_cb(void *arg, bool ok, const char *detail)
{
    struct pipeline *p = arg;

    if (!ok)
        log_error("store: does not take records: %s", detail);
    else if (p->store_failing)
        log_info("store: takes records again (%s)", detail);
    else
        log_warning("store: %s", detail);
    p->store_failing = !ok;
}

/* ---- 5. uplink <-> store: what to send next, and what has arrived ---- */

static enum rg_err port_fetch(void *arg, enum stream stream, int64_t from, int64_t upto, size_t max_count,
                              size_t max_bytes, const struct stream_filter *filter, uplink_chunk_cb cb, void *cb_arg)
{
    struct pipeline *p = arg;

    return store_fetch(p->store, stream, from, upto, max_count, max_bytes, filter, cb, cb_arg);
}

static void port_fetch_cancel(void *arg, void *cb_arg)
{
    struct pipeline *p = arg;

    store_fetch_cancel(p->store, cb_arg);
}

static enum rg_err port_cursor_put(void *arg, const char *uplink, enum stream stream, const struct cursor *cursor)
{
    struct pipeline *p = arg;

    /* One that a reload removed hands its cursors over while it leaves: they would hold the retention back for ever. */
    for (size_t i = 0; i < p->site->uplink_count; i++) {
        if (strcmp(p->site->uplinks[i].name, uplink) == 0)
            return store_cursor_put(p->store, uplink, stream, cursor);
    }
    return RG_OK;
}

static void port_link(void *arg, const char *uplink, bool up, const char *detail)
{
    event_uplink(arg, uplink, up, detail);
}

/* ---- documents, events, time ---- */

void pipeline_append_event(struct pipeline *p, const char *kind, int64_t wall_ms)
{
    struct store_record r = {.stream = STREAM_EVENT, .ts = wall_ms, .device = SITE_NONE, .kind = kind};

    r.unsynced = !loop_clock_synced(p->loop);
    if (record_end(&p->event, r.unsynced, &r.body, &r.length) != RG_OK || store_append(p->store, &r) != RG_OK)
        p->unrecorded++;
}

void pipeline_write_state(struct pipeline *p, bool online)
{
    struct document_state state = {
        .online = online,
        .ts = loop_wall_ms(p->loop),
        .boot = p->boot,
        .version = p->env.version,
        .config = p->config_sha256,
        .unsynced = !loop_clock_synced(p->loop),
    };

    document_state(&p->document, p->site, &state);
}

static void publish_document(struct pipeline *p, enum uplink_doc doc)
{
    if (jsonw_error(&p->document) != RG_OK) {
        p->unrecorded++;
        return;
    }
    for (size_t i = 0; p->uplinks && i < p->uplink_count; i++) {
        if (uplink_doc(p->uplinks[i], doc, p->document.text, p->document.length) != RG_OK)
            p->unrecorded++;
    }
}

void pipeline_publish_risk(struct pipeline *p)
{
    p->risk_changed = false;
    p->risk_due_ms = loop_mono_ms(p->loop) + PIPELINE_RISK_EVERY_MS;
    document_risk(&p->document, p->site, p->rules, loop_wall_ms(p->loop), !loop_clock_synced(p->loop));
    publish_document(p, UPLINK_DOC_RISK);
}

static void second_cb(void *arg)
{
    struct pipeline *p = arg;
    struct moment now = pipeline_now(p);
    bool sync_changed;
    int64_t step = clock_watch_look(&p->clock, now, loop_clock_synced(p->loop), &sync_changed);

    if (step != 0 || sync_changed)
        event_clock(p, step, p->clock.synced);
    if (now.mono_ms + SECOND_MS > p->risk_due_ms) /* rather a second early than late */
        pipeline_publish_risk(p);
    loop_timer_at(p->second, now.mono_ms + SECOND_MS);
}

enum rg_err pipeline_ack(struct pipeline *p, const char *alarm, const char *by, const char *comment)
{
    enum rg_err err = rules_ack(p->rules, alarm, by, comment, pipeline_now(p));

    if (err == RG_OK)
        event_command_ack(p, alarm, by, comment);
    return err;
}

/* ---- lifetimes ---- */

enum rg_err pipeline_open(struct pipeline *p, struct loop *loop, const struct pipeline_env *env,
                          const struct site *site, const char *config_sha256, struct store_start *start, char *why,
                          size_t why_size)
{
    static const struct store_cbs store_cbs = {committed_cb, alarm_not_stored_cb, store_health_cb, lost_cb};
    enum rg_err err;

    memset(p, 0, sizeof *p);
    p->loop = loop;
    p->env = *env;
    jsonw_init(&p->record, 0);
    jsonw_init(&p->event, 0);
    jsonw_init(&p->document, 0);
    err = store_open(loop, &site->store, &store_cbs, p, &p->store, start, why, why_size);
    if (err != RG_OK)
        return err;
    p->boot = start->boot;
    p->next_alarm = start->next_alarm;
    (void)text_copy(why, why_size, rg_err_text(RG_ENOMEM));
    err = loop_timer_create(loop, deadline_cb, p, &p->deadline);
    if (err == RG_OK)
        err = loop_timer_create(loop, second_cb, p, &p->second);
    if (err == RG_OK)
        err = pipeline_take(p, site, config_sha256, start);
    if (err != RG_OK)
        (void)text_copy(why, why_size, rg_err_text(err));
    return err;
}

struct carry {
    struct rules *into;
    enum rg_err err;
};

static void carry_alarm_cb(void *arg, const struct alarm *alarm)
{
    struct carry *c = arg;
    enum rg_err err = rules_restore(c->into, alarm);

    /* Thousands of alarms of rules that are gone: those beyond the engine's room stay open in the store. */
    if (err == RG_EFULL)
        log_error("alarm %s of a rule that is not configured any more has no room and is not carried on", alarm->id);
    else if (err != RG_OK && c->err == RG_OK)
        c->err = err;
}

static enum rg_err carry_alarms(const struct pipeline *p, struct rules *into, const struct store_start *start)
{
    struct carry c = {.into = into, .err = RG_OK};

    if (p->rules)
        rules_each(p->rules, carry_alarm_cb, &c);
    for (size_t i = 0; start && i < start->alarm_count; i++)
        carry_alarm_cb(&c, &start->alarms[i]);
    return c.err;
}

/* What retention may take in silence depends on who still waits for it, and a filter by device needs the devices' names. */
static enum rg_err configure_store(struct pipeline *p, const struct site *site)
{
    size_t most = site->uplink_count > site->device_count ? site->uplink_count : site->device_count;
    const char **names = calloc(most ? most : 1, sizeof *names);
    enum rg_err err;

    if (!names)
        return RG_ENOMEM;
    for (size_t i = 0; i < site->uplink_count; i++)
        names[i] = site->uplinks[i].name;
    err = store_configure(p->store, &site->store, names, site->uplink_count);
    for (size_t i = 0; i < site->device_count; i++)
        names[i] = site->devices[i].name;
    if (err == RG_OK)
        err = store_devices(p->store, names, site->device_count);
    free(names);
    return err;
}

/* What the next poll, rules and live are made of until they take the place of those in force. */
struct parts {
    struct poll *poll;
    struct rules *rules;
    struct live live;
};

static void parts_destroy(struct parts *n)
{
    poll_destroy(n->poll);
    live_destroy(&n->live);
    rules_destroy(n->rules);
}

static enum rg_err parts_create(struct pipeline *p, const struct site *site, const struct store_start *start,
                                struct parts *n)
{
    static const struct poll_cbs poll_cbs = {frame_cb, event_device, event_bus};
    enum rg_err err = rules_create(site, p->next_alarm, change_cb, p, &n->rules);

    if (err == RG_OK)
        err = live_create(&n->live, site);
    if (err == RG_OK)
        err = poll_create(p->loop, site, p->env.driver, &poll_cbs, p, p->env.seed, &n->poll);
    if (err == RG_OK)
        err = carry_alarms(p, n->rules, start);
    if (err != RG_OK)
        return err;
    err = configure_store(p, site);
    if (err != RG_OK && p->site)
        (void)configure_store(p, p->site); /* it fitted before; what fails now is kept as far as it goes */
    return err;
}

enum rg_err pipeline_take(struct pipeline *p, const struct site *site, const char *config_sha256,
                          const struct store_start *start)
{
    struct parts next = {0};
    struct moment now;
    enum rg_err err;

    if (p->rules)
        rules_tick(p->rules, pipeline_now(p)); /* what is due by now is still decided by the old rules */
    else
        clock_watch_start(&p->clock, pipeline_now(p), loop_clock_synced(p->loop));
    err = parts_create(p, site, start, &next);
    if (err != RG_OK) {
        parts_destroy(&next);
        return err;
    }
    pipeline_halt(p); /* the old poll lets go of its lines before the new one opens them */
    rules_destroy(p->rules);
    live_destroy(&p->live);
    p->site = site;
    p->poll = next.poll;
    p->rules = next.rules;
    p->live = next.live;
    (void)text_copy(p->config_sha256, sizeof p->config_sha256, config_sha256);
    now = pipeline_now(p); /* letting go may have taken a while */
    rules_start(p->rules, now);
    schedule_deadline(p);
    loop_timer_at(p->second, now.mono_ms + SECOND_MS);
    poll_start(p->poll);
    return RG_OK;
}

static enum rg_err uplink_begin(struct pipeline *p, struct uplink *u)
{
    enum rg_err err;

    document_risk(&p->document, p->site, p->rules, loop_wall_ms(p->loop), !loop_clock_synced(p->loop));
    err = jsonw_error(&p->document);
    if (err == RG_OK)
        err = uplink_doc(u, UPLINK_DOC_RISK, p->document.text, p->document.length);
    jsonw_reset(&p->document);
    about_write(p->site, &p->document);
    if (err == RG_OK)
        err = jsonw_error(&p->document);
    if (err == RG_OK)
        err = uplink_doc(u, UPLINK_DOC_ABOUT, p->document.text, p->document.length);
    pipeline_write_state(p, true);
    if (err == RG_OK)
        err = jsonw_error(&p->document);
    if (err == RG_OK)
        err = uplink_doc(u, UPLINK_DOC_STATE, p->document.text, p->document.length);
    pipeline_write_state(p, false);
    if (err == RG_OK)
        err = jsonw_error(&p->document);
    if (err == RG_OK)
        err = uplink_start(u, p->document.text, p->document.length);
    return err;
}

/* A stream that an uplink does not get is never owed to it (acked is INT64_MAX in the store, so that retention reports no loss);
 * one that it gets again begins at the head. */
static enum rg_err uplink_cursors(struct pipeline *p, const struct site_uplink *conf, const int64_t head[STREAM_COUNT],
                                  struct cursor cursors[STREAM_COUNT])
{
    struct cursor *telemetry = &cursors[STREAM_TELEMETRY];
    bool owed;

    store_cursor_get(p->store, conf->name, cursors);
    owed = telemetry->acked != INT64_MAX;
    if (owed == conf->telemetry_send)
        return RG_OK;
    *telemetry = (struct cursor){.acked = conf->telemetry_send ? head[STREAM_TELEMETRY] : INT64_MAX};
    return store_cursor_put(p->store, conf->name, STREAM_TELEMETRY, telemetry);
}

enum rg_err pipeline_uplinks_start(struct pipeline *p)
{
    const struct uplink_port port = {p, port_fetch, port_fetch_cancel, port_cursor_put, port_link};
    struct cursor cursors[STREAM_COUNT];
    struct store_stats stats;
    enum rg_err err = RG_OK;

    p->uplinks = calloc(p->site->uplink_count ? p->site->uplink_count : 1, sizeof(struct uplink *));
    if (!p->uplinks)
        return RG_ENOMEM;
    p->uplink_count = 0;
    p->uplink_site = p->site;
    store_stats(p->store, &stats);
    for (size_t i = 0; i < p->site->uplink_count && err == RG_OK; i++) {
        const struct site_uplink *conf = &p->site->uplinks[i];

        err = uplink_cursors(p, conf, stats.head, cursors);
        if (err != RG_OK)
            break;
        err = uplink_create(p->loop, p->site, conf, p->env.transport, &port, cursors, stats.head, p->env.seed + i,
                            &p->uplinks[i]);
        if (err != RG_OK)
            break;
        p->uplink_count = i + 1;
        err = uplink_begin(p, p->uplinks[i]);
    }
    return err;
}

void pipeline_halt(struct pipeline *p)
{
    if (p->deadline)
        loop_timer_stop(p->deadline);
    if (p->second)
        loop_timer_stop(p->second);
    poll_destroy(p->poll);
    p->poll = NULL;
}

enum rg_err pipeline_close(struct pipeline *p)
{
    enum rg_err err;

    pipeline_halt(p);
    for (size_t i = 0; p->uplinks && i < p->uplink_count; i++)
        uplink_destroy(p->uplinks[i]);
    free(p->uplinks);
    p->uplinks = NULL;
    err = store_close(p->store);
    p->store = NULL;
    rules_destroy(p->rules);
    p->rules = NULL;
    live_destroy(&p->live);
    loop_timer_destroy(p->deadline);
    loop_timer_destroy(p->second);
    p->deadline = p->second = NULL;
    jsonw_free(&p->record);
    jsonw_free(&p->event);
    jsonw_free(&p->document);
    return err;
}
