/* Who depends on what: for each key (a point, a permit) those to look at when it changes, in the order in which they were
 * given. Built once. */
#ifndef RG_RULES_DEPEND_H
#define RG_RULES_DEPEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct depend_pair {
    uint32_t key, who;
};

struct depend {
    uint32_t *first; /* [keys + 1]: where each key's begin in who */
    uint32_t *who;
    uint32_t count; /* of who */
};

/* Keys of pairs are 0 .. keys - 1; a pair given twice in a row is one. RG_ENOMEM. */
RG_NODISCARD enum rg_err depend_create(struct depend *d, uint32_t keys, const struct depend_pair *pairs,
                                       size_t count);
void depend_destroy(struct depend *d); /* takes a zeroed one */

static inline bool depend_any(const struct depend *d, uint32_t key)
{
    return d->first[key] != d->first[key + 1];
}

#endif
