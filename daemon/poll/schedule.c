#include "poll/schedule.h"

/* The latest instant of the grid that is not after now. */
static int64_t instant_before(const struct grid *g, int64_t now_ms)
{
    const int64_t past_ms = (now_ms - g->offset_ms) % g->period_ms;

    return now_ms - (past_ms < 0 ? past_ms + g->period_ms : past_ms);
}

/* The first one that is not before now. */
static int64_t instant_from(const struct grid *g, int64_t now_ms)
{
    const int64_t before = instant_before(g, now_ms);

    return before == now_ms ? now_ms : before + g->period_ms;
}

void grid_start(struct grid *g, int64_t period_ms, int64_t offset_ms, int64_t now_ms)
{
    g->period_ms = period_ms;
    g->offset_ms = offset_ms;
    g->due_ms = instant_from(g, now_ms);
    if (g->due_ms - now_ms > SCHEDULE_FIRST_WITHIN_MS)
        g->due_ms = now_ms;
}

void grid_shift(struct grid *g, int64_t offset_ms, int64_t begun_ms, int64_t now_ms)
{
    const int64_t before_ms = now_ms - g->period_ms > begun_ms ? now_ms - g->period_ms : begun_ms;

    g->offset_ms = offset_ms;
    g->due_ms = instant_from(g, before_ms + g->period_ms / 2);
}

void grid_resume(struct grid *g, int64_t now_ms)
{
    g->due_ms = instant_before(g, now_ms) + g->period_ms;
}

uint64_t grid_take(struct grid *g, int64_t now_ms, int64_t *late_ms)
{
    int64_t served = instant_before(g, now_ms);
    uint64_t skipped = 0;

    if (served > g->due_ms) {
        /* Rounded up: a first poll between two instants counts as one that was passed over. */
        skipped = (uint64_t)((served - g->due_ms + g->period_ms - 1) / g->period_ms);
    } else {
        served = g->due_ms;
    }
    *late_ms = now_ms - served;
    grid_resume(g, now_ms);
    if (skipped > 0 && g->due_ms - now_ms < g->period_ms / 2) {
        g->due_ms += g->period_ms;
        skipped++;
    }
    return skipped;
}

/* Keeps in *best the one that goes first; count: none yet. */
static void keep_first(const struct due *dues, size_t count, size_t *best, size_t i)
{
    if (*best == count || dues[i].at_ms < dues[*best].at_ms ||
        (dues[i].at_ms == dues[*best].at_ms && dues[i].answered_ms < dues[*best].answered_ms))
        *best = i;
}

struct choice schedule_choose(const struct due *dues, size_t count, int64_t now_ms,
                              enum schedule_before before)
{
    struct choice choice = {.found = false, .index = 0, .wake_ms = SCHEDULE_NEVER};
    size_t sound = count;
    size_t alive = count; /* of the sound ones, the one that answered last */
    size_t doubtful = count;
    size_t impatient = count;
    int64_t next_sound_ms = SCHEDULE_NEVER;

    for (size_t i = 0; i < count; i++) {
        const struct due *d = &dues[i];

        if (d->at_ms > now_ms) {
            choice.wake_ms = d->at_ms < choice.wake_ms ? d->at_ms : choice.wake_ms;
            if (d->patience_ms == 0 && d->at_ms < next_sound_ms)
                next_sound_ms = d->at_ms;
        } else if (d->patience_ms == 0) {
            keep_first(dues, count, &sound, i);
            if (alive == count || d->answered_ms > dues[alive].answered_ms)
                alive = i;
        } else {
            keep_first(dues, count, &doubtful, i);
            if (now_ms - d->at_ms > d->patience_ms)
                keep_first(dues, count, &impatient, i);
        }
    }
    if (before == SCHEDULE_UNANSWERED && alive != count)
        choice.index = alive;
    else if (impatient != count)
        choice.index = impatient;
    else if (sound != count)
        choice.index = sound;
    else if (doubtful != count &&
             (before == SCHEDULE_ANSWERED || next_sound_ms - now_ms >= dues[doubtful].cost_ms))
        choice.index = doubtful;
    else
        choice.index = count;
    choice.found = choice.index != count;
    return choice;
}
