/* What an alarm stream comes to, rule by rule: how many alarms, how long, at which levels, and how much of it was chatter. And what two of
 * them have in common: two configurations on the same past. Pure. */
#ifndef RG_REPLAY_TALLY_H
#define RG_REPLAY_TALLY_H

#include "model/alarm.h"
#include "replay/names.h"

/* An owner chatters that raises so often in so long (ISA-18.2, 16.5.3: three or more in one minute). */
#define TALLY_CHATTER_RAISES 3
#define TALLY_CHATTER_MS 60000

#define TALLY_NONE UINT32_MAX

struct tally_alarm {
    uint32_t rule, owner;    /* names.devices: the rule; names.points: the point */
    uint32_t next;           /* of the same owner, or TALLY_NONE */
    int64_t from_ms, to_ms;  /* wall, within what is counted */
    bool began, ended;       /* within it; else it stood before, or stands after */
    enum level highest;      /* within it */
    int64_t ms[LEVEL_COUNT]; /* how long at each level; [LEVEL_NONE]: suppressed */
};

struct tally_rule {
    uint64_t alarms;          /* that were active within what is counted */
    uint64_t raises;          /* that began in it */
    uint64_t by[LEVEL_COUNT]; /* alarms by the highest level they reached */
    int64_t ms[LEVEL_COUNT];  /* sum over its alarms */
    uint64_t chatter;         /* how often one of its alarms began to chatter */
};

struct tally {
    int64_t from_ms, to_ms; /* wall: what is counted; to_ms 0: to the end */
    struct names names;     /* rules (as devices) and their points */
    struct tally_rule *rules;
    struct tally_owner *owners;
    struct tally_alarm *alarms; /* in order of their raise */
    size_t rule_room, owner_room, alarm_count, alarm_room;
    uint64_t changes; /* within what is counted */
    enum rg_err error;
};

void tally_init(struct tally *t, int64_t from_ms, int64_t to_ms);
void tally_free(struct tally *t);
/* True: it lies within what is counted. */
bool tally_change(struct tally *t, const struct alarm_change *change);
/* The past ends here (wall): what still stands is counted up to then. t->error: RG_OK, or RG_ENOMEM, RG_EFULL and nothing holds. */
void tally_end(struct tally *t, int64_t end_ms);
const char *tally_rule_name(const struct tally *t, uint32_t rule);
const char *tally_point_name(const struct tally *t, uint32_t owner);
/* The number of a rule, or TALLY_NONE: it raised nothing. */
uint32_t tally_find(const struct tally *t, const char *rule);

/* Which alarms of one past are in the other: of the same rule and point, with some time in common. */
struct tally_versus {
    void *arg;
    /* One is NULL when it has no counterpart. Both: the highest levels may differ. In order of rule, point and time. */
    void (*cb)(void *arg, const struct tally_alarm *before, const struct tally_alarm *after);
};
void tally_compare(const struct tally *before, const struct tally *after, const struct tally_versus *versus);

#endif
