/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* Minute roll-ups after a crash: put together anew from what was recorded, nothing twice and nothing too little. */
#include "store_rollups.h"

/* What a power cut leaves: the file as it is, without the end. */
static void crash(struct rig *r)
{
    char copy[sizeof r->path + 16], command[4096];

    (void)snprintf(copy, sizeof copy, "%s.crash", r->path);
    (void)snprintf(
        command, sizeof command,
        "cp '%s' '%s' && cp '%s.marks' '%s.marks' && if [ -f '%s-wal' ]; then cp '%s-wal' '%s-wal'; fi",
        r->path, copy, r->path, copy, r->path, r->path, copy);
    assert_int_equal(system(command), 0);
    rig_close(r);
    (void)snprintf(command, sizeof command,
                   "mv '%s' '%s' && mv '%s.marks' '%s.marks' && rm -f '%s-wal' '%s-shm'; if [ -f '%s-wal' ]; "
                   "then mv '%s-wal' '%s-wal'; fi",
                   copy, r->path, copy, r->path, r->path, r->path, copy, copy, r->path);
    assert_int_equal(system(command), 0);
}

static void test_crash(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    frame(&r, 0, "\"values\":{\"a\":1,\"on\":1}");
    frame(&r, 30000, "\"values\":{\"a\":3},\"bad\":{\"on\":\"sensor\"}");
    put(&r, "gas-1.a", 0, 2, 0, 1, 3, 4);
    put(&r, "gas-1.on", 0, 1, 1, 1, 1, 1); /* both frames are in */
    frame(&r, 59000, "\"values\":{\"a\":5}");
    frame(&r, 60000, "\"values\":{\"a\":7},\"bad\":{\"on\":\"comm\"}");
    rig_run(&r, 1100);
    frame(&r, 61000, "\"values\":{\"a\":100}"); /* never committed */
    put(&r, "gas-1.a", 1, 1, 0, 1000, 1000, 1000);
    crash(&r);
    for (int i = 0; i < 3; i++) {
        rig_open(&r); /* never twice */
        assert_string_equal(rig_query(&r, ALL), "gas-1.a|0|3|1.0|5.0|3.0|0;gas-1.on|0|1|1.0|1.0|1.0|1;"
                                                "gas-1.a|1|1|7.0|7.0|7.0|0;gas-1.on|1|0||||1");
        if (i == 2)
            frame(&r, 70000, "\"values\":{\"a\":9}");
        rig_close(&r);
    }
    rig_open(&r); /* a stop that nobody told of the roll-ups: the same */
    assert_string_equal(
        rig_query(&r, "SELECT n, mean FROM v_rollup WHERE point = 'gas-1.a' AND minute = 1763780040000"),
        "2|8.0");
    rig_end(&r);
}

/* A frame that was held back is in the roll-ups though its record comes after them. */
static void test_held(void **state)
{
    struct rig r;
    int64_t turn;
    struct store_record record = {.stream = STREAM_TELEMETRY,
                                  .ts = WALL,
                                  .body = "\"ts\":1,\"device\":\"gas-1\",\"values\":{\"a\":1}",
                                  .device = 1,
                                  .device_name = "gas-1"};

    (void)state;
    record.length = strlen(record.body);
    rig_init(&r);
    rig_open(&r);
    turn = store_turn(r.store);
    put(&r, "gas-1.a", 0, 1, 0, 1, 1, 1);
    record.turn = turn;
    assert_int_equal(store_append(r.store, &record), RG_OK);
    rig_run(&r, 1100);
    rig_close(&r);
    rig_open(&r);
    assert_string_equal(rig_query(&r, ALL), "gas-1.a|0|1|1.0|1.0|1.0|0");
    rig_end(&r);
}

/* ---- very many: between two slices ---- */

/* Of all points, each reading 1. */
static void frame_of_all(struct rig *r, int64_t ms)
{
    static char body[MANY * 12 + 96];
    size_t used = (size_t)snprintf(body, sizeof body, "\"ts\":%" PRId64 ",\"device\":\"gas-1\",\"values\":{",
                                   WALL + ms);
    struct store_record record = {
        .stream = STREAM_TELEMETRY, .ts = WALL + ms, .body = body, .device = 1, .device_name = "gas-1"};

    for (int i = 0; i < MANY; i++)
        used += (size_t)snprintf(body + used, sizeof body - used, "%s\"p%04d\":1", i == 0 ? "" : ",", i);
    used += (size_t)snprintf(body + used, sizeof body - used, "}");
    record.length = used;
    assert_true(used < sizeof body);
    assert_int_equal(store_append(r->store, &record), RG_OK);
}

#define EACH_MINUTE                                                                                          \
    "SELECT (minute - 1763779980000) / 60000, count(*), min(n), max(n), sum(sum) FROM rollup GROUP BY 1"

/* Two frames, the roll-ups of both, and as a rule a frame behind them; so many of the slices are stored at the crash. given: rows that the
 * store was given of that part. How many are stored. */
static int64_t crash_after(struct rig *r, int slices, size_t given, bool frame_behind)
{
    const size_t count = fill_many(0, 2);
    const int64_t frames = frame_behind ? 3 : 2;
    bool flushed = false;
    int64_t now, rows = 0;

    rig_init(r);
    rig_open(r);
    frame_of_all(r, 30000);
    frame_of_all(r, 60000);
    rig_run(r, 1000);
    const struct rollup_piece piece = {
        .rows = many, .count = given, .turn = store_turn(r->store), .last = given == count};
    assert_int_equal(store_rollup(r->store, &piece), RG_OK);
    if (frame_behind)
        frame_of_all(r, 61000);
    store_flush(r->store, flushed_cb, &flushed);
    while (slices > 0) {
        assert_true(virtual_loop_step(r->loop));
        now = stored(r);
        slices -= now > rows;
        rows = now;
    }
    while (r->head[STREAM_TELEMETRY] < frames)
        assert_true(virtual_loop_step(r->loop));
    assert_int_equal(stored(r), rows);
    crash(r);
    return rows;
}

#define ALL_THERE "0|2000|1|1|2000.0;1|2000|2|2|4000.0"

static void test_crash_between_slices(void **state)
{
    int64_t rows = 0;

    (void)state;
    for (int slices = 1; rows < 2 * MANY; slices++) {
        struct rig r;

        rows = crash_after(&r, slices, 2 * MANY, true);
        for (int i = 0; i < 3; i++) { /* never twice */
            rig_open(&r);
            if (i == 2)
                put_many(&r, 2, 1); /* and what comes then is counted as ever */
            assert_string_equal(rig_query(&r, EACH_MINUTE), ALL_THERE);
            crash(&r);
        }
        rig_end(&r);
    }
}

/* The rest of the part was in nobody's hands but the daemon's. */
static void test_crash_between_pieces(void **state)
{
    struct rig r;

    (void)state;
    assert_int_equal(crash_after(&r, 1, 400, true), 400);
    rig_open(&r);
    assert_string_equal(rig_query(&r, EACH_MINUTE), ALL_THERE);
    rig_end(&r);
}

/* The part's turn was the last of all: that of no record to come. */
static void test_crash_before_the_next_record(void **state)
{
    struct rig r;

    (void)state;
    assert_int_equal(crash_after(&r, 1, 2 * MANY, false), ROLLUPS_SLICE);
    rig_open(&r);
    frame_of_all(&r, 61000);
    rig_run(&r, 1000);
    crash(&r);
    rig_open(&r);
    assert_string_equal(rig_query(&r, EACH_MINUTE), ALL_THERE);
    rig_end(&r);
}

static void tamper(const struct rig *r, const char *sql)
{
    sqlite3 *db = rig_sql(r);

    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Where the rebuild fails, the next part begins all the same; what the crash left undone falls short then, and nothing is counted
 * twice. */
static void test_crash_that_cannot_be_rebuilt(void **state)
{
    struct rig r;
    bool flushed = false;

    (void)state;
    assert_int_equal(crash_after(&r, 2, 2 * MANY, true), 1000);
    tamper(&r, "CREATE TABLE kept AS SELECT body FROM telemetry WHERE seq = 1;"
               "UPDATE telemetry SET body = 'no JSON' WHERE seq = 1");
    rig_open(&r);
    put_many(&r, 0, 1); /* of readings that came late */
    store_flush(r.store, flushed_cb, &flushed);
    while (rig_number(&r, "SELECT sum(n) FROM rollup") == 1000)
        assert_true(virtual_loop_step(r.loop));
    crash(&r);
    assert_string_equal(rig_query(&r, EACH_MINUTE), "0|1000|1|2|1500.0");
    tamper(&r, "UPDATE telemetry SET body = (SELECT body FROM kept) WHERE seq = 1; DROP TABLE kept");
    rig_open(&r);
    assert_string_equal(rig_query(&r, EACH_MINUTE), "0|1000|1|2|1500.0;1|2000|1|1|2000.0");
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_crash),
                                       cmocka_unit_test(test_held),
                                       cmocka_unit_test(test_crash_between_slices),
                                       cmocka_unit_test(test_crash_between_pieces),
                                       cmocka_unit_test(test_crash_before_the_next_record),
                                       cmocka_unit_test(test_crash_that_cannot_be_rebuilt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
