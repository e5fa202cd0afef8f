/* LINK rg_store rg_loop_virtual rg_test_support rg_fault_vfs PkgConfig::SQLITE */
/* A database that is damaged, gone or not the one it was, found at the start: set aside, told, and a new one goes on above
 * all numbers of before. */
#include "test_store_damage.h"

#include "base/random.h"
#include "fault_vfs.h"

#define RECORDS 300
#define ALARMS 20

static struct killed killed;

static void fill(struct rig *r)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        rig_frame(r, i % 5);
        if (i < ALARMS) {
            rig_alarm(r, i + 1);
            assert_int_equal(rig_event(r, "device"), RG_OK);
        }
    }
    struct cursor cursor = {.acked = 250};
    assert_int_equal(store_cursor_put(r->store, "county", STREAM_TELEMETRY, &cursor), RG_OK);
    rig_run(r, 3000);
    assert_int_equal(r->head[STREAM_TELEMETRY], RECORDS);
}

/* A store that is filled and killed. The rig's next open finds what damage leaves of it. */
static void begin(struct rig *r)
{
    rig_init(r);
    rig_open(r);
    fill(r);
    damage_kill(r, &killed);
}

struct expected {
    bool aside; /* a file was set aside */
    bool kept;  /* alarms, events: taken over, and their numbers follow */
    bool jump;  /* all numbers are above the reserved ones */
};

/* Opens it, goes on, and looks whether everything of what was promised holds. */
static void goes_on(struct rig *r, const struct expected *e, const char *cause)
{
    unsigned before = damage_asides(r);
    r->lost_count = 0;
    r->append_lost = true;
    memset(r->head, 0, sizeof(r->head));
    rig_open(r);
    assert_non_null(strstr(r->start.damage, r->path));
    assert_int_equal(r->start.set_aside[0] != '\0', e->aside);
    assert_int_equal(damage_asides(r) - before, e->aside);
    assert_true(r->start.boot >= 2);
    assert_true(r->start.next_alarm > ALARMS + 1);
    for (int s = 0; s < STREAM_COUNT; s++) {
        static const int64_t had[STREAM_COUNT] = {ALARMS, RECORDS, ALARMS, 0};
        if (e->jump)
            assert_true(had[s] == 0 ||
                        r->start.head[s] >= had[s] + 9000); /* that there is none may be known */
        else
            assert_int_equal(r->start.head[s], had[s]);
    }
    if (e->kept) {
        assert_int_equal(r->start.alarm_count, ALARMS);
        assert_int_equal(rig_number(r, "SELECT count(*) FROM alarm"), ALARMS);
        assert_int_equal(rig_number(r, "SELECT acked FROM cursor WHERE stream = 1"), 250);
    }
    rig_frame(r, 1);
    rig_alarm(r, (unsigned)r->start.next_alarm);
    rig_run(r, 2000);
    assert_true(r->lost_count > 0);
    for (size_t i = 0; i < r->lost_count; i++) {
        assert_string_equal(r->lost[i].cause, cause);
        assert_true(!e->kept || r->lost[i].stream == STREAM_TELEMETRY);
    }
    assert_int_equal(r->head[STREAM_ALARM], r->start.head[STREAM_ALARM] + 1);
    assert_int_equal(r->head[STREAM_TELEMETRY], r->start.head[STREAM_TELEMETRY] + 1);
    damage_audit(r);
    damage_complete(r);
    assert_string_equal(rig_query(r, "PRAGMA integrity_check"), "ok");
    /* A filter by level or device is led to a number that was told as lost, or that is there. */
    const bool second[] = {false, true};
    struct stream_filter filter = {.alarm_from = LEVEL_YELLOW, .devices = second, .device_count = 2};
    const struct rig_chunk *c =
        rig_fetch(r, STREAM_TELEMETRY, r->head[STREAM_TELEMETRY], 0, 10, 10000, &filter);
    assert_int_equal(c->chunk.count, 1);
    assert_int_equal(c->chunk.prev, r->head[STREAM_TELEMETRY] - 1);
    c = rig_fetch(r, STREAM_ALARM, r->head[STREAM_ALARM], 0, 10, 10000, &filter);
    assert_int_equal(c->chunk.prev, r->head[STREAM_ALARM] - 1);
    rig_close(r);
    /* It is a store like any other now. */
    int64_t head = r->head[STREAM_ALARM];
    rig_open(r);
    assert_true(r->start.clean && r->start.damage[0] == '\0');
    assert_int_equal(r->start.head[STREAM_ALARM], head);
    rig_close(r);
    assert_int_equal(damage_asides(r) - before, e->aside);
}

static void remove_database(struct rig *r)
{
    (void)remove(damage_path(r, "-wal"));
    assert_int_equal(remove(r->path), 0);
}

static void empty_database(struct rig *r)
{
    (void)remove(damage_path(r, "-wal"));
    damage_write(r->path, "", 0);
}

static void garbage(struct rig *r)
{
    static char bytes[40000];
    struct rg_random random;
    random_seed(&random, 7);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)random_below(&random, 256);
    (void)remove(damage_path(r, "-wal")); /* which would make all of it good again */
    damage_write(r->path, bytes, sizeof(bytes));
}

/* Text, too, when it lies where the store was. */
static void text(struct rig *r)
{
    static const char line[] = "no database\n";
    (void)remove(damage_path(r, "-wal"));
    damage_write(r->path, line, sizeof(line) - 1);
}

static void no_log(struct rig *r)
{
    assert_int_equal(remove(damage_path(r, "-wal")), 0);
}

static void first_frames_of_log(struct rig *r)
{
    damage_patch(damage_path(r, "-wal"), 32 + 100, "damaged", 7);
}

static void last_stream_number(struct rig *r)
{
    sqlite3 *db = rig_sql(r);
    assert_int_equal(sqlite3_exec(db, "UPDATE stream SET seq = 9 WHERE id = 2", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        void (*damage)(struct rig *r);
        const char *cause;
        struct expected expected;
    } kinds[] = {
        {remove_database, "missing", {.jump = true}},
        {empty_database, "missing", {.aside = true, .jump = true}},
        {garbage, "corrupt", {.aside = true, .jump = true}},
        {text, "corrupt", {.aside = true, .jump = true}},
        {no_log, "corrupt", {.aside = true, .jump = true}},
        {first_frames_of_log, "corrupt", {.aside = true, .jump = true}},
        {last_stream_number, "corrupt", {.aside = true, .kept = true}},
    };
    for (size_t i = 0; i < RG_COUNT(kinds); i++) {
        struct rig r;
        begin(&r);
        kinds[i].damage(&r);
        goes_on(&r, &kinds[i].expected, kinds[i].cause);
        rig_end(&r);
    }
}

/* A page of telemetry: all else is taken over, nothing of it is lost, and the chains go on. */
static void test_telemetry_page(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    int64_t page =
        rig_number(&r, "SELECT max(pageno) FROM dbstat WHERE name = 'telemetry' AND pagetype = 'leaf'");
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    char bytes[4096];
    memset(bytes, 0xa5, sizeof(bytes));
    damage_patch(r.path, (page - 1) * 4096, bytes, sizeof(bytes));
    goes_on(&r, &(struct expected){.aside = true, .kept = true}, "corrupt");
    rig_end(&r);
}

/* Cut off at every page, and every page overwritten: never a crash, never a number twice, never a word less than what is
 * missing. */
static void test_each_page(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    damage_take(&r, &killed);
    char bytes[4096];
    memset(bytes, 0xa5, sizeof(bytes));
    unsigned replaced = 0, cases = 0;
    for (size_t at = 0; at < killed.database_size; at += 4096) {
        for (int cut = 0; cut < 2; cut++) {
            damage_put(&r, &killed);
            if (cut)
                assert_int_equal(truncate(r.path, (off_t)at), 0);
            else
                damage_patch(r.path, (long)at, bytes, sizeof(bytes));
            memset(r.head, 0, sizeof(r.head));
            r.lost_count = 0;
            r.append_lost = true;
            rig_open(&r);
            replaced += r.start.damage[0] != '\0';
            cases++;
            assert_true(r.start.head[STREAM_ALARM] >= ALARMS && r.start.head[STREAM_TELEMETRY] >= RECORDS);
            rig_alarm(&r, 999999);
            rig_run(&r, 2000);
            assert_int_equal(r.head[STREAM_ALARM], r.start.head[STREAM_ALARM] + 1);
            if (r.start.damage[0] != '\0')
                damage_complete(&r);
            store_start_free(&r.start);
            (void)store_close(r.store);
            r.store = NULL;
            assert_string_equal(rig_query(&r, "PRAGMA quick_check"), "ok");
        }
    }
    assert_true(replaced > cases * 3 / 4);
    rig_end(&r);
}

/* The marks: damaged slot by slot, or gone. */
static void test_marks(void **state)
{
    (void)state;
    for (int broken = 0; broken < 8; broken++) {
        struct rig r;
        begin(&r);
        garbage(&r);
        for (int i = 0; i < 3; i++) {
            if ((broken & (1 << i)) != 0 && killed.marks_size > (size_t)i * 4096)
                damage_patch(damage_path(&r, ".marks"), i * 4096 + 30, "#", 1);
        }
        rig_open(&r);
        /* The first start reserves in one slot, and the commits note in the last: while one of the two holds, the numbers
         * go on near by; otherwise far above what any gateway can have used. */
        for (int s = 0; s < STREAM_COUNT; s++)
            assert_true(r.start.head[s] > RECORDS);
        assert_true(r.start.head[STREAM_ALARM] > 100000000000 || r.start.head[STREAM_ALARM] < 2000000);
        rig_alarm(&r, 999999);
        rig_run(&r, 2000);
        rig_end(&r);
    }
}

/* A damaged index of the log is none of anybody's business: it is made anew. */
static void test_index_of_log(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    static char bytes[32768];
    memset(bytes, 0x5a, sizeof(bytes));
    damage_write(damage_path(&r, "-shm"), bytes, sizeof(bytes));
    rig_open(&r);
    assert_string_equal(r.start.damage, "");
    assert_int_equal(r.start.head[STREAM_TELEMETRY], RECORDS);
    assert_int_equal(r.start.alarm_count, ALARMS);
    rig_end(&r);
}

/* What lies there is not the store's, and stays as it is. */
static void test_left_alone(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    text(&r);
    assert_int_equal(rig_try_open(&r), RG_EINVAL);
    assert_int_equal(damage_asides(&r), 0);
    char bytes[64];
    assert_int_equal(damage_read(r.path, bytes, sizeof(bytes)), 12);
    assert_int_equal(remove(r.path), 0);
    assert_int_equal(mkdir(r.path, 0700), 0);
    assert_int_equal(rig_try_open(&r), RG_EINVAL);
    assert_non_null(strstr(r.why, "is not a file"));
    assert_int_equal(rmdir(r.path), 0);
    rig_end(&r);
}

/* One that was set aside is never written over, and stays what it was: its log, too. */
static void test_evidence(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    first_frames_of_log(&r);
    for (unsigned i = 0; i < 3; i++) {
        rig_open(&r);
        char name[SUPPORT_TMP_SIZE + 400];
        (void)snprintf(name, sizeof(name), "%s/%s", r.folder, r.start.set_aside);
        static char bytes[1 << 20];
        assert_int_equal(damage_read(name, bytes, sizeof(bytes)), i == 0 ? killed.database_size : 40000);
        (void)snprintf(name, sizeof(name), "%s/%s-wal", r.folder, r.start.set_aside);
        if (i == 0)
            assert_int_equal(damage_read(name, bytes, sizeof(bytes)), killed.log_size);
        rig_close(&r);
        assert_int_equal(damage_asides(&r), i + 1);
        garbage(&r); /* within the same second */
    }
    rig_open(&r);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM set_aside"),
                     1); /* garbage tells of none before it */
    struct store_stats stats;
    store_stats(r.store, &stats);
    assert_int_equal(stats.aside_count, 4);
    assert_true(stats.aside_bytes > 100000);
    rig_end(&r);
}

int main(void)
{
    fault_install(); /* no test here cuts the power: syncs would only cost time */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),        cmocka_unit_test(test_telemetry_page),
        cmocka_unit_test(test_each_page),    cmocka_unit_test(test_marks),
        cmocka_unit_test(test_index_of_log), cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
