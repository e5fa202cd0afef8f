#include "store/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/audit_impl.h"
#include "store/audit_walk.h"
#include "store/schema.h"

#define SLICE                                                                                                \
    20000 /* records in one read transaction, so that the daemon's log can be folded back meanwhile */

const char *audit_fault_name(enum audit_fault fault)
{
    static const char *const names[] = {"none", "text", "time", "hash", "missing", "added", "order"};

    return (size_t)fault < RG_COUNT(names) ? names[fault] : "none";
}

enum rg_err audit_failed(struct audit *a, int rc)
{
    db_words(a->db, rc, a->path, a->why, sizeof(a->why));
    return db_error(rc);
}

static enum rg_err check_version(struct audit *a)
{
    int64_t id = 0;
    int rc = db_number(a->db, "PRAGMA application_id", 0, &id);

    if (rc == SQLITE_OK)
        rc = db_number(a->db, "PRAGMA user_version", 0, &a->version);
    if (rc != SQLITE_OK)
        return audit_failed(a, rc);
    if (id != SCHEMA_APPLICATION_ID || a->version < 1) {
        (void)text_format(a->why, sizeof(a->why), "%s: not a store of riskgate", a->path);
        return RG_EINVAL;
    }
    if (a->version > SCHEMA_VERSION) {
        (void)text_format(a->why, sizeof(a->why),
                          "%s: its schema is %" PRId64 ", this version reads up to %d", a->path, a->version,
                          SCHEMA_VERSION);
        return RG_EUNSUPPORTED;
    }
    return RG_OK;
}

enum rg_err audit_open(const char *path, struct audit **out, char *why, size_t why_size)
{
    struct audit *a = calloc(1, sizeof(*a));
    enum rg_err err = RG_ENOMEM;

    *out = NULL;
    (void)text_copy(why, why_size, rg_err_text(err));
    if (a != NULL && (a->path = strdup(path)) != NULL)
        err = chain_create(&a->chain);
    if (err == RG_OK) {
        int rc = db_connect(path, DB_AUDITOR, NULL, &a->db);

        err = rc == SQLITE_OK ? check_version(a) : audit_failed(a, rc);
        (void)text_copy(why, why_size, a->why);
    }
    if (err != RG_OK) {
        audit_close(a);
        return err;
    }
    *out = a;
    return RG_OK;
}

void audit_close(struct audit *a)
{
    if (a == NULL)
        return;
    if (a->db != NULL)
        db_close(a->db);
    chain_destroy(a->chain);
    free(a->path);
    free(a);
}

const char *audit_why(const struct audit *a)
{
    return a->why;
}

/* ---- where a stream begins and ends, as the store has it ---- */

/* One row with a number and a hash; nothing when there is none. */
static int take_end(struct walk *w, const char *sql, int64_t *seq, char hash[CHAIN_HEX + 1])
{
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(w->db, sql, &stmt);

    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_int64(stmt, 1, w->stream);
        rc = sqlite3_step(stmt);
    }
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 1);

        *seq = sqlite3_column_int64(stmt, 0);
        (void)text_copy(hash, CHAIN_HEX + 1, text == NULL ? "" : text);
        rc = SQLITE_DONE;
    }
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The retention may move on while the audit looks: what it has taken meanwhile held, as far as that was looked at. */
static int take_ends(struct walk *w, int64_t version, bool first)
{
    int64_t start = 0;
    char hash[CHAIN_HEX + 1] = "";
    int rc = take_end(w, "SELECT seq, hash FROM stream WHERE id = ?1", &w->head, w->head_hash);

    if (rc == SQLITE_OK && version >= 5)
        rc = take_end(w, "SELECT seq, hash FROM chain_start WHERE stream = ?1", &start, hash);
    if (rc != SQLITE_OK || (!first && start < w->next))
        return rc;
    w->next = start + 1;
    (void)text_copy(w->before, sizeof(w->before), hash);
    (void)text_copy(w->previous, sizeof(w->previous), WALK_UNKNOWN);
    w->out->begins = w->next;
    return rc;
}

/* A version that kept no start of the chain may have taken the first records. */
static int guess_start(struct walk *w)
{
    char sql[64];
    int64_t first = 0;
    int rc;

    (void)text_format(sql, sizeof(sql), "SELECT min(seq) FROM %s", stream_name(w->stream));
    rc = db_number(w->db, sql, 0, &first);
    if (rc != SQLITE_OK || first <= 1)
        return rc;
    w->next = w->out->begins = first;
    (void)text_copy(w->before, sizeof(w->before), WALK_UNKNOWN);
    return rc;
}

/* Numbers below the start and above the end; first: where the look began. */
static int check_outside(struct walk *w, int64_t start)
{
    const char *name = stream_name(w->stream);
    char sql[160];
    int64_t below = 0, above = 0;
    int rc;

    (void)text_format(sql, sizeof(sql), "SELECT min(seq) FROM %s WHERE seq < %" PRId64, name, start);
    rc = db_number(w->db, sql, start, &below);
    if (rc == SQLITE_OK && below < start) {
        walk_blame(w, AUDIT_ADDED, below, below, "the stream begins with %" PRId64, start);
        return rc;
    }
    (void)text_format(sql, sizeof(sql), "SELECT min(seq) FROM %s WHERE seq > %" PRId64, name, w->head);
    if (rc == SQLITE_OK)
        rc = db_number(w->db, sql, 0, &above);
    if (rc == SQLITE_OK && above > 0 && w->out->fault == AUDIT_NONE)
        walk_blame(w, AUDIT_ADDED, above, above, "the stream ended with %" PRId64, w->head);
    return rc;
}

/* ---- the look through a stream ---- */

static int prepare(struct walk *w)
{
    static const char *const columns[] = {"seq, ts, body", "seq, ts, body, hash"};
    const char *name = stream_name(w->stream);
    char sql[160];
    int rc;

    (void)text_format(sql, sizeof(sql), "SELECT %s FROM %s WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq",
                      columns[w->chained], name);
    rc = db_prepare(w->db, sql, &w->rows);
    (void)text_format(sql, sizeof(sql), "SELECT %s FROM %s WHERE seq > ?1 ORDER BY seq LIMIT 1",
                      columns[w->chained], name);
    return rc == SQLITE_OK ? db_prepare(w->db, sql, &w->peek) : rc;
}

/* Some of the records, in one read transaction. *more: there are others. */
static int look_at_slice(struct walk *w, bool *more)
{
    int rc = SQLITE_ROW;
    int64_t looked = 0;

    (void)sqlite3_bind_int64(w->rows, 1, w->next);
    (void)sqlite3_bind_int64(w->rows, 2, w->head);
    while (looked < SLICE && w->out->fault == AUDIT_NONE && (rc = sqlite3_step(w->rows)) == SQLITE_ROW) {
        struct audit_record r;

        audit_record_take(&r, w->rows, w->chained);
        looked++;
        rc = walk_record(w, &r);
        if (rc != SQLITE_OK)
            break;
        rc = SQLITE_ROW;
    }
    (void)sqlite3_reset(w->rows);
    (void)sqlite3_reset(w->peek);
    *more = rc == SQLITE_ROW && w->out->fault == AUDIT_NONE;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int look(struct walk *w, int64_t version)
{
    bool more = true, first = true;
    int rc = SQLITE_OK;

    while (rc == SQLITE_OK && more) {
        rc = db_exec(w->db, "BEGIN");
        if (rc == SQLITE_OK)
            rc = take_ends(w, version, first);
        if (rc == SQLITE_OK && first && version < 5)
            rc = guess_start(w);
        if (rc == SQLITE_OK)
            rc = look_at_slice(w, &more);
        if (rc == SQLITE_OK && !more && w->out->fault == AUDIT_NONE)
            walk_end(w);
        if (rc == SQLITE_OK && !more)
            rc = check_outside(w, w->out->begins);
        if (!sqlite3_get_autocommit(w->db))
            (void)db_exec(w->db, "ROLLBACK"); /* of a read: nothing to lose, and rc is kept */
        first = false;
    }
    return rc;
}

enum rg_err audit_check(struct audit *a, enum stream stream, struct audit_stream *out)
{
    struct walk w = {.db = a->db, .chain = a->chain, .stream = stream, .out = out};
    enum rg_err err;
    int rc;

    *out = (struct audit_stream){.begins = 1};
    w.chained = stream != STREAM_TELEMETRY;
    rc = prepare(&w);
    if (rc == SQLITE_OK)
        rc = look(&w, a->version);
    err = rc == SQLITE_OK ? RG_OK : audit_failed(a, rc);
    (void)sqlite3_finalize(w.rows);
    (void)sqlite3_finalize(w.peek);
    return err;
}
