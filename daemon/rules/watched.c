#include "rules/watched.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "rules/engine.h"
#include "rules/search.h"

#define NO_STATE UINT32_MAX

static void *zeroed(size_t count, size_t size)
{
    return calloc(count ? count : 1, size);
}

/* ---- building ---- */

/* Whether slots of the rule never rest. */
static bool is_busy(const struct site_rule *rule)
{
    return rule->vote_need > 0 || rule->signal.kind != SIGNAL_VALUE || condition_rule_follows(rule);
}

uint64_t watched_memory(const struct site *site, uint64_t *count)
{
    uint64_t slots = 0, more = 0, confs = 0;

    for (size_t i = 0; i < site->rule_count; i++) {
        const struct site_rule *rule = &site->rules[i];
        bool has[2] = {false, false};

        slots += rule->point_count;
        more += is_busy(rule) ? rule->point_count : 0;
        for (size_t j = 0; j < rule->point_count && !(has[0] && has[1]); j++)
            has[point_is_single(&site->points[rule->points[j]])] = true;
        confs += has[0] && has[1] ? 2 : 1;
    }
    if (count)
        *count = slots;
    return (site->point_count + 1) * sizeof(struct heard) +
           slots * (sizeof(uint32_t) + sizeof(struct watched)) + more * sizeof(struct watched_more) +
           confs * (sizeof(struct engine_conf) + sizeof(struct watched_band)) +
           (site->rule_count + 1) * (uint64_t)sizeof(uint32_t);
}

/* Where the slots of each point begin: one place further on, so that filling them moves each beginning to where it belongs. */
static void count_slots(struct rules *r)
{
    const struct site *site = r->site;
    uint32_t count = 0;

    for (size_t i = 0; i < site->rule_count; i++) {
        for (size_t j = 0; j < site->rules[i].point_count; j++)
            r->heard[site->rules[i].points[j]].first++;
    }
    for (size_t i = 0; i <= site->point_count; i++) {
        uint32_t here = r->heard[i].first;

        r->heard[i].first = count;
        count += here;
    }
}

/* How many confs there are, those of each rule together. */
static uint32_t count_confs(struct rules *r)
{
    const struct site *site = r->site;
    uint32_t count = 0;

    for (size_t i = 0; i < site->rule_count; i++) {
        bool has[2] = {false, false};

        for (size_t j = 0; j < site->rules[i].point_count && !(has[0] && has[1]); j++)
            has[r->heard[site->rules[i].points[j]].single] = true;
        r->conf_of[i] = count;
        count += has[0] && has[1] ? 2 : 1;
    }
    r->conf_of[site->rule_count] = count;
    return count;
}

static void fill_confs(struct rules *r, uint32_t rule)
{
    const struct site_rule *conf = &r->site->rules[rule];

    for (uint32_t i = r->conf_of[rule]; i < r->conf_of[rule + 1]; i++) {
        /* Of two the second one is for floats; one alone is for whatever its points are. */
        bool single = i > r->conf_of[rule] || (r->conf_of[rule + 1] - r->conf_of[rule] == 1 &&
                                               conf->point_count > 0 && r->heard[conf->points[0]].single);

        condition_rule_init(&r->confs[i].limits, conf, single);
        slot_rule_init(&r->confs[i].delays, conf);
        r->confs[i].rule = rule;
        r->bands[i] = conf->is_count > 0
                          ? (struct watched_band){INFINITY, -INFINITY}
                          : (struct watched_band){r->confs[i].limits.quiet_min, r->confs[i].limits.quiet_max};
    }
}

/* In rule order, so that those of each point are. */
static void fill_slots(struct rules *r)
{
    const struct site *site = r->site;

    for (uint32_t i = 0; i < site->rule_count; i++) {
        uint32_t last = r->conf_of[i + 1] - 1;

        fill_confs(r, i);
        for (size_t j = 0; j < site->rules[i].point_count; j++) {
            struct heard *h = &r->heard[site->rules[i].points[j]];

            r->slots[h->first++] = WATCHED_UNREAD | (h->single ? last : r->conf_of[i]);
        }
    }
    for (size_t i = site->point_count; i > 0; i--)
        r->heard[i].first = r->heard[i - 1].first;
    r->heard[0].first = 0;
}

static struct watched *awaken(struct rules *r, uint32_t watched, uint32_t point);

static uint32_t place_of(const struct site_rule *rule, uint32_t point)
{
    return search_last(rule->points, sizeof rule->points[0], rule->point_count, point);
}

/* In the order in which samples come, so that what lies together is used together. */
static void wake_busy(struct rules *r)
{
    uint32_t count = 0;

    for (uint32_t point = 0; point < r->site->point_count; point++) {
        for (uint32_t i = r->heard[point].first; i < r->heard[point + 1].first; i++) {
            uint32_t rule = r->confs[r->slots[i] & WATCHED_INDEX].rule;

            if (!is_busy(&r->site->rules[rule]))
                continue;
            r->more[count] = (struct watched_more){.signal = windows_give(&r->windows, r->site, rule, point),
                                                   .place = place_of(&r->site->rules[rule], point),
                                                   .vote = SITE_NONE};
            awaken(r, i, point)->more = count++;
        }
    }
}

/* How many slots there are, and how many of them never rest. */
static bool count_watched(struct rules *r, size_t *more)
{
    uint64_t count = 0;

    *more = 0;
    for (size_t i = 0; i < r->site->rule_count; i++) {
        count += r->site->rules[i].point_count;
        *more += is_busy(&r->site->rules[i]) ? r->site->rules[i].point_count : 0;
    }
    r->watched_count = (uint32_t)count;
    return count <= WATCHED_INDEX && r->site->rule_count <= WATCHED_INDEX / 2;
}

enum rg_err watched_create(struct rules *r)
{
    const struct site *site = r->site;
    uint32_t confs;
    size_t more;

    r->awake_free = NO_STATE;
    r->heard = zeroed(site->point_count + 1, sizeof *r->heard);
    r->conf_of = zeroed(site->rule_count + 1, sizeof *r->conf_of);
    if (!r->heard || !r->conf_of || !count_watched(r, &more))
        return RG_ENOMEM;
    for (size_t i = 0; i <= site->point_count; i++) {
        heard_init(&r->heard[i]);
        r->heard[i].single = i < site->point_count && point_is_single(&site->points[i]);
    }
    confs = count_confs(r);
    r->confs = zeroed(confs, sizeof *r->confs);
    r->bands = zeroed(confs, sizeof *r->bands);
    r->slots = zeroed(r->watched_count, sizeof *r->slots);
    r->awake = zeroed(r->watched_count, sizeof *r->awake);
    r->more = zeroed(more, sizeof *r->more);
    if (!r->confs || !r->bands || !r->slots || !r->awake || !r->more ||
        windows_create(&r->windows, site) != RG_OK)
        return RG_ENOMEM;
    count_slots(r);
    fill_slots(r);
    wake_busy(r);
    return RG_OK;
}

void watched_destroy(struct rules *r)
{
    windows_destroy(&r->windows);
    free(r->more);
    free(r->awake);
    free(r->slots);
    free(r->bands);
    free(r->confs);
    free(r->conf_of);
    free(r->heard);
}

/* ---- which one it is ---- */

uint32_t watched_point(const struct rules *r, uint32_t watched)
{
    if (r->slots[watched] & WATCHED_AWAKE)
        return r->awake[r->slots[watched] & WATCHED_INDEX].point;
    /* Of points that begin at the same place only the last has slots. */
    return search_last((const unsigned char *)r->heard + offsetof(struct heard, first), sizeof r->heard[0],
                       r->site->point_count, watched);
}

static const struct engine_conf *conf_of(const struct rules *r, uint32_t watched)
{
    uint32_t slot = r->slots[watched];

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room for all slots */
    return slot & WATCHED_AWAKE ? r->awake[slot & WATCHED_INDEX].conf : &r->confs[slot & WATCHED_INDEX];
}

static const struct watched_more *more_of(const struct rules *r, uint32_t watched)
{
    const struct watched *w = watched_state(r, watched);

    return w && w->more != SITE_NONE ? &r->more[w->more] : NULL;
}

uint32_t watched_rule(const struct rules *r, uint32_t watched)
{
    return conf_of(r, watched)->rule;
}

uint32_t watched_place(const struct rules *r, uint32_t watched)
{
    return place_of(&r->site->rules[watched_rule(r, watched)], watched_point(r, watched));
}

uint32_t watched_vote(const struct rules *r, uint32_t watched)
{
    const struct watched_more *more = more_of(r, watched);

    return more ? more->vote : SITE_NONE;
}

struct signal *watched_signal(const struct rules *r, uint32_t watched)
{
    const struct watched_more *more = more_of(r, watched);

    return more ? more->signal : NULL;
}

uint32_t watched_find(const struct rules *r, uint32_t point, uint32_t rule)
{
    for (uint32_t i = r->heard[point].first; i < r->heard[point + 1].first; i++) {
        if (watched_rule(r, i) == rule)
            return i;
    }
    return SITE_NONE;
}

/* ---- rest ---- */

/* What a slot at rest is. */
static void write_out(const struct rules *r, uint32_t watched, uint32_t point, struct watched *out)
{
    const struct heard *h = &r->heard[point];

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is the caller's, or one of those awake */
    out->conf = conf_of(r, watched);
    out->point = point;
    out->more = SITE_NONE;
    out->disarmed = 0;
    condition_init(&out->condition);
    slot_init(&out->slot);
    if (r->slots[watched] & WATCHED_UNREAD)
        return;
    out->slot.last = h->last;
    out->condition.value = h->value;
    out->condition.has_value = h->has_value;
    out->condition.trust = (uint8_t)heard_trust(h);
}

static struct watched *awaken(struct rules *r, uint32_t watched, uint32_t point)
{
    uint32_t index = r->awake_free;
    struct watched *w;

    if (index == NO_STATE)
        index = r->awake_used++;
    else /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room for all slots */
        r->awake_free = r->awake[index].more;
    w = &r->awake[index];
    write_out(r, watched, point, w);
    r->slots[watched] = WATCHED_AWAKE | index;
    return w;
}

const struct watched *watched_see(const struct rules *r, uint32_t watched, struct watched *room)
{
    const struct watched *w = watched_state(r, watched);

    if (w)
        return w;
    write_out(r, watched, watched_point(r, watched), room);
    return room;
}

struct watched *watched_wake(struct rules *r, uint32_t watched)
{
    struct watched *w = watched_state(r, watched);

    return w ? w : awaken(r, watched, watched_point(r, watched));
}

void watched_wake_at(struct rules *r, uint32_t watched, uint32_t point)
{
    (void)awaken(r, watched, point);
}

static bool is_idle(const struct watched *w)
{
    return w->more == SITE_NONE && w->disarmed == 0 && w->slot.phase == SLOT_STEADY &&
           w->slot.level == LEVEL_NONE && w->slot.seen == LEVEL_NONE && w->slot.sure == LEVEL_NONE &&
           w->condition.high == LEVEL_NONE && w->condition.low == LEVEL_NONE;
}

/* Of an idle one: whether it knows nothing but what was heard. */
static bool is_heard(const struct watched *w, const struct heard *h)
{
    return w->slot.last.mono_ms == h->last.mono_ms && w->slot.last.wall_ms == h->last.wall_ms &&
           w->condition.trust == heard_trust(h) && w->condition.has_value == h->has_value &&
           (!h->has_value || w->condition.value == h->value);
}

static bool is_unread(const struct watched *w)
{
    return w->slot.last.mono_ms == INT64_MIN && !w->condition.has_value && w->condition.trust == READING_BAD;
}

void watched_rest(struct rules *r, uint32_t watched)
{
    struct watched *w = watched_state(r, watched);
    uint32_t index;

    if (!w || !is_idle(w) || !(is_unread(w) || is_heard(w, &r->heard[w->point])))
        return;
    index = r->slots[watched] & WATCHED_INDEX;
    r->slots[watched] = (uint32_t)(w->conf - r->confs) | (is_unread(w) ? WATCHED_UNREAD : 0u);
    w->more = r->awake_free;
    r->awake_free = index;
}
