/* LINK rg_test_support rg_poll rg_loop; LABEL tsan */
/* poll/ with real threads: frames arrive, and it ends while transactions block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>

#include "loop/loop.h"
#include "poll/poll.h"
#include "support_driver.h"

#define BUSES 4

struct run {
    struct loop *loop;
    struct site *site;
    struct fake *fake;
    struct poll *poll;
    struct loop_timer *limit;
    size_t frames[BUSES];
    size_t wanted; /* frames of each bus, then the loop stops */
    size_t errands, broken;
    bool timed_out;
};

static void limit_cb(void *arg)
{
    struct run *r = arg;

    r->timed_out = true;
    loop_stop(r->loop);
}

static void frame_cb(void *arg, const struct frame *frame)
{
    struct run *r = arg;

    assert_int_equal(frame->count, 2);
    assert_true(frame->heard);
    assert_int_equal(frame->samples[1].value, frame->samples[1].point);
    assert_true(frame->at.mono_ms <= loop_mono_ms(r->loop));
    r->frames[r->site->devices[frame->device].bus]++;
    for (size_t i = 0; i < BUSES; i++)
        if (r->frames[i] < r->wanted)
            return;
    loop_stop(r->loop);
}

static void run_create(struct run *r, size_t wanted)
{
    static const struct fake_hooks hooks = {.now_ms = NULL};
    static const struct poll_cbs cbs = {.frame = frame_cb};

    *r = (struct run){.wanted = wanted};
    assert_int_equal(loop_create(&r->loop), RG_OK);
    r->site = fake_site_create(BUSES, 2, 2, 20);
    assert_non_null(r->site);
    r->fake = fake_create(r->site, &hooks);
    assert_non_null(r->fake);
    assert_int_equal(loop_timer_create(r->loop, limit_cb, r, &r->limit), RG_OK);
    assert_int_equal(poll_create(r->loop, r->site, fake_driver(), &cbs, r, 1, &r->poll), RG_OK);
    loop_timer_at(r->limit, loop_mono_ms(r->loop) + 60000);
}

static void run_destroy(struct run *r)
{
    poll_destroy(r->poll);
    loop_timer_destroy(r->limit);
    assert_int_equal(fake_alive(r->fake), 0);
    for (uint32_t i = 0; i < BUSES; i++) {
        assert_int_equal(fake_bus(r->fake, i)->overlaps, 0);
        assert_int_equal(fake_bus(r->fake, i)->cancelled, 1);
    }
    fake_destroy(r->fake);
    fake_site_free(r->site);
    assert_int_equal(loop_destroy(r->loop), RG_OK);
}

static void frames_arrive_from_all_buses(void **state)
{
    struct run r;

    (void)state;
    run_create(&r, 20);
    poll_start(r.poll);
    loop_run(r.loop);
    assert_false(r.timed_out);
    run_destroy(&r);
}

static void errand_cb(void *arg, const struct driver_raw_answer *answer)
{
    struct run *r = arg;

    r->errands++;
    r->broken += answer->result == DRIVER_BROKEN ? 1 : 0;
}

static void give_errands(struct run *r, uint8_t unit)
{
    for (uint32_t i = 0; i < 10 * BUSES; i++) {
        const struct poll_errand e = {
            .bus = i % BUSES,
            .ask = {.write = true, .unit = unit, .space = SPACE_COIL, .count = 1, .values = {1}},
            .urgent = i % 3 == 0,
            .done = errand_cb,
            .arg = r};

        assert_int_equal(poll_errand(r->poll, &e), RG_OK);
    }
}

static void errands_beside_polls(void **state)
{
    struct run r;

    (void)state;
    run_create(&r, 40);
    poll_start(r.poll);
    give_errands(&r, 2);
    loop_run(r.loop);
    assert_false(r.timed_out);
    assert_int_equal(r.errands, 10 * BUSES);
    assert_int_equal(r.broken, 0);
    run_destroy(&r);
}

static void never_started(void **state)
{
    struct run r;

    (void)state;
    run_create(&r, 1);
    run_destroy(&r);
}

/* Device 0 of each bus answers, device 1 blocks: so when the first frames are here, the other transactions
 * are on their way, and nothing but link_cancel will end them. */
static void ends_while_transactions_block(void **state)
{
    struct run r;

    (void)state;
    run_create(&r, 1);
    for (uint32_t i = 0; i < BUSES; i++)
        fake_device(r.fake, 2 * i + 1)->behaviour = FAKE_BLOCKED;
    poll_start(r.poll);
    loop_run(r.loop);
    assert_false(r.timed_out);
    give_errands(&r, 2);
    poll_destroy(r.poll);
    r.poll = NULL;
    assert_int_equal(r.errands, 10 * BUSES);
    assert_int_equal(r.broken, 10 * BUSES);
    run_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_arrive_from_all_buses),
        cmocka_unit_test(errands_beside_polls),
        cmocka_unit_test(never_started),
        cmocka_unit_test(ends_while_transactions_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
