/* A stretch of a store's time, as several commands are given it: --store DB, --from TIME, --to TIME. */
#ifndef RG_CTL_STRETCH_H
#define RG_CTL_STRETCH_H

#include <stdbool.h>
#include <stdint.h>

#define STRETCH_STORE 100 /* the codes of the options */
#define STRETCH_FROM 101
#define STRETCH_TO 102

/* A zeroed one is all of the daemon's own store. */
struct stretch {
    const char *store;      /* or NULL */
    int64_t from_ms, to_ms; /* wall, both included; 0: not given */
};

/* Takes optarg; other codes are not for it. False: told. */
bool stretch_take(struct stretch *s, int code);
/* After all options. False: told. */
bool stretch_check(const struct stretch *s);

#endif
