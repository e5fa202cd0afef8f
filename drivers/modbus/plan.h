/* A device's points to few requests. Pure.
 *
 * Points of one space are sorted by address and joined while the request stays within its limit and what
 * is read for nothing between two of them is at most max_gap addresses. A value is never split over two
 * requests, because its halves could then be of different times. Points may overlap or lie on one
 * register.
 *
 * Limits: registers max_registers, at most 125; bits as many as fill that many registers (16 each), at
 * most 2000; with max_registers 1 ("singles only") one value a request: a wider type is read with exactly
 * its own registers. */
#ifndef RG_DRIVERS_MODBUS_PLAN_H
#define RG_DRIVERS_MODBUS_PLAN_H

#include "drivers/driver.h"
#include "drivers/modbus/ask.h"
#include "drivers/modbus/codec.h"

struct plan_request {
    struct ask ask;
    size_t first; /* into items */
    size_t count; /* items that it reads, at least 1 */
};

struct driver_plan {
    size_t request_count;
    struct plan_request
        *requests; /* coils, discrete inputs, input registers, holding registers; each by address */
    size_t item_count;
    struct codec_point *items;
};

/* See driver.h. RG_EINVAL also for what codec_prepare refuses, and for more than 2^20 points. */
RG_NODISCARD enum rg_err plan_create(const struct site_device *device, const struct site_point *points,
                                     size_t count, uint32_t first_point, struct driver_plan **out);
void plan_destroy(struct driver_plan *plan); /* takes NULL */

/* A device that lacks an address refuses every request over it, so that one unused address would keep all
 * points of the request from being read. A copy of the plan with that request divided at each of the unused
 * stretches it reads through. RG_ENOTFOUND: there are none; RG_ENOMEM. */
enum rg_err plan_divide(const struct driver_plan *plan, size_t request, struct driver_plan **out);
/* "holding 100 to 109", or "coil 7". */
void plan_describe(const struct driver_plan *plan, size_t request, char *out, size_t size);

/* Bytes on the wire: RTU 8 and 5 + data; TCP 12 and 9 + data (without TCP/IP's own headers). */
void plan_bytes(const struct driver_plan *plan, size_t request, enum bus_kind kind, size_t *sent,
                size_t *received);

#endif
