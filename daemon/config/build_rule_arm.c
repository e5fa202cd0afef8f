/* What signal of its points a rule watches, and when it is armed. */
#include <string.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"

/* The keys of the windows, by enum signal_kind, are the names of the signals. */
static const struct node *window_node(const struct node *map, unsigned kind)
{
    return node_get(map, signal_name((enum signal_kind)kind));
}

static void take_windows(struct build *b, const struct signal_item *windows, const struct node *map,
                         struct site_rule *rule)
{
    const struct node *first = NULL;

    for (unsigned kind = SIGNAL_VALUE + 1; kind <= SIGNAL_FLAT; kind++) {
        const struct node *node = window_node(map, kind);

        if (!node)
            continue;
        if (first) {
            issue_error(b->ld, node_key_place(node),
                        "`%s` and `%s` are both given; a rule watches one signal", first->key, node->key);
            continue;
        }
        first = node;
        rule->signal.kind = (enum signal_kind)kind;
        rule->signal.window_ms = windows->window_ms[kind];
    }
}

/* A key that belongs to some kinds of signal only. */
static void refuse_key(struct build *b, const struct node *node, const char *key, bool right, const char *why)
{
    const struct node *given = node_get(node, key);

    if (given && !right)
        issue_error(b->ld, node_key_place(given), "`%s` %s", key, why);
}

void rule_signal(struct build *b, const struct rule_item *item, const struct node *node,
                 struct site_rule *rule)
{
    struct site_signal *signal = &rule->signal;
    const struct node *given = item->signal;

    take_windows(b, &item->windows, node, rule);
    if (given && signal->kind != SIGNAL_VALUE) {
        issue_error(b->ld, node_key_place(given),
                    "`%s` and `signal` are both given; a rule watches one signal", signal_name(signal->kind));
    } else if (given && given->kind == NODE_MAP) {
        struct signal_item windows = {.window_ms = {0}};

        fill_map(b->ld, SECTION_SIGNAL, given, &windows);
        /* More than one is told by the section's own rows. */
        for (unsigned kind = SIGNAL_FLAT; kind > SIGNAL_VALUE; kind--)
            if (window_node(given, kind)) {
                signal->kind = (enum signal_kind)kind;
                signal->window_ms = windows.window_ms[kind];
            }
    } else if (given && strcmp(given->text, "value") != 0) {
        issue_error(b->ld, node_place(given),
                    "`signal` must be `value`, or a window such as {mean: 15m}, not `%s`",
                    shown(given->text).text);
    }
    signal->coverage = item->coverage / 100;
    refuse_key(b, node, "coverage", signal->kind != SIGNAL_VALUE, "means nothing without a window");
    refuse_key(b, node, "band", signal->kind == SIGNAL_FLAT, "belongs to `flat`");
    refuse_key(b, node, "wrap", signal->kind == SIGNAL_DELTA, "belongs to `delta`");
}

static bool take_is(struct build *b, const struct node *node, double *out)
{
    if (node->kind == NODE_SCALAR && !node->quoted && !node_is_null(node) && rule_value(node->text, out))
        return true;
    issue_error(b->ld, node_place(node), "a value in `is` must be a number, true or false, not %s%s%s",
                node->kind == NODE_SCALAR && !node_is_null(node) ? "`" : "",
                node->kind == NODE_SCALAR && !node_is_null(node) ? shown(node->text).text
                                                                 : node_kind_words(node),
                node->kind == NODE_SCALAR && !node_is_null(node) ? "`" : "");
    return false;
}

static void take_guard_values(struct build *b, const struct node *node, struct site_guard *guard)
{
    const struct node *one = node && node->kind == NODE_LIST ? node->first : node;
    size_t count = node && node->kind == NODE_LIST ? node->count : 1;
    double *values;

    if (!node)
        return;
    if (count == 0 || count > RULE_VALUES_MAX) {
        issue_error(b->ld, node_key_place(node), "`is` must give 1 to %d values", RULE_VALUES_MAX);
        return;
    }
    values = load_keep(b->ld, count, sizeof *values);
    if (!values)
        return;
    guard->is = values;
    for (size_t i = 0; i < count && one; i++, one = one->next)
        if (take_is(b, one, &values[guard->is_count]))
            guard->is_count++;
}

/* A guard that never holds would switch the rule off for ever. */
static void check_guard(struct build *b, const struct guard_item *item, const struct site_guard *guard,
                        const struct site_rule *rule)
{
    bool possible = guard->is_count == 0;

    if (guard->has_above && guard->has_below && guard->above > guard->below) {
        issue_error(b->ld, node_place(item->below), "no value is both %.10g or more and %.10g or less",
                    guard->above, guard->below);
        return;
    }
    for (size_t i = 0; i < guard->is_count; i++)
        possible = possible || ((!guard->has_above || guard->is[i] >= guard->above) &&
                                (!guard->has_below || guard->is[i] <= guard->below));
    if (!possible) {
        issue_error(b->ld, node_key_place(item->is), "no value in `is` lies within `above` and `below`");
        return;
    }
    for (size_t v = 0; v < guard->is_count; v++)
        for (size_t i = 0; i < rule->point_count; i++) {
            const struct site_point *p = &b->site->points[guard->points[i]];

            if (point_may_be(p, guard->is[v]))
                continue;
            issue_warning(b->ld, node_key_place(item->is), "`is`: `%s` never has the value %.10g",
                          shown(p->full_name).text, guard->is[v]);
            return;
        }
}

static void take_guard(struct build *b, const struct node *map, bool points, struct site_rule *rule)
{
    struct guard_item item = {.point = NULL};
    struct site_guard *guard = &item.guard;

    fill_map(b->ld, SECTION_GUARD, map, &item);
    take_guard_values(b, item.is, guard);
    guard->has_above = item.above && rule_number(b, rule, points, item.above, &guard->above);
    guard->has_below = item.below && rule_number(b, rule, points, item.below, &guard->below);
    if (!item.point || !points)
        return;
    if (rule->vote_need > 0 && !strchr(item.point->text, '.')) {
        issue_error(b->ld, node_place(item.point),
                    "the `when` of a vote needs a full name, device.point, not `%s`",
                    shown(item.point->text).text);
        return;
    }
    guard->points = rule_beside(b, rule, item.point);
    if (!guard->points)
        return;
    rule->guard = *guard;
    check_guard(b, &item, guard, rule);
}

void rule_arming(struct build *b, const struct rule_item *item, const struct node *node, bool points,
                 struct site_rule *rule)
{
    if (item->when)
        take_guard(b, item->when, points, rule);
    if (!item->permit || !points)
        return;
    rule->permit = names_find(b->ld, &b->permits, item->permit, node_place(node_get(node, "permit")));
    rule->has_permit = rule->permit != SITE_NONE;
}
