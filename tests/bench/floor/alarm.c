/* How long an alarm takes, from the arrival of the answer that shows it to a subscriber, and beside it its floor: one commit (FULL) and one
 * publish at QoS 1 with its acknowledgement, on the gateway's core.
 *
 * Two devices, each with an alarm of its own: "burst" is meant to be polled at the instants of all others, "between" more often. Each new alarm
 * or its end is shown once the one before has arrived; the floor is measured in turn with those of "between". */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "database.h"
#include "measure.h"
#include "publisher.h"
#include "session.h"

#define DETECTORS 2
#define PEERS_MAX 4
#define REGISTERS_MAX 125
#define REQUEST_BYTES 12
#define RECORD_BYTES 400 /* what an alarm is */
#define REST_MAX_US 100000
#define PATIENCE_US 60000000

enum phase { RESTING, ARMED, SHOWN };

/* An alarm that begins and ends. Values are such that none is like the one before, nor like any of the other detector. */
struct detector {
    const char *name;
    uint16_t raised, cleared; /* the first values of either kind */
    int listener;
    int peers[PEERS_MAX];
    uint16_t value, other; /* of register 0; of those behind it */
    unsigned number;
    enum phase phase;
    int64_t at_us;   /* when it was shown; at rest: until when */
    char needle[32]; /* the value in the record of its alarm */
    struct measure_spread way;
};

struct floor_work {
    long port, core;
    const char *folder;
    sem_t wanted;
    int done[2]; /* a pipe: a byte for each */
    bool end;
    struct measure_spread commit, trip, sum;
};

struct bench {
    struct detector detectors[DETECTORS];
    struct session session;
    struct floor_work floor;
    bool begun;
    bool measuring;  /* the floor is being */
    int64_t read_us; /* when what is being read was there */
};

/* ---- the floor ---- */

static void floor_once(struct floor_work *w, struct database *d, struct publisher *p)
{
    char body[RECORD_BYTES];
    struct measure_moment begin = measure_now(), middle;
    int64_t commit_us, trip_us;

    (void)memset(body, '7', sizeof body);
    database_begin(d);
    database_insert(d, 1, body, sizeof body);
    (void)database_commit(d);
    middle = measure_now();
    publisher_send(p, body, sizeof body, 1);
    publisher_wait(p);
    trip_us = measure_since(middle).mono_us;
    commit_us = middle.mono_us - begin.mono_us;
    spread_add(&w->commit, commit_us);
    spread_add(&w->trip, trip_us);
    spread_add(&w->sum, commit_us + trip_us);
}

static void *floor_main(void *arg)
{
    struct floor_work *w = arg;
    struct database d;
    struct publisher p;
    cpu_set_t core;

    CPU_ZERO(&core);
    CPU_SET((size_t)w->core, &core);
    measure_need(pthread_setaffinity_np(pthread_self(), sizeof core, &core) == 0, "no such core");
    database_open(&d, w->folder, "FULL");
    publisher_open(&p, w->port);
    for (;;) {
        while (sem_wait(&w->wanted) != 0) {
        }
        if (w->end)
            break;
        floor_once(w, &d, &p);
        measure_need(write(w->done[1], "", 1) == 1, "pipe");
    }
    publisher_close(&p);
    database_close(&d);
    return NULL;
}

static pthread_t floor_start(struct floor_work *w)
{
    pthread_t thread = {0};

    spread_create(&w->commit);
    spread_create(&w->trip);
    spread_create(&w->sum);
    measure_need(sem_init(&w->wanted, 0, 0) == 0 && pipe(w->done) == 0 &&
                     pthread_create(&thread, NULL, floor_main, w) == 0,
                 "no thread");
    return thread;
}

static void floor_stop(struct floor_work *w, pthread_t thread)
{
    w->end = true;
    measure_need(sem_post(&w->wanted) == 0 && pthread_join(thread, NULL) == 0, "the thread does not end");
    spread_destroy(&w->commit);
    spread_destroy(&w->trip);
    spread_destroy(&w->sum);
    (void)close(w->done[0]);
    (void)close(w->done[1]);
    (void)sem_destroy(&w->wanted);
}

/* ---- the devices ---- */

static void listen_at(struct detector *d)
{
    const struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    measure_need(d->listener >= 0 && bind(d->listener, (const struct sockaddr *)&at, sizeof at) == 0 &&
                     listen(d->listener, PEERS_MAX) == 0,
                 "no port to be had");
}

static unsigned port_of(const struct detector *d)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;

    measure_need(getsockname(d->listener, (struct sockaddr *)&at, &size) == 0, "no port to be had");
    return ntohs(at.sin_port);
}

static void take_peer(struct detector *d)
{
    const int on = 1;
    int fd = accept(d->listener, NULL, NULL);

    for (size_t i = 0; i < PEERS_MAX && fd >= 0; i++) {
        if (d->peers[i] >= 0)
            continue;
        d->peers[i] = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        fd = -1;
    }
    if (fd >= 0)
        (void)close(fd);
}

static void drop_peer(struct detector *d, size_t peer)
{
    (void)close(d->peers[peer]);
    d->peers[peer] = -1;
}

static void put16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* "Read holding registers" from the first one on (Modbus Application Protocol 1.1b3, 6.3), which is all that is asked of it. */
static void answer(struct detector *d, size_t peer)
{
    uint8_t request[REQUEST_BYTES], reply[9 + 2 * REGISTERS_MAX];
    const ssize_t got = recv(d->peers[peer], request, sizeof request, MSG_WAITALL);
    int64_t shown_us;
    size_t count;

    if (got != (ssize_t)sizeof request) {
        drop_peer(d, peer);
        return;
    }
    count = (size_t)request[10] << 8 | request[11];
    measure_need(request[7] == 3 && count >= 1 && count <= REGISTERS_MAX, "a request that was not foreseen");
    (void)memcpy(reply, request, 4);
    put16(reply + 4, (unsigned)(3 + 2 * count));
    reply[6] = request[6];
    reply[7] = request[7];
    reply[8] = (uint8_t)(2 * count);
    put16(reply + 9, d->value);
    for (size_t i = 1; i < count; i++)
        put16(reply + 9 + 2 * i, 10000u + (d->other++ & 0x7fff));
    shown_us = measure_now().mono_us;
    if (send(d->peers[peer], reply, 9 + 2 * count, MSG_NOSIGNAL) != (ssize_t)(9 + 2 * count)) {
        drop_peer(d, peer); /* whoever asked has given up; he will ask again */
    } else if (d->phase == ARMED) {
        d->phase = SHOWN;
        d->at_us = shown_us;
    }
}

/* ---- alarms ---- */

static void arm(struct detector *d)
{
    d->number++;
    d->value = (uint16_t)((d->number % 2 == 1 ? d->raised : d->cleared) + d->number / 2 % 1000);
    (void)snprintf(d->needle, sizeof d->needle, "\"value\":%u,", (unsigned)d->value);
    d->phase = ARMED;
}

static void rest(struct detector *d, int64_t now_us)
{
    d->phase = RESTING;
    d->at_us = now_us + random() % REST_MAX_US;
}

static void message_cb(void *arg, const char *payload, size_t length)
{
    struct bench *b = arg;

    for (size_t i = 0; i < DETECTORS; i++) {
        struct detector *d = &b->detectors[i];

        if (d->phase != SHOWN || memmem(payload, length, d->needle, strlen(d->needle)) == NULL)
            continue;
        spread_add(&d->way, b->read_us - d->at_us);
        d->phase = RESTING;
        d->at_us = 0;
        if (i > 0) { /* rests until its floor has been measured, and a while */
            d->at_us = INT64_MAX;
            b->measuring = true;
            measure_need(sem_post(&b->floor.wanted) == 0, "sem_post");
        }
    }
}

static void look(struct bench *b, int64_t now_us)
{
    for (size_t i = 0; i < DETECTORS && b->begun; i++) {
        struct detector *d = &b->detectors[i];

        if (d->phase == RESTING && now_us >= d->at_us)
            arm(d);
        measure_need(d->phase != SHOWN || now_us - d->at_us < PATIENCE_US, "an alarm does not arrive");
    }
}

/* ---- all of it ---- */

static void round_of(struct bench *b, bool *line)
{
    struct pollfd fds[3 + DETECTORS * (1 + PEERS_MAX)] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                                          {.fd = b->session.fd, .events = POLLIN},
                                                          {.fd = b->floor.done[0], .events = POLLIN}};
    nfds_t n = 3;
    char byte;

    for (size_t i = 0; i < DETECTORS; i++) {
        fds[n++] = (struct pollfd){.fd = b->detectors[i].listener, .events = POLLIN};
        for (size_t k = 0; k < PEERS_MAX; k++)
            fds[n++] = (struct pollfd){.fd = b->detectors[i].peers[k], .events = POLLIN};
    }
    measure_need(poll(fds, n, 5) >= 0, "poll");
    b->read_us = measure_now().mono_us;
    for (size_t i = 0; i < DETECTORS; i++) {
        const struct pollfd *of = fds + 3 + i * (1 + PEERS_MAX);

        if (of->revents != 0)
            take_peer(&b->detectors[i]);
        for (size_t k = 0; k < PEERS_MAX; k++)
            if (of[1 + k].fd >= 0 && of[1 + k].revents != 0)
                answer(&b->detectors[i], k);
    }
    if (fds[1].revents != 0)
        measure_need(session_read(&b->session), "the broker is gone");
    if (fds[2].revents != 0 && read(b->floor.done[0], &byte, 1) == 1) {
        rest(&b->detectors[1], b->read_us);
        b->measuring = false;
    }
    *line = fds[0].revents != 0;
    look(b, b->read_us);
}

static void tell(struct bench *b)
{
    const struct {
        const char *name;
        struct measure_spread *spread;
    } all[] = {
        {b->detectors[0].name, &b->detectors[0].way},
        {b->detectors[1].name, &b->detectors[1].way},
        {"commit", &b->floor.commit},
        {"trip", &b->floor.trip},
        {"floor", &b->floor.sum},
    };

    (void)printf("{");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        (void)printf("%s\"%s_count\":%zu,", i > 0 ? "," : "", all[i].name, all[i].spread->count);
        spread_print(all[i].spread, all[i].name);
    }
    (void)printf("}\n");
    (void)fflush(stdout);
}

/* Serves until standard input ends. A line on it begins the alarms, the next one asks what they took, and so on. */
static void serve(struct bench *b)
{
    char text[256];
    bool line = false;

    for (;;) {
        round_of(b, &line);
        if (!line || b->measuring)
            continue;
        if (read(STDIN_FILENO, text, sizeof text) <= 0)
            return;
        if (b->begun)
            tell(b);
        b->begun = true;
    }
}

int floor_alarm(int count, char **arguments)
{
    static struct bench b = {.detectors = {{.name = "burst", .raised = 31000, .cleared = 11000},
                                           {.name = "between", .raised = 35000, .cleared = 15000}}};
    pthread_t thread;

    if (count != 3)
        return 2;
    b.floor.port = measure_number(arguments[0], "a port is a number");
    b.floor.core = measure_number(arguments[1], "one more than the core's number") - 1;
    b.floor.folder = arguments[2];
    for (size_t i = 0; i < DETECTORS; i++) {
        struct detector *d = &b.detectors[i];

        for (size_t k = 0; k < PEERS_MAX; k++)
            d->peers[k] = -1;
        d->value = d->cleared;
        spread_create(&d->way);
        listen_at(d);
    }
    session_open(&b.session, b.floor.port, "alarms", "riskgate/v1/+/+/alarm", message_cb, &b);
    thread = floor_start(&b.floor);
    (void)printf("{\"burst\":%u,\"between\":%u}\n", port_of(&b.detectors[0]), port_of(&b.detectors[1]));
    (void)fflush(stdout);
    serve(&b);
    floor_stop(&b.floor, thread);
    session_close(&b.session);
    for (size_t i = 0; i < DETECTORS; i++) {
        spread_destroy(&b.detectors[i].way);
        (void)close(b.detectors[i].listener);
    }
    return 0;
}
