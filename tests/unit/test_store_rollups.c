/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* Minute roll-ups in the store: merged, kept with telemetry, in slices when they are many, and given up in their turn. */
#include "store_rollups.h"

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
                     "ALTER TABLE run DROP COLUMN rolling; ALTER TABLE run DROP COLUMN rolling_minute;"
                     "ALTER TABLE run DROP COLUMN rolling_point;"
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
            (void)snprintf(names[i], sizeof names[i], "d.p%02d", i);
            rows[i] = (struct rollup_row){.point = names[i], .minute = WALL + m * MINUTE, .n = 1};
        }
        put_part(&r, rows, 100);
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

/* ---- very many: slices ---- */

#define SLICES (MANY / ROLLUPS_SLICE)

/* A slice goes with each commit of telemetry, and no commit is made for them. */
static void test_many_go_with_telemetry(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    put_many(&r, 0, 1);
    for (int i = 1; i <= SLICES; i++) {
        frame(&r, i * 1000, "\"values\":{\"p0000\":1}");
        rig_run(&r, 999);
        assert_int_equal(stored(&r), i * ROLLUPS_SLICE);
        assert_int_equal(r.commits, i);
        rig_run(&r, 1);
    }
    rig_run(&r, 5000);
    assert_int_equal(r.commits, SLICES);
    put_many(&r, 1, 1);
    rig_close(&r); /* and with the last commits */
    assert_int_equal(stored(&r), 2 * MANY);
    rig_end(&r);
}

/* Without telemetry a second lies between two slices, however long store.commit is. */
static void test_many_go_without_telemetry(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    r.conf.commit_ms = 10000;
    rig_open(&r);
    put_many(&r, 0, 1);
    rig_run(&r, 9500);
    for (int i = 1; i <= SLICES; i++) {
        assert_int_equal(stored(&r), i * ROLLUPS_SLICE);
        rig_run(&r, 1050);
    }
    rig_end(&r);
}

/* Where very many wait a slice is larger, so that they cannot become more and more. */
static void test_slices(void **state)
{
    struct rollups rollups;
    struct rollups_slice slice;
    const struct rollup_piece piece = {.rows = many, .count = fill_many(0, 2), .turn = 7};
    size_t left = 3 * piece.count, slices = 0;

    (void)state;
    assert_int_equal(rollups_create(&rollups), RG_OK);
    assert_int_equal(rollups_fly(&rollups).count, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rollups_add(&rollups, &piece), RG_OK);
    slice = rollups_fly(&rollups);
    assert_int_equal(slice.count, left / ROLLUPS_SHARE);
    assert_int_equal(rollups_fly(&rollups).count, slice.count); /* it failed: the same again */
    for (; rollups_waiting(&rollups); slices++) {
        slice = rollups_fly(&rollups);
        assert_in_range(slice.count, left < ROLLUPS_SLICE ? left : ROLLUPS_SLICE, left);
        rollups_done(&rollups, &slice);
        left -= slice.count;
    }
    assert_int_equal(left, 0);
    assert_in_range(slices, 3 * MANY * 2 / (3 * MANY * 2 / ROLLUPS_SHARE), 3 * MANY * 2 / ROLLUPS_SLICE);
    rollups_destroy(&rollups);
}

/* All at once, as at a reload or a stop: two minutes of however many points find room, what comes then is lost, and counted. */
static void test_all_at_once(void **state)
{
    struct rollups rollups;
    struct rollup_piece piece = {.rows = many, .count = fill_many(0, 2), .turn = 7};

    (void)state;
    assert_int_equal(rollups_create(&rollups), RG_OK);
    for (int i = 0; i < 2 * ROLLUP_PIECES - 1; i++)
        assert_int_equal(rollups_add(&rollups, &piece), RG_OK);
    assert_true(rollups.gathering.used > 2 * (size_t)ROLLUPS_BYTES);
    piece.count = 1;
    assert_int_equal(rollups_add(&rollups, &piece), RG_OK);
    piece.count = 2 * MANY;
    assert_int_equal(rollups_add(&rollups, &piece), RG_EFULL);
    assert_int_equal(rollups.lost, 2 * MANY);
    while (rollups_waiting(&rollups)) {
        const struct rollups_slice slice = rollups_fly(&rollups);

        rollups_done(&rollups, &slice);
    }
    assert_int_equal(rollups.stored, (2 * ROLLUP_PIECES - 1) * 2 * MANY + 1);
    assert_int_equal(rollups_add(&rollups, &piece), RG_OK);
    rollups_destroy(&rollups);
}

/* Who waits for all there is waits for them, too, but not a second for each slice. */
static void test_flush(void **state)
{
    struct rig r;
    bool flushed = false;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    put_many(&r, 0, 1);
    const int64_t begun = loop_mono_ms(r.loop);
    store_flush(r.store, flushed_cb, &flushed);
    while (!flushed)
        assert_true(virtual_loop_step(r.loop));
    assert_int_equal(stored(&r), MANY);
    assert_true(loop_mono_ms(r.loop) - begun < 500);
    rig_end(&r);
}

/* Until the alarm is stored: how many rows are then. In the end all of them are. */
static int64_t stored_with_alarm(struct rig *r)
{
    while (r->head[STREAM_ALARM] == 0)
        assert_true(virtual_loop_step(r->loop));
    const int64_t rows = stored(r);
    const int64_t all = (int64_t)r->store->rollups.added;
    rig_run(r, 60000);
    assert_int_equal(rig_number(r, "SELECT sum(n) FROM rollup"), all);
    rig_end(r);
    return rows;
}

static void rig_many(struct rig *r, int parts)
{
    rig_init(r);
    rig_open(r);
    for (int i = 0; i < parts; i++)
        put_many(r, i, 1);
}

static int64_t alarm_before_they_go(void)
{
    struct rig r;

    rig_many(&r, 1);
    rig_run(&r, 100);
    rig_alarm(&r, 1);
    return stored_with_alarm(&r);
}

/* The worker has the first ones in hand. Of `parts` times MANY rows. */
static int64_t alarm_while_they_go(int parts)
{
    struct rig r;

    rig_many(&r, parts);
    while (r.store->job.kind != JOB_COMMIT)
        assert_true(virtual_loop_step(r.loop));
    assert_false(r.store->job.ran);
    rig_alarm(&r, 1);
    while (r.store->job.kind == JOB_COMMIT && !r.store->job.ran)
        assert_true(virtual_loop_step(r.loop));
    assert_int_equal(r.head[STREAM_ALARM], 0);
    return stored_with_alarm(&r);
}

static int64_t alarm_while_flushing(int parts)
{
    struct rig r;
    bool flushed = false;

    rig_many(&r, parts);
    store_flush(r.store, flushed_cb, &flushed);
    rig_alarm(&r, 1); /* the first ones are in the worker's hands */
    const int64_t rows = stored_with_alarm(&r);
    assert_true(flushed);
    return rows;
}

static void test_an_alarm_waits_for_one_slice_at_most(void **state)
{
    (void)state;
    assert_int_equal(alarm_before_they_go(), 0); /* its commit takes none along */
    assert_int_equal(alarm_while_they_go(1), ROLLUPS_SLICE);
    assert_int_equal(alarm_while_flushing(1), 2 * ROLLUPS_SLICE); /* all that there is, but not at once */
}

/* Where so many wait that more than a slice's rows go at once, as after a reload, they give way, too. */
static void test_very_many_give_way_to_an_alarm(void **state)
{
    const int parts = 3 * ROLLUPS_SHARE * ROLLUPS_SLICE / MANY;

    (void)state;
    assert_int_equal(alarm_while_they_go(parts), ROLLUPS_SLICE);
    assert_int_equal(alarm_while_flushing(parts), 2 * ROLLUPS_SLICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_merge),
                                       cmocka_unit_test(test_migrated),
                                       cmocka_unit_test(test_age),
                                       cmocka_unit_test(test_share),
                                       cmocka_unit_test(test_many_go_with_telemetry),
                                       cmocka_unit_test(test_many_go_without_telemetry),
                                       cmocka_unit_test(test_slices),
                                       cmocka_unit_test(test_all_at_once),
                                       cmocka_unit_test(test_flush),
                                       cmocka_unit_test(test_an_alarm_waits_for_one_slice_at_most),
                                       cmocka_unit_test(test_very_many_give_way_to_an_alarm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
