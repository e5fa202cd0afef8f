/* LINK rg_report */
/* The body of a report: a quiet day and a full one, byte for byte; and that the fullest one keeps its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"

static const char *written(const struct report_frame *frame, const struct summary *s)
{
    static char text[4 * REPORT_BODY_MAX];
    struct jsonw w;

    jsonw_init_fixed(&w, text, sizeof text);
    jsonw_object_begin(&w);
    report_write(&w, frame, s);
    jsonw_object_end(&w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    return text;
}

static void test_quiet(void **state)
{
    const struct report_frame frame = {.kind = REPORT_DAILY, .due_ms = 86700000};
    struct summary s = {.from = 0, .to = 86400000, .expected = 1000, .received = 1000};

    (void)state;
    assert_string_equal(
        written(&frame, &s),
        "{\"kind\":\"daily\",\"from\":0,\"to\":86400000,\"due\":86700000,\"zero\":true,"
        "\"raised\":{\"red\":0,\"orange\":0,\"yellow\":0,\"blue\":0},"
        "\"open\":{\"red\":0,\"orange\":0,\"yellow\":0,\"blue\":0},\"open_before\":0,\"acked\":0,\"unacked\":"
        "0,"
        "\"time_to_ack_s\":{\"n\":0,\"p50\":null,\"max\":null},"
        "\"time_to_clear_s\":{\"n\":0,\"p50\":null,\"max\":null},\"completeness\":1,"
        "\"samples\":{\"expected\":1000,\"received\":1000},\"devices\":[],\"outages\":[],"
        "\"outage_count\":{\"gateway\":0,\"bus\":0,\"device\":0,\"uplink\":0},\"lost\":0,\"config\":[],"
        "\"uptime_s\":86400,\"uplinks\":[]}");
    s.expected = s.received = 0;
    assert_non_null(strstr(written(&frame, &s), "\"completeness\":null"));
}

static void test_full(void **state)
{
    const struct report_frame frame = {.kind = REPORT_MONTHLY, .due_ms = 9000, .late = true, .gap_from = 500};
    struct summary s = {
        .from = 1000,
        .to = 8000,
        .raised = {[LEVEL_RED] = 1, [LEVEL_BLUE] = 4},
        .open = {[LEVEL_YELLOW] = 2},
        .open_before = 3,
        .acked = 5,
        .unacked = 6,
        .to_ack = {2, 1500, 2500},
        .to_clear = {1, 60000, 60000},
        .expected = 100000,
        .received = 99999,
        .devices = {{"gas-1", 50000, 49999}},
        .device_count = 1,
        .devices_lacking = 3,
        .outages = {{OUTAGE_GATEWAY, "", 900, 2000, 1000}, {OUTAGE_DEVICE, "gas-1", 7000, 0, 1000}},
        .outage_count = 2,
        .outages_of = {1, 0, 4, 0},
        .off_ms = 1000,
        .lost = 7,
        .configs = {{5000, "ab", 2}},
        .config_count = 1,
        .config_changes = 1,
        .uplinks = {{"county", 2000, 1, 3, 1, 250}, {"city", 0, 0, 0, 0, -1}},
        .uplink_count = 2};

    (void)state;
    assert_string_equal(
        written(&frame, &s),
        "{\"kind\":\"monthly\",\"from\":1000,\"to\":8000,\"due\":9000,\"late\":true,\"gap_from\":500,"
        "\"zero\":false,"
        "\"raised\":{\"red\":1,\"orange\":0,\"yellow\":0,\"blue\":4},"
        "\"open\":{\"red\":0,\"orange\":0,\"yellow\":2,\"blue\":0},\"open_before\":3,\"acked\":5,\"unacked\":"
        "6,"
        "\"time_to_ack_s\":{\"n\":2,\"p50\":1.5,\"max\":2.5},\"time_to_clear_s\":{\"n\":1,\"p50\":60,\"max\":"
        "60},"
        "\"completeness\":0.9999,\"samples\":{\"expected\":100000,\"received\":99999},"
        "\"devices\":[{\"device\":\"gas-1\",\"expected\":50000,\"received\":49999,\"share\":0.9999}],"
        "\"devices_more\":2,"
        "\"outages\":[{\"what\":\"gateway\",\"name\":null,\"from\":900,\"to\":2000,\"s\":1},"
        "{\"what\":\"device\",\"name\":\"gas-1\",\"from\":7000,\"to\":null,\"s\":1}],\"outages_more\":3,"
        "\"outage_count\":{\"gateway\":1,\"bus\":0,\"device\":4,\"uplink\":0},\"lost\":7,"
        "\"config\":[{\"ts\":5000,\"sha256\":\"ab\",\"changes\":2}],\"uptime_s\":6,"
        "\"uplinks\":[{\"uplink\":\"county\",\"down_s\":2,\"outages\":1,\"tests\":3,\"failed\":1,"
        "\"round_trip_ms\":250},"
        "{\"uplink\":\"city\",\"down_s\":0,\"outages\":0,\"tests\":0,\"failed\":0,\"round_trip_ms\":null}]}");
}

/* Nothing happened only when nothing was active either. */
static void test_zero(void **state)
{
    struct summary s = {.to = 1};

    (void)state;
    assert_true(report_is_zero(&s));
    s.open_before = 1;
    assert_false(report_is_zero(&s));
    s.open_before = 0;
    s.raised[LEVEL_BLUE] = 1;
    assert_false(report_is_zero(&s));
    s.raised[LEVEL_BLUE] = 0;
    s.open[LEVEL_RED] = 1;
    assert_false(report_is_zero(&s));
}

static void test_share(void **state)
{
    (void)state;
    assert_true(report_share(0, 0) < 0);
    assert_true(report_share(4, 1) == 0.25);
    assert_true(report_share(4, 5) == 1);
}

static void test_longest(void **state)
{
    const struct report_frame frame = {
        .kind = REPORT_MONTHLY, .due_ms = INT64_MAX, .late = true, .gap_from = INT64_MAX};
    char name[TEXT_ID_MAX + 1];
    struct summary s;
    size_t length;

    (void)state;
    memset(&s, 0x7f, sizeof s); /* figures as long as they can be */
    memset(name, 'n', TEXT_ID_MAX);
    name[TEXT_ID_MAX] = '\0';
    s.device_count = SUMMARY_DEVICES;
    s.outage_count = SUMMARY_OUTAGES;
    s.config_count = SUMMARY_CONFIGS;
    s.uplink_count = SUMMARY_UPLINKS;
    for (size_t i = 0; i < SUMMARY_DEVICES; i++)
        (void)text_copy(s.devices[i].name, sizeof s.devices[i].name, name);
    for (size_t i = 0; i < SUMMARY_OUTAGES; i++) {
        s.outages[i].kind = OUTAGE_GATEWAY;
        (void)text_copy(s.outages[i].name, sizeof s.outages[i].name, name);
    }
    for (size_t i = 0; i < SUMMARY_CONFIGS; i++)
        (void)text_copy(s.configs[i].sha256, sizeof s.configs[i].sha256, name);
    for (size_t i = 0; i < SUMMARY_UPLINKS; i++)
        (void)text_copy(s.uplinks[i].name, sizeof s.uplinks[i].name, name);
    for (int i = 0; i < OUTAGE_KINDS; i++)
        s.outages_of[i] = UINT64_MAX / 8;
    s.from = -INT64_MAX / 4;
    s.to = INT64_MAX / 4;
    s.off_ms = 0;
    length = strlen(written(&frame, &s));
    (void)printf("the longest body: %zu bytes\n", length);
    assert_true(length + 256 < REPORT_BODY_MAX); /* and what the record adds */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quiet), cmocka_unit_test(test_full),    cmocka_unit_test(test_zero),
        cmocka_unit_test(test_share), cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
