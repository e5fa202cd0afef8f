/* Takes readings to the doubts that they raise, end, or shed on others. */
#include "rules/engine.h"

static void go_on(struct rules *r, uint32_t index, bool moved, const struct level_move *move)
{
    uint32_t owner = engine_owner(r, OWNER_DOUBT, index);

    engine_schedule(r, owner);
    if (moved)
        engine_carry_out(r, owner, move);
}

void engine_doubt(struct rules *r, const struct sample *sample, struct moment at)
{
    struct heard *h = &r->heard[sample->point];
    const bool believed = doubt_believes(heard_quality(sample));
    struct doubted *one;
    struct level_move move;
    uint32_t index;
    bool steady, changed;

    if (h->doubt == HEARD_UNREAD && believed && heard_is(h, at))
        h->doubt = HEARD_RESTING;
    if (h->doubt == HEARD_UNDOUBTED || (h->doubt == HEARD_RESTING && believed))
        return;
    index = doubts_find(&r->doubts, sample->point);
    one = doubts_wake(&r->doubts, index, r->heard);
    steady = one->state.phase == DOUBT_STEADY;
    changed = doubt_sample(&one->state, &one->rule, sample, at, &one->twin, &move);
    if (!steady || one->state.phase != DOUBT_STEADY || changed)
        go_on(r, index, changed, &move);
    doubts_rest(&r->doubts, index, r->heard);
}

void engine_doubt_twins(struct rules *r, const struct sample *sample, struct moment at)
{
    for (uint32_t i = r->doubts.twins.first[sample->point]; i < r->doubts.twins.first[sample->point + 1];
         i++) {
        struct doubted *one = doubts_state(&r->doubts, r->doubts.twins.who[i]);
        struct level_move move;
        bool changed = doubt_twin(&one->state, &one->rule, at, &one->twin, &move);

        go_on(r, r->doubts.twins.who[i], changed, &move);
    }
}
