/* LINK rg_test_support rg_poll rg_loop; LABEL tsan */
/* Reloads of poll/ with real threads: while requests are under way, answered or not, buses leave, change and come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <cmocka.h>

#include "loop/loop.h"
#include "poll/poll.h"
#include "support_driver.h"

#define BUSES 4
#define RELOADS 60
#define GAP_MS 4

/* Bus 0 comes and goes, bus 1 is another one each time, of bus 2 a device is; bus 3 is never touched. Device 1 of each of the
 * first two gives no answer until its link is cancelled. */
struct run {
    struct loop *loop;
    struct site *base, *sites[2]; /* in force, and before */
    struct fake *fake;
    struct poll *poll;
    struct loop_timer *timer, *limit;
    int reloads;
    uint64_t id;
    size_t frames[BUSES], errands, answered;
    bool timed_out;
};

static const char *const bus_names[BUSES] = {"bus-0", "bus-1", "bus-2", "bus-3"};
static const char *const device_names[2 * BUSES] = {"d-0", "d-1", "d-2", "d-3", "d-4", "d-5", "d-6", "d-7"};

static struct site *site_create(int version)
{
    const size_t left_out = version % 3 == 1 ? 1 : 0;
    struct site *site = fake_site_create(BUSES - left_out, 2, 2, 5);

    assert_non_null(site);
    for (size_t i = 0; i < site->bus_count; i++) {
        site->buses[i].name = bus_names[i + left_out];
        site->buses[i].port = (uint16_t)(i + left_out);
        if (i + left_out == 1)
            site->buses[i].timeout_ms += version;
    }
    for (size_t i = 0; i < site->device_count; i++) {
        site->devices[i].name = device_names[i + 2 * left_out];
        if (i + 2 * left_out == 4)
            site->devices[i].max_gap = (uint16_t)version;
    }
    return site;
}

static void limit_cb(void *arg)
{
    struct run *r = arg;

    r->timed_out = true;
    loop_stop(r->loop);
}

static void frame_cb(void *arg, const struct frame *frame)
{
    struct run *r = arg;
    const struct site *site = r->sites[0];

    assert_true(frame->device < site->device_count);
    for (size_t i = 0; i < frame->count; i++)
        assert_int_equal(site->points[frame->samples[i].point].device, frame->device);
    if (frame->heard)
        r->frames[site->buses[site->devices[frame->device].bus].port]++;
}

static void errand_cb(void *arg, const struct driver_raw_answer *answer)
{
    struct run *r = arg;

    (void)answer;
    r->answered++;
}

static void give_errands(struct run *r)
{
    for (uint32_t i = 0; i < r->sites[0]->bus_count; i++) {
        const struct poll_errand e = {
            .bus = i,
            .ask = {.write = true, .unit = 1, .space = SPACE_COIL, .count = 1, .values = {1}},
            .done = errand_cb,
            .arg = r};

        if (poll_errand(r->poll, &e) == RG_OK)
            r->errands++;
    }
}

static void reload_cb(void *arg)
{
    struct run *r = arg;
    struct poll *taken = NULL;

    fake_site_free(r->sites[1]);
    r->sites[1] = r->sites[0];
    r->sites[0] = site_create(++r->reloads);
    assert_int_equal(poll_create_from(r->poll, r->sites[0], 1, &taken), RG_OK);
    poll_take(taken);
    r->poll = taken;
    poll_start(taken);
    fake_site_free(r->sites[1]); /* at once: nobody may need it any more */
    r->sites[1] = NULL;
    assert_int_equal(poll_bus_id(taken, (uint32_t)r->sites[0]->bus_count - 1), r->id);
    give_errands(r);
    if (r->reloads < RELOADS || r->frames[3] < 4 || r->frames[2] < 4)
        loop_timer_at(r->timer, loop_mono_ms(r->loop) + GAP_MS);
    else
        loop_stop(r->loop);
}

static void a_storm_of_reloads(void **state)
{
    static const struct fake_hooks hooks = {.now_ms = NULL};
    static const struct poll_cbs cbs = {.frame = frame_cb};
    struct run r = {.reloads = 0};

    (void)state;
    assert_int_equal(loop_create(&r.loop), RG_OK);
    r.base = site_create(0);
    r.sites[0] = site_create(0);
    r.fake = fake_create(r.base, &hooks);
    assert_non_null(r.fake);
    fake_device(r.fake, 1)->behaviour = FAKE_BLOCKED;
    fake_device(r.fake, 3)->behaviour = FAKE_BLOCKED;
    assert_int_equal(loop_timer_create(r.loop, limit_cb, &r, &r.limit), RG_OK);
    assert_int_equal(loop_timer_create(r.loop, reload_cb, &r, &r.timer), RG_OK);
    assert_int_equal(poll_create(r.loop, r.sites[0], fake_driver(), &cbs, &r, 1, &r.poll), RG_OK);
    r.id = poll_bus_id(r.poll, 3);
    poll_start(r.poll);
    loop_timer_at(r.limit, loop_mono_ms(r.loop) + 60000);
    loop_timer_at(r.timer, loop_mono_ms(r.loop) + GAP_MS);
    loop_run(r.loop);
    assert_false(r.timed_out);
    fake_lock(r.fake);
    assert_int_equal(fake_bus(r.fake, 2)->cancelled, 0);
    assert_int_equal(fake_bus(r.fake, 3)->cancelled, 0);
    fake_unlock(r.fake);
    poll_destroy(r.poll);
    assert_int_equal(r.answered, r.errands);
    assert_int_equal(fake_alive(r.fake), 0);
    loop_timer_destroy(r.timer);
    loop_timer_destroy(r.limit);
    fake_destroy(r.fake);
    fake_site_free(r.sites[0]);
    fake_site_free(r.sites[1]);
    fake_site_free(r.base);
    assert_int_equal(loop_destroy(r.loop), RG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storm_of_reloads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
