/* What the service manager is told: systemd's protocol of notification (sd_notify(3)). Where nobody listens ($NOTIFY_SOCKET is not
 * set) nothing is sent and nothing is wrong. Nothing here waits: sd_notify(3) itself does, as soon as a manager that does not read has some ten
 * messages before it (net.unix.max_dgram_qlen), and would hold up polls and alarms for as long. */
#ifndef RG_SERVICE_NOTIFY_H
#define RG_SERVICE_NOTIFY_H

#include <stdint.h>

#include "base/error.h"

/* state: assignments, each on its own line: "READY=1\nSTATUS=...". RG_ESTATE: nobody listens; RG_EAGAIN: there is no room for it now, say it
 * again; RG_EIO: it could not be sent, and will not be. Any thread. */
enum rg_err notify_send(const char *state);
/* How often the manager wants to hear WATCHDOG=1, ms; 0: it does not watch this process. */
int64_t notify_watchdog_ms(void);

#endif
