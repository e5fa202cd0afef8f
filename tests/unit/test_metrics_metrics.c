/* LINK rg_metrics */
/* The figures of a status as text: both forms, labels that need escaping, figures that are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "metrics/metrics.h"
#include "metrics/rows.h"

static void write_of(enum metrics_form form, const char *status, struct metrics_text *out)
{
    struct json *json = NULL;

    assert_int_equal(json_parse(status, strlen(status), 1 << 20, &json), RG_OK);
    assert_int_equal(metrics_write(form, json, out), RG_OK);
    assert_int_equal(strlen(out->text), out->length);
    json_free(json);
}

static const char status[] =
    "{\"version\":\"1.0\",\"gateway\":\"gw-01\",\"config\":{\"file\":\"/etc/a "
    "\\\"b\\\\c\\nd\",\"sha256\":\"ab\","
    "\"loaded_ts\":1763780000123},\"clock_synced\":false,\"level\":\"orange\",\"uptime_s\":5,"
    "\"alarms\":{\"red\":0,\"orange\":2,\"raised\":7,\"per_hour\":0.25,\"peak_ts\":null},"
    "\"buses\":[{\"name\":\"shop\",\"state\":\"up\",\"ok\":12,\"p50_ms\":1.5,\"p99_ms\":20},"
    "{\"name\":\"line\",\"state\":\"down\",\"ok\":0}],"
    "\"outputs\":[{\"name\":\"siren\",\"device\":\"relay\",\"state\":null,\"wanted\":\"on\"}],"
    "\"store\":{\"written_bytes\":9007199254740991,\"head\":{\"alarm\":3,\"telemetry\":40}},"
    "\"uplinks\":[],\"unheard_of\":{\"x\":1}}";

static void as_openmetrics(void **state)
{
    struct metrics_text t = {0};

    (void)state;
    write_of(METRICS_OPENMETRICS, status, &t);
    assert_string_equal(
        t.text,
        "# HELP riskgate_build Version of riskgated. (status: version, gateway)\n"
        "# TYPE riskgate_build info\n"
        "riskgate_build_info{version=\"1.0\",gateway=\"gw-01\"} 1\n"
        "# HELP riskgate_config The configuration in force. (status: config.file, config.sha256)\n"
        "# TYPE riskgate_config info\n"
        "riskgate_config_info{file=\"/etc/a \\\"b\\\\c\\nd\",sha256=\"ab\"} 1\n"
        "# HELP riskgate_uptime_seconds Since the start. (status: uptime_s)\n"
        "# TYPE riskgate_uptime_seconds gauge\n"
        "# UNIT riskgate_uptime_seconds seconds\n"
        "riskgate_uptime_seconds 5\n"
        "# HELP riskgate_config_loaded_timestamp_seconds When the configuration in force was taken. (status: "
        "config.loaded_ts)\n"
        "# TYPE riskgate_config_loaded_timestamp_seconds gauge\n"
        "# UNIT riskgate_config_loaded_timestamp_seconds seconds\n"
        "riskgate_config_loaded_timestamp_seconds 1763780000.123\n"
        "# HELP riskgate_clock_synced Whether the system clock is synchronised. (status: clock_synced)\n"
        "# TYPE riskgate_clock_synced gauge\n"
        "riskgate_clock_synced 0\n"
        "# HELP riskgate_level Level of the gateway: 0 none, 1 blue, 2 yellow, 3 orange, 4 red. (status: "
        "level)\n"
        "# TYPE riskgate_level gauge\n"
        "riskgate_level 3\n"
        "# HELP riskgate_alarms_active Active alarms. (status: alarms.red, alarms.orange, alarms.yellow, "
        "alarms.blue)\n"
        "# TYPE riskgate_alarms_active gauge\n"
        "riskgate_alarms_active{level=\"red\"} 0\n"
        "riskgate_alarms_active{level=\"orange\"} 2\n"
        "# HELP riskgate_alarms_raised Alarms raised. (status: alarms.raised)\n"
        "# TYPE riskgate_alarms_raised counter\n"
        "riskgate_alarms_raised_total 7\n"
        "# HELP riskgate_alarms_per_hour Alarms an hour, on the average. (status: alarms.per_hour)\n"
        "# TYPE riskgate_alarms_per_hour gauge\n"
        "riskgate_alarms_per_hour 0.25\n"
        "# HELP riskgate_bus_up Whether the line or connection is up. (status: buses.state)\n"
        "# TYPE riskgate_bus_up gauge\n"
        "riskgate_bus_up{bus=\"shop\"} 1\n"
        "riskgate_bus_up{bus=\"line\"} 0\n"
        "# HELP riskgate_bus_state State of the line or connection: idle, up or down. (status: buses.state)\n"
        "# TYPE riskgate_bus_state gauge\n"
        "riskgate_bus_state{bus=\"shop\",state=\"up\"} 1\n"
        "riskgate_bus_state{bus=\"line\",state=\"down\"} 1\n"
        "# HELP riskgate_bus_answers Transactions that were answered. (status: buses.ok)\n"
        "# TYPE riskgate_bus_answers counter\n"
        "riskgate_bus_answers_total{bus=\"shop\"} 12\n"
        "riskgate_bus_answers_total{bus=\"line\"} 0\n"
        "# HELP riskgate_bus_answer_time_seconds Duration of the last answered transactions. (status: "
        "buses.p50_ms, buses.p99_ms)\n"
        "# TYPE riskgate_bus_answer_time_seconds gauge\n"
        "# UNIT riskgate_bus_answer_time_seconds seconds\n"
        "riskgate_bus_answer_time_seconds{bus=\"shop\",percentile=\"50\"} 0.0015\n"
        "riskgate_bus_answer_time_seconds{bus=\"shop\",percentile=\"99\"} 0.02\n"
        "# HELP riskgate_output_wanted Whether it shall be on. (status: outputs.wanted)\n"
        "# TYPE riskgate_output_wanted gauge\n"
        "riskgate_output_wanted{output=\"siren\",device=\"relay\"} 1\n"
        "# HELP riskgate_store_head The last number of each stream. (status: store.head)\n"
        "# TYPE riskgate_store_head gauge\n"
        "riskgate_store_head{stream=\"alarm\"} 3\n"
        "riskgate_store_head{stream=\"telemetry\"} 40\n"
        "# HELP riskgate_store_written_bytes Handed to the system. (status: store.written_bytes)\n"
        "# TYPE riskgate_store_written_bytes counter\n"
        "# UNIT riskgate_store_written_bytes bytes\n"
        "riskgate_store_written_bytes_total 9007199254740991\n"
        "# EOF\n");
    metrics_text_free(&t);
}

static void as_prometheus(void **state)
{
    struct metrics_text t = {0};

    (void)state;
    write_of(METRICS_PROMETHEUS, status, &t);
    /* Used again: nothing of the first stays. */
    write_of(METRICS_PROMETHEUS, "{\"version\":\"2\",\"clock_synced\":true,\"alarms\":{\"floods\":1}}", &t);
    assert_string_equal(t.text,
                        "# HELP riskgate_build_info Version of riskgated. (status: version, gateway)\n"
                        "# TYPE riskgate_build_info gauge\n"
                        "riskgate_build_info{version=\"2\"} 1\n"
                        "# HELP riskgate_clock_synced Whether the system clock is synchronised. (status: "
                        "clock_synced)\n"
                        "# TYPE riskgate_clock_synced gauge\n"
                        "riskgate_clock_synced 1\n"
                        "# HELP riskgate_alarms_floods_total Alarm floods. (status: alarms.floods)\n"
                        "# TYPE riskgate_alarms_floods_total counter\n"
                        "riskgate_alarms_floods_total 1\n");
    metrics_text_free(&t);
}

static void of_nothing(void **state)
{
    static const char *const nothings[] = {
        "{}",
        "[]",
        "null",
        "7",
        "{\"buses\":7,\"uplinks\":{\"a\":1},\"store\":[]}",
        "{\"level\":\"purple\",\"buses\":[1,null,{}],\"alarms\":{\"red\":\"x\"}}"};
    struct metrics_text t = {0};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(nothings); i++) {
        write_of(METRICS_OPENMETRICS, nothings[i], &t);
        assert_string_equal(t.text, "# EOF\n");
    }
    metrics_text_free(&t);
    write_of(METRICS_OPENMETRICS, "{}", &t);
    metrics_text_free(&t);
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* What the two formats ask of names, for every row: of it no test with one status would see all. */
static void names_are_as_they_must_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < metrics_row_count; i++) {
        const struct metrics_row *row = &metrics_rows[i], *before = i > 0 ? row - 1 : NULL;
        bool first = !before || strcmp(before->name, row->name) != 0;

        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(row->name));
        assert_int_equal(strncmp(row->name, "riskgate_", 9), 0);
        assert_false(ends_in(row->name, "_total") || ends_in(row->name, "_info") ||
                     ends_in(row->name, "_created"));
        assert_true(first == (row->help != NULL));
        assert_true(!row->help || !strpbrk(row->help, "\\\n\""));
        if (row->kind == METRIC_SECONDS || row->kind == METRIC_TIME)
            assert_true(ends_in(row->name, "_seconds"));
        if (row->kind == METRIC_IS)
            assert_non_null(row->value);
        for (size_t k = 0; first && k < i; k++)
            assert_string_not_equal(metrics_rows[k].name, row->name); /* a family stands together */
        if (!first)
            assert_true(before->kind == row->kind && before->place == row->place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_openmetrics),
        cmocka_unit_test(as_prometheus),
        cmocka_unit_test(of_nothing),
        cmocka_unit_test(names_are_as_they_must_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
