/* A driver without devices: every device does what the test says, for as long as it says, and everything
 * asked is counted.
 *
 * Works on both loops. On the virtual one `spend` is virtual_loop_spend, so that answers take their time;
 * without `spend` answers come at once, and FAKE_BLOCKED really blocks until link_cancel. The driver's
 * table has no room for a context, so there is one fake at a time. What a test changes in it while a real
 * bus thread runs, it changes between fake_lock and fake_unlock. */
#ifndef RG_TESTS_SUPPORT_DRIVER_H
#define RG_TESTS_SUPPORT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/sample.h"
#include "model/site.h"

struct driver;
struct driver_raw;
struct driver_raw_answer;
struct fake;

enum fake_behaviour {
    FAKE_OK,
    FAKE_EXCEPTION,
    FAKE_SILENT,
    FAKE_MALFORMED,
    FAKE_BROKEN,      /* the link breaks under the request */
    FAKE_UNREACHABLE, /* the link does not open */
    FAKE_LATE,        /* answers after the time-out: silent, and malformed for the next request on the link */
    FAKE_BLOCKED,     /* no word until the link is cancelled; real loop only */
};

struct fake_device {
    enum fake_behaviour behaviour;
    int64_t takes_ms;   /* until an answer (of any kind) is there; default 10. Silence takes the time-out */
    size_t per_request; /* points of one request; 0, the default: all. Looked at when the device is planned */
    uint8_t exception;  /* default 2 */
    /* The device refuses (exception 2) to read the points hole - 1 and hole in one request, and its requests can
     * be divided into single points; 0, the default: neither. */
    size_t hole;
    uint64_t asked;
};

struct fake_bus {
    enum fake_behaviour
        behaviour;      /* FAKE_OK: what its devices do; FAKE_BROKEN, FAKE_UNREACHABLE: all of them */
    int64_t refused_ms; /* how long a link takes not to open; default 1 */
    uint64_t overlaps;  /* transactions that began before the one before had ended */
    uint64_t cancelled;
};

struct fake_call {
    uint32_t bus;
    uint32_t device; /* raw: the bus's device with that unit, or SITE_NONE */
    size_t request;
    bool raw; /* an errand or a trigger; then also: */
    bool write;
    uint8_t unit;
    uint16_t address, value;    /* value: the first that is written */
    int64_t begun_ms, ended_ms; /* by hooks.now_ms */
    enum fake_behaviour behaviour;
};

/* All may be NULL; all but now_ms are called on the bus's thread, with the lock held. */
struct fake_hooks {
    int64_t (*now_ms)(void *arg); /* monotonic; without it every time is 0 */
    void (*spend)(void *arg, int64_t ms);
    /* Overrides the device's behaviour for this one request. */
    enum fake_behaviour (*decide)(void *arg, uint32_t device, size_t request, int64_t now_ms);
    /* Sets quality and value of sample->point; without it the value is the point's index. */
    void (*read)(void *arg, int64_t now_ms, struct sample *sample);
    /* Reads and writes beside the polls, when the device would answer: fills values, may change result and exception.
     * Without it reads give zeroes and writes are confirmed. A unit that no device has is silent, but with
     * this hook: then it decides alone (result is DRIVER_OK beforehand, as for a write to all units). */
    void (*raw)(void *arg, uint32_t bus, const struct driver_raw *ask, struct driver_raw_answer *answer);
    void (*called)(void *arg, const struct fake_call *call); /* a transaction was carried out */
    void *arg;
};

/* NULL when out of memory. The site must outlive it. Plans and links may be of another site, as over a reload, of which
 * each device and bus is taken for the one of its name in this site. */
struct fake *fake_create(const struct site *site, const struct fake_hooks *hooks);
void fake_destroy(struct fake *f); /* takes NULL; every plan and link must have been destroyed */
const struct driver *fake_driver(void);

struct fake_device *fake_device(struct fake *f, uint32_t device);
struct fake_bus *fake_bus(struct fake *f, uint32_t bus);
size_t fake_alive(const struct fake *f); /* plans and links not destroyed */
/* The calls-th call of plan or link_create from now on gives RG_ENOMEM; 0: none does. */
void fake_fail_after(struct fake *f, size_t calls);
void fake_lock(struct fake *f);
void fake_unlock(struct fake *f);

/* A site of equal devices, polled over TCP with a time-out of 500 ms; all else zero. Devices lie bus by
 * bus. The test may change buses and devices before it is used. NULL when out of memory; freed with
 * fake_site_free, which takes NULL. */
struct site *fake_site_create(size_t buses, size_t devices_per_bus, uint32_t points_per_device,
                              int64_t poll_ms);
void fake_site_free(struct site *site);

#endif
