/* A rule as configured: which signal of which points it watches, from which limits on, when it is armed and how its alarm
 * behaves. Part of the site (model/site.h): filled by config/, immutable, all parts refer to each other by index. */
#ifndef RG_MODEL_SITE_RULE_H
#define RG_MODEL_SITE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/level.h"

struct jsonw;

/* What of a point a rule looks at. All but SIGNAL_VALUE look back over a window that ends with the newest sample. */
enum signal_kind {
    SIGNAL_VALUE,
    SIGNAL_RATE,  /* change per window length: (last - first) / (time between them) * window */
    SIGNAL_MEAN,  /* time-weighted, over what is covered */
    SIGNAL_SUM,   /* of the samples, each counted once */
    SIGNAL_MAX,   /* highest sample */
    SIGNAL_MIN,   /* lowest sample */
    SIGNAL_DELTA, /* what a counter has grown by; wrap and reset handled */
    SIGNAL_TWA,   /* time-weighted average exposure: sum of value * time, divided by the whole window */
    SIGNAL_FLAT,  /* 1: every sample of the window has the same value (within `band`); else 0 */
};
const char *signal_name(enum signal_kind kind); /* "value" "rate" ... as in the configuration */

#define SIGNAL_COVERAGE_STANDARD 0.75

struct site_signal {
    enum signal_kind kind;
    int64_t window_ms; /* 0: SIGNAL_VALUE */
    double
        coverage; /* 0 to 1: share of the window that good samples must cover, or the signal is not known */
    double band;  /* SIGNAL_FLAT: largest difference that still counts as unchanged; engineering units */
    double
        wrap; /* SIGNAL_DELTA: the counter's modulus in engineering units (65536 for a u16 read with scale 1); 0:
                        * it never wraps, so every step down is a reset */
};

/* A limit that follows another point: its last good value * times + plus. Not known while that point's quality is bad. */
struct site_reference {
    const uint32_t *points; /* [the rule's point_count]: what each watched point is compared with */
    double times, plus;
};

/* Armed only while this holds for the last good value of `points`; while that is not known the rule is armed. */
struct site_guard {
    const uint32_t *points; /* [the rule's point_count], the guard of each watched point; NULL: no guard */
    const double *is;       /* [is_count]: any of them */
    size_t is_count;
    bool has_above, has_below; /* value >= above, value <= below */
    double above, below;
};
/* What must hold, as members of the object that is open in w: "is" (list), "above", "below", those that are given. */
void site_guard_write(const struct site_guard *guard, struct jsonw *w);

/* What a member with bad quality does to a vote. */
enum vote_bad {
    VOTE_BAD_COUNTS, /* it votes with the others: `need` falls by one for each, but never below one good member */
    VOTE_BAD_HOLDS, /* it keeps the level that it had */
};

struct rule_is {
    double value;
    enum level level;
};

struct site_rule {
    const char *name;
    const char *message;    /* or NULL */
    const uint32_t *points; /* indices into site.points, ascending; of a vote: its members */
    size_t point_count;
    struct site_signal signal;
    bool has_above[LEVEL_COUNT], has_below[LEVEL_COUNT]; /* [LEVEL_NONE] is never set */
    double above[LEVEL_COUNT], below[LEVEL_COUNT];       /* of a limit that is a number */
    const struct site_reference *above_of[LEVEL_COUNT],
        *below_of[LEVEL_COUNT]; /* or NULL: it is a number; has_ is set in both cases */
    const struct rule_is *is;
    size_t is_count;
    double deadband; /* >= 0, engineering units */
    int64_t on_delay_ms, off_delay_ms;
    /* From this level on an alarm keeps its level until it is acknowledged; LEVEL_NONE: it does not latch. */
    enum level latch_from;
    uint32_t
        vote_need; /* 0: no vote, one alarm for each point; else one alarm for all, from this many members on */
    enum vote_bad vote_bad;
    struct site_guard guard;
    bool has_permit;
    uint32_t permit; /* armed only while it is open */
    const char *basis
        [LEVEL_COUNT]; /* standard and clause that a limit comes from, or NULL; [LEVEL_NONE]: of the whole rule */
    const char *where; /* "file:line" */
};

/* Work that is allowed for a time: a person opens it, and it closes by itself. */
struct site_permit {
    const char *name, *label; /* label or NULL */
    int64_t max_ms;           /* the longest it can be opened for */
    const char *where;
};

/* When a reading is not to be believed. Each kind raises the point's alarm of rule `doubt`. */
struct site_doubt {
    enum level level;  /* of the alarm; LEVEL_NONE: never */
    int64_t after_ms;  /* how long a doubt must last before it is raised */
    int64_t flat_ms;   /* unchanged (within flat_band) that long; 0: not looked at */
    double flat_band;  /* engineering units */
    bool has_rate;     /* between two good samples in a row */
    double rate_per_s; /* more than this either way is implausible; engineering units a second */
    bool has_twin;
    uint32_t twin;      /* another point that measures the same */
    double twin_within; /* they may differ by this much; engineering units */
};

/* How an area's own level is worked out from the alarms in it and below. */
enum area_aggregate {
    AGGREGATE_HIGHEST, /* the highest */
    AGGREGATE_GB39496, /* many of one kind count as a higher one: GB 39496-2020 5.5.4 */
};

#endif
