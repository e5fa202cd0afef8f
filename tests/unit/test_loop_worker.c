/* LINK rg_loop rg_base PkgConfig::UV Threads::Threads; LABEL tsan */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/slice.h"
#include "loop/internal.h"
#include "loop/loop.h"

#define WORKERS 32
#define JOBS 200

struct job {
    struct loop *loop;
    struct loop_worker *worker;
    int runs; /* the worker's: no lock, because submit and done must order it */
    int dones;
    int wanted; /* stop the loop after so many */
    int *running_workers;
    pthread_t ran_on;
    char name[16];
    bool signals_blocked;
    uint64_t slice_ns;
    bool destroy;
    sem_t *wait; /* or NULL: run_cb waits for it */
    sem_t *begun;
    struct loop_worker_time time;
};

static void on_run(void *arg)
{
    struct job *j = arg;
    sigset_t now;

    j->ran_on = pthread_self();
    j->slice_ns = slice_now();
    assert_int_equal(pthread_getname_np(pthread_self(), j->name, sizeof j->name), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    j->signals_blocked = sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGHUP) == 1;
    if (j->begun)
        assert_int_equal(sem_post(j->begun), 0);
    if (j->wait)
        assert_int_equal(sem_wait(j->wait), 0);
    j->runs++;
}

static void on_done(void *arg, const struct loop_worker_time *time)
{
    struct job *j = arg;

    j->dones++;
    j->time = *time;
    assert_int_equal(j->runs, j->dones);
    assert_false(loop_worker_busy(j->worker));
    if (j->destroy) {
        loop_worker_destroy(j->worker);
        j->worker = NULL;
        loop_stop(j->loop);
    } else if (j->dones < j->wanted) {
        assert_int_equal(loop_worker_submit(j->worker), RG_OK);
    } else if (!j->running_workers || --*j->running_workers == 0) {
        loop_stop(j->loop);
    }
}

static void a_job_runs_elsewhere_and_comes_back(void **state)
{
    struct job j = {.wanted = 1};
    int64_t before_us = clock_mono_us();
    int64_t before_wall = clock_wall_ms();

    (void)state;
    assert_int_equal(loop_create(&j.loop), RG_OK);
    assert_int_equal(loop_worker_create(j.loop, "a-name-that-is-too-long", on_run, on_done, &j, &j.worker),
                     RG_OK);
    assert_false(loop_worker_busy(j.worker));
    assert_int_equal(loop_worker_submit(j.worker), RG_OK);
    assert_true(loop_worker_busy(j.worker));
    assert_int_equal(loop_worker_submit(j.worker), RG_EAGAIN);
    loop_run(j.loop);
    assert_int_equal(j.runs, 1);
    assert_int_equal(j.dones, 1);
    assert_false(pthread_equal(j.ran_on, pthread_self()));
    assert_string_equal(j.name, "a-name-that-is-");
    assert_true(j.signals_blocked);
    assert_true(before_us <= j.time.started_us && j.time.started_us <= j.time.ended_us &&
                j.time.ended_us <= clock_mono_us());
    assert_true(before_wall <= j.time.ended_wall_ms && j.time.ended_wall_ms <= clock_wall_ms());
    assert_int_equal(loop_destroy(j.loop), RG_ESTATE);
    loop_worker_destroy(j.worker);
    loop_worker_destroy(NULL);
    assert_int_equal(loop_destroy(j.loop), RG_OK);
}

static void *ask_for_short_turns(void *arg)
{
    slice_short();
    *(uint64_t *)arg = slice_now();
    return NULL;
}

/* Whatever the kernel makes of it: as much as of a thread that asks for itself; and the others keep their turns. */
static void a_prompt_worker_has_short_turns(void **state)
{
    struct job prompt = {.wanted = 2}, plain = {.wanted = 2};
    uint64_t twin_ns = 0, own_ns = slice_now();
    pthread_t twin;

    (void)state;
    assert_int_equal(pthread_create(&twin, NULL, ask_for_short_turns, &twin_ns), 0);
    assert_int_equal(pthread_join(twin, NULL), 0);
    assert_int_equal(loop_create(&prompt.loop), RG_OK);
    plain.loop = prompt.loop;
    assert_int_equal(loop_worker_create(prompt.loop, "prompt", on_run, on_done, &prompt, &prompt.worker),
                     RG_OK);
    loop_worker_prompt(prompt.worker);
    assert_int_equal(loop_worker_submit(prompt.worker), RG_OK);
    loop_run(prompt.loop);
    assert_int_equal(loop_worker_create(plain.loop, "plain", on_run, on_done, &plain, &plain.worker), RG_OK);
    assert_int_equal(loop_worker_submit(plain.worker), RG_OK);
    loop_run(plain.loop);
    print_message("slices: %llu ns, asked for %llu ns\n", (unsigned long long)plain.slice_ns,
                  (unsigned long long)prompt.slice_ns);
    assert_int_equal(prompt.slice_ns, twin_ns);
    assert_int_equal(plain.slice_ns, own_ns);
    loop_worker_destroy(prompt.worker);
    loop_worker_destroy(plain.worker);
    assert_int_equal(loop_destroy(prompt.loop), RG_OK);
}

static void many_workers_do_many_jobs(void **state)
{
    struct job jobs[WORKERS];
    int running = WORKERS;
    struct loop *loop = NULL;

    (void)state;
    assert_int_equal(loop_create(&loop), RG_OK);
    for (int i = 0; i < WORKERS; i++) {
        jobs[i] = (struct job){.loop = loop, .wanted = JOBS, .running_workers = &running};
        assert_int_equal(loop_worker_create(loop, "many", on_run, on_done, &jobs[i], &jobs[i].worker), RG_OK);
        assert_int_equal(loop_worker_submit(jobs[i].worker), RG_OK);
    }
    loop_run(loop);
    for (int i = 0; i < WORKERS; i++) {
        assert_int_equal(jobs[i].runs, JOBS);
        assert_int_equal(jobs[i].dones, JOBS);
        loop_worker_destroy(jobs[i].worker);
    }
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void one_that_blocks_holds_up_no_other(void **state)
{
    sem_t wait;
    struct job blocked = {.wanted = 1, .wait = &wait};
    struct job free_one = {.wanted = 10};
    struct loop *loop = NULL;

    (void)state;
    assert_int_equal(sem_init(&wait, 0, 0), 0);
    assert_int_equal(loop_create(&loop), RG_OK);
    blocked.loop = free_one.loop = loop;
    assert_int_equal(loop_worker_create(loop, "blocked", on_run, on_done, &blocked, &blocked.worker), RG_OK);
    assert_int_equal(loop_worker_create(loop, "free", on_run, on_done, &free_one, &free_one.worker), RG_OK);
    assert_int_equal(loop_worker_submit(blocked.worker), RG_OK);
    assert_int_equal(loop_worker_submit(free_one.worker), RG_OK);
    loop_run(loop);
    assert_int_equal(free_one.dones, 10);
    assert_int_equal(blocked.dones, 0);
    assert_int_equal(sem_post(&wait), 0);
    loop_run(loop);
    assert_int_equal(blocked.dones, 1);
    loop_worker_destroy(blocked.worker);
    loop_worker_destroy(free_one.worker);
    assert_int_equal(loop_destroy(loop), RG_OK);
    assert_int_equal(sem_destroy(&wait), 0);
}

static void destroyed_in_done_it_is_gone(void **state)
{
    struct job j = {.destroy = true};

    (void)state;
    assert_int_equal(loop_create(&j.loop), RG_OK);
    assert_int_equal(loop_worker_create(j.loop, "once", on_run, on_done, &j, &j.worker), RG_OK);
    assert_int_equal(loop_worker_submit(j.worker), RG_OK);
    loop_run(j.loop);
    assert_int_equal(j.dones, 1);
    assert_int_equal(loop_destroy(j.loop), RG_OK);
}

static void *let_go(void *arg)
{
    struct job *j = arg;

    assert_int_equal(sem_wait(j->begun), 0);
    assert_int_equal(sem_post(j->wait), 0);
    return NULL;
}

static void destroy_waits_for_the_job_and_drops_its_end(void **state)
{
    sem_t wait, begun;
    struct job j = {.wanted = 1, .wait = &wait, .begun = &begun};
    pthread_t helper;

    (void)state;
    assert_int_equal(sem_init(&wait, 0, 0), 0);
    assert_int_equal(sem_init(&begun, 0, 0), 0);
    assert_int_equal(loop_create(&j.loop), RG_OK);
    assert_int_equal(loop_worker_create(j.loop, "running", on_run, on_done, &j, &j.worker), RG_OK);
    assert_int_equal(loop_worker_submit(j.worker), RG_OK);
    assert_int_equal(pthread_create(&helper, NULL, let_go, &j), 0);
    loop_worker_destroy(j.worker);
    /* Submitted, so it ran; destroyed, so nothing is heard of it. */
    assert_int_equal(j.runs, 1);
    assert_int_equal(loop_destroy(j.loop), RG_OK);
    assert_int_equal(j.dones, 0);
    assert_int_equal(pthread_join(helper, NULL), 0);
    assert_int_equal(sem_destroy(&wait), 0);
    assert_int_equal(sem_destroy(&begun), 0);
}

/* ---- whether the clock is right ---- */

/* The kernel's part. */
static atomic_uint clock_asked;
static atomic_bool clock_lost;

int adjtimex(struct timex *t)
{
    (void)atomic_fetch_add(&clock_asked, 1);
    t->status = atomic_load(&clock_lost) ? STA_UNSYNC : 0;
    return 0;
}

struct clocked {
    struct loop *loop;
    struct loop_worker *worker;
    int left;        /* jobs; -1: until the clock is seen to be lost */
    int64_t lost_ms; /* monotonic */
};

static void clocked_run(void *arg)
{
    (void)arg;
}

static void clocked_done(void *arg, const struct loop_worker_time *time)
{
    struct clocked *c = arg;

    if (c->left > 0)
        c->left--;
    if (time->synced && c->lost_ms > 0)
        assert_true(time->ended_us / 1000 <= c->lost_ms + 100);
    if (c->left == 0 || (c->left < 0 && !time->synced))
        loop_stop(c->loop);
    else
        assert_int_equal(loop_worker_submit(c->worker), RG_OK);
}

static void the_clock_is_asked_about_once_for_many(void **state)
{
    struct clocked c = {.left = 300};
    int64_t begin_ms;
    unsigned asked;

    (void)state;
    assert_int_equal(loop_create(&c.loop), RG_OK);
    assert_int_equal(loop_worker_create(c.loop, "clocked", clocked_run, clocked_done, &c, &c.worker), RG_OK);
    begin_ms = clock_mono_ms();
    asked = atomic_load(&clock_asked);
    assert_int_equal(loop_worker_submit(c.worker), RG_OK);
    loop_run(c.loop);
    asked = atomic_load(&clock_asked) - asked;
    assert_true(asked >= 1 && asked <= 1 + (clock_mono_ms() - begin_ms) / 100);

    atomic_store(&clock_lost, true);
    c.lost_ms = clock_mono_ms();
    c.left = -1;
    assert_int_equal(loop_worker_submit(c.worker), RG_OK);
    loop_run(c.loop);
    atomic_store(&clock_lost, false);
    loop_worker_destroy(c.worker);
    assert_int_equal(loop_destroy(c.loop), RG_OK);
}

/* ---- heard between timers ---- */

#define PATIENCE_MS 20000

struct between {
    struct loop *loop;
    struct loop_worker *workers[2];
    struct loop_timer *timers[LOOP_HEARD_BETWEEN + 10];
    int count;     /* timers */
    int asking;    /* the number of the one that has the workers work */
    int destroyer; /* the worker whose done_cb destroys the other one; -1: none */
    bool at_once;  /* the second one is destroyed by that timer, when neither has been heard */
    int fired, dones;
    int heard_after; /* how many had fired when the first done_cb came */
};

struct between_arg {
    struct between *of;
    int number;
};

static void between_run(void *arg)
{
    (void)arg;
}

static void between_done(void *arg, const struct loop_worker_time *time)
{
    const struct between_arg *a = arg;
    struct between *b = a->of;

    (void)time;
    if (b->dones++ == 0)
        b->heard_after = b->fired;
    if (b->destroyer == a->number) {
        loop_worker_destroy(b->workers[1 - a->number]);
        b->workers[1 - a->number] = NULL;
    }
}

/* Has it work, and waits until its thread has said that it has. */
static void work(struct between *b, int number)
{
    const struct loop_worker *last = atomic_load(&b->loop->finished);
    const int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

    assert_int_equal(loop_worker_submit(b->workers[number]), RG_OK);
    while (atomic_load(&b->loop->finished) == last) {
        assert_true(clock_mono_ms() < until_ms);
        (void)sched_yield();
    }
}

static void between_timer(void *arg)
{
    const struct between_arg *a = arg;
    struct between *b = a->of;

    b->fired++;
    if (a->number == b->asking) {
        work(b, 0);
        if (b->destroyer >= 0 || b->at_once)
            work(b, 1);
        if (b->at_once) {
            loop_worker_destroy(b->workers[1]);
            b->workers[1] = NULL;
        }
    }
    if (b->fired == b->count)
        loop_timer_at(b->timers[0], loop_mono_ms(b->loop) + 50);
    if (b->fired > b->count)
        loop_stop(b->loop);
}

static void run_between(struct between *b)
{
    struct between_arg timers[RG_COUNT(b->timers)], workers[2];
    int64_t due_ms;

    assert_int_equal(loop_create(&b->loop), RG_OK);
    for (int i = 0; i < 2; i++) {
        workers[i] = (struct between_arg){b, i};
        assert_int_equal(
            loop_worker_create(b->loop, "between", between_run, between_done, &workers[i], &b->workers[i]),
            RG_OK);
    }
    due_ms =
        loop_mono_ms(b->loop) - 1; /* in the past: all of one instant, however long it takes to arm them */
    for (int i = 0; i < b->count; i++) {
        timers[i] = (struct between_arg){b, i};
        assert_int_equal(loop_timer_create(b->loop, between_timer, &timers[i], &b->timers[i]), RG_OK);
        loop_timer_at(b->timers[i], due_ms);
    }
    loop_run(b->loop);
    for (int i = 0; i < b->count; i++)
        loop_timer_destroy(b->timers[i]);
    for (int i = 0; i < 2; i++)
        loop_worker_destroy(b->workers[i]);
    assert_int_equal(loop_destroy(b->loop), RG_OK);
}

/* An answer is not kept waiting by all who are still to be asked. */
static void a_worker_is_heard_between_timers_of_one_instant(void **state)
{
    struct between b = {.count = 10, .asking = 3, .destroyer = -1};

    (void)state;
    run_between(&b);
    assert_int_equal(b.dones, 1);
    assert_int_equal(b.heard_after, 4);
}

/* Of very many the rest goes in one go. */
static void only_between_the_first_ones(void **state)
{
    struct between b = {.count = LOOP_HEARD_BETWEEN + 10, .asking = LOOP_HEARD_BETWEEN + 3, .destroyer = -1};

    (void)state;
    run_between(&b);
    assert_int_equal(b.dones, 1);
    assert_int_equal(b.heard_after, b.count);
}

/* And of those that had finished with it each is heard all the same. */
static void one_that_was_not_heard_can_be_destroyed(void **state)
{
    struct between b = {.count = 3, .asking = 2, .destroyer = -1, .at_once = true};
    struct between last = {
        .count = LOOP_HEARD_BETWEEN + 10, .asking = LOOP_HEARD_BETWEEN + 3, .destroyer = -1, .at_once = true};

    (void)state;
    run_between(&b);
    assert_int_equal(b.dones, 1);
    run_between(&last);
    assert_int_equal(last.dones, 1);
}

/* Two have finished, and whichever is heard first destroys the other one, of which nothing follows. */
static void one_that_is_still_to_be_heard_can_be_destroyed(void **state)
{
    struct between first = {.count = 3, .asking = 1, .destroyer = 0};
    struct between second = {.count = 3, .asking = 1, .destroyer = 1};

    (void)state;
    run_between(&first);
    assert_int_equal(first.dones, 1);
    assert_null(first.workers[1]);
    run_between(&second); /* they are heard in the order in which they finished: too late for the first one */
    assert_int_equal(second.dones, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_runs_elsewhere_and_comes_back),
        cmocka_unit_test(a_prompt_worker_has_short_turns),
        cmocka_unit_test(many_workers_do_many_jobs),
        cmocka_unit_test(one_that_blocks_holds_up_no_other),
        cmocka_unit_test(destroyed_in_done_it_is_gone),
        cmocka_unit_test(destroy_waits_for_the_job_and_drops_its_end),
        cmocka_unit_test(a_worker_is_heard_between_timers_of_one_instant),
        cmocka_unit_test(only_between_the_first_ones),
        cmocka_unit_test(one_that_was_not_heard_can_be_destroyed),
        cmocka_unit_test(one_that_is_still_to_be_heard_can_be_destroyed),
        cmocka_unit_test(the_clock_is_asked_about_once_for_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
