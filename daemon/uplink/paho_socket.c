#include "uplink/paho_socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Whatever the descriptor is: nothing but a connection has a peer of these families. */
static bool goes_to(int fd, uint16_t port)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(peer);

    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return false;
    if (peer.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&peer)->sin_port) == port;
    return peer.ss_family == AF_INET6 && ntohs(((const struct sockaddr_in6 *)&peer)->sin6_port) == port;
}

static bool no_delay(int fd)
{
    const int yes = 1;
    int now = 0;
    socklen_t size = sizeof(now);

    return getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, &size) == 0 && now == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == 0;
}

size_t paho_socket_no_delay(uint16_t port)
{
    DIR *own = opendir("/proc/self/fd");
    const struct dirent *entry;
    size_t changed = 0;

    if (!own)
        return 0;
    while ((entry = readdir(own)) != NULL) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (end != entry->d_name && goes_to((int)fd, port) && no_delay((int)fd))
            changed++;
    }
    (void)closedir(own);
    return changed;
}
