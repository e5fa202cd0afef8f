/* Whether the limits of a rule make sense: in order, apart, and within what its points can read. */
#include <stdio.h>

#include "config/build.h"
#include "config/issue.h"

/* One of the two kinds of limit, so that each check is written once. */
struct side {
    const char *key;
    bool has[LEVEL_COUNT]; /* as a number: what follows a point cannot be judged here */
    const double *limits;
    double sign; /* above: 1, below: -1: times it, limits grow with severity */
};

static const struct node *limit_node(const struct node *rule, const struct side *side, unsigned level)
{
    return node_get(node_get(rule, side->key), level_name((enum level)level));
}

static void check_order(struct build *b, const struct side *side, double deadband, const struct node *rule)
{
    unsigned last = 0;

    for (unsigned level = LEVEL_BLUE; level < LEVEL_COUNT; level++) {
        double step;

        if (!side->has[level])
            continue;
        step = last ? side->sign * (side->limits[level] - side->limits[last]) : 0;
        if (last && step <= 0)
            issue_error(b->ld, node_place(limit_node(rule, side, level)),
                        "limits of `%s` must %s with severity: %s %.10g is not %s %s %.10g", side->key,
                        side->sign > 0 ? "grow" : "fall", level_name((enum level)level), side->limits[level],
                        side->sign > 0 ? "above" : "below", level_name((enum level)last), side->limits[last]);
        else if (last && deadband > step)
            issue_warning(b->ld, node_place(node_get(rule, "deadband")),
                          "the dead-band %.10g is wider than the distance between %s %.10g and %s %.10g",
                          deadband, level_name((enum level)last), side->limits[last],
                          level_name((enum level)level), side->limits[level]);
        last = level;
    }
}

static unsigned lowest(const struct side *side)
{
    unsigned level = LEVEL_BLUE;

    while (level < LEVEL_COUNT && !side->has[level])
        level++;
    return level;
}

/* Two-sided: between the sides there must be room for a value that is no alarm. */
static void check_sides(struct build *b, const struct side *above, const struct side *below,
                        const struct node *rule)
{
    unsigned up = lowest(above);
    unsigned down = lowest(below);

    if (up < LEVEL_COUNT && down < LEVEL_COUNT && above->limits[up] <= below->limits[down])
        issue_error(b->ld, node_place(limit_node(rule, above, up)),
                    "`above` begins at %.10g but `below` reaches up to %.10g: every value would be an alarm",
                    above->limits[up], below->limits[down]);
}

struct bounds {
    double worst,
        best; /* the ends of the range, times the side's sign: worst is where the severest values are */
};

static struct bounds bounds_of(double least, double most, double sign)
{
    if (sign > 0)
        return (struct bounds){.worst = most, .best = least};
    return (struct bounds){.worst = -least, .best = -most};
}

/* What the signal can be, where that is known from the point's range. false: it is not. */
static bool signal_range(const struct site_rule *rule, const struct site_point *p, double *least,
                         double *most)
{
    switch (rule->signal.kind) {
    case SIGNAL_FLAT:
        *least = 0;
        *most = 1;
        return true;
    case SIGNAL_VALUE:
    case SIGNAL_MEAN:
    case SIGNAL_MAX:
    case SIGNAL_MIN:
        *least = p->range_min;
        *most = p->range_max;
        return p->has_range;
    default:
        return false;
    }
}

static enum level doubt_level(const struct site_point *p)
{
    return p->doubt ? p->doubt->level : LEVEL_NONE;
}

/* Readings beyond the range are bad and raise no rule: a milder `doubt` is all there is of what should have been this level. */
static bool is_mere_doubt(const struct site_rule *rule, const struct side *side, unsigned level,
                          const struct site_point *p)
{
    return side->sign > 0 && rule->signal.kind != SIGNAL_FLAT && (unsigned)doubt_level(p) < level;
}

/* A limit that no good value reaches would look like protection and be none; one that cannot be left is an
 * alarm for ever. */
static void check_limit(struct build *b, const struct site_rule *rule, const struct side *side,
                        unsigned level, const struct node *node)
{
    double limit = side->sign * side->limits[level];

    for (size_t i = 0; i < rule->point_count; i++) {
        const struct site_point *p = &b->site->points[rule->points[i]];
        double least, most;
        struct bounds bounds;
        const char *what = NULL;
        char doubt[96] = "";

        if (!p->full_name || !signal_range(rule, p, &least, &most))
            continue;
        bounds = bounds_of(least, most, side->sign);
        if (limit > bounds.worst)
            what = "can never be reached";
        else if (limit == bounds.worst && is_mere_doubt(rule, side, level, p))
            what = "is the very top of what can be read";
        else if (limit <= bounds.best)
            what = "is reached by every good value";
        else if (limit - rule->deadband <= bounds.best && rule->deadband > 0)
            what = "once reached could never be left, the dead-band considered";
        if (!what)
            continue;
        if (limit >= bounds.worst && is_mere_doubt(rule, side, level, p))
            (void)snprintf(doubt, sizeof doubt, "; a reading above that is bad and only its `doubt` (%s)",
                           level_name(doubt_level(p)));
        issue_warning(b->ld, node_place(limit_node(node, side, level)),
                      "%s %.10g %s: the range of `%s` is %.10g to %.10g%s", level_name((enum level)level),
                      side->limits[level], what, shown(p->full_name).text, least, most, doubt);
        return; /* one example is enough */
    }
}

bool point_may_be(const struct site_point *point, double value)
{
    if (point->type == TYPE_BOOL || point->bit >= 0)
        return value == 0 || value == 1;
    return !point->has_range || (value >= point->range_min && value <= point->range_max);
}

static bool signal_may_be(const struct site_rule *rule, const struct site_point *p, double value)
{
    double least, most;

    if (rule->signal.kind == SIGNAL_VALUE)
        return point_may_be(p, value);
    if (rule->signal.kind == SIGNAL_FLAT)
        return value == 0 || value == 1;
    return !signal_range(rule, p, &least, &most) || (value >= least && value <= most);
}

static void check_is(struct build *b, const struct site_rule *rule, const struct node *node)
{
    for (size_t v = 0; v < rule->is_count; v++)
        for (size_t i = 0; i < rule->point_count; i++) {
            const struct site_point *p = &b->site->points[rule->points[i]];
            double value = rule->is[v].value;

            if (signal_may_be(rule, p, value))
                continue;
            issue_warning(b->ld, node_key_place(node_get(node, "is")), "`is`: `%s` never has the value %.10g",
                          p->full_name ? shown(p->full_name).text : "", value);
            return;
        }
}

enum level rule_most(const struct site_rule *rule)
{
    enum level most = LEVEL_NONE;

    for (enum level level = LEVEL_BLUE; level <= LEVEL_RED; level++) {
        if (rule->has_above[level] || rule->has_below[level])
            most = level;
    }
    for (size_t i = 0; i < rule->is_count; i++) {
        if (rule->is[i].level > most)
            most = rule->is[i].level;
    }
    return most;
}

/* The limits of a side that are numbers; true when it has any limit at all. */
static bool take_numbers(const bool *has, const struct site_reference *const *of, struct side *side)
{
    bool any = false;

    for (unsigned level = LEVEL_BLUE; level < LEVEL_COUNT; level++) {
        any = any || has[level];
        side->has[level] = has[level] && !of[level];
    }
    return any;
}

void rule_check(struct build *b, const struct site_rule *rule, const struct node *node)
{
    struct side sides[2] = {{.key = "above", .limits = rule->above, .sign = 1},
                            {.key = "below", .limits = rule->below, .sign = -1}};
    const bool above = take_numbers(rule->has_above, rule->above_of, &sides[0]);
    const bool below = take_numbers(rule->has_below, rule->below_of, &sides[1]);

    for (size_t s = 0; s < RG_COUNT(sides); s++) {
        check_order(b, &sides[s], rule->deadband, node);
        for (unsigned level = LEVEL_BLUE; level < LEVEL_COUNT; level++)
            if (sides[s].has[level])
                check_limit(b, rule, &sides[s], level, node);
    }
    check_sides(b, &sides[0], &sides[1], node);
    check_is(b, rule, node);
    if (rule->deadband > 0 && !above && !below)
        issue_warning(b->ld, node_key_place(node_get(node, "deadband")), "`deadband` has no effect on `is`");
}
