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

#define UNIT_HISTORY_POLLS 8

struct unit_health {
    enum unit_state state;
    uint8_t history; /* the last polls, one bit each, the latest lowest: 1 when it was answered */
    uint8_t known;   /* how many of the bits are polls, up to UNIT_HISTORY_POLLS */
    struct backoff backoff;
    int64_t probe_at_ms; /* UNIT_SUSPENDED: the next probe */
};

/* The first gap between probes is drawn from [d/2, d] with this d: POLL_PROBE_FIRST_MS, or the period of the
 * polls when that is longer (but never more than POLL_PROBE_CAP_MS). */
int64_t health_probe_first_ms(int64_t period_ms);
/* period_ms: of its polls. */
void unit_health_init(struct unit_health *h, int64_t period_ms);
/* A poll or probe ended. answered: at least one of its requests got a valid answer or an exception; a
 * malformed answer is none, so a unit that only lies is suspended like a mute one. */
enum health_crossing unit_health_step(struct unit_health *h, bool answered, int64_t now_ms,
                                      struct rg_random *random);
/* Unanswered polls in a row, up to UNIT_HISTORY_POLLS. */
unsigned unit_health_silent(const struct unit_health *h);

struct bus_health {
    enum bus_state state;
    struct backoff backoff;
    int64_t retry_at_ms; /* BUS_DOWN: nothing is asked before */
};

void bus_health_init(struct bus_health *h);
/* A transaction ended. Any result but broken and unreachable shows an open link; only an answer of some
 * kind (silence is none) resets the back-off, so that a link which opens and breaks at once is not tried
 * ever faster. */
enum health_crossing bus_health_step(struct bus_health *h, enum driver_result result, int64_t now_ms,
                                     struct rg_random *random);

/* The link's failure rather than the unit's. */
bool health_is_bus_failure(enum driver_result result);

#endif
