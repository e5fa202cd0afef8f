/* The doubts of a site: one for each point that has a level for it, and who is whose twin.
 *
 * A plain one (doubt.h) of a point whose readings are believed is at rest: what there is to know of it is what was read of the
 * point last (heard.h). It wakes when a reading is not to be believed, and goes to rest when nothing shows any more. Those that look for
 * more never rest. The functions that take `heard` are given that of all points of the site. */
#ifndef RG_RULES_DOUBTS_H
#define RG_RULES_DOUBTS_H

#include <stdint.h>

#include "base/error.h"
#include "model/site.h"
#include "rules/depend.h"
#include "rules/doubt.h"
#include "rules/heard.h"

#define DOUBTS_NONE UINT32_MAX
#define DOUBTS_HOLD_POLLS 3 /* a good reading is known to hold that many polls at most */

struct doubted {
    uint32_t point; /* of a free one: the next free one */
    struct doubt_rule rule;
    struct doubt state;
    struct doubt_twin twin; /* the twin's last reading */
};

struct doubts {
    const struct site *site;
    uint32_t count;      /* ascending by point */
    uint32_t *before;    /* [point_count + 1]: how many points before that one have a doubt */
    uint32_t *of;        /* [count]: 1 + where it is in all; 0: it rests */
    struct doubted *all; /* [used], with room for count: those that are awake, and free ones */
    uint32_t used, free;
    struct depend twins; /* point: those whose twin it is, which are awake */
};

/* site must outlive it. All that can rest do; heard[].doubt is set. RG_ENOMEM. */
RG_NODISCARD enum rg_err doubts_create(struct doubts *d, const struct site *site, struct heard *heard);
void doubts_destroy(struct doubts *d); /* takes a zeroed or half-built one */
/* Bytes that doubts_create takes for this site, those that it gives back among them. */
uint64_t doubts_memory(const struct site *site);
/* How many points of the site have one. */
uint32_t doubts_count(const struct site *site);

/* The doubt of a point, or DOUBTS_NONE. */
uint32_t doubts_find(const struct doubts *d, uint32_t point);
/* The point of a doubt. O(log n). */
uint32_t doubts_point(const struct doubts *d, uint32_t doubt);
/* One that is awake; NULL: it rests. */
struct doubted *doubts_state(const struct doubts *d, uint32_t doubt);
/* The same, to be read only; one at rest is written into room. */
const struct doubted *doubts_see(const struct doubts *d, uint32_t doubt, const struct heard *heard,
                                 struct doubted *room);
/* Wakes it, if it rests. */
struct doubted *doubts_wake(struct doubts *d, uint32_t doubt, struct heard *heard);
/* Lets one rest again that has nothing of its own any more. After every act that may have brought that about. */
void doubts_rest(struct doubts *d, uint32_t doubt, struct heard *heard);

/* The readings of a frame are noted with every doubt that looks at them as its twin's. */
void doubts_note_twins(struct doubts *d, const struct frame *frame);
/* Raises ms[device_count] to how far the points of each device that are doubted when they stand still look back. */
void doubts_history_ms(const struct site *site, int64_t *ms);
/* What was read of the point until now had another meaning. True: there was something to forget. */
bool doubts_forget(struct doubts *d, uint32_t point, struct heard *heard);
/* A reading from before the start. */
void doubts_prime(struct doubts *d, const struct sample *sample, int64_t mono_ms);
/* What is read of the point from now on holds so much longer (rules_thinned). */
void doubts_thinned(struct doubts *d, uint32_t point, int64_t every_ms);
/* Time begins. */
void doubts_start(struct doubts *d, int64_t now_ms);

#endif
