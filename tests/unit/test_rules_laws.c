/* LINK rg_rules rg_test_support */
/* Random plants with everything a rule can have, random readings, people who acknowledge and shelve, reloads and restarts: the
 * laws of rules_laws.h hold, and how time is split, or that the configuration was read again, changes nothing. RG_SEED and
 * RG_ROUNDS in the environment choose others; a failure prints its seed and its site. */
#include "rules_laws.h"

#include "base/random.h"
#include "support_site.h"

#define END 1500 /* ms that a round plays */
#define POLL 20  /* ms between two samples of a device, on average */

static const char plant[] =
    "area plant\narea hall parent=plant\narea dam parent=plant aggregate=gb39496\n"
    "device d area=hall offline=90ms:yellow poll=20ms\npoint a doubt=25ms:orange flat=150ms band=1 "
    "rate=300\npoint b doubt=40ms:blue twin=d.a within=6\npoint fan\n"
    "device e area=dam offline=120ms:red poll=20ms\npoint a\npoint b\npoint c\n"
    "device g poll=20ms\npoint a\npoint base\n"
    "device m area=hall\noutput siren device=m coil=0 area=hall from=orange fault=yellow\n";

enum mode {
    MODE_JUDGED,    /* deadlines are carried out before each frame: the laws can be told */
    MODE_FRAMES,    /* by the frames alone */
    MODE_DEADLINES, /* each at its instant, as the daemon's timer does */
    MODE_EVERY_MS,
    MODE_NO_RELOADS,
};

static int pick(struct rg_random *random, int low, int high)
{
    return low + (int)random_below(random, (uint64_t)(high - low + 1));
}

static uint64_t env_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* ---- random rules ---- */

static void *take(struct support_site *s, size_t count, size_t size)
{
    void *memory = arena_alloc(&s->arena, count, size);

    assert_non_null(memory);
    return memory;
}

static void random_limits(struct rg_random *random, struct site_rule *rule)
{
    int above = pick(random, 8, 13), below = pick(random, 3, 8);

    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        rule->has_above[i] = pick(random, 0, 3) > 0;
        rule->above[i] = above;
        above += pick(random, 1, 3);
        rule->has_below[i] = pick(random, 0, 4) == 0;
        rule->below[i] = below;
        below -= pick(random, 1, 2);
    }
    rule->has_above[LEVEL_RED] = true;
    rule->deadband = pick(random, 0, 3);
    rule->on_delay_ms = pick(random, 0, 1) ? pick(random, 1, 70) : 0;
    rule->off_delay_ms = pick(random, 0, 1) ? pick(random, 1, 70) : 0;
    rule->latch_from = pick(random, 0, 3) ? LEVEL_NONE : (enum level)pick(random, LEVEL_BLUE, LEVEL_RED);
}

static void random_is(struct rg_random *random, struct support_site *s, struct site_rule *rule)
{
    struct rule_is *is = take(s, 2, sizeof *is);

    for (int i = 0; i < 2; i++)
        is[i] = (struct rule_is){pick(random, 0, 20), (enum level)pick(random, LEVEL_BLUE, LEVEL_RED)};
    rule->is = is;
    rule->is_count = 2;
}

static void random_signal(struct rg_random *random, struct site_rule *rule)
{
    static const enum signal_kind kinds[] = {SIGNAL_RATE, SIGNAL_MEAN,  SIGNAL_SUM, SIGNAL_MAX,
                                             SIGNAL_MIN,  SIGNAL_DELTA, SIGNAL_TWA, SIGNAL_FLAT};

    rule->signal = (struct site_signal){.kind = kinds[pick(random, 0, (int)RG_COUNT(kinds) - 1)],
                                        .window_ms = pick(random, 20, 300),
                                        .coverage = 0.25 * pick(random, 1, 4),
                                        .band = pick(random, 0, 1),
                                        .wrap = pick(random, 0, 1) ? 20 : 0};
    if (rule->signal.kind != SIGNAL_FLAT)
        return;
    memset(rule->has_above, 0, sizeof rule->has_above);
    memset(rule->has_below, 0, sizeof rule->has_below);
    rule->has_above[LEVEL_YELLOW] = true;
    rule->above[LEVEL_YELLOW] = 1;
}

/* Another point for each that the rule watches. */
static uint32_t *others(struct rg_random *random, struct support_site *s, const struct site_rule *rule)
{
    uint32_t *points = take(s, rule->point_count, sizeof *points);
    uint32_t one = (uint32_t)random_below(random, s->site.point_count);

    /* Of a vote it is one for all. */
    for (size_t i = 0; i < rule->point_count; i++)
        points[i] = rule->vote_need > 0 ? one : (uint32_t)random_below(random, s->site.point_count);
    return points;
}

static void random_guard(struct rg_random *random, struct support_site *s, struct site_rule *rule)
{
    double *is = take(s, 8, sizeof *is);

    rule->guard = (struct site_guard){.points = others(random, s, rule), .is = is};
    if (pick(random, 0, 1)) {
        rule->guard.has_above = true;
        rule->guard.above = pick(random, 4, 12);
        return;
    }
    rule->guard.is_count = 8;
    for (size_t i = 0; i < 8; i++)
        is[i] = pick(random, 2, 16);
}

static void random_reference(struct rg_random *random, struct support_site *s, struct site_rule *rule)
{
    struct site_reference *of = take(s, 1, sizeof *of);

    *of = (struct site_reference){.points = others(random, s, rule), .times = 1, .plus = pick(random, 0, 4)};
    rule->has_above[LEVEL_ORANGE] = true;
    rule->above_of[LEVEL_ORANGE] = of;
}

static void random_features(struct rg_random *random, struct support_site *s, struct site_rule *rule)
{
    if (pick(random, 0, 4) == 0)
        random_is(random, s, rule);
    if (pick(random, 0, 3) == 0 && rule->point_count > 1) {
        rule->vote_need = (uint32_t)pick(random, 1, (int)rule->point_count);
        rule->vote_bad = pick(random, 0, 1) ? VOTE_BAD_COUNTS : VOTE_BAD_HOLDS;
    }
    if (pick(random, 0, 3) == 0)
        random_signal(random, rule);
    if (pick(random, 0, 3) == 0)
        random_guard(random, s, rule);
    if (pick(random, 0, 4) == 0 && rule->signal.kind != SIGNAL_FLAT)
        random_reference(random, s, rule);
    rule->has_permit = pick(random, 0, 5) == 0;
}

static void add_rules(struct rg_random *random, struct support_site *s)
{
    size_t count = (size_t)pick(random, 1, 6);
    struct site *site = &s->site;

    site->rules = take(s, count, sizeof *site->rules);
    site->rule_count = count;
    for (size_t i = 0; i < count; i++) {
        struct site_rule *rule = &site->rules[i];
        uint32_t *points = take(s, site->point_count, sizeof *points);
        char name[16];

        (void)text_format(name, sizeof name, "r%zu", i);
        *rule =
            (struct site_rule){.name = arena_strdup(&s->arena, name), .points = points, .where = "test:1"};
        for (uint32_t p = 0; p < site->point_count; p++) {
            if (pick(random, 0, 2) == 0)
                points[rule->point_count++] = p;
        }
        if (rule->point_count == 0)
            points[rule->point_count++] = 0;
        random_limits(random, rule);
        random_features(random, s, rule);
    }
}

/* ---- what is played ---- */

struct play {
    struct laws laws;
    struct rules *rules;
    struct rg_random random;
    enum mode mode;
    int64_t now;
    int good[LAWS_POINTS]; /* percent of good readings: changes now and then */
    double centre[LAWS_POINTS];
};

static struct moment moment(int64_t t)
{
    return (struct moment){t, t + LAWS_WALL};
}

static void make_engine(struct play *p, uint64_t next)
{
    assert_int_equal(rules_create(p->laws.site, next, laws_change_cb, &p->laws, &p->rules), RG_OK);
    rules_on_area(p->rules, laws_area_cb, &p->laws);
    p->laws.rules = p->rules;
}

static void carry_cb(void *arg, const struct alarm *alarm)
{
    assert_int_equal(rules_restore(arg, alarm), RG_OK);
}

/* The configuration is read again and is the same. */
static void reload(struct play *p)
{
    struct rules *old = p->rules;

    if (p->mode == MODE_NO_RELOADS)
        return;
    rules_tick(old, moment(p->now));
    make_engine(p, rules_next_alarm(old));
    rules_each(old, carry_cb, p->rules);
    rules_levels_from(p->rules, old);
    rules_permit(p->rules, 0, rules_permit_until(old, 0), moment(p->now));
    rules_start(p->rules, moment(p->now));
    rules_inherit(p->rules, old);
    rules_destroy(old);
}

/* The daemon ends, and starts again a while later: only the alarms are kept. */
static void restart(struct play *p)
{
    struct rules *old = p->rules;

    int64_t permit;

    rules_tick(old, moment(p->now));
    permit = rules_permit_until(old, 0);
    make_engine(p, rules_next_alarm(old));
    rules_each(old, carry_cb, p->rules);
    rules_destroy(old);
    p->now += pick(&p->random, 1, 60);
    rules_permit(p->rules, 0, permit, moment(p->now));
    p->laws.began = p->now;
    for (size_t i = 0; i < LAWS_POINTS; i++)
        p->laws.pasts[i].count = 0;
    memset(p->laws.told_any, 0, sizeof p->laws.told_any);
    rules_start(p->rules, moment(p->now));
}

static void frame(struct play *p, uint32_t device)
{
    const struct site_device *d = &p->laws.site->devices[device];
    struct sample samples[LAWS_POINTS];
    struct frame f = {.device = device, .at = moment(p->now), .samples = samples};

    f.heard = pick(&p->random, 0, 9) > 0;
    for (uint32_t i = d->first_point; i < d->first_point + d->point_count; i++) {
        struct sample *s = &samples[f.count];

        if (pick(&p->random, 0, 30) == 0) {
            p->good[i] = pick(&p->random, 0, 3) ? 95 : 30;
            p->centre[i] = pick(&p->random, 2, 18);
        }
        if (pick(&p->random, 0, 9) == 0)
            continue; /* this answer is of other points */
        *s = (struct sample){.point = i, .value = p->centre[i] + pick(&p->random, -2, 2)};
        if (!f.heard || pick(&p->random, 1, 100) > p->good[i])
            *s = (struct sample){.point = i, .quality = f.heard ? QUALITY_SENSOR : QUALITY_COMM};
        f.count++;
    }
    if (p->mode == MODE_JUDGED || p->mode == MODE_NO_RELOADS)
        rules_tick(p->rules, f.at);
    laws_note(&p->laws, &f);
    p->laws.frame = p->mode == MODE_JUDGED ? &f : NULL;
    rules_frame(p->rules, &f);
    p->laws.frame = NULL;
}

/* Somebody does something; all deadlines up to now are carried out, in every mode. */
static void act(struct play *p)
{
    struct moment now = moment(p->now);
    const char *alarm = "none";
    char id[ALARM_ID_MAX];
    enum rg_err err = RG_OK;

    rules_tick(p->rules, now);
    if (p->laws.active_count > 0)
        alarm = p->laws.active[random_below(&p->random, p->laws.active_count)].alarm.id;
    (void)text_copy(id, sizeof id, alarm);
    switch (pick(&p->random, 0, 6)) {
    case 0:
    case 1:
        err = rules_ack(p->rules, id, "Li", "seen", now);
        break;
    case 2:
        err = rules_shelve(p->rules, id, pick(&p->random, 1, 200), "Li", NULL, now);
        break;
    case 3:
        err = rules_unshelve(p->rules, id, "Li", NULL, now);
        break;
    case 4:
        rules_permit(p->rules, 0, pick(&p->random, 0, 2) ? p->now + pick(&p->random, 1, 200) : INT64_MIN,
                     now);
        break;
    default:
        rules_output(p->rules, 0, pick(&p->random, 0, 1), now);
        break;
    }
    assert_true(err == RG_OK || err == RG_ENOTFOUND || err == RG_EEXIST);
}

static void step(struct play *p)
{
    if (p->mode == MODE_EVERY_MS || (p->mode == MODE_DEADLINES && rules_next_ms(p->rules) <= p->now))
        rules_tick(p->rules, moment(p->now));
    if (p->mode == MODE_DEADLINES)
        LAW(&p->laws, rules_next_ms(p->rules) > p->now, "a deadline is left behind at %lld",
            (long long)p->now);
    for (uint32_t d = 0; d < p->laws.site->device_count; d++) {
        if (p->laws.site->devices[d].point_count > 0 && pick(&p->random, 1, POLL) == 1)
            frame(p, d);
    }
    if (pick(&p->random, 0, 40) == 0)
        act(p);
    if (pick(&p->random, 0, 300) == 0)
        reload(p);
    if (pick(&p->random, 0, 900) == 0)
        restart(p);
    if (p->mode == MODE_JUDGED) {
        rules_tick(p->rules, moment(p->now));
        laws_of_state(&p->laws, p->now);
    }
}

/* The log; to be freed. */
static char *play(struct support_site *s, uint64_t seed, enum mode mode, const char *story, struct play *p)
{
    memset(p, 0, sizeof *p);
    p->mode = mode;
    p->laws.site = &s->site;
    p->laws.judge = mode == MODE_JUDGED;
    p->laws.story = story;
    p->laws.capacity = 1;
    p->laws.log = calloc(1, 1);
    assert_non_null(p->laws.log);
    random_seed(&p->random, seed);
    for (size_t i = 0; i < LAWS_POINTS; i++) {
        p->good[i] = 95;
        p->centre[i] = 5;
    }
    make_engine(p, 1);
    rules_start(p->rules, moment(0));
    for (p->now = 1; p->now <= END; p->now++)
        step(p);
    rules_tick(p->rules, moment(p->now));
    rules_destroy(p->rules);
    return p->laws.log;
}

/* ---- the story of a site, for complaints ---- */

static void tell(char *text, size_t size, const char *format, ...) RG_PRINTF(3, 4);
static void tell(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text + length, size - length, format, args);
    va_end(args);
}

static void tell_rule(char *text, size_t size, const struct site *site, const struct site_rule *rule)
{
    tell(text, size, "rule %s points=", rule->name);
    for (size_t i = 0; i < rule->point_count; i++)
        tell(text, size, "%s%s", i ? "," : "", site->points[rule->points[i]].full_name);
    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        if (rule->has_above[i])
            tell(text, size, " >=%s:%g", level_name((enum level)i), rule->above[i]);
        if (rule->has_below[i])
            tell(text, size, " <=%s:%g", level_name((enum level)i), rule->below[i]);
    }
    for (size_t i = 0; i < rule->is_count; i++)
        tell(text, size, " =%s:%g", level_name(rule->is[i].level), rule->is[i].value);
    tell(text, size, " deadband=%g on=%lldms off=%lldms latch=%s", rule->deadband,
         (long long)rule->on_delay_ms, (long long)rule->off_delay_ms, level_name(rule->latch_from));
    if (rule->signal.kind != SIGNAL_VALUE)
        tell(text, size, " %s:%lldms coverage=%g band=%g wrap=%g", signal_name(rule->signal.kind),
             (long long)rule->signal.window_ms, rule->signal.coverage, rule->signal.band, rule->signal.wrap);
    if (rule->vote_need > 0)
        tell(text, size, " vote=%u bad:%s", rule->vote_need,
             rule->vote_bad == VOTE_BAD_COUNTS ? "counts" : "holds");
    for (size_t i = 0; rule->guard.points && i < rule->point_count; i++)
        tell(text, size, " guard:%s", site->points[rule->guard.points[i]].full_name);
    if (rule->guard.has_above)
        tell(text, size, ">=%g", rule->guard.above);
    for (size_t i = 0; i < rule->guard.is_count; i++)
        tell(text, size, "|%g", rule->guard.is[i]);
    for (size_t i = 0; rule->above_of[LEVEL_ORANGE] && i < rule->point_count; i++)
        tell(text, size, " orange-of:%s+%g", site->points[rule->above_of[LEVEL_ORANGE]->points[i]].full_name,
             rule->above_of[LEVEL_ORANGE]->plus);
    tell(text, size, "%s\n", rule->has_permit ? " permit" : "");
}

static void first_difference(const char *what, const char *story, const char *one, const char *other)
{
    size_t line = 0, i = 0;

    for (; one[i] && one[i] == other[i]; i++)
        line = one[i] == '\n' ? i + 1 : line;
    if (!one[i] && !other[i])
        return;
    (void)fprintf(stderr, "%s\n%s differs:\njudged: %.400s\nother:  %.400s\n", story, what, one + line,
                  other + line);
    fail();
}

struct totals {
    size_t raises, clears, escalations, suppressions, shelvings, latched, votes;
};

static void round_of(uint64_t seed, struct totals *totals)
{
    static const char *const names[] = {"judged", "by frames alone", "by deadlines", "every ms",
                                        "without reloads"};
    static struct play p;
    struct rg_random random;
    struct support_site s;
    char story[4096] = "", *judged;

    random_seed(&random, seed);
    support_site_build(&s, plant);
    s.site.shelve_max_ms = 200;
    s.site.permits = take(&s, 1, sizeof *s.site.permits);
    s.site.permits[0] = (struct site_permit){.name = "tank", .max_ms = 200, .where = "test:1"};
    s.site.permit_count = 1;
    add_rules(&random, &s);
    tell(story, sizeof story, "RG_SEED=%llu RG_ROUNDS=1\n", (unsigned long long)seed);
    for (size_t i = 0; i < s.site.rule_count; i++)
        tell_rule(story, sizeof story, &s.site, &s.site.rules[i]);
    judged = play(&s, seed, MODE_JUDGED, story, &p);
    totals->raises += p.laws.raises;
    totals->clears += p.laws.clears;
    totals->escalations += p.laws.escalations;
    totals->suppressions += p.laws.suppressions;
    totals->shelvings += p.laws.shelvings;
    totals->latched += p.laws.latched;
    totals->votes += p.laws.votes;
    for (int mode = MODE_FRAMES; mode <= MODE_NO_RELOADS; mode++) {
        char *log = play(&s, seed, (enum mode)mode, story, &p);

        first_difference(names[mode], story, judged, log);
        free(log);
    }
    free(judged);
    support_site_free(&s);
}

static void the_laws_hold(void **state)
{
    uint64_t seed = env_number("RG_SEED", 1), rounds = env_number("RG_ROUNDS", 60);
    struct totals totals = {0};

    (void)state;
    for (uint64_t i = 0; i < rounds; i++)
        round_of(seed + i, &totals);
    print_message(
        "seeds %llu to %llu: %zu raised, %zu escalated, %zu cleared, %zu suppressed, %zu shelved, %zu "
        "latches acknowledged, %zu votes\n",
        (unsigned long long)seed, (unsigned long long)(seed + rounds - 1), totals.raises, totals.escalations,
        totals.clears, totals.suppressions, totals.shelvings, totals.latched, totals.votes);
    if (rounds >= 60) {
        assert_true(totals.raises > 500 && totals.escalations > 100 && totals.clears > 300);
        assert_true(totals.shelvings > 50 && totals.latched > 20);
        assert_true(totals.suppressions > 100 && totals.votes > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_laws_hold)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
