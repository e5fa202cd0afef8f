#include "report/schedule.h"

#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

/* At least as long as the longest period of the kind, and a bit. */
static int64_t longest_ms(enum report_kind kind)
{
    return kind == REPORT_DAILY ? 36 * HOUR_MS : 32 * DAY_MS;
}

static struct calendar_date next_date(enum report_kind kind, struct calendar_date date)
{
    return kind == REPORT_DAILY ? calendar_next_day(date) : calendar_next_month(date);
}

void schedule_add(struct past_reports *past, struct past_report told)
{
    if (past->count == PAST_REPORTS)
        memmove(past->told, past->told + 1, --past->count * sizeof past->told[0]);
    past->told[past->count++] = told;
}

/* The end of the period in which an instant lies, and the date that begins there. */
static int64_t period_end(enum report_kind kind, const struct calendar_zone *zone, int64_t from,
                          struct calendar_date *date)
{
    int64_t to;

    *date = calendar_date(zone, from);
    do { /* more than once only where clocks are changed at midnight, or a date is left out */
        *date = next_date(kind, *date);
        to = calendar_instant(zone, *date, 0);
    } while (to <= from);
    return to;
}

/* The beginning of the period that lies so many before that of now. */
static int64_t bound(enum report_kind kind, const struct calendar_zone *zone, int64_t now_ms)
{
    struct calendar_date date = calendar_date(zone, now_ms);
    int32_t months = date.year * 12 + date.month - 1 - SCHEDULE_MONTHS;

    if (kind == REPORT_DAILY)
        date = calendar_date(zone, calendar_instant(zone, date, 12 * 60) - SCHEDULE_DAYS * DAY_MS);
    else
        date = (struct calendar_date){.year = months / 12, .month = (uint8_t)(months % 12 + 1), .day = 1};
    return calendar_instant(zone, date, 0);
}

/* The report whose end is the last that can be believed; NULL: none. */
static const struct past_report *last_told(enum report_kind kind, const struct past_reports *past,
                                           int64_t now_ms)
{
    const struct past_report *last = NULL;

    for (size_t i = 0; i < past->count; i++) {
        const struct past_report *told = &past->told[i];

        if (told->to <= now_ms + longest_ms(kind) && (!last || told->to > last->to))
            last = told;
    }
    return last;
}

static bool is_told(const struct past_reports *past, int64_t to)
{
    for (size_t i = 0; i < past->count; i++) {
        if (past->told[i].to == to)
            return true;
    }
    return false;
}

/* Where the first report that is still to be made begins. */
static int64_t base(enum report_kind kind, const struct calendar_zone *zone, const struct past_reports *past,
                    int64_t now_ms, int64_t *gap_from)
{
    const struct past_report *last = last_told(kind, past, now_ms);
    int64_t from = last ? last->to : past->began_ms;
    int64_t oldest = bound(kind, zone, now_ms);
    bool doubtful = last ? last->unsynced : past->synced_ms != past->began_ms;

    *gap_from = 0;
    if (from == 0 || (!last && from > now_ms))
        from = now_ms; /* nothing is recorded, or only with a clock that ran ahead */
    if (from >= oldest)
        return from;
    if (last || !doubtful)
        *gap_from = from;
    if (doubtful && past->synced_ms > oldest && past->synced_ms <= now_ms)
        return past->synced_ms;
    return oldest;
}

bool schedule_look(enum report_kind kind, int minute, const struct calendar_zone *zone,
                   const struct past_reports *past, int64_t now_ms, struct schedule_due *due)
{
    struct calendar_date date;

    *due = (struct schedule_due){.at = INT64_MAX};
    if (minute < 0)
        return false;
    due->from = base(kind, zone, past, now_ms, &due->gap_from);
    for (;;) {
        due->to = period_end(kind, zone, due->from, &date);
        due->at = calendar_instant(zone, date, minute);
        if (due->at < due->to + SCHEDULE_SETTLE_MS)
            due->at = due->to + SCHEDULE_SETTLE_MS;
        if (due->at > now_ms)
            return false;
        if (!is_told(past, due->to))
            break;
        due->from = due->to;
        due->gap_from = 0;
    }
    due->late = now_ms - due->at > SCHEDULE_LATE_MS;
    return true;
}

int64_t schedule_current(enum report_kind kind, const struct calendar_zone *zone,
                         const struct past_reports *past, int64_t now_ms)
{
    struct calendar_date date = calendar_date(zone, now_ms);
    int64_t gap_from, from, begun;

    if (kind == REPORT_MONTHLY)
        date.day = 1;
    begun = calendar_instant(zone, date, 0);
    from = base(kind, zone, past, now_ms, &gap_from);
    return from > begun && from < now_ms ? from : begun;
}
