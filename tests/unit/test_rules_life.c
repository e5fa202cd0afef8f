/* LINK rg_rules rg_test_support */
/* The alarm's life under random readings, acknowledgements and shelvings. RG_SEED and RG_ROUNDS in the environment choose
 * others; a failure prints its seed. */
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

#define END 500 /* ms that a round plays */
#define WALL 1763780000000
#define ALARMS 64

static uint64_t env_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static int pick(struct rg_random *random, int low, int high)
{
    return low + (int)random_below(random, (uint64_t)(high - low + 1));
}

static struct moment moment(int64_t t)
{
    return (struct moment){t, t + WALL};
}

/* ---- what is known of each alarm, from what is told ---- */

struct life {
    char id[ALARM_ID_MAX];
    enum level level;
    bool acked, shelved;
    int64_t shelved_until; /* monotonic */
};

struct watch {
    uint64_t seed;
    const struct site *site;
    const struct rules *rules;
    struct life alarms[ALARMS];
    size_t active;
    int64_t at; /* of the last event */
    char *log;  /* the moves, what is shelved left out */
    size_t length, size;
};

static struct life *find(struct watch *w, const char *id)
{
    for (size_t i = 0; i < w->active; i++) {
        if (strcmp(w->alarms[i].id, id) == 0)
            return &w->alarms[i];
    }
    return NULL;
}

static enum level latch_of(const struct watch *w, const struct alarm *a)
{
    for (size_t i = 0; i < w->site->rule_count; i++) {
        if (strcmp(w->site->rules[i].name, a->rule) == 0)
            return w->site->rules[i].latch_from;
    }
    return LEVEL_NONE;
}

static void check_move(const struct watch *w, const struct life *life, const struct alarm_change *c)
{
    enum level latch = latch_of(w, c->alarm);

    assert_int_equal(c->was, life->level);
    if (c->alarm->level < c->was && latch != LEVEL_NONE && c->was >= latch && !life->acked)
        fail_msg("RG_SEED=%llu: %s fell at %lld though not acknowledged", (unsigned long long)w->seed,
                 c->alarm->id, (long long)c->at.mono_ms);
    if (c->event == ALARM_ESCALATE)
        assert_false(life->shelved); /* it was taken off the shelf first */
    else
        assert_int_equal(c->alarm->shelved, life->shelved);
    assert_int_equal(c->alarm->acked, c->event == ALARM_ESCALATE ? false : life->acked);
    assert_null(c->by);
}

static void check_shelf(const struct watch *w, struct life *life, const struct alarm_change *c)
{
    assert_int_equal(c->was, life->level);
    assert_int_equal(c->alarm->level, life->level);
    assert_int_equal(life->shelved, c->event == ALARM_UNSHELVE);
    assert_int_equal(c->alarm->shelved, c->event == ALARM_SHELVE);
    if (c->event == ALARM_UNSHELVE && !c->by && !c->comment)
        assert_int_equal(c->at.mono_ms, life->shelved_until);
    if (c->event == ALARM_UNSHELVE)
        assert_true(c->at.mono_ms <= life->shelved_until);
    if (c->event == ALARM_SHELVE)
        life->shelved_until = c->alarm->shelved_until_ms - WALL;
    else
        assert_int_equal(c->alarm->shelved_until_ms, 0);
    (void)w;
}

static void change_cb(void *arg, const struct alarm_change *c)
{
    struct watch *w = arg;
    struct life *life = find(w, c->alarm->id);
    bool shelf = c->event == ALARM_SHELVE || c->event == ALARM_UNSHELVE;

    assert_int_equal(c->at.wall_ms, c->at.mono_ms + WALL);
    assert_true(c->at.mono_ms >= w->at);
    w->at = c->at.mono_ms;
    if (!shelf) {
        int n = snprintf(w->log + w->length, w->size - w->length, "%lld %s %s>%s %s\n",
                         (long long)c->at.mono_ms, alarm_event_name(c->event), level_name(c->was),
                         level_name(c->alarm->level), c->alarm->id);

        assert_true(n > 0 && (size_t)n < w->size - w->length);
        w->length += (size_t)n;
    }
    assert_int_equal(life == NULL, c->event == ALARM_RAISE);
    if (!life) {
        assert_true(w->active < ALARMS);
        life = &w->alarms[w->active++];
        *life = (struct life){.level = LEVEL_NONE};
        (void)text_copy(life->id, sizeof life->id, c->alarm->id);
        assert_false(c->alarm->shelved || c->alarm->acked);
    } else if (shelf) {
        check_shelf(w, life, c);
    } else if (c->event == ALARM_ACK) {
        assert_false(life->acked);
    } else {
        check_move(w, life, c);
    }
    life->level = c->alarm->level;
    life->acked = c->alarm->acked;
    life->shelved = c->alarm->shelved;
    if (c->event == ALARM_CLEAR)
        *life = w->alarms[--w->active];
}

/* What the outputs follow is the highest that is not shelved, and the level the highest of all. */
static void check_levels(const struct watch *w)
{
    enum level level = LEVEL_NONE, heard = LEVEL_NONE;
    struct rules_counts counts;
    size_t shelved = 0;

    for (size_t i = 0; i < w->active; i++) {
        const struct life *life = &w->alarms[i];

        level = life->level > level ? life->level : level;
        heard = !life->shelved && life->level > heard ? life->level : heard;
        shelved += life->shelved ? 1 : 0;
    }
    assert_int_equal(rules_level(w->rules), level);
    assert_int_equal(rules_output_level(w->rules, 0, NULL), heard);
    rules_counts(w->rules, &counts);
    assert_int_equal(counts.shelved, shelved);
}

/* ---- a life ---- */

static void act(struct rules *r, struct watch *w, struct rg_random *random, int64_t t, bool shelve)
{
    int what = pick(random, 0, 3), number = pick(random, 0, ALARMS), length = pick(random, 1, 120);
    char id[ALARM_ID_MAX];

    if (w->active == 0)
        return;
    (void)text_copy(id, sizeof id, w->alarms[(size_t)number % w->active].id);
    if (what == 0)
        (void)!rules_ack(r, id, "Li", NULL, moment(t));
    else if (shelve && what == 1)
        (void)!rules_unshelve(r, id, "Li", NULL, moment(t));
    else if (shelve)
        (void)!rules_shelve(r, id, length, "Li", NULL, moment(t));
}

/* Readings and people are drawn apart, so that a life without shelving sees the same readings. */
static void play(const struct site *site, uint64_t seed, bool shelve, bool often, struct watch *w)
{
    struct rg_random readings, people;
    struct rules *r;

    random_seed(&readings, seed);
    random_seed(&people, seed ^ 0x5eed);
    w->seed = seed;
    w->site = site;
    assert_int_equal(rules_create(site, 1, change_cb, w, &r), RG_OK);
    w->rules = r;
    rules_start(r, moment(0));
    for (int64_t t = 1; t <= END; t++) {
        struct sample sample = {.point = (uint32_t)pick(&readings, 0, (int)site->point_count - 1),
                                .quality = pick(&readings, 0, 7) ? QUALITY_GOOD : QUALITY_COMM,
                                .value = pick(&readings, 0, 20)};
        struct frame frame = {.at = moment(t), .samples = &sample, .count = 1};

        if (often || rules_next_ms(r) == t)
            rules_tick(r, moment(t));
        assert_true(rules_next_ms(r) > t || !often);
        if (pick(&readings, 0, 3) == 0)
            rules_frame(r, &frame);
        if (pick(&people, 0, 5) == 0)
            act(r, w, &people, t, shelve);
        check_levels(w);
    }
    rules_destroy(r);
}

static const char plant[] =
    "area hall\n"
    "device d area=hall\npoint a\npoint b\n"
    "device e area=hall\npoint a\n"
    "device m\n"
    "rule p points=* above=blue:8,yellow:12,red:18 deadband=1 on=12ms off=9ms latch=blue\n"
    "rule q points=d.* below=yellow:5,orange:2 off=20ms latch=orange\n"
    "rule s points=e.a is=7:red,8:blue on=5ms\n"
    "output siren device=m coil=0 area=hall from=blue\n";

static void begin(struct watch *w, char *log, size_t size)
{
    *w = (struct watch){.log = log, .size = size};
    log[0] = '\0';
}

static void latched_stand_and_shelving_changes_no_level(void **state)
{
    static char with[131072], without[131072], seldom[131072];
    uint64_t seed = env_number("RG_SEED", 1), rounds = env_number("RG_ROUNDS", 60);
    struct support_site s;
    size_t moves = 0;

    (void)state;
    support_site_build(&s, plant);
    for (uint64_t i = 0; i < rounds; i++) {
        struct watch w;

        begin(&w, without, sizeof without);
        play(&s.site, seed + i, false, true, &w);
        moves += w.length;
        begin(&w, seldom, sizeof seldom);
        play(&s.site, seed + i, true, false, &w);
        begin(&w, with, sizeof with);
        play(&s.site, seed + i, true, true, &w);
        if (strcmp(with, seldom) != 0)
            fail_msg("RG_SEED=%llu: ticks\n%s\nwithout\n%s", (unsigned long long)(seed + i), with, seldom);
    }
    assert_true(moves > 1000 * rounds);
    support_site_free(&s);
}

/* The same acknowledgements, at instants that no one's choice of alarm depends on: every move must be the same. */
static void shelve_all(struct rules *r, struct watch *w, int64_t t, int length)
{
    char ids[ALARMS][ALARM_ID_MAX];
    size_t n = w->active;

    for (size_t i = 0; i < n; i++)
        (void)text_copy(ids[i], ALARM_ID_MAX, w->alarms[i].id);
    for (size_t i = 0; i < n; i++)
        (void)!rules_shelve(r, ids[i], length, "Li", NULL, moment(t));
}

static void moves_are_those_without_shelving(void **state)
{
    static char logs[2][131072];
    uint64_t seed = env_number("RG_SEED", 1), rounds = env_number("RG_ROUNDS", 60);
    struct support_site s;

    (void)state;
    support_site_build(&s, plant);
    for (uint64_t i = 0; i < rounds; i++) {
        for (int shelve = 0; shelve < 2; shelve++) {
            struct rg_random random;
            struct rules *r;
            struct watch w;

            begin(&w, logs[shelve], sizeof logs[shelve]);
            w.site = &s.site;
            w.seed = seed + i;
            random_seed(&random, seed + i);
            assert_int_equal(rules_create(&s.site, 1, change_cb, &w, &r), RG_OK);
            w.rules = r;
            rules_start(r, moment(0));
            for (int64_t t = 1; t <= END; t++) {
                struct sample sample = {.point = (uint32_t)pick(&random, 0, 2),
                                        .value = pick(&random, 0, 20)};
                struct frame frame = {.at = moment(t), .samples = &sample, .count = 1};
                int length = pick(&random, 1, 60);
                char id[ALARM_ID_MAX];

                rules_frame(r, &frame);
                (void)text_format(id, sizeof id, "gw-01-%d", pick(&random, 1, 30));
                (void)!rules_ack(r, id, "Li", NULL, moment(t));
                if (shelve && t % 7 == 0)
                    shelve_all(r, &w, t, length);
            }
            rules_destroy(r);
        }
        if (strcmp(logs[0], logs[1]) != 0)
            fail_msg("RG_SEED=%llu\nwithout:\n%s\nwith:\n%s", (unsigned long long)(seed + i), logs[0],
                     logs[1]);
    }
    support_site_free(&s);
}

/* ---- a latch against a model that looks back over all readings ---- */

static void latch_is_the_model(void **state)
{
    uint64_t seed = env_number("RG_SEED", 1), rounds = env_number("RG_ROUNDS", 60) * 4;
    static char log[131072];

    (void)state;
    for (uint64_t i = 0; i < rounds; i++) {
        enum level seen[END + 1] = {LEVEL_NONE}, level = LEVEL_NONE;
        struct rg_random random;
        struct support_site s;
        struct rules *r;
        struct watch w;
        bool acked = false;
        char text[256];
        int off;

        random_seed(&random, seed + i);
        off = pick(&random, 0, 1) ? pick(&random, 1, 30) : 0;
        (void)text_format(text, sizeof text,
                          "device d\npoint a\nrule r points=d.a above=blue:1,yellow:2,orange:3,red:4 "
                          "off=%dms latch=%s",
                          off, level_name((enum level)pick(&random, LEVEL_BLUE, LEVEL_RED)));
        support_site_build(&s, text);
        begin(&w, log, sizeof log);
        w.site = &s.site;
        w.seed = seed + i;
        assert_int_equal(rules_create(&s.site, 1, change_cb, &w, &r), RG_OK);
        rules_start(r, moment(0));
        for (int64_t t = 1; t <= END; t++) {
            struct sample sample = {.value = pick(&random, 0, 4)};
            struct frame frame = {.at = moment(t), .samples = &sample, .count = 1};
            enum level held;

            rules_tick(r, moment(t));
            seen[t] = seen[t - 1];
            for (int acts = 0; acts < 3;
                 acts++) { /* the deadlines of t, a reading, a person: each by itself */
                if (acts == 1 && pick(&random, 0, 5) == 0) {
                    seen[t] = (enum level)sample.value;
                    rules_frame(r, &frame);
                } else if (acts == 2 && pick(&random, 0, 20) == 0 && w.active > 0) {
                    acked = true;
                    (void)!rules_ack(r, w.alarms[0].id, "Li", NULL, moment(t));
                }
                held = acts == 0 ? (off > 0 ? seen[t - 1] : level) : seen[t];
                for (int64_t k = t - 1; k >= 0 && k >= t - off; k--)
                    held = seen[k] > held ? seen[k] : held;
                if (held > level)
                    acked = false;
                if (held > level || acked || level < s.site.rules[0].latch_from)
                    level = held;
                if (rules_level(r) != level)
                    fail_msg("RG_SEED=%llu at %lld: %s, not %s\n%s\n%s", (unsigned long long)(seed + i),
                             (long long)t, level_name(rules_level(r)), level_name(level), text, log);
            }
        }
        rules_destroy(r);
        support_site_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latched_stand_and_shelving_changes_no_level),
        cmocka_unit_test(moves_are_those_without_shelving),
        cmocka_unit_test(latch_is_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
