/* What a rule judges: the value of its signal at one instant, and how much of it is known. */
#ifndef RG_RULES_READING_H
#define RG_RULES_READING_H

#include "model/sample.h"

enum reading_trust {
    READING_BAD,      /* nothing is known; the value is not to be used */
    READING_GOOD,     /* it is the value */
    READING_AT_LEAST, /* it is that or more: passes `above` limits only */
    READING_AT_MOST,  /* it is that or less: passes `below` limits only */
};

struct reading {
    double value;
    enum reading_trust trust;
};

static inline struct reading reading_of(const struct sample *sample)
{
    return (struct reading){sample->value, sample->quality == QUALITY_GOOD ? READING_GOOD : READING_BAD};
}

#endif
