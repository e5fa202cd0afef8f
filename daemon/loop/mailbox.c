/* The mailbox: how other threads hand something to the loop. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/ring.h"
#include "loop/internal.h"

struct mailbox {
    uv_async_t async;
    struct loop *loop;
    mailbox_cb cb;
    void *arg;
    void *message;   /* the loop's: the one that is being delivered */
    uv_mutex_t lock; /* for ring */
    struct ring ring;
    _Atomic uint64_t refused;
};

static bool mailbox_take(struct mailbox *m)
{
    bool taken;

    uv_mutex_lock(&m->lock);
    taken = ring_pop(&m->ring, m->message);
    uv_mutex_unlock(&m->lock);
    return taken;
}

static void on_post(uv_async_t *async)
{
    struct mailbox *m = async->data;
    size_t waiting;

    /* All that wait now, because wake-ups are merged. What is posted from here on wakes the loop again, so that a busy
     * poster cannot keep it from its timers. */
    uv_mutex_lock(&m->lock);
    waiting = m->ring.count;
    uv_mutex_unlock(&m->lock);
    for (; waiting > 0 && !uv_is_closing((uv_handle_t *)async) && mailbox_take(m); waiting--)
        m->cb(m->arg, m->message);
}

static void mailbox_free(struct mailbox *m)
{
    uv_mutex_destroy(&m->lock);
    ring_destroy(&m->ring);
    free(m->message);
    free(m);
}

static void on_mailbox_closed(uv_handle_t *handle)
{
    mailbox_free(handle->data);
}

enum rg_err mailbox_create(struct loop *loop, size_t element, size_t capacity, mailbox_cb cb, void *arg,
                           struct mailbox **out)
{
    struct mailbox *m = calloc(1, sizeof *m);
    enum rg_err err;
    int rc;

    *out = NULL;
    if (!m)
        return RG_ENOMEM;
    m->loop = loop;
    m->cb = cb;
    m->arg = arg;
    m->async.data = m;
    err = ring_create(&m->ring, element, capacity);
    if (err != RG_OK)
        goto fail_ring;
    err = RG_ENOMEM;
    m->message = malloc(element);
    if (!m->message)
        goto fail_message;
    rc = uv_mutex_init(&m->lock);
    err = loop_error(rc);
    if (rc != 0)
        goto fail_message;
    rc = uv_async_init(&loop->uv, &m->async, on_post);
    if (rc != 0) {
        mailbox_free(m);
        return loop_error(rc);
    }
    loop->alive++;
    *out = m;
    return RG_OK;

fail_message:
    free(m->message);
    ring_destroy(&m->ring);
fail_ring:
    free(m);
    return err;
}

enum rg_err mailbox_post(struct mailbox *m, const void *message)
{
    bool taken;

    uv_mutex_lock(&m->lock);
    taken = ring_push(&m->ring, message);
    uv_mutex_unlock(&m->lock);
    if (!taken) {
        atomic_fetch_add_explicit(&m->refused, 1, memory_order_relaxed);
        return RG_EFULL;
    }
    (void)uv_async_send(&m->async);
    return RG_OK;
}

uint64_t mailbox_refused(const struct mailbox *m)
{
    return atomic_load_explicit(&m->refused, memory_order_relaxed);
}

void mailbox_destroy(struct mailbox *m)
{
    if (!m)
        return;
    m->loop->alive--;
    uv_close((uv_handle_t *)&m->async, on_mailbox_closed);
}
