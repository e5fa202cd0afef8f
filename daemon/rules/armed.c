/* When a rule is armed: its guard and its permit. While it is not, it raises nothing and delays do not run; an alarm that
 * stands is suppressed: it stays as it is and counts for nothing. */
#include <stdlib.h>

#include "base/text.h"
#include "rules/engine.h"

static uint32_t rule_of(const struct rules *r, uint32_t owner)
{
    uint32_t index;

    return engine_kind(r, owner, &index) == OWNER_VOTE ? r->votes[index].rule : watched_rule(r, index);
}

/* Of owners that a guard or a permit can disarm: watched slots and votes. NULL: of others, and of a slot at rest, which is armed. */
static uint8_t *disarmed(struct rules *r, uint32_t owner)
{
    struct watched *w;
    uint32_t index;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        w = watched_state(r, index);
        return w ? &w->disarmed : NULL;
    case OWNER_VOTE:
        return &r->votes[index].disarmed;
    case OWNER_DEVICE:
    case OWNER_OUTPUT:
    case OWNER_UPLINK:
    case OWNER_DOUBT:
        break;
    }
    return NULL;
}

/* The same of one that may be at rest. */
static uint8_t *wake(struct rules *r, uint32_t owner)
{
    uint32_t index;

    if (engine_kind(r, owner, &index) == OWNER_WATCHED)
        (void)watched_wake(r, index);
    return disarmed(r, owner);
}

static size_t pair_permits(const struct rules *r, struct depend_pair *pairs)
{
    size_t count = 0;

    for (uint32_t i = 0; i < r->watched_count; i++) {
        const struct site_rule *rule = &r->site->rules[watched_rule(r, i)];

        if (!rule->has_permit || (rule->vote_need > 0 && watched_place(r, i) > 0))
            continue;
        if (pairs)
            pairs[count] = (struct depend_pair){rule->permit, engine_slot_owner(r, i)};
        count++;
    }
    return count;
}

enum rg_err armed_create(struct rules *r)
{
    size_t count = pair_permits(r, NULL);
    struct depend_pair *pairs = calloc(count + 1, sizeof *pairs);
    enum rg_err err = RG_ENOMEM;

    r->permits = calloc(r->site->permit_count + 1, sizeof *r->permits);
    if (pairs && r->permits) {
        (void)pair_permits(r, pairs);
        err = depend_create(&r->permitted, (uint32_t)r->site->permit_count, pairs, count);
    }
    free(pairs);
    if (err != RG_OK)
        return err;
    for (size_t i = 0; i < r->site->permit_count; i++)
        r->permits[i].until_ms = INT64_MIN;
    for (uint32_t i = 0; i < r->permitted.count; i++)
        *wake(r, r->permitted.who[i]) |= ENGINE_PERMIT;
    return RG_OK;
}

void armed_destroy(struct rules *r)
{
    free(r->permits);
    depend_destroy(&r->permitted);
}

/* Suppresses the alarm of an owner, or lets it count again. why: for people; 0: nothing is left that could. */
static void suppress(struct rules *r, struct occurrence *o, bool off, unsigned why, struct moment at)
{
    const struct site_rule *rule = &r->site->rules[rule_of(r, o->owner)];
    const char *name = "";
    uint32_t index;
    char comment[POINT_NAME_MAX + 32];

    if ((why & ENGINE_PERMIT) != 0 && rule->has_permit)
        name = r->site->permits[rule->permit].name;
    else if (rule->guard.points)
        name = r->site
                   ->points[rule->guard.points[engine_kind(r, o->owner, &index) == OWNER_WATCHED
                                                   ? watched_place(r, index)
                                                   : 0]]
                   .full_name;
    /* Both names have their bound. */
    (void)text_format(comment, sizeof comment, "%s %s", (why & ENGINE_PERMIT) != 0 ? "permit" : "guard",
                      name);
    o->alarm.suppressed = off;
    engine_count(r, o, !o->alarm.acked);
    engine_tell(r, o, off ? ALARM_SUPPRESS : ALARM_UNSUPPRESS, NULL, name[0] ? comment : NULL, at);
}

/* What the alarm of an owner is now: a latch that nobody has acknowledged is not silenced by its guard or permit. */
static void settle(struct rules *r, struct occurrence *o, unsigned bits, unsigned why, struct moment at)
{
    const struct slot_rule *rule;
    const struct slot *slot = engine_slot(r, o->owner, &rule);
    bool off = bits != 0 && !(slot && slot_is_latched(slot, rule));

    if (o->alarm.suppressed != off)
        suppress(r, o, off, why, at);
}

void armed_set(struct rules *r, uint32_t owner, unsigned why, bool holds, struct moment at)
{
    uint8_t *bits = disarmed(r, owner);
    const struct slot_rule *rule;
    struct slot *slot;
    bool off;

    if (holds == (!bits || (*bits & why) == 0))
        return;
    bits = wake(r, owner);
    slot = engine_slot(r, owner, &rule);
    if (!bits || !slot)
        return;
    off = *bits != 0;
    *bits ^= (uint8_t)why;
    if (!r->started || off == (*bits != 0))
        return;
    slot_halt(slot, at);
    engine_schedule(r, owner);
    if (engine_open(r, owner) != ALARMS_NONE)
        settle(r, &r->alarms.pool[engine_open(r, owner)], *bits, why, slot->last);
}

void armed_acked(struct rules *r, uint32_t owner, struct moment now)
{
    const uint8_t *bits = disarmed(r, owner);

    if (bits && *bits != 0 && engine_open(r, owner) != ALARMS_NONE)
        settle(r, &r->alarms.pool[engine_open(r, owner)], *bits, *bits, now);
}

void armed_restore(struct rules *r, uint32_t owner, const struct alarm *alarm)
{
    uint8_t *bits = disarmed(r, owner);

    if (bits && alarm->suppressed && r->site->rules[rule_of(r, owner)].guard.points)
        *bits |= ENGINE_GUARD;
}

void armed_start(struct rules *r, struct occurrence *o, struct moment now)
{
    const uint8_t *bits = disarmed(r, o->owner);

    if (bits)
        settle(r, o, *bits, *bits ? *bits : ENGINE_PERMIT, now);
}

static void set_permit(struct rules *r, uint32_t permit, int64_t until_ms, struct moment at)
{
    r->permits[permit] = (struct permit){until_ms, at};
    deadlines_set(&r->deadlines, ENGINE_PERMITS(r) + permit, until_ms == INT64_MIN ? INT64_MAX : until_ms);
    for (uint32_t i = r->permitted.first[permit]; i < r->permitted.first[permit + 1]; i++)
        armed_set(r, r->permitted.who[i], ENGINE_PERMIT, until_ms != INT64_MIN, at);
}

void armed_expire(struct rules *r, uint32_t permit)
{
    const struct permit *p = &r->permits[permit];

    set_permit(r, permit, INT64_MIN,
               (struct moment){p->until_ms, p->opened.wall_ms + (p->until_ms - p->opened.mono_ms)});
}

void rules_permit(struct rules *r, uint32_t permit, int64_t until_mono_ms, struct moment now)
{
    if (permit >= r->site->permit_count)
        return;
    rules_tick(r, now);
    set_permit(r, permit, until_mono_ms > now.mono_ms ? until_mono_ms : INT64_MIN, now);
}

int64_t rules_permit_until(const struct rules *r, uint32_t permit)
{
    return permit < r->site->permit_count ? r->permits[permit].until_ms : INT64_MIN;
}
