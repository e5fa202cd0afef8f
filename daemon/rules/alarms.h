/* The active occurrences: identity, life cycle, acknowledgement. A fixed pool, listed oldest first.
 *
 * Life of one occurrence: open -> any number of moves -> unlist (cleared, told for the last time) ->
 * release.
 * Acknowledgement belongs to what was announced: an escalation is a new announcement and takes it back
 * (ISA-18.2: an alarm re-annunciated at a higher priority is unacknowledged); stepping down and clearing
 * keep it. */
#ifndef RG_RULES_ALARMS_H
#define RG_RULES_ALARMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/alarm.h"
#include "rules/move.h"

#define ALARMS_NONE UINT32_MAX /* no occurrence; no owner */

struct occurrence {
    struct alarm alarm;
    uint32_t owner;           /* whose alarm it is, or ALARMS_NONE */
    enum level counted;       /* in the risk tree */
    enum level followed;      /* by the outputs */
    int64_t shelved_until_ms; /* monotonic; of a shelved one */
    uint32_t prev, next;      /* in the list; next also links free ones */
};

struct alarms {
    struct occurrence *pool;
    uint32_t capacity;
    uint32_t used; /* entries of the pool ever taken: the rest has never been touched and costs no memory */
    uint32_t free; /* first of those given back, or ALARMS_NONE */
    uint32_t oldest, newest;
    const char *gateway; /* id, borrowed */
    uint64_t next;       /* number of the next occurrence */
};

/* gateway must outlive it. RG_ENOMEM. */
RG_NODISCARD enum rg_err alarms_create(struct alarms *a, uint32_t capacity, const char *gateway,
                                       uint64_t next);
void alarms_destroy(struct alarms *a); /* takes a zeroed one */

/* A new occurrence of a rule on a point (area may be NULL), with the next number; or ALARMS_NONE when the
 * pool is full. */
uint32_t alarms_open(struct alarms *a, uint32_t owner, const char *rule, const char *point, const char *area,
                     const struct level_move *move);
/* An occurrence from before the start, kept as it is but for its area (may be NULL); ALARMS_NONE when the
 * pool is full. Its number will not be given out again. */
uint32_t alarms_restore(struct alarms *a, uint32_t owner, const struct alarm *alarm, const char *area);
/* Puts restored occurrences into the order of their raise. */
void alarms_sort(struct alarms *a);

/* Carries a move out on an open occurrence; tells which event it is. */
enum alarm_event alarms_move(struct occurrence *o, const struct level_move *move);
/* Takes a cleared occurrence off the list; it stays readable until it is released. */
void alarms_unlist(struct alarms *a, uint32_t index);
void alarms_release(struct alarms *a, uint32_t index);

/* RG_EINVAL: by is empty or does not fit an alarm, or comment (may be NULL) does not. */
RG_NODISCARD enum rg_err alarms_who(const char *by, const char *comment);
/* by was looked at. RG_EEXIST: acknowledged already. */
RG_NODISCARD enum rg_err alarms_ack(struct occurrence *o, const char *by, struct moment now);

/* By id; ALARMS_NONE: not active. A scan: acknowledging is done by people. */
uint32_t alarms_find(const struct alarms *a, const char *id);

#endif
