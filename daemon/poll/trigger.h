/* Devices that take their readings when they are told to: a write, a wait, then the poll. Pure: time (monotonic, ms)
 * is an argument.
 *
 * A poll of such a device has two turns on its bus: at its instant the write, and after wait_ms the requests; in
 * between the bus is free for others. What was read without a write before it would be an old reading with a new time, so a
 * probe of a silent unit begins with the write, too. */
#ifndef RG_POLL_TRIGGER_H
#define RG_POLL_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/driver.h"
#include "model/site.h"

enum trigger_phase {
    TRIGGER_OPEN,    /* nothing was written for the poll that comes */
    TRIGGER_WAITING, /* written: the device takes its readings, and may be asked for them from ready_ms on */
};

struct trigger {
    enum trigger_phase phase;
    int64_t ready_ms;
};

/* Whether a poll that begins now begins with the write; else with its requests. */
bool trigger_first(const struct trigger *t, const struct site_trigger *what, int64_t now_ms);
/* The write had been carried out at that instant. */
void trigger_written(struct trigger *t, const struct site_trigger *what, int64_t at_ms);
/* The requests begin, or will not be made: the next poll begins with the write. */
void trigger_end(struct trigger *t);
/* The write. */
void trigger_ask(const struct site_device *device, struct driver_raw *out);

#endif
