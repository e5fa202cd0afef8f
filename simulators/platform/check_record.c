/* Telemetry, event and report records: their members. */
#include <string.h>

#include "gateway.h"
#include "json.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const char *const bad_reasons[] = {"comm", "device", "sensor", "inhibited", "range", "stale"};

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
        if (cJSON_GetObjectItemCaseSensitive(bad, item->string))
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

/* ---- events ---- */

static const struct member start_members[] = {{"boot", M_WHOLE},
                                              {"version", M_TEXT},
                                              {"clean", M_BOOL},
                                              {"config", M_TEXT},
                                              {"primed", M_WHOLE | M_OPTIONAL}};
static const struct member stop_members[] = {{"reason", M_TEXT}};
static const struct member config_members[] = {{"applied", M_BOOL},
                                               {"file", M_TEXT},
                                               {"sha256", M_TEXT | M_NULL},
                                               {"by", M_TEXT | M_NULL},
                                               {"changes", M_ARRAY | M_OPTIONAL},
                                               {"more", M_WHOLE | M_OPTIONAL},
                                               {"error", M_TEXT | M_OPTIONAL},
                                               {"errors", M_WHOLE | M_OPTIONAL}};
static const struct member device_members[] = {
    {"device", M_TEXT | M_NULL}, {"bus", M_TEXT | M_NULL}, {"state", M_TEXT}, {"detail", M_TEXT | M_NULL}};
static const struct member uplink_members[] = {
    {"uplink", M_TEXT}, {"state", M_TEXT}, {"detail", M_TEXT | M_NULL | M_OPTIONAL}};
static const struct member lost_members[] = {{"stream", M_TEXT},
                                             {"first", M_WHOLE | M_NULL},
                                             {"last", M_WHOLE | M_NULL},
                                             {"count", M_WHOLE | M_NULL},
                                             {"cause", M_TEXT}};
static const struct member clock_members[] = {{"step_ms", M_NUMBER}, {"synced", M_BOOL}};
static const struct member command_members[] = {{"command", M_TEXT | M_NULL}};
static const struct member level_members[] = {
    {"area", M_TEXT | M_NULL}, {"level", M_LEVEL}, {"was", M_LEVEL}};

static const struct member self_test_members[] = {
    {"uplink", M_TEXT}, {"ok", M_BOOL}, {"round_trip_ms", M_WHOLE | M_NULL}, {"detail", M_TEXT | M_NULL}};

static const struct kind {
    const char *name;
    const struct member *members;
    size_t count;
} kinds[] = {
    {"start", start_members, COUNT(start_members)},
    {"stop", stop_members, COUNT(stop_members)},
    {"config", config_members, COUNT(config_members)},
    {"device", device_members, COUNT(device_members)},
    {"uplink", uplink_members, COUNT(uplink_members)},
    {"lost", lost_members, COUNT(lost_members)},
    {"clock", clock_members, COUNT(clock_members)},
    {"command", command_members, COUNT(command_members)},
    {"level", level_members, COUNT(level_members)},
    {"self_test", self_test_members, COUNT(self_test_members)},
};

static void change_check(const struct gateway *g, const cJSON *change, struct violations *v)
{
    static const struct member members[] = {
        {"what", M_TEXT}, {"old", M_TEXT | M_NULL}, {"new", M_TEXT | M_NULL}};
    const char *misfit = members_misfit(change, members, COUNT(members));

    if (misfit)
        violation(v, g, "event: config: %s of a change is missing or wrong", misfit);
}

static void config_check(const struct gateway *g, const cJSON *r, struct violations *v)
{
    const cJSON *change;

    if (true_at(r, "applied") ? !cJSON_HasObjectItem(r, "changes") : !text_at(r, "error"))
        violation(v, g, "event: config without its changes, or without the error");
    cJSON_ArrayForEach(change, cJSON_GetObjectItemCaseSensitive(r, "changes")) change_check(g, change, v);
}

/* What was lost is no hole any more. */
static void lost_take(struct gateway *g, const cJSON *r, bool fresh, struct violations *v)
{
    enum stream_kind kind = stream_kind_of(text_at(r, "stream"));
    int64_t first = 0, last = 0, count = 0;
    bool anew = strcmp(text_at(r, "cause"), "corrupt") == 0 || strcmp(text_at(r, "cause"), "missing") == 0;

    (void)whole_at(r, "first", &first);
    (void)whole_at(r, "last", &last);
    (void)whole_at(r, "count", &count);
    if (kind == KIND_COUNT || (first == 0 && last != 0) || (last != 0 && last < first)) {
        violation(v, g, "event: lost without a stream, or with a range that is none");
        return;
    }
    if (!fresh)
        return;
    if (first == 0) { /* they never had numbers */
        g->lost_unnumbered += (uint64_t)count;
        if (kind == KIND_ALARM)
            unstored_give_up(&g->unstored_alarms, (size_t)count);
    } else if (last != 0) {
        (void)ledger_account(&g->ledgers[kind], first, last);
    }
    g->ledgers[kind].lost += (uint64_t)count;
    if (!anew)
        return;
    if (g->loss_count == GATEWAY_LOSSES)
        memmove(g->losses, g->losses + 1, --g->loss_count * sizeof g->losses[0]);
    g->losses[g->loss_count++] = (struct loss_told){kind, first, last};
}

static void level_check(const struct gateway *g, const cJSON *r, struct violations *v)
{
    if (platform_level(text_at(r, "level")) == platform_level(text_at(r, "was")))
        violation(v, g, "event: level without a change");
}

/* For people, in the picture. */
static void note_event(struct gateway *g, const cJSON *r, const char *kind)
{
    const char *state = text_at(r, "state"), *what = text_at(r, "device");

    if (!what)
        what = text_at(r, kind);
    (void)snprintf(g->last_event, sizeof g->last_event, "%.20s %.60s %.20s", kind, what ? what : "",
                   state ? state : "");
}

void check_event_record(struct gateway *g, const cJSON *r, bool fresh, struct violations *v)
{
    const char *name = text_at(r, "kind");
    const struct kind *kind = NULL;
    const char *misfit;

    for (size_t i = 0; name && i < COUNT(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            kind = &kinds[i];
    }
    if (!kind) {
        violation(v, g, "event: no known kind");
        return;
    }
    misfit = members_misfit(r, kind->members, kind->count);
    if (misfit) {
        violation(v, g, "event: %s: %s is missing or wrong", name, misfit);
        return;
    }
    if (strcmp(name, "lost") == 0)
        lost_take(g, r, fresh, v);
    else if (strcmp(name, "level") == 0)
        level_check(g, r, v);
    else if (strcmp(name, "config") == 0)
        config_check(g, r, v);
    /* Levels are shown by the areas; they would hide what else happened. */
    if (fresh && strcmp(name, "level") != 0)
        note_event(g, r, name);
}

/* ---- reports ---- */

/* Whether a member of counts by level is all zero. */
static bool none_in(const cJSON *counts)
{
    const cJSON *count;

    cJSON_ArrayForEach(count, counts)
    {
        if (!cJSON_IsNumber(count) || count->valuedouble != 0)
            return false;
    }
    return true;
}

void check_report_record(struct gateway *g, const cJSON *r, bool fresh, struct violations *v)
{
    static const struct member members[] = {
        {"kind", M_TEXT},
        {"from", M_WHOLE},
        {"to", M_WHOLE},
        {"zero", M_BOOL},
        {"raised", M_OBJECT},
        {"open", M_OBJECT},
        {"completeness", M_NUMBER | M_NULL},
        {"outages", M_ARRAY},
    };
    const char *misfit = members_misfit(r, members, COUNT(members));
    const cJSON *share = cJSON_GetObjectItemCaseSensitive(r, "completeness");
    int64_t from = 0, to = 0;

    if (misfit) {
        violation(v, g, "report: %s is missing or wrong", misfit);
        return;
    }
    (void)whole_at(r, "from", &from);
    (void)whole_at(r, "to", &to);
    if (from >= to)
        violation(v, g, "report: of no time at all");
    if (cJSON_IsNumber(share) && (share->valuedouble < 0 || share->valuedouble > 1))
        violation(v, g, "report: completeness is no share");
    if (true_at(r, "zero") && (!none_in(cJSON_GetObjectItemCaseSensitive(r, "raised")) ||
                               !none_in(cJSON_GetObjectItemCaseSensitive(r, "open"))))
        violation(v, g, "report: a zero report that tells of alarms");
    g->zero_reports += fresh && true_at(r, "zero");
}
