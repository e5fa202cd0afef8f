/* LINK rg_test_support rg_poll rg_loop_virtual */
/* When a bus counts as one that does not get on: the manager starts the daemon anew then, so never while there is only much to wait for. */
#include "poll_reload.h"

#define DEVICES 32

static int64_t standing(const struct yard *y)
{
    uint32_t bus;

    return poll_standing_ms(y->poll, &bus);
}

/* All but one are mute, and wait for that one: a minute each time, and longer. */
static void mute_units_that_wait(void **state)
{
    struct yard *y = yard_create(1, DEVICES);
    int64_t most_ms = 0;

    (void)state;
    y->base->buses[0].timeout_ms = 3000;
    for (uint32_t i = 0; i < DEVICES; i++) {
        y->base->devices[i].timeout_ms = 3000;
        y->base->devices[i].poll_ms = 3500;
        y->base->devices[i].retries = 2;
        fake_device(y->fake, i)->takes_ms = 30;
        fake_device(y->fake, i)->behaviour = i < DEVICES - 1 ? FAKE_SILENT : FAKE_OK;
    }
    yard_start(y);
    for (int64_t at = 0; at < 2 * 3600 * 1000; at += 250) {
        yard_run(y, 250);
        most_ms = standing(y) > most_ms ? standing(y) : most_ms;
        y->call_count = y->frame_count = 0;
    }
    assert_true(yard_stats(y, DEVICES - 1).ok > 1000);
    assert_int_equal(yard_stats(y, 0).state, UNIT_SUSPENDED);
    assert_in_range(most_ms, 0, 10000);
    yard_destroy(y);
}

/* One that waits for another to leave its line, though, does nothing at all. */
static void a_bus_that_is_held(void **state)
{
    struct yard *y = yard_create(1, 1);
    struct spec changed = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 60000; /* whatever it is told */
    yard_start(y);
    yard_run(y, 100);
    changed.bus_version[0] = 1;
    yard_reload(y, &changed);
    yard_run(y, 30000);
    assert_in_range(standing(y), 25000, 30000);
    yard_run(y, 40000);
    assert_true(y->call_count > 1);
    yard_destroy(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mute_units_that_wait),
        cmocka_unit_test(a_bus_that_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
