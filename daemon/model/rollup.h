/* What the readings of one point came to in one minute. */
#ifndef RG_MODEL_ROLLUP_H
#define RG_MODEL_ROLLUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROLLUP_MINUTE_MS 60000
#define ROLLUP_PIECES 20 /* a minute of very many points comes in about so many of equal size */

struct rollup_row {
    const char *point; /* full name; borrowed */
    int64_t minute;    /* wall ms at which it begins */
    uint32_t n;        /* good readings; 0: min, max and sum mean nothing */
    uint32_t bad;      /* others */
    uint32_t comm;     /* of these, those of no answer */
    double min, max, sum;
};

/* All that was gathered up to one instant is a part, and comes in pieces. */
struct rollup_piece {
    const struct rollup_row *rows; /* of the whole part: in order of minute and name (strcmp) */
    size_t count;
    int64_t turn; /* of the part: what was recorded up to here is in it, nothing of what came later */
    bool last;    /* of its part */
};

#endif
