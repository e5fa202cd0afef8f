/* What a rule looks at: of one point the signal of one rule, worked out anew at each good sample. Pure; allocates nothing.
 *
 * A good sample holds until the next sample of its point, good or bad, and three poll periods at most (of a point that is
 * worked out: those of its slowest source). The time held is covered. The window is (now - T, now]; it sees the samples
 * taken in it and the one that still held when it began. Bad samples are in no window; at one the signal is not known.
 *   mean   integral of the held value / covered time
 *   twa    integral of the held value / T: time that is not covered adds nothing (PC-TWA divides by the whole shift)
 *   sum    of the samples taken in it, each once
 *   max, min  of the samples seen
 *   delta  steps up are added. A step down is a wrap when the counter was above 3/4 of `wrap` and is below 1/4 of it (adds
 *          now - before + wrap), else a reset (adds what the counter shows). A step that began before the window counts in
 *          proportion of time. Steps over bad samples count: the counter went on.
 *   rate   (newest - oldest sample seen) / time between them * T
 *   flat   1: the samples seen differ by `band` at most; else 0
 * Not known is a signal whose window is covered less than asked for; but what is not seen can only add to max, delta
 * and, when nothing in it is negative, to sum and twa: then what is seen is a lower bound; min is an upper bound. And what
 * is seen to differ is not flat.
 *
 * Sums come out rounded to the 12 digits (of an f32 point: 7) that stand for sure, so that a mean of 19.9s is 19.9 and meets
 * a limit of 19.9, whenever the window began.
 *
 * Memory: one cell of cells.h for each three quarters of a poll period (so that no jitter puts two polls into one),
 * SIGNAL_CELLS_MAX at most; in longer windows, and when samples come faster, a cell gathers those of a stretch of time.
 * Only where the window's begin cuts such a cell anything is estimated: of the one stretch, its share in proportion of time
 * (max, min, flat and rate: all of it). */
#ifndef RG_RULES_SIGNAL_H
#define RG_RULES_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/sample.h"
#include "model/site.h"
#include "rules/reading.h"
#include "rules/cells.h"

#define SIGNAL_CELLS_MAX 2048
#define SIGNAL_HOLD_POLLS 3

struct signal {
    const struct site_signal *conf;
    int64_t hold_ms, need_ms; /* need: how much of the window must be covered */
    int64_t
        thinned_ms; /* samples from now on hold so much longer: those after each were not recorded (rules_thinned) */
    int64_t newest_thinned_ms; /* what that was when the newest one came */
    int64_t grain_ms;          /* samples less than that after the first of a cell are gathered in it */
    bool single;               /* of an f32 point */
    bool begun;                /* there was a good sample: `open` and `value` are */
    bool holding;              /* the newest sample was good */
    int64_t last_ms;           /* of the newest sample; time never goes back before it */
    int64_t covered_ms;        /* of the window, at the newest good sample: for people */
    double value;              /* the newest good sample */
    int64_t negative_ms;       /* of the newest good sample below zero, or INT64_MIN */
    struct cell
        open; /* the newest cell, not in the window yet; a is what it is there (rate: its first sample) */
    struct cells window;
};

/* How long a good sample holds at most. */
int64_t signal_hold_ms(int64_t poll_ms);
/* poll_ms: how often the point is sampled; of a derived one the longest of its sources (site_polls).
 * Cells that it takes; 0 for SIGNAL_VALUE. At most SIGNAL_CELLS_MAX. */
uint32_t signal_cells(const struct site_signal *conf, int64_t poll_ms);
/* conf (no SIGNAL_VALUE) and cells, signal_cells() of them, must outlive it. */
void signal_init(struct signal *s, const struct site_signal *conf, int64_t poll_ms, bool single,
                 struct cell *cells);
/* Takes a sample and gives what the rule is to judge at it; one older than the last is taken at the last one's instant. A good value that is not finite counts as
 * bad. O(1) amortised. */
struct reading signal_sample(struct signal *s, const struct sample *sample, int64_t mono_ms);
/* Both look at the same, whatever the poll period and the coverage asked for. */
bool signal_same(const struct signal *a, const struct signal *b);
/* Goes on where another one of the same point stands, whose clock is the same. False: that one looks at something else, and
 * nothing was taken over. A changed poll period or coverage is no hindrance. */
bool signal_inherit(struct signal *s, const struct signal *from);
/* Forgets everything: as signal_init left it. */
void signal_reset(struct signal *s);

#endif
