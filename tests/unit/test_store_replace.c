/* LINK rg_store rg_loop_virtual rg_test_support rg_fault_vfs PkgConfig::SQLITE */
/* A database that is found damaged, or taken away, while the store runs: it is set aside, a new one goes on with the numbers
 * that follow, nothing in memory is lost, each number has one content. */
#include "test_store_damage.h"

#include "fault_vfs.h"

#define ALARMS 12

static void fill(struct rig *r)
{
    const char *const uplinks[] = {"county"};
    rig_init(r);
    r->append_lost = true;
    rig_open(r);
    assert_int_equal(store_configure(r->store, &r->conf, uplinks, 1), RG_OK);
    for (unsigned i = 0; i < 600; i++) {
        rig_frame(r, i % 7);
        if (i < ALARMS) {
            rig_alarm(r, i + 1);
            assert_int_equal(rig_event(r, "device"), RG_OK);
        }
    }
    struct cursor cursor = {.acked = 400};
    assert_int_equal(store_cursor_put(r->store, "county", STREAM_TELEMETRY, &cursor), RG_OK);
    rig_run(r, 30000);
    sqlite3 *db = rig_sql(r);
    assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(r->head[STREAM_TELEMETRY], 600);
}

/* All pages of these tables are overwritten under the running store, whose caches are dropped by a foreign change. */
static void damage(struct rig *r, const char *where)
{
    char sql[256], bytes[4096];
    memset(bytes, 0xa5, sizeof(bytes));
    (void)snprintf(sql, sizeof(sql), "SELECT group_concat(pageno) FROM dbstat WHERE %s", where);
    char pages[4096];
    (void)snprintf(pages, sizeof(pages), "%s", rig_query(r, sql));
    assert_true(pages[0] != '\0');
    sqlite3 *db = rig_sql(r);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE run SET clean = 0; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    char *rest = pages;
    for (const char *page = strtok_r(pages, ",", &rest); page != NULL; page = strtok_r(NULL, ",", &rest))
        damage_patch(r->path, (strtol(page, NULL, 10) - 1) * 4096, bytes, sizeof(bytes));
}

/* One alarm more, and everything that must hold once it is stored. */
static void goes_on(struct rig *r, bool kept)
{
    rig_alarm(r, ALARMS + 1);
    rig_frame(r, 3);
    rig_run(r, 100000);
    if (r->asides != 1)
        fail_msg("%u set aside, the last for: %s", r->asides, r->aside_why);
    assert_int_equal(r->head[STREAM_ALARM], ALARMS + 1);
    assert_int_equal(r->head[STREAM_TELEMETRY], 601);
    assert_int_equal(r->health_false, r->health_true);
    assert_true(r->lost_count >= 1);
    for (size_t i = 0; i < r->lost_count; i++) {
        assert_true(!kept || r->lost[i].stream == STREAM_TELEMETRY);
        if (r->lost[i].stream == STREAM_TELEMETRY)
            assert_true(r->lost[i].first == 1 && r->lost[i].last == 600);
    }
    damage_audit(r);
    damage_complete(r);
    assert_string_equal(rig_query(r, "SELECT seq, d.name FROM telemetry t JOIN device d ON d.id = t.device"),
                        "601|gas-3");
    assert_int_equal(rig_number(r, "SELECT acked FROM cursor WHERE uplink = 'county' AND stream = 1"), 400);
    if (kept)
        assert_int_equal(rig_number(r, "SELECT count(*) FROM occurrence"), ALARMS + 1);
    const struct rig_chunk *c = rig_fetch(r, STREAM_TELEMETRY, 1, 0, 10, 10000, NULL);
    assert_int_equal(c->chunk.error, RG_OK);
    assert_int_equal(c->chunk.first, 601);
    assert_int_equal(c->chunk.prev, 600);
    struct store_stats stats;
    store_stats(r->store, &stats);
    assert_true(stats.ok && stats.detail[0] == '\0');
    assert_int_equal(stats.aside_count, r->aside[0] != '\0');
    rig_close(r);
    rig_open(r);
    assert_string_equal(r->start.damage, "");
    assert_int_equal(r->start.head[STREAM_ALARM], ALARMS + 1);
    assert_int_equal(r->start.boot, 2);
    rig_end(r);
}

/* The writer stumbles over it: the table of the streams' ends, which each commit writes. */
static void test_writer(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    damage(&r, "name = 'stream'");
    goes_on(&r, true);
}

/* Telemetry's newest page. */
static void test_newest_page(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    damage(&r, "name = 'telemetry' AND pageno = (SELECT max(pageno) FROM dbstat WHERE name = 'telemetry')");
    goes_on(&r, true);
}

/* The alarms themselves: what cannot be read of them is told, too. */
static void test_alarms(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    damage(&r, "name = 'alarm'");
    goes_on(&r, false);
}

/* The reader stumbles over it, for an uplink, while nothing is written. */
static void test_reader(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    damage(&r, "name = 'telemetry' AND pagetype = 'leaf'");
    const struct rig_chunk *c = rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, 10000, NULL);
    assert_int_equal(c->chunk.error, RG_ECORRUPT);
    rig_run(&r, 1000);
    assert_int_equal(r.asides, 1);
    goes_on(&r, true);
}

/* The retention does. */
static void test_retention(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    damage(&r, "name = 'telemetry' AND pageno = (SELECT min(pageno) FROM dbstat WHERE name = 'telemetry' AND"
               " pagetype = 'leaf')");
    r.conf.keep_telemetry_ms = 20000;
    const char *const uplinks[] = {"county"};
    assert_int_equal(store_configure(r.store, &r.conf, uplinks, 1), RG_OK);
    rig_run(&r, 20000);
    assert_int_equal(r.asides, 1);
    r.conf.keep_telemetry_ms = 30 * RIG_DAY;
    assert_int_equal(store_configure(r.store, &r.conf, uplinks, 1), RG_OK);
    goes_on(&r, true);
}

/* Taken away, or another one put in its place: nothing that is written to a file without a name is stored. */
static void test_taken_away(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct rig r;
        fill(&r);
        assert_int_equal(remove(r.path), 0);
        if (other)
            damage_write(r.path, "of somebody else", 16);
        rig_alarm(&r, ALARMS + 1);
        rig_frame(&r, 3);
        rig_run(&r, 100000);
        assert_int_equal(r.asides, 1);
        assert_int_equal(damage_asides(&r), other);
        assert_true(r.lost_count > 0);
        assert_string_equal(r.lost[0].cause, "missing");
        rig_alarm(&r, ALARMS + 2);
        rig_run(&r, 1000);
        assert_int_equal(r.head[STREAM_ALARM], ALARMS + 2);
        assert_int_equal(rig_number(&r, "SELECT max(seq) FROM alarm"), ALARMS + 2);
        damage_audit(&r);
        damage_complete(&r);
        rig_end(&r);
    }
}

struct asked {
    int64_t from_ms;
    const struct rig *rig;
    unsigned answers, refusals;
    int64_t took_ms;
};

static void flushed_cb(void *arg, bool ok)
{
    struct asked *a = arg;
    a->answers++;
    a->refusals += ok ? 0 : 1;
    a->took_ms = loop_mono_ms(a->rig->loop) - a->from_ms;
}

static void flush_refused(struct rig *r, int64_t most_ms)
{
    struct asked asked = {.from_ms = loop_mono_ms(r->loop), .rig = r};
    rig_frame(r, 1);
    store_flush(r->store, flushed_cb, &asked);
    rig_run(r, 20000);
    assert_int_equal(asked.answers, 1);
    assert_int_equal(asked.refusals, 1);
    assert_in_range(asked.took_ms, 0, most_ms);
}

/* Whoever waits for what is stored hears that it is not, as the end of the daemon does, also where no new database can be made, or not yet. */
static void test_flush_without_a_database(void **state)
{
    (void)state;
    struct rig r;
    char elsewhere[SUPPORT_TMP_SIZE + 16];
    fill(&r);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s.gone", r.folder);
    assert_int_equal(rename(r.folder, elsewhere), 0);
    rig_frame(&r, 1);
    rig_run(&r, 5000);
    assert_true(r.health_false > r.health_true);
    flush_refused(&r, 6000);
    assert_int_equal(rename(elsewhere, r.folder), 0);
    rig_run(&r, 20000);
    assert_int_equal(r.health_false, r.health_true);
    damage(&r, "name = 'stream'"); /* the second one within a minute */
    flush_refused(&r, 4000);
    rig_end(&r);
}

/* Somebody reads the old one all the while, and closes it last: that must not touch the new one's log. */
static void test_outside_reader(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    sqlite3 *outside = rig_sql(&r);
    sqlite3_stmt *rows = NULL;
    assert_int_equal(sqlite3_prepare_v2(outside, "SELECT seq FROM event", -1, &rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    damage(&r, "name = 'stream'");
    rig_alarm(&r, ALARMS + 1);
    rig_run(&r, 1000);
    assert_int_equal(r.asides, 1);
    assert_int_equal(r.head[STREAM_ALARM], ALARMS + 1);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    assert_int_equal(sqlite3_finalize(rows), SQLITE_OK);
    assert_int_equal(sqlite3_close(outside), SQLITE_OK);
    assert_int_equal(access(damage_path(&r, "-wal"), F_OK), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), ALARMS + 1);
    damage_audit(&r);
    rig_end(&r);
}

/* There is no room for a new one at first: alarms go out unstored, once, and are stored once there is. */
static void test_no_room(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    damage(&r, "name = 'stream'");
    fault_now()->write_error = SQLITE_FULL;
    rig_alarm(&r, ALARMS + 1);
    rig_run(&r, 60000);
    assert_int_equal(r.unstored, 1);
    assert_int_equal(r.asides, 0);
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_false(stats.ok);
    assert_non_null(strstr(stats.detail, "full"));
    assert_int_equal(damage_asides(&r), 1);
    fault_clear();
    rig_run(&r, 10000);
    assert_int_equal(r.asides, 1);
    assert_int_equal(r.unstored, 1);
    assert_int_equal(r.head[STREAM_ALARM], ALARMS + 1);
    assert_int_equal(damage_asides(&r), 1);
    assert_int_equal(rig_number(&r, "SELECT count(DISTINCT body ->> '$.alarm') FROM alarm"), ALARMS + 1);
    damage_audit(&r);
    damage_complete(&r);
    rig_end(&r);
}

/* A disk that damages one after the other fills itself with at most one a minute. */
static void test_again_and_again(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    r.append_lost = false;
    for (unsigned i = 0; i < 4; i++) {
        damage(&r, "name = 'stream'");
        rig_alarm(&r, 100 + i);
        rig_run(&r, 30000); /* half of the while that there is between two */
    }
    assert_true(r.asides == 2 || r.asides == 3);
    rig_run(&r, 120000);
    assert_int_equal(r.head[STREAM_ALARM], ALARMS + 4);
    damage_audit(&r);
    rig_end(&r);
}

/* Damaged, and the end comes before anything could be done. */
static void test_close(void **state)
{
    (void)state;
    struct rig r;
    fill(&r);
    damage(&r, "name = 'stream'");
    rig_alarm(&r, ALARMS + 1);
    store_start_free(&r.start);
    enum rg_err err = store_close(r.store);
    r.store = NULL;
    r.lost_count = 0;
    rig_open(&r);
    assert_true(err == RG_OK || r.start.damage[0] != '\0');
    rig_run(&r, 2000);
    assert_true(r.start.head[STREAM_ALARM] >= ALARMS);
    damage_audit(&r);
    rig_end(&r);
}

static int clear(void **state)
{
    (void)state;
    fault_clear();
    return 0;
}

int main(void)
{
    fault_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_writer, clear),
        cmocka_unit_test_setup(test_newest_page, clear),
        cmocka_unit_test_setup(test_alarms, clear),
        cmocka_unit_test_setup(test_reader, clear),
        cmocka_unit_test_setup(test_retention, clear),
        cmocka_unit_test_setup(test_taken_away, clear),
        cmocka_unit_test_setup(test_flush_without_a_database, clear),
        cmocka_unit_test_setup(test_outside_reader, clear),
        cmocka_unit_test_setup(test_no_room, clear),
        cmocka_unit_test_setup(test_again_and_again, clear),
        cmocka_unit_test_setup(test_close, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
