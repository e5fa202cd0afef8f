/* Fills the windows of rules with what was recorded before a start, so that an average over eight hours need not begin anew with
 * every restart. The daemon and the back-test do it by this same code. */
#ifndef RG_REPLAY_PRIME_H
#define RG_REPLAY_PRIME_H

#include "model/site.h"
#include "replay/source.h"
#include "rules/rules.h"

struct replay_primed {
    uint64_t frames, readings; /* that were given to the rules */
    uint64_t forgotten;        /* windows of points that were given another meaning meanwhile */
    int64_t longest_ms;        /* that was looked back; 0: it has none, and nothing was read */
};

/* Between rules_create and rules_start(start). Reads the frames of the devices whose points have windows, from at most the longest of
 * them before `start` on, up to before_turn (INT64_MAX: all that is there), and no further back for a device than its own longest.
 * A frame's instant is as long before the start as the wall clock says, with what `clock` events tell of its settings (steps.h); frames
 * that this puts after the start, or before an earlier one of their device, or cannot place, are left out. A point that was given another meaning since (`config` events tell) begins with what came after that. Blocking. out may be NULL; why has REPLAY_WHY
 * bytes. What the past's open and next say; RG_ENOMEM. After an error windows may be filled in part. */
RG_NODISCARD enum rg_err replay_prime(struct rules *r, const struct site *site,
                                      const struct replay_past *past, struct moment start,
                                      int64_t before_turn, struct replay_primed *out, char *why);

#endif
