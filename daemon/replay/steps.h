/* Settings of the wall clock in the recorded past, told by `clock` events: how long ago something was taken in by the clock of today,
 * though the clock was another one then. */
#ifndef RG_REPLAY_STEPS_H
#define RG_REPLAY_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/moment.h"
#include "replay/source.h"

#define REPLAY_STEPS_MAX 64
/* A setting by more than this tells of a clock that was not set at all before: when things were taken by it is not worked out. */
#define REPLAY_STEP_MOST_MS (12 * 3600 * INT64_C(1000))

struct replay_steps {
    struct {
        int64_t turn;          /* records of this turn and later ones have the clock after the setting */
        struct moment after;   /* when it was told: some of a moment before have the new clock already */
        int64_t shift_ms;      /* add to what earlier ones, down to the entry before, have for a time */
    } steps[REPLAY_STEPS_MAX]; /* oldest first; the last ones */
    size_t count;
    int64_t barrier_turn; /* what is older cannot be placed; 0: everything can */
    int64_t most_ms;      /* the largest shift, or 0 */
};

/* Those of the last `back_ms` before start, and before before_turn. What the past's open and next say. */
RG_NODISCARD enum rg_err replay_steps_read(struct replay_steps *s, const struct replay_past *past,
                                           struct moment start, int64_t back_ms, int64_t before_turn,
                                           char *why);
/* The time of a record on the clock of today; false: nobody knows. */
bool replay_steps_place(const struct replay_steps *s, const struct history_entry *record, int64_t *out);

#endif
