/* A reading, its quality, and the frame (one answer of one device) it came in. */
#ifndef RG_MODEL_SAMPLE_H
#define RG_MODEL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/moment.h"

/* Contract §2 "Quality". A bad reading has no value. */
enum quality {
    QUALITY_GOOD,
    QUALITY_COMM,      /* no or wrong answer */
    QUALITY_DEVICE,    /* the device answered with an exception */
    QUALITY_SENSOR,    /* fault by status, sentinel or NaN */
    QUALITY_INHIBITED, /* warm-up, calibration, inhibit */
    QUALITY_RANGE,     /* outside the point's range, or not exactly representable */
    QUALITY_STALE,     /* not renewed for too long, or never read */
};
#define QUALITY_COUNT 7

const char *quality_name(enum quality quality); /* "good" "comm" ... */

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
