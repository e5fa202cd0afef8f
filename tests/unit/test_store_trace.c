/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* The story of one alarm: what belongs to it and nothing else, what was around it, who has it. */
#include "test_store_help.h"

#include <math.h>

#include "base/json_read.h"
#include "store/trace.h"

static struct json *trace(const struct rig *r, const char *alarm, enum rg_err expected)
{
    struct json *out = NULL;
    struct jsonw w;
    char why[512] = "";
    enum rg_err err;

    jsonw_init(&w, 0);
    err = trace_alarm(r->path, alarm, &w, why, sizeof(why));
    if (err != expected)
        fail_msg("%s: %s", rg_err_name(err), why);
    if (err == RG_OK)
        assert_int_equal(json_parse(w.text, w.length, w.length, &out), RG_OK);
    else
        assert_true(strlen(why) > 0);
    jsonw_free(&w);
    return out;
}

static const struct json *at(const struct json *list, size_t index)
{
    const struct json *item = json_first(list);

    while (item && index-- > 0)
        item = json_next(item);
    assert_non_null(item);
    return item;
}

static const char *text(const struct json *json, const char *key)
{
    const char *found = json_string(json_get(json, key));

    if (!found)
        fail_msg("no text %s", key);
    return found;
}

static void event(struct rig *r, const char *kind, const char *members)
{
    char body[512];
    int n = snprintf(body, sizeof(body), "\"ts\":%" PRId64 ",\"kind\":\"%s\",%s", loop_wall_ms(r->loop), kind,
                     members);
    struct store_record record = {.stream = STREAM_EVENT,
                                  .ts = loop_wall_ms(r->loop),
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = SITE_NONE,
                                  .kind = kind};

    assert_int_equal(store_append(r->store, &record), RG_OK);
}

static void alarm(struct rig *r, unsigned number, const char *event, enum level level, enum level was)
{
    char body[512];
    int n =
        snprintf(body, sizeof(body),
                 "\"ts\":%" PRId64 ",\"alarm\":\"gw-01-%u\",\"event\":\"%s\",\"level\":\"%s\",\"was\":\"%s\","
                 "\"rule\":\"lel-high\",\"point\":\"gas-1.lel\",\"value\":22.1",
                 loop_wall_ms(r->loop), number, event, level_name(level), level_name(was));
    struct store_record record = {.stream = STREAM_ALARM,
                                  .ts = loop_wall_ms(r->loop),
                                  .body = body,
                                  .length = (size_t)n,
                                  .device = SITE_NONE,
                                  .level = level,
                                  .was = was};

    assert_int_equal(store_append(r->store, &record), RG_OK);
}

/* Frames of gas-1 each second, the fourth of them bad; alarm 1 of gas-1.lel raised between them, alarm 10 beside it. */
static void play(struct rig *r)
{
    event(r, "start", "\"config\":\"aaa\"");
    for (int i = 0; i < 8; i++) {
        char values[128];

        (void)snprintf(values, sizeof(values),
                       i == 3 ? "\"values\":{\"other\":1},\"bad\":{\"lel\":\"sensor\"}"
                              : "\"values\":{\"lel\":%d.5,\"other\":1}",
                       i);
        assert_int_equal(rig_telemetry(r, 1, loop_wall_ms(r->loop), values), RG_OK);
        assert_int_equal(rig_telemetry(r, 2, loop_wall_ms(r->loop), "\"values\":{\"lel\":99}"), RG_OK);
        assert_int_equal(rig_telemetry(r, 1, loop_wall_ms(r->loop), "\"values\":{\"other\":2}"), RG_OK);
        rig_run(r, 500);
        if (i == 4) {
            alarm(r, 1, "raise", LEVEL_YELLOW, LEVEL_NONE);
            alarm(r, 10, "raise", LEVEL_YELLOW, LEVEL_NONE);
        }
        rig_run(r, 500);
    }
    event(r, "config", "\"applied\":false,\"sha256\":\"ccc\"");
    event(r, "config", "\"applied\":true,\"sha256\":\"bbb\"");
    event(r, "command", "\"command\":\"ack\",\"alarm\":\"gw-01-1\",\"by\":\"张三\",\"comment\":\"已到现场\"");
    event(r, "command", "\"command\":\"ack\",\"alarm\":\"gw-01-10\",\"by\":\"x\",\"comment\":null");
    alarm(r, 1, "ack", LEVEL_YELLOW, LEVEL_YELLOW);
    rig_run(r, 1000);
    alarm(r, 1, "clear", LEVEL_NONE, LEVEL_YELLOW);
    rig_run(r, 2000);
}

static void test_story(void **state)
{
    static const char *const names[] = {"county", "city"};
    static const double expected[] = {2.5, NAN, 4.5, 5.5, 6.5, 7.5};
    struct rig r;
    struct cursor cursor = {.acked = 4, .range_count = 1, .ranges = {{3, 3}}};

    (void)state;
    rig_init(&r);
    rig_open(&r);
    assert_int_equal(store_configure(r.store, &r.conf, names, 2), RG_OK);
    play(&r);
    assert_int_equal(store_cursor_put(r.store, "county", STREAM_ALARM, &cursor), RG_OK);
    cursor = (struct cursor){.acked = 1};
    assert_int_equal(store_cursor_put(r.store, "city", STREAM_ALARM, &cursor), RG_OK);
    rig_run(&r, 2000);

    struct json *story = trace(&r, "gw-01-1", RG_OK);
    const struct json *records = json_get(story, "records");
    assert_true(json_bool(json_get(json_get(story, "chain"), "ok"), false));
    assert_int_equal(json_size(records), 3); /* and none of gw-01-10 */
    for (size_t i = 0; i < 3; i++) {
        static const char *const events[] = {"raise", "ack", "clear"};
        static const char *const configs[] = {"aaa", "bbb", "bbb"};
        static const size_t uplinks[] = {2, 0, 1};
        const struct json *e = at(records, i);

        assert_string_equal(text(json_get(e, "record"), "event"), events[i]);
        assert_string_equal(text(e, "hash"), "holds");
        assert_string_equal(text(json_get(e, "config"), "sha256"), configs[i]);
        assert_int_equal(json_size(json_get(e, "uplinks")), uplinks[i]);
    }
    assert_string_equal(json_string(at(json_get(at(records, 2), "uplinks"), 0)), "county");

    const struct json *readings = json_get(at(records, 0), "readings");
    assert_int_equal(json_size(readings), 6);
    for (size_t i = 0; i < 6; i++) {
        const struct json *f = at(readings, i);

        assert_string_equal(text(f, "point"), "gas-1.lel");
        if (i == 1) {
            assert_true(json_is_null(json_get(f, "value")));
            assert_string_equal(text(f, "quality"), "sensor");
        } else {
            assert_true(json_double(json_get(f, "value"), NAN) == expected[i]);
            assert_string_equal(text(f, "quality"), "good");
        }
        assert_true((json_int(json_get(f, "ts"), 0) <=
                     json_int(json_get(json_get(at(records, 0), "record"), "ts"), 0)) == (i < 3));
    }
    assert_int_equal(json_size(json_get(at(records, 1), "readings")),
                     0); /* an acknowledgement moves nothing */
    assert_int_equal(json_size(json_get(story, "commands")), 1);
    assert_string_equal(text(at(json_get(story, "commands"), 0), "comment"), "已到现场");
    json_free(story);
    rig_end(&r);
}

static void test_broken(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    play(&r);
    sqlite3 *db = rig_sql(&r);
    assert_int_equal(sqlite3_exec(db, "UPDATE alarm SET body = replace(body, '22.1', '12.1') WHERE seq = 3",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    struct json *story = trace(&r, "gw-01-1", RG_OK);
    const struct json *records = json_get(story, "records");
    assert_false(json_bool(json_get(json_get(story, "chain"), "ok"), true));
    assert_string_equal(text(at(records, 0), "hash"), "holds");
    assert_string_equal(text(at(records, 1), "hash"), "broken");
    assert_string_equal(text(at(records, 2), "hash"), "broken"); /* nothing vouches for what comes after */
    json_free(story);
    /* What is no JSON any more is shown as it is. */
    assert_int_equal(
        sqlite3_exec(db, "UPDATE alarm SET body = substr(body, 2) WHERE seq = 3", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    story = trace(&r, "gw-01-1", RG_OK);
    assert_non_null(strstr(text(at(json_get(story, "records"), 1), "text"), "\"seq\":3"));
    json_free(story);
    rig_end(&r);
}

static void test_none(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    rig_open(&r);
    play(&r);
    assert_null(trace(&r, "gw-01-2", RG_ENOTFOUND));
    assert_null(trace(&r, "gw-01", RG_ENOTFOUND));
    assert_null(trace(&r, "", RG_EINVAL));
    assert_null(trace(&r, "x\" OR 1", RG_EINVAL));
    assert_null(trace(&r, "%", RG_EINVAL));
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
