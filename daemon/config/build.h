/* From the parsed files to the site: one builder for each part, run in an order in which what a part refers
 * to is there. */
#ifndef RG_CONFIG_BUILD_H
#define RG_CONFIG_BUILD_H

#include "base/hash_index.h"
#include "config/load.h"
#include "config/table.h"

/* The entries of one list section, over all files. */
struct entries {
    const struct node **nodes;
    uint32_t count;
    bool full; /* CONFIG_ENTRIES was passed, and told */
};

/* The names of one kind, unique over all files, and where each is defined. */
struct names {
    const char *kind; /* "device", for messages */
    struct hash_index *index;
    const char **list;    /* [count]; "" where an entry has no usable name */
    struct place *places; /* [count] */
    uint32_t count;
};

struct build {
    struct load *ld;
    struct site *site;
    const struct node *maps[SECTION_COUNT]; /* the mapping sections: gateway, store, control, log; or NULL */
    struct entries entries[SECTION_COUNT];  /* the list sections */
    struct names uplinks, buses, devices, points, areas, rules;
};

/* The whole way; site is left incomplete when there are errors. */
void build_site(struct load *ld, struct site *site);

void build_gateway(struct build *b);
void build_store(struct build *b);
void build_areas(struct build *b);
void build_buses(struct build *b);
void build_devices(struct build *b);
void build_uplinks(struct build *b); /* after devices */
void build_rules(struct build *b);   /* after devices */

/* Where the parts of points and rules are split over files. */
void build_point(struct build *b, uint32_t device, const struct node *node, uint32_t index);
void rule_check(struct build *b, const struct site_rule *rule, const struct node *node);

/* Warns where the polls asked for cannot fit. Only for a site without errors. */
void budget_check(struct build *b);

/* names_begin makes room for count names (false: out of memory). names_add refuses a duplicate and says where
 * the first is. names_find returns the index of what `text` refers to, or SITE_NONE with an error at `at`
 * that offers the nearest name. */
RG_NODISCARD bool names_begin(struct load *ld, struct names *names, const char *kind, uint32_t count);
void names_add(struct load *ld, struct names *names, uint32_t index, const char *name, struct place at);
uint32_t names_find(struct load *ld, const struct names *names, const char *text, struct place at);
void names_end(struct names *names);

#endif
