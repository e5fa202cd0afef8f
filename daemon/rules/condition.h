/* What a reading says under a rule: its level. Pure: no time, nothing is allocated.
 *
 * A good reading has a level: the highest whose condition holds, the dead-band of levels already reached
 * included. A reading may tell less than that:
 *   - a lower bound ("at least 12": a window with holes in it) says that `above` limits up to it are passed, and nothing
 *     more; an upper bound the same of `below` limits;
 *   - a limit that is not known now hides whether its level is reached.
 * Then the verdict is not sure: at least that level. Such a verdict may raise an alarm, and never lowers one. But a good
 * reading short of a known limit has no level from there on, on that side: limits grow with their levels, so those above it that
 * are not known are not reached either. An alarm that is on its way up to such a level must start anew.
 *
 * Dead-band, for each side (above, below) by itself: a level counts as reached on a side while the alarm
 * stands at it or higher and readings of that side have been at its limit; it is held until a reading is
 * back past the limit by more than the dead-band, and must be reached anew after that. A level whose
 * on-delay still runs has not been reached: inside its dead-band, but short of its limit, its clock stops.
 * `is` conditions have no dead-band. */
#ifndef RG_RULES_CONDITION_H
#define RG_RULES_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/level.h"
#include "model/site.h"
#include "rules/reading.h"

/* What gave a level. */
enum condition_side {
    SIDE_IS,    /* an `is` condition: no limit to tell */
    SIDE_ABOVE, /* value >= limit */
    SIDE_BELOW, /* value <= limit */
};

/* The limits of a rule, made ready for points of one precision; where they follow other points, for one point at one
 * instant. */
struct condition_rule {
    double above[LEVEL_COUNT], below[LEVEL_COUNT]; /* +-infinity: there is none, or it is not known now */
    double above_hold[LEVEL_COUNT],
        below_hold[LEVEL_COUNT]; /* the same with the dead-band taken off or added */
    double above_told[LEVEL_COUNT], below_told[LEVEL_COUNT]; /* as people call them; NAN: not known now */
    double quiet_min,
        quiet_max; /* strictly between them surely no level holds; empty: there are `is`, or a limit is not known */
    enum level hidden; /* the highest level with a limit that is not known now; LEVEL_NONE: all are */
    bool single;       /* for f32 points: values and limits are compared as floats */
    const struct site_rule *conf;
};

/* One point under one rule. */
struct condition {
    double value;              /* of the last reading that had one */
    bool has_value;            /* there was one */
    uint8_t trust;             /* enum reading_trust: of the last reading */
    uint8_t high, low;         /* enum level: what the last good reading held on the side above, and below */
    uint8_t side[LEVEL_COUNT]; /* enum condition_side: which side last gave this level */
};

struct verdict {
    enum level level;
    bool sure;       /* false: at least that level, perhaps more; LEVEL_NONE: nothing is known */
    enum level most; /* at most that one: what is higher is not reached now. Sure: the level itself */
};

#define VERDICT_UNKNOWN ((struct verdict){.level = LEVEL_NONE, .sure = false, .most = LEVEL_RED})

/* conf must outlive rule; limits that follow other points are not known yet. single: the points are unscaled f32 (a float's 19.9 is below the double 19.9, yet
 * it is what the device, the record and the operator call 19.9). */
void condition_rule_init(struct condition_rule *rule, const struct site_rule *conf, bool single);
/* The limits of this instant, where has_above and has_below say that there are any; NAN: not known. Those that the
 * configuration gives as numbers must be those. */
void condition_rule_limits(struct condition_rule *rule, const double above[LEVEL_COUNT],
                           const double below[LEVEL_COUNT]);
/* True when a limit of the rule follows another point. */
bool condition_rule_follows(const struct site_rule *conf);
/* True when any condition of the rule can give this level. */
bool condition_rule_has_level(const struct site_rule *conf, enum level level);

void condition_init(struct condition *c);
/* An alarm that stood at level before the start: everything up to it counts as reached on both sides. */
void condition_restore(struct condition *c, const struct condition_rule *rule, enum level level);

/* Whether a good and finite reading, as it is compared (decimal_precise), holds no level of a rule all of whose limits are known,
 * where none was reached before: then condition_judge would note it, and that is all. */
bool condition_rests(const struct condition_rule *rule, double value);

/* Judges one reading. reached: the level that the alarm stands at. A value that is not finite counts as bad. */
struct verdict condition_judge(struct condition *c, const struct condition_rule *rule, enum level reached,
                               const struct reading *reading);

/* Notes a reading without judging it. */
void condition_note(struct condition *c, const struct reading *reading);
/* The last reading once more, against limits that have changed since. */
struct reading condition_last(const struct condition *c);

/* The limit that readings stood at or past when they last gave this level; false: it came from an
 * `is`, or is not known now. */
bool condition_limit(const struct condition *c, const struct condition_rule *rule, enum level level,
                     double *limit);

#endif
