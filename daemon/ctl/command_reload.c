/* reload: the difference first, then the outcome. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/catalogue.h"
#include "ctl/compare.h"
#include "ctl/options.h"

/* Reading a large configuration, outputs that are brought to their states, uplinks that say goodbye. */
#define RELOAD_TIMEOUT_S 120

enum { OPTION_DRY_RUN = 1 };

static const struct command_option options[] = {
    {"dry-run", NULL, OPTION_DRY_RUN, "show the difference only; nothing is asked of the daemon", NULL},
    COMMAND_JSON,
    COMMAND_SOCKET,
    COMMAND_NO_OPTION,
};

static const char *text_of(const struct json *json, const char *key)
{
    const char *text = json_string(json_get(json, key));

    return text ? text : "?";
}

static enum exit_status print_json(const struct compare *c)
{
    enum exit_status status = EXIT_FAILED;
    struct jsonw w;

    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    compare_write(c, &w);
    jsonw_object_end(&w);
    if (jsonw_error(&w) == RG_OK) {
        (void)puts(w.text);
        status = c->config->site ? EXIT_DONE : EXIT_FAILED;
    } else {
        (void)fputs("riskgatectl: out of memory\n", stderr);
    }
    jsonw_free(&w);
    return status;
}

/* The daemon's own file, as it is now. */
static enum exit_status dry_run(const struct arguments *a, struct compare *c)
{
    enum exit_status status = compare_with(c, c->file);

    if (status != EXIT_DONE || a->json)
        return status == EXIT_DONE ? print_json(c) : status;
    config_print(c->config, stderr);
    if (!c->config->site) {
        (void)fprintf(stderr, "riskgatectl: %s has errors: a reload would be refused\n", c->file);
        return EXIT_FAILED;
    }
    compare_show(c, stdout);
    return EXIT_DONE;
}

/* The daemon judges, not we: what cannot be read here may be readable to it. */
static void show_before(struct compare *c)
{
    if (compare_with(c, c->file) != EXIT_DONE)
        return;
    if (c->config->site)
        compare_show(c, stdout);
    else
        (void)printf("%s: read from here it has errors, and the difference cannot be shown\n", c->file);
    (void)fflush(stdout); /* before what comes on standard error */
}

static void show_errors(const struct json *result)
{
    for (const struct json *e = json_first(json_get(result, "errors")); e; e = json_next(e)) {
        int64_t line = json_int(json_get(e, "line"), 0);

        if (line > 0)
            (void)fprintf(stderr, "%s:%" PRId64 ":%" PRId64 ": error: %s\n", text_of(e, "file"), line,
                          json_int(json_get(e, "column"), 0), text_of(e, "text"));
        else
            (void)fprintf(stderr, "%s: error: %s\n", text_of(e, "file"), text_of(e, "text"));
    }
}

static void show_outcome(const struct json *result, FILE *to)
{
    const char *outcome = text_of(result, "outcome");
    int64_t changes = (int64_t)json_size(json_get(result, "changes")) + json_int(json_get(result, "more"), 0);

    if (strcmp(outcome, "applied") == 0) {
        (void)fprintf(to, "applied: %" PRId64 " changes, asked by %s; in force is %.12s\n", changes,
                      text_of(result, "by"), text_of(result, "sha256"));
    } else if (strcmp(outcome, "unchanged") == 0) {
        (void)fprintf(to, "unchanged: what is in force was read again (%.12s)\n", text_of(result, "sha256"));
    } else {
        (void)fflush(to);
        show_errors(result);
        (void)fputs("riskgatectl: refused: what was in force stays in force\n", stderr);
    }
}

static bool was_taken(const struct json *result)
{
    return strcmp(text_of(result, "outcome"), "refused") != 0;
}

static enum exit_status ask(const struct arguments *a)
{
    enum exit_status status;
    struct jsonw request;

    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "reload");
    jsonw_object_end(&request);
    status = command_question(
        a, &(struct command_question){
               .request = &request, .show = show_outcome, .judge = was_taken, .timeout_s = RELOAD_TIMEOUT_S});
    jsonw_free(&request);
    return status;
}

static enum exit_status run(const struct arguments *given, int argc, char **argv)
{
    struct arguments a = *given;
    struct compare c = {0};
    enum exit_status status = EXIT_DONE;
    struct options o;
    bool dry = false;
    int code;

    options_begin(&o, &command_reload, &a, argc, argv);
    while ((code = options_next(&o)) > 0)
        dry = true;
    if (code == OPTIONS_WRONG)
        return EXIT_USAGE;
    if (dry || !a.json)
        status = compare_ask(a.socket, &c);
    if (status == EXIT_DONE && dry) {
        status = dry_run(&a, &c);
    } else if (status == EXIT_DONE) {
        if (!a.json)
            show_before(&c);
        status = ask(&a);
    }
    compare_free(&c);
    return status;
}

const struct command command_reload = {
    .name = "reload",
    .group = GROUP_DAEMON,
    .synopsis = "[--dry-run]",
    .sentence = "take the changed configuration: what changes, then how it went",
    .about =
        "The daemon reads its file again and takes it whole or not at all. What did not change goes on\n"
        "undisturbed. Who asked, the file's digest and each change become an event. A file with errors is\n"
        "refused (exit status 1), its errors are told, and what was in force stays.\n",
    .options = options,
    .run_own = run,
};
