/* Finding the units of a line: one small read of each number. Pure but for the asking, the waiting and the telling. */
#ifndef RG_CTL_SCAN_H
#define RG_CTL_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/driver.h"

/* Beside a daemon's polls a scan takes at most one part in so many of a line's time: it pauses for this many times
 * as long as its last try took. */
#define SCAN_SHARE 4
#define SCAN_BREAKS 3 /* in a row, after which a line that breaks is given up */

enum scan_found {
    SCAN_NOBODY,  /* silence; or a gateway's word that nobody is there */
    SCAN_ANSWERS, /* it reads */
    SCAN_REFUSES, /* an exception: somebody is there, and does not have that register */
    SCAN_GARBLED, /* twice an answer that is none: two units with one number, noise, another speed or parity */
    SCAN_BROKE,   /* the line did, under this unit */
};

struct scan {
    uint8_t first, last;     /* units */
    struct driver_raw model; /* what is read of each: space, address, count, time-out */
    int64_t gap_ms;          /* silence between two tries, at least */
    bool shared;             /* others use the line */
};

struct scan_cbs {
    /* False: asking itself failed. took_ms: how long the answer, or the want of one, took. */
    bool (*ask)(void *arg, const struct driver_raw *ask, struct driver_raw_answer *answer, int64_t *took_ms);
    void (*wait)(void *arg, int64_t ms);
    void (*found)(void *arg, uint8_t unit, enum scan_found found, const struct driver_raw_answer *answer);
    void (*progress)(void *arg, uint8_t unit); /* about to be asked */
};

struct scan_result {
    unsigned asked, found, garbled; /* units; the found ones without the garbled */
    bool failed;                    /* asking itself did */
    bool ended;                     /* the line cannot be opened, or breaks: the rest was not asked */
    char detail[DRIVER_DETAIL_MAX]; /* why, then */
};

void scan_run(const struct scan *s, const struct scan_cbs *cbs, void *arg, struct scan_result *out);
/* The pause after a try. */
int64_t scan_pause_ms(const struct scan *s, int64_t took_ms);

#endif
