/* A Modbus device for the tests of link: a thread behind a socket or a pty, answering as the test decides. */
#ifndef RG_TESTS_UNIT_MODBUS_PEER_H
#define RG_TESTS_UNIT_MODBUS_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/modbus/link.h"
#include "drivers/modbus/modbus_driver.h"

#define LOADED_MS 1200  /* one that may run out, but not because the machine is busy */
#define QUICK_MS 80     /* a time-out that is meant to run out */
#define PATIENT_MS 5000 /* one that is not */
#define MUTE_UNIT 13

/* A device of its own on the other side of a socket or a pty. Its answer to the nth request is the
 * registers n * 100, n * 100 + 1, ...: so it can be seen which request a value answers. */
struct request {
    uint16_t transaction;
    uint8_t unit, function;
    uint16_t address, count; /* functions 5 and 6: count is the value */
    unsigned nth;
    uint8_t written[250]; /* functions 15 and 16: its bytes */
    size_t written_bytes;
};

struct peer;
typedef void serve_cb(struct peer *p, const struct request *r);

struct peer {
    enum bus_kind kind;
    serve_cb *serve;
    int listen_fd, fd, stop_fd;
    struct site_bus bus;
    char path[64]; /* of the pty's slave, by a link that outlives it */
    pthread_t thread;
    atomic_uint requests, connections, drops;
    atomic_llong asked_us;    /* when the last request came */
    atomic_llong answered_us; /* when the last answer had been written */
    struct request kept;      /* the serving thread's */
    atomic_uint late;         /* transaction of a request kept for the test's own thread, + 1; 0: none yet */
    bool has_kept;
    /* The line gives back what is sent on it: at once, spoilt, or one request late. Set before the thread runs or while
     * nothing is asked. */
    _Atomic enum peer_echo { ECHO_NONE, ECHO_TRUE, ECHO_SPOILT, ECHO_LATE } echo;
    uint8_t held[300]; /* ECHO_LATE */
    size_t held_bytes;
    struct rg_random random;
};

static inline uint16_t crc16(const uint8_t *data, size_t length)
{
    uint16_t crc = 0xFFFF;

    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++)
            crc = (uint16_t)(crc & 1 ? (crc >> 1) ^ 0xA001 : crc >> 1);
    }
    return crc;
}

static inline void put(struct peer *p, const uint8_t *bytes, size_t length)
{
    ssize_t n;

    /* Before the write: the client may see the bytes before this thread runs on. */
    atomic_store(&p->answered_us, clock_mono_us());
    n = p->kind == BUS_RTU ? write(p->fd, bytes, length) : send(p->fd, bytes, length, MSG_NOSIGNAL);
    (void)n; /* a client that has gone away is seen by the client's side of the test */
}

/* Frames a body (unit, function, ...) for the peer's kind into out; returns its length. */
static inline size_t frame(const struct peer *p, uint16_t transaction, const uint8_t *body, size_t length,
                           uint8_t *out)
{
    if (p->kind == BUS_TCP) {
        const uint8_t header[6] = {(uint8_t)(transaction >> 8), (uint8_t)transaction, 0, 0,
                                   (uint8_t)(length >> 8),      (uint8_t)length};

        memcpy(out, header, 6);
        memcpy(out + 6, body, length);
        return length + 6;
    }
    const uint16_t crc = crc16(body, length);

    memcpy(out, body, length);
    out[length] = (uint8_t)crc;
    out[length + 1] = (uint8_t)(crc >> 8);
    return length + 2;
}

static inline size_t body_of(const struct request *r, uint8_t *body)
{
    if (r->function > 4) { /* a write's answer repeats the request's beginning */
        const uint8_t echo[6] = {r->unit,
                                 r->function,
                                 (uint8_t)(r->address >> 8),
                                 (uint8_t)r->address,
                                 (uint8_t)(r->count >> 8),
                                 (uint8_t)r->count};

        memcpy(body, echo, sizeof echo);
        return sizeof echo;
    }
    const size_t bytes = r->function <= 2 ? (r->count + 7u) / 8u : 2u * r->count;

    body[0] = r->unit;
    body[1] = r->function;
    body[2] = (uint8_t)bytes;
    for (size_t i = 0; i < bytes; i++) {
        const unsigned v = r->nth * 100 + (unsigned)i / 2;

        body[3 + i] = (uint8_t)(r->function <= 2 ? 0xA5 : i % 2 ? v : v >> 8);
    }
    return 3 + bytes;
}

static inline void answer(struct peer *p, const struct request *r)
{
    uint8_t body[256], out[300];

    put(p, out, frame(p, r->transaction, body, body_of(r, body), out));
}

static inline void refuse(struct peer *p, const struct request *r, uint8_t code)
{
    const uint8_t body[3] = {r->unit, (uint8_t)(r->function | 0x80), code};
    uint8_t out[16];

    put(p, out, frame(p, r->transaction, body, 3, out));
}

static inline void peer_drop(struct peer *p, bool reset)
{
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};

    if (p->fd < 0)
        return;
    if (reset)
        (void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)close(p->fd);
    p->fd = -1;
    (void)atomic_fetch_add(&p->drops, 1);
}

/* Bytes of the request that begins like this. */
static inline size_t request_bytes(const struct peer *p, const uint8_t *buffer, size_t have)
{
    const size_t before = p->kind == BUS_TCP ? 6 : 0, after = p->kind == BUS_TCP ? 0 : 2;
    const uint8_t *b = buffer + before;

    if (have < before + 7 || (b[1] != 15 && b[1] != 16))
        return before + (have > before + 1 && (b[1] == 15 || b[1] == 16) ? 7 : 6) + after;
    return before + 7 + b[6] + after;
}

static inline void peer_echo(struct peer *p, const uint8_t *bytes, size_t length)
{
    uint8_t back[300];

    memcpy(back, bytes, length);
    switch (atomic_load(&p->echo)) {
    case ECHO_NONE:
        break;
    case ECHO_SPOILT:
        back[length / 2] ^= 0x10;
        put(p, back, length);
        break;
    case ECHO_LATE:
        put(p, p->held, p->held_bytes);
        if (p->held_bytes > 0)
            put(p, back, length);
        memcpy(p->held, back, length);
        p->held_bytes = length;
        break;
    case ECHO_TRUE:
        put(p, back, length);
        break;
    }
}

static inline void peer_read(struct peer *p, uint8_t buffer[300], size_t *have)
{
    const ssize_t n = read(p->fd, buffer + *have, request_bytes(p, buffer, *have) - *have);

    if (n <= 0) {
        if (p->kind != BUS_RTU)
            peer_drop(p, false);
        *have = 0;
        return;
    }
    *have += (size_t)n;
    if (*have < request_bytes(p, buffer, *have))
        return;
    peer_echo(p, buffer, *have);
    const uint8_t *b = p->kind == BUS_TCP ? buffer + 6 : buffer;
    struct request r = {.transaction = (uint16_t)(buffer[0] << 8 | buffer[1]),
                        .unit = b[0],
                        .function = b[1],
                        .address = (uint16_t)(b[2] << 8 | b[3]),
                        .count = (uint16_t)(b[4] << 8 | b[5]),
                        .nth = atomic_fetch_add(&p->requests, 1) + 1};

    if (r.function > 6 && b[6] <= sizeof r.written) {
        r.written_bytes = b[6];
        memcpy(r.written, b + 7, b[6]);
    }
    *have = 0;
    atomic_store(&p->asked_us, clock_mono_us());
    p->serve(p, &r);
}

static inline void *peer_run(void *arg)
{
    struct peer *p = arg;
    uint8_t buffer[300];
    size_t have = 0;

    for (;;) {
        struct pollfd fds[3] = {{p->stop_fd, POLLIN, 0}, {p->fd, POLLIN, 0}, {p->listen_fd, POLLIN, 0}};

        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[0].revents)
            return NULL;
        if (fds[1].revents & POLLIN) {
            peer_read(p, buffer, &have);
        } else if (fds[1].revents) { /* a pty whose other side is closed reports so all the time */
            if (p->kind != BUS_RTU)
                peer_drop(p, false);
            else
                (void)poll(NULL, 0, 1);
            have = 0;
        }
        if (fds[2].revents & POLLIN) {
            peer_drop(p, false);
            p->fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
            (void)atomic_fetch_add(&p->connections, 1);
            have = 0;
        }
    }
}

static inline int listen_local(uint16_t *port, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline void open_pty(struct peer *p)
{
    struct termios raw;

    p->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(p->fd >= 0);
    assert_int_equal(grantpt(p->fd), 0);
    assert_int_equal(unlockpt(p->fd), 0);
    assert_int_equal(tcgetattr(p->fd, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(p->fd, TCSANOW, &raw), 0);
    (void)unlink(p->path);
    assert_int_equal(symlink(ptsname(p->fd), p->path), 0);
}

static inline void peer_start_seeded(struct peer *p, enum bus_kind kind, serve_cb *serve, uint64_t seed)
{
    memset(p, 0, sizeof *p);
    random_seed(&p->random, seed);
    p->kind = kind;
    p->serve = serve;
    p->listen_fd = p->fd = -1;
    p->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(p->stop_fd >= 0);
    p->bus =
        (struct site_bus){.name = "bus", .kind = kind, .baud = kind == BUS_TCP ? 0 : 115200, .stop_bits = 1};
    if (kind == BUS_RTU) {
        (void)snprintf(p->path, sizeof p->path, "modbus_peer.%d.tty", (int)getpid());
        open_pty(p);
        p->bus.path = p->path;
    } else {
        p->bus.host = "127.0.0.1";
        p->listen_fd = listen_local(&p->bus.port, 8);
    }
    assert_int_equal(pthread_create(&p->thread, NULL, peer_run, p), 0);
}

static inline void peer_halt(struct peer *p)
{
    const uint64_t one = 1;

    assert_int_equal(write(p->stop_fd, &one, sizeof one), sizeof one);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
}

/* After peer_halt. */
static inline void peer_close(struct peer *p)
{
    peer_drop(p, false);
    if (p->listen_fd >= 0)
        (void)close(p->listen_fd);
    (void)close(p->stop_fd);
    if (p->path[0])
        (void)unlink(p->path);
}

static inline void peer_stop(struct peer *p)
{
    peer_halt(p);
    peer_close(p);
}

static inline void peer_start(struct peer *p, enum bus_kind kind, serve_cb *serve)
{
    peer_start_seeded(p, kind, serve, 0);
}

/* The peer has got so many requests, and no more: it may be behind where the link did not wait for it. */
static inline void expect_requests(const struct peer *p, unsigned count)
{
    while (atomic_load(&p->requests) < count)
        (void)poll(NULL, 0, 1);
    assert_int_equal(atomic_load(&p->requests), count);
}

static inline struct driver_link *link_for(const struct peer *p)
{
    struct driver_link *l = NULL;

    assert_int_equal(modbus_driver.link_create(&p->bus, &l), RG_OK);
    return l;
}

static const struct ask four = {.unit = 1, .function = 3, .address = 10, .count = 4, .limit = 125};
static const struct ask one_only = {.unit = 1, .function = 3, .address = 10, .count = 1, .limit = 1};

static inline struct link_answer ask_for(struct driver_link *l, const struct ask *ask, int64_t timeout_ms)
{
    struct link_answer a;

    link_ask(l, ask, timeout_ms, &a);
    if (a.result == DRIVER_OK)
        assert_int_equal(a.length, ask_data_bytes(ask));
    else
        assert_int_equal(a.length, 0);
    assert_true(a.result == DRIVER_OK ? a.detail[0] == '\0' : a.detail[0] != '\0');
    return a;
}

static inline void expect_result(const struct link_answer *a, enum driver_result result)
{
    if (a->result != result)
        fail_msg("%s (%s) instead of %s", driver_result_name(a->result), a->detail,
                 driver_result_name(result));
}

/* OK, and the values are those of the very last request that the peer got. */
static inline void expect_fresh(const struct link_answer *a, struct peer *p)
{
    expect_result(a, DRIVER_OK);
    assert_int_equal((a->data[0] << 8 | a->data[1]), (atomic_load(&p->requests) * 100) & 0xffff);
}

static const enum bus_kind kinds[] = {BUS_TCP, BUS_RTU, BUS_RTU_OVER_TCP};

#endif
