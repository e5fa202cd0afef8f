/* Counts what arrives on riskgate's telemetry topics, cheaply: MQTT 3.1.1 by hand (so that it owes nothing to the client it judges), no JSON
 * parsed, acknowledgements together. Each line on standard input asks for the counters; its end ends the program. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define ROOM                                                                                                 \
    (16u << 20) /* of what has been read and not yet understood: many times a message of riskgate's */
#define ACKS_MAX 1024u

struct subscriber {
    int fd;
    uint8_t *bytes; /* [ROOM] */
    size_t length;
    uint8_t acks[ACKS_MAX * 4];
    size_t acks_length;
    uint64_t messages, records, points, bad, payload;
};

static void send_all(int fd, const void *bytes, size_t length)
{
    measure_need(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length,
                 "the broker does not take what is sent");
}

static void open_session(struct subscriber *s, long port)
{
    static const uint8_t connect_packet[] = "\x10\x12\0\4MQTT\4\2\0\0\0\6counts";
    static const uint8_t subscribe_packet[] = "\x82\x1e\0\1\0\x19riskgate/v1/+/+/telemetry\1";
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    measure_need(s->fd >= 0 && connect(s->fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
                     setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
                 "no broker there");
    send_all(s->fd, connect_packet, sizeof connect_packet - 1);
    send_all(s->fd, subscribe_packet, sizeof subscribe_packet - 1);
}

static uint64_t count_byte(const char *text, size_t length, char byte)
{
    uint64_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += text[i] == byte;
    return count;
}

/* Names have neither colons nor braces in them, so a colon is a value. */
static uint64_t count_members(const char **text, const char *end, const char *key)
{
    const char *open = memmem(*text, (size_t)(end - *text), key, strlen(key));
    const char *close;

    if (open == NULL)
        return 0;
    open += strlen(key);
    close = memchr(open, '}', (size_t)(end - open));
    measure_need(close != NULL, "a record without an end");
    *text = close;
    return count_byte(open, (size_t)(close - open), ':');
}

static void count_records(struct subscriber *s, const char *text, size_t length)
{
    const char *end = text + length;

    for (const char *next = text; text != NULL; text = next) {
        const char *record = memmem(text, (size_t)(end - text), "{\"seq\":", 7);

        if (record == NULL)
            return;
        s->records++;
        next = memmem(record + 7, (size_t)(end - record - 7), "{\"seq\":", 7);
        s->points += count_members(&record, next != NULL ? next : end, "\"values\":{");
        s->bad += count_members(&record, next != NULL ? next : end, "\"bad\":{");
    }
}

static void flush_acks(struct subscriber *s)
{
    if (s->acks_length > 0)
        send_all(s->fd, s->acks, s->acks_length);
    s->acks_length = 0;
}

static void take_packet(struct subscriber *s, uint8_t head, const uint8_t *body, size_t length)
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
    s->messages++;
    s->payload += length - topic - 4;
    count_records(s, (const char *)body + topic + 4, length - topic - 4);
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

static bool take_bytes(struct subscriber *s)
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

static void tell(const struct subscriber *s)
{
    (void)printf("{\"messages\":%" PRIu64 ",\"records\":%" PRIu64 ",\"points\":%" PRIu64 ",\"bad\":%" PRIu64
                 ",\"bytes\":%" PRIu64 "}\n",
                 s->messages, s->records, s->points, s->bad, s->payload);
    (void)fflush(stdout);
}

int floor_subscribe(int count, char **arguments)
{
    struct subscriber s = {.bytes = malloc(ROOM)};
    char line[256];
    bool open = true;

    if (count != 1) {
        free(s.bytes);
        return 2;
    }
    measure_need(s.bytes != NULL, "out of memory");
    open_session(&s, measure_number(arguments[0], "a port is a number"));
    while (open) {
        struct pollfd ready[] = {{.fd = s.fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};

        measure_need(poll(ready, 2, -1) > 0, "poll");
        if (ready[0].revents != 0)
            measure_need(take_bytes(&s), "the broker is gone");
        if (ready[1].revents != 0) {
            open = read(STDIN_FILENO, line, sizeof line) > 0;
            if (open)
                tell(&s);
        }
    }
    (void)close(s.fd);
    free(s.bytes);
    return 0;
}
