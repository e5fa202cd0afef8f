/* Part of link: what a frame that has come means for the request that waits. Private to link.c. Pure. */
#ifndef RG_DRIVERS_MODBUS_LINK_JUDGE_H
#define RG_DRIVERS_MODBUS_LINK_JUDGE_H

#include "drivers/modbus/debt.h"
#include "drivers/modbus/link.h"

/* Transaction ids back from the current one that are known as this connection's own earlier requests. */
#define JUDGE_LATE_WINDOW 64u

/* Ends a request without data. */
void link_end(struct link_answer *answer, enum driver_result result, const char *format, ...) RG_PRINTF(3, 4);

/* True: *answer holds the result. False: a late answer to an earlier request, to be passed over; go on
 * waiting. current: the request's transaction id; issued: requests on this connection so far, this one
 * included. */
bool judge_tcp(const struct ask *ask, uint16_t current, unsigned issued, const uint8_t *frame, size_t length,
               struct link_answer *answer);
/* The same for RTU. frame has at least 6 bytes in any case; length: with its CRC, which is right; 0 for a
 * frame of another unit. debts: [256], by unit. */
bool judge_rtu(const struct ask *ask, const struct debt *debts, const uint8_t *frame, size_t length,
               struct link_answer *answer);

#endif
