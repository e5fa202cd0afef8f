/* Options and help of a command, from its row. Uses getopt's globals, and argv's order: no operand stands before an option
 * afterwards, unless the options come first. */
#ifndef RG_CTL_OPTIONS_H
#define RG_CTL_OPTIONS_H

#include <getopt.h>
#include <stdio.h>

#include "ctl/command.h"

#define OPTIONS_MAX 40

enum options_outcome { OPTIONS_END = 0, OPTIONS_WRONG = -1 };

struct options {
    const struct command *command;
    struct arguments *a;
    bool first; /* the first operand ends them */
    int argc;
    char **argv;
    struct option known[OPTIONS_MAX + 1];
};

/* argv[0] is a name. What is given goes into *a, which keeps the rest. */
void options_begin(struct options *o, const struct command *command, struct arguments *a, int argc,
                   char **argv);
/* The code of the next option that is the command's own, its value in optarg; OPTIONS_END: there are no more, and a->operands are what
 * is left over, as many as the command takes; OPTIONS_WRONG: which was told on standard error. */
int options_next(struct options *o);
/* All of a command that has none of its own. False: which was told. */
bool options_take(const struct command *command, struct arguments *a, int argc, char **argv);

/* One line for each form: "riskgatectl NAME SYNOPSIS", behind head ("usage: ") and blanks as wide. */
void options_usage(const struct command *command, const char *head, FILE *to);
/* One line or more for each option. */
void options_list(const struct command *command, FILE *to);
/* What `riskgatectl COMMAND --help` says. */
void options_help(const struct command *command, FILE *to);

#endif
