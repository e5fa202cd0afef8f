/* LINK rg_config */
/* Which instants devices get: their own `poll_offset`, or one that a bus with `spread` gives them. */
#include "config_rows.h"

#include <stdlib.h>

#include "config/budget.h"
#include "config/diff.h"

#define POINTS ", points: [{name: p, holding: 0, type: u16}]}\n"
#define DEVICE(name, bus, unit, more) "  - {name: " name ", bus: " bus ", unit: " #unit ", " more POINTS

static void check_offsets(const char *text, const int64_t *wanted, size_t count)
{
    struct config *config = load_good(text);

    assert_int_equal(config->site->device_count, count);
    for (size_t i = 0; i < count; i++)
        if (config->site->devices[i].poll_offset_ms != wanted[i])
            fail_msg("device %s: %lld, not %lld", config->site->devices[i].name,
                     (long long)config->site->devices[i].poll_offset_ms, (long long)wanted[i]);
    config_free(config);
}
#define CHECK_OFFSETS(text, ...)                                                                             \
    check_offsets(text, (const int64_t[]){__VA_ARGS__},                                                      \
                  sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void shared_but_where_told(void **state)
{
    (void)state;
    CHECK_OFFSETS(GATEWAY BUS "devices:\n" DEVICE("a", "b", 1, "poll: 1s") DEVICE("c", "b", 2, "poll: 5s")
                      DEVICE("d", "b", 3, "poll: 5s, poll_offset: 4999ms")
                          DEVICE("e", "b", 4, "poll_offset: 0ms"),
                  0, 0, 4999, 0);
}

#define LINES                                                                                                \
    "buses: [{name: s, tcp: 'h:1', spread: true}, {name: t, tcp: 'h:2'}, {name: u, rtu: /dev/x, baud: "      \
    "9600, "                                                                                                 \
    "spread: true}]\n"

/* Of each period by itself, and of each bus. */
static void a_bus_spreads(void **state)
{
    (void)state;
    CHECK_OFFSETS(GATEWAY LINES "devices:\n" DEVICE("a", "s", 1, "poll: 1s") DEVICE("b", "t", 1, "poll: 1s")
                      DEVICE("c", "s", 2, "poll: 4s") DEVICE("d", "s", 3, "poll: 1s")
                          DEVICE("e", "u", 1, "poll: 1s") DEVICE("f", "s", 4, "poll: 1s")
                              DEVICE("g", "s", 5, "poll: 4s"),
                  0, 0, 0, 333, 0, 666, 2000);
}

/* One with an offset of its own takes no part, be it 0. */
static void an_offset_wins(void **state)
{
    (void)state;
    CHECK_OFFSETS(GATEWAY LINES "devices:\n" DEVICE("a", "s", 1, "poll_offset: 10ms")
                      DEVICE("b", "s", 2, "poll: 1s") DEVICE("c", "s", 3, "poll_offset: 0s")
                          DEVICE("d", "s", 4, "poll: 1s"),
                  10, 0, 0, 500);
}

/* One write to all units goes on serving all that share it. */
static void who_shares_a_broadcast_stays_together(void **state)
{
    static const char text[] = GATEWAY LINES
        "devices:\n" DEVICE("a", "u", 1, "poll: 9s, trigger: {coil: 0, wait: 1s, broadcast: true}")
            DEVICE("b", "u", 2, "poll: 9s")
                DEVICE("c", "u", 3, "poll: 9s, trigger: {coil: 1, wait: 1s, broadcast: true}")
                    DEVICE("d", "u", 4, "poll: 9s, trigger: {coil: 0, wait: 2s, broadcast: true}");

    (void)state;
    CHECK_OFFSETS(text, 0, 3000, 6000, 0);
}

/* More devices than milliseconds, and a derived one, which has no bus. */
static void the_least_and_the_most(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *f = open_memstream(&text, &length);

    (void)state;
    assert_non_null(f);
    (void)fputs(GATEWAY LINES "derived: [{name: x, points: [{name: p, sum: [d0.p]}]}]\ndevices:\n", f);
    for (int i = 0; i < 40; i++)
        (void)fprintf(f, "  - {name: d%d, bus: s, unit: %d, poll: 10ms" POINTS, i, i + 1);
    assert_int_equal(fclose(f), 0);
    struct config *config = load_good(text);
    int64_t before = 0;

    for (size_t i = 0; i < 40; i++) {
        const int64_t offset = config->site->devices[i].poll_offset_ms;

        assert_true(offset >= before && offset < 10);
        assert_true(config->site->devices[i].spread);
        before = offset;
    }
    assert_int_equal(before, 9);
    assert_true(config->site->devices[40].derived);
    assert_false(config->site->devices[40].spread);
    config_free(config);
    free(text);
}

static const struct row rows[] = {
    {FRAME_BUS, "name: b, tcp: 'h:1', spread: true", ""},
    {FRAME_BUS, "name: b, tcp: 'h:1', spread: 1s", "3:35: error: `spread` must be true or false, not `1s`\n"},
    {FRAME_DEVICE, "name: d, bus: r, unit: 1, poll: 5s, points: [{name: p, coil: 0}], poll_offset: 4999ms",
     ""},
    {FRAME_DEVICE, "name: d, bus: r, unit: 1, poll: 5s, points: [{name: p, coil: 0}], poll_offset: 5s",
     "5:85: error: `poll_offset` must be shorter than the poll period, 5s\n"},
    {FRAME_DEVICE, "name: d, bus: r, unit: 1, points: [{name: p, coil: 0}], poll_offset: 1s",
     "5:75: error: `poll_offset` must be shorter than the poll period, 1s\n"},
    {FRAME_DEVICE, "name: d, bus: r, unit: 1, points: [{name: p, coil: 0}], poll_offset: 8d",
     "5:75: error: `poll_offset` must be 0s to 7d, not `8d`\n"},
    /* Three broadcasts of 215.6 ms and three polls of 42.9 ms in a second are 77.5 %; one broadcast, as long as they share it,
     * would fit a third of that. At instants of their own, in 700 ms, they are too much; together they are not. */
    {FRAME_RAW,
     GATEWAY "buses: [{name: l, rtu: /dev/x, baud: 9600, timeout: 100ms}]\n"
             "devices:\n" DEVICE("d", "l", 1, "poll: 700ms, trigger: {coil: 0, wait: 9ms, broadcast: true}")
                 DEVICE("e", "l", 2, "poll: 700ms, trigger: {coil: 0, wait: 9ms, broadcast: true}")
                     DEVICE("f", "l", 3, "poll: 700ms, trigger: {coil: 0, wait: 9ms, broadcast: true}"),
     ""},
    {FRAME_RAW,
     GATEWAY
     "buses: [{name: l, rtu: /dev/x, baud: 9600, timeout: 100ms}]\n"
     "devices:\n" DEVICE("d", "l", 1, "poll: 700ms, trigger: {coil: 0, wait: 9ms, broadcast: true}")
         DEVICE("e", "l", 2, "poll: 700ms, poll_offset: 9ms, trigger: {coil: 0, wait: 9ms, broadcast: true}")
             DEVICE("f", "l", 3,
                    "poll: 700ms, poll_offset: 20ms, trigger: {coil: 0, wait: 9ms, broadcast: true}"),
     "2:9: warning: the polls asked of the bus `l` need about 111 % of its time, 11 % too much: make their "
     "periods 1.11 times as long\n"},
};

static void what_is_wrong(void **state)
{
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

/* What is told upward: what was written differently, not what follows from it. */
static void what_has_changed(void **state)
{
    struct config *before =
        load_good(GATEWAY LINES "devices:\n" DEVICE("a", "s", 1, "poll: 1s") DEVICE("b", "t", 2, "poll: 1s"));
    struct config *after =
        load_good(GATEWAY "buses: [{name: s, tcp: 'h:1', spread: true}, {name: t, tcp: 'h:2', spread: true}, "
                          "{name: u, rtu: /dev/x, "
                          "baud: 9600, spread: true}]\n"
                          "devices:\n" DEVICE("c", "s", 3, "poll: 1s") DEVICE("a", "s", 1, "poll: 1s")
                              DEVICE("b", "t", 2, "poll: 1s, poll_offset: 20ms"));
    struct config_diff diff;
    char text[4096] = "";
    size_t length = 0;

    (void)state;
    assert_int_equal(after->site->devices[1].poll_offset_ms, 500);
    assert_int_equal(config_diff(before->site, after->site, &diff), RG_OK);
    for (size_t i = 0; i < diff.count; i++)
        if (strncmp(diff.changes[i].what, "device.c.", 9) != 0 &&
            strncmp(diff.changes[i].what, "point.c.", 8) != 0)
            length +=
                (size_t)snprintf(text + length, sizeof text - length, "%s: %s -> %s\n", diff.changes[i].what,
                                 diff.changes[i].before ? diff.changes[i].before : "-",
                                 diff.changes[i].after ? diff.changes[i].after : "-");
    assert_string_equal(text, "bus.t.spread: - -> true\n"
                              "device.b.poll_offset: - -> 20ms\n");
    config_diff_free(&diff);
    config_free(before);
    config_free(after);
}

static void who_is_asked_at_one_instant(void **state)
{
    static const struct {
        const char *text;
        uint32_t devices;
        int64_t poll_ms, offset_ms;
    } sites[] = {
        {"", 0, 0, 0},
        {"devices:\n" DEVICE("a", "t", 1, "poll: 9s"), 1, 9000, 0},
        {"devices:\n" DEVICE("a", "t", 1, "poll: 9s") DEVICE("b", "t", 2, "poll: 1s")
             DEVICE("c", "u", 3, "poll: 9s") DEVICE("d", "s", 4, "poll: 1s"),
         2, 1000, 0},
        {"devices:\n" DEVICE("a", "t", 1, "poll: 9s, poll_offset: 1s") DEVICE("b", "t", 2, "poll: 9s")
             DEVICE("c", "u", 3, "poll: 9s, poll_offset: 1s") DEVICE("d", "s", 4, "poll: 8s")
                 DEVICE("e", "s", 4, "poll: 8s"),
         2, 9000, 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++) {
        struct budget_instants most;
        char text[2048];

        (void)snprintf(text, sizeof text, "%s%s%s", GATEWAY, LINES, sites[i].text);
        struct config *config = load_good(text);
        assert_int_equal(budget_instants(config->site, &most), RG_OK);
        assert_int_equal(most.devices, sites[i].devices);
        assert_int_equal(most.poll_ms, sites[i].poll_ms);
        assert_int_equal(most.poll_offset_ms, sites[i].offset_ms);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_but_where_told),  cmocka_unit_test(a_bus_spreads),
        cmocka_unit_test(an_offset_wins),         cmocka_unit_test(who_shares_a_broadcast_stays_together),
        cmocka_unit_test(the_least_and_the_most), cmocka_unit_test(what_is_wrong),
        cmocka_unit_test(what_has_changed),       cmocka_unit_test(who_is_asked_at_one_instant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
