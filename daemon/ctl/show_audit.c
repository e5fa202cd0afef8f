#include "ctl/show_audit.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/show_backtest.h"
#include "ctl/table.h"

/* ---- verify ---- */

static void bad_numbers(const struct json *bad, char out[64])
{
    int64_t first = field_int(bad, "first"), last = field_int(bad, "last");

    if (first == last)
        (void)text_format(out, 64, "%" PRId64, first);
    else
        (void)text_format(out, 64, "%" PRId64 " to %" PRId64, first, last);
}

static void show_stream(struct table *t, const struct json *stream)
{
    const struct json *bad = json_get(stream, "bad");
    bool ok = json_bool(json_get(stream, "ok"), false);
    char numbers[64];

    table_row(t, ok ? TABLE_PLAIN : TABLE_RED);
    table_cell(t, "%s", json_key(stream));
    table_cell(t, "%" PRId64, field_int(stream, "records"));
    if (field_int(stream, "first") > 0)
        table_cell(t, "%" PRId64 " to %" PRId64, field_int(stream, "first"), field_int(stream, "last"));
    else
        table_cell(t, "-");
    if (!ok) {
        bad_numbers(bad, numbers);
        table_cell(t, "BAD: number %s: %s", numbers, field_text(bad, "text"));
    } else if (json_bool(json_get(stream, "start_unknown"), false)) {
        table_cell(t, "good, but what its first hash follows from was not kept by an earlier version");
    } else if (field_int(stream, "begins") > 1) {
        table_cell(t, "good; the retention took those before %" PRId64, field_int(stream, "begins"));
    } else if (field_int(stream, "told_lost") > 0) {
        table_cell(t, "good; %" PRId64 " lost, as events tell", field_int(stream, "told_lost"));
    } else {
        table_cell(t, "good");
    }
}

void show_verify(const struct json *result, FILE *to)
{
    static const char *const titles[] = {"STREAM", "RECORDS THAT HOLD", "NUMBERS", "FOUND"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *s = json_first(json_get(result, "streams")); s; s = json_next(s))
        show_stream(&t, s);
    table_print(&t, to);
    table_free(&t);
}

/* ---- trace ---- */

static void cell_value(struct table *t, const struct json *json, const char *key, const char *unit)
{
    const struct json *value = json_get(json, key);

    if (json_is_number(value))
        table_cell(t, "%.10g%s%s", json_double(value, NAN), unit ? " " : "", unit ? unit : "");
    else if (json_is_bool(value))
        table_cell(t, "%s", json_bool(value, false) ? "1" : "0");
    else
        table_cell(t, "-");
}

static const char *instant(const struct json *json, const char *key, char out[FIELD_TIME])
{
    int64_t ms = field_int(json, key);

    return ms == 0 ? "-" : show_instant(ms, out);
}

static void show_records(const struct json *records, FILE *to)
{
    static const char *const titles[] = {"NUMBER", "TIME", "EVENT", "LEVEL", "VALUE",
                                         "LIMIT",  "HASH", "CLOCK", "BY",    "WORDS"};
    struct table t;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *e = json_first(records); e; e = json_next(e)) {
        const struct json *r = json_get(e, "record");
        const char *hash = field_text(e, "hash");
        const char *unit = json_string(json_get(r, "unit"));
        char when[FIELD_TIME];

        table_row(&t, strcmp(hash, "broken") == 0 ? TABLE_RED : TABLE_PLAIN);
        table_cell(&t, "%" PRId64, field_int(r, "seq"));
        table_cell(&t, "%s", instant(r, "ts", when));
        table_cell(&t, "%s", field_text(r, "event"));
        table_cell(&t, "%s -> %s", field_text(r, "was"), field_text(r, "level"));
        cell_value(&t, r, "value", unit);
        cell_value(&t, r, "limit", NULL);
        table_cell(&t, "%s", hash);
        table_cell(&t, "%s", field_text(e, "clock"));
        table_cell(&t, "%s", field_text(r, "by"));
        table_cell(&t, "%s", field_text(r, "comment"));
    }
    table_print(&t, to);
    table_free(&t);
}

static void show_around(const struct json *records, FILE *to)
{
    static const char *const titles[] = {"AROUND", "POINT", "TIME", "VALUE", "QUALITY", "TELEMETRY"};
    struct table t;
    bool any = false;

    table_init(&t, RG_COUNT(titles), titles);
    for (const struct json *e = json_first(records); e; e = json_next(e)) {
        const struct json *r = json_get(e, "record");

        any = any || json_size(json_get(e, "readings")) > 0;
        for (const struct json *f = json_first(json_get(e, "readings")); f; f = json_next(f)) {
            const char *quality = field_text(f, "quality");
            char when[FIELD_TIME];

            table_row(&t, strcmp(quality, "good") == 0 ? TABLE_PLAIN : TABLE_YELLOW);
            table_cell(&t, "%s", field_text(r, "event"));
            table_cell(&t, "%s", field_text(f, "point"));
            table_cell(&t, "%s", instant(f, "ts", when));
            cell_value(&t, f, "value", NULL);
            table_cell(&t, "%s", quality);
            table_cell(&t, "%" PRId64, field_int(f, "seq"));
        }
    }
    if (any) {
        (void)fputc('\n', to);
        table_print(&t, to);
    }
    table_free(&t);
}

/* What is the same for all records is told once. */
static void show_configs(const struct json *records, FILE *to)
{
    const char *before = "";

    for (const struct json *e = json_first(records); e; e = json_next(e)) {
        const struct json *config = json_get(e, "config");
        const char *sha256 = field_text(config, "sha256");
        char when[FIELD_TIME];

        if (strcmp(sha256, before) != 0)
            (void)fprintf(to, "configuration from number %" PRId64 " on: %s (in force since %s)\n",
                          field_int(json_get(e, "record"), "seq"), sha256, instant(config, "since", when));
        before = sha256;
    }
}

static void show_uplinks(const struct json *records, FILE *to)
{
    for (const struct json *e = json_first(records); e; e = json_next(e)) {
        const struct json *uplinks = json_get(e, "uplinks");

        (void)fprintf(to, "number %" PRId64 " is done with at:", field_int(json_get(e, "record"), "seq"));
        for (const struct json *u = json_first(uplinks); u; u = json_next(u))
            (void)fprintf(to, " %s", json_string(u));
        (void)fprintf(to, "%s\n", json_size(uplinks) == 0 ? " no uplink" : "");
    }
}

static void show_commands(const struct json *commands, FILE *to)
{
    for (const struct json *c = json_first(commands); c; c = json_next(c)) {
        const char *comment = json_string(json_get(c, "comment"));
        char when[FIELD_TIME];

        (void)fprintf(to, "%s: %s asked for by %s%s%s\n", instant(c, "ts", when), field_text(c, "command"),
                      field_text(c, "by"), comment ? ": " : "", comment ? comment : "");
    }
}

void show_trace(const struct json *result, FILE *to)
{
    const struct json *records = json_get(result, "records");
    const struct json *chain = json_get(result, "chain");
    const struct json *first = json_get(json_first(records), "record");
    const char *message = json_string(json_get(first, "message"));

    (void)fprintf(to, "alarm %s: rule %s, %s%s%s%s\n\n", field_text(result, "alarm"),
                  field_text(first, "rule"), json_string(json_get(first, "point")) ? "point " : "a vote",
                  json_string(json_get(first, "point")) ? field_text(first, "point") : "",
                  message ? ": " : "", message ? message : "");
    show_records(records, to);
    show_around(records, to);
    (void)fputc('\n', to);
    show_configs(records, to);
    show_uplinks(records, to);
    show_commands(json_get(result, "commands"), to);
    if (json_bool(json_get(chain, "ok"), false))
        (void)fputs("the hash chain of the alarms holds\n", to);
    else
        (void)fprintf(to, "THE HASH CHAIN OF THE ALARMS DOES NOT HOLD from number %" PRId64 " on: %s\n",
                      field_int(chain, "bad"), field_text(chain, "what"));
}
