/* Counts what arrives on riskgate's telemetry topics, cheaply: no JSON parsed. Each line on standard input asks for the counters; its end ends
 * the program. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "session.h"

struct counts {
    uint64_t messages, records, points, bad, payload;
    /* Of what was missed before, and is sent beside what is new. */
    uint64_t fill_records, fill_points;
    int64_t fill_first_us, fill_last_us; /* monotonic: its first and last message; 0: none */
    /* How old the first record of a message was that came while back-fill did, microseconds. */
    struct measure_spread live;
};

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

static void count_records(struct counts *c, const char *text, size_t length)
{
    const char *end = text + length;

    for (const char *next = text; text != NULL; text = next) {
        const char *record = memmem(text, (size_t)(end - text), "{\"seq\":", 7);

        if (record == NULL)
            return;
        c->records++;
        next = memmem(record + 7, (size_t)(end - record - 7), "{\"seq\":", 7);
        c->points += count_members(&record, next != NULL ? next : end, "\"values\":{");
        c->bad += count_members(&record, next != NULL ? next : end, "\"bad\":{");
    }
}

static int64_t wall_us(void)
{
    struct timespec now;

    measure_need(clock_gettime(CLOCK_REALTIME, &now) == 0, "no clock");
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void note_age(struct counts *c, const char *text, size_t length)
{
    static const char key[] = "\"ts\":";
    const char *ts = memmem(text, length, key, sizeof key - 1);
    int64_t age_us;

    measure_need(ts != NULL, "a record without its time");
    age_us = wall_us() - strtoll(ts + sizeof key - 1, NULL, 10) * 1000;
    spread_add(&c->live, age_us > 0 ? age_us : 0);
}

static void message_cb(void *arg, const char *payload, size_t length)
{
    static const char fill[] = "\"backfill\":true";
    struct counts *c = arg;
    const uint64_t records = c->records, points = c->points;

    c->messages++;
    c->payload += length;
    count_records(c, payload, length);
    if (memmem(payload, length < 200 ? length : 200, fill, sizeof fill - 1) != NULL) {
        c->fill_records += c->records - records;
        c->fill_points += c->points - points;
        c->fill_last_us = measure_now().mono_us;
        if (c->fill_first_us == 0)
            c->fill_first_us = c->fill_last_us;
    } else if (c->fill_first_us != 0) {
        note_age(c, payload, length);
    }
}

static void tell(struct counts *c)
{
    (void)printf("{\"messages\":%" PRIu64 ",\"records\":%" PRIu64 ",\"points\":%" PRIu64 ",\"bad\":%" PRIu64
                 ",\"bytes\":%" PRIu64 ",\"fill_records\":%" PRIu64 ",\"fill_points\":%" PRIu64
                 ",\"fill_us\":%" PRId64 ",\"live_messages\":%zu,",
                 c->messages, c->records, c->points, c->bad, c->payload, c->fill_records, c->fill_points,
                 c->fill_last_us - c->fill_first_us, c->live.count);
    spread_print(&c->live, "live");
    (void)printf("}\n");
    (void)fflush(stdout);
}

int floor_subscribe(int count, char **arguments)
{
    struct session s;
    struct counts c = {0};
    char line[256];
    bool open = true;

    if (count != 1)
        return 2;
    spread_create(&c.live);
    session_open(&s, measure_number(arguments[0], "a port is a number"), "counts",
                 "riskgate/v1/+/+/telemetry", message_cb, &c);
    while (open) {
        struct pollfd ready[] = {{.fd = s.fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};

        measure_need(poll(ready, 2, -1) > 0, "poll");
        if (ready[0].revents != 0)
            measure_need(session_read(&s), "the broker is gone");
        if (ready[1].revents != 0) {
            open = read(STDIN_FILENO, line, sizeof line) > 0;
            if (open)
                tell(&c);
        }
    }
    session_close(&s);
    spread_destroy(&c.live);
    return 0;
}
