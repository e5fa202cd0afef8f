/* LINK rg_uplink rg_base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "uplink/session.h"

#define FIRST 1000
#define CAP 60000
#define STABLE 30000

static struct session begun(void)
{
    struct session s;

    session_init(&s, FIRST, CAP, STABLE, 7);
    assert_int_equal(session_step(&s, SESSION_START, 0), SESSION_DO_CONNECT);
    assert_int_equal(s.state, SESSION_CONNECTING);
    return s;
}

/* Waits for the deadline and connects again; returns how long it waited. */
static int64_t again(struct session *s, int64_t *now)
{
    const int64_t wait = s->deadline_ms - *now;

    assert_int_equal(s->state, SESSION_WAITING);
    assert_int_equal(session_step(s, SESSION_TICK, s->deadline_ms - 1), 0);
    *now = s->deadline_ms;
    assert_int_equal(session_step(s, SESSION_TICK, *now), SESSION_DO_CONNECT);
    return wait;
}

static void waits_grow_to_the_cap(void **state)
{
    struct session s = begun();
    int64_t now = 0;
    int64_t full = FIRST;

    (void)state;
    for (int i = 0; i < 12; i++) {
        int64_t wait;

        assert_int_equal(session_step(&s, SESSION_FAILED, now), 0);
        wait = again(&s, &now);
        assert_in_range(wait, full / 2, full);
        full = full * 2 > CAP ? CAP : full * 2;
    }
}

static void kicked_after_connack_is_a_failure_like_any_other(void **state)
{
    struct session s = begun();
    int64_t now = 0;
    int64_t wait = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(session_step(&s, SESSION_CONNECTED, now), SESSION_DO_UP);
        now += STABLE - 1;
        assert_int_equal(session_step(&s, SESSION_TICK, now), 0);
        assert_int_equal(session_step(&s, SESSION_LOST, now), SESSION_DO_DOWN);
        wait = again(&s, &now);
    }
    assert_in_range(wait, CAP / 2, CAP);
}

static void a_connection_that_held_forgets_the_failures(void **state)
{
    struct session s = begun();
    int64_t now = 0;

    (void)state;
    for (int i = 0; i < 8; i++) {
        (void)session_step(&s, SESSION_FAILED, now);
        (void)again(&s, &now);
    }
    (void)session_step(&s, SESSION_CONNECTED, now);
    assert_int_equal(s.state, SESSION_FRESH);
    now += STABLE;
    assert_int_equal(session_step(&s, SESSION_TICK, now), 0);
    assert_int_equal(s.state, SESSION_STABLE);
    assert_int_equal(s.deadline_ms, INT64_MAX);
    assert_int_equal(session_step(&s, SESSION_LOST, now), SESSION_DO_DOWN);
    assert_in_range(again(&s, &now), FIRST / 2, FIRST);
}

static void silence_ends_a_try_and_a_late_answer_is_still_good(void **state)
{
    struct session s = begun();

    (void)state;
    assert_int_equal(session_step(&s, SESSION_TICK, SESSION_CONNECT_MS - 1), 0);
    assert_int_equal(session_step(&s, SESSION_TICK, SESSION_CONNECT_MS), 0);
    assert_int_equal(s.state, SESSION_WAITING);
    assert_int_equal(session_step(&s, SESSION_FAILED, SESSION_CONNECT_MS), 0);
    assert_int_equal(session_step(&s, SESSION_LOST, SESSION_CONNECT_MS), 0);
    assert_int_equal(session_step(&s, SESSION_CONNECTED, SESSION_CONNECT_MS + 1), SESSION_DO_UP);
    assert_true(session_is_up(&s));
}

static void a_stop_flushes_parts_and_closes(void **state)
{
    struct session s = begun();

    (void)state;
    (void)session_step(&s, SESSION_CONNECTED, 10);
    s.stop_ms = 5000;
    assert_int_equal(session_step(&s, SESSION_STOP, 100), 0);
    assert_int_equal(s.state, SESSION_FLUSHING);
    assert_true(session_is_up(&s) && session_is_ending(&s));
    assert_int_equal(session_step(&s, SESSION_FLUSHED, 200), SESSION_DO_FINAL);
    assert_int_equal(session_step(&s, SESSION_FLUSHED, 200), 0);
    assert_int_equal(session_step(&s, SESSION_PARTED, 300), SESSION_DO_DISCONNECT);
    assert_false(session_is_up(&s));
    assert_int_equal(session_step(&s, SESSION_DISCONNECTED, 400), SESSION_DO_DOWN | SESSION_DO_DONE);
    assert_int_equal(s.state, SESSION_CLOSED);
    for (int input = SESSION_START; input <= SESSION_DISCONNECTED; input++)
        assert_int_equal(session_step(&s, (enum session_input)input, INT64_MAX - 1), 0);
}

static void every_part_of_a_stop_has_an_end(void **state)
{
    struct session s = begun();

    (void)state;
    (void)session_step(&s, SESSION_CONNECTED, 10);
    s.stop_ms = 5000;
    (void)session_step(&s, SESSION_STOP, 100);
    assert_int_equal(session_step(&s, SESSION_TICK, 5099), 0);
    assert_int_equal(session_step(&s, SESSION_TICK, 5100), SESSION_DO_FINAL);
    assert_int_equal(session_step(&s, SESSION_TICK, 5100 + SESSION_PART_MS), SESSION_DO_DISCONNECT);
    assert_int_equal(session_step(&s, SESSION_TICK, 5100 + SESSION_PART_MS + SESSION_CLOSE_MS),
                     SESSION_DO_DOWN | SESSION_DO_DONE);
}

static void a_stop_without_a_connection_is_done_at_once(void **state)
{
    struct session s;

    (void)state;
    session_init(&s, FIRST, CAP, STABLE, 1);
    assert_int_equal(session_step(&s, SESSION_STOP, 0), SESSION_DO_DONE);
    s = begun();
    assert_int_equal(session_step(&s, SESSION_STOP, 0), SESSION_DO_DONE);
    s = begun();
    (void)session_step(&s, SESSION_FAILED, 0);
    assert_int_equal(session_step(&s, SESSION_STOP, 0), SESSION_DO_DONE);
    s = begun();
    (void)session_step(&s, SESSION_CONNECTED, 0);
    (void)session_step(&s, SESSION_STOP, 0);
    assert_int_equal(session_step(&s, SESSION_LOST, 0), SESSION_DO_DOWN | SESSION_DO_DONE);
}

/* Every input in every state: no crash, no action that the state does not allow, a name for each. */
static void any_input_anywhere_is_harmless(void **state)
{
    (void)state;
    for (int from = SESSION_IDLE; from <= SESSION_CLOSED; from++) {
        for (int input = SESSION_START; input <= SESSION_DISCONNECTED; input++) {
            struct session s;
            unsigned actions;
            bool was_up;

            session_init(&s, FIRST, CAP, STABLE, 1);
            s.state = (enum session_state)from;
            s.deadline_ms = 100;
            was_up = session_is_up(&s) || from == SESSION_CLOSING;
            actions = session_step(&s, (enum session_input)input, 100);
            if (actions & SESSION_DO_DOWN)
                assert_true(was_up);
            if (actions & SESSION_DO_UP)
                assert_false(was_up);
            assert_int_equal(!!(actions & SESSION_DO_DONE),
                             from != SESSION_CLOSED && s.state == SESSION_CLOSED);
            assert_true(strlen(session_state_name(s.state)) > 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_to_the_cap),
        cmocka_unit_test(kicked_after_connack_is_a_failure_like_any_other),
        cmocka_unit_test(a_connection_that_held_forgets_the_failures),
        cmocka_unit_test(silence_ends_a_try_and_a_late_answer_is_still_good),
        cmocka_unit_test(a_stop_flushes_parts_and_closes),
        cmocka_unit_test(every_part_of_a_stop_has_an_end),
        cmocka_unit_test(a_stop_without_a_connection_is_done_at_once),
        cmocka_unit_test(any_input_anywhere_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
