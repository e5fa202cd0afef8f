#include "config/node.h"

#include <stddef.h>
#include <string.h>

struct place node_place(const struct node *node)
{
    return (struct place){.file = node->file, .line = node->line, .offset = node->offset};
}

struct place node_key_place(const struct node *node)
{
    if (!node->key)
        return node_place(node);
    return (struct place){.file = node->file, .line = node->key_line, .offset = node->key_offset};
}

const struct node *node_get(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    for (const struct node *child = map->first; child; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

bool node_is_null(const struct node *node)
{
    if (node->kind != NODE_SCALAR || node->quoted)
        return false;
    return node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

const char *node_kind_words(const struct node *node)
{
    if (node->kind == NODE_LIST)
        return "a list";
    if (node->kind == NODE_MAP)
        return "a mapping";
    return node_is_null(node) ? "nothing" : "a text";
}
