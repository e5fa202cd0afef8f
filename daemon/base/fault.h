/* A fault that comes, goes on, ends and comes again, as a log tells it: at once, then at growing gaps with how often since, its end
 * once. Pure; times are monotonic ms. What merely happens, again and again, is ended as soon as it has begun. */
#ifndef RG_BASE_FAULT_H
#define RG_BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed one is none. */
struct fault {
    bool known; /* it has been there, not long ago */
    bool bad;   /* it is there */
    bool told;  /* and the log says so */
    int64_t since_ms, ended_ms;
    int64_t next_ms; /* nothing of it is to be told before */
    int64_t gap_ms;
    uint32_t swallowed; /* times that it began since the last line, untold */
};

#define FAULT_FIRST_GAP_MS 60000
#define FAULT_LAST_GAP_MS 3600000
#define FAULT_QUIET_MS 60000 /* so long without it, and the next one is a new one */

enum fault_line {
    FAULT_NOTHING, /* not to be told */
    FAULT_NEW,
    FAULT_AGAIN, /* it was there before: *times is how often it began untold */
    FAULT_STILL, /* it goes on (or has begun untold, and does) */
    FAULT_END,   /* of one that was told */
    FAULT_OVER,  /* it has not come again: *times is how often it did since the last line; forgotten now */
};

/* It is there from now on (or, when it is already, has happened once more). */
enum fault_line fault_begin(struct fault *f, int64_t now_ms, uint32_t *times);
/* It is not. */
enum fault_line fault_end(struct fault *f, int64_t now_ms);
/* Nothing happened. FAULT_STILL, FAULT_OVER or FAULT_NOTHING; with f->known false it may be thrown away. */
enum fault_line fault_look(struct fault *f, int64_t now_ms, uint32_t *times);

#endif
