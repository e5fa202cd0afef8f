/* The engine's state, private to this folder. setup.c builds it, puts alarms back and starts it, inherit.c goes on after a
 * reload; rules.c feeds it, acts.c does what people ask for; tell.c carries moves out; owners.c knows whose alarm is
 * whose; shelves.c knows what is shelved; read.c answers.
 *
 * An owner is what keeps one alarm: the watched slots first, ordered by point and then by rule, so that the
 * slots of one point lie together; then the devices (for their silence); then the outputs (for their faults).
 * Owners index `open` and are the ids of the deadlines; one more id is the next end of a shelving. */
#ifndef RG_RULES_ENGINE_H
#define RG_RULES_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "rules/alarms.h"
#include "rules/condition.h"
#include "rules/deadlines.h"
#include "rules/figures.h"
#include "rules/follow.h"
#include "rules/offline.h"
#include "rules/risk.h"
#include "rules/rules.h"
#include "rules/shelves.h"
#include "rules/slot.h"

#define ENGINE_ORPHANS 1024 /* room for restored alarms beyond one for each owner */
#define ENGINE_NO_LONGER "no longer configured"
#define ENGINE_SILENT "device does not answer"
#define ENGINE_FAULTY "output cannot be brought to its state"

enum engine_kind {
    OWNER_WATCHED, /* a rule on a point: index into watched */
    OWNER_DEVICE,  /* a device's silence: index into site.devices */
    OWNER_OUTPUT,  /* an output's fault: index into site.outputs */
};
#define OWNER_KINDS (OWNER_OUTPUT + 1)

/* A rule made ready for points of one precision. */
struct engine_conf {
    struct condition_rule limits;
    struct slot_rule delays;
};

/* A rule on a point. */
struct watched {
    uint32_t point;
    uint32_t rule;
    const struct engine_conf *conf;
    struct condition condition;
    struct slot slot;
};

struct rules {
    const struct site *site;
    rules_change_cb cb;
    void *arg;
    rules_area_cb area_cb; /* or NULL */
    void *area_arg;
    bool started;
    bool levels_told;          /* rules_levels_from was called */
    struct engine_conf *confs; /* two for each rule: for doubles, for floats */
    uint32_t *first;           /* [point_count + 1]: where each point's slots begin */
    struct watched *watched;
    uint32_t watched_count;
    struct offline *offline;    /* by device */
    uint32_t *open;             /* by owner: its occurrence, or ALARMS_NONE */
    uint32_t base[OWNER_KINDS]; /* the first owner of each kind */
    uint32_t owner_count;
    struct deadlines deadlines;
    struct alarms alarms;
    struct risk risk;
    struct follow follow;
    struct figures figures;
    struct hash_index *rules_by_name, *points_by_name, *devices_by_name, *outputs_by_name,
        *areas_by_name; /* for restoring */
};

enum engine_kind engine_kind(const struct rules *r, uint32_t owner, uint32_t *index);
uint32_t engine_owner(const struct rules *r, enum engine_kind kind, uint32_t index);
/* The device an owner belongs to. */
uint32_t engine_device(const struct rules *r, uint32_t owner);
/* The area its alarms belong to, or SITE_NONE: its device's; an output's is the one it follows, if it follows one. */
uint32_t engine_area(const struct rules *r, uint32_t owner);
/* The deadline that is no owner's: the next end of a shelving. */
#define ENGINE_SHELVES(r) ((r)->owner_count)

/* Brings what the risk tree and the outputs count of an alarm up to what it is now: suppressed it counts for neither, shelved
 * not for the outputs. told: people are told just now. To be called after every change of its level or of these. */
void engine_count(struct rules *r, struct occurrence *o, bool told);
/* A restored alarm that nobody owns begins, or ceases, to count for the area it names; returns that or SITE_NONE. */
uint32_t engine_count_orphan(struct rules *r, const struct alarm *alarm, bool active);
/* Tells of a change, when everything is as it says, and then of the levels it changed: of the area of the alarm (or
 * SITE_NONE), of those above it, of the gateway. */
void engine_announce(struct rules *r, uint32_t area, const struct alarm_change *change);
/* Tells of every level that is not the one told last. */
void engine_announce_areas(struct rules *r, struct moment at);
/* Tells of an event that moves no level. by and comment may be NULL. */
void engine_tell(struct rules *r, const struct occurrence *o, enum alarm_event event, const char *by,
                 const char *comment, struct moment at);
/* Renews the deadline of an owner after it was fed. */
void engine_schedule(struct rules *r, uint32_t owner);
/* Carries out every deadline up to an instant. */
void engine_until(struct rules *r, int64_t mono_ms);
/* What an event says about its owner, whatever happened. */
struct alarm_change engine_describe(const struct rules *r, uint32_t owner, const struct alarm *alarm);
/* Carries a move out everywhere, then tells of it: who is told finds the new state. */
void engine_carry_out(struct rules *r, uint32_t owner, const struct level_move *move);
/* Tells of the clear of a restored occurrence that nobody owns, and lets go of it. */
void engine_drop_orphan(struct rules *r, uint32_t index, struct moment now);

#endif
