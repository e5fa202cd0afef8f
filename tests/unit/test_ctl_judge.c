/* LINK rg_ctl */
/* What is wrong, from the daemon's status: where, since when, what to try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/judge.h"
#include "ctl/show.h"
#include "ctl/words.h"
#include "drivers/modbus/ask.h"

#define NOW "1763780000000"
#define UP "\"ts\":" NOW ",\"uptime_s\":100,"
#define START INT64_C(1763779900000)

static struct judgement judged(const char *text)
{
    struct judgement j;
    struct json *json = NULL;

    if (json_parse(text, strlen(text), 1 << 20, &json) != RG_OK)
        fail_msg("no JSON: %s", text);
    judge_status(json, &j);
    assert_false(j.failed);
    json_free(json);
    return j;
}

/* What is said of one status: findings with "weight|where|since|what part|advice part" each; the order counts. */
struct expected {
    const char *status;
    struct {
        enum judge_weight weight;
        const char *where;
        int64_t since_ms;
        const char *what, *advice;
    } findings[4];
};

static void check(const struct expected *e)
{
    struct judgement j = judged(e->status);
    size_t count = 0;

    while (count < RG_COUNT(e->findings) && e->findings[count].where)
        count++;
    if (j.count != count)
        fail_msg("%zu findings instead of %zu, the first of them: %s: %s\n%s", j.count, count,
                 j.count ? j.findings[0].where : "-", j.count ? j.findings[0].what : "-", e->status);
    for (size_t i = 0; i < count; i++) {
        const struct finding *f = &j.findings[i];

        if (f->weight != e->findings[i].weight || strcmp(f->where, e->findings[i].where) != 0 ||
            f->since_ms != e->findings[i].since_ms || !strstr(f->what, e->findings[i].what) ||
            !strstr(f->advice, e->findings[i].advice))
            fail_msg("%s: %s since %lld: %s -> %s", e->status, f->where, (long long)f->since_ms, f->what,
                     f->advice);
    }
    judge_free(&j);
}

static void check_all(const struct expected *e, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&e[i]);
}

#define DEVICE(name, bus, unit, state, more)                                                                 \
    "{\"name\":\"" name "\",\"bus\":\"" bus "\",\"unit\":" #unit ",\"state\":\"" state "\"" more "}"
#define RTU "{\"name\":\"line\",\"place\":\"rtu /dev/ttyS1 9600 none\",\"state\":"
#define TCP "{\"name\":\"shop\",\"place\":\"tcp 10.0.0.7:502\",\"state\":"
#define LOAD(state) ",\"load\":{\"measured\":0.97,\"planned\":0.2,\"state\":\"" state "\"}"
#define SILENT ",\"misses\":7,\"silent_since_ts\":1763779950000,\"last_ok_ts\":1763779940000,\"detail\":"

static void nothing(void **state)
{
    static const struct expected rows[] = {
        {"{}", {{0}}},
        {"7", {{0}}},
        {"{\"buses\":7,\"devices\":{},\"uplinks\":[7],\"outputs\":[{}],\"store\":{\"ok\":true}}",
         {{JUDGE_FAULT, "uplink -", 0, "not connected", "network"}}},
        {"{" UP "\"clock_synced\":true,\"store\":{\"ok\":true,\"free\":99999999999,\"max_size\":4294967296,"
         "\"size\":5,\"last_commit_ms\":12},\"loop\":{\"late_max_ms\":90},\"alarms\":{\"flood\":false},"
         "\"buses\":[" RTU "\"up\"" LOAD("fits") "}],\"devices\":[" DEVICE(
             "a", "line", 1, "online",
             ",\"recent_polls\":32,\"recent_answered\":31,\"bad\":{}") "],"
                                                                       "\"outputs\":[{\"name\":\"siren\","
                                                                       "\"fault\":false}],"
                                                                       "\"uplinks\":[{\"name\":\"county\","
                                                                       "\"connected\":true,\"detail\":null,"
                                                                       "\"certificate\":{\"days\":31}}],"
                                                                       "\"self_test\":[{\"uplink\":"
                                                                       "\"county\",\"last_ts\":5,\"ok\":true}"
                                                                       ",{\"uplink\":\"city\",\"last_ts\":0}]"
                                                                       "}",
         {{0}}},
        {"{\"buses\":[" TCP "\"idle\"}],\"devices\":[" DEVICE("a", "shop", 1, "unknown", "") "]}", {{0}}},
    };

    (void)state;
    check_all(rows, RG_COUNT(rows));
}

static void buses(void **state)
{
    static const struct expected rows[] = {
        /* down: since the last answer of any of its devices, which are not told one by one */
        {"{" UP "\"buses\":[" RTU
         "\"down\",\"detail\":\"/dev/ttyS1: no such file or directory\"}],\"devices\":[" DEVICE(
             "a", "line", 1, "suspended",
             ",\"last_ok_ts\":1763779940000") "," DEVICE("b", "line", 2, "online",
                                                         ",\"last_ok_ts\":1763779960000") "]}",
         {{JUDGE_FAULT, "bus line (rtu /dev/ttyS1 9600 none)", 1763779960000, "none of its 2 devices is read",
           "adapter"}}},
        /* it never worked: since the start */
        {"{" UP "\"buses\":[" RTU
         "\"down\",\"detail\":\"/dev/ttyS1: Permission denied\"}],\"devices\":[" DEVICE("a", "line", 1,
                                                                                        "unknown", "") "]}",
         {{JUDGE_FAULT, "bus line (rtu /dev/ttyS1 9600 none)", START, "its only device is not read",
           "dialout"}}},
        {"{\"buses\":[" TCP "\"down\",\"detail\":\"10.0.0.7:502: connection refused\"}]}",
         {{JUDGE_FAULT, "bus shop (tcp 10.0.0.7:502)", 0, "connection refused", "port"}}},
        {"{\"buses\":[" TCP "\"down\",\"detail\":\"10.0.0.7:502: no route to host\"}]}",
         {{JUDGE_FAULT, "bus shop (tcp 10.0.0.7:502)", 0, "no route", "cable"}}},
        {"{\"buses\":[" TCP "\"down\",\"detail\":\"something new\"}]}",
         {{JUDGE_FAULT, "bus shop (tcp 10.0.0.7:502)", 0, "something new", "ping"}}},
        /* open, and nobody answers: the line, once; a single unit is told as such */
        {"{" UP "\"buses\":[" RTU "\"up\"}],\"devices\":[" DEVICE(
             "a", "line", 1, "suspended",
             SILENT "\"no answer within 500 ms\"") "," DEVICE("b", "line", 2, "suspended",
                                                              ",\"silent_since_ts\":"
                                                              "1763779970000") "," DEVICE("c", "line", 3,
                                                                                          "unknow"
                                                                                          "n",
                                                                                          "") "]"
                                                                                              "}",
         {{JUDGE_FAULT, "bus line (rtu /dev/ttyS1 9600 none)", 1763779950000, "none of its 2 units answers",
           "A and B"}}},
        {"{" UP "\"buses\":[" TCP "\"up\"}],\"devices\":[" DEVICE(
             "a", "shop", 1, "suspended", SILENT "\"x\"") "," DEVICE("b", "shop", 2, "suspended", "") "]}",
         {{JUDGE_FAULT, "bus shop (tcp 10.0.0.7:502)", 1763779950000, "none of its 2 units answers",
           "converter"}}},
        /* its time */
        {"{\"buses\":[" RTU
         "\"up\"" LOAD("full") "}],\"devices\":[" DEVICE("a", "line", 1, "online", ",\"skipped\":41") "]}",
         {{JUDGE_WARNING, "bus line (rtu /dev/ttyS1 9600 none)", 0,
           "busy 97 % of its time: polls come late or are skipped (41 ", "`poll` periods"}}},
        {"{\"buses\":[" RTU "\"up\"" LOAD("over plan") "}]}",
         {{JUDGE_WARNING, "bus line (rtu /dev/ttyS1 9600 none)", 0, "where 20 % were worked out",
           "retries"}}},
    };

    (void)state;
    check_all(rows, RG_COUNT(rows));
}

#define LINE_WITH(device) "{" UP "\"buses\":[" RTU "\"up\"}],\"devices\":[" device "]}"
#define SHOP_WITH(device) "{" UP "\"buses\":[" TCP "\"up\"}],\"devices\":[" device "]}"
#define BLIND(detail) ",\"points\":4,\"bad\":{\"device\":2},\"detail\":\"" detail "\""

static void devices(void **state)
{
    static const struct expected rows[] = {
        {LINE_WITH(DEVICE("a", "line", 3, "suspended", SILENT "\"no answer within 500 ms\"")),
         {{JUDGE_FAULT, "device a (bus line, unit 3)", 1763779950000,
           "(7 polls in a row): no answer within 500 ms", "A and B"}}},
        {SHOP_WITH(DEVICE("a", "shop", 3, "suspended", SILENT "\"no answer within 500 ms\"")),
         {{JUDGE_FAULT, "device a (bus shop, unit 3)", 1763779950000, "does not answer", "unit number"}}},
        {SHOP_WITH(
             DEVICE("a", "shop", 3, "suspended", ",\"detail\":\"gateway target device failed to respond\"")),
         {{JUDGE_FAULT, "device a (bus shop, unit 3)", START, "last answer: never", "converter"}}},
        {LINE_WITH(DEVICE("a", "line", 3, "suspended", ",\"detail\":\"answer with a wrong CRC\"")),
         {{JUDGE_FAULT, "device a (bus line, unit 3)", START, "wrong CRC", "termination"}}},
        {LINE_WITH(DEVICE("a", "line", 3, "doubtful",
                          ",\"misses\":2,\"silent_since_ts\":5,\"detail\":\"no answer within 1 ms\"")),
         {{JUDGE_WARNING, "device a (bus line, unit 3)", 5, "its last 2 polls", "A and B"}}},
        {LINE_WITH(DEVICE("a", "line", 3, "online", BLIND("illegal data address"))),
         {{JUDGE_FAULT, "device a (bus line, unit 3)", 0,
           "2 of its 4 points cannot be read: illegal data address", "manual"}}},
        {LINE_WITH(DEVICE("a", "line", 3, "online",
                          ",\"points\":4,\"left_out\":1,\"bad\":{\"comm\":1},\"detail\":\"x\"")),
         {{JUDGE_FAULT, "device a (bus line, unit 3)", 0, "1 of its 4 points", "probe"}}},
        /* one failed try that a poll since has made good is nothing */
        {LINE_WITH(DEVICE("a", "line", 3, "online",
                          ",\"detail\":\"no answer\",\"recent_polls\":15,\"recent_answered\":1")),
         {{0}}},
        {LINE_WITH(DEVICE("a", "line", 3, "online", ",\"recent_polls\":32,\"recent_answered\":28")),
         {{JUDGE_WARNING, "device a (bus line, unit 3)", 0, "only 28 of its last 32 polls", "termination"}}},
        {LINE_WITH(DEVICE("a", "line", 3, "online", ",\"poll_late_ms\":1500,\"skipped\":9")),
         {{JUDGE_WARNING, "device a (bus line, unit 3)", 0, "1.5 s late, 9 were skipped", "bus"}}},
        /* the worst comes first */
        {LINE_WITH(DEVICE("a", "line", 3, "online",
                          ",\"points\":9,\"bad\":{\"range\":2,\"inhibited\":3,\"sensor\":1,\"stale\":1}")),
         {{JUDGE_FAULT, "device a (bus line, unit 3)", 0, "sensor fault at 1 of its 9", "calibration"},
          {JUDGE_WARNING, "device a (bus line, unit 3)", 0, "2 of its 9 points read outside", "`scale`"},
          {JUDGE_WARNING, "device a (bus line, unit 3)", 0, "3 of its 9 points are inhibited", "Warm-up"}}},
    };

    (void)state;
    check_all(rows, RG_COUNT(rows));
}

#define STORE(members) "{\"store\":{" members "}}"
#define UPLINK(members) "{\"uplinks\":[{\"name\":\"county\",\"url\":\"mqtt://b\"," members "}]}"
#define LOST(detail)                                                                                         \
    UPLINK("\"connected\":false,\"since_ts\":5,\"detail\":\"" detail                                         \
           "\",\"pending\":{\"alarm\":2,\"telemetry\":7}")

static void the_rest(void **state)
{
    static const char *const county = "uplink county (mqtt://b)";
    const struct expected rows[] = {
        {STORE("\"ok\":false,\"failing_since_ts\":5,\"detail\":\"r.db: database or disk is full\""),
         {{JUDGE_FAULT, "store", 5, "takes no records: r.db: database or disk is full", "room"}}},
        {STORE("\"ok\":false,\"detail\":\"r.db: disk I/O error\""),
         {{JUDGE_FAULT, "store", 0, "I/O", "replace"}}},
        {STORE("\"ok\":true,\"lost\":3,\"unrecorded\":2"),
         {{JUDGE_WARNING, "store", 0, "5 records were lost", "v_event"}}},
        {STORE("\"ok\":true,\"size\":1048576,\"max_size\":4294967296,\"free\":10485760"),
         {{JUDGE_WARNING, "store", 0, "10 MiB left, and the store may still grow by 4095 MiB", "max_size"}}},
        {STORE("\"ok\":true,\"size\":4294967296,\"max_size\":4294967296,\"free\":10485760"), {{0}}},
        {STORE("\"ok\":true,\"last_commit_ms\":2500"), {{JUDGE_WARNING, "store", 0, "2.5 s", "slow"}}},
        {STORE("\"ok\":true,\"set_aside\":{\"count\":1,\"bytes\":2097152,\"last\":\"r.db.bad\"}"),
         {{JUDGE_WARNING, "store", 0, "(2 MiB), the last one is r.db.bad", "remove"}}},
        {LOST("cannot connect: TCP/TLS connect failure"),
         {{JUDGE_FAULT, county, 5, "2 alarms and 7 readings wait", "network"}}},
        {LOST("cannot connect: no answer"), {{JUDGE_FAULT, county, 5, "no answer", "firewall"}}},
        {LOST("cannot connect: TLS: certificate verify failed"),
         {{JUDGE_FAULT, county, 5, "verify", "clock"}}},
        {LOST("cannot connect: Not authorized (135)"), {{JUDGE_FAULT, county, 5, "(135)", "`username`"}}},
        {LOST("cannot connect: Bad user name or password (134)"),
         {{JUDGE_FAULT, county, 5, "(134)", "`password_file`"}}},
        {LOST("ended by the broker: Session taken over"),
         {{JUDGE_FAULT, county, 5, "taken over", "client_id"}}},
        {UPLINK("\"connected\":true,\"since_ts\":5,\"detail\":\"cannot subscribe to x: Not authorized\""),
         {{JUDGE_WARNING, county, 5, "cannot subscribe", "rights"}}},
        {UPLINK("\"connected\":true,\"certificate\":{\"file\":\"a.pem\",\"days\":12,\"clock\":\"unsynced\"}"),
         {{JUDGE_WARNING, county, 0, "`a.pem` ends in 12 days, if the clock", "new one"}}},
        {UPLINK("\"connected\":true,\"certificate\":{\"file\":\"a.pem\",\"days\":-1}"),
         {{JUDGE_FAULT, county, 0, "expired", "new one"}}},
        {"{\"outputs\":[{\"name\":\"siren\",\"device\":\"relay\",\"fault\":true,\"since_ts\":5,\"wanted\":"
         "\"on\",\"state\":\"off\","
         "\"detail\":\"silent\"}]}",
         {{JUDGE_FAULT, "output siren (relay)", 5, "shall be on and is off: silent", "riskgatectl test"}}},
        {"{\"clock_synced\":false,\"clock_since_ts\":5}",
         {{JUDGE_WARNING, "clock", 5, "not synchronised", "timedatectl"}}},
        {"{\"self_test\":[{\"uplink\":\"county\",\"last_ts\":5,\"ok\":false}]}",
         {{JUDGE_FAULT, "uplink county", 5, "self test failed", "self-test"}}},
        {"{\"loop\":{\"late_max_ms\":2300}}", {{JUDGE_WARNING, "gateway", 0, "2.3 s late", "top"}}},
        {"{\"alarms\":{\"flood\":true,\"flood_since_ts\":5,\"per_10min\":30}}",
         {{JUDGE_WARNING, "alarms", 5, "30 were raised", "cause"}}},
    };

    (void)state;
    check_all(rows, RG_COUNT(rows));
}

/* What the driver says of every refusal has its own advice: the words here and there must not drift apart. */
static void every_exception_has_its_advice(void **state)
{
    static const struct {
        uint8_t code;
        const char *advice;
    } rows[] = {{1, "`input`"},    {2, "manual"},     {3, "max_registers"}, {4, "display"},
                {6, "less often"}, {10, "converter"}, {11, "converter"}};
    char text[512];

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct judgement j;

        (void)snprintf(text, sizeof text, LINE_WITH(DEVICE("a", "line", 3, "online", BLIND("%s"))),
                       exception_text(rows[i].code));
        j = judged(text);
        assert_int_equal(j.count, 1);
        assert_non_null(strstr(j.findings[0].advice, rows[i].advice));
        judge_free(&j);
    }
}

static void as_json(void **state)
{
    struct judgement j = judged(LINE_WITH(DEVICE("a", "line", 3, "suspended", SILENT "\"x\"")));
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    judge_write(&j, &w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    assert_non_null(strstr(
        w.text, "[{\"weight\":\"fault\",\"part\":\"device\",\"name\":\"a\",\"bus\":\"line\",\"unit\":3,"
                "\"since_ts\":1763779950000,\"where\":\"device a (bus line, unit 3)\",\"what\":\""));
    jsonw_free(&w);
    judge_free(&j);
}

static void shown(void **state)
{
    const char *status = LINE_WITH(DEVICE("a", "line", 3, "suspended", SILENT "\"no answer within 500 ms\""));
    struct json *json = NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);

    (void)state;
    assert_int_equal(json_parse(status, strlen(status), 1 << 20, &json), RG_OK);
    show_status(json, to);
    assert_int_equal(fclose(to), 0);
    assert_non_null(strstr(
        text,
        "\n         does not answer (7 polls in a row): no answer within 500 ms; last answer: 2025-11-22 "
        "02:52:20\n         -> Is the unit"));
    free(text);
    to = open_memstream(&text, &length);
    assert_int_equal(setenv("COLUMNS", "100", 1), 0);
    show_status(json, to);
    assert_int_equal(unsetenv("COLUMNS"), 0);
    assert_int_equal(fclose(to), 0);
    assert_non_null(strstr(
        text,
        "\nwhat is wrong (1):\n"
        "FAULT    device a (bus line, unit 3), since 02:52:30 (50 s)\n"
        "         does not answer (7 polls in a row): no answer within 500 ms; last answer: 2025-11-22\n"
        "         02:52:20\n"
        "         -> Is the unit powered, is its address the one above, are its speed and parity the"));
    free(text);
    json_free(json);
}

/* Every device with something wrong is told; a bound is in what is shown, not in what is known. */
static void many(void **state)
{
    static char text[400000];
    struct json *json = NULL;
    char *shown_text = NULL;
    size_t length = 0, used = (size_t)snprintf(
                           text, sizeof text,
                           "{\"buses\":[" RTU "\"up\"}],\"devices\":[" DEVICE("ok", "line", 1, "online", ""));
    struct judgement j;
    FILE *to;

    (void)state;
    for (int i = 0; i < 999; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "," DEVICE("d%d", "line", 2, "suspended", ""), i);
    (void)snprintf(text + used, sizeof text - used, "]}");
    j = judged(text);
    assert_int_equal(j.count, 999);
    judge_free(&j);
    assert_int_equal(json_parse(text, strlen(text), sizeof text, &json), RG_OK);
    for (int all = 0; all < 2; all++) {
        to = open_memstream(&shown_text, &length);
        assert_non_null(to);
        (all ? show_status_all : show_status)(json, to);
        assert_int_equal(fclose(to), 0);
        assert_int_equal(all, !strstr(shown_text, "(and 979 more: status --all)\n"));
        assert_int_equal(all, !strstr(shown_text, "(and 1 devices that are online: status --all)\n"));
        free(shown_text);
    }
    json_free(json);
}

static void since(void **state)
{
    static const struct {
        int64_t ago_ms;
        const char *text;
    } rows[] = {{-5000, "02:53:25"},
                {0, "02:53:20 (0 s)"},
                {59999, "02:52:20 (59 s)"},
                {60000, "02:52:20 (1 min)"},
                {7260000, "00:52:20 (2 h 1 min)"},
                {266400000, "2025-11-19 00:53:20 (3 d 2 h)"}};
    char out[WORDS_MAX];

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++)
        assert_string_equal(words_since(INT64_C(1763780000000) - rows[i].ago_ms, INT64_C(1763780000000), out),
                            rows[i].text);
}

static int in_utc(void **state)
{
    (void)state;
    (void)unsetenv("COLUMNS");
    (void)unsetenv("CLICOLOR_FORCE");
    return setenv("TZ", "UTC", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),
        cmocka_unit_test(buses),
        cmocka_unit_test(devices),
        cmocka_unit_test(the_rest),
        cmocka_unit_test(every_exception_has_its_advice),
        cmocka_unit_test(as_json),
        cmocka_unit_test(shown),
        cmocka_unit_test(since),
        cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, in_utc, NULL);
}
