/* What the worker does next: commits, retries, maintenance. */
#include <stdlib.h>
#include <string.h>

#include "store/store_impl.h"

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool corrupt(int rc)
{
    return db_error(rc) == RG_ECORRUPT;
}

static bool alarm_waits(const struct store *s)
{
    const struct lane *l = &s->lanes[LANE_ALARMS];
    return l->regions[0].alarms > 0 || l->regions[1].alarms > 0;
}

static void run_commit(struct store *s)
{
    struct job *job = &s->job;
    if (s->standby) {
        job->batch.rc = standby_end(s, (struct words){job->batch.words, sizeof(job->batch.words)});
        if (job->batch.rc != SQLITE_OK) {
            for (int i = 0; i < STREAM_COUNT; i++) {
                job->batch.head[i] = s->writer.streams[i].seq;
                job->batch.changed[i] = false;
            }
            return;
        }
    }
    writer_run(&s->writer, &job->batch);
    if (corrupt(job->batch.rc)) {
        /* Not what some cable did once: again, with what is read from the disk. */
        (void)sqlite3_db_release_memory(s->db);
        writer_run(&s->writer, &job->batch);
    }
    bool any = false;
    for (int i = 0; i < STREAM_COUNT; i++)
        any = any || job->batch.changed[i];
    if (any)
        marks_note(&s->marks, job->batch.head, job->next_alarm, s->retention.present_ms);
}

static void run_round(struct store *s)
{
    struct retention_round *round = &s->job.round;
    s->job.released = round->make_room && reserve_release(s->path);
    if (!round->make_room)
        reserve_keep(s->path, retention_reserve(round->limits.max_size));
    retention_run(&s->retention, round);
    if (corrupt(round->rc)) {
        (void)sqlite3_db_release_memory(s->db);
        retention_run(&s->retention, round);
    }
    set_aside_count(s->path, &s->job.aside_count, &s->job.aside_bytes);
}

void job_run(void *arg)
{
    struct store *s = arg;
    struct job *job = &s->job;
    if (job->kind == JOB_RENEW)
        replace_run(s);
    else if (job->kind == JOB_COMMIT)
        run_commit(s);
    else
        run_round(s);
    if (s->db != NULL) {
        /* A number that cannot be measured is no reason to fail: the job's own result says whether the store works. */
        (void)retention_measure(&s->retention, &job->size);
        job->gone = replace_gone(s);
    }
    job->ran = true;
}

/* In a small store a transaction is small too, so that the log stays within the headroom of max_size. */
static size_t slice_bytes(const struct store *s)
{
    size_t part = (size_t)(retention_headroom(s->limits.max_size) / 8);
    size_t least = 16u << 10;

    part = part > least ? part : least;
    return part < STORE_SLICE_BYTES ? part : STORE_SLICE_BYTES;
}

static void slice_lane(struct store *s, enum lane_kind kind, bool wanted, struct writer_slice *slice)
{
    struct lane *lane = &s->lanes[kind];
    struct region *fly = lane_fly(lane);
    *slice = (struct writer_slice){0};
    s->job.counts[kind] = 0;
    s->job.ends[kind] = fly->done;
    if (!wanted)
        return;
    lane_swap(lane);
    fly = lane_fly(lane);
    s->job.ends[kind] = lane_slice(lane, slice_bytes(s), &s->job.counts[kind]);
    *slice = (struct writer_slice){.region = fly, .from = fly->done, .to = s->job.ends[kind]};
}

void job_fill_batch(struct store *s, bool telemetry, bool rollups)
{
    struct job *job = &s->job;
    job->kind = JOB_COMMIT;
    job->ran = false;
    job->next_alarm = s->next_alarm;
    slice_lane(s, LANE_ALARMS, true, &job->batch.alarms);
    slice_lane(s, LANE_TELEMETRY, telemetry, &job->batch.telemetry);
    if (lane_gather(&s->lanes[LANE_TELEMETRY])->used == 0)
        s->telemetry_due_ms =
            INT64_MAX; /* otherwise what flies has not all landed yet, and more waits behind it */
    cursors_hand_over(&s->cursors, &job->batch.cursors);
    s->cursors_due_ms = INT64_MAX;
    job->batch.told = s->told;
    job->batch.next_alarm = s->next_alarm > s->next_alarm_kept ? s->next_alarm : 0;
    /* Never before the event that tells of it. */
    const struct lane *alarms = &s->lanes[LANE_ALARMS];
    if (alarms->regions[alarms->gathering].used == 0 &&
        job->ends[LANE_ALARMS] == alarms->regions[1 - alarms->gathering].used) {
        s->config_flying = s->config_next;
        s->config_next = NULL;
    }
    job->batch.config = s->config_flying;
    job->batch.rollups = (struct rollups_slice){.count = 0};
    if (telemetry && rollups)
        job->batch.rollups = rollups_fly(&s->rollups);
    if (alarm_waits(s))
        rollups_hurry(&s->rollups);
    s->duty_flying = s->duty_next;
    s->duty_next = NULL;
    job->batch.duty = s->duty_flying;
}

void job_take_back(struct store *s)
{
    cursors_take_back(&s->cursors, &s->job.batch.cursors);
    if (s->config_next == NULL)
        s->config_next = s->config_flying;
    else
        free(s->config_flying);
    s->config_flying = NULL;
    if (s->duty_next == NULL)
        s->duty_next = s->duty_flying;
    else
        duty_free(s->duty_flying);
    s->duty_flying = NULL;
}

static void learn_devices(struct store *s)
{
    const struct writer_slice *slice = &s->job.batch.telemetry;
    for (size_t at = slice->from; at < slice->to;) {
        const struct entry *e = region_at(slice->region, at);
        if (e->name_length > 0)
            devices_stored(s->devices, e->device);
        at += e->size;
    }
}

static void rollups_landed(struct store *s)
{
    const int64_t every = s->commit_ms < STORE_ROLLUPS_MS ? s->commit_ms : STORE_ROLLUPS_MS;

    rollups_done(&s->rollups, &s->job.batch.rollups);
    s->rollups_due_ms = INT64_MAX;
    if (rollups_waiting(&s->rollups)) /* a little later than telemetry, with which they go */
        s->rollups_due_ms = s->job_begun_ms + every + every / STORE_BEFORE;
}

bool job_absorb(struct store *s)
{
    struct job *job = &s->job;
    memcpy(s->stats.head, job->batch.head, sizeof(s->stats.head));
    if (job->batch.rc != SQLITE_OK) {
        s->stats.failures++;
        job_take_back(s);
        s->cursors_due_ms = cursors_dirty(&s->cursors) ? 0 : INT64_MAX;
        return false;
    }
    s->stats.commits++;
    s->told = (struct loss_book){0};
    free(s->config_flying);
    s->config_flying = NULL;
    if (job->batch.rollups.count > 0)
        rollups_landed(s);
    duty_free(s->duty_flying);
    s->duty_flying = NULL;
    if (job->batch.next_alarm > 0)
        s->next_alarm_kept = job->batch.next_alarm;
    if (s->new_devices)
        learn_devices(s);
    for (int i = 0; i < LANE_COUNT; i++) {
        if (job->counts[i] > 0)
            lane_done(&s->lanes[i], job->ends[i], job->counts[i]);
    }
    if (lane_empty(&s->lanes[LANE_TELEMETRY]))
        s->new_devices = false;
    return true;
}

static void write_failed(struct store *s)
{
    const struct writer_batch *batch = &s->job.batch;
    s->retry_at_ms = loop_mono_ms(s->loop) + backoff_fail(&s->backoff, &s->random);
    s->make_room = (batch->rc & 0xff) == SQLITE_FULL;
    if (corrupt(batch->rc))
        replace_wanted(s, LOSS_CORRUPT, batch->words);
    tell_failing(s, batch->words);
    tell_unstored(s);
    tell_flushes(s, true);
}

static void commit_done(struct store *s)
{
    int64_t now = loop_mono_ms(s->loop);
    struct writer_batch *batch = &s->job.batch;
    if (!job_absorb(s)) {
        write_failed(s);
        return;
    }
    if (!s->damaged)
        s->retry_at_ms = now;
    bool any = false;
    for (int i = 0; i < STREAM_COUNT; i++)
        any = any || batch->changed[i];
    if (any && s->cbs.committed != NULL)
        s->cbs.committed(s->arg, batch->head, batch->changed);
    /* What failed before is durable once nothing of it flies any more. */
    if (lane_fly(&s->lanes[LANE_ALARMS])->used == 0 && lane_fly(&s->lanes[LANE_TELEMETRY])->used == 0)
        tell_recovered(s);
    tell_flushes(s, false);
}

static void round_done(struct store *s)
{
    int64_t now = loop_mono_ms(s->loop);
    struct retention_round *round = &s->job.round;
    bool gained = s->job.released || round->gone[STREAM_TELEMETRY] > s->gone[STREAM_TELEMETRY];
    loss_book_add(&s->losses, &round->lost);
    memcpy(s->gone, round->gone, sizeof(s->gone));
    s->stats.aside_count = s->job.aside_count;
    s->stats.aside_bytes = s->job.aside_bytes;
    s->round_at_ms = round->more ? now : now + STORE_ROUND_EVERY_MS;
    if (corrupt(round->rc))
        replace_wanted(s, LOSS_CORRUPT, round->words);
    else if (s->failing && !s->damaged && (!round->make_room || gained))
        s->retry_at_ms = now; /* it only took too long, or there is room: see at once whether commits work */
    if (round->make_room)
        round->rc = SQLITE_OK; /* that the disk is full was told; it is no trouble of the retention's */
}

void pump_done(void *arg, const struct loop_worker_time *time)
{
    struct store *s = arg;
    enum job_kind kind = s->job.kind;
    s->job.kind = JOB_NONE;
    s->stats.size = s->job.size.database + s->job.size.log + s->job.size.reserve;
    s->stats.free = s->job.size.free;

    wear_note(&s->wear, loop_mono_ms(s->loop), count_vfs_read(s->count));

    s->calling = true;
    if (kind == JOB_RENEW) {
        replace_done(s);
    } else if (kind == JOB_COMMIT) {
        s->stats.last_commit_ms = (time->ended_us - time->started_us) / 1000;
        s->commits_in_a_row++;
        commit_done(s);
    } else {
        s->commits_in_a_row = 0;
        round_done(s);
    }
    if (s->job.opened)
        reader_reopen(s->reader); /* it may have taken the file for one that nobody writes to */
    s->job.opened = false;
    if (s->job.gone)
        replace_wanted(s, LOSS_MISSING,
                       "the file was taken away, or another put in its place, while it was in use");
    s->job.gone = false;
    tell_warnings(s);
    tell_losses(s);
    s->calling = false;
    if (s->db != NULL && retention_wanted(&s->retention, &s->job.size, s->limits.max_size) &&
        kind == JOB_COMMIT)
        s->round_at_ms = earliest(s->round_at_ms, loop_mono_ms(s->loop));
    pump_step(s);
}

static bool commit_wanted(const struct store *s, int64_t now)
{
    if (s->failing)
        return true; /* the time for it has come, or this would not be asked */
    return !lane_empty(&s->lanes[LANE_ALARMS]) || s->flush_count > 0 || !loss_book_empty(&s->told) ||
           s->config_next != NULL || s->duty_next != NULL ||
           s->lanes[LANE_TELEMETRY].regions[1 - s->lanes[LANE_TELEMETRY].gathering].used > 0 ||
           s->telemetry_due_ms <= now || s->cursors_due_ms <= now || s->rollups_due_ms <= now;
}

static enum job_kind choose(const struct store *s, int64_t now)
{
    /* Room is made while the disk is known to be full, right after it said so; not after a pause, in which it may have
     * healed. */
    if (s->failing && !s->damaged && s->make_room)
        return JOB_ROUND;
    if ((s->failing || s->damaged) && now < s->retry_at_ms)
        return JOB_NONE;
    if (s->damaged)
        return JOB_RENEW;
    if (s->standby)
        return JOB_COMMIT; /* though nothing waits: who looks at the status shall know */
    bool round = !s->failing && s->round_at_ms <= now;
    if (!commit_wanted(s, now))
        return round ? JOB_ROUND : JOB_NONE;
    /* Telemetry waits for a round, so that it cannot outrun the retention; alarms do not, unless they came without
     * a pause. */
    bool alarms = !lane_empty(&s->lanes[LANE_ALARMS]);
    if (round && (!alarms || s->commits_in_a_row >= STORE_COMMITS_IN_A_ROW ||
                  retention_pressing(&s->retention, s->limits.max_size)))
        return JOB_ROUND;
    return JOB_COMMIT;
}

static void fill_round(struct store *s)
{
    struct retention_round *round = &s->job.round;
    s->job.kind = JOB_ROUND;
    s->job.ran = false;
    round->now_ms = loop_wall_ms(s->loop);
    round->synced = loop_clock_synced(s->loop);
    round->limits = s->limits;
    round->mono_ms = loop_mono_ms(s->loop);
    round->make_room = s->make_room;
    round->cursors.used = s->cursors.used;
    memcpy(round->cursors.entries, s->cursors.entries, s->cursors.used * sizeof(s->cursors.entries[0]));
    s->make_room = false;
}

static void start(struct store *s, enum job_kind kind, int64_t now)
{
    if (kind == JOB_RENEW) {
        replace_fill(s);
    } else if (kind == JOB_ROUND) {
        fill_round(s);
    } else {
        /* Not with a commit that an alarm called for, unless their time has come, too. */
        bool rollups = s->flush_count > 0 || s->telemetry_due_ms <= now || s->rollups_due_ms <= now;
        /* While the disk refuses, alarms are tried without telemetry: they may fit where a long batch does not. */
        job_fill_batch(s, !s->failing || lane_empty(&s->lanes[LANE_ALARMS]), rollups);
    }
    s->job_begun_ms = now;
    if (loop_worker_submit(s->worker) == RG_OK)
        return;
    /* Cannot be: the worker was free. The records wait where they are. */
    if (kind == JOB_COMMIT)
        job_take_back(s);
    s->job.kind = JOB_NONE;
}

/* When the next look is due, if nothing else happens. */
static int64_t next_look(const struct store *s)
{
    int64_t at = INT64_MAX;
    if (tell_unstored_due(s))
        return 0;
    if (s->job.kind != JOB_NONE)
        return (alarm_waits(s) && !s->failing) || s->flush_count > 0 ? s->job_begun_ms + STORE_STUCK_MS : at;
    if (s->damaged && s->flush_count > 0) /* the next try may be a minute away */
        return earliest(s->retry_at_ms, s->flush_ms + STORE_STUCK_MS);
    if (s->failing || s->damaged)
        return s->retry_at_ms;
    if (s->flush_count > 0)
        return 0;
    at = earliest(s->telemetry_due_ms, s->cursors_due_ms);
    at = earliest(at, earliest(s->rollups_due_ms, s->round_at_ms));
    return loss_book_empty(&s->losses) ? at : earliest(at, s->loss_at_ms);
}

void pump_step(struct store *s)
{
    s->step_wanted = s->together > 0;
    if (s->calling || s->together > 0)
        return;
    if (s->job.kind == JOB_NONE) {
        int64_t now = loop_mono_ms(s->loop);
        enum job_kind kind = choose(s, now);
        if (kind != JOB_NONE)
            start(s, kind, now);
    }
    int64_t at = next_look(s);
    if (at == INT64_MAX)
        loop_timer_stop(s->timer);
    else
        loop_timer_at(s->timer, at);
}

void pump_timer(void *arg)
{
    struct store *s = arg;
    s->calling = true;
    bool late = s->job.kind != JOB_NONE && loop_mono_ms(s->loop) >= s->job_begun_ms + STORE_STUCK_MS;
    /* Only alarms call for more than patience: were it to tell of itself, a disk that is always slow would never end to. */
    if (late && alarm_waits(s))
        tell_failing(s, "the disk has not answered for 3 s while an alarm waits");
    if (late)
        tell_flushes(s, true);
    if (s->failing)
        tell_unstored(s);
    else
        tell_losses(s);
    if (s->job.kind == JOB_NONE)
        tell_flushes(s, s->damaged && s->flush_count > 0 &&
                            loop_mono_ms(s->loop) >= s->flush_ms + STORE_STUCK_MS);
    s->calling = false;
    pump_step(s);
}
