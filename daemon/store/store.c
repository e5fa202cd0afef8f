/* The public functions on a running store. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "store/store_impl.h"

void store_limits(struct store *s, const struct site_store *conf)
{
    s->commit_ms = conf->commit_ms;
    s->gather_ms = conf->commit_ms - conf->commit_ms / STORE_BEFORE;
    s->limits = (struct retention_limits){.max_size = conf->max_size};
    s->limits.keep_ms[STREAM_ALARM] = conf->keep_alarms_ms;
    s->limits.keep_ms[STREAM_TELEMETRY] = conf->keep_telemetry_ms;
    s->limits.keep_ms[STREAM_EVENT] = conf->keep_events_ms;
    s->limits.keep_ms[STREAM_REPORT] = conf->keep_events_ms;
    s->limits.keep_rollups_ms = conf->keep_rollups_ms > 0 ? conf->keep_rollups_ms : STORE_ROLLUPS_STANDARD_MS;
}

static void cursors_changed(struct store *s, int64_t wait_ms)
{
    int64_t due = loop_mono_ms(s->loop) + wait_ms;
    if (due < s->cursors_due_ms)
        s->cursors_due_ms = due;
    pump_step(s);
}

void store_cursor_new(const struct store *s, struct cursor out[STREAM_COUNT])
{
    for (int i = 0; i < STREAM_COUNT; i++)
        cursor_default((enum stream)i, s->stats.head[i], s->gone[i], &out[i]);
}

static bool named(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

enum rg_err store_configure(struct store *s, const struct site_store *conf, const char *const *uplinks,
                            size_t uplink_count)
{
    for (size_t i = 0; i < uplink_count; i++) {
        if (!text_is_id(uplinks[i]))
            return RG_EINVAL;
    }
    if (uplink_count > CURSORS_UPLINKS)
        return RG_EFULL;
    store_limits(s, conf);
    devices_forget(s->devices);
    for (size_t i = 0; i < s->cursors.used; i++) {
        struct cursor_entry *e = &s->cursors.entries[i];
        e->gone = e->gone || (e->uplink[0] != '\0' && !named(e->uplink, uplinks, uplink_count));
    }
    enum rg_err err = RG_OK;
    for (size_t i = 0; i < uplink_count; i++) {
        if (cursors_find(&s->cursors, uplinks[i]) != NULL)
            continue;
        struct cursor_entry *e = cursors_enter(&s->cursors, uplinks[i]);
        if (e == NULL) {
            err = RG_EFULL; /* until the places of the removed ones are free */
            continue;
        }
        store_cursor_new(s, e->cursor);
        memset(e->dirty, true, sizeof(e->dirty));
    }
    int64_t now = loop_mono_ms(s->loop);
    s->round_at_ms = now; /* new limits are kept to from now on */
    cursors_changed(s, STORE_CURSORS_MS);
    return err;
}

enum rg_err store_devices(struct store *s, const char *const *names, size_t count)
{
    enum rg_err err = RG_OK;
    for (size_t i = 0; i < count && err == RG_OK; i++) {
        uint32_t id = 0;
        bool stored = false;
        err = devices_enter(s->devices, (uint32_t)i, names[i], &id, &stored);
    }
    return err;
}

static enum rg_err add_telemetry(struct store *s, const struct store_record *record)
{
    if (record->device_name == NULL || !text_is_id(record->device_name))
        return RG_EINVAL;
    uint32_t id = 0;
    bool stored = false;
    enum rg_err err = devices_enter(s->devices, record->device, record->device_name, &id, &stored);
    if (err != RG_OK)
        return err;
    err =
        region_add(lane_gather(&s->lanes[LANE_TELEMETRY]), record,
                   record->turn != 0 ? record->turn : store_turn(s), id, stored ? NULL : record->device_name);
    if (err == RG_OK && !stored)
        s->new_devices = true;
    return err;
}

/* Devices that come and go, hour after hour, must not leave alarms without room. */
static enum rg_err add_other(struct store *s, const struct store_record *record)
{
    struct region *r = lane_gather(&s->lanes[LANE_ALARMS]);
    size_t own = record->stream == STREAM_ALARM ? 0 : STORE_BATCH_ALARM_OWN;
    if (record->length > r->capacity - own)
        return RG_ERANGE;
    if (own > 0 && r->used + record->length > r->capacity - own)
        return RG_EFULL;
    return region_add(r, record, record->turn != 0 ? record->turn : store_turn(s), 0,
                      record->stream == STREAM_EVENT ? record->kind : NULL);
}

int64_t store_turn(struct store *s)
{
    return ++s->turn;
}

/* What fills a transaction goes now: to wait longer would save no commit, and gather more than there is room for. */
static void telemetry_due(struct store *s)
{
    int64_t due = 0;
    if (lane_gather(&s->lanes[LANE_TELEMETRY])->used < STORE_SLICE_BYTES)
        due = s->telemetry_due_ms < INT64_MAX ? s->telemetry_due_ms : loop_mono_ms(s->loop) + s->gather_ms;
    if (due == s->telemetry_due_ms)
        return;
    s->telemetry_due_ms = due;
    pump_step(s);
}

enum rg_err store_append(struct store *s, const struct store_record *record)
{
    bool telemetry = record->stream == STREAM_TELEMETRY;
    if ((unsigned)record->stream >= STREAM_COUNT || record->length == 0)
        return RG_EINVAL;

    /* Kept even when the record finds no room: it goes out unstored then, and its number must not come again. */
    if (record->next_alarm > s->next_alarm)
        s->next_alarm = record->next_alarm;
    enum rg_err err = telemetry ? add_telemetry(s, record) : add_other(s, record);
    if (err != RG_OK && err != RG_EINVAL) {
        s->dropped[record->stream]++;
        s->stats.lost++;
    }
    if (err != RG_OK)
        return err;

    s->lanes[telemetry ? LANE_TELEMETRY : LANE_ALARMS].appended++;
    if (telemetry) {
        telemetry_due(s);
        return RG_OK;
    }
    if (record->stream == STREAM_ALARM)
        rollups_hurry(&s->rollups);
    pump_step(s);
    return RG_OK;
}

enum rg_err store_alarm_keep(struct store *s, const struct alarm *alarm)
{
    const struct store_record kept = {.stream = STREAM_ALARM, .body = "", .alarm = alarm};
    enum rg_err err = region_add(lane_gather(&s->lanes[LANE_ALARMS]), &kept, 0, 0, NULL);
    if (err != RG_OK)
        return err;
    s->lanes[LANE_ALARMS].appended++;
    pump_step(s);
    return RG_OK;
}

enum rg_err store_rollup(struct store *s, const struct rollup_piece *piece)
{
    enum rg_err err = rollups_add(&s->rollups, piece);
    if (err != RG_OK)
        return err;
    if (s->rollups_due_ms == INT64_MAX)
        s->rollups_due_ms = loop_mono_ms(s->loop) + s->gather_ms;
    pump_step(s);
    return RG_OK;
}

void store_together(struct store *s)
{
    s->together++;
}

void store_together_end(struct store *s)
{
    if (--s->together == 0 && s->step_wanted)
        pump_step(s);
}

enum rg_err store_config_put(struct store *s, const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return RG_ENOMEM;
    memcpy(copy, text, length);
    copy[length] = '\0';
    store_config_give(s, copy);
    return RG_OK;
}

void store_config_give(struct store *s, char *text)
{
    free(s->config_next);
    s->config_next = text;
    pump_step(s);
}

void store_flush(struct store *s, void (*cb)(void *arg, bool ok), void *arg)
{
    if (s->flush_count == STORE_FLUSHES) {
        cb(arg, false);
        return;
    }
    if (s->flush_count == 0)
        s->flush_ms = loop_mono_ms(s->loop);
    struct flush *f = &s->flushes[s->flush_count++];
    *f = (struct flush){.cb = cb, .arg = arg};
    for (int i = 0; i < LANE_COUNT; i++)
        f->upto[i] = s->lanes[i].appended;
    f->rollups = s->rollups.added;
    pump_step(s);
}

/* Indices of the site become ids of the store. False: every device passes, so there is no filter. */
static bool device_map(const struct store *s, const struct stream_filter *filter,
                       struct fetch_request *request)
{
    if (filter->devices == NULL)
        return false;
    bool all = true;
    for (size_t i = 0; i < filter->device_count; i++)
        all = all && filter->devices[i];
    if (all)
        return false;
    memset(request->allowed, 0, sizeof(request->allowed));
    for (size_t i = 0; i < filter->device_count; i++) {
        uint32_t id = filter->devices[i] ? devices_at(s->devices, i) : DEVICES_NONE;
        if (id == DEVICES_NONE)
            continue;
        request->allowed[id / 8] |= (uint8_t)(1u << (id % 8));
        if (request->allowed_size < id / 8 + 1)
            request->allowed_size = id / 8 + 1;
    }
    return true;
}

enum rg_err store_fetch(struct store *s, enum stream stream, int64_t from, int64_t upto, size_t max_count,
                        size_t max_bytes, const struct stream_filter *filter, store_chunk_cb cb, void *arg)
{
    if ((unsigned)stream >= STREAM_COUNT || max_count == 0 || cb == NULL || from < 0 || upto < 0)
        return RG_EINVAL;
    struct fetch_request *request = reader_place(s->reader);
    if (request == NULL)
        return RG_EAGAIN;
    request->stream = stream;
    request->from = from > 0 ? from : 1;
    request->upto = upto;
    request->max_count = max_count;
    request->max_bytes = max_bytes;
    request->alarm_from = filter != NULL && stream == STREAM_ALARM ? filter->alarm_from : LEVEL_NONE;
    request->allowed_size = 0;
    request->by_device = filter != NULL && stream == STREAM_TELEMETRY && device_map(s, filter, request);
    reader_ask(s->reader, request, cb, arg);
    return RG_OK;
}

void store_fetch_cancel(struct store *s, void *arg)
{
    reader_cancel(s->reader, arg);
}

void store_cursor_get(const struct store *s, const char *uplink, struct cursor out[STREAM_COUNT])
{
    for (size_t i = 0; i < s->cursors.used; i++) {
        const struct cursor_entry *e = &s->cursors.entries[i];
        if (!e->gone && strcmp(e->uplink, uplink) == 0) {
            memcpy(out, e->cursor, sizeof(e->cursor));
            return;
        }
    }
    store_cursor_new(s, out);
}

enum rg_err store_cursor_put(struct store *s, const char *uplink, enum stream stream,
                             const struct cursor *cursor)
{
    if ((unsigned)stream >= STREAM_COUNT || !cursor_valid(cursor) || !text_is_id(uplink))
        return RG_EINVAL;
    struct cursor_entry *e = cursors_find(&s->cursors, uplink);
    if (e == NULL) {
        e = cursors_enter(&s->cursors, uplink);
        if (e == NULL)
            return RG_EFULL;
        store_cursor_new(s, e->cursor);
        memset(e->dirty, true, sizeof(e->dirty));
    }
    e->cursor[stream] = *cursor;
    e->dirty[stream] = true;
    /* Each PUBACK of telemetry comes right behind its commit: to keep it sooner than the next one would make that come sooner. */
    const bool patient = stream == STREAM_TELEMETRY && s->commit_ms > STORE_CURSORS_MS;
    cursors_changed(s, patient ? s->commit_ms : STORE_CURSORS_MS);
    return RG_OK;
}

const char *store_aside(const struct store *s)
{
    return s->aside[0] == '\0' ? NULL : s->aside;
}

bool store_working(const struct store *s, uint64_t *mark)
{
    const int64_t now = loop_mono_ms(s->loop);
    const bool overdue = s->telemetry_due_ms < now || s->cursors_due_ms < now;

    *mark = count_vfs_moved(s->count) + s->stats.commits + s->stats.failures + (uint64_t)s->job_begun_ms;
    return s->job.kind != JOB_NONE || (overdue && !s->failing && !s->damaged);
}

void store_stats(const struct store *s, struct store_stats *out)
{
    *out = s->stats;
    memcpy(out->gone, s->gone, sizeof(out->gone));
    out->rollups_lost = s->rollups.lost;
    struct count_written written = count_vfs_read(s->count);
    out->written_bytes = written.bytes;
    out->syncs = written.syncs;
    wear_day(&s->wear, loop_mono_ms(s->loop), &out->written_per_day, &out->syncs_per_day);
    out->waiting_bytes = lane_bytes(&s->lanes[LANE_ALARMS]) + lane_bytes(&s->lanes[LANE_TELEMETRY]);
}
