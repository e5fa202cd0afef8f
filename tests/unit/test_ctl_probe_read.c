/* LINK rg_ctl */
/* Reading what there is of a range, and looking for units, against devices that are functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/probe_read.h"
#include "ctl/scan.h"

/* ---- a device with holes ---- */

struct device {
    bool mapped[65536];
    bool pairs;        /* an even address is read with the next one only */
    uint8_t exception; /* for what is not mapped */
    uint16_t limit;    /* longer requests are refused with exception 3 */
    unsigned asked;
    unsigned silent_from; /* this request and all after it are not answered; 0: none */
    unsigned silent_once; /* this one is not */
    bool gone;            /* asking fails */
    uint16_t longest;
};

static uint16_t value_at(uint16_t address)
{
    return (uint16_t)(address * 3u + 1u);
}

static bool refuses(const struct device *d, const struct driver_raw *ask)
{
    for (unsigned i = 0; i < ask->count; i++) {
        if (!d->mapped[ask->address + i])
            return true;
    }
    return d->pairs && (ask->address % 2 || ask->count % 2);
}

static bool device_cb(void *arg, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    struct device *d = arg;

    assert_false(ask->write);
    assert_int_equal(ask->unit, 9);
    assert_in_range(ask->count, 1, DRIVER_RAW_READ_MAX);
    assert_true(ask->address + ask->count <= 65536);
    d->asked++;
    d->longest = ask->count > d->longest ? ask->count : d->longest;
    if (d->gone)
        return false;
    *answer = (struct driver_raw_answer){.result = DRIVER_OK};
    if ((d->silent_from && d->asked >= d->silent_from) || d->asked == d->silent_once) {
        *answer = (struct driver_raw_answer){.result = DRIVER_SILENT, .detail = "no answer within 1s"};
    } else if (d->limit && ask->count > d->limit) {
        *answer = (struct driver_raw_answer){.result = DRIVER_EXCEPTION, .exception = 3};
    } else if (refuses(d, ask)) {
        *answer = (struct driver_raw_answer){.result = DRIVER_EXCEPTION, .exception = d->exception};
    } else {
        answer->count = ask->count;
        for (unsigned i = 0; i < ask->count; i++)
            answer->values[i] = value_at((uint16_t)(ask->address + i));
    }
    return true;
}

static struct device *device_new(unsigned first, unsigned last)
{
    struct device *d = calloc(1, sizeof *d);

    assert_non_null(d);
    d->exception = 2;
    for (unsigned i = first; i <= last; i++)
        d->mapped[i] = true;
    return d;
}

static void read_all(struct device *d, uint16_t first, uint16_t count, uint16_t max,
                     struct probe_reading *out)
{
    const struct probe_range range = {SPACE_HOLDING, first, count};
    const struct driver_raw model = {.unit = 9, .write = true}; /* it never writes, whatever it is given */

    assert_int_equal(probe_read(&range, max, &model, device_cb, d, out), RG_OK);
    for (size_t i = 0; i < count; i++) {
        if (out->cells[i].state == CELL_READ)
            assert_int_equal(out->cells[i].value, value_at((uint16_t)(first + i)));
    }
}

static void a_long_range_takes_several_requests(void **state)
{
    struct device *d = device_new(0, 65535);
    struct probe_reading r;

    (void)state;
    read_all(d, 63536, 2000, 125, &r);
    assert_int_equal(r.requests, 16);
    assert_int_equal(r.read, 2000);
    probe_reading_free(&r);
    d->asked = d->longest = 0;
    read_all(d, 0, 20, 1, &r);
    assert_int_equal(d->asked, 20);
    assert_int_equal(d->longest, 1);
    assert_int_equal(r.read, 20);
    probe_reading_free(&r);
    free(d);
}

/* Whatever is mapped is read, whatever is not is refused, within 2n - 1 requests for each of those first made. */
static void all_that_there_is_is_read(void **state)
{
    uint64_t seed = 12345;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct device *d = device_new(1, 0);
        struct probe_reading r;
        uint16_t count, max;

        for (int i = 0; i < 250; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            d->mapped[i] = (seed >> 60) < (uint64_t)(round % 17);
        }
        d->exception = (uint8_t)(2 + round % 3);
        count = (uint16_t)(1 + (seed >> 33) % 250);
        max = (uint16_t)(1 + (seed >> 20) % 125);
        read_all(d, 0, count, max, &r);
        assert_int_equal(r.result, DRIVER_OK);
        assert_true(r.requests < 2u * count);
        for (size_t i = 0; i < count; i++) {
            if ((r.cells[i].state == CELL_READ) != d->mapped[i])
                fail_msg("round %d, register %zu", round, i);
            if (!d->mapped[i])
                assert_int_equal(r.cells[i].exception, d->exception);
        }
        probe_reading_free(&r);
        free(d);
    }
}

/* A device of 32-bit values that gives no half of one. */
static void values_of_two_registers(void **state)
{
    struct device *d = device_new(0, 13);
    struct probe_reading r;

    (void)state;
    d->pairs = true;
    read_all(d, 0, 30, 125, &r);
    assert_int_equal(r.read, 14);
    assert_int_equal(r.cells[14].state, CELL_REFUSED);
    probe_reading_free(&r);
    free(d);
}

static void a_device_that_takes_few_at_once(void **state)
{
    struct device *d = device_new(0, 99);
    struct probe_reading r;

    (void)state;
    d->limit = 10;
    read_all(d, 0, 100, 125, &r);
    assert_int_equal(r.read, 100);
    probe_reading_free(&r);
    free(d);
}

/* Illegal function: no part of it will do. */
static void another_refusal_holds_for_all(void **state)
{
    struct device *d = device_new(1, 0);
    struct probe_reading r;

    (void)state;
    d->exception = 1;
    read_all(d, 0, 250, 125, &r);
    assert_int_equal(d->asked, 2);
    assert_int_equal(r.read, 0);
    assert_int_equal(r.cells[249].state, CELL_REFUSED);
    assert_int_equal(r.cells[249].exception, 1);
    probe_reading_free(&r);
    free(d);
}

static void silence_ends_it(void **state)
{
    struct device *d = device_new(0, 65535);
    struct probe_reading r;

    (void)state;
    d->silent_once = 2;
    read_all(d, 0, 30, 10, &r);
    assert_int_equal(r.result, DRIVER_OK);
    assert_int_equal(r.read, 30);
    assert_int_equal(r.requests, 4);
    probe_reading_free(&r);
    d->asked = 0;
    d->silent_once = 0;
    d->silent_from = 2;
    read_all(d, 0, 30, 10, &r);
    assert_int_equal(r.result, DRIVER_SILENT);
    assert_string_equal(r.detail, "no answer within 1s");
    assert_int_equal(r.read, 10);
    assert_int_equal(d->asked, 3); /* tried again once */
    assert_int_equal(r.cells[10].state, CELL_UNREAD);
    probe_reading_free(&r);
    free(d);
}

static bool short_cb(void *arg, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    (void)arg;
    *answer = (struct driver_raw_answer){.result = DRIVER_OK, .count = ask->count - 1u};
    return true;
}

/* Fewer values than were asked for are no values. */
static void an_answer_that_is_too_short(void **state)
{
    const struct probe_range range = {SPACE_INPUT, 0, 5};
    const struct driver_raw model = {.unit = 1};
    struct probe_reading r;

    (void)state;
    assert_int_equal(probe_read(&range, 125, &model, short_cb, NULL, &r), RG_OK);
    assert_int_equal(r.result, DRIVER_MALFORMED);
    assert_int_equal(r.read, 0);
    probe_reading_free(&r);
}

static void the_asker_is_gone(void **state)
{
    struct device *d = device_new(0, 65535);
    struct probe_reading r;

    (void)state;
    d->gone = true;
    read_all(d, 0, 30, 10, &r);
    assert_true(r.failed);
    assert_int_equal(d->asked, 1);
    probe_reading_free(&r);
    free(d);
}

/* ---- a line with units ---- */

struct line {
    enum driver_result units[256];
    unsigned garbled_once; /* unit whose first answer is noise */
    unsigned asked[256], total;
    int64_t took_ms, waited_ms, least_wait_ms;
    unsigned found[SCAN_BROKE + 1];
    uint8_t last_found;
    enum scan_found last;
    bool gone;
};

static bool line_cb(void *arg, const struct driver_raw *ask, struct driver_raw_answer *answer,
                    int64_t *took_ms)
{
    struct line *l = arg;

    l->asked[ask->unit]++;
    l->total++;
    *took_ms = l->took_ms;
    answer->result = l->units[ask->unit];
    if (ask->unit == l->garbled_once && l->asked[ask->unit] == 1)
        answer->result = DRIVER_MALFORMED;
    if (answer->result == DRIVER_EXCEPTION)
        answer->exception = 2;
    (void)snprintf(answer->detail, sizeof answer->detail, "%s", driver_result_name(answer->result));
    return !l->gone;
}

static void wait_cb(void *arg, int64_t ms)
{
    struct line *l = arg;

    l->waited_ms += ms;
    l->least_wait_ms = ms < l->least_wait_ms ? ms : l->least_wait_ms;
}

static void found_cb(void *arg, uint8_t unit, enum scan_found found, const struct driver_raw_answer *answer)
{
    struct line *l = arg;

    (void)answer;
    l->found[found]++;
    l->last_found = unit;
    l->last = found;
}

static void progress_cb(void *arg, uint8_t unit)
{
    (void)arg;
    (void)unit;
}

static const struct scan_cbs scan_cbs = {line_cb, wait_cb, found_cb, progress_cb};

static struct line *line_new(void)
{
    struct line *l = calloc(1, sizeof *l);

    assert_non_null(l);
    for (size_t i = 0; i < RG_COUNT(l->units); i++)
        l->units[i] = DRIVER_SILENT;
    l->took_ms = 100;
    l->least_wait_ms = INT64_MAX;
    return l;
}

static const struct scan whole = {.first = 1, .last = 247, .model = {.count = 1}, .gap_ms = 50};

static void every_kind_of_unit_is_found(void **state)
{
    struct line *l = line_new();
    struct scan_result r;

    (void)state;
    l->units[1] = DRIVER_OK;
    l->units[9] = DRIVER_EXCEPTION;
    l->units[17] = DRIVER_MALFORMED;
    l->units[30] = DRIVER_BROKEN;
    l->units[247] = DRIVER_OK;
    l->garbled_once = 9;
    scan_run(&whole, &scan_cbs, l, &r);
    assert_int_equal(r.asked, 247);
    assert_int_equal(r.found, 3);
    assert_int_equal(r.garbled, 1);
    assert_false(r.ended);
    assert_int_equal(l->found[SCAN_ANSWERS], 2);
    assert_int_equal(l->found[SCAN_REFUSES], 1);
    assert_int_equal(l->found[SCAN_GARBLED], 1);
    assert_int_equal(l->found[SCAN_NOBODY] + l->found[SCAN_BROKE], 0);
    assert_int_equal(l->last_found, 247);
    assert_int_equal(l->total, 249); /* what is garbled is asked twice */
    assert_int_equal(l->asked[0], 0);
    free(l);
}

/* Unit 255 is the last one there is: a count of 8 bits would begin anew. */
static void up_to_the_last_unit(void **state)
{
    const struct scan all = {.first = 250, .last = 255, .model = {.count = 1}};
    struct line *l = line_new();
    struct scan_result r;

    (void)state;
    scan_run(&all, &scan_cbs, l, &r);
    assert_int_equal(r.asked, 6);
    free(l);
}

static void the_pace(void **state)
{
    struct scan shared = whole;
    struct line *l = line_new();
    struct scan_result r;

    (void)state;
    assert_int_equal(scan_pause_ms(&whole, 1000), 50);
    shared.shared = true;
    assert_int_equal(scan_pause_ms(&shared, 1000), 3000);
    assert_int_equal(scan_pause_ms(&shared, 1), 50);
    scan_run(&shared, &scan_cbs, l, &r);
    assert_int_equal(l->least_wait_ms, 300);
    assert_int_equal(l->waited_ms, 247 * 300); /* three quarters of the time: its share is the fourth */
    free(l);
}

static void a_line_that_cannot_be_opened(void **state)
{
    struct line *l = line_new();
    struct scan_result r;

    (void)state;
    l->units[1] = DRIVER_OK;
    l->units[2] = DRIVER_UNREACHABLE;
    scan_run(&whole, &scan_cbs, l, &r);
    assert_true(r.ended);
    assert_string_equal(r.detail, "unreachable");
    assert_int_equal(l->total, 2);
    free(l);
    l = line_new();
    for (size_t i = 5; i < 100; i++)
        l->units[i] = DRIVER_BROKEN;
    scan_run(&whole, &scan_cbs, l, &r);
    assert_true(r.ended);
    assert_int_equal(l->total, 4 + SCAN_BREAKS);
    free(l);
}

static void the_scans_asker_is_gone(void **state)
{
    struct line *l = line_new();
    struct scan_result r;

    (void)state;
    l->gone = true;
    scan_run(&whole, &scan_cbs, l, &r);
    assert_true(r.failed);
    assert_int_equal(l->total, 1);
    assert_int_equal(l->waited_ms, 0);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_range_takes_several_requests),
        cmocka_unit_test(all_that_there_is_is_read),
        cmocka_unit_test(values_of_two_registers),
        cmocka_unit_test(a_device_that_takes_few_at_once),
        cmocka_unit_test(another_refusal_holds_for_all),
        cmocka_unit_test(silence_ends_it),
        cmocka_unit_test(an_answer_that_is_too_short),
        cmocka_unit_test(the_asker_is_gone),
        cmocka_unit_test(every_kind_of_unit_is_found),
        cmocka_unit_test(up_to_the_last_unit),
        cmocka_unit_test(the_pace),
        cmocka_unit_test(a_line_that_cannot_be_opened),
        cmocka_unit_test(the_scans_asker_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
