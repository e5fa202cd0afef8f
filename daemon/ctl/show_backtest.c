#include "ctl/show_backtest.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/json_read.h"
#include "base/text.h"
#include "ctl/field.h"
#include "ctl/table.h"
#include "model/level.h"

#define INSTANT_TEXT 32
#define ROWS_SHOWN 20 /* of what explains a past; the rest is in --json */
#define ALARMS_SHOWN 40

const char *show_instant(int64_t wall_ms, char *out)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    char text[INSTANT_TEXT] = "-";

    if (wall_ms > 0 && localtime_r(&seconds, &local) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local) > 0)
        (void)text_format(out, INSTANT_TEXT, "%s.%03d", text, (int)(wall_ms % 1000));
    else
        (void)text_copy(out, INSTANT_TEXT, "-");
    return out;
}

static const char *instant_of(const struct json *json, const char *key, char *out)
{
    return show_instant(field_int(json, key), out);
}

/* "3d 4h", "5m 12s": two units of it. */
static const char *span(int64_t ms, char *out)
{
    static const struct {
        int64_t ms;
        char unit;
    } units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};

    for (size_t i = 0; i + 1 < RG_COUNT(units); i++) {
        if (ms >= units[i].ms) {
            (void)text_format(out, INSTANT_TEXT, "%" PRId64 "%c %" PRId64 "%c", ms / units[i].ms,
                              units[i].unit, ms % units[i].ms / units[i + 1].ms, units[i + 1].unit);
            return out;
        }
    }
    (void)text_format(out, INSTANT_TEXT, "%" PRId64 ".%03ds", ms / 1000, (int)(ms % 1000));
    return out;
}

/* ---- rules ---- */

static void level_cells(struct table *t, const struct json *rule)
{
    const struct json *minutes = json_get(rule, "minutes");

    for (enum level l = LEVEL_RED; l > LEVEL_NONE; l--) {
        int64_t count = field_int(rule, level_name(l));
        double spent = json_double(json_get(minutes, level_name(l)), 0);

        if (count == 0 && spent <= 0)
            table_cell(t, "-");
        else
            table_cell(t, "%" PRId64 " / %.1f", count, spent);
    }
}

static enum table_colour worst(const struct json *rule)
{
    for (enum level l = LEVEL_RED; l > LEVEL_NONE; l--) {
        if (field_int(rule, level_name(l)) > 0)
            return table_level_colour(level_name(l));
    }
    return TABLE_PLAIN;
}

static void show_rules(const struct json *r, FILE *to)
{
    static const char *const titles[] = {"rule",   "alarms", "raised", "red",
                                         "orange", "yellow", "blue",   "chatter"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *rule = json_first(json_get(r, "rules")); rule; rule = json_next(rule)) {
        table_row(&t, worst(rule));
        table_cell(&t, "%s", field_text(rule, "rule"));
        table_cell(&t, "%" PRId64, field_int(rule, "alarms"));
        table_cell(&t, "%" PRId64, field_int(rule, "raised"));
        level_cells(&t, rule);
        table_cell(&t, "%" PRId64, field_int(rule, "chatter"));
    }
    table_print(&t, to);
    table_free(&t);
    (void)fputs("(levels: alarms that reached it and no higher / minutes at it)\n", to);
}

/* ---- the past ---- */

static void show_span(const struct json *r, FILE *to)
{
    char from[INSTANT_TEXT], till[INSTANT_TEXT], length[INSTANT_TEXT];

    (void)fprintf(to, "%s to %s (%s): %" PRId64 " frames, %" PRId64 " readings\n",
                  instant_of(r, "from", from), instant_of(r, "to", till),
                  span(field_int(r, "to") - field_int(r, "from"), length), field_int(r, "frames"),
                  field_int(r, "readings"));
}

static void show_more(const struct json *list, size_t shown, int64_t more, FILE *to)
{
    int64_t rest = (int64_t)json_size(list) - (int64_t)shown + more;

    if (rest > 0)
        (void)fprintf(to, "(%" PRId64 " more: --json)\n", rest);
}

static void show_runs(const struct json *history, FILE *to)
{
    const struct json *runs = json_get(history, "runs");
    char from[INSTANT_TEXT], till[INSTANT_TEXT];
    size_t shown = 0;

    if (json_bool(json_get(history, "midway"), false))
        (void)fputs("\nOlder telemetry is gone (retention): the past begins in the middle of a run; delays "
                    "and windows begin "
                    "with it.\n",
                    to);
    if (json_size(runs) < 2 && field_int(history, "more_runs") == 0)
        return;
    (void)fputs("\nThe daemon ran from\n", to);
    for (const struct json *run = json_first(runs); run && shown < ROWS_SHOWN; run = json_next(run), shown++)
        (void)fprintf(to, "  %s to %s%s\n", instant_of(run, "from", from), instant_of(run, "to", till),
                      json_bool(json_get(run, "stopped"), false) ? "" : " (no stop was recorded)");
    show_more(runs, shown, field_int(history, "more_runs"), to);
}

static void show_gaps(const struct json *history, FILE *to)
{
    static const char *const titles[] = {"device", "from", "for", "polls due", "frames", ""};
    const struct json *thin = json_get(history, "thin");
    char from[INSTANT_TEXT], length[INSTANT_TEXT];
    struct table t;
    size_t shown = 0;

    if (json_size(thin) == 0)
        return;
    (void)fputs("\nWhat was recorded is thinner than what was to be polled:\n", to);
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *gap = json_first(thin); gap && shown < ROWS_SHOWN;
         gap = json_next(gap), shown++) {
        table_row(&t, TABLE_PLAIN);
        table_cell(&t, "%s", field_text(gap, "device"));
        table_cell(&t, "%s", instant_of(gap, "from", from));
        table_cell(&t, "%s", span(field_int(gap, "to") - field_int(gap, "from"), length));
        table_cell(&t, "%" PRId64, field_int(gap, "polls"));
        table_cell(&t, "%" PRId64, field_int(gap, "frames"));
        table_cell(&t, "%s", json_bool(json_get(gap, "silent"), false) ? "it did not answer" : "");
    }
    table_print(&t, to);
    table_free(&t);
    show_more(thin, shown, field_int(history, "more_thin"), to);
}

/* What is worked out of these cannot be what the daemon saw. */
static void show_thinned(const struct json *history, FILE *to)
{
    static const char *const titles[] = {"device", "from", "to", "every", "polls due", "frames"};
    const struct json *thinned = json_get(history, "thinned");
    char from[INSTANT_TEXT], till[INSTANT_TEXT], every[INSTANT_TEXT];
    struct table t;
    size_t shown = 0;

    if (json_size(thinned) == 0)
        return;
    (void)fputs(
        "\nThese devices were recorded thinned (`record`): what rules make of them here cannot be exact. "
        "Between two records a device\nwas heard and no point had changed by more than its `change`; sums "
        "over that time are lower bounds.\n",
        to);
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *gap = json_first(thinned); gap && shown < ROWS_SHOWN;
         gap = json_next(gap), shown++) {
        table_row(&t, TABLE_PLAIN);
        table_cell(&t, "%s", field_text(gap, "device"));
        table_cell(&t, "%s", instant_of(gap, "from", from));
        table_cell(&t, "%s", instant_of(gap, "to", till));
        table_cell(&t, "%s", text_format_duration(field_int(gap, "every_ms"), every));
        table_cell(&t, "%" PRId64, field_int(gap, "polls"));
        table_cell(&t, "%" PRId64, field_int(gap, "frames"));
    }
    table_print(&t, to);
    table_free(&t);
    show_more(thinned, shown, 0, to);
}

static void show_losses(const struct json *history, FILE *to)
{
    const struct json *lost = json_get(history, "lost");
    char at[INSTANT_TEXT];
    size_t shown = 0;

    if (json_size(lost) > 0)
        (void)fputs("\nRecords that the daemon lost:\n", to);
    for (const struct json *l = json_first(lost); l && shown < ROWS_SHOWN; l = json_next(l), shown++)
        (void)fprintf(to, "  %s: %" PRId64 " of %s (%s)\n", instant_of(l, "ts", at), field_int(l, "count"),
                      field_text(l, "stream"), field_text(l, "cause"));
    show_more(lost, shown, field_int(history, "more_lost"), to);
    if (field_int(history, "damaged") > 0)
        (void)fprintf(to, "%" PRId64 " records cannot be read.\n", field_int(history, "damaged"));
    if (field_int(history, "configurations") > 0)
        (void)fprintf(to, "Another configuration was taken %" PRId64 " times while the daemon ran.\n",
                      field_int(history, "configurations"));
    if (field_int(history, "meanings") > 0)
        (void)fprintf(to,
                      "%" PRId64 " times points got another meaning (scale, register, unit, device): what "
                      "was recorded before is played "
                      "as it was recorded, and windows begin anew there.\n",
                      field_int(history, "meanings"));
}

static void show_list(const struct json *r, const char *key, const char *more, const char *title, FILE *to)
{
    const struct json *list = json_get(r, key);
    size_t shown = 0;

    if (json_size(list) == 0)
        return;
    (void)fprintf(to, "%s", title);
    for (const struct json *name = json_first(list); name && shown < ROWS_SHOWN;
         name = json_next(name), shown++)
        (void)fprintf(to, " %s", json_string(name) ? json_string(name) : "-");
    (void)fputc('\n', to);
    show_more(list, shown, field_int(r, more), to);
}

static void show_names(const struct json *r, const char *which, FILE *to)
{
    char title[96];

    (void)text_format(title, sizeof title, "\nRecorded, but not in the %s:", which);
    show_list(r, "unknown", "more_unknown", title, to);
    (void)text_format(title, sizeof title, "\nIn the %s, but never recorded:", which);
    show_list(r, "never_recorded", "more_never_recorded", title, to);
    if (field_int(r, "acts_without_alarm") > 0)
        (void)fprintf(to,
                      "\n%" PRId64
                      " times somebody acknowledged or shelved an alarm that was not active with the %s.\n",
                      field_int(r, "acts_without_alarm"), which);
}

static void show_history(const struct json *r, FILE *to)
{
    const struct json *history = json_get(r, "history");

    show_runs(history, to);
    show_gaps(history, to);
    show_thinned(history, to);
    show_losses(history, to);
}

void show_backtest(const struct json *summary, FILE *to)
{
    show_span(summary, to);
    (void)fprintf(to, "%" PRId64 " transitions; %" PRId64 " were recorded\n\n", field_int(summary, "events"),
                  field_int(summary, "recorded"));
    show_rules(summary, to);
    show_history(summary, to);
    show_names(summary, "configuration", to);
}

/* ---- two configurations ---- */

static void show_pair(struct table *t, const struct json *pair, const char *side, const char *name)
{
    const struct json *rule = json_get(pair, side);

    table_row(t, rule && !json_is_null(rule) ? worst(rule) : TABLE_PLAIN);
    table_cell(t, "%s", name);
    table_cell(t, "%s", side);
    if (json_is_null(rule)) {
        table_cell(t, "has no such rule");
        return;
    }
    table_cell(t, "%" PRId64, field_int(rule, "alarms"));
    level_cells(t, rule);
    table_cell(t, "%" PRId64, field_int(rule, "chatter"));
    if (strcmp(side, "new") != 0)
        return;
    table_cell(t, "%" PRId64, field_int(pair, "appears"));
    table_cell(t, "%" PRId64, field_int(pair, "disappears"));
    table_cell(t, "%" PRId64, field_int(pair, "higher"));
    table_cell(t, "%" PRId64, field_int(pair, "lower"));
}

static void show_pairs(const struct json *r, FILE *to)
{
    static const char *const titles[] = {"rule", "",        "alarms",  "red",        "orange", "yellow",
                                         "blue", "chatter", "appears", "disappears", "higher", "lower"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *pair = json_first(json_get(r, "rules")); pair; pair = json_next(pair)) {
        show_pair(&t, pair, "old", field_text(pair, "rule"));
        show_pair(&t, pair, "new", "");
    }
    table_print(&t, to);
    table_free(&t);
    (void)fputs("(levels: alarms that reached it and no higher / minutes at it)\n", to);
}

static void show_alarms(const struct json *r, const char *key, const char *more, const char *title, FILE *to)
{
    static const char *const titles[] = {"from", "for", "level", "rule", "point"};
    const struct json *list = json_get(r, key);
    char from[INSTANT_TEXT], length[INSTANT_TEXT];
    struct table t;
    size_t shown = 0;

    if (json_size(list) == 0)
        return;
    (void)fprintf(to, "\n%s\n", title);
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *a = json_first(list); a && shown < ALARMS_SHOWN; a = json_next(a), shown++) {
        const char *was = json_string(json_get(a, "was"));

        table_row(&t, table_level_colour(field_text(a, "level")));
        table_cell(&t, "%s", instant_of(a, "from", from));
        table_cell(&t, "%s%s", span(field_int(a, "to") - field_int(a, "from"), length),
                   json_bool(json_get(a, "ended"), false) ? "" : ", and on");
        table_cell(&t, "%s%s%s", was ? was : "", was ? " -> " : "", field_text(a, "level"));
        table_cell(&t, "%s", field_text(a, "rule"));
        table_cell(&t, "%s", field_text(a, "point"));
    }
    table_print(&t, to);
    table_free(&t);
    show_more(list, shown, field_int(r, more), to);
}

void show_comparison(const struct json *comparison, FILE *to)
{
    show_span(comparison, to);
    (void)fputc('\n', to);
    show_pairs(comparison, to);
    show_alarms(comparison, "appears", "more_appears", "Only with the new configuration:", to);
    show_alarms(comparison, "disappears", "more_disappears", "Only with the old one:", to);
    show_alarms(comparison, "other_level", "more_other_level", "With both, at another level:", to);
    show_history(comparison, to);
    show_names(json_get(comparison, "old"), "old configuration", to);
    show_names(json_get(comparison, "new"), "new configuration", to);
}
