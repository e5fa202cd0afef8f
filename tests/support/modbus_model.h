/* What a poll of a device must give, worked out a second time and simply: from the device, its points and an image
 * of its registers, point by point, without plan, memory or codec. Of a request it knows only which addresses were
 * asked for, when, and whether an answer came. */
#ifndef RG_TESTS_MODBUS_MODEL_H
#define RG_TESTS_MODBUS_MODEL_H

#include "modbus_image.h"

#define MODEL_GATES 8
#define MODEL_POINTS 64
#define MODEL_BEATS 512 /* readings of one heartbeat that are kept */

/* What became of one register. */
struct model_seen {
    bool tried;
    int64_t at_us;
    enum quality fail; /* QUALITY_GOOD: value is what was read */
    uint32_t value;
};

struct model {
    const struct site_device *device;
    const struct site_point *points;
    size_t count;
    const struct image *image;
    struct model_seen gates[MODEL_GATES];
    struct model_seen decimals[MODEL_POINTS];
    struct {
        size_t count;
        struct {
            int64_t at_us;
            uint32_t value;
        } beats[MODEL_BEATS]; /* all of them, from the first */
    } history[MODEL_GATES];
};

/* At most MODEL_GATES gates and MODEL_POINTS points. */
void model_init(struct model *m, const struct site_device *device, const struct site_point *points,
                size_t count, const struct image *image);
/* A request was carried out; fail: why it gave no answer, or QUALITY_GOOD. */
void model_asked(struct model *m, const struct ask *ask, int64_t asked_us, enum quality fail);
/* What point i of an answered request must be, now that all requests up to it are noted. Aborts never; the value is
 * right to `tolerance`, relative; 0: to the bit. */
struct model_sample {
    enum quality quality;
    double value, tolerance;
    bool doubtful; /* rounding decides whether it is in range, or one of the words: either is right */
};
struct model_sample model_expect(const struct model *m, size_t i, int64_t begun_us);
bool model_agrees(const struct model_sample *expected, const struct sample *got);

#endif
