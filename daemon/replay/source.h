/* Where a replay reads the past from: the store, or what a test makes up. */
#ifndef RG_REPLAY_SOURCE_H
#define RG_REPLAY_SOURCE_H

#include "store/history.h"

/* As history_next and history_why. */
struct replay_source {
    void *arg;
    enum rg_err (*next)(void *arg, struct history_entry *entry);
    const char *(*why)(void *arg);
    uint64_t total; /* entries, about; 0: not known */
};

/* Gives sources, for more than one reader. open: as history_open; why (REPLAY_WHY bytes) is filled when it fails. */
#define REPLAY_WHY 512
struct replay_past {
    void *arg;
    enum rg_err (*open)(void *arg, const struct history_wish *wish, struct replay_source *out, char *why);
    void (*close)(void *arg, struct replay_source *source);
};

/* The store at path, which must outlive it. */
struct replay_past replay_past_store(const char *path);

#endif
