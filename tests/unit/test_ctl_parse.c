/* LINK rg_ctl */
/* The command lines of riskgatectl, and the daemon's answers to probe and write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "ctl/parse.h"
#include "ctl/raw_json.h"

static void numbers(void **state)
{
    static const char *const wrong[] = {
        "", " ", "x", "1x", "-1", "256", "1.5", "0x", "010", "1 ", "99999999999999999999"};
    long value = -7;

    (void)state;
    assert_true(parse_number("0", 0, 255, &value));
    assert_int_equal(value, 0);
    assert_true(parse_number("255", 0, 255, &value));
    assert_int_equal(value, 255);
    assert_true(parse_number("0x1f", 0, 255, &value));
    assert_int_equal(value, 31);
    assert_true(parse_number("-5", -5, 255, &value));
    assert_int_equal(value, -5);
    for (size_t i = 0; i < RG_COUNT(wrong); i++) {
        if (parse_number(wrong[i], 0, 255, &value))
            fail_msg("%s", wrong[i]);
    }
    assert_int_equal(value, -5); /* not touched */
}

static void ranges(void **state)
{
    static const struct {
        const char *text;
        unsigned first, count; /* count 0: none */
    } cases[] = {
        {"0", 0, 1},
        {"0-20", 0, 21},
        {"5-5", 5, 1},
        {"0x10-0x1f", 16, 16},
        {"65535", 65535, 1},
        {"63536-65535", 63536, 2000},
        {"0-1999", 0, 2000},
        {"0-2000", 0, 0},
        {"20-0", 0, 0},
        {"65536", 0, 0},
        {"-1", 0, 0},
        {"1-", 0, 0},
        {"-", 0, 0},
        {"", 0, 0},
        {"1-2-3", 0, 0},
        {"a-b", 0, 0},
        {"0-65536", 0, 0},
        {"1 - 2", 0, 0},
        {"0000000000000000000000000000000000000000000000000000000000000000000000000", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cases); i++) {
        struct probe_range range = {0};

        if (parse_range(cases[i].text, SPACE_INPUT, &range) != (cases[i].count > 0))
            fail_msg("%s", cases[i].text);
        assert_int_equal(range.count, cases[i].count);
        assert_int_equal(range.first, cases[i].first);
        assert_int_equal(range.space, cases[i].count ? SPACE_INPUT : SPACE_COIL);
    }
}

static void registers(void **state)
{
    static const struct {
        const char *text;
        enum point_space space;
        unsigned first, count; /* count 0: none */
    } cases[] = {
        {"40001-40021", SPACE_HOLDING, 0, 21},
        {"30001", SPACE_INPUT, 0, 1},
        {"00001-00008", SPACE_COIL, 0, 8},
        {"10017", SPACE_DISCRETE, 16, 1},
        {"400001-400010", SPACE_HOLDING, 0, 10},
        {"465536", SPACE_HOLDING, 65535, 1},
        {"40001-30002", SPACE_COIL, 0, 0},
        {"40021-40001", SPACE_COIL, 0, 0},
        {"40000", SPACE_COIL, 0, 0},
        {"50001", SPACE_COIL, 0, 0},
        {"4001", SPACE_COIL, 0, 0},
        {"40001-", SPACE_COIL, 0, 0},
        {"0", SPACE_COIL, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cases); i++) {
        struct probe_range range = {0};

        if (parse_register_range(cases[i].text, &range) != (cases[i].count > 0))
            fail_msg("%s", cases[i].text);
        assert_int_equal(range.count, cases[i].count);
        assert_int_equal(range.first, cases[i].first);
        assert_int_equal(range.space, cases[i].space);
    }
}

static void words(void **state)
{
    static const char *const wrong[] = {"", "65536", "-32769", "on", "1.0", "yes"};
    static const char *const wrong_coil[] = {"", "2", "ON", "true", "65280", "-1"};
    uint16_t word = 0;

    (void)state;
    assert_true(parse_word(SPACE_HOLDING, "65535", &word));
    assert_int_equal(word, 65535);
    assert_true(parse_word(SPACE_HOLDING, "-1", &word));
    assert_int_equal(word, 65535);
    assert_true(parse_word(SPACE_HOLDING, "-32768", &word));
    assert_int_equal(word, 0x8000);
    assert_true(parse_word(SPACE_HOLDING, "0xbeef", &word));
    assert_int_equal(word, 0xbeef);
    for (size_t i = 0; i < RG_COUNT(wrong); i++)
        assert_false(parse_word(SPACE_HOLDING, wrong[i], &word));
    assert_true(parse_word(SPACE_COIL, "on", &word) && word == 1);
    assert_true(parse_word(SPACE_COIL, "off", &word) && word == 0);
    assert_true(parse_word(SPACE_COIL, "1", &word) && word == 1);
    assert_true(parse_word(SPACE_COIL, "0", &word) && word == 0);
    for (size_t i = 0; i < RG_COUNT(wrong_coil); i++)
        assert_false(parse_word(SPACE_COIL, wrong_coil[i], &word));
}

static void parities(void **state)
{
    enum parity parity = PARITY_NONE;

    (void)state;
    assert_true(parse_parity("odd", &parity));
    assert_int_equal(parity, PARITY_ODD);
    assert_true(parse_parity("even", &parity) && parity == PARITY_EVEN);
    assert_true(parse_parity("none", &parity) && parity == PARITY_NONE);
    assert_false(parse_parity("EVEN", &parity));
    assert_false(parse_parity("", &parity));
}

static void seconds(void **state)
{
    static const char *const wrong[] = {"",   "s",   "0",  "0.05",    "-1", "3601",
                                        "2m", "nan", " 2", "gw-01-2", "2s2"};
    int64_t ms = 0;

    (void)state;
    assert_true(parse_seconds("2", &ms) && ms == 2000);
    assert_true(parse_seconds("0.25s", &ms) && ms == 250);
    assert_true(parse_seconds("3600", &ms) && ms == 3600000);
    for (size_t i = 0; i < RG_COUNT(wrong); i++)
        assert_false(parse_seconds(wrong[i], &ms));
}

/* ---- JSON ---- */

static void requests(void **state)
{
    const struct driver_raw read = {
        .unit = 7, .space = SPACE_INPUT, .address = 30, .count = 4, .timeout_ms = 500};
    const struct driver_raw write = {
        .write = true, .unit = 0, .space = SPACE_HOLDING, .address = 5, .count = 2, .values = {17, 65535}};
    struct jsonw w;

    (void)state;
    jsonw_init(&w, 0);
    raw_write_read(&w, "line", &read);
    assert_string_equal(w.text,
                        "{\"command\":\"raw\",\"bus\":\"line\",\"unit\":7,\"timeout_ms\":500,\"read\":{"
                        "\"input\":30,\"count\":4}}");
    jsonw_reset(&w);
    raw_write_write(&w, "line", &write, "李四");
    assert_string_equal(w.text,
                        "{\"command\":\"write\",\"bus\":\"line\",\"unit\":0,\"by\":\"李四\",\"write\":{"
                        "\"holding\":5,\"values\":[17,65535]}}");
    jsonw_free(&w);
}

static struct json *parsed(const char *text)
{
    struct json *json = NULL;

    assert_int_equal(json_parse(text, strlen(text), 1 << 16, &json), RG_OK);
    return json;
}

static void answers(void **state)
{
    struct json *json = parsed("{\"result\":\"ok\",\"exception\":null,\"detail\":null,\"values\":[1,65535]}");
    struct driver_raw_answer a;
    struct raw_written written;

    (void)state;
    assert_true(raw_read_answer(json, &a));
    assert_int_equal(a.result, DRIVER_OK);
    assert_int_equal(a.count, 2);
    assert_int_equal(a.values[1], 65535);
    json_free(json);
    json = parsed("{\"result\":\"exception\",\"exception\":2,\"detail\":\"illegal\",\"values\":null}");
    assert_true(raw_read_answer(json, &a));
    assert_int_equal(a.result, DRIVER_EXCEPTION);
    assert_int_equal(a.exception, 2);
    assert_string_equal(a.detail, "illegal");
    json_free(json);
    json = parsed("{\"result\":\"ok\",\"exception\":null,\"old\":[3],\"new\":[4]}");
    assert_true(raw_read_written(json, 1, &written));
    assert_true(written.had_old && written.has_new);
    assert_int_equal(written.old[0], 3);
    assert_int_equal(written.now[0], 4);
    assert_true(raw_read_written(json, 2, &written)); /* as many as were written, or none */
    assert_false(written.had_old || written.has_new);
    json_free(json);
}

/* Another version of the daemon, or no daemon at all. */
static void answers_that_are_none(void **state)
{
    static const char *const wrong[] = {"7",
                                        "[]",
                                        "null",
                                        "{}",
                                        "{\"result\":7}",
                                        "{\"result\":\"fine\"}",
                                        "{\"result\":\"ok\"}",
                                        "{\"result\":\"ok\",\"values\":7}",
                                        "{\"result\":\"ok\",\"values\":[65536]}",
                                        "{\"result\":\"ok\",\"values\":[-1]}",
                                        "{\"result\":\"ok\",\"values\":[\"1\"]}",
                                        "{\"result\":\"exception\",\"exception\":300}",
                                        "{\"result\":\"exception\",\"exception\":-1}"};
    char many[4096] = "{\"result\":\"ok\",\"values\":[0";
    struct driver_raw_answer a;
    struct json *json;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(wrong); i++) {
        json = parsed(wrong[i]);
        if (raw_read_answer(json, &a))
            fail_msg("%s", wrong[i]);
        json_free(json);
    }
    for (int i = 0; i < DRIVER_RAW_READ_MAX; i++)
        (void)strcat(many, ",0");
    (void)strcat(many, "]}");
    json = parsed(many);
    assert_false(raw_read_answer(json, &a)); /* one more than there may be */
    json_free(json);
}

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* 0: none */
    } rows[] = {
        {"1763780000000", 1763780000000},
        {"2025-11-22", 1763740800000}, /* in Shanghai, as is what does not say where */
        {"2025-11-22 10:53", 1763779980000},
        {"2025-11-22T10:53:20", 1763780000000},
        {"2025-11-22T02:53:20Z", 1763780000000},
        {"2025-11-22 02:53Z", 1763779980000},
        {"2025-11-21T21:23:20-05:30", 1763780000000},
        {"2025-11-22T10:53:20+08:00", 1763780000000},
        {"2024-02-29", 1709136000000},
        {"2025-02-29", 0},
        {"2025-13-01", 0},
        {"2025-11-31", 0},
        {"2025-11-22 24:00", 0},
        {"2025-11-22 10:60", 0},
        {"2025-11-22 10", 0},
        {"2025-11-22 10:53:20 ", 0},
        {"2025-11-22 10:53:20+8", 0},
        {"2025-11-22x", 0},
        {"yesterday", 0},
        {"", 0},
        {"-5", 0},
        {"0", 0},
    };

    (void)state;
    (void)setenv("TZ", "CST-8", 1);
    tzset();
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        int64_t ms = 0;
        bool good = parse_time(rows[i].text, &ms);

        if (good != (rows[i].ms != 0) || (good && ms != rows[i].ms))
            fail_msg("%s: %d, %lld", rows[i].text, good, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),   cmocka_unit_test(ranges),
        cmocka_unit_test(registers), cmocka_unit_test(words),
        cmocka_unit_test(times),     cmocka_unit_test(parities),
        cmocka_unit_test(seconds),   cmocka_unit_test(requests),
        cmocka_unit_test(answers),   cmocka_unit_test(answers_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
