#include "app/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* A reading's time and quality share a word: 56 bits of milliseconds last for two million years. */
#define QUALITY_BITS 8

static struct evidence_reading pack(int64_t wall_ms, const struct sample *s)
{
    return (struct evidence_reading){.value = s->value,
                                     .when = (uint64_t)wall_ms << QUALITY_BITS | (uint64_t)s->quality};
}

static struct evidence_sample unpack(const struct evidence_reading *r)
{
    return (struct evidence_sample){.wall_ms = (int64_t)(r->when >> QUALITY_BITS),
                                    .value = r->value,
                                    .quality = (enum quality)(r->when & ((1u << QUALITY_BITS) - 1))};
}

/* noted counts up to twice the ring's length, and then its second half again: so it tells where the next one goes, and whether the ring is
 * full. */
_Static_assert((EVIDENCE_SAMPLES & (EVIDENCE_SAMPLES - 1)) == 0 && EVIDENCE_SAMPLES <= 64,
               "counted in a byte");

static uint32_t depth_of(const struct evidence *e, uint32_t point)
{
    return e->first[point + 1] - e->first[point];
}

static uint32_t count_of(const struct evidence *e, uint32_t point)
{
    uint32_t depth = depth_of(e, point);

    return e->noted[point] < depth ? e->noted[point] : depth;
}

static void note(struct evidence *e, uint32_t point, struct evidence_reading reading)
{
    uint32_t depth = depth_of(e, point), noted = e->noted[point];

    e->readings[e->first[point] + (noted & (depth - 1))] = reading;
    e->noted[point] = (uint8_t)(noted + 1 < 2 * depth ? noted + 1 : depth);
}

/* The count-th of its readings, 0: the oldest. */
static const struct evidence_reading *reading_at(const struct evidence *e, uint32_t point, uint32_t index)
{
    uint32_t depth = depth_of(e, point), oldest = e->noted[point] - count_of(e, point);

    return &e->readings[e->first[point] + ((oldest + index) & (depth - 1))];
}

static void want(struct evidence *e, const uint32_t *points, size_t count)
{
    for (size_t i = 0; points && i < count; i++)
        e->first[points[i]] = EVIDENCE_SAMPLES;
}

static void want_rule(struct evidence *e, const struct site_rule *rule)
{
    want(e, rule->points, rule->point_count);
    want(e, rule->guard.points, rule->point_count);
    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        if (rule->above_of[i])
            want(e, rule->above_of[i]->points, rule->point_count);
        if (rule->below_of[i])
            want(e, rule->below_of[i]->points, rule->point_count);
    }
}

/* Gives a ring to each point that an alarm can come of, or depends on; returns how many readings there are in all. */
static uint32_t assign_rings(struct evidence *e)
{
    const struct site *site = e->site;
    uint32_t next = 0;

    for (size_t i = 0; i < site->rule_count; i++)
        want_rule(e, &site->rules[i]);
    for (size_t i = 0; i < site->point_count; i++) {
        uint32_t depth = e->first[i] != 0 || site->points[i].doubt ? EVIDENCE_SAMPLES : 1;

        e->first[i] = next;
        next += depth;
    }
    e->first[site->point_count] = next;
    return next;
}

enum rg_err evidence_create(struct evidence *e, const struct site *site)
{
    const size_t count = site->point_count;

    *e = (struct evidence){.site = site};
    if (count > UINT32_MAX / EVIDENCE_SAMPLES)
        return RG_ENOMEM;
    e->first = calloc(count + 1, sizeof *e->first);
    e->noted = calloc(count + 1, sizeof *e->noted);
    e->causes = memory_reserve(EVIDENCE_CAUSES * sizeof *e->causes); /* that many alarms are rare */
    if (!e->first || !e->noted || !e->causes)
        return RG_ENOMEM;
    e->readings = calloc(assign_rings(e) + (size_t)1, sizeof *e->readings);
    return e->readings ? RG_OK : RG_ENOMEM;
}

void evidence_destroy(struct evidence *e)
{
    memory_unreserve(e->causes, EVIDENCE_CAUSES * sizeof *e->causes);
    free(e->readings);
    free(e->noted);
    free(e->first);
    *e = (struct evidence){0};
}

void evidence_inherit(struct evidence *e, const struct evidence *from, const uint32_t *was)
{
    for (size_t i = 0; i < EVIDENCE_CAUSES; i++) {
        if (from->causes[i].alarm[0])
            e->causes[i] = from->causes[i];
    }
    for (uint32_t i = 0; i < e->site->point_count; i++) {
        uint32_t count = was[i] != SITE_NONE ? count_of(from, was[i]) : 0;

        for (uint32_t k = 0; k < count; k++)
            note(e, i, *reading_at(from, was[i], k));
    }
}

void evidence_frame(struct evidence *e, const struct frame *frame)
{
    for (size_t i = 0; i < frame->count; i++)
        note(e, frame->samples[i].point, pack(frame->at.wall_ms, &frame->samples[i]));
}

struct evidence_sample evidence_last(const struct evidence *e, uint32_t point)
{
    uint32_t count = count_of(e, point);

    if (count == 0)
        return (struct evidence_sample){.quality = QUALITY_STALE};
    return unpack(reading_at(e, point, count - 1));
}

size_t evidence_samples(const struct evidence *e, uint32_t point,
                        struct evidence_sample out[EVIDENCE_SAMPLES])
{
    uint32_t count = depth_of(e, point) == EVIDENCE_SAMPLES ? count_of(e, point) : 0;

    for (uint32_t i = 0; i < count; i++)
        out[i] = unpack(reading_at(e, point, i));
    return count;
}

/* No table of names: alarms are few beside readings, and a point's name begins with its device's. */
static bool find_point(const struct site *site, const char *name, uint32_t *point)
{
    for (size_t i = 0; i < site->device_count; i++) {
        const struct site_device *d = &site->devices[i];
        size_t length = strlen(d->name);

        if (strncmp(d->name, name, length) != 0 || name[length] != '.')
            continue;
        for (uint32_t k = d->first_point; k < d->first_point + d->point_count; k++) {
            if (strcmp(site->points[k].full_name, name) == 0) {
                *point = k;
                return true;
            }
        }
    }
    return false;
}

/* The alarm's own place; else a free one; else that of the oldest cause. */
static struct evidence_cause *place(struct evidence *e, const char *alarm)
{
    struct evidence_cause *best = &e->causes[0];

    for (size_t i = 0; i < EVIDENCE_CAUSES; i++) {
        struct evidence_cause *c = &e->causes[i];

        if (strcmp(c->alarm, alarm) == 0)
            return c;
        if (best->alarm[0] && (!c->alarm[0] || c->mono_ms < best->mono_ms))
            best = c;
    }
    return best;
}

void evidence_change(struct evidence *e, const struct alarm_change *change)
{
    const char *alarm = change->alarm->id;
    struct evidence_cause *c = NULL;
    uint32_t point;

    switch (change->event) {
    case ALARM_CLEAR:
        c = place(e, alarm);
        if (strcmp(c->alarm, alarm) == 0)
            c->alarm[0] = '\0';
        return;
    case ALARM_RAISE:
    case ALARM_ESCALATE:
    case ALARM_DEESCALATE:
        break;
    case ALARM_ACK:
    case ALARM_SHELVE:
    case ALARM_UNSHELVE:
    case ALARM_SUPPRESS:
    case ALARM_UNSUPPRESS:
        return;
    }
    c = place(e, alarm);
    *c = (struct evidence_cause){.event = change->event,
                                 .wall_ms = change->at.wall_ms,
                                 .mono_ms = change->at.mono_ms,
                                 .was = change->was,
                                 .level = change->alarm->level,
                                 .has_value = change->has_value,
                                 .has_limit = change->has_limit,
                                 .value = change->value,
                                 .limit = change->limit};
    (void)text_copy(c->alarm, sizeof c->alarm, alarm);
    if (find_point(e->site, change->decider ? change->decider : change->alarm->point, &point))
        c->sample_count = evidence_samples(e, point, c->samples);
}

const struct evidence_cause *evidence_cause(const struct evidence *e, const char *alarm)
{
    for (size_t i = 0; i < EVIDENCE_CAUSES; i++) {
        if (e->causes[i].alarm[0] && strcmp(e->causes[i].alarm, alarm) == 0)
            return &e->causes[i];
    }
    return NULL;
}
