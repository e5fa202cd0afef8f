#include "uplink/about_rule.h"

static void write_signal(struct jsonw *w, const struct site_signal *s)
{
    if (s->kind == SIGNAL_VALUE)
        return;
    jsonw_key(w, "signal");
    jsonw_object_begin(w);
    jsonw_key_string(w, "kind", signal_name(s->kind));
    jsonw_key_int(w, "window_ms", s->window_ms);
    jsonw_key_double(w, "coverage", s->coverage * 100);
    if (s->kind == SIGNAL_FLAT)
        jsonw_key_double(w, "band", s->band);
    if (s->kind == SIGNAL_DELTA && s->wrap > 0)
        jsonw_key_double(w, "wrap", s->wrap);
    jsonw_object_end(w);
}

/* The points that stand beside the watched ones: one name where it is one for all. */
static void write_beside(struct jsonw *w, const char *key, const struct site *site, const struct site_rule *r,
                         const uint32_t *points)
{
    size_t same = 1;

    while (same < r->point_count && points[same] == points[0])
        same++;
    jsonw_key(w, key);
    if (same >= r->point_count) {
        jsonw_string(w, site->points[points[0]].full_name);
        return;
    }
    jsonw_array_begin(w);
    for (size_t i = 0; i < r->point_count; i++)
        jsonw_string(w, site->points[points[i]].full_name);
    jsonw_array_end(w);
}

static void write_reference(struct jsonw *w, const struct site *site, const struct site_rule *r,
                            const struct site_reference *reference)
{
    jsonw_object_begin(w);
    write_beside(w, "of", site, r, reference->points);
    jsonw_key_double(w, "times", reference->times);
    jsonw_key_double(w, "plus", reference->plus);
    jsonw_object_end(w);
}

static void write_limits(struct jsonw *w, const char *key, const struct site *site, const struct site_rule *r,
                         const bool has[LEVEL_COUNT], const double limits[LEVEL_COUNT],
                         const struct site_reference *const of[LEVEL_COUNT])
{
    bool any = false;

    for (size_t i = 0; i < LEVEL_COUNT; i++)
        any = any || has[i];
    if (!any)
        return;
    jsonw_key(w, key);
    jsonw_object_begin(w);
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (!has[i])
            continue;
        jsonw_key(w, level_name((enum level)i));
        if (of[i])
            write_reference(w, site, r, of[i]);
        else
            jsonw_double(w, limits[i]);
    }
    jsonw_object_end(w);
}

static void write_is(struct jsonw *w, const struct site_rule *r)
{
    if (r->is_count == 0)
        return;
    jsonw_key(w, "is");
    jsonw_array_begin(w);
    for (size_t i = 0; i < r->is_count; i++) {
        jsonw_object_begin(w);
        jsonw_key_double(w, "value", r->is[i].value);
        jsonw_key_string(w, "level", level_name(r->is[i].level));
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_vote(struct jsonw *w, const struct site_rule *r)
{
    if (r->vote_need == 0)
        return;
    jsonw_key(w, "vote");
    jsonw_object_begin(w);
    jsonw_key_int(w, "need", r->vote_need);
    jsonw_key_string(w, "bad", r->vote_bad == VOTE_BAD_HOLDS ? "holds" : "counts");
    jsonw_object_end(w);
}

static void write_guard(struct jsonw *w, const struct site *site, const struct site_rule *r)
{
    const struct site_guard *g = &r->guard;

    if (!g->points)
        return;
    jsonw_key(w, "when");
    jsonw_object_begin(w);
    write_beside(w, "point", site, r, g->points);
    site_guard_write(g, w);
    jsonw_object_end(w);
}

/* One text for the whole rule, or {level: text}. */
static void write_basis(struct jsonw *w, const struct site_rule *r)
{
    bool any = false;

    if (r->basis[LEVEL_NONE]) {
        jsonw_key_string(w, "basis", r->basis[LEVEL_NONE]);
        return;
    }
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (!r->basis[i])
            continue;
        if (!any) {
            jsonw_key(w, "basis");
            jsonw_object_begin(w);
        }
        any = true;
        jsonw_key_string(w, level_name((enum level)i), r->basis[i]);
    }
    if (any)
        jsonw_object_end(w);
}

void about_rule(const struct site *site, const struct site_rule *r, struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_string(w, "name", r->name);
    if (r->message)
        jsonw_key_string(w, "message", r->message);
    jsonw_key(w, "points");
    jsonw_array_begin(w);
    for (size_t i = 0; i < r->point_count; i++)
        jsonw_string(w, site->points[r->points[i]].full_name);
    jsonw_array_end(w);
    write_signal(w, &r->signal);
    write_limits(w, "above", site, r, r->has_above, r->above, r->above_of);
    write_limits(w, "below", site, r, r->has_below, r->below, r->below_of);
    write_is(w, r);
    jsonw_key_double(w, "deadband", r->deadband);
    jsonw_key_int(w, "on_delay_ms", r->on_delay_ms);
    jsonw_key_int(w, "off_delay_ms", r->off_delay_ms);
    if (r->latch_from != LEVEL_NONE)
        jsonw_key_string(w, "latch", level_name(r->latch_from));
    write_vote(w, r);
    write_guard(w, site, r);
    if (r->has_permit)
        jsonw_key_string(w, "permit", site->permits[r->permit].name);
    write_basis(w, r);
    jsonw_object_end(w);
}
