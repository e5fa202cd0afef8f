/* above and below: limits that are numbers, follow a point, or name a value of the site. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"

/* One side of the rule that is being built. */
struct limits {
    const struct limits_item *item;
    bool *has;
    double *numbers;
    const struct site_reference **of;
};

/* A value that a rule found missing; one rule may name it many times. */
struct value_missing {
    struct value_missing *next;
    const char *name, *rule; /* rule: its `where`, which is its own */
};

/* True the first time for this rule, whose entries are the newest. */
static bool is_news(struct build *b, const struct site_rule *rule, const char *name)
{
    struct value_missing *missing = b->missing;

    for (; missing && missing->rule == rule->where; missing = missing->next)
        if (strcmp(missing->name, name) == 0)
            return false;
    missing = load_scratch(b->ld, 1, sizeof *missing);
    if (!missing)
        return false;
    *missing = (struct value_missing){.next = b->missing, .name = name, .rule = rule->where};
    b->missing = missing;
    return true;
}

/* The number that a value of the site has. false: it has none, told. */
static bool value_find(struct build *b, const struct site_rule *rule, bool points, const char *name,
                       const struct node *node, double *out)
{
    const struct entries *entries = &b->entries[SECTION_ROOT];
    const struct place at = node_place(node);
    uint32_t index;

    if (hash_index_find(b->values.index, name, &index) == RG_OK) {
        b->values_used[index] = true;
        *out = b->value_numbers[index];
        if (!node_is_null(entries->nodes[index]) || !points || !is_news(b, rule, name))
            return !isnan(*out);
        issue_error(b->ld, at, "the rule `%s` needs the value `%s`, which is left open at %s:%u",
                    rule->name ? shown(rule->name).text : "", name,
                    b->ld->sources[entries->nodes[index]->file].name, entries->nodes[index]->key_line);
        return false;
    }
    if (points && !b->ld->incomplete && is_news(b, rule, name))
        issue_error(b->ld, at, "the rule `%s` needs the value `%s`, which `values` does not give%s",
                    rule->name ? shown(rule->name).text : "", name,
                    issue_nearest(b->ld, name, b->values.list, b->values.count).text);
    return false;
}

/* The points of an earlier limit that follows the same text, so that the levels of a rule share them. */
static const uint32_t *points_shared(const struct limits *l, unsigned level, const char *text)
{
    for (unsigned earlier = LEVEL_BLUE; earlier < level; earlier++) {
        const struct node *of = node_get(l->item->limit[earlier], "of");

        if (l->of[earlier] && of && of->kind == NODE_SCALAR && strcmp(of->text, text) == 0)
            return l->of[earlier]->points;
    }
    return NULL;
}

static void take_of(struct build *b, const struct limits *l, unsigned level, const struct limit_item *limit,
                    const struct site_rule *rule)
{
    struct site_reference *reference = load_keep(b->ld, 1, sizeof *reference);
    const uint32_t *points = points_shared(l, level, limit->of->text);

    if (!points)
        points = rule_beside(b, rule, limit->of);
    if (!reference || !points)
        return;
    *reference = (struct site_reference){.points = points, .times = limit->times, .plus = limit->plus};
    l->of[level] = reference;
    l->has[level] = true;
}

/* value * times + plus as people work it out, so that 800 * 1.1 is 880 and not 880.0000000000001, which 880 would not reach:
 * rounded to the decimals that 15 digits of the larger part have, as the engine does for limits that follow a point. */
static double limit_of(double value, double times, double plus)
{
    double product = value * times;
    double larger = fmax(fabs(product), fabs(plus));
    char text[64];

    if (!isfinite(product + plus) || larger < 1e-20 || larger > 1e15)
        return product + plus;
    (void)snprintf(text, sizeof text, "%.*f", (int)fmax(0, DBL_DIG - 1 - floor(log10(larger))),
                   product + plus);
    return strtod(text, NULL);
}

/* What a mapping without `of` comes to. */
static bool take_value(struct build *b, const struct site_rule *rule, bool points, const struct node *map,
                       const struct limit_item *limit, double *out)
{
    double number;

    if (!value_find(b, rule, points, limit->value, node_get(map, "value"), &number))
        return false;
    *out = limit_of(number, limit->times, limit->plus);
    if (!isfinite(*out))
        issue_error(b->ld, node_key_place(map), "the limit that comes of it is too large a number");
    return isfinite(*out);
}

static void check_times(struct build *b, const struct node *map, double times)
{
    const struct node *given = node_get(map, "times");

    if (given && times == 0)
        issue_error(b->ld, node_place(given),
                    "`times` must not be 0: what the limit names would have no effect");
}

static void take_mapping(struct build *b, const struct limits *l, unsigned level, bool points,
                         const struct site_rule *rule)
{
    const struct node *map = l->item->limit[level];
    struct limit_item limit = {.of = NULL};

    fill_map(b->ld, SECTION_LIMIT, map, &limit);
    check_times(b, map, limit.times);
    if (limit.of && !limit.value && points)
        take_of(b, l, level, &limit, rule);
    else if (limit.value && !limit.of)
        l->has[level] = take_value(b, rule, points, map, &limit, &l->numbers[level]);
}

bool rule_number(struct build *b, const struct site_rule *rule, bool points, const struct node *node,
                 double *out)
{
    struct limit_item limit = {.of = NULL};

    if (node->kind != NODE_MAP)
        return fill_number(b->ld, node->key, node, out);
    fill_map(b->ld, SECTION_SITE_LIMIT, node, &limit);
    check_times(b, node, limit.times);
    return limit.value && take_value(b, rule, points, node, &limit, out);
}

static void take_side(struct build *b, const struct limits *l, bool points, const struct site_rule *rule)
{
    for (unsigned level = LEVEL_BLUE; level < LEVEL_COUNT; level++) {
        const struct node *node = l->item->limit[level];

        if (!node)
            continue;
        if (node->kind == NODE_MAP)
            take_mapping(b, l, level, points, rule);
        else
            l->has[level] = fill_number(b->ld, node->key, node, &l->numbers[level]);
    }
}

static void take_deadband(struct build *b, const struct node *node, bool points, struct site_rule *rule)
{
    if (!node || !rule_number(b, rule, points, node, &rule->deadband) || rule->deadband >= 0)
        return;
    if (node->kind == NODE_MAP)
        issue_error(b->ld, node_key_place(node), "`deadband` must be at least 0, not %.10g", rule->deadband);
    else
        issue_error(b->ld, node_place(node), "`deadband` must be at least 0, not `%s`",
                    shown(node->text).text);
    rule->deadband = 0;
}

void rule_limits(struct build *b, const struct rule_item *item, bool points, struct site_rule *rule)
{
    const struct limits above = {&item->above, rule->has_above, rule->above, rule->above_of};
    const struct limits below = {&item->below, rule->has_below, rule->below, rule->below_of};

    take_side(b, &above, points, rule);
    take_side(b, &below, points, rule);
    take_deadband(b, item->deadband, points, rule);
}
