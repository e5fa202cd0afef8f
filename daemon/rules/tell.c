/* Moves become events: an occurrence is opened, changed or let go of, counted everywhere, and told of. */
#include "rules/engine.h"

void engine_count(struct rules *r, struct occurrence *o, bool told)
{
    enum level level = o->alarm.suppressed ? LEVEL_NONE : o->alarm.level;
    enum level heard = o->alarm.shelved ? LEVEL_NONE : level;
    struct follow_origin origin = {.area = engine_area(r, o->owner), .rule = SITE_NONE, .module = SITE_NONE};
    uint32_t index;
    enum engine_kind kind = engine_kind(r, o->owner, &index);

    if (kind == OWNER_WATCHED)
        origin.rule = watched_rule(r, index);
    else if (kind == OWNER_VOTE)
        origin.rule = r->votes[index].rule;
    else if (kind == OWNER_OUTPUT)
        origin.module = r->site->outputs[index].device;
    else if (kind == OWNER_UPLINK)
        origin.rule = SITE_RULE_SELF_TEST;
    if (level != o->counted)
        risk_move(&r->risk, origin.area, origin.rule, o->counted, level);
    if (heard != o->followed)
        follow_move(&r->follow, &origin, o->followed, heard, told);
    o->counted = level;
    o->followed = heard;
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
    struct alarm_change change = {.alarm = alarm};
    uint32_t index, device = engine_device(r, owner);

    if (device != SITE_NONE)
        change.label = r->site->devices[device].label;
    switch (engine_kind(r, owner, &index)) {
    case OWNER_WATCHED:
        change.unit = r->site->points[watched_point(r, index)].unit;
        change.message = r->site->rules[watched_rule(r, index)].message;
        break;
    case OWNER_DEVICE:
        change.message = ENGINE_SILENT;
        break;
    case OWNER_OUTPUT:
        change.message = ENGINE_FAULTY;
        if (r->site->outputs[index].label)
            change.label = r->site->outputs[index].label;
        break;
    case OWNER_VOTE:
        change.unit = r->site->points[r->site->rules[r->votes[index].rule].points[0]].unit;
        change.label = r->votes[index].label;
        change.message = r->site->rules[r->votes[index].rule].message;
        change.points = r->votes[index].names;
        change.point_count = r->votes[index].vote.count;
        break;
    case OWNER_UPLINK:
        change.message = ENGINE_UNTESTED;
        break;
    case OWNER_DOUBT:
        change.unit = r->site->points[doubts_point(&r->doubts, index)].unit;
        change.message = ENGINE_DOUBTED;
        break;
    }
    return change;
}

/* Adds the reading that is doubted, if it has a value, and to a raise why; text is for that. */
static void explain_doubt(const struct rules *r, uint32_t index, const struct level_move *move,
                          char text[DOUBT_TEXT_MAX], struct alarm_change *change)
{
    const struct doubted *one = doubts_state(&r->doubts, index); /* awake: its level moved */
    const struct site_doubt *conf = one->rule.conf;

    change->has_value = one->state.has_value && one->state.quality == QUALITY_GOOD;
    change->value = one->state.value;
    change->single = one->rule.single;
    if (move->now == LEVEL_NONE)
        return;
    doubt_text(&one->state, conf->has_twin ? r->site->points[conf->twin].full_name : NULL, text);
    change->comment = text;
}

/* Adds the reading that led to a move and the limit it passed; of a vote, those of the member that decided. */
static void explain(const struct rules *r, uint32_t owner, const struct level_move *move,
                    char text[DOUBT_TEXT_MAX], struct alarm_change *change)
{
    const struct watched *w;
    uint32_t index;
    enum engine_kind kind = engine_kind(r, owner, &index);

    if (kind == OWNER_DOUBT)
        explain_doubt(r, index, move, text, change);
    if (kind == OWNER_VOTE)
        index = r->votes[index].decider;
    else if (kind != OWNER_WATCHED)
        return;
    if (index == SITE_NONE)
        return;
    w = watched_state(r, index); /* awake: its level moved, or it is a member */
    change->unit = r->site->points[w->point].unit;
    if (kind == OWNER_VOTE)
        change->decider = r->site->points[w->point].full_name;
    change->has_value = w->condition.has_value;
    change->value = w->condition.value;
    change->single = w->conf->limits.single;
    change->has_limit = condition_limit(&w->condition, &w->conf->limits,
                                        move->now > move->was ? move->now : move->was, &change->limit);
}

static uint32_t open_occurrence(struct rules *r, uint32_t owner, uint32_t area, const struct level_move *move)
{
    const char *area_name = area != SITE_NONE ? r->site->areas[area].name : NULL;
    const char *rule, *point;

    rules_owner_name(r, owner, &rule, &point);
    return alarms_open(&r->alarms, owner, rule, point, area_name, move);
}

void engine_tell(struct rules *r, const struct occurrence *o, enum alarm_event event, const char *by,
                 const char *comment, struct moment at)
{
    struct alarm_change change = engine_describe(r, o->owner, &o->alarm);

    change.event = event;
    change.at = moment_told(at, r->now);
    change.was = o->alarm.level;
    change.by = by;
    change.comment = comment;
    engine_announce(r, engine_area(r, o->owner), &change);
}

/* What only a raise brings: its place among the others is that of before it counts. */
static void note_raise(struct rules *r, struct occurrence *o, uint32_t area, struct moment at)
{
    size_t others = 0;

    (void)risk_level(&r->risk, area, &others);
    o->alarm.first_out = area != SITE_NONE && others == 0;
    figures_raise(&r->figures, o->owner, at);
}

void engine_carry_out(struct rules *r, uint32_t owner, const struct level_move *what)
{
    /* The end of a delay was worked out from the reading that began it. */
    const struct level_move told = {.was = what->was, .now = what->now, .at = moment_told(what->at, r->now)};
    const struct level_move *move = &told;
    uint32_t area = engine_area(r, owner);
    uint32_t index = engine_open(r, owner);
    struct alarm_change change;
    struct occurrence *o;
    enum alarm_event event;
    char text[DOUBT_TEXT_MAX];

    if (move->was == LEVEL_NONE) {
        index = open_occurrence(r, owner, area, move);
        engine_set_open(r, owner, index);
    }
    if (index == ALARMS_NONE)
        return; /* cannot be: the pool has room for one of each owner */
    o = &r->alarms.pool[index];
    if (move->was == LEVEL_NONE)
        note_raise(r, o, area, move->at);
    else if (move->now > move->was && o->alarm.shelved)
        shelves_end(r, o, NULL, SHELVES_ESCALATED, move->at);
    event = alarms_move(o, move);
    engine_count(r, o, true);
    if (event == ALARM_CLEAR) {
        engine_set_open(r, owner, ALARMS_NONE);
        alarms_unlist(&r->alarms, index);
        if (o->alarm.shelved)
            shelves_schedule(r);
    }
    change = engine_describe(r, owner, &o->alarm);
    explain(r, owner, move, text, &change);
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
