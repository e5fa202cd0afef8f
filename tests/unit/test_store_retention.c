/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* What goes by age and by size, what never goes, what is told of it, and that the space comes back. */
#include "test_store_help.h"

#include "store/loss.h"

#define HOUR INT64_C(3600000)

static void use_uplinks(struct rig *r, size_t count)
{
    static const char *const names[] = {"county", "city"};
    assert_int_equal(store_configure(r->store, &r->conf, names, count), RG_OK);
}

static void test_age(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.keep_telemetry_ms = 2 * HOUR;
    r.conf.keep_events_ms = 4 * HOUR;
    r.conf.keep_alarms_ms = 6 * HOUR;
    rig_open(&r);
    for (int i = 0; i < 20; i++) { /* ten hours */
        rig_frame(&r, 1);
        assert_int_equal(rig_event(&r, "device"), RG_OK);
        rig_alarm(&r, (unsigned)i + 1);
        rig_run(&r, HOUR / 2);
    }
    assert_string_equal(rig_query(&r, "SELECT min(seq), max(seq), count(*) FROM telemetry"), "17|20|4");
    assert_string_equal(rig_query(&r, "SELECT min(seq), max(seq), count(*) FROM event"), "13|20|8");
    assert_string_equal(rig_query(&r, "SELECT min(seq), max(seq), count(*) FROM alarm"), "9|20|12");
    assert_int_equal(r.lost_count, 0); /* no uplink that could miss them */
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM occurrence"), 20); /* active ones stay */

    /* Everything gone: numbers go on all the same, over a restart too. */
    rig_run(&r, 24 * HOUR);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), 0);
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(r.start.head[STREAM_ALARM], 20);
    rig_alarm(&r, 21);
    rig_frame(&r, 1);
    rig_run(&r, 1000);
    assert_int_equal(r.head[STREAM_ALARM], 21);
    const struct rig_chunk *c = rig_fetch(&r, STREAM_ALARM, 1, 0, 10, 10000, NULL);
    assert_int_equal(c->chunk.first, 21);
    assert_int_equal(c->chunk.prev, 20);
    struct stream_filter yellow = {.alarm_from = LEVEL_YELLOW};
    c = rig_fetch(&r, STREAM_ALARM, 1, 0, 10, 10000, &yellow);
    assert_int_equal(c->chunk.prev, 20); /* known though it is gone */
    rig_end(&r);
}

static void test_pruned_prev(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.keep_telemetry_ms = HOUR;
    r.conf.keep_alarms_ms = HOUR;
    rig_open(&r);
    static const enum level levels[] = {LEVEL_RED, LEVEL_BLUE, LEVEL_YELLOW, LEVEL_BLUE};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(rig_alarm_record(&r, i + 1, "raise", levels[i], LEVEL_NONE), RG_OK);
        rig_frame(&r, i % 3);
    }
    rig_run(&r, 2 * HOUR);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), 0);
    assert_int_equal(rig_alarm_record(&r, 9, "raise", LEVEL_RED, LEVEL_NONE), RG_OK);
    rig_frame(&r, 1);
    rig_run(&r, 1000);
    struct stream_filter red = {.alarm_from = LEVEL_RED}, yellow = {.alarm_from = LEVEL_YELLOW};
    assert_int_equal(rig_fetch(&r, STREAM_ALARM, 1, 0, 10, 10000, &red)->chunk.prev, 1);
    assert_int_equal(rig_fetch(&r, STREAM_ALARM, 1, 0, 10, 10000, &yellow)->chunk.prev, 3);
    const bool one[] = {false, true, false}, two[] = {false, true, true};
    struct stream_filter filter = {.devices = one, .device_count = 3};
    assert_int_equal(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, 10000, &filter)->chunk.prev, 2);
    filter.devices = two;
    assert_int_equal(rig_fetch(&r, STREAM_TELEMETRY, 1, 0, 10, 10000, &filter)->chunk.prev, 3);
    rig_end(&r);
}

/* Times from before the clock was set, and from a clock that was far ahead for a while. */
static void test_wrong_clocks(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.keep_telemetry_ms = 2 * HOUR;
    rig_open(&r);
    assert_int_equal(rig_telemetry(&r, 1, 5000, "\"values\":{}"), RG_OK); /* 1970 */
    for (int i = 0; i < 9000; i++)
        assert_int_equal(rig_telemetry(&r, 1, VIRTUAL_WALL_MS + 400 * RIG_DAY, "\"values\":{}"), RG_OK);
    rig_frame(&r, 1);
    rig_run(&r, HOUR);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 9002);
    rig_run(&r, HOUR + 60000);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 0);
    rig_end(&r);
}

static void test_lost_by_age(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.keep_telemetry_ms = HOUR;
    rig_open(&r);
    use_uplinks(&r, 2);
    for (int i = 0; i < 100; i++)
        rig_frame(&r, 1);
    rig_run(&r, 2000);
    /* One has everything but 41..50 and 96..; the other all up to 45. */
    struct cursor county = {.acked = 95, .range_count = 1, .ranges = {{41, 50}}}, city = {.acked = 45};
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_TELEMETRY, &county), RG_OK);
    assert_int_equal(store_cursor_put(r.store, "city", STREAM_TELEMETRY, &city), RG_OK);
    rig_run(&r, 2 * HOUR);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 0);
    assert_int_equal(r.lost_count, 1);
    assert_int_equal(r.lost[0].stream, STREAM_TELEMETRY);
    assert_int_equal(r.lost[0].first, 41);
    assert_int_equal(r.lost[0].last, 100);
    assert_int_equal(r.lost[0].count, 60);
    assert_string_equal(r.lost[0].cause, "age");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM loss"), 0);
    rig_end(&r);
}

/* What is lost within a minute of the last word waits in the file, beside the records that are gone. */
static void test_loss_kept(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.keep_telemetry_ms = HOUR;
    rig_open(&r);
    use_uplinks(&r, 1);
    for (int i = 0; i < 3; i++) {
        rig_frame(&r, 1);
        rig_run(&r, 15000);
    }
    rig_run(&r, HOUR);
    assert_int_equal(r.lost_count, 1);
    assert_int_equal(r.lost[0].last, 1);
    assert_string_equal(rig_query(&r, "SELECT * FROM loss"), "1|0|2|3|2");
    rig_close(&r);
    rig_open(&r);
    rig_run(&r, 2000);
    assert_int_equal(r.lost_count, 2);
    assert_int_equal(r.lost[1].first, 2);
    assert_int_equal(r.lost[1].last, 3);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM loss"), 0);
    rig_end(&r);
}

/* A loss that was not told before the end is told by the next run. */
static void test_loss_survives(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    rig_close(&r);
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(sqlite3_exec(db, "INSERT INTO loss VALUES (1, 1, 10, 30, 15)", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    rig_open(&r);
    assert_int_equal(r.lost_count, 0); /* never inside the call */
    rig_run(&r, 2000);
    assert_int_equal(r.lost_count, 1);
    assert_int_equal(r.lost[0].first, 10);
    assert_int_equal(r.lost[0].last, 30);
    assert_int_equal(r.lost[0].count, 15);
    assert_string_equal(r.lost[0].cause, "size");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM loss"), 0);
    rig_end(&r);
}

static int64_t files(const struct rig *r)
{
    struct store_stats stats;
    store_stats(r->store, &stats);
    return stats.size;
}

static void put_hundred(struct rig *r)
{
    char values[2100] = "\"values\":{\"text\":\"";
    size_t n = strlen(values);
    memset(values + n, 'v', 2000);
    memcpy(values + n + 2000, "\"}", 3);
    for (uint32_t k = 0; k < 100; k++)
        assert_int_equal(rig_telemetry(r, k, loop_wall_ms(r->loop), values), RG_OK);
}

static void test_size(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.max_size = 8 << 20;
    rig_open(&r);
    use_uplinks(&r, 1);
    int64_t most = 0;
    for (unsigned i = 0; i < 120; i++) { /* 25 MiB of bodies */
        put_hundred(&r);
        rig_alarm(&r, i + 1);
        assert_int_equal(rig_event(&r, "device"), RG_OK);
        rig_run(&r, 1000);
        most = files(&r) > most ? files(&r) : most;
    }
    assert_int_equal(r.head[STREAM_TELEMETRY], 12000);
    assert_true(most <= r.conf.max_size);
    assert_true(most > r.conf.max_size / 2); /* the bound is used, not shrunk from */
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), 120);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event"), 120);
    int64_t first = rig_number(&r, "SELECT min(seq) FROM telemetry");
    assert_true(first > 8000 && first < 11000);
    assert_int_equal(rig_number(&r, "SELECT max(seq) FROM telemetry"), 12000);

    /* Told at most once a minute, and in the end completely. */
    rig_run(&r, 70000);
    assert_true(r.lost_count >= 2 && r.lost_count <= 4);
    uint64_t told = 0;
    for (size_t i = 0; i < r.lost_count; i++) {
        assert_string_equal(r.lost[i].cause, "size");
        assert_int_equal(r.lost[i].first, told + 1);
        assert_int_equal(r.lost[i].last - r.lost[i].first + 1, r.lost[i].count);
        told += r.lost[i].count;
    }
    assert_int_equal(told, first - 1);

    /* Space comes back when the bound is lowered. */
    r.conf.max_size = 2 << 20;
    use_uplinks(&r, 1);
    rig_run(&r, 60000);
    put_hundred(&r);
    rig_run(&r, 60000);
    assert_true(files(&r) <= r.conf.max_size);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), 120);
    assert_string_equal(rig_query(&r, "PRAGMA integrity_check"), "ok");
    rig_end(&r);
}

static void test_alarm_between_slices(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.keep_telemetry_ms = HOUR;
    rig_open(&r);
    for (int i = 0; i < 10000; i++)
        rig_frame(&r, 1);
    rig_run(&r, HOUR + 2000);
    /* Step until the first slices are gone, then an alarm: it is durable before the rest. */
    while (rig_number(&r, "SELECT count(*) FROM telemetry") == 10000)
        assert_true(virtual_loop_step(r.loop));
    rig_alarm(&r, 1);
    while (r.head[STREAM_ALARM] == 0)
        assert_true(virtual_loop_step(r.loop));
    assert_true(rig_number(&r, "SELECT count(*) FROM telemetry") > 6000);
    rig_run(&r, 60000);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 0);
    rig_end(&r);
}

/* A board that wakes up at its firmware's date, and is told the time later: what it recorded before has no age of its own. */
static void test_age_of_what_has_no_time(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.keep_events_ms = r.conf.keep_alarms_ms = 48 * HOUR;
    virtual_loop_set_wall(r.loop, VIRTUAL_WALL_MS - 6 * 365 * 24 * HOUR);
    virtual_loop_set_synced(r.loop, false);
    rig_open(&r);
    rig_alarm(&r, 1);
    assert_int_equal(rig_event(&r, "start"), RG_OK);
    rig_run(&r, 2 * HOUR);
    virtual_loop_set_wall(r.loop, VIRTUAL_WALL_MS);
    virtual_loop_set_synced(r.loop, true);
    assert_int_equal(rig_event(&r, "clock"), RG_OK);
    rig_alarm(&r, 2);
    rig_run(&r, 47 * HOUR);
    assert_string_equal(rig_query(&r, "SELECT seq FROM alarm ORDER BY seq"), "1;2");
    assert_string_equal(rig_query(&r, "SELECT seq FROM event ORDER BY seq"), "1;2");
    /* It goes with what came after it. */
    rig_run(&r, 2 * HOUR);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event"), 0);
    rig_end(&r);
}

/* A clock that shows 2040 for a minute, or for hours: nothing gets old by it. One that says so for more than a day is
 * believed. */
static void test_clock_ahead(void **state)
{
    (void)state;
    static const int64_t later = 15 * 365 * 24 * HOUR;
    struct rig r;
    rig_init(&r);
    r.conf.keep_telemetry_ms = 24 * HOUR;
    rig_open(&r);
    rig_frame(&r, 1);
    rig_alarm(&r, 1);
    rig_run(&r, 60000);
    for (int i = 0; i < 3; i++) {
        virtual_loop_set_wall(r.loop, loop_wall_ms(r.loop) + later);
        rig_frame(&r, 2);
        rig_run(&r, i * 4 * HOUR + 60000);
        if (i == 1) { /* a restart in the wrong time believes it no more */
            rig_close(&r);
            rig_open(&r);
            rig_run(&r, HOUR);
        }
        virtual_loop_set_wall(r.loop, loop_wall_ms(r.loop) - later);
        rig_run(&r, 60000);
        assert_int_equal(rig_number(&r, "SELECT min(seq) FROM telemetry"), 1);
        assert_int_equal(rig_number(&r, "SELECT count(*) FROM occurrence"), 1);
    }
    assert_int_equal(r.lost_count, 0);
    /* The real time goes on: what is old goes, the records of the wrong time with it. */
    rig_run(&r, 15 * HOUR);
    rig_frame(&r, 3);
    rig_run(&r, HOUR);
    assert_int_equal(rig_number(&r, "SELECT min(seq) FROM telemetry"), 2);
    virtual_loop_set_wall(r.loop, loop_wall_ms(r.loop) + later);
    rig_run(&r, 23 * HOUR);
    assert_true(rig_number(&r, "SELECT count(*) FROM telemetry") > 0);
    rig_run(&r, 2 * HOUR);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry WHERE device = 3"), 0);
    rig_end(&r);
}

/* Back to 1970, synchronised or not, and forward again. */
static void test_clock_back(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.conf.keep_telemetry_ms = 24 * HOUR;
    rig_open(&r);
    rig_frame(&r, 1);
    rig_run(&r, 60000);
    int64_t real = loop_wall_ms(r.loop);
    for (int synced = 0; synced < 2; synced++) {
        virtual_loop_set_synced(r.loop, synced != 0);
        virtual_loop_set_wall(r.loop, 3600000);
        rig_frame(&r, 2);
        rig_run(&r, 60000);
        virtual_loop_set_synced(r.loop, true);
        virtual_loop_set_wall(r.loop, real);
        rig_run(&r, 60000);
        assert_int_equal(rig_number(&r, "SELECT min(seq) FROM telemetry"), 1);
    }
    rig_run(&r, 50 * HOUR);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry WHERE seq = 1"), 0);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_age_of_what_has_no_time),
        cmocka_unit_test(test_clock_ahead),
        cmocka_unit_test(test_clock_back),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_pruned_prev),
        cmocka_unit_test(test_wrong_clocks),
        cmocka_unit_test(test_lost_by_age),
        cmocka_unit_test(test_loss_survives),
        cmocka_unit_test(test_loss_kept),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_alarm_between_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
