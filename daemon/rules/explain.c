#include "rules/explain.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "rules/engine.h"

const char *explain_state_name(enum explain_state state)
{
    static const char names[][8] = {"unknown", "unarmed", "quiet",   "held",   "band",  "rising", "frozen",
                                    "falling", "waiting", "latched", "silent", "heard", "faulty", "well"};

    return (size_t)state < RG_COUNT(names) ? names[state] : "?";
}

const char *explain_side_name(enum explain_side side)
{
    static const char names[][8] = {"above", "below", "is"};

    return (size_t)side < RG_COUNT(names) ? names[side] : "?";
}

static void add_limit(struct explain *e, const struct explain_limit *limit)
{
    if (e->limit_count < RG_COUNT(e->limits))
        e->limits[e->limit_count++] = *limit;
}

static const char *basis(const struct site_rule *conf, enum level level)
{
    return conf->basis[level] ? conf->basis[level] : conf->basis[LEVEL_NONE];
}

/* As condition.c compares them. */
static bool is_value(const struct watched *w, size_t k)
{
    double value = w->conf->limits.conf->is[k].value;

    if (w->conf->limits.single && fabs(value) <= (double)FLT_MAX)
        value = (double)(float)value;
    return w->condition.has_value && w->condition.value == value;
}

static uint32_t followed(const struct site_reference *of, uint32_t place)
{
    return of ? of->points[place] : SITE_NONE;
}

static void explain_limits(const struct watched *w, uint32_t place, const struct slot *s, struct explain *e)
{
    const struct site_rule *conf = w->conf->limits.conf;
    const struct condition *c = &w->condition;

    for (int side = EXPLAIN_ABOVE; side <= EXPLAIN_BELOW; side++) {
        bool above = side == EXPLAIN_ABOVE;
        enum level held = (enum level)(above ? c->high : c->low);

        for (int i = LEVEL_RED; i > LEVEL_NONE; i--) {
            if (above ? !conf->has_above[i] : !conf->has_below[i])
                continue;
            add_limit(e, &(struct explain_limit){
                             .level = (enum level)i,
                             .side = (enum explain_side)side,
                             .limit = above ? w->conf->limits.above_told[i] : w->conf->limits.below_told[i],
                             .of = above ? conf->above_of[i] : conf->below_of[i],
                             .of_point = followed(above ? conf->above_of[i] : conf->below_of[i], place),
                             .holds = c->has_value && (above ? c->value >= w->conf->limits.above[i]
                                                             : c->value <= w->conf->limits.below[i]),
                             .reached = i <= (int)s->level && i <= (int)held,
                             .leaves = above ? w->conf->limits.above_hold[i] : w->conf->limits.below_hold[i],
                             .basis = basis(conf, (enum level)i),
                         });
        }
    }
    for (int i = LEVEL_RED; i > LEVEL_NONE; i--) {
        for (size_t k = 0; k < conf->is_count; k++) {
            if ((int)conf->is[k].level == i)
                add_limit(e, &(struct explain_limit){.level = (enum level)i,
                                                     .side = EXPLAIN_IS,
                                                     .limit = conf->is[k].value,
                                                     .of_point = SITE_NONE,
                                                     .holds = is_value(w, k),
                                                     .leaves = conf->is[k].value,
                                                     .basis = basis(conf, (enum level)i)});
        }
    }
}

/* What the last reading that had a value gave, dead-band included; what was restored before there was one. */
static enum level given_level(const struct watched *w, const struct explain *e)
{
    enum level level =
        (enum level)(w->condition.high > w->condition.low ? w->condition.high : w->condition.low);

    for (size_t i = 0; i < e->limit_count; i++) {
        if (e->limits[i].side == EXPLAIN_IS && e->limits[i].holds && e->limits[i].level > level)
            level = e->limits[i].level;
    }
    return level;
}

/* What the value would give if no level had been reached yet. */
static enum level plain_level(const struct explain *e)
{
    enum level level = LEVEL_NONE;

    for (size_t i = 0; i < e->limit_count; i++) {
        if (e->limits[i].holds && e->limits[i].level > level)
            level = e->limits[i].level;
    }
    return level;
}

static void add_clock(struct explain *e, enum level level, struct moment since, int64_t delay_ms)
{
    e->clocks[e->clock_count++] = (struct explain_clock){
        .level = level, .since = since, .end = {since.mono_ms + delay_ms, since.wall_ms + delay_ms}};
}

static void explain_clocks(const struct watched *w, const struct slot *s, struct explain *e)
{
    const struct site_rule *conf = w->conf->limits.conf;

    /* The clock next to the alarm's level is the oldest. */
    if (s->phase == SLOT_RISING || s->phase == SLOT_FROZEN) {
        for (int i = s->level + 1; i <= (int)s->seen; i++)
            add_clock(e, (enum level)i, s->since[i], conf->on_delay_ms);
    } else if (s->phase == SLOT_FALLING) {
        for (int i = s->level - 1; i >= (int)s->seen; i--)
            add_clock(e, (enum level)i, s->since[i], conf->off_delay_ms);
    }
}

static enum explain_state slot_state(const struct slot *s, const struct slot_rule *rule,
                                     const struct explain *e)
{
    switch ((enum slot_phase)s->phase) {
    case SLOT_RISING:
        return EXPLAIN_RISING;
    case SLOT_FROZEN:
        return EXPLAIN_FROZEN;
    case SLOT_FALLING:
        return slot_is_latched(s, rule) ? EXPLAIN_LATCHED : EXPLAIN_FALLING;
    case SLOT_STEADY:
        break;
    }
    if (!e->has_value)
        return EXPLAIN_UNKNOWN;
    if (e->seen < e->level)
        return EXPLAIN_WAITING;
    if (s->level == LEVEL_NONE)
        return EXPLAIN_QUIET;
    return plain_level(e) < e->level ? EXPLAIN_BAND : EXPLAIN_HELD;
}

/* Of a vote none of whose delays run. */
static enum explain_state vote_state(const struct voting *v)
{
    if (v->slot.level == LEVEL_NONE)
        return EXPLAIN_QUIET;
    return (int)v->said < (int)v->slot.level ? EXPLAIN_WAITING : EXPLAIN_HELD;
}

static void explain_arming(const struct rules *r, uint32_t watched, struct explain *e)
{
    const struct site_rule *rule = &r->site->rules[watched_rule(r, watched)];

    if (rule->guard.points)
        e->guard = rule->guard.points[rule->vote_need > 0 ? 0 : watched_place(r, watched)];
    if (rule->has_permit)
        e->permit_until = rules_permit_until(r, rule->permit);
}

static void explain_watched(const struct rules *r, uint32_t index, struct explain *e)
{
    struct watched room;
    const struct watched *w = watched_see(r, index, &room);
    const struct signal *signal = watched_signal(r, index);
    uint32_t vote = watched_vote(r, index);
    const struct slot *s = vote != SITE_NONE ? &r->votes[vote].slot : &w->slot;
    unsigned disarmed = vote != SITE_NONE ? r->votes[vote].disarmed : w->disarmed;

    e->kind = EXPLAIN_RULE;
    e->rule = w->conf->rule;
    e->point = w->point;
    e->level = (enum level)s->level;
    e->has_value = w->condition.has_value;
    e->value = w->condition.value;
    e->bad = w->condition.trust == READING_BAD && w->slot.last.mono_ms != INT64_MIN;
    e->unguarded = (disarmed & ENGINE_GUARD) != 0;
    e->unpermitted = (disarmed & ENGINE_PERMIT) != 0;
    explain_limits(w, watched_place(r, index), s, e);
    explain_clocks(w, s, e);
    /* Of a member of a vote: what it gives, while the state and its delays are the vote's. */
    e->seen = s->phase == SLOT_STEADY || s != &w->slot ? given_level(w, e) : (enum level)s->seen;
    e->trust = (enum reading_trust)w->condition.trust;
    e->windowed = signal != NULL;
    if (signal) {
        e->covered_ms = signal->covered_ms;
        e->need_ms = signal->need_ms;
    }
    explain_arming(r, index, e);
    if (disarmed)
        e->state = EXPLAIN_UNARMED;
    else if (s->phase == SLOT_STEADY && vote != SITE_NONE)
        e->state = vote_state(&r->votes[vote]);
    else
        e->state = slot_state(s, &w->conf->delays, e);
}

static void explain_silence(const struct rules *r, uint32_t device, struct explain *e)
{
    const struct offline *o = &r->offline[device];

    e->kind = EXPLAIN_OFFLINE;
    e->level = o->level;
    e->seen = o->level;
    e->heard = o->heard;
    e->state = o->level != LEVEL_NONE ? EXPLAIN_SILENT : EXPLAIN_HEARD;
    e->has_due = offline_deadline(o) != INT64_MAX;
    if (e->has_due)
        e->due = (struct moment){o->heard.mono_ms + o->after_ms, o->heard.wall_ms + o->after_ms};
}

/* What is told from outside: an output's fault, a self test. */
static void explain_told(enum explain_kind kind, const struct alarm *alarm, struct explain *e)
{
    e->kind = kind;
    e->level = e->seen = alarm ? alarm->level : LEVEL_NONE;
    e->state = alarm ? EXPLAIN_FAULTY : EXPLAIN_WELL;
}

/* Each member of a vote by itself, with the vote's alarm. */
static void explain_vote(const struct rules *r, const struct voting *v, struct explain *e,
                         rules_explain_cb cb, void *arg)
{
    const struct site_rule *rule = &r->site->rules[v->rule];
    struct explain blank = *e;

    for (size_t i = 0; i < rule->point_count; i++) {
        *e = blank;
        e->device = r->site->points[rule->points[i]].device;
        explain_watched(r, votes_member(r, v, (uint32_t)i), e);
        cb(arg, e);
    }
}

static void explain_doubt(const struct rules *r, uint32_t index, struct explain *e)
{
    struct doubted room;
    const struct doubted *one = doubts_see(&r->doubts, index, r->heard, &room);
    const struct site_doubt *conf = one->rule.conf;
    const struct doubt *d = &one->state;

    e->kind = EXPLAIN_DOUBT;
    e->point = one->point;
    e->level = (enum level)d->level;
    e->seen = d->signs ? conf->level : LEVEL_NONE;
    e->has_value = d->has_value;
    e->value = d->value;
    e->bad = d->quality != QUALITY_GOOD && d->last.mono_ms != INT64_MIN;
    doubt_text(d, conf->has_twin ? r->site->points[conf->twin].full_name : NULL, e->doubt);
    if (d->phase != DOUBT_STEADY) {
        e->state = d->phase == DOUBT_RISING ? EXPLAIN_RISING : EXPLAIN_FROZEN;
        add_clock(e, conf->level, d->since, conf->after_ms);
    } else if (d->level != LEVEL_NONE) {
        e->state = EXPLAIN_HELD;
    } else {
        e->state = d->last.mono_ms == INT64_MIN ? EXPLAIN_UNKNOWN : EXPLAIN_QUIET;
    }
}

static void explain_owner(const struct rules *r, uint32_t owner, rules_explain_cb cb, void *arg)
{
    struct explain e = {.rule = SITE_NONE,
                        .point = SITE_NONE,
                        .output = SITE_NONE,
                        .uplink = SITE_NONE,
                        .guard = SITE_NONE,
                        .permit_until = INT64_MIN,
                        .device = engine_device(r, owner)};
    uint32_t index, whose = owner;
    enum engine_kind kind = engine_kind(r, owner, &index);

    if (kind == OWNER_WATCHED)
        whose = engine_slot_owner(r, index);
    if (engine_open(r, whose) != ALARMS_NONE)
        e.alarm = &r->alarms.pool[engine_open(r, whose)].alarm;
    switch (kind) {
    case OWNER_WATCHED:
        explain_watched(r, index, &e);
        break;
    case OWNER_DEVICE:
        explain_silence(r, index, &e);
        break;
    case OWNER_DOUBT:
        explain_doubt(r, index, &e);
        break;
    case OWNER_OUTPUT:
        e.output = index;
        explain_told(EXPLAIN_OUTPUT, e.alarm, &e);
        break;
    case OWNER_UPLINK:
        e.uplink = index;
        explain_told(EXPLAIN_SELF_TEST, e.alarm, &e);
        break;
    case OWNER_VOTE:
        explain_vote(r, &r->votes[index], &e, cb, arg);
        return;
    }
    cb(arg, &e);
}

enum rg_err rules_explain(const struct rules *r, const char *name, rules_explain_cb cb, void *arg)
{
    uint32_t index;

    if (!r->started)
        return RG_ESTATE;
    index = alarms_find(&r->alarms, name);
    if (index != ALARMS_NONE) {
        explain_owner(r, r->alarms.pool[index].owner, cb, arg);
        return RG_OK;
    }
    if (hash_index_find(r->points_by_name, name, &index) == RG_OK) {
        for (uint32_t i = r->heard[index].first; i < r->heard[index + 1].first; i++)
            explain_owner(r, i, cb, arg);
        if (doubts_find(&r->doubts, index) != DOUBTS_NONE)
            explain_owner(r, engine_owner(r, OWNER_DOUBT, doubts_find(&r->doubts, index)), cb, arg);
        explain_owner(r, engine_owner(r, OWNER_DEVICE, r->site->points[index].device), cb, arg);
        return RG_OK;
    }
    if (hash_index_find(r->devices_by_name, name, &index) == RG_OK) {
        explain_owner(r, engine_owner(r, OWNER_DEVICE, index), cb, arg);
        return RG_OK;
    }
    if (hash_index_find(r->outputs_by_name, name, &index) == RG_OK) {
        explain_owner(r, engine_owner(r, OWNER_OUTPUT, index), cb, arg);
        return RG_OK;
    }
    for (uint32_t i = 0; i < r->site->uplink_count; i++) {
        if (strcmp(r->site->uplinks[i].name, name) == 0 && engine_tests(r->site, i)) {
            explain_owner(r, engine_owner(r, OWNER_UPLINK, i), cb, arg);
            return RG_OK;
        }
    }
    return RG_ENOTFOUND;
}
