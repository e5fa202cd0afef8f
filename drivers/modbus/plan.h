/* A device's points, and the registers that decide on them, to few requests. Pure.
 *
 * Points of one space are sorted by address and joined while the request stays within its limit and what
 * is read for nothing between two of them is at most max_gap addresses. A value is never split over two
 * requests, because its halves could then be of different times. Points may overlap or lie on one
 * register. SPACE_DERIVED points are passed over.
 *
 * Limits: registers max_registers, at most 125; bits as many as fill that many registers (16 each), at
 * most 2000; with max_registers 1 ("singles only") one value a request: a wider type is read with exactly
 * its own registers.
 *
 * Gates and decimals are registers that decide on points: a gate on all points of the device, decimals on
 * those that name them. A device that forces its value to 0 while it is inhibited says so in another
 * register only, so state and value must be of one time (domain.md §2.2, 2). Therefore:
 * - A request over values grows to hold the registers that decide on them, while that stays within its limit,
 *   even through a gap wider than max_gap; requests that overlap after that are joined where they fit. A
 *   register may be read in several requests.
 * - What does not fit (another space, too far away, singles only) is read in an earlier request of the same
 *   poll, if need be in one of its own without any point. No request comes before all that decides on its
 *   points has been read.
 * What remains in that second case: the status is of a moment before the value. A device whose state changes
 * between the two, some milliseconds to one time-out apart, gives at most one poll with a value that its new
 * state would have gated (the next poll tells); an off-delay of more than one poll keeps an alarm over that.
 * Reading the status behind the value as well would only move the gap to the end of the inhibition. */
#ifndef RG_DRIVERS_MODBUS_PLAN_H
#define RG_DRIVERS_MODBUS_PLAN_H

#include "drivers/driver.h"
#include "drivers/modbus/ask.h"
#include "drivers/modbus/codec.h"

/* A register of the request that is no point: which one, and where it lies. */
struct plan_extra {
    uint32_t reg;    /* into registers */
    uint16_t offset; /* from the request's first address */
};

/* A point of the device. How it is decoded it shares with most of its neighbours. */
struct plan_item {
    uint32_t point;  /* index into site.points */
    uint32_t way;    /* into ways */
    uint16_t offset; /* of its first register or bit, from the request's first */
};

struct plan_request {
    struct ask ask;
    size_t first, count;             /* into items: the points that it reads, by address; may be none */
    size_t first_extra, extra_count; /* into extras, by address */
};

struct driver_plan {
    size_t request_count;
    /* In an order in which all that decides on a request's points is read by it or before it; otherwise coils,
     * discrete inputs, input registers, holding registers, each by address. */
    struct plan_request *requests;
    size_t item_count; /* each point once */
    struct plan_item *items;
    size_t way_count;
    struct codec_point *ways; /* without point and offset; some may be equal */
    struct point_word *words; /* of all ways' enumerations, without their texts */
    size_t extra_count;
    struct plan_extra *extras;
    /* Gates in the order of the device's, then decimals, each once. */
    size_t register_count, gate_count;
    struct site_register *registers;
    uint32_t *by_address; /* the same: their indices, by space and address */
    uint32_t room;        /* registers that a request may span */
    uint32_t gap;         /* addresses read for nothing */
};

/* See driver.h. RG_EINVAL also for what codec_prepare refuses, and for more than 2^20 points or gates. */
RG_NODISCARD enum rg_err plan_create(const struct site_device *device, const struct site_point *points,
                                     size_t count, uint32_t first_point, struct driver_plan **out);
void plan_destroy(struct driver_plan *plan); /* takes NULL */

/* A device that lacks an address refuses every request over it, so that one unused address would keep all
 * points of the request from being read. A copy of the plan with that request divided at each of the unused
 * stretches it reads through. Gates and decimals that it held are read in its parts, or in parts of their own
 * before them; one that an earlier request reads anyway may fall away with its part, so the plan may have no
 * more requests than before, but never one that reads through unused addresses in its place.
 * RG_ENOTFOUND: there are none; RG_ENOMEM. */
enum rg_err plan_divide(const struct driver_plan *plan, size_t request, struct driver_plan **out);
/* "holding 100 to 109", or "coil 7". */
void plan_describe(const struct driver_plan *plan, size_t request, char *out, size_t size);

/* Bytes on the wire: RTU 8 and 5 + data; TCP 12 and 9 + data (without TCP/IP's own headers). */
void plan_bytes(const struct driver_plan *plan, size_t request, enum bus_kind kind, size_t *sent,
                size_t *received);

#endif
