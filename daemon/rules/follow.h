/* What the outputs of a site follow: for each, how many alarms of each level are active in its area (and below it) or of
 * its rule, kept step by step. Left out are:
 * - shelved alarms: shelving silences outputs (contract §3);
 * - the faults of outputs on the same module: they could only switch it when it answers again, for the moment in which
 *   they have not cleared yet. */
#ifndef RG_RULES_FOLLOW_H
#define RG_RULES_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/level.h"
#include "model/site.h"

/* What an alarm belongs to. */
struct follow_origin {
    uint32_t area;   /* or SITE_NONE */
    uint32_t rule;   /* or SITE_NONE: silence, fault */
    uint32_t module; /* of an output's fault: its device; else SITE_NONE */
};

struct follow_output {
    uint32_t active[LEVEL_COUNT]; /* [LEVEL_NONE] unused */
    uint64_t announced;           /* alarms raised or escalated to its `from` or higher so far */
};

struct follow {
    const struct site *site;
    struct follow_output *outputs; /* [site.output_count] */
};

/* site must outlive it. RG_ENOMEM. */
RG_NODISCARD enum rg_err follow_create(struct follow *f, const struct site *site);
void follow_destroy(struct follow *f); /* takes a zeroed one */
/* An alarm that is not shelved went from one level to another; LEVEL_NONE: it is not active, or shelved. told: to people,
 * just now; false when it is put back after a restart. O(outputs * depth of the tree). */
void follow_move(struct follow *f, const struct follow_origin *origin, enum level was, enum level now,
                 bool told);
enum level follow_level(const struct follow *f, uint32_t output, uint64_t *announced);

#endif
