/* LINK rg_app rg_poll rg_store rg_uplink rg_control rg_loop_virtual rg_test_support */
/* The self test through the whole pipeline: what goes out, what is measured, what is raised when it does not come through. */
#include "app_rig.h"

#include "app/event.h"

#define EVERY (INT64_C(900) * 1000)
#define LIMIT 30000

static bool tested[1] = {true};

/* A rig whose site has a self test; the pipeline is opened anew for it. */
static void begin(struct rig *r)
{
    rig_begin(r, PLANT RULE);
    assert_int_equal(pipeline_close(&r->pipeline), RG_OK);
    r->site.site.self_test = (struct site_self_test){
        .every_ms = EVERY, .limit_ms = LIMIT, .level = LEVEL_YELLOW, .uplinks = tested};
    r->uplink.alarms_from = LEVEL_RED; /* which the test alarm passes all the same */
    support_broker_clear(r->broker);
    rig_open(r);
    event_start(&r->pipeline, true);
}

static void restart(struct rig *r, bool clean)
{
    assert_int_equal(pipeline_close(&r->pipeline), RG_OK);
    support_broker_clear(r->broker);
    rig_open(r);
    event_start(&r->pipeline, clean);
}

static size_t tests_seen(const struct rig *r)
{
    return seen(r, "root/alarm", "\"test\":true", NULL);
}

static size_t outcomes(const struct rig *r, bool ok)
{
    return seen(r, "root/event",
                ok ? "\"kind\":\"self_test\",\"uplink\":\"county\",\"ok\":true"
                   : "\"kind\":\"self_test\",\"uplink\":\"county\",\"ok\":false",
                NULL);
}

static void count_cb(void *arg, const struct alarm *alarm)
{
    (void)alarm;
    ++*(size_t *)arg;
}

static size_t active(const struct rig *r)
{
    size_t count = 0;

    rules_each(r->pipeline.rules, count_cb, &count);
    return count;
}

static void comes_through(void **state)
{
    const struct support_message *m = NULL;
    struct store_stats stats;
    struct rig r;

    (void)state;
    begin(&r);
    r.broker->delay_ms = 400;
    pass(&r, SELF_TEST_SETTLE_MS - 1000);
    assert_int_equal(tests_seen(&r), 0);
    pass(&r, 5000);
    /* Raise and clear, in one message, with the marks; and nothing counts it. */
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"raise\"", &m), 1);
    assert_non_null(strstr(m->payload, "\"first\":1,\"last\":2"));
    assert_non_null(
        strstr(m->payload, "\"alarm\":\"gw-01-test-2-1\",\"event\":\"raise\",\"level\":\"blue\""));
    assert_non_null(strstr(m->payload, "\"event\":\"clear\",\"level\":\"none\",\"was\":\"blue\""));
    assert_non_null(strstr(m->payload, "\"rule\":\"self_test\""));
    assert_int_equal(seen(&r, "root/risk", "\"level\":\"blue\"", NULL), 0);
    assert_int_equal(active(&r), 0);
    store_stats(r.pipeline.store, &stats);
    assert_int_equal(stats.head[STREAM_ALARM], 2);
    assert_int_equal(rules_next_alarm(r.pipeline.rules), 1);
    /* Its round trip: a commit, and the way there and back. */
    assert_int_equal(outcomes(&r, true), 1);
    (void)seen(&r, "root/event", "\"kind\":\"self_test\"", &m);
    assert_non_null(strstr(m->payload, "\"round_trip_ms\":40"));
    assert_non_null(strstr(m->payload, "\"of\":\"puback\",\"alarm\":\"gw-01-test-2-1\",\"detail\":null"));
    /* Once an interval. */
    pass(&r, EVERY - 10000);
    assert_int_equal(outcomes(&r, true), 1);
    pass(&r, 20000);
    assert_int_equal(outcomes(&r, true), 2);
    assert_int_equal(tests_seen(&r), 2);
    assert_int_equal(outcomes(&r, false), 0);
    rig_end(&r);
}

/* The platform takes messages and acknowledges none: an alarm, gone with the next that works. */
static void fails_without_acknowledgement(void **state)
{
    const struct support_message *m = NULL;
    struct rig r;

    (void)state;
    begin(&r);
    pass(&r, 30000);
    r.broker->hold_acks = true;
    pass(&r, SELF_TEST_SETTLE_MS - 30000 + LIMIT - 1000);
    assert_int_equal(active(&r), 0);
    pass(&r, 3000);
    assert_int_equal(active(&r), 1);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_YELLOW);
    support_broker_release(r.broker);
    pass(&r, 2000);
    assert_true(seen(&r, "root/event", "\"ok\":false,\"round_trip_ms\":null,\"of\":\"puback\"", &m) > 0);
    assert_non_null(strstr(m->payload, "\"detail\":\"no acknowledgement in time\""));
    /* It stands over a restart, and is no alarm that this uplink hears of: it hears of red ones. */
    restart(&r, true);
    assert_int_equal(active(&r), 1);
    pass(&r, EVERY);
    assert_int_equal(outcomes(&r, true), 1);
    assert_int_equal(active(&r), 0);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_NONE);
    rig_end(&r);
}

static void fails_without_a_connection(void **state)
{
    const struct support_message *m = NULL;
    struct rig r;

    (void)state;
    begin(&r);
    r.broker->connect = SUPPORT_REFUSE;
    support_broker_cut(r.broker);
    pass(&r, SELF_TEST_SETTLE_MS + LIMIT + 3000);
    assert_int_equal(active(&r), 1);
    r.broker->connect = SUPPORT_ACCEPT;
    pass(&r, 120000);
    assert_int_equal(seen(&r, "root/event", "\"detail\":\"not connected\"", &m), 1);
    /* The tests that it missed come late, as what they are. */
    assert_int_equal(tests_seen(&r), 1);
    rig_end(&r);
}

/* Where the uplink waits for receipts, a PUBACK is not enough. */
static void waits_for_the_receipt(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    r.uplink.receipts = true;
    restart(&r, true);
    pass(&r, SELF_TEST_SETTLE_MS + LIMIT + 3000);
    assert_int_equal(seen(&r, "root/event", "\"of\":\"receipt\"", NULL), 1);
    assert_int_equal(outcomes(&r, false), 1);
    rig_end(&r);
}

/* The interval goes on over restarts by what is recorded, whatever was done to the clock meanwhile. */
static void interval_over_restarts(void **state)
{
    struct rig r;
    size_t count = 0;

    (void)state;
    begin(&r);
    pass(&r, SELF_TEST_SETTLE_MS + 5000);
    assert_int_equal(outcomes(&r, true), 1);
    for (int i = 0; i < 5; i++) {
        restart(&r, i % 2 == 0);
        pass(&r, EVERY / 6);
        count += outcomes(&r, true);
    }
    assert_int_equal(count, 0);
    restart(&r, true);
    pass(&r, EVERY / 6 + 5000);
    assert_int_equal(outcomes(&r, true), 1);
    /* The clock runs ahead or behind: at the latest after one interval. */
    virtual_loop_set_wall(r.loop, loop_wall_ms(r.loop) - 100 * EVERY);
    restart(&r, true);
    pass(&r, EVERY - 10000);
    assert_int_equal(outcomes(&r, true), 0);
    pass(&r, 15000);
    assert_int_equal(outcomes(&r, true), 1);
    virtual_loop_set_wall(r.loop, loop_wall_ms(r.loop) + 200 * EVERY);
    pass(&r, EVERY - 60000); /* within a run it is not looked at */
    assert_int_equal(outcomes(&r, true), 1);
    pass(&r, 120000);
    assert_int_equal(outcomes(&r, true), 2);
    rig_end(&r);
}

/* Uplinks that are exchanged under a test: it is given up without a word and done again. */
static void reload_under_a_test(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    r.broker->delay_ms = 5000;
    pass(&r, SELF_TEST_SETTLE_MS + 2000);
    assert_true(r.pipeline.self_test.running);
    pipeline_uplinks_free(&r.pipeline);
    assert_false(r.pipeline.self_test.running);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);
    pass(&r, SELF_TEST_SETTLE_MS + 20000);
    assert_int_equal(outcomes(&r, true), 1);
    assert_int_equal(outcomes(&r, false), 0);
    rig_end(&r);
}

/* The store refuses: the test has failed, no alarm goes around the store for it; the fault's own alarm does. */
static void store_that_refuses(void **state)
{
    struct rig r;

    (void)state;
    begin(&r);
    pass(&r, 30000);
    (void)signal(SIGXFSZ, SIG_IGN);
    disk_refuses(true);
    pass(&r, SELF_TEST_SETTLE_MS - 30000 + LIMIT + 5000);
    disk_refuses(false);
    assert_int_equal(seen(&r, "root/alarm", "\"stored\":false", NULL), 0); /* from red on */
    assert_int_equal(active(&r), 1);
    pass(&r, 60000);
    assert_int_equal(seen(&r, "root/event", "\"detail\":\"the store did not take it in time\"", NULL), 1);
    rig_end(&r);
}

static void in_status(void **state)
{
    struct jsonw w;
    struct rig r;

    (void)state;
    begin(&r);
    jsonw_init(&w, 0);
    self_test_status(&r.pipeline, &w);
    assert_string_equal(w.text, "[{\"uplink\":\"county\",\"last_ts\":null,\"ok\":null,\"round_trip_ms\":null,"
                                "\"of\":\"puback\"}]");
    pass(&r, SELF_TEST_SETTLE_MS + 5000);
    jsonw_reset(&w);
    self_test_status(&r.pipeline, &w);
    assert_non_null(strstr(w.text, "\"ok\":true,\"round_trip_ms\":"));
    restart(&r, true);
    pass(&r, 5000);
    jsonw_reset(&w);
    self_test_status(&r.pipeline, &w);
    assert_non_null(strstr(w.text, "\"ok\":true,\"round_trip_ms\":"));
    jsonw_free(&w);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_through),
        cmocka_unit_test(fails_without_acknowledgement),
        cmocka_unit_test(fails_without_a_connection),
        cmocka_unit_test(waits_for_the_receipt),
        cmocka_unit_test(interval_over_restarts),
        cmocka_unit_test(reload_under_a_test),
        cmocka_unit_test(store_that_refuses),
        cmocka_unit_test(in_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
