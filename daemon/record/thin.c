#include "record/thin.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "model/site_record.h"
#include "model/site_same.h"
#include "record/held.h"

#define NEVER INT64_MIN

/* What was recorded last of a point. */
struct last {
    int64_t mono_ms; /* NEVER: nothing */
    double value;    /* of a good one */
    uint8_t quality; /* enum quality */
    bool heard;
};

struct thin_device {
    struct held held;
    struct last *last;      /* [point_count], inside of thin.last; NULL: all of its frames are recorded */
    int64_t empty_ms;       /* monotonic: of the last record without a point */
    int64_t keep_until_ms;  /* monotonic: up to then all are recorded */
    uint32_t alarms;        /* active ones */
    struct thin_stats done; /* but `held` */
};

struct thin {
    const struct site *site;
    struct last *last;           /* of the points of devices that are thinned */
    struct thin_device *devices; /* [device_count] */
    bool *marked;                /* [device_count]: of the alarm in hand */
    struct hash_index *names;    /* of devices */
    struct hash_index *points, *rules,
        *outputs; /* by name; NULL where no device keeps what is around alarms */
    size_t due;   /* frames, of all devices */
};

/* ---- life ---- */

static enum rg_err index_devices(struct thin *t)
{
    const struct site *site = t->site;
    enum rg_err err = hash_index_create(site->device_count, &t->names);

    for (uint32_t i = 0; err == RG_OK && i < site->device_count; i++)
        err = hash_index_add(t->names, site->devices[i].name, i, NULL);
    return err;
}

/* By which an alarm tells whose it is. */
static enum rg_err index_names(struct thin *t)
{
    const struct site *site = t->site;
    enum rg_err err = hash_index_create(site->point_count, &t->points);

    if (err == RG_OK)
        err = hash_index_create(site->rule_count, &t->rules);
    if (err == RG_OK)
        err = hash_index_create(site->output_count, &t->outputs);
    for (uint32_t i = 0; err == RG_OK && i < site->point_count; i++)
        err = hash_index_add(t->points, site->points[i].full_name, i, NULL);
    for (uint32_t i = 0; err == RG_OK && i < site->rule_count; i++)
        err = hash_index_add(t->rules, site->rules[i].name, i, NULL);
    for (uint32_t i = 0; err == RG_OK && i < site->output_count; i++)
        err = hash_index_add(t->outputs, site->outputs[i].name, i, NULL);
    return err;
}

static size_t thinned_points(const struct site *site)
{
    size_t count = 0;

    for (size_t i = 0; i < site->device_count; i++)
        count += site->devices[i].record.every_ms > 0 ? site->devices[i].point_count : 0;
    return count;
}

static bool keeps_around(const struct site *site)
{
    for (size_t i = 0; i < site->device_count; i++) {
        if (site->devices[i].record.around_ms > 0)
            return true;
    }
    return false;
}

static enum rg_err create_devices(struct thin *t)
{
    const struct site *site = t->site;
    struct last *last = t->last;
    enum rg_err err = RG_OK;

    for (uint32_t i = 0; err == RG_OK && i < site->device_count; i++) {
        struct thin_device *d = &t->devices[i];
        size_t count = site->devices[i].record.every_ms > 0 ? site->devices[i].point_count : 0;

        d->empty_ms = d->keep_until_ms = NEVER;
        d->last = count > 0 ? last : NULL;
        for (size_t k = 0; k < count; k++)
            last++->mono_ms = NEVER;
        err = held_create(&d->held, site_record_bytes(site, i), site->devices[i].point_count);
    }
    return err;
}

enum rg_err thin_create(const struct site *site, struct thin **out)
{
    struct thin *t = calloc(1, sizeof *t);
    enum rg_err err = RG_ENOMEM;

    *out = NULL;
    if (!t)
        return RG_ENOMEM;
    t->site = site;
    t->last = calloc(thinned_points(site) + 1, sizeof *t->last);
    t->devices = calloc(site->device_count + 1, sizeof *t->devices);
    t->marked = calloc(site->device_count + 1, sizeof *t->marked);
    if (t->last && t->devices && t->marked)
        err = index_devices(t);
    if (err == RG_OK && keeps_around(site))
        err = index_names(t);
    if (err == RG_OK)
        err = create_devices(t);
    if (err != RG_OK) {
        thin_destroy(t);
        return err;
    }
    *out = t;
    return RG_OK;
}

void thin_destroy(struct thin *t)
{
    if (!t)
        return;
    for (size_t i = 0; t->devices && i < t->site->device_count; i++)
        held_destroy(&t->devices[i].held);
    hash_index_destroy(t->points);
    hash_index_destroy(t->names);
    hash_index_destroy(t->rules);
    hash_index_destroy(t->outputs);
    free(t->devices);
    free(t->marked);
    free(t->last);
    free(t);
}

/* ---- over a reload ---- */

static bool goes_on(const struct thin *t, uint32_t index, const struct thin *from, uint32_t old,
                    const uint32_t *points)
{
    const struct site_device *a = &t->site->devices[index], *b = &from->site->devices[old];

    if (a->record.every_ms != b->record.every_ms || a->record.around_ms != b->record.around_ms ||
        a->poll_ms != b->poll_ms || a->point_count != b->point_count ||
        site_record_bytes(t->site, index) != site_record_bytes(from->site, old) ||
        !site_same_device(t->site, index, from->site, old))
        return false;
    for (uint32_t i = 0; i < a->point_count; i++) {
        if (points[a->first_point + i] != b->first_point + i ||
            t->site->points[a->first_point + i].change != from->site->points[b->first_point + i].change)
            return false;
    }
    return true;
}

static void take_over(struct thin *t, uint32_t index, struct thin *from, uint32_t old)
{
    const struct site_device *a = &t->site->devices[index], *b = &from->site->devices[old];
    struct thin_device *to = &t->devices[index], *of = &from->devices[old];
    struct held fresh = to->held;
    struct last *last = to->last;

    if (last)
        memcpy(last, of->last, a->point_count * sizeof *last);
    *to = *of;
    to->last = last;
    of->held = fresh;
    held_renumber(&to->held, b->first_point, a->first_point, index);
    t->due += to->held.due;
    from->due -= to->held.due;
}

enum rg_err thin_inherit(struct thin *t, struct thin *from)
{
    uint32_t *points = calloc(t->site->point_count + 1, sizeof *points);
    enum rg_err err = points ? site_same_points(t->site, from->site, points) : RG_ENOMEM;

    for (uint32_t i = 0; err == RG_OK && i < t->site->device_count; i++) {
        uint32_t old;

        if (hash_index_find(from->names, t->site->devices[i].name, &old) != RG_OK)
            continue;
        if (goes_on(t, i, from, old, points)) {
            take_over(t, i, from, old);
        } else { /* what was done is told by the device's name, however it is recorded now */
            t->devices[i].done = from->devices[old].done;
            t->devices[i].done.thinned += from->devices[old].held.count;
        }
    }
    free(points);
    return err;
}

/* ---- frames ---- */

/* By more than `most`. Readings are decimals that a double or a float only comes near to: 20.1 and 20.0 are not more than 0.1
 * apart. */
static bool apart(double a, double b, double most, bool single)
{
    double scale = fmax(fmax(fabs(a), fabs(b)), most);

    return fabs(a - b) - most > 4 * (single ? (double)FLT_EPSILON : DBL_EPSILON) * scale;
}

static bool value_changed(const struct site_point *p, double last, double value)
{
    if (!isfinite(last) || !isfinite(value))
        return isfinite(last) != isfinite(value);
    if (p->change > 0)
        return apart(last, value, p->change, point_is_single(p));
    return site_point_is_state(p) && last != value;
}

static bool is_wanted(const struct thin *t, const struct frame *frame)
{
    const struct site_device *d = &t->site->devices[frame->device];
    const struct last *of_device = t->devices[frame->device].last;
    int64_t due = frame->at.mono_ms - d->record.every_ms + site_record_slack_ms(d);

    if (frame->count == 0)
        return t->devices[frame->device].empty_ms <= due;
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *s = &frame->samples[i];
        const struct last *last = &of_device[s->point - d->first_point];

        if (last->mono_ms <= due || last->quality != (uint8_t)s->quality || last->heard != frame->heard)
            return true;
        if (s->quality == QUALITY_GOOD && value_changed(&t->site->points[s->point], last->value, s->value))
            return true;
    }
    return false;
}

static void note(struct thin *t, const struct frame *frame)
{
    const uint32_t first = t->site->devices[frame->device].first_point;
    struct thin_device *d = &t->devices[frame->device];

    d->done.recorded++;
    if (!d->last)
        return;
    if (frame->count == 0)
        d->empty_ms = frame->at.mono_ms;
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *s = &frame->samples[i];

        if (frame->at.mono_ms >= d->last[s->point - first].mono_ms)
            d->last[s->point - first] = (struct last){.mono_ms = frame->at.mono_ms,
                                                      .value = s->value,
                                                      .quality = (uint8_t)s->quality,
                                                      .heard = frame->heard};
    }
}

/* What no alarm can ask for any more. */
static void let_go(struct thin *t, uint32_t device, int64_t before_ms)
{
    struct thin_device *d = &t->devices[device];

    d->done.thinned += held_expire(&d->held, before_ms);
}

enum thin_verdict thin_frame(struct thin *t, const struct frame *frame)
{
    const struct site_record *r = &t->site->devices[frame->device].record;
    struct thin_device *d = &t->devices[frame->device];

    if (r->every_ms == 0 || d->alarms > 0 || frame->at.mono_ms <= d->keep_until_ms || is_wanted(t, frame)) {
        note(t, frame);
        return THIN_RECORD;
    }
    if (r->around_ms > 0)
        return THIN_HOLD;
    d->done.thinned++;
    return THIN_DROP;
}

void thin_hold(struct thin *t, const struct frame *frame, int64_t turn)
{
    struct thin_device *d = &t->devices[frame->device];
    size_t due = d->held.due;
    uint64_t cut;

    let_go(t, frame->device, frame->at.mono_ms - t->site->devices[frame->device].record.around_ms);
    cut = held_put(&d->held, frame, turn);
    d->done.cut += cut;
    d->done.thinned += cut;
    t->due -= due - d->held.due;
}

void thin_release(struct thin *t, thin_due_cb cb, void *arg)
{
    for (size_t i = 0; t->due > 0 && i < t->site->device_count; i++) {
        struct held *held = &t->devices[i].held;
        struct frame frame;
        int64_t turn;

        while (held->due > 0 && held_first(held, &frame, &turn)) {
            if (!cb(arg, &frame, turn))
                return;
            note(t, &frame);
            held_drop(held);
            t->due--;
        }
    }
}

bool thin_is_due(const struct thin *t)
{
    return t->due > 0;
}

/* ---- alarms ---- */

static void mark_points(struct thin *t, const uint32_t *points, size_t count)
{
    for (size_t i = 0; i < count; i++)
        site_record_sources(t->site, points[i], t->marked);
}

/* The devices whose readings say how the alarm came about. */
static void mark(struct thin *t, const struct alarm *alarm)
{
    uint32_t index;

    memset(t->marked, 0, t->site->device_count * sizeof *t->marked);
    if (strcmp(alarm->rule, RULE_OFFLINE) == 0) {
        if (hash_index_find(t->names, alarm->point, &index) == RG_OK)
            t->marked[index] = true;
    } else if (strcmp(alarm->rule, RULE_OUTPUT) == 0) {
        if (hash_index_find(t->outputs, alarm->point, &index) == RG_OK)
            t->marked[t->site->outputs[index].device] = true;
    } else if (alarm->point[0]) {
        if (hash_index_find(t->points, alarm->point, &index) == RG_OK)
            mark_points(t, &index, 1);
    } else if (hash_index_find(t->rules, alarm->rule, &index) == RG_OK) { /* a vote */
        mark_points(t, t->site->rules[index].points, t->site->rules[index].point_count);
    }
}

static void raised(struct thin *t, uint32_t device, int64_t at_ms)
{
    struct thin_device *d = &t->devices[device];
    size_t due = d->held.due;

    d->alarms++;
    let_go(t, device, at_ms - t->site->devices[device].record.around_ms);
    held_all_due(&d->held);
    t->due += d->held.due - due;
}

static void cleared(struct thin *t, uint32_t device, int64_t at_ms)
{
    struct thin_device *d = &t->devices[device];
    int64_t until = at_ms + t->site->devices[device].record.around_ms;

    d->alarms -= d->alarms > 0;
    if (d->alarms == 0 && until > d->keep_until_ms)
        d->keep_until_ms = until;
}

static bool is_kept_around(const struct thin *t, uint32_t device)
{
    return t->marked[device] && t->site->devices[device].record.around_ms > 0;
}

void thin_change(struct thin *t, const struct alarm_change *change)
{
    if (!t->points || (change->event != ALARM_RAISE && change->event != ALARM_CLEAR))
        return;
    mark(t, change->alarm);
    for (uint32_t i = 0; i < t->site->device_count; i++) {
        if (is_kept_around(t, i))
            (change->event == ALARM_RAISE ? raised : cleared)(t, i, change->at.mono_ms);
    }
}

void thin_standing_none(struct thin *t)
{
    for (uint32_t i = 0; i < t->site->device_count; i++)
        t->devices[i].alarms = 0;
}

void thin_standing(struct thin *t, const struct alarm *alarm)
{
    if (!t->points)
        return;
    mark(t, alarm);
    for (uint32_t i = 0; i < t->site->device_count; i++)
        t->devices[i].alarms += is_kept_around(t, i);
}

void thin_stats(const struct thin *t, uint32_t device, struct thin_stats *out)
{
    *out = t->devices[device].done;
    out->held = t->devices[device].held.count;
}
