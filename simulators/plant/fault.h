/* What goes wrong with an answer, and when. Pure: time and randomness are arguments. */
#ifndef RG_PLANT_FAULT_H
#define RG_PLANT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plant/codec.h"

enum fault_kind {
    FAULT_MUTE,       /* no answer; the request is not carried out */
    FAULT_LATE,       /* the right answer, argument ms later */
    FAULT_EXCEPTION,  /* exception answer, argument the code; not carried out */
    FAULT_WRONG_UNIT, /* the right answer under the next unit id */
    FAULT_WRONG_CRC,  /* RTU: the CRC inverted */
    FAULT_WRONG_TID,  /* TCP: the transaction id of the request before, that is, one less */
    FAULT_CUT,        /* only the first argument bytes; 0: half of them */
    FAULT_DROP,       /* the connection is closed instead of an answer; not carried out */
    FAULT_REFUSE, /* a listener's: connections closed and none taken; on RTU: the line unplugged, its path gone */
    FAULT_GARBAGE, /* argument random bytes instead of the answer; 0: as many as the answer */
    FAULT_FOREIGN, /* a well-formed answer of another unit (TCP: and transaction), then the right one */
    FAULT_WRONG_LENGTH, /* well-formed with one register or byte of bits too many, too few at the limit; echoes lose a byte */
    FAULT_KIND_COUNT,
};
extern const char *const fault_kind_names[FAULT_KIND_COUNT];

/* What the argument of a kind is called in a scenario; NULL: it has none. */
const char *fault_argument_name(enum fault_kind kind);
/* The range of the argument, and what it is when not given; least > most: none. needs: it must be given. */
struct fault_argument {
    int64_t least, most, usual;
    bool needed;
};
struct fault_argument fault_argument(enum fault_kind kind);

struct fault {
    enum fault_kind kind;
    int64_t from_us, to_us; /* plant time, from <= t < to */
    int64_t loop_us;        /* from and to repeat with it; 0: not */
    int64_t argument;
    uint32_t every;      /* only each such request; 1: all */
    uint32_t times;      /* at most so many; 0: no end */
    uint32_t seen, hits; /* requests while active, requests hit */
};

bool fault_active(const struct fault *fault, int64_t t_us);
/* Counts one request and tells whether it is hit. FAULT_REFUSE never hits a request. */
bool fault_hit(struct fault *fault, int64_t t_us);

#define FAULT_BYTES_MAX (2u * CODEC_TCP_MAX) /* a foreign frame and the answer */

struct fault_context {
    enum codec_framing framing;
    uint16_t transaction;
    uint8_t unit;
    uint64_t random;
};
/* The bytes for the wire, from an answer PDU; out holds FAULT_BYTES_MAX. fault NULL: the right answer. Returns their number.
 * Mute, drop, late and exception change nothing here: they are the caller's. */
size_t fault_frame(const struct fault *fault, const struct fault_context *context, const uint8_t *pdu,
                   size_t length, uint8_t *out);

#define FAULT_MANUAL_MAX 8 /* faults of the control socket on one unit or listener at a time */

/* The faults of a unit or a listener: those of the control socket come first, then the file's, in order. */
struct fault_set {
    struct fault *timed;
    size_t timed_count;
    struct fault manual[FAULT_MANUAL_MAX];
    size_t manual_count;
};

/* The first fault of the set that hits this request, counting it; NULL: none. */
struct fault *fault_set_pick(struct fault_set *set, int64_t t_us);
/* Whether a FAULT_REFUSE of the set holds at that time. */
bool fault_set_refuses(const struct fault_set *set, int64_t t_us);
/* Adds or replaces (by kind) a fault of the control socket; false: no room. */
bool fault_set_add(struct fault_set *set, const struct fault *fault);

#endif
