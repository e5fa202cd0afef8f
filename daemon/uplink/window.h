/* What is in flight: messages handed to the transport and not yet acknowledged, by token. Bounded; pure.
 *
 * Bulk (telemetry and back-fill) never takes the last UPLINK_WINDOW_RESERVE places nor more than
 * UPLINK_WINDOW_BYTES, so an alarm finds a place at once and little in front of it, on a slow line too. */
#ifndef RG_UPLINK_WINDOW_H
#define RG_UPLINK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uplink/uplink.h"

#define WINDOW_SLOTS (UPLINK_WINDOW + 1) /* one more for the last state document, which must not wait */

struct window_entry {
    uint64_t token; /* 0: the slot is free */
    unsigned owner; /* whose message it is (core.h) */
    bool bulk;
    bool acked;       /* acknowledged, but kept until what its owner sent before is too */
    int64_t from, to; /* the records it settles once acknowledged; those a filter left out beside them too */
    int64_t
        again; /* up to here it was asked for once more since it was sent: its acknowledgement does not settle that */
    size_t bytes;
};

struct window {
    struct window_entry slots[WINDOW_SLOTS];
    uint64_t last_token; /* tokens are never used twice, so a late answer finds nothing */
    size_t
        limit; /* messages that may be in flight: UPLINK_WINDOW or what the broker takes, if that is less */
    size_t in_flight; /* not acknowledged */
    size_t bulk_in_flight, bulk_bytes;
};

void window_init(struct window *w);
/* Forgets everything in flight; receive_max: what the broker said it takes (0 counts as 1). */
void window_reset(struct window *w, size_t receive_max);
/* Whether a message of so many bytes may go now. */
bool window_has_room(const struct window *w, bool bulk, size_t bytes);
/* Takes a place; the entry's token is to be given to the transport. NULL when every slot is taken. */
struct window_entry *window_add(struct window *w, unsigned owner, bool bulk, size_t bytes, int64_t from,
                                int64_t to);
/* NULL when nothing of that token is in flight. */
struct window_entry *window_find(struct window *w, uint64_t token);
/* Marks it acknowledged: it no longer counts as in flight, but keeps its slot. */
void window_ack(struct window *w, struct window_entry *e);
void window_remove(struct window *w, struct window_entry *e);
/* The owner's entry with the lowest or highest `from`, acknowledged ones too; NULL when it has none. */
struct window_entry *window_lowest(struct window *w, unsigned owner);
struct window_entry *window_highest(struct window *w, unsigned owner);
/* Those of the owner's that have something of first..last are to be sent again. */
void window_again(struct window *w, unsigned owner, int64_t first, int64_t last);
/* How many of the owner's are in flight (acknowledged ones not counted). */
size_t window_count(const struct window *w, unsigned owner);

#endif
