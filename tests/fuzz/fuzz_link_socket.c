/* LINK rg_modbus */
/* The whole link, libmodbus included, on a socket pair whose other end is a unit that does as the fuzzer says, in time
 * that passes only when the link waits: answers right, refused, spoilt, cut, late, among any bytes, or none; on lines
 * that echo, declared or not; reads, writes, broadcasts.
 *
 * What must hold: DRIVER_OK only if what the unit has said since the request went out holds a valid answer to it, and
 * not one that the unit meant for another request; what is sent is sent once; every result has its text; every call
 * ends in time. Assumed, as debt.h says: the unit answers in order, and nothing later than a second. */
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "drivers/modbus/link.h"
#include "drivers/modbus/modbus_driver.h"
#include "drivers/modbus/raw.h"
#include "drivers/modbus/rtu.h"

#define TIMEOUT_MS 100
#define CALL_MAX_US                                                                                          \
    8000000 /* in the link's time: several proofs, each with its silence and time-out, and the grace */
#define STEPS 24
#define SAYINGS 64
#define REQUESTS 255 /* a number is a byte */
#define HEARD_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* Bytes that the unit will say. */
struct saying {
    int64_t at_us;
    bool hang_up; /* instead */
    size_t length;
    uint8_t bytes[300];
    uint8_t whose[300]; /* the number of the request to whose right answer the byte belongs; 0: to none */
};

static struct unit {
    bool awake; /* the world below stands before the C library's */
    int64_t now_us;
    unsigned waits;
    int fd; /* the unit's end; -1: no connection */
    bool tcp, echoes;
    const uint8_t *data; /* what the unit does, from the fuzzer */
    size_t size;
    uint8_t request[300];
    size_t request_length;
    unsigned requests;
    unsigned write_requests; /* in this call */
    bool forged;             /* on a line: any bytes have passed for a frame, its CRC right */
    struct saying sayings[SAYINGS];
    size_t first, count;
    uint8_t whose[HEARD_MAX];
    uint8_t heard[HEARD_MAX]; /* all that was said on this connection since the last request */
    size_t heard_length;
} unit;

static uint8_t next_byte(void)
{
    if (unit.size == 0)
        return 0;
    unit.size--;
    return *unit.data++;
}

/* ---- the unit ---- */

static size_t pdu_at(void)
{
    return unit.tcp ? 6 : 0;
}

static struct saying *say(int64_t delay_us)
{
    struct saying *s = &unit.sayings[(unit.first + unit.count) % SAYINGS];
    int64_t at_us = unit.now_us + delay_us;

    if (unit.count == SAYINGS)
        return NULL;
    if (unit.count > 0 && unit.sayings[(unit.first + unit.count - 1) % SAYINGS].at_us > at_us)
        at_us = unit.sayings[(unit.first + unit.count - 1) % SAYINGS].at_us; /* in order */
    *s = (struct saying){.at_us = at_us};
    unit.count++;
    return s;
}

/* The right answer to the request that has come, or an exception. Its data tell which request it answers. */
static size_t answer_of(uint8_t *out, uint8_t exception)
{
    const uint8_t *b = unit.request + pdu_at();
    uint8_t *body = out + pdu_at();
    size_t n = 6;

    memcpy(out, unit.request, pdu_at() + 6);
    if (exception) {
        body[1] |= 0x80;
        body[2] = exception;
        n = 3;
    } else if (b[1] <= 4) {
        const size_t count = (size_t)(b[4] << 8 | b[5]);
        const size_t bytes = b[1] <= 2 ? (count + 7) / 8 : 2 * count;

        body[2] = (uint8_t)bytes;
        memset(body + 3, (int)unit.requests, bytes);
        n = 3 + bytes;
    }
    if (unit.tcp) {
        out[4] = 0;
        out[5] = (uint8_t)n;
        return 6 + n;
    }
    const uint16_t crc = rtu_crc(body, n);

    out[n] = (uint8_t)crc;
    out[n + 1] = (uint8_t)(crc >> 8);
    return n + 2;
}

static void add_raw(struct saying *s)
{
    const size_t n = next_byte() % 64;

    for (size_t i = 0; i < n; i++) {
        const uint8_t byte = next_byte();

        /* The transaction id cannot be guessed, so 0xEE stands for its bytes. */
        s->bytes[s->length] = byte == 0xEE && unit.tcp ? unit.request[i & 1] : byte;
        s->length++;
    }
}

static void add_right(struct saying *s, const uint8_t *bytes, size_t length)
{
    memcpy(s->bytes + s->length, bytes, length);
    memset(s->whose + s->length, (int)unit.requests, length);
    s->length += length;
}

static void do_as_told(void)
{
    static const int64_t delays_us[8] = {1000, 10000, 40000, 90000, 110000, 200000, 500000, 900000};
    const uint8_t op = next_byte();
    struct saying *s;
    uint8_t whole[300];
    size_t length, half;

    if ((op & 7) == 0 || (s = say(delays_us[op >> 3 & 7])) == NULL)
        return;
    switch (op & 7) {
    case 1: /* any bytes before it */
        add_raw(s);
        /* fallthrough */
    case 2:
        length = answer_of(whole, 0);
        add_right(s, whole, length);
        break;
    case 3:
        length = answer_of(whole, (uint8_t)(1 + next_byte() % 11));
        add_right(s, whole, length);
        break;
    case 4:
        s->length = answer_of(s->bytes, 0);
        s->bytes[next_byte() % s->length] ^= (uint8_t)(1 + next_byte() % 255);
        break;
    case 5:
        add_raw(s);
        break;
    case 6: /* in two halves */
        length = answer_of(whole, 0);
        half = next_byte() % length;
        add_right(s, whole, half);
        s = say(delays_us[next_byte() & 3] + 20000);
        if (s)
            add_right(s, whole + half, length - half);
        break;
    default:
        s->hang_up = true;
        break;
    }
}

static void put_out(const uint8_t *bytes, size_t length)
{
    if (unit.fd >= 0 && length > 0)
        (void)!send(unit.fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_request(void)
{
    unit.requests++;
    check(unit.requests < REQUESTS);
    if (unit.request[pdu_at() + 1] > 4)
        unit.write_requests++;
    unit.heard_length = 0;
    if (unit.echoes)
        put_out(unit.request, unit.request_length);
    if (unit.tcp || unit.request[0] != 0)
        do_as_told();
    unit.request_length = 0;
}

static void listen_to_link(void)
{
    ssize_t n;

    while (unit.fd >= 0) {
        const size_t have = unit.request_length, at = pdu_at();
        size_t need = at + (unit.tcp ? 6 : 8);

        if (have > at + 6 && unit.request[at + 1] >= 15)
            need = at + 7u + unit.request[at + 6] + (unit.tcp ? 0 : 2);
        else if (have > at + 1 && unit.request[at + 1] >= 15)
            need = at + 7;
        if (have > 0 && have >= need) {
            on_request();
            continue;
        }
        n = recv(unit.fd, unit.request + have, need - have, MSG_DONTWAIT);
        if (n <= 0)
            return;
        unit.request_length += (size_t)n;
    }
}

static void hang_up(void)
{
    if (unit.fd >= 0)
        (void)close(unit.fd);
    unit.fd = -1;
    unit.count = 0;
    unit.request_length = 0;
}

/* The bytes are of one right answer. */
static bool are_of_one(size_t at, size_t length)
{
    for (size_t k = 0; k < length; k++) {
        if (unit.whose[at + k] == 0 || unit.whose[at + k] != unit.whose[at])
            return false;
    }
    return true;
}

/* Noise that is a frame, as seldom as its CRC is right by accident, says something of the unit that it did not say. What
 * follows from that is no fault of the link. */
static void look_for_forgery(size_t from)
{
    for (size_t i = from > RTU_FRAME_MAX ? from - RTU_FRAME_MAX : 0; i + 5 <= unit.heard_length; i++) {
        const size_t lengths[] = {5, 8, 5u + unit.heard[i + 2]};

        if (unit.heard[i] != 1 && unit.heard[i] != 2)
            continue;
        for (size_t k = 0; k < RG_COUNT(lengths); k++) {
            if (i + lengths[k] <= unit.heard_length && rtu_is_whole(unit.heard + i, lengths[k]) &&
                !are_of_one(i, lengths[k]))
                unit.forged = true;
        }
    }
}

static void speak(void)
{
    while (unit.count > 0 && unit.sayings[unit.first].at_us <= unit.now_us) {
        const struct saying *s = &unit.sayings[unit.first];

        if (s->hang_up) {
            hang_up();
            return;
        }
        put_out(s->bytes, s->length);
        check(unit.heard_length + s->length <= sizeof unit.heard);
        memcpy(unit.heard + unit.heard_length, s->bytes, s->length);
        memcpy(unit.whose + unit.heard_length, s->whose, s->length);
        unit.heard_length += s->length;
        if (!unit.tcp)
            look_for_forgery(unit.heard_length - s->length);
        unit.first = (unit.first + 1) % SAYINGS;
        unit.count--;
    }
}

/* ---- its time, and the sockets: these stand before the C library's ---- */

int clock_gettime(clockid_t id, struct timespec *out)
{
    if (!unit.awake || id != CLOCK_MONOTONIC) /* libFuzzer's alarm looks at the other, whenever it rings */
        return (int)syscall(SYS_clock_gettime, id, out);
    out->tv_sec = unit.now_us / 1000000;
    out->tv_nsec = unit.now_us % 1000000 * 1000;
    return 0;
}

static int wait_for(struct pollfd *fds, nfds_t n, int64_t until_us)
{
    check(++unit.waits < 20000); /* a link that spins */
    for (;;) {
        int64_t next_us = until_us;
        int ready;

        listen_to_link();
        speak();
        ready = poll(fds, n, 0);
        if (ready != 0)
            return ready;
        if (unit.count > 0 && unit.sayings[unit.first].at_us < next_us)
            next_us = unit.sayings[unit.first].at_us;
        if (unit.now_us >= until_us)
            return 0;
        unit.now_us = next_us > unit.now_us ? next_us : unit.now_us;
    }
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    if (!unit.awake)
        return (int)syscall(SYS_ppoll, fds, n, timeout, mask, 8);
    return wait_for(fds, n, unit.now_us + timeout->tv_sec * 1000000 + timeout->tv_nsec / 1000);
}

int socket(int domain, int type, int protocol)
{
    int pair[2];

    if (!unit.awake)
        return (int)syscall(SYS_socket, domain, type, protocol);
    hang_up();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -1;
    unit.fd = pair[1];
    unit.heard_length = 0;
    return pair[0];
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return unit.awake ? 0 : (int)syscall(SYS_connect, fd, address, length);
}

/* ---- the link ---- */

static const struct driver_raw raws[] = {
    {.unit = 1, .space = SPACE_HOLDING, .address = 0, .count = 1},
    {.unit = 1, .space = SPACE_HOLDING, .address = 10, .count = 4},
    {.unit = 1, .space = SPACE_COIL, .address = 0x310, .count = 20},
    {.unit = 2, .space = SPACE_INPUT, .address = 9, .count = 3},
    {.unit = 1, .space = SPACE_DISCRETE, .address = 0, .count = 9},
    {.write = true, .unit = 1, .space = SPACE_COIL, .address = 7, .count = 1, .values = {1}},
    {.write = true, .unit = 1, .space = SPACE_COIL, .address = 7, .count = 1, .values = {0}},
    {.write = true, .unit = 1, .space = SPACE_HOLDING, .address = 7, .count = 1, .values = {0x0102}},
    {.write = true, .unit = 2, .space = SPACE_HOLDING, .address = 7, .count = 1, .values = {1}},
    {.write = true, .unit = 1, .space = SPACE_COIL, .address = 7, .count = 9, .values = {1}},
    {.write = true, .unit = 1, .space = SPACE_HOLDING, .address = 0, .count = 3, .values = {1, 2, 3}},
    {.write = true, .unit = 1, .space = SPACE_HOLDING, .address = 0, .count = 3, .values = {3, 2, 1}},
    {.write = true, .unit = 0, .space = SPACE_HOLDING, .address = 0x118, .count = 1, .values = {1}},
};

/* The answer, as it must have been said. Returns its length. */
static size_t as_said(const struct ask *ask, const struct link_answer *got, uint8_t out[300])
{
    size_t n = 3 + got->length;

    out[0] = ask->unit;
    out[1] = ask->function;
    out[2] = (uint8_t)got->length;
    memcpy(out + 3, got->data, got->length);
    if (ask_is_write(ask)) {
        n = 6;
        for (unsigned i = 0; i < 4; i++)
            out[2 + i] = (uint8_t)(ask_shape(ask) >> (24 - 8 * i));
    }
    if (!unit.tcp) {
        const uint16_t crc = rtu_crc(out, n);

        out[n] = (uint8_t)crc;
        out[n + 1] = (uint8_t)(crc >> 8);
        n += 2;
    }
    return n;
}

/* The bytes were said since the request, and not as the answer to another one. */
static bool was_said(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i + length <= unit.heard_length; i++) {
        const bool others = are_of_one(i, length) && unit.whose[i] != unit.requests;

        if ((!others || unit.forged) && memcmp(unit.heard + i, bytes, length) == 0)
            return true;
    }
    return false;
}

static void ask_one(struct driver_link *l, const struct driver_raw *raw)
{
    const int64_t begun_us = unit.now_us;
    const bool to_all = !unit.tcp && raw->unit == 0;
    struct link_answer got;
    uint8_t bytes[300];
    struct ask ask;

    unit.write_requests = 0;
    check(raw_ask(raw, &ask) == NULL);
    link_ask(l, &ask, TIMEOUT_MS, &got);
    listen_to_link();
    check(unit.now_us - begun_us <= CALL_MAX_US);
    check(got.result == DRIVER_OK ? got.detail[0] == '\0' : got.detail[0] != '\0' && got.length == 0);
    check(got.result != DRIVER_EXCEPTION || got.exception != 0);
    check(!raw->write || unit.write_requests <= (got.sent ? 1u : 0u));
    if (got.result != DRIVER_OK || to_all)
        return;
    check(got.sent && got.length == ask_data_bytes(&ask));
    check(was_said(bytes, as_said(&ask, &got, bytes)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct site_bus bus = {.name = "bus", .host = "127.0.0.1", .port = 502, .baud = 9600};
    struct driver_link *l = NULL;

    if (size < 3)
        return 0;
    memset(&unit, 0, sizeof unit);
    unit.fd = -1;
    unit.now_us = 1000000;
    unit.tcp = data[0] & 1;
    unit.echoes = !unit.tcp && data[0] & 2;
    bus.kind = unit.tcp ? BUS_TCP : BUS_RTU_OVER_TCP;
    bus.echo = !unit.tcp && data[0] & 4;
    bus.gap_ms = data[0] & 8 ? 20 : 0;
    unit.data = data + 1;
    unit.size = size - 1;
    check(link_create(&bus, &l) == RG_OK);
    unit.awake = true;
    for (unsigned step = 0; step < STEPS && unit.size > 0; step++)
        ask_one(l, &raws[next_byte() % RG_COUNT(raws)]);
    unit.awake = false;
    link_destroy(l);
    hang_up();
    return 0;
}
