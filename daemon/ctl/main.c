/* riskgatectl: the operator's tool. Its commands: catalogue.c. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ctl/catalogue.h"
#include "ctl/options.h"

#define NAME_COLUMN 26 /* where the sentence of a command begins */

/* "shelve ALARM": the name and what must stand behind it; "permit ..." when that has several forms. */
static int write_name(const struct command *c, FILE *to)
{
    const char *text = c->synopsis;
    const char *end = strstr(text, "--");
    size_t length = end ? (size_t)(end - text) : strlen(text);

    if (strchr(text, '\n'))
        return fprintf(to, "  %s ...", c->name);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '['))
        length--;
    return fprintf(to, "  %s%s%.*s", c->name, length ? " " : "", (int)length, text);
}

static void write_group(enum command_group group, const char *title, FILE *to)
{
    (void)fprintf(to, "\n%s:\n", title);
    for (size_t i = 0; catalogue[i]; i++) {
        int width;

        if (catalogue[i]->group != group)
            continue;
        width = write_name(catalogue[i], to);
        (void)fprintf(to, "%*s%s\n", width + 2 > NAME_COLUMN ? 2 : NAME_COLUMN - width, "",
                      catalogue[i]->sentence);
    }
}

static void help(FILE *to)
{
    (void)fputs("usage: riskgatectl [--socket PATH] COMMAND ...\n"
                "       riskgatectl COMMAND --help\n"
                "\n"
                "Looks after riskgated.\n",
                to);
    write_group(GROUP_OFFLINE, "Without a daemon", to);
    write_group(GROUP_DAEMON, "Of the running daemon", to);
    write_group(GROUP_LINE, "Commissioning, through the running daemon or without one", to);
    (void)fputs("\nOptions:\n", to);
    options_list(&catalogue_before, to);
    (void)fputs("\nExit status: 0 done; 1 failed, or the configuration is invalid; 2 wrong usage; 3 no "
                "daemon there.\n",
                to);
}

/* What is wrong has been told; here is how it goes. */
static enum exit_status wrong_usage(const struct command *command)
{
    if (command) {
        options_usage(command, "usage: ", stderr);
        (void)fprintf(stderr, "riskgatectl %s --help says more\n", command->name);
    } else {
        (void)fputs("usage: riskgatectl [--socket PATH] COMMAND ...\n"
                    "riskgatectl --help lists the commands\n",
                    stderr);
    }
    return EXIT_USAGE;
}

/* It may stand anywhere, so that a half-written line can be asked about. */
static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return true;
    }
    return false;
}

static enum exit_status run(const struct command *command, struct arguments *a, int argc, char **argv)
{
    enum exit_status status = EXIT_USAGE;

    if (command->group != GROUP_HIDDEN && wants_help(argc, argv)) {
        options_help(command, stdout);
        return EXIT_DONE;
    }
    if (command->run_own)
        status = command->run_own(a, argc, argv);
    else if (options_take(command, a, argc, argv))
        status = command->run(a);
    return status == EXIT_USAGE ? wrong_usage(command) : status;
}

static enum exit_status no_command(const char *name)
{
    const struct command *nearest = catalogue_nearest(name);

    (void)fprintf(stderr, "riskgatectl: there is no command `%s`", name);
    if (nearest)
        (void)fprintf(stderr, "; did you mean `%s`?", nearest->name);
    (void)fputc('\n', stderr);
    return wrong_usage(NULL);
}

int main(int argc, char **argv)
{
    const char *socket = getenv("RISKGATE_SOCKET");
    struct arguments a = {.socket = socket ? socket : DEFAULT_SOCKET};
    const struct command *command;
    struct options o;
    int code;

    if (!setlocale(LC_CTYPE, ""))
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    options_begin(&o, &catalogue_before, &a, argc, argv);
    o.first = true;
    while ((code = options_next(&o)) > 0) {
        if (code == OPTION_HELP)
            help(stdout);
        else
            (void)puts("riskgatectl " RG_VERSION);
        return EXIT_DONE;
    }
    if (code == OPTIONS_WRONG)
        return (int)wrong_usage(NULL);
    if (a.operand_count == 0) {
        (void)fputs("riskgatectl: which command?\n", stderr);
        return (int)wrong_usage(NULL);
    }
    a.command = a.operands[0];
    command = catalogue_find(a.command);
    return (int)(command ? run(command, &a, a.operand_count, a.operands) : no_command(a.command));
}
