/* Answers to what platforms asked, on their way out: a bounded few, in the order they were given. */
#ifndef RG_UPLINK_REPLY_H
#define RG_UPLINK_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "uplink/uplink.h"

struct reply {
    char *topic; /* NULL: the topic `reply`. Owned, with the rest behind it */
    char *text;
    size_t length;
    void *correlation; /* NULL: none */
    size_t correlation_length;
    uint64_t token; /* in flight as; 0: to be sent */
    void *memory;
};

struct replies {
    struct reply at[UPLINK_REPLIES]; /* oldest first */
    size_t count;
    uint64_t dropped;
};

/* Whether a platform may have its answer there: MQTT 5 (1.5.4, 4.7) lets one publish to it, at most UPLINK_TOPIC_BYTES, no
 * topic of the broker's own ($...), and below root nothing but `reply` and what is below that: nobody makes the gateway speak in
 * its own name, least of all to itself. */
bool reply_topic_good(const char *topic, const char *root);

/* topic: checked, or NULL. All is copied. RG_EFULL, RG_ERANGE (longer than UPLINK_REPLY_BYTES), RG_ENOMEM; all counted. */
RG_NODISCARD enum rg_err replies_push(struct replies *q, const char *topic, const void *correlation,
                                      size_t correlation_length, const char *text, size_t length);
/* The oldest that is not in flight, or NULL. Valid until the next ack. */
struct reply *replies_next(struct replies *q);
/* The one with this token is done. */
void replies_ack(struct replies *q, uint64_t token);
/* The broker does not take it: it is to be sent again, and on the topic `reply`, for it may be its topic that is not allowed. */
void replies_refused(struct replies *q, uint64_t token);
/* All are to be sent again: the connection is gone. */
void replies_retry_all(struct replies *q);
void replies_clear(struct replies *q);

#endif
