/* The life of a bus: choose what goes next, have it done on the bus's thread, judge it, choose again.
 *
 * bus_kick is the only place that begins something; it is called when the timer fires and when a transaction has
 * ended. Errands go between two requests, so a poll that is under way may wait for one. */
#include "poll/bus.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- the thread ---- */

static void bus_kick(struct bus *b);

static void worker_run_cb(void *arg)
{
    struct bus *b = arg;

    /* Not by its context, which a reload may exchange meanwhile. */
    if (b->work == BUS_WORK_REQUEST)
        b->driver->transact(b->link, &b->job, &b->answer);
    else if (b->work == BUS_WORK_CLOSE)
        b->driver->link_destroy(b->link);
    else
        b->driver->raw(b->link, b->raw, &b->raw_answer);
}

static void bus_result(struct bus *b, const struct moment *at, int64_t duration_us)
{
    const enum bus_work work = b->work;

    b->work = BUS_WORK_NONE;
    if (b->orphan != NULL && work != BUS_WORK_ERRAND) {
        bus_orphan_result(b, work, at, duration_us);
        return;
    }
    switch (work) {
    case BUS_WORK_REQUEST:
    case BUS_WORK_TRIGGER:
        turn_result(b, at, duration_us);
        break;
    case BUS_WORK_ERRAND:
        carry_result(b, at, duration_us);
        break;
    case BUS_WORK_NONE:
    case BUS_WORK_CLOSE:
        break;
    }
}

bool bus_nobody_answers(const struct bus *b, const struct driver_raw *ask)
{
    return ask->write && ask->unit == 0 && b->line;
}

static void worker_done_cb(void *arg, const struct loop_worker_time *time)
{
    struct moment at = {.mono_ms = time->ended_us / 1000, .wall_ms = time->ended_wall_ms};
    struct bus *b = arg;

    if (b->leaving) {
        bus_leave_on(b);
        return;
    }
    b->unsynced = !time->synced;
    meter_add(&b->meter, time->started_us, time->ended_us + b->silence_us);
    bus_result(b, &at, time->ended_us - time->started_us);
    bus_swap_samples(b);
    bus_kick(b);
}

void bus_submit(struct bus *b, enum bus_work work)
{
    const struct bus_context *context = b->context;

    b->work = work;
    b->handed_ms = loop_mono_ms(context->loop);
    enum rg_err err = loop_worker_submit(b->worker);
    if (err == RG_OK)
        return;
    /* No thread to ask with: as good as a link that does not open, and it backs off the same way. */
    char *detail = work == BUS_WORK_REQUEST ? b->answer.detail : b->raw_answer.detail;
    struct moment at = {.mono_ms = loop_mono_ms(context->loop), .wall_ms = loop_wall_ms(context->loop)};
    b->unsynced = !loop_clock_synced(context->loop);
    b->answer.result = DRIVER_UNREACHABLE;
    b->raw_answer.result = DRIVER_UNREACHABLE;
    (void)text_format(detail, DRIVER_DETAIL_MAX, "bus thread: %s", rg_err_text(err));
    bus_result(b, &at, 0);
    loop_timer_at(b->timer, at.mono_ms); /* goes on from there */
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t bus_standing_ms(const struct bus *b, int64_t now_ms)
{
    int64_t from_ms = INT64_MAX;

    if (b->work != BUS_WORK_NONE) {
        const int64_t timeout_ms = b->work == BUS_WORK_REQUEST ? b->job.timeout_ms : b->raw->timeout_ms;

        from_ms = b->handed_ms + BUS_LONGEST_TIMEOUTS * timeout_ms;
    } else if (b->started) {
        for (size_t i = 0; i < b->count; i++)
            from_ms = b->dues[i].at_ms < from_ms ? b->dues[i].at_ms : from_ms;
        /* A mute unit waits for the others for a minute: as long as those are asked, the bus gets on. */
        from_ms = later(from_ms, b->handed_ms);
    }
    return from_ms < now_ms ? now_ms - from_ms : 0;
}

void bus_count(struct bus *b, enum driver_result result, bool answered, int64_t duration_us)
{
    if (result == DRIVER_OK)
        b->stats.ok++;
    else
        b->stats.errors++;
    if (result == DRIVER_SILENT)
        b->stats.timeouts++;
    if (answered) {
        b->answers++;
        durations_add(&b->durations, duration_us);
    }
}

/* ---- waiting ---- */

static int64_t unit_due(const struct unit *u)
{
    if (u->requests.count == 0)
        return SCHEDULE_NEVER;
    if (u->trigger.phase == TRIGGER_WAITING)
        return u->trigger.ready_ms;
    const int64_t turn_ms =
        u->health.state == UNIT_SUSPENDED ? u->health.probe_at_ms : later(u->grid.due_ms, u->rest_until_ms);
    const int64_t asked_ms = later(u->asked_ms, u->rest_until_ms);
    return asked_ms < turn_ms ? asked_ms : turn_ms;
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

void bus_settle(struct bus *b, size_t unit)
{
    const struct unit *u = b->units[unit];

    b->dues[unit].at_ms = unit_due(u);
    b->dues[unit].patience_ms = unit_patience(u);
}

/* The bus is down and the unit would have been due: its instant passes, and its points are told bad. */
static void bus_pass_over(struct bus *b, size_t unit, int64_t now_ms)
{
    struct unit *u = b->units[unit];

    bool wanted = u->asked_ms != SCHEDULE_NEVER;

    trigger_end(&u->trigger);
    u->asked_ms = SCHEDULE_NEVER;
    if (u->health.state == UNIT_SUSPENDED) {
        b->dues[unit].at_ms = b->health.retry_at_ms;
    } else {
        if (u->grid.due_ms <= now_ms)
            grid_resume(&u->grid, now_ms);
        bus_settle(b, unit);
    }
    if (!tell_was_told(u, now_ms, BUS_TELL_GAP_MS)) {
        u->told_ms = now_ms;
        b->unsynced = !loop_clock_synced(b->context->loop);
        tell_all(b, unit, &(struct moment){.mono_ms = now_ms, .wall_ms = loop_wall_ms(b->context->loop)});
    }
    if (wanted)
        notify_polled(b, u, false);
}

/* Who tries a bus that was down: of the units with the least patience (the soundest) the one not asked for
 * longest, so that a unit which makes the link break is not the only one to try it. count: nobody may, as a reload can
 * leave it. */
static size_t bus_choose_trial(const struct bus *b, int64_t now_ms)
{
    size_t best = b->count;

    for (size_t i = 0; i < b->count; i++) {
        if (b->units[i]->requests.count == 0 || now_ms < b->units[i]->ask_from_ms)
            continue;
        if (best == b->count || b->dues[i].patience_ms < b->dues[best].patience_ms ||
            (b->dues[i].patience_ms == b->dues[best].patience_ms &&
             b->units[i]->begun_ms < b->units[best]->begun_ms))
            best = i;
    }
    return best;
}

/* Once it may be tried, but nobody may try it yet, the next one to be due is waited for. */
static void bus_wait_down(struct bus *b, int64_t now_ms)
{
    int64_t wake_ms = b->health.retry_at_ms > now_ms ? b->health.retry_at_ms : SCHEDULE_NEVER;

    for (size_t i = 0; i < b->count; i++) {
        if (b->dues[i].at_ms <= now_ms)
            bus_pass_over(b, i, now_ms);
        if (b->dues[i].at_ms < wake_ms)
            wake_ms = b->dues[i].at_ms;
    }
    if (wake_ms != SCHEDULE_NEVER)
        loop_timer_at(b->timer, wake_ms);
}

/* What goes on a bus that is down: once the time has come, the one that tries it, if there is one. */
static struct choice bus_choose_down(const struct bus *b, int64_t now_ms)
{
    struct choice choice = {.found = false};

    if (now_ms < b->health.retry_at_ms)
        return choice;
    choice.index = bus_choose_trial(b, now_ms);
    choice.found = choice.index < b->count;
    return choice;
}

static void bus_kick(struct bus *b)
{
    if (!b->started || b->held || b->work != BUS_WORK_NONE)
        return;
    int64_t now_ms = loop_mono_ms(b->context->loop);
    bool down = b->health.state == BUS_DOWN;
    struct choice choice = {.found = false};
    if (!b->polling)
        choice = down ? bus_choose_down(b, now_ms) : schedule_choose(b->dues, b->count, now_ms, b->before);
    if (carry_begin(b, b->polling || choice.found))
        return;
    if (!b->polling && !choice.found) {
        if (down)
            bus_wait_down(b, now_ms);
        else if (choice.wake_ms != SCHEDULE_NEVER)
            loop_timer_at(b->timer, choice.wake_ms);
        return;
    }
    if (now_ms < b->context->way_until_ms) {
        b->giving_way = true;
        loop_timer_at(b->timer, b->context->way_until_ms);
        return;
    }
    b->giving_way = false;
    if (!b->polling)
        turn_begin(b, choice.index, now_ms);
    turn_ask(b);
}

enum rg_err bus_errand(struct bus *b, const struct poll_errand *what)
{
    if (!b->started)
        return RG_ESTATE;
    enum rg_err err = errands_add(&b->errands, what);
    /* Begun by the timer, so that nothing is ever answered inside this call, and those that are added together
     * go in the right order. */
    if (err == RG_OK && b->work == BUS_WORK_NONE)
        loop_timer_at(b->timer, loop_mono_ms(b->context->loop));
    return err;
}

enum rg_err bus_now(struct bus *b, uint32_t device)
{
    const int64_t now_ms = loop_mono_ms(b->context->loop);
    size_t i = 0;

    if (!b->started || b->health.state == BUS_DOWN)
        return RG_ESTATE;
    while (b->units[i]->index != device)
        i++;
    struct unit *u = b->units[i];
    if (now_ms < u->ask_from_ms)
        return RG_EAGAIN;
    if (u->asked_ms != SCHEDULE_NEVER)
        return RG_OK;
    if (u->health.state == UNIT_SUSPENDED && now_ms - u->begun_ms < POLL_NOW_PROBE_MS)
        return RG_EAGAIN;
    u->asked_ms = now_ms;
    /* A poll of it that is under way settles it when it ends. */
    if (!b->polling || b->turn.unit != i)
        bus_settle(b, i);
    if (b->work == BUS_WORK_NONE) /* begun by the timer: nothing is told inside this call */
        loop_timer_at(b->timer, now_ms);
    return RG_OK;
}

static void timer_cb(void *arg)
{
    struct bus *b = arg;

    if (b->leaving) {
        bus_leave_on(b);
        return;
    }
    if (b->before == SCHEDULE_ANSWERED && !b->giving_way) /* otherwise it would not have been idle */
        b->before = SCHEDULE_IDLE;
    b->giving_way = false;
    bus_kick(b);
}

/* ---- lifetime ---- */

/* Of all serial lines alike: two paths may lead to one device. */
static uint64_t other_end(const struct site_bus *bus)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    if (bus->kind == BUS_RTU)
        return 0;
    for (const char *c = bus->host; c != NULL && *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    return (hash ^ bus->port) * UINT64_C(1099511628211);
}

static enum rg_err bus_init(struct bus *b, struct unit *const *units)
{
    const struct bus_context *context = b->context;
    const struct site_bus *site_bus = &context->site->buses[b->index];
    struct bus_room room = {.units = NULL};
    char name[16];

    bus_health_init(&b->health, site_bus->retry_ms);
    enum rg_err err = bus_room_create(&room, context, b->index, units);
    b->units = room.units;
    b->dues = room.dues;
    b->count = room.count;
    b->answer.samples = room.samples;
    b->read = room.read;
    if (err == RG_OK)
        err = context->driver->link_create(site_bus, &b->link);
    if (err == RG_OK)
        err = loop_timer_create(context->loop, timer_cb, b, &b->timer);
    (void)text_format(name, sizeof(name), "bus %s", site_bus->name);
    if (err == RG_OK)
        err = loop_worker_create(context->loop, name, worker_run_cb, worker_done_cb, b, &b->worker);
    return err;
}

enum rg_err bus_create(const struct bus_context *context, uint32_t index, uint64_t id,
                       struct unit *const *units, uint64_t seed, struct bus **out)
{
    const struct site_bus *site_bus = &context->site->buses[index];
    struct bus *b = calloc(1, sizeof(*b));

    *out = b;
    if (b == NULL)
        return RG_ENOMEM;
    b->context = context;
    b->driver = context->driver;
    b->id = id;
    b->index = index;
    b->end = other_end(site_bus);
    b->line = site_bus->kind != BUS_TCP;
    b->silence_us = site_bus_silence_us(site_bus) + site_bus->gap_ms * 1000;
    random_seed(&b->random, seed);
    return bus_init(b, units);
}

/* Moved by a reload: all else of it goes on. */
static bool unit_moved(struct unit *u, int64_t now_ms)
{
    if (u->grid.offset_ms == u->device->poll_offset_ms)
        return false;
    if (u->begun_ms < 0)
        grid_start(&u->grid, u->grid.period_ms, u->device->poll_offset_ms, later(u->ask_from_ms, now_ms));
    else
        grid_shift(&u->grid, u->device->poll_offset_ms, u->begun_ms, now_ms);
    return true;
}

void bus_start(struct bus *b)
{
    const int64_t now_ms = loop_mono_ms(b->context->loop);
    bool fresh = false;

    for (size_t i = 0; i < b->count; i++) {
        struct unit *u = b->units[i];
        const int64_t from_ms = b->context->booted_ms + u->device->start_up_ms;

        if (u->grid.period_ms > 0) { /* it is at work */
            if (!unit_moved(u, now_ms))
                continue;
        } else {
            u->ask_from_ms = from_ms > now_ms ? from_ms : now_ms;
            grid_start(&u->grid, u->device->poll_ms, u->device->poll_offset_ms, u->ask_from_ms);
        }
        bus_settle(b, i);
        fresh = true;
    }
    if (!b->started) {
        meter_start(&b->meter, loop_mono_us(b->context->loop));
        b->started = true;
        bus_kick(b);
    } else if (fresh && b->work == BUS_WORK_NONE) {
        loop_timer_at(b->timer, now_ms); /* also when it goes on with a poll that an errand has interrupted */
    }
}

void bus_let_go(struct bus *b)
{
    b->held = false;
    loop_timer_at(b->timer, loop_mono_ms(b->context->loop));
}

void bus_cancel(struct bus *b)
{
    b->started = false;
    if (b->link != NULL)
        b->driver->link_cancel(b->link);
}

void bus_destroy(struct bus *b)
{
    if (b == NULL)
        return;
    loop_worker_destroy(b->worker);
    loop_timer_destroy(b->timer);
    carry_end(b);
    if (b->work != BUS_WORK_CLOSE) /* else its thread has done it */
        b->driver->link_destroy(b->link);
    unit_destroy(b->orphan, b->driver);
    free(b->next_samples);
    free(b->read);
    free(b->answer.samples);
    free(b->dues);
    free(b->units);
    free(b);
}
