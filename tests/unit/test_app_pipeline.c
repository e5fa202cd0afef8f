/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* Small flows through the joined pipeline, in virtual time with a real store: a reading becomes a record, is committed, is published;
 * an alarm overtakes; what cannot be stored is told all the same; a reload carries the alarms over, or changes nothing. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "app/pipeline.h"
#include "base/log.h"
#include "support_driver.h"
#include "support_site.h"
#include "support_tmp.h"
#include "support_transport.h"
#include "virtual_loop.h"

#define PORT 1883
#define PLANT                                                                                                \
    "area shop\n"                                                                                            \
    "bus b1 host=127.0.0.1 port=1502\n"                                                                      \
    "device d bus=b1 unit=1 poll=1s area=shop offline=10s:yellow label=Probe\n"                              \
    "point a holding=0 unit=%LEL\n"                                                                          \
    "point b holding=1\n"
#define RULE "rule r points=d.a above=yellow:20,red:50 message=high\n"

struct rig {
    char folder[SUPPORT_TMP_SIZE], path[SUPPORT_TMP_SIZE + 16];
    struct loop *loop;
    struct support_site site;
    struct site_uplink uplink;
    bool all_devices[4];
    struct fake *fake;
    struct support_broker *broker;
    struct pipeline pipeline;
    double a, b; /* what the points say */
};

static int64_t now_cb(void *arg)
{
    return loop_mono_ms(((struct rig *)arg)->loop);
}

static void spend_cb(void *arg, int64_t ms)
{
    virtual_loop_spend(((struct rig *)arg)->loop, ms);
}

static void read_cb(void *arg, int64_t now_ms, struct sample *sample)
{
    const struct rig *r = arg;

    (void)now_ms;
    sample->value = sample->point == 0 ? r->a : r->b;
}

static void rig_open(struct rig *r)
{
    const struct pipeline_env env = {fake_driver(), &support_transport, "test", 7};
    struct store_start start = {0};
    char why[512] = "";

    assert_int_equal(pipeline_open(&r->pipeline, r->loop, &env, &r->site.site, "0123", &start, why, sizeof why), RG_OK);
    store_start_free(&start);
    assert_int_equal(pipeline_uplinks_start(&r->pipeline), RG_OK);
}

static void rig_begin(struct rig *r, const char *text)
{
    const struct fake_hooks hooks = {.now_ms = now_cb, .spend = spend_cb, .read = read_cb, .arg = r};

    *r = (struct rig){.a = 5, .b = 7.5};
    log_set_level(LOG_LEVEL_ERROR);
    assert_true(support_tmp_dir(r->folder));
    (void)snprintf(r->path, sizeof r->path, "%s/p.db", r->folder);
    assert_int_equal(loop_create(&r->loop), RG_OK);
    support_site_build(&r->site, text);
    r->site.site.store = (struct site_store){.path = r->path,
                                             .commit_ms = 500,
                                             .keep_telemetry_ms = 86400000,
                                             .keep_alarms_ms = 86400000,
                                             .keep_events_ms = 86400000,
                                             .max_size = 1 << 30};
    memset(r->all_devices, 1, sizeof r->all_devices);
    r->uplink = (struct site_uplink){.name = "county",
                                     .url = "mqtt://127.0.0.1:1883",
                                     .host = "127.0.0.1",
                                     .port = PORT,
                                     .client_id = "c",
                                     .topic_root = "root",
                                     .keepalive_ms = 30000,
                                     .telemetry_send = true,
                                     .telemetry_devices = r->all_devices,
                                     .alarms_from = LEVEL_BLUE,
                                     .backfill_rate = 1000};
    r->site.site.uplinks = &r->uplink;
    r->site.site.uplink_count = 1;
    r->fake = fake_create(&r->site.site, &hooks);
    assert_non_null(r->fake);
    r->broker = support_broker_create(r->loop, PORT);
    rig_open(r);
}

static void rig_end(struct rig *r)
{
    assert_int_equal(pipeline_close(&r->pipeline), RG_OK);
    assert_int_equal(fake_alive(r->fake), 0);
    support_broker_destroy(r->broker);
    fake_destroy(r->fake);
    support_site_free(&r->site);
    assert_int_equal(virtual_loop_alive(r->loop), 0);
    assert_int_equal(loop_destroy(r->loop), RG_OK);
    assert_true(support_tmp_remove(r->folder));
}

static void pass(struct rig *r, int64_t ms)
{
    assert_true(virtual_loop_run_for(r->loop, ms));
}

/* Messages on a topic that hold a text; the last one in *last (may be NULL). */
static size_t seen(const struct rig *r, const char *topic, const char *text, const struct support_message **last)
{
    size_t count = 0;

    for (size_t i = 0; i < r->broker->count; i++) {
        const struct support_message *m = &r->broker->messages[i];

        if (strcmp(m->topic, topic) != 0 || !strstr(m->payload, text))
            continue;
        count++;
        if (last)
            *last = m;
    }
    return count;
}

static void disk_refuses(bool refuses)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = refuses ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

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
    assert_int_equal(r.pipeline.live.points[1].quality, QUALITY_GOOD);
    assert_true(r.pipeline.live.points[1].value == 7.5);
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
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"raise\",\"level\":\"yellow\",\"was\":\"none\"", &alarm), 1);
    assert_non_null(strstr(alarm->payload, "\"value\":20,\"limit\":20,\"unit\":\"%LEL\",\"label\":\"Probe\",\"message\":\"high\""));
    assert_int_equal(seen(&r, "root/risk", "\"level\":\"yellow\",\"areas\":{\"shop\":{\"level\":\"yellow\"", &risk), 1);
    assert_true(risk->at_ms - alarm->at_ms < 100);
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
    assert_int_equal(seen(&r, "root/alarm", "\"rule\":\"offline\",\"point\":\"d\",\"area\":\"shop\",\"value\":null", &m), 1);
    assert_int_equal(seen(&r, "root/telemetry", "\"values\":{},\"bad\":{\"a\":\"comm\",\"b\":\"comm\"}", NULL) > 0, 1);
    assert_int_equal(seen(&r, "root/event", "\"kind\":\"device\",\"device\":\"d\",\"bus\":\"b1\",\"state\":\"offline\"", NULL), 1);
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
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"ack\",\"level\":\"red\",\"was\":\"red\",\"acked\":true", NULL), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"by\":\"Li\",\"comment\":\"seen\"", NULL), 1);
    assert_int_equal(seen(&r, "root/event", "\"kind\":\"command\",\"command\":\"ack\",\"alarm\":\"gw-01-1\"", NULL), 1);
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
    assert_true(r.pipeline.store_failing);
    disk_refuses(false);
    pass(&r, 10000);
    assert_false(r.pipeline.store_failing);
    assert_int_equal(seen(&r, "root/alarm", "\"seq\":1,", &proper), 1);
    /* The same record, but for the number and the hash. */
    assert_memory_equal(strstr(first->payload, "\"ts\""), strstr(proper->payload, "\"ts\""),
                        (size_t)(strstr(first->payload, "}]}") - strstr(first->payload, "\"ts\"")));
    rig_end(&r);
}

static void fill_the_alarms_share(struct rig *r)
{
    static char big[100000];
    struct store_record record = {.stream = STREAM_EVENT, .ts = 1, .body = big, .device = SITE_NONE, .kind = "start"};
    enum rg_err err = RG_OK;

    memset(big, 'x', sizeof big);
    memcpy(big, "\"ts\":1,\"kind\":\"start\",\"x\":\"", 27);
    big[sizeof big - 1] = '"';
    for (record.length = sizeof big; record.length > 100; record.length = record.length / 2) {
        do {
            big[record.length - 1] = '"';
            err = store_append(r->pipeline.store, &record);
            big[record.length - 1] = 'x';
        } while (err == RG_OK);
        assert_int_equal(err, RG_EFULL);
    }
}

static void an_alarm_without_room_in_memory_goes_out_all_the_same(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 3500);
    disk_refuses(true);
    pass(&r, 2000); /* telemetry cannot be committed: the store fails */
    fill_the_alarms_share(&r);
    r.a = 60;
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"stored\":false", NULL), 1);
    assert_int_equal(seen(&r, "root/risk", "\"level\":\"red\"", NULL), 1);
    assert_int_equal(r.pipeline.unrecorded, 1);
    disk_refuses(false);
    pass(&r, 20000);
    assert_int_equal(seen(&r, "root/event", "\"kind\":\"lost\",\"stream\":\"alarm\",\"first\":null,\"last\":null,\"count\":1,\"cause\":\"memory\"", NULL), 1);
    /* What was not recorded is still so: the next transition says what it was. */
    r.a = 5;
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"clear\",\"level\":\"none\",\"was\":\"red\"", NULL), 1);
    rig_end(&r);
}

/* ---- another site ---- */

static void a_reload_carries_active_alarms_over(void **state)
{
    struct site_rule changed;
    struct site next;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    r.a = 60;
    pass(&r, 2000);
    assert_int_equal(pipeline_ack(&r.pipeline, "gw-01-1", "Li", NULL), RG_OK);
    next = r.site.site;
    changed = next.rules[0];
    changed.above[LEVEL_RED] = 55;
    next.rules = &changed;
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    pass(&r, 5000);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_RED);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-", NULL), 2); /* raise, ack */
    r.a = 5;
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-1\",\"event\":\"clear\",\"level\":\"none\",\"was\":\"red\",\"acked\":true", NULL), 1);
    r.a = 60;
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-2\",\"event\":\"raise\"", NULL), 1);
    /* The rule is gone: so is its alarm, and that is told. */
    next.rule_count = 0;
    assert_int_equal(pipeline_take(&r.pipeline, &next, "89ab", NULL), RG_OK);
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-2\",\"event\":\"clear\"", NULL), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"comment\":\"no longer configured\"", NULL), 1);
    assert_string_equal(r.pipeline.config_sha256, "89ab");
    rig_end(&r);
}

/* A delay has ended, but the answer that lies in the mailbox is still waited for: the old rules decide. */
static void what_is_due_by_the_reload_is_not_lost(void **state)
{
    int64_t raised_ms;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT "rule r points=d.a above=red:50 on=4500ms\n");
    pass(&r, 3500);
    r.a = 60;
    pass(&r, 500 + 10); /* the instant and its answer */
    raised_ms = loop_mono_ms(r.loop) + 4500;
    assert_true(virtual_loop_run_until(r.loop, raised_ms + PIPELINE_TICK_LAG_MS / 2));
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_NONE);
    assert_int_equal(pipeline_take(&r.pipeline, &r.site.site, "4567", NULL), RG_OK);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_RED);
    pass(&r, 500);
    assert_int_equal(seen(&r, "root/alarm", "\"event\":\"raise\"", NULL), 1);
    rig_end(&r);
}

static void a_reload_that_fails_changes_nothing(void **state)
{
    const struct poll *poll;
    const struct rules *rules;
    struct site_rule changed;
    struct site next;
    size_t alive, tries = 0;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    r.a = 60;
    pass(&r, 2000);
    poll = r.pipeline.poll;
    rules = r.pipeline.rules;
    alive = fake_alive(r.fake);
    next = r.site.site;
    changed = next.rules[0];
    changed.name = "other";
    next.rules = &changed;
    for (;;) {
        uint64_t asked = fake_device(r.fake, 0)->asked;

        fake_fail_after(r.fake, ++tries);
        if (pipeline_take(&r.pipeline, &next, "4567", NULL) == RG_OK)
            break;
        assert_ptr_equal(r.pipeline.poll, poll);
        assert_ptr_equal(r.pipeline.rules, rules);
        assert_ptr_equal(r.pipeline.site, &r.site.site);
        assert_string_equal(r.pipeline.config_sha256, "0123");
        assert_int_equal(fake_alive(r.fake), alive);
        pass(&r, 3000);
        assert_int_equal(fake_device(r.fake, 0)->asked, asked + 3);
        assert_int_equal(rules_level(r.pipeline.rules), LEVEL_RED);
    }
    assert_int_equal(tries, 3); /* a plan and a link */
    fake_fail_after(r.fake, 0);
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/alarm", "\"rule\":\"other\"", NULL), 1);
    rig_end(&r);
}

static void a_reload_with_a_name_the_store_refuses_changes_nothing(void **state)
{
    struct site_uplink bad;
    struct site next;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 2000);
    next = r.site.site;
    bad = next.uplinks[0];
    bad.name = "no identifier";
    next.uplinks = &bad;
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_EINVAL);
    pass(&r, 3000);
    assert_ptr_equal(r.pipeline.site, &r.site.site);
    assert_int_equal(seen(&r, "root/telemetry", "\"records\"", NULL), 5);
    rig_end(&r);
}

/* A step of the clock in the second before a reload is still told. */
static void a_reload_hides_no_step_of_the_clock(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 3500);
    virtual_loop_set_wall(r.loop, loop_wall_ms(r.loop) + 3600000);
    assert_int_equal(pipeline_take(&r.pipeline, &r.site.site, "4567", NULL), RG_OK);
    pass(&r, 2000);
    assert_int_equal(seen(&r, "root/event", "\"kind\":\"clock\",\"step_ms\":3600000,\"synced\":true", NULL), 1);
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
    assert_int_equal(pipeline_open(&half, r.loop, &env, &r.site.site, "0123", &start, why, sizeof why), RG_EEXIST);
    assert_non_null(strstr(why, "p.db"));
    assert_int_equal(pipeline_close(&half), RG_OK);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    /* A device that cannot be planned. */
    fake_fail_after(r.fake, 1);
    assert_int_equal(pipeline_open(&half, r.loop, &env, &r.site.site, "0123", &start, why, sizeof why), RG_ENOMEM);
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

/* One that is configured no more hands its cursors over while it leaves: nobody may keep them. */
static void a_removed_uplink_leaves_no_cursor(void **state)
{
    struct cursor cursors[STREAM_COUNT];
    struct site next;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 10000);
    store_cursor_get(r.pipeline.store, "county", cursors);
    assert_true(cursors[STREAM_EVENT].acked > 0);
    next = r.site.site;
    next.uplink_count = 0;
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    support_broker_cut(r.broker); /* it keeps its cursors when its connection is lost */
    pass(&r, 5000);
    store_cursor_get(r.pipeline.store, "county", cursors);
    assert_int_equal(cursors[STREAM_EVENT].acked, 0);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reading_becomes_a_record_of_the_platform),
        cmocka_unit_test(an_alarm_waits_for_no_commit_of_telemetry),
        cmocka_unit_test(silence_takes_the_same_way),
        cmocka_unit_test(an_alarm_is_acknowledged_once),
        cmocka_unit_test(an_alarm_that_is_not_stored_goes_out_at_once_and_again),
        cmocka_unit_test(an_alarm_without_room_in_memory_goes_out_all_the_same),
        cmocka_unit_test(a_reload_carries_active_alarms_over),
        cmocka_unit_test(what_is_due_by_the_reload_is_not_lost),
        cmocka_unit_test(a_reload_that_fails_changes_nothing),
        cmocka_unit_test(a_reload_with_a_name_the_store_refuses_changes_nothing),
        cmocka_unit_test(a_reload_hides_no_step_of_the_clock),
        cmocka_unit_test(an_active_alarm_outlives_the_process),
        cmocka_unit_test(a_pipeline_that_does_not_open_is_closed_all_the_same),
        cmocka_unit_test(a_filter_by_device_knows_records_from_before_the_start),
        cmocka_unit_test(a_removed_uplink_leaves_no_cursor),
    };

    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
