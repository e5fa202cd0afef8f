/* LINK rg_platform_check PkgConfig::CRYPTO */
/* The platform's judgement must itself be able to say no: good messages pass, each kind of breach is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/gateway.h"
#include "platform/raw.h"
#include "platform_feed.h"

#define HEAD "{\"v\":1,\"ent\":\"E\",\"gw\":\"G\","
/* Hashes computed with sha256sum over the bytes that the contract names. */
#define ALARM_1                                                                                              \
    "{\"seq\":1,\"ts\":5,\"alarm\":\"G-1\",\"event\":\"raise\",\"level\":\"yellow\",\"was\":\"none\","       \
    "\"acked\":false,"                                                                                       \
    "\"shelved\":false,\"rule\":\"r\",\"point\":\"d.p\",\"area\":null,\"value\":1,\"limit\":1,\"unit\":"     \
    "null,\"label\":null,"                                                                                   \
    "\"message\":\"a,]}\\\"b\",\"by\":null,\"comment\":null"
#define ALARM_2                                                                                              \
    "{\"seq\":2,\"ts\":6,\"alarm\":\"G-1\",\"event\":\"clear\",\"level\":\"none\",\"was\":\"yellow\","       \
    "\"acked\":false,"                                                                                       \
    "\"shelved\":false,\"rule\":\"r\",\"point\":\"d.p\",\"area\":null,\"value\":0,\"limit\":1,\"unit\":"     \
    "null,\"label\":null,"                                                                                   \
    "\"message\":null,\"by\":null,\"comment\":null"
#define HASH_1 "4ba04b90606d7e5b8eb82ca78821912c9357efc59c9d7aec283fce6e3751769a"
#define HASH_2 "467e05f20384f52aaa7e36225c9a6a40b4128c84c716c29341d9e5ab8ee496be"
#define RECORD_1 ALARM_1 ",\"hash\":\"" HASH_1 "\"}"
#define RECORD_2 ALARM_2 ",\"hash\":\"" HASH_2 "\"}"
#define MESSAGE(prev, first, last, records)                                                                  \
    HEAD "\"stream\":\"alarm\",\"backfill\":false,\"prev\":" prev ",\"first\":" first ",\"last\":" last      \
         ",\"records\":[" records "]}"

#define EVENT(what, hash)                                                                                    \
    HEAD "\"stream\":\"event\",\"backfill\":false,\"prev\":null,\"first\":1,\"last\":1,"                     \
         "\"records\":[{\"seq\":1,\"ts\":5," what ",\"hash\":\"" hash "\"}]}"

struct fixture {
    struct gateway *g;
    struct violations v;
};

static int set_up(void **state)
{
    static struct fixture f;

    memset(&f.v, 0, sizeof f.v);
    f.g = gateway_create("E", "G", 0);
    *state = &f;
    return f.g ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    gateway_free(f->g);
    return 0;
}

static uint64_t take(struct fixture *f, const char *topic, const char *payload, int qos, bool retained)
{
    const struct platform_message m = {topic, payload, strlen(payload), qos, retained, false};
    uint64_t before = f->v.count;

    gateway_take(f->g, &m, &f->v, &gateway_no_sink);
    return f->v.count - before;
}

/* The same with the hash that belongs to its one record. */
static uint64_t take_hashed(struct fixture *f, const char *payload)
{
    static const char lead[] = "\"records\":[{\"seq\":1,";
    char body[FEED_TEXT], record[FEED_TEXT], hash[LEDGER_HASH + 1], text[FEED_TEXT];
    const char *begin = strstr(payload, lead) + sizeof lead - 1;

    (void)snprintf(body, sizeof body, "%.*s", (int)(strstr(begin, ",\"hash\"") - begin), begin);
    feed_record(record, 1, body, "", hash);
    feed_message(text, sizeof text, "alarm", 0, 1, 1, "", record);
    return take(f, "alarm", text, 1, false);
}

static void good_alarms_pass(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, "alarm", MESSAGE("null", "1", "1", RECORD_1), 1, false), 0);
    assert_int_equal(alarm_find(&f->g->alarms, "G-1")->level, PL_YELLOW);
    assert_int_equal(take(f, "alarm", MESSAGE("1", "2", "2", RECORD_2), 1, false), 0);
    assert_false(alarm_find(&f->g->alarms, "G-1")->active);
    assert_int_equal(take(f, "alarm", MESSAGE("1", "2", "2", RECORD_2), 1, false), 0); /* sent again */
    assert_int_equal(f->g->ledgers[KIND_ALARM].resent, 1);
    gateway_finish(f->g, false, &f->v);
    if (f->v.count)
        fail_msg("%s", f->v.text[0]);
}

static void a_batch_passes(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, "alarm", MESSAGE("null", "1", "2", RECORD_1 "," RECORD_2), 1, false), 0);
    gateway_finish(f->g, false, &f->v);
    assert_int_equal(f->v.count, 0);
}

static void an_altered_record_is_found(void **state)
{
    struct fixture *f = *state;
    char altered[2048] = MESSAGE("null", "1", "1", RECORD_1);

    memcpy(strstr(altered, "\"ts\":5"), "\"ts\":4", 6);
    assert_int_equal(take(f, "alarm", altered, 1, false), 1); /* its hash does not fit */
    gateway_finish(f->g, false, &f->v);
    assert_int_equal(f->v.count, 1);
    assert_int_equal(take(f, "alarm", MESSAGE("null", "1", "1", RECORD_1), 1, false),
                     1); /* same number, other text */
}

static void a_missing_record_is_found(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, "alarm", MESSAGE("1", "2", "2", RECORD_2), 1, false), 0);
    f->g->state_seen = f->g->about_seen = f->g->risk_seen = true;
    gateway_finish(f->g, true, &f->v);
    assert_int_equal(f->v.count, 1);
}

static void breaches_are_found(void **state)
{
    static const struct {
        const char *topic, *payload;
        int qos;
        bool retained;
    } rows[] = {
        {"alarm", "not json", 1, false},
        {"alarm", MESSAGE("null", "1", "1", RECORD_1), 0, false},
        {"alarm", MESSAGE("null", "1", "1", RECORD_1), 1, true},
        {"telemetry", MESSAGE("null", "1", "1", RECORD_1), 1, false},
        {"alarm", MESSAGE("1", "1", "1", RECORD_1), 1, false},
        {"alarm", MESSAGE("null", "1", "2", RECORD_1), 1, false},
        {"alarm", MESSAGE("null", "2", "2", RECORD_1), 1, false},
        {"alarm", MESSAGE("null", "1", "2", RECORD_2 "," RECORD_1), 1, false},
        {"alarm", MESSAGE("null", "1", "1", ALARM_1 "}"), 1, false},
        {"alarm", MESSAGE("null", "1", "1", ""), 1, false},
        {"alarm",
         "{\"v\":2,\"ent\":\"E\",\"gw\":\"G\",\"stream\":\"alarm\",\"backfill\":false,\"prev\":null,"
         "\"first\":1,\"last\":1,"
         "\"records\":[" RECORD_1 "]}",
         1, false},
        {"state", HEAD "\"online\":1,\"ts\":1,\"boot\":1,\"version\":\"x\",\"config\":\"y\"}", 1, true},
        {"risk", HEAD "\"ts\":1,\"level\":\"purple\",\"areas\":{}}", 1, true},
        {"risk",
         HEAD "\"ts\":1,\"level\":\"none\",\"areas\":{\"a\":{\"level\":\"red\",\"inherent\":\"none\","
              "\"alarms\":1}}}",
         1, true},
        {"risk",
         HEAD "\"ts\":1,\"level\":\"red\",\"areas\":{\"a\":{\"level\":\"red\",\"inherent\":\"none\","
              "\"alarms\":0}}}",
         1, true},
        {"about", HEAD "\"areas\":[]}", 1, true},
        {"weather", HEAD "\"x\":1}", 1, true},
        {"telemetry",
         HEAD "\"stream\":\"telemetry\",\"backfill\":false,\"prev\":null,\"first\":1,\"last\":1,\"records\":["
              "{\"seq\":1,"
              "\"ts\":1,\"device\":\"d\",\"values\":{\"p\":1},\"bad\":{\"p\":\"comm\"}}]}",
         1, false},
        {"telemetry",
         HEAD "\"stream\":\"telemetry\",\"backfill\":false,\"prev\":null,\"first\":1,\"last\":1,\"records\":["
              "{\"seq\":1,"
              "\"ts\":1,\"device\":\"d\",\"values\":{},\"bad\":{\"p\":\"tired\"}}]}",
         1, false},
        {"telemetry",
         HEAD "\"stream\":\"telemetry\",\"backfill\":false,\"prev\":null,\"first\":1,\"last\":1,\"records\":["
              "{\"seq\":1,"
              "\"device\":\"d\",\"values\":{}}]}",
         1, false},
        {"event",
         EVENT("\"kind\":\"party\"", "6b76c573ac34dc31ada864e4007d8024a46ab177881c9864debf5a48c198c1ca"), 1,
         false},
        {"event",
         EVENT("\"kind\":\"level\",\"area\":null,\"level\":\"red\",\"was\":\"red\"",
               "2ea3a56235ae095977929f69ca04b5e4f67ea2ba51895c4be91cbba3647a7fbe"),
         1, false},
        {"event",
         EVENT("\"kind\":\"level\",\"area\":null,\"level\":\"red\"",
               "d9ca8eefa59b64895f90e777f4ee6b170cf84e5ec1f19e51fd17a22a90f9b318"),
         1, false},
        {"event",
         EVENT("\"kind\":\"level\",\"level\":\"red\",\"was\":\"none\"",
               "82c7ed3773fb3f2e90e8a872f2c63315507965a776c85a01c88203d9999dd859"),
         1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f = {.g = gateway_create("E", "G", 0)};

        if (take(&f, rows[i].topic, rows[i].payload, rows[i].qos, rows[i].retained) == 0)
            fail_msg("row %zu passed: %s", i, rows[i].payload);
        gateway_free(f.g);
    }
}

#define SHELF(event, level, was, acked, shelved, by)                                                         \
    HEAD "\"stream\":\"alarm\",\"backfill\":false,\"prev\":null,\"first\":1,\"last\":1,\"records\":["        \
         "{\"seq\":1,\"ts\":5,\"alarm\":\"G-1\",\"event\":\"" event "\",\"level\":\"" level                  \
         "\",\"was\":\"" was "\",\"acked\":" acked ",\"shelved\":" shelved                                   \
         ",\"rule\":\"r\",\"point\":\"d.p\",\"area\":null,"                                                  \
         "\"value\":null,\"limit\":null,\"unit\":null,\"label\":null,\"message\":null,\"by\":" by            \
         ",\"comment\":null,\"hash\":\"" HASH_1 "\"}]}"

#define UNTIL "true,\"shelved_until\":9"

static void shelving_is_what_it_says(void **state)
{
    static const struct {
        const char *payload;
        uint64_t breaches;
    } rows[] = {
        {SHELF("shelve", "red", "red", "false", UNTIL, "\"Li\""), 0},
        {SHELF("shelve", "red", "red", "false", UNTIL, "null"), 1},
        {SHELF("shelve", "red", "red", "false", "false", "\"Li\""), 1},
        {SHELF("shelve", "red", "red", "false", "true", "\"Li\""), 1}, /* until when? */
        {SHELF("shelve", "red", "blue", "false", UNTIL, "\"Li\""), 1},
        {SHELF("unshelve", "red", "red", "false", "false", "null"), 0},
        {SHELF("unshelve", "red", "red", "false", UNTIL, "null"), 1},
        {SHELF("escalate", "red", "blue", "false", UNTIL, "null"), 1},
        {SHELF("escalate", "red", "blue", "true", "false", "null"), 1},
        {SHELF("deescalate", "blue", "red", "false", UNTIL, "null"), 0},
        {SHELF("clear", "none", "red", "true", UNTIL, "null"), 0},
        {SHELF("ack", "red", "red", "true", UNTIL, "\"Li\""), 0},
        {SHELF("ack", "red", "red", "true", UNTIL, "null"), 1},
        {SHELF("ack", "red", "red", "false", "false", "\"Li\""), 1},
        {SHELF("raise", "red", "none", "true", "false", "null"), 1},
        {SHELF("party", "red", "red", "false", "false", "null"), 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f = {.g = gateway_create("E", "G", 0)};

        assert_non_null(f.g);
        if (take_hashed(&f, rows[i].payload) != rows[i].breaches)
            fail_msg("row %zu: %s", i, f.v.count ? f.v.text[0] : "passed");
        gateway_free(f.g);
    }
}

#define POINTS(text)                                                                                         \
    HEAD "\"stream\":\"alarm\",\"backfill\":false,\"prev\":null,\"first\":1,\"last\":1,\"records\":["        \
         "{\"seq\":1,\"ts\":5,\"alarm\":\"G-1\",\"event\":\"raise\",\"level\":\"red\",\"was\":\"none\","     \
         "\"acked\":false,\"shelved\":false,\"rule\":\"r\"," text ",\"area\":null,"                          \
         "\"value\":null,\"limit\":null,\"unit\":null,\"label\":null,\"message\":null,\"by\":null,"          \
         "\"comment\":null,\"hash\":\"" HASH_1 "\"}]}"

/* Contract §3: for a vote `point` is null and `points` lists the members. */
static void a_vote_lists_its_members(void **state)
{
    static const struct {
        const char *payload;
        uint64_t breaches;
    } rows[] = {
        {POINTS("\"point\":\"d.p\""), 0},
        {POINTS("\"point\":null,\"points\":[\"d.p\",\"d.q\"]"), 0},
        {POINTS("\"point\":null,\"points\":[]"), 0}, /* its rule is no longer configured */
        {POINTS("\"point\":null"), 1},
        {POINTS("\"point\":null,\"points\":\"d.p\""), 1},
        {POINTS("\"point\":null,\"points\":[1]"), 1},
        {POINTS("\"point\":\"d.p\",\"points\":[\"d.p\"]"), 1},
        {POINTS("\"point\":7"), 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f = {.g = gateway_create("E", "G", 0)};
        uint64_t breaches;

        assert_non_null(f.g);
        breaches = take_hashed(&f, rows[i].payload);
        if ((breaches > 0) != (rows[i].breaches > 0))
            fail_msg("row %zu: %s", i, f.v.count ? f.v.text[0] : "passed");
        gateway_free(f.g);
    }
}

static void a_level_is_an_event(void **state)
{
    assert_int_equal(take(*state, "event",
                          EVENT("\"kind\":\"level\",\"area\":\"a\",\"level\":\"red\",\"was\":\"none\"",
                                "9728698a5794b2a63cf3b01fb42421aa1d2f85b76f761d789896258d390cb411"),
                          1, false),
                     0);
}

static void an_alarms_life_is_followed(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(take(f, "alarm", MESSAGE("null", "1", "1", RECORD_1), 1, false), 0);
    /* It clears from a level it never had. */
    char wrong[2048] = MESSAGE("1", "2", "2", RECORD_2);
    memcpy(strstr(wrong, "\"was\":\"yellow\""), "\"was\":\"orange\"", 14);
    assert_int_equal(take(f, "alarm", wrong, 1, false), 2); /* and its hash does not fit */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_alarms_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_altered_record_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_record_is_found, set_up, tear_down),
        cmocka_unit_test(breaches_are_found),
        cmocka_unit_test(a_vote_lists_its_members),
        cmocka_unit_test(shelving_is_what_it_says),
        cmocka_unit_test_setup_teardown(a_level_is_an_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_alarms_life_is_followed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
