/* Into how many requests a poll of a device is put, and how long they are: what drivers/modbus/plan.h says, without its
 * order and its fine points. Pure but for memory. */
#ifndef RG_CONFIG_BUDGET_PLAN_H
#define RG_CONFIG_BUDGET_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/site.h"

/* Addresses [begin, end) of one space, which is above bit 17 of both: spaces never touch. */
struct budget_request {
    uint32_t begin, end;
    size_t first, count; /* its points, in the order of their addresses */
};

bool budget_request_is_bits(const struct budget_request *r);
/* *out: *count requests, freed by the caller. RG_ENOMEM. */
RG_NODISCARD enum rg_err budget_plan(const struct site *site, const struct site_device *d,
                                     struct budget_request **out, size_t *count);

#endif
