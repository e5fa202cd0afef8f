#include "app/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void want(struct evidence *e, const uint32_t *points, size_t count)
{
    for (size_t i = 0; points && i < count; i++)
        e->ring_of[points[i]] = 0;
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

/* Gives a ring to each point that an alarm can come of, or depends on; returns how many. */
static uint32_t assign_rings(struct evidence *e, const struct site *site)
{
    uint32_t count = 0;

    for (size_t i = 0; i < site->point_count; i++)
        e->ring_of[i] = SITE_NONE;
    for (size_t i = 0; i < site->rule_count; i++)
        want_rule(e, &site->rules[i]);
    for (size_t i = 0; i < site->point_count; i++) {
        if (e->ring_of[i] != SITE_NONE || site->points[i].doubt)
            e->ring_of[i] = count++;
    }
    return count;
}

enum rg_err evidence_create(struct evidence *e, const struct site *site)
{
    enum rg_err err;
    uint32_t count;

    *e = (struct evidence){0};
    e->ring_of = calloc(site->point_count ? site->point_count : 1, sizeof *e->ring_of);
    e->causes = calloc(EVIDENCE_CAUSES, sizeof *e->causes);
    if (!e->ring_of || !e->causes)
        return RG_ENOMEM;
    count = assign_rings(e, site);
    e->rings = calloc(count ? count : 1, sizeof *e->rings);
    if (!e->rings)
        return RG_ENOMEM;
    err = hash_index_create(count, &e->by_name);
    for (size_t i = 0; i < site->point_count && err == RG_OK; i++) {
        if (e->ring_of[i] != SITE_NONE)
            err = hash_index_add(e->by_name, site->points[i].full_name, (uint32_t)i, NULL);
    }
    return err;
}

void evidence_destroy(struct evidence *e)
{
    hash_index_destroy(e->by_name);
    free(e->causes);
    free(e->rings);
    free(e->ring_of);
    *e = (struct evidence){0};
}

void evidence_inherit(struct evidence *e, const struct site *site, const struct evidence *from,
                      const uint32_t *was)
{
    memcpy(e->causes, from->causes, EVIDENCE_CAUSES * sizeof *e->causes);
    for (size_t i = 0; i < site->point_count; i++) {
        if (e->ring_of[i] != SITE_NONE && was[i] != SITE_NONE && from->ring_of[was[i]] != SITE_NONE)
            e->rings[e->ring_of[i]] = from->rings[from->ring_of[was[i]]];
    }
}

void evidence_frame(struct evidence *e, const struct frame *frame)
{
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *s = &frame->samples[i];
        struct evidence_ring *ring;

        if (e->ring_of[s->point] == SITE_NONE)
            continue;
        ring = &e->rings[e->ring_of[s->point]];
        ring->samples[ring->noted++ % EVIDENCE_SAMPLES] =
            (struct evidence_sample){.wall_ms = frame->at.wall_ms, .value = s->value, .quality = s->quality};
    }
}

size_t evidence_samples(const struct evidence *e, uint32_t point,
                        struct evidence_sample out[EVIDENCE_SAMPLES])
{
    const struct evidence_ring *ring;
    size_t count = 0;

    if (e->ring_of[point] == SITE_NONE)
        return 0;
    ring = &e->rings[e->ring_of[point]];
    for (uint32_t i = ring->noted < EVIDENCE_SAMPLES ? 0 : ring->noted - EVIDENCE_SAMPLES; i != ring->noted;
         i++)
        out[count++] = ring->samples[i % EVIDENCE_SAMPLES];
    return count;
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
    if (hash_index_find(e->by_name, change->decider ? change->decider : change->alarm->point, &point) ==
        RG_OK)
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
