/* devices: who is read on which bus, and how often. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"
#include "config/profile_parts.h"

/* Contract §3: silence is an alarm after three missed polls and at least 10 s. */
#define OFFLINE_POLLS 3
#define OFFLINE_LEAST_MS 10000
#define UNIT_LAST 247     /* Modbus over serial line V1.02, 2.2 */
#define UNIT_TCP_SELF 255 /* Modbus messaging on TCP/IP V1.0b, 4.4.2.2: the server itself */
#define TIMEOUT_STANDARD_MS 1000

static void check_unit(struct build *b, const struct site_device *device, const struct site_bus *bus,
                       const struct node *unit)
{
    if (device->unit <= UNIT_LAST)
        return;
    if (device->unit != UNIT_TCP_SELF)
        issue_error(b->ld, node_place(unit), "unit %u is reserved: a unit is 1 to %d", device->unit,
                    UNIT_LAST);
    else if (bus && bus->kind != BUS_TCP)
        issue_error(b->ld, node_place(unit), "unit %u is possible on `tcp` only", device->unit);
}

static void check_offline(struct build *b, struct device_item *item)
{
    struct site_device *device = &item->device;
    const struct node *after = node_get(node_get(item->own, "offline"), "after");

    if (device->offline_after_ms == 0) {
        device->offline_after_ms = OFFLINE_POLLS * device->poll_ms;
        if (device->offline_after_ms < OFFLINE_LEAST_MS)
            device->offline_after_ms = OFFLINE_LEAST_MS;
    } else if (device->offline_after_ms <= device->poll_ms) {
        issue_error(b->ld, node_place(after),
                    "`after` must be longer than the poll period: an alarm would rise between two polls");
    }
}

static void check_poll_offset(struct build *b, const struct device_item *item)
{
    const struct site_device *device = &item->device;
    char period[32];

    if (device->poll_offset_ms > 0 && device->poll_offset_ms >= device->poll_ms)
        issue_error(b->ld, node_place(node_get(item->own, "poll_offset")),
                    "`poll_offset` must be shorter than the poll period, %s",
                    text_format_duration(device->poll_ms, period));
}

/* Defaults that depend on the bus, and what refers to other parts. */
static void join_device(struct build *b, struct device_item *item)
{
    struct site_device *device = &item->device;
    const struct site_bus *bus = NULL;

    device->area = SITE_NONE;
    device->bus = SITE_NONE;
    if (item->bus)
        device->bus = names_find(b->ld, &b->buses, item->bus, node_place(node_get(item->own, "bus")));
    if (device->bus != SITE_NONE)
        bus = &b->site->buses[device->bus];
    if (item->area)
        device->area = names_find(b->ld, &b->areas, item->area, node_place(node_get(item->own, "area")));
    if (device->timeout_ms == 0)
        device->timeout_ms = bus ? bus->timeout_ms : TIMEOUT_STANDARD_MS;
    check_unit(b, device, bus, node_get(item->own, "unit"));
    check_offline(b, item);
    check_poll_offset(b, item);
    line_check(b, item);
    build_gates(b, item);
    build_trigger(b, item, bus);
    build_record(b, item->record, device);
}

static void build_points(struct build *b, const struct device_item *item, uint32_t device)
{
    struct site_device *d = &b->site->devices[device];
    const struct node *points = item->points;

    d->first_point = (uint32_t)b->site->point_count;
    for (const struct node *node = points ? points->first : NULL; node; node = node->next) {
        if (b->site->point_count == CONFIG_POINTS) {
            issue_error(b->ld, node_place(node), "more than %u points", CONFIG_POINTS);
            break;
        }
        if (node->kind == NODE_MAP)
            build_point(b, item, device, node, (uint32_t)b->site->point_count++);
        else
            issue_error(b->ld, node_place(node), "an entry of `points` must be a mapping, not %s",
                        node_kind_words(node));
    }
    d->point_count = (uint32_t)b->site->point_count - d->first_point;
    if (points && points->count == 0)
        issue_error(b->ld, node_place(points), "`points` is empty: nothing would be read of the device");
}

/* What the keys of a device say, before any of it is looked at. */
static void take_device(struct build *b, struct device_item *item, const struct node *node)
{
    /* A unit that is refused must not bring further complaints with it. */
    *item = (struct device_item){.device = {.unit = 1}, .own = node};
    fill_map(b->ld, SECTION_DEVICE, node, item);
}

static uint32_t count_points(const struct entries *devices)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < devices->count; i++) {
        const struct node *points = node_get(devices->nodes[i], "points");

        count += points && points->kind == NODE_LIST ? points->count : 0;
    }
    return count;
}

/* Room for devices and points, those of `derived` too: they share names and places. */
static bool make_room(struct build *b)
{
    const struct entries *devices = &b->entries[SECTION_DEVICE], *derived = &b->entries[SECTION_DERIVED];
    uint32_t count = devices->count + derived->count;
    uint32_t points = count_points(devices) + count_points(derived);

    if (points > CONFIG_POINTS)
        points = CONFIG_POINTS;
    b->site->devices = load_keep(b->ld, (size_t)count + 1, sizeof *b->site->devices);
    b->site->points = load_keep(b->ld, (size_t)points + 1, sizeof *b->site->points);
    return b->site->devices && b->site->points && names_begin(b->ld, &b->devices, "device", count) &&
           names_begin(b->ld, &b->points, "point", points);
}

/* Every device as it is with its profile. */
static void expand_profiles(struct build *b)
{
    struct entries *entries = &b->entries[SECTION_DEVICE];

    for (uint32_t i = 0; i < entries->count && !b->ld->oom; i++) {
        const struct node *merged = profile_expand(b->ld, entries->nodes[i]);

        if (merged)
            entries->nodes[i] = merged;
    }
}

void build_devices(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_DEVICE];

    expand_profiles(b);
    if (b->ld->oom || !make_room(b))
        return;
    for (uint32_t i = 0; i < entries->count && !b->ld->oom; i++) {
        const struct node *node = entries->nodes[i];
        struct device_item item;

        take_device(b, &item, node);
        join_device(b, &item);
        item.standard = build_doubts(b, item.doubt);
        item.device.where = load_where(b->ld, node_place(node));
        b->site->devices[i] = item.device;
        b->site->device_count = i + 1;
        if (item.device.name)
            names_add(b->ld, &b->devices, i, item.device.name, node_place(node_get(node, "name")));
        build_points(b, &item, i);
    }
}
