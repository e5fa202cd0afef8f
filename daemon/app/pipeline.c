#include "app/pipeline.h"

#include <string.h>

#include "app/actuate.h"
#include "app/document.h"
#include "app/event.h"
#include "app/flow.h"
#include "base/log.h"
#include "base/memory.h"
#include "record/record.h"

struct moment pipeline_now(const struct pipeline *p)
{
    return (struct moment){.mono_ms = loop_mono_ms(p->loop), .wall_ms = loop_wall_ms(p->loop)};
}

/* ---- 1. poll -> convert -> rules and store: a device answered (or did not) ---- */

void flow_schedule_deadline(struct pipeline *p)
{
    int64_t next = rules_next_ms(p->rules);

    if (next == INT64_MAX)
        loop_timer_stop(p->deadline);
    else
        loop_timer_at(p->deadline, next + PIPELINE_TICK_LAG_MS);
}

/* What is recorded is what the rules are given: readings as they are meant, derived ones too. */
static void converted_cb(void *arg, const struct frame *frame)
{
    struct pipeline *p = arg;

    evidence_frame(&p->evidence, frame);
    recording_frame(p, frame);
    rules_frame(p->rules, frame);
}

static void frame_cb(void *arg, const struct frame *frame)
{
    struct pipeline *p = arg;

    p->frame_unsynced = frame->clock_unsynced;
    store_together(p->store); /* an alarm and the level that its area has by it: one commit */
    convert_frame(p->convert, frame, converted_cb, p);
    store_together_end(p->store);
    p->frame_unsynced = false;
    flow_schedule_deadline(p);
    actuate_follow(p);
}

/* ---- 2. the clock takes the same way as a value ---- */

void flow_deadline_cb(void *arg)
{
    struct pipeline *p = arg;
    struct moment now = pipeline_now(p);

    now.mono_ms -= PIPELINE_TICK_LAG_MS;
    now.wall_ms -= PIPELINE_TICK_LAG_MS;
    store_together(p->store);
    rules_tick(p->rules, now);
    store_together_end(p->store);
    flow_schedule_deadline(p);
    actuate_follow(p);
}

/* ---- 3. rules -> store: an alarm changed ---- */

/* No commit will follow that shows the risk: the next second does, once for all that change meanwhile. */
static void alarm_unrecorded(struct pipeline *p)
{
    p->unrecorded++;
    p->risk_due_ms = 0;
}

void flow_change_cb(void *arg, const struct alarm_change *change)
{
    struct pipeline *p = arg;
    bool unsynced = p->frame_unsynced || !loop_clock_synced(p->loop);
    struct store_record r = {
        .stream = STREAM_ALARM,
        .ts = change->at.wall_ms,
        .mono = change->at.mono_ms,
        .device = SITE_NONE,
        .unsynced = unsynced,
        .level = change->alarm->level,
        .was = change->was,
        .alarm = change->alarm,
    };

    p->next_alarm = rules_next_alarm(p->rules);
    r.next_alarm = p->next_alarm;
    p->risk_changed = p->levels_changed = true;
    say_alarm(change);
    evidence_change(&p->evidence, change);
    recording_change(p, change); /* what led to it is recorded before it */
    if (record_alarm(&p->record, change, unsynced, &r.body, &r.length) != RG_OK) {
        alarm_unrecorded(p);
        return;
    }
    if (store_append(p->store, &r) == RG_OK) {
        if (p->poll)
            poll_give_way(p->poll);
        return;
    }
    /* Not even memory takes it: the one exception to "durable before told". */
    alarm_unrecorded(p);
    for (size_t i = 0; i < p->uplink_count; i++)
        if (p->uplinks[i])
            uplink_unstored_alarm(p->uplinks[i], r.body, r.length, r.level, r.was, unsynced);
}

void flow_level_cb(void *arg, uint32_t area, enum level level, enum level was, struct moment at)
{
    struct pipeline *p = arg;

    p->risk_changed = true;
    event_level(p, area, level, was, at);
}

/* ---- 4. store -> uplink: records are durable ---- */

static void committed_cb(void *arg, const int64_t head[STREAM_COUNT], const bool changed[STREAM_COUNT])
{
    struct pipeline *p = arg;

    recording_release(p);
    for (size_t i = 0; i < p->uplink_count; i++)
        if (p->uplinks[i])
            uplink_head(p->uplinks[i], head);
    if (!changed[STREAM_ALARM] || !p->risk_changed || p->risk_owed)
        return;
    /* It needs no reading back, and would be on its way before the alarm. */
    p->risk_owed = true;
    if (p->poll)
        loop_timer_at(p->risk, loop_mono_ms(p->loop) + PIPELINE_RISK_LAG_MS);
    else /* it ends */
        flow_risk_cb(p);
}

void flow_risk_cb(void *arg)
{
    struct pipeline *p = arg;

    if (p->risk_owed)
        pipeline_publish_risk(p);
}

static void alarm_not_stored_cb(void *arg, const struct store_failed_record *r)
{
    struct pipeline *p = arg;

    if (r->test)
        return; /* the way that it tests leads through the store */
    for (size_t i = 0; i < p->uplink_count; i++)
        if (p->uplinks[i])
            uplink_unstored_alarm(p->uplinks[i], r->body, r->length, r->level, r->was, r->unsynced);
    if (p->risk_changed)
        pipeline_publish_risk(p);
}

static void lost_cb(void *arg, enum stream stream, int64_t first, int64_t last, uint64_t count,
                    const char *cause)
{
    struct pipeline *p = arg;

    event_lost(p, stream, first, last, count, cause);
    for (size_t i = 0; last > 0 && i < p->uplink_count; i++)
        if (p->uplinks[i])
            uplink_gone(p->uplinks[i], stream, last);
}

/* ---- 5. uplink <-> store: what to send next, and what has arrived ---- */

static enum rg_err port_fetch(void *arg, enum stream stream, int64_t from, int64_t upto, size_t max_count,
                              size_t max_bytes, const struct stream_filter *filter, uplink_chunk_cb cb,
                              void *cb_arg)
{
    struct pipeline *p = arg;

    if (p->exchanging)
        return RG_EAGAIN; /* devices of its filter would be taken for others */
    return store_fetch(p->store, stream, from, upto, max_count, max_bytes, filter, cb, cb_arg);
}

static void port_fetch_cancel(void *arg, void *cb_arg)
{
    struct pipeline *p = arg;

    store_fetch_cancel(p->store, cb_arg);
}

static enum rg_err port_cursor_put(void *arg, const char *uplink, enum stream stream,
                                   const struct cursor *cursor)
{
    struct pipeline *p = arg;

    /* One that a reload removed hands its cursors over while it leaves: they would hold the retention back for ever. */
    for (size_t i = 0; i < p->site->uplink_count; i++) {
        if (strcmp(p->site->uplinks[i].name, uplink) == 0)
            return store_cursor_put(p->store, uplink, stream, cursor);
    }
    return RG_OK;
}

static void port_request(void *arg, const char *uplink, const struct uplink_request *request)
{
    struct pipeline *p = arg;

    request_desk_take(p->desk, uplink, request);
}

static int64_t port_gone(void *arg, enum stream stream)
{
    const struct pipeline *p = arg;
    struct store_stats stats;

    store_stats(p->store, &stats);
    return stats.gone[stream];
}

static void port_link(void *arg, const char *uplink, bool up, const char *detail)
{
    event_uplink(arg, uplink, up, detail);
}

static void port_note(void *arg, const char *uplink, const char *text)
{
    (void)arg;
    log_tell(LOG_LEVEL_WARNING, &(struct log_about){.uplink = uplink}, "uplink %s: %s", uplink, text);
}

struct uplink_port flow_uplink_port(struct pipeline *p)
{
    return (struct uplink_port){.arg = p,
                                .fetch = port_fetch,
                                .fetch_cancel = port_fetch_cancel,
                                .cursor_put = port_cursor_put,
                                .gone = port_gone,
                                .link = port_link,
                                .request = port_request,
                                .note = port_note};
}

static void polled_cb(void *arg, uint32_t device, bool answered)
{
    struct pipeline *p = arg;

    request_desk_polled(p->desk, device, answered);
}

/* ---- what each part is given of all this ---- */

const struct poll_cbs flow_poll_cbs = {
    .frame = frame_cb, .device = event_device, .bus = event_bus, .note = event_note, .polled = polled_cb};
const struct store_cbs flow_store_cbs = {committed_cb, alarm_not_stored_cb, store_watch_health, lost_cb,
                                         store_watch_aside};

/* ---- documents, events, time ---- */

void pipeline_append_event(struct pipeline *p, const char *kind, int64_t wall_ms)
{
    pipeline_append_event_at(p, kind, (struct moment){loop_mono_ms(p->loop), wall_ms}, 0);
}

void pipeline_append_event_at(struct pipeline *p, const char *kind, struct moment at, int64_t turn)
{
    struct store_record r = {.stream = STREAM_EVENT,
                             .ts = at.wall_ms,
                             .mono = at.mono_ms,
                             .turn = turn,
                             .device = SITE_NONE,
                             .kind = kind};

    r.unsynced = p->frame_unsynced || !loop_clock_synced(p->loop);
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
    for (size_t i = 0; i < p->uplink_count; i++) {
        if (p->uplinks[i] && uplink_doc(p->uplinks[i], doc, p->document.text, p->document.length) != RG_OK)
            p->unrecorded++;
    }
}

void pipeline_publish_risk(struct pipeline *p)
{
    p->risk_changed = p->risk_owed = false;
    loop_timer_stop(p->risk);
    p->risk_due_ms = loop_mono_ms(p->loop) + PIPELINE_RISK_EVERY_MS;
    document_risk(&p->document, p->site, p->rules, loop_wall_ms(p->loop), !loop_clock_synced(p->loop));
    publish_document(p, UPLINK_DOC_RISK);
}

void flow_second_cb(void *arg)
{
    struct pipeline *p = arg;
    struct moment now = pipeline_now(p);
    bool sync_changed;
    int64_t step = clock_watch_look(&p->clock, now, loop_clock_synced(p->loop), &sync_changed);

    if (step != 0 || sync_changed) {
        event_clock(p, step, p->clock.synced);
        reports_stepped(p);
    }
    load_look(&p->load, p->poll);
    say_look(p);
    recording_tick(p);
    if (now.mono_ms >= p->settled_ms) {
        p->settled_ms = INT64_MAX;
        memory_leave_start();
    }
    if (now.mono_ms + FLOW_SECOND_MS > p->risk_due_ms) /* rather a second early than late */
        pipeline_publish_risk(p);
    reports_look(p);
    self_test_look(p);
    p->second_ms = now.mono_ms;
    loop_timer_at(p->second, now.mono_ms + FLOW_SECOND_MS);
}

void pipeline_permit(struct pipeline *p, uint32_t permit, int64_t for_ms, const char *by)
{
    struct moment now = pipeline_now(p);
    int64_t turn = store_turn(p->store); /* before the alarms that it suppresses, or lets count again */

    store_together(p->store);
    rules_permit(p->rules, permit, for_ms > 0 ? now.mono_ms + for_ms : INT64_MIN, now);
    if (for_ms > 0)
        permits_note(&p->permits, permit, by, now);
    event_command_permit(p, permit, for_ms, by, now, turn);
    store_together_end(p->store);
    flow_schedule_deadline(p);
    actuate_follow(p);
}
