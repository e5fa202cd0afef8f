/* LINK rg_test_support rg_poll rg_loop_virtual */
/* Who is asked together and who apart (`poll_offset`), and what a reload that moves a device's instants leaves as it was. */
#include "base/random.h"
#include "poll_reload.h"

#define INSTANT_MS VIRTUAL_MONO_MS

/* When its n-th call began. */
static int64_t call_ms(const struct yard *y, uint32_t device, size_t n)
{
    for (size_t i = 0; i < y->call_count; i++)
        if (y->calls[i].device == device && n-- == 0)
            return y->calls[i].begun_ms;
    fail_msg("device %u was not asked that often", device);
    return -1;
}

static size_t calls_of(const struct yard *y, uint32_t device)
{
    size_t count = 0;

    for (size_t i = 0; i < y->call_count; i++)
        count += y->calls[i].device == device ? 1 : 0;
    return count;
}

static void one_instant_for_all_that_have_no_offset(void **state)
{
    struct yard *y = yard_create(4, 1);

    (void)state;
    y->base->devices[2].poll_offset_ms = 250;
    y->base->devices[3].poll_offset_ms = 999;
    yard_start(y);
    yard_run(y, 10 * 1000 - 1);
    for (size_t n = 0; n < 9; n++) {
        assert_int_equal(call_ms(y, 0, n), INSTANT_MS + 1000 * (int64_t)n);
        assert_int_equal(call_ms(y, 1, n), call_ms(y, 0, n)); /* on another bus */
        assert_int_equal(call_ms(y, 2, n), call_ms(y, 0, n) + 250);
        assert_int_equal(call_ms(y, 3, n), call_ms(y, 0, n) + 999);
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(yard_stats(y, i).skipped, 0);
        assert_int_equal(yard_stats(y, i).late_ms, 0);
    }
    yard_destroy(y);
}

/* Two on one bus that take nearly half their period each; returns how late their last polls were, together. */
static int64_t late_of_two(int64_t apart_ms)
{
    struct yard *y = yard_create(1, 2);

    for (uint32_t i = 0; i < 2; i++)
        fake_device(y->fake, i)->takes_ms = 400;
    y->base->devices[1].poll_offset_ms = apart_ms;
    yard_start(y);
    yard_run(y, 5000 - 1);
    const int64_t late_ms = yard_stats(y, 0).late_ms + yard_stats(y, 1).late_ms;

    assert_int_equal(yard_stats(y, 0).ok, 5);
    assert_int_equal(yard_stats(y, 1).ok, 5);
    yard_destroy(y);
    return late_ms;
}

static void apart_nobody_waits(void **state)
{
    (void)state;
    assert_int_equal(late_of_two(0), 400);
    assert_int_equal(late_of_two(300), 100);
    assert_int_equal(late_of_two(500), 0);
}

/* Its figures, its health and what is under way are those of before. */
static void a_reload_moves_the_instants_and_nothing_else(void **state)
{
    struct yard *y = yard_create(2, 2);

    (void)state;
    fake_device(y->fake, 1)->behaviour = FAKE_SILENT;
    yard_start(y);
    yard_run(y, 2400); /* two of the mute one's polls are over, and it is doubtful */
    assert_int_equal(yard_stats(y, 1).state, UNIT_DOUBTFUL);
    const uint64_t misses = yard_stats(y, 1).misses;

    for (uint32_t i = 0; i < 3; i++)
        y->base->devices[i].poll_offset_ms = 700;
    yard_reload(y, &y->spec);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(poll_device_now(y->poll, i), i);
    assert_int_equal(yard_stats(y, 1).state, UNIT_DOUBTFUL);
    assert_int_equal(yard_stats(y, 1).misses, misses);
    assert_int_equal(yard_stats(y, 0).ok, 3);
    yard_run(y, 1500);
    /* 2000 was served; 2700 is not too close, and comes next. */
    assert_int_equal(call_ms(y, 2, 2), INSTANT_MS + 2000);
    assert_int_equal(call_ms(y, 2, 3), INSTANT_MS + 2700);
    assert_int_equal(call_ms(y, 2, 4), INSTANT_MS + 3700);
    assert_int_equal(call_ms(y, 3, 3),
                     INSTANT_MS + 3000); /* behind another's no more, but at its own instant */
    assert_int_equal(yard_stats(y, 2).skipped, 0);
    yard_run(y, 5000);
    assert_int_equal(yard_stats(y, 1).state, UNIT_SUSPENDED); /* its misses went on being counted */
    assert_int_equal(fake_bus(y->fake, 0)->cancelled, 0);
    yard_destroy(y);
}

/* One that has not been asked yet, and one whose bus is down. */
static void a_reload_moves_those_that_wait(void **state)
{
    struct yard *y = yard_create(2, 1);

    (void)state;
    y->base->devices[0].start_up_ms = 0;
    y->base->devices[0].poll_offset_ms = 900;
    fake_device(y->fake, 1)->behaviour = FAKE_UNREACHABLE;
    yard_start(y);
    yard_run(y, 100);
    assert_int_equal(calls_of(y, 0), 0);
    y->base->devices[0].poll_offset_ms = 300;
    y->base->devices[1].poll_offset_ms = 300;
    yard_reload(y, &y->spec);
    yard_run(y, 300);
    assert_int_equal(call_ms(y, 0, 0), INSTANT_MS + 300);
    yard_run(y, 60 * 1000);
    const uint64_t skipped = yard_stats(y, 1).skipped;

    fake_device(y->fake, 1)->behaviour = FAKE_OK;
    y->base->devices[1].poll_offset_ms = 600;
    yard_reload(y, &y->spec);
    yard_run(y, 120 * 1000);
    assert_int_equal(yard_stats(y, 1).state, UNIT_ONLINE);
    assert_true(yard_stats(y, 1).skipped <= skipped + 1); /* the minute that it was away is not in it */
    assert_int_equal((y->calls[y->call_count - 1].begun_ms - INSTANT_MS) % 1000,
                     y->calls[y->call_count - 1].device == 0 ? 300 : 600);
    yard_destroy(y);
}

/* Offsets that change at random, again and again: no two polls are closer than half a period, and a change puts the next one off by
 * half a period at most. */
static void property_of_reloads(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct yard *y = yard_create(3, 1);
        int64_t moved_ms[3][30];
        size_t moves[3] = {0, 0, 0};
        struct rg_random r;

        random_seed(&r, seed);
        yard_start(y);
        for (int i = 0; i < 30; i++) {
            const uint32_t device = (uint32_t)random_below(&r, 3);

            yard_run(y, 1 + (int64_t)random_below(&r, 2500));
            y->base->devices[device].poll_offset_ms = (int64_t)random_below(&r, 1000);
            moved_ms[device][moves[device]++] = loop_mono_ms(y->loop);
            yard_reload(y, &y->spec);
        }
        yard_run(y, 3000);
        for (uint32_t device = 0; device < 3; device++)
            for (size_t n = 1; n < calls_of(y, device); n++) {
                const int64_t from = call_ms(y, device, n - 1), gap = call_ms(y, device, n) - from;
                int64_t most = 1000;

                for (size_t i = 0; i < moves[device]; i++)
                    most += moved_ms[device][i] >= from && moved_ms[device][i] <= from + gap ? 500 : 0;
                if (gap < 500 || gap > most)
                    fail_msg("seed %llu: device %u, poll %zu is %lld ms after the one before",
                             (unsigned long long)seed, device, n, (long long)gap);
            }
        yard_destroy(y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_instant_for_all_that_have_no_offset),
        cmocka_unit_test(apart_nobody_waits),
        cmocka_unit_test(a_reload_moves_the_instants_and_nothing_else),
        cmocka_unit_test(a_reload_moves_those_that_wait),
        cmocka_unit_test(property_of_reloads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
