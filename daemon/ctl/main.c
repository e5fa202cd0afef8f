/* riskgatectl: the operator's tool. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ctl/command.h"
#include "ctl/parse.h"

static void usage(FILE *to)
{
    (void)fputs(
        "riskgatectl: looks after riskgated.\n"
        "\n"
        "Without a daemon:\n"
        "  riskgatectl check FILE          check a configuration; every error with its place\n"
        "  riskgatectl schema              print the JSON Schema of the configuration, for editors\n"
        "  riskgatectl profiles [NAME]     the devices whose register maps are known; one of them in full\n"
        "  riskgatectl backtest FILE --store DB             the alarms that FILE would have raised\n"
        "  riskgatectl backtest --compare OLD NEW --store DB    what a change of the rules changes\n"
        "  riskgatectl history POINT [--store DB] [--minute]   what was recorded of a point\n"
        "  riskgatectl audit verify --store DB              whether anything recorded was changed since\n"
        "  riskgatectl audit trace ALARM --store DB         the whole story of one alarm\n"
        "\n"
        "Of the running daemon:\n"
        "  riskgatectl status              what it does, and what is wrong\n"
        "  riskgatectl alarms              active alarms\n"
        "  riskgatectl points              every point's last reading\n"
        "  riskgatectl risk                the level of every area\n"
        "  riskgatectl explain ALARM|POINT why it stands, or why not: rule, limit, readings, delays\n"
        "  riskgatectl ack ALARM --by NAME [--comment TEXT]\n"
        "  riskgatectl shelve ALARM --for 30m --by NAME [--comment TEXT]   silent for that long\n"
        "  riskgatectl unshelve ALARM --by NAME [--comment TEXT]\n"
        "  riskgatectl permit open NAME --for 8h --by NAME | close NAME --by NAME | list\n"
        "                                  work is allowed for a time: its rules are armed only then\n"
        "  riskgatectl outputs             what is switched, and whether it is as it shall be\n"
        "  riskgatectl silence [OUTPUT] --by NAME           off until the next announcement\n"
        "  riskgatectl report [--last daily|monthly] [--now]  the last report; what the next would say by "
        "now\n"
        "  riskgatectl self-test [--uplink NAME] --by NAME     a marked test alarm goes the whole way now\n"
        "  riskgatectl test OUTPUT [--for 10s] --by NAME    on for that long, at most 5m\n"
        "\n"
        "Commissioning, through the running daemon or without one:\n"
        "  riskgatectl probe --bus NAME --unit U --holding 0-20   what its registers hold, in every reading\n"
        "  riskgatectl probe --scan --bus NAME                    the units of a line\n"
        "  riskgatectl write --bus NAME --unit U --coil 3 on --by NAME\n"
        "  (probe --help and write --help say more)\n"
        "\n"
        "  --socket PATH   its control socket (" DEFAULT_SOCKET ", or $RISKGATE_SOCKET)\n"
        "  --json          the answer as JSON\n"
        "  --version, --help\n"
        "\n"
        "Exit status: 0 done; 1 failed, or the configuration is invalid; 2 wrong usage; 3 no daemon there.\n",
        to);
}

static const struct command {
    const char *name;
    int operands; /* below 0: none, or up to that many */
    enum exit_status (*run)(const struct arguments *a);
    /* For commands with options of their own: argv[0] is the command's name. The other two are unused then. */
    enum exit_status (*run_own)(const struct arguments *a, int argc, char **argv);
} commands[] = {
    {"check", 1, command_check, NULL},     {"schema", 0, command_schema, NULL},
    {"status", 0, command_status, NULL},   {"alarms", 0, command_alarms, NULL},
    {"points", 0, command_points, NULL},   {"risk", 0, command_risk, NULL},
    {"ack", 1, command_ack, NULL},         {"profiles", -1, command_profiles, NULL},
    {"probe", 0, NULL, command_probe},     {"write", 0, NULL, command_write},
    {"outputs", 0, command_outputs, NULL}, {"silence", 0, NULL, command_silence},
    {"shelve", 0, NULL, command_shelve},   {"unshelve", 0, NULL, command_unshelve},
    {"test", 0, NULL, command_test},       {"backtest", 0, NULL, command_backtest},
    {"explain", 1, command_explain, NULL}, {"permit", 0, NULL, command_permit},
    {"report", 0, NULL, command_report},   {"self-test", 0, NULL, command_self_test},
    {"audit", 0, NULL, command_audit},     {"history", 0, NULL, command_history},
};

/* The same options stand before and after a command's name. Not PARSED_GO_ON: *status is what to end with. */
static bool goes_on(enum parse_order order, int argc, char **argv, struct arguments *a,
                    enum exit_status *status)
{
    const struct parse_wanted wanted = {.options = PARSE_BY | PARSE_COMMENT | PARSE_HELP, .order = order};

    *status = EXIT_DONE;
    switch (parse_options(&wanted, argc, argv, a)) {
    case PARSED_GO_ON:
        return true;
    case PARSED_HELP:
        usage(stdout);
        return false;
    case PARSED_VERSION:
        (void)puts("riskgatectl " RG_VERSION);
        return false;
    case PARSED_WRONG:
        break;
    }
    usage(stderr);
    *status = EXIT_USAGE;
    return false;
}

static enum exit_status run(const struct command *command, struct arguments *a, int argc, char **argv)
{
    enum exit_status status;

    if (command->run_own)
        return command->run_own(a, argc, argv);
    if (!goes_on(PARSE_OPTIONS_ANYWHERE, argc, argv, a, &status))
        return status;
    if (command->operands < 0 ? a->operand_count > -command->operands
                              : a->operand_count != command->operands) {
        usage(stderr);
        return EXIT_USAGE;
    }
    return command->run(a);
}

int main(int argc, char **argv)
{
    const char *socket = getenv("RISKGATE_SOCKET");
    struct arguments a = {.socket = socket ? socket : DEFAULT_SOCKET};
    enum exit_status status;

    if (!setlocale(LC_CTYPE, ""))
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (!goes_on(PARSE_OPTIONS_FIRST, argc, argv, &a, &status))
        return (int)status;
    if (a.operand_count == 0) {
        usage(stderr);
        return EXIT_USAGE;
    }
    a.command = a.operands[0];
    for (size_t i = 0; i < RG_COUNT(commands); i++) {
        if (strcmp(commands[i].name, a.command) == 0)
            return (int)run(&commands[i], &a, a.operand_count, a.operands);
    }
    (void)fprintf(stderr, "riskgatectl: there is no command %s\n\n", a.command);
    usage(stderr);
    return EXIT_USAGE;
}
