/* Who is read when: an absolute grid for each device, a thread for each bus, health of units and buses,
 * retries, back-off. Everything here runs on the loop; only driver.transact and driver.raw run on the bus's worker.
 *
 * Grid. A device with period P is due at the instants that are multiples of P (monotonic), so devices with
 * one period share instants. An instant that passed while the bus was busy is skipped and counted, never
 * caught up in a burst (see grid_take). A device whose first instant lies more than 5 s ahead is read once at
 * the start as well.
 *
 * Order. One transaction at a time on a bus; a poll's requests follow each other; among due devices the one
 * due longest goes first, of equals the one that answered longest ago, which keeps their order the same from
 * poll to poll. Units that did not answer their last poll wait for all others that are due (5 s when they are
 * doubtful, 60 s when suspended), and after a poll without an answer a unit that does answer goes first: so
 * what mute units cost their neighbours is one time-out now and then, however many of them are mute. Units that fall
 * mute all at once cost one each before that is known.
 *
 * A poll. A request without an answer, or with a malformed one, is tried again at once, up to the device's
 * `retries` times in one poll; an exception is an answer and is not. After silence the rest of the poll is
 * not asked: the unit is mute. After an exception or a malformed answer it is.
 *
 * Triggers. A device with a trigger is written to at its instant; its requests follow wait_ms later, and meanwhile the
 * bus is free. A broadcast serves all devices of the bus that have the same trigger and are due when it goes. A
 * trigger that fails, after retries like those of a request, is a poll that failed: all points bad (QUALITY_COMM).
 *
 * Start. A device is asked for the first time at its first instant that lies start_up_ms after the daemon's start; its
 * silence until then is none.
 *
 * Units. A unit with `misses` polls in a row in which no request was answered (before that they are its soft errors) is
 * suspended: polls become probes (one request, another one each time, no retries) at growing, jittered gaps up to its
 * probe_ms, the first about its period or POLL_PROBE_FIRST_MS, whichever is longer. A valid answer or
 * an exception to a probe restores the grid: the next full poll is at its next instant. Malformed answers
 * count as none, so a unit that only lies is suspended too. A unit that answers some requests and is mute on
 * others is not: a request to which it was silent in as many polls in a row is left out, and tried
 * again (without retries) at such gaps. A probe, and a poll of a unit in doubt, cost the line one time-out a try and
 * nothing beside it: a unit whose late answer could only be told by listening rests instead (health_rest_ms).
 *
 * Refused requests. A request that reads through unused addresses and is refused for them is divided at
 * once so that it reads through none, for as long as this poll lives; unless no part of it can be read
 * either: then it stays whole and is not divided again for POLL_DIVIDE_AGAIN_MS.
 *
 * Buses. A link that cannot be opened, or breaks, makes its bus BUS_DOWN: it backs off the same way, up to
 * its retry_ms, then one device tries it, another one each time. The units are not to blame and keep their
 * state, but for a unit under which the link breaks time after time while others answer in between: that
 * counts as silence. Instants that pass meanwhile count neither as skipped nor as errors. Only an answer of
 * some kind resets the back-off.
 *
 * Errands. See poll_errand. Polls out of turn: see poll_now.
 *
 * Frames. Each answered request gives one: heard and as decoded, or after an exception all its points bad
 * with QUALITY_DEVICE and not heard: a device that answers with exceptions only is as blind as a silent
 * one. A malformed answer gives one with the request's points bad (QUALITY_COMM). What ends a poll early
 * (silence, a broken link) gives one with all points the poll has not read (QUALITY_COMM), so a failed
 * probe tells all points of its device; a poll from which requests were left out ends with one, too. While a bus is
 * down a device's points are told bad at once when it was being asked, else at the first instant it misses, and then at
 * its instants, at most once in 10 s. A frame's time is the end of the transaction, taken on the bus's thread. The frame
 * comes first, then the crossings it caused, the bus's before the device's. */
#ifndef RG_POLL_POLL_H
#define RG_POLL_POLL_H

#include "base/error.h"
#include "drivers/driver.h"
#include "loop/loop.h"
#include "model/sample.h"
#include "model/site.h"

#define POLL_PROBE_FIRST_MS 2000
#define POLL_PROBE_CAP_MS DEVICE_PROBE_STANDARD_MS /* unless its probe_ms says otherwise */
#define POLL_BUS_FIRST_MS 500
#define POLL_BUS_CAP_MS 30000 /* unless its retry_ms says otherwise */
/* Silent polls in a row before a unit is suspended, or a request left out, unless its misses say otherwise. */
#define POLL_SUSPEND_AFTER DEVICE_MISSES_STANDARD
#define POLL_DIVIDE_AGAIN_MS 600000
#define POLL_REST_MIN_MS 1000 /* see health_rest_ms */
/* A suspended unit is not asked out of turn sooner than this after it was last asked: whoever asks for it time after time
 * must not cost its neighbours more than its own probes do. */
#define POLL_NOW_PROBE_MS 10000
#define POLL_WAY_MS 2
#define POLL_WAY_AGAIN_MS 40

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

/* All are called on the loop; each may be NULL. poll_destroy must not be called inside one. */
struct poll_cbs {
    /* One answer, or the want of one: frame and samples are borrowed for the length of the call. */
    void (*frame)(void *arg, const struct frame *frame);
    /* A unit went UNIT_SUSPENDED, or came back from there to UNIT_ONLINE (crossings only; the first answer
     * after the start is none). detail: why, for people; borrowed. */
    void (*device)(void *arg, uint32_t device, enum unit_state state, const char *detail);
    /* A bus went BUS_DOWN, or came back from there to BUS_UP (crossings only; BUS_IDLE to BUS_UP is none). */
    void (*bus)(void *arg, uint32_t bus, enum bus_state state, const char *detail);
    /* Something about a device that answers and that an operator should know, once: a request was left out,
     * is asked again, was divided. borrowed. */
    void (*note)(void *arg, uint32_t device, const char *text);
    /* What poll_now asked for is over, after its frames. answered: some request was; otherwise its points have been told
     * bad. */
    void (*polled)(void *arg, uint32_t device, bool answered);
};

struct poll_device_stats {
    enum unit_state state;
    int64_t last_ok_wall_ms; /* 0: never */
    uint64_t ok, errors; /* requests answered; asked but not answered after all retries, or an exception */
    uint64_t exceptions;
    uint64_t retries;                 /* further tries; their outcome is in the request's */
    uint64_t skipped;                 /* grid instants passed over because the bus was busy */
    uint32_t left_out;                /* requests that are, for now */
    uint32_t divided;                 /* requests that were */
    int64_t late_ms;                  /* how late its last poll began, against its grid */
    uint64_t soft;                    /* polls without an answer in rows that ended before it was suspended */
    uint32_t misses;                  /* polls and probes in a row without an answer, now */
    uint32_t recent, recent_answered; /* of its last (up to 32) polls and probes, how many were answered */
    int64_t silent_wall_ms;           /* when the first of those in a row ended; 0: it answers */
    int64_t next_probe_ms;            /* UNIT_SUSPENDED: until its next probe is due; else 0 */
    char detail[DRIVER_DETAIL_MAX];   /* its last error; empty: none since a poll that read all */
};

struct poll_bus_stats {
    enum bus_state state;
    uint64_t ok, errors, timeouts; /* transactions, retries included; timeouts are errors too */
    int64_t p50_us, p99_us;        /* duration of the last up to 512 answered ones, exceptions included */
    /* Share of the last minute that transactions of all kinds took, with the silence after each (meter.h); over how long it
     * was measured: 0 before the start. */
    double load;
    int64_t load_window_us;
    char detail[DRIVER_DETAIL_MAX]; /* why it is down; empty when it is not */
};

typedef void (*poll_done_cb)(void *arg, const struct driver_raw_answer *answer);
/* One read or write beside the polls. */
struct poll_errand {
    uint32_t bus; /* into site.buses; it need not have devices */
    /* timeout_ms 0: the bus's. gap_ms is raised to that of the bus's devices with this unit. */
    struct driver_raw ask;
    bool urgent; /* before everything else that waits for the bus: outputs */
    /* On the loop, exactly once, never inside poll_errand; with DRIVER_BROKEN when it was not carried out because the
     * poll is being destroyed, or the bus was removed by a reload. */
    poll_done_cb done;
    void *arg;
};
#define POLL_ERRANDS 64           /* that wait for one bus */
#define POLL_ERRANDS_URGENT_ROW 8 /* that may go between two requests of polls */

struct poll;
/* Plans every device and makes every link and worker; asks nothing before poll_start. site and driver must
 * outlive it. seed: of the jitter. RG_EINVAL: a device without a period or bus; RG_EUNSUPPORTED: one with a trigger, and
 * the driver cannot write; else what the driver or the loop says. */
RG_NODISCARD enum rg_err poll_create(struct loop *loop, const struct site *site, const struct driver *driver,
                                     const struct poll_cbs *cbs, void *arg, uint64_t seed, struct poll **out);
/* Before poll_start, which otherwise is that instant: when the daemon started (monotonic), from where start_up_ms
 * counts. After a reload the devices have long been on. */
void poll_booted(struct poll *p, int64_t mono_ms);
/* Of a poll that was started: starts what is not at work yet (after poll_take). */
void poll_start(struct poll *p);
/* No transaction begins any more, those under way are cancelled (all at once, then all are waited for); no
 * callback follows. Takes NULL. */
void poll_destroy(struct poll *p);

/* ---- another site: a reload ----
 *
 * A bus that is configured as before (but for where) goes on: its thread, link, health, figures, errands, and what is
 * under way. A device of the same name on such a bus, that is read as before (same.h), goes on: its grid, health, figures, plan,
 * and its poll under way, whatever index it and its points have now. Nothing is asked anew, skipped or shifted for
 * their sake. Everything else is as if it were new; what is under way for a device that is gone or changed is no
 * reading of anything.
 *
 * Buses that are gone end by themselves, without anybody waiting for them: what is under way is cancelled, their errands
 * are answered then (DRIVER_BROKEN, unless one was carried out after all), and only then a new bus begins that opens the
 * same host and port, or a serial line, too.
 *
 * Both calls in one go: nothing may happen to `old` in between. */

/* Like poll_create, with the loop, driver, callbacks and argument of a started poll. Makes all that is needed and
 * changes nothing yet: *out may be destroyed, and `old` goes on. old and its site must be there until poll_take. */
RG_NODISCARD enum rg_err poll_create_from(struct poll *old, const struct site *site, uint64_t seed,
                                          struct poll **out);
/* Takes the place of `old`, which is destroyed; the site of before is not referred to any more. Cannot fail; calls nothing
 * back. poll_start, or another poll_take, follows. */
void poll_take(struct poll *p);
/* After poll_take: the index of what was that device in the site before and goes on, or SITE_NONE. */
uint32_t poll_device_now(const struct poll *p, uint32_t before);
/* A number that a bus keeps as long as it goes on, and that no other gets: to know it again after reloads. 0: no such
 * bus. */
uint64_t poll_bus_id(const struct poll *p, uint32_t bus);
/* The errand of (done, from) on that bus, waiting or under way, is answered to `to`. False: there is none; one of a bus that
 * was removed is none. */
bool poll_errand_pass(struct poll *p, uint32_t bus, poll_done_cb done, const void *from, void *to);
/* done is not called with arg any more: an errand that waits is not carried out. */
void poll_errand_drop(struct poll *p, poll_done_cb done, const void *arg);

/* Carries out an errand when its bus is free next: between two requests, not only between two polls (errands.h says how
 * many). It is tried once, on a bus that is down as well; when the link cannot be opened for one, the others that
 * wait for the bus are answered likewise (DRIVER_UNREACHABLE). Whoever repeats errands to a unit that does not answer
 * must let them grow rare: each may cost its line a time-out. What errands find wrong is not held against bus and units,
 * an answer brings a bus back that was down. They are counted in the bus's stats.
 *
 * The errand is copied. RG_EFULL: too many wait; RG_ENOTFOUND: no such bus; RG_EINVAL: a count or space that cannot
 * be, a read of all units of a line; RG_EUNSUPPORTED: the driver cannot; RG_ESTATE: before poll_start, or inside
 * poll_destroy; RG_ENOMEM. */
RG_NODISCARD enum rg_err poll_errand(struct poll *p, const struct poll_errand *errand);
/* Has a device polled as soon as its bus is free, out of its turn: in line with the others that are due, one transaction at
 * a time, its grid stays as it is. `polled` follows, never inside this call and not after poll_destroy, once a poll that
 * began later than this call has ended (of a unit that answers a probe, the whole poll that follows it). Asked again
 * before that poll begins it is still one poll; a poll under way is not what is meant, for what it read may be older.
 *
 * RG_ENOTFOUND: no such device; RG_EUNSUPPORTED: nothing is read from it (a derived one, or one without points); RG_EAGAIN: it is
 * suspended and was asked within POLL_NOW_PROBE_MS, or is still starting up; RG_ESTATE: its bus is down, or before
 * poll_start. */
RG_NODISCARD enum rg_err poll_now(struct poll *p, uint32_t device);
/* Something is on its way that goes before readings (an alarm to the disk and to the platforms): for POLL_WAY_MS no request of a poll begins,
 * so that those who carry it find the processor free; what is under way goes on, and so do errands. Grids stay. Nothing when it was given
 * less than POLL_WAY_AGAIN_MS ago: however many alarms come, polls lose no more than a twentieth of their time to them. */
void poll_give_way(struct poll *p);
void poll_device_stats(const struct poll *p, uint32_t device, struct poll_device_stats *out);
/* Of poll_bus_stats the share of the last *window_us that a bus was busy, which costs nothing; 0 and 0 before poll_start. */
double poll_bus_load(struct poll *p, uint32_t bus, int64_t *window_us);
/* For how long, ms, a bus's thread has been at a transaction beyond all that its time-outs allow, or nothing was begun on a free bus
 * though something was due; of all buses the longest, *bus says which. 0: all get on. What is wrong then is a driver or a
 * kernel that does not return, not a device. */
int64_t poll_standing_ms(const struct poll *p, uint32_t *bus);
void poll_bus_stats(struct poll *p, uint32_t bus, struct poll_bus_stats *out);

#endif
