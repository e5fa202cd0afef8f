/* When a device is due, and whose turn it is on a bus. Pure: time is an argument, milliseconds of the
 * monotonic clock (>= 0).
 *
 * The grid of a device with period P and offset O is the instants O past the multiples of P. It is never shifted by a late
 * poll, so lateness does not add up, and devices of one period and offset share instants on all buses: what is due
 * together wakes the daemon once. */
#ifndef RG_POLL_SCHEDULE_H
#define RG_POLL_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_NEVER INT64_MAX

/* A device whose first instant lies further away than this is read once before it, when it starts: nobody
 * waits an hour for the first reading of a device that is polled once an hour. Our own choice: longer than
 * the usual period. */
#define SCHEDULE_FIRST_WITHIN_MS 5000

struct grid {
    int64_t period_ms; /* > 0 */
    int64_t offset_ms; /* >= 0, shorter than the period */
    int64_t due_ms;    /* the oldest instant not served yet, in the past when the poll is late */
};

/* Due at the first instant from now_ms on, or at once (see SCHEDULE_FIRST_WITHIN_MS). */
void grid_start(struct grid *g, int64_t period_ms, int64_t offset_ms, int64_t now_ms);
/* Other instants from now_ms on, of one whose last poll began at begun_ms. Due at the first of them that is no nearer than half a
 * period to that poll, and whose next one, if it has passed and is served now, is not either. */
void grid_shift(struct grid *g, int64_t offset_ms, int64_t begun_ms, int64_t now_ms);
/* Due at the first instant after now_ms; what passed is forgotten and not counted: the device was not to
 * be asked. */
void grid_resume(struct grid *g, int64_t now_ms);
/* A poll that was due begins at now_ms (>= due_ms). It serves the latest instant that has passed; the ones
 * before it are skipped. Returns how many, and in *late_ms how long after the served instant the poll
 * begins. After a skip the next instant is passed over too (and counted) when it is less than half a
 * period away: a poll that could not be had in time must not be made up for by two that follow each other
 * closely. */
uint64_t grid_take(struct grid *g, int64_t now_ms, int64_t *late_ms);

/* One device in the queue of its bus. */
struct due {
    int64_t at_ms;       /* SCHEDULE_NEVER: nothing to ask of it */
    int64_t answered_ms; /* when it last answered; 0: never */
    int64_t patience_ms; /* 0: expected to answer; else it may cost a time-out and waits for those with 0 */
    int64_t cost_ms;     /* that time-out */
};

/* What the bus did before. */
enum schedule_before {
    SCHEDULE_IDLE,       /* nothing, since a poll that was answered */
    SCHEDULE_ANSWERED,   /* a poll that was answered has just ended */
    SCHEDULE_UNANSWERED, /* its last poll was not answered */
};

/* How long units that did not answer last time wait for those that did. Not for ever: on a bus that is
 * always behind they would never come back. A doubtful one has perhaps only missed a poll, a suspended one
 * has missed many. Our own choice. */
#define SCHEDULE_DOUBT_PATIENCE_MS 5000
#define SCHEDULE_PROBE_PATIENCE_MS 60000

struct choice {
    bool found;
    size_t index;    /* when found */
    int64_t wake_ms; /* when not: the earliest instant at which one is due, or SCHEDULE_NEVER */
};

/* Among those due: those without patience first, the one due longest, of equals the one that answered longest
 * ago (so an overloaded bus is shared evenly, and one that is not keeps its order), of equals the first; then
 * those with. One that is out of patience goes before all.
 *
 * A time-out takes the least from the others when it begins right behind their polls. So one with patience does not go
 * when another will be due before its time-out may have passed, but behind that one's poll: with a time-out as long
 * as the period, the others are then late by some milliseconds and not by up to a whole period.
 *
 * After a poll that was not answered (SCHEDULE_UNANSWERED) only those without patience count while one is due, and
 * of them the one that answered last: when many fall silent at once, it is not one of them, and need not
 * wait until all have been found out. So two time-outs hardly ever follow each other while a device that
 * answers waits. */
struct choice schedule_choose(const struct due *dues, size_t count, int64_t now_ms,
                              enum schedule_before before);

#endif
