/* What is recorded of the frames that come in, and when: thinned where the configuration says so (record/thin.h), with minute roll-ups of all of
 * them beside it (record/rollup.h). */
#ifndef RG_APP_RECORDING_H
#define RG_APP_RECORDING_H

#include "base/json_write.h"
#include "model/alarm.h"
#include "record/rollup.h"
#include "record/thin.h"

struct pipeline;

struct recording {
    struct thin *thin;
    struct rollup *rollup;
};

/* RG_ENOMEM; RG_EEXIST: names are not unique. site must outlive it. */
RG_NODISCARD enum rg_err recording_create(struct recording *r, const struct site *site);
void recording_destroy(struct recording *r); /* takes a zeroed one */
/* At a reload, before the first frame: what is held back of devices that did not change goes on; roll-ups that were gathered go to the
 * store. `from` is still the pipeline's. */
void recording_inherit(struct pipeline *p, struct recording *next);

/* Before the rules are given the frame. */
void recording_frame(struct pipeline *p, const struct frame *frame);
/* Before the transition itself is recorded. */
void recording_change(struct pipeline *p, const struct alarm_change *change);
/* Once alarms stand in rules that have begun: at a start and after a reload. */
void recording_standing(struct pipeline *p);
/* Once a second: a piece of the roll-ups whose minute is over; and when the store may have room again. */
void recording_tick(struct pipeline *p);
void recording_release(struct pipeline *p);
/* Members of an object that is open: what became of a device's frames. */
void recording_write(const struct pipeline *p, uint32_t device, struct jsonw *w);
/* Before the last records are committed. */
void recording_stop(struct pipeline *p);

#endif
