#include "model/alarm.h"

#include <stddef.h>

static const char *const names[] = {
    [ALARM_RAISE] = "raise",       [ALARM_ESCALATE] = "escalate", [ALARM_DEESCALATE] = "deescalate",
    [ALARM_CLEAR] = "clear",       [ALARM_ACK] = "ack",           [ALARM_SHELVE] = "shelve",
    [ALARM_UNSHELVE] = "unshelve", [ALARM_SUPPRESS] = "suppress", [ALARM_UNSUPPRESS] = "unsuppress",
};

const char *alarm_event_name(enum alarm_event event)
{
    return (size_t)event < RG_COUNT(names) ? names[event] : "?";
}
