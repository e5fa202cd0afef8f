#include "rules/shelves.h"

#include <string.h>

#include "rules/engine.h"

int64_t rules_shelve_max_ms(const struct site *site)
{
    return site->shelve_max_ms > 0 ? site->shelve_max_ms : SHELVE_MAX_STANDARD_MS;
}

void shelves_schedule(struct rules *r)
{
    int64_t next = INT64_MAX;

    for (uint32_t i = r->alarms.oldest; i != ALARMS_NONE; i = r->alarms.pool[i].next) {
        const struct occurrence *o = &r->alarms.pool[i];

        if (o->alarm.shelved && o->shelved_until_ms < next)
            next = o->shelved_until_ms;
    }
    deadlines_set(&r->deadlines, ENGINE_SHELVES(r), next);
}

void shelves_clock_set(struct rules *r)
{
    for (uint32_t i = r->alarms.oldest; i != ALARMS_NONE; i = r->alarms.pool[i].next) {
        struct occurrence *o = &r->alarms.pool[i];

        if (o->alarm.shelved)
            o->alarm.shelved_until_ms = o->shelved_until_ms + (r->now.wall_ms - r->now.mono_ms);
    }
}

void shelves_end(struct rules *r, struct occurrence *o, const char *by, const char *comment, struct moment at)
{
    o->alarm.shelved = false;
    o->alarm.shelved_until_ms = 0;
    engine_count(r, o, true);
    shelves_schedule(r);
    engine_tell(r, o, ALARM_UNSHELVE, by, comment, at);
}

void shelves_expire(struct rules *r)
{
    int64_t due = deadlines_of(&r->deadlines, ENGINE_SHELVES(r));

    for (uint32_t i = r->alarms.oldest; i != ALARMS_NONE; i = r->alarms.pool[i].next) {
        struct occurrence *o = &r->alarms.pool[i];

        if (o->alarm.shelved && o->shelved_until_ms <= due)
            shelves_end(r, o, NULL, NULL, (struct moment){o->shelved_until_ms, o->alarm.shelved_until_ms});
    }
    shelves_schedule(r);
}

void shelves_start(struct rules *r, struct occurrence *o, struct moment now)
{
    int64_t left = o->alarm.shelved_until_ms - now.wall_ms;

    if (left > rules_shelve_max_ms(r->site)) {
        left = rules_shelve_max_ms(r->site);
        o->alarm.shelved_until_ms = now.wall_ms + left;
    }
    o->shelved_until_ms = now.mono_ms + left;
    if (left > 0)
        shelves_schedule(r);
    else
        shelves_end(r, o, NULL, NULL, now);
}

void shelves_inherit(struct rules *r, struct occurrence *o, const struct occurrence *old)
{
    int64_t latest = r->figures.since.mono_ms + rules_shelve_max_ms(r->site);

    if (!o->alarm.shelved || !old->alarm.shelved || strcmp(o->alarm.id, old->alarm.id) != 0 ||
        old->shelved_until_ms > latest)
        return;
    o->shelved_until_ms = old->shelved_until_ms;
    o->alarm.shelved_until_ms = old->alarm.shelved_until_ms;
    shelves_schedule(r);
}
