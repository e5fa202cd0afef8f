/* Which frames of a device are recorded when its readings are thinned (`record`); the rules see all of them. Pure: time is the
 * frames' own, monotonic; all memory is taken at creation.
 *
 * A frame is recorded when it is the first one of one of its points since the start, when a point's quality, or whether the
 * device was heard, is other than recorded last of that point, when a value differs from the one recorded last by more than
 * the point's `change` (so that slow drift is caught; of a state any change counts), or when a point's last record is `every`
 * old (less the slack of site_record.h). Each point counts for itself, so of a device that answers a poll with several
 * frames none starves, whatever frames there are.
 *
 * Alarms: one of a point of the device, one of a point that is worked out from one of its points, a vote with such a member,
 * its silence, a fault of an output on it. While one is active, and for around_alarms after the last one's clear, every frame
 * is recorded. Those of the around_alarms before its raise are held back until then: when there is no alarm they are dropped, when one is
 * raised they are due to be recorded, oldest first. Where the memory for that is full the oldest goes, and is counted. */
#ifndef RG_RECORD_THIN_H
#define RG_RECORD_THIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/alarm.h"
#include "model/sample.h"
#include "model/site.h"

struct thin;

/* site must outlive it. RG_ENOMEM; RG_EEXIST: names are not unique. */
RG_NODISCARD enum rg_err thin_create(const struct site *site, struct thin **out);
void thin_destroy(struct thin *t); /* takes NULL */
/* Before the first frame, from the one at work until then (another site, which must still be there): devices whose record, period
 * and points are what they were go on with what is held back and due, others begin anew. What goes on is taken out of it. RG_ENOMEM: all
 * begin anew. */
RG_NODISCARD enum rg_err thin_inherit(struct thin *t, struct thin *from);

enum thin_verdict {
    THIN_RECORD, /* it is to be recorded now */
    THIN_HOLD,   /* it is to be given to thin_hold */
    THIN_DROP,
};
enum thin_verdict thin_frame(struct thin *t, const struct frame *frame);
/* Keeps a copy. turn: its place in the order of all records, which it keeps when it is recorded later. */
void thin_hold(struct thin *t, const struct frame *frame, int64_t turn);

/* A transition of an alarm: a raise makes what is held back of its devices due, a clear ends it. Others mean nothing. */
void thin_change(struct thin *t, const struct alarm_change *change);
/* The active alarms are counted anew: none, then each of them. At a start and after a reload. */
void thin_standing_none(struct thin *t);
void thin_standing(struct thin *t, const struct alarm *alarm);

/* Gives the frames that are due, in order; false: it cannot be taken now and comes again at the next call. */
typedef bool (*thin_due_cb)(void *arg, const struct frame *frame, int64_t turn);
void thin_release(struct thin *t, thin_due_cb cb, void *arg);
bool thin_is_due(const struct thin *t); /* O(1) */

struct thin_stats {
    uint64_t recorded; /* frames */
    uint64_t thinned;  /* that were dropped */
    uint64_t cut;      /* of them for want of memory, though less than around_alarms old */
    uint64_t held;     /* now */
};
void thin_stats(const struct thin *t, uint32_t device, struct thin_stats *out);

#endif
