/* The time budget of each bus: what share of its time do the polls take that are asked of it? Pure but for memory.
 *
 * An estimate, made before anything is asked. Requests are counted as drivers/modbus plans them (budget_plan.h): for points
 * exactly; for devices with status, heartbeat or decimals registers, which may have to be read in a certain
 * order, very nearly (tests/unit/test_budget_plan.c holds the two together, and says how nearly). Then, for each request:
 * - RTU: 8 characters and those of the answer, 3.5 characters of silence before and after, the unit's turnaround;
 * - TCP: a flat time;
 * - RTU over TCP: both;
 * - on every bus its own gap, or the device's when that is longer.
 * Status, heartbeat and decimals registers are read like points. A trigger is one write more for each poll, its wait
 * leaves the bus free. A broadcast one is counted once for all devices of one period and offset that share it; nobody answers it, and
 * the line rests for the units' turnaround.
 * A character is 1 start, 8 data, parity and stop bits (Modbus over serial line V1.02, 2.5.1); the silence is
 * 1.75 ms above 19200 baud (2.5.1.1). Turnaround (20 ms) and TCP time (5 ms) are what common devices need, not measured
 * here; what was measured stands beside it in `riskgatectl status`. Start-up, time-outs and errands are not in it. */
#ifndef RG_CONFIG_BUDGET_H
#define RG_CONFIG_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/site.h"

/* One poll. */
struct budget_device {
    unsigned requests;
    size_t data_bytes;  /* that all its answers carry */
    double requests_ms; /* of its bus's time */
    double trigger_ms;  /* the write before them; 0: none */
};

/* Nothing for one that is worked out on the gateway. RG_ENOMEM. */
RG_NODISCARD enum rg_err budget_device(const struct site *site, uint32_t device, struct budget_device *out);
/* The share of its bus's time that the device takes (1: all), from what budget_device said of it. A bus's is the sum of
 * its devices'. */
double budget_share(const struct site *site, uint32_t device, const struct budget_device *of);

/* The instants that most devices share: those of one period and one offset. */
struct budget_instants {
    uint32_t devices; /* 0: nothing is polled */
    int64_t poll_ms, poll_offset_ms;
};
/* Of all that are read; of two that are as many the shorter period. RG_ENOMEM. */
RG_NODISCARD enum rg_err budget_instants(const struct site *site, struct budget_instants *out);

#endif
