/* The reads and writes that wait for one bus beside its polls: bounded, urgent ones first, those of one unit in the
 * order in which they came. Pure but for its memory: time (monotonic, ms) is an argument.
 *
 * Sharing the line. While a poll waits for the bus, at most POLL_ERRANDS_URGENT_ROW urgent errands, or one that
 * is not, go between two of its requests; so neither a flood of errands keeps the polls away, nor do polls that are
 * always behind keep errands away. A unit that did not answer its last errand may cost another time-out: while a poll
 * waits, it waits behind it, and on a bus that is always behind gets one try in ERRANDS_PATIENCE_MS. */
#ifndef RG_POLL_ERRANDS_H
#define RG_POLL_ERRANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "poll/poll.h"

/* As long as units that are polled and doubtful wait: SCHEDULE_DOUBT_PATIENCE_MS. */
#define ERRANDS_PATIENCE_MS 5000

struct errand {
    struct errand *next;
    struct poll_errand what;
};

struct errands {
    struct errand *first[2], *last[2]; /* [0]: urgent */
    size_t count;                      /* that wait */
    unsigned row;                      /* went since the last request of a poll */
    uint8_t mute[256 / 8];             /* by unit: its last errand was not answered */
    int64_t patient_until_ms;          /* no mute unit gets in front of a poll before */
};

/* Copies it. RG_EFULL: POLL_ERRANDS wait; RG_ENOMEM. */
RG_NODISCARD enum rg_err errands_add(struct errands *q, const struct poll_errand *what);
/* The one that goes now, or NULL; the caller frees it. poll_waits: whether a request of a poll could go instead. */
struct errand *errands_take(struct errands *q, bool poll_waits, int64_t now_ms);
/* One to this unit has ended. */
void errands_ended(struct errands *q, uint8_t unit, bool answered, int64_t now_ms);
/* A request of a poll goes. */
void errands_polled(struct errands *q);
/* The one of (done, from), if it waits, answers to `to` from now on. */
bool errands_pass(struct errands *q, poll_done_cb done, const void *from, void *to);
/* Drops the one of (done, arg), if it waits: it is not carried out, and nobody is told. */
bool errands_drop(struct errands *q, poll_done_cb done, const void *arg);
/* All that wait, linked by next, urgent ones first, and none waits any more. The caller frees them. */
struct errand *errands_take_all(struct errands *q);

#endif
