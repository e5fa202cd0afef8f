/* The status: what is wrong first, then how everything is. */
#include "ctl/show.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/judge.h"
#include "ctl/table.h"
#include "ctl/words.h"

#define DEVICES_SHOWN 20  /* of more, only those that are not well */
#define PROBLEMS_SHOWN 20 /* of more, the worst */
#define INDENT 9          /* of what is wrong, below its place */
#define WRAP_MOST 100     /* longer lines are hard to read */
#define WRAP_LEAST 40

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

/* Nothing to be done about it: of many devices, those are only counted. */
static bool is_well(const struct json *device)
{
    return strcmp(field_text(device, "state"), "online") == 0 && !json_string(json_get(device, "detail"));
}

static void show_devices(const struct json *devices, bool all, FILE *to)
{
    const bool brief = !all && json_size(devices) > DEVICES_SHOWN;
    size_t left_out = 0;
    static const char *const titles[] = {"DEVICE", "BUS",  "UNIT",    "STATE",   "LAST ANSWER", "OK",
                                         "ERRORS", "SOFT", "SKIPPED", "LATE ms", "DETAIL"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *d = json_first(devices); d; d = json_next(d)) {
        const char *state = field_text(d, "state");
        char last[FIELD_TIME];

        if (brief && is_well(d)) {
            left_out++;
            continue;
        }
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
    if (left_out > 0)
        (void)fprintf(to, "(and %zu devices that are online: status --all)\n", left_out);
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
}

/* ---- what is wrong ---- */

static size_t wrap_at(FILE *to)
{
    const size_t columns = table_line(to);

    if (columns == 0)
        return SIZE_MAX;
    return columns > WRAP_MOST ? WRAP_MOST : columns < WRAP_LEAST ? WRAP_LEAST : columns;
}

/* Words behind an indent, over as many lines as they take. The first line begins with the mark. */
static void write_wrapped(const char *mark, const char *text, FILE *to)
{
    const int indent = INDENT + (int)strlen(mark);
    const size_t wrap = wrap_at(to);
    size_t used = 0;

    (void)fprintf(to, "%*s", indent, mark);
    while (*text) {
        char word[JUDGE_WHAT];
        size_t length = strcspn(text, " "), width;

        (void)snprintf(word, sizeof word, "%.*s", (int)length, text);
        width = table_width(word);
        if (used > 0 && (size_t)indent + used + 1 + width > wrap) {
            (void)fprintf(to, "\n%*s", indent, "");
            used = 0;
        } else if (used > 0) {
            (void)fputc(' ', to);
            used++;
        }
        table_write(word, to);
        used += width;
        text += length;
        text += strspn(text, " ");
    }
    (void)fputc('\n', to);
}

static void show_finding(const struct finding *f, int64_t now_ms, FILE *to)
{
    enum table_colour colour = f->weight == JUDGE_FAULT ? TABLE_RED : TABLE_YELLOW;
    char since[WORDS_MAX];

    table_colour_begin(to, colour);
    (void)fputs(f->weight == JUDGE_FAULT ? "FAULT    " : "warning  ", to);
    table_write(f->where, to);
    table_colour_end(to, colour);
    if (f->since_ms > 0)
        (void)fprintf(to, ", since %s", words_since(f->since_ms, now_ms, since));
    (void)fputc('\n', to);
    write_wrapped("", f->what, to);
    write_wrapped("-> ", f->advice, to);
}

static void show_problems(const struct json *status, bool all, FILE *to)
{
    const int64_t now_ms = field_int(status, "ts");
    struct judgement j;

    judge_status(status, &j);
    if (j.count == 0 && !j.failed) {
        table_colour_begin(to, TABLE_GREEN);
        (void)fputs("nothing is wrong with the gateway and its devices", to);
        table_colour_end(to, TABLE_GREEN);
        (void)fputs("\n\n", to);
    } else {
        size_t shown = all || j.count <= PROBLEMS_SHOWN ? j.count : PROBLEMS_SHOWN;

        (void)fprintf(to, "what is wrong (%zu):\n", j.count);
        for (size_t i = 0; i < shown; i++)
            show_finding(&j.findings[i], now_ms, to);
        if (shown < j.count)
            (void)fprintf(to, "(and %zu more: status --all)\n", j.count - shown);
        if (j.failed)
            (void)fputs("(out of memory: some are missing)\n", to);
        (void)fputc('\n', to);
    }
    judge_free(&j);
}

/* ---- all of it ---- */

static void show(const struct json *result, bool all, FILE *to)
{
    const struct json *store = json_get(result, "store");

    show_head(result, to);
    show_problems(result, all, to);
    show_buses(json_get(result, "buses"), to);
    show_devices(json_get(result, "devices"), all, to);
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

void show_status(const struct json *result, FILE *to)
{
    show(result, false, to);
}

void show_status_all(const struct json *result, FILE *to)
{
    show(result, true, to);
}
