/* LINK rg_app */
/* Records and documents, byte for byte as the contract's §3 shows them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/clock_watch.h"
#include "app/document.h"
#include "app/evidence.h"
#include "record/record.h"

static struct site_device devices[] = {
    {.name = "gas-1", .label = "抛光车间可燃气体探头", .first_point = 0, .point_count = 3}};
static struct site_point points[] = {
    {.name = "lel", .full_name = "gas-1.lel", .type = TYPE_U16, .scaling = {1, 0, 10}},
    {.name = "temp", .full_name = "gas-1.temp", .type = TYPE_F32, .scaling = {1, 0, 1}},
    {.name = "co", .full_name = "gas-1.co", .type = TYPE_U16, .scaling = {1, 0, 1}},
};
static const struct site site = {
    .gateway = {.id = "gw-01", .ent_code = "91350100M000100Y43"},
    .devices = devices,
    .device_count = 1,
    .points = points,
    .point_count = 3,
};

static void assert_body(const struct frame *frame, const char *expected)
{
    struct jsonw w;
    const char *body;
    size_t length;

    jsonw_init(&w, 0);
    assert_int_equal(record_frame(&w, &site, frame, &body, &length), RG_OK);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(body, expected, length);
    jsonw_free(&w);
}

static void a_frame_is_the_contracts_record(void **state)
{
    const struct sample samples[] = {
        {0, QUALITY_GOOD, 12.3}, {1, QUALITY_GOOD, 31.5}, {2, QUALITY_SENSOR, 0}};
    const struct frame frame = {
        .at = {.wall_ms = 1763780000123}, .heard = true, .count = 3, .samples = samples};

    (void)state;
    assert_body(&frame, "\"ts\":1763780000123,\"device\":\"gas-1\",\"values\":{\"lel\":12.3,\"temp\":31.5},"
                        "\"bad\":{\"co\":\"sensor\"}");
}

/* Promise 1: bad quality carries no value, whatever lies in the sample. */
static void no_invented_value(void **state)
{
    (void)state;
    for (int quality = QUALITY_COMM; quality < QUALITY_COUNT; quality++) {
        const struct sample samples[] = {{0, (enum quality)quality, 99.9}};
        const struct frame frame = {.at = {.wall_ms = 5}, .count = 1, .samples = samples};
        char expected[128];

        (void)snprintf(expected, sizeof expected,
                       "\"ts\":5,\"device\":\"gas-1\",\"values\":{},\"bad\":{\"lel\":\"%s\"}",
                       quality_name((enum quality)quality));
        assert_body(&frame, expected);
    }
}

/* An answer is no silence, though a gate that could not be read leaves none of its readings. */
static void an_answer_without_readings_was_heard(void **state)
{
    const struct sample samples[] = {{0, QUALITY_COMM, 0}, {1, QUALITY_DEVICE, 0}};
    struct frame frame = {.at = {.wall_ms = 5}, .heard = true, .count = 2, .samples = samples};

    (void)state;
    assert_body(&frame,
                "\"ts\":5,\"device\":\"gas-1\",\"values\":{},\"bad\":{\"lel\":\"comm\",\"temp\":\"device\"},"
                "\"heard\":true");
    frame.heard = false;
    assert_body(&frame,
                "\"ts\":5,\"device\":\"gas-1\",\"values\":{},\"bad\":{\"lel\":\"comm\",\"temp\":\"device\"}");
}

static void unsynced_records_are_told_apart(void **state)
{
    const struct sample samples[] = {{0, QUALITY_GOOD, 1}};
    const struct frame frame = {.at = {.wall_ms = 5}, .clock_unsynced = true, .count = 1, .samples = samples};

    (void)state;
    assert_body(&frame, "\"ts\":5,\"device\":\"gas-1\",\"values\":{\"lel\":1},\"clock\":\"unsynced\"");
}

/* A scaled f32 is no float any more: its shortest text as a float could be another number. */
static void floats_have_their_shortest_text(void **state)
{
    const struct sample samples[] = {{1, QUALITY_GOOD, (double)10802.12f}};
    const struct frame frame = {.at = {.wall_ms = 5}, .count = 1, .samples = samples};

    (void)state;
    assert_body(&frame, "\"ts\":5,\"device\":\"gas-1\",\"values\":{\"temp\":10802.12}");
    points[1].scaling.den = 10;
    assert_body(&frame, "\"ts\":5,\"device\":\"gas-1\",\"values\":{\"temp\":10802.1201171875}");
    points[1].scaling.den = 1;
}

static void an_alarm_is_the_contracts_record(void **state)
{
    const struct alarm alarm = {.id = "gw-01-42",
                                .rule = "lel-high",
                                .point = "gas-1.lel",
                                .area = "polishing",
                                .level = LEVEL_YELLOW};
    struct alarm_change change = {
        .event = ALARM_RAISE,
        .at = {.wall_ms = 1763780000125},
        .was = LEVEL_NONE,
        .alarm = &alarm,
        .has_value = true,
        .value = 22.1,
        .has_limit = true,
        .limit = 20,
        .unit = "%LEL",
        .label = "抛光车间可燃气体探头",
        .message = "可燃气体浓度过高",
    };
    static const char expected[] = "\"ts\":1763780000125,\"alarm\":\"gw-01-42\",\"event\":\"raise\","
                                   "\"level\":\"yellow\",\"was\":\"none\",\"acked\":false,"
                                   "\"shelved\":false,\"rule\":\"lel-high\",\"point\":\"gas-1.lel\",\"area\":"
                                   "\"polishing\",\"value\":22.1,\"limit\":20,"
                                   "\"unit\":\"%LEL\",\"label\":\"抛光车间可燃气体探头\",\"message\":"
                                   "\"可燃气体浓度过高\",\"by\":null,\"comment\":null";
    struct jsonw w;
    const char *body;
    size_t length;

    (void)state;
    jsonw_init(&w, 0);
    assert_int_equal(record_alarm(&w, &change, false, &body, &length), RG_OK);
    assert_int_equal(length, sizeof expected - 1);
    assert_memory_equal(body, expected, length);
    jsonw_free(&w);
}

/* A vote has no point of its own: null, and the members (contract §3). */
static void a_vote_lists_its_members(void **state)
{
    static const char *const members[] = {"gas-1.lel", "gas-2.lel"};
    const struct alarm alarm = {.id = "gw-01-7", .rule = "two", .level = LEVEL_RED};
    struct alarm_change change = {
        .event = ALARM_RAISE, .at = {.wall_ms = 5}, .alarm = &alarm, .points = members, .point_count = 2};
    static const char some[] = "\"rule\":\"two\",\"point\":null,\"points\":[\"gas-1.lel\",\"gas-2.lel\"],"
                               "\"area\":null,";
    static const char gone[] = "\"rule\":\"two\",\"point\":null,\"points\":[],\"area\":null,";
    struct jsonw w;
    const char *body;
    size_t length;

    (void)state;
    jsonw_init(&w, 0);
    assert_int_equal(record_alarm(&w, &change, false, &body, &length), RG_OK);
    assert_non_null(memmem(body, length, some, sizeof some - 1));
    change.points = NULL; /* its rule is no longer configured */
    change.point_count = 0;
    assert_int_equal(record_alarm(&w, &change, false, &body, &length), RG_OK);
    assert_non_null(memmem(body, length, gone, sizeof gone - 1));
    jsonw_free(&w);
}

static void what_is_rare_stands_behind_the_message(void **state)
{
    const struct alarm alarm = {.id = "gw-01-42",
                                .rule = "r",
                                .level = LEVEL_RED,
                                .first_out = true,
                                .shelved = true,
                                .shelved_until_ms = 1763780600125};
    struct alarm_change change = {.event = ALARM_SHELVE,
                                  .at = {.wall_ms = 1763780000125},
                                  .was = LEVEL_RED,
                                  .alarm = &alarm,
                                  .by = "Li",
                                  .comment = "repair"};
    static const char end[] = "\"message\":null,\"first_out\":true,\"shelved_until\":1763780600125,"
                              "\"by\":\"Li\",\"comment\":\"repair\"";
    struct jsonw w;
    const char *body;
    size_t length;

    (void)state;
    jsonw_init(&w, 0);
    assert_int_equal(record_alarm(&w, &change, false, &body, &length), RG_OK);
    assert_true(length > sizeof end);
    assert_memory_equal(body + length - (sizeof end - 1), end, sizeof end - 1);
    jsonw_free(&w);
}

static void a_record_that_does_not_fit_is_an_error(void **state)
{
    const struct sample samples[] = {{0, QUALITY_GOOD, 12.3}};
    const struct frame frame = {.at = {.wall_ms = 5}, .count = 1, .samples = samples};
    char memory[32];
    struct jsonw w;
    const char *body;
    size_t length;

    (void)state;
    jsonw_init_fixed(&w, memory, sizeof memory);
    assert_int_not_equal(record_frame(&w, &site, &frame, &body, &length), RG_OK);
}

static void the_state_document(void **state)
{
    const struct document_state doc = {.online = true, .ts = 7, .boot = 3, .version = "1.0", .config = "ab"};
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    document_state(&w, &site, &doc);
    assert_string_equal(
        w.text,
        "{\"v\":1,\"ent\":\"91350100M000100Y43\",\"gw\":\"gw-01\",\"online\":true,\"ts\":7,\"boot\":3,"
        "\"version\":\"1.0\",\"config\":\"ab\"}");
    jsonw_free(&w);
}

static void live_points_begin_stale(void **state)
{
    const struct sample samples[] = {{1, QUALITY_GOOD, 4.5}};
    const struct frame frame = {.at = {.wall_ms = 9}, .count = 1, .samples = samples};
    struct evidence e;

    (void)state;
    assert_int_equal(evidence_create(&e, &site), RG_OK);
    assert_int_equal(evidence_last(&e, 0).quality, QUALITY_STALE);
    evidence_frame(&e, &frame);
    assert_int_equal(evidence_last(&e, 1).quality, QUALITY_GOOD);
    assert_true(evidence_last(&e, 1).value == 4.5);
    assert_int_equal(evidence_last(&e, 0).quality, QUALITY_STALE);
    evidence_destroy(&e);
}

static void clock_steps_are_seen_and_slewing_is_not(void **state)
{
    struct clock_watch watch;
    struct moment now = {.mono_ms = 1000, .wall_ms = 1763780000000};
    bool changed;

    (void)state;
    clock_watch_start(&watch, now, true);
    now.mono_ms += 1000;
    now.wall_ms += 1000 + CLOCK_WATCH_STEP_MS - 1;
    assert_int_equal(clock_watch_look(&watch, now, true, &changed), 0);
    assert_false(changed);
    now.mono_ms += 1000;
    now.wall_ms += 1000 - 3600000;
    assert_int_equal(clock_watch_look(&watch, now, false, &changed), -3600000);
    assert_true(changed);
    now.mono_ms += 60000; /* a turn of the loop that came late is no step */
    now.wall_ms += 60000;
    assert_int_equal(clock_watch_look(&watch, now, false, &changed), 0);
    assert_false(changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_the_contracts_record),
        cmocka_unit_test(no_invented_value),
        cmocka_unit_test(an_answer_without_readings_was_heard),
        cmocka_unit_test(unsynced_records_are_told_apart),
        cmocka_unit_test(floats_have_their_shortest_text),
        cmocka_unit_test(an_alarm_is_the_contracts_record),
        cmocka_unit_test(a_vote_lists_its_members),
        cmocka_unit_test(what_is_rare_stands_behind_the_message),
        cmocka_unit_test(a_record_that_does_not_fit_is_an_error),
        cmocka_unit_test(the_state_document),
        cmocka_unit_test(live_points_begin_stale),
        cmocka_unit_test(clock_steps_are_seen_and_slewing_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
