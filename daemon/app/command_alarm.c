#include "app/command_alarm.h"

#include <string.h>

#include "app/act.h"
#include "base/text.h"

/* ---- how many, and how heavy ---- */

struct figure_list {
    struct jsonw *w;
    const struct pipeline *p;
    struct moment now;
    uint32_t count; /* found; the first COMMAND_ALARM_LIST are written */
};

static void write_figure(struct jsonw *w, const struct rules *rules, const struct figures_alarm *alarm)
{
    const char *rule, *point;

    rules_owner_name(rules, alarm->owner, &rule, &point);
    jsonw_object_begin(w);
    jsonw_key_string(w, "rule", rule);
    jsonw_key_string(w, "point", point[0] ? point : NULL);
    jsonw_key_int(w, "raises", alarm->raises);
    jsonw_object_end(w);
}

static void chattering_cb(void *arg, const struct figures_alarm *alarm)
{
    struct figure_list *list = arg;

    if (list->count++ < COMMAND_ALARM_LIST)
        write_figure(list->w, list->p->rules, alarm);
}

static void standing_cb(void *arg, const struct alarm *a)
{
    struct figure_list *list = arg;
    struct jsonw *w = list->w;

    if (!rules_stands(a, list->now) || list->count++ >= COMMAND_ALARM_LIST)
        return;
    jsonw_object_begin(w);
    jsonw_key_string(w, "alarm", a->id);
    jsonw_key_string(w, "level", level_name(a->level));
    jsonw_key_string(w, "rule", a->rule);
    jsonw_key_string(w, "point", a->point[0] ? a->point : NULL);
    jsonw_key_int(w, "raised_ts", a->raised_ms);
    jsonw_object_end(w);
}

static void write_figures(const struct pipeline *p, struct jsonw *w)
{
    struct figure_list list = {.w = w, .p = p, .now = pipeline_now(p)};
    struct figures_report f;

    rules_figures(p->rules, list.now, &f);
    jsonw_key_int(w, "since_ts", f.since_ms);
    jsonw_key_int(w, "raised", (int64_t)f.raises);
    jsonw_key_int(w, "per_10min", f.per_10min);
    jsonw_key_int(w, "peak_10min", f.peak_10min);
    jsonw_key_positive(w, "peak_ts", f.peak_ms);
    jsonw_key_double(w, "per_hour", f.per_hour);
    jsonw_key_double(w, "per_day", f.per_day);
    jsonw_key_bool(w, "flood", f.flood);
    jsonw_key_positive(w, "flood_since_ts", f.flood_since_ms);
    jsonw_key_int(w, "floods", f.floods);
    jsonw_key_double(w, "flood_share", f.flood_share);
    jsonw_key(w, "frequent_alarms");
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < f.top_count; i++)
        write_figure(w, p->rules, &f.top[i]);
    jsonw_array_end(w);
    jsonw_key_double(w, "frequent_share", f.top_share);
    jsonw_key(w, "chattering_alarms");
    jsonw_array_begin(w);
    rules_each_chattering(p->rules, list.now, chattering_cb, &list);
    jsonw_array_end(w);
    jsonw_key_int(w, "chattering", list.count);
    list.count = 0;
    jsonw_key(w, "standing_alarms");
    jsonw_array_begin(w);
    rules_each(p->rules, standing_cb, &list);
    jsonw_array_end(w);
    jsonw_key_int(w, "standing", list.count);
}

void command_alarm_figures(const struct pipeline *p, struct jsonw *w)
{
    struct rules_counts n;

    rules_counts(p->rules, &n);
    jsonw_object_begin(w);
    for (int level = LEVEL_RED; level >= LEVEL_BLUE; level--)
        jsonw_key_int(w, level_name((enum level)level), (int64_t)n.active[level]);
    jsonw_key_int(w, "unacked", (int64_t)n.unacked);
    jsonw_key_int(w, "shelved", (int64_t)n.shelved);
    jsonw_key_int(w, "suppressed", (int64_t)n.suppressed);
    write_figures(p, w);
    jsonw_object_end(w);
}

/* ---- which ---- */

static const char *rule_message(const struct site *site, const char *rule)
{
    for (size_t i = 0; i < site->rule_count; i++) {
        if (strcmp(site->rules[i].name, rule) == 0)
            return site->rules[i].message;
    }
    return NULL;
}

static void write_alarm_cb(void *arg, const struct alarm *a)
{
    const struct figure_list *list = arg;
    struct jsonw *w = list->w;

    jsonw_object_begin(w);
    jsonw_key_string(w, "alarm", a->id);
    jsonw_key_string(w, "level", level_name(a->level));
    jsonw_key_string(w, "rule", a->rule);
    jsonw_key_string(w, "point", a->point[0] ? a->point : NULL);
    jsonw_key_string(w, "area", a->area[0] ? a->area : NULL);
    jsonw_key_string(w, "message", rule_message(list->p->site, a->rule));
    jsonw_key_int(w, "raised_ts", a->raised_ms);
    jsonw_key_bool(w, "acked", a->acked);
    jsonw_key(w, "acked_ts");
    if (a->acked)
        jsonw_int(w, a->acked_ms);
    else
        jsonw_null(w);
    jsonw_key_string(w, "acked_by", a->acked ? a->acked_by : NULL);
    jsonw_key_bool(w, "shelved", a->shelved);
    jsonw_key_positive(w, "shelved_until_ts", a->shelved ? a->shelved_until_ms : 0);
    jsonw_key_bool(w, "suppressed", a->suppressed);
    jsonw_key_bool(w, "first_out", a->first_out);
    jsonw_key_bool(w, "standing", rules_stands(a, list->now));
    jsonw_object_end(w);
}

void command_alarm_list(const struct pipeline *p, struct jsonw *w)
{
    struct figure_list list = {.w = w, .p = p, .now = pipeline_now(p)};

    jsonw_array_begin(w);
    rules_each(p->rules, write_alarm_cb, &list);
    jsonw_array_end(w);
}

/* ---- what people do ---- */

static enum rg_err read_act(const struct json *request, struct act *act, char *error, size_t error_size)
{
    act->alarm = json_string(json_get(request, "alarm"));
    act->by = json_string(json_get(request, "by"));
    act->comment = json_string(json_get(request, "comment"));
    if (!act->alarm || !act->by || !act->by[0]) {
        (void)text_format(error, error_size, "%s needs the alarm and who answers for it",
                          act_kind_name(act->kind));
        return RG_EINVAL;
    }
    if (strlen(act->by) >= ALARM_WHO_MAX || (act->comment && strlen(act->comment) >= ALARM_COMMENT_MAX)) {
        (void)text_copy(error, error_size, "the name or the comment is too long");
        return RG_EINVAL;
    }
    return RG_OK;
}

static enum rg_err run(struct pipeline *p, struct act *act, const struct json *request, char *error,
                       size_t error_size)
{
    enum rg_err err = read_act(request, act, error, error_size);

    return err == RG_OK ? act_run(p, act, error, error_size) : err;
}

enum rg_err command_ack(struct pipeline *p, const struct json *request, struct jsonw *w, char *error,
                        size_t error_size)
{
    struct act act = {.kind = ACT_ACK};
    enum rg_err err = run(p, &act, request, error, error_size);

    if (err == RG_OK)
        jsonw_string(w, act.alarm);
    return err;
}

enum rg_err command_shelve(struct pipeline *p, const struct json *request, struct jsonw *w, char *error,
                           size_t error_size)
{
    struct act act = {.kind = ACT_SHELVE, .for_ms = json_int(json_get(request, "for_ms"), 0)};
    enum rg_err err = run(p, &act, request, error, error_size);

    if (err != RG_OK)
        return err;
    jsonw_object_begin(w);
    jsonw_key_string(w, "alarm", act.alarm);
    jsonw_key_int(w, "shelved_until_ts", act_shelved_until(p, act.alarm));
    jsonw_object_end(w);
    return RG_OK;
}

enum rg_err command_unshelve(struct pipeline *p, const struct json *request, struct jsonw *w, char *error,
                             size_t error_size)
{
    struct act act = {.kind = ACT_UNSHELVE};
    enum rg_err err = run(p, &act, request, error, error_size);

    if (err == RG_OK)
        jsonw_string(w, act.alarm);
    return err;
}
