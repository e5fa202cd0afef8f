#include "app/self_test.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/actuate.h"
#include "app/event.h"
#include "app/flow.h"
#include "base/log.h"
#include "control/control.h"
#include "record/record.h"

#define NEVER INT64_MAX

void self_test_init(struct pipeline *p)
{
    p->self_test = (struct self_test){.begun_ms = INT64_MIN, .next_ms = NEVER};
    jsonw_init(&p->self_test.answer, 0);
}

void self_test_free(struct pipeline *p)
{
    free(p->self_test.uplinks);
    jsonw_free(&p->self_test.answer);
    p->self_test.uplinks = NULL;
    p->self_test.count = 0;
}

static const char *of(const struct pipeline *p, const char *uplink)
{
    for (size_t i = 0; i < p->site->uplink_count; i++) {
        if (strcmp(p->site->uplinks[i].name, uplink) == 0)
            return p->site->uplinks[i].receipts ? "receipt" : "puback";
    }
    return "puback";
}

/* ---- when ---- */

/* When the next one is due, from the last one of this run, or else from what the store remembers of the uplink that
 * was tested longest ago. */
static void plan(struct pipeline *p)
{
    struct self_test *t = &p->self_test;
    const struct moment now = pipeline_now(p);
    int64_t every_ms = p->site->self_test.every_ms, passed = 0, next;
    bool all = true;

    t->next_ms = NEVER;
    if (every_ms == 0 || !t->past_known)
        return;
    for (size_t i = 0; i < t->count; i++) {
        int64_t ago = t->uplinks[i].last.ts == 0 ? every_ms : now.wall_ms - t->uplinks[i].last.ts;

        if (t->uplinks[i].tested && ago > passed)
            passed = ago;
        all = all && (!t->uplinks[i].tested || t->uplinks[i].last.ts > 0);
    }
    /* By the monotonic clock as far as it goes. */
    if (t->begun_ms != INT64_MIN && all)
        next = t->begun_ms + every_ms;
    else
        next = now.mono_ms + (passed < every_ms ? every_ms - passed : 0);
    t->next_ms = next > now.mono_ms + SELF_TEST_SETTLE_MS ? next : now.mono_ms + SELF_TEST_SETTLE_MS;
}

void self_test_past(struct pipeline *p, const struct past *past)
{
    struct self_test *t = &p->self_test;

    memcpy(t->past, past->tests, past->test_count * sizeof past->tests[0]);
    t->past_count = past->test_count;
    t->past_known = true;
    for (size_t i = 0; i < t->count; i++) {
        for (size_t k = 0; k < t->past_count; k++) {
            if (strcmp(t->uplinks[i].name, t->past[k].uplink) == 0 && t->uplinks[i].last.ts == 0)
                t->uplinks[i].last = t->past[k];
        }
    }
    plan(p);
}

/* ---- the end of one ---- */

static void answer_begin(struct self_test *t)
{
    jsonw_reset(&t->answer);
    jsonw_array_begin(&t->answer);
}

static void write_outcome(struct jsonw *w, const struct pipeline *p, const struct past_test *last)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "uplink", last->uplink);
    jsonw_key_positive(w, "last_ts", last->ts);
    if (last->ts > 0)
        jsonw_key_bool(w, "ok", last->ok);
    else
        jsonw_key_null(w, "ok");
    if (last->ts > 0 && last->ok)
        jsonw_key_int(w, "round_trip_ms", last->round_trip_ms);
    else
        jsonw_key_null(w, "round_trip_ms");
    jsonw_key_string(w, "of", of(p, last->uplink));
    jsonw_object_end(w);
}

static void end_if_over(struct pipeline *p)
{
    struct self_test *t = &p->self_test;
    struct control_call *call = t->call;

    for (size_t i = 0; i < t->count; i++) {
        if (t->uplinks[i].waiting)
            return;
    }
    t->running = false;
    t->call = NULL;
    jsonw_array_end(&t->answer);
    if (call)
        control_answer(call, &t->answer);
}

/* detail: why not; NULL: it came through. */
static void outcome(struct self_test_uplink *u, const char *detail)
{
    struct pipeline *p = u->p;
    struct self_test *t = &p->self_test;
    const struct moment now = pipeline_now(p);
    int64_t took = now.mono_ms - t->begun_ms;

    u->waiting = u->watched = false;
    u->last = (struct past_test){.ts = now.wall_ms, .ok = !detail, .round_trip_ms = detail ? -1 : took};
    (void)text_copy(u->last.uplink, sizeof u->last.uplink, u->name);
    event_self_test(p, &u->last, of(p, u->name), t->alarm, detail, now);
    for (uint32_t i = 0; i < p->site->uplink_count; i++) {
        if (strcmp(p->site->uplinks[i].name, u->name) == 0)
            rules_self_test(p->rules, i, detail != NULL, now);
    }
    flow_schedule_deadline(p);
    actuate_follow(p);
    write_outcome(&t->answer, p, &u->last);
    end_if_over(p);
}

/* ---- the way of one ---- */

static void through_cb(void *arg)
{
    struct self_test_uplink *u = arg;

    if (u->waiting)
        outcome(u, NULL);
}

/* The test alarm is durable: with all of the alarm stream so far. */
static void flushed_cb(void *arg, bool ok)
{
    struct pipeline *p = arg;
    struct self_test *t = &p->self_test;
    struct store_stats stats;

    if (--t->flushes > 0 || !t->running)
        return; /* of one that was given up */
    t->again = !ok;
    if (!ok)
        return;
    store_stats(p->store, &stats);
    for (size_t i = 0; i < t->count && i < p->uplink_count; i++) {
        struct self_test_uplink *u = &t->uplinks[i];

        /* RG_EFULL: asked again with the next second. */
        if (u->waiting && !u->watched && p->uplinks[i])
            u->watched =
                uplink_watch(p->uplinks[i], STREAM_ALARM, stats.head[STREAM_ALARM], through_cb, u) == RG_OK;
        t->again = t->again || (u->waiting && !u->watched);
    }
}

static void flush(struct pipeline *p)
{
    p->self_test.flushes++;
    p->self_test.again = false;
    store_flush(p->store, flushed_cb, p);
}

static enum rg_err encode(struct pipeline *p, struct jsonw *w, enum alarm_event event, struct moment at,
                          struct store_record *r)
{
    struct alarm alarm = {.level = event == ALARM_RAISE ? LEVEL_BLUE : LEVEL_NONE, .raised_ms = at.wall_ms};
    const struct alarm_change change = {.event = event,
                                        .at = at,
                                        .was = event == ALARM_RAISE ? LEVEL_NONE : LEVEL_BLUE,
                                        .alarm = &alarm,
                                        .message = "test of the way to the platform, no danger",
                                        .test = true};

    (void)text_copy(alarm.id, sizeof alarm.id, p->self_test.alarm);
    (void)text_copy(alarm.rule, sizeof alarm.rule, RULE_SELF_TEST);
    (void)text_copy(alarm.point, sizeof alarm.point, p->site->gateway.id);
    *r = (struct store_record){.stream = STREAM_ALARM,
                               .ts = at.wall_ms,
                               .mono = at.mono_ms,
                               .device = SITE_NONE,
                               .unsynced = !loop_clock_synced(p->loop),
                               .level = alarm.level,
                               .was = change.was,
                               .test = true};
    return record_alarm(w, &change, r->unsynced, &r->body, &r->length);
}

/* Raise and clear together: no crash leaves one without the other. */
static enum rg_err append(struct pipeline *p, struct moment at)
{
    struct store_record raise, clear;
    enum rg_err err = encode(p, &p->record, ALARM_RAISE, at, &raise);

    if (err == RG_OK)
        err = encode(p, &p->event, ALARM_CLEAR, at, &clear);
    store_together(p->store);
    if (err == RG_OK)
        err = store_append(p->store, &raise);
    if (err == RG_OK)
        err = store_append(p->store, &clear);
    store_together_end(p->store);
    return err;
}

/* only: one uplink, or SIZE_MAX: all that are tested. */
static void begin(struct pipeline *p, size_t only)
{
    struct self_test *t = &p->self_test;
    const struct moment now = pipeline_now(p);
    enum rg_err err;

    t->begun_ms = now.mono_ms;
    t->running = true;
    answer_begin(t);
    (void)text_format(t->alarm, sizeof t->alarm, "%s-test-%" PRId64 "-%" PRIu64, p->site->gateway.id, p->boot,
                      ++t->number);
    for (size_t i = 0; i < t->count; i++)
        t->uplinks[i].waiting = t->uplinks[i].tested && (only == SIZE_MAX || only == i);
    err = append(p, now);
    t->refused = err != RG_OK; /* told with the next second: nobody is answered inside his question */
    if (t->refused)
        p->unrecorded++;
    else
        flush(p);
}

static void give_up(struct pipeline *p)
{
    struct self_test *t = &p->self_test;

    for (size_t i = 0; i < t->count; i++) {
        struct self_test_uplink *u = &t->uplinks[i];
        struct uplink_stats stats = {.connected = false};

        if (!u->waiting)
            continue;
        if (i < p->uplink_count && p->uplinks[i]) {
            uplink_unwatch(p->uplinks[i], u);
            uplink_stats(p->uplinks[i], &stats);
        }
        outcome(u, t->refused || !u->watched ? "the store did not take it in time"
                   : stats.connected         ? "no acknowledgement in time"
                                             : "not connected");
    }
    t->again = false;
}

void self_test_look(struct pipeline *p)
{
    struct self_test *t = &p->self_test;
    int64_t now = loop_mono_ms(p->loop);

    if (t->running && (t->refused || now >= t->begun_ms + p->site->self_test.limit_ms))
        give_up(p);
    else if (t->running && t->again && t->flushes == 0)
        flush(p);
    if (t->running || now < t->next_ms || t->count == 0)
        return;
    begin(p, SIZE_MAX);
    t->next_ms = t->begun_ms + p->site->self_test.every_ms;
}

/* ---- uplinks come and go ---- */

void self_test_drop(struct pipeline *p)
{
    struct self_test *t = &p->self_test;

    for (size_t i = 0; i < t->count; i++) {
        struct past_test *place = NULL;

        if (i < p->uplink_count && p->uplinks[i] && t->uplinks[i].watched)
            uplink_unwatch(p->uplinks[i], &t->uplinks[i]);
        for (size_t k = 0; k < t->past_count; k++) {
            if (strcmp(t->past[k].uplink, t->uplinks[i].name) == 0)
                place = &t->past[k];
        }
        if (!place && t->past_count < PAST_TESTS)
            place = &t->past[t->past_count++];
        if (place && t->uplinks[i].last.ts > 0)
            *place = t->uplinks[i].last;
        else if (place)
            (void)text_copy(place->uplink, sizeof place->uplink, t->uplinks[i].name);
    }
    if (t->running) {
        t->begun_ms = INT64_MIN; /* it is done again */
        if (t->call)
            control_answer_error(t->call, "given up: the configuration was read again, or riskgated stops");
    }
    t->running = t->again = false;
    t->call = NULL;
    t->next_ms = NEVER;
    free(t->uplinks);
    t->uplinks = NULL;
    t->count = 0;
}

void self_test_uplinks(struct pipeline *p)
{
    struct self_test *t = &p->self_test;
    const struct site_self_test *conf = &p->site->self_test;

    t->every_ms = conf->every_ms;
    if (conf->every_ms == 0)
        return;
    t->uplinks = calloc(p->uplink_count + 1, sizeof *t->uplinks);
    if (!t->uplinks) {
        log_error("self_test: out of memory; there is none until the next reload");
        return;
    }
    t->count = p->uplink_count;
    for (size_t i = 0; i < t->count; i++) {
        struct self_test_uplink *u = &t->uplinks[i];

        u->p = p;
        u->tested = conf->uplinks[i];
        (void)text_copy(u->name, sizeof u->name, p->site->uplinks[i].name);
        for (size_t k = 0; k < t->past_count; k++) {
            if (strcmp(t->past[k].uplink, u->name) == 0)
                u->last = t->past[k];
        }
        (void)text_copy(u->last.uplink, sizeof u->last.uplink, u->name);
    }
    plan(p);
}

bool self_test_same(const struct pipeline *p, const struct site *next)
{
    const struct self_test *t = &p->self_test;

    if (next->self_test.every_ms != t->every_ms)
        return false;
    if (t->every_ms > 0 && t->count != next->uplink_count)
        return false;
    for (size_t i = 0; i < t->count; i++) {
        if (t->uplinks[i].tested != next->self_test.uplinks[i])
            return false;
    }
    return true;
}

/* ---- people ---- */

static void gone_cb(void *arg)
{
    struct pipeline *p = arg;

    p->self_test.call = NULL;
}

static size_t find(const struct self_test *t, const char *name, char *error, size_t error_size)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->uplinks[i].tested && strcmp(t->uplinks[i].name, name) == 0)
            return i;
    }
    (void)text_format(error, error_size, "there is no uplink %.64s that self tests are sent through", name);
    return SIZE_MAX;
}

enum rg_err self_test_command(struct pipeline *p, struct control_call *call, const struct json *request,
                              char *error, size_t error_size)
{
    struct self_test *t = &p->self_test;
    const char *name = json_string(json_get(request, "uplink")), *by = json_string(json_get(request, "by"));
    size_t only = SIZE_MAX;

    if (!by || !by[0] || strlen(by) >= ALARM_WHO_MAX) {
        (void)text_copy(error, error_size,
                        by && by[0] ? "the name is too long" : "self-test needs who asks for it");
        return RG_EINVAL;
    }
    if (p->site->self_test.every_ms == 0 || t->count == 0) {
        (void)text_copy(error, error_size,
                        "no self test is configured (self_test), or its uplinks are being exchanged");
        return RG_ESTATE;
    }
    if (t->running) {
        (void)text_copy(error, error_size, "one is under way");
        return RG_EEXIST;
    }
    if (name) {
        only = find(t, name, error, error_size);
        if (only == SIZE_MAX)
            return RG_ENOTFOUND;
    }
    event_command_self_test(p, name, by);
    control_defer(call, gone_cb, p);
    t->call = call;
    begin(p, only);
    if (only == SIZE_MAX && t->next_ms != NEVER)
        t->next_ms = t->begun_ms + p->site->self_test.every_ms;
    return RG_OK;
}

void self_test_status(const struct pipeline *p, struct jsonw *w)
{
    const struct self_test *t = &p->self_test;

    jsonw_array_begin(w);
    for (size_t i = 0; i < t->count; i++) {
        if (t->uplinks[i].tested)
            write_outcome(w, p, &t->uplinks[i].last);
    }
    jsonw_array_end(w);
}
