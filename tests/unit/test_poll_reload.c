/* LINK rg_test_support rg_poll rg_loop_virtual */
/* A poll that takes the place of another: what did not change goes on as it was, and nothing that was asked before is taken for an
 * answer of what is configured now. */
#include "poll_reload.h"

/* All grid instants are multiples of a second; requests take 10 ms. */
#define INSTANT_MS VIRTUAL_MONO_MS

static void what_is_under_way_goes_on(void **state)
{
    struct yard *y = yard_create(1, 2);
    struct spec turned = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 300;
    fake_device(y->fake, 0)->per_request = 1; /* three requests */
    yard_start(y);
    yard_run(y, 2000 + 450);
    assert_int_equal(y->frame_count, 2 * 4 + 1);
    spec_turn(&turned); /* all indices move */
    yard_reload(y, &turned);
    yard_run(y, 550 - 1);
    /* The second request, the third, then the other device, whose turn it was at the same instant. */
    assert_int_equal(y->frame_count, 2 * 4 + 4);
    assert_int_equal(y->frames[11].device, 1);
    assert_int_equal(y->frames[11].at_ms, INSTANT_MS + 2000 + 910);
    assert_int_equal(y->call_count, 12);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(y->calls[8 + i].begun_ms - y->calls[4 + i].begun_ms, 1000);
    assert_int_equal(yard_stats(y, 0).ok, 9);
    assert_int_equal(yard_stats(y, 0).skipped, 0);
    assert_int_equal(yard_stats(y, 1).ok, 3);
    assert_int_equal(fake_bus(y->fake, 0)->cancelled, 0);
    yard_destroy(y);
}

/* Changed while it is asked: its answer is nobody's, and the device is asked anew. */
static void an_answer_to_what_was_configured_before(void **state)
{
    struct yard *y = yard_create(1, 2);
    struct spec changed = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 300;
    yard_start(y);
    yard_run(y, 100);
    assert_int_equal(y->call_count, 1);
    changed.device_version[0]++;
    yard_reload(y, &changed);
    yard_run(y, 900 - 1);
    /* Only the other one was heard, as soon as the line was free. */
    assert_int_equal(y->call_count, 2);
    assert_int_equal(y->frame_count, 1);
    assert_int_equal(y->frames[0].device, 1);
    assert_int_equal(y->frames[0].at_ms, INSTANT_MS + 310);
    assert_int_equal(yard_stats(y, 0).ok, 0);
    yard_run(y, 1000);
    assert_int_equal(yard_stats(y, 0).ok, 1);
    assert_int_equal(y->frame_count, 3);
    /* On its bus it counts all the same. */
    struct poll_bus_stats stats;

    poll_bus_stats(y->poll, 0, &stats);
    assert_int_equal(stats.ok, 4);
    yard_destroy(y);
}

/* Once more before the answer is there, and then the bus is gone. */
static void changed_again_and_again(void **state)
{
    struct yard *y = yard_create(2, 1);
    struct spec changed = y->spec;

    (void)state;
    fake_device(y->fake, 0)->behaviour = FAKE_SILENT;
    yard_start(y);
    for (int i = 0; i < 4; i++) {
        yard_run(y, 50);
        changed.device_version[0]++;
        yard_reload(y, &changed);
    }
    assert_int_equal(y->call_count, 2);
    spec_drop_bus(&changed, 0, 1);
    yard_reload(y, &changed);
    yard_run(y, 2000);
    for (size_t i = 0; i < y->frame_count; i++)
        assert_int_equal(y->frames[i].device, 1);
    assert_int_equal(y->frame_count, 3);
    assert_int_equal(fake_alive(y->fake), 2); /* a plan and a link */
    assert_int_equal(y->crossings, 0);
    yard_destroy(y);
}

static void devices_come_and_go_on_a_bus(void **state)
{
    struct yard *y = yard_create(1, 3);
    const struct spec all = y->spec;
    struct spec some = all;

    (void)state;
    spec_drop_device(&some, 0);
    spec_drop_device(&some, 2);
    y->spec = some;
    yard_start(y);
    yard_run(y, 1500);
    assert_int_equal(y->call_count, 2);
    yard_reload(y, &all);
    yard_run(y, 2000);
    assert_int_equal(y->call_count, 2 + 6);
    assert_int_equal(yard_stats(y, 1).ok, 4);
    assert_int_equal(yard_stats(y, 2).ok, 2);
    some.device_count = 0; /* an empty line is asked nothing, and keeps its link */
    yard_reload(y, &some);
    yard_run(y, 2000);
    assert_int_equal(y->call_count, 8);
    assert_int_equal(fake_alive(y->fake), 1);
    yard_reload(y, &all);
    yard_run(y, 1000);
    assert_int_equal(y->call_count, 11);
    assert_int_equal(fake_bus(y->fake, 0)->cancelled, 0);
    yard_destroy(y);
}

/* Health, back-off and what is left of it are the device's and the bus's own. */
static void health_is_kept(void **state)
{
    struct yard *y = yard_create(2, 2);
    struct spec turned = y->spec;
    int64_t probe_ms;

    (void)state;
    fake_device(y->fake, 0)->behaviour = FAKE_SILENT;
    yard_start(y);
    yard_run(y, 2500); /* two of three misses */
    spec_turn(&turned);
    yard_reload(y, &turned);
    assert_int_equal(yard_stats(y, 0).state, UNIT_DOUBTFUL);
    assert_int_equal(yard_stats(y, 0).misses, 2);
    yard_run(y, 1500);
    assert_int_equal(yard_stats(y, 0).state, UNIT_SUSPENDED);
    assert_int_equal(y->crossings, 1);
    probe_ms = yard_stats(y, 0).next_probe_ms;
    assert_true(probe_ms > 0);
    spec_turn(&turned);
    yard_reload(y, &turned);
    assert_int_equal(yard_stats(y, 0).next_probe_ms, probe_ms);
    fake_bus(y->fake, 1)->behaviour = FAKE_UNREACHABLE;
    yard_run(y, 60000);
    const size_t calls = y->call_count, frames = y->frame_count;
    struct poll_bus_stats before, after;

    poll_bus_stats(y->poll, 1, &before);
    assert_int_equal(before.state, BUS_DOWN);
    yard_reload(y, &turned);
    poll_bus_stats(y->poll, 1, &after);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(y->call_count, calls);
    assert_int_equal(y->frame_count, frames);
    assert_int_equal(y->crossings, 2);
    yard_destroy(y);
}

/* What a poll out of turn was asked for is told, under the index of now; unless the device has changed. */
static void polls_out_of_turn(void **state)
{
    struct yard *y = yard_create(1, 2);
    struct spec next = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 100;
    fake_device(y->fake, 1)->takes_ms = 100;
    yard_start(y);
    yard_run(y, 1250);
    assert_int_equal(poll_now(y->poll, 0), RG_OK);
    assert_int_equal(poll_now(y->poll, 1), RG_OK);
    spec_turn(&next);
    yard_reload(y, &next);
    yard_run(y, 150);
    assert_int_equal(y->polled, 1);
    yard_run(y, 100);
    assert_int_equal(y->polled, 2);
    assert_int_equal(y->last_polled, y->frames[y->frame_count - 1].device);
    yard_run(y, 750); /* at 2250 */
    assert_int_equal(poll_now(y->poll, yard_device(y, 0)), RG_OK);
    yard_run(y, 50); /* it is being polled */
    next.device_version[0]++;
    yard_reload(y, &next);
    yard_run(y, 2000);
    assert_int_equal(y->polled, 2);
    yard_destroy(y);
}

/* ---- buses that leave ---- */

/* Its thread hangs in a request: nobody waits, not even the bus that takes its place. */
static void a_bus_that_is_removed(void **state)
{
    struct yard *y = yard_create(3, 1);
    struct spec fewer = y->spec;
    const uint64_t kept = 2;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 400;
    yard_start(y);
    yard_run(y, 100);
    const uint64_t id = poll_bus_id(y->poll, 2);
    spec_drop_bus(&fewer, 0, 1); /* busy */
    spec_drop_bus(&fewer, 1, 1); /* idle */
    yard_reload(y, &fewer);
    assert_int_equal(poll_bus_id(y->poll, 0), id);
    yard_run(y, 100);
    assert_int_equal(fake_alive(y->fake), 2 + kept); /* the busy one's link and plan, too */
    yard_run(y, 1900);
    assert_int_equal(fake_alive(y->fake), kept);
    assert_int_equal(y->frame_count, 2 + 2);
    assert_int_equal(fake_bus(y->fake, 0)->cancelled, 1);
    assert_int_equal(fake_bus(y->fake, 2)->cancelled, 0);
    yard_destroy(y);
}

/* At the same place: not before the other has let go. Elsewhere at once. */
static void a_bus_that_is_changed(void **state)
{
    struct yard *y = yard_create(2, 1);
    struct spec next = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 400;
    yard_start(y);
    yard_run(y, 1100);
    assert_int_equal(y->call_count, 4);
    const uint64_t id = poll_bus_id(y->poll, 0);
    next.bus_version[0]++;
    next.device_version[0]++; /* its period stays: the next instant is at 2000, so it is read once before */
    yard_reload(y, &next);
    assert_true(poll_bus_id(y->poll, 0) != id);
    assert_int_equal(poll_now(y->poll, 0), RG_OK);
    yard_run(y, 1300);
    /* Asked out of turn at 1100, but the old link was in use until 1400. */
    assert_int_equal(y->calls[4].device, 0);
    assert_int_equal(y->calls[4].begun_ms, INSTANT_MS + 1400 + 1);
    assert_int_equal(y->polled, 1);
    yard_destroy(y);
}

/* One line may have two names. A connection to somewhere else waits for nobody. */
static void lines_wait_for_each_other(void **state)
{
    for (int serial = 0; serial < 2; serial++) {
        struct yard *y = yard_create(2, 1);
        const struct spec both = y->spec;
        struct spec one = both, other = both;

        (void)state;
        for (size_t i = 0; i < 2; i++)
            y->base->buses[i].kind = serial ? BUS_RTU : BUS_TCP;
        fake_device(y->fake, 0)->takes_ms = 1400;
        spec_drop_bus(&one, 1, 1);
        spec_drop_bus(&other, 0, 1);
        y->spec = one;
        yard_start(y);
        yard_run(y, 100);
        yard_reload(y, &other);
        yard_run(y, 1700);
        assert_int_equal(y->calls[1].device, 1);
        assert_int_equal(y->calls[1].begun_ms, INSTANT_MS + (serial ? 1400 + 1 : 1000));
        yard_destroy(y);
    }
}

static void changed_while_the_last_one_is_still_leaving(void **state)
{
    struct yard *y = yard_create(1, 1);
    struct spec next = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 450;
    yard_start(y);
    yard_run(y, 10);
    for (int i = 0; i < 5; i++) {
        next.bus_version[0]++;
        yard_reload(y, &next);
        yard_reload(y, &next); /* one that is held goes on being held */
        yard_run(y, 20);
    }
    assert_int_equal(y->call_count, 1);
    assert_int_equal(y->frame_count, 0);
    yard_run(y, 2000);
    assert_int_equal(y->frame_count, 1); /* of the instant 1000; 2000's is under way */
    assert_int_equal(fake_alive(y->fake), 2);
    next.bus_version[0]++;
    yard_reload(y, &next);
    yard_destroy(y); /* while one leaves and one is held */
}

/* ---- errands ---- */

static struct poll_errand errand(struct yard *y, uint32_t bus, uint16_t address, bool write)
{
    return (struct poll_errand){
        .bus = bus,
        .ask = {.write = write, .unit = 1, .space = SPACE_HOLDING, .address = address, .count = 1},
        .done = yard_errand_cb,
        .arg = y,
    };
}

static void add_errand(struct yard *y, uint32_t bus, uint16_t address)
{
    const struct poll_errand e = errand(y, bus, address, true);

    assert_int_equal(poll_errand(y->poll, &e), RG_OK);
}

static size_t written(const struct yard *y, uint16_t address)
{
    size_t count = 0;

    for (size_t i = 0; i < y->call_count; i++)
        count += y->calls[i].raw && y->calls[i].address == address ? 1 : 0;
    return count;
}

static void errands_wait_on(void **state)
{
    struct yard *y = yard_create(2, 1);
    struct spec next = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 200;
    yard_start(y);
    yard_run(y, 500);
    for (uint16_t i = 0; i < 3; i++)
        add_errand(y, 0, i);
    yard_run(y, 250); /* the second is under way */
    spec_turn(&next);
    yard_reload(y, &next);
    assert_int_equal(y->errands, 1);
    yard_run(y, 1000);
    assert_int_equal(y->errands, 3);
    assert_int_equal(y->broken, 0);
    for (uint16_t i = 0; i < 3; i++)
        assert_int_equal(written(y, i), 1);
    yard_destroy(y);
}

/* Those of a bus that goes are answered, once, without being carried out. */
static void errands_of_a_bus_that_leaves(void **state)
{
    struct yard *y = yard_create(2, 1);
    struct spec next = y->spec;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 200;
    yard_start(y);
    yard_run(y, 500);
    for (uint16_t i = 0; i < 3; i++)
        add_errand(y, 0, i);
    yard_run(y, 100); /* the first is under way, and ends well */
    next.bus_version[0]++;
    yard_reload(y, &next);
    add_errand(y, 0, 7); /* waits for the line */
    assert_int_equal(y->errands, 0);
    yard_run(y, 400);
    assert_int_equal(y->errands, 4);
    assert_int_equal(y->broken, 2);
    assert_int_equal(written(y, 0), 1);
    assert_int_equal(written(y, 1) + written(y, 2), 0);
    assert_int_equal(written(y, 7), 1);
    yard_destroy(y);
}

static void other_cb(void *arg, const struct driver_raw_answer *answer)
{
    (void)answer;
    ++*(int *)arg;
}

static void errands_pass_to_others(void **state)
{
    struct yard *y = yard_create(2, 1);
    int from[3] = {0}, to = 0;
    struct poll_errand e;

    (void)state;
    fake_device(y->fake, 0)->takes_ms = 200;
    yard_start(y);
    yard_run(y, 500);
    for (uint16_t i = 0; i < 3; i++) {
        e = errand(y, 0, i, true);
        e.done = other_cb;
        e.arg = &from[i];
        assert_int_equal(poll_errand(y->poll, &e), RG_OK);
    }
    yard_run(y, 100);
    yard_reload(y, &y->spec);
    assert_false(poll_errand_pass(y->poll, 1, other_cb, &from[0], &to)); /* on the other bus there is none */
    assert_false(poll_errand_pass(y->poll, 9, other_cb, &from[0], &to));
    assert_false(poll_errand_pass(y->poll, 0, yard_errand_cb, &from[0], &to));
    assert_true(poll_errand_pass(y->poll, 0, other_cb, &from[0], &to)); /* under way */
    assert_true(poll_errand_pass(y->poll, 0, other_cb, &from[1], &to)); /* waits */
    poll_errand_drop(y->poll, other_cb, &from[0]);                      /* not its any more */
    poll_errand_drop(y->poll, other_cb, &from[2]);
    add_errand(y, 0, 3); /* the end of the line has moved */
    yard_run(y, 1500);
    assert_int_equal(to, 2);
    assert_int_equal(from[0] + from[1] + from[2], 0);
    assert_int_equal(written(y, 1), 1);
    assert_int_equal(written(y, 2), 0);
    assert_int_equal(written(y, 3), 1);
    assert_int_equal(y->errands, 1);
    yard_destroy(y);
}

/* Under way on a bus that leaves: nobody is told. */
static void an_errand_that_nobody_waits_for(void **state)
{
    struct yard *y = yard_create(1, 1);
    struct spec next = y->spec;

    (void)state;
    yard_start(y);
    yard_run(y, 500);
    add_errand(y, 0, 1);
    add_errand(y, 0, 2);
    yard_run(y, 5);
    next.bus_version[0]++;
    yard_reload(y, &next);
    poll_errand_drop(y->poll, yard_errand_cb, y);
    poll_errand_drop(y->poll, yard_errand_cb, y);
    yard_run(y, 1000);
    assert_int_equal(y->errands, 0);
    yard_destroy(y);
}

/* ---- triggers, divisions ---- */

static void a_trigger_is_not_written_twice(void **state)
{
    struct yard *y = yard_create(1, 2);
    struct spec turned = y->spec;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        y->base->devices[i].trigger = (struct site_trigger){.enabled = true,
                                                            .space = SPACE_HOLDING,
                                                            .address = 50,
                                                            .value = 1,
                                                            .broadcast = true,
                                                            .wait_ms = 200};
    y->base->buses[0].kind = BUS_RTU_OVER_TCP;
    yard_start(y);
    yard_run(y, 100); /* written, and the device takes its time */
    assert_int_equal(written(y, 50), 1);
    spec_turn(&turned);
    yard_reload(y, &turned);
    yard_run(y, 800);
    assert_int_equal(written(y, 50), 1);
    assert_int_equal(y->frame_count, 2);
    yard_run(y, 105); /* the next write is under way */
    assert_int_equal(y->call_count, 4);
    turned.device_version[0]++;
    turned.device_version[1]++;
    yard_reload(y, &turned);
    yard_run(y, 890);
    assert_int_equal(y->frame_count, 2); /* it is not theirs: they were not due yet */
    yard_run(y, 1000);
    assert_int_equal(written(y, 50), 3);
    assert_int_equal(y->frame_count, 4);
    yard_destroy(y);
}

static void a_divided_plan_stays_divided(void **state)
{
    struct yard *y = yard_create(1, 2);
    struct spec turned = y->spec;

    (void)state;
    fake_device(y->fake, 0)->hole = 1;
    yard_start(y);
    yard_run(y, 1500);
    assert_int_equal(yard_stats(y, 0).divided, 1);
    spec_turn(&turned);
    yard_reload(y, &turned);
    yard_run(y, 2000);
    assert_int_equal(yard_stats(y, 0).divided, 1);
    assert_int_equal(yard_stats(y, 0).ok, 4 * 3);
    turned.device_version[0]++; /* perhaps by another map */
    yard_reload(y, &turned);
    yard_run(y, 2000);
    assert_int_equal(yard_stats(y, 0).divided, 1);
    assert_int_equal(yard_stats(y, 0).ok, 2 * 3);
    /* And while it is on trial. */
    turned.device_version[0]++;
    yard_reload(y, &turned);
    yard_run(y, 515); /* its refusal has come, and its first part is asked */
    yard_reload(y, &turned);
    yard_run(y, 1000);
    assert_int_equal(yard_stats(y, 0).divided, 1);
    yard_destroy(y);
}

/* ---- whole or not at all ---- */

static void without_memory_nothing_changes(void **state)
{
    struct yard *y = yard_create(3, 2);
    struct spec next = y->spec;
    struct poll *taken = NULL;
    size_t tries = 0;

    (void)state;
    yard_start(y);
    yard_run(y, 500);
    spec_turn(&next);
    next.bus_version[0]++;
    next.device_version[2]++;
    spec_drop_bus(&next, 2, 2);
    struct site *site = yard_site_create(y, &next);
    for (;;) {
        const size_t alive = fake_alive(y->fake), calls = y->call_count;

        fake_fail_after(y->fake, ++tries);
        if (poll_create_from(y->poll, site, 1, &taken) == RG_OK)
            break;
        assert_null(taken);
        assert_int_equal(fake_alive(y->fake), alive);
        yard_run(y, 1000);
        assert_int_equal(y->call_count, calls + 6);
    }
    assert_int_equal(tries, 5); /* the plans of 0 and 1 whose bus has changed, of 2, and a link */
    fake_fail_after(y->fake, 0);
    poll_destroy(taken); /* made, and not taken */
    yard_run(y, 3000);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(yard_stats(y, i).ok, 1 + tries - 1 + 3);
    yard_site_free(site);
    assert_int_equal(fake_bus(y->fake, 1)->cancelled, 0);
    yard_destroy(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_under_way_goes_on),
        cmocka_unit_test(an_answer_to_what_was_configured_before),
        cmocka_unit_test(changed_again_and_again),
        cmocka_unit_test(devices_come_and_go_on_a_bus),
        cmocka_unit_test(health_is_kept),
        cmocka_unit_test(polls_out_of_turn),
        cmocka_unit_test(a_bus_that_is_removed),
        cmocka_unit_test(a_bus_that_is_changed),
        cmocka_unit_test(lines_wait_for_each_other),
        cmocka_unit_test(changed_while_the_last_one_is_still_leaving),
        cmocka_unit_test(errands_wait_on),
        cmocka_unit_test(errands_of_a_bus_that_leaves),
        cmocka_unit_test(errands_pass_to_others),
        cmocka_unit_test(an_errand_that_nobody_waits_for),
        cmocka_unit_test(a_trigger_is_not_written_twice),
        cmocka_unit_test(a_divided_plan_stays_divided),
        cmocka_unit_test(without_memory_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
