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

struct self_test_item {
    struct site_self_test test;
    const struct node *uplinks;
};

struct bus_item {
    struct site_bus bus;
    const struct node *tcp, *rtu_over_tcp;
    const struct node *rs485;
};

struct rs485_item {
    struct site_rs485 rs485;
};

struct device_item {
    struct site_device device;
    const struct node *own; /* as it is with its profile */
    const char *bus, *area;
    enum word_order order; /* of its points that do not name theirs */
    const struct node *points;
    const struct node *line, *status, *heartbeat, *trigger, *doubt, *record;
    const struct site_doubt *standard; /* of its points that say nothing else */
};

/* How a device is set, as far as it is told. */
struct line_item {
    uint32_t baud;
    enum parity parity;
    uint8_t stop_bits;
};

/* Where something is read, before it is known which of the keys was given; see address_take. */
struct address_item {
    int64_t space[SPACE_HOLDING + 1]; /* by enum point_space; -1: not given */
    const struct node *reg;
};
#define ADDRESS_ABSENT                                                                                       \
    {                                                                                                        \
        .space = { -1, -1, -1, -1 }                                                                          \
    }

struct status_item {
    struct address_item at;
    uint16_t mask;
    const struct node *is, *bits;
    enum quality otherwise;
};

struct heartbeat_item {
    struct address_item at;
    uint16_t mask;
    int64_t within_ms;
};

struct trigger_item {
    struct address_item at;
    int64_t value; /* -1: not given */
    int64_t wait_ms;
    bool broadcast;
};

struct decimals_item {
    struct address_item at;
    uint16_t mask;
};

struct point_item {
    struct site_point point;
    const struct node *own;
    struct address_item at;
    enum point_type type;
    enum word_order order;
    int64_t mask;
    const struct node *scale, *offset;
    const struct node *range, *invalid;
    const struct node *decimals_from, *values, *convert, *doubt;
};

struct output_item {
    struct site_output output;
    const char *device;
    struct address_item at;
    int64_t on, off; /* -1: not given */
    bool invert;
    const struct node *when;
};

struct when_item {
    const char *area, *rule;
    enum level from;
};

struct area_item {
    struct site_area area;
    const char *parent;
};

struct limits_item {
    const struct node *limit[LEVEL_COUNT];
};

/* A limit that is not a plain number: it follows a point, or a value of the site. */
struct limit_item {
    const struct node *of;
    const char *value;
    double times, plus;
};

/* Windows by kind of signal; 0: not given. */
struct signal_item {
    int64_t window_ms[SIGNAL_FLAT + 1];
};

struct vote_item {
    int64_t need;
    const struct node *points;
    enum vote_bad bad;
};

struct guard_item {
    struct site_guard guard;
    const struct node *point, *is, *above, *below;
};

struct doubt_item {
    struct site_doubt doubt;
    const struct node *rate, *twin;
};

struct doubt_rate_item {
    double change;
    int64_t per_ms;
};

struct twin_item {
    const struct node *point;
    double within;
};

struct rule_item {
    struct site_rule rule;
    const struct node *points;
    const struct node *is;
    struct limits_item above, below;
    bool optional;
    const struct node *signal;
    struct signal_item windows;
    double coverage; /* per cent */
    const struct node *deadband, *latch, *vote, *when, *basis;
    const char *permit;
};

/* A profile file's own keys; those of a device in it are merged with the device's (profile_merge.c). */
struct profile_item {
    const char *name, *maker, *device, *reads, *source, *note;
    const struct node *asks;
    const struct node *unit_codes, *vectors;
};

struct unit_codes_item {
    const char *point;
    struct address_item at;
    uint16_t mask;
    const struct node *codes;
};

struct vector_item {
    const char *about;
    bool derived;
    const struct node *give, *expect;
    const struct node *at[4]; /* by enum point_space */
    const struct node *reg;
};

#endif
