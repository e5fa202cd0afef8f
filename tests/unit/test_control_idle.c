/* LINK rg_control */
/* How long a peer may say nothing, with a loop whose clock the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/control.h"

/* ---- a loop of one timer and one peer ---- */

struct loop {
    int64_t now_ms, due_ms;
    loop_timer_cb timer;
    void *timer_arg;
    struct loop_peer_cbs cbs;
    void *listener_arg;
    void *peer; /* context of the one peer */
    bool closed;
};
struct loop_timer {
    struct loop *loop;
    bool idle; /* the first: the only one that is looked at here */
};
struct loop_listener {
    struct loop *loop;
};
struct loop_peer {
    struct loop *loop;
};

int64_t loop_mono_us(const struct loop *loop)
{
    return loop->now_ms * 1000;
}

int64_t loop_mono_ms(const struct loop *loop)
{
    return loop->now_ms;
}

enum rg_err loop_timer_create(struct loop *loop, loop_timer_cb cb, void *arg, struct loop_timer **out)
{
    *out = calloc(1, sizeof **out);
    assert_non_null(*out);
    (*out)->loop = loop;
    (*out)->idle = !loop->timer;
    if (loop->timer)
        return RG_OK;
    loop->timer = cb;
    loop->timer_arg = arg;
    return RG_OK;
}

void loop_timer_at(struct loop_timer *t, int64_t at_ms)
{
    if (t->idle)
        t->loop->due_ms = at_ms;
}

void loop_timer_destroy(struct loop_timer *t)
{
    free(t);
}

enum rg_err loop_listen_local(struct loop *loop, const char *path, unsigned mode, uint32_t group,
                              unsigned max_peers, const struct loop_peer_cbs *cbs, void *arg,
                              struct loop_listener **out, int *reason)
{
    (void)path;
    (void)mode;
    (void)group;
    (void)max_peers;
    (void)reason;
    *out = calloc(1, sizeof **out);
    assert_non_null(*out);
    (*out)->loop = loop;
    loop->cbs = *cbs;
    loop->listener_arg = arg;
    return RG_OK;
}

enum rg_err loop_listener_grant(struct loop_listener *l, uint32_t group, int *reason)
{
    (void)l;
    (void)group;
    (void)reason;
    return RG_OK;
}

bool loop_peer_in_group(const struct loop_peer *peer, uint32_t group)
{
    (void)peer;
    (void)group;
    return false;
}

void loop_listener_destroy(struct loop_listener *l)
{
    if (l->loop->peer)
        l->loop->cbs.closed(l->loop->peer);
    l->loop->peer = NULL;
    free(l);
}

enum rg_err loop_peer_write(struct loop_peer *peer, const char *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    return peer->loop->closed ? RG_ESTATE : RG_OK;
}

size_t loop_peer_waiting(const struct loop_peer *peer)
{
    (void)peer;
    return 0;
}

void loop_peer_close(struct loop_peer *peer)
{
    peer->loop->closed = true;
}

void loop_peer_drop(struct loop_peer *peer)
{
    peer->loop->closed = true;
}

static void run_until(struct loop *loop, int64_t until_ms)
{
    while (loop->due_ms <= until_ms) {
        loop->now_ms = loop->due_ms;
        loop->timer(loop->timer_arg);
    }
    loop->now_ms = until_ms;
}

/* ---- the test ---- */

struct bench {
    struct loop loop;
    struct loop_peer peer;
    struct control *control;
    struct control_call *call;
    unsigned gone;
};

static void gone_cb(void *arg)
{
    struct bench *b = arg;

    b->gone++;
}

static enum rg_err command_cb(void *arg, struct control_call *call, const char *command,
                              const struct json *request, uint32_t uid, struct jsonw *out, char *error,
                              size_t error_size)
{
    struct bench *b = arg;

    (void)command;
    (void)request;
    (void)uid;
    (void)out;
    (void)error;
    (void)error_size;
    b->call = call;
    control_defer(call, gone_cb, b);
    return RG_OK;
}

static int begin(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    int reason = 0;

    assert_non_null(b);
    b->peer.loop = &b->loop;
    b->loop.now_ms = 1000;
    assert_int_equal(
        control_create(&b->loop, "control.sock", &control_rights_open, command_cb, b, &b->control, &reason),
        RG_OK);
    b->loop.peer = b->loop.cbs.open(b->loop.listener_arg, &b->peer, 0);
    assert_non_null(b->loop.peer);
    *state = b;
    return 0;
}

static int end(void **state)
{
    struct bench *b = *state;

    control_destroy(b->control);
    free(b);
    return 0;
}

static void ask(struct bench *b)
{
    static const char request[] = "{\"command\":\"later\"}\n";

    b->loop.cbs.read(b->loop.peer, request, sizeof request - 1);
    assert_non_null(b->call);
}

static void who_says_nothing_is_closed(void **state)
{
    struct bench *b = *state;

    run_until(&b->loop, 1000 + CONTROL_IDLE_MS - 1);
    assert_false(b->loop.closed);
    run_until(&b->loop, 1000 + CONTROL_IDLE_MS + 10000);
    assert_true(b->loop.closed);
}

static void who_waits_for_an_answer_is_not_idle(void **state)
{
    struct bench *b = *state;
    struct jsonw w;

    ask(b);
    run_until(&b->loop, 10 * CONTROL_IDLE_MS);
    assert_false(b->loop.closed);
    jsonw_init(&w, 0);
    jsonw_int(&w, 1);
    control_answer(b->call, &w);
    jsonw_free(&w);
    /* From the answer on it has its whole time again. */
    run_until(&b->loop, 11 * CONTROL_IDLE_MS - 1);
    assert_false(b->loop.closed);
    run_until(&b->loop, 11 * CONTROL_IDLE_MS + 10000);
    assert_true(b->loop.closed);
    assert_int_equal(b->gone, 0);
}

/* An answer to a peer that is being closed goes nowhere, and does no harm. */
static void an_answer_after_the_goodbye(void **state)
{
    struct bench *b = *state;

    ask(b);
    b->loop.closed = true;
    control_answer_error(b->call, "too late");
    assert_int_equal(b->gone, 0);
}

static void the_end_is_told_once(void **state)
{
    struct bench *b = *state;

    ask(b);
    control_destroy(b->control);
    b->control = NULL;
    assert_int_equal(b->gone, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_says_nothing_is_closed, begin, end),
        cmocka_unit_test_setup_teardown(who_waits_for_an_answer_is_not_idle, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_after_the_goodbye, begin, end),
        cmocka_unit_test_setup_teardown(the_end_is_told_once, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
