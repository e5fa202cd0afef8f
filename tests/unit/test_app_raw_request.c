/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* What operators may ask of a line, and what hostile requests are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/raw_request.h"
#include "base/json_read.h"

static struct site_bus buses[] = {
    {.name = "tcp", .kind = BUS_TCP, .host = "127.0.0.1", .port = 502, .timeout_ms = 1000},
    {.name = "line", .kind = BUS_RTU, .path = "/dev/ttyS1", .baud = 9600, .timeout_ms = 700},
};
static struct site_device devices[] = {
    {.name = "quick", .bus = 1, .unit = 7, .timeout_ms = 300},
    {.name = "slow", .bus = 1, .unit = 7, .timeout_ms = 2500},
    {.name = "derived", .bus = SITE_NONE, .derived = true},
};
static const struct site site = {
    .buses = buses, .bus_count = RG_COUNT(buses), .devices = devices, .device_count = RG_COUNT(devices)};

static enum rg_err take(bool write, const char *text, struct raw_request *out, char error[256])
{
    struct json *json = NULL;
    enum rg_err err;

    assert_int_equal(json_parse(text, strlen(text), 1 << 16, &json), RG_OK);
    error[0] = '\0';
    err = write ? raw_request_write(&site, json, out, error, 256)
                : raw_request_read(&site, json, out, error, 256);
    out->by = NULL; /* belonged to the request */
    json_free(json);
    return err;
}

static void reads(void **state)
{
    struct raw_request r;
    char error[256];

    (void)state;
    assert_int_equal(
        take(false, "{\"bus\":\"line\",\"unit\":247,\"read\":{\"input\":65535,\"count\":1}}", &r, error),
        RG_OK);
    assert_int_equal(r.bus, 1);
    assert_int_equal(r.ask.unit, 247);
    assert_false(r.ask.write);
    assert_int_equal(r.ask.space, SPACE_INPUT);
    assert_int_equal(r.ask.address, 65535);
    assert_int_equal(r.ask.count, 1);
    assert_int_equal(r.ask.timeout_ms, 700); /* the bus's */
    assert_int_equal(
        take(false, "{\"bus\":\"tcp\",\"unit\":255,\"timeout_ms\":30000,\"read\":{\"coil\":0,\"count\":125}}",
             &r, error),
        RG_OK);
    assert_int_equal(r.ask.count, 125);
    assert_int_equal(r.ask.timeout_ms, 30000);
    /* The slowest device that the unit is. */
    assert_int_equal(
        take(false, "{\"bus\":\"line\",\"unit\":7,\"read\":{\"holding\":0,\"count\":1}}", &r, error), RG_OK);
    assert_int_equal(r.ask.timeout_ms, 2500);
}

static void writes(void **state)
{
    struct raw_request r;
    char error[256];

    (void)state;
    assert_int_equal(
        take(true,
             "{\"bus\":\"line\",\"unit\":0,\"by\":\"x\",\"write\":{\"holding\":65534,\"values\":[0,65535]}}",
             &r, error),
        RG_OK);
    assert_true(r.ask.write);
    assert_int_equal(r.ask.unit, 0);
    assert_int_equal(r.ask.count, 2);
    assert_int_equal(r.ask.values[1], 65535);
    assert_int_equal(take(true,
                          "{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"coil\":3,\"values\":[1]}}",
                          &r, error),
                     RG_OK);
    assert_int_equal(r.ask.space, SPACE_COIL);
}

struct refusal {
    const char *text, *error;
};

static void hostile_reads(void **state)
{
    static const struct refusal cases[] = {
        {"{}", "which bus?"},
        {"[]", "which bus?"},
        {"{\"bus\":7}", "which bus?"},
        {"{\"bus\":\"\"}", "there is no bus "},
        {"{\"bus\":\"lin\"}", "there is no bus lin"},
        {"{\"bus\":\"line\"}", "a unit of a serial line"},
        {"{\"bus\":\"line\",\"unit\":\"7\"}", "a unit of a serial line"},
        {"{\"bus\":\"line\",\"unit\":0}", "a unit of a serial line"},
        {"{\"bus\":\"line\",\"unit\":248}", "a unit of a serial line"},
        {"{\"bus\":\"line\",\"unit\":-1}", "a unit of a serial line"},
        {"{\"bus\":\"line\",\"unit\":7.5}", "a unit of a serial line"},
        {"{\"bus\":\"tcp\",\"unit\":0}", "a unit on tcp"},
        {"{\"bus\":\"tcp\",\"unit\":256}", "a unit on tcp"},
        {"{\"bus\":\"tcp\",\"unit\":300}", "a unit on tcp"},
        {"{\"bus\":\"tcp\",\"unit\":1e300}", "a unit on tcp"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"timeout_ms\":0}", "timeout_ms"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"timeout_ms\":-5}", "timeout_ms"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"timeout_ms\":30001}", "timeout_ms"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"timeout_ms\":\"1s\"}", "timeout_ms"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"timeout_ms\":null}", "timeout_ms"},
        {"{\"bus\":\"tcp\",\"unit\":1}", "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":[1]}", "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"count\":1}}", "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"derived\":1,\"count\":1}}", "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":1,\"input\":1,\"count\":1}}",
         "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":65536,\"count\":1}}", "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":-1,\"count\":1}}", "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":\"0\",\"count\":1}}", "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":[0,20],\"count\":1}}", "read needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":0}}", "count is"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":0,\"count\":0}}", "count is"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":0,\"count\":126}}", "count is"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":0,\"count\":9007199254740991}}", "count is"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":0,\"count\":\"5\"}}", "count is"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"read\":{\"holding\":65535,\"count\":2}}", "count is"},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cases); i++) {
        struct raw_request r;
        char error[256];

        if (take(false, cases[i].text, &r, error) == RG_OK || !strstr(error, cases[i].error))
            fail_msg("%s: %s", cases[i].text, error);
    }
}

static void hostile_writes(void **state)
{
    static const struct refusal cases[] = {
        {"{\"bus\":\"tcp\",\"unit\":0,\"by\":\"x\"}", "a unit on tcp"},
        {"{\"bus\":\"line\",\"unit\":-1,\"by\":\"x\"}", "a unit of a serial line"},
        {"{\"bus\":\"tcp\",\"unit\":1}", "a write needs by"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"\"}", "a write needs by"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":{}}", "a write needs by"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":"
         "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
         "789"
         "012345678901234567890123456789\"}",
         "a write needs by"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\"}", "write needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"input\":1,\"values\":[1]}}",
         "write needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"discrete\":1,\"values\":[1]}}",
         "write needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"coil\":1,\"holding\":1,\"values\":[1]}}",
         "write needs one of"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"coil\":1}}", "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"coil\":1,\"values\":[]}}", "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"coil\":1,\"values\":1}}", "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"coil\":1,\"values\":{\"a\":1}}}",
         "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"coil\":1,\"values\":[2]}}", "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"coil\":1,\"values\":[true]}}", "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"holding\":1,\"values\":[65536]}}",
         "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"holding\":1,\"values\":[-1]}}", "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"holding\":1,\"values\":[1.5]}}",
         "values are"},
        {"{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"holding\":65535,\"values\":[1,2]}}",
         "values are"},
    };
    char many[4096] = "{\"bus\":\"tcp\",\"unit\":1,\"by\":\"x\",\"write\":{\"holding\":0,\"values\":[1";
    struct raw_request r;
    char error[256];

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cases); i++) {
        if (take(true, cases[i].text, &r, error) == RG_OK || !strstr(error, cases[i].error))
            fail_msg("%s: %s", cases[i].text, error);
    }
    for (int i = 1; i < DRIVER_RAW_WRITE_MAX; i++)
        (void)strcat(many, ",1");
    (void)strcat(many, "]}}");
    assert_int_equal(take(true, many, &r, error), RG_OK);
    many[strlen(many) - 3] = '\0';
    (void)strcat(many, ",1]}}");
    assert_int_equal(take(true, many, &r, error), RG_EINVAL);
}

static void the_device_of_a_unit(void **state)
{
    (void)state;
    assert_string_equal(raw_request_device(&site, 1, 7)->name, "quick");
    assert_null(raw_request_device(&site, 0, 7));
    assert_null(raw_request_device(&site, 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(writes),
        cmocka_unit_test(hostile_reads),
        cmocka_unit_test(hostile_writes),
        cmocka_unit_test(the_device_of_a_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
