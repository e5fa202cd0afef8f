/* LINK rg_loop rg_base Threads::Threads; LABEL tsan */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/loop.h"

#define MANY 100

struct alarm_clock {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_timer *other;
    int fired;
    int wanted; /* stop the loop when it fired so often */
    int64_t due_ms;
    int *order; /* or NULL */
    int number;
};

static struct loop *new_loop(void)
{
    struct loop *loop = NULL;

    assert_int_equal(loop_create(&loop), RG_OK);
    return loop;
}

static void on_due(void *arg)
{
    struct alarm_clock *c = arg;

    assert_true(loop_mono_ms(c->loop) >= c->due_ms);
    if (c->order)
        c->order[(*c->order)++ + 1] = c->number;
    if (++c->fired == c->wanted)
        loop_stop(c->loop);
}

static void timers_fire_in_order_and_not_before(void **state)
{
    struct loop *loop = new_loop();
    struct alarm_clock clocks[MANY];
    int order[MANY + 1] = {0};
    int64_t now = loop_mono_ms(loop);

    (void)state;
    for (int i = 0; i < MANY; i++) {
        /* 37 and 100 have no common factor: every delay from 0 to 99 once, in a scrambled order. */
        int64_t due = now + 20 + i * 37 % MANY;

        clocks[i] =
            (struct alarm_clock){.loop = loop, .due_ms = due, .order = order, .number = (int)(due - now)};
        clocks[i].wanted = due == now + 20 + MANY - 1 ? 1 : 0;
        assert_int_equal(loop_timer_create(loop, on_due, &clocks[i], &clocks[i].timer), RG_OK);
        loop_timer_at(clocks[i].timer, due);
    }
    loop_run(loop);
    assert_int_equal(order[0], MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(clocks[i].fired, 1);
        assert_int_equal(order[i + 1], 20 + i);
        loop_timer_destroy(clocks[i].timer);
    }
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void on_rearm(void *arg)
{
    struct alarm_clock *c = arg;

    if (++c->fired == c->wanted) {
        loop_stop(c->loop);
        return;
    }
    /* Long past: must not keep the loop from anything else. */
    loop_timer_at(c->timer, INT64_MIN);
}

static void a_timer_armed_in_the_past_starves_nobody(void **state)
{
    struct loop *loop = new_loop();
    struct alarm_clock busy = {.loop = loop};
    struct alarm_clock other = {.loop = loop, .wanted = 1};

    (void)state;
    assert_int_equal(loop_timer_create(loop, on_rearm, &busy, &busy.timer), RG_OK);
    assert_int_equal(loop_timer_create(loop, on_due, &other, &other.timer), RG_OK);
    other.due_ms = loop_mono_ms(loop) + 50;
    loop_timer_at(busy.timer, 0);
    loop_timer_at(other.timer, other.due_ms);
    loop_run(loop);
    assert_int_equal(other.fired, 1);
    assert_in_range(busy.fired, 1, 60);
    loop_timer_destroy(busy.timer);
    loop_timer_destroy(other.timer);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void the_last_arming_counts(void **state)
{
    struct loop *loop = new_loop();
    struct alarm_clock a = {.loop = loop, .wanted = 1};
    struct alarm_clock b = {.loop = loop, .wanted = 1};

    (void)state;
    assert_int_equal(loop_timer_create(loop, on_due, &a, &a.timer), RG_OK);
    assert_int_equal(loop_timer_create(loop, on_due, &b, &b.timer), RG_OK);
    b.due_ms = loop_mono_ms(loop) + 30;
    loop_timer_at(a.timer, loop_mono_ms(loop) + 5);
    loop_timer_at(a.timer, INT64_MAX);
    loop_timer_at(b.timer, loop_mono_ms(loop) + 100000);
    loop_timer_at(b.timer, b.due_ms);
    loop_run(loop);
    assert_int_equal(a.fired, 0);
    assert_int_equal(b.fired, 1);
    loop_timer_at(a.timer, 0);
    loop_timer_stop(a.timer);
    b.due_ms = loop_mono_ms(loop) + 20;
    b.fired = 0;
    loop_timer_at(b.timer, b.due_ms);
    loop_run(loop);
    assert_int_equal(a.fired, 0);
    loop_timer_destroy(a.timer);
    loop_timer_destroy(b.timer);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void on_destroy(void *arg)
{
    struct alarm_clock *c = arg;

    c->fired++;
    loop_timer_destroy(c->timer);
    loop_timer_destroy(c->other);
    c->timer = NULL;
    c->other = NULL;
    loop_stop(c->loop);
}

static void destroyed_inside_a_callback_no_other_follows(void **state)
{
    struct loop *loop = new_loop();
    struct alarm_clock a = {.loop = loop};
    struct alarm_clock b = {.loop = loop};
    int64_t due = loop_mono_ms(loop) + 5;

    (void)state;
    assert_int_equal(loop_timer_create(loop, on_destroy, &a, &a.timer), RG_OK);
    assert_int_equal(loop_timer_create(loop, on_due, &b, &a.other), RG_OK);
    /* Both due at one instant: the first destroys the second. */
    loop_timer_at(a.timer, due);
    loop_timer_at(a.other, due);
    loop_run(loop);
    assert_int_equal(a.fired, 1);
    assert_int_equal(b.fired, 0);
    loop_timer_destroy(NULL);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void a_handle_left_alive_is_reported(void **state)
{
    struct loop *loop = new_loop();
    struct alarm_clock c = {.loop = loop, .wanted = 1};

    (void)state;
    assert_int_equal(loop_timer_create(loop, on_due, &c, &c.timer), RG_OK);
    assert_int_equal(loop_destroy(loop), RG_ESTATE);
    /* And the loop is as good as before. */
    loop_timer_at(c.timer, 0);
    loop_run(loop);
    assert_int_equal(c.fired, 1);
    loop_timer_destroy(c.timer);
    assert_int_equal(loop_destroy(loop), RG_OK);
    assert_int_equal(loop_destroy(NULL), RG_OK);
}

/* A failed start stops a loop that never ran. */
static void a_loop_that_was_stopped_is_destroyed(void **state)
{
    struct loop *loop;
    struct loop_timer *timer;

    (void)state;
    assert_int_equal(loop_create(&loop), RG_OK);
    assert_int_equal(loop_timer_create(loop, on_due, NULL, &timer), RG_OK);
    loop_timer_destroy(timer);
    loop_stop(loop);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void on_hold_up(void *arg)
{
    struct alarm_clock *c = arg;
    int64_t end = clock_mono_ms() + 40;

    while (clock_mono_ms() < end)
        continue;
    c->fired++;
}

static void lateness_is_seen_once(void **state)
{
    struct loop *loop = new_loop();
    struct alarm_clock slow = {.loop = loop};
    struct alarm_clock late = {.loop = loop, .wanted = 1};
    int64_t now = loop_mono_ms(loop);

    (void)state;
    assert_int_equal(loop_timer_create(loop, on_hold_up, &slow, &slow.timer), RG_OK);
    assert_int_equal(loop_timer_create(loop, on_due, &late, &late.timer), RG_OK);
    late.due_ms = now + 10;
    loop_timer_at(slow.timer, now + 5);
    loop_timer_at(late.timer, late.due_ms);
    loop_run(loop);
    /* It fired at 45 at the earliest and was due at 10. */
    assert_true(loop_late_max_ms(loop) >= 35);
    assert_true(loop_late_max_ms(loop) == 0);
    loop_timer_destroy(slow.timer);
    loop_timer_destroy(late.timer);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void clocks_agree(void **state)
{
    struct loop *loop = new_loop();
    int64_t before = clock_mono_ms();
    int64_t now = loop_mono_ms(loop);

    (void)state;
    assert_true(now >= before && loop_mono_us(loop) / 1000 >= now);
    assert_true(loop_wall_ms(loop) <= clock_wall_ms());
    assert_int_equal(loop_clock_synced(loop), clock_synced());
    assert_int_equal(loop_destroy(loop), RG_OK);
}

struct signal_watch {
    struct loop *loop;
    struct loop_signal *handle;
    int seen;
    int signum;
    bool destroy;
};

static void on_signal(void *arg, int signum)
{
    struct signal_watch *w = arg;

    w->seen++;
    w->signum = signum;
    if (w->destroy) {
        loop_signal_destroy(w->handle);
        w->handle = NULL;
    }
    loop_stop(w->loop);
}

static void signals_come_in_on_the_loop(void **state)
{
    struct loop *loop = new_loop();
    struct signal_watch term = {.loop = loop};
    struct signal_watch hup = {.loop = loop, .destroy = true};

    (void)state;
    assert_int_equal(loop_signal_create(loop, SIGTERM, on_signal, &term, &term.handle), RG_OK);
    assert_int_equal(loop_signal_create(loop, SIGHUP, on_signal, &hup, &hup.handle), RG_OK);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(term.seen, 0);
    loop_run(loop);
    assert_int_equal(term.seen, 1);
    assert_int_equal(term.signum, SIGTERM);
    assert_int_equal(raise(SIGHUP), 0);
    loop_run(loop);
    assert_int_equal(hup.seen, 1);
    assert_int_equal(hup.signum, SIGHUP);
    assert_int_equal(term.seen, 1);
    assert_int_equal(loop_destroy(loop), RG_ESTATE);
    loop_signal_destroy(term.handle);
    loop_signal_destroy(NULL);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void a_signal_that_cannot_be_caught_is_refused(void **state)
{
    struct loop *loop = new_loop();
    struct loop_signal *s = NULL;

    (void)state;
    assert_int_not_equal(loop_signal_create(loop, SIGKILL, on_signal, NULL, &s), RG_OK);
    assert_null(s);
    assert_int_equal(loop_signal_create(loop, 0, on_signal, NULL, &s), RG_EINVAL);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

static void a_broken_pipe_does_not_kill(void **state)
{
    struct loop *loop = new_loop();
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(write(ends[1], "x", 1), -1);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(loop_destroy(loop), RG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_and_not_before),
        cmocka_unit_test(a_timer_armed_in_the_past_starves_nobody),
        cmocka_unit_test(the_last_arming_counts),
        cmocka_unit_test(destroyed_inside_a_callback_no_other_follows),
        cmocka_unit_test(a_handle_left_alive_is_reported),
        cmocka_unit_test(a_loop_that_was_stopped_is_destroyed),
        cmocka_unit_test(lateness_is_seen_once),
        cmocka_unit_test(clocks_agree),
        cmocka_unit_test(signals_come_in_on_the_loop),
        cmocka_unit_test(a_signal_that_cannot_be_caught_is_refused),
        cmocka_unit_test(a_broken_pipe_does_not_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
