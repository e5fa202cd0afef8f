/* reports and self_test: what is told without anything having happened. */
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"

/* Marks the uplinks that one name or glob means. */
static void mark(struct build *b, bool *marked, const struct node *node)
{
    const char *pattern = fill_text(b->ld, "uplinks", node);
    bool any = false;

    if (!pattern)
        return;
    if (!text_has_glob(pattern)) {
        uint32_t uplink = names_find(b->ld, &b->uplinks, pattern, node_place(node));

        if (uplink != SITE_NONE)
            marked[uplink] = true;
        return;
    }
    for (size_t i = 0; i < b->site->uplink_count; i++) {
        if (!b->site->uplinks[i].name || !text_glob(pattern, b->site->uplinks[i].name))
            continue;
        marked[i] = true;
        any = true;
    }
    if (!any && !b->ld->incomplete)
        issue_error(b->ld, node_place(node), "`%s` matches no uplink", shown(pattern).text);
}

static void take_uplinks(struct build *b, const struct node *map, const struct node *list, bool *marked)
{
    if (!list)
        memset(marked, true, b->site->uplink_count * sizeof *marked);
    else if (list->kind == NODE_SCALAR)
        mark(b, marked, list);
    else if (!list->first)
        issue_error(b->ld, node_key_place(list), "`uplinks` is empty: leave it out for all of them");
    for (const struct node *item = list && list->kind != NODE_SCALAR ? list->first : NULL; item;
         item = item->next)
        mark(b, marked, item);
    if (!list && b->site->uplink_count == 0 && !b->ld->incomplete)
        issue_error(b->ld, node_key_place(map), "`self_test` needs an uplink: there is none");
}

static void build_self_test(struct build *b)
{
    const struct node *map = b->maps[SECTION_SELF_TEST];
    struct self_test_item item = {.uplinks = NULL};

    if (!map)
        return;
    fill_map(b->ld, SECTION_SELF_TEST, map, &item);
    if (item.test.every_ms > 0 && item.test.limit_ms >= item.test.every_ms)
        issue_error(b->ld, node_key_place(map), "`limit` must be shorter than `every`");
    item.test.uplinks = load_keep(b->ld, b->site->uplink_count + 1, sizeof *item.test.uplinks);
    if (!item.test.uplinks)
        return;
    take_uplinks(b, map, item.uplinks, item.test.uplinks);
    b->site->self_test = item.test;
}

void build_routine(struct build *b)
{
    fill_map(b->ld, SECTION_REPORTS, b->maps[SECTION_REPORTS], &b->site->reports);
    b->site->reports.on = true;
    build_self_test(b);
}
