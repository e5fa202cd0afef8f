#include "drivers/modbus/modbus_driver.h"

#include "base/clock.h"
#include "base/text.h"
#include "drivers/modbus/link.h"
#include "drivers/modbus/memory.h"
#include "drivers/modbus/plan.h"
#include "drivers/modbus/raw.h"
#include "drivers/modbus/reading.h"

static size_t driver_requests(const struct driver_plan *plan)
{
    return plan->request_count;
}

static size_t driver_points(const struct driver_plan *plan, size_t request)
{
    return plan->requests[request].count;
}

static enum rg_err driver_divide(const struct driver_plan *plan, size_t request, uint8_t exception,
                                 struct driver_plan **out)
{
    *out = NULL;
    return exception_is_of_range(exception) ? plan_divide(plan, request, out) : RG_ENOTFOUND;
}

static enum rg_err driver_memory_create(const struct site_device *device, const struct driver_plan *plan,
                                        struct driver_memory **out)
{
    return memory_create(device, plan->register_count - plan->gate_count, out);
}

static void driver_transact(struct driver_link *link, const struct driver_ask *ask,
                            struct driver_answer *answer)
{
    const struct plan_request *r = &ask->plan->requests[ask->request];
    const struct reading reading = {.plan = ask->plan,
                                    .request = ask->request,
                                    .memory = ask->memory,
                                    .begun_us = ask->begun_us,
                                    .asked_us = clock_mono_us()};
    struct link_answer got;

    link_ask(link, &r->ask, ask->timeout_ms, &got);
    answer->result = got.result;
    answer->exception = got.exception;
    (void)text_copy(answer->detail, sizeof answer->detail, got.detail);
    answer->count = r->count;
    if (got.result == DRIVER_OK)
        reading_decode(&reading, got.data, got.length, answer->samples);
    else
        reading_fail(&reading, got.result == DRIVER_EXCEPTION ? QUALITY_DEVICE : QUALITY_COMM,
                     answer->samples);
}

const struct driver modbus_driver = {
    .name = "modbus",
    .plan = plan_create,
    .plan_destroy = plan_destroy,
    .plan_requests = driver_requests,
    .plan_points = driver_points,
    .plan_divide = driver_divide,
    .plan_describe = plan_describe,
    .plan_bytes = plan_bytes,
    .memory_create = driver_memory_create,
    .memory_destroy = memory_destroy,
    .link_create = link_create,
    .transact = driver_transact,
    .raw = raw_carry_out,
    .link_cancel = link_cancel,
    .link_destroy = link_destroy,
};
