/* The order in which points are worked out from points. */
#ifndef RG_MODEL_SITE_ORDER_H
#define RG_MODEL_SITE_ORDER_H

#include "model/site.h"

/* What a point is worked out from, beside its own reading: the operands of `derived`, or the temperature and the barometer
 * of `convert`, in that order. */
size_t site_operand_count(const struct site_point *point);
const struct site_operand *site_operand(const struct site_point *point, size_t index);

/* How many points stand below each on the longest way down: 0 for one that is only read. level: [site->point_count].
 * RG_EINVAL: a cycle, or more than SITE_DEPTH_MAX; then those above SITE_DEPTH_MAX are on it or above it. Looks at each
 * point at most SITE_DEPTH_MAX + 2 times. */
RG_NODISCARD enum rg_err site_order(const struct site *site, uint32_t *level);

/* How often each point gets a new reading, milliseconds: its device's period; of one that is worked out the longest of what
 * it is worked out from (0: from numbers only). poll: [site->point_count]. There is no cycle. */
void site_polls(const struct site *site, int64_t *poll);

#endif
