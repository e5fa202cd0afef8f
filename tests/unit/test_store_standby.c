/* LINK rg_store rg_loop_virtual rg_test_support rg_fault_vfs PkgConfig::SQLITE */
/* A start on a disk that can be read, but takes nothing. */
#include "test_store_help.h"
#include "fault_vfs.h"

#include <unistd.h>

/* Two alarms that stand, a frame, an event, a cursor and a configuration: what a start has to know. */
static void leave_something(struct rig *r)
{
    static const char config[] = "[\"a\",\"b\"]";
    struct cursor cursor = {.acked = 1};
    rig_init(r);
    rig_open(r);
    rig_frame(r, 1);
    rig_alarm(r, 1);
    rig_alarm(r, 2);
    assert_int_equal(rig_event(r, "start"), RG_OK);
    assert_int_equal(store_config_put(r->store, config, strlen(config)), RG_OK);
    assert_int_equal(store_cursor_put(r->store, "county", STREAM_ALARM, &cursor), RG_OK);
    rig_run(r, 2000);
}

/* Everything that the last run kept is there, and the store refuses. */
static void judge_standby(struct rig *r, bool clean)
{
    struct store_stats stats;
    struct cursor cursors[STREAM_COUNT];
    rig_run(r, 1);
    assert_false(r->start.fresh);
    assert_int_equal(r->start.clean, clean);
    assert_int_equal(r->start.boot, 2);
    assert_int_equal(r->start.alarm_count, 2);
    assert_string_equal(r->start.alarms[1].id, "gw-01-2");
    assert_true(r->start.next_alarm >= 3 + STORE_ALARM_MARGIN);
    assert_string_equal(r->start.config, "[\"a\",\"b\"]");
    assert_int_equal(r->start.head[STREAM_ALARM], 2);
    assert_int_equal(r->start.head[STREAM_TELEMETRY], 1);
    store_cursor_get(r->store, "county", cursors);
    assert_int_equal(cursors[STREAM_ALARM].acked, 1);
    assert_int_equal(r->health_false, 1); /* though nothing was appended */
    assert_non_null(strstr(r->health, r->path));
    store_stats(r->store, &stats);
    assert_false(stats.ok);
    assert_true(stats.detail[0] != '\0');
    /* What the platforms have not got yet waits: a connection that reads would keep this process from writing. */
    assert_int_equal(rig_fetch(r, STREAM_ALARM, 1, 0, 10, 10000, NULL)->chunk.error, RG_EIO);
}

static void heal_and_judge(struct rig *r)
{
    rig_alarm(r, (unsigned)r->start.next_alarm);
    rig_frame(r, 1);
    rig_run(r, 10000);
    assert_int_equal(r->unstored, 1);
    assert_int_equal(r->head[STREAM_ALARM], 2);
    fault_clear();
    rig_run(r, 6000);
    assert_int_equal(r->health_true, 1);
    assert_int_equal(r->head[STREAM_ALARM], 3);
    assert_int_equal(r->head[STREAM_TELEMETRY], 2);
    assert_int_equal(r->unstored, 1);
    assert_int_equal(r->lost_count, 0);
    assert_int_equal(r->asides, 0);
    assert_int_equal(rig_number(r, "SELECT boot FROM run"), 2);
    assert_true((uint64_t)rig_number(r, "SELECT next_alarm FROM run") == r->start.next_alarm + 1);
    assert_int_equal(rig_fetch(r, STREAM_ALARM, 1, 0, 10, 10000, NULL)->chunk.count, 3);
    rig_run(r, 30000); /* maintenance too */
    uint64_t next = r->start.next_alarm;
    rig_close(r);
    rig_open(r);
    assert_true(r->start.clean);
    assert_int_equal(r->start.boot, 3);
    assert_int_equal(r->start.alarm_count, 3);
    assert_true(r->start.next_alarm == next + 1);
    assert_string_equal(rig_query(r, "PRAGMA integrity_check"), "ok");
}

static void test_after_a_clean_end(void **state)
{
    (void)state;
    static const struct {
        int write, sync;
    } faults[] = {{SQLITE_IOERR_WRITE, 0}, {0, SQLITE_IOERR_FSYNC}, {SQLITE_FULL, 0}, {SQLITE_READONLY, 0}};
    for (size_t i = 0; i < RG_COUNT(faults); i++) {
        struct rig r;
        leave_something(&r);
        rig_close(&r);
        fault_now()->write_error = faults[i].write;
        fault_now()->sync_error = faults[i].sync;
        rig_open(&r);
        judge_standby(&r, true);
        heal_and_judge(&r);
        rig_end(&r);
    }
}

/* The log holds what the last run did, and cannot be copied back. */
static void test_after_an_unclean_end(void **state)
{
    (void)state;
    struct rig r;
    leave_something(&r);
    fault_now()->off = true; /* killed: closing writes nothing any more */
    store_start_free(&r.start);
    (void)store_close(r.store);
    r.store = NULL;
    fault_cut(FAULT_KEEP_ALL, 1);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    rig_open(&r);
    judge_standby(&r, false);
    heal_and_judge(&r);
    rig_end(&r);
}

/* Numbers of occurrences that nobody could write down are not given twice. */
static void test_starts_in_a_row(void **state)
{
    (void)state;
    struct rig r;
    uint64_t numbers[5];
    leave_something(&r);
    rig_close(&r);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    for (size_t i = 0; i < RG_COUNT(numbers); i++) {
        rig_open(&r);
        numbers[i] = r.start.next_alarm;
        for (size_t k = 0; k < i; k++)
            assert_true(numbers[k] + 1000 < numbers[i] || numbers[i] + 1000 < numbers[k]);
        assert_int_equal(r.start.boot, 2);
        store_start_free(&r.start);
        (void)store_close(r.store); /* could not end cleanly */
        r.store = NULL;
    }
    fault_clear();
    rig_open(&r);
    assert_int_equal(r.start.alarm_count, 2);
    rig_end(&r);
}

/* Closed while it stands by, with an alarm that waits: the last attempt may still succeed. */
static void test_closed_meanwhile(void **state)
{
    (void)state;
    struct rig r;
    leave_something(&r);
    rig_close(&r);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    rig_open(&r);
    rig_alarm(&r, 9);
    rig_run(&r, 100);
    fault_clear();
    rig_close(&r);
    rig_open(&r);
    assert_true(r.start.clean);
    assert_int_equal(r.start.head[STREAM_ALARM], 3);
    rig_end(&r);
}

/* What cannot even be read, or is damaged, or was never there, is no store to stand by with. */
static void test_what_cannot_be_read(void **state)
{
    (void)state;
    struct rig r;
    leave_something(&r);
    rig_close(&r);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    fault_now()->read_error = SQLITE_IOERR_READ;
    assert_int_equal(rig_try_open(&r), RG_EIO);
    assert_non_null(strstr(r.why, r.path));
    fault_clear();
    assert_int_equal(unlink(r.path), 0);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    assert_int_not_equal(rig_try_open(&r), RG_OK);
    fault_clear();
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
    fault_watch(true);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_after_a_clean_end, clear),
        cmocka_unit_test_setup(test_after_an_unclean_end, clear),
        cmocka_unit_test_setup(test_starts_in_a_row, clear),
        cmocka_unit_test_setup(test_closed_meanwhile, clear),
        cmocka_unit_test_setup(test_what_cannot_be_read, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
