/* What was learnt of one device from registers beside its points: its gates and its decimals. Pure: time is an
 * argument (monotonic, microseconds). One thread at a time.
 *
 * Registers are numbered as in the plan: the device's gates in their order, then the decimals.
 *
 * Freshness. What a register said decides only on a poll in which it was read: one read before the poll began, or not at
 * all, is as good as not read. at_us is the time before its request was put on the line, so what an earlier
 * poll read never counts, not even by the rounding of the time at which this one began.
 *
 * Heartbeats. The first value seen starts the clock. From then on, unchanged time is gathered reading by
 * reading: between two that show the same value, the time that has passed, but at most one poll period. So
 * what a device did while nobody looked (unit silent, bus down, poll too long for its line) counts as one poll
 * at most: a counter may have gone round in it, which proves neither that it stood still nor that it moved. A
 * heartbeat on a slow or lossy line is therefore judged later than `within`, never sooner; and one that is
 * only read in every other poll is still judged. More than `within` gathered is QUALITY_STALE, until a
 * reading shows another value: that sets the time gathered to 0, in whatever state it was. */
#ifndef RG_DRIVERS_MODBUS_MEMORY_H
#define RG_DRIVERS_MODBUS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/driver.h"
#include "drivers/modbus/codec.h"

/* decimals: registers of that kind in the device's plan. The device and its gates must outlive it. RG_ENOMEM. */
RG_NODISCARD enum rg_err memory_create(const struct site_device *device, size_t decimals,
                                       struct driver_memory **out);
void memory_destroy(struct driver_memory *m); /* takes NULL */

/* A register was read: its value, as codec_register gives it. */
void memory_learn(struct driver_memory *m, uint32_t reg, uint32_t value, int64_t at_us);
/* Its request failed: why. */
void memory_miss(struct driver_memory *m, uint32_t reg, enum quality why, int64_t at_us);

/* What the gates say about a poll. */
struct memory_verdict {
    enum quality quality; /* of the first gate, in their order, that is not good; or good */
    /* That gate was read in this poll, so it explains whatever its points' registers hold. Otherwise it explains
     * nothing, and quality is why it was not read: QUALITY_DEVICE when the device refused, else QUALITY_COMM. */
    bool told;
};
struct memory_verdict memory_gates(const struct driver_memory *m, int64_t begun_us);
/* Of a decimals register. Not read in this poll: the reason as above; over 9: QUALITY_SENSOR. */
struct codec_decimals memory_decimals(const struct driver_memory *m, uint32_t reg, int64_t begun_us);

#endif
