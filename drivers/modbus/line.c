#include "drivers/modbus/line.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define DRAIN_MAX 65536u
#define FLUSH_LOOK_US 1000

/* Keep-alive: the first probe after 10 s of quiet, then every 5 s, given up after 3: a dead peer is
 * noticed in 25 s. Data that stays unacknowledged breaks the connection after the same time (the kernel's
 * default is a quarter of an hour). */
#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_COUNT 3
#define UNACKED_MS 25000

static enum line_event wait_for(int fd, short events, int cancel_fd, int64_t until_us)
{
    struct pollfd fds[2] = {{.fd = cancel_fd, .events = POLLIN}, {.fd = fd, .events = events}};

    for (;;) {
        const int64_t left = until_us - clock_mono_us();
        const struct timespec ts = {.tv_sec = left > 0 ? left / 1000000 : 0,
                                    .tv_nsec = left > 0 ? (long)(left % 1000000) * 1000 : 0};
        const int n = ppoll(fds, 2, &ts, NULL);

        if (n > 0 && fds[0].revents)
            return LINE_CANCELLED;
        if (n > 0)
            return LINE_READY;
        if (n == 0 && left <= 0)
            return LINE_TIMEOUT;
        if (n < 0 && errno != EINTR && left <= 0)
            return LINE_TIMEOUT;
    }
}

enum line_event line_wait(int fd, int cancel_fd, int64_t until_us)
{
    return wait_for(fd, POLLIN, cancel_fd, until_us);
}

int line_take(int fd, uint8_t *out, size_t size, size_t *bytes)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n;

    *bytes = 0;
    /* 0 is "nothing there" from a raw tty and "closed" from a socket: read only what poll announces. */
    if (poll(&p, 1, 0) <= 0)
        return 0;
    if (p.revents & POLLNVAL)
        return EBADF;
    n = read(fd, out, size);
    if (n == 0)
        return ECONNRESET;
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return errno;
    if (n > 0)
        *bytes = (size_t)n;
    else if (!(p.revents & POLLIN))
        return EIO; /* hung up, though a read does not say so */
    return 0;
}

int line_receive(int fd, uint8_t *out, size_t size, int flags, size_t *bytes)
{
    const ssize_t n = recv(fd, out, size, flags | MSG_DONTWAIT);

    *bytes = n > 0 ? (size_t)n : 0;
    if (n == 0)
        return ECONNRESET;
    return n < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
}

int line_drain(int fd, size_t *bytes)
{
    uint8_t sink[1024];
    size_t n = 0;

    *bytes = 0;
    while (*bytes < DRAIN_MAX) {
        const int err = line_take(fd, sink, sizeof sink, &n);

        if (err != 0 || n == 0)
            return err;
        *bytes += n;
    }
    return 0;
}

int line_hung_up(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    int err = 0;
    socklen_t length = sizeof err;

    if (poll(&p, 1, 0) <= 0)
        return 0;
    if (p.revents & POLLNVAL)
        return EBADF;
    if ((p.revents & POLLERR) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &length) == 0 && err != 0)
        return err;
    return ECONNRESET;
}

int line_flush(int fd, int cancel_fd, int64_t until_us)
{
    int waiting = 0;

    /* tcdrain by itself has no bound: an adapter that has stopped working keeps its bytes for ever. Once the
     * driver's queue is empty only the port's own few bytes are left, and for those the kernel has one. */
    for (;;) {
        const int64_t now = clock_mono_us();

        if (ioctl(fd, TIOCOUTQ, &waiting) < 0)
            return errno;
        if (waiting == 0)
            break;
        if (now >= until_us)
            return ETIME;
        if (line_wait(-1, cancel_fd, now + FLUSH_LOOK_US) == LINE_CANCELLED)
            return ECANCELED;
    }
    while (tcdrain(fd) < 0) {
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

/* Options that help but whose lack breaks nothing. */
static void socket_tune(int fd)
{
    const int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S, count = KEEPALIVE_COUNT;
    const unsigned unacked = UNACKED_MS;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof unacked);
}

static int connect_one(const struct addrinfo *ai, int cancel_fd, int64_t until_us, int *out)
{
    const int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
    int err = 0;
    socklen_t length = sizeof err;

    if (fd < 0)
        return errno;
    socket_tune(fd);
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
        err = errno;
        if (err == EINPROGRESS) {
            switch (wait_for(fd, POLLOUT, cancel_fd, until_us)) {
            case LINE_READY:
                if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &length) < 0)
                    err = errno;
                break;
            case LINE_TIMEOUT:
                err = ETIMEDOUT;
                break;
            case LINE_CANCELLED:
                err = ECANCELED;
                break;
            }
        }
    }
    if (err) {
        (void)close(fd);
        return err;
    }
    *out = fd;
    return 0;
}

int line_connect(const char *host, uint16_t port, int cancel_fd, int64_t timeout_us, struct lookup **pending,
                 int *fd, const char **why)
{
    const int64_t until_us = clock_mono_us() + timeout_us;
    struct addrinfo *list = NULL;
    int left = 0;
    int err = lookup_host(host, port, cancel_fd, until_us, pending, &list, why);

    if (err != 0)
        return err;
    err = EHOSTUNREACH;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
        left++;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next, left--) {
        const int64_t now = clock_mono_us();

        /* Each address gets its share, so that one that swallows packets leaves time for the next. */
        err = connect_one(ai, cancel_fd, now + (until_us - now) / left, fd);
        if (err == 0 || err == ECANCELED || clock_mono_us() >= until_us)
            break;
    }
    freeaddrinfo(list);
    return err;
}
