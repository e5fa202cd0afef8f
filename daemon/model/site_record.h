/* What is recorded of a device whose readings are thinned, and the memory that takes. */
#ifndef RG_MODEL_SITE_RECORD_H
#define RG_MODEL_SITE_RECORD_H

#include <stdint.h>

#include "model/site.h"

/* A state, not a quantity: a coil, a discrete input, a bit of a register, an enumeration. */
bool site_point_is_state(const struct site_point *point);

/* How much shorter than `every` the time between two records may be: polls do not come on the millisecond. */
int64_t site_record_slack_ms(const struct site_device *device);

/* Marks the device of a point and those of all that it is worked out from; devices: [device_count]. */
void site_record_sources(const struct site *site, uint32_t point, bool *devices);

/* What a device may hold back for `around_alarms` at most: its frames (requests that had to be read one by one are
 * thought of: twice as many as planned), and the samples in them. */
struct site_record_room {
    uint64_t frames, samples;
};

/* 0 where nothing is held back. */
struct site_record_room site_record_room(const struct site *site, uint32_t device);

/* Memory of that: what a frame and a sample take while they are held back. */
#define SITE_RECORD_FRAME_BYTES 48u
#define SITE_RECORD_SAMPLE_BYTES 16u
#define SITE_RECORD_BYTES_MAX (64u << 20) /* of all devices together */
uint64_t site_record_bytes(const struct site *site, uint32_t device);

#endif
