/* LINK rg_loop rg_base Threads::Threads; LABEL tsan */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loop/loop.h"

#define THREADS 4
#define POSTS 20000
#define LAST UINT32_MAX

struct note {
    uint32_t from;
    uint32_t number;
    char padding[9]; /* an odd size */
};

struct reader {
    struct loop *loop;
    struct mailbox *box;
    uint32_t next[THREADS]; /* the least number that may come from each */
    uint64_t got;
    unsigned ended;
    unsigned wanted_ends;
    bool destroy;
};

struct poster {
    pthread_t thread;
    struct mailbox *box;
    uint32_t from;
    uint64_t taken, refused;
    bool insist; /* post each one until it is taken */
};

static void on_note(void *arg, void *message)
{
    struct reader *r = arg;
    struct note note;

    memcpy(&note, message, sizeof note);
    if (note.number == LAST) {
        if (++r->ended == r->wanted_ends)
            loop_stop(r->loop);
        return;
    }
    assert_true(note.from < THREADS);
    assert_true(note.number >= r->next[note.from]);
    r->next[note.from] = note.number + 1;
    r->got++;
    if (r->destroy) {
        mailbox_destroy(r->box);
        r->box = NULL;
        loop_stop(r->loop);
    }
}

static enum rg_err post(struct mailbox *box, uint32_t from, uint32_t number)
{
    struct note note = {.from = from, .number = number};

    return mailbox_post(box, &note);
}

static void *post_all(void *arg)
{
    struct poster *p = arg;

    for (uint32_t i = 0; i < POSTS; i++) {
        enum rg_err err = post(p->box, p->from, i);

        while (p->insist && err == RG_EFULL) {
            p->refused++;
            err = post(p->box, p->from, i);
        }
        if (err == RG_OK)
            p->taken++;
        else
            p->refused++;
    }
    while (post(p->box, p->from, LAST) != RG_OK)
        p->refused++;
    return NULL;
}

static void run_posters(size_t capacity, bool insist)
{
    struct poster posters[THREADS];
    struct reader r = {.wanted_ends = THREADS};
    uint64_t taken = 0, refused = 0;

    assert_int_equal(loop_create(&r.loop), RG_OK);
    assert_int_equal(mailbox_create(r.loop, sizeof(struct note), capacity, on_note, &r, &r.box), RG_OK);
    for (uint32_t i = 0; i < THREADS; i++) {
        posters[i] = (struct poster){.box = r.box, .from = i, .insist = insist};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    loop_run(r.loop);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
        taken += posters[i].taken;
        refused += posters[i].refused;
    }
    /* Every message that was taken came, and every refusal was counted. */
    assert_true(r.got == taken);
    assert_true(mailbox_refused(r.box) == refused);
    if (insist)
        assert_true(r.got == (uint64_t)THREADS * POSTS);
    mailbox_destroy(r.box);
    assert_int_equal(loop_destroy(r.loop), RG_OK);
}

static void nothing_is_lost_from_several_threads(void **state)
{
    (void)state;
    run_posters((size_t)THREADS * (POSTS + 1), false);
}

static void a_small_box_refuses_and_loses_nothing_else(void **state)
{
    (void)state;
    run_posters(8, false);
}

static void those_who_insist_get_everything_through(void **state)
{
    (void)state;
    run_posters(64, true);
}

static void a_full_box_says_so(void **state)
{
    struct reader r = {.wanted_ends = 1};

    (void)state;
    assert_int_equal(loop_create(&r.loop), RG_OK);
    assert_int_equal(mailbox_create(r.loop, sizeof(struct note), 0, on_note, &r, &r.box), RG_EINVAL);
    assert_null(r.box);
    assert_int_equal(mailbox_create(r.loop, sizeof(struct note), 3, on_note, &r, &r.box), RG_OK);
    assert_int_equal(post(r.box, 0, 0), RG_OK);
    assert_int_equal(post(r.box, 0, 1), RG_OK);
    assert_int_equal(post(r.box, 0, LAST), RG_OK);
    assert_int_equal(post(r.box, 0, 3), RG_EFULL);
    assert_int_equal(mailbox_refused(r.box), 1);
    loop_run(r.loop);
    assert_int_equal(r.got, 2);
    assert_int_equal(loop_destroy(r.loop), RG_ESTATE);
    mailbox_destroy(r.box);
    mailbox_destroy(NULL);
    assert_int_equal(loop_destroy(r.loop), RG_OK);
}

static void destroyed_inside_its_callback_nothing_follows(void **state)
{
    struct reader r = {.destroy = true};

    (void)state;
    assert_int_equal(loop_create(&r.loop), RG_OK);
    assert_int_equal(mailbox_create(r.loop, sizeof(struct note), 10, on_note, &r, &r.box), RG_OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(post(r.box, 0, i), RG_OK);
    loop_run(r.loop);
    assert_int_equal(loop_destroy(r.loop), RG_OK);
    assert_int_equal(r.got, 1);
}

/* A reader that is posted to from inside its own callback for ever must not keep timers waiting. */
struct echo {
    struct loop *loop;
    struct mailbox *box;
    uint64_t got;
};

static void on_echo(void *arg, void *message)
{
    struct echo *e = arg;

    e->got++;
    assert_int_equal(mailbox_post(e->box, message), RG_OK);
}

static void on_enough(void *arg)
{
    struct echo *e = arg;

    loop_stop(e->loop);
}

static void a_busy_box_starves_no_timer(void **state)
{
    struct loop_timer *timer = NULL;
    struct echo e = {.got = 0};
    char c = 'x';

    (void)state;
    assert_int_equal(loop_create(&e.loop), RG_OK);
    assert_int_equal(mailbox_create(e.loop, 1, 4, on_echo, &e, &e.box), RG_OK);
    assert_int_equal(loop_timer_create(e.loop, on_enough, &e, &timer), RG_OK);
    loop_timer_at(timer, loop_mono_ms(e.loop) + 20);
    assert_int_equal(mailbox_post(e.box, &c), RG_OK);
    loop_run(e.loop);
    assert_true(e.got > 1);
    loop_timer_destroy(timer);
    mailbox_destroy(e.box);
    assert_int_equal(loop_destroy(e.loop), RG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_from_several_threads),
        cmocka_unit_test(a_small_box_refuses_and_loses_nothing_else),
        cmocka_unit_test(those_who_insist_get_everything_through),
        cmocka_unit_test(a_full_box_says_so),
        cmocka_unit_test(destroyed_inside_its_callback_nothing_follows),
        cmocka_unit_test(a_busy_box_starves_no_timer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
