/* `--watch`: the same question again and again. On a terminal each answer is drawn over the last one, elsewhere they follow each
 * other, each under its time; with --json one line each. Ctrl-C ends it with EXIT_DONE. A question that fails at the first time
 * ends it, too; later ones are told and it goes on: the daemon may be back. */
#ifndef RG_CTL_WATCH_H
#define RG_CTL_WATCH_H

#include <stdio.h>

#include "ctl/command.h"

/* Writes the answer to out, what went wrong to err. */
typedef enum exit_status (*watch_cb)(void *arg, FILE *out, FILE *err);

/* Every a->watch_ms. */
enum exit_status watch_run(const struct arguments *a, watch_cb look, void *arg);

#endif
