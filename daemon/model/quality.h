/* What a reading is worth. */
#ifndef RG_MODEL_QUALITY_H
#define RG_MODEL_QUALITY_H

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

#endif
