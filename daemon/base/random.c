#include "base/random.h"

#include <sys/random.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"

void random_seed(struct rg_random *r, uint64_t seed)
{
    r->state = seed;
}

/* splitmix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */
uint64_t random_next(struct rg_random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t random_below(struct rg_random *r, uint64_t bound)
{
    uint64_t skip;
    uint64_t draw;

    if (bound == 0)
        return 0;
    /* The lowest 2^64 mod bound draws are thrown away: the rest divides evenly. */
    skip = (0 - bound) % bound;
    do
        draw = random_next(r);
    while (draw < skip);
    return draw % bound;
}

double random_unit(struct rg_random *r)
{
    return (double)(random_next(r) >> 11) * 0x1p-53;
}

uint64_t random_system_seed(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        struct rg_random r;

        random_seed(&r, (uint64_t)clock_mono_us() ^ ((uint64_t)clock_wall_ms() << 20) ^
                            ((uint64_t)getpid() << 44));
        seed = random_next(&r);
    }
    return seed;
}
