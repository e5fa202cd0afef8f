/* A device's registers in memory, and a poll of it without a link: each request of a plan, in order, answered
 * from the image (or not), as transact would. */
#ifndef RG_TESTS_MODBUS_IMAGE_H
#define RG_TESTS_MODBUS_IMAGE_H

#include <stdint.h>
#include <string.h>

#include "drivers/modbus/modbus_driver.h"
#include "drivers/modbus/reading.h"

struct image {
    uint16_t words[SPACE_HOLDING + 1][65536]; /* bits: 0 or 1 */
};

static inline enum point_space image_space(const struct ask *ask)
{
    return ask->function == 3   ? SPACE_HOLDING
           : ask->function == 4 ? SPACE_INPUT
           : ask->function == 2 ? SPACE_DISCRETE
                                : SPACE_COIL;
}

/* The data of the answer to the request; returns its length. */
static inline size_t image_answer(const struct image *image, const struct ask *ask,
                                  uint8_t data[ASK_DATA_MAX])
{
    const uint16_t *words = image->words[image_space(ask)] + ask->address;

    memset(data, 0, ASK_DATA_MAX);
    for (unsigned i = 0; i < ask->count; i++) {
        if (ask_is_bits(ask)) {
            data[i / 8] = (uint8_t)(data[i / 8] | (words[i] & 1u) << (i % 8));
        } else {
            data[2 * i] = (uint8_t)(words[i] >> 8);
            data[2 * i + 1] = (uint8_t)words[i];
        }
    }
    return ask_data_bytes(ask);
}

/* One request of a poll. fail: QUALITY_GOOD for an answer, else why there is none. samples: indexed by point -
 * first_point. */
static inline void image_ask(const struct image *image, const struct driver_plan *plan, size_t request,
                             struct driver_memory *memory, int64_t begun_us, int64_t asked_us,
                             enum quality fail, uint32_t first_point, struct sample *samples)
{
    static struct sample got[4096];
    uint8_t data[ASK_DATA_MAX];
    const struct reading reading = {
        .plan = plan, .request = request, .memory = memory, .begun_us = begun_us, .asked_us = asked_us};
    const struct plan_request *r = &plan->requests[request];

    if (fail == QUALITY_GOOD)
        reading_decode(&reading, data, image_answer(image, &r->ask, data), got);
    else
        reading_fail(&reading, fail, got);
    for (size_t i = 0; i < modbus_driver.plan_points(plan, request); i++)
        samples[got[i].point - first_point] = got[i];
}

/* A whole poll, a millisecond a request; nothing fails. */
static inline void image_poll(const struct image *image, const struct driver_plan *plan,
                              struct driver_memory *memory, int64_t begun_us, uint32_t first_point,
                              struct sample *samples)
{
    for (size_t q = 0; q < plan->request_count; q++)
        image_ask(image, plan, q, memory, begun_us, begun_us + 1000 * (int64_t)q, QUALITY_GOOD, first_point,
                  samples);
}

#endif
