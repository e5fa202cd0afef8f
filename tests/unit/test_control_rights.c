/* LINK rg_control */
/* Who may act, and whose place is given away: on a loop that only says who connected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/control.h"

#define MANY 200
#define ACT_GROUP 4711
#define TECHNICIAN 1000
#define HOSTILE 1001

struct loop_peer {
    uint32_t uid, group; /* the one group it is in */
    void *context;
    bool dropped, acted;
    char answer[256];
};

struct loop {
    int64_t now_ms;
    int64_t spent_us, costs_us; /* by commands so far; by each */
    struct loop_peer_cbs cbs;
    void *arg;
    uint32_t granted; /* the socket's group */
    bool refuse_grant;
    struct loop_peer peers[MANY];
    size_t count;
    struct loop_timer *timers[2];
    size_t timer_count;
};

struct loop_listener {
    struct loop *loop;
};

struct loop_timer {
    struct loop *loop;
    loop_timer_cb cb;
    void *arg;
    int64_t at_ms; /* 0: never */
};

int64_t loop_mono_us(const struct loop *loop)
{
    return loop->now_ms * 1000 + loop->spent_us;
}

int64_t loop_mono_ms(const struct loop *loop)
{
    return loop->now_ms;
}

enum rg_err loop_timer_create(struct loop *loop, loop_timer_cb cb, void *arg, struct loop_timer **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return RG_ENOMEM;
    **out = (struct loop_timer){.loop = loop, .cb = cb, .arg = arg};
    loop->timers[loop->timer_count++] = *out;
    return RG_OK;
}

void loop_timer_at(struct loop_timer *t, int64_t at_ms)
{
    t->at_ms = at_ms;
}

void loop_timer_destroy(struct loop_timer *t)
{
    free(t);
}

enum rg_err loop_listen_local(struct loop *loop, const char *path, unsigned mode, uint32_t group,
                              unsigned max_peers, const struct loop_peer_cbs *cbs, void *arg,
                              struct loop_listener **out, int *reason)
{
    (void)path, (void)max_peers, (void)reason;
    assert_int_equal(mode, 0660);
    loop->granted = group;
    loop->cbs = *cbs;
    loop->arg = arg;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return RG_ENOMEM;
    (*out)->loop = loop;
    return RG_OK;
}

enum rg_err loop_listener_grant(struct loop_listener *l, uint32_t group, int *reason)
{
    if (l->loop->refuse_grant) {
        *reason = 1;
        return RG_EIO;
    }
    l->loop->granted = group;
    return RG_OK;
}

static void leave(struct loop *loop, struct loop_peer *peer)
{
    void *context = peer->context;

    peer->context = NULL;
    if (context)
        loop->cbs.closed(context);
}

void loop_listener_destroy(struct loop_listener *l)
{
    for (size_t i = 0; i < l->loop->count; i++)
        leave(l->loop, &l->loop->peers[i]);
    free(l);
}

enum rg_err loop_peer_write(struct loop_peer *peer, const char *bytes, size_t length)
{
    size_t used = strlen(peer->answer);

    if (peer->dropped)
        return RG_ESTATE;
    if (length < sizeof peer->answer - used)
        memcpy(peer->answer + used, bytes, length);
    return RG_OK;
}

size_t loop_peer_waiting(const struct loop_peer *peer)
{
    (void)peer;
    return 0;
}

void loop_peer_close(struct loop_peer *peer)
{
    peer->dropped = true;
}

void loop_peer_drop(struct loop_peer *peer)
{
    peer->dropped = true;
}

bool loop_peer_in_group(const struct loop_peer *peer, uint32_t group)
{
    return peer->group == group;
}

/* ---- the daemon's side: everybody tries to act ---- */

static enum rg_err command_cb(void *arg, struct control_call *call, const char *command,
                              const struct json *request, uint32_t uid, struct jsonw *out, char *error,
                              size_t error_size)
{
    struct loop *loop = arg;

    (void)command, (void)request, (void)uid, (void)error, (void)error_size;
    loop->spent_us += loop->costs_us;
    jsonw_bool(out, control_may_act(call));
    return RG_OK;
}

static struct loop_peer *join(struct loop *loop, uint32_t uid, uint32_t group)
{
    struct loop_peer *peer = &loop->peers[loop->count++];

    assert_true(loop->count <= MANY);
    *peer = (struct loop_peer){.uid = uid, .group = group};
    peer->context = loop->cbs.open(loop->arg, peer, uid);
    assert_non_null(peer->context);
    loop->now_ms++;
    return peer;
}

static void ask(struct loop *loop, struct loop_peer *peer, const char *wanted)
{
    static const char text[] = "{\"command\":\"x\"}\n";

    peer->answer[0] = '\0';
    memset(peer->answer, 0, sizeof peer->answer);
    loop->cbs.read(peer->context, text, sizeof text - 1);
    assert_string_equal(peer->answer, wanted);
}

#define YES "{\"ok\":true,\"result\":true}\n"
#define NO "{\"ok\":true,\"result\":false}\n"

static struct control *open_with(struct loop *loop, const struct control_rights *rights)
{
    struct control *c = NULL;
    int reason;

    *loop = (struct loop){.now_ms = 1000};
    assert_int_equal(control_create(loop, "control.sock", rights, command_cb, loop, &c, &reason), RG_OK);
    return c;
}

static void who_may_act(void **state)
{
    const struct control_rights rights = {.group = 5, .act_group = ACT_GROUP};
    static struct loop loop;
    struct control *c = open_with(&loop, &rights);
    uint32_t own = (uint32_t)geteuid();

    (void)state;
    assert_int_equal(loop.granted, 5);
    ask(&loop, join(&loop, own ? own + 1 : TECHNICIAN, ACT_GROUP), YES);
    ask(&loop, join(&loop, own ? own + 1 : TECHNICIAN, 5), NO);
    ask(&loop, join(&loop, own ? own + 1 : TECHNICIAN, LOOP_GROUP_OWN), NO);
    ask(&loop, join(&loop, 0, 5), YES);
    ask(&loop, join(&loop, own, 5), YES);
    control_destroy(c);
}

static void nothing_said_means_all(void **state)
{
    static struct loop loop;
    struct control *c = open_with(&loop, &control_rights_open);

    (void)state;
    assert_true(loop.granted == LOOP_GROUP_OWN);
    ask(&loop, join(&loop, TECHNICIAN, 12), YES);
    control_destroy(c);
}

static void other_rights_hold_at_once(void **state)
{
    const struct control_rights strict = {.group = 7, .act_group = ACT_GROUP};
    static struct loop loop;
    struct control *c = open_with(&loop, &control_rights_open);
    struct loop_peer *p = join(&loop, geteuid() + TECHNICIAN, 12);
    int reason;

    (void)state;
    ask(&loop, p, YES);
    loop.refuse_grant = true;
    assert_int_equal(control_grant(c, &strict, &reason), RG_EIO);
    assert_int_equal(reason, 1);
    ask(&loop, p, YES);
    loop.refuse_grant = false;
    assert_int_equal(control_grant(c, &strict, &reason), RG_OK);
    assert_int_equal(loop.granted, 7);
    ask(&loop, p, NO);
    assert_false(p->dropped);
    control_destroy(c);
}

/* However many places one user takes, they are his own that go. */
static void a_crowd_of_one_user(void **state)
{
    static struct loop loop;
    struct control *c = open_with(&loop, &control_rights_open);
    struct loop_peer *quiet = join(&loop, TECHNICIAN, 1);
    struct loop_peer *other = join(&loop, TECHNICIAN + 5, 1);
    unsigned held = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        (void)join(&loop, HOSTILE, 1);
    assert_false(quiet->dropped);
    assert_false(other->dropped);
    for (size_t i = 0; i < loop.count; i++)
        held += !loop.peers[i].dropped;
    assert_int_equal(held, CONTROL_PEERS);
    ask(&loop, quiet, YES);
    /* And who comes new finds one. */
    ask(&loop, join(&loop, TECHNICIAN + 6, 1), YES);
    assert_false(quiet->dropped || other->dropped);
    control_destroy(c);
}

/* Of users with as many each, who was not heard for longest goes. */
static void a_crowd_of_many_users(void **state)
{
    static struct loop loop;
    struct control *c = open_with(&loop, &control_rights_open);

    (void)state;
    for (uint32_t i = 0; i < CONTROL_PEERS; i++)
        (void)join(&loop, 2000 + i, 1);
    ask(&loop, &loop.peers[0], YES);
    loop.now_ms++;
    (void)join(&loop, 3000, 1);
    assert_false(loop.peers[0].dropped);
    assert_true(loop.peers[1].dropped);
    control_destroy(c);
}

/* What is asked beyond a user's share waits for the next second, in its order; another's goes on meanwhile. */
static void a_user_who_asks_without_end(void **state)
{
    static const char many[] =
        "{\"command\":\"x\"}\n{\"command\":\"x\"}\n{\"command\":\"x\"}\n{\"command\":\"x\"}\n";
    static struct loop loop;
    struct control *c = open_with(&loop, &control_rights_open);
    struct loop_peer *greedy = join(&loop, HOSTILE, 1), *other = join(&loop, TECHNICIAN, 1);
    struct loop_timer *resume = loop.timers[1];

    (void)state;
    loop.costs_us = CONTROL_SHARE_US - 1;
    loop.cbs.read(greedy->context, many, sizeof many - 1);
    assert_string_equal(greedy->answer, YES YES);
    assert_true(resume->at_ms > loop.now_ms && resume->at_ms <= loop.now_ms + 1000);
    loop.costs_us = 10;
    ask(&loop, other, YES);
    /* His other connections have no more. */
    ask(&loop, join(&loop, HOSTILE, 1), "");
    loop.now_ms = resume->at_ms;
    resume->cb(resume->arg);
    assert_string_equal(greedy->answer, YES YES YES YES);
    assert_string_equal(loop.peers[2].answer, YES);
    /* And who fills his line meanwhile is told so. */
    loop.costs_us = CONTROL_SHARE_US;
    ask(&loop, greedy, YES);
    for (size_t sent = 0; !greedy->dropped && sent < 2 * CONTROL_LINE_MAX; sent += sizeof many - 1)
        loop.cbs.read(greedy->context, many, sizeof many - 1);
    assert_true(greedy->dropped);
    assert_non_null(strstr(greedy->answer, "too much was sent before the answer"));
    control_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_act),
        cmocka_unit_test(nothing_said_means_all),
        cmocka_unit_test(other_rights_hold_at_once),
        cmocka_unit_test(a_crowd_of_one_user),
        cmocka_unit_test(a_crowd_of_many_users),
        cmocka_unit_test(a_user_who_asks_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
