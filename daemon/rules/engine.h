/* The engine's state, private to this folder. setup.c builds it, puts alarms back and starts it, inherit.c goes on after a
 * reload; rules.c feeds it, acts.c does what people ask for; tell.c carries moves out; owners.c knows whose alarm is
 * whose; shelves.c knows what is shelved; read.c answers. watch.c takes readings to rules, votes.c to votes, doubted.c to doubts; refer.c knows the
 * points that others look at, armed.c what that and permits do to a rule.
 *
 * An owner is what keeps one alarm: the watched slots first (watched.h), ordered by point and then by rule, so that the
 * slots of one point lie together; then the devices (for their silence); then the outputs (for their faults);
 * then the votes, whose members are watched slots that keep no alarm of their own; then the uplinks (for failed self tests); then the points
 * that can be doubted.
 * Owners index `open` and are the ids of the deadlines; one more id is the next end of a shelving, then come the permits. */
#ifndef RG_RULES_ENGINE_H
#define RG_RULES_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "rules/alarms.h"
#include "rules/condition.h"
#include "rules/deadlines.h"
#include "rules/depend.h"
#include "rules/doubts.h"
#include "rules/figures.h"
#include "rules/follow.h"
#include "rules/heard.h"
#include "rules/offline.h"
#include "rules/risk.h"
#include "rules/rules.h"
#include "rules/shelves.h"
#include "rules/slot.h"
#include "rules/vote.h"
#include "rules/watched.h"
#include "rules/windows.h"

#define ENGINE_ORPHANS 1024 /* room for restored alarms beyond one for each owner */
#define ENGINE_NO_LONGER "no longer configured"
#define ENGINE_SILENT "device does not answer"
#define ENGINE_DOUBTED "reading is not to be believed"
#define ENGINE_UNTESTED "a test alarm did not come through"
#define ENGINE_FAULTY "output cannot be brought to its state"

enum engine_kind {
    OWNER_WATCHED, /* a rule on a point: index into watched */
    OWNER_DEVICE,  /* a device's silence: index into site.devices */
    OWNER_OUTPUT,  /* an output's fault: index into site.outputs */
    OWNER_VOTE,    /* a rule that its members vote on: index into votes */
    OWNER_UPLINK,  /* an uplink that a self test did not come through: index into site.uplinks */
    OWNER_DOUBT,   /* a point that is not to be believed: index into doubts.all */
};
#define OWNER_KINDS (OWNER_DOUBT + 1)

/* A rule whose points vote. */
struct voting {
    uint32_t rule;
    uint32_t area;                  /* that all members are in or below, or SITE_NONE */
    const char *label;              /* of the device that all members are of, or NULL */
    const char *const *names;       /* full names of the members */
    const struct engine_conf *conf; /* for its delays */
    uint8_t disarmed;
    bool heard;         /* a member's reading came in this frame */
    enum level said;    /* by the vote, after the last frame */
    uint32_t decider;   /* watched: the member that made it say so, or SITE_NONE */
    enum level step;    /* what it says, reading by reading */
    uint32_t candidate; /* the member that made it so */
    struct vote vote;
    struct slot slot;
};

/* The last sample of a point that others look at. */
enum known_state { KNOWN_NOTHING, KNOWN_BAD, KNOWN_GOOD };
struct known {
    double value;
    enum known_state state;
};

/* Until when a permit is open. */
struct permit {
    int64_t until_ms; /* monotonic; INT64_MIN: it is closed */
    struct moment opened;
};

struct rules {
    const struct site *site;
    rules_change_cb cb;
    void *arg;
    rules_area_cb area_cb; /* or NULL */
    void *area_arg;
    bool started;
    struct moment now;   /* of what is in hand: how the clocks stand to each other */
    bool levels_told;    /* rules_levels_from was called */
    int64_t unasked_ms;  /* rules_unasked */
    struct heard *heard; /* [point_count + 1]: by point */
    uint32_t *slots;     /* [watched_count]: watched.h; by point, then by rule */
    uint32_t watched_count;
    bool doubting;              /* what the frame in hand says may concern a doubt */
    struct watched_band *bands; /* by conf */
    struct engine_conf *confs;  /* of each rule one or two: for doubles, for floats */
    uint32_t *conf_of;          /* by rule: its first */
    struct watched *awake;      /* [awake_used]: states; those that are free are linked */
    uint32_t awake_used, awake_free;
    struct watched_more *more;
    struct windows windows; /* what the watched look back over */
    struct voting *votes;   /* in the order of the rules */
    uint32_t vote_count;
    struct vote_member *vote_members; /* of all votes */
    const char **vote_names;
    uint32_t *votes_heard; /* [votes_heard_count]: those that heard something in this frame */
    uint32_t votes_heard_count;
    struct known *known;              /* by point; NULL: no point is looked at by others */
    struct depend references, guards; /* point: watched whose limits follow it; owners that it guards */
    struct depend permitted;          /* permit: owners */
    struct permit *permits;           /* by site.permits */
    struct engine_conf *own;          /* of the watched whose limits follow other points */
    struct offline *offline;          /* by device */
    uint32_t *open;                   /* by owner: 1 + its occurrence, or 0: engine_open */
    uint32_t base[OWNER_KINDS];       /* the first owner of each kind */
    uint32_t owner_count;
    struct doubts doubts;
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
/* Who keeps the alarm of a watched slot: itself, or the vote that it is a member of. */
uint32_t engine_slot_owner(const struct rules *r, uint32_t watched);
/* The occurrence of an owner's alarm, or ALARMS_NONE. */
static inline uint32_t engine_open(const struct rules *r, uint32_t owner)
{
    return r->open[owner] - 1u; /* 0: ALARMS_NONE */
}

static inline void engine_set_open(struct rules *r, uint32_t owner, uint32_t occurrence)
{
    r->open[owner] = occurrence + 1u;
}

/* The state of a slot that is awake; NULL: it rests. */
static inline struct watched *watched_state(const struct rules *r, uint32_t watched)
{
    uint32_t slot = r->slots[watched];

    return slot & WATCHED_AWAKE ? &r->awake[slot & WATCHED_INDEX] : NULL;
}

/* The slot of an owner that has one (a rule on a point that is awake, a vote), with its delays; else NULL. */
struct slot *engine_slot(struct rules *r, uint32_t owner, const struct slot_rule **rule);
/* The device an owner belongs to; of a vote the one of its first member; of an uplink SITE_NONE. */
uint32_t engine_device(const struct rules *r, uint32_t owner);
/* Whether self tests have to come through that uplink. */
static inline bool engine_tests(const struct site *site, uint32_t uplink)
{
    return site->self_test.every_ms > 0 && site->self_test.uplinks[uplink];
}
/* The area its alarms belong to, or SITE_NONE: its device's; an output's is the one it follows, if it follows one. */
uint32_t engine_area(const struct rules *r, uint32_t owner);
/* The deadlines that are no owner's: the next end of a shelving, and of each permit. */
#define ENGINE_SHELVES(r) ((r)->owner_count)
#define ENGINE_PERMITS(r) ((r)->owner_count + 1)

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
/* A reading of a point that can be doubted; then, when all of its frame have been taken, one that is the twin of others: those
 * that are read together are compared as they are read, not one with what the other was before. doubts_note_twins was called
 * with the frame. */
void engine_doubt(struct rules *r, const struct sample *sample, struct moment at);
void engine_doubt_twins(struct rules *r, const struct sample *sample, struct moment at);
/* Renews the deadline of an owner after it was fed. */
void engine_schedule(struct rules *r, uint32_t owner);
/* Carries out every deadline up to an instant. */
void engine_until(struct rules *r, int64_t mono_ms);
/* The same, and how the clocks stand to each other now. */
void engine_take(struct rules *r, struct moment now);
/* What an event says about its owner, whatever happened. */
struct alarm_change engine_describe(const struct rules *r, uint32_t owner, const struct alarm *alarm);
/* Carries a move out everywhere, then tells of it: who is told finds the new state. */
void engine_carry_out(struct rules *r, uint32_t owner, const struct level_move *move);
/* Tells of the clear of a restored occurrence that nobody owns, and lets go of it. */
void engine_drop_orphan(struct rules *r, uint32_t index, struct moment now);

/* watch.c: a sample of a point of the site. */
void engine_watch(struct rules *r, const struct sample *sample, struct moment at);
/* Judges a reading of a watched slot that is awake. */
void engine_judge(struct rules *r, uint32_t watched, const struct reading *reading, struct moment at);

/* votes.c: the votes of the site, after its watched slots were made. RG_ENOMEM. */
RG_NODISCARD enum rg_err votes_create(struct rules *r);
void votes_destroy(struct rules *r);
/* Of a rule, or SITE_NONE. */
uint32_t votes_find(const struct rules *r, uint32_t rule);
void votes_restore(struct rules *r, uint32_t vote, const struct alarm *alarm);
/* The watched slot of the member at a place. */
uint32_t votes_member(const struct rules *r, const struct voting *v, uint32_t place);
/* A member's reading. */
void votes_take(struct rules *r, uint32_t watched, const struct reading *reading, struct moment at);
/* After a frame: what the votes say that heard anything in it. */
void votes_judge(struct rules *r, struct moment at);

/* refer.c: points that others look at. RG_ENOMEM. */
RG_NODISCARD enum rg_err refer_create(struct rules *r);
void refer_destroy(struct rules *r);
/* Before the rules see a frame, for each of its samples: what is known of the point, the limits that follow it, the rules it
 * guards. Only where there is `known`. */
void refer_note(struct rules *r, const struct sample *sample, struct moment at);
/* After the rules saw the frame: what is compared with the point is judged anew. */
void refer_judge(struct rules *r, const struct sample *sample, struct moment at);
/* What the engine at work until then knew; points: for each point the one of the old site, or SITE_NONE. */
void refer_inherit(struct rules *r, const struct rules *from, const uint32_t *points);
/* The guards of a point's rules, after it is known. */
void refer_guards(struct rules *r, uint32_t point, struct moment at);

/* armed.c: RG_ENOMEM. */
RG_NODISCARD enum rg_err armed_create(struct rules *r);
void armed_destroy(struct rules *r);
/* One of the reasons for a rule not to be armed begins or ends. */
void armed_set(struct rules *r, uint32_t owner, unsigned why, bool holds, struct moment at);
/* An alarm was acknowledged: what its latch kept from being suppressed is suppressed now. */
void armed_acked(struct rules *r, uint32_t owner, struct moment now);
/* An alarm was put back: if it was suppressed by its guard, it is until the guard's point is heard. */
void armed_restore(struct rules *r, uint32_t owner, const struct alarm *alarm);
/* What was put back is brought into line with what is armed now. */
void armed_start(struct rules *r, struct occurrence *o, struct moment now);
/* The permit whose deadline came. */
void armed_expire(struct rules *r, uint32_t permit);

#endif
