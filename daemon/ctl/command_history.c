/* What was recorded of a point: from the store's file, which the daemon of the socket names when no other is given. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "ctl/catalogue.h"
#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/show_backtest.h"
#include "ctl/stretch.h"
#include "ctl/table.h"
#include "store/readings.h"

#define ROWS_SHOWN 1000 /* the last ones; the rest: --from, --to, --json */
#define WHY_MAX 512
#define VALUE_MAX 40
#define INSTANT_TEXT 32

enum { OPTION_MINUTE = 1 };

static const struct command_option options[] = {
    {"store", "DB", STRETCH_STORE,
     "the daemon's store, also while it runs, or a copy of it (that of the running daemon)", COMPLETES_FILE},
    {"from", "TIME", STRETCH_FROM,
     "2025-11-22, '2025-11-22 10:00', 2025-11-22T02:00:00Z, or ms since 1970;\n"
     "local time unless it says otherwise",
     NULL},
    {"to", "TIME", STRETCH_TO, "likewise", NULL},
    {"minute", NULL, OPTION_MINUTE, "roll-ups, minute by minute", NULL},
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

struct asked {
    struct stretch stretch;
    const char *point, *socket;
    bool minutes;
    bool json;
};

static bool take(struct asked *a, int code)
{
    a->minutes = a->minutes || code == OPTION_MINUTE;
    return stretch_take(&a->stretch, code);
}

/* ---- the rows ---- */

/* A row that outlives the next one. */
struct kept {
    struct readings_row row;
    char value[VALUE_MAX], quality[16];
};

static void keep(struct kept *k, const struct readings_row *row)
{
    k->row = *row;
    (void)text_copy(k->value, sizeof k->value, row->value ? row->value : "-");
    (void)text_copy(k->quality, sizeof k->quality, row->quality ? row->quality : "");
}

static void show_row(struct table *t, const struct kept *k, bool minutes)
{
    const struct readings_row *row = &k->row;
    char at[INSTANT_TEXT];

    table_row(t, row->has_value ? TABLE_PLAIN : TABLE_YELLOW);
    table_cell(t, "%s", show_instant(row->ts, at));
    if (!minutes) {
        table_cell(t, "%s", k->value);
        table_cell(t, "%s%s", k->quality, row->unsynced ? ", clock not synchronised" : "");
        return;
    }
    table_cell(t, "%" PRId64, row->n);
    if (row->has_value) {
        table_cell(t, "%.10g", row->min);
        table_cell(t, "%.10g", row->max);
        table_cell(t, "%.10g", row->mean);
    } else {
        for (int i = 0; i < 3; i++)
            table_cell(t, "-");
    }
    table_cell(t, "%" PRId64, row->bad);
}

static enum rg_err show_table(struct readings *r, bool minutes, FILE *to)
{
    static const char *const readings[] = {"time", "value", "quality"};
    static const char *const rolled[] = {"minute", "n", "min", "max", "mean", "bad"};
    struct kept *ring = calloc(ROWS_SHOWN, sizeof *ring);
    struct readings_row row;
    struct table t;
    uint64_t count = 0;
    enum rg_err err = ring ? RG_OK : RG_ENOMEM;

    while (err == RG_OK && (err = readings_next(r, &row)) == RG_OK)
        keep(&ring[count++ % ROWS_SHOWN], &row);
    if (err == RG_ENOTFOUND) {
        uint64_t first = count > ROWS_SHOWN ? count - ROWS_SHOWN : 0;

        if (minutes)
            table_init(&t, RG_COUNT(rolled), rolled);
        else
            table_init(&t, RG_COUNT(readings), readings);
        for (uint64_t i = first; i < count; i++)
            show_row(&t, &ring[i % ROWS_SHOWN], minutes);
        table_print(&t, to);
        table_free(&t);
        if (first > 0)
            (void)fprintf(to, "(%" PRIu64 " earlier ones: --from, --to, --json)\n", first);
        err = RG_OK;
    }
    free(ring);
    return err;
}

static void write_row(struct jsonw *w, const struct readings_row *row, bool minutes)
{
    jsonw_reset(w);
    jsonw_object_begin(w);
    jsonw_key_int(w, minutes ? "minute" : "ts", row->ts);
    if (!minutes) {
        jsonw_key(w, "value");
        if (row->value)
            jsonw_raw(w, row->value, strlen(row->value));
        else
            jsonw_null(w);
        jsonw_key_string(w, "quality", row->quality);
        if (row->unsynced)
            jsonw_key_string(w, "clock", "unsynced");
    } else {
        const double values[] = {row->min, row->max, row->mean};
        static const char *const keys[] = {"min", "max", "mean"};

        jsonw_key_int(w, "n", row->n);
        for (size_t i = 0; i < RG_COUNT(keys); i++) {
            if (row->has_value)
                jsonw_key_double(w, keys[i], values[i]);
            else
                jsonw_key_null(w, keys[i]);
        }
        jsonw_key_int(w, "bad", row->bad);
    }
    jsonw_object_end(w);
}

/* Row by row: a month is millions. */
static enum rg_err show_json(struct readings *r, const struct readings_wish *wish, FILE *to)
{
    struct readings_row row;
    struct jsonw w;
    bool first = true;
    enum rg_err err;

    jsonw_init(&w, 0);
    (void)fprintf(to, "{\"point\":\"%s\",\"rows\":[", wish->point); /* it is known, so it is an identifier */
    while ((err = readings_next(r, &row)) == RG_OK) {
        write_row(&w, &row, wish->minutes);
        err = jsonw_error(&w);
        if (err != RG_OK)
            break;
        (void)fprintf(to, "%s\n%s", first ? "" : ",", w.text);
        first = false;
    }
    (void)fputs("\n]}\n", to);
    jsonw_free(&w);
    return err == RG_ENOTFOUND ? RG_OK : err;
}

/* ---- which store ---- */

/* That of the running daemon. */
static enum exit_status ask_store(const char *socket, char *path, size_t size)
{
    struct client_answer answer;
    struct jsonw request;
    enum exit_status status = EXIT_DONE;
    const char *found;

    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "status");
    jsonw_object_end(&request);
    client_ask(socket, &request, CLIENT_TIMEOUT_S, &answer);
    jsonw_free(&request);
    found = json_string(json_get(json_get(json_get(answer.answer, "result"), "store"), "path"));
    if (!answer.reached)
        status = EXIT_NOT_REACHABLE;
    else if (answer.problem[0] || !found || !text_copy(path, size, found))
        status = EXIT_FAILED;
    if (status != EXIT_DONE)
        (void)fprintf(stderr, "riskgatectl: %s; --store names the file\n",
                      answer.problem[0] ? answer.problem : "the daemon does not say where its store is");
    client_answer_free(&answer);
    return status;
}

static enum exit_status show(const struct asked *a)
{
    const struct readings_wish wish = {
        .point = a->point, .from_ms = a->stretch.from_ms, .to_ms = a->stretch.to_ms, .minutes = a->minutes};
    char path[4096], why[WHY_MAX] = "";
    struct readings *r = NULL;
    enum rg_err err;

    if (a->stretch.store) {
        (void)text_copy(path, sizeof path, a->stretch.store);
    } else {
        enum exit_status status = ask_store(a->socket, path, sizeof path);

        if (status != EXIT_DONE)
            return status;
    }
    err = readings_open(path, &wish, &r, why, sizeof why);
    if (err == RG_OK) {
        err = a->json ? show_json(r, &wish, stdout) : show_table(r, wish.minutes, stdout);
        (void)text_copy(why, sizeof why, err == RG_ENOMEM ? "out of memory" : readings_why(r));
    }
    readings_close(r);
    if (err != RG_OK)
        (void)fprintf(stderr, "riskgatectl: %s\n", why);
    return err == RG_OK ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status run(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    struct asked asked = {.point = NULL};
    struct options o;
    int code;

    options_begin(&o, &command_history, &own, argc, argv);
    while ((code = options_next(&o)) > 0) {
        if (!take(&asked, code))
            return EXIT_USAGE;
    }
    if (code == OPTIONS_WRONG || !stretch_check(&asked.stretch))
        return EXIT_USAGE;
    asked.point = own.operands[0];
    asked.socket = own.socket;
    asked.json = own.json;
    return show(&asked);
}

const struct command command_history = {
    .name = "history",
    .group = GROUP_OFFLINE,
    .synopsis = "POINT [--store DB] [--from TIME] [--to TIME] [--minute]",
    .sentence = "what was recorded of a point",
    .about =
        "The readings of a point (device.point), oldest first, or minute by minute how many there were, "
        "their\n"
        "least, greatest and mean, and how many were bad. Roll-ups are of all readings, also of those that\n"
        "were thinned away or are too old to be kept.\n",
    .options = options,
    .least = 1,
    .most = 1,
    .completes = "@point",
    .run_own = run,
};
