/* LINK rg_store rg_loop_virtual rg_test_support rg_fault_vfs PkgConfig::SQLITE */
/* A disk that refuses, is full, or is slow. */
#include "test_store_help.h"
#include "fault_vfs.h"

#include <sys/statfs.h>
#include <sys/statvfs.h>

/* In the place of the system's: the disk that is played here may be full. */
int statvfs(const char *path, struct statvfs *out);
int statvfs(const char *path, struct statvfs *out)
{
    struct statfs real;
    if (statfs(path, &real) != 0)
        return -1;
    int64_t left = fault_now()->capacity - fault_total();
    *out = (struct statvfs){.f_frsize = 1, .f_bavail = (fsblkcnt_t)(left > 0 ? left : 0)};
    if (fault_now()->capacity == 0)
        *out = (struct statvfs){.f_frsize = (unsigned long)real.f_bsize, .f_bavail = real.f_bavail};
    return 0;
}

static void waiting(const struct rig *r, bool any)
{
    struct store_stats stats;
    store_stats(r->store, &stats);
    assert_int_equal(stats.waiting_bytes > 0, any);
}

static void no_holes(const struct rig *r, const char *table)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "SELECT count(*) = coalesce(max(seq) - min(seq) + 1, 0) FROM %s", table);
    assert_int_equal(rig_number(r, sql), 1);
}

static void test_refusing(void **state)
{
    (void)state;
    static const struct {
        int write, sync;
    } faults[] = {{SQLITE_IOERR_WRITE, 0}, {0, SQLITE_IOERR_FSYNC}, {SQLITE_FULL, 0}};
    for (size_t i = 0; i < RG_COUNT(faults); i++) {
        struct rig r;
        rig_init(&r);
        rig_open(&r);
        rig_frame(&r, 1);
        rig_alarm(&r, 1);
        rig_run(&r, 0);
        fault_now()->write_error = faults[i].write;
        fault_now()->sync_error = faults[i].sync;

        rig_frame(&r, 2);
        struct cursor cursor = {.acked = 1};
        assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &cursor), RG_OK);
        rig_alarm(&r, 2);
        assert_int_equal(r.unstored, 0);
        rig_run(&r, 0);
        assert_int_equal(r.health_false, 1);
        assert_non_null(strstr(r.health, r.path));
        assert_int_equal(r.unstored, 1);
        assert_non_null(strstr(r.last_unstored, "gw-01-2"));
        rig_alarm(&r, 3); /* while it is failing: told at once, too */
        assert_int_equal(r.unstored, 1);
        rig_run(&r, 2);
        assert_int_equal(r.unstored, 2);
        assert_non_null(strstr(r.last_unstored, "gw-01-3"));
        assert_int_equal(rig_event(&r, "device"), RG_OK);
        rig_run(&r, 60000);
        assert_int_equal(r.unstored, 2); /* once each */
        assert_int_equal(r.health_false, 1);
        assert_int_equal(r.health_true, 0);
        assert_int_equal(r.head[STREAM_ALARM], 1);
        waiting(&r, true);
        struct store_stats stats;
        store_stats(r.store, &stats);
        assert_false(stats.ok);
        assert_true(stats.failures > 10 && stats.failures < 60); /* growing gaps, up to 5 s */

        fault_clear();
        rig_run(&r, 5001);
        assert_int_equal(r.health_true, 1);
        assert_int_equal(r.head[STREAM_ALARM], 3);
        assert_int_equal(r.head[STREAM_TELEMETRY], 2);
        assert_int_equal(r.head[STREAM_EVENT], 1);
        waiting(&r, false);
        assert_int_equal(r.lost_count, 0);
        no_holes(&r, "alarm");
        assert_string_equal(rig_query(&r, "SELECT group_concat(body ->> '$.alarm') FROM alarm"),
                            "gw-01-1,gw-01-2,gw-01-3");
        assert_string_equal(rig_query(&r, "SELECT acked, pending FROM v_uplink WHERE stream = 'telemetry'"),
                            "1|1");
        /* The index for filters knows the device whose first record failed at first. */
        const bool second[] = {false, false, true};
        struct stream_filter filter = {.devices = second, .device_count = 3};
        assert_int_equal(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, 10000, &filter)->chunk.first, 2);
        rig_end(&r);
    }
}

static int flushed;

static void note_flush(void *arg, bool ok)
{
    (void)arg;
    flushed = ok ? 1 : 2;
}

static void test_flush_fails(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    fault_now()->sync_error = SQLITE_IOERR_FSYNC;
    rig_frame(&r, 1);
    flushed = 0;
    store_flush(r.store, note_flush, NULL);
    rig_run(&r, 10);
    assert_int_equal(flushed, 2);
    fault_clear();
    rig_run(&r, 10000);
    assert_int_equal(r.head[STREAM_TELEMETRY], 1);
    rig_end(&r);
}

/* Memory is bounded while the disk is stuck, alarms have their own share, and what was dropped is told. */
static void test_bounded(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    uint64_t refused = 0, taken = 0;
    for (int i = 0; i < 200000; i++) {
        enum rg_err err = rig_telemetry(&r, 1, VIRTUAL_WALL_MS, "\"values\":{\"lel\":12.3}");
        assert_true(err == RG_OK || err == RG_EFULL);
        *(err == RG_OK ? &taken : &refused) += 1;
        if (i % 10000 == 0)
            rig_run(&r, 1000);
    }
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_true(stats.waiting_bytes <= 2 * STORE_BATCH_BYTES);
    assert_true(stats.waiting_bytes > STORE_BATCH_BYTES);
    assert_true(refused > 0);
    for (unsigned i = 0; i < 100; i++)
        rig_alarm(&r, i + 1);
    rig_run(&r, 2);
    assert_int_equal(r.unstored, 100);
    assert_int_equal(r.lost_count, 0);

    fault_clear();
    while (r.head[STREAM_TELEMETRY] == 0)
        assert_true(virtual_loop_step(r.loop));
    rig_alarm(&r, 101); /* does not wait for all that has gathered */
    while (r.head[STREAM_ALARM] < 101)
        assert_true(virtual_loop_step(r.loop));
    assert_true((uint64_t)r.head[STREAM_TELEMETRY] < taken / 2);
    rig_run(&r, 60000);
    assert_int_equal(r.head[STREAM_TELEMETRY], taken);
    assert_int_equal(r.lost_count, 1);
    assert_int_equal(r.lost[0].stream, STREAM_TELEMETRY);
    assert_int_equal(r.lost[0].count, refused);
    assert_int_equal(r.lost[0].first, 0);
    assert_string_equal(r.lost[0].cause, "memory");
    store_stats(r.store, &stats);
    assert_int_equal(stats.lost, refused);
    rig_end(&r);
}

/* Alarms that fit where the long telemetry before them does not. */
static void test_full_disk(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    const char *const county[] = {"county"};
    assert_int_equal(store_configure(r.store, &r.conf, county, 1), RG_OK);
    for (int i = 0; i < 60; i++) {
        for (int k = 0; k < 300; k++)
            rig_frame(&r, (uint32_t)k);
        rig_run(&r, 1000);
    }
    rig_run(&r, 20000);
    struct store_stats stats;
    store_stats(r.store, &stats);
    int64_t head = r.head[STREAM_TELEMETRY];
    assert_int_equal(head, 18000);
    char reserve[SUPPORT_TMP_SIZE + 64];
    (void)snprintf(reserve, sizeof(reserve), "%s.reserve", r.path);
    fault_now()->beside = reserve;
    fault_now()->capacity = fault_total(); /* nothing may grow any more, but into the reserve */
    for (unsigned i = 0; i < 300; i++) {
        for (int k = 0; k < 300; k++)
            rig_frame(&r, (uint32_t)k);
        rig_alarm(&r, i + 1);
        rig_run(&r, 1000);
    }
    /* Older telemetry made room for newer, and no alarm was lost. */
    assert_true(fault_now()->failures > 0);
    rig_run(&r, 10000);
    assert_int_equal(r.head[STREAM_ALARM], 300);
    assert_int_equal(r.head[STREAM_TELEMETRY], 18000 + 300 * 300);
    waiting(&r, false);
    assert_true(rig_number(&r, "SELECT count(*) FROM alarm") == 300);
    assert_true(rig_number(&r, "SELECT min(seq) FROM telemetry") > 1);
    assert_true(r.lost_count > 0);
    assert_string_equal(r.lost[0].cause, "disk");
    assert_int_equal(r.lost[0].first, 1);
    no_holes(&r, "telemetry");
    fault_clear();
    rig_run(&r, 70000);
    assert_string_equal(rig_query(&r, "PRAGMA integrity_check"), "ok");
    rig_end(&r);
}

/* Telemetry has filled the disk to the last byte: ten thousand alarms still go in. */
static void test_alarms_share(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.max_size = 64 << 20;
    rig_open(&r);
    char reserve[SUPPORT_TMP_SIZE + 64];
    (void)snprintf(reserve, sizeof(reserve), "%s.reserve", r.path);
    fault_now()->beside = reserve;
    fault_now()->capacity = 24 << 20;
    rig_run(&r, 11000);
    struct store_stats stats;
    do { /* until nothing more goes in but for what makes room for it */
        for (uint32_t k = 0; k < 2000; k++)
            rig_frame(&r, k);
        rig_run(&r, 1000);
        store_stats(r.store, &stats);
    } while (rig_number(&r, "SELECT coalesce(min(seq), 1) FROM telemetry") == 1);
    for (unsigned i = 0; i < 10000; i++) {
        rig_alarm(&r, i + 1);
        rig_frame(&r, 1);
        if (i % 20 == 0)
            rig_run(&r, 100);
    }
    rig_run(&r, 10000);
    assert_int_equal(r.head[STREAM_ALARM], 10000);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), 10000);
    /* A batch may fail before room is made for it: its alarms went out at once then, and are stored as well. */
    assert_true(r.unstored < 200);
    store_stats(r.store, &stats);
    assert_true(stats.ok);
    no_holes(&r, "alarm");
    no_holes(&r, "telemetry");
    rig_end(&r);
}

/* The n-th write or sync fails, for every n: whatever it was in the middle of, nothing gets lost, doubled or out
 * of order. */
static void test_each_write(void **state)
{
    (void)state;
    uint64_t failures = 0;
    for (int64_t n = 0; n < 60; n++) {
        struct rig r;
        rig_init(&r);
        r.conf.keep_telemetry_ms = 30000;
        rig_open(&r);
        fault_now()->write_error = n % 2 == 0 ? SQLITE_IOERR_WRITE : SQLITE_FULL;
        fault_now()->countdown = n;
        for (unsigned i = 0; i < 30; i++) {
            for (uint32_t k = 0; k < 20; k++)
                rig_frame(&r, k);
            rig_alarm(&r, i + 1);
            assert_int_equal(rig_event(&r, "device"), RG_OK);
            rig_run(&r, 1500);
            if (i == 20) {
                failures += fault_now()->failures;
                fault_clear();
            }
        }
        rig_run(&r, 10000);
        assert_int_equal(r.head[STREAM_ALARM], 30);
        assert_int_equal(r.head[STREAM_EVENT], 30);
        assert_int_equal(r.head[STREAM_TELEMETRY], 600);
        no_holes(&r, "alarm");
        no_holes(&r, "telemetry");
        assert_int_equal(rig_number(&r, "SELECT count(DISTINCT body ->> '$.alarm') FROM alarm"), 30);
        assert_int_equal(r.health_false, r.health_true);
        rig_close(&r);
        rig_open(&r);
        assert_true(r.start.clean);
        assert_int_equal(r.start.head[STREAM_TELEMETRY], 600);
        rig_end(&r);
    }
    assert_true(failures > 60);
}

static void run_sql(const struct rig *r, const char *sql)
{
    sqlite3 *db = rig_sql(r);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A statement that fails in the middle of a transaction, which SQLite then leaves open; and only telemetry's:
 * alarms pass. */
static void test_bad_statement(void **state)
{
    (void)state;
    static const char trigger[] = "CREATE TRIGGER no BEFORE INSERT ON telemetry WHEN new.seq > 3 BEGIN "
                                  "SELECT RAISE(ABORT, 'no more'); END";
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    run_sql(&r, trigger);
    for (int i = 0; i < 5; i++)
        rig_frame(&r, 1);
    rig_alarm(&r, 1);
    rig_run(&r, 0);
    assert_int_equal(r.head[STREAM_ALARM], 0); /* all of a batch or nothing */
    assert_int_equal(r.unstored, 1);
    assert_non_null(strstr(r.health, "no more"));
    rig_run(&r, 10000);
    assert_int_equal(r.head[STREAM_ALARM], 1); /* the next time alone */
    assert_int_equal(r.head[STREAM_TELEMETRY], 0);
    rig_alarm(&r, 2);
    rig_run(&r, 10000);
    assert_int_equal(r.head[STREAM_ALARM], 2);
    assert_int_equal(r.health_false, 1);
    assert_int_equal(r.health_true, 0);
    run_sql(&r, "DROP TRIGGER no");
    rig_run(&r, 6000);
    assert_int_equal(r.head[STREAM_TELEMETRY], 5);
    assert_int_equal(r.health_true, 1);

    run_sql(&r, trigger);
    rig_frame(&r, 1);
    rig_alarm(&r, 3);
    store_start_free(&r.start);
    assert_int_equal(store_close(r.store), RG_EIO);
    run_sql(&r, "DROP TRIGGER no");
    rig_open(&r);
    assert_false(r.start.clean);
    assert_int_equal(r.start.head[STREAM_ALARM], 3);
    assert_int_equal(r.start.head[STREAM_TELEMETRY], 5);
    rig_end(&r);
}

static void take_long(void *arg)
{
    virtual_loop_spend(arg, 20000);
}

/* A disk that does not answer for long: an alarm goes out though nothing has failed yet, and is stored once it
 * answers. */
static void test_slow_disk(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    fault_now()->on_sync = take_long;
    fault_now()->arg = r.loop;
    rig_frame(&r, 1);
    rig_run(&r, 1500); /* under way */
    rig_alarm(&r, 1);
    rig_run(&r, 2000);
    assert_int_equal(r.unstored, 0);
    rig_run(&r, 1000);
    assert_int_equal(r.unstored, 1);
    assert_int_equal(r.health_false, 1);
    rig_alarm(&r, 2);
    rig_run(&r, 2);
    assert_int_equal(r.unstored, 2);
    fault_clear();
    rig_run(&r, 30000);
    assert_int_equal(r.unstored, 2);
    assert_int_equal(r.health_false, 1);
    assert_int_equal(r.health_true, 1);
    assert_int_equal(r.head[STREAM_ALARM], 2);
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_int_equal(stats.failures, 0);
    rig_end(&r);
}

static void test_close_while_failing(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    rig_alarm(&r, 1);
    rig_run(&r, 0);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    rig_alarm(&r, 2);
    store_start_free(&r.start);
    assert_int_equal(store_close(r.store), RG_EIO);
    r.store = NULL;
    fault_clear();
    rig_open(&r);
    assert_false(r.start.clean);
    assert_int_equal(r.start.head[STREAM_ALARM], 1);
    assert_int_equal(r.start.next_alarm,
                     2 + 1000000); /* gw-01-2 may have gone out unstored: never used again */
    rig_end(&r);
}

static void test_open_fails(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (int64_t n = 0; n < 200; n++) {
        struct rig r;
        rig_init(&r);
        fault_now()->write_error = SQLITE_IOERR_WRITE;
        fault_now()->countdown = n;
        enum rg_err err = rig_try_open(&r);
        fault_clear();
        if (err != RG_OK) {
            assert_int_equal(err, RG_EIO);
            assert_non_null(strstr(r.why, r.path));
            failed++;
            rig_open(&r); /* and goes on where it was */
        }
        rig_frame(&r, 1);
        rig_run(&r, 2000);
        assert_int_equal(r.head[STREAM_TELEMETRY], 1);
        rig_end(&r);
    }
    assert_true(failed > 10 && failed < 200);
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
        cmocka_unit_test_setup(test_refusing, clear),
        cmocka_unit_test_setup(test_flush_fails, clear),
        cmocka_unit_test_setup(test_bounded, clear),
        cmocka_unit_test_setup(test_full_disk, clear),
        cmocka_unit_test_setup(test_alarms_share, clear),
        cmocka_unit_test_setup(test_each_write, clear),
        cmocka_unit_test_setup(test_close_while_failing, clear),
        cmocka_unit_test_setup(test_open_fails, clear),
        cmocka_unit_test_setup(test_slow_disk, clear),
        cmocka_unit_test_setup(test_bad_statement, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
