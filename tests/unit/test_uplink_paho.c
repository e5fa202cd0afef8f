/* LINK rg_uplink rg_test_support rg_loop rg_base; LABEL tsan */
#include "paho_played.h"
#include "paho_rig.h"
#include "uplink/paho_client.h"
#include "uplink/paho_socket.h"

#include <time.h>

#define OPEN_BROKER "allow_anonymous true\n"

static struct rig rig;

static int setup(void **state)
{
    rig_open(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_close(*state);
    return 0;
}

static enum rg_err publish(struct rig *r, const char *topic, const char *payload, bool retained,
                           uint64_t token)
{
    const struct transport_publish message = {
        .topic = topic, .payload = payload, .length = strlen(payload), .retained = retained, .token = token};

    return paho_transport.publish(r->transport, &message);
}

/* Connect, publish, acknowledgement, the bytes at a subscriber, the polite end that leaves no will. */
static void whole_way(struct rig *r)
{
    static struct rig_message m;
    char *large = malloc(65536);
    int sub;

    assert_non_null(large);
    memset(large, 'x', 65535);
    large[65535] = '\0';
    rig_broker_start(r, OPEN_BROKER);
    sub = rig_subscribe(r->port);
    rig_transport(r);
    assert_int_equal(publish(r, "t", "early", false, 1), RG_ESTATE);
    rig_connect(r, NULL);
    assert_int_equal(publish(r, "t", "still early", false, 1), RG_ESTATE);
    rig_await(r, &r->connected, 1);
    assert_int_equal(paho_socket_no_delay(r->port),
                     0); /* it is off already: an alarm waits for no acknowledgement */
    assert_int_equal(publish(r, "a/alarm", "{\"label\":\"抛光车间\"}", false, 1), RG_OK);
    assert_int_equal(publish(r, "a/large", large, false, 2), RG_OK);
    assert_int_equal(publish(r, "a/state", "{\"online\":true}", true, 3), RG_OK);
    rig_await(r, &r->acks, 3);
    for (int token = 1; token <= 3; token++)
        assert_int_equal(r->acked[token], 1);
    rig_receive(sub, &m);
    assert_string_equal(m.topic, "a/alarm");
    assert_string_equal(m.payload, "{\"label\":\"抛光车间\"}");
    rig_receive(sub, &m);
    assert_int_equal(m.length, 65535);
    assert_memory_equal(m.payload, large, 65535);
    rig_receive(sub, &m);
    assert_string_equal(m.topic, "a/state");
    free(large);

    paho_transport.disconnect(r->transport);
    rig_await(r, &r->disconnected, 1);
    assert_int_equal(publish(r, "t", "late", false, 4), RG_ESTATE);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 2);
    assert_int_equal(paho_socket_no_delay(r->port), 0);
    assert_int_equal(publish(r, "a/next", "1", false, 5), RG_OK);
    rig_receive(sub, &m); /* the next message: so no will came between */
    assert_string_equal(m.topic, "a/next");
    rig_await(r, &r->acks, 4);
    assert_int_equal(r->lost + r->failed, 0);
    (void)close(sub);

    sub = rig_subscribe(r->port);
    rig_receive(sub, &m);
    assert_string_equal(m.topic, "a/state");
    assert_true(m.retained);
    (void)close(sub);
}

static void mqtt5_goes_the_whole_way(void **state)
{
    struct rig *r = *state;

    whole_way(r);
    assert_true(r->receive_max >= 1);
}

static void mqtt311_goes_the_whole_way(void **state)
{
    struct rig *r = *state;

    r->conf.v311 = true;
    whole_way(r);
    assert_true(r->receive_max == SIZE_MAX);
}

static void a_broken_line_is_told_and_leaves_the_will(void **state)
{
    struct rig *r = *state;
    static struct rig_message m;
    int sub;

    rig_broker_start(r, OPEN_BROKER);
    sub = rig_subscribe(r->port);
    rig_transport(r);
    for (unsigned i = 1; i <= 2; i++) {
        rig_connect(r, NULL);
        rig_await(r, &r->connected, i);
        rig_break_line(r, sub);
        rig_receive(sub, &m);
        assert_string_equal(m.topic, "riskgate/v1/E/gw-01/state");
        assert_string_equal(m.payload, "{\"online\":false}");
        rig_await(r, &r->lost, i);
        assert_int_equal(publish(r, "t", "x", false, 1), RG_ESTATE);
    }
    (void)close(sub);
    sub = rig_subscribe(r->port);
    rig_receive(sub, &m);
    assert_true(m.retained);
    (void)close(sub);
}

static void a_port_where_nobody_listens_is_a_failure(void **state)
{
    struct rig *r = *state;

    (void)close(rig_bind(&r->port));
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->failed, 1);
    assert_true(strlen(r->reason) > 0);
    rig_connect(r, NULL);
    rig_await(r, &r->failed, 2);
}

static void a_name_that_does_not_resolve_is_a_failure(void **state)
{
    struct rig *r = *state;

    r->port = 1883;
    r->conf.host = "no-such-host.invalid";
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->failed, 1);
}

/* What was in flight when the broker dies is not acknowledged, and after its return the connection comes up
 * again. */
static void a_broker_killed_and_started_again(void **state)
{
    struct rig *r = *state;

    rig_broker_start(r, OPEN_BROKER);
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
    assert_int_equal(kill(r->broker, SIGSTOP), 0);
    for (uint64_t token = 1; token <= 8; token++)
        assert_int_equal(publish(r, "t", "in flight", false, token), RG_OK);
    rig_broker_stop(r, SIGKILL);
    rig_await(r, &r->lost, 1);
    assert_int_equal(r->acks, 0);
    rig_connect(r, NULL);
    rig_await(r, &r->failed, 1);
    rig_broker_start(r, OPEN_BROKER);
    rig_connect_again(r, NULL);
    for (uint64_t token = 11; token <= 18; token++)
        assert_int_equal(publish(r, "t", "again", false, token), RG_OK);
    rig_await(r, &r->acks, 8);
    assert_int_equal(r->acked[11], 1);
    assert_int_equal(r->acked[1], 0);
    assert_int_equal(r->lost, 1); /* said once, however many were in flight */
}

static void more_than_there_is_room_for_is_refused(void **state)
{
    struct rig *r = *state;
    unsigned taken = 0;

    rig_broker_start(r, OPEN_BROKER);
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
    assert_int_equal(kill(r->broker, SIGSTOP), 0);
    for (uint64_t token = 0; token < 33; token++)
        taken += publish(r, "t", "x", false, token) == RG_OK;
    assert_int_equal(taken, 33); /* a full window, and the last state document */
    assert_int_equal(kill(r->broker, SIGCONT), 0);
    rig_await(r, &r->acks, 33);
}

static void with_password(struct rig *r, const char *right)
{
    static char tool[] = "mosquitto_passwd";
    static char option[] = "-U";
    char path[512];
    char text[700];
    char *argv[] = {tool, option, path, NULL};

    (void)snprintf(text, sizeof(text), "gate:%s\n", right);
    rig_write(r, "passwords", text);
    rig_path(r, "passwords", path);
    rig_tool(argv);
    (void)snprintf(text, sizeof(text), "allow_anonymous false\npassword_file %s\n", path);
    rig_broker_start(r, text);
    r->conf.username = "gate";
    rig_transport(r);
    rig_connect(r, "wrong");
    rig_await(r, &r->failed, 1);
    assert_non_null(strstr(r->reason, "uthori")); /* not (A)uthorized, in the words of either version */
    rig_connect_again(r, right);
}

static void a_wrong_password_is_told(void **state)
{
    with_password(*state, "s3cret密码");
}

static void a_wrong_password_is_told_by_311(void **state)
{
    struct rig *r = *state;

    r->conf.v311 = true;
    with_password(r, "s3cret");
}

static void a_publish_that_the_broker_forbids_is_refused(void **state)
{
    struct rig *r = *state;
    char path[512];
    char text[700];

    rig_write(r, "acl", "topic write allowed/#\n");
    rig_path(r, "acl", path);
    (void)snprintf(text, sizeof(text), "%sacl_file %s\n", OPEN_BROKER, path);
    rig_broker_start(r, text);
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
    assert_int_equal(publish(r, "forbidden/x", "1", false, 1), RG_OK);
    assert_int_equal(publish(r, "allowed/x", "1", false, 2), RG_OK);
    rig_await(r, &r->acks, 1);
    rig_await(r, &r->refusals, 1);
    assert_int_equal(r->acked[2], 1);
    assert_int_equal(r->acked[1], 0);
    assert_true(strlen(r->reason) > 0);
    assert_int_equal(r->lost, 0);
}

/* A second client with the same id: the broker throws the first out. */
static void taken_over_is_told(void **state)
{
    struct rig *r = *state;
    struct rig *other = calloc(1, sizeof(*other));

    assert_non_null(other);
    rig_broker_start(r, OPEN_BROKER);
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
    rig_open(other);
    other->port = r->port;
    rig_transport(other);
    rig_connect(other, NULL);
    rig_await(other, &other->connected, 1);
    rig_await(r, &r->lost, 1);
    rig_close(other);
    free(other);
}

/* A broker by hand: it takes 5 messages at a time, and ends the connection with a word (session taken over,
 * 0x8e). */
static void what_the_broker_says_is_passed_on(void **state)
{
    static const unsigned char connack[] = {0x20, 6, 0, 0, 3, 0x21, 0, 5};
    static const unsigned char farewell[] = {0xe0, 2, 0x8e, 0};
    struct rig *r = *state;
    const int listener = rig_bind(&r->port);
    unsigned char body[256];
    size_t length = 0;
    int fd;

    assert_int_equal(listen(listener, 1), 0);
    rig_transport(r);
    rig_connect(r, NULL);
    fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    assert_int_equal(rig_packet(fd, body, sizeof(body), &length), 0x10);
    assert_int_equal(body[6], 5);           /* the version */
    assert_int_equal(body[7] & 0x3e, 0x2e); /* clean start, a will, QoS 1, retained */
    assert_int_equal(send(fd, connack, sizeof(connack), 0), sizeof(connack));
    rig_await(r, &r->connected, 1);
    assert_int_equal(r->receive_max, 5);
    assert_int_equal(send(fd, farewell, sizeof(farewell), 0), sizeof(farewell));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    rig_await(r, &r->lost, 1);
    assert_non_null(strstr(r->reason, "Session taken over"));
    (void)close(fd);
    (void)close(listener);
}

/* Reads one PUBLISH and acknowledges it; returns the last byte of its payload. */
static char take_publish(int fd, bool ack)
{
    unsigned char body[256];
    unsigned char puback[4] = {0x40, 2, 0, 0};
    size_t length = 0;

    assert_int_equal(rig_packet(fd, body, sizeof(body), &length) & 0xf6, 0x32);
    memcpy(&puback[2], &body[2 + ((size_t)body[0] << 8 | body[1])], 2);
    if (ack)
        assert_int_equal(send(fd, puback, sizeof(puback), 0), sizeof(puback));
    return (char)body[length - 1];
}

/* A broker that takes one message at a time: the others wait in Paho's queue when the line breaks. They go
 * out on the next connection before anything new, and their acknowledgements are not taken for those of new
 * ones. */
static void what_waited_in_the_queue_goes_first(void **state)
{
    static const unsigned char connack[] = {0x20, 6, 0, 0, 3, 0x21, 0, 1};
    struct rig *r = *state;
    struct played p;

    play(r, &p);
    play_connect(r, &p, connack, sizeof(connack));
    for (uint64_t token = 1; token <= 33; token++)
        assert_int_equal(publish(r, "t", "old", false, token), RG_OK);
    assert_int_equal(take_publish(p.fd, false), 'd');
    (void)close(p.fd);
    rig_await(r, &r->lost, 1);
    play_connect(r, &p, connack, sizeof(connack));
    assert_int_equal(publish(r, "t", "new", false, 40), RG_OK);
    for (int i = 0; take_publish(p.fd, true) != 'w'; i++)
        assert_true(i < 33);
    rig_await(r, &r->acks, 1);
    assert_int_equal(r->acked[40], 1);
    assert_int_equal(r->lost, 1);
    play_end(&p);
}

/* A broker that answers nothing any more, with messages in Paho's queue: the next connection does not wait for it and brings
 * what is new at once. Once Paho has seen that the old one is over, what it held goes out too: a client destroyed with its
 * queue would leave it behind in memory (the leak sanitizer would tell). */
static void what_a_mute_broker_was_owed_is_not_left_behind(void **state)
{
    static const unsigned char one_at_a_time[] = {0x20, 6, 0, 0, 3, 0x21, 0, 1};
    static const unsigned char connack[] = {0x20, 3, 0, 0, 0};
    struct rig *r = *state;
    const int64_t until = loop_mono_ms(r->loop) + RIG_TIMEOUT_MS;
    struct played p;
    unsigned old = 0;
    int mute;

    play(r, &p);
    play_connect(r, &p, one_at_a_time, sizeof(one_at_a_time));
    mute = p.fd;
    for (uint64_t token = 1; token <= PAHO_SLOTS + 1;
         token++) /* the last finds no place, which ends it for us */
        while (publish(r, "t", "old", false, token) == RG_EFULL)
            (void)sched_yield();
    assert_int_equal(take_publish(mute, false), 'd');
    rig_await(r, &r->lost, 1);
    for (unsigned connection = 2; old == 0; connection++) {
        play_connect(r, &p, connack, sizeof(connack));
        assert_int_equal(publish(r, "t", "new", false, 50), RG_OK);
        while (take_publish(p.fd, true) != 'w')
            old++;
        rig_await(r, &r->acks, connection - 1);
        if (connection == 2) {
            assert_int_equal(old, 0);
            assert_int_equal(shutdown(mute, SHUT_RDWR), 0);
        }
        (void)close(p.fd);
        rig_await(r, &r->lost, connection);
        if (loop_mono_ms(r->loop) > until)
            fail_msg("the old messages never came");
    }
    assert_int_equal(old, PAHO_SLOTS - 1); /* the first was on the way */
    assert_int_equal(r->acked[50], r->acks);
    (void)close(mute);
    (void)close(p.listener);
}

/* A host that takes the connection and says nothing: destroy does not wait for it. */
static void destroy_in_the_middle_is_quick(void **state)
{
    struct rig *r = *state;
    const int fd = rig_bind(&r->port);
    int64_t begun;

    assert_int_equal(listen(fd, 4), 0);
    rig_transport(r);
    rig_connect(r, NULL);
    rig_connect(r, NULL); /* overtakes the first */
    begun = loop_mono_ms(r->loop);
    paho_transport.destroy(r->transport);
    r->transport = NULL;
    assert_true(loop_mono_ms(r->loop) - begun < 3500);
    (void)close(fd);
    paho_transport.destroy(NULL);
}

/* ---- TLS ---- */

static void openssl(char *const argv[])
{
    rig_tool(argv);
}

#define ARG(text) ((char[]){text})

/* <name>.pem and <name>.key: a CA of its own. */
static void make_ca(const struct rig *r, const char *name)
{
    char key[512], pem[512], file[64];

    (void)snprintf(file, sizeof(file), "%s.key", name);
    rig_path(r, file, key);
    (void)snprintf(file, sizeof(file), "%s.pem", name);
    rig_path(r, file, pem);
    openssl((char *const[]){ARG("openssl"), ARG("req"), ARG("-x509"), ARG("-newkey"), ARG("ec"),
                            ARG("-pkeyopt"), ARG("ec_paramgen_curve:P-256"), ARG("-nodes"), ARG("-keyout"),
                            key, ARG("-out"), pem, ARG("-days"), ARG("2"), ARG("-subj"),
                            ARG("/CN=riskgate test CA"), NULL});
}

/* server.pem and server.key, signed by "ca", for the names in alt ("DNS:localhost"). */
static void make_server(const struct rig *r, const char *alt)
{
    char key[512], pem[512], csr[512], ext[512], ca[512], ca_key[512], text[128];

    rig_path(r, "server.key", key);
    rig_path(r, "server.pem", pem);
    rig_path(r, "server.csr", csr);
    rig_path(r, "server.ext", ext);
    rig_path(r, "ca.pem", ca);
    rig_path(r, "ca.key", ca_key);
    (void)snprintf(text, sizeof(text), "subjectAltName=%s\n", alt);
    rig_write(r, "server.ext", text);
    openssl((char *const[]){ARG("openssl"), ARG("req"), ARG("-newkey"), ARG("ec"), ARG("-pkeyopt"),
                            ARG("ec_paramgen_curve:P-256"), ARG("-nodes"), ARG("-keyout"), key, ARG("-out"),
                            csr, ARG("-subj"), ARG("/CN=broker"), NULL});
    openssl((char *const[]){ARG("openssl"), ARG("x509"), ARG("-req"), ARG("-in"), csr, ARG("-CA"), ca,
                            ARG("-CAkey"), ca_key, ARG("-CAcreateserial"), ARG("-days"), ARG("2"),
                            ARG("-extfile"), ext, ARG("-out"), pem, NULL});
}

static void tls_broker_start(struct rig *r, const char *alt)
{
    char text[1700];

    make_ca(r, "ca");
    make_server(r, alt);
    (void)snprintf(text, sizeof(text), "%scafile %s/ca.pem\ncertfile %s/server.pem\nkeyfile %s/server.key\n",
                   OPEN_BROKER, r->dir, r->dir, r->dir);
    rig_broker_start(r, text);
}

static void tls_is_verified(void **state)
{
    struct rig *r = *state;
    char ca[512];
    char other[512];

    tls_broker_start(r, "DNS:localhost");
    make_ca(r, "other");
    rig_path(r, "ca.pem", ca);
    rig_path(r, "other.pem", other);
    r->conf.tls = true;
    r->conf.host = "localhost";
    r->conf.ca = ca;
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
    assert_int_equal(publish(r, "t", "over TLS", false, 1), RG_OK);
    rig_await(r, &r->acks, 1);
    paho_transport.destroy(r->transport);

    r->conf.host = "127.0.0.1"; /* not a name of the certificate */
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->failed, 1);
    paho_transport.destroy(r->transport);

    r->conf.host = "localhost";
    r->conf.ca = other;
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->failed, 2);
    assert_non_null(strstr(r->reason, "certificate verify failed"));
    paho_transport.destroy(r->transport);

    r->conf.ca = NULL; /* the system's CAs do not know this one either */
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->failed, 3);
    assert_int_equal(r->connected, 1);
}

static void tls_by_address_needs_the_address_in_the_certificate(void **state)
{
    struct rig *r = *state;
    char ca[512];

    tls_broker_start(r, "IP:127.0.0.1");
    rig_path(r, "ca.pem", ca);
    r->conf.tls = true;
    r->conf.ca = ca;
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
}

/* s_server tells how a handshake ended: with the version asked for, and every cipher that there is. */
static void handshake(struct rig *r, char *version, const char *outcome)
{
    char key[512], pem[512], accept_at[16];
    char *const argv[] = {ARG("openssl"),
                          ARG("s_server"),
                          ARG("-accept"),
                          accept_at,
                          ARG("-cert"),
                          pem,
                          ARG("-key"),
                          key,
                          ARG("-cipher"),
                          ARG("ALL:@SECLEVEL=0"),
                          ARG("-rev"),
                          version,
                          NULL};

    rig_path(r, "rsa.key", key);
    rig_path(r, "rsa.pem", pem);
    (void)close(rig_bind(&r->port));
    (void)snprintf(accept_at, sizeof(accept_at), "%u", (unsigned)r->port);
    r->broker = rig_spawn(argv, &r->broker_log);
    rig_read_until(r->broker_log, "ACCEPT");
    rig_transport(r);
    rig_connect(r, NULL);
    rig_read_until(r->broker_log, outcome);
    rig_broker_stop(r, SIGKILL);
    rig_await(r, &r->failed, 1);
    paho_transport.destroy(r->transport);
    r->transport = NULL;
    r->failed = 0;
}

static void tls_older_than_1_2_is_refused(void **state)
{
    struct rig *r = *state;
    char key[512], pem[512];

    rig_path(r, "rsa.key", key);
    rig_path(r, "rsa.pem", pem);
    openssl((char *const[]){ARG("openssl"), ARG("req"), ARG("-x509"), ARG("-newkey"), ARG("rsa:2048"),
                            ARG("-nodes"), ARG("-keyout"), key, ARG("-out"), pem, ARG("-days"), ARG("2"),
                            ARG("-subj"), ARG("/CN=localhost"), ARG("-addext"),
                            ARG("subjectAltName=DNS:localhost"), NULL});
    r->conf.tls = true;
    r->conf.host = "localhost";
    r->conf.ca = pem;
    handshake(r, ARG("-tls1_3"), "CONNECTION ESTABLISHED");
    handshake(r, ARG("-tls1_2"), "CONNECTION ESTABLISHED");
    handshake(r, ARG("-tls1_1"), "CONNECTION FAILURE");
    handshake(r, ARG("-tls1"), "CONNECTION FAILURE");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(mqtt5_goes_the_whole_way),
        TEST(mqtt311_goes_the_whole_way),
        TEST(a_broken_line_is_told_and_leaves_the_will),
        TEST(a_port_where_nobody_listens_is_a_failure),
        TEST(a_name_that_does_not_resolve_is_a_failure),
        TEST(a_broker_killed_and_started_again),
        TEST(more_than_there_is_room_for_is_refused),
        TEST(a_wrong_password_is_told),
        TEST(a_wrong_password_is_told_by_311),
        TEST(a_publish_that_the_broker_forbids_is_refused),
        TEST(taken_over_is_told),
        TEST(what_the_broker_says_is_passed_on),
        TEST(what_waited_in_the_queue_goes_first),
        TEST(what_a_mute_broker_was_owed_is_not_left_behind),
        TEST(destroy_in_the_middle_is_quick),
        TEST(tls_is_verified),
        TEST(tls_by_address_needs_the_address_in_the_certificate),
        TEST(tls_older_than_1_2_is_refused),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]); /* one test by its name */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
