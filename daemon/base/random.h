/* A small seeded generator (splitmix64) for jitter and tests; not for secrets. Pure. */
#ifndef RG_BASE_RANDOM_H
#define RG_BASE_RANDOM_H

#include <stdint.h>

struct rg_random {
    uint64_t state;
};

void random_seed(struct rg_random *r, uint64_t seed);
uint64_t random_next(struct rg_random *r);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t random_below(struct rg_random *r, uint64_t bound);
double random_unit(struct rg_random *r); /* uniform in [0, 1) */
/* A seed from the system (getrandom), falling back to clock and pid. */
uint64_t random_system_seed(void);

#endif
