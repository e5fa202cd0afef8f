/* The alarms that stand between two runs, or before the first: what the store's table of occurrences held then. Private to this folder. */
#ifndef RG_REPLAY_STANDING_H
#define RG_REPLAY_STANDING_H

#include "base/json_read.h"
#include "model/alarm.h"
#include "rules/rules.h"

struct standing {
    struct alarm *alarms;
    size_t count, room;
    uint64_t next_alarm; /* one more than the highest number seen in a record */
    enum rg_err error;
};

void standing_free(struct standing *s); /* takes a zeroed one */
/* A recorded transition. False: out of memory. */
RG_NODISCARD bool standing_note(struct standing *s, const struct json *note, int64_t ts);
/* The same as the transition that it was, of *alarm, which holds its texts: what a tally counts by. False: none of ours, or of a self test. */
bool standing_change(const struct json *note, struct moment at, struct alarm *alarm,
                     struct alarm_change *out);
/* Those of an engine, instead of what was there. RG_ENOMEM. */
RG_NODISCARD enum rg_err standing_take(struct standing *s, const struct rules *r);
/* In the order in which the store gives them to the daemon: by the time of the raise, then by id. */
void standing_sort(struct standing *s);

#endif
