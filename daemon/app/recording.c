#include "app/recording.h"

#include "app/pipeline.h"
#include "base/log.h"
#include "record/record.h"

/* What waits is recorded while it takes no more than this of the memory for telemetry: what comes in now needs the rest. */
#define RELEASE_ROOM (STORE_BATCH_BYTES / 2)

enum rg_err recording_create(struct recording *r, const struct site *site)
{
    enum rg_err err = thin_create(site, &r->thin);

    return err == RG_OK ? rollup_create(site, &r->rollup) : err;
}

void recording_destroy(struct recording *r)
{
    thin_destroy(r->thin);
    rollup_destroy(r->rollup);
    *r = (struct recording){NULL, NULL};
}

/* turn: of one that was held back; 0: now. */
static enum rg_err append(struct pipeline *p, const struct frame *frame, int64_t turn)
{
    struct store_record r = {
        .stream = STREAM_TELEMETRY,
        .ts = frame->at.wall_ms,
        .mono = frame->at.mono_ms,
        .turn = turn,
        .every_ms = p->site->devices[frame->device].record.every_ms,
        .device = frame->device,
        .device_name = p->site->devices[frame->device].name,
        .unsynced = frame->clock_unsynced,
    };
    enum rg_err err = record_frame(&p->record, p->site, frame, &r.body, &r.length);

    return err == RG_OK ? store_append(p->store, &r) : err;
}

static void piece_cb(void *arg, const struct rollup_piece *piece)
{
    struct pipeline *p = arg;

    if (store_rollup(p->store, piece) != RG_OK)
        say_rollups(p, piece->count);
}

static void give_all(struct pipeline *p)
{
    while (rollup_give(p->recording.rollup, piece_cb, p))
        continue;
}

/* All frames up to here, none of those that come. */
static void close_rollups(struct pipeline *p)
{
    give_all(p); /* as a rule there is nothing left of a minute ago */
    rollup_close(p->recording.rollup, store_turn(p->store));
}

void recording_frame(struct pipeline *p, const struct frame *frame)
{
    if (rollup_is_over(p->recording.rollup, frame))
        close_rollups(p);
    rollup_frame(p->recording.rollup, frame);
    switch (thin_frame(p->recording.thin, frame)) {
    case THIN_RECORD:
        /* RG_EFULL is counted by the store and told as an event; it must not stop the evaluation that follows. */
        if (append(p, frame, 0) != RG_OK)
            p->unrecorded++;
        break;
    case THIN_HOLD:
        thin_hold(p->recording.thin, frame, store_turn(p->store));
        break;
    case THIN_DROP:
        break;
    }
}

static bool due_cb(void *arg, const struct frame *frame, int64_t turn)
{
    struct pipeline *p = arg;
    struct store_stats stats;

    store_stats(p->store, &stats);
    if (stats.waiting_bytes > RELEASE_ROOM)
        return false;
    if (append(p, frame, turn) != RG_OK)
        p->unrecorded++;
    return true;
}

void recording_release(struct pipeline *p)
{
    if (p->recording.thin && thin_is_due(p->recording.thin))
        thin_release(p->recording.thin, due_cb, p);
}

void recording_change(struct pipeline *p, const struct alarm_change *change)
{
    thin_change(p->recording.thin, change);
    recording_release(p);
}

static void standing_cb(void *arg, const struct alarm *alarm)
{
    thin_standing(arg, alarm);
}

void recording_standing(struct pipeline *p)
{
    thin_standing_none(p->recording.thin);
    rules_each(p->rules, standing_cb, p->recording.thin);
}

void recording_tick(struct pipeline *p)
{
    if (rollup_is_due(p->recording.rollup, pipeline_now(p)))
        close_rollups(p);
    (void)rollup_give(p->recording.rollup, piece_cb, p); /* the rest in the seconds that follow */
    recording_release(p);
}

void recording_inherit(struct pipeline *p, struct recording *next)
{
    if (!p->recording.thin)
        return;
    close_rollups(p);
    give_all(p);
    recording_release(p); /* what is due of devices that change would be gone */
    if (thin_inherit(next->thin, p->recording.thin) != RG_OK)
        log_error(
            "no memory to go on with what is held back for alarms: each device's next reading is recorded");
}

void recording_stop(struct pipeline *p)
{
    close_rollups(p);
    give_all(p);
    recording_release(p);
}

void recording_write(const struct pipeline *p, uint32_t device, struct jsonw *w)
{
    struct thin_stats s;

    thin_stats(p->recording.thin, device, &s);
    jsonw_key_int(w, "recorded", (int64_t)s.recorded);
    jsonw_key_int(w, "thinned", (int64_t)s.thinned);
    if (p->site->devices[device].record.around_ms == 0)
        return;
    jsonw_key_int(w, "held", (int64_t)s.held);
    jsonw_key_int(w, "held_cut", (int64_t)s.cut);
}
