/* The structs that the rows of the table fill: a part of the site, and beside it what its builder still has
 * to work out. */
#ifndef RG_CONFIG_ITEMS_H
#define RG_CONFIG_ITEMS_H

#include "config/node.h"
#include "model/site.h"

struct uplink_item {
    struct site_uplink uplink;
    const char *url;
    const struct node *telemetry_devices;
    const struct node *commands;
};

struct bus_item {
    struct site_bus bus;
    const struct node *tcp, *rtu_over_tcp;
};

struct device_item {
    struct site_device device;
    const char *bus, *area;
    const struct node *points;
};

struct point_item {
    struct site_point point;
    int64_t at[4]; /* coil, discrete, input, holding; by enum point_space; -1: not given */
    int64_t mask;
    const struct node *reg;
    const struct node *scale, *offset;
    const struct node *range, *invalid;
};

struct area_item {
    struct site_area area;
    const char *parent;
};

struct limits_item {
    const struct node *limit[LEVEL_COUNT];
};

struct rule_item {
    struct site_rule rule;
    const struct node *points;
    const struct node *is;
    struct limits_item above, below;
};

#endif
