#include "replay/steps.h"

#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

#define LOOK_MS 10000 /* far longer than it takes the daemon to see a setting */

/* A setting as it was told: how far, and what the clock showed after it. */
struct told {
    int64_t turn, step_ms;
    struct moment after;
};

static int64_t step_of(const struct history_entry *e)
{
    struct json *event = NULL;
    int64_t step = 0;

    if (json_parse(e->body, e->length, e->length, &event) == RG_OK)
        step = json_int(json_get(event, "step_ms"), 0);
    json_free(event);
    return step;
}

/* The last REPLAY_STEPS_MAX of them, in a ring. */
static enum rg_err read_told(const struct replay_past *past, int64_t before_turn,
                             struct told told[REPLAY_STEPS_MAX], size_t *seen, char *why)
{
    const struct history_wish wish = {.only_clock = true};
    struct replay_source source;
    struct history_entry entry;
    enum rg_err err = past->open(past->arg, &wish, &source, why);

    if (err != RG_OK)
        return err;
    while ((err = source.next(source.arg, &entry)) == RG_OK && entry.turn < before_turn) {
        int64_t step;

        if (entry.stream != STREAM_EVENT || strcmp(entry.kind, "clock") != 0 || (step = step_of(&entry)) == 0)
            continue;
        told[*seen % REPLAY_STEPS_MAX] = (struct told){entry.turn, step, {entry.mono, entry.ts}};
        ++*seen;
    }
    if (err != RG_OK && err != RG_ENOTFOUND)
        (void)text_copy(why, REPLAY_WHY, source.why(source.arg));
    past->close(past->arg, &source);
    return err == RG_ENOTFOUND ? RG_OK : err;
}

enum rg_err replay_steps_read(struct replay_steps *s, const struct replay_past *past, struct moment start,
                              int64_t back_ms, int64_t before_turn, char *why)
{
    struct told told[REPLAY_STEPS_MAX];
    size_t seen = 0, kept;
    int64_t shift = 0;
    enum rg_err err = read_told(past, before_turn, told, &seen, why);

    *s = (struct replay_steps){0};
    if (err != RG_OK)
        return err;
    kept = seen < REPLAY_STEPS_MAX ? seen : REPLAY_STEPS_MAX;
    /* From the newest on backwards: what a clock showed after one setting is placed by those after it. */
    for (size_t i = 0; i < kept; i++) {
        const struct told *t = &told[(seen - 1 - i) % REPLAY_STEPS_MAX];

        if (start.wall_ms - (t->after.wall_ms + shift) > back_ms)
            return RG_OK;
        if (t->step_ms > REPLAY_STEP_MOST_MS || t->step_ms < -REPLAY_STEP_MOST_MS) {
            s->barrier_turn = t->turn;
            return RG_OK;
        }
        shift += t->step_ms;
        memmove(&s->steps[1], &s->steps[0], s->count * sizeof s->steps[0]);
        s->steps[0].turn = t->turn;
        s->steps[0].after = t->after;
        s->steps[0].shift_ms = shift;
        s->count++;
        s->most_ms = shift > s->most_ms ? shift : s->most_ms;
    }
    if (seen > kept && kept > 0)
        s->barrier_turn = s->steps[0].turn;
    return RG_OK;
}

/* The daemon looks at the clock once a second: what was taken in between the setting and the look has the new clock. */
static bool is_after(const struct history_entry *record, int64_t turn, struct moment told)
{
    struct moment at = {record->mono, record->ts};

    if (record->turn >= turn)
        return true;
    return at.mono_ms <= told.mono_ms && at.mono_ms > told.mono_ms - LOOK_MS &&
           moment_told(at, told).wall_ms == at.wall_ms;
}

bool replay_steps_place(const struct replay_steps *s, const struct history_entry *record, int64_t *out)
{
    *out = record->ts;
    if (record->turn < s->barrier_turn)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (!is_after(record, s->steps[i].turn, s->steps[i].after)) {
            *out = record->ts + s->steps[i].shift_ms;
            break;
        }
    }
    return true;
}
