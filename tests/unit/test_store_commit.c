/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE PkgConfig::CRYPTO */
/* Numbers, hash chain, what is kept beside the records, and the times of commits. */
#include "test_store_help.h"

#include "test_store_chain.h"

static enum rg_err report(struct rig *r)
{
    struct store_record record = {
        .stream = STREAM_REPORT, .ts = 7, .body = "\"ts\":7,\"zero\":true", .length = 18};
    return store_append(r->store, &record);
}

static void test_record_text(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    assert_int_equal(rig_telemetry(&r, 1, 1763780000123, "\"values\":{\"lel\":12.3}"), RG_OK);
    assert_int_equal(rig_event(&r, "start"), RG_OK);
    assert_int_equal(report(&r), RG_OK);
    rig_run(&r, 0);
    assert_string_equal(rig_query(&r, "SELECT body, ts, unsynced FROM telemetry"),
                        "{\"seq\":1,\"ts\":1763780000123,\"device\":\"gas-1\",\"values\":{\"lel\":12.3}}"
                        "|1763780000123|0");
    assert_string_equal(
        rig_query(&r, "SELECT json_valid(body), body ->> '$.kind', kind, hash = body ->> '$.hash',"
                      " length(hash) FROM event"),
        "1|start|start|1|64");
    assert_string_equal(rig_query(&r, "SELECT seq, ts, json_valid(body) FROM report"), "1|7|1");
    rig_end(&r);
}

static void test_chain_over_restarts(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    for (int run = 0; run < 4; run++) {
        rig_open(&r);
        assert_int_equal(r.start.head[STREAM_EVENT], run * 3);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(rig_event(&r, i == 0 ? "start" : "device"), RG_OK);
            rig_alarm(&r, (unsigned)run * 3 + i + 1);
            assert_int_equal(report(&r), RG_OK);
            if (i == 1)
                rig_run(&r, 50); /* some in a commit, some at the close */
        }
        rig_close(&r);
    }
    rig_open(&r);
    assert_int_equal(r.start.boot, 5);
    assert_int_equal(r.start.head[STREAM_ALARM], 12);
    assert_int_equal(r.start.next_alarm, 13);
    check_chain(&r, "alarm", 12);
    check_chain(&r, "event", 12);
    check_chain(&r, "report", 12);
    rig_end(&r);
}

static void test_times(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    rig_frame(&r, 0);
    rig_run(&r, 600);
    rig_frame(&r, 0);
    rig_run(&r, 349);
    assert_int_equal(r.commits, 0);
    rig_run(&r, 1); /* before a second is over, at which as a rule the next readings come */
    assert_int_equal(r.commits, 1);
    assert_int_equal(r.head[STREAM_TELEMETRY], 2);
    rig_run(&r, 60000);
    assert_int_equal(r.commits, 1);

    rig_frame(&r, 0);
    rig_alarm(&r, 1);
    rig_run(&r, 0);
    assert_int_equal(r.commits, 2); /* at once, and takes along what has gathered */
    assert_int_equal(r.head[STREAM_ALARM], 1);
    assert_int_equal(r.head[STREAM_TELEMETRY], 3);
    assert_int_equal(rig_event(&r, "clock"), RG_OK);
    rig_run(&r, 0);
    assert_int_equal(r.commits, 3);
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_true(stats.ok);
    assert_int_equal(stats.commits, 3);
    assert_int_equal(stats.waiting_bytes, 0);
    assert_true(stats.size > 4096 && stats.free > 0);
    assert_int_equal(stats.head[STREAM_TELEMETRY], 3);
    rig_end(&r);
}

static void test_together(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    store_together(r.store);
    rig_alarm(&r, 1);
    rig_run(&r, 10); /* nobody lets the loop run in between, but if somebody did: still nothing */
    assert_int_equal(r.commits, 0);
    store_together(r.store);
    assert_int_equal(rig_event(&r, "level"), RG_OK);
    store_together_end(r.store);
    assert_int_equal(rig_event(&r, "level"), RG_OK);
    store_together_end(r.store);
    rig_run(&r, 0);
    assert_int_equal(r.commits, 1);
    assert_int_equal(r.head[STREAM_ALARM], 1);
    assert_int_equal(r.head[STREAM_EVENT], 2);
    rig_alarm(&r, 2); /* otherwise at once */
    assert_int_equal(rig_event(&r, "level"), RG_OK);
    rig_run(&r, 0);
    assert_int_equal(r.commits, 3);
    rig_end(&r);
}

/* What comes in a second may be more than there is room for, so it must not wait for the second to be over. */
static void test_much_goes_at_once(void **state)
{
    (void)state;
    struct rig r;
    char values[3072] = "";
    size_t used = (size_t)snprintf(values, sizeof(values), "\"values\":{\"p\":\"");
    memset(values + used, 'x', sizeof(values) - used - 3);
    memcpy(values + sizeof(values) - 3, "\"}", 3);
    rig_init(&r);
    r.conf.commit_ms = 60000;
    rig_open(&r);
    /* Three times what the store has memory for, in much less than that minute. */
    const int64_t records = INT64_C(3) * 2 * STORE_BATCH_BYTES / (int64_t)sizeof(values);
    for (int64_t i = 0; i < records; i++) {
        assert_int_equal(rig_telemetry(&r, 0, i, values), RG_OK);
        rig_run(&r, 1);
    }
    assert_true(r.head[STREAM_TELEMETRY] > records * 9 / 10);
    /* Full transactions, not one for each record. */
    assert_in_range(r.commits, 10, 3 * 2 * (STORE_BATCH_BYTES >> 20) + 5);
    unsigned before = r.commits;
    rig_run(&r, 60000); /* the rest waits as long as any */
    assert_int_equal(r.commits, before + 1);
    assert_int_equal(r.head[STREAM_TELEMETRY], records);
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_int_equal(stats.lost, 0);
    rig_end(&r);
}

/* The order inside the transaction shows in a trigger: rows come in the order of insertion. */
static void test_alarms_first(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE TABLE seen(what);"
                     "CREATE TRIGGER a AFTER INSERT ON alarm BEGIN INSERT INTO seen VALUES ('a'); END;"
                     "CREATE TRIGGER e AFTER INSERT ON event BEGIN INSERT INTO seen VALUES ('e'); END;"
                     "CREATE TRIGGER t AFTER INSERT ON telemetry BEGIN INSERT INTO seen VALUES ('t'); END",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    rig_alarm(&r, 1); /* takes off at once: what follows gathers together */
    rig_frame(&r, 0);
    rig_frame(&r, 1);
    assert_int_equal(rig_event(&r, "device"), RG_OK);
    rig_alarm(&r, 2);
    rig_run(&r, 0);
    assert_int_equal(r.commits, 2);
    assert_string_equal(rig_query(&r, "SELECT group_concat(what, '') FROM seen"), "aaett");
    rig_end(&r);
}

static void test_occurrences(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    rig_alarm(&r, 41);
    rig_alarm(&r, 42);
    assert_int_equal(rig_alarm_record(&r, 42, "escalate", LEVEL_RED, LEVEL_YELLOW), RG_OK);
    assert_int_equal(rig_alarm_record(&r, 41, "clear", LEVEL_NONE, LEVEL_YELLOW), RG_OK);
    rig_run(&r, 0);
    assert_string_equal(rig_query(&r, "SELECT * FROM v_alarm ORDER BY alarm"),
                        "gw-01-41|lel-high|gas-1.lel|polishing|none|cleared|0|5|9||;"
                        "gw-01-42|lel-high|gas-1.lel|polishing|red|active|0|5|||");
    assert_string_equal(rig_query(&r, "SELECT seq, alarm, event, level, was, value, limit_value, by, comment"
                                      " FROM v_alarm_event WHERE seq = 3"),
                        "3|gw-01-42|escalate|red|yellow|22.1|20||");
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(r.start.alarm_count, 1);
    assert_string_equal(r.start.alarms[0].id, "gw-01-42");
    assert_string_equal(r.start.alarms[0].rule, "lel-high");
    assert_string_equal(r.start.alarms[0].point, "gas-1.lel");
    assert_string_equal(r.start.alarms[0].area, "polishing");
    assert_int_equal(r.start.alarms[0].level, LEVEL_RED);
    assert_int_equal(r.start.alarms[0].raised_ms, 5);
    assert_int_equal(r.start.next_alarm, 43);
    rig_end(&r);
}

static void permit(struct rig *r, const char *name, const char *action, int64_t until, const char *by)
{
    char body[256];
    int n = snprintf(body, sizeof(body),
                     "\"ts\":%" PRId64 ",\"kind\":\"command\",\"command\":\"permit\",\"permit\":\"%s\","
                     "\"action\":\"%s\",\"until\":%" PRId64 ",\"by\":\"%s\"",
                     loop_wall_ms(r->loop), name, action, until, by);
    if (until == 0) /* closed: no such member */
        n = snprintf(body, sizeof(body),
                     "\"ts\":%" PRId64 ",\"kind\":\"command\",\"command\":\"permit\",\"permit\":\"%s\","
                     "\"action\":\"%s\",\"by\":\"%s\"",
                     loop_wall_ms(r->loop), name, action, by);
    struct store_record record = {.stream = STREAM_EVENT,
                                  .ts = loop_wall_ms(r->loop),
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = SITE_NONE,
                                  .kind = "command"};
    assert_int_equal(store_append(r->store, &record), RG_OK);
}

/* What was last said of each permit is there at the next start, whatever else the events hold. */
static void test_permits(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    assert_int_equal(r.start.permit_count, 0);
    permit(&r, "tank-1", "open", 900, "Li");
    permit(&r, "tank-2", "open", 800, "Wang");
    assert_int_equal(rig_event(&r, "command"), RG_OK); /* of another kind */
    permit(&r, "tank-1", "close", 0, "Zhao");
    permit(&r, "tank-2", "open", 950, "Zhao");
    rig_run(&r, 0);
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(r.start.permit_count, 2);
    assert_string_equal(r.start.permits[0].name, "tank-1");
    assert_int_equal(r.start.permits[0].until_ms, 0);
    assert_string_equal(r.start.permits[1].name, "tank-2");
    assert_int_equal(r.start.permits[1].until_ms, 950);
    assert_string_equal(r.start.permits[1].by, "Zhao");
    rig_close(&r);
    /* A row that somebody spoiled keeps nobody from starting. */
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(sqlite3_exec(db, "UPDATE event SET body = 'x' WHERE seq = 5", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    rig_open(&r);
    assert_int_equal(r.start.permit_count, 2);
    assert_int_equal(r.start.permits[1].until_ms, 800);
    rig_end(&r);
}

static void test_views(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int64_t minute = VIRTUAL_WALL_MS - VIRTUAL_WALL_MS % 60000;
    assert_int_equal(rig_telemetry(&r, 1, minute + 1000,
                                   "\"values\":{\"lel\":10,\"on\":true},\"bad\":{\"co\":\"sensor\"}"),
                     RG_OK);
    assert_int_equal(rig_telemetry(&r, 1, minute + 2000, "\"values\":{\"lel\":20.5}"), RG_OK);
    assert_int_equal(rig_telemetry(&r, 1, minute + 60000, "\"bad\":{\"lel\":\"comm\"}"), RG_OK);
    assert_int_equal(rig_event(&r, "device"), RG_OK);
    rig_run(&r, 0);
    assert_string_equal(
        rig_query(&r, "SELECT seq, device, point, value, quality FROM v_reading ORDER BY seq, point"),
        "1|gas-1|co||sensor;1|gas-1|lel|10|good;1|gas-1|on|1|good;2|gas-1|lel|20.5|good;"
        "3|gas-1|lel||comm");
    char expected[256];
    (void)snprintf(expected, sizeof(expected), "%" PRId64 "|2|10.0|20.5|15.25|0;%" PRId64 "|0||||1", minute,
                   minute + 60000);
    rig_close(&r);
    rig_open(&r); /* roll-ups that nobody handed over are made at the start */
    assert_string_equal(rig_query(&r, "SELECT minute, n, min, max, mean, bad FROM v_rollup"
                                      " WHERE point = 'gas-1.lel' ORDER BY minute"),
                        expected);
    assert_string_equal(rig_query(&r, "SELECT seq, kind, json_valid(body) FROM v_event"), "1|device|1");
    rig_end(&r);
}

static void test_unsynced(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    struct store_record record = {.stream = STREAM_TELEMETRY,
                                  .ts = 1000,
                                  .body = "\"ts\":1000",
                                  .length = 9,
                                  .device_name = "d",
                                  .unsynced = true};
    rig_frame(&r, 1);
    assert_int_equal(store_append(r.store, &record), RG_OK);
    rig_frame(&r, 1);
    rig_run(&r, 1000);
    assert_string_equal(rig_query(&r, "SELECT group_concat(unsynced, '') FROM telemetry"), "010");
    assert_true(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, 10000, NULL)->chunk.unsynced);
    assert_false(rig_fetch(&r, STREAM_TELEMETRY, 3, 0, 10, 10000, NULL)->chunk.unsynced);
    rig_end(&r);
}

static void note_flush(void *arg, bool ok)
{
    *(int *)arg = ok ? 1 : 2;
}

static void test_flush(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int first = 0, second = 0, empty = 0;
    store_flush(r.store, note_flush, &empty);
    assert_int_equal(empty, 0); /* never inside the call */
    rig_run(&r, 2);
    assert_int_equal(empty, 1);
    rig_frame(&r, 0);
    store_flush(r.store, note_flush, &first);
    rig_frame(&r, 0);
    store_flush(r.store, note_flush, &second);
    rig_run(&r, 1);
    assert_int_equal(first, 1);
    assert_int_equal(second, 1);
    assert_int_equal(r.head[STREAM_TELEMETRY], 2);
    rig_end(&r);
}

static void test_second_daemon(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    struct store *other = NULL;
    struct store_start start = {0};
    struct store_cbs cbs = {0};
    char why[256];
    assert_int_equal(store_open(r.loop, &r.conf, &cbs, NULL, &other, &start, why, sizeof(why)), RG_EEXIST);
    assert_null(other);
    assert_non_null(strstr(why, "in use by another process"));
    rig_frame(&r, 0);
    rig_end(&r);
}

/* Somebody looks at the file with another program, for a long time, while the daemon writes. */
static void test_outside_reader(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.max_size = 16 << 20; /* log worth telling of: 4 MiB */
    rig_open(&r);
    rig_frame(&r, 0);
    rig_run(&r, 1000);
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM telemetry", NULL, NULL, NULL), SQLITE_OK);
    char values[3000] = "\"values\":{\"text\":\"";
    memset(values + strlen(values), 'v', 2500);
    strcpy(values + 2518, "\"}");
    for (int i = 0; i < 30; i++) {
        for (uint32_t k = 0; k < 100; k++)
            assert_int_equal(rig_telemetry(&r, k, VIRTUAL_WALL_MS, values), RG_OK);
        rig_run(&r, 1000);
    }
    assert_int_equal(r.head[STREAM_TELEMETRY], 3001);
    assert_int_equal(r.health_false, 0);
    assert_int_equal(r.health_true, 1); /* told, once */
    assert_non_null(strstr(r.health, "another program"));
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_true(stats.size > 8 << 20);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    for (int i = 0; i < 30; i++) {
        rig_frame(&r, 1);
        rig_run(&r, 1000);
    }
    store_stats(r.store, &stats);
    assert_true(stats.size < 16 << 20);
    rig_end(&r);
}

static void test_refused_records(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    struct store_record record = {.stream = STREAM_TELEMETRY, .body = "\"ts\":1", .length = 6};
    assert_int_equal(store_append(r.store, &record), RG_EINVAL); /* no device */
    record = (struct store_record){.stream = (enum stream)4, .body = "\"ts\":1", .length = 6};
    assert_int_equal(store_append(r.store, &record), RG_EINVAL);
    char *huge = calloc(1, STORE_BATCH_ALARM_BYTES + 1);
    assert_non_null(huge);
    memset(huge, ' ', STORE_BATCH_ALARM_BYTES);
    record = (struct store_record){.stream = STREAM_EVENT, .body = huge, .length = STORE_BATCH_ALARM_BYTES};
    assert_int_equal(store_append(r.store, &record), RG_ERANGE);
    free(huge);
    assert_int_equal(rig_event(&r, "start"), RG_OK);
    rig_run(&r, 0);
    assert_int_equal(r.lost_count, 1);
    assert_int_equal(r.lost[0].stream, STREAM_EVENT);
    assert_int_equal(r.lost[0].count, 1);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_text),
        cmocka_unit_test(test_chain_over_restarts),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_much_goes_at_once),
        cmocka_unit_test(test_alarms_first),
        cmocka_unit_test(test_occurrences),
        cmocka_unit_test(test_permits),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_unsynced),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_second_daemon),
        cmocka_unit_test(test_outside_reader),
        cmocka_unit_test(test_refused_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
