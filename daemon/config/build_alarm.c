/* alarms, permits, values: what rules need beside the points. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"

static bool build_permits(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_PERMIT];

    b->site->permits = load_keep(b->ld, (size_t)entries->count + 1, sizeof *b->site->permits);
    if (!b->site->permits || !names_begin(b->ld, &b->permits, "permit", entries->count))
        return false;
    b->site->permit_count = entries->count;
    for (uint32_t i = 0; i < entries->count; i++) {
        struct site_permit *permit = &b->site->permits[i];

        fill_map(b->ld, SECTION_PERMIT, entries->nodes[i], permit);
        permit->where = load_where(b->ld, node_place(entries->nodes[i]));
        if (permit->name)
            names_add(b->ld, &b->permits, i, permit->name, node_place(node_get(entries->nodes[i], "name")));
    }
    return true;
}

static void build_values(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_ROOT];

    b->value_numbers = load_scratch(b->ld, (size_t)entries->count + 1, sizeof *b->value_numbers);
    b->values_used = load_scratch(b->ld, (size_t)entries->count + 1, sizeof *b->values_used);
    if (!b->value_numbers || !b->values_used || !names_begin(b->ld, &b->values, "value", entries->count))
        return;
    for (uint32_t i = 0; i < entries->count; i++) {
        const struct node *node = entries->nodes[i];

        if (!text_is_id(node->key))
            issue_error(b->ld, node_key_place(node),
                        "a name in `values` must be 1 to 64 of A-Z a-z 0-9 . _ -, not `%s`",
                        shown(node->key).text);
        else
            names_add(b->ld, &b->values, i, node->key, node_key_place(node));
        /* A value still open, `name:` alone, is told as such where a limit names it. */
        if (node_is_null(node) || !fill_number(b->ld, node->key, node, &b->value_numbers[i]))
            b->value_numbers[i] = NAN;
    }
}

void build_alarms(struct build *b)
{
    fill_map(b->ld, SECTION_SHELVING, b->maps[SECTION_SHELVING], b->site);
    if (build_permits(b))
        build_values(b);
}

void build_values_end(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_ROOT];

    for (uint32_t i = 0; i < entries->count && !b->ld->incomplete; i++)
        if (!b->values_used[i] && strcmp(b->values.list[i], entries->nodes[i]->key) == 0)
            issue_warning(b->ld, node_key_place(entries->nodes[i]), "no limit names the value `%s`",
                          shown(entries->nodes[i]->key).text);
}
