/* The clock, the events, timers and signals of the virtual loop. */
#include "virtual_loop.h"

#include <stdlib.h>

#include "virtual_internal.h"

/* ---- the heap of events ---- */

static bool event_before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void heap_put(struct loop *loop, size_t place, struct event *event)
{
    loop->heap[place] = event;
    event->place = place + 1;
}

static void heap_up(struct loop *loop, size_t place, struct event *event)
{
    while (place > 0) {
        size_t parent = (place - 1) / 2;

        if (!event_before(event, loop->heap[parent]))
            break;
        heap_put(loop, place, loop->heap[parent]);
        place = parent;
    }
    heap_put(loop, place, event);
}

static void heap_down(struct loop *loop, size_t place, struct event *event)
{
    for (;;) {
        size_t child = 2 * place + 1;

        if (child >= loop->armed)
            break;
        if (child + 1 < loop->armed && event_before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!event_before(loop->heap[child], event))
            break;
        heap_put(loop, place, loop->heap[child]);
        place = child;
    }
    heap_put(loop, place, event);
}

enum rg_err event_reserve(struct loop *loop, size_t events)
{
    size_t wanted = loop->reserved + events;

    if (wanted > loop->capacity) {
        size_t capacity = wanted > loop->capacity * 2 ? wanted : loop->capacity * 2;
        struct event **heap = realloc(loop->heap, capacity * sizeof(*heap));

        if (!heap)
            return RG_ENOMEM;
        loop->heap = heap;
        loop->capacity = capacity;
    }
    loop->reserved = wanted;
    return RG_OK;
}

void event_release(struct loop *loop, size_t events)
{
    loop->reserved -= events;
}

void event_disarm(struct loop *loop, struct event *event)
{
    size_t place = event->place;
    struct event *last;

    if (place == 0)
        return;
    event->place = 0;
    last = loop->heap[--loop->armed];
    if (last == event)
        return;
    /* The last one fills the hole: it may belong above it or below. */
    place--;
    if (place > 0 && event_before(last, loop->heap[(place - 1) / 2]))
        heap_up(loop, place, last);
    else
        heap_down(loop, place, last);
}

void event_arm(struct loop *loop, struct event *event, int64_t at_us)
{
    event_disarm(loop, event);
    event->at_us = at_us;
    event->order = loop->orders++;
    heap_up(loop, loop->armed++, event);
}

/* ---- the loop ---- */

enum rg_err loop_create(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof *loop);

    *out = NULL;
    if (!loop)
        return RG_ENOMEM;
    loop->mono_us = (int64_t)VIRTUAL_MONO_MS * 1000;
    loop->wall_offset_ms = VIRTUAL_WALL_MS - VIRTUAL_MONO_MS;
    loop->synced = true;
    *out = loop;
    return RG_OK;
}

enum rg_err loop_destroy(struct loop *loop)
{
    if (!loop)
        return RG_OK;
    if (loop->alive != 0)
        return RG_ESTATE;
    free(loop->heap);
    free(loop);
    return RG_OK;
}

static void loop_fire_next(struct loop *loop)
{
    struct event *event = loop->heap[0];

    event_disarm(loop, event);
    if (event->at_us > loop->mono_us)
        loop->mono_us = event->at_us;
    loop->fired++;
    event->fire(event);
}

/* As libuv's: a stop asked for ends one run, be it before or during it. */
static bool loop_stopped(struct loop *loop)
{
    bool stopping = loop->stopping;

    loop->stopping = false;
    return stopping;
}

void loop_run(struct loop *loop)
{
    while (!loop->stopping && loop->armed > 0)
        loop_fire_next(loop);
    (void)loop_stopped(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

bool virtual_loop_run_until(struct loop *loop, int64_t mono_ms)
{
    int64_t end_us = mono_ms * 1000;

    while (!loop->stopping && loop->armed > 0 && loop->heap[0]->at_us <= end_us)
        loop_fire_next(loop);
    if (loop_stopped(loop))
        return false;
    if (loop->mono_us < end_us)
        loop->mono_us = end_us;
    return true;
}

bool virtual_loop_run_for(struct loop *loop, int64_t ms)
{
    return virtual_loop_run_until(loop, loop->mono_us / 1000 + ms);
}

bool virtual_loop_step(struct loop *loop)
{
    if (loop->armed == 0)
        return false;
    loop_fire_next(loop);
    return true;
}

int64_t virtual_loop_next_ms(const struct loop *loop)
{
    return loop->armed > 0 ? loop->heap[0]->at_us / 1000 : INT64_MAX;
}

size_t virtual_loop_armed(const struct loop *loop)
{
    return loop->armed;
}

size_t virtual_loop_alive(const struct loop *loop)
{
    return loop->alive;
}

uint64_t virtual_loop_fired(const struct loop *loop)
{
    return loop->fired;
}

int64_t loop_mono_us(const struct loop *loop)
{
    return loop->mono_us + loop->spent_us;
}

int64_t loop_mono_ms(const struct loop *loop)
{
    return loop_mono_us(loop) / 1000;
}

int64_t loop_wall_ms(const struct loop *loop)
{
    return loop_mono_ms(loop) + loop->wall_offset_ms;
}

bool loop_clock_synced(struct loop *loop)
{
    return loop->synced;
}

int64_t loop_late_max_ms(struct loop *loop)
{
    int64_t late = loop->late_max_ms;

    loop->late_max_ms = 0;
    return late;
}

void virtual_loop_set_wall(struct loop *loop, int64_t wall_ms)
{
    loop->wall_offset_ms = wall_ms - loop_mono_ms(loop);
}

void virtual_loop_set_synced(struct loop *loop, bool synced)
{
    loop->synced = synced;
}

void virtual_loop_spend_us(struct loop *loop, int64_t us)
{
    if (us <= 0)
        return;
    if (loop->in_job)
        loop->spent_us += us;
    else
        loop->mono_us += us;
}

void virtual_loop_spend(struct loop *loop, int64_t ms)
{
    virtual_loop_spend_us(loop, ms * 1000);
}

/* ---- timers ---- */

struct loop_timer {
    struct event event;
    struct loop *loop;
    loop_timer_cb cb;
    void *arg;
};

static void timer_fire(struct event *event)
{
    struct loop_timer *t = event->owner;
    int64_t late_ms = (t->loop->mono_us - event->at_us) / 1000;

    if (late_ms > t->loop->late_max_ms)
        t->loop->late_max_ms = late_ms;
    t->cb(t->arg);
}

enum rg_err loop_timer_create(struct loop *loop, loop_timer_cb cb, void *arg, struct loop_timer **out)
{
    struct loop_timer *t = calloc(1, sizeof *t);

    *out = NULL;
    if (!t || event_reserve(loop, 1) != RG_OK) {
        free(t);
        return RG_ENOMEM;
    }
    t->event = (struct event){.fire = timer_fire, .owner = t};
    t->loop = loop;
    t->cb = cb;
    t->arg = arg;
    loop->alive++;
    *out = t;
    return RG_OK;
}

void loop_timer_destroy(struct loop_timer *t)
{
    if (!t)
        return;
    event_disarm(t->loop, &t->event);
    event_release(t->loop, 1);
    t->loop->alive--;
    free(t);
}

void loop_timer_at(struct loop_timer *t, int64_t at_ms)
{
    int64_t now_ms = loop_mono_ms(t->loop);
    const int64_t last_ms = INT64_MAX / 1000;

    if (at_ms <= now_ms)
        at_ms = now_ms + 1;
    event_arm(t->loop, &t->event, (at_ms < last_ms ? at_ms : last_ms) * 1000);
}

void loop_timer_stop(struct loop_timer *t)
{
    event_disarm(t->loop, &t->event);
}

/* ---- signals ---- */

struct loop_signal {
    struct event event;
    struct loop *loop;
    struct loop_signal *next;
    loop_signal_cb cb;
    void *arg;
    int signum;
};

static void signal_fire(struct event *event)
{
    struct loop_signal *s = event->owner;

    s->cb(s->arg, s->signum);
}

enum rg_err loop_signal_create(struct loop *loop, int signum, loop_signal_cb cb, void *arg,
                               struct loop_signal **out)
{
    struct loop_signal *s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s || event_reserve(loop, 1) != RG_OK) {
        free(s);
        return RG_ENOMEM;
    }
    s->event = (struct event){.fire = signal_fire, .owner = s};
    s->loop = loop;
    s->cb = cb;
    s->arg = arg;
    s->signum = signum;
    s->next = loop->signals;
    loop->signals = s;
    loop->alive++;
    *out = s;
    return RG_OK;
}

void loop_signal_destroy(struct loop_signal *s)
{
    struct loop_signal **link;

    if (!s)
        return;
    for (link = &s->loop->signals; *link != s; link = &(*link)->next)
        continue;
    *link = s->next;
    event_disarm(s->loop, &s->event);
    event_release(s->loop, 1);
    s->loop->alive--;
    free(s);
}

void virtual_loop_raise(struct loop *loop, int signum)
{
    for (struct loop_signal *s = loop->signals; s; s = s->next) {
        if (s->signum == signum && s->event.place == 0)
            event_arm(loop, &s->event, loop_mono_us(loop));
    }
}
