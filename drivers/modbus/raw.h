/* A read or a write beside the plan, for operators, triggers and outputs: struct driver_raw as a request of ask.h,
 * and its answer back. */
#ifndef RG_DRIVERS_MODBUS_RAW_H
#define RG_DRIVERS_MODBUS_RAW_H

#include "drivers/driver.h"
#include "drivers/modbus/ask.h"

/* The request; points into raw, which must outlive it. Returns NULL, or why there is no such request, for people. Pure.
 * A read by the function of its space (1 to 4); a write by that for one (5, 6) or for several (15, 16). Its limit is
 * its own count: nothing is known of the device, so no proof of debt.h may read more than what was asked for. */
RG_NODISCARD const char *raw_ask(const struct driver_raw *raw, struct ask *ask);

/* struct driver's raw. DRIVER_MALFORMED for what raw_ask or link_ask refuses. */
void raw_carry_out(struct driver_link *link, const struct driver_raw *raw, struct driver_raw_answer *answer);

#endif
