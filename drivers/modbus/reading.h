/* One answer, with what the device's memory holds, to samples. Pure: time is an argument (monotonic, microseconds).
 *
 * Which reason a bad reading gives:
 * - A gate that was read and is bad explains the reading, whatever it is: a sentinel or a NaN during warm-up is
 *   `inhibited`, not a broken sensor; a value out of range beside a set fault bit is the fault's. The first bad gate
 *   in their order wins.
 * - A gate that could not be read explains nothing: a good reading becomes bad for that reason, one that is bad
 *   by itself keeps its own.
 * A request of a poll that asks no more than one (a probe of a suspended unit) has read what lies within it,
 * and nothing else: its points may be bad although it was answered. */
#ifndef RG_DRIVERS_MODBUS_READING_H
#define RG_DRIVERS_MODBUS_READING_H

#include "drivers/modbus/memory.h"
#include "drivers/modbus/plan.h"

/* One request that was carried out. */
struct reading {
    const struct driver_plan *plan;
    size_t request;
    struct driver_memory *memory; /* NULL: gates and decimals count as not read, even those of this request */
    int64_t begun_us;             /* when its poll began */
    int64_t asked_us;             /* before it was put on the line; not before begun_us */
};

/* The answer's data, ask_data_bytes() of them (what does not lie within length is QUALITY_COMM). samples: all
 * points of the request, in the plan's order. */
void reading_decode(const struct reading *reading, const uint8_t *data, size_t length,
                    struct sample *samples);
/* There is none: QUALITY_DEVICE after an exception, else QUALITY_COMM. */
void reading_fail(const struct reading *reading, enum quality quality, struct sample *samples);

#endif
