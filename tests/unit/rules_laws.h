/* What must hold of every run of the rule engine, whatever the configuration and the readings: a judge that listens to an
 * engine and knows what it is fed. It is no second engine: each law is a necessary condition, looked up in the past.
 *
 * Laws of an occurrence: one raise, moves that follow from each other, one clear, nothing after it; one at a time of a rule on
 * a point; numbers that grow; instants that do not go back.
 * Laws of levels: a level is raised, escalated or lowered only when every good reading of the delay before gave a right to
 * it; nothing is lowered by, or within the off-delay of, a bad reading.
 * Laws of what people and plants do: a suppressed alarm does not move and counts for nothing; a latched one is not lowered
 * before it is acknowledged; a shelved one escalates only off the shelf. Live levels of areas, of the gateway and of outputs
 * are those of the alarms that count. */
#ifndef RG_TESTS_RULES_LAWS_H
#define RG_TESTS_RULES_LAWS_H

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

/* Every good reading from the one that held at `from` up to `to` may have given the level. */
static inline bool laws_held_high(const struct laws *l, const struct site_rule *rule, uint32_t point,
                                  int64_t from, int64_t to, enum level level)
{
    const struct laws_past *p = &l->pasts[point];
    const struct laws_sample *first = laws_last(l, point, from, true, true);

    if (!first || laws_level(rule, first->value, 1) < level)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        const struct laws_sample *s = &p->samples[i];

        if (s->good && s->at > from && s->at < to && laws_level(rule, s->value, 1) < level)
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

/* ---- the laws of one event ---- */

static inline size_t laws_find(const struct laws *l, const char *id)
{
    size_t i = 0;

    while (i < l->active_count && strcmp(l->active[i].alarm.id, id) != 0)
        i++;
    return i;
}

static inline void laws_owner(const struct laws *l, const struct alarm *a, struct laws_alarm *out)
{
    out->rule = out->point = SITE_NONE;
    for (uint32_t i = 0; i < l->site->rule_count; i++) {
        if (strcmp(l->site->rules[i].name, a->rule) == 0)
            out->rule = i;
    }
    for (uint32_t i = 0; i < l->site->point_count; i++) {
        if (strcmp(l->site->points[i].full_name, a->point) == 0)
            out->point = i;
    }
}

/* A vote: as many members as it needs may have given it; bad ones are taken off the need where they count. */
static inline void laws_vote(const struct laws *l, const struct site_rule *rule, int64_t at, bool also,
                             enum level level)
{
    uint32_t high = 0, bad = 0, need = rule->vote_need;

    for (size_t i = 0; i < rule->point_count; i++) {
        const struct laws_sample *s = laws_last(l, rule->points[i], at, also, false);
        const struct laws_sample *good = laws_last(l, rule->points[i], at, also, true);

        bad += s && !s->good ? 1 : 0;
        high += good && laws_level(rule, good->value, 1) >= level ? 1 : 0;
    }
    if (rule->vote_bad == VOTE_BAD_COUNTS)
        need = bad >= need ? 1 : need - bad;
    /* What was restored of a member counts until it is heard: not in the past. */
    if (l->began == 0)
        LAW(l, high >= need, "%lld vote %s at %s: %u of %u, %u bad", (long long)at, rule->name,
            level_name(level), high, rule->vote_need, bad);
}

static inline void laws_up(const struct laws *l, const struct laws_alarm *o, const struct alarm_change *c)
{
    const struct site_rule *rule = &l->site->rules[o->rule];
    int64_t at = c->at.mono_ms, from = at - rule->on_delay_ms;

    LAW(l, rule->on_delay_ms == 0 || from >= l->began, "%lld %s %s within its delay of the start",
        (long long)at, c->alarm->rule, c->alarm->point);
    /* It closes after the delays that end at its instant. */
    if (rule->has_permit)
        LAW(l, rules_permit_until(l->rules, rule->permit) >= at, "%lld %s %s raised without its permit",
            (long long)at, c->alarm->rule, c->alarm->point);
    if (rule->vote_need > 0) {
        if (laws_is_plain(rule))
            laws_vote(l, rule, at, rule->on_delay_ms == 0, c->alarm->level);
        return;
    }
    if (o->point == SITE_NONE)
        return;
    LAW(l, laws_is_armed(l, rule, o->point, at, false) || laws_is_armed(l, rule, o->point, at, true),
        "%lld %s %s raised while not armed", (long long)at, c->alarm->rule, c->alarm->point);
    for (int64_t t = from + 1; rule->guard.points && t < at; t++)
        LAW(l, laws_is_armed(l, rule, o->point, t, true), "%lld %s %s: not armed at %lld", (long long)at,
            c->alarm->rule, c->alarm->point, (long long)t);
    if (laws_is_plain(rule))
        LAW(l, laws_held_high(l, rule, o->point, from, at, c->alarm->level),
            "%lld %s %s to %s: skipped its delay", (long long)at, c->alarm->rule, c->alarm->point,
            level_name(c->alarm->level));
}

static inline void laws_down(const struct laws *l, const struct laws_alarm *o, const struct alarm_change *c)
{
    const struct site_rule *rule = &l->site->rules[o->rule];
    int64_t at = c->at.mono_ms;

    LAW(l, rule->latch_from == LEVEL_NONE || c->was < rule->latch_from || o->alarm.acked,
        "%lld %s %s lowered while latched", (long long)at, c->alarm->rule, c->alarm->point);
    if (rule->vote_need > 0 || o->point == SITE_NONE)
        return;
    for (size_t i = 0; l->frame && i < l->frame->count; i++) {
        if (l->frame->samples[i].point == o->point)
            LAW(l, l->frame->samples[i].quality == QUALITY_GOOD, "%lld %s %s lowered by a bad reading",
                (long long)at, c->alarm->rule, c->alarm->point);
    }
    if (laws_is_plain(rule))
        LAW(l, laws_held_low(l, rule, o->point, at - rule->off_delay_ms, at, c->alarm->level),
            "%lld %s %s to %s: skipped its off-delay", (long long)at, c->alarm->rule, c->alarm->point,
            level_name(c->alarm->level));
}

static inline void laws_raise(struct laws *l, const struct alarm_change *c)
{
    const struct alarm *a = c->alarm;
    uint64_t number = strtoull(strrchr(a->id, '-') + 1, NULL, 10);
    struct laws_alarm *o = &l->active[l->active_count];

    LAW(l, laws_find(l, a->id) == l->active_count, "%s raised twice", a->id);
    LAW(l, number > l->number, "%s after %llu", a->id, (unsigned long long)l->number);
    LAW(l, c->was == LEVEL_NONE && a->level > LEVEL_NONE, "%s raised from %s", a->id, level_name(c->was));
    LAW(l, a->raised_ms == c->at.wall_ms && !a->acked && !a->shelved && !a->suppressed, "%s is not new",
        a->id);
    for (size_t i = 0; i < l->active_count; i++)
        LAW(l,
            strcmp(l->active[i].alarm.rule, a->rule) != 0 || strcmp(l->active[i].alarm.point, a->point) != 0,
            "%s and %s are of one rule on one point", a->id, l->active[i].alarm.id);
    assert_true(l->active_count < LAWS_ACTIVE - 1);
    l->number = number;
    l->raises++;
    laws_owner(l, a, o);
    if (o->rule != SITE_NONE) {
        l->votes += l->site->rules[o->rule].vote_need > 0 ? 1 : 0;
        if (l->judge)
            laws_up(l, o, c);
    }
    o->alarm = *a;
    l->active_count++;
}

static inline void laws_moved(struct laws *l, struct laws_alarm *o, const struct alarm_change *c)
{
    const struct alarm *a = c->alarm;
    enum alarm_event expected = a->level == LEVEL_NONE ? ALARM_CLEAR
                                : a->level > c->was    ? ALARM_ESCALATE
                                                       : ALARM_DEESCALATE;

    LAW(l, c->event == expected && a->level != c->was, "%s: %s of %s>%s", a->id, alarm_event_name(c->event),
        level_name(c->was), level_name(a->level));
    LAW(l, !o->alarm.suppressed, "%s moved while suppressed", a->id);
    if (c->event == ALARM_ESCALATE) {
        l->escalations++;
        LAW(l, !o->alarm.shelved && !a->shelved, "%s escalated on the shelf", a->id);
        LAW(l, !a->acked, "%s escalated and acknowledged", a->id);
    } else {
        LAW(l, a->acked == o->alarm.acked, "%s lost its acknowledgement", a->id);
    }
    if (o->rule != SITE_NONE && l->judge && c->event == ALARM_ESCALATE)
        laws_up(l, o, c);
    else if (o->rule != SITE_NONE && l->judge)
        laws_down(l, o, c);
}

static inline void laws_acted(struct laws *l, struct laws_alarm *o, const struct alarm_change *c)
{
    const struct alarm *a = c->alarm;

    LAW(l, a->level == c->was, "%s: %s moved its level", a->id, alarm_event_name(c->event));
    switch (c->event) {
    case ALARM_ACK:
        LAW(l, a->acked && !o->alarm.acked && c->by, "%s acknowledged twice, or by nobody", a->id);
        l->latched += o->rule != SITE_NONE && l->site->rules[o->rule].latch_from != LEVEL_NONE ? 1 : 0;
        break;
    case ALARM_SHELVE:
        LAW(l, a->shelved && !o->alarm.shelved && c->by, "%s shelved twice, or by nobody", a->id);
        l->shelvings++;
        break;
    case ALARM_UNSHELVE:
        LAW(l, !a->shelved && o->alarm.shelved, "%s was not shelved", a->id);
        LAW(l, c->at.wall_ms <= o->alarm.shelved_until_ms || c->at.mono_ms == l->began, "%s shelved too long",
            a->id);
        break;
    case ALARM_SUPPRESS:
        LAW(l, a->suppressed && !o->alarm.suppressed, "%s suppressed twice", a->id);
        l->suppressions++;
        break;
    case ALARM_UNSUPPRESS:
        LAW(l, !a->suppressed && o->alarm.suppressed, "%s was not suppressed", a->id);
        break;
    case ALARM_RAISE:
    case ALARM_ESCALATE:
    case ALARM_DEESCALATE:
    case ALARM_CLEAR:
        break;
    }
}

static inline void laws_change_cb(void *arg, const struct alarm_change *c)
{
    struct laws *l = arg;
    const struct alarm *a = c->alarm;
    size_t i = laws_find(l, a->id);

    laws_log(l, "%lld %s %s %s %s %s>%s %.9g/%.9g%s%s%s%s %s %s\n", (long long)c->at.mono_ms,
             alarm_event_name(c->event), a->id, a->rule, a->point, level_name(c->was), level_name(a->level),
             c->has_value ? c->value : -1, c->has_limit ? c->limit : -1, a->acked ? " acked" : "",
             a->shelved ? " shelved" : "", a->suppressed ? " suppressed" : "", a->first_out ? " first" : "",
             c->by ? c->by : "-", c->comment ? c->comment : "-");
    LAW(l, c->at.wall_ms == c->at.mono_ms + LAWS_WALL, "%s: the clocks part", a->id);
    LAW(l, c->at.mono_ms >= l->last, "%s: %lld after %lld", a->id, (long long)c->at.mono_ms,
        (long long)l->last);
    l->last = c->at.mono_ms;
    if (c->event == ALARM_RAISE) {
        laws_raise(l, c);
        return;
    }
    LAW(l, i < l->active_count, "%s %s is not active", alarm_event_name(c->event), a->id);
    LAW(l, c->was == l->active[i].alarm.level, "%s was %s", a->id, level_name(l->active[i].alarm.level));
    if (c->event == ALARM_ESCALATE || c->event == ALARM_DEESCALATE || c->event == ALARM_CLEAR)
        laws_moved(l, &l->active[i], c);
    else
        laws_acted(l, &l->active[i], c);
    l->active[i].alarm = *a;
    if (c->event == ALARM_CLEAR) {
        l->clears++;
        l->active[i] = l->active[--l->active_count];
    }
}

static inline void laws_area_cb(void *arg, uint32_t area, enum level level, enum level was, struct moment at)
{
    struct laws *l = arg;
    size_t i = area == SITE_NONE ? LAWS_AREAS : area;

    laws_log(l, "%lld level %s %s>%s\n", (long long)at.mono_ms,
             area == SITE_NONE ? "gateway" : l->site->areas[area].name, level_name(was), level_name(level));
    LAW(l, level != was && (!l->told_any[i] || l->told[i] == was), "level of %zu was told as %s", i,
        level_name(l->told[i]));
    l->told[i] = level;
    l->told_any[i] = true;
}

/* ---- the laws of a state ---- */

static inline bool laws_in(const struct site *site, const char *name, uint32_t area)
{
    for (uint32_t i = 0; i < site->area_count; i++) {
        if (strcmp(site->areas[i].name, name) != 0)
            continue;
        for (; i < site->area_count; i = site->areas[i].parent) {
            if (i == area)
                return true;
        }
        return false;
    }
    return false;
}

static inline void laws_of_areas(const struct laws *l)
{
    for (uint32_t area = 0; area <= l->site->area_count; area++) {
        bool whole = area == l->site->area_count;
        enum level level = LEVEL_NONE, is;
        size_t count = 0, counted = 0;

        for (size_t i = 0; i < l->active_count; i++) {
            const struct alarm *a = &l->active[i].alarm;

            if (a->suppressed || (!whole && !laws_in(l->site, a->area, area)))
                continue;
            level = a->level > level ? a->level : level;
            count++;
        }
        is = whole ? rules_level(l->rules) : rules_area_level(l->rules, area, &counted);
        LAW(l, is >= level, "area %u is %s, an alarm there %s", area, level_name(is), level_name(level));
        if (!whole)
            LAW(l, counted == count, "area %u counts %zu of %zu", area, counted, count);
        LAW(l, count > 0 || is == LEVEL_NONE, "area %u is %s without an alarm", area, level_name(is));
    }
}

/* After each step: what the engine says of itself is what it told. */
static inline void laws_of_state(const struct laws *l, int64_t now)
{
    struct rules_counts counts;
    size_t active = 0, unacked = 0, shelved = 0;

    rules_counts(l->rules, &counts);
    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++)
        active += counts.active[i];
    for (size_t i = 0; i < l->active_count; i++) {
        const struct laws_alarm *o = &l->active[i];

        unacked += o->alarm.acked ? 0 : 1;
        shelved += o->alarm.shelved ? 1 : 0;
        if (o->rule == SITE_NONE || o->point == SITE_NONE || l->site->rules[o->rule].has_permit)
            continue;
        /* What was restored stays suppressed until its guard is heard. */
        if (!laws_guard_heard(l, &l->site->rules[o->rule], o->point))
            continue;
        LAW(l, o->alarm.suppressed == !laws_is_armed(l, &l->site->rules[o->rule], o->point, now, true),
            "%lld %s of %s on %s: suppressed %d", (long long)now, o->alarm.id, o->alarm.rule, o->alarm.point,
            o->alarm.suppressed);
    }
    LAW(l, active == l->active_count && unacked == counts.unacked && shelved == counts.shelved,
        "counts %zu %zu %zu, told of %zu %zu %zu", active, counts.unacked, counts.shelved, l->active_count,
        unacked, shelved);
    laws_of_areas(l);
}

#endif
