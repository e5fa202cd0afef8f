#include "drivers/modbus/lookup.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "drivers/modbus/line.h"

#define SERVICE_MAX 8

struct lookup {
    atomic_int owners; /* the link and the thread: who leaves last frees */
    atomic_bool done;
    int done_fd; /* eventfd: readable once it is */
    int gai;     /* from here on the thread's until done */
    int err;     /* with EAI_SYSTEM */
    struct addrinfo *list;
    char service[SERVICE_MAX];
    char host[];
};

static const struct addrinfo hints = {
    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};

static void leave(struct lookup *l)
{
    if (atomic_fetch_sub(&l->owners, 1) > 1)
        return;
    if (l->list)
        freeaddrinfo(l->list);
    if (l->done_fd >= 0)
        (void)close(l->done_fd);
    free(l);
}

static void *lookup_run(void *arg)
{
    struct lookup *l = arg;
    const uint64_t one = 1;
    ssize_t written;

    (void)pthread_detach(pthread_self()); /* nobody waits for it */
    l->gai = getaddrinfo(l->host, l->service, &hints, &l->list);
    l->err = l->gai == EAI_SYSTEM ? errno : 0;
    if (l->gai != 0)
        l->list = NULL;
    atomic_store(&l->done, true);
    written = write(l->done_fd, &one, sizeof one);
    (void)written; /* cannot fail: the counter is 0 */
    leave(l);
    return NULL;
}

static int lookup_begin(const char *host, const char *service, struct lookup **out)
{
    const size_t length = strlen(host);
    struct lookup *l = calloc(1, sizeof *l + length + 1);
    pthread_t thread;
    int err;

    if (!l)
        return ENOMEM;
    memcpy(l->host, host, length + 1);
    memcpy(l->service, service, SERVICE_MAX);
    atomic_init(&l->owners, 2);
    atomic_init(&l->done, false);
    l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = l->done_fd < 0 ? errno : pthread_create(&thread, NULL, lookup_run, l);
    if (err != 0) {
        atomic_store(&l->owners, 1);
        leave(l);
        return err;
    }
    *out = l;
    return 0;
}

static int result_of(int gai, int err, const char **why)
{
    *why = gai == 0 || gai == EAI_SYSTEM ? NULL : gai_strerror(gai);
    return gai == 0 ? 0 : gai == EAI_SYSTEM ? err : EHOSTUNREACH;
}

int lookup_host(const char *host, uint16_t port, int cancel_fd, int64_t until_us, struct lookup **pending,
                struct addrinfo **out, const char **why)
{
    struct addrinfo numeric = hints;
    char service[SERVICE_MAX];
    struct lookup *l;
    int err = 0;

    *out = NULL;
    *why = NULL;
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    numeric.ai_flags |= AI_NUMERICHOST;
    if (!*pending && getaddrinfo(host, service, &numeric, out) == 0)
        return 0;
    *out = NULL;
    if (!*pending)
        err = lookup_begin(host, service, pending);
    if (err != 0)
        return err;
    l = *pending;
    if (!atomic_load(&l->done) && line_wait(l->done_fd, cancel_fd, until_us) == LINE_CANCELLED)
        return ECANCELED;
    if (!atomic_load(&l->done)) {
        *why = "the name server does not answer";
        return ETIMEDOUT;
    }
    *pending = NULL;
    err = result_of(l->gai, l->err, why);
    *out = l->list;
    l->list = NULL;
    leave(l);
    return err;
}

void lookup_abandon(struct lookup *l)
{
    if (l)
        leave(l);
}
