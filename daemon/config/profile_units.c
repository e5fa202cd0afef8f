/* unit_codes: a device that says in which unit it measures is held to the unit that is configured. A gate of its
 * own for each such register: any other code makes every reading of the device bad. */
#include <stdio.h>
#include <string.h>

#include "config/fill.h"
#include "config/issue.h"
#include "config/profile_parts.h"

/* The unit of a point of the merged device, or NULL. */
static const struct node *unit_of(const struct node *device, const char *point)
{
    const struct node *points = node_get(device, "points");

    for (const struct node *p = points ? points->first : NULL; p; p = p->next) {
        const struct node *name = node_get(p, "name");
        const struct node *unit = node_get(p, "unit");

        if (name && name->kind == NODE_SCALAR && strcmp(name->text, point) == 0)
            return unit && unit->kind == NODE_SCALAR ? unit : NULL;
    }
    return NULL;
}

/* {code: good} for every code of that unit; empty when there is none. */
static struct node *good_codes(struct load *ld, const struct node *codes, const struct node *unit)
{
    struct node *is = node_make(ld, NODE_MAP, "is", codes);

    for (const struct node *code = codes->first; is && code; code = code->next) {
        struct node *good;

        if (code->kind != NODE_SCALAR || strcmp(code->text, unit->text) != 0)
            continue;
        good = node_make_text(ld, code->key, "good", codes);
        if (!good || !node_append(ld, is, good))
            return NULL;
    }
    return is;
}

static void tell_impossible(struct load *ld, const struct node *codes, const struct node *unit)
{
    char list[256] = "";

    for (const struct node *code = codes->first; code; code = code->next) {
        size_t used = strlen(list);

        (void)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "",
                       code->kind == NODE_SCALAR ? code->text : "");
    }
    issue_error(ld, node_place(unit),
                "`unit`: the device says in which unit it measures, and `%s` is none it knows: %s",
                shown(unit->text).text, list);
}

/* The keys of the register, taken over from the entry, and what its value means. */
static struct node *make_gate(struct load *ld, const struct node *entry, const struct node *unit)
{
    static const char *const at[] = {"coil", "discrete", "input", "holding", "register", "mask"};
    const struct node *codes = node_get(entry, "codes");
    struct node *gate = node_make(ld, NODE_MAP, NULL, entry);
    struct node *is = good_codes(ld, codes, unit);
    struct node *otherwise = node_make_text(ld, "otherwise", "sensor", entry);

    if (!gate || !is || !otherwise)
        return NULL;
    if (!is->first) {
        tell_impossible(ld, codes, unit);
        return NULL;
    }
    for (size_t i = 0; i < RG_COUNT(at); i++) {
        const struct node *key = node_get(entry, at[i]);

        if (key && !node_append(ld, gate, key))
            return NULL;
    }
    return node_append(ld, gate, is) && node_append(ld, gate, otherwise) ? gate : NULL;
}

/* `status` may be left out, one map, or a list: made a list, to which the gate is added. */
static void add_gate(struct load *ld, struct node *device, const struct node *gate)
{
    struct node *status = NULL;
    struct node *list;

    for (struct node *child = device->first; child; child = child->next)
        if (strcmp(child->key, "status") == 0)
            status = child;
    if (!status) {
        struct node *empty = node_make(ld, NODE_LIST, "status", gate);

        status = empty ? node_append(ld, device, empty) : NULL;
    }
    list = status ? node_make(ld, NODE_LIST, "status", status) : NULL;
    if (!list)
        return;
    if (status->kind == NODE_MAP) {
        struct node single = *status;

        single.key = NULL;
        if (!node_append(ld, list, &single))
            return;
    }
    for (const struct node *item = status->kind == NODE_LIST ? status->first : NULL; item; item = item->next)
        if (!node_append(ld, list, item))
            return;
    if (status->kind != NODE_SCALAR && node_append(ld, list, gate)) {
        status->kind = NODE_LIST;
        status->first = list->first;
        status->count = list->count;
    }
}

void profile_check_units(struct load *ld, const struct known_profile *profile, struct node *device)
{
    const struct node *entries = profile->item.unit_codes; /* checked when the profile was taken */

    for (const struct node *entry = entries ? entries->first : NULL; entry; entry = entry->next) {
        const struct node *unit = unit_of(device, node_get(entry, "point")->text);
        const struct node *gate;

        gate = unit ? make_gate(ld, entry, unit) : NULL;
        if (gate)
            add_gate(ld, device, gate);
    }
}
