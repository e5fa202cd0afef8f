#include "app/door.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define GROUPS_MAX 256 /* of the daemon's own user; a service has a handful */

bool door_only_reads(const char *command)
{
    static const char *const reading[] = {"status", "alarms",  "points", "risk",   "outputs",
                                          "bus",    "explain", "report", "config", "metrics"};

    for (size_t i = 0; i < RG_COUNT(reading); i++) {
        if (strcmp(command, reading[i]) == 0)
            return true;
    }
    return false;
}

static bool may_give_to(gid_t group)
{
    gid_t groups[GROUPS_MAX];
    int count;

    if (geteuid() == 0 || group == getegid())
        return true;
    count = getgroups(GROUPS_MAX, groups);
    for (int i = 0; i < count; i++) {
        if (groups[i] == group)
            return true;
    }
    return false;
}

bool door_rights(const struct site *site, struct control_rights *out, char *why, size_t why_size)
{
    const struct site_door *group = &site->control_group, *act = &site->control_act_group;

    *out = control_rights_open;
    if ((group->name && group->gid == SITE_NO_GROUP) || (act->name && act->gid == SITE_NO_GROUP)) {
        (void)text_format(why, why_size, "control: there is no group %s on this machine",
                          group->name && group->gid == SITE_NO_GROUP ? group->name : act->name);
        return false;
    }
    if (group->name && !may_give_to((gid_t)group->gid)) {
        (void)text_format(
            why, why_size,
            "control: the daemon's user is no member of the group %s and cannot give it the socket",
            group->name);
        return false;
    }
    if (group->name)
        out->group = group->gid;
    if (act->name)
        out->act_group = act->gid;
    return true;
}

bool door_lets(struct door *door, const struct site *site, const struct control_call *call, uint32_t uid,
               const char *command, int64_t now_ms, char *error, size_t error_size)
{
    uint32_t before = 0, times = 0;

    if (door_only_reads(command) || control_may_act(call))
        return true;
    (void)text_format(error, error_size, "you may ask, but not act: that takes a member of the group %s",
                      site->control_act_group.name ? site->control_act_group.name : "that may act");
    /* What was long ago is forgotten, but how often it was. */
    (void)fault_look(&door->refused, now_ms, &before);
    if (fault_begin(&door->refused, now_ms, &times) != FAULT_NOTHING)
        log_warning("control: user id %u may not act: %.32s refused (%u more since the last time)", uid,
                    command, before + times);
    (void)fault_end(&door->refused, now_ms); /* each is over at once; the next one is the same again */
    return false;
}
