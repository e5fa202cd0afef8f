#include "store/inquiry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "store/store_impl.h"
#include "store/summary.h"

#define LOOK_EVERY 10000 /* of SQLite's steps: whether to break off */

struct waiting {
    struct store_inquiry ask;
    store_found_cb cb; /* NULL: cancelled */
    void *arg;
    char uplinks[STORE_INQUIRY_UPLINKS][TEXT_ID_MAX + 1];
    const char *names[STORE_INQUIRY_UPLINKS];
};

struct inquirer {
    const char *path; /* the store's */
    struct loop_worker *worker;
    atomic_bool stop;
    bool running; /* the first one is the worker's, or being answered */
    size_t count;
    struct waiting *waiting[STORE_INQUIRIES]; /* in the order of asking */
    /* What was found. */
    enum rg_err err;
    char why[WRITER_WORDS];
    struct summary summary;
    struct past past;
    char *report;
    size_t report_length;
};

static int look_cb(void *arg)
{
    const struct inquirer *q = arg;

    return atomic_load(&q->stop) ? 1 : 0;
}

static int last_report(struct inquirer *q, sqlite3 *db, enum report_kind kind)
{
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(
        db,
        "SELECT body FROM (SELECT seq, CASE WHEN json_valid(body) THEN body END AS body FROM report)"
        " WHERE body ->> '$.kind' = ?1 ORDER BY seq DESC LIMIT 1",
        &stmt);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, report_kind_name(kind), -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);

        q->report_length = (size_t)sqlite3_column_bytes(stmt, 0);
        q->report = text ? strdup(text) : NULL;
        rc = q->report ? SQLITE_DONE : SQLITE_NOMEM;
    }
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void run_cb(void *arg)
{
    struct inquirer *q = arg;
    const struct store_inquiry *ask = &q->waiting[0]->ask;
    sqlite3 *db = NULL;
    int rc = db_connect(q->path, DB_READER, NULL, &db);

    free(q->report);
    q->report = NULL;
    if (rc == SQLITE_OK) {
        sqlite3_progress_handler(db, LOOK_EVERY, look_cb, q);
        if (ask->kind == INQUIRY_SUMMARY)
            rc = summary_make(db, ask, &q->summary);
        else if (ask->kind == INQUIRY_PAST)
            rc = summary_past(db, ask->to, &q->past);
        else
            rc = last_report(q, db, ask->report);
    }
    q->err = db_error(rc);
    if (rc != SQLITE_OK)
        db_words(db, rc, q->path, q->why, sizeof q->why);
    else if (ask->kind == INQUIRY_REPORT && !q->report)
        q->err = RG_ENOTFOUND;
    db_close(db);
}

static void begin(struct inquirer *q)
{
    if (q->count > 0 && !q->running)
        q->running = loop_worker_submit(q->worker) == RG_OK;
}

static void done_cb(void *arg, const struct loop_worker_time *time)
{
    struct inquirer *q = arg;
    struct waiting *first = q->waiting[0];
    struct store_finding finding = {.err = q->err, .why = q->err == RG_OK ? NULL : q->why};

    (void)time;
    if (q->err == RG_OK && first->ask.kind == INQUIRY_SUMMARY)
        finding.summary = &q->summary;
    else if (q->err == RG_OK && first->ask.kind == INQUIRY_PAST)
        finding.past = &q->past;
    else if (q->err == RG_OK) {
        finding.report = q->report;
        finding.report_length = q->report_length;
    }
    q->count--;
    memmove(q->waiting, q->waiting + 1, q->count * sizeof q->waiting[0]);
    if (first->cb)
        first->cb(first->arg, &finding);
    free(first);
    q->running = false;
    begin(q);
}

static enum rg_err create(struct store *s)
{
    struct inquirer *q = calloc(1, sizeof *q);
    enum rg_err err;

    if (!q)
        return RG_ENOMEM;
    q->path = s->path;
    atomic_init(&q->stop, false);
    err = loop_worker_create(s->loop, "store-inquiry", run_cb, done_cb, q, &q->worker);
    if (err != RG_OK) {
        free(q);
        return err;
    }
    s->inquirer = q;
    return RG_OK;
}

enum rg_err store_inquire(struct store *s, const struct store_inquiry *inquiry, store_found_cb cb, void *arg)
{
    struct waiting *w;
    enum rg_err err = RG_OK;

    if (!cb || inquiry->from > inquiry->to)
        return RG_EINVAL;
    if (!s->inquirer)
        err = create(s);
    if (err != RG_OK)
        return err;
    if (s->inquirer->count == STORE_INQUIRIES)
        return RG_EAGAIN;
    w = calloc(1, sizeof *w);
    if (!w)
        return RG_ENOMEM;
    w->ask = *inquiry;
    w->cb = cb;
    w->arg = arg;
    w->ask.uplink_count =
        inquiry->uplink_count < STORE_INQUIRY_UPLINKS ? inquiry->uplink_count : STORE_INQUIRY_UPLINKS;
    for (size_t i = 0; i < w->ask.uplink_count; i++) {
        (void)text_copy(w->uplinks[i], sizeof w->uplinks[i], inquiry->uplinks[i]);
        w->names[i] = w->uplinks[i];
    }
    w->ask.uplinks = w->names;
    s->inquirer->waiting[s->inquirer->count++] = w;
    begin(s->inquirer);
    return RG_OK;
}

void store_inquire_cancel(struct store *s, void *arg)
{
    struct inquirer *q = s->inquirer;

    for (size_t i = 0; q && i < q->count; i++) {
        if (q->waiting[i]->arg == arg)
            q->waiting[i]->cb = NULL;
    }
}

void inquirer_destroy(struct inquirer *q)
{
    if (!q)
        return;
    atomic_store(&q->stop, true);
    loop_worker_destroy(q->worker); /* waits for it */
    for (size_t i = 0; i < q->count; i++)
        free(q->waiting[i]);
    free(q->report);
    free(q);
}
