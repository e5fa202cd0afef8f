/* The lives of a gateway's alarms, from their records: what is active, and whether each step may follow the one before. */
#ifndef PLATFORM_ALARM_H
#define PLATFORM_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "level.h"

#define ALARM_KEPT 32768     /* alarms of a gateway that are followed at one time */
#define ALARM_ENDED_KEPT 256 /* alarms that ended and are still remembered */
#define UNSTORED_KEPT 64     /* alarms that came unstored and still wait for their records */

struct alarm_view {
    struct alarm_view *next;
    char *id, *rule, *point, *area, *label, *message, *unit; /* "" where there is none */
    enum platform_level level;                               /* as told last, stored or not */
    bool active, acked, shelved, has_value, test;
    double value;
    int64_t raised_ts;
    /* By its numbered records alone: */
    int64_t seq; /* of the newest; 0: none yet */
    enum platform_level proper_level;
    bool whole;       /* its raise was seen */
    int64_t asked_ms; /* whoever acknowledges it: when; 0: not yet */
};

struct alarm_book {
    struct alarm_view **buckets;
    size_t bucket_count, count, active, ended;
};

/* NULL: not known. */
struct alarm_view *alarm_find(const struct alarm_book *b, const char *id);
/* Finds it or makes it; NULL: no memory, or ALARM_KEPT are there. */
struct alarm_view *alarm_get(struct alarm_book *b, const char *id);
/* After active changed: keeps the counts, and forgets those that ended longest ago. */
void alarm_settle(struct alarm_book *b, struct alarm_view *a, bool was_active);
/* Each alarm in turn, in no order: begins with NULL, ends with NULL. Nothing may be added meanwhile. */
struct alarm_view *alarm_next(const struct alarm_book *b, const struct alarm_view *after);
void alarm_book_free(struct alarm_book *b);
/* *to becomes a copy of text (NULL: ""). False: no memory, then it is as it was. */
bool alarm_text(char **to, const char *text);

/* Alarms told unstored, by the fingerprint of what a record says between its seq and its hash. */
struct unstored_book {
    uint64_t open[UNSTORED_KEPT];
    size_t open_count;
    uint64_t stored[UNSTORED_KEPT]; /* of the last proper records, in a ring */
    size_t stored_next;
    uint64_t told, settled, given_up;
};
void unstored_told(struct unstored_book *b, uint64_t print);
void unstored_proper(struct unstored_book *b, uint64_t print); /* a proper record came */
void unstored_give_up(struct unstored_book *b, size_t count);  /* the gateway will not store them any more */

#endif
