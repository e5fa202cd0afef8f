/* silence and test: an operator at the sounders. */
#include <stdio.h>

#include "base/json_read.h"
#include "ctl/command.h"
#include "ctl/parse.h"

#define TEST_STANDARD_MS 10000

static const struct parse_wanted wanted = {.options = PARSE_BY | PARSE_FOR, .for_example = "10s"};

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

enum exit_status command_silence(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;

    if (parse_options(&wanted, argc, argv, &own) != PARSED_GO_ON)
        return EXIT_USAGE;
    if (own.for_ms > 0) {
        (void)fputs("riskgatectl: silence lasts until the next announcement\n", stderr);
        return EXIT_USAGE;
    }
    if (!has_somebody(&own))
        return EXIT_USAGE;
    if (own.operand_count > 1) {
        (void)fputs("usage: riskgatectl silence [OUTPUT] --by NAME\n", stderr);
        return EXIT_USAGE;
    }
    return command_ask_of(&own, "output", show_silenced);
}

enum exit_status command_test(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;

    own.for_ms = TEST_STANDARD_MS;
    if (parse_options(&wanted, argc, argv, &own) != PARSED_GO_ON || !has_somebody(&own))
        return EXIT_USAGE;
    if (own.operand_count != 1) {
        (void)fputs("usage: riskgatectl test OUTPUT [--for 10s] --by NAME\n", stderr);
        return EXIT_USAGE;
    }
    return command_ask_of(&own, "output", NULL);
}
