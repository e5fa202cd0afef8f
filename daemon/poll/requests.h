/* What is known of each request of a unit, for units that answer some of them and not others. Pure: time
 * (monotonic, ms) and randomness are arguments.
 *
 * Left out. A unit may pass over a request in silence although it answers others: a block of registers it
 * does not have, a function it does not know. Such a request would cost its time-out at every poll, and
 * what comes after it would never be read. After as many silences in a row as suspend a unit it is left out of the
 * polls, and tried again at growing gaps. The gaps are those of all such requests together, which take
 * turns: however many there are, they cost one time-out a gap.
 *
 * Divided. See poll.h. Here only: which request may be divided when, and keeping count. */
#ifndef RG_POLL_REQUESTS_H
#define RG_POLL_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/error.h"
#include "base/random.h"
#include "poll/health.h"

struct request_state;

struct requests {
    struct request_state *states; /* [count], room for capacity */
    size_t count, capacity;
    size_t left_out; /* how many are */
    size_t next;     /* trials of those go on from here */
    struct backoff backoff;
    int64_t try_at_ms; /* the next trial */
    uint32_t misses;   /* silences in a row before a request is left out */
};

/* capacity: the most requests there will ever be. limits: the unit's. RG_ENOMEM. */
RG_NODISCARD enum rg_err requests_init(struct requests *q, size_t count, size_t capacity,
                                       const struct health_limits *limits);
void requests_destroy(struct requests *q); /* takes a zeroed one */

bool requests_is_left_out(const struct requests *q, size_t request);
/* A poll begins: whether it tries those that are left out. It does when it would ask nothing otherwise. */
bool requests_begin(struct requests *q, int64_t now_ms);
/* The first request from `from` on that the poll asks; count when there is none. trying: what
 * requests_begin said, false once a trial has failed. */
size_t requests_next(const struct requests *q, size_t from, bool trying);
/* A request of a poll was answered, or was not for all its tries. True: it was left out, which was told, and
 * is no more. */
bool requests_step(struct requests *q, size_t request, bool answered, int64_t now_ms,
                   struct rg_random *random);
/* Whether it is to be told that this request is left out: once, until it is back. */
bool requests_tell(struct requests *q, size_t request);

bool requests_may_divide(const struct requests *q, size_t request, int64_t now_ms);
/* One request becomes `parts` (>= 1; no more than there is room for), of which nothing is known. */
void requests_divide(struct requests *q, size_t request, size_t parts);
/* They become one again. */
void requests_join(struct requests *q, size_t request, size_t parts);
/* Dividing this one was in vain: not again for POLL_DIVIDE_AGAIN_MS. */
void requests_keep_whole(struct requests *q, size_t request, int64_t now_ms);

#endif
