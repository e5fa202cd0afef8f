/* What was read of a point last. Nearly all slots of a point, and its doubt, are at rest nearly always: no alarm, no clock.
 * Then this is all that there is to know of them, and they share it: a reading that changes nothing is noted here once, whatever
 * the number of rules. Those that are not at rest have a state of their own (watched.h, doubts.h). */
#ifndef RG_RULES_HEARD_H
#define RG_RULES_HEARD_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/moment.h"
#include "model/sample.h"
#include "rules/reading.h"

/* How the doubt of a point stands. */
enum heard_doubt {
    HEARD_UNDOUBTED, /* it has none */
    HEARD_RESTING,   /* at rest */
    HEARD_UNREAD,    /* at rest, and no reading came to it yet */
    HEARD_AWAKE,     /* it has a state of its own */
};

struct heard {
    struct moment
        last;       /* of the last reading; mono INT64_MIN: there was none. Time never goes back before it */
    double value;   /* of the last good one */
    uint32_t first; /* the first of the point's slots; they end where those of the next point begin */
    uint8_t
        quality; /* enum quality: of the last; at first QUALITY_STALE; a good one that is not finite is QUALITY_SENSOR */
    uint8_t doubt;  /* enum heard_doubt */
    bool has_value; /* there was a good one */
    bool single;    /* of an unscaled f32: values are compared as floats */
};

static inline void heard_init(struct heard *h)
{
    *h = (struct heard){.last = {INT64_MIN, 0}, .quality = QUALITY_STALE};
}

/* A good one that is not finite is a fault of whoever let it through. */
static inline enum quality heard_quality(const struct sample *sample)
{
    return sample->quality == QUALITY_GOOD && !isfinite(sample->value) ? QUALITY_SENSOR : sample->quality;
}

/* A reading older than the last one is taken at the instant of that. */
static inline void heard_note(struct heard *h, const struct sample *sample, struct moment at)
{
    const enum quality quality = heard_quality(sample);

    if (at.mono_ms >= h->last.mono_ms)
        h->last = at;
    h->quality = (uint8_t)quality;
    if (quality != QUALITY_GOOD)
        return;
    h->value = sample->value;
    h->has_value = true;
}

/* Whether the reading of this instant that was noted just now is all that is known: for whom it is the first one, there was no other
 * before. */
static inline bool heard_is(const struct heard *h, struct moment at)
{
    return h->last.mono_ms == at.mono_ms && h->last.wall_ms == at.wall_ms &&
           (h->quality == QUALITY_GOOD || !h->has_value);
}

/* What a rule that looks at the value makes of the last one. */
static inline enum reading_trust heard_trust(const struct heard *h)
{
    return h->quality == QUALITY_GOOD ? READING_GOOD : READING_BAD;
}

#endif
