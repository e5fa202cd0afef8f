/* How units and buses are. Pure: each has one step function; time (monotonic, ms) and randomness are
 * arguments.
 *
 * A unit is judged by its polls, a bus by its transactions. What a bus does (cannot be opened, breaks) is
 * not held against its units, unless it breaks under the same one time after time (bus.c). */
#ifndef RG_POLL_HEALTH_H
#define RG_POLL_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/random.h"
#include "drivers/driver.h"
#include "poll/poll.h"

/* What a step tells the outside. An ordinary start is no crossing. */
enum health_crossing {
    HEALTH_SAME, /* nothing to tell */
    HEALTH_LOST, /* the unit is suspended, the bus down */
    HEALTH_BACK, /* the unit or bus answers again */
};

#define UNIT_HISTORY_POLLS 32

/* What of a unit's configuration its health depends on. The gaps between probes are drawn from [d/2, d] with d from
 * probe_first_ms, doubled each time, up to probe_cap_ms. */
struct health_limits {
    uint32_t misses; /* polls in a row without an answer before it is suspended */
    int64_t probe_first_ms, probe_cap_ms;
};
/* The device's, with the standards where it leaves them open. The first gap is POLL_PROBE_FIRST_MS, or the period of the
 * polls, or twice the time-out (so that a unit on a line is not listened for besides, see drivers/modbus/debt.h),
 * whichever is longest, but never more than the longest gap. */
struct health_limits health_limits_of(const struct site_device *device);

/* How long after a silent poll began a unit is not to be polled again: not at all, but for one on a line that can be asked for
 * single registers only. What could prove there that its late answer is not taken for the next one is listening, with the
 * line kept free, for twice the time-out and at least a second (drivers/modbus/debt.h); the time passes as well while
 * others are asked. */
int64_t health_rest_ms(const struct site_device *device, const struct site_bus *bus);

struct unit_health {
    enum unit_state state;
    struct health_limits limits;
    uint32_t history; /* the last polls, one bit each, the latest lowest: 1 when it was answered */
    uint8_t known;    /* how many of the bits are polls, up to UNIT_HISTORY_POLLS */
    uint32_t silent;  /* unanswered polls and probes in a row */
    uint64_t soft;    /* unanswered polls in rows that ended before it was suspended */
    struct backoff backoff;
    int64_t probe_at_ms; /* UNIT_SUSPENDED: the next probe */
};

void unit_health_init(struct unit_health *h, const struct health_limits *limits);
/* A poll or probe ended. answered: at least one of its requests got a valid answer or an exception; a
 * malformed answer is none, so a unit that only lies is suspended like a mute one. */
enum health_crossing unit_health_step(struct unit_health *h, bool answered, int64_t now_ms,
                                      struct rg_random *random);
/* How many of the last polls (up to UNIT_HISTORY_POLLS, h->known) were answered. */
unsigned unit_health_answered(const struct unit_health *h);

struct bus_health {
    enum bus_state state;
    struct backoff backoff;
    int64_t retry_at_ms; /* BUS_DOWN: nothing is asked before */
};

/* retry_ms: the longest gap between attempts while it is down; 0: POLL_BUS_CAP_MS. */
void bus_health_init(struct bus_health *h, int64_t retry_ms);
/* A transaction ended. Any result but broken and unreachable shows an open link; only an answer of some
 * kind (silence is none) resets the back-off, so that a link which opens and breaks at once is not tried
 * ever faster. */
enum health_crossing bus_health_step(struct bus_health *h, enum driver_result result, int64_t now_ms,
                                     struct rg_random *random);

/* The link's failure rather than the unit's. */
bool health_is_bus_failure(enum driver_result result);

#endif
