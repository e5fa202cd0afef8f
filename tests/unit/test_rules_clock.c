/* LINK rg_rules rg_test_support */
/* The wall clock is set while delays, windows, shelvings and permits run: the rules do the same at the same monotonic instants as beside a
 * clock that nobody touches, and tell everything on the clock as it is then. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

#define WALL INT64_C(1763780000000)
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define YEAR (365 * 24 * HOUR)
#define LOG (1u << 20)

static const char plant[] =
    "area hall\n"
    "permit hot max=8h\n"
    "device gas area=hall offline=60s:yellow\n"
    "point a doubt=20s:yellow\n"
    "point b\n"
    "device tank area=hall offline=30s:orange\n"
    "point a\n"
    "rule high points=*.a above=blue:10,yellow:20,orange:25,red:50 deadband=1 on=9s off=15s\n"
    "rule hold points=gas.b above=red:50 on=5s off=20s latch=blue\n"
    "rule mean points=gas.a mean=2m above=blue:15,red:30 deadband=1\n"
    "rule rate points=tank.a rate=1m above=yellow:40\n"
    "rule stuck points=gas.b flat=90s is=1:blue\n"
    "rule dose points=tank.a sum=5m above=orange:5000 off=30s\n"
    "rule two vote=2:counts points=gas.a,tank.a above=orange:30 on=7s\n"
    "rule work points=gas.b permit=hot above=yellow:20 on=4s\n";

struct told {
    char *text; /* each on a line, by the monotonic clock */
    size_t length;
};

struct bed {
    struct support_site s;
    struct rules *r;
    int64_t t, offset; /* monotonic now; wall less monotonic */
    struct told told;
    struct alarm last;
    unsigned moves, off_clock;
};

static struct moment now(const struct bed *b)
{
    return (struct moment){b->t, b->t + b->offset};
}

static void note(struct bed *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct bed *b, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(b->told.text + b->told.length, LOG - b->told.length, format, args);
    va_end(args);
    assert_true(length >= 0 && b->told.length + (size_t)length < LOG);
    b->told.length += (size_t)length;
}

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct bed *b = arg;

    b->last = *c->alarm;
    b->moves++;
    b->off_clock += c->at.wall_ms != c->at.mono_ms + b->offset;
    note(b, "%lld %s %s %s %s>%s %s %g %g %s\n", (long long)c->at.mono_ms, alarm_event_name(c->event),
         c->alarm->rule, c->alarm->point, level_name(c->was), level_name(c->alarm->level), c->alarm->id,
         c->has_value ? c->value : -1, c->has_limit ? c->limit : -1, c->comment ? c->comment : "");
}

static void area_cb(void *arg, uint32_t area, enum level level, enum level was, struct moment at)
{
    struct bed *b = arg;

    b->off_clock += at.wall_ms != at.mono_ms + b->offset;
    note(b, "%lld area %d %s>%s\n", (long long)at.mono_ms, (int)area, level_name(was), level_name(level));
}

static void begin(struct bed *b)
{
    *b = (struct bed){.t = 1000, .offset = WALL, .told.text = calloc(LOG, 1)};
    assert_non_null(b->told.text);
    support_site_build(&b->s, plant);
    assert_int_equal(rules_create(&b->s.site, 1, change_cb, b, &b->r), RG_OK);
    rules_on_area(b->r, area_cb, b);
    rules_start(b->r, now(b));
}

static void end(struct bed *b)
{
    rules_destroy(b->r);
    support_site_free(&b->s);
    free(b->told.text);
}

static void give(struct bed *b, const char *point, double value, enum quality quality)
{
    uint32_t index = support_site_point(&b->s.site, point);
    struct sample sample = {.point = index, .value = quality == QUALITY_GOOD ? value : 0, .quality = quality};
    struct frame frame = {.device = b->s.site.points[index].device,
                          .at = now(b),
                          .heard = quality != QUALITY_COMM,
                          .samples = &sample,
                          .count = 1};

    rules_frame(b->r, &frame);
}

/* As the daemon does: a tick at every deadline, and then the clock shows what it shows at that time. */
static void until(struct bed *b, int64_t t)
{
    while (rules_next_ms(b->r) <= t) {
        b->t = rules_next_ms(b->r);
        rules_tick(b->r, now(b));
    }
    b->t = t;
}

/* A reload: another engine goes on with what this one knows. */
static void carry_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

static void reload(struct bed *b)
{
    struct rules *old = b->r;

    rules_tick(old, now(b));
    assert_int_equal(rules_create(&b->s.site, rules_next_alarm(old), change_cb, b, &b->r), RG_OK);
    rules_on_area(b->r, area_cb, b);
    rules_each(old, carry_cb, b->r);
    rules_levels_from(b->r, old);
    rules_permit(b->r, 0, rules_permit_until(old, 0), now(b));
    rules_start(b->r, now(b));
    rules_inherit(b->r, old);
    rules_destroy(old);
}

struct shelf {
    struct bed *b;
    unsigned count;
};

static void each_cb(void *arg, const struct alarm *a)
{
    struct shelf *s = arg;
    struct bed *b = s->b;

    note(b, "%lld lists %s %s shelved %d for %lld standing %d\n", (long long)b->t, a->id,
         level_name(a->level), a->shelved, a->shelved ? (long long)(a->shelved_until_ms - now(b).wall_ms) : 0,
         rules_stands(a, now(b)));
    s->count++;
}

static void act(struct bed *b, struct rg_random *random)
{
    static const char *const points[] = {"gas.a", "gas.b", "tank.a"};
    const char *point = points[random_below(random, RG_COUNT(points))];
    uint64_t what = random_below(random, 100);
    char id[32];

    (void)text_format(id, sizeof id, "gw-01-%u", (unsigned)random_below(random, rules_next_alarm(b->r)) + 1);
    if (what < 80)
        give(b, point, (double)random_below(random, 70), QUALITY_GOOD);
    else if (what < 88)
        give(b, point, 0, random_below(random, 2) ? QUALITY_SENSOR : QUALITY_COMM);
    else if (what < 91)
        note(b, "ack %d\n", rules_ack(b->r, id, "Li", NULL, now(b)));
    else if (what < 94)
        note(b, "shelve %d\n", rules_shelve(b->r, id, 60 * SECOND, "Li", NULL, now(b)));
    else if (what < 96)
        rules_permit(b->r, 0, b->t + 120 * SECOND, now(b));
    else if (what < 98)
        reload(b);
    else
        rules_each(b->r, each_cb, &(struct shelf){.b = b});
}

static int64_t some_step(struct rg_random *random)
{
    static const int64_t sizes[] = {2 * SECOND, 90 * SECOND, 5 * HOUR, 40 * 24 * HOUR, 55 * YEAR};
    int64_t size = sizes[random_below(random, RG_COUNT(sizes))];

    return random_below(random, 2) ? size : -size;
}

static void play(struct bed *b, uint64_t seed, bool stepped)
{
    struct rg_random random, clock;

    random_seed(&random, seed);
    random_seed(&clock, ~seed);
    begin(b);
    for (int i = 0; i < 3000; i++) {
        until(b, b->t + (int64_t)random_below(&random, 8000));
        if (random_below(&clock, 12) == 0 && stepped)
            b->offset = random_below(&clock, 4) ? b->offset + some_step(&clock) : WALL;
        act(b, &random);
    }
    until(b, b->t + HOUR);
}

static void same_with_any_clock(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct bed steady, stepped;

        play(&steady, seed, false);
        play(&stepped, seed, true);
        if (strcmp(steady.told.text, stepped.told.text) != 0) {
            size_t at = 0;

            while (steady.told.text[at] == stepped.told.text[at])
                at++;
            while (at > 0 && steady.told.text[at - 1] != '\n')
                at--;
            fail_msg("seed %llu:\n%.100s\nbut with steps\n%.100s", (unsigned long long)seed,
                     steady.told.text + at, stepped.told.text + at);
        }
        assert_true(steady.moves > 500);
        assert_int_equal(steady.off_clock, 0);
        assert_int_equal(stepped.off_clock, 0);
        end(&steady);
        end(&stepped);
    }
}

/* A board without a battery: the delay begins in 1970 and ends after the clock was set. */
static void a_delay_over_the_first_setting(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    b.offset = 0;
    b.t += 30 * SECOND;
    give(&b, "gas.a", 60, QUALITY_GOOD);
    b.t += 4 * SECOND;
    b.offset = WALL;
    until(&b, b.t + 6 * SECOND);
    assert_int_equal(b.last.level, LEVEL_RED);
    assert_int_equal(b.last.raised_ms, 1000 + 39 * SECOND + WALL);
    assert_int_equal(b.off_clock, 0);
    assert_false(rules_stands(&b.last, now(&b)));
    end(&b);
}

/* Slewing is no setting: the end of a delay is the reading's time and the delay, to the millisecond. */
static void slewing_is_left_alone(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    give(&b, "gas.a", 60, QUALITY_GOOD);
    b.t += 4 * SECOND;
    b.offset += MOMENT_STEP_MS - 1;
    until(&b, b.t + 6 * SECOND);
    assert_int_equal(b.last.raised_ms, 1000 + 9 * SECOND + WALL);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_with_any_clock),
        cmocka_unit_test(a_delay_over_the_first_setting),
        cmocka_unit_test(slewing_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
