/* LINK rg_record rg_test_support */
/* Which frames are recorded when readings are thinned: rule by rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"
#include "model/site_record.h"
#include "record/held.h"
#include "record/thin.h"
#include "support_site.h"

#define BEGIN 1000000

struct rig {
    struct support_site site;
    struct thin *thin;
    int64_t turn;
    char out[8192]; /* what was recorded: "second " or "[second] " when it was held back */
    size_t room;    /* frames that a release may take */
};

static void told(struct rig *r, bool held, int64_t ms)
{
    size_t used = strlen(r->out);

    assert_true((size_t)snprintf(r->out + used, sizeof r->out - used, held ? "[%g] " : "%g ",
                                 (double)ms / 1000) < sizeof r->out - used);
}

static void begin(struct rig *r, const char *plant)
{
    memset(r, 0, sizeof *r);
    support_site_build(&r->site, plant);
    assert_int_equal(thin_create(&r->site.site, &r->thin), RG_OK);
    r->room = SIZE_MAX;
}

static void end(struct rig *r)
{
    thin_destroy(r->thin);
    support_site_free(&r->site);
}

static void give(struct rig *r, const struct frame *frame)
{
    r->turn++;
    switch (thin_frame(r->thin, frame)) {
    case THIN_RECORD:
        told(r, false, frame->at.mono_ms - BEGIN);
        break;
    case THIN_HOLD:
        thin_hold(r->thin, frame, r->turn);
        break;
    case THIN_DROP:
        break;
    }
}

/* One reading of one point. */
static void reading(struct rig *r, uint32_t point, int64_t ms, double value)
{
    struct sample s = {.point = point, .quality = QUALITY_GOOD, .value = value};

    give(r, &(struct frame){.device = r->site.site.points[point].device,
                            .at = {BEGIN + ms, ms},
                            .heard = true,
                            .count = 1,
                            .samples = &s});
}

static void bad(struct rig *r, uint32_t point, int64_t ms, enum quality quality, bool heard)
{
    struct sample s = {.point = point, .quality = quality};

    give(r, &(struct frame){.device = r->site.site.points[point].device,
                            .at = {BEGIN + ms, ms},
                            .heard = heard,
                            .count = 1,
                            .samples = &s});
}

static int64_t last_turn;

static bool due_cb(void *arg, const struct frame *frame, int64_t turn)
{
    struct rig *r = arg;

    if (r->room == 0)
        return false;
    r->room--;
    assert_true(turn > last_turn && turn <= r->turn);
    last_turn = turn;
    assert_true(frame->at.wall_ms == frame->at.mono_ms - BEGIN); /* its own time, on both clocks */
    told(r, true, frame->at.mono_ms - BEGIN);
    return true;
}

static void change(struct rig *r, enum alarm_event event, const char *rule, const char *point, int64_t ms)
{
    struct alarm alarm = {.level = event == ALARM_CLEAR ? LEVEL_NONE : LEVEL_RED};

    assert_true(text_copy(alarm.rule, sizeof alarm.rule, rule));
    assert_true(text_copy(alarm.point, sizeof alarm.point, point));
    last_turn = 0;
    thin_change(r->thin, &(struct alarm_change){.event = event, .at = {BEGIN + ms, ms}, .alarm = &alarm});
    thin_release(r->thin, due_cb, r);
}

#define ONE "device d poll=1s record=20s\npoint a den=10\n"
#define AROUND "device d poll=1s record=20s:3s\npoint a\nrule r points=d.a above=red:50\n"

static void test_every(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, ONE);
    for (int s = 0; s <= 60; s++)
        reading(&r, 0, s * 1000, 5);
    assert_string_equal(r.out, "0 20 40 60 ");
    end(&r);
    begin(&r, ONE); /* polls that come a little early or late keep to it */
    for (int s = 0; s <= 60; s++)
        reading(&r, 0, s * 1000 + (s % 20 == 0 && s > 0 ? -9 : 9), 5);
    assert_string_equal(r.out, "0.009 19.991 39.991 59.991 ");
    end(&r);
    begin(&r, "device d poll=1s\npoint a\n"); /* without it everything is */
    for (int s = 0; s < 3; s++)
        reading(&r, 0, s * 1000, 5);
    assert_string_equal(r.out, "0 1 2 ");
    end(&r);
}

static void test_change(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "device d poll=1s record=100s\npoint a change=1\n");
    for (int s = 0; s <= 10; s++)
        reading(&r, 0, s * 1000, 20 + 0.3 * s); /* slow drift: against what was recorded last */
    assert_string_equal(r.out, "0 4 8 ");
    end(&r);
    begin(&r, "device d poll=1s record=100s\npoint a change=0.1\n");
    reading(&r, 0, 0, 20.0);
    reading(&r, 0, 1000, 20.1); /* not more than 0.1 */
    reading(&r, 0, 2000, 19.9);
    reading(&r, 0, 3000, 20.2);
    reading(&r, 0, 4000, 20.0); /* more than 0.1 from 20.2 */
    assert_string_equal(r.out, "0 3 4 ");
    end(&r);
    begin(&r, ONE); /* a quantity without it */
    reading(&r, 0, 0, 20);
    reading(&r, 0, 1000, 900);
    assert_string_equal(r.out, "0 ");
    end(&r);
    begin(&r, "device d poll=1s record=100s\npoint a coil=0\n"); /* a state */
    reading(&r, 0, 0, 0);
    reading(&r, 0, 1000, 1);
    reading(&r, 0, 2000, 1);
    reading(&r, 0, 3000, 0);
    assert_string_equal(r.out, "0 1 3 ");
    end(&r);
}

static void test_quality(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "device d poll=1s record=20s\npoint a change=1\n");
    reading(&r, 0, 0, 20);
    bad(&r, 0, 1000, QUALITY_SENSOR, true);
    bad(&r, 0, 2000, QUALITY_SENSOR, true);
    bad(&r, 0, 3000, QUALITY_COMM, false);
    bad(&r, 0, 4000, QUALITY_COMM, false);
    bad(&r, 0, 5000, QUALITY_COMM, true); /* it was heard, though nothing was understood */
    reading(&r, 0, 6000, 20);
    bad(&r, 0, 7000, QUALITY_RANGE, true);
    bad(&r, 0, 26990, QUALITY_RANGE, true);
    assert_string_equal(r.out, "0 1 3 5 6 7 26.99 ");
    end(&r);
    begin(&r, ONE); /* nothing of any point */
    for (int s = 0; s <= 40; s++)
        give(&r, &(struct frame){.at = {BEGIN + s * 1000, 0}, .heard = true});
    assert_string_equal(r.out, "0 20 40 ");
    end(&r);
}

/* Two requests a poll: the first one's point changes all the time, the second's never. */
static void test_several_frames(void **state)
{
    struct rig r;
    unsigned second = 0;

    (void)state;
    begin(&r, "device d poll=1s record=20s\npoint a change=1\npoint b change=1\n");
    for (int s = 0; s <= 60; s++) {
        reading(&r, 0, s * 1000, s % 2 * 10);
        r.out[0] = '\0';
        reading(&r, 1, s * 1000 + 30, 5);
        second += r.out[0] != '\0';
        assert_int_equal(r.out[0] != '\0', s % 20 == 0);
    }
    assert_int_equal(second, 4);
    end(&r);
}

static void test_around(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, AROUND);
    for (int s = 0; s <= 10; s++)
        reading(&r, 0, s * 1000, 5);
    change(&r, ALARM_RAISE, "r", "d.a", 10000); /* the frame that brought it is held back, too */
    assert_string_equal(r.out, "0 [7] [8] [9] [10] ");
    change(&r, ALARM_ESCALATE, "r", "d.a", 10500);
    reading(&r, 0, 11000, 5);
    reading(&r, 0, 12000, 5);
    change(&r, ALARM_CLEAR, "r", "d.a", 12500);
    for (int s = 13; s <= 40; s++)
        reading(&r, 0, s * 1000, 5);
    assert_string_equal(r.out, "0 [7] [8] [9] [10] 11 12 13 14 15 35 ");
    end(&r);
    begin(&r, AROUND); /* a second alarm before the first one's time is over: nothing twice */
    for (int s = 0; s <= 2; s++)
        reading(&r, 0, s * 1000, 5);
    change(&r, ALARM_RAISE, "r", "d.a", 2000);
    change(&r, ALARM_RAISE, "doubt", "d.a", 2000);
    change(&r, ALARM_CLEAR, "r", "d.a", 2500);
    reading(&r, 0, 9000, 5);
    change(&r, ALARM_CLEAR, "doubt", "d.a", 9500);
    reading(&r, 0, 12500, 5);
    reading(&r, 0, 13500, 5);
    change(&r, ALARM_RAISE, "r", "d.a", 13600);
    assert_string_equal(r.out, "0 [1] [2] 9 12.5 [13.5] ");
    end(&r);
}

/* Where the store has no room the rest stays, in order, and is older than around_alarms by then. */
static void test_release_later(void **state)
{
    struct rig r;
    struct thin_stats stats;

    (void)state;
    begin(&r, AROUND);
    for (int s = 0; s <= 3; s++)
        reading(&r, 0, s * 1000, 5);
    r.room = 1;
    change(&r, ALARM_RAISE, "r", "d.a", 3000);
    assert_true(thin_is_due(r.thin));
    change(&r, ALARM_CLEAR, "r", "d.a", 3100);
    reading(&r, 0, 6000, 5);
    reading(&r, 0, 60000, 5);
    reading(&r, 0, 61000, 5);
    assert_string_equal(r.out, "0 [1] 6 60 ");
    r.room = SIZE_MAX;
    last_turn = 0;
    thin_release(r.thin, due_cb, &r);
    assert_string_equal(r.out, "0 [1] 6 60 [2] [3] ");
    assert_false(thin_is_due(r.thin));
    thin_stats(r.thin, 0, &stats);
    assert_true(stats.recorded == 6 && stats.thinned == 0 && stats.held == 1 && stats.cut == 0);
    end(&r);
}

/* A device that answers far more often than it was to be asked. */
static void test_full(void **state)
{
    struct rig r;
    struct thin_stats stats;
    uint64_t room;

    (void)state;
    begin(&r, AROUND);
    room = site_record_bytes(&r.site.site, 0) / (SITE_RECORD_FRAME_BYTES + SITE_RECORD_SAMPLE_BYTES) + 1;
    assert_int_equal(room, 6);
    for (int ms = 0; ms <= 2000; ms += 100)
        reading(&r, 0, ms, 5);
    thin_stats(r.thin, 0, &stats);
    assert_true(stats.recorded == 1 && stats.held == room && stats.cut == 20 - room &&
                stats.thinned == 20 - room);
    change(&r, ALARM_RAISE, "r", "d.a", 2000);
    assert_string_equal(r.out, "0 [1.5] [1.6] [1.7] [1.8] [1.9] [2] ");
    end(&r);
}

#define MANY                                                                                                 \
    "device d1 poll=1s record=20s:3s\npoint a\n"                                                             \
    "device d2 poll=1s record=20s:3s\npoint a\n"                                                             \
    "device d3 poll=1s record=20s\npoint a\n"                                                                \
    "device g poll=1s record=20s:3s\npoint x\n"                                                              \
    "rule v points=*.a vote=2:holds above=red:50\nrule r points=*.a,g.x above=red:50\n"                      \
    "area s\noutput siren device=d2 coil=5 area=s\n"

/* Which devices an alarm is of. */
static void test_members(void **state)
{
    static const struct {
        const char *rule, *point, *wanted;
    } rows[] = {
        {"r", "d1.a", "[1] "},       {"r", "d2.a", "[1.1] "},       {"doubt", "d1.a", "[1] "},
        {"offline", "d2", "[1.1] "}, {"output", "siren", "[1.1] "}, {"v", "", "[1] [1.1] "},
        {"r", "g.x", "[1] [1.3] "},  {"offline", "nobody", ""},     {"gone", "", ""},
        {"r", "d3.a", ""},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct site_operand operand = {.point = 0, .times = 1};
        struct site_derived derived = {.kind = DERIVE_SUM, .operands = &operand, .operand_count = 1};
        struct rig r;

        begin(&r, MANY);
        r.site.site.devices[3].derived = true;
        r.site.site.points[3].derived = &derived;
        for (uint32_t p = 0; p < 4; p++) {
            reading(&r, p, 0, 5);
            reading(&r, p, 1000 + 100 * p, 5);
        }
        r.out[0] = '\0';
        change(&r, ALARM_RAISE, rows[i].rule, rows[i].point, 1500);
        assert_string_equal(r.out, rows[i].wanted);
        end(&r);
    }
}

/* Alarms that stand at the start count, and a clear of one that does not is none. */
static void test_standing(void **state)
{
    struct alarm alarm = {.rule = "r", .point = "d.a", .level = LEVEL_RED};
    struct rig r;

    (void)state;
    begin(&r, AROUND);
    thin_standing_none(r.thin);
    thin_standing(r.thin, &alarm);
    for (int s = 0; s < 3; s++)
        reading(&r, 0, s * 1000, 5);
    assert_string_equal(r.out, "0 1 2 ");
    thin_standing_none(r.thin);
    change(&r, ALARM_CLEAR, "r", "d.a", 2000);
    for (int s = 3; s < 9; s++)
        reading(&r, 0, s * 1000, 5);
    assert_string_equal(r.out, "0 1 2 3 4 5 ");
    end(&r);
}

/* A reload: one device goes on with what it holds back, though its number is another; one whose `change` is another begins anew. */
static void test_inherit(void **state)
{
    struct rig a, b;
    struct thin_stats stats;

    (void)state;
    begin(&a, "device x unit=1 poll=1s record=20s:9s\npoint a change=1\ndevice d unit=2 poll=1s "
              "record=20s:9s\npoint a\n");
    for (int s = 0; s < 3; s++) {
        reading(&a, 0, s * 1000, 5);
        reading(&a, 1, s * 1000, 5);
    }
    begin(&b, "device d unit=2 poll=1s record=20s:9s\npoint a\ndevice x unit=1 poll=1s record=20s:9s\npoint "
              "a change=2\n"
              "rule r points=d.a above=red:50\n");
    b.turn = a.turn;
    assert_int_equal(thin_inherit(b.thin, a.thin), RG_OK);
    end(&a);
    reading(&b, 0, 3000, 5);
    reading(&b, 1, 3000, 5);
    assert_string_equal(b.out, "3 "); /* x's first one */
    thin_stats(b.thin, 1, &stats);
    assert_true(stats.recorded == 2 && stats.thinned == 2 && stats.held == 0);
    change(&b, ALARM_RAISE, "r", "d.a", 3000);
    assert_string_equal(b.out, "3 [1] [2] [3] ");
    end(&b);
}

/* Beside devices of which everything is recorded, one that is thinned goes by its own readings. */
static void test_beside(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "device c poll=1s\npoint x\npoint y\npoint z\ndevice d poll=1s record=20s\npoint a "
              "change=2\npoint b change=2\n"
              "device e poll=1s\npoint w\ndevice f poll=1s record=20s\npoint a change=2\n");
    for (int s = 0; s <= 2; s++) {
        reading(&r, 1, s * 1000 + 100, 5.0 * s); /* c: each one */
        reading(&r, 3, s * 1000 + 200, 50);
        reading(&r, 4, s * 1000 + 300, s == 2 ? 53 : 50);
        reading(&r, 5, s * 1000 + 400, 5.0 * s);
        reading(&r, 6, s * 1000 + 500, s == 1 ? 93 : 90);
    }
    assert_string_equal(r.out, "0.1 0.2 0.3 0.4 0.5 1.1 1.4 1.5 2.1 2.3 2.4 2.5 ");
    change(&r, ALARM_RAISE, "r", "d.a", 3000); /* no device keeps what is around alarms */
    change(&r, ALARM_CLEAR, "r", "d.a", 3000);
    reading(&r, 3, 3200, 50);
    assert_int_equal(strlen(r.out), strlen("0.1 0.2 0.3 0.4 0.5 1.1 1.4 1.5 2.1 2.3 2.4 2.5 "));
    end(&r);
}

/* The ring by itself, against a plain list: all sizes, all places of the wrap. */
static void test_ring(void **state)
{
    struct rg_random random;
    struct sample samples[8] = {{.point = 0}};
    unsigned wraps = 0;

    (void)state;
    random_seed(&random, 20251122);
    print_message("seed 20251122\n");
    for (uint64_t bytes = 48; bytes < 1500; bytes += 16) {
        int64_t list[200];
        size_t first = 0, last = 0;
        struct held h;

        assert_int_equal(held_create(&h, bytes, 8), RG_OK);
        for (int i = 0; i < 200; i++) {
            size_t count = random_below(&random, 9);
            struct frame f = {.at = {i, i}, .count = count, .samples = samples}, out;
            int64_t turn;

            for (size_t k = 0; k < count; k++)
                samples[k].value = i;
            first += held_put(&h, &f, i);
            list[last++] = i;
            assert_int_equal(h.count, last - first);
            assert_true(h.count > 0);
            wraps += h.next <= h.first;
            if (random_below(&random, 4) == 0) {
                assert_true(held_first(&h, &out, &turn));
                assert_int_equal(turn, list[first]);
                for (size_t k = 0; k < out.count; k++)
                    assert_true(out.samples[k].value == (double)turn);
                held_drop(&h);
                first++;
            }
            if (random_below(&random, 20) == 0)
                first += held_expire(&h, i - (int64_t)random_below(&random, 10));
            assert_int_equal(h.count, last - first);
        }
        held_destroy(&h);
    }
    assert_true(wraps > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every),    cmocka_unit_test(test_change),
        cmocka_unit_test(test_quality),  cmocka_unit_test(test_several_frames),
        cmocka_unit_test(test_around),   cmocka_unit_test(test_release_later),
        cmocka_unit_test(test_full),     cmocka_unit_test(test_members),
        cmocka_unit_test(test_standing), cmocka_unit_test(test_inherit),
        cmocka_unit_test(test_beside),   cmocka_unit_test(test_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
