/* LINK rg_rules rg_test_support m */
/* Slots and doubts that rest (watched.h, doubts.h): whatever is read, when and in which order, they are what those are that keep a state
 * of their own all the time; and what is awake is no more than has to be. RG_SEED chooses other readings; a failure prints its seed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/text.h"
#include "rules/engine.h"
#include "support_site.h"

#define POINTS 2
#define RULES 5   /* the last one after the reload only */
#define SAMPLES 3 /* of a frame, at most */
#define RELOAD 7000

/* A point of doubles and one of floats, watched by rules of each kind. */
#define PLANT                                                                                                \
    "device d\npoint a doubt=2s:yellow\npoint b type=f32 doubt=1s:red\n"                                     \
    "rule up points=* above=blue:10,red:50 deadband=1 on=2s off=3s\n"                                        \
    "rule down points=* below=yellow:-5 deadband=1\n"                                                        \
    "rule state points=* is=12:orange,60:blue off=1s latch=red\n"                                            \
    "rule far points=* above=red:1000 on=1s\n"
#define LATE PLANT "rule late points=* above=yellow:9 on=1s off=1s"

/* What is never at rest: one rule on one point, and one doubt. */
struct twin {
    struct condition_rule limits;
    struct slot_rule delays;
    struct condition condition;
    struct slot slot;
};
struct doubt_twin_of {
    struct doubt_rule rule;
    struct doubt state;
};

struct stage {
    struct support_site s;
    struct rules *rules;
    uint32_t rule_count;
    struct twin twins[POINTS][RULES];
    struct doubt_twin_of doubts[POINTS];
    uint64_t seed;
    int step;
};

static void change_cb(void *arg, const struct alarm_change *change)
{
    (void)arg;
    (void)change;
}

static void twins_take_rules(struct stage *st)
{
    st->rule_count = (uint32_t)st->s.site.rule_count;
    assert_true(st->rule_count <= RULES);
    for (uint32_t p = 0; p < POINTS; p++) {
        const struct site_point *point = &st->s.site.points[p];

        for (uint32_t i = 0; i < st->rule_count; i++) {
            condition_rule_init(&st->twins[p][i].limits, &st->s.site.rules[i], point_is_single(point));
            slot_rule_init(&st->twins[p][i].delays, &st->s.site.rules[i]);
        }
        st->doubts[p].rule =
            (struct doubt_rule){.conf = point->doubt, .single = point_is_single(point), .plain = true};
    }
}

static void stage_build(struct stage *st, uint64_t seed)
{
    *st = (struct stage){.seed = seed};
    support_site_build(&st->s, PLANT);
    assert_int_equal(rules_create(&st->s.site, 1, change_cb, NULL, &st->rules), RG_OK);
    rules_start(st->rules, (struct moment){0, 0});
    twins_take_rules(st);
    for (uint32_t p = 0; p < POINTS; p++) {
        for (uint32_t i = 0; i < RULES; i++) {
            condition_init(&st->twins[p][i].condition);
            slot_init(&st->twins[p][i].slot);
        }
        doubt_init(&st->doubts[p].state);
    }
}

static void restore_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

/* A new configuration with one rule more: what was there goes on. */
static void stage_reload(struct stage *st, struct moment now)
{
    struct support_site before = st->s;
    struct rules *old = st->rules;

    support_site_build(&st->s, LATE);
    assert_int_equal(rules_create(&st->s.site, 1, change_cb, NULL, &st->rules), RG_OK);
    rules_each(old, restore_cb, st->rules);
    rules_start(st->rules, now);
    rules_inherit(st->rules, old);
    rules_destroy(old);
    twins_take_rules(st);
    support_site_free(&before);
}

static void stage_free(struct stage *st)
{
    rules_destroy(st->rules);
    support_site_free(&st->s);
}

/* ---- the twins ---- */

static void twins_until(struct stage *st, int64_t mono_ms)
{
    struct level_move move;

    for (uint32_t p = 0; p < POINTS; p++) {
        struct doubt_twin_of *d = &st->doubts[p];

        for (uint32_t i = 0; i < st->rule_count; i++) {
            struct twin *t = &st->twins[p][i];

            while (slot_deadline(&t->slot, &t->delays) <= mono_ms)
                assert_true(slot_expire(&t->slot, &t->delays, &move));
        }
        while (doubt_deadline(&d->state, &d->rule) <= mono_ms)
            assert_true(doubt_expire(&d->state, &d->rule, &move));
    }
}

static void twins_watch(struct stage *st, const struct sample *sample, struct moment at)
{
    const struct reading reading = reading_of(sample);
    struct level_move move;

    for (uint32_t i = 0; i < st->rule_count; i++) {
        struct twin *t = &st->twins[sample->point][i];

        (void)slot_take(&t->slot, &t->delays,
                        condition_judge(&t->condition, &t->limits, (enum level)t->slot.level, &reading), at,
                        &move);
    }
}

static void twins_doubt(struct stage *st, const struct sample *sample, struct moment at)
{
    static const struct doubt_twin nobody;
    struct doubt_twin_of *d = &st->doubts[sample->point];
    struct level_move move;

    (void)doubt_sample(&d->state, &d->rule, sample, at, &nobody, &move);
}

static void twins_each(struct stage *st, const struct frame *frame,
                       void (*take)(struct stage *st, const struct sample *sample, struct moment at))
{
    for (int bad = 0; bad < 2; bad++) {
        for (size_t i = 0; i < frame->count; i++) {
            if ((frame->samples[i].quality != QUALITY_GOOD) == bad)
                take(st, &frame->samples[i], frame->at);
        }
    }
}

static void feed(struct stage *st, const struct frame *frame)
{
    st->step++;
    rules_frame(st->rules, frame);
    twins_until(st, frame->at.mono_ms);
    twins_each(st, frame, twins_watch);
    twins_each(st, frame, twins_doubt);
}

/* ---- what is the same ---- */

#define SAME(x, y)                                                                                           \
    do {                                                                                                     \
        if ((x) != (y))                                                                                      \
            fail_msg("seed %llu, frame %d, point %u, rule %u: " #x " is %g, " #y " is %g",                   \
                     (unsigned long long)st->seed, st->step, p, i, (double)(x), (double)(y));                \
    } while (0)

static void same_slot(const struct stage *st, uint32_t p, uint32_t i)
{
    const struct twin *t = &st->twins[p][i];
    struct watched room;
    const struct watched *w = watched_see(st->rules, watched_find(st->rules, p, i), &room);

    SAME(w->slot.last.mono_ms, t->slot.last.mono_ms);
    SAME(w->slot.last.wall_ms, t->slot.last.wall_ms);
    SAME(w->slot.phase, t->slot.phase);
    SAME(w->slot.level, t->slot.level);
    SAME(w->slot.seen, t->slot.seen);
    SAME(w->slot.sure, t->slot.sure);
    SAME(slot_deadline(&w->slot, &w->conf->delays), slot_deadline(&t->slot, &t->delays));
    SAME(w->condition.has_value, t->condition.has_value);
    SAME(w->condition.trust, t->condition.trust);
    SAME(w->condition.value, t->condition.value);
    SAME(w->condition.high, t->condition.high);
    SAME(w->condition.low, t->condition.low);
    for (int level = LEVEL_BLUE; level <= t->slot.level; level++)
        SAME(w->condition.side[level], t->condition.side[level]);
    SAME(deadlines_of(&st->rules->deadlines, watched_find(st->rules, p, i)),
         slot_deadline(&t->slot, &t->delays));
}

static void same_doubt(const struct stage *st, uint32_t p)
{
    const struct doubt_twin_of *d = &st->doubts[p];
    const uint32_t i = RULES; /* for SAME */
    struct doubted room;
    const struct doubted *one =
        doubts_see(&st->rules->doubts, doubts_find(&st->rules->doubts, p), st->rules->heard, &room);

    SAME(one->state.last.mono_ms, d->state.last.mono_ms);
    SAME(one->state.last.wall_ms, d->state.last.wall_ms);
    SAME(one->state.quality, d->state.quality);
    SAME(one->state.has_value, d->state.has_value);
    SAME(one->state.value, d->state.value);
    SAME(one->state.signs, d->state.signs);
    SAME(one->state.phase, d->state.phase);
    SAME(one->state.level, d->state.level);
    SAME(doubt_deadline(&one->state, &one->rule), doubt_deadline(&d->state, &d->rule));
}

static void same_all(const struct stage *st)
{
    for (uint32_t p = 0; p < POINTS; p++) {
        for (uint32_t i = 0; i < st->rule_count; i++)
            same_slot(st, p, i);
        same_doubt(st, p);
    }
}

static uint32_t awake(const struct rules *r)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < r->watched_count; i++)
        count += watched_state(r, i) != NULL;
    for (uint32_t i = 0; i < r->doubts.count; i++)
        count += doubts_state(&r->doubts, i) != NULL;
    return count;
}

/* Values about limits and dead-bands, bad ones, several of a point in one frame; time that stands or goes back, clocks that part. */
static void random_frame(struct rg_random *random, struct sample samples[SAMPLES], struct frame *frame,
                         struct moment *now)
{
    static const double values[] = {-INFINITY,  -6, -5, -1,   0,  1.5, 8,        9,  9.5,
                                    9.99999999, 10, 12, 49.5, 60, 1e9, INFINITY, NAN};
    bool calm = random_below(random, 4) > 0;

    now->mono_ms += (int64_t)random_below(random, 15) * 100 - 200;
    now->wall_ms = now->mono_ms * 3 + (int64_t)random_below(random, 2);
    *frame = (struct frame){
        .at = *now, .heard = true, .count = 1 + random_below(random, SAMPLES), .samples = samples};
    for (size_t k = 0; k < frame->count; k++) {
        samples[k] = (struct sample){.point = (uint32_t)random_below(random, POINTS), .value = 1.5};
        if (!calm)
            samples[k].value = values[random_below(random, RG_COUNT(values))];
        if (random_below(random, calm ? 16 : 4) == 0)
            samples[k].quality = (enum quality)random_below(random, QUALITY_COUNT);
        if (samples[k].quality != QUALITY_GOOD)
            samples[k].value = 0;
    }
}

static void resting_changes_nothing(void **state)
{
    const char *chosen = getenv("RG_SEED");
    uint64_t first = chosen ? strtoull(chosen, NULL, 10) : 1;

    (void)state;
    for (uint64_t seed = first; seed < first + 4; seed++) {
        struct stage st;
        struct rg_random random;
        struct moment now = {1000, 1000};
        struct sample samples[SAMPLES];
        struct frame frame;
        size_t rested = 0, woken = 0;

        stage_build(&st, seed);
        random_seed(&random, seed);
        for (int n = 0; n < 20000; n++) {
            random_frame(&random, samples, &frame, &now);
            if (n == RELOAD)
                stage_reload(&st, now);
            feed(&st, &frame);
            same_all(&st);
            woken += awake(st.rules);
            rested += POINTS * (st.rule_count + 1) - awake(st.rules);
        }
        /* It did rest, and it did not only rest. */
        assert_true(rested > 20000);
        assert_true(woken > 5000);
        stage_free(&st);
    }
}

/* As many are awake as have something to remember, and states that were given back are taken again. */
static void awake_while_it_has_to_be(void **state)
{
    struct stage st;
    struct sample samples[POINTS];
    struct frame frame = {.heard = true, .count = POINTS, .samples = samples};

    (void)state;
    stage_build(&st, 0);
    for (int n = 1; n <= 301; n++) {
        const double value = n % 3 == 0 ? 20 : 1; /* blue, not yet raised, of rule `up` */

        for (uint32_t p = 0; p < POINTS; p++)
            samples[p] = (struct sample){.point = p, .value = value};
        frame.at = (struct moment){1000 * n, 1000 * n};
        feed(&st, &frame);
        assert_int_equal(awake(st.rules), n % 3 == 0 ? POINTS : 0);
    }
    assert_int_equal(st.rules->awake_used, POINTS);
    assert_int_equal(st.rules->doubts.used, 0);
    for (uint32_t p = 0; p < POINTS; p++)
        samples[p] = (struct sample){.point = p, .quality = QUALITY_RANGE};
    frame.at = (struct moment){400000, 400000};
    feed(&st, &frame);
    assert_int_equal(awake(st.rules), POINTS); /* their doubts: what is bad is at no level */
    stage_free(&st);
}

/* What every reading touches of a point with three rules and a doubt. */
static void little_is_touched(void **state)
{
    (void)state;
    assert_true(sizeof(struct heard) + 3 * sizeof(uint32_t) <= 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resting_changes_nothing),
        cmocka_unit_test(awake_while_it_has_to_be),
        cmocka_unit_test(little_is_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
