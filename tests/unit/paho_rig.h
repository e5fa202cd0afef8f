/* A real broker (mosquitto, on a free loopback port, with its files in a temporary folder), a plain
 * subscriber that shares no code with Paho, and a transport whose answers are awaited on a real loop. For
 * test_uplink_paho.c. */
#ifndef RG_TESTS_PAHO_RIG_H
#define RG_TESTS_PAHO_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "loop/loop.h"
#include "support_tmp.h"
#include "uplink/paho.h"
#include "uplink/uplink.h"

#define RIG_TIMEOUT_MS 20000
#define RIG_TOKENS 64

struct rig {
    struct loop *loop;
    struct loop_timer *limit;
    struct transport *transport;
    struct site_uplink conf;
    char dir[SUPPORT_TMP_SIZE];
    uint16_t port;
    pid_t broker;
    int broker_log; /* its standard error */

    /* what the transport said */
    unsigned connected, failed, lost, disconnected, acks, refusals;
    unsigned acked[RIG_TOKENS];
    unsigned subscribed, unsubscribed, came[TRANSPORT_SUBSCRIPTIONS], dropped;
    char text[UPLINK_COMMAND_BYTES + 1], response_topic[UPLINK_TOPIC_BYTES + 1],
        correlation[64]; /* of the last that came */
    size_t length;
    bool is_retained;
    size_t receive_max;
    char reason[256];
    const unsigned *awaited, *or_awaited;
    unsigned wanted, or_wanted;
    bool timed_out;
};

/* ---- the loop ---- */

static void rig_note(struct rig *r)
{
    if ((r->awaited && *r->awaited >= r->wanted) || (r->or_awaited && *r->or_awaited >= r->or_wanted))
        loop_stop(r->loop);
}

static void rig_limit_cb(void *arg)
{
    struct rig *r = arg;

    r->timed_out = true;
    loop_stop(r->loop);
}

static void rig_run(struct rig *r, const unsigned *counter, unsigned wanted)
{
    r->timed_out = false;
    r->awaited = counter;
    r->wanted = wanted;
    loop_timer_at(r->limit, loop_mono_ms(r->loop) + RIG_TIMEOUT_MS);
    loop_run(r->loop);
    loop_timer_stop(r->limit);
    r->awaited = NULL;
    if (r->timed_out)
        fail_msg("timed out; connected %u failed %u lost %u acks %u, last reason: %s", r->connected,
                 r->failed, r->lost, r->acks, r->reason);
}

/* Runs the loop until the counter is there; fails when that takes too long. */
static void rig_await(struct rig *r, const unsigned *counter, unsigned wanted)
{
    if (*counter < wanted)
        rig_run(r, counter, wanted);
    assert_int_equal(*counter, wanted);
}

/* The same, until either is there. */
static inline void rig_await_either(struct rig *r, const unsigned *counter, unsigned wanted,
                                    const unsigned *other, unsigned other_wanted)
{
    if (*counter >= wanted || *other >= other_wanted)
        return;
    r->or_awaited = other;
    r->or_wanted = other_wanted;
    rig_run(r, counter, wanted);
    r->or_awaited = NULL;
}

static void rig_connected(void *arg, size_t receive_max)
{
    struct rig *r = arg;

    r->connected++;
    r->receive_max = receive_max;
    rig_note(r);
}

static void rig_failed(void *arg, const char *reason)
{
    struct rig *r = arg;

    r->failed++;
    (void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
    rig_note(r);
}

static void rig_lost(void *arg, const char *reason)
{
    struct rig *r = arg;

    r->lost++;
    (void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
    rig_note(r);
}

static void rig_acked(void *arg, uint64_t token)
{
    struct rig *r = arg;

    assert_true(token < RIG_TOKENS);
    r->acked[token]++;
    r->acks++;
    rig_note(r);
}

static void rig_refused(void *arg, uint64_t token, const char *reason)
{
    struct rig *r = arg;

    assert_true(token < RIG_TOKENS);
    r->refusals++;
    (void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
    rig_note(r);
}

static void rig_disconnected(void *arg)
{
    struct rig *r = arg;

    r->disconnected++;
    rig_note(r);
}

static void rig_subscribed(void *arg, enum transport_subscription id, const char *refused)
{
    struct rig *r = arg;

    (void)id;
    if (refused) {
        r->unsubscribed++;
        (void)snprintf(r->reason, sizeof(r->reason), "%s", refused);
    } else {
        r->subscribed++;
    }
    rig_note(r);
}

static void rig_message(void *arg, const struct transport_message *m, size_t dropped)
{
    struct rig *r = arg;

    r->dropped += (unsigned)dropped;
    if (!m)
        return;
    r->came[m->id]++;
    r->length = m->length;
    r->is_retained = m->retained;
    (void)snprintf(r->text, sizeof(r->text), "%.*s", m->payload ? (int)m->length : 0,
                   m->payload ? m->payload : "");
    (void)snprintf(r->response_topic, sizeof(r->response_topic), "%s",
                   m->response_topic ? m->response_topic : "");
    (void)snprintf(r->correlation, sizeof(r->correlation), "%.*s", (int)m->correlation_length,
                   m->correlation ? (const char *)m->correlation : "");
    rig_note(r);
}

static const struct transport_cbs rig_cbs = {
    .connected = rig_connected,
    .failed = rig_failed,
    .lost = rig_lost,
    .acked = rig_acked,
    .refused = rig_refused,
    .disconnected = rig_disconnected,
    .subscribed = rig_subscribed,
    .message = rig_message,
};

/* ---- processes and files ---- */

static void rig_path(const struct rig *r, const char *name, char out[512])
{
    assert_true(snprintf(out, 512, "%s/%s", r->dir, name) < 512);
}

static void rig_write(const struct rig *r, const char *name, const char *text)
{
    char path[512];
    FILE *file = NULL;

    rig_path(r, name, path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

/* Runs a program to its end; its output goes to /dev/null. */
static inline void rig_tool(char *const argv[])
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0;

    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0), 0);
    assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s %s ended with %d", argv[0], argv[1], status);
}

static struct sockaddr_in rig_address(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return address;
}

/* A bound socket and the port it got. */
static int rig_bind(uint16_t *port)
{
    struct sockaddr_in address = rig_address(0);
    socklen_t length = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Reads a program's output until the word comes. */
static void rig_read_until(int fd, const char *word)
{
    char text[8192] = "";
    size_t length = 0;

    while (!strstr(text, word)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got = 0;

        if (poll(&p, 1, RIG_TIMEOUT_MS) != 1 || length == sizeof(text) - 1 ||
            (got = read(fd, text + length, sizeof(text) - 1 - length)) <= 0)
            fail_msg("no \"%s\" in: %s", word, text);
        length += (size_t)got;
        text[length] = '\0';
    }
}

static pid_t rig_spawn(char *const argv[], int *output)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 1), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 2), 0);
    assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    *output = ends[0];
    return pid;
}

/* extra: further lines of the configuration. The first start looks for a free port, later ones take the same.
 */
static void rig_broker_start(struct rig *r, const char *extra)
{
    static char mosquitto[] = "/usr/sbin/mosquitto";
    static char option[] = "-c";
    char text[2048];
    char path[512];
    char *argv[] = {mosquitto, option, path, NULL};

    if (r->port == 0)
        (void)close(rig_bind(&r->port));
    assert_true(
        snprintf(
            text, sizeof(text),
            "listener %u 127.0.0.1\n%s%s"
            "persistence false\nlog_dest stderr\nlog_type information\nlog_type notice\nlog_type warning\n"
            "log_type error\n",
            (unsigned)r->port, geteuid() == 0 ? "user root\n" : "", extra) < (int)sizeof(text));
    rig_write(r, "mosquitto.conf", text);
    rig_path(r, "mosquitto.conf", path);
    r->broker = rig_spawn(argv, &r->broker_log);
    rig_read_until(r->broker_log, " running");
}

static void rig_broker_stop(struct rig *r, int signum)
{
    if (r->broker <= 0)
        return;
    (void)kill(r->broker, signum);
    (void)waitpid(r->broker, NULL, 0);
    (void)close(r->broker_log);
    r->broker = 0;
}

/* ---- the transport ---- */

static void rig_open(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    assert_true(support_tmp_dir(r->dir));
    assert_int_equal(loop_create(&r->loop), RG_OK);
    assert_int_equal(loop_timer_create(r->loop, rig_limit_cb, r, &r->limit), RG_OK);
    r->conf = (struct site_uplink){.name = "test",
                                   .host = "127.0.0.1",
                                   .client_id = "riskgate-test",
                                   .topic_root = "riskgate/v1/E/gw-01",
                                   .keepalive_ms = 30000};
}

static void rig_transport(struct rig *r)
{
    r->conf.port = r->port;
    assert_int_equal(paho_transport.create(r->loop, &r->conf, &rig_cbs, r, &r->transport), RG_OK);
}

static void rig_connect(struct rig *r, const char *password)
{
    static const char will[] = "{\"online\":false}";

    assert_int_equal(
        paho_transport.connect(r->transport, password, "riskgate/v1/E/gw-01/state", will, sizeof(will) - 1),
        RG_OK);
}

/* And waits until it is. As the uplink does, once more when it fails: Paho may be at the end of the connection, or of the refused attempt, before. */
static inline void rig_connect_again(struct rig *r, const char *password)
{
    const unsigned before = r->connected;
    const int64_t until_ms = loop_mono_ms(r->loop) + RIG_TIMEOUT_MS;

    while (r->connected == before && loop_mono_ms(r->loop) < until_ms) {
        rig_connect(r, password);
        rig_await_either(r, &r->connected, before + 1, &r->failed, r->failed + 1);
    }
    assert_int_equal(r->connected, before + 1);
}

static void rig_close(struct rig *r)
{
    paho_transport.destroy(r->transport);
    loop_timer_destroy(r->limit);
    assert_int_equal(loop_destroy(r->loop), RG_OK);
    rig_broker_stop(r, SIGTERM);
    assert_true(support_tmp_remove(r->dir));
}

/* Ends Paho's connection as a broken line would: the broker sees it end without a DISCONNECT. */
static inline void rig_break_line(const struct rig *r, int not_this)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry = NULL;
    unsigned broken = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        const int fd = (int)strtol(entry->d_name, NULL, 10);
        struct sockaddr_in peer = {0};
        socklen_t length = sizeof(peer);

        if (entry->d_name[0] != '.' && fd != not_this &&
            getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == r->port)
            broken += shutdown(fd, SHUT_RDWR) == 0;
    }
    (void)closedir(dir);
    assert_int_equal(broken, 1);
}

/* ---- a plain subscriber: MQTT 3.1.1 by hand ---- */

static void rig_read_all(int fd, unsigned char *out, size_t length)
{
    size_t done = 0;

    while (done < length) {
        const ssize_t got = recv(fd, out + done, length - done, 0);

        if (got <= 0)
            fail_msg("the subscriber gets nothing");
        done += (size_t)got;
    }
}

/* One packet; returns its type. Its body is at most size bytes. */
static unsigned rig_packet(int fd, unsigned char *body, size_t size, size_t *length)
{
    unsigned char type = 0;
    unsigned char digit = 0;
    unsigned shift = 0;

    rig_read_all(fd, &type, 1);
    *length = 0;
    do {
        rig_read_all(fd, &digit, 1);
        *length |= (size_t)(digit & 0x7f) << shift;
        shift += 7;
    } while (digit & 0x80);
    assert_true(*length <= size);
    rig_read_all(fd, body, *length);
    return type;
}

static inline int rig_subscribe(uint16_t port)
{
    /* CONNECT: "MQTT" 4, clean session, keep-alive 60 s, client id "sub"; SUBSCRIBE 1 to "#", QoS 0 */
    static const unsigned char connect_packet[] = {0x10, 15, 0,  4, 'M', 'Q', 'T', 'T', 4,
                                                   2,    0,  60, 0, 3,   's', 'u', 'b'};
    static const unsigned char subscribe_packet[] = {0x82, 6, 0, 1, 0, 1, '#', 0};
    const struct timeval limit = {.tv_sec = RIG_TIMEOUT_MS / 1000};
    const struct sockaddr_in address = rig_address(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned char body[16];
    size_t length = 0;

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, connect_packet, sizeof(connect_packet), 0), sizeof(connect_packet));
    assert_int_equal(rig_packet(fd, body, sizeof(body), &length), 0x20);
    assert_int_equal(send(fd, subscribe_packet, sizeof(subscribe_packet), 0), sizeof(subscribe_packet));
    assert_int_equal(rig_packet(fd, body, sizeof(body), &length), 0x90);
    return fd;
}

struct rig_message {
    char topic[256];
    char payload[70000];
    size_t length;
    bool retained;
};

static inline void rig_receive(int fd, struct rig_message *m)
{
    static unsigned char body[70000];
    size_t length = 0;
    const unsigned type = rig_packet(fd, body, sizeof(body), &length);
    const size_t topic = ((size_t)body[0] << 8) | body[1];

    assert_int_equal(type & 0xf6, 0x30);
    assert_true(topic < sizeof(m->topic) && topic + 2 <= length);
    memcpy(m->topic, body + 2, topic);
    m->topic[topic] = '\0';
    m->length = length - 2 - topic;
    memcpy(m->payload, body + 2 + topic, m->length);
    m->payload[m->length] = '\0';
    m->retained = type & 1;
}

#endif
