/* Which report is due. Pure: time and zone are arguments.
 *
 * A daily report is of one local calendar day, a monthly one of one month, and is made at its time of day after the end of that,
 * never sooner than SCHEDULE_SETTLE_MS after it: by then what happened in it lies in the store. Days with a change of the
 * clocks are 23 or 25 hours long; calendar.h says when a time of day that is left out, or comes twice, is.
 *
 * Each period begins where the one before ended, as the reports say that are there: so no instant is missing and none is told
 * twice, also after a restart, a crash, a step of the clock or another time zone. The first one begins with the first
 * record. What was missed is made at the next chance, the oldest first, but for what is longer ago than SCHEDULE_DAYS days,
 * SCHEDULE_MONTHS months: there the report that follows says since when nothing was told (`gap_from`).
 *
 * A clock that runs ahead makes reports of days to come. Those that end more than a period ahead of now are not gone on from;
 * but no period is told twice: when its end comes, it has its report. Where all that was told carries the mark of an unset
 * clock, and longer ago than the bounds, it begins anew with the first record under a set one: nobody was there meanwhile. */
#ifndef RG_REPORT_SCHEDULE_H
#define RG_REPORT_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/calendar.h"
#include "model/site.h"
#include "model/summary.h"

#define SCHEDULE_SETTLE_MS 120000
#define SCHEDULE_DAYS 31
#define SCHEDULE_MONTHS 12
#define SCHEDULE_LATE_MS 300000 /* made that long after its time it is late */

/* Behind the others; the first goes when there is no room. */
void schedule_add(struct past_reports *past, struct past_report told);

struct schedule_due {
    int64_t from, to;
    int64_t at;       /* when it was to be made */
    bool late;        /* longer ago than SCHEDULE_LATE_MS */
    int64_t gap_from; /* nothing tells of the time from here to `from`; 0: there is no such gap */
};

/* The oldest report that is due, or false: then due->at is when the next one will be (INT64_MAX: never). minute: of the day, -1:
 * such reports are not made. */
bool schedule_look(enum report_kind kind, int minute, const struct calendar_zone *zone,
                   const struct past_reports *past, int64_t now_ms, struct schedule_due *due);
/* Where the period that is under way at now began, for a preview. */
int64_t schedule_current(enum report_kind kind, const struct calendar_zone *zone,
                         const struct past_reports *past, int64_t now_ms);

#endif
