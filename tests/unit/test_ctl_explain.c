/* LINK rg_ctl */
/* riskgatectl explain, as people read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/show_explain.h"

#define POINT                                                                                                \
    "\"points\":[{\"point\":\"gas.lel\",\"label\":\"Probe\",\"unit\":\"%LEL\",\"area\":\"shop\",\"where\":"  \
    "\"p.yaml:9\","                                                                                          \
    "\"poll_ms\":1000,\"samples\":[{\"ts\":1763780001000,\"value\":21.5,\"quality\":\"good\"},"              \
    "{\"ts\":1763780002000,\"value\":null,\"quality\":\"sensor\"}]}]"
#define HEAD                                                                                                 \
    "{\"name\":\"gas.lel\",\"now_ts\":1763780002500,\"watches\":[{\"rule\":\"lel\",\"point\":\"gas.lel\","   \
    "\"where\":\"p.yaml:40\","
#define RULE                                                                                                 \
    ",\"message\":\"gas\",\"signal\":\"value\",\"deadband\":1,\"on_delay_ms\":3000,\"off_delay_ms\":90000,"  \
    "\"limits\":["                                                                                           \
    "{\"level\":\"red\",\"side\":\"above\",\"limit\":50,\"holds\":false,\"reached\":false,\"leaves\":49,"    \
    "\"basis\":"                                                                                             \
    "\"GB/T 50493-2019 "                                                                                     \
    "5.5.2\"},{\"level\":\"yellow\",\"side\":\"above\",\"limit\":20,\"holds\":true,\"reached\":true,"        \
    "\"leaves\":19,\"basis\":null}],"
#define READINGS                                                                                             \
    "gas.lel (Probe) in shop, p.yaml:9\n  last readings:\n    02:53:21.000  21.5 %LEL\n    02:53:22.000  "   \
    "bad: sensor\n"
#define LIMITS                                                                                               \
    "    red above 50 %LEL (GB/T 50493-2019 5.5.2)\n    yellow above 20 %LEL, reached, held until below "    \
    "19\n"

/* What is said of an answer. */
static void says(const char *json_text, const char *expected)
{
    struct json *json = NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);

    assert_non_null(to);
    assert_int_equal(json_parse(json_text, strlen(json_text), 1 << 20, &json), RG_OK);
    show_explain(json, to);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, expected);
    free(text);
    json_free(json);
}

static void an_alarm_that_stands(void **state)
{
    (void)state;
    says(HEAD "\"state\":\"held\",\"level\":\"yellow\",\"reading_level\":\"yellow\",\"value\":21.5,\"bad\":"
              "true,\"clocks\":[]" RULE "\"alarm\":{\"alarm\":\"gw-7\",\"raised_ts\":1763700000000,\"acked\":"
              "true,\"acked_by\":\"Li\",\"shelved\":false,"
              "\"suppressed\":false,\"last_change\":{\"event\":\"raise\",\"ts\":1763780001000,\"was\":"
              "\"none\",\"level\":\"yellow\","
              "\"value\":21.5,\"limit\":20,\"samples\":[{\"ts\":1763780001000,\"value\":21.5,\"quality\":"
              "\"good\"}]}}}]," POINT "}",
         READINGS "\nrule lel on gas.lel, p.yaml:40: yellow, alarm gw-7, raised 2025-11-21 04:40:00.000, "
                  "acknowledged by Li\n"
                  "  why now: raised from none to yellow at 02:53:21.000, the reading was 21.5 %LEL, the "
                  "limit 20 %LEL, held for "
                  "the on-delay of 3 s\n"
                  "  readings up to then:\n    02:53:21.000  21.5 %LEL\n"
                  "  says: gas\n"
                  "  why not lower: readings still give yellow\n"
                  "  why not red: that needs 50 %LEL or more, which is 28.5 %LEL away\n"
                  "  watches the reading, last known 21.5 %LEL, which gives yellow; the last one was bad and "
                  "changes nothing; "
                  "dead-band 1 %LEL, on-delay 3 s, off-delay 90 s\n" LIMITS);
}

static void a_delay_that_runs(void **state)
{
    (void)state;
    says(HEAD "\"state\":\"rising\",\"level\":\"none\",\"reading_level\":\"yellow\",\"value\":21.5,\"bad\":"
              "false,\"clocks\":["
              "{\"level\":\"yellow\",\"since_ts\":1763780001000,\"end_ts\":1763780004000}]" RULE
              "\"alarm\":null}]," POINT "}",
         READINGS
         "\nrule lel on gas.lel, p.yaml:40: no alarm\n"
         "  says: gas\n"
         "  why not yellow yet: the on-delay still runs\n"
         "    yellow: readings have been that high since 02:53:21.000; it is raised at 02:53:24.000 (in 1.5 "
         "s) "
         "unless a reading breaks it\n"
         "  watches the reading, last known 21.5 %LEL, which gives yellow; dead-band 1 %LEL, on-delay 3 s, "
         "off-delay 90 s\n" LIMITS);
}

/* Of each other state what matters. */
static void states(void **state)
{
    static const struct {
        const char *json, *line;
    } cases[] = {
        {"\"state\":\"unknown\",\"level\":\"none\",\"reading_level\":\"none\"",
         "  why not yet: no good reading since the daemon started or took this rule\n"},
        {"\"state\":\"frozen\",\"level\":\"none\",\"reading_level\":\"red\",\"clocks\":[{\"level\":\"red\","
         "\"since_ts\":"
         "1763780001000,\"end_ts\":1763780002000}]",
         "  why not red yet: the on-delay runs, but the last reading was bad; the next good one decides\n"
         "    red: readings were that high from 02:53:21.000 on; the delay alone would end at "
         "02:53:22.000\n"},
        {"\"state\":\"falling\",\"level\":\"red\",\"reading_level\":\"none\",\"clocks\":[{\"level\":\"none\","
         "\"since_ts\":"
         "1763780001000,\"end_ts\":1763780091000}]",
         "  why not cleared yet: readings give no level, but the off-delay still runs\n"
         "    none: readings have been that low since 02:53:21.000; it clears at 02:54:51.000 (in 88 s) "
         "unless a "
         "reading breaks it\n"},
        {"\"state\":\"waiting\",\"level\":\"red\",\"reading_level\":\"none\"",
         "  why not lower: the last reading was bad, and a bad one lowers nothing; the off-delay begins anew "
         "with the "
         "next good one\n"},
        {"\"state\":\"latched\",\"level\":\"red\",\"reading_level\":\"none\",\"alarm\":{\"alarm\":\"gw-9\"}",
         "  why not lower: it latches; it stands until somebody acknowledges it (riskgatectl ack gw-9 --by "
         "NAME), then "
         "what the off-delays allow is done\n"},
        {"\"state\":\"unarmed\",\"level\":\"none\",\"guard\":{\"point\":\"d.fan\",\"holds\":false,\"is\":[1,"
         "2]}",
         "  why not: the rule is not armed; d.fan must be 1 or 2; nothing is raised and no delay runs\n"},
        {"\"state\":\"unarmed\",\"level\":\"red\",\"permit\":{\"name\":\"tank\",\"open\":false},\"alarm\":{"
         "\"alarm\":"
         "\"gw-9\"}",
         "  why not: the rule is not armed; permit tank is closed; its alarm stands as it is and counts for "
         "nothing\n"},
        {"\"state\":\"quiet\",\"level\":\"none\",\"permit\":{\"name\":\"tank\",\"open\":true,\"until_ts\":"
         "1763780091000}",
         "  permit tank is open until 02:54:51.000\n"},
        {"\"state\":\"quiet\",\"level\":\"none\",\"value\":3,\"limits\":[{\"level\":\"red\",\"side\":"
         "\"above\",\"limit\":12.5,"
         "\"of\":\"d.base\",\"times\":1.2,\"plus\":-1,\"leaves\":12}]",
         "    red above 12.5, which is d.base * 1.2 - 1\n"},
        {"\"state\":\"quiet\",\"level\":\"none\",\"value\":3,\"limits\":[{\"level\":\"red\",\"side\":"
         "\"above\",\"limit\":null,"
         "\"of\":\"d.base\",\"times\":1,\"plus\":0}]",
         "    red above a limit that is not known now, which is d.base * 1 + 0\n"},
        {"\"state\":\"rising\",\"level\":\"none\",\"reading_level\":\"none\",\"vote\":{\"need\":2,"
         "\"members\":3,\"bad\":\"counts\"},"
         "\"clocks\":[{\"level\":\"blue\",\"since_ts\":1,\"end_ts\":2},{\"level\":\"red\",\"since_ts\":1,"
         "\"end_ts\":2}]",
         "  why not red yet: the on-delay still runs\n"},
        {"\"state\":\"quiet\",\"level\":\"none\",\"vote\":{\"need\":2,\"members\":3,\"bad\":\"counts\"}},{"
         "\"rule\":\"r\",\"point\":"
         "\"d.b\",\"state\":\"quiet\",\"vote\":{\"need\":2,\"members\":3}",
         "  one of 3 members of a vote: 2 at a level give it; one that is bad lowers that need by one\n"},
        {"\"state\":\"quiet\",\"level\":\"none\",\"vote\":{\"need\":2,\"members\":3,\"bad\":\"counts\"}},{"
         "\"rule\":\"r\",\"point\":"
         "\"d.b\",\"state\":\"quiet\",\"vote\":{\"need\":2,\"members\":3}",
         "rule r on d.b, : the next member\n"},
        {"\"state\":\"quiet\",\"level\":\"none\",\"reading_level\":\"none\",\"signal\":\"mean\",\"window_"
         "ms\":900000,"
         "\"covered_ms\":90000,\"need_ms\":675000,\"bad\":true",
         "  watches mean over 15 min; good readings cover 90 s of it, 675 s are needed: not known now, which "
         "changes "
         "nothing; dead-band"},
        {"\"state\":\"held\",\"level\":\"red\",\"reading_level\":\"red\",\"signal\":\"twa\",\"window_ms\":"
         "900000,"
         "\"covered_ms\":90000,\"need_ms\":675000,\"bound\":\"at least\",\"value\":31",
         "last known 31, which gives red; good readings cover 90 s of it, 675 s are needed: known is that it "
         "is at "
         "least that, which may raise and lowers nothing; dead-band"},
        {"\"state\":\"band\",\"level\":\"yellow\",\"reading_level\":\"yellow\",\"value\":19.5,\"deadband\":1,"
         "\"limits\":["
         "{\"level\":\"yellow\",\"side\":\"above\",\"limit\":20,\"leaves\":19}]",
         "  why not lower: the reading is back past the limit, but not by more than the dead-band of 1: "
         "yellow holds "
         "until it is below 19\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char answer[1024], *text = NULL;
        struct json *json = NULL;
        size_t length = 0;
        FILE *to = open_memstream(&text, &length);

        assert_non_null(to);
        (void)snprintf(
            answer, sizeof answer,
            "{\"now_ts\":1763780002500,\"watches\":[{\"rule\":\"r\",\"point\":\"d.a\",%s}],\"points\":[]}",
            cases[i].json);
        assert_int_equal(json_parse(answer, strlen(answer), sizeof answer, &json), RG_OK);
        show_explain(json, to);
        assert_int_equal(fclose(to), 0);
        if (!strstr(text, cases[i].line))
            fail_msg("want %s\nin   %s", cases[i].line, text);
        free(text);
        json_free(json);
    }
}

static void silence_and_outputs(void **state)
{
    (void)state;
    says("{\"now_ts\":1763780002500,\"watches\":[{\"rule\":\"offline\",\"point\":\"gas\",\"where\":\"p.yaml:"
         "5\",\"state\":\"heard\","
         "\"level\":\"none\",\"heard_ts\":1763780001000,\"after_ms\":10000,\"due_ts\":1763780011000,"
         "\"alarm\":null},"
         "{\"rule\":\"output\",\"point\":\"siren\",\"where\":\"p.yaml:6\",\"state\":\"well\",\"level\":"
         "\"none\",\"alarm\":null}],"
         "\"points\":[]}",
         "\nrule offline on gas, p.yaml:5: no alarm\n"
         "  last heard 02:53:21.000\n"
         "  why not yet: it is raised after 10 s of silence, at 02:53:31.000 (in 8.5 s) if nothing is heard\n"
         "\nrule output on siren, p.yaml:6: no alarm\n"
         "  the output is brought to its state\n");
}

/* Nothing of an answer may be taken for granted. */
static void an_answer_of_another_version(void **state)
{
    (void)state;
    says("{}", "");
    says("{\"watches\":[{}],\"points\":[{}]}",
         ", \n  no reading yet\n\nrule  on , : no alarm\n"
         "  watches  over 0 ms; dead-band nan, on-delay 0 ms, off-delay 0 ms\n");
}

static int utc(void **state)
{
    (void)state;
    return setenv("TZ", "UTC", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alarm_that_stands),
        cmocka_unit_test(a_delay_that_runs),
        cmocka_unit_test(states),
        cmocka_unit_test(silence_and_outputs),
        cmocka_unit_test(an_answer_of_another_version),
    };

    return cmocka_run_group_tests(tests, utc, NULL);
}
