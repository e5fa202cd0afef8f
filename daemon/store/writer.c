#include "store/writer.h"

#include <string.h>

#include "model/alarm.h"
#include "store/duty.h"
#include "store/schema.h"

static const char *const statements[WRITER_STMT_COUNT] = {
    [WRITER_BEGIN] = "BEGIN IMMEDIATE",
    [WRITER_COMMIT] = "COMMIT",
    [WRITER_ROLLBACK] = "ROLLBACK",
    [WRITER_ALARM] = "INSERT INTO alarm(seq, ts, unsynced, body, hash, turn, mono, peak)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [WRITER_TELEMETRY] = "INSERT INTO telemetry(seq, ts, unsynced, body, device, turn, mono, every, held)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [WRITER_EVENT] = "INSERT INTO event(seq, ts, unsynced, body, hash, turn, mono, kind)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [WRITER_REPORT] = "INSERT INTO report(seq, ts, unsynced, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
    [WRITER_OCCURRENCE] =
        "INSERT OR REPLACE INTO occurrence(alarm, rule, point, area, level, acked, shelved,"
        " raised_ts, cleared_ts, acked_ts, acked_by, suppressed, first_out, shelved_until,"
        " highest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    [WRITER_NEXT_ALARM] = "UPDATE run SET next_alarm = max(next_alarm, ?1)",
    [WRITER_CONFIG] = "INSERT OR REPLACE INTO applied(id, config) VALUES (1, ?1)",
    [WRITER_STREAM] = "UPDATE stream SET seq = ?2, hash = ?3 WHERE id = ?1",
    [WRITER_DEVICE] = "INSERT OR IGNORE INTO device(id, name) VALUES (?1, ?2)",
    [WRITER_BLOCK_GET] = "SELECT devices FROM telemetry_block WHERE block = ?1",
    [WRITER_BLOCK_PUT] = "INSERT OR REPLACE INTO telemetry_block(block, devices) VALUES (?1, ?2)",
    [WRITER_CURSOR_PUT] =
        "INSERT OR REPLACE INTO cursor(uplink, stream, acked, ranges) VALUES (?1, ?2, ?3, ?4)",
    [WRITER_CURSOR_DROP] = "DELETE FROM cursor WHERE uplink = ?1",
    [WRITER_LOSS_TOLD] = "UPDATE loss SET count = count - ?3 WHERE stream = ?1 AND cause = ?2",
    [WRITER_LOSS_SWEEP] = "DELETE FROM loss WHERE count <= 0",
};

/* Binding only fails for a wrong index or a text over SQLite's limit of 1e9 bytes; either shows in the step that
 * follows as a NOT NULL constraint, so that a record is never stored without its part. */
static void bind_int(sqlite3_stmt *stmt, int at, int64_t value)
{
    (void)sqlite3_bind_int64(stmt, at, value);
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text, size_t length)
{
    (void)sqlite3_bind_text(stmt, at, text, (int)length, SQLITE_STATIC);
}

static int count_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct writer *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

static int load_streams(struct writer *w)
{
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(w->db, "SELECT id, seq, hash FROM stream WHERE id BETWEEN 0 AND 3", &stmt);
    while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct writer_stream *s = &w->streams[sqlite3_column_int(stmt, 0)];
        s->seq = sqlite3_column_int64(stmt, 1);
        const unsigned char *hash = sqlite3_column_text(stmt, 2);
        if (hash != NULL && sqlite3_column_bytes(stmt, 2) == CHAIN_HEX)
            memcpy(s->hash, hash, CHAIN_HEX);
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int writer_open(struct writer *w, sqlite3 *db, const char *path, enum rg_err *err)
{
    *w = (struct writer){.db = db, .path = path, .block = -1};
    *err = chain_create(&w->chain);
    if (*err != RG_OK)
        return SQLITE_NOMEM;
    int rc = db_prepare_all(db, statements, WRITER_STMT_COUNT, w->stmts);
    if (rc == SQLITE_OK)
        rc = rollups_prepare(db, w->rollups);
    if (rc == SQLITE_OK)
        rc = load_streams(w);
    /* Also switches SQLite's own checkpoint in the middle of a commit off: the maintenance does it, between
     * batches. */
    (void)sqlite3_wal_hook(db, count_wal, w);
    *err = db_error(rc);
    return rc;
}

void writer_close(struct writer *w)
{
    db_finalize_all(w->stmts, WRITER_STMT_COUNT);
    db_finalize_all(w->rollups, ROLLUPS_STMT_COUNT);
    chain_destroy(w->chain);
    w->chain = NULL;
}

int writer_begin(struct writer *w)
{
    return db_run(w->stmts[WRITER_BEGIN]);
}

int writer_commit(struct writer *w)
{
    return db_run(w->stmts[WRITER_COMMIT]);
}

void writer_rollback(struct writer *w)
{
    w->block = -1; /* the map may be ahead of the store now */
    w->block_dirty = false;
    /* Some errors roll back by themselves. If this fails, BEGIN will, and the batch stays where it is. */
    if (!sqlite3_get_autocommit(w->db))
        (void)db_run(w->stmts[WRITER_ROLLBACK]);
}

static int block_write(struct writer *w)
{
    if (!w->block_dirty)
        return SQLITE_OK;
    sqlite3_stmt *stmt = w->stmts[WRITER_BLOCK_PUT];
    bind_int(stmt, 1, w->block);
    (void)sqlite3_bind_blob(stmt, 2, w->block_map, (int)w->block_size, SQLITE_STATIC);
    int rc = db_run(stmt);
    if (rc == SQLITE_OK)
        w->block_dirty = false;
    return rc;
}

static int block_enter(struct writer *w, int64_t block)
{
    int rc = block_write(w);
    if (rc != SQLITE_OK)
        return rc;
    memset(w->block_map, 0, w->block_size);
    w->block_size = 0;
    sqlite3_stmt *stmt = w->stmts[WRITER_BLOCK_GET];
    bind_int(stmt, 1, block);
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        const void *map = sqlite3_column_blob(stmt, 0);
        size_t size = (size_t)sqlite3_column_bytes(stmt, 0);
        if (map != NULL && size <= sizeof(w->block_map)) {
            memcpy(w->block_map, map, size);
            w->block_size = size;
        }
        rc = SQLITE_DONE;
    }
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_DONE)
        return rc;
    w->block = block;
    return SQLITE_OK;
}

static int block_note(struct writer *w, int64_t seq, uint32_t device)
{
    int64_t block = seq >> SCHEMA_BLOCK_SHIFT;
    if (block != w->block) {
        int rc = block_enter(w, block);
        if (rc != SQLITE_OK)
            return rc;
    }
    uint8_t bit = (uint8_t)(1u << (device % 8));
    if ((w->block_map[device / 8] & bit) == 0) {
        w->block_map[device / 8] |= bit;
        w->block_dirty = true;
        if (w->block_size < device / 8 + 1)
            w->block_size = device / 8 + 1;
    }
    return SQLITE_OK;
}

static int put_occurrence(struct writer *w, const struct alarm *a)
{
    sqlite3_stmt *stmt = w->stmts[WRITER_OCCURRENCE];
    bind_text(stmt, 1, a->id, strlen(a->id));
    bind_text(stmt, 2, a->rule, strlen(a->rule));
    bind_text(stmt, 3, a->point, strlen(a->point));
    bind_text(stmt, 4, a->area, strlen(a->area));
    bind_int(stmt, 5, a->level);
    bind_int(stmt, 6, a->acked);
    bind_int(stmt, 7, a->shelved);
    bind_int(stmt, 8, a->raised_ms);
    bind_int(stmt, 9, a->cleared_ms);
    bind_int(stmt, 10, a->acked_ms);
    bind_text(stmt, 11, a->acked_by, strlen(a->acked_by));
    bind_int(stmt, 12, a->suppressed);
    bind_int(stmt, 13, a->first_out);
    bind_int(stmt, 14, a->shelved_until_ms);
    bind_int(stmt, 15, a->highest);
    return db_run(stmt);
}

/* What belongs to a record beside its row. */
static int put_belongings(struct writer *w, const struct entry *e, int64_t seq)
{
    int rc = SQLITE_OK;
    if (e->stream == STREAM_TELEMETRY) {
        if (e->name_length > 0) {
            bind_int(w->stmts[WRITER_DEVICE], 1, e->device);
            bind_text(w->stmts[WRITER_DEVICE], 2, entry_name(e), e->name_length);
            rc = db_run(w->stmts[WRITER_DEVICE]);
        }
        if (rc == SQLITE_OK)
            rc = block_note(w, seq, e->device);
    } else if (e->stream == STREAM_ALARM) {
        const struct alarm *alarm = entry_alarm(e);
        if (alarm != NULL)
            rc = put_occurrence(w, alarm);
    }
    return rc;
}

static int put_record(struct writer *w, struct entry *e, struct writer_stream *stream)
{
    static const enum writer_stmt of[STREAM_COUNT] = {
        [STREAM_ALARM] = WRITER_ALARM,
        [STREAM_TELEMETRY] = WRITER_TELEMETRY,
        [STREAM_EVENT] = WRITER_EVENT,
        [STREAM_REPORT] = WRITER_REPORT,
    };
    if (e->length == 0)
        return put_belongings(w, e, 0);
    int64_t seq = stream->seq + 1;
    size_t length = 0;
    char *text = entry_seal(e, seq, &length);
    bool chained = e->stream != STREAM_TELEMETRY;
    if (chained && chain_next(w->chain, stream->hash, text, length, stream->hash) != RG_OK)
        return SQLITE_ERROR;
    length = entry_close(text, length, chained ? stream->hash : NULL);

    sqlite3_stmt *stmt = w->stmts[of[e->stream]];
    bind_int(stmt, 1, seq);
    bind_int(stmt, 2, e->ts);
    bind_int(stmt, 3, e->unsynced);
    bind_text(stmt, 4, text, length);
    if (chained)
        bind_text(stmt, 5, stream->hash, CHAIN_HEX);
    else
        bind_int(stmt, 5, e->device);
    if (e->stream != STREAM_REPORT) {
        bind_int(stmt, 6, e->turn);
        bind_int(stmt, 7, e->mono);
    }
    if (e->stream == STREAM_ALARM)
        bind_int(stmt, 8, e->test ? LEVEL_RED : e->level > e->was ? e->level : e->was);
    else if (e->stream == STREAM_EVENT)
        bind_text(stmt, 8, entry_name(e), e->name_length);
    if (e->stream == STREAM_TELEMETRY) {
        bind_int(stmt, 8, e->every_ms);
        bind_int(stmt, 9, e->held);
    }

    int rc = db_run(stmt);
    if (rc == SQLITE_OK)
        rc = put_belongings(w, e, seq);
    stream->seq = seq;
    return rc;
}

/* The records of the slice that belong to the stream `only`, or, when others is set, all but those. */
static int put_slice(struct writer *w, const struct writer_slice *slice, enum stream only, bool others,
                     struct writer_stream *streams)
{
    int rc = SQLITE_OK;
    for (size_t at = slice->from; at < slice->to && rc == SQLITE_OK;) {
        struct entry *e = region_at(slice->region, at);
        if ((e->stream == only) != others)
            rc = put_record(w, e, &streams[e->stream]);
        at += e->size;
    }
    return rc;
}

static int put_streams(struct writer *w, const struct writer_stream *streams)
{
    int rc = SQLITE_OK;
    for (int s = 0; s < STREAM_COUNT && rc == SQLITE_OK; s++) {
        if (streams[s].seq == w->streams[s].seq)
            continue;
        bind_int(w->stmts[WRITER_STREAM], 1, s);
        bind_int(w->stmts[WRITER_STREAM], 2, streams[s].seq);
        bind_text(w->stmts[WRITER_STREAM], 3, streams[s].hash, strlen(streams[s].hash));
        rc = db_run(w->stmts[WRITER_STREAM]);
    }
    return rc;
}

static int put_cursor(struct writer *w, const struct cursor_entry *e, int stream)
{
    char ranges[CURSOR_TEXT];
    cursor_format(&e->cursor[stream], ranges);
    sqlite3_stmt *stmt = w->stmts[WRITER_CURSOR_PUT];
    bind_text(stmt, 1, e->uplink, strlen(e->uplink));
    bind_int(stmt, 2, stream);
    bind_int(stmt, 3, e->cursor[stream].acked);
    bind_text(stmt, 4, ranges, strlen(ranges));
    return db_run(stmt);
}

static int put_cursors(struct writer *w, const struct cursor_set *set)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < set->used && rc == SQLITE_OK; i++) {
        const struct cursor_entry *e = &set->entries[i];
        if (e->gone) {
            bind_text(w->stmts[WRITER_CURSOR_DROP], 1, e->uplink, strlen(e->uplink));
            rc = db_run(w->stmts[WRITER_CURSOR_DROP]);
        }
        for (int s = 0; s < STREAM_COUNT && rc == SQLITE_OK && !e->gone; s++) {
            if (e->dirty[s])
                rc = put_cursor(w, e, s);
        }
    }
    return rc;
}

static int put_told(struct writer *w, const struct loss_book *told)
{
    if (loss_book_empty(told))
        return SQLITE_OK;
    int rc = SQLITE_OK;
    for (int s = 0; s < STREAM_COUNT; s++) {
        for (int c = 0; c < LOSS_CAUSES && rc == SQLITE_OK; c++) {
            bind_int(w->stmts[WRITER_LOSS_TOLD], 1, s);
            bind_int(w->stmts[WRITER_LOSS_TOLD], 2, c);
            bind_int(w->stmts[WRITER_LOSS_TOLD], 3, (int64_t)told->of[s][c].count);
            if (told->of[s][c].count > 0)
                rc = db_run(w->stmts[WRITER_LOSS_TOLD]);
        }
    }
    return rc == SQLITE_OK ? db_run(w->stmts[WRITER_LOSS_SWEEP]) : rc;
}

static int put_next_alarm(struct writer *w, uint64_t next_alarm)
{
    if (next_alarm == 0)
        return SQLITE_OK;
    bind_int(w->stmts[WRITER_NEXT_ALARM], 1, (int64_t)next_alarm);
    return db_run(w->stmts[WRITER_NEXT_ALARM]);
}

static int put_config(struct writer *w, const char *config)
{
    if (config == NULL)
        return SQLITE_OK;
    bind_text(w->stmts[WRITER_CONFIG], 1, config, strlen(config));
    int rc = db_run(w->stmts[WRITER_CONFIG]);
    (void)sqlite3_clear_bindings(w->stmts[WRITER_CONFIG]); /* the text is the loop's, and about to be freed */
    return rc;
}

void writer_run(struct writer *w, struct writer_batch *b)
{
    struct writer_stream streams[STREAM_COUNT];
    memcpy(streams, w->streams, sizeof(streams));

    int rc = writer_begin(w);
    if (rc == SQLITE_OK)
        rc = put_slice(w, &b->alarms, STREAM_ALARM, false, streams);
    if (rc == SQLITE_OK)
        rc = put_slice(w, &b->alarms, STREAM_ALARM, true, streams);
    if (rc == SQLITE_OK)
        rc = put_slice(w, &b->telemetry, STREAM_TELEMETRY, false, streams);
    if (rc == SQLITE_OK)
        rc = block_write(w);
    if (rc == SQLITE_OK)
        rc = put_streams(w, streams);
    if (rc == SQLITE_OK)
        rc = put_cursors(w, &b->cursors);
    if (rc == SQLITE_OK)
        rc = put_told(w, &b->told);
    if (rc == SQLITE_OK)
        rc = put_next_alarm(w, b->next_alarm);
    if (rc == SQLITE_OK)
        rc = put_config(w, b->config);
    if (rc == SQLITE_OK && b->duty != NULL)
        rc = duty_write(w->db, b->duty);
    if (rc == SQLITE_OK)
        rc = rollups_put(w->rollups, &b->rollups);
    if (rc == SQLITE_OK)
        rc = writer_commit(w);

    b->rc = rc;
    if (rc != SQLITE_OK) {
        db_words(w->db, rc, w->path, b->words, sizeof(b->words));
        writer_rollback(w);
    }
    for (int s = 0; s < STREAM_COUNT; s++) {
        b->changed[s] = rc == SQLITE_OK && streams[s].seq != w->streams[s].seq;
        if (rc == SQLITE_OK)
            w->streams[s] = streams[s];
        b->head[s] = w->streams[s].seq;
    }
}
