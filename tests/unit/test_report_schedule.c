/* LINK rg_report */
/* Which report is due: days and months that follow each other without a gap or an overlap, whatever clocks, zones and power do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/random.h"
#include "report/schedule.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* New York by its rules, so that no table of the machine is needed; and a fixed offset. */
static int64_t new_york(void *arg, int64_t utc_s)
{
    static char was[8];
    time_t at = (time_t)utc_s;
    struct tm tm;

    (void)arg;
    if (was[0] == '\0') {
        (void)setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
        tzset();
        was[0] = 'x';
    }
    assert_non_null(localtime_r(&at, &tm));
    return (int64_t)tm.tm_gmtoff;
}

static int64_t shanghai(void *arg, int64_t utc_s)
{
    (void)arg;
    (void)utc_s;
    return 8 * 3600;
}

static const struct calendar_zone zones[] = {{new_york, NULL}, {shanghai, NULL}};

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {
        .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};

    return (int64_t)timegm(&tm) * 1000;
}

static struct past_reports began(int64_t ms)
{
    return (struct past_reports){.began_ms = ms, .synced_ms = ms};
}

/* Makes all that is due; returns how many. */
static unsigned make(enum report_kind kind, int minute, const struct calendar_zone *zone,
                     struct past_reports *past, int64_t now)
{
    struct schedule_due due;
    unsigned made = 0;

    while (schedule_look(kind, minute, zone, past, now, &due)) {
        assert_true(due.to > due.from && due.to <= now && due.at <= now);
        assert_int_equal(due.late, now - due.at > SCHEDULE_LATE_MS);
        if (past->count > 0)
            assert_true(due.from >= past->told[past->count - 1].to);
        schedule_add(past, (struct past_report){due.from, due.to, false});
        assert_true(++made <= SCHEDULE_DAYS);
    }
    assert_true(due.at > now);
    return made;
}

/* Over two years in steps of chance, with restarts that are no more than steps: each local day once, end to end. */
static void test_end_to_end(void **state)
{
    uint64_t seed = 20261122;
    struct rg_random random;

    (void)state;
    (void)printf("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    for (size_t z = 0; z < RG_COUNT(zones); z++) {
        for (int kind = 0; kind < REPORT_KINDS; kind++) {
            struct past_reports past = began(utc(2023, 12, 30, 17, 23));
            int64_t last = past.began_ms, now = past.began_ms, count = 0;

            for (; now < utc(2026, 1, 15, 0, 0);
                 now += (int64_t)(random_next(&random) % (uint64_t)(40 * HOUR))) {
                size_t before = past.count;
                unsigned made = make((enum report_kind)kind, 5, &zones[z], &past, now);

                for (size_t i = past.count - made; made > 0 && i < past.count; i++) {
                    int64_t length = past.told[i].to - past.told[i].from;

                    assert_true(past.told[i].from == last);
                    last = past.told[i].to;
                    count++;
                    if (count > 1 && kind == REPORT_DAILY)
                        assert_true(length == DAY ||
                                    (z == 0 && (length == 23 * HOUR || length == 25 * HOUR)));
                }
                assert_true(made > 0 || past.count == before);
                assert_true(now - last < (kind == REPORT_DAILY ? 26 * HOUR : 32 * DAY));
            }
            assert_true(count >= (kind == REPORT_DAILY ? 744 : 24));
        }
    }
}

/* The days on which New York changes its clocks, at a time that is left out and one that comes twice. */
static void test_dst(void **state)
{
    struct past_reports past = began(utc(2026, 3, 7, 5, 0));
    struct schedule_due due;

    (void)state;
    /* 02:30 is left out on the 8th: made as the clocks are put forward, of the 7th. */
    assert_false(schedule_look(REPORT_DAILY, 150, &zones[0], &past, utc(2026, 3, 8, 6, 59), &due));
    assert_true(due.at == utc(2026, 3, 8, 7, 0));
    assert_int_equal(make(REPORT_DAILY, 150, &zones[0], &past, utc(2026, 3, 8, 7, 0)), 1);
    assert_int_equal(make(REPORT_DAILY, 150, &zones[0], &past, utc(2026, 3, 9, 6, 29)), 0);
    assert_int_equal(make(REPORT_DAILY, 150, &zones[0], &past, utc(2026, 3, 9, 6, 30)), 1);
    assert_true(past.told[1].to - past.told[1].from == 23 * HOUR);
    /* 01:30 comes twice on the 1st of November: made once, at the first. */
    past = began(utc(2026, 10, 31, 4, 0));
    assert_int_equal(make(REPORT_DAILY, 90, &zones[0], &past, utc(2026, 11, 1, 5, 29)), 0);
    assert_int_equal(make(REPORT_DAILY, 90, &zones[0], &past, utc(2026, 11, 1, 5, 30)), 1);
    assert_int_equal(make(REPORT_DAILY, 90, &zones[0], &past, utc(2026, 11, 1, 6, 30)), 0);
    assert_int_equal(make(REPORT_DAILY, 90, &zones[0], &past, utc(2026, 11, 2, 6, 30)), 1);
    assert_true(past.told[1].to - past.told[1].from == 25 * HOUR);
}

static void test_month_ends(void **state)
{
    struct past_reports past = began(utc(2024, 1, 31, 16, 0));
    const struct calendar_zone *zone = &zones[1];

    (void)state;
    /* February of a leap year, in Shanghai. */
    assert_int_equal(make(REPORT_MONTHLY, 10, zone, &past, utc(2024, 2, 29, 16, 9)), 0);
    assert_int_equal(make(REPORT_MONTHLY, 10, zone, &past, utc(2024, 2, 29, 16, 10)), 1);
    assert_true(past.told[0].to - past.told[0].from == 29 * DAY);
    assert_int_equal(make(REPORT_MONTHLY, 10, zone, &past, utc(2024, 3, 31, 16, 9)), 0);
    assert_int_equal(make(REPORT_MONTHLY, 10, zone, &past, utc(2024, 3, 31, 16, 10)), 1);
    assert_true(past.told[1].to - past.told[1].from == 31 * DAY);
    /* Not before what happened lies in the store; never at all. */
    past = began(utc(2024, 5, 1, 3, 0));
    assert_int_equal(make(REPORT_DAILY, 0, zone, &past, utc(2024, 5, 1, 16, 0) + SCHEDULE_SETTLE_MS - 1), 0);
    assert_int_equal(make(REPORT_DAILY, 0, zone, &past, utc(2024, 5, 1, 16, 0) + SCHEDULE_SETTLE_MS), 1);
    assert_int_equal(make(REPORT_DAILY, -1, zone, &past, utc(2024, 6, 1, 0, 0)), 0);
}

/* Off for long: the last 31 days, the first of which says what nothing tells of. */
static void test_missed(void **state)
{
    struct past_reports past = began(utc(2024, 1, 1, 0, 0));
    const struct calendar_zone *zone = &zones[1];
    struct schedule_due due;

    (void)state;
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, utc(2024, 1, 3, 0, 0)), 2);
    assert_true(schedule_look(REPORT_DAILY, 5, zone, &past, utc(2024, 4, 1, 0, 0), &due));
    assert_true(due.late);
    assert_true(due.gap_from == past.told[1].to);
    assert_true(due.from == utc(2024, 2, 29, 16, 0));
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, utc(2024, 4, 1, 0, 0)), SCHEDULE_DAYS);
    past = began(utc(2020, 1, 1, 0, 0));
    assert_int_equal(make(REPORT_MONTHLY, 5, zone, &past, utc(2024, 4, 2, 0, 0)), SCHEDULE_MONTHS);
    /* Nothing was told ever: the bound holds, too. */
    past = began(utc(2020, 1, 1, 0, 0));
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, utc(2024, 4, 2, 0, 0)), SCHEDULE_DAYS);
}

static void test_clock_steps(void **state)
{
    const struct calendar_zone *zone = &zones[1];
    int64_t day = utc(2024, 5, 1, 16, 0); /* midnight in Shanghai */
    struct past_reports past = began(day - 10 * HOUR);
    struct schedule_due due;

    (void)state;
    /* Back over midnight after the report was made: not again. */
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, day + 6 * MINUTE), 1);
    for (int64_t at = day - 5 * HOUR; at < day + DAY; at += 20 * MINUTE)
        assert_int_equal(make(REPORT_DAILY, 5, zone, &past, at), 0);
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, day + DAY + 5 * MINUTE), 1);
    /* Three days ahead, then back: what was told too early is not told twice, and goes on after. */
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, day + 4 * DAY + HOUR), 3);
    for (int64_t at = day + DAY; at < day + 5 * DAY; at += HOUR)
        assert_int_equal(make(REPORT_DAILY, 5, zone, &past, at), 0);
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, day + 5 * DAY + HOUR), 1);
    /* Ten years ahead for an hour: 31 reports of nothing, and then days are told as they come. */
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, day + 3650 * DAY + HOUR), SCHEDULE_DAYS);
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, day + 5 * DAY + 2 * HOUR), 0);
    assert_true(schedule_look(REPORT_DAILY, 5, zone, &past, day + 6 * DAY + HOUR, &due));
    assert_true(due.from == day + 5 * DAY && due.to == day + 6 * DAY);
}

/* Without network time from 1970 on, told or not, then set: it begins with the first record under a set clock. */
static void test_unset_clock(void **state)
{
    const struct calendar_zone *zone = &zones[1];
    int64_t set = utc(2026, 3, 10, 4, 0);
    struct past_reports past = {.began_ms = 5000};
    struct schedule_due due;

    (void)state;
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, 3 * HOUR), 0);
    past.synced_ms = set;
    assert_false(schedule_look(REPORT_DAILY, 5, zone, &past, set + HOUR, &due));
    assert_true(due.from == set);
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, set + DAY), 1);
    assert_true(past.told[0].from == set);
    /* It ran for days like that, and told of them. */
    past = (struct past_reports){.began_ms = 5000};
    schedule_add(&past, (struct past_report){5000, 16 * HOUR, true});
    schedule_add(&past, (struct past_report){16 * HOUR, 40 * HOUR, true});
    past.synced_ms = set;
    assert_false(schedule_look(REPORT_DAILY, 5, zone, &past, set + HOUR, &due));
    assert_true(due.from == set && due.gap_from == 40 * HOUR);
    /* A clock that is never set, but right: as any other. */
    past = (struct past_reports){.began_ms = set};
    assert_int_equal(make(REPORT_DAILY, 5, zone, &past, set + 3 * DAY), 3);
}

/* Another zone: the day that is begun ends at the next midnight there. */
static void test_zone_changed(void **state)
{
    struct past_reports past = began(utc(2024, 5, 1, 0, 0));
    int64_t now = utc(2024, 5, 4, 12, 0);

    (void)state;
    assert_int_equal(make(REPORT_DAILY, 5, &zones[1], &past, now), 3);
    assert_int_equal(make(REPORT_DAILY, 5, &zones[0], &past, now + 2 * DAY), 3);
    assert_true(past.told[3].to - past.told[3].from == 12 * HOUR);
}

static void test_current(void **state)
{
    struct past_reports past = began(utc(2024, 5, 1, 0, 0));

    (void)state;
    assert_true(schedule_current(REPORT_DAILY, &zones[1], &past, utc(2024, 5, 1, 5, 0)) ==
                utc(2024, 5, 1, 0, 0));
    assert_true(schedule_current(REPORT_DAILY, &zones[1], &past, utc(2024, 5, 5, 5, 0)) ==
                utc(2024, 5, 4, 16, 0));
    assert_true(schedule_current(REPORT_MONTHLY, &zones[1], &past, utc(2024, 7, 5, 5, 0)) ==
                utc(2024, 6, 30, 16, 0));
}

/* The list of what was told forgets the oldest. */
static void test_add(void **state)
{
    struct past_reports past = {.count = 0};

    (void)state;
    for (int64_t i = 1; i <= 2 * PAST_REPORTS; i++)
        schedule_add(&past, (struct past_report){i, i + 1, false});
    assert_int_equal(past.count, PAST_REPORTS);
    assert_true(past.told[0].from == PAST_REPORTS + 1);
    assert_true(past.told[PAST_REPORTS - 1].from == 2 * PAST_REPORTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end_to_end),   cmocka_unit_test(test_dst),
        cmocka_unit_test(test_month_ends),   cmocka_unit_test(test_missed),
        cmocka_unit_test(test_clock_steps),  cmocka_unit_test(test_unset_clock),
        cmocka_unit_test(test_zone_changed), cmocka_unit_test(test_current),
        cmocka_unit_test(test_add),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
