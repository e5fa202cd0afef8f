/* Votes in the engine: their members are watched slots, whose verdicts they count; the delays and the alarm are the vote's.
 * A frame is one instant: a vote is judged when all of it has been taken, or two members that change places in it would
 * break a delay. */
#include <stdlib.h>

#include "rules/engine.h"

/* The lowest area that both are in or below, or SITE_NONE. */
static uint32_t common_area(const struct site *site, uint32_t a, uint32_t b)
{
    for (; a < site->area_count; a = site->areas[a].parent) {
        for (uint32_t i = b; i < site->area_count; i = site->areas[i].parent) {
            if (i == a)
                return a;
        }
    }
    return SITE_NONE;
}

static void describe_vote(const struct rules *r, struct voting *v, const char **names)
{
    const struct site *site = r->site;
    const struct site_rule *rule = &site->rules[v->rule];

    v->names = names;
    for (size_t i = 0; i < rule->point_count; i++) {
        const struct site_point *point = &site->points[rule->points[i]];
        const struct site_device *device = &site->devices[point->device];

        names[i] = point->full_name;
        v->area = i == 0 ? device->area : common_area(site, v->area, device->area);
        if (i == 0)
            v->label = device->label;
        else if (point->device != site->points[rule->points[0]].device)
            v->label = NULL;
    }
}

enum rg_err votes_create(struct rules *r)
{
    const struct site *site = r->site;
    size_t members = 0, taken = 0;
    uint32_t next = 0;

    for (size_t i = 0; i < site->rule_count; i++) {
        if (site->rules[i].vote_need > 0) {
            r->vote_count++;
            members += site->rules[i].point_count;
        }
    }
    r->votes = calloc((size_t)r->vote_count + 1, sizeof *r->votes);
    r->vote_members = calloc(members + 1, sizeof *r->vote_members);
    r->vote_names = calloc(members + 1, sizeof *r->vote_names);
    r->votes_heard = calloc((size_t)r->vote_count + 1, sizeof *r->votes_heard);
    if (!r->votes || !r->vote_members || !r->vote_names || !r->votes_heard)
        return RG_ENOMEM;
    for (uint32_t i = 0; i < site->rule_count; i++) {
        const struct site_rule *rule = &site->rules[i];
        struct voting *v = &r->votes[next];

        if (rule->vote_need == 0)
            continue;
        *v = (struct voting){.rule = i,
                             .area = SITE_NONE,
                             .conf = &r->confs[r->conf_of[i]],
                             .decider = SITE_NONE,
                             .candidate = SITE_NONE};
        vote_init(&v->vote, rule, r->vote_members + taken, (uint32_t)rule->point_count);
        slot_init(&v->slot);
        describe_vote(r, v, r->vote_names + taken);
        taken += rule->point_count;
        next++;
    }
    for (uint32_t i = 0; i < r->watched_count && r->vote_count > 0; i++) {
        const struct watched *w = watched_state(r, i);

        if (w && w->more != SITE_NONE)
            r->more[w->more].vote = votes_find(r, w->conf->rule);
    }
    return RG_OK;
}

void votes_destroy(struct rules *r)
{
    free(r->votes);
    free(r->vote_members);
    free(r->vote_names);
    free(r->votes_heard);
}

uint32_t votes_find(const struct rules *r, uint32_t rule)
{
    uint32_t low = 0, high = r->vote_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (r->votes[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->vote_count && r->votes[low].rule == rule ? low : SITE_NONE;
}

void votes_restore(struct rules *r, uint32_t vote, const struct alarm *alarm)
{
    struct voting *v = &r->votes[vote];

    vote_restore(&v->vote, alarm->level);
    slot_restore(&v->slot, alarm->level, alarm->acked);
    v->said = v->step = alarm->level;
    for (uint32_t i = 0; i < v->vote.count; i++) {
        struct watched *w = watched_state(r, votes_member(r, v, i));

        condition_restore(&w->condition, &w->conf->limits, alarm->level);
    }
}

uint32_t votes_member(const struct rules *r, const struct voting *v, uint32_t place)
{
    return watched_find(r, r->site->rules[v->rule].points[place], v->rule);
}

/* Notes the member whose reading made the vote say something else; if that is bad, the first that surely is at what it says. */
static void note_decider(const struct rules *r, struct voting *v, uint32_t watched)
{
    enum level says = vote_judge(&v->vote, (enum level)v->slot.level).level;
    uint32_t place;

    if (says == v->step)
        return;
    v->step = says;
    if (v->vote.members[watched_place(r, watched)].sure) {
        v->candidate = watched;
        return;
    }
    place = vote_first(&v->vote, says);
    if (place != UINT32_MAX)
        v->candidate = votes_member(r, v, place);
}

void votes_take(struct rules *r, uint32_t watched, const struct reading *reading, struct moment at)
{
    struct watched *w = watched_state(r, watched);
    const struct watched_more *more = &r->more[w->more];
    struct voting *v = &r->votes[more->vote];

    slot_pass(&w->slot, at);
    /* A member has no delay: what its reading gives it has reached, whatever the others say. */
    vote_take(&v->vote, more->place, condition_judge(&w->condition, &w->conf->limits, LEVEL_RED, reading));
    note_decider(r, v, watched);
    if (!v->heard) {
        v->heard = true;
        r->votes_heard[r->votes_heard_count++] = more->vote;
    }
}

static void judge(struct rules *r, uint32_t vote, struct moment at)
{
    struct voting *v = &r->votes[vote];
    uint32_t owner = engine_owner(r, OWNER_VOTE, vote);
    struct verdict says = vote_judge(&v->vote, (enum level)v->slot.level);
    struct level_move move;
    bool moved;

    if (says.level != v->said)
        v->decider = v->candidate;
    v->said = says.level;
    if (v->disarmed) {
        slot_pass(&v->slot, at);
        return;
    }
    moved = slot_take(&v->slot, &v->conf->delays, says, at, &move);
    engine_schedule(r, owner);
    if (moved)
        engine_carry_out(r, owner, &move);
}

void votes_judge(struct rules *r, struct moment at)
{
    for (uint32_t i = 0; i < r->votes_heard_count; i++) {
        r->votes[r->votes_heard[i]].heard = false;
        judge(r, r->votes_heard[i], at);
    }
    r->votes_heard_count = 0;
}
