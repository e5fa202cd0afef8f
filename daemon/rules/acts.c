/* What people do to alarms: acknowledge, shelve, take off the shelf. */
#include "rules/engine.h"

/* The active occurrence that a person acts on, after the deadlines up to now: what should have cleared by then cannot be acted
 * on any more. */
static enum rg_err find(struct rules *r, const char *alarm, const char *by, const char *comment,
                        struct moment now, struct occurrence **out)
{
    uint32_t index;

    rules_tick(r, now);
    if (!r->started)
        return RG_ESTATE;
    index = alarms_find(&r->alarms, alarm);
    if (index == ALARMS_NONE)
        return RG_ENOTFOUND;
    *out = &r->alarms.pool[index];
    return alarms_who(by, comment);
}

/* A latch that held an alarm lets go. */
static void unlatch(struct rules *r, uint32_t owner, struct moment now)
{
    const struct slot_rule *rule;
    struct slot *slot = engine_slot(r, owner, &rule);
    struct level_move move;

    if (!slot)
        return; /* silences, faults and doubts do not latch */
    if (slot_ack(slot, rule, now, &move))
        engine_carry_out(r, owner, &move);
    engine_schedule(r, owner);
}

enum rg_err rules_ack(struct rules *r, const char *alarm, const char *by, const char *comment,
                      struct moment now)
{
    struct occurrence *o = NULL;
    enum rg_err err = find(r, alarm, by, comment, now, &o);
    uint32_t owner;

    if (err == RG_OK)
        err = alarms_ack(o, by, now);
    if (err != RG_OK)
        return err;
    owner = o->owner; /* the occurrence may clear */
    engine_tell(r, o, ALARM_ACK, o->alarm.acked_by, comment, now);
    unlatch(r, owner, now);
    armed_acked(r, owner, now);
    return RG_OK;
}

enum rg_err rules_shelve(struct rules *r, const char *alarm, int64_t for_ms, const char *by,
                         const char *comment, struct moment now)
{
    struct occurrence *o = NULL;
    enum rg_err err = find(r, alarm, by, comment, now, &o);

    if (err != RG_OK)
        return err;
    if (for_ms < 1 || for_ms > rules_shelve_max_ms(r->site))
        return RG_ERANGE;
    if (o->alarm.shelved)
        return RG_EEXIST;
    o->alarm.shelved = true;
    o->alarm.shelved_until_ms = now.wall_ms + for_ms;
    o->shelved_until_ms = now.mono_ms + for_ms;
    engine_count(r, o, true);
    shelves_schedule(r);
    engine_tell(r, o, ALARM_SHELVE, by, comment, now);
    return RG_OK;
}

enum rg_err rules_unshelve(struct rules *r, const char *alarm, const char *by, const char *comment,
                           struct moment now)
{
    struct occurrence *o = NULL;
    enum rg_err err = find(r, alarm, by, comment, now, &o);

    if (err != RG_OK)
        return err;
    if (!o->alarm.shelved)
        return RG_EEXIST;
    shelves_end(r, o, by, comment, now);
    return RG_OK;
}
