/* Alarms that the store could not take, on their way out without a number: a bounded few, the oldest given up
 * first and counted. */
#ifndef RG_UPLINK_UNSTORED_H
#define RG_UPLINK_UNSTORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define UNSTORED_MAX 64
#define UNSTORED_BYTES_MAX (64u << 10) /* of one record */

struct unstored_record {
    char *text; /* a complete JSON object; owned */
    size_t length;
    bool unsynced;
    bool late;      /* it had to wait for a connection */
    uint64_t token; /* in flight as; 0: to be sent */
};

struct unstored {
    struct unstored_record records[UNSTORED_MAX]; /* oldest first */
    size_t count;
    uint64_t dropped;
};

/* body: a record without its braces, copied. RG_ERANGE: too long; RG_ENOMEM; both counted as dropped. */
RG_NODISCARD enum rg_err unstored_push(struct unstored *q, const char *body, size_t length, bool unsynced,
                                       bool late);
/* The oldest that is not in flight, or NULL. Valid until the next push or ack. */
struct unstored_record *unstored_next(struct unstored *q);
/* The one with this token is done (ack), or is to be sent again (retry). */
void unstored_ack(struct unstored *q, uint64_t token);
void unstored_retry(struct unstored *q, uint64_t token);
/* All are to be sent again: the connection is gone. */
void unstored_retry_all(struct unstored *q);
void unstored_clear(struct unstored *q);

#endif
