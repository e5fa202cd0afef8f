/* Workers, mailboxes and (not) local sockets of the virtual loop. */
#include <stdlib.h>
#include <string.h>

#include "virtual_internal.h"

/* ---- workers ---- */

enum job_state {
    JOB_NONE,    /* free */
    JOB_WAITING, /* submitted: run_cb is armed */
    JOB_RUNNING, /* run_cb was called: done_cb is armed for when the job will have ended */
};

struct loop_worker {
    struct event event;
    struct loop *loop;
    loop_worker_run_cb run;
    loop_worker_done_cb done;
    void *arg;
    enum job_state state;
    int64_t started_us;
    int64_t ended_us;
};

/* Calls run_cb in the job's own time. */
static void worker_run(struct loop_worker *w)
{
    struct loop *loop = w->loop;

    w->state = JOB_RUNNING;
    w->started_us = loop->mono_us;
    loop->in_job = true;
    w->run(w->arg);
    loop->in_job = false;
    w->ended_us = loop->mono_us + loop->spent_us;
    loop->spent_us = 0;
}

static void worker_fire(struct event *event)
{
    struct loop_worker *w = event->owner;
    struct loop_worker_time time;

    if (w->state == JOB_WAITING) {
        worker_run(w);
        event_arm(w->loop, &w->event, w->ended_us);
        return;
    }
    w->state = JOB_NONE;
    time.started_us = w->started_us;
    time.ended_us = w->ended_us;
    time.ended_wall_ms = w->ended_us / 1000 + w->loop->wall_offset_ms;
    time.synced = w->loop->synced;
    w->done(w->arg, &time);
}

enum rg_err loop_worker_create(struct loop *loop, const char *name, loop_worker_run_cb run,
                               loop_worker_done_cb done, void *arg, struct loop_worker **out)
{
    struct loop_worker *w = calloc(1, sizeof *w);

    (void)name;
    *out = NULL;
    if (!w || event_reserve(loop, 1) != RG_OK) {
        free(w);
        return RG_ENOMEM;
    }
    w->event = (struct event){.fire = worker_fire, .owner = w};
    w->loop = loop;
    w->run = run;
    w->done = done;
    w->arg = arg;
    loop->alive++;
    *out = w;
    return RG_OK;
}

void loop_worker_prompt(struct loop_worker *w)
{
    (void)w; /* nobody goes before another here */
}

enum rg_err loop_worker_submit(struct loop_worker *w)
{
    if (w->state != JOB_NONE)
        return RG_EAGAIN;
    w->state = JOB_WAITING;
    event_arm(w->loop, &w->event, w->loop->mono_us);
    return RG_OK;
}

bool loop_worker_busy(const struct loop_worker *w)
{
    return w->state != JOB_NONE;
}

void loop_worker_destroy(struct loop_worker *w)
{
    if (!w)
        return;
    /* What the real one does to the loop, which waits here for the job: its time passes. */
    if (w->state == JOB_WAITING)
        worker_run(w);
    if (w->state == JOB_RUNNING && w->ended_us > w->loop->mono_us)
        w->loop->mono_us = w->ended_us;
    event_disarm(w->loop, &w->event);
    event_release(w->loop, 1);
    w->loop->alive--;
    free(w);
}

/* ---- mailboxes: each message is an event, so that one posted from a job comes when the job got that far ---- */

struct letter {
    struct event event;
    struct letter *next_free;
    unsigned char *content;
};

struct mailbox {
    struct loop *loop;
    mailbox_cb cb;
    void *arg;
    size_t element;
    size_t capacity;
    struct letter *letters; /* capacity of them */
    unsigned char *contents;
    void *message; /* the one that is being delivered */
    struct letter *free;
    bool delivering;
    bool destroyed; /* inside its own callback */
    uint64_t refused;
};

static void mailbox_free(struct mailbox *m)
{
    free(m->letters);
    free(m->contents);
    free(m->message);
    free(m);
}

static void letter_fire(struct event *event)
{
    struct mailbox *m = event->owner;
    struct letter *letter = (struct letter *)event; /* its first member */

    memcpy(m->message, letter->content, m->element);
    letter->next_free = m->free;
    m->free = letter;
    m->delivering = true;
    m->cb(m->arg, m->message);
    m->delivering = false;
    if (m->destroyed)
        mailbox_free(m);
}

enum rg_err mailbox_create(struct loop *loop, size_t element, size_t capacity, mailbox_cb cb, void *arg,
                           struct mailbox **out)
{
    struct mailbox *m;

    *out = NULL;
    if (element == 0 || capacity == 0)
        return RG_EINVAL;
    m = calloc(1, sizeof *m);
    if (!m)
        return RG_ENOMEM;
    m->letters = calloc(capacity, sizeof *m->letters);
    m->contents = calloc(capacity, element);
    m->message = malloc(element);
    if (!m->letters || !m->contents || !m->message || event_reserve(loop, capacity) != RG_OK) {
        mailbox_free(m);
        return RG_ENOMEM;
    }
    m->loop = loop;
    m->cb = cb;
    m->arg = arg;
    m->element = element;
    m->capacity = capacity;
    for (size_t i = capacity; i-- > 0;) {
        m->letters[i].event = (struct event){.fire = letter_fire, .owner = m};
        m->letters[i].content = m->contents + i * element;
        m->letters[i].next_free = m->free;
        m->free = &m->letters[i];
    }
    loop->alive++;
    *out = m;
    return RG_OK;
}

enum rg_err mailbox_post(struct mailbox *m, const void *message)
{
    struct letter *letter = m->free;

    if (!letter) {
        m->refused++;
        return RG_EFULL;
    }
    m->free = letter->next_free;
    memcpy(letter->content, message, m->element);
    event_arm(m->loop, &letter->event, loop_mono_us(m->loop));
    return RG_OK;
}

uint64_t mailbox_refused(const struct mailbox *m)
{
    return m->refused;
}

void mailbox_destroy(struct mailbox *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->capacity; i++)
        event_disarm(m->loop, &m->letters[i].event);
    event_release(m->loop, m->capacity);
    m->loop->alive--;
    if (m->delivering)
        m->destroyed = true;
    else
        mailbox_free(m);
}

/* ---- local sockets: none ---- */

enum rg_err loop_listen_local(struct loop *loop, const char *path, unsigned mode, uint32_t group,
                              unsigned max_peers, const struct loop_peer_cbs *cbs, void *arg,
                              struct loop_listener **out, int *reason)
{
    (void)loop, (void)path, (void)mode, (void)group, (void)max_peers, (void)cbs, (void)arg;
    *out = NULL;
    if (reason)
        *reason = 0;
    return RG_EUNSUPPORTED;
}

enum rg_err loop_listener_grant(struct loop_listener *l, uint32_t group, int *reason)
{
    (void)l, (void)group;
    *reason = 0;
    return RG_EUNSUPPORTED;
}

void loop_listener_destroy(struct loop_listener *l)
{
    (void)l;
}

bool loop_peer_in_group(const struct loop_peer *peer, uint32_t group)
{
    (void)peer, (void)group;
    return false;
}

enum rg_err loop_peer_write(struct loop_peer *peer, const char *bytes, size_t length)
{
    (void)peer, (void)bytes, (void)length;
    return RG_ESTATE;
}

size_t loop_peer_waiting(const struct loop_peer *peer)
{
    (void)peer;
    return 0;
}

void loop_peer_close(struct loop_peer *peer)
{
    (void)peer;
}

void loop_peer_drop(struct loop_peer *peer)
{
    (void)peer;
}
