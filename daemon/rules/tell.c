/* Moves become events: an occurrence is opened, changed or let go of, counted everywhere, and told of. */
#include "rules/engine.h"

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

struct alarm_change engine_describe(const struct rules *r, uint32_t owner, const struct alarm *alarm)
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

void engine_carry_out(struct rules *r, uint32_t owner, const struct level_move *move)
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
    change = engine_describe(r, owner, &r->alarms.pool[index].alarm);
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
