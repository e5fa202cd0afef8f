/* The alarms, and how heavy they are. */
#include "ctl/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/table.h"

#define REMARK 160

RG_PRINTF(2, 3) static void remark(char out[REMARK], const char *format, ...)
{
    size_t length = strlen(out);
    va_list args;

    if (length > 0 && length + 3 < REMARK)
        length += (size_t)snprintf(out + length, REMARK - length, ", ");
    va_start(args, format);
    (void)vsnprintf(out + length, REMARK - length, format, args);
    va_end(args);
}

static bool is(const struct json *json, const char *key)
{
    return json_bool(json_get(json, key), false);
}

/* What sets an alarm apart from the others. */
static const char *marks(const struct json *a, char out[REMARK])
{
    char until[FIELD_TIME];

    out[0] = '\0';
    if (is(a, "suppressed"))
        remark(out, "suppressed");
    if (is(a, "shelved"))
        remark(out, "shelved until %s", field_time(a, "shelved_until_ts", until));
    if (is(a, "first_out"))
        remark(out, "first out");
    if (is(a, "standing"))
        remark(out, "standing over 24 h");
    return out;
}

void show_alarms(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"ALARM", "LEVEL",        "SINCE",  "AREA",   "POINT",
                                         "RULE",  "ACKNOWLEDGED", "REMARK", "MESSAGE"};
    struct table t;

    if (json_size(result) == 0) {
        (void)fputs("no active alarms\n", to);
        return;
    }
    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *a = json_first(result); a; a = json_next(a)) {
        char since[FIELD_TIME], text[REMARK];

        table_row(&t, is(a, "suppressed") || is(a, "shelved") ? TABLE_PLAIN
                                                              : table_level_colour(field_text(a, "level")));
        table_cell(&t, "%s", field_text(a, "alarm"));
        table_cell(&t, "%s", field_text(a, "level"));
        table_cell(&t, "%s", field_time(a, "raised_ts", since));
        table_cell(&t, "%s", field_text(a, "area"));
        table_cell(&t, "%s", field_text(a, "point"));
        table_cell(&t, "%s", field_text(a, "rule"));
        table_cell(&t, "%s", is(a, "acked") ? field_text(a, "acked_by") : "no");
        table_cell(&t, "%s", marks(a, text));
        table_cell(&t, "%s", field_text(a, "message"));
    }
    table_print(&t, to);
    table_free(&t);
}

void show_shelved(const struct json *result, FILE *to)
{
    char until[FIELD_TIME];

    (void)fprintf(to, "%s shelved until %s\n", field_text(result, "alarm"),
                  field_time(result, "shelved_until_ts", until));
}

/* "rule point" of each; of how many there are, the first ones are listed. */
static void show_list(const struct json *list, int64_t count, const char *title, FILE *to)
{
    int64_t listed = 0;

    for (const struct json *a = json_first(list); a; a = json_next(a), listed++) {
        char since[FIELD_TIME];

        (void)fprintf(to, "  %s: %s %s", title, field_text(a, "rule"), field_text(a, "point"));
        if (json_get(a, "raises"))
            (void)fprintf(to, ", raised %" PRId64 " times\n", field_int(a, "raises"));
        else
            (void)fprintf(to, ", %s %s since %s\n", field_text(a, "level"), field_text(a, "alarm"),
                          field_time(a, "raised_ts", since));
    }
    if (count > listed)
        (void)fprintf(to, "  %s: and %" PRId64 " more\n", title, count - listed);
}

void show_figures(const struct json *alarms, FILE *to)
{
    char when[FIELD_TIME];

    if (!json_get(alarms, "raised"))
        return; /* an older daemon */
    (void)fprintf(to,
                  "raised: %" PRId64 " in the last 10 min (most %" PRId64
                  "), %.1f an hour, %.1f a day, %" PRId64 " since %s\n",
                  field_int(alarms, "per_10min"), field_int(alarms, "peak_10min"),
                  json_double(json_get(alarms, "per_hour"), 0), json_double(json_get(alarms, "per_day"), 0),
                  field_int(alarms, "raised"), field_time(alarms, "since_ts", when));
    if (is(alarms, "flood")) {
        table_colour_begin(to, TABLE_RED);
        (void)fprintf(to, "  ALARM FLOOD since %s", field_time(alarms, "flood_since_ts", when));
        table_colour_end(to, TABLE_RED);
        (void)fputc('\n', to);
    }
    if (field_int(alarms, "floods") > 0)
        (void)fprintf(to, "  floods: %" PRId64 ", %.2f %% of the time\n", field_int(alarms, "floods"),
                      100 * json_double(json_get(alarms, "flood_share"), 0));
    show_list(json_get(alarms, "chattering_alarms"), field_int(alarms, "chattering"), "chattering", to);
    show_list(json_get(alarms, "standing_alarms"), field_int(alarms, "standing"), "standing over 24 h", to);
}
