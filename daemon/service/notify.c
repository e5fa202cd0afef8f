#include "service/notify.h"

#include <systemd/sd-daemon.h>

enum rg_err notify_send(const char *state)
{
    int sent = sd_notify(0, state);

    if (sent > 0)
        return RG_OK;
    return sent == 0 ? RG_ESTATE : RG_EIO;
}
