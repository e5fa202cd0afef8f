#include "app/supervise.h"

#include <stdlib.h>
#include <string.h>

#include "app/flow.h"
#include "app/pipeline.h"
#include "base/log.h"
#include "base/text.h"

#define LOOKS 4     /* in the manager's time: one that comes late is not the end */
#define MESSAGE 512 /* bytes */

struct supervise {
    struct loop *loop;
    const struct pipeline *pipeline;
    struct supervise_manager manager;
    struct loop_timer *timer;
    int64_t every_ms, looked_ms, told_ms;
    struct supervise_progress parts[SUPERVISE_PARTS];
    bool stands[SUPERVISE_PARTS]; /* told */
    char bus[TEXT_ID_MAX + 1]; /* the one that is longest at it, or was; copied, as a reload may remove it */
    char status[MESSAGE];      /* as told last */
    /* What the manager had no room for. Of a reload's end and the next one's beginning only the latter is left: a later word makes up for it. */
    bool owes_reloading, owes_ready;
    int64_t reloading_us;
};

int64_t supervise_look(struct supervise_progress *p, bool busy, uint64_t mark, int64_t elapsed_ms)
{
    p->stood_ms = busy && p->busy && mark == p->mark ? p->stood_ms + elapsed_ms : 0;
    p->busy = busy;
    p->mark = mark;
    return p->stood_ms;
}

static int64_t patience_ms(const struct supervise *s, enum supervise_part part)
{
    const int64_t one = s->manager.watchdog_ms > 0 ? s->manager.watchdog_ms : SUPERVISE_PATIENCE_MS;

    return part == SUPERVISE_STORE ? SUPERVISE_STORE_TIMES * one : one;
}

/* False: it has to be said again. By hand nobody listens; and whom should it be told to that a manager is deaf? */
static bool say(const struct supervise *s, const char *state)
{
    return s->manager.send(s->manager.arg, state) != RG_EAGAIN;
}

static bool say_reloading(const struct supervise *s)
{
    char state[64];

    /* The instant: for Type=notify-reload of newer managers. */
    (void)text_format(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)s->reloading_us);
    return say(s, state);
}

/* False: the manager still has no room. In the order in which they came to pass. */
static bool say_owed(struct supervise *s)
{
    if (s->owes_reloading)
        s->owes_reloading = !say_reloading(s);
    if (s->owes_ready && !s->owes_reloading)
        s->owes_ready = !say(s, "READY=1");
    return !s->owes_reloading && !s->owes_ready;
}

/* ---- how it is ---- */

static size_t devices_that_answer(const struct pipeline *p, size_t *all)
{
    size_t answer = 0;

    *all = 0;
    for (uint32_t i = 0; i < p->site->device_count; i++) {
        struct poll_device_stats d;

        if (p->site->devices[i].derived)
            continue;
        (*all)++;
        poll_device_stats(p->poll, i, &d);
        answer += d.state == UNIT_ONLINE || d.state == UNIT_DOUBTFUL ? 1 : 0;
    }
    return answer;
}

static size_t platforms_connected(const struct pipeline *p)
{
    size_t connected = 0;

    for (size_t i = 0; i < p->uplink_count; i++) {
        struct uplink_stats u;

        if (!p->uplinks[i])
            continue;
        uplink_stats(p->uplinks[i], &u);
        connected += u.connected ? 1 : 0;
    }
    return connected;
}

static void part_name(const struct supervise *s, enum supervise_part part, char *out, size_t size)
{
    if (part == SUPERVISE_BUSES)
        (void)text_format(out, size, "bus %s", s->bus);
    else
        (void)text_copy(out, size, part == SUPERVISE_STORE ? "the store" : "the loop");
}

static void describe(const struct supervise *s, char *out, size_t size)
{
    const struct pipeline *p = s->pipeline;
    struct rules_counts counts;
    size_t alarms = 0, devices, answer;

    for (int i = 0; i < SUPERVISE_PARTS; i++) {
        char name[TEXT_ID_MAX + 8];

        if (!s->stands[i])
            continue;
        part_name(s, (enum supervise_part)i, name, sizeof name);
        (void)text_format(out, size, "%s stands still", name);
        return;
    }
    rules_counts(p->rules, &counts);
    for (int i = 0; i < LEVEL_COUNT; i++)
        alarms += i == LEVEL_NONE ? 0 : counts.active[i];
    answer = devices_that_answer(p, &devices);
    (void)text_format(out, size,
                      "level %s; %zu alarm%s, %zu not acknowledged; %zu of %zu devices answer; %zu of %zu "
                      "platforms connected%s",
                      level_name(rules_level(p->rules)), alarms, alarms == 1 ? "" : "s", counts.unacked,
                      answer, devices, platforms_connected(p), p->uplink_count,
                      p->store_watch.failing ? "; the store does not take records" : "");
}

/* now: without waiting for the next time. */
static void tell_status(struct supervise *s, bool now)
{
    const int64_t now_ms = loop_mono_ms(s->loop);
    char text[MESSAGE - 16], state[MESSAGE];

    if (!now && now_ms < s->told_ms + SUPERVISE_STATUS_MS)
        return;
    s->told_ms = now_ms;
    describe(s, text, sizeof text);
    if (strcmp(text, s->status) == 0)
        return;
    (void)text_format(state, sizeof state, "STATUS=%s", text);
    if (say(s, state))
        (void)text_copy(s->status, sizeof s->status, text);
}

/* ---- whether it gets on ---- */

/* A loop that turns fires this timer, too; its own second tells whether it does its work. */
static int64_t look_loop(struct supervise *s, int64_t now_ms, int64_t elapsed_ms)
{
    const bool late = now_ms > s->pipeline->second_ms + 2 * FLOW_SECOND_MS;

    return supervise_look(&s->parts[SUPERVISE_LOOP], late, (uint64_t)s->pipeline->second_ms, elapsed_ms);
}

static int64_t look_buses(struct supervise *s, int64_t elapsed_ms)
{
    uint32_t bus = SITE_NONE;
    const int64_t over_ms = s->pipeline->poll ? poll_standing_ms(s->pipeline->poll, &bus) : 0;
    /* Of another bus than at the last look it is the shorter time. */
    const int64_t stood_ms = supervise_look(&s->parts[SUPERVISE_BUSES], bus != SITE_NONE, 0, elapsed_ms);

    if (bus != SITE_NONE)
        (void)text_copy(s->bus, sizeof s->bus, s->pipeline->site->buses[bus].name);
    return stood_ms < over_ms ? stood_ms : over_ms;
}

static int64_t look_store(struct supervise *s, int64_t elapsed_ms)
{
    uint64_t mark = 0;
    const bool busy = store_working(s->pipeline->store, &mark);

    return supervise_look(&s->parts[SUPERVISE_STORE], busy, mark, elapsed_ms);
}

static void tell_crossing(const struct supervise *s, enum supervise_part part, bool stands, int64_t stood_ms)
{
    const struct log_about about = {.bus = part == SUPERVISE_BUSES ? s->bus : NULL};
    const long long stood_s = (long long)(stood_ms / 1000);
    char name[TEXT_ID_MAX + 8];

    part_name(s, part, name, sizeof name);
    if (!stands)
        log_tell(LOG_LEVEL_INFO, &about, "%s gets on again", name);
    else if (s->manager.watchdog_ms > 0)
        log_tell(LOG_LEVEL_ERROR, &about,
                 "%s has not got on for %lld s: unless it does, the service manager starts the daemon anew "
                 "in %lld s",
                 name, stood_s, (long long)(s->manager.watchdog_ms / 1000));
    else
        log_tell(LOG_LEVEL_ERROR, &about,
                 "%s has not got on for %lld s; nobody watches who would start the daemon anew", name,
                 stood_s);
}

/* True when it gets on. Crossings are told. */
static bool judge(struct supervise *s, enum supervise_part part, int64_t stood_ms)
{
    const bool stands = stood_ms >= patience_ms(s, part);

    if (stands != s->stands[part])
        tell_crossing(s, part, stands, stood_ms);
    s->stands[part] = stands;
    return !stands;
}

/* In its time, or earlier, where the manager waits for a word that there was no room for. */
static void look_again(const struct supervise *s)
{
    const bool owes = s->owes_reloading || s->owes_ready;
    const int64_t in_ms = owes && s->every_ms > SUPERVISE_AGAIN_MS ? SUPERVISE_AGAIN_MS : s->every_ms;

    loop_timer_at(s->timer, s->looked_ms + in_ms);
}

static void look_cb(void *arg)
{
    struct supervise *s = arg;
    const int64_t now_ms = loop_mono_ms(s->loop);
    int64_t elapsed_ms = now_ms - s->looked_ms;
    bool stood[SUPERVISE_PARTS], all = true, changed = false;

    /* A machine that stood still did so with all its disks and lines: that is not held against them. */
    if (elapsed_ms > 2 * s->every_ms)
        elapsed_ms = 2 * s->every_ms;
    s->looked_ms = now_ms;
    memcpy(stood, s->stands, sizeof stood);
    all = judge(s, SUPERVISE_LOOP, look_loop(s, now_ms, elapsed_ms)) && all;
    all = judge(s, SUPERVISE_BUSES, look_buses(s, elapsed_ms)) && all;
    all = judge(s, SUPERVISE_STORE, look_store(s, elapsed_ms)) && all;
    for (int i = 0; i < SUPERVISE_PARTS; i++)
        changed = changed || stood[i] != s->stands[i];
    /* Whoever does not read gets the word he waits for first. */
    if (say_owed(s))
        tell_status(s, changed);
    if (all && s->manager.watchdog_ms > 0)
        (void)say(s, "WATCHDOG=1"); /* or with the next look */
    look_again(s);
}

/* ---- life ---- */

enum rg_err supervise_create(struct loop *loop, const struct pipeline *pipeline,
                             const struct supervise_manager *manager, struct supervise **out)
{
    struct supervise *s = calloc(1, sizeof *s);
    enum rg_err err;

    *out = NULL;
    if (!s)
        return RG_ENOMEM;
    s->loop = loop;
    s->pipeline = pipeline;
    s->manager = *manager;
    s->every_ms = patience_ms(s, SUPERVISE_LOOP) / LOOKS;
    if (s->every_ms < 1)
        s->every_ms = 1;
    err = loop_timer_create(loop, look_cb, s, &s->timer);
    if (err != RG_OK) {
        free(s);
        return err;
    }
    (void)say(s, "STATUS=starting; after a power cut the whole database is checked first");
    *out = s;
    return RG_OK;
}

void supervise_destroy(struct supervise *s)
{
    if (!s)
        return;
    loop_timer_destroy(s->timer);
    free(s);
}

void supervise_ready(struct supervise *s)
{
    s->looked_ms = loop_mono_ms(s->loop);
    supervise_reloaded(s);
}

void supervise_reloading(struct supervise *s)
{
    s->reloading_us = loop_mono_us(s->loop);
    s->owes_reloading = true;
    s->owes_ready = false;
    (void)say_owed(s); /* or with the next look, with the end of it at the latest */
}

void supervise_reloaded(struct supervise *s)
{
    s->owes_ready = true;
    if (say_owed(s))
        tell_status(s, true);
    look_again(s);
}

void supervise_stopping(struct supervise *s)
{
    loop_timer_stop(s->timer);
    /* Once: it sent the signal itself, mostly, and waits for the end. */
    (void)say(s, "STOPPING=1\nSTATUS=stopping");
}
