/* Who is read when: an absolute grid for each device, a thread for each bus, health of units and buses, retries, back-off.
 *
 * - Grid: a device with period P is due at the instants that are multiples of P (monotonic), so devices with one period
 *   share instants. An instant that passed while the bus was busy is skipped and counted, never caught up in a burst.
 * - One transaction at a time on a bus; a poll's requests follow each other; among due devices the one due longest goes first.
 * - A unit that stays silent is suspended: polls become probes (one request) at growing, jittered gaps up to
 *   POLL_PROBE_CAP_MS, so that it costs its line one time-out a probe. The first answer restores its grid.
 * - A bus that cannot be opened backs off the same way, up to POLL_BUS_CAP_MS; its devices are not asked meanwhile, and
 *   get one frame of bad quality a poll period (at most one in 10 s each), so their silence is seen.
 * Everything here runs on the loop; only driver.transact runs on the bus's worker. */
#ifndef RG_POLL_POLL_H
#define RG_POLL_POLL_H

#include "base/error.h"
#include "drivers/driver.h"
#include "loop/loop.h"
#include "model/sample.h"
#include "model/site.h"

#define POLL_PROBE_FIRST_MS 2000
#define POLL_PROBE_CAP_MS 60000
#define POLL_BUS_FIRST_MS 500
#define POLL_BUS_CAP_MS 30000
#define POLL_SUSPEND_AFTER 3 /* silent polls in a row before a unit is suspended */

enum unit_state {
    UNIT_UNKNOWN,   /* not asked yet */
    UNIT_ONLINE,    /* its last poll was answered */
    UNIT_DOUBTFUL,  /* some polls in a row were not */
    UNIT_SUSPENDED, /* silent: probed at growing gaps */
};
const char *unit_state_name(enum unit_state state);

enum bus_state {
    BUS_IDLE, /* nothing asked yet */
    BUS_UP,
    BUS_DOWN, /* cannot be opened, or broke: backing off */
};
const char *bus_state_name(enum bus_state state);

/* All are called on the loop. */
struct poll_cbs {
    /* One answer, or one failed request: frame and samples are borrowed for the length of the call. */
    void (*frame)(void *arg, const struct frame *frame);
    /* A unit went UNIT_SUSPENDED or came back to UNIT_ONLINE (crossings only). detail: why, for people. */
    void (*device)(void *arg, uint32_t device, enum unit_state state, const char *detail);
    /* A bus went up or down (crossings only). */
    void (*bus)(void *arg, uint32_t bus, enum bus_state state, const char *detail);
};

struct poll_device_stats {
    enum unit_state state;
    int64_t last_ok_wall_ms; /* 0: never */
    uint64_t ok, errors;     /* requests answered; requests that were not, exceptions included */
    uint64_t exceptions;
    uint64_t skipped;        /* grid instants passed over because the bus was busy */
    int64_t late_ms;         /* how late its last poll began, against its grid */
    char detail[DRIVER_DETAIL_MAX]; /* its last error; empty: none since it was answered */
};

struct poll_bus_stats {
    enum bus_state state;
    uint64_t ok, errors, timeouts; /* transactions */
    int64_t p50_us, p99_us;        /* duration of the last up to 512 answered transactions */
    char detail[DRIVER_DETAIL_MAX];
};

struct poll;
/* Plans every device and makes every link and worker; asks nothing before poll_start. site must outlive it. seed: of the jitter. */
RG_NODISCARD enum rg_err poll_create(struct loop *loop, const struct site *site, const struct driver *driver,
                                     const struct poll_cbs *cbs, void *arg, uint64_t seed, struct poll **out);
void poll_start(struct poll *p);
/* No transaction begins any more, those under way are cancelled; no callback follows. Takes NULL. Waits for the bus threads. */
void poll_destroy(struct poll *p);
void poll_device_stats(const struct poll *p, uint32_t device, struct poll_device_stats *out);
void poll_bus_stats(const struct poll *p, uint32_t bus, struct poll_bus_stats *out);

#endif
