/* Dividing a request that a unit refuses as a whole: it may read through addresses that the unit does not
 * have, and all its points would stay bad for ever.
 *
 * The division is on trial until a part has been read: a unit that is starting up or wrongly wired may refuse
 * everything, and would be asked in small pieces for ever after. */
#include "poll/bus.h"

bool divide_begin(struct bus *b, int64_t now_ms)
{
    const struct driver *driver = b->context->driver;
    struct unit *u = b->units[b->turn.unit];
    struct driver_plan *divided = NULL;
    size_t count = u->requests.count;

    if (driver->plan_divide == NULL || b->turn.probe || b->turn.in_vain || u->whole != NULL ||
        !requests_may_divide(&u->requests, b->turn.request, now_ms))
        return false;
    /* Without memory it stays whole, and refused. */
    if (driver->plan_divide(u->plan, b->turn.request, b->answer.exception, &divided) != RG_OK)
        return false;
    size_t now = driver->plan_requests(divided);
    if (now < count || now > u->requests.capacity) {
        driver->plan_destroy(divided);
        return false;
    }
    u->whole = u->plan;
    u->plan = divided;
    b->turn.first_part = b->turn.request;
    b->turn.parts = now - count + 1;
    requests_divide(&u->requests, b->turn.first_part, b->turn.parts);
    return true;
}

void divide_keep(struct bus *b)
{
    struct unit *u = b->units[b->turn.unit];

    if (u->whole == NULL)
        return;
    u->stats.divided++;
    notify_divided(b, b->turn.first_part, b->turn.parts);
    b->context->driver->plan_destroy(u->whole);
    u->whole = NULL;
}

void divide_undo(struct bus *b, bool in_vain, int64_t now_ms)
{
    struct unit *u = b->units[b->turn.unit];

    if (u->whole == NULL)
        return;
    b->context->driver->plan_destroy(u->plan);
    u->plan = u->whole;
    u->whole = NULL;
    requests_join(&u->requests, b->turn.first_part, b->turn.parts);
    if (in_vain)
        requests_keep_whole(&u->requests, b->turn.first_part, now_ms);
    b->turn.in_vain = true;
    b->turn.request = b->turn.first_part;
    if (b->turn.silent != TURN_NONE && b->turn.silent >= b->turn.first_part)
        b->turn.silent = TURN_NONE;
}
