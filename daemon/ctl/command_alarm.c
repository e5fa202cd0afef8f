/* ack, shelve and unshelve: an operator and one alarm. */
#include <stdio.h>

#include "base/json_read.h"
#include "ctl/catalogue.h"
#include "ctl/show.h"

static bool has_somebody(const struct arguments *a, const char *what)
{
    if (!a->by)
        (void)fprintf(stderr, "riskgatectl: %s needs --by NAME: %s has somebody who answers for it\n",
                      a->command, what);
    return a->by != NULL;
}

/* Both answer with the alarm's name. */
static void show_acked(const struct json *result, FILE *to)
{
    const char *alarm = json_string(result);

    (void)fprintf(to, "%s acknowledged\n", alarm ? alarm : "-");
}

static void show_unshelved(const struct json *result, FILE *to)
{
    const char *alarm = json_string(result);

    (void)fprintf(to, "%s no longer shelved\n", alarm ? alarm : "-");
}

static enum exit_status run_ack(const struct arguments *a)
{
    return has_somebody(a, "an acknowledgement") ? command_ask_of(a, "alarm", show_acked) : EXIT_USAGE;
}

static enum exit_status run_shelve(const struct arguments *a)
{
    if (a->for_ms == 0) {
        (void)fputs("riskgatectl: shelve needs --for 30m: an alarm is shelved for a time\n", stderr);
        return EXIT_USAGE;
    }
    return has_somebody(a, "a silence") ? command_ask_of(a, "alarm", show_shelved) : EXIT_USAGE;
}

static enum exit_status run_unshelve(const struct arguments *a)
{
    return has_somebody(a, "its end") ? command_ask_of(a, "alarm", show_unshelved) : EXIT_USAGE;
}

static const struct command_option options[] = {
    COMMAND_BY, COMMAND_COMMENT, COMMAND_SOCKET, COMMAND_JSON, COMMAND_NO_OPTION,
};

static const struct command_option shelve_options[] = {
    {"for", "DURATION", OPTION_FOR, "how long: 30m, 8h", NULL},
    COMMAND_BY,
    COMMAND_COMMENT,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

const struct command command_ack = {
    .name = "ack",
    .group = GROUP_DAEMON,
    .synopsis = "ALARM --by NAME [--comment TEXT]",
    .sentence = "acknowledge an alarm",
    .options = options,
    .least = 1,
    .most = 1,
    .completes = "@alarm",
    .run = run_ack,
};

const struct command command_shelve = {
    .name = "shelve",
    .group = GROUP_DAEMON,
    .synopsis = "ALARM --for DURATION --by NAME [--comment TEXT]",
    .sentence = "silence an alarm for a time; it hides nothing from a platform and lowers no level",
    .options = shelve_options,
    .least = 1,
    .most = 1,
    .completes = "@alarm",
    .run = run_shelve,
};

const struct command command_unshelve = {
    .name = "unshelve",
    .group = GROUP_DAEMON,
    .synopsis = "ALARM --by NAME [--comment TEXT]",
    .sentence = "end a shelving before its time",
    .options = options,
    .least = 1,
    .most = 1,
    .completes = "@alarm",
    .run = run_unshelve,
};
