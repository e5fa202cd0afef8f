/* Rules, permits and doubts as keys and texts. */
#include <stdio.h>

#include "config/flat.h"
#include "model/alarm.h"

#define KEY_MAX 160
#define DOUBT_AFTER_STANDARD_MS 10000 /* the default of all that is read every few seconds */

/* Whether all watched points are compared with one and the same. */
static bool one_for_all(const uint32_t *points, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (points[i] != points[0])
            return false;
    return true;
}

/* The points that stand beside the watched ones: one text, or one for each. */
static void flat_beside(struct flat *f, const struct site *site, const struct site_rule *r, const char *key,
                        const uint32_t *points, const char *rest)
{
    const bool one = one_for_all(points, r->point_count);

    flat_format(f, "rule", r->name, key, "%s%s",
                one && r->point_count > 0 ? site->points[points[0]].full_name : "(each its own)", rest);
    for (size_t i = 0; i < r->point_count && !one; i++) {
        char own[2 * KEY_MAX];

        (void)snprintf(own, sizeof own, "%s.%s", key, site->points[r->points[i]].full_name);
        flat_text(f, "rule", r->name, own, site->points[points[i]].full_name);
    }
}

static void flat_reference(struct flat *f, const struct site *site, const struct site_rule *r,
                           const char *key, const struct site_reference *reference)
{
    char rest[64] = "";
    int used = 0;

    if (reference->times != 1)
        used = snprintf(rest, sizeof rest, " * %.15g", reference->times);
    if (reference->plus != 0)
        (void)snprintf(rest + used, sizeof rest - (size_t)used, " + %.15g", reference->plus);
    flat_beside(f, site, r, key, reference->points, rest);
}

static void flat_limits(struct flat *f, const struct site *site, const struct site_rule *r, const char *side,
                        const bool *has, const double *limit, const struct site_reference *const *of)
{
    for (int level = LEVEL_BLUE; level <= LEVEL_RED; level++) {
        char key[32];

        if (!has[level])
            continue;
        (void)snprintf(key, sizeof key, "%s.%s", side, level_name((enum level)level));
        if (of[level])
            flat_reference(f, site, r, key, of[level]);
        else
            flat_format(f, "rule", r->name, key, "%.15g", limit[level]);
    }
}

static void flat_signal(struct flat *f, const struct site_rule *r)
{
    const struct site_signal *s = &r->signal;

    if (s->kind == SIGNAL_VALUE)
        return;
    flat_text(f, "rule", r->name, "signal", signal_name(s->kind));
    flat_duration(f, "rule", r->name, "signal.window", s->window_ms);
    flat_format(f, "rule", r->name, "signal.coverage", "%.15g", s->coverage * 100);
    if (s->kind == SIGNAL_FLAT)
        flat_format(f, "rule", r->name, "signal.band", "%.15g", s->band);
    if (s->kind == SIGNAL_DELTA)
        flat_format(f, "rule", r->name, "signal.wrap", "%.15g", s->wrap);
}

static void flat_guard(struct flat *f, const struct site *site, const struct site_rule *r)
{
    const struct site_guard *g = &r->guard;

    if (!g->points)
        return;
    flat_beside(f, site, r, "when.point", g->points, "");
    for (size_t i = 0; i < g->is_count; i++) {
        char key[64];

        (void)snprintf(key, sizeof key, "when.is.%.15g", g->is[i]);
        flat_text(f, "rule", r->name, key, "armed");
    }
    if (g->has_above)
        flat_format(f, "rule", r->name, "when.above", "%.15g", g->above);
    if (g->has_below)
        flat_format(f, "rule", r->name, "when.below", "%.15g", g->below);
}

static void flat_basis(struct flat *f, const struct site_rule *r)
{
    flat_text(f, "rule", r->name, "basis", r->basis[LEVEL_NONE]);
    for (int level = LEVEL_BLUE; level <= LEVEL_RED; level++) {
        char key[32];

        (void)snprintf(key, sizeof key, "basis.%s", level_name((enum level)level));
        flat_text(f, "rule", r->name, key, r->basis[level]);
    }
}

void flat_rule(struct flat *f, const struct site *site, const struct site_rule *r)
{
    char points[KEY_MAX];

    flat_signal(f, r);
    flat_limits(f, site, r, "above", r->has_above, r->above, r->above_of);
    flat_limits(f, site, r, "below", r->has_below, r->below, r->below_of);
    for (size_t i = 0; i < r->is_count; i++) {
        char key[64];

        (void)snprintf(key, sizeof key, "is.%.15g", r->is[i].value);
        flat_text(f, "rule", r->name, key, level_name(r->is[i].level));
    }
    (void)snprintf(points, sizeof points, "%s.points", r->name);
    for (size_t i = 0; i < r->point_count; i++)
        flat_text(f, "rule", points, site->points[r->points[i]].full_name, "watched");
    flat_format(f, "rule", r->name, "deadband", "%.15g", r->deadband);
    flat_duration(f, "rule", r->name, "on_delay", r->on_delay_ms);
    flat_duration(f, "rule", r->name, "off_delay", r->off_delay_ms);
    flat_text(f, "rule", r->name, "message", r->message);
    if (r->latch_from != LEVEL_NONE)
        flat_text(f, "rule", r->name, "latch", level_name(r->latch_from));
    if (r->vote_need > 0)
        flat_format(f, "rule", r->name, "vote", "%u, bad %s", r->vote_need,
                    r->vote_bad == VOTE_BAD_HOLDS ? "holds" : "counts");
    flat_guard(f, site, r);
    flat_text(f, "rule", r->name, "permit", r->has_permit ? site->permits[r->permit].name : NULL);
    flat_basis(f, r);
}

void flat_permit(struct flat *f, const struct site_permit *p)
{
    flat_duration(f, "permit", p->name, "max", p->max_ms);
    flat_text(f, "permit", p->name, "label", p->label);
}

void flat_doubt(struct flat *f, const struct site *site, const struct site_point *p)
{
    const struct site_doubt *d = p->doubt;
    const bool derived = p->space == SPACE_DERIVED;
    const enum level level = d ? d->level : LEVEL_NONE;

    if (level != (derived ? LEVEL_NONE : LEVEL_YELLOW))
        flat_text(f, "point", p->full_name, "doubt.level", level_name(level));
    if (!d)
        return;
    if (d->after_ms != DOUBT_AFTER_STANDARD_MS)
        flat_duration(f, "point", p->full_name, "doubt.after", d->after_ms);
    if (d->flat_ms > 0) {
        flat_duration(f, "point", p->full_name, "doubt.flat", d->flat_ms);
        flat_format(f, "point", p->full_name, "doubt.flat_band", "%.15g", d->flat_band);
    }
    if (d->has_rate)
        flat_format(f, "point", p->full_name, "doubt.rate", "%.15g/s", d->rate_per_s);
    if (d->has_twin)
        flat_format(f, "point", p->full_name, "doubt.twin", "%s within %.15g",
                    site->points[d->twin].full_name, d->twin_within);
}
