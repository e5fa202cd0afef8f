/* Which points a rule watches, and those that stand beside them. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"

#define GLOB_TRIES 50000000u /* names compared with globs in one load: some seconds at most */

/* The points of the rule that is being built. */
struct match {
    uint32_t *stamps; /* [point_count]: the last rule, from 1, that took the point */
    uint32_t *points; /* [point_count]: of this rule */
    size_t count;
    size_t tries;   /* of globs, all rules */
    size_t watches; /* pairs of rule and point, all rules */
    uint32_t stamp; /* of this rule */
    bool optional;  /* this rule */
};

bool match_begin(struct build *b, struct match **out)
{
    struct match *m = load_scratch(b->ld, 1, sizeof *m);

    *out = m;
    if (!m)
        return false;
    m->stamps = load_scratch(b->ld, b->site->point_count + 1, sizeof *m->stamps);
    m->points = load_scratch(b->ld, b->site->point_count + 1, sizeof *m->points);
    return m->stamps && m->points;
}

static void match_add(struct match *m, uint32_t point)
{
    if (m->stamps[point] == m->stamp)
        return; /* meant by two patterns of one rule */
    m->stamps[point] = m->stamp;
    m->points[m->count++] = point;
}

static void match_glob(struct build *b, struct match *m, const char *pattern, const struct node *node)
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
        match_add(m, i);
        any = true;
    }
    if (!any && !m->optional && !b->ld->incomplete)
        issue_error(b->ld, node_place(node), "`%s` matches no point; points are called device.point",
                    shown(pattern).text);
}

static void match_one(struct build *b, struct match *m, const struct node *node)
{
    const char *pattern = fill_text(b->ld, "points", node);
    uint32_t point = SITE_NONE;

    if (!pattern)
        return;
    if (text_has_glob(pattern)) {
        match_glob(b, m, pattern, node);
        return;
    }
    if (!m->optional)
        point = names_find(b->ld, &b->points, pattern, node_place(node));
    else if (hash_index_find(b->points.index, pattern, &point) != RG_OK)
        point = SITE_NONE;
    if (point != SITE_NONE)
        match_add(m, point);
}

static int by_index(const void *left, const void *right)
{
    const uint32_t *a = left;
    const uint32_t *c = right;

    return *a < *c ? -1 : *a > *c;
}

/* An optional rule leaves out the points that miss one beside them, so that a rule of a pack holds where all that it needs
 * is there. Told, for the point may have been meant. */
static void leave_out(struct build *b, struct match *m, const struct node *beside)
{
    size_t kept = 0;

    if (!beside || beside->kind != NODE_SCALAR || node_is_null(beside) || strchr(beside->text, '.'))
        return;
    for (size_t i = 0; i < m->count; i++) {
        const struct site_point *p = &b->site->points[m->points[i]];

        if (point_look(b, p->device, beside->text) != SITE_NONE)
            m->points[kept++] = m->points[i];
        else if (!b->ld->incomplete)
            issue_warning(b->ld, node_place(beside),
                          "`%s` is left out of this optional rule: its device has no point `%s`",
                          shown(p->full_name).text, shown(beside->text).text);
    }
    m->count = kept;
}

static void leave_out_all(struct build *b, struct match *m, const struct rule_item *item)
{
    const struct limits_item *const sides[] = {&item->above, &item->below};

    if (!m->optional)
        return;
    for (size_t s = 0; s < RG_COUNT(sides); s++)
        for (unsigned level = LEVEL_BLUE; level < LEVEL_COUNT; level++)
            leave_out(b, m, node_get(sides[s]->limit[level], "of"));
    if (!item->vote)
        leave_out(b, m, node_get(item->when, "point"));
}

static void keep(struct build *b, struct match *m, const struct node *list, struct site_rule *rule)
{
    uint32_t *points;

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

/* What a vote says beside its points. */
static const struct node *take_vote(struct build *b, const struct node *map, struct site_rule *rule)
{
    struct vote_item vote = {.points = NULL};

    fill_map(b->ld, SECTION_VOTE, map, &vote);
    rule->vote_need = (uint32_t)vote.need;
    rule->vote_bad = vote.bad;
    return vote.points;
}

/* Whether there are enough points for it to be a vote. */
static bool votes(const struct site_rule *rule)
{
    return rule->point_count > 1 && rule->point_count >= rule->vote_need;
}

static void check_vote(struct build *b, const struct node *map, const struct site_rule *rule)
{
    if (rule->point_count == 0 || rule->vote_need == 0 || b->ld->incomplete)
        return; /* reported already */
    if (rule->point_count == 1)
        issue_error(b->ld, node_key_place(node_get(map, "points")), "a vote needs two points or more, not 1");
    else if (rule->point_count > CONFIG_VOTE_MEMBERS)
        issue_error(b->ld, node_key_place(node_get(map, "points")), "a vote has at most %u points, not %zu",
                    CONFIG_VOTE_MEMBERS, rule->point_count);
    else if (rule->vote_need > rule->point_count)
        issue_error(b->ld, node_place(node_get(map, "need")), "`need` is %u, but the vote has %zu points",
                    rule->vote_need, rule->point_count);
}

bool rule_points(struct build *b, struct match *m, uint32_t stamp, const struct rule_item *item,
                 struct site_rule *rule)
{
    const struct node *list = item->points;
    size_t errors = b->ld->config->error_count;

    m->count = 0;
    m->stamp = stamp;
    m->optional = item->optional;
    if (item->vote)
        list = take_vote(b, item->vote, rule);
    if (list && list->kind == NODE_SCALAR)
        match_one(b, m, list);
    else if (list && list->count == 0)
        issue_error(b->ld, node_place(list), "`points` is empty: the rule watches nothing");
    else
        for (const struct node *one = list ? list->first : NULL; one; one = one->next)
            match_one(b, m, one);
    leave_out_all(b, m, item);
    keep(b, m, list, rule);
    if (b->ld->config->error_count > errors)
        return true;
    if (m->optional && (rule->point_count == 0 || (item->vote && !votes(rule))))
        return false;
    if (item->vote)
        check_vote(b, item->vote, rule);
    return true;
}

const uint32_t *rule_beside(struct build *b, const struct site_rule *rule, const struct node *name)
{
    const bool full = strchr(name->text, '.') != NULL;
    uint32_t *beside = load_keep(b->ld, rule->point_count + 1, sizeof *beside);

    for (size_t i = 0; beside && i < rule->point_count; i++) {
        const struct site_point *p = &b->site->points[rule->points[i]];

        beside[i] = full && i > 0 ? beside[0] : point_find(b, p->device, name);
        if (beside[i] == SITE_NONE)
            return NULL;
        if (beside[i] == rule->points[i]) {
            issue_error(b->ld, node_place(name), "`%s` is a point that the rule watches itself",
                        shown(p->full_name).text);
            return NULL;
        }
    }
    return beside;
}
