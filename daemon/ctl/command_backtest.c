/* What a configuration would have done with the past: without a daemon, over its store. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "config/config.h"
#include "ctl/catalogue.h"
#include "ctl/options.h"
#include "ctl/report.h"
#include "ctl/show_backtest.h"
#include "ctl/stretch.h"
#include "ctl/table.h"
#include "record/record.h"

#define SUMMARY_MAX (64u << 20)
#define EVENTS_SHOWN 100 /* for people; the rest: --json */

enum { OPTION_COMPARE = 1 };

static const struct command_option options[] = {
    {"compare", NULL, OPTION_COMPARE, "two configurations, rule by rule", NULL},
    {"store", "DB", STRETCH_STORE, "the daemon's store, also while it runs (store.path of the configuration)",
     COMPLETES_FILE},
    {"from", "TIME", STRETCH_FROM,
     "what is counted: 2025-11-22, '2025-11-22 10:00', 2025-11-22T02:00:00Z, or\n"
     "ms since 1970; local time unless it says otherwise. Everything before is\n"
     "played too, so that delays and windows are what they were",
     NULL},
    {"to", "TIME", STRETCH_TO, "likewise", NULL},
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

struct asked {
    struct stretch stretch;
    bool compare, json;
    char **files;
    int file_count;
};

static bool take(struct asked *a, int code)
{
    a->compare = a->compare || code == OPTION_COMPARE;
    return stretch_take(&a->stretch, code);
}

static bool parse(struct asked *asked, const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    struct options o;
    int code;

    options_begin(&o, &command_backtest, &own, argc, argv);
    while ((code = options_next(&o)) > 0) {
        if (!take(asked, code))
            return false;
    }
    asked->json = own.json;
    asked->files = own.operands;
    asked->file_count = own.operand_count;
    if (code == OPTIONS_WRONG)
        return false;
    if (asked->file_count != (asked->compare ? 2 : 1)) {
        (void)fprintf(stderr, "riskgatectl: backtest takes %s\n",
                      asked->compare ? "two configurations to compare, the old and the new one"
                                     : "one configuration");
        return false;
    }
    return stretch_check(&asked->stretch);
}

/* ---- events, as they come ---- */

struct telling {
    struct jsonw w;
    bool json;
    uint64_t told;
    struct table table;
};

static void tell_json(struct telling *t, const struct alarm_change *change, bool unsynced)
{
    const char *body;
    size_t length;

    if (record_alarm(&t->w, change, unsynced, &body, &length) == RG_OK)
        (void)printf("%s\n{%.*s}", t->told++ ? "," : "", (int)length, body);
}

static void tell_cb(void *arg, const struct alarm_change *change, bool unsynced)
{
    struct telling *t = arg;
    const struct alarm *a = change->alarm;
    char when[32];

    if (t->json) {
        tell_json(t, change, unsynced);
        return;
    }
    if (t->told++ >= EVENTS_SHOWN)
        return;
    table_row(&t->table, table_level_colour(level_name(a->level)));
    table_cell(&t->table, "%s", show_instant(change->at.wall_ms, when));
    table_cell(&t->table, "%s", alarm_event_name(change->event));
    table_cell(&t->table, "%s -> %s", level_name(change->was), level_name(a->level));
    table_cell(&t->table, "%s", a->rule);
    table_cell(&t->table, "%s", a->point);
    if (change->has_value)
        table_cell(&t->table, "%.10g%s%s", change->value, change->unit ? " " : "",
                   change->unit ? change->unit : "");
}

static void telling_begin(struct telling *t, bool json)
{
    static const char *const titles[] = {"instant", "event", "level", "rule", "point", "value"};

    *t = (struct telling){.json = json};
    jsonw_init(&t->w, 0);
    table_init(&t->table, RG_COUNT(titles), titles);
    if (json)
        (void)fputs("{\"events\":[", stdout);
}

static void telling_free(struct telling *t)
{
    jsonw_free(&t->w);
    table_free(&t->table);
}

/* ---- the run ---- */

static struct config *load(const char *file)
{
    struct config *config = NULL;

    if (config_load(file, &config) != RG_OK) {
        (void)fputs("riskgatectl: out of memory\n", stderr);
        return NULL;
    }
    if (config->site)
        return config;
    config_print(config, stderr);
    (void)fprintf(stderr, "riskgatectl: %s is not valid\n", file);
    config_free(config);
    return NULL;
}

/* text: a JSON object. */
static bool show(const struct jsonw *w, void (*show_cb)(const struct json *json, FILE *to))
{
    struct json *json = NULL;
    bool good = jsonw_error(w) == RG_OK && json_parse(w->text, w->length, SUMMARY_MAX, &json) == RG_OK;

    if (good)
        show_cb(json, stdout);
    else
        (void)fputs("riskgatectl: out of memory\n", stderr);
    json_free(json);
    return good;
}

static bool print_single(const struct asked *a, const struct report *r, const struct replay_part *part,
                         const struct telling *t)
{
    struct jsonw w;
    bool good = true;

    jsonw_init(&w, SUMMARY_MAX);
    jsonw_object_begin(&w);
    report_write(r, part->player, &w);
    jsonw_object_end(&w);
    if (a->json) {
        good = jsonw_error(&w) == RG_OK;
        (void)printf("\n],\"summary\":%s}\n", good ? w.text : "null");
    } else {
        table_print(&t->table, stdout);
        if (t->told > EVENTS_SHOWN)
            (void)printf("(%" PRIu64 " more: --json)\n", t->told - EVENTS_SHOWN);
        (void)putchar('\n');
        good = show(&w, show_backtest);
    }
    jsonw_free(&w);
    return good;
}

static bool print_comparison(const struct asked *a, const struct report *reports,
                             const struct replay_part *parts)
{
    struct jsonw w;
    bool good;

    jsonw_init(&w, SUMMARY_MAX);
    jsonw_object_begin(&w);
    report_write_comparison(&reports[0], parts[0].player, &reports[1], parts[1].player, &w);
    jsonw_object_end(&w);
    good = jsonw_error(&w) == RG_OK;
    if (!a->json)
        good = show(&w, show_comparison);
    else if (good)
        (void)puts(w.text);
    jsonw_free(&w);
    return good;
}

static bool backtest(const struct asked *a, struct config *const *configs, size_t count)
{
    struct report reports[2] = {0};
    struct replay_part parts[2] = {0};
    struct telling telling = {0};
    bool good = true;

    for (size_t i = 0; i < count && good; i++)
        good = report_create(&reports[i], configs[i]->site, a->stretch.from_ms, a->stretch.to_ms) == RG_OK;
    if (!good)
        (void)fputs("riskgatectl: out of memory\n", stderr);
    if (!a->compare) {
        telling_begin(&telling, a->json);
        reports[0].event = tell_cb;
        reports[0].arg = &telling;
    }
    good = good && report_play(a->stretch.store ? a->stretch.store : configs[count - 1]->site->store.path,
                               a->stretch.to_ms, !a->json, reports, parts, count);
    if (good)
        good = a->compare ? print_comparison(a, reports, parts)
                          : print_single(a, &reports[0], &parts[0], &telling);
    for (size_t i = 0; i < count; i++) {
        replay_player_destroy(parts[i].player);
        report_free(&reports[i]);
    }
    telling_free(&telling);
    return good;
}

static enum exit_status run(const struct arguments *a, int argc, char **argv)
{
    struct asked asked = {.compare = false};
    struct config *configs[2] = {NULL, NULL};
    bool good = true;

    if (!parse(&asked, a, argc, argv))
        return EXIT_USAGE;
    for (int i = 0; i < asked.file_count && good; i++)
        good = (configs[i] = load(asked.files[i])) != NULL;
    good = good && backtest(&asked, configs, (size_t)asked.file_count);
    config_free(configs[0]);
    config_free(configs[1]);
    return good ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_backtest = {
    .name = "backtest",
    .group = GROUP_OFFLINE,
    .synopsis = "FILE [--store DB] [--from TIME] [--to TIME]\n"
                "--compare OLD NEW [--store DB] [--from TIME] [--to TIME]",
    .sentence = "the alarms that a configuration would have raised; what a change of the rules changes",
    .about = "With FILE the alarms that it would have raised, from what is recorded in the store. With "
             "--compare what\n"
             "changes with NEW, rule by rule: alarms, minutes, chatter, what appears, what disappears.\n",
    .options = options,
    .least = 1,
    .most = 2,
    .completes = COMPLETES_FILE "|" COMPLETES_FILE,
    .run_own = run,
};
