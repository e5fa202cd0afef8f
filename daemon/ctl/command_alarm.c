/* shelve and unshelve: an operator and one alarm. */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/parse.h"
#include "ctl/show.h"

/* unshelve takes --for so that its usage is told, not that there were no such option. */
static const struct parse_wanted wanted = {.options = PARSE_BY | PARSE_COMMENT | PARSE_FOR,
                                           .for_example = "30m"};

enum exit_status command_shelve(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;

    if (parse_options(&wanted, argc, argv, &own) != PARSED_GO_ON)
        return EXIT_USAGE;
    if (own.operand_count != 1 || !own.by || own.for_ms == 0) {
        (void)fputs("usage: riskgatectl shelve ALARM --for 30m --by NAME [--comment TEXT]\n"
                    "An alarm is shelved for a time, and somebody answers for it.\n",
                    stderr);
        return EXIT_USAGE;
    }
    return command_ask_of(&own, "alarm", show_shelved);
}

enum exit_status command_unshelve(const struct arguments *a, int argc, char **argv)
{
    struct arguments own = *a;

    if (parse_options(&wanted, argc, argv, &own) != PARSED_GO_ON)
        return EXIT_USAGE;
    if (own.operand_count != 1 || !own.by || own.for_ms > 0) {
        (void)fputs("usage: riskgatectl unshelve ALARM --by NAME [--comment TEXT]\n", stderr);
        return EXIT_USAGE;
    }
    return command_ask_of(&own, "alarm", NULL);
}
