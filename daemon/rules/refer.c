/* Points that others look at: limits that follow them, rules that they guard. */
#include <math.h>
#include <stdlib.h>

#include "rules/decimal.h"
#include "rules/engine.h"
#include "rules/guard.h"

/* The pairs of the limits that follow points; pairs may be NULL. Returns how many. */
static size_t pair_references(const struct rules *r, struct depend_pair *pairs)
{
    size_t count = 0;

    for (uint32_t i = 0; i < r->watched_count; i++) {
        const struct watched *w = watched_state(r, i);
        const struct site_rule *rule = &r->site->rules[watched_rule(r, i)];

        if (!w || !r->more || w->more == SITE_NONE)
            continue; /* none does that can rest */
        for (int level = LEVEL_BLUE; level < LEVEL_COUNT; level++) {
            const struct site_reference *of[] = {rule->above_of[level], rule->below_of[level]};

            for (size_t k = 0; k < 2; k++) {
                if (of[k] && pairs)
                    pairs[count] = (struct depend_pair){of[k]->points[r->more[w->more].place], i};
                count += of[k] ? 1 : 0;
            }
        }
    }
    return count;
}

static size_t pair_guards(const struct rules *r, struct depend_pair *pairs)
{
    size_t count = 0;

    for (uint32_t i = 0; i < r->watched_count; i++) {
        const struct site_rule *rule = &r->site->rules[watched_rule(r, i)];
        uint32_t place;

        if (!rule->guard.points)
            continue;
        place = watched_place(r, i);
        /* A vote is guarded as a whole, whatever the place of the member. */
        if (rule->vote_need > 0 && place > 0)
            continue;
        if (pairs)
            pairs[count] = (struct depend_pair){rule->guard.points[place], engine_slot_owner(r, i)};
        count++;
    }
    return count;
}

static enum rg_err create_pairs(const struct rules *r, struct depend *d,
                                size_t (*pair)(const struct rules *r, struct depend_pair *pairs))
{
    size_t count = pair(r, NULL);
    struct depend_pair *pairs = calloc(count + 1, sizeof *pairs);
    enum rg_err err;

    if (!pairs)
        return RG_ENOMEM;
    (void)pair(r, pairs);
    err = depend_create(d, (uint32_t)r->site->point_count, pairs, count);
    free(pairs);
    return err;
}

/* Limits that follow points are of one point at one instant: such slots have a copy of their rule's of their own. */
static enum rg_err create_own(struct rules *r)
{
    size_t count = 0;

    for (uint32_t i = 0; i < r->watched_count; i++)
        count += condition_rule_follows(&r->site->rules[watched_rule(r, i)]) ? 1 : 0;
    r->own = calloc(count + 1, sizeof *r->own);
    if (!r->own)
        return RG_ENOMEM;
    count = 0;
    for (uint32_t i = 0; i < r->watched_count; i++) {
        struct watched *w = watched_state(r, i);
        struct engine_conf *own;

        if (!condition_rule_follows(&r->site->rules[watched_rule(r, i)]))
            continue;
        own = &r->own[count++];
        *own = *w->conf;
        r->more[w->more].own = own;
        w->conf = own;
    }
    return RG_OK;
}

enum rg_err refer_create(struct rules *r)
{
    enum rg_err err = create_own(r);

    if (err == RG_OK)
        err = create_pairs(r, &r->references, pair_references);
    if (err == RG_OK)
        err = create_pairs(r, &r->guards, pair_guards);
    if (err != RG_OK || r->references.count + r->guards.count == 0)
        return err;
    r->known = calloc(r->site->point_count, sizeof *r->known);
    return r->known ? RG_OK : RG_ENOMEM;
}

void refer_destroy(struct rules *r)
{
    free(r->known);
    free(r->own);
    depend_destroy(&r->guards);
    depend_destroy(&r->references);
}

/* NAN: not known. */
static double limit_now(const struct rules *r, uint32_t place, const struct site_reference *of, double number)
{
    const struct known *known;
    double limit;

    if (!of)
        return number;
    known = &r->known[of->points[place]];
    if (known->state != KNOWN_GOOD)
        return NAN;
    limit = decimal_follow(known->value, of->times, of->plus);
    return isfinite(limit) ? limit : NAN;
}

static void renew_limits(struct rules *r, const struct watched *w)
{
    const struct watched_more *more = &r->more[w->more];
    const struct site_rule *rule = w->conf->limits.conf;
    double above[LEVEL_COUNT], below[LEVEL_COUNT];

    for (int i = 0; i < LEVEL_COUNT; i++) {
        above[i] = limit_now(r, more->place, rule->above_of[i], rule->above[i]);
        below[i] = limit_now(r, more->place, rule->below_of[i], rule->below[i]);
    }
    condition_rule_limits(&more->own->limits, above, below);
}

static void renew_followers(struct rules *r, uint32_t point)
{
    for (uint32_t i = r->references.first[point]; i < r->references.first[point + 1]; i++)
        renew_limits(r, watched_state(r, r->references.who[i]));
}

/* The guard of an owner, and the point that is looked at. */
static const struct site_guard *guard_of(const struct rules *r, uint32_t owner)
{
    uint32_t index;

    if (engine_kind(r, owner, &index) == OWNER_VOTE)
        return &r->site->rules[r->votes[index].rule].guard;
    return &r->site->rules[watched_rule(r, index)].guard;
}

void refer_guards(struct rules *r, uint32_t point, struct moment at)
{
    const struct known *known = &r->known[point];
    bool single = point_is_single(&r->site->points[point]);

    for (uint32_t i = r->guards.first[point]; i < r->guards.first[point + 1]; i++) {
        uint32_t owner = r->guards.who[i];

        /* While the guard is not known the rule is armed. */
        armed_set(r, owner, ENGINE_GUARD,
                  known->state != KNOWN_GOOD || guard_holds(guard_of(r, owner), known->value, single), at);
    }
}

void refer_note(struct rules *r, const struct sample *sample, struct moment at)
{
    bool good = sample->quality == QUALITY_GOOD && isfinite(sample->value);
    struct known now = {good ? sample->value : 0, good ? KNOWN_GOOD : KNOWN_BAD};
    struct known *known = &r->known[sample->point];

    if (known->state == now.state && known->value == now.value)
        return;
    *known = now;
    renew_followers(r, sample->point);
    refer_guards(r, sample->point, at);
}

void refer_judge(struct rules *r, const struct sample *sample, struct moment at)
{
    uint32_t end = r->references.first[sample->point + 1];

    for (uint32_t k = r->references.first[sample->point]; k < end; k++) {
        uint32_t watched = r->references.who[k];
        const struct watched *w = watched_state(r, watched);
        struct reading last = condition_last(&w->condition);

        if (w->slot.last.mono_ms != INT64_MIN) /* else nothing was read of it yet */
            engine_judge(r, watched, &last, at);
    }
}

void refer_inherit(struct rules *r, const struct rules *from, const uint32_t *points)
{
    if (!r->known || !from->known)
        return;
    for (uint32_t i = 0; i < r->site->point_count; i++) {
        if (points[i] == SITE_NONE || r->known[i].state != KNOWN_NOTHING)
            continue;
        r->known[i] = from->known[points[i]];
        renew_followers(r, i);
    }
}
