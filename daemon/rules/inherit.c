/* What goes on in new rules where nothing was changed: clocks of delays, dead-bands reached, the wait for silent devices. */
#include "rules/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/site_same.h"

static bool same_levels(const double a[LEVEL_COUNT], const double b[LEVEL_COUNT])
{
    for (int i = 0; i < LEVEL_COUNT; i++) {
        if (!(a[i] == b[i])) /* infinite where there is none */
            return false;
    }
    return true;
}

static bool same_is(const struct site_rule *a, const struct site_rule *b)
{
    if (a->is_count != b->is_count)
        return false;
    for (size_t i = 0; i < a->is_count; i++) {
        if (a->is[i].value != b->is[i].value || a->is[i].level != b->is[i].level)
            return false;
    }
    return true;
}

static bool same_signal(const struct site_signal *a, const struct site_signal *b)
{
    return a->kind == b->kind && a->window_ms == b->window_ms && a->coverage == b->coverage &&
           a->band == b->band && a->wrap == b->wrap;
}

static bool same_limits(const struct condition_rule *a, const struct condition_rule *b)
{
    return a->single == b->single && same_levels(a->above, b->above) && same_levels(a->below, b->below) &&
           same_levels(a->above_hold, b->above_hold) && same_levels(a->below_hold, b->below_hold) &&
           same_is(a->conf, b->conf) && same_signal(&a->conf->signal, &b->conf->signal);
}

static bool same_delays(const struct slot_rule *a, const struct slot_rule *b)
{
    return a->on_delay_ms == b->on_delay_ms && a->off_delay_ms == b->off_delay_ms &&
           a->latch_from == b->latch_from;
}

/* The slot of the rule of that name on a point, or SITE_NONE. */
static uint32_t find_watched(const struct rules *r, uint32_t point, const char *rule)
{
    for (uint32_t i = r->heard[point].first; i < r->heard[point + 1].first; i++) {
        if (strcmp(r->site->rules[watched_rule(r, i)].name, rule) == 0)
            return i;
    }
    return SITE_NONE;
}

/* The slot of the old engine that is of the same rule and point, or SITE_NONE. point: the old one that means the same, or SITE_NONE. */
static uint32_t same_watched(const struct rules *r, uint32_t watched, const struct rules *from,
                             uint32_t point)
{
    return point == SITE_NONE ? SITE_NONE
                              : find_watched(from, point, r->site->rules[watched_rule(r, watched)].name);
}

/* Where a rule's limits follow other points: whether they follow the same ones in the same way. */
static bool same_references(const struct rules *r, uint32_t watched, const struct rules *from, uint32_t old,
                            const uint32_t *points)
{
    const struct site_rule *a = &r->site->rules[watched_rule(r, watched)],
                           *b = &from->site->rules[watched_rule(from, old)];
    uint32_t place, before_place;

    if (!condition_rule_follows(a) && !condition_rule_follows(b))
        return true;
    place = watched_place(r, watched);
    before_place = watched_place(from, old);

    for (int i = LEVEL_BLUE; i < LEVEL_COUNT; i++) {
        const struct site_reference *now[] = {a->above_of[i], a->below_of[i]};
        const struct site_reference *before[] = {b->above_of[i], b->below_of[i]};

        for (size_t k = 0; k < 2; k++) {
            if (!now[k] != !before[k])
                return false;
            if (now[k] && (now[k]->times != before[k]->times || now[k]->plus != before[k]->plus ||
                           points[now[k]->points[place]] != before[k]->points[before_place]))
                return false;
        }
    }
    return true;
}

/* The point of this name meant something else before: what is recorded of it is of no use. point: the old one that means the same. */
static bool meant_otherwise(const struct rules *r, uint32_t watched, const struct rules *from, uint32_t point)
{
    uint32_t found;

    return point == SITE_NONE &&
           hash_index_find(from->points_by_name, r->site->points[watched_point(r, watched)].full_name,
                           &found) == RG_OK;
}

/* The window of a slot of the old engine; NULL: there is no such slot, or it has none. */
static const struct signal *old_signal(const struct rules *from, uint32_t old)
{
    return old == SITE_NONE ? NULL : watched_signal(from, old);
}

static bool lacks_history(const struct rules *r, uint32_t watched, const struct rules *from,
                          const uint32_t *points)
{
    const struct signal *signal = watched_signal(r, watched), *old;
    uint32_t point;

    if (!signal)
        return false;
    point = points[watched_point(r, watched)];
    if (meant_otherwise(r, watched, from, point))
        return false;
    old = old_signal(from, same_watched(r, watched, from, point));
    return !old || !signal_same(signal, old);
}

bool rules_lacks_history(const struct rules *r, const struct rules *from)
{
    uint32_t *before = calloc(r->site->point_count + 1, sizeof *before);
    /* Without the memory to know, nothing will be taken over either. */
    bool lacks = !before || site_same_points(r->site, from->site, before) != RG_OK;

    for (uint32_t i = 0; i < r->watched_count && !lacks; i++)
        lacks = lacks_history(r, i, from, before);
    free(before);
    return lacks;
}

/* Whatever the limits are now. */
static void inherit_window(struct rules *r, uint32_t watched, const struct rules *from, uint32_t point)
{
    struct signal *signal = watched_signal(r, watched);
    const struct signal *old;

    if (!signal)
        return;
    if (meant_otherwise(r, watched, from, point))
        signal_reset(signal);
    old = old_signal(from, same_watched(r, watched, from, point));
    if (old)
        (void)signal_inherit(signal, old); /* else it goes on with what it was primed with */
}

/* What was heard of a point last, for the slots that rest. Nothing when this engine was fed already. */
static void inherit_heard(struct heard *h, const struct heard *old)
{
    if (h->last.mono_ms != INT64_MIN)
        return;
    h->last = old->last;
    h->value = old->value;
    h->has_value = old->has_value;
    h->quality = old->quality;
}

/* points: for each point the one of the old site that means the same, or SITE_NONE; point: that of the slot. */
static void inherit_watched(struct rules *r, uint32_t watched, uint32_t point, const struct rules *from,
                            const uint32_t *points)
{
    struct watched room, old_room;
    const struct watched *w, *before;
    struct watched *state;
    uint32_t old = same_watched(r, watched, from, point);

    if (old == SITE_NONE || watched_vote(r, watched) != SITE_NONE)
        return;
    w = watched_see(r, watched, &room);
    before = watched_see(from, old, &old_room);
    /* Another level: its alarm was not restored, or this one was fed already. */
    if (before->slot.level != w->slot.level || !same_limits(&w->conf->limits, &before->conf->limits) ||
        !same_delays(&w->conf->delays, &before->conf->delays) ||
        !same_references(r, watched, from, old, points))
        return;
    state = watched_wake(r, watched);
    state->condition = before->condition;
    state->slot = before->slot;
    engine_schedule(r, watched);
    watched_rest(r, watched);
}

/* The member of the old vote that has the same place and means the same, or NULL. */
static const struct watched *same_member(const struct rules *r, uint32_t member, const struct rules *from,
                                         uint32_t vote, const uint32_t *points)
{
    uint32_t old = same_watched(r, member, from, points[watched_point(r, member)]);

    if (old == SITE_NONE || watched_vote(from, old) != vote ||
        watched_place(from, old) != watched_place(r, member) ||
        !same_limits(&watched_state(r, member)->conf->limits, &watched_state(from, old)->conf->limits) ||
        !same_references(r, member, from, old, points))
        return NULL;
    return watched_state(from, old);
}

/* A vote goes on when nothing of it was changed: what its members said counts together, or not at all. */
static void inherit_vote(struct rules *r, uint32_t vote, const struct rules *from, const uint32_t *points)
{
    struct voting *v = &r->votes[vote];
    const struct site_rule *rule = &r->site->rules[v->rule];
    const struct voting *before;
    const struct watched *old;
    uint32_t index, found;

    if (hash_index_find(from->rules_by_name, rule->name, &found) != RG_OK)
        return;
    index = votes_find(from, found);
    before = index != SITE_NONE ? &from->votes[index] : NULL;
    if (!before || before->slot.level != v->slot.level || before->vote.need != v->vote.need ||
        before->vote.policy != v->vote.policy || before->vote.count != v->vote.count ||
        !same_delays(&v->conf->delays, &before->conf->delays))
        return;
    for (uint32_t i = 0; i < v->vote.count; i++) {
        if (!same_member(r, votes_member(r, v, i), from, index, points))
            return;
    }
    v->decider = SITE_NONE;
    for (uint32_t i = 0; i < v->vote.count; i++) {
        uint32_t member = votes_member(r, v, i);
        struct watched *w = watched_state(r, member);

        old = same_member(r, member, from, index, points);
        w->condition = old->condition;
        w->slot = old->slot;
        if (before->decider != SITE_NONE && old == watched_state(from, before->decider))
            v->decider = member;
    }
    vote_inherit(&v->vote, &before->vote);
    v->slot = before->slot;
    v->said = v->step = before->said;
    engine_schedule(r, engine_owner(r, OWNER_VOTE, vote));
}

void rules_unasked(struct rules *r, int64_t ms)
{
    r->unasked_ms = ms > 0 ? ms : 0;
}

static void inherit_silence(struct rules *r, uint32_t device, const struct rules *from)
{
    uint32_t index;

    if (hash_index_find(from->devices_by_name, r->site->devices[device].name, &index) != RG_OK ||
        from->offline[index].level != r->offline[device].level ||
        !site_same_device(r->site, device, from->site, index))
        return;
    r->offline[device].heard = from->offline[index].heard;
    r->offline[device].heard.mono_ms += r->unasked_ms;
    r->offline[device].heard.wall_ms += r->unasked_ms;
    r->offline[device].moved = from->offline[index].moved;
    engine_schedule(r, engine_owner(r, OWNER_DEVICE, device));
}

/* points: for each point the one of the old site. */
static void inherit_doubt(struct rules *r, uint32_t index, const struct rules *from, const uint32_t *points)
{
    uint32_t before = points[doubts_point(&r->doubts, index)], found;
    struct doubted room, old_room, *state;
    const struct doubted *one, *old;

    found = before == SITE_NONE ? DOUBTS_NONE : doubts_find(&from->doubts, before);
    if (found == DOUBTS_NONE)
        return;
    one = doubts_see(&r->doubts, index, r->heard, &room);
    old = doubts_see(&from->doubts, found, from->heard, &old_room);
    if (old->state.level != one->state.level || !doubt_same(one->rule.conf, old->rule.conf) ||
        (one->rule.conf->has_twin && points[one->rule.conf->twin] != old->rule.conf->twin))
        return;
    state = doubts_wake(&r->doubts, index, r->heard);
    state->state = old->state;
    state->twin = old->twin;
    engine_schedule(r, engine_owner(r, OWNER_DOUBT, index));
    doubts_rest(&r->doubts, index, r->heard);
}

/* The owner of the old engine that means the same, or ALARMS_NONE. points: for each point the one of the old site. */
static uint32_t find_old(const struct rules *r, uint32_t owner, const struct rules *from,
                         const uint32_t *points)
{
    const struct site *site = r->site;
    uint32_t index, found = SITE_NONE;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        return same_watched(r, index, from, points[watched_point(r, index)]); /* SITE_NONE: ALARMS_NONE */
    case OWNER_DEVICE:
        if (hash_index_find(from->devices_by_name, site->devices[index].name, &found) != RG_OK)
            return ALARMS_NONE;
        return engine_owner(from, OWNER_DEVICE, found);
    case OWNER_DOUBT:
        found = points[doubts_point(&r->doubts, index)];
        if (found == SITE_NONE || doubts_find(&from->doubts, found) == DOUBTS_NONE)
            return ALARMS_NONE;
        return engine_owner(from, OWNER_DOUBT, doubts_find(&from->doubts, found));
    case OWNER_OUTPUT:
        if (hash_index_find(from->outputs_by_name, site->outputs[index].name, &found) != RG_OK)
            return ALARMS_NONE;
        return engine_owner(from, OWNER_OUTPUT, found);
    case OWNER_UPLINK:
        for (uint32_t i = 0; i < from->site->uplink_count; i++) {
            if (strcmp(from->site->uplinks[i].name, site->uplinks[index].name) == 0)
                return engine_owner(from, OWNER_UPLINK, i);
        }
        return ALARMS_NONE;
    case OWNER_VOTE:
        if (hash_index_find(from->rules_by_name, site->rules[r->votes[index].rule].name, &found) != RG_OK ||
            votes_find(from, found) == SITE_NONE)
            return ALARMS_NONE;
        return engine_owner(from, OWNER_VOTE, votes_find(from, found));
    }
    return ALARMS_NONE;
}

static void inherit_point(struct rules *r, uint32_t point, const struct rules *from, const uint32_t *points)
{
    if (points[point] != SITE_NONE)
        inherit_heard(&r->heard[point], &from->heard[points[point]]);
    for (uint32_t i = r->heard[point].first; i < r->heard[point + 1].first; i++) {
        inherit_window(r, i, from, points[point]);
        inherit_watched(r, i, points[point], from, points);
    }
}

/* What has been counted so far, and the ends of what is shelved. */
static void inherit_life(struct rules *r, const struct rules *from, const uint32_t *points)
{
    for (uint32_t owner = 0; owner < r->owner_count; owner++) {
        uint32_t old = find_old(r, owner, from, points);

        if (old == ALARMS_NONE)
            continue;
        figures_inherit_owner(&r->figures, owner, &from->figures, old);
        if (engine_open(r, owner) != ALARMS_NONE && engine_open(from, old) != ALARMS_NONE)
            shelves_inherit(r, &r->alarms.pool[engine_open(r, owner)],
                            &from->alarms.pool[engine_open(from, old)]);
    }
}

/* Guards that are known hold, or do not, from the start on. */
static void inherit_guards(struct rules *r)
{
    for (uint32_t i = 0; r->known && i < r->site->point_count; i++) {
        if (r->known[i].state != KNOWN_NOTHING)
            refer_guards(r, i, r->figures.since);
    }
}

void rules_inherit(struct rules *r, const struct rules *from)
{
    uint32_t *before;

    if (!r->started || !from->started)
        return;
    before = calloc(r->site->point_count + 1, sizeof *before);
    /* Without the memory for that no delay is taken over: each begins anew with what was restored. */
    if (before && site_same_points(r->site, from->site, before) == RG_OK) {
        refer_inherit(r, from, before);
        for (uint32_t point = 0; point < r->site->point_count; point++)
            inherit_point(r, point, from, before);
        for (uint32_t i = 0; i < r->vote_count; i++)
            inherit_vote(r, i, from, before);
        for (uint32_t i = 0; i < r->doubts.count; i++)
            inherit_doubt(r, i, from, before);
        inherit_life(r, from, before);
        inherit_guards(r);
    }
    free(before);
    figures_inherit(&r->figures, &from->figures);
    for (uint32_t i = 0; i < r->site->device_count; i++)
        inherit_silence(r, i, from);
}
