/* derived: groups of points that are worked out on the gateway. */
#include <math.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items_convert.h"

/* The operands of the point that is being built. */
struct operands {
    struct site_operand *list;
    size_t count;
    size_t points; /* of them points; the others are numbers */
    uint32_t device;
    bool wrong; /* one was, or is missing: reported */
};

/* node: NULL when a key that is required is missing, which was reported. */
static void add(struct build *b, struct operands *o, const char *key, const struct node *node)
{
    enum operand_kind kind = OPERAND_WRONG;

    if (node)
        kind = operand_take(b, key, node, o->device, &o->list[o->count]);
    o->wrong = o->wrong || kind == OPERAND_WRONG;
    o->points += kind == OPERAND_POINT;
    o->count++;
}

static bool begin(struct build *b, struct operands *o, size_t room)
{
    o->list = load_keep(b->ld, room, sizeof *o->list);
    for (size_t i = 0; o->list && i < room; i++)
        o->list[i].point = SITE_NONE;
    return o->list != NULL;
}

static void take_list(struct build *b, struct operands *o, enum derive_kind kind, const struct node *list)
{
    const unsigned least = kind == DERIVE_SUM ? 1 : 2;

    if (list->count < least || list->count > DERIVED_OPERANDS_MAX) {
        issue_error(b->ld, node_place(list), "`%s` takes %u to %d operands, not %u", derive_kind_name(kind),
                    least, DERIVED_OPERANDS_MAX, list->count);
        o->wrong = true;
        return;
    }
    if (!begin(b, o, list->count))
        return;
    for (const struct node *node = list->first; node; node = node->next)
        add(b, o, derive_kind_name(kind), node);
}

/* The six of a slope between two gauges. */
static void take_gauges(struct build *b, struct operands *o, const struct node *map)
{
    struct gauges_item g = {.h1 = NULL};
    const struct site_operand *x;

    fill_map(b->ld, SECTION_GAUGES, map, &g);
    add(b, o, "h1", g.h1);
    add(b, o, "d1", g.d1);
    add(b, o, "h2", g.h2);
    add(b, o, "d2", g.d2);
    add(b, o, "x1", g.x1);
    add(b, o, "x2", g.x2);
    x = &o->list[o->count - 2];
    if (!o->wrong && x[0].times == 0 && x[1].times == 0 && x[0].plus == x[1].plus)
        issue_error(b->ld, node_place(g.x2), "`x1` and `x2` are one place: there is no slope between");
}

static void take_beach(struct build *b, struct operands *o, const struct node *map)
{
    struct beach_item beach = {.crest = NULL};

    if (!begin(b, o, 8))
        return;
    fill_map(b->ld, SECTION_BEACH, map, &beach);
    add(b, o, "crest", beach.crest);
    add(b, o, "level", beach.level);
    if (beach.slope && beach.slope->kind == NODE_MAP && !node_get(beach.slope, "of")) {
        take_gauges(b, o, beach.slope);
        return;
    }
    add(b, o, "slope", beach.slope);
    if (!o->wrong && o->list[2].times == 0 && !(o->list[2].plus > 0))
        issue_error(b->ld, node_place(beach.slope), "`slope` must be above 0, not `%s`",
                    shown(beach.slope->text).text);
}

static void take_freeboard(struct build *b, struct operands *o, const struct node *map)
{
    struct freeboard_item f = {.crest = NULL};

    if (!begin(b, o, 2))
        return;
    fill_map(b->ld, SECTION_FREEBOARD, map, &f);
    add(b, o, "crest", f.crest);
    add(b, o, "flood_level", f.flood_level);
}

static void take_increase(struct build *b, struct operands *o, const struct node *map, struct site_derived *d)
{
    struct increase_item i = {.of = NULL};

    if (!begin(b, o, 1))
        return;
    fill_map(b->ld, SECTION_INCREASE, map, &i);
    o->count = 1;
    if (i.of)
        o->points += operand_want(b, o->device, i.of, 1, 0, NULL, o->list) == OPERAND_POINT;
    else
        o->wrong = true;
    if (i.most > 0 && i.wrap == 0)
        issue_error(b->ld, node_key_place(node_get(map, "most")), "`most` means nothing without `wrap`");
    else if (i.most > 0 && i.most >= i.wrap)
        issue_error(b->ld, node_place(node_get(map, "most")), "`most` must be less than `wrap`");
    d->wrap = (double)i.wrap;
    d->most = (double)i.most;
}

static void take_way(struct build *b, struct derived_point_item *item, enum derive_kind kind)
{
    const struct node *node = item->ways[kind];
    struct operands o = {.device = item->base.point.device};
    struct site_derived *d = load_keep(b->ld, 1, sizeof *d);

    if (!d)
        return;
    d->kind = kind;
    if (kind == DERIVE_BEACH) {
        take_beach(b, &o, node);
    } else if (kind == DERIVE_BEACH_SLOPE) {
        if (begin(b, &o, 6))
            take_gauges(b, &o, node);
    } else if (kind == DERIVE_FREEBOARD) {
        take_freeboard(b, &o, node);
    } else if (kind == DERIVE_INCREASE) {
        take_increase(b, &o, node, d);
    } else {
        take_list(b, &o, kind, node);
    }
    if (!o.wrong && o.points == 0 && o.list)
        issue_error(b->ld, node_key_place(node), "`%s` names no point: its value would never change",
                    derive_kind_name(kind));
    d->operands = o.list;
    d->operand_count = o.list ? o.count : 0;
    item->base.point.derived = d;
}

static void build_derived_point(struct build *b, uint32_t device, const struct derived_item *group,
                                const struct site_doubt *standard, const struct node *node, uint32_t index)
{
    struct derived_point_item item = {
        .base = {.point = {.device = device, .space = SPACE_DERIVED, .type = TYPE_F64, .bit = -1},
                 .own = node}};
    struct site_point *p = &item.base.point;

    fill_map(b->ld, SECTION_DERIVED_POINT, node, &item);
    point_place(b, p, node);
    build_point_common(b, &item.base, node_get(node, "name"), index);
    build_doubt(b, standard, !group->doubt, item.base.doubt, p, index);
    build_change(b, node);
    for (unsigned kind = 0; kind < RG_COUNT(item.ways); kind++) {
        if (item.ways[kind] && !p->derived)
            take_way(b, &item, (enum derive_kind)kind);
    }
    b->site->points[index] = *p;
}

static void build_group(struct build *b, const struct node *group, uint32_t index)
{
    struct derived_item item = {.device = {.derived = true, .bus = SITE_NONE, .area = SITE_NONE}};
    struct site_device *d = &b->site->devices[index];
    const struct site_doubt *standard;

    fill_map(b->ld, SECTION_DERIVED, group, &item);
    standard = build_doubts(b, item.doubt);
    build_record(b, item.record, &item.device);
    if (item.area)
        item.device.area = names_find(b->ld, &b->areas, item.area, node_place(node_get(group, "area")));
    item.device.where = load_where(b->ld, node_place(group));
    item.device.first_point = (uint32_t)b->site->point_count;
    *d = item.device;
    b->site->device_count = index + 1;
    if (d->name)
        names_add(b->ld, &b->devices, index, d->name, node_place(node_get(group, "name")));
    for (const struct node *node = item.points ? item.points->first : NULL; node; node = node->next) {
        if (b->site->point_count == CONFIG_POINTS) {
            issue_error(b->ld, node_place(node), "more than %u points", CONFIG_POINTS);
            break;
        }
        if (node->kind == NODE_MAP)
            build_derived_point(b, index, &item, standard, node, (uint32_t)b->site->point_count++);
        else
            issue_error(b->ld, node_place(node), "an entry of `points` must be a mapping, not %s",
                        node_kind_words(node));
    }
    d->point_count = (uint32_t)b->site->point_count - d->first_point;
    if (item.points && item.points->count == 0)
        issue_error(b->ld, node_place(item.points), "`points` is empty: nothing would be worked out");
}

void build_derived(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_DERIVED];

    for (uint32_t i = 0; i < entries->count && !b->ld->oom; i++)
        build_group(b, entries->nodes[i], (uint32_t)b->site->device_count);
}
