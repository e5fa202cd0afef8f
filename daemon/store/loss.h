/* Records that the retention took before every uplink had them, or that went with a damaged database: counted by stream
 * and cause until an event record tells of them. */
#ifndef RG_STORE_LOSS_H
#define RG_STORE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/stream.h"

enum loss_cause {
    LOSS_AGE,     /* older than the configuration wants them kept */
    LOSS_SIZE,    /* the store had reached its largest size */
    LOSS_DISK,    /* the disk was full */
    LOSS_CORRUPT, /* the database was damaged, and is set aside */
    LOSS_MISSING, /* it was not there any more, or was an older one */
};
#define LOSS_CAUSES 5

struct loss {
    int64_t first, last; /* numbers of the first and last one */
    uint64_t count;      /* how many; 0: none */
};

struct loss_book {
    struct loss of[STREAM_COUNT][LOSS_CAUSES];
};

const char *loss_cause_name(enum loss_cause cause); /* "age" "size" "disk" "corrupt" "missing" */
void loss_add(struct loss *to, const struct loss *more);
void loss_book_add(struct loss_book *to, const struct loss_book *more);
bool loss_book_empty(const struct loss_book *book);

#endif
