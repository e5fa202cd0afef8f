#include "store/reader.h"

#include <stdlib.h>

enum slot_state {
    SLOT_FREE,
    SLOT_WAITING,
    SLOT_RUNNING, /* in the worker, or its chunk is being delivered */
};

struct slot {
    enum slot_state state;
    uint64_t order;    /* of asking */
    store_chunk_cb cb; /* NULL: cancelled */
    void *arg;
    struct fetch_request request;
};

struct reader {
    struct loop_worker *worker;
    sqlite3 *db;
    struct fetcher fetcher;
    struct slot slots[STORE_FETCH_MAX];
    struct slot *running;
    struct chunk chunk;
    uint64_t orders;
};

static void run_job(void *arg)
{
    struct reader *r = arg;
    fetch_run(&r->fetcher, &r->running->request, &r->chunk);
}

/* Alarms first, then in the order of asking. */
static struct slot *next_slot(struct reader *r)
{
    struct slot *best = NULL;
    for (size_t i = 0; i < STORE_FETCH_MAX; i++) {
        struct slot *slot = &r->slots[i];
        if (slot->state != SLOT_WAITING)
            continue;
        bool alarm = slot->request.stream == STREAM_ALARM;
        bool best_alarm = best != NULL && best->request.stream == STREAM_ALARM;
        if (best == NULL || (alarm && !best_alarm) || (alarm == best_alarm && slot->order < best->order))
            best = slot;
    }
    return best;
}

static void submit_next(struct reader *r)
{
    if (r->running != NULL)
        return;
    struct slot *slot = next_slot(r);
    if (slot == NULL)
        return;
    slot->state = SLOT_RUNNING;
    r->running = slot;
    if (loop_worker_submit(r->worker) != RG_OK) {
        slot->state = SLOT_WAITING; /* still busy: its done_cb comes here again */
        r->running = NULL;
    }
}

static void job_done(void *arg, const struct loop_worker_time *time)
{
    (void)time;
    struct reader *r = arg;
    struct slot *slot = r->running;
    /* The chunk stays the reader's while it is looked at: the next job begins only afterwards. */
    if (slot->cb != NULL)
        slot->cb(slot->arg, &r->chunk);
    slot->state = SLOT_FREE;
    r->running = NULL;
    submit_next(r);
}

enum rg_err reader_create(struct loop *loop, const char *path, struct reader **out, char *why,
                          size_t why_size)
{
    *out = NULL;
    struct reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return RG_ENOMEM;
    int rc = db_connect(path, DB_READER, &r->db);
    if (rc == SQLITE_OK)
        rc = fetch_open(&r->fetcher, r->db);
    if (rc != SQLITE_OK)
        db_words(r->db, rc, path, why, why_size);
    enum rg_err err = db_error(rc);
    if (err == RG_OK)
        err = loop_worker_create(loop, "store-reader", run_job, job_done, r, &r->worker);
    if (err != RG_OK) {
        reader_destroy(r);
        return err;
    }
    *out = r;
    return RG_OK;
}

void reader_destroy(struct reader *r)
{
    if (r == NULL)
        return;
    if (r->worker != NULL && loop_worker_busy(r->worker))
        sqlite3_interrupt(r->db);
    loop_worker_destroy(r->worker); /* waits for it */
    fetch_close(&r->fetcher);
    db_close(r->db);
    free(r);
}

struct fetch_request *reader_place(struct reader *r)
{
    for (size_t i = 0; i < STORE_FETCH_MAX; i++) {
        if (r->slots[i].state == SLOT_FREE)
            return &r->slots[i].request;
    }
    return NULL;
}

void reader_ask(struct reader *r, struct fetch_request *request, store_chunk_cb cb, void *arg)
{
    struct slot *slot = (struct slot *)(void *)((char *)request - offsetof(struct slot, request));
    slot->state = SLOT_WAITING;
    slot->order = r->orders++;
    slot->cb = cb;
    slot->arg = arg;
    submit_next(r);
}

void reader_cancel(struct reader *r, const void *arg)
{
    for (size_t i = 0; i < STORE_FETCH_MAX; i++) {
        struct slot *slot = &r->slots[i];
        if (slot->arg != arg)
            continue;
        if (slot->state == SLOT_WAITING)
            slot->state = SLOT_FREE;
        slot->cb = NULL; /* one that runs ends unheard */
    }
}
