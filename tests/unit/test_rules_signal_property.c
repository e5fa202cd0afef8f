/* LINK rg_rules m */
/* Random signals over random samples (gaps, bad ones, bursts, clocks that step back, windows from milliseconds to 30 days)
 * against a slow model that walks over every sample ever taken. Where cells gather nothing both say the same; else the
 * truth lies between what the model says from the end and from the begin of the one cell that the window cuts. RG_SEED and
 * RG_ROUNDS in the environment choose others; a failure prints its seed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "rules/signal.h"

#define SAMPLES 240
#define DAY INT64_C(86400000)

struct past {
    int64_t at;
    bool good;
    double value;
};

struct world {
    struct rg_random random;
    struct site_signal conf;
    int64_t poll;
    struct past past[SAMPLES];
    int count;
    int64_t now; /* of the clock that may step back */
};

/* What the window holds, walked over. */
struct truth {
    double covered, integral, sum, grown, grown_sure, high, low, oldest;
    int64_t oldest_at; /* INT64_MIN: none */
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static double growth(double before, double now, double wrap)
{
    if (now >= before)
        return now - before;
    if (wrap > 0 && before > 0.75 * wrap && now < 0.25 * wrap)
        return now + wrap - before;
    return fmax(now, 0);
}

/* Samples taken at `first` or later, what holds after `edge`. */
static struct truth walk(const struct world *w, int64_t first, int64_t edge)
{
    struct truth t = {.high = -INFINITY, .low = INFINITY, .oldest_at = INT64_MIN};
    const struct past *before = NULL;

    for (int i = 0; i < w->count; i++) {
        const struct past *p = &w->past[i];
        int64_t end = i + 1 < w->count ? smaller(w->past[i + 1].at, p->at + 3 * w->poll) : p->at;
        double inside = (double)(end - (p->at > edge ? p->at : edge));

        if (!p->good)
            continue;
        if (inside > 0) {
            t.covered += inside;
            t.integral += inside * p->value;
        }
        if (p->at >= first || end > edge) {
            t.high = fmax(t.high, p->value);
            t.low = fmin(t.low, p->value);
            if (t.oldest_at == INT64_MIN) {
                t.oldest_at = p->at;
                t.oldest = p->value;
            }
        }
        if (p->at >= first)
            t.sum += p->value;
        if (before && (p->at > edge || before->at >= first)) {
            double step = growth(before->value, p->value, w->conf.wrap);

            t.grown_sure += before->at > edge ? step : 0;
            if (before->at < edge)
                step *= (double)(p->at - edge) / (double)(p->at - before->at);
            t.grown += step;
        }
        before = p;
    }
    return t;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 2e-11 * fmax(1, fmax(fabs(a), fabs(b)));
}

static bool between(double low, double value, double high)
{
    return (value >= low || near(value, low)) && (value <= high || near(value, high));
}

static void fail_at(const struct world *w, uint64_t seed, const char *what, double is, double low,
                    double high)
{
    fail_msg("RG_SEED=%llu: %s of %lld ms, poll %lld ms, sample %d: %s %.15g, not in %.15g .. %.15g",
             (unsigned long long)seed, signal_name(w->conf.kind), (long long)w->conf.window_ms,
             (long long)w->poll, w->count - 1, what, is, low, high);
}

/* least, most: of what is added up. Exact: they are the same. */
static void judge_sum(const struct world *w, uint64_t seed, struct reading is, double least, double most,
                      double sure, const struct truth *low, const struct truth *high)
{
    if (w->conf.kind == SIGNAL_TWA) {
        least /= (double)w->conf.window_ms;
        most /= (double)w->conf.window_ms;
        sure /= (double)w->conf.window_ms;
    } else if (w->conf.kind == SIGNAL_MEAN) {
        least = low->covered > 0 ? least / high->covered : 0; /* nothing is negative when they differ */
        most = low->covered > 0 ? most / low->covered : INFINITY;
    }
    if (is.trust == READING_GOOD && !between(least, is.value, most))
        fail_at(w, seed, "value", is.value, least, most);
    if (is.trust == READING_AT_LEAST && !between(least < sure ? least : sure, is.value, sure))
        fail_at(w, seed, "bound", is.value, least, sure);
}

static void judge(const struct world *w, uint64_t seed, const struct signal *s, struct reading is)
{
    const struct past *newest = &w->past[w->count - 1];
    int64_t edge = newest->at - w->conf.window_ms, begin = edge, end = edge;
    const struct cell *oldest = cells_at(&s->window, 0);
    bool cut = oldest && oldest->begin_ms <= edge, estimated = cut && oldest->gathered;
    struct truth truth = walk(w, edge + 1, edge), low = truth, high = truth;
    double need = (double)llround(w->conf.coverage * (double)w->conf.window_ms);
    bool surely, never, negative = false;

    assert_true(s->window.count <= s->window.capacity);
    if (estimated) {
        begin = oldest->begin_ms;
        end = begin + oldest->length_ms;
        low = walk(w, end + 1, end);
        high = walk(w, begin, begin);
        if (w->conf.kind != SIGNAL_DELTA)
            assert_true(end - begin <= s->grain_ms + 3 * w->poll);
    }
    surely = low.covered >= fmax(need, 1);
    never = high.covered < fmax(need, 1);
    for (int i = 0; i < w->count; i++)
        negative =
            negative || (w->past[i].good && w->past[i].value < 0 && w->past[i].at > edge - 3 * w->poll);
    switch (w->conf.kind) {
    case SIGNAL_MAX:
    case SIGNAL_MIN:
        if (surely  ? is.trust != READING_GOOD
            : never ? is.trust == READING_GOOD || is.trust == READING_BAD
                    : 0)
            fail_at(w, seed, "trust", is.trust, surely, never);
        if (is.value != (w->conf.kind == SIGNAL_MAX ? high.high : high.low))
            fail_at(w, seed, "extreme", is.value, high.low, high.high);
        return;
    case SIGNAL_FLAT:
        if (high.high - high.low > w->conf.band) {
            if (is.trust != READING_GOOD || is.value != 0)
                fail_at(w, seed, "not flat", is.value, 0, 0);
        } else if ((surely && is.trust != READING_GOOD) || (never && is.trust != READING_BAD) ||
                   is.value != 1) {
            if (is.trust != READING_BAD || surely)
                fail_at(w, seed, "flat", is.value, surely, never);
        }
        return;
    case SIGNAL_RATE:
        if ((double)(newest->at - high.oldest_at) < fmax(need, 1))
            never = true;
        if (never ? is.trust != READING_BAD : surely && is.trust != READING_GOOD)
            fail_at(w, seed, "trust", is.trust, surely, never);
        if (is.trust == READING_GOOD &&
            !near(is.value, (newest->value - high.oldest) * (double)w->conf.window_ms /
                                (double)(newest->at - high.oldest_at)))
            fail_at(w, seed, "rate", is.value, high.oldest, newest->value);
        return;
    case SIGNAL_MEAN:
        if (never ? is.trust != READING_BAD : surely && is.trust != READING_GOOD)
            fail_at(w, seed, "trust", is.trust, surely, never);
        judge_sum(w, seed, is, low.integral, high.integral, 0, &low, &high);
        return;
    case SIGNAL_TWA:
    case SIGNAL_SUM:
        if (surely ? is.trust != READING_GOOD
                   : never && is.trust != (negative ? READING_BAD : READING_AT_LEAST))
            fail_at(w, seed, "trust", is.trust, surely, never);
        if (w->conf.kind == SIGNAL_TWA)
            judge_sum(w, seed, is, low.integral, high.integral, truth.integral, &low, &high);
        else
            judge_sum(w, seed, is, low.sum, high.sum, truth.sum, &low, &high);
        return;
    case SIGNAL_DELTA:
        if (surely ? is.trust != READING_GOOD : never && is.trust != READING_AT_LEAST)
            fail_at(w, seed, "trust", is.trust, surely, never);
        judge_sum(w, seed, is, estimated ? low.grown_sure : truth.grown, estimated ? high.grown : truth.grown,
                  truth.grown_sure, &low, &high);
        if (is.trust == READING_AT_LEAST && !estimated && !near(is.value, truth.grown_sure))
            fail_at(w, seed, "bound", is.value, truth.grown_sure, truth.grown_sure);
        return;
    case SIGNAL_VALUE:
        break;
    }
    fail();
}

static int64_t log_uniform(struct rg_random *random, double low, double high)
{
    return llround(exp(log(low) + random_unit(random) * (log(high) - log(low))));
}

/* Spaced so that nothing is gathered, or not. */
static int64_t step(struct world *w, bool spaced, int64_t grain)
{
    int64_t least = spaced ? grain : 0;
    int64_t poll = w->poll;

    switch (random_below(&w->random, 12)) {
    case 0:
        return least + (int64_t)random_below(&w->random, (uint64_t)(6 * poll));
    case 1:
        return least + log_uniform(&w->random, 1, (double)(2 * w->conf.window_ms + 2));
    case 2:
        return spaced ? grain : (int64_t)random_below(&w->random, (uint64_t)poll / 8 + 2);
    case 3:
        return spaced ? grain : -(int64_t)random_below(&w->random, (uint64_t)poll);
    case 4:
    case 5:
    case 6:
        return least > poll ? least
                            : poll + (int64_t)random_below(&w->random, (uint64_t)(poll / 10 + 1)) - poll / 20;
    default:
        return least > poll ? least : poll;
    }
}

static double random_value(struct world *w, bool spaced, double before)
{
    double high = w->conf.kind == SIGNAL_DELTA ? 256 : 1000;

    if (w->conf.kind == SIGNAL_DELTA && random_below(&w->random, 5) > 0)
        return fmod(before + (double)random_below(&w->random, 40), w->conf.wrap > 0 ? w->conf.wrap : 1e9);
    if (w->conf.kind == SIGNAL_FLAT && random_below(&w->random, 20) > 0)
        return before;
    /* With negative values a cell's part is not between none and all of it. */
    return floor(random_unit(&w->random) * high) / 8 - (spaced && w->conf.kind != SIGNAL_DELTA ? 10 : 0);
}

static void play(uint64_t seed)
{
    static struct cell cells[SIGNAL_CELLS_MAX], others[SIGNAL_CELLS_MAX];
    static struct world w;
    struct signal s, twin;
    bool spaced;
    int64_t last = INT64_MIN;
    int inherit_at;
    double value = 0;

    random_seed(&w.random, seed);
    w.count = 0;
    w.now = (int64_t)random_below(&w.random, 1000) - 500;
    w.poll = log_uniform(&w.random, 1, (double)DAY / 2);
    w.conf =
        (struct site_signal){.kind = (enum signal_kind)(SIGNAL_RATE + random_below(&w.random, 8)),
                             .window_ms = log_uniform(&w.random, 0.2 * (double)w.poll, 3000 * (double)w.poll),
                             .coverage = (double)(1 + random_below(&w.random, 100)) / 100};
    w.conf.window_ms = w.conf.window_ms < 1 ? 1 : smaller(w.conf.window_ms, 30 * DAY);
    w.conf.wrap = random_below(&w.random, 2) ? 256 : 0;
    w.conf.band = random_below(&w.random, 2) ? 3 : 0;
    spaced = random_below(&w.random, 2);
    inherit_at = (int)random_below(&w.random, SAMPLES);
    signal_init(&s, &w.conf, w.poll, false, cells);
    while (w.count < SAMPLES) {
        struct sample sample = {.quality = random_below(&w.random, 10) ? QUALITY_GOOD : QUALITY_COMM};
        struct reading is;

        value = random_value(&w, spaced, value);
        w.now += step(&w, spaced, s.grain_ms);
        last = w.now > last ? w.now : last;
        sample.value = sample.quality == QUALITY_GOOD ? value : 0;
        w.past[w.count++] = (struct past){last, sample.quality == QUALITY_GOOD, value};
        is = signal_sample(&s, &sample, w.now);
        if (sample.quality == QUALITY_GOOD)
            judge(&w, seed, &s, is);
        else
            assert_int_equal(is.trust, READING_BAD);
        if (w.count > inherit_at + 1) {
            struct reading same = signal_sample(&twin, &sample, w.now);

            if (same.trust != is.trust || (is.trust != READING_BAD && same.value != is.value))
                fail_at(&w, seed, "inherited", same.value, is.value, is.value);
        } else if (w.count == inherit_at + 1) {
            signal_init(&twin, &w.conf, w.poll, false, others);
            (void)signal_sample(&twin, &(struct sample){.value = 99}, w.now + 5); /* it forgets what it saw */
            assert_true(signal_inherit(&twin, &s));
        }
    }
}

/* With the history that rules_history_ms asks for, a new run says what the old one says. */
static void primed(void **state)
{
    static struct cell cells[SIGNAL_CELLS_MAX], others[SIGNAL_CELLS_MAX];
    static struct world w;

    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct signal s, next;
        int start;
        double value = 0;
        int64_t from = 0;

        random_seed(&w.random, seed);
        w.now = 0;
        w.poll = log_uniform(&w.random, 1, 60000);
        w.conf = (struct site_signal){.kind = (enum signal_kind)(SIGNAL_RATE + random_below(&w.random, 8)),
                                      .window_ms = w.poll * (int64_t)(1 + random_below(&w.random, 60)),
                                      .coverage = 0.75};
        start = 100 + (int)random_below(&w.random, 50);
        signal_init(&s, &w.conf, w.poll, false, cells);
        signal_init(&next, &w.conf, w.poll, false, others);
        for (w.count = 0; w.count < SAMPLES; w.count++) {
            /* Gaps of less than a hold: of a counter's step over a longer one the share is not known. */
            bool bad = w.conf.kind != SIGNAL_DELTA && random_below(&w.random, 12) == 0;

            value = random_value(&w, true, value);
            w.now += w.poll - w.poll / 5 + (int64_t)random_below(&w.random, (uint64_t)w.poll + 1);
            w.past[w.count] = (struct past){w.now, !bad, bad ? 0 : value};
        }
        from = w.past[start].at - w.conf.window_ms - signal_hold_ms(w.poll);
        for (int i = 0; i < SAMPLES; i++) {
            struct sample sample = {.quality = w.past[i].good ? QUALITY_GOOD : QUALITY_COMM,
                                    .value = w.past[i].value};
            struct reading a = signal_sample(&s, &sample, w.past[i].at), b = {0};

            if (w.past[i].at >= from)
                b = signal_sample(&next, &sample, w.past[i].at);
            if (i < start)
                continue;
            w.count = i + 1;
            if (a.trust != b.trust || (a.trust != READING_BAD && !near(a.value, b.value)))
                fail_at(&w, seed, "primed", b.value, a.value, a.value);
        }
    }
}

static void against_a_walk(void **state)
{
    const char *seed = getenv("RG_SEED"), *rounds = getenv("RG_ROUNDS");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    uint64_t count = rounds ? strtoull(rounds, NULL, 10) : seed ? 1 : 400;

    (void)state;
    print_message("seeds %llu to %llu\n", (unsigned long long)first, (unsigned long long)(first + count - 1));
    for (uint64_t i = 0; i < count; i++)
        play(first + i);
}

/* Taken over by one that is polled more slowly or faster, what it says stays what it was but for the one cell cut. */
static void inherited_by_another_poll(void **state)
{
    static struct cell cells[SIGNAL_CELLS_MAX], others[SIGNAL_CELLS_MAX];
    static const int64_t polls[] = {40, 100, 300, 7000};
    struct site_signal conf = {.window_ms = 60000, .coverage = 0.5};

    (void)state;
    for (enum signal_kind kind = SIGNAL_RATE; kind <= SIGNAL_FLAT; kind++) {
        for (size_t i = 0; i < sizeof polls / sizeof polls[0]; i++) {
            struct signal s, next;

            conf.kind = kind;
            signal_init(&s, &conf, 100, false, cells);
            signal_init(&next, &conf, polls[i], false, others);
            for (int64_t at = 0; at <= 100000; at += 100)
                (void)signal_sample(&s, &(struct sample){.value = (double)(at % 1700)}, at);
            assert_true(signal_inherit(&next, &s));
            assert_true(next.window.count <= next.window.capacity);
            for (int64_t at = 100100; at < 240000; at += 100) {
                struct sample sample = {.value = (double)(at % 1300)};
                struct reading a = signal_sample(&s, &sample, at), b = signal_sample(&next, &sample, at);
                double slack = fabs(a.value) * 0.15 + (kind == SIGNAL_MAX || kind == SIGNAL_MIN ? 1700 : 0) +
                               (kind == SIGNAL_RATE ? 2500 : 0);

                assert_int_equal(a.trust, b.trust);
                if (fabs(a.value - b.value) > slack)
                    fail_msg("%s at %lld: %g, %g", signal_name(kind), (long long)at, a.value, b.value);
            }
        }
        conf.window_ms = 60000;
    }
    /* Something else is not taken over. */
    {
        struct site_signal other = conf;
        struct signal s, next;

        signal_init(&s, &conf, 100, false, cells);
        other.window_ms++;
        signal_init(&next, &other, 100, false, others);
        assert_false(signal_inherit(&next, &s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_walk),
        cmocka_unit_test(inherited_by_another_poll),
        cmocka_unit_test(primed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
