/* An alarm's occurrence and its transitions (ISA-18.2 / OPC UA Part 9 in the contract's words). */
#ifndef RG_MODEL_ALARM_H
#define RG_MODEL_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "model/level.h"
#include "model/moment.h"
#include "base/text.h"

#define ALARM_ID_MAX (TEXT_ID_MAX + 24)      /* <gateway id>-<number> and the NUL */
#define POINT_NAME_MAX (2 * TEXT_ID_MAX + 2) /* device.point and the NUL */
#define ALARM_WHO_MAX 128
#define ALARM_COMMENT_MAX 512

#define SHELVE_MAX_STANDARD_MS (8 * 3600 * INT64_C(1000)) /* one shift */

#define RULE_OFFLINE "offline" /* the rule name of a device's silence */
#define RULE_OUTPUT "output"   /* the rule name of an output that cannot be brought to its state */
#define RULE_SELF_TEST                                                                                       \
    "self_test" /* the rule name of a self test that did not come through an uplink, and of the test alarm itself */
#define RULE_DOUBT "doubt" /* the rule name of a point whose readings are not to be believed */

enum alarm_event {
    ALARM_RAISE,
    ALARM_ESCALATE,
    ALARM_DEESCALATE,
    ALARM_CLEAR,
    ALARM_ACK,
    ALARM_SHELVE,
    ALARM_UNSHELVE,
    ALARM_SUPPRESS,
    ALARM_UNSUPPRESS,
};

const char *alarm_event_name(enum alarm_event event);

/* One occurrence, from raise to clear: what the store keeps beside the stream so that it survives a restart. */
struct alarm {
    char id[ALARM_ID_MAX]; /* unique for ever on this gateway */
    char rule[TEXT_ID_MAX + 1];
    char point
        [POINT_NAME_MAX]; /* "device.point"; the device's name for `offline`, the output's for `output`; empty: a vote's */
    char area[TEXT_ID_MAX + 1]; /* empty: none */
    enum level level;           /* now; LEVEL_NONE once cleared */
    enum level highest;         /* that it ever stood at: who hears of it goes by that */
    bool acked;
    bool shelved;
    bool suppressed;   /* its rule is not armed: it stands, but counts for no level and no output */
    bool first_out;    /* nothing else was active in its area (and below) when it was raised */
    int64_t raised_ms; /* wall */
    int64_t
        raised_mono_ms; /* monotonic; of one from before the start as far as the wall clock tells; 0: not worked out yet */
    int64_t cleared_ms;       /* wall; 0: active */
    int64_t acked_ms;         /* wall; 0: not yet */
    int64_t shelved_until_ms; /* wall; when shelving ends by itself */
    char acked_by[ALARM_WHO_MAX];
};

/* One transition, as it becomes a record of the alarm stream. All pointers are borrowed for the length of the call. */
struct alarm_change {
    enum alarm_event event;
    struct moment at; /* the instant the rule gives, not when the loop came round to it */
    enum level was;
    const struct alarm *alarm; /* after the transition */
    bool has_value;            /* value is the reading that led to it */
    double value;
    bool single; /* the value came from an f32 (for its shortest text) */
    bool has_limit;
    double limit;        /* the limit of the level reached (raise, escalate) or left (deescalate, clear) */
    const char *unit;    /* or NULL */
    const char *label;   /* of the device, or of the output for `output`; or NULL */
    const char *message; /* of the rule, or NULL */
    const char *const *points; /* full names of a vote's members; NULL: no vote */
    size_t point_count;
    const char
        *decider;   /* of a vote: the full name of the member that decided, whose the value is; or NULL */
    const char *by; /* who acted, or NULL */
    bool test;      /* of a self test: no alarm at all */
    const char *comment; /* or NULL */
};

#endif
