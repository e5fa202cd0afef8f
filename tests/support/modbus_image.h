/* A device's registers in memory, and a poll of it without a link: each request of a plan, in order, answered
 * from the image (or not), as transact would. */
#ifndef RG_TESTS_MODBUS_IMAGE_H
#define RG_TESTS_MODBUS_IMAGE_H

#include <stdint.h>

#include "drivers/modbus/modbus_driver.h"
#include "drivers/modbus/reading.h"

struct image {
    uint16_t words[SPACE_HOLDING + 1][65536]; /* bits: 0 or 1 */
};

enum point_space image_space(const struct ask *ask);
/* The data of the answer to the request; returns its length. */
size_t image_answer(const struct image *image, const struct ask *ask, uint8_t data[ASK_DATA_MAX]);

/* When and how a poll's requests are carried out. */
struct image_poll {
    const struct image *image;
    const struct driver_plan *plan;
    struct driver_memory *memory; /* may be NULL */
    int64_t begun_us;
    uint32_t first_point;
};
/* One request. fail: QUALITY_GOOD for an answer, else why there is none. samples: by point - first_point. */
void image_ask(const struct image_poll *poll, size_t request, int64_t asked_us, enum quality fail,
               struct sample *samples);
/* All, a millisecond apart, the first as the poll begins; nothing fails. */
void image_ask_all(const struct image_poll *poll, struct sample *samples);

#endif
