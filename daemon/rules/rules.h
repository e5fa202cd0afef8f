/* The rule engine: a pure function of the site, the samples and the time that comes with them.
 *
 * It reads no clock, does no input or output, and allocates nothing after rules_create. The daemon, a back-test and the tests
 * run this same code. For each rule and each point it matches there is one slot with at most one active alarm; for each
 * device one slot for its silence (rule `offline`).
 *
 * Level of a slot: the highest level whose condition holds. above: value >= limit; below: value <= limit; is: value == v.
 * Dead-band: a level once reached holds until the value is back past its limit by more than the dead-band
 * (above: value < limit - deadband; below: value > limit + deadband).
 * On-delay: a level must hold without a break that long before it is raised or escalated to; levels have clocks of their own,
 * so a red that holds long enough is reached though yellow was not yet. Off-delay: the lower level must hold that long
 * before the alarm steps down (to the highest level that held throughout) or clears.
 * Bad quality: breaks no alarm's hold and lowers nothing: an off-delay that runs is stopped and begins anew with the next
 * good sample; an on-delay that runs is frozen: it neither raises nor is forgotten until a good sample says whether the condition
 * still holds (if it does the delay counts from its first instant).
 * The time of a transition is the instant the rule gives (for an on-delay: its end), on both clocks.
 *
 * Offline: a device not heard (no frame with heard) for offline_after_ms raises at its offline_level at exactly that
 * instant; the first frame heard clears it. The wait begins at rules_start. */
#ifndef RG_RULES_RULES_H
#define RG_RULES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/alarm.h"
#include "model/level.h"
#include "model/moment.h"
#include "model/sample.h"
#include "model/site.h"

struct rules;

/* Called for every transition, in order of their instants within a call of rules_frame or rules_tick. */
typedef void (*rules_change_cb)(void *arg, const struct alarm_change *change);

/* next_alarm: the number of the next occurrence ("<gateway id>-<number>"), >= 1. site must outlive it. RG_ENOMEM. */
RG_NODISCARD enum rg_err rules_create(const struct site *site, uint64_t next_alarm, rules_change_cb cb, void *arg,
                                      struct rules **out);
void rules_destroy(struct rules *r); /* takes NULL */

/* Puts back an occurrence that was active when the daemon stopped; before rules_start. An occurrence whose rule, point or
 * device is no longer configured is cleared at rules_start with a comment that says so, never forgotten in silence.
 * RG_EFULL: no memory for one more such orphan (the caller logs it). */
RG_NODISCARD enum rg_err rules_restore(struct rules *r, const struct alarm *alarm);
/* Time begins. */
void rules_start(struct rules *r, struct moment now);

/* Evaluates one frame. Deadlines up to its instant are carried out first. Time never goes back: a frame older than the last
 * call is taken at its own instant for its own points only. */
void rules_frame(struct rules *r, const struct frame *frame);
/* Carries out every deadline up to now. */
void rules_tick(struct rules *r, struct moment now);
/* The monotonic instant of the next deadline, or INT64_MAX. */
int64_t rules_next_ms(const struct rules *r);

/* Acknowledges an active alarm. RG_ENOTFOUND: no such active alarm; RG_EEXIST: acknowledged already. by must not be empty (RG_EINVAL). */
RG_NODISCARD enum rg_err rules_ack(struct rules *r, const char *alarm, const char *by, const char *comment,
                                   struct moment now);

/* Live risk: the highest active alarm in the area and below it; alarms: how many active ones there are. */
enum level rules_area_level(const struct rules *r, uint32_t area, size_t *alarms);
enum level rules_level(const struct rules *r); /* the highest of all, alarms without an area included */

struct rules_counts {
    size_t active[LEVEL_COUNT]; /* by level; [LEVEL_NONE] unused */
    size_t unacked, shelved;
};
void rules_counts(const struct rules *r, struct rules_counts *out);
/* Calls cb for each active alarm, highest level first, then oldest first. */
void rules_each(const struct rules *r, void (*cb)(void *arg, const struct alarm *alarm), void *arg);

#endif
