/* A mapping as a whole: which keys it has, which it must have, in which layers. */
#include <stdio.h>
#include <string.h>

#include "config/fill.h"
#include "config/issue.h"

static void unknown_key(struct load *ld, enum section section, const struct node *child)
{
    const char *names[TABLE_KEYS_MAX];
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    for (size_t i = 0; i < count; i++)
        names[i] = rows[i].name;
    if (strcmp(child->key, "<<") == 0)
        issue_error(ld, node_key_place(child), "merge keys (<<) are not taken: write the values out");
    else
        issue_error(ld, node_key_place(child), "unknown key `%s` in %s%s", shown(child->key).text,
                    table_title(section), issue_nearest(ld, child->key, names, count).text);
}

void fill_find(struct load *ld, enum section section, const struct node *map, const struct node **found)
{
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    for (const struct node *child = map->first; child; child = child->next) {
        const struct key_row *row = table_key(section, child->key);

        if (!row)
            unknown_key(ld, section, child);
        else if (found[row - rows])
            issue_error(ld, node_key_place(child), "`%s` is given twice, first in line %u", child->key,
                        found[row - rows]->key_line);
        else if (row->flags & KEY_LATER)
            issue_error(ld, node_key_place(child),
                        "`%s` is not carried out by this version of riskgate; remove it", child->key);
        else
            found[row - rows] = child;
    }
}

/* Keys of one flag, of which exactly one, or at least one, must be given. */
static void check_group(struct load *ld, enum section section, const struct node *map, unsigned flag)
{
    size_t count;
    const struct key_row *rows = table_rows(section, &count);
    const struct node *one = NULL;
    const struct node *two = NULL;
    char list[160] = "";

    for (size_t i = 0; i < count; i++) {
        const struct node *given = node_get(map, rows[i].name);
        size_t used = strlen(list);

        if (!(rows[i].flags & flag))
            continue;
        (void)snprintf(list + used, sizeof list - used, "%s`%s`", used ? ", " : "", rows[i].name);
        if (given && !one)
            one = given;
        else if (given && !two)
            two = given;
    }
    if (list[0] && !one)
        issue_error(ld, node_place(map), "%s needs %s of %s", table_title(section),
                    flag == KEY_ONE_OF ? "exactly one" : "at least one", list);
    else if (flag == KEY_ONE_OF && two)
        issue_error(ld, node_key_place(two), "`%s` and `%s` are both given; %s has exactly one of %s",
                    one->key, two->key, table_title(section), list);
}

static bool is_known(enum section section, const struct node *map)
{
    for (const struct node *child = map->first; child; child = child->next)
        if (!table_key(section, child->key))
            return false;
    return true;
}

static void fill_standards(struct load *ld, enum section section, void *base)
{
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    for (size_t i = 0; i < count; i++) {
        if (rows[i].kind == KIND_MAP)
            fill_standards(ld, rows[i].of, (char *)base + rows[i].offset);
        else if (rows[i].standard)
            fill_standard(ld, &rows[i], base);
    }
}

void fill_given(struct load *ld, enum section section, const struct node *map, void *base)
{
    const struct node *found[TABLE_KEYS_MAX] = {NULL};
    size_t count;
    const struct key_row *rows = table_rows(section, &count);

    fill_find(ld, section, map, found);
    for (size_t i = 0; i < count; i++)
        if (found[i])
            fill_value(ld, &rows[i], found[i], base);
    for (size_t i = 0; i < count; i++)
        if ((rows[i].flags & KEY_REQUIRED) && !node_get(map, rows[i].name))
            issue_error(ld, node_place(map), "`%s` is missing in %s", rows[i].name, table_title(section));
    /* A misspelt key may be the one that is wanted. */
    if (is_known(section, map)) {
        check_group(ld, section, map, KEY_ONE_OF);
        check_group(ld, section, map, KEY_ANY_OF);
    }
}

void fill_map(struct load *ld, enum section section, const struct node *map, void *base)
{
    fill_standards(ld, section, base);
    if (map)
        fill_given(ld, section, map, base);
}
