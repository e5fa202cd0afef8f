/* A broker that the test plays itself, for test_uplink_paho.c and test_uplink_paho_in.c: what it says, and when, is up to the test. */
#ifndef RG_TESTS_PAHO_PLAYED_H
#define RG_TESTS_PAHO_PLAYED_H

#include "paho_rig.h"

struct played {
    int listener, fd;
    unsigned char body[512];
    size_t length;
};

static inline void play(struct rig *r, struct played *p)
{
    p->listener = rig_bind(&r->port);
    assert_int_equal(listen(p->listener, 1), 0);
    rig_transport(r);
}

/* Runs the loop until the transport has come to the door. False: its attempt failed before that. */
static inline bool play_knocks(struct rig *r, const struct played *p)
{
    struct pollfd door = {.fd = p->listener, .events = POLLIN};
    const unsigned failed = r->failed;
    const int64_t until_ms = loop_mono_ms(r->loop) + RIG_TIMEOUT_MS;

    while (poll(&door, 1, 10) == 0) {
        loop_timer_at(r->limit, loop_mono_ms(r->loop) + 1);
        loop_run(r->loop); /* up to that timer */
        if (r->failed != failed)
            return false;
        assert_true(loop_mono_ms(r->loop) < until_ms);
    }
    return true;
}

static inline void play_wait(struct rig *r, int64_t until_ms)
{
    if (until_ms <= loop_mono_ms(r->loop))
        return;
    loop_timer_at(r->limit, until_ms);
    loop_run(r->loop);
}

/* As the uplink does, once more after its shortest wait when it fails: Paho may be at the end of the connection before (it says "socket error", or does
 * not even come). */
static inline void play_connect(struct rig *r, struct played *p, const unsigned char *connack, size_t size)
{
    const struct timeval limit = {.tv_sec = RIG_TIMEOUT_MS / 1000};
    const unsigned before = r->connected;

    for (int64_t at_ms = 0; r->connected == before; at_ms = loop_mono_ms(r->loop) + UPLINK_BACKOFF_FIRST_MS) {
        play_wait(r, at_ms);
        rig_connect(r, NULL);
        if (!play_knocks(r, p))
            continue;
        p->fd = accept(p->listener, NULL, NULL);
        assert_true(p->fd >= 0);
        assert_int_equal(setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
        if (recv(p->fd, p->body, 1, MSG_PEEK) == 1) {
            assert_int_equal(rig_packet(p->fd, p->body, sizeof(p->body), &p->length), 0x10);
            (void)send(p->fd, connack, size, MSG_NOSIGNAL);
        }
        rig_await_either(r, &r->connected, before + 1, &r->failed, r->failed + 1);
        if (r->connected == before)
            (void)close(p->fd);
    }
}

static inline void play_end(struct played *p)
{
    (void)close(p->fd);
    (void)close(p->listener);
}

#endif
