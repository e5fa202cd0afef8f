#include "plant/wave.h"

#include <math.h>

/* A walk nobody has asked for in a long time catches up over at most so many steps. */
#define WALK_STEPS_MAX 100000

uint64_t wave_hash(uint64_t seed, uint64_t index)
{
    uint64_t mixed = seed + (index + 1) * 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
}

double wave_random(uint64_t seed, uint64_t index)
{
    return (double)(wave_hash(seed, index) >> 11) / (double)(UINT64_C(1) << 52) - 1.0;
}

static double timeline_value(const struct wave *wave, int64_t t_us)
{
    const struct wave_segment *found = &wave->segments[0];
    for (size_t i = 1; i < wave->segment_count && wave->segments[i].at_us <= t_us; i++)
        found = &wave->segments[i];
    if (t_us <= found->at_us)
        return found->over_us > 0 ? found->from : found->to;
    int64_t passed = t_us - found->at_us;
    if (passed >= found->over_us)
        return found->to;
    return found->from + (found->to - found->from) * (double)passed / (double)found->over_us;
}

static double walk_value(const struct wave *wave, struct wave_state *state, int64_t t_us)
{
    int64_t due = t_us / wave->every_us;
    if (state->walked == 0)
        state->walk = wave->start;
    if (due - state->walked > WALK_STEPS_MAX)
        state->walked = due - WALK_STEPS_MAX;
    for (; state->walked < due; state->walked++) {
        double next = state->walk + wave->step * wave_random(state->seed, (uint64_t)state->walked);
        if (next > wave->most)
            next = fmax(wave->least, 2 * wave->most - next);
        if (next < wave->least)
            next = fmin(wave->most, 2 * wave->least - next);
        state->walk = next;
    }
    return state->walk;
}

static double counter_value(const struct wave *wave, int64_t t_us)
{
    int64_t steps = t_us / wave->every_us; /* whole ones */
    double value = wave->start + wave->step * (double)steps;
    return wave->wrap > 0 ? fmod(value, wave->wrap) : value;
}

static double clean_value(const struct wave *wave, struct wave_state *state, int64_t t_us, int64_t cycle_us)
{
    int64_t local = t_us - cycle_us;
    switch (wave->kind) {
    case WAVE_TIMELINE:
        return timeline_value(wave, local);
    case WAVE_SINE: {
        double turns = (double)(wave->restart ? local : t_us) / (double)wave->every_us;
        return wave->start + wave->step * sin(2 * M_PI * (turns + wave->phase));
    }
    case WAVE_WALK:
        return walk_value(wave, state, t_us);
    case WAVE_COUNTER:
        return counter_value(wave, wave->restart ? local : t_us);
    case WAVE_CONSTANT:
    case WAVE_RAW:
        break;
    }
    return wave->start;
}

double wave_value(const struct wave *wave, struct wave_state *state, int64_t t_us)
{
    int64_t cycle_us = wave->loop_us > 0 ? t_us - t_us % wave->loop_us : 0;
    for (size_t i = 0; i < wave->stuck_count; i++) {
        const struct wave_stuck *stuck = &wave->stuck[i];
        if (t_us - cycle_us >= stuck->from_us && t_us - cycle_us < stuck->to_us)
            t_us = cycle_us + stuck->from_us;
    }
    double value = clean_value(wave, state, t_us, cycle_us);
    if (wave->noise > 0)
        value += wave->noise * wave_random(~state->seed, (uint64_t)(t_us / wave->noise_us));
    return value;
}
