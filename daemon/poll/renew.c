/* A bus over a reload: it goes on with other units, or leaves.
 *
 * What is under way on its thread is never disturbed. Its outcome is that of the unit that was asked, if that goes on;
 * otherwise it says something about the line only, and nobody is told a reading of what is not configured any more. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "poll/bus.h"

/* ---- what depends on the units ---- */

enum rg_err bus_room_create(struct bus_room *room, const struct bus_context *context, uint32_t index,
                            struct unit *const *units)
{
    const struct site *site = context->site;
    size_t samples = 0, points = 0, next = 0;

    for (size_t i = 0; i < site->device_count; i++)
        room->count += site->devices[i].bus == index ? 1 : 0;
    /* One more each, so that a bus without devices needs no case of its own. */
    room->units = calloc(room->count + 1, sizeof(struct unit *));
    room->dues = calloc(room->count + 1, sizeof(struct due));
    if (room->units == NULL || room->dues == NULL)
        return RG_ENOMEM;
    for (size_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];
        struct unit *u = units[i];

        if (d->bus != index)
            continue;
        room->dues[next] = (struct due){.at_ms = SCHEDULE_NEVER, .cost_ms = d->timeout_ms};
        room->units[next++] = u;
        points = d->point_count > points ? d->point_count : points;
        for (size_t r = 0; r < u->requests.count; r++) {
            size_t count = context->driver->plan_points(u->plan, r);

            samples = count > samples ? count : samples;
        }
    }
    samples = points > samples ? points : samples;
    room->samples = calloc(samples + 1, sizeof(struct sample));
    room->read = calloc(points + 1, sizeof(bool));
    return room->samples == NULL || room->read == NULL ? RG_ENOMEM : RG_OK;
}

void bus_room_destroy(struct bus_room *room)
{
    free(room->units);
    free(room->dues);
    free(room->samples);
    free(room->read);
    *room = (struct bus_room){.units = NULL};
}

/* ---- going on ---- */

/* The unit of the poll under way is none of the bus's any more. What its thread may still be using is the bus's from
 * here on, and is returned. */
static struct unit *abandon_turn(struct bus *b)
{
    struct unit *asked = b->units[b->turn.unit];

    b->polling = false;
    if (b->work != BUS_WORK_REQUEST && b->work != BUS_WORK_TRIGGER)
        return NULL; /* an errand goes between two of its requests */
    b->orphan = asked;
    return asked;
}

void bus_swap_samples(struct bus *b)
{
    if (b->next_samples == NULL)
        return;
    free(b->answer.samples);
    b->answer.samples = b->next_samples;
    b->next_samples = NULL;
}

static size_t find_unit(struct unit *const *units, size_t count, const struct unit *u)
{
    size_t i = 0;

    while (i < count && units[i] != u)
        i++;
    return i;
}

static bool is_polled(const struct bus *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->units[i]->requests.count > 0)
            return true;
    return false;
}

/* One that nobody is left to try would be down for ever. */
static void forget_that_it_is_down(struct bus *b)
{
    bus_health_init(&b->health, b->context->site->buses[b->index].retry_ms);
    b->stats.detail[0] = '\0';
}

struct unit *bus_follow(struct bus *b, const struct bus_context *context, uint32_t index,
                        struct bus_room *room)
{
    struct unit *gone = NULL;

    for (size_t i = 0; i < room->count; i++) {
        size_t was = find_unit(b->units, b->count, room->units[i]);

        if (was < b->count)
            room->dues[i] = b->dues[was];
    }
    if (b->polling) {
        const struct unit *asked = b->units[b->turn.unit];
        size_t is = find_unit(room->units, room->count, asked);

        if (is < room->count) {
            b->turn.unit = is;
            memcpy(room->read, b->read, asked->device->point_count * sizeof(b->read[0]));
        } else {
            gone = abandon_turn(b);
        }
    }
    b->context = context;
    b->index = index;
    free(b->units);
    free(b->dues);
    free(b->read);
    b->units = room->units;
    b->dues = room->dues;
    b->count = room->count;
    b->read = room->read;
    /* The thread fills those it was given. */
    free(b->next_samples);
    b->next_samples = room->samples;
    if (b->work != BUS_WORK_REQUEST)
        bus_swap_samples(b);
    *room = (struct bus_room){.units = NULL};
    if (b->health.state == BUS_DOWN && !is_polled(b))
        forget_that_it_is_down(b);
    return gone;
}

void bus_orphan_result(struct bus *b, enum bus_work work, const struct moment *at, int64_t duration_us)
{
    const bool request = work == BUS_WORK_REQUEST;
    const enum driver_result result = request ? b->answer.result : b->raw_answer.result;
    const bool told = !request && bus_nobody_answers(b, &b->trigger);
    const bool answered = !told && (result == DRIVER_OK || result == DRIVER_EXCEPTION);

    if (!request) {
        b->answer.result = result;
        (void)text_copy(b->answer.detail, sizeof(b->answer.detail), b->raw_answer.detail);
    }
    unit_destroy(b->orphan, b->driver);
    b->orphan = NULL;
    bus_count(b, result, answered, duration_us);
    b->before = answered ? SCHEDULE_ANSWERED : SCHEDULE_UNANSWERED;
    if (health_is_bus_failure(result) && !is_polled(b))
        return; /* nobody is left to find out when it is up again */
    notify_bus(b, bus_health_step(&b->health, told && result == DRIVER_OK ? DRIVER_SILENT : result,
                                  at->mono_ms, &b->random));
}

/* ---- leaving ---- */

/* Its link is closed on its own thread: closing may take a while, too. False: it is closed, or nobody can do it there. */
static bool close_link(struct bus *b)
{
    if (b->link == NULL)
        return false;
    b->work = BUS_WORK_CLOSE;
    if (loop_worker_submit(b->worker) == RG_OK)
        return true;
    b->work = BUS_WORK_NONE;
    return false;
}

struct unit *bus_leave(struct bus *b, const struct bus_context *context)
{
    struct unit *gone = b->polling ? abandon_turn(b) : NULL;

    b->context = context;
    b->leaving = true;
    bus_cancel(b);
    loop_timer_stop(b->timer);
    free(b->units); /* none of them is its any more */
    b->units = NULL;
    b->count = 0;
    if (b->work == BUS_WORK_NONE && !close_link(b))
        loop_timer_at(b->timer, loop_mono_ms(context->loop));
    return gone;
}

void bus_leave_on(struct bus *b)
{
    const enum bus_work work = b->work;

    b->work = BUS_WORK_NONE;
    if (work == BUS_WORK_CLOSE)
        b->link = NULL;
    else if (close_link(b))
        return;
    poll_bus_left(b->context->owner, b);
}
