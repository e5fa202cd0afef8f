#include "uplink/window.h"

#include <string.h>

void window_init(struct window *w)
{
    memset(w, 0, sizeof(*w));
    w->limit = UPLINK_WINDOW;
}

void window_reset(struct window *w, size_t receive_max)
{
    const uint64_t last_token = w->last_token;

    window_init(w);
    w->last_token = last_token;
    if (receive_max < w->limit)
        w->limit = receive_max > 0 ? receive_max : 1;
}

/* A broker that takes few at a time still leaves half of them to bulk. */
static size_t bulk_limit(const struct window *w)
{
    const size_t reserve = w->limit / 2 < UPLINK_WINDOW_RESERVE ? w->limit / 2 : UPLINK_WINDOW_RESERVE;

    return w->limit - reserve;
}

static size_t slots_taken(const struct window *w)
{
    size_t taken = 0;

    for (size_t i = 0; i < WINDOW_SLOTS; i++)
        taken += w->slots[i].token != 0;
    return taken;
}

bool window_has_room(const struct window *w, bool bulk, size_t bytes)
{
    if (w->in_flight >= w->limit || slots_taken(w) >= UPLINK_WINDOW)
        return false;
    if (!bulk)
        return true;
    if (w->bulk_in_flight == 0)
        return true;
    return w->in_flight < bulk_limit(w) && w->bulk_bytes + bytes <= UPLINK_WINDOW_BYTES;
}

struct window_entry *window_add(struct window *w, unsigned owner, bool bulk, size_t bytes, int64_t from,
                                int64_t to)
{
    for (size_t i = 0; i < WINDOW_SLOTS; i++) {
        struct window_entry *e = &w->slots[i];

        if (e->token != 0)
            continue;
        *e = (struct window_entry){
            .token = ++w->last_token, .owner = owner, .bulk = bulk, .from = from, .to = to, .bytes = bytes};
        w->in_flight++;
        if (bulk) {
            w->bulk_in_flight++;
            w->bulk_bytes += bytes;
        }
        return e;
    }
    return NULL;
}

struct window_entry *window_find(struct window *w, uint64_t token)
{
    for (size_t i = 0; token != 0 && i < WINDOW_SLOTS; i++)
        if (w->slots[i].token == token && !w->slots[i].acked)
            return &w->slots[i];
    return NULL;
}

void window_ack(struct window *w, struct window_entry *e)
{
    if (e->acked)
        return;
    e->acked = true;
    w->in_flight--;
    if (e->bulk) {
        w->bulk_in_flight--;
        w->bulk_bytes -= e->bytes;
    }
}

void window_remove(struct window *w, struct window_entry *e)
{
    window_ack(w, e);
    memset(e, 0, sizeof(*e));
}

static struct window_entry *extreme(struct window *w, unsigned owner, int sign)
{
    struct window_entry *found = NULL;

    for (size_t i = 0; i < WINDOW_SLOTS; i++) {
        struct window_entry *e = &w->slots[i];

        if (e->token == 0 || e->owner != owner)
            continue;
        if (!found || (sign < 0 ? e->from < found->from : e->from > found->from))
            found = e;
    }
    return found;
}

struct window_entry *window_lowest(struct window *w, unsigned owner)
{
    return extreme(w, owner, -1);
}

struct window_entry *window_highest(struct window *w, unsigned owner)
{
    return extreme(w, owner, 1);
}

void window_again(struct window *w, unsigned owner, int64_t first, int64_t last)
{
    for (size_t i = 0; i < WINDOW_SLOTS; i++) {
        struct window_entry *e = &w->slots[i];

        if (e->token != 0 && e->owner == owner && e->from <= last && e->to >= first && last > e->again)
            e->again = last;
    }
}

size_t window_count(const struct window *w, unsigned owner)
{
    size_t count = 0;

    for (size_t i = 0; i < WINDOW_SLOTS; i++)
        count += w->slots[i].token != 0 && w->slots[i].owner == owner && !w->slots[i].acked;
    return count;
}
