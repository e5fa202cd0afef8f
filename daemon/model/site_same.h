/* What goes on over a reload: which points of a new site mean the same as in the old one. */
#ifndef RG_MODEL_SITE_SAME_H
#define RG_MODEL_SITE_SAME_H

#include "model/site.h"

/* The same unit at the end of the same line; or both are worked out on the gateway. */
bool site_same_device(const struct site *a, uint32_t of_a, const struct site *b, uint32_t of_b);

/* For each point of a, the point of b that has the same name and whose values mean the same, or SITE_NONE: it is read
 * from the same device at the same place in the same coding and converted alike, or worked out alike from points that
 * mean the same. in_b: [a->point_count]. RG_ENOMEM. */
RG_NODISCARD enum rg_err site_same_points(const struct site *a, const struct site *b, uint32_t *in_b);

#endif
