/* LINK rg_rules rg_test_support */
/* The figures of the alarm load: each limit at its edge, and a random life against counting anew. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "rules/figures.h"

#define START 5000 /* monotonic; no whole minute, so that seconds are those since the start */
#define WALL 1763780000000
#define OWNERS 16

static struct moment at(int64_t ms) /* after the start */
{
    return (struct moment){START + ms, WALL + ms};
}

static void begin(struct figures *f)
{
    assert_int_equal(figures_create(f, OWNERS), RG_OK);
    figures_start(f, at(0));
}

static struct figures_report look(const struct figures *f, int64_t ms)
{
    struct figures_report report;

    figures_read(f, at(ms), &report);
    return report;
}

static void nothing_yet(void **state)
{
    struct figures_report r;
    struct figures f;

    (void)state;
    begin(&f);
    r = look(&f, 0);
    assert_int_equal(r.since_ms, WALL);
    assert_int_equal(r.raises + r.per_10min + r.peak_10min + r.floods + r.chattering + r.top_count, 0);
    assert_int_equal(r.peak_ms + r.flood_since_ms, 0);
    assert_false(r.flood);
    assert_true(r.per_hour == 0 && r.per_day == 0 && r.flood_share == 0 && r.top_share == 0);
    r = look(&f, -1000); /* a clock behind the start is the start's */
    assert_int_equal(r.per_10min, 0);
    figures_destroy(&f);
    figures_destroy(&f);
}

static void ten_minutes_slide(void **state)
{
    struct figures f;

    (void)state;
    begin(&f);
    figures_raise(&f, 0, at(500));
    figures_raise(&f, 1, at(1500));
    assert_int_equal(look(&f, 1500).per_10min, 2);
    assert_int_equal(look(&f, 599999).per_10min, 2);
    assert_int_equal(look(&f, 600000).per_10min, 1);
    assert_int_equal(look(&f, 601000).per_10min, 0);
    assert_int_equal(look(&f, 86400000).per_10min, 0);
    figures_raise(&f, 1, at(86400000)); /* cells of long ago do not come back */
    assert_int_equal(look(&f, 86400000).per_10min, 1);
    assert_int_equal(look(&f, 86400000).peak_10min, 2);
    assert_int_equal(look(&f, 86400000).peak_ms, WALL + 1500);
    figures_destroy(&f);
}

static void averages(void **state)
{
    struct figures_report r;
    struct figures f;

    (void)state;
    begin(&f);
    for (int i = 0; i < 12; i++)
        figures_raise(&f, 0, at(i * INT64_C(120000)));
    r = look(&f, 1800000); /* half an hour: twelve so far, not 24 an hour */
    assert_true(r.per_hour == 12 && r.per_day == 12);
    r = look(&f, 7200000);
    assert_true(r.per_hour == 6 && r.per_day == 12);
    r = look(&f, 48 * INT64_C(3600000));
    assert_true(r.per_hour == 0.25 && r.per_day == 6);
    figures_destroy(&f);
}

static void flood_begins_above_ten_and_ends_below_five(void **state)
{
    struct figures_report r;
    struct figures f;

    (void)state;
    begin(&f);
    for (int i = 0; i < 10; i++)
        figures_raise(&f, 0, at(i * INT64_C(1000)));
    assert_false(look(&f, 9000).flood);
    figures_raise(&f, 0, at(10400));
    r = look(&f, 60000);
    assert_true(r.flood);
    assert_int_equal(r.flood_since_ms, WALL + 10400);
    assert_int_equal(r.floods, 1);
    assert_true(look(&f, 605999).flood);  /* six fell out, five are left: it lasts */
    assert_false(look(&f, 606000).flood); /* four */
    r = look(&f, 1011200);
    assert_int_equal(r.flood_since_ms, 0);
    assert_true(r.flood_share == (606000.0 - 10400.0) / 1011200.0); /* though nobody looked in between */
    figures_raise(&f, 0, at(1011200));
    assert_int_equal(look(&f, 1011200).floods, 1);
    assert_false(look(&f, 1011200).flood);
    figures_destroy(&f);
}

static void ten_minutes_of_ten_are_no_flood(void **state)
{
    struct figures f;

    (void)state;
    begin(&f);
    for (int i = 0; i < 100; i++)
        figures_raise(&f, 0, at(i * INT64_C(60000)));
    assert_int_equal(look(&f, 99 * INT64_C(60000)).floods, 0);
    assert_int_equal(look(&f, 99 * INT64_C(60000)).peak_10min, 10);
    figures_destroy(&f);
}

struct found {
    char text[128];
};

static void note_cb(void *arg, const struct figures_alarm *alarm)
{
    struct found *found = arg;
    size_t length = strlen(found->text);

    (void)snprintf(found->text + length, sizeof found->text - length, "%u:%u ", alarm->owner, alarm->raises);
}

static void chattering_is_three_in_a_minute(void **state)
{
    static const struct {
        int64_t raises[4];
        int64_t look;
        bool chatters;
    } rows[] = {
        {{0, 1000, -1}, 1000, false},             /* two are no chatter */
        {{0, 30000, 60000, -1}, 60000, true},     /* three within 60 s, just */
        {{0, 30000, 60001, -1}, 60001, false},    /* just not */
        {{0, 30000, 60000, -1}, 119999, true},    /* until 60 s pass */
        {{0, 30000, 60000, -1}, 120000, false},   /* have passed */
        {{0, 100, 200, 60199}, 120198, true},     /* one a minute keeps it up */
        {{0, 100, 200, 60199}, 120199, false},    /* but no longer */
        {{0, 100, 200, 60200}, 60200, false},     /* it had ended: this one is alone */
        {{0, 0, 0, -1}, 0, true},                 /* at one instant */
        {{500000, 100, 200, -1}, 500000, true},   /* late news counts as now */
        {{0, 65535, 65536, 65537}, 65537, true},  /* a gap of more than 16 bits */
        {{0, 131072, 131073, -1}, 131073, false}, /* does not come round to a short one */
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct found found = {""};
        struct figures f;

        begin(&f);
        figures_raise(&f, 9, at(0));
        for (size_t k = 0; k < RG_COUNT(rows[i].raises) && rows[i].raises[k] >= 0; k++)
            figures_raise(&f, 3, at(rows[i].raises[k]));
        figures_each_chattering(&f, at(rows[i].look), note_cb, &found);
        if ((strncmp(found.text, "3:", 2) == 0) != rows[i].chatters ||
            figures_chatters(&f, 3, at(rows[i].look)) != rows[i].chatters ||
            look(&f, rows[i].look).chattering != (rows[i].chatters ? 1 : 0))
            fail_msg("row %zu: %s", i, found.text);
        assert_false(figures_chatters(&f, OWNERS, at(0)));
        figures_destroy(&f);
    }
}

static void the_ten_most_frequent(void **state)
{
    struct figures_report r;
    struct figures f;

    (void)state;
    begin(&f);
    for (uint32_t owner = 0; owner < 12; owner++) {
        for (uint32_t i = 0; i < (owner == 5 ? 20 : owner < 2 ? 1 : owner); i++)
            figures_raise(&f, owner, at(0));
    }
    r = look(&f, 0);
    assert_int_equal(r.top_count, 10);
    assert_int_equal(r.top[0].owner, 5);
    assert_int_equal(r.top[0].raises, 20);
    for (uint32_t i = 1; i < 7; i++)
        assert_int_equal(r.top[i].owner, 12 - i); /* 11 to 6 */
    assert_int_equal(r.top[7].owner, 4);
    assert_int_equal(r.top[8].owner, 3);
    assert_int_equal(r.top[9].owner, 2);
    assert_int_equal(r.raises, 82);
    assert_true(r.top_share == 80.0 / 82.0);
    figures_destroy(&f);
}

static void goes_on_in_another(void **state)
{
    struct figures_report r;
    struct figures old, f;

    (void)state;
    begin(&old);
    for (int i = 0; i < 12; i++)
        figures_raise(&old, i < 3 ? 1 : 2, at(i * 1000));
    assert_int_equal(figures_create(&f, 4), RG_OK);
    figures_start(&f, at(20000));
    figures_inherit(&f, &old);
    figures_inherit_owner(&f, 3, &old, 1); /* 2 is configured no more */
    figures_inherit_owner(&f, 0, &old, 7); /* never raised */
    figures_inherit_owner(&f, 4, &old, 1); /* not there */
    figures_inherit_owner(&f, 0, &old, OWNERS);
    r = look(&f, 20000);
    assert_int_equal(r.since_ms, WALL);
    assert_int_equal(r.raises, 12);
    assert_int_equal(r.per_10min, 12);
    assert_true(r.flood);
    assert_int_equal(r.top_count, 1);
    assert_int_equal(r.top[0].owner, 3);
    assert_int_equal(r.top[0].raises, 3);
    assert_true(figures_chatters(&f, 3, at(20000)));
    figures_raise(&f, 0, at(21000));
    assert_int_equal(look(&f, 21000).top_count, 2);
    figures_destroy(&f);
    figures_destroy(&old);
}

/* ---- a random life, counted anew at each look ---- */

#define RAISES 400

static uint32_t count_between(const int64_t *raised, int n, int64_t second)
{
    uint32_t count = 0;

    for (int i = 0; i < n; i++)
        count += raised[i] / 1000 > second - FIGURES_SPAN_S && raised[i] / 1000 <= second ? 1 : 0;
    return count;
}

static void is_counting_anew(void **state)
{
    static int64_t raised[RAISES];

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint32_t of[OWNERS] = {0}, peak = 0, floods = 0;
        int64_t now = 0, second = 0, flooded = 0, flood_since = 0;
        bool flood = false;
        struct figures_report r;
        struct rg_random random;
        struct figures f;

        random_seed(&random, seed);
        begin(&f);
        for (int n = 0; n < RAISES; n++) {
            uint32_t owner = (uint32_t)random_below(&random, OWNERS);

            now += (int64_t)random_below(&random, random_below(&random, 40) == 0 ? 900000 : 60000);
            for (; flood && second <= now / 1000; second++) { /* the seconds gone by */
                if (count_between(raised, n, second) < FIGURES_FLOOD_BELOW) {
                    flood = false;
                    flooded += second * 1000 - flood_since;
                }
            }
            raised[n] = now;
            of[owner]++;
            figures_raise(&f, owner, at(now));
            second = now / 1000;
            if (count_between(raised, n + 1, second) > peak)
                peak = count_between(raised, n + 1, second);
            if (!flood && count_between(raised, n + 1, second) > FIGURES_FLOOD_ABOVE) {
                flood = true;
                flood_since = now;
                floods++;
            }
            r = look(&f, now);
            if (r.per_10min != count_between(raised, n + 1, second) || r.peak_10min != peak ||
                r.flood != flood || r.floods != floods || r.raises != (uint64_t)n + 1 ||
                r.flood_share !=
                    (now ? (double)(flooded + (flood ? now - flood_since : 0)) / (double)now : 0))
                fail_msg("seed %llu, raise %d at %lld: %u in 10 min, peak %u, flood %d (%d), %u, %.17g",
                         (unsigned long long)seed, n, (long long)now, r.per_10min, r.peak_10min, r.flood,
                         flood, r.floods, r.flood_share);
        }
        for (uint32_t i = 0; i < r.top_count; i++)
            assert_int_equal(r.top[i].raises, of[r.top[i].owner]);
        for (uint32_t i = 1; i < r.top_count; i++)
            assert_true(r.top[i - 1].raises >= r.top[i].raises);
        figures_destroy(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_yet),
        cmocka_unit_test(ten_minutes_slide),
        cmocka_unit_test(averages),
        cmocka_unit_test(flood_begins_above_ten_and_ends_below_five),
        cmocka_unit_test(ten_minutes_of_ten_are_no_flood),
        cmocka_unit_test(chattering_is_three_in_a_minute),
        cmocka_unit_test(the_ten_most_frequent),
        cmocka_unit_test(goes_on_in_another),
        cmocka_unit_test(is_counting_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
