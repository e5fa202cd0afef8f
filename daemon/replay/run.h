/* Plays the recorded past through one site, or through several at once: one thread reads and takes apart, one more for each site evaluates. */
#ifndef RG_REPLAY_RUN_H
#define RG_REPLAY_RUN_H

#include "replay/player.h"
#include "replay/source.h"

#define REPLAY_PARTS_MAX 4

/* One site. cbs are called on a thread of its own, one at a time. */
struct replay_part {
    const struct site *site;
    struct replay_cbs cbs;
    void *arg;
    struct replay_player *player; /* out: how it went; destroyed by the caller. NULL on an error */
};

struct replay_wish {
    int64_t until_ms; /* wall; frames after the last one up to it are not looked at; 0: all */
    /* Now and then, on the calling thread; may be NULL. total: 0 when it is not known. */
    void (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};

/* Blocking. why (REPLAY_WHY bytes) is filled on an error: what the past's open and next say, RG_ENOMEM, or what made a player stop. */
RG_NODISCARD enum rg_err replay_run(const struct replay_past *past, const struct replay_wish *wish,
                                    struct replay_part *parts, size_t count, char *why);

#endif
