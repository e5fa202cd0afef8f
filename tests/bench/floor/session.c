#include "session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define ROOM (16u << 20) /* many times a message of riskgate's */
#define TEXT_MAX 100u

static void send_all(int fd, const void *bytes, size_t length)
{
    measure_need(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length,
                 "the broker does not take what is sent");
}

/* A string with its length before it (MQTT 3.1.1, 1.5.3). */
static size_t put_text(uint8_t *to, const char *text)
{
    size_t length = strlen(text);

    measure_need(length <= TEXT_MAX, "too long a name");
    to[0] = 0;
    to[1] = (uint8_t)length;
    (void)memcpy(to + 2, text, length);
    return length + 2;
}

static void send_connect(int fd, const char *name)
{
    static const uint8_t head[] = "\x10\0\0\4MQTT\4\2\0\0"; /* clean session, no keep-alive */
    uint8_t packet[sizeof head + TEXT_MAX + 2];
    size_t length = sizeof head - 1;

    (void)memcpy(packet, head, length);
    length += put_text(packet + length, name);
    packet[1] = (uint8_t)(length - 2);
    send_all(fd, packet, length);
}

static void send_subscribe(int fd, const char *topic)
{
    uint8_t packet[TEXT_MAX + 8] = {0x82, 0, 0, 1};
    size_t length = 4;

    length += put_text(packet + length, topic);
    packet[length++] = 1; /* QoS */
    packet[1] = (uint8_t)(length - 2);
    send_all(fd, packet, length);
}

void session_open(struct session *s, long port, const char *name, const char *topic,
                  session_message_cb message, void *arg)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;

    *s = (struct session){.message = message, .arg = arg, .bytes = malloc(ROOM)};
    measure_need(s->bytes != NULL, "out of memory");
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    measure_need(s->fd >= 0 && connect(s->fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
                     setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
                 "no broker there");
    send_connect(s->fd, name);
    send_subscribe(s->fd, topic);
}

void session_close(struct session *s)
{
    (void)close(s->fd);
    free(s->bytes);
}

static void flush_acks(struct session *s)
{
    if (s->acks_length > 0)
        send_all(s->fd, s->acks, s->acks_length);
    s->acks_length = 0;
}

static void take_packet(struct session *s, uint8_t head, const uint8_t *body, size_t length)
{
    size_t topic;

    if (head >> 4 == 2 || head >> 4 == 9) { /* CONNACK, SUBACK */
        measure_need(length >= 2 && body[length - 1] < 3, "the broker refuses");
        return;
    }
    measure_need(head >> 4 == 3 && length >= 2, "not what a broker sends");
    topic = (size_t)body[0] << 8 | body[1];
    measure_need(length >= topic + 4 && (head >> 1 & 3) == 1, "not what a broker sends at QoS 1");
    if (s->acks_length == sizeof s->acks)
        flush_acks(s);
    (void)memcpy(s->acks + s->acks_length, (const uint8_t[]){0x40, 2, body[2 + topic], body[3 + topic]}, 4);
    s->acks_length += 4;
    s->message(s->arg, (const char *)body + topic + 4, length - topic - 4);
}

/* The bytes of the first packet, or 0 when not all of it is there. */
static size_t whole_packet(const uint8_t *bytes, size_t length, size_t *header)
{
    size_t remaining = 0, at = 1;

    for (unsigned shift = 0; at < length && shift < 28; shift += 7, at++) {
        remaining |= (size_t)(bytes[at] & 0x7f) << shift;
        if (!(bytes[at] & 0x80)) {
            *header = at + 1;
            return at + 1 + remaining <= length ? at + 1 + remaining : 0;
        }
    }
    return 0;
}

bool session_read(struct session *s)
{
    const ssize_t got = read(s->fd, s->bytes + s->length, ROOM - s->length);
    size_t at = 0, header = 0, size;

    if (got <= 0)
        return false;
    s->length += (size_t)got;
    while ((size = whole_packet(s->bytes + at, s->length - at, &header)) > 0) {
        take_packet(s, s->bytes[at], s->bytes + at + header, size - header);
        at += size;
    }
    (void)memmove(s->bytes, s->bytes + at, s->length - at);
    s->length -= at;
    measure_need(s->length < ROOM, "a message larger than there is room for");
    flush_acks(s);
    return true;
}
