#include "replay/tally.h"

#include <stdlib.h>
#include <string.h>

struct tally_owner {
    uint32_t rule;
    uint32_t first, last; /* its alarms, or TALLY_NONE */
    bool open;            /* the last one stands */
    enum level level;     /* since at_ms; LEVEL_NONE while suppressed */
    int64_t at_ms;
    int64_t raised_ms[TALLY_CHATTER_RAISES - 1]; /* the last ones, newest first; INT64_MIN: none */
    bool chatters;
};

void tally_init(struct tally *t, int64_t from_ms, int64_t to_ms)
{
    *t = (struct tally){.from_ms = from_ms, .to_ms = to_ms};
    names_init(&t->names, NULL, NULL);
}

void tally_free(struct tally *t)
{
    names_destroy(&t->names);
    free(t->rules);
    free(t->owners);
    free(t->alarms);
    *t = (struct tally){0};
}

static bool grow(void **block, size_t count, size_t *room, size_t size)
{
    size_t more = *room ? 2 * *room : 64;
    void *grown;

    if (count < *room)
        return true;
    while (more <= count)
        more *= 2;
    grown = realloc(*block, more * size);
    if (!grown)
        return false;
    memset((char *)grown + *room * size, 0, (more - *room) * size);
    *block = grown;
    *room = more;
    return true;
}

static struct tally_owner *owner_of(struct tally *t, const struct alarm *alarm, uint32_t *rule,
                                    uint32_t *owner)
{
    uint32_t known = t->names.point_count;

    t->error = names_device(&t->names, alarm->rule, strlen(alarm->rule), rule);
    if (t->error == RG_OK)
        t->error = names_point(&t->names, *rule, alarm->point, strlen(alarm->point), owner);
    if (t->error != RG_OK)
        return NULL;
    if (!grow((void **)&t->rules, *rule, &t->rule_room, sizeof *t->rules) ||
        !grow((void **)&t->owners, *owner, &t->owner_room, sizeof *t->owners)) {
        t->error = RG_ENOMEM;
        return NULL;
    }
    if (t->names.point_count != known) {
        t->owners[*owner] = (struct tally_owner){.rule = *rule, .first = TALLY_NONE, .last = TALLY_NONE};
        for (size_t i = 0; i < TALLY_CHATTER_RAISES - 1; i++)
            t->owners[*owner].raised_ms[i] = INT64_MIN;
    }
    return &t->owners[*owner];
}

static int64_t clip(const struct tally *t, int64_t ms)
{
    if (t->to_ms > 0 && ms > t->to_ms)
        ms = t->to_ms;
    return ms < t->from_ms ? t->from_ms : ms;
}

/* The time up to ms goes to the level that held. The wall clock may have been put back: that counts as no time. */
static void settle(struct tally *t, struct tally_owner *o, int64_t ms)
{
    struct tally_alarm *a = &t->alarms[o->last];
    int64_t spent = clip(t, ms) - clip(t, o->at_ms);

    if (spent > 0) {
        a->ms[o->level] += spent;
        t->rules[o->rule].ms[o->level] += spent;
    }
    o->at_ms = ms;
}

/* What stood before the counting began is an alarm of it, too; one that had ended by then is not. */
static bool open_alarm(struct tally *t, struct tally_owner *o, uint32_t owner, int64_t ms)
{
    if (!grow((void **)&t->alarms, t->alarm_count, &t->alarm_room, sizeof *t->alarms)) {
        t->error = RG_ENOMEM;
        return false;
    }
    t->alarms[t->alarm_count] = (struct tally_alarm){.rule = o->rule,
                                                     .owner = owner,
                                                     .next = TALLY_NONE,
                                                     .from_ms = clip(t, ms),
                                                     .began = ms >= t->from_ms};
    if (o->last != TALLY_NONE)
        t->alarms[o->last].next = (uint32_t)t->alarm_count;
    else
        o->first = (uint32_t)t->alarm_count;
    o->last = (uint32_t)t->alarm_count++;
    o->open = true;
    o->at_ms = ms;
    o->level = LEVEL_NONE;
    return true;
}

static void count_raise(struct tally_rule *rule, struct tally_owner *o, int64_t ms)
{
    int64_t first = o->raised_ms[TALLY_CHATTER_RAISES - 2];
    bool chatters = first != INT64_MIN && ms - first <= TALLY_CHATTER_MS;

    rule->raises++;
    rule->chatter += chatters && !o->chatters;
    o->chatters = chatters;
    memmove(o->raised_ms + 1, o->raised_ms, sizeof o->raised_ms - sizeof o->raised_ms[0]);
    o->raised_ms[0] = ms;
}

static void close_alarm(struct tally *t, struct tally_owner *o, int64_t ms, bool ended)
{
    struct tally_alarm *a = &t->alarms[o->last];

    a->to_ms = clip(t, ms);
    a->ended = ended;
    o->open = false;
}

bool tally_change(struct tally *t, const struct alarm_change *change)
{
    int64_t ms = change->at.wall_ms;
    bool counts = ms >= t->from_ms && (t->to_ms == 0 || ms <= t->to_ms);
    struct tally_owner *o;
    uint32_t rule, owner;

    if (t->error != RG_OK || (t->to_ms > 0 && ms > t->to_ms))
        return false;
    o = owner_of(t, change->alarm, &rule, &owner);
    if (!o)
        return false;
    t->changes += counts;
    /* Its end fell to a clock that was ahead, beyond what is counted. */
    if (o->open && change->event == ALARM_RAISE)
        close_alarm(t, o, o->at_ms, true);
    if (!o->open) {
        if (!open_alarm(t, o, owner,
                        change->event == ALARM_RAISE    ? ms
                        : change->alarm->raised_ms < ms ? change->alarm->raised_ms
                                                        : ms))
            return false;
        o->level = change->was; /* it stood before what is replayed */
    }
    if (change->event == ALARM_RAISE && counts)
        count_raise(&t->rules[rule], o, ms);
    settle(t, o, ms);
    o->level = change->alarm->suppressed ? LEVEL_NONE : change->alarm->level;
    if (counts && change->was > t->alarms[o->last].highest)
        t->alarms[o->last].highest = change->was;
    if (change->alarm->level > t->alarms[o->last].highest || (!counts && change->alarm->level != LEVEL_NONE))
        t->alarms[o->last].highest = change->alarm->level;
    if (change->event == ALARM_CLEAR) {
        close_alarm(t, o, ms, true);
        if (!counts)
            t->alarms[o->last].highest = LEVEL_NONE; /* over before the counting began */
    }
    return counts;
}

void tally_end(struct tally *t, int64_t end_ms)
{
    for (uint32_t i = 0; t->error == RG_OK && i < t->names.point_count; i++) {
        struct tally_owner *o = &t->owners[i];

        if (!o->open)
            continue;
        settle(t, o, end_ms);
        close_alarm(t, o, end_ms, false);
    }
    for (size_t i = 0; t->error == RG_OK && i < t->alarm_count; i++) {
        const struct tally_alarm *a = &t->alarms[i];

        if (a->highest == LEVEL_NONE)
            continue;
        t->rules[a->rule].alarms++;
        t->rules[a->rule].by[a->highest]++;
    }
}

const char *tally_rule_name(const struct tally *t, uint32_t rule)
{
    return t->names.devices[rule].name;
}

const char *tally_point_name(const struct tally *t, uint32_t owner)
{
    return t->names.points[owner].name;
}

uint32_t tally_find(const struct tally *t, const char *rule)
{
    return names_find_device(&t->names, rule, strlen(rule));
}

/* ---- two of them ---- */

/* The next alarm of an owner that counts, from index on. */
static const struct tally_alarm *counted(const struct tally *t, uint32_t index)
{
    while (index != TALLY_NONE && t->alarms[index].highest == LEVEL_NONE)
        index = t->alarms[index].next;
    return index == TALLY_NONE ? NULL : &t->alarms[index];
}

/* Both lists are in order of time and overlap with nothing of their own. */
static void compare_owner(const struct tally *before, uint32_t x, const struct tally *after, uint32_t y,
                          const struct tally_versus *versus)
{
    const struct tally_alarm *a = counted(before, x), *b = counted(after, y);
    bool a_met = false, b_met = false;

    while (a || b) {
        bool meet = a && b && a->from_ms <= b->to_ms && b->from_ms <= a->to_ms;
        bool a_first = a && (!b || a->to_ms < b->to_ms);

        if (meet)
            versus->cb(versus->arg, a, b);
        a_met = a_met || meet;
        b_met = b_met || meet;
        if (a_first) {
            if (!a_met)
                versus->cb(versus->arg, a, NULL);
            a = counted(before, a->next);
            a_met = false;
        } else {
            if (!b_met)
                versus->cb(versus->arg, NULL, b);
            b = counted(after, b->next);
            b_met = false;
        }
    }
}

/* The same owner in the other one. */
static uint32_t owner_in(const struct tally *t, const struct tally *from, uint32_t owner)
{
    uint32_t rule = tally_find(t, tally_rule_name(from, from->owners[owner].rule));
    const char *point = tally_point_name(from, owner);

    return rule == TALLY_NONE ? TALLY_NONE : names_find_point(&t->names, rule, point, strlen(point));
}

void tally_compare(const struct tally *before, const struct tally *after, const struct tally_versus *versus)
{
    for (uint32_t i = 0; i < before->names.point_count; i++) {
        uint32_t other = owner_in(after, before, i);

        compare_owner(before, before->owners[i].first, after,
                      other == TALLY_NONE ? TALLY_NONE : after->owners[other].first, versus);
    }
    for (uint32_t i = 0; i < after->names.point_count; i++) {
        if (owner_in(before, after, i) == TALLY_NONE)
            compare_owner(before, TALLY_NONE, after, after->owners[i].first, versus);
    }
}
