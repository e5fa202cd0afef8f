/* status, heartbeat, trigger: registers beside the points, that decide on their quality or make them be taken. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"
#include "config/value.h"

#define GATES_MAX 16  /* of one device */
#define CASES_MAX 256 /* of one gate */
#define BITS 16

bool address_take(struct build *b, const struct address_item *at, enum point_space *space, uint16_t *address)
{
    for (unsigned s = 0; s < RG_COUNT(at->space); s++)
        if (at->space[s] >= 0) {
            *space = (enum point_space)s;
            *address = (uint16_t)at->space[s];
            return true;
        }
    if (!at->reg)
        return false;
    if (value_register(at->reg->text, space, address))
        return true;
    issue_error(b->ld, node_place(at->reg),
                "`register` is 0xxxx, 1xxxx, 3xxxx or 4xxxx in five or six digits, from 1 on, not `%s`",
                shown(at->reg->text).text);
    return false;
}

bool key_number(struct build *b, const char *what, const struct node *child, int64_t least, int64_t most,
                int64_t *out)
{
    if (most == 1 && (strcmp(child->key, "true") == 0 || strcmp(child->key, "false") == 0)) {
        *out = child->key[0] == 't';
        return true;
    }
    if (value_int(child->key, out) == VALUE_GOOD && *out >= least && *out <= most)
        return true;
    issue_error(b->ld, node_key_place(child),
                "%s must be a whole number from %" PRId64 " to %" PRId64 ", not `%s`", what, least, most,
                shown(child->key).text);
    return false;
}

static bool is_single(enum point_space space)
{
    return space == SPACE_COIL || space == SPACE_DISCRETE;
}

/* What is left of 16 bits under a mask, shifted right to its lowest bit. */
static uint32_t most_under(uint16_t mask)
{
    uint32_t most = mask ? mask : UINT16_MAX;

    while (!(most & 1))
        most >>= 1;
    return most;
}

/* {number: quality} -> the gate's cases. key: "is" or "bits"; most: the largest number there can be. */
static void take_cases(struct build *b, const char *key, const struct node *map, uint32_t most,
                       struct site_gate *gate)
{
    const bool bits = gate->kind == GATE_BITS;
    bool bad = !bits && gate->otherwise != QUALITY_GOOD;
    struct gate_case *cases;

    if (map->count == 0 || map->count > CASES_MAX) {
        issue_error(b->ld, node_key_place(map), "`%s` must give 1 to %d %s", key, CASES_MAX,
                    bits ? "bits" : "values");
        return;
    }
    cases = load_keep(b->ld, map->count, sizeof *cases);
    if (!cases)
        return;
    gate->cases = cases;
    for (const struct node *node = map->first; node; node = node->next) {
        int64_t number = 0;
        int64_t quality = 0;
        size_t i = 0;
        bool good = key_number(b, bits ? "a bit in `bits`" : "a value in `is`", node, 0, most, &number);

        if (!fill_named(b->ld, node->key, node, table_qualities, &quality) || !good) {
            bad = true; /* perhaps this one was to be it */
            continue;
        }
        while (i < gate->case_count && cases[i].value != number)
            i++;
        if (i < gate->case_count)
            issue_error(b->ld, node_key_place(node), "the %s `%s` is given twice in `%s`",
                        bits ? "bit" : "value", shown(node->key).text, key);
        else
            cases[gate->case_count++] =
                (struct gate_case){.value = (uint32_t)number, .quality = (enum quality)quality};
        bad = bad || quality != QUALITY_GOOD;
    }
    if (!bad)
        issue_error(b->ld, node_key_place(map),
                    "`%s` names no bad quality: the register would be read for nothing", key);
}

static void refuse_key(struct build *b, const struct node *map, const char *key, const char *why)
{
    const struct node *given = node_get(map, key);

    if (given)
        issue_error(b->ld, node_key_place(given), "`%s` %s", key, why);
}

static void take_status(struct build *b, const struct node *node, struct site_gate *gate)
{
    struct status_item item = {.at = ADDRESS_ABSENT};
    const size_t errors = b->ld->config->error_count;
    bool single = false;

    fill_map(b->ld, SECTION_STATUS, node, &item);
    if (!item.is && !item.bits && b->ld->config->error_count == errors)
        issue_error(b->ld, node_place(node), "a `status` needs exactly one of `is`, `bits`");
    if (item.is && item.bits)
        issue_error(b->ld, node_key_place(item.bits),
                    "`is` and `bits` are both given; a `status` has exactly one of them");
    gate->kind = item.bits ? GATE_BITS : GATE_VALUES;
    gate->otherwise = item.otherwise;
    gate->at.mask = item.mask;
    if (address_take(b, &item.at, &gate->at.space, &gate->at.address))
        single = is_single(gate->at.space);
    if (single) {
        refuse_key(b, node, "mask", "means nothing for a coil or discrete input: it is one bit");
        refuse_key(b, node, "bits", "means nothing for a coil or discrete input: say what it `is`");
    } else if (item.bits) {
        refuse_key(b, node, "mask", "belongs to `is`: `bits` are those of the whole register");
    }
    if (item.bits)
        refuse_key(b, node, "otherwise", "belongs to `is`: where no bit is set all is good");
    if (item.is)
        take_cases(b, "is", item.is, single ? 1 : most_under(item.mask), gate);
    else if (item.bits)
        take_cases(b, "bits", item.bits, BITS - 1, gate);
}

static void take_heartbeat(struct build *b, const struct device_item *device, struct site_gate *gate)
{
    struct heartbeat_item item = {.at = ADDRESS_ABSENT};
    char period[32];

    fill_map(b->ld, SECTION_HEARTBEAT, device->heartbeat, &item);
    gate->kind = GATE_HEARTBEAT;
    gate->otherwise = QUALITY_GOOD;
    gate->at.mask = item.mask;
    gate->within_ms = item.within_ms;
    if (address_take(b, &item.at, &gate->at.space, &gate->at.address) && is_single(gate->at.space))
        refuse_key(b, device->heartbeat, "mask", "means nothing for a coil or discrete input: it is one bit");
    if (item.within_ms != 0 && item.within_ms <= device->device.poll_ms)
        issue_error(
            b->ld, node_place(node_get(device->heartbeat, "within")),
            "`within` must be longer than the poll period, %s: between two polls nothing can be seen to "
            "change",
            text_format_duration(device->device.poll_ms, period));
}

void build_gates(struct build *b, struct device_item *item)
{
    const struct node *status = item->status;
    const struct node *first = status && status->kind == NODE_LIST ? status->first : status;
    const size_t count = !status ? 0 : status->kind == NODE_LIST ? status->count : 1;
    struct site_gate *gates;

    if (status && (count == 0 || count > GATES_MAX)) {
        issue_error(b->ld, node_key_place(status), "`status` must be 1 to %d mappings", GATES_MAX);
        return;
    }
    if (count == 0 && !item->heartbeat)
        return;
    gates = load_keep(b->ld, count + 1, sizeof *gates);
    if (!gates)
        return;
    item->device.gates = gates;
    for (const struct node *node = first; node; node = status == node ? NULL : node->next) {
        if (node->kind == NODE_MAP)
            take_status(b, node, &gates[item->device.gate_count++]);
        else
            issue_error(b->ld, node_place(node), "an entry of `status` must be a mapping, not %s",
                        node_kind_words(node));
    }
    if (item->heartbeat)
        take_heartbeat(b, item, &gates[item->device.gate_count++]);
}

static void check_trigger(struct build *b, struct device_item *item, const struct site_bus *bus)
{
    struct site_trigger *t = &item->device.trigger;
    const struct node *value = node_get(item->trigger, "value");
    char period[32];

    if (t->space == SPACE_HOLDING && !value)
        issue_error(b->ld, node_place(item->trigger),
                    "`value` is missing in `trigger`: what is written to a register is never guessed");
    if (t->space == SPACE_COIL && value && t->value > 1)
        issue_error(b->ld, node_place(value), "`value` of a coil must be 0 or 1, not `%s`",
                    shown(value->text).text);
    if (t->wait_ms >= item->device.poll_ms)
        issue_error(b->ld, node_place(node_get(item->trigger, "wait")),
                    "`wait` must be shorter than the poll period, %s",
                    text_format_duration(item->device.poll_ms, period));
    if (!t->broadcast || !bus || bus->kind != BUS_TCP)
        return;
    if (node_of_profile(b->ld, node_get(item->trigger, "broadcast")))
        t->broadcast = false; /* a habit of its kind of device, which is written to by itself here */
    else
        issue_error(b->ld, node_key_place(node_get(item->trigger, "broadcast")),
                    "`broadcast` is possible on `rtu` and `rtu_over_tcp` only: on `tcp` there is no unit 0");
}

void build_trigger(struct build *b, struct device_item *item, const struct site_bus *bus)
{
    struct trigger_item trigger = {.at = ADDRESS_ABSENT, .value = -1};
    struct site_trigger *t = &item->device.trigger;

    if (!item->trigger)
        return;
    fill_map(b->ld, SECTION_TRIGGER, item->trigger, &trigger);
    if (!address_take(b, &trigger.at, &t->space, &t->address))
        return;
    if (t->space != SPACE_COIL && t->space != SPACE_HOLDING) {
        issue_error(b->ld, node_place(trigger.at.reg), "`register`: %s `%s` cannot be written",
                    t->space == SPACE_INPUT ? "the input register" : "the discrete input",
                    shown(trigger.at.reg->text).text);
        return;
    }
    t->enabled = true;
    t->value = trigger.value < 0 ? 1 : (uint16_t)trigger.value;
    t->wait_ms = trigger.wait_ms;
    t->broadcast = trigger.broadcast;
    check_trigger(b, item, bus);
}
