/* A reading, its quality, and the frame (one answer of one device) it came in. */
#ifndef RG_MODEL_SAMPLE_H
#define RG_MODEL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/moment.h"
#include "model/quality.h"

struct sample {
    uint32_t point; /* index into site.points */
    enum quality quality;
    double value; /* meaningful only when quality is QUALITY_GOOD; otherwise 0 and never to be used */
};

/* One answer of one device, or the failure to get one: then all its samples are bad. */
struct frame {
    uint32_t device;  /* index into site.devices */
    struct moment at; /* when the answer arrived (or the wait for it ended), never when it is sent on */
    bool clock_unsynced;
    bool heard; /* a valid answer that is no exception: the device is not silent */
    size_t count;
    const struct sample *samples; /* count of them; borrowed for the length of the call */
};

#endif
