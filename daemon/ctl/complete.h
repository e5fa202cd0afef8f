/* What may stand at the end of a half-written command line: for the shell's completion. Pure. */
#ifndef RG_CTL_COMPLETE_H
#define RG_CTL_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/command.h"

struct complete {
    const char *word;              /* as far as it is written; what is offered begins with it */
    bool commands;                 /* the names of all commands */
    const struct command *options; /* the options of this one; NULL: none */
    const char *
        kinds; /* words and kinds of names between blanks, see command.h; of kinds_length bytes; NULL: none */
    size_t kinds_length;
    const char *socket; /* the daemon's, as given; NULL: it was not */
};

/* catalogue ends with NULL. before: what may stand before a command. words: those behind the program's name, the last one being
 * written, "" when it is not begun; at least one. "=" may be a word of its own, as bash has it. */
void complete_find(const struct command *const *catalogue, const struct command *before, int count,
                   char *const *words, struct complete *out);

#endif
