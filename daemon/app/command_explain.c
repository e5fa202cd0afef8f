#include "app/command_explain.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "record/record.h"
#include "base/text.h"
#include "rules/explain.h"

#define PLACE_MAX (PATH_MAX + 16)
#define NAMED_POINTS 64 /* most whose readings are shown: a vote may have more members */

struct explanation {
    const struct pipeline *p;
    struct jsonw *w;
    uint32_t points[NAMED_POINTS];
    size_t point_count;
};

static void name_point(struct explanation *x, uint32_t point)
{
    size_t i = 0;

    while (i < x->point_count && x->points[i] != point)
        i++;
    if (point != SITE_NONE && i == x->point_count && i < NAMED_POINTS)
        x->points[x->point_count++] = point;
}

static void write_samples(struct jsonw *w, const struct site_point *point,
                          const struct evidence_sample *samples, size_t count)
{
    jsonw_array_begin(w);
    for (size_t i = 0; i < count; i++) {
        const struct evidence_sample *s = &samples[i];

        jsonw_object_begin(w);
        jsonw_key_int(w, "ts", s->wall_ms);
        jsonw_key(w, "value");
        if (s->quality == QUALITY_GOOD)
            record_value(w, point, s->value);
        else
            jsonw_null(w);
        jsonw_key_string(w, "quality", quality_name(s->quality));
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void key_value(struct jsonw *w, const char *key, const struct explain *e, const struct site *site,
                      double value)
{
    jsonw_key(w, key);
    if (e->kind == EXPLAIN_RULE && e->point != SITE_NONE && site->rules[e->rule].signal.kind == SIGNAL_VALUE)
        record_value(w, &site->points[e->point], value);
    else
        jsonw_double(w, value);
}

static void write_limits(const struct explanation *x, const struct explain *e)
{
    struct jsonw *w = x->w;

    jsonw_array_begin(w);
    for (size_t i = 0; i < e->limit_count; i++) {
        const struct explain_limit *l = &e->limits[i];

        jsonw_object_begin(w);
        jsonw_key_string(w, "level", level_name(l->level));
        jsonw_key_string(w, "side", explain_side_name(l->side));
        jsonw_key_double(w, "limit", l->limit); /* null: not known now */
        if (l->of) {
            jsonw_key_string(w, "of", x->p->site->points[l->of_point].full_name);
            jsonw_key_double(w, "times", l->of->times);
            jsonw_key_double(w, "plus", l->of->plus);
        }
        jsonw_key_bool(w, "holds", l->holds);
        jsonw_key_bool(w, "reached", l->reached);
        jsonw_key_double(w, "leaves", l->leaves);
        jsonw_key_string(w, "basis", l->basis);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_clocks(struct jsonw *w, const struct explain *e)
{
    jsonw_array_begin(w);
    for (size_t i = 0; i < e->clock_count; i++) {
        jsonw_object_begin(w);
        jsonw_key_string(w, "level", level_name(e->clocks[i].level));
        jsonw_key_int(w, "since_ts", e->clocks[i].since.wall_ms);
        jsonw_key_int(w, "end_ts", e->clocks[i].end.wall_ms);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_cause(const struct explanation *x, const struct explain *e)
{
    const struct evidence_cause *c = evidence_cause(&x->p->evidence, e->alarm->id);
    struct jsonw *w = x->w;

    if (!c) {
        jsonw_null(w);
        return;
    }
    jsonw_object_begin(w);
    jsonw_key_string(w, "event", alarm_event_name(c->event));
    jsonw_key_int(w, "ts", c->wall_ms);
    jsonw_key_string(w, "was", level_name(c->was));
    jsonw_key_string(w, "level", level_name(c->level));
    if (c->has_value)
        key_value(w, "value", e, x->p->site, c->value);
    if (c->has_limit)
        jsonw_key_double(w, "limit", c->limit);
    if (c->sample_count > 0 && e->point != SITE_NONE) {
        jsonw_key(w, "samples");
        write_samples(w, &x->p->site->points[e->point], c->samples, c->sample_count);
    }
    jsonw_object_end(w);
}

static void write_alarm(const struct explanation *x, const struct explain *e)
{
    const struct alarm *a = e->alarm;
    struct jsonw *w = x->w;

    if (!a) {
        jsonw_null(w);
        return;
    }
    jsonw_object_begin(w);
    jsonw_key_string(w, "alarm", a->id);
    jsonw_key_int(w, "raised_ts", a->raised_ms);
    jsonw_key_bool(w, "acked", a->acked);
    jsonw_key_string(w, "acked_by", a->acked ? a->acked_by : NULL);
    jsonw_key_bool(w, "shelved", a->shelved);
    jsonw_key_positive(w, "shelved_until_ts", a->shelved_until_ms);
    jsonw_key_bool(w, "suppressed", a->suppressed);
    jsonw_key(w, "last_change");
    write_cause(x, e);
    jsonw_object_end(w);
}

/* What arms the rule, where something must. */
static void write_arming(const struct explanation *x, const struct explain *e)
{
    const struct site *site = x->p->site;
    const struct site_rule *rule = &site->rules[e->rule];
    const struct moment now = pipeline_now(x->p);
    struct jsonw *w = x->w;

    if (e->guard != SITE_NONE) {
        jsonw_key(w, "guard");
        jsonw_object_begin(w);
        jsonw_key_string(w, "point", site->points[e->guard].full_name);
        jsonw_key_bool(w, "holds", !e->unguarded);
        site_guard_write(&rule->guard, w);
        jsonw_object_end(w);
    }
    if (rule->has_permit) {
        jsonw_key(w, "permit");
        jsonw_object_begin(w);
        jsonw_key_string(w, "name", site->permits[rule->permit].name);
        jsonw_key_bool(w, "open", !e->unpermitted);
        if (e->permit_until > now.mono_ms)
            jsonw_key_int(w, "until_ts", now.wall_ms + (e->permit_until - now.mono_ms));
        jsonw_object_end(w);
    }
}

static void write_rule(const struct explanation *x, const struct explain *e)
{
    const struct site_rule *rule = &x->p->site->rules[e->rule];
    struct jsonw *w = x->w;

    jsonw_key_string(w, "message", rule->message);
    jsonw_key_string(w, "signal", signal_name(rule->signal.kind));
    if (rule->signal.kind != SIGNAL_VALUE)
        jsonw_key_int(w, "window_ms", rule->signal.window_ms);
    if (e->windowed) {
        jsonw_key_int(w, "covered_ms", e->covered_ms);
        jsonw_key_int(w, "need_ms", e->need_ms);
    }
    if (e->trust == READING_AT_LEAST || e->trust == READING_AT_MOST)
        jsonw_key_string(w, "bound", e->trust == READING_AT_LEAST ? "at least" : "at most");
    if (rule->vote_need > 0) {
        jsonw_key(w, "vote");
        jsonw_object_begin(w);
        jsonw_key_int(w, "need", rule->vote_need);
        jsonw_key_int(w, "members", (int64_t)rule->point_count);
        jsonw_key_string(w, "bad", rule->vote_bad == VOTE_BAD_COUNTS ? "counts" : "holds");
        jsonw_object_end(w);
    }
    write_arming(x, e);
    jsonw_key_double(w, "deadband", rule->deadband);
    jsonw_key_int(w, "on_delay_ms", rule->on_delay_ms);
    jsonw_key_int(w, "off_delay_ms", rule->off_delay_ms);
    jsonw_key(w, "limits");
    write_limits(x, e);
}

/* Where it is defined, as the parts of a site say it. */
static const char *point_place(const struct site_point *point, char out[PLACE_MAX])
{
    if (!point->file)
        return NULL;
    (void)text_format(out, PLACE_MAX, "%s:%" PRIu32, point->file, point->line);
    return out;
}

static void write_head(const struct explanation *x, const struct explain *e)
{
    const struct site *site = x->p->site;
    const char *rule = RULE_OFFLINE, *of, *where;
    char place[PLACE_MAX];

    if (e->kind == EXPLAIN_OFFLINE) {
        where = site->devices[e->device].where;
        of = site->devices[e->device].name;
    } else if (e->kind == EXPLAIN_RULE) {
        rule = site->rules[e->rule].name;
        where = site->rules[e->rule].where;
        of = e->point != SITE_NONE ? site->points[e->point].full_name : NULL;
    } else if (e->kind == EXPLAIN_OUTPUT) {
        rule = RULE_OUTPUT;
        where = site->outputs[e->output].where;
        of = site->outputs[e->output].name;
    } else if (e->kind == EXPLAIN_SELF_TEST) {
        rule = RULE_SELF_TEST;
        where = site->uplinks[e->uplink].where;
        of = site->uplinks[e->uplink].name;
    } else {
        rule = RULE_DOUBT;
        where = point_place(&site->points[e->point], place);
        of = site->points[e->point].full_name;
    }
    jsonw_key_string(x->w, "rule", rule);
    jsonw_key_string(x->w, "point", of);
    jsonw_key_string(x->w, "where", where);
}

static void watch_cb(void *arg, const struct explain *e)
{
    struct explanation *x = arg;
    struct jsonw *w = x->w;

    jsonw_object_begin(w);
    write_head(x, e);
    jsonw_key_string(w, "state", explain_state_name(e->state));
    jsonw_key_string(w, "level", level_name(e->level));
    jsonw_key_string(w, "reading_level", level_name(e->seen));
    if (e->kind == EXPLAIN_RULE) {
        if (e->has_value)
            key_value(w, "value", e, x->p->site, e->value);
        jsonw_key_bool(w, "bad", e->bad);
        jsonw_key(w, "clocks");
        write_clocks(w, e);
        write_rule(x, e);
    } else if (e->kind == EXPLAIN_DOUBT) {
        if (e->has_value)
            key_value(w, "value", e, x->p->site, e->value);
        jsonw_key_bool(w, "bad", e->bad);
        jsonw_key_string(w, "doubt", e->doubt[0] ? e->doubt : NULL);
        jsonw_key_int(w, "after_ms", x->p->site->points[e->point].doubt->after_ms);
        jsonw_key(w, "clocks");
        write_clocks(w, e);
    } else if (e->kind == EXPLAIN_OFFLINE) {
        jsonw_key_int(w, "heard_ts", e->heard.wall_ms);
        jsonw_key_int(w, "after_ms", x->p->site->devices[e->device].offline_after_ms);
        if (e->has_due)
            jsonw_key_int(w, "due_ts", e->due.wall_ms);
    }
    jsonw_key(w, "alarm");
    write_alarm(x, e);
    jsonw_object_end(w);
}

static void write_point(const struct explanation *x, uint32_t index)
{
    const struct pipeline *p = x->p;
    const struct site_point *point = &p->site->points[index];
    const struct site_device *device = &p->site->devices[point->device];
    struct evidence_sample samples[EVIDENCE_SAMPLES];
    size_t count = evidence_samples(&p->evidence, index, samples);
    char place[PLACE_MAX];

    jsonw_object_begin(x->w);
    jsonw_key_string(x->w, "point", point->full_name);
    jsonw_key_string(x->w, "label", point->label ? point->label : device->label);
    jsonw_key_string(x->w, "unit", point->unit);
    jsonw_key_string(x->w, "area", device->area != SITE_NONE ? p->site->areas[device->area].name : NULL);
    jsonw_key_string(x->w, "where", point_place(point, place));
    jsonw_key_int(x->w, "poll_ms", device->poll_ms);
    jsonw_key(x->w, "samples");
    write_samples(x->w, point, samples, count);
    jsonw_object_end(x->w);
}

/* The point that was asked for is shown though no rule watches it. */
static void name_asked(struct explanation *x, const char *name)
{
    for (uint32_t i = 0; i < x->p->site->point_count; i++) {
        if (strcmp(x->p->site->points[i].full_name, name) == 0)
            name_point(x, i);
    }
}

static void name_cb(void *arg, const struct explain *e)
{
    name_point(arg, e->point);
    name_point(arg, e->guard);
    for (size_t i = 0; i < e->limit_count; i++)
        name_point(arg, e->limits[i].of_point);
}

enum rg_err command_explain(struct pipeline *p, const struct json *request, struct jsonw *w, char *error,
                            size_t error_size)
{
    const char *name = json_string(json_get(request, "name"));
    struct explanation x = {.p = p, .w = w};
    enum rg_err err;

    if (!name || !name[0]) {
        (void)text_copy(error, error_size,
                        "explain needs an alarm, a point, a device, an output or an uplink");
        return RG_EINVAL;
    }
    name_asked(&x, name);
    err = rules_explain(p->rules, name, name_cb, &x);
    if (err == RG_ENOTFOUND)
        (void)text_format(
            error, error_size,
            "%.130s is no active alarm, no point, no device, no output and no uplink that is tested", name);
    if (err != RG_OK)
        return err;
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", name);
    jsonw_key_int(w, "now_ts", pipeline_now(p).wall_ms);
    jsonw_key(w, "watches");
    jsonw_array_begin(w);
    err = rules_explain(p->rules, name, watch_cb, &x);
    jsonw_array_end(w);
    jsonw_key(w, "points");
    jsonw_array_begin(w);
    for (size_t i = 0; i < x.point_count; i++)
        write_point(&x, x.points[i]);
    jsonw_array_end(w);
    jsonw_object_end(w);
    return err;
}
