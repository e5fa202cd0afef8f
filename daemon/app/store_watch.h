/* What becomes of the store, told: in the log at once, and as an event once records can be stored again. */
#ifndef RG_APP_STORE_WATCH_H
#define RG_APP_STORE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json_write.h"

#define STORE_WATCH_WHY 512

struct pipeline;
struct store_start;

struct store_watch {
    bool failing;
    int64_t since_ms; /* wall: since then it takes no records */
    char why[STORE_WATCH_WHY];
};

/* store_cbs; arg is the pipeline. */
void store_watch_health(void *arg, bool ok, const char *detail);
void store_watch_aside(void *arg, const char *file, const char *why);
/* What the start found. */
void store_watch_start(const struct store_start *start);
/* The members of `status`' store. */
void store_watch_status(struct jsonw *w, const struct pipeline *p);

#endif
