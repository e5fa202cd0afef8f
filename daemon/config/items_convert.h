/* The structs of the rows of `convert` and `derived`; see items.h. */
#ifndef RG_CONFIG_ITEMS_CONVERT_H
#define RG_CONFIG_ITEMS_CONVERT_H

#include "config/items.h"

struct convert_item {
    const struct node *two_point, *table, *thermistor, *wire, *concentration, *pressure; /* one of them */
};

struct two_point_item {
    const struct node *from, *to;
};

struct wire_item {
    struct site_convert wire;
    const struct node *polynomial, *temperature, *barometer;
};

struct correction_item {
    const struct node *of;
    double times, plus;
    double zero, factor;
};

struct derived_item {
    struct site_device device;
    const char *area;
    const struct node *points, *doubt, *record;
};

struct derived_point_item {
    struct point_item base;
    const struct node *ways[DERIVE_INCREASE + 1]; /* one of them, by enum derive_kind */
};

struct operand_item {
    const struct node *of;
    double times, plus;
};

struct beach_item {
    const struct node *crest, *level, *slope;
};

struct gauges_item {
    const struct node *h1, *d1, *h2, *d2, *x1, *x2;
};

struct freeboard_item {
    const struct node *crest, *flood_level;
};

struct increase_item {
    const struct node *of;
    int64_t wrap, most; /* 0: not given */
};

#endif
