/* The contract's words for each kind of message and record. */
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

static const char *const alarm_events[] = {"raise",  "escalate", "deescalate", "clear",     "ack",
                                           "shelve", "unshelve", "suppress",   "unsuppress"};
static const char *const event_kinds[] = {"start", "stop",  "config",  "device", "uplink",
                                          "lost",  "clock", "command", "level",  "self_test"};
static const char *const bad_reasons[] = {"comm", "device", "sensor", "inhibited", "range", "stale"};

#define IN(list, text) is_in(list, sizeof(list) / sizeof(list)[0], text)

static bool is_in(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; text && i < count; i++) {
        if (strcmp(list[i], text) == 0)
            return true;
    }
    return false;
}

void check_state(struct gateway *g, const cJSON *json, struct violations *v)
{
    const cJSON *online = cJSON_GetObjectItemCaseSensitive(json, "online");
    int64_t ts, boot;

    if (!cJSON_IsBool(online))
        violation(v, g, "state: no online");
    if (!whole_at(json, "ts", &ts) || !whole_at(json, "boot", &boot) || !text_at(json, "version") ||
        !text_at(json, "config"))
        violation(v, g, "state: ts, boot, version or config is missing");
    g->online = cJSON_IsTrue(online);
    g->state_seen = true;
}

static int area_index(struct gateway *g, const char *name)
{
    for (int i = 0; i < g->area_count; i++) {
        if (strcmp(g->areas[i].name, name) == 0)
            return i;
    }
    if (g->area_count == GATEWAY_AREAS)
        return -1;
    name_copy(g->areas[g->area_count].name, GATEWAY_NAME, name);
    g->areas[g->area_count].parent = -1;
    return g->area_count++;
}

static void about_area(struct gateway *g, const char *name, const cJSON *area)
{
    const char *parent = text_at(area, "parent"), *label = text_at(area, "label");
    int i = name ? area_index(g, name) : -1;

    if (i < 0)
        return;
    name_copy(g->areas[i].label, GATEWAY_TEXT, label ? label : name);
    g->areas[i].parent = parent ? area_index(g, parent) : -1;
}

void check_about(struct gateway *g, const cJSON *json, struct violations *v)
{
    static const char *const parts[] = {"enterprise", "areas", "devices", "rules"};
    const cJSON *areas = cJSON_GetObjectItemCaseSensitive(json, "areas");
    const cJSON *area;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const cJSON *part = cJSON_GetObjectItemCaseSensitive(json, parts[i]);

        if (!cJSON_IsObject(part) && !cJSON_IsArray(part))
            violation(v, g, "about: no %s", parts[i]);
    }
    name_copy(g->enterprise, sizeof g->enterprise,
              text_at(cJSON_GetObjectItemCaseSensitive(json, "enterprise"), "name"));
    cJSON_ArrayForEach(area, areas) about_area(g, area->string ? area->string : text_at(area, "name"), area);
    g->about_seen = true;
}

static void risk_area(struct gateway *g, const cJSON *area, struct violations *v)
{
    enum platform_level level = platform_level(text_at(area, "level"));
    int64_t alarms = -1;
    int i = area_index(g, area->string);

    if (level == PL_BAD || platform_level(text_at(area, "inherent")) == PL_BAD ||
        !whole_at(area, "alarms", &alarms) || alarms < 0)
        violation(v, g, "risk: area %s has no level, inherent or alarms", area->string);
    if ((level > PL_NONE) != (alarms > 0))
        violation(v, g, "risk: area %s has level %s with %lld alarms", area->string,
                  platform_level_name(level), (long long)alarms);
    if (i >= 0) {
        g->areas[i].level = level;
        g->areas[i].alarms = (int)alarms;
    }
}

void check_risk(struct gateway *g, const cJSON *json, struct violations *v)
{
    const cJSON *areas = cJSON_GetObjectItemCaseSensitive(json, "areas");
    const cJSON *area;
    int64_t ts;

    g->level = platform_level(text_at(json, "level"));
    if (!whole_at(json, "ts", &ts) || g->level == PL_BAD || !cJSON_IsObject(areas)) {
        violation(v, g, "risk: ts, level or areas is missing");
        return;
    }
    cJSON_ArrayForEach(area, areas) risk_area(g, area, v);
    for (int i = 0; i < g->area_count; i++) {
        int parent = g->areas[i].parent;

        if (parent >= 0 && g->areas[parent].level < g->areas[i].level)
            violation(v, g, "risk: area %s is %s above %s", g->areas[parent].name,
                      platform_level_name(g->areas[parent].level), platform_level_name(g->areas[i].level));
        if (g->areas[i].level > g->level)
            violation(v, g, "risk: the whole is lower than area %s", g->areas[i].name);
    }
    g->risk_seen = true;
}

static bool levels_fit(const char *event, enum platform_level level, enum platform_level was)
{
    if (strcmp(event, "raise") == 0)
        return was == PL_NONE && level > PL_NONE;
    if (strcmp(event, "escalate") == 0)
        return level > was && was > PL_NONE;
    if (strcmp(event, "deescalate") == 0)
        return level < was && level > PL_NONE;
    if (strcmp(event, "clear") == 0)
        return level == PL_NONE && was > PL_NONE;
    return level == was;
}

/* A slot for the alarm: its own, a free one, or that of one that ended long ago. */
static struct alarm_view *alarm_slot(struct gateway *g, const char *id)
{
    struct alarm_view *ended = NULL;

    for (int i = 0; i < g->alarm_count; i++) {
        if (strcmp(g->alarms[i].id, id) == 0)
            return &g->alarms[i];
        if (!g->alarms[i].active && (!ended || g->alarms[i].seq < ended->seq))
            ended = &g->alarms[i];
    }
    if (g->alarm_count < GATEWAY_ALARMS)
        ended = &g->alarms[g->alarm_count++];
    if (ended) {
        memset(ended, 0, sizeof *ended);
        name_copy(ended->id, sizeof ended->id, id);
    }
    return ended;
}

static void alarm_follow(struct gateway *g, const cJSON *r, int64_t seq, struct violations *v)
{
    const char *id = text_at(r, "alarm"), *event = text_at(r, "event");
    enum platform_level level = platform_level(text_at(r, "level")), was = platform_level(text_at(r, "was"));
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(r, "value");
    struct alarm_view *a = alarm_slot(g, id);
    bool raise = strcmp(event, "raise") == 0;

    if (!a || (seq && seq < a->seq))
        return; /* an older record that comes again or late */
    if (raise && a->seq)
        violation(v, g, "alarm %lld: %s is raised twice", (long long)seq, id);
    if (a->whole && !raise && was != a->level)
        violation(v, g, "alarm %lld: %s was %s, not %s", (long long)seq, id, platform_level_name(a->level),
                  platform_level_name(was));
    if (a->whole && !a->active && strcmp(event, "ack") != 0)
        violation(v, g, "alarm %lld: %s goes on after its end", (long long)seq, id);
    if (raise) {
        a->whole = seq > 0; /* one that the store refused comes again */
        (void)whole_at(r, "ts", &a->raised_ts);
    }
    a->seq = seq;
    a->level = level;
    a->active = level > PL_NONE;
    a->acked = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(r, "acked"));
    a->has_value = cJSON_IsNumber(value);
    a->value = a->has_value ? value->valuedouble : 0;
    name_copy(a->rule, sizeof a->rule, text_at(r, "rule"));
    name_copy(a->point, sizeof a->point, text_at(r, "point"));
    name_copy(a->area, sizeof a->area, text_at(r, "area"));
    name_copy(a->label, sizeof a->label, text_at(r, "label"));
    name_copy(a->message, sizeof a->message, text_at(r, "message"));
    name_copy(a->unit, sizeof a->unit, text_at(r, "unit"));
}

static bool is_true(const cJSON *r, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(r, key));
}

/* Of a vote the point is null and the members are listed; of any other alarm there are none. */
static bool points_fit(const cJSON *r)
{
    const cJSON *points = cJSON_GetObjectItemCaseSensitive(r, "points"), *point;

    if (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(r, "point")))
        return text_at(r, "point") && !points;
    if (!cJSON_IsArray(points))
        return false;
    cJSON_ArrayForEach(point, points)
    {
        if (!cJSON_IsString(point))
            return false;
    }
    return true;
}

void check_alarm_record(struct gateway *g, const cJSON *r, int64_t seq, bool fresh, struct violations *v)
{
    static const char *const members[] = {"point", "area",    "value", "limit",  "unit",
                                          "label", "message", "by",    "comment"};
    const char *event = text_at(r, "event");
    enum platform_level level = platform_level(text_at(r, "level")), was = platform_level(text_at(r, "was"));

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (!cJSON_HasObjectItem(r, members[i]))
            violation(v, g, "alarm %lld: no %s", (long long)seq, members[i]);
    }
    if (!cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(r, "acked")) ||
        !cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(r, "shelved")))
        violation(v, g, "alarm %lld: no acked or shelved", (long long)seq);
    if (cJSON_HasObjectItem(r, "point") && !points_fit(r))
        violation(v, g, "alarm %lld: point and points do not fit", (long long)seq);
    if (!text_at(r, "alarm") || !text_at(r, "rule") || !IN(alarm_events, event) || level == PL_BAD ||
        was == PL_BAD) {
        violation(v, g, "alarm %lld: no alarm, rule, event, level or was", (long long)seq);
        return;
    }
    if (!levels_fit(event, level, was))
        violation(v, g, "alarm %lld: %s from %s to %s", (long long)seq, event, platform_level_name(was),
                  platform_level_name(level));
    if ((strcmp(event, "ack") == 0 || strcmp(event, "shelve") == 0) && !text_at(r, "by"))
        violation(v, g, "alarm %lld: %s by nobody", (long long)seq, event);
    if ((strcmp(event, "shelve") == 0 && !is_true(r, "shelved")) ||
        ((strcmp(event, "unshelve") == 0 || strcmp(event, "escalate") == 0) && is_true(r, "shelved")))
        violation(v, g, "alarm %lld: %s, but shelved is not so", (long long)seq, event);
    if (fresh)
        alarm_follow(g, r, seq, v);
}

void check_telemetry_record(struct gateway *g, const cJSON *r, bool fresh, struct violations *v)
{
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(r, "values");
    const cJSON *bad = cJSON_GetObjectItemCaseSensitive(r, "bad");
    const char *device = text_at(r, "device");
    const cJSON *item;

    if (!device || !cJSON_IsObject(values) || (bad && !cJSON_IsObject(bad))) {
        violation(v, g, "telemetry: no device or values");
        return;
    }
    cJSON_ArrayForEach(item, values)
    {
        if (!cJSON_IsNumber(item))
            violation(v, g, "telemetry: %s.%s is no number", device, item->string);
        if (cJSON_HasObjectItem(bad, item->string))
            violation(v, g, "telemetry: %s.%s is bad and has a value", device, item->string);
        g->readings += fresh;
    }
    cJSON_ArrayForEach(item, bad)
    {
        if (!IN(bad_reasons, cJSON_GetStringValue(item)))
            violation(v, g, "telemetry: %s.%s is bad for no known reason", device, item->string);
        g->bad_readings += fresh;
    }
}

static void level_record(struct gateway *g, const cJSON *r, struct violations *v)
{
    enum platform_level level = platform_level(text_at(r, "level")), was = platform_level(text_at(r, "was"));
    const cJSON *area = cJSON_GetObjectItemCaseSensitive(r, "area");

    if (level == PL_BAD || was == PL_BAD || level == was)
        violation(v, g, "event: level without a change");
    if (!cJSON_IsString(area) && !cJSON_IsNull(area))
        violation(v, g, "event: level of no area");
}

void check_event_record(struct gateway *g, const cJSON *r, bool fresh, struct violations *v)
{
    const char *kind = text_at(r, "kind");

    if (!IN(event_kinds, kind)) {
        violation(v, g, "event: no known kind");
        return;
    }
    if (strcmp(kind, "lost") == 0 && (!text_at(r, "stream") || !text_at(r, "cause")))
        violation(v, g, "event: lost without stream or cause");
    if (strcmp(kind, "level") == 0)
        level_record(g, r, v);
    /* Levels are shown by the areas; they would hide what else happened. */
    if (fresh && strcmp(kind, "level") != 0) {
        const char *state = text_at(r, "state"), *what = text_at(r, "device");

        if (!what)
            what = text_at(r, kind);
        (void)snprintf(g->last_event, sizeof g->last_event, "%.20s %.60s %.20s", kind, what ? what : "",
                       state ? state : "");
    }
}
