/* A window over time: a queue of cells, oldest first, with what the cells hold together: added up, or the extremes.
 *
 * It is two stacks in one ring. The older cells (front) each keep what they and all newer front cells hold together; of the
 * newer cells (back) one total is kept. When the front is used up the back becomes the front, in one walk. So each cell is
 * looked at twice in its life (O(1) amortised), nothing is ever subtracted, and no rounding error outlives the cells that
 * it came from: what a window says depends on nothing that has left it. Pure; allocates nothing. */
#ifndef RG_RULES_CELLS_H
#define RG_RULES_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stretch of time that begins with a good sample; one sample's, or that of several gathered ones. */
struct cell {
    int64_t begin_ms;   /* monotonic: its first sample */
    uint32_t length_ms; /* the next cell begins at begin + length or later */
    uint32_t
        covered_ms : 31;   /* of the length, in which a good sample held; of a single sample: its beginning */
    uint32_t gathered : 1; /* more than one sample */
    double a;              /* CELLS_SUM: what is added up; CELLS_EXTREMES: the highest */
    double b;              /* CELLS_SUM: the window's own; CELLS_EXTREMES: the lowest */
};

enum cells_sort {
    CELLS_SUM,      /* a of a cell in the window stays what it was when it was pushed */
    CELLS_EXTREMES, /* a and b of a cell in the window take in those of newer cells, which leave after it */
};

struct cells {
    struct cell *cells; /* [capacity], borrowed */
    uint32_t capacity;
    uint32_t head;  /* where the oldest is */
    uint32_t count; /* of cells */
    uint32_t
        front; /* how many of them, the oldest ones, hold what they hold together with the newer of these */
    enum cells_sort sort;
    int64_t covered_ms;    /* of all cells: whole milliseconds, so here taking away is exact */
    double back_a, back_b; /* of all cells behind the front */
};

/* cells must outlive it. */
void cells_init(struct cells *w, enum cells_sort sort, struct cell *cells, uint32_t capacity);
/* A cell that begins at the end of the newest one or later. When there is no room the oldest goes (its user sizes the
 * window so that there is). */
void cells_push(struct cells *w, const struct cell *cell);
/* Lets go of every cell that has ended at this instant. */
void cells_expire(struct cells *w, int64_t edge_ms);
/* By age, 0 is the oldest; NULL: there are not so many. */
const struct cell *cells_at(const struct cells *w, uint32_t index);
/* What all cells, or all but the oldest, hold together. CELLS_SUM of nothing: 0; CELLS_EXTREMES of nothing: *a is
 * -infinity, *b infinity. */
void cells_fold(struct cells *w, bool but_oldest, double *a, double *b);

#endif
