/* LINK rg_test_support rg_poll rg_loop_virtual */
/* A bus that is down when a reload leaves it nothing that may try it: no devices, none that are polled, or none yet. */
#include "poll_reload.h"

static void begin_down(struct yard *y)
{
    yard_start(y);
    yard_run(y, 1500);
    fake_bus(y->fake, 0)->behaviour = FAKE_UNREACHABLE;
    yard_run(y, 5000);
    struct poll_bus_stats stats;

    poll_bus_stats(y->poll, 0, &stats);
    assert_int_equal(stats.state, BUS_DOWN);
}

static enum bus_state state_now(const struct yard *y)
{
    struct poll_bus_stats stats;

    poll_bus_stats(y->poll, 0, &stats);
    return stats.state;
}

/* Nor does it wake the loop for nothing. */
static void nothing_is_left(void **state)
{
    struct yard *y = yard_create(1, 2);
    const struct spec all = y->spec;
    struct spec none = all;

    (void)state;
    begin_down(y);
    none.device_count = 0;
    yard_reload(y, &none);
    const size_t calls = y->call_count;
    const uint64_t fired = virtual_loop_fired(y->loop);

    yard_run(y, 600000);
    assert_true(virtual_loop_fired(y->loop) - fired < 10);
    assert_int_equal(y->call_count, calls);
    assert_int_equal(state_now(y), BUS_IDLE);
    fake_bus(y->fake, 0)->behaviour = FAKE_OK;
    yard_reload(y, &all);
    yard_run(y, 2000);
    assert_int_equal(y->call_count, calls + 4);
    assert_int_equal(state_now(y), BUS_UP);
    yard_destroy(y);
}

/* A module with outputs alone is asked by errands only. */
static void nothing_polled_is_left(void **state)
{
    struct yard *y = yard_create(1, 2);
    const struct spec all = y->spec;
    struct spec module = all;

    (void)state;
    y->base->devices[1].point_count = 0;
    begin_down(y);
    spec_drop_device(&module, 0);
    yard_reload(y, &module);
    const size_t calls = y->call_count;

    yard_run(y, 600000);
    assert_int_equal(y->call_count, calls);
    fake_bus(y->fake, 0)->behaviour = FAKE_OK;
    yard_reload(y, &all);
    yard_run(y, 2000);
    assert_int_equal(y->call_count, calls + 2);
    yard_destroy(y);
}

/* What is new starts up still. */
static void nothing_is_left_that_may_be_asked_yet(void **state)
{
    struct yard *y = yard_create(1, 1);
    struct spec changed = y->spec;

    (void)state;
    begin_down(y);
    y->base->devices[0].start_up_ms = 60000;
    changed.device_version[0]++;
    fake_bus(y->fake, 0)->behaviour = FAKE_OK;
    yard_reload(y, &changed);
    const size_t calls = y->call_count;

    yard_run(y, 50000);
    assert_int_equal(y->call_count, calls);
    yard_run(y, 10000);
    assert_true(y->call_count > calls);
    assert_int_equal(state_now(y), BUS_UP);
    yard_destroy(y);
}

/* It breaks under what was taken away meanwhile. */
static void it_goes_down_for_one_that_is_gone(void **state)
{
    struct yard *y = yard_create(1, 1);
    struct spec none = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 200;
    yard_start(y);
    yard_run(y, 1100);
    fake_bus(y->fake, 0)->behaviour = FAKE_BROKEN;
    none.device_count = 0;
    yard_run(y, 1000);
    yard_reload(y, &none);
    yard_run(y, 1000);
    const uint64_t fired = virtual_loop_fired(y->loop);

    yard_run(y, 600000);
    assert_true(virtual_loop_fired(y->loop) - fired < 10);
    yard_destroy(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(nothing_polled_is_left),
        cmocka_unit_test(nothing_is_left_that_may_be_asked_yet),
        cmocka_unit_test(it_goes_down_for_one_that_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
