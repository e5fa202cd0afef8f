/* A worker: one thread that does one job at a time. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/slice.h"
#include "base/text.h"
#include "loop/internal.h"

#define WORKER_NAME_SIZE 16 /* the kernel's, with the NUL */

struct loop_worker {
    struct loop *loop;
    loop_worker_run_cb run;
    loop_worker_done_cb done;
    void *arg;
    char name[WORKER_NAME_SIZE];
    bool busy;   /* the loop's alone: from submit to done_cb */
    bool prompt; /* set before the first job */
    uv_thread_t thread;
    /* Posted for each job, and once for the end: unlike a condition it costs one system call to wait, one to wake. It hands over to
     * the thread what the loop wrote before; loop.finished hands it back. So nothing here needs a lock. */
    uv_sem_t begin;
    bool wanted;                  /* a job was submitted and not begun */
    struct loop_worker_time time; /* of the finished job */
    struct loop_worker *next;     /* among those that finished */
};

/* True when there is a job to do; false: the thread is to end. A job that was submitted is done even then. */
static bool worker_wait(struct loop_worker *w)
{
    bool wanted;

    uv_sem_wait(&w->begin);
    wanted = w->wanted;
    w->wanted = false;
    return wanted;
}

/* Only the first of several wakes the loop: a hundred devices that answer at one instant cost it one system call. */
static void worker_finished(struct loop_worker *w)
{
    struct loop *loop = w->loop;
    struct loop_worker *top = atomic_load_explicit(&loop->finished, memory_order_relaxed);

    do
        w->next = top;
    while (!atomic_compare_exchange_weak_explicit(&loop->finished, &top, w, memory_order_release,
                                                  memory_order_relaxed));
    if (!top)
        (void)uv_async_send(&loop->wake);
}

static void worker_thread(void *arg)
{
    struct loop_worker *w = arg;
    bool prompt = false;
    sigset_t all;

    /* Signals are the loop's: here they would only interrupt what blocks. Neither call can fail with these arguments. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    (void)pthread_setname_np(pthread_self(), w->name);
    while (worker_wait(w)) {
        w->time = (struct loop_worker_time){.started_us = clock_mono_us()};
        if (w->prompt && !prompt)
            slice_short();
        prompt = w->prompt;
        w->run(w->arg);
        w->time.ended_us = clock_mono_us();
        /* Before the stamp: a clock that is set in between was not to be trusted. */
        w->time.synced = loop_clock_synced(w->loop);
        w->time.ended_wall_ms = clock_wall_ms();
        worker_finished(w);
    }
}

/* Behind those that wait already, in the order in which they finished. */
static void take_finished(struct loop *loop)
{
    struct loop_worker *w = atomic_exchange_explicit(&loop->finished, NULL, memory_order_acquire);
    struct loop_worker *first = NULL;
    struct loop_worker **end = &loop->heard;

    while (w) {
        struct loop_worker *before = w->next;

        w->next = first;
        first = w;
        w = before;
    }
    while (*end)
        end = &(*end)->next;
    *end = first;
}

void loop_hear_workers(struct loop *loop)
{
    if (!atomic_load_explicit(&loop->finished, memory_order_relaxed) && !loop->heard)
        return;
    /* All that have finished by now. Who finishes from here on is heard the next time, so that they cannot keep the loop from anything else. */
    take_finished(loop);
    while (loop->heard) {
        struct loop_worker *w = loop->heard;
        struct loop_worker_time time = w->time;

        loop->heard = w->next;
        w->busy = false;
        w->done(w->arg, &time); /* which may destroy it, or one that waits behind it */
    }
}

/* Drops what its thread said last, if the loop has not heard it. */
static void worker_forget(struct loop_worker *w)
{
    struct loop_worker **at = &w->loop->heard;

    take_finished(w->loop);
    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

enum rg_err loop_worker_create(struct loop *loop, const char *name, loop_worker_run_cb run,
                               loop_worker_done_cb done, void *arg, struct loop_worker **out)
{
    struct loop_worker *w = calloc(1, sizeof *w);
    int rc;

    *out = NULL;
    if (!w)
        return RG_ENOMEM;
    w->loop = loop;
    w->run = run;
    w->done = done;
    w->arg = arg;
    (void)text_copy(w->name, sizeof w->name, name);
    rc = uv_sem_init(&w->begin, 0);
    if (rc != 0)
        goto fail_begin;
    rc = uv_thread_create(&w->thread, worker_thread, w);
    if (rc != 0)
        goto fail_thread;
    loop->alive++;
    *out = w;
    return RG_OK;

fail_thread:
    uv_sem_destroy(&w->begin);
fail_begin:
    free(w);
    return loop_error(rc);
}

void loop_worker_prompt(struct loop_worker *w)
{
    w->prompt = true;
}

enum rg_err loop_worker_submit(struct loop_worker *w)
{
    if (w->busy)
        return RG_EAGAIN;
    w->busy = true;
    w->wanted = true;
    uv_sem_post(&w->begin);
    return RG_OK;
}

bool loop_worker_busy(const struct loop_worker *w)
{
    return w->busy;
}

void loop_worker_destroy(struct loop_worker *w)
{
    if (!w)
        return;
    uv_sem_post(&w->begin); /* no job comes with it: that ends the thread */
    (void)uv_thread_join(&w->thread);
    worker_forget(w);
    w->loop->alive--;
    uv_sem_destroy(&w->begin);
    free(w);
}
