/* outputs: sounders, beacons, fans on relay modules. */
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"
#include "model/alarm.h"

static void refuse_key(struct build *b, const struct node *map, const char *key, const char *why)
{
    const struct node *given = node_get(map, key);

    if (given)
        issue_error(b->ld, node_key_place(given), "`%s` %s", key, why);
}

/* What is written for on and off. */
static void take_values(struct build *b, const struct output_item *item, const struct node *node,
                        struct site_output *output)
{
    if (output->space == SPACE_COIL) {
        refuse_key(b, node, "on", "means nothing for a coil: it is 1 when on, or 0 with `invert`");
        refuse_key(b, node, "off", "means nothing for a coil: it is 0 when off, or 1 with `invert`");
        output->on = !item->invert;
        output->off = item->invert;
        return;
    }
    refuse_key(b, node, "invert", "belongs to a coil: say what `on` and `off` write");
    output->on = (uint16_t)item->on;
    output->off = (uint16_t)item->off;
    if (!node_get(node, "on") || !node_get(node, "off"))
        issue_error(b->ld, node_place(node),
                    "`%s` is missing in an output: what is written to a register is never guessed",
                    node_get(node, "on") ? "off" : "on");
    else if (item->on >= 0 && item->on == item->off)
        issue_error(b->ld, node_place(node_get(node, "off")), "`on` and `off` write the same value");
}

/* False: what it is on is not known. */
static bool take_place(struct build *b, const struct output_item *item, const struct node *node,
                       struct site_output *output)
{
    output->device = SITE_NONE;
    if (item->device)
        output->device = names_find(b->ld, &b->devices, item->device, node_place(node_get(node, "device")));
    if (output->device != SITE_NONE && b->site->devices[output->device].derived) {
        issue_error(b->ld, node_place(node_get(node, "device")),
                    "`%s` is worked out by the gateway: an output needs a device on a bus", item->device);
        output->device = SITE_NONE;
    }
    if (!address_take(b, &item->at, &output->space, &output->address))
        return false;
    if (output->space != SPACE_COIL && output->space != SPACE_HOLDING) {
        issue_error(b->ld, node_place(item->at.reg), "`register`: %s `%s` cannot be written",
                    output->space == SPACE_INPUT ? "the input register" : "the discrete input",
                    shown(item->at.reg->text).text);
        return false;
    }
    take_values(b, item, node, output);
    return output->device != SITE_NONE && b->site->devices[output->device].bus != SITE_NONE;
}

static uint32_t find_rule(struct build *b, const char *name, const struct node *node)
{
    uint32_t entry = names_find(b->ld, &b->rules, name, node_place(node));

    if (entry == SITE_NONE)
        return SITE_NONE;
    if (b->rule_of[entry] == SITE_NONE && !b->ld->incomplete)
        issue_error(b->ld, node_place(node),
                    "the rule `%s` is `optional` and matches no point: the output would never be on", name);
    return b->rule_of[entry];
}

/* The one rule that is not written under `rules`. */
static uint32_t find_self_test(struct build *b, const struct node *node)
{
    if (b->site->self_test.every_ms > 0 || b->ld->incomplete)
        return SITE_RULE_SELF_TEST;
    issue_error(b->ld, node_place(node), "there is no `self_test`: the output would never be on");
    return SITE_NONE;
}

static enum level most_of(const struct site *site, uint32_t rule)
{
    if (rule == SITE_RULE_SELF_TEST)
        return site->self_test.level ? site->self_test.level : LEVEL_RED;
    return rule_most(&site->rules[rule]);
}

static void take_when(struct build *b, const struct node *node, struct site_output *output)
{
    struct when_item item = {.from = LEVEL_NONE};

    output->area = output->rule = SITE_NONE;
    if (!node)
        return;
    fill_map(b->ld, SECTION_WHEN, node, &item);
    output->from = item.from;
    if (item.area)
        output->area = names_find(b->ld, &b->areas, item.area, node_place(node_get(node, "area")));
    if (item.rule && strcmp(item.rule, RULE_SELF_TEST) == 0)
        output->rule = find_self_test(b, node_get(node, "rule"));
    else if (item.rule)
        output->rule = find_rule(b, item.rule, node_get(node, "rule"));
    if (output->rule != SITE_NONE && most_of(b->site, output->rule) < output->from)
        issue_error(b->ld, node_place(node_get(node, "from")),
                    "the rule `%s` never gives %s: the output would never be on", item.rule,
                    level_name(output->from));
}

/* Two outputs on one coil would switch each other; so would a trigger. */
static void check_place(struct build *b, struct hash_index *places, uint32_t index)
{
    const struct site *site = b->site;
    const struct site_output *output = &site->outputs[index];
    const struct site_device *device = &site->devices[output->device];
    const struct site_bus *bus = &site->buses[device->bus];
    char text[512];
    char *key;
    uint32_t first = 0;

    if (device->trigger.enabled && device->trigger.space == output->space &&
        device->trigger.address == output->address)
        issue_error(b->ld, node_place(b->entries[SECTION_OUTPUT].nodes[index]),
                    "the `trigger` of `%s` writes to the %s %u too", device->name,
                    output->space == SPACE_COIL ? "coil" : "register", output->address);
    /* As site_output_same_place has it: another name of the same line is the same line. */
    (void)text_format(text, sizeof text, "%u %u %u %d %u %s", output->space, output->address, device->unit,
                      (int)bus->kind, bus->port,
                      bus->host   ? bus->host
                      : bus->path ? bus->path
                                  : "");
    key = load_scratch_text(b->ld, text, strlen(text));
    if (!key)
        return;
    switch (hash_index_add(places, key, index, &first)) {
    case RG_OK:
        break;
    case RG_EEXIST:
        issue_error(b->ld, node_place(b->entries[SECTION_OUTPUT].nodes[index]),
                    "the %s %u of `%s` is switched by the output `%s` already (%s): they would switch each "
                    "other",
                    output->space == SPACE_COIL ? "coil" : "register", output->address, device->name,
                    site->outputs[first].name ? site->outputs[first].name : "", site->outputs[first].where);
        break;
    default:
        b->ld->oom = true;
    }
}

static void build_output(struct build *b, struct hash_index *places, uint32_t index)
{
    const struct node *node = b->entries[SECTION_OUTPUT].nodes[index];
    struct output_item item = {.at = ADDRESS_ABSENT, .on = -1, .off = -1};
    struct site_output *output = &b->site->outputs[index];
    bool placed;

    fill_map(b->ld, SECTION_OUTPUT, node, &item);
    *output = item.output;
    output->where = load_where(b->ld, node_place(node));
    if (output->name)
        names_add(b->ld, &b->outputs, index, output->name, node_place(node_get(node, "name")));
    placed = take_place(b, &item, node, output);
    take_when(b, item.when, output);
    if (placed)
        check_place(b, places, index);
}

/* A device of which nothing is read is there for its outputs. */
static void check_devices(struct build *b)
{
    bool *used = load_scratch(b->ld, b->site->device_count + 1, sizeof *used);

    if (!used)
        return;
    for (size_t i = 0; i < b->site->output_count; i++) {
        if (b->site->outputs[i].device != SITE_NONE)
            used[b->site->outputs[i].device] = true;
    }
    for (uint32_t i = 0; i < b->site->device_count && i < b->entries[SECTION_DEVICE].count; i++) {
        const struct node *node = b->entries[SECTION_DEVICE].nodes[i];
        bool read =
            b->site->devices[i].point_count > 0 || node_get(node, "points") || node_get(node, "profile");

        if (!read && !used[i] && !b->ld->incomplete)
            issue_error(b->ld, node_place(node), "`points` is missing in a device, and no output is on it");
    }
}

void build_outputs(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_OUTPUT];
    struct hash_index *places = NULL;

    b->site->outputs = load_keep(b->ld, (size_t)entries->count + 1, sizeof *b->site->outputs);
    if (!b->site->outputs || !names_begin(b->ld, &b->outputs, "output", entries->count))
        return;
    if (hash_index_create(entries->count, &places) != RG_OK) {
        b->ld->oom = true;
        return;
    }
    for (uint32_t i = 0; i < entries->count && !b->ld->oom; i++) {
        b->site->output_count = i + 1;
        build_output(b, places, i);
    }
    hash_index_destroy(places);
    check_devices(b);
}
