/* The laws of one event, see rules_laws.h: of an occurrence (its raise, its moves, its end), of levels and their delays, and
 * of what people do to it. */
#ifndef RG_TESTS_RULES_LAWS_EVENT_H
#define RG_TESTS_RULES_LAWS_EVENT_H

#include "rules_laws_past.h"

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
    if (rule->signal.kind == SIGNAL_VALUE)
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

#endif
