/* LINK rg_rules rg_test_support */
/* Doubts over reloads and restarts, and their laws over random readings: what was told follows from the readings, worked out
 * anew from all of them at each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "rules/rules.h"
#include "support_site.h"

struct told {
    char text[2048];
    int count;
};

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct told *told = arg;
    size_t used = strlen(told->text);

    told->count++;
    (void)text_format(told->text + used, sizeof told->text - used, "%s%lld %s %s%s%s", used ? "; " : "",
                      (long long)c->at.mono_ms, alarm_event_name(c->event), c->alarm->point,
                      c->comment ? " " : "", c->comment ? c->comment : "");
}

static struct moment at(int64_t t)
{
    return (struct moment){t, t + 1000000};
}

static struct frame frame_of(const struct site *site, struct sample *sample, const char *point, double value,
                             int64_t t)
{
    *sample = (struct sample){.point = support_site_point(site, point), .value = value};
    if (!isfinite(value))
        *sample = (struct sample){.point = sample->point, .quality = QUALITY_RANGE};
    return (struct frame){.device = site->points[sample->point].device,
                          .at = at(t),
                          .heard = true,
                          .count = 1,
                          .samples = sample};
}

static void give(struct rules *r, const struct site *site, const char *point, double value, int64_t t)
{
    struct sample sample;
    struct frame frame = frame_of(site, &sample, point, value, t);

    rules_frame(r, &frame);
}

/* NAN: a reading out of range. */
#define DOUBTED                                                                                              \
    "device e\npoint t\ndevice d\n"                                                                          \
    "point a doubt=1s:yellow flat=5s\npoint b doubt=1s:yellow twin=e.t within=1\npoint c doubt=1s:yellow "   \
    "rate=10\n"

struct reload {
    struct support_site before, after;
    struct rules *old, *now;
    struct told told;
};

static void reload_begin(struct reload *l, const char *before, const char *after)
{
    memset(l, 0, sizeof *l);
    support_site_build(&l->before, before);
    support_site_build(&l->after, after);
    assert_int_equal(rules_create(&l->before.site, 1, change_cb, &l->told, &l->old), RG_OK);
    assert_int_equal(rules_create(&l->after.site, 1, change_cb, &l->told, &l->now), RG_OK);
    rules_start(l->old, at(0));
}

static void restore_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

static void reload_at(struct reload *l, int64_t t)
{
    rules_tick(l->old, at(t));
    rules_each(l->old, restore_cb, l->now);
    rules_start(l->now, at(t));
    rules_inherit(l->now, l->old);
    rules_destroy(l->old);
    l->old = NULL;
}

static void reload_end(struct reload *l)
{
    rules_destroy(l->now);
    support_site_free(&l->after);
    support_site_free(&l->before);
}

static void a_reload_changes_nothing(void **state)
{
    struct reload l;

    (void)state;
    reload_begin(&l, DOUBTED, DOUBTED "device x\npoint a doubt=1s:red\n");
    for (int64_t t = 0; t <= 4000; t += 1000)
        give(l.old, &l.before.site, "d.a", 5, t); /* for four seconds */
    give(l.old, &l.before.site, "e.t", 7, 4100);
    give(l.old, &l.before.site, "d.b", 9, 4200); /* the delay runs */
    give(l.old, &l.before.site, "d.c", 1, 4300);
    give(l.old, &l.before.site, "d.c", 900, 4400); /* raised */
    reload_at(&l, 4500);
    rules_tick(l.now, at(5300));
    give(l.now, &l.after.site, "d.a", 5, 5400); /* flat since here, raised a second later */
    give(l.now, &l.after.site, "d.c", 901, 5500);
    rules_tick(l.now, at(9000));
    assert_string_equal(l.told.text,
                        "4400 raise d.c rate; 5200 raise d.b twin e.t; 5500 clear d.c; 6400 raise d.a flat");
    reload_end(&l);
}

/* What is looked for is another: it begins anew, and only what was restored stands. */
static void a_reload_that_changes_the_doubt(void **state)
{
    struct reload l;

    (void)state;
    reload_begin(
        &l, "device d\npoint a doubt=1s:yellow flat=5s\npoint b doubt=1s:yellow\npoint c doubt=2s:yellow\n",
        "device d\npoint a doubt=1s:yellow flat=7s\npoint b doubt=1s:red\npoint c doubt=1s:yellow\n");
    for (int64_t t = 0; t <= 4000; t += 1000)
        give(l.old, &l.before.site, "d.a", 5, t);
    give(l.old, &l.before.site, "d.b", NAN, 1000); /* raised at 2000; of another level it is another */
    give(l.old, &l.before.site, "d.c", NAN, 3500);
    reload_at(&l, 4500);
    for (int64_t t = 5000; t <= 11000; t += 1000)
        give(l.now, &l.after.site, "d.a", 5, t);
    rules_tick(l.now, at(12999));
    give(l.now, &l.after.site, "d.a", 5, 13000);
    rules_tick(l.now, at(15000));
    assert_string_equal(l.told.text,
                        "2000 raise d.b range; 4500 clear d.b no longer configured; 14000 raise d.a flat");
    reload_end(&l);
}

static void the_past_makes_a_run(void **state)
{
    struct support_site s;
    struct told told = {.text = ""};
    struct sample sample;
    struct rules *r;

    (void)state;
    support_site_build(&s, DOUBTED);
    assert_int_equal(rules_create(&s.site, 1, change_cb, &told, &r), RG_OK);
    for (int64_t t = -6000; t < 0; t += 1000) {
        struct frame frame = frame_of(&s.site, &sample, "d.a", 5, t);

        rules_prime(r, &frame);
        frame =
            frame_of(&s.site, &sample, "d.c", t == -1000 ? 900 : 1, t); /* no pair with what comes after */
        rules_prime(r, &frame);
    }
    rules_start(r, at(0));
    give(r, &s.site, "d.c", 1, 100);
    give(r, &s.site, "d.a", 5, 200);
    rules_tick(r, at(3000));
    assert_string_equal(told.text, "1200 raise d.a flat");
    rules_destroy(r);
    support_site_free(&s);
}

/* A restart while it stands: the past says that it still stood still, or that it moved. */
static void the_past_of_what_was_restored(void **state)
{
    static const struct {
        double last; /* of the past */
        int64_t step;
        const char *want;
    } rows[] = {
        {5, 1000, "900 clear d.a"},     /* the same ever since: only the reading that differs ends it */
        {6, 1000, "200 clear d.a"},     /* it moved at the end: nothing stands still any more */
        {5, 60000, "900 clear d.a"},    /* hardly anything is known */
        {5, -1000000, "900 clear d.a"}, /* from after the start: nothing is known */
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct alarm alarm = {
            .id = "gw-01-1", .rule = "doubt", .point = "d.a", .level = LEVEL_YELLOW, .raised_ms = 1};
        struct told told = {.text = ""};
        struct support_site s;
        struct rules *r;

        support_site_build(&s, DOUBTED);
        assert_int_equal(rules_create(&s.site, 2, change_cb, &told, &r), RG_OK);
        assert_int_equal(rules_restore(r, &alarm), RG_OK);
        for (int k = 6; k > 0; k--) {
            struct sample sample;
            struct frame frame =
                frame_of(&s.site, &sample, "d.a", k == 1 ? rows[i].last : 5, -k * rows[i].step);

            rules_prime(r, &frame);
        }
        rules_start(r, at(0));
        give(r, &s.site, "d.a", rows[i].last, 200);
        give(r, &s.site, "d.a", 7, 900);
        assert_string_equal(told.text, rows[i].want);
        rules_destroy(r);
        support_site_free(&s);
    }
}

/* ---- laws ---- */

#define STEPS 60
#define AFTER 500
#define FLAT 1500
#define BAND 1.0
#define RATE 8.0 /* a second */
#define WITHIN 3.0
#define HOLD 3000 /* three polls */

struct reading {
    int64_t t;
    bool twins; /* of the twin, else of the point */
    enum quality quality;
    double value;
};

struct law {
    struct reading readings[STEPS];
    size_t count;
    struct support_site s;
    struct rules *r;
    bool stands;
    int64_t raised, cleared;
    int64_t at_ms; /* of what was told last */
    char comment[64];
    int told;
};

static void law_cb(void *arg, const struct alarm_change *c)
{
    struct law *law = arg;

    assert_true(c->event == (law->stands ? ALARM_CLEAR : ALARM_RAISE)); /* one raise and one clear, in turn */
    assert_true(c->at.mono_ms >= law->at_ms);
    law->stands = !law->stands;
    law->at_ms = c->at.mono_ms;
    law->told++;
    *(law->stands ? &law->raised : &law->cleared) = c->at.mono_ms;
    (void)text_copy(law->comment, sizeof law->comment, c->comment ? c->comment : "");
}

/* Yes, no, or not known: of each sign after the first n readings, from the whole history. */
struct signs {
    int quality, flat, rate, twin; /* 1, 0, -1: not known now; what it was stands */
};

static const struct reading *last_of(const struct law *law, size_t n, bool twins, size_t *index)
{
    while (n > 0) {
        if (law->readings[--n].twins == twins) {
            *index = n;
            return &law->readings[n];
        }
    }
    return NULL;
}

/* How long readings up to index have been alike: the run begins where one did not fit those since the run's own beginning. */
static bool is_flat(const struct law *law, size_t index, bool *moved)
{
    double low = 0, high = 0;
    int64_t time = 0;
    const struct reading *before = NULL;
    bool any = false;

    *moved = false;
    for (size_t i = 0; i <= index; i++) {
        const struct reading *p = &law->readings[i];

        if (p->twins)
            continue;
        if (any && before && before->quality == QUALITY_GOOD)
            time += p->t - before->t < HOLD ? p->t - before->t : HOLD;
        before = p;
        if (p->quality != QUALITY_GOOD)
            continue;
        if (any && fmax(high, p->value) - fmin(low, p->value) <= BAND) {
            low = fmin(low, p->value);
            high = fmax(high, p->value);
            *moved = false;
        } else {
            *moved = any;
            any = true;
            low = high = p->value;
            time = 0;
        }
    }
    return time >= FLAT;
}

static void look(const struct law *law, size_t n, struct signs *signs)
{
    size_t own = 0, previous = 0, twin = 0;
    const struct reading *p = last_of(law, n, false, &own), *q, *t = last_of(law, n, true, &twin);
    bool is_own = p && own == n - 1, moved;

    if (!p || p->quality != QUALITY_GOOD) {
        if (is_own && (p->quality == QUALITY_SENSOR || p->quality == QUALITY_RANGE))
            signs->quality = 1;
        return;
    }
    signs->quality = 0;
    if (is_own) {
        if (is_flat(law, own, &moved))
            signs->flat = 1;
        else if (moved)
            signs->flat = 0;
        q = last_of(law, own, false, &previous);
        if (q && q->quality == QUALITY_GOOD && p->t > q->t)
            signs->rate = fabs(p->value - q->value) > RATE * (double)(p->t - q->t) / 1000;
    }
    if (t && t->quality == QUALITY_GOOD)
        signs->twin = fabs(p->value - t->value) > WITHIN;
}

static enum quality random_quality(struct rg_random *random)
{
    static const enum quality bad[] = {QUALITY_SENSOR, QUALITY_RANGE, QUALITY_COMM, QUALITY_INHIBITED};

    return random_below(random, 4) ? QUALITY_GOOD : bad[random_below(random, RG_COUNT(bad))];
}

static void next_reading(struct law *law, struct rg_random *random, double *wave)
{
    struct reading *p = &law->readings[law->count];

    *p = (struct reading){.t = law->count ? law->readings[law->count - 1].t : 0,
                          .twins = random_below(random, 3) == 0,
                          .quality = random_quality(random)};
    p->t += 50 * (int64_t)(1 + random_below(random, 12));
    if (random_below(random, 3) == 0)
        *wave += (double)random_below(random, 9) - 4; /* whole numbers: no rounding in the oracle */
    p->value = *wave + (random_below(random, 8) == 0 ? (double)random_below(random, 7) - 3 : 0);
    law->count++;
}

static void feed(struct law *law)
{
    const struct reading *p = &law->readings[law->count - 1];
    struct sample sample = {.point = support_site_point(&law->s.site, p->twins ? "e.t" : "d.a"),
                            .quality = p->quality,
                            .value = p->quality == QUALITY_GOOD ? p->value : 0};
    struct frame frame = {.device = law->s.site.points[sample.point].device,
                          .at = at(p->t),
                          .heard = true,
                          .count = 1,
                          .samples = &sample};

    rules_frame(law->r, &frame);
}

/* After the newest reading: must the alarm stand? since: of the unbroken doubt that is known now, INT64_MAX when there is none;
 * frozen keeps it while nothing is known. */
struct demand {
    struct signs signs;
    int64_t since;
    bool frozen, stands;
};

static void demand_until(struct demand *d, int64_t t)
{
    if (!d->stands && !d->frozen && d->since != INT64_MAX && d->since + AFTER <= t)
        d->stands = true;
}

static void demand_reading(const struct law *law, struct demand *d)
{
    const struct reading *p = &law->readings[law->count - 1];
    size_t own = 0, twin = 0;
    const struct reading *last = last_of(law, law->count, false, &own),
                         *t = last_of(law, law->count, true, &twin);
    bool good = last && last->quality == QUALITY_GOOD, known;

    demand_until(d, p->t);
    look(law, law->count, &d->signs);
    if (p->twins && !good)
        return; /* its own reading says more */
    known = good ? d->signs.flat == 1 || d->signs.rate == 1 ||
                       (d->signs.twin == 1 && t && t->quality == QUALITY_GOOD)
                 : last->quality == QUALITY_SENSOR || last->quality == QUALITY_RANGE;
    if (good && d->signs.flat != 1 && d->signs.rate != 1 && d->signs.twin != 1) {
        d->since = INT64_MAX;
        d->frozen = d->stands = false;
        return;
    }
    if (!known) {
        d->frozen = d->since != INT64_MAX;
        return;
    }
    d->frozen = false;
    if (d->since == INT64_MAX)
        d->since = p->t;
    if (good && d->signs.rate == 1)
        d->stands = true;
    demand_until(d, p->t);
}

static void what_was_told_follows_from_the_readings(void **state)
{
    struct rg_random random;
    int told = 0;

    (void)state;
    random_seed(&random, 27);
    for (int round = 0; round < 400; round++) {
        struct law law = {.count = 0};
        struct demand demand = {.since = INT64_MAX};
        double wave = 20;

        support_site_build(&law.s, "device e\npoint t\ndevice d poll=1s\n"
                                   "point a doubt=500ms:yellow flat=1500ms band=1 rate=8 twin=e.t within=3");
        assert_int_equal(rules_create(&law.s.site, 1, law_cb, &law, &law.r), RG_OK);
        rules_start(law.r, at(0));
        while (law.count < STEPS) {
            int before = law.told;

            next_reading(&law, &random, &wave);
            feed(&law);
            demand_reading(&law, &demand);
            if (law.stands != demand.stands)
                fail_msg("round %d, reading %zu at %lld: %s, but the alarm %s", round, law.count,
                         (long long)law.readings[law.count - 1].t, demand.stands ? "doubted" : "not doubted",
                         law.stands ? "stands" : "does not");
            if (law.told > before && law.stands) {
                int64_t since = demand.since;

                /* At the end of its delay, or at the reading that decided. */
                assert_true(law.raised == since + AFTER || law.raised == law.readings[law.count - 1].t);
                assert_true(law.comment[0] != '\0');
            }
        }
        told += law.told;
        rules_destroy(law.r);
        support_site_free(&law.s);
    }
    print_message("%d told\n", told);
    assert_true(told > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_changes_nothing),
        cmocka_unit_test(a_reload_that_changes_the_doubt),
        cmocka_unit_test(the_past_makes_a_run),
        cmocka_unit_test(the_past_of_what_was_restored),
        cmocka_unit_test(what_was_told_follows_from_the_readings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
