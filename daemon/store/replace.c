/* A damaged database is set aside, and a new one takes its place. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "store/store_impl.h"

/* The file as it was set aside, with its folder. */
static const char *aside_path(const struct store *s, const struct renew *r, char out[PATH_MAX])
{
    const char *slash = strrchr(s->path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - s->path) + 1;
    if (r->file[0] == '\0' || !text_format(out, PATH_MAX, "%.*s%s", folder, s->path, r->file))
        return NULL;
    return out;
}

/* The new file, up to the point where a store is opened. */
static enum rg_err make(struct store *s, struct renew *r, bool salvage, struct words why)
{
    char old[PATH_MAX];
    enum rg_err err = store_connect(s, why);
    if (err == RG_OK) {
        int rc = renew_write(s->db, salvage ? aside_path(s, r, old) : NULL, r);
        err = rc == SQLITE_OK ? RG_OK : store_sqlite_failed(s, rc, why);
    }
    if (err != RG_OK)
        store_disconnect(s, true);
    return err;
}

static enum rg_err make_or_make_room(struct store *s, struct renew *r, bool salvage, struct words why)
{
    enum rg_err err = make(s, r, salvage, why);
    if (err == RG_EIO && reserve_release(s->path))
        err = make(s, r, salvage, why);
    return err;
}

enum rg_err replace_at_start(struct store *s, enum loss_cause cause, bool salvage, struct words why)
{
    struct renew *r = &s->job.renew;
    char file[SET_ASIDE_NAME], old[PATH_MAX];
    int64_t wall = loop_wall_ms(s->loop);
    enum rg_err err = set_aside_move(s->path, wall, file, why.text, why.size);
    if (err != RG_OK)
        return err;
    if (salvage) {
        *r = (struct renew){.wall_ms = wall, .cause = cause};
        (void)text_copy(r->file, sizeof(r->file), file);
        (void)text_format(r->why, sizeof(r->why), "%.255s", why.text);
        renew_learn(aside_path(s, r, old), &s->found, r);
    }
    return make_or_make_room(s, r, salvage, why);
}

void replace_wanted(struct store *s, enum loss_cause cause, const char *words)
{
    if (s->damaged)
        return;
    s->damaged = true;
    int64_t now = loop_mono_ms(s->loop);
    s->retry_at_ms = now;
    if (s->renewed_at_ms != INT64_MIN && s->renewed_at_ms + STORE_RENEW_EVERY_MS > now)
        s->retry_at_ms = s->renewed_at_ms + STORE_RENEW_EVERY_MS;
    s->job.renew = (struct renew){.cause = cause};
    (void)text_format(s->job.renew.why, sizeof(s->job.renew.why), "%.255s", words);
    tell_failing(s, words);
}

static void list_devices(struct store *s, struct renew *r)
{
    size_t count = 0;
    renew_free(r);
    for (uint32_t id = 0; devices_next(s->devices, &id) != NULL; id++)
        count++;
    if (count > 0)
        r->devices = calloc(count, sizeof(*r->devices));
    for (uint32_t id = 0; r->devices != NULL && devices_next(s->devices, &id) != NULL; id++)
        r->devices[r->device_count++] = (struct renew_device){id, devices_next(s->devices, &id)};
}

void replace_fill(struct store *s)
{
    struct renew *r = &s->job.renew;
    s->job.kind = JOB_RENEW;
    s->job.ran = false;
    r->wall_ms = loop_wall_ms(s->loop);
    r->boot = s->boot;
    r->next_alarm = s->next_alarm;
    list_devices(s, r); /* no memory for it: the names of those that come again are written then */
}

static void learn_from_writer(struct store *s, struct renew *r)
{
    for (int i = 0; i < STREAM_COUNT; i++) {
        struct renew_stream *t = &r->streams[i];
        *t = (struct renew_stream){
            .head = s->writer.streams[i].seq, .gone = s->retention.gone[i], .exact = true};
        memcpy(t->hash, s->writer.streams[i].hash, sizeof(t->hash));
    }
}

void replace_run(struct store *s)
{
    struct job *job = &s->job;
    struct renew *r = &job->renew;
    struct words why = {job->batch.words, sizeof(job->batch.words)};
    job->renewed = RG_OK;
    if ((s->db != NULL || s->standby) && !s->parted) {
        learn_from_writer(s, r);
        store_disconnect(s, true);
        s->parted = true;
    }
    if (!s->moved) {
        job->renewed = set_aside_move(s->path, r->wall_ms, r->file, why.text, why.size);
        s->moved = job->renewed == RG_OK;
    }
    if (job->renewed == RG_OK)
        job->renewed = make_or_make_room(s, r, true, why);
    if (job->renewed == RG_OK)
        job->renewed = store_engine(s, why);
    if (job->renewed != RG_OK)
        store_disconnect(s, true);
    else
        s->parted = s->moved = s->standby = false;
    s->retention.present_ms = s->marks.now.present_ms;
}

bool replace_gone(const struct store *s)
{
    struct stat there;
    return s->inode != 0 && (stat(s->path, &there) != 0 ? errno == ENOENT : there.st_ino != s->inode);
}

static void cursors_write_again(struct store *s)
{
    for (size_t i = 0; i < s->cursors.used; i++) {
        struct cursor_entry *e = &s->cursors.entries[i];
        if (e->uplink[0] != '\0')
            memset(e->dirty, true, sizeof(e->dirty));
    }
    s->cursors_due_ms = loop_mono_ms(s->loop);
}

void replace_done(struct store *s)
{
    struct renew *r = &s->job.renew;
    int64_t now = loop_mono_ms(s->loop);
    if (s->job.renewed != RG_OK) {
        tell_reason(s, s->job.batch.words);
        s->retry_at_ms = now + backoff_fail(&s->backoff, &s->random);
        tell_flushes(s, true);
        return;
    }
    s->damaged = false;
    s->job.round.rc = SQLITE_OK; /* that of the old one */
    s->renewed_at_ms = now;
    s->retry_at_ms = now;
    s->renewals++;
    (void)text_copy(s->aside, sizeof(s->aside), r->file);
    memcpy(s->gone, s->retention.gone, sizeof(s->gone));
    for (int i = 0; i < STREAM_COUNT; i++)
        loss_add(&s->losses.of[i][r->cause], &r->lost[i]);
    for (size_t i = 0; i < r->device_count; i++)
        devices_stored(s->devices, r->devices[i].id);
    set_aside_count(s->path, &s->stats.aside_count, &s->stats.aside_bytes);
    renew_free(r);
    cursors_write_again(s);
    reader_reopen(s->reader);
    if (s->cbs.set_aside != NULL)
        s->cbs.set_aside(s->arg, r->file, r->why);
}
