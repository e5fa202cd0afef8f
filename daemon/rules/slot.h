/* The state machine of one alarm's level: what readings say against the delays. Pure: time is an argument, nothing is
 * allocated.
 *
 * The slot compares the level that a reading gives (condition.h) with the alarm's:
 *   - higher: each level from the alarm's up to the reading's has a clock that says since when readings have
 *     been at that level or higher; the highest level whose clock has run for the on-delay is reached.
 *   - lower: each level from the reading's up to the alarm's has a clock that says since when readings have
 *     been at that level or lower; the alarm steps down to the lowest level whose clock has run for the
 *     off-delay. So it never falls below a level that a reading still gave within the off-delay.
 * A clock at the limit of its delay fires before a reading of the same instant is looked at: [since, since +
 * delay) was without a break.
 *
 * A verdict that is not sure ("at least yellow"; of a bad reading: at least none) lowers nothing: clocks of lower levels
 * stop. Clocks of the levels that it is sure of run; those above are frozen: they neither fire nor are forgotten until a
 * sure verdict says whether their level still holds, or until a verdict says that it surely does not: that forgets them.
 *
 * Latched: an alarm that stands at latch_from or higher does not fall before it is acknowledged. The off-delays run meanwhile;
 * what they allow by then is carried out at the acknowledgement. A higher level takes the acknowledgement back. */
#ifndef RG_RULES_SLOT_H
#define RG_RULES_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/level.h"
#include "model/moment.h"
#include "model/site.h"
#include "rules/condition.h"
#include "rules/move.h"

/* What of a rule concerns its alarm's life. */
struct slot_rule {
    int64_t on_delay_ms, off_delay_ms;
    enum level latch_from; /* LEVEL_NONE: it does not latch */
};

enum slot_phase {
    SLOT_STEADY,  /* readings agree with the alarm's level, or nothing is known: no clock runs */
    SLOT_RISING,  /* readings are higher: on-delays run, up to `sure` */
    SLOT_FROZEN,  /* readings were higher, but whether they are is not known: the next sure verdict decides */
    SLOT_FALLING, /* readings are lower: off-delays run */
};

struct slot {
    struct moment last; /* of the last reading or move; time never goes back before it */
    uint8_t phase;      /* enum slot_phase */
    uint8_t level;      /* enum level: the alarm's */
    uint8_t seen; /* enum level: what readings gave; the clocks between level and seen run, or are frozen */
    uint8_t sure; /* enum level: rising, the clocks up to it run */
    bool acked;   /* the alarm is, as it stands */
    struct moment since[LEVEL_COUNT];
};

void slot_rule_init(struct slot_rule *rule, const struct site_rule *conf);
void slot_init(struct slot *s);
/* An alarm that stood at level before the start, acknowledged or not. */
void slot_restore(struct slot *s, enum level level, bool acked);

/* Notes that time has come that far; nothing is judged. */
void slot_pass(struct slot *s, struct moment at);
/* Drops the delays that run: the level stands until the next verdict. */
void slot_halt(struct slot *s, struct moment at);

/* Takes one verdict; deadlines up to its instant must have been carried out. One older than the slot's
 * last one or last move is taken at the instant of that. True: *move says how the level changed. */
bool slot_take(struct slot *s, const struct slot_rule *rule, struct verdict verdict, struct moment at,
               struct level_move *move);
/* The alarm is acknowledged; deadlines up to that instant must have been carried out. True: a latch let go, *move says how
 * the level changed. */
bool slot_ack(struct slot *s, const struct slot_rule *rule, struct moment at, struct level_move *move);
/* It keeps its level until it is acknowledged. */
bool slot_is_latched(const struct slot *s, const struct slot_rule *rule);
/* Monotonic instant at which a delay ends, or INT64_MAX. */
int64_t slot_deadline(const struct slot *s, const struct slot_rule *rule);
/* Carries out the delay that ends first, at the instant of its end (wall: of its beginning, plus the delay,
 * so that a step of the clock between does not shift it). False: none runs. */
bool slot_expire(struct slot *s, const struct slot_rule *rule, struct level_move *move);

#endif
