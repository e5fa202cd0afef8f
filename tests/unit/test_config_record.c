/* LINK rg_config rg_test_support */
/* What is recorded of a device: every message, with its place; what is told when it is changed; what memory it takes. */
#include "config_rows.h"

#include <stdlib.h>

#include "config/diff.h"
#include "model/site_record.h"

#define D "name: d, bus: b, unit: 1, poll: 1s, "
#define P ", points: [{name: p, holding: 0, type: u16}]"
static const struct row rows[] = {
    {FRAME_DEVICE, D "record: {every: 20s, around_alarms: 60s}" P, ""},
    {FRAME_DEVICE, D "record: {every: 20s}" P, ""},
    {FRAME_DEVICE, D "record: 20s" P, "5:50: error: `record` must be a mapping, not `20s`\n"},
    {FRAME_DEVICE, D "record: {evry: 20s}" P,
     "5:50: warning: `record` without `every` thins nothing: every poll is recorded\n"
     "5:51: error: unknown key `evry` in `record`; did you mean `every`?\n"},
    {FRAME_DEVICE, D "record: {every: 5ms}" P, "5:58: error: `every` must be 10ms to 1d, not `5ms`\n"},
    {FRAME_DEVICE, D "record: {every: 2d}" P, "5:58: error: `every` must be 10ms to 1d, not `2d`\n"},
    {FRAME_DEVICE, D "record: {every: 20}" P,
     "5:58: error: `every` must be a duration such as 250ms, 3s, 15m, 8h or 30d; did you mean `20s`?\n"},
    {FRAME_DEVICE, D "record: {every: 20s, around_alarms: 2h}" P,
     "5:78: error: `around_alarms` must be 10ms to 1h, not `2h`\n"},
    {FRAME_DEVICE, D "record: {around_alarms: 60s}" P,
     "5:50: warning: `record` without `every` thins nothing: every poll is recorded\n"},
    {FRAME_DEVICE, D "record: {every: 1s}" P,
     "5:58: warning: `every` is no longer than the poll period, 1s: every poll is recorded anyway\n"},
    {FRAME_DEVICE, D "record: {every: 500ms, around_alarms: 1m}" P,
     "5:58: warning: `every` is no longer than the poll period, 1s: every poll is recorded anyway\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, change: 0.5", ""},
    {FRAME_POINT, "name: p, holding: 0, type: u16, change: 0",
     "8:50: error: `change` must be above 0: leave `record` out, and every reading is recorded\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, change: -1",
     "8:50: error: `change` must be at least 0, not `-1`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, change: .nan",
     "8:50: error: `change` must be a number, not `.nan`\n"},
    {FRAME_POINT, "name: p, holding: 0, type: u16, change: [1]",
     "8:42: error: `change` must be a number, not a list\n"},
    {FRAME_DERIVED, "name: y, sum: [d.b], change: 2", ""},
    {FRAME_DERIVED, "name: y, sum: [d.b], change: 0",
     "8:39: error: `change` must be above 0: leave `record` out, and every reading is recorded\n"},
};

static void test_rows(void **state)
{
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

#define SITE(record, change, more)                                                                           \
    GATEWAY BUS "devices:\n  - {name: d, bus: b, unit: 1, poll: 1s, " record                                 \
                "points: [{name: p, holding: 0, type: u16, range: [0, 100]" change                           \
                "}, {name: on, coil: 0}]}\n" more
#define THIN "record: {every: 20s, around_alarms: 60s}, "

static void test_site(void **state)
{
    struct config *c = load_good(SITE(THIN, ", change: 0.5", ""));
    const struct site_device *d = &c->site->devices[0];
    struct site_record_room room = site_record_room(c->site, 0);

    (void)state;
    assert_true(d->record.every_ms == 20000 && d->record.around_ms == 60000);
    assert_int_equal(d->requests, 2);
    assert_true(c->site->points[0].change == 0.5 && c->site->points[1].change == 0);
    assert_false(site_point_is_state(&c->site->points[0]));
    assert_true(site_point_is_state(&c->site->points[1]));
    assert_true(site_record_slack_ms(d) == 500);
    assert_true(room.frames == 62 * 2 && room.samples == 62 * 2);
    config_free(c);
}

static void test_derived(void **state)
{
    struct config *c = load_good(SITE("", "",
                                      "derived: [{name: g, record: {every: 1m, around_alarms: 30s}, "
                                      "points: [{name: x, sum: [d.p, d.on]}, {name: y, sum: [x]}]}]\n"));
    struct site_record_room room = site_record_room(c->site, 1);
    bool marked[2] = {false, false};

    (void)state;
    assert_true(c->site->devices[1].record.every_ms == 60000);
    assert_true(room.frames == 32 * 2 && room.samples == 2 * room.frames);
    site_record_sources(c->site, 3, marked);
    assert_true(marked[0] && marked[1]);
    config_free(c);
}

/* 62 polls a minute of 100 readings each take 100 KiB; 700 such devices are too many. */
static void test_memory(void **state)
{
    char *text = calloc(1, 4 << 20), *at = text, found[4096];

    (void)state;
    assert_non_null(text);
    at += sprintf(at, "%s%sdevices:\n", GATEWAY, BUS);
    for (int d = 0; d < 240; d++) {
        at += sprintf(at,
                      "  - {name: d%d, bus: b, unit: %d, poll: 100s, record: {every: 1000s, around_alarms: "
                      "1h}, points: [",
                      d, d + 1);
        for (int p = 0; p < 60; p++)
            at += sprintf(at, "%s{name: p%d, holding: %d, type: u16}", p ? ", " : "", p, p);
        at += sprintf(at, "]}\n");
    }
    issues_of(text, found, sizeof found);
    assert_null(strstr(found, "MiB"));
    for (char *poll = text; (poll = strstr(poll, "100s")); poll += 4)
        memcpy(poll, "10s ", 4);
    for (char *every = text; (every = strstr(every, "1010s ")); every += 6)
        memcpy(every, "1000s ", 6);
    issues_of(text, found, sizeof found);
    assert_non_null(strstr(found, "error: `around_alarms` of `d"));
    assert_non_null(strstr(found, "64.0 MiB are possible"));
    free(text);
}

static void test_windows(void **state)
{
    char found[4096];

    (void)state;
    issues_of(SITE(THIN, ", change: 0.5",
                   "rules: [{name: r, points: d.p, signal: {mean: 15m}, above: {red: 50}}]\n"),
              found, sizeof found);
    assert_string_equal(found, "");
    issues_of(SITE(THIN, "", "rules: [{name: r, points: d.p, signal: {mean: 15m}, above: {red: 50}}]\n"),
              found, sizeof found);
    assert_non_null(strstr(
        found, "5:9: warning: `r` looks back at `d.p`, whose readings are thinned (`record`) without a "
               "`change`"));
    issues_of(
        SITE(THIN, ", change: 1", "rules: [{name: r, points: d.p, signal: {sum: 24h}, above: {red: 50}}]\n"),
        found, sizeof found);
    assert_non_null(strstr(found, "5:9: warning: `r` adds up the readings of `d.p`, which are thinned"));
    issues_of(SITE(THIN, "", "rules: [{name: r, points: d.p, above: {red: 50}}]\n"), found, sizeof found);
    assert_string_equal(found, "");
}

static void check_change(const char *before, const char *after, const char *what, const char *was,
                         const char *is)
{
    struct config *a = load_good(before), *b = load_good(after);
    struct config_diff diff;

    assert_int_equal(config_diff(a->site, b->site, &diff), RG_OK);
    assert_int_equal(diff.count, 1);
    assert_string_equal(diff.changes[0].what, what);
    assert_string_equal(diff.changes[0].before ? diff.changes[0].before : "-", was);
    assert_string_equal(diff.changes[0].after ? diff.changes[0].after : "-", is);
    config_diff_free(&diff);
    config_free(a);
    config_free(b);
}

static void test_diff(void **state)
{
    (void)state;
    check_change(SITE("record: {every: 20s}, ", "", ""), SITE("record: {every: 1m}, ", "", ""),
                 "device.d.record.every", "20s", "1m");
    check_change(SITE("record: {every: 20s}, ", "", ""), SITE("", "", ""), "device.d.record.every", "20s",
                 "-");
    check_change(SITE("record: {every: 20s}, ", "", ""), SITE(THIN, "", ""), "device.d.record.around_alarms",
                 "-", "1m");
    check_change(SITE("", "", ""), SITE("", ", change: 0.5", ""), "point.d.p.change", "-", "0.5");
    check_change(SITE("", "", "store: {retention: {rollups: 365d}}\n"),
                 SITE("", "", "store: {retention: {rollups: 90d}}\n"), "store.retention.rollups", "-", "90d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),   cmocka_unit_test(test_site),    cmocka_unit_test(test_derived),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_windows), cmocka_unit_test(test_diff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
