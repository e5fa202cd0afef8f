/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* Small flows through the joined pipeline, in virtual time with a real store: a reading becomes a record, is committed, is published;
 * an alarm overtakes; what cannot be stored is told all the same. */
#include "app_rig.h"

/* ---- the way of a reading ---- */

static void a_reading_becomes_a_record_of_the_platform(void **state)
{
    const struct support_message *m = NULL;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 2400);
    assert_true(seen(&r, "root/telemetry", "\"device\":\"d\",\"values\":{\"a\":5,\"b\":7.5}}", NULL) >= 2);
    assert_int_equal(seen(&r, "root/telemetry", "\"records\":[{\"seq\":2,\"ts\":", &m), 1);
    assert_non_null(strstr(m->payload, "\"backfill\":false,\"prev\":1,\"first\":2,\"last\":2,"));
    assert_int_equal(seen(&r, "root/event", "\"kind\"", NULL), 1);
    assert_int_equal(seen(&r, "root/about", "\"rules\":[{\"name\":\"r\"", NULL), 1);
    assert_int_equal(evidence_last(&r.pipeline.evidence, 1).quality, QUALITY_GOOD);
    assert_true(evidence_last(&r.pipeline.evidence, 1).value == 7.5);
    assert_int_equal(r.pipeline.unrecorded, 0);
    rig_end(&r);
}

static void an_alarm_waits_for_no_commit_of_telemetry(void **state)
{
    const struct support_message *alarm = NULL, *risk = NULL;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    r.site.site.store.commit_ms = 60000;
    assert_int_equal(pipeline_take(&r.pipeline, &r.site.site, "0123", NULL), RG_OK);
    pass(&r, 5500);
    r.a = 20;
    pass(&r, 500 + 10 + 200); /* to the next instant, its answer, and the way to the platform */
    assert_int_equal(
        seen(&r, "root/alarm", "\"event\":\"raise\",\"level\":\"yellow\",\"was\":\"none\"", &alarm), 1);
    assert_non_null(
        strstr(alarm->payload,
               "\"value\":20,\"limit\":20,\"unit\":\"%LEL\",\"label\":\"Probe\",\"message\":\"high\""));
    assert_int_equal(
        seen(&r, "root/risk", "\"level\":\"yellow\",\"areas\":{\"shop\":{\"level\":\"yellow\"", &risk), 1);
    assert_true(risk->at_ms - alarm->at_ms < 100);
    assert_int_equal(seen(&r, "root/event",
                          "\"kind\":\"level\",\"area\":\"shop\",\"level\":\"yellow\",\"was\":\"none\"", NULL),
                     1);
    assert_int_equal(seen(&r, "root/event",
                          "\"kind\":\"level\",\"area\":null,\"level\":\"yellow\",\"was\":\"none\"", NULL),
                     1);
    rig_end(&r);
}

/* What an alarm brings with it goes to the disk with it, and is not in its way to the platform. */
static void an_alarm_and_its_levels_are_one_commit(void **state)
{
    struct store_stats before, after;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 5500);
    store_stats(r.pipeline.store, &before);
    assert_int_equal(before.head[STREAM_ALARM], 0);
    r.a = 20;
    do {
        assert_true(virtual_loop_step(r.loop));
        store_stats(r.pipeline.store, &after);
    } while (after.head[STREAM_ALARM] == 0);
    assert_int_equal(after.head[STREAM_EVENT],
                     before.head[STREAM_EVENT] + 2); /* of its area and of the whole */
    assert_true(after.head[STREAM_TELEMETRY] > before.head[STREAM_TELEMETRY]); /* and what led to it */
    rig_end(&r);
}

/* Whoever would be asked while an alarm is on its way is asked a moment later. */
static void polls_give_way_to_an_alarm(void **state)
{
    struct poll_device_stats e;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT "bus b2 host=127.0.0.1 port=1503\n"
                        "device e bus=b2 unit=1 poll=1s area=shop offline=10s:yellow\n"
                        "point c holding=0\n" RULE);
    fake_device(r.fake, 0)->takes_ms = 10;
    r.site.site.devices[1].poll_offset_ms = 11; /* a millisecond after the answer of the first one */
    assert_int_equal(pipeline_take(&r.pipeline, &r.site.site, "0123", NULL), RG_OK);
    pass(&r, 5500);
    poll_device_stats(r.pipeline.poll, 1, &e);
    assert_int_equal(e.late_ms, 0);
    r.a = 20;
    pass(&r, 1000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"raise\"", NULL), 1);
    poll_device_stats(r.pipeline.poll, 1, &e);
    assert_int_equal(e.late_ms, POLL_WAY_MS - 1);
    pass(&r, 1000);
    poll_device_stats(r.pipeline.poll, 1, &e);
    assert_int_equal(e.late_ms, 0);
    assert_int_equal(e.skipped, 0);
    rig_end(&r);
}

/* The picture of the risk follows the alarm that it comes of, once for all that change at nearly one time; at the end it does not wait. */
static void the_risk_follows_the_alarm(void **state)
{
    const struct support_message *alarm = NULL, *risk = NULL;
    struct rig r;
    size_t before;

    (void)state;
    rig_begin(&r, PLANT RULE "rule s points=d.b above=red:50\n");
    pass(&r, 3500);
    r.a = 20;
    r.b = 60;
    pass(&r, 1000);
    assert_int_equal(seen(&r, "root/alarm", "\"rule\":\"s\"", NULL), 1);
    assert_true(seen(&r, "root/alarm", "\"event\":\"raise\"", &alarm) > 0);
    assert_int_equal(seen(&r, "root/risk", "\"level\":\"red\"", &risk), 1);
    assert_int_equal(seen(&r, "root/risk", "\"level\":\"yellow\"", NULL), 0);
    assert_true(alarm < risk);
    r.a = r.b = 5;
    while (!r.pipeline.risk_owed)
        pass(&r, 1);
    before = seen(&r, "root/risk", "\"level\":\"none\"", NULL);
    pipeline_halt(&r.pipeline);
    assert_false(r.pipeline.risk_owed);
    pass(&r, 200);
    assert_int_equal(seen(&r, "root/risk", "\"level\":\"none\"", NULL), before + 1);
    rig_end(&r);
}

static void silence_takes_the_same_way(void **state)
{
    const struct support_message *m = NULL;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 3500);
    fake_device(r.fake, 0)->behaviour = FAKE_SILENT;
    pass(&r, 12000);
    assert_int_equal(
        seen(&r, "root/alarm", "\"rule\":\"offline\",\"point\":\"d\",\"area\":\"shop\",\"value\":null", &m),
        1);
    assert_int_equal(
        seen(&r, "root/telemetry", "\"values\":{},\"bad\":{\"a\":\"comm\",\"b\":\"comm\"}", NULL) > 0, 1);
    assert_int_equal(seen(&r, "root/event",
                          "\"kind\":\"device\",\"device\":\"d\",\"bus\":\"b1\",\"state\":\"offline\"", NULL),
                     1);
    rig_end(&r);
}

/* ---- acknowledgement ---- */

static void an_alarm_is_acknowledged_once(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    r.a = 60;
    pass(&r, 2000);
    assert_int_equal(pipeline_ack(&r.pipeline, "gw-01-99", "Li", NULL), RG_ENOTFOUND);
    assert_int_equal(pipeline_ack(&r.pipeline, "gw-01-1", "Li", "seen"), RG_OK);
    assert_int_equal(pipeline_ack(&r.pipeline, "gw-01-1", "Wang", NULL), RG_EEXIST);
    pass(&r, 1000);
    assert_int_equal(
        seen(&r, "root/alarm", "\"event\":\"ack\",\"level\":\"red\",\"was\":\"red\",\"acked\":true", NULL),
        1);
    assert_int_equal(seen(&r, "root/alarm", "\"by\":\"Li\",\"comment\":\"seen\"", NULL), 1);
    assert_int_equal(
        seen(&r, "root/event", "\"kind\":\"command\",\"command\":\"ack\",\"alarm\":\"gw-01-1\"", NULL), 1);
    rig_end(&r);
}

/* ---- the disk refuses ---- */

static void an_alarm_that_is_not_stored_goes_out_at_once_and_again(void **state)
{
    const struct support_message *first = NULL, *proper = NULL;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 3500);
    r.a = 60;
    disk_refuses(true);
    pass(&r, 1000);
    assert_int_equal(seen(&r, "root/alarm", "\"stored\":false", &first), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"level\":\"red\"", NULL), 1);
    assert_null(strstr(first->payload, "\"seq\""));
    assert_int_equal(seen(&r, "root/risk", "\"level\":\"red\"", NULL), 1);
    pass(&r, 20000);
    assert_int_equal(seen(&r, "root/alarm", "\"level\":\"red\"", NULL), 1);
    assert_true(r.pipeline.store_watch.failing);
    disk_refuses(false);
    pass(&r, 10000);
    assert_false(r.pipeline.store_watch.failing);
    assert_int_equal(seen(&r, "root/alarm", "\"seq\":1,", &proper), 1);
    /* The same record, but for the number and the hash. */
    assert_memory_equal(strstr(first->payload, "\"ts\""), strstr(proper->payload, "\"ts\""),
                        (size_t)(strstr(first->payload, "}]}") - strstr(first->payload, "\"ts\"")));
    rig_end(&r);
}

/* With alarms that this platform is not sent: events may not take all of it. Returns how many found no room. */
static unsigned fill_the_alarms_share(struct rig *r)
{
    static char big[100000];
    struct store_record record = {
        .stream = STREAM_ALARM, .ts = 1, .body = big, .device = SITE_NONE, .level = LEVEL_NONE};
    unsigned refused = 0;
    enum rg_err err = RG_OK;

    memset(big, 'x', sizeof big);
    memcpy(big, "\"ts\":1,\"kind\":\"start\",\"x\":\"", 27);
    big[sizeof big - 1] = '"';
    for (record.length = sizeof big; record.length > 30; record.length = record.length / 2) {
        do {
            big[record.length - 1] = '"';
            err = store_append(r->pipeline.store, &record);
            big[record.length - 1] = 'x';
        } while (err == RG_OK);
        assert_int_equal(err, RG_EFULL);
        refused++;
    }
    return refused;
}

static void an_alarm_without_room_in_memory_goes_out_all_the_same(void **state)
{
    unsigned refused = 1;
    char lost[128];
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 3500);
    disk_refuses(true);
    pass(&r, 2000);               /* telemetry cannot be committed: the store fails */
    for (int i = 0; i < 6; i++) { /* a try to commit may have been under way, and have left room behind it */
        refused += fill_the_alarms_share(&r);
        pass(&r, 1000);
    }
    refused += fill_the_alarms_share(&r);
    r.a = 60;
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"stored\":false", NULL), 1);
    assert_int_equal(seen(&r, "root/risk", "\"level\":\"red\"", NULL), 1);
    assert_int_equal(r.pipeline.unrecorded, 3); /* the levels of the area and the gateway, too */
    disk_refuses(false);
    pass(&r, 20000);
    (void)snprintf(lost, sizeof lost,
                   "\"kind\":\"lost\",\"stream\":\"alarm\",\"first\":null,\"last\":null,\"count\":%u,"
                   "\"cause\":\"memory\"",
                   refused);
    assert_int_equal(seen(&r, "root/event", lost, NULL), 1);
    /* What was not recorded is still so: the next transition says what it was. */
    r.a = 5;
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"clear\",\"level\":\"none\",\"was\":\"red\"", NULL),
                     1);
    rig_end(&r);
}

/* ---- start and end ---- */

static void an_active_alarm_outlives_the_process(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    r.a = 60;
    pass(&r, 2000);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    rig_open(&r);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_RED);
    assert_int_equal(r.pipeline.boot, 2);
    pass(&r, 3000);
    r.a = 5;
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"raise\"", NULL), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-1\",\"event\":\"clear\"", NULL), 1);
    rig_end(&r);
}

static void a_pipeline_that_does_not_open_is_closed_all_the_same(void **state)
{
    const struct pipeline_env env = {fake_driver(), &support_transport, "test", 7};
    struct store_start start = {0};
    struct pipeline half = {0};
    char why[512] = "";
    struct rig r;

    (void)state;
    assert_int_equal(pipeline_close(&half), RG_OK);
    rig_begin(&r, PLANT RULE);
    /* The store is in use by the first one. */
    assert_int_equal(pipeline_open(&half, r.loop, &env, &r.site.site, "0123", &start, why, sizeof why),
                     RG_EEXIST);
    assert_non_null(strstr(why, "p.db"));
    assert_int_equal(pipeline_close(&half), RG_OK);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    /* A device that cannot be planned. */
    fake_fail_after(r.fake, 1);
    assert_int_equal(pipeline_open(&half, r.loop, &env, &r.site.site, "0123", &start, why, sizeof why),
                     RG_ENOMEM);
    store_start_free(&start);
    assert_int_equal(pipeline_close(&half), RG_OK);
    rig_open(&r);
    pass(&r, 2000);
    rig_end(&r);
}

/* A filter by device fits records from before the start, though their device has not said anything since. */
static void a_filter_by_device_knows_records_from_before_the_start(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE "device e bus=b1 unit=2 poll=1h\npoint c holding=0\n");
    r.all_devices[0] = false; /* only e, which is asked once at the start */
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    r.broker->connect = SUPPORT_REFUSE;
    rig_open(&r);
    pass(&r, 3000);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    fake_device(r.fake, 1)->takes_ms = 3000; /* its next answer comes later */
    r.broker->connect = SUPPORT_ACCEPT;
    support_broker_clear(r.broker);
    rig_open(&r);
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/telemetry", "\"device\":\"e\"", NULL), 1);
    assert_int_equal(seen(&r, "root/telemetry", "\"device\":\"d\"", NULL), 0);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reading_becomes_a_record_of_the_platform),
        cmocka_unit_test(an_alarm_waits_for_no_commit_of_telemetry),
        cmocka_unit_test(an_alarm_and_its_levels_are_one_commit),
        cmocka_unit_test(polls_give_way_to_an_alarm),
        cmocka_unit_test(the_risk_follows_the_alarm),
        cmocka_unit_test(silence_takes_the_same_way),
        cmocka_unit_test(an_alarm_is_acknowledged_once),
        cmocka_unit_test(an_alarm_that_is_not_stored_goes_out_at_once_and_again),
        cmocka_unit_test(an_alarm_without_room_in_memory_goes_out_all_the_same),
        cmocka_unit_test(an_active_alarm_outlives_the_process),
        cmocka_unit_test(a_pipeline_that_does_not_open_is_closed_all_the_same),
        cmocka_unit_test(a_filter_by_device_knows_records_from_before_the_start),
    };

    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
