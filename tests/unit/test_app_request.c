/* LINK rg_daemon rg_loop_virtual rg_test_support */
/* What platforms ask, read and paced: every shape, every refusal, whatever the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/request.h"
#include "app/request_gate.h"
#include "uplink/uplink.h"

static const struct site_gateway gateway = {.id = "gw-01", .ent_code = "91350100M000100Y43"};

static enum rg_err parse(const char *text, struct request *out, char error[REQUEST_ERROR_MAX])
{
    error[0] = '\0';
    return request_parse(text, strlen(text), &gateway, out, error, REQUEST_ERROR_MAX);
}

#define ID "\"id\":\"a-1\","
#define ALARM ID "\"alarm\":\"gw-01-1\","
#define BY "\"by\":\"Li\""

static const struct {
    const char *text;
    const char *error; /* without "malformed: " */
} wrong[] = {
    {"", "it is not one valid JSON value"},
    {"null", "it is no JSON object"},
    {"[]", "it is no JSON object"},
    {"\"ack\"", "it is no JSON object"},
    {"{", "it is not one valid JSON value"},
    {"{}{}", "it is not one valid JSON value"},
    {"{\"id\":\"a\",\"id\":\"b\"}", "it is not one valid JSON value"},
    {"{\"id\":\"a\\u0000b\"}", "it is not one valid JSON value"},
    {"{\"id\":\"\xff\"}", "it is not one valid JSON value"},
    {"{\"id\":\"\xed\xa0\x80\"}", "it is not one valid JSON value"}, /* half a surrogate pair */
    {"{}", "`id` is missing"},
    {"{\"id\":7}", "`id` must be a text of 1 to 64 printable ASCII characters without spaces"},
    {"{\"id\":null}", "`id` must be a text of 1 to 64 printable ASCII characters without spaces"},
    {"{\"id\":\"\"}", "`id` must be a text of 1 to 64 printable ASCII characters without spaces"},
    {"{\"id\":\"a b\"}", "`id` must be a text of 1 to 64 printable ASCII characters without spaces"},
    {"{\"id\":\"a\\nb\"}", "`id` must be a text of 1 to 64 printable ASCII characters without spaces"},
    {"{\"id\":\"\xe5\xbc\xa0\"}", "`id` must be a text of 1 to 64 printable ASCII characters without spaces"},
    {"{\"id\":\"12345678901234567890123456789012345678901234567890123456789012345\"}",
     "`id` must be a text of 1 to 64 printable ASCII characters without spaces"},
    {"{\"id\":\"a\"}", "`command` is missing"},
    {"{" ID "\"command\":\"reboot\"}", "`command` must be one of ack, shelve, unshelve, backfill, read"},
    {"{" ID "\"command\":\"ACK\"}", "`command` must be one of ack, shelve, unshelve, backfill, read"},
    {"{" ID "\"command\":[\"ack\"]}", "`command` must be one of ack, shelve, unshelve, backfill, read"},
    {"{" ID "\"command\":\"permit\",\"permit\":\"x\"}",
     "`command` must be one of ack, shelve, unshelve, backfill, read"},
    {"{" ID "\"v\":2,\"command\":\"ack\"}", "`v` must be 1"},
    {"{" ID "\"v\":\"1\",\"command\":\"ack\"}", "`v` must be 1"},
    {"{" ID "\"gw\":\"gw-02\",\"command\":\"ack\"}", "`gw` is not this gateway's"},
    {"{" ID "\"gw\":1,\"command\":\"ack\"}", "`gw` is not this gateway's"},
    {"{" ID "\"ent\":\"x\",\"command\":\"ack\"}", "`ent` is not this gateway's"},
    {"{" ALARM BY ",\"command\":\"ack\",\"coment\":\"x\"}", "`coment` is no member of a command"},
    {"{" ALARM BY ",\"command\":\"ack\",\"\":1}", "`` is no member of a command"},
    {"{" ALARM BY ",\"command\":\"ack\",\"a\\u202eb\":1}", "`?` is no member of a command"},
    {"{" ALARM BY ",\"command\":\"ack\",\"for\":\"1h\"}", "`for` does not go with this command"},
    {"{" ALARM BY ",\"command\":\"ack\",\"point\":\"a.b\"}", "`point` does not go with this command"},
    {"{" ID BY ",\"command\":\"read\",\"alarm\":\"x\",\"point\":\"a.b\"}",
     "`alarm` does not go with this command"},
    {"{" ID BY ",\"command\":\"ack\"}", "`alarm` is missing"},
    {"{" ID BY ",\"command\":\"ack\",\"alarm\":1}", "`alarm` must be a text"},
    {"{" ID BY ",\"command\":\"ack\",\"alarm\":\"\"}", "`alarm` must not be empty"},
    {"{" ALARM "\"command\":\"ack\"}", "`by` is missing"},
    {"{" ALARM "\"command\":\"unshelve\"}", "`by` is missing"},
    {"{" ALARM "\"command\":\"ack\",\"by\":\"\"}", "`by` must not be empty"},
    {"{" ALARM "\"command\":\"ack\",\"by\":{\"name\":\"Li\"}}", "`by` must be a text"},
    {"{" ALARM "\"command\":\"ack\",\"by\":\"L\\ni\"}", "`by` holds control characters"},
    {"{" ALARM "\"command\":\"ack\",\"by\":\"L\\u007fi\"}", "`by` holds control characters"},
    {"{" ALARM "\"command\":\"ack\",\"by\":\"L\\u0085i\"}", "`by` holds control characters"},
    {"{" ALARM "\"command\":\"ack\",\"by\":\"L\\u202ei\"}", "`by` holds control characters"},
    {"{" ALARM "\"command\":\"ack\",\"by\":\"L\\u2066i\"}", "`by` holds control characters"},
    {"{" ALARM "\"command\":\"ack\",\"by\":\"L\\u061ci\"}", "`by` holds control characters"},
    {"{" ALARM "\"command\":\"ack\",\"by\":\"L\\u2028i\"}", "`by` holds control characters"},
    {"{" ALARM BY ",\"command\":\"ack\",\"comment\":7}", "`comment` must be a text"},
    {"{" ALARM BY ",\"command\":\"ack\",\"comment\":null}", "`comment` must be a text"},
    {"{" ALARM BY ",\"command\":\"ack\",\"comment\":\"a\\u001b[2Jb\"}", "`comment` holds control characters"},
    {"{" ALARM BY ",\"command\":\"shelve\"}", "`for` is missing"},
    {"{" ALARM BY ",\"command\":\"shelve\",\"for\":1800000}", "`for` must be a duration such as 30m"},
    {"{" ALARM BY ",\"command\":\"shelve\",\"for\":\"0s\"}", "`for` must be a duration such as 30m"},
    {"{" ALARM BY ",\"command\":\"shelve\",\"for\":\"-5m\"}", "`for` must be a duration such as 30m"},
    {"{" ALARM BY ",\"command\":\"shelve\",\"for\":\"999999999999999999999d\"}",
     "`for` must be a duration such as 30m"},
    {"{" ID "\"command\":\"backfill\",\"from\":1,\"to\":2}",
     "`stream` must be one of alarm, telemetry, event, report"},
    {"{" ID "\"command\":\"backfill\",\"stream\":\"state\",\"from\":1,\"to\":2}",
     "`stream` must be one of alarm, telemetry, event, report"},
    {"{" ID "\"command\":\"backfill\",\"stream\":\"alarm\"}",
     "`from` and `to` must be sequence numbers, 1 <= from <= to"},
    {"{" ID "\"command\":\"backfill\",\"stream\":\"alarm\",\"from\":0,\"to\":2}",
     "`from` and `to` must be sequence numbers, 1 <= from <= to"},
    {"{" ID "\"command\":\"backfill\",\"stream\":\"alarm\",\"from\":3,\"to\":2}",
     "`from` and `to` must be sequence numbers, 1 <= from <= to"},
    {"{" ID "\"command\":\"backfill\",\"stream\":\"alarm\",\"from\":1.5,\"to\":2}",
     "`from` and `to` must be sequence numbers, 1 <= from <= to"},
    {"{" ID "\"command\":\"backfill\",\"stream\":\"alarm\",\"from\":1,\"to\":1e300}",
     "`from` and `to` must be sequence numbers, 1 <= from <= to"},
    {"{" ID "\"command\":\"backfill\",\"stream\":\"alarm\",\"from\":\"1\",\"to\":2}",
     "`from` and `to` must be sequence numbers, 1 <= from <= to"},
    {"{" ID "\"command\":\"backfill\",\"stream\":\"alarm\",\"from\":1,\"to\":99999999999999999999}",
     "`from` and `to` must be sequence numbers, 1 <= from <= to"},
    {"{" ID "\"command\":\"read\"}", "exactly one of `point` and `device` must be given"},
    {"{" ID "\"command\":\"read\",\"point\":\"d.a\",\"device\":\"d\"}",
     "exactly one of `point` and `device` must be given"},
    {"{" ID "\"command\":\"read\",\"point\":[]}", "`point` must be a text"},
    {"{" ID "\"command\":\"read\",\"device\":\"d\",\"by\":\"\"}", "`by` must not be empty"},
};

static void what_is_no_command(void **state)
{
    char error[REQUEST_ERROR_MAX], expected[REQUEST_ERROR_MAX];
    struct request r;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(wrong); i++) {
        if (parse(wrong[i].text, &r, error) != RG_EINVAL)
            fail_msg("taken: %s", wrong[i].text);
        (void)snprintf(expected, sizeof expected, "malformed: %s", wrong[i].error);
        if (strcmp(error, expected) != 0)
            fail_msg("%s\nis:  %s\nnot: %s", wrong[i].text, error, expected);
    }
}

/* The id is echoed as soon as it is valid, whatever else is wrong. */
static void the_id_of_what_is_wrong(void **state)
{
    char error[REQUEST_ERROR_MAX];
    struct request r;

    (void)state;
    assert_int_equal(parse("{\"id\":\"x\\\"!~\",\"command\":\"dance\"}", &r, error), RG_EINVAL);
    assert_string_equal(r.id, "x\"!~");
    assert_int_equal(r.command, REQUEST_NONE);
    assert_int_equal(parse("{\"command\":\"ack\",\"id\":\"x\"}", &r, error), RG_EINVAL);
    assert_string_equal(r.id, "x");
    assert_int_equal(r.command, REQUEST_ACK);
    assert_int_equal(parse("{\"command\":\"ack\",\"id\":\"x y\"}", &r, error), RG_EINVAL);
    assert_string_equal(r.id, "");
    assert_int_equal(parse("{\"id\":\"x\"", &r, error), RG_EINVAL);
    assert_string_equal(r.id, "");
}

static void what_is_one(void **state)
{
    char error[REQUEST_ERROR_MAX];
    struct request r;

    (void)state;
    assert_int_equal(parse("{" ALARM BY ",\"command\":\"ack\",\"comment\":\"one\\n\\ttwo\"}", &r, error),
                     RG_OK);
    assert_int_equal(r.command, REQUEST_ACK);
    assert_string_equal(r.id, "a-1");
    assert_string_equal(r.alarm, "gw-01-1");
    assert_string_equal(r.by, "Li");
    assert_true(r.has_comment);
    assert_string_equal(r.comment, "one\n\ttwo");
    assert_int_equal(parse("{" ALARM "\"v\":1,\"ent\":\"91350100M000100Y43\",\"gw\":\"gw-01\","
                           "\"by\":\"\xe5\xbc\xa0\xe4\xb8\x89\",\"command\":\"shelve\",\"for\":\"30m\","
                           "\"comment\":\"\"}",
                           &r, error),
                     RG_OK);
    assert_int_equal(r.command, REQUEST_SHELVE);
    assert_int_equal(r.for_ms, 1800000);
    assert_false(r.has_comment);
    assert_string_equal(r.by, "\xe5\xbc\xa0\xe4\xb8\x89");
    assert_int_equal(parse("{" ALARM BY ",\"command\":\"unshelve\"}", &r, error), RG_OK);
    assert_int_equal(r.command, REQUEST_UNSHELVE);
    assert_int_equal(
        parse("{" ID "\"command\":\"backfill\",\"stream\":\"report\",\"from\":7,\"to\":7}", &r, error),
        RG_OK);
    assert_int_equal(r.stream, STREAM_REPORT);
    assert_int_equal(r.from, 7);
    assert_int_equal(r.to, 7);
    assert_string_equal(r.by, "");
    assert_int_equal(parse("{" ID "\"command\":\"read\",\"point\":\"d.a\"}", &r, error), RG_OK);
    assert_string_equal(r.point, "d.a");
    assert_string_equal(r.device, "");
    assert_int_equal(parse("{" ID BY ",\"command\":\"read\",\"device\":\"d\"}", &r, error), RG_OK);
    assert_string_equal(r.device, "d");
}

/* A command in which `%` stands for a text of this length. */
static enum rg_err with_long(const char *pattern, size_t length, struct request *r, char *error)
{
    const char *mark = strchr(pattern, '%');
    char *filler = calloc(1, length + 1);
    char *text = calloc(1, length + 256);
    enum rg_err err;

    assert_non_null(filler);
    assert_non_null(text);
    memset(filler, 'x', length);
    (void)snprintf(text, length + 256, "%.*s%s%s", (int)(mark - pattern), pattern, filler, mark + 1);
    err = parse(text, r, error);
    free(filler);
    free(text);
    return err;
}

static void how_long_it_may_be(void **state)
{
    static const struct {
        const char *pattern;
        size_t most;
    } rows[] = {
        {"{\"id\":\"%\",\"command\":\"read\",\"device\":\"d\"}", REQUEST_ID_MAX},
        {"{" ALARM "\"command\":\"ack\",\"by\":\"%\"}", REQUEST_BY_MAX},
        {"{" ALARM BY ",\"command\":\"ack\",\"comment\":\"%\"}", ALARM_COMMENT_MAX - 1},
        {"{" ID BY ",\"command\":\"ack\",\"alarm\":\"%\"}", ALARM_ID_MAX - 1},
        {"{" ID "\"command\":\"read\",\"point\":\"%\"}", POINT_NAME_MAX - 1},
        {"{" ID "\"command\":\"read\",\"device\":\"%\"}", TEXT_ID_MAX},
    };
    char error[REQUEST_ERROR_MAX];
    struct request r;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        assert_int_equal(with_long(rows[i].pattern, rows[i].most, &r, error), RG_OK);
        assert_int_equal(with_long(rows[i].pattern, rows[i].most + 1, &r, error), RG_EINVAL);
    }
    assert_int_equal(REQUEST_BY_MAX + 1 + TEXT_ID_MAX, ALARM_WHO_MAX - 1);
    assert_int_equal(with_long("{\"id\":\"%\"}", UPLINK_COMMAND_BYTES, &r, error), RG_EINVAL);
    assert_string_equal(error, "malformed: longer than 16384 bytes");
    assert_int_equal(request_parse(NULL, 1 << 20, &gateway, &r, error, sizeof error), RG_EINVAL);
    assert_string_equal(error, "malformed: longer than 16384 bytes");
}

static void nested_deep(void **state)
{
    char text[4096] = "{\"id\":\"a\",\"command\":", error[REQUEST_ERROR_MAX];
    struct request r;

    (void)state;
    memset(text + strlen(text), '[', 2000);
    assert_int_equal(parse(text, &r, error), RG_EINVAL);
    (void)snprintf(text, sizeof text, "{\"id\":");
    memset(text + 6, '[', 40);
    memset(text + 46, ']', 40);
    text[86] = '}';
    text[87] = '\0';
    assert_int_equal(parse(text, &r, error), RG_EINVAL);
    assert_string_equal(error, "malformed: it is nested too deep");
}

/* ---- the gate ---- */

static void pace(void **state)
{
    struct gate_pace p = {0};
    int64_t now = 1000000;
    int taken = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        taken += gate_pace_take(&p, now, 20, 1000) ? 1 : 0;
    assert_int_equal(taken, 20);
    assert_false(gate_pace_take(&p, now + 999, 20, 1000));
    assert_true(gate_pace_take(&p, now + 1000, 20, 1000));
    assert_false(gate_pace_take(&p, now + 1000, 20, 1000));
    /* What is refused costs nothing: at any rate of arrival one goes through a second. */
    taken = 0;
    for (int64_t ms = 0; ms < 100000; ms++)
        taken += gate_pace_take(&p, now + 1000 + ms, 20, 1000) ? 1 : 0;
    assert_int_equal(taken, 99);
    /* Idle: the burst is there again, and no more than that. */
    taken = 0;
    for (int i = 0; i < 100; i++)
        taken += gate_pace_take(&p, now + 10000000, 20, 1000) ? 1 : 0;
    assert_int_equal(taken, 20);
}

static void ids(void **state)
{
    struct gate g;
    char id[16];

    (void)state;
    assert_int_equal(gate_create(&g), RG_OK);
    assert_null(gate_find(&g, "a"));
    gate_enter(&g, "a");
    assert_non_null(gate_find(&g, "a"));
    assert_false(gate_find(&g, "a")->done);
    gate_done(&g, "a", false, "failed: no", 77);
    assert_true(gate_find(&g, "a")->done);
    assert_false(gate_find(&g, "a")->ok);
    assert_string_equal(gate_find(&g, "a")->error, "failed: no");
    assert_int_equal(gate_find(&g, "a")->ts, 77);
    for (int i = 0; i < REQUEST_IDS - 1; i++) {
        (void)snprintf(id, sizeof id, "n-%d", i);
        gate_enter(&g, id);
    }
    assert_non_null(gate_find(&g, "a")); /* the oldest */
    gate_enter(&g, "b");
    assert_null(gate_find(&g, "a"));
    gate_done(&g, "a", true, "", 1); /* forgotten meanwhile */
    assert_null(gate_find(&g, "a"));
    assert_non_null(gate_find(&g, "n-0"));
    gate_restore(&g, &(struct store_command){.uplink = "u", .id = "old", .ok = true, .ts = 5});
    assert_true(gate_find(&g, "old")->ok && gate_find(&g, "old")->done);
    assert_null(gate_find(&g, "n-0"));
    gate_destroy(&g);
}

static void tells(void **state)
{
    struct gate_count count;
    struct gate g;
    int64_t now = 500000;
    int told = 0;

    (void)state;
    assert_int_equal(gate_create(&g), RG_OK);
    assert_false(gate_count(&g, now, true, &count));
    for (int i = 0; i < 50; i++)
        told += gate_tell(&g, now + i, 1000 + i) ? 1 : 0;
    assert_int_equal(told, REQUEST_TELLS);
    gate_unheard(&g, now + 60, 2000);
    assert_false(gate_count(&g, now + REQUEST_TELLS + REQUEST_TELLS_MS - 1, false, &count));
    assert_true(gate_count(&g, now + REQUEST_TELLS + REQUEST_TELLS_MS, false, &count));
    assert_int_equal(count.unrecorded, 30);
    assert_int_equal(count.unheard, 1);
    assert_int_equal(count.since_ms, 1000 + REQUEST_TELLS);
    assert_false(gate_count(&g, now + 10 * REQUEST_TELLS_MS, true, &count)); /* counted once */
    assert_true(gate_tell(&g, now + REQUEST_TELLS_MS, 9));                   /* the next minute */
    /* However fast they come, records do not: in an hour 20 a minute and one that counts. */
    told = 0;
    int counts = 0;
    uint64_t all = 0;
    for (int64_t ms = 0; ms < 3600000; ms += 10) {
        told += gate_tell(&g, now + 2 * REQUEST_TELLS_MS + ms, ms + 1) ? 1 : 0;
        if (gate_count(&g, now + 2 * REQUEST_TELLS_MS + ms, false, &count)) {
            counts++;
            all += count.unrecorded;
        }
    }
    assert_in_range(told, 60 * REQUEST_TELLS, 61 * REQUEST_TELLS);
    assert_in_range(counts, 58, 60);
    if (gate_count(&g, 0, true, &count))
        all += count.unrecorded;
    assert_int_equal(all + (uint64_t)told, 360000); /* and none is lost */
    gate_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_command),
        cmocka_unit_test(the_id_of_what_is_wrong),
        cmocka_unit_test(what_is_one),
        cmocka_unit_test(how_long_it_may_be),
        cmocka_unit_test(nested_deep),
        cmocka_unit_test(pace),
        cmocka_unit_test(ids),
        cmocka_unit_test(tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
