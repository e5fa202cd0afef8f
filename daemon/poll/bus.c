/* The life of a bus: choose who is due, ask request by request on the bus's thread, judge each answer, choose
 * again.
 *
 * bus_kick is the only place that begins something; it is called when the timer fires and when a poll has
 * ended. */
#include "poll/bus.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void bus_result(struct bus *b, const struct moment *at, int64_t duration_us);

/* ---- asking ---- */

static void worker_run_cb(void *arg)
{
    struct bus *b = arg;

    b->context->driver->transact(b->link, &b->job, &b->answer);
}

static void worker_done_cb(void *arg, const struct loop_worker_time *time)
{
    struct moment at = {.mono_ms = time->ended_us / 1000, .wall_ms = time->ended_wall_ms};

    bus_result(arg, &at, time->ended_us - time->started_us);
}

static void bus_ask(struct bus *b)
{
    const struct unit *u = b->units[b->turn.unit];
    const struct bus_context *context = b->context;

    b->job = (struct driver_ask){.plan = u->plan,
                                 .request = b->turn.request,
                                 .memory = u->memory,
                                 .begun_us = u->begun_ms * 1000,
                                 .timeout_ms = u->device->timeout_ms};
    b->answer.result = DRIVER_BROKEN;
    b->answer.exception = 0;
    b->answer.detail[0] = '\0';
    b->answer.count = 0;
    enum rg_err err = loop_worker_submit(b->worker);
    if (err == RG_OK)
        return;
    /* No thread to ask with: as good as a link that does not open, and it backs off the same way. */
    struct moment at = {.mono_ms = loop_mono_ms(context->loop), .wall_ms = loop_wall_ms(context->loop)};
    b->answer.result = DRIVER_UNREACHABLE;
    (void)text_format(b->answer.detail, sizeof(b->answer.detail), "bus thread: %s", rg_err_text(err));
    bus_result(b, &at, 0);
}

static void bus_begin(struct bus *b, size_t unit, int64_t now_ms)
{
    struct unit *u = b->units[unit];
    bool probe = u->health.state == UNIT_SUSPENDED;

    b->busy = true;
    b->turn = (struct turn){.unit = unit, .probe = probe, .silent = TURN_NONE};
    if (probe) {
        /* Not always the same one: the unit may be mute on that one only. */
        u->probe = (u->probe + 1) % u->requests.count;
        b->turn.request = u->probe;
    } else {
        b->turn.retries = u->device->retries;
        b->turn.trying = requests_begin(&u->requests, now_ms);
        b->turn.request = requests_next(&u->requests, 0, b->turn.trying);
    }
    memset(b->read, 0, u->device->point_count * sizeof(b->read[0]));
    /* The try of a bus that was down may come before the unit is due: then its instant stays. */
    if (!probe && u->grid.due_ms <= now_ms)
        u->stats.skipped += grid_take(&u->grid, now_ms, &u->stats.late_ms);
    u->begun_ms = now_ms;
    bus_ask(b);
}

/* ---- waiting ---- */

static int64_t unit_due(const struct unit *u)
{
    if (u->requests.count == 0)
        return SCHEDULE_NEVER;
    return u->health.state == UNIT_SUSPENDED ? u->health.probe_at_ms : u->grid.due_ms;
}

static int64_t unit_patience(const struct unit *u)
{
    switch (u->health.state) {
    case UNIT_DOUBTFUL:
        return SCHEDULE_DOUBT_PATIENCE_MS;
    case UNIT_SUSPENDED:
        return SCHEDULE_PROBE_PATIENCE_MS;
    case UNIT_UNKNOWN:
    case UNIT_ONLINE:
        break;
    }
    return 0;
}

static void bus_settle(struct bus *b, size_t unit)
{
    const struct unit *u = b->units[unit];

    b->dues[unit].at_ms = unit_due(u);
    b->dues[unit].patience_ms = unit_patience(u);
}

static bool told_within(const struct unit *u, int64_t now_ms, int64_t gap_ms)
{
    return u->told_ms != BUS_TOLD_NEVER && now_ms - u->told_ms < gap_ms;
}

/* The bus is down and the unit would have been due: its instant passes, and its points are told bad. */
static void bus_pass_over(struct bus *b, size_t unit, int64_t now_ms)
{
    struct unit *u = b->units[unit];

    if (u->health.state == UNIT_SUSPENDED) {
        b->dues[unit].at_ms = b->health.retry_at_ms;
    } else {
        grid_resume(&u->grid, now_ms);
        bus_settle(b, unit);
    }
    if (told_within(u, now_ms, BUS_TELL_GAP_MS))
        return;
    u->told_ms = now_ms;
    tell_all(b, unit, &(struct moment){.mono_ms = now_ms, .wall_ms = loop_wall_ms(b->context->loop)});
}

/* Who tries a bus that was down: of the units with the least patience (the soundest) the one not asked for
 * longest, so that a unit which makes the link break is not the only one to try it. */
static size_t bus_choose_trial(const struct bus *b)
{
    size_t best = b->count;

    for (size_t i = 0; i < b->count; i++) {
        if (b->units[i]->requests.count == 0)
            continue;
        if (best == b->count || b->dues[i].patience_ms < b->dues[best].patience_ms ||
            (b->dues[i].patience_ms == b->dues[best].patience_ms &&
             b->units[i]->begun_ms < b->units[best]->begun_ms))
            best = i;
    }
    return best;
}

static void bus_wait_down(struct bus *b, int64_t now_ms)
{
    int64_t wake_ms = b->health.retry_at_ms;

    for (size_t i = 0; i < b->count; i++) {
        if (b->dues[i].at_ms <= now_ms)
            bus_pass_over(b, i, now_ms);
        if (b->dues[i].at_ms < wake_ms)
            wake_ms = b->dues[i].at_ms;
    }
    loop_timer_at(b->timer, wake_ms);
}

static void bus_kick(struct bus *b)
{
    if (!b->started || b->busy)
        return;
    int64_t now_ms = loop_mono_ms(b->context->loop);
    if (b->health.state == BUS_DOWN) {
        if (now_ms < b->health.retry_at_ms)
            bus_wait_down(b, now_ms);
        else
            bus_begin(b, bus_choose_trial(b), now_ms);
        return;
    }
    struct choice choice = schedule_choose(b->dues, b->count, now_ms, b->last_failed);
    if (choice.found)
        bus_begin(b, choice.index, now_ms);
    else if (choice.wake_ms != SCHEDULE_NEVER)
        loop_timer_at(b->timer, choice.wake_ms);
}

static void timer_cb(void *arg)
{
    bus_kick(arg);
}

/* ---- judging ---- */

static void count_transaction(struct bus *b, int64_t duration_us)
{
    enum driver_result result = b->answer.result;

    if (result == DRIVER_OK)
        b->stats.ok++;
    else
        b->stats.errors++;
    if (result == DRIVER_SILENT)
        b->stats.timeouts++;
    if (result == DRIVER_OK || result == DRIVER_EXCEPTION) {
        b->answers++;
        durations_add(&b->durations, duration_us);
    }
}

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

static void tell_result(struct bus *b, struct unit *u, const struct moment *at)
{
    int64_t gap_ms = u->device->poll_ms > BUS_TELL_GAP_MS ? u->device->poll_ms : BUS_TELL_GAP_MS;

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
        if (!told_within(u, at->mono_ms, gap_ms)) {
            u->told_ms = at->mono_ms;
            tell_rest(b, at);
        }
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

static void bus_end(struct bus *b, const struct moment *at)
{
    struct unit *u = b->units[b->turn.unit];
    enum health_crossing crossing = HEALTH_SAME;

    divide_undo(b, false, at->mono_ms);
    if (b->turn.answered)
        u->broke_at = BUS_NEVER_BROKE;
    if (b->turn.answered || !health_is_bus_failure(b->answer.result) || unit_breaks(b, u))
        crossing = unit_health_step(&u->health, b->turn.answered, at->mono_ms, &b->random);
    if (crossing == HEALTH_BACK)
        grid_resume(&u->grid, at->mono_ms);
    if (!b->turn.failed && u->requests.left_out == 0)
        u->stats.detail[0] = '\0';
    b->busy = false;
    b->last_failed = !b->turn.answered;
    if (b->turn.answered)
        b->dues[b->turn.unit].answered_ms = at->mono_ms;
    bus_settle(b, b->turn.unit);
    notify_device(b, u, crossing, at->mono_ms);
    if (b->turn.answered && b->turn.silent != TURN_NONE && requests_tell(&u->requests, b->turn.silent))
        notify_left_out(b, b->turn.silent);
    bus_kick(b);
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
static void bus_go_on(struct bus *b, struct unit *u, bool mute, const struct moment *at)
{
    if (!mute && !b->turn.probe) {
        size_t next = b->turn.request + 1;

        if (u->whole != NULL && next >= b->turn.first_part + b->turn.parts) {
            divide_undo(b, true, at->mono_ms);
            next = b->turn.first_part + 1;
        }
        b->turn.request = requests_next(&u->requests, next, b->turn.trying);
        if (b->turn.request < u->requests.count) {
            bus_ask(b);
            return;
        }
        tell_rest(b, at); /* what was left out */
    }
    bus_end(b, at);
}

/* One transaction is over: again, the next request, or the end of the poll. */
static void bus_result(struct bus *b, const struct moment *at, int64_t duration_us)
{
    struct unit *u = b->units[b->turn.unit];
    enum driver_result result = b->answer.result;
    bool unanswered = result == DRIVER_SILENT || result == DRIVER_MALFORMED;
    bool trial = is_trial(b);
    bool again = unanswered && b->turn.retries > 0 && !trial;
    bool divided = false;

    count_transaction(b, duration_us);
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
        bus_ask(b);
    } else {
        bus_go_on(b, u, (result == DRIVER_SILENT && !trial) || health_is_bus_failure(result), at);
    }
}

/* ---- lifetime ---- */

static enum rg_err bus_init_memory(struct bus *b, struct unit *units)
{
    const struct bus_context *context = b->context;
    size_t samples = 0;
    size_t points = 0;

    b->units = calloc(b->count, sizeof(struct unit *));
    b->dues = calloc(b->count, sizeof(struct due));
    if (b->units == NULL || b->dues == NULL)
        return RG_ENOMEM;
    size_t next = 0;
    for (size_t i = 0; i < context->site->device_count; i++) {
        struct unit *u = &units[i];

        if (u->device->bus != b->index)
            continue;
        b->units[next++] = u;
        if (u->device->point_count > points)
            points = u->device->point_count;
        for (size_t r = 0; r < u->requests.count; r++) {
            size_t count = context->driver->plan_points(u->plan, r);

            samples = count > samples ? count : samples;
        }
    }
    samples = points > samples ? points : samples;
    /* One more, so that a bus whose devices have no points needs no case of its own. */
    b->answer.samples = calloc(samples + 1, sizeof(struct sample));
    b->read = calloc(points + 1, sizeof(bool));
    return b->answer.samples == NULL || b->read == NULL ? RG_ENOMEM : RG_OK;
}

enum rg_err bus_init(struct bus *b, const struct bus_context *context, uint32_t index, struct unit *units,
                     uint64_t seed)
{
    const struct site_bus *site_bus = &context->site->buses[index];
    char name[16];

    *b = (struct bus){.context = context, .index = index};
    bus_health_init(&b->health);
    random_seed(&b->random, seed);
    for (size_t i = 0; i < context->site->device_count; i++)
        b->count += units[i].device->bus == index ? 1 : 0;
    if (b->count == 0)
        return RG_OK;
    enum rg_err err = bus_init_memory(b, units);
    if (err == RG_OK)
        err = context->driver->link_create(site_bus, &b->link);
    if (err == RG_OK)
        err = loop_timer_create(context->loop, timer_cb, b, &b->timer);
    (void)text_format(name, sizeof(name), "bus %s", site_bus->name);
    if (err == RG_OK)
        err = loop_worker_create(context->loop, name, worker_run_cb, worker_done_cb, b, &b->worker);
    return err;
}

void bus_start(struct bus *b)
{
    if (b->count == 0 || b->started)
        return;
    int64_t now_ms = loop_mono_ms(b->context->loop);
    for (size_t i = 0; i < b->count; i++) {
        grid_start(&b->units[i]->grid, b->units[i]->device->poll_ms, now_ms);
        bus_settle(b, i);
    }
    b->started = true;
    bus_kick(b);
}

void bus_cancel(struct bus *b)
{
    b->started = false;
    if (b->link != NULL)
        b->context->driver->link_cancel(b->link);
}

void bus_destroy(struct bus *b)
{
    loop_worker_destroy(b->worker);
    loop_timer_destroy(b->timer);
    if (b->context != NULL)
        b->context->driver->link_destroy(b->link);
    free(b->read);
    free(b->answer.samples);
    free(b->dues);
    free(b->units);
    *b = (struct bus){.context = NULL};
}
