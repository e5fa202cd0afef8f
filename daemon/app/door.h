/* Who may use the control socket, and for what: `control.group` and `control.act_group` of the configuration. */
#ifndef RG_APP_DOOR_H
#define RG_APP_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "control/control.h"
#include "model/site.h"

struct door {
    struct fault refused; /* acting, to those who may only read */
};

/* False, with *why: a group is not there, or the daemon's user may not give files to it (it is neither root nor a member). */
bool door_rights(const struct site *site, struct control_rights *out, char *why, size_t why_size);
/* Commands that only tell. Whatever is not known to be one of them acts: `raw` does, as it takes a line's time. */
bool door_only_reads(const char *command);
/* Whether the peer may have this carried out; if not, error says what it takes, and the log tells, damped. */
bool door_lets(struct door *door, const struct site *site, const struct control_call *call, uint32_t uid,
               const char *command, int64_t now_ms, char *error, size_t error_size);

#endif
