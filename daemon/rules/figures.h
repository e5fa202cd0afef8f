/* How much the alarms ask of the people who must answer them: the figures of ISA-18.2 / IEC 62682, clause 16 (alarm rate,
 * peak, flood, chattering, most frequent). Pure; fixed memory, taken at creation; time is an argument.
 *
 * What is counted is the raise: the announcement of a new occurrence. Where a figure has a limit it is the standard's:
 *  - flood: begins when more than 10 alarms were raised within 10 minutes and ends when fewer than 5 were;
 *  - chattering: an alarm that was raised three times within 60 s, until 60 s pass without a raise;
 *  - most frequent: the ten alarms that were raised most, and their share of all.
 * The last 10 minutes are counted by whole seconds: a raise counts in its own second and the 599 after it. */
#ifndef RG_RULES_FIGURES_H
#define RG_RULES_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/moment.h"

#define FIGURES_SPAN_S 600
#define FIGURES_FLOOD_ABOVE 10
#define FIGURES_FLOOD_BELOW 5
#define FIGURES_CHATTER_MS 60000
#define FIGURES_TOP 10

struct figures_owner {
    int64_t last_ms; /* monotonic: its last raise */
    uint32_t raises;
    uint16_t gap_ms; /* between its last two, at most UINT16_MAX; that too before the second */
    bool chattering; /* so at its last raise */
};

struct figures_window {
    int64_t second;                 /* the newest cell's, since the start */
    uint16_t cells[FIGURES_SPAN_S]; /* raises of each second, by second % FIGURES_SPAN_S */
    uint32_t sum;
    bool flood;
    int64_t flood_since_ms; /* after the start */
    uint32_t floods;        /* begun so far */
    int64_t flooded_ms;     /* in those that are over */
};

struct figures {
    struct moment since; /* what is counted began here */
    struct figures_window window;
    uint64_t raises;
    uint32_t peak; /* most raises in any 10 minutes */
    int64_t peak_wall_ms;
    struct figures_owner *owners;
    uint32_t owner_count;
    uint32_t *raised; /* owners that ever raised, in the order of their first */
    uint32_t raised_count;
};

/* One of the most frequent, or of those that chatter. */
struct figures_alarm {
    uint32_t owner;
    uint32_t raises;
};

/* As rules_figures gives it; times of the wall clock are 0 when there is none. */
struct figures_report {
    int64_t since_ms; /* wall: what is counted began here */
    uint64_t raises;
    uint32_t per_10min;       /* raises in the 10 minutes up to now */
    uint32_t peak_10min;      /* most in any 10 minutes */
    int64_t peak_ms;          /* wall: when the peak was reached */
    double per_hour, per_day; /* averages; of less than an hour or a day: what was raised so far */
    bool flood;               /* now */
    int64_t flood_since_ms;   /* wall: of the one that lasts */
    uint32_t floods;          /* begun so far */
    double flood_share;       /* of the time */
    uint32_t chattering;      /* alarms that do so now */
    struct figures_alarm top[FIGURES_TOP]; /* most raises first, equal ones by owner */
    uint32_t top_count;
    double top_share; /* of all raises; 0: there are none */
};

/* owner_count: alarms are told apart by 0 .. owner_count - 1. RG_ENOMEM. */
RG_NODISCARD enum rg_err figures_create(struct figures *f, uint32_t owner_count);
void figures_destroy(struct figures *f); /* takes a zeroed or half-built one */
/* Counting begins. */
void figures_start(struct figures *f, struct moment now);
/* An alarm was raised; an instant before one already told counts as that. */
void figures_raise(struct figures *f, uint32_t owner, struct moment at);
/* O(owners that ever raised); changes nothing. */
void figures_read(const struct figures *f, struct moment now, struct figures_report *out);
bool figures_chatters(const struct figures *f, uint32_t owner, struct moment now);
/* Calls cb for each alarm that chatters now, in the order of their first raises. */
void figures_each_chattering(const struct figures *f, struct moment now,
                             void (*cb)(void *arg, const struct figures_alarm *alarm), void *arg);

/* Goes on where another stopped, for all alarms together, then owner by owner; f was started and has counted nothing yet. */
void figures_inherit(struct figures *f, const struct figures *from);
void figures_inherit_owner(struct figures *f, uint32_t owner, const struct figures *from, uint32_t old);
/* Bytes that figures_create takes for so many owners. */
uint64_t figures_memory(uint64_t owner_count);

#endif
