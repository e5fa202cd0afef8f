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

#include "rules_laws_event.h"

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
        bool latched;

        unacked += o->alarm.acked ? 0 : 1;
        shelved += o->alarm.shelved ? 1 : 0;
        if (o->rule == SITE_NONE || o->point == SITE_NONE || l->site->rules[o->rule].has_permit)
            continue;
        /* What was restored stays suppressed until its guard is heard. A latch that nobody acknowledged is not suppressed. */
        if (!laws_guard_heard(l, &l->site->rules[o->rule], o->point))
            continue;
        latched = l->site->rules[o->rule].latch_from != LEVEL_NONE &&
                  o->alarm.level >= l->site->rules[o->rule].latch_from && !o->alarm.acked;
        LAW(l,
            o->alarm.suppressed ==
                (!latched && !laws_is_armed(l, &l->site->rules[o->rule], o->point, now, true)),
            "%lld %s of %s on %s: suppressed %d", (long long)now, o->alarm.id, o->alarm.rule, o->alarm.point,
            o->alarm.suppressed);
    }
    LAW(l, active == l->active_count && unacked == counts.unacked && shelved == counts.shelved,
        "counts %zu %zu %zu, told of %zu %zu %zu", active, counts.unacked, counts.shelved, l->active_count,
        unacked, shelved);
    laws_of_areas(l);
}

#endif
