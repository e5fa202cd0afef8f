/* The engine at work: readings, deadlines and people's acts become moves, moves become events. */
#include "rules/engine.h"

#include <stdlib.h>

enum engine_kind engine_kind(const struct rules *r, uint32_t owner, uint32_t *index)
{
    uint32_t devices = (uint32_t)r->site->device_count;

    if (owner < r->watched_count) {
        *index = owner;
        return OWNER_WATCHED;
    }
    if (owner - r->watched_count < devices) {
        *index = owner - r->watched_count;
        return OWNER_DEVICE;
    }
    *index = owner - r->watched_count - devices;
    return OWNER_OUTPUT;
}

uint32_t engine_owner(const struct rules *r, enum engine_kind kind, uint32_t index)
{
    if (kind == OWNER_WATCHED)
        return index;
    if (kind == OWNER_DEVICE)
        return r->watched_count + index;
    return r->watched_count + (uint32_t)r->site->device_count + index;
}

uint32_t engine_device(const struct rules *r, uint32_t owner)
{
    uint32_t index;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        return r->site->points[r->watched[index].point].device;
    case OWNER_OUTPUT:
        return r->site->outputs[index].device;
    case OWNER_DEVICE:
        break;
    }
    return index;
}

uint32_t engine_area(const struct rules *r, uint32_t owner)
{
    uint32_t index;

    if (engine_kind(r, owner, &index) == OWNER_OUTPUT && r->site->outputs[index].area != SITE_NONE)
        return r->site->outputs[index].area;
    return r->site->devices[engine_device(r, owner)].area;
}

void engine_count(struct rules *r, uint32_t owner, const struct alarm *alarm, enum level was, enum level now,
                  bool told)
{
    struct follow_origin origin = {.area = engine_area(r, owner), .rule = SITE_NONE, .module = SITE_NONE};
    uint32_t index;
    enum engine_kind kind = engine_kind(r, owner, &index);

    if (kind == OWNER_WATCHED)
        origin.rule = r->watched[index].rule;
    else if (kind == OWNER_OUTPUT)
        origin.module = r->site->outputs[index].device;
    risk_move(&r->risk, origin.area, origin.rule, was, now);
    if (!alarm->shelved)
        follow_move(&r->follow, &origin, was, now, told);
}

uint32_t engine_count_orphan(struct rules *r, const struct alarm *alarm, bool active)
{
    uint32_t area = SITE_NONE;
    enum level level = alarm->level;

    if (hash_index_find(r->areas_by_name, alarm->area, &area) != RG_OK)
        area = SITE_NONE;
    if (level > LEVEL_NONE && level <= LEVEL_RED && !alarm->suppressed)
        risk_move(&r->risk, area, SITE_NONE, active ? LEVEL_NONE : level, active ? level : LEVEL_NONE);
    return area;
}

void engine_schedule(struct rules *r, uint32_t owner)
{
    uint32_t index;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        deadlines_set(&r->deadlines, owner,
                      slot_deadline(&r->watched[index].slot, &r->watched[index].conf->delays));
        break;
    case OWNER_DEVICE:
        deadlines_set(&r->deadlines, owner, offline_deadline(&r->offline[index]));
        break;
    case OWNER_OUTPUT:
        break; /* its fault has no delay here: output/ counts the failures */
    }
}

struct level_news {
    const struct rules *r;
    struct moment at;
};

static void area_changed(void *arg, uint32_t area, enum level level, enum level was)
{
    const struct level_news *news = arg;

    if (news->r->area_cb)
        news->r->area_cb(news->r->area_arg, area, level, was, news->at);
}

void engine_announce(struct rules *r, uint32_t area, const struct alarm_change *change)
{
    struct level_news news = {.r = r, .at = change->at};

    r->cb(r->arg, change);
    risk_tell(&r->risk, area, area_changed, &news);
}

void engine_announce_areas(struct rules *r, struct moment at)
{
    struct level_news news = {.r = r, .at = at};

    risk_tell_all(&r->risk, area_changed, &news);
}

/* What an event says about its owner, whatever happened. */
static struct alarm_change describe(const struct rules *r, uint32_t owner, const struct alarm *alarm)
{
    struct alarm_change change = {.alarm = alarm, .label = r->site->devices[engine_device(r, owner)].label};
    uint32_t index;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        change.unit = r->site->points[r->watched[index].point].unit;
        change.message = r->site->rules[r->watched[index].rule].message;
        break;
    case OWNER_DEVICE:
        change.message = ENGINE_SILENT;
        break;
    case OWNER_OUTPUT:
        change.message = ENGINE_FAULTY;
        if (r->site->outputs[index].label)
            change.label = r->site->outputs[index].label;
        break;
    }
    return change;
}

/* Adds the reading that led to a move and the limit it passed. */
static void explain(const struct rules *r, uint32_t owner, const struct level_move *move,
                    struct alarm_change *change)
{
    const struct watched *w;

    if (owner >= r->watched_count)
        return;
    w = &r->watched[owner];
    change->has_value = w->condition.has_value;
    change->value = w->condition.value;
    change->single = w->conf->limits.single;
    change->has_limit = condition_limit(&w->condition, &w->conf->limits,
                                        move->now > move->was ? move->now : move->was, &change->limit);
}

static uint32_t open_occurrence(struct rules *r, uint32_t owner, uint32_t area, const struct level_move *move)
{
    const struct site *site = r->site;
    const char *area_name = area != SITE_NONE ? site->areas[area].name : NULL;
    const char *rule = NULL, *point = NULL;
    uint32_t index;

    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        rule = site->rules[r->watched[index].rule].name;
        point = site->points[r->watched[index].point].full_name;
        break;
    case OWNER_DEVICE:
        rule = RULE_OFFLINE;
        point = site->devices[index].name;
        break;
    case OWNER_OUTPUT:
        rule = RULE_OUTPUT;
        point = site->outputs[index].name;
        break;
    }
    return alarms_open(&r->alarms, owner, rule, point, area_name, move);
}

/* Carries a move out everywhere, then tells of it: who is told finds the new state. */
static void carry_out(struct rules *r, uint32_t owner, const struct level_move *move)
{
    uint32_t area = engine_area(r, owner);
    uint32_t index = r->open[owner];
    struct alarm_change change;
    enum alarm_event event;

    if (move->was == LEVEL_NONE)
        index = r->open[owner] = open_occurrence(r, owner, area, move);
    if (index == ALARMS_NONE)
        return; /* cannot be: the pool has room for one of each owner */
    event = alarms_move(&r->alarms.pool[index], move);
    engine_count(r, owner, &r->alarms.pool[index].alarm, move->was, move->now, true);
    if (event == ALARM_CLEAR) {
        r->open[owner] = ALARMS_NONE;
        alarms_unlist(&r->alarms, index);
    }
    change = describe(r, owner, &r->alarms.pool[index].alarm);
    explain(r, owner, move, &change);
    change.event = event;
    change.at = move->at;
    change.was = move->was;
    engine_announce(r, area, &change);
    if (event == ALARM_CLEAR)
        alarms_release(&r->alarms, index);
}

void engine_drop_orphan(struct rules *r, uint32_t index, struct moment now)
{
    struct occurrence *o = &r->alarms.pool[index];
    struct level_move move = {.was = o->alarm.level, .now = LEVEL_NONE, .at = now};
    struct alarm_change change = {
        .at = now, .was = move.was, .alarm = &o->alarm, .comment = ENGINE_NO_LONGER};
    uint32_t area = engine_count_orphan(r, &o->alarm, false);

    change.event = alarms_move(o, &move);
    alarms_unlist(&r->alarms, index);
    engine_announce(r, area, &change);
    alarms_release(&r->alarms, index);
}

/* Only slots and silences have deadlines. */
static bool expire(struct rules *r, uint32_t owner, struct level_move *move)
{
    if (owner < r->watched_count)
        return slot_expire(&r->watched[owner].slot, &r->watched[owner].conf->delays, move);
    return offline_expire(&r->offline[owner - r->watched_count], move);
}

static void carry_out_until(struct rules *r, int64_t mono_ms)
{
    uint32_t owner = 0;

    while (r->deadlines.count > 0 && deadlines_first(&r->deadlines, &owner) <= mono_ms) {
        struct level_move move;
        bool moved = expire(r, owner, &move);

        engine_schedule(r, owner);
        if (moved)
            carry_out(r, owner, &move);
    }
}

static void take_sample(struct rules *r, const struct sample *sample, struct moment at)
{
    struct reading reading = reading_of(sample);

    if (sample->point >= r->site->point_count)
        return;
    for (uint32_t i = r->first[sample->point]; i < r->first[sample->point + 1]; i++) {
        struct watched *w = &r->watched[i];
        bool steady = w->slot.phase == SLOT_STEADY;
        struct level_move move;
        struct verdict verdict =
            condition_judge(&w->condition, &w->conf->limits, (enum level)w->slot.level, &reading);
        bool moved = slot_take(&w->slot, &w->conf->delays, verdict, at, &move);

        if (!steady || w->slot.phase != SLOT_STEADY)
            engine_schedule(r, i);
        if (moved)
            carry_out(r, i, &move);
    }
}

void rules_frame(struct rules *r, const struct frame *frame)
{
    struct level_move move;

    if (!r->started)
        return;
    carry_out_until(r, frame->at.mono_ms);
    if (frame->heard && frame->device < r->site->device_count) {
        bool back = offline_heard(&r->offline[frame->device], frame->at, &move);

        engine_schedule(r, r->watched_count + frame->device);
        if (back)
            carry_out(r, r->watched_count + frame->device, &move);
    }
    for (size_t i = 0; i < frame->count; i++)
        take_sample(r, &frame->samples[i], frame->at);
}

void rules_output(struct rules *r, uint32_t output, bool faulty, struct moment now)
{
    struct level_move move = {.at = now};
    uint32_t owner;
    enum level raises;

    if (!r->started || output >= r->site->output_count)
        return;
    carry_out_until(r, now.mono_ms);
    owner = engine_owner(r, OWNER_OUTPUT, output);
    raises = r->site->outputs[output].fault_level;
    if (r->open[owner] != ALARMS_NONE)
        move.was = r->alarms.pool[r->open[owner]].alarm.level;
    move.now = faulty ? raises : LEVEL_NONE;
    if (move.was != move.now)
        carry_out(r, owner, &move);
}

void rules_tick(struct rules *r, struct moment now)
{
    if (r->started)
        carry_out_until(r, now.mono_ms);
}

int64_t rules_next_ms(const struct rules *r)
{
    return deadlines_first(&r->deadlines, NULL);
}

uint64_t rules_next_alarm(const struct rules *r)
{
    return r->alarms.next;
}

enum rg_err rules_ack(struct rules *r, const char *alarm, const char *by, const char *comment,
                      struct moment now)
{
    struct alarm_change change;
    struct occurrence *o;
    uint32_t index;
    enum rg_err err;

    rules_tick(r, now); /* what should have cleared by now can no longer be acknowledged */
    if (!r->started)
        return RG_ESTATE;
    index = alarms_find(&r->alarms, alarm);
    if (index == ALARMS_NONE)
        return RG_ENOTFOUND;
    o = &r->alarms.pool[index];
    err = alarms_ack(o, by, comment, now);
    if (err != RG_OK)
        return err;
    change = describe(r, o->owner, &o->alarm);
    change.event = ALARM_ACK;
    change.at = now;
    change.was = o->alarm.level;
    change.by = o->alarm.acked_by;
    change.comment = comment;
    r->cb(r->arg, &change);
    return RG_OK;
}

enum level rules_area_level(const struct rules *r, uint32_t area, size_t *alarms)
{
    if (area == SITE_NONE) {
        if (alarms)
            *alarms = 0;
        return LEVEL_NONE;
    }
    return risk_level(&r->risk, area, alarms);
}

enum level rules_level(const struct rules *r)
{
    return risk_level(&r->risk, SITE_NONE, NULL);
}

enum level rules_output_level(const struct rules *r, uint32_t output, uint64_t *announced)
{
    return follow_level(&r->follow, output, announced);
}

void rules_counts(const struct rules *r, struct rules_counts *out)
{
    *out = (struct rules_counts){0};
    for (uint32_t i = r->alarms.oldest; i != ALARMS_NONE; i = r->alarms.pool[i].next) {
        const struct alarm *alarm = &r->alarms.pool[i].alarm;

        if (alarm->level > LEVEL_NONE && alarm->level <= LEVEL_RED)
            out->active[alarm->level]++;
        out->unacked += alarm->acked ? 0 : 1;
        out->shelved += alarm->shelved ? 1 : 0;
    }
}

void rules_each(const struct rules *r, void (*cb)(void *arg, const struct alarm *alarm), void *arg)
{
    for (enum level level = LEVEL_RED; level > LEVEL_NONE; level--) {
        for (uint32_t i = r->alarms.oldest; i != ALARMS_NONE; i = r->alarms.pool[i].next) {
            if (r->alarms.pool[i].alarm.level == level)
                cb(arg, &r->alarms.pool[i].alarm);
        }
    }
}
