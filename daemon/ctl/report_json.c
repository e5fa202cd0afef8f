/* The report as JSON. */
#include <math.h>
#include <string.h>

#include "ctl/report.h"

static double minutes(int64_t ms)
{
    return rint((double)ms / 60) / 1000;
}

static void write_levels(const struct tally_rule *rule, struct jsonw *w)
{
    jsonw_key_int(w, "alarms", (int64_t)rule->alarms);
    jsonw_key_int(w, "raised", (int64_t)rule->raises);
    for (enum level l = LEVEL_RED; l > LEVEL_NONE; l--)
        jsonw_key_int(w, level_name(l), (int64_t)rule->by[l]);
    jsonw_key(w, "minutes");
    jsonw_object_begin(w);
    for (enum level l = LEVEL_RED; l > LEVEL_NONE; l--)
        jsonw_key_double(w, level_name(l), minutes(rule->ms[l]));
    jsonw_object_end(w);
    jsonw_key_int(w, "chatter", (int64_t)rule->chatter);
}

/* The figures of a rule, of one that raised nothing too. */
static struct tally_rule figures_of(const struct tally *t, const char *rule)
{
    uint32_t number = tally_find(t, rule);
    struct tally_rule none = {0};

    return number == TALLY_NONE ? none : t->rules[number];
}

static bool has_rule(const struct site *site, const char *rule)
{
    for (size_t i = 0; i < site->rule_count; i++) {
        if (strcmp(site->rules[i].name, rule) == 0)
            return true;
    }
    return false;
}

typedef void (*rule_cb)(void *arg, const char *rule);

/* Those of the configurations in their order, then those of the gateway itself that raised something. */
static void each_rule(const struct report *a, const struct report *b, rule_cb cb, void *arg)
{
    for (size_t i = 0; i < a->site->rule_count; i++)
        cb(arg, a->site->rules[i].name);
    for (size_t i = 0; b && i < b->site->rule_count; i++) {
        if (!has_rule(a->site, b->site->rules[i].name))
            cb(arg, b->site->rules[i].name);
    }
    for (uint32_t i = 0; i < a->tally.names.device_count; i++) {
        const char *name = tally_rule_name(&a->tally, i);

        if (!has_rule(a->site, name) && !(b && has_rule(b->site, name)))
            cb(arg, name);
    }
    for (uint32_t i = 0; b && i < b->tally.names.device_count; i++) {
        const char *name = tally_rule_name(&b->tally, i);

        if (!has_rule(a->site, name) && !has_rule(b->site, name) && tally_find(&a->tally, name) == TALLY_NONE)
            cb(arg, name);
    }
}

enum changed_kind { CHANGED_APPEARS, CHANGED_DISAPPEARS, CHANGED_LEVEL };

struct writing {
    const struct report *old, *new; /* only new: no comparison */
    struct jsonw *w;
    struct changed {
        uint64_t appears, disappears, higher, lower;
        const char *rule;       /* only this one, or NULL: the alarms themselves are written */
        enum changed_kind kind; /* those are */
        size_t written;
    } changed;
};

static void write_rule(void *arg, const char *rule)
{
    struct writing *x = arg;
    const struct tally_rule figures = figures_of(&x->new->tally, rule);

    jsonw_object_begin(x->w);
    jsonw_key_string(x->w, "rule", rule);
    write_levels(&figures, x->w);
    jsonw_object_end(x->w);
}

/* ---- the past itself ---- */

static void write_more(struct jsonw *w, const char *key, size_t count)
{
    if (count > REPORT_ROWS)
        jsonw_key_int(w, key, (int64_t)(count - REPORT_ROWS));
}

static size_t kept(size_t count)
{
    return count < REPORT_ROWS ? count : REPORT_ROWS;
}

static void write_runs(const struct report *r, struct jsonw *w)
{
    jsonw_key(w, "runs");
    jsonw_array_begin(w);
    for (size_t i = 0; i < kept(r->run_count); i++) {
        jsonw_object_begin(w);
        jsonw_key_int(w, "from", r->runs[i].from_ms);
        jsonw_key_int(w, "to", r->runs[i].to_ms);
        jsonw_key_bool(w, "stopped", r->runs[i].stopped);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    write_more(w, "more_runs", r->run_count);
}

/* thinned: those that the configuration asked for, else the others. */
static void write_gaps(const struct report *r, const char *key, bool thinned, struct jsonw *w)
{
    jsonw_key(w, key);
    jsonw_array_begin(w);
    for (size_t i = 0; i < kept(r->gap_count); i++) {
        const struct gap *gap = &r->gaps[i];

        if ((gap->every_ms > 0) != thinned)
            continue;
        jsonw_object_begin(w);
        jsonw_key_string(w, "device", r->site->devices[gap->device].name);
        jsonw_key_int(w, "from", gap->from_ms);
        jsonw_key_int(w, "to", gap->to_ms);
        jsonw_key_int(w, "polls", gap->polls);
        jsonw_key_int(w, "frames", gap->frames);
        if (thinned)
            jsonw_key_int(w, "every_ms", gap->every_ms);
        else
            jsonw_key_bool(w, "silent", gap->silent);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_losses(const struct report *r, struct jsonw *w)
{
    jsonw_key(w, "lost");
    jsonw_array_begin(w);
    for (size_t i = 0; i < kept(r->loss_count); i++) {
        jsonw_object_begin(w);
        jsonw_key_int(w, "ts", r->losses[i].at_ms);
        jsonw_key_string(w, "stream", r->losses[i].stream);
        jsonw_key_int(w, "count", r->losses[i].count);
        jsonw_key_string(w, "cause", r->losses[i].cause);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    write_more(w, "more_lost", r->loss_count);
}

static void write_history(const struct report *r, const struct replay_figures *f, struct jsonw *w)
{
    jsonw_key(w, "history");
    jsonw_object_begin(w);
    jsonw_key_int(w, "first", f->first_ms);
    jsonw_key_int(w, "last", f->last_ms);
    jsonw_key_bool(w, "midway", f->midway);
    write_runs(r, w);
    write_gaps(r, "thin", false, w);
    if (r->thinned > 0)
        write_gaps(r, "thinned", true, w);
    write_more(w, "more_thin", r->gap_count);
    write_losses(r, w);
    jsonw_key_int(w, "damaged", (int64_t)f->damaged);
    jsonw_key_int(w, "configurations", (int64_t)f->configs);
    if (f->meanings > 0)
        jsonw_key_int(w, "meanings", (int64_t)f->meanings);
    jsonw_object_end(w);
}

/* Who is in one and not in the other: told, not ignored. */
static void write_names(const struct report *r, const struct replay_player *player, struct jsonw *w)
{
    size_t missing = 0;

    jsonw_key(w, "unknown");
    jsonw_array_begin(w);
    for (size_t i = 0; i < kept(r->unknown_count); i++)
        jsonw_string(w, r->unknown[i]);
    jsonw_array_end(w);
    write_more(w, "more_unknown", r->unknown_count);
    jsonw_key(w, "never_recorded");
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < r->site->point_count; i++) {
        if (replay_player_has_point(player, i))
            continue;
        if (missing++ < REPORT_ROWS)
            jsonw_string(w, r->site->points[i].full_name);
    }
    jsonw_array_end(w);
    write_more(w, "more_never_recorded", missing);
    jsonw_key_int(w, "acts_without_alarm", (int64_t)replay_player_figures(player)->acts);
}

static void write_span(const struct report *r, const struct replay_figures *f, struct jsonw *w)
{
    jsonw_key_int(w, "from", r->tally.from_ms);
    jsonw_key_int(w, "to", r->tally.to_ms);
    jsonw_key_int(w, "frames", (int64_t)f->frames);
    jsonw_key_int(w, "readings", (int64_t)f->readings);
    jsonw_key_int(w, "recorded", (int64_t)f->recorded);
}

void report_write(const struct report *r, const struct replay_player *player, struct jsonw *w)
{
    const struct replay_figures *f = replay_player_figures(player);
    struct writing x = {.new = r, .w = w};

    write_span(r, f, w);
    jsonw_key_int(w, "events", (int64_t)r->tally.changes);
    jsonw_key(w, "rules");
    jsonw_array_begin(w);
    each_rule(r, NULL, write_rule, &x);
    jsonw_array_end(w);
    write_history(r, f, w);
    write_names(r, player, w);
}

/* ---- two configurations ---- */

static void count_cb(void *arg, const struct tally_alarm *before, const struct tally_alarm *after)
{
    struct writing *x = arg;
    const char *rule =
        before ? tally_rule_name(&x->old->tally, before->rule) : tally_rule_name(&x->new->tally, after->rule);

    if (strcmp(rule, x->changed.rule) != 0)
        return;
    x->changed.appears += !before;
    x->changed.disappears += !after;
    x->changed.higher += before && after && after->highest > before->highest;
    x->changed.lower += before && after && after->highest < before->highest;
}

static void write_side(struct jsonw *w, const char *key, const struct report *r, const char *rule)
{
    const struct tally_rule figures = figures_of(&r->tally, rule);

    jsonw_key(w, key);
    if (figures.alarms == 0 && !has_rule(r->site, rule)) {
        jsonw_null(w);
        return;
    }
    jsonw_object_begin(w);
    write_levels(&figures, w);
    jsonw_object_end(w);
}

static void write_rule_pair(void *arg, const char *rule)
{
    struct writing *x = arg;
    const struct tally_versus versus = {x, count_cb};

    x->changed = (struct changed){.rule = rule};
    tally_compare(&x->old->tally, &x->new->tally, &versus);
    jsonw_object_begin(x->w);
    jsonw_key_string(x->w, "rule", rule);
    write_side(x->w, "old", x->old, rule);
    write_side(x->w, "new", x->new, rule);
    jsonw_key_int(x->w, "appears", (int64_t)x->changed.appears);
    jsonw_key_int(x->w, "disappears", (int64_t)x->changed.disappears);
    jsonw_key_int(x->w, "higher", (int64_t)x->changed.higher);
    jsonw_key_int(x->w, "lower", (int64_t)x->changed.lower);
    jsonw_object_end(x->w);
}

static void alarm_cb(void *arg, const struct tally_alarm *before, const struct tally_alarm *after)
{
    struct writing *x = arg;
    const struct tally_alarm *a = after ? after : before;
    const struct tally *t = after ? &x->new->tally : &x->old->tally;
    bool wanted = x->changed.kind == CHANGED_APPEARS ? !before
                  : x->changed.kind == CHANGED_DISAPPEARS
                      ? !after
                      : before && after && before->highest != after->highest;

    if (!wanted || !a || x->changed.written++ >= REPORT_ROWS)
        return;
    jsonw_object_begin(x->w);
    jsonw_key_string(x->w, "rule", tally_rule_name(t, a->rule));
    jsonw_key_string(x->w, "point", tally_point_name(t, a->owner)[0] ? tally_point_name(t, a->owner) : NULL);
    jsonw_key_string(x->w, "level", level_name(a->highest));
    if (before && after)
        jsonw_key_string(x->w, "was", level_name(before->highest));
    jsonw_key_int(x->w, "from", a->from_ms);
    jsonw_key_int(x->w, "to", a->to_ms);
    jsonw_key_bool(x->w, "ended", a->ended);
    jsonw_object_end(x->w);
}

static void write_alarms(struct writing *x)
{
    static const char *const keys[] = {"appears", "disappears", "other_level"};
    static const char *const more[] = {"more_appears", "more_disappears", "more_other_level"};
    const struct tally_versus versus = {x, alarm_cb};

    for (enum changed_kind kind = CHANGED_APPEARS; kind <= CHANGED_LEVEL; kind++) {
        x->changed = (struct changed){.kind = kind};
        jsonw_key(x->w, keys[kind]);
        jsonw_array_begin(x->w);
        tally_compare(&x->old->tally, &x->new->tally, &versus);
        jsonw_array_end(x->w);
        write_more(x->w, more[kind], x->changed.written);
    }
}

void report_write_comparison(const struct report *old, const struct replay_player *old_player,
                             const struct report *new, const struct replay_player *new_player,
                             struct jsonw *w)
{
    const struct replay_figures *f = replay_player_figures(new_player);
    struct writing x = {.old = old, .new = new, .w = w};

    write_span(new, f, w);
    jsonw_key(w, "rules");
    jsonw_array_begin(w);
    each_rule(old, new, write_rule_pair, &x);
    jsonw_array_end(w);
    write_alarms(&x);
    write_history(new, f, w);
    jsonw_key(w, "old");
    jsonw_object_begin(w);
    write_names(old, old_player, w);
    jsonw_object_end(w);
    jsonw_key(w, "new");
    jsonw_object_begin(w);
    write_names(new, new_player, w);
    jsonw_object_end(w);
}
