/* Readings to the rules that watch their point. */
#include "rules/engine.h"

void engine_judge(struct rules *r, uint32_t watched, const struct reading *reading, struct moment at)
{
    struct watched *w = &r->watched[watched];
    bool steady = w->slot.phase == SLOT_STEADY;
    struct level_move move;
    struct verdict verdict;
    bool moved;

    if (w->vote != SITE_NONE) {
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
        engine_schedule(r, watched);
    if (moved)
        engine_carry_out(r, watched, &move);
}

/* What nearly every reading is for nearly every rule: good, at no level, without an alarm, and nothing follows from it. Then
 * it is noted, as engine_judge would. */
static inline bool watch_quiet(struct watched *w, const struct reading *value, struct moment at)
{
    if (w->signal || w->vote != SITE_NONE || w->disarmed || value->trust != READING_GOOD ||
        !slot_is_quiet(&w->slot) || !condition_quiet(&w->condition, &w->conf->limits, value->value))
        return false;
    slot_take_quiet(&w->slot, at);
    return true;
}

void engine_watch(struct rules *r, const struct sample *sample, struct moment at)
{
    const struct reading value = reading_of(sample);
    const uint32_t end = r->first[sample->point + 1];

    for (uint32_t i = r->first[sample->point]; i < end; i++) {
        struct signal *signal;
        struct reading reading;

        if (watch_quiet(&r->watched[i], &value, at))
            continue;
        signal = r->watched[i].signal;
        reading = signal ? signal_sample(signal, sample, at.mono_ms) : value;
        engine_judge(r, i, &reading, at);
    }
}
