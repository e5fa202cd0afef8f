/* Local time of day: which instant a date and a time of day are, and which date an instant is. The only home of time zones.
 *
 * Pure, given a zone: a zone is how far its clocks are ahead of UTC at an instant. The calendar is the proleptic Gregorian
 * one; days and dates by the algorithm of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 *
 * Where the clocks are put forward, a time of day that is left out is the instant at which they are; where they are put back,
 * one that comes twice is the first of the two. So every date has every time of day once. */
#ifndef RG_BASE_CALENDAR_H
#define RG_BASE_CALENDAR_H

#include <stdint.h>

struct calendar_zone {
    int64_t (*offset_s)(void *arg,
                        int64_t utc_s); /* seconds that local time is ahead of UTC, |offset| < 1 day */
    void *arg;
};

/* The zone of this machine (TZ, else /etc/localtime), as it was when the program first looked at it. */
struct calendar_zone calendar_system(void);

struct calendar_date {
    int32_t year;
    uint8_t month, day; /* from 1 */
};

struct calendar_date calendar_date(const struct calendar_zone *zone, int64_t wall_ms);
/* The first instant, wall ms, at which clocks of the zone show that date and minute of the day (0 to 1439), or later. */
int64_t calendar_instant(const struct calendar_zone *zone, struct calendar_date date, int minute);
struct calendar_date calendar_next_day(struct calendar_date date);
struct calendar_date calendar_next_month(struct calendar_date date); /* the first of it */

#endif
