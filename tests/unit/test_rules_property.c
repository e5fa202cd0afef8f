/* LINK rg_rules rg_test_support */
/* Random rules and readings: against a slow model that scans the whole past at every millisecond, and
 * against the engine itself with time split otherwise. RG_SEED and RG_ROUNDS in the environment choose
 * others; a failure prints its seed and its site. */
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
#include "rules/deadlines.h"
#include "rules/rules.h"
#include "support_site.h"

#define END 400 /* ms that a round plays */
#define WALL 1763780000000

struct log {
    char text[32768];
    size_t length;
};

static void log_move(struct log *log, int64_t at, enum level was, enum level now, const char *whose)
{
    int n = snprintf(log->text + log->length, sizeof log->text - log->length, "%lld %s>%s%s%s\n",
                     (long long)at, level_name(was), level_name(now), whose[0] ? " " : "", whose);

    assert_true(n > 0 && (size_t)n < sizeof log->text - log->length);
    log->length += (size_t)n;
}

static uint64_t env_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* ---- random sites ---- */

static int pick(struct rg_random *random, int low, int high)
{
    return low + (int)random_below(random, (uint64_t)(high - low + 1));
}

RG_PRINTF(3, 4) static void append(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list args;

    va_start(args, format);
    assert_true(vsnprintf(text + length, size - length, format, args) < (int)(size - length));
    va_end(args);
}

/* Conditions over the readings 0 .. 20, so that limits and edges of bands are hit all the time. */
static void random_rule(struct rg_random *random, char *text, size_t size)
{
    static const char *const names[] = {"none", "blue", "yellow", "orange", "red"};
    int above = pick(random, 8, 14), below = pick(random, 4, 9);
    bool any = false;

    for (int side = 0; side < 2; side++) {
        if (pick(random, 0, 3) == 0)
            continue;
        append(text, size, "%s", side ? " below=" : " above=");
        for (int i = 1, first = 1; i < 5; i++) {
            if (pick(random, 0, 3) == 0 && !(i == 4 && first))
                continue;
            append(text, size, "%s%s:%d", first ? "" : ",", names[i], side ? below : above);
            above += pick(random, 1, 3);
            below -= pick(random, 1, 3);
            first = 0;
        }
        any = true;
    }
    if (!any || pick(random, 0, 3) == 0) {
        append(text, size, " is=");
        for (int i = 0, n = pick(random, 1, 3); i < n; i++)
            append(text, size, "%s%d:%s", i ? "," : "", pick(random, 0, 20), names[pick(random, 1, 4)]);
    }
    append(text, size, " deadband=%d", pick(random, 0, 4));
    append(text, size, " on=%dms", pick(random, 0, 2) ? pick(random, 1, 40) : 0);
    append(text, size, " off=%dms", pick(random, 0, 2) ? pick(random, 1, 40) : 0);
}

/* ---- the model: one rule on one point ---- */

struct model {
    const struct site_rule *rule;
    enum level level;
    enum level high, low;              /* held by each side at the last good reading */
    enum level seen[END + 1];          /* in [t, t + 1): the level of the last good reading */
    bool known[END + 1], bad[END + 1]; /* there was a good one; the last one was bad */
    struct log log;
};

static enum level model_side(const struct site_rule *rule, bool above, enum level reached, double value)
{
    enum level level = LEVEL_NONE;

    for (int i = 1; i < LEVEL_COUNT; i++) {
        double band = i <= (int)reached ? rule->deadband : 0;

        if (above ? rule->has_above[i] && value >= rule->above[i] - band
                  : rule->has_below[i] && value <= rule->below[i] + band)
            level = (enum level)i;
    }
    return level;
}

static enum level model_read(struct model *m, double value)
{
    enum level level;

    m->high = model_side(m->rule, true, m->high < m->level ? m->high : m->level, value);
    m->low = model_side(m->rule, false, m->low < m->level ? m->low : m->level, value);
    level = m->high > m->low ? m->high : m->low;
    for (size_t i = 0; i < m->rule->is_count; i++) {
        if (m->rule->is[i].value == value && m->rule->is[i].level > level)
            level = m->rule->is[i].level;
    }
    return level;
}

/* The readings of [from, to) were all at level or higher; bad ones between break nothing. */
static bool held_high(const struct model *m, int64_t from, int64_t to, enum level level)
{
    for (int64_t t = from; t < to; t++) {
        if (t < 0 || !m->known[t] || m->seen[t] < level)
            return false;
    }
    return true;
}

/* All at level or lower, and none bad. */
static bool held_low(const struct model *m, int64_t from, int64_t to, enum level level)
{
    for (int64_t t = from; t < to; t++) {
        if (t < 0 || !m->known[t] || m->bad[t] || m->seen[t] > level)
            return false;
    }
    return true;
}

static void model_go(struct model *m, int64_t now, enum level level)
{
    if (level == m->level)
        return;
    log_move(&m->log, now, m->level, level, "");
    m->level = level;
}

/* What the past up to now, and this reading if there is one, give a right to. */
static void model_decide(struct model *m, int64_t now, const enum level *reading)
{
    int64_t on = m->rule->on_delay_ms, off = m->rule->off_delay_ms;

    for (int i = LEVEL_RED; i > (int)m->level; i--) {
        enum level level = (enum level)i;

        if ((reading || on > 0) && (!reading || *reading >= level) && held_high(m, now - on, now, level)) {
            model_go(m, now, level);
            return;
        }
    }
    for (int i = LEVEL_NONE; i < (int)m->level; i++) {
        enum level level = (enum level)i;

        if ((reading || off > 0) && (!reading || *reading <= level) && held_low(m, now - off, now, level)) {
            model_go(m, now, level);
            return;
        }
    }
}

static void model_step(struct model *m, int64_t now, const struct sample *sample)
{
    if (now > 0) {
        m->seen[now] = m->seen[now - 1];
        m->known[now] = m->known[now - 1];
        m->bad[now] = m->bad[now - 1];
        if (!m->bad[now])
            model_decide(m, now, NULL);
    }
    if (!sample)
        return;
    m->bad[now] = sample->quality != QUALITY_GOOD;
    if (m->bad[now])
        return;
    m->seen[now] = model_read(m, sample->value);
    m->known[now] = true;
    model_decide(m, now, &m->seen[now]);
}

/* ---- the engine, watched ---- */

struct watch {
    struct log log;
    bool names;           /* log whose alarm it is */
    uint64_t last_number; /* of the last raise */
    bool bad;             /* the reading being fed is bad */
    const struct rules *rules;
    size_t active;
    char ids[64][ALARM_ID_MAX]; /* of the active ones */
};

static size_t watch_find(const struct watch *w, const char *id)
{
    size_t i = 0;

    while (i < w->active && strcmp(w->ids[i], id) != 0)
        i++;
    return i;
}

static void change_cb(void *arg, const struct alarm_change *change)
{
    struct watch *w = arg;
    const struct alarm *a = change->alarm;
    size_t i = watch_find(w, a->id);
    char whose[256];

    assert_int_equal(change->at.wall_ms, change->at.mono_ms + WALL);
    (void)text_format(whose, sizeof whose, "%s %s %s", a->id, a->rule, a->point);
    log_move(&w->log, change->at.mono_ms, change->was, a->level, w->names ? whose : "");
    if (change->event == ALARM_RAISE) {
        uint64_t number = strtoull(strrchr(a->id, '-') + 1, NULL, 10);

        assert_int_equal(i, w->active);
        assert_true(w->active < RG_COUNT(w->ids));
        assert_true(number > w->last_number);
        w->last_number = number;
        (void)text_copy(w->ids[w->active++], ALARM_ID_MAX, a->id);
        assert_int_equal(a->raised_ms, change->at.wall_ms);
        return;
    }
    assert_true(i < w->active); /* nothing happens to an alarm that was not raised or has cleared */
    assert_int_equal(change->event, change->was < a->level   ? ALARM_ESCALATE
                                    : a->level == LEVEL_NONE ? ALARM_CLEAR
                                                             : ALARM_DEESCALATE);
    if (change->event != ALARM_ESCALATE)
        assert_false(w->bad);
    if (change->event == ALARM_CLEAR) {
        w->active--;
        memmove(w->ids[i], w->ids[w->active], ALARM_ID_MAX);
    }
}

static struct moment moment(int64_t t)
{
    return (struct moment){t, t + WALL};
}

static void random_sample(struct rg_random *random, uint32_t point, struct sample *s)
{
    *s = (struct sample){.point = point};
    if (pick(random, 0, 5) == 0)
        s->quality = QUALITY_SENSOR;
    else
        s->value = pick(random, 0, 20);
}

/* ---- one rule against the model ---- */

static void compare_with_model(uint64_t seed)
{
    struct rg_random random;
    struct support_site s;
    static struct model m;
    static struct watch w;
    struct rules *rules;
    char text[1024] = "device d\npoint a\nrule r points=d.a";
    int often;

    random_seed(&random, seed);
    random_rule(&random, text, sizeof text);
    support_site_build(&s, text);
    memset(&m, 0, sizeof m);
    memset(&w, 0, sizeof w);
    m.rule = &s.site.rules[0];
    assert_int_equal(rules_create(&s.site, 1, change_cb, &w, &rules), RG_OK);
    rules_start(rules, moment(0));
    often = pick(&random, 0, 30);
    for (int64_t t = 0; t <= END; t++) {
        struct sample sample;
        struct frame frame = {.at = moment(t), .heard = true, .count = 1, .samples = &sample};
        bool due = pick(&random, 0, often) == 0;

        if (due) {
            random_sample(&random, 0, &sample);
            rules_tick(rules, frame.at);
            w.bad = sample.quality != QUALITY_GOOD;
            rules_frame(rules, &frame);
            w.bad = false;
        }
        model_step(&m, t, due ? &sample : NULL);
    }
    rules_tick(rules, moment(END));
    if (strcmp(m.log.text, w.log.text) != 0)
        fail_msg("RG_SEED=%llu\n%s\nmodel:\n%sengine:\n%s", (unsigned long long)seed, text, m.log.text,
                 w.log.text);
    rules_destroy(rules);
    support_site_free(&s);
}

static void engine_is_the_model(void **state)
{
    uint64_t seed = env_number("RG_SEED", 1), rounds = env_number("RG_ROUNDS", 3000);

    (void)state;
    for (uint64_t i = 0; i < rounds; i++)
        compare_with_model(seed + i);
}

/* ---- many rules, time split in different ways ---- */

enum split { SPLIT_FRAMES, SPLIT_DEADLINES, SPLIT_EVERY_MS };

static void play(const struct site *site, uint64_t seed, enum split split, struct watch *w)
{
    struct rg_random random;
    struct rules *rules;

    memset(w, 0, sizeof *w);
    w->names = true;
    random_seed(&random, seed);
    assert_int_equal(rules_create(site, 7, change_cb, w, &rules), RG_OK);
    rules_start(rules, moment(0));
    for (int64_t t = 1; t <= END; t++) {
        struct sample samples[4];
        struct frame frame = {.at = moment(t), .samples = samples};

        if (split == SPLIT_EVERY_MS || (split == SPLIT_DEADLINES && rules_next_ms(rules) == t))
            rules_tick(rules, moment(t));
        if (split == SPLIT_DEADLINES)
            assert_true(rules_next_ms(rules) > t);
        if (pick(&random, 0, 6) > 0)
            continue;
        frame.device = (uint32_t)pick(&random, 0, (int)site->device_count - 1);
        frame.heard = pick(&random, 0, 3) > 0;
        frame.count = (size_t)pick(&random, 0, 4);
        for (size_t i = 0; i < frame.count; i++)
            random_sample(&random, (uint32_t)pick(&random, 0, (int)site->point_count - 1), &samples[i]);
        rules_frame(rules, &frame);
    }
    rules_tick(rules, moment(END));
    rules_destroy(rules);
}

static void splits_of(uint64_t seed)
{
    static struct watch frames, deadlines, every;
    struct rg_random random;
    struct support_site s;
    char text[2048] = "area x\narea y parent=x\ndevice d area=y offline=37ms:yellow\npoint a\npoint b\n"
                      "device e area=x offline=60ms:red\npoint a\npoint c type=f32";

    random_seed(&random, seed);
    for (int i = 0, n = pick(&random, 1, 5); i < n; i++) {
        static const char *const points[] = {"*", "d.*", "*.a", "e.c"};

        append(text, sizeof text, "\nrule r%d points=%s", i, points[pick(&random, 0, 3)]);
        random_rule(&random, text, sizeof text);
    }
    support_site_build(&s, text);
    play(&s.site, seed, SPLIT_FRAMES, &frames);
    play(&s.site, seed, SPLIT_DEADLINES, &deadlines);
    play(&s.site, seed, SPLIT_EVERY_MS, &every);
    if (strcmp(frames.log.text, deadlines.log.text) != 0 || strcmp(frames.log.text, every.log.text) != 0)
        fail_msg("RG_SEED=%llu\n%s\nframes:\n%s\ndeadlines:\n%s\nevery ms:\n%s", (unsigned long long)seed,
                 text, frames.log.text, deadlines.log.text, every.log.text);
    support_site_free(&s);
}

static void splitting_time_changes_nothing(void **state)
{
    uint64_t seed = env_number("RG_SEED", 1), rounds = env_number("RG_ROUNDS", 3000) / 10 + 1;

    (void)state;
    for (uint64_t i = 0; i < rounds; i++)
        splits_of(seed + i);
}

/* ---- frames in any order of time: no model, but nothing may break ---- */

static void time_may_jump(void **state)
{
    static struct watch w;
    struct rg_random random;
    struct support_site s;
    struct rules *rules;

    (void)state;
    support_site_build(
        &s, "device d offline=30ms:yellow\npoint a\npoint b\n"
            "rule r points=* above=blue:8,yellow:12,red:18 below=orange:2 deadband=1 on=20ms off=15ms");
    for (uint64_t seed = 1; seed <= 200; seed++) {
        memset(&w, 0, sizeof w);
        random_seed(&random, seed);
        assert_int_equal(rules_create(&s.site, 1, change_cb, &w, &rules), RG_OK);
        rules_start(rules, moment(1000));
        for (int i = 0; i < 300; i++) {
            struct sample sample;
            struct frame frame = {.at = moment(pick(&random, 900, 1400)),
                                  .heard = pick(&random, 0, 1),
                                  .count = 1,
                                  .samples = &sample};

            random_sample(&random, (uint32_t)pick(&random, 0, 1), &sample);
            rules_frame(rules, &frame);
            rules_tick(rules, moment(pick(&random, 900, 1400)));
        }
        rules_tick(rules, moment(5000));
        assert_true(rules_next_ms(rules) > 5000);
        rules_destroy(rules);
    }
    support_site_free(&s);
}

/* ---- the heap ---- */

#define IDS 40

static void heap_is_a_sorted_list(void **state)
{
    struct deadlines d;
    struct rg_random random;
    int64_t due[IDS];

    (void)state;
    assert_int_equal(deadlines_create(&d, IDS), RG_OK);
    for (int i = 0; i < IDS; i++)
        due[i] = INT64_MAX;
    random_seed(&random, env_number("RG_SEED", 1));
    for (int i = 0; i < 20000; i++) {
        uint32_t id = (uint32_t)pick(&random, 0, IDS - 1), first = 0, found = IDS;

        due[id] = pick(&random, 0, 2) ? pick(&random, 0, 30) : INT64_MAX;
        deadlines_set(&d, id, due[id]);
        for (uint32_t k = 1; k < IDS; k++)
            first = due[k] < due[first] ? k : first;
        assert_int_equal(deadlines_first(&d, &found), due[first]);
        if (due[first] != INT64_MAX)
            assert_int_equal(found, first);
    }
    deadlines_destroy(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_is_the_model),
        cmocka_unit_test(splitting_time_changes_nothing),
        cmocka_unit_test(time_may_jump),
        cmocka_unit_test(heap_is_a_sorted_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
