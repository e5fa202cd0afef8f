/* Whether what lies in a store is what was recorded: numbers without holes, each text with the number, the time and the hash it was
 * recorded with, each hash following from the one before (contract §3), the ends as the table `stream` has them. A chain
 * whose first records the retention took begins at `chain_start`.
 *
 * Blocking, on a read-only connection of its own that changes nothing; the daemon may go on meanwhile: what it appends
 * is looked at too, and no read transaction is held for long. Memory does not depend on the store's size. */
#ifndef RG_STORE_AUDIT_H
#define RG_STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/stream.h"

#define AUDIT_WORDS 256

enum audit_fault {
    AUDIT_NONE,
    AUDIT_TEXT,    /* the text was changed, or is no record at all */
    AUDIT_TIME,    /* the text and the column `ts` tell different times */
    AUDIT_HASH,    /* the hash was changed: in the column, in the text, or in the table `stream` */
    AUDIT_MISSING, /* from seq to last */
    AUDIT_ADDED,   /* was not recorded by the gateway */
    AUDIT_ORDER,   /* it is another one's text: moved, exchanged or renumbered */
};
const char *
audit_fault_name(enum audit_fault fault); /* "text" "time" "hash" "missing" "added" "order"; "none" */

/* What was found of one stream. */
struct audit_stream {
    uint64_t count; /* records that hold, up to the first one that does not */
    int64_t begins; /* number of the first record that should be there; the retention took those before */
    int64_t first, last; /* numbers of the first and last record that hold; 0: none */
    bool start_unknown; /* the hash before the first record was not kept: a version before this one took it */
    uint64_t told_lost; /* telemetry: numbers that are not there, as `lost` events tell */
    /* The first one that does not hold. */
    enum audit_fault fault;
    int64_t bad_first, bad_last;
    char words[AUDIT_WORDS]; /* for people: what is wrong with it */
};

struct audit;

/* RG_EIO, RG_ECORRUPT, RG_ENOMEM; RG_EINVAL: not a store; RG_EUNSUPPORTED: newer than this program. *why (why_size
 * bytes) names the file. */
RG_NODISCARD enum rg_err audit_open(const char *path, struct audit **out, char *why, size_t why_size);
void audit_close(struct audit *a); /* takes NULL */
/* RG_OK also when something does not hold: see out->fault. RG_EIO, RG_ECORRUPT: the file cannot be read; audit_why tells. */
RG_NODISCARD enum rg_err audit_check(struct audit *a, enum stream stream, struct audit_stream *out);
const char *audit_why(const struct audit *a);

#endif
