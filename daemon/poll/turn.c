/* One poll: its requests one after another, each judged, and what the unit's health makes of them. */
#include "poll/bus.h"

#include <string.h>

#include "base/text.h"

/* ---- asking ---- */

void turn_begin(struct bus *b, size_t unit, int64_t now_ms)
{
    struct unit *u = b->units[unit];
    bool probe = u->health.state == UNIT_SUSPENDED;
    bool triggering = trigger_first(&u->trigger, &u->device->trigger, now_ms);
    bool triggered = u->device->trigger.enabled && !triggering;

    b->polling = true;
    b->turn = (struct turn){
        .unit = unit, .request = TURN_NONE, .probe = probe, .triggering = triggering, .silent = TURN_NONE};
    trigger_end(&u->trigger);
    b->turn.retries = probe ? 0 : u->device->retries;
    /* The write a poll begins with is only its beginning. */
    b->turn.wanted = u->asked_ms != SCHEDULE_NEVER && !triggering;
    if (b->turn.wanted)
        u->asked_ms = SCHEDULE_NEVER;
    if (triggering) {
        trigger_ask(u->device, &b->trigger);
    } else if (probe) {
        /* Not always the same one: the unit may be mute on that one only. */
        u->probe = (u->probe + 1) % u->requests.count;
        b->turn.request = u->probe;
    } else {
        b->turn.trying = requests_begin(&u->requests, now_ms);
        b->turn.request = requests_next(&u->requests, 0, b->turn.trying);
    }
    memset(b->read, 0, u->device->point_count * sizeof(b->read[0]));
    /* The try of a bus that was down may come before the unit is due: then its instant stays. */
    if (!probe && !triggered && u->grid.due_ms <= now_ms)
        u->stats.skipped += grid_take(&u->grid, now_ms, &u->stats.late_ms);
    u->begun_ms = now_ms;
}

void turn_ask(struct bus *b)
{
    const struct unit *u = b->units[b->turn.unit];

    errands_polled(&b->errands);
    if (b->turn.triggering) {
        b->raw = &b->trigger;
        b->raw_answer = (struct driver_raw_answer){.result = DRIVER_BROKEN};
        bus_submit(b, BUS_WORK_TRIGGER);
        return;
    }
    b->job = (struct driver_ask){.plan = u->plan,
                                 .request = b->turn.request,
                                 .memory = u->memory,
                                 .begun_us = u->begun_ms * 1000,
                                 .timeout_ms = u->device->timeout_ms};
    b->answer.result = DRIVER_BROKEN;
    b->answer.exception = 0;
    b->answer.detail[0] = '\0';
    b->answer.count = 0;
    bus_submit(b, BUS_WORK_REQUEST);
}

/* ---- judging ---- */

/* The request under way is one that is otherwise left out: its silence does not end the poll. */
static bool is_trial(const struct bus *b)
{
    const struct unit *u = b->units[b->turn.unit];

    return !b->turn.probe && requests_is_left_out(&u->requests, b->turn.request);
}

/* The last try of a request. */
static void count_request(struct bus *b, struct unit *u, const struct moment *at)
{
    if (b->answer.result == DRIVER_OK) {
        u->stats.ok++;
        u->stats.last_ok_wall_ms = at->wall_ms;
        return;
    }
    b->turn.failed = true;
    u->stats.errors++;
    if (b->answer.result == DRIVER_EXCEPTION)
        u->stats.exceptions++;
    (void)text_copy(u->stats.detail, sizeof(u->stats.detail), notify_text(&b->answer));
}

/* The link failed. */
static void tell_lost(struct bus *b, struct unit *u, const struct moment *at)
{
    int64_t gap_ms = u->device->poll_ms > BUS_TELL_GAP_MS ? u->device->poll_ms : BUS_TELL_GAP_MS;

    if (tell_was_told(u, at->mono_ms, gap_ms))
        return;
    u->told_ms = at->mono_ms;
    tell_rest(b, at);
}

static void tell_result(struct bus *b, struct unit *u, const struct moment *at)
{
    if (!health_is_bus_failure(b->answer.result))
        u->told_ms = BUS_TOLD_NEVER;
    switch (b->answer.result) {
    case DRIVER_OK:
        tell_answer(b, at, QUALITY_GOOD);
        break;
    case DRIVER_EXCEPTION:
        tell_answer(b, at, QUALITY_DEVICE);
        break;
    case DRIVER_MALFORMED:
        tell_answer(b, at, QUALITY_COMM);
        if (b->turn.probe)
            tell_rest(b, at);
        break;
    case DRIVER_SILENT:
        if (!is_trial(b))
            tell_rest(b, at);
        break;
    case DRIVER_BROKEN:
    case DRIVER_UNREACHABLE:
        tell_lost(b, u, at);
        break;
    }
}

/* The link broke under this unit, not for the first time since it answered, and others answered in between: that
 * is the unit's doing, as of one whose gateway hangs up when it has no answer. */
static bool unit_breaks(const struct bus *b, struct unit *u)
{
    uint64_t before = u->broke_at;

    if (b->answer.result != DRIVER_BROKEN)
        return false;
    u->broke_at = b->answers;
    return before != BUS_NEVER_BROKE && before != b->answers;
}

/* What poll_now asked for is over with this poll, or with the one that follows a probe that was answered. */
static bool turn_serves(struct bus *b, struct unit *u, const struct moment *at)
{
    bool wanted = b->turn.wanted;

    if (b->turn.triggering) { /* the write failed: nothing is read */
        wanted = u->asked_ms != SCHEDULE_NEVER;
        u->asked_ms = SCHEDULE_NEVER;
    }
    if (!wanted || !b->turn.probe || !b->turn.answered)
        return wanted;
    u->asked_ms = at->mono_ms;
    return false;
}

static void turn_end(struct bus *b, const struct moment *at)
{
    struct unit *u = b->units[b->turn.unit];
    bool serves = turn_serves(b, u, at);
    enum health_crossing crossing = HEALTH_SAME;
    bool silent = u->health.silent > 0;

    divide_undo(b, false, at->mono_ms);
    if (b->turn.answered)
        u->broke_at = BUS_NEVER_BROKE;
    if (b->turn.answered || !health_is_bus_failure(b->answer.result) || unit_breaks(b, u))
        crossing = unit_health_step(&u->health, b->turn.answered, at->mono_ms, &b->random);
    if (!silent)
        u->silent_wall_ms = at->wall_ms;
    u->rest_until_ms = 0;
    if (!b->turn.answered && !health_is_bus_failure(b->answer.result)) /* from when it was last asked */
        u->rest_until_ms = at->mono_ms - u->device->timeout_ms +
                           health_rest_ms(u->device, &b->context->site->buses[b->index]);
    if (crossing == HEALTH_BACK)
        grid_resume(&u->grid, at->mono_ms);
    if (!b->turn.failed && u->requests.left_out == 0)
        u->stats.detail[0] = '\0';
    b->polling = false;
    b->before = b->turn.answered ? SCHEDULE_ANSWERED : SCHEDULE_UNANSWERED;
    if (b->turn.answered)
        b->dues[b->turn.unit].answered_ms = at->mono_ms;
    bus_settle(b, b->turn.unit);
    notify_device(b, u, crossing, at->mono_ms);
    if (b->turn.answered && b->turn.silent != TURN_NONE && requests_tell(&u->requests, b->turn.silent))
        notify_left_out(b, b->turn.silent);
    if (serves)
        notify_polled(b, u, b->turn.answered);
}

/* The request under way has had its last try. */
static void request_end(struct bus *b, struct unit *u, const struct moment *at)
{
    enum driver_result result = b->answer.result;
    bool answered = result == DRIVER_OK || result == DRIVER_EXCEPTION;
    bool trial = is_trial(b);

    count_request(b, u, at);
    tell_result(b, u, at);
    if (answered)
        b->turn.answered = true;
    if (result == DRIVER_OK)
        divide_keep(b);
    /* A silent probe says nothing about the request: it is the unit that is mute. */
    if (health_is_bus_failure(result) || (b->turn.probe && !answered))
        return;
    if (result == DRIVER_MALFORMED && !trial)
        return;
    if (!answered)
        b->turn.silent = b->turn.request;
    if (requests_step(&u->requests, b->turn.request, answered, at->mono_ms, &b->random))
        notify_asked_again(b, b->turn.request);
    if (trial && !answered)
        b->turn.trying = false;
}

/* Goes on to the next request of the poll, or ends it. */
static void turn_go_on(struct bus *b, struct unit *u, bool mute, const struct moment *at)
{
    if (!mute && !b->turn.probe) {
        size_t next = b->turn.request + 1;

        if (u->whole != NULL && next >= b->turn.first_part + b->turn.parts) {
            divide_undo(b, true, at->mono_ms);
            next = b->turn.first_part + 1;
        }
        b->turn.request = requests_next(&u->requests, next, b->turn.trying);
        if (b->turn.request < u->requests.count)
            return;
        tell_rest(b, at); /* what was left out */
    }
    turn_end(b, at);
}

/* ---- the write that a poll may begin with ---- */

/* Written: all whom it serves wait. */
static void trigger_done(struct bus *b, const struct unit *u, const struct moment *at)
{
    const int64_t begun_ms = u->begun_ms;

    for (size_t i = 0; i < b->count; i++) {
        struct unit *other = b->units[i];
        const bool due = other->trigger.phase == TRIGGER_OPEN && b->dues[i].at_ms <= begun_ms;

        if (other != u && (!due || !site_trigger_shared(&other->device->trigger, &u->device->trigger)))
            continue;
        trigger_written(&other->trigger, &other->device->trigger, at->mono_ms);
        if (other != u && other->health.state != UNIT_SUSPENDED && other->grid.due_ms <= begun_ms)
            other->stats.skipped += grid_take(&other->grid, begun_ms, &other->stats.late_ms);
        bus_settle(b, i);
    }
    b->polling = false;
    b->before = SCHEDULE_ANSWERED;
}

/* After its last try. */
static void trigger_failed(struct bus *b, struct unit *u, const struct moment *at)
{
    const struct site_trigger *what = &u->device->trigger;
    enum driver_result result = b->raw_answer.result;

    b->answer.result = result;
    (void)text_format(b->answer.detail, sizeof(b->answer.detail), "trigger (%s %u): %s",
                      point_space_name(what->space), (unsigned)what->address,
                      b->raw_answer.detail[0] != '\0' ? b->raw_answer.detail : driver_result_name(result));
    count_request(b, u, at);
    b->turn.answered = result == DRIVER_EXCEPTION;
    if (health_is_bus_failure(result)) {
        tell_lost(b, u, at);
    } else {
        u->told_ms = BUS_TOLD_NEVER;
        tell_rest(b, at);
    }
}

static void trigger_result(struct bus *b, const struct moment *at, int64_t duration_us)
{
    struct unit *u = b->units[b->turn.unit];
    enum driver_result result = b->raw_answer.result;
    bool told = bus_nobody_answers(b, &b->trigger);
    bool again = (result == DRIVER_SILENT || result == DRIVER_MALFORMED) && b->turn.retries > 0;
    bool failed = !again && result != DRIVER_OK;

    bus_count(b, result, !told && (result == DRIVER_OK || result == DRIVER_EXCEPTION), duration_us);
    enum health_crossing crossing = bus_health_step(
        &b->health, told && result == DRIVER_OK ? DRIVER_SILENT : result, at->mono_ms, &b->random);
    if (failed)
        trigger_failed(b, u, at);
    notify_bus(b, crossing);
    if (again) {
        b->turn.retries--;
        u->stats.retries++;
    } else if (failed) {
        turn_end(b, at);
    } else {
        trigger_done(b, u, at);
    }
}

/* ---- one transaction ---- */

/* It is over: again, the next request, or the end of the poll. */
void turn_result(struct bus *b, const struct moment *at, int64_t duration_us)
{
    struct unit *u = b->units[b->turn.unit];
    enum driver_result result = b->answer.result;
    if (b->turn.triggering) {
        trigger_result(b, at, duration_us);
        return;
    }
    bool unanswered = result == DRIVER_SILENT || result == DRIVER_MALFORMED;
    bool trial = is_trial(b);
    bool again = unanswered && b->turn.retries > 0 && !trial;
    bool divided = false;

    bus_count(b, result, result == DRIVER_OK || result == DRIVER_EXCEPTION, duration_us);
    enum health_crossing crossing = bus_health_step(&b->health, result, at->mono_ms, &b->random);
    if (again)
        b->turn.retries--;
    else if (result == DRIVER_EXCEPTION)
        divided = divide_begin(b, at->mono_ms);
    if (!again && !divided)
        request_end(b, u, at);
    notify_bus(b, crossing);
    if (again || divided) {
        u->stats.retries++;
        return;
    }
    turn_go_on(b, u, (result == DRIVER_SILENT && !trial) || health_is_bus_failure(result), at);
}
