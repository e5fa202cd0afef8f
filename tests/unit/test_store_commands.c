/* LINK rg_test_support rg_store rg_loop_virtual PkgConfig::SQLITE */
/* What a start finds of platforms' commands, and of how high an alarm ever stood. */
#include "test_store_help.h"

static void event(struct rig *r, const char *rest)
{
    char body[512];
    int n = snprintf(body, sizeof(body), "\"ts\":%" PRId64 ",\"kind\":\"command\",%s", loop_wall_ms(r->loop),
                     rest);
    struct store_record record = {.stream = STREAM_EVENT,
                                  .ts = loop_wall_ms(r->loop),
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = SITE_NONE,
                                  .kind = "command"};

    assert_true(n > 0 && (size_t)n < sizeof(body));
    assert_int_equal(store_append(r->store, &record), RG_OK);
}

static void what_was_carried_out(void **state)
{
    struct rig r;
    char error[400];

    (void)state;
    rig_init(&r);
    rig_open(&r);
    assert_int_equal(r.start.command_count, 0);
    event(&r, "\"command\":\"ack\",\"uplink\":\"county\",\"id\":\"a\",\"ok\":true,\"error\":null");
    event(&r, "\"command\":\"ack\",\"by\":\"Li\""); /* of the socket */
    event(&r, "\"command\":\"ack\",\"uplink\":\"county\",\"id\":\"b\",\"ok\":false,\"error\":\"no\"");
    event(&r, "\"command\":\"ack\",\"uplink\":\"county\",\"id\":\"a\",\"ok\":false,\"error\":\"replayed\","
              "\"refused\":true");
    event(&r, "\"command\":null,\"uplink\":\"county\",\"ok\":false,\"refused\":7");
    event(&r, "\"command\":\"read\",\"uplink\":\"park\",\"id\":\"a\",\"ok\":true");
    (void)snprintf(error, sizeof(error),
                   "\"command\":\"read\",\"uplink\":\"park\",\"id\":\"c\",\"ok\":false,\"error\":\"%0300d\"",
                   0);
    event(&r, error);
    (void)snprintf(error, sizeof(error),
                   "\"command\":\"x\",\"uplink\":\"park\",\"id\":\"%0100d\",\"ok\":true", 0);
    event(&r, error); /* none of ours */
    rig_run(&r, 0);
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(r.start.command_count, 4);
    assert_string_equal(r.start.commands[0].uplink, "county");
    assert_string_equal(r.start.commands[0].id, "a");
    assert_true(r.start.commands[0].ok);
    assert_string_equal(r.start.commands[0].error, "");
    assert_true(r.start.commands[0].ts > 0);
    assert_string_equal(r.start.commands[1].id, "b");
    assert_false(r.start.commands[1].ok);
    assert_string_equal(r.start.commands[1].error, "no");
    assert_string_equal(r.start.commands[2].uplink, "park");
    assert_string_equal(r.start.commands[2].id, "a");
    assert_string_equal(r.start.commands[3].id, "c");
    assert_int_equal(strlen(r.start.commands[3].error), sizeof(r.start.commands[3].error) - 1);
    rig_close(&r);
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(sqlite3_exec(db, "UPDATE event SET body = 'x' WHERE seq = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    rig_open(&r);
    assert_int_equal(r.start.command_count, 3); /* and it starts */
    rig_end(&r);
}

/* One platform's flood does not push out what another one asked. */
static void the_newest_of_each(void **state)
{
    struct rig r;
    char text[128];

    (void)state;
    rig_init(&r);
    rig_open(&r);
    event(&r, "\"command\":\"ack\",\"uplink\":\"park\",\"id\":\"first\",\"ok\":true");
    for (int i = 0; i < STORE_COMMANDS + 100; i++) {
        (void)snprintf(text, sizeof(text),
                       "\"command\":\"read\",\"uplink\":\"county\",\"id\":\"n-%d\",\"ok\":true", i);
        event(&r, text);
    }
    rig_run(&r, 0);
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(r.start.command_count, STORE_COMMANDS + 1);
    assert_string_equal(r.start.commands[0].id, "first");
    assert_string_equal(r.start.commands[1].id, "n-100");
    (void)snprintf(text, sizeof(text), "n-%d", STORE_COMMANDS + 99);
    assert_string_equal(r.start.commands[STORE_COMMANDS].id, text);
    rig_end(&r);
}

static void how_high_an_alarm_stood(void **state)
{
    static const struct {
        enum level level, highest, found;
    } rows[] = {
        {LEVEL_YELLOW, LEVEL_RED, LEVEL_RED},
        {LEVEL_YELLOW, LEVEL_NONE, LEVEL_YELLOW}, /* of before there was such a thing */
        {LEVEL_ORANGE, LEVEL_ORANGE, LEVEL_ORANGE},
    };
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    for (unsigned i = 0; i < RG_COUNT(rows); i++) {
        struct alarm alarm = {.rule = "r",
                              .point = "d.p",
                              .level = rows[i].level,
                              .highest = rows[i].highest,
                              .raised_ms = 5 + i};
        struct store_record record = {.stream = STREAM_ALARM,
                                      .ts = 5,
                                      .body = "\"ts\":5",
                                      .length = 6,
                                      .device = SITE_NONE,
                                      .level = alarm.level,
                                      .alarm = &alarm,
                                      .next_alarm = i + 2};

        (void)snprintf(alarm.id, sizeof(alarm.id), "gw-%u", i);
        assert_int_equal(store_append(r.store, &record), RG_OK);
    }
    rig_run(&r, 0);
    rig_close(&r);
    rig_open(&r);
    assert_int_equal(r.start.alarm_count, RG_COUNT(rows));
    for (unsigned i = 0; i < RG_COUNT(rows); i++)
        assert_int_equal(r.start.alarms[i].highest, rows[i].found);
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_carried_out),
        cmocka_unit_test(the_newest_of_each),
        cmocka_unit_test(how_high_an_alarm_stood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
