/* What a platform says it has stored (contract §3, topic `receipt`): the arithmetic for one stream. Pure.
 *
 * Two cursors: the sending one (the uplink's own) moves with the broker's word and says what to send next; the held one moves
 * with the platform's word only, is what the store keeps and what counts as pending. After a reconnect or a restart the sending
 * cursor is the held one again, so whatever the platform did not say it has is sent once more.
 *
 * A receipt counts for everything of the stream up to it, back-fill too. So it is refused when something up to it was never
 * handed to the broker: then it cannot be true. What was there when the program began may have been sent by the run before. */
#ifndef RG_UPLINK_RECEIPT_H
#define RG_UPLINK_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/stream.h"

#define RECEIPT_BYTES 512         /* of a receipt's text; more is refused */
#define RECEIPT_PATIENCE_MS 60000 /* so long a receipt may take before what it is to tell of is sent again */
#define RECEIPT_PATIENCE_CAP_MS 3600000 /* what that grows to, doubling, while none comes */

struct receipt {
    struct cursor held; /* owed: what the platform has not said it stored */
    struct cursor told; /* owed: what was never handed to the broker since the program began */
    /* Nothing above `last` up to `scanned` is meant for this uplink: a receipt for `last` is one for `scanned`. */
    int64_t last, scanned;
    int64_t waiting_ms; /* monotonic: since when nothing moved though something is waited for */
    int64_t patience_ms;
};

enum receipt_verdict {
    RECEIPT_MOVED,   /* something is done with by it */
    RECEIPT_KNOWN,   /* it says nothing new */
    RECEIPT_OLD,     /* less than it said before: late, or a second time */
    RECEIPT_REFUSED, /* for what was never sent */
};

/* kept: what the store held. head: of the stream now. */
void receipt_init(struct receipt *r, const struct cursor *kept, int64_t head, int64_t now_ms);
/* A message that settles from..to, with `last` the highest record in it, was handed to the broker. */
void receipt_sent(struct receipt *r, int64_t from, int64_t to, int64_t last);
/* from..to hold nothing that is meant for this uplink. True when the held cursor moved. */
bool receipt_skipped(struct receipt *r, int64_t from, int64_t to);
/* They are gone from the store, or never meant: neither to be sent nor waited for. */
void receipt_forgo(struct receipt *r, int64_t upto);
/* The platform asks for them again (clipped to the held cursor's `acked`; above it they are owed anyway). */
void receipt_owe(struct receipt *r, int64_t first, int64_t last);
/* The platform has all up to upto. sending: moves with it, so that nothing is sent in vain; what the platform asked for again
 * stays owed until it was sent. */
enum receipt_verdict receipt_take(struct receipt *r, struct cursor *sending, int64_t upto, int64_t now_ms);
/* The broker has acknowledged something for which no receipt has come. */
bool receipt_waits(const struct receipt *r, const struct cursor *sending);
/* To be called now and then. busy: it is being sent again, or the platform could not say so (no connection, no subscription).
 * Returns when to call again at the latest (INT64_MAX: nothing is waited for); now_ms: patience is at its end. */
int64_t receipt_look(struct receipt *r, const struct cursor *sending, bool busy, int64_t now_ms);
/* Everything acknowledged without a receipt is owed by the sending cursor again; patience grows. */
void receipt_again(struct receipt *r, struct cursor *sending, int64_t now_ms);

/* {"stream": S, "upto": N} and nothing else, N from 1 to 2^53 - 1. False: it is none. */
bool receipt_parse(const char *text, size_t length, enum stream *stream, int64_t *upto);

#endif
