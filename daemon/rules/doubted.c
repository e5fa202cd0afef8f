/* Takes readings to the doubts that they raise, end, or shed on others. */
#include "rules/engine.h"

#include <math.h>

static void go_on(struct rules *r, uint32_t index, bool moved, const struct level_move *move)
{
    uint32_t owner = engine_owner(r, OWNER_DOUBT, index);

    engine_schedule(r, owner);
    if (moved)
        engine_carry_out(r, owner, move);
}

void engine_doubt(struct rules *r, const struct sample *sample, struct moment at)
{
    uint32_t index = r->doubts.of[sample->point];
    struct doubted *one;
    struct level_move move;
    bool steady, changed;

    if (index == DOUBTS_NONE)
        return;
    one = &r->doubts.all[index];
    if (sample->quality == QUALITY_GOOD && isfinite(sample->value) &&
        doubt_quiet(&one->state, &one->rule, sample->value, at))
        return;
    steady = one->state.phase == DOUBT_STEADY;
    changed = doubt_sample(&one->state, &one->rule, sample, at, &one->twin, &move);
    if (!steady || one->state.phase != DOUBT_STEADY || changed)
        go_on(r, index, changed, &move);
}

void engine_doubt_twins(struct rules *r, const struct sample *sample, struct moment at)
{
    for (uint32_t i = r->doubts.twins.first[sample->point]; i < r->doubts.twins.first[sample->point + 1];
         i++) {
        struct doubted *one = &r->doubts.all[r->doubts.twins.who[i]];
        struct level_move move;
        bool changed = doubt_twin(&one->state, &one->rule, at, &one->twin, &move);

        go_on(r, r->doubts.twins.who[i], changed, &move);
    }
}
