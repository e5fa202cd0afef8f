/* What the judge of rules_laws.h knows: the readings that were fed, the alarms as they were last told, and what follows from
 * both: levels, delays, guards. */
#ifndef RG_TESTS_RULES_LAWS_PAST_H
#define RG_TESTS_RULES_LAWS_PAST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/rules.h"

#define LAWS_WALL 1763780000000
#define LAWS_POINTS 16
#define LAWS_AREAS 8
#define LAWS_PAST 2048 /* samples of a point */
#define LAWS_ACTIVE 256

struct laws_sample {
    int64_t at;
    double value;
    bool good;
};

struct laws_past {
    struct laws_sample samples[LAWS_PAST];
    size_t count;
};

struct laws_alarm {
    struct alarm alarm; /* as last told */
    uint32_t rule;      /* or SITE_NONE */
    uint32_t point;     /* or SITE_NONE */
    int64_t shelved_until;
};

struct laws {
    const struct site *site;
    const struct rules *rules;
    bool judge;    /* deadlines are carried out before each frame, so that it can be told what a sample did */
    int64_t began; /* when the engine started; what was before is not in the past */
    const struct frame *frame; /* being fed, or NULL */
    int64_t last;              /* instant of the last event */
    uint64_t number;           /* of the last raise */
    struct laws_past pasts[LAWS_POINTS];
    struct laws_alarm active[LAWS_ACTIVE];
    size_t active_count;
    enum level told[LAWS_AREAS + 1]; /* by area; the last: the gateway */
    bool told_any[LAWS_AREAS + 1];
    size_t raises, clears, suppressions, escalations, latched, shelvings, votes;
    char *log; /* every event as a line */
    size_t length, capacity;
    const char *story; /* for complaints: seed and site */
};

#define LAW(l, condition, ...)                                                                               \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            laws_broken(l, #condition, __VA_ARGS__);                                                         \
    } while (0)

__attribute__((format(printf, 3, 4))) static inline void
laws_broken(const struct laws *l, const char *condition, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* cmocka cuts its messages short. */
    (void)fprintf(stderr, "%s\nlast events:\n%s\nbroken: %s (%s)\n", l->story,
                  l->length > 1500 ? l->log + l->length - 1500 : l->log, text, condition);
    fail();
}

__attribute__((format(printf, 2, 3))) static inline void laws_log(struct laws *l, const char *format, ...)
{
    char line[1024];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof line);
    if (l->length + (size_t)n + 1 > l->capacity) {
        l->capacity = 2 * l->capacity + sizeof line;
        l->log = realloc(l->log, l->capacity);
        assert_non_null(l->log);
    }
    memcpy(l->log + l->length, line, (size_t)n + 1);
    l->length += (size_t)n;
}

/* ---- the past ---- */

static inline void laws_note(struct laws *l, const struct frame *frame)
{
    for (size_t i = 0; i < frame->count; i++) {
        struct laws_past *p = &l->pasts[frame->samples[i].point];

        assert_true(p->count < LAWS_PAST);
        p->samples[p->count++] = (struct laws_sample){.at = frame->at.mono_ms,
                                                      .value = frame->samples[i].value,
                                                      .good = frame->samples[i].quality == QUALITY_GOOD &&
                                                              isfinite(frame->samples[i].value)};
    }
}

/* The level that a value may have at most (band: 1) or has at least (band: 0). Numbers only. */
static inline enum level laws_level(const struct site_rule *rule, double value, int band)
{
    enum level level = LEVEL_NONE;

    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        if ((rule->has_above[i] && value >= rule->above[i] - band * rule->deadband - 1e-9 * band) ||
            (rule->has_below[i] && value <= rule->below[i] + band * rule->deadband + 1e-9 * band))
            level = (enum level)i;
    }
    for (size_t i = 0; i < rule->is_count; i++) {
        if (rule->is[i].value == value && rule->is[i].level > level)
            level = rule->is[i].level;
    }
    return level;
}

/* Its limits are numbers and it looks at the readings themselves: what a reading gives can be said. */
static inline bool laws_is_plain(const struct site_rule *rule)
{
    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        if (rule->above_of[i] || rule->below_of[i])
            return false;
    }
    return rule->signal.kind == SIGNAL_VALUE;
}

/* The last sample before an instant (also: of it), or NULL. */
static inline const struct laws_sample *laws_last(const struct laws *l, uint32_t point, int64_t before,
                                                  bool also, bool good)
{
    const struct laws_past *p = &l->pasts[point];

    for (size_t i = p->count; i-- > 0;) {
        const struct laws_sample *s = &p->samples[i];

        if ((s->at < before || (also && s->at == before)) && (s->good || !good))
            return s;
    }
    return NULL;
}

/* A limit, by the samples up to an instant (also: and of it); NAN: it follows a point that nothing good is known of. */
static inline double laws_limit(const struct laws *l, const struct site_reference *of, size_t place,
                                double number, int64_t at, bool also)
{
    const struct laws_sample *s = of ? laws_last(l, of->points[place], at, also, false) : NULL;

    if (!of)
        return number;
    return s && s->good ? s->value * of->times + of->plus : NAN;
}

/* The level that a value may have at most, as the limits were then. Short of a limit that is known it has none whose limit, on
 * the same side and higher, is not known. */
static inline enum level laws_most(const struct laws *l, const struct site_rule *rule, uint32_t point,
                                   double value, int64_t at, bool also)
{
    bool may_above = true, may_below = true;
    enum level most = LEVEL_NONE;
    double band = rule->deadband + 1e-9;
    size_t place = 0;

    while (rule->points[place] != point)
        place++;
    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        double above = laws_limit(l, rule->above_of[i], place, rule->above[i], at, also);
        double below = laws_limit(l, rule->below_of[i], place, rule->below[i], at, also);

        if (rule->has_above[i] && !isnan(above))
            may_above = value >= above - band;
        if (rule->has_below[i] && !isnan(below))
            may_below = value <= below + band;
        if ((rule->has_above[i] && may_above) || (rule->has_below[i] && may_below))
            most = (enum level)i;
    }
    for (size_t i = 0; i < rule->is_count; i++) {
        if (rule->is[i].value == value && rule->is[i].level > most)
            most = rule->is[i].level;
    }
    return most;
}

/* Two frames of one instant: what follows another point was judged by one of both. */
static inline bool laws_may(const struct laws *l, const struct site_rule *rule, uint32_t point, double value,
                            int64_t at, enum level level)
{
    return laws_most(l, rule, point, value, at, true) >= level ||
           laws_most(l, rule, point, value, at, false) >= level;
}

/* Every good reading from the one that held at `from` up to `to` may have given the level. */
static inline bool laws_held_high(const struct laws *l, const struct site_rule *rule, uint32_t point,
                                  int64_t from, int64_t to, enum level level)
{
    const struct laws_past *p = &l->pasts[point];
    const struct laws_sample *first = laws_last(l, point, from, true, true);

    bool held = false;

    /* What it follows may have come after it, and be unknown again. */
    for (int64_t t = first ? first->at : from + 1; t <= from && !held; t++)
        held = laws_may(l, rule, point, first->value, t, level);
    if (!held)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        const struct laws_sample *s = &p->samples[i];

        if (s->good && s->at > from && s->at < to && !laws_may(l, rule, point, s->value, s->at, level))
            return false;
    }
    return true;
}

/* The same of every reading, none of them bad, and none surely higher. */
static inline bool laws_held_low(const struct laws *l, const struct site_rule *rule, uint32_t point,
                                 int64_t from, int64_t to, enum level level)
{
    const struct laws_past *p = &l->pasts[point];
    const struct laws_sample *first = laws_last(l, point, from, true, false);

    if (!first || !first->good || laws_level(rule, first->value, 0) > level)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        const struct laws_sample *s = &p->samples[i];

        if (s->at > from && s->at < to && (!s->good || laws_level(rule, s->value, 0) > level))
            return false;
    }
    return true;
}

/* ---- guards ---- */

static inline bool laws_guard_holds(const struct site_guard *g, double value)
{
    bool is = g->is_count == 0;

    for (size_t i = 0; i < g->is_count; i++)
        is = is || g->is[i] == value;
    return is && (!g->has_above || value >= g->above) && (!g->has_below || value <= g->below);
}

static inline const uint32_t *laws_guard_of(const struct site_rule *rule, uint32_t point)
{
    for (size_t i = 0; rule->guard.points && i < rule->point_count; i++) {
        if (rule->points[i] == point || rule->vote_need > 0)
            return &rule->guard.points[i];
    }
    return NULL;
}

/* Armed by its guard, by the samples before an instant, or up to and with it. */
static inline bool laws_is_armed(const struct laws *l, const struct site_rule *rule, uint32_t point,
                                 int64_t at, bool also)
{
    const uint32_t *guard = laws_guard_of(rule, point);
    const struct laws_sample *s = guard ? laws_last(l, *guard, at, also, false) : NULL;

    return !s || !s->good || laws_guard_holds(&rule->guard, s->value);
}

static inline bool laws_guard_heard(const struct laws *l, const struct site_rule *rule, uint32_t point)
{
    const uint32_t *guard = laws_guard_of(rule, point);

    return !guard || l->began == 0 || l->pasts[*guard].count > 0;
}

#endif
