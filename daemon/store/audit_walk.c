#include "store/audit_walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void walk_blame(struct walk *w, enum audit_fault fault, int64_t first, int64_t last, const char *format, ...)
{
    va_list args;

    w->out->fault = fault;
    w->out->bad_first = first;
    w->out->bad_last = last;
    va_start(args, format);
    (void)vsnprintf(w->out->words, sizeof(w->out->words), format, args);
    va_end(args);
}

static void blame_missing(struct walk *w, int64_t first, int64_t last, const char *more)
{
    if (first == last)
        walk_blame(w, AUDIT_MISSING, first, last, "it is not there%s", more);
    else
        walk_blame(w, AUDIT_MISSING, first, last, "they are not there%s", more);
}

/* The record after this number, if there is one. */
static int peek(struct walk *w, int64_t seq, struct audit_record *next, bool *there)
{
    int rc;

    (void)sqlite3_reset(w->peek);
    (void)sqlite3_bind_int64(w->peek, 1, seq);
    rc = sqlite3_step(w->peek);
    *there = rc == SQLITE_ROW;
    if (*there)
        audit_record_take(next, w->peek, w->chained);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Whether r follows from that hash; never from one that is not known. */
static bool follows_from(struct walk *w, const char *before, const struct audit_record *r)
{
    bool follows = false;

    return r->well_formed && strcmp(before, WALK_UNKNOWN) != 0 &&
           audit_record_follows(w->chain, before, r, &follows) == RG_OK && follows;
}

/* The text says another number than the row. */
static int blame_order(struct walk *w, const struct audit_record *r)
{
    struct audit_record next = {0};
    bool there = false;
    int rc = peek(w, r->seq, &next, &there);

    if (rc != SQLITE_OK)
        return rc;
    if (w->chained && r->text_seq == r->seq - 1 && w->out->count > 0 && follows_from(w, w->previous, r)) {
        /* All behind it were moved on by one to make room. */
        w->out->count--;
        w->out->last--;
        walk_blame(w, AUDIT_ADDED, r->text_seq, r->text_seq,
                   "it was slipped in: the record that was %" PRId64 " stands behind it now", r->text_seq);
    } else if (r->text_seq > r->seq && (!there || next.text_seq == r->text_seq + (next.seq - r->seq))) {
        blame_missing(w, r->seq, r->text_seq - 1, ", and those after it were numbered anew");
    } else if (there && next.text_seq == r->seq) {
        walk_blame(w, AUDIT_ORDER, r->seq, r->seq,
                   "in its place is the text of number %" PRId64 ": they were exchanged", r->text_seq);
    } else {
        walk_blame(w, AUDIT_ORDER, r->seq, r->seq, "in its place is the text of number %" PRId64,
                   r->text_seq);
    }
    return SQLITE_OK;
}

static void blame_column(struct walk *w, const struct audit_record *r)
{
    char hash[CHAIN_HEX + 1] = "";
    bool known = strcmp(w->before, WALK_UNKNOWN) != 0 &&
                 chain_next(w->chain, w->before, r->text, r->covered, hash) == RG_OK;
    const char *where = "in the column or in the text";

    if (known && audit_hash_same(hash, r->hashed))
        where = "in the column";
    else if (known && audit_hash_same(hash, r->column))
        where = "in the text";
    walk_blame(w, AUDIT_HASH, r->seq, r->seq, "its hash was changed %s: the two are not the same", where);
}

/* Row and text agree with each other, and not with what comes before. What comes after tells which of them was changed. */
static int blame_break(struct walk *w, const struct audit_record *r)
{
    struct audit_record next = {0};
    char own[CHAIN_HEX + 1] = "", here[CHAIN_HEX + 1] = "";
    bool there = false;
    int rc = peek(w, r->seq, &next, &there);

    if (rc != SQLITE_OK)
        return rc;
    memcpy(here, r->hashed, CHAIN_HEX);
    if (chain_next(w->chain, w->before, r->text, r->covered, own) != RG_OK)
        return SQLITE_ERROR;
    if (there && next.text_seq == r->seq && follows_from(w, w->before, &next))
        walk_blame(w, AUDIT_ADDED, r->seq, r->seq,
                   "it was slipped in: the record that was %" PRId64 " stands behind it now", r->seq);
    else if (there ? follows_from(w, own, &next) : strcmp(own, w->head_hash) == 0)
        walk_blame(w, AUDIT_HASH, r->seq, r->seq,
                   "its hash was changed, in the column and in the text; its text is what was recorded");
    else if (there ? follows_from(w, here, &next) : strcmp(here, w->head_hash) == 0)
        walk_blame(w, AUDIT_TEXT, r->seq, r->seq,
                   w->out->count > 0 ? "its text was changed, or all of the record before it"
                                     : "its text was changed");
    else
        walk_blame(w, AUDIT_TEXT, r->seq, r->seq, "it does not follow from the record before it");
    return SQLITE_OK;
}

static int check_hash(struct walk *w, const struct audit_record *r)
{
    bool follows = false;

    if (!audit_hash_same(r->column, r->hashed)) {
        blame_column(w, r);
        return SQLITE_OK;
    }
    if (strcmp(w->before, WALK_UNKNOWN) == 0) {
        w->out->start_unknown = true;
    } else {
        if (audit_record_follows(w->chain, w->before, r, &follows) != RG_OK)
            return SQLITE_ERROR;
        if (!follows)
            return blame_break(w, r);
    }
    memcpy(w->previous, w->before, sizeof(w->previous));
    memcpy(w->before, r->hashed, CHAIN_HEX);
    w->before[CHAIN_HEX] = '\0';
    return SQLITE_OK;
}

/* A `lost` event may tell of numbers that are not there. */
static int told_lost(struct walk *w, int64_t first, int64_t last, bool *told)
{
    sqlite3_stmt *stmt = NULL;
    int64_t found = 0;
    int rc =
        db_prepare(w->db,
                   "SELECT EXISTS (SELECT 1 FROM event WHERE kind = 'lost' AND json_valid(body)"
                   " AND body ->> '$.stream' = ?1 AND body ->> '$.first' <= ?2 AND body ->> '$.last' >= ?3)",
                   &stmt);

    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_text(stmt, 1, stream_name(w->stream), -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 2, first);
        (void)sqlite3_bind_int64(stmt, 3, last);
        rc = db_take(stmt, 0, &found);
    }
    (void)sqlite3_finalize(stmt);
    *told = found != 0;
    return rc;
}

static int check_gap(struct walk *w, int64_t seq)
{
    bool told = false;
    int rc = SQLITE_OK;

    if (!w->chained)
        rc = told_lost(w, w->next, seq - 1, &told);
    if (rc == SQLITE_OK && told)
        w->out->told_lost += (uint64_t)(seq - w->next);
    else if (rc == SQLITE_OK)
        blame_missing(w, w->next, seq - 1, "");
    return rc;
}

int walk_record(struct walk *w, const struct audit_record *r)
{
    struct audit_stream *out = w->out;
    int rc = SQLITE_OK;

    if (r->seq > w->next)
        rc = check_gap(w, r->seq);
    if (rc != SQLITE_OK || out->fault != AUDIT_NONE)
        return rc;
    if (!r->well_formed) {
        walk_blame(w, AUDIT_TEXT, r->seq, r->seq, "its text is no record of this stream");
        return SQLITE_OK;
    }
    if (r->text_seq != r->seq)
        return blame_order(w, r);
    if (w->chained)
        rc = check_hash(w, r);
    /* After the hash: it tells which of the two is right. */
    if (rc == SQLITE_OK && out->fault == AUDIT_NONE && r->text_ts != r->ts)
        walk_blame(w, AUDIT_TIME, r->seq, r->seq, "its column ts is %" PRId64 ", its text says %" PRId64,
                   r->ts, r->text_ts);
    if (rc != SQLITE_OK || out->fault != AUDIT_NONE)
        return rc;
    out->count++;
    if (out->first == 0)
        out->first = r->seq;
    out->last = r->seq;
    w->next = r->seq + 1;
    return SQLITE_OK;
}

void walk_end(struct walk *w)
{
    if (w->next <= w->head)
        blame_missing(w, w->next, w->head, ": the stream ended there");
    else if (w->chained && strcmp(w->before, WALK_UNKNOWN) != 0 && strcmp(w->before, w->head_hash) != 0)
        walk_blame(w, AUDIT_HASH, w->head, w->head,
                   "it is the last one, and the table `stream` has another hash for it");
}
