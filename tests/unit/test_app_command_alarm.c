/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* Acknowledging and shelving through the daemon's commands: records, audit, outputs' and platforms' view, restart. */
#include "app_rig.h"

#include "app/command.h"
#include "base/json_read.h"
#include "record/record.h"

struct reply {
    enum rg_err err;
    char error[256], text[8192];
    struct json *json;
};

static void ask(struct rig *r, const char *command, const char *request_text, struct reply *reply)
{
    const struct command_context context = {
        .pipeline = &r->pipeline, .config_file = "f.yaml", .store_path = "f.db"};
    struct json *request = NULL;
    struct jsonw out;

    *reply = (struct reply){.err = RG_OK};
    assert_int_equal(json_parse(request_text, strlen(request_text), 4096, &request), RG_OK);
    jsonw_init(&out, 0);
    reply->err = command_run(&context, NULL, command, request, 0, &out, reply->error, sizeof reply->error);
    assert_true(reply->err == RG_OK || reply->error[0]);
    if (reply->err == RG_OK) {
        assert_int_equal(json_parse(out.text, out.length, 1 << 20, &reply->json), RG_OK);
        assert_true(out.length < sizeof reply->text);
        memcpy(reply->text, out.text, out.length);
    }
    jsonw_free(&out);
    json_free(request);
}

static void refused(struct rig *r, const char *command, const char *request, enum rg_err err,
                    const char *error)
{
    struct reply reply;

    ask(r, command, request, &reply);
    assert_int_equal(reply.err, err);
    assert_string_equal(reply.error, error);
    json_free(reply.json);
}

static void answered(struct rig *r, const char *command, const char *request, const char *text)
{
    struct reply reply;

    ask(r, command, request, &reply);
    assert_int_equal(reply.err, RG_OK);
    if (!strstr(reply.text, text))
        fail_msg("%s: no %s in %s", command, text, reply.text);
    json_free(reply.json);
}

#define LI "\"alarm\":\"gw-01-1\",\"by\":\"Li\""

static void a_shelving_is_recorded_and_audited(void **state)
{
    char until[64], expected[96];
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    r.a = 30;
    pass(&r, 2000);
    (void)snprintf(until, sizeof until, "\"shelved_until_ts\":%lld",
                   (long long)loop_wall_ms(r.loop) + 1800000);
    (void)snprintf(expected, sizeof expected, "{\"alarm\":\"gw-01-1\",%s}", until);
    answered(&r, "shelve", "{" LI ",\"for_ms\":1800000,\"comment\":\"repair\"}", expected);
    answered(&r, "alarms", "{}", until);
    answered(&r, "alarms", "{}", "\"suppressed\":false,\"first_out\":true,\"standing\":false");
    answered(&r, "status", "{}", "\"unacked\":1,\"shelved\":1,\"suppressed\":0,");
    answered(&r, "status", "{}", "\"raised\":1,\"per_10min\":1,\"peak_10min\":1,");
    answered(&r, "status", "{}", "\"frequent_alarms\":[{\"rule\":\"r\",\"point\":\"d.a\",\"raises\":1}]");
    answered(&r, "risk", "{}", "\"level\":\"yellow\"");
    pass(&r, 1000);
    assert_int_equal(seen(&r, "root/alarm",
                          "\"event\":\"shelve\",\"level\":\"yellow\",\"was\":\"yellow\",\"acked\":false,"
                          "\"shelved\":true,",
                          NULL),
                     1);
    assert_int_equal(seen(&r, "root/alarm", "\"by\":\"Li\",\"comment\":\"repair\"", NULL), 1);
    assert_int_equal(
        seen(&r, "root/event",
             "\"kind\":\"command\",\"command\":\"shelve\",\"alarm\":\"gw-01-1\",\"for_ms\":1800000,"
             "\"by\":\"Li\",\"comment\":\"repair\"",
             NULL),
        1);
    answered(&r, "unshelve", "{" LI "}", "\"gw-01-1\"");
    answered(&r, "alarms", "{}", "\"shelved\":false,\"shelved_until_ts\":null,");
    pass(&r, 1000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"unshelve\"", NULL), 1);
    assert_int_equal(
        seen(&r, "root/event", "\"command\":\"unshelve\",\"alarm\":\"gw-01-1\",\"by\":\"Li\"", NULL), 1);
    rig_end(&r);
}

static void it_ends_by_itself_and_by_an_escalation(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    r.a = 30;
    pass(&r, 2000);
    answered(&r, "shelve", "{" LI ",\"for_ms\":2500}", "gw-01-1");
    pass(&r, 2500 + PIPELINE_TICK_LAG_MS + 1000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"unshelve\"", NULL), 1);
    assert_int_equal(rules_next_ms(r.pipeline.rules) > loop_mono_ms(r.loop), true);
    answered(&r, "shelve", "{" LI ",\"for_ms\":250000}", "gw-01-1");
    r.a = 60;
    pass(&r, 2000);
    assert_int_equal(
        seen(&r, "root/alarm", "\"event\":\"unshelve\",\"level\":\"yellow\",\"was\":\"yellow\"", NULL), 2);
    assert_int_equal(seen(&r, "root/alarm", "\"by\":null,\"comment\":\"escalated\"", NULL), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"escalate\"", NULL), 1);
    rig_end(&r);
}

static void refusals_say_why(void **state)
{
    char long_name[400];
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    refused(&r, "shelve", "{" LI ",\"for_ms\":1000}", RG_ENOTFOUND, "there is no active alarm gw-01-1");
    refused(&r, "unshelve", "{" LI "}", RG_ENOTFOUND, "there is no active alarm gw-01-1");
    refused(&r, "ack", "{\"alarm\":\"gw-01-1\"}", RG_EINVAL, "ack needs the alarm and who answers for it");
    refused(&r, "shelve", "{\"by\":\"Li\",\"for_ms\":5}", RG_EINVAL,
            "shelve needs the alarm and who answers for it");
    refused(&r, "unshelve", "{\"alarm\":7,\"by\":\"\"}", RG_EINVAL,
            "unshelve needs the alarm and who answers for it");
    (void)snprintf(long_name, sizeof long_name, "{\"alarm\":\"gw-01-1\",\"by\":\"%0200d\"}", 0);
    refused(&r, "shelve", long_name, RG_EINVAL, "the name or the comment is too long");
    r.a = 30;
    pass(&r, 2000);
    refused(&r, "unshelve", "{" LI "}", RG_EEXIST, "alarm gw-01-1 is not shelved");
    refused(&r, "shelve", "{" LI "}", RG_ERANGE, "an alarm is shelved for at least 1ms and at most 8h");
    refused(&r, "shelve", "{" LI ",\"for_ms\":28800001}", RG_ERANGE,
            "an alarm is shelved for at least 1ms and at most 8h");
    refused(&r, "shelve", "{" LI ",\"for_ms\":-1}", RG_ERANGE,
            "an alarm is shelved for at least 1ms and at most 8h");
    refused(&r, "shelve", "{" LI ",\"for_ms\":\"1h\"}", RG_ERANGE,
            "an alarm is shelved for at least 1ms and at most 8h");
    answered(&r, "shelve", "{" LI ",\"for_ms\":28800000}", "gw-01-1");
    refused(&r, "shelve", "{" LI ",\"for_ms\":1000}", RG_EEXIST,
            "alarm gw-01-1 is shelved already: unshelve it first");
    answered(&r, "ack", "{" LI "}", "\"gw-01-1\"");
    refused(&r, "ack", "{" LI "}", RG_EEXIST, "alarm gw-01-1 is acknowledged already");
    pass(&r, 1000);
    /* Each in a message of its own, for each was recorded at once; what was refused is none. */
    assert_int_equal(seen(&r, "root/event", "\"kind\":\"command\"", NULL), 2);
    assert_int_equal(seen(&r, "root/event", "\"command\":\"shelve\"", NULL), 1);
    assert_int_equal(seen(&r, "root/event", "\"command\":\"ack\"", NULL), 1);
    rig_end(&r);
}

/* Half of the shelving is over when the daemon starts again. */
static void it_goes_on_over_a_restart(void **state)
{
    int64_t until_ms;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    r.a = 30;
    pass(&r, 2000);
    answered(&r, "shelve", "{" LI ",\"for_ms\":60000}", "gw-01-1");
    until_ms = loop_mono_ms(r.loop) + 60000;
    pass(&r, 30000);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    pass(&r, 10000);
    rig_open(&r);
    answered(&r, "alarms", "{}", "\"shelved\":true,");
    answered(&r, "alarms", "{}", "\"first_out\":true,");
    assert_true(virtual_loop_run_until(r.loop, until_ms - 1));
    answered(&r, "alarms", "{}", "\"shelved\":true,");
    pass(&r, 1 + PIPELINE_TICK_LAG_MS + 1000);
    answered(&r, "alarms", "{}", "\"shelved\":false,");
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"unshelve\"", NULL), 1);
    answered(&r, "shelve", "{" LI ",\"for_ms\":5000}", "gw-01-1");
    pass(&r, 1000);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    pass(&r, 10000); /* it is over meanwhile: the start ends it */
    rig_open(&r);
    answered(&r, "alarms", "{}", "\"shelved\":false,");
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"unshelve\"", NULL), 2);
    rig_end(&r);
}

/* The acknowledgement of a latched alarm clears it, and its off-delay is watched from then on. */
static void an_acknowledgement_unlatches(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT "rule r points=d.a above=yellow:20 off=3s latch=blue\n");
    r.a = 30;
    pass(&r, 2000);
    r.a = 5;
    pass(&r, 60000);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_YELLOW);
    r.a = 30;
    pass(&r, 2000);
    r.a = 5;
    pass(&r, 1500); /* its off-delay runs */
    answered(&r, "ack", "{" LI "}", "\"gw-01-1\"");
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_YELLOW);
    pass(&r, 4000);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_NONE);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"clear\"", NULL), 1);
    rig_end(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shelving_is_recorded_and_audited),
        cmocka_unit_test(it_ends_by_itself_and_by_an_escalation),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(it_goes_on_over_a_restart),
        cmocka_unit_test(an_acknowledgement_unlatches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
