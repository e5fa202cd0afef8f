/* The risk tree: how many alarms of each level are active in each area and below it, kept step by step. */
#ifndef RG_RULES_RISK_H
#define RG_RULES_RISK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/level.h"
#include "model/site.h"

struct risk_node {
    uint32_t parent;              /* or SITE_NONE */
    uint32_t active[LEVEL_COUNT]; /* [LEVEL_NONE] unused */
};

struct risk {
    size_t count;
    struct risk_node *nodes; /* by area */
    struct risk_node total;  /* alarms without an area included */
};

/* Parents come from the site's areas and never form a cycle. RG_ENOMEM. */
RG_NODISCARD enum rg_err risk_create(struct risk *risk, const struct site *site);
void risk_destroy(struct risk *risk); /* takes a zeroed one */
/* An alarm of this area (or SITE_NONE) went from one level to another; LEVEL_NONE: it is not active. O(depth
 * of the tree). */
void risk_move(struct risk *risk, uint32_t area, enum level was, enum level now);
/* The highest active level in the area and below it; SITE_NONE: of all. *alarms (may be NULL): how many are
 * active. An area that is not there has none. */
enum level risk_level(const struct risk *risk, uint32_t area, size_t *alarms);

#endif
