/* LINK rg_uplink rg_test_support rg_loop rg_base; LABEL tsan */
/* What comes in through a real broker, answers with their properties, topic aliases; against mosquitto and against brokers that
 * the test plays itself. */
#include <poll.h>

#include "paho_played.h"
#include "paho_rig.h"

#define OPEN_BROKER "allow_anonymous true\n"
#define ROOT "riskgate/v1/E/gw-01"

static struct rig rig;

static int setup(void **state)
{
    rig_open(&rig);
    rig.conf.may = SITE_MAY_ACK;
    rig.conf.receipts = true;
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_close(*state);
    return 0;
}

static void subscribe_both(struct rig *r)
{
    assert_int_equal(paho_transport.subscribe(r->transport, ROOT "/command", TRANSPORT_COMMAND), RG_OK);
    assert_int_equal(paho_transport.subscribe(r->transport, ROOT "/receipt", TRANSPORT_RECEIPT), RG_OK);
    rig_await(r, &r->subscribed, 2);
}

static void start(struct rig *r, const char *broker)
{
    rig_broker_start(r, broker);
    rig_transport(r);
    assert_int_equal(paho_transport.subscribe(r->transport, ROOT "/command", TRANSPORT_COMMAND), RG_ESTATE);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
    subscribe_both(r);
}

/* mosquitto_pub, with up to eight more arguments. */
static void publish_tool(const struct rig *r, const char *topic, const char *text, const char *const more[8])
{
    static char words[][16] = {"mosquitto_pub", "-h", "127.0.0.1", "-p", "-q", "1", "-t", "-m", "-V", "5"};
    char port[8], where[128], what[64], extra[8][64];
    char *argv[22] = {words[0], words[1], words[2], words[3], port,     words[4], words[5],
                      words[6], where,    words[7], what,     words[8], words[9]};
    size_t count = 13;

    (void)snprintf(port, sizeof(port), "%u", (unsigned)r->port);
    (void)snprintf(where, sizeof(where), "%s", topic);
    (void)snprintf(what, sizeof(what), "%s", text);
    for (size_t i = 0; more && i < 8 && more[i]; i++) {
        (void)snprintf(extra[i], sizeof(extra[i]), "%s", more[i]);
        argv[count++] = extra[i];
    }
    rig_tool(argv);
}

static void both_ways(struct rig *r)
{
    start(r, OPEN_BROKER);
    publish_tool(r, ROOT "/command", "{\"id\":1}", NULL);
    rig_await(r, &r->came[TRANSPORT_COMMAND], 1);
    assert_string_equal(r->text, "{\"id\":1}");
    assert_false(r->is_retained);
    publish_tool(r, ROOT "/receipt", "{\"stream\":\"alarm\",\"upto\":7}", NULL);
    rig_await(r, &r->came[TRANSPORT_RECEIPT], 1);
    assert_string_equal(r->text, "{\"stream\":\"alarm\",\"upto\":7}");
    rig_break_line(r, -1); /* and again after the next connect */
    rig_await(r, &r->lost, 1);
    rig_connect_again(r, NULL);
    assert_int_equal(paho_transport.subscribe(r->transport, ROOT "/command", TRANSPORT_COMMAND), RG_OK);
    rig_await(r, &r->subscribed, 3);
    publish_tool(r, ROOT "/command", "2", NULL);
    rig_await(r, &r->came[TRANSPORT_COMMAND], 2);
    assert_string_equal(r->text, "2");
    assert_int_equal(r->unsubscribed, 0);
}

static void messages_come_by_mqtt5(void **state)
{
    both_ways(*state);
}

static void messages_come_by_mqtt311(void **state)
{
    struct rig *r = *state;

    r->conf.v311 = true;
    both_ways(r);
}

static void properties_go_there_and_back(void **state)
{
    static const char *const properties[8] = {"-D", "publish", "response-topic",   "answers/7",
                                              "-D", "publish", "correlation-data", "c7"};
    const struct transport_answer answer = {.correlation = "c\0r", .length = 3};
    struct transport_publish publish = {
        .topic = "answers/7", .payload = "{}", .length = 2, .answer = &answer, .token = 1};
    struct rig *r = *state;

    start(r, OPEN_BROKER);
    publish_tool(r, ROOT "/command", "{}", properties);
    rig_await(r, &r->came[TRANSPORT_COMMAND], 1);
    assert_string_equal(r->response_topic, "answers/7");
    assert_string_equal(r->correlation, "c7");
    assert_int_equal(paho_transport.publish(r->transport, &publish), RG_OK);
    rig_await(r, &r->acks, 1);
}

/* What a broker kept from whenever is not asked for, by MQTT 5; 3.1.1 brings it, marked. */
static void retained(struct rig *r, bool comes)
{
    static const char *const keep[8] = {"-r", NULL};

    rig_broker_start(r, OPEN_BROKER);
    publish_tool(r, ROOT "/command", "old", keep);
    rig_transport(r);
    rig_connect(r, NULL);
    rig_await(r, &r->connected, 1);
    subscribe_both(r);
    if (comes) {
        rig_await(r, &r->came[TRANSPORT_COMMAND], 1);
        assert_true(r->is_retained);
    }
    publish_tool(r, ROOT "/command", "new", NULL);
    rig_await(r, &r->came[TRANSPORT_COMMAND], comes ? 2 : 1);
    assert_string_equal(r->text, "new");
    assert_false(r->is_retained);
}

static void a_retained_command_does_not_come(void **state)
{
    retained(*state, false);
}

static void a_retained_command_is_marked_by_311(void **state)
{
    struct rig *r = *state;

    r->conf.v311 = true;
    retained(r, true);
}

/* ---- a broker that the test plays: mosquitto grants every subscription ---- */

static void refused(struct rig *r)
{
    static const unsigned char connack5[] = {0x20, 3, 0, 0, 0}, connack3[] = {0x20, 2, 0, 0};
    unsigned char suback[] = {0x90, 4, 0, 0, 0, 0x87};
    struct played p;

    play(r, &p);
    play_connect(r, &p, r->conf.v311 ? connack3 : connack5, r->conf.v311 ? 4 : 5);
    if (!r->conf.v311) { /* Receive Maximum and Maximum Packet Size, and nothing else */
        static const unsigned char properties[] = {8, 0x21, 0, 8, 0x27, 0, 0x10, 0, 0};

        assert_memory_equal(p.body + 10, properties, sizeof(properties));
    }
    for (int i = 0; i < 3; i++) { /* no, no, yes */
        assert_int_equal(paho_transport.subscribe(r->transport, ROOT "/command", TRANSPORT_COMMAND), RG_OK);
        assert_int_equal(rig_packet(p.fd, p.body, sizeof(p.body), &p.length), 0x82);
        /* QoS 1; by MQTT 5 no messages of its own (4), none that were kept (0x20) */
        assert_int_equal(p.body[p.length - 1], r->conf.v311 ? 1 : 0x25);
        memcpy(&suback[2], p.body, 2);
        suback[1] = r->conf.v311 ? 3 : 4;
        suback[r->conf.v311 ? 4 : 5] = i == 2 ? 1 : r->conf.v311 ? 0x80 : 0x87;
        assert_int_equal(send(p.fd, suback, 2u + suback[1], 0), 2 + suback[1]);
        if (i < 2)
            rig_await(r, &r->unsubscribed, (unsigned)i + 1);
    }
    rig_await(r, &r->subscribed, 1);
    assert_true(r->reason[0]);
    assert_int_equal(r->lost, 0);
    play_end(&p);
}

static void a_subscription_that_is_forbidden_is_told(void **state)
{
    refused(*state);
}

static void a_subscription_that_is_forbidden_is_told_by_311(void **state)
{
    struct rig *r = *state;

    r->conf.v311 = true;
    refused(r);
}

/* Sends MQTT 3.1.1 publishes at QoS 0 as fast as the line takes them. */
static void flood(const struct rig *r, const char *topic, const char *payload, size_t length, int times)
{
    const int fd = rig_subscribe(r->port); /* it hears itself too; that is read by nobody until the end */
    const size_t topic_length = strlen(topic);
    const size_t body = 2 + topic_length + length;
    unsigned char *packet = malloc(body + 5);
    size_t at = 0;

    assert_non_null(packet);
    packet[at++] = 0x30;
    for (size_t rest = body; at == 1 || rest > 0; rest >>= 7)
        packet[at++] = (unsigned char)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    packet[at++] = (unsigned char)(topic_length >> 8);
    packet[at++] = (unsigned char)topic_length;
    memcpy(packet + at, topic, topic_length);
    memcpy(packet + at + topic_length, payload, length);
    for (int i = 0; i < times; i++) {
        unsigned char dump[4096];

        assert_int_equal(send(fd, packet, at + topic_length + length, 0), at + topic_length + length);
        while (recv(fd, dump, sizeof(dump), MSG_DONTWAIT) > 0)
            ;
    }
    free(packet);
    (void)close(fd);
}

/* Whatever comes however fast: it is taken or counted, a publish in the midst of it is acknowledged, the connection holds. */
static void a_flood_of_commands_hurts_nothing(void **state)
{
    const struct transport_publish publish = {
        .topic = ROOT "/alarm", .alias = 1, .payload = "{}", .length = 2, .token = 1};
    struct rig *r = *state;

    start(r, OPEN_BROKER);
    assert_int_equal(paho_transport.publish(r->transport, &publish), RG_OK);
    flood(r, ROOT "/command", "{\"id\":\"x\"}", 10, 5000);
    rig_await(r, &r->acks, 1);
    publish_tool(r, ROOT "/receipt", "{\"stream\":\"alarm\",\"upto\":9}", NULL);
    rig_await(r, &r->came[TRANSPORT_RECEIPT], 1);
    assert_true(r->came[TRANSPORT_COMMAND] > 0);
    assert_true(r->came[TRANSPORT_COMMAND] + r->dropped <=
                5000); /* mosquitto drops what does not fit into its own queue */
    assert_int_equal(r->lost, 0);
}

static void what_is_too_long_comes_without_its_text(void **state)
{
    static char large[UPLINK_COMMAND_BYTES + 1];
    struct rig *r = *state;

    start(r, OPEN_BROKER);
    memset(large, 'x', sizeof(large));
    flood(r, ROOT "/command", large, sizeof(large), 1);
    rig_await(r, &r->came[TRANSPORT_COMMAND], 1);
    assert_int_equal(r->length, sizeof(large));
    assert_string_equal(r->text, "");
    flood(r, ROOT "/command", large, UPLINK_COMMAND_BYTES, 1);
    rig_await(r, &r->came[TRANSPORT_COMMAND], 2);
    assert_int_equal(strlen(r->text), UPLINK_COMMAND_BYTES);
}

/* ---- topic aliases ---- */

/* Publishes and awaits the answer. */
static void publish_one(struct rig *r, const char *topic, unsigned alias, uint64_t token)
{
    const struct transport_publish publish = {
        .topic = topic, .alias = alias, .payload = "x", .length = 1, .token = token};

    assert_int_equal(paho_transport.publish(r->transport, &publish), RG_OK);
    rig_await(r, &r->acks, r->acks + 1);
}

static void aliases_reach_the_right_topics(void **state)
{
    static struct rig_message m;
    struct rig *r = *state;
    int sub;

    rig_broker_start(r, OPEN_BROKER);
    sub = rig_subscribe(r->port);
    rig_transport(r);
    for (unsigned connection = 1; connection <= 3; connection++) {
        rig_connect_again(r, NULL);
        for (int i = 0; i < 4; i++) {
            /* Another order on each connection: what an alias meant on the last one is of no account. */
            const unsigned alias = 1 + (unsigned)(i + (int)connection) % 2;

            publish_one(r, alias == 1 ? "a/alarm" : "a/telemetry", alias, 1);
            rig_receive(sub, &m);
            while (m.retained || strstr(m.topic, "state"))
                rig_receive(sub, &m);
            assert_string_equal(m.topic, alias == 1 ? "a/alarm" : "a/telemetry");
        }
        rig_break_line(r, sub);
        rig_await(r, &r->lost, connection);
        rig_receive(sub, &m); /* the will */
    }
    (void)close(sub);
}

static void play_ack(struct played *p, const unsigned char id[2])
{
    const unsigned char puback[4] = {0x40, 2, id[0], id[1]};

    assert_int_equal(send(p->fd, puback, sizeof(puback), 0), sizeof(puback));
}

/* Takes a PUBLISH of MQTT 5: what it says of its topic, and its alias; acknowledges it when told to. */
static void take_publish(struct played *p, const char *topic, unsigned alias, bool ack)
{
    size_t at = 0;

    assert_int_equal(rig_packet(p->fd, p->body, sizeof(p->body), &p->length) & 0xf6, 0x32);
    at = (size_t)p->body[0] << 8 | p->body[1];
    assert_int_equal(at, strlen(topic));
    assert_memory_equal(p->body + 2, topic, at);
    assert_int_equal(p->body[4 + at], alias ? 3 : 0);
    if (alias) {
        assert_int_equal(p->body[5 + at], 0x23);
        assert_int_equal(p->body[7 + at], alias);
    }
    if (ack)
        play_ack(p, p->body + 2 + at);
}

static void alias_send(struct rig *r, unsigned alias, uint64_t token)
{
    const struct transport_publish publish = {.topic = alias == 1 ? "a/alarm" : "a/telemetry",
                                              .alias = alias,
                                              .payload = "x",
                                              .length = 1,
                                              .token = token};

    assert_int_equal(paho_transport.publish(r->transport, &publish), RG_OK);
}

static void an_alias_lives_no_longer_than_its_connection(void **state)
{
    static const unsigned char two[] = {0x20, 6, 0, 0, 3, 0x22, 0, 2}; /* Topic Alias Maximum 2 */
    static const unsigned char one[] = {0x20, 6, 0, 0, 3, 0x22, 0, 1};
    static const unsigned char none[] = {0x20, 3, 0, 0, 0};
    struct rig *r = *state;
    unsigned char first[2];
    struct played p;

    play(r, &p);
    play_connect(r, &p, two, sizeof(two));
    alias_send(r, 1, 1);
    take_publish(&p, "a/alarm", 1, false); /* tells it */
    memcpy(first, p.body + 9, 2);
    alias_send(r, 1, 2);
    take_publish(&p, "a/alarm", 1, true); /* the first was not certain to be there */
    play_ack(&p, first);
    rig_await(r, &r->acks, 2);
    alias_send(r, 1, 3);
    take_publish(&p, "", 1, true);
    rig_await(r, &r->acks, 3);
    alias_send(r, 2, 4);
    take_publish(&p, "a/telemetry", 2, false); /* told, not acknowledged */
    alias_send(r, 1, 5);
    take_publish(&p, "a/alarm", 0, false); /* something waits: this one might, too */
    (void)close(p.fd);
    rig_await(r, &r->lost, 1);

    play_connect(r, &p, two, sizeof(two));
    alias_send(r, 1, 6);
    take_publish(&p, "a/alarm", 1, true);
    rig_await(r, &r->acks, 4);
    alias_send(r, 1, 7);
    take_publish(&p, "", 1, false);
    (void)close(p.fd); /* with one on the way that had nothing but its alias */
    rig_await(r, &r->lost, 2);

    play_connect(r, &p, one, sizeof(one));
    alias_send(r, 1, 8);
    take_publish(&p, "a/alarm", 1, true);
    rig_await(r, &r->acks, 5);
    alias_send(r, 2, 9);
    take_publish(&p, "a/telemetry", 0, true); /* more than it takes */
    rig_await(r, &r->acks, 6);
    alias_send(r, 1, 10);
    take_publish(&p, "", 1, true);
    rig_await(r, &r->acks, 7);
    (void)close(p.fd);
    rig_await(r, &r->lost, 3);

    play_connect(r, &p, none, sizeof(none));
    alias_send(r, 1, 11);
    take_publish(&p, "a/alarm", 0, true);
    rig_await(r, &r->acks, 8);
    play_end(&p);
}

/* The line breaks while Paho has a message with nothing but its alias to send. It may go out on no other connection, and its
 * memory is not to be lost (the leak sanitizer would tell): its client is put aside, and messages have their topics from then on. The last
 * test: Paho forgets what its last client held when a new one is made. */
static void an_alias_left_over_is_put_aside(void **state)
{
    static const unsigned char two[] = {0x20, 6, 0, 0, 3, 0x22, 0, 2};
    const struct transport_publish bare = {
        .topic = "a/alarm", .alias = 1, .payload = "left", .length = 4, .token = 2};
    struct rig *r = *state;
    bool told = true;
    struct played p;

    play(r, &p);
    for (unsigned i = 1; i <= 8 && told; i++) {
        enum rg_err err;

        play_connect(r, &p, two, sizeof(two));
        alias_send(r, 1, 1);
        assert_int_equal(rig_packet(p.fd, p.body, sizeof(p.body), &p.length) & 0xf6, 0x32);
        assert_memory_equal(p.body, "\0\7a/alarm", 9);
        assert_int_equal(p.body[p.length - 1], 'x');
        told = p.body[11] != 0; /* properties: the alias is told */
        play_ack(&p, p.body + 9);
        rig_await(r, &r->acks, i);
        (void)close(p.fd);
        err = paho_transport.publish(r->transport, &bare);
        assert_true(err == RG_OK || err == RG_ESTATE);
        rig_await(r, &r->lost, i);
    }
    (void)close(p.listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(messages_come_by_mqtt5),
        TEST(messages_come_by_mqtt311),
        TEST(properties_go_there_and_back),
        TEST(a_retained_command_does_not_come),
        TEST(a_retained_command_is_marked_by_311),
        TEST(a_subscription_that_is_forbidden_is_told),
        TEST(a_subscription_that_is_forbidden_is_told_by_311),
        TEST(a_flood_of_commands_hurts_nothing),
        TEST(what_is_too_long_comes_without_its_text),
        TEST(aliases_reach_the_right_topics),
        TEST(an_alias_lives_no_longer_than_its_connection),
        TEST(an_alias_left_over_is_put_aside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
