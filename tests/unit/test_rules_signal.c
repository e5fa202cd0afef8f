/* LINK rg_rules rg_test_support m */
/* Signals by themselves: each kind on a few samples, what is known when, what is a bound, gaps, counters, gathered cells,
 * the standards' examples. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "rules/signal.h"
#include "support_site.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define DAY (24 * 60 * MINUTE)
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))

struct bed {
    struct site_signal conf;
    struct signal signal;
    struct cell cells[SIGNAL_CELLS_MAX];
    struct reading is; /* after the newest sample */
};

static struct bed bed;

static void make(enum signal_kind kind, int64_t window_ms, int64_t poll_ms)
{
    uint32_t cells;

    bed.conf = (struct site_signal){.kind = kind, .window_ms = window_ms, .coverage = 0.75};
    cells = signal_cells(&bed.conf, poll_ms);
    assert_in_range(cells, 3, SIGNAL_CELLS_MAX);
    signal_init(&bed.signal, &bed.conf, poll_ms, false, bed.cells);
}

static void good(int64_t at, double value)
{
    bed.is = signal_sample(&bed.signal, &(struct sample){.value = value}, at);
}

static void bad(int64_t at)
{
    bed.is = signal_sample(&bed.signal, &(struct sample){.quality = QUALITY_SENSOR}, at);
    assert_int_equal(bed.is.trust, READING_BAD);
}

/* One at each poll from `from` on, before `to`. */
static void feed(int64_t from, int64_t to, int64_t poll, double value)
{
    for (int64_t at = from; at < to; at += poll)
        good(at, value);
}

static void expect(enum reading_trust how, double value)
{
    if (bed.is.trust != how || (how != READING_BAD && bed.is.value != value))
        fail_msg("%d %.17g, expected %d %.17g", bed.is.trust, bed.is.value, how, value);
}

/* domain.md, golden vector 25. */
static void short_term_exposure(void **state)
{
    static const enum signal_kind kinds[] = {SIGNAL_TWA, SIGNAL_MEAN};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(kinds); i++) {
        make(kinds[i], 15 * MINUTE, SECOND);
        feed(0, 5 * MINUTE, SECOND, 60);
        feed(5 * MINUTE, 15 * MINUTE, SECOND, 15);
        good(15 * MINUTE, 15);
        expect(READING_GOOD, 30.0);
        make(kinds[i], 15 * MINUTE, SECOND);
        feed(0, 3 * MINUTE, SECOND, 100);
        feed(3 * MINUTE, 15 * MINUTE + 1, SECOND, 0);
        expect(READING_GOOD, 20.0);
    }
}

/* A shift of eight hours of which one at 120 was measured and an hour was not: still divided by eight. */
static void a_shift(void **state)
{
    (void)state;
    make(SIGNAL_TWA, 480 * MINUTE, 10 * SECOND);
    feed(0, 60 * MINUTE, 10 * SECOND, 120);
    bad(60 * MINUTE);
    feed(120 * MINUTE, 480 * MINUTE + 1, 10 * SECOND, 0);
    expect(READING_GOOD, 15.0);
}

static void constants_keep_their_value(void **state)
{
    static const double values[] = {19.9, 0.1, 1e-9 / 3 * 3, 123456.789, -40.05, 5e12, 0.07, 59.7};

    (void)state;
    for (size_t i = 0; i < RG_COUNT(values); i++) {
        make(SIGNAL_MEAN, 10 * MINUTE, SECOND);
        feed(17, 25 * MINUTE, 997, values[i]);
        expect(READING_GOOD, values[i]);
        make(SIGNAL_TWA, 10 * MINUTE, SECOND);
        feed(17, 25 * MINUTE, 997, values[i]);
        expect(READING_GOOD, values[i]);
    }
    /* 12 h of 0.1 mm every 10 minutes. */
    make(SIGNAL_SUM, DAY / 2, 10 * MINUTE);
    feed(0, DAY, 10 * MINUTE, 0.1);
    expect(READING_GOOD, 7.2);
}

static void known_from_its_coverage_on(void **state)
{
    (void)state;
    make(SIGNAL_MEAN, 100 * SECOND, SECOND);
    feed(0, 75 * SECOND, SECOND, 7);
    expect(READING_BAD, 0);
    good(75 * SECOND, 9); /* covers nothing yet */
    expect(READING_GOOD, 7);
}

/* Three polls, then nothing more is known. */
static void a_sample_holds_for_a_time(void **state)
{
    (void)state;
    make(SIGNAL_TWA, 10 * SECOND, SECOND);
    bed.conf.coverage = 0.3;
    signal_init(&bed.signal, &bed.conf, SECOND, false, bed.cells);
    good(0, 10);
    good(10 * SECOND, 50);
    expect(READING_GOOD, 3);
    good(10 * SECOND + 1, 50); /* one millisecond has left, one came */
    expect(READING_GOOD, 3.004);
    bad(11 * SECOND);
    good(13 * SECOND + 1, 0);
    expect(READING_AT_LEAST, 5);
    /* A bad sample ends the hold. */
    signal_reset(&bed.signal);
    good(0, 10);
    bad(SECOND);
    good(10 * SECOND, 0);
    expect(READING_AT_LEAST, 1);
}

static void bounds_of_what_is_not_seen(void **state)
{
    static const struct {
        enum signal_kind kind;
        enum reading_trust how;
        double value;
    } rows[] = {
        {SIGNAL_MEAN, READING_BAD, 0},      {SIGNAL_RATE, READING_BAD, 0},
        {SIGNAL_MAX, READING_AT_LEAST, 9},  {SIGNAL_MIN, READING_AT_MOST, 4},
        {SIGNAL_SUM, READING_AT_LEAST, 19}, {SIGNAL_TWA, READING_AT_LEAST, 1.3},
        {SIGNAL_FLAT, READING_GOOD, 0},     {SIGNAL_DELTA, READING_AT_LEAST, 8}, /* 3, and 5 after a reset */
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        make(rows[i].kind, 10 * SECOND, SECOND);
        good(0, 6);
        good(SECOND, 9);
        bad(SECOND + 500);
        good(2 * SECOND, 4);
        expect(rows[i].how, rows[i].kind == SIGNAL_TWA     ? 1.05
                            : rows[i].kind == SIGNAL_DELTA ? 7
                                                           : rows[i].value);
    }
    /* What may be below zero may take away as much as it likes. */
    make(SIGNAL_SUM, 10 * SECOND, SECOND);
    good(0, -1);
    expect(READING_BAD, 0);
    good(SECOND, 5);
    expect(READING_BAD, 0);
    feed(2 * SECOND, 12 * SECOND, SECOND, 5);
    expect(READING_GOOD, 50);
    bad(12 * SECOND);
    good(16 * SECOND, 5);
    expect(READING_AT_LEAST, 30);
}

static void extremes(void **state)
{
    (void)state;
    make(SIGNAL_MAX, 10 * SECOND, SECOND);
    feed(0, 10 * SECOND, SECOND, 1);
    good(10 * SECOND, 5);
    expect(READING_GOOD, 5);
    feed(11 * SECOND, 20 * SECOND + 1, SECOND, 2);
    expect(READING_GOOD, 5); /* it held until 11 s, the window begins at 10 s */
    good(21 * SECOND, 2);
    expect(READING_GOOD, 2); /* [10, 11) is no more in (11, 21] */
    make(SIGNAL_MIN, 10 * SECOND, SECOND);
    feed(0, 11 * SECOND, SECOND, -3);
    good(11 * SECOND, -4);
    expect(READING_GOOD, -4);
}

static void flat(void **state)
{
    (void)state;
    make(SIGNAL_FLAT, 10 * SECOND, SECOND);
    feed(0, 7 * SECOND, SECOND, 20.1);
    expect(READING_BAD, 0);
    good(8 * SECOND, 20.1);
    expect(READING_GOOD, 1);
    good(9 * SECOND, 20.0);
    expect(READING_GOOD, 0);
    feed(10 * SECOND, 19 * SECOND, SECOND, 20.0);
    expect(READING_GOOD, 0);
    good(19 * SECOND, 20.0); /* unchanged for the whole window */
    expect(READING_GOOD, 1);
    bed.conf.band = 0.1;
    good(20 * SECOND, 20.1);
    expect(READING_GOOD, 1);
    good(21 * SECOND, 20.11);
    expect(READING_GOOD, 0);
    good(22 * SECOND, (double)NAN); /* counts as bad */
    expect(READING_BAD, 0);
    good(40 * SECOND, 1); /* alone */
    expect(READING_BAD, 0);
    /* Large counters have more digits than a sum. */
    make(SIGNAL_FLAT, 10 * SECOND, SECOND);
    feed(0, 20 * SECOND, SECOND, 9007199254740991.0);
    expect(READING_GOOD, 1);
    good(20 * SECOND, 9007199254740990.0);
    expect(READING_GOOD, 0);
    /* As floats. */
    bed.conf.band = 0.1;
    signal_init(&bed.signal, &bed.conf, SECOND, true, bed.cells);
    feed(0, 10 * SECOND, SECOND, (double)20.0f);
    good(10 * SECOND, (double)20.1f);
    expect(READING_GOOD, 1);
}

static void rates(void **state)
{
    (void)state;
    make(SIGNAL_RATE, 60 * MINUTE, 10 * MINUTE); /* change in an hour */
    for (int i = 0; i <= 5; i++)
        good(i * 10 * MINUTE, i * 0.3);
    expect(READING_GOOD, 1.8); /* 50 minutes are enough */
    good(60 * MINUTE, 6 * 0.3);
    expect(READING_GOOD, 1.8);
    good(70 * MINUTE, 0);
    expect(READING_GOOD, -0.3);
    /* Samples at both ends tell little of what was between. */
    bad(71 * MINUTE);
    good(125 * MINUTE, 50);
    expect(READING_BAD, 0);
    /* One poll long: the sample that held when it began is the other end. */
    make(SIGNAL_RATE, 10 * SECOND, 10 * SECOND);
    good(0, 3);
    good(10 * SECOND, 5);
    expect(READING_GOOD, 2);
    good(20 * SECOND, 4.5);
    expect(READING_GOOD, -0.5);
}

static void counters(void **state)
{
    (void)state;
    make(SIGNAL_DELTA, 10 * SECOND, SECOND);
    for (int i = 0; i <= 20; i++)
        good(i * SECOND, 100 + 2 * i);
    expect(READING_GOOD, 20);
    good(21 * SECOND, 5); /* a reset: at least what it shows now */
    expect(READING_GOOD, 23);
    make(SIGNAL_DELTA, 10 * SECOND, SECOND);
    bed.conf.wrap = 65536;
    feed(0, 10 * SECOND, SECOND, 65530);
    good(10 * SECOND, 4);
    expect(READING_GOOD, 10);
    good(11 * SECOND, 65000); /* up by nearly the whole: as it says */
    expect(READING_GOOD, 10 + 64996);
    good(12 * SECOND, 40000); /* down, but not from the top to the bottom: a reset */
    expect(READING_GOOD, 10 + 64996 + 40000);
    /* It went on while it could not be read. */
    make(SIGNAL_DELTA, 10 * SECOND, SECOND);
    feed(0, 8 * SECOND, SECOND, 7);
    bad(8 * SECOND);
    good(10 * SECOND, 9);
    expect(READING_GOOD, 2);
    /* A step that began before the window: its share. */
    feed(12 * SECOND, 18 * SECOND, 2 * SECOND, 9);
    good(18 * SECOND, 9);
    expect(READING_GOOD, 1.33333333333);
}

static void time_does_not_go_back(void **state)
{
    (void)state;
    make(SIGNAL_TWA, 10 * SECOND, SECOND);
    feed(0, 10 * SECOND, SECOND, 4);
    good(3 * SECOND, 1000); /* taken at 9 s, where it holds no time yet */
    expect(READING_GOOD, 3.6);
    good(9 * SECOND, 4);
    good(10 * SECOND, 4);
    expect(READING_GOOD, 4);
    make(SIGNAL_MEAN, 10, 1);
    for (int64_t at = -20; at < 20; at++)
        good(at, 2);
    expect(READING_GOOD, 2);
}

static void windows_shorter_than_a_poll(void **state)
{
    (void)state;
    make(SIGNAL_MAX, 1, SECOND);
    good(0, 9);
    expect(READING_AT_LEAST, 9);
    good(SECOND, 1);
    expect(READING_GOOD, 9); /* it held until now */
    make(SIGNAL_SUM, 1, SECOND);
    good(0, 9);
    good(SECOND, 1);
    expect(READING_GOOD, 1);
    good(SECOND, 2);
    expect(READING_GOOD, 3);
}

/* 30 days of seconds: 2,592,000 samples in 2,048 cells. */
static void long_windows(void **state)
{
    double sum = 0;

    (void)state;
    make(SIGNAL_MEAN, 30 * DAY, SECOND);
    assert_in_range(signal_cells(&bed.conf, SECOND), SIGNAL_CELLS_MAX - 3, SIGNAL_CELLS_MAX);
    bed.conf.coverage = 0.01;
    signal_init(&bed.signal, &bed.conf, SECOND, false, bed.cells);
    for (int64_t at = 0; at < DAY; at += SECOND) {
        good(at, (double)(at / SECOND % 60));
        sum += (double)(at / SECOND % 60);
    }
    good(DAY, 0);
    expect(READING_GOOD, rint(sum / 86400 * 1e11) / 1e11);
    /* All of it has left but what the cell that the begin cuts still holds. */
    good(31 * DAY, 0);
    bed.is = signal_sample(&bed.signal, &(struct sample){.value = 0}, 31 * DAY + 20 * MINUTE);
    expect(READING_BAD, 0);
}

static void a_gathered_cell_is_cut_in_proportion(void **state)
{
    (void)state;
    make(SIGNAL_SUM, 2045 * 10 * SECOND - 1, SECOND); /* ten samples to a cell */
    assert_int_equal(bed.signal.grain_ms, 10 * SECOND);
    feed(0, 2050 * 10 * SECOND, SECOND, 1);
    expect(READING_GOOD, 20450.999);
    assert_int_equal(bed.signal.window.count + 1, 2046);
    feed(2050 * 10 * SECOND, 2050 * 10 * SECOND + 4001, SECOND, 1);
    expect(READING_GOOD, 20450.999);
}

static void memory(void **state)
{
    static const struct {
        int64_t window_ms, poll_ms;
        uint32_t most;
    } rows[] = {
        {1, 1, 4},      {1, 1000, 4},        {15 * MINUTE, SECOND, 1204},   {DAY, 10 * MINUTE, 196},
        {DAY, 1, 2048}, {30 * DAY, 1, 2048}, {30 * DAY, 10 * MINUTE, 2048}, {INT64_C(365) * DAY, 1, 2048},
    };
    struct site_signal conf = {.kind = SIGNAL_VALUE};

    (void)state;
    assert_int_equal(signal_cells(&conf, 1000), 0);
    conf.kind = SIGNAL_RATE;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        uint32_t cells;

        conf.window_ms = rows[i].window_ms;
        cells = signal_cells(&conf, rows[i].poll_ms);
        assert_in_range(cells, MINIMUM(rows[i].most, 4), rows[i].most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_term_exposure),
        cmocka_unit_test(a_shift),
        cmocka_unit_test(constants_keep_their_value),
        cmocka_unit_test(known_from_its_coverage_on),
        cmocka_unit_test(a_sample_holds_for_a_time),
        cmocka_unit_test(bounds_of_what_is_not_seen),
        cmocka_unit_test(extremes),
        cmocka_unit_test(flat),
        cmocka_unit_test(rates),
        cmocka_unit_test(counters),
        cmocka_unit_test(time_does_not_go_back),
        cmocka_unit_test(windows_shorter_than_a_poll),
        cmocka_unit_test(long_windows),
        cmocka_unit_test(a_gathered_cell_is_cut_in_proportion),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
