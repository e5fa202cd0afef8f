/* A rule on a point, its slot: four bytes while it is at rest, a state of its own while it is not.
 *
 * At rest is a slot without an alarm and without a clock, of an armed rule that looks at the point's value and whose limits are
 * numbers: what there is to know of it is what was read of the point last (heard.h). It wakes when a reading reaches a level, when
 * its rule is disarmed or its alarm put back, and goes to rest when its state is again what a slot at rest has. A member of a vote,
 * a window, a limit that follows another point never rest. States lie in one block with room for all slots, which is touched as far as
 * so many were ever awake at once. */
#ifndef RG_RULES_WATCHED_H
#define RG_RULES_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/site.h"
#include "rules/condition.h"
#include "rules/slot.h"

struct rules;

/* A rule made ready for points of one precision. */
struct engine_conf {
    struct condition_rule limits;
    struct slot_rule delays;
    uint32_t rule;
};

/* Of those, what every reading is compared with: strictly between them surely no level holds. min above max: there are `is`, so
 * that nothing is sure without a look at them. */
struct watched_band {
    double min, max;
};

/* How r->slots tells where a slot is. */
#define WATCHED_AWAKE                                                                                        \
    0x80000000u /* its state is r->awake[index]; else it rests, and its rule is r->confs[index] */
#define WATCHED_UNREAD 0x40000000u /* at rest, and nothing was read under this rule yet */
#define WATCHED_INDEX 0x3fffffffu

/* Why a rule is not armed, each a bit. */
#define ENGINE_GUARD 1u  /* its guard does not hold */
#define ENGINE_PERMIT 2u /* its permit is closed */

/* The state of a slot that is awake. */
struct watched {
    struct condition condition;
    struct slot slot;
    const struct engine_conf *conf;
    uint32_t point;
    uint32_t more;    /* index into r->more, or SITE_NONE: it can rest. Of a free state: the next free one */
    uint8_t disarmed; /* 0: armed */
};

/* What only some have, which never rest. */
struct watched_more {
    struct signal *signal;   /* NULL: the rule looks at the value */
    struct engine_conf *own; /* its conf, when its limits follow other points; else NULL */
    uint32_t place;          /* among the rule's points */
    uint32_t vote;           /* whose member it is: condition only, no slot; SITE_NONE: it keeps an alarm */
};

/* The slots of the site's rules, all at rest that can be. RG_ENOMEM. */
RG_NODISCARD enum rg_err watched_create(struct rules *r);
void watched_destroy(struct rules *r);
/* Bytes that watched_create takes for this site; *count (may be NULL): how many slots there are. */
uint64_t watched_memory(const struct site *site, uint64_t *count);

/* Which point, rule, place among the rule's points, and vote (or SITE_NONE) a slot is of. O(log n): not for each reading. */
uint32_t watched_point(const struct rules *r, uint32_t watched);
uint32_t watched_rule(const struct rules *r, uint32_t watched);
uint32_t watched_place(const struct rules *r, uint32_t watched);
uint32_t watched_vote(const struct rules *r, uint32_t watched);
/* The slot of a rule on a point, or SITE_NONE. */
uint32_t watched_find(const struct rules *r, uint32_t point, uint32_t rule);
/* The window of a slot, or NULL. */
struct signal *watched_signal(const struct rules *r, uint32_t watched);

/* The state of a slot, to be read only; one at rest is written into room. (Of one that is awake: engine.h, watched_state.) */
const struct watched *watched_see(const struct rules *r, uint32_t watched, struct watched *room);
/* Wakes a slot, if it rests; its state. */
struct watched *watched_wake(struct rules *r, uint32_t watched);
/* The same of one of this point that does rest. */
void watched_wake_at(struct rules *r, uint32_t watched, uint32_t point);
/* Lets a slot rest again that has nothing of its own any more. After every act that may have brought that about. */
void watched_rest(struct rules *r, uint32_t watched);

#endif
