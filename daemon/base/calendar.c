#include "base/calendar.h"

#include <time.h>

#define DAY_S INT64_C(86400)

static int64_t system_offset_s(void *arg, int64_t utc_s)
{
    time_t at = (time_t)utc_s;
    struct tm tm;

    (void)arg;
    return localtime_r(&at, &tm) ? (int64_t)tm.tm_gmtoff : 0;
}

struct calendar_zone calendar_system(void)
{
    return (struct calendar_zone){.offset_s = system_offset_s};
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* Days since 1970-01-01. */
static int64_t days_of(struct calendar_date date)
{
    int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    int64_t era = floor_div(year, 400);
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct calendar_date date_of(int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t day = shifted - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct calendar_date date = {.day = (uint8_t)(of_year - (153 * month + 2) / 5 + 1),
                                 .month = (uint8_t)(month < 10 ? month + 3 : month - 9)};

    date.year = (int32_t)(year + era * 400 + (date.month <= 2 ? 1 : 0));
    return date;
}

static int64_t local_s(const struct calendar_zone *zone, int64_t utc_s)
{
    return utc_s + zone->offset_s(zone->arg, utc_s);
}

struct calendar_date calendar_date(const struct calendar_zone *zone, int64_t wall_ms)
{
    return date_of(floor_div(local_s(zone, floor_div(wall_ms, 1000)), DAY_S));
}

int64_t calendar_instant(const struct calendar_zone *zone, struct calendar_date date, int minute)
{
    int64_t wanted = days_of(date) * DAY_S + (int64_t)minute * 60;
    /* A day away on either side the offsets of before and after any change in between are in force. */
    int64_t before = zone->offset_s(zone->arg, wanted - DAY_S);
    int64_t after = zone->offset_s(zone->arg, wanted + DAY_S);
    int64_t early = wanted - (before > after ? before : after),
            late = wanted - (before > after ? after : before);

    if (local_s(zone, early) == wanted)
        return early * 1000;
    if (early == late || local_s(zone, late) == wanted)
        return late * 1000;
    /* It is left out: clocks are put forward somewhere between the two. */
    while (late - early > 1) {
        int64_t middle = early + (late - early) / 2;

        if (local_s(zone, middle) >= wanted)
            late = middle;
        else
            early = middle;
    }
    return late * 1000;
}

struct calendar_date calendar_next_day(struct calendar_date date)
{
    return date_of(days_of(date) + 1);
}

struct calendar_date calendar_next_month(struct calendar_date date)
{
    date.day = 1;
    date.month++;
    if (date.month > 12) {
        date.month = 1;
        date.year++;
    }
    return date;
}
