/* The start of a store, and its end. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/check.h"
#include "store/schema.h"
#include "store/store_impl.h"

enum rg_err store_sqlite_failed(const struct store *s, int rc, struct words why)
{
    db_words(s->db, rc, s->path, why.text, why.size);
    return db_error(rc);
}

/* What has to be said before the first table is made, and what belongs to each connection. */
static enum rg_err set_up(struct store *s, struct words why)
{
    int rc = db_exec(s->db, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL");
    if (rc != SQLITE_OK)
        return store_sqlite_failed(s, rc, why);

    char detail[256];
    enum rg_err err =
        schema_migrate(s->db, 0, detail, sizeof(detail)); /* recognises it, before anything is written */
    if (err != RG_OK) {
        (void)text_format(why.text, why.size, "%s: %s", s->path, detail);
        return err;
    }
    sqlite3_stmt *mode = NULL;
    rc = db_prepare(s->db, "PRAGMA journal_mode = WAL", &mode);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(mode);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(mode, 0) : NULL;
    bool wal = text != NULL && strcmp(text, "wal") == 0;
    (void)sqlite3_finalize(mode);
    if (rc == SQLITE_ROW && !wal) {
        (void)text_format(why.text, why.size, "%s: its file system cannot do write-ahead logging", s->path);
        return RG_EIO;
    }
    if (rc != SQLITE_ROW)
        return store_sqlite_failed(s, rc, why);

    /* Pages are cached up to 1 MiB: records are appended, so that few are needed again, and a small box has better use for its memory. */
    rc = db_exec(s->db, "PRAGMA synchronous = FULL; PRAGMA cache_size = -1024");
    return rc == SQLITE_OK ? RG_OK : store_sqlite_failed(s, rc, why);
}

static enum rg_err migrate(struct store *s, struct words why)
{
    char detail[256];
    enum rg_err err = schema_migrate(s->db, SCHEMA_VERSION, detail, sizeof(detail));
    if (err != RG_OK)
        (void)text_format(why.text, why.size, "%s: %s", s->path, detail);
    return err;
}

enum rg_err store_check_end(struct store *s, struct store_start *start, struct words why)
{
    int64_t clean = 0;
    int rc = db_number(s->db, "SELECT clean FROM run", 0, &clean);
    if (rc != SQLITE_OK)
        return store_sqlite_failed(s, rc, why);
    start->clean = clean != 0;
    if (start->clean)
        return RG_OK;
    char detail[256];
    enum rg_err err = check_database(s->db, detail, sizeof(detail));
    if (err != RG_OK)
        (void)text_format(why.text, why.size, "%s: %s", s->path, detail);
    return err;
}

enum rg_err store_read_run(struct store *s, struct store_start *start, struct words why)
{
    int64_t next = 0;
    int rc = db_number(s->db, "SELECT boot FROM run", 0, &start->boot);
    if (rc == SQLITE_OK)
        rc = db_number(s->db, "SELECT next_alarm FROM run", 1, &next);
    /* Seen from the newest records: what the retention has taken was older. */
    if (rc == SQLITE_OK)
        rc = db_number(
            s->db,
            "SELECT max(coalesce((SELECT turn FROM telemetry WHERE held = 0 ORDER BY seq DESC LIMIT 1), 0),"
            " coalesce((SELECT max(turn) FROM telemetry WHERE held <> 0), 0), rolled, rolling,"
            " coalesce((SELECT turn FROM alarm ORDER BY seq DESC LIMIT 1), 0),"
            " coalesce((SELECT turn FROM event ORDER BY seq DESC LIMIT 1), 0)) FROM run",
            0, &s->turn);
    start->next_alarm = s->next_alarm = s->next_alarm_kept = (uint64_t)next;
    return rc == SQLITE_OK ? RG_OK : store_sqlite_failed(s, rc, why);
}

/* The last run's end decides how much is checked. Then a new run begins. */
static enum rg_err begin_boot(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = store_check_end(s, start, why);
    if (err != RG_OK)
        return err;
    char begin[128];
    (void)text_format(begin, sizeof(begin),
                      "UPDATE run SET boot = boot + 1, next_alarm = next_alarm + %d, clean = 0",
                      start->clean ? 0 : STORE_ALARM_MARGIN);
    int rc = db_exec(s->db, begin);
    return rc == SQLITE_OK ? store_read_run(s, start, why) : store_sqlite_failed(s, rc, why);
}

enum rg_err store_engine(struct store *s, struct words why)
{
    enum rg_err err = RG_OK;
    int rc = writer_open(&s->writer, s->db, s->path, &err);
    if (err == RG_OK) {
        rc = retention_open(&s->retention, &s->writer);
        err = db_error(rc);
    }
    if (err == RG_OK) {
        rc = retention_measure(&s->retention, &s->job.size);
        err = db_error(rc);
    }
    if (err != RG_OK && rc != SQLITE_NOMEM)
        return store_sqlite_failed(s, rc, why);
    struct stat file;
    s->inode = stat(s->path, &file) == 0 ? (uint64_t)file.st_ino : 0;
    return err;
}

static void learn_engine(struct store *s)
{
    for (int i = 0; i < STREAM_COUNT; i++) {
        s->stats.head[i] = s->writer.streams[i].seq;
        s->gone[i] = s->retention.gone[i];
    }
    s->stats.size = s->job.size.database + s->job.size.log + s->job.size.reserve;
    s->stats.free = s->job.size.free;
}

static void reader_damaged(void *arg, const char *words)
{
    struct store *s = arg;
    replace_wanted(s, LOSS_CORRUPT, words);
    pump_step(s);
}

static enum rg_err start_loop_side(struct store *s, struct words why)
{
    enum rg_err err = lane_create(&s->lanes[LANE_ALARMS], STORE_BATCH_ALARM_BYTES);
    if (err == RG_OK)
        err = lane_create(&s->lanes[LANE_TELEMETRY], STORE_BATCH_BYTES);
    if (err == RG_OK)
        err = rollups_create(&s->rollups);
    if (err == RG_OK)
        err = reader_create(s->loop, s->path, s->standby, reader_damaged, s, &s->reader, why.text, why.size);
    if (err == RG_OK)
        err = loop_timer_create(s->loop, pump_timer, s, &s->timer);
    if (err == RG_OK)
        err = loop_worker_create(s->loop, "store-writer", job_run, pump_done, s, &s->worker);
    if (err == RG_OK)
        loop_worker_prompt(s->worker); /* an alarm waits for its commit */
    return err;
}

static void tear_down(struct store *s)
{
    loop_worker_destroy(s->worker);
    loop_timer_destroy(s->timer);
    reader_destroy(s->reader);
    for (int i = 0; i < LANE_COUNT; i++)
        lane_destroy(&s->lanes[i]);
    store_disconnect(s, false);
    count_vfs_destroy(s->count);
    marks_close(&s->marks);
    renew_free(&s->job.renew);
    lock_release(s->lock);
    devices_destroy(s->devices);
    free(s->config_next);
    free(s->config_flying);
    rollups_destroy(&s->rollups);
    duty_free(s->duty_next);
    duty_free(s->duty_flying);
    free(s->path);
    memory_unreserve(s, sizeof(*s));
}

enum rg_err store_connect(struct store *s, struct words why)
{
    int rc = db_connect(s->path, DB_WRITER, count_vfs_name(s->count), &s->db);
    if (rc != SQLITE_OK)
        return store_sqlite_failed(s, rc, why);
    enum rg_err err = set_up(s, why);
    return err == RG_OK ? migrate(s, why) : err;
}

void store_disconnect(struct store *s, bool leave)
{
    retention_close(&s->retention);
    writer_close(&s->writer);
    if (s->db != NULL && leave)
        db_leave_log(s->db);
    db_close(s->db);
    s->db = NULL;
}

/* Nothing is made in the place of one that should be there. */
static enum rg_err check_there(struct store *s, const struct store_start *start, struct words why)
{
    bool had = false;
    for (int i = 0; i < STREAM_COUNT; i++)
        had = had || s->found.seen[i] > 0;
    if (!start->fresh || !had)
        return RG_OK;
    (void)text_format(why.text, why.size, "%s: is not there any more, or empty, though records were stored",
                      s->path);
    return RG_ECORRUPT;
}

enum rg_err store_check_marks(struct store *s, struct words why)
{
    for (int i = 0; i < STREAM_COUNT; i++) {
        int64_t seq = 0;
        char sql[64];
        (void)text_format(sql, sizeof(sql), "SELECT seq FROM stream WHERE id = %d", i);
        int rc = db_number(s->db, sql, 0, &seq);
        if (rc != SQLITE_OK)
            return store_sqlite_failed(s, rc, why);
        if (seq >= s->found.seen[i])
            continue;
        (void)text_format(
            why.text, why.size,
            "%s: ends with record %lld of stream %s, though %lld were committed: it is an older copy, or "
            "its log was lost",
            s->path, (long long)seq, stream_name((enum stream)i), (long long)s->found.seen[i]);
        return RG_ECORRUPT;
    }
    return RG_OK;
}

enum rg_err store_take_state(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = RG_OK;
    int rc = load_state(s, start, &err);
    if (err != RG_OK && rc != SQLITE_OK)
        (void)store_sqlite_failed(s, rc, why);
    else if (err == RG_ECORRUPT)
        (void)text_format(why.text, why.size, "%s: is damaged: a row of its state makes no sense", s->path);
    return err;
}

enum rg_err store_forget_state(struct store *s, struct store_start *start)
{
    store_disconnect(s, false);
    store_start_free(start);
    s->cursors.used = 0;
    s->losses = (struct loss_book){0};
    devices_destroy(s->devices);
    return devices_create(&s->devices);
}

static enum rg_err open_database(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = store_forget_state(s, start);
    if (err == RG_OK)
        err = check_there(s, start, why);
    if (err == RG_OK)
        err = store_connect(s, why);
    if (err == RG_OK)
        err = store_check_marks(s, why);
    if (err == RG_OK)
        err = begin_boot(s, start, why);
    if (err == RG_OK) {
        int rc = rollups_rebuild(s->db);
        /* A disk without room, or a record that is no JSON any more: roll-ups of one minute fall short, which is no reason not
         * to watch. */
        if (db_error(rc) == RG_ECORRUPT)
            err = store_sqlite_failed(s, rc, why);
    }
    if (err == RG_OK)
        err = store_take_state(s, start, why);
    return err == RG_OK ? store_engine(s, why) : err;
}

/* A disk that filled while the daemon was off must not keep it from watching: that is what the reserve is for. */
static enum rg_err open_or_make_room(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = open_database(s, start, why);
    if (err == RG_EIO && reserve_release(s->path))
        err = open_database(s, start, why);
    return err;
}

/* A damaged one is set aside. Should what was read of it make no sense either, the next one begins without. */
static enum rg_err open_or_replace(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = open_or_make_room(s, start, why);
    for (int tries = 0; tries < 2 && err == RG_ECORRUPT; tries++) {
        bool known = s->found.found || start->boot > 0;
        if (tries == 0 && !set_aside_may(s->path, known)) {
            (void)text_format(
                why.text, why.size,
                "%s: is not a database but some text, and nothing says that it ever was the store: it is "
                "left alone",
                s->path);
            return RG_EINVAL;
        }
        (void)text_copy(start->damage, sizeof(start->damage), why.text);
        store_disconnect(s, true);
        err = replace_at_start(s, start->fresh ? LOSS_MISSING : LOSS_CORRUPT, tries == 0, why);
        memset(s->found.seen, 0, sizeof(s->found.seen)); /* they are in the new one now */
        if (err == RG_OK)
            err = open_or_make_room(s, start, why);
    }
    (void)text_copy(start->set_aside, sizeof(start->set_aside), s->job.renew.file);
    return err;
}

static enum rg_err open_parts(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = lock_take(s->path, &s->lock, why.text, why.size);
    if (err != RG_OK)
        return err;
    struct stat there;
    bool file = stat(s->path, &there) == 0;
    if (file && !S_ISREG(there.st_mode)) {
        (void)text_format(why.text, why.size, "%s: is not a file", s->path);
        return RG_EINVAL;
    }
    char log[PATH_MAX];
    struct stat beside;
    bool logged =
        text_format(log, sizeof(log), "%s-wal", s->path) && stat(log, &beside) == 0 && beside.st_size > 0;
    start->fresh = !file || (there.st_size == 0 && !logged);
    marks_open(&s->marks, s->path, s->count, &s->found);
    err = open_or_replace(s, start, why);
    if (err == RG_EIO && !start->fresh)
        err = standby_open(s, start, why);
    if (err == RG_OK) {
        learn_engine(s);
        s->boot = start->boot;
        s->retention.present_ms = s->found.present_ms;
        set_aside_count(s->path, &s->stats.aside_count, &s->stats.aside_bytes);
        (void)marks_begin(&s->marks, s->stats.head, s->next_alarm,
                          start->boot); /* tried again with each commit */
        err = start_loop_side(s, why);
    }
    memcpy(start->head, s->stats.head, sizeof(start->head));
    return err;
}

enum rg_err store_open(struct loop *loop, const struct site_store *conf, const struct store_cbs *cbs,
                       void *arg, struct store **out, struct store_start *start, char *why, size_t why_size)
{
    *out = NULL;
    (void)text_format(why, why_size, "%s: out of memory", conf->path); /* whatever says nothing better */
    struct store_start found = {0};
    struct store *s = memory_reserve(sizeof(*s)); /* room for many uplinks, of which few have few */
    if (s == NULL)
        return RG_ENOMEM;
    s->loop = loop;
    s->cbs = *cbs;
    s->arg = arg;
    s->lock = -1;
    s->marks.fd = -1;
    s->renewed_at_ms = INT64_MIN;
    wear_begin(&s->wear, loop_mono_ms(loop));
    s->stats.ok = true;
    s->telemetry_due_ms = s->cursors_due_ms = s->rollups_due_ms = INT64_MAX;
    s->round_at_ms = loop_mono_ms(loop) + STORE_ROUND_EVERY_MS;
    s->path = strdup(conf->path);
    backoff_init(&s->backoff, STORE_RETRY_FIRST_MS, STORE_RETRY_CAP_MS);
    random_seed(&s->random, random_system_seed());
    store_limits(s, conf);
    enum rg_err err = s->path == NULL ? RG_ENOMEM : count_vfs_create(&s->count);
    if (err == RG_OK)
        err = open_parts(s, &found, (struct words){why, why_size});
    if (err != RG_OK) {
        store_start_free(&found);
        tear_down(s);
        return err;
    }
    if (why_size > 0)
        why[0] = '\0';
    *out = s;
    *start = found;
    pump_step(s);
    return RG_OK;
}

void store_start_free(struct store_start *start)
{
    if (start == NULL)
        return;
    free(start->alarms);
    free(start->config);
    free(start->permits);
    free(start->commands);
    start->alarms = NULL;
    start->permits = NULL;
    start->permit_count = 0;
    start->commands = NULL;
    start->command_count = 0;
    start->config = NULL;
    start->alarm_count = 0;
}

/* Commits what waits on this thread; the worker is gone. */
static bool commit_rest(struct store *s)
{
    int64_t until = loop_mono_ms(s->loop) + STORE_CLOSE_MS;
    unsigned failures = 0;
    while (!lane_empty(&s->lanes[LANE_ALARMS]) || !lane_empty(&s->lanes[LANE_TELEMETRY]) ||
           cursors_dirty(&s->cursors) || !loss_book_empty(&s->told) || s->next_alarm > s->next_alarm_kept ||
           s->config_next != NULL || s->duty_next != NULL || rollups_waiting(&s->rollups)) {
        if (failures == 2 || loop_mono_ms(s->loop) > until)
            return false;
        /* A second try without telemetry: alarms may fit where it does not. */
        job_fill_batch(s, failures == 0 || lane_empty(&s->lanes[LANE_ALARMS]), true);
        job_run(s);
        if (!job_absorb(s))
            failures++;
    }
    return true;
}

enum rg_err store_close(struct store *s)
{
    if (s == NULL)
        return RG_OK;
    loop_timer_destroy(s->timer);
    s->timer = NULL;
    loop_worker_destroy(s->worker); /* waits for what runs */
    s->worker = NULL;
    reader_destroy(s->reader);
    s->reader = NULL;
    inquirer_destroy(s->inquirer);
    s->inquirer = NULL;
    if (s->db != NULL)
        (void)sqlite3_busy_timeout(s->db,
                                   STORE_CLOSE_BUSY_MS); /* fails only for a connection that is not open */
    if (s->job.kind == JOB_COMMIT && s->job.ran)
        (void)job_absorb(s); /* what failed still waits */
    else if (s->job.kind == JOB_COMMIT)
        job_take_back(s);
    s->job.kind = JOB_NONE;

    if (s->damaged) {
        replace_fill(s);
        job_run(s);
        s->job.kind = JOB_NONE;
    }
    bool whole = (s->db != NULL || s->standby) && commit_rest(s) && s->db != NULL;
    enum rg_err err = whole ? RG_OK : RG_EIO;
    if (whole && db_exec(s->db, "UPDATE run SET clean = 1") != SQLITE_OK)
        err = RG_EIO;
    /* The log holds everything too: when an outside reader keeps it from being copied back, the next start does
     * it. */
    if (err == RG_OK)
        marks_end(&s->marks);
    if (s->db != NULL)
        (void)sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    tear_down(s);
    return err;
}
