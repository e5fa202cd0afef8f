/* The start of a store, and its end. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/check.h"
#include "store/schema.h"
#include "store/store_impl.h"

struct words {
    char *text;
    size_t size;
};

static enum rg_err sqlite_failed(struct store *s, int rc, struct words why)
{
    db_words(s->db, rc, s->path, why.text, why.size);
    return db_error(rc);
}

/* What has to be said before the first table is made, and what belongs to each connection. */
static enum rg_err set_up(struct store *s, struct words why)
{
    int rc = db_exec(s->db, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL");
    if (rc != SQLITE_OK)
        return sqlite_failed(s, rc, why);

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
        return sqlite_failed(s, rc, why);

    rc = db_exec(s->db, "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192");
    return rc == SQLITE_OK ? RG_OK : sqlite_failed(s, rc, why);
}

static enum rg_err migrate(struct store *s, struct words why)
{
    char detail[256];
    enum rg_err err = schema_migrate(s->db, SCHEMA_VERSION, detail, sizeof(detail));
    if (err != RG_OK)
        (void)text_format(why.text, why.size, "%s: %s", s->path, detail);
    return err;
}

/* The last run's end decides how much is checked. Then a new run begins. */
static enum rg_err begin_boot(struct store *s, struct store_start *start, struct words why)
{
    int64_t clean = 0, next = 0;
    int rc = db_number(s->db, "SELECT clean FROM run", 0, &clean);
    if (rc != SQLITE_OK)
        return sqlite_failed(s, rc, why);
    start->clean = clean != 0;
    if (!start->clean) {
        char detail[256];
        enum rg_err err = check_database(s->db, detail, sizeof(detail));
        if (err != RG_OK) {
            (void)text_format(why.text, why.size, "%s: %s", s->path, detail);
            return err;
        }
    }
    char begin[128];
    (void)text_format(begin, sizeof(begin),
                      "UPDATE run SET boot = boot + 1, next_alarm = next_alarm + %d, clean = 0",
                      start->clean ? 0 : STORE_ALARM_MARGIN);
    rc = db_exec(s->db, begin);
    if (rc == SQLITE_OK)
        rc = db_number(s->db, "SELECT boot FROM run", 0, &start->boot);
    if (rc == SQLITE_OK)
        rc = db_number(s->db, "SELECT next_alarm FROM run", 1, &next);
    /* Seen from the newest records: what the retention has taken was older. */
    if (rc == SQLITE_OK)
        rc = db_number(
            s->db,
            "SELECT max(coalesce((SELECT turn FROM telemetry WHERE held = 0 ORDER BY seq DESC LIMIT 1), 0),"
            " coalesce((SELECT max(turn) FROM telemetry WHERE held <> 0), 0), rolled,"
            " coalesce((SELECT turn FROM alarm ORDER BY seq DESC LIMIT 1), 0),"
            " coalesce((SELECT turn FROM event ORDER BY seq DESC LIMIT 1), 0)) FROM run",
            0, &s->turn);
    start->next_alarm = s->next_alarm = s->next_alarm_kept = (uint64_t)next;
    return rc == SQLITE_OK ? RG_OK : sqlite_failed(s, rc, why);
}

static enum rg_err start_engine(struct store *s, struct words why)
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
        return sqlite_failed(s, rc, why);
    for (int i = 0; i < STREAM_COUNT; i++) {
        s->stats.head[i] = s->writer.streams[i].seq;
        s->gone[i] = s->retention.gone[i];
    }
    s->stats.size = s->job.size.database + s->job.size.log + s->job.size.reserve;
    s->stats.free = s->job.size.free;
    return err;
}

static enum rg_err start_loop_side(struct store *s, struct words why)
{
    enum rg_err err = lane_create(&s->lanes[LANE_ALARMS], STORE_BATCH_ALARM_BYTES);
    if (err == RG_OK)
        err = lane_create(&s->lanes[LANE_TELEMETRY], STORE_BATCH_BYTES);
    if (err == RG_OK)
        err = rollups_create(&s->rollups);
    if (err == RG_OK)
        err = reader_create(s->loop, s->path, &s->reader, why.text, why.size);
    if (err == RG_OK)
        err = loop_timer_create(s->loop, pump_timer, s, &s->timer);
    if (err == RG_OK)
        err = loop_worker_create(s->loop, "store-writer", job_run, pump_done, s, &s->worker);
    return err;
}

static void tear_down(struct store *s)
{
    loop_worker_destroy(s->worker);
    loop_timer_destroy(s->timer);
    reader_destroy(s->reader);
    for (int i = 0; i < LANE_COUNT; i++)
        lane_destroy(&s->lanes[i]);
    retention_close(&s->retention);
    writer_close(&s->writer);
    db_close(s->db);
    lock_release(s->lock);
    devices_destroy(s->devices);
    free(s->config_next);
    free(s->config_flying);
    rollups_destroy(&s->rollups);
    free(s->path);
    free(s);
}

static enum rg_err set_going(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = set_up(s, why);
    if (err == RG_OK)
        err = migrate(s, why);
    if (err == RG_OK)
        err = begin_boot(s, start, why);
    if (err == RG_OK) {
        int rc = rollups_rebuild(s->db);
        /* A disk without room, or a record that is no JSON any more: roll-ups of one minute fall short, which is no reason not
         * to watch. */
        if (db_error(rc) == RG_ECORRUPT)
            err = sqlite_failed(s, rc, why);
    }
    return err;
}

static enum rg_err open_parts(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = lock_take(s->path, &s->lock, why.text, why.size);
    if (err != RG_OK)
        return err;
    struct stat there;
    start->fresh = stat(s->path, &there) != 0 || there.st_size == 0;
    int rc = db_connect(s->path, DB_WRITER, &s->db);
    if (rc != SQLITE_OK)
        return sqlite_failed(s, rc, why);
    err = set_going(s, start, why);
    /* A disk that filled while the daemon was off must not keep it from watching: that is what the reserve is for. */
    if (err == RG_EIO && reserve_release(s->path))
        err = set_going(s, start, why);
    if (err == RG_OK) {
        rc = load_state(s, start, &err);
        if (err != RG_OK && rc != SQLITE_OK)
            (void)sqlite_failed(s, rc, why);
        else if (err == RG_ECORRUPT)
            (void)text_format(why.text, why.size, "%s: is damaged: a row of its state makes no sense",
                              s->path);
    }
    if (err == RG_OK)
        err = start_engine(s, why);
    if (err == RG_OK)
        err = start_loop_side(s, why);
    memcpy(start->head, s->stats.head, sizeof(start->head));
    return err;
}

enum rg_err store_open(struct loop *loop, const struct site_store *conf, const struct store_cbs *cbs,
                       void *arg, struct store **out, struct store_start *start, char *why, size_t why_size)
{
    *out = NULL;
    (void)text_format(why, why_size, "%s: out of memory", conf->path); /* whatever says nothing better */
    struct store_start found = {0};
    struct store *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return RG_ENOMEM;
    s->loop = loop;
    s->cbs = *cbs;
    s->arg = arg;
    s->lock = -1;
    s->stats.ok = true;
    s->telemetry_due_ms = s->cursors_due_ms = INT64_MAX;
    s->round_at_ms = loop_mono_ms(loop) + STORE_ROUND_EVERY_MS;
    s->path = strdup(conf->path);
    backoff_init(&s->backoff, STORE_RETRY_FIRST_MS, STORE_RETRY_CAP_MS);
    random_seed(&s->random, random_system_seed());
    store_limits(s, conf);
    enum rg_err err = s->path == NULL ? RG_ENOMEM : devices_create(&s->devices);
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
           s->config_next != NULL || !rollups_empty(&s->rollups)) {
        if (failures == 2 || loop_mono_ms(s->loop) > until)
            return false;
        /* A second try without telemetry: alarms may fit where it does not. */
        job_fill_batch(s, failures == 0 || lane_empty(&s->lanes[LANE_ALARMS]));
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
    (void)sqlite3_busy_timeout(s->db, STORE_CLOSE_BUSY_MS); /* fails only for a connection that is not open */
    if (s->job.kind == JOB_COMMIT && s->job.ran)
        (void)job_absorb(s); /* what failed still waits */
    else if (s->job.kind == JOB_COMMIT)
        job_take_back(s);
    s->job.kind = JOB_NONE;

    bool whole = commit_rest(s);
    enum rg_err err = whole ? RG_OK : RG_EIO;
    if (whole && db_exec(s->db, "UPDATE run SET clean = 1") != SQLITE_OK)
        err = RG_EIO;
    /* The log holds everything too: when an outside reader keeps it from being copied back, the next start does
     * it. */
    (void)sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    tear_down(s);
    return err;
}
