#include "rules/doubts.h"

#include <math.h>
#include <stdlib.h>

#include "model/site_order.h"

uint32_t doubts_count(const struct site *site)
{
    uint32_t count = 0;

    for (size_t i = 0; i < site->point_count; i++)
        count += site->points[i].doubt != NULL;
    return count;
}

uint64_t doubts_memory(const struct site *site)
{
    return doubts_count(site) *
               (uint64_t)(sizeof(struct doubted) + sizeof(struct depend_pair) + sizeof(uint32_t)) +
           (2 * (uint64_t)site->point_count + 2) * sizeof(uint32_t) + site->point_count * sizeof(int64_t);
}

/* poll: by point, how often it is read. */
static void fill(struct doubts *d, const struct site *site, const int64_t *poll)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < site->point_count; i++) {
        const struct site_point *p = &site->points[i];
        struct doubted *one = &d->all[next];

        d->of[i] = DOUBTS_NONE;
        if (!p->doubt)
            continue;
        d->of[i] = next++;
        one->point = i;
        one->rule = (struct doubt_rule){.conf = p->doubt,
                                        .hold_ms = DOUBTS_HOLD_POLLS * poll[i],
                                        .single = point_is_single(p),
                                        .plain = p->doubt->flat_ms == 0 && !p->doubt->has_rate &&
                                                 !p->doubt->has_twin};
        doubt_init(&one->state);
    }
}

/* Of all that have one, as pairs for depend_create. Returns how many. */
static size_t pair_twins(const struct doubts *d, struct depend_pair *pairs)
{
    size_t count = 0;

    for (uint32_t i = 0; i < d->count; i++) {
        const struct site_doubt *conf = d->all[i].rule.conf;

        if (conf && conf->has_twin)
            pairs[count++] = (struct depend_pair){conf->twin, i};
    }
    return count;
}

enum rg_err doubts_create(struct doubts *d, const struct site *site)
{
    size_t points = site->point_count ? site->point_count : 1;
    int64_t *poll = calloc(points, sizeof *poll);
    struct depend_pair *pairs;
    enum rg_err err = RG_ENOMEM;

    *d = (struct doubts){.count = doubts_count(site), .point_count = site->point_count};
    pairs = calloc(d->count ? d->count : 1, sizeof *pairs);
    d->all = calloc(d->count ? d->count : 1, sizeof *d->all);
    d->of = calloc(points, sizeof *d->of);
    if (poll && pairs && d->all && d->of) {
        site_polls(site, poll);
        fill(d, site, poll);
        err = depend_create(&d->twins, (uint32_t)site->point_count, pairs, pair_twins(d, pairs));
    }
    free(pairs);
    free(poll);
    if (err != RG_OK)
        doubts_destroy(d);
    return err;
}

void doubts_destroy(struct doubts *d)
{
    depend_destroy(&d->twins);
    free(d->of);
    free(d->all);
    *d = (struct doubts){0};
}

void doubts_note_twins(struct doubts *d, const struct frame *frame)
{
    for (size_t i = 0; d->twins.count > 0 && i < frame->count; i++) {
        const struct sample *sample = &frame->samples[i];
        struct doubt_twin now = {sample->quality == QUALITY_GOOD && isfinite(sample->value), sample->value};

        if (sample->point >= d->point_count)
            continue;
        for (uint32_t k = d->twins.first[sample->point]; k < d->twins.first[sample->point + 1]; k++)
            d->all[d->twins.who[k]].twin = now;
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

void doubts_prime(struct doubts *d, const struct sample *sample, int64_t mono_ms)
{
    uint32_t index = d->of[sample->point];

    if (index != DOUBTS_NONE)
        doubt_prime(&d->all[index].state, &d->all[index].rule, sample, mono_ms);
}

bool doubts_forget(struct doubts *d, uint32_t point)
{
    uint32_t index = d->of[point];
    bool running;

    if (index == DOUBTS_NONE)
        return false;
    running = d->all[index].state.running;
    doubt_forget(&d->all[index].state);
    return running;
}
