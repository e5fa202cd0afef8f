#include "replay/feed.h"

#include <stdlib.h>
#include <string.h>

enum rg_err block_create(struct block *b)
{
    *b = (struct block){0};
    b->steps = malloc(FEED_STEPS * sizeof *b->steps);
    b->samples = malloc(FEED_SAMPLES * sizeof *b->samples);
    b->notes = malloc(FEED_STEPS * sizeof(struct json *));
    return b->steps && b->samples && b->notes ? RG_OK : RG_ENOMEM;
}

static void forget_notes(struct block *b)
{
    for (size_t i = 0; i < b->note_count; i++)
        json_free(b->notes[i]);
    b->note_count = 0;
}

void block_destroy(struct block *b)
{
    forget_notes(b);
    free(b->steps);
    free(b->samples);
    free(b->notes);
    *b = (struct block){0};
}

void feed_init(struct feed *f, const struct replay_source *source, names_single_cb single, void *arg)
{
    *f = (struct feed){.source = *source, .last = NAMES_NONE};
    names_init(&f->names, single, arg);
}

void feed_end_at(struct feed *f, int64_t until_ms, int64_t end_turn)
{
    f->until_ms = until_ms;
    f->end_turn = end_turn;
}

void feed_destroy(struct feed *f)
{
    names_destroy(&f->names);
}

static struct step *add(struct block *b, enum step_kind kind)
{
    struct step *s = &b->steps[b->count++];

    *s = (struct step){.kind = kind};
    return s;
}

/* Tells of the names that came up, as far as there is room. False: there is none left for anything else. */
static bool tell_names(struct feed *f, struct block *b)
{
    while (f->devices < f->names.device_count && b->count < FEED_STEPS) {
        struct step *s = add(b, STEP_DEVICE);

        s->device = f->devices++;
        s->name = f->names.devices[s->device].name;
    }
    while (f->points < f->names.point_count && b->count < FEED_STEPS) {
        struct step *s = add(b, STEP_POINT);

        s->first = f->points++;
        s->device = f->names.points[s->first].device;
        s->name = f->names.points[s->first].name;
    }
    return b->count < FEED_STEPS;
}

static struct step of_entry(enum step_kind kind, const struct history_entry *e)
{
    return (struct step){
        .kind = kind, .at = {.mono_ms = e->mono, .wall_ms = e->ts}, .turn = e->turn, .unsynced = e->unsynced};
}

/* False: no room; the entry is to come again. */
static enum rg_err take_frame(struct feed *f, struct block *b, const struct history_entry *e, bool *fits)
{
    struct step s = of_entry(STEP_FRAME, e);
    struct sample *samples = b->samples + b->sample_count;
    struct scanned frame;
    enum rg_err err;

    *fits = FEED_SAMPLES - b->sample_count >= SCAN_SAMPLES_MAX;
    if (!*fits)
        return RG_OK;
    err = scan_frame(&f->names, f->last, e->body, e->length, samples, SCAN_SAMPLES_MAX, &frame);
    if (err == RG_EINVAL) {
        *fits = tell_names(f, b);
        if (*fits)
            *add(b, STEP_DAMAGED) = of_entry(STEP_DAMAGED, e);
        return RG_OK;
    }
    if (err != RG_OK)
        return err;
    *fits = tell_names(f, b);
    if (!*fits)
        return RG_OK;
    s.device = f->last = frame.device;
    s.first = (uint32_t)b->sample_count;
    s.count = (uint32_t)frame.count;
    s.heard = frame.heard;
    s.every_ms = e->every_ms;
    *add(b, STEP_FRAME) = s;
    b->sample_count += frame.count;
    return RG_OK;
}

static bool matters(const struct history_entry *e)
{
    static const char *const kinds[] = {"start", "stop", "config", "lost", "clock", "command", "self_test"};

    if (e->stream == STREAM_ALARM)
        return true;
    for (size_t i = 0; e->kind && i < RG_COUNT(kinds); i++) {
        if (strcmp(e->kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

static enum rg_err take_note(struct block *b, const struct history_entry *e)
{
    struct step *s;
    struct json *note;
    enum rg_err err;

    if (!matters(e))
        return RG_OK;
    err = json_parse(e->body, e->length, FEED_NOTE_MAX, &note);
    if (err == RG_ENOMEM)
        return err;
    s = add(b, STEP_DAMAGED);
    *s = of_entry(STEP_DAMAGED, e);
    if (err != RG_OK)
        return RG_OK;
    s->kind = e->stream == STREAM_ALARM ? STEP_ALARM : STEP_EVENT;
    s->note = note;
    b->notes[b->note_count++] = note;
    return RG_OK;
}

static enum rg_err take(struct feed *f, struct block *b, const struct history_entry *e, bool *fits)
{
    *fits = true;
    if (e->stream != STREAM_TELEMETRY)
        return take_note(b, e);
    if (f->until_ms > 0 && e->ts > f->until_ms && e->turn >= f->end_turn) {
        *add(b, STEP_CUT) = of_entry(STEP_CUT, e);
        f->cut = true;
        return RG_OK;
    }
    return take_frame(f, b, e, fits);
}

enum rg_err feed_fill(struct feed *f, struct block *b)
{
    enum rg_err err = RG_OK;

    forget_notes(b);
    b->count = b->sample_count = 0;
    while (err == RG_OK && !f->cut && tell_names(f, b)) {
        bool fits;

        if (!f->has_pending) {
            err = f->source.next(f->source.arg, &f->pending);
            if (err != RG_OK)
                break;
            f->entries++;
        }
        err = take(f, b, &f->pending, &fits);
        f->has_pending = !fits;
        if (!fits)
            break;
    }
    if (f->cut && b->count == 0)
        return RG_ENOTFOUND;
    return err == RG_ENOTFOUND && b->count > 0 ? RG_OK : err;
}
