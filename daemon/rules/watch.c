/* Readings to the rules that watch their point. */
#include "rules/decimal.h"
#include "rules/engine.h"

static inline void judge(struct rules *r, uint32_t watched, struct watched *w, const struct reading *reading,
                         struct moment at)
{
    bool steady = w->slot.phase == SLOT_STEADY;
    struct level_move move;
    struct verdict verdict;
    bool moved;

    if (w->more != SITE_NONE && r->more[w->more].vote != SITE_NONE) {
        votes_take(r, watched, reading, at);
        return;
    }
    if (w->disarmed) {
        condition_note(&w->condition, reading);
        slot_pass(&w->slot, at);
        return;
    }
    verdict = condition_judge(&w->condition, &w->conf->limits, (enum level)w->slot.level, reading);
    moved = slot_take(&w->slot, &w->conf->delays, verdict, at, &move);
    if (!steady || w->slot.phase != SLOT_STEADY)
        deadlines_set(&r->deadlines, watched, slot_deadline(&w->slot, &w->conf->delays));
    if (moved)
        engine_carry_out(r, watched, &move);
}

void engine_judge(struct rules *r, uint32_t watched, const struct reading *reading, struct moment at)
{
    judge(r, watched, watched_state(r, watched), reading, at);
}

/* A sample for a slot that is awake. */
static void judge_awake(struct rules *r, uint32_t watched, const struct sample *sample, struct moment at)
{
    struct watched *w = watched_state(r, watched);
    struct signal *signal = w->more != SITE_NONE ? r->more[w->more].signal : NULL;
    struct reading reading = signal ? signal_sample(signal, sample, at.mono_ms) : reading_of(sample);

    judge(r, watched, w, &reading, at);
    if (w->slot.phase == SLOT_STEADY && w->slot.level == LEVEL_NONE && w->more == SITE_NONE)
        watched_rest(r, watched);
}

/* Whether a slot at rest goes on resting: the reading tells nothing, or is at no level. value: as it is compared. */
static bool rests_on(const struct rules *r, uint32_t slot, bool good, double value)
{
    const struct watched_band *band = &r->bands[slot];

    return !good || (value < band->max && value > band->min) ||
           (band->max < band->min && condition_rests(&r->confs[slot].limits, value));
}

/* A slot that the quick look does not pass over. */
static void look_at(struct rules *r, uint32_t watched, const struct sample *sample, double value,
                    struct moment at)
{
    const struct heard *h = &r->heard[sample->point];
    const bool good = h->quality == QUALITY_GOOD;
    uint32_t slot = r->slots[watched];

    if (!(slot & WATCHED_AWAKE)) {
        const bool first = (slot & WATCHED_UNREAD) != 0;

        if ((!first || heard_is(h, at)) && rests_on(r, slot & WATCHED_INDEX, good, value)) {
            r->slots[watched] = slot & WATCHED_INDEX;
            return;
        }
        watched_wake_at(r, watched, sample->point);
    }
    judge_awake(r, watched, sample, at);
}

/* Of the slots from i on the first that is not at rest, or to which a good reading may mean something: what nearly every reading is
 * for nearly every rule has been noted with the point, and that is all. */
static inline uint32_t pass_over(const struct rules *r, uint32_t i, uint32_t end, double value)
{
    const uint32_t *slots = r->slots;
    const struct watched_band *bands = r->bands;

    while (i < end && slots[i] <= WATCHED_INDEX && value < bands[slots[i]].max && value > bands[slots[i]].min)
        i++;
    return i;
}

void engine_watch(struct rules *r, const struct sample *sample, struct moment at)
{
    struct heard *h = &r->heard[sample->point];
    const uint32_t end = h[1].first;
    double value;

    heard_note(h, sample, at);
    if (h->quality != QUALITY_GOOD || h->doubt >= HEARD_UNREAD)
        r->doubting = true;
    if (h->quality != QUALITY_GOOD) {
        for (uint32_t i = h->first; i < end; i++)
            look_at(r, i, sample, 0, at);
        return;
    }
    value = h->single ? decimal_precise(sample->value, true) : sample->value;
    for (uint32_t i = pass_over(r, h->first, end, value); i < end; i = pass_over(r, i + 1, end, value)) {
        if (r->slots[i] & WATCHED_AWAKE)
            judge_awake(r, i, sample, at);
        else
            look_at(r, i, sample, value, at);
    }
}
