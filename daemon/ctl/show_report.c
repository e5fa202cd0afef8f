/* Reports and self tests, for people. */
#include <inttypes.h>
#include <math.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/words.h"

static const char *const levels[] = {"red", "orange", "yellow", "blue"};

static void print_levels(const char *what, const struct json *counts, FILE *to)
{
    (void)fprintf(to, "%s", what);
    for (size_t i = 0; i < RG_COUNT(levels); i++)
        (void)fprintf(to, "%s %s %" PRId64, i > 0 ? "," : "", levels[i], field_int(counts, levels[i]));
    (void)fputc('\n', to);
}

static const char *seconds(const struct json *json, const char *key, char out[WORDS_MAX])
{
    double s = json_double(json_get(json, key), -1);

    return s < 0 ? "-" : words_duration((int64_t)floor(s) * 1000, out);
}

static void print_times(const char *what, const struct json *t, FILE *to)
{
    char middle[WORDS_MAX], longest[WORDS_MAX];

    if (field_int(t, "n") > 0)
        (void)fprintf(to, "%s %" PRId64 " times: half of them within %s, all within %s\n", what,
                      field_int(t, "n"), seconds(t, "p50", middle), seconds(t, "max", longest));
}

static void print_more(const struct json *report, const char *key, FILE *to)
{
    if (field_int(report, key) > 0)
        (void)fprintf(to, "  and %" PRId64 " more\n", field_int(report, key));
}

static void print_completeness(const struct json *report, FILE *to)
{
    double share = json_double(json_get(report, "completeness"), -1);
    const struct json *samples = json_get(report, "samples");

    if (share < 0) {
        (void)fputs("data: nothing was expected\n", to);
        return;
    }
    (void)fprintf(to, "data: %.2f %% (%" PRId64 " of %" PRId64 " samples)\n", share * 100,
                  field_int(samples, "received"), field_int(samples, "expected"));
    for (const struct json *d = json_first(json_get(report, "devices")); d; d = json_next(d))
        (void)fprintf(to, "  %s: %.2f %%\n", field_text(d, "device"),
                      json_double(json_get(d, "share"), 0) * 100);
    print_more(report, "devices_more", to);
}

static void print_outages(const struct json *report, FILE *to)
{
    const struct json *list = json_get(report, "outages");

    if (json_size(list) == 0)
        (void)fputs("outages: none\n", to);
    else
        (void)fputs("outages:\n", to);
    for (const struct json *o = json_first(list); o; o = json_next(o)) {
        char from[FIELD_TIME], end[FIELD_TIME], length[WORDS_MAX];
        bool went_on = json_is_null(json_get(o, "to"));

        (void)fprintf(to, "  %s %s: %s, from %s to %s\n", field_text(o, "what"), field_text(o, "name"),
                      words_duration(field_int(o, "s") * 1000, length), field_time(o, "from", from),
                      went_on ? "the end of it and on" : field_time(o, "to", end));
    }
    print_more(report, "outages_more", to);
}

static void print_uplinks(const struct json *report, FILE *to)
{
    for (const struct json *u = json_first(json_get(report, "uplinks")); u; u = json_next(u)) {
        char down[WORDS_MAX];

        (void)fprintf(to, "uplink %s: down %s in %" PRId64 " outages", field_text(u, "uplink"),
                      words_duration(field_int(u, "down_s") * 1000, down), field_int(u, "outages"));
        if (field_int(u, "tests") > 0)
            (void)fprintf(to, "; %" PRId64 " self tests, %" PRId64 " failed", field_int(u, "tests"),
                          field_int(u, "failed"));
        (void)fputc('\n', to);
    }
    print_more(report, "uplinks_more", to);
}

void show_report(const struct json *result, FILE *to)
{
    char from[FIELD_TIME], end[FIELD_TIME], made[FIELD_TIME];
    size_t configs = json_size(json_get(result, "config")) + (size_t)field_int(result, "config_more");

    (void)fprintf(to, "%s report from %s to %s, made %s%s%s\n", field_text(result, "kind"),
                  field_time(result, "from", from), field_time(result, "to", end),
                  field_time(result, "ts", made), json_bool(json_get(result, "late"), false) ? ", late" : "",
                  json_get(result, "clock") ? ", clock not synchronised" : "");
    if (json_bool(json_get(result, "zero"), false))
        (void)fputs("zero report: no alarm was raised, none was active\n", to);
    print_levels("raised:", json_get(result, "raised"), to);
    print_levels("open at its end:", json_get(result, "open"), to);
    (void)fprintf(to, "acknowledged %" PRId64 ", not acknowledged %" PRId64 "\n", field_int(result, "acked"),
                  field_int(result, "unacked"));
    print_times("acknowledged", json_get(result, "time_to_ack_s"), to);
    print_times("cleared", json_get(result, "time_to_clear_s"), to);
    print_completeness(result, to);
    print_outages(result, to);
    print_uplinks(result, to);
    (void)fprintf(to, "records lost: %" PRId64 "; configurations taken: %zu\n", field_int(result, "lost"),
                  configs);
}

void show_self_test(const struct json *result, FILE *to)
{
    for (const struct json *u = json_first(result); u; u = json_next(u)) {
        if (json_bool(json_get(u, "ok"), false))
            (void)fprintf(to, "uplink %s: came through, %s after %" PRId64 " ms\n", field_text(u, "uplink"),
                          field_text(u, "of"), field_int(u, "round_trip_ms"));
        else
            (void)fprintf(to, "uplink %s: did not come through\n", field_text(u, "uplink"));
    }
}

void show_last_tests(const struct json *tests, FILE *to)
{
    for (const struct json *u = json_first(tests); u; u = json_next(u)) {
        char at[FIELD_TIME];

        (void)fprintf(to, "self test through %s: ", field_text(u, "uplink"));
        if (field_int(u, "last_ts") == 0)
            (void)fputs("none yet\n", to);
        else if (json_bool(json_get(u, "ok"), false))
            (void)fprintf(to, "%s, %s after %" PRId64 " ms\n", field_time(u, "last_ts", at),
                          field_text(u, "of"), field_int(u, "round_trip_ms"));
        else
            (void)fprintf(to, "%s, FAILED\n", field_time(u, "last_ts", at));
    }
}
