#include "store/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

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
    char *path;
    void (*damaged)(void *arg, const char *words);
    void *damaged_arg;
    bool reopen;   /* wanted */
    bool opening;  /* the job that runs opens the file first */
    bool held;     /* not to be opened yet */
    bool refusing; /* the job that runs does no more than say so */
    char words[512];
    sqlite3 *db;
    struct fetcher fetcher;
    struct slot slots[STORE_FETCH_MAX];
    struct slot *running;
    struct chunk chunk;
    uint64_t orders;
};

static void close_file(struct reader *r)
{
    fetch_close(&r->fetcher);
    db_close(r->db);
    r->db = NULL;
}

static int open_file(struct reader *r)
{
    int rc = db_connect(r->path, DB_READER, NULL, &r->db);
    if (rc == SQLITE_OK) {
        db_leave_log(r->db); /* what it reads may be set aside meanwhile */
        /* It reads each record about once, in order. */
        rc = db_exec(r->db, "PRAGMA cache_size = -512");
        if (rc == SQLITE_OK)
            rc = fetch_open(&r->fetcher, r->db);
    }
    if (rc != SQLITE_OK)
        db_words(r->db, rc, r->path, r->words, sizeof(r->words));
    return rc;
}

static void run_job(void *arg)
{
    struct reader *r = arg;
    r->chunk = (struct chunk){0};
    int rc = SQLITE_OK;
    if (r->refusing) {
        r->chunk.error = RG_EIO;
        return;
    }
    if (r->opening) {
        close_file(r);
        rc = open_file(r);
    }
    for (int tries = 0; rc == SQLITE_OK && tries < 2; tries++) {
        fetch_run(&r->fetcher, &r->running->request, &r->chunk);
        if (r->chunk.error != RG_ECORRUPT)
            return;
        /* Not what some cable did once: read again, from the disk. */
        (void)text_format(r->words, sizeof(r->words), "%s: is damaged: %s", r->path, sqlite3_errmsg(r->db));
        (void)sqlite3_db_release_memory(r->db);
    }
    if (rc != SQLITE_OK) {
        close_file(r);
        r->chunk.error = db_error(rc);
    }
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
    r->refusing = r->held;
    r->opening = !r->held && (r->reopen || r->db == NULL);
    if (loop_worker_submit(r->worker) != RG_OK) {
        slot->state = SLOT_WAITING; /* still busy: its done_cb comes here again */
        r->running = NULL;
    } else {
        r->reopen = false;
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
    if (r->chunk.error == RG_ECORRUPT && !r->reopen)
        r->damaged(r->damaged_arg, r->words);
    submit_next(r);
}

enum rg_err reader_create(struct loop *loop, const char *path, bool held,
                          void (*damaged)(void *arg, const char *words), void *arg, struct reader **out,
                          char *why, size_t why_size)
{
    *out = NULL;
    struct reader *r = memory_reserve(sizeof(*r)); /* few of its slots are ever used */
    if (r == NULL)
        return RG_ENOMEM;
    r->damaged = damaged;
    r->damaged_arg = arg;
    r->path = strdup(path);
    r->held = held;
    enum rg_err err = r->path == NULL ? RG_ENOMEM : RG_OK;
    if (err == RG_OK && !held)
        err = db_error(open_file(r));
    if (err != RG_OK && r->path != NULL)
        (void)text_copy(why, why_size, r->words);
    if (err == RG_OK)
        err = loop_worker_create(loop, "store-reader", run_job, job_done, r, &r->worker);
    if (err == RG_OK)
        loop_worker_prompt(r->worker);
    if (err != RG_OK) {
        reader_destroy(r);
        return err;
    }
    *out = r;
    return RG_OK;
}

void reader_reopen(struct reader *r)
{
    r->reopen = true;
    r->held = false;
}

void reader_destroy(struct reader *r)
{
    if (r == NULL)
        return;
    /* While it opens another file there is nothing yet to break off, and it will not take long. */
    if (r->worker != NULL && loop_worker_busy(r->worker) && !r->opening && !r->refusing)
        sqlite3_interrupt(r->db);
    loop_worker_destroy(r->worker); /* waits for it */
    close_file(r);
    free(r->path);
    memory_unreserve(r, sizeof(*r));
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
