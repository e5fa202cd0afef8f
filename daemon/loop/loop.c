/* The loop itself, its clocks, timers and signals. */
#include "loop/loop.h"

#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "loop/internal.h"

#define SYNCED_TELL_MS 100

enum rg_err loop_error(int uv_error)
{
    switch (uv_error) {
    case 0:
        return RG_OK;
    case UV_ENOMEM:
        return RG_ENOMEM;
    case UV_EINVAL:
        return RG_EINVAL;
    default:
        return RG_EIO;
    }
}

static void on_wake(uv_async_t *async)
{
    loop_hear_workers(async->data);
}

enum rg_err loop_create(struct loop **out)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct loop *loop = calloc(1, sizeof *loop);
    int rc;

    *out = NULL;
    if (!loop)
        return RG_ENOMEM;
    rc = uv_loop_init(&loop->uv);
    if (rc != 0)
        goto fail_loop;
    rc = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (rc != 0)
        goto fail_wake;
    loop->wake.data = loop;
    if (sigaction(SIGPIPE, &ignore, NULL) != 0) {
        rc = UV_EINVAL;
        goto fail_signal;
    }
    *out = loop;
    return RG_OK;

fail_signal:
    uv_close((uv_handle_t *)&loop->wake, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
fail_wake:
    (void)uv_loop_close(&loop->uv);
fail_loop:
    free(loop);
    return loop_error(rc);
}

enum rg_err loop_destroy(struct loop *loop)
{
    if (!loop)
        return RG_OK;
    if (loop->alive != 0)
        return RG_ESTATE;
    if (!uv_is_closing((uv_handle_t *)&loop->wake))
        uv_close((uv_handle_t *)&loop->wake, NULL);
    /* A stop that was asked for while the loop did not run would end this run at once. */
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        continue;
    if (uv_loop_close(&loop->uv) != 0)
        return RG_ESTATE;
    free(loop);
    return RG_OK;
}

void loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

int64_t loop_mono_ms(const struct loop *loop)
{
    (void)loop;
    return clock_mono_ms();
}

int64_t loop_mono_us(const struct loop *loop)
{
    (void)loop;
    return clock_mono_us();
}

int64_t loop_wall_ms(const struct loop *loop)
{
    (void)loop;
    return clock_wall_ms();
}

bool loop_clock_synced(struct loop *loop)
{
    const int64_t told = atomic_load_explicit(&loop->synced_told, memory_order_relaxed);
    const int64_t now = clock_mono_ms();
    bool synced;

    if (told != 0 && now - told / 2 < SYNCED_TELL_MS)
        return told % 2 != 0;
    synced = clock_synced();
    atomic_store_explicit(&loop->synced_told, 2 * now + (synced ? 1 : 0), memory_order_relaxed);
    return synced;
}

int64_t loop_late_max_ms(struct loop *loop)
{
    int64_t late = loop->late_max_ms;

    loop->late_max_ms = 0;
    return late;
}

/* ---- timers ---- */

struct loop_timer {
    uv_timer_t uv;
    struct loop *loop;
    loop_timer_cb cb;
    void *arg;
    int64_t due_ms;
};

/* When a hundred devices are due at one instant, the first ones' answers are there long before the last one is asked, and do not wait for
 * that. Of a thousand the rest is asked in one go: to ask and to judge in turns, each finding the other's caches, costs more than it
 * gains. */
static void hear_between(struct loop *loop)
{
    const uint64_t turn_ms = uv_now(&loop->uv); /* the same for all timers of one turn */

    if (loop->turn_ms != turn_ms)
        loop->turn_timers = 0;
    loop->turn_ms = turn_ms;
    if (++loop->turn_timers <= LOOP_HEARD_BETWEEN)
        loop_hear_workers(loop);
}

static void on_timer(uv_timer_t *uv)
{
    struct loop_timer *t = uv->data;
    struct loop *loop = t->loop;
    int64_t late = clock_mono_ms() - t->due_ms;

    if (late > loop->late_max_ms)
        loop->late_max_ms = late;
    t->cb(t->arg);
    hear_between(loop);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

enum rg_err loop_timer_create(struct loop *loop, loop_timer_cb cb, void *arg, struct loop_timer **out)
{
    struct loop_timer *t = calloc(1, sizeof *t);
    int rc;

    *out = NULL;
    if (!t)
        return RG_ENOMEM;
    rc = uv_timer_init(&loop->uv, &t->uv);
    if (rc != 0) {
        free(t);
        return loop_error(rc);
    }
    t->uv.data = t;
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
    t->loop->alive--;
    uv_close((uv_handle_t *)&t->uv, on_timer_closed);
}

void loop_timer_at(struct loop_timer *t, int64_t at_ms)
{
    /* libuv's time is the monotonic clock in milliseconds too, read once a turn: the difference to it makes the timer due
     * at at_ms however long this turn has taken already. */
    int64_t now = (int64_t)uv_now(&t->loop->uv);
    int64_t wait = at_ms > now ? at_ms - now : 1;

    t->due_ms = now + wait;
    /* Fails only without a callback or on a closing handle. */
    (void)uv_timer_start(&t->uv, on_timer, (uint64_t)wait, 0);
}

void loop_timer_stop(struct loop_timer *t)
{
    (void)uv_timer_stop(&t->uv);
}

/* ---- signals ---- */

struct loop_signal {
    uv_signal_t uv;
    struct loop *loop;
    loop_signal_cb cb;
    void *arg;
};

static void on_signal(uv_signal_t *uv, int signum)
{
    struct loop_signal *s = uv->data;

    s->cb(s->arg, signum);
}

static void on_signal_closed(uv_handle_t *handle)
{
    free(handle->data);
}

enum rg_err loop_signal_create(struct loop *loop, int signum, loop_signal_cb cb, void *arg,
                               struct loop_signal **out)
{
    struct loop_signal *s = calloc(1, sizeof *s);
    int rc;

    *out = NULL;
    if (!s)
        return RG_ENOMEM;
    rc = uv_signal_init(&loop->uv, &s->uv);
    if (rc != 0) {
        free(s);
        return loop_error(rc);
    }
    s->uv.data = s;
    s->loop = loop;
    s->cb = cb;
    s->arg = arg;
    rc = uv_signal_start(&s->uv, on_signal, signum);
    if (rc != 0) {
        uv_close((uv_handle_t *)&s->uv, on_signal_closed);
        return loop_error(rc);
    }
    loop->alive++;
    *out = s;
    return RG_OK;
}

void loop_signal_destroy(struct loop_signal *s)
{
    if (!s)
        return;
    s->loop->alive--;
    uv_close((uv_handle_t *)&s->uv, on_signal_closed);
}
