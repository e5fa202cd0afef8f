/* A mapping as a whole: which keys it has, which it must have, in which layers. */
#include <stdio.h>
#include <string.h>

#include "config/fill.h"
#include "config/issue.h"

static void unknown_key(struct load *ld, enum section section, const struct node *child)
{
    const char *names[TABLE_KEYS_MAX];
    const struct table_rows *rows = &ld->rows[section];

    for (size_t i = 0; i < rows->count; i++)
        names[i] = rows->rows[i].name;
    if (strcmp(child->key, "<<") == 0)
        issue_error(ld, node_key_place(child), "merge keys (<<) are not taken: write the values out");
    else
        issue_error(ld, node_key_place(child), "unknown key `%s` in %s%s", shown(child->key).text,
                    table_title(section), issue_nearest(ld, child->key, names, rows->count).text);
}

bool fill_find(struct load *ld, enum section section, const struct node *map, const struct node **found)
{
    const struct table_rows *rows = &ld->rows[section];
    bool known = true;

    for (const struct node *child = map->first; child; child = child->next) {
        const struct key_row *row = table_key_of(rows, child->key);
        size_t at = row ? (size_t)(row - rows->rows) : 0;

        known = known && row;
        if (!row)
            unknown_key(ld, section, child);
        else if (found[at])
            issue_error(ld, node_key_place(child), "`%s` is given twice, first in line %u", child->key,
                        found[at]->key_line);
        else if (row->flags & KEY_LATER)
            issue_error(ld, node_key_place(child),
                        "`%s` is not carried out by this version of riskgate; remove it", child->key);
        else
            found[at] = child;
    }
    return known;
}

static void list_group(const struct table_rows *rows, unsigned flag, char *list, size_t size)
{
    list[0] = '\0';
    for (size_t i = 0; i < rows->count; i++) {
        size_t used = strlen(list);

        if (rows->rows[i].flags & flag)
            (void)snprintf(list + used, size - used, "%s`%s`", used ? ", " : "", rows->rows[i].name);
    }
}

/* Keys of one flag, of which exactly one, or at least one, must be given. */
static void check_group(struct load *ld, enum section section, const struct node *map,
                        const struct node *const *found, unsigned flag)
{
    const struct table_rows *rows = &ld->rows[section];
    const struct node *one = NULL;
    const struct node *two = NULL;
    bool any = false;
    char list[160];

    for (size_t i = 0; i < rows->count; i++) {
        if (!(rows->rows[i].flags & flag))
            continue;
        any = true;
        if (found[i] && !one)
            one = found[i];
        else if (found[i] && !two)
            two = found[i];
    }
    if (!any || (one && (flag != KEY_ONE_OF || !two)))
        return;
    list_group(rows, flag, list, sizeof list);
    if (!one)
        issue_error(ld, node_place(map), "%s needs %s of %s", table_title(section),
                    flag == KEY_ONE_OF ? "exactly one" : "at least one", list);
    else
        issue_error(ld, node_key_place(two), "`%s` and `%s` are both given; %s has exactly one of %s",
                    one->key, two->key, table_title(section), list);
}

static void fill_standards(struct load *ld, enum section section, void *base)
{
    const struct table_rows *rows = &ld->rows[section];

    for (size_t i = 0; i < rows->count; i++) {
        const struct key_row *row = &rows->rows[i];

        if (row->kind == KIND_MAP)
            fill_standards(ld, row->of, (char *)base + row->offset);
        else if (row->standard)
            fill_standard(ld, row, base);
    }
}

void fill_given(struct load *ld, enum section section, const struct node *map, void *base)
{
    const struct node *found[TABLE_KEYS_MAX] = {NULL};
    const struct table_rows *rows = &ld->rows[section];
    const bool known = fill_find(ld, section, map, found);

    for (size_t i = 0; i < rows->count; i++)
        if (found[i])
            fill_value(ld, &rows->rows[i], found[i], base);
    for (size_t i = 0; i < rows->count; i++)
        if ((rows->rows[i].flags & KEY_REQUIRED) && !found[i])
            issue_error(ld, node_place(map), "`%s` is missing in %s", rows->rows[i].name,
                        table_title(section));
    /* A misspelt key may be the one that is wanted. */
    if (known) {
        check_group(ld, section, map, found, KEY_ONE_OF);
        check_group(ld, section, map, found, KEY_ANY_OF);
    }
}

void fill_map(struct load *ld, enum section section, const struct node *map, void *base)
{
    fill_standards(ld, section, base);
    if (map)
        fill_given(ld, section, map, base);
}
