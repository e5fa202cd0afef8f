#include "store/retention.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/text.h"
#include "store/schema.h"

#define DAY_MS 86400000
#define HOUR_MS 3600000
#define BELIEVABLE_MS 1577836800000 /* 2020-01-01: no gateway ran this program before */
#define OCCURRENCES_AT_ONCE 200
#define VACUUM_PAGES 256
#define PAGE_BYTES 4096 /* as set when the file is made */
#define LOG_KEPT_BYTES (8 << 20)

enum {
    AGE_OF, /* one for each stream */
    FIRST_OF = AGE_OF + STREAM_COUNT,
    LAST_OF = FIRST_OF + STREAM_COUNT,
    START_OF = LAST_OF + STREAM_COUNT,
    DELETE_OF = START_OF + STREAM_COUNT,
    WEIGH = DELETE_OF + STREAM_COUNT,
    KEEP_LEVELS,
    KEEP_DEVICES,
    BLOCKS,
    OCCURRENCES,
    VOUCHED,
    LOSS,
    PAGES,
    FREE_PAGES,
    VACUUM,
    STMT_COUNT,
};

#define FOR_EACH_STREAM(at, head, tail)                                                                      \
    [(at) + STREAM_ALARM] = head "alarm" tail, [(at) + STREAM_TELEMETRY] = head "telemetry" tail,            \
            [(at) + STREAM_EVENT] = head "event" tail, [(at) + STREAM_REPORT] = head "report" tail

/* The last record that goes is the one the chain begins after. */
#define CHAIN_START_OF(id, hash, table)                                                                      \
    "INSERT OR REPLACE INTO chain_start SELECT " id ", seq, " hash " FROM " table " WHERE seq = ?1"

static const char *const statements[STMT_COUNT] = {
    FOR_EACH_STREAM(AGE_OF, "SELECT seq, ts, unsynced FROM ", " WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
    FOR_EACH_STREAM(FIRST_OF, "SELECT min(seq) FROM ", ""),
    FOR_EACH_STREAM(LAST_OF, "SELECT max(seq) FROM (SELECT seq FROM ",
                    " WHERE seq <= ?1 ORDER BY seq LIMIT ?2)"),
    [START_OF + STREAM_ALARM] = CHAIN_START_OF("0", "hash", "alarm"),
    [START_OF + STREAM_TELEMETRY] = CHAIN_START_OF("1", "''", "telemetry"),
    [START_OF + STREAM_EVENT] = CHAIN_START_OF("2", "hash", "event"),
    [START_OF + STREAM_REPORT] = CHAIN_START_OF("3", "hash", "report"),
    FOR_EACH_STREAM(DELETE_OF, "DELETE FROM ", " WHERE seq <= ?1"),
    [WEIGH] = "SELECT seq, length(CAST(body AS BLOB)) FROM telemetry ORDER BY seq LIMIT ?1",
    [KEEP_LEVELS] =
        "INSERT OR REPLACE INTO pruned SELECT 0, peak, max(seq) FROM alarm WHERE seq <= ?1 GROUP BY peak",
    [KEEP_DEVICES] = "INSERT OR REPLACE INTO pruned SELECT 1, device, max(seq) FROM telemetry WHERE seq <= "
                     "?1 GROUP BY device",
    [BLOCKS] = "DELETE FROM telemetry_block WHERE block < ?1",
    [OCCURRENCES] = "DELETE FROM occurrence WHERE alarm IN (SELECT alarm FROM occurrence"
                    " WHERE cleared_ts > 0 AND cleared_ts < ?1 ORDER BY cleared_ts LIMIT ?2)",
    [VOUCHED] = "SELECT EXISTS (SELECT 1 FROM event WHERE seq > ?1 AND unsynced = 0)",
    [LOSS] = "INSERT INTO loss VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (stream, cause) DO UPDATE SET"
             " first = min(first, excluded.first), last = max(last, excluded.last), count = count + "
             "excluded.count",
    [PAGES] = "PRAGMA page_count",
    [FREE_PAGES] = "PRAGMA freelist_count",
    [VACUUM] = "PRAGMA incremental_vacuum(256)",
};

static int number_of(struct retention *r, int stmt, int64_t a, int64_t b, int64_t *out)
{
    (void)sqlite3_bind_int64(r->stmts[stmt], 1, a);
    if (sqlite3_bind_parameter_count(r->stmts[stmt]) > 1)
        (void)sqlite3_bind_int64(r->stmts[stmt], 2, b);
    return db_take(r->stmts[stmt], 0, out);
}

static int run_upto(struct retention *r, int stmt, int64_t upto)
{
    (void)sqlite3_bind_int64(r->stmts[stmt], 1, upto);
    return db_run(r->stmts[stmt]);
}

int retention_open(struct retention *r, struct writer *writer)
{
    *r = (struct retention){.writer = writer};
    r->stmts = calloc(STMT_COUNT, sizeof(sqlite3_stmt *));
    if (r->stmts == NULL)
        return SQLITE_NOMEM;
    int rc = db_prepare_all(writer->db, statements, STMT_COUNT, r->stmts);
    if (rc == SQLITE_OK)
        rc = keep_rollups_open(&r->rollups, writer->db);
    for (int s = 0; s < STREAM_COUNT && rc == SQLITE_OK; s++) {
        int64_t first = 0;
        rc = db_take(r->stmts[FIRST_OF + s], writer->streams[s].seq + 1, &first);
        r->gone[s] = first - 1;
    }
    return rc;
}

void retention_close(struct retention *r)
{
    if (r->stmts != NULL)
        db_finalize_all(r->stmts, STMT_COUNT);
    free(r->stmts);
    r->stmts = NULL;
    keep_rollups_close(&r->rollups);
}

int64_t retention_headroom(int64_t max_size)
{
    int64_t most = 64 << 20;
    return max_size / 4 < most ? max_size / 4 : most;
}

int64_t retention_reserve(int64_t max_size)
{
    int64_t most = 8 << 20;
    int64_t part = retention_headroom(max_size) / 4;
    return part < most ? part : most;
}

/* Frames of the log that are worth copying back: 4 MiB, less in a small store. */
static int checkpoint_pages(int64_t max_size)
{
    int64_t pages = retention_headroom(max_size) / 4 / PAGE_BYTES;
    return (int)(pages < 16 ? 16 : pages > 1000 ? 1000 : pages);
}

/* What the pages may take. The margin is for what a batch and a checkpoint write before the next measurement. */
static int64_t pages_share(int64_t max_size)
{
    int64_t margin = max_size / 8 < (1 << 20) ? max_size / 8 : 1 << 20;
    return max_size - retention_headroom(max_size) - margin;
}

/* Bytes of pages that may be in use. The disk is a bound of its own: what the log holds must find room in the file
 * when it is copied back, and the log itself must find its usual length, or nothing could be removed any more
 * either. */
static int64_t most_used(const struct retention_size *size, int64_t max_size, enum loss_cause *bound)
{
    int64_t most = pages_share(max_size);
    *bound = LOSS_SIZE;
    if (size->free < 0)
        return most;
    int64_t log = (int64_t)checkpoint_pages(max_size) * PAGE_BYTES;
    int64_t room = size->free + size->reserve - retention_reserve(max_size);
    if (size->log < log)
        room -= log - size->log;
    if (size->database + room >= most)
        return most;
    *bound = LOSS_DISK;
    return size->database + room;
}

bool retention_wanted(const struct retention *r, const struct retention_size *size, int64_t max_size)
{
    enum loss_cause bound = LOSS_SIZE;
    int pages = r->checkpoint_at > 0 ? r->checkpoint_at : checkpoint_pages(max_size);
    return size->used > most_used(size, max_size, &bound) || r->writer->wal_pages >= pages;
}

bool retention_pressing(const struct retention *r, int64_t max_size)
{
    int pages = checkpoint_pages(max_size);
    return r->writer->wal_pages >= 2 * (r->checkpoint_at > pages ? r->checkpoint_at : pages);
}

int retention_measure(struct retention *r, struct retention_size *out)
{
    int64_t pages = 0, unused = 0;
    *out = (struct retention_size){.free = -1};
    int rc = db_take(r->stmts[PAGES], 0, &pages);
    if (rc == SQLITE_OK)
        rc = db_take(r->stmts[FREE_PAGES], 0, &unused);
    out->used = (pages - unused) * PAGE_BYTES;

    struct stat file;
    if (stat(r->writer->path, &file) == 0)
        out->database = file.st_size;
    const char *log = sqlite3_filename_wal(sqlite3_db_filename(r->writer->db, "main"));
    if (stat(log, &file) == 0)
        out->log = file.st_size;
    char reserve[PATH_MAX];
    if (text_format(reserve, sizeof(reserve), "%s.reserve", r->writer->path) && stat(reserve, &file) == 0)
        out->reserve = file.st_size;
    struct statvfs fs;
    if (statvfs(r->writer->path, &fs) == 0)
        out->free = (int64_t)(fs.f_bavail * fs.f_frsize);
    return rc;
}

/* Moves doomed[s] on, looking at a bounded number of records. */
static int judge_age(struct retention *r, int s, struct retention_round *round)
{
    int64_t oldest = r->present_ms - round->limits.keep_ms[s];
    if (r->probe[s] < r->gone[s])
        r->probe[s] = r->gone[s];
    sqlite3_stmt *stmt = r->stmts[AGE_OF + s];
    (void)sqlite3_bind_int64(stmt, 1, r->probe[s]);
    (void)sqlite3_bind_int64(stmt, 2, RETENTION_SCAN_ROWS);
    int rc = SQLITE_ROW, looked = 0;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t seq = sqlite3_column_int64(stmt, 0), ts = sqlite3_column_int64(stmt, 1);
        looked++;
        /* The time of a record that was taken before the clock was told the time is none: those that follow it decide. Where nobody ever
         * tells it the time, it is all there is. */
        bool guessed = sqlite3_column_int(stmt, 2) != 0 && (round->synced || r->vouched);
        bool believable = ts >= BELIEVABLE_MS && ts <= round->now_ms + DAY_MS && !guessed;
        if (believable && ts >= oldest)
            break; /* young enough: looked at again next time */
        r->probe[s] = seq;
        if (believable)
            r->doomed[s] = seq;
    }
    (void)sqlite3_reset(stmt);
    round->more = round->more || (rc == SQLITE_DONE && looked == RETENTION_SCAN_ROWS);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int write_loss(struct retention *r, int s, enum loss_cause cause, const struct loss *loss)
{
    sqlite3_stmt *stmt = r->stmts[LOSS];
    (void)sqlite3_bind_int64(stmt, 1, s);
    (void)sqlite3_bind_int64(stmt, 2, cause);
    (void)sqlite3_bind_int64(stmt, 3, loss->first);
    (void)sqlite3_bind_int64(stmt, 4, loss->last);
    (void)sqlite3_bind_int64(stmt, 5, (int64_t)loss->count);
    return db_run(stmt);
}

/* Removes the records of a stream up to `upto`, which is there, and keeps what a filtered `prev` and an audit of the
 * chain need to know of them. */
static int remove_upto(struct retention *r, int s, int64_t upto, enum loss_cause cause,
                       struct retention_round *round)
{
    struct seq_range owed, taken = {.first = r->gone[s] + 1, .last = upto};
    struct loss loss = {.count = cursors_owed(&round->cursors, (enum stream)s, taken, &owed)};
    loss.first = owed.first;
    loss.last = owed.last;

    int rc = writer_begin(r->writer);
    if (rc == SQLITE_OK && s == STREAM_ALARM)
        rc = run_upto(r, KEEP_LEVELS, upto);
    if (rc == SQLITE_OK && s == STREAM_TELEMETRY)
        rc = run_upto(r, KEEP_DEVICES, upto);
    if (rc == SQLITE_OK)
        rc = run_upto(r, START_OF + s, upto);
    if (rc == SQLITE_OK)
        rc = run_upto(r, DELETE_OF + s, upto);
    if (rc == SQLITE_OK && s == STREAM_TELEMETRY)
        rc = run_upto(r, BLOCKS, (upto + 1) >> SCHEMA_BLOCK_SHIFT);
    if (rc == SQLITE_OK && loss.count > 0)
        rc = write_loss(r, s, cause, &loss);
    if (rc == SQLITE_OK)
        rc = writer_commit(r->writer);
    if (rc == SQLITE_OK) {
        r->gone[s] = upto;
        loss_add(&round->lost.of[s][cause], &loss);
    }
    return rc;
}

static int remove_aged(struct retention *r, int s, struct retention_round *round)
{
    int rc = judge_age(r, s, round);
    if (rc != SQLITE_OK || r->doomed[s] <= r->gone[s])
        return rc;
    int64_t upto = 0;
    rc = number_of(r, LAST_OF + s, r->doomed[s], RETENTION_SLICE_ROWS, &upto);
    if (rc != SQLITE_OK)
        return rc;
    rc = remove_upto(r, s, upto, LOSS_AGE, round);
    round->more = round->more || r->doomed[s] > r->gone[s];
    return rc;
}

/* One slice of the oldest telemetry, whatever its age. */
static int remove_oldest(struct retention *r, enum loss_cause cause, struct retention_round *round)
{
    sqlite3_stmt *stmt = r->stmts[WEIGH];
    int64_t upto = 0, bytes = 0;
    (void)sqlite3_bind_int64(stmt, 1, RETENTION_SLICE_ROWS);
    int rc = SQLITE_DONE;
    while (bytes < RETENTION_SLICE_BYTES && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        upto = sqlite3_column_int64(stmt, 0);
        bytes += sqlite3_column_int64(stmt, 1);
    }
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return rc;
    return upto == 0 ? SQLITE_OK : remove_upto(r, STREAM_TELEMETRY, upto, cause, round);
}

static int remove_for_size(struct retention *r, struct retention_round *round)
{
    struct retention_size size;
    enum loss_cause cause = LOSS_SIZE;
    int rc = retention_measure(r, &size);
    bool over = size.used > most_used(&size, round->limits.max_size, &cause);
    if (rc != SQLITE_OK || !(over || round->make_room))
        return rc;
    int64_t before = r->gone[STREAM_TELEMETRY];
    rc = remove_oldest(r, over ? cause : LOSS_DISK, round);
    bool taken = r->gone[STREAM_TELEMETRY] > before;
    if (rc == SQLITE_OK && !taken)
        rc = keep_rollups_yield(&r->rollups, &taken);
    /* When nothing is left to take, another round would change nothing. */
    round->more = round->more || (over && taken);
    return rc;
}

/* Copies the log back into the file, as far as readers let it. Somebody outside may hold an old snapshot for long:
 * then it is tried again only when the log has grown by as much again. */
static int checkpoint(struct retention *r, const struct retention_round *round)
{
    int step = checkpoint_pages(round->limits.max_size);
    int at = r->checkpoint_at > 0 ? r->checkpoint_at : step;
    if (r->writer->wal_pages < at && !round->make_room)
        return SQLITE_OK;
    int log = 0, copied = 0;
    int rc = sqlite3_wal_checkpoint_v2(r->writer->db, "main", SQLITE_CHECKPOINT_PASSIVE, &log, &copied);
    if (rc == SQLITE_BUSY)
        rc = SQLITE_OK; /* somebody outside copies it back just now */
    bool whole = rc == SQLITE_OK && log == copied;
    r->checkpoint_at = whole ? 0 : r->writer->wal_pages + step;
    if (whole)
        r->writer->wal_pages =
            0; /* the next commit begins the log anew, unless a reader still stands in it */
    return rc;
}

/* Free pages are used again before the file grows; they are given back when a quarter of the file is free, or when
 * the file is larger than it may be (the bound was lowered). */
static int vacuum(struct retention *r, struct retention_round *round)
{
    int64_t pages = 0, unused = 0;
    int rc = db_take(r->stmts[PAGES], 0, &pages);
    if (rc == SQLITE_OK)
        rc = db_take(r->stmts[FREE_PAGES], 0, &unused);
    bool many = unused >= VACUUM_PAGES && unused >= pages / 4;
    bool over = pages * PAGE_BYTES > pages_share(round->limits.max_size);
    if (rc != SQLITE_OK || unused == 0 || !(many || over) || round->make_room)
        return rc;
    rc = db_run(r->stmts[VACUUM]);
    round->more = true;
    return rc;
}

/* What the log's file may keep for its next turn. */
static int limit_log(struct retention *r, const struct retention_round *round)
{
    int64_t bytes = retention_headroom(round->limits.max_size) / 2;
    bytes = bytes < LOG_KEPT_BYTES ? bytes : LOG_KEPT_BYTES;
    if (bytes == r->log_kept)
        return SQLITE_OK;
    char pragma[64];
    (void)text_format(pragma, sizeof(pragma), "PRAGMA journal_size_limit = %lld", (long long)bytes);
    int rc = db_exec(r->writer->db, pragma);
    if (rc == SQLITE_OK)
        r->log_kept = bytes;
    return rc;
}

/* Whether records may be judged by their age now. Events tell, for each start and each change of the clock is one. */
static int believe_now(struct retention *r, const struct retention_round *round, bool *believed)
{
    int64_t found = 0, last = r->writer->streams[STREAM_EVENT].seq;
    int rc = SQLITE_OK;
    if (!round->synced && !r->vouched) {
        rc = number_of(r, VOUCHED, r->vouched_upto, 0, &found);
        r->vouched = found != 0;
        if (rc == SQLITE_OK)
            r->vouched_upto = last;
    }
    *believed = round->synced || !r->vouched;
    return rc;
}

/* The present that ages are judged by: never suddenly far ahead of the one before. Back it goes at once: that only makes
 * records younger. */
static void note_present(struct retention *r, const struct retention_round *round)
{
    int64_t passed = r->present_mono > 0 ? round->mono_ms - r->present_mono : 0;
    int64_t expected = r->present_ms + passed;
    bool ahead = r->present_ms > 0 && round->now_ms > expected + HOUR_MS;
    if (!ahead)
        r->ahead_since = 0;
    else if (r->ahead_since == 0)
        r->ahead_since = round->mono_ms;
    bool lasting = ahead && round->mono_ms - r->ahead_since >= DAY_MS;
    r->present_ms = ahead && !lasting ? expected : round->now_ms;
    r->present_mono = round->mono_ms;
    /* What had no believable time as seen from another present may have one now. */
    int64_t moved = round->now_ms - round->mono_ms - r->offset_ms;
    if (moved > HOUR_MS || moved < -HOUR_MS)
        memcpy(r->probe, r->gone, sizeof(r->probe));
    r->offset_ms = round->now_ms - round->mono_ms;
}

/* Streams by the age of their records, and occurrences that ended as long ago. */
static int age(struct retention *r, struct retention_round *round)
{
    bool believed = false;
    int rc = believe_now(r, round, &believed);
    if (rc != SQLITE_OK || !believed)
        return rc;
    note_present(r, round);
    for (int s = 0; s < STREAM_COUNT && rc == SQLITE_OK; s++)
        rc = remove_aged(r, s, round);
    if (rc == SQLITE_OK)
        rc = keep_rollups_age(&r->rollups, round->now_ms, r->present_ms - round->limits.keep_rollups_ms,
                              &round->more);
    if (rc != SQLITE_OK || round->more)
        return rc;
    (void)sqlite3_bind_int64(r->stmts[OCCURRENCES], 2, OCCURRENCES_AT_ONCE);
    return run_upto(r, OCCURRENCES, r->present_ms - round->limits.keep_ms[STREAM_ALARM]);
}

void retention_run(struct retention *r, struct retention_round *round)
{
    round->more = false;
    round->lost = (struct loss_book){0};

    int rc = limit_log(r, round);
    if (rc == SQLITE_OK)
        rc = checkpoint(r, round);
    if (round->make_room)
        rc = SQLITE_OK; /* on a full disk it may fail, and what is removed may still help */
    if (rc == SQLITE_OK)
        rc = age(r, round);
    if (rc == SQLITE_OK)
        rc = keep_rollups_size(&r->rollups, round->now_ms, round->limits.max_size, &round->more);
    if (rc == SQLITE_OK)
        rc = remove_for_size(r, round);
    if (rc == SQLITE_OK && !round->more)
        rc = vacuum(r, round);

    round->rc = rc;
    if (rc != SQLITE_OK) {
        db_words(r->writer->db, rc, r->writer->path, round->words, sizeof(round->words));
        writer_rollback(r->writer);
        round->more = false;
    }
    memcpy(round->gone, r->gone, sizeof(round->gone));
}
