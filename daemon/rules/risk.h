/* The live risk of areas, kept step by step.
 *
 * An area's level is the highest of the alarms that belong to it and of the levels of the areas below it. One with
 * AGGREGATE_GB39496 goes further (GB 39496-2020 5.5.4): the alarms of one rule, in the area and below it, are one kind
 * ("item"). Four blue ones of a kind count as one yellow, three yellow as one orange, two orange as one red, carried
 * upward, what is carried counting with those that were there; the item's level is the highest of which there is one then.
 * The items are taken together by the same steps, and the area is at the highest of all this and of what it would be at
 * without. Three yellow and four blue are so four yellow, hence orange: the standard does not say, and the higher reading
 * is the careful one. Silent devices, doubted readings and faulty outputs are no items: they count by their own level.
 * More or higher alarms never make a level lower. */
#ifndef RG_RULES_RISK_H
#define RG_RULES_RISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/level.h"
#include "model/site.h"

/* Alarms of one rule in an area that aggregates, and below it. */
struct risk_kind {
    uint32_t rule;
    uint32_t active[LEVEL_COUNT]; /* [LEVEL_NONE] unused, here and below */
};

struct risk_node {
    uint32_t parent; /* or SITE_NONE */
    uint8_t level;   /* enum level: now */
    uint8_t told;    /* enum level: that was told last */
    bool aggregates;
    uint32_t active[LEVEL_COUNT]; /* alarms in the area and below it */
    uint32_t parts[LEVEL_COUNT];  /* its own alarms, and the areas right below it by their levels */
    uint32_t items[LEVEL_COUNT];  /* kinds by their level */
    struct risk_kind *kinds;      /* ascending by rule: those that watch a point in the area or below it */
    uint32_t kind_count;
};

struct risk {
    size_t count;
    struct risk_node *nodes; /* by area */
    struct risk_node total;  /* alarms without an area included */
    struct risk_kind *kinds; /* of all nodes */
};

/* One that counts four, three and two of a level as one of the next (see above): the highest level there is then.
 * active[LEVEL_NONE] is not looked at. */
enum level risk_carry(const uint32_t active[LEVEL_COUNT]);

/* Parents come from the site's areas and never form a cycle. RG_ENOMEM. */
RG_NODISCARD enum rg_err risk_create(struct risk *risk, const struct site *site);
void risk_destroy(struct risk *risk); /* takes a zeroed one */
/* Bytes that risk_create takes for this site, at most. */
uint64_t risk_memory(const struct site *site);

/* An alarm of this area (or SITE_NONE) and rule (or SITE_NONE: of no kind) went from one level to another; LEVEL_NONE: it
 * is not active, or counts for nothing. O(depth of the tree * log rules). */
void risk_move(struct risk *risk, uint32_t area, uint32_t rule, enum level was, enum level now);
/* The live level of the area; SITE_NONE: of all. *alarms (may be NULL): how many are active in it and below. An area that
 * is not there has none. */
enum level risk_level(const struct risk *risk, uint32_t area, size_t *alarms);

/* Calls cb for the area, those above it and the whole (SITE_NONE), in this order, where the level is another than the one
 * last told (at first: none), and notes it as told. SITE_NONE: of the whole only. cb may be NULL. */
typedef void (*risk_tell_cb)(void *arg, uint32_t area, enum level level, enum level was);
void risk_tell(struct risk *risk, uint32_t area, risk_tell_cb cb, void *arg);
/* The same for all areas, in the site's order, and the whole. */
void risk_tell_all(struct risk *risk, risk_tell_cb cb, void *arg);
/* Notes what was told of an area (SITE_NONE: of the whole) before. */
void risk_told(struct risk *risk, uint32_t area, enum level level);

#endif
