/* The doubts of a site: one for each point that has a level for it, and who is whose twin. */
#ifndef RG_RULES_DOUBTS_H
#define RG_RULES_DOUBTS_H

#include <stdint.h>

#include "base/error.h"
#include "model/site.h"
#include "rules/depend.h"
#include "rules/doubt.h"

#define DOUBTS_NONE UINT32_MAX
#define DOUBTS_HOLD_POLLS 3 /* a good reading is known to hold that many polls at most */

struct doubted {
    uint32_t point;
    struct doubt_rule rule;
    struct doubt state;
    struct doubt_twin twin; /* the twin's last reading */
};

struct doubts {
    struct doubted *all; /* ascending by point */
    uint32_t count;
    size_t point_count;  /* of the site */
    uint32_t *of;        /* [point_count]: index into all, or DOUBTS_NONE */
    struct depend twins; /* point: those of all whose twin it is */
};

/* site must outlive it. RG_ENOMEM. */
RG_NODISCARD enum rg_err doubts_create(struct doubts *d, const struct site *site);
void doubts_destroy(struct doubts *d); /* takes a zeroed or half-built one */
/* Bytes that doubts_create takes for this site, those that it gives back among them. */
uint64_t doubts_memory(const struct site *site);
/* How many points of the site have one. */
uint32_t doubts_count(const struct site *site);
/* The readings of a frame are noted with every doubt that looks at them as its twin's. */
void doubts_note_twins(struct doubts *d, const struct frame *frame);
/* Raises ms[device_count] to how far the points of each device that are doubted when they stand still look back. */
void doubts_history_ms(const struct site *site, int64_t *ms);
/* What was read of the point until now had another meaning. True: there was something to forget. */
bool doubts_forget(struct doubts *d, uint32_t point);
/* A reading from before the start. */
void doubts_prime(struct doubts *d, const struct sample *sample, int64_t mono_ms);

#endif
