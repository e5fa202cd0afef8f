/* A configuration file beside what the running daemon has in force: what a reload to it would change. */
#ifndef RG_CTL_COMPARE_H
#define RG_CTL_COMPARE_H

#include "config/config.h"
#include "config/diff.h"
#include "ctl/client.h"
#include "ctl/command.h"

struct compare {
    struct client_answer answer; /* the daemon's `config` */
    const char *file, *sha256;   /* in force; owned by the answer, never NULL */
    int64_t loaded_ts;           /* wall ms, since when; 0: not known */
    struct config *config;       /* what is held against it */
    struct config_diff diff;     /* when that has a site */
};

/* Asks the daemon what is in force. Not EXIT_DONE: that was told on standard error. Free with compare_free in every case. */
enum exit_status compare_ask(const char *socket, struct compare *c);
/* Loads a file and works out the difference. The file may have errors: config->site is NULL then, and nothing was told. */
enum exit_status compare_with(struct compare *c, const char *file);
void compare_free(struct compare *c);

/* Members of an object that is open: file, valid, sha256, running {file, sha256, loaded_ts}, changes [{what, before, after}], errors. */
void compare_write(const struct compare *c, struct jsonw *w);
/* For people; what is new or gone as a whole is one line. Nothing but a remark when nothing changes. */
void compare_show(const struct compare *c, FILE *to);

#endif
