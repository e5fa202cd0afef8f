#include "config/build.h"

#include <string.h>

#include "config/fill.h"
#include "config/issue.h"

/* One mapping section of one file: the first over all files is taken, a second is an error. */
static void take_map(struct build *b, const struct key_row *row, const struct node *node)
{
    const struct node **slot = &b->maps[row->of];

    if (node_is_null(node))
        return; /* all of it commented out */
    if (!fill_shape(b->ld, row, node))
        return;
    if (*slot)
        issue_error(b->ld, node_key_place(node), "`%s` is given already, first at %s:%u", row->name,
                    b->ld->sources[(*slot)->file].name, (*slot)->key_line);
    else
        *slot = node;
}

static void take_items(struct build *b, const struct key_row *row, const struct node *node)
{
    struct entries *entries = &b->entries[row->of];

    if (node_is_null(node) || !fill_shape(b->ld, row, node))
        return;
    for (const struct node *item = node->first; item; item = item->next) {
        if (item->kind != NODE_MAP) {
            issue_error(b->ld, node_place(item), "an entry of `%s` must be a mapping, not %s", row->name,
                        node_kind_words(item));
        } else if (entries->nodes && entries->count < CONFIG_ENTRIES) {
            entries->nodes[entries->count++] = item;
        } else if (!entries->full) {
            issue_error(b->ld, node_place(item), "more than %u entries of `%s`", CONFIG_ENTRIES, row->name);
            entries->full = true;
        }
    }
}

/* A mapping that may be split over files: its children are the entries, under the section that is their root's. */
static void take_numbers(struct build *b, const struct key_row *row, const struct node *node)
{
    struct entries *entries = &b->entries[SECTION_ROOT];

    if (node_is_null(node) || !fill_shape(b->ld, row, node))
        return;
    for (const struct node *item = node->first; item && entries->nodes; item = item->next)
        entries->nodes[entries->count++] = item;
}

/* Room for the entries of every list section, counted over all files. */
static bool make_room(struct build *b)
{
    size_t count;
    const struct key_row *rows = table_rows(SECTION_ROOT, &count);

    for (size_t i = 0; i < count; i++) {
        size_t items = 0;

        if (rows[i].kind != KIND_ITEMS && rows[i].kind != KIND_NUMBERS)
            continue;
        for (uint32_t f = 0; f < b->ld->source_count; f++) {
            const struct node *node = node_get(b->ld->sources[f].root, rows[i].name);

            items += node ? node->count : 0;
        }
        /* `values`, whose entries are no mappings, stand under the top level itself, 0. */
        b->entries[rows[i].of].nodes = load_scratch(b->ld, items + 1, sizeof *b->entries[rows[i].of].nodes);
        if (!b->entries[rows[i].of].nodes)
            return false;
    }
    return true;
}

static void take_root(struct build *b, const struct node *root)
{
    const struct node *found[TABLE_KEYS_MAX] = {NULL};
    size_t count;
    const struct key_row *rows = table_rows(SECTION_ROOT, &count);

    if (root->kind != NODE_MAP) {
        if (!node_is_null(root))
            issue_error(b->ld, node_place(root), "a configuration is a mapping of sections, not %s",
                        node_kind_words(root));
        return;
    }
    (void)fill_find(b->ld, SECTION_ROOT, root, found);
    for (size_t i = 0; i < count; i++) {
        if (!found[i])
            continue;
        if (rows[i].kind == KIND_MAP)
            take_map(b, &rows[i], found[i]);
        else if (rows[i].kind == KIND_NUMBERS)
            take_numbers(b, &rows[i], found[i]);
        else if (rows[i].kind == KIND_ITEMS)
            take_items(b, &rows[i], found[i]);
        else if (!node_is_null(found[i]))
            (void)fill_shape(b->ld, &rows[i], found[i]); /* include, followed already */
    }
}

static void build_log(struct build *b)
{
    fill_map(b->ld, SECTION_LOG, b->maps[SECTION_LOG], b->site);
}

static void check_watch(struct build *b)
{
    if (b->ld->config->error_count > 0 || b->ld->profile_only)
        return;
    if (b->site->point_count == 0)
        issue_warning(b->ld, issue_file(0), "no point of any device is configured: nothing is watched");
    else if (b->site->rule_count == 0)
        issue_warning(b->ld, issue_file(0),
                      "no rule is configured: only the silence of devices raises an alarm");
    if (b->site->uplink_count == 0)
        issue_warning(b->ld, issue_file(0), "no uplink is configured: nobody is told");
}

static void names_end_all(struct build *b)
{
    names_end(&b->uplinks);
    names_end(&b->buses);
    names_end(&b->devices);
    names_end(&b->points);
    names_end(&b->areas);
    names_end(&b->rules);
    names_end(&b->permits);
    names_end(&b->values);
    names_end(&b->outputs);
}

void build_site(struct load *ld, struct site *site)
{
    /* What a part refers to is built before it. */
    static void (*const steps[])(struct build *) = {
        build_gateway,  build_store,      build_control, build_metrics, build_log,
        build_areas,    build_buses,      build_devices, build_spread,  build_derived,
        build_operands, build_doubts_end, build_uplinks, build_routine, build_alarms,
        build_rules,    build_values_end, build_outputs, check_watch};
    struct build b = {.ld = ld, .site = site};

    if (!make_room(&b))
        return;
    for (uint32_t i = 0; i < ld->source_count; i++)
        if (ld->sources[i].root && !ld->sources[i].profile)
            take_root(&b, ld->sources[i].root);
    for (size_t i = 0; i < RG_COUNT(steps) && !ld->oom; i++)
        steps[i](&b);
    if (!ld->oom && ld->config->error_count == 0 && !ld->profile_only)
        budget_check(&b);
    if (!ld->oom && ld->config->error_count == 0 && !ld->profile_only)
        record_check(&b);
    names_end_all(&b);
}
