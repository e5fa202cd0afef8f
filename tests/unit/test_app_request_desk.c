/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* What a platform asks of the running pipeline: done, recorded, answered, in that order; and what it may not. */
#include "request_rig.h"

#define CORRELATION "\x01\x00\xff"

static void alarms_are_acted_on(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, SITE_MAY_ACK | SITE_MAY_SHELVE);
    r.a = 30;
    pass(&r, 2000);
    asks(&r, "{\"id\":\"1\",\"command\":\"ack\",\"alarm\":\"gw-01-1\",\"by\":\"Li\",\"comment\":\"seen\"}",
         "\"id\":\"1\",\"ok\":true,\"alarm\":\"gw-01-1\"}");
    pass(&r, 1000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"ack\"", NULL), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"by\":\"Li@county\",\"comment\":\"seen\"", NULL), 1);
    assert_int_equal(events(&r,
                            "\"kind\":\"command\",\"command\":\"ack\",\"uplink\":\"county\",\"id\":\"1\","
                            "\"ok\":true,\"alarm\":\"gw-01-1\",\"by\":\"Li@county\",\"comment\":\"seen\""),
                     1);
    asks(&r, "{\"id\":\"2\",\"command\":\"ack\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"}",
         "\"id\":\"2\",\"ok\":false,\"error\":\"failed: alarm gw-01-1 is acknowledged already\"}");
    asks(&r, "{\"id\":\"3\",\"command\":\"ack\",\"alarm\":\"gw-01-2\",\"by\":\"Li\"}",
         "\"id\":\"3\",\"ok\":false,\"error\":\"failed: there is no active alarm gw-01-2\"}");
    asks(&r, "{\"id\":\"4\",\"command\":\"shelve\",\"alarm\":\"gw-01-1\",\"by\":\"Li\",\"for\":\"9h\"}",
         "\"id\":\"4\",\"ok\":false,\"error\":\"failed: an alarm is shelved for at least 1ms and at most "
         "8h\"}");
    int64_t now = loop_wall_ms(r.loop);
    asks(&r, "{\"id\":\"5\",\"command\":\"shelve\",\"alarm\":\"gw-01-1\",\"by\":\"Li\",\"for\":\"30m\"}",
         "\"ok\":true,\"alarm\":\"gw-01-1\",\"shelved_until_ts\":");
    assert_in_range(number_behind(answer(&r, 4)->payload, "\"shelved_until_ts\":"), now + 1800000,
                    now + 1800020);
    assert_int_equal(events(&r, "\"command\":\"shelve\",\"uplink\":\"county\",\"id\":\"5\",\"ok\":true,"
                                "\"alarm\":\"gw-01-1\",\"for_ms\":1800000,\"by\":\"Li@county\""),
                     1);
    asks(&r, "{\"id\":\"6\",\"command\":\"unshelve\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"}", "\"ok\":true");
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"unshelve\"", NULL), 1);
    /* Each has one record, whatever came of it. */
    assert_int_equal(events(&r, "\"kind\":\"command\""), 6);
    assert_int_equal(events(&r, "\"ok\":false,\"error\":\"failed: "), 3);
    assert_int_equal(events(&r, "\"refused\""), 0);
    rig_end(&r);
}

static void what_it_may_not(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, SITE_MAY_READ);
    r.a = 30;
    pass(&r, 2000);
    asks(&r, "{\"id\":\"1\",\"command\":\"ack\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"}",
         "\"id\":\"1\",\"ok\":false,\"error\":\"not allowed: ack is not among this uplink's commands\"}");
    asks(&r, "{\"id\":\"1\",\"command\":\"unshelve\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"}",
         "\"error\":\"not allowed: unshelve is not among this uplink's commands\"}");
    asks(&r, "{\"id\":\"1\",\"command\":\"backfill\",\"stream\":\"alarm\",\"from\":1,\"to\":2}",
         "\"error\":\"not allowed: backfill is not among this uplink's commands\"}");
    /* Its id is not used up by that. */
    asks(&r, "{\"id\":\"1\",\"command\":\"read\",\"point\":\"d.a\"}", "\"ok\":true");
    pass(&r, 1000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"ack\"", NULL), 0);
    assert_int_equal(events(&r, "\"ok\":false,\"error\":\"not allowed: ack is not among this uplink's "
                                "commands\",\"refused\":true,\"alarm\":\"gw-01-1\",\"by\":\"Li@county\""),
                     1);
    rig_end(&r);
    /* One that may ask for nothing is not even listened to. */
    begin(&r, PLANT RULE, 0);
    assert_false(r.broker->subscribed[TRANSPORT_COMMAND]);
    rig_end(&r);
}

/* What never reached the level from which a platform hears of alarms does not exist for it; what once did stays in its sight. */
static void who_sees_which_alarm(void **state)
{
    static const char ack[] = "{\"id\":\"%s\",\"command\":\"ack\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"}";
    char text[128];
    struct rig r;

    (void)state;
    begin(&r, PLANT "rule r points=d.a above=yellow:20,red:50 message=high\n", SITE_MAY_ACK);
    r.uplink.alarms_from = LEVEL_ORANGE;
    r.a = 30;
    pass(&r, 2000);
    (void)snprintf(text, sizeof text, ack, "1");
    asks(&r, text, "\"error\":\"failed: there is no active alarm gw-01-1\"}");
    r.a = 60;
    pass(&r, 2000);
    r.a = 30;
    pass(&r, 2000);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_YELLOW);
    /* Over a restart, too. */
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    rig_open(&r);
    pass(&r, 2000);
    (void)snprintf(text, sizeof text, ack, "2");
    asks(&r, text, "\"ok\":true");
    rig_end(&r);
}

static void malformed_ones(void **state)
{
    static const struct support_incoming rows[] = {
        {.id = TRANSPORT_COMMAND, .payload = "", .length = 0},
        {.id = TRANSPORT_COMMAND, .payload = "{\"id\":\"x\"", .length = 9},
        {.id = TRANSPORT_COMMAND, .payload = "{\"id\":\"x\0\"}", .length = 11},
        {.id = TRANSPORT_COMMAND, .payload = NULL, .length = 1 << 20},
    };
    static const char good[] = "{\"id\":\"x\",\"command\":\"read\",\"point\":\"d.a\"}";
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        assert_true(support_broker_send(r.broker, &rows[i]));
        pass(&r, 1000);
        assert_int_equal(answers(&r), i + 1);
        assert_non_null(strstr(answer(&r, i)->payload, "\"id\":null,\"ok\":false,\"error\":\"malformed: "));
    }
    assert_true(support_broker_send(
        r.broker, &(struct support_incoming){
                      .id = TRANSPORT_COMMAND, .payload = good, .length = strlen(good), .retained = true}));
    pass(&r, 1000);
    assert_non_null(
        strstr(answer(&r, RG_COUNT(rows))->payload,
               "\"id\":\"x\",\"ok\":false,\"error\":\"malformed: a retained command is not carried out\""));
    asks(&r, "{\"id\":\"y\",\"command\":\"permit\",\"permit\":\"z\",\"until\":9}", "\"error\":\"malformed: ");
    /* Not as a permit, which the next start would find. */
    assert_int_equal(events(&r, "\"kind\":\"command\",\"command\":null,\"uplink\":\"county\",\"id\":\"y\","
                                "\"ok\":false,\"error\":\"malformed: "),
                     1);
    assert_int_equal(events(&r, "\"refused\":true"), RG_COUNT(rows) + 2);
    rig_end(&r);
}

static void an_id_is_used_once(void **state)
{
    static const char ack[] = "{\"id\":\"1\",\"command\":\"ack\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"}";
    static const char shelve[] =
        "{\"id\":\"2\",\"command\":\"shelve\",\"alarm\":\"gw-01-1\",\"by\":\"Li\",\"for\":\"2s\"}";
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, MAY_ALL);
    asks(&r, ack, "\"ok\":false,\"error\":\"failed: there is no active alarm gw-01-1\"}");
    r.a = 30;
    pass(&r, 2000);
    asks(&r, ack,
         "\"id\":\"1\",\"ok\":false,\"error\":\"replayed: it was tried before, and failed\",\"first\":{"
         "\"ok\":false,\"error\":\"failed: there is no active alarm gw-01-1\",\"ts\":");
    asks(&r, shelve, "\"ok\":true");
    pass(&r, 5000); /* it has come back by itself */
    asks(&r, shelve,
         "\"error\":\"replayed: it was carried out before\",\"first\":{\"ok\":true,\"error\":null,\"ts\":");
    /* The same id with other words is a replay, too. */
    asks(&r, "{\"id\":\"2\",\"command\":\"read\",\"point\":\"d.a\"}", "\"error\":\"replayed: ");
    pass(&r, 1000);
    /* As over the end of the run, clean or not. */
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    rig_open(&r);
    pass(&r, 1000);
    asks(&r, shelve,
         "\"error\":\"replayed: it was carried out before\",\"first\":{\"ok\":true,\"error\":null,\"ts\":");
    asks(&r, ack, "\"first\":{\"ok\":false,\"error\":\"failed: there is no active alarm gw-01-1\",\"ts\":");
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"shelve\"", NULL), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"ack\"", NULL), 0);
    rig_end(&r);
}

static void readings(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE "device e bus=b1 unit=2 poll=1h\npoint c holding=0 unit=mm\n", SITE_MAY_READ);
    pass(&r, 10000);
    uint64_t asked = fake_device(r.fake, 1)->asked;
    uint64_t others = fake_device(r.fake, 0)->asked;
    r.b = 44.25;
    int64_t now = loop_wall_ms(r.loop);
    asks(&r, "{\"id\":\"1\",\"command\":\"read\",\"point\":\"e.c\",\"by\":\"Li\"}",
         "\"id\":\"1\",\"ok\":true,\"point\":\"e.c\",\"value\":44.25,\"quality\":\"good\",\"ts\":");
    assert_non_null(strstr(answer(&r, 0)->payload, ",\"unit\":\"mm\"}"));
    assert_in_range(number_behind(answer(&r, 0)->payload, "\"ts\":"), now + 10,
                    now + 40); /* not that of an hour ago */
    assert_int_equal(fake_device(r.fake, 1)->asked, asked + 1);
    /* The frame goes the way of all frames. */
    pass(&r, 1000);
    assert_int_equal(seen(&r, "root/telemetry", "\"device\":\"e\",\"values\":{\"c\":44.25}", NULL), 1);
    assert_int_equal(events(&r, "\"command\":\"read\",\"uplink\":\"county\",\"id\":\"1\",\"ok\":true,"
                                "\"point\":\"e.c\",\"by\":\"Li@county\""),
                     1);
    asks(&r, "{\"id\":\"2\",\"command\":\"read\",\"device\":\"d\"}", "\"ok\":true,\"device\":\"d\",\"ts\":");
    assert_non_null(strstr(answer(&r, 1)->payload, "\"values\":{\"a\":5,\"b\":44.25},\"bad\":{}}"));
    assert_int_equal(events(&r, "\"device\":\"d\",\"by\":\"@county\""), 1);
    assert_true(fake_device(r.fake, 0)->asked > others);
    /* No answer is an answer. */
    fake_device(r.fake, 1)->behaviour = FAKE_SILENT;
    asks(&r, "{\"id\":\"3\",\"command\":\"read\",\"point\":\"e.c\"}",
         "\"ok\":true,\"point\":\"e.c\",\"value\":null,\"quality\":\"comm\",\"ts\":");
    fake_device(r.fake, 1)->behaviour = FAKE_EXCEPTION;
    asks(&r, "{\"id\":\"4\",\"command\":\"read\",\"device\":\"e\"}",
         "\"values\":{},\"bad\":{\"c\":\"device\"}}");
    /* What there is not, and what there is not for this platform. */
    asks(&r, "{\"id\":\"5\",\"command\":\"read\",\"point\":\"e.x\"}",
         "\"ok\":false,\"error\":\"failed: there is no point e.x\"}");
    asks(&r, "{\"id\":\"6\",\"command\":\"read\",\"device\":\"f\"}",
         "\"error\":\"failed: there is no device f\"}");
    r.all_devices[1] = false;
    asks(&r, "{\"id\":\"7\",\"command\":\"read\",\"point\":\"e.c\"}",
         "\"error\":\"failed: there is no point e.c\"}");
    r.uplink.telemetry_send = false;
    asks(&r, "{\"id\":\"8\",\"command\":\"read\",\"point\":\"d.a\"}",
         "\"error\":\"failed: there is no point d.a\"}");
    rig_end(&r);
}

static void what_cannot_be_read(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, SITE_MAY_READ);
    fake_bus(r.fake, 0)->behaviour = FAKE_UNREACHABLE;
    pass(&r, 5000);
    asks(&r, "{\"id\":\"1\",\"command\":\"read\",\"point\":\"d.a\"}",
         "\"ok\":false,\"error\":\"failed: the line to d is down\"}");
    fake_bus(r.fake, 0)->behaviour = FAKE_OK;
    pass(&r, 60000);
    fake_device(r.fake, 0)->behaviour = FAKE_SILENT;
    pass(&r, 4000);
    asks(&r, "{\"id\":\"2\",\"command\":\"read\",\"point\":\"d.a\"}",
         "\"error\":\"failed: d does not answer, it was asked less than 10 s ago\"}");
    /* One that takes for ever is given up, and the id is used up. */
    fake_device(r.fake, 0)->behaviour = FAKE_OK;
    pass(&r, 120000);
    fake_device(r.fake, 0)->takes_ms = 45000;
    say(&r, "{\"id\":\"3\",\"command\":\"read\",\"point\":\"d.a\"}");
    size_t before = answers(&r);
    pass(&r, 29000);
    say(&r, "{\"id\":\"3\",\"command\":\"read\",\"point\":\"d.a\"}");
    pass(&r, 500);
    assert_int_equal(answers(&r), before + 1);
    assert_non_null(
        strstr(answer(&r, before)->payload, "\"error\":\"replayed: it is still being carried out\"}"));
    pass(&r, 3000);
    assert_int_equal(answers(&r), before + 2);
    assert_non_null(strstr(answer(&r, before + 1)->payload,
                           "\"error\":\"failed: its poll did not come to an end within 30 s\"}"));
    rig_end(&r);
}

static void reads_at_once_are_few(void **state)
{
    char text[96];
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, SITE_MAY_READ);
    fake_device(r.fake, 0)->takes_ms = 900;
    pass(&r, 5000);
    for (int i = 0; i < 12; i++) {
        (void)snprintf(text, sizeof text, "{\"id\":\"n%d\",\"command\":\"read\",\"point\":\"d.a\"}", i);
        say(&r, text);
    }
    pass(&r, 4000);
    /* Eight of them came of at most two polls. */
    assert_int_equal(seen(&r, "root/reply", "\"ok\":true,\"point\":\"d.a\"", NULL), 8);
    assert_int_equal(seen(&r, "root/reply", "\"error\":\"failed: too many reads are under way\"", NULL), 4);
    rig_end(&r);
}

/* What is worked out is read by polling what it is worked out from. */
static void derived_points(void **state)
{
    struct site_operand operands[2];
    struct site_derived sum = {.kind = DERIVE_SUM, .operands = operands, .operand_count = 2};
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT "device e bus=b1 unit=2 poll=1h\npoint c holding=0\n"
                        "device g bus=b1 unit=3 poll=1h\npoint s holding=0\n");
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    r.uplink.may = SITE_MAY_READ;
    operands[0] = (struct site_operand){.point = 0, .times = 1};
    operands[1] = (struct site_operand){.point = 2, .times = 1};
    r.site.site.devices[2].derived = true;
    r.site.site.devices[2].bus = SITE_NONE;
    r.site.site.points[3].derived = &sum;
    r.site.site.points[3].space = SPACE_DERIVED;
    rig_open(&r);
    pass(&r, 10000);
    uint64_t asked = fake_device(r.fake, 1)->asked;
    r.a = 100;
    r.b = 11;
    asks(&r, "{\"id\":\"1\",\"command\":\"read\",\"point\":\"g.s\"}",
         "\"ok\":true,\"point\":\"g.s\",\"value\":111,\"quality\":\"good\",");
    assert_int_equal(fake_device(r.fake, 1)->asked, asked + 1);
    r.b = 12;
    asks(&r, "{\"id\":\"2\",\"command\":\"read\",\"device\":\"g\"}", "\"device\":\"g\",\"ts\":");
    assert_non_null(strstr(answer(&r, 1)->payload, "\"values\":{\"s\":112},\"bad\":{}"));
    assert_int_equal(fake_device(r.fake, 2)->asked, 0);
    rig_end(&r);
}

static void backfill(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, SITE_MAY_BACKFILL);
    pass(&r, 20000);
    asks(&r, "{\"id\":\"1\",\"command\":\"backfill\",\"stream\":\"telemetry\",\"from\":5,\"to\":9}",
         "\"id\":\"1\",\"ok\":true,\"stream\":\"telemetry\",\"from\":5,\"to\":9}");
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/telemetry", "\"backfill\":true,\"prev\":4,\"first\":5,\"last\":9", NULL),
                     1);
    asks(&r, "{\"id\":\"2\",\"command\":\"backfill\",\"stream\":\"telemetry\",\"from\":900000,\"to\":900001}",
         "\"ok\":false,\"error\":\"failed: there are no such records for this platform\"}");
    assert_int_equal(events(&r, "\"command\":\"backfill\",\"uplink\":\"county\",\"id\":\"1\",\"ok\":true,"
                                "\"stream\":\"telemetry\",\"from\":5,\"to\":9,\"by\":\"@county\""),
                     1);
    asks(&r,
         "{\"id\":\"3\",\"command\":\"backfill\",\"stream\":\"event\",\"from\":1,\"to\":9007199254740991}",
         "\"ok\":true,\"stream\":\"event\",\"from\":1,\"to\":");
    r.uplink.telemetry_send = false;
    asks(&r, "{\"id\":\"4\",\"command\":\"backfill\",\"stream\":\"telemetry\",\"from\":5,\"to\":9}",
         "\"error\":\"failed: there are no such records for this platform\"}");
    rig_end(&r);
}

static void answers_go_where_they_are_wanted(void **state)
{
    static const char text[] = "{\"id\":\"1\",\"command\":\"read\",\"point\":\"d.a\"}";
    static const char again[] = "{\"id\":\"2\",\"command\":\"read\",\"point\":\"d.a\"}";
    struct support_incoming in = {.id = TRANSPORT_COMMAND,
                                  .payload = text,
                                  .length = strlen(text),
                                  .response_topic = "county/answers/7",
                                  .correlation = CORRELATION,
                                  .correlation_length = 3};
    const struct support_message *m = NULL;
    struct support_broker *second;
    struct site_uplink uplinks[2];
    struct rig r;

    (void)state;
    begin(&r, PLANT RULE, SITE_MAY_READ);
    assert_true(support_broker_send(r.broker, &in));
    pass(&r, 2000);
    assert_int_equal(seen(&r, "county/answers/7", "\"id\":\"1\",\"ok\":true", &m), 1);
    assert_int_equal(m->correlation_length, 3);
    assert_memory_equal(m->correlation, CORRELATION, 3);
    assert_int_equal(answers(&r), 0);
    /* Not in another platform's topics. */
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    uplinks[0] = uplinks[1] = r.uplink;
    uplinks[1].name = "park";
    uplinks[1].topic_root = "park";
    uplinks[1].port = PORT + 1;
    second = support_broker_create(r.loop, PORT + 1);
    r.site.site.uplinks = uplinks;
    r.site.site.uplink_count = 2;
    rig_open(&r);
    pass(&r, 1000);
    in.payload = again;
    in.response_topic = "park/alarm";
    assert_true(support_broker_send(r.broker, &in));
    pass(&r, 2000);
    assert_int_equal(seen(&r, "park/alarm", "", NULL), 0);
    assert_int_equal(answers(&r), 1);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    support_broker_destroy(second);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alarms_are_acted_on),
        cmocka_unit_test(what_it_may_not),
        cmocka_unit_test(who_sees_which_alarm),
        cmocka_unit_test(malformed_ones),
        cmocka_unit_test(an_id_is_used_once),
        cmocka_unit_test(readings),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(reads_at_once_are_few),
        cmocka_unit_test(derived_points),
        cmocka_unit_test(backfill),
        cmocka_unit_test(answers_go_where_they_are_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
