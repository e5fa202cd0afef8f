/* A vote: `need` of several members (detectors of one room) at a level give it. Pure; what each member says is
 * condition.h's, the delays are the slot's.
 *
 * A member is at a level by its last sure verdict. One whose verdict is not sure is bad: it stays at the level that it
 * had, and is at least at what its verdict is sure of.
 *   - VOTE_BAD_HOLDS: bad members are counted at the level that they stay at.
 *   - VOTE_BAD_COUNTS: in addition a bad member below a level takes one off the need for it, but at least one member must
 *     be at it. So two failed detectors of three leave the third to decide alone, and 2 of 2 become 1 of 1.
 * Higher than the alarm stands the vote only goes by what a good member says: when all are bad nothing is raised.
 * And it never falls because a member turned bad: that moves no member down and makes no need greater. Members from which
 * nothing came yet are no bad ones: they stay at what was restored, or none.
 * A bad member that is surely short of the level that it stays at keeps the vote from falling, and raises nothing: there it
 * counts for the highest that it may have.
 * Sure is the verdict when it hides nothing: at least one member is good, and no level above it is held up by bad members
 * alone. */
#ifndef RG_RULES_VOTE_H
#define RG_RULES_VOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/level.h"
#include "model/site_rule.h"
#include "rules/condition.h"

struct vote_member {
    uint8_t level; /* enum level: at which it is, or stays */
    uint8_t least; /* enum level: at which it surely is now */
    uint8_t most;  /* enum level: at which it may be now, at most `level` */
    bool sure, seen;
};

struct vote {
    uint32_t need;
    enum vote_bad policy;
    struct vote_member *members; /* borrowed */
    uint32_t count;
    /* How many members: by level, by least, by most, bad ones (seen, not sure) by level and by most, sure ones. */
    uint32_t at[LEVEL_COUNT], least[LEVEL_COUNT], most[LEVEL_COUNT];
    uint32_t bad[LEVEL_COUNT], bad_most[LEVEL_COUNT], sure;
};

/* members: count of them, to be kept as long as the vote. */
void vote_init(struct vote *v, const struct site_rule *conf, struct vote_member *members, uint32_t count);
/* An alarm that stood at level before the start: every member stays at it until it is heard. */
void vote_restore(struct vote *v, enum level level);
/* Goes on from one with as many members in the same places. */
void vote_inherit(struct vote *v, const struct vote *from);
/* What a member says now. O(1). */
void vote_take(struct vote *v, uint32_t member, struct verdict verdict);
/* What the vote says. level: the alarm's. O(1). */
struct verdict vote_judge(const struct vote *v, enum level level);
/* The first of the members that are surely at a level or higher; UINT32_MAX: none. O(members). */
uint32_t vote_first(const struct vote *v, enum level level);

#endif
