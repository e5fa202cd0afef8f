/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* Minute roll-ups in the store: merged, kept with telemetry, put together anew after a crash, and given up in their turn. */
#include "store/store_impl.h"
#include "test_store_help.h"

#define MINUTE INT64_C(60000)
#define WALL (VIRTUAL_WALL_MS - VIRTUAL_WALL_MS % MINUTE)
#define ALL                                                                                                  \
    "SELECT point, (minute - 1763779980000) / 60000, n, min, max, mean, bad FROM v_rollup ORDER BY minute, " \
    "point"

static void put(struct rig *r, const char *point, int64_t minute, uint32_t n, uint32_t bad, double min,
                double max, double sum)
{
    struct rollup_row row = {.point = point,
                             .minute = WALL + minute * MINUTE,
                             .n = n,
                             .bad = bad,
                             .min = min,
                             .max = max,
                             .sum = sum};

    assert_int_equal(store_rollup(r->store, &row, 1, store_turn(r->store)), RG_OK);
}

static void test_merge(void **state)
{
    struct rig r;

    (void)state;
    assert_true(WALL == INT64_C(1763779980000));
    rig_init(&r);
    rig_open(&r);
    put(&r, "d.a", 0, 2, 1, -5, 10, 5);
    assert_int_equal(r.commits, 0);
    rig_run(&r, 900);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM rollup"), 0); /* no commit of its own */
    rig_run(&r, 200);
    assert_string_equal(rig_query(&r, ALL), "d.a|0|2|-5.0|10.0|2.5|1");
    put(&r, "d.a", 0, 1, 0, 20, 20, 20);
    put(&r, "d.b", 0, 0, 3, 0, 0, 0);
    put(&r, "d.b", 1, 0, 3, 0, 0, 0);
    put(&r, "d.b", 1, 1, 0, 7, 7, 7);
    rig_run(&r, 1100);
    assert_string_equal(rig_query(&r, ALL),
                        "d.a|0|3|-5.0|20.0|8.33333333333333|1;d.b|0|0||||3;d.b|1|1|7.0|7.0|7.0|3");
    put(&r, "d.c", 2, 1, 0, 1, 1, 1); /* and with the last commit */
    rig_close(&r);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM rollup"), 4);
    rig_end(&r);
}

static void frame(struct rig *r, int64_t ms, const char *values)
{
    assert_int_equal(rig_telemetry(r, 1, WALL + ms, values), RG_OK);
}

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

/* Telemetry from before there were roll-ups is not put into them: that could take hours. */
static void test_migrated(void **state)
{
    struct rig r;
    sqlite3 *db;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    frame(&r, 0, "\"values\":{\"a\":1}");
    rig_close(&r);
    db = rig_sql(&r);
    assert_int_equal(
        sqlite3_exec(db,
                     "DROP TABLE chain_start; DROP VIEW v_rollup; DROP TABLE rollup; DROP TABLE rollup_point;"
                     "DROP TABLE duty; DROP INDEX alarm_ts; DROP INDEX event_kind;"
                     "ALTER TABLE occurrence DROP COLUMN highest; ALTER TABLE run DROP COLUMN rolled;"
                     "DROP TABLE permit; DROP TABLE set_aside; DROP INDEX telemetry_held; ALTER TABLE "
                     "telemetry DROP COLUMN every;"
                     "ALTER TABLE telemetry DROP COLUMN held;"
                     "CREATE VIEW v_rollup AS SELECT 1; PRAGMA user_version = 4",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    rig_open(&r);
    assert_string_equal(rig_query(&r, ALL), "");
    frame(&r, 1000, "\"values\":{\"a\":2}");
    rig_close(&r);
    rig_open(&r);
    assert_string_equal(rig_query(&r, ALL), "gas-1.a|0|1|2.0|2.0|2.0|0");
    rig_end(&r);
}

static void test_age(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    r.conf.keep_rollups_ms = 2 * 3600000;
    rig_open(&r);
    for (int m = -240; m <= 0; m++)
        put(&r, "d.a", m, 1, 0, 1, 1, 1);
    put(&r, "d.a", -WALL / MINUTE + 3, 1, 0, 1, 1, 1); /* of a clock that was not set: goes with the others */
    rig_run(&r, 1100);
    rig_run(&r, 30000);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM rollup"), 120);
    assert_int_equal(rig_number(&r, "SELECT (min(minute) - 1763779980000) / 60000 FROM rollup"), -119);
    rig_end(&r);
}

/* A quarter of the store is theirs; beyond it the oldest go, whatever their age. */
static void test_share(void **state)
{
    struct rig r;
    static struct rollup_row rows[100];
    static char names[100][16];

    (void)state;
    rig_init(&r);
    r.conf.max_size = 4 << 20; /* a share of 1 MiB: 21845 rows */
    rig_open(&r);
    for (int m = -400; m <= 0; m++) {
        for (int i = 0; i < 100; i++) {
            (void)snprintf(names[i], sizeof names[i], "d.p%d", i);
            rows[i] = (struct rollup_row){.point = names[i], .minute = WALL + m * MINUTE, .n = 1};
        }
        assert_int_equal(store_rollup(r.store, rows, 100, store_turn(r.store)), RG_OK);
        if (m % 50 == 0)
            rig_run(&r, 1100);
    }
    rig_run(&r, 60000);
    assert_in_range(rig_number(&r, "SELECT count(*) FROM rollup"), 17000, 21845);
    assert_int_equal(rig_number(&r, "SELECT max(minute) - 1763779980000 FROM rollup"), 0);
    assert_int_equal(rig_number(&r, "SELECT (SELECT count(*) FROM rollup WHERE minute = 1763779980000)"),
                     100);
    rig_end(&r);
}

/* ---- very many, and alarms ---- */

#define MANY 2000

static void put_many(struct rig *r, int64_t minute)
{
    static struct rollup_row rows[MANY];
    static char names[MANY][16];

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i], "d.p%d", i);
        rows[i] = (struct rollup_row){.point = names[i], .minute = WALL + minute * MINUTE, .n = 1};
    }
    assert_int_equal(store_rollup(r->store, rows, MANY, store_turn(r->store)), RG_OK);
}

static int64_t stored(const struct rig *r)
{
    return rig_number(r, "SELECT count(*) FROM rollup");
}

/* They go by themselves, without waiting for telemetry, and telemetry does not take them along. */
static void test_many_go_by_themselves(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    frame(&r, 0, "\"values\":{\"a\":1}");
    rig_run(&r, 700);
    put_many(&r, 0);
    rig_run(&r, STORE_ROLLUPS_LAG_MS - 1);
    assert_int_equal(r.commits, 1);
    assert_int_equal(stored(&r), 0);
    rig_run(&r, 1);
    assert_int_equal(r.commits, 1); /* there is nothing to be told of them */
    assert_int_equal(stored(&r), MANY);
    put_many(&r, 1);
    rig_close(&r); /* and with the last commit */
    assert_int_equal(stored(&r), 2 * MANY);
    rig_end(&r);
}

struct storm {
    struct rig *rig;
    struct loop_timer *timer;
    unsigned alarms;
};

/* At the instant at which the roll-ups go, behind the store's own timer: when its worker has them in hand, an alarm comes. */
static void storm_cb(void *arg)
{
    struct storm *s = arg;

    rig_alarm(s->rig, ++s->alarms);
    loop_timer_at(s->timer, loop_mono_ms(s->rig->loop) + 1);
}

/* Many roll-ups wait, and the first alarm comes when they go. */
static void storm_begin(struct storm *s, struct rig *r)
{
    *s = (struct storm){.rig = r};
    rig_init(r);
    rig_open(r);
    put_many(r, 0);
    assert_int_equal(loop_timer_create(r->loop, storm_cb, s, &s->timer), RG_OK);
    loop_timer_at(s->timer, loop_mono_ms(r->loop) + STORE_ROLLUPS_LAG_MS);
}

static void test_an_alarm_goes_first(void **state)
{
    struct rig r;
    struct storm s;

    (void)state;
    storm_begin(&s, &r);
    while (r.head[STREAM_ALARM] == 0)
        assert_true(virtual_loop_step(r.loop));
    assert_int_equal(s.alarms, 1);
    assert_int_equal(stored(&r), 0); /* they began first, and are not in yet */
    assert_int_equal(r.store->rollups_yields, 1);
    loop_timer_destroy(s.timer);
    rig_run(&r, 1);
    assert_int_equal(stored(&r), MANY); /* once, whole */
    assert_int_equal(rig_number(&r, "SELECT sum(n) FROM rollup"), MANY);
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_true(stats.ok);
    assert_int_equal(stats.failures, 0);
    rig_end(&r);
}

/* Alarms without end: after having given way so often, roll-ups are stored whatever comes. */
static void test_alarms_without_end(void **state)
{
    struct rig r;
    struct storm s;

    (void)state;
    storm_begin(&s, &r);
    r.store->rollups_yields = STORE_ROLLUPS_YIELDS;
    while (stored(&r) == 0)
        assert_true(virtual_loop_step(r.loop));
    assert_int_equal(s.alarms, 1);
    assert_int_equal(r.head[STREAM_ALARM], 0);
    rig_run(&r, 200);
    assert_int_equal(r.store->rollups_yields, 0);
    assert_int_equal(r.head[STREAM_ALARM], s.alarms);
    assert_int_equal(rig_number(&r, "SELECT sum(n) FROM rollup"), MANY);
    loop_timer_destroy(s.timer);
    rig_end(&r);
}

/* What a writer has in hand when an alarm comes is undone whole. */
static void test_given_way(void **state)
{
    struct rig r;
    struct rollups rollups;
    struct writer w;
    struct writer_batch batch = {.rc = SQLITE_OK};
    struct rollup_row row = {.point = "d.new", .minute = WALL, .n = 3};
    _Atomic bool give_way = true;
    enum rg_err err;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    rig_close(&r);
    assert_int_equal(rollups_create(&rollups), RG_OK);
    assert_int_equal(rollups_add(&rollups, &row, 1, 7), RG_OK);
    batch.rollups = rollups_fly(&rollups);
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(sqlite3_extended_result_codes(db, 1), SQLITE_OK);
    assert_int_equal(writer_open(&w, db, r.path, &err), SQLITE_OK);
    writer_rollups(&w, &batch, &give_way);
    assert_int_equal(batch.rc, SQLITE_INTERRUPT);
    assert_true(sqlite3_get_autocommit(db));
    assert_string_equal(
        rig_query(
            &r,
            "SELECT (SELECT count(*) FROM rollup), (SELECT count(*) FROM rollup_point), rolled < 7 FROM run"),
        "0|0|1");
    give_way = false;
    writer_rollups(&w, &batch, &give_way);
    assert_int_equal(batch.rc, SQLITE_OK);
    assert_string_equal(
        rig_query(&r,
                  "SELECT (SELECT sum(n) FROM rollup), (SELECT count(*) FROM rollup_point), rolled FROM run"),
        "3|1|7");
    writer_close(&w);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    rollups_destroy(&rollups);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_merge),
                                       cmocka_unit_test(test_crash),
                                       cmocka_unit_test(test_held),
                                       cmocka_unit_test(test_migrated),
                                       cmocka_unit_test(test_age),
                                       cmocka_unit_test(test_share),
                                       cmocka_unit_test(test_many_go_by_themselves),
                                       cmocka_unit_test(test_an_alarm_goes_first),
                                       cmocka_unit_test(test_alarms_without_end),
                                       cmocka_unit_test(test_given_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
