/* rules: which points they watch, and from which limits on. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"
#include "config/value.h"
#include "model/alarm.h"

#define GLOB_TRIES 50000000u /* names compared with globs in one load: some seconds at most */
#define IS_VALUES 64

/* The points of the rule that is being built. */
struct match {
    uint32_t *stamps; /* [point_count]: the last rule, from 1, that took the point */
    uint32_t *points; /* [point_count]: of this rule */
    size_t count;
    size_t tries;   /* of globs, all rules */
    size_t watches; /* pairs of rule and point, all rules */
};

static void match_add(struct match *m, uint32_t rule, uint32_t point)
{
    if (m->stamps[point] == rule + 1)
        return; /* meant by two patterns of one rule */
    m->stamps[point] = rule + 1;
    m->points[m->count++] = point;
}

static void match_glob(struct build *b, struct match *m, uint32_t rule, const char *pattern,
                       const struct node *node)
{
    bool any = false;

    m->tries += b->site->point_count;
    if (m->tries > GLOB_TRIES) {
        if (m->tries - b->site->point_count <= GLOB_TRIES)
            issue_error(b->ld, node_place(node), "too many globs for so many points");
        return;
    }
    for (uint32_t i = 0; i < b->site->point_count; i++) {
        const char *name = b->site->points[i].full_name;

        if (!name || !text_glob(pattern, name))
            continue;
        match_add(m, rule, i);
        any = true;
    }
    if (!any && !b->ld->incomplete)
        issue_error(b->ld, node_place(node), "`%s` matches no point; points are called device.point",
                    shown(pattern).text);
}

static void match_one(struct build *b, struct match *m, uint32_t rule, const struct node *node)
{
    const char *pattern = fill_text(b->ld, "points", node);
    uint32_t point;

    if (!pattern)
        return;
    if (text_has_glob(pattern)) {
        match_glob(b, m, rule, pattern, node);
        return;
    }
    point = names_find(b->ld, &b->points, pattern, node_place(node));
    if (point != SITE_NONE)
        match_add(m, rule, point);
}

static int by_index(const void *left, const void *right)
{
    const uint32_t *a = left;
    const uint32_t *c = right;

    return *a < *c ? -1 : *a > *c;
}

static void take_points(struct build *b, struct match *m, uint32_t index, const struct node *list,
                        struct site_rule *rule)
{
    uint32_t *points;

    m->count = 0;
    if (list && list->kind == NODE_SCALAR)
        match_one(b, m, index, list);
    else if (list && list->count == 0)
        issue_error(b->ld, node_place(list), "`points` is empty: the rule watches nothing");
    for (const struct node *node = list ? list->first : NULL; node; node = node->next)
        match_one(b, m, index, node);
    if (m->count > CONFIG_WATCHES - m->watches) {
        issue_error(b->ld, node_place(list), "all rules together watch more than %u points", CONFIG_WATCHES);
        return;
    }
    m->watches += m->count;
    points = load_keep(b->ld, m->count + 1, sizeof *points);
    if (!points)
        return;
    memcpy(points, m->points, m->count * sizeof *points);
    qsort(points, m->count, sizeof *points, by_index);
    rule->points = points;
    rule->point_count = m->count;
}

static void take_limits(struct build *b, const struct limits_item *item, bool *has, double *limits)
{
    for (unsigned level = LEVEL_BLUE; level < LEVEL_COUNT; level++) {
        const struct node *node = item->limit[level];

        if (!node)
            continue;
        if (node->kind == NODE_MAP)
            issue_error(b->ld, node_key_place(node),
                        "a limit given by another point (`of`) is not carried out by this version of "
                        "riskgate; give a number");
        else
            has[level] = fill_number(b->ld, node->key, node, &limits[level]);
    }
}

static bool is_value(const char *text, double *out)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *out = text[0] == 't';
        return true;
    }
    return value_number(text, out) == VALUE_GOOD;
}

static void take_is(struct build *b, const struct node *map, struct site_rule *rule)
{
    struct rule_is *values;

    if (!map)
        return;
    if (map->count == 0 || map->count > IS_VALUES) {
        issue_error(b->ld, node_key_place(map), "`is` must give 1 to %d values", IS_VALUES);
        return;
    }
    values = load_keep(b->ld, map->count, sizeof *values);
    if (!values)
        return;
    rule->is = values;
    for (const struct node *node = map->first; node; node = node->next) {
        struct rule_is *value = &values[rule->is_count];
        size_t i = 0;

        if (!is_value(node->key, &value->value)) {
            issue_error(b->ld, node_key_place(node),
                        "a value in `is` must be a number, true or false, not `%s`", shown(node->key).text);
            continue;
        }
        if (!fill_level(b->ld, "is", node, &value->level))
            continue;
        while (i < rule->is_count && values[i].value != value->value)
            i++;
        if (i < rule->is_count)
            issue_error(b->ld, node_key_place(node), "the value `%s` is given twice in `is`",
                        shown(node->key).text);
        else
            rule->is_count++;
    }
}

static void build_rule(struct build *b, struct match *m, uint32_t index, const struct node *node)
{
    struct rule_item item = {.points = NULL};
    struct site_rule *rule = &item.rule;

    fill_map(b->ld, SECTION_RULE, node, &item);
    rule->where = load_where(b->ld, node_place(node));
    if (rule->name && strcmp(rule->name, RULE_OFFLINE) == 0)
        issue_error(b->ld, node_place(node_get(node, "name")),
                    "the name `%s` is reserved for the silence of devices", RULE_OFFLINE);
    if (rule->name && strcmp(rule->name, RULE_OUTPUT) == 0)
        issue_error(b->ld, node_place(node_get(node, "name")),
                    "the name `%s` is reserved for the faults of outputs", RULE_OUTPUT);
    if (rule->name)
        names_add(b->ld, &b->rules, index, rule->name, node_place(node_get(node, "name")));
    take_limits(b, &item.above, rule->has_above, rule->above);
    take_limits(b, &item.below, rule->has_below, rule->below);
    take_is(b, item.is, rule);
    take_points(b, m, index, item.points, rule);
    rule_check(b, rule, node);
    b->site->rules[index] = *rule;
}

void build_rules(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_RULE];
    struct match m = {.count = 0};

    m.stamps = load_scratch(b->ld, b->site->point_count + 1, sizeof *m.stamps);
    m.points = load_scratch(b->ld, b->site->point_count + 1, sizeof *m.points);
    b->site->rules = load_keep(b->ld, (size_t)entries->count + 1, sizeof *b->site->rules);
    if (!m.stamps || !m.points || !b->site->rules || !names_begin(b->ld, &b->rules, "rule", entries->count))
        return;
    for (uint32_t i = 0; i < entries->count && !b->ld->oom; i++) {
        build_rule(b, &m, i, entries->nodes[i]);
        b->site->rule_count = i + 1;
    }
}
