#include "modbus_image.h"

#include <stdlib.h>
#include <string.h>

enum point_space image_space(const struct ask *ask)
{
    static const enum point_space spaces[] = {SPACE_COIL, SPACE_COIL, SPACE_DISCRETE, SPACE_HOLDING,
                                              SPACE_INPUT};

    return spaces[ask->function];
}

size_t image_answer(const struct image *image, const struct ask *ask, uint8_t data[ASK_DATA_MAX])
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

void image_ask(const struct image_poll *poll, size_t request, int64_t asked_us, enum quality fail,
               struct sample *samples)
{
    const struct plan_request *r = &poll->plan->requests[request];
    const size_t count = modbus_driver.plan_points(poll->plan, request);
    const struct reading reading = {.plan = poll->plan,
                                    .request = request,
                                    .memory = poll->memory,
                                    .begun_us = poll->begun_us,
                                    .asked_us = asked_us};
    /* Of exactly that size, so that the sanitizer sees one sample too many. */
    struct sample *got = malloc(count ? count * sizeof *got : 1);
    uint8_t data[ASK_DATA_MAX];

    if (!got)
        abort();
    if (fail == QUALITY_GOOD)
        reading_decode(&reading, data, image_answer(poll->image, &r->ask, data), got);
    else
        reading_fail(&reading, fail, got);
    for (size_t i = 0; i < count; i++)
        samples[got[i].point - poll->first_point] = got[i];
    free(got);
}

void image_ask_all(const struct image_poll *poll, struct sample *samples)
{
    for (size_t q = 0; q < poll->plan->request_count; q++)
        image_ask(poll, q, poll->begun_us + 1000 * (int64_t)q, QUALITY_GOOD, samples);
}
