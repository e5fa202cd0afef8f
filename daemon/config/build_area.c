/* areas: a forest. */
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"

/* Who acts, and how, must be known before it burns. What is there but wrong has been told already. */
static void check_area(struct build *b, const struct site_area *area, const struct node *node)
{
    const struct node *responsible = node_get(node, "responsible");
    const struct {
        const char *name, *value;
        const struct node *node;
    } needed[] = {{"responsible.unit", area->resp_unit, node_get(responsible, "unit")},
                  {"responsible.person", area->resp_person, node_get(responsible, "person")},
                  {"responsible.phone", area->resp_phone, node_get(responsible, "phone")},
                  {"measure", area->measure, node_get(node, "measure")}};
    char missing[128] = "";

    if (area->inherent < LEVEL_ORANGE || !area->name)
        return;
    for (size_t i = 0; i < RG_COUNT(needed); i++) {
        const size_t used = strlen(missing);

        if (!needed[i].value && !needed[i].node)
            (void)text_format(missing + used, sizeof missing - used, "%s`%s`", used ? ", no " : "",
                              needed[i].name);
    }
    if (missing[0])
        issue_error(b->ld, node_place(node), "the area `%s` is assessed %s but has no %s", area->name,
                    level_name(area->inherent), missing);
}

/* Every area is walked upward once: `seen` tells the walk that came by, so meeting one's own track is a
 * cycle. */
static void check_cycles(struct build *b, const struct entries *entries)
{
    struct site_area *areas = b->site->areas;
    uint32_t *seen = load_scratch(b->ld, (size_t)entries->count + 1, sizeof *seen);

    if (!seen)
        return;
    for (uint32_t i = 0; i < entries->count; i++) {
        uint32_t at = i;

        while (at != SITE_NONE && seen[at] == 0) {
            seen[at] = i + 1;
            at = areas[at].parent;
        }
        if (at == SITE_NONE || seen[at] != i + 1)
            continue;
        issue_error(b->ld, node_place(node_get(entries->nodes[at], "parent")),
                    "the area `%s` is its own parent, directly or through others",
                    areas[at].name ? areas[at].name : "");
        areas[at].parent = SITE_NONE;
    }
}

void build_areas(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_AREA];
    const char **parents = load_scratch(b->ld, (size_t)entries->count + 1, sizeof *parents);

    b->site->areas = load_keep(b->ld, (size_t)entries->count + 1, sizeof *b->site->areas);
    if (!parents || !b->site->areas || !names_begin(b->ld, &b->areas, "area", entries->count))
        return;
    b->site->area_count = entries->count;
    for (uint32_t i = 0; i < entries->count; i++) {
        const struct node *node = entries->nodes[i];
        struct area_item item = {.area = {.parent = SITE_NONE}};

        fill_map(b->ld, SECTION_AREA, node, &item);
        if (!item.area.label)
            item.area.label = item.area.name;
        item.area.where = load_where(b->ld, node_place(node));
        b->site->areas[i] = item.area;
        parents[i] = item.parent;
        if (item.area.name)
            names_add(b->ld, &b->areas, i, item.area.name, node_place(node_get(node, "name")));
        check_area(b, &item.area, node);
    }
    for (uint32_t i = 0; i < entries->count; i++)
        if (parents[i])
            b->site->areas[i].parent =
                names_find(b->ld, &b->areas, parents[i], node_place(node_get(entries->nodes[i], "parent")));
    check_cycles(b, entries);
}
