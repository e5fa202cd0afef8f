/* From the parsed files to the site: one builder for each part, run in an order in which what a part refers
 * to is there. */
#ifndef RG_CONFIG_BUILD_H
#define RG_CONFIG_BUILD_H

#include "base/hash_index.h"
#include "config/items.h"
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

struct line_said;
struct operand_want;
struct twin_want;
struct value_missing;

struct build {
    struct load *ld;
    struct site *site;
    const struct node *maps[SECTION_COUNT]; /* the mapping sections: gateway, store, control, log; or NULL */
    struct entries entries[SECTION_COUNT];  /* the list sections */
    struct names uplinks, buses, devices, points, areas, permits, values, outputs;
    struct names rules;    /* by entry; rule_of tells what became of it */
    uint32_t *rule_of;     /* [entries]: index in site.rules, or SITE_NONE: left out */
    double *value_numbers; /* [values.count]: by index of the name */
    bool *values_used;
    struct value_missing *missing; /* what was told already */
    struct line_said *lines;       /* [bus_count] */
    struct operand_want *wants;    /* operands whose points are found once all have their names */
    struct twin_want *twins;       /* likewise */
};

/* The whole way; site is left incomplete when there are errors. */
void build_site(struct load *ld, struct site *site);

void build_gateway(struct build *b);
void build_store(struct build *b);
void build_control(struct build *b);
void build_metrics(struct build *b);
void build_areas(struct build *b);
void build_buses(struct build *b);
void build_devices(struct build *b);
void build_spread(struct build *b);   /* the instants of devices whose bus spreads them */
void build_derived(struct build *b);  /* right after devices: its groups lie behind them */
void build_operands(struct build *b); /* after both: finds the points that points are worked out from */
void build_doubts_end(
    struct build *b);                /* likewise: the twins of points, and how long their doubts must last */
void build_uplinks(struct build *b); /* after devices */
void build_routine(struct build *b); /* after uplinks: reports and self_test */
void build_alarms(struct build *b);  /* shelving, permits and values */
void build_rules(struct build *b);   /* after devices and alarms */
void build_values_end(struct build *b); /* after rules: tells of values that nothing names */
void build_outputs(struct build *b);    /* after rules */

/* Where the parts of devices, points and rules are split over files. */
/* One point of a device: its number in site.points, and what it says. */
void build_point(struct build *b, const struct device_item *device, uint32_t device_index,
                 const struct node *own, uint32_t index);
/* Where a point is defined. */
void point_place(struct build *b, struct site_point *point, const struct node *own);
/* What points that are read and points that are worked out have in common: full name, scaling, range. name: its node. */
void build_point_common(struct build *b, struct point_item *item, const struct node *name, uint32_t index);
/* convert -> point.convert; the item's address and type are known. */
void build_convert(struct build *b, struct point_item *item);
/* One operand: a number, or a point which is found later. device: of the point it is for, to find points beside it.
 * into must stay where it is. */
enum operand_kind { OPERAND_WRONG, OPERAND_NUMBER, OPERAND_POINT };
enum operand_kind operand_take(struct build *b, const char *key, const struct node *node, uint32_t device,
                               struct site_operand *into);
/* The same for the keys of, times, plus of a mapping. */
enum operand_kind operand_want(struct build *b, uint32_t device, const struct node *of, double times,
                               double plus, const struct node *map, struct site_operand *into);
/* The index of the point that a text names: device.point, or the name of a point of that device; an error at `node`, and
 * SITE_NONE, when there is none. */
uint32_t point_find(struct build *b, uint32_t device, const struct node *node);
/* The same without a word; name: the scalar's text. */
uint32_t point_look(const struct build *b, uint32_t device, const char *name);
/* doubt of a device or group -> what holds for its points, in scratch memory and never NULL; map NULL: the default. And that of one
 * of its points, whose own `doubt` is map. Where a group says nothing its points have none. */
const struct site_doubt *build_doubts(struct build *b, const struct node *map);
void build_doubt(struct build *b, const struct site_doubt *standard, bool none, const struct node *map,
                 struct site_point *point, uint32_t index);
/* status and heartbeat -> device.gates; after its poll period is known. */
void build_gates(struct build *b, struct device_item *item);
/* trigger -> device.trigger; bus: NULL when it is not known. */
void build_trigger(struct build *b, struct device_item *item, const struct site_bus *bus);
/* record -> device.record, which is untouched without a map; the poll period is known. */
void build_record(struct build *b, const struct node *map, struct site_device *device);
/* `change` of a point, whose mapping is own. */
void build_change(struct build *b, const struct node *own);
/* Passwords, certificates and keys of an uplink, all else of it known. */
void build_security(struct build *b, const struct site_uplink *uplink, const struct node *node);
/* What each line is set to, as its bus says; after the buses. */
void line_begin(struct build *b);
/* Refuses a device that is set otherwise than its line; device.bus is known. */
void line_check(struct build *b, const struct device_item *item);
/* Which of the five keys was given. false: none that is right, reported already or now. */
bool address_take(struct build *b, const struct address_item *at, enum point_space *space, uint16_t *address);
/* A key of {number: ...} as a whole number of least to most; true and false are 1 and 0 where most is 1. An
 * error otherwise; `what` names it: "a value in `is`". */
bool key_number(struct build *b, const char *what, const struct node *child, int64_t least, int64_t most,
                int64_t *out);
/* The parts of a rule, its `where` and name known. points and vote -> its points, false: it is optional and matches
 * none, or fewer than its vote needs. */
struct match;
RG_NODISCARD bool match_begin(struct build *b, struct match **out);
bool rule_points(struct build *b, struct match *match, uint32_t stamp, const struct rule_item *item,
                 struct site_rule *rule);
/* above and below; points: false, the rule is left out: only what is written is looked at. */
void rule_limits(struct build *b, const struct rule_item *item, bool points, struct site_rule *rule);
/* A number, or {value, times, plus}; false: none, told. points as above. */
bool rule_number(struct build *b, const struct site_rule *rule, bool points, const struct node *node,
                 double *out);
/* signal or one of its windows, with what belongs to it. */
void rule_signal(struct build *b, const struct rule_item *item, const struct node *node,
                 struct site_rule *rule);
/* when and permit; of a rule that is left out only the values that it names are marked as used. */
void rule_arming(struct build *b, const struct rule_item *item, const struct node *node, bool points,
                 struct site_rule *rule);
/* The points that stand beside each watched one; NULL, with an error, when one is missing or is the watched one. */
const uint32_t *rule_beside(struct build *b, const struct site_rule *rule, const struct node *name);
/* true, false or a number. */
bool rule_value(const char *text, double *out);
/* Whether a point can have that value. */
bool point_may_be(const struct site_point *point, double value);
/* The highest level that a rule can give. */
enum level rule_most(const struct site_rule *rule);
void rule_check(struct build *b, const struct site_rule *rule, const struct node *node);

/* Warns where the polls asked for cannot fit, and notes in devices how many requests a poll takes. Only for a site without errors. */
void budget_check(struct build *b);
/* Refuses what would hold back too many readings; after budget_check, only for a site without errors. */
void record_check(struct build *b);

/* names_begin makes room for count names (false: out of memory). names_add refuses a duplicate and says where
 * the first is. names_find returns the index of what `text` refers to, or SITE_NONE with an error at `at`
 * that offers the nearest name. */
RG_NODISCARD bool names_begin(struct load *ld, struct names *names, const char *kind, uint32_t count);
void names_add(struct load *ld, struct names *names, uint32_t index, const char *name, struct place at);
uint32_t names_find(struct load *ld, const struct names *names, const char *text, struct place at);
void names_end(struct names *names);

#endif
