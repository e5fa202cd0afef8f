/* The journal by its native protocol (sd_journal_sendv(3)): a line, and what it is about in fields of its own, so that
 * `journalctl RISKGATE_DEVICE=gas-1` finds all of one device. */
#ifndef RG_SERVICE_JOURNAL_H
#define RG_SERVICE_JOURNAL_H

#include "base/log.h"

/* Whether its socket can be written to from here. */
bool journal_is_there(void);
/* A log_sink_cb. Fields: MESSAGE, PRIORITY, MESSAGE_ID and RISKGATE_BUS, _DEVICE, _POINT, _RULE, _AREA, _ALARM, _OUTPUT,
 * _UPLINK as far as known. Any thread. */
bool journal_send(int priority, const struct log_about *about, const char *text);

#endif
