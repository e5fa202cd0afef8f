/* What there is to read of the engine. */
#include "rules/engine.h"

enum level rules_area_level(const struct rules *r, uint32_t area, size_t *alarms)
{
    if (area == SITE_NONE) {
        if (alarms)
            *alarms = 0;
        return LEVEL_NONE;
    }
    return risk_level(&r->risk, area, alarms);
}

enum level rules_level(const struct rules *r)
{
    return risk_level(&r->risk, SITE_NONE, NULL);
}

enum level rules_output_level(const struct rules *r, uint32_t output, uint64_t *announced)
{
    return follow_level(&r->follow, output, announced);
}

void rules_counts(const struct rules *r, struct rules_counts *out)
{
    *out = (struct rules_counts){0};
    for (uint32_t i = r->alarms.oldest; i != ALARMS_NONE; i = r->alarms.pool[i].next) {
        const struct alarm *alarm = &r->alarms.pool[i].alarm;

        if (alarm->level > LEVEL_NONE && alarm->level <= LEVEL_RED)
            out->active[alarm->level]++;
        out->unacked += alarm->acked ? 0 : 1;
        out->shelved += alarm->shelved ? 1 : 0;
        out->suppressed += alarm->suppressed ? 1 : 0;
    }
}

void rules_each(const struct rules *r, void (*cb)(void *arg, const struct alarm *alarm), void *arg)
{
    for (enum level level = LEVEL_RED; level > LEVEL_NONE; level--) {
        for (uint32_t i = r->alarms.oldest; i != ALARMS_NONE; i = r->alarms.pool[i].next) {
            if (r->alarms.pool[i].alarm.level == level)
                cb(arg, &r->alarms.pool[i].alarm);
        }
    }
}

void rules_figures(const struct rules *r, struct moment now, struct figures_report *out)
{
    figures_read(&r->figures, now, out);
}

void rules_each_chattering(const struct rules *r, struct moment now,
                           void (*cb)(void *arg, const struct figures_alarm *alarm), void *arg)
{
    figures_each_chattering(&r->figures, now, cb, arg);
}

bool rules_stands(const struct alarm *alarm, struct moment now)
{
    return alarm->level != LEVEL_NONE && now.mono_ms - alarm->raised_mono_ms >= RULES_STANDING_MS;
}
