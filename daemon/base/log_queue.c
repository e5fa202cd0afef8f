#include "base/log_queue.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

#define RELEASE_BYTES (64 * 1024) /* more than this is not used again soon */

/* Before the strings of what it is about, each with its NUL (nothing: ""), and the line. */
struct entry {
    uint32_t bytes; /* of all */
    uint32_t level, length, text;
};

struct batch {
    size_t used;
    uint64_t
        lost; /* behind what is in it: once it is full nothing more comes in, so that all of it is missing in one place */
    char bytes[LOG_QUEUE_BYTES];
};

static const size_t about_fields[] = {
    offsetof(struct log_about, bus),        offsetof(struct log_about, device),
    offsetof(struct log_about, point),      offsetof(struct log_about, rule),
    offsetof(struct log_about, area),       offsetof(struct log_about, alarm),
    offsetof(struct log_about, output),     offsetof(struct log_about, uplink),
    offsetof(struct log_about, message_id),
};

_Static_assert(sizeof(struct log_about) == RG_COUNT(about_fields) * sizeof(char *), "a field is left out");

/* ENDS: told to, once it has given all. ENDED: it has; its thread waits to be joined, and takes nothing any more. */
enum queue_state { QUEUE_NONE, QUEUE_RUNS, QUEUE_ENDS, QUEUE_ENDED };

/* Static, not from the heap: at the end of the process its thread may still stand in the taker. */
static struct batch batches[2];
static struct {
    pthread_mutex_t
        mutex; /* for what follows, and for the batch that is filled. Never held while the taker works */
    pthread_cond_t more, ended;
    enum queue_state state;
    bool waits; /* the thread, for more */
    struct batch *filled;
    struct log_taker taker;
    pthread_t thread;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static _Atomic uint64_t lost_in_all;

/* ---- a line in a batch ---- */

static const char *about_text(const struct log_about *about, size_t i)
{
    const char *text;

    memcpy(&text, (const char *)about + about_fields[i], sizeof text);
    return text ? text : "";
}

/* False: no room. */
static bool batch_put(struct batch *b, const struct log_line *line)
{
    struct entry e = {.level = (uint32_t)line->level,
                      .length = (uint32_t)line->length,
                      .text = (uint32_t)(line->text - line->line)};
    size_t bytes = sizeof e + line->length;
    char *at = b->bytes + b->used;

    for (size_t i = 0; i < RG_COUNT(about_fields); i++)
        bytes += strlen(about_text(line->about, i)) + 1;
    if (b->lost > 0 || bytes > sizeof b->bytes - b->used)
        return false;
    e.bytes = (uint32_t)bytes;
    memcpy(at, &e, sizeof e);
    at += sizeof e;
    for (size_t i = 0; i < RG_COUNT(about_fields); i++) {
        const char *text = about_text(line->about, i);
        const size_t size = strlen(text) + 1;

        memcpy(at, text, size);
        at += size;
    }
    memcpy(at, line->line, line->length);
    b->used += bytes;
    return true;
}

static void batch_give(struct batch *b, const struct log_taker *taker)
{
    for (size_t at = 0; at < b->used;) {
        struct log_about about;
        struct log_line line = {.about = &about};
        const char *next = b->bytes + at + sizeof(struct entry);
        struct entry e;

        memcpy(&e, b->bytes + at, sizeof e);
        for (size_t i = 0; i < RG_COUNT(about_fields); i++) {
            const char *text = next[0] ? next : NULL;

            memcpy((char *)&about + about_fields[i], &text, sizeof text);
            next += strlen(next) + 1;
        }
        line.level = (enum log_level)e.level;
        line.line = next;
        line.text = next + e.text;
        line.length = e.length;
        taker->take(&line);
        at += e.bytes;
    }
    if (b->lost > 0)
        taker->lost(b->lost);
    if (b->used > RELEASE_BYTES)
        memory_release(b->bytes, b->used);
    b->used = 0;
    b->lost = 0;
}

/* ---- the thread ---- */

static bool batch_empty(const struct batch *b)
{
    return b->used == 0 && b->lost == 0;
}

static void *queue_run(void *arg)
{
    sigset_t all;

    (void)arg;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the loop's */
    (void)pthread_setname_np(pthread_self(), "log");
    (void)pthread_mutex_lock(&queue.mutex);
    for (;;) {
        struct batch *taken = queue.filled;

        if (!batch_empty(taken)) {
            queue.filled = taken == &batches[0] ? &batches[1] : &batches[0];
            (void)pthread_mutex_unlock(&queue.mutex);
            batch_give(taken, &queue.taker);
            (void)pthread_mutex_lock(&queue.mutex);
        } else if (queue.state == QUEUE_ENDS) {
            break;
        } else {
            queue.waits = true;
            (void)pthread_cond_wait(&queue.more, &queue.mutex);
            queue.waits = false;
        }
    }
    queue.state = QUEUE_ENDED;
    (void)pthread_cond_signal(&queue.ended);
    (void)pthread_mutex_unlock(&queue.mutex);
    return NULL;
}

/* ---- what others call ---- */

/* The condition that is waited for with a limit counts by the clock that nobody sets. */
static bool conditions_init(void)
{
    pthread_condattr_t monotonic;
    bool done;

    if (pthread_condattr_init(&monotonic) != 0)
        return false;
    done = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(&queue.ended, &monotonic) == 0;
    if (done && pthread_cond_init(&queue.more, NULL) != 0) {
        (void)pthread_cond_destroy(&queue.ended);
        done = false;
    }
    (void)pthread_condattr_destroy(&monotonic);
    return done;
}

static void conditions_destroy(void)
{
    (void)pthread_cond_destroy(&queue.more);
    (void)pthread_cond_destroy(&queue.ended);
}

static enum rg_err start_locked(const struct log_taker *taker)
{
    if (queue.state != QUEUE_NONE)
        return RG_ESTATE;
    if (!conditions_init())
        return RG_ENOMEM;
    queue.taker = *taker;
    queue.filled = &batches[0];
    queue.state = QUEUE_RUNS;
    if (pthread_create(&queue.thread, NULL, queue_run, NULL) == 0)
        return RG_OK;
    queue.state = QUEUE_NONE;
    conditions_destroy();
    return RG_ENOMEM;
}

enum rg_err log_queue_start(const struct log_taker *taker)
{
    enum rg_err err;

    (void)pthread_mutex_lock(&queue.mutex);
    err = start_locked(taker);
    (void)pthread_mutex_unlock(&queue.mutex);
    return err;
}

bool log_queue_put(const struct log_line *line)
{
    bool there;

    (void)pthread_mutex_lock(&queue.mutex);
    there = queue.state == QUEUE_RUNS || queue.state == QUEUE_ENDS;
    if (there && !batch_put(queue.filled, line)) {
        queue.filled->lost++;
        (void)atomic_fetch_add_explicit(&lost_in_all, 1, memory_order_relaxed);
    }
    if (there && queue.waits)
        (void)pthread_cond_signal(&queue.more);
    (void)pthread_mutex_unlock(&queue.mutex);
    return there;
}

bool log_queue_stop(int64_t within_ms)
{
    const int64_t end_ms = clock_mono_ms() + within_ms;
    const struct timespec end = {.tv_sec = (time_t)(end_ms / 1000),
                                 .tv_nsec = (long)(end_ms % 1000) * 1000000};
    enum queue_state state;
    int why = 0;

    (void)pthread_mutex_lock(&queue.mutex);
    if (queue.state == QUEUE_RUNS) {
        queue.state = QUEUE_ENDS;
        (void)pthread_cond_signal(&queue.more);
    }
    while (queue.state == QUEUE_ENDS && why != ETIMEDOUT)
        why = pthread_cond_timedwait(&queue.ended, &queue.mutex, &end);
    state = queue.state;
    (void)pthread_mutex_unlock(&queue.mutex);
    if (state != QUEUE_ENDED)
        return state == QUEUE_NONE;
    (void)pthread_join(queue.thread, NULL);
    (void)pthread_mutex_lock(&queue.mutex);
    conditions_destroy();
    queue.state = QUEUE_NONE;
    (void)pthread_mutex_unlock(&queue.mutex);
    return true;
}

uint64_t log_queue_lost(void)
{
    return atomic_load_explicit(&lost_in_all, memory_order_relaxed);
}
