/* Why an alarm stands, why there is none, and what would have to happen: the engine's state laid open for people. A view: it
 * changes nothing, and it is never older than the engine. */
#ifndef RG_RULES_EXPLAIN_H
#define RG_RULES_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/alarm.h"
#include "model/level.h"
#include "model/moment.h"
#include "model/site.h"
#include "rules/doubt.h"
#include "rules/reading.h"
#include "rules/rules.h"

enum explain_kind {
    EXPLAIN_RULE,      /* a rule on a point */
    EXPLAIN_OFFLINE,   /* a device's silence */
    EXPLAIN_OUTPUT,    /* an output's fault */
    EXPLAIN_DOUBT,     /* a point that is not to be believed */
    EXPLAIN_SELF_TEST, /* an uplink that self tests have to come through */
};

/* What keeps the alarm as it is. */
enum explain_state {
    EXPLAIN_UNKNOWN, /* no good reading yet: what stood before the start stands */
    EXPLAIN_UNARMED, /* the rule is not armed: its guard does not hold or its permit is closed */
    EXPLAIN_QUIET,   /* no alarm, and readings give no level */
    EXPLAIN_HELD,    /* readings give the alarm's level */
    EXPLAIN_BAND,    /* readings are short of the limit, but not by more than the dead-band */
    EXPLAIN_RISING,  /* readings give a higher level: on-delays run */
    EXPLAIN_FROZEN,  /* as rising, but the last reading was bad: the next good one decides */
    EXPLAIN_FALLING, /* readings give a lower level: off-delays run */
    EXPLAIN_WAITING, /* readings gave a lower level, but the last was bad: the off-delay begins anew with a good one */
    EXPLAIN_LATCHED, /* readings give a lower level, but the alarm stands until it is acknowledged */
    EXPLAIN_SILENT,  /* a device is not heard: its alarm stands */
    EXPLAIN_HEARD,   /* it is: the wait for its silence runs */
    EXPLAIN_FAULTY,  /* an output cannot be brought to its state, the last self test did not come through */
    EXPLAIN_WELL,    /* it can, it did */
};
const char *explain_state_name(enum explain_state state); /* "unknown" ... in lower case */

enum explain_side { EXPLAIN_ABOVE, EXPLAIN_BELOW, EXPLAIN_IS };
const char *explain_side_name(enum explain_side side); /* "above" "below" "is" as in the configuration */

/* One condition of the rule. */
struct explain_limit {
    enum level level; /* that it gives */
    enum explain_side side;
    double limit; /* at which it begins to give it; NAN: it follows a point that is not known now */
    const struct site_reference *of; /* what it follows, or NULL */
    uint32_t of_point;               /* the point it follows, or SITE_NONE */
    bool holds;                      /* the last good value is at it or past it */
    bool reached;      /* its level counts as reached on this side, so that the dead-band holds it ... */
    double leaves;     /* ... until a reading is past this */
    const char *basis; /* standard and clause, or NULL */
};

#define EXPLAIN_LIMITS 64 /* most that are shown; a rule may have more `is` */

/* A delay that runs, or is frozen. */
struct explain_clock {
    enum level level;    /* the alarm would get at its end */
    struct moment since; /* readings have been that high (or that low) */
    struct moment end;   /* unless a reading breaks it; of a frozen one its end is that of the delay alone */
};

struct explain {
    enum explain_kind kind;
    uint32_t rule;             /* or SITE_NONE */
    uint32_t point;            /* or SITE_NONE */
    uint32_t device;           /* the point's, the silent one, or the output's module; or SITE_NONE */
    uint32_t output;           /* or SITE_NONE */
    uint32_t uplink;           /* or SITE_NONE */
    const struct alarm *alarm; /* its active occurrence, or NULL; borrowed for the length of the call */
    enum explain_state state;
    enum level level; /* the alarm's */
    enum level seen;  /* what the last good reading gives, dead-band included */
    bool has_value;
    double value;             /* of the rule's signal, when it was last known */
    bool bad;                 /* the last reading was not good */
    enum reading_trust trust; /* what the last reading told: nothing, the value, a bound of it */
    bool windowed;            /* the rule looks back over a window: ... */
    int64_t covered_ms,
        need_ms; /* ... how much of it is covered, at the last good sample; how much must be */
    bool unguarded, unpermitted; /* the rule is not armed: its guard does not hold, its permit is closed */
    uint32_t guard;              /* the point that guards it, or SITE_NONE */
    int64_t permit_until;        /* monotonic; INT64_MIN: closed, or it needs none */
    size_t limit_count;
    struct explain_limit limits[EXPLAIN_LIMITS]; /* above, below, is; each by falling level */
    size_t clock_count;
    struct explain_clock clocks[LEVEL_COUNT]; /* the next one to end first */
    /* OFFLINE: heard last, or when the wait began; it raises at `due` unless it is heard. */
    struct moment heard, due;
    bool has_due;
    char doubt[DOUBT_TEXT_MAX]; /* DOUBT: the signs that show, or that were not seen to end; else empty */
};

typedef void (*rules_explain_cb)(void *arg, const struct explain *e);

/* Calls cb for all that watches what `name` names: an active alarm's id (that alarm alone), a point (its rules in order, then
 * its doubt and the silence of its device), a device (its silence), an output (its fault), an uplink (its self
 * tests). RG_ENOTFOUND: it names nothing; RG_ESTATE: before
 * rules_start. cb must not feed the engine. */
RG_NODISCARD enum rg_err rules_explain(const struct rules *r, const char *name, rules_explain_cb cb,
                                       void *arg);

#endif
