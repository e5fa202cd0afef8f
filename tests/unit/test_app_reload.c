/* LINK rg_test_support rg_daemon rg_loop_virtual PkgConfig::SQLITE */
/* Another site in the running pipeline: it is taken whole, with the alarms that are active, or it changes nothing. */
#include <sqlite3.h>

#include "app/event.h"
#include "app/prime.h"
#include "config/config.h"
#include "app_rig.h"

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
    assert_int_equal(
        seen(&r, "root/alarm",
             "\"alarm\":\"gw-01-1\",\"event\":\"clear\",\"level\":\"none\",\"was\":\"red\",\"acked\":true",
             NULL),
        1);
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

/* Another window is filled from the store, as at a start: else a mean over a day would say nothing for most of a day. */
static void a_changed_window_is_filled_at_the_reload(void **state)
{
    struct site_rule changed;
    struct site next;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT "rule r points=d.a mean=10s above=red:70\n");
    r.a = 60;
    pass(&r, 40000);
    next = r.site.site;
    changed = next.rules[0];
    changed.above[LEVEL_RED] = 50;
    changed.signal.window_ms = 30000;
    next.rules = &changed;
    assert_int_equal(pipeline_take(&r.pipeline, &next, "4567", NULL), RG_OK);
    pass(&r, 2000);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_RED);
    rig_end(&r);
}

/* Off the loop, so the old rules go on meanwhile; what comes while the past is read is in the window, too. */
static void a_window_is_filled_ahead_of_the_reload(void **state)
{
    static const double when[] = {0, 1, 2}; /* the peak: before, while or after the past is read */
    struct site_rule changed;
    struct site next;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(when); i++) {
        struct prime *prime;
        struct rig r;

        rig_begin(&r, PLANT "rule r points=d.a max=10s above=red:70\n");
        pass(&r, 20000);
        next = r.site.site;
        changed = next.rules[0];
        changed.above[LEVEL_RED] = 50;
        changed.signal.window_ms = 60000;
        next.rules = &changed;
        r.a = when[i] == 0 ? 60 : 5;
        pass(&r, 3000);
        r.a = 5;
        pass(&r, 3000);
        assert_int_equal(prime_create(&r.pipeline, &next, &prime), RG_OK);
        assert_non_null(prime);
        prime_run(prime);
        r.a = when[i] == 1 ? 60 : 5;
        pass(&r, 3000);
        r.a = 5;
        pass(&r, 15000);
        assert_int_equal(rules_level(r.pipeline.rules), LEVEL_NONE); /* the old rule decides */
        assert_int_equal(pipeline_take_primed(&r.pipeline, &next, "4567", NULL, prime), RG_OK);
        prime_destroy(prime);
        r.a = when[i] == 2 ? 60 : 5;
        pass(&r, 3000);
        assert_int_equal(rules_level(r.pipeline.rules), LEVEL_RED);
        /* The next window is the same: nothing is to be filled. */
        assert_int_equal(prime_create(&r.pipeline, &next, &prime), RG_OK);
        assert_null(prime);
        rig_end(&r);
    }
}

/* An alarm that the old rules raise meanwhile has its number, and the next one another. */
static void numbers_go_on_while_windows_are_filled(void **state)
{
    struct site_rule changed;
    struct prime *prime;
    struct site next;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT "rule r points=d.a max=10s above=red:50\n");
    pass(&r, 5000);
    next = r.site.site;
    changed = next.rules[0];
    changed.signal.window_ms = 5000;
    next.rules = &changed;
    assert_int_equal(prime_create(&r.pipeline, &next, &prime), RG_OK);
    prime_run(prime);
    r.a = 60;
    pass(&r, 3000);
    assert_int_equal(pipeline_take_primed(&r.pipeline, &next, "4567", NULL, prime), RG_OK);
    prime_destroy(prime);
    r.a = 5;
    pass(&r, 10000);
    r.a = 60;
    pass(&r, 3000);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-1\",\"event\":\"clear\"", NULL), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-2\",\"event\":\"raise\"", NULL), 1);
    rig_end(&r);
}

/* A stop does not wait for years of the past to be read. */
static void what_is_cancelled_ends(void **state)
{
    struct site_rule changed;
    struct prime *prime;
    struct site next;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT "rule r points=d.a max=10s above=red:50\n");
    r.a = 60;
    pass(&r, 20000);
    next = r.site.site;
    changed = next.rules[0];
    changed.signal.window_ms = 60000;
    next.rules = &changed;
    assert_int_equal(prime_create(&r.pipeline, &next, &prime), RG_OK);
    prime_cancel(prime);
    prime_run(prime);
    prime_destroy(prime);
    prime_cancel(NULL);
    prime_destroy(NULL);
    rig_end(&r);
}

/* In the middle of a request, time after time: the device does not notice, and what it said last is known all along. A bus that is
 * another one has said nothing yet. */
static void a_reload_leaves_the_device_alone(void **state)
{
    struct site_bus bus;
    struct site next, elsewhere;
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    fake_device(r.fake, 0)->takes_ms = 300;
    pass(&r, 5600);
    const uint64_t asked = fake_device(r.fake, 0)->asked;
    next = r.site.site;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(pipeline_take(&r.pipeline, i % 2 ? &next : &r.site.site, "4567", NULL), RG_OK);
        assert_int_equal(evidence_last(&r.pipeline.evidence, 0).quality, QUALITY_GOOD);
        assert_true(evidence_last(&r.pipeline.evidence, 0).value == 5);
        pass(&r, 250);
    }
    assert_int_equal(fake_device(r.fake, 0)->asked, asked + 5);
    pass(&r, 300); /* until the last one is committed */
    assert_int_equal(seen(&r, "root/telemetry", "\"records\"", NULL), asked + 5);
    assert_int_equal(fake_bus(r.fake, 0)->cancelled, 0);
    bus = next.buses[0];
    bus.timeout_ms++;
    elsewhere = next;
    elsewhere.buses = &bus;
    assert_int_equal(pipeline_take(&r.pipeline, &elsewhere, "89ab", NULL), RG_OK);
    assert_int_equal(evidence_last(&r.pipeline.evidence, 0).quality, QUALITY_STALE);
    pass(&r, 1500);
    assert_int_equal(evidence_last(&r.pipeline.evidence, 0).quality, QUALITY_GOOD);
    assert_int_equal(fake_bus(r.fake, 0)->cancelled, 1);
    rig_end(&r);
}

static void a_reload_that_fails_changes_nothing(void **state)
{
    const struct poll *poll;
    const struct rules *rules;
    struct site_rule changed;
    struct site_bus bus;
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
    bus = next.buses[0];
    bus.timeout_ms++; /* or nothing would have to be made for it */
    next.buses = &bus;
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
    assert_int_equal(seen(&r, "root/event", "\"kind\":\"clock\",\"step_ms\":3600000,\"synced\":true", NULL),
                     1);
    rig_end(&r);
}

/* Whoever frees a full disk by a reload: what the old uplinks could not tell of is not forgotten by the new ones. */
static void alarms_not_stored_are_told_by_new_uplinks(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT RULE);
    pass(&r, 2000);
    disk_refuses(true);
    r.broker->connect = SUPPORT_REFUSE;
    support_broker_cut(r.broker);
    r.a = 30;
    pass(&r, 10000);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_YELLOW);
    pipeline_uplinks_free(&r.pipeline);
    assert_int_equal(pipeline_uplinks_start(&r.pipeline), RG_OK);
    r.broker->connect = SUPPORT_ACCEPT;
    pass(&r, 60000);
    assert_true(seen(&r, "root/alarm", "\"stored\":false", NULL) >= 1);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-1\",\"event\":\"raise\"", NULL), 1);
    disk_refuses(false);
    pass(&r, 60000);
    assert_int_equal(seen(&r, "root/alarm", "\"alarm\":\"gw-01-1\",\"event\":\"raise\"", NULL), 2);
    rig_end(&r);
}

/* All pages of a table are overwritten under the running daemon. */
static void damage(const struct rig *r, const char *table)
{
    char sql[128], bytes[4096];
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;
    FILE *file;

    memset(bytes, 0xa5, sizeof bytes);
    (void)snprintf(sql, sizeof sql, "SELECT pageno FROM dbstat WHERE name = '%s'", table);
    assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE run SET clean = 0; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    file = fopen(r->path, "r+b");
    assert_non_null(file);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        assert_int_equal(fseek(file, (sqlite3_column_int(stmt, 0) - 1) * 4096L, SEEK_SET), 0);
        assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What is active, and what is in force, is known to the daemon, whatever cannot be read of the old database. */
static void a_new_database_is_told_what_is_in_force(void **state)
{
    struct store_start start = {0};
    struct store *store = NULL;
    char why[512] = "";
    struct rig r;

    (void)state;
    rig_begin(&r, PLANT "rule r points=d.a above=yellow:20 latch=yellow\n");
    assert_int_equal(store_config_put(r.pipeline.store, "{}", 2), RG_OK);
    r.a = 30;
    pass(&r, 3000);
    r.a = 5;
    pass(&r, 3000);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_YELLOW);
    damage(&r, "occurrence");
    damage(&r, "applied");
    damage(&r, "stream");
    pass(&r, 70000);
    assert_int_equal(seen(&r, "root/event", "\"cause\":\"corrupt\"", NULL), 1);
    assert_int_equal(seen(&r, "root/alarm", "\"stored\":false", NULL), 0);
    assert_int_equal(pipeline_close(&r.pipeline), RG_OK);
    assert_int_equal(
        store_open(r.loop, &r.site.site.store, &(struct store_cbs){0}, NULL, &store, &start, why, sizeof why),
        RG_OK);
    assert_int_equal(start.alarm_count, 1);
    assert_true(start.config_length > 2);
    store_start_free(&start);
    assert_int_equal(store_close(store), RG_OK);
    rig_open(&r);
    pass(&r, 3000);
    assert_int_equal(rules_level(r.pipeline.rules), LEVEL_YELLOW);
    assert_int_equal(pipeline_ack(&r.pipeline, "gw-01-1", "Li", NULL), RG_OK);
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

/* However much else changed. */
static void devices_and_uplinks_are_told_among_thousands(void **state)
{
    enum { MANY = 3000 };
    static const char *const told[] = {
        "{\"what\":\"device.zz-new.bus\",\"old\":null,\"new\":\"b1\"}",
        "{\"what\":\"device.zz-old.bus\",\"old\":\"b1\",\"new\":null}",
        "{\"what\":\"device.zz.unit\",\"old\":\"1\",\"new\":\"2\"}",
        "{\"what\":\"rule.zz.above.red\",\"old\":\"1\",\"new\":\"2\"}",
        "{\"what\":\"uplink.zz.url\",\"old\":null,\"new\":\"mqtt://h\"}",
    };
    static char names[MANY][32];
    static struct config_change changes[MANY + 5];
    struct config_diff diff = {.changes = changes, .count = MANY + 5};
    struct config config = {.file = "f", .sha256 = "4567"};
    struct asked asked = {.count = 0};
    struct rig r;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i], "area.a%04zu.label", i);
        changes[i] = (struct config_change){.what = names[i], .before = "x", .after = "y"};
    }
    changes[MANY] = (struct config_change){"device.zz-new.bus", NULL, "b1"};
    changes[MANY + 1] = (struct config_change){"device.zz-old.bus", "b1", NULL};
    changes[MANY + 2] = (struct config_change){"device.zz.unit", "1", "2"};
    changes[MANY + 3] = (struct config_change){"rule.zz.above.red", "1", "2"};
    changes[MANY + 4] = (struct config_change){"uplink.zz.url", NULL, "mqtt://h"};
    rig_begin(&r, PLANT RULE);
    pass(&r, 2000);
    asked_add(&asked, "a test");
    event_config_applied(&r.pipeline, &config, &diff, &asked);
    pass(&r, 2000);
    for (size_t i = 0; i < RG_COUNT(told); i++)
        assert_int_equal(seen(&r, "root/event", told[i], NULL), 1);
    assert_int_equal(seen(&r, "root/event", "\"more\":2505", NULL), 1);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_carries_active_alarms_over),
        cmocka_unit_test(what_is_due_by_the_reload_is_not_lost),
        cmocka_unit_test(a_changed_window_is_filled_at_the_reload),
        cmocka_unit_test(a_window_is_filled_ahead_of_the_reload),
        cmocka_unit_test(numbers_go_on_while_windows_are_filled),
        cmocka_unit_test(what_is_cancelled_ends),
        cmocka_unit_test(devices_and_uplinks_are_told_among_thousands),
        cmocka_unit_test(a_reload_leaves_the_device_alone),
        cmocka_unit_test(a_reload_that_fails_changes_nothing),
        cmocka_unit_test(a_reload_with_a_name_the_store_refuses_changes_nothing),
        cmocka_unit_test(a_reload_hides_no_step_of_the_clock),
        cmocka_unit_test(alarms_not_stored_are_told_by_new_uplinks),
        cmocka_unit_test(a_new_database_is_told_what_is_in_force),
        cmocka_unit_test(a_removed_uplink_leaves_no_cursor),
    };

    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
