/* The silence of one device: raises when not heard for its time, clears when heard again. Pure. */
#ifndef RG_RULES_OFFLINE_H
#define RG_RULES_OFFLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/level.h"
#include "model/moment.h"
#include "model/site.h"
#include "rules/move.h"

struct offline {
    struct moment heard; /* last; until then the instant the wait began */
    struct moment moved; /* of the last raise or clear */
    int64_t after_ms;
    int64_t start_up_ms; /* its silence does not count that long after the start */
    /* Of a past that was recorded thinned (rules_thinned): since it was heard it may have been heard for so much longer, unless it
     * was found silent meanwhile. */
    int64_t thinned_ms;
    bool found_silent;
    enum level raises; /* LEVEL_NONE: its silence raises nothing */
    enum level level;  /* now */
};

void offline_init(struct offline *o, const struct site_device *device);
/* An alarm of its silence stood when the daemon stopped. */
void offline_restore(struct offline *o);
/* The wait begins, when its start-up is over. */
void offline_start(struct offline *o, struct moment now);
/* Heard at an instant; one older than the last raise clears at that raise's instant. True: *move is the
 * clear. */
bool offline_heard(struct offline *o, struct moment at, struct level_move *move);
/* A poll found it silent; up to the one before it was heard, whether that was recorded or not. False: nothing changed. */
bool offline_unheard(struct offline *o, struct moment at, int64_t poll_ms);
/* Monotonic instant at which it raises if it stays silent, or INT64_MAX. */
int64_t offline_deadline(const struct offline *o);
/* Raises at its deadline. False: it has none. */
bool offline_expire(struct offline *o, struct level_move *move);

#endif
