#include "rules/doubts.h"

#include <math.h>
#include <stdlib.h>

#include "model/site_order.h"
#include "rules/search.h"

uint32_t doubts_count(const struct site *site)
{
    uint32_t count = 0;

    for (size_t i = 0; i < site->point_count; i++)
        count += site->points[i].doubt != NULL;
    return count;
}

static bool is_plain(const struct site_doubt *conf)
{
    return conf->flat_ms == 0 && !conf->has_rate && !conf->has_twin;
}

uint64_t doubts_memory(const struct site *site)
{
    uint64_t twins = 0, points = site->point_count;
    bool plain = true;

    for (size_t i = 0; i < site->point_count; i++) {
        const struct site_doubt *conf = site->points[i].doubt;

        plain = plain && (!conf || is_plain(conf));
        twins += conf && conf->has_twin ? 1 : 0;
    }
    return doubts_count(site) * (uint64_t)(sizeof(struct doubted) + sizeof(uint32_t)) +
           (points + 1) * sizeof(uint32_t) + (plain ? 0 : points * sizeof(int64_t)) +
           (points + 2) * sizeof(uint32_t) + twins * (sizeof(struct depend_pair) + sizeof(uint32_t));
}

/* ---- rest ---- */

static void write_out(const struct doubts *d, uint32_t point, const struct heard *heard, struct doubted *out)
{
    const struct site_doubt *conf = d->site->points[point].doubt;

    *out = (struct doubted){.point = point,
                            .rule = {.conf = conf, .single = heard->single, .plain = is_plain(conf)}};
    doubt_init(&out->state);
    if (heard->doubt != HEARD_RESTING)
        return;
    out->state.last = heard->last;
    out->state.read_ms = heard->last.mono_ms;
    out->state.value = heard->value;
    out->state.has_value = heard->has_value;
    out->state.quality = heard->quality;
}

static struct doubted *awaken(struct doubts *d, uint32_t doubt, uint32_t point, struct heard *heard)
{
    uint32_t index = d->free;

    if (index == DOUBTS_NONE)
        index = d->used++;
    else
        d->free = d->all[index].point;
    write_out(d, point, heard, &d->all[index]);
    heard->doubt = HEARD_AWAKE;
    d->of[doubt] = index + 1;
    return &d->all[index];
}

uint32_t doubts_find(const struct doubts *d, uint32_t point)
{
    return d->before[point] != d->before[point + 1] ? d->before[point] : DOUBTS_NONE;
}

uint32_t doubts_point(const struct doubts *d, uint32_t doubt)
{
    return search_last(d->before, sizeof d->before[0], d->site->point_count, doubt);
}

struct doubted *doubts_state(const struct doubts *d, uint32_t doubt)
{
    return d->of[doubt] > 0 ? &d->all[d->of[doubt] - 1] : NULL;
}

const struct doubted *doubts_see(const struct doubts *d, uint32_t doubt, const struct heard *heard,
                                 struct doubted *room)
{
    const struct doubted *one = doubts_state(d, doubt);
    uint32_t point;

    if (one)
        return one;
    point = doubts_point(d, doubt);
    write_out(d, point, &heard[point], room);
    return room;
}

struct doubted *doubts_wake(struct doubts *d, uint32_t doubt, struct heard *heard)
{
    struct doubted *one = doubts_state(d, doubt);
    uint32_t point;

    if (one)
        return one;
    point = doubts_point(d, doubt);
    return awaken(d, doubt, point, &heard[point]);
}

static bool is_idle(const struct doubted *one)
{
    return one->rule.plain && one->state.signs == 0 && one->state.phase == DOUBT_STEADY &&
           one->state.level == LEVEL_NONE;
}

/* Of an idle one: whether it knows nothing but what was heard. When a plain one was read, and thinned, nobody asks. */
static bool is_heard(const struct doubt *state, const struct heard *h)
{
    return state->last.mono_ms == h->last.mono_ms && state->last.wall_ms == h->last.wall_ms &&
           state->quality == h->quality && state->has_value == h->has_value &&
           (!h->has_value || state->value == h->value);
}

static bool is_unread(const struct doubt *state)
{
    return state->last.mono_ms == INT64_MIN && state->quality == QUALITY_STALE && !state->has_value;
}

void doubts_rest(struct doubts *d, uint32_t doubt, struct heard *heard)
{
    struct doubted *one = doubts_state(d, doubt);
    struct heard *h;

    if (!one || !is_idle(one))
        return;
    h = &heard[one->point];
    if (!is_unread(&one->state) && !is_heard(&one->state, h))
        return;
    h->doubt = is_unread(&one->state) ? HEARD_UNREAD : HEARD_RESTING;
    one->point = d->free;
    d->free = d->of[doubt] - 1;
    d->of[doubt] = 0;
}

/* ---- building ---- */

/* Those that never rest are awake from now on. polls: by point, how often it is read; NULL: all are plain. */
static void fill(struct doubts *d, struct heard *heard, const int64_t *polls)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < d->site->point_count; i++) {
        const struct site_doubt *conf = d->site->points[i].doubt;

        d->before[i] = next;
        if (!conf)
            continue;
        heard[i].doubt = HEARD_UNREAD;
        if (polls && !is_plain(conf))
            awaken(d, next, i, &heard[i])->rule.hold_ms = DOUBTS_HOLD_POLLS * polls[i];
        next++;
    }
    d->before[d->site->point_count] = next;
}

/* Of all that have one, as pairs for depend_create; pairs may be NULL. Returns how many. */
static size_t pair_twins(const struct doubts *d, struct depend_pair *pairs)
{
    size_t count = 0;

    for (uint32_t i = 0; i < d->used; i++) {
        const struct site_doubt *conf = d->all[i].rule.conf;

        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): each of those that are used has its rule */
        if (conf->has_twin && pairs)
            pairs[count] = (struct depend_pair){conf->twin, doubts_find(d, d->all[i].point)};
        count += conf->has_twin ? 1 : 0;
    }
    return count;
}

static enum rg_err create_twins(struct doubts *d)
{
    size_t count = pair_twins(d, NULL);
    struct depend_pair *pairs = calloc(count ? count : 1, sizeof *pairs);
    enum rg_err err = RG_ENOMEM;

    if (pairs) {
        (void)pair_twins(d, pairs);
        err = depend_create(&d->twins, (uint32_t)d->site->point_count, pairs, count);
    }
    free(pairs);
    return err;
}

/* How often each point is read. False: there is no memory; *polls NULL: nobody asks. */
static bool polls_of(const struct site *site, int64_t **polls)
{
    bool plain = true;

    *polls = NULL;
    for (size_t i = 0; i < site->point_count; i++)
        plain = plain && (!site->points[i].doubt || is_plain(site->points[i].doubt));
    if (plain)
        return true;
    *polls = calloc(site->point_count, sizeof **polls);
    if (*polls)
        site_polls(site, *polls);
    return *polls != NULL;
}

enum rg_err doubts_create(struct doubts *d, const struct site *site, struct heard *heard)
{
    int64_t *polls = NULL;
    enum rg_err err = RG_ENOMEM;

    *d = (struct doubts){.site = site, .count = doubts_count(site), .free = DOUBTS_NONE};
    d->before = calloc(site->point_count + 1, sizeof *d->before);
    d->of = calloc(d->count ? d->count : 1, sizeof *d->of);
    d->all = calloc(d->count ? d->count : 1, sizeof *d->all);
    if (d->before && d->of && d->all && polls_of(site, &polls)) {
        fill(d, heard, polls);
        err = create_twins(d);
    }
    free(polls);
    if (err != RG_OK)
        doubts_destroy(d);
    return err;
}

void doubts_destroy(struct doubts *d)
{
    depend_destroy(&d->twins);
    free(d->all);
    free(d->of);
    free(d->before);
    *d = (struct doubts){0};
}

/* ---- readings ---- */

void doubts_note_twins(struct doubts *d, const struct frame *frame)
{
    for (size_t i = 0; d->twins.count > 0 && i < frame->count; i++) {
        const struct sample *sample = &frame->samples[i];
        struct doubt_twin now = {sample->quality == QUALITY_GOOD && isfinite(sample->value), sample->value};

        if (sample->point >= d->site->point_count)
            continue;
        for (uint32_t k = d->twins.first[sample->point]; k < d->twins.first[sample->point + 1]; k++)
            doubts_state(d, d->twins.who[k])->twin = now;
    }
}

void doubts_history_ms(const struct site *site, int64_t *ms)
{
    int64_t slowest = 0;

    for (size_t i = 0; i < site->device_count; i++)
        slowest = site->devices[i].poll_ms > slowest ? site->devices[i].poll_ms : slowest;
    for (size_t i = 0; i < site->point_count; i++) {
        const struct site_point *point = &site->points[i];
        const struct site_device *device = &site->devices[point->device];
        int64_t hold = DOUBTS_HOLD_POLLS * (device->derived ? slowest : device->poll_ms);

        if (point->doubt && point->doubt->flat_ms > 0 && point->doubt->flat_ms + hold > ms[point->device])
            ms[point->device] = point->doubt->flat_ms + hold;
    }
}

/* The state of a point's doubt that is awake, or NULL. */
static struct doubted *awake_of(const struct doubts *d, uint32_t point)
{
    uint32_t doubt = doubts_find(d, point);

    return doubt != DOUBTS_NONE ? doubts_state(d, doubt) : NULL;
}

void doubts_prime(struct doubts *d, const struct sample *sample, int64_t mono_ms)
{
    struct doubted *one = awake_of(d, sample->point);

    /* Of a plain one nothing of the past counts. */
    if (one)
        doubt_prime(&one->state, &one->rule, sample, mono_ms);
}

void doubts_thinned(struct doubts *d, uint32_t point, int64_t every_ms)
{
    struct doubted *one = awake_of(d, point);

    if (one)
        one->rule.thinned_ms = every_ms;
}

void doubts_start(struct doubts *d, int64_t now_ms)
{
    for (uint32_t i = 0; i < d->used; i++)
        doubt_start(&d->all[i].state, now_ms);
}

bool doubts_forget(struct doubts *d, uint32_t point, struct heard *heard)
{
    uint32_t doubt = doubts_find(d, point);
    struct doubted *one;
    bool running;

    if (doubt == DOUBTS_NONE)
        return false;
    one = doubts_wake(d, doubt, heard);
    running = one->state.running;
    doubt_forget(&one->state);
    doubts_rest(d, doubt, heard);
    return running;
}
