/* LINK rg_store rg_loop_virtual rg_test_support rg_fault_vfs PkgConfig::SQLITE */
/* What must hold when more than one thing goes wrong: a full disk at the start, no memory left for an alarm nor for
 * the word of what was lost, a clock far ahead. */
#include "test_store_help.h"
#include <sys/stat.h>

#include "fault_vfs.h"

/* Long ones, then short ones, until not even one of those finds room. */
static void fill_with_events(struct rig *r)
{
    static char body[16384];
    int n = snprintf(body, sizeof(body), "\"ts\":1,\"detail\":\"");
    memset(body + n, 'x', 16000);
    (void)snprintf(body + n + 16000, 2, "\"");
    struct store_record record = {.stream = STREAM_EVENT,
                                  .ts = 1,
                                  .body = body,
                                  .length = (size_t)n + 16001,
                                  .device = SITE_NONE,
                                  .kind = "device"};
    while (store_append(r->store, &record) == RG_OK) {
    }
    while (rig_event(r, "device") == RG_OK) {
    }
}

/* An alarm that found no room went out unstored, under its id: no other occurrence may ever get it. */
static void test_refused_alarm_keeps_its_id(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    rig_alarm(&r, 1);
    rig_run(&r, 10);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    unsigned number = 2;
    while (rig_alarm_record(&r, number, "raise", LEVEL_RED, LEVEL_NONE) == RG_OK) {
        rig_run(&r, 1);
        assert_true(++number < 200000);
    }
    fault_clear();
    rig_run(&r, 60000);
    assert_int_equal(r.head[STREAM_ALARM], number - 1);
    rig_close(&r);
    rig_open(&r);
    assert_true(r.start.clean);
    assert_int_equal(r.start.next_alarm, number + 1);
    rig_end(&r);
}

/* As many alarms as memory holds went out unstored, then the power failed. */
static void test_unstored_alarms_keep_their_ids(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    unsigned number = 1;
    while (rig_alarm_record(&r, number, "raise", LEVEL_RED, LEVEL_NONE) == RG_OK) {
        rig_run(&r, 1);
        assert_true(++number < 200000);
    }
    assert_true(r.unstored > 1000);
    store_start_free(&r.start);
    assert_int_equal(store_close(r.store), RG_EIO); /* as good as a crash: nothing could be written */
    r.store = NULL;
    fault_clear();
    rig_open(&r);
    assert_false(r.start.clean);
    assert_true(r.start.next_alarm > number);
    rig_end(&r);
}

/* Devices that come and go fill a lane in a night: an alarm still finds room. */
static void test_events_leave_room_for_alarms(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.append_lost = true;
    rig_open(&r);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    fill_with_events(&r);
    rig_run(&r, 10);
    fill_with_events(&r);
    for (unsigned number = 1; number <= 1000; number++)
        assert_int_equal(rig_alarm_record(&r, number, "raise", LEVEL_RED, LEVEL_NONE), RG_OK);
    fault_clear();
    rig_run(&r, 120000);
    assert_int_equal(r.head[STREAM_ALARM], 1000);
    assert_int_equal(r.lost_refused, 0);
    assert_true(r.lost_count == 1 && r.lost[0].stream == STREAM_EVENT);
    rig_end(&r);
}

/* The word of a loss is a record too: it must not be lost for want of the room that was wanting before. */
static void test_loss_is_told_when_there_is_room(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.append_lost = true;
    rig_open(&r);
    fault_now()->write_error = SQLITE_IOERR_WRITE;
    rig_alarm(&r, 1);
    rig_run(&r, 10);
    uint64_t refused = 0;
    while (refused < 100)
        refused += rig_telemetry(&r, 1, VIRTUAL_WALL_MS, "\"values\":{\"lel\":12.3}") == RG_EFULL;
    fill_with_events(&r);
    rig_run(&r, 10); /* one half takes off, the other fills as well */
    fill_with_events(&r);
    fault_clear();
    rig_run(&r, 120000);
    assert_int_equal(r.lost_refused, 0);
    char expected[32];
    (void)snprintf(expected, sizeof(expected), "%" PRIu64, refused);
    assert_string_equal(rig_query(&r, "SELECT sum(body ->> '$.count') FROM event WHERE kind = 'lost'"
                                      " AND body ->> '$.stream' = 'telemetry'"),
                        expected);
    rig_end(&r);
}

/* The same for what the retention took. */
static void test_loss_by_age_is_told_when_there_is_room(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.append_lost = true;
    r.conf.keep_telemetry_ms = 3600000;
    rig_open(&r);
    const char *const county[] = {"county"};
    assert_int_equal(store_configure(r.store, &r.conf, county, 1), RG_OK);
    for (int i = 0; i < 100; i++)
        rig_frame(&r, 1);
    rig_run(&r, 3600000 - 1000);
    assert_int_equal(r.lost_count, 0);
    /* The lane is full just while the round runs that takes them. */
    for (int i = 0; i < 40 && r.lost_count == 0; i++) {
        fill_with_events(&r);
        rig_run(&r, 500);
    }
    rig_run(&r, 120000);
    assert_int_equal(r.lost_refused, 0);
    assert_string_equal(rig_query(&r, "SELECT sum(body ->> '$.count') FROM event WHERE kind = 'lost'"
                                      " AND body ->> '$.stream' = 'telemetry'"),
                        "100");
    rig_end(&r);
}

/* The disk filled while the gateway was off: it starts, and gives up its reserve for that. */
static void test_start_on_a_full_disk(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    for (int i = 0; i < 100; i++)
        rig_frame(&r, 1);
    rig_run(&r, 30000);
    rig_close(&r);
    char reserve[SUPPORT_TMP_SIZE + 64];
    (void)snprintf(reserve, sizeof(reserve), "%s.reserve", r.path);
    struct stat database, beside;
    assert_int_equal(stat(r.path, &database), 0);
    assert_int_equal(stat(reserve, &beside), 0);
    fault_now()->beside = reserve;
    fault_now()->capacity = database.st_size + beside.st_size;
    rig_open(&r);
    rig_alarm(&r, 1);
    rig_run(&r, 10);
    assert_int_equal(r.head[STREAM_ALARM], 1);
    assert_int_equal(r.unstored, 0);
    fault_clear();
    rig_end(&r);
}

/* A clock that comes up years ahead, as after a flat battery: nothing goes until somebody vouches for the time. */
static void test_clock_far_ahead(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    for (int i = 0; i < 10; i++)
        rig_frame(&r, 1);
    rig_alarm(&r, 1);
    assert_int_equal(rig_event(&r, "start"), RG_OK); /* with a synchronised clock */
    rig_run(&r, 2000);
    virtual_loop_set_synced(r.loop, false);
    virtual_loop_set_wall(r.loop, VIRTUAL_WALL_MS + 4000 * RIG_DAY);
    rig_run(&r, 120000);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 10);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), 1);
    /* Vouched for: then they are that old. */
    virtual_loop_set_synced(r.loop, true);
    rig_run(&r, 120000);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM telemetry"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM alarm"), 0);
    rig_end(&r);
}

static void unsynced_event(struct rig *r)
{
    const char body[] = "\"ts\":1,\"kind\":\"start\",\"clock\":\"unsynced\"";
    struct store_record record = {.stream = STREAM_EVENT,
                                  .ts = loop_wall_ms(r->loop),
                                  .body = body,
                                  .length = sizeof(body) - 1,
                                  .device = SITE_NONE,
                                  .unsynced = true,
                                  .kind = "start"};
    assert_int_equal(store_append(r->store, &record), RG_OK);
}

/* A gateway whose clock nobody ever vouched for ages its records by that clock all the same. */
static void test_clock_never_synced(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    virtual_loop_set_synced(r.loop, false);
    rig_open(&r);
    unsynced_event(&r);
    rig_run(&r, 2000);
    virtual_loop_set_wall(r.loop, VIRTUAL_WALL_MS + 1001 * RIG_DAY);
    rig_run(&r, 120000);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event"), 0);
    rig_end(&r);
}

/* The configuration in force is kept, but never before the event that tells of its change. */
static void test_configuration_kept(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    assert_null(r.start.config);
    assert_int_equal(store_config_put(r.store, "[1]", 3), RG_OK);
    rig_run(&r, 10);
    assert_string_equal(rig_query(&r, "SELECT config FROM applied"), "[1]");

    fault_now()->write_error = SQLITE_IOERR_WRITE;
    for (int i = 0; i < 8000; i++) /* more than one commit takes */
        assert_int_equal(rig_event(&r, "device"), RG_OK);
    assert_int_equal(rig_event(&r, "config"), RG_OK);
    assert_int_equal(store_config_put(r.store, "[2]", 3), RG_OK);
    rig_run(&r, 1000);
    assert_int_equal(store_config_put(r.store, "[3]", 3),
                     RG_OK); /* while the one before is tried again and again */
    rig_run(&r, 10000);
    fault_clear();
    while (strcmp(rig_query(&r, "SELECT config FROM applied"), "[1]") == 0)
        assert_true(virtual_loop_step(r.loop));
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'config'"), 1);
    rig_run(&r, 1000);

    fault_now()->write_error = SQLITE_IOERR_WRITE;
    assert_int_equal(store_config_put(r.store, "[4]", 3), RG_OK);
    rig_run(&r, 10);
    fault_clear();
    rig_close(&r); /* the end takes it along */
    rig_open(&r);
    assert_string_equal(r.start.config, "[4]");
    assert_int_equal(r.start.config_length, 3);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_refused_alarm_keeps_its_id, clear),
        cmocka_unit_test_setup(test_unstored_alarms_keep_their_ids, clear),
        cmocka_unit_test_setup(test_events_leave_room_for_alarms, clear),
        cmocka_unit_test_setup(test_loss_is_told_when_there_is_room, clear),
        cmocka_unit_test_setup(test_loss_by_age_is_told_when_there_is_room, clear),
        cmocka_unit_test_setup(test_start_on_a_full_disk, clear),
        cmocka_unit_test_setup(test_clock_far_ahead, clear),
        cmocka_unit_test_setup(test_clock_never_synced, clear),
        cmocka_unit_test_setup(test_configuration_kept, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
