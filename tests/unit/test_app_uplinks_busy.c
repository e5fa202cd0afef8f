/* LINK rg_sim rg_daemon rg_loop_virtual */
/* Uplinks over a reload that comes while they are at something: an outage, back-fill, messages in flight, a goodbye, a self test, a stop; and all
 * of that by lot. */
#include "uplinks_rig.h"

/* ---- whatever it is doing ---- */

static void during_an_outage(void **state)
{
    struct world *w = *state;
    struct support_broker *b = w->platforms[0].broker;
    unsigned tries;

    world_settle(w, 10000);
    b->connect = SUPPORT_REFUSE;
    support_broker_cut(b);
    world_run_for(w, 20000);
    tries = b->tries;
    for (int i = 0; i < 20; i++) {
        w->plan.red = 41 + i;
        world_write_config(w);
        app_reload(w->app, "a test");
        world_run_for(w, 50);
    }
    assert_true(b->tries <= tries + 1); /* a storm of reloads is none of connections */
    assert_int_equal(broker(w, 1)->connections, 1);
    b->connect = SUPPORT_ACCEPT;
    world_settle(w, 60000);
    assert_non_null(strstr(got[0].state, app_pipeline(w->app)->config_sha256));
    assert_non_null(strstr(got[0].about, "\"red\":60"));
    world_check_platforms(w);
    /* The will of the new connection tells of the new configuration. */
    support_broker_cut(b);
    assert_non_null(strstr(got[0].state, app_pipeline(w->app)->config_sha256));
    assert_non_null(strstr(got[0].state, "\"online\":false"));
}

static void during_back_fill(void **state)
{
    struct world *w = *state;
    struct support_broker *b = w->platforms[0].broker;
    int64_t pending;

    b->connect = SUPPORT_REFUSE;
    support_broker_cut(b);
    world_run_for(w, 900000);
    b->connect = SUPPORT_ACCEPT;
    world_run_for(w, 70000);
    assert_int_equal(b->connections, 2);
    pending = stats_of(w, 0).pending[STREAM_TELEMETRY];
    assert_true(pending > 500); /* 5 records a second */
    for (int i = 0; i < 10; i++) {
        w->plan.red = 41 + i;
        world_write_config(w);
        reload(w);
    }
    assert_true(stats_of(w, 0).pending[STREAM_TELEMETRY] < pending); /* it went on */
    assert_int_equal(b->connections, 2);
    assert_int_equal(stats_of(w, 0).resent, 0);
    world_settle(w, 1200000);
    world_check_platforms(w);
}

static void with_messages_in_flight(void **state)
{
    struct world *w = *state;
    struct support_broker *b = w->platforms[0].broker;

    b->hold_acks = true;
    world_run_for(w, 5000);
    assert_true(stats_of(w, 0).in_flight > 0);
    w->plan.red = 45;
    world_write_config(w);
    reload(w);
    assert_true(stats_of(w, 0).in_flight > 0);
    support_broker_release(b);
    world_settle(w, 10000);
    assert_int_equal(b->connections, 1);
    assert_int_equal(stats_of(w, 0).resent, 0);
    world_check_platforms(w);
}

/* A platform that does not take the goodbye of a removed uplink holds up nobody. */
static void a_mute_goodbye_holds_nobody_up(void **state)
{
    struct world *w = *state;
    unsigned before;

    w->platforms[1].broker->hold_acks = true;
    world_run_for(w, 3000);
    w->plan.uplinks = 1;
    world_write_config(w);
    before = got[0].telemetry;
    app_reload(w->app, "a test");
    world_run_for(w, 1900);
    assert_int_equal(app_pipeline(w->app)->leaving_count, 1); /* still */
    assert_true(got[0].telemetry > before + 1);
    world_run_for(w, 10000);
    assert_int_equal(app_pipeline(w->app)->leaving_count, 0);
    assert_int_equal(broker(w, 0)->connections, 1);
    support_broker_release(w->platforms[1].broker);
}

/* ---- what waits over a reload ---- */

/* A self test that is under way is not begun anew where its uplinks go on. */
static void a_self_test_goes_on(void **state)
{
    struct world *w = *state;
    const struct pipeline *p = app_pipeline(w->app);
    char alarm[ALARM_ID_MAX];

    w->plan.more = "self_test: {every: 1h, uplinks: [county]}\n";
    world_write_config(w);
    reload(w);
    w->platforms[0].broker->hold_acks = true;
    world_run_for(w, 61000);
    assert_true(p->self_test.running);
    (void)snprintf(alarm, sizeof alarm, "%s", p->self_test.alarm);
    w->plan.red = 45;
    world_write_config(w);
    reload(w);
    assert_true(p->self_test.running);
    assert_string_equal(p->self_test.alarm, alarm);
    support_broker_release(w->platforms[0].broker);
    world_run_for(w, 2000);
    assert_false(p->self_test.running);
    assert_true(p->self_test.uplinks[0].last.ok);
    assert_string_equal(p->self_test.alarm, alarm);
}

/* Reading the past for new windows does not hold up a stop, whenever it comes. */
static void a_stop_while_windows_are_filled(void **state)
{
    struct world *w = *state;

    w->plan.features = true;
    world_write_config(w);
    reload(w);
    for (int steps = 0; steps < 25; steps++) {
        char window[32];

        if (!w->app) {
            world_write_config(w);
            world_start(w);
            world_run_for(w, 700);
        }
        (void)snprintf(window, sizeof window, "mean: %dm", 6 + steps);
        edit_file(w, "mean: 5m", window);
        app_reload(w->app, "a test");
        for (int i = 0; i < steps; i++)
            assert_true(virtual_loop_step(w->loop));
        if (steps % 2 == 0) {
            world_stop(w);
        } else {
            assert_int_equal(app_destroy(w->app), RG_OK);
            w->app = NULL;
        }
        assert_int_equal(virtual_loop_alive(w->loop), 0);
    }
    w->plan = plan;
    world_write_config(w);
    world_start(w);
    world_settle(w, 120000);
    world_check_platforms(w);
}

/* ---- whenever ---- */

/* Reloads, outages and stops by lot; the platforms have everything in the end. */
static void by_lot(void **state)
{
    struct world *w = *state;
    uint64_t seed = 20251122;
    struct rg_random random;
    char window[32];

    w->plan.features = true;
    world_write_config(w);
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    for (int i = 0; i < 150; i++) {
        struct support_broker *b = w->platforms[random_below(&random, 2)].broker;

        switch (random_below(&random, 8)) {
        case 0:
            support_broker_cut(b);
            break;
        case 1:
            b->connect = b->connect == SUPPORT_ACCEPT ? SUPPORT_REFUSE : SUPPORT_ACCEPT;
            break;
        case 2:
            b->hold_acks = true;
            break;
        case 3:
            support_broker_release(b);
            break;
        case 4:
            w->plan.devices = 4 + (unsigned)random_below(&random, 3);
            world_reload(w);
            break;
        case 5:
            w->plan.uplinks = 1 + (unsigned)random_below(&random, 2);
            world_reload(w);
            break;
        case 6:
            (void)snprintf(window, sizeof window, "mean: %um", 1 + (unsigned)random_below(&random, 9));
            edit_file(w, "mean: 5m", window); /* it is filled from the store */
            app_reload(w->app, "a test");
            world_write_config(w); /* for the next one */
            break;
        default:
            w->plan.red = 40 + (double)random_below(&random, 10);
            world_reload(w);
            break;
        }
        for (uint64_t k = random_below(&random, 60); k > 0; k--)
            assert_true(virtual_loop_step(w->loop));
    }
    for (unsigned k = 0; k < 2; k++) {
        w->platforms[k].broker->connect = SUPPORT_ACCEPT;
        support_broker_release(w->platforms[k].broker);
    }
    w->plan = plan;
    world_reload(w);
    world_settle(w, 900000);
    world_check_platforms(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stop_while_windows_are_filled, begin, end),
        cmocka_unit_test_setup_teardown(during_an_outage, begin, end),
        cmocka_unit_test_setup_teardown(during_back_fill, begin, end),
        cmocka_unit_test_setup_teardown(with_messages_in_flight, begin, end),
        cmocka_unit_test_setup_teardown(a_mute_goodbye_holds_nobody_up, begin, end),
        cmocka_unit_test_setup_teardown(a_self_test_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(by_lot, begin, end),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
