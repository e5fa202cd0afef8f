#include "ctl/show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/table.h"

#define CERTIFICATE_DAYS 30 /* ahead of its end it is told */

static void show_head(const struct json *r, FILE *to)
{
    const struct json *alarms = json_get(r, "alarms");
    const char *level = field_text(r, "level");
    const struct json *config = json_get(r, "config");
    char loaded[FIELD_TIME];
    int64_t up = field_int(r, "uptime_s");

    (void)fprintf(
        to, "riskgated %s, gateway %s, up %" PRId64 "d %02" PRId64 "h %02" PRId64 "m, boot %" PRId64 "%s\n",
        field_text(r, "version"), field_text(r, "gateway"), up / 86400, up / 3600 % 24, up / 60 % 60,
        field_int(r, "boot"),
        json_bool(json_get(r, "clock_synced"), false) ? "" : ", clock NOT synchronised");
    (void)fprintf(to, "configuration %s, loaded %s\n", field_text(config, "file"),
                  field_time(config, "loaded_ts", loaded));
    (void)fputs("level ", to);
    table_colour_begin(to, table_level_colour(level));
    (void)fputs(level, to);
    table_colour_end(to, table_level_colour(level));
    (void)fprintf(to,
                  ", alarms: red %" PRId64 ", orange %" PRId64 ", yellow %" PRId64 ", blue %" PRId64
                  "; not acknowledged %" PRId64 ", shelved %" PRId64 "\n",
                  field_int(alarms, "red"), field_int(alarms, "orange"), field_int(alarms, "yellow"),
                  field_int(alarms, "blue"), field_int(alarms, "unacked"), field_int(alarms, "shelved"));
    show_figures(alarms, to);
    (void)fputc('\n', to);
}

static void show_buses(const struct json *buses, FILE *to)
{
    static const char *const titles[] = {"BUS",    "STATE",  "OK",     "ERRORS",  "TIMEOUTS",
                                         "P50 ms", "P99 ms", "LOAD %", "PLANNED", "DETAIL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *b = json_first(buses); b; b = json_next(b)) {
        bool down = strcmp(field_text(b, "state"), "down") == 0;
        const struct json *load = json_get(b, "load");

        table_row(&t, down ? TABLE_RED : TABLE_PLAIN);
        table_cell(&t, "%s", field_text(b, "name"));
        table_cell(&t, "%s", field_text(b, "state"));
        table_cell(&t, "%" PRId64, field_int(b, "ok"));
        table_cell(&t, "%" PRId64, field_int(b, "errors"));
        table_cell(&t, "%" PRId64, field_int(b, "timeouts"));
        table_cell(&t, "%.1f", json_double(json_get(b, "p50_ms"), 0));
        table_cell(&t, "%.1f", json_double(json_get(b, "p99_ms"), 0));
        table_cell(&t, "%.1f", 100 * json_double(json_get(load, "measured"), 0));
        table_cell(&t, "%.1f", 100 * json_double(json_get(load, "planned"), 0));
        table_cell(&t, "%s", field_text(b, "detail"));
    }
    table_print(&t, to);
    table_free(&t);
    (void)fputc('\n', to);
}

static void show_devices(const struct json *devices, FILE *to)
{
    static const char *const titles[] = {"DEVICE", "BUS",  "UNIT",    "STATE",   "LAST ANSWER", "OK",
                                         "ERRORS", "SOFT", "SKIPPED", "LATE ms", "DETAIL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *d = json_first(devices); d; d = json_next(d)) {
        const char *state = field_text(d, "state");
        char last[FIELD_TIME];

        table_row(&t, strcmp(state, "online") == 0 ? TABLE_PLAIN : TABLE_YELLOW);
        table_cell(&t, "%s", field_text(d, "name"));
        table_cell(&t, "%s", field_text(d, "bus"));
        table_cell(&t, "%" PRId64, field_int(d, "unit"));
        if (json_get(d, "next_probe_ms") && strcmp(state, "suspended") == 0)
            table_cell(&t, "%s, probe in %" PRId64 " s", state, (field_int(d, "next_probe_ms") + 999) / 1000);
        else
            table_cell(&t, "%s", state);
        table_cell(&t, "%s", field_time(d, "last_ok_ts", last));
        table_cell(&t, "%" PRId64, field_int(d, "ok"));
        table_cell(&t, "%" PRId64, field_int(d, "errors"));
        table_cell(&t, "%" PRId64, field_int(d, "soft_errors"));
        table_cell(&t, "%" PRId64, field_int(d, "skipped"));
        table_cell(&t, "%" PRId64, field_int(d, "poll_late_ms"));
        table_cell(&t, "%s", field_text(d, "detail"));
    }
    table_print(&t, to);
    table_free(&t);
    (void)fputc('\n', to);
}

/* Only what somebody has to do something about. */
static void show_certificate(const struct json *uplink, FILE *to)
{
    const struct json *c = json_get(uplink, "certificate");
    const char *error = json_string(json_get(c, "error"));
    const char *doubt = json_get(c, "clock") ? ", if the clock is right, which is not synchronised" : "";
    const int64_t days = json_int(json_get(c, "days"), CERTIFICATE_DAYS + 1);

    if (error)
        (void)fprintf(to, "uplink %s: %s\n", field_text(uplink, "name"), error);
    else if (days < 0)
        (void)fprintf(to, "uplink %s: the certificate `%s` has expired%s\n", field_text(uplink, "name"),
                      field_text(c, "file"), doubt);
    else if (days <= CERTIFICATE_DAYS)
        (void)fprintf(to, "uplink %s: the certificate `%s` ends in %" PRId64 " days%s\n",
                      field_text(uplink, "name"), field_text(c, "file"), days, doubt);
}

static void show_uplinks(const struct json *uplinks, FILE *to)
{
    static const char *const titles[] = {
        "UPLINK", "CONNECTED", "ALARMS WAITING", "TELEMETRY WAITING", "LAST ACKNOWLEDGED", "DETAIL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *u = json_first(uplinks); u; u = json_next(u)) {
        const struct json *pending = json_get(u, "pending");
        bool connected = json_bool(json_get(u, "connected"), false);
        char last[FIELD_TIME];

        table_row(&t, connected ? TABLE_PLAIN : TABLE_RED);
        table_cell(&t, "%s", field_text(u, "name"));
        table_cell(&t, "%s", connected ? "yes" : "no");
        table_cell(&t, "%" PRId64, field_int(pending, "alarm"));
        table_cell(&t, "%" PRId64, field_int(pending, "telemetry"));
        table_cell(&t, "%s", field_time(u, "last_ack_ts", last));
        table_cell(&t, "%s", field_text(u, "detail"));
    }
    table_print(&t, to);
    table_free(&t);
    for (const struct json *u = json_first(uplinks); u; u = json_next(u))
        show_certificate(u, to);
}

void show_status(const struct json *result, FILE *to)
{
    const struct json *store = json_get(result, "store");

    show_head(result, to);
    show_buses(json_get(result, "buses"), to);
    show_devices(json_get(result, "devices"), to);
    if (json_size(json_get(result, "outputs")) > 0) {
        show_outputs(json_get(result, "outputs"), to);
        (void)fputc('\n', to);
    }
    if (json_size(json_get(result, "permits")) > 0) {
        show_permits(json_get(result, "permits"), to);
        (void)fputc('\n', to);
    }
    show_uplinks(json_get(result, "uplinks"), to);
    show_last_tests(json_get(result, "self_test"), to);
    (void)fprintf(
        to, "\nstore %s, %.1f MiB (%.1f MiB free), last commit %" PRId64 " ms, records lost %" PRId64 "\n",
        json_bool(json_get(store, "ok"), false) ? "ok" : "DOES NOT TAKE RECORDS",
        (double)field_int(store, "size") / 1048576.0, (double)field_int(store, "free") / 1048576.0,
        field_int(store, "last_commit_ms"), field_int(store, "lost"));
}

void show_points(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"POINT", "VALUE", "UNIT", "QUALITY", "TIME", "LABEL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *p = json_first(result); p; p = json_next(p)) {
        const struct json *value = json_get(p, "value");
        const char *quality = field_text(p, "quality");
        char when[FIELD_TIME];

        table_row(&t, strcmp(quality, "good") == 0 ? TABLE_PLAIN : TABLE_YELLOW);
        table_cell(&t, "%s", field_text(p, "point"));
        if (json_is_number(value) && json_get(p, "text"))
            table_cell(&t, "%.10g %s", json_double(value, NAN), field_text(p, "text"));
        else if (json_is_number(value))
            table_cell(&t, "%.10g", json_double(value, NAN));
        else
            table_cell(&t, "-");
        table_cell(&t, "%s", field_text(p, "unit"));
        table_cell(&t, "%s", quality);
        table_cell(&t, "%s", field_time(p, "ts", when));
        table_cell(&t, "%s", field_text(p, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}

void show_outputs(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"OUTPUT", "WANTED", "STATE",  "SINCE", "FOLLOWS",
                                         "FROM",   "LEVEL",  "REMARK", "LABEL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *o = json_first(result); o; o = json_next(o)) {
        bool fault = json_bool(json_get(o, "fault"), false);
        bool silenced = json_bool(json_get(o, "silenced"), false);
        bool tested = json_bool(json_get(o, "tested"), false);
        const char *detail = json_string(json_get(o, "detail"));
        const char *area = json_string(json_get(o, "area"));
        char since[FIELD_TIME];

        table_row(&t, fault ? TABLE_RED : silenced || tested ? TABLE_YELLOW : TABLE_PLAIN);
        table_cell(&t, "%s", field_text(o, "name"));
        table_cell(&t, "%s", field_text(o, "wanted"));
        table_cell(&t, "%s", field_text(o, "state"));
        table_cell(&t, "%s", field_time(o, "since_ts", since));
        table_cell(&t, "%s", area ? area : field_text(o, "rule"));
        table_cell(&t, "%s", field_text(o, "from"));
        table_cell(&t, "%s", field_text(o, "level"));
        table_cell(&t, "%s%s%s",
                   fault      ? "FAULT "
                   : silenced ? "silenced "
                              : "",
                   tested ? "test " : "", detail ? detail : "");
        table_cell(&t, "%s", field_text(o, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}

void show_risk(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"AREA",        "LEVEL", "ALARMS",  "ASSESSED", "PARENT",
                                         "RESPONSIBLE", "PHONE", "MEASURE", "LABEL"};
    struct table t;

    (void)fprintf(to, "level %s\n\n", field_text(result, "level"));
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *a = json_first(json_get(result, "areas")); a; a = json_next(a)) {
        table_row(&t, table_level_colour(field_text(a, "level")));
        table_cell(&t, "%s", json_key(a));
        table_cell(&t, "%s", field_text(a, "level"));
        table_cell(&t, "%" PRId64, field_int(a, "alarms"));
        table_cell(&t, "%s", field_text(a, "inherent"));
        table_cell(&t, "%s", field_text(a, "parent"));
        table_cell(&t, "%s", field_text(a, "responsible"));
        table_cell(&t, "%s", field_text(a, "phone"));
        table_cell(&t, "%s", field_text(a, "measure"));
        table_cell(&t, "%s", field_text(a, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}
