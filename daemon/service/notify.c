#include "service/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

int64_t notify_watchdog_ms(void)
{
    uint64_t usec = 0;

    return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 1000) : 0;
}

/* A path, or with '@' in the place of its first byte, which is 0, a name that no folder has (unix(7)). 0: neither. */
static socklen_t address_of(const char *name, struct sockaddr_un *out)
{
    const size_t length = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || length >= sizeof out->sun_path)
        return 0;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, name, length);
    if (name[0] == '@')
        out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

enum rg_err notify_send(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t size;
    ssize_t sent;
    int fd, why;

    if (!name || !name[0])
        return RG_ESTATE;
    size = address_of(name, &address);
    if (size == 0)
        return RG_EIO;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return RG_EAGAIN; /* no descriptor or no memory, now */
    sent = sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&address,
                  size);
    why = errno;
    (void)close(fd);
    if (sent >= 0)
        return RG_OK;
    return why == EAGAIN || why == ENOBUFS || why == ENOMEM || why == EINTR ? RG_EAGAIN : RG_EIO;
}
