/* A worker: one thread that does one job at a time. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/slice.h"
#include "base/text.h"
#include "loop/internal.h"

#define WORKER_NAME_SIZE 16 /* the kernel's, with the NUL */

struct loop_worker {
    uv_async_t async; /* from the thread: the job is done */
    struct loop *loop;
    loop_worker_run_cb run;
    loop_worker_done_cb done;
    void *arg;
    char name[WORKER_NAME_SIZE];
    bool busy;   /* the loop's alone: from submit to done_cb */
    bool prompt; /* set before the first job: the semaphore hands it over */
    uv_thread_t thread;
    /* Posted for each job, and once for the end: unlike a condition it costs one system call to wait, one to wake. */
    uv_sem_t begin;
    uv_mutex_t lock;              /* for what follows */
    bool wanted;                  /* a job was submitted and not begun */
    bool finished;                /* a job ended and the loop does not know yet */
    struct loop_worker_time time; /* of the finished job */
};

/* True when there is a job to do; false: the thread is to end. A job that was submitted is done even then. */
static bool worker_wait(struct loop_worker *w)
{
    bool wanted;

    uv_sem_wait(&w->begin);
    uv_mutex_lock(&w->lock);
    wanted = w->wanted;
    w->wanted = false;
    uv_mutex_unlock(&w->lock);
    return wanted;
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
        struct loop_worker_time time = {.started_us = clock_mono_us()};

        if (w->prompt && !prompt)
            slice_short();
        prompt = w->prompt;
        w->run(w->arg);
        time.ended_us = clock_mono_us();
        /* Before the stamp: a clock that is set in between was not to be trusted. */
        time.synced = loop_synced_for_worker(w->loop);
        time.ended_wall_ms = clock_wall_ms();
        uv_mutex_lock(&w->lock);
        w->time = time;
        w->finished = true;
        uv_mutex_unlock(&w->lock);
        (void)uv_async_send(&w->async);
    }
}

static void on_finished(uv_async_t *async)
{
    struct loop_worker *w = async->data;
    struct loop_worker_time time;
    bool finished;

    uv_mutex_lock(&w->lock);
    finished = w->finished;
    w->finished = false;
    time = w->time;
    uv_mutex_unlock(&w->lock);
    if (!finished)
        return;
    w->busy = false;
    w->done(w->arg, &time);
}

static void worker_free(struct loop_worker *w)
{
    uv_sem_destroy(&w->begin);
    uv_mutex_destroy(&w->lock);
    free(w);
}

static void on_worker_closed(uv_handle_t *handle)
{
    worker_free(handle->data);
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
    w->async.data = w;
    (void)text_copy(w->name, sizeof w->name, name);
    rc = uv_mutex_init(&w->lock);
    if (rc != 0)
        goto fail_lock;
    rc = uv_sem_init(&w->begin, 0);
    if (rc != 0)
        goto fail_wake;
    rc = uv_async_init(&loop->uv, &w->async, on_finished);
    if (rc != 0)
        goto fail_async;
    rc = uv_thread_create(&w->thread, worker_thread, w);
    if (rc != 0) {
        uv_close((uv_handle_t *)&w->async, on_worker_closed);
        return loop_error(rc);
    }
    loop->alive++;
    *out = w;
    return RG_OK;

fail_async:
    uv_sem_destroy(&w->begin);
fail_wake:
    uv_mutex_destroy(&w->lock);
fail_lock:
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
    uv_mutex_lock(&w->lock);
    w->wanted = true;
    uv_mutex_unlock(&w->lock);
    uv_sem_post(&w->begin); /* with the lock held, the thread would wake up only to wait for it */
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
    w->loop->alive--;
    uv_close((uv_handle_t *)&w->async, on_worker_closed);
}
