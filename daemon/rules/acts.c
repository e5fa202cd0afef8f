/* What people do with an alarm. */
#include "rules/engine.h"

enum rg_err rules_ack(struct rules *r, const char *alarm, const char *by, const char *comment,
                      struct moment now)
{
    struct alarm_change change;
    struct occurrence *o;
    uint32_t index;
    enum rg_err err;

    rules_tick(r, now); /* what should have cleared by now can no longer be acknowledged */
    if (!r->started)
        return RG_ESTATE;
    index = alarms_find(&r->alarms, alarm);
    if (index == ALARMS_NONE)
        return RG_ENOTFOUND;
    o = &r->alarms.pool[index];
    err = alarms_ack(o, by, comment, now);
    if (err != RG_OK)
        return err;
    change = engine_describe(r, o->owner, &o->alarm);
    change.event = ALARM_ACK;
    change.at = now;
    change.was = o->alarm.level;
    change.by = o->alarm.acked_by;
    change.comment = comment;
    r->cb(r->arg, &change);
    return RG_OK;
}
