#include "ctl/show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "ctl/table.h"

#define TIME_TEXT 40

static const char *text_of(const struct json *json, const char *key)
{
    const char *text = json_string(json_get(json, key));

    return text ? text : "-";
}

static int64_t int_of(const struct json *json, const char *key)
{
    return json_int(json_get(json, key), 0);
}

/* Local time, since it is for the person in front of the cabinet. */
static const char *time_of(const struct json *json, const char *key, char *out)
{
    int64_t ms = int_of(json, key);
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;

    if (ms <= 0 || !localtime_r(&seconds, &local) ||
        strftime(out, TIME_TEXT, "%Y-%m-%d %H:%M:%S", &local) == 0)
        return "never";
    return out;
}

static void show_head(const struct json *r, FILE *to)
{
    const struct json *alarms = json_get(r, "alarms");
    const char *level = text_of(r, "level");
    const struct json *config = json_get(r, "config");
    char loaded[TIME_TEXT];
    int64_t up = int_of(r, "uptime_s");

    (void)fprintf(
        to, "riskgated %s, gateway %s, up %" PRId64 "d %02" PRId64 "h %02" PRId64 "m, boot %" PRId64 "%s\n",
        text_of(r, "version"), text_of(r, "gateway"), up / 86400, up / 3600 % 24, up / 60 % 60,
        int_of(r, "boot"), json_bool(json_get(r, "clock_synced"), false) ? "" : ", clock NOT synchronised");
    (void)fprintf(to, "configuration %s, loaded %s\n", text_of(config, "file"),
                  time_of(config, "loaded_ts", loaded));
    (void)fputs("level ", to);
    table_colour_begin(to, table_level_colour(level));
    (void)fputs(level, to);
    table_colour_end(to, table_level_colour(level));
    (void)fprintf(to,
                  ", alarms: red %" PRId64 ", orange %" PRId64 ", yellow %" PRId64 ", blue %" PRId64
                  "; not acknowledged %" PRId64 ", shelved %" PRId64 "\n\n",
                  int_of(alarms, "red"), int_of(alarms, "orange"), int_of(alarms, "yellow"),
                  int_of(alarms, "blue"), int_of(alarms, "unacked"), int_of(alarms, "shelved"));
}

static void show_buses(const struct json *buses, FILE *to)
{
    static const char *const titles[] = {"BUS",    "STATE",  "OK",     "ERRORS",  "TIMEOUTS",
                                         "P50 ms", "P99 ms", "LOAD %", "PLANNED", "DETAIL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *b = json_first(buses); b; b = json_next(b)) {
        bool down = strcmp(text_of(b, "state"), "down") == 0;
        const struct json *load = json_get(b, "load");

        table_row(&t, down ? TABLE_RED : TABLE_PLAIN);
        table_cell(&t, "%s", text_of(b, "name"));
        table_cell(&t, "%s", text_of(b, "state"));
        table_cell(&t, "%" PRId64, int_of(b, "ok"));
        table_cell(&t, "%" PRId64, int_of(b, "errors"));
        table_cell(&t, "%" PRId64, int_of(b, "timeouts"));
        table_cell(&t, "%.1f", json_double(json_get(b, "p50_ms"), 0));
        table_cell(&t, "%.1f", json_double(json_get(b, "p99_ms"), 0));
        table_cell(&t, "%.1f", 100 * json_double(json_get(load, "measured"), 0));
        table_cell(&t, "%.1f", 100 * json_double(json_get(load, "planned"), 0));
        table_cell(&t, "%s", text_of(b, "detail"));
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
        const char *state = text_of(d, "state");
        char last[TIME_TEXT];

        table_row(&t, strcmp(state, "online") == 0 ? TABLE_PLAIN : TABLE_YELLOW);
        table_cell(&t, "%s", text_of(d, "name"));
        table_cell(&t, "%s", text_of(d, "bus"));
        table_cell(&t, "%" PRId64, int_of(d, "unit"));
        if (json_get(d, "next_probe_ms") && strcmp(state, "suspended") == 0)
            table_cell(&t, "%s, probe in %" PRId64 " s", state, (int_of(d, "next_probe_ms") + 999) / 1000);
        else
            table_cell(&t, "%s", state);
        table_cell(&t, "%s", time_of(d, "last_ok_ts", last));
        table_cell(&t, "%" PRId64, int_of(d, "ok"));
        table_cell(&t, "%" PRId64, int_of(d, "errors"));
        table_cell(&t, "%" PRId64, int_of(d, "soft_errors"));
        table_cell(&t, "%" PRId64, int_of(d, "skipped"));
        table_cell(&t, "%" PRId64, int_of(d, "poll_late_ms"));
        table_cell(&t, "%s", text_of(d, "detail"));
    }
    table_print(&t, to);
    table_free(&t);
    (void)fputc('\n', to);
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
        char last[TIME_TEXT];

        table_row(&t, connected ? TABLE_PLAIN : TABLE_RED);
        table_cell(&t, "%s", text_of(u, "name"));
        table_cell(&t, "%s", connected ? "yes" : "no");
        table_cell(&t, "%" PRId64, int_of(pending, "alarm"));
        table_cell(&t, "%" PRId64, int_of(pending, "telemetry"));
        table_cell(&t, "%s", time_of(u, "last_ack_ts", last));
        table_cell(&t, "%s", text_of(u, "detail"));
    }
    table_print(&t, to);
    table_free(&t);
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
    show_uplinks(json_get(result, "uplinks"), to);
    (void)fprintf(
        to, "\nstore %s, %.1f MiB (%.1f MiB free), last commit %" PRId64 " ms, records lost %" PRId64 "\n",
        json_bool(json_get(store, "ok"), false) ? "ok" : "DOES NOT TAKE RECORDS",
        (double)int_of(store, "size") / 1048576.0, (double)int_of(store, "free") / 1048576.0,
        int_of(store, "last_commit_ms"), int_of(store, "lost"));
}

void show_alarms(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"ALARM", "LEVEL", "SINCE",        "AREA",
                                         "POINT", "RULE",  "ACKNOWLEDGED", "MESSAGE"};
    struct table t;

    if (json_size(result) == 0) {
        (void)fputs("no active alarms\n", to);
        return;
    }
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *a = json_first(result); a; a = json_next(a)) {
        char since[TIME_TEXT];

        table_row(&t, table_level_colour(text_of(a, "level")));
        table_cell(&t, "%s", text_of(a, "alarm"));
        table_cell(&t, "%s", text_of(a, "level"));
        table_cell(&t, "%s", time_of(a, "raised_ts", since));
        table_cell(&t, "%s", text_of(a, "area"));
        table_cell(&t, "%s", text_of(a, "point"));
        table_cell(&t, "%s", text_of(a, "rule"));
        table_cell(&t, "%s", json_bool(json_get(a, "acked"), false) ? text_of(a, "acked_by") : "no");
        table_cell(&t, "%s", text_of(a, "message"));
    }
    table_print(&t, to);
    table_free(&t);
}

void show_points(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"POINT", "VALUE", "UNIT", "QUALITY", "TIME", "LABEL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *p = json_first(result); p; p = json_next(p)) {
        const struct json *value = json_get(p, "value");
        const char *quality = text_of(p, "quality");
        char when[TIME_TEXT];

        table_row(&t, strcmp(quality, "good") == 0 ? TABLE_PLAIN : TABLE_YELLOW);
        table_cell(&t, "%s", text_of(p, "point"));
        if (json_is_number(value) && json_get(p, "text"))
            table_cell(&t, "%.10g %s", json_double(value, NAN), text_of(p, "text"));
        else if (json_is_number(value))
            table_cell(&t, "%.10g", json_double(value, NAN));
        else
            table_cell(&t, "-");
        table_cell(&t, "%s", text_of(p, "unit"));
        table_cell(&t, "%s", quality);
        table_cell(&t, "%s", time_of(p, "ts", when));
        table_cell(&t, "%s", text_of(p, "label"));
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
        char since[TIME_TEXT];

        table_row(&t, fault ? TABLE_RED : silenced || tested ? TABLE_YELLOW : TABLE_PLAIN);
        table_cell(&t, "%s", text_of(o, "name"));
        table_cell(&t, "%s", text_of(o, "wanted"));
        table_cell(&t, "%s", text_of(o, "state"));
        table_cell(&t, "%s", time_of(o, "since_ts", since));
        table_cell(&t, "%s", area ? area : text_of(o, "rule"));
        table_cell(&t, "%s", text_of(o, "from"));
        table_cell(&t, "%s", text_of(o, "level"));
        table_cell(&t, "%s%s%s",
                   fault      ? "FAULT "
                   : silenced ? "silenced "
                              : "",
                   tested ? "test " : "", detail ? detail : "");
        table_cell(&t, "%s", text_of(o, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}

void show_risk(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"AREA",        "LEVEL", "ALARMS",  "ASSESSED", "PARENT",
                                         "RESPONSIBLE", "PHONE", "MEASURE", "LABEL"};
    struct table t;

    (void)fprintf(to, "level %s\n\n", text_of(result, "level"));
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *a = json_first(json_get(result, "areas")); a; a = json_next(a)) {
        table_row(&t, table_level_colour(text_of(a, "level")));
        table_cell(&t, "%s", json_key(a));
        table_cell(&t, "%s", text_of(a, "level"));
        table_cell(&t, "%" PRId64, int_of(a, "alarms"));
        table_cell(&t, "%s", text_of(a, "inherent"));
        table_cell(&t, "%s", text_of(a, "parent"));
        table_cell(&t, "%s", text_of(a, "responsible"));
        table_cell(&t, "%s", text_of(a, "phone"));
        table_cell(&t, "%s", text_of(a, "measure"));
        table_cell(&t, "%s", text_of(a, "label"));
    }
    table_print(&t, to);
    table_free(&t);
}
