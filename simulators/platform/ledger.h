/* What arrived of one stream of one gateway, in little memory however long it runs.
 *
 * A message that holds the records first..last and names prev says that between prev and last nothing else is meant for this platform: the
 * span (prev, last] is accounted for. Complete is who has one span from 1 to the top; what lies between two spans is a hole.
 * Of the newest records a fingerprint (and, of hashed streams, the hash) is remembered, so that one that comes again can be compared. */
#ifndef PLATFORM_LEDGER_H
#define PLATFORM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_HASH 64 /* hex digits */
#define LEDGER_SPANS 4096
#define LEDGER_WAITING 256    /* records kept until the one before comes */
#define LEDGER_REMEMBER 65536 /* records, unless told otherwise */
#define LEDGER_NUMBER_MAX 9000000000000000

struct ledger_span {
    int64_t first, last; /* inclusive */
};

struct ledger_print {
    int64_t seq; /* 0: nothing */
    uint64_t print;
};

/* A record whose forerunner has not come yet. */
struct ledger_wait {
    int64_t seq;
    char *text;
    size_t length;
};

struct ledger {
    bool hashed;
    int64_t top; /* highest sequence number received */
    int64_t
        skip_top; /* highest number that was passed over when a later record came: filtered, lost or late */
    int64_t forgotten;         /* highest number of which no fingerprint is remembered any more */
    struct ledger_span *spans; /* ascending, disjoint, not touching */
    size_t span_count, span_capacity;
    struct ledger_print *window; /* [window_size], by seq modulo */
    char (*hashes)[LEDGER_HASH]; /* of hashed streams, beside it */
    size_t window_size, window_max;
    struct ledger_wait *waiting; /* [LEDGER_WAITING] once needed */
    size_t waiting_count;
    uint64_t messages, backfill_messages, records, resent;
    uint64_t verified;        /* hashes that follow from the record before */
    uint64_t unverified;      /* whose record before will never come here */
    uint64_t forgotten_holes; /* given up for want of room */
    uint64_t lost;            /* records that the gateway said it had lost */
};

enum ledger_result {
    LEDGER_NEW,
    LEDGER_RESENT,  /* the same bytes again */
    LEDGER_DIFFERS, /* the same number with other bytes */
    LEDGER_OLD,     /* so old that only an archive knows whether it came before; nothing was changed */
    LEDGER_NO_MEMORY,
};

/* remember: records of which a fingerprint is kept; a power of two, 0: LEDGER_REMEMBER. */
void ledger_create(struct ledger *l, bool hashed, size_t remember);
void ledger_free(struct ledger *l);

uint64_t ledger_fingerprint(const char *text, size_t length);
/* text: the whole record; hash: its LEDGER_HASH digits, or NULL. sure: an archive says that it is new, or that it came before. */
enum ledger_sure { LEDGER_UNSURE, LEDGER_SURE_NEW };
enum ledger_result ledger_add(struct ledger *l, int64_t seq, const char *text, size_t length,
                              const char *hash, enum ledger_sure sure);
/* The hash of a record that is remembered, or NULL. */
const char *ledger_hash(const struct ledger *l, int64_t seq);

/* first..last is accounted for. False: no memory. */
bool ledger_account(struct ledger *l, int64_t first, int64_t last);
bool ledger_accounts_for(const struct ledger *l, int64_t seq);
/* The highest accounted number below seq; 0: none. */
int64_t ledger_before(const struct ledger *l, int64_t seq);
/* All up to here is accounted for; 0: not even the first. */
int64_t ledger_upto(const struct ledger *l);
/* The n-th hole, from below; false: there are not so many. */
bool ledger_hole(const struct ledger *l, size_t n, struct ledger_span *out);
size_t ledger_hole_count(const struct ledger *l);
uint64_t ledger_holes(const struct ledger *l); /* numbers in them */

/* Keeps a record until its forerunner comes. False: no room. */
bool ledger_wait_add(struct ledger *l, int64_t seq, const char *text, size_t length);
/* Takes out the one with this number; false: none. The caller frees text. */
bool ledger_wait_take(struct ledger *l, int64_t seq, struct ledger_wait *out);

#endif
