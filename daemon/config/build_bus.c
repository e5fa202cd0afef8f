/* buses: lines and connections, each opened by one owner. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"
#include "config/value.h"

static void take_endpoint(struct build *b, const struct node *node, struct site_bus *bus)
{
    char host[ENDPOINT_HOST_MAX];
    struct place at = node_place(node);
    const struct shown given = shown(node->text);
    const char *text = given.text;

    switch (value_endpoint(node->text, host, &bus->port)) {
    case ENDPOINT_GOOD:
        bus->host = load_keep_text(b->ld, host);
        break;
    case ENDPOINT_NO_PORT:
        issue_error(b->ld, at, "`%s` must be host:port; did you mean `%s:502`?", node->key, text);
        break;
    case ENDPOINT_BAD_PORT:
        issue_error(b->ld, at, "`%s`: the port of `%s` must be 1 to 65535", node->key, text);
        break;
    case ENDPOINT_BAD_HOST:
        issue_error(b->ld, at, "`%s` must be host:port, and `%s` does not begin with a host", node->key,
                    text);
        break;
    case ENDPOINT_BARE_IPV6:
        issue_error(b->ld, at, "`%s`: an IPv6 address stands in brackets, [address]:port, not `%s`",
                    node->key, text);
        break;
    }
}

/* baud, parity and stop bits belong to a line. */
static void check_line(struct build *b, const struct site_bus *bus, const struct node *node)
{
    static const char *const keys[] = {"baud", "parity", "stop_bits"};

    if (bus->kind == BUS_RTU && !node_get(node, "baud"))
        issue_error(b->ld, node_place(node), "`baud` is missing in a bus with `rtu`");
    for (size_t i = 0; bus->kind == BUS_TCP && i < RG_COUNT(keys); i++) {
        const struct node *given = node_get(node, keys[i]);

        if (given)
            issue_error(b->ld, node_key_place(given),
                        "`%s` means nothing on `tcp`: it belongs to `rtu` or `rtu_over_tcp`", keys[i]);
    }
}

/* What belongs to lines that are shared by many units, or driven by this machine. */
static void check_serial(struct build *b, struct bus_item *item, const struct node *node)
{
    struct rs485_item rs485 = {.rs485 = {.enabled = true}};
    const struct node *echo = node_get(node, "echo");

    if (item->bus.kind == BUS_TCP && echo)
        issue_error(b->ld, node_key_place(echo),
                    "`echo` means nothing on `tcp`: it belongs to `rtu` or `rtu_over_tcp`");
    if (!item->rs485)
        return;
    if (item->bus.kind != BUS_RTU)
        issue_error(b->ld, node_key_place(item->rs485),
                    "`rs485` belongs to `rtu`: the direction is switched at a serial port of this machine");
    fill_map(b->ld, SECTION_RS485, item->rs485, &rs485);
    item->bus.rs485 = rs485.rs485;
}

/* What two buses must not share, as text: the line itself under whatever name, or the far end. */
static const char *end_of(struct build *b, const struct site_bus *bus)
{
    char text[ENDPOINT_HOST_MAX + 16];
    char *real;
    const char *kept;

    if (bus->kind != BUS_RTU) {
        if (!bus->host)
            return NULL;
        (void)snprintf(text, sizeof text, "tcp %s:%u", bus->host, bus->port);
        return load_scratch_text(b->ld, text, strlen(text));
    }
    if (!bus->path)
        return NULL;
    real = b->ld->text_only ? NULL : realpath(bus->path, NULL); /* NULL: not on this machine */
    kept = load_scratch_text(b->ld, real ? real : bus->path, strlen(real ? real : bus->path));
    free(real);
    return kept;
}

static void check_shared(struct build *b, struct hash_index *ends, uint32_t index, const struct node *node)
{
    const struct site_bus *bus = &b->site->buses[index];
    const char *end = end_of(b, bus);
    uint32_t first = 0;
    enum rg_err err = end ? hash_index_add(ends, end, index, &first) : RG_OK;
    const struct site_bus *other = &b->site->buses[first];

    if (err == RG_ENOMEM)
        b->ld->oom = true;
    if (err != RG_EEXIST)
        return;
    if (bus->kind == BUS_RTU)
        issue_error(b->ld, node_place(node),
                    "the line `%s` is the bus `%s` already (%s): two buses would talk over each other",
                    shown(bus->path).text, other->name ? other->name : "", other->where ? other->where : "");
    else
        issue_warning(b->ld, node_place(node),
                      "the bus `%s` (%s) connects to %s port %u too: many devices serve one connection only",
                      other->name ? other->name : "", other->where ? other->where : "", bus->host, bus->port);
}

static void build_bus(struct build *b, uint32_t index, const struct node *node)
{
    struct bus_item item = {.bus = {.kind = BUS_RTU}};

    fill_map(b->ld, SECTION_BUS, node, &item);
    if (item.tcp || item.rtu_over_tcp) {
        item.bus.kind = item.tcp ? BUS_TCP : BUS_RTU_OVER_TCP;
        take_endpoint(b, item.tcp ? item.tcp : item.rtu_over_tcp, &item.bus);
    }
    if (item.tcp || item.rtu_over_tcp || item.bus.path) {
        check_line(b, &item.bus, node);
        check_serial(b, &item, node);
    }
    item.bus.where = load_where(b->ld, node_place(node));
    b->site->buses[index] = item.bus;
    if (item.bus.name)
        names_add(b->ld, &b->buses, index, item.bus.name, node_place(node_get(node, "name")));
}

void build_buses(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_BUS];
    struct hash_index *ends = NULL;

    b->site->buses = load_keep(b->ld, (size_t)entries->count + 1, sizeof *b->site->buses);
    if (!b->site->buses || !names_begin(b->ld, &b->buses, "bus", entries->count))
        return;
    if (hash_index_create(entries->count, &ends)) {
        b->ld->oom = true;
        return;
    }
    b->site->bus_count = entries->count;
    for (uint32_t i = 0; i < entries->count; i++) {
        build_bus(b, i, entries->nodes[i]);
        check_shared(b, ends, i, entries->nodes[i]);
    }
    hash_index_destroy(ends);
    line_begin(b);
}
