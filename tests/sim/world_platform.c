/* The platforms: brokers whose every message is judged as riskgate-platform judges it. */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "world.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WORLD_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WORLD_ASAN 1
#endif

#ifdef WORLD_ASAN
/* Of the sanitizer's allocator, under which mallinfo2 knows nothing; its header is not everywhere. */
size_t __sanitizer_get_current_allocated_bytes(void);

size_t world_allocated(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
size_t world_allocated(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}
#endif

int64_t world_memory(const struct world *w)
{
    int64_t platforms = 0;

    for (unsigned i = 0; i < WORLD_UPLINKS; i++)
        platforms += w->platforms[i].bytes;
    return (int64_t)world_allocated() - platforms - (int64_t)sqlite3_memory_used();
}

int64_t world_page_cache(void)
{
    return sqlite3_memory_used();
}

unsigned world_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        (void)closedir(dir);
    return count;
}

/* The time between two risk documents on one connection. */
static void note_risk(struct world_platform *p, const struct support_message *m)
{
    if (p->risk_connection == m->connection && m->at_ms - p->risk_ms > p->risk_gap_ms)
        p->risk_gap_ms = m->at_ms - p->risk_ms;
    p->risk_connection = m->connection;
    p->risk_ms = m->at_ms;
    p->risks++;
}

static void arrived_cb(void *arg, const struct support_message *m)
{
    static const char root[] = "riskgate/v1/" WORLD_ENTERPRISE "/" WORLD_GATEWAY "/";
    struct world_platform *p = arg;
    int64_t before = (int64_t)world_allocated();
    struct platform_message message = {.payload = m->payload, .length = m->length, .qos = 1};

    WORLD_CHECK(p->world, strncmp(m->topic, root, sizeof root - 1) == 0, "topic %s", m->topic);
    message.topic = m->topic + sizeof root - 1;
    /* A subscriber that is there sees only what is published anew, without the mark of a retained message. */
    gateway_take(p->gateway, &message, p->violations, NULL);
    if (strcmp(message.topic, "risk") == 0)
        note_risk(p, m);
    if (p->look)
        p->look(p, message.topic, m);
    p->bytes += (int64_t)world_allocated() - before;
    WORLD_CHECK(p->world, p->violations->count == 0, "the contract: %s", p->violations->text[0]);
}

void world_platform_create(struct world *w, struct world_platform *p, uint16_t port)
{
    int64_t before = (int64_t)world_allocated();

    *p = (struct world_platform){.world = w};
    p->gateway = gateway_create(WORLD_ENTERPRISE, WORLD_GATEWAY);
    p->violations = calloc(1, sizeof *p->violations);
    WORLD_CHECK(w, p->gateway && p->violations, "out of memory");
    p->broker = support_broker_create(w->loop, port);
    p->broker->forget = true;
    p->broker->arrived = arrived_cb;
    p->broker->arg = p;
    p->bytes = (int64_t)world_allocated() - before;
}

void world_platform_destroy(struct world_platform *p)
{
    support_broker_destroy(p->broker);
    gateway_free(p->gateway);
    free(p->violations);
}
