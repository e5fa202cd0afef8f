/* One rule on one point: the state machine of its alarm's level. Pure: time is an argument, nothing is
 * allocated.
 *
 * A good reading has a level: the highest whose condition holds, the dead-band of levels already reached
 * included. The slot compares it with the alarm's level:
 *   - higher: each level from the alarm's up to the reading's has a clock that says since when readings have
 *     been at that level or higher; the highest level whose clock has run for the on-delay is reached.
 *   - lower: each level from the reading's up to the alarm's has a clock that says since when readings have
 *     been at that level or lower; the alarm steps down to the lowest level whose clock has run for the
 *     off-delay. So it never falls below a level that a reading still gave within the off-delay.
 * A clock at the limit of its delay fires before a reading of the same instant is looked at: [since, since +
 * delay) was without a break.
 *
 * Dead-band, for each side (above, below) by itself: a level counts as reached on a side while the alarm
 * stands at it or higher and readings of that side have been at its limit; it is held until a reading is
 * back past the limit by more than the dead-band, and must be reached anew after that. A level whose
 * on-delay still runs has not been reached: inside its dead-band, but short of its limit, its clock stops.
 * `is` conditions have no dead-band. */
#ifndef RG_RULES_SLOT_H
#define RG_RULES_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/level.h"
#include "model/moment.h"
#include "model/sample.h"
#include "model/site.h"
#include "rules/move.h"

/* The side of the rule that gave a level. */
enum slot_side {
    SLOT_IS,    /* an `is` condition: no limit to tell */
    SLOT_ABOVE, /* value >= limit */
    SLOT_BELOW, /* value <= limit */
};

/* A rule made ready for points of one precision. */
struct slot_rule {
    double above[LEVEL_COUNT], below[LEVEL_COUNT]; /* +-infinity where the rule has no limit */
    double above_hold[LEVEL_COUNT],
        below_hold[LEVEL_COUNT]; /* the same with the dead-band taken off or added */
    double quiet_min, quiet_max; /* strictly between them no level holds (when there is no `is`) */
    bool single;                 /* for f32 points: values and limits are compared as floats */
    const struct site_rule *conf;
};

enum slot_phase {
    SLOT_STEADY,  /* readings agree with the alarm's level, or nothing is known: no clock runs */
    SLOT_RISING,  /* readings are higher: on-delays run */
    SLOT_FROZEN,  /* as rising, but the last reading was bad: the next good one decides */
    SLOT_FALLING, /* readings are lower: off-delays run */
};

struct slot {
    struct moment last; /* of the last reading or move; time never goes back before it */
    double value;       /* the last good reading */
    bool has_value;     /* there was one */
    uint8_t phase;      /* enum slot_phase */
    uint8_t level;      /* enum level: the alarm's */
    uint8_t seen;       /* enum level: of the last good reading; the clocks between level and seen run */
    uint8_t high, low;  /* enum level: what the last good reading held on the side above, and below */
    uint8_t side[LEVEL_COUNT]; /* enum slot_side: which side last gave this level */
    struct moment since[LEVEL_COUNT];
};

/* conf must outlive rule. single: the points are unscaled f32 (a float's 19.9 is below the double 19.9, yet
 * it is what the device, the record and the operator call 19.9). */
void slot_rule_init(struct slot_rule *rule, const struct site_rule *conf, bool single);
/* True when any condition of the rule can give this level. */
bool slot_rule_has_level(const struct site_rule *conf, enum level level);

void slot_init(struct slot *s);
/* An alarm that stood at level before the start: everything up to it counts as reached on both sides. */
void slot_restore(struct slot *s, const struct slot_rule *rule, enum level level);

/* Takes one reading; deadlines up to its instant must have been carried out. A reading older than the slot's
 * last one or last move is taken at the instant of that. A good value that is not finite counts as bad.
 * True: *move says how the level changed. */
bool slot_sample(struct slot *s, const struct slot_rule *rule, const struct sample *sample, struct moment at,
                 struct level_move *move);
/* Monotonic instant at which a delay ends, or INT64_MAX. */
int64_t slot_deadline(const struct slot *s, const struct slot_rule *rule);
/* Carries out the delay that ends first, at the instant of its end (wall: of its beginning, plus the delay,
 * so that a step of the clock between does not shift it). False: none runs. */
bool slot_expire(struct slot *s, const struct slot_rule *rule, struct level_move *move);

/* The configured limit that readings stood at or past when they last gave this level; false: it came from an
 * `is`. */
bool slot_limit(const struct slot *s, const struct slot_rule *rule, enum level level, double *limit);

#endif
