/* LINK rg_base */
/* Local time: real zones of the machine's own table where it has them, and zones made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/calendar.h"

#define HOUR INT64_C(3600)

/* One change of the offset. */
struct made {
    int64_t at_s, before_s, after_s;
};

static int64_t made_offset(void *arg, int64_t utc_s)
{
    const struct made *m = arg;

    return utc_s < m->at_s ? m->before_s : m->after_s;
}

static struct calendar_zone zone_of(struct made *m)
{
    return (struct calendar_zone){made_offset, m};
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {
        .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};

    return (int64_t)timegm(&tm);
}

static struct calendar_date date(int year, int month, int day)
{
    return (struct calendar_date){.year = year, .month = (uint8_t)month, .day = (uint8_t)day};
}

static void assert_date(struct calendar_date d, int year, int month, int day)
{
    assert_int_equal(d.year, year);
    assert_int_equal(d.month, month);
    assert_int_equal(d.day, day);
}

/* Against the C library, every day of 400 years and more. */
static void test_every_day(void **state)
{
    struct made none = {0, 0, 0};
    const struct calendar_zone zone = zone_of(&none);
    struct calendar_date d = date(1899, 12, 31);

    (void)state;
    for (int64_t at = utc(1899, 12, 31, 0, 0); at < utc(2310, 1, 1, 0, 0); at += 24 * HOUR) {
        time_t t = (time_t)at;
        struct tm tm;

        assert_non_null(gmtime_r(&t, &tm));
        assert_date(d, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
        assert_date(calendar_date(&zone, at * 1000), d.year, d.month, d.day);
        assert_date(calendar_date(&zone, (at + 24 * HOUR) * 1000 - 1), d.year, d.month, d.day);
        assert_true(calendar_instant(&zone, d, 0) == at * 1000);
        assert_true(calendar_instant(&zone, d, 1439) == (at + 24 * HOUR - 60) * 1000);
        d = calendar_next_day(d);
    }
    assert_date(calendar_next_day(date(2024, 2, 28)), 2024, 2, 29);
    assert_date(calendar_next_day(date(2100, 2, 28)), 2100, 3, 1);
    assert_date(calendar_next_day(date(2024, 12, 31)), 2025, 1, 1);
    assert_date(calendar_next_month(date(2024, 12, 31)), 2025, 1, 1);
    assert_date(calendar_next_month(date(2024, 1, 31)), 2024, 2, 1);
}

/* Clocks put forward at 02:00 local time: 02:30 is the change itself. */
static void test_forward(void **state)
{
    struct made m = {utc(2026, 3, 8, 7, 0), -5 * HOUR, -4 * HOUR};
    const struct calendar_zone zone = zone_of(&m);
    const struct calendar_date d = date(2026, 3, 8);

    (void)state;
    assert_true(calendar_instant(&zone, d, 0) == utc(2026, 3, 8, 5, 0) * 1000);
    assert_true(calendar_instant(&zone, d, 119) == utc(2026, 3, 8, 6, 59) * 1000);
    for (int minute = 120; minute <= 180; minute++)
        assert_true(calendar_instant(&zone, d, minute) == m.at_s * 1000);
    assert_true(calendar_instant(&zone, d, 181) == (m.at_s + 60) * 1000);
    assert_true(calendar_instant(&zone, calendar_next_day(d), 0) == utc(2026, 3, 9, 4, 0) * 1000);
}

/* Put back at 02:00: what comes twice is the first of the two. */
static void test_back(void **state)
{
    struct made m = {utc(2026, 11, 1, 6, 0), -4 * HOUR, -5 * HOUR};
    const struct calendar_zone zone = zone_of(&m);
    const struct calendar_date d = date(2026, 11, 1);

    (void)state;
    assert_true(calendar_instant(&zone, d, 59) == utc(2026, 11, 1, 4, 59) * 1000);
    assert_true(calendar_instant(&zone, d, 90) == utc(2026, 11, 1, 5, 30) * 1000);
    assert_true(calendar_instant(&zone, d, 120) == utc(2026, 11, 1, 7, 0) * 1000);
    assert_true(calendar_instant(&zone, calendar_next_day(d), 0) - calendar_instant(&zone, d, 0) ==
                25 * HOUR * 1000);
}

/* Midnight itself is left out, a date is left out (Samoa, 2011-12-30), midnight comes twice. */
static void test_midnight(void **state)
{
    struct made forward = {utc(2025, 4, 25, 22, 0), 2 * HOUR, 3 * HOUR};
    struct made samoa = {utc(2011, 12, 30, 10, 0), -10 * HOUR, 14 * HOUR};
    struct made back = {utc(2025, 10, 26, 0, 1), 0, -HOUR};
    struct calendar_zone zone = zone_of(&forward);

    (void)state;
    assert_true(calendar_instant(&zone, date(2025, 4, 26), 0) == forward.at_s * 1000);
    assert_true(calendar_instant(&zone, date(2025, 4, 26), 5) == forward.at_s * 1000);
    zone = zone_of(&samoa);
    assert_true(calendar_instant(&zone, date(2011, 12, 30), 0) == samoa.at_s * 1000);
    assert_true(calendar_instant(&zone, date(2011, 12, 30), 720) == samoa.at_s * 1000);
    assert_true(calendar_instant(&zone, date(2011, 12, 31), 0) == samoa.at_s * 1000);
    assert_true(calendar_instant(&zone, date(2011, 12, 29), 0) == utc(2011, 12, 29, 10, 0) * 1000);
    zone = zone_of(&back);
    assert_true(calendar_instant(&zone, date(2025, 10, 26), 0) == utc(2025, 10, 26, 0, 0) * 1000);
    assert_true(calendar_instant(&zone, date(2025, 10, 26), 1) == utc(2025, 10, 26, 1, 1) * 1000);
}

/* The system's zone is TZ's. */
static void test_system(void **state)
{
    const struct calendar_zone zone = calendar_system();

    (void)state;
    assert_int_equal(setenv("TZ", "XXX-8", 1), 0); /* POSIX: 8 hours ahead of UTC, needs no table */
    tzset();
    assert_true(calendar_instant(&zone, date(2026, 1, 1), 0) == utc(2025, 12, 31, 16, 0) * 1000);
    assert_date(calendar_date(&zone, utc(2025, 12, 31, 15, 59) * 1000), 2025, 12, 31);
    assert_date(calendar_date(&zone, utc(2025, 12, 31, 16, 0) * 1000), 2026, 1, 1);
    assert_int_equal(setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1), 0);
    tzset();
    assert_true(calendar_instant(&zone, date(2026, 3, 8), 150) == utc(2026, 3, 8, 7, 0) * 1000);
    assert_true(calendar_instant(&zone, date(2026, 11, 1), 90) == utc(2026, 11, 1, 5, 30) * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day), cmocka_unit_test(test_forward), cmocka_unit_test(test_back),
        cmocka_unit_test(test_midnight),  cmocka_unit_test(test_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
