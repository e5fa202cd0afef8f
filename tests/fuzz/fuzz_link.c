/* LINK rg_modbus */
/* A peer whose answers are the fuzzer's bytes, over Modbus TCP or RTU over TCP: never DRIVER_OK unless,
 * from some frame boundary on, the bytes are an answer to this very request; never a result without its
 * text; never a hang. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/modbus/link.h"

#define TIMEOUT_MS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* Each request gets the next chunk: its length (one byte), then so many bytes; 0: no answer. */
struct peer {
    int listen_fd;
    const uint8_t *data;
    size_t size;
    size_t request_bytes;
    pthread_mutex_t lock; /* around what has been said */
    uint8_t said[2048];
    size_t said_bytes;
};

/* Noted before it is sent: the link may have it before this thread runs on. */
static void note(struct peer *p, const uint8_t *chunk, size_t n)
{
    (void)pthread_mutex_lock(&p->lock);
    memcpy(p->said + p->said_bytes, chunk, n);
    p->said_bytes += n;
    (void)pthread_mutex_unlock(&p->lock);
}

static void *peer_run(void *arg)
{
    struct peer *p = arg;
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    int fd;

    while ((fd = accept(p->listen_fd, NULL, NULL)) >= 0) {
        uint8_t request[16];

        while (recv(fd, request, p->request_bytes, MSG_WAITALL) == (ssize_t)p->request_bytes) {
            size_t n = p->size > 0 ? p->data[0] : 0;

            if (p->size > 0) {
                p->data++;
                p->size--;
            }
            if (n > p->size)
                n = p->size;
            /* The transaction id cannot be guessed, so 0xEE stands for its bytes. */
            uint8_t chunk[256];

            memcpy(chunk, p->data, n);
            for (size_t i = 0; p->request_bytes == 12 && i + 1 < n; i++) {
                if (chunk[i] == 0xEE && chunk[i + 1] == 0xEE)
                    memcpy(chunk + i, request, 2);
            }
            note(p, chunk, n);
            if (n > 0 && send(fd, chunk, n, MSG_NOSIGNAL) < 0)
                break;
            p->data += n;
            p->size -= n;
        }
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        (void)close(fd);
    }
    return NULL;
}

/* The answer's body must lie somewhere in what the peer has said. */
static bool was_said(struct peer *p, const struct ask *ask, const struct link_answer *a)
{
    uint8_t body[3 + ASK_DATA_MAX];
    bool found;

    body[0] = ask->unit;
    body[1] = ask->function;
    body[2] = (uint8_t)a->length;
    memcpy(body + 3, a->data, a->length);
    (void)pthread_mutex_lock(&p->lock);
    found = memmem(p->said, p->said_bytes, body, 3 + a->length) != NULL;
    (void)pthread_mutex_unlock(&p->lock);
    return found;
}

static void ask_all(struct driver_link *l, struct peer *p)
{
    static const struct ask asks[] = {
        {.unit = 1, .function = 3, .address = 0, .count = 1, .limit = 125},
        {.unit = 1, .function = 3, .address = 0, .count = 2, .limit = 125},
        {.unit = 2, .function = 4, .address = 9, .count = 3, .limit = 125},
        {.unit = 1, .function = 1, .address = 0, .count = 9, .limit = 125},
    };

    for (size_t i = 0; i < RG_COUNT(asks); i++) {
        struct link_answer a;

        link_ask(l, &asks[i], TIMEOUT_MS, &a);
        if (a.result == DRIVER_OK)
            check(a.length == ask_data_bytes(&asks[i]) && was_said(p, &asks[i], &a));
        else
            check(a.length == 0 && a.detail[0] != '\0');
        if (a.result == DRIVER_EXCEPTION)
            check(a.exception != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct site_bus bus = {.name = "bus", .host = "127.0.0.1"};
    struct driver_link *l = NULL;
    struct peer p = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;

    if (size < 2 || size > 2000)
        return 0;
    bus.kind = data[0] & 1 ? BUS_RTU_OVER_TCP : BUS_TCP;
    p.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    p.data = data + 1;
    p.size = size - 1;
    p.request_bytes = bus.kind == BUS_TCP ? 12 : 8;
    check(p.listen_fd >= 0 && bind(p.listen_fd, (struct sockaddr *)&address, sizeof address) == 0 &&
          listen(p.listen_fd, 8) == 0 && getsockname(p.listen_fd, (struct sockaddr *)&address, &length) == 0);
    bus.port = ntohs(address.sin_port);
    check(pthread_create(&thread, NULL, peer_run, &p) == 0);
    check(link_create(&bus, &l) == RG_OK);
    ask_all(l, &p);
    link_destroy(l);
    (void)shutdown(p.listen_fd, SHUT_RDWR);
    (void)pthread_join(thread, NULL);
    (void)close(p.listen_fd);
    (void)pthread_mutex_destroy(&p.lock);
    return 0;
}
