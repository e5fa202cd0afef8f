/* diff: what a reload to a file would change, and what that would have meant. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/catalogue.h"
#include "ctl/compare.h"
#include "ctl/options.h"
#include "ctl/stretch.h"
#include "ctl/verdict.h"

#define LAST_MS (INT64_C(7) * 24 * 3600 * 1000)

enum { OPTION_BACKTEST = 1, OPTION_LAST, OPTION_RUNNING };

static const struct command_option options[] = {
    {"backtest", NULL, OPTION_BACKTEST,
     "also what it would have made of the recorded past, beside what runs; everything\n"
     "before is played too, so that delays and windows are what they were",
     NULL},
    {"last", "TIME", OPTION_LAST, "so long back from now: 12h, 30d (7d)", NULL},
    {"from", "TIME", STRETCH_FROM, "from then on: 2025-11-22, '2025-11-22 10:00', ms since 1970", NULL},
    {"to", "TIME", STRETCH_TO, "up to then", NULL},
    {"store", "DB", STRETCH_STORE, "another store than the daemon's", COMPLETES_FILE},
    {"running", "FILE", OPTION_RUNNING,
     "a copy of what runs, where the daemon's own file has been changed since", COMPLETES_FILE},
    COMMAND_JSON,
    COMMAND_SOCKET,
    COMMAND_NO_OPTION,
};

struct asked {
    bool backtest;
    struct stretch stretch;
    const char *running; /* or NULL */
};

static bool take(struct asked *a, int code)
{
    int64_t last_ms = 0;

    switch (code) {
    case OPTION_BACKTEST:
        a->backtest = true;
        return true;
    case OPTION_LAST:
        if (text_duration(optarg, &last_ms) != RG_OK || last_ms <= 0) {
            (void)fprintf(stderr, "riskgatectl: `%s` is no time such as 12h or 30d\n", optarg);
            return false;
        }
        a->stretch.from_ms = clock_wall_ms() - last_ms;
        return true;
    case OPTION_RUNNING:
        a->running = optarg;
        return true;
    default:
        return stretch_take(&a->stretch, code);
    }
}

static bool parse(struct asked *asked, struct arguments *a, int argc, char **argv)
{
    struct options o;
    int code;

    options_begin(&o, &command_diff, a, argc, argv);
    while ((code = options_next(&o)) > 0) {
        if (!take(asked, code))
            return false;
    }
    if (code == OPTIONS_WRONG || !stretch_check(&asked->stretch))
        return false;
    if (asked->stretch.from_ms == 0)
        asked->stretch.from_ms =
            (asked->stretch.to_ms > 0 ? asked->stretch.to_ms : clock_wall_ms()) - LAST_MS;
    return true;
}

/* ---- the back-test ---- */

/* The configuration that runs, when a file still holds it. *out NULL: none does. False: told. */
static bool load_running(const struct asked *asked, const struct compare *c, struct config **out)
{
    const char *file = asked->running ? asked->running : c->file;

    *out = NULL;
    if (config_load(file, out) != RG_OK) {
        (void)fputs("riskgatectl: out of memory\n", stderr);
        return false;
    }
    if ((*out)->site && strcmp((*out)->sha256, c->sha256) == 0)
        return true;
    if (asked->running)
        (void)fprintf(stderr, "riskgatectl: %s is not what runs: its digest is %.12s, not %.12s\n", file,
                      (*out)->sha256, c->sha256);
    config_free(*out);
    *out = NULL;
    return !asked->running;
}

/* Where the daemon's store is: it says so itself, for its configuration's path is relative to a place that may be another one here. */
static bool find_store(const struct asked *asked, const char *socket, char *out, size_t size)
{
    struct client_answer answer = {0};
    struct jsonw request;
    const char *path = asked->stretch.store;

    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "status");
    jsonw_object_end(&request);
    if (!path && jsonw_error(&request) == RG_OK) {
        client_ask(socket, &request, CLIENT_TIMEOUT_S, &answer);
        path = json_string(json_get(json_get(json_get(answer.answer, "result"), "store"), "path"));
    }
    jsonw_free(&request);
    if (!path || !text_copy(out, size, path)) {
        (void)fprintf(stderr, "riskgatectl: where the daemon's store is cannot be found out%s%s\n",
                      answer.problem[0] ? ": " : "", answer.problem);
        path = NULL;
    }
    client_answer_free(&answer);
    return path != NULL;
}

static bool backtest(const struct asked *asked, const char *socket, const struct compare *c, struct jsonw *w)
{
    struct config *running = NULL;
    char store[4096];
    bool good = load_running(asked, c, &running) && find_store(asked, socket, store, sizeof store);

    if (good) {
        const struct verdict_wish wish = {.store = store,
                                          .from_ms = asked->stretch.from_ms,
                                          .to_ms = asked->stretch.to_ms,
                                          .running = running ? running->site : NULL,
                                          .wanted = c->config->site,
                                          .progress = true};

        good = verdict_write(&wish, w);
    }
    config_free(running);
    return good;
}

/* ---- the command ---- */

static bool print_json(const struct compare *c, const struct jsonw *verdict)
{
    struct jsonw w;
    bool good;

    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    compare_write(c, &w);
    if (verdict->length > 0) {
        jsonw_key(&w, "backtest");
        jsonw_raw(&w, verdict->text, verdict->length);
    }
    jsonw_object_end(&w);
    good = jsonw_error(&w) == RG_OK;
    if (good)
        (void)puts(w.text);
    else
        (void)fputs("riskgatectl: out of memory\n", stderr);
    jsonw_free(&w);
    return good;
}

static bool difference(const struct asked *asked, const struct arguments *a, const struct compare *c)
{
    struct jsonw verdict;
    bool good = true;

    jsonw_init(&verdict, VERDICT_MAX);
    if (!a->json) {
        config_print(c->config, stderr);
        compare_show(c, stdout);
        (void)fflush(stdout);
    }
    if (asked->backtest)
        good = backtest(asked, a->socket, c, &verdict) && jsonw_error(&verdict) == RG_OK;
    if (good && a->json)
        good = print_json(c, &verdict);
    else if (good && asked->backtest)
        good = verdict_show(&verdict, stdout);
    jsonw_free(&verdict);
    return good;
}

static bool refuse(const struct arguments *a, const struct compare *c)
{
    const struct jsonw none = {0};

    if (a->json)
        return print_json(c, &none) && false;
    config_print(c->config, stderr);
    (void)fprintf(stderr, "riskgatectl: %s has errors: a reload to it would be refused\n", c->config->file);
    return false;
}

static enum exit_status run(const struct arguments *given, int argc, char **argv)
{
    struct arguments a = *given;
    struct asked asked = {0};
    struct compare c = {0};
    enum exit_status status;

    if (!parse(&asked, &a, argc, argv))
        return EXIT_USAGE;
    status = compare_ask(a.socket, &c);
    if (status == EXIT_DONE)
        status = compare_with(&c, a.operands[0]);
    if (status == EXIT_DONE)
        status = (c.config->site ? difference(&asked, &a, &c) : refuse(&a, &c)) ? EXIT_DONE : EXIT_FAILED;
    compare_free(&c);
    return status;
}

const struct command command_diff = {
    .name = "diff",
    .group = GROUP_DAEMON,
    .synopsis = "FILE [--backtest [--last 7d] [--from TIME] [--to TIME] [--store DB] [--running FILE]]",
    .sentence = "what a reload to a file would change, and what that would have meant",
    .about =
        "Each key that differs from what runs, with its value now and then. With --backtest also the\n"
        "alarms of the recorded past: with FILE, and with what runs if its file is still as it was taken\n"
        "(else beside what was recorded of alarms then). Nothing is changed.\n",
    .options = options,
    .least = 1,
    .most = 1,
    .completes = COMPLETES_FILE,
    .run_own = run,
};
