/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* The past is read back in the order in which it was taken in: over all streams, several runs, from any instant on. */
#include "test_store_help.h"

#include "store/history.h"

/* "t3@gas-1 a1 e2" for telemetry 3 of gas-1, alarm 1, event 2. Valid until the next call. */
static const char *told(const struct rig *r, const struct history_wish *wish)
{
    static char out[1 << 16];
    struct history *h = NULL;
    struct history_entry e;
    char why[512] = "";
    size_t used = 0;
    int64_t turn = 0;
    enum rg_err err = history_open(r->path, wish, &h, why, sizeof why);

    if (err != RG_OK)
        fail_msg("%s: %s", rg_err_name(err), why);
    out[0] = '\0';
    while ((err = history_next(h, &e)) == RG_OK) {
        char head[64];

        used += (size_t)snprintf(out + used, sizeof out - used, "%s%c%" PRId64 "%s%s", used ? " " : "",
                                 stream_name(e.stream)[0], e.seq, e.device_name ? "@" : "",
                                 e.device_name ? e.device_name : "");
        assert_true(used < sizeof out);
        assert_true(e.turn >= turn);
        turn = e.turn;
        (void)snprintf(head, sizeof head, "{\"seq\":%" PRId64 ",", e.seq);
        assert_memory_equal(e.body, head, strlen(head));
        assert_int_equal(e.body[e.length - 1], '}');
        if (e.stream == STREAM_EVENT)
            assert_non_null(e.kind);
        if (wish->device_count > 0 && e.device != UINT32_MAX)
            assert_string_equal(wish->devices[e.device], e.device_name);
    }
    if (err != RG_ENOTFOUND)
        fail_msg("%s: %s", rg_err_name(err), history_why(h));
    assert_int_equal(history_next(h, &e), RG_ENOTFOUND);
    history_close(h);
    return out;
}

static void test_order(void **state)
{
    (void)state;
    struct rig r;
    const struct history_wish all = {0};

    rig_init(&r);
    rig_open(&r);
    assert_string_equal(told(&r, &all), "");
    rig_frame(&r, 1);
    rig_alarm(&r, 1);
    rig_frame(&r, 2);
    assert_int_equal(rig_event(&r, "start"), RG_OK);
    rig_frame(&r, 1);
    rig_run(&r, 2000);
    /* Whatever order they were committed in: alarms go first there. */
    assert_string_equal(told(&r, &all), "t1@gas-1 a1 t2@gas-2 e1 t3@gas-1");

    /* A later run goes on behind it, though its clock may be anything. */
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(rig_event(&r, "start"), RG_OK);
    assert_int_equal(rig_telemetry(&r, 2, 5, "\"values\":{}"), RG_OK);
    rig_alarm(&r, 2);
    rig_run(&r, 2000);
    assert_string_equal(told(&r, &all), "t1@gas-1 a1 t2@gas-2 e1 t3@gas-1 e2 t4@gas-2 a2");
    rig_end(&r);
}

static void test_a_place_taken_before(void **state)
{
    (void)state;
    struct rig r;
    struct store_record record = {
        .stream = STREAM_EVENT, .ts = 7, .mono = 3, .body = "\"ts\":7", .length = 6, .kind = "start"};

    rig_init(&r);
    rig_open(&r);
    rig_frame(&r, 1);
    record.turn = store_turn(r.store);
    rig_alarm(&r, 1);
    assert_int_equal(store_append(r.store, &record), RG_OK);
    rig_run(&r, 2000);
    assert_string_equal(told(&r, &(struct history_wish){0}), "t1@gas-1 e1 a1");
    assert_string_equal(rig_query(&r, "SELECT mono, turn FROM event"), "3|2");
    rig_end(&r);
}

static void test_wishes(void **state)
{
    (void)state;
    struct rig r;
    static const char *const devices[] = {"gas-3", "nobody", "gas-1"};

    rig_init(&r);
    rig_open(&r);
    for (int64_t i = 1; i <= 6; i++) {
        assert_int_equal(rig_telemetry(&r, (uint32_t)(i % 3) + 1, i * 1000, "\"values\":{}"), RG_OK);
        if (i % 2 == 0)
            rig_alarm(&r, (unsigned)i);
    }
    rig_run(&r, 2000);
    assert_string_equal(told(&r, &(struct history_wish){.from_ms = 3001}),
                        "t4@gas-2 a2 t5@gas-3 t6@gas-1 a3");
    assert_string_equal(told(&r, &(struct history_wish){.from_ms = 6000, .telemetry_only = true}),
                        "t6@gas-1");
    assert_string_equal(told(&r, &(struct history_wish){.from_ms = 6001}), "a3");
    assert_string_equal(told(&r, &(struct history_wish){.last_until_ms = 6999, .telemetry_only = true}),
                        "t6@gas-1");
    assert_string_equal(told(&r, &(struct history_wish){.last_until_ms = 1, .telemetry_only = true}), "");
    assert_string_equal(told(&r, &(struct history_wish){.devices = devices,
                                                        .device_count = 3,
                                                        .only_devices = true,
                                                        .telemetry_only = true}),
                        "t2@gas-3 t3@gas-1 t5@gas-3 t6@gas-1");
    assert_string_equal(told(&r, &(struct history_wish){.after_turn = 7, .telemetry_only = true}),
                        "t6@gas-1");
    assert_string_equal(told(&r, &(struct history_wish){.after_turn = 7}), "t6@gas-1 a3");
    rig_end(&r);
}

/* The oldest were taken by the retention, and what was recorded by an older version has no turn. */
static void test_what_is_left(void **state)
{
    (void)state;
    struct rig r;

    rig_init(&r);
    rig_open(&r);
    for (int64_t i = 1; i <= 5; i++)
        assert_int_equal(rig_telemetry(&r, 1, i * 1000, "\"values\":{}"), RG_OK);
    rig_alarm(&r, 1);
    rig_run(&r, 2000);
    rig_close(&r);
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(
        sqlite3_exec(db,
                     "DELETE FROM telemetry WHERE seq < 3; UPDATE telemetry SET turn = 0, mono = 0;"
                     "UPDATE alarm SET turn = 0, ts = 3500",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    rig_open(&r);
    rig_frame(&r, 2);
    rig_run(&r, 2000);
    assert_string_equal(told(&r, &(struct history_wish){0}), "t3@gas-1 a1 t4@gas-1 t5@gas-1 t6@gas-2");
    rig_end(&r);
}

/* A long history is read in stretches, and a daemon that goes on writing does not disturb. */
static void test_long(void **state)
{
    (void)state;
    struct rig r;
    struct history *h = NULL;
    struct history_entry e;
    char why[512];
    int64_t telemetry = 0, alarms = 0;
    sqlite3 *db;

    rig_init(&r);
    rig_open(&r);
    rig_frame(&r, 1);
    rig_alarm(&r, 1);
    rig_run(&r, 2000);
    db = rig_sql(&r);
    assert_int_equal(
        sqlite3_exec(db,
                     "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 250000)"
                     " INSERT INTO telemetry(seq, ts, device, unsynced, body, turn, mono)"
                     " SELECT i, i, (SELECT id FROM device), 0, '{\"seq\":' || i || '}', 2 * i, i FROM n;"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
                     " INSERT INTO alarm(seq, ts, peak, unsynced, body, hash, turn, mono)"
                     " SELECT i + 1, i, 1, 0, '{\"seq\":' || (i + 1) || '}', '', 500 * i + 1, i FROM n",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(history_open(r.path, &(struct history_wish){0}, &h, why, sizeof why), RG_OK);
    assert_int_equal(history_total(h), 251001);
    for (int64_t turn = 0; history_next(h, &e) == RG_OK; turn = e.turn) {
        assert_true(e.turn >= turn);
        assert_int_equal(e.seq, e.stream == STREAM_ALARM ? ++alarms : ++telemetry);
        if (telemetry == 150000 && e.stream == STREAM_TELEMETRY)
            assert_int_equal(
                sqlite3_exec(db,
                             "DELETE FROM telemetry WHERE seq < 100; INSERT INTO telemetry(seq, ts, device,"
                             " unsynced, body, turn) VALUES (250001, 1, 0, 0, '{\"seq\":250001}', 600000)",
                             NULL, NULL, NULL),
                SQLITE_OK);
    }
    assert_int_equal(telemetry, 250000);
    assert_int_equal(alarms, 1001);
    history_close(h);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    rig_end(&r);
}

static void test_refused(void **state)
{
    (void)state;
    struct rig r;
    struct history *h = NULL;
    char why[512] = "";
    FILE *file;

    rig_init(&r);
    assert_int_equal(history_open(r.path, &(struct history_wish){0}, &h, why, sizeof why), RG_EIO);
    assert_non_null(strstr(why, r.path));
    file = fopen(r.path, "wb");
    assert_non_null(file);
    assert_true(fputs("this is a text, and a text is no database, however long it may be said to be", file) >=
                0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(history_open(r.path, &(struct history_wish){0}, &h, why, sizeof why), RG_ECORRUPT);
    assert_null(h);
    assert_int_equal(remove(r.path), 0);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(r.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(history_open(r.path, &(struct history_wish){0}, &h, why, sizeof why), RG_EINVAL);
    assert_non_null(strstr(why, "not a store"));
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA application_id = 0x52474731; PRAGMA user_version = 3", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(history_open(r.path, &(struct history_wish){0}, &h, why, sizeof why), RG_EUNSUPPORTED);
    assert_non_null(strstr(why, "schema is 3"));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    history_close(NULL);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),  cmocka_unit_test(test_a_place_taken_before),
        cmocka_unit_test(test_wishes), cmocka_unit_test(test_what_is_left),
        cmocka_unit_test(test_long),   cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
