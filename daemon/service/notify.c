#include "service/notify.h"

#include <systemd/sd-daemon.h>

int64_t notify_watchdog_ms(void)
{
    uint64_t usec = 0;

    return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 1000) : 0;
}

enum rg_err notify_send(const char *state)
{
    int sent = sd_notify(0, state);

    if (sent > 0)
        return RG_OK;
    return sent == 0 ? RG_ESTATE : RG_EIO;
}
