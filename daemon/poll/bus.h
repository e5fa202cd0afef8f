/* Inside poll/: one bus, its units, its thread, and the one poll that is under way on it.
 *
 * All of it belongs to the loop's thread. While the worker is busy, job, link and answer (with its
 * samples) are the worker's and the loop leaves them alone; submit and done_cb hand them over. */
#ifndef RG_POLL_BUS_H
#define RG_POLL_BUS_H

#include "base/random.h"
#include "drivers/driver.h"
#include "loop/loop.h"
#include "model/site.h"
#include "poll/durations.h"
#include "poll/health.h"
#include "poll/poll.h"
#include "poll/schedule.h"

/* Silence because the bus is down is told at most once in this time. */
#define BUS_TELL_GAP_MS 10000
#define BUS_TOLD_NEVER INT64_MIN

struct unit {
    const struct site_device *device;
    uint32_t index; /* into site.devices */
    struct driver_plan *plan;
    size_t requests;
    struct grid grid;
    struct unit_health health;
    int64_t begun_ms;     /* when its last poll began; -1: never asked */
    int64_t silent_since; /* monotonic ms: when it was suspended */
    /* When its points were last told bad for the bus's sake; BUS_TOLD_NEVER: not since it was asked. */
    int64_t told_ms;
    struct poll_device_stats stats; /* but for state */
};

/* The poll under way. */
struct turn {
    size_t unit; /* index into bus.units */
    size_t request;
    uint32_t retries; /* left */
    bool probe;       /* one request of a suspended unit */
    bool answered;    /* some request was */
    bool failed;      /* some request was not */
};

/* What the worker needs to know; constant while it is busy. */
struct job {
    const struct driver_plan *plan;
    size_t request;
    int64_t timeout_ms;
};

/* What all buses share. */
struct bus_context {
    struct loop *loop;
    const struct site *site;
    const struct driver *driver;
    struct poll_cbs cbs;
    void *arg;
};

struct bus {
    const struct bus_context *context;
    uint32_t index;      /* into site.buses */
    struct unit **units; /* in the order of the site's devices; borrowed */
    struct due *dues;    /* of the unit with the same index */
    size_t count;
    struct driver_link *link;
    struct loop_worker *worker;
    struct loop_timer *timer;
    struct rg_random random;
    bool started;
    bool busy;        /* a poll is under way */
    bool last_failed; /* no request of the last poll was answered */
    struct turn turn;
    struct job job;
    struct driver_answer answer; /* its samples: room for the largest request and for the largest device */
    bool *read; /* by point of the unit under way: it got a frame in this poll; room for the largest device */
    struct bus_health health;
    struct durations durations;
    struct poll_bus_stats stats; /* but for state and percentiles */
};

/* units: all of the poll, by device index, already planned. A bus without devices gets no thread and no
 * link. On an error bus_destroy is to be called as well. */
RG_NODISCARD enum rg_err bus_init(struct bus *b, const struct bus_context *context, uint32_t index,
                                  struct unit *units, uint64_t seed);
void bus_start(struct bus *b);
/* Nothing begins any more; a transaction under way is told to return. First for all buses, so that they
 * end together. */
void bus_cancel(struct bus *b);
void bus_destroy(struct bus *b); /* waits for its thread; takes a zeroed or half-built bus */

/* ---- tell.c: frames ---- */

/* One frame with the answer of the request under way: good as decoded, or bad with that quality. */
void tell_answer(struct bus *b, const struct moment *at, enum quality quality);
/* One bad frame (comm) with all points of the unit under way that this poll has not told yet; none when
 * all were. Uses the answer's samples. */
void tell_rest(struct bus *b, const struct moment *at);
/* One bad frame (comm) with all points of units[unit]; not while a poll is under way. */
void tell_all(struct bus *b, size_t unit, const struct moment *at);

#endif
