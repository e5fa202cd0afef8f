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

/* Keeps each record, for those who judge all of them at the end. */
static void record_cb(void *arg, struct gateway *g, enum stream_kind kind, int64_t seq, const char *text,
                      size_t length)
{
    struct world_platform *p = arg;
    struct world_archive *a = &p->archives[kind];

    (void)g;
    if ((size_t)seq > a->capacity) {
        size_t capacity = a->capacity ? a->capacity : 1024;

        while (capacity < (size_t)seq)
            capacity *= 2;
        a->entries = realloc(a->entries, capacity * sizeof *a->entries);
        WORLD_CHECK(p->world, a->entries, "out of memory");
        memset(a->entries + a->capacity, 0, (capacity - a->capacity) * sizeof *a->entries);
        a->capacity = capacity;
    }
    a->entries[seq - 1] = (struct world_text){strndup(text, length), length};
    WORLD_CHECK(p->world, a->entries[seq - 1].text, "out of memory");
}

const struct world_text *world_platform_text(const struct world_platform *p, enum stream_kind kind,
                                             int64_t seq)
{
    const struct world_archive *a = &p->archives[kind];

    return (size_t)seq <= a->capacity && a->entries[seq - 1].text ? &a->entries[seq - 1] : NULL;
}

static char *recall_cb(void *arg, const struct gateway *g, enum stream_kind kind, int64_t seq, size_t *length)
{
    const struct world_text *t = world_platform_text(arg, kind, seq);

    (void)g;
    *length = t ? t->length : 0;
    return t ? strndup(t->text, t->length) : NULL;
}

static void arrived_cb(void *arg, const struct support_message *m)
{
    static const char root[] = "riskgate/v1/" WORLD_ENTERPRISE "/" WORLD_GATEWAY "/";
    struct world_platform *p = arg;
    int64_t before = (int64_t)world_allocated();
    const struct gateway_sink sink = {.arg = p, .record = record_cb, .recall = recall_cb};
    struct platform_message message = {.payload = m->payload, .length = m->length, .qos = 1};

    WORLD_CHECK(p->world, strncmp(m->topic, root, sizeof root - 1) == 0, "topic %s", m->topic);
    message.topic = m->topic + sizeof root - 1;
    /* A subscriber that is there sees only what is published anew, without the mark of a retained message. */
    gateway_take(p->gateway, &message, p->violations, &sink);
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
    p->gateway = gateway_create(WORLD_ENTERPRISE, WORLD_GATEWAY, 0);
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
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        for (size_t i = 0; i < p->archives[kind].capacity; i++)
            free(p->archives[kind].entries[i].text);
        free(p->archives[kind].entries);
    }
}
