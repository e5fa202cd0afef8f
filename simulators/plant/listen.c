#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "plant/plant.h"

#define BACKLOG 64

static void complain(struct listener *listener, const char *what, const char *why)
{
    if (!listener->complained)
        fprintf(stderr, "riskgate-plant: listener %s: %s: %s\n", listener->config->name, what, why);
    listener->complained = true;
}

static void accept_ready(struct plant *plant, struct source *source, uint32_t events)
{
    struct listener *listener = (struct listener *)source;
    (void)events;
    int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        /* EMFILE leaves the connection in the queue; the next wake-up tries again. */
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            complain(listener, "accept", strerror(errno));
        return;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* without it answers are only later */
    listener->counters.accepted++;
    if (link_open(plant, listener, fd) == NULL)
        (void)close(fd);
}

static bool bind_socket(struct listener *listener, const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    memset(&bound, 0, sizeof(bound));
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &length) != 0) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return false;
    }
    /* sin_port and sin6_port lie at the same place. */
    listener->port = ntohs(((const struct sockaddr_in *)(const void *)&bound)->sin_port);
    listener->source.fd = fd;
    return true;
}

static bool open_network(struct plant *plant, struct listener *listener)
{
    char port[8];
    struct addrinfo *addresses = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    (void)snprintf(port, sizeof(port), "%u", listener->port);
    int failed = getaddrinfo(listener->config->host, port, &hints, &addresses);
    if (failed != 0) {
        complain(listener, listener->config->host, gai_strerror(failed));
        return false;
    }
    bool bound = false;
    for (struct addrinfo *address = addresses; address != NULL && !bound; address = address->ai_next)
        bound = bind_socket(listener, address);
    freeaddrinfo(addresses);
    listener->source.ready_cb = accept_ready;
    if (bound && plant_watch(plant, &listener->source, EPOLLIN))
        return true;
    complain(listener, listener->config->host, strerror(errno));
    plant_close(&listener->source);
    return false;
}

/* Puts the link in place in one step; a leftover of an earlier run is replaced, anything else is not. */
static bool place_symlink(const char *target, const char *path)
{
    struct stat status;
    char beside[4096];
    if (lstat(path, &status) == 0 && !S_ISLNK(status.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int length = snprintf(beside, sizeof(beside), "%s.%ld", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof(beside)) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)unlink(beside);
    if (symlink(target, beside) != 0)
        return false;
    if (rename(beside, path) == 0)
        return true;
    int saved = errno;
    (void)unlink(beside);
    errno = saved;
    return false;
}

static bool open_line(struct plant *plant, struct listener *listener)
{
    int master = -1;
    struct termios raw;
    memset(&raw, 0, sizeof(raw));
    cfmakeraw(&raw);
    raw.c_cflag |= CREAD | CLOCAL;
    raw.c_cc[VMIN] = 1;
    (void)cfsetspeed(&raw, B9600);
    if (openpty(&master, &listener->slave, NULL, &raw, NULL) != 0) {
        complain(listener, "openpty", strerror(errno));
        return false;
    }
    struct link *link = NULL;
    if (ttyname_r(listener->slave, listener->slave_name, sizeof(listener->slave_name)) == 0 &&
        fcntl(master, F_SETFL, O_NONBLOCK) == 0 && fcntl(master, F_SETFD, FD_CLOEXEC) == 0 &&
        fcntl(listener->slave, F_SETFD, FD_CLOEXEC) == 0 &&
        place_symlink(listener->slave_name, listener->config->path))
        link = link_open(plant, listener, master);
    if (link != NULL)
        return true;
    complain(listener, listener->config->path, strerror(errno));
    (void)close(master);
    (void)close(listener->slave);
    listener->slave = -1;
    return false;
}

static void release_port(struct listener *listener)
{
    if (listener->held >= 0)
        (void)close(listener->held);
    listener->held = -1;
}

bool listener_open(struct plant *plant, struct listener *listener)
{
    listener->open =
        listener->config->kind == LISTENER_RTU ? open_line(plant, listener) : open_network(plant, listener);
    if (listener->open) {
        listener->complained = false;
        release_port(listener);
    }
    return listener->open;
}

/* Only our own: somebody may have put another in its place. */
static void remove_symlink(const struct listener *listener)
{
    char target[sizeof(listener->slave_name)];
    ssize_t length = readlink(listener->config->path, target, sizeof(target) - 1);
    if (length < 0)
        return;
    target[length] = '\0';
    if (strcmp(target, listener->slave_name) == 0)
        (void)unlink(listener->config->path);
}

void listener_close(struct plant *plant, struct listener *listener)
{
    plant_close(&listener->source);
    while (listener->links != NULL)
        link_close(plant, listener->links);
    if (listener->slave >= 0) {
        remove_symlink(listener);
        (void)close(listener->slave);
        listener->slave = -1;
    }
    release_port(listener);
    listener->open = false;
}

/* As listener_close, but the port stays taken: a socket that is bound to it and does not listen refuses connections as well. */
static void refuse(struct plant *plant, struct listener *listener)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof(bound);
    int on = 1;
    bool known = getsockname(listener->source.fd, (struct sockaddr *)&bound, &length) == 0;

    listener_close(plant, listener);
    if (!known || (listener->held = socket(bound.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return;
    if (setsockopt(listener->held, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(listener->held, (struct sockaddr *)&bound, length) != 0)
        release_port(listener);
}

void listener_update(struct plant *plant, struct listener *listener)
{
    bool refuses = fault_set_refuses(&listener->config->faults, plant_time(plant, timers_now()));
    if (refuses && listener->open && listener->config->kind == LISTENER_RTU)
        listener_close(plant, listener);
    else if (refuses && listener->open)
        refuse(plant, listener);
    else if (!refuses && !listener->open)
        (void)listener_open(plant, listener); /* tried again at the next look */
}
