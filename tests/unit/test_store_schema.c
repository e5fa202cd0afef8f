/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* What is made of an empty file, of older ones, and which files are refused. */
#include "test_store_help.h"

#include "store/schema.h"

static void put_file(const struct rig *r, const char *text)
{
    FILE *file = fopen(r->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void run_sql(const struct rig *r, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void refused(struct rig *r, enum rg_err expected, const char *words)
{
    r->store = (struct store *)(void *)r;
    assert_int_equal(rig_try_open(r), expected);
    assert_null(r->store);
    if (strstr(r->why, words) == NULL || strstr(r->why, r->path) == NULL)
        fail_msg("says: %s", r->why);
}

static void test_empty(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    assert_true(r.start.fresh);
    assert_true(r.start.clean);
    assert_int_equal(r.start.boot, 1);
    assert_int_equal(r.start.next_alarm, 1);
    assert_int_equal(r.start.alarm_count, 0);
    assert_int_equal(rig_number(&r, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_int_equal(rig_number(&r, "PRAGMA application_id"), SCHEMA_APPLICATION_ID);
    assert_int_equal(rig_number(&r, "PRAGMA auto_vacuum"), 2);
    assert_string_equal(rig_query(&r, "PRAGMA journal_mode"), "wal");
    rig_close(&r);
    rig_open(&r);
    assert_false(r.start.fresh);
    assert_true(r.start.clean);
    assert_int_equal(r.start.boot, 2);
    assert_int_equal(r.start.next_alarm, 1);
    rig_end(&r);
}

static void columns(const struct rig *r, const char *view, const char *expected)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "SELECT group_concat(name, ' ') FROM pragma_table_info('%s')", view);
    assert_string_equal(rig_query(r, sql), expected);
}

static void test_names(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    columns(&r, "v_reading", "seq ts device point value quality");
    columns(&r, "v_alarm", "alarm rule point area level state acked raised_ts cleared_ts acked_ts acked_by");
    columns(&r, "v_alarm_event", "seq ts alarm event level was value limit_value by comment");
    columns(&r, "v_event", "seq ts kind body");
    columns(&r, "v_rollup", "point minute n min max mean bad");
    columns(&r, "v_uplink", "uplink stream acked pending");
    static const char *const tables[] = {"alarm", "telemetry", "event", "report"};
    for (size_t i = 0; i < RG_COUNT(tables); i++) {
        char sql[192];
        (void)snprintf(sql, sizeof(sql),
                       "SELECT count(*) FROM pragma_table_info('%s') WHERE name IN ('ts', 'body', 'hash')"
                       " OR (name = 'seq' AND pk = 1)",
                       tables[i]);
        assert_int_equal(rig_number(&r, sql), i == 1 ? 3 : 4);
    }
    rig_end(&r);
}

static void test_each_older_version(void **state)
{
    (void)state;
    for (int version = 0; version < SCHEMA_VERSION; version++) {
        struct rig r;
        rig_init(&r);
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(r.path, &db), SQLITE_OK);
        char why[256];
        assert_int_equal(schema_migrate(db, version, why, sizeof(why)), RG_OK);
        if (version > 0) {
            assert_int_equal(sqlite3_exec(db,
                                          "UPDATE stream SET seq = 7 WHERE id = 1;"
                                          "INSERT INTO device VALUES (0, 'gas-0');"
                                          "INSERT INTO telemetry(seq, ts, device, unsynced, body)"
                                          " VALUES (7, 5, 0, 0, '{\"seq\":7}')",
                                          NULL, NULL, NULL),
                             SQLITE_OK);
        }
        assert_int_equal(sqlite3_close(db), SQLITE_OK);

        rig_open(&r);
        assert_int_equal(rig_number(&r, "PRAGMA user_version"), SCHEMA_VERSION);
        assert_int_equal(r.start.head[STREAM_TELEMETRY], version > 0 ? 7 : 0);
        rig_frame(&r, 0);
        rig_run(&r, 2000);
        assert_int_equal(r.head[STREAM_TELEMETRY], version > 0 ? 8 : 1);
        assert_int_equal(rig_number(&r, "SELECT count(*) FROM v_reading"), 1);
        rig_end(&r);
    }
}

static void test_newer(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    rig_close(&r);
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", SCHEMA_VERSION + 1);
    run_sql(&r, sql);
    refused(&r, RG_EUNSUPPORTED, "newer");
    assert_int_equal(rig_number(&r, "PRAGMA user_version"), SCHEMA_VERSION + 1);
    rig_end(&r);
}

static void test_foreign(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    run_sql(&r, "CREATE TABLE their(own); INSERT INTO their VALUES (1)");
    refused(&r, RG_EINVAL, "some other program");
    assert_string_equal(rig_query(&r, "PRAGMA journal_mode"), "delete");
    assert_string_equal(rig_query(&r, "SELECT own FROM their"), "1");
    rig_end(&r);
}

static void test_no_database(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    put_file(&r, text);
    refused(&r, RG_EINVAL, "not a database"); /* what somebody else may have written is left alone */
    rig_end(&r);
}

static void test_no_folder(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    (void)snprintf(r.path, sizeof(r.path), "%s/none/riskgate.db", r.folder);
    refused(&r, RG_EIO, "No such file");
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_each_older_version),
        cmocka_unit_test(test_newer),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_no_database),
        cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
