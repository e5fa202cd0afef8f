/* What points are worked out from: found once all points have their names, and never in a circle. */
#include <stdio.h>
#include <string.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items_convert.h"
#include "config/value.h"
#include "model/alarm.h"
#include "model/site_order.h"

struct operand_want {
    struct operand_want *next;
    const struct node *of;
    uint32_t device;
    struct site_operand *into;
};

enum operand_kind operand_want(struct build *b, uint32_t device, const struct node *of, double times,
                               double plus, const struct node *map, struct site_operand *into)
{
    const struct node *given = node_get(map, "times");
    struct operand_want *want;

    if (given && times == 0) {
        issue_error(b->ld, node_place(given), "`times` must not be 0: the point would have no effect");
        return OPERAND_WRONG;
    }
    want = load_scratch(b->ld, 1, sizeof *want);
    if (!want)
        return OPERAND_WRONG;
    *into = (struct site_operand){.point = SITE_NONE, .times = times, .plus = plus};
    *want = (struct operand_want){.next = b->wants, .of = of, .device = device, .into = into};
    b->wants = want;
    return OPERAND_POINT;
}

enum operand_kind operand_take(struct build *b, const char *key, const struct node *node, uint32_t device,
                               struct site_operand *into)
{
    struct operand_item item = {.times = 1};
    double number = 0;
    enum value_verdict verdict;

    if (node->kind == NODE_MAP) {
        fill_map(b->ld, SECTION_OPERAND, node, &item);
        return item.of ? operand_want(b, device, item.of, item.times, item.plus, node, into) : OPERAND_WRONG;
    }
    if (node->kind != NODE_SCALAR || node_is_null(node)) {
        issue_error(b->ld, node_place(node),
                    "an operand of `%s` must be a number, a point or a mapping, not %s", key,
                    node_kind_words(node));
        return OPERAND_WRONG;
    }
    /* What reads as a number is one; a point that is called so is written in quotes. */
    verdict = node->quoted ? VALUE_NOT : value_number(node->text, &number);
    if (verdict == VALUE_NOT)
        return operand_want(b, device, node, item.times, item.plus, NULL, into);
    if (!fill_number(b->ld, key, node, &number))
        return OPERAND_WRONG;
    *into = (struct site_operand){.point = SITE_NONE, .plus = number};
    return OPERAND_NUMBER;
}

/* A name without a dot is that of a point of the same device or group. NULL: the device has no name, reported already. */
static const char *full_name(const struct build *b, uint32_t device, const char *name,
                             char full[POINT_NAME_MAX])
{
    const char *of = b->site->devices[device].name;

    if (strchr(name, '.'))
        return name;
    if (!of)
        return NULL;
    (void)snprintf(full, POINT_NAME_MAX, "%s.%.*s", of, TEXT_ID_MAX, name);
    return full;
}

uint32_t point_find(struct build *b, uint32_t device, const struct node *node)
{
    char full[POINT_NAME_MAX];
    const char *name = full_name(b, device, node->text, full);

    if (!name)
        return SITE_NONE;
    if (name != full && node_of_profile(b->ld, node)) {
        issue_error(b->ld, node_place(node),
                    "a profile knows the points of its own device only, which have no dot: `%s`",
                    shown(name).text);
        return SITE_NONE;
    }
    return names_find(b->ld, &b->points, name, node_place(node));
}

uint32_t point_look(const struct build *b, uint32_t device, const char *name)
{
    char full[POINT_NAME_MAX];
    uint32_t index = SITE_NONE;

    name = full_name(b, device, name, full);
    if (!name || hash_index_find(b->points.index, name, &index) != RG_OK)
        return SITE_NONE;
    return index;
}

/* The one that stands highest among those a point is worked out from, or SITE_NONE. */
static uint32_t highest_below(const struct site *site, uint32_t point, const uint32_t *level)
{
    const struct site_point *p = &site->points[point];
    size_t count = site_operand_count(p);
    uint32_t found = SITE_NONE;

    for (size_t i = 0; i < count; i++) {
        uint32_t below = site_operand(p, i)->point;

        if (below != SITE_NONE && (found == SITE_NONE || level[below] > level[found]))
            found = below;
    }
    return found;
}

/* From each point that stands too high the way down is walked once: `seen` tells the walk that came by, so meeting one's own track
 * is a cycle. */
static void tell_circles(struct build *b, const uint32_t *level, uint32_t *seen)
{
    const struct site *site = b->site;
    bool deep = false;

    for (uint32_t i = 0; i < site->point_count; i++) {
        uint32_t at = i;

        if (level[i] <= SITE_DEPTH_MAX)
            continue;
        while (at != SITE_NONE && seen[at] == 0) {
            seen[at] = i + 1;
            at = highest_below(site, at, level);
        }
        if (at != SITE_NONE && seen[at] == i + 1) {
            issue_error(b->ld, b->points.places[at],
                        "the point `%s` is worked out from itself, directly or through others",
                        shown(site->points[at].full_name).text);
        } else if (at == SITE_NONE && !deep) {
            issue_error(b->ld, b->points.places[i], "more than %d points are worked out one from another",
                        SITE_DEPTH_MAX);
            deep = true;
        }
    }
}

void build_operands(struct build *b)
{
    uint32_t *level = load_scratch(b->ld, b->site->point_count + 1, sizeof *level);
    uint32_t *seen = load_scratch(b->ld, b->site->point_count + 1, sizeof *seen);

    for (const struct operand_want *want = b->wants; want; want = want->next)
        want->into->point = point_find(b, want->device, want->of);
    if (level && seen && site_order(b->site, level) != RG_OK)
        tell_circles(b, level, seen);
}
