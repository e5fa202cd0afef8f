/* LINK rg_uplink rg_base */
/* Nagle's algorithm is turned off on connections to one port, and on nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "uplink/paho_socket.h"

struct pair {
    int listener, client, server;
    uint16_t port;
};

static bool pair_open(struct pair *p, int family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *at = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;

    p->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->listener < 0 || bind(p->listener, at, size) != 0) {
        if (p->listener >= 0)
            (void)close(p->listener);
        return false; /* a machine without IPv6 */
    }
    assert_int_equal(listen(p->listener, 1), 0);
    assert_int_equal(getsockname(p->listener, at, &size), 0);
    p->port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    p->client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p->client >= 0);
    assert_int_equal(connect(p->client, at, size), 0);
    p->server = accept(p->listener, NULL, NULL);
    assert_true(p->server >= 0);
    return true;
}

static void pair_close(struct pair *p)
{
    (void)close(p->client);
    (void)close(p->server);
    (void)close(p->listener);
}

static bool delays(int fd)
{
    int no_delay = 0;
    socklen_t size = sizeof no_delay;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    return no_delay == 0;
}

static void on_connections_to_that_port(void **state)
{
    const int families[] = {AF_INET, AF_INET6};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair one, other;

        if (!pair_open(&one, families[i]))
            continue;
        assert_true(pair_open(&other, families[i]));
        assert_int_equal(paho_socket_no_delay(one.port), 1);
        assert_false(delays(one.client));
        assert_true(delays(one.server)); /* it goes to another port */
        assert_true(delays(one.listener));
        assert_true(delays(other.client));
        assert_int_equal(paho_socket_no_delay(one.port), 0); /* it is off already */
        pair_close(&one);
        pair_close(&other);
    }
}

static void whatever_else_is_open(void **state)
{
    int pipes[2], local[2];
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(9)};
    const int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int unconnected = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, local), 0);
    assert_int_equal(connect(datagrams, (struct sockaddr *)&at, sizeof at),
                     0); /* goes to that port, but is no stream */
    assert_int_equal(paho_socket_no_delay(9), 0);
    assert_true(delays(unconnected));
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    (void)close(local[0]);
    (void)close(local[1]);
    (void)close(datagrams);
    (void)close(unconnected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_connections_to_that_port),
        cmocka_unit_test(whatever_else_is_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
