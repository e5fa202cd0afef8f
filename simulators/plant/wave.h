/* Signals: what a register's value is at a moment of the plant's time. Pure: time and seed are arguments, so a scenario
 * with the same seed plays the same plant however it is asked. */
#ifndef RG_PLANT_WAVE_H
#define RG_PLANT_WAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wave_kind {
    WAVE_CONSTANT, /* start */
    WAVE_RAW,      /* raw: the register's bits, without type and scale */
    WAVE_TIMELINE, /* segments; the first one's beginning before it, the last one's end after it */
    WAVE_SINE,     /* start + step * sin(2 pi (t / every + phase)) */
    WAVE_WALK,     /* start, then each `every` a change of at most step, thrown back at least and most */
    WAVE_COUNTER,  /* start + step for each `every` passed; modulo wrap when that is not 0 */
};

/* From `at` the value runs from `from` to `to` in `over`, then stays; a step has over 0. */
struct wave_segment {
    int64_t at_us, over_us;
    double from, to;
};

/* While from <= t < to the signal stands still at what it was at `from`: a stuck sensor. */
struct wave_stuck {
    int64_t from_us, to_us;
};

struct wave {
    enum wave_kind kind;
    double start, step, least, most, phase, wrap;
    int64_t every_us;
    uint64_t raw;
    const struct wave_segment *segments; /* ascending by at */
    size_t segment_count;
    int64_t loop_us;  /* timelines and stuck times repeat with it; 0: not at all */
    bool restart;     /* counters and sines begin anew with each loop as well */
    double noise;     /* at most this much is added or taken, evenly distributed, ... */
    int64_t noise_us; /* ... anew after each such time */
    const struct wave_stuck *stuck;
    size_t stuck_count;
};

/* What one register remembers. Zero is its beginning, but for the seed: different for each register. */
struct wave_state {
    uint64_t seed;
    double walk;
    int64_t walked; /* steps taken */
};

/* The value at t_us since the plant's start (>= 0), in engineering units. Not for WAVE_RAW. */
double wave_value(const struct wave *wave, struct wave_state *state, int64_t t_us);

/* A well-mixed number of seed and index (splitmix64's finisher), and the same as an even number in -1 .. 1. */
uint64_t wave_hash(uint64_t seed, uint64_t index);
double wave_random(uint64_t seed, uint64_t index);

#endif
