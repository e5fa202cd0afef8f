/* The rule engine: a pure function of the site, the samples and the time that comes with them.
 *
 * It reads no clock, does no input or output, and allocates nothing after rules_create
 * (but for the length of rules_inherit). The daemon, a
 * back-test and the tests run this same code. For each rule and each point it matches there is one slot with
 * at most one active alarm; for each device one slot for its silence (rule `offline`), for each output one for
 * its fault (rule `output`).
 *
 * What a rule reads is the signal of its point (signal.h): its value, or at each good sample what a window says. A window of
 * which too little is covered is not known and counts as a bad reading, but for bounds, which can raise.
 *
 * Level of a reading: the highest level whose condition holds. above: value >= limit; below: value <= limit;
 * is: value == v. A reading at a level is at every lower one too. Unscaled f32 points are compared as
 * floats, so that 19.9 meets a limit of 19.9. A good value that is not finite counts as bad.
 * Dead-band: a level once reached holds until the value is back past its limit by more than the dead-band
 * (above: value < limit - deadband; below: value > limit + deadband); past that it must be reached anew.
 * Each side counts for itself. Reached means: the alarm stands at it or higher and the value was at its
 * limit. A level whose on-delay still runs is not reached, so inside its dead-band its clock stops.
 * On-delay: a level must hold without a break that long before it is raised or escalated to; levels have
 * clocks of their own, so a red that holds long enough is reached though yellow was not yet. Levels that end
 * together make one event, the highest's.
 * Off-delay: the lower level must hold that long before the alarm steps down or clears. Here too each level
 * has its own clock (since when readings were at it or lower) and the lowest that held throughout is taken:
 * red, then 5 s of orange, then none, with an off-delay of 10 s, steps down to orange 10 s after red ended
 * and clears 5 s later. An alarm never falls below a level that a good reading gave within the off-delay.
 * Bad quality: breaks no alarm's hold and lowers nothing: an off-delay that runs is stopped and begins anew
 * with the next good sample; an on-delay that runs is frozen: it neither raises nor is forgotten until a
 * good sample says whether the condition still holds (if it does the delay counts from its first instant; if
 * it is over by then, that sample's instant is the raise's).
 *
 * The time of a transition is the instant the rule gives (for a delay: its end), on both clocks; its wall
 * time is that of the delay's beginning plus the delay, so a step of the clock between does not shift it.
 * Order: deadlines up to an instant are carried out before a frame of that instant, earliest first (equal
 * ones by point, then rule, then devices); then the device's being heard; then the samples in order, good
 * ones first (as a record has them, so that a replay does the same), each by its rules in order. So a delay that ends at t has ended although a sample of t would break it: it held
 * through [since, since + delay).
 * value: the reading that led to the transition (for the end of a delay the last good one). limit: that of
 * the level reached (raise, escalate) or left (deescalate, clear), on the side that gave it; none for `is`,
 * silence and acknowledgement.
 *
 * A limit may follow another point: its last good value times a factor, plus a number, rounded as a decimal. When that
 * point's sample comes the watched point's last one is judged anew at that instant, after the samples of the frame. While
 * the other point is bad, or was not seen yet, such limits are not known: a reading raises by the limits that are, up to
 * their levels, and lowers nothing.
 * Vote: members are judged each by itself, without a delay; `need` of them at a level give it, see vote.h. One alarm for all,
 * with an empty point; a frame is judged as a whole, after all its samples. Its area is the lowest one that all members are in or below. Its value is that of the member that
 * decided.
 * Armed: a rule with a guard while the guard's point is good and its value fits, or while that is not known; a rule with a
 * permit while that is open. What guards do is decided before the samples of a frame. While a rule is not armed nothing is
 * raised, delays are dropped, and an alarm that stands is suppressed: frozen, it counts for no level, risk or output. When it
 * is armed again the next sample decides. An alarm that latches is suppressed only once it is acknowledged, right after that:
 * what nobody has answered is not silenced because work is over by the clock, or a second condition wavers. comment: which
 * guard or permit. A restored alarm that was suppressed by its guard
 * stays so until the guard's point is heard.
 *
 * Acknowledgement is of one occurrence as it was announced: an escalation takes it back (a new announcement,
 * ISA-18.2), stepping down keeps it.
 *
 * Latch: an alarm that stands at its rule's latch_from or higher keeps its level until it is acknowledged, whatever readings
 * say; what the off-delays allow by then is carried out at the instant of the acknowledgement, after the event `ack`.
 *
 * Shelving: a person silences one occurrence, for at most the site's shelve_max_ms: the outputs do not follow it; levels and
 * risk do. It ends at its instant (event `unshelve` by nobody), by a person, with the alarm (without an event), and by an
 * escalation (`unshelve` with the comment "escalated", then the escalation): what was silenced was not this. Its end is an
 * announcement to the outputs: a silenced sounder sounds again. Over a restart it ends at the time of day that it was to, or
 * at the start if that is past; never later than shelve_max_ms from the start.
 *
 * First-out: the raise of an alarm whose area had no alarm in it or below it (suppressed ones do not count); where several
 * follow from one cause, it was the first. Never without an area.
 *
 * Offline: a device not heard (no frame with heard) for offline_after_ms raises at its offline_level at
 * exactly that instant (before a frame of that instant); the first frame heard clears it, without any delay.
 * The wait begins start_up_ms after rules_start. An offline_level of LEVEL_NONE: its silence raises nothing; nor does that of a device
 * without points, of which nothing is read.
 *
 * Output: a sounder, beacon or fan that cannot be brought to its state (rule `output`, point: the output's name; area:
 * the one it follows, else its module's) raises at its fault_level when rules_output says so, and clears when it says
 * that it can again: a module that does not answer is an alarm.
 *
 * Self test: an uplink that a test alarm did not come through (rule `self_test`, point: the uplink's name; no area) raises at the
 * level that the site gives it when rules_self_test says so, and clears when it says that the next one did.
 *
 * Doubt: readings of a point that are not to be believed (doubt.h) are an alarm of their own (rule `doubt`, point: the
 * point), at the level that the point has for it; the comment of its raise says why. */
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
#include "rules/figures.h"

struct rules;

/* Called for every transition, in order of their instants within a call of rules_frame or rules_tick (but
 * for samples older than their point's last). The engine's state is the one after the transition; it may be
 * read, but not fed, from inside. */
typedef void (*rules_change_cb)(void *arg, const struct alarm_change *change);

/* next_alarm: the number of the next occurrence ("<gateway id>-<number>"), >= 1. site must outlive it.
 * RG_ENOMEM; RG_EEXIST: names in the site are not unique. */
RG_NODISCARD enum rg_err rules_create(const struct site *site, uint64_t next_alarm, rules_change_cb cb,
                                      void *arg, struct rules **out);
void rules_destroy(struct rules *r); /* takes NULL */
/* Another number for the next occurrence than rules_create was told; before rules_restore. */
void rules_number(struct rules *r, uint64_t next_alarm);
/* Bytes that rules_create takes for this site, at most; nothing is taken later. Of that the windows of long signals and the
 * room for alarms are only touched as they fill. */
uint64_t rules_memory(const struct site *site);

/* Puts back an occurrence that was active when the daemon stopped; before rules_start. An occurrence whose
 * rule, point or device is no longer configured, or whose rule cannot give its level any more, is cleared at
 * rules_start with a comment that says so, never forgotten in silence; so is the later one of two that claim
 * the same rule and point. Its level stands, acknowledged or not, with its dead-band, until a good sample
 * decides; its area is the configured one. RG_EFULL: no memory for one more such orphan (the caller logs
 * it); RG_ESTATE: after rules_start. */
RG_NODISCARD enum rg_err rules_restore(struct rules *r, const struct alarm *alarm);
/* History, before rules_start: fills the windows of the rules that look back, and says how long readings have been alike
 * (doubt.h), and nothing else. Frames in their order, their
 * instants on the new run's monotonic clock (so they may be below zero) and none later than the start: a window that was
 * shown anything later is forgotten. */
void rules_prime(struct rules *r, const struct frame *frame);
/* Of a recorded past, before rules_frame or rules_prime: from this frame of the device on readings were recorded every so many ms at least (0:
 * at each poll), and between two records nothing was worth one. So the device was heard up to the next record, and a good
 * reading holds so much longer: for windows (but sums, which such a past can only give a lower bound of) and for readings
 * that are alike. Where it then is found silent, it is taken to have been heard until one poll before. At rules_start it is 0. */
void rules_thinned(struct rules *r, uint32_t device, int64_t every_ms);
/* What was read of a point until now had another meaning: the windows that look back at it begin anew. True: there was something to
 * forget. Alarms stand as they are. Before or after rules_start. */
bool rules_forget(struct rules *r, uint32_t point);
/* How far back before the start that history has to reach, for each device: ms[device_count]; 0: nothing looks back. With
 * that much a window says what it would say with all of it, but for the share of a counter's step over a longer gap and of
 * a cell that gathers (signal.h). */
void rules_history_ms(const struct site *site, int64_t *ms);
/* At a reload: a window of the new engine finds nothing to go on with in the one at work until then, so it wants history, too. */
bool rules_lacks_history(const struct rules *r, const struct rules *from);
/* Time begins; before it frames and ticks are ignored. */
void rules_start(struct rules *r, struct moment now);

/* Called for every change of the live level of an area (its own, aggregated where it is configured so) or, with SITE_NONE,
 * of the gateway: right after the transition that led to it was told, with its instant; the area of the alarm first, then
 * those above it, then the gateway. To be set before rules_start; what was restored is no change, unless
 * rules_levels_from says otherwise. */
typedef void (*rules_area_cb)(void *arg, uint32_t area, enum level level, enum level was, struct moment at);
void rules_on_area(struct rules *r, rules_area_cb cb, void *arg);
/* Before rules_start: the levels are told from those of the engine that is at work until then, areas by name; what a new
 * configuration makes another level (a new tree, an aggregation) is a change at the instant of the start. */
void rules_levels_from(struct rules *r, const struct rules *from);

/* Before rules_inherit: for so long no device was asked (its windows were being filled); that is no silence of theirs. */
void rules_unasked(struct rules *r, int64_t ms);
/* Right after rules_start, from the engine that was at work until then (another site, which must still be there; the same
 * clock): where rule, point and device are configured as they were, delays run on, dead-bands stay reached and the wait
 * for a silent device is not begun anew, so that no reload puts an alarm off. A changed rule begins with what was
 * restored; but its window goes on when it looks at the same signal of the same point, whatever its limits are now. What
 * was counted (rules_figures) goes on, of each alarm whose rule and point are still there by name. */
void rules_inherit(struct rules *r, const struct rules *from);

/* Evaluates one frame. Deadlines up to its instant are carried out first. Time never goes back: a frame
 * older than the last call is taken at its own instant for its own points only; a sample older than its
 * point's last one, or than the last transition of a rule on it, at the instant of that. */
void rules_frame(struct rules *r, const struct frame *frame);
/* Whether an output is faulty, after the deadlines up to now: it can not, or can, be brought to its state. To say the same
 * twice changes nothing. */
void rules_output(struct rules *r, uint32_t output, bool faulty, struct moment now);
/* Whether the last self test did not come through an uplink, in the same way; nothing where the site tests none. */
void rules_self_test(struct rules *r, uint32_t uplink, bool failed, struct moment now);
/* Carries out every deadline up to now. */
void rules_tick(struct rules *r, struct moment now);
/* The monotonic instant of the next deadline, or INT64_MAX. */
int64_t rules_next_ms(const struct rules *r);
/* The number the next occurrence will get; inside the callback of a raise, the one after it. */
uint64_t rules_next_alarm(const struct rules *r);

/* Acknowledges an active alarm, after the deadlines up to now; a latch lets go: it may clear. RG_ENOTFOUND: no such active alarm;
 * RG_EEXIST: acknowledged already; RG_ESTATE: before rules_start. RG_EINVAL: by is empty or ALARM_WHO_MAX
 * bytes and more, or comment (may be NULL) ALARM_COMMENT_MAX and more. */
RG_NODISCARD enum rg_err rules_ack(struct rules *r, const char *alarm, const char *by, const char *comment,
                                   struct moment now);

/* Shelves an active alarm for for_ms, after the deadlines up to now. RG_ENOTFOUND, RG_ESTATE, RG_EINVAL: as rules_ack;
 * RG_ERANGE: for_ms is not within 1 .. the site's shelve_max_ms; RG_EEXIST: it is shelved already. */
RG_NODISCARD enum rg_err rules_shelve(struct rules *r, const char *alarm, int64_t for_ms, const char *by,
                                      const char *comment, struct moment now);
/* Takes it off the shelf. Errors as rules_ack; RG_EEXIST: it is not shelved (any more). */
RG_NODISCARD enum rg_err rules_unshelve(struct rules *r, const char *alarm, const char *by,
                                        const char *comment, struct moment now);
/* The longest that an alarm of the site can be shelved for. */
int64_t rules_shelve_max_ms(const struct site *site);

/* Opens a permit of the site until a monotonic instant (or anew, until another), or closes it (INT64_MIN, or an instant that is
 * not later than now); after the deadlines up to now. Before rules_start: it is what was open when the daemon stopped. It
 * closes by itself, after the delays that end at that instant. A permit that is not there is ignored. */
void rules_permit(struct rules *r, uint32_t permit, int64_t until_mono_ms, struct moment now);
/* Until when it is open; INT64_MIN: it is closed. */
int64_t rules_permit_until(const struct rules *r, uint32_t permit);

/* Live risk: the highest active alarm in the area and below it, or more where the area aggregates (risk.h); alarms: how
 * many active ones there are. */
enum level rules_area_level(const struct rules *r, uint32_t area, size_t *alarms);
enum level rules_level(const struct rules *r); /* the highest of all areas and of the alarms without one */
/* What an output follows: the highest active alarm of its area and below it, or of its rule. Left out are shelved alarms
 * and the faults of outputs on its own module. *announced (may be NULL): how many alarms were raised or escalated there to
 * its `from` or higher since rules_create, restored ones not counted: when it grows, a silenced sounder sounds again. */
enum level rules_output_level(const struct rules *r, uint32_t output, uint64_t *announced);

struct rules_counts {
    size_t active[LEVEL_COUNT]; /* by level; [LEVEL_NONE] unused */
    size_t unacked, shelved, suppressed;
};
void rules_counts(const struct rules *r, struct rules_counts *out);
/* Calls cb for each active alarm, highest level first, then oldest first; cb must not feed the engine.
 * Between rules_restore and rules_start it and rules_counts include the orphans. */
void rules_each(const struct rules *r, void (*cb)(void *arg, const struct alarm *alarm), void *arg);

#define RULES_STANDING_MS (24 * 3600 * INT64_C(1000))

/* How heavy the alarms are on people: figures.h. O(alarms ever raised); for people's questions. */
void rules_figures(const struct rules *r, struct moment now, struct figures_report *out);
void rules_each_chattering(const struct rules *r, struct moment now,
                           void (*cb)(void *arg, const struct figures_alarm *alarm), void *arg);
/* Whose alarm a figure tells of, as its records name it. */
void rules_owner_name(const struct rules *r, uint32_t owner, const char **rule, const char **point);
/* True for an alarm that has been active for RULES_STANDING_MS and more (ISA-18.2: stale), whatever the time of day was set to meanwhile. */
bool rules_stands(const struct alarm *alarm, struct moment now);

#endif
