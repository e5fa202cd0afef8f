/* silence and test: an operator at the sounders. */
#include <stdio.h>

#include "base/json_read.h"
#include "ctl/catalogue.h"

#define TEST_STANDARD_MS 10000

static bool has_somebody(const struct arguments *a)
{
    if (a->by)
        return true;
    (void)fprintf(stderr, "riskgatectl: %s needs --by NAME: there is somebody who answers for it\n",
                  a->command);
    return false;
}

static void show_silenced(const struct json *result, FILE *to)
{
    if (!json_first(result))
        (void)fputs("nothing that may be silenced is on\n", to);
    for (const struct json *name = json_first(result); name; name = json_next(name))
        (void)fprintf(to, "%s silenced until the next announcement\n", json_string(name));
}

static void show_tested(const struct json *result, FILE *to)
{
    const char *name = json_string(result);

    (void)fprintf(to, "%s is switched on; it goes off by itself\n", name ? name : "-");
}

static enum exit_status run_silence(const struct arguments *a)
{
    return has_somebody(a) ? command_ask_of(a, "output", show_silenced) : EXIT_USAGE;
}

static enum exit_status run_test(const struct arguments *a)
{
    struct arguments own = *a;

    if (own.for_ms == 0)
        own.for_ms = TEST_STANDARD_MS;
    return has_somebody(a) ? command_ask_of(&own, "output", show_tested) : EXIT_USAGE;
}

static const struct command_option silence_options[] = {
    COMMAND_BY,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

static const struct command_option test_options[] = {
    {"for", "DURATION", OPTION_FOR, "how long, at most 5m (10s)", NULL},
    COMMAND_BY,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

const struct command command_silence = {
    .name = "silence",
    .group = GROUP_DAEMON,
    .synopsis = "[OUTPUT] --by NAME",
    .sentence = "switch a sounder, or all that may be, off until the next announcement",
    .options = silence_options,
    .most = 1,
    .completes = "@output",
    .run = run_silence,
};

const struct command command_test = {
    .name = "test",
    .group = GROUP_DAEMON,
    .synopsis = "OUTPUT [--for DURATION] --by NAME",
    .sentence = "switch an output on for a time",
    .options = test_options,
    .least = 1,
    .most = 1,
    .completes = "@output",
    .run = run_test,
};
