/* LINK rg_loop_virtual rg_base */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/random.h"
#include "virtual_loop.h"

/* What happened, as text: "name@ms " for each event, ms since the start. */
struct story {
    struct loop *loop;
    char text[2048];
    size_t length;
};

static void tell(struct story *s, const char *name)
{
    int n = snprintf(s->text + s->length, sizeof s->text - s->length, "%s@%lld ", name,
                     (long long)(loop_mono_ms(s->loop) - VIRTUAL_MONO_MS));

    assert_true(n > 0 && (size_t)n < sizeof s->text - s->length);
    s->length += (size_t)n;
}

struct actor {
    struct story *story;
    const char *name;
    struct loop_timer *timer;
    struct loop_worker *worker;
    struct loop_signal *signal;
    struct mailbox *box;
    int64_t every_ms;     /* timer: again after so long; 0: once */
    int64_t takes_ms;     /* worker */
    struct mailbox *tell; /* worker: posts a byte there half way */
    struct loop_worker_time time;
    bool destroy;
    bool stop;
};

static void on_timer(void *arg)
{
    struct actor *a = arg;

    tell(a->story, a->name);
    if (a->every_ms)
        loop_timer_at(a->timer, loop_mono_ms(a->story->loop) + a->every_ms);
    if (a->takes_ms)
        virtual_loop_spend(a->story->loop, a->takes_ms);
    if (a->destroy) {
        loop_timer_destroy(a->timer);
        a->timer = NULL;
    }
    if (a->stop)
        loop_stop(a->story->loop);
}

static void on_run(void *arg)
{
    struct actor *a = arg;
    char c = 'x';

    tell(a->story, "run");
    virtual_loop_spend(a->story->loop, a->takes_ms / 2);
    if (a->tell)
        assert_int_equal(mailbox_post(a->tell, &c), RG_OK);
    virtual_loop_spend(a->story->loop, a->takes_ms - a->takes_ms / 2);
    /* The clocks are the job's own. */
    tell(a->story, "worked");
}

static void on_done(void *arg, const struct loop_worker_time *time)
{
    struct actor *a = arg;

    a->time = *time;
    tell(a->story, a->name);
    assert_false(loop_worker_busy(a->worker));
    if (a->destroy) {
        loop_worker_destroy(a->worker);
        a->worker = NULL;
    }
}

static void on_signal(void *arg, int signum)
{
    struct actor *a = arg;

    assert_int_equal(signum, SIGHUP);
    tell(a->story, a->name);
}

static void on_letter(void *arg, void *message)
{
    struct actor *a = arg;
    char name[2] = {*(char *)message, '\0'};

    tell(a->story, name);
    if (a->destroy) {
        mailbox_destroy(a->box);
        a->box = NULL;
        /* The message is the callback's until it returns. */
        assert_int_equal(*(char *)message, name[0]);
    }
}

static void begin(struct story *s)
{
    *s = (struct story){.length = 0};
    assert_int_equal(loop_create(&s->loop), RG_OK);
}

static struct loop_timer *timer_at(struct actor *a, struct story *s, const char *name, int64_t at_ms)
{
    a->story = s;
    a->name = name;
    assert_int_equal(loop_timer_create(s->loop, on_timer, a, &a->timer), RG_OK);
    loop_timer_at(a->timer, VIRTUAL_MONO_MS + at_ms);
    return a->timer;
}

static void events_fire_in_time_and_in_order_of_arming(void **state)
{
    struct actor a = {.destroy = true}, b = {.every_ms = 20}, c = {.destroy = true}, d = {.destroy = true};
    struct story s;

    (void)state;
    begin(&s);
    (void)timer_at(&c, &s, "c", 30);
    (void)timer_at(&a, &s, "a", 10);
    (void)timer_at(&d, &s, "d", 30);
    (void)timer_at(&b, &s, "b", -5);
    assert_int_equal(virtual_loop_next_ms(s.loop), VIRTUAL_MONO_MS + 1);
    assert_true(virtual_loop_run_until(s.loop, VIRTUAL_MONO_MS + 45));
    assert_string_equal(s.text, "b@1 a@10 b@21 c@30 d@30 b@41 ");
    assert_int_equal(loop_mono_ms(s.loop), VIRTUAL_MONO_MS + 45);
    assert_int_equal(loop_wall_ms(s.loop), VIRTUAL_WALL_MS + 45);
    assert_int_equal(virtual_loop_fired(s.loop), 6);
    assert_int_equal(virtual_loop_armed(s.loop), 1);
    assert_int_equal(virtual_loop_alive(s.loop), 1);
    assert_int_equal(loop_destroy(s.loop), RG_ESTATE);
    loop_timer_destroy(b.timer);
    assert_false(virtual_loop_step(s.loop));
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void arming_again_and_stopping(void **state)
{
    struct actor a = {.every_ms = 0}, b = {.every_ms = 0};
    struct story s;

    (void)state;
    begin(&s);
    loop_timer_at(timer_at(&a, &s, "a", 10), VIRTUAL_MONO_MS + 50);
    loop_timer_stop(timer_at(&b, &s, "b", 20));
    loop_timer_stop(b.timer);
    assert_true(virtual_loop_run_for(s.loop, 100));
    assert_string_equal(s.text, "a@50 ");
    loop_timer_at(b.timer, INT64_MAX);
    assert_true(virtual_loop_run_for(s.loop, 100));
    assert_int_equal(virtual_loop_armed(s.loop), 1);
    loop_timer_destroy(a.timer);
    loop_timer_destroy(b.timer);
    loop_timer_destroy(NULL);
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void run_ends_with_stop_or_with_nothing_to_do(void **state)
{
    struct actor a = {.stop = true, .every_ms = 10}, b = {.every_ms = 0};
    struct story s;

    (void)state;
    begin(&s);
    (void)timer_at(&a, &s, "a", 10);
    loop_run(s.loop);
    assert_string_equal(s.text, "a@10 ");
    assert_false(virtual_loop_run_until(s.loop, VIRTUAL_MONO_MS + 1000));
    assert_string_equal(s.text, "a@10 a@20 ");
    assert_int_equal(loop_mono_ms(s.loop), VIRTUAL_MONO_MS + 20);
    loop_timer_destroy(a.timer);
    (void)timer_at(&b, &s, "b", 90);
    loop_run(s.loop);
    assert_string_equal(s.text, "a@10 a@20 b@90 ");
    loop_timer_destroy(b.timer);
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void jobs_take_their_time_side_by_side(void **state)
{
    struct actor a = {.name = "A", .takes_ms = 100}, b = {.name = "B", .takes_ms = 40};
    struct story s;

    (void)state;
    begin(&s);
    a.story = b.story = &s;
    assert_int_equal(loop_worker_create(s.loop, "a", on_run, on_done, &a, &a.worker), RG_OK);
    assert_int_equal(loop_worker_create(s.loop, "b", on_run, on_done, &b, &b.worker), RG_OK);
    assert_int_equal(loop_worker_submit(a.worker), RG_OK);
    assert_int_equal(loop_worker_submit(b.worker), RG_OK);
    assert_int_equal(loop_worker_submit(b.worker), RG_EAGAIN);
    assert_true(loop_worker_busy(a.worker));
    /* Not inside submit. */
    assert_string_equal(s.text, "");
    virtual_loop_set_wall(s.loop, VIRTUAL_WALL_MS + 1000000);
    assert_true(virtual_loop_run_for(s.loop, 70));
    assert_true(loop_worker_busy(a.worker));
    assert_false(loop_worker_busy(b.worker));
    assert_true(virtual_loop_run_for(s.loop, 70));
    assert_string_equal(s.text, "run@0 worked@100 run@0 worked@40 B@40 A@100 ");
    assert_true(a.time.started_us == (int64_t)VIRTUAL_MONO_MS * 1000);
    assert_true(a.time.ended_us == a.time.started_us + 100000);
    assert_true(a.time.ended_wall_ms == VIRTUAL_WALL_MS + 1000100);
    loop_worker_destroy(a.worker);
    b.destroy = true;
    assert_int_equal(loop_worker_submit(b.worker), RG_OK);
    assert_true(virtual_loop_run_for(s.loop, 70));
    assert_null(b.worker);
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void destroying_a_busy_worker_waits(void **state)
{
    struct actor a = {.name = "A", .takes_ms = 100};
    struct story s;

    (void)state;
    begin(&s);
    a.story = &s;
    for (int begun = 0; begun < 2; begun++) {
        int64_t now = loop_mono_ms(s.loop);

        s.length = 0;
        assert_int_equal(loop_worker_create(s.loop, "a", on_run, on_done, &a, &a.worker), RG_OK);
        assert_int_equal(loop_worker_submit(a.worker), RG_OK);
        if (begun)
            assert_true(virtual_loop_run_for(s.loop, 30));
        loop_worker_destroy(a.worker);
        assert_int_equal(loop_mono_ms(s.loop), now + 100);
        assert_true(virtual_loop_run_for(s.loop, 900));
        assert_null(strchr(s.text, 'A'));
        assert_non_null(strstr(s.text, "worked"));
    }
    loop_worker_destroy(NULL);
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void letters_come_when_they_are_posted(void **state)
{
    struct actor box = {.name = "box"}, w = {.name = "W", .takes_ms = 100}, t = {.destroy = true};
    struct story s;

    (void)state;
    begin(&s);
    box.story = w.story = &s;
    assert_int_equal(mailbox_create(s.loop, 0, 1, on_letter, &box, &box.box), RG_EINVAL);
    assert_int_equal(mailbox_create(s.loop, 1, 3, on_letter, &box, &box.box), RG_OK);
    w.tell = box.box;
    assert_int_equal(loop_worker_create(s.loop, "w", on_run, on_done, &w, &w.worker), RG_OK);
    (void)timer_at(&t, &s, "t", 20);
    assert_int_equal(loop_worker_submit(w.worker), RG_OK);
    assert_true(virtual_loop_run_for(s.loop, 10));
    assert_int_equal(mailbox_post(box.box, "1"), RG_OK);
    assert_int_equal(mailbox_post(box.box, "2"), RG_OK);
    /* The job's own waits for its time and holds a place meanwhile. */
    assert_int_equal(mailbox_post(box.box, "3"), RG_EFULL);
    assert_int_equal(mailbox_refused(box.box), 1);
    assert_true(virtual_loop_run_for(s.loop, 200));
    assert_string_equal(s.text, "run@0 worked@100 1@10 2@10 t@20 x@50 W@100 ");
    loop_worker_destroy(w.worker);
    /* Destroyed by the first of three. */
    s.length = 0;
    box.destroy = true;
    for (int i = 0; i < 3; i++)
        assert_int_equal(mailbox_post(box.box, "4"), RG_OK);
    assert_true(virtual_loop_run_for(s.loop, 200));
    assert_string_equal(s.text, "4@210 ");
    mailbox_destroy(NULL);
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void signals_merge(void **state)
{
    struct actor a = {.name = "a"}, b = {.name = "b"};
    struct story s;

    (void)state;
    begin(&s);
    a.story = b.story = &s;
    assert_int_equal(loop_signal_create(s.loop, SIGHUP, on_signal, &a, &a.signal), RG_OK);
    assert_int_equal(loop_signal_create(s.loop, SIGTERM, on_signal, &b, &b.signal), RG_OK);
    virtual_loop_raise(s.loop, SIGHUP);
    virtual_loop_raise(s.loop, SIGHUP);
    virtual_loop_raise(s.loop, SIGUSR1);
    assert_string_equal(s.text, "");
    assert_true(virtual_loop_run_for(s.loop, 0));
    assert_string_equal(s.text, "a@0 ");
    virtual_loop_raise(s.loop, SIGHUP);
    loop_signal_destroy(a.signal);
    loop_signal_destroy(b.signal);
    assert_true(virtual_loop_run_for(s.loop, 10));
    assert_string_equal(s.text, "a@0 ");
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void a_wall_clock_jump_moves_no_timer(void **state)
{
    struct actor a = {.destroy = true};
    struct story s;

    (void)state;
    begin(&s);
    (void)timer_at(&a, &s, "a", 100);
    assert_true(loop_clock_synced(s.loop));
    virtual_loop_set_synced(s.loop, false);
    assert_false(loop_clock_synced(s.loop));
    assert_true(virtual_loop_run_for(s.loop, 50));
    virtual_loop_set_wall(s.loop, 1000);
    assert_int_equal(loop_wall_ms(s.loop), 1000);
    assert_true(virtual_loop_run_for(s.loop, 100));
    assert_string_equal(s.text, "a@100 ");
    assert_int_equal(loop_wall_ms(s.loop), 1100);
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void a_loop_held_up_is_late(void **state)
{
    struct actor slow = {.destroy = true, .takes_ms = 300}, a = {.destroy = true};
    struct story s;

    (void)state;
    begin(&s);
    (void)timer_at(&slow, &s, "slow", 10);
    (void)timer_at(&a, &s, "a", 50);
    assert_true(virtual_loop_run_for(s.loop, 100));
    assert_string_equal(s.text, "slow@10 a@310 ");
    assert_int_equal(loop_late_max_ms(s.loop), 260);
    assert_int_equal(loop_late_max_ms(s.loop), 0);
    /* Time never goes back, not even to where a run was to end. */
    assert_int_equal(loop_mono_ms(s.loop), VIRTUAL_MONO_MS + 310);
    virtual_loop_spend_us(s.loop, 1500);
    assert_true(loop_mono_us(s.loop) == (VIRTUAL_MONO_MS + 311) * INT64_C(1000) + 500);
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

static void there_are_no_local_sockets(void **state)
{
    struct loop_peer_cbs cbs = {NULL, NULL, NULL};
    struct loop_listener *l = NULL;
    struct story s;
    int reason = 7;

    (void)state;
    begin(&s);
    assert_int_equal(loop_listen_local(s.loop, "/nowhere", 0600, LOOP_GROUP_OWN, 1, &cbs, NULL, &l, &reason),
                     RG_EUNSUPPORTED);
    assert_null(l);
    loop_listener_destroy(NULL);
    assert_int_equal(loop_destroy(s.loop), RG_OK);
}

/* The heap against the plainest model: at each instant the event with the least (time, arming). */
#define CROWD 300

struct crowd {
    struct loop *loop;
    struct loop_timer *timers[CROWD];
    int64_t due[CROWD]; /* INT64_MAX: not armed */
    uint64_t armed_as[CROWD];
    uint64_t armings;
    uint64_t seed;
    struct rg_random random;
    uint64_t fired;
};

struct member {
    struct crowd *crowd;
    size_t number;
};

static void crowd_arm(struct crowd *c, size_t i)
{
    c->due[i] = loop_mono_ms(c->loop) + 1 + (int64_t)random_below(&c->random, 50);
    c->armed_as[i] = c->armings++;
    loop_timer_at(c->timers[i], c->due[i]);
}

static void on_member(void *arg)
{
    const struct member *m = arg;
    struct crowd *c = m->crowd;

    for (size_t i = 0; i < CROWD; i++) {
        bool before = c->due[i] < c->due[m->number] ||
                      (c->due[i] == c->due[m->number] && c->armed_as[i] < c->armed_as[m->number]);

        if (before)
            fail_msg("seed %llu: %zu fired before %zu", (unsigned long long)c->seed, m->number, i);
    }
    assert_int_equal(loop_mono_ms(c->loop), c->due[m->number]);
    c->due[m->number] = INT64_MAX;
    c->fired++;
    for (int k = 0; k < 2; k++) {
        size_t other = (size_t)random_below(&c->random, CROWD);

        if (random_below(&c->random, 3) == 0) {
            loop_timer_stop(c->timers[other]);
            c->due[other] = INT64_MAX;
        } else {
            crowd_arm(c, other);
        }
    }
}

static void any_arming_and_stopping_keeps_the_order(void **state)
{
    struct crowd c = {.seed = random_system_seed()};
    struct member members[CROWD];

    (void)state;
    random_seed(&c.random, c.seed);
    assert_int_equal(loop_create(&c.loop), RG_OK);
    for (size_t i = 0; i < CROWD; i++) {
        members[i] = (struct member){&c, i};
        assert_int_equal(loop_timer_create(c.loop, on_member, &members[i], &c.timers[i]), RG_OK);
        crowd_arm(&c, i);
    }
    assert_true(virtual_loop_run_for(c.loop, 3000));
    assert_true(c.fired > 1000);
    for (size_t i = 0; i < CROWD; i++)
        loop_timer_destroy(c.timers[i]);
    assert_int_equal(virtual_loop_armed(c.loop), 0);
    assert_int_equal(loop_destroy(c.loop), RG_OK);
}

struct beat {
    struct loop *loop;
    struct loop_timer *timer;
};

static void on_beat(void *arg)
{
    struct beat *b = arg;

    loop_timer_at(b->timer, loop_mono_ms(b->loop) + 1000);
}

static void an_hour_passes_in_a_moment(void **state)
{
    struct beat beats[1000];
    struct loop *loop = NULL;
    clock_t before = clock();

    (void)state;
    assert_int_equal(loop_create(&loop), RG_OK);
    for (size_t i = 0; i < RG_COUNT(beats); i++) {
        beats[i].loop = loop;
        assert_int_equal(loop_timer_create(loop, on_beat, &beats[i], &beats[i].timer), RG_OK);
        loop_timer_at(beats[i].timer, VIRTUAL_MONO_MS + (int64_t)i);
    }
    assert_true(virtual_loop_run_for(loop, 3600 * 1000));
    assert_in_range(virtual_loop_fired(loop), 3599 * 1000, 3601 * 1000);
    print_message("%llu events in %.2f s\n", (unsigned long long)virtual_loop_fired(loop),
                  (double)(clock() - before) / CLOCKS_PER_SEC);
    for (size_t i = 0; i < RG_COUNT(beats); i++)
        loop_timer_destroy(beats[i].timer);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_fire_in_time_and_in_order_of_arming),
        cmocka_unit_test(arming_again_and_stopping),
        cmocka_unit_test(run_ends_with_stop_or_with_nothing_to_do),
        cmocka_unit_test(jobs_take_their_time_side_by_side),
        cmocka_unit_test(destroying_a_busy_worker_waits),
        cmocka_unit_test(letters_come_when_they_are_posted),
        cmocka_unit_test(signals_merge),
        cmocka_unit_test(a_wall_clock_jump_moves_no_timer),
        cmocka_unit_test(a_loop_held_up_is_late),
        cmocka_unit_test(there_are_no_local_sockets),
        cmocka_unit_test(any_arming_and_stopping_keeps_the_order),
        cmocka_unit_test(an_hour_passes_in_a_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
