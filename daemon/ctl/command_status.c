/* status: what the daemon does, and what is wrong. */
#include "base/json_write.h"
#include "ctl/catalogue.h"
#include "ctl/judge.h"
#include "ctl/options.h"
#include "ctl/show.h"

enum { OPTION_ALL = 1 };

static const struct command_option options[] = {
    {"all", NULL, OPTION_ALL, "every device and all that is wrong, however many", NULL},
    COMMAND_WATCH,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

static void add_problems(const struct json *result, struct jsonw *w)
{
    struct judgement j;

    judge_status(result, &j);
    jsonw_key(w, "problems");
    judge_write(&j, w);
    judge_free(&j);
}

static enum exit_status run(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;
    struct command_question q = {.show = show_status, .more = add_problems};
    enum exit_status status;
    struct jsonw request;
    struct options o;
    int code;

    options_begin(&o, &command_status, &own, argc, argv);
    while ((code = options_next(&o)) > 0)
        q.show = show_status_all;
    if (code == OPTIONS_WRONG)
        return EXIT_USAGE;
    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "status");
    jsonw_object_end(&request);
    q.request = &request;
    status = command_question(&own, &q);
    jsonw_free(&request);
    return status;
}

const struct command command_status = {
    .name = "status",
    .group = GROUP_DAEMON,
    .synopsis = "[--all] [--watch [SECONDS]]",
    .sentence = "what it does, and what is wrong: where, since when, what to try",
    .about = "What is wrong stands first, the worst before the rest; with --json as `problems`. Of more than "
             "20 devices\n"
             "only those that are not well are listed.\n",
    .options = options,
    .run_own = run,
};
