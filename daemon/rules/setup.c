/* Building the engine, putting alarms back, and its start. */
#include "rules/engine.h"

#include <stdlib.h>
#include <string.h>

static void *zeroed(size_t count, size_t size)
{
    return calloc(count ? count : 1, size);
}

/* Gives each owner its number. False: more than 32 bits can count. */
static bool number_owners(struct rules *r)
{
    const struct site *site = r->site;
    uint64_t counts[OWNER_KINDS] = {[OWNER_DEVICE] = site->device_count,
                                    [OWNER_OUTPUT] = site->output_count,
                                    [OWNER_UPLINK] = site->uplink_count,
                                    [OWNER_DOUBT] = doubts_count(site)};
    uint64_t total = site->permit_count; /* they have deadlines too */

    for (size_t i = 0; i < site->rule_count; i++) {
        counts[OWNER_WATCHED] += site->rules[i].point_count;
        counts[OWNER_VOTE] += site->rules[i].vote_need > 0 ? 1 : 0;
    }
    for (int i = 0; i < OWNER_KINDS; i++) {
        total += counts[i];
        if (total > UINT32_MAX - ENGINE_ORPHANS - 1)
            return false;
        r->base[i] = r->owner_count;
        r->owner_count += (uint32_t)counts[i];
    }
    return true;
}

static enum rg_err create_owners(struct rules *r)
{
    const struct site *site = r->site;

    if (!number_owners(r))
        return RG_ENOMEM;
    r->offline = zeroed(site->device_count, sizeof *r->offline);
    r->open = zeroed(r->owner_count, sizeof *r->open);
    if (!r->offline || !r->open)
        return RG_ENOMEM;
    for (size_t i = 0; i < site->device_count; i++)
        offline_init(&r->offline[i], &site->devices[i]);
    return RG_OK;
}

static enum rg_err create_names(struct rules *r)
{
    const struct site *site = r->site;
    enum rg_err err = hash_index_create(site->rule_count, &r->rules_by_name);

    if (err == RG_OK)
        err = hash_index_create(site->point_count, &r->points_by_name);
    if (err == RG_OK)
        err = hash_index_create(site->device_count, &r->devices_by_name);
    for (uint32_t i = 0; err == RG_OK && i < site->rule_count; i++)
        err = hash_index_add(r->rules_by_name, site->rules[i].name, i, NULL);
    for (uint32_t i = 0; err == RG_OK && i < site->point_count; i++)
        err = hash_index_add(r->points_by_name, site->points[i].full_name, i, NULL);
    if (err == RG_OK)
        err = hash_index_create(site->output_count, &r->outputs_by_name);
    if (err == RG_OK)
        err = hash_index_create(site->area_count, &r->areas_by_name);
    for (uint32_t i = 0; err == RG_OK && i < site->area_count; i++)
        err = hash_index_add(r->areas_by_name, site->areas[i].name, i, NULL);
    for (uint32_t i = 0; err == RG_OK && i < site->device_count; i++)
        err = hash_index_add(r->devices_by_name, site->devices[i].name, i, NULL);
    for (uint32_t i = 0; err == RG_OK && i < site->output_count; i++)
        err = hash_index_add(r->outputs_by_name, site->outputs[i].name, i, NULL);
    return err;
}

enum rg_err rules_create(const struct site *site, uint64_t next_alarm, rules_change_cb cb, void *arg,
                         struct rules **out)
{
    struct rules *r = calloc(1, sizeof *r);
    enum rg_err err;

    *out = NULL;
    if (!r)
        return RG_ENOMEM;
    r->site = site;
    r->cb = cb;
    r->arg = arg;
    err = create_owners(r);
    if (err == RG_OK)
        err = watched_create(r);
    if (err == RG_OK)
        err = votes_create(r);
    if (err == RG_OK)
        err = refer_create(r);
    if (err == RG_OK)
        err = armed_create(r);
    if (err == RG_OK)
        err = doubts_create(&r->doubts, site, r->heard);
    if (err == RG_OK)
        err = create_names(r);
    if (err == RG_OK)
        err = deadlines_create(&r->deadlines, ENGINE_PERMITS(r) + site->permit_count);
    if (err == RG_OK)
        err = alarms_create(&r->alarms, r->owner_count + ENGINE_ORPHANS, site->gateway.id, next_alarm);
    if (err == RG_OK)
        err = risk_create(&r->risk, site);
    if (err == RG_OK)
        err = follow_create(&r->follow, site);
    if (err == RG_OK)
        err = figures_create(&r->figures, r->owner_count);
    if (err != RG_OK) {
        rules_destroy(r);
        return err;
    }
    *out = r;
    return RG_OK;
}

void rules_destroy(struct rules *r)
{
    if (!r)
        return;
    figures_destroy(&r->figures);
    follow_destroy(&r->follow);
    risk_destroy(&r->risk);
    alarms_destroy(&r->alarms);
    doubts_destroy(&r->doubts);
    deadlines_destroy(&r->deadlines);
    hash_index_destroy(r->areas_by_name);
    hash_index_destroy(r->outputs_by_name);
    hash_index_destroy(r->devices_by_name);
    hash_index_destroy(r->points_by_name);
    hash_index_destroy(r->rules_by_name);
    armed_destroy(r);
    refer_destroy(r);
    votes_destroy(r);
    watched_destroy(r);
    free(r->open);
    free(r->offline);
    free(r);
}

/* Whose alarm it was, if that is still configured and can still have this level; else ALARMS_NONE. */
static uint32_t find_owner(const struct rules *r, const struct alarm *alarm)
{
    uint32_t rule, point;

    if (alarm->level <= LEVEL_NONE || alarm->level > LEVEL_RED)
        return ALARMS_NONE;
    if (strcmp(alarm->rule, RULE_OFFLINE) == 0) {
        uint32_t device;

        if (hash_index_find(r->devices_by_name, alarm->point, &device) != RG_OK ||
            r->offline[device].raises != alarm->level)
            return ALARMS_NONE;
        return engine_owner(r, OWNER_DEVICE, device);
    }
    if (strcmp(alarm->rule, RULE_OUTPUT) == 0) {
        uint32_t output;

        if (hash_index_find(r->outputs_by_name, alarm->point, &output) != RG_OK ||
            r->site->outputs[output].fault_level != alarm->level)
            return ALARMS_NONE;
        return engine_owner(r, OWNER_OUTPUT, output);
    }
    if (strcmp(alarm->rule, RULE_SELF_TEST) == 0) {
        for (uint32_t i = 0; i < r->site->uplink_count; i++) {
            if (strcmp(r->site->uplinks[i].name, alarm->point) == 0 && engine_tests(r->site, i) &&
                r->site->self_test.level == alarm->level)
                return engine_owner(r, OWNER_UPLINK, i);
        }
        return ALARMS_NONE;
    }
    if (strcmp(alarm->rule, RULE_DOUBT) == 0) {
        if (hash_index_find(r->points_by_name, alarm->point, &point) != RG_OK ||
            doubts_find(&r->doubts, point) == DOUBTS_NONE ||
            r->site->points[point].doubt->level != alarm->level)
            return ALARMS_NONE;
        return engine_owner(r, OWNER_DOUBT, doubts_find(&r->doubts, point));
    }
    if (hash_index_find(r->rules_by_name, alarm->rule, &rule) != RG_OK ||
        !condition_rule_has_level(&r->site->rules[rule], alarm->level))
        return ALARMS_NONE;
    if (r->site->rules[rule].vote_need > 0)
        return alarm->point[0] ? ALARMS_NONE : engine_owner(r, OWNER_VOTE, votes_find(r, rule));
    if (hash_index_find(r->points_by_name, alarm->point, &point) != RG_OK)
        return ALARMS_NONE;
    return watched_find(r, point, rule); /* SITE_NONE: ALARMS_NONE */
}

enum rg_err rules_restore(struct rules *r, const struct alarm *alarm)
{
    uint32_t owner = find_owner(r, alarm);
    const char *area_name = NULL;
    struct doubted *doubted;
    struct watched *w;
    uint32_t index, area, of;

    if (r->started)
        return RG_ESTATE;
    if (owner != ALARMS_NONE && engine_open(r, owner) != ALARMS_NONE)
        owner = ALARMS_NONE; /* it has its alarm already: the later one is an orphan */
    if (owner != ALARMS_NONE) {
        area = engine_area(r, owner);
        area_name = area != SITE_NONE ? r->site->areas[area].name : NULL;
    }
    index = alarms_restore(&r->alarms, owner, alarm, area_name);
    if (index == ALARMS_NONE)
        return RG_EFULL;
    if (owner == ALARMS_NONE) {
        /* Until rules_start clears it, so that what its area's level falls from is known then. */
        (void)engine_count_orphan(r, alarm, true);
        return RG_OK;
    }
    engine_set_open(r, owner, index);
    engine_count(r, &r->alarms.pool[index], false);
    switch (engine_kind(r, owner, &of)) {
    case OWNER_WATCHED:
        w = watched_wake(r, of);
        condition_restore(&w->condition, &w->conf->limits, alarm->level);
        slot_restore(&w->slot, alarm->level, alarm->acked);
        break;
    case OWNER_DEVICE:
        offline_restore(&r->offline[of]);
        break;
    case OWNER_OUTPUT:
    case OWNER_UPLINK:
        break; /* stands until rules_output or rules_self_test says otherwise */
    case OWNER_VOTE:
        votes_restore(r, of, alarm);
        break;
    case OWNER_DOUBT:
        doubted = doubts_wake(&r->doubts, of, r->heard);
        doubt_restore(&doubted->state, &doubted->rule);
        break;
    }
    armed_restore(r, owner, alarm);
    return RG_OK;
}

void rules_history_ms(const struct site *site, int64_t *ms)
{
    memset(ms, 0, site->device_count * sizeof *ms);
    windows_history_ms(site, ms);
    doubts_history_ms(site, ms);
}

void rules_prime(struct rules *r, const struct frame *frame)
{
    if (r->started)
        return;
    for (size_t i = 0; i < frame->count; i++) {
        const struct sample *sample = &frame->samples[i];

        if (sample->point >= r->site->point_count)
            continue;
        for (uint32_t j = r->heard[sample->point].first; j < r->heard[sample->point + 1].first; j++) {
            struct signal *signal = watched_signal(r, j);

            if (signal)
                (void)signal_sample(signal, sample, frame->at.mono_ms);
        }
        doubts_prime(&r->doubts, sample, frame->at.mono_ms);
    }
}

void rules_thinned(struct rules *r, uint32_t device, int64_t every_ms)
{
    const struct site_device *d;

    if (device >= r->site->device_count)
        return;
    d = &r->site->devices[device];
    for (uint32_t point = d->first_point; point < d->first_point + d->point_count; point++) {
        for (uint32_t j = r->heard[point].first; j < r->heard[point + 1].first; j++) {
            struct signal *signal = watched_signal(r, j);

            /* What was not recorded is missing in a sum: it says so, and is known to be at least what it says. */
            if (signal && signal->conf->kind != SIGNAL_SUM)
                signal->thinned_ms = every_ms;
        }
        doubts_thinned(&r->doubts, point, every_ms);
    }
    r->offline[device].thinned_ms = every_ms;
    if (r->started)
        engine_schedule(r, engine_owner(r, OWNER_DEVICE, device));
}

bool rules_forget(struct rules *r, uint32_t point)
{
    bool any = false;

    if (point >= r->site->point_count)
        return false;
    for (uint32_t j = r->heard[point].first; j < r->heard[point + 1].first; j++) {
        struct signal *signal = watched_signal(r, j);

        if (!signal)
            continue;
        any = any || signal->begun;
        signal_reset(signal);
    }
    return doubts_forget(&r->doubts, point, r->heard) || any;
}

/* What was restored for a time, or under a condition, may be over. */
static void go_on(struct rules *r, struct occurrence *o, struct moment now)
{
    if (o->alarm.raised_mono_ms == 0)
        o->alarm.raised_mono_ms = now.mono_ms - (now.wall_ms - o->alarm.raised_ms);
    armed_start(r, o, now);
    if (o->alarm.shelved)
        shelves_start(r, o, now);
}

void rules_start(struct rules *r, struct moment now)
{
    uint32_t following;

    if (r->started)
        return;
    r->started = true;
    r->now = now;
    figures_start(&r->figures, now);
    windows_start(&r->windows, now.mono_ms);
    for (uint32_t i = 0; i < r->site->device_count; i++)
        rules_thinned(r, i, 0); /* what comes now is all there is */
    if (!r->levels_told)
        risk_tell_all(&r->risk, NULL, NULL); /* they were before the start */
    alarms_sort(&r->alarms);
    for (uint32_t i = 0; i < r->site->device_count; i++) {
        offline_start(&r->offline[i], now);
        engine_schedule(r, engine_owner(r, OWNER_DEVICE, i));
    }
    doubts_start(&r->doubts, now.mono_ms);
    for (uint32_t i = r->alarms.oldest; i != ALARMS_NONE; i = following) {
        following = r->alarms.pool[i].next;
        if (r->alarms.pool[i].owner == ALARMS_NONE)
            engine_drop_orphan(r, i, now);
        else
            go_on(r, &r->alarms.pool[i], now);
    }
    engine_announce_areas(r, now);
}

void rules_on_area(struct rules *r, rules_area_cb cb, void *arg)
{
    r->area_cb = cb;
    r->area_arg = arg;
}

void rules_levels_from(struct rules *r, const struct rules *from)
{
    if (r->started || !from->started)
        return;
    r->levels_told = true;
    risk_told(&r->risk, SITE_NONE, risk_level(&from->risk, SITE_NONE, NULL));
    for (uint32_t i = 0; i < r->site->area_count; i++) {
        uint32_t before;

        if (hash_index_find(from->areas_by_name, r->site->areas[i].name, &before) == RG_OK)
            risk_told(&r->risk, i, risk_level(&from->risk, before, NULL));
    }
}
