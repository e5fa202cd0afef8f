/* The contract's words for the documents, and for what is said in the other direction. */
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "json.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

void check_state(struct gateway *g, const cJSON *json, struct violations *v)
{
    static const struct member members[] = {
        {"online", M_BOOL}, {"ts", M_WHOLE}, {"boot", M_WHOLE}, {"version", M_TEXT}, {"config", M_TEXT}};
    const char *misfit = members_misfit(json, members, COUNT(members));
    int64_t boot = 0;

    if (misfit)
        violation(v, g, "state: %s is missing or wrong", misfit);
    g->online = true_at(json, "online");
    g->state_seen = true;
    if (!whole_at(json, "boot", &boot))
        return;
    /* What a process could not store is gone with it. */
    if (g->boot && boot > g->boot)
        unstored_give_up(&g->unstored_alarms, SIZE_MAX);
    if (boot > g->boot)
        g->boot = boot;
}

static int area_index(struct gateway *g, const char *name)
{
    struct area_view *grown;

    for (int i = 0; i < g->area_count; i++) {
        if (strcmp(g->areas[i].name, name) == 0)
            return i;
    }
    if (g->area_count == GATEWAY_AREAS)
        return -1;
    grown = realloc(g->areas, ((size_t)g->area_count + 1) * sizeof *grown);
    if (!grown)
        return -1;
    g->areas = grown;
    grown[g->area_count] = (struct area_view){.name = strdup(name), .parent = -1};
    if (!grown[g->area_count].name)
        return -1;
    return g->area_count++;
}

static void about_area(struct gateway *g, const cJSON *area, struct violations *v)
{
    const char *name = text_at(area, "name"), *parent = text_at(area, "parent"),
               *label = text_at(area, "label");
    int i = name ? area_index(g, name) : -1, above = i >= 0 && parent ? area_index(g, parent) : -1;

    if (!name || platform_level(text_at(area, "inherent")) == PL_BAD)
        violation(v, g, "about: an area without a name or an inherent level");
    if (i < 0)
        return;
    (void)alarm_text(&g->areas[i].label, label ? label : name);
    g->areas[i].parent = above == i ? -1 : above;
}

static void about_device(struct gateway *g, const cJSON *device, struct violations *v)
{
    const cJSON *points = cJSON_GetObjectItemCaseSensitive(device, "points"), *point;

    if (!text_at(device, "name") || !cJSON_IsArray(points))
        violation(v, g, "about: a device without a name or points");
    cJSON_ArrayForEach(point, points)
    {
        if (!text_at(point, "name") || !text_at(point, "type"))
            violation(v, g, "about: a point without a name or a type");
    }
}

void check_about(struct gateway *g, const cJSON *json, struct violations *v)
{
    static const struct member members[] = {
        {"enterprise", M_OBJECT}, {"areas", M_ARRAY}, {"devices", M_ARRAY}, {"rules", M_ARRAY}};
    const char *misfit = members_misfit(json, members, COUNT(members));
    const cJSON *enterprise = cJSON_GetObjectItemCaseSensitive(json, "enterprise"), *item;

    if (misfit)
        violation(v, g, "about: %s is missing or wrong", misfit);
    if (enterprise && (!text_at(enterprise, "code") || strcmp(text_at(enterprise, "code"), g->ent) != 0))
        violation(v, g, "about: the enterprise's code is not that of the topic");
    name_copy(g->enterprise, sizeof g->enterprise, text_at(enterprise, "name"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "areas")) about_area(g, item, v);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "devices")) about_device(g, item, v);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "rules"))
    {
        if (!text_at(item, "name") || !cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(item, "points")))
            violation(v, g, "about: a rule without a name or points");
    }
    g->about_seen = true;
}

static void risk_area(struct gateway *g, const cJSON *area, struct violations *v)
{
    static const struct member members[] = {{"level", M_LEVEL}, {"inherent", M_LEVEL}, {"alarms", M_WHOLE}};
    const char *misfit = members_misfit(area, members, COUNT(members));
    enum platform_level level = platform_level(text_at(area, "level"));
    int64_t alarms = 0;
    int i = area_index(g, area->string);

    if (misfit) {
        violation(v, g, "risk: %s of area %s is missing or wrong", misfit, area->string);
        return;
    }
    (void)whole_at(area, "alarms", &alarms);
    if ((level > PL_NONE) != (alarms > 0))
        violation(v, g, "risk: area %s has level %s with %lld alarms", area->string,
                  platform_level_name(level), (long long)alarms);
    if (i >= 0) {
        g->areas[i].level = level;
        g->areas[i].alarms = alarms > 1000000 ? 1000000 : (int)alarms;
    }
}

void check_risk(struct gateway *g, const cJSON *json, struct violations *v)
{
    static const struct member members[] = {{"ts", M_WHOLE}, {"level", M_LEVEL}, {"areas", M_OBJECT}};
    const char *misfit = members_misfit(json, members, COUNT(members));
    const cJSON *area;

    g->level = platform_level(text_at(json, "level"));
    if (misfit) {
        violation(v, g, "risk: %s is missing or wrong", misfit);
        return;
    }
    for (int i = 0; i < g->area_count; i++) { /* of an area that is no longer there */
        g->areas[i].level = PL_NONE;
        g->areas[i].alarms = 0;
    }
    cJSON_ArrayForEach(area, cJSON_GetObjectItemCaseSensitive(json, "areas")) risk_area(g, area, v);
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

void check_reply(struct gateway *g, const cJSON *json, struct violations *v)
{
    static const struct member members[] = {
        {"id", M_TEXT | M_NULL}, {"ok", M_BOOL}, {"error", M_TEXT | M_OPTIONAL}};
    const char *misfit = members_misfit(json, members, COUNT(members));

    if (misfit)
        violation(v, g, "reply: %s is missing or wrong", misfit);
    else if (true_at(json, "ok") == (cJSON_HasObjectItem(json, "error") != 0))
        violation(v, g, "reply: an error goes with ok false, and only with that");
}

/* What platforms say is none of the gateway's breaches: it is only counted. */
void check_heard(struct gateway *g, const char *topic, const cJSON *json)
{
    int64_t upto = 0;
    bool good;

    if (strcmp(topic, "receipt") == 0)
        good = stream_kind_of(text_at(json, "stream")) < KIND_COUNT && whole_at(json, "upto", &upto) &&
               upto >= 1;
    else
        good = text_at(json, "id") && text_at(json, "command");
    g->heard++;
    g->heard_wrong += !good;
}
