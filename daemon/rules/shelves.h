/* Shelving: a person takes the sound, the light and the place in the list from one occurrence, for a time (ISA-18.2). It
 * counts for levels and risk as before. It ends at its instant, by a person, by an escalation, or with the alarm. How many
 * are shelved is a matter of people's hands, so the next end is found by a look at all that are active. */
#ifndef RG_RULES_SHELVES_H
#define RG_RULES_SHELVES_H

#include <stdint.h>

#include "model/moment.h"
#include "rules/alarms.h"

#define SHELVES_ESCALATED "escalated"

struct rules;

/* Ends an occurrence's shelving and tells of it: by a person, or (by is NULL) otherwise. */
void shelves_end(struct rules *r, struct occurrence *o, const char *by, const char *comment,
                 struct moment at);
/* The wall clock was set: the time of day at which each ends is another one now. */
void shelves_clock_set(struct rules *r);
/* Renews the deadline after one was shelved or let go. */
void shelves_schedule(struct rules *r);
/* Ends those whose instant is the deadline. */
void shelves_expire(struct rules *r);
/* A restored one: it goes on until the time of day it was to end at, though no longer than a shelving may last from now; if
 * that is past, it ends now. */
void shelves_start(struct rules *r, struct occurrence *o, struct moment now);
/* After a reload: it ends at the instant it was to end, though the clock was set meanwhile, but not later than
 * shelves_start allows. Nothing if one of the two is not shelved, or they are two occurrences. */
void shelves_inherit(struct rules *r, struct occurrence *o, const struct occurrence *old);

#endif
