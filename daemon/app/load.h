/* The time budget of every bus against what was measured: what is planned, and whether that still holds. */
#ifndef RG_APP_LOAD_H
#define RG_APP_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/site.h"
#include "poll/poll.h"

/* Nothing is said of a bus before it was measured for so long. */
#define LOAD_WINDOW_US 30000000

enum load_word {
    LOAD_FITS,
    LOAD_OVER_PLAN, /* far more than planned: slow answers, time-outs, retries */
    LOAD_FULL,      /* no time is left: polls come late or are skipped */
};

/* Shares of a bus's time (1: all). before: what it was last time. A word is taken back only when it is clearly over, so
 * that one at the limit is not told again and again. Pure. */
enum load_word load_judge(double planned, double measured, enum load_word before);

/* "fits", "over plan", "full" */
const char *load_word_name(enum load_word word);

struct load {
    const struct site *site; /* borrowed */
    double *planned;         /* [site.bus_count] */
    enum load_word *words;   /* [site.bus_count], as told */
};

/* Works out what is planned (config/budget.h). RG_ENOMEM. */
RG_NODISCARD enum rg_err load_create(struct load *load, const struct site *site);
void load_destroy(struct load *load); /* takes a zeroed one */
/* Over a reload: what was said of buses that go on (poll_bus_id) is not said again. */
void load_inherit(struct load *load, const struct poll *poll, const struct load *from,
                  const struct poll *from_poll);
/* Looks at every bus, and logs what has changed for the worse, once. */
void load_look(struct load *load, struct poll *poll);

#endif
